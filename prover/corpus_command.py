"""The command `prove corpus`: theorems with verified proofs, to train on and to measure with."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prover import parts
from prover.options import InputError, ModelOption, SeedOption, TimeoutOption, WorkersOption, option

if TYPE_CHECKING:
    from lean_env.engine import Theorem
    from train.corpus.collect import Effort, PolicyOf


def corpus(
    out: Annotated[Path, option(panel="Corpus", metavar="DIR", help="Where it is made; one that is there goes on.")],
    generated: Annotated[
        int, option(panel="Corpus", min=0, metavar="N", help="Theorems from the generators, over all families.")
    ] = 6000,
    library: Annotated[
        int, option(panel="Corpus", min=0, metavar="N", help="Theorems from the library of Lean itself.")
    ] = 4000,
    model: ModelOption = None,
    attempts: Annotated[
        int | None,
        option(panel="Corpus", min=1, metavar="N", show_default="5; 2 with --model", help="Searches a theorem."),
    ] = None,
    budget: Annotated[
        int, option(panel="Corpus", min=1, metavar="N", help="Expansions of a search: tactics checked by Lean.")
    ] = 64,
    against: Annotated[
        list[Path] | None,
        option(
            panel="Corpus",
            metavar="FILE",
            show_default="minif2f-core",
            help="Statements files; what they hold in the same normal form is removed.",
        ),
    ] = None,
    seed: SeedOption = 0,
    timeout: TimeoutOption = 4.0,
    workers: WorkersOption = 2,
) -> None:
    """Make a corpus: state theorems, search for several proofs of each, keep what Lean verifies.

    The first round searches with explorers (small steps, chosen by the form of the goal). With --model, another round
    searches with the models that were trained on the rounds before: expert iteration. A round that was stopped goes on
    where it was. Writes corpus.jsonl.gz, for `prove train --data`, and figures.json.
    """
    try:
        figures = asyncio.run(
            _make(out, generated, library, model or [], attempts, budget, against or [], seed, timeout, workers)
        )
    except KeyboardInterrupt:
        typer.echo(f"prove: stopped; what is found is kept in {out}, and the same command goes on from there", err=True)
        raise typer.Exit(130) from None
    typer.echo(json.dumps(figures, indent=2, ensure_ascii=False))


async def _make(
    out: Path,
    generated_count: int,
    library_count: int,
    models: list[str],
    attempts: int | None,
    budget: int,
    against: list[Path],
    seed: int,
    timeout_s: float,
    workers: int,
) -> dict[str, Any]:
    from prover.progress import CorpusBar
    from train.corpus import make
    from train.corpus.collect import read_collected
    from train.corpus.library import family, library_theorems
    from train.corpus.statements import from_library, generated

    number = 0 if not models else make.next_round(out)
    engine = await parts.start_engine(workers, timeout_s)
    try:
        if (out / make.STATEMENTS).exists():
            stated = make.begin(out, (), ())
        else:
            listed = [(theorem, family(theorem.name)) for theorem in await library_theorems(engine)]
            stated = make.begin(
                out, [*generated(seed, generated_count), *from_library(listed, seed, library_count)], _others(against)
            )
        theorems = make.shuffled([one.theorem for one in stated], seed)
        done = list(read_collected(make.round_path(out, number)))
        policy_of, effort = _searchers(models, attempts, budget, seed)
        with closing(CorpusBar(len(theorems), done)) as bar:
            await make.search_round(engine, out, number, theorems, policy_of, effort, workers, bar.show)
    finally:
        await engine.close()
    return make.finish(out)


def _searchers(models: list[str], attempts: int | None, budget: int, seed: int) -> tuple[PolicyOf, Effort]:
    raise NotImplementedError


def _others(against: list[Path]) -> list[Theorem]:
    """The theorems that a corpus must not hold."""
    from benchmarks.minif2f import load_core
    from benchmarks.statements import read_statements

    return [*load_core(None).theorems, *(theorem for path in against for theorem in read_statements(path)[0])]
