"""The native engine, through the REPL's protocol, on the embedded Lean answering as a native one does.

native_repl.js says what is different from a native Lean; what only Mathlib could show is not shown here.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, cast

import native_project
import pytest
from attacks import ATTACKS, RUN_IO, Attack
from honest_proofs import HONEST, MINIF2F, Honest

from lean_env.embedded import install
from lean_env.engine import (
    EngineError,
    Failed,
    FailureKind,
    ProofState,
    Proved,
    Session,
    Theorem,
    UnsupportedStatement,
    VerdictKind,
)
from lean_env.native import engine as native
from lean_env.native import project as projects
from lean_env.native import sandbox
from lean_env.native.engine import GUARD, Limits, NativeEngine
from lean_env.native.project import Project, open_project
from lean_env.pool import Pool, Slot
from lean_env.process import EndCause, Process
from lean_env.repl import ProcessDied
from lean_env.verify import elaborated_header, imported
from lean_env.wire import ErrorAnswer, TacticAnswer

LESS = Theorem("less", "theorem less (a b : ℕ) (h : a < b) : a + 1 ≤ b := by sorry", MINIF2F)
TACTIC_S = 5.0
MEMORY_MB = 1500


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with Mathlib, as far as anybody sees, and its `lake` on the PATH."""
    install.install(lambda step, done, total: None)
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(native_project.make(folder)), prepend=":")
        yield folder


