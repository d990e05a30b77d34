"""Tables from measured lines."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks import plots
from benchmarks.compare import by_seed, difference, rate, read_results
from benchmarks.measure import Line, MeasureError


def lines(path: Path, proofs: dict[str, list[list[int | None]]]) -> Path:
    """`proofs` by contestant: [theorems][seeds], the expansion of the proof."""
    with path.open("w") as file:
        for name, table in proofs.items():
            for theorem, row in enumerate(table):
                for seed, at in enumerate(row):
                    line = Line(f"t{theorem}", name, "rollouts", seed, 64, "", at, at or 64, 0)
                    file.write(json.dumps(asdict(line)) + "\n")
    return path


def test_a_larger_budget_proves_what_a_smaller_one_does_and_more(tmp_path: Path) -> None:
    results = read_results([lines(tmp_path / "a", {"m": [[3], [17], [None]]})], "rollouts")
    assert [results.within("m", budget).sum() for budget in (2, 3, 16, 17, 64)] == [0, 1, 1, 2, 2]


def test_an_ensemble_gives_each_member_an_equal_part(tmp_path: Path) -> None:
    results = read_results([lines(tmp_path / "a", {"a": [[8], [None], [9]], "b": [[None], [8], [None]]})], "rollouts")
    assert results.ensemble(["a", "b"], 16).sum() == 2  # 8 each: the third needs 9
    assert results.ensemble(["a", "b"], 18).sum() == 3


def test_a_member_that_is_named_twice_searches_with_another_seed(tmp_path: Path) -> None:
    results = read_results([lines(tmp_path / "a", {"a": [[4, None], [None, None]]})], "rollouts")
    assert results.ensemble(["a", "a"], 8).tolist() == [[1, 1], [0, 0]]


def test_a_member_is_not_in_an_ensemble_more_often_than_it_has_seeds(tmp_path: Path) -> None:
    results = read_results([lines(tmp_path / "a", {"a": [[4, None], [None, None]]})], "rollouts")
    with pytest.raises(MeasureError, match="more often in an ensemble than it has seeds"):
        results.ensemble(["a", "a", "a"], 8)


def test_no_budget_is_compared_that_was_not_searched(tmp_path: Path) -> None:
    results = read_results([lines(tmp_path / "a", {"a": [[4]]})], "rollouts")
    with pytest.raises(MeasureError, match="they searched up to 64"):
        results.within("a", 65)


def test_two_results_of_one_search_are_an_error(tmp_path: Path) -> None:
    file = lines(tmp_path / "a", {"a": [[4]]})
    with pytest.raises(MeasureError, match="two results for t0"):
        read_results([file, file], "rollouts")


def test_contestants_without_all_results_are_not_compared(tmp_path: Path) -> None:
    with pytest.raises(MeasureError, match="b lacks 1 of 2"):
        read_results([lines(tmp_path / "a", {"a": [[1], [1]], "b": [[1]]})], "rollouts")


def test_theorems_may_be_chosen_by_the_beginning_of_their_names(tmp_path: Path) -> None:
    file = lines(tmp_path / "a", {"a": [[1], [None], [2]]})
    first = read_results([file], "rollouts").theorems[0]
    assert read_results([file], "rollouts", named=first).theorems == (first,)
    with pytest.raises(MeasureError, match="no results of rollouts of theorems whose names begin with other"):
        read_results([file], "rollouts", named="other")


def test_repeating_searches_does_not_narrow_the_interval() -> None:
    once = np.array([[1.0], [0.0]] * 40)
    assert rate(once) == rate(np.repeat(once, 5, axis=1))
    assert rate(once).low == pytest.approx(0.5 - 1.96 * 0.5 / 80**0.5, abs=0.03)


def test_differences_are_paired_by_theorem() -> None:
    hard, easy = np.zeros((50, 1)), np.ones((50, 1))
    first, second = np.vstack([easy, hard]), np.vstack([easy[:-5], hard, hard[:5]])
    found = difference(first, second)
    assert found.value == pytest.approx(0.05)
    assert 0 < found.low < found.value < found.high < 0.12
    (alone,) = by_seed(first, second)
    assert (alone.gained, alone.lost) == (5, 0)
    assert alone.p_value == pytest.approx(2 / 2**5)


def test_curves_are_drawn(tmp_path: Path) -> None:
    file = lines(tmp_path / "a", {"a": [[3, 5], [17, None]], "b": [[1, 1], [None, None]]})
    out = tmp_path / "curves.png"
    arguments = ["curves", str(file), "--out", str(out), "--ensemble", "both=a,b"]
    ended = CliRunner().invoke(plots.app, arguments, catch_exceptions=False)
    assert ended.exit_code == 0
    assert out.read_bytes().startswith(b"\x89PNG")
