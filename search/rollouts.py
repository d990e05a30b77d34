"""Independent rollouts, pass@N: from the root on, one tactic is drawn at each state, until a proof or a failure.

One expansion is one tactic drawn and checked, as in the published accounting, so a draw that repeats an earlier one
costs an expansion as well. Lean is not asked again for it: the tree knows what came of it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Awaitable, Callable

from lean_env.engine import Failed, FailureKind, Proved, Session
from search.best_first import REFUSED
from search.budget import Budget, Meter, SearchResult, SearchStatus
from search.policy import SamplingPolicy, Suggestion
from search.tree import SUM, Edge, Node, Tree

NO_TACTIC = Failed(FailureKind.ERROR, "the draw is no tactic: it was cut off before its end")


async def rollouts(
    session: Session,
    policy: SamplingPolicy,
    budget: Budget,
    *,
    depth: int,
    draws: int,
    accept: Callable[[tuple[str, ...]], Awaitable[bool]],
) -> SearchResult:
    """Search by rollouts of at most `depth` tactics; `draws` of them are asked of the policy at a time for one state.

    Ends with the first proof that `accept` lets pass. Raises ValueError for a depth or draws below 1.
    """
    if depth < 1 or draws < 1:
        raise ValueError(f"depth and draws must be at least 1; they are {depth} and {draws}")
    tree, meter = Tree(session.root, SUM), Meter(budget)
    waiting: dict[Node, deque[Suggestion]] = defaultdict(deque)
    known: dict[tuple[Node, str], Edge] = {}

    async def expand(node: Node) -> Edge | None:
        """Draw a tactic for `node` and check it; None when the policy gives none."""
        if not waiting[node]:
            waiting[node].extend(await meter.policy(policy.sample(node.text, draws)))
        if not waiting[node]:
            return None
        drawn = waiting[node].popleft()
        edge = known.get((node, drawn.tactic))
        if edge is not None:
            meter.draw()
            return edge
        if drawn.tactic:
            result, lean_s = await meter.lean(session, node.state, drawn.tactic)
        else:
            meter.draw()
            result, lean_s = NO_TACTIC, 0.0
        if isinstance(result, Proved) and not await accept((*node.path.tactics(), drawn.tactic)):
            result = REFUSED
        tree.add(node, drawn, result, lean_s)
        return known.setdefault((node, drawn.tactic), tree.edges[-1])

    while True:
        node, path = tree.root, list[str]()
        while len(path) < depth:
            if limit := meter.limit:
                return SearchResult(limit, None, tree, meter.spent())
            edge = await expand(node)
            if edge is None:
                return SearchResult(SearchStatus.EXHAUSTED, None, tree, meter.spent())
            path.append(edge.tactic)
            if isinstance(edge.outcome, Proved):
                proof = (*node.path.tactics(), edge.tactic)
                return SearchResult(SearchStatus.PROVED, proof, tree, meter.spent())
            if not isinstance(edge.outcome, Node):
                break
            node = edge.outcome
