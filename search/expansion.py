"""The step that all strategies are made of: a tactic is tried on a state, and what comes of it goes into the tree.

A strategy says what is tried next, and nothing of when to stop: its steps run `with suppress(SearchOver)`, which is
raised at the first proof and at the first limit of the budget.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NoReturn

from lean_env.engine import Failed, FailureKind, ProofState, Proved, Session
from search.budget import Budget, Meter, SearchResult, SearchStatus
from search.policy import Policy, SamplingPolicy, Suggestion
from search.tree import Edge, Node, Priority, Tree

Accept = Callable[[tuple[str, ...]], Awaitable[bool]]

REFUSED = Failed(FailureKind.REFUSED, "Lean found no goal left, but the finished proof did not pass verification")
NO_TACTIC = Failed(FailureKind.ERROR, "the draw is no tactic: it was cut off before its end")
NO_TEXT = Failed(FailureKind.ERROR, "the tactic has half a character (a lone surrogate), which Lean cannot be given")


@dataclass(frozen=True, slots=True)
class ProvedApart(Proved):
    """A tactic that ends a proof because the goals it leaves were proved by searches of their own.

    They are `state`, from which the search goes on where verification refuses the whole.
    """

    state: ProofState


class SearchOver(Exception):
    """There is a proof, or a limit was reached: the search's result tells."""


class Expander:
    """One search as it goes: its tree, its meter, and the proof as soon as there is one.

    A proof counts when `accept` (the verification) lets it pass; one that it refuses is a failed tactic, or leads to
    the goals that were proved apart. Whatever the session, the policy and `accept` raise is let through. All methods
    that await raise SearchOver.
    """

    def __init__(self, session: Session, policy: Policy, budget: Budget, priority: Priority, accept: Accept) -> None:
        self.policy = policy
        self.tree = Tree(session.root, priority)
        self._meter = Meter(budget, policy)
        self._turns = budget.turns
        self._status = SearchStatus.EXHAUSTED
        self._proof: tuple[str, ...] | None = None
        self._session, self._accept = session, accept

    async def untried(self, node: Node, n: int) -> list[Suggestion]:
        """The next `n` tactics of the policy that were not tried on `node`; without any, the node is exhausted."""
        self._stop_at_limits()
        suggestions = await self._meter.policy(self.policy.suggest(node.text, len(node.edges) + n))
        fresh = list(islice(_untried(node, suggestions), n))
        node.exhausted = not fresh
        return fresh

    async def draws(self, node: Node, policy: SamplingPolicy, n: int) -> Sequence[Suggestion]:
        """`n` draws of the policy for `node`; without any, the node is exhausted."""
        self._stop_at_limits()
        drawn = await self._meter.policy(policy.sample(node.text, n))
        node.exhausted = not drawn
        return drawn

    async def check(self, node: Node, suggestion: Suggestion) -> list[Node]:
        """Run a tactic on `node`: one expansion, its last edge from now on. Returns the nodes whose path is new."""
        if not _is_text(suggestion.tactic):
            await self._without_lean(node, suggestion, NO_TEXT)
            return []
        before = await self._turn()
        result, lean_s = await self._meter.lean(self._session, node.state, suggestion.tactic)
        if isinstance(result, Proved):
            proof = (*node.path.tactics(), suggestion.tactic)
            if await self._accept(proof):
                self._proof = proof
            else:
                result = result.state if isinstance(result, ProvedApart) else REFUSED
        changed = self.tree.add(node, suggestion, result, lean_s)
        self._over(node.edges[-1], before)
        if self._proof:
            self._stop(SearchStatus.PROVED)
        return changed

    async def check_blank(self, node: Node, draw: Suggestion) -> None:
        """Count a draw for `node` that is no tactic: one expansion, its last edge from now on, without Lean."""
        await self._without_lean(node, draw, NO_TACTIC)

    async def redraw(self, edge: Edge) -> None:
        """Count a draw of a tactic whose edge this search has: one expansion, without Lean."""
        before = await self._turn()
        self._meter.redraw()
        self._over(edge, before)

    def result(self) -> SearchResult:
        """What the search has come to."""
        return SearchResult(self._status, self._proof, self.tree, self._meter.spent())

    async def _without_lean(self, node: Node, suggestion: Suggestion, why: Failed) -> None:
        before = await self._turn()
        self._meter.blank()
        self.tree.add(node, suggestion, why, 0.0)
        self._over(node.edges[-1], before)

    async def _turn(self) -> int:
        """Come to the next turn, within the limits; returns the expansions that are spent so far."""
        self._stop_at_limits()
        if self._turns:
            if status := await self._turns.wait():
                self._stop(status)
            self._stop_at_limits()  # time has passed
        return self._meter.expansions

    def _over(self, edge: Edge, before: int) -> None:
        if self._turns:
            self._turns.over(edge, self._meter.expansions - before)

    def _stop_at_limits(self) -> None:
        if limit := self._meter.limit:
            self._stop(limit)

    def _stop(self, status: SearchStatus) -> NoReturn:
        self._status = status
        raise SearchOver


def _is_text(tactic: str) -> bool:
    """Whether it can be written down at all: as JSON has it, a server's text may have half a pair of surrogates."""
    try:
        tactic.encode()
    except UnicodeEncodeError:
        return False
    return True


def _untried(node: Node, suggestions: Iterable[Suggestion]) -> Iterator[Suggestion]:
    """The suggestions whose tactics were not tried on `node`, each tactic once."""
    tried = {edge.tactic for edge in node.edges}
    for suggestion in suggestions:
        if suggestion.tactic not in tried:
            tried.add(suggestion.tactic)
            yield suggestion
