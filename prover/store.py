"""What a run writes down as it goes: DIR/run.sqlite, one transaction a theorem, and the files beside it.

A run that was killed is opened again and goes on: what is in the database is finished, everything else is done anew.
Knows nothing of Lean or search.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any
from urllib.parse import quote

from filelock import FileLock, Timeout

from lean_env.engine import Theorem, Verdict, VerdictKind
from prover.records import Attempt, Claim, EngineUse, Finding, Member, MemberSearch, Outcome

DATABASE = "run.sqlite"
SUMMARY = "summary.json"
REPORT = "report.html"

SCHEMA_VERSION = 5
SCHEMA = """
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE sittings (
    id INTEGER PRIMARY KEY, started REAL NOT NULL, wall_s REAL NOT NULL, engine_use TEXT NOT NULL DEFAULT '');
CREATE TABLE members (
    id INTEGER PRIMARY KEY, policy TEXT NOT NULL, strategy TEXT NOT NULL, n_eff REAL);
CREATE TABLE theorems (
    name TEXT PRIMARY KEY, position INTEGER NOT NULL, split TEXT NOT NULL, header TEXT NOT NULL,
    statement TEXT NOT NULL, before TEXT NOT NULL, supported INTEGER, reason TEXT NOT NULL DEFAULT '');
CREATE TABLE attempts (
    theorem TEXT PRIMARY KEY REFERENCES theorems, seed INTEGER NOT NULL, status TEXT NOT NULL, proof TEXT NOT NULL,
    verdict TEXT NOT NULL, wall_s REAL NOT NULL, started REAL NOT NULL, finished REAL NOT NULL);
CREATE TABLE searches (
    theorem TEXT NOT NULL REFERENCES attempts, member INTEGER NOT NULL REFERENCES members, status TEXT NOT NULL,
    expansions INTEGER NOT NULL, redraws INTEGER NOT NULL, repeats INTEGER NOT NULL, policy_calls INTEGER NOT NULL,
    model_calls INTEGER NOT NULL, model_tokens INTEGER NOT NULL, flops INTEGER NOT NULL,
    cut_prompts INTEGER NOT NULL, cut_off INTEGER NOT NULL, blank INTEGER NOT NULL,
    lean_s REAL NOT NULL, policy_s REAL NOT NULL, wall_s REAL NOT NULL, tree BLOB NOT NULL,
    PRIMARY KEY (theorem, member));
CREATE TABLE claims (
    theorem TEXT NOT NULL REFERENCES attempts, position INTEGER NOT NULL,
    proof TEXT NOT NULL, verdict TEXT NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (theorem, position));
