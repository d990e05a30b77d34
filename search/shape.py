"""The measured shape of a search tree: how wide it grew at which depth, and what became of its expansions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from lean_env.engine import FailureKind
from search.tree import Tree


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


def measure(tree: Tree) -> Shape:
    """The shape of `tree` as it is now."""
    states = Counter(node.path.depth for node in tree.nodes)
    expanded = Counter(node.path.depth for node in tree.nodes if node.edges)
    counts = Counter((edge.source.path.depth, outcome) for edge, outcome in tree.outcomes())
    totals: Counter[str] = Counter()
    for (_, outcome), count in counts.items():
        totals[outcome] += count
    levels = []
    for depth in range(max(states) + 1):
        new, merged, proved = (counts[depth, outcome] for outcome in ("new", "merged", "proved"))
        failed = sum(counts[depth, kind.value] for kind in FailureKind)
        tried = new + merged + failed + proved
        levels.append(Level(states[depth], expanded[depth], tried, new, merged, failed, proved))
    failures = {kind: totals[kind.value] for kind in FailureKind}
    return Shape(len(tree), len(tree.edges), totals["merged"], failures, tuple(levels))
