"""Shorter proofs: steps that a proof does not need are left out, and shorter tactics take the place of longer ones.

All of it is checked by running the tactics from the state before the change to the end. The claim that what comes out
is a proof is the session's: verify it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lean_env.engine import Failed, ProofState, Proved, Session

_LIST = re.compile(r"\[([^\[\]]*)\]")  # of lemmas or hypotheses: simp [a, b]


async def minimized(session: Session, tactics: Sequence[str], closers: Sequence[str] = ()) -> tuple[str, ...]:
    """A proof that no single change makes shorter, fewer tactics being shorter, then fewer characters.

    The changes: a tactic is left out; one of `closers` ends the proof where it stands; a tactic loses an item of a list
    in brackets. Returns `tactics` where they prove nothing. Give a session that knows what it was asked before: most
    of what is asked is asked again after each change.
    """
    proof = tuple(tactics)
    if not await _proves(session, session.root, proof):
        return proof
    while True:
        proof = await without_idle_steps(session, proof)
        shorter = await _changed(session, proof, closers)
        if shorter is None:
            return proof
        proof = shorter


async def without_idle_steps(session: Session, tactics: Sequence[str]) -> tuple[str, ...]:
    """`tactics` without those that it can do without, tried from the last to the first; one pass.

    Costs about len(tactics)² / 2 tactics of Lean.
    """
    kept = tuple(tactics)
    states = await _states(session, kept)
    for place in reversed(range(len(tactics) - 1)):
        rest = kept[place + 1 :]
        if await _proves(session, states[place], rest):
            kept = kept[:place] + rest
    return kept


async def _changed(session: Session, proof: tuple[str, ...], closers: Sequence[str]) -> tuple[str, ...] | None:
    """The proof with the first change that makes it shorter; None when there is none."""
    for place, state in enumerate(await _states(session, proof)):
        rest = proof[place + 1 :]
        for end in [*((closer,) for closer in closers), *((less, *rest) for less in _with_less(proof[place]))]:
            if _size(end) < _size(proof[place:]) and await _proves(session, state, end):
                return proof[:place] + end
    return None


def _size(tactics: Sequence[str]) -> tuple[int, int]:
    return len(tactics), sum(map(len, tactics))


def _with_less(tactic: str) -> Iterator[str]:
    """The tactic with one item less in one of its lists, and without the list where that was the last item."""
    for found in _LIST.finditer(tactic):
        items = found[1].split(",")
        for place in range(len(items)):
            left = ",".join(items[:place] + items[place + 1 :]).strip()
            before, after = tactic[: found.start()], tactic[found.end() :]
            yield f"{before}[{left}]{after}" if left else f"{before.rstrip()}{after}"


async def _states(session: Session, tactics: Sequence[str]) -> list[ProofState]:
    """The state before each tactic of a proof."""
    states = [session.root]
    for tactic in tactics[:-1]:
        result = await session.run(states[-1], tactic)
        if not isinstance(result, ProofState):
            break
        states.append(result)
    return states


async def _proves(session: Session, state: ProofState, tactics: Sequence[str]) -> bool:
    """Whether `tactics` lead from `state` to a proof, each of them being needed for it."""
    for number, tactic in enumerate(tactics):
        result = await session.run(state, tactic)
        if isinstance(result, Proved):
            return number == len(tactics) - 1
        if isinstance(result, Failed):
            return False
        state = result
    return False
