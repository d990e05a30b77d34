"""Powers and sums for every n: inequalities, remainders and closed forms by induction, without a function given."""

from __future__ import annotations

import random

from train.corpus.families.polynomials import Polynomial
from train.corpus.families.writing import Draft, conjunction, linear, times

N, ONE = Polynomial.variable("n"), Polynomial.number(1)


def generate(rng: random.Random, difficulty: int) -> str:
    """One claim, or several of different kinds."""
    kinds = [_exponential, _power_remainder, _sum, _sum_bound, _power_divides]
    chosen = rng.sample(kinds, 1 if difficulty < 3 else 1 + rng.randrange(2) if difficulty < 5 else 2)
    parts = [kind(rng, difficulty) for kind in chosen]
    return (
        Draft("n : ℕ").show(conjunction(parts))
        if rng.random() < 0.6
        else Draft().show(f"∀ n : ℕ, {conjunction(parts)}")
    )


def _exponential(rng: random.Random, difficulty: int) -> str:
    """a * n + b ≤ c * k ^ n, which a step keeps since a ≤ b ≤ c."""
    a = rng.randrange(1, 5)
    b = a + rng.randrange(0, 5)
    c = b + rng.randrange(0, 4)
    k = rng.randrange(2, 6)
    left, right = linear([(a, "n")], b), times(c, f"{k} ^ n")
    forms = [f"{left} ≤ {right}", f"{linear([(a, 'n')], b - 1)} < {right}", f"∃ m, {left} + m = {right}"]
    if difficulty > 2:
        forms.append(f"∃ m, {left} ≤ {times(c, f'{k} ^ m')} ∧ m ≤ n + {a}")
    return rng.choice(forms)


def _power_remainder(rng: random.Random, difficulty: int) -> str:
    """The remainder of a power, of base 1 modulo m, with what is added."""
    modulus = rng.randrange(2, 10)
    base, constant = 1 + modulus * rng.randrange(1, 4), rng.randrange(0, 12)
    scale = rng.randrange(1, 4) if difficulty > 1 else 1
    term = linear([(scale, f"{base} ^ n")], constant)
    value = (scale + constant) % modulus
    forms = [
        f"({term}) % {modulus} = {value}",
        f"∃ k, {term} = {linear([(modulus, 'k')], value)}",
        f"{modulus} ∣ {linear([(scale, f'{base} ^ n')], (-scale) % modulus + modulus * rng.randrange(0, 3))}",
    ]
    return rng.choice(forms[::2] if difficulty < 3 else forms)


def _power_divides(rng: random.Random, difficulty: int) -> str:
    """a ^ n and b ^ n leave the same remainder modulo a - b."""
    b, modulus = rng.randrange(2, 8), rng.randrange(2, 8)
    a = b + modulus * rng.randrange(1, 3)
    forms = [f"{a} ^ n % {modulus} = {b} ^ n % {modulus}", f"∃ k, {a} ^ n = {b} ^ n + {modulus} * k"]
    return rng.choice(forms[:1] if difficulty < 4 else forms)


def _sum(rng: random.Random, difficulty: int) -> str:
    """A closed form of a sum of a polynomial, or of powers."""
    if rng.random() < 0.3:
        base, scale = rng.randrange(2, 7), rng.randrange(1, 4)
        total = f"(∑ i ∈ Finset.range n, {times(scale, f'{base} ^ i')})"
        if base > 2:
            total = f"{base - 1} * {total}"
        return f"{total} + {scale} = {times(scale, f'{base} ^ n')}"
    a, b = rng.randrange(1, 7), rng.randrange(0, 9)
    square = Polynomial.number(a) * (N * N - N)  # twice the sum of a * i for i < n
    twice = square + Polynomial.number(2 * b) * N
    if difficulty < 3 and a % 2 == 0 and twice.is_natural():
        half = Polynomial(tuple((monomial, factor // 2) for monomial, factor in twice.terms))
        return f"∑ i ∈ Finset.range n, ({linear([(a, 'i')], b)}) = {half}"
    negative = Polynomial(tuple(term for term in twice.terms if term[1] < 0))
    left, right = f"2 * ∑ i ∈ Finset.range n, ({linear([(a, 'i')], b)})", twice - negative
    if negative.terms:
        return f"{left} + {negative * Polynomial.number(-1)} = {right}"
    return f"{left} = {right}"


def _sum_bound(rng: random.Random, difficulty: int) -> str:
    """A bound of a sum whose terms are bounded."""
    a, b = rng.randrange(1, 5), rng.randrange(1, 6)
    term, least = rng.choice(
        (
            (f"({linear([(a, 'i')], b)})", b),
            (f"({linear([(a, 'i ^ 2')], b)})", b),
            (f"({b} + {times(a, f'{b + 1} ^ i')})", a + b),
        )
    )
    forms = [
        f"{times(least, 'n')} ≤ ∑ i ∈ Finset.range n, {term}",
        f"∑ i ∈ Finset.range n, {term} ≤ ∑ i ∈ Finset.range (n + 1), {term}",
        f"{times(least, 'n')} < ∑ i ∈ Finset.range (n + 1), {term}",
    ]
    return rng.choice(forms)
