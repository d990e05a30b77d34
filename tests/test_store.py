"""What the store promises: nothing written is lost, and nothing is mixed up or overwritten."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from countdown import theorem, unsupported
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lean_env.engine import Verdict, VerdictKind
from prover.records import Attempt, Claim, Member, MemberSearch, Outcome
from prover.store import Store, StoreError

SETTINGS = {"benchmark": "numbers", "budget": 8, "seed": 0}
MEMBERS = [Member("chance", "best-first"), Member("tiny", "rollouts", 8)]
THEOREMS = [theorem(2), theorem(7), unsupported("strange")]


def attempt(name: str, outcome: Outcome = Outcome.PROVED, proof: str = "sub 2", *claims: Claim) -> Attempt:
    tree = {"nodes": [{"id": 0, "text": "⊢ ℕ"}], "edges": []}
    searches = (
        MemberSearch(0, "exhausted", 5, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0.25, 0.1, 0.5, tree),
        MemberSearch(1, outcome.value, 3, 0, 2, 1, 8, 70, 14_000_000_000_000, 4, 6, 5, 0.25, 0.1, 0.75, tree),
    )
    return Attempt(name, 11, outcome, proof, claims, searches, 0.5, 1000.0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "run")) as store:
        store.begin(SETTINGS, MEMBERS, THEOREMS, fresh=False)
        yield store


def test_what_was_recorded_is_there_when_the_run_is_opened_again(store: Store) -> None:
    refused = Claim("wish", Verdict(VerdictKind.REFUSED, "wishes are no proofs"))
    written = attempt("down7", Outcome.PROVED, "sub 5\nsub 2", refused)
    store.record(written)
    store.record_unsupported("strange", "unknown identifier\nat line 1")
    store.close()
    with closing(Store(store.out)) as again:
        again.begin(SETTINGS, MEMBERS, THEOREMS, fresh=False)
        waiting, proved, strange = again.findings()
        assert [f.theorem for f in (waiting, proved, strange)] == THEOREMS
        assert waiting.outcome is None
        assert proved.attempt and proved.attempt.claims == (refused,)
        assert proved.attempt.proof == "sub 5\nsub 2"
        assert (proved.attempt.expansions, proved.attempt.searches[1].lean_s, proved.attempt.started) == (
            8,
            0.25,
            1000.0,
        )
        assert proved.attempt.searches == tuple(replace(search, tree=None) for search in written.searches)
        assert strange.outcome is Outcome.UNSUPPORTED
        assert strange.reason == "unknown identifier\nat line 1"
        assert again.tree("down7", member=1) == written.searches[1].tree


@pytest.mark.parametrize(("key", "value"), [("budget", 16), ("seed", 1), ("statements", "f00d")])
def test_a_changed_setting_is_an_error_that_names_it_and_the_mend(store: Store, key: str, value: object) -> None:
    store.record(attempt("down2"))
    with pytest.raises(StoreError, match=rf"{key} .*now .*--fresh.*--out") as error:
        store.begin({**SETTINGS, key: value}, MEMBERS, THEOREMS, fresh=False)
    assert "\n" not in str(error.value)
    assert store.findings()[0].outcome is Outcome.PROVED


def test_fresh_forgets_the_run_and_leaves_files_alone_that_no_run_wrote(store: Store) -> None:
    store.record(attempt("down2"))
    proof, stranger = store.proof_path("down2"), store.out / "proofs" / "mine.lean"
    for file in (proof, stranger, store.out / "summary.json"):
        store.write(file, "text")
    store.begin({**SETTINGS, "budget": 16}, MEMBERS, THEOREMS[:1], fresh=True)
    assert [finding.outcome for finding in store.findings()] == [None]
    assert not proof.exists()
    assert not (store.out / "summary.json").exists()
    assert stranger.exists()


def test_a_folder_belongs_to_one_process_at_a_time(store: Store) -> None:
    code = f"from pathlib import Path; from prover.store import Store; Store(Path({str(store.out)!r}))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "another prove is writing" in other.stderr
    store.close()
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_was_recorded_outlives_a_kill_and_the_lock_does_not(tmp_path: Path) -> None:
    code = f"""
        import sys, time
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from pathlib import Path
        from prover.store import Store
        from test_store import SETTINGS, MEMBERS, THEOREMS, attempt
        store = Store(Path({str(tmp_path)!r}))
        store.begin(SETTINGS, MEMBERS, THEOREMS, fresh=False)
        store.record(attempt("down7"))
        print("recorded", flush=True)
        time.sleep(60)
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "recorded\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with closing(Store(tmp_path)) as store:
        store.begin(SETTINGS, MEMBERS, THEOREMS, fresh=False)
        assert [finding.outcome for finding in store.findings()] == [None, Outcome.PROVED, None]


def test_a_full_disk_is_one_line_and_keeps_what_was_recorded(store: Store) -> None:
    store.record(attempt("down2"))
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StoreError, match=r"full.*--out") as error:
        store.record(attempt("down7", proof="sub 1\n" * 100_000))
    assert "\n" not in str(error.value)
    assert [finding.outcome for finding in store.findings()] == [Outcome.PROVED, None, None]


def test_a_link_left_in_the_folder_leads_no_writing_out_of_it(store: Store, tmp_path: Path) -> None:
    path = store.proof_path("down2")
    path.parent.mkdir()
    outside = tmp_path / "outside"
    outside.write_text("precious")
    path.with_name(f".{path.name}.part").symlink_to(outside)
    path.symlink_to(outside)
    store.write(path, "a proof")
    assert outside.read_text() == "precious"
    assert path.read_text() == "a proof"


def test_an_out_that_cannot_be_a_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot write into .*--out"):
        Store(tmp_path / "file" / "run")


def test_a_database_that_is_none_is_left_as_it_is(tmp_path: Path) -> None:
    content = b"this is no database, but it is long enough to be looked at" * 40
    (tmp_path / "run.sqlite").write_bytes(content)
    with pytest.raises(StoreError, match="move it away"):
        Store(tmp_path)
    assert (tmp_path / "run.sqlite").read_bytes() == content


def test_a_database_of_something_else_is_left_as_it_is(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "run.sqlite")) as db:
        db.execute("CREATE TABLE songs (name TEXT)")
    with pytest.raises(StoreError, match="not a run"):
        Store(tmp_path)


@given(name=st.text(st.characters(codec="utf-8"), min_size=1))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_name_has_a_file_of_its_own_inside_proofs(store: Store, name: str) -> None:
    path = store.proof_path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text("text")
    assert path.parent == store.out / "proofs"
    assert path != store.proof_path(name + "'")


def test_seconds_add_up_over_sittings(store: Store) -> None:
    store._began -= 100
    store.record(attempt("down2"))
    store.close()
    with closing(Store(store.out)) as again:
        again.begin(SETTINGS, MEMBERS, THEOREMS, fresh=False)
        assert 100 <= again.wall_s() < 101
