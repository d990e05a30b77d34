"""Finds proofs of many theorems, several different ones of each, and keeps every proof that Lean verified.

A search that would stop at its first proof is told that the proof is not enough until it has as many as are wanted.
Results are lines of a file, written as they arrive, so that a collection that was stopped goes on where it was.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lean_env.engine import Engine, ProofState, Session, Theorem, UnsupportedStatement
from search.best_first import best_first
from search.budget import Budget
from search.known import KnownResults
from search.minimize import without_idle_steps
from search.policy import Policy
from search.tree import Priority
from train.corpus.kept import read_rows
from train.prompt import first_goal

# Searches beyond the number of Lean processes: while some wait for a policy, Lean has others to serve.
SPARE_SEARCHES = 6
WIDTH = 4
PRIORITY = Priority(0.5)  # proofs of many steps are wanted: their length is not held against them in full

# From a theorem and the number of the attempt to the policy that makes it.
PolicyOf = Callable[[Theorem, int], Policy]


@dataclass(frozen=True)
class Proof:
    """A verified proof: its tactics, and before each of them the goal that it was applied to."""

    tactics: tuple[str, ...]
    goals: tuple[str, ...]


@dataclass(frozen=True)
class Collected:
    """What was found for one theorem. `opened` is False when Lean does not take the statement."""

    theorem: str
    opened: bool
    expansions: int
    proofs: tuple[Proof, ...]


@dataclass(frozen=True)
class Effort:
    """What is spent on a theorem: so many attempts, each of `budget` expansions or until it has `proofs` new ones.

    After `patience` attempts without any proof the theorem is given up.
    """

    attempts: int
    budget: int
    proofs: int
    patience: int


async def collect_theorem(engine: Engine, theorem: Theorem, policy_of: PolicyOf, effort: Effort) -> Collected:
    """Different proofs of one theorem, each verified. Raises EngineError."""
    try:
        # Attempts have steps in common with each other, and with the proofs that are run once more.
        session = KnownResults(await engine.open(theorem))
    except UnsupportedStatement:
        return Collected(theorem.name, False, 0, ())
    found: dict[tuple[str, ...], Proof] = {}
    spent = 0
    try:
        for number in range(effort.attempts):
            spent += await _attempt(engine, session, theorem, policy_of(theorem, number), effort, found)
            if not found and number + 1 >= effort.patience:
                break
    finally:
        await session.close()
    return Collected(theorem.name, True, spent, tuple(found.values()))


async def _attempt(
    engine: Engine,
    session: Session,
    theorem: Theorem,
    policy: Policy,
    effort: Effort,
    found: dict[tuple[str, ...], Proof],
) -> int:
    """One search, which adds what it finds to `found`; gives the expansions spent."""

    known = len(found)

    async def enough(tactics: Sequence[str]) -> bool:
        proof = await without_idle_steps(session, tactics)
        if proof not in found and (await engine.verify(theorem, "\n".join(proof))).proved:
            found[proof] = Proof(proof, await _goals(session, proof))
        return len(found) >= known + effort.proofs

    result = await best_first(session, policy, Budget(effort.budget), priority=PRIORITY, width=WIDTH, accept=enough)
    return result.spent.expansions


async def _goals(session: Session, tactics: Sequence[str]) -> tuple[str, ...]:
    """The first goal before each tactic of a proof, by running it once more."""
    state, goals = session.root, []
    for tactic in tactics:
        goals.append(first_goal(state.text))
        result = await session.run(state, tactic)
        if isinstance(result, ProofState):
            state = result
    return tuple(goals)


async def collect(
    engine: Engine,
    theorems: Sequence[Theorem],
    policy_of: PolicyOf,
    effort: Effort,
    out: Path,
    workers: int,
    progress: Callable[[Collected], None],
) -> None:
    """Search every theorem that `out` has no line for, as many at a time as keep `workers` processes busy.

    `out` gains a line for each theorem as it is finished. Raises EngineError; what was finished before is kept.
    """
    done = {collected.theorem for collected in read_collected(out)}
    queue = iter([theorem for theorem in theorems if theorem.name not in done])
    with out.open("a", encoding="utf-8") as file:

        async def lane() -> None:
            for theorem in queue:
                collected = await collect_theorem(engine, theorem, policy_of, effort)
                file.write(json.dumps(asdict(collected), ensure_ascii=False) + "\n")
                file.flush()
                progress(collected)

        async with asyncio.TaskGroup() as lanes:
            for _ in range(workers + SPARE_SEARCHES):
                lanes.create_task(lane())


def read_collected(path: Path) -> Iterator[Collected]:
    """The lines of a file of `collect`."""
    for row in read_rows(path):
        proofs = tuple(Proof(tuple(p["tactics"]), tuple(p["goals"])) for p in row["proofs"])
        yield Collected(row["theorem"], row["opened"], row["expansions"], proofs)


def merged(rounds: Iterable[Collected]) -> dict[str, Collected]:
    """By theorem, what several rounds found, each proof once, in the order of the rounds."""
    together: dict[str, Collected] = {}
    for collected in rounds:
        known = together.get(collected.theorem)
        if known is None:
            together[collected.theorem] = collected
            continue
        new = tuple(p for p in collected.proofs if p.tactics not in {q.tactics for q in known.proofs})
        together[collected.theorem] = replace(
            known,
            opened=known.opened or collected.opened,
            expansions=known.expansions + collected.expansions,
            proofs=known.proofs + new,
        )
    return together
