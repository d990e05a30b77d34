"""A policy without a model: core Lean's tactics, offered by what the goal looks like.

It is the baseline that a model has to beat. A rule looks at the first goal and gives tactics with weights; the weights
of all rules together, normalised, are the probabilities. They were set by hand: what closes a goal by itself comes
first, then what the shape of the goal asks for, then guesses (witnesses, instances, squares that are not negative).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

from prover.policy.goal import Goal, read_goal
from search.policy import Suggestion

Weighted = tuple[str, float]

WITNESSES = ("0", "1", "2", "3")
MAX_CASES = 24  # values of a bounded number that are gone through one by one
MAX_PAIRS = 6  # of variables or of positive terms that are combined in a guess


def automation(goal: Goal) -> Iterator[Weighted]:
    """What may close the goal by itself."""
    yield "grind", 20
    yield "omega", 20 if re.search(r"ℕ|ℤ|%|∣|\bmod\b", goal.text) else 2
    yield "simp_all", 9
    yield "simp", 8
    yield "decide", 6 if not goal.hypotheses else 1
    yield "rfl", 3
    yield "decide +kernel", 4 if not goal.hypotheses else 0.5
    yield "contradiction", 0.3
    yield "norm_cast", 0.5
    yield "ac_rfl", 0.3
    yield "exact?", 0.1


def by_hypothesis(goal: Goal) -> Iterator[Weighted]:
    """Using one hypothesis: as the proof, for rewriting, or taken apart."""
    for name, kind in ((h.name, h.type) for h in goal.facts):
        if kind == goal.target:
            yield f"exact {name}", 30
        if kind.startswith("∃"):
            yield f"obtain ⟨x, {name}⟩ := {name}", 8
        elif "∀" in kind[:2]:
            yield f"simp [{name}]", 3
            yield f"rw [{name}]", 1
            for value in (*_arguments(goal), *WITNESSES[:3]):
                yield f"have {name}_{re.sub(r'[^0-9A-Za-z]', '_', value)} := {name} {value}", 0.8
            yield f"apply {name}", 0.5
        elif " ∧ " in kind:
            yield f"obtain ⟨{name}, {name}'⟩ := {name}", 8
        elif " ∨ " in kind:
            yield f"rcases {name} with {name} | {name}", 6
        elif re.fullmatch(r"\S+ = .*|.* = \S+", kind):
            yield f"subst {name}", 3
            yield f"rw [{name}]", 2
        elif " = " in kind:
            yield f"rw [{name}]", 1
            yield f"rw [← {name}]", 0.4
        if kind.startswith("¬") or "→" in kind:
            yield f"apply {name}", 1
        if re.search(r"Set|Finset|∈|MOD|abs|\|", kind):
            yield f"simp at {name}", 2


def by_target(goal: Goal) -> Iterator[Weighted]:
    """What the head symbol of the target asks for."""
    target = goal.target
    if target.startswith(("∀", "¬")) or re.match(r"[^∃∧∨]*→", target):
        yield "intros", 12
        yield "intro h", 3
    if re.search(r" ∧ | ↔ |^IsLeast|^IsGreatest|^Bijective|^Function\.Bijective", target):
        yield "constructor", 10
    if " ∨ " in target:
        yield "left", 2
        yield "right", 2
    if target.startswith("∃"):
        for witness in (*WITNESSES, *(v.name for v in goal.variables)):
            yield f"refine ⟨{witness}, ?_⟩", 1.5
    if re.search(r"Set|Finset|\{", target) and "=" in target:
        yield "ext x", 4
    if " = " in target:
        yield "apply Nat.le_antisymm", 0.3
        yield "symm", 0.2


def by_definition(goal: Goal) -> Iterator[Weighted]:
    """Definitions and lemmas for what occurs in the goal."""
    if re.search(r"∑|∏", goal.text):
        yield "simp [Finset.sum_range_succ, Finset.prod_range_succ]", 8
        yield "rfl", 4
        yield "decide +kernel", 6
    if "!" in goal.text:
        yield "simp [Nat.factorial]", 5
    if "Set." in goal.text or "{" in goal.text:
        yield "simp [Set.mem_setOf_eq]", 2
    if re.search(r"\^|%", goal.target):
        yield "simp +arith", 1
        yield "rw [Nat.pow_mod]", 0.4
    equations = [h.name for h in goal.facts if " = " in h.type]
    if equations:
        names = ", ".join(equations)
        yield f"simp [{names}]", 5
        yield f"simp only [{names}]", 2


def by_cases(goal: Goal) -> Iterator[Weighted]:
    """Induction, and going through the values of a number that has bounds."""
    for variable in goal.variables:
        if variable.type != "ℕ":
            continue
        name = variable.name
        if re.search(rf"\b{re.escape(name)}\b", goal.target):
            yield f"induction {name} with\n| zero => simp_all\n| succ {name} ih => grind", 2
            yield f"induction {name}", 1
            yield f"cases {name}", 0.7
        if (bound := _bound(goal, name)) is not None:
            values = " ∨ ".join(f"{name} = {value}" for value in range(bound + 1))
            patterns = " | ".join(["rfl"] * (bound + 1))
            for finish in ("simp_all", "omega"):
                yield f"have cases : {values} := by omega\nrcases cases with {patterns} <;> {finish}", 1.5


def by_inequality(goal: Goal) -> Iterator[Weighted]:
    """Terms that are known not to be negative, for grind to combine: what `nlinarith` would try."""
    if not re.search(r"ℝ|ℚ|ℤ|NNReal", goal.text) or not re.search(r"[<≤>≥=]", goal.text):
        return
    names = [v.name for v in goal.variables]
    pairs = list(combinations(names, 2))[:MAX_PAIRS]
    for a, b in pairs:
        yield f"have := sq_nonneg ({a} - {b})\ngrind", 2
    for a in names[:3]:
        yield f"have := sq_nonneg ({a} - 1)\ngrind", 1
    if len(pairs) > 1:
        squares = "\n".join(f"have := sq_nonneg ({a} - {b})" for a, b in pairs)
        yield f"{squares}\ngrind", 2
    positive = [h.name for h in goal.facts if re.fullmatch(r"0 < \S+", h.type)][:4]
    for h, k in list(combinations(positive, 2))[:MAX_PAIRS]:
        yield f"have := mul_pos {h} {k}\ngrind", 1.5


RULES: tuple[Callable[[Goal], Iterator[Weighted]], ...] = (
    automation,
    by_hypothesis,
    by_target,
    by_definition,
    by_cases,
    by_inequality,
)


def _arguments(goal: Goal) -> list[str]:
    """Numerals and variables that functions are applied to in the target."""
    found = re.findall(r"\b[a-zσ]\w* (\d+)\b", goal.text)
    return list(dict.fromkeys((*found[:6], *(v.name for v in goal.variables[:3]))))


def _bound(goal: Goal, name: str) -> int | None:
    """The largest value that a hypothesis leaves for a natural number, if it is small."""
    escaped = re.escape(name)
    for h in goal.facts:
        for pattern, off in ((rf"\b{escaped} < (\d+)", 1), (rf"\b{escaped} ≤ (\d+)", 0)):
            if (match := re.search(pattern, h.type)) and int(match[1]) - off <= MAX_CASES:
                return int(match[1]) - off
    return None


class Portfolio:
    """Implements search.policy.Policy; the same state always gets the same tactics."""

    async def suggest(self, state: str, n: int) -> Sequence[Suggestion]:
        """At most `n` different tactics, likeliest first."""
        goal = read_goal(state)
        weights: dict[str, float] = {}
        for rule in RULES:
            for tactic, weight in rule(goal):
                weights[tactic] = max(weight, weights.get(tactic, 0.0))
        total = sum(weights.values())
        ranked = sorted(weights.items(), key=lambda item: -item[1])  # stable: ties stay in the order of the rules
        return [Suggestion(tactic, math.log(weight / total)) for tactic, weight in ranked[:n]]
