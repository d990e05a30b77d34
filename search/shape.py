"""The measured shape of a search tree: how wide it grew at which depth, and what became of its expansions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lean_env.engine import FailureKind
from search.tree import Tree, TreeRecord


@dataclass(frozen=True)
class Level:
    """What happened at the states of one depth. `tried` = `new` + `merged` + `failed` + `proved`, in expansions."""

    states: int
    expanded: int  # states on which at least one tactic was tried
    tried: int
    new: int
    merged: int
    failed: int
    proved: int

    @property
    def branching(self) -> float:
        """New states per expanded state; 0 where no state was expanded."""
        return self.new / self.expanded if self.expanded else 0.0


@dataclass(frozen=True)
class Shape:
    """The counts of a tree. `levels[d]` holds those of the states whose best known path has d tactics."""

    states: int
    expansions: int
    merged: int
    failures: dict[FailureKind, int]
    levels: tuple[Level, ...]

    @property
    def depth(self) -> int:
        """The depth of the deepest state."""
        return len(self.levels) - 1


@dataclass(frozen=True)
class SummedShape:
    """The shapes of several trees together.

    `tried[d]` are tactics tried for each state expanded at depth d, `branching[d]` new states for each. `valid`,
    `merged` are shares of the tactics tried: those that Lean took, and those that led to a known state; `failures`
    counts the others by kind, `proved` proofs by their number of tactics.
    """

    trees: int
    states: float  # a tree
    tried: tuple[float, ...]
    branching: tuple[float, ...]
    valid: float
    merged: float
    failures: Mapping[str, int]
    proved: Mapping[int, int]


def measure(tree: Tree) -> Shape:
    """The shape of `tree` as it is now."""
    return _measured(
        ((node.path.depth, bool(node.edges)) for node in tree.nodes),
        ((edge.source.path.depth, outcome) for edge, outcome in tree.outcomes()),
    )


def measure_record(record: TreeRecord) -> Shape:
    """The shape of a tree that was kept as plain data."""
    nodes = record["nodes"]
    return _measured(
        ((node["depth"], node["expansions"] > 0) for node in nodes),
        ((nodes[edge["source"]]["depth"], edge["outcome"]) for edge in record["edges"]),
    )


def _measured(nodes: Iterable[tuple[int, bool]], edges: Iterable[tuple[int, str]]) -> Shape:
    """From the depth of every state and whether it was expanded, and of every edge its depth and its outcome."""
    states: Counter[int] = Counter()
    expanded: Counter[int] = Counter()
    for depth, was_expanded in nodes:
        states[depth] += 1
        expanded[depth] += was_expanded
    counts, totals = Counter(edges), Counter[str]()
    for (_, outcome), count in counts.items():
        totals[outcome] += count
    levels = []
    for depth in range(max(states) + 1):
        new, merged, proved = (counts[depth, outcome] for outcome in ("new", "merged", "proved"))
        failed = sum(counts[depth, kind.value] for kind in FailureKind)
        tried = new + merged + failed + proved
        levels.append(Level(states[depth], expanded[depth], tried, new, merged, failed, proved))
    failures = {kind: totals[kind.value] for kind in FailureKind}
    return Shape(states.total(), totals.total(), totals["merged"], failures, tuple(levels))


def summed(shapes: Iterable[Mapping[str, Any]]) -> SummedShape:
    """The sum of shapes, each as the plain data that dataclasses.asdict makes of a Shape."""
    trees = states = 0
    levels: dict[int, Counter[str]] = defaultdict(Counter)
    failures: Counter[str] = Counter()
    for shape in shapes:
        trees += 1
        states += shape["states"]
        failures.update(shape["failures"])
        for depth, level in enumerate(shape["levels"]):
            levels[depth].update(level)
    total = sum(levels.values(), Counter[str]())
    tried = total["tried"] or 1
    expanded = [levels[depth] for depth in sorted(levels) if levels[depth]["expanded"]]
    return SummedShape(
        trees,
        states / max(1, trees),
        tuple(level["tried"] / level["expanded"] for level in expanded),
        tuple(level["new"] / level["expanded"] for level in expanded),
        (total["new"] + total["merged"] + total["proved"]) / tried,
        total["merged"] / tried,
        {str(kind): count for kind, count in failures.items() if count},
        {depth + 1: levels[depth]["proved"] for depth in sorted(levels) if levels[depth]["proved"]},
    )
