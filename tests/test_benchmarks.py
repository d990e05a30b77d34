"""Claims about where theorems come from, and about what the core that comes with the package holds."""

from __future__ import annotations

import json
import string
import subprocess
import zlib
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import minif2f
from benchmarks.registry import BENCHMARKS, BenchmarkError, load
from benchmarks.statements import Benchmark, read_statements
from lean_env.engine import Engine, Theorem, UnsupportedStatement

HEADER = "import Mathlib\n\nopen Nat"


def row(name: str = "t", **changes: object) -> dict[str, object]:
    statement = f"theorem {name} (a : ℕ) : a ≤ a + 1 := by sorry"
    return {"name": name, "split": "valid", "header": "", "statement": statement, **changes}


def lines(path: Path, *rows: object) -> Path:
    path.write_text("".join(f"{given if isinstance(given, str) else json.dumps(given)}\n" for given in rows))
    return path


def fault(path: Path, **arguments: str) -> str:
    """The one line that a user sees when `path` cannot be used."""
    with pytest.raises(BenchmarkError) as error:
        load("minif2f", data=path, **arguments)
    said = str(error.value)
    assert "\n" not in said
    return said


@pytest.fixture
def core() -> Benchmark:
    return load("minif2f-core")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache directory in place of the user's."""
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / "cache" / name)
    return tmp_path / "cache/neff-prover/minif2f"


