"""Propositional logic: what follows from random hypotheses, by truth table, and propositions that have to be found.

An interpolant, `∃ r : Prop, (A → r) ∧ (r → B)`, needs a witness that no automation of core Lean guesses.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product

from train.corpus.families.writing import Draft, closed, conjunction

ATOMS = ("p", "q", "r", "s")
WITNESSES = ("t", "u")
TRIES = 60
LEFT = 3  # valuations that hypotheses leave at least


@dataclass(frozen=True)
class Formula:
    """A formula: an atom, or a connective and what it joins."""

    head: str
    parts: tuple[Formula, ...] = ()

    def __str__(self) -> str:
        match self.parts:
            case ():
                return self.head
            case (one,):
                return f"¬{one}" if not one.parts else f"¬({one})"
            case _:
                return f" {self.head} ".join(str(p) if len(p.parts) < 2 else f"({p})" for p in self.parts)

    def holds(self, values: Mapping[str, bool]) -> bool:
        """Its truth value."""
        truth = [part.holds(values) for part in self.parts]
        match self.head:
            case "¬":
                return not truth[0]
            case "∧":
                return all(truth)
            case "∨":
                return any(truth)
            case "→":
                return not truth[0] or truth[1]
            case "↔":
                return truth[0] == truth[1]
            case atom:
                return values[atom]


Table = int  # the truth values under all valuations, as bits


@cache
def valuations(count: int) -> tuple[dict[str, bool], ...]:
    """All valuations of the first `count` atoms."""
    return tuple(dict(zip(ATOMS, values, strict=False)) for values in product((False, True), repeat=count))


def table(formula: Formula, count: int) -> Table:
    """The truth table over the first `count` atoms."""
    return sum(formula.holds(values) << place for place, values in enumerate(valuations(count)))


def draw(rng: random.Random, count: int, connectives: int) -> Formula:
    """A random formula over the first `count` atoms."""
    if connectives == 0:
        atom = Formula(rng.choice(ATOMS[:count]))
        return Formula("¬", (atom,)) if rng.random() < 0.2 else atom
    left = rng.randrange(connectives)
    head = rng.choices("∧∨→↔", (3, 3, 4, 1))[0]
    a, b = draw(rng, count, left), draw(rng, count, connectives - 1 - left)
    return draw(rng, count, connectives) if a == b else Formula(head, (a, b))


def generate(rng: random.Random, difficulty: int) -> str:
    """Hypotheses, and something that they imply; from difficulty 2 on, with propositions to be found."""
    count = min(2 + difficulty, len(ATOMS))
    full = (1 << (1 << count)) - 1
    while True:
        hypotheses = _consistent(rng, count, max(1, difficulty - 1))
        given = full
        for hypothesis in hypotheses:
            given &= table(hypothesis, count)
        if difficulty == 1:
            parts = [_implied(rng, count, given, full, 1 + rng.randrange(3))]
        else:
            parts = [_interpolant(rng, count, given, full, difficulty, WITNESSES[0])]
            parts += [_implied(rng, count, given, full, 1 + rng.randrange(2)) for _ in range(rng.randrange(2))]
            if difficulty > 3:
                parts.append(_interpolant(rng, count, given, full, difficulty - 1, WITNESSES[1]))
        if all(parts):
            rng.shuffle(parts)
            draft = Draft(f"{' '.join(ATOMS[:count])} : Prop").suppose(*map(str, hypotheses))
            return draft.show(conjunction(part for part in parts if part))


def _consistent(rng: random.Random, count: int, number: int) -> list[Formula]:
    """Hypotheses of which none follows from those before, and which some valuation satisfies."""
    chosen: list[Formula] = []
    given = (1 << (1 << count)) - 1
    for _ in range(TRIES):
        formula = draw(rng, count, rng.choice((1, 1, 2)))
        after = given & table(formula, count)
        if after != given and after.bit_count() >= LEFT:
            chosen.append(formula)
            given = after
        if len(chosen) == number:
            break
    return chosen


def _implied(rng: random.Random, count: int, given: Table, full: Table, connectives: int) -> str | None:
    """A formula that follows from what is given, and not from nothing; None if none was met."""
    for _ in range(TRIES):
        formula = draw(rng, count, connectives)
        truth = table(formula, count)
        if truth != full and given & ~truth == 0:
            return str(formula)
    return None


def _interpolant(rng: random.Random, count: int, given: Table, full: Table, difficulty: int, name: str) -> str | None:
    """`∃ t : Prop, …`: constraints that an atom, or at higher difficulties a small formula, meets."""
    witness = draw(rng, count, 0 if difficulty < 4 else rng.randrange(2))
    truth = table(witness, count)
    constraints = [
        *_side(rng, count, given & ~truth, full, name, below=True, number=1 + difficulty // 4),
        *_side(rng, count, given & truth, full, name, below=False, number=1 + difficulty // 3),
    ]
    if len(constraints) < 2:
        return None
    rng.shuffle(constraints)
    return f"∃ {name} : Prop, {' ∧ '.join(map(closed, constraints))}"


def _side(
    rng: random.Random, count: int, where: Table, full: Table, name: str, *, below: bool, number: int
) -> Sequence[str]:
    """Constraints `A → name` with A false wherever `where`, or `name → B` with B true there."""
    found: dict[str, None] = {}
    for _ in range(TRIES):
        formula = draw(rng, count, rng.randrange(3))
        truth = table(formula, count)
        if truth in (0, full):
            continue
        if where & (truth if below else ~truth) == 0:
            text = closed(str(formula))
            found[f"{text} → {name}" if below else f"{name} → {text}"] = None
        if len(found) == number:
            break
    return list(found)
