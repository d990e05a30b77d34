"""Makes a corpus: statements, then rounds of searching for their proofs, then the pairs that models are trained on.

A folder holds everything: `statements.jsonl`, and in `settings.json` what they were asked to be; `round-0.jsonl`,
`round-1.jsonl`, … with what each round found, kept as it arrives; `corpus.jsonl.gz`; `gym.jsonl` and `library.jsonl`,
the theorems kept out of training; `figures.json`. The first round searches with explorers, later ones with models that
were trained on what the rounds before had found (expert iteration). A round that was stopped goes on where it was.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from lean_env.embedded.engine import Limits
from lean_env.engine import Engine, Theorem
from search.policy import Policy
from train.corpus.build import PROOFS_PER_THEOREM, figures, pairs, write_corpus
from train.corpus.collect import Collected, Effort, PolicyOf, collect, merged, read_collected
from train.corpus.explorer import Explorer
from train.corpus.screen import write_benchmark
from train.corpus.statements import Stated, decontaminated, read_stated, write_stated

STATEMENTS, SETTINGS, SCREENED, ROUNDS = "statements.jsonl", "settings.json", "screened.jsonl", "rounds.json"
CORPUS, FIGURES, REMOVED = "corpus.jsonl.gz", "figures.json", "removed.json"

# Shares of automation of the attempts on one theorem: all of it first, to see whether there is a proof at all.
AUTOMATION = (1.0, 0.0, 0.3, 0.0, 0.5, 0.0)
EXPLORING = Effort(attempts=5, budget=64, proofs=2, patience=2)
MODELLING = Effort(attempts=2, budget=64, proofs=6, patience=1)

# What a search for proofs gives a tactic: less than `prove` does, as there is always another theorem to go on with.
LIMITS = Limits(timeout_s=4.0, heartbeats=1_000, memory_mb=1800)


class CorpusError(Exception):
    """A corpus cannot be made as asked; one line that says what to change."""


def explorers(seed: int) -> PolicyOf:
    """The policies of a first round."""

    def policy_of(theorem: Theorem, attempt: int) -> Policy:
        return Explorer(f"{seed} {attempt} {theorem.name}", AUTOMATION[attempt % len(AUTOMATION)])

    return policy_of


def searched(stated: Sequence[Stated], seed: int, number: int) -> list[Theorem]:
    """The theorems of round `number`, those for testing left out, in an order of its own that mixes all families."""
    mixed = [one.theorem for one in stated if one.split != "test"]
    random.Random(f"{seed} {number}").shuffle(mixed)
    return mixed


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """`folder`, made if need be, for this process alone. Raises CorpusError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock")
        lock.acquire(timeout=0)
    except Timeout:
        raise CorpusError(f"another prove corpus works in {folder}: wait for it, or give another --out") from None
    except OSError as error:
        raise CorpusError(f"cannot write to --out {folder}: {error.strerror}") from error
    try:
        yield
    finally:
        lock.release()


def known(folder: Path, settings: Mapping[str, Any]) -> list[Stated] | None:
    """The statements that are in the folder, None when there are none yet.

    Raises CorpusError when they were made with other `settings`, names of options with JSON values.
    """
    if not (folder / STATEMENTS).exists():
        return None
    before = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    for option, value in settings.items():
        if before[option] != value:
            raise CorpusError(
                f"{folder} was begun with {option} {before[option]}, not {value}: give that, or another --out"
            )
    return read_stated(folder / STATEMENTS)


def begin(
    folder: Path, settings: Mapping[str, Any], stated: Sequence[Stated], others: Sequence[Theorem]
) -> list[Stated]:
    """The statements of a new corpus in a folder that is there: `stated` less what occurs among `others`."""
    kept, removed = decontaminated(stated, others)
    (folder / REMOVED).write_text(json.dumps([one.theorem.name for one in removed]) + "\n")
    (folder / SETTINGS).write_text(json.dumps(settings) + "\n", encoding="utf-8")
    write_stated(folder / STATEMENTS, kept)
    return kept


async def search_round(
    engine: Engine,
    folder: Path,
    number: int,
    theorems: Sequence[Theorem],
    policy_of: PolicyOf,
    effort: Effort,
    workers: int,
    progress: Callable[[Collected], None],
) -> None:
    """Search for proofs of `theorems` in round `number`, or go on with it. Raises EngineError."""
    await collect(engine, theorems, policy_of, effort, round_path(folder, number), workers, progress)


def round_path(folder: Path, number: int) -> Path:
    """Where a round is kept."""
    return folder / f"round-{number}.jsonl"


def round_of(folder: Path, models: Mapping[str, str | None], budget: int) -> int:
    """The number of the round that `models` make: theirs, or a new one.

    They are names with digests of the weights; none are the explorers. Models that were trained further, and another
    budget, make another round.
    """
    path = folder / ROUNDS
    rounds: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    asked = {"models": dict(models), "budget": budget}
    if asked not in rounds:
        rounds.append(asked)
        path.write_text(json.dumps(rounds, indent=2) + "\n", encoding="utf-8")
    return rounds.index(asked)


def open_theorems(folder: Path, number: int, theorems: Sequence[Theorem]) -> list[Theorem]:
    """Those of `theorems` that the rounds before `number` did not find enough proofs of."""
    earlier = merged(one for n in range(number) for one in read_collected(round_path(folder, n)))
    enough = {name for name, one in earlier.items() if len(one.proofs) >= PROOFS_PER_THEOREM}
    return [theorem for theorem in theorems if theorem.name not in enough]


def finish(folder: Path) -> dict[str, Any]:
    """Write the corpus of all rounds so far, and its figures, which are returned."""
    stated = read_stated(folder / STATEMENTS)
    numbers = list(itertools.takewhile(lambda n: round_path(folder, n).exists(), itertools.count()))
    by_round = {n: list(read_collected(round_path(folder, n))) for n in numbers}
    rows = list(pairs(stated, merged(one for n in numbers for one in by_round[n])))
    write_corpus(folder / CORPUS, rows)
    rounds = {
        n: {
            "theorems": len(found),
            "proved": sum(bool(one.proofs) for one in found),
            "proofs": sum(len(one.proofs) for one in found),
            "expansions": sum(one.expansions for one in found),
        }
        for n, found in by_round.items()
    }
    held_out = {
        source: write_benchmark(
            folder / f"{source}.jsonl", [s for s in stated if s.source == source], folder / SCREENED
        )
        for source in ("gym", "library")
    }
    removed = json.loads((folder / REMOVED).read_text())
    result = {
        "statements": len(stated),
        "removed, as they are in what they were compared with": len(removed),
        "held out": held_out,
        **figures(rows, stated),
        "rounds": rounds,
    }
    (folder / FIGURES).write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return result
