from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated import ERROR, PROVED, Move, Simulation, World, accept_all, likeliest_proof, reachable, replay, worlds

from lean_env.engine import FailureKind, ProofState, Proved, TacticResult
from search.best_first import best_first
from search.budget import Budget, SearchResult, SearchStatus
from search.expansion import REFUSED
from search.shape import measure
from search.tree import MEAN, SUM, Priority

UNLIMITED = 10_000
LENGTH_NORMALISED = Priority(0.5)


def search(simulation: Simulation, expansions: int = UNLIMITED, **options: Any) -> SearchResult:
    options = {"priority": SUM, "width": 1, "accept": accept_all} | options
    return asyncio.run(best_first(simulation, simulation, Budget(expansions), **options))


priorities = st.sampled_from([SUM, MEAN, LENGTH_NORMALISED])
widths = st.integers(1, 5)


# ---- what is found


@given(worlds(), priorities, widths)
def test_a_proof_is_found_exactly_when_one_can_be_reached(world: World, priority: Priority, width: int) -> None:
    result = search(Simulation(world), priority=priority, width=width)
    assert (result.proof is not None) == (likeliest_proof(world) is not None)
    assert result.status is (SearchStatus.EXHAUSTED if result.proof is None else SearchStatus.PROVED)


@given(worlds(), priorities, widths)
def test_a_proof_replays_and_passes_no_state_twice(world: World, priority: Priority, width: int) -> None:
    result = search(Simulation(world), priority=priority, width=width)
    if result.proof is not None:
        states, proved = replay(world, result.proof)
        assert proved
        assert len(set(states)) == len(states)


@given(worlds(), priorities, widths)
def test_without_a_proof_every_tactic_of_every_reachable_state_is_tried_once(
    world: World, priority: Priority, width: int
) -> None:
    simulation = Simulation({text: [m for m in moves if m.outcome != PROVED] for text, moves in world.items()})
    result = search(simulation, priority=priority, width=width)
    everything = [(text, move.tactic) for text in reachable(simulation.world) for move in simulation.world[text]]
    assert sorted(simulation.ran) == sorted(everything)
    assert result.spent.expansions == len(everything)


@given(worlds(), widths)
def test_for_sums_no_proof_is_likelier_than_the_rank_of_the_pop_that_found_one(world: World, width: int) -> None:
    result = search(Simulation(world), priority=SUM, width=width)
    if result.proof is not None:
        state = result.tree.edges[-1].source
        first = (len(state.edges) - 1) // width * width  # the pop began with this tactic of the state
        rank = state.path.sum_log_prob + (state.edges[first - 1].log_prob if first else 0)
        best = likeliest_proof(world)
        assert best is not None
        assert best <= rank + 1e-9


@given(worlds())
def test_for_sums_and_width_1_states_are_popped_in_the_order_of_falling_rank(world: World) -> None:
    result = search(Simulation(world), priority=SUM, width=1)
    tried: dict[str, float] = {}
    ranks = []
    for edge in result.tree.edges:
        ranks.append(edge.source.path.sum_log_prob + tried.get(edge.source.text, 0.0))
        tried[edge.source.text] = edge.log_prob
    assert all(later <= earlier + 1e-9 for earlier, later in pairwise(ranks))


# ---- the order of the search


def test_the_mean_prefers_a_long_likely_path_where_the_sum_prefers_a_short_one() -> None:
    world = {
        "root": [Move("short", -1.5, "x"), Move("long", -1.0, "a")],
        "a": [Move("on", -1.0, "b")],
        "b": [Move("finish", -1.0, PROVED)],
        "x": [Move("finish", -1.4, PROVED)],
    }
    assert search(Simulation(world), width=2, priority=SUM).proof == ("short", "finish")
    assert search(Simulation(world), width=2, priority=MEAN).proof == ("long", "on", "finish")


def test_a_popped_state_tries_width_tactics_and_comes_back_for_the_next_behind_its_children() -> None:
    world = {
        "root": [Move("a", -1, "x"), Move("b", -2, "y"), Move("c", -3, "z"), Move("d", -4, "w")],
        **{name: [Move(f"fail {name}", -0.5, ERROR)] for name in "xyzw"},
    }
    simulation = Simulation(world)
    search(simulation, width=2)
    assert [tactic for _, tactic in simulation.ran] == ["a", "b", "fail x", "fail y", "c", "d", "fail z", "fail w"]
    assert [n for state, n in simulation.asked if state == "root"] == [2, 4, 6]


