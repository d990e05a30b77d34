"""Computations as olympiads ask for them: systems, functions given by a formula, roots, digits, unique solutions."""

from __future__ import annotations

import random

from train.corpus.families.polynomials import Polynomial
from train.corpus.families.writing import Draft, conjunction, linear, several, times


def generate(rng: random.Random, difficulty: int) -> str:
    """One or several of: a system, values of functions, roots, a bounded search, a unique solution."""
    kinds = (_system, _functions, _functions, _roots, _digits, _unique, _functional_equation)
    return rng.choice(kinds)(rng, difficulty)


def _system(rng: random.Random, difficulty: int) -> str:
    """A linear system, and a nonlinear consequence of its solution with a witness."""
    number = rng.choice("ℤℚℝ")
    x, y = rng.randrange(-9, 10), rng.randrange(-9, 10)
    while True:
        (a, b), (c, d) = ((rng.randrange(1, 8), rng.choice((-3, -2, -1, 1, 2, 3, 4))) for _ in range(2))
        if a * d != b * c:
            break
    draft = Draft(f"x y : {number}")
    draft.suppose(
        f"{linear([(a, 'x'), (b, 'y')])} = {a * x + b * y}", f"{linear([(c, 'x'), (d, 'y')])} = {c * x + d * y}"
    )
    k = rng.randrange(2, 5)
    targets = [
        f"x * y = {x * y}",
        f"x ^ 2 + {k} * y = {x * x + k * y}",
        f"∃ z, x * z = {x * k} ∧ y + z = {y + k}",
        f"∃ z, z * z = {linear([(1, 'x ^ 2')])} ∧ {abs(x)} ≤ z",
        f"∀ z, z = x * y → z + {k} = {x * y + k}",
        f"∃ z w, z + w = {x + y} ∧ z * w = {x * y}",
        f"x ^ 3 = {x**3}",
    ]
    return draft.show(conjunction(rng.sample(targets, several(rng, difficulty))))


def _functions(rng: random.Random, difficulty: int) -> str:
    """f x = 3 * x + 2: values, preimages, fixed points, injectivity."""
    number = rng.choice("ℤℚℝ")
    a, b, c, d = rng.randrange(2, 6), rng.randrange(1, 8), rng.randrange(2, 6), rng.randrange(-5, 8)
    draft = Draft(f"f g : {number} → {number}")
    draft.suppose(f"∀ x, f x = {linear([(a, 'x')], b)}", f"∀ x, g x = {linear([(c, 'x')], d)}")
    v, w = rng.randrange(0, 8), rng.randrange(0, 6)
    targets = [
        f"∃ x, f x = {a * v + b}",
        f"∃ x, f (g x) = {a * (c * v + d) + b}",
        f"∃ x y, f x + g y = {a * v + b + c * w + d} ∧ x + y = {v + w}",
        "∀ x y, f x = f y → x = y",
        f"∀ x, f (g x) - g (f x) = {a * d + b - c * b - d}",
        f"∃ x, f x * g x = {(a * v + b) * (c * v + d)}",
        "∀ x y, g (f x) = g (f y) → x = y",
        "∀ x y, x < y → f (g x) < f (g y)",
        f"f (f {v}) = {a * (a * v + b) + b}",
        "∃ k, ∀ x, f (x + 1) = f x + k",
        f"∃ k, ∀ x, g (f x) = {a * c} * x + k",
        f"∃ x, ∀ y, g y = {c * v + d} → y = x",
        f"g (f {v}) * f (g {w}) = {(c * (a * v + b) + d) * (a * (c * w + d) + b)}",
    ]
    return draft.show(conjunction(rng.sample(targets, several(rng, difficulty))))


def _roots(rng: random.Random, difficulty: int) -> str:
    """The roots of a quadratic or cubic polynomial with whole roots."""
    number = rng.choice("ℤℤℚℝ")
    roots = [rng.randrange(-6, 9) for _ in range(2 if difficulty < 4 else rng.choice((2, 3)))]
    x, form = Polynomial.variable("x"), Polynomial.number(1)
    for root in roots:
        form = form * (x - Polynomial.number(root))
    form = form * Polynomial.number(rng.choice((1, 1, 2, 3)))
    cases = " ∨ ".join(f"x = {root}" for root in dict.fromkeys(roots))
    bound = max(roots)
    value = rng.choice((bound, rng.choice(roots)))
    targets = [
        f"∀ x : {number}, {form} = 0 → {cases}",
        f"∀ x : {number}, {form} = 0 ↔ {cases}",
        f"∃ x : {number}, {form} = 0 ∧ {min(roots)} ≤ x ∧ x ≤ {value}",
        f"∀ x : {number}, {form} = 0 → x ≤ {bound}",
        f"∃ x : {number}, {form} = 0 ∧ ∀ y : {number}, {str(form).replace('x', 'y')} = 0 → y ≤ x",
    ]
    return Draft().show(conjunction(rng.sample(targets, several(rng, difficulty))))


