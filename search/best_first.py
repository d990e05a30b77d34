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
from collections.abc import Awaitable, Callable, Iterable
from itertools import islice

from lean_env.engine import Failed, FailureKind, Proved, Session
from search.budget import Budget, Meter, SearchResult, SearchStatus
from search.policy import Policy, Suggestion
from search.tree import Node, Priority, Tree

REFUSED = Failed(FailureKind.REFUSED, "Lean found no goal left, but the finished proof did not pass verification")


async def best_first(
    session: Session,
    policy: Policy,
    budget: Budget,
    *,
    priority: Priority,
    width: int,
    accept: Callable[[tuple[str, ...]], Awaitable[bool]],
) -> SearchResult:
    """Search for a proof of the session's theorem, trying `width` tactics a pop.

    Ends with the first proof that `accept` (the verification) lets pass; a proof that it refuses is a failed tactic.
    Nothing is random here, and ties go to the state that has waited longest: a policy and a Lean that answer alike
    give the same search, and a larger budget begins with the same expansions. Raises ValueError for `width` < 1, and
    lets through whatever the session, the policy and `accept` raise.
    """
    if width < 1:
        raise ValueError(f"width must be at least 1; it is {width}")
    tree = Tree(session.root, priority)
    frontier = Frontier(priority)
    frontier.push(tree.root)
    meter = Meter(budget)
    while node := frontier.pop():
        if limit := meter.limit:
            return SearchResult(limit, None, tree, meter.spent())
        suggestions = await meter.policy(policy.suggest(node.text, len(node.edges) + width))
        fresh = list(islice(_untried(node, suggestions), width))
        node.exhausted = not fresh
        for suggestion in fresh:
            if meter.limit:
                break
            result, lean_s = await meter.lean(session, node.state, suggestion.tactic)
            if isinstance(result, Proved):
                proof = (*node.path.tactics(), suggestion.tactic)
                if await accept(proof):
                    tree.add(node, suggestion, result, lean_s)
                    return SearchResult(SearchStatus.PROVED, proof, tree, meter.spent())
                result = REFUSED
            for changed in tree.add(node, suggestion, result, lean_s):
                frontier.push(changed)
        frontier.push(node)
    return SearchResult(SearchStatus.EXHAUSTED, None, tree, meter.spent())


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

    def pop(self) -> Node | None:
        """Take out the best state; None when there is none."""
        while self._heap:
            negative_rank, _, node = heapq.heappop(self._heap)
            if not node.exhausted and -negative_rank == self.rank(node):
                return node
        return None

    def rank(self, node: Node) -> float:
        """The best score that is still to come from `node`, as the head of this module defines it."""
        if not node.edges:
            return self._priority.score(node.path.sum_log_prob, node.path.depth)
        return self._priority.score(node.path.sum_log_prob + node.edges[-1].log_prob, node.path.depth + 1)


def _untried(node: Node, suggestions: Iterable[Suggestion]) -> Iterable[Suggestion]:
    """The suggestions whose tactics were not tried on `node`, each tactic once."""
    tried = {edge.tactic for edge in node.edges}
    for suggestion in suggestions:
        if suggestion.tactic not in tried:
            tried.add(suggestion.tactic)
            yield suggestion