@pytest.fixture(scope="module")
async def engine(folder: Path) -> AsyncIterator[NativeEngine]:
    """One process to search and one to verify in, in a sandbox where that is to be had."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native, "PROOFS_A_PROCESS", 10**6)  # a start takes half a minute here
        tool, _ = sandbox.find(folder)
        running = await NativeEngine.start(open_project(folder, "lake env repl"), 1, Limits(TACTIC_S, MEMORY_MB), tool)
    yield running
    await running.close()


@pytest.fixture
async def session(engine: NativeEngine) -> AsyncIterator[Session]:
    session = await engine.open(LESS)
    yield session
    await session.close()


def failed(result: object, kind: FailureKind) -> str:
    assert isinstance(result, Failed) and result.kind is kind, result
    return result.message


# Searching.


def test_the_engine_says_what_it_is(engine: NativeEngine) -> None:
    assert engine.info.name == "repl"
    assert engine.info.version == "Lean 4.28.0"
    assert engine.info.mathlib and engine.info.imports == ("Mathlib",)


async def test_a_search_goes_from_state_to_state(session: Session) -> None:
    assert session.root.goals == ("a b : ℕ\nh : a < b\n⊢ a + 1 ≤ b",)
    split = await session.run(session.root, "cases b")
    assert isinstance(split, ProofState) and len(split.goals) == 2
    rest = await session.run(split, "omega")
    assert isinstance(rest, ProofState) and rest.goals == split.goals[1:]
    assert isinstance(await session.run(rest, "omega"), Proved)
    assert isinstance(await session.run(session.root, "have k : b > 0 := by\n  omega\nomega"), Proved)
    assert "unknown tactic" in failed(await session.run(session.root, "nonsense"), FailureKind.ERROR)


async def test_what_a_header_imports_is_imported_once_in_a_process(engine: NativeEngine) -> None:
    async def seen(process: Process) -> Process:
        return process

    async def requests(theorem: Theorem) -> int:
        """What the process that searches was asked; the spare one warms up when it likes."""
        (slot,) = engine.pool.slots
        process = await slot.run(seen)
        before = process.requests
        await (await engine.open(theorem)).close()
        assert await slot.run(seen) is process
        return process.requests - before

    await requests(LESS)
    assert await requests(LESS) == 2  # the statement is looked at, and elaborated
    assert await requests(Theorem("less", LESS.statement, f"{MINIF2F}\nset_option maxRecDepth 900")) == 4
    assert await requests(Theorem("less", LESS.statement, "import Mathlib.Tactic\nopen Nat")) == 7


async def test_an_import_that_the_project_does_not_have_is_unsupported_with_leans_reason(engine: NativeEngine) -> None:
    with pytest.raises(UnsupportedStatement, match="unknown module prefix 'NoSuchLibrary'"):
        await engine.open(Theorem("less", LESS.statement, "import NoSuchLibrary"))


async def test_a_statement_that_lean_does_not_accept_is_unsupported_with_leans_reason(engine: NativeEngine) -> None:
    with pytest.raises(UnsupportedStatement, match="NoSuchThing"):
        await engine.open(Theorem("t", "theorem t : NoSuchThing 3 := by sorry"))


@pytest.mark.parametrize(
    "theorem",
    [
        Theorem("t", "theorem t : type_of% (by run_tac pure () : True) := by sorry"),
        Theorem("t", "theorem t : True := by sorry\n#eval 1"),
        Theorem("t", "#eval 1\ntheorem t : True := by sorry"),
        Theorem("t", "def t : Nat := by sorry"),
        Theorem("Nat.add_comm", "theorem t : True := by sorry"),
        Theorem("t\n#eval 1", "theorem t : True := by sorry"),
        Theorem("t", "theorem t : True := by sorry", "#eval 1"),
        Theorem("t", "theorem t : True := by sorry", before="Nat.add_comm"),
    ],
)
async def test_a_statement_that_is_not_the_theorem_or_would_run_code_is_not_elaborated(
    engine: NativeEngine, theorem: Theorem
) -> None:
    with pytest.raises(UnsupportedStatement):
        await engine.open(theorem)


# Faults.


async def test_a_late_answer_fails_its_tactic_and_no_other(session: Session) -> None:
    state = await session.run(session.root, "have k : 1 ≤ 2 := by decide")
    assert isinstance(state, ProofState)
    assert "no answer within 5 s" in failed(await session.run(state, "omega -- fault late 60"), FailureKind.TIMEOUT)
    again = await session.run(state, "have l := k")
    assert isinstance(again, ProofState) and "l : 1 ≤ 2" in again.text


@pytest.mark.parametrize("fault", ["half", "death 9"])
async def test_a_death_in_the_middle_fails_its_tactic_and_no_other(session: Session, fault: str) -> None:
    assert "exit code" in failed(await session.run(session.root, f"omega -- fault {fault}"), FailureKind.CRASH)
    assert isinstance(await session.run(session.root, "omega"), Proved)


@pytest.mark.heavy
async def test_an_answer_of_100_megabytes_arrives(folder: Path) -> None:
    tool, _ = sandbox.find(folder)
    patient = await NativeEngine.start(open_project(folder, "lake env repl"), 1, Limits(60.0, MEMORY_MB), tool)
    try:
        session = await patient.open(LESS)
        assert isinstance(await session.run(session.root, "cases b -- fault huge 100"), ProofState)
        assert isinstance(await session.run(session.root, "omega"), Proved)
        await session.close()
    finally:
        await patient.close()


async def test_a_process_that_takes_too_much_memory_fails_its_tactic(session: Session) -> None:
    said = failed(await session.run(session.root, f"omega -- fault grow {MEMORY_MB}"), FailureKind.MEMORY)
    assert f"{MEMORY_MB} MiB" in said
    assert isinstance(await session.run(session.root, "omega"), Proved)


class Scripted:
    """A slot whose process gives these answers, one after the other."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.state: dict[str, Any] = {}
        self.ended: list[EndCause] = []
        self._answers = list(answers)

    async def request(self, message: object, limit_s: float | None = None) -> dict[str, Any]:
        return self._answers.pop(0)

    def end(self, cause: EndCause) -> None:
        self.ended.append(cause)

    async def run(self, job: Callable[[Any], Awaitable[Any]]) -> Any:
        return await job(self)


async def test_a_statement_that_is_not_taken_again_in_another_process_fails_the_tactic() -> None:
    gone = {"severity": "error", "pos": {"line": 1, "column": 0}, "data": "no such file"}
    slot = Scripted({"env": 0, "messages": [gone]})
    session = native.NativeSession(cast(Slot, slot), cast(Pool, None), LESS, ("Mathlib",), "")
    said = failed(await session.run(session.root, "omega"), FailureKind.CRASH)
    assert said == "the statement was not taken again: no such file"


@pytest.mark.parametrize("printed", [{"x": 1}, {"message": 3}, {"proofState": "new"}])
async def test_an_object_that_is_no_answer_ends_its_process_and_nothing_else(printed: dict[str, Any]) -> None:
    process = Scripted(printed)
    with pytest.raises(ProcessDied, match=r"it printed what is no answer: \{"):
        await native._tactic(cast(Process, process), "omega", 0)
    assert process.ended == [EndCause.CRASH]


