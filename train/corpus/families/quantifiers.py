"""First-order logic with unary predicates, where truth can be decided.

Up to what formulas can say, a model of unary predicates is a nonempty set of combinations of them. A statement is true
if it holds in each such model, for each choice of the constant `a` and of the proposition `p`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations, product

from train.corpus.families.writing import Draft, closed, conjunction

PREDICATES = "PQ"
VARIABLES = "xyz"
HYPOTHESIS_TRIES, GOAL_TRIES = 40, 150

Element = tuple[bool, ...]  # which predicates hold of it


@dataclass(frozen=True)
class Model:
    """What there is, and what a and p are."""

    elements: tuple[Element, ...]
    constant: Element
    proposition: bool


@dataclass(frozen=True)
class Formula:
    """A formula as text, and whether it holds in a model with values of its free variables."""

    text: str
    holds: Callable[[Model, Mapping[str, Element]], bool]


@cache
def models() -> tuple[Model, ...]:
    """All models."""
    kinds = list(product((False, True), repeat=len(PREDICATES)))
    sets = [chosen for size in range(1, len(kinds) + 1) for chosen in combinations(kinds, size)]
    return tuple(Model(s, a, p) for s in sets for a in s for p in (False, True))


def truth(formula: Formula) -> int:
    """The models, as bits, in which a formula without free variables holds."""
    return sum(formula.holds(model, {}) << place for place, model in enumerate(models()))


def generate(rng: random.Random, difficulty: int) -> str:
    """What follows from some hypotheses, with up to three quantifiers in a row."""
    while True:
        given = (1 << len(models())) - 1
        hypotheses: list[Formula] = []
        for _ in range(HYPOTHESIS_TRIES):
            if len(hypotheses) == min(2, difficulty):
                break
            formula = _sentence(rng, 1 + rng.randrange(2), ())
            after = given & truth(formula)
            if after not in (0, given):
                hypotheses.append(formula)
                given = after
        goals: dict[str, None] = {}
        for _ in range(GOAL_TRIES):
            goal = _sentence(rng, min(1 + difficulty // 2, 3), (), first="∃" if rng.random() < 0.6 else None)
            holds = truth(goal)
            if holds != (1 << len(models())) - 1 and given & ~holds == 0:
                goals[goal.text] = None
            if len(goals) == (difficulty + 2) // 3:
                draft = Draft("α : Type", "P Q : α → Prop", "p : Prop", "a : α")
                return draft.suppose(*(h.text for h in hypotheses)).show(conjunction(goals))


def _sentence(rng: random.Random, quantifiers: int, scope: tuple[str, ...], first: str | None = None) -> Formula:
    """A formula with `quantifiers` nested quantifiers, inside of which the variables of `scope` may stand."""
    if quantifiers == 0:
        return _matrix(rng, scope, rng.choice((1, 1, 2)))
    variable = VARIABLES[len(scope)]
    while True:
        body = _sentence(rng, quantifiers - 1, (*scope, variable))
        if re.search(rf"\b[{PREDICATES}] {variable}\b", body.text):
            break
    head = first or rng.choice("∀∃")
    quantified = _quantified(head, variable, body)
    if scope and rng.random() < 0.5:
        return _joined(rng.choice("∧→∨"), _atom(rng, scope), quantified)
    return quantified


def _quantified(head: str, variable: str, body: Formula) -> Formula:
    many = all if head == "∀" else any

    def holds(model: Model, values: Mapping[str, Element]) -> bool:
        return many(body.holds(model, {**values, variable: element}) for element in model.elements)

    return Formula(f"{head} {variable}, {body.text}", holds)


def _matrix(rng: random.Random, scope: tuple[str, ...], connectives: int) -> Formula:
    if connectives == 0:
        return _atom(rng, scope)
    left, right = _atom(rng, scope), _matrix(rng, scope, connectives - 1)
    return left if left.text == right.text else _joined(rng.choice("∧∨→→"), left, right)


def _joined(head: str, a: Formula, b: Formula) -> Formula:
    def holds(model: Model, values: Mapping[str, Element]) -> bool:
        left, right = a.holds(model, values), b.holds(model, values)
        return left and right if head == "∧" else left or right if head == "∨" else not left or right

    return Formula(f"{closed(a.text)} {head} {closed(b.text)}", holds)


def _atom(rng: random.Random, scope: tuple[str, ...]) -> Formula:
    if rng.random() < (0.12 if scope else 1):
        return Formula("p", lambda model, _: model.proposition)
    place = rng.randrange(len(PREDICATES))
    term = rng.choice([*scope, *scope, "a"])

    def holds(model: Model, values: Mapping[str, Element]) -> bool:
        return values.get(term, model.constant)[place]

    positive = Formula(f"{PREDICATES[place]} {term}", holds)
    if rng.random() < 0.15:
        return Formula(f"¬{positive.text}", lambda model, values: not holds(model, values))
    return positive
