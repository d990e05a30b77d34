from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lean_env.embedded.engine import EmbeddedEngine
from lean_env.engine import Theorem
from prover.policy.goal import read_goal
from prover.policy.portfolio import Portfolio
from search.best_first import best_first
from search.budget import Budget, SearchStatus
from search.tree import SUM

STATE = """\
case succ
x y : ℝ
f : ℕ → ℕ
n m✝ : ℕ
h₀ : x + y =
  3 ∧ 0 < x
h₁ : ∀ (k : ℕ), f k = k + 1
⊢ f 4 =
  5

⊢ 1 = 1"""

HYPOTHESES = st.lists(
    st.sampled_from(
        ["a b : ℕ", "x y : ℝ", "h : a < b", "h₀ : x = 2", "h₁ : a ∧ b", "h₂ : ∃ x, x = 1", "f : ℕ → ℕ", "h₃ : a ≤ 5",
         "h₄ : ∀ (x : ℕ), f x = x", "h₅ : a = 1 ∨ b = 2", "h₆ : 0 < x", "h₇ : 0 < y", "m✝ : ℕ", "p : Prop"]
    ),
    unique=True,
)  # fmt: skip
TARGETS = st.sampled_from(
    ["a < b", "∃ k, k = a", "x * y ≤ 1", "∀ (n : ℕ), n = n", "a = 1 ∧ b = 2", "∑ k ∈ Finset.range 4, k = 6", "4 ! = 24",
     "a ∣ b ↔ b = 0", "{x | x = 1} = {1}", "¬a = b", "p ∨ ¬p", "f 4 = 4"]
)  # fmt: skip


def test_the_first_goal_is_read_with_its_long_lines_joined() -> None:
    goal = read_goal(STATE)
    assert goal.target == "f 4 = 5"
    assert [h.name for h in goal.hypotheses] == ["x", "y", "f", "n", "h₀", "h₁"]
    assert goal.hypotheses[4].type == "x + y = 3 ∧ 0 < x"
    assert [v.name for v in goal.variables] == ["x", "y", "n"]
    assert [h.name for h in goal.facts] == ["h₀", "h₁"]


@given(hypotheses=HYPOTHESES, target=TARGETS)
async def test_every_state_gets_a_distribution_over_different_tactics(hypotheses: list[str], target: str) -> None:
    state = "\n".join([*hypotheses, f"⊢ {target}"])
    suggestions = await Portfolio().suggest(state, 1000)
    tactics = [s.tactic for s in suggestions]
    assert len(tactics) == len(set(tactics)) >= 8
    assert all(tactic.strip() == tactic != "" for tactic in tactics)
    assert math.isclose(sum(math.exp(s.log_prob) for s in suggestions), 1.0)
    assert all(a.log_prob >= b.log_prob for a, b in pairwise(suggestions))
    assert list(await Portfolio().suggest(state, 5)) == list(suggestions)[:5]


@given(hypotheses=HYPOTHESES, target=TARGETS)
async def test_no_tactic_uses_a_name_that_lean_marks_as_inaccessible(hypotheses: list[str], target: str) -> None:
    suggestions = await Portfolio().suggest("\n".join([*hypotheses, f"⊢ {target}"]), 1000)
    assert not any("✝" in s.tactic for s in suggestions)


async def test_a_goal_that_is_a_hypothesis_is_closed_by_it_first() -> None:
    suggestions = await Portfolio().suggest("p q : Prop\nh : p ∧ q\nk : p ∧ q\n⊢ p ∧ q", 2)
    assert [s.tactic for s in suggestions] == ["exact h", "exact k"]


@pytest.mark.parametrize(
    "statement",
    [
        "theorem t (f : ℕ → ℕ) (h₀ : f 0 = 0) (h₁ : ∀ n, f (n + 1) = f n + 2 * n + 1) (n) : f n = n ^ 2 := by sorry",
        "theorem t (p q : Prop) (h : p ∧ (q ∨ p)) : p ∧ (q ∨ p ∧ p) := by sorry",
        "theorem t : ∃ n : ℕ, n * n = 9 ∧ n + 1 = 4 := by sorry",
        "theorem t (x y : ℝ) : 2 * x * y ≤ x ^ 2 + y ^ 2 := by sorry",
        "theorem t (n : ℕ) (h₀ : n < 8) (h₁ : n ^ 2 % 8 = 1) : n % 2 = 1 := by sorry",
    ],
)
async def test_it_finds_proofs_that_take_induction_cases_witnesses_and_squares(
    engine: EmbeddedEngine, statement: str
) -> None:
    theorem = Theorem("t", statement)

    async def accept(tactics: tuple[str, ...]) -> bool:
        return (await engine.verify(theorem, "\n".join(tactics))).proved

    session = await engine.open(theorem)
    result = await best_first(session, Portfolio(), Budget(128), priority=SUM, width=4, accept=accept)
    await session.close()
    assert result.status is SearchStatus.PROVED
