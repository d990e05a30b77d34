"""What a study writes down as it goes: DIR/study.sqlite, one transaction a search.

A study that was killed is opened again and goes on with the searches that are missing; members, strategies and seeds
may be added to it, and the budget may be raised. Knows nothing of Lean or of how a search goes.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from lean_env.engine import Theorem
from prover.store import StoreError
from prover.study.config import Cell
from search.budget import Spent

DATABASE = "study.sqlite"
STATEMENTS = "statements"  # of the settings: a digest of the theorems

SCHEMA_VERSION = 2
SCHEMA = """
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE policies (member TEXT NOT NULL, seed INTEGER NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (member, seed));
CREATE TABLE cells (
    id INTEGER PRIMARY KEY, member TEXT NOT NULL, strategy TEXT NOT NULL, UNIQUE (member, strategy));
CREATE TABLE theorems (
    name TEXT PRIMARY KEY, position INTEGER NOT NULL, split TEXT NOT NULL, statement TEXT NOT NULL,
    unsupported TEXT);
CREATE TABLE searches (
    theorem TEXT NOT NULL REFERENCES theorems, cell INTEGER NOT NULL REFERENCES cells, seed INTEGER NOT NULL,
    budget INTEGER NOT NULL, status TEXT NOT NULL, proof TEXT NOT NULL, shape TEXT NOT NULL, tree BLOB,
    expansions INTEGER NOT NULL, redraws INTEGER NOT NULL, repeats INTEGER NOT NULL, policy_calls INTEGER NOT NULL,
    model_calls INTEGER NOT NULL, model_tokens INTEGER NOT NULL, flops INTEGER NOT NULL, lean_s REAL NOT NULL,
    policy_s REAL NOT NULL, wall_s REAL NOT NULL,
    PRIMARY KEY (theorem, cell, seed));