class Upstream:
    """A repository laid out like the pinned one, with one theorem in each split."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for split, name in (("Valid", "easy"), ("Test", "hard")):
            path = folder / f"MiniF2F/{split}/{name}.lean"
            path.parent.mkdir(parents=True)
            path.write_text(f"{HEADER}\n\ntheorem {name}\n  (a : ℕ) :\n  a = a := by sorry")
        self.git("init", "--quiet", "--object-format=sha1")
        self.commit = self.committed()

    def committed(self) -> str:
        self.git("add", ".")
        self.git("-c", "user.name=u", "-c", "user.email=u@example.org", "commit", "--quiet", "--message=m")
        return self.git("rev-parse", "HEAD")

    def git(self, *arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(self.folder), *arguments], check=True, capture_output=True, text=True
        ).stdout.strip()


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return Upstream(tmp_path / "upstream")


def test_a_file_gives_its_statements_byte_for_byte_and_is_known_by_its_sha256(tmp_path: Path) -> None:
    statement = "theorem t\n  (a : ℕ) :\t a = a  :=  by  sorry"
    data = lines(tmp_path / "f.jsonl", row(header=HEADER, statement=statement, informal="an unknown key"))
    found = load("minif2f", split="valid", data=data)
    assert found.theorems == (Theorem("t", statement, HEADER, "valid"),)
    digest = subprocess.run(["sha256sum", data], capture_output=True, text=True, check=True).stdout.split()[0]
    assert (found.name, found.commit, found.notice) == ("minif2f", f"sha256:{digest}", None)


def test_blank_lines_and_a_byte_order_mark_are_no_fault(tmp_path: Path) -> None:
    data = tmp_path / "f.jsonl"
    data.write_bytes(b"\xef\xbb\xbf" + json.dumps(row("a")).encode() + b"\r\n\r\n" + json.dumps(row("b")).encode())
    assert [theorem.name for theorem in load("minif2f", data=data).theorems] == ["a", "b"]


@given(
    names=st.lists(st.text(string.ascii_letters, min_size=1, max_size=8), min_size=1, unique=True),
    body=st.text(st.characters(exclude_categories=["Cs"])),
    header=st.text(st.characters(exclude_categories=["Cs"])),
)
def test_whatever_text_a_row_holds_comes_back_unchanged(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], body: str, header: str
) -> None:
    rows = [row(name, header=header, statement=f"theorem {name} {body} := by sorry") for name in names]
    path = tmp_path_factory.mktemp("rows") / "f.jsonl"
    path.write_text("\n".join(json.dumps(given, ensure_ascii=False) for given in rows), encoding="utf-8", newline="")
    theorems, _ = read_statements(path)
    assert [(t.name, t.header, t.statement) for t in theorems] == [
        (given["name"], given["header"], given["statement"]) for given in rows
    ]


def test_splits_part_the_file_and_all_is_both(tmp_path: Path) -> None:
    data = lines(tmp_path / "f.jsonl", row("a"), row("b", split="test"), row("c"))

    def names(split: str | None) -> str:
        return "".join(theorem.name for theorem in load("minif2f", split=split, data=data).theorems)

    assert (names("valid"), names("test"), names("all"), names(None)) == ("ac", "b", "abc", "abc")


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ('{"name": "t", "split"', "invalid JSON"),
        ('["t"]', "input should be an object"),
        ({key: value for key, value in row().items() if key != "header"}, "header: field required"),
        (row(statement=None), "statement: input should be a valid string"),
        ({**row(), "name": 3}, "name: input should be a valid string"),
        (row(split="train"), "split: input should be 'valid' or 'test'"),
        (row(statement="lemma t : True := by sorry"), "statement must begin with 'theorem t'"),
        (row(statement="theorem tt : True := by sorry"), "statement must begin with 'theorem t'"),
        (row(statement="theorem t : True := by trivial"), "statement must end in ':= by sorry'"),
        (row(statement="theorem t : True := by sorry\n"), "statement must end in ':= by sorry'"),
        (row(name="../t", statement="theorem ../t : True := by sorry"), "name '../t' is not a Lean name"),
    ],
)
def test_a_line_that_is_no_statement_is_named_with_its_number(tmp_path: Path, bad: object, said: str) -> None:
    data = lines(tmp_path / "f.jsonl", row("a"), "", bad)
    assert fault(data).startswith(f"{data}, line 3: {said}")


def test_a_name_used_twice_is_named_with_both_its_lines(tmp_path: Path) -> None:
    data = lines(tmp_path / "f.jsonl", row("a"), row("b"), "", row("a", split="test"))
    assert fault(data) == f"{data}, lines 1 and 4: both are named a; keep one of them"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert fault(tmp_path / "none.jsonl").startswith(f"{tmp_path}/none.jsonl does not exist")
    assert fault(tmp_path).startswith(f"{tmp_path} cannot be read (Is a directory)")
    data = tmp_path / "latin.jsonl"
    data.write_bytes(b"\n\xff\n")
    assert fault(data).startswith(f"{data}, line 2: not UTF-8")


def test_an_empty_selection_is_a_fault(tmp_path: Path) -> None:
    data = lines(tmp_path / "f.jsonl", row("a"))
    assert "has no theorem of the split asked for, test: it has only valid" in fault(data, split="test")
    assert "it has no theorem at all" in fault(lines(tmp_path / "empty.jsonl"))


@pytest.mark.parametrize(
    ("name", "split", "said"),
    [
        ("minif2f", "vaild", "'vaild' is not a known split: take valid, test or all; did you mean valid?"),
        (
            "mini-f2f",
            None,
            "'mini-f2f' is not a known benchmark: take minif2f, minif2f-core, gym, library or leandojo; "
            "did you mean minif2f?",
        ),
        ("xyz", None, "'xyz' is not a known benchmark: take minif2f, minif2f-core, gym, library or leandojo"),
    ],
)
def test_an_unknown_split_or_benchmark_is_answered_with_those_there_are(
    name: str, split: str | None, said: str
) -> None:
    with pytest.raises(BenchmarkError) as error:
        load(name, split=split)
    assert str(error.value) == said


def test_the_core_takes_no_file(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="leave --data out"):
        load("minif2f-core", data=lines(tmp_path / "f.jsonl", row()))


def test_a_repository_is_read_at_its_pinned_commit_and_needed_only_once(upstream: Upstream, cache: Path) -> None:
    pinned = upstream.commit
    (upstream.folder / "MiniF2F/Valid/easy.lean").write_text("theorem easy : True := by sorry")
    upstream.committed()
    upstream.git("config", "uploadpack.allowAnySHA1InWant", "true")
    expected = {
        Theorem("easy", "theorem easy\n  (a : ℕ) :\n  a = a := by sorry", HEADER, "valid"),
        Theorem("hard", "theorem hard\n  (a : ℕ) :\n  a = a := by sorry", HEADER, "test"),
    }
    assert set(minif2f.pinned_statements(str(upstream.folder), pinned)) == expected
    upstream.folder.rename(upstream.folder.with_name("gone"))
    assert set(minif2f.pinned_statements(str(upstream.folder), pinned)) == expected


def test_a_changed_cache_is_refused(upstream: Upstream, cache: Path) -> None:
    minif2f.pinned_statements(str(upstream.folder), upstream.commit)
    blob = upstream.git("rev-parse", "HEAD:MiniF2F/Valid/easy.lean")
    easier = b"theorem easy : True := by sorry"
    stored = cache / f"{upstream.commit}.git/objects/{blob[:2]}/{blob[2:]}"
    stored.chmod(0o600)
    stored.write_bytes(zlib.compress(b"blob %d\0" % len(easier) + easier))
    with pytest.raises(BenchmarkError, match=r"is damaged \(.+\): delete it, and it is downloaded again"):
        minif2f.pinned_statements(str(upstream.folder), upstream.commit)


def test_a_commit_that_is_not_there_leaves_nothing_in_the_cache(upstream: Upstream, cache: Path) -> None:
    with pytest.raises(minif2f.GitError):
        minif2f.pinned_statements(str(upstream.folder), "0" * 39 + "1")
    assert list(cache.iterdir()) == []


def test_without_file_and_internet_the_core_runs_and_says_so(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minif2f, "REPOSITORY", str(tmp_path / "nowhere"))
    found = load("minif2f", split="test")
    assert found.name == "minif2f-core"
    assert {theorem.split for theorem in found.theorems} == {"test"}
    assert found.notice is not None
    assert found.notice.startswith("This is minif2f-core, not miniF2F")
    assert "nowhere" in found.notice
    assert "--data FILE" in found.notice


def test_without_git_the_core_runs_and_says_so(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert "git is not installed" in (load("minif2f").notice or "")


@pytest.mark.parametrize("text", ["", "theorem a : True := by sorry\ntheorem b : True := by sorry"])
def test_a_lean_file_must_hold_one_theorem(text: str) -> None:
    with pytest.raises(BenchmarkError, match=r"MiniF2F/Test/a.lean holds [02] theorems, not one"):
        minif2f.parse_lean(PurePosixPath("MiniF2F/Test/a.lean"), text)


def test_a_lean_file_must_be_named_after_its_theorem() -> None:
    with pytest.raises(BenchmarkError, match=r"MiniF2F/Test/a.lean: statement must begin with 'theorem a'"):
        minif2f.parse_lean(PurePosixPath("MiniF2F/Test/a.lean"), "theorem b : True := by sorry")


def test_the_canonical_valid_split_is_read_whole(canonical_valid: Path) -> None:
    found = load("minif2f", split="valid", data=canonical_valid)
    assert len(found.theorems) == 244


def test_core_statements_are_not_the_canonical_ones(canonical_valid: Path, core: Benchmark) -> None:
    canonical = {"".join(t.statement.split()) for t in load("minif2f", data=canonical_valid).theorems}
    assert [t.name for t in core.theorems if "".join(t.statement.split()) in canonical] == []


def test_core_names_stand_in_the_split_that_minif2f_has_them_in(canonical_valid: Path, core: Benchmark) -> None:
    canonical = {theorem.name for theorem in load("minif2f", split="valid", data=canonical_valid).theorems}
    assert [t.name for t in core.theorems if (t.split == "valid") != (t.name in canonical)] == []


def test_the_core_has_at_least_100_problems_of_both_splits(core: Benchmark) -> None:
    assert len({theorem.name for theorem in core.theorems}) == len(core.theorems) >= 100
    assert {theorem.split for theorem in core.theorems} == {"valid", "test"}
    assert core.notice is None


async def test_every_core_statement_elaborates(engine: Engine, core: Benchmark) -> None:
    unsupported = {}
    for theorem in core.theorems:
        try:
            await (await engine.open(theorem)).close()
        except UnsupportedStatement as reason:
            unsupported[theorem.name] = str(reason)
    assert unsupported == {}


def test_every_benchmark_has_a_name_that_can_name_a_folder() -> None:
    assert all(name == PurePosixPath(name).name for name in BENCHMARKS)
