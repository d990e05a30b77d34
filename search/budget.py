"""What a search may spend, what it has spent, and how it ended.

The unit is the expansion: one tactic sampled and checked by Lean. Every tactic that Lean was asked about counts, also
when it failed or led to a state that was known; what the policy suggested and nobody checked does not. Neither does a
tactic whose result is known from elsewhere (search.known): such repeats are counted for themselves.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from lean_env.engine import ProofState, Session, TacticResult
from search.known import KnownResults
from search.tree import Tree

T = TypeVar("T")


class SearchStatus(StrEnum):
    """How a search ended."""

    PROVED = "proved"  # a proof was found and accepted
    EXHAUSTED = "exhausted"  # every tactic the policy knows was tried on every state reached
    BUDGET = "budget"  # the expansions are used up
    WALL = "wall"  # the time is used up


@dataclass(frozen=True)
class Budget:
    """The limits of one search.

    `expansions` is never exceeded. `wall_s` (seconds; None: no limit) is looked at before each request, so the search
    ends within one request of it; as it depends on the machine, a search that is to be repeatable leaves it out.
    Raises ValueError for limits below zero.
    """

    expansions: int
    wall_s: float | None = None

    def __post_init__(self) -> None:
        if self.expansions < 0 or (self.wall_s is not None and self.wall_s < 0):
            raise ValueError(f"a budget cannot be negative: expansions {self.expansions}, wall_s {self.wall_s}")


@dataclass(frozen=True)
class Spent:
    """What a search has used. Seconds in Lean, in the policy, and in all."""

    expansions: int
    repeats: int
    policy_calls: int
    lean_s: float
    policy_s: float
    wall_s: float


class Meter:
    """Counts what one search spends against its budget, from its construction on."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._start = time.perf_counter()
        self._expansions = 0
        self._repeats = 0
        self._policy_calls = 0
        self._lean_s = 0.0
        self._policy_s = 0.0

    @property
    def limit(self) -> SearchStatus | None:
        """The limit that has been reached, if any."""
        if self._expansions >= self._budget.expansions:
            return SearchStatus.BUDGET
        if self._budget.wall_s is not None and time.perf_counter() - self._start >= self._budget.wall_s:
            return SearchStatus.WALL
        return None

    async def lean(self, session: Session, state: ProofState, tactic: str) -> tuple[TacticResult, float]:
        """Run a tactic: an expansion, or a repeat; its result and its seconds, waiting for a process included."""
        start = time.perf_counter()
        if isinstance(session, KnownResults) and session.knows(state, tactic):
            self._repeats += 1
        else:
            self._expansions += 1
        result = await session.run(state, tactic)
        seconds = time.perf_counter() - start
        self._lean_s += seconds
        return result, seconds

    def draw(self) -> None:
        """Count one expansion for a draw that Lean need not be asked about."""
        self._expansions += 1

    async def policy(self, request: Awaitable[T]) -> T:
        """Await one request to the policy."""
        start = time.perf_counter()
        suggestions = await request
        self._policy_calls += 1
        self._policy_s += time.perf_counter() - start
        return suggestions

    def spent(self) -> Spent:
        """The counters as of now."""
        wall_s = time.perf_counter() - self._start
        return Spent(self._expansions, self._repeats, self._policy_calls, self._lean_s, self._policy_s, wall_s)


@dataclass(frozen=True)
class SearchResult:
    """How a search ended, with its proof (tactics from the root on; None unless proved), its tree and its costs."""

    status: SearchStatus
    proof: tuple[str, ...] | None
    tree: Tree
    spent: Spent
