"""Ensembles: several members, each a policy with a strategy, on one theorem and one budget.

A member is given as a search that waits for its budget, so that nothing here knows policies or strategies. Every
scheduler ends with the first proof and never spends more than the budget in all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from search.budget import Budget, SearchResult, SearchStatus

Search = Callable[[Budget], Awaitable[SearchResult]]


@dataclass(frozen=True)
class EnsembleResult:
    """What the members did, in their order as far as they came to their turn; the last one ended the search."""

    results: tuple[SearchResult, ...]

    @property
    def last(self) -> SearchResult:
        """The result of the member that proved the theorem, else of the last one."""
        return self.results[-1]

    @property
    def status(self) -> SearchStatus:
        """Proved, or the budget where any member used up its share, or how the last one ended."""
        statuses = {result.status for result in self.results}
        order = (SearchStatus.PROVED, SearchStatus.WALL, SearchStatus.BUDGET, SearchStatus.EXHAUSTED)
        return next(status for status in order if status in statuses)

    @property
    def expansions(self) -> int:
        """Of all members."""
        return sum(result.spent.expansions for result in self.results)


async def equal_split(members: Sequence[Search], budget: Budget) -> EnsembleResult:
    """One member after the other, each with an equal part of the budget: the published ensemble (arXiv 2502.07154).

    Expansions that cannot be split evenly go to the first members; what a member leaves over, of expansions and of time
    (it had nothing more to try), goes to those after it. Raises ValueError without members.
    """
    if not members:
        raise ValueError("an ensemble needs at least one member")
    results: list[SearchResult] = []
    left, left_s = budget.expansions, budget.wall_s
    for place, member in enumerate(members):
        waiting = len(members) - place
        result = await member(Budget(-(-left // waiting), None if left_s is None else left_s / waiting))
        results.append(result)
        left -= result.spent.expansions
        left_s = None if left_s is None else max(0.0, left_s - result.spent.wall_s)
        if result.status is SearchStatus.PROVED:
            break
    return EnsembleResult(tuple(results))
