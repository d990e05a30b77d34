"""Which theorems a corpus is made of, and on which side of the split each stands."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from lean_env.engine import Theorem
from train.corpus.families import FAMILIES, theorems
from train.corpus.library import Listed
from train.corpus.normal_form import kind, normal_form

Split = Literal["train", "valid", "test"]
Source = Literal["gym", "library"]

# For validation and for testing, in hundredths of all kinds of generated theorems (what differs by numbers and types
# only stands on one side), and of all families of the library.
HELD_OUT: Mapping[Source, tuple[int, int]] = {"gym": (5, 10), "library": (10, 20)}
# How often each difficulty, 1 to 5, is drawn.
DIFFICULTIES = (5, 3, 2, 1, 1)


@dataclass(frozen=True)
class Stated:
    """A theorem of the corpus with its family, its difficulty (0: not known), and where it came from.

    `proposition` is a library theorem's as Lean prints it; the others' is in their statements.
    """

    theorem: Theorem
    source: Source
    family: str
    difficulty: int
    proposition: str = ""

    @property
    def split(self) -> str:
        """train, valid or test."""
        return self.theorem.split


def split_of(source: Source, key: str) -> Split:
    """The side of the split for everything that shares `key`; the same in every corpus."""
    place = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) % 100
    valid, test = HELD_OUT[source]
    return "valid" if place < valid else "test" if place < valid + test else "train"


def generated(seed: int, count: int) -> Iterator[Stated]:
    """About `count` generated theorems: every family the same number of times, no two with one normal form."""
    rng = random.Random(seed)
    each, seen = -(-count // len(FAMILIES)), set[str]()
    for family in FAMILIES:
        drawn = rng.choices(range(1, len(DIFFICULTIES) + 1), DIFFICULTIES, k=each)
        for difficulty in sorted(set(drawn)):
            for theorem in theorems(seed, family, difficulty, drawn.count(difficulty)):
                form = normal_form(theorem.statement)
                if form not in seen:
                    seen.add(form)
                    split = split_of("gym", kind(theorem.statement))
                    yield Stated(replace(theorem, split=split), "gym", family, difficulty)


def from_library(library: Sequence[Listed], seed: int, count: int) -> Iterator[Stated]:
    """`count` library theorems, drawn at random."""
    for one in random.Random(seed).sample(library, min(count, len(library))):
        theorem = replace(one.theorem, split=split_of("library", one.family))
        yield Stated(theorem, "library", one.family, 0, one.proposition)


def decontaminated(stated: Sequence[Stated], others: Sequence[Theorem]) -> tuple[list[Stated], list[Stated]]:
    """What is kept, and what is removed.

    Removed is a generated theorem with the normal form of one of `others`, and a library theorem of the kind of one of
    `others` or of a generated one, which may stand on the other side of the split.
    """
    forms = {normal_form(theorem.statement) for theorem in others}
    kinds = {kind(theorem.statement) for theorem in (*others, *(one.theorem for one in stated if not one.proposition))}
    kept, removed = list[Stated](), list[Stated]()
    for one in stated:
        known = kind(one.proposition) in kinds if one.proposition else normal_form(one.theorem.statement) in forms
        (removed if known else kept).append(one)
    return kept, removed


def write_stated(path: Path, stated: Iterable[Stated]) -> None:
    """A JSON line for each."""
    lines = (json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in stated)
    path.write_text("".join(lines), encoding="utf-8")


def read_stated(path: Path) -> list[Stated]:
    """What `write_stated` wrote."""
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [Stated(**{**row, "theorem": Theorem(**row["theorem"])}) for row in rows]
