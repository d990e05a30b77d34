"""The generated statements: their form, their variety, and on real Lean that they elaborate and can be proved."""

from __future__ import annotations

import random
import re
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lean_env.embedded.engine import EmbeddedEngine
from lean_env.engine import Theorem
from train.corpus.families import FAMILIES, HARDEST, theorems
from train.corpus.normal_form import kind, normal_form

# Of each family a statement of difficulty 3 that it made, and a proof of it by hand in simple steps.
PROOFS: dict[str, tuple[str, str]] = {
    "propositions": (
        "(p q r s : Prop) (h : (s ∧ p) ↔ q) (h1 : s ∨ q) : ∃ t : Prop, ((¬p ∧ q) → t) ∧ (t → p) ∧ (t → (r → (s ↔ r)))",
        "refine ⟨q, ?_⟩\nconstructor\n· intro h2\n  exact h2.2\nconstructor\n· intro h2\n  exact (h.2 h2).2\n· grind",
    ),
    "quantifiers": (
        "(α : Type) (P Q : α → Prop) (p : Prop) (a : α) (h : ∃ x, Q x ∧ (∀ y, P x → (P x ∧ P y))) "
        "(h1 : ∀ x, p → (Q a → P x)) : ∃ x, ∀ y, ¬P y ∨ Q x",
        "obtain ⟨x, h2, h3⟩ := h\nrefine ⟨x, ?_⟩\nintro y\nright\nexact h2",
    ),
    "relations": (
        "(α : Type) (S T : α → α → Prop) (P Q : α → Prop) (h : ∀ x, ∃ y, S x y ∧ P y) (h1 : ∀ x, ∃ y, T x y) "
        "(h2 : ∀ x y, T x y → P y) : ∀ x : α, ∃ y z, T x y ∧ S x z ∧ P y",
        "intro x\nobtain ⟨y, h3⟩ := h1 x\nobtain ⟨z, h4, h5⟩ := h x\nrefine ⟨y, z, ?_⟩\nhave h6 := h2 x y h3\nsimp_all",
    ),
    "existence": (
        ": ∀ a : ℕ, (∃ x y, x + y = 2 * a + 11 ∧ x < y) ∧ (∃ x, ∀ b, x < b → 2 * a + 3 < 2 * b)",
        "intro a\nconstructor\n· refine ⟨a, a + 11, ?_⟩\n  omega\n· refine ⟨a + 3, ?_⟩\n  intro b h\n  omega",
    ),
    "divisibility": (
        "(a b c x : ℤ) (h : a ∣ b) (h1 : 3 * b ∣ c) : a ^ 2 ∣ c * b ∧ (∃ k, c = 3 * a * k)",
        "obtain ⟨k, h2⟩ := h\nobtain ⟨m, h3⟩ := h1\nsubst h2\nsubst h3\nconstructor\n"
        "· refine ⟨3 * k * k * m, ?_⟩\n  grind\n· refine ⟨k * m, ?_⟩\n  grind",
    ),
    "recurrences": (
        "(f : ℕ → ℕ) (h : f 0 = 5) (h1 : ∀ n, f (n + 1) = 13 * f n + 12) : ∀ n, ∃ k, f n = 6 * k + 5",
        "intro n\ninduction n with\n| zero => exact ⟨0, h⟩\n| succ n ih =>\n  obtain ⟨k, h2⟩ := ih\n  rw [h1, h2]\n"
        "  refine ⟨13 * k + 12, ?_⟩\n  omega",
    ),
    "growth": (
        ": ∀ n : ℕ, 2 * ∑ i ∈ Finset.range n, (3 * i + 4) = 3 * n ^ 2 + 5 * n ∧ (∃ m, n + 3 + m = 6 * 4 ^ n)",
        "intro n\ninduction n with\n| zero =>\n  constructor\n  · rfl\n  · exact ⟨3, rfl⟩\n| succ n ih =>\n"
        "  obtain ⟨h, m, h1⟩ := ih\n  constructor\n  · rw [Finset.sum_range_succ]\n    grind\n"
        "  · refine ⟨3 * n + 8 + 4 * m, ?_⟩\n    rw [Nat.pow_succ]\n    omega",
    ),
    "lists": (
        "(α : Type) (g : α → α) (a : α) (f : List α → List α) (h : f [] = []) "
        "(h1 : ∀ x xs, f (x :: xs) = x :: x :: x :: f xs) : "
        "(∀ xs, (f xs).length = 3 * xs.length) ∧ (∃ xs, (f xs).length = 3)",
        "constructor\n· intro xs\n  induction xs with\n  | nil => simp [h]\n"
        "  | cons x xs ih =>\n    simp [h1, ih]\n    omega\n"
        "· refine ⟨[a], ?_⟩\n  simp [h1, h]",
    ),
    "sets": (
        "(α : Type) (A B C : Set α) (h : A ⊆ A \\ B) (h1 : A ∩ C ⊆ B ∩ A) : "
        "∃ S : Set α, B ∪ (B ∩ C) ⊆ S ∧ S ⊆ B ∪ (A ∪ C) ∧ S ⊆ (B ∪ C) ∪ B",
        "refine ⟨B, ?_⟩\nconstructor\n· intro x h2\n  grind\nconstructor\n· intro x h2\n  left\n  exact h2\n"
        "· intro x h2\n  right\n  exact h2",
    ),
    "order": (
        "(α : Type) (R : α → α → Prop) (P : α → Prop) (h : ∀ x y z, R x y → R y z → R x z) (h1 : ∀ x, ∃ y, R y x) "
        "(h2 : ∀ x, ∃ y, R x y) (h3 : ∀ x y, R x y → P x → P y) : "
        "∀ a b c : α, (∃ y z, R y a ∧ R z y ∧ R z a) ∧ (P a → ∃ y, R a y ∧ P y)",
        "intro a b c\nconstructor\n· obtain ⟨y, h4⟩ := h1 a\n  obtain ⟨z, h5⟩ := h1 y\n  refine ⟨y, z, h4, h5, ?_⟩\n"
        "  exact h z y a h5 h4\n· intro h4\n  obtain ⟨y, h5⟩ := h2 a\n  exact ⟨y, h5, h3 a y h5 h4⟩",
    ),
    "rewriting": (
        "(α : Type) (f g k : α → α) (h : ∀ x, g (g (k x)) = g (k x)) (h1 : ∀ x, f (g (f (k x))) = g (f (k x))) "
        "(h2 : ∀ x, f (g (k x)) = k x) (h3 : Function.Surjective k) : "
        "(∀ P : α → Prop, (∀ x, P (f (g x))) → ∀ x, P (f (g (f (g x))))) ∧ (∀ x, f x = f (g (g (f x))))",
        "constructor\n· intro P h4 x\n  exact h4 (f (g x))\n· intro x\n  obtain ⟨y, h4⟩ := h3 (f x)\n"
        "  obtain ⟨z, h5⟩ := h3 x\n  subst h5\n  have h6 := h2 y\n  have h7 := h y\n  grind",
    ),
    "fields": (
        "(a b c : ℚ) (h : a < b) (h1 : b < c) : (∃ x, a + b < x ∧ x < 2 * c) ∧ (∃ x, a < x ∧ x < b)",
        "constructor\n· refine ⟨2 * b, ?_⟩\n  grind\n· refine ⟨(a + b) / 2, ?_⟩\n  grind",
    ),
    "computation": (
        ": (∀ x : ℤ, x ^ 2 + 7 * x + 10 = 0 → x = -5 ∨ x = -2) ∧ "
        "(∃ x : ℤ, x ^ 2 + 7 * x + 10 = 0 ∧ ∀ y : ℤ, y ^ 2 + 7 * y + 10 = 0 → y ≤ x)",
        "have h : ∀ x : ℤ, x ^ 2 + 7 * x + 10 = 0 → x = -5 ∨ x = -2 := by\n  intro x h\n"
        "  have h1 : (x + 5) * (x + 2) = 0 := by grind\n"
        "  rcases Int.mul_eq_zero.mp h1 with h2 | h2\n  · left\n    omega\n"
        "  · right\n    omega\nconstructor\n· exact h\n"
        "· refine ⟨-2, rfl, ?_⟩\n  intro y h1\n  have h2 := h y h1\n  omega",
    ),
    "functions": (
        "(α β γ δ : Type) (f : α → β) (g : β → γ) (k : γ → δ) (h : Function.Surjective (k ∘ g)) "
        "(h1 : Function.Injective k) : Function.Surjective g",
        "intro y\nobtain ⟨x, h2⟩ := h (k y)\nrefine ⟨x, ?_⟩\napply h1\nexact h2",
    ),
    "algebra": (
        "(a b c : ℝ) (h : a ≠ 0) : (a * (b - 5) * (b - 11) = 0 → b = 5 ∨ b = 11) ∧ (a ^ 2 = 6 * a → a = 6)",
        "constructor\n· intro h1\n  grind\n· intro h1\n  have h2 : a * a = a * 6 := by grind\n"
        "  exact mul_left_cancel₀ h h2",
    ),
    "residues": (
        "(f : ℕ → ℕ) (h : f 0 = 1) (h1 : f 1 = 6) (h2 : f 2 = 4) : (∃ n, n < 3 ∧ f n = 6) ∧ (∀ n, n < 3 → f n ≤ 6)",
        "constructor\n· refine ⟨1, ?_⟩\n  simp [h1]\n· intro n h3\n  have h4 : n = 0 ∨ n = 1 ∨ n = 2 := by omega\n"
        "  rcases h4 with rfl | rfl | rfl\n  · omega\n  · omega\n  · omega",
    ),
    "mixed": (
        ": (∀ (f : ℕ → ℤ) (h : f 0 = 2) (h1 : ∀ n, f (n + 1) = f n + 2), ∀ n, f n = 2 * n + 2) ∧ "
        "(∀ (α : Type) (A B C : Set α) (h : C ⊆ C ∩ B), ∃ S : Set α, (C ∪ A) ∩ A ⊆ S ∧ S ⊆ A ∪ C)",
        "constructor\n· intro f h h1 n\n  induction n with\n  | zero => simp [h]\n"
        "  | succ n ih =>\n    rw [h1, ih]\n    grind\n"
        "· intro α A B C h\n  refine ⟨A, ?_⟩\n  constructor\n  · intro x h1\n    exact h1.2\n"
        "  · intro x h1\n    left\n    exact h1",
    ),
}


