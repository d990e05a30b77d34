"""Commands of a repository's own Lean, each in a process of its own that is waited for."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psutil

from lean_env.engine import EngineError

LAKE_LEAN = ("lake", "env", "lean")
PROBE_S = 300.0  # wall limit of importing LeanDojo's REPL

# Variables that hold what gives access to something, by their names: GITHUB_ACCESS_TOKEN, HF_TOKEN, OPENAI_API_KEY.
_SECRET = re.compile(r"(^|_)(TOKEN|KEY|SECRET|PASS|PASSWORD|CREDENTIALS)(_|$)", re.IGNORECASE)


class LeanTimeout(Exception):
    """Lean was ended, as it ran over its wall limit."""


def run_lean(folder: Path, command: Sequence[str], limit_s: float) -> subprocess.CompletedProcess[str]:
    """Run a command of Lean's in `folder`, within `limit_s` seconds. Raises EngineError and LeanTimeout."""
    try:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    except FileNotFoundError:
        raise EngineError(f"{command[0]} is not on the PATH: install elan, Lean's version manager") from None
    try:
        out, err = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        _kill(process.pid)
        process.communicate()
        raise LeanTimeout(f"no end within {limit_s:g} s") from None
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def forget_secrets() -> None:
    """Take secrets out of this process's environment, so that no Lean that it starts has them."""
    for name in [name for name in os.environ if _SECRET.search(name)]:
        del os.environ[name]


def _kill(pid: int) -> None:
    """End a process and its descendants: lake's own child would go on without it."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for one in [*process.children(recursive=True), process]:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
