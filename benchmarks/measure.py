"""Measures many policies on one benchmark: which theorems each proves, and at which expansion.

    python -m benchmarks.measure --benchmark gym --split test --model DIR... --budget 256 --strategy rollouts --out FILE

Every policy searches every theorem with a budget of its own, as if it were alone. Lean is asked once for what several
of them try in the same state, which changes no figure and saves most of the time. FILE gains a line as each theorem is
finished, and the same command goes on where it was stopped. What ensembles would prove follows from the lines
(benchmarks/compare.py): a proof at expansion e of a member is in reach of every ensemble that gives the member e.

A seed may have models of its own: `--model 'runs/{seed}/ce' --seed 0 --seed 1` searches with seed 0 and the model in
runs/0/ce, then with seed 1 and the one in runs/1/ce, and calls both `ce`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
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
from train.settings import base_weights

TOGETHER = 32  # theorems searched at once by one contestant, so that its model answers them in one batch
PORTFOLIO = "portfolio"
# Less than `prove` gives a tactic: what takes longer than a second is hardly ever what a small model needs.
FAST = Limits(timeout_s=4.0, heartbeats=8_000, memory_mb=1800)


class StrategyName(StrEnum):
    """How a policy is searched with."""

    ROLLOUTS = "rollouts"
    BEST_FIRST = "best-first"


@dataclass(frozen=True)
class Contestant:
    """A policy under a name.

    `models` has the model of each seed, None is the portfolio; `weights` digests that tell these from others.
    """

    name: str
    models: Mapping[int, Shelved] | None
    temperature: float
    weights: Mapping[int, str]

    def policy(self, theorem: Theorem, seed: int) -> Policy:
        """The policy for one theorem."""
        if self.models is None:
            return Portfolio()
        model = self.models[seed]
        return TransformersPolicy(
            model.batcher, model.adapter, seed=theorem_seed(seed, theorem.name), temperature=self.temperature
        )


Search = tuple[Contestant, StrategyName, int]  # of a theorem: who, how, and with which seed


class MeasureError(Exception):
    """Cannot be measured or compared; one line that says what to change."""


@dataclass(frozen=True)
class Line:
    """One theorem, contestant, strategy and seed: `proved_at` is the expansion that proved it, None if none did."""

    theorem: str
    contestant: str
    strategy: str
    seed: int
    budget: int
    weights: str
    proved_at: int | None
    expansions: int
    tokens: int

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What there is one line of."""
        return self.theorem, self.contestant, self.strategy, self.seed


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
    searches: Sequence[Search],
    budget: int,
    out: Path,
) -> None:
    """Make every search of every theorem, and write a Line for each to `out`."""
    done = _done(out, searches, budget)
    with out.open("a", encoding="utf-8") as file, tqdm(total=len(theorems), unit="theorem", mininterval=5) as bar:
        for start in range(0, len(theorems), TOGETHER):
            together = theorems[start : start + TOGETHER]
            async with AsyncExitStack() as opened:
                places = [await opened.enter_async_context(aclosing(_Place(engine, theorem))) for theorem in together]
                for search in searches:
                    key = _key(search, budget)
                    todo = [place for place in places if (place.theorem.name, *key) not in done]
                    for line in await asyncio.gather(*(place.line(search, budget) for place in todo)):
                        file.write(json.dumps(asdict(line)) + "\n")
                    file.flush()
            bar.update(len(together))


def _key(search: Search, budget: int) -> tuple[str, str, int, int, str]:
    """The fields of a Line up to what is measured, but the theorem."""
    contestant, strategy, seed = search
    return contestant.name, strategy.value, seed, budget, contestant.weights.get(seed, "")


def _done(out: Path, searches: Sequence[Search], budget: int) -> set[tuple[str, str, str, int, int, str]]:
    """What `out` has lines of. Raises MeasureError when they are of another budget or of other weights."""
    asked = {key[:3]: key for key in (_key(search, budget) for search in searches)}
    done = set()
    for line in read_lines(out):
        key = (line.contestant, line.strategy, line.seed, line.budget, line.weights)
        if asked.get(key[:3], key) != key:
            raise MeasureError(f"{out} has {line.contestant} with another budget or other weights: give another --out")
        done.add((line.theorem, *key))
    return done


