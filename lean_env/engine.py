"""The interface between a search and Lean: an engine opens a session on a theorem, a session runs tactics.

Everything above this module (strategies, runs, reports) sees Lean only through these types, so that the embedded
engine, a native REPL and LeanDojo are interchangeable.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True)
class Theorem:
    """What is to be proved.

    `statement` is Lean source text from `theorem NAME` to its closing `sorry`, byte for byte as the benchmark gives it;
    `header` is the Lean text that stands before it (imports, `open`, options). Where `before` names a theorem of Lean's
    library, a proof may use neither that theorem nor what is declared after it.
    """

    name: str
    statement: str
    header: str = ""
    split: str = ""
    before: str = ""


class FailureKind(StrEnum):
    """Why a tactic gave no new state."""

    ERROR = "error"  # Lean reported an error
    TIMEOUT = "timeout"  # the wall limit of one request ran out
    MEMORY = "memory"  # the process grew over its limit
    CRASH = "crash"  # the process ended by itself
    REFUSED = "refused"  # the text may not be used in a proof (sorry, native_decide, ...)


@dataclass(frozen=True, slots=True)
class ProofState:
    """The open goals after a tactic. `key` is the session's own handle; equal `text` is the same state of a theorem.

    `independent` says that the engine knows that no two of the goals share a metavariable: each can be proved apart.
    """

    key: int
    goals: tuple[str, ...]
    independent: bool = False

    @property
    def text(self) -> str:
        """The goals as Lean prints them, separated by blank lines."""
        return "\n\n".join(self.goals)


@dataclass(frozen=True, slots=True)
class Proved:
    """No goal is left. A claim of the session only: verify.py has the last word."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The tactic did not apply."""

    kind: FailureKind
    message: str


TacticResult = ProofState | Proved | Failed


class VerdictKind(StrEnum):
    """What the verification of a whole proof ended with."""

    PROVED = "proved"
    FAILED = "failed"  # Lean reports an error in it
    REFUSED = "refused"  # it is accepted by Lean only by weakening what a proof means
    UNVERIFIED = "unverified"  # the limits of verification ran out


@dataclass(frozen=True)
class Verdict:
    """The last word on a proof, with the reason when it is not `proved`."""

    kind: VerdictKind
    reason: str = ""
    axioms: tuple[str, ...] = ()

    @property
    def proved(self) -> bool:
        """Whether the theorem counts as proved."""
        return self.kind is VerdictKind.PROVED


@dataclass(frozen=True)
class EngineInfo:
    """What an engine is and can do."""

    name: str
    version: str
    mathlib: bool
    imports: tuple[str, ...]


class EngineError(Exception):
    """The engine cannot work at all: not installed, no such executable, will not start. One line, with the mend."""


class UnsupportedStatement(Exception):
    """The engine cannot state this theorem; the text is Lean's reason."""


class Session(Protocol):
    """One theorem opened on an engine. Requests of one session run one at a time."""

    @property
    def root(self) -> ProofState:
        """The theorem's initial state."""
        ...

    async def run(self, state: ProofState, tactic: str) -> TacticResult:
        """Apply `tactic` to the first goal of `state`. Never raises for what the tactic does."""
        ...

    async def close(self) -> None:
        """Release what the session holds in the engine."""
        ...


class Engine(Protocol):
    """A Lean that can open theorems and verify proofs."""

    info: EngineInfo

    async def open(self, theorem: Theorem) -> Session:
        """Start a session. Raises UnsupportedStatement when Lean does not accept the statement."""
        ...

    async def verify(self, theorem: Theorem, proof: str) -> Verdict:
        """Re-elaborate the whole theorem with `proof` (the text of its tactic block, unindented)."""
        ...

    async def close(self) -> None:
        """End every process of the engine."""
        ...
