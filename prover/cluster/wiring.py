"""A run on a cluster from the options of the command."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from tqdm import tqdm

from prover import parts
from prover.cluster.blueprint import Blueprint, Layout
from prover.cluster.cluster import join
from prover.cluster.models import everywhere, model_sets, opened
from prover.cluster.replicas import Replicas
from prover.options import InputError
from prover.progress import RunBar
from prover.run import finish, settings

if TYPE_CHECKING:
    from benchmarks.registry import Benchmark
    from lean_env.engine import Engine
    from prover.parts import NativeStart, Proving, Say
    from prover.policy.batching import Source
    from prover.run import Plan, StandaloneEngine
    from prover.store import Store


def run_of(options: Mapping[str, Any], benchmark: Benchmark) -> Proving:
    """What proves `benchmark` on the cluster that `options` name. Raises InputError and ModelError."""
    blueprint = blueprint_of(options, benchmark)
    plan = blueprint.plan({name: Replicas(each.coder) for name, each in blueprint.models.items()})
    plan.ensemble.check_held_out(benchmark.theorems)
    return partial(_prove, options["ray"], blueprint, layout_of(options), benchmark, plan)


def blueprint_of(options: Mapping[str, Any], benchmark: Benchmark) -> Blueprint:
    """Engine, plan and models, such that any process can make them. Raises InputError and ModelError."""
    options = parts.one_each(options)
    files = {name: options[name].resolve() for name in ("project", "schedule") if options[name] is not None}
    options = {**options, **files, "policy": everywhere(options["policy"])}
    engine = partial(_engine, benchmark, options["timeout"], parts.native_engine(options))
    return Blueprint(engine, partial(_plan, options), model_sets(options["policy"], parts.vllm_settings(options)))


def layout_of(options: Mapping[str, Any]) -> Layout:
    """What the run takes of each node. Raises InputError."""
    wide, given = options["tensor_parallel"] or 1, options["gpus_per_policy"]
    if given is not None and given < wide and wide > 1:
        raise InputError(f"--tensor-parallel {wide} spreads a model over {wide} GPUs: give --gpus-per-policy {wide}")
    return Layout(wide if given is None else given, options["lean_per_node"])


async def _engine(
    benchmark: Benchmark, timeout_s: float, native: NativeStart | None, processes: int, say: Say
) -> StandaloneEngine:
    return await parts.engine_of(benchmark, processes, timeout_s, native, say)


def _plan(options: Mapping[str, Any], sources: Mapping[str, Source]) -> Plan:
    return parts.plan(options, partial(opened, sources))


async def _prove(
    address: str, blueprint: Blueprint, layout: Layout, benchmark: Benchmark, plan: Plan, store: Store, fresh: bool
) -> dict[str, Any]:
    """Prove the benchmark; returns the summary."""
    say = partial(tqdm.write, file=sys.stderr)
    if benchmark.notice:
        say(benchmark.notice)
    async with join(address, blueprint, layout, say) as cluster:
        engine = cast("Engine", cluster)  # of which only `info` is looked at
        store.begin(
            settings(benchmark, engine, plan), [p.member for p in plan.members], benchmark.theorems, fresh=fresh
        )
        with closing(RunBar(store.findings())) as bar:
            await cluster.prove_all(plan, store, bar.show)
        return finish(benchmark, engine, plan, store)
