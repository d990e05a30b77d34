"""Orders: abstract preorders with meets, joins and dense parts, and monotone functions on numbers."""

from __future__ import annotations

import random
from collections.abc import Sequence

from train.corpus.families.writing import Draft, conjunction, several

VARIABLES = ("a", "b", "c", "d", "e")
REFLEXIVE, TRANSITIVE = "∀ x, R x x", "∀ x y z, R x y → R y z → R x z"
ANTISYMMETRIC = "∀ x y, R x y → R y x → x = y"
MEET = "∀ x y z, R z (m x y) ↔ R z x ∧ R z y"
JOIN = "∀ x y z, R (j x y) z ↔ R x z ∧ R y z"

Term = tuple[str, ...]  # in prefix notation: m, j, or a variable


def generate(rng: random.Random, difficulty: int) -> str:
    """A claim about an abstract order, or about a function and an order of numbers."""
    return rng.choice((_lattice, _lattice, _directed, _directed, _monotone))(rng, difficulty)


def _lattice(rng: random.Random, difficulty: int) -> str:
    """x ≤ y between terms of meets and joins, true in all lattices since it is by Whitman's condition; or equality."""
    names = VARIABLES[: 2 + difficulty // 2]
    while True:
        count = several(rng, difficulty)
        given = [] if rng.random() < 0.4 else [tuple(rng.sample(names, 2)) for _ in range(1 + difficulty // 3)]
        pairs: list[tuple[Term, Term, bool]] = []
        for _ in range(60):
            s, t = (_term(rng, names, rng.randrange(0, 2 + (difficulty + 1) // 2)) for _ in range(2))
            if s == t or len(s) + len(t) < 3 + difficulty or not _below(s, t, given):
                continue
            pairs.append((s, t, _below(t, s, given) and rng.random() < 0.7))
            if len(pairs) == count:
                break
        else:
            continue
        used = {symbol for s, t, _ in pairs for symbol in s + t}
        laws = [REFLEXIVE, TRANSITIVE, *([MEET] if "m" in used else []), *([JOIN] if "j" in used else [])]
        if any(equal for *_, equal in pairs):
            laws.append(ANTISYMMETRIC)
        operations = " ".join(sorted(used & {"m", "j"}))
        draft = Draft("α : Type", "R : α → α → Prop", f"{operations} : α → α → α" if operations else "")
        shown = conjunction(
            f"{_shown(s)} = {_shown(t)}" if equal else f"R {_bracketed(s)} {_bracketed(t)}" for s, t, equal in pairs
        )
        facts = [f"R {x} {y}" for x, y in given]
        variables = [name for name in names if name in used or any(name in pair for pair in given)]
        return draft.suppose(*laws).show(f"∀ {' '.join(variables)}, {' → '.join([*facts, shown])}")


def _term(rng: random.Random, names: Sequence[str], size: int) -> Term:
    if size == 0:
        return (rng.choice(names),)
    left = rng.randrange(size)
    return (rng.choice("mj"), *_term(rng, names, left), *_term(rng, names, size - 1 - left))


def _parts(term: Term) -> tuple[Term, Term]:
    """The two arguments of a term that is no variable."""
    need, at = 1, 1
    while need:
        need += 1 if term[at] in "mj" else -1
        at += 1
    return term[1:at], term[at:]


def _below(s: Term, t: Term, given: Sequence[tuple[str, ...]]) -> bool:
    """Whether s ≤ t follows by the rules of lattices from inequalities between variables (enough of the time)."""
    if s[0] == "j":
        return all(_below(part, t, given) for part in _parts(s))
    if t[0] == "m":
        return all(_below(s, part, given) for part in _parts(t))
    if len(s) == len(t) == 1:
        return s == t or _reachable(s[0], t[0], given)
    left = s[0] == "m" and any(_below(part, t, given) for part in _parts(s))
    return left or (t[0] == "j" and any(_below(s, part, given) for part in _parts(t)))


def _reachable(a: str, b: str, given: Sequence[tuple[str, ...]]) -> bool:
    known = {a}
    for _ in given:
        known |= {y for x, y in given if x in known}
    return b in known


def _shown(term: Term) -> str:
    if len(term) == 1:
        return term[0]
    a, b = _parts(term)
    return f"{term[0]} {_bracketed(a)} {_bracketed(b)}"


def _bracketed(term: Term) -> str:
    return term[0] if len(term) == 1 else f"({_shown(term)})"


def _directed(rng: random.Random, difficulty: int) -> str:
    """Upper bounds, lower bounds and elements in between exist; so there are common ones of several elements."""
    laws = {
        "up": "∀ x y, ∃ z, R x z ∧ R y z",
        "down": "∀ x y, ∃ z, R z x ∧ R z y",
        "between": "∀ x y, R x y → ∃ z, R x z ∧ R z y",
        "above": "∀ x, ∃ y, R x y",
        "below": "∀ x, ∃ y, R y x",
    }
    draft = Draft("α : Type", "R : α → α → Prop", "P : α → Prop")
    count = min(2 + difficulty // 2, 4)
    names = VARIABLES[:count]
    used, text = [TRANSITIVE], []
    carried = difficulty > 1 and rng.random() < 0.4
    for _ in range(1 + difficulty // 4):
        kind = rng.choice(sorted(laws))
        used.append(laws[kind])
        some = rng.sample(names, rng.randrange(2, count + 1))
        match kind:
            case "up":
                text.append(f"∃ z, {' ∧ '.join(f'R {name} z' for name in some)}")
            case "down":
                text.append(f"∃ z, {' ∧ '.join(f'R z {name}' for name in some)}")
            case "between":
                path = ["x", "y", "z"][: rng.randrange(1, 4)]
                a, b = some[:2]
                chain = " ∧ ".join(f"R {s} {t}" for s, t in zip([a, *path], [*path, b], strict=True))
                text.append(f"R {a} {b} → ∃ {' '.join(path)}, {chain}")
            case "above":
                text.append(f"∃ y z, R {some[0]} y ∧ R y z ∧ R {some[0]} z")
            case _:
                text.append(f"∃ y z, R y {some[0]} ∧ R z y ∧ R z {some[0]}")
    if carried:
        used.append("∀ x y, R x y → P x → P y")
        a = names[0]
        used.append("∀ x, ∃ y, R x y")
        text.append(f"P {a} → ∃ y, R {a} y ∧ P y")
    rng.shuffle(used)
    return draft.suppose(*used).show(f"∀ {' '.join(names)} : α, {conjunction(text)}")


def _monotone(rng: random.Random, difficulty: int) -> str:
    """Monotone and growing functions on ℕ or ℤ, composed."""
    number = rng.choice("ℕℤℚ")
    k = rng.randrange(1, 9)
    facts = {
        "mono": "∀ x y, x ≤ y → f x ≤ f y",
        "gmono": "∀ x y, x ≤ y → g x ≤ g y",
        "anti": "∀ x y, x ≤ y → k y ≤ k x",
        "big": f"∀ x, x + {k} ≤ f x",
        "gbig": "∀ x, x ≤ g x",
        "less": "∀ x, f x ≤ g x",
        "onto": "∀ y, ∃ x, f x = y",
        "inverse": "∀ x, g (f x) = x",
        "strict": "∀ x y, x < y → f x < f y",
    }
    claims = {
        "∀ x y, x ≤ y → f (g x) ≤ f (g y)": ("mono", "gmono"),
        "∀ x y, x ≤ y → k (f y) ≤ k (f x)": ("anti", "mono"),
        "∀ x y, x ≤ y → k (k x) ≤ k (k y)": ("anti",),
        f"∀ x, x + {2 * k} ≤ f (f x)": ("big",),
        f"∀ x, x + {k} ≤ g (f x)": ("big", "gbig"),
        "∀ x, f (f x) ≤ g (g x)": ("less", "gmono"),
        "∀ x, ∃ y, x < f y": ("big",),
        f"∀ x, ∃ y, x + {3 * k} ≤ y ∧ f (f x) ≤ f y": ("big", "mono"),
        "∀ x, ∃ y, f y = x ∧ x ≤ g y": ("onto", "less"),
        "∀ x, ∃ y, g y = x": ("inverse",),
        "∀ x y, f x = f y → x = y": ("inverse",),
        "∀ x y, f x ≤ f y → x ≤ y": ("inverse", "gmono"),
        "∀ x y, f x = f y → x ≤ y ∧ y ≤ x": ("strict",),
        "∃ x, ∀ y, f x ≤ g y → f x ≤ g (g y)": ("gbig",),
        f"∀ x, ∃ y, f x < y ∧ x + {k} < y": ("big",),
        "∀ x y, min (f x) (f y) ≤ f (max x y)": ("mono",),
        "∀ x, ∃ y z, f y = x ∧ f z = y ∧ f (f z) = x": ("onto",),
        "∀ x, ∃ y, ∀ z, y ≤ z → f x ≤ f z": ("mono",),
        "∀ x y, x < y → f (f x) < f (f y)": ("strict",),
        "∀ x y z, x ≤ y → y ≤ z → f x ≤ g z": ("mono", "less"),
        f"∀ x, ∃ y, x ≤ f y ∧ {k} ≤ f y": ("onto",),
        "∀ x, ∃ y, x < f y ∧ ∀ z, y ≤ z → x < f z": ("big",),
    }
    chosen = rng.sample(sorted(claims), several(rng, difficulty))
    needed = sorted({fact for claim in chosen for fact in claims[claim]})
    rng.shuffle(needed)
    return Draft(f"f g k : {number} → {number}").suppose(*(facts[name] for name in needed)).show(conjunction(chosen))
