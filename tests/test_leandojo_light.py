"""What the LeanDojo engine does without LeanDojo: references, the benchmark, and what is said when it is
missing."""

from __future__ import annotations

import importlib
import json
import os
import pty
import shlex
import signal
import sys
import termios
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest
import typer
from test_vllm_light import parsed

from benchmarks.leandojo import TracedBenchmark
from benchmarks.registry import BenchmarkError, load
from lean_env.engine import EngineError, Failed, FailureKind, Proved, UnsupportedStatement
from lean_env.leandojo import engine, repository
from lean_env.leandojo.engine import LeanDojoEngine, LeanDojoSession
from lean_env.leandojo.guard import COMPILE_S, guarded, refusal
from lean_env.leandojo.lean import PROBE_S, forget_secrets
from lean_env.leandojo.repository import Place, Repository
from lean_env.pool import Pool, ProcessSpec, Slot
from lean_env.process import Statistics
from prover import parts
from prover.cli import app

MATHLIB = "https://github.com/leanprover-community/mathlib4"
COMMIT = "29dcec074de168ac2bf835a77ef68bbe069194c5"


def entry(name: str, file: str = "Mathlib/Order/Basic.lean", **other: Any) -> dict[str, Any]:
    """An entry as LeanDojo Benchmark 4 has it, shortened."""
    step = {"tactic": "rfl", "annotated_tactic": ["rfl", []], "state_before": f"⊢ {name}", "state_after": "no goals"}
    return {
        "url": MATHLIB,
        "commit": COMMIT,
        "file_path": file,
        "full_name": name,
        "start": [12, 1],
        "end": [14, 9],
        "traced_tactics": [step],
        **other,
    }


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The folder of LeanDojo Benchmark 4, as it is distributed."""
    for folder in ("random", "novel_premises"):
        for part in ("train", "val", "test"):
            file = tmp_path / "leandojo_benchmark_4" / folder / f"{part}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps([entry(f"{folder}.{part}"), entry("le_rfl", traced_tactics=[])]))
    return tmp_path / "leandojo_benchmark_4"


def test_reference_is_an_address_and_a_commit() -> None:
    assert Repository.parse(f"{MATHLIB}@{COMMIT}") == Repository(MATHLIB, COMMIT)
    assert Repository.parse("git@github.com:a/b@v1.2") == Repository("git@github.com:a/b", "v1.2")


def test_folder_is_a_reference_too_as_a_path_or_as_a_file_address(tmp_path: Path) -> None:
    (tmp_path / "project" / ".git").mkdir(parents=True)
    for url in (tmp_path / "project", f"file://{tmp_path / 'project'}"):
        found = Repository.parse(f"{url}@main")
        assert found == Repository(str(tmp_path / "project"), "main")
        assert found.environment == {"DISABLE_REMOTE_CACHE": "1"}
    assert Repository.parse(f"{MATHLIB}@{COMMIT}").environment == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MATHLIB, "URL@COMMIT"),
        ("git@github.com:a/b", "URL@COMMIT"),
        ("", "URL@COMMIT"),
        ("no/such/folder@main", "not a git repository"),
    ],
)
def test_what_is_no_reference_is_told_in_one_line(text: str, said: str) -> None:
    with pytest.raises(EngineError, match=said) as raised:
        Repository.parse(text)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("split", "name"),
    [
        ("novel_premises", "novel_premises.test"),
        ("random", "random.test"),
        ("random/val", "random.val"),
        ("novel_premises/valid", "novel_premises.val"),
    ],
)
def test_split_of_leandojo_benchmark_is_read_as_it_is_distributed(data: Path, split: str, name: str) -> None:
    benchmark = load("leandojo", split=split, data=data)
    assert isinstance(benchmark, TracedBenchmark)
    assert [theorem.name for theorem in benchmark.theorems] == [name, "le_rfl"]
    assert benchmark.theorems[0].statement == f"⊢ {name}"
    assert benchmark.theorems[0].header == "-- Mathlib/Order/Basic.lean, line 12"
    assert benchmark.places[name] == Place("Mathlib/Order/Basic.lean", name)
    assert benchmark.repository == Repository(MATHLIB, COMMIT)
    assert benchmark.commit == COMMIT


def test_folder_of_one_split_is_data_too(data: Path) -> None:
    assert load("leandojo", data=data / "random").theorems[0].name == "random.test"
    assert load("leandojo", data=data / "random", split="valid").theorems[0].name == "random.val"


def test_theorems_of_one_name_in_two_files_are_both_kept(data: Path) -> None:
    twice = [entry("hidden"), entry("hidden", "Mathlib/Other.lean"), entry("hidden")]
    (data / "random" / "test.json").write_text(json.dumps(twice))
    benchmark = load("leandojo", split="random", data=data)
    assert isinstance(benchmark, TracedBenchmark)
    assert {name: place.file for name, place in benchmark.places.items()} == {
        "hidden": "Mathlib/Order/Basic.lean",
        "hidden (Mathlib/Other.lean)": "Mathlib/Other.lean",
    }
    assert len(benchmark.theorems) == 2
    assert benchmark.places["hidden (Mathlib/Other.lean)"].full_name == "hidden"


def test_repository_may_be_another_than_the_datas(data: Path, tmp_path: Path) -> None:
    (tmp_path / "clone" / ".git").mkdir(parents=True)
    benchmark = load("leandojo", split="random", data=data, repo=f"{tmp_path / 'clone'}@{COMMIT}")
    assert isinstance(benchmark, TracedBenchmark)
    assert benchmark.repository == Repository(str(tmp_path / "clone"), COMMIT)


def test_what_is_missing_is_told_in_one_line(data: Path) -> None:
    def said(**options: Any) -> str:
        with pytest.raises(BenchmarkError) as raised:
            load("leandojo", **options)
        assert "\n" not in str(raised.value)
        return str(raised.value)

    assert "give --data DIR" in said()
    assert "give --split random or novel_premises" in said(data=data)
    assert "no split valid" in said(data=data, split="valid")
    assert "no split random/dev" in said(data=data, split="random/dev")
    assert "give --data DIR" in said(data=data / "nowhere", split="random")
    (data / "random" / "test.json").write_text("[]")
    assert "no theorem" in said(data=data, split="random", repo=f"{MATHLIB}@{COMMIT}")
    (data / "random" / "test.json").write_text(json.dumps([entry("a"), {"full_name": "b"}]))
    assert "theorem 2, field file_path" in said(data=data, split="random")
    (data / "random" / "test.json").write_text(json.dumps([entry("a"), entry("b", commit="0" * 40)]))
    assert "2 repositories" in said(data=data, split="random")


def test_repository_is_for_leandojo_alone() -> None:
    with pytest.raises(BenchmarkError, match="--repo is for theorems of a traced repository"):
        load("minif2f-core", repo=f"{MATHLIB}@{COMMIT}")


async def test_missing_leandojo_is_told_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "find_spec", lambda name: None)
    with pytest.raises(EngineError, match=r"pip install -e '\.\[leandojo\]'"):
        await LeanDojoEngine.start(Repository(MATHLIB, COMMIT), {}, 1)


def test_every_command_of_the_page_is_one_that_prove_takes() -> None:
    page = (Path(__file__).parents[1] / "docs" / "leandojo.md").read_text(encoding="utf-8")
    commands = [shlex.split(line)[1:] for line in page.splitlines() if line.startswith("    prove ")]
    assert len(commands) >= 5
    for arguments in commands:
        parsed(typer.main.get_command(app), arguments)


def test_several_lines_are_guarded_as_one_tactic_and_a_refusal_is_read_back() -> None:
    assert guarded("simp") == "neff_tactic simp"
    assert guarded("intro h\nexact h") == "neff_tactic\n(\nintro h\nexact h\n)"
    assert refusal("<stdin>:1:0: neff refuses: it reads files\nmore") == "it reads files"
    assert refusal("unsolved goals") is None


# A Dojo that is lost, seen from the engine.


OPENED, LOST = {"state": 0, "goals": ["⊢ p"]}, {"lost": "crash", "message": "Unexpected EOF"}


class Scripted:
    """A slot whose worker gives these answers, one after the other; also its pool."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.state: dict[str, Any] = {}
        self.statistics = Statistics()
        self.answers = list(answers)

    async def request(self, message: object, limit_s: float | None = None) -> dict[str, Any]:
        return self.answers.pop(0)

    async def run(self, job: Callable[[Any], Awaitable[Any]]) -> Any:
        return await job(self)

    def session(self) -> LeanDojoSession:
        return LeanDojoSession(cast(Slot, self), cast(Pool, self), Place("X.lean", "x"))


