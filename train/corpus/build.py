"""From verified proofs to training data: one line for each (goal, tactic), and figures of the whole."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from train.corpus.collect import Collected, Proof
from train.corpus.statements import Stated

PROOFS_PER_THEOREM = 12


@dataclass(frozen=True)
class Pair:
    """A tactic that a verified proof applied to a goal. `proof` numbers the proofs of the corpus, `step` is from 0."""

    theorem: str
    family: str
    split: str
    state: str
    tactic: str
    proof: int
    step: int
    length: int


def pairs(stated: Iterable[Stated], found: Mapping[str, Collected]) -> Iterator[Pair]:
    """The pairs of every theorem that has proofs, of at most PROOFS_PER_THEOREM of them."""
    number = 0
    for one in stated:
        collected = found.get(one.theorem.name)
        if collected is None or one.split == "test":
            continue
        for proof in chosen(collected.proofs):
            for step, (goal, tactic) in enumerate(zip(proof.goals, proof.tactics, strict=True)):
                yield Pair(one.theorem.name, one.family, one.split, goal, tactic, number, step, len(proof.tactics))
            number += 1


def chosen(proofs: Sequence[Proof]) -> list[Proof]:
    """Of one theorem's proofs those that are used: none that comes back to a goal, and all lengths in turn."""
    place = Counter[int]()  # of a proof among those of its length
    order: list[tuple[int, int, Proof]] = []
    for proof in proofs:
        if len(set(proof.goals)) == len(proof.goals):
            length = len(proof.tactics)
            order.append((place[length], length, proof))
            place[length] += 1
    order.sort(key=lambda each: each[:2])
    return [proof for _, _, proof in order[:PROOFS_PER_THEOREM]]


def write_corpus(path: Path, rows: Iterable[Pair]) -> None:
    """Gzipped JSON lines, the same bytes for the same rows."""
    text = "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def figures(rows: Sequence[Pair], stated: Iterable[Stated]) -> dict[str, Any]:
    """What the corpus of `stated` holds: theorems, proofs, distinct pairs, and proofs by split, length and family.

    The library's many families count as one.
    """
    library = {one.theorem.name for one in stated if one.source == "library"}
    proofs = {row.proof: row for row in rows}
    lengths = Counter(row.length for row in proofs.values())
    tactics_of: dict[str, set[str]] = {}
    for row in rows:
        tactics_of.setdefault(row.state, set()).add(row.tactic)
    return {
        "theorems": len({row.theorem for row in rows}),
        "proofs": len(proofs),
        "distinct pairs": len({(row.state, row.tactic) for row in rows}),
        "distinct states": len(tactics_of),
        "states with several tactics": sum(len(tactics) > 1 for tactics in tactics_of.values()),
        "proofs by split": dict(sorted(Counter(row.split for row in proofs.values()).items())),
        "proofs by length": {length: lengths[length] for length in sorted(lengths)},
        "proofs by family": dict(
            Counter("library" if row.theorem in library else row.family for row in proofs.values()).most_common()
        ),
    }
