from __future__ import annotations

import io
import json
import math
import sys

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lean_env.engine import Failed, FailureKind, ProofState, Proved
from search.policy import Suggestion
from search.shape import Level, measure, measure_record
from search.tree import MEAN, SUM, Node, Priority, Tree

ERROR = Failed(FailureKind.ERROR, "no such hypothesis")
log_probs = st.floats(-20, 0)


def state(text: str) -> ProofState:
    return ProofState(0, (text,))


def grow(tree: Tree, source: str, tactic: str, log_prob: float, target: str) -> list[str]:
    changed = tree.add(node(tree, source), Suggestion(tactic, log_prob), state(target), 0.0)
    return [changed_node.text for changed_node in changed]


def node(tree: Tree, text: str) -> Node:
    return next(node for node in tree.nodes if node.text == text)


# ---- priorities


@given(st.lists(log_probs, min_size=1, max_size=30))
def test_priorities_are_the_sum_the_mean_and_the_length_normalised_sum_of_their_definitions(steps: list[float]) -> None:
    total, length = sum(steps), len(steps)
    assert SUM.score(total, length) == total
    assert MEAN.score(total, length) == pytest.approx(total / length)
    assert Priority(0.5).score(total, length) == pytest.approx(total / math.sqrt(length))


@given(st.floats(0, 1))
def test_the_empty_path_scores_zero_and_no_path_scores_more(alpha: float) -> None:
    assert Priority(alpha).score(0.0, 0) == 0
    assert Priority(alpha).score(-1.0, 3) < 0


@given(log_probs.filter(lambda x: x < -1e-6), st.integers(2, 50))
def test_a_larger_alpha_favours_the_longer_of_two_equally_likely_paths(total: float, depth: int) -> None:
    assert SUM.score(total, depth) < Priority(0.5).score(total, depth) < MEAN.score(total, depth)


@pytest.mark.parametrize("alpha", [-0.1, 1.1, math.nan])
def test_alpha_outside_0_to_1_is_refused(alpha: float) -> None:
    with pytest.raises(ValueError, match=r"alpha must lie in \[0, 1\]"):
        Priority(alpha)


@pytest.mark.parametrize("log_prob", [0.1, math.nan, -math.inf])
def test_a_log_probability_that_is_none_is_refused_with_its_tactic(log_prob: float) -> None:
    tree = Tree(state("root"), SUM)
    with pytest.raises(ValueError, match="'simp' has"):
        tree.add(tree.root, Suggestion("simp", log_prob), ERROR, 0.0)


# ---- merging and better paths


def test_states_of_equal_text_are_one_node() -> None:
    tree = Tree(state("root"), SUM)
    assert grow(tree, "root", "a", -1, "x") == ["x"]
    assert grow(tree, "root", "b", -2, "x") == []
    assert len(tree) == 2
    assert measure(tree).merged == 1


def test_states_of_several_goals_merge_by_their_whole_text() -> None:
    tree = Tree(state("root"), SUM)
    tree.add(tree.root, Suggestion("a", -1), ProofState(1, ("p", "q")), 0.0)
    tree.add(tree.root, Suggestion("b", -1), ProofState(2, ("p", "q")), 0.0)
    tree.add(tree.root, Suggestion("c", -1), ProofState(3, ("q", "p")), 0.0)
    assert [known.text for known in tree.nodes] == ["root", "p\n\nq", "q\n\np"]
    assert list(tree.latest) == list(tree.nodes)[::-1]


def test_a_worse_path_to_a_known_state_is_recorded_and_not_taken() -> None:
    tree = Tree(state("root"), SUM)
    grow(tree, "root", "good", -1, "x")
    grow(tree, "root", "bad", -3, "x")
    assert node(tree, "x").path.tactics() == ("good",)
    assert [edge.tactic for edge in tree.edges] == ["good", "bad"]


def test_of_equally_good_paths_the_first_stays() -> None:
    tree = Tree(state("root"), SUM)
    grow(tree, "root", "first", -1, "x")
    assert grow(tree, "root", "second", -1, "x") == []
    assert node(tree, "x").path.tactics() == ("first",)