# What tactic mode says.


def step(**answer: Any) -> object:
    result = native._result(TacticAnswer.model_validate({"proofState": 1, "goals": [], **answer}))
    return type(result) if not isinstance(result, Failed) else result.kind


def test_an_error_that_lean_went_on_after_fails_the_tactic() -> None:
    start = {"line": 1, "column": 0}
    assert step(messages=[{"severity": "error", "pos": start, "data": "unsolved goals"}]) is FailureKind.ERROR
    assert step(messages=[{"severity": "warning", "pos": start, "data": "unused"}]) is Proved


def test_a_proof_with_holes_is_no_claim_and_one_that_tactic_mode_cannot_judge_is() -> None:
    assert step(proofStatus="Incomplete: contains metavariable(s)") is FailureKind.ERROR
    assert step(proofStatus="Not verified: more than one initial goal") is Proved
    assert step() is Proved  # of a REPL that has no proofStatus
    assert step(sorries=[{"pos": {"line": 1, "column": 0}, "proofState": 3}]) is FailureKind.REFUSED
    assert step(goals=["⊢ p"]) is TacticAnswer


def test_a_refusal_is_told_from_an_error() -> None:
    refused = native._result(ErrorAnswer(message="Lean error:\nneff refuses: sorry is not a proof\n"))
    assert refused == Failed(FailureKind.REFUSED, "sorry is not a proof")


# Verification.


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.title)
async def test_no_attack_is_accepted(engine: NativeEngine, attack: Attack) -> None:
    try:
        verdict = (await engine.verify(attack.theorem, attack.proof)).kind.value
    except UnsupportedStatement:
        verdict = "unsupported"
    # Another command is a fault of parsing here, and a kind of failure is the same to whoever counts proofs.
    assert verdict != "proved" and (verdict == attack.ends or verdict in {"failed", "refused", "unsupported"})


@pytest.mark.parametrize("honest", HONEST, ids=lambda honest: honest.title)
async def test_no_honest_proof_is_refused(engine: NativeEngine, honest: Honest) -> None:
    found = await engine.verify(honest.theorem, honest.proof)
    assert found.proved, found.reason


async def test_the_axioms_are_leans_own_answer(engine: NativeEngine) -> None:
    theorem = Theorem("x", "theorem x (p q : Prop) (h : p ↔ q) : p = q := by sorry", MINIF2F)
    found = await engine.verify(theorem, "exact propext h")
    assert found.proved and found.axioms == ("propext",)


async def test_what_tactic_mode_takes_for_a_proof_counts_only_when_the_whole_theorem_is_one(
    engine: NativeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "_result", lambda answer: Proved())  # it accepts everything
    session = await engine.open(LESS)
    assert isinstance(await session.run(session.root, "skip"), Proved)
    await session.close()
    assert (await engine.verify(LESS, "skip")).kind is VerdictKind.FAILED


async def test_every_proof_is_verified_in_a_process_of_its_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[native.Pool] = []

    class Idle(native.Pool):
        async def start(self) -> None:
            started.append(self)

    monkeypatch.setattr(native, "Pool", Idle)
    monkeypatch.setattr(native, "_VERSION", re.compile(""))
    with pytest.raises(IndexError):  # no process has told its version
        await NativeEngine.start(open_project(folder, "lake env repl"), 3)
    searching, verifying = started
    assert (len(searching.slots), len(verifying.slots)) == (3, 1)
    assert (verifying._recycle_after, verifying._spare) == (1, 0)


# The refusals of guard.lean, on Lean's syntax tree.

