"""Attacks by tactic text on the embedded engine, and what other people's files can do.

What native engines are held to is in test_native.py and test_sandbox.py; docs/security.md has the whole table.
"""

from __future__ import annotations

import pickle
import re
import socket
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path

import pytest
from attacks import RUN_IO

from lean_env.embedded import install
from lean_env.embedded.engine import EmbeddedEngine
from lean_env.engine import Failed, Theorem, Verdict, VerdictKind
from prover.records import Attempt, Claim, Member, MemberSearch, Outcome
from prover.report.report import render
from prover.store import DATABASE, Store, StoreError

PACKAGES = Path(__file__).parents[1]
SOURCES = [
    file
    for package in ("lean_env", "search", "prover", "train", "benchmarks")
    for file in (PACKAGES / package).rglob("*")
    if file.suffix in {".py", ".js", ".jinja"} and "vendor" not in file.parts
]

TRUE = Theorem("x", "theorem x : (1 : ℕ) + 1 = 2 := by sorry")


def run_io(action: str) -> str:
    """An action of IO as a number, for where Lean evaluates terms."""
    return RUN_IO.replace('IO.FS.createDir "/lean/lib/attack"', action)


# What a tactic could do to read, write, connect or start a program: each runs code of its own, if it runs at all.
ACTIONS = {
    "read": 'IO.FS.readFile "/etc/passwd"',
    "write": 'IO.FS.writeFile "/tmp/neff-attack" "x"',
    "write to the library": 'IO.FS.createDir "/lean/lib/attack"',
    "remove the library": 'IO.FS.removeFile "/lean/lib/Init.olean"',
    "spawn": 'IO.Process.run { cmd := "touch", args := #["/tmp/neff-attack"] }',
    "connect": 'IO.Process.run { cmd := "bash", args := #["-c", "exec 3<>/dev/tcp/127.0.0.1/PORT"] }',
    "environment": 'IO.getEnv "PATH"',
}
WAYS = {
    "run_tac": "run_tac do discard <| ({action} : IO _)",
    "by_elab": "exact by_elab do discard <| ({action} : IO _); return default",
    "a term of a tactic block": "exact (by run_tac discard <| ({action} : IO _))",
    "a configuration": "simp (maxSteps := {number})",
    "a record": "omega (config := {{ splitDisjunctions := {number} = 1 }})",
    "a command in the tactic": "#eval {action}",
    "a command after the tactic": "rfl\n#eval {action}",
    "a declaration": "rfl\ninitialize {action}",
    "a macro": 'rfl\nmacro "m" : tactic => do discard <| ({action} : IO _); `(tactic| skip)',
    "an elaborator": 'rfl\nelab "m" : tactic => discard <| ({action} : IO _)',
    "native evaluation": "have : (unsafe (unsafeIO ({action}))).isOk = true := by native_decide\nrfl",
    "other code for a function": 'let rec @[extern "lean_io_create_dir"] f (n : ℕ) : ℕ := n\nrfl',
    "private names": "rfl\nopen private IO.FS.Stream.ofHandle from Init.System.IO",
}


@pytest.fixture(scope="module")
def listening() -> Iterator[socket.socket]:
    """A server on this machine, which must not hear of anybody."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def traces() -> tuple[bool, bool, int]:
    """What the attacks would leave behind."""
    library = install.locate().library
    return Path("/tmp/neff-attack").exists(), (library / "attack").exists(), (library / "Init.olean").stat().st_size


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("action", ACTIONS)
async def test_no_tactic_reaches_the_machine(
    engine: EmbeddedEngine, listening: socket.socket, action: str, way: str
) -> None:
    code = ACTIONS[action].replace("PORT", str(listening.getsockname()[1]))
    tactic = WAYS[way].format(action=code, number=run_io(code))
    before = traces()
    session = await engine.open(TRUE)
    result = await session.run(session.root, tactic)
    verdict = await engine.verify(TRUE, tactic)
    await session.close()
    assert isinstance(result, Failed)
    assert not verdict.proved
    assert "root:" not in result.message + verdict.reason and "/usr/bin" not in result.message + verdict.reason
    assert traces() == before
    with pytest.raises(BlockingIOError):
        listening.accept()


@pytest.mark.parametrize("path", ["/etc/passwd", "../../../../etc/passwd", "/lean/lib/Init.olean"])
async def test_no_tactic_reads_a_file_while_it_is_elaborated(engine: EmbeddedEngine, path: str) -> None:
    session = await engine.open(TRUE)
    result = await session.run(session.root, f'exact absurd (include_str "{path}") nofun')
    await session.close()
    assert isinstance(result, Failed) and "include_str reads files" in result.message


@pytest.mark.parametrize("thread", ["{code}", "IO.wait (← IO.asTask (prio := .dedicated) ({code}))"])
@pytest.mark.parametrize("action", ACTIONS)
async def test_code_that_does_run_reads_the_library_and_nothing_else(
    engine: EmbeddedEngine, listening: socket.socket, action: str, thread: str
) -> None:
    code = thread.format(code=ACTIONS[action].replace("PORT", str(listening.getsockname()[1])))
    before = traces()
    command = {"cmd": f"#eval show IO Unit from do discard <| {code}"}  # a command, which no refusal list looks at
    slot = engine.pool.assign()
    try:
        answer = await slot.run(lambda process: process.request(command, 60))
    finally:
        engine.pool.release(slot)
    assert "root:" not in str(answer) and "/usr/bin" not in str(answer)
    assert traces() == before
    with pytest.raises(BlockingIOError):
        listening.accept()


# Other people's files.


PICKLES = r"\b(c?Pickle|pickle|dill|joblib|marshal|shelve|jsonpickle|cloudpickle)\b|allow_pickle\s*=\s*True"
CODE = r"(?<![\w.])(eval|exec|compile|__import__)\(|new Function\(|trust_remote_code\s*=\s*True|os\.system"
MARKUP = r"\|\s*safe\b|autoescape\s*=\s*False|\.innerHTML|document\.write|insertAdjacentHTML"


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(PACKAGES)))
def test_nothing_that_is_read_is_run(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".py":  # without what it says about itself
        text = re.sub(r"#.*", "", re.sub(r'""".*?"""', "", text, flags=re.DOTALL))
    assert [found.group() for found in re.finditer(f"{PICKLES}|{CODE}|{MARKUP}", text)] == []
    for loading in re.finditer(r"torch\.load\([^)]*\)", text):
        assert "weights_only=True" in loading.group()


HOSTILE = "<script>alert(1)</script>"
PAYLOADS = (HOSTILE, '"><img src=x onerror=alert(1)>', "</style></pre><script>alert(1)</script>", "{{ 7 * 7 }}")


class Tags(HTMLParser):
    """Counts the tags of a page, and keeps attributes that run something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.running: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.running += [name for name, value in attrs if name.startswith("on") or "javascript:" in (value or "")]


