"""The parts that a command puts together from its options: engine, policy, and the plan of the search.

They are imported when they are asked for, so that `prove --help` does not wait for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from prover.options import DEFAULT_ALPHA, DEFAULT_TEMPERATURE, PORTFOLIO, SHIPPED, InputError, PriorityName

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
    temperature: float | None,
    beams: int | None,
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
        Planned(replace(member, strategy=name), policy, strategy)
        for member, policy in policies(names, temperature, beams)
    ]
    return Plan(budget, seed, timeout_s, tuple(members))


def policies(
    names: Sequence[str], temperature: float | None = None, beams: int | None = None
) -> list[tuple[Member, PolicyFactory]]:
    """What makes the policies that `names` name, in their order; `shipped` names several.

    Models are drawn from at `temperature`, or give the likeliest tactics of so many `beams`. Raises InputError for
    both, and ModelError.
    """
    from prover.policy.portfolio import Portfolio
    from prover.records import Member

    if beams is not None and temperature is not None:
        raise InputError("--beams draws nothing, so it has no --temperature: leave one of them out")
    if SHIPPED in names:
        from prover.policy.shelf import shipped

        names = [each for name in names for each in (shipped() if name == SHIPPED else [name])]
    models = _models([name for name in names if name != PORTFOLIO], temperature, beams)
    portfolio = (Member(PORTFOLIO, ""), lambda seed: Portfolio())
    return [portfolio if name == PORTFOLIO else next(models) for name in names]


def _models(
    names: Sequence[str], temperature: float | None, beams: int | None
) -> Iterator[tuple[Member, PolicyFactory]]:
    """The policies of models, which are loaded when the first is asked for; their names tell how they are used."""
    from prover.policy.shelf import Shelved, open_models
    from prover.policy.transformers import BeamPolicy, TransformersPolicy
    from prover.records import Member

    drawn_at = DEFAULT_TEMPERATURE if temperature is None else temperature
    unusual = f", temperature {drawn_at:g}" if drawn_at != DEFAULT_TEMPERATURE else ""

    def writing(model: Shelved) -> PolicyFactory:
        if beams is not None:
            return lambda seed: BeamPolicy(model.batcher, model.adapter, width=beams)
        return lambda seed: TransformersPolicy(model.batcher, model.adapter, seed=seed, temperature=drawn_at)

    for model in open_models(names):
        yield Member(model.name + (unusual if beams is None else f", beams {beams}"), "", model.n_eff), writing(model)


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
