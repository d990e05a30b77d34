"""How throughput grows with the workers of a cluster: real raylets on this machine, Lean and model simulated.

    python -m benchmarks.perf_cluster [--workers 1 2 4 8 16 32 64] [--rounds 3]

A worker is a Lean pool of sixteen processes; sixteen workers are a node, with a GPU and a copy of the model for every
four of them. A tactic takes an exponential time of mean 0.5 s in a Lean process, which does nothing else meanwhile; a
request for eight tactics takes two seconds of the model. Placement, actors, calls, the common queue and the store are
the real ones. Every size searches as many theorems for each of its workers, none of which is ever proved; the rate is
the expansions over the time from the first theorem to the last result, tail included. Efficiency is the rate over
that of the smallest size times their ratio. All processes share the cores of this machine, and an actor that does
nothing takes a hundredth of one: the processor time of an expansion says how much of the loss is this machine's.
Prints one JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import psutil
import ray
from ray.cluster_utils import Cluster as Machines
from tqdm import tqdm

from benchmarks.registry import Benchmark
from lean_env.engine import (
    Engine,
    EngineInfo,
    Failed,
    FailureKind,
    ProofState,
    Session,
    TacticResult,
    Theorem,
    Verdict,
    VerdictKind,
)
from lean_env.process import Statistics
from prover.cluster.blueprint import PROCESSES_PER_POOL, Blueprint, Layout, ModelSet
from prover.cluster.cluster import join
from prover.records import Member
from prover.run import SPARE_SEARCHES, Accept, Plan, Planned, settings
from prover.store import Store
from search.best_first import best_first
from search.budget import Budget, SearchResult
from search.policy import Policy, Suggestion
from search.tree import SUM

if TYPE_CHECKING:
    from prover.parts import Say
    from prover.policy.batching import Source  # imports torch, which the actors need not

TACTIC_S, ANSWER_S = 0.5, 2.0
WIDTH, BUDGET = 8, 32  # tactics of a request, expansions of a theorem
WORKERS_OF_NODE, WORKERS_OF_GPU = 16, 4
STORE_BYTES = 100 * 2**20  # of Ray's objects on a node: nothing here needs more
FAILED = 0.5


class Lean:
    """An engine of so many processes, each of which runs one tactic at a time."""

    info = EngineInfo("simulated", "1", mathlib=False, imports=())

    def __init__(self, processes: int) -> None:
        self.pool = self
        self.statistics = Statistics()
        self.free = asyncio.Semaphore(processes)

    async def open(self, theorem: Theorem) -> Opened:
        """A session."""
        return Opened(self, theorem)

    async def verify(self, theorem: Theorem, proof: str) -> Verdict:
        """Nothing is proved here."""
        return Verdict(VerdictKind.FAILED)

    def standalone(self, theorem: Theorem, proof: str) -> str:
        """The proof alone."""
        return proof

    async def close(self) -> None:
        """Nothing to release."""


class Opened:
    """A session whose tactics fail, or lead to a new state."""

    def __init__(self, lean: Lean, theorem: Theorem) -> None:
        self._lean, self._random, self._states = lean, random.Random(theorem.name), 0
        self.root = ProofState(0, (f"⊢ {theorem.name}",))

    async def run(self, state: ProofState, tactic: str) -> TacticResult:
        """The result, after the time that a tactic takes."""
        async with self._lean.free:
            await asyncio.sleep(self._random.expovariate(1 / TACTIC_S))
        if self._random.random() < FAILED:
            return Failed(FailureKind.ERROR, "the tactic failed")
        self._states += 1
        return ProofState(self._states, (f"{state.text} {self._states}",))

    async def close(self) -> None:
        """Nothing to release."""


class Model:
    """What a copy of the model is: its answers take two seconds, however many are asked for at once."""

    async def ask(self, state: str) -> Sequence[Suggestion]:
        """The tactics for a state."""
        await asyncio.sleep(ANSWER_S)
        return [Suggestion(f"tactic {n}", -1.0 - n) for n in range(WIDTH)]

    async def close(self) -> None:
        """Nothing to release."""


class Asking:
    """The policy: asks a copy."""

    def __init__(self, model: Any, seed: int) -> None:
        self._model = model

    async def suggest(self, state: str, n: int) -> Sequence[Suggestion]:
        """The model's answer."""
        answer: Sequence[Suggestion] = await self._model.ask(state)
        return answer[:n]


