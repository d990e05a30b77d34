"""A Lean project with a `lake` whose `lake env repl` is the embedded server, answering as the community REPL does."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from lean_env.embedded import engine as embedded
from lean_env.embedded import install

TESTS = Path(__file__).parent
EMBEDDED = Path(embedded.__file__).parent


def make(folder: Path) -> Path:
    """A project in `folder`; gives the folder that has to be on the PATH."""
    (folder / ".lake" / "packages" / "mathlib").mkdir(parents=True)
    (folder / "lean-toolchain").write_text("leanprover/lean4:v4.28.0\n")
    node, *rest = embedded.command(install.locate())
    server = [node, f"--allow-fs-read={TESTS}/", "--require", str(TESTS / "native_repl.js"), *rest]
    seen = [install.locate().folder, Path(node).resolve(), Path(node), EMBEDDED, TESTS]
    programs = folder / "bin"
    programs.mkdir()
    path = shlex.quote(os.pathsep.join(map(str, seen)))
    write(programs / "lake", f'[ "$1" = env ] || exit 64\nshift\nexport LEAN_PATH={path}\nexec "$@"')
    write(programs / "repl", f"export LEAN_EMBEDDED={shlex.quote(str(EMBEDDED))}\nexec {shlex.join(server)}")
    return programs


def write(file: Path, script: str) -> None:
    """An executable file."""
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
