"""The whole program on real Lean, as a user starts it: runs, checks, kills and bad input."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from lean_env.embedded import install
from prover.records import Outcome
from prover.store import Store

ROOT = Path(__file__).parents[1]
CORE = ROOT / "benchmarks" / "minif2f_core.jsonl"
PROVE = [sys.executable, "-m", "prover"]
UNSUPPORTED = {
    "name": "strange",
    "split": "valid",
    "header": "",
    "statement": "theorem strange (n : ℕ) : n = nowhere := by sorry",
}
UNPARSABLE = {
    "name": "broken",
    "split": "valid",
    "header": "",
    "statement": "theorem broken (n : ℕ) : n = := by sorry",
}
WITH_HEADER = {
    "name": "headed",
    "split": "test",
    "header": "import Mathlib\n\nopen Nat\nset_option maxHeartbeats 400000",
    "statement": "theorem headed (m : ℕ)\n    (h : succ m = 3)\n  : m = 2\n  :=  by  sorry",
}

pytestmark = pytest.mark.usefixtures("installed")


@pytest.fixture(scope="module")
def installed() -> None:
    install.install(lambda step, done, total: None)


def core(first: int, last: int) -> list[dict[str, str]]:
    with CORE.open(encoding="utf-8") as file:
        return [json.loads(line) for line in list(file)[first:last]]


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def prove(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROVE, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        timeout=400,
        check=False,
    )


def run(data: Path, out: Path, *more: object) -> list[object]:
    return ["--benchmark", "minif2f", "--data", data, "--policy", "portfolio", "--budget", 12, "--out", out, *more]


Outcomes = dict[str, tuple[Outcome | None, str, int]]


def outcomes(out: Path) -> Outcomes:
    """Outcome, proof and expansions of every theorem."""
    with closing(Store(out)) as store:
        return {
            f.theorem.name: (f.outcome, f.attempt.proof if f.attempt else "", f.attempt.expansions if f.attempt else 0)
            for f in store.findings()
        }


def finished(out: Path) -> dict[str, float]:
    """When each attempt that is kept was started: an attempt made twice would have two different times."""
    with closing(Store(out)) as store:
        return {f.theorem.name: f.attempt.started for f in store.findings() if f.attempt}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [*core(0, 12), UNSUPPORTED, UNPARSABLE, WITH_HEADER]
    return write(tmp_path_factory.mktemp("data") / "statements.jsonl", rows)


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run from beginning to end; how it ended is checked here."""
    out = tmp_path_factory.mktemp("whole") / "run"
    ended = prove(*run(data, out))
    assert ended.returncode == 0, ended.stderr
    summary = json.loads((out / "summary.json").read_text())
    assert ended.stdout == (
        f"proved {summary['proved']} of 13 supported (15 theorems) in {summary['expansions']} expansions\n"
    )
    assert f"report: {out / 'report.html'}" in ended.stderr
    return out


def test_a_run_leaves_a_summary_a_report_and_a_file_for_each_proof(whole: Path) -> None:
    summary = json.loads((whole / "summary.json").read_text())
    proved = {name for name, (outcome, *_) in outcomes(whole).items() if outcome is Outcome.PROVED}
    assert summary["proved"] == len(proved) >= 5
    assert summary["engine_version"] == f"Lean {install.LEAN_VERSION}"
    assert {file.stem for file in (whole / "proofs").iterdir()} == proved
    assert summary["engine_use"]["starts"] >= 2
    assert 100 < summary["engine_use"]["peak_rss_mib"] < 1200
    report = (whole / "report.html").read_text()
    assert all(name in report for name in outcomes(whole))


def test_an_unsupported_statement_is_listed_with_leans_reason(whole: Path) -> None:
    reasons = {u["name"]: u["reason"] for u in json.loads((whole / "summary.json").read_text())["unsupported"]}
    assert reasons.keys() == {"strange", "broken"}
    assert "nowhere" in reasons["strange"]
    assert "unexpected token ':='; expected term" in reasons["broken"]
    assert "unexpected token" in (whole / "report.html").read_text()


