"""What every strategy promises, on random worlds and with faulty policies and engines; and what is each one's own."""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from simulated import (
    ERROR,
    PROVED,
    Drawing,
    Move,
    Simulation,
    Whimsical,
    World,
    accept_all,
    likeliest_proof,
    reachable,
    replay,
    whims,
    worlds,
)

from lean_env.engine import EngineError, FailureKind
from prover.options import PriorityName, StrategyName
from prover.records import ModelUse
from prover.strategies import STRATEGIES, StrategyOptions, label, strategy
from search.budget import Budget, SearchResult, SearchStatus
from search.depth_first import Rule, by_levin_score, depth_first, to_any, to_the_deepest
from search.known import KnownResults
from search.mcts import Rounds, mcts, puct, uct
from search.policy import Suggestion
from search.shape import measure
from search.tree import Node, Path

UNLIMITED = 10_000
DEEP = 60
SHAPE = (3, 2, 2)
EVERY = [
    *(StrategyOptions(name=name, **({"shape": SHAPE} if name == "shaped" else {})) for name in StrategyName),
    StrategyOptions(name="best-first", priority="length", depth=3, pops=2),
    StrategyOptions(name="beam", priority="mean", width=2, tactics=3, depth=4),
    StrategyOptions(name="mcts", c=0, depth=2),
    StrategyOptions(name="randomised-depth-first", depth=2),
]
# Those that try everything there is when the policy can be used up.
THOROUGH = [
    StrategyOptions(name="best-first"),
    *(StrategyOptions(name=f"{how}depth-first", depth=DEEP) for how in ("", "randomised-", "value-")),
    *(StrategyOptions(name=name, depth=DEEP) for name in ("mcts", "puct")),
]
every = pytest.mark.parametrize("options", EVERY, ids=label)
thorough = pytest.mark.parametrize("options", THOROUGH, ids=label)
budgets = st.integers(0, 40)


def search(
    options: StrategyOptions, session: Any, policy: Any, expansions: int = UNLIMITED, seed: int = 0, **limits: Any
) -> SearchResult:
    return asyncio.run(strategy(options, seed)(session, policy, Budget(expansions, **limits), accept_all))


def adds_up(result: SearchResult, expansions: int) -> bool:
    spent, edges = result.spent, len(result.tree.edges)
    return spent.expansions <= expansions and edges == spent.expansions - spent.redraws + spent.repeats


# ---- the promises of all


@every
@given(world=worlds(), draws=st.booleans(), expansions=budgets)
def test_expansions_are_within_the_budget_and_are_the_edges_and_the_draws_that_were_known(
    options: StrategyOptions, world: World, draws: bool, expansions: int
) -> None:
    simulation = Drawing(world) if draws else Simulation(world)
    result = search(options, simulation, simulation, expansions)
    assert adds_up(result, expansions)
    assert len(result.tree.edges) == len(simulation.ran) == len(set(simulation.ran))
    if result.status is SearchStatus.BUDGET:
        assert result.spent.expansions == expansions


@every
@given(world=worlds(), draws=st.booleans())
def test_a_proof_replays_and_is_no_longer_than_the_depth(options: StrategyOptions, world: World, draws: bool) -> None:
    simulation = Drawing(world) if draws else Simulation(world)
    result = search(options, simulation, simulation, 200)
    assert (result.proof is not None) == (result.status is SearchStatus.PROVED)
    if result.proof is not None:
        assert replay(world, result.proof)[1]
        assert len(result.proof) <= (options.resolved.get("depth") or len(options.shape or ()) or len(world))


@every
@given(world=worlds(), draws=st.booleans(), expansions=budgets)
def test_a_larger_budget_begins_with_the_same_expansions(
    options: StrategyOptions, world: World, draws: bool, expansions: int
) -> None:
    small, large = (Drawing(world) if draws else Simulation(world) for _ in range(2))
    search(options, small, small, expansions)
    search(options, large, large, 100)
    assert large.ran[: len(small.ran)] == small.ran


