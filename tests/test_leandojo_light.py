"""What the LeanDojo engine does without LeanDojo: references, the benchmark, and what is said when it is
missing."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from test_vllm_light import parsed

from benchmarks.leandojo import TracedBenchmark
from benchmarks.registry import BenchmarkError, load
from lean_env.engine import EngineError
from lean_env.leandojo import repository
from lean_env.leandojo.engine import LeanDojoEngine
from lean_env.leandojo.guard import guarded, refusal
from lean_env.leandojo.repository import Place, Repository
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
