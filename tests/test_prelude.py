"""The prelude means what Mathlib means: its definitions on concrete values, its notations, its limits."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

Lean = Callable[[str], Awaitable[list[dict[str, Any]]]]

HEADER = "open BigOperators Real Nat Topology Rat\n"
"""What stands before every miniF2F statement."""


async def errors(lean: Lean, text: str) -> list[dict[str, Any]]:
    return [message for message in await lean(HEADER + text) if message["severity"] == "error"]


async def accepts(lean: Lean, text: str) -> None:
    found = await errors(lean, text)
    assert not found, "\n".join(f"line {m['pos']['line']}: {m['data']}" for m in found)


async def rejects_each(lean: Lean, terms: list[str], reason: str) -> None:
    """Every term of `terms` is rejected, with a message that contains `reason`."""
    found = await errors(lean, "\n".join(f"#check ({term} : Prop)" for term in terms))
    lines = {message["pos"]["line"] for message in found if re.search(reason, message["data"])}
    accepted = [term for line, term in enumerate(terms, start=2) if line not in lines]
    assert not accepted


async def test_finite_sums_and_products_compute(lean: Lean) -> None:
    await accepts(
        lean,
        """
        example : ∑ k ∈ Finset.range 4, k = 6 := by decide
        example : ∑ k ∈ Finset.Icc 1 100, k = 5050 := by decide +kernel
        example : ∑ k ∈ Finset.Ico 1 4, k = 6 := by decide
        example : ∑ k ∈ Finset.Ioc 1 4, k = 9 := by decide
        example : ∑ k ∈ Finset.Ioo 1 4, k = 5 := by decide
        example : ∑ k ∈ Finset.Icc (-2 : ℤ) 3, k = 3 := by decide
        example : ∏ k ∈ Finset.Icc 1 5, k = 5 ! := by decide
        example : ∑ k ∈ ({1, 2, 2} : Finset ℕ), k = 3 := by decide
        example : ∑ i : Fin 4, (i : ℕ) = 6 := by decide
        example : ∑ k ∈ Finset.filter (fun x => x % 8 = 5 ∧ x % 6 = 3) (Finset.range 50), k = 66 := by decide
        example : ∑ k ∈ Finset.range 3, (k : ℚ) / 2 = 3 / 2 := by simp [Finset.sum_range_succ]; grind
        example : ∑ k ∈ Finset.range 3, (k : ℝ) / 2 = 3 / 2 := by simp [Finset.sum_range_succ]; grind
        """,
    )


async def test_sums_and_products_over_nothing_are_zero_and_one(lean: Lean) -> None:
    await accepts(
        lean,
        """
        example (f : ℕ → ℝ) : ∑ k ∈ Finset.range 0, f k = 0 ∧ ∏ k ∈ Finset.range 0, f k = 1 := by simp
        example : ∑ k ∈ Finset.Icc 3 2, k = 0 ∧ ∏ k ∈ Finset.Icc 3 2, k = 1 := by decide
        example : ∑ k ∈ Finset.Icc (3 : ℤ) (-2), k = 0 := by decide
        """,
    )


async def test_finite_sets_are_sets(lean: Lean) -> None:
    await accepts(
        lean,
        """
        example : ({1, 2, 2} : Finset ℕ) = {2, 1} := by decide
        example : ({1, 2, 2} : Finset ℕ).card = 2 := by decide
        example : Finset.card (Finset.filter (fun x => x % 19 = 7) (Finset.Icc 100 999)) = 48 := by decide +kernel
        example : ({1, 2} : Finset ℕ) ∪ {2, 3} = {1, 2, 3} ∧ ({1, 2} : Finset ℕ) ∩ {2, 3} = {2} := by decide
        example : ({1, 2} : Finset ℕ) \\ {2} = {1} ∧ (Finset.range 3).erase 1 = {0, 2} := by decide
        example : Finset.image (fun x => x % 2) (Finset.range 9) = {0, 1} := by decide
        example : ¬ ({1, 4} : Finset ℕ) ⊆ {1, 2} := by decide
        example (s : Finset ℕ) (h : ∀ n, n ∈ s ↔ n ∣ 36) : ∑ k ∈ s, k = 91 := by
          rw [show s = Nat.divisors 36 from Finset.ext (by simp [h])]; decide
        """,
    )


async def test_number_theory_on_small_numbers(lean: Lean) -> None:
    await accepts(
        lean,
        """
        example : Finset.filter Nat.Prime (Finset.range 30) = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29} := by decide
        example : ¬ Nat.Prime 0 ∧ ¬ Nat.Prime 1 ∧ Nat.Prime 7919 ∧ ¬ Nat.Prime 7917 := by decide +kernel
        example : 0 ! = 1 ∧ 5 ! = 120 ∧ Nat.gcd 20! 200000 = 40000 := by decide
        example : Nat.choose 5 2 = 10 ∧ Nat.choose 2 5 = 0 ∧ Nat.choose 0 0 = 1 := by decide
        example : Nat.divisors 12 = {1, 2, 3, 4, 6, 12} ∧ Nat.properDivisors 12 = {1, 2, 3, 4, 6} := by decide
        example : Nat.divisors 0 = ∅ ∧ Nat.properDivisors 0 = ∅ ∧ Nat.properDivisors 1 = ∅ := by decide
        example : Nat.digits 10 123 = [3, 2, 1] ∧ Nat.digits 10 0 = [] := by decide
        example : Nat.digits 1 3 = [1, 1, 1] ∧ Nat.digits 0 3 = [3] ∧ Nat.digits 0 0 = [] := by decide
        example : Nat.log 2 9 = 3 ∧ Nat.log 1 9 = 0 ∧ Nat.log 10 9 = 0 ∧ Nat.log 2 0 = 0 := by decide
        example : Nat.sqrt 15 = 3 ∧ Nat.sqrt 16 = 4 ∧ Nat.sqrt 0 = 0 := by decide
        example : 171 ≡ 80 [MOD 7] ∧ ¬ 1 ≡ 2 [MOD 0] ∧ -1 ≡ 4 [ZMOD 5] := by decide
        example : Even 4 ∧ ¬ Even 3 ∧ Odd 3 ∧ ¬ Odd 4 ∧ Even 0 ∧ Even (-2 : ℤ) ∧ Odd (-3 : ℤ) := by decide
        example : (7 : ℕ) / 2 = 3 ∧ (-7 : ℤ) / 2 = -4 ∧ (-7 : ℤ) % 2 = 1 ∧ (3 : ℕ) - 5 = 0 ∧ 5 / 0 = 0 := by decide
        """,
    )


@settings(max_examples=3)
@given(numbers=st.lists(st.integers(0, 3000), min_size=20, max_size=20))
async def test_functions_on_natural_numbers_agree_with_pythons(lean: Lean, numbers: list[int]) -> None:
    digits = [[int(digit) for digit in reversed(str(n))] if n else [] for n in numbers]
    primes = [n > 1 and all(n % d for d in range(2, math.isqrt(n) + 1)) for n in numbers]
    divisors = [sum(d for d in range(1, n % 100 + 1) if n % 100 % d == 0) for n in numbers]
    await accepts(
        lean,
        f"""
        example : List.map Nat.sqrt {numbers} = {[math.isqrt(n) for n in numbers]} := by decide +kernel
        example : List.map (Nat.digits 10) {numbers} = {digits} := by decide +kernel
        example : List.map (fun n => decide (Nat.Prime n)) {numbers} = {json.dumps(primes)} := by decide +kernel
        example : List.map (fun n => ∑ d ∈ Nat.divisors (n % 100), d) {numbers} = {divisors} := by decide +kernel
        """,
    )


@settings(max_examples=3)
@given(fractions=st.lists(st.tuples(st.integers(-99, 99), st.integers(1, 12)), min_size=10, max_size=10))
async def test_floor_and_ceiling_of_fractions_agree_with_pythons(lean: Lean, fractions: list[tuple[int, int]]) -> None:
    text = "".join(
        f"example : ⌊({p} : ℚ) / {q}⌋ = {p // q} ∧ ⌈({p} : ℚ) / {q}⌉ = {-(-p // q)} := by decide +kernel\n"
        f"example : ⌊({p} : ℝ) / {q}⌋ = {p // q} := by rw [Int.floor_eq_iff]; simp; grind\n"
        for p, q in fractions
    )
    await accepts(lean, text)


async def test_floors_of_negative_numbers(lean: Lean) -> None:
    await accepts(
        lean,
        """
        example : ⌊(-1 / 2 : ℚ)⌋ = -1 ∧ ⌈(-1 / 2 : ℚ)⌉ = 0 := by decide +kernel
        example : ⌊(-1 / 2 : ℚ)⌋₊ = 0 ∧ ⌈(3 / 2 : ℚ)⌉₊ = 2 := by decide +kernel
        example : ⌊(-1 / 2 : ℝ)⌋ = -1 := by rw [Int.floor_eq_iff]; simp; grind
        example : ⌊(-1 / 2 : ℝ)⌋₊ = 0 := by
          rw [Nat.floor, show ⌊(-1 / 2 : ℝ)⌋ = -1 by rw [Int.floor_eq_iff]; simp; grind]; rfl
        example (x : ℝ) : (⌊x⌋ : ℝ) ≤ x ∧ x < ⌊x⌋ + 1 := ⟨Int.floor_le x, Int.lt_floor_add_one x⟩
        example (x : ℝ) : Int.fract x = x - ⌊x⌋ := rfl
        """,
    )


async def test_real_numbers_are_a_complete_archimedean_ordered_field(lean: Lean) -> None:
    await accepts(
        lean,
        """
        example (x y : ℝ) (h : x + y = 3) (k : x - y = 1) : x = 2 := by grind
        example (x : ℝ) (h : 0 < x) : x / x = 1 := by grind
        example : (1 : ℝ) / 0 = 0 ∧ (0 : ℝ)⁻¹ = 0 := by grind
        example (x y : ℝ) : x ≤ y ∨ y ≤ x := le_total x y
        example (x : ℝ) : ∃ n : ℕ, x < n := exists_nat_gt x
        example (S : Set ℝ) (h : S.Nonempty) (k : BddAbove S) : ∃ x, IsLUB S x := Real.exists_isLUB h k
        example : (0 : ℝ) ≠ 1 := by grind
        example (x : ℝ) : x ^ 2 = x * x ∧ x ^ 0 = 1 := by grind
        example (x : ℝ) : x ^ (-1 : ℤ) = 1 / x ∧ x ^ (0 : ℤ) = 1 := by simp; grind
        example (m n : ℕ) (h : (m : ℝ) = n) : m = n := by exact_mod_cast h
        example : (0.5 : ℝ) = 1 / 2 ∧ (12.25 : ℝ) = 49 / 4 := by grind
        """,
    )


async def test_square_roots(lean: Lean) -> None:
    await accepts(
        lean,
        """
        example : √(-4) = 0 ∧ √0 = 0 := ⟨Real.sqrt_eq_zero_of_nonpos (by grind), Real.sqrt_zero⟩
        example : Real.sqrt 9 = 3 := (Real.sqrt_eq_iff_mul_self_eq (by grind) (by grind)).2 (by grind)
        example (x : ℝ) (h : 0 ≤ x) : √x * √x = x := Real.mul_self_sqrt h
        example : ((Real.sqrt 2) : ℝ) < 3 / 2 := by rw [Real.sqrt_lt' (by grind)]; grind
        example (a : NNReal) : (NNReal.sqrt a : ℝ) = √a := rfl
        """,
    )


async def test_elementary_functions_are_limits_and_inverses(lean: Lean) -> None:
    await accepts(
        lean,
        """
        example (x : ℝ) : Real.tan x = Real.sin x / Real.cos x := rfl
        example (b x : ℝ) : Real.logb b x = Real.log x / Real.log b := rfl
        example : (0 : ℝ) ^ (0 : ℝ) = 1 ∧ (0 : ℝ) ^ (2 : ℝ) = 0 := by
          constructor <;> show Real.rpow _ _ = _ <;> rw [Real.rpow] <;> grind
        """,
    )


async def test_absolute_values_maxima_and_minima(lean: Lean) -> None:
    await accepts(
        lean,
        """
        example : |(-3 : ℤ)| = 3 ∧ |(3 : ℤ)| = 3 ∧ abs (0 : ℤ) = 0 := by decide
        example : |(-3 : ℝ)| = 3 ∧ |(3 : ℝ)| = 3 := by grind
        example : |(-3 / 2 : ℚ)| = 3 / 2 := by decide +kernel
        example (x : ℝ) (h : |x - 1| < 2) : -1 < x ∧ x < 3 := by grind
        example (x y : ℝ) : |x * y| = |x| * |y| := abs_mul x y
        example (x y : ℝ) (h : x ≤ y) : max x y = y ∧ min x y = x := by simp [Real.max_def, Real.min_def, h]
        """,
    )


async def test_complex_numbers(lean: Lean) -> None:
    await accepts(
        lean,
        """
        example : Complex.I * Complex.I = -1 := by simp
        example : (1 + 2 * Complex.I) * (3 - Complex.I) = 5 + 5 * Complex.I := by grind
        example : (1 : ℂ) / 0 = 0 := by grind
        example (z : ℂ) (h : z ≠ 0) : z * z⁻¹ = 1 := by grind
        example (r s : ℝ) (h : (r : ℂ) = s) : r = s := by exact_mod_cast h
        example (z w : ℂ) (h : z.re = w.re) (k : z.im = w.im) : z = w := Complex.ext h k
        example : ‖(3 + 4 * Complex.I : ℂ)‖ ^ 2 = 25 := by rw [Complex.sq_norm]; simp [Complex.normSq]; grind
        """,
    )


async def test_numbers_modulo_n(lean: Lean) -> None:
    await accepts(
        lean,
        """
        example : (5 : ZMod 7) + 4 = 2 ∧ (3 : ZMod 7) * 5 = 1 ∧ (-1 : ZMod 7) = 6 := by decide
        example : (3 : ZMod 31)⁻¹ = 21 ∧ (0 : ZMod 31)⁻¹ = 0 := by decide
        example : ∀ a : Fin 12, ((a.val : ZMod 12)) * (a.val : ZMod 12)⁻¹ = (Nat.gcd a.val 12 : ZMod 12) := by decide
        example : ((-3 : ℤ) : ZMod 5) = 2 := by decide
        """,
    )


async def test_sets_orders_and_functions(lean: Lean) -> None:
    await accepts(
        lean,
        """
        example : (7 : ℕ) ∈ {x : ℕ | 3 < x} ∧ (2 : ℕ) ∉ ({1, 3} : Set ℕ) := by simp
        example : IsLeast {x : ℕ | 30 * x ≡ 42 [MOD 47]} 39 := by grind
        example : ¬ IsLeast {x : ℕ | 3 < x} 5 := by rintro ⟨_, h⟩; have := h 4 (by simp); omega
        example : IsGreatest {x : ℕ | x < 5} 4 := by grind
        example (f : ℕ → ℕ) : f '' {x | x = 3} = {f 3} := by apply Set.ext; intro; simp [eq_comm]
        example (f : ℕ → ℕ) (x : ℕ) : x ∈ f ⁻¹' {10} ↔ f x = 10 := by simp
        example : Set.Icc (1 : ℝ) 2 = {x | 1 ≤ x ∧ x ≤ 2} ∧ Set.Ioc (1 : ℝ) 2 = {x | 1 < x ∧ x ≤ 2} := ⟨rfl, rfl⟩
        example : ∃! n : ℕ, n + 2 = 5 := ⟨3, rfl, by grind⟩
        example : ¬ ∃! n : ℕ, n < 2 := by rintro ⟨n, h, k⟩; have := k 0; have := k 1; grind
        example (σ : Equiv ℝ ℝ) (x : ℝ) : σ.2 (σ.1 x) = x := σ.left_inv x
        example (s : Set ℕ) [Fintype s] (n : ℕ) : n ∈ s.toFinset ↔ n ∈ s := by simp
        example : Filter.Tendsto (fun _ : ℕ => (1 : ℝ)) Filter.atTop (𝓝 1) := by
          rintro s ⟨ε, h, k⟩
          exact .inr ⟨0, fun b _ => k 1 (by rw [show id (1 : ℝ) - id 1 = 0 by simp; grind]; simpa using h)⟩
        """,
    )


async def test_notations_bind_as_tightly_as_mathlibs(lean: Lean) -> None:
    await accepts(
        lean,
        """
        example (s : Finset ℕ) (f : ℕ → ℕ) : ∑ x ∈ s, f x + 1 = (∑ x ∈ s, f x) + 1 := rfl
        example (s : Finset ℕ) (f : ℕ → ℕ) : ∑ x ∈ s, 2 * f x = ∑ x ∈ s, (2 * f x) := rfl
        example (s : Finset ℕ) (f : ℕ → ℤ) : ∑ x ∈ s, f x - 1 = (∑ x ∈ s, f x) - 1 := rfl
        example (s : Finset ℕ) (f : ℕ → ℕ) : (2 * ∏ x ∈ s, f x ∣ 7) = ((2 * (∏ x ∈ s, f x)) ∣ 7) := rfl
        example : 2 ^ 3 ! = 64 ∧ 2 * 3 ! = 12 := by decide
        example (x : ℤ) : -x ^ 2 = -(x ^ 2) := rfl
        example (x : ℝ) : √x ^ 2 = (√x) ^ 2 ∧ √x⁻¹ = √(x⁻¹) := ⟨rfl, rfl⟩
        example (x y : ℤ) : |x| * |y| + |x - y| = (abs x) * (abs y) + abs (x - y) := rfl
        example (a b c n : ℕ) : (a + b ≡ c * 2 [MOD n]) = ((a + b) ≡ (c * 2) [MOD n]) := rfl
        example (f : ℕ → ℕ) : (f '' {x | x > 3} \\ {3}) = ((f '' {x | x > 3}) \\ {3}) := rfl
        """,
    )


async def test_coercions_go_to_the_wider_type(lean: Lean) -> None:
    await accepts(
        lean,
        """
        example (x : ℝ) (n : ℕ) : (x + n = 1) = (x + (n : ℝ) = 1) := rfl
        example (x : ℝ) (n : ℤ) : (x = 2 ^ n) = (x = (2 : ℝ) ^ n) := rfl
        example (x : ℝ) (q : ℚ) : (x = q / 2) = (x = (q : ℝ) / 2) := rfl
        example (n k : ℕ) : ((n : ℝ) / k < 6) = ((n : ℝ) / (k : ℝ) < 6) := rfl
        example (x : ℝ) : (x = 8 ^ (1 / 3)) = (x = (8 : ℝ) ^ (0 : ℕ)) := rfl
        example (z : ℂ) (x : ℝ) : (z = x + 1) = (z = (x : ℂ) + 1) := rfl
        example (x y : ℝ) : (x ^ y = 2 ^ y) = (Real.rpow x y = Real.rpow 2 y) := rfl
        """,
    )


async def test_what_is_not_defined_is_rejected_and_not_read_as_something_else(lean: Lean) -> None:
    await rejects_each(
        lean,
        [
            "|(3 : ℕ)| = 3",
            "|Complex.I| = 1",
            "(2 : ℂ) ^ (2 : ℂ) = 4",
            "(1 : ℂ) < 2",
            "∑ x ∈ Finset.Icc (0 : ℝ) 1, x = 1",
        ],
        "failed to synthesize",
    )
    unknown = ["x = 1", "Foo 2 = 1", "Prime 3", "Polynomial.X = 1"]
    await rejects_each(lean, unknown, "Unknown identifier")


async def test_false_statements_are_not_proved(lean: Lean) -> None:
    false = [
        "∑ k ∈ Finset.range 4, k = 10",
        "Nat.Prime 91",
        "4 ! = 25",
        "|(-3 : ℤ)| = -3",
        "Nat.sqrt 15 = 4",
        "(Finset.Icc 1 5).card = 4",
        "Odd 4",
        "⌊(7 / 2 : ℚ)⌋ = 4",
        "√(-4) = 2",
        "Real.sqrt 2 = 3 / 2",
        "(1 : ℝ) / 0 = 1",
        "Complex.I ^ 2 = 1",
    ]
    found = await errors(lean, "\n".join(f"example : {claim} := by first | decide | grind | simp" for claim in false))
    assert {message["pos"]["line"] for message in found} == set(range(2, 2 + len(false)))


PRINTED = [
    "∀ n : ℕ, ∑ k ∈ Finset.range n, (2 * k + 1) = n ^ 2",
    "∑ k ∈ Finset.Icc 1 9, 11 ^ k + 1 = (∏ k ∈ Finset.range 3, k) - 2",
    "∀ x : ℤ, |x - 1| * |(|x|)| ≤ |-x|",
    "∀ x : ℝ, √(x ^ 2) = x ∧ ⌊x⌋ = 3 ∧ ⌈x + 1⌉ = 4 ∧ Real.cos (x * π) = 1",
    "IsLeast {n : ℕ | 0 < n ∧ n ! ≡ 2 [MOD 7]} 3",
    "∃! n : ℕ, Nat.Prime n ∧ Even n",
    "∀ (f : ℝ → ℝ) (s : Set ℝ), f '' s ⊆ f ⁻¹' {1, 2} ∪ s",
    "∀ z : ℂ, z * Complex.I = 1 ∧ ‖z‖ = 1",
    "∀ x y : ℝ, x ^ y = 2 ∧ Real.log x / Real.logb 2 y = y ^ (-2 : ℤ)",
    "∀ (a b : ℤ) (f : Fin 3 → ℤ), a ≡ b [ZMOD 5] ∧ ∑ i, f i = b",
]


async def test_printed_goals_mean_what_was_stated(lean: Lean) -> None:
    """A goal is shown to a model as text, which may write it again in a tactic."""
    unsolved = await errors(lean, "\n".join(f"example : {claim} := by skip" for claim in PRINTED))
    goals = [message["data"].split("⊢ ", 1)[1] for message in unsolved]
    assert not any("Finset.sum" in goal or "fun" in goal for goal in goals)
    await accepts(
        lean, "\n".join(f"example : ({claim}) = ({goal}) := rfl" for claim, goal in zip(PRINTED, goals, strict=True))
    )


async def test_canonical_statements_elaborate(lean: Lean, canonical_valid: Path) -> None:
    theorems = [json.loads(line) for line in canonical_valid.read_text(encoding="utf-8").splitlines()]
    rejected = [theorem["name"] for theorem in theorems if await errors(lean, theorem["statement"])]
    assert rejected == []
