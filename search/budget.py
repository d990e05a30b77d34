"""What a search may spend, what it has spent, and how it ended.

The unit is the expansion: one tactic sampled and checked by Lean. Every tactic that Lean was asked about counts, also
when it failed or led to a state that was known; what the policy suggested and nobody checked does not. Neither does a
tactic whose result is known from elsewhere (search.known): such repeats are counted for themselves. Strategies that
draw count every draw, as published: one that this search drew before is an expansion without work for Lean.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from lean_env.engine import ProofState, Session, TacticResult
from search.known import KnowingSession
from search.policy import MeteredPolicy, Policy
from search.tree import Edge, Tree

T = TypeVar("T")


class SearchStatus(StrEnum):
    """How a search ended."""

    PROVED = "proved"  # a proof was found and accepted
    EXHAUSTED = "exhausted"  # there is nothing left that the strategy would try
    BUDGET = "budget"  # the expansions are used up, or what else the budget limits but wall time
    WALL = "wall"  # the time is used up
    STOPPED = "stopped"  # another search proved the theorem


@dataclass(frozen=True)
class Spent:
    """What a search has used. Seconds in Lean, in the policy, and in all; model figures are 0 without a model.

    Seconds in Lean and in the policy have the waiting for a free process or batch in them; those in Lean are of tactics
    alone, without the verification of what was found.
    The edges of the tree are `expansions` - `redraws` + `repeats`.
    """

    expansions: int = 0
    redraws: int = 0  # expansions that drew a tactic anew whose result this search knew
    repeats: int = 0  # tactics whose result another search had got from Lean; no expansions
    policy_calls: int = 0
    model_calls: int = 0
    model_tokens: int = 0  # read and written, a prompt once for a request
    flops: int = 0  # 2 x parameters x tokens
    lean_s: float = 0.0
    policy_s: float = 0.0
    wall_s: float = 0.0


class Turns(Protocol):
    """What a search takes turns by with others that share its budget; a turn is one tactic tried."""

    async def wait(self) -> SearchStatus | None:
        """Wait for a turn. How the search is to end where there will be none, else None."""
        ...

    def over(self, edge: Edge, expansions: int) -> None:
        """The turn that was waited for was spent on `edge`, at the cost of 0 or 1 expansions."""
        ...


@dataclass(frozen=True)
class Budget:
    """The limits of one search, by the names that they have in Spent; None is no limit.

    `expansions` is never exceeded. The others are looked at before each request, so the search ends within one request
    of them. Seconds depend on the machine: a search that is to be repeatable leaves them out. Where there are `turns`,
    the search waits for one before each tactic. Raises ValueError for limits below zero.
    """

    expansions: int
    wall_s: float | None = None
    lean_s: float | None = None
    model_calls: int | None = None
    model_tokens: int | None = None
    flops: float | None = None
    turns: Turns | None = None

    def __post_init__(self) -> None:
        if below := [f"{name} {limit}" for name, limit in self.limits.items() if not limit >= 0]:
            raise ValueError(f"a budget cannot be negative or no number: {', '.join(below)}")

    @property
    def limits(self) -> dict[str, float]:
        """The limits that are set, by their names."""
        names = (each.name for each in fields(self) if each.name != "turns")
        return {name: limit for name in names if (limit := getattr(self, name)) is not None}

    def share(self, members: int) -> Budget:
        """What the first of `members` may spend when all get equal parts; whole numbers are rounded up."""
        return self._with({n: -(-v // members) if isinstance(v, int) else v / members for n, v in self.limits.items()})

    def left(self, spent: Spent) -> Budget:
        """What there still is after `spent`."""
        return self._with({name: max(0, limit - getattr(spent, name)) for name, limit in self.limits.items()})

    def split(self, members: int) -> list[Budget]:
        """Equal parts for `members`, which together are this budget; what cannot be split evenly goes to the first."""
        parts, left = [], self
        for waiting in range(members, 0, -1):
            parts.append(left.share(waiting))
            amounts: dict[str, Any] = parts[-1].limits
            left = left.left(Spent(**amounts))
        return parts

    def _with(self, limits: Mapping[str, Any]) -> Budget:
        return replace(self, **limits)


class Meter:
    """Counts what one search spends against its budget, from its construction on."""

    def __init__(self, budget: Budget, policy: Policy) -> None:
        self._expansions_limit = budget.expansions
        self._other_limits = {name: limit for name, limit in budget.limits.items() if name != "expansions"}
        self._policy = policy if isinstance(policy, MeteredPolicy) else None
        self._start = time.perf_counter()
        self._expansions = self._redraws = self._repeats = self._policy_calls = 0
        self._lean_s = self._policy_s = 0.0
        self._before = self._model()

    @property
    def expansions(self) -> int:
        """Spent until now."""
        return self._expansions

    @property
    def limit(self) -> SearchStatus | None:
        """The limit that has been reached, if any."""
        if self._expansions >= self._expansions_limit:
            return SearchStatus.BUDGET
        if self._other_limits:
            spent = self.spent()
            for name, limit in self._other_limits.items():
                if getattr(spent, name) >= limit:
                    return SearchStatus.WALL if name == "wall_s" else SearchStatus.BUDGET
        return None

    async def lean(self, session: Session, state: ProofState, tactic: str) -> tuple[TacticResult, float]:
        """Run a tactic: an expansion, or a repeat; its result and its seconds, waiting for a process included."""
        start = time.perf_counter()
        if isinstance(session, KnowingSession) and session.knows(state, tactic):
            self._repeats += 1
        else:
            self._expansions += 1
        result = await session.run(state, tactic)
        seconds = time.perf_counter() - start
        self._lean_s += seconds
        return result, seconds

    def blank(self) -> None:
        """Count one expansion for what is no tactic: there is nothing to ask Lean."""
        self._expansions += 1

    def redraw(self) -> None:
        """Count one expansion for a draw whose result this search knows."""
        self._expansions += 1
        self._redraws += 1

    async def policy(self, request: Awaitable[T]) -> T:
        """Await one request to the policy."""
        start = time.perf_counter()
        suggestions = await request
        self._policy_calls += 1
        self._policy_s += time.perf_counter() - start
        return suggestions

    def spent(self) -> Spent:
        """The counters as of now."""
        calls, tokens, flops = (now - before for now, before in zip(self._model(), self._before, strict=True))
        return Spent(
            self._expansions,
            self._redraws,
            self._repeats,
            self._policy_calls,
            calls,
            tokens,
            flops,
            self._lean_s,
            self._policy_s,
            time.perf_counter() - self._start,
        )

    def _model(self) -> tuple[int, int, int]:
        """Calls, tokens and operations of the policy's model until now."""
        if self._policy is None:
            return 0, 0, 0
        use = self._policy.use
        return use.calls, use.tokens, use.flops


@dataclass(frozen=True)
class SearchResult:
    """How a search ended, with its proof (tactics from the root on; None unless proved), its tree and its costs."""

    status: SearchStatus
    proof: tuple[str, ...] | None
    tree: Tree
    spent: Spent
