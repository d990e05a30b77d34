"""Independent goals are proved apart, over a Lean whose goals are numbers that tactics count down."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from simulated import accept_all

from lean_env.embedded.engine import EmbeddedEngine
from lean_env.engine import Failed, FailureKind, ProofState, Proved, Session, TacticResult, Theorem
from prover.strategies import StrategyOptions, label, strategy
from search.and_or import apart
from search.budget import Budget, SearchResult, SearchStatus
from search.ensemble import taking_turns
from search.expansion import Accept
from search.known import KnownResults
from search.policy import Suggestion

NO = Failed(FailureKind.ERROR, "no")
EVERY = [
    StrategyOptions(name="best-first", width=2),
    StrategyOptions(name="value-depth-first", depth=12),
    StrategyOptions(name="mcts", depth=12),
    StrategyOptions(name="beam", depth=12),
    StrategyOptions(name="shaped", width=5, depth=8),
]


@dataclass
class Numbers:
    """Goals are numbers. "n" takes n from the first goal, "split" halves it into two goals, "all n" works on all.

    `tells`: whether the session says that goals are independent.
    """

    start: int
    tells: bool = True
    ran: list[tuple[str, str]] = field(default_factory=list)

    @property
    def root(self) -> ProofState:
        return self._state([self.start])

    def _state(self, goals: Sequence[int]) -> ProofState:
        return ProofState(0, tuple(f"⊢ {goal}" for goal in goals), self.tells)

    async def run(self, state: ProofState, tactic: str) -> TacticResult:
        self.ran.append((state.text, tactic))
        first, *others = (int(goal.removeprefix("⊢ ")) for goal in state.goals)
        match tactic.split():
            case ["split"] if first > 3:
                goals = [first // 2, first - first // 2, *others]
            case ["all", n]:
                goals = [goal - int(n) for goal in (first, *others)]
            case [n] if n.isdigit():
                goals = [first - int(n), *others]
            case _:
                return NO
        if any(goal < 0 for goal in goals):
            return NO
        left = [goal for goal in goals if goal]
        return self._state(left) if left else Proved()

    async def close(self) -> None:
        pass


@dataclass
class Preferring:
    """Offers the tactics in an order of its own for each state; remembers the states that it was asked about."""

    seed: int
    tactics: Sequence[str] = ("split", "1", "3", "all 1", "what")
    asked: list[str] = field(default_factory=list)

    async def suggest(self, state: str, n: int) -> Sequence[Suggestion]:
        self.asked.append(state)
        order = random.Random(f"{self.seed} {state}").sample(self.tactics, len(self.tactics))
        return [Suggestion(tactic, -0.5 - place) for place, tactic in enumerate(order[:n])]


def prove(
    lean: Numbers, policy: Preferring, expansions: int, options: StrategyOptions = EVERY[0], accept: Accept = accept_all
) -> SearchResult:
    searching = strategy(options)

    async def search(session: Session, budget: Budget, accept: Accept) -> SearchResult:
        return await searching(session, policy, budget, accept)

    return asyncio.run(apart(search, KnownResults(lean), Budget(expansions), accept))


async def holds(start: int, proof: Sequence[str]) -> bool:
    """Verification: whether the tactics, one after the other and each on the first goal, prove the whole."""
    lean = Numbers(start)
    state: TacticResult = lean.root
    for tactic in proof:
        if not isinstance(state, ProofState):
            return False
        state = await lean.run(state, tactic)
    return isinstance(state, Proved)


def replays(start: int, proof: Sequence[str]) -> bool:
    return asyncio.run(holds(start, proof))


@pytest.mark.parametrize("options", EVERY, ids=label)
@given(start=st.integers(1, 20), seed=st.integers(0, 99), expansions=st.integers(0, 80), tells=st.booleans())
def test_proofs_are_of_the_whole_and_all_searches_together_keep_to_the_budget(
    options: StrategyOptions, start: int, seed: int, expansions: int, tells: bool
) -> None:
    lean = Numbers(start, tells)

    async def verified(proof: tuple[str, ...]) -> bool:
        return await holds(start, proof)

    result = prove(lean, Preferring(seed), expansions, options, verified)
    assert result.spent.expansions - result.spent.redraws == len(lean.ran) <= expansions
    assert result.spent.lean_s >= 0
    assert (result.proof is not None) == (result.status is SearchStatus.PROVED)
    if result.proof is not None:
        assert replays(start, result.proof)


@pytest.mark.parametrize("options", EVERY, ids=label)
@given(start=st.integers(1, 20), seed=st.integers(0, 99), budget=st.integers(1, 80))
@example(start=4, seed=55, budget=20)  # a known tactic whose goals use up the budget
def test_the_largest_budget_tells_what_a_smaller_one_proves(
    options: StrategyOptions, start: int, seed: int, budget: int
) -> None:
    large, small = (prove(Numbers(start), Preferring(seed), limit, options) for limit in (80, budget))
    within = large.proof is not None and large.spent.expansions <= budget
    assert (small.proof is not None) == within
    assert small.spent.expansions == min(large.spent.expansions, budget)


async def test_a_limit_that_one_search_would_not_see_the_others_spend_is_refused() -> None:
    async def search(*_: Any) -> SearchResult:
        raise AssertionError

    with pytest.raises(ValueError, match="within limits of lean_s, model_calls"):
        await apart(search, Numbers(3), Budget(5, model_calls=3, lean_s=1.0), accept_all)


def test_wall_time_is_that_of_all_searches_together() -> None:
    class Slow(Numbers):
        async def run(self, state: ProofState, tactic: str) -> TacticResult:
            await asyncio.sleep(0.01)
            return await super().run(state, tactic)

    searching = strategy(EVERY[0])

    async def search(session: Session, budget: Budget, accept: Accept) -> SearchResult:
        return await searching(session, Preferring(0), budget, accept)

    lean = Slow(10**6)
    result = asyncio.run(apart(search, lean, Budget(10**6, wall_s=0.2), accept_all))
    assert result.status is SearchStatus.WALL
    assert len(lean.ran) <= 21  # one request may begin before the end and end after it


def test_goals_that_are_independent_are_shown_to_the_policy_one_by_one() -> None:
    told, untold = Preferring(0, ("split", "2")), Preferring(0, ("split", "2"))
    assert prove(Numbers(8), told, 50).proof is not None
    assert prove(Numbers(8, tells=False), untold, 50).proof is not None
    assert all(state.count("⊢") == 1 for state in told.asked)
    assert any(state.count("⊢") > 1 for state in untold.asked)


def test_where_the_engine_cannot_tell_the_search_is_the_strategys_own() -> None:
    for seed in range(20):
        alone, policy = Numbers(11, tells=False), Preferring(seed)
        searching = strategy(EVERY[0])
        plain = asyncio.run(searching(KnownResults(alone), policy, Budget(60), accept_all))
        lean = Numbers(11, tells=False)
        result = prove(lean, Preferring(seed), 60)
        assert lean.ran == alone.ran
        assert (result.status, result.proof, result.spent.expansions) == (
            plain.status,
            plain.proof,
            plain.spent.expansions,
        )


def test_goals_that_are_not_proved_apart_are_one_state_and_the_search_goes_on() -> None:
    """Where there are two goals, only "all 2" does anything."""

    @dataclass
    class Together(Numbers):
        async def run(self, state: ProofState, tactic: str) -> TacticResult:
            if len(state.goals) > 1 and tactic.isdigit():
                return NO
            return await super().run(state, tactic)

    result = prove(Together(4), Preferring(0, ("split", "all 2")), 40)
    assert result.proof is not None
    assert replays(4, result.proof)


def test_a_proof_that_verification_refuses_is_not_taken() -> None:
    refused = []

    async def never(proof: tuple[str, ...]) -> bool:
        refused.append(proof)
        return False

    result = prove(Numbers(8), Preferring(0, ("split", "2")), 200, accept=never)
    assert refused
    assert all(replays(8, proof) for proof in refused)
    assert result.proof is None
    assert result.status is not SearchStatus.PROVED


@pytest.mark.parametrize("options", EVERY, ids=label)
def test_goals_whose_proofs_are_refused_as_a_whole_are_one_state_and_the_search_goes_on(
    options: StrategyOptions,
) -> None:
    """Verification refuses the first proof that is put together; all others begin with the same tactic."""

    @dataclass
    class SplitFirst(Numbers):
        async def run(self, state: ProofState, tactic: str) -> TacticResult:
            return NO if state == self.root and tactic != "split" else await super().run(state, tactic)

    claimed: list[tuple[str, ...]] = []

    async def second(proof: tuple[str, ...]) -> bool:
        claimed.append(proof)
        return len(claimed) > 1 and await holds(4, proof)

    result = prove(SplitFirst(4), Preferring(0, ("split", "2", "all 2")), 80, options, second)
    assert result.proof is not None
    assert replays(4, result.proof)
    assert claimed[1:] == [result.proof]
    assert "⊢ 2\n\n⊢ 2" in [node.text for node in result.tree.nodes]


async def test_goals_are_not_proved_apart_within_turns() -> None:
    async def member(budget: Budget) -> SearchResult:
        async def search(*_: Any) -> SearchResult:
            raise AssertionError

        return await apart(search, Numbers(3), budget, accept_all)

    with pytest.raises(ValueError, match="take turns"):
        await taking_turns([member], Budget(5))


async def test_lean_accepts_what_was_proved_apart(engine: EmbeddedEngine) -> None:
    theorem = Theorem("t", "theorem t (p q r : Prop) (hp : p) (hq : q) (hr : r) : p ∧ q ∧ r := by sorry")
    policy = Preferring(0, ("constructor", "exact hp", "exact hq", "exact hr"))
    searching = strategy(StrategyOptions(name="best-first", width=4, apart=True))
    session = await engine.open(theorem)

    async def accept(tactics: tuple[str, ...]) -> bool:
        return (await engine.verify(theorem, "\n".join(tactics))).proved

    result = await searching(session, policy, Budget(64), accept)
    await session.close()
    assert result.proof == ("constructor", "exact hp", "constructor", "exact hq", "exact hr")
    assert all("\n\n" not in state for state in policy.asked)  # no more than one goal at a time