def test_a_state_improved_twice_by_one_expansion_is_reported_once_with_its_best_path() -> None:
    tree = Tree(state("root"), SUM)
    grow(tree, "root", "a", -9, "x")
    grow(tree, "x", "straight", -5, "z")
    grow(tree, "x", "bend", -1, "y")
    grow(tree, "y", "on", -1, "z")
    grow(tree, "root", "b", -1, "w")
    assert grow(tree, "w", "c", -1, "x") == ["x", "z", "y"]
    assert node(tree, "z").path.tactics() == ("b", "c", "bend", "on")


def test_a_better_path_reaches_every_descendant() -> None:
    tree = Tree(state("root"), SUM)
    grow(tree, "root", "long way", -9, "x")
    grow(tree, "x", "then", -1, "y")
    grow(tree, "y", "then", -1, "z")
    grow(tree, "root", "detour", -1, "w")
    assert grow(tree, "w", "back", -1, "x") == ["x", "y", "z"]
    assert node(tree, "z").path.tactics() == ("detour", "back", "then", "then")
    assert node(tree, "z").path.sum_log_prob == -4


def test_a_better_path_is_taken_across_edges_that_were_not_best_before() -> None:
    tree = Tree(state("root"), SUM)
    grow(tree, "root", "a", -5, "x")
    grow(tree, "root", "b", -4, "y")
    assert grow(tree, "x", "c", -1, "y") == []
    grow(tree, "root", "d", -1, "w")
    assert grow(tree, "w", "e", -1, "x") == ["x", "y"]
    assert node(tree, "y").path.tactics() == ("d", "e", "c")


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_a_tactic_that_changes_nothing_gives_no_path(alpha: float) -> None:
    tree = Tree(state("root"), Priority(alpha))
    grow(tree, "root", "a", -5, "x")
    assert grow(tree, "x", "skip", 0, "x") == []
    assert node(tree, "x").path.tactics() == ("a",)


def test_a_way_around_a_cycle_is_never_a_better_path_though_its_mean_is() -> None:
    tree = Tree(state("root"), MEAN)
    grow(tree, "root", "a", -10, "x")
    grow(tree, "x", "b", -0.1, "y")
    assert grow(tree, "y", "back", -0.1, "x") == []  # mean -3.4 over the cycle, -10 without
    assert node(tree, "x").path.tactics() == ("a",)


def test_for_the_mean_a_descendant_keeps_the_path_that_is_better_for_it() -> None:
    tree = Tree(state("root"), MEAN)
    grow(tree, "root", "short", -1, "x")  # mean -1
    grow(tree, "x", "sure", 0, "y")  # mean -1/2
    grow(tree, "root", "u", -0.9, "v")
    assert grow(tree, "v", "w", -0.9, "x") == ["x"]  # -0.9 for x, but -1.8/3 = -0.6 for y
    assert node(tree, "x").path.tactics() == ("u", "w")
    assert node(tree, "y").path.tactics() == ("short", "sure")


moves = st.lists(st.tuples(st.integers(0, 6), log_probs, st.integers(0, 6)), max_size=40)


def grown(moves: list[tuple[int, float, int]], alpha: float) -> Tree:
    """A tree of the moves whose source is known when their turn comes; state 0 is the root."""
    tree = Tree(state("0"), Priority(alpha))
    for order, (source, log_prob, target) in enumerate(moves):
        known = [node for node in tree.nodes if node.text == str(source)]
        for node in known:
            tree.add(node, Suggestion(f"t{order}", log_prob), state(str(target)), 0.0)
    return tree


@given(moves)
def test_every_state_has_the_likeliest_of_all_known_paths(moves: list[tuple[int, float, int]]) -> None:
    tree = grown(moves, alpha=0.0)
    best = dict.fromkeys(tree.nodes, -math.inf) | {tree.root: 0.0}
    for _ in best:
        for edge in tree.edges:
            assert isinstance(edge.outcome, Node)
            best[edge.outcome] = max(best[edge.outcome], best[edge.source] + edge.log_prob)
    for node in tree.nodes:
        assert node.path.sum_log_prob == pytest.approx(best[node])