@every
@given(world=worlds(), expansions=budgets)
def test_what_another_search_knows_costs_no_expansion_and_is_counted(
    options: StrategyOptions, world: World, expansions: int
) -> None:
    simulation = Simulation(world)
    shared = KnownResults(simulation)
    first, second = (search(options, shared, simulation, expansions) for _ in range(2))
    assert adds_up(first, expansions)
    assert adds_up(second, expansions)
    assert first.spent.repeats == 0
    assert second.spent.repeats >= len(first.tree.edges) if first.spent.expansions < expansions else True
    assert len(simulation.ran) == len(set(simulation.ran)) == first.spent.expansions + second.spent.expansions


@every
def test_a_budget_of_nothing_asks_nothing(options: StrategyOptions) -> None:
    simulation = Drawing({"root": [Move("finish", -1, PROVED)]})
    assert search(options, simulation, simulation, 0).status is SearchStatus.BUDGET
    assert (simulation.ran, simulation.asked) == ([], [])


@pytest.mark.parametrize(
    "options", [StrategyOptions(name="rollouts", depth=4), StrategyOptions(name="beam", width=9, depth=4)], ids=label
)
def test_a_state_that_was_reached_early_and_is_likelier_by_a_longer_way_does_not_make_a_proof_too_long(
    options: StrategyOptions,
) -> None:
    """p is two tactics from its proof and one from the root, but three by the likeliest way."""
    world = {
        "root": [Move("long", -0.1, "a"), Move("short", -3.0, "p")],
        "a": [Move("a to b", -0.1, "b")],
        "b": [Move("b to p", -0.1, "p")],
        "p": [Move("p to c", -0.1, "c")],
        "c": [Move("finish", -0.1, PROVED)],
    }
    for seed in range(20):
        simulation = Drawing(world, rng=random.Random(seed))
        result = search(options, simulation, simulation, 60)
        assert result.proof is None or len(result.proof) <= 4


@thorough
@given(world=worlds())
def test_a_proof_is_found_exactly_when_one_can_be_reached(options: StrategyOptions, world: World) -> None:
    simulation = Simulation(world)
    result = search(options, simulation, simulation)
    assert (result.proof is not None) == (likeliest_proof(world) is not None)
    if result.proof is None:
        assert result.status is SearchStatus.EXHAUSTED
        assert sorted(simulation.ran) == sorted((text, m.tactic) for text in reachable(world) for m in world[text])


@every
async def test_the_search_goes_on_after_a_proof_that_verification_refuses(options: StrategyOptions) -> None:
    world = {"root": [Move("cheat", math.log(0.6), PROVED), Move("work", math.log(0.4), PROVED)]}
    cheats_first = random.Random(1)

    async def accept(proof: tuple[str, ...]) -> bool:
        return proof == ("work",)

    simulation = Drawing(world, rng=cheats_first)
    result = await strategy(options)(simulation, simulation, Budget(50), accept)
    assert result.proof == ("work",)
    assert measure(result.tree).failures[FailureKind.REFUSED] == 1


# ---- faults

whole_or_apart = pytest.mark.parametrize("apart", [False, True], ids=["whole", "goals apart"])


@whole_or_apart
@every
@given(whim=whims, expansions=budgets)
def test_every_search_ends_and_adds_up_whatever_policy_and_engine_answer(
    options: StrategyOptions, apart: bool, whim: Whimsical, expansions: int
) -> None:
    options = options.model_copy(update={"apart": apart})
    result = search(options, whim, whim, expansions)
    # The edges of searches for goals are not in the tree of the whole.
    assert result.spent.expansions <= expansions if apart else adds_up(result, expansions)
    again = type(whim)(whim.seed)
    assert search(options, again, again, expansions).proof == result.proof
    assert again.ran == whim.ran


@whole_or_apart
@every
@given(whim=whims, expansions=budgets, after=st.integers(0, 20))
def test_what_engine_and_policy_raise_is_let_through_and_nothing_else_is(
    options: StrategyOptions, apart: bool, whim: Whimsical, expansions: int, after: int
) -> None:
    options = options.model_copy(update={"apart": apart})
    search(options, whim, whim, expansions)
    for fault, asked, error in (("dies_after", len(whim.ran), EngineError), ("raises_after", whim.asked, RuntimeError)):
        faulty = type(whim)(whim.seed, **{fault: after})
        try:
            result = search(options, faulty, faulty, expansions)
        except error:
            assert asked > after
            assert len(faulty.ran) <= expansions
        else:
            assert asked <= after
            assert result.spent.expansions <= expansions if apart else adds_up(result, expansions)


