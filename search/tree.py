"""The search tree of one theorem: its states, the tactics tried on them, and the best known path to each state.

Equal states are one node, so the "tree" is a directed graph that may have cycles. Every node keeps one path from the
root, the best found so far. A path is an immutable chain, which is what keeps proofs free of cycles: a node takes a
path only when it scores strictly better than the one it has and does not visit the node itself, so every node's path
is at all times a sequence of tactics that leads from the root to it and meets no state twice.

When a node takes a better path, its children are offered the extended path, and so on down (`Tree._improve`). This
ends, because scores only rise and there are finitely many paths without repetition. For summed log-probabilities the
paths kept are the best of all known ones. For alpha > 0 the best path to a state need not extend the best path to its
parent (a short worse prefix can give the better mean), so there they are the best of those that were offered.

The module knows nothing of strategies beyond the score of a path, and nothing of Lean beyond the types it returns.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypedDict

import networkx as nx

from lean_env.engine import Failed, ProofState, Proved, TacticResult
from search.policy import Suggestion


@dataclass(frozen=True)
class Priority:
    """How good a path is: sum of its tactics' log-probabilities / (its number of tactics) ** alpha.

    alpha = 0 is the summed log-probability, alpha = 1 the mean, and between them lies the length-normalised sum of
    BFS-Prover (arXiv 2502.03438). Raises ValueError when alpha is outside [0, 1].
    """

    alpha: float

    def __post_init__(self) -> None:
        if not 0 <= self.alpha <= 1:
            raise ValueError(f"alpha must lie in [0, 1]; it is {self.alpha}")

    def score(self, sum_log_prob: float, depth: int) -> float:
        """The score of a path of `depth` tactics, in nats (at alpha = 1 nats a tactic); 0 for the empty path."""
        return sum_log_prob / depth**self.alpha if depth else sum_log_prob


SUM = Priority(0.0)
MEAN = Priority(1.0)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Path:
    """A way from the root: the path `before`, then `edge`. The root's own path has neither."""

    before: Path | None
    edge: Edge | None
    sum_log_prob: float
    depth: int

    def __iter__(self) -> Iterator[Edge]:
        """The steps that lead here, the last one first."""
        path: Path | None = self
        while path is not None and path.edge is not None:
            yield path.edge
            path = path.before

    @property
    def levin_score(self) -> float:
        """(Product of the tactics' probabilities) ** (1 / their number), between 0 and 1; 1 for the empty path."""
        return math.exp(MEAN.score(self.sum_log_prob, self.depth))

    def visits(self, node: Node) -> bool:
        """Whether the path leaves `node` on its way. Takes time in proportion to its depth."""
        return any(step.source is node for step in self)

    def tactics(self) -> tuple[str, ...]:
        """The tactics from the root on."""
        return tuple(step.tactic for step in self)[::-1]


@dataclass(slots=True, eq=False, repr=False)
class Node:
    """A state, the tactics tried on it in the order of trial, and the best known path to it."""

    state: ProofState
    path: Path
    edges: Sequence[Edge] = ()  # a list from the first on: most states of a large tree never have one
    exhausted: bool = False  # the policy has no further tactic for it

    @property
    def text(self) -> str:
        """The goals as Lean prints them."""
        return self.state.text

    def states(self) -> list[Node]:
        """The states of its path, the root first and itself last."""
        return [self, *(step.source for step in self.path)][::-1]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Edge:
    """One expansion: `tactic` tried on `source`, and what came of it."""

    source: Node
    tactic: str
    log_prob: float
    outcome: Node | Proved | Failed


class NodeRecord(TypedDict):
    """A node as plain data. `id` is its index in the order of discovery, the root's is 0."""

    id: int
    text: str
    depth: int
    sum_log_prob: float
    score: float
    expansions: int
    exhausted: bool


class EdgeRecord(TypedDict):
    """An edge as plain data. `target` is None unless the outcome is "new" or "merged"."""

    source: int
    target: int | None
    tactic: str
    log_prob: float
    outcome: str  # as Tree.outcomes names it
    message: str  # Lean's, of a failure
    lean_s: float
    best: bool  # the last step of its target's best path
    in_proof: bool


class TreeRecord(TypedDict):
    """A tree as plain data, fit for JSON: nodes in the order of discovery, edges in the order of trial."""

    alpha: float
    nodes: list[NodeRecord]
    edges: list[EdgeRecord]


