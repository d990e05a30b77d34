"""The benchmarks made of the program's own corpus: gym, generated theorems, and library, those of Lean itself.

They hold what the corpus keeps out of training, less what one tactic of Lean's automation proves (train/corpus). A
proof of a library theorem may use neither the theorem itself nor what is declared after it.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from benchmarks.statements import Benchmark, read_statements


def load_gym(data: Path | None) -> Benchmark:
    """The generated theorems, or those of the file `data`. Raises BenchmarkError."""
    return _load("gym", data)


def load_library(data: Path | None) -> Benchmark:
    """The library's theorems, or those of the file `data`. Raises BenchmarkError."""
    return _load("library", data)


def _load(name: str, data: Path | None) -> Benchmark:
    path = data or Path(str(files("benchmarks") / f"{name}.jsonl"))
    theorems, digest = read_statements(path)
    return Benchmark(name, theorems, digest)