"""

SPENT = [each.name for each in fields(Spent)]  # columns of searches
SearchKey = tuple[str, Cell, int]
PROVED, BUDGET = "proved", "budget"  # of search.budget.SearchStatus


@dataclass(frozen=True)
class Search:
    """What came of one search. `shape` and `tree` are plain JSON data, the tree compressed (zlib), None if not kept.

    `spent` is all that it spent; where it `proved`, the proof was found at the last expansion. `budget` is how many it
    might have spent. Seconds are those of the study, in which searches wait for each other.
    """

    theorem: str
    cell: Cell
    seed: int
    budget: int
    status: str
    spent: Spent
    proof: tuple[str, ...]
    shape: Mapping[str, Any]
    tree: bytes | None = None

    @property
    def key(self) -> SearchKey:
        """What there is one search of."""
        return self.theorem, self.cell, self.seed

    @property
    def proved(self) -> bool:
        """Whether it found a proof that was verified."""
        return self.status == PROVED

    def tells(self, budget: int) -> bool:
        """Whether a search with `budget` expansions is known by this one: a larger one begins as a smaller one."""
        return budget <= self.budget or self.status != BUDGET


@dataclass(frozen=True)
class Stated:
    """A theorem of the study, with the reason why the engine cannot state it, if it cannot."""

    name: str
    split: str
    statement: str
    unsupported: str | None


class StudyStore:
    """The folder of one study, held by this process alone until `close`."""

    def __init__(self, out: Path) -> None:
        """Take the folder `out`, making it where it is missing. Raises StoreError."""
        self.out = out
        with self._explained():
            out.mkdir(parents=True, exist_ok=True)
            # The operating system drops this lock with the process, so that a killed study does not block the next.
            self._lock = FileLock(out / ".lock")
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                raise StoreError(f"another study is writing into {out}: wait for it, or give another --out") from None
        try:
            with self._explained():
                self._db = _connected(out / DATABASE)
        except StoreError:
            self._lock.release()
            raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise StoreError(
                f"cannot keep the study in {self.out} ({reason}): see to its space and rights, or give another --out"
            ) from error

    def settle(self, settings: Mapping[str, Any]) -> None:
        """Hold the study to `settings` (plain JSON values). Raises StoreError when it was made with others."""
        held = dict(self._db.execute("SELECT key, value FROM settings"))
        for key, value in settings.items():
            wanted = json.dumps(value, sort_keys=True)
            if held.get(key, wanted) != wanted:
                other = f"with {key} {held[key]}, now {wanted}"
                if key == STATEMENTS:
                    other = "of other theorems (benchmarks, split, limit and data stay as they were)"
                raise StoreError(f"{self.out} holds a study {other}: give another --out")
            with self._explained(), self._db as db:
                db.execute("INSERT OR IGNORE INTO settings VALUES (?, ?)", (key, wanted))

    def begin(self, theorems: Sequence[Theorem], cells: Sequence[Cell], digests: Mapping[tuple[str, int], str]) -> None:
        """Take in what is to be searched; `digests` tell what the policy of each member is at each seed.

        Raises StoreError when there are searches of a member of that name with another policy.
        """
        searched = self._db.execute(
            "SELECT member, seed, digest FROM policies WHERE (member, seed) IN"
            " (SELECT member, seed FROM searches JOIN cells ON cell = id)"
        )
        for member, seed, digest in searched:
            if digests.get((member, seed), digest) != digest:
                raise StoreError(
                    f"{self.out} has searches of {member} as it was before its policy changed:"
                    " give it another name, or another --out"
                )
        with self._explained(), self._db as db:
            rows = [(member, seed, digest) for (member, seed), digest in digests.items()]
            db.executemany("INSERT OR REPLACE INTO policies VALUES (?, ?, ?)", rows)
            pairs = [(cell.member, cell.strategy) for cell in cells]
            db.executemany("INSERT OR IGNORE INTO cells (member, strategy) VALUES (?, ?)", pairs)
            db.executemany(
                "INSERT OR IGNORE INTO theorems (name, position, split, statement) VALUES (?, ?, ?, ?)",
                [(one.name, place, one.split, one.statement) for place, one in enumerate(theorems)],
            )

    def record(self, search: Search) -> None:
        """Write down a finished search, in place of one with a smaller budget. Raises StoreError."""
        with self._explained(), self._db as db:
            values = {
                "theorem": search.theorem,
                "seed": search.seed,
                "budget": search.budget,
                "status": search.status,
                "proof": json.dumps(search.proof),
                "shape": json.dumps(search.shape),
                "tree": search.tree,
                **asdict(search.spent),
            }
            db.execute(
                f"INSERT OR REPLACE INTO searches (cell, {', '.join(values)})"
                f" SELECT id{', ?' * len(values)} FROM cells WHERE member = ? AND strategy = ?",
                (*values.values(), search.cell.member, search.cell.strategy),
            )

    def record_unsupported(self, name: str, reason: str) -> None:
        """Write down that the engine cannot state the theorem, with Lean's reason. Raises StoreError."""
        with self._explained(), self._db as db:
            db.execute("UPDATE theorems SET unsupported = ? WHERE name = ?", (reason or "no reason given", name))

    def theorems(self) -> list[Stated]:
        """Every theorem, in the benchmark's order."""
        rows = self._db.execute("SELECT name, split, statement, unsupported FROM theorems ORDER BY position")
        return [Stated(*row) for row in rows]

    def searches(self) -> list[Search]:
        """Every search that is finished, in the order of theorems, cells and seeds; without its tree."""
        rows = self._db.execute(
            f"SELECT theorem, member, strategy, seed, budget, status, proof, shape, {', '.join(SPENT)}"
            " FROM searches JOIN cells ON cell = id JOIN theorems ON theorem = name ORDER BY position, cell, seed"
        )
        return [
            Search(
                *(theorem, Cell(member, strategy), seed, budget, status),
                *(Spent(*spent), tuple(json.loads(proof)), json.loads(shape)),
            )
            for theorem, member, strategy, seed, budget, status, proof, shape, *spent in rows
        ]

    def tree(self, search: Search) -> bytes | None:
        """The tree of a search as `record` was given it."""
        row: tuple[bytes | None] | None = self._db.execute(
            "SELECT tree FROM searches JOIN cells ON cell = id"
            " WHERE theorem = ? AND member = ? AND strategy = ? AND seed = ?",
            (search.theorem, search.cell.member, search.cell.strategy, search.seed),
        ).fetchone()
        return row[0] if row else None

    def write(self, name: str, content: str | bytes) -> None:
        """Write a file of the study so that a reader sees all of it or the one before. Raises StoreError."""
        data = content.encode() if isinstance(content, str) else content
        with self._explained():
            part = self.out / f".{name}.part"
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.out / name)

    def close(self) -> None:
        """Let go of the folder."""
        self._db.close()
        self._lock.release()


def _connected(path: Path) -> sqlite3.Connection:
    """The database of a study, made where it is missing. Raises StoreError and what SQLite raises."""
    db = sqlite3.connect(path)
    version = db.execute("PRAGMA user_version").fetchone()[0]
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables and (version != SCHEMA_VERSION or not {"settings", "searches"} <= tables):
        db.close()
        raise StoreError(f"{path} is not a study of this version of prove: move it away, or give another --out")
    db.execute("PRAGMA journal_mode=WAL")
    # A killed process loses nothing this way; a power cut may lose the last searches, and they are made again.
    db.execute("PRAGMA synchronous=NORMAL")
    if not tables:
        db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version={SCHEMA_VERSION}; COMMIT;")
    return db
