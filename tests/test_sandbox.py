"""What a program in the sandbox can and cannot do, for each tool that makes one here."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from lean_env.native import sandbox
from lean_env.native.sandbox import Tool, within

PROGRAMS = {Tool.BUBBLEWRAP: "bwrap", Tool.UNSHARE: "unshare"}
Ended = subprocess.CompletedProcess[str]


@pytest.fixture(params=list(Tool))
def inside(request: pytest.FixtureRequest, project: Path) -> Callable[..., Ended]:
    """Runs a shell script in the sandbox, in the project."""

    def run(script: str, **environment: str) -> Ended:
        command = within(("/bin/bash", "-c", script), request.param, project)
        env = {**os.environ, **environment}
        return subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, timeout=60)

    if shutil.which(PROGRAMS[request.param]) is None:
        pytest.skip(f"no {PROGRAMS[request.param]} here")
    if (reason := run("true").stderr) or sys.platform != "linux":
        pytest.skip(f"no namespaces for users here: {reason}")
    return run


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "lakefile.toml").write_text('name = "x"\n')
    return folder


@pytest.fixture
def listening() -> Iterator[int]:
    """The port of a server on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_the_project_is_read_and_not_written(inside: Callable[..., Ended], project: Path) -> None:
    assert inside("cat lakefile.toml").stdout == 'name = "x"\n'
    for attack in ("echo x > new", "echo x >> lakefile.toml", "rm lakefile.toml", "mkdir d", "mv lakefile.toml y"):
        assert inside(attack).returncode != 0, attack
    assert [file.name for file in project.iterdir()] == ["lakefile.toml"]
    assert (project / "lakefile.toml").read_text() == 'name = "x"\n'


def test_nothing_else_of_the_user_is_there(inside: Callable[..., Ended], tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a key")
    for path in (secret, "/etc/passwd", "/etc/hostname", Path.home(), "/root", "/home", "/var", "/run", "/sys/kernel"):
        assert inside(f"ls {path}").returncode != 0, path
    assert set(inside("ls /tmp").stdout.split()) <= set(tmp_path.parts)  # the project's own


def test_what_is_written_is_gone_and_has_little_room(inside: Callable[..., Ended]) -> None:
    name = f"left-behind-{os.getpid()}"
    assert inside(f"echo x > /tmp/{name} && cat /tmp/{name}").stdout == "x\n"
    assert not Path("/tmp", name).exists()
    for folder in ("/tmp", "/dev", "/dev/shm"):
        said = inside(f"head -c {2 * sandbox.MEMORY_FILES_MB << 20} /dev/zero > {folder}/big").stderr
        assert re.search("No space left|Read-only file system|No such file", said), folder


def test_there_is_no_network(inside: Callable[..., Ended], listening: int) -> None:
    connect = f"exec 3<>/dev/tcp/127.0.0.1/{listening}"
    assert subprocess.run(["/bin/bash", "-c", connect]).returncode == 0
    assert inside(connect).returncode != 0
    devices = [line.split(":")[0].strip() for line in inside("cat /proc/net/dev").stdout.splitlines()[2:]]
    assert devices == ["lo"]


def test_other_processes_are_out_of_sight_and_out_of_reach(inside: Callable[..., Ended]) -> None:
    other = subprocess.Popen(["sleep", "60"])
    try:
        inside(f"kill -9 {other.pid}")
        assert other.poll() is None
        seen = inside("cat /proc/[0-9]*/cmdline | tr '\\0' ' '").stdout
        assert "cat /proc/1/cmdline" in seen and "sleep 60" not in seen
    finally:
        other.kill()
        other.wait()


def test_privileges_are_gone_and_do_not_come_back(inside: Callable[..., Ended]) -> None:
    status = inside("cat /proc/self/status").stdout
    assert {line.split()[1] for line in status.splitlines() if line.startswith("Cap")} == {"0" * 16}
    assert "NoNewPrivs:\t1" in status
    for attack in (
        "mount -o remount,rw /usr",
        "umount -l /usr",
        "mount -t tmpfs tmpfs /tmp",
        'unshare -Urm sh -c "mount -o remount,bind,rw $PWD && touch new"',
    ):
        assert inside(attack).returncode != 0, attack


def test_nothing_of_the_machine_is_opened_for_writing(inside: Callable[..., Ended]) -> None:
    assert inside("cat /proc/sys/kernel/core_pattern >/dev/null").returncode == 0
    for file in ("/proc/sys/kernel/core_pattern", "/proc/self/oom_score_adj"):
        assert "Read-only file system" in inside(f": >>{file}").stderr, file


def test_of_the_environment_only_what_is_for_lean_is_there(inside: Callable[..., Ended]) -> None:
    said = inside(
        "env", API_TOKEN="a key", LAKE_CACHE_KEY="a key", LEAN_NUM_THREADS="2", ELAN_TOOLCHAIN="stable"
    ).stdout
    assert "a key" not in said
    assert "LEAN_NUM_THREADS=2" in said and "ELAN_TOOLCHAIN=stable" in said and "HOME=/tmp" in said


def test_where_lean_is_can_be_read(inside: Callable[..., Ended], tmp_path: Path) -> None:
    package = tmp_path / "packages" / "lib"
    package.mkdir(parents=True)
    (package / "Mathlib.olean").write_text("compiled")
    file = package / "Mathlib.olean"
    assert inside(f"cat {file}").returncode != 0
    assert inside(f"cat {file}", LEAN_PATH=f"/none:{package}").stdout == "compiled"


def test_a_program_inside_ends_with_the_one_that_started_it(inside: Callable[..., Ended]) -> None:
    assert inside("(setsid sleep 4321 &) ; exit 3").returncode == 3
    assert not [process for process in psutil.process_iter(["cmdline"]) if process.info["cmdline"] == ["sleep", "4321"]]


def test_lake_runs_outside_as_it_tells_where_lean_is(project: Path) -> None:
    command = within(("lake", "env", "repl", "--x"), Tool.UNSHARE, project)
    assert command[:2] == ("lake", "env")
    assert command[-4:] == ("unshare", str(project), "repl", "--x")
    assert within(("repl",), Tool.UNSHARE, project)[0] == sys.executable


def test_a_program_that_is_not_there_is_named(project: Path) -> None:
    ended = subprocess.run(within(("no-such-repl",), Tool.UNSHARE, project), capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (127, "no-such-repl: not found\n")


def test_without_any_tool_the_reason_is_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "within", lambda *_: ("/bin/sh", "-c", "echo no namespaces >&2; exit 1"))
    assert sandbox.find(project) == (None, "no namespaces")