async def test_dojo_that_is_lost_and_does_not_open_again_fails_a_tactic_and_not_the_theorem() -> None:
    slot = Scripted(OPENED, LOST, {"unsupported": "no such file"}, OPENED, {"proved": True})
    session = slot.session()
    await session.start()
    assert await session.run(session.root, "simp") == Failed(FailureKind.CRASH, "Unexpected EOF")
    again = await session.run(session.root, "simp")
    assert again == Failed(FailureKind.CRASH, "the theorem was not opened again: no such file")
    assert await session.run(session.root, "simp") == Proved()


async def test_lean_that_is_lost_on_its_way_to_a_theorem_is_asked_once_more() -> None:
    session = Scripted(LOST, OPENED).session()
    await session.start()
    assert session.root.goals == ("⊢ p",)
    slot = Scripted(LOST, {"lost": "timeout", "message": "Timeout during initialization"})
    with pytest.raises(UnsupportedStatement, match=r"says nothing of the statement \(timeout: Timeout during"):
        await slot.session().start()
    assert slot.statistics.ends.total() == 2


async def test_worker_may_start_as_long_as_what_it_does_before_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[float] = []

    class Watched(Pool):
        def __init__(self, spec: ProcessSpec, *arguments: Any, **named: Any) -> None:
            limits.append(spec.start_limit_s)
            raise EngineError("enough seen")

    monkeypatch.setattr(engine, "Pool", Watched)
    monkeypatch.setattr(engine, "require_leandojo", lambda: None)
    with pytest.raises(EngineError, match="enough seen"):
        await LeanDojoEngine.start(Repository(MATHLIB, COMMIT), {}, 1)
    assert limits[0] > PROBE_S + COMPILE_S


