"""What every scheduler promises: it stops at the first proof, spends no more than the budget, and is repeatable."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated import (
    ERROR,
    PROVED,
    Drawing,
    Move,
    Simulation,
    Whimsical,
    World,
    accept_all,
    replay,
    whims,
    worlds,
)

from lean_env.engine import EngineError, Failed, FailureKind, ProofState, TacticResult
from prover.records import ModelUse
from prover.strategies import StrategyOptions, strategy
from search.adaptive import Schedule
from search.budget import Budget, SearchResult, SearchStatus
from search.ensemble import EnsembleResult, Search, equal_split, in_turn, taking_turns
from search.known import KnownResults, known_verdicts
from search.policy import Suggestion

STRATEGIES = [
    StrategyOptions(name="best-first", width=2),
    StrategyOptions(name="rollouts", depth=4),
    StrategyOptions(name="value-depth-first", depth=4),
    StrategyOptions(name="mcts", depth=4),
    StrategyOptions(name="shaped", shape=(3, 2, 1)),
]
HALVES = Schedule(2, (0.0, 0.0, 0.0, 0.0), (), ((4, 6, 8, 5, 3),))
SCHEDULERS: dict[str, Callable[[Sequence[Search], Budget], Any]] = {
    "equal": equal_split,
    "round-robin": taking_turns,
    "adaptive": lambda members, budget: taking_turns(members, budget, HALVES.choose()),
}
schedulers = pytest.mark.parametrize("scheduler", SCHEDULERS.values(), ids=SCHEDULERS)
HOPELESS: World = {"root": [Move(f"no {n}", -1.0, ERROR) for n in range(200)]}


@dataclass
class Late(Drawing):
    """Policy and Lean that take their time, each request another one; counts how many requests Lean has at once."""

    delays: random.Random = field(default_factory=lambda: random.Random(0))
    at_once: int = 0
    policies: list[int] = field(default_factory=lambda: [0, 0])  # waiting now, and at most

    async def _pause(self) -> None:
        for _ in range(self.delays.randrange(4)):
            await asyncio.sleep(0)

    async def run(self, state: ProofState, tactic: str) -> TacticResult:
        self.at_once += 1
        assert self.at_once == 1
        await self._pause()
        self.at_once -= 1
        return await super().run(state, tactic)

    async def suggest(self, state: str, n: int) -> Sequence[Suggestion]:
        self.policies = [self.policies[0] + 1, max(self.policies[1], self.policies[0] + 1)]
        await self._pause()
        self.policies[0] -= 1
        return await super().suggest(state, n)


class Preferring(Simulation):
    """A policy that has its own order of the same tactics."""

    def __init__(self, world: World, seed: int) -> None:
        rng = random.Random(seed)
        shuffled = {
            text: [Move(m.tactic, p, m.outcome) for m, p in zip(rng.sample(moves, len(moves)), log_probs, strict=True)]
            for text, moves in world.items()
            for log_probs in [[-rng.random() * 5 for _ in moves]]
        }
        super().__init__(shuffled)


def ensemble(world: World, seed: int, delays: int = 0, members: int = 5) -> tuple[Late, list[Search]]:
    """Members of different strategies and policies over one session that knows what was tried."""
    lean = Late(world, delays=random.Random(delays))
    session = KnownResults(lean)

    def member(place: int) -> Search:
        policy = Preferring(world, seed + place)
        options = STRATEGIES[place % len(STRATEGIES)]
        return lambda budget: strategy(options, place)(session, policy, budget, accept_all)

    return lean, [member(place) for place in range(members)]


async def alone(searching: Any, lean: Simulation, budget: Budget) -> SearchResult:
    """A member whose policy and Lean are the one simulation."""
    result = await searching(lean, lean, budget, accept_all)
    assert isinstance(result, SearchResult)
    return result


def told(result: EnsembleResult) -> list[tuple[Any, ...]]:
    return [
        (one.status, one.proof, one.spent.expansions, one.spent.redraws, one.spent.repeats) for one in result.results
    ]


def survives_faults(
    run: Callable[[Whimsical], EnsembleResult], whim: Whimsical, after: int, result: EnsembleResult, expansions: int
) -> None:
    """With an engine that dies, or a policy that raises, `after` so many answers: the same `result`, or the error."""
    for fault, error in (("dies_after", EngineError), ("raises_after", RuntimeError)):
        faulty = type(whim)(whim.seed, **{fault: after})
        try:
            assert told(run(faulty)) == told(result)
        except error:
            assert len(faulty.ran) <= expansions


@schedulers
@given(world=worlds(), seed=st.integers(0, 99), expansions=st.integers(0, 40), members=st.integers(1, 5))
def test_no_scheduler_spends_more_than_the_budget_or_asks_lean_twice_and_all_stop_at_the_first_proof(
    scheduler: Callable[..., Any], world: World, seed: int, expansions: int, members: int
) -> None:
    lean, searches = ensemble(world, seed, members=members)
    result = asyncio.run(scheduler(searches, Budget(expansions)))
    spent = [one.spent for one in result.results]
    assert sum(each.expansions for each in spent) == result.expansions <= expansions
    assert len(lean.ran) == len(set(lean.ran)) == sum(each.expansions - each.redraws for each in spent)
    assert sum(one.proof is not None for one in result.results) == (result.status is SearchStatus.PROVED)
    ends = [move.outcome for text, tactic in lean.ran for move in world[text] if move.tactic == tactic]
    if result.status is SearchStatus.PROVED:
        assert replay(world, result.last.proof)[1]
        assert ends.count(PROVED) == 1
        assert ends[-1] == PROVED
    else:
        assert PROVED not in ends
        assert {one.status for one in result.results} <= {SearchStatus.BUDGET, SearchStatus.EXHAUSTED}


@pytest.mark.parametrize("scheduler", [equal_split, taking_turns])
@given(world=worlds(), seed=st.integers(0, 99), expansions=st.integers(0, 40))
def test_expansions_are_left_over_only_when_no_member_has_anything_left_to_try(
    scheduler: Callable[..., Any], world: World, seed: int, expansions: int
) -> None:
    _, searches = ensemble(world, seed)
    result = asyncio.run(scheduler(searches, Budget(expansions)))
    if result.status is not SearchStatus.PROVED and result.expansions < expansions:
        last = result.results if scheduler is taking_turns else result.results[-1:]
        assert {one.status for one in last} == {SearchStatus.EXHAUSTED}


@schedulers
@given(world=worlds(), seed=st.integers(0, 99), expansions=st.integers(0, 40))
def test_what_members_do_does_not_depend_on_who_is_quicker(
    scheduler: Callable[..., Any], world: World, seed: int, expansions: int
) -> None:
    runs = [ensemble(world, seed, delays) for delays in range(3)]
    first, *others = [asyncio.run(scheduler(searches, Budget(expansions))) for _, searches in runs]
    assert all(told(other) == told(first) for other in others)
    assert all(lean.ran == runs[0][0].ran for lean, _ in runs)


@pytest.mark.parametrize(
    ("kind", "asked"),
    [(FailureKind.TIMEOUT, 1), (FailureKind.ERROR, 1), (FailureKind.MEMORY, 3), (FailureKind.CRASH, 3)],
)
async def test_a_tactic_that_hangs_costs_its_time_once_and_what_may_pass_is_tried_again(
    kind: FailureKind, asked: int
) -> None:
    lean = Simulation({"root": [Move("hang", -1.0, Failed(kind, "10 s ran out"))]})
    session, searching = KnownResults(lean), strategy(StrategyOptions(name="best-first"))
    members = [lambda budget: searching(session, lean, budget, accept_all)] * 3
    result = await equal_split(members, Budget(30))
    assert len(lean.ran) == result.expansions == asked
    assert sum(one.spent.repeats for one in result.results) == 3 - asked


async def test_a_verdict_is_asked_for_once_however_many_come_to_the_proof() -> None:
    asked: list[tuple[str, ...]] = []

    async def accept(proof: tuple[str, ...]) -> bool:
        asked.append(proof)
        await asyncio.sleep(0)
        return proof == ("work",)

    known = known_verdicts(accept)
    verdicts = await asyncio.gather(*(known((tactic,)) for tactic in ("cheat", "work", "cheat", "work")))
    assert verdicts == [False, True, False, True]
    assert asked == [("cheat",), ("work",)]


async def test_in_round_robin_no_member_is_more_than_one_expansion_ahead() -> None:
    for expansions in range(1, 30):
        lean = Simulation(HOPELESS)
        members = [partial(alone, strategy(StrategyOptions(name="best-first")), lean)] * 3
        counts = [one.spent.expansions for one in (await taking_turns(members, Budget(expansions))).results]
        assert max(counts) - min(counts) <= 1
        assert sum(counts) == expansions


async def test_members_that_take_turns_ask_their_policies_at_the_same_time() -> None:
    lean = Late({"root": [Move(f"no {n}", -1.0, ERROR) for n in range(50)]}, delays=random.Random(3))
    searching = strategy(StrategyOptions(name="best-first", width=1))
    members = [lambda budget: searching(KnownResults(lean), lean, budget, accept_all)] * 4
    await taking_turns(members, Budget(40))
    assert lean.policies == [0, 4]


@pytest.mark.parametrize("scheduler", [taking_turns, equal_split])
async def test_what_a_member_raises_is_let_through_and_no_search_goes_on(scheduler: Callable[..., Any]) -> None:
    lean, searches = ensemble(HOPELESS, 0)
    before = asyncio.all_tasks()  # a pool that other tests share may be at work

    async def dies(budget: Budget) -> SearchResult:
        if budget.turns:
            await budget.turns.wait()
        raise EngineError("Lean is gone: start it again")

    with pytest.raises(EngineError, match="Lean is gone"):
        await scheduler([dies, *searches], Budget(50))
    ran = len(lean.ran)
    await asyncio.sleep(0.01)
    assert len(lean.ran) == ran <= 1
    assert asyncio.all_tasks() <= before


@schedulers
@given(whim=whims, expansions=st.integers(0, 40), members=st.integers(1, 5), after=st.integers(0, 30))
def test_budgets_add_up_and_the_search_ends_whatever_policies_and_engine_answer_or_raise(
    scheduler: Callable[..., Any], whim: Whimsical, expansions: int, members: int, after: int
) -> None:
    def run(whim: Whimsical) -> EnsembleResult:
        session = KnownResults(whim)

        def member(place: int) -> Search:
            searching = strategy(STRATEGIES[place % len(STRATEGIES)], place)
            return lambda budget: searching(session, whim, budget, accept_all)

        result = asyncio.run(scheduler([member(place) for place in range(members)], Budget(expansions)))
        assert isinstance(result, EnsembleResult)
        return result

    result = run(whim)
    spent = [one.spent for one in result.results]
    assert sum(each.expansions for each in spent) == result.expansions <= expansions
    for one in result.results:
        assert len(one.tree.edges) == one.spent.expansions - one.spent.redraws + one.spent.repeats
    survives_faults(run, whim, after, result, expansions)


async def test_without_members_there_is_no_ensemble() -> None:
    for scheduler in (equal_split, taking_turns):
        with pytest.raises(ValueError, match="at least one member"):
            await scheduler([], Budget(1))


@dataclass
class Metered(Simulation):
    use: ModelUse = field(default_factory=ModelUse)

    async def suggest(self, state: str, n: int) -> Sequence[Suggestion]:
        self.use = ModelUse(1000, self.use.calls + 1, self.use.prompt_tokens + 10, self.use.generated_tokens + n)
        return await super().suggest(state, n)


@pytest.mark.parametrize("scheduler", [equal_split, taking_turns])
@given(tokens=st.integers(0, 900))
def test_tokens_are_shared_as_well_and_exceeded_by_one_request_of_each_member_at_most(
    scheduler: Callable[..., Any], tokens: int
) -> None:
    policies = [Metered(HOPELESS) for _ in range(3)]
    searching = strategy(StrategyOptions(name="best-first", width=1))
    members = [
        lambda budget, policy=policy: searching(policy, policy, budget, accept_all)  # type: ignore[misc]
        for policy in policies
    ]
    result = asyncio.run(scheduler(members, Budget(90, model_tokens=tokens)))
    spent = sum(policy.use.tokens for policy in policies)
    assert spent == sum(one.spent.model_tokens for one in result.results)
    assert spent <= tokens + 3 * (10 + 90)


def test_in_turn_prefers_the_first_of_those_who_spent_least() -> None:
    @dataclass
    class Fake:
        going: bool
        expansions: int

    lanes: list[Any] = [Fake(False, 0), Fake(True, 2), Fake(True, 1), Fake(True, 1)]
    assert in_turn(lanes) is lanes[2]
