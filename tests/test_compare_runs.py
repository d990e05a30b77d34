"""Runs side by side: the rows follow from what was proved, and runs that do not belong together are not compared."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from countdown import theorem

from benchmarks.compare_runs import Finished, finished, table
from prover.records import Attempt, Member, Outcome
from prover.store import Store

THEOREMS = [theorem(n, name) for n, name in enumerate(("gym_1", "gym_2", "lib_1", "lib_2"))]


def run(name: str, proved: str, expansions: int) -> Finished:
    """A run that proves what has a 1 in `proved`."""
    return Finished(name, dict(zip(THEOREMS, (each == "1" for each in proved), strict=True)), expansions)


def test_each_run_stands_with_its_rate_its_price_and_its_difference_to_the_last() -> None:
    _, _, half, whole = table([run("half", "1110", 40), run("whole", "0111", 80)])
    assert half.startswith("| half | 75.0 [30.1, 95.4] | 10.0 | +0.0 [-69.3, 69.3] | 1 | 1 | 1 |")
    assert whole == "| whole | 75.0 [30.1, 95.4] | 20.0 | | | | |"


def test_a_run_of_other_theorems_is_not_compared() -> None:
    whole = run("whole", "0111", 80)
    namesakes = {theorem(n + 1, one.name): True for n, one in enumerate(THEOREMS)}
    for others in ({THEOREMS[0]: True}, namesakes):
        with pytest.raises(ValueError, match="others and whole are on different theorems"):
            table([Finished("others", others, 1), whole])


def test_a_run_is_read_when_it_is_finished_and_not_before(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no run"):
        finished(tmp_path)
    one, two = theorem(1, "gym_1"), theorem(2, "lib_2")
    with closing(Store(tmp_path)) as store:
        store.begin({}, [Member("chance", "best-first")], [one, two], fresh=False)
        store.record(Attempt(one.name, 0, Outcome.BUDGET, "", (), (), 1.0, 0.0))
    with pytest.raises(ValueError, match="no finished theorems"):
        finished(tmp_path)
    assert finished(tmp_path, "gym_") == Finished(tmp_path.name, {one: False}, 0)
