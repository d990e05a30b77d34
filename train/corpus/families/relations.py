"""First-order logic with relations: what is found by going from element to element along hypotheses.

A statement is made forwards: facts about the elements at hand are derived by rules, which become the hypotheses; what
is to be shown is that elements with some of the derived facts exist. Rules without a premise give automation nothing to
match on, so that a proof has to choose what to apply them to.
"""

from __future__ import annotations

import random
from itertools import product

from train.corpus.families.writing import Draft, conjunction

TERMS = ("x", "y", "z", "w", "u", "v", "s", "t")
SYMMETRIC = "∀ x y, {0} x y → {0} y x"
TRANSITIVE = "∀ x y z, {0} x y → {0} y z → {0} x z"
INCLUDED = "∀ x y, {0} x y → {1} x y"
REVERSED = "∀ x y, {0} x y → {1} y x"
CARRIED = "∀ x y, {0} x y → {2} x → {3} y"
LATER = "∀ x y, {0} x y → {2} y"


def generate(rng: random.Random, difficulty: int) -> str:
    """A start, `difficulty` steps to new elements, and rules that derive more facts about them."""
    relations, predicates = rng.sample("RST", 2), rng.sample("PQ", 2)
    hypotheses: list[str] = []
    facts: set[tuple[str, ...]] = set()
    start = rng.choice(("∀", "∀", "∃", "premise"))
    if start == "∃":
        facts.add((predicates[0], "x"))
        hypotheses.append(f"∃ x, {predicates[0]} x")
    elif start == "premise":
        facts.add((predicates[0], "x"))
    terms = ["x"]
    for _ in range(1 + difficulty // 2):
        hypotheses += _step(rng, relations, predicates, facts, terms, difficulty)
    for _ in range(1 + difficulty // 2):
        hypotheses += _closure(rng, relations, predicates, facts, terms)
    target = _target(rng, difficulty, facts, terms, start, predicates[0])
    rng.shuffle(hypotheses)
    draft = Draft(
        "α : Type", f"{' '.join(sorted(relations))} : α → α → Prop", f"{' '.join(sorted(predicates))} : α → Prop"
    )
    return draft.suppose(*hypotheses).show(target)


def _step(
    rng: random.Random,
    relations: list[str],
    predicates: list[str],
    facts: set[tuple[str, ...]],
    terms: list[str],
    difficulty: int,
) -> list[str]:
    """A rule that gives a new element from one at hand, preferably the last."""
    old, new = terms[-1] if rng.random() < 0.8 else rng.choice(terms), TERMS[len(terms)]
    relation = rng.choice(relations)
    found: list[tuple[str, ...]] = [(relation, old, new)]
    if rng.random() < 0.7:
        found.append((rng.choice(predicates), new))
    known = [p for p in predicates if (p, old) in facts]
    premise = f"{rng.choice(known)} x → " if known and rng.random() < 0.8 - 0.12 * difficulty else ""
    facts.update(found)
    terms.append(new)
    parts = [f"{f[0]} x y" if len(f) == 3 else f"{f[0]} y" for f in found]
    return [f"∀ x, {premise}∃ y, {' ∧ '.join(parts)}"]


def _closure(
    rng: random.Random, relations: list[str], predicates: list[str], facts: set[tuple[str, ...]], terms: list[str]
) -> list[str]:
    """A rule that adds facts about the elements at hand; no rule if it adds nothing."""
    form = rng.choice((SYMMETRIC, TRANSITIVE, INCLUDED, REVERSED, CARRIED, LATER))
    names = [*rng.sample(relations, 2), *rng.sample(predicates, 2)]
    before = len(facts)
    for a, b, c in product(terms, repeat=3):
        if (names[0], a, b) not in facts:
            continue
        if form == SYMMETRIC:
            facts.add((names[0], b, a))
        elif form == TRANSITIVE and (names[0], b, c) in facts:
            facts.add((names[0], a, c))
        elif form == INCLUDED:
            facts.add((names[1], a, b))
        elif form == REVERSED:
            facts.add((names[1], b, a))
        elif form == CARRIED and (names[2], a) in facts:
            facts.add((names[3], b))
        elif form == LATER:
            facts.add((names[2], b))
    return [form.format(*names)] if len(facts) > before else []


def _target(
    rng: random.Random, difficulty: int, facts: set[tuple[str, ...]], terms: list[str], start: str, premise: str
) -> str:
    """That elements exist of which some derived facts hold, among them the facts derived last."""
    shown = rng.sample(sorted(facts), min(len(facts), 1 + (difficulty + 1) // 2))
    used = [term for term in terms if any(term in fact[1:] for fact in shown)]
    sought = [term for term in used if term != "x" or start == "∃"]
    text = conjunction(" ".join(fact) for fact in shown)
    if sought:
        text = f"∃ {' '.join(sought)}, {text}"
    if start == "∃":
        return text
    return f"∀ x, {premise} x → {text}" if start == "premise" else f"∀ x : α, {text}"