def _digits(rng: random.Random, difficulty: int) -> str:
    """Natural numbers below a bound with a given property: all of them listed."""
    bound = rng.randrange(4, 6 + 2 * difficulty)
    k, m = rng.randrange(1, 6), rng.randrange(3, 12)
    value = rng.randrange(bound)
    power = rng.choice((2, 2, 3))
    residue = (value**power + k * value) % m
    found = [n for n in range(bound) if (n**power + k * n) % m == residue]
    cases = " ∨ ".join(f"n = {n}" for n in found)
    condition = f"({linear([(1, f'n ^ {power}'), (k, 'n')])}) % {m} = {residue}"
    draft = Draft()
    targets = [
        f"∀ n : ℕ, n < {bound} → {condition} → {cases}",
        f"∃ n : ℕ, {condition} ∧ n < {bound} ∧ n % 2 = {value % 2}",
        f"∃ n : ℕ, {condition} ∧ {bound * m} < n"
        if k and m < 5
        else f"∃ n : ℕ, {linear([(m, 'n')], k)} = {m * value + k}",
        f"∃ a b : ℕ, {linear([(10, 'a'), (1, 'b')])} = {10 * (value % 9 + 1) + k} ∧ a < 10 ∧ b < 10",
        f"∀ a b : ℕ, a < 10 → b < 10 → 10 * a + b = {10 * (value % 9 + 1) + k} → a + b = {value % 9 + 1 + k}",
        f"∀ a b : ℕ, a < {3 + k % 3} → a * b = {m * (1 + k % 3)} → a ≤ {2 + k % 3} ∧ b ∣ {m * (1 + k % 3)}",
    ]
    return draft.show(conjunction(rng.sample(targets, several(rng, difficulty))))


def _unique(rng: random.Random, difficulty: int) -> str:
    """There is exactly one solution."""
    number = rng.choice("ℤℚℝ")
    a, b, v = rng.randrange(2, 9), rng.randrange(-9, 10), rng.randrange(-6, 9)
    c, w = rng.randrange(1, 6), rng.randrange(0, 6)
    targets = [
        f"∃! x : {number}, {linear([(a, 'x')], b)} = {a * v + b}",
        f"∃ x : {number}, {linear([(a, 'x')], b)} = {a * v + b} ∧ ∀ y, {linear([(a, 'y')], b)} = {a * v + b} → y = x",
        f"∀ x : {number}, ∃ y, y + {a} * x = {b} ∧ ∀ z, z + {a} * x = {b} → z = y",
        f"∃! x : {number}, {times(c, 'x')} + {w} = {times(c + 1, 'x')} - {a}",
        f"∃ x y : {number}, {linear([(1, 'x'), (1, 'y')])} = {v + w} ∧ {linear([(a, 'x'), (-1, 'y')])} = {a * v - w}",
        f"∀ x y : {number}, {linear([(1, 'x'), (c, 'y')])} = {v + c * w} → y = {w} → x = {v} ∧ ∃ z, z + x = y",
    ]
    return Draft().show(conjunction(rng.sample(targets, several(rng, difficulty))))


def _functional_equation(rng: random.Random, difficulty: int) -> str:
    """f (x + y) = f x + f y and its relatives: values at special points."""
    number = rng.choice("ℤℚℝ")
    k, v = rng.randrange(2, 7), rng.randrange(1, 9)
    draft = Draft(f"f : {number} → {number}")
    if rng.random() < 0.6:
        draft.suppose("∀ x y, f (x + y) = f x + f y", f"f 1 = {v}")
        targets = [
            "f 0 = 0",
            f"f {k} = {k * v}",
            "∀ x, f (-x) = -f x",
            "∀ x y, f (x - y) = f x - f y",
            f"∃ x, f x = {2 * v}",
            f"∀ x, ∃ y, f y = 2 * f x + {v}",
            f"f (-1) = {-v}",
            "∀ x y, f x = f y → f (x - y) = 0",
            f"∃ x, f x + f {k} = f {k + 1}",
        ]
    else:
        draft.suppose(f"∀ x y, f (x + y) = f x + {times(k, 'y')}", f"f 0 = {v}")
        targets = [
            f"∀ x, f x = {linear([(k, 'x')], v)}",
            f"f {k} = {k * k + v}",
            f"∃ x, f x = {k * v + v}",
            "∀ x y, f x = f y → x = y",
            f"∃ x, f x = {v - k}",
            f"∀ x, f (x + 1) - f x = {k}",
            f"∀ x, ∃ y, f y = f x + {2 * k}",
        ]
    return draft.show(conjunction(rng.sample(targets, several(rng, difficulty))))
