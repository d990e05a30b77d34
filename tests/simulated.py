"""A Lean and a policy over an explicit graph, for tests of searches."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from lean_env.engine import EngineError, Failed, FailureKind, ProofState, Proved, TacticResult
from search.policy import Suggestion

PROVED = Proved()
ERROR = Failed(FailureKind.ERROR, "the tactic failed")


@dataclass(frozen=True)
class Move:
    """A tactic of the simulated world: its log-probability and where it leads (a state's text, or an end)."""

    tactic: str
    log_prob: float
    outcome: str | Proved | Failed


World = Mapping[str, Sequence[Move]]
"""The moves of every state by its text; the state "root" is the theorem."""


@dataclass
class Simulation:
    """Session and policy in one; remembers what it was asked."""

    world: World
    ran: list[tuple[str, str]] = field(default_factory=list)
    asked: list[tuple[str, int]] = field(default_factory=list)

    @property
    def root(self) -> ProofState:
        return _state("root")

    async def run(self, state: ProofState, tactic: str) -> TacticResult:
        self.ran.append((state.text, tactic))
        outcome = next(move.outcome for move in self.world[state.text] if move.tactic == tactic)
        return _state(outcome) if isinstance(outcome, str) else outcome

    async def suggest(self, state: str, n: int) -> Sequence[Suggestion]:
        self.asked.append((state, n))
        likeliest = sorted(self.world[state], key=lambda move: -move.log_prob)
        return [Suggestion(move.tactic, move.log_prob) for move in likeliest[:n]]

    async def close(self) -> None:
        pass


@dataclass
class Drawing(Simulation):
    """A simulation whose policy can be drawn from."""

    rng: random.Random = field(default_factory=lambda: random.Random(0))

    async def sample(self, state: str, n: int) -> Sequence[Suggestion]:
        if not (moves := self.world[state]):
            return []
        drawn = self.rng.choices(moves, [math.exp(move.log_prob) for move in moves], k=n)
        return [Suggestion(move.tactic, move.log_prob) for move in drawn]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Up to seven states with up to five moves each: to any state (cycles, merges), to failure, perhaps to a proof."""
    names = ["root", *(f"s{index}" for index in range(draw(st.integers(0, 6))))]
    outcomes = st.one_of(
        st.sampled_from(names), st.just(ERROR), st.just(PROVED) if draw(st.booleans()) else st.just(ERROR)
    )
    log_probs = st.one_of(st.floats(-8, 0), st.integers(-4, 0).map(float))  # whole numbers make ties
    moves = st.lists(st.tuples(log_probs, outcomes), max_size=5)
    return {name: [Move(f"{name}-{i}", p, to) for i, (p, to) in enumerate(draw(moves))] for name in names}


async def accept_all(proof: tuple[str, ...]) -> bool:
    return True


def _state(text: str) -> ProofState:
    return ProofState(key=0, goals=(text,))


def reachable(world: World) -> set[str]:
    """The states that can be reached from the root."""
    found = {"root"}
    waiting = ["root"]
    while waiting:
        for move in world[waiting.pop()]:
            if isinstance(move.outcome, str) and move.outcome not in found:
                found.add(move.outcome)
                waiting.append(move.outcome)
    return found


def likeliest_paths(world: World) -> dict[str, float]:
    """The largest summed log-probability of a path from the root to each reachable state, by Bellman and Ford."""
    best = dict.fromkeys(reachable(world), -math.inf) | {"root": 0.0}
    for _ in best:
        for text in best:
            for move in world[text]:
                if isinstance(move.outcome, str):
                    best[move.outcome] = max(best[move.outcome], best[text] + move.log_prob)
    return best


def likeliest_proof(world: World) -> float | None:
    """The largest summed log-probability of a proof; None when no proof can be reached."""
    ends = [
        best + move.log_prob
        for text, best in likeliest_paths(world).items()
        for move in world[text]
        if isinstance(move.outcome, Proved)
    ]
    return max(ends, default=None)


def replay(world: World, tactics: Sequence[str]) -> tuple[list[str], bool]:
    """The states that `tactics` pass through from the root on, and whether they end in a proof."""
    states: list[str] = ["root"]
    for position, tactic in enumerate(tactics):
        outcome = next(move.outcome for move in world[states[-1]] if move.tactic == tactic)
        if not isinstance(outcome, str):
            return states, isinstance(outcome, Proved) and position == len(tactics) - 1
        states.append(outcome)
    return states, False


# ---- faults

TEXTS = ("", "simp", "x" * 100_000, "a\0b", "\x1b[31m\r\n", "\u202e\ud800", "rw [h] at h ⊢")
WHIMS = ("new", "new", "root", "error", "timeout", "crash", "proved")


@dataclass
class Whimsical:
    """A policy and an engine of any behaviour: what they answer follows from `seed` and what they are asked."""

    seed: int
    dies_after: int = sys.maxsize  # requests to Lean
    raises_after: int = sys.maxsize  # requests to the policy
    ran: list[tuple[str, str]] = field(default_factory=list)
    asked: int = 0
    root = ProofState(0, ("root",))

    def _chance(self, *asked: Any) -> random.Random:
        return random.Random(f"{self.seed} {asked}")

    async def run(self, state: ProofState, tactic: str) -> TacticResult:
        if len(self.ran) >= self.dies_after:
            raise EngineError("Lean is gone: start it again")
        tactic.encode()  # as everything between a search and Lean does
        self.ran.append((state.text, tactic))
        chance = self._chance(state.text, tactic)
        match chance.choice(WHIMS):
            case "new":
                return ProofState(0, (str(chance.randrange(50)),) * chance.randint(1, 2), chance.random() < 0.5)
            case "root":
                return self.root
            case "proved":
                return PROVED if chance.random() < 0.2 else ERROR
            case kind:
                return Failed(FailureKind(kind), "x" * 1000)

    async def suggest(self, state: str, n: int) -> Sequence[Suggestion]:
        self.asked += 1
        if self.asked > self.raises_after:
            raise RuntimeError("the model is gone")
        chance = self._chance(state)
        if chance.random() < 0.2:
            return []
        some = chance.choices(TEXTS, k=chance.randint(1, 12))
        tactics = [some[0]] * 12 if chance.random() < 0.2 else some
        return [Suggestion(tactic, -chance.random()) for tactic in tactics[: n + 1]]


class WhimsicalDrawing(Whimsical):
    async def sample(self, state: str, n: int) -> Sequence[Suggestion]:
        return await self.suggest(state, n)


whims = st.builds(lambda kind, seed: kind(seed), st.sampled_from([Whimsical, WhimsicalDrawing]), st.integers(0, 10**6))
