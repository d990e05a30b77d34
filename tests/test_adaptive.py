"""Adaptive schedules: what is learned of recorded theorems, and how theorems spend by it."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from simulated import (
    ERROR,
    PROVED,
    Move,
    Simulation,
    World,
    accept_all,
    worlds,
)
from test_ensemble import HALVES, HOPELESS, STRATEGIES, Metered, Preferring, alone, ensemble

from prover.ensembles import Ensemble
from prover.options import EnsembleName
from prover.schedule_command import tried_in
from prover.strategies import StrategyOptions, strategy
from search.adaptive import BINS, Features, Quotas, Recorded, Schedule, _fit, _proved, features, learn
from search.budget import Budget, SearchResult
from search.ensemble import Pot, Purse, taking_turns
from search.known import KnownResults


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 99), worlds()), min_size=1, max_size=6),
    st.integers(1, 30),
    st.integers(0, 99),
)
def test_theorems_that_share_a_pot_never_spend_more_than_their_budgets_together(
    theorems: list[tuple[int, int, World]], budget: int, extra: int
) -> None:
    async def run() -> list[int]:
        pot, spent = Pot(), []
        for _, seed, world in theorems:
            _, members = ensemble(world, seed)
            purse = Purse(budget, pot)
            result = await taking_turns(members, Budget(budget + extra), HALVES.choose(), purse)
            purse.close()
            spent.append(result.expansions)
            assert sum(spent) + pot.expansions == budget * len(spent)
        return spent

    asyncio.run(run())


async def test_a_theorem_may_spend_what_those_before_it_left_over() -> None:
    greedy = Schedule(1, (0.0, 0.0, 0.0, 0.0), (), ((30, 30),))
    searching = strategy(StrategyOptions(name="best-first"))

    async def spent(world: World, pot: Pot) -> int:
        lean = Simulation(world)
        members = [partial(alone, searching, lean)] * 2
        purse = Purse(20, pot)
        result = await taking_turns(members, Budget(60), greedy.choose(), purse)
        purse.close()
        return result.expansions

    pot = Pot()
    assert await spent(HOPELESS, pot) == 20
    assert await spent({"root": [Move("finish", -1.0, PROVED)]}, pot) == 1
    assert pot.expansions == 19
    assert await spent(HOPELESS, pot) == 39
    assert pot.expansions == 0


async def test_after_the_pilot_members_spend_in_proportion_up_to_the_quotas_of_their_bin() -> None:
    # One coefficient: the share of tactics that Lean takes. Where it takes none, the chance is below the threshold.
    schedule = Schedule(2, (10.0, 0.0, 0.0, -5.0), (0.5,), ((2, 5), (12, 4)))
    easy = {"root": [Move(f"t{n}", -1.0, f"s{n}") for n in range(99)], **{f"s{n}": () for n in range(99)}}
    for world, quotas in ((HOPELESS, [2, 5]), (easy, [12, 4])):
        lean = Simulation(world)
        members = [partial(alone, strategy(StrategyOptions(name="best-first", width=99)), lean)] * 2
        result = await taking_turns(members, Budget(500), schedule.choose())
        assert [one.spent.expansions for one in result.results] == quotas
        half = await taking_turns(members, Budget(4 + (sum(quotas) - 4) // 2), schedule.choose())
        spent = [one.spent.expansions - 2 for one in half.results]
        assert spent == pytest.approx([(quota - 2) / 2 for quota in quotas], abs=1)


def recorded(count: int, seed: int, limit: int, *, told: bool) -> list[Recorded]:
    """Of theorems where the first member is quick on those of a kind, the second slow on the others; `told`: by what
    share of tactics Lean takes, one can see the kind."""
    rng, theorems = random.Random(seed), []
    for _ in range(count):
        kind = rng.random() < 0.5
        quick, slow = rng.randint(5, 12), rng.randint(60, 100)
        share = rng.gauss(0.8 if kind == told else 0.2, 0.05) if told else rng.random()
        proved_at = (float(quick), math.inf) if kind else (math.inf, float(slow) if rng.random() < 0.7 else math.inf)
        theorems.append(Recorded((share, 0.5, -1.0), tuple(p if p <= limit else math.inf for p in proved_at)))
    return theorems


def expected(schedule: Schedule, theorems: Sequence[Recorded]) -> tuple[int, float]:
    """Proved, and expansions a theorem, counted turn by turn."""
    proved, cost = 0, 0
    for one in theorems:
        quotas, spent = schedule.quota(one.features), [0] * len(one.proved_at)
        while not any(s >= p for s, p in zip(spent, one.proved_at, strict=True)):
            if any(s < schedule.pilot for s in spent):
                place = spent.index(min(spent))
            else:
                rates = {
                    n: (s + 1 - schedule.pilot) / (q - schedule.pilot)
                    for n, (s, q) in enumerate(zip(spent, quotas, strict=True))
                    if s < q
                }
                if not rates:
                    break
                place = min(rates, key=lambda n: rates[n])
            spent[place] += 1
        else:
            proved += 1
        cost += sum(spent)
    return proved, cost / len(theorems)


def test_a_learned_schedule_beats_an_equal_split_of_twice_its_budget_on_other_theorems() -> None:
    schedule = learn(recorded(300, 0, 128, told=True), budget=60, pilot=4, limit=128)
    others = recorded(300, 1, 128, told=True)
    proved, cost = expected(schedule, others)
    equal = sum(min(one.proved_at) <= 60 for one in others)  # 120 expansions, 60 for each
    assert len(schedule.quotas) > 1
    assert cost <= 60 * 1.1
    assert proved > equal


def test_where_the_pilot_tells_nothing_the_schedule_proves_no_less_than_the_best_split() -> None:
    schedule = learn(recorded(300, 0, 128, told=False), budget=60, pilot=4, limit=128)
    others = recorded(300, 1, 128, told=False)
    proved, cost = expected(schedule, others)
    assert cost <= 60 * 1.1
    assert proved >= max(
        sum(any(at <= part for at, part in zip(one.proved_at, (first, 60 - first), strict=True)) for one in others)
        for first in range(0, 61, 10)
    )


def test_a_member_that_proves_little_at_first_and_most_in_the_end_gets_the_budget() -> None:
    """Of two in three theorems the first member proves one in ten at once, the second all after 40 expansions."""
    theorems = [
        Recorded((0.5, 0.5, -1.0), (2.0 if n % 10 == 0 else math.inf, 40.0 if n % 3 else math.inf)) for n in range(120)
    ]
    schedule = learn(theorems, budget=42, pilot=2, limit=64)
    assert schedule.idle == {0}
    assert expected(schedule, theorems)[0] == 80


async def test_a_member_that_gets_nothing_does_not_ask_its_policy() -> None:
    first, second = Simulation(HOPELESS), Simulation(HOPELESS)
    searching = strategy(StrategyOptions(name="best-first"))
    ensemble = Ensemble(EnsembleName.ADAPTIVE, schedule=Schedule(0, (0.0,) * 4, (), ((0, 7),)))
    both, budget = (searching, searching), Budget(7)
    result = await ensemble.search(both, (first, second), second, budget, accept_all, Pot())
    assert (first.asked, bool(second.asked)) == ([], True)
    assert [one.spent.expansions for one in result.results] == [0, 7]


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(-9, 0)),
            st.tuples(*[st.one_of(st.just(math.inf), st.integers(1, 64).map(float))] * 2),
        ),
        min_size=1,
        max_size=12,
    ),
    st.integers(8, 100),
)
def test_a_schedule_spends_no_more_on_what_it_was_learned_from_than_the_budget(
    theorems: list[tuple[tuple[float, ...], tuple[float, ...]]], budget: int
) -> None:
    assume(any(math.isfinite(at) for _, proved_at in theorems for at in proved_at))
    given = [Recorded(*one) for one in theorems]
    schedule = learn(given, budget, pilot=4, limit=64)
    assert all(schedule.pilot <= quota <= 64 for quotas in schedule.quotas for quota in quotas)
    assert schedule.pilot == (4 if len(schedule.quotas) > 1 else 0)
    assert list(schedule.thresholds) == sorted(schedule.thresholds)
    _, cost = expected(schedule, given)
    assert cost <= budget + 2  # turns are counted as fractions in learning


@pytest.mark.parametrize(("budget", "pilot", "limit"), [(0, 4, 64), (64, 0, 64), (64, 8, 4)])
def test_what_gives_no_schedule_is_refused(budget: int, pilot: int, limit: int) -> None:
    with pytest.raises(ValueError, match="give no schedule"):
        learn(recorded(9, 0, 64, told=True), budget, pilot, limit)
    with pytest.raises(ValueError, match="0 recorded theorems"):
        learn([], 64, 4, 64)
    with pytest.raises(ValueError, match="none of the 3 theorems"):
        learn([Recorded((0.5, 0.5, -1.0), (math.inf, math.inf))] * 3, 64, 4, 64)


def test_a_budget_that_does_not_pay_for_pilots_is_spent_without_any() -> None:
    schedule = learn(recorded(300, 0, 128, told=True), budget=7, pilot=4, limit=128)
    assert schedule.pilot == 0
    assert expected(schedule, recorded(300, 0, 128, told=True))[1] <= 7


@given(st.integers(0, 99), st.integers(1, 4))
def test_no_bin_is_empty_and_a_theorem_falls_into_the_bin_that_it_was_learned_in(seed: int, kinds: int) -> None:
    """Features of few values, so that chances are equal, and lie where quantiles fall."""
    rng = random.Random(seed)
    theorems = []
    for _ in range(60):
        share = rng.randrange(kinds) / kinds
        found = rng.random() < share + 0.1
        theorems.append(Recorded((share, share, -1.0), (float(rng.randint(1, 50)) if found else math.inf,) * 2))
    for bins in BINS:
        schedule = _fit(theorems, bins, 30, 2, 64)
        places = [schedule.quotas.index(schedule.quota(one.features)) for one in theorems]
        jittered = [
            schedule.quotas.index(schedule.quota(tuple(f * (1 + 1e-15) for f in one.features))) for one in theorems
        ]
        assert places == jittered
        assert len(schedule.quotas) <= min(bins, kinds)
        assert len(set(places)) == len(set(schedule.quotas))


def test_a_schedule_is_judged_by_what_theorems_can_pay_when_their_turn_comes() -> None:
    """The second costs twice the budget: the first has to leave something over."""
    cheap, dear = Recorded((0.5, 0.5, -1.0), (1.0,)), Recorded((0.5, 0.5, -1.0), (18.0,))
    schedule = Schedule(0, (0.0,) * 4, (), ((20,),))
    assert [_proved(schedule, order, 10) for order in ([cheap, dear], [dear, cheap], [dear])] == [2, 1, 0]


def test_an_idle_member_has_no_part_of_other_limits() -> None:
    async def spent(quotas: Quotas) -> int:
        policies = [Metered(HOPELESS) for _ in quotas]
        searching = strategy(StrategyOptions(name="best-first"))
        ensemble = Ensemble(EnsembleName.ADAPTIVE, schedule=Schedule(0, (0.0,) * 4, (), (quotas,)))
        both, budget = [searching] * len(quotas), Budget(60, model_calls=3)
        return (await ensemble.search(both, policies, policies[0], budget, accept_all, Pot())).expansions

    assert asyncio.run(spent((60,))) == asyncio.run(spent((0, 0, 60))) < 60


def test_features_are_shares_and_means() -> None:
    members = [(-1.0, "x"), (-3.0, None), (-9.0, "z")], [(-2.0, "x"), (-2.0, "y"), (-9.0, "z")]
    assert features(members, 2) == (0.75, 0.5, -2.0)
    assert features([], 2) == features([[], []], 2) == (0.0, 0.0, 0.0)


@settings(max_examples=20)
@given(st.integers(0, 99), st.integers(1, 6), st.integers(1, 4))
async def test_a_theorem_looks_in_an_ensemble_as_its_members_alone_have_it_recorded(
    seed: int, pilot: int, members: int
) -> None:
    """Though of what one member tried, nothing costs another an expansion."""
    seen: list[Any] = []

    class Seeing(Schedule):
        def quota(self, seen_: Features) -> Quotas:
            seen.append(seen_)
            return super().quota(seen_)

    chance = random.Random(seed)
    names = ["root", *(f"s{n}" for n in range(60))]
    world = {
        name: [Move(f"t{n}", -1.0, chance.choice([ERROR, *names])) for n in range(chance.randint(1, 6))]
        for name in names
    }
    searches = [
        partial(_with, strategy(STRATEGIES[place % len(STRATEGIES)], place), Preferring(world, seed + place))
        for place in range(members)
    ]
    alone = [await search(Simulation(world), Budget(50)) for search in searches]
    recorded = features((tried_in(one.tree.to_dict()) for one in alone), pilot)
    shared = KnownResults(Simulation(world))
    schedule = Seeing(pilot, (0.0, 0.0, 0.0, 0.0), (), ((50,) * members,))
    result = await taking_turns([partial(search, shared) for search in searches], Budget(500), schedule.choose())
    assert seen[:1] == [recorded]
    assert members == 1 or sum(one.spent.repeats for one in result.results) > 0


async def _with(searching: Any, policy: Simulation, lean: Any, budget: Budget) -> SearchResult:
    result = await searching(lean, policy, budget, accept_all)
    assert isinstance(result, SearchResult)
    return result
