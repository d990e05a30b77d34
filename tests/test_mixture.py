"""The shared frontier: one tree and one queue for all policies, each calibrated by its temperature."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated import (
    ERROR,
    PROVED,
    Move,
    Simulation,
    Whimsical,
    World,
    accept_all,
    whims,
    worlds,
)
from test_ensemble import Preferring, survives_faults

from prover.records import ModelUse
from prover.strategies import StrategyOptions, strategy
from search.budget import Budget
from search.ensemble import EnsembleResult
from search.known import KnownResults
from search.mixture import Mixture
from search.policy import Suggestion


@dataclass
class Fixed:
    """A policy that gives the same tactics for every state."""

    suggestions: Sequence[tuple[str, float]]
    use: ModelUse = field(default_factory=ModelUse)

    async def suggest(self, state: str, n: int) -> Sequence[Suggestion]:
        self.use = ModelUse(1000, self.use.calls + 1, self.use.prompt_tokens + 10)
        return [Suggestion(*each) for each in self.suggestions[:n]]


async def test_a_mixture_ranks_the_tactics_of_all_policies_by_their_calibrated_probabilities() -> None:
    policies = Fixed([("a", -1.0), ("b", -2.0)]), Fixed([("c", -1.2), ("a", -3.0), ("d", -9.0)])
    mixed = await Mixture(policies, (1.0, 1.0)).suggest("s", 3)
    assert [(each.tactic, each.log_prob) for each in mixed] == [("a", -1.0), ("c", -1.2), ("b", -2.0)]
    hot = await Mixture(policies, (1.0, 4.0)).suggest("s", 9)
    assert [each.tactic for each in hot] == ["a", "c", "b", "d"]
    assert [each.log_prob for each in hot] == pytest.approx([-1.0, -1.09575, -2.0, -3.04575], abs=1e-5)


# Log-probabilities of different tactics that leave some mass to what is not listed, likeliest first.
listed = st.lists(st.floats(0.01, 1), min_size=2, max_size=8).map(
    lambda weights: sorted((math.log(w / (sum(weights) + 0.01)) for w in weights), reverse=True)
)


async def calibrated(log_probs: Sequence[float], temperature: float, *counts: int) -> list[float]:
    """What a policy that lists these in a state comes to, asked for so many tactics one request after the other."""
    mixture = Mixture([Fixed([(str(n), log_prob) for n, log_prob in enumerate(log_probs)])], [temperature])
    for count in counts:
        answer = await mixture.suggest("s", count)
    assert [each.tactic for each in answer] == [str(n) for n in range(len(answer))]
    return [each.log_prob for each in answer]


@given(listed, st.floats(1.1, 9))
async def test_a_temperature_above_1_lowers_a_sure_tactic_and_raises_the_others(
    log_probs: list[float], temperature: float
) -> None:
    sure = [math.log(0.98), *(each + math.log(0.015) for each in log_probs)]
    found = await calibrated(sure, temperature, 99)
    assert found[0] < sure[0]
    assert found[-1] > sure[-1]
    assert math.fsum(map(math.exp, found)) < 1


@given(listed)
async def test_a_temperature_of_1_changes_nothing(log_probs: list[float]) -> None:
    assert await calibrated(log_probs, 1.0, 99) == log_probs


@given(listed, st.floats(0.2, 9), st.integers(1, 8))
async def test_calibration_keeps_the_order_of_a_member_and_a_tactic_as_likely_as_it_was_first(
    log_probs: list[float], temperature: float, first: int
) -> None:
    before = await calibrated(log_probs, temperature, first)
    after = await calibrated(log_probs, temperature, first, 99)
    assert after[: len(before)] == before
    assert after == sorted(after, reverse=True)
    assert max(after) <= 0


async def test_a_member_that_is_too_sure_does_not_climb_in_the_common_queue_by_its_temperature() -> None:
    """What it has at 0.9 and 0.05 counts as 0.68 and 0.16 with temperature 2, and a calm member's 0.8 comes first."""
    sure, calm = Fixed([("a", math.log(0.9)), ("b", math.log(0.05))]), Fixed([("c", math.log(0.8))])
    mixed = await Mixture((sure, calm), (2.0, 1.0)).suggest("s", 3)
    assert [each.tactic for each in mixed] == ["c", "a", "b"]
    total = math.sqrt(0.9) + 2 * math.sqrt(0.05)
    expected = [0.8, math.sqrt(0.9) / total, math.sqrt(0.05) / total]
    assert [math.exp(each.log_prob) for each in mixed] == pytest.approx(expected)


