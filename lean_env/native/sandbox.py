"""Runs a command where it has no network, sees Lean and its project read-only, and little else.

With bubblewrap where it is installed, else with the namespaces that util-linux gives to everybody (`unshare`): no
network, own processes, an empty file system in memory with what Lean needs mounted read-only, no privileges, and of
the environment only what is for Lean. It guards the machine, not the answers: code that runs inside can still lie to
whoever reads what the command prints.

This file is a script as well. `lake env` has to come first, outside, as it may write and tells where Lean is:

    lake env python -I sandbox.py bubblewrap PROJECT repl
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path

MEMORY_FILES_MB = 256  # what files may hold inside, all in memory
PROBE_S = 20.0

# What programs need of the system. Paths that are not there are left out.
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")
_LOADER = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")

# By name: Lake has settings that are secrets (LAKE_CACHE_KEY).
_KEPT = (
    *("PATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "LEAN_PATH", "LEAN_SRC_PATH", "LEAN_SYSROOT", "LEAN_NUM_THREADS"),
    *("LAKE", "LAKE_HOME", "ELAN", "ELAN_HOME", "ELAN_TOOLCHAIN"),
)
_LISTS = ("LEAN_PATH", "LEAN_SRC_PATH", "LD_LIBRARY_PATH")  # of folders, separated as PATH is
_FOLDERS = ("LEAN_SYSROOT", "LAKE_HOME", "ELAN_HOME")

# Builds a root in memory over /sys, where nothing of a project ever is, and makes it the only one. Its arguments: the
# folder to start in, size in MiB, number of paths, the paths, the command. `nosuid,nodev` beside `ro`, as mounts that
# have these already may not lose them here. /proc is read-only as root writes the machine's settings there without any
# privilege. The last line gives up all privileges over what was mounted.
_BUILD_ROOT = """
set -e
start=$1 size=$2 count=$3; shift 3
mount -t tmpfs -o size="$size"m tmpfs /sys
mkdir /sys/proc /sys/dev /sys/tmp /sys/.old
place() {
  if [ -d "$1" ]; then mkdir -p "/sys$1"; else mkdir -p "/sys${1%/*}"; : >"/sys$1"; fi
  mount --bind "$1" "/sys$1"
}
while [ "$count" -gt 0 ]; do
  place "$1"; mount -o remount,bind,ro,nosuid,nodev "/sys$1"; shift; count=$((count - 1))
done
for device in DEVICES; do place $device; done
mount -t proc -o ro,nosuid,nodev,noexec proc /sys/proc
cd /sys
pivot_root . .old
exec chroot . /bin/sh -ec 'umount -l /.old; rmdir /.old; cd "$1"; shift
exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "$@"' sh "$start" "$@"
""".replace("DEVICES", " ".join(_DEVICES))


class Tool(StrEnum):
    """What makes the sandbox, the better one first."""

    BUBBLEWRAP = "bubblewrap"
    UNSHARE = "unshare"


def find(project: Path) -> tuple[Tool | None, str]:
    """The first tool that works here, or None and why the last one does not."""
    reason = "it is for Linux only"
    for tool in Tool:
        try:
            probe = subprocess.run(
                within(("true",), tool, project), cwd=project, capture_output=True, text=True, timeout=PROBE_S
            )
        except subprocess.TimeoutExpired:
            reason = f"{tool} does not end"
            continue
        if probe.returncode == 0:
            return tool, ""
        reason = " ".join(probe.stderr.split())[-200:] or f"{tool} ended with {probe.returncode}"
    return None, reason


def within(command: Sequence[str], tool: Tool, project: Path) -> tuple[str, ...]:
    """The command line that runs `command` in a sandbox; of `lake env COMMAND`, what stands behind `lake env`."""
    outside = 2 if tuple(command[:2]) == ("lake", "env") else 0
    script = (sys.executable, "-I", __file__, tool.value, str(project))
    return (*command[:outside], *script, *command[outside:])


def environment(outside: Mapping[str, str]) -> dict[str, str]:
    """What is kept of the environment: nothing that could be a secret."""
    kept = {name: outside[name] for name in _KEPT if name in outside}
    return {**kept, "HOME": "/tmp", "TMPDIR": "/tmp"}


def visible(executable: str, project: Path, env: Mapping[str, str]) -> list[str]:
    """The paths seen inside, read-only: the system's programs, the project, and where `env` says that Lean is."""

    def candidates() -> Iterator[Path]:
        yield from map(Path, (*_SYSTEM, *_LOADER))
        yield from (project, Path(executable), Path(executable).resolve())
        yield Path(env["ELAN_HOME"]) if "ELAN_HOME" in env else Path.home() / ".elan"
        yield from (Path(env[name]) for name in _FOLDERS if name in env)
        yield from (Path(part) for name in _LISTS for part in env.get(name, "").split(os.pathsep))

    found = {path.absolute() for path in candidates() if path != Path() and path.exists()} - {Path("/")}
    return sorted(str(path) for path in found if found.isdisjoint(path.parents))


def bubblewrap(start: Path, paths: Sequence[str], command: Sequence[str]) -> list[str]:
    """The command line of bubblewrap."""
    size = str(MEMORY_FILES_MB * 2**20)
    binds = [argument for path in paths for argument in ("--ro-bind", path, path)]
    own = ["--unshare-all", "--die-with-parent", "--cap-drop", "ALL", "--proc", "/proc", "--dev", "/dev"]
    return [
        "bwrap",
        *own,
        "--size",
        size,
        "--tmpfs",
        "/tmp",
        *binds,
        *(argument for place in ("/", "/dev", "/proc") for argument in ("--remount-ro", place)),
        "--chdir",
        str(start),
        "--",
        *command,
    ]


def unshare(start: Path, paths: Sequence[str], command: Sequence[str]) -> list[str]:
    """The command line of util-linux."""
    own = ["--user", "--map-root-user", "--mount", "--net", "--ipc", "--uts", "--pid", "--fork", "--kill-child"]
    arguments = [str(start), str(MEMORY_FILES_MB), str(len(paths)), *paths, *command]
    return ["unshare", *own, "/bin/sh", "-c", _BUILD_ROOT, "sh", *arguments]


def main() -> None:
    """Become the command `sandbox.py TOOL PROJECT COMMAND...`, inside; exit code 127 where it is not to be had."""
    tool, project, *command = sys.argv[1:]
    if (executable := shutil.which(command[0])) is None:
        sys.stderr.write(f"{command[0]}: not found\n")
        sys.exit(127)
    lines = {Tool.BUBBLEWRAP: bubblewrap, Tool.UNSHARE: unshare}
    executable = str(Path(executable).absolute())
    paths = visible(executable, Path(project), os.environ)
    line = lines[Tool(tool)](Path.cwd(), paths, [executable, *command[1:]])
    # The tools of util-linux are where users do not look for programs.
    env = environment(os.environ)
    env["PATH"] = os.pathsep.join([env.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    try:
        os.execvpe(line[0], line, env)
    except OSError as error:
        sys.stderr.write(f"{line[0]}: {error.strerror}\n")
        sys.exit(127)


if __name__ == "__main__":
    main()