class _Place:
    """Where all searches of one theorem are made, one after the other: what Lean said is known to the next."""

    def __init__(self, engine: StandaloneEngine, theorem: Theorem) -> None:
        self.theorem = theorem
        self._engine = engine
        self._known: KnownResults | None = None
        self._verdicts: dict[tuple[str, ...], bool] = {}

    async def line(self, search: Search, budget: int) -> Line:
        """What one search comes to; nothing is proved of a statement that Lean does not take."""
        contestant, strategy, seed = search
        try:
            self._known = self._known or KnownResults(await self._engine.open(self.theorem))
        except UnsupportedStatement:
            return Line(self.theorem.name, *_key(search, budget), None, 0, 0)
        policy = contestant.policy(self.theorem, seed)
        result = await _search(strategy, _Alone(self._known), policy, Budget(budget), self._accept)
        tokens = policy.model_tokens if isinstance(policy, TransformersPolicy) else 0
        proved_at = result.spent.expansions if result.proof else None
        return Line(self.theorem.name, *_key(search, budget), proved_at, result.spent.expansions, tokens)

    async def _accept(self, tactics: tuple[str, ...]) -> bool:
        if tactics not in self._verdicts:
            self._verdicts[tactics] = (await self._engine.verify(self.theorem, "\n".join(tactics))).proved
        return self._verdicts[tactics]

    async def aclose(self) -> None:
        """Release what the engine holds."""
        if self._known:
            await self._known.close()


async def _search(
    strategy: StrategyName, session: Session, policy: Policy, budget: Budget, accept: Accept
) -> SearchResult:
    if strategy is StrategyName.BEST_FIRST:
        return await best_first(session, policy, budget, priority=Priority(0.5), width=4, accept=accept)
    assert isinstance(policy, TransformersPolicy)
    return await rollouts(session, policy, budget, depth=12, accept=accept)


def read_lines(path: Path) -> Iterator[Line]:
    """The lines of a file of `measure`."""
    return (Line(**row) for row in read_rows(path))


def main(
    benchmark: Annotated[str, typer.Option(help="Such as gym or library.")],
    split: Annotated[str, typer.Option(help="valid or test.")],
    out: Annotated[Path, typer.Option(help="The file of lines; one that is there goes on.")],
    model: Annotated[
        list[str],
        typer.Option(
            help="Folder of a model or adapter, FOLDER@T for another temperature, or portfolio; NAME=FOLDER names it."
        ),
    ],
    strategy: Annotated[
        list[StrategyName] | None, typer.Option(help="How to search; rollouts unless given. The portfolio: best-first.")
    ] = None,
    budget: Annotated[int, typer.Option(help="Expansions a theorem.")] = 256,
    seed: Annotated[list[int] | None, typer.Option(help="Seeds of the searches; 0 unless given.")] = None,
    data: Annotated[Path | None, typer.Option(help="File of statements in place of the benchmark's own.")] = None,
    limit: Annotated[int | None, typer.Option(help="Only N theorems, evenly spaced.")] = None,
    workers: Annotated[int, typer.Option(help="Lean processes.")] = 2,
) -> None:
    """Which theorems each model proves, and at which expansion."""
    theorems = load(benchmark, split=split, data=data).theorems
    n = min(limit or len(theorems), len(theorems))
    theorems = tuple(theorems[len(theorems) * k // n] for k in range(n))
    try:
        searches = [
            (contestant, how, number)
            for contestant in _contestants(model, seed or [0])
            for how in strategy or [StrategyName.ROLLOUTS]
            for number in seed or [0]
            if contestant.models is not None or how is StrategyName.BEST_FIRST
        ]
        asyncio.run(_measure(theorems, searches, budget, out, workers))
    except MeasureError as error:
        raise typer.BadParameter(str(error)) from error


@dataclass(frozen=True)
class Spec:
    """A --model as it was given, taken apart: `folder` may have {seed} in it."""

    name: str
    folder: str
    temperature: float

    @classmethod
    def read(cls, text: str) -> Spec:
        """FOLDER, FOLDER@T, or NAME= before them."""
        title, _, place = text.rpartition("=")
        folder, at, temperature = place.partition("@")
        return cls(title or Path(folder).name + at + temperature, folder, float(temperature or 1))

    def of(self, seed: int) -> str:
        """The folder of one seed."""
        return self.folder.replace("{seed}", str(seed))


def _contestants(models: Sequence[str], seeds: Sequence[int]) -> list[Contestant]:
    """The contestants that `models` names, as --model takes them. Raises ModelError and MeasureError."""
    specs = [Spec.read(text) for text in models]
    folders = list(dict.fromkeys(spec.of(seed) for spec in specs if spec.folder != PORTFOLIO for seed in seeds))
    shelf = dict(zip(folders, open_models(folders), strict=True))
    contestants = [
        Contestant(spec.name, None, 1.0, {})
        if spec.folder == PORTFOLIO
        else Contestant(
            spec.name,
            {seed: shelf[spec.of(seed)] for seed in seeds},
            spec.temperature,
            {seed: base_weights(spec.of(seed)) or "" for seed in seeds},
        )
        for spec in specs
    ]
    if len({each.name for each in contestants}) < len(contestants):
        raise MeasureError("two models have one name: name them as NAME=FOLDER")
    return contestants


async def _measure(
    theorems: Sequence[Theorem], searches: Sequence[Search], budget: int, out: Path, workers: int
) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    engine = await start_engine(workers, FAST)
    try:
        await measure(engine, theorems, searches, budget, out)
    finally:
        await engine.close()


if __name__ == "__main__":
    typer.run(main)
