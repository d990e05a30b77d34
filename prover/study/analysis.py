"""The figures of a study: rates, comparisons, efficiency, who proves what nobody else does, and measured shapes.

Seeds of a theorem are averaged and intervals are over theorems, so that repeating searches cannot make an interval look
narrower than the benchmark allows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from prover.study.config import Cell, StudyOptions
from prover.study.results import Results, Shares
from prover.study.store import Search
from search.shape import SummedShape, summed
from search.statistics import Interval, Paired, holm, paired, pass_at_k, wilson

RESAMPLES = 1000


@dataclass(frozen=True)
class Rate:
    """What a cell proves within a budget. `passes[k - 1]` is pass@k over seeds, unbiased; the first is the rate.

    Of an ensemble that has a member twice there is the first only: its seeds share searches.
    """

    cell: Cell
    budget: int
    passes: tuple[Interval, ...]

    @property
    def rate(self) -> Interval:
        """The share of theorems proved, seeds averaged."""
        return self.passes[0]


@dataclass(frozen=True)
class Comparison:
    """A cell against another within a budget; `p_holm` is adjusted for all comparisons within that budget."""

    cell: Cell
    against: Cell
    budget: int
    paired: Paired
    p_holm: float


@dataclass(frozen=True)
class Efficiency:
    """The budget of `against` over that of `cell` where both prove as much; 2 is half the budget.

    They are compared at the smaller of their rates at the largest budget. None where one of them proves nothing.
    """

    cell: Cell
    against: Cell
    ratio: Interval | None


@dataclass(frozen=True)
class Complement:
    """What one side proves within the largest budget, with any seed, and which theorems none of the others does."""

    name: str
    proved: int
    alone: tuple[str, ...]


@dataclass(frozen=True)
class MeasuredShape:
    """The trees of a cell together; `proof_depths` counts proofs within the largest budget by their tactics."""

    cell: Cell
    shape: SummedShape
    proof_depths: Mapping[int, int]

    @property
    def proof_depth(self) -> float | None:
        """The mean; None without proofs."""
        proofs = sum(self.proof_depths.values())
        return sum(depth * count for depth, count in self.proof_depths.items()) / proofs if proofs else None


@dataclass(frozen=True)
class Figures:
    """Everything that is told of a study."""

    rates: tuple[Rate, ...]
    comparisons: tuple[Comparison, ...]
    efficiencies: tuple[Efficiency, ...]
    by_member: tuple[Complement, ...]
    by_strategy: tuple[Complement, ...]
    by_cell: tuple[Complement, ...]
    shapes: tuple[MeasuredShape, ...]

    def rate(self, cell: Cell, budget: int) -> Interval:
        """What `cell` proves within `budget`."""
        return next(one.rate for one in self.rates if (one.cell, one.budget) == (cell, budget))

    def best(self, budget: int) -> Rate:
        """The cell with the highest rate within `budget`; the first of several."""
        return max((one for one in self.rates if one.budget == budget), key=lambda one: one.rate.value)


def figures(options: StudyOptions, results: Results, searches: Iterable[Search]) -> Figures:
    """The figures of `results`, which hold at least one theorem; `searches` are those of the store."""
    compared = [(cell, reference(options, cell)) for cell in results.cells]
    pairs = [(cell, against) for cell, against in compared if against is not None]
    seen = set(results.theorems)
    counted = [one for one in searches if one.cell in results.parts and one.seed in results.seeds]
    alone = [cell for cell in results.cells if not results.is_ensemble(cell)]
    return Figures(
        tuple(_rate(results, cell, budget) for cell in results.cells for budget in results.budgets),
        tuple(each for budget in results.budgets for each in _comparisons(results, pairs, budget)),
        tuple(Efficiency(cell, against, _efficiency(results, cell, against)) for cell, against in pairs),
        _complements(results, alone, lambda cell: cell.member),
        _complements(results, alone, lambda cell: cell.strategy),
        _complements(results, alone, str),
        _shapes(alone, [one for one in counted if one.theorem in seen], results.budget),
    )


def reference(options: StudyOptions, cell: Cell) -> Cell | None:
    """What a cell is compared with: the baseline with the same strategy, and that itself with the first strategy.

    So every cell but one has exactly one comparison, which tells a member's effect from a strategy's. Ensembles with
    strategies of their own are compared with the baseline's first strategy.
    """
    first = next(iter(options.searches))
    if cell.member != options.baseline:
        return Cell(options.baseline, cell.strategy if cell.strategy in options.searches else first)
    return Cell(options.baseline, first) if cell.strategy != first else None


def _rate(results: Results, cell: Cell, budget: int) -> Rate:
    proved = results.proved(cell, budget)
    theorems, seeds = proved.shape
    successes = proved.sum(axis=1).tolist()
    most = 1 if cell in results.repeating else seeds
    passes = [sum(pass_at_k(seeds, count, k) for count in successes) for k in range(1, most + 1)]
    return Rate(cell, budget, tuple(wilson(min(each, theorems), theorems) for each in passes))


def _comparisons(results: Results, pairs: Sequence[tuple[Cell, Cell]], budget: int) -> list[Comparison]:
    tested = [
        paired(results.rates(cell, budget).tolist(), results.rates(against, budget).tolist()) for cell, against in pairs
    ]
    adjusted = holm([each.p_value for each in tested])
    return [
        Comparison(cell, against, budget, test, p_holm)
        for (cell, against), test, p_holm in zip(pairs, tested, adjusted, strict=True)
    ]


def _efficiency(results: Results, cell: Cell, against: Cell) -> Interval | None:
    """With a bootstrap interval over theorems (percentile)."""
    points = results.points()
    budgets = np.array(points, dtype=float)
    ours, theirs = (
        np.stack([results.rates(each, point) for point in points], axis=1) for each in (cell, against)
    )  # [theorems, points]
    theorems = len(results.theorems)
    drawn = np.random.default_rng(0).multinomial(theorems, np.full(theorems, 1 / theorems), RESAMPLES)
    ratio = _ratio(budgets, ours.mean(axis=0, keepdims=True), theirs.mean(axis=0, keepdims=True))[0]
    if np.isnan(ratio):
        return None
    weights = drawn / theorems
    ratios = _ratio(budgets, weights @ ours, weights @ theirs)
    low, high = np.nanpercentile(ratios, [2.5, 97.5])
    return Interval(float(ratio), float(low), float(high))


def _ratio(budgets: Shares, ours: Shares, theirs: Shares) -> NDArray[np.float64]:
    """Their budget over ours at equal rate, for each row of the two curves; not a number where a rate is 0."""
    ours, theirs = (np.maximum.accumulate(curve, axis=1) for curve in (ours, theirs))
    reached = np.minimum(ours[:, -1], theirs[:, -1])[:, None]
    enough = reached - 1e-12  # sums of shares are rounded
    needed = [budgets[(curve >= enough).argmax(axis=1)] for curve in (theirs, ours)]
    return np.where(reached[:, 0] > 0, needed[0] / needed[1], np.nan)


def _complements(results: Results, cells: Sequence[Cell], side: Callable[[Cell], str]) -> tuple[Complement, ...]:
    proved: dict[str, set[str]] = defaultdict(set)
    for cell in cells:
        ever = results.proved(cell, results.budget).any(axis=1)  # with any seed
        proved[side(cell)] |= {results.theorems[place] for place in np.flatnonzero(ever)}
    complements = []
    for name, theirs in proved.items():
        others: set[str] = reduce(set.union, (theorems for other, theorems in proved.items() if other != name), set())
        alone = tuple(one for one in results.theorems if one in theirs and one not in others)
        complements.append(Complement(name, len(theirs), alone))
    return tuple(complements)


def _shapes(cells: Sequence[Cell], searches: Sequence[Search], budget: int) -> tuple[MeasuredShape, ...]:
    by_cell: dict[Cell, list[Search]] = defaultdict(list)
    for search in searches:
        by_cell[search.cell].append(search)
    return tuple(_shape(cell, by_cell[cell], budget) for cell in cells)


def _shape(cell: Cell, searches: Sequence[Search], budget: int) -> MeasuredShape:
    proofs = Counter(len(one.proof) for one in searches if one.proved and one.spent.expansions <= budget)
    return MeasuredShape(cell, summed(search.shape for search in searches), dict(sorted(proofs.items())))
