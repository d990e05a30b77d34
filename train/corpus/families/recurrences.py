"""Functions given by a recurrence, and what holds of all their values: induction."""

from __future__ import annotations

import random

from train.corpus.families.polynomials import Polynomial
from train.corpus.families.writing import Draft, conjunction, linear, times

N, ONE = Polynomial.variable("n"), Polynomial.number(1)


def generate(rng: random.Random, difficulty: int) -> str:
    """A claim about one or two functions, with as many parts as the difficulty asks for."""
    number = rng.choice("ℕℕℤ")
    functions = ["f"] if difficulty < 3 else ["f", "g"]
    facts: list[str] = []
    targets: list[str] = []
    for name in functions:
        kind = rng.choice((_polynomial, _polynomial, _geometric, _remainder, _bound) if difficulty > 1 else (_linear,))
        given, shown = kind(rng, name, difficulty)
        facts += given
        targets += rng.sample(shown, min(len(shown), 1 + (difficulty > 3)))
    if difficulty in (3, 4) and rng.random() < 0.5:
        targets = targets[:1]
        facts = [fact for fact in facts if "g" not in fact]
        functions = functions[:1]
    draft = Draft(f"{' '.join(functions)} : ℕ → {number}").suppose(*facts)
    text = conjunction(targets)
    return draft.show(f"∀ n : ℕ, {text}")


def _linear(rng: random.Random, name: str, difficulty: int) -> tuple[list[str], list[str]]:
    step, start = rng.randrange(1, 10), rng.randrange(0, 10)
    facts = [f"{name} 0 = {start}", f"∀ n, {name} (n + 1) = {name} n + {step}"]
    return facts, [f"{name} n = {linear([(step, 'n')], start)}", f"{linear([(step, 'n')])} ≤ {name} n"]


def _polynomial(rng: random.Random, name: str, difficulty: int) -> tuple[list[str], list[str]]:
    """A closed form of degree 2 or 3, and the recurrence of its differences."""
    degree = 2 if difficulty < 4 else rng.choice((2, 3))
    form = Polynomial.number(rng.randrange(0, 8))
    power = ONE
    for exponent in range(1, degree + 1):
        power = power * N
        form = form + power * Polynomial.number(rng.randrange(1 if exponent == degree else 0, 4))
    difference = _shifted(form) - form
    start = form.constant()
    facts = [f"{name} 0 = {start}", f"∀ n, {name} (n + 1) = {name} n + {_grouped(difference)}"]
    bound = form - power
    targets = [f"{name} n = {form}", f"{bound} ≤ {name} n", f"∃ k, {name} n = {linear([(1, 'n * k')], start)}"]
    if difficulty > 2:
        factor = rng.randrange(2, 5)
        targets.append(f"{times(factor, f'{name} n')} = {form * Polynomial.number(factor)}")
    return facts, targets


def _geometric(rng: random.Random, name: str, difficulty: int) -> tuple[list[str], list[str]]:
    """f (n + 1) = k * f n + c, where f n + s is a multiple of k ^ n."""
    k, scale = rng.randrange(2, 6), rng.randrange(1, 5)
    shift = rng.randrange(0, min(scale, 4)) if difficulty > 1 else 0
    start, constant = scale - shift, (k - 1) * shift
    facts = [f"{name} 0 = {start}", f"∀ n, {name} (n + 1) = {linear([(k, f'{name} n')], constant)}"]
    closed_form = f"{times(scale, f'{k} ^ n')}"
    targets = [f"{linear([(1, f'{name} n')], shift)} = {closed_form}", f"{start} ≤ {name} n", f"n < {name} n + 1"]
    return facts, targets


def _remainder(rng: random.Random, name: str, difficulty: int) -> tuple[list[str], list[str]]:
    """A remainder that a step keeps."""
    modulus = rng.randrange(2, 9)
    remainder = rng.randrange(modulus)
    k, turns = 1 + modulus * rng.randrange(0, 3), modulus * rng.randrange(1, 3)
    start = remainder + modulus * rng.randrange(0, 3)
    facts = [f"{name} 0 = {start}", f"∀ n, {name} (n + 1) = {times(k, f'{name} n')} + {turns}"]
    targets = [f"{name} n % {modulus} = {remainder}"]
    if difficulty > 2 and rng.random() < 0.5:
        targets.append(f"∃ k, {name} n = {linear([(modulus, 'k')], remainder)}")
    return facts, targets


def _bound(rng: random.Random, name: str, difficulty: int) -> tuple[list[str], list[str]]:
    """Bounds from bounds of the steps."""
    low, start = rng.randrange(1, 5), rng.randrange(0, 6)
    form = rng.choice((f"∀ n, {name} n + {low} ≤ {name} (n + 1)", f"∀ n, {name} n + {low} < {name} (n + 1)"))
    facts = [f"{name} 0 = {start}", form]
    targets = [
        f"{linear([(low, 'n')], start)} ≤ {name} n",
        f"∀ m, {name} n ≤ {name} (n + m)",
        f"∀ m, {name} n + {times(low, 'm')} ≤ {name} (n + m)",
    ]
    return facts, targets


def _shifted(form: Polynomial) -> Polynomial:
    """The polynomial at n + 1."""
    total = Polynomial.number(0)
    for monomial, factor in form.terms:
        term = Polynomial.number(factor)
        for _ in monomial:
            term = term * (N + ONE)
        total = total + term
    return total


def _grouped(form: Polynomial) -> str:
    text = str(form)
    return text if len(form.terms) < 2 else f"({text})"
