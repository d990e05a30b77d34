"""Monte Carlo tree search with progressive widening; a state's value is its Levin score, so nothing is rolled out.

Every round spends one expansion. It walks down from the root, and at each state

- tries a new tactic, if it has tried fewer than ceil(sqrt(n + 1)) for its n visits, or has no state to go on to,
- else goes on to the state below whose upper bound is the highest.

A tactic that fails or leads back onto the walk is worth 0, a new state the Levin score of its path,
(p_1 ... p_k) ** (1 / k), and a state that was known what its rounds were on average; a proof, worth 1, ends the search.
The value and a visit are added to every state of the walk, the one that was found included. Equal states are one, with
one account of visits and values; what is added goes along the walk only. As Ousherovitch and Tewari ("Direct
Optimization of Generators for Search in ATP", 2026) set it up.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from lean_env.engine import Session
from search.budget import Budget, SearchResult
from search.expansion import Accept, Expander, SearchOver
from search.policy import Policy
from search.tree import SUM, Node, Tree


@dataclass(slots=True)
class Rounds:
    """The rounds that passed through a state: their number and their summed value."""

    visits: int = 0
    total: float = 0.0

    @property
    def mean(self) -> float:
        """The value of the state, between 0 and 1. Raises ZeroDivisionError before the first round."""
        return self.total / self.visits


# The upper bound of a child from its rounds, its parent's, and the policy's probability of the tactic between them.
Bound = Callable[[Rounds, Rounds, float], float]


def uct(c: float) -> Bound:
    """Q + c sqrt(ln N / n), N and n the visits of parent and child (Kocsis and Szepesvari 2006)."""
    return lambda child, parent, _prior: child.mean + c * math.sqrt(math.log(parent.visits) / child.visits)


def puct(c: float) -> Bound:
    """Q + c P sqrt(N) / (1 + n), P the policy's probability (Silver et al. 2017)."""
    return lambda child, parent, prior: child.mean + c * prior * math.sqrt(parent.visits) / (1 + child.visits)


async def mcts(
    session: Session,
    policy: Policy,
    budget: Budget,
    *,
    bound: Bound,
    depth: int,
    accept: Accept,
) -> SearchResult:
    """Search by rounds down to states whose path has less than `depth` tactics; `bound` is `uct(c)` or `puct(c)`.

    Ends with the first proof that `accept` lets pass, or when no state has anything left to try. Nothing is random.
    Raises ValueError for a depth below 1.
    """
    if depth < 1:
        raise ValueError(f"depth must be at least 1; it is {depth}")
    search = Expander(session, policy, budget, SUM, accept)
    rounds: dict[Node, Rounds] = defaultdict(Rounds)
    closed: set[Node] = set()
    with suppress(SearchOver):
        while walk := _walk(search.tree, rounds, closed, bound, depth):
            node, value = walk[-1], 0.0
            for suggestion in await search.untried(node, 1):
                improved = await search.check(node, suggestion)
                if not closed.isdisjoint(improved):  # a shorter path may be within the depth again
                    closed.clear()
                child = node.edges[-1].outcome
                if isinstance(child, Node) and child not in walk:
                    value = rounds[child].mean if child in rounds else child.path.levin_score
                    walk.append(child)
                for state in walk:
                    rounds[state].visits += 1
                    rounds[state].total += value
    return search.result()


def _walk(tree: Tree, rounds: dict[Node, Rounds], closed: set[Node], bound: Bound, depth: int) -> list[Node]:
    """From the root to the state that is to try a tactic; empty when there is none.

    `closed` gains the states at which a walk came to a stop: they have nothing to try, and lead only to closed states
    or back onto the walk. Whatever can still be tried is reached without them.
    """
    walk = [tree.root]
    while walk:
        node = walk[-1]
        below = [
            (edge.outcome, edge)
            for edge in node.edges
            if isinstance(edge.outcome, Node) and edge.outcome not in closed and edge.outcome not in walk
        ]
        is_open = not node.exhausted and node.path.depth < depth
        if is_open and (not below or len(node.edges) < math.ceil(math.sqrt(rounds[node].visits + 1))):
            return walk
        if below:
            walk.append(max(below, key=lambda way: bound(rounds[way[0]], rounds[node], math.exp(way[1].log_prob)))[0])
        else:
            closed.add(walk.pop())
    return walk