@given(moves, st.sampled_from([0.0, 0.3, 0.5, 1.0]))
def test_every_path_leads_from_the_root_to_its_state_and_meets_none_twice(
    moves: list[tuple[int, float, int]], alpha: float
) -> None:
    tree = grown(moves, alpha)
    by_tactic = {edge.tactic: edge for edge in tree.edges}
    for node in tree.nodes:
        here, total, visited = tree.root, 0.0, [tree.root]
        for tactic in node.path.tactics():
            edge = by_tactic[tactic]
            assert edge.source is here
            assert isinstance(edge.outcome, Node)
            here, total = edge.outcome, total + edge.log_prob
            visited.append(here)
        assert here is node
        assert len(set(visited)) == len(visited) == node.path.depth + 1
        assert node.path.sum_log_prob == total


@given(moves, st.sampled_from([0.0, 0.3, 0.5, 1.0]))
def test_no_state_could_do_better_by_extending_the_path_of_a_parent(
    moves: list[tuple[int, float, int]], alpha: float
) -> None:
    tree = grown(moves, alpha)
    for edge in tree.edges:
        child, parent = edge.outcome, edge.source.path
        assert isinstance(child, Node)
        if edge.source is not child and not parent.visits(child):
            offered = tree.priority.score(parent.sum_log_prob + edge.log_prob, parent.depth + 1)
            assert offered <= tree.priority.score(child.path.sum_log_prob, child.path.depth)


@given(moves, st.sampled_from([0.0, 0.5, 1.0]))
def test_the_states_reported_as_changed_are_those_whose_path_is_new(
    moves: list[tuple[int, float, int]], alpha: float
) -> None:
    tree = Tree(state("0"), Priority(alpha))
    for order, (source, log_prob, target) in enumerate(moves):
        for node in [node for node in tree.nodes if node.text == str(source)]:
            before = {node: node.path for node in tree.nodes}
            changed = tree.add(node, Suggestion(f"t{order}", log_prob), state(str(target)), 0.0)
            assert set(changed) == {node for node in tree.nodes if before.get(node) is not node.path}
            assert len(set(changed)) == len(changed)


def chain(depth: int) -> tuple[Tree, Node]:
    """States 0 → 1 → ... → depth, and the last of them."""
    tree = Tree(state("0"), SUM)
    here = tree.add(tree.root, Suggestion("first", -2), state("1"), 0.0)[0]
    for index in range(2, depth + 1):
        here = tree.add(here, Suggestion("next", -0.5), state(str(index)), 0.0)[0]
    return tree, here


def test_a_path_of_100000_tactics_is_read_and_freed_without_recursion() -> None:
    tree, last = chain(100_000)
    assert last.path.tactics() == ("first", *["next"] * 99_999)
    assert measure(tree).depth == 100_000
    del tree, last


def test_a_better_path_reaches_descendants_deeper_than_the_stack() -> None:
    tree, last = chain(2 * sys.getrecursionlimit())
    changed = tree.add(tree.root, Suggestion("better", -1), state("1"), 0.0)
    assert len(changed) == last.path.depth
    assert last.path.tactics()[:2] == ("better", "next")


# ---- shape and export


def example() -> Tree:
    """Two levels: root → x (twice), y, an error; x → y, proved; y → root, a timeout."""
    tree = Tree(state("root"), SUM)
    grow(tree, "root", "a", -1, "x")
    grow(tree, "root", "b", -2, "x")
    grow(tree, "root", "c", -3, "y")
    tree.add(tree.root, Suggestion("d", -4), ERROR, 0.25)
    grow(tree, "x", "e", -1, "y")
    grow(tree, "y", "f", -1, "root")
    tree.add(node(tree, "y"), Suggestion("g", -2), Failed(FailureKind.TIMEOUT, "5 s"), 5.0)
    tree.add(node(tree, "x"), Suggestion("h", -2), Proved(), 0.5)
    return tree


