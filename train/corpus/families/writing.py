"""How families write statements: a draft that gains arguments and hypotheses, and text of sums and lists of names."""

from __future__ import annotations

import random
from collections.abc import Iterable


class Draft:
    """A statement in the making. Hypotheses are called h, h1, h2, … in the order in which they are added."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = [argument for argument in arguments if argument]
        self._hypotheses: list[str] = []

    def suppose(self, *facts: str) -> Draft:
        """Add hypotheses; one that is there already is not added again."""
        self._hypotheses += [fact for fact in dict.fromkeys(facts) if fact not in self._hypotheses]
        return self

    def show(self, target: str) -> str:
        """The body of the statement that `target` follows."""
        names = ["h", *(f"h{i}" for i in range(1, len(self._hypotheses)))]
        facts = [f"({name} : {fact})" for name, fact in zip(names, self._hypotheses, strict=False)]
        return " ".join([*(f"({argument})" for argument in self._arguments), *facts, f": {target}"])


# How many claims a statement joins, by difficulty; one of the numbers is drawn.
CLAIMS = ((1,), (1,), (1, 1, 2), (2,), (2, 2, 3))


def several(rng: random.Random, difficulty: int) -> int:
    """How many claims to join: with each of them the proof becomes longer."""
    return rng.choice(CLAIMS[difficulty - 1])


def conjunction(parts: Iterable[str]) -> str:
    """The parts joined by ∧, in brackets where one needs them."""
    listed = list(parts)
    return listed[0] if len(listed) == 1 else " ∧ ".join(map(closed, listed))


def closed(formula: str) -> str:
    """`formula` in brackets if a connective or a binder stands in it."""
    return f"({formula})" if any(mark in formula for mark in ("∀", "∃", "→", "∧", "∨", "↔", "fun")) else formula


def times(factor: int, term: str) -> str:
    """`factor * term`, the factor 1 left out."""
    return term if factor == 1 else f"{factor} * {term}"


def linear(terms: Iterable[tuple[int, str]], constant: int = 0) -> str:
    """`2 * a + b - 3 * c + 4`; 0 if there is nothing to add."""
    text = ""
    for factor, term in [*terms, (constant, "")]:
        if factor:
            part = times(abs(factor), term) if term else str(abs(factor))
            text += f" {'-' if factor < 0 else '+'} {part}" if text else f"{'-' if factor < 0 else ''}{part}"
    return text or "0"
