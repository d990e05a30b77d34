"""Shaped search: how many tactics are tried on a state is settled by its depth, and nothing else.

States come in the order of their summed log-probabilities, likeliest first. No state that is found later can lie on a
likelier path to one that has had its turn, so a state keeps the depth at which it was expanded, and the tactics tried
for each state of the measured shape (search.shape) are those asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from lean_env.engine import Session
from search.best_first import Frontier
from search.budget import Budget, SearchResult
from search.expansion import Accept, Expander, SearchOver
from search.policy import Policy
from search.tree import SUM


async def shaped(
    session: Session,
    policy: Policy,
    budget: Budget,
    *,
    widths: Sequence[int],
    accept: Accept,
) -> SearchResult:
    """Try exactly `widths[d]` different tactics on each state of depth d, as far as the policy gives so many.

    Every state is expanded once, those of depth len(widths) not at all. Ends with the first proof that `accept` lets
    pass, or when the shape is filled. Nothing is random. Raises ValueError for no widths or one below 1.
    """
    if not widths or min(widths) < 1:
        raise ValueError(f"a shape needs widths of at least 1; it is {list(widths)}")
    search = Expander(session, policy, budget, SUM, accept)
    frontier = Frontier(SUM)
    frontier.push(search.tree.root)
    with suppress(SearchOver):
        while popped := frontier.pop():
            (node,) = popped
            if node.edges or node.path.depth >= len(widths):
                continue
            for suggestion in await search.untried(node, widths[node.path.depth]):
                for changed in await search.check(node, suggestion):
                    frontier.push(changed)
    return search.result()
