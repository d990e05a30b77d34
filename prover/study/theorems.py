"""The theorems of a study: those of its benchmarks one after the other."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.registry import Benchmark, BenchmarkError, load
from prover.study.config import StudyOptions


def theorems_of(options: StudyOptions) -> Benchmark:
    """What the study searches, as one benchmark; of each of its own at most `limit`, evenly spaced over its kinds.

    Raises BenchmarkError, also where two benchmarks have a theorem of the same name.
    """
    loaded = [_some(load(name, split=options.split, data=options.data), options.limit) for name in options.benchmarks]
    theorems = tuple(theorem for benchmark in loaded for theorem in benchmark.theorems)
    names: set[str] = set()
    for theorem in theorems:
        if theorem.name in names:
            raise BenchmarkError(f"two of the study's benchmarks have {theorem.name}: make a study of each")
        names.add(theorem.name)
    notices = [benchmark.notice for benchmark in loaded if benchmark.notice]
    return Benchmark(
        " and ".join(options.benchmarks),
        theorems,
        ", ".join(benchmark.commit for benchmark in loaded),
        "\n".join(notices) or None,
    )


def _some(benchmark: Benchmark, limit: int | None) -> Benchmark:
    total = len(benchmark.theorems)
    count = min(limit or total, total)
    return replace(benchmark, theorems=tuple(benchmark.theorems[total * place // count] for place in range(count)))
