"""A study from its options to its report: what is missing is searched, and the report is written anew."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING

from tqdm import tqdm

from lean_env.engine import Engine
from prover.options import InputError
from prover.strategies import strategy
from prover.study import page, plots, tables
from prover.study.analysis import figures
from prover.study.config import StudyOptions, cells
from prover.study.results import collect
from prover.study.search import Contestant, PolicyAt, missing, search_all
from prover.study.store import STATEMENTS, StudyStore

if TYPE_CHECKING:
    from benchmarks.registry import Benchmark

PAGE, MARKDOWN, CSV = "study.html", "study.md", "study.csv"

OpenPolicies = Callable[[], Mapping[str, PolicyAt]]
OpenEngine = Callable[[], AbstractAsyncContextManager[Engine]]


async def search(
    options: StudyOptions,
    benchmark: Benchmark,
    digests: Mapping[tuple[str, int], str],
    policies: OpenPolicies,
    engine: OpenEngine,
    store: StudyStore,
    workers: int,
) -> None:
    """Make the searches that `store` lacks, with a progress bar on stderr, for an engine of `workers` processes.

    `policies` and `engine` are called only where something is to be searched; `digests` tell what the policy of each
    member is at each seed. Raises StoreError, EngineError and ModelError.
    """
    statements = [[one.name, one.split, one.header, one.statement, one.before] for one in benchmark.theorems]
    digest = hashlib.sha256(json.dumps(statements).encode()).hexdigest()[:16]
    store.settle({"benchmark": benchmark.name, STATEMENTS: digest, "timeout, s": options.timeout_s})
    alone = cells(options, ensembles=False)
    store.begin(benchmark.theorems, alone, digests)
    todo = missing(store, alone, options.seeds, options.budget)
    if not todo:
        return
    opened = policies()
    contestants = {
        cell: Contestant(opened[cell.member], partial(strategy, options.searches[cell.strategy])) for cell in alone
    }
    total, left = len(alone) * len(options.seeds) * len(benchmark.theorems), sum(map(len, todo.values()))
    async with engine() as running:
        store.settle({"engine": running.info.name, "engine version": running.info.version})
        interval_s = 0.5 if sys.stderr.isatty() else 15.0
        with tqdm(total=total, initial=total - left, unit="search", mininterval=interval_s, dynamic_ncols=True) as bar:
            proofs = 0

            def progress(finished: int, proved: int) -> None:
                nonlocal proofs
                proofs += proved
                bar.set_postfix_str(f"{proofs} proofs", refresh=False)
                bar.update(finished)

            await search_all(running, benchmark.theorems, todo, contestants, options.budget, store, workers, progress)


def write(options: StudyOptions, store: StudyStore) -> str | None:
    """Write study.md, study.csv, study.html and the pictures from what `store` has; returns the study in a sentence.

    Writes nothing and returns None while no theorem is finished. Raises StoreError, and InputError when the engine can
    state none.
    """
    searches, theorems = store.searches(), store.theorems()
    results = collect(options, theorems, searches)
    if not results.theorems:
        if results.missing:
            return None
        raise InputError(f"no theorem of {options.title} can be stated by this engine: give another benchmark")
    told = figures(options, results, searches)
    pictures = plots.pictures(results, told)
    for name, (_, png) in pictures.items():
        store.write(name, png)
    shown = [(name, says) for name, (says, _) in pictures.items()]
    store.write(MARKDOWN, tables.markdown(options, results, told, shown))
    store.write(CSV, tables.csv_text(results, told))
    store.write(PAGE, page.render(options, results, told, theorems, searches, store.tree))
    return tables.headline(results, told, options.baseline)
