"""What the engine and its worker processes say to each other: a JSON object a line, answered by one of these.

    {"start": true}                                           → Ready
    {"open": {"file", "name"}, "session": id}                 → Opened | Unsupported | Lost
    {"tactic": text, "state": n, "session": id}               → Opened | Closed | Rejected | Lost
    {"close": true, "session": id}                            → {}
    {"verify": {"file", "name"}, "proof": text}               → lean_env.verify.Facts | Lost | Unsupported

`session` is the engine's own number of a session. A worker that cannot work at all answers {"message": reason}.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from lean_env.engine import FailureKind


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Ready(_Wire):
    """The repository is there, traced, and its Lean answers."""

    lean: str
    leandojo: str
    mathlib: bool


class Opened(_Wire):
    """A state with open goals."""

    state: int
    goals: tuple[str, ...]


class Closed(_Wire):
    """No goal is left, and Lean's kernel has accepted the proof term."""

    proved: bool = True


class Rejected(_Wire):
    """The tactic failed; the Dojo goes on."""

    error: str
    refused: bool = False


class Lost(_Wire):
    """The Dojo is gone, and all states of its session with it."""

    lost: FailureKind
    message: str


class Unsupported(_Wire):
    """LeanDojo cannot state this theorem."""

    unsupported: str
