"""Every benchmark by its name. A new one is a file with a loader, and a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from benchmarks import leandojo, made, minif2f
from benchmarks.statements import Benchmark, BenchmarkError, select

__all__ = ["BENCHMARKS", "Benchmark", "BenchmarkError", "load"]

# A loader gives all splits. Its argument is the file of statements that the user named, if any.
BENCHMARKS: dict[str, Callable[[Path | None], Benchmark]] = {
    "minif2f": minif2f.load,
    "minif2f-core": minif2f.load_core,
    "gym": made.load_gym,
    "library": made.load_library,
}
_SPLITS = ("valid", "test", "all")


def load(name: str, *, split: str | None = None, data: Path | None = None, repo: str | None = None) -> Benchmark:
    """The theorems of a benchmark: of the split `valid` or `test`, or of both for `all` and None.

    LeanDojo's has splits of its own, and `repo` is for it alone: URL@COMMIT of the repository that its theorems are of.
    Raises BenchmarkError when there is no such benchmark or split, when the statements cannot be had or are not what
    they should be, and when no theorem is left.
    """
    _known("benchmark", name, (*BENCHMARKS, leandojo.NAME))
    if name == leandojo.NAME:
        return leandojo.load(data, split, repo)
    if repo is not None:
        raise BenchmarkError(f"--repo is for theorems of a traced repository, and {name} has none: leave it out")
    if split is not None:
        _known("split", split, _SPLITS)
    benchmark = BENCHMARKS[name](data)
    chosen = None if split == "all" else split
    return replace(benchmark, theorems=select(benchmark.theorems, chosen, str(data or benchmark.name)))


def _known(kind: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        near = get_close_matches(given, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise BenchmarkError(f"{given!r} is not a known {kind}: take {', '.join(known[:-1])} or {known[-1]}{hint}")
