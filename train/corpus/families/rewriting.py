"""Equational reasoning: uninterpreted functions and operations with laws, equations that a solution is asked of."""

from __future__ import annotations

import random

from train.corpus.families.writing import Draft, conjunction, several

ASSOCIATIVE, COMMUTATIVE = "∀ x y z, m (m x y) z = m x (m y z)", "∀ x y, m x y = m y x"
UNIT, IDEMPOTENT = "∀ x, m x e = x", "∀ x, m x x = x"
LEFT_UNIT, INVERSE = "∀ x, m e x = x", "∀ x, m (i x) x = e"
VARIABLES = "abcd"


def generate(rng: random.Random, difficulty: int) -> str:
    """An identity of an operation, or equations between words of functions."""
    return rng.choice((_operation, _words, _words, _solve))(rng, difficulty)


def _operation(rng: random.Random, difficulty: int) -> str:
    """Two products with the same factors, with some of commutativity, idempotence and unit."""
    count = min(2 + difficulty // 2, 4)
    names = list(VARIABLES[:count])
    laws = [ASSOCIATIVE, COMMUTATIVE]
    idempotent, unit = rng.random() < 0.3, rng.random() < 0.4
    laws += [IDEMPOTENT] * idempotent + [UNIT] * unit
    factors = names + rng.choices(names, k=(difficulty + 1) // 2)
    other = list(factors)
    rng.shuffle(other)
    if idempotent:
        other = list(dict.fromkeys(other))
    if unit:
        other.insert(rng.randrange(len(other) + 1), "e")
    left, right = _bracketing(rng, factors), _bracketing(rng, other)
    if left == right:
        return _operation(rng, difficulty)
    rng.shuffle(laws)
    draft = Draft("α : Type", "m : α → α → α", "e : α" if unit else "").suppose(*laws)
    variables = " ".join(names)
    equation = f"{left} = {right}"
    if rng.random() < 0.5:
        hidden = rng.choice(names)
        rest = " ".join(name for name in names if name != hidden)
        equation = f"∃ {'z'}, {left} = {_bracketing(rng, [*rest.split(), 'z'])}"
        if not idempotent:  # a solution is what is left of the product
            return draft.show(f"∀ {variables}, {equation}")
        return draft.show(f"∀ {variables}, {left} = {right}")
    return draft.show(f"∀ {variables}, {equation}")


def _bracketing(rng: random.Random, factors: list[str]) -> str:
    """`m (m a b) c` or any other bracketing."""
    if len(factors) == 1:
        return factors[0]
    cut = rng.randrange(1, len(factors))
    parts = (_bracketing(rng, factors[:cut]), _bracketing(rng, factors[cut:]))
    return "m " + " ".join(f"({part})" if " " in part else part for part in parts)


def _word(word: str, end: str) -> str:
    """`f (g x)` for the word fg and the end x."""
    text = end
    for letter in reversed(word):
        text = f"{letter} {text}" if " " not in text else f"{letter} ({text})"
    return text


def _rules(rng: random.Random, letters: str, number: int) -> list[tuple[str, str]]:
    """Equations between words of the letters, the longer side first."""
    rules: dict[tuple[str, str], None] = {}
    while len(rules) < number:
        left = "".join(rng.choices(letters, k=rng.choice((2, 2, 3))))
        right = "".join(rng.choices(letters, k=rng.randrange(0, len(left))))
        if left != right and not any(left == known for known, _ in rules):
            rules[left, right] = None
    return list(rules)


def _walk(rng: random.Random, rules: list[tuple[str, str]], word: str, steps: int, longest: int) -> str:
    """The word after random uses of the rules, in both directions."""
    for _ in range(steps):
        ways = []
        for left, right in rules:
            for old, new in ((left, right), (right, left)):
                ways += [
                    word[:at] + new + word[at + len(old) :] for at in range(len(word) + 1) if word[at:].startswith(old)
                ]
        fitting = [way for way in ways if len(way) <= longest]
        if fitting:
            word = rng.choice(fitting)
    return word


def _words(rng: random.Random, difficulty: int) -> str:
    """Two words that the rules carry into each other; at higher difficulties hidden in what has to exist.

    There the rules hold for the values of k only, and that everything is a value has to be used first.
    """
    covered = difficulty > 2
    rules = _rules(rng, "fg" if covered else "fgk", 1 + (difficulty + 1) // 2)
    targets: dict[str, None] = {}
    number = several(rng, difficulty)
    for _ in range(100):
        start = "".join(rng.choices("fg" if covered else "fgk", k=rng.randrange(1, 4)))
        end = _walk(rng, rules, start, 2 * difficulty + 1, 3 + difficulty)
        if not end or start == end or abs(len(start) - len(end)) > 4:
            continue
        cut = rng.randrange(len(end))
        forms = [f"∀ x, {_word(start, 'x')} = {_word(end, 'x')}"]
        if difficulty > 1 and end[:cut]:
            forms += [f"∀ x, ∃ y, {_word(end[:cut], 'y')} = {_word(start, 'x')}"] * 2
            forms += [f"(fun x => {_word(start, 'x')}) = fun x => {_word(end, 'x')}"]
            forms += [
                f"∀ x, ∃ y z, {_word(end[:cut], 'y')} = {_word(start, 'z')} ∧ z = {_word(rng.choice('fgk'), 'x')}"
            ]
            forms += [f"∀ P : α → Prop, (∀ x, P ({_word(start, 'x')})) → ∀ x, P ({_word(end, 'x')})"] * 2
        targets[rng.choice(forms)] = None
        if len(targets) == number:
            break
    else:
        return _words(rng, difficulty)
    end = "k x" if covered else "x"
    equations = [f"∀ x, {_word(left, end)} = {_word(right, end)}" for left, right in rules]
    draft = Draft("α : Type", "f g k : α → α").suppose(*equations)
    if covered:
        draft.suppose(rng.choice(("∀ y, ∃ x, k x = y", "∀ y, ∃ x, y = k x", "Function.Surjective k")))
    return draft.show(conjunction(targets))


def _solve(rng: random.Random, difficulty: int) -> str:
    """Groups: what solves an equation, and what is unique."""
    forms = {
        "∀ a b, ∃ x, m x a = b": {0, 1, 2, 3},
        "∀ a b c, m a b = m a c → b = c": {0, 1, 3},
        "∀ a, m a e = a → ∀ b, m (m b a) e = m b a": {0, 1, 2, 3},
        "∀ a b, m a b = b → a = e": {0, 1, 2, 3, 4},
        "∀ a b, ∃ x, m (m x a) b = e": {0, 1, 2, 3},
        "∀ a, ∃ x, m x (m a a) = a": {0, 1, 2, 3},
        "∀ a b, ∃ x y, m x a = y ∧ m y b = a": {0, 1, 2, 3},
        "∀ a b c, m (i a) b = c → b = m a c": {0, 1, 2, 3, 4},
        "∀ a b, m (i a) (m a b) = b": {0, 1, 3},
        "∀ a, m a a = a → a = e": {0, 1, 3},
        "∀ a b c d, m (m a b) (m c d) = m a (m (m b c) d)": {0},
        "∀ a b c, a = b → m (i a) (m b c) = c": {0, 1, 3},
        "∀ a, ∃ x, ∀ b, m x (m a b) = b": {0, 1, 3},
        "∀ a b, ∃ x, ∀ c, m x (m a (m b c)) = c": {0, 1, 3},
        "∀ a b, ∃ x, m x (m a b) = m b b": {0, 1, 2, 3},
    }
    laws = [ASSOCIATIVE, LEFT_UNIT, UNIT, INVERSE, "∀ x, m x (i x) = e"]
    chosen = rng.sample(sorted(forms), several(rng, difficulty))
    needed = sorted({place for form in chosen for place in forms[form]})
    rng.shuffle(needed)
    return (
        Draft("α : Type", "m : α → α → α", "i : α → α", "e : α")
        .suppose(*(laws[place] for place in needed))
        .show(conjunction(chosen))
    )
