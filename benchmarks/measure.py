"""Measures many policies on one benchmark: which theorems each proves, and at which expansion.

    python -m benchmarks.measure --benchmark gym --split test --model DIR... --budget 256 --strategy rollouts --out FILE

Every policy searches every theorem with a budget of its own, as if it were alone. Lean is asked once for what several
of them try in the same state, which changes no figure and saves most of the time. FILE gains a line as each theorem is
finished, and the same command goes on where it was stopped. What ensembles would prove follows from the lines
(benchmarks/compare.py): a proof at expansion e of a member is in reach of every ensemble that gives the member e.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from benchmarks.registry import load
from lean_env.embedded.engine import Limits
from lean_env.engine import ProofState, Session, TacticResult, Theorem, UnsupportedStatement
from prover.parts import start_engine
from prover.policy.portfolio import Portfolio
from prover.policy.shelf import Shelved, open_models
from prover.policy.transformers import TransformersPolicy
from prover.run import Accept, StandaloneEngine, theorem_seed
from search.best_first import best_first
from search.budget import Budget, SearchResult
from search.known import KnownResults
from search.policy import Policy
from search.rollouts import rollouts
from search.tree import Priority
from train.corpus.kept import read_rows

LANES = 12  # theorems searched at once: enough to fill the model's batches
PORTFOLIO = "portfolio"
# Less than `prove` gives a tactic: what takes longer than a second is hardly ever what a small model needs.
FAST = Limits(timeout_s=4.0, heartbeats=8_000, memory_mb=1800)


class StrategyName(StrEnum):
    """How a policy is searched with."""

    ROLLOUTS = "rollouts"
    BEST_FIRST = "best-first"


@dataclass(frozen=True)
class Contestant:
    """A policy under a name; `model` None is the portfolio."""

    name: str
    model: Shelved | None
    temperature: float

    def policy(self, seed: int) -> Policy:
        """The policy for one theorem."""
        if self.model is None:
            return Portfolio()
        return TransformersPolicy(self.model.batcher, self.model.adapter, seed=seed, temperature=self.temperature)


@dataclass(frozen=True)
class Line:
    """One theorem, one contestant, one seed: `proved_at` is the expansion that proved it, None if none did."""

    theorem: str
    contestant: str
    seed: int
    proved_at: int | None
    expansions: int
    tokens: int


class _Alone:
    """A session that shares what is known with others and does not show it: every tactic is an expansion."""

    def __init__(self, known: KnownResults) -> None:
        self._known = known
        self.root = known.root

    async def run(self, state: ProofState, tactic: str) -> TacticResult:
        return await self._known.run(state, tactic)

    async def close(self) -> None:
        pass


async def measure(
    engine: StandaloneEngine,
    theorems: Sequence[Theorem],
    contestants: Sequence[Contestant],
    seeds: Sequence[int],
    budget: int,
    strategy: StrategyName,
    out: Path,
) -> None:
    """Let every contestant search every theorem with every seed, and write a Line for each to `out`."""
    done = {(line.theorem, line.contestant, line.seed) for line in read_lines(out)}
    queue = iter(theorems)
    with out.open("a", encoding="utf-8") as file, tqdm(total=len(theorems), unit="theorem", mininterval=5) as bar:

        async def lane() -> None:
            for theorem in queue:
                todo = [(c, s) for c in contestants for s in seeds if (theorem.name, c.name, s) not in done]
                for line in await _theorem(engine, theorem, todo, budget, strategy) if todo else ():
                    file.write(json.dumps(asdict(line)) + "\n")
                file.flush()
                bar.update()

        async with asyncio.TaskGroup() as lanes:
            for _ in range(LANES):
                lanes.create_task(lane())


async def _theorem(
    engine: StandaloneEngine,
    theorem: Theorem,
    todo: Sequence[tuple[Contestant, int]],
    budget: int,
    strategy: StrategyName,
) -> list[Line]:
    try:
        session = await engine.open(theorem)
    except UnsupportedStatement:
        return [Line(theorem.name, contestant.name, seed, None, 0, 0) for contestant, seed in todo]
    known, verdicts = KnownResults(session), dict[tuple[str, ...], bool]()

    async def accept(tactics: tuple[str, ...]) -> bool:
        if tactics not in verdicts:
            verdicts[tactics] = (await engine.verify(theorem, "\n".join(tactics))).proved
        return verdicts[tactics]

    async def line(contestant: Contestant, seed: int) -> Line:
        policy = contestant.policy(theorem_seed(seed, theorem.name))
        result = await _search(strategy, _Alone(known), policy, Budget(budget), accept)
        tokens = policy.model_tokens if isinstance(policy, TransformersPolicy) else 0
        proved_at = result.spent.expansions if result.proof else None
        return Line(theorem.name, contestant.name, seed, proved_at, result.spent.expansions, tokens)

    try:
        return [await line(contestant, seed) for contestant, seed in todo]
    finally:
        await session.close()


async def _search(
    strategy: StrategyName, session: Session, policy: Policy, budget: Budget, accept: Accept
) -> SearchResult:
    if strategy is StrategyName.BEST_FIRST:
        return await best_first(session, policy, budget, priority=Priority(0.5), width=4, accept=accept)
    assert isinstance(policy, TransformersPolicy)
    return await rollouts(session, policy, budget, depth=12, draws=16, accept=accept)


def read_lines(path: Path) -> Iterator[Line]:
    """The lines of a file of `measure`."""
    return (Line(**row) for row in read_rows(path))


def main(
    benchmark: Annotated[str, typer.Option(help="Such as gym or library.")],
    split: Annotated[str, typer.Option(help="valid or test.")],
    out: Annotated[Path, typer.Option(help="The file of lines; one that is there goes on.")],
    model: Annotated[
        list[str], typer.Option(help="Folder of a model or adapter, FOLDER@T for another temperature, or portfolio.")
    ],
    strategy: Annotated[StrategyName, typer.Option(help="How to search.")] = StrategyName.ROLLOUTS,
    budget: Annotated[int, typer.Option(help="Expansions a theorem.")] = 256,
    seed: Annotated[list[int] | None, typer.Option(help="Seeds of the searches; 0 unless given.")] = None,
    data: Annotated[Path | None, typer.Option(help="File of statements, for --benchmark minif2f.")] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first N theorems.")] = None,
    workers: Annotated[int, typer.Option(help="Lean processes.")] = 2,
) -> None:
    """Which theorems each model proves, and at which expansion."""
    theorems = load(benchmark, split=split, data=data).theorems[:limit]
    asyncio.run(_measure(theorems, model, seed or [0], budget, strategy, out, workers))


async def _measure(
    theorems: Sequence[Theorem],
    models: Sequence[str],
    seeds: Sequence[int],
    budget: int,
    strategy: StrategyName,
    out: Path,
    workers: int,
) -> None:
    folders = list(dict.fromkeys(name.partition("@")[0] for name in models if name != PORTFOLIO))
    shelf = dict(zip(folders, open_models(folders), strict=True))
    contestants = [
        Contestant(Path(folder).name + (f"@{t}" if t else ""), shelf.get(folder), float(t or 1))
        for folder, _, t in (name.partition("@") for name in models)
    ]
    out.parent.mkdir(parents=True, exist_ok=True)
    engine = await start_engine(workers, FAST)
    try:
        await measure(engine, theorems, contestants, seeds, budget, strategy, out)
    finally:
        await engine.close()


if __name__ == "__main__":
    typer.run(main)
