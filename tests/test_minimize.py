"""Shorter proofs, over a simulated Lean."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hypothesis import assume, given
from hypothesis import strategies as st
from simulated import ERROR, PROVED, Move, Simulation, World, accept_all, replay, worlds

from lean_env.engine import ProofState, TacticResult
from prover.minimize_command import _tactics
from search.best_first import best_first
from search.budget import Budget
from search.known import KnownResults
from search.minimize import minimized, without_idle_steps
from search.tree import SUM

DETOUR: World = {
    "root": [Move("detour", 0.0, "aside"), Move("go", 0.0, "middle")],
    "aside": [Move("go", 0.0, "middle beside")],
    "middle beside": [Move("end", 0.0, PROVED)],
    "middle": [Move("end", 0.0, PROVED), Move("simp [a, b]", 0.0, PROVED), Move("simp [b]", 0.0, PROVED)],
}


class Strict(Simulation):
    """Tactics that a state does not know fail."""

    async def run(self, state: ProofState, tactic: str) -> TacticResult:
        known = any(move.tactic == tactic for move in self.world[state.text])
        return await super().run(state, tactic) if known else ERROR


def shorter(world: World, tactics: Sequence[str], closers: Sequence[str] = ()) -> tuple[str, ...]:
    return asyncio.run(minimized(KnownResults(Strict(world)), tactics, closers))


async def test_steps_that_a_proof_does_not_need_are_left_out() -> None:
    assert await without_idle_steps(Strict(DETOUR), ("detour", "go", "end")) == ("go", "end")
    assert await without_idle_steps(Strict(DETOUR), ("go", "end")) == ("go", "end")


def test_leaving_out_goes_on_until_nothing_more_can_be_left_out() -> None:
    """The first of a and b can only go when the second is gone, which is tried after it."""
    world = {
        "root": [Move("a", 0.0, "x"), Move("b", 0.0, "y"), Move("end", 0.0, PROVED)],
        "x": [Move("b", 0.0, "xy"), Move("end", 0.0, PROVED)],
        "y": [Move("end", 0.0, ERROR)],
        "xy": [Move("end", 0.0, PROVED)],
    }
    assert shorter(world, ("a", "b", "end")) == ("end",)


def test_a_closing_tactic_ends_a_proof_where_it_can_and_is_shorter() -> None:
    world = {
        "root": [Move("intro h", 0.0, "one")],
        "one": [Move("cases h", 0.0, "two"), Move("omega", 0.0, PROVED)],
        "two": [Move("rfl", 0.0, PROVED), Move("omega", 0.0, PROVED)],
    }
    assert shorter(world, ("intro h", "cases h", "rfl"), ("omega",)) == ("intro h", "omega")
    assert shorter(world, ("intro h", "cases h", "rfl")) == ("intro h", "cases h", "rfl")


def test_an_alternative_belongs_to_the_tactic_before_it() -> None:
    proof = "have idle := rfl\ncases n with\n| zero => rfl\n| succ k =>\n  omega\nrfl"
    assert _tactics(proof) == ["have idle := rfl", "cases n with\n| zero => rfl\n| succ k =>\n  omega", "rfl"]


def test_lists_lose_the_items_that_are_not_needed() -> None:
    assert shorter(DETOUR, ("go", "simp [a, b]")) == ("go", "simp [b]")
    world: World = {
        "root": [Move(text, 0.0, PROVED) for text in ("simp [a, f 1] at h", "simp [f 1] at h", "simp at h")]
    }
    assert shorter(world, ("simp [a, f 1] at h",)) == ("simp at h",)


def test_what_proves_nothing_comes_back_as_it_is() -> None:
    assert shorter(DETOUR, ("go",)) == ("go",)
    assert shorter(DETOUR, ("go", "away", "end")) == ("go", "away", "end")
    assert shorter(DETOUR, ("go", "end", "end")) == ("go", "end", "end")


@given(worlds(), st.lists(st.sampled_from([f"{state}-{n}" for state in ("root", "s0") for n in range(5)]), max_size=3))
def test_what_comes_out_proves_is_no_longer_and_cannot_lose_a_step(world: World, closers: list[str]) -> None:
    simulation = Simulation(world)
    found = asyncio.run(best_first(simulation, simulation, Budget(500), priority=SUM, width=2, accept=accept_all)).proof
    assume(found is not None)
    assert found is not None
    proof = shorter(world, found, closers)
    assert replay(world, proof)[1]
    assert (len(proof), sum(map(len, proof))) <= (len(found), sum(map(len, found)))
    assert shorter(world, proof, closers) == proof
    strict = Strict(world)
    assert asyncio.run(without_idle_steps(strict, proof)) == proof