def bodies(family: str, difficulty: int, count: int, seed: int = 0) -> list[str]:
    return [re.sub(r"^theorem \S+ ", "", t.statement) for t in theorems(seed, family, difficulty, count)]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_seed_gives_the_same_theorems_and_another_seed_others(family: str) -> None:
    first = bodies(family, 3, 20)
    assert first == bodies(family, 3, 20)
    assert first != bodies(family, 3, 20, seed=1)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_longer_list_of_theorems_begins_with_the_shorter_one(family: str) -> None:
    assert list(theorems(5, family, 2, 12))[:5] == list(theorems(5, family, 2, 5))


@pytest.mark.parametrize("family", FAMILIES)
def test_theorems_of_a_family_have_different_normal_forms_and_names_that_tell_the_family(family: str) -> None:
    made = [t for difficulty in range(1, HARDEST + 1) for t in theorems(2, family, difficulty, 40)]
    assert len({t.name for t in made}) == len(made) > 150
    assert all(t.name.startswith(f"gym_{family}_") for t in made)
    hard = [normal_form(t.statement) for t in made if t.name.startswith(f"gym_{family}_4")]
    assert len(set(hard)) == len(hard) == 40


@pytest.mark.parametrize("family", FAMILIES)
def test_statements_grow_with_difficulty(family: str) -> None:
    easy, middle, hard = (mean(len(body) for body in bodies(family, d, 40)) for d in (1, 3, 5))
    assert easy < middle < hard


