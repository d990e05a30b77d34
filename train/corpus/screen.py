"""Which held-out theorems make a benchmark: those that Lean takes, and that no automation closes in one step."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from lean_env.engine import Engine, Proved, Theorem, UnsupportedStatement
from train.corpus.kept import read_rows
from train.corpus.statements import Stated

AUTOMATION = (
    "grind",
    "omega",
    "simp_all",
    "simp",
    "decide",
    "rfl",
    "intros; grind",
    "intros; omega",
    "intros; simp_all",
)
SEARCHES = 4  # at a time


async def closed_at_once(engine: Engine, theorem: Theorem) -> bool | None:
    """Whether one tactic of AUTOMATION proves the theorem; None when Lean does not take its statement."""
    try:
        session = await engine.open(theorem)
    except UnsupportedStatement:
        return None
    try:
        for tactic in AUTOMATION:
            if isinstance(await session.run(session.root, tactic), Proved):
                return True
        return False
    finally:
        await session.close()


async def screen(engine: Engine, theorems: Sequence[Theorem], kept: Path, progress: Callable[[], object]) -> None:
    """Write a line with the verdict on each theorem to `kept`, unless it has one. Raises EngineError."""
    known = {row["theorem"] for row in read_rows(kept)}
    queue = iter([theorem for theorem in theorems if theorem.name not in known])
    with kept.open("a", encoding="utf-8") as file:

        async def lane() -> None:
            for theorem in queue:
                row = {"theorem": theorem.name, "closed": await closed_at_once(engine, theorem)}
                file.write(json.dumps(row) + "\n")
                file.flush()
                progress()

        async with asyncio.TaskGroup() as lanes:
            for _ in range(SEARCHES):
                lanes.create_task(lane())


def write_benchmark(path: Path, stated: Sequence[Stated], kept: Path) -> int:
    """Write those of the held-out `stated` that passed the screen as a statements file; gives their number."""
    passed = {row["theorem"] for row in read_rows(kept) if row["closed"] is False}
    rows = [
        {
            "name": one.theorem.name,
            "split": one.split,
            "header": one.theorem.header,
            "statement": one.theorem.statement,
            **({"before": one.theorem.before} if one.theorem.before else {}),
        }
        for one in stated
        if one.split != "train" and one.theorem.name in passed
    ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return len(rows)
