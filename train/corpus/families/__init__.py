"""Families of generated statements: each makes true statements of one kind from a seed, at five difficulties.

A statement is one for the embedded engine: core Lean with the project's prelude. A new family is a function in one of
the modules of this package and a line in FAMILIES.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lean_env.engine import Theorem
from train.corpus.families.algebra import generate as algebra
from train.corpus.families.computation import generate as computation
from train.corpus.families.divisibility import generate as divisibility
from train.corpus.families.existence import generate as existence
from train.corpus.families.fields import generate as fields
from train.corpus.families.functions import generate as functions
from train.corpus.families.growth import generate as growth
from train.corpus.families.lists import generate as lists
from train.corpus.families.mixed import generate as mixed
from train.corpus.families.order import generate as order
from train.corpus.families.propositions import generate as propositions
from train.corpus.families.quantifiers import generate as quantifiers
from train.corpus.families.recurrences import generate as recurrences
from train.corpus.families.relations import generate as relations
from train.corpus.families.residues import generate as residues
from train.corpus.families.rewriting import generate as rewriting
from train.corpus.families.sets import generate as sets
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
        Family("propositions", propositions),
        Family("quantifiers", quantifiers),
        Family("relations", relations),
        Family("existence", existence),
        Family("divisibility", divisibility),
        Family("recurrences", recurrences),
        Family("growth", growth),
        Family("lists", lists),
        Family("sets", sets),
        Family("order", order),
        Family("rewriting", rewriting),
        Family("fields", fields),
        Family("computation", computation),
        Family("functions", functions),
        Family("algebra", algebra),
        Family("residues", residues),
        Family("mixed", mixed),
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