"""


class StoreError(Exception):
    """The run cannot be written, or is not the one asked for. One line, with the mend."""


class Store:
    """The folder of one run, held by this process alone until `close`."""

    def __init__(self, out: Path) -> None:
        """Take the folder `out`, making it where it is missing. Raises StoreError."""
        self.out = out
        with self._explained():
            out.mkdir(parents=True, exist_ok=True)
            # The operating system drops this lock with the process, so that a killed run does not block the next.
            self._lock = FileLock(out / ".lock")
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                raise StoreError(
                    f"another prove is writing into {out}: wait for it to end, or give another --out"
                ) from None
        try:
            self._db = self._connect()
        except StoreError:
            self._lock.release()
            raise
        self._began = time.monotonic()
        self._sitting = 0

    def _connect(self) -> sqlite3.Connection:
        path = self.out / DATABASE
        with self._explained():
            db = sqlite3.connect(path)
        try:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        except sqlite3.DatabaseError as error:
            db.close()
            raise StoreError(f"{path} cannot be read ({error}): move it away, or give another --out") from error
        if tables and version != SCHEMA_VERSION:
            db.close()
            raise StoreError(f"{path} is not a run of this version of prove: move it away, or give another --out")
        with self._explained():
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")  # a transaction a theorem: the sync costs nothing that is felt
            db.execute("PRAGMA foreign_keys=ON")
            if not tables:
                db.executescript(SCHEMA + f"PRAGMA user_version={SCHEMA_VERSION};")
        return db

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise StoreError(
                f"cannot write into {self.out} ({reason}): see to its space and rights, or give another --out"
            ) from error

    def begin(
        self, settings: Mapping[str, Any], members: Sequence[Member], theorems: Sequence[Theorem], *, fresh: bool
    ) -> None:
        """Start the run that `settings` (plain JSON values) describe, or go on with it; `fresh` forgets what is there.

        Raises StoreError when the folder holds a run with other settings.
        """
        wanted = {key: json.dumps(value, sort_keys=True) for key, value in settings.items()}
        held = dict(self._db.execute("SELECT key, value FROM settings"))
        if held and not fresh and held != wanted:
            changed = [key for key in {**held, **wanted} if held.get(key) != wanted.get(key)]
            difference = ", ".join(f"{key} {held.get(key, 'unset')}, now {wanted.get(key, 'unset')}" for key in changed)
            raise StoreError(f"{self.out} holds a run with {difference}: give --fresh to start over, or another --out")
        if fresh:
            self._clear()
        self._began = time.monotonic()
        with self._explained(), self._db as db:
            cursor = db.execute("INSERT INTO sittings (started, wall_s) VALUES (?, 0)", (time.time(),))
            self._sitting = cursor.lastrowid or 0
            if held and not fresh:
                return
            db.executemany("INSERT INTO settings VALUES (?, ?)", wanted.items())
            db.executemany(
                "INSERT INTO members VALUES (?, ?, ?, ?)",
                [(place, one.policy, one.strategy, one.n_eff) for place, one in enumerate(members)],
            )
            db.executemany(
                "INSERT INTO theorems (position, name, split, header, statement, before) VALUES (?, ?, ?, ?, ?, ?)",
                [(n, t.name, t.split, t.header, t.statement, t.before) for n, t in enumerate(theorems)],
            )

    def _clear(self) -> None:
        """Forget the run: only files that a run wrote are deleted."""
        with self._explained():
            for name in [row[0] for row in self._db.execute("SELECT name FROM theorems")]:
                self.proof_path(name).unlink(missing_ok=True)
            for name in (SUMMARY, REPORT):
                (self.out / name).unlink(missing_ok=True)
            with self._db as db:
                for table in ("claims", "searches", "attempts", "theorems", "members", "sittings", "settings"):
                    db.execute(f"DELETE FROM {table}")

    def record(self, attempt: Attempt) -> None:
        """Write down a finished attempt, durably. Raises StoreError."""
        verdict = attempt.claims[-1].verdict.kind.value if attempt.claims else ""
        row = (
            attempt.theorem,
            attempt.seed,
            attempt.outcome.value,
            attempt.proof,
            VerdictKind.PROVED.value if attempt.outcome is Outcome.PROVED else verdict,
            attempt.wall_s,
            attempt.started,
            attempt.started + attempt.wall_s,
        )
        searches = [
            (attempt.theorem, *values, zlib.compress(json.dumps(tree).encode()))
            for *values, tree in map(astuple, attempt.searches)
        ]
        claims = [
            (attempt.theorem, position, claim.proof, claim.verdict.kind.value, claim.verdict.reason)
            for position, claim in enumerate(attempt.claims)
        ]
        with self._explained(), self._db as db:
            db.execute("UPDATE theorems SET supported=1 WHERE name=?", (attempt.theorem,))
            db.execute("INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            db.executemany(f"INSERT INTO searches VALUES ({', '.join('?' * 17)})", searches)
            db.executemany("INSERT INTO claims VALUES (?, ?, ?, ?, ?)", claims)
            self._keep_time(db)

    def record_unsupported(self, name: str, reason: str) -> None:
        """Write down that the engine cannot state the theorem, with Lean's reason. Raises StoreError."""
        with self._explained(), self._db as db:
            db.execute("UPDATE theorems SET supported=0, reason=? WHERE name=?", (reason or "no reason given", name))
            self._keep_time(db)

    def _keep_time(self, db: sqlite3.Connection) -> None:
        db.execute("UPDATE sittings SET wall_s=? WHERE id=?", (time.monotonic() - self._began, self._sitting))

    def record_use(self, use: EngineUse) -> None:
        """Write down what the engine did in this sitting until now. Raises StoreError."""
        with self._explained(), self._db as db:
            db.execute("UPDATE sittings SET engine_use=? WHERE id=?", (json.dumps(asdict(use)), self._sitting))

    def uses(self) -> list[EngineUse]:
        """What the engine did, sitting by sitting."""
        rows = self._db.execute("SELECT engine_use FROM sittings WHERE engine_use != '' ORDER BY id")
        return [EngineUse(**json.loads(use)) for (use,) in rows]

    def wall_s(self) -> float:
        """Seconds spent on the run so far, over all its sittings."""
        with self._explained(), self._db as db:
            self._keep_time(db)
        return float(self._db.execute("SELECT sum(wall_s) FROM sittings").fetchone()[0])

    def findings(self) -> list[Finding]:
        """Every theorem of the run in the benchmark's order, attempts without their trees."""
        claims: dict[str, list[Claim]] = {}
        for name, proof, verdict, reason in self._db.execute(
            "SELECT theorem, proof, verdict, reason FROM claims ORDER BY theorem, position"
        ):
            claims.setdefault(name, []).append(Claim(proof, Verdict(VerdictKind(verdict), reason)))
        searches: dict[str, list[MemberSearch]] = {}
        for name, *spent in self._db.execute(
            "SELECT theorem, member, status, expansions, redraws, repeats, policy_calls, model_calls, model_tokens,"
            " flops, cut_prompts, cut_off, blank, lean_s, policy_s, wall_s"
            " FROM searches ORDER BY theorem, rowid"
        ):
            searches.setdefault(name, []).append(MemberSearch(*spent))
        rows = self._db.execute(
            "SELECT name, split, header, statement, before, reason, seed, status, proof, wall_s, started"
            " FROM theorems LEFT JOIN attempts ON theorem = name ORDER BY position"
        )
        return [
            Finding(
                Theorem(name, statement, header, split, before),
                Attempt(
                    name,
                    seed,
                    Outcome(status),
                    proof,
                    tuple(claims.get(name, ())),
                    tuple(searches.get(name, ())),
                    wall_s,
                    started,
                )
                if status
                else None,
                reason,
            )
            for name, split, header, statement, before, reason, seed, status, proof, wall_s, started in rows
        ]

    def settings(self) -> dict[str, Any]:
        """What `begin` was given."""
        return {key: json.loads(value) for key, value in self._db.execute("SELECT key, value FROM settings")}

    def members(self) -> list[Member]:
        """The members of the run in their order."""
        return [Member(*row) for row in self._db.execute("SELECT policy, strategy, n_eff FROM members ORDER BY id")]

    def tree(self, name: str, member: int = 0) -> Any:
        """The search tree of a member on a theorem, as `record` was given it.

        Raises KeyError when there is none, and StoreError for one that is torn.
        """
        row = self._db.execute("SELECT tree FROM searches WHERE theorem=? AND member=?", (name, member)).fetchone()
        if row is None:
            raise KeyError(name)
        try:
            return json.loads(zlib.decompress(row[0]))
        except (ValueError, TypeError, zlib.error) as error:
            raise StoreError(f"{self.out} holds a torn search tree of {name}: give another --out") from error

    def proof_path(self, name: str) -> Path:
        """Where the proof of a theorem goes."""
        return self.out / "proofs" / proof_file(name)

    def write(self, path: Path, text: str) -> None:
        """Write a file of the run so that a reader sees the whole text or the file before it. Raises StoreError."""
        with self._explained():
            path.parent.mkdir(exist_ok=True)
            part = path.with_name(f".{path.name}.part")
            part.unlink(missing_ok=True)  # of a run that was killed; in a folder from someone else, maybe a link
            with part.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)

    def close(self) -> None:
        """Let go of the folder."""
        self._db.close()
        self._lock.release()


def proof_file(name: str) -> str:
    """The name of the file for a theorem's proof: its name, with what a file name cannot hold percent-encoded."""
    stem = quote(name, safe="'")
    if len(stem) > 200:  # noqa: PLR2004  (file systems end names at 255 bytes)
        stem = f"{stem[:150]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    return f"{stem}.lean"
