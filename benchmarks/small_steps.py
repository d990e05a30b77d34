"""Theorems that are proved in small steps: a corpus and held-out theorems in which automation plays no part.

    python -m benchmarks.small_steps --out runs/small-steps

Where one `grind` closes a goal or nothing does, more search brings little, and objectives cannot differ. So here the
tactics of AUTOMATION are taken away: `train.jsonl.gz` gets one proof without them of each training theorem of a corpus
that has one, and `theorems.jsonl` the theorems on the other sides of the split that an explorer without them proves
(train.corpus.explorer; it knows nothing of the models that are compared). Every proof is verified by Lean. A run that
was stopped goes on where it was.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from lean_env.engine import Theorem
from prover.parts import start_engine
from search.policy import Suggestion
from train.corpus.collect import Effort, collect, read_collected
from train.corpus.explorer import Explorer
from train.corpus.library import library_theorems
from train.corpus.make import LIMITS
from train.corpus.statements import from_library, generated

AUTOMATION = re.compile(r"\b(grind|omega|decide|simp_all|simp(?! only)|ac_rfl|norm_cast)\b")
# Families of generated statements that have such proofs often enough to be searched for them.
FAMILIES = frozenset(
    {"propositions", "quantifiers", "relations", "existence", "sets", "order", "rewriting", "functions"}
)
EFFORT = Effort(attempts=3, budget=96, proofs=1, patience=3)
SEED = 20  # of the statements; those of the corpus and of the gym have others
FOUND = "found.jsonl"


class SmallSteps:
    """An explorer without automation; a search.policy.Policy."""

    def __init__(self, seed: str) -> None:
        self._explorer = Explorer(seed, 0.0)

    async def suggest(self, state: str, n: int) -> Sequence[Suggestion]:
        """At most `n` different tactics, likeliest first."""
        every = await self._explorer.suggest(state, 10**6)
        return [each for each in every if not AUTOMATION.search(each.tactic)][:n]


def small_corpus(corpus: Path, out: Path) -> None:
    """Write one proof without automation of each theorem of `corpus` that has one; which one, its name draws."""
    with gzip.open(corpus, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    big = {row["proof"] for row in rows if AUTOMATION.search(row["tactic"])}
    proofs: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        if row["step"] == 0 and row["proof"] not in big:
            proofs[row["theorem"]].append(row["proof"])
    kept = {random.Random(theorem).choice(numbers) for theorem, numbers in proofs.items()}
    chosen = [row for row in rows if row["proof"] in kept]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in chosen)
    out.write_bytes(gzip.compress(text.encode(), mtime=0))
    typer.echo(f"{len(kept)} theorems, {len(chosen)} pairs: {out}")


async def held_out(folder: Path, statements: int, library: int, workers: int) -> None:
    """Search all held-out statements for proofs in small steps, and write the theorems that have one."""
    engine = await start_engine(workers, LIMITS)
    try:
        listed = await library_theorems(engine)
        fruitful = (one for one in generated(SEED, statements) if one.family in FAMILIES)
        stated = [*fruitful, *from_library(listed, SEED, library)]
        theorems = [one.theorem for one in stated if one.split != "train"]
        random.Random(SEED).shuffle(theorems)
        before = sum(1 for _ in read_collected(folder / FOUND))
        with tqdm(total=len(theorems), initial=before, unit="theorem", mininterval=5) as bar:
            await collect(
                engine,
                theorems,
                lambda theorem, attempt: SmallSteps(f"{SEED} {attempt} {theorem.name}"),
                EFFORT,
                folder / FOUND,
                workers,
                lambda _: (bar.update(), None)[1],
            )
    finally:
        await engine.close()
    write(folder, theorems)


def write(folder: Path, theorems: Sequence[Theorem]) -> None:
    """Write the theorems with a proof as a file of statements."""
    proved = {found.theorem for found in read_collected(folder / FOUND) if found.proofs}
    rows = [asdict(theorem) for theorem in theorems if theorem.name in proved]
    path = folder / "theorems.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    typer.echo(f"{len(rows)} of {len(theorems)} theorems proved in small steps: {path}")


def main(
    out: Annotated[Path, typer.Option(help="The folder to write to.")],
    corpus: Annotated[Path, typer.Option(help="A corpus of prove corpus.")] = Path("train/corpus/corpus.jsonl.gz"),
    statements: Annotated[int, typer.Option(help="Generated statements, 15 % of them held out.")] = 17_000,
    library: Annotated[int, typer.Option(help="Library theorems, 30 % of them held out.")] = 2_000,
    workers: Annotated[int, typer.Option(help="Lean processes.")] = 2,
) -> None:
    """Make a corpus and held-out theorems whose proofs take small steps."""
    out.mkdir(parents=True, exist_ok=True)
    small_corpus(corpus, out / "train.jsonl.gz")
    asyncio.run(held_out(out, statements, library, workers))


if __name__ == "__main__":
    typer.run(main)
