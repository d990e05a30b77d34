"""Ctrl-C, once and again: what is finished is kept, and the same command goes on.

Lean is stood in for by `countdown.py`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from countdown import theorem
from test_cli import TESTS, write
from test_study import finished_in

SLOW_TO_CLOSE = f"""
import asyncio, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start with it ignored
sys.path.insert(0, {TESTS!r})
from countdown import Chance, Countdown
from prover import cli, parts
from prover.records import Member
from prover.study import policies
class Slow(Countdown):
    async def close(self):
        await asyncio.sleep(2)
async def start(*_):
    return Slow(pause_s=0.05)
parts.start_engine = start
parts.policies = lambda *_: [(Member("chance", ""), Chance)]
policies.open_policies = lambda *_: {{"chance": lambda seed, own: Chance(own)}}
cli.main()
"""
STUDY = """
benchmarks = ["minif2f"]
data = {data!r}
budgets = [4, 16]
seeds = [0, 1]
baseline = "chance"
members = [{{ name = "chance", policy = "portfolio" }}]
strategies = [{{ name = "best-first" }}, {{ name = "depth-first" }}]
"""


def interrupted(arguments: list[str], begun: Callable[[], bool], times: int) -> tuple[str, str]:
    """Ctrl-C as often, every half second, once the command has `begun`: what it says, and what when repeated."""
    command = [sys.executable, "-c", textwrap.dedent(SLOW_TO_CLOSE), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not begun() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    for _ in range(times):
        os.kill(process.pid, signal.SIGINT)
        time.sleep(0.5)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    return said, again.stdout


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write(tmp_path / "statements.jsonl", *(theorem(n) for n in range(1, 9)))


@pytest.mark.parametrize("times", [1, 2])
def test_a_run_keeps_what_is_finished_and_says_how_to_go_on(data: Path, tmp_path: Path, times: int) -> None:
    run = tmp_path / "run"
    arguments = ["--benchmark", "minif2f", "--data", str(data), "--out", str(run)]
    said, again = interrupted(arguments, (run / "proofs").exists, times)
    assert "the same command goes on" in said
    assert "proved 8 of 8 supported (8 theorems)" in again


def test_a_study_keeps_what_is_finished_and_says_how_to_go_on(data: Path, tmp_path: Path) -> None:
    config, out = tmp_path / "study.toml", tmp_path / "study"
    config.write_text(STUDY.format(data=str(data)))
    said, again = interrupted(["study", str(config), "--out", str(out)], lambda: finished_in(out) > 0, 2)
    assert "the same command goes on" in said
    assert "Within 16 expansions" in again
    assert finished_in(out) == 8 * 2 * 2
