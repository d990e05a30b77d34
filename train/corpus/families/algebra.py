"""Identities and equations over ℤ, ℚ and ℝ: factors that vanish, cancellation, expressions that have to exist."""

from __future__ import annotations

import random

from train.corpus.families.polynomials import Polynomial
from train.corpus.families.writing import Draft, conjunction, linear, several, times

A, B, C = (Polynomial.variable(name) for name in "abc")
number = Polynomial.number

HARD = 3  # the difficulty from which on no claim of a statement may be one that a field solver shows alone


def generate(rng: random.Random, difficulty: int) -> str:
    """Claims of one kind, more of them and of higher degree as the difficulty grows."""
    return rng.choice((_factor, _cancel, _vanish, _symmetric))(rng, difficulty)


def _factor(rng: random.Random, difficulty: int) -> str:
    """∃ x, a polynomial is a product with x."""
    parts: dict[str, None] = {}
    count = several(rng, difficulty)
    while len(parts) < count:
        k, m = rng.randrange(1, 6), rng.randrange(-4, 6)
        divisor = rng.choice((A + B * number(k), A + number(m or 1), A * number(k) - B, B + C, A - C * number(k)))
        quotient = rng.choice((A, B, C, A + B, A - B, A + number(1), B + number(1), A * B, A * C, number(k)))
        rest = rng.choice((number(0), number(k), C))
        form = divisor * quotient + rest
        tail = f" + {rest}" if rest.terms else ""
        parts[f"∃ x, {form} = ({divisor}) * x{tail}"] = None
        if difficulty > 1 and rng.random() < 0.4:
            parts[f"∃ x y, x + y = {quotient + divisor} ∧ x * y = {divisor * quotient}"] = None
    listed = list(parts)[:count]
    return Draft(f"a b c : {rng.choice('ℤℚℝ')}").show(conjunction(listed))


def _cancel(rng: random.Random, difficulty: int) -> str:
    """Equal products with a factor that is not 0."""
    k, m, n = rng.randrange(2, 8), rng.randrange(1, 8), rng.randrange(0, 6)
    draft = Draft(f"a b c : {rng.choice('ℤℚℝ')}").suppose("a ≠ 0")
    targets = [
        "a * b = a * c → b = c",
        f"{k} * a * b = {k} * a * c → b = c",
        f"a * b = {times(m, 'a')} → b = {m}",
        "a * b = 0 → b * c = 0",
        f"a ^ 2 * b = a ^ 2 * {m} → b = {m}",
        f"a * b + {n} = a * c + {n} → b + {m} = c + {m}",
        f"a * (b - {m}) = 0 → b ^ 2 = {m * m}",
        f"a * (b - {m}) * (b - {m + k}) = 0 → b = {m} ∨ b = {m + k}",
        f"a * b = a * c → ∃ x, x = b ∧ x + {k} = c + {k}",
        "∀ x y, a * x = b → a * y = b → x = y",
        f"∀ x, a * x = {times(k, 'a')} * b → x + {m} = {k} * b + {m}",
        f"a ^ 2 = {times(k, 'a')} → a = {k}",
        f"a ^ 2 = a * b → b = 0 → c = {m}",
        "a * b ≠ 0 → b ≠ 0 ∧ ∃ x, x * b ≠ 0",
    ]
    chosen = rng.sample(targets, several(rng, difficulty))
    return draft.show(conjunction([*chosen, *_multiple(rng, A, B, difficulty)]))


def _vanish(rng: random.Random, difficulty: int) -> str:
    """A product is 0, so one of its factors is."""
    k, m, n = rng.randrange(-6, 7), rng.randrange(-6, 7), rng.randrange(1, 5)
    x, y = Polynomial.variable("x"), Polynomial.variable("y")
    quadratic = (x - number(k)) * (x - number(m))
    mixed = (x - number(k)) * (y - number(m))
    square = (x - number(k)) * (x - number(k)) + (y - number(m)) * (y - number(m)) * number(n)
    targets = [
        f"{quadratic} = 0 → x = {k} ∨ x = {m}" if k != m else f"{quadratic} = 0 → x = {k}",
        f"{mixed} = 0 → x = {k} ∨ y = {m}",
        f"{square} = 0 → x = {k} ∧ y = {m}",
        f"({linear([(1, 'x')], -k)}) * ({linear([(1, 'y')], -m)}) = 0 → x ≠ {k} → y = {m}",
        "x ^ 2 = y ^ 2 → x = y ∨ x = -y",
        f"x ^ 2 = {n * n} → x = {n} ∨ x = {-n}",
        f"x * y = 0 → x ^ 2 + y ^ 2 = {n} → x = 0 ∨ y = 0",
        f"x ^ 3 = {times(n * n, 'x')} → x = 0 ∨ x = {n} ∨ x = {-n}",
        f"x ^ 2 + {times(n, 'y ^ 2')} = 0 → x = 0 ∧ y = 0",
        f"x + y = {k + m} → x * y = {k * m} → x = {k} ∨ x = {m}",
    ]
    kind = rng.choice("ℤℤℚℝ")
    chosen = rng.sample(targets, several(rng, difficulty))
    return Draft(f"x y : {kind}").show(conjunction([*chosen, *_multiple(rng, x, y, difficulty)]))


def _multiple(rng: random.Random, a: Polynomial, b: Polynomial, difficulty: int) -> list[str]:
    """From difficulty 3 on, a claim besides those that `grind` may show: that a polynomial is a multiple of another."""
    if difficulty < HARD:
        return []
    divisor = a + b * number(rng.randrange(1, 5))
    quotient = rng.choice((a, b, a + b, a - b, a * b, a + number(1)))
    return [f"∃ z, {divisor * quotient} = ({divisor}) * z"]


def _symmetric(rng: random.Random, difficulty: int) -> str:
    """From the sum and product of two numbers to other expressions, as existence of coefficients."""
    first, second = rng.randrange(-4, 7), rng.randrange(-4, 7)
    s, p = first + second, first * second
    k = rng.randrange(2, 7)
    draft = Draft(f"a b : {rng.choice('ℤℚℝ')}").suppose(f"a + b = {s}", f"a * b = {p}")
    targets = [
        f"∃ x, a ^ 2 + b ^ 2 + x = {s * s}",
        f"∃ x, a ^ 3 + b ^ 3 = x ∧ x + {k} = {s**3 - 3 * s * p + k}",
        f"∃ x y, x * a + y = a ^ 2 ∧ x + y = {s - p}",
        f"∃ x, a ^ 2 * b + a * b ^ 2 = {k} + x",
        f"∃ x y, x + y = {s} ∧ x * y = {p} ∧ x = {linear([(-1, 'a')], s)}",
        f"a = {k} → b = {s - k} ∧ {k} * b = {p}",
        f"∀ x, x ^ 2 + {p} = {times(s, 'x') if s >= 0 else f'({s}) * x'} → x = a ∨ x = b",
        f"∃ x, ∀ c, (c - a) * (c - b) = c ^ 2 - {times(s, 'c') if s >= 0 else f'({s}) * c'} + x",
        "∃ x, ∀ c, c * a + c * b = c * x",
    ]
    return draft.show(conjunction(rng.sample(targets, several(rng, difficulty))))