def test_the_shape_counts_every_expansion_once_at_the_depth_of_its_state() -> None:
    shape = measure(example())
    assert (shape.states, shape.expansions, shape.merged, shape.depth) == (3, 8, 3, 2)
    assert shape.failures == {kind: {"error": 1, "timeout": 1}.get(kind.value, 0) for kind in FailureKind}
    assert shape.levels == (
        Level(states=1, expanded=1, tried=4, new=2, merged=1, failed=1, proved=0),
        Level(states=1, expanded=1, tried=2, new=0, merged=1, failed=0, proved=1),
        Level(states=1, expanded=1, tried=2, new=0, merged=1, failed=1, proved=0),
    )
    assert shape.levels[0].branching == 2


def test_a_root_alone_has_a_shape_and_an_export() -> None:
    tree = Tree(state("root"), MEAN)
    assert measure(tree).levels == (Level(1, 0, 0, 0, 0, 0, 0),)
    assert measure(tree).levels[0].branching == 0
    assert len(tree.to_networkx()) == 1


@given(moves, st.sampled_from([0.0, 1.0]))
def test_the_levels_add_up_to_the_whole(moves: list[tuple[int, float, int]], alpha: float) -> None:
    tree = grown(moves, alpha)
    shape = measure(tree)
    assert sum(level.states for level in shape.levels) == shape.states == len(tree)
    assert sum(level.tried for level in shape.levels) == shape.expansions == len(tree.edges)
    assert sum(level.new for level in shape.levels) == shape.states - 1
    assert sum(level.merged for level in shape.levels) == shape.merged
    assert shape.depth == max(node.path.depth for node in tree.nodes)
    assert measure_record(tree.to_dict()) == shape


def test_the_plain_data_is_json_and_marks_best_paths_and_the_proof() -> None:
    record = example().to_dict()
    assert json.loads(json.dumps(record)) == record
    assert [entry["text"] for entry in record["nodes"]] == ["root", "x", "y"]
    assert [entry["depth"] for entry in record["nodes"]] == [0, 1, 2]
    assert [edge["outcome"] for edge in record["edges"]] == [
        *["new", "merged", "new", "error", "merged", "merged", "timeout", "proved"]
    ]
    assert [edge["tactic"] for edge in record["edges"] if edge["best"]] == ["a", "e"]
    assert [edge["tactic"] for edge in record["edges"] if edge["in_proof"]] == ["a", "h"]
    assert [edge["message"] for edge in record["edges"] if edge["message"]] == ["no such hypothesis", "5 s"]


def test_networkx_gets_every_state_and_one_edge_per_expansion_in_order() -> None:
    tree = example()
    graph = tree.to_networkx()
    shape = measure(tree)
    states = [name for name, kind in graph.nodes(data="kind") if kind == "state"]
    outcomes = [outcome for _, _, outcome in graph.edges(data="outcome")]
    assert len(states) == shape.states
    assert graph.number_of_edges() == shape.expansions
    assert outcomes.count("merged") == shape.merged
    assert graph.in_degree("timeout") == shape.failures[FailureKind.TIMEOUT]
    tactics = sorted((key, tactic) for *_, key, tactic in graph.edges(keys=True, data="tactic"))
    assert [tactic for _, tactic in tactics] == list("abcdefgh")
    assert nx.shortest_path_length(graph, 0, "proved") == 2


def test_the_networkx_graph_survives_graphml() -> None:
    graph = example().to_networkx()
    file = io.BytesIO()
    nx.write_graphml(graph, file)
    file.seek(0)
    back = nx.read_graphml(file, force_multigraph=True)
    assert back.nodes["1"]["text"] == "x"
    assert back.number_of_edges() == graph.number_of_edges()
    assert sorted(t for *_, t in back.edges(data="lean_s")) == sorted(t for *_, t in graph.edges(data="lean_s"))
