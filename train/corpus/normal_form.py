"""Textual normal forms of theorems: when two statements say the same, and when they are of one kind.

The normal form is equal for statements that differ in names and layout only. The theorem's name, comments, layout and
a closing `:= by sorry` are dropped, and every name that a binder introduces (arguments, hypotheses, variables of ∀, ∃,
∃!, ∑, ∏, fun, set builders) is replaced by v0, v1, … in the order in which the names first occur. Numbers, constants
and the order of hypotheses stay. A name that is bound in several places counts as one name: two theorems get the same
form only if a renaming of names carries the one to the other.

The kind is coarser: numerals are all one, and what variables there are, and of which types, is not looked at unless
they are used. A proof of one theorem of a kind is mostly a proof of the next.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_COMMENT = re.compile(r"/-.*?-/|--[^\n]*", re.DOTALL)
_HEAD = re.compile(r"(?:theorem|lemma|example)\b(?:\s+[^\s:({\[⦃]+)?")
_END = re.compile(r":=\s*(?:by\b)?\s*(?:sorry\b)?\s*$")
_NAME = r"[^\W\d][\w']*"
# A name with what follows it after dots, a numeral, an operator of several characters, or any other character.
_TOKEN = re.compile(rf"{_NAME}(?:\.(?:{_NAME}|\d+))*|\d+(?:\.\d+)?|∃!|:=|=>|->|<-|<=|>=|!=|\S")
_PLAIN = re.compile(_NAME)
_BINDERS = frozenset({"∀", "∃", "∃!", "∑", "∏", "Σ", "λ", "fun"})
_OPENING, _CLOSING = frozenset("({[⦃"), frozenset(")}]⦄")
_VARIABLE = re.compile(r"v\d+")
_NUMERAL = re.compile(r"\d+(\.\d+)?")
_AFTER_SET_VARIABLE = frozenset({"|", ":", "∈"})


def normal_form(statement: str) -> str:
    """The normal form of Lean source text `theorem NAME … := by sorry`; what surrounds the proposition is optional."""
    text = _HEAD.sub("", _COMMENT.sub(" ", statement).strip(), count=1)
    tokens = _TOKEN.findall(_END.sub("", text).strip())
    bound = set(_bound(tokens))
    numbers: dict[str, str] = {}
    renamed = []
    for token in tokens:
        first, dot, rest = token.partition(".")
        if first in bound:
            first = numbers.setdefault(first, f"v{len(numbers)}")
        renamed.append(first + dot + rest)
    return " ".join(renamed)


def kind(statement: str) -> str:
    """The kind of Lean source text, as `normal_form` takes it, or of a proposition that Lean printed."""
    tokens = normal_form(statement).split(" ")
    at = int(tokens[0] == "∀")
    kept: list[str] = []
    while at < len(tokens) and tokens[at] in _OPENING:
        after = _closing(tokens, at) + 1
        names, _, kind_of_them = " ".join(tokens[at + 1 : after - 1]).partition(" : ")
        if " " in kind_of_them or not all(map(_VARIABLE.fullmatch, names.split())):
            kept += tokens[at:after]
        at = after
    kept += tokens[at + (tokens[at : at + 1] in ([":"], [","])) :]
    numbers: dict[str, str] = {}
    return " ".join(
        "#"
        if _NUMERAL.fullmatch(token)
        else _VARIABLE.sub(lambda name: numbers.setdefault(name[0], f"v{len(numbers)}"), token, count=1)
        for token in kept
    )


def _bound(tokens: Sequence[str]) -> Iterator[str]:
    """The names that binders introduce."""
    at = 0
    while at < len(tokens) and tokens[at] in _OPENING:  # the arguments of the theorem
        yield from _names(tokens, at + 1)
        at = _closing(tokens, at) + 1
    for at, token in enumerate(tokens):
        after = at + 1
        if token in _BINDERS:
            while after < len(tokens) and tokens[after] in _OPENING:
                yield from _names(tokens, after + 1)
                after = _closing(tokens, after) + 1
            yield from _names(tokens, after)
        elif token == "{" and after + 1 < len(tokens) and tokens[after + 1] in _AFTER_SET_VARIABLE:
            yield from _names(tokens, after)


def _names(tokens: Sequence[str], at: int) -> Iterator[str]:
    """The plain names from `at` on, up to the first other token."""
    while at < len(tokens) and _PLAIN.fullmatch(tokens[at]):
        yield tokens[at]
        at += 1


def _closing(tokens: Sequence[str], at: int) -> int:
    """Where the bracket that opens at `at` is closed, or the last token."""
    depth = 0
    for place in range(at, len(tokens)):
        depth += (tokens[place] in _OPENING) - (tokens[place] in _CLOSING)
        if depth == 0:
            return place
    return len(tokens) - 1
