"""Shorter proofs: steps that a proof does not need are left out, if Lean finds no goal open at its end without them."""

from __future__ import annotations

from collections.abc import Sequence

from lean_env.engine import Failed, ProofState, Proved, Session


async def without_idle_steps(session: Session, tactics: Sequence[str]) -> tuple[str, ...]:
    """`tactics` without those that it can do without, tried from the last to the first; one pass.

    The claim is the session's: verify the result. Costs about len(tactics)² / 2 tactics of Lean.
    """
    kept = tuple(tactics)
    states = await _states(session, kept)
    for place in reversed(range(len(tactics) - 1)):
        rest = kept[place + 1 :]
        if await _proves(session, states[place], rest):
            kept = kept[:place] + rest
    return kept


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
