"""`lake` and `lean` for tests, as programs: `install` puts them on the PATH.

They take the command lines that LeanDojo and the engine give, send the file to the test process (leandojo_server.py),
pass lines on, and die as Lean dies.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from pathlib import Path

# In the environment: where the server is, the version of a Lean that refuses flags, what tracing needs.
SOCKET, REFUSES, BUILD_FAILS = "LEANDOJO_TEST_SOCKET", "LEANDOJO_TEST_REFUSES", "LEANDOJO_TEST_BUILD_FAILS"
PREFIX, TRACES = "LEANDOJO_TEST_PREFIX", "LEANDOJO_TEST_TRACES"
REPL_PROOF = "by\n  lean_dojo_repl\n  sorry\n"
VERSION = "Lean (version {}, x86_64-unknown-linux-gnu, commit 77cfc4d1a4b6, Release)"
REFUSAL = "<input>:1:0: error: invalid -D parameter, unknown configuration option 'max_memory'\n"


def install(folder: Path) -> None:
    """Put `lake` and `lean` into a folder for the PATH."""
    folder.mkdir()
    for name in ("lake", "lean"):
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" {name} "$@"\n')
        program.chmod(0o755)


def _build(*targets: str) -> None:
    """`lake build`: says how far it is, and leaves what LeanDojo counts."""
    if BUILD_FAILS in os.environ:
        sys.exit("error: build failed")
    for number, file in enumerate(sorted(Path().glob("Small/*.lean")), 1):
        print(f"[{number}/2] Building {' '.join(targets)}{file.stem}", flush=True)
        olean = Path(".lake/build/lib/lean") / file.with_suffix(".olean")
        olean.parent.mkdir(parents=True, exist_ok=True)
        olean.touch()


def main(program: str, *arguments: str) -> None:
    """The program itself."""
    if program == "lake":
        if arguments[:1] == ("build",):
            _build(*arguments[1:])
            return
        if arguments[:2] != ("env", "lean"):
            sys.exit(f"error: unknown command '{' '.join(arguments)}'")
        arguments = arguments[2:]
    refuses = os.environ.get(REFUSES, "")
    version = refuses or "4.20.0"
    if "--version" in arguments:
        print(VERSION.format(version))
        return
    if "--print-prefix" in arguments:
        print(os.environ[PREFIX])
        return
    if "--run" in arguments:
        for trace in Path(os.environ[TRACES]).rglob("*.ast.json"):
            shutil.copytree(os.environ[TRACES], ".lake/build/ir", dirs_exist_ok=True)
            print(f"traced {trace.name}")
        return
    if refuses and any(argument.startswith("--memory") for argument in arguments):
        print(REFUSAL, end="")
        sys.exit(1)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(os.environ[SOCKET])
        text = Path(arguments[-1]).read_text(encoding="utf-8")
        if arguments[0] == "-o":
            Path(arguments[1]).touch()
        client.sendall(json.dumps({"text": text, "json": "--json" in arguments}).encode() + b"\n")
        if not sys.stdin.closed and REPL_PROOF in text and os.fork() == 0:
            for line in sys.stdin:
                client.sendall(line.encode())
            os._exit(0)
        for line in client.makefile(encoding="utf-8"):
            said = json.loads(line)
            if "exit" in said:
                if said["exit"] < 0:
                    os.kill(os.getpid(), -said["exit"])
                sys.exit(said["exit"])
            print(said["line"], flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
