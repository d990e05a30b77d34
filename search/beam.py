"""Beam search: level by level, the best states that were reached are kept and all others are dropped."""

from __future__ import annotations

from contextlib import suppress

from lean_env.engine import Session
from search.budget import Budget, SearchResult
from search.expansion import Accept, Expander, SearchOver
from search.policy import Policy
from search.tree import Node, Priority


async def beam(
    session: Session,
    policy: Policy,
    budget: Budget,
    *,
    priority: Priority,
    width: int,
    tactics: int,
    depth: int,
    accept: Accept,
) -> SearchResult:
    """Try `tactics` on each of the `width` best states of each of `depth` levels, the root being the first.

    A state that was expanded before, on whichever level, is in no later one, and one whose path has `depth` tactics,
    as a better path may be longer, is not expanded. Equally good states are kept in the order
    in which they were found. Ends with the first proof that `accept` lets pass, or without states to keep. Nothing is
    random. Raises ValueError for a width, tactics or a depth below 1.
    """
    if width < 1 or tactics < 1 or depth < 1:
        raise ValueError(f"width, tactics and depth must be at least 1; they are {width}, {tactics} and {depth}")
    search = Expander(session, policy, budget, priority, accept)
    kept, seen = [search.tree.root], {search.tree.root}
    with suppress(SearchOver):
        for _ in range(depth):
            reached: dict[Node, None] = {}
            for node in kept:
                for suggestion in await search.untried(node, tactics) if node.path.depth < depth else ():
                    await search.check(node, suggestion)
                    child = node.edges[-1].outcome
                    if isinstance(child, Node) and child not in seen:
                        reached[child] = None
            kept = sorted(reached, key=lambda node: -priority.score(node.path.sum_log_prob, node.path.depth))[:width]
            seen.update(kept)
    return search.result()
