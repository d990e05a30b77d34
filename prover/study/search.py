"""The searches of a study: a block of theorems after the other, every cell with every seed, as if each were alone.

Lean is asked once for what several cells try in the same state of a theorem. That changes no figure, because such a
tactic costs a cell its expansion all the same. Within a block, searches by one model follow each other, so that those
that go on at a time ask it in one batch. Both together save most of the time.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial

from lean_env.engine import Engine, ProofState, TacticResult, Theorem, UnsupportedStatement
from prover.policy.guard import guarded
from prover.run import SPARE_SEARCHES, Accept, Strategy, theorem_seed
from prover.study.config import Cell
from prover.study.store import Search, StudyStore
from search import shape
from search.budget import Budget
from search.known import KnownResults, known_verdicts
from search.policy import Policy

BLOCK = 48  # theorems that are open at a time
LANES = 256  # searches at a time: enough to fill the batches of a model

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

    def __init__(self, known: KnownResults, turn: asyncio.Lock) -> None:
        self._known, self._turn = known, turn
        self.root = known.root

    async def run(self, state: ProofState, tactic: str) -> TacticResult:
        async with self._turn:  # who asks for the same at the same time finds it known
            return await self._known.run(state, tactic)

    async def close(self) -> None:
        pass


def missing(store: StudyStore, cells: Sequence[Cell], seeds: Sequence[int], budget: int) -> dict[str, list[Task]]:
    """What is still to be searched, by the names of the theorems.

    Trees are kept of the first seed: they are most of what a study writes, and they are there to be looked at.
    """
    done = {one.key for one in store.searches() if one.tells(budget)}
    tasks = {
        theorem.name: [
            Task(cell, seed, keeps_tree=seed == seeds[0])
            for seed in seeds
            for cell in cells
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

    Raises StoreError, EngineError and ModelError; what was finished before is kept.
    """
    waiting = [theorem for theorem in theorems if theorem.name in todo]
    for start in range(0, len(waiting), BLOCK):
        block = [_Opened(engine, theorem) for theorem in waiting[start : start + BLOCK]]
        # A member and a seed are a model.
        queue = iter(
            sorted(
                ((opened, task) for opened in block for task in todo[opened.theorem.name]),
                key=lambda each: (each[1].seed, each[1].cell.member),
            )
        )
        searches = partial(_lane, queue, contestants, budget, store, progress)
        lanes = [asyncio.create_task(searches()) for _ in range(max(LANES, workers + SPARE_SEARCHES))]
        try:
            await asyncio.gather(*lanes)
        finally:
            for lane in lanes:
                lane.cancel()
            await asyncio.gather(*lanes, return_exceptions=True)
            for opened in block:
                await opened.close()


class _Opened:
    """A theorem of the block, its session opened for the first search that needs it."""

    def __init__(self, engine: Engine, theorem: Theorem) -> None:
        self.theorem, self.accept = theorem, _accepting(engine, theorem)
        self.turn = asyncio.Lock()
        self._engine = engine
        self._known: KnownResults | None = None
        self._unsupported: UnsupportedStatement | None = None

    async def session(self) -> KnownResults:
        """The session that all searches share. Raises UnsupportedStatement each time, and EngineError."""
        async with self.turn:
            if self._unsupported:
                raise self._unsupported
            try:
                self._known = self._known or KnownResults(await self._engine.open(self.theorem))
            except UnsupportedStatement as why:
                self._unsupported = why
                raise
            return self._known

    async def close(self) -> None:
        """Release what the session holds."""
        if self._known:
            await self._known.close()


async def _lane(
    queue: Iterator[tuple[_Opened, Task]],
    contestants: Mapping[Cell, Contestant],
    budget: int,
    store: StudyStore,
    progress: Progress,
) -> None:
    """One search after the other from the common queue."""
    for opened, task in queue:
        try:
            known = await opened.session()
        except UnsupportedStatement as why:
            store.record_unsupported(opened.theorem.name, str(why))
            progress(1, 0)
            continue
        search = await _search(_Alone(known, opened.turn), opened, task, contestants[task.cell], budget)
        store.record(search)
        progress(1, search.proved)


def _accepting(engine: Engine, theorem: Theorem) -> Accept:
    """Verification of proofs of `theorem`, once for each proof."""

    async def accept(tactics: tuple[str, ...]) -> bool:
        return (await engine.verify(theorem, "\n".join(tactics))).proved

    return known_verdicts(accept)


async def _search(session: _Alone, opened: _Opened, task: Task, contestant: Contestant, budget: int) -> Search:
    seed = theorem_seed(task.seed, opened.theorem.name)
    policy, strategy = guarded(contestant.policy(task.seed, seed), task.cell.member), contestant.strategy(seed)
    result = await strategy(session, policy, Budget(budget), opened.accept)
    return Search(
        theorem=opened.theorem.name,
        cell=task.cell,
        seed=task.seed,
        budget=budget,
        status=result.status.value,
        spent=result.spent,
        proof=result.proof or (),
        shape=asdict(shape.measure(result.tree)),
        tree=zlib.compress(json.dumps(result.tree.to_dict()).encode(), 9) if task.keeps_tree else None,
    )
