"""Claims of several families in one statement: all of them, or one beside an alternative that is false."""

from __future__ import annotations

import random
from collections.abc import Callable

from train.corpus.families.algebra import generate as algebra
from train.corpus.families.divisibility import generate as divisibility
from train.corpus.families.existence import generate as existence
from train.corpus.families.growth import generate as growth
from train.corpus.families.recurrences import generate as recurrences
from train.corpus.families.relations import generate as relations
from train.corpus.families.residues import generate as residues
from train.corpus.families.sets import generate as sets
from train.corpus.families.writing import Draft

PARTS: tuple[Callable[[random.Random, int], str], ...] = (
    algebra,
    divisibility,
    existence,
    growth,
    recurrences,
    relations,
    residues,
    sets,
)


def generate(rng: random.Random, difficulty: int) -> str:
    """Up to three closed claims, so that each takes its own kind of proof."""
    count = (1, 2, 2, 2, 3)[difficulty - 1]
    parts = [f"({_quantified(kind(rng, max(1, difficulty - 2)))})" for kind in rng.sample(PARTS, count)]
    if difficulty == 1 or rng.random() < 0.3:
        place = rng.randrange(count)
        sides = [parts[place], f"({_false(rng)})"]
        rng.shuffle(sides)
        parts[place] = f"({' ∨ '.join(sides)})"
    return Draft().show(" ∧ ".join(parts).removeprefix("(").removesuffix(")") if count == 1 else " ∧ ".join(parts))


def _quantified(body: str) -> str:
    """A statement's body as a proposition: ∀ over its arguments and hypotheses."""
    depth = 0
    for at, character in enumerate(body):
        depth += (character in "({[") - (character in ")}]")
        if depth == 0 and body.startswith(": ", at):
            arguments, target = body[:at].strip(), body[at + 2 :]
            return f"∀ {arguments}, {target}" if arguments else target
    raise ValueError(f"no statement's body: {body}")


def _false(rng: random.Random) -> str:
    """Something that is plainly not so."""
    k, m = rng.randrange(1, 9), rng.randrange(1, 9)
    forms = (
        f"∃ n : ℕ, n + {k + m} < {k}",
        f"∀ n : ℕ, n < {k + m}",
        f"∃ n : ℤ, 2 * n = {2 * k + 1}",
        f"∀ n : ℕ, ∃ m, m + {m} = n",
        "∃ p : Prop, p ∧ ¬p",
        f"∀ n : ℕ, n % {k + 1} = {m % (k + 1)}",
    )
    return rng.choice(forms)
