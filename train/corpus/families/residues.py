"""Finite case analysis: residues of polynomials, numbers below a bound, Booleans and their functions."""

from __future__ import annotations

import random

from train.corpus.families.polynomials import Polynomial
from train.corpus.families.writing import Draft, conjunction, linear, several

N = Polynomial.variable("n")


def generate(rng: random.Random, difficulty: int) -> str:
    """Claims that hold in each of finitely many cases."""
    return rng.choice((_residues, _residues, _products, _bounded, _booleans))(rng, difficulty)


def _residues(rng: random.Random, difficulty: int) -> str:
    """Which remainders a polynomial has."""
    parts: dict[str, None] = {}
    number = several(rng, difficulty)
    while len(parts) < number:
        modulus = rng.randrange(2, 6 + difficulty)
        k, c = rng.randrange(0, 4), rng.randrange(0, 6)
        power = rng.choice((2, 2, 3, 4))
        text = linear([(1, f"n ^ {power}"), (k, "n")], c)
        inside = f"({text})" if k or c else text
        values = sorted({(n**power + k * n + c) % modulus for n in range(modulus)})
        missing = [r for r in range(modulus) if r not in values]
        forms = [f"{inside} % {modulus} ≠ {r}" for r in missing]
        if len(values) <= 3:
            forms.append(" ∨ ".join(f"{inside} % {modulus} = {value}" for value in values))
            if len(values) > 1:
                forms.append(" ∨ ".join(f"∃ k, {text} = {linear([(modulus, 'k')], value)}" for value in values))
        base = rng.randrange(modulus)
        image = (base**power + k * base + c) % modulus
        forms.append(f"n % {modulus} = {base} → {inside} % {modulus} = {image}")
        same = [r for r in range(modulus) if (r**power + k * r + c) % modulus == image]
        if len(same) <= 3:
            forms.append(f"{inside} % {modulus} = {image} → {' ∨ '.join(f'n % {modulus} = {r}' for r in same)}")
        parts[rng.choice(forms)] = None
    return Draft(f"n : {rng.choice('ℕℕℤ')}").show(conjunction(parts))


def _products(rng: random.Random, difficulty: int) -> str:
    """Products of numbers in a row, and polynomials with a constant remainder."""
    parts: dict[str, None] = {}
    number = several(rng, difficulty)
    while len(parts) < number:
        count, k = rng.choice(((2, 2), (3, 3), (3, 6), (3, 2))), rng.randrange(0, 5)
        product = " * ".join(linear([(1, "n")], k + i) if k + i == 0 else f"(n + {k + i})" for i in range(count[0]))
        form = Polynomial.number(1)
        for i in range(count[0]):
            form = form * (N + Polynomial.number(k + i))
        shift = rng.randrange(0, 4)
        forms = [
            f"{count[1]} ∣ {product}",
            f"({product} + {shift}) % {count[1]} = {shift % count[1]}",
            f"∃ k, {form} = {count[1]} * k",
            f"∃ k, {product} = {count[1]} * k",
            f"({form}) % {count[1]} = 0",
        ]
        parts[rng.choice(forms)] = None
    return Draft("n : ℕ").show(conjunction(parts))


def _bounded(rng: random.Random, difficulty: int) -> str:
    """A function on the numbers below a bound, known by its values."""
    bound = rng.randrange(2, 3 + difficulty)
    values = [rng.randrange(0, 9) for _ in range(bound)]
    draft = Draft("f : ℕ → ℕ").suppose(*(f"f {n} = {value}" for n, value in enumerate(values)))
    place = rng.randrange(bound)
    total = sum(values)
    targets = [
        f"∀ n, n < {bound} → f n ≤ {max(values)}",
        f"∃ n, n < {bound} ∧ f n = {values[place]}",
        f"∃ n, n < {bound} ∧ ∀ m, m < {bound} → f m ≤ f n",
        f"∃ n, n < {bound} ∧ ∀ m, m < {bound} → f n ≤ f m",
        f"∑ i ∈ Finset.range {bound}, f i = {total}",
        f"∀ n m, n < {bound} → m < {bound} → f n + f m ≤ {2 * max(values)}",
        f"∃ n m, n < {bound} ∧ m < {bound} ∧ f n + f m = {values[place] + values[0]}",
        f"∀ n, n < {bound} → {min(values)} ≤ f n ∧ ∃ m, m < {bound} ∧ f n ≤ f m",
    ]
    others = [n for n in range(bound) if values[n] == values[place]]
    targets.append(f"∀ n, n < {bound} → f n = {values[place]} → {' ∨ '.join(f'n = {n}' for n in others)}")
    return draft.show(conjunction(rng.sample(targets, several(rng, difficulty))))


def _booleans(rng: random.Random, difficulty: int) -> str:
    """Functions on Bool."""
    draft = Draft("f g : Bool → Bool", "a b : Bool")
    facts = {
        "f a ≠ f b": ["∀ x y, f x = f y → x = y", "∀ y, ∃ x, f x = y", "∀ x, f (f x) = x", "a ≠ b", "a = !b"],
        "f true = f false": [
            "∀ x y, f x = f y",
            "∃ y, ∀ x, f x = y",
            "f a = f b",
            "∀ x, f (f x) = f x",
            "∀ x, f (!x) = f x",
        ],
        "∀ x, f x = !x": [
            "f (f a) = a",
            "∃ x, f x = a",
            "∀ x, f (f (f x)) = !x",
            "(f a && f b) = !(a || b)",
            "∀ x, f x ≠ x",
        ],
        "∀ x, f (g x) = x": [
            "∀ x, g (f x) = x",
            "∀ y, ∃ x, g x = y",
            "∀ x y, g x = g y → x = y",
            "∃ x, f x = true",
            "∀ x, ∃ y, f y = x",
        ],
    }
    always = [
        "f (f (f a)) = f a",
        "∀ x, f (f (f x)) = f x",
        "∃ x, f (f x) = x ∨ f x = f (f x)",
        "(∀ x, f x = a) ∨ ∃ x, f x = !a",
        "(f true = f false) ∨ ∀ y, ∃ x, f x = y",
        "(a && (b || f a)) = ((a && b) || (a && f a))",
        "∃ x y, f x = f y ∧ g y = g y",
        "f a = f b ∨ f a = f (!b) ∨ a = b",
        "∃ x, x = f a ∧ (x || !f a) = true",
        "(∃ x, f x = x) ∨ ∀ x, f x = !x",
        "f a = g a ∨ f a = !g a",
        "(f a ^^ f b) = (f b ^^ f a)",
        "∀ x, x = a ∨ x = !a",
        "(∀ x, f x = x) ∨ ∃ x, f x = !x",
        "f a = f b ∨ g a = g b ∨ a ≠ b",
        "∃ k : Bool → Bool, ∀ x, k (f x) = f (k x)",
        "∃ k : Bool → Bool, ∀ x, k (k x) = x ∧ k a = a",
    ]
    fact = rng.choice(sorted(facts))
    pool = facts[fact] + always
    chosen = rng.sample(pool, several(rng, difficulty))
    if any(claim in facts[fact] for claim in chosen):
        draft.suppose(fact)
    return draft.show(conjunction(chosen))