async def _engine(processes: int, say: Say) -> Lean:
    return Lean(processes)


async def _search(session: Session, policy: Policy, budget: Budget, accept: Accept) -> SearchResult:
    return await best_first(session, policy, budget, priority=SUM, width=WIDTH, accept=accept)


def _plan(sources: Mapping[str, Source]) -> Plan:
    return Plan(
        Budget(BUDGET), 0, 10.0, (Planned(Member("model", "best-first"), partial(Asking, sources["model"]), _search),)
    )


@contextmanager
def _machines(workers: int) -> Iterator[Machines]:
    """A cluster of nodes with sixteen workers, or fewer on the last; what steers it has a node of its own."""
    machines = Machines(
        initialize_head=True,
        head_node_args={"num_cpus": 0, "include_dashboard": False, "object_store_memory": STORE_BYTES},
    )
    try:
        for first in range(0, workers, WORKERS_OF_NODE):
            here = min(WORKERS_OF_NODE, workers - first)
            machines.add_node(
                num_cpus=here * PROCESSES_PER_POOL, num_gpus=-(-here // WORKERS_OF_GPU), object_store_memory=STORE_BYTES
            )
        yield machines
    finally:
        machines.shutdown()


def _cpu_s() -> float:
    """Processor seconds of all that there is of the cluster and of this process."""
    this = psutil.Process()
    return sum(sum(process.cpu_times()[:2]) for process in [this, *this.children(recursive=True)])


async def _rate(address: str, workers: int, rounds: int, out: Path) -> tuple[float, float]:
    """Expansions a second with so many workers, all of them at work, and processor seconds of an expansion."""
    blueprint = Blueprint(_engine, _plan, {"model": ModelSet(lambda: cast("Source", Model()), lambda: cast(Any, None))})
    lanes = workers * (PROCESSES_PER_POOL + SPARE_SEARCHES)
    theorems = tuple(Theorem(f"t{n}", f"theorem t{n} : x := by sorry", split="valid") for n in range(rounds * lanes))
    plan = _plan({"model": cast("Source", Model())})
    complete = asyncio.Event()
    copies = 0

    def say(line: str) -> None:
        nonlocal copies
        copies += "a copy of" in line
        if copies == -(-workers // WORKERS_OF_GPU):
            complete.set()

    with closing(Store(out)) as store:
        async with join(address, blueprint, Layout(), say) as cluster:
            await complete.wait()
            known = cast(Engine, cluster)
            benchmark = Benchmark("simulated", theorems, "0", "")
            store.begin(settings(benchmark, known, plan), [plan.members[0].member], theorems, fresh=False)
            began, used = time.perf_counter(), _cpu_s()
            with tqdm(total=len(theorems), desc=f"{workers} workers", unit="theorem") as bar:
                await cluster.prove_all(plan, store, lambda _: cast(None, bar.update()))
            took, used = time.perf_counter() - began, _cpu_s() - used
        expansions = sum(finding.attempt.expansions for finding in store.findings() if finding.attempt)
        return expansions / took, used / expansions


def main() -> None:
    """Run every size once and print the rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32, 64], help="sizes to measure")
    parser.add_argument("--rounds", type=int, default=3, help="theorems for each search that runs at a time")
    options = parser.parse_args()

    # Its actors are other processes of the same program.
    os.environ.update(PYTHONPATH=str(Path(__file__).parents[1]), RAY_USAGE_STATS_ENABLED="0")
    rates: dict[int, float] = {}
    costs: dict[int, float] = {}
    for workers in options.workers:
        with _machines(workers) as machines, tempfile.TemporaryDirectory() as folder:
            rates[workers], costs[workers] = asyncio.run(_rate(machines.address, workers, options.rounds, Path(folder)))
        print(f"{workers} workers: {rates[workers]:.1f} expansions/s", file=sys.stderr)
    smallest = min(rates)
    print(
        json.dumps(
            {
                "benchmark": "cluster",
                "cores": os.cpu_count(),
                "ray": ray.__version__,
                "expansions_per_s": {workers: round(rate, 1) for workers, rate in rates.items()},
                "cpu_ms_per_expansion": {workers: round(1000 * cost, 2) for workers, cost in costs.items()},
                "efficiency": {
                    workers: round(rate / workers / (rates[smallest] / smallest), 3) for workers, rate in rates.items()
                },
            }
        )
    )


if __name__ == "__main__":
    main()
