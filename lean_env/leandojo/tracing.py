"""Tracing a repository: LeanDojo clones it, has Lake build it, and reads the syntax of every file out of Lean.

LeanDojo and Lake show their progress themselves, on stdout and stderr; here everything goes to stderr. What they need
is looked at first, so that hours of work do not end in what could be known before.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from lean_env.engine import EngineError
from lean_env.leandojo.repository import Repository, require_leandojo

GIB = 2**30
NEEDED = {
    "git": "install git",
    "lake": "install elan, Lean's version manager, which brings it",
    "lean": "install elan, Lean's version manager, which brings it",
}


def trace(repository: Repository, say: Callable[[str], None]) -> Path:
    """Trace a repository into LeanDojo's cache, where it is not there yet; gives the folder of the trace.

    `say` is told what is done and needed. Raises EngineError, with the mend.
    """
    require_leandojo()
    for program, mend in NEEDED.items():
        if shutil.which(program) is None:
            raise EngineError(f"{program} is not on the PATH: {mend}")
    os.environ.update(repository.environment)  # LeanDojo reads it when it is imported
    from lean_dojo import is_available_in_cache
    from lean_dojo.constants import CACHE_DIR

    from lean_env.leandojo import traced

    repo = traced.open_repository(repository)
    if is_available_in_cache(repo):
        say(f"{repository} is traced already")
    else:
        _refuse_wrong_lean(repo, repository)
        memory, disk = psutil.virtual_memory().total / GIB, shutil.disk_usage(CACHE_DIR).free / GIB
        say(f"tracing {repository} with Lean {repo.lean_version}, into {CACHE_DIR}: Lake builds it all first")
        say(
            "this needs the network, half as long again as a build alone, and for Mathlib 32 GiB of memory, tens of GiB"
            f" of disk and hours; this machine has {memory:.0f} GiB of memory, and {disk:.0f} GiB free there"
        )
        _trace(repo, repository)
    found = traced.find(repository)
    return found.folder


def _refuse_wrong_lean(repo: object, repository: Repository) -> None:
    """Raises EngineError when the repository's Lean would not start as a Dojo starts it."""
    from lean_env.leandojo.traced import refuse_wrong_lean

    with tempfile.TemporaryDirectory() as folder:
        toolchain = repo.get_config("lean-toolchain")["content"]  # type: ignore[attr-defined]
        (Path(folder) / "lean-toolchain").write_text(toolchain)  # by which elan chooses
        refuse_wrong_lean(Path(folder), "", ("lean",), str(repository))


def _trace(repo: object, repository: Repository) -> None:
    from github import GithubException
    from lean_dojo import get_traced_repo_path

    try:
        with _stdout_to_stderr():
            get_traced_repo_path(repo)
    except subprocess.CalledProcessError as error:
        raise EngineError(
            f"`{error.cmd}` ended with exit code {error.returncode} while {repository} was traced, as told above: mend "
            "that, or take a commit with Lean 4.3 to 4.20, for which LeanDojo 4.20 is made, and trace again"
        ) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise EngineError("the disk is full: free space, or set CACHE_DIR and TMP_DIR to a larger disk") from error
        raise EngineError(
            f"the network is needed while {repository} is traced ({_line(error)}): connect, and trace again"
        ) from error
    except GithubException as error:
        raise EngineError(
            f"GitHub does not answer as it should ({_line(error)}): set GITHUB_ACCESS_TOKEN to a token of yours, which "
            "raises its limit, and trace again"
        ) from error
    except (AssertionError, ValueError, RuntimeError) as error:
        raise EngineError(f"LeanDojo gives up on {repository} ({_line(error)}): see what it said above") from error


@contextlib.contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """For this process and those that it starts."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
