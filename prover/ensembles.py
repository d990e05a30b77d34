"""How the members of a run share a theorem's budget: the schedulers of search.ensemble by name."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from lean_env.engine import Session, Theorem
from prover.options import EnsembleName, InputError
from search.adaptive import Schedule
from search.budget import Budget, SearchResult, SearchStatus, Spent
from search.ensemble import EnsembleResult, Pot, Purse, equal_split, taking_turns
from search.expansion import Accept
from search.mixture import Mixture
from search.policy import Policy
from search.tree import SUM, Tree

Strategy = Callable[[Session, Policy, Budget, Accept], Awaitable[SearchResult]]


@dataclass(frozen=True)
class Learned:
    """What `prove schedule` writes: a schedule, and what it was learned for and from.

    `members` are "policy, strategy" each, `budget` is in expansions a theorem, `theorems` are digests of statements.
    """

    members: tuple[str, ...]
    budget: int
    theorems: tuple[str, ...]
    schedule: Schedule


def digest(theorem: Theorem) -> str:
    """What a schedule knows a theorem by: generated ones may share a name, and LeanDojo's a statement."""
    return hashlib.sha256(f"{theorem.name}\n{theorem.statement}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Ensemble:
    """A scheduler. `temperatures`, one for each member, go with shared.

    `schedule` goes with adaptive, with the digests of the theorems that it was `learned_from`.
    """

    name: EnsembleName = EnsembleName.EQUAL
    temperatures: tuple[float, ...] = ()
    schedule: Schedule | None = None
    learned_from: frozenset[str] = frozenset()

    @property
    def settings(self) -> dict[str, Any]:
        """What may not change between two sittings of a run, as plain JSON values."""
        return {
            "ensemble": self.name.value,
            **({"calibration": list(self.temperatures)} if self.temperatures else {}),
            **({"schedule": hashlib.sha256(str(self.schedule).encode()).hexdigest()[:16]} if self.schedule else {}),
        }

    def check_held_out(self, theorems: Sequence[Theorem]) -> None:
        """Raises InputError where the schedule was learned from any of `theorems`: such figures tell nothing."""
        known = [theorem.name for theorem in theorems if digest(theorem) in self.learned_from]
        if known:
            raise InputError(
                f"--schedule was learned from {len(known)} of these {len(theorems)} theorems, {known[0]} first: prove"
                " others (another --split), or give another --schedule"
            )

    def wants(self, budget: Budget) -> int:
        """How many expansions beyond its budget a theorem can have a use for."""
        return max(0, self.schedule.most - budget.expansions) if self.schedule else 0

    async def search(
        self,
        strategies: Sequence[Strategy],
        policies: Sequence[Policy],
        session: Session,
        budget: Budget,
        accept: Accept,
        pot: Pot,
    ) -> EnsembleResult:
        """Search for a proof with member by member a strategy and a policy; shared has one strategy for all.

        With adaptive, a theorem may spend more than its budget of what those before it have left over in `pot`.
        """
        if self.name is EnsembleName.SHARED:
            mixture = Mixture(policies, self.temperatures)
            return mixture.shares(await strategies[0](session, mixture, budget, accept))

        async def member(strategy: Strategy, policy: Policy, part: Budget) -> SearchResult:
            return await strategy(session, policy, part, accept)

        members = [partial(member, *both) for both in zip(strategies, policies, strict=True)]
        if self.schedule:
            idle, playing = self.schedule.idle, self.schedule.without_idle()
            purse = Purse(budget.expansions, pot)
            most = replace(budget, expansions=budget.expansions + self.wants(budget))
            try:
                at_work = [member for place, member in enumerate(members) if place not in idle]
                results = iter((await taking_turns(at_work, most, playing.choose(), purse)).results)
            finally:
                purse.close()
            return EnsembleResult(
                tuple(_nothing(session) if place in idle else next(results) for place in range(len(members)))
            )
        return await (taking_turns if self.name is EnsembleName.ROUND_ROBIN else equal_split)(members, budget)


def _nothing(session: Session) -> SearchResult:
    """The search of a member that a schedule gives nothing: its model is not asked."""
    return SearchResult(SearchStatus.BUDGET, None, Tree(session.root, SUM), Spent())