@pytest.mark.heavy
def test_same_seed_and_budget_give_the_same_proofs(data: Path, whole: Path, tmp_path: Path) -> None:
    assert prove(*run(data, tmp_path / "again", "--workers", 1)).returncode == 0
    assert outcomes(tmp_path / "again") == outcomes(whole)
    for file in (whole / "proofs").iterdir():
        assert (tmp_path / "again" / "proofs" / file.name).read_bytes() == file.read_bytes()


def test_a_finished_run_is_not_repeated_and_fresh_forgets_it(data: Path, tmp_path: Path) -> None:
    few = write(tmp_path / "few.jsonl", core(0, 2))
    first = prove(*run(few, tmp_path / "run"))
    before = finished(tmp_path / "run")
    assert prove(*run(few, tmp_path / "run")).stdout == first.stdout
    assert finished(tmp_path / "run") == before
    assert prove(*run(few, tmp_path / "run", "--fresh")).stdout == first.stdout
    assert all(finished(tmp_path / "run")[name] > started for name, started in before.items())


def test_every_file_that_a_run_wrote_is_checked_as_proved(whole: Path) -> None:
    files = sorted((whole / "proofs").iterdir())
    assert "headed.lean" in {file.name for file in files}
    ended = prove("check", *files, "--workers", 2)
    assert ended.stdout.splitlines() == [f"{file}: proved" for file in files]
    assert ended.returncode == 0


