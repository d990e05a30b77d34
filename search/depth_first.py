"""Depth-first search with three rules of going back: one tactic is drawn at a time, a hit goes on from where it led.

After a miss (a failure, a state of the path itself, one that is too deep or has nothing to try) the search goes on from
a state of its path, the root and the last state included:

- depth-first from the deepest,
- randomised depth-first from any, all being equally likely,
- value depth-first from x_k with probability proportional to its Levin score s_k = (p_1 ... p_k) ** (1 / k), s_0 = 1.

As Ousherovitch and Tewari ("Direct Optimization of Generators for Search in ATP", 2026) deploy them. They leave open
what to do when no state of the path has anything left to try: then it is the state found last that has.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from contextlib import suppress

from lean_env.engine import Session
from search.budget import Budget, SearchResult
from search.draws import Draws
from search.expansion import Accept, Expander, SearchOver
from search.policy import Policy
from search.tree import MEAN, SUM, Node

# Which of the states, at least one and the root first, to go back to.
Rule = Callable[[Sequence[Node], random.Random], Node]


def to_the_deepest(states: Sequence[Node], _chance: random.Random) -> Node:
    """Depth-first."""
    return states[-1]


def to_any(states: Sequence[Node], chance: random.Random) -> Node:
    """Randomised depth-first."""
    return chance.choice(states)


def by_levin_score(states: Sequence[Node], chance: random.Random) -> Node:
    """Value depth-first."""
    logs = [MEAN.score(state.path.sum_log_prob, state.path.depth) for state in states]
    top = max(logs)  # only ratios matter, and the best must not vanish
    return chance.choices(states, [math.exp(log - top) for log in logs])[0]


async def depth_first(
    session: Session,
    policy: Policy,
    budget: Budget,
    *,
    back: Rule,
    depth: int,
    seed: int,
    accept: Accept,
) -> SearchResult:
    """Search paths of at most `depth` tactics.

    `seed` and the theorem's initial state settle what `back` leaves to chance. Ends with the first proof that `accept`
    lets pass, or when no state has anything left to try. Raises ValueError for a depth below 1.
    """
    if depth < 1:
        raise ValueError(f"depth must be at least 1; it is {depth}")
    search = Expander(session, policy, budget, SUM, accept)
    drawn, chance = Draws(search), random.Random(f"{seed} {session.root.text}")

    def is_open(state: Node) -> bool:
        return not state.exhausted and state.path.depth < depth

    node: Node | None = search.tree.root
    with suppress(SearchOver):
        while node:
            edge = await drawn.expand(node)
            path = node.states()
            if edge and isinstance(edge.outcome, Node) and edge.outcome not in path and is_open(edge.outcome):
                node = edge.outcome
            elif states := [state for state in path if is_open(state)]:
                node = back(states, chance)
            else:
                node = next((state for state in search.tree.latest if is_open(state)), None)
    return search.result()