async def test_that_there_is_no_sandbox_is_said_when_leandojo_starts(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "find_spec", lambda name: None)
    said: list[str] = []
    with pytest.raises(EngineError):
        await parts.engine_of(load("leandojo", split="random", data=data), 1, 10.0, say=said.append)
    assert len(said) == 1 and said[0].startswith("no sandbox around LeanDojo") and "container" in said[0]


def test_lean_gets_no_secret_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = (
        "GITHUB_ACCESS_TOKEN",
        "HF_TOKEN",
        "OPENAI_API_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "hf_token",
        "PGPASSWORD_KEY",
    )
    others = ("TOKENIZERS_PARALLELISM", "PATH", "KEYBOARD", "CACHE_DIR")
    monkeypatch.setattr(os, "environ", dict.fromkeys((*secrets, *others), "x"))
    forget_secrets()
    assert set(os.environ) == set(others)


# A Dojo that is lost, seen from the worker.


class TerminalError(Exception):
    """pexpect's base of all errors."""


class Crash(Exception):
    is_out_of_memory = False


class Init(Exception):
    pass


class Late(Exception):
    pass


DOJOS = "lean_env.leandojo.dojos"


@pytest.fixture
def dojos(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module, with the names of LeanDojo and pexpect that it needs, whether they are installed or not."""

    def module(name: str, **names: Any) -> None:
        made = ModuleType(name)
        made.__dict__.update(names)
        monkeypatch.setitem(sys.modules, name, made)

    kinds = ("Dojo", "LeanError", "ProofFinished", "ProofGivenUp", "TacticState", "Theorem")
    errors = {"DojoCrashError": Crash, "DojoInitError": Init, "DojoTacticTimeoutError": Late}
    module("lean_dojo", **{name: type(name, (), {}) for name in kinds}, **errors)
    module("pexpect", ExceptionPexpect=TerminalError)
    module("lean_env.leandojo.traced", Traced=object)
    before = sys.modules.pop(DOJOS, None)
    loaded = importlib.import_module(DOJOS)
    monkeypatch.setattr(loaded, "REAP_S", 0.0)
    yield loaded
    del sys.modules[DOJOS]
    if before is not None:
        sys.modules[DOJOS] = before


class FakeDojo:
    """A Dojo whose Lean has ended with `status`, and which raises `error` at the first occasion, or when it is run."""

    def __init__(self, error: Exception, status: int | None = None, signalled: int | None = None) -> None:
        self.error = error
        _, self._terminal = pty.openpty()
        self.proc = SimpleNamespace(
            child_fd=self._terminal, exitstatus=status, signalstatus=signalled, isalive=self.alive, close=self.close
        )
        self.ended = False

    def alive(self) -> bool:
        return self.proc.exitstatus is None and self.proc.signalstatus is None

    def close(self, force: bool) -> None:
        raise TerminalError("could not terminate the child")

    def __enter__(self) -> tuple[FakeDojo, object]:
        raise self.error

    def __exit__(self, *_: object) -> None:
        self.ended = True
        raise FileNotFoundError("the changed file")

    def run_tac(self, state: object, tactic: str) -> object:
        raise self.error


UNREADABLE = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")


@pytest.mark.parametrize(
    ("error", "status", "signalled", "kind"),
    [
        (Late(), None, None, FailureKind.TIMEOUT),
        (Crash("Unexpected EOF"), 1, None, FailureKind.CRASH),
        (Crash("Unexpected EOF"), 137, None, FailureKind.MEMORY),
        (Crash("Unexpected EOF"), None, signal.SIGKILL, FailureKind.MEMORY),
        (AssertionError(), None, signal.SIGKILL, FailureKind.MEMORY),
        (AssertionError(), None, signal.SIGSEGV, FailureKind.CRASH),
        (UNREADABLE, None, None, FailureKind.CRASH),
        (OSError(5, "Input/output error"), 1, None, FailureKind.CRASH),
        (TerminalError("isalive() met a condition"), None, None, FailureKind.CRASH),
        (KeyError("error"), None, None, FailureKind.CRASH),
    ],
)
def test_whatever_breaks_a_dojo_is_the_end_of_it_and_not_of_its_worker(
    dojos: Any, error: Exception, status: int | None, signalled: int | None, kind: FailureKind
) -> None:
    broken = FakeDojo(error, status, signalled)
    opened = dojos.OpenDojo(broken, object(), 1.0)
    lost = opened.run(0, "simp")
    assert (lost.lost, opened.gone, broken.ended) == (kind, True, True), lost
    assert lost.message


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (Init("Timeout during initialization"), None, FailureKind.TIMEOUT),
        (Init("Unexpected EOF"), 1, FailureKind.CRASH),
        (Init("Unexpected EOF"), 137, FailureKind.MEMORY),
        (Crash("Unexpected exit code: 1"), 1, FailureKind.CRASH),
        (Init("Failed to locate the theorem"), None, None),
        (AssertionError(), None, None),
        (TerminalError("The command was not found: lake."), None, None),
        (termios.error(5, "Input/output error"), None, None),
    ],
)
def test_what_keeps_a_dojo_from_opening_is_told_apart_by_whether_it_may_pass(
    dojos: Any, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int | None, kind: FailureKind | None
) -> None:
    monkeypatch.setattr(dojos, "Dojo", lambda theorem, timeout, additional_imports: FakeDojo(error, status))
    monkeypatch.setattr(dojos, "theorem", lambda traced, place: None)
    with pytest.raises(dojos.CannotState) as raised:
        dojos.open_dojo(None, Place("X.lean", "x"), 1.0, 1.0)
    assert getattr(raised.value, "kind", None) is kind
    assert str(raised.value) and "\n" not in str(raised.value)
