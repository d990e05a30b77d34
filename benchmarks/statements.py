"""Theorems as files give them, checked whole before anything runs. Knows nothing of any particular benchmark."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from lean_env.engine import Theorem

# A run writes proofs/NAME.lean, so a name must not lead out of that folder, nor be too long for a file system.
_NAME = re.compile(r"[^\W\d][\w'!?.]{0,199}")
_CLOSING = re.compile(r":=\s*by\s+sorry\Z")


class BenchmarkError(Exception):
    """Theorems cannot be had. One line, with the mend."""


@dataclass(frozen=True)
class Benchmark:
    """Theorems under the name and the state of the source they came from."""

    name: str
    theorems: tuple[Theorem, ...]
    commit: str  # what fixes the statements: a git commit, or the SHA-256 of the file that holds them
    notice: str | None = None  # what a user must know before reading any figure


class Row(BaseModel):
    """One line of a statements file, as it stands there. Other keys are ignored."""

    model_config = ConfigDict(strict=True, frozen=True)

    name: str
    split: Literal["valid", "test"]
    header: str
    statement: str
    before: str = ""

    @model_validator(mode="after")
    def _states_what_it_names(self) -> Self:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"name {self.name[:80]!r} is not a Lean name without «» of at most 200 characters")
        if not re.match(rf"theorem\s+{re.escape(self.name)}(?=[\s({{\[⦃:])", self.statement):
            raise ValueError(f"statement must begin with 'theorem {self.name}'")
        if not _CLOSING.search(self.statement):
            raise ValueError("statement must end in ':= by sorry'")
        return self

    @property
    def theorem(self) -> Theorem:
        """What is to be proved."""
        return Theorem(self.name, self.statement, self.header, self.split, self.before)


def read_statements(path: Path) -> tuple[tuple[Theorem, ...], str]:
    """The theorems of a JSON-lines file, and the SHA-256 of its bytes in hexadecimal. Blank lines are skipped.

    Raises BenchmarkError when the file cannot be read, a line is not a Row, or two lines give the same name.
    """
    try:
        content = path.read_bytes()
        lines = content.decode("utf-8-sig").split("\n")
    except FileNotFoundError:
        raise BenchmarkError(f"{path} does not exist: name a file of statements") from None
    except OSError as error:
        raise BenchmarkError(f"{path} cannot be read ({error.strerror}): name a file of statements") from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BenchmarkError(f"{path}, line {line}: not UTF-8; save the file as UTF-8") from None
    rows = {number: _row(path, number, line) for number, line in enumerate(lines, start=1) if line.strip()}
    if twice := _twice({number: row.name for number, row in rows.items()}):
        first, second = twice
        raise BenchmarkError(f"{path}, lines {first} and {second}: both are named {rows[first].name}; keep one of them")
    return tuple(row.theorem for row in rows.values()), hashlib.sha256(content).hexdigest()


def select(theorems: Iterable[Theorem], split: str | None, source: str) -> tuple[Theorem, ...]:
    """The theorems of one split, or all of them for None. Raises BenchmarkError when that leaves none."""
    every = tuple(theorems)
    selected = tuple(theorem for theorem in every if split in (None, theorem.split))
    if not selected:
        there = " and ".join(sorted({theorem.split for theorem in every}))
        mend = f"it has only {there}" if there else "it has no theorem at all"
        raise BenchmarkError(f"{source} has no theorem of the split asked for, {split or 'all'}: {mend}")
    return selected


def first_fault(error: ValidationError) -> str:
    """What is wrong with a Row, on one line."""
    fault = error.errors()[0]
    if fault["type"] == "value_error":
        return str(fault["ctx"]["error"])
    key = "".join(f"{part}: " for part in fault["loc"])
    return f"{key}{fault['msg'][0].lower()}{fault['msg'][1:]}"


def _row(path: Path, number: int, line: str) -> Row:
    try:
        return Row.model_validate_json(line)
    except ValidationError as error:
        raise BenchmarkError(
            f"{path}, line {number}: {first_fault(error)}; "
            "a line is a JSON object with the strings name, split, header and statement"
        ) from None


def _twice(names: Mapping[int, str]) -> tuple[int, int] | None:
    first: dict[str, int] = {}
    for number, name in names.items():
        if name in first:
            return first[name], number
        first[name] = number
    return None
