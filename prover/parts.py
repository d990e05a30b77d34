"""The parts that a command puts together from its options: engine, policy, and the plan of the search.

They are imported when they are asked for, so that `prove --help` does not wait for them.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from prover.options import DEFAULT_ALPHA, DEFAULT_TIMEOUT_S, InputError, PriorityName

if TYPE_CHECKING:
    from lean_env.engine import Session
    from prover.run import Accept, Plan, StandaloneEngine, Strategy
    from search.budget import Budget, SearchResult
    from search.policy import Policy


async def start_engine(workers: int, timeout_s: float = DEFAULT_TIMEOUT_S) -> StandaloneEngine:
    """The embedded engine, installed first where it is missing. Raises EngineError."""
    from lean_env.embedded import install as embedded
    from lean_env.embedded.engine import EmbeddedEngine
    from prover.progress import InstallBar

    with closing(InstallBar()) as bar:
        embedded.install(bar.show)
    return await EmbeddedEngine.start(workers, timeout_s=timeout_s)


def make_policy(seed: int) -> Policy:
    """The policy for one theorem, from its seed. The portfolio gives the same tactics with every seed."""
    from prover.policy.portfolio import Portfolio

    return Portfolio()


def plan(budget: int, seed: int, width: int, priority: PriorityName, alpha: float | None, timeout_s: float) -> Plan:
    """How a search goes, from the options of a command. Raises InputError."""
    from prover.records import Member
    from prover.run import Plan, Planned

    name, strategy = _best_first(width, priority, alpha)
    member = Planned(Member(policy="portfolio", strategy=name), make_policy, strategy)
    return Plan(budget, seed, timeout_s, (member,))


def _best_first(width: int, priority: PriorityName, alpha: float | None) -> tuple[str, Strategy]:
    """Best-first search with these options, and how it is called."""
    from search.best_first import best_first
    from search.tree import MEAN, SUM, Priority

    if alpha is not None and priority is not PriorityName.LENGTH:
        raise InputError(f"--alpha goes with --priority length, not with {priority.value}: leave one of them out")
    order = {
        PriorityName.SUM: SUM,
        PriorityName.MEAN: MEAN,
        PriorityName.LENGTH: Priority(DEFAULT_ALPHA if alpha is None else alpha),
    }[priority]

    async def search(session: Session, policy: Policy, budget: Budget, accept: Accept) -> SearchResult:
        return await best_first(session, policy, budget, priority=order, width=width, accept=accept)

    shown = f"length {order.alpha:g}" if priority is PriorityName.LENGTH else priority.value
    return f"best-first, {shown}, width {width}", search