# ---- limits other than expansions


@dataclass
class Metered(Drawing):
    """A policy with a model, whose prompts have 10 tokens and whose tactics have 5."""

    use: ModelUse = field(default_factory=lambda: ModelUse(1000, 7, 70, 35))  # of another search before

    def _count(self, n: int) -> None:
        self.use = ModelUse(1000, self.use.calls + 1, self.use.prompt_tokens + 10, self.use.generated_tokens + 5 * n)

    async def suggest(self, state: str, n: int) -> Sequence[Suggestion]:
        self._count(n)
        return await super().suggest(state, n)

    async def sample(self, state: str, n: int) -> Sequence[Suggestion]:
        self._count(n)
        return await super().sample(state, n)


ENDLESS = {
    f"{n or 'root'}": [
        *(Move(f"on {i}", math.log(0.1), f"{(7 * n + i) % 300 + 1}") for i in range(5)),
        *(Move(f"no {i}", math.log(0.1), ERROR) for i in range(5)),
    ]
    for n in range(301)
}


@every
@given(limit=st.integers(0, 400), name=st.sampled_from(["model_calls", "model_tokens", "flops"]))
def test_a_limit_on_the_model_ends_a_search_within_one_request_and_repeatably(
    options: StrategyOptions, limit: int, name: str
) -> None:
    one_request = {"model_calls": 1, "model_tokens": 10 + 5 * 60, "flops": 2 * 1000 * (10 + 5 * 60)}[name]
    amount = limit * {"model_calls": 1, "model_tokens": 20, "flops": 40_000}[name]
    simulations = Metered(ENDLESS), Metered(ENDLESS)
    first, second = (search(options, each, each, 300, **{name: amount}) for each in simulations)
    spent = first.spent
    assert (spent.model_calls, spent.model_tokens) == (second.spent.model_calls, second.spent.model_tokens)
    assert simulations[0].ran == simulations[1].ran
    assert spent.flops == 2 * 1000 * spent.model_tokens
    assert getattr(spent, name) < amount + one_request
    if first.status is SearchStatus.BUDGET:
        assert spent.expansions == 300 or getattr(spent, name) >= amount


@every
def test_a_policy_without_a_model_uses_none(options: StrategyOptions) -> None:
    simulation = Drawing(ENDLESS)
    spent = search(options, simulation, simulation, 50, model_calls=1).spent
    assert (spent.model_calls, spent.model_tokens, spent.flops) == (0, 0, 0)
    assert spent.policy_calls > 0


@given(st.integers(0, 1000), st.floats(0, 100), st.integers(0, 1000), st.integers(1, 9))
def test_members_that_take_equal_shares_of_what_is_left_spend_a_budget_exactly(
    expansions: int, seconds: float, tokens: int, members: int
) -> None:
    from search.budget import Spent

    left = Budget(expansions, lean_s=seconds, model_tokens=tokens)
    shares = []
    for waiting in range(members, 0, -1):
        share = left.share(waiting)
        shares.append(share)
        left = left.left(Spent(share.expansions, lean_s=share.lean_s or 0, model_tokens=share.model_tokens or 0))
    assert shares == Budget(expansions, lean_s=seconds, model_tokens=tokens).split(members)
    assert sum(share.expansions for share in shares) == expansions
    assert sum(share.model_tokens or 0 for share in shares) == tokens
    assert sum(share.lean_s or 0 for share in shares) == pytest.approx(seconds)
    assert max(share.expansions for share in shares) - min(share.expansions for share in shares) <= 1
    assert left.wall_s is None


# ---- depth-first


CHAIN_P = (0.5, 0.25, 0.6)


