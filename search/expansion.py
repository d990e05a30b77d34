"""The step that all strategies are made of: a tactic is tried on a state, and what comes of it goes into the tree."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import islice

from lean_env.engine import Failed, FailureKind, Proved, Session
from search.budget import Budget, Meter, SearchResult, SearchStatus
from search.policy import Policy, Suggestion
from search.tree import Node, Priority, Tree

Accept = Callable[[tuple[str, ...]], Awaitable[bool]]

REFUSED = Failed(FailureKind.REFUSED, "Lean found no goal left, but the finished proof did not pass verification")


class Expander:
    """One search as it goes: its tree, its meter, and the proof as soon as there is one.

    A proof counts when `accept` (the verification) lets it pass; one that it refuses is a failed tactic. Whatever the
    session, the policy and `accept` raise is let through.
    """

    def __init__(self, session: Session, policy: Policy, budget: Budget, priority: Priority, accept: Accept) -> None:
        self.policy = policy
        self.tree = Tree(session.root, priority)
        self.meter = Meter(budget, policy)
        self.proof: tuple[str, ...] | None = None
        self._session, self._accept = session, accept

    async def untried(self, node: Node, n: int) -> list[Suggestion]:
        """The next `n` tactics of the policy that were not tried on `node`; without any, the node is exhausted."""
        suggestions = await self.meter.policy(self.policy.suggest(node.text, len(node.edges) + n))
        fresh = list(islice(_untried(node, suggestions), n))
        node.exhausted = not fresh
        return fresh

    async def check(self, node: Node, suggestion: Suggestion) -> list[Node]:
        """Run a tactic on `node`: one expansion, its last edge from now on. Returns the nodes whose path is new."""
        result, lean_s = await self.meter.lean(self._session, node.state, suggestion.tactic)
        if isinstance(result, Proved):
            proof = (*node.path.tactics(), suggestion.tactic)
            if await self._accept(proof):
                self.proof = proof
            else:
                result = REFUSED
        return self.tree.add(node, suggestion, result, lean_s)

    def ended(self, status: SearchStatus) -> SearchResult:
        """What the search has come to: the proof, if there is one, whatever `status` says."""
        return SearchResult(SearchStatus.PROVED if self.proof else status, self.proof, self.tree, self.meter.spent())


def _untried(node: Node, suggestions: Iterable[Suggestion]) -> Iterator[Suggestion]:
    """The suggestions whose tactics were not tried on `node`, each tactic once."""
    tried = {edge.tactic for edge in node.edges}
    for suggestion in suggestions:
        if suggestion.tactic not in tried:
            tried.add(suggestion.tactic)
            yield suggestion
