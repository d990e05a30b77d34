"""Measuring several policies at once changes nothing of what each does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from benchmarks.measure import PORTFOLIO, Contestant, MeasureError, Spec, StrategyName, measure, read_lines
from lean_env.embedded.engine import EmbeddedEngine
from lean_env.engine import Theorem
from search.policy import Policy, Suggestion

THEOREMS = [
    Theorem("swap", "theorem swap (p q : Prop) (h : p ∧ q) : q ∧ p := by sorry"),
    Theorem("step", "theorem step (a b : ℕ) (h : a < b) : ∃ c, a + c = b ∧ 0 < c := by sorry"),
    Theorem("garbage", "theorem garbage : ⟩ := by sorry"),
]


@dataclass(frozen=True)
class Fixed:
    """Offers the same tactics in every state."""

    tactics: tuple[str, ...]

    async def suggest(self, state: str, n: int) -> Sequence[Suggestion]:
        return [Suggestion(tactic, -1.0 - place) for place, tactic in enumerate(self.tactics[:n])]


@dataclass(frozen=True)
class Stubborn(Contestant):
    """A contestant with fixed tactics."""

    tactics: tuple[str, ...] = ()

    def policy(self, theorem: Theorem, seed: int) -> Policy:
        return Fixed(self.tactics)


SLOW = Stubborn("slow", None, 1.0, {}, ("rfl", "constructor", "exact h.2", "exact h.1", "refine ⟨b - a, ?_⟩", "omega"))
FAST = Stubborn("fast", None, 1.0, {}, ("exact ⟨h.2, h.1⟩", "exact ⟨b - a, by omega, by omega⟩", "constructor"))


async def lines(
    engine: EmbeddedEngine, out: Path, *contestants: Contestant
) -> dict[tuple[str, str], tuple[object, ...]]:
    await measure(engine, THEOREMS, [(each, StrategyName.BEST_FIRST, 0) for each in contestants], 32, out)
    return {(line.theorem, line.contestant): (line.proved_at, line.expansions) for line in read_lines(out)}


async def test_contestants_do_together_what_each_does_alone(engine: EmbeddedEngine, tmp_path: Path) -> None:
    together = await lines(engine, tmp_path / "both", SLOW, FAST)
    assert together == await lines(engine, tmp_path / "a", SLOW) | await lines(engine, tmp_path / "b", FAST)
    assert together["swap", "fast"] == (1, 1)
    slow = together["swap", "slow"][0]
    assert isinstance(slow, int)
    assert slow > 1
    assert together["step", "fast"] == (2, 2)
    assert together["garbage", "fast"] == (None, 0)


async def test_a_measurement_goes_on_with_what_is_missing(engine: EmbeddedEngine, tmp_path: Path) -> None:
    first = await lines(engine, tmp_path / "m", FAST)
    again = await lines(engine, tmp_path / "m", FAST, SLOW)
    assert {key: value for key, value in again.items() if key[1] == "fast"} == first
    assert len(again) == 2 * len(THEOREMS)
    assert len(list(read_lines(tmp_path / "m"))) == len(again)


def test_a_model_is_named_by_its_folder_or_by_the_user() -> None:
    assert Spec.read(PORTFOLIO) == Spec(PORTFOLIO, PORTFOLIO, 1.0)
    assert Spec.read("runs/{seed}/ce") == Spec("ce", "runs/{seed}/ce", 1.0)
    assert Spec.read("runs/{seed}/ce@1.3") == Spec("ce@1.3", "runs/{seed}/ce", 1.3)
    named = Spec.read("CE, stopped early=runs/{seed}/ce/epoch-4@1.3")
    assert named == Spec("CE, stopped early", "runs/{seed}/ce/epoch-4", 1.3)
    assert named.of(2) == "runs/2/ce/epoch-4"


async def test_lines_of_another_budget_or_other_weights_are_not_gone_on_with(
    engine: EmbeddedEngine, tmp_path: Path
) -> None:
    await measure(engine, [], [(FAST, StrategyName.BEST_FIRST, 0)], 32, tmp_path / "none")
    await lines(engine, tmp_path / "m", FAST)
    with pytest.raises(MeasureError, match="another budget"):
        await measure(engine, THEOREMS, [(FAST, StrategyName.BEST_FIRST, 0)], 64, tmp_path / "m")
    retrained = replace(FAST, weights={0: "1f"})
    with pytest.raises(MeasureError, match="other weights"):
        await measure(engine, THEOREMS, [(retrained, StrategyName.BEST_FIRST, 0)], 32, tmp_path / "m")