def chain(ps: Sequence[float]) -> World:
    names = ["root", *map(str, range(1, len(ps)))]
    return {
        name: [
            Move("hit", math.log(p), PROVED if name == names[-1] else names[place + 1]),
            *(Move(f"miss {n}", math.log((1 - p) / 50), ERROR) for n in range(50)),
        ]
        for place, (name, p) in enumerate(zip(names, ps, strict=True))
    }


def retry(ps: Sequence[float], t: int) -> Sequence[float]:
    return [float(k == t) for k in range(t + 1)]


def alike(ps: Sequence[float], t: int) -> Sequence[float]:
    return [1 / (t + 1)] * (t + 1)


def levin(ps: Sequence[float], t: int) -> Sequence[float]:
    scores = [math.prod(ps[:k]) ** (1 / k) if k else 1.0 for k in range(t + 1)]
    return [score / sum(scores) for score in scores]


def chance_of_a_proof(
    ps: Sequence[float], budget: int, back: Callable[[Sequence[float], int], Sequence[float]]
) -> float:
    """J(b, t) = p_t J(b-1, t+1) + (1 - p_t) sum_k back(k) J(b-1, k), as the objectives of training have it."""

    @cache
    def value(left: int, t: int) -> float:
        if t == len(ps):
            return 1.0
        if left == 0:
            return 0.0
        missed = sum(share * value(left - 1, k) for k, share in enumerate(back(ps, t)))
        return ps[t] * value(left - 1, t + 1) + (1 - ps[t]) * missed

    return value(budget, 0)


@pytest.mark.parametrize(("rule", "back"), [(to_the_deepest, retry), (to_any, alike), (by_levin_score, levin)])
async def test_depth_first_proves_as_often_as_its_objective_says(
    rule: Rule, back: Callable[[Sequence[float], int], Sequence[float]]
) -> None:
    world, trials, budget = chain(CHAIN_P), 1500, 7
    proved = 0
    for seed in range(trials):
        simulation = Drawing(world, rng=random.Random(seed))
        result = await depth_first(
            simulation, simulation, Budget(budget), back=rule, depth=9, seed=seed, accept=accept_all
        )
        proved += result.proof is not None
    expected = chance_of_a_proof(CHAIN_P, budget, back)
    assert abs(proved / trials - expected) < 4 * math.sqrt(expected * (1 - expected) / trials)


def test_the_three_objectives_differ_where_the_rules_are_compared() -> None:
    chances = [chance_of_a_proof(CHAIN_P, 7, back) for back in (retry, alike, levin)]
    assert min(abs(a - b) for a, b in zip(chances, [*chances[1:], chances[0]], strict=True)) > 0.005


def test_going_back_by_levin_scores_bears_the_smallest_probabilities() -> None:
    simulation = Simulation({"root": [Move("t", -1e6, "a")], "a": [Move("u", -1e6, "b")], "b": []})
    search(StrategyOptions(name="best-first"), simulation, simulation)
    tree = search(StrategyOptions(name="best-first"), simulation, simulation).tree
    states = list(tree.nodes)
    chance = random.Random(0)
    assert by_levin_score(states, chance) is tree.root
    assert by_levin_score(states[1:], chance) in states[1:]


def test_depth_first_goes_on_from_a_hit_and_retries_the_deepest_state_after_a_miss() -> None:
    world = {
        "root": [Move("a", -1, "x"), Move("b", -2, "y")],
        "x": [Move("c", -1, ERROR), Move("d", -2, "root"), Move("e", -3, "z")],
        "y": [Move("h", -1, PROVED)],
        "z": [Move("f", -1, ERROR)],
    }
    simulation = Simulation(world)
    options = StrategyOptions(name="depth-first")
    assert search(options, simulation, simulation).proof == ("b", "h")
    assert [tactic for _, tactic in simulation.ran] == ["a", "c", "d", "e", "f", "b", "h"]


# ---- Monte Carlo tree search


def mean(result: SearchResult) -> dict[str, Node]:
    return {node.text: node for node in result.tree.nodes}


