"""The traced repository that a worker process works in: found in LeanDojo's cache, and its Lean looked at.

For worker processes only: everything here blocks, and importing LeanDojo takes seconds.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock
from git.exc import GitError
from github import GithubException
from lean_dojo import LeanGitRepo, get_traced_repo_path, is_available_in_cache
from lean_dojo.constants import CACHE_DIR, TACTIC_CPU_LIMIT, TACTIC_MEMORY_LIMIT, __version__

from lean_env.engine import EngineError
from lean_env.leandojo.lean import LAKE_LEAN, PROBE_S, run_lean
from lean_env.leandojo.repository import Repository

MIB_OF_GIB = 1024

# What every Dojo starts Lean with.
FLAGS = (f"--threads={TACTIC_CPU_LIMIT}", f"--memory={MIB_OF_GIB * int(TACTIC_MEMORY_LIMIT.removesuffix('g'))}")


@dataclass(frozen=True)
class Traced:
    """A repository as LeanDojo knows it, the folder of its trace, and the versions of what works there."""

    repo: Any  # lean_dojo.LeanGitRepo
    folder: Path
    lean: str
    leandojo: str
    mathlib: bool


def open_repository(repository: Repository) -> LeanGitRepo:
    """LeanDojo's own object for a repository, which it makes from the network. Raises EngineError."""
    try:
        # Two processes that fetch the same repository at once would write into one folder.
        with FileLock(CACHE_DIR.with_name(f"{CACHE_DIR.name}.prove.lock")):
            return LeanGitRepo(repository.url, repository.commit)
    except FileNotFoundError as error:
        raise EngineError(f"{repository} is no Lean project: it has no {Path(error.filename).name}") from error
    except OSError as error:
        raise EngineError(
            f"LeanDojo cannot reach {repository.url} ({_line(error)}): connect to the network, as it asks GitHub for a "
            "repository's toolchain even when the trace is there, or trace a clone of it by its folder"
        ) from error
    except (AssertionError, ValueError, GitError, GithubException) as error:
        raise EngineError(f"LeanDojo cannot use {repository} ({_line(error)}): give URL@COMMIT") from error


def traced_folder(repo: LeanGitRepo, repository: Repository) -> Path:
    """Where the trace of a repository is. Raises EngineError when there is none."""
    if not is_available_in_cache(repo):
        raise EngineError(f"{repository} is not traced in {CACHE_DIR}: run prove trace {repository}")
    return Path(get_traced_repo_path(repo))


def find(repository: Repository) -> Traced:
    """The trace of a repository, ready to be used. Raises EngineError, with the mend, when it is not."""
    repo = open_repository(repository)
    folder = traced_folder(repo, repository)
    version = refuse_wrong_lean(folder, "import Lean4Repl\n", LAKE_LEAN, str(repository))
    mathlib = (folder / ".lake/packages/mathlib").exists() or (folder / "Mathlib").exists()
    return Traced(repo, folder, version, __version__, mathlib)


def refuse_wrong_lean(folder: Path, text: str, lean: Sequence[str], name: str) -> str:
    """The version of the Lean that `lean` starts in `folder`. Raises EngineError when it does not take what Dojos ask.

    Lean 4.22 ends at once at `--memory` (leanprover/lean4#9879, #10258), which LeanDojo reports as `Unexpected EOF`.
    """
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "Probe.lean"
        file.write_text(text, encoding="utf-8")
        version = re.search(r"version (\S+?),", run_lean(folder, [*lean, "--version"], PROBE_S).stdout)
        if version is None:
            raise EngineError(
                f"{' '.join(lean)} --version says nothing of a version in {folder}: reinstall Lean with elan"
            )
        probe = run_lean(folder, [*lean, *FLAGS, str(file)], PROBE_S)
        if probe.returncode == 0:
            return version[1]
        said = _first(probe.stdout + probe.stderr)
        if run_lean(folder, [*lean, str(file)], PROBE_S).returncode == 0:
            raise EngineError(
                f"Lean {version[1]} of {name} refuses the flags {' '.join(FLAGS)} that LeanDojo {__version__} starts "
                f"it with ({said}): take a commit of the repository with Lean 4.20 or older"
            )
        raise EngineError(
            f"Lean {version[1]} of {name} does not load LeanDojo's REPL ({said}): run lake build Lean4Repl in {folder},"
            " or delete that folder and trace again"
        )


def _first(said: str) -> str:
    """The first line of what Lean said, cut."""
    return next((line.strip() for line in said.splitlines() if line.strip()), "it says nothing")[:300]


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
