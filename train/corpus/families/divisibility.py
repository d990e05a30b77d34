"""Divisibility and parity: ∣, remainders, even and odd as existence of a half."""

from __future__ import annotations

import random

from train.corpus.families.polynomials import Polynomial
from train.corpus.families.writing import Draft, conjunction, linear, several, times

VARIABLES = ("a", "b", "c", "d")
WITH_REMAINDER = 0.5  # of the numbers given as multiples plus a remainder


def generate(rng: random.Random, difficulty: int) -> str:
    """One to three claims about numbers that are given by what divides them."""
    kinds = (_product, _combination, _chain, _remainders, _parity)
    kind = rng.choice(kinds)
    return kind(rng, difficulty)


def _product(rng: random.Random, difficulty: int) -> str:
    """2 ∣ a and 3 ∣ b give 6 ∣ a * b."""
    count = min(2 + difficulty // 3, 4)
    names, number = VARIABLES[:count], rng.choice("ℕℤ")
    divisors = [rng.choice((2, 3, 4, 5, 6, 7, 9, 10)) for _ in names]
    draft = Draft(f"{' '.join(names)} : {number}")
    draft.suppose(*(f"{divisor} ∣ {name}" for divisor, name in zip(divisors, names, strict=True)))
    targets = []
    for _ in range(several(rng, difficulty)):
        chosen = sorted(rng.sample(range(count), 2 if difficulty < 4 else rng.choice((2, 3)) if count > 2 else 2))
        total = 1
        for place in chosen:
            total *= divisors[place]
        term = " * ".join(names[place] for place in chosen)
        other = rng.choice(names)
        targets.append(
            rng.choice(
                (
                    f"{total} ∣ {term}",
                    f"∃ k, {term} = {total} * k",
                    f"{total} ∣ {term} * {other}",
                    f"{total} ∣ {other} * ({term})",
                )
            )
        )
    return draft.show(conjunction(dict.fromkeys(targets)))


def _combination(rng: random.Random, difficulty: int) -> str:
    """What divides a and b divides their combinations."""
    count = min(1 + difficulty, 3)
    names, number = VARIABLES[:count], rng.choice("ℕℤ")
    divisor = "n" if rng.random() < 0.6 else str(rng.randrange(2, 12))
    draft = Draft(f"{'n m ' if divisor == 'n' else 'm '}{' '.join(names)} : {number}")
    exists = rng.random() < 0.4
    for name in names:
        draft.suppose(f"∃ k, {name} = {divisor} * k" if exists else f"{divisor} ∣ {name}")
    terms = [(rng.randrange(1, 5), rng.choice((name, name, f"{name} * m", f"{name} ^ 2"))) for name in names]
    if number == "ℤ" and count > 1 and rng.random() < 0.5:
        terms[-1] = (-terms[-1][0], terms[-1][1])
    extra = rng.randrange(0, 4) if difficulty > 1 else 0
    total = linear([*terms, (extra, divisor)]) if divisor == "n" else linear(terms, extra * int(divisor))
    return draft.show(f"∃ k, {total} = {divisor} * k" if rng.random() < 0.5 else f"{divisor} ∣ {total}")


def _chain(rng: random.Random, difficulty: int) -> str:
    """a ∣ b, b ∣ c, … with factors in between."""
    count = min(2 + difficulty // 2, 4)
    names, number = VARIABLES[:count], rng.choice("ℕℤ")
    factors = [rng.choice((1, 1, 2, 3, 5)) for _ in names]
    draft = Draft(f"{' '.join(names)} x : {number}")
    total = 1
    for left, right, factor in zip(names, names[1:], factors, strict=False):
        total *= factor
        draft.suppose(f"{times(factor, left)} ∣ {right}")
    first, last = times(total, names[0]), names[-1]
    targets = [
        f"{first} ∣ {last}",
        f"∃ k, {last} = {first} * k",
        f"{first} ∣ {last} * x",
        f"{first} ∣ x * {last} + {last}",
        f"{first} * x ∣ {last} * x",
        f"{names[0]} ∣ {linear([(rng.randrange(2, 9), last), (1, names[-2])])}",
        f"{names[0]} ^ 2 ∣ {last} * {names[-2]}" if count > 2 else f"{names[0]} ^ 2 ∣ {last} ^ 2",
    ]
    return draft.show(conjunction(rng.sample(targets, several(rng, difficulty))))


def _remainders(rng: random.Random, difficulty: int) -> str:
    """Remainders of sums and products from those of the parts."""
    modulus = rng.randrange(3, 12)
    names = VARIABLES[: 2 + difficulty // 4]
    values = {name: rng.randrange(0, modulus) for name in names}
    number = rng.choice("ℕℤ")
    draft = Draft(f"{' '.join(names)} : {number}")
    draft.suppose(*(f"{name} % {modulus} = {value}" for name, value in values.items()))
    targets: dict[str, None] = {}
    count = several(rng, difficulty)
    while len(targets) < count:
        a, b, k = rng.choice(names), rng.choice(names), rng.randrange(1, 6)
        forms = [
            (f"{a} * {b} + {k}", values[a] * values[b] + k),
            (f"{a} * {b}", values[a] * values[b]),
            (f"{a} ^ 2", values[a] ** 2),
            (f"{a} ^ 3", values[a] ** 3),
        ]
        if difficulty < 3:
            forms.append((linear([(k + 1, a), (2, b)]), (k + 1) * values[a] + 2 * values[b]))
        text, value = rng.choice(forms)
        exists = f"∃ k, {text} = {linear([(modulus, 'k')], value % modulus)}"
        targets[rng.choice((exists, *2 * [f"({text}) % {modulus} = {value % modulus}"]))] = None
    return draft.show(conjunction(targets))


def _parity(rng: random.Random, difficulty: int) -> str:
    """a = 2 * x + 1 and b = 2 * y for some x and y, and so their products and sums."""
    modulus = rng.choice((2, 2, 3, 4, 5, 6, 8))
    names = VARIABLES[: min(1 + (difficulty + 1) // 2, 3)]
    number = rng.choice("ℕℤ")
    values = {name: rng.randrange(0, modulus) if rng.random() < WITH_REMAINDER else 0 for name in names}
    draft = Draft(f"{' '.join(names)} : {number}")
    draft.suppose(*(f"∃ k, {name} = {linear([(modulus, 'k')], value)}" for name, value in values.items()))
    targets: dict[str, None] = {}
    count = several(rng, difficulty)
    while len(targets) < count:
        a, b, k = rng.choice(names), rng.choice(names), rng.randrange(1, 4)
        factor, summand = Polynomial.variable(a), Polynomial.number(k)
        forms = [
            (f"{a} * {b}", values[a] * values[b]),
            (f"{a} + {b}", values[a] + values[b]),
            (f"{k} * {a} + {b}", k * values[a] + values[b]),
            (str(factor * factor + summand), values[a] ** 2 + k),
        ]
        text, value = rng.choice(forms)
        targets[f"∃ k, {text} = {linear([(modulus, 'k')], value % modulus)}"] = None
    return draft.show(conjunction(targets))