def test_a_states_untried_tactics_give_way_to_likelier_states_elsewhere() -> None:
    world = {
        "root": [Move("a", -0.1, "x"), Move("b", -5, PROVED)],
        "x": [Move("c", -1, "y"), Move("d", -1, ERROR)],
        "y": [Move("e", -1, ERROR)],
    }
    simulation = Simulation(world)
    assert search(simulation, width=1).proof == ("b",)
    assert [tactic for _, tactic in simulation.ran] == ["a", "c", "b"]


def test_a_better_path_reprioritises_a_merged_state() -> None:
    # x is first met at -6, behind z at -4; over y it is at -2 and has to be popped before z.
    world = {
        "root": [Move("to y", -1, "y"), Move("to z", -4, "z"), Move("to x", -6, "x")],
        "y": [Move("over y", -1, "x")],
        "z": [Move("dead end", -0.1, ERROR)],
        "x": [Move("finish", -0.1, PROVED)],
    }
    simulation = Simulation(world)
    result = search(simulation, width=3)
    assert result.proof == ("to y", "over y", "finish")
    assert ("z", "dead end") not in simulation.ran


def test_a_better_path_reprioritises_the_descendants_of_a_merged_state() -> None:
    # By the mean: c is met at -5, behind z at -3; the way over y lifts x from -1 to -2/3 and with it c to -11/4.
    world = {
        "root": [Move("to x", -1, "x"), Move("to y", -2, "y"), Move("to z", -3, "z")],
        "x": [Move("deeper", -9, "c")],
        "y": [Move("on", 0, "w")],
        "w": [Move("over", 0, "x")],
        "z": [Move("dead end", -0.1, ERROR)],
        "c": [Move("finish", -0.1, PROVED)],
    }
    simulation = Simulation(world)
    result = search(simulation, width=3, priority=MEAN)
    assert result.proof == ("to y", "on", "over", "deeper", "finish")
    assert simulation.ran.index(("x", "deeper")) < simulation.ran.index(("w", "over"))
    assert ("z", "dead end") not in simulation.ran


def test_a_state_that_was_lifted_and_tried_is_not_popped_again_at_its_old_rank() -> None:
    # x is met at -6, lifted to -2 and tried; what is left of it ranks at -22, behind z at -10.
    world = {
        "root": [Move("to y", -1, "y"), Move("to x", -6, "x"), Move("to z", -10, "z")],
        "y": [Move("over y", -1, "x")],
        "x": [Move(f"t{index}", -20, ERROR) for index in range(4)],
        "z": [Move("finish", -1, PROVED)],
    }
    simulation = Simulation(world)
    search(simulation, width=3)
    assert [tactic for _, tactic in simulation.ran] == ["to y", "to x", "to z", "over y", "t0", "t1", "t2", "finish"]


def test_by_the_mean_untried_tactics_rank_as_the_child_they_could_give() -> None:
    # After its first two tactics the next of x can give (-4 - 4) / 2 = -4, better than z at -6.
    world = {
        "root": [Move("to x", -4, "x"), Move("to z", -6, "z")],
        "x": [Move("first", -4, ERROR), Move("second", -4, ERROR), Move("third", -4.5, PROVED)],
        "z": [Move("finish", -1, PROVED)],
    }
    assert search(Simulation(world), width=2, priority=MEAN).proof == ("to x", "third")


def test_ties_go_to_the_state_that_has_waited_longest() -> None:
    names = [f"s{index}" for index in range(6)]
    world = {"root": [Move(name, -1, name) for name in names], **{name: [Move("no", -1, ERROR)] for name in names}}
    simulation = Simulation(world)
    search(simulation, width=6)
    assert [state for state, _ in simulation.ran[6:]] == names


@given(worlds(), priorities, widths)
def test_equal_searches_are_equal(world: World, priority: Priority, width: int) -> None:
    one, other = Simulation(world), Simulation(world)
    results = [search(simulation, priority=priority, width=width) for simulation in (one, other)]
    assert one.ran == other.ran
    assert results[0].proof == results[1].proof


# ---- the budget


@given(worlds(), priorities, widths, st.integers(0, 30))
def test_the_budget_is_never_exceeded_and_is_used_up_before_a_search_ends_for_it(
    world: World, priority: Priority, width: int, expansions: int
) -> None:
    simulation = Simulation(world)
    result = search(simulation, expansions, priority=priority, width=width)
    assert result.spent.expansions == len(simulation.ran) == len(result.tree.edges) <= expansions
    assert result.spent.policy_calls == len(simulation.asked)
    if result.status is SearchStatus.BUDGET:
        assert len(simulation.ran) == expansions