def hostile_run(out: Path, payload: str) -> Store:
    """A run in which every text that somebody else could write is the payload."""
    store = Store(out)
    theorem = Theorem(payload, f"theorem t : {payload} := by sorry", payload, payload)
    strange = Theorem(f"strange {payload}", payload)
    store.begin({payload: payload}, [Member(payload, payload)], [theorem, strange], fresh=False)
    search = MemberSearch(0, payload, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0.1, 0.1, 0.2, {"nodes": [{"text": payload}]})
    claim = Claim(payload, Verdict(VerdictKind.REFUSED, payload, (payload,)))
    store.record(Attempt(payload, 0, Outcome.PROVED, payload, (claim,), (search,), 0.2, 0.0))
    store.record_unsupported(strange.name, payload)
    return store


def page_of(store: Store, payload: str) -> str:
    member = {
        "policy": payload,
        "strategy": payload,
        "n_eff": None,
        "proved": 1,
        "expansions": 5,
        "repeats": 0,
        "model_tokens": 0,
    }
    summary = {
        "benchmark": payload,
        "split": payload,
        "notice": payload,
        "theorems": 2,
        "supported": 1,
        "proved": 1,
        "budget": 64,
        "expansions": 5,
        "wall_s": 1.0,
        "lean_s": 0.5,
        "cut_prompts": 0,
        "cut_off": 0,
        "members": [member],
        "shape": {
            "trees": 1,
            "states": 1.0,
            "tried": [1.0],
            "branching": [0.0],
            "valid": 1.0,
            "merged": 0.0,
            "failures": {payload: 1},
            "proved": {1: 1},
        },
        "engine_use": {"requests": 1, "peak_rss_mib": 1.0, "ends": {}},
    }
    return render(summary, {payload: payload}, store.findings())


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_is_in_a_results_database_stays_text_in_the_report(tmp_path: Path, payload: str) -> None:
    with closing(hostile_run(tmp_path / "run", payload)) as store:
        page = page_of(store, payload)
    with closing(hostile_run(tmp_path / "harmless", "harmless")) as store:
        harmless = page_of(store, "harmless")
    assert Tags(page).tags == Tags(harmless).tags
    assert Tags(page).running == []
    assert payload == "{{ 7 * 7 }}" or payload not in page
    assert "49" not in page or "49" in harmless


def test_a_name_with_a_path_in_it_stays_in_the_proofs_folder(tmp_path: Path) -> None:
    with closing(Store(tmp_path / "run")) as store:
        for name in ("../../etc/cron.d/x", "/etc/passwd", "..", ".", "a/b", "a\0b", HOSTILE):
            assert store.proof_path(name).parent == tmp_path / "run" / "proofs"


def opened_again(out: Path) -> Store:
    """The harmless run in `out`."""
    store = Store(out)
    theorems = [Theorem("x", "theorem t : x := by sorry", "x", "x"), Theorem("strange x", "x")]
    store.begin({"x": "x"}, [Member("x", "x")], theorems, fresh=False)
    return store


def test_a_pickle_in_a_results_database_is_never_opened(tmp_path: Path) -> None:
    ran, run = tmp_path / "ran", tmp_path / "run"
    code = b"cposix\nsystem\n(S'touch " + bytes(ran) + b"'\ntR."
    hostile_run(run, "x").close()
    with closing(sqlite3.connect(run / DATABASE)) as db, db:
        db.execute("UPDATE searches SET tree=?", (zlib.compress(code),))
    with closing(opened_again(run)) as store:
        page_of(store, "x")
        with pytest.raises(StoreError, match="torn search tree"):
            store.tree("x")
    assert not ran.exists()
    pickle.loads(code)
    assert ran.exists()  # where pickles are opened, the attack works