class Tree:
    """Everything one search has found out about one theorem."""

    def __init__(self, root: ProofState, priority: Priority) -> None:
        self.priority = priority
        self.root = Node(root, Path(None, None, 0.0, 0))
        self.edges: list[Edge] = []
        self.lean_s = array("f")  # the seconds that Lean took for each edge, to seven digits
        self._nodes = {self.root.text: self.root}

    @property
    def nodes(self) -> Iterator[Node]:
        """The states in the order of discovery."""
        return iter(self._nodes.values())

    @property
    def latest(self) -> Iterator[Node]:
        """The states, the one discovered last first."""
        return reversed(self._nodes.values())

    def __len__(self) -> int:
        """The number of states."""
        return len(self._nodes)

    def add(self, source: Node, suggestion: Suggestion, result: TacticResult, lean_s: float) -> list[Node]:
        """Record one expansion: `suggestion` was tried on `source`, and Lean answered `result` after `lean_s` seconds.

        Returns the nodes whose best path is new: the state found, unless it was known by a path as good, and every
        state that is better reached through it. A frontier has to place these anew. Raises ValueError for a
        log-probability that is not a finite number <= 0.
        """
        tactic, log_prob = suggestion.tactic, suggestion.log_prob
        if not -math.inf < log_prob <= 0:
            raise ValueError(f"a policy's log-probabilities must be finite and <= 0; {tactic!r} has {log_prob}")
        self.lean_s.append(lean_s)
        if not isinstance(result, ProofState):
            self._append(Edge(source, tactic, log_prob, result))
            return []
        text = result.text
        if known := self._nodes.get(text):
            self._append(Edge(source, tactic, log_prob, known))
            return self._improve(known, source.edges[-1])
        child = self._nodes[text] = Node(result, source.path)
        self._append(Edge(source, tactic, log_prob, child))
        child.path = _extended(source.edges[-1])
        return [child]

    def outcomes(self) -> Iterator[tuple[Edge, str]]:
        """The edges in the order of trial, each with its outcome: "new", "merged", "proved" or a FailureKind."""
        seen = {self.root}
        for edge in self.edges:
            match edge.outcome:
                case Node() as child:
                    yield edge, "merged" if child in seen else "new"
                    seen.add(child)
                case Proved():
                    yield edge, "proved"
                case Failed(kind=kind):
                    yield edge, kind.value

    def to_dict(self) -> TreeRecord:
        """The tree as plain data for the store and the report."""
        ids = {node: index for index, node in enumerate(self.nodes)}
        proved = [edge for edge in self.edges if isinstance(edge.outcome, Proved)]
        in_proof = {*proved, *(step for edge in proved for step in edge.source.path)}
        nodes: list[NodeRecord] = [
            {
                "id": index,
                "text": node.text,
                "depth": node.path.depth,
                "sum_log_prob": node.path.sum_log_prob,
                "score": self._score(node.path),
                "expansions": len(node.edges),
                "exhausted": node.exhausted,
            }
            for node, index in ids.items()
        ]
        edges: list[EdgeRecord] = [
            {
                "source": ids[edge.source],
                "target": ids[edge.outcome] if isinstance(edge.outcome, Node) else None,
                "tactic": edge.tactic,
                "log_prob": edge.log_prob,
                "outcome": outcome,
                "message": edge.outcome.message if isinstance(edge.outcome, Failed) else "",
                "lean_s": lean_s,
                "best": _is_last_step(edge),
                "in_proof": edge in in_proof,
            }
            for (edge, outcome), lean_s in zip(self.outcomes(), self.lean_s, strict=True)
        ]
        return {"alpha": self.priority.alpha, "nodes": nodes, "edges": edges}

    def to_networkx(self) -> nx.MultiDiGraph[int | str]:
        """The tree as a graph with one edge per expansion, keyed by its place in the order of trial.

        States are the nodes 0, 1, ... with the attributes of NodeRecord; edges carry those of EdgeRecord, less their
        ends. Expansions that gave no state lead to one node per outcome, named "proved", "error", "timeout" and so
        on. Attributes are all plain scalars, so that every writer of networkx takes them.
        """
        graph: nx.MultiDiGraph[int | str] = nx.MultiDiGraph()
        record = self.to_dict()
        for node in record["nodes"]:
            graph.add_node(node["id"], kind="state", **{name: value for name, value in node.items() if name != "id"})
        for order, edge in enumerate(record["edges"]):
            target = edge["outcome"] if edge["target"] is None else edge["target"]
            if target not in graph:
                graph.add_node(target, kind="outcome")
            attributes = {name: value for name, value in edge.items() if name not in ("source", "target")}
            graph.add_edge(edge["source"], target, order, **attributes)
        return graph

    def _append(self, edge: Edge) -> None:
        edges = edge.source.edges
        if isinstance(edges, list):
            edges.append(edge)
        else:
            edge.source.edges = [edge]
        self.edges.append(edge)

    def _score(self, path: Path) -> float:
        return self.priority.score(path.sum_log_prob, path.depth)

    def _improve(self, node: Node, edge: Edge) -> list[Node]:
        """Offer the path by `edge` to `node` and, where it is taken, what follows from it to the nodes below."""
        improved = [node] if self._takes(node, _extended(edge)) else []
        for parent in improved:  # grows while it is read: breadth first, as in Bellman and Ford's algorithm
            for onward in parent.edges:
                child = onward.outcome
                if isinstance(child, Node) and self._takes(child, _extended(onward)):
                    improved.append(child)
        return list(dict.fromkeys(improved))

    def _takes(self, node: Node, path: Path) -> bool:
        if self._score(path) <= self._score(node.path) or path.visits(node):
            return False
        node.path = path
        return True


def _extended(edge: Edge) -> Path:
    """The best path to the edge's source, and the edge."""
    before = edge.source.path
    return Path(before, edge, before.sum_log_prob + edge.log_prob, before.depth + 1)


def _is_last_step(edge: Edge) -> bool:
    return isinstance(edge.outcome, Node) and edge.outcome.path.edge is edge