@given(worlds(), st.integers(1, 60), st.floats(0, 2))
def test_no_state_is_wider_than_its_visits_allow_while_there_is_a_way_down(
    world: World, expansions: int, c: float
) -> None:
    """The root's visits are all expansions; a state whose tactics all failed may be wider."""
    simulation = Simulation(world)
    root = asyncio.run(
        mcts(simulation, simulation, Budget(expansions), bound=uct(c), depth=99, accept=accept_all)
    ).tree.root
    first = next((n for n, edge in enumerate(root.edges) if isinstance(edge.outcome, Node)), len(root.edges))
    if first + 1 < len(root.edges) and all(isinstance(e.outcome, Node) and e.outcome is not root for e in root.edges):
        assert len(root.edges) <= math.ceil(math.sqrt(expansions)) or len(simulation.ran) < expansions


def test_tree_search_goes_to_the_state_of_the_highest_bound_and_widens_with_the_root_of_its_visits() -> None:
    # With c = 0: x (e^-0.5 at first) before y (e^-1); widening at visits 1, 2, 5; x's failures lower its mean.
    world = {
        "root": [Move("to x", -0.5, "x"), Move("to y", -1, "y"), Move("to z", -9, "z")],
        "x": [Move(f"no {n}", -1, ERROR) for n in range(9)],
        "y": [Move("finish", -1, PROVED)],
        "z": [],
    }
    simulation = Simulation(world)
    result = search(StrategyOptions(name="mcts", c=0), simulation, simulation)
    # visits of the root before each round: 0 widens, 1 widens (to y), then x .607, then x .303 < y .368.
    assert [tactic for _, tactic in simulation.ran] == ["to x", "to y", "no 0", "finish"]
    assert result.proof == ("to y", "finish")


def test_the_bounds_are_those_of_the_papers_in_a_worked_example() -> None:
    # A parent of 16 visits; a child of 4 with values that sum to 1.2, and a prior of 0.3.
    child, parent = Rounds(visits=4, total=1.2), Rounds(visits=16, total=5.0)
    assert uct(0.5)(child, parent, 0.3) == pytest.approx(0.3 + 0.5 * math.sqrt(2.772588722239781 / 4))
    assert uct(0.5)(child, parent, 0.9) == uct(0.5)(child, parent, 0.3)
    assert puct(0.5)(child, parent, 0.3) == pytest.approx(0.3 + 0.5 * 0.3 * 4 / 5)


def test_a_state_is_worth_the_geometric_mean_of_its_tactics_probabilities() -> None:
    root = Path(None, None, 0.0, 0)
    path = Path(Path(root, None, math.log(0.5), 1), None, math.log(0.5) + math.log(0.125), 2)
    assert (root.levin_score, path.levin_score) == (1.0, pytest.approx(0.25))


def test_puct_prefers_the_likelier_tactic_where_values_are_alike() -> None:
    # "two steps" is likelier over a longer way to the same Levin score: only the prior tells the states apart.
    world = {
        "root": [Move("likely", -0.2, "x"), Move("unlikely", -3, "y")],
        "x": [Move(f"no {n}", -1, ERROR) for n in range(99)],
        "y": [Move(f"no {n}", -1, ERROR) for n in range(99)],
    }
    visits: list[Counter[str]] = []
    for name in ("mcts", "puct"):
        simulation = Simulation(world)
        search(StrategyOptions(name=name, c=50), simulation, simulation, 60)
        visits.append(Counter(state for state, _ in simulation.ran))
    assert abs(visits[0]["x"] - visits[0]["y"]) <= 2
    assert visits[1]["x"] > 5 * visits[1]["y"]


# ---- beam


def test_a_beam_keeps_the_best_states_of_each_level_and_drops_the_others_for_good() -> None:
    world = {
        "root": [Move("a", -1, "a"), Move("b", -2, "b"), Move("c", -3, "c")],
        "a": [Move("aa", -9, "aa")],
        "b": [Move("ba", -1, "ba"), Move("bb", -2, "bb")],
        "c": [Move("finish", -0.1, PROVED)],
        "aa": [Move("finish", -0.1, PROVED)],
        "ba": [Move("no", -1, ERROR)],
        "bb": [Move("no", -1, ERROR)],
    }
    simulation = Simulation(world)
    result = search(StrategyOptions(name="beam", width=2, tactics=3), simulation, simulation)
    assert result.status is SearchStatus.EXHAUSTED
    assert [state for state, _ in simulation.ran] == ["root"] * 3 + ["a", "b", "b", "ba", "bb"]


