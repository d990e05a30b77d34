"""The wire of the leanprover-community/repl protocol: the types of its answers, and their assembly from bytes."""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Answer = dict[str, Any]

LONGEST_ANSWER = 256 * 2**20  # bytes; the largest that are known, of proof states, have some megabytes


class AnswerTooLong(Exception):
    """What was begun is longer than any answer: it is kept in memory until it ends, and it may never end."""


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True)


class Position(_Wire):
    """A place in the text of a command: lines from 1, columns in code points from 0."""

    line: int
    column: int


class Message(_Wire):
    """What Lean says about a command or a tactic."""

    severity: str
    pos: Position
    end_pos: Position | None = Field(None, alias="endPos")
    data: str


class Sorry(_Wire):
    """A `sorry` of a command, with the proof state that stands there. `goal` holds all goals in one text."""

    proof_state: int | None = Field(None, alias="proofState")
    pos: Position
    end_pos: Position | None = Field(None, alias="endPos")
    goal: str = ""
    goals: tuple[str, ...] | None = None


class CommandAnswer(_Wire):
    """The answer to `{"cmd": …, "env": …}`."""

    env: int
    messages: tuple[Message, ...] = ()
    sorries: tuple[Sorry, ...] = ()


class TacticAnswer(_Wire):
    """The answer to `{"tactic": …, "proofState": …}`. Only the embedded server says `independent`, where it is true."""

    proof_state: int = Field(alias="proofState")
    goals: tuple[str, ...] = ()
    independent: bool = False
    proof_status: str = Field("", alias="proofStatus")
    messages: tuple[Message, ...] = ()
    sorries: tuple[Sorry, ...] = ()


class ErrorAnswer(_Wire):
    """The engine did not do what was asked: unknown environment, a tactic that fails, text that does not parse."""

    message: str


AnswerModel = TypeVar("AnswerModel", CommandAnswer, TacticAnswer)


def read_answer(model: type[AnswerModel], answer: Answer) -> AnswerModel | ErrorAnswer:
    """The typed form of an answer. Raises pydantic.ValidationError when it is neither of the two."""
    return ErrorAnswer.model_validate(answer) if "message" in answer else model.model_validate(answer)


class AnswerReader:
    """Assembles the JSON objects in a stream of chunks, in time linear in its length.

    The embedded server writes one object a line, the community REPL an object over several lines and then a blank one;
    whatever else is printed between objects is skipped.
    """

    _STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"')
    _START = re.compile(rb'\{\s*(?:["}]|$)')

    def __init__(self) -> None:
        self._line: list[bytes] = []  # chunks of the line that has not ended
        self._lines: list[bytes] = []  # lines of the object that has not ended
        self._depth = 0  # brackets open at the end of `_lines`
        self._held = 0  # bytes of `_line` and `_lines`

    def feed(self, chunk: bytes) -> list[Answer]:
        """The objects that `chunk` completes. Raises AnswerTooLong, after which it takes a reset."""
        self._line.append(chunk)
        self._held += len(chunk)
        answers: list[Answer] = []
        if b"\n" in chunk:
            *lines, rest = b"".join(self._line).split(b"\n")
            self._line = [rest]
            answers = [answer for line in lines if (answer := self._end_line(line.strip())) is not None]
            if not self._lines:
                self._held = len(rest)
        if self._held > LONGEST_ANSWER:
            raise AnswerTooLong
        return answers

    def reset(self) -> None:
        """Forget what has begun."""
        self._line, self._lines, self._depth, self._held = [], [], 0, 0

    def _end_line(self, line: bytes) -> Answer | None:
        if not self._lines:
            if not self._START.match(line):
                return None
            if (answer := _parse(line)) is not None:
                return answer
        elif not line:  # an object has no blank lines: what began was none
            self._lines, self._depth = [], 0
            return None
        # A JSON string holds no raw line break, so that each line can be scanned by itself.
        bare = self._STRING.sub(b"", line)
        self._depth += bare.count(b"{") + bare.count(b"[") - bare.count(b"}") - bare.count(b"]")
        self._lines.append(line)
        if self._depth > 0:
            return None
        text = b"\n".join(self._lines)
        self._lines, self._depth = [], 0
        return _parse(text)


def _parse(text: bytes) -> Answer | None:
    try:
        value = json.loads(text.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