@given(worlds(), st.integers(0, 99), st.integers(0, 40), st.integers(1, 4))
def test_the_shares_of_a_shared_frontier_are_the_search(world: World, seed: int, expansions: int, members: int) -> None:
    lean = Simulation(world)
    mixture = Mixture([Preferring(world, seed + n) for n in range(members)], [1.0 + n for n in range(members)])
    searching = strategy(StrategyOptions(name="best-first", width=2))
    whole = asyncio.run(searching(KnownResults(lean), mixture, Budget(expansions), accept_all))
    result = mixture.shares(whole)
    assert len(result.results) == members
    assert result.expansions == whole.spent.expansions <= expansions
    assert (result.status, result.last.proof) == (whole.status, whole.proof)
    assert sum(one.proof is not None for one in result.results) == (whole.proof is not None)


@given(whims, st.lists(st.sampled_from([0.5, 1.0, 3.0]), min_size=1, max_size=4), st.integers(0, 40), st.integers(0, 9))
def test_a_shared_frontier_ends_and_adds_up_whatever_policies_and_engine_answer_or_raise(
    whim: Whimsical, temperatures: list[float], expansions: int, after: int
) -> None:
    def run(whim: Whimsical) -> EnsembleResult:
        policies = [type(whim)(whim.seed + n, raises_after=whim.raises_after) for n in range(len(temperatures))]
        mixture = Mixture(policies, temperatures)
        whole = asyncio.run(searching(KnownResults(whim), mixture, Budget(expansions), accept_all))
        assert len(whole.tree.edges) == whole.spent.expansions
        return mixture.shares(whole)

    searching = strategy(StrategyOptions(name="best-first", width=2))
    result = run(whim)
    assert result.expansions <= expansions
    survives_faults(run, whim, after, result, expansions)


async def test_each_share_has_the_use_of_its_own_model() -> None:
    policies = [Fixed([("a", -1.0), ("b", -2.0)]), Fixed([("c", -1.5)])]
    mixture = Mixture(policies, (1.0, 1.0))
    failing = [Move(tactic, -1.0, ERROR) for tactic in "abc"]
    lean = Simulation(
        {
            "root": [Move("a", -1.0, "x"), Move("b", -1.0, "y"), Move("c", -1.0, "z")],
            "x": failing,
            "y": [Move("a", -1.0, PROVED)],
            "z": failing,
        }
    )
    searching = strategy(StrategyOptions(name="best-first", width=3))
    whole = await searching(lean, mixture, Budget(50), accept_all)
    shares = mixture.shares(whole)
    assert whole.proof == ("b", "a")
    assert [one.proof for one in shares.results] == [("b", "a"), None]
    assert [one.spent.expansions for one in shares.results] == [7, 3]
    assert sum(one.spent.model_tokens for one in shares.results) == whole.spent.model_tokens
    assert sum(one.spent.flops for one in shares.results) == whole.spent.flops > 0


@pytest.mark.parametrize("temperatures", [(), (1.0,), (1.0, 0.0), (1.0, math.nan), (1.0, math.inf)])
def test_a_mixture_needs_a_temperature_above_0_for_each_policy(temperatures: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="temperatures"):
        Mixture([Fixed([]), Fixed([])], temperatures)