# ---- shaped


@st.composite
def plentiful(draw: st.DrawFn, most: int) -> World:
    """States with `most` tactics each, to any state, to new ones and to failure."""
    names = ["root", *(f"s{index}" for index in range(draw(st.integers(1, 12))))]
    outcomes = st.one_of(st.sampled_from(names), st.just(ERROR))
    log_probs = st.one_of(st.floats(-8, 0), st.integers(-4, 0).map(float))
    moves = st.lists(st.tuples(log_probs, outcomes), min_size=most, max_size=most)
    return {name: [Move(f"{name}-{i}", p, to) for i, (p, to) in enumerate(draw(moves))] for name in names}


@given(plentiful(5), st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_the_measured_shape_is_the_one_asked_for_where_the_policy_gives_enough_tactics(
    world: World, widths: list[int]
) -> None:
    simulation = Simulation(world)
    result = search(StrategyOptions(name="shaped", shape=widths), simulation, simulation)
    levels = measure(result.tree).levels
    assert result.status is SearchStatus.EXHAUSTED
    for depth, level in enumerate(levels):
        width = widths[depth] if depth < len(widths) else 0
        assert (level.tried, level.expanded) == (width * level.states, level.states if width else 0)


@given(worlds(), st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_a_shape_is_filled_as_far_as_the_policy_goes(world: World, widths: list[int]) -> None:
    simulation = Simulation({text: [m for m in moves if m.outcome != PROVED] for text, moves in world.items()})
    tree = search(StrategyOptions(name="shaped", shape=widths), simulation, simulation).tree
    for node in tree.nodes:
        width = widths[node.path.depth] if node.path.depth < len(widths) else 0
        assert len(node.edges) == min(width, len(simulation.world[node.text]))


# ---- options


@pytest.mark.parametrize("name", StrategyName)
def test_every_strategy_refuses_options_that_are_not_its_own_by_name(name: StrategyName) -> None:
    values = {"priority": "sum", "width": 3, "pops": 2, "tactics": 2, "depth": 3, "shape": (2, 1), "c": 1.0}
    for option in set(values) - set(STRATEGIES[name].defaults):
        with pytest.raises(ValidationError, match=f"{option} does not go with {name}: leave it out"):
            StrategyOptions(name=name, **{option: values[option]})


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"name": "shaped"}, "shape is needed"),
        ({"name": "shaped", "width": 3}, "shape is needed"),
        ({"name": "shaped", "shape": (3,), "depth": 1}, "shape says every width"),
        ({"name": "shaped", "shape": (3, 0)}, "greater than 0"),
        ({"name": "shaped", "shape": ()}, "at least 1"),
        ({"name": "best-first", "alpha": 0.5}, "priority length"),
        ({"name": "mcts", "c": math.inf}, "finite"),
        ({"name": "mtcs"}, "mcts"),
        ({"name": "mcts", "cc": 1}, "not permitted"),
    ],
)
def test_options_that_make_no_strategy_are_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        StrategyOptions(**given)


def test_a_label_tells_strategies_apart_and_does_not_depend_on_how_defaults_are_given() -> None:
    assert (
        label(StrategyOptions(name="mcts"))
        == label(StrategyOptions(name="mcts", c=0.5, depth=12))
        == ("mcts(c=0.5, depth=12)")
    )
    assert label(StrategyOptions(name="best-first")) == "best-first(priority=sum, width=4)"
    by_length = StrategyOptions(name="best-first", priority=PriorityName.LENGTH, pops=2, depth=5)
    assert label(by_length) == "best-first(alpha=0.5, depth=5, pops=2, priority=length, width=4)"
    assert label(StrategyOptions(name="shaped", shape=(16, 8, 4, 2))) == "shaped(16,8,4,2)"
    assert label(StrategyOptions(name="shaped", shape=(8, 8))) == label(
        StrategyOptions(name="shaped", width=8, depth=2)
    )
    assert len({label(options) for options in EVERY}) == len(EVERY)
