"""A session that remembers what came of every tactic, so that several searches on one theorem ask Lean once."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from lean_env.engine import Failed, FailureKind, ProofState, Session, TacticResult

# Failures that depend on the moment and not on the tactic are tried again.
_PASSING = (FailureKind.TIMEOUT, FailureKind.MEMORY, FailureKind.CRASH)


@runtime_checkable
class KnowingSession(Session, Protocol):
    """A session that answers some requests without Lean."""

    def knows(self, state: ProofState, tactic: str) -> bool:
        """Whether `run` would answer without Lean."""
        ...


class KnownResults:
    """Implements lean_env.engine.Session around another session, which stays its owner's to close."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._results: dict[tuple[str, str], TacticResult] = {}

    @property
    def root(self) -> ProofState:
        """The theorem's initial state."""
        return self._session.root

    def knows(self, state: ProofState, tactic: str) -> bool:
        """Whether `run` would answer without Lean."""
        return (state.text, tactic) in self._results

    async def run(self, state: ProofState, tactic: str) -> TacticResult:
        """The result of `tactic`, from Lean the first time."""
        key = (state.text, tactic)
        if key in self._results:
            return self._results[key]
        result = await self._session.run(state, tactic)
        if not (isinstance(result, Failed) and result.kind in _PASSING):
            self._results[key] = result
        return result

    async def close(self) -> None:
        """Release what the session holds in the engine."""
        await self._session.close()
