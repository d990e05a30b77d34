"""AND-OR search: goals that share no metavariable are proved apart, each by a search of its own.

A tactic that leaves several such goals is taken as a proof of its state as soon as every one of them is proved. Their
proofs stand one after the other in the whole proof, as each works on the first goal that is open. Goals of which one is
not proved in its part of the budget are one state, as if nobody had known that they are independent. So are goals
whose proofs do not pass verification as a whole, and goals of which the engine cannot tell.

Strategies do not notice: they search in a session in which such tactics end a proof.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from lean_env.engine import Failed, FailureKind, ProofState, Proved, Session, TacticResult
from search.budget import Budget, SearchResult, SearchStatus, Spent
from search.expansion import Accept, ProvedApart
from search.known import KnowingSession
from search.tree import Edge

# A strategy with its policy.
Search = Callable[[Session, Budget, Accept], Awaitable[SearchResult]]

FEWEST = 8  # expansions for a goal, however early it is met
BEYOND = Failed(FailureKind.ERROR, "the tactic works on other goals than the one that is proved apart")


async def apart(search: Search, session: Session, budget: Budget, accept: Accept) -> SearchResult:
    """`search` for a proof of the session's theorem, proving independent goals apart. The tree is that of the whole.

    Of the budget, expansions and wall time are those of all searches together. Raises ValueError for a budget that
    limits anything else, as one search does not see what another spends of it, and for one whose turns others share.
    """
    if budget.turns:
        raise ValueError("goals cannot be proved apart where members take turns: split the budget equally")
    if others := set(budget.limits) - {"expansions", "wall_s"}:
        raise ValueError(f"goals cannot be proved apart within limits of {', '.join(sorted(others))}")
    common = _Common(budget)
    return await _apart(search, session, replace(budget, turns=common), accept, common)


async def _apart(search: Search, session: Session, budget: Budget, accept: Accept, common: _Common) -> SearchResult:
    splitting = _Splitting(session, search, common)
    whole: tuple[str, ...] | None = None

    async def finish(tactics: tuple[str, ...]) -> bool:
        nonlocal whole
        whole = (*tactics, *splitting.rest)
        return await accept(whole)

    result = await search(splitting, budget, finish)
    return replace(result, proof=result.proof and whole, spent=_together(result.spent, splitting.parts))


async def _claimed(_proof: tuple[str, ...]) -> bool:
    """The proof of a goal is verified with the whole."""
    return True


def _together(spent: Spent, parts: Sequence[Spent]) -> Spent:
    """What a search has spent with the searches for its goals, which to it were requests to Lean."""
    return replace(
        spent,
        expansions=spent.expansions + sum(part.expansions for part in parts),
        redraws=spent.redraws + sum(part.redraws for part in parts),
        repeats=spent.repeats + sum(part.repeats for part in parts),
        policy_calls=spent.policy_calls + sum(part.policy_calls for part in parts),
        lean_s=spent.lean_s + sum(part.lean_s - part.wall_s for part in parts),
        policy_s=spent.policy_s + sum(part.policy_s for part in parts),
    )


class _Common:
    """What all searches on one theorem may spend, first come, first served; implements search.budget.Turns."""

    def __init__(self, budget: Budget) -> None:
        self._expansions, self._wall_s = budget.expansions, budget.wall_s
        self._start = time.perf_counter()
        self.spent = 0

    async def wait(self) -> SearchStatus | None:
        if self.spent == self._expansions:
            return SearchStatus.BUDGET
        self.spent += 1
        return None

    def over(self, edge: Edge, expansions: int) -> None:
        self.spent -= 1 - expansions

    def part(self, expansions: int) -> Budget:
        """For one more search."""
        wall_s = None if self._wall_s is None else max(0.0, self._wall_s - (time.perf_counter() - self._start))
        return Budget(expansions, wall_s=wall_s, turns=self)


class _Wrapped:
    """A session around another one, which stays its owner's to close."""

    def __init__(self, session: Session, root: ProofState) -> None:
        self._session, self.root = session, root

    def _inner(self, state: ProofState) -> ProofState:
        """What the other session knows `state` by."""
        return state

    def knows(self, state: ProofState, tactic: str) -> bool:
        """Whether the other session answers without Lean."""
        return isinstance(self._session, KnowingSession) and self._session.knows(self._inner(state), tactic)

    async def close(self) -> None:
        """Nothing to release."""


class _Splitting(_Wrapped):
    """Where a tactic leaves independent goals and all are proved apart, it ends a proof; `rest` is what follows it."""

    def __init__(self, session: Session, search: Search, common: _Common) -> None:
        super().__init__(session, session.root)
        self._search, self._common = search, common
        self._tried: set[str] = set()
        self.rest: tuple[str, ...] = ()
        self.parts: list[Spent] = []

    async def run(self, state: ProofState, tactic: str) -> TacticResult:
        """The result of `tactic`, with the searches for the goals that it leaves."""
        known = self.knows(state, tactic)
        result, self.rest = await self._session.run(state, tactic), ()
        if not isinstance(result, ProofState) or len(result.goals) == 1 or not result.independent:
            return result
        if result.text in self._tried:
            return result
        self._tried.add(result.text)
        # A known tactic will have cost nothing: the searches for its goals may have what its turn holds.
        self._common.spent -= known
        rest = await self._prove_all(result)
        self._common.spent += known
        if rest is None:
            return result
        self.rest = rest
        return ProvedApart(result)

    async def _prove_all(self, state: ProofState) -> tuple[str, ...] | None:
        """Tactics that prove the goals of `state` in their order; together they may take what was spent until then.

        So the larger budget is never asked for, and what it proves tells what smaller ones prove.
        """
        share = max(FEWEST, self._common.spent // len(state.goals))
        tactics: tuple[str, ...] = ()
        for _ in state.goals:
            goal = _Goal(self._session, state)
            result = await _apart(self._search, goal, self._common.part(share), _claimed, self._common)
            self.parts.append(result.spent)
            if result.proof is None:
                return None
            tactics += result.proof
            state = goal.after
        return tactics


class _Goal(_Wrapped):
    """The first goal of a state as a theorem of its own. The others stand behind it and are to stay as they are.

    Whether they do is read off their texts. A tactic that leaves the same texts by another way is found out when the
    whole proof is verified. `after` is the state of the others once the goal is proved.
    """

    def __init__(self, session: Session, state: ProofState) -> None:
        super().__init__(session, replace(state, goals=state.goals[:1]))
        self._others = state.goals[1:]
        self.after = replace(state, goals=self._others)

    def _inner(self, state: ProofState) -> ProofState:
        return replace(state, goals=state.goals + self._others)

    async def run(self, state: ProofState, tactic: str) -> TacticResult:
        """The result of `tactic` for this goal."""
        result = await self._session.run(self._inner(state), tactic)
        if isinstance(result, Failed):
            return result
        goals = result.goals if isinstance(result, ProofState) else ()
        own = len(goals) - len(self._others)
        if own < 0 or goals[own:] != self._others:
            return BEYOND
        if isinstance(result, ProofState):
            if own:
                return replace(result, goals=goals[:own])
            self.after = result
        return Proved()
