"""Terms to try for an existential: what the body says of the variable, and what the context has of its type."""

from __future__ import annotations

import re
from collections.abc import Iterator

from prover.policy.goal import Goal
from prover.policy.portfolio import Weighted
from train.corpus.connectives import take_apart

NUMERALS = range(8)
NUMBERS = ("", "ℕ", "ℤ", "ℚ", "ℝ")
_RELATIONS = (" = ", " ↔ ", " ⊆ ", " ≤ ", " → ", " < ")
# How what stands below the variable in several conditions is joined to one term above all of it.
_JOINS = {" ⊆ ": " ∪ ", " → ": " ∨ "}


def witnesses(goal: Goal, name: str, kind: str, body: str) -> Iterator[Weighted]:
    """Terms for `name` of type `kind` (empty: not written) in `∃ name, body`, with weights."""
    if re.match(r"¬|\(", name):
        return
    yield from ((f"({term})" if " " in term else term, 8) for term in solutions(name, body))
    same = [h.name for h in goal.hypotheses if h.type == kind or (not kind and not _states(h.type))]
    yield from ((name, 3) for name in same[:6])
    yield from ((f"({term})", 1.0) for term in _applications(goal)[:6] if kind not in ("Prop",))
    if kind in NUMBERS:
        yield from ((str(value), 2.5 / (1 + value)) for value in NUMERALS)
        yield from ((number, 0.4) for number in dict.fromkeys(re.findall(r"(?<![\w.])\d{1,4}(?!\w)", goal.text)))
        for a in same[:4]:
            yield f"({a} + 1)", 1.2
            yield from ((f"({factor} * {a})", 0.5) for factor in (2, 3))
            for b in same[:4]:
                yield f"({a} + {b})", 0.5
                yield f"({a} * {b})", 0.5
                if a != b:
                    yield f"({a} - {b})", 0.5
    elif kind == "Prop":
        yield "True", 2
        yield "False", 2
    elif "→" in kind:
        yield "(fun x => x)", 1


def solutions(name: str, body: str) -> Iterator[str]:
    """What `name` must be, or may be, for a condition of `body` to hold: the other side of a relation."""
    below: dict[str, list[str]] = {}
    for condition in _conditions(body):
        for relation in _RELATIONS:
            left, found, right = condition.partition(relation)
            if not found or relation in right:
                continue
            for side, other in ((left, right), (right, left)):
                solved = _solved(name, side.strip(), other.strip())
                if solved and not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", solved):
                    yield solved
                    if side is right:
                        below.setdefault(relation, []).append(solved)
            break
    for relation, terms in below.items():
        if len(terms) > 1 and relation in _JOINS:
            yield _JOINS[relation].join(f"({term})" if " " in term else term for term in terms)


def _solved(name: str, side: str, other: str) -> str | None:
    """`side = other` solved for `name`, where it is `name` itself, or a sum, difference or multiple of it."""
    n = re.escape(name)
    if side == name:
        return other
    if match := re.fullmatch(rf"{n} \+ (.+)|(.+) \+ {n}", side):
        return f"{other} - {_bracketed(match[1] or match[2])}"
    if match := re.fullmatch(rf"{n} - (.+)", side):
        return f"{other} + {match[1]}"
    if match := re.fullmatch(rf"(\d+) \* {n}|{n} \* (\d+)", side):
        return f"{_bracketed(other)} / {match[1] or match[2]}"
    if match := re.fullmatch(rf"(\d+) \* {n} \+ (.+)", side):
        return f"({other} - {_bracketed(match[2])}) / {match[1]}"
    return None


def _conditions(body: str) -> Iterator[str]:
    """The conjuncts of `body`, also below further existentials."""
    parts = take_apart(body)
    match parts.connective:
        case "∧":
            yield from _conditions(parts.left)
            yield from _conditions(parts.right)
        case "∃":
            bound = set(parts.names)
            yield from (c for c in _conditions(parts.right) if not bound & set(re.findall(r"[\w']+", c)))
        case _:
            yield parts.left if not parts.right else f"{parts.left} {parts.connective} {parts.right}"


def _applications(goal: Goal) -> list[str]:
    """Functions applied to variables in the goal, `f a` and the like."""
    known = {h.name for h in goal.hypotheses}
    found = re.findall(r"(?<![\w.])([a-z]\w*(?: [a-z]\w*)+)(?![\w'])", goal.target)
    return list(dict.fromkeys(term for term in found if set(term.split(" ")) <= known))


def _bracketed(term: str) -> str:
    return f"({term})" if " " in term else term


def _states(kind: str) -> bool:
    return bool(re.search(r"[=<≤>≥≠∧∨∣¬∃∀↔∈→]|^False$", kind))
