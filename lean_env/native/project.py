"""A Lean project on this machine, and the REPL that runs in it."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

from lean_env.engine import EngineError

DEFAULT_REPL = "lake env repl"


class _Package(BaseModel):
    name: str
    rev: str = ""


class _Manifest(BaseModel):
    """lake-manifest.json, as Lake writes it."""

    packages: tuple[_Package, ...] = ()


@dataclass(frozen=True)
class Project:
    """A folder with a Lean project, and the command line that starts the REPL there."""

    folder: Path
    repl: tuple[str, ...]

    @property
    def mathlib(self) -> bool:
        """Whether it is Mathlib, or has it among its packages."""
        return any((self.folder / place).is_dir() for place in (".lake/packages/mathlib", "Mathlib"))

    @property
    def revision(self) -> str:
        """The commit of Mathlib in ten digits, where the project's manifest tells it."""
        try:
            manifest = _Manifest.model_validate_json((self.folder / "lake-manifest.json").read_bytes())
        except (OSError, ValidationError):
            return ""
        return next((package.rev[:10] for package in manifest.packages if package.name == "mathlib"), "")


def open_project(folder: Path, repl: str | None) -> Project:
    """The project in `folder` with the REPL that `repl` starts.

    Without `repl`, lean-interact builds the REPL for the project's version of Lean where it is installed (the extra
    native); else it is DEFAULT_REPL. Raises EngineError.
    """
    folder = folder.absolute()
    if not (folder / "lean-toolchain").is_file():
        raise EngineError(f"{folder} is no Lean project (it has no lean-toolchain): give its folder with --project")
    if repl is None and importlib.util.find_spec("lean_interact"):
        return Project(folder, _built_by_lean_interact(folder))
    try:
        command = tuple(map(os.path.expanduser, shlex.split(DEFAULT_REPL if repl is None else repl)))
    except ValueError as error:
        raise EngineError(f"--repl {repl} cannot be read ({error}): give a command such as {DEFAULT_REPL!r}") from error
    if not command:
        raise EngineError(f"--repl is empty: give a command such as {DEFAULT_REPL!r}")
    return Project(folder, command)


def _built_by_lean_interact(folder: Path) -> tuple[str, ...]:
    """Have lean-interact build the project, and the REPL that goes with it, both once."""
    from git.exc import GitError
    from lean_interact import LeanREPLConfig, LocalProject

    try:
        with _stdout_to_stderr():
            config = LeanREPLConfig(project=LocalProject(directory=folder))
    except (GitError, OSError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:300]
        raise EngineError(
            f"lean-interact does not set up {folder} ({reason}): build a REPL and name it with --repl"
        ) from error
    return ("lake", "env", str(Path(config.cache_repl_dir) / ".lake" / "build" / "bin" / "repl"))


@contextlib.contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """lean-interact lets lake write to stdout, which is for results."""
    sys.stdout.flush()
    stdout = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)
