"""The searches of a study: theorem by theorem, every cell with every seed, as if each were alone.

Lean is asked once for what several cells try in the same state of a theorem. That changes no figure, because such a
tactic costs a cell its expansion all the same, and it saves most of the time.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from lean_env.engine import Engine, ProofState, TacticResult, Theorem, UnsupportedStatement
from prover.run import SPARE_SEARCHES, Accept, Strategy, theorem_seed
from prover.study.config import Cell
from prover.study.store import Search, StudyStore
from search import shape
from search.budget import Budget
from search.known import KnownResults
from search.policy import Policy

LANES = 12  # theorems searched at once, at least: enough to fill the batches of a model

# From the seed of the study, which may have a model of its own, and from the seed of the search.
PolicyAt = Callable[[int, int], Policy]
# Told how many searches are finished, and how many of these found a proof.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Contestant:
    """What a cell searches by; `strategy` is made for the seed of a search."""

    policy: PolicyAt
    strategy: Callable[[int], Strategy]


@dataclass(frozen=True)
class Task:
    """A search that is still to be made."""

    cell: Cell
    seed: int
    keeps_tree: bool


class _Alone:
    """A session that shares what is known with others and does not show it: every tactic is an expansion."""

    def __init__(self, known: KnownResults) -> None:
        self._known = known
        self.root = known.root

    async def run(self, state: ProofState, tactic: str) -> TacticResult:
        return await self._known.run(state, tactic)

    async def close(self) -> None:
        pass


def missing(store: StudyStore, cells: Sequence[Cell], seeds: Sequence[int], budget: int) -> dict[str, list[Task]]:
    """What is still to be searched, by the names of the theorems.

    Searches by one model, which are those of a member and a seed, follow each other: theorems that are searched at once
    then ask it in one batch. Trees are kept of the first seed: they are most of what a study writes, and they are there
    to be looked at.
    """
    by_model = sorted(cells, key=lambda cell: cell.member)
    done = {one.key for one in store.searches() if one.tells(budget)}
    tasks = {
        theorem.name: [
            Task(cell, seed, keeps_tree=seed == seeds[0])
            for seed in seeds
            for cell in by_model
            if (theorem.name, cell, seed) not in done
        ]
        for theorem in store.theorems()
        if theorem.unsupported is None
    }
    return {name: todo for name, todo in tasks.items() if todo}


async def search_all(
    engine: Engine,
    theorems: Sequence[Theorem],
    todo: Mapping[str, Sequence[Task]],
    contestants: Mapping[Cell, Contestant],
    budget: int,
    store: StudyStore,
    workers: int,
    progress: Progress,
) -> None:
    """Make the searches of `todo`, each with `budget` expansions, and record each as it is finished.

    As many theorems are searched at a time as keep the `workers` processes of the engine busy.
    Raises StoreError and EngineError, and lets through what policies raise; what was finished before is kept.
    """
    queue = iter([theorem for theorem in theorems if theorem.name in todo])

    async def lane() -> None:
        """One theorem after the other from the common queue."""
        for theorem in queue:
            try:
                session = await engine.open(theorem)
            except UnsupportedStatement as why:
                store.record_unsupported(theorem.name, str(why))
                progress(len(todo[theorem.name]), 0)
                continue
            known, accept = KnownResults(session), _accepting(engine, theorem)
            try:
                for task in todo[theorem.name]:
                    search = await _search(known, accept, theorem, task, contestants[task.cell], budget)
                    store.record(search)
                    progress(1, search.proved)
            finally:
                await session.close()

    lanes = [asyncio.create_task(lane()) for _ in range(max(LANES, workers + SPARE_SEARCHES))]
    try:
        await asyncio.gather(*lanes)
    finally:
        for each in lanes:
            each.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)


def _accepting(engine: Engine, theorem: Theorem) -> Accept:
    """Verification of proofs of `theorem`, once for each proof."""
    verdicts: dict[tuple[str, ...], bool] = {}

    async def accept(tactics: tuple[str, ...]) -> bool:
        if tactics not in verdicts:
            verdicts[tactics] = (await engine.verify(theorem, "\n".join(tactics))).proved
        return verdicts[tactics]

    return accept


async def _search(
    known: KnownResults, accept: Accept, theorem: Theorem, task: Task, contestant: Contestant, budget: int
) -> Search:
    seed = theorem_seed(task.seed, theorem.name)
    policy, strategy = contestant.policy(task.seed, seed), contestant.strategy(seed)
    result = await strategy(_Alone(known), policy, Budget(budget), accept)
    return Search(
        theorem=theorem.name,
        cell=task.cell,
        seed=task.seed,
        budget=budget,
        status=result.status.value,
        spent=result.spent,
        proof=result.proof or (),
        shape=asdict(shape.measure(result.tree)),
        tree=zlib.compress(json.dumps(result.tree.to_dict()).encode(), 9) if task.keeps_tree else None,
    )
