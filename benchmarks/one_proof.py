"""Keeps one proof of each training theorem of a corpus, as corpora of human proofs have it.

    python -m benchmarks.one_proof train/corpus/corpus.jsonl.gz runs/n-eff/one-proof.jsonl.gz --theorems 600

Which proof, and which theorems, is drawn from the theorems' names. Those held out for validation keep all proofs.
"""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Annotated

import typer


def main(
    corpus: Annotated[Path, typer.Argument(help="A corpus of prove corpus.")],
    out: Annotated[Path, typer.Argument(help="The file to write, .jsonl.gz.")],
    theorems: Annotated[int | None, typer.Option(help="Keep only N training theorems.")] = None,
) -> None:
    """Write the corpus with one proof of each training theorem."""
    with gzip.open(corpus, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    proofs: dict[str, list[int]] = {}
    for row in rows:
        if row["split"] == "train" and row["step"] == 0:
            proofs.setdefault(row["theorem"], []).append(row["proof"])
    drawn = sorted(proofs, key=lambda theorem: random.Random(f"which {theorem}").random())[:theorems]
    kept = {random.Random(theorem).choice(proofs[theorem]) for theorem in drawn}
    chosen = [row for row in rows if row["split"] != "train" or row["proof"] in kept]
    out.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in chosen)
    out.write_bytes(gzip.compress(text.encode(), mtime=0))
    pairs = {(row["state"], row["tactic"]) for row in chosen if row["split"] == "train"}
    typer.echo(f"{len(kept)} theorems, {len(pairs)} distinct pairs: {out}")


if __name__ == "__main__":
    typer.run(main)
