"""The text that a tactic model reads and writes: one form, for training and for proving.

A tactic is applied to the first goal, so a prompt holds the first goal and nothing of the others: the same goal then
reads the same wherever it stands in a proof. The marks are plain text, so that any tokenizer can take them.
"""

from __future__ import annotations

GOAL = "[GOAL]"
TACTIC = "[TACTIC]"


def prompt(state: str) -> str:
    """What a model is given for the pretty-printed `state`; what it writes then, up to its end token, is the tactic."""
    return f"{GOAL}{first_goal(state)}{TACTIC}"


def first_goal(state: str) -> str:
    """The first goal of a state, in which goals stand apart by blank lines."""
    return state.strip().split("\n\n", 1)[0]
