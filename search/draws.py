"""Expansions by drawing: one tactic is drawn for a state and checked, as in the published accounting.

A draw that repeats an earlier one costs an expansion as well. Lean is not asked again for it: the tree knows what came
of it. A policy that cannot be drawn from gives its next untried suggestion in place of a draw.
"""

from __future__ import annotations

from collections import defaultdict, deque

from lean_env.engine import Failed, FailureKind
from search.expansion import Expander
from search.policy import SamplingPolicy, Suggestion
from search.tree import Edge, Node

NO_TACTIC = Failed(FailureKind.ERROR, "the draw is no tactic: it was cut off before its end")


class Draws:
    """The draws of one search; `batch` of them are asked of the policy at a time for one state.

    Raises ValueError for a batch below 1.
    """

    def __init__(self, search: Expander, batch: int) -> None:
        if batch < 1:
            raise ValueError(f"draws must be at least 1; they are {batch}")
        self._search, self._batch = search, batch
        self._waiting: dict[Node, deque[Suggestion]] = defaultdict(deque)
        self._known: dict[tuple[Node, str], Edge] = {}

    async def expand(self, node: Node) -> Edge | None:
        """Draw a tactic for `node` and check it. None when the policy gives none: the node is exhausted."""
        if not self._waiting[node] and not node.exhausted:
            self._waiting[node].extend(await self._ask(node))
        if not self._waiting[node]:
            node.exhausted = True
            return None
        drawn = self._waiting[node].popleft()
        known = self._known.get((node, drawn.tactic))
        if known is not None:
            self._search.meter.redraw()
            return known
        if drawn.tactic:
            await self._search.check(node, drawn)
        else:
            self._search.meter.blank()
            self._search.tree.add(node, drawn, NO_TACTIC, 0.0)
        return self._known.setdefault((node, drawn.tactic), node.edges[-1])

    async def _ask(self, node: Node) -> list[Suggestion]:
        policy = self._search.policy
        if isinstance(policy, SamplingPolicy):
            return list(await self._search.meter.policy(policy.sample(node.text, self._batch)))
        return await self._search.untried(node, 1)