REFUSED = (
    "sorry", "exact sorry", "have : 1 = 2 := by\n  sorry\nomega", "admit", "stop\nomega", "native_decide",
    "run_tac pure ()", "(omega) <;> (run_tac pure ())", "first | run_tac pure () | omega", "exact (by run_tac pure ())",
    "exact by_elab default", 'exact absurd (include_str "x") h',
    "decide +native", "decide (config := {native := true})",
    f"simp (maxSteps := {RUN_IO})", f"simp (config := {{ maxSteps := {RUN_IO} }})",
    f"exact by\n  grind (splits := {RUN_IO})",
    "rw (occs := dbgTraceVal .all) [h]", "set_option debug.skipKernelTC true in omega",
    "exact set_option compiler.extract_closed false in h", "conv => tactic => run_tac pure ()",
    "let rec @[implemented_by Nat.succ] f (n : ℕ) : ℕ := n\nomega", "exact IO.FS.readFile", "open IO.FS in omega",
    "exact unsafeCast h", "exact (unsafe h)", "exact unsafeIO h", "bv_decide", "exact _root_.IO.FS.readFile",
    "exact _root_.unsafeCast h",
    "exact sorryAx _ true", "exact (fun _ => h) `(tactic| skip)", "exact (fun _ => h) `IO",
    "open Lean in omega", "open Lean Elab Tactic in omega", "open Lean.Elab in omega", "open _root_.Lean.Meta in omega",
)  # fmt: skip
ALLOWED = (
    "omega", "exact h", "set_option maxRecDepth 4000 in omega", "try simp (config := { maxSteps := 100 })\nomega",
    "try simp (maxSteps := 100) +decide\nomega", "open Nat in omega", "(omega)", "skip <;> omega", "{ omega }",
    "have stopper := h\nomega", "-- sorry, run_tac, IO\nomega",
    'have : "run_tac sorry" = "run_tac sorry" := rfl\nomega',
    "rw [← Nat.succ_le] at h\nexact h", "rw (occs := .pos [1]) [Nat.add_one_le_iff]\nexact h",
    "have : #[a, b].size = 2 := rfl\nomega", "have : #v[a, b].size = 2 := rfl\nomega", "open Lean.Omega in omega",
    "have Leaner := h\nexact Leaner", "rename a < b => run\nexact run",
)  # fmt: skip


@pytest.mark.parametrize("tactic", REFUSED)
async def test_a_tactic_that_could_run_code_is_refused_before_it_is_elaborated(session: Session, tactic: str) -> None:
    failed(await session.run(session.root, tactic), FailureKind.REFUSED)


@pytest.mark.parametrize(
    ("syntax", "tactic"),
    [
        ('"aesop_like" "(" &"simp_config" ":=" term ")" : tactic', f"aesop_like (simp_config := {RUN_IO})"),
        ('"from_lrat" str : term', 'exact from_lrat "p cnf 0 1"'),
        ('"#loogle " term : term', "exact #loogle Nat.add _ _"),
        ('"#leansearch" str : term', 'exact #leansearch "a sum of squares."'),
        ('"#search" : term', "first | exact #search | trivial"),
    ],
)
async def test_what_runs_code_in_mathlib_alone_is_refused(engine: NativeEngine, syntax: str, tactic: str) -> None:
    failed(await staged(engine, f"syntax (priority := low) {syntax}", tactic), FailureKind.REFUSED)


QUOTED = 'scoped syntax "run_tacq " term : tactic\nscoped syntax "by_elabq " term : term'


@pytest.mark.parametrize("space", ["Qq", "Another"])
@pytest.mark.parametrize("tactic", ["run_tacq pure ()", "exact by_elabq pure ()", "(skip; run_tacq pure ())"])
async def test_syntax_that_a_tactic_opens_for_itself_is_refused(engine: NativeEngine, space: str, tactic: str) -> None:
    header = f"namespace {space}\n{QUOTED}\nend {space}"
    failed(await staged(engine, header, f"open {space} in {tactic}"), FailureKind.REFUSED)


async def test_a_number_sign_before_a_term_is_a_notation_and_its_note_a_comment(engine: NativeEngine) -> None:
    header = 'prefix:max "#" => List.length\nmacro "#adaptation_note " body:term : term => `($body)'
    tactic = "have (s : List Nat) : #s = s.length := #adaptation_note rfl\ntrivial"
    assert isinstance(await staged(engine, header, tactic), Proved)


async def staged(engine: NativeEngine, header: str, tactic: str) -> object:
    """What becomes of a tactic on the goal True, behind a header that no benchmark may have."""

    async def run(process: native.Process) -> object:
        place = await native._place(process, ("Init",), header)
        return native._result(await native._tactic(process, native.guarded(tactic), place.stage))

    slot = engine.pool.assign()
    try:
        return await slot.run(run)
    finally:
        engine.pool.release(slot)


@pytest.mark.parametrize("tactic", ALLOWED)
async def test_a_tactic_is_not_refused_for_its_words(session: Session, tactic: str) -> None:
    result = await session.run(session.root, tactic)
    assert isinstance(result, Proved), result