@given(worlds(), priorities, widths, st.integers(0, 15))
def test_a_larger_budget_begins_with_the_same_expansions(
    world: World, priority: Priority, width: int, expansions: int
) -> None:
    small, large = Simulation(world), Simulation(world)
    search(small, expansions, priority=priority, width=width)
    search(large, UNLIMITED, priority=priority, width=width)
    assert large.ran[: len(small.ran)] == small.ran


def test_failed_and_merged_expansions_count() -> None:
    world = {"root": [Move("fail", -1, ERROR), Move("same", -2, "root"), Move("finish", -3, PROVED)]}
    assert search(Simulation(world), 2, width=4).status is SearchStatus.BUDGET
    assert search(Simulation(world), 3, width=4).proof == ("finish",)


def test_a_budget_of_nothing_asks_nothing() -> None:
    simulation = Simulation({"root": [Move("finish", -1, PROVED)]})
    assert search(simulation, 0).status is SearchStatus.BUDGET
    assert (simulation.ran, simulation.asked) == ([], [])


class SlowSimulation(Simulation):
    clock_s = 0.0

    async def run(self, state: ProofState, tactic: str) -> TacticResult:
        self.clock_s += 0.25
        return await super().run(state, tactic)


async def test_the_wall_limit_ends_a_search_within_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    simulation = SlowSimulation({"root": [Move(f"t{index}", -1, ERROR) for index in range(1000)]})
    monkeypatch.setattr("search.budget.time.perf_counter", lambda: simulation.clock_s)
    budget = Budget(UNLIMITED, wall_s=0.9)
    result = await best_first(simulation, simulation, budget, priority=SUM, width=1000, accept=accept_all)
    assert result.status is SearchStatus.WALL
    assert len(simulation.ran) == 4
    assert list(result.tree.lean_s) == [0.25] * 4
    assert (result.spent.lean_s, result.spent.wall_s) == (1.0, 1.0)


@pytest.mark.parametrize("limits", [(-1, None), (1, -1.0)])
def test_a_negative_budget_is_refused(limits: tuple[int, float | None]) -> None:
    with pytest.raises(ValueError, match="cannot be negative"):
        Budget(*limits)


def test_a_width_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="width must be at least 1"):
        search(Simulation({"root": []}), width=0)


# ---- verification


def refusing(refused: set[tuple[str, ...]], seen: list[tuple[str, ...]]) -> Any:
    async def accept(proof: tuple[str, ...]) -> bool:
        seen.append(proof)
        return proof not in refused

    return accept


def test_the_search_goes_on_after_a_proof_that_verification_refuses() -> None:
    world = {
        "root": [Move("cheat", -1, PROVED), Move("work", -2, "x")],
        "x": [Move("finish", -1, PROVED)],
    }
    seen: list[tuple[str, ...]] = []
    result = search(Simulation(world), width=4, accept=refusing({("cheat",)}, seen))
    assert result.proof == ("work", "finish")
    assert seen == [("cheat",), ("work", "finish")]
    assert result.tree.edges[0].outcome is REFUSED
    assert measure(result.tree).failures[FailureKind.REFUSED] == 1


def test_refused_proofs_count_and_leave_no_claim_in_the_tree() -> None:
    world = {"root": [Move(f"cheat {index}", -1, PROVED) for index in range(5)]}
    refused = {(f"cheat {index}",) for index in range(5)}
    result = search(Simulation(world), 3, width=2, accept=refusing(refused, []))
    assert (result.status, result.proof, result.spent.expansions) == (SearchStatus.BUDGET, None, 3)
    assert not any(isinstance(edge.outcome, Proved) for edge in result.tree.edges)


# ---- policies and cancellation


class RepeatingSimulation(Simulation):
    """Gives every tactic twice, and more than it was asked for."""

    async def suggest(self, state: str, n: int) -> Sequence[Any]:
        once = await super().suggest(state, n)
        return [suggestion for suggestion in once for _ in range(2)]


@given(worlds(), widths)
def test_no_tactic_is_run_twice_on_a_state_whatever_the_policy_repeats(world: World, width: int) -> None:
    simulation = RepeatingSimulation(world)
    search(simulation, width=width)
    assert len(set(simulation.ran)) == len(simulation.ran)


async def test_cancellation_reaches_the_caller_and_the_request_in_flight() -> None:
    class Stuck(Simulation):
        cancelled = False

        async def run(self, state: ProofState, tactic: str) -> TacticResult:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.cancelled = True
                raise
            return ERROR

    simulation = Stuck({"root": [Move("t", -1, ERROR)]})
    options: Any = {"priority": SUM, "width": 1, "accept": accept_all}
    task = asyncio.create_task(best_first(simulation, simulation, Budget(9), **options))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert simulation.cancelled
