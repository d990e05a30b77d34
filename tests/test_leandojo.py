"""The LeanDojo engine: the real lean_dojo package over a traced repository, its Lean served by the embedded engine."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import leandojo_lake
import leandojo_server
import psutil
import pytest
from leandojo_repo import FILE, LEMMA_FILE, SmallRepository, make
from leandojo_server import LakeServer

from lean_env.embedded import install
from lean_env.engine import (
    EngineError,
    Failed,
    FailureKind,
    ProofState,
    Proved,
    Theorem,
    UnsupportedStatement,
    VerdictKind,
)
from lean_env.leandojo.engine import LeanDojoEngine, Limits
from lean_env.leandojo.repository import Place, Repository
from lean_env.verify import Facts, WholeTheorem, judge

pytest.importorskip("lean_dojo", reason="lean-dojo is not installed: pip install -e '.[leandojo,test]'")

pytestmark = pytest.mark.heavy

NAMES = ("swap", "le_twice", "add_nothing", "both", "choice", "hidden", "false_helped", "broken")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallRepository:
    return make(tmp_path_factory.mktemp("leandojo"))


@pytest.fixture(scope="module")
async def lake(small: SmallRepository) -> AsyncIterator[LakeServer]:
    install.install(lambda step, done, total: None)
    bin_folder, path = small.folder.parent / "bin", small.folder.parent / "socket"
    leandojo_lake.install(bin_folder)
    pool = leandojo_server.pool()  # before the caches are others
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{bin_folder}{os.pathsep}{os.environ['PATH']}")
        patch.setenv("CACHE_DIR", str(small.cache))
        patch.setenv("XDG_CACHE_HOME", str(small.folder.parent / "user"))  # where the guard is compiled to
        patch.setenv(leandojo_lake.SOCKET, str(path))
        async with pool, LakeServer(pool, path) as server:
            yield server


@pytest.fixture(scope="module")
async def dojo(lake: LakeServer, small: SmallRepository) -> AsyncIterator[LeanDojoEngine]:
    places = {name: Place(FILE, f"Small.{name}") for name in (*NAMES, "missing")}
    running = await LeanDojoEngine.start(Repository.parse(small.reference), places, 1, Limits(timeout_s=3))
    yield running
    await running.close()


def theorem(name: str) -> Theorem:
    return Theorem(name, "")


async def test_theorem_of_a_traced_repository_is_opened_where_it_stands(dojo: LeanDojoEngine) -> None:
    session = await dojo.open(theorem("le_twice"))
    assert session.root.goals == ("n : ℕ\n⊢ n ≤ n + n",)
    state = await session.run(session.root, "have h := swap n n")
    assert isinstance(state, ProofState)
    assert state.goals == ("n : ℕ\nh : n + n = n + n\n⊢ n ≤ n + n",)
    assert await session.run(state, "omega") == Proved()
    await session.close()


async def test_failing_tactic_leaves_the_dojo_as_it_was(dojo: LeanDojoEngine) -> None:
    session = await dojo.open(theorem("both"))
    first = await session.run(session.root, "constructor")
    failed = await session.run(session.root, "exact hq")
    assert isinstance(failed, Failed)
    assert failed.kind is FailureKind.ERROR
    assert "hq" in failed.message
    assert isinstance(first, ProofState)
    assert len(first.goals) == 2
    second = await session.run(first, "exact hp")
    assert isinstance(second, ProofState)
    assert await session.run(second, "exact hq") == Proved()
    assert await session.run(session.root, "constructor\nexact hp\nexact hq") == Proved()
    await session.close()


async def test_line_longer_than_a_terminal_takes_reaches_lean_whole(dojo: LeanDojoEngine) -> None:
    session = await dojo.open(theorem("swap"))
    state = await session.run(session.root, f"have h : a = a :={' ' * 9000}rfl")
    assert isinstance(state, ProofState)
    assert state.text == "a b : ℕ\nh : a = a\n⊢ a + b = b + a"
    await session.close()


@pytest.mark.parametrize(
    ("tactic", "kind"),
    [
        ("lean_answers_late", FailureKind.TIMEOUT),
        ("have : 5^999999 % 7 = 6 := by grind", FailureKind.TIMEOUT),
        ("lean_exits", FailureKind.CRASH),
        ("lean_is_out_of_memory", FailureKind.MEMORY),
        ("lean_is_killed", FailureKind.MEMORY),
        ("lean_prints_half", FailureKind.CRASH),
    ],
)
async def test_lost_dojo_fails_one_tactic_and_no_later_one(
    dojo: LeanDojoEngine, tactic: str, kind: FailureKind
) -> None:
    session = await dojo.open(theorem("both"))
    state = await session.run(session.root, "constructor")
    assert isinstance(state, ProofState)
    failed = await session.run(state, tactic)
    assert isinstance(failed, Failed)
    assert failed.kind is kind, failed
    after = await session.run(state, "exact hp")
    assert isinstance(after, ProofState)
    assert after.goals[0].endswith("⊢ q")
    assert await session.run(after, "exact hq") == Proved()
    await session.close()


async def test_proof_is_verified_in_its_place_in_the_file(dojo: LeanDojoEngine, lake: LakeServer) -> None:
    verdict = await dojo.verify(theorem("le_twice"), "have h := swap n n\nomega")
    assert verdict.proved, verdict
    checked = lake.texts[-1]
    assert "theorem swap (a b : Nat) : a + b = b + a := by\n  exact Nat.add_comm a b" in checked
    assert "theorem le_twice (n : Nat) : n ≤ n + n :=\n  by\n  (\n    have h := swap n n\n    omega\n  )" in checked
    assert "sorry" not in checked


@pytest.mark.parametrize(
    ("name", "proof"),
    [
        ("both", "exact ⟨hp, hq⟩"),
        ("add_nothing", "rfl"),
        ("choice", "exact em p"),
        ("hidden", "rfl"),
        ("false_helped", "simp"),
        ("both", "constructor\n· exact hp\n· exact hq"),
    ],
)
async def test_true_proof_is_accepted(dojo: LeanDojoEngine, name: str, proof: str) -> None:
    verdict = await dojo.verify(theorem(name), proof)
    assert verdict.proved, verdict


@pytest.mark.parametrize(
    ("name", "proof", "kind"),
    [
        ("both", "constructor\nexact hp", VerdictKind.FAILED),
        ("both", "exact ⟨hq, hp⟩", VerdictKind.FAILED),
        ("both", "sorry", VerdictKind.REFUSED),
        ("both", "exact sorryAx _ true", VerdictKind.REFUSED),
        ("both", "have h : 1 = 2 := by native_decide\nomega", VerdictKind.REFUSED),
        ("both", "exact ⟨hp, hq⟩\n#eval 1", VerdictKind.FAILED),
        ("both", "run_tac foo", VerdictKind.REFUSED),
        ("both", "set_option debug.skipKernelTC true in exact ⟨hp, hq⟩", VerdictKind.REFUSED),
        (
            "both",
            "have h := Lean.ofReduceBool System.Platform.isWindows false rfl\nexact (fun _ => ⟨hp, hq⟩ : _ → p ∧ q) h",
            VerdictKind.REFUSED,
        ),
        # It ends the theorem, states an axiom, and closes the parenthesis of another theorem.
        (
            "both",
            "exact ⟨hp, hq⟩)\naxiom easy : False\ntheorem z : 1 = 2 := by\n  (exact easy.elim",
            VerdictKind.FAILED,
        ),
        ("both", "exact ⟨hp, hq⟩\ntheorem z : 1 = 2 := by decide", VerdictKind.FAILED),
        # Everything that the theorem may rest on is before it.
        ("swap", "have h := le_twice a\nomega", VerdictKind.FAILED),
        ("swap", "exact swap a b", VerdictKind.FAILED),
    ],
)
async def test_false_proof_is_not_accepted(dojo: LeanDojoEngine, name: str, proof: str, kind: VerdictKind) -> None:
    verdict = await dojo.verify(theorem(name), proof)
    assert verdict.kind is kind, verdict
    assert verdict.reason


async def test_proof_of_what_the_repository_itself_cannot_prove_is_unverified(dojo: LeanDojoEngine) -> None:
    verdict = await dojo.verify(theorem("broken"), "rfl")
    assert verdict.kind is VerdictKind.UNVERIFIED
    assert "own proof does not elaborate beside it" in verdict.reason


def test_theorem_that_says_less_than_the_repositorys_is_not_the_one_given(monkeypatch: pytest.MonkeyPatch) -> None:
    from lean_env.leandojo import check
    from lean_env.leandojo.traced import Traced

    def lean(folder: Path, text: str, limit_s: float) -> list[dict[str, object]]:
        def at(line: str, severity: str, data: str) -> dict[str, object]:
            return {"severity": severity, "data": data, "pos": {"line": text.splitlines().index(line) + 1, "column": 0}}

        axioms, compared = "#print axioms _root_.x", "example : type_of% @«the original» := @_root_.x"
        return [
            at(axioms, "information", "'x' depends on axioms: [propext,\n Quot.sound]"),
            at(compared, "error", "type mismatch"),
            at("#check True", "information", "True : Prop"),
        ]

    monkeypatch.setattr(check, "_messages", lean)
    cut = check.Source("", "theorem x : p :=", "theorem «the original» : p := h", "«the original»")
    traced = Traced(None, Path(), "4.9.0", "4.20.0", False)
    facts = check._elaborated(traced, Place("X.lean", "x"), cut, "exact h", 1)
    assert isinstance(facts, dict)
    verdict = judge(Facts.model_validate(facts), WholeTheorem("exact h", "", "x"))
    assert verdict.kind is VerdictKind.REFUSED
    assert verdict.reason == "the theorem proved is not the statement given"
    assert verdict.axioms == ("propext", "Quot.sound")


def test_lemma_is_cut_where_a_theorem_is(small: SmallRepository) -> None:
    from lean_env.leandojo.check import source
    from lean_env.leandojo.traced import Traced

    traced = Traced(None, small.traced, "4.9.0", "4.20.0", True)
    cut = source(traced, Place(LEMMA_FILE, "Nat.nothing_added"))
    assert cut.before == "import Init.Data.Nat.Basic\n\n"
    assert cut.stated == "lemma Nat.nothing_added (n : Nat) : n + 0 = n :="
    assert cut.renamed == "Nat.«the original»"
    assert cut.original == "lemma Nat.«the original» (n : Nat) : n + 0 = n := by\n  rfl"


def test_lean_that_ends_before_all_is_asked_verifies_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from lean_env.leandojo import check
    from lean_env.leandojo.protocol import Lost
    from lean_env.leandojo.traced import Traced

    def lean(folder: Path, text: str, limit_s: float) -> list[dict[str, object]]:
        place = {"line": text.splitlines().index("#print axioms _root_.x") + 1, "column": 0}
        return [{"severity": "information", "data": "'x' does not depend on any axioms", "pos": place}]

    monkeypatch.setattr(check, "_messages", lean)
    cut = check.Source("", "theorem x : p :=", "theorem «the original» : p := h", "«the original»")
    traced = Traced(None, Path(), "4.9.0", "4.20.0", False)
    assert isinstance(check._elaborated(traced, Place("X.lean", "x"), cut, "exact h", 1), Lost)


async def test_theorem_that_is_not_traced_is_unsupported(dojo: LeanDojoEngine) -> None:
    with pytest.raises(UnsupportedStatement, match=r"Small\.missing"):
        await dojo.open(theorem("missing"))
    with pytest.raises(UnsupportedStatement, match=r"no file of .* is known to hold elsewhere"):
        await dojo.open(theorem("elsewhere"))


async def test_dojos_leave_no_file_in_the_repository_and_no_lean(dojo: LeanDojoEngine, small: SmallRepository) -> None:
    session = await dojo.open(theorem("swap"))
    assert len(list((small.traced / "Small").iterdir())) == 3
    await session.close()
    assert sorted(file.name for file in (small.traced / "Small").iterdir()) == ["Basic.lean", "Lemma.lean"]


async def test_killed_worker_takes_its_leans_with_it_and_costs_no_tactic(
    dojo: LeanDojoEngine, lake: LakeServer
) -> None:
    session = await dojo.open(theorem("both"))
    state = await session.run(session.root, "constructor")
    assert isinstance(state, ProofState)
    served = lake.clients
    (worker,) = [p for p in psutil.Process().children() if "lean_env.leandojo.worker" in " ".join(p.cmdline())]
    leans = [child for child in worker.children(recursive=True) if "lake" in child.cmdline()]
    assert leans
    worker.send_signal(signal.SIGKILL)
    _, alive = await asyncio.to_thread(psutil.wait_procs, leans, 10)
    assert not alive
    after = await session.run(state, "exact hp")
    assert isinstance(after, ProofState)
    assert after.goals == ("case right\np q : Prop\nhp : p\nhq : q\n⊢ q",)
    assert lake.clients <= served
    await session.close()


async def test_event_loop_goes_on_while_lean_thinks(dojo: LeanDojoEngine) -> None:
    session = await dojo.open(theorem("both"))
    turns = 0
    thinking = asyncio.create_task(session.run(session.root, "lean_answers_late"))
    while not thinking.done():
        await asyncio.sleep(0.01)
        turns += 1
    assert turns > 50
    await session.close()


@pytest.fixture
def one_line(small: SmallRepository) -> Callable[[], Awaitable[str]]:
    """What an engine that does not start says."""

    async def start() -> str:
        with pytest.raises(EngineError) as raised:
            await LeanDojoEngine.start(Repository(str(small.folder), small.commit), {}, 1)
        assert "\n" not in str(raised.value)
        return str(raised.value)

    return start


async def test_repository_that_is_not_traced_is_told_with_the_command(
    lake: LakeServer, one_line: Callable[[], Awaitable[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CACHE_DIR", str(tmp_path / "empty"))
    assert "is not traced" in (said := await one_line())
    assert "run prove trace " in said


async def test_lean_that_refuses_leandojos_flags_is_told(
    lake: LakeServer, one_line: Callable[[], Awaitable[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(leandojo_lake.REFUSES, "4.22.0")
    said = await one_line()
    assert "Lean 4.22.0 of " in said
    assert "refuses the flags --threads=1 --memory=32768 that LeanDojo 4.20.0 starts it with" in said
    assert "unknown configuration option 'max_memory'" in said


async def test_missing_lake_is_told(
    lake: LakeServer, one_line: Callable[[], Awaitable[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "git").symlink_to(shutil.which("git", path=os.defpath) or "/usr/bin/git")
    (tmp_path / "sh").symlink_to("/bin/sh")
    assert "lake is not on the PATH: install elan" in await one_line()


async def test_commit_that_does_not_exist_is_told(lake: LakeServer, small: SmallRepository) -> None:
    with pytest.raises(EngineError, match=r"LeanDojo cannot use .*@no-such-tag"):
        await LeanDojoEngine.start(Repository(str(small.folder), "no-such-tag"), {}, 1)


async def prove(*arguments: object) -> tuple[int, str, str]:
    """The command in a process of its own, as the embedded Lean is served from this one's event loop."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "prover",
        *map(str, arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert b"Traceback" not in err, err.decode()
    return process.returncode or 0, out.decode(), err.decode()


async def test_prove_benchmark_proves_the_theorems_of_leandojo_benchmark(
    lake: LakeServer, small: SmallRepository, tmp_path: Path
) -> None:
    file = tmp_path / "data" / "novel_premises" / "test.json"
    file.parent.mkdir(parents=True)
    entries = [
        {
            "url": str(small.folder),
            "commit": small.commit,
            "file_path": FILE,
            "full_name": f"Small.{name}",
            "start": [1, 1],
            "end": [2, 1],
            "traced_tactics": [{"tactic": "rfl", "state_before": f"⊢ {name}", "state_after": "no goals"}],
        }
        for name in ("swap", "both", "missing")
    ]
    file.write_text(json.dumps(entries))
    out = tmp_path / "run"
    given = ["--benchmark", "leandojo", "--data", tmp_path / "data", "--split", "novel_premises"]
    status, printed, err = await prove(
        *given, "--policy", "portfolio", "--budget", 16, "--workers", 1, "--timeout", 5, "--out", out
    )
    assert status == 0, err
    assert printed.splitlines()[-1].startswith("proved 2 of 2 supported (3 theorems) in ")
    summary = json.loads((out / "summary.json").read_text())
    assert summary["engine"] == "leandojo"
    assert summary["engine_version"] == f"Lean 4.20.0, LeanDojo 4.20.0, {small.reference}"
    assert summary["split"] == "novel_premises/test"
    assert [one["name"] for one in summary["unsupported"]] == ["Small.missing"]
    proof = (out / "proofs" / "Small.swap.lean").read_text()
    assert f"{FILE} of {small.reference}" in proof


async def test_prove_repo_takes_all_theorems_with_a_tactic_proof(
    lake: LakeServer, small: SmallRepository, tmp_path: Path
) -> None:
    given = ["--benchmark", "leandojo", "--repo", small.reference, "--policy", "portfolio", "--budget", 1]
    status, _, err = await prove(*given, "--limit", 2, "--workers", 1, "--out", tmp_path / "run")
    assert status == 0, err
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["theorems"] == 2
    assert summary["supported"] == 2


async def test_trace_of_what_is_traced_prints_its_folder(lake: LakeServer, small: SmallRepository) -> None:
    status, out, err = await prove("trace", small.reference)
    assert (status, out.strip()) == (0, str(small.traced)), err
    assert "is traced already" in err


async def test_trace_goes_as_far_as_the_network_and_says_that_it_needs_it(
    lake: LakeServer, small: SmallRepository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "lean" / "lib" / "lean").mkdir(parents=True)
    monkeypatch.setenv("CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("NUM_PROCS", "1")
    monkeypatch.setenv(leandojo_lake.PREFIX, str(tmp_path / "lean"))
    monkeypatch.setenv(leandojo_lake.TRACES, str(small.traced / ".lake/build/ir"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # nobody is there, on a machine with a network too
    status, out, err = await prove("trace", small.reference)
    assert status == 2
    assert out == ""
    assert "32 GiB of memory" in err
    assert "[1/2] Building Basic" in err  # Lake's progress
    assert "traced Basic.ast.json" in err
    assert "prove: error: the network is needed while" in err.splitlines()[-1]


async def test_failing_build_is_told_with_its_command(
    lake: LakeServer, small: SmallRepository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv(leandojo_lake.BUILD_FAILS, "1")
    status, _, err = await prove("trace", small.reference)
    assert status == 2
    assert "prove: error: `lake build` ended with exit code 1" in err.splitlines()[-1]


async def test_lean_that_refuses_flags_is_told_before_anything_is_built(
    lake: LakeServer, small: SmallRepository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv(leandojo_lake.REFUSES, "4.22.0")
    status, _, err = await prove("trace", small.reference)
    assert status == 2
    assert "refuses the flags" in err.splitlines()[-1]
    assert "Building" not in err
