"""Which theorems a corpus is made of, and on which side of the split each stands."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from lean_env.engine import Theorem
from train.corpus.families import FAMILIES, theorems
from train.corpus.normal_form import normal_form

Split = Literal["train", "valid", "test"]
Source = Literal["gym", "library"]

# Of all theorems, in hundredths; by family instance, so that what is nearly the same stands on one side.
VALID, TEST = 10, 20
# How often each difficulty, 1 to 5, is drawn.
DIFFICULTIES = (5, 3, 2, 1, 1)


@dataclass(frozen=True)
class Stated:
    """A theorem of the corpus with its family, its difficulty (0: not known), and where it came from."""

    theorem: Theorem
    source: Source
    family: str
    difficulty: int

    @property
    def split(self) -> str:
        """train, valid or test."""
        return self.theorem.split


def split_of(key: str) -> Split:
    """The side of the split for everything that shares `key`; the same in every corpus."""
    place = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) % 100
    return "valid" if place < VALID else "test" if place < VALID + TEST else "train"


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
                    yield Stated(_with_split(theorem, split_of(form)), "gym", family, difficulty)


def from_library(library: Sequence[tuple[Theorem, str]], seed: int, count: int) -> Iterator[Stated]:
    """`count` library theorems, given with their families, drawn at random."""
    chosen = random.Random(seed).sample(library, min(count, len(library)))
    for theorem, family in chosen:
        yield Stated(_with_split(theorem, split_of(family)), "library", family, 0)


def decontaminated(stated: Iterable[Stated], others: Iterable[Theorem]) -> tuple[list[Stated], list[Stated]]:
    """What is kept, and what is removed because one of `others` has the same normal form."""
    forms = {normal_form(theorem.statement) for theorem in others}
    kept, removed = list[Stated](), list[Stated]()
    for one in stated:
        (removed if normal_form(one.theorem.statement) in forms else kept).append(one)
    return kept, removed


def write_stated(path: Path, stated: Iterable[Stated]) -> None:
    """A JSON line for each."""
    lines = (json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in stated)
    path.write_text("".join(lines), encoding="utf-8")


def read_stated(path: Path) -> list[Stated]:
    """What `write_stated` wrote."""
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [Stated(Theorem(**row["theorem"]), row["source"], row["family"], row["difficulty"]) for row in rows]


def _with_split(theorem: Theorem, split: str) -> Theorem:
    return Theorem(**{**asdict(theorem), "split": split})
