"""The Dojos of a worker process, one for each session, and what became of a tactic in words of our own.

A Dojo that ran out of time goes on computing, and its late answer would be taken for that of the next tactic. So a Dojo
is closed as soon as one of its answers is missing, and the session opens another.
"""

from __future__ import annotations

import contextlib
import signal
import termios
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pexpect  # type: ignore[import-not-found, import-untyped, unused-ignore]
from lean_dojo import (
    Dojo,
    DojoCrashError,
    DojoInitError,
    DojoTacticTimeoutError,
    LeanError,
    ProofFinished,
    ProofGivenUp,
    TacticState,
    Theorem,
)

from lean_env.engine import FailureKind
from lean_env.leandojo.guard import MODULE, guarded, refusal
from lean_env.leandojo.protocol import Closed, Lost, Opened, Rejected
from lean_env.leandojo.repository import Place
from lean_env.leandojo.traced import Traced
from lean_env.verify import shown

LOCAL_MODES = 3  # place of the local modes in the attributes of a terminal
REAP_S, LOOK_S = 1.0, 0.05  # how long Lean may take to be gone after its last word, and how often that is looked at
KILLED = 128 + signal.SIGKILL  # what `lake env` ends with when its Lean was killed

# What a terminal raises that is gone, or that gives bytes which are no text (a ValueError); and LeanDojo, where what it
# reads from it is JSON of another form.
BROKEN = (pexpect.ExceptionPexpect, termios.error, OSError, ValueError, LookupError, TypeError)


class CannotState(Exception):
    """LeanDojo does not come to the theorem's first goal; the text is its reason."""


class Interrupted(CannotState):
    """Lean ended or ran out of time on its way to the theorem, so that nothing is known of it."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        self.kind = kind
        super().__init__(message)


@dataclass
class OpenDojo:
    """A running Dojo, and its states by number. `gone` once an answer is missing: then it is of no more use."""

    dojo: Any  # lean_dojo.Dojo
    root: Any  # lean_dojo.TacticState
    limit_s: float
    states: dict[int, Any] = field(default_factory=dict)
    gone: bool = False

    def __post_init__(self) -> None:
        self.states[0] = self.root
        self.dojo.proc.timeout = self.limit_s  # until here it was that of opening
        # A terminal line of more than 4,095 bytes is cut, and long tactics are lines.
        attributes = termios.tcgetattr(self.dojo.proc.child_fd)
        attributes[LOCAL_MODES] &= ~termios.ICANON
        termios.tcsetattr(self.dojo.proc.child_fd, termios.TCSANOW, attributes)

    def run(self, number: int, tactic: str) -> Opened | Closed | Rejected | Lost:
        """Apply `tactic` to the first goal of a state."""
        if not shown(tactic):
            return Rejected(error="the tactic holds a character that cannot be shown", refused=True)
        state = self.states[number]
        try:
            result = self.dojo.run_tac(state, guarded(tactic))
        except DojoTacticTimeoutError:
            return self._lost(FailureKind.TIMEOUT, f"no answer within {self.limit_s:g} s")
        except DojoCrashError as error:
            return self._lost(_how_it_ended(self.dojo), f"Lean ended: {error}")
        except AssertionError as error:
            if not _alive(self.dojo):  # which LeanDojo asserts to have an exit code
                return self._lost(_how_it_ended(self.dojo), f"Lean was ended by signal {self.dojo.proc.signalstatus}")
            return Rejected(error=f"LeanDojo cannot read the state after it {error}".strip())
        except BROKEN as error:
            return self._lost(_how_it_ended(self.dojo), f"Lean cannot be read any more: {_line(error)}")
        match result:
            case ProofFinished():
                return Closed()
            case TacticState():
                self.states[len(self.states)] = result
                return Opened(state=len(self.states) - 1, goals=goals(result))
            case ProofGivenUp():
                return Rejected(error="the proof contains sorry", refused=True)
            case LeanError():
                reason = refusal(result.error)
                return Rejected(error=reason or result.error, refused=reason is not None)
        raise TypeError(f"LeanDojo gave a {type(result).__name__}")

    def close(self) -> None:
        """End Lean, and take the changed file out of the repository."""
        _end(self.dojo)

    def _lost(self, kind: FailureKind, message: str) -> Lost:
        self.gone = True
        self.close()
        return Lost(lost=kind, message=message)


def goals(state: Any) -> tuple[str, ...]:
    """The goals of a TacticState, as Lean prints them."""
    return tuple(state.pp.split("\n\n"))


def open_dojo(traced: Traced, place: Place, opening_s: float, limit_s: float) -> OpenDojo:
    """Start Lean on a theorem, within `opening_s` seconds; `limit_s` is the limit of a tactic.

    Raises CannotState, and Interrupted where another attempt may go well.
    """
    dojo = Dojo(theorem(traced, place), timeout=opening_s, additional_imports=[MODULE])
    try:
        _, root = dojo.__enter__()
        return OpenDojo(dojo, root, limit_s)
    except (DojoInitError, DojoCrashError, DojoTacticTimeoutError, AssertionError, RuntimeError, *BROKEN) as error:
        # LeanDojo asserts and indexes where a file is not as it expects.
        kind = _interruption(dojo, error)
        _end(dojo)
        raise (CannotState(_line(error)) if kind is None else Interrupted(kind, _line(error))) from error


@contextlib.contextmanager
def dojo_of(traced: Traced, place: Place, opening_s: float, limit_s: float) -> Iterator[OpenDojo]:
    """A Dojo for once. Raises CannotState."""
    opened = open_dojo(traced, place, opening_s, limit_s)
    try:
        yield opened
    finally:
        if not opened.gone:
            opened.close()


def theorem(traced: Traced, place: Place) -> Theorem:
    """LeanDojo's own object for a theorem."""
    return Theorem(traced.repo, Path(place.file), place.full_name)


def _end(dojo: Any) -> None:
    """What `Dojo.__exit__` does, for one that may have got only half of what it needs; and its terminal is closed."""
    if not hasattr(dojo, "proc"):
        if hasattr(dojo, "modified_file"):
            dojo.modified_file.close()
        return
    with contextlib.suppress(OSError):  # somebody else has deleted the changed file
        dojo.__exit__(None, None, None)
    with contextlib.suppress(OSError, pexpect.ExceptionPexpect):  # what cannot be ended ends with this process
        dojo.proc.close(force=True)


def _interruption(dojo: Any, error: Exception) -> FailureKind | None:
    """How Lean was lost before it came to the theorem; None where LeanDojo itself does not find the way there."""
    if isinstance(error, DojoTacticTimeoutError) or "Timeout during initialization" in str(error):
        return FailureKind.TIMEOUT
    if isinstance(error, DojoCrashError) or "Unexpected EOF" in str(error):
        return _how_it_ended(dojo)
    return None


def _alive(dojo: Any) -> bool:
    try:
        return bool(dojo.proc.isalive())
    except pexpect.ExceptionPexpect:  # somebody else has waited for it
        return False


def _how_it_ended(dojo: Any) -> FailureKind:
    """MEMORY where Lean was killed, as a machine does it that has no more; else CRASH."""
    until = time.monotonic() + REAP_S
    while _alive(dojo) and time.monotonic() < until:
        time.sleep(LOOK_S)
    killed = dojo.proc.signalstatus == signal.SIGKILL or dojo.proc.exitstatus == KILLED
    return FailureKind.MEMORY if killed else FailureKind.CRASH


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or f"LeanDojo gives up with {type(error).__name__}"
