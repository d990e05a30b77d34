"""The outermost connective of a printed proposition, found by Lean's precedences without a parser of Lean."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Loosest first: what stands outermost. Relations bind tighter than all of them.
_PRECEDENCE = (" ↔ ", " → ", " ∨ ", " ∧ ")
_BINDER = re.compile(r"(∀|∃!?|fun|λ|∑|∏)(?!\w)")
_BRACKETS = {"(": 1, "[": 1, "{": 1, "⟨": 1, ")": -1, "]": -1, "}": -1, "⟩": -1}


@dataclass(frozen=True)
class Parts:
    """A proposition taken apart: `connective` is ∀, ∃, ¬, ↔, →, ∨, ∧ or empty, where `left` is the whole.

    Of a binder, `names` are what it binds, `left` is the type of the first where it is written, `right` the body.
    """

    connective: str
    left: str
    right: str = ""
    names: tuple[str, ...] = ()


def take_apart(proposition: str) -> Parts:
    """The outermost connective of `proposition`, and what it connects."""
    text = _unwrapped(proposition.strip())
    for symbol in ("∀", "∃"):
        if text.startswith(symbol) and not text.startswith("∃!"):
            return _binder(symbol, text)
    found = _outermost(text)
    if found is not None:
        at, connective = found
        return Parts(connective.strip(), text[:at].strip(), text[at + len(connective) :].strip())
    if text.startswith("¬"):
        return Parts("¬", text[1:].strip())
    return Parts("", text)


def _outermost(text: str) -> tuple[int, str] | None:
    """Where the loosest connective outside brackets stands; what follows a binder belongs to the binder."""
    depth, best = 0, None
    for at, character in enumerate(text):
        depth += _BRACKETS.get(character, 0)
        if depth:
            continue
        if _BINDER.match(text, at) and (at == 0 or not text[at - 1].isalnum()):
            break
        for rank, connective in enumerate(_PRECEDENCE):
            if text.startswith(connective, at) and (best is None or rank < best[0]):
                best = (rank, at, connective)
    return None if best is None else (best[1], best[2])


def _binder(symbol: str, text: str) -> Parts:
    depth = 0
    for at, character in enumerate(text):
        depth += _BRACKETS.get(character, 0)
        if character == "," and depth == 0:
            names, kind = _bound(text[1:at].strip())
            return Parts(symbol, kind, text[at + 1 :].strip(), names)
    return Parts("", text)


def _bound(binders: str) -> tuple[tuple[str, ...], str]:
    """The names in `(x y : ℕ) {z : ℤ}`, `x y`, `x > 0` or `x : ℕ`, and the first type written."""
    groups = re.findall(r"[({\[⦃]([^:(){}\[\]]*) : ([^(){}\[\]]*(?:\([^()]*\)[^(){}\[\]]*)*)[)}\]⦄]", binders)
    if groups:
        return tuple(name for names, _ in groups for name in names.split()), groups[0][1].strip()
    names, _, kind = binders.partition(" : ")
    bare = re.split(r" (?=[<>≤≥≠∈])", names)
    return tuple(bare[0].split()), kind.strip()


def _unwrapped(text: str) -> str:
    """`text` without brackets around the whole of it."""
    while text.startswith("(") and text.endswith(")"):
        depth = 0
        for at, character in enumerate(text):
            depth += _BRACKETS.get(character, 0)
            if depth == 0 and at < len(text) - 1:
                return text
        text = text[1:-1].strip()
    return text
