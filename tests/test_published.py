"""The published tables in kind: what stands in their rows follows from the searches of a study."""

from __future__ import annotations

import numpy as np

from benchmarks.published import STRATEGIES, at_equal_budget, by_strategy
from prover.study.config import Cell, StudyOptions
from prover.study.results import Results, collect
from prover.study.store import Search, Stated
from search.budget import Spent

OPTIONS = StudyOptions.model_validate(
    {
        "benchmarks": ["numbers"],
        "budgets": [64],
        "seeds": [0],
        "baseline": "CE",
        "members": [
            {"name": "CE", "policy": "a"},
            {"name": "wide", "policy": "b"},
            {"name": "both", "ensemble": ["CE", "wide"]},
        ],
        "strategies": [{"name": name} for name in STRATEGIES],
    }
)
THEOREMS = ("lib_a", "lib_b", "gym_c", "gym_d")
PROVED_AT = {"CE": (1, None, 20, None), "wide": (40, 30, 30, None)}  # by rollouts; the others prove nothing


def results() -> Results:
    searches = [
        Search(
            *(theorem, Cell(member, how), 0, 64),
            *("budget" if at is None or name != "rollouts" else "proved", Spent(at or 64)),
            *((), {"states": 1, "failures": {}, "levels": []}),
        )
        for member, proofs in PROVED_AT.items()
        for theorem, at in zip(THEOREMS, proofs, strict=True)
        for name, how in zip(STRATEGIES, OPTIONS.searches, strict=True)
    ]
    return collect(OPTIONS, [Stated(name, "", "", None) for name in THEOREMS], searches)


def counted(prefix: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.array([name.startswith(prefix) for name in THEOREMS])


def row(lines: list[str], title: str) -> list[str]:
    (found,) = [line for line in lines if line.startswith(f"| {title} |")]
    return [cell.strip() for cell in found.strip("|").split("|")][1:]


def test_objectives_stand_by_strategies_beside_the_published_ones() -> None:
    lines = by_strategy(OPTIONS, results(), counted(""))
    assert row(lines, "published: CE") == ["21.2", "23.8", "19.2", "20.7", "21.2", "20.3"]
    assert row(lines, "CE") == ["50.0", *["0.0"] * 5]
    assert row(lines, "wide") == ["75.0", *["0.0"] * 5]
    assert row(lines, "wide − CE")[0].startswith("+25.0 [")


def test_an_ensemble_has_the_budget_of_what_it_is_compared_with() -> None:
    lines = at_equal_budget(OPTIONS, results(), counted(""))
    assert row(lines, "CE, 32 expansions")[0].startswith("50.0")
    assert row(lines, "wide, 32 expansions")[0].startswith("50.0")  # not the proof at 40
    assert row(lines, "CE, 64 expansions")[0].startswith("50.0")
    proved, against = row(lines, "both, 2 × 32 expansions")
    assert proved.startswith("75.0")
    assert against.startswith("+25.0 [")


def test_theorems_may_be_counted_by_the_beginning_of_their_names() -> None:
    lines = by_strategy(OPTIONS, results(), counted("lib_"))
    assert row(lines, "wide − CE")[0].startswith("+50.0 [")
