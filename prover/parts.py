"""The parts that a command puts together from its options: engine, policy, and the plan of the search.

They are imported when they are asked for, so that `prove --help` does not wait for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from prover.options import DEFAULT_ALPHA, PORTFOLIO, SHIPPED, InputError, PriorityName

if TYPE_CHECKING:
    from lean_env.embedded.engine import EmbeddedEngine, Limits
    from lean_env.engine import Session
    from prover.records import Member
    from prover.run import Accept, Plan, PolicyFactory, Strategy
    from search.budget import Budget, SearchResult
    from search.policy import Policy


async def start_engine(workers: int, limits: Limits) -> EmbeddedEngine:
    """The embedded engine, installed first where it is missing. Raises EngineError."""
    from lean_env.embedded import install as embedded
    from lean_env.embedded.engine import EmbeddedEngine
    from prover.progress import InstallBar

    with closing(InstallBar()) as bar:
        embedded.install(bar.show)
    return await EmbeddedEngine.start(workers, limits)


def plan(
    names: Sequence[str],
    temperature: float,
    budget: int,
    seed: int,
    width: int,
    priority: PriorityName,
    alpha: float | None,
    timeout_s: float,
) -> Plan:
    """How a search goes, from the options of a command. Raises InputError and ModelError."""
    from prover.run import Plan, Planned

    name, strategy = _best_first(width, priority, alpha)
    members = [
        Planned(replace(member, strategy=name), policy, strategy) for member, policy in policies(names, temperature)
    ]
    return Plan(budget, seed, timeout_s, tuple(members))


def policies(names: Sequence[str], temperature: float) -> list[tuple[Member, PolicyFactory]]:
    """What makes the policies that `names` name, in their order; `shipped` names several. Raises ModelError."""
    from prover.policy.portfolio import Portfolio
    from prover.records import Member

    if SHIPPED in names:
        from prover.policy.shelf import shipped

        names = [each for name in names for each in (shipped() if name == SHIPPED else [name])]
    models = _models([name for name in names if name != PORTFOLIO], temperature)
    portfolio = (Member(PORTFOLIO, ""), lambda seed: Portfolio())
    return [portfolio if name == PORTFOLIO else next(models) for name in names]


def _models(names: Sequence[str], temperature: float) -> Iterator[tuple[Member, PolicyFactory]]:
    """The policies of models, which are loaded when the first is asked for."""
    from prover.policy.shelf import Shelved, open_models
    from prover.policy.transformers import TransformersPolicy
    from prover.records import Member

    def drawing(model: Shelved) -> PolicyFactory:
        return lambda seed: TransformersPolicy(model.batcher, model.adapter, seed=seed, temperature=temperature)

    for model in open_models(names):
        yield Member(model.name, "", model.n_eff), drawing(model)


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
