"""Independent rollouts, pass@N: from the root on, one tactic is drawn at each state, until a proof or a failure.

One expansion is one tactic drawn and checked (search.draws).
"""

from __future__ import annotations

from contextlib import suppress

from lean_env.engine import Session
from search.budget import Budget, SearchResult
from search.draws import Draws
from search.expansion import Accept, Expander, SearchOver
from search.policy import Policy
from search.tree import SUM, Node


async def rollouts(
    session: Session,
    policy: Policy,
    budget: Budget,
    *,
    depth: int,
    accept: Accept,
) -> SearchResult:
    """Search by rollouts of at most `depth` tactics.

    A rollout ends as well at a state whose likeliest known path has `depth` tactics, since a proof would be that path
    with one more. Ends with the first proof that `accept` lets pass, or when the root has nothing more to draw. Raises
    ValueError for a depth below 1.
    """
    if depth < 1:
        raise ValueError(f"depth must be at least 1; it is {depth}")
    search = Expander(session, policy, budget, SUM, accept)
    drawn, root = Draws(search), search.tree.root
    with suppress(SearchOver):
        while not root.exhausted:
            node = root
            for _ in range(depth):
                edge = await drawn.expand(node)
                if edge is None or not isinstance(edge.outcome, Node) or edge.outcome.path.depth >= depth:
                    break
                node = edge.outcome
    return search.result()
