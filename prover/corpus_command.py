"""The command `prove corpus`: theorems with verified proofs, to train on and to measure with."""

from __future__ import annotations

import asyncio
import hashlib
import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prover import parts
from prover.options import SeedOption, WorkersOption, option

if TYPE_CHECKING:
    from lean_env.engine import Theorem
    from search.policy import Policy
    from train.corpus.collect import PolicyOf


def corpus(
    out: Annotated[Path, option(panel="Corpus", metavar="DIR", help="Where it is made; one that is there goes on.")],
    generated: Annotated[
        int, option(panel="Corpus", min=0, metavar="N", help="Theorems from the generators, over all families.")
    ] = 6000,
    library: Annotated[
        int, option(panel="Corpus", min=0, metavar="N", help="Theorems from the library of Lean itself.")
    ] = 1600,
    model: Annotated[
        list[str] | None,
        option(
            "--model",
            panel="Corpus",
            metavar="MODEL",
            show_default="explorers",
            help="Folder of a trained model or adapter that searches this round; several take turns.",
        ),
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
    workers: WorkersOption = 2,
) -> None:
    """Make a corpus: state theorems, search for several proofs of each, keep what Lean verifies.

    The first round searches with explorers (small steps, chosen by the form of the goal). With --model, the next round
    searches with models that were trained on the rounds before: expert iteration. A round that was stopped goes on
    where it was; one that need not be finished can be left for the next. Writes corpus.jsonl.gz, for `prove train
    --data`, the benchmarks gym.jsonl and library.jsonl, and figures.json.
    """
    from train.corpus.make import held

    options = {"--generated": generated, "--library": library, "--seed": seed}
    try:
        with held(out):
            figures = asyncio.run(_make(out, options, model or [], budget, against or [], workers))
    except KeyboardInterrupt:
        typer.echo(f"prove: stopped; what is found is kept in {out}, and the same command goes on from there", err=True)
        raise typer.Exit(130) from None
    typer.echo(json.dumps(figures, indent=2, ensure_ascii=False))


async def _make(
    out: Path,
    options: dict[str, int],
    models: list[str],
    budget: int,
    against: list[Path],
    workers: int,
) -> dict[str, Any]:
    from tqdm import tqdm

    from prover.progress import CorpusBar
    from train.corpus import make
    from train.corpus.collect import read_collected
    from train.corpus.library import library_theorems
    from train.corpus.screen import screen
    from train.corpus.statements import from_library, generated
    from train.settings import base_weights

    generated_count, library_count, seed = options.values()
    others = _others(against)
    settings = {**options, "--against": [hashlib.sha256(path.read_bytes()).hexdigest() for path in against]}
    stated = make.known(out, settings)
    policies, effort = (_models(models, seed), make.MODELLING) if models else (make.explorers(seed), make.EXPLORING)
    engine = await parts.start_engine(workers, make.LIMITS)
    try:
        if stated is None:
            listed = await library_theorems(engine) if library_count else ()
            drawn = [*generated(seed, generated_count), *from_library(listed, seed, library_count)]
            stated = make.begin(out, settings, drawn, others)
        number = make.round_of(out, {name: base_weights(name) for name in models}, budget)
        theorems = make.open_theorems(out, number, make.searched(stated, seed, number))
        with closing(CorpusBar(len(theorems), list(read_collected(make.round_path(out, number))))) as bar:
            await make.search_round(
                engine, out, number, theorems, policies, replace(effort, budget=budget), workers, bar.show
            )
        held_out = [one.theorem for one in stated if one.split != "train"]
        with tqdm(total=len(held_out), desc="screening", unit="theorem", mininterval=5) as screening:
            await screen(engine, held_out, out / make.SCREENED, screening.update)
    finally:
        await engine.close()
    return make.finish(out)


def _models(names: list[str], seed: int) -> PolicyOf:
    """The policies of a round by models, which take turns from attempt to attempt and from theorem to theorem."""
    from prover.policy.shelf import open_models
    from prover.policy.transformers import TransformersPolicy
    from prover.run import theorem_seed

    models = open_models(names)

    def policy_of(theorem: Theorem, attempt: int) -> Policy:
        model = models[(theorem_seed(seed, theorem.name) + attempt) % len(models)]
        return TransformersPolicy(model.batcher, model.adapter, seed=theorem_seed(seed + attempt, theorem.name))

    return policy_of


def _others(against: list[Path]) -> list[Theorem]:
    """The theorems that a corpus must not hold."""
    from benchmarks.minif2f import load_core
    from benchmarks.statements import read_statements

    return [*load_core(None).theorems, *(theorem for path in against for theorem in read_statements(path)[0])]
