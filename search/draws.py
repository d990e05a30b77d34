"""Expansions by drawing: one tactic is drawn for a state and checked, as in the published accounting.

A draw that repeats an earlier one costs an expansion as well. Lean is not asked again for it: the tree knows what came
of it. A policy that cannot be drawn from gives its next untried suggestion in place of a draw.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence

from search.expansion import Expander
from search.policy import SamplingPolicy, Suggestion
from search.tree import Edge, Node

# Draws asked of the policy at a time for one state: as many as it has had, from few, since most states are left soon.
FEWEST, MOST = 4, 32


class Draws:
    """The draws of one search."""

    def __init__(self, search: Expander) -> None:
        self._search = search
        self._asked: dict[Node, int] = defaultdict(int)
        self._waiting: dict[Node, deque[Suggestion]] = defaultdict(deque)
        self._known: dict[tuple[Node, str], Edge] = {}

    async def expand(self, node: Node) -> Edge | None:
        """Draw a tactic for `node` and check it. None when the policy gives none: the node is exhausted."""
        waiting = self._waiting[node]
        if not waiting and not node.exhausted:
            waiting.extend(await self._ask(node))
        if not waiting:
            return None
        drawn = waiting.popleft()
        key = node, drawn.tactic
        if key in self._known:
            await self._search.redraw(self._known[key])
        else:
            await (self._search.check if drawn.tactic else self._search.check_blank)(node, drawn)
            self._known[key] = node.edges[-1]
        return self._known[key]

    async def _ask(self, node: Node) -> Sequence[Suggestion]:
        policy = self._search.policy
        if not isinstance(policy, SamplingPolicy):
            return await self._search.untried(node, 1)
        count = min(max(self._asked[node], FEWEST), MOST)
        self._asked[node] += count
        return await self._search.draws(node, policy, count)