@pytest.mark.parametrize(
    "tactic", ["rfl\n#eval 1", "omega)\n#eval 1\n(omega", "omega\nend", "omega /-", "omega\nopen Nat"]
)
async def test_nothing_can_follow_a_tactic(session: Session, tactic: str) -> None:
    failed(await session.run(session.root, tactic), FailureKind.ERROR)


def test_the_guard_knows_what_the_embedded_engine_refuses() -> None:
    script = (native_project.EMBEDDED / "permitted.js").read_text(encoding="utf-8")
    table = script[script.index("FORBIDDEN") : script.index("}));")]
    keywords = re.findall(r"'?([@\w\[]+)'?: '", table)
    assert len(keywords) >= 10
    by_prefix = ("run_", "by_elab")  # of these the guard refuses all that there may be
    assert [word for word in keywords if f'"{word}"' not in GUARD and not word.startswith(by_prefix)] == []


async def test_code_that_is_not_refused_changes_nothing_outside_the_sandbox(engine: NativeEngine, folder: Path) -> None:
    if sandbox.find(folder)[0] is None:
        pytest.skip("no sandbox here")
    slot = engine.pool.assign()
    try:
        answer = await slot.run(lambda process: process.request({"cmd": LESS.statement}))
        state = answer["sorries"][0]["proofState"]
        attack = {"tactic": f"simp (maxSteps := {RUN_IO}) at h", "proofState": state}
        await slot.run(lambda process: process.request(attack))
    finally:
        engine.pool.release(slot)
    assert not (install.locate().library / "attack").exists()


# Canonical miniF2F.


def test_every_canonical_statement_keeps_its_own_header(canonical_valid: Path) -> None:
    rows = [json.loads(line) for line in canonical_valid.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 244
    for row in rows:
        lines = [line for line in row["header"].splitlines() if line.strip()]
        sent = [
            *(f"import {module}" for module in imported(row["header"])),
            *elaborated_header(row["header"]).splitlines(),
        ]
        assert [line for line in sent if line.strip()] == lines
        assert "Mathlib" in imported(row["header"])
        assert native._NAME.fullmatch(row["name"])


@pytest.mark.heavy
async def test_every_canonical_statement_is_stated_or_unsupported_for_leans_own_reason(
    engine: NativeEngine, canonical_valid: Path
) -> None:
    stated = 0
    for line in canonical_valid.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        try:
            session = await engine.open(Theorem(row["name"], row["statement"], row["header"], row["split"]))
        except UnsupportedStatement as why:
            assert "header" not in str(why) and "no name" not in str(why) and "one theorem" not in str(why)
        else:
            stated += 1
            assert len(session.root.goals) == 1
            await session.close()
    assert stated > 100  # the others speak of what core Lean does not have


# Projects and the command line.


def test_a_folder_without_a_lean_project_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"no lean-toolchain.*--project"):
        open_project(tmp_path, None)


@pytest.mark.parametrize("repl", ["", "lake env 'repl"])
def test_a_command_that_is_none_is_one_line(folder: Path, repl: str) -> None:
    with pytest.raises(EngineError, match=r"--repl.*lake env repl"):
        open_project(folder, repl)


def test_a_command_may_begin_at_home(folder: Path) -> None:
    assert open_project(folder, "lake env ~/repl --x").repl == ("lake", "env", str(Path("~/repl").expanduser()), "--x")


def test_a_project_tells_its_mathlib(folder: Path) -> None:
    project = Project(folder, ("repl",))
    assert project.mathlib and project.revision == ""
    packages = [{"name": "batteries", "rev": "1" * 40}, {"name": "mathlib", "rev": "abcdef0123456789", "scope": ""}]
    manifest = folder / "lake-manifest.json"
    manifest.write_text(json.dumps({"version": "1.1.0", "packages": packages}))
    assert project.revision == "abcdef0123"
    manifest.unlink()