def test_an_unknown_family_and_a_difficulty_out_of_range_are_named_with_the_mend() -> None:
    with pytest.raises(ValueError, match="no family 'geometry': choose among propositions"):
        next(theorems(0, "geometry", 3, 1))
    with pytest.raises(ValueError, match="difficulty 6: choose 1 to 5"):
        next(theorems(0, "lists", 6, 1))


@pytest.mark.parametrize("family", FAMILIES)
async def test_statements_of_every_difficulty_elaborate(engine: EmbeddedEngine, family: str) -> None:
    for difficulty in range(1, HARDEST + 1):
        for theorem in theorems(11, family, difficulty, 2):
            session = await engine.open(theorem)
            assert len(session.root.goals) == 1
            await session.close()


def test_every_family_has_a_proof_by_hand() -> None:
    assert list(PROOFS) == list(FAMILIES)


@pytest.mark.parametrize("family", PROOFS)
async def test_a_statement_of_the_family_has_a_proof_in_simple_steps(engine: EmbeddedEngine, family: str) -> None:
    body, proof = PROOFS[family]
    verdict = await engine.verify(Theorem("t", f"theorem t {body} := by sorry"), proof)
    assert verdict.proved, verdict.reason


# The normal form.

NAMES = ("a", "b", "x", "n", "h₁", "hf'", "foo", "ε")


