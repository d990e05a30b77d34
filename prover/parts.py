"""The parts that a command puts together from its options: engine, policy, and the plan of the search.

They are imported when they are asked for, so that `prove --help` does not wait for them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from prover.options import DEFAULT_TEMPERATURE, PORTFOLIO, SHIPPED, EnsembleName, InputError

if TYPE_CHECKING:
    from lean_env.embedded.engine import EmbeddedEngine, Limits
    from prover.ensembles import Ensemble
    from prover.records import Member
    from prover.run import Plan, PolicyFactory
    from prover.strategies import StrategyOptions


async def start_engine(workers: int, limits: Limits) -> EmbeddedEngine:
    """The embedded engine, installed first where it is missing. Raises EngineError."""
    from lean_env.embedded import install as embedded
    from lean_env.embedded.engine import EmbeddedEngine
    from prover.progress import InstallBar

    with closing(InstallBar()) as bar:
        embedded.install(bar.show)
    return await EmbeddedEngine.start(workers, limits)


def plan(options: Mapping[str, Any]) -> Plan:
    """How a search goes, from the options of a command by their names. Raises InputError and ModelError."""
    from prover.run import Plan, Planned
    from prover.strategies import label, strategy
    from search.budget import Budget

    how = strategy_options(options)
    limits = {name: options[name] for name in ("wall_s", "lean_s", "model_calls", "model_tokens", "flops")}
    try:
        budget = Budget(options["budget"], **limits)
    except ValueError as error:
        raise InputError(str(error)) from error
    seed = options["seed"]
    members = [
        Planned(replace(member, strategy=label(how)), policy, strategy(how, seed))
        for member, policy in policies(options["policy"], options["temperature"], options["beams"])
    ]
    return Plan(budget, seed, options["timeout"], tuple(members), ensemble(options, [p.member for p in members]))


def ensemble(options: Mapping[str, Any], members: Sequence[Member]) -> Ensemble:
    """How `members` share the budget, from the options of a command. Raises InputError."""
    from prover.ensembles import Ensemble
    from prover.schedule_command import read_schedule

    name, calibration, schedule = EnsembleName(options["ensemble"]), options["calibration"], options["schedule"]
    if options["apart"] and name is not EnsembleName.EQUAL:
        raise InputError(f"--apart does not go with --ensemble {name}: leave one of them out")
    for option, given, taker in (
        ("calibration", calibration, EnsembleName.SHARED),
        ("schedule", schedule, EnsembleName.ADAPTIVE),
    ):
        if given is not None and name is not taker:
            raise InputError(f"--{option} goes with --ensemble {taker}: give that too, or leave it out")
    if name is EnsembleName.SHARED:
        return Ensemble(name, temperatures=_temperatures(calibration, len(members)))
    if name is EnsembleName.ADAPTIVE:
        if schedule is None:
            raise InputError("--ensemble adaptive needs --schedule FILE: make one with prove schedule")
        return Ensemble(name, schedule=read_schedule(schedule, members))
    return Ensemble(name)


def _temperatures(calibration: str | None, members: int) -> tuple[float, ...]:
    try:
        given = (1.0,) * members if calibration is None else tuple(map(float, calibration.split(",")))
    except ValueError:
        given = ()
    if len(given) != members or not all(0 < each < math.inf for each in given):
        raise InputError(
            f"--calibration {calibration!r}: give {members} numbers above 0, one for each policy, as 1,0.8"
        )
    return given


def strategy_options(options: Mapping[str, Any]) -> StrategyOptions:
    """The strategy that the options of a command ask for. Raises InputError for those that do not go together."""
    from pydantic import ValidationError

    from prover.strategies import StrategyOptions

    given = {name: options[name] for name in StrategyOptions.model_fields if name in options}
    try:
        return StrategyOptions(**{**given, "name": options["strategy"], "shape": _widths(options["shape"])})
    except ValidationError as error:
        first = error.errors()[0]
        reason = first["msg"].removeprefix("Value error, ")  # begins with the option, unless a place is given
        raise InputError(f"--{': '.join([*map(str, first['loc'][:1]), reason])}") from error


def _widths(shape: str | None) -> tuple[int, ...] | None:
    if shape is None:
        return None
    widths = shape.split(",")
    if not all(width.isascii() and width.isdigit() and int(width) for width in widths):
        raise InputError(f"--shape {shape!r} has a width that is no whole number above 0: give such as 16,8,4,2")
    return tuple(map(int, widths))


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
