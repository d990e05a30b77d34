"""The parts that a command puts together from its options: engine, policy, and the plan of the search.

They are imported when they are asked for, so that `prove --help` does not wait for them.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import typer

from prover.options import (
    DEFAULT_TEMPERATURE,
    DRAWING,
    HOTTEST_SERVED,
    PORTFOLIO,
    SERVED,
    SHIPPED,
    BackendName,
    EngineName,
    EnsembleName,
    InputError,
    SandboxMode,
    StrategyName,
)

if TYPE_CHECKING:
    from benchmarks.registry import Benchmark
    from lean_env.embedded.engine import EmbeddedEngine, Limits
    from prover.ensembles import Ensemble
    from prover.policy.shelf import Shelved
    from prover.policy.vllm import VllmSettings
    from prover.records import Member
    from prover.run import Plan, PolicyFactory, StandaloneEngine
    from prover.store import Store
    from prover.strategies import StrategyOptions

    Opener = Callable[..., list[Shelved]]  # such as prover.policy.shelf.open_models
    Proving = Callable[[Store, bool], Coroutine[Any, Any, dict[str, Any]]]  # from the store, and whether it is fresh

    Say = Callable[[str], None]  # hears of what a user should know
    NativeStart = Callable[[int, float, Say], Awaitable[StandaloneEngine]]  # from workers, and seconds of a tactic


def tell(line: str) -> None:
    """Say it to whoever started the program."""
    typer.echo(line, err=True)


async def start_engine(workers: int, limits: Limits) -> EmbeddedEngine:
    """The embedded engine, installed first where it is missing. Raises EngineError."""
    from lean_env.embedded import install as embedded
    from lean_env.embedded.engine import EmbeddedEngine
    from prover.progress import InstallBar

    with closing(InstallBar()) as bar:
        embedded.install(bar.show)
    return await EmbeddedEngine.start(workers, limits)


async def engine_of(
    benchmark: Benchmark, workers: int, timeout_s: float, native: NativeStart | None = None, say: Say = tell
) -> StandaloneEngine:
    """The engine for a benchmark: LeanDojo for theorems of a traced repository, else `native` where it is given.

    Raises EngineError.
    """
    from benchmarks.leandojo import TracedBenchmark

    if isinstance(benchmark, TracedBenchmark):
        from lean_env.leandojo import engine as leandojo

        if native is not None:
            raise InputError("theorems of a traced repository are proved in LeanDojo: leave --engine out")

        say(
            "no sandbox around LeanDojo, tactics can reach this machine: "
            "run prove in a container without network if you do not trust the model"
        )
        limits = leandojo.Limits(timeout_s)
        return await leandojo.LeanDojoEngine.start(benchmark.repository, benchmark.places, workers, limits)
    return await own_engine(native, workers, timeout_s, say)


async def own_engine(native: NativeStart | None, workers: int, timeout_s: float, say: Say = tell) -> StandaloneEngine:
    """The native engine where it is given, else the embedded one. Raises EngineError."""
    from lean_env.embedded.engine import Limits

    return await native(workers, timeout_s, say) if native else await start_engine(workers, Limits(timeout_s))


def native_engine(options: Mapping[str, Any]) -> NativeStart | None:
    """What starts the native engine, or None where the embedded one is asked for. Raises InputError."""
    given = [name for name in ("repl", "project", "lean_memory", "sandbox") if options[name] is not None]
    if options["engine"] is EngineName.EMBEDDED:
        if given:
            raise InputError(f"--{given[0].replace('_', '-')} is for a native Lean: give --engine repl with it")
        return None
    if options["project"] is None:
        raise InputError("--engine repl needs the folder of a Lean project: give --project DIR")
    return partial(_start_native, options)


async def _start_native(options: Mapping[str, Any], workers: int, timeout_s: float, say: Say) -> StandaloneEngine:
    from lean_env.engine import EngineError
    from lean_env.native import engine, sandbox
    from lean_env.native.project import open_project

    mode = options["sandbox"] or SandboxMode.AUTO
    project = open_project(options["project"], options["repl"])
    tool, why_not = (None, "") if mode is SandboxMode.OFF else sandbox.find(project.folder)
    if why_not and mode is SandboxMode.REQUIRED:
        raise EngineError(f"no sandbox ({why_not}): install bubblewrap, or leave --sandbox required out")
    if why_not:
        say(f"no sandbox, tactics can reach this machine ({why_not}): install bubblewrap")
    limits = engine.Limits(timeout_s, options["lean_memory"] or engine.Limits().memory_mb)
    return await engine.NativeEngine.start(project, workers, limits, tool)


def cluster_run(options: Mapping[str, Any], benchmark: Benchmark) -> Proving | None:
    """What proves a benchmark on a cluster, or None where the run stays on this machine. Raises InputError."""
    if options["ray"] is None:
        for name in ("gpus_per_policy", "lean_per_node"):
            if options[name] is not None:
                raise InputError(f"--{name.replace('_', '-')} is for a cluster: give --ray auto with it")
        return None
    if find_spec("ray") is None:
        raise InputError("Ray is not installed: pip install -e '.[ray]'")
    from prover.cluster.wiring import run_of

    return run_of(options, benchmark)


def plan(options: Mapping[str, Any], opener: Opener | None = None) -> Plan:
    """How a search goes, from the options of a command by their names; `opener` opens the models, by default here.

    Raises InputError and ModelError.
    """
    from prover.run import Plan, Planned
    from prover.strategies import chosen, label, strategy
    from search.budget import Budget

    name = _scheduler(options, chosen(options))
    limits = {name: options[name] for name in ("wall_s", "lean_s", "model_calls", "model_tokens", "flops")}
    if options["apart"] and (
        set_ := [name for name, value in limits.items() if value is not None and name != "wall_s"]
    ):
        raise InputError(f"--apart goes with --budget and --wall-s: leave out --{set_[0].replace('_', '-')}")
    try:
        budget = Budget(options["budget"], **limits)
    except ValueError as error:
        raise InputError(str(error)) from error
    if options["flops"] is not None and any(name.startswith(SERVED) for name in options["policy"]):
        raise InputError("--flops goes by a model's size, which a server does not tell: give --model-tokens instead")
    options, seed = one_each(options), options["seed"]
    own = policies(options["policy"], options["temperature"], options["beams"], vllm_settings(options), opener)
    hows = chosen(options) if len(options["strategy"]) > 1 else chosen(options) * len(own)
    members = [
        Planned(replace(member, strategy=label(how)), policy, strategy(how, seed))
        for (member, policy), how in zip(own, hows, strict=True)
    ]
    return Plan(
        budget, seed, options["timeout"], tuple(members), ensemble(name, options, [one.member for one in members])
    )


def one_each(options: Mapping[str, Any]) -> dict[str, Any]:
    """`options` with the program's own models spelled out, and their strategies with them where there are several.

    Raises ModelError.
    """
    names, strategies = options["policy"], options["strategy"]
    if len(strategies) == 1:
        return {**options, "policy": spelled_out(names)}
    pairs = [(each, how) for name, how in zip(names, strategies, strict=True) for each in spelled_out([name])]
    return {**options, "policy": [name for name, _ in pairs], "strategy": [how for _, how in pairs]}


def ensemble(name: EnsembleName, options: Mapping[str, Any], members: Sequence[Member]) -> Ensemble:
    """How `members` share the budget, by the scheduler `name`. Raises InputError."""
    from prover.ensembles import Ensemble
    from prover.schedule_command import read_schedule

    calibration, schedule = options["calibration"], options["schedule"]
    if name is EnsembleName.SHARED:
        return Ensemble(name, temperatures=_temperatures(calibration, len(members)))
    if name is EnsembleName.ADAPTIVE:
        learned = read_schedule(schedule, members, options["budget"])
        return Ensemble(name, schedule=learned.schedule, learned_from=frozenset(learned.theorems))
    return Ensemble(name)


def _scheduler(options: Mapping[str, Any], strategies: Sequence[StrategyOptions]) -> EnsembleName:
    """The one asked for; unless given, the common queue where there is a queue of states, as best-first has one.

    Raises InputError for options that do not go with it, before anything is loaded.
    """
    name, names, how = options["ensemble"], options["policy"], strategies[0]
    if len(strategies) not in (1, len(names)):
        raise InputError(f"--strategy {len(strategies)} times, --policy {len(names)} times: give one, or one for each")
    if name is None:
        several, queued = len(names) > 1 or SHIPPED in names, {StrategyName.BEST_FIRST}
        together = several and {one.name for one in strategies} == queued and not options["apart"]
        name = EnsembleName.SHARED if together else EnsembleName.EQUAL
    if options["apart"] and name is not EnsembleName.EQUAL:
        raise InputError(f"--apart does not go with --ensemble {name}: leave one of them out")
    for option, taker in (("calibration", EnsembleName.SHARED), ("schedule", EnsembleName.ADAPTIVE)):
        if options[option] is not None and name is not taker:
            raise InputError(f"--{option} goes with --ensemble {taker}: give that too, or leave it out")
    if name is EnsembleName.SHARED and len(set(strategies)) > 1:
        raise InputError("--ensemble shared is one tree with one --strategy: give one, or --ensemble equal")
    if name is EnsembleName.SHARED and how.name in DRAWING:
        raise InputError(
            f"--ensemble shared has policies list their tactics, and {how.name} draws: give --ensemble equal"
        )
    if name is EnsembleName.ADAPTIVE and options["schedule"] is None:
        raise InputError("--ensemble adaptive needs --schedule FILE: make one with prove schedule")
    return EnsembleName(name)


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


def vllm_settings(options: Mapping[str, Any]) -> VllmSettings | None:
    """How vLLM is to run the models, or None where it is not. Raises InputError."""
    given = {name: options[name] for name in ("tensor_parallel", "gpu_memory", "max_model_len") if options.get(name)}
    if options.get("backend") != BackendName.VLLM:
        if given:
            raise InputError(f"--{next(iter(given)).replace('_', '-')} is for vLLM: give --backend vllm with it")
        return None
    from prover.policy.vllm import VllmSettings

    theirs = {"tensor_parallel": "tensor_parallel_size", "gpu_memory": "gpu_memory_utilization"}
    return VllmSettings(**{theirs.get(name, name): value for name, value in given.items()})


def spelled_out(names: Sequence[str]) -> list[str]:
    """`names` with folders in place of the program's own models. Raises ModelError.

    It is prover.policy.shelf's, which takes a second to import: the portfolio alone does without.
    """
    if set(names) == {PORTFOLIO}:
        return list(names)
    from prover.policy import shelf

    return shelf.spelled_out(names)


def policies(
    names: Sequence[str],
    temperature: float | None = None,
    beams: int | None = None,
    vllm: VllmSettings | None = None,
    opener: Opener | None = None,
) -> list[tuple[Member, PolicyFactory]]:
    """What makes the policies that `names` name, in their order; `names` are spelled out.

    Models are drawn from at `temperature`, or give the likeliest tactics of so many `beams`; with `vllm`, vLLM runs
    those that no server runs. Raises InputError for what does not go together, and ModelError.
    """
    from prover.policy.portfolio import Portfolio
    from prover.records import Member

    if beams is not None and temperature is not None:
        raise InputError("--beams draws nothing, so it has no --temperature: leave one of them out")
    if vllm is not None or any(name.startswith(SERVED) for name in names):
        if beams is not None:
            raise InputError("--beams goes with transformers alone: leave it out, or --backend vllm and servers")
        if temperature is not None and temperature > HOTTEST_SERVED:
            raise InputError(f"--temperature is at most {HOTTEST_SERVED} with vLLM and servers: lower it")
    models = _models([name for name in names if name != PORTFOLIO], temperature, beams, vllm, opener)
    portfolio = (Member(PORTFOLIO, ""), lambda seed: Portfolio())
    return [portfolio if name == PORTFOLIO else next(models) for name in names]


def _models(
    names: Sequence[str],
    temperature: float | None,
    beams: int | None,
    vllm: VllmSettings | None,
    opener: Opener | None,
) -> Iterator[tuple[Member, PolicyFactory]]:
    """The policies of models, which are loaded when the first is asked for; their names tell how they are used."""
    from prover.policy.shelf import open_models
    from prover.policy.transformers import BeamPolicy, TransformersPolicy
    from prover.records import Member

    drawn_at = DEFAULT_TEMPERATURE if temperature is None else temperature
    unusual = f", temperature {drawn_at:g}" if drawn_at != DEFAULT_TEMPERATURE else ""

    def writing(model: Shelved) -> PolicyFactory:
        if beams is not None:
            return lambda seed: BeamPolicy(model.batcher, model.adapter, width=beams)
        return lambda seed: TransformersPolicy(model.batcher, model.adapter, seed=seed, temperature=drawn_at)

    for model in (opener or open_models)(names, vllm=vllm):
        yield Member(model.name + (unusual if beams is None else f", beams {beams}"), "", model.n_eff), writing(model)
