"""Best-first search: always go on with the most promising state.

A state is popped more than once. Each pop tries its next `width` tactics (published set-up: 4) and puts it back, ranked
by the best that is still to come from it:

- a state on which nothing was tried ranks by the score of its path, as published;
- a state whose last tried tactic had log-probability l ranks by the score that a child reached by a tactic of
  log-probability l would have, `score(sum + l, depth + 1)`. Tactics come likeliest first, so no untried tactic can
  score better, and the state queues behind the children it has just gained. For sums this is the state's score plus
  l. For the mean and the length-normalised sum it can lie above the state's own score, like the children's scores
  themselves: it is with those that the untried tactics compete.

For sums (alpha = 0) the rank bounds every proof that is still to come from the state, so no proof of the theorem can
have a larger summed log-probability than the rank of the pop that found the first one. The first proof found is not
always the likeliest itself: the tactics of a state not yet popped are unknown, and its rank counts the next as certain.
"""

from __future__ import annotations

import heapq
from contextlib import suppress

from lean_env.engine import Session
from search.budget import Budget, SearchResult
from search.expansion import Accept, Expander, SearchOver
from search.policy import Policy
from search.tree import Node, Priority


async def best_first(
    session: Session,
    policy: Policy,
    budget: Budget,
    *,
    priority: Priority,
    width: int,
    depth: int | None = None,
    pops: int = 1,
    accept: Accept,
) -> SearchResult:
    """Search for a proof of the session's theorem, taking up the `pops` best states at a time, `width` tactics on each.

    States whose path has `depth` tactics are not expanded (published: 5 tactics, two states at a time). Ends with the
    first proof that `accept` (the verification) lets pass; a proof that it refuses is a failed tactic. Nothing is
    random here, and ties go to the state that has waited longest: a policy and a Lean that answer alike give the same
    search, and a larger budget begins with the same expansions. Raises ValueError for a width, depth or pops < 1, and
    lets through whatever the session, the policy and `accept` raise.
    """
    for name, value in (("width", width), ("depth", depth), ("pops", pops)):
        if value is not None and value < 1:
            raise ValueError(f"{name} must be at least 1; it is {value}")
    search = Expander(session, policy, budget, priority, accept)
    frontier = Frontier(priority)
    frontier.push(search.tree.root)
    with suppress(SearchOver):
        while popped := frontier.pop(pops):
            for node in popped:
                if depth is not None and node.path.depth >= depth:
                    continue
                for suggestion in await search.untried(node, width):
                    for changed in await search.check(node, suggestion):
                        frontier.push(changed)
                frontier.push(node)
    return search.result()


class Frontier:
    """The states that still have tactics to try, best first; equal ranks in the order of their arrival.

    A state whose rank has changed is pushed again. Its old entry stays in the heap and is passed over when its turn
    comes, because it no longer bears the state's rank.
    """

    def __init__(self, priority: Priority) -> None:
        self._priority = priority
        self._heap: list[tuple[float, int, Node]] = []
        self._pushes = 0

    def push(self, node: Node) -> None:
        """Put `node` in at its present rank, unless it is exhausted."""
        if not node.exhausted:
            heapq.heappush(self._heap, (-self.rank(node), self._pushes, node))
            self._pushes += 1

    def pop(self, count: int = 1) -> list[Node]:
        """Take out the `count` best states, or as many as there are."""
        best: list[Node] = []
        while self._heap and len(best) < count:
            negative_rank, _, node = heapq.heappop(self._heap)
            if not node.exhausted and -negative_rank == self.rank(node):
                best.append(node)
        return best

    def rank(self, node: Node) -> float:
        """The best score that is still to come from `node`, as the head of this module defines it."""
        if not node.edges:
            return self._priority.score(node.path.sum_log_prob, node.path.depth)
        return self._priority.score(node.path.sum_log_prob + node.edges[-1].log_prob, node.path.depth + 1)
