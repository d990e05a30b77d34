"""Reads the first goal of a pretty-printed state: its hypotheses, its target, and what occurs in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

_HYPOTHESIS = re.compile(r"(?P<names>[^\s:()]+(?: [^\s:()]+)*) : (?P<type>.*)", re.DOTALL)
_STATES = re.compile(r"[=<≤>≥≠∧∨∣¬∃∀↔∈]|MOD|Even|Odd|Prime|IsLeast|False")
_INACCESSIBLE = "✝"
NUMBER_TYPES = ("ℕ", "ℤ", "ℚ", "ℝ", "ℂ", "NNReal", "Nat", "Int", "Rat")


@dataclass(frozen=True)
class Hypothesis:
    """A line of the local context; its name can be used in a tactic."""

    name: str
    type: str


@dataclass(frozen=True)
class Goal:
    """The first goal of a state."""

    hypotheses: tuple[Hypothesis, ...]
    target: str

    @cached_property
    def variables(self) -> tuple[Hypothesis, ...]:
        """The numbers among the hypotheses."""
        return tuple(h for h in self.hypotheses if h.type in NUMBER_TYPES)

    @cached_property
    def facts(self) -> tuple[Hypothesis, ...]:
        """The hypotheses that state something: everything whose type is not that of a number, function or set."""
        return tuple(
            h for h in self.hypotheses if re.search(r"[=<≤>≥≠∧∨∣¬∃∀↔∈]|MOD|Even|Odd|Prime|IsLeast|False", h.type)
        )

    @cached_property
    def text(self) -> str:
        """All that is stated, for looking up what occurs."""
        return "\n".join((*(h.type for h in self.hypotheses), self.target))


def read_goal(state: str) -> Goal:
    """The first goal of a state as Lean prints it; names that Lean marks as inaccessible are left out."""
    first = state.split("\n\n", 1)[0]
    context, _, target = first.partition("⊢ ")
    hypotheses = []
    for line in re.sub(r"\n +", " ", context).splitlines():  # a long hypothesis goes on in indented lines
        if (match := _HYPOTHESIS.fullmatch(line)) is not None:
            kind = match["type"].partition(" := ")[0]
            names = (name for name in match["names"].split() if _INACCESSIBLE not in name)
            hypotheses += [Hypothesis(name, kind) for name in names]
    return Goal(tuple(hypotheses), re.sub(r"\s+", " ", target).strip())
