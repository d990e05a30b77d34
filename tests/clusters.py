"""What tests of the cluster have made in its actors: engine and policies without Lean and without a model."""

from __future__ import annotations

import asyncio
import math
import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from countdown import Chance, Countdown, CountdownSession, unsupported
from countdown import theorem as down

from benchmarks.registry import Benchmark
from lean_env.engine import EngineError, EngineInfo, Session, Theorem
from prover.cluster.blueprint import Blueprint, ModelSet
from prover.ensembles import Ensemble
from prover.options import EnsembleName
from prover.policy.batching import Source
from prover.policy.errors import ModelError
from prover.policy.model import Prompt, Request
from prover.policy.sampling import Answer, Draws, Written
from prover.policy.transformers import TransformersPolicy
from prover.records import Member
from prover.run import SPARE_SEARCHES, Accept, Plan, Planned
from search.adaptive import Schedule
from search.best_first import best_first
from search.budget import Budget, SearchResult
from search.policy import Policy
from search.tree import SUM

if TYPE_CHECKING:
    from prover.parts import Say

NUMBERS = Benchmark("numbers", (*map(down, range(1, 40)), unsupported("strange"), down(500)), "c0ffee", "")
TACTICS = ("sub 1", "sub 2", "sub 5", "sub 7", "sub 11")


class Narrow(Countdown):
    """An engine that breaks down when more searches are on it at once than its processes can serve."""

    def __init__(self, pause_s: float, processes: int) -> None:
        super().__init__(pause_s)
        self.room = processes + SPARE_SEARCHES

    async def open(self, theorem: Theorem) -> CountdownSession:
        if self.room == 0:
            raise EngineError("too many searches at once: give it fewer")
        session = Leaving(await super().open(theorem), self)
        self.room -= 1
        return session


class Leaving(CountdownSession):
    def __init__(self, session: CountdownSession, engine: Narrow) -> None:
        self.root, self.pause_s, self.engine = session.root, session.pause_s, engine

    async def close(self) -> None:
        self.engine.room += 1


async def engine(pause_s: float, processes: int, say: Say) -> Countdown:
    return Narrow(pause_s, processes)


class Held(Narrow):
    """An engine that does not come to the last theorem before there is a file."""

    def __init__(self, file: Path, pause_s: float, processes: int) -> None:
        super().__init__(pause_s, processes)
        self.file = file

    async def open(self, theorem: Theorem) -> CountdownSession:
        while theorem == NUMBERS.theorems[-1] and not self.file.exists():
            await asyncio.sleep(0.1)
        return await super().open(theorem)


async def held_engine(file: Path, pause_s: float, processes: int, say: Say) -> Countdown:
    return Held(file, pause_s, processes)


async def other_engine(processes: int, say: Say) -> Countdown:
    """One of two versions, by chance of the process."""
    made = Countdown()
    made.info = EngineInfo("countdown", f"{random.SystemRandom().random()}", mathlib=False, imports=())
    return made


async def no_engine(processes: int, say: Say) -> Countdown:
    raise EngineError("no such engine: install it")


async def talking_engine(processes: int, say: Say) -> Countdown:
    say("no sandbox")
    return Countdown()


class Deadly(Countdown):
    """An engine that takes its whole actor down with one theorem."""

    async def open(self, theorem: Theorem) -> CountdownSession:
        if theorem.name == "down7":
            os._exit(1)
        return await super().open(theorem)


async def deadly_engine(processes: int, say: Say) -> Countdown:
    return Deadly()


async def by_sum(session: Session, policy: Policy, budget: Budget, accept: Accept) -> SearchResult:
    return await best_first(session, policy, budget, priority=SUM, width=2, accept=accept)


def plan(sources: Mapping[str, Source]) -> Plan:
    """A member without a model, and one on each model."""
    members = [Planned(Member("chance", "by sum"), Chance, by_sum)]
    for name, source in sorted(sources.items()):
        members.append(Planned(Member(name, "by sum"), partial(_drawing, source), by_sum))
    return Plan(Budget(24), 0, 10.0, tuple(members))


def adaptive_plan(sources: Mapping[str, Source]) -> Plan:
    """The same members with a schedule by which a theorem may spend twice the budget."""
    same = plan(sources)
    quotas = (2 * same.budget.expansions,) * len(same.members)
    schedule = Schedule(1, (0.0, 0.0, 0.0, 0.0), (), (quotas,))
    return replace(same, ensemble=Ensemble(EnsembleName.ADAPTIVE, schedule=schedule))


def _drawing(source: Source, seed: int) -> TransformersPolicy:
    return TransformersPolicy(source, "x", seed=seed, draws=4)


class Dice:
    """A model of five tactics: what it draws depends on the request alone, as with a real one. Also its own coder."""

    adapters = ("x",)
    parameters = len(TACTICS)

    def __init__(self, pause_s: float = 0.0) -> None:
        self.pause_s = pause_s

    @property
    def model(self) -> Dice:
        return self

    def encode(self, state: str) -> Prompt:
        return Prompt(tuple(state.encode()), False)

    def decode(self, tokens: Sequence[int]) -> str:
        return TACTICS[tokens[0]]

    async def ask(self, request: Request) -> Answer:
        assert isinstance(request, Draws)
        await asyncio.sleep(self.pause_s)
        drawn = [random.Random(request.key + request.first + n).randrange(len(TACTICS)) for n in range(request.count)]
        return Answer(tuple(Written((each,), True, -math.log(len(TACTICS))) for each in drawn), request.count)

    async def close(self) -> None:
        pass


class Torn(Dice):
    async def ask(self, request: Request) -> Answer:
        raise ModelError("out of memory: take a smaller model")


def blueprint(*models: str, pause_s: float = 0.0) -> Blueprint:
    """Countdown, with a Dice for each of `models`; a tactic and an answer take `pause_s` seconds each."""
    return Blueprint(partial(engine, pause_s), plan, {name: ModelSet(partial(Dice, pause_s), Dice) for name in models})
