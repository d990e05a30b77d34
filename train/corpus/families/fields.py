"""Ordered fields: positive expressions, sums of squares, and bounds of products, over ℚ and ℝ."""

from __future__ import annotations

import random

from train.corpus.families.polynomials import Polynomial
from train.corpus.families.writing import Draft, conjunction, linear, several, times

VARIABLES = ("a", "b", "c")


def generate(rng: random.Random, difficulty: int) -> str:
    """One to three inequalities, or numbers that lie between others."""
    kinds = (_positive, _squares, _squares, _products, _between)
    return rng.choice(kinds)(rng, difficulty)


def _positive(rng: random.Random, difficulty: int) -> str:
    """An expression of positive and nonnegative variables is positive."""
    names = VARIABLES[: 2 if difficulty < 3 else 3]
    draft = Draft(f"{' '.join(names)} : {rng.choice('ℚℝ')}").suppose(*(f"0 < {name}" for name in names))
    targets = {f"0 < {_sum_of_products(rng, names, 1 + difficulty // 2)}": None}
    count = several(rng, difficulty)
    while len(targets) < count:
        term = _sum_of_products(rng, names, 1 + difficulty // 2)
        a, b = rng.sample(names, 2)
        forms = [
            f"0 < {term}",
            f"0 < {a} / {b}",
            f"∃ x, 0 < x ∧ x * {a} = {b}",
            f"0 < ({term}) / {a}",
            f"{a} < {a} + {a} * {b}",
        ]
        targets[rng.choice(forms)] = None
    return draft.show(conjunction(targets))


def _sum_of_products(rng: random.Random, names: tuple[str, ...], size: int) -> str:
    terms = []
    left = size
    while left > 0:
        length = min(left, rng.choice((1, 2, 2, 3)))
        left -= length
        product = " * ".join(sorted(rng.choice((*names, f"{rng.choice(names)} ^ 2")) for _ in range(max(2, length))))
        terms.append((rng.randrange(1, 6), product))
    return linear(terms, rng.choice((0, 0, 1, 2)))


def _squares(rng: random.Random, difficulty: int) -> str:
    """A sum of squares of differences, multiplied out and put on both sides of ≤."""
    names = VARIABLES[: 2 if difficulty < 4 else 3]
    targets: dict[str, None] = {}
    while len(targets) < (1 if difficulty < 4 else 2):
        total = Polynomial.number(0)
        for _ in range(1 + difficulty // 4):
            a, b = rng.sample([*names, ""], 2)
            k, m = (1, 1) if rng.random() < 0.6 else (rng.randrange(1, 4), rng.randrange(1, 4))
            p, q = (Polynomial.variable(v) if v else Polynomial.number(1) for v in (a, b))
            difference = p * Polynomial.number(k) - q * Polynomial.number(m)
            total = total + difference * difference * Polynomial.number(rng.randrange(1, 4))
        total = total + Polynomial.number(rng.choice((0, 0, 0, 1, 2)))
        right = Polynomial(tuple(term for term in total.terms if term[1] > 0))
        left = right - total
        if left.terms:
            targets[f"{left} ≤ {right}"] = None
    draft = Draft(f"{' '.join(names)} : {rng.choice('ℚℝ')}")
    if difficulty > 2 and rng.random() < 0.5:
        factor = rng.choice(names)
        text = next(iter(targets)).split(" ≤ ")
        targets[f"{factor} * ({text[0]}) ≤ {factor} * ({text[1]})"] = None
        return draft.suppose(f"0 < {factor}").show(conjunction(targets))
    return draft.show(conjunction(targets))


def _products(rng: random.Random, difficulty: int) -> str:
    """Bounds of factors give bounds of products."""
    k, m = rng.randrange(1, 6), rng.randrange(1, 6)
    draft = Draft(f"a b c : {rng.choice('ℚℝ')}")
    if rng.random() < 0.5:
        draft.suppose(f"{k} < a", f"{m} < b", "0 < c")
        targets = [
            f"{k * m} < a * b",
            f"{linear([(k, 'b'), (m, 'a')])} < a * b + {k * m}",
            f"{times(k, 'c')} < a * c",
            f"{k * k} < a ^ 2",
            f"{k * m} * c < a * b * c",
            f"{k**3} < a ^ 3",
            f"∃ x, {k} < x ∧ x < a",
            f"1 / a < 1 / {k}",
            f"0 < (a - {k}) * (b - {m}) * c",
        ]
    else:
        draft.suppose("0 ≤ a", f"a ≤ {k}", "0 ≤ b", f"b ≤ {m}", "0 < c")
        targets = [
            f"a * b ≤ {k * m}",
            f"a ^ 2 ≤ {times(k, 'a')}",
            f"a * b * c ≤ {k * m} * c",
            f"a * b ≤ {times(m, 'a')}",
            f"0 ≤ ({k} - a) * ({m} - b)",
            f"a ^ 2 ≤ {k * k}",
            f"{linear([(m, 'a'), (k, 'b')])} ≤ a * b + {k * m}",
            f"∃ x, a * b ≤ x ∧ x ≤ {times(k, 'b')}",
            f"a ^ 2 * b ≤ {k * k * m}",
        ]
    return draft.show(conjunction(rng.sample(targets, several(rng, difficulty))))


def _between(rng: random.Random, difficulty: int) -> str:
    """Numbers between others, and above all of some."""
    k, m = rng.randrange(2, 8), rng.randrange(1, 8)
    draft = Draft(f"a b c : {rng.choice('ℚℝ')}").suppose("a < b", "b < c")
    targets = [
        "∃ x, a < x ∧ x < c",
        "∃ x, a < x ∧ x < b",
        "∃ x, a + b < x ∧ x < 2 * c",
        f"∃ x, {k} * a < x ∧ x < {k} * c ∧ x = {k} * b",
        f"∃ x, a < x ∧ b < x ∧ c + {m} < x",
        f"∃ x, 0 < x ∧ a + x < b + {m}",
        "∃ x y, a < x ∧ y < c ∧ x = y",
        f"∀ x, ∃ y, x < y ∧ {k} * a < y",
        "∃ x, 0 < x ∧ a + x = c",
        "∃ x y, 0 < x ∧ 0 < y ∧ a + x + y = c",
        f"∃ x, x * (b - a) = {m} ∧ 0 < x",
        f"0 < (b - a) * (c - b) ∧ 0 < (c - a) * {m}",
        f"∃ x, {k} * x = a + {m}",
        f"∃ x, {linear([(k, 'x')], m)} = b",
    ]
    return draft.show(conjunction(rng.sample(targets, several(rng, difficulty))))
