"""Theorems of a traced repository, proved in Dojo: LeanDojo Benchmark 4, or all that a repository proves by tactics.

A theorem is given by its place, the file and its full name; its statement stands in the repository. What stands here in
its stead is the state that its proof begins with, as Lean prints it: for people to read, not for Lean.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.statements import Benchmark, BenchmarkError
from lean_env.engine import Theorem
from lean_env.leandojo.catalog import entries
from lean_env.leandojo.repository import Place, Repository

NAME = "leandojo"
FOLDERS = ("random", "novel_premises")
PARTS = {"train": "train", "valid": "val", "val": "val", "test": "test"}


@dataclass(frozen=True, kw_only=True)
class TracedBenchmark(Benchmark):
    """A benchmark with the repository that its theorems are of, and where they stand in it, by their names."""

    repository: Repository
    places: Mapping[str, Place]


@dataclass(frozen=True)
class _Found:
    """A theorem: where it stands, in words as well, and the state that its proof begins with."""

    place: Place
    where: str
    state: str


def load(data: Path | None, split: str | None, repo: str | None) -> TracedBenchmark:
    """The theorems of LeanDojo Benchmark 4 in the folder `data`, or without it all those of the repository `repo`.

    `split` is novel_premises or random, whose test theorems are taken, or such as random/valid. `repo`, URL@COMMIT,
    stands in for the repository that the data names. Raises BenchmarkError, and EngineError when the repository is not
    traced.
    """
    given = None if repo is None else Repository.parse(repo)
    if data is not None:
        return _of_data(data, split, given)
    if given is None:
        raise BenchmarkError(
            "leandojo needs theorems: give --data DIR, the folder of LeanDojo Benchmark 4, or --repo URL@COMMIT for all"
            " of a repository"
        )
    if split is not None:
        raise BenchmarkError("--split is for --data: a repository has no splits")
    return _benchmark((_Found(one.place, one.place.file, one.state) for one in entries(given)), given, "")


def _of_data(data: Path, split: str | None, given: Repository | None) -> TracedBenchmark:
    from train.data import TrainingError, leandojo_theorems

    file, label = _file(data, split)
    found, repositories = [], set()
    try:
        for entry in leandojo_theorems(file):
            repositories.add(f"{entry.url}@{entry.commit}")
            line = f", line {entry.start[0]}" if entry.start else ""
            state = entry.traced_tactics[0].state_before if entry.traced_tactics else ""
            found.append(_Found(Place(entry.file_path, entry.full_name), entry.file_path + line, state))
    except (TrainingError, OSError) as error:
        raise BenchmarkError(str(error)) from error
    if given is None and len(repositories) > 1:
        raise BenchmarkError(
            f"{file} holds theorems of {len(repositories)} repositories: say which with --repo URL@COMMIT"
        )
    return _benchmark(found, given or Repository.parse(next(iter(repositories), "")), label)


def _file(data: Path, split: str | None) -> tuple[Path, str]:
    """The file of a split, and the split's name. Raises BenchmarkError."""
    kind, _, part = (split or "test").partition("/")
    folder, part = (data, kind) if kind in PARTS else (data / kind, part or "test")
    file = folder / f"{PARTS.get(part, part)}.json"
    if (kind in FOLDERS or kind in PARTS) and part in PARTS and file.is_file():
        return file, f"{folder.name}/{part}"
    there = [name for name in FOLDERS if (data / name).is_dir()]
    mend = f"give --split {' or '.join(there)}" if there else "give --data DIR that has novel_premises and random in it"
    raise BenchmarkError(f"there is no split {split or 'test'} in {data}: {mend}")


def _benchmark(found: Iterable[_Found], repository: Repository, split: str) -> TracedBenchmark:
    theorems, places = [], {}
    for one in {one.place: one for one in found}.values():  # an entry that is there twice is one theorem
        name = one.place.full_name
        if name in places:  # private theorems of two files may have one name
            name = f"{name} ({one.place.file})"
        places[name] = one.place
        theorems.append(Theorem(name, one.state, f"-- {one.where}", split))
    if not theorems:
        raise BenchmarkError(f"there is no theorem of {repository} to prove: take another split or repository")
    return TracedBenchmark(NAME, tuple(theorems), repository.commit, repository=repository, places=places)
