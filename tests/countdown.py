"""An engine without Lean, for what happens around it: its theorems are numbers that tactics count down to zero.

`theorem down7 : counts 7 := by sorry` is proved by "sub 5" and "sub 2". "wish" claims a proof that is none, "dream" one
whose verification never ends. A statement about Real cannot be stated.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from lean_env.engine import (
    EngineInfo,
    Failed,
    FailureKind,
    ProofState,
    Proved,
    TacticResult,
    Theorem,
    UnsupportedStatement,
    Verdict,
    VerdictKind,
)
from lean_env.process import Statistics
from search.policy import Suggestion

PRELUDE = "-- numbers count down\n\n"


def theorem(n: int, name: str = "") -> Theorem:
    name = name or f"down{n}"
    return Theorem(name, f"theorem {name} : counts {n} := by sorry", split="valid")


def unsupported(name: str) -> Theorem:
    return Theorem(name, f"theorem {name} : Real.pi > 3 := by sorry", split="valid")


def start(statement: str) -> int:
    if "Real" in statement:
        raise UnsupportedStatement("unknown identifier 'Real.pi'\nat line 1")
    return int(re.search(r"counts (\d+)", statement)[1])  # type: ignore[index]


def step(n: int, tactic: str) -> TacticResult:
    if tactic in ("wish", "dream"):
        return Proved()
    if not (found := re.fullmatch(r"sub (\d+)", tactic)):
        return Failed(FailureKind.ERROR, f"unknown tactic {tactic}")
    left = n - int(found[1])
    if left < 0:
        return Failed(FailureKind.ERROR, "below zero")
    return ProofState(left, (f"⊢ counts {left}",)) if left else Proved()


@dataclass
class Processes:
    """What stands in for a pool."""

    statistics: Statistics = field(default_factory=Statistics)


class Countdown:
    """The engine; remembers which theorems it opened and verified. `pause_s` is what a tactic takes."""

    info = EngineInfo("countdown", "1", mathlib=False, imports=())

    def __init__(self, pause_s: float = 0.0) -> None:
        self.pause_s = pause_s
        self.pool = Processes()
        self.opened: list[str] = []
        self.closed = False

    async def open(self, theorem: Theorem) -> CountdownSession:
        self.opened.append(theorem.name)
        return CountdownSession(start(theorem.statement), self.pause_s)

    async def verify(self, theorem: Theorem, proof: str) -> Verdict:
        left: TacticResult = ProofState(start(theorem.statement), ())
        for tactic in proof.splitlines():
            if tactic == "wish":
                return Verdict(VerdictKind.REFUSED, "wishes are no proofs")
            if tactic == "dream":
                return Verdict(VerdictKind.UNVERIFIED, "60 s ran out")
            left = step(left.key, tactic) if isinstance(left, ProofState) else left
        return Verdict(VerdictKind.PROVED if isinstance(left, Proved) else VerdictKind.FAILED)

    def standalone(self, theorem: Theorem, proof: str) -> str:
        indented = "".join(f"  {line}\n" for line in proof.splitlines())
        return f"{PRELUDE}{theorem.statement.removesuffix(' sorry')}\n{indented}"

    async def close(self) -> None:
        self.closed = True


class CountdownSession:
    def __init__(self, n: int, pause_s: float) -> None:
        self.root = ProofState(n, (f"⊢ counts {n}",))
        self.pause_s = pause_s

    async def run(self, state: ProofState, tactic: str) -> TacticResult:
        await asyncio.sleep(self.pause_s)
        return step(state.key, tactic)

    async def close(self) -> None:
        pass


class Chance:
    """A policy that tries `tactics` in an order that depends on its seed and the state."""

    def __init__(self, seed: int, tactics: Sequence[str] = ("sub 1", "sub 2", "sub 5", "sub 7")) -> None:
        self.seed = seed
        self.tactics = tactics

    async def suggest(self, state: str, n: int) -> Sequence[Suggestion]:
        order = random.Random(f"{self.seed} {state}").sample(self.tactics, len(self.tactics))
        return [Suggestion(tactic, -1.0 - place) for place, tactic in enumerate(order[:n])]