def test_without_a_command_lean_interact_builds_the_repl_where_it_is_installed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projects.importlib.util, "find_spec", lambda name: None)
    assert open_project(folder, None).repl == ("lake", "env", "repl")
    monkeypatch.setattr(projects.importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(projects, "_built_by_lean_interact", lambda folder: ("lake", "env", "/cache/repl"))
    assert open_project(folder, None).repl == ("lake", "env", "/cache/repl")


def test_lean_interact_has_what_is_asked_of_it() -> None:
    import inspect

    lean_interact = pytest.importorskip("lean_interact")
    assert "project" in inspect.signature(lean_interact.LeanREPLConfig).parameters
    assert "directory" in inspect.signature(lean_interact.LocalProject).parameters
    assert isinstance(lean_interact.LeanREPLConfig.cache_repl_dir, property)


async def test_a_repl_that_is_not_there_is_one_line(folder: Path) -> None:
    with pytest.raises(EngineError, match=r"does not start.*no-such-repl"):
        await NativeEngine.start(Project(folder, ("lake", "env", "no-such-repl")), 1)


async def test_a_project_that_is_not_built_is_one_line(folder: Path) -> None:
    (folder / "unbuilt").write_text(
        "#!/bin/sh\nread -r _\n"
        """echo '{"env": 0, "messages": [{"severity": "error", "pos": {"line": 1, "column": 0}, """
        """"data": "object file Mathlib.olean does not exist"}]}'\nread -r _\n"""
    )
    (folder / "unbuilt").chmod(0o755)
    with pytest.raises(EngineError, match=r"import Mathlib.*does not exist.*lake exe cache get"):
        await NativeEngine.start(Project(folder, (str(folder / "unbuilt"),)), 1)


def test_every_command_of_the_docs_is_one() -> None:
    from typer.main import get_command

    from prover.cli import app

    root = get_command(app)
    commands = []
    for page in ("native-lean.md", "security.md"):
        text = (Path(native_project.TESTS).parent / "docs" / page).read_text(encoding="utf-8")
        commands += [shlex.split(line) for line in text.splitlines() if line.startswith("prove ")]
    assert len(commands) >= 4
    for _, name, *rest in commands:
        if name.startswith("--"):
            root.make_context("prove", [name, *rest])  # raises for what is no option, and for what is no value of it
        else:
            root.commands[name].make_context(name, rest)


Prove = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def prove(tmp_path: Path) -> Prove:
    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "prover", *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=280)

    return run


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--project", "."], "--project is for a native Lean: give --engine repl with it"),
        (["--sandbox", "off"], "--sandbox is for a native Lean"),
        (["--engine", "repl"], "--project DIR"),
        (["--engine", "repl", "--project", "."], "no lean-toolchain"),
    ],
)
def test_options_that_do_not_go_together_are_one_line(prove: Prove, arguments: list[str], said: str) -> None:
    ended = prove("theorem", "theorem t : True", "--policy", "portfolio", *arguments)
    assert ended.returncode == 2 and ended.stdout == ""
    assert ended.stderr.count("\n") == 1 and said in ended.stderr


@pytest.mark.heavy
def test_a_benchmark_with_its_own_headers_is_proved_and_checked_again(
    prove: Prove, folder: Path, tmp_path: Path
) -> None:
    claims = {
        "easy": "(a b : ℕ) (h : a < b) : a + 1 ≤ b",
        "real": "(x y : ℝ) (h₀ : x + y = 7) (h₁ : x - y = 3) : x = 5",
    }
    rows = [
        {"name": name, "split": "valid", "header": MINIF2F, "statement": f"theorem {name} {claim} := by sorry"}
        for name, claim in claims.items()
    ]
    strange = {
        "name": "strange",
        "split": "valid",
        "header": "import NoSuchLibrary",
        "statement": "theorem strange : p := by sorry",
    }
    data = tmp_path / "statements.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in [*rows, strange]))
    lean = [
        "--engine",
        "repl",
        "--repl",
        "lake env repl",
        "--project",
        folder,
        "--lean-memory",
        MEMORY_MB,
        "--workers",
        1,
    ]
    ended = prove(
        "--benchmark", "minif2f", "--data", data, "--policy", "portfolio", "--budget", 16, "--out", "run", *lean
    )
    assert ended.stdout.startswith("proved 2 of 2 supported (3 theorems)"), ended
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert (summary["engine"], summary["engine_version"]) == ("repl", "Lean 4.28.0")
    proofs = sorted((tmp_path / "run" / "proofs").iterdir())
    assert [proof.read_text().startswith("import Mathlib\n") for proof in proofs] == [True, True]
    checked = prove("check", *proofs, *lean)
    assert checked.returncode == 0 and checked.stdout.count(": proved\n") == 2, checked
