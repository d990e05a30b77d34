"""Ensembles: several members, each a policy with a strategy, on one theorem and one budget.

A member is given as a search that waits for its budget, so that nothing here knows policies or strategies. Every
scheduler ends with the first proof and never spends more than the budget in all.

Members that take turns run at the same time: each asks its policy whenever it comes to that, and waits only before a
tactic goes to Lean, which takes the tactics of one theorem one by one in any case. Whose turn it is follows from what
came of the turns before, never from who was quicker, so that an ensemble is as repeatable as its members are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from lean_env.engine import Proved
from search.budget import Budget, SearchResult, SearchStatus
from search.tree import Edge

Search = Callable[[Budget], Awaitable[SearchResult]]


@dataclass(frozen=True)
class EnsembleResult:
    """What the members did, in their order as far as they came to their turn."""

    results: tuple[SearchResult, ...]

    @property
    def last(self) -> SearchResult:
        """The result of the first member that proved the theorem, else of the last one."""
        return next((result for result in self.results if result.proof is not None), self.results[-1])

    @property
    def status(self) -> SearchStatus:
        """Proved, or the budget where any member used up its share, or that none had anything left to try."""
        statuses = {result.status for result in self.results}
        return next(status for status in _ORDER if status in statuses)

    @property
    def expansions(self) -> int:
        """Of all members."""
        return sum(result.spent.expansions for result in self.results)


_ORDER = (
    SearchStatus.PROVED,
    SearchStatus.WALL,
    SearchStatus.BUDGET,
    SearchStatus.STOPPED,
    SearchStatus.EXHAUSTED,
)


async def equal_split(members: Sequence[Search], budget: Budget) -> EnsembleResult:
    """One member after the other, each with an equal part of the budget: the published ensemble (arXiv 2502.07154).

    What cannot be split evenly goes to the first members; what a member leaves over, of expansions and of all else that
    is limited (it had nothing more to try), goes to those after it. Raises ValueError without members.
    """
    _some(members)
    results: list[SearchResult] = []
    for place, member in enumerate(members):
        results.append(await member(budget.share(len(members) - place)))
        budget = budget.left(results[-1].spent)
        if results[-1].status is SearchStatus.PROVED:
            break
    return EnsembleResult(tuple(results))


# ---- taking turns


class Lane:
    """One member that takes turns with others; implements search.budget.Turns.

    `expansions` is what it has spent, `tried` the edges of its tree: every tactic once, whatever it cost.
    """

    def __init__(self, place: int) -> None:
        self.place = place
        self.going = True
        self.expansions = 0
        self.tried: dict[Edge, None] = {}
        # What the member says: that it waits (to be answered here), that its turn is over, or None at its end.
        self._said: asyncio.Queue[asyncio.Future[SearchStatus | None] | Edge | None] = asyncio.Queue()

    async def wait(self) -> SearchStatus | None:
        """The member's side: wait for a turn."""
        answer: asyncio.Future[SearchStatus | None] = asyncio.get_running_loop().create_future()
        self._said.put_nowait(answer)
        return await answer

    def over(self, edge: Edge, expansions: int) -> None:
        """The member's side: the turn is over."""
        self.expansions += expansions
        self.tried[edge] = None
        self._said.put_nowait(edge)

    async def search(self, member: Search, budget: Budget) -> SearchResult:
        """The member's search from its beginning to its end."""
        try:
            return await member(replace(budget, turns=self))
        finally:
            self._said.put_nowait(None)

    async def give(self, answer: SearchStatus | None) -> Edge | None:
        """The scheduler's side: answer the member when it waits; the edge that the turn was spent on.

        None when the member has ended, or comes to its end by this answer.
        """
        asked = await self._said.get()
        if isinstance(asked, asyncio.Future):
            asked.set_result(answer)
            edge = await self._said.get()
            assert not isinstance(edge, asyncio.Future)
            if edge:
                return edge
        self.going = False
        return None


# Whose turn is next, from all lanes of which at least one is going; None ends the search with what is left over.
Choose = Callable[[Sequence[Lane]], Lane | None]


def in_turn(lanes: Sequence[Lane]) -> Lane:
    """Round robin by expansion: the member that has spent least, of several the first."""
    return min((lane for lane in lanes if lane.going), key=lambda lane: lane.expansions)


class Purse:
    """The expansions of one theorem: its own, and what the pot of its run has when these are spent."""

    def __init__(self, own: int, pot: Pot | None = None) -> None:
        self._own, self._pot = own, pot

    def take(self) -> bool:
        """Take one expansion; False when there is none."""
        if self._own:
            self._own -= 1
            return True
        return self._pot is not None and self._pot.take() == 1

    def put_back(self) -> None:
        """Put an expansion back that was taken and not spent."""
        self._own += 1

    def close(self) -> None:
        """The theorem is done with: what it leaves over goes to the pot."""
        if self._pot:
            self._pot.put(self._own)
        self._own = 0


class Pot:
    """What the theorems of a run that are done with have left over of their expansions, for those that want more."""

    def __init__(self, expansions: int = 0) -> None:
        self.expansions = expansions

    def take(self, most: int = 1) -> int:
        """Take `most` expansions, or as many as there are; how many they were."""
        taken = max(0, min(most, self.expansions))
        self.expansions -= taken
        return taken

    def put(self, expansions: int) -> None:
        """Put expansions in."""
        self.expansions += expansions


async def taking_turns(
    members: Sequence[Search], budget: Budget, choose: Choose = in_turn, purse: Purse | None = None
) -> EnsembleResult:
    """All members at the same time, one expansion at a time from the common budget, to whom `choose` gives it.

    What else is limited is split equally, but wall time, which passes for all. A `purse` stands in for the expansions
    of the budget. What a member raises ends the search and is let through. Raises ValueError without members.
    """
    _some(members)
    purse = purse or Purse(budget.expansions)
    most = budget.expansions
    parts = [replace(part, expansions=most, wall_s=budget.wall_s) for part in budget.split(len(members))]
    lanes = [Lane(place) for place in range(len(members))]
    searches = [
        asyncio.create_task(lane.search(member, part)) for lane, member, part in zip(lanes, members, parts, strict=True)
    ]
    try:
        end = SearchStatus.BUDGET
        while any(lane.going for lane in lanes) and (lane := choose(lanes)) and purse.take():
            before = lane.expansions
            edge = await lane.give(None)
            if lane.expansions == before:  # it has ended, or its tactic was known
                purse.put_back()
            if edge is None:
                await searches[lane.place]
            elif isinstance(edge.outcome, Proved):
                end = SearchStatus.STOPPED
                break
        for lane in lanes:
            if lane.going:
                await lane.give(end)
        return EnsembleResult(tuple(await asyncio.gather(*searches)))
    finally:
        for search in searches:
            search.cancel()
        await asyncio.gather(*searches, return_exceptions=True)


def _some(members: Sequence[Search]) -> None:
    if not members:
        raise ValueError("an ensemble needs at least one member")
