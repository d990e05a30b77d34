"""Rollouts, ensembles and shorter proofs on a simulated Lean."""

from __future__ import annotations

import math
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.budget import Budget, SearchResult, SearchStatus
from search.ensemble import equal_split
from search.policy import Suggestion
from search.rollouts import rollouts
from tests.simulated import ERROR, PROVED, Drawing, Move, World, accept_all, replay

CHAIN: World = {
    "root": [Move("go", math.log(0.5), "middle"), Move("miss", math.log(0.5), ERROR)],
    "middle": [Move("end", math.log(0.5), PROVED), Move("miss", math.log(0.5), ERROR)],
}


async def roll(simulation: Drawing, expansions: int, depth: int = 5) -> SearchResult:
    return await rollouts(simulation, simulation, Budget(expansions), depth=depth, accept=accept_all)


async def test_a_rollout_proof_leads_from_the_root_to_an_end() -> None:
    simulation = Drawing(CHAIN)
    result = await roll(simulation, 100)
    assert result.proof == ("go", "end")
    assert replay(CHAIN, result.proof)[1]


async def test_repeated_draws_cost_expansions_and_no_work_of_lean() -> None:
    world: World = {"root": [Move("miss", math.log(0.5), ERROR), Move("other", math.log(0.5), ERROR)]}
    simulation = Drawing(world)
    result = await roll(simulation, 50)
    assert (result.status, result.spent.expansions) == (SearchStatus.BUDGET, 50)
    assert sorted(simulation.ran) == [("root", "miss"), ("root", "other")]


async def test_rollouts_prove_as_often_as_their_probabilities_say() -> None:
    """A rollout succeeds with 1/4 and takes 1 + 1/2 draws; four draws hold one success with 1 - P(none)."""
    trials = 2000
    proved = [(await roll(Drawing(CHAIN, rng=random.Random(seed)), 4)).proof is not None for seed in range(trials)]
    none = _chance_of_none(4)
    assert abs(sum(proved) / trials - (1 - none)) < 4 * math.sqrt(none * (1 - none) / trials)


def _chance_of_none(draws: int) -> float:
    if draws <= 0:
        return 1.0
    after_hit = 1.0 if draws == 1 else 0.5 * _chance_of_none(draws - 2)
    return 0.5 * _chance_of_none(draws - 1) + 0.5 * after_hit


async def test_no_rollout_is_deeper_than_asked() -> None:
    world: World = {"root": [Move("again", 0.0, "a")], "a": [Move("again", 0.0, "b")], "b": [Move("end", 0.0, PROVED)]}
    assert (await roll(Drawing(world), 30, depth=2)).proof is None
    assert (await roll(Drawing(world), 30, depth=3)).proof == ("again", "again", "end")


async def test_a_policy_that_gives_nothing_ends_the_rollouts() -> None:
    simulation = Drawing(CHAIN)

    async def nothing(state: str, n: int) -> Sequence[Suggestion]:
        return []

    simulation.sample = nothing  # type: ignore[method-assign]
    assert (await roll(simulation, 10)).status is SearchStatus.EXHAUSTED


def member(world: World, seed: int, spent: list[int]) -> Callable[[Budget], Awaitable[SearchResult]]:
    async def search(budget: Budget) -> SearchResult:
        result = await roll(Drawing(world, rng=random.Random(seed)), budget.expansions)
        spent.append(result.spent.expansions)
        return result

    return search


HOPELESS: World = {"root": [Move("miss", 0.0, ERROR)]}


@given(st.integers(0, 60), st.integers(1, 7))
async def test_members_share_the_budget_equally_and_spend_all_of_it(expansions: int, members: int) -> None:
    spent: list[int] = []
    result = await equal_split([member(HOPELESS, n, spent) for n in range(members)], Budget(expansions))
    assert sum(spent) == result.expansions == expansions
    assert max(spent) - min(spent) <= 1
    assert result.status is SearchStatus.BUDGET


async def test_an_ensemble_ends_with_the_first_proof() -> None:
    spent: list[int] = []
    easy: World = {"root": [Move("end", 0.0, PROVED)]}
    result = await equal_split([member(w, 0, spent) for w in (HOPELESS, easy, HOPELESS)], Budget(30))
    assert result.last.proof == ("end",)
    assert spent == [10, 1]


@given(wall_s=st.floats(0, 100), shares=st.lists(st.floats(0, 1.5), min_size=1, max_size=6))
async def test_members_share_the_time_that_is_left_equally(wall_s: float, shares: list[float]) -> None:
    """A member may run a request over its time, or end early: those after it have less, or more."""
    given_s: list[float] = []
    spent_s: list[float] = []

    def slow(share: float) -> Callable[[Budget], Awaitable[SearchResult]]:
        async def search(budget: Budget) -> SearchResult:
            assert budget.wall_s is not None
            result = await member(HOPELESS, 0, [])(Budget(0))
            given_s.append(budget.wall_s)
            spent_s.append(budget.wall_s * share)
            return replace(result, spent=replace(result.spent, wall_s=spent_s[-1]))

        return search

    await equal_split([slow(share) for share in shares], Budget(10, wall_s))
    for place, mine_s in enumerate(given_s):
        left_s = max(0.0, wall_s - sum(spent_s[:place]))
        assert mine_s == pytest.approx(left_s / (len(shares) - place), abs=1e-9)


async def test_an_ensemble_needs_members() -> None:
    with pytest.raises(ValueError):
        await equal_split([], Budget(1))
