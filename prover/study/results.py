"""What every cell of a study proved within every budget, as arrays over theorems and seeds.

Ensembles are cells too. Nothing is searched for them: a member that is given a share of the budget does what it did
alone, so what an ensemble with equal shares proves follows from the searches of its members.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from prover.study.config import Cell, StudyOptions, cells
from prover.study.store import Search, Stated

Shares = NDArray[np.float64]  # [theorems] or [theorems, seeds]
Counts = NDArray[np.int64]  # [theorems, seeds]
CURVE_POINTS = 160


@dataclass(frozen=True)
class Costs:
    """What a cell takes for a theorem, seeds averaged, by the names in search.budget."""

    lean_s: float
    model_tokens: float
    flops: float


@dataclass(frozen=True)
class Alone:
    """What the searches of one cell came to, [theorems, seeds]: expansions spent, and whether they ended in a proof.

    The others are what they took, by the names in Costs.
    """

    spent: Counts
    proved: NDArray[np.bool_]
    lean_s: Shares
    model_tokens: Shares
    flops: Shares

    def rolled(self, by: int) -> Alone:
        """The same with other seeds: those of a member that an ensemble has a second time."""
        return Alone(*(np.roll(getattr(self, each.name), by, 1) for each in fields(self)))


@dataclass(frozen=True)
class Results:
    """What a study knows. `theorems` are those that every cell has searched with every seed.

    `parts[cell]` are the searches that the cell consists of: one, or those of the members of an ensemble in their turn.
    `missing` counts the theorems that are not there yet; `repeating` are the ensembles that have a member twice.
    `longer` counts the searches that went on beyond the largest budget, as it was larger when they were made.
    """

    theorems: tuple[str, ...]
    missing: int
    unsupported: tuple[Stated, ...]
    budgets: tuple[int, ...]
    seeds: tuple[int, ...]
    parts: Mapping[Cell, tuple[Alone, ...]]
    repeating: frozenset[Cell] = frozenset()
    longer: int = 0

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell, ensembles after the members that search."""
        return tuple(self.parts)

    @property
    def budget(self) -> int:
        """The largest."""
        return self.budgets[-1]

    def is_ensemble(self, cell: Cell) -> bool:
        """Whether the cell follows from others."""
        return len(self.parts[cell]) > 1

    def proved(self, cell: Cell, budget: int) -> NDArray[np.bool_]:
        """Whether the cell proves each theorem with each seed within `budget` expansions, [theorems, seeds].

        An ensemble splits it as search.ensemble.equal_split does: every member has an equal part of what those before
        it left. A tactic that two members try in one state costs both of them.
        """
        parts = self.parts[cell]
        left = np.full(parts[0].spent.shape, budget, dtype=np.int64)
        proved = np.zeros(left.shape, dtype=bool)
        for place, part in enumerate(parts):
            share = -(-left // (len(parts) - place))
            proved |= part.proved & (part.spent <= share)
            left -= np.minimum(part.spent, share)
        return proved

    def rates(self, cell: Cell, budget: int) -> Shares:
        """In which share of the seeds the cell proves each theorem, [theorems]."""
        shares: Shares = self.proved(cell, budget).mean(axis=1)
        return shares

    def points(self) -> list[int]:
        """Budgets to draw a curve at, up to the largest."""
        steps = np.geomspace(1, self.budget, CURVE_POINTS).round().astype(int).tolist()
        return sorted({*steps, *self.budgets})

    def costs(self, cell: Cell) -> Costs | None:
        """Within the largest budget; None for an ensemble, whose members stop elsewhere."""
        if self.is_ensemble(cell):
            return None
        (alone,) = self.parts[cell]
        return Costs(*(float(getattr(alone, each.name).mean()) for each in fields(Costs)))


def collect(options: StudyOptions, theorems: Sequence[Stated], searches: Sequence[Search]) -> Results:
    """The results of the cells and seeds of `options`, from what the store has; it may have more, or not all yet."""
    alone, seeds = cells(options, ensembles=False), options.seeds
    wanted = {(cell, seed) for cell in alone for seed in seeds}
    found: dict[str, dict[tuple[Cell, int], Search]] = defaultdict(dict)
    for search in searches:
        if (search.cell, search.seed) in wanted and search.tells(options.budget):
            found[search.theorem][search.cell, search.seed] = search
    supported = [one.name for one in theorems if one.unsupported is None]
    complete = tuple(name for name in supported if len(found[name]) == len(wanted))

    def array(cell: Cell) -> Alone:
        rows = [[found[name][cell, seed] for seed in seeds] for name in complete]
        shape = (len(complete), len(seeds))
        return Alone(
            np.array([[one.spent.expansions for one in row] for row in rows], dtype=np.int64).reshape(shape),
            np.array([[one.proved for one in row] for row in rows], dtype=bool).reshape(shape),
            *(
                np.array([[getattr(one.spent, each.name) for one in row] for row in rows], dtype=float).reshape(shape)
                for each in fields(Costs)
            ),
        )

    parts: dict[Cell, tuple[Alone, ...]] = {cell: (array(cell),) for cell in alone}
    members = {member.name: member for member in options.members}
    ensembles = {cell: members[cell.member].parts(cell.strategy) for cell in cells(options, ensembles=True)}
    for cell, its in ensembles.items():
        parts[cell] = tuple(parts[part][0].rolled(its[:place].count(part)) for place, part in enumerate(its))
    return Results(
        complete,
        len(supported) - len(complete),
        tuple(one for one in theorems if one.unsupported is not None),
        tuple(sorted(set(options.budgets))),
        seeds,
        parts,
        frozenset(cell for cell, its in ensembles.items() if len(set(its)) < len(its)),
        sum(one.spent.expansions > options.budget for name in complete for one in found[name].values()),
    )