def renamed(text: str, names: dict[str, str]) -> str:
    return re.sub(r"\$(\w)", lambda match: names[match[1]], text)


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from(NAMES), min_size=5, max_size=5, unique=True),
    st.sampled_from(
        [
            "($p $q : ℕ) ($r : $p < $q) : ∃ $s, $p + $s = $q",
            "($p : ℝ → ℝ) ($q : ∀ $r > 0, $p $r = ∑ $s ∈ Finset.range 3, $s * $p 2) : $p 1 = 2.5",
            "{$p : Type} [DecidableEq $p] ($q : Set $p) : {$r : $p | $r ∈ $q} = {$s | $s ∈ $q ∧ ∀ ($t : $p), $t = $t}",
            ": (fun $p : ℤ => $p + 1) = fun $q => 1 + $q",
            "($p : ∃! $q : ℕ, $q = 3) : $p.choose = 3 ∨ ¬ ∃ $r $s, $r * $s = Real.pi",
        ]
    ),
)
def test_the_normal_form_does_not_see_how_things_are_called(names: list[str], text: str) -> None:
    plain = renamed(text, dict(zip("pqrst", "pqrst", strict=True)))
    other = renamed(text, dict(zip("pqrst", names, strict=True)))
    assert normal_form(f"theorem one {plain} := by sorry") == normal_form(f"theorem two.three {other} := by\n  sorry")


@settings(max_examples=40)
@given(st.sampled_from(sorted(FAMILIES)), st.integers(1, HARDEST), st.integers(0, 10_000))
def test_the_normal_form_is_one_for_every_layout_and_keeps_to_itself(family: str, difficulty: int, seed: int) -> None:
    body = FAMILIES[family].generate(random.Random(seed), difficulty)
    form = normal_form(f"theorem t {body} := by sorry")
    assert normal_form(form) == form
    spread = body.replace(" ", "\n  ").replace("(", "( ")
    assert normal_form(f"/-- doc: sorry -/\nlemma u {spread} :=\n  sorry -- end") == form


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("(a b : ℕ) : a + b = b + a", "(a b : ℕ) : a + b = a + b"),
        ("(a : ℕ) : a < 10", "(a : ℕ) : a < 11"),
        ("(a : ℕ) : a < 10", "(a : ℤ) : a < 10"),
        ("(x : ℝ) : Real.sin x ≤ 1", "(x : ℝ) : Real.cos x ≤ 1"),
        (": ∃ x : ℕ, x = 3", ": ∃! x : ℕ, x = 3"),
        ("(h : 1 < 2) (h1 : 2 < 3) : True", "(h : 2 < 3) (h1 : 1 < 2) : True"),
    ],
)
def test_the_normal_form_keeps_what_makes_another_theorem(one: str, other: str) -> None:
    assert normal_form(f"theorem t {one} := by sorry") != normal_form(f"theorem t {other} := by sorry")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("(a : ℤ) : ∃ x, x + a = 3 * a", "(a b : ℤ) : ∃ x, x + b = 5 * b"),
        ("(n : ℕ) (h : 2 < n) : n ≠ 1", "(a : ℤ) (b : ℤ) (h : 7 < b) : b ≠ 11"),
    ],
)
def test_theorems_that_differ_by_numbers_names_and_types_of_variables_are_of_one_kind(one: str, other: str) -> None:
    assert kind(f"theorem t {one} := by sorry") == kind(f"theorem u {other} := by sorry")


def test_a_proposition_that_lean_printed_has_the_kind_of_the_theorem() -> None:
    assert kind("∀ (a b : Nat), a + b = b + a") == kind("theorem t (x y : ℤ) : x + y = y + x := by sorry")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("(a b : ℕ) : a + b = b + a", "(a b : ℕ) : a + b = a + b"),
        ("(h : 1 < 2) : 2 < 3", ": 2 < 3"),
        ("(f : ℕ → ℕ) : f 0 = 0", "(f : ℕ) : f = 0"),
    ],
)
def test_a_kind_keeps_hypotheses_and_structure(one: str, other: str) -> None:
    assert kind(f"theorem t {one} := by sorry") != kind(f"theorem t {other} := by sorry")
