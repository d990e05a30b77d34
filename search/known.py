"""What is known of one theorem, so that several searches ask Lean once: results of tactics, and verdicts on proofs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from lean_env.engine import Failed, FailureKind, ProofState, Session, TacticResult

if TYPE_CHECKING:
    from search.expansion import Accept

# Failures that depend on the moment and not on the tactic are tried again. One that ran out of its time is not: it
# would cost that time once for each search.
_PASSING = (FailureKind.MEMORY, FailureKind.CRASH)


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


def known_verdicts(accept: Accept) -> Accept:
    """`accept`, asked once for each proof, however many searches come to it and whenever they do."""
    verdicts: dict[tuple[str, ...], bool] = {}
    turn = asyncio.Lock()

    async def known(tactics: tuple[str, ...]) -> bool:
        async with turn:  # who asks for the same at the same time finds it known
            if tactics not in verdicts:
                verdicts[tactics] = await accept(tactics)
        return verdicts[tactics]

    return known
