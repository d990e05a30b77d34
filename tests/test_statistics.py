"""Intervals and tests against their definitions."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from search.statistics import holm, paired, pass_at_k, wilson


@given(st.integers(1, 300), st.data())
def test_wilson_agrees_with_scipy(trials: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, trials))
    expected = binomtest(successes, trials).proportion_ci(method="wilson")
    interval = wilson(successes, trials)
    assert interval.low == pytest.approx(expected.low, abs=1e-9)
    assert interval.high == pytest.approx(expected.high, abs=1e-9)


@given(st.integers(1, 9), st.data())
def test_pass_at_k_is_the_share_of_subsets_that_hold_a_success(samples: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, samples))
    k = data.draw(st.integers(1, samples))
    subsets = list(combinations(range(samples), k))
    share = sum(any(i < successes for i in subset) for subset in subsets) / len(subsets)
    assert pass_at_k(samples, successes, k) == pytest.approx(share)


def test_a_paired_comparison_counts_only_where_the_methods_differ() -> None:
    first = [True] * 12 + [False] * 4 + [True] * 50
    second = [False] * 12 + [True] * 4 + [True] * 50
    result = paired(first, second)
    assert (result.gained, result.lost) == (12, 4)
    assert result.difference.value == pytest.approx(8 / 66)
    assert result.difference.high - result.difference.value == pytest.approx(1.96 * 4 / 66, rel=1e-3)
    assert result.p_value == pytest.approx(0.07681, abs=1e-4)  # 2 P(B(16, ½) ≤ 4)


def test_shares_of_seeds_are_paired_by_theorem_and_by_how_much_they_differ() -> None:
    result = paired([1.0, 0.5, 0.5, 0.0], [0.5, 0.5, 1.0, 1.0])
    assert (result.gained, result.lost) == (1, 2)
    assert result.difference.value == pytest.approx(-1 / 4)
    assert result.difference.high - result.difference.value == pytest.approx(1.96 * (1.5**0.5) / 4, rel=1e-3)
    assert result.p_value == 1.0


def test_a_sum_of_shares_has_the_interval_of_as_many_successes() -> None:
    low, high = wilson(12, 40), wilson(13, 40)
    assert low.low < wilson(12.5, 40).low < high.low
    assert low.high < wilson(12.5, 40).high < high.high


def test_holm_adjusts_as_in_a_worked_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), max_size=12), st.floats(0, 1))
def test_holm_rejects_what_the_stepwise_procedure_rejects(p_values: list[float], level: float) -> None:
    rejected: set[int] = set()
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        if (len(p_values) - rank) * p_values[place] > level:
            break
        rejected.add(place)
    adjusted = holm(p_values)
    assert {place for place, value in enumerate(adjusted) if value <= level} == (
        rejected if level < 1 else set(range(len(p_values)))
    )


def test_a_difference_of_shares_has_an_interval_within_what_can_be() -> None:
    result = paired([1.0, 0.0], [0.0, 0.0])
    assert (result.difference.low, result.difference.high) == (pytest.approx(0.5 - 1.96 / 2, abs=1e-3), 1.0)


def test_equal_methods_do_not_differ() -> None:
    assert paired([True, False], [True, False]).p_value == 1.0


@pytest.mark.parametrize("call", [lambda: wilson(1, 0), lambda: pass_at_k(5, 2, 6), lambda: paired([], [])])
def test_what_is_not_defined_is_refused(call: object) -> None:
    with pytest.raises(ValueError):
        call()  # type: ignore[operator]