def changed(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, old
    return text.replace(old, new)


# A change, and what is said of it. Where a run cannot have written the file, nothing is verified.
NOT_WRITTEN: list[tuple[Callable[[str], str], str]] = [
    (lambda text: "-- changed\n" + text, "prelude"),
    (lambda text: changed(text, install.END_OF_LIBRARY, install.END_OF_LIBRARY + "axiom easy : False\n"), "prelude"),
    (lambda text: changed(text, "\ntheorem headed", "\naxiom easy : False\ntheorem headed"), "axiom easy"),
    (lambda text: text + "\naxiom easy : False\n", "was changed"),
    (lambda text: text[: text.rindex("theorem headed")], "was not written by a run"),
]
NOT_PROVED: list[tuple[Callable[[str], str], str]] = [
    (lambda text: text + "  axiom easy : False\n", "refused: "),
    (lambda text: changed(text, ": m = 2\n", ": m = 4\n"), "failed: "),
    (lambda text: text[: text.rindex(":=")] + ":=  by\n  sorry\n", "refused: sorry is not a proof"),
    (lambda text: text[: text.rindex(":=")] + ":=  by\n  (omega\n", "failed: unexpected end of input"),
]


@pytest.mark.parametrize(("change", "reason"), NOT_WRITTEN)
def test_a_file_that_no_run_can_have_written_is_not_checked(
    whole: Path, tmp_path: Path, change: Callable[[str], str], reason: str
) -> None:
    file = tmp_path / "changed.lean"
    file.write_text(change((whole / "proofs" / "headed.lean").read_text()))
    is_one_line_of_help(prove("check", file), str(file), reason)


def test_a_changed_proof_or_statement_is_verified_anew_and_refused(whole: Path, tmp_path: Path) -> None:
    text = (whole / "proofs" / "headed.lean").read_text()
    files = [tmp_path / f"{n}.lean" for n in range(len(NOT_PROVED))]
    for file, (change, _) in zip(files, NOT_PROVED, strict=True):
        file.write_text(change(text))
    ended = prove("check", *files)
    assert ended.returncode == 1
    for line, file, (_, reason) in zip(ended.stdout.splitlines(), files, NOT_PROVED, strict=True):
        assert line.startswith(f"{file}: {reason}")


# Kills.

READY_S = 3.0  # in which an engine process starts
READY_CPU_S = 4.0  # the same on a busy machine, where what it does takes longer as well


def engine_processes(prover: int) -> list[psutil.Process]:
    try:
        return psutil.Process(prover).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def is_at_work(process: psutil.Process) -> bool:
    """Whether it is a Lean that has been there for a while, not one that starts, nor the watcher beside each."""
    if process.name() == "sh" or time.time() - process.create_time() < READY_S:
        return False
    used = process.cpu_times()
    return used.user + used.system > READY_CPU_S


def kill_engines_of(prover: int, kills: int, pause_s: float, chance: random.Random) -> int:
    """Kill random engine processes of a running `prove`, one every `pause_s` seconds or so; how many were killed."""
    killed = 0
    while killed < kills and psutil.pid_exists(prover):
        time.sleep(pause_s * chance.uniform(0.5, 1.5))
        try:
            if at_work := [process for process in engine_processes(prover) if is_at_work(process)]:
                chance.choice(at_work).kill()
                killed += 1
        except psutil.NoSuchProcess:
            continue
    return killed


def proves_the_same_while_its_engines_are_killed(
    arguments: list[object], out: Path, expected: Outcomes, kills: int, pause_s: float
) -> None:
    process = subprocess.Popen(
        [*PROVE, *map(str, arguments)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    count: list[int] = []
    killer = threading.Thread(
        target=lambda: count.append(kill_engines_of(process.pid, kills, pause_s, random.Random(0)))
    )
    killer.start()
    _, err = process.communicate(timeout=1200)
    killer.join()
    assert process.returncode == 0, err
    assert count == [kills]
    assert outcomes(out) == expected
    assert json.loads((out / "summary.json").read_text())["engine_use"]["ends"].get("killed", 0) >= 1


@pytest.mark.heavy
def test_killing_engine_processes_changes_no_result(data: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    proves_the_same_while_its_engines_are_killed(run(data, out), out, outcomes(whole), kills=3, pause_s=0.8)


def proves_the_same_after_kills(arguments: list[object], out: Path, expected: Outcomes, moments: list[float]) -> None:
    kept: dict[str, float] = {}
    for seconds in moments:
        process = subprocess.Popen(
            [*PROVE, *map(str, arguments)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(seconds)
        engines = engine_processes(process.pid)
        assert process.poll() is None, "the run ended before it could be killed"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        _, alive = psutil.wait_procs(engines, timeout=20)
        assert not alive, "engine processes outlive the program"
        now = finished(out)
        assert kept.items() <= now.items(), "an attempt was made twice"
        kept = now
    ended = prove(*arguments)
    assert ended.returncode == 0, ended.stderr
    assert kept.items() <= finished(out).items(), "an attempt was made twice"
    assert outcomes(out) == expected


@pytest.mark.heavy
def test_a_run_killed_twice_and_resumed_proves_the_same_and_nothing_twice(
    data: Path, whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    proves_the_same_after_kills(run(data, out), out, outcomes(whole), moments=[4.0, 6.0])


@pytest.fixture(scope="module")
def long_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("long")
    data = write(folder / "statements.jsonl", core(0, 120))
    assert prove(*run(data, folder / "run")).returncode == 0
    return data, folder / "run"


@pytest.mark.heavy
def test_fifty_kills_of_engine_processes_change_no_result(long_run: tuple[Path, Path], tmp_path: Path) -> None:
    data, whole = long_run
    out = tmp_path / "run"
    proves_the_same_while_its_engines_are_killed(run(data, out), out, outcomes(whole), kills=50, pause_s=1.0)


@pytest.mark.heavy
def test_a_run_killed_five_times_and_resumed_proves_the_same_and_nothing_twice(
    long_run: tuple[Path, Path], tmp_path: Path
) -> None:
    data, whole = long_run
    chance = random.Random(0)
    moments = [chance.uniform(4.0, 12.0) for _ in range(5)]
    proves_the_same_after_kills(run(data, tmp_path / "run"), tmp_path / "run", outcomes(whole), moments)


# Bad input.


def is_one_line_of_help(ended: subprocess.CompletedProcess[str], *words: str) -> None:
    """Status 2, nothing on stdout, and one line at the end of stderr that says what and how to mend it."""
    assert (ended.returncode, ended.stdout) == (2, ""), ended
    last = ended.stderr.replace("\r", "\n").splitlines()[-1]
    assert last.startswith("prove: error: ")
    assert ended.stderr.count("prove: error: ") == 1
    assert "Traceback" not in ended.stderr
    for word in words:
        assert word in last


def test_bad_statements_are_one_line_and_overwrite_nothing(whole: Path, data: Path, tmp_path: Path) -> None:
    before = {file.name: file.read_bytes() for file in whole.iterdir() if file.is_file()}
    broken = tmp_path / "broken.jsonl"
    broken.write_text(data.read_text() + '{"name": \n')
    twice = write(tmp_path / "twice.jsonl", [*core(0, 2), *core(0, 1)])
    is_one_line_of_help(prove(*run(tmp_path / "none.jsonl", whole)), "none.jsonl does not exist")
    is_one_line_of_help(prove(*run(broken, whole)), "broken.jsonl, line 16: invalid JSON")
    is_one_line_of_help(prove(*run(twice, whole)), "lines 1 and 3", "keep one of them")
    is_one_line_of_help(prove("--benchmark", "minif2", "--out", whole), "'minif2'", "did you mean minif2f?")
    is_one_line_of_help(prove(*run(data, whole, "--budget", 13)), "budget 12, now 13", "--fresh")
    assert {file.name: file.read_bytes() for file in whole.iterdir() if file.name in before} == before


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("theorem t (n : ℕ) : n =", "unexpected"),
        ("theorem t (n : ℕ : n = n", "unexpected token"),
        ("theorem t : nowhere = 1", "nowhere"),
        ("lemma t : 1 = 1", 'write "theorem NAME'),
    ],
)
def test_a_statement_that_lean_does_not_take_is_one_line_with_leans_reason(statement: str, reason: str) -> None:
    is_one_line_of_help(prove("theorem", statement, "--policy", "portfolio"), reason)


def test_an_engine_that_cannot_be_installed_offline_says_what_to_set_and_where_it_would_go(
    data: Path, tmp_path: Path
) -> None:
    nowhere = {
        "npm_config_registry": "http://127.0.0.1:9",
        "npm_config_cache": str(tmp_path / "npm"),
        "npm_config_fetch_retries": "0",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    ended = prove(*run(data, tmp_path / "run"), **nowhere)
    is_one_line_of_help(ended, "npm config set registry", "ECONNREFUSED", str(tmp_path / "cache" / "neff-prover"))


def test_an_out_that_cannot_be_written_is_one_line(data: Path) -> None:
    is_one_line_of_help(prove(*run(data, data / "run")), "cannot write into", "--out")


@pytest.mark.skipif(not Path("/dev/full").exists() or os.geteuid() != 0, reason="needs to mount a small file system")
def test_no_disk_space_is_one_line_and_keeps_what_is_finished(data: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", small], check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        is_one_line_of_help(prove(*run(data, small / "run")), "cannot write into", "space")
    finally:
        subprocess.run(["umount", small], check=True)


@pytest.mark.heavy
def test_a_corpus_is_made_a_model_trained_on_it_and_a_theorem_searched_with_it(tmp_path: Path) -> None:
    folder, model = tmp_path / "corpus", tmp_path / "model"
    made = prove("corpus", "--out", folder, "--generated", 34, "--library", 0, "--budget", 8)
    assert made.returncode == 0, made.stderr
    figures = json.loads(made.stdout)
    assert figures["proofs"] > 0
    assert figures["rounds"]["0"]["theorems"] > 20
    for line in (folder / "gym.jsonl").read_text().splitlines():
        assert json.loads(line)["split"] in ("valid", "test")
    again = prove("corpus", "--out", folder, "--generated", 34, "--library", 0, "--budget", 8)
    assert json.loads(again.stdout) == figures
    trained = prove(
        *("train", "--model", "tiny", "--full", "--objective", "ce", "--epochs", 1, "--batch", 2),
        *("--data", folder / "corpus.jsonl.gz", "--out", model),
    )
    assert trained.returncode == 0, trained.stderr
    searched = prove(
        "theorem", "theorem t (p : Prop) (h : p) : p", "--policy", model, "--policy", "portfolio", "--budget", 8
    )
    assert searched.returncode == 0, searched.stderr
    assert searched.stdout.startswith("theorem t (p : Prop) (h : p) : p := by\n")
