"""Existence of numbers: witnesses that have to be guessed, small numbers or expressions in the variables."""

from __future__ import annotations

import random

from train.corpus.families.polynomials import Polynomial
from train.corpus.families.writing import Draft, linear, several

SOUGHT = ("x", "y", "z")


def generate(rng: random.Random, difficulty: int) -> str:
    """Numbers with given relations, in variables, or for all sizes."""
    kind = rng.choice((_numbers, _numbers, _expressions, _expressions, _expressions, _alternating))
    return kind(rng, difficulty)


def _numbers(rng: random.Random, difficulty: int) -> str:
    """∃ x y, 2 * x + y = 7 ∧ x * y = 6, made from the values of x and y."""
    count = rng.choice(((1, 2), (2,), (2, 3), (3,), (3,))[difficulty - 1])
    names, number = SOUGHT[:count], rng.choice("ℕℤ")
    values = dict(zip(names, (rng.randrange(0, 8) for _ in names), strict=True))
    constraints: dict[str, None] = {}
    while len(constraints) < max(count, (difficulty + 3) // 2):
        a, b = rng.choice(names), rng.choice(names)
        k, m = rng.randrange(1, 5), rng.randrange(1, 4)
        match rng.randrange(6):
            case 0 | 1 if a != b:
                constraints[f"{linear([(k, a), (m, b)])} = {k * values[a] + m * values[b]}"] = None
            case 2 if a != b:
                constraints[f"{a} * {b} = {values[a] * values[b]}"] = None
            case 3 if values[a] < values[b]:
                constraints[f"{a} < {b}"] = None
            case 4:
                constraints[f"{a} ^ 2 + {times_plus(k, a)} = {values[a] ** 2 + k * values[a]}"] = None
            case 5:
                constraints[f"{a} % {m + 1} = {values[a] % (m + 1)}"] = None
    return Draft().show(f"∃ {' '.join(names)} : {number}, {' ∧ '.join(constraints)}")


def times_plus(factor: int, name: str) -> str:
    """A multiple of a variable."""
    return linear([(factor, name)])


def _expressions(rng: random.Random, difficulty: int) -> str:
    """∃ x y, x + y = 2 * a + b + 1 ∧ a < x, made from expressions for x and y that automation does not guess."""
    variables = "abc"[: rng.choice((1, 2)) if difficulty < 4 else rng.choice((2, 3))]
    names = SOUGHT[: 1 if difficulty == 1 else 2 if difficulty < 5 else rng.choice((2, 3))]
    number = rng.choice("ℕℕℤ")
    values = {name: _witness(rng, variables) for name in names}
    known = {v: Polynomial.variable(v) for v in variables}
    constraints: dict[str, None] = {}
    for name in names:  # so that each is needed
        other = rng.choice(sorted(known))
        constraints[f"{name} + {other} = {values[name] + known[other]}"] = None
    while len(constraints) < len(names) + difficulty // 2:
        a, b = rng.choice(names), rng.choice([*names, *variables])
        left, right = values[a], values.get(b) or known[b]
        k = rng.randrange(2, 4)
        match rng.randrange(4):
            case 0:
                constraints[f"{a} * {b} = {left * right}"] = None
            case 1 if a != b:
                constraints[f"{k} * {a} + {b} = {left * Polynomial.number(k) + right}"] = None
            case 2 if number == "ℕ" and a != b and (left - right).is_natural():
                positive = (left - right).constant() > 0
                constraints[f"{b} {'<' if positive else '≤'} {a}"] = None
            case 3:
                constraints[f"{a} ^ 2 = {left * left}"] = None
    spare = len(constraints) > len(names)
    listed = list(constraints)[rng.randrange(1 + spare) :]  # the rest may say enough without the first sum
    rng.shuffle(listed)
    used = [name for name in names if any(name in text for text in listed)]
    draft = Draft(f"{' '.join(variables)} : {number}")
    return draft.show(f"∃ {' '.join(used)}, {' ∧ '.join(listed)}")


def _witness(rng: random.Random, variables: str) -> Polynomial:
    a, b = (Polynomial.variable(rng.choice(variables)) for _ in range(2))
    number = Polynomial.number
    return rng.choice((a, a + number(1), a + number(rng.randrange(1, 4)), a + b, a * b, a * number(2), a * a))


def _alternating(rng: random.Random, difficulty: int) -> str:
    """∀ a, ∃ x, ∀ b, … with a witness that depends on what is given before it."""
    k, m, c = rng.randrange(2, 6), rng.randrange(1, 6), rng.randrange(1, 8)
    parts = [
        f"∃ x, ∀ b, b ≤ a → {linear([(1, 'b')], m)} < x",
        f"∃ x, ∀ b, x < b → {linear([(k, 'a')], c)} < {k} * b",
        f"∃ x, a < x ∧ x % {k} = {m % k}",
        f"∃ x, ∀ b, a + b < x + b + {c}",
        f"∃ x, ∀ b, x * b = {linear([(k, 'b')])} ∧ {m} < x + {m}",
        f"∃ x, {k} * a < x ∧ x ≤ {linear([(k, 'a')], c)}",
        f"∃ x y, x + y = {linear([(2, 'a')], 2 * m + 1)} ∧ x < y",
        f"∃ x, ∀ b, b < {c + 1} → b * x = 0",
        f"∃ x, x * x ≤ a ∧ ∀ b, x * b ≤ {c} * b",
    ]
    chosen = rng.sample(parts, several(rng, difficulty))
    target = chosen[0] if len(chosen) == 1 else " ∧ ".join(f"({part})" for part in chosen)
    return Draft().show(f"∀ a : ℕ, {target}") if rng.random() < 0.5 else Draft("a : ℕ").show(target)
