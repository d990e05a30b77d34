"""Families of generated statements: each makes true statements of one kind from a seed, at five difficulties.

A statement is one for the embedded engine: core Lean with the project's prelude. A new family is a function in one of
the modules of this package and a line in FAMILIES.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lean_env.engine import Theorem
from train.corpus.families import (
    algebra,
    computation,
    divisibility,
    existence,
    fields,
    functions,
    growth,
    lists,
    mixed,
    order,
    propositions,
    quantifiers,
    recurrences,
    relations,
    residues,
    rewriting,
    sets,
)
from train.corpus.normal_form import normal_form

HARDEST = 5
_FRUITLESS = 300  # draws in a row without a new statement, after which a family counts as exhausted


@dataclass(frozen=True)
class Family:
    """`generate` draws the body of a statement, such as `(a b : ℕ) (h : a < b) : ∃ c, a + c = b`.

    Its arguments are the source of randomness and the difficulty from 1 to HARDEST. The easiest may take one tactic;
    each further difficulty makes statements, and their proofs, longer.
    """

    name: str
    generate: Callable[[random.Random, int], str]


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family("propositions", propositions.generate),
        Family("quantifiers", quantifiers.generate),
        Family("relations", relations.generate),
        Family("existence", existence.generate),
        Family("divisibility", divisibility.generate),
        Family("recurrences", recurrences.generate),
        Family("growth", growth.generate),
        Family("lists", lists.generate),
        Family("sets", sets.generate),
        Family("order", order.generate),
        Family("rewriting", rewriting.generate),
        Family("fields", fields.generate),
        Family("computation", computation.generate),
        Family("functions", functions.generate),
        Family("algebra", algebra.generate),
        Family("residues", residues.generate),
        Family("mixed", mixed.generate),
    )
}


def theorems(seed: int, family: str, difficulty: int, count: int) -> Iterator[Theorem]:
    """At most `count` theorems of a family, no two with one normal form; fewer where it does not have so many.

    Raises ValueError for an unknown family or difficulty.
    """
    if family not in FAMILIES:
        raise ValueError(f"no family {family!r}: choose among {', '.join(FAMILIES)}")
    if difficulty not in range(1, HARDEST + 1):
        raise ValueError(f"difficulty {difficulty}: choose 1 to {HARDEST}")
    rng = random.Random(f"{seed} {family} {difficulty}")
    seen: set[str] = set()
    fruitless = 0
    while len(seen) < count and fruitless < _FRUITLESS:
        body = FAMILIES[family].generate(rng, difficulty)
        form = normal_form(f"theorem t {body}")
        if form in seen:
            fruitless += 1
            continue
        fruitless = 0
        name = f"gym_{family}_{difficulty}{len(seen):05}"
        seen.add(form)
        yield Theorem(name, f"theorem {name} {body} := by sorry")
