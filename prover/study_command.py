"""The command `prove study`: which members, strategies and shapes prove most within which budget."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prover import parts
from prover.options import WorkersOption, option

if TYPE_CHECKING:
    from lean_env.engine import Engine


def study(
    config: Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="What is compared; docs/study.md tells how.")],
    out: Annotated[
        Path | None,
        option(
            panel="Run",
            metavar="DIR",
            show_default="runs/CONFIG",
            help="Where the study is kept; one that is there goes on.",
        ),
    ] = None,
    workers: WorkersOption = 2,
) -> None:
    """Compare members, strategies and shapes on a benchmark, with intervals, tests, curves and search trees.

    Every search is kept as it is finished: a study that is stopped reports what it has, and goes on with the same
    command. Members, strategies and seeds may be added later, and the budget may be raised. Writes study.html,
    study.md, study.csv and pictures.
    """
    from prover.study.config import read_options
    from prover.study.policies import models_of, open_policies
    from prover.study.store import StudyStore
    from prover.study.study import PAGE, search, write
    from prover.study.theorems import theorems_of

    options = read_options(config)
    benchmark = theorems_of(options)
    models = models_of(options.members, options.seeds)

    @asynccontextmanager
    async def engine() -> AsyncIterator[Engine]:
        running = await parts.engine_of(benchmark, workers, options.timeout_s)
        try:
            yield running
        finally:
            await running.close()

    if benchmark.notice:
        typer.echo(benchmark.notice, err=True)
    with closing(StudyStore(out or Path("runs") / config.stem)) as store:
        opening, stopped = partial(open_policies, options.members, models), False
        try:
            asyncio.run(search(options, benchmark, models.digests, opening, engine, store, workers))
        except KeyboardInterrupt:
            kept = f"prove: stopped; what is finished is kept in {store.out}, and the same command goes on from there"
            typer.echo(kept, err=True)
            stopped = True
        if said := write(options, store):
            typer.echo(f"report: {store.out / PAGE}", err=True)
            typer.echo(said)
    if stopped:
        raise typer.Exit(130)
