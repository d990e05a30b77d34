"""Functions: injective, surjective and inverse ones, and their compositions."""

from __future__ import annotations

import random

from train.corpus.families.writing import Draft, conjunction, several

TYPES = "αβγδ"
NAMES = "fgk"


def generate(rng: random.Random, difficulty: int) -> str:
    """Claims about a chain of functions α → β → γ → δ, or about functions of one type into itself."""
    kinds = (_chain, _chain, _selves)
    return rng.choice(kinds)(rng, difficulty)


def _composed(first: int, last: int) -> str:
    """The composition of the functions from number `first` to number `last` of the chain."""
    return " ∘ ".join(NAMES[place] for place in range(last, first - 1, -1))


def _applied(first: int, last: int, argument: str) -> str:
    text = argument
    for place in range(first, last + 1):
        text = f"{NAMES[place]} ({text})" if " " in text else f"{NAMES[place]} {text}"
    return text


def _chain(rng: random.Random, difficulty: int) -> str:
    """What compositions inherit from their parts, and the parts from compositions."""
    count = 2 if difficulty < 3 else 3
    kinds = TYPES[: count + 1]
    arguments = [f"{' '.join(kinds)} : Type"]
    arguments += [f"{NAMES[i]} : {kinds[i]} → {kinds[i + 1]}" for i in range(count)]
    facts: dict[str, None] = {}
    claims: dict[str, None] = {}
    for _ in range(max(several(rng, difficulty), 1 + difficulty // 2)):
        first = rng.randrange(count - 1)
        last = rng.randrange(first + 1, count)
        whole, start, end = _composed(first, last), kinds[first], kinds[last + 1]
        property_ = rng.choice(("Injective", "Surjective"))
        written = rng.random() < 0.4
        form = rng.randrange(7)
        image, other = _applied(first, last, "x"), _applied(first, last, "y")
        if form < 3:
            for place in range(first, last + 1):
                facts[_having(property_, NAMES[place], kinds[place], written)] = None
            claims[
                rng.choice(
                    (
                        f"Function.{property_} ({whole})",
                        f"∀ x y : {start}, {image} = {other} → x = y"
                        if property_ == "Injective"
                        else f"∀ y : {end}, ∃ x, {image} = y",
                        f"∀ x y : {start}, x ≠ y → {image} ≠ {other}"
                        if property_ == "Injective"
                        else f"∀ y z : {end}, ∃ x w, {image} = y ∧ {_applied(first, last, 'w')} = z",
                    )
                )
            ] = None
        elif form == 3:
            facts[f"Function.{property_} ({whole})"] = None
            part = NAMES[first] if property_ == "Injective" else NAMES[last]
            claims[f"Function.{property_} {part}"] = None
        elif form == 4:
            facts[f"Function.Injective ({whole})"] = None
            facts[f"Function.Surjective {NAMES[first]}"] = None
            rest = _composed(first + 1, last)
            claims[f"Function.Injective ({rest})" if "∘" in rest else f"Function.Injective {rest}"] = None
        elif form == 5:
            facts[f"Function.Surjective ({whole})"] = None
            facts[f"Function.Injective {NAMES[last]}"] = None
            rest = _composed(first, last - 1)
            claims[f"Function.Surjective ({rest})" if "∘" in rest else f"Function.Surjective {rest}"] = None
        else:
            for place in range(first, last + 1):
                facts[_having("Surjective", NAMES[place], kinds[place], written)] = None
            claims[
                rng.choice(
                    (
                        f"∀ P : {end} → Prop, (∀ x, P ({image})) → ∀ y, P y",
                        f"∀ P : {end} → Prop, (∃ y, P y) → ∃ x, P ({image})",
                        f"∀ P Q : {end} → Prop, (∀ x, P ({image}) → Q ({image})) → ∀ y, P y → Q y",
                        f"∀ u v : {end} → {start}, (∀ x, u ({image}) = v ({image})) → u = v",
                    )
                )
            ] = None
    listed = list(facts)
    rng.shuffle(listed)
    return Draft(*arguments).suppose(*listed).show(conjunction(claims))


def _having(property_: str, name: str, kind: str, written: bool) -> str:
    """That a function is injective or surjective, by name or written out."""
    if not written:
        return f"Function.{property_} {name}"
    target = TYPES[TYPES.index(kind) + 1]
    if property_ == "Injective":
        return f"∀ x y : {kind}, {name} x = {name} y → x = y"
    return f"∀ y : {target}, ∃ x : {kind}, {name} x = y"


def _selves(rng: random.Random, difficulty: int) -> str:
    """Involutions, inverses, commuting and idempotent functions."""
    facts = (
        "∀ x, f (f x) = x",  # 0
        "∀ x, g (f x) = x",  # 1
        "∀ x, f (g x) = x",  # 2
        "∀ x, f (g x) = g (f x)",  # 3
        "∀ x, k (k x) = k x",  # 4
        "Function.Injective k",  # 5
        "Function.Surjective k",  # 6
        "∀ x, k x = f (g x)",  # 7
        "∀ x, f (f (f x)) = x",  # 8
    )
    claims: dict[str, set[int]] = {
        "Function.Injective f": {0},
        "Function.Surjective f": {0},
        "Function.Injective f ∧ Function.Surjective f": {8},
        "Function.Injective f ∧ Function.Surjective g": {1},
        "Function.Surjective (f ∘ g)": {2},
        "Function.Injective (g ∘ f)": {1},
        "∀ x, k x = x": {4, 5},
        "k = fun x => x": {4, 6},
        "Function.Bijective f": {1, 2},
        "∀ x, ∃ y, f y = x ∧ f x = y": {0},
        "∀ y, ∃ x, f (g x) = y": {0, 3, 2},
        "∀ x y, f x = y ↔ g y = x": {1, 2},
        "∀ y, ∃ x, k x = y": {2, 7},
        "∀ x, (∃ y, k y = x) ↔ k x = x": {4},
        "∃ u : α → α, ∀ x, u (f x) = x": {1},
        "∃ u : α → α, ∀ x, f (f (u x)) = x": {2},
        "∃ u : α → α, (∀ x, u (f x) = x) ∧ ∀ x, f (u x) = x": {0},
        "∃ u : α → α, ∀ x, u (f (f x)) = x": {1},
        "∀ x y, f (f x) = f (f y) → x = y": {1},
        "∀ A : α → Prop, (∀ x, A (f x)) → ∀ x, A x": {0},
        "∀ A : α → Prop, (∀ x, A x → A (f x)) → ∀ x, A (f x) → A x": {0},
        "∀ A : α → Prop, (∃ x, A x) → ∃ x, A (f (g x))": {2},
        "∀ x y, x ≠ y → g (f x) ≠ g (f y)": {1},
        "∃ u : α → α, ∃ v : α → α, ∀ x, u (v x) = k x": {7},
        "f ∘ g = fun x => x": {2},
        "k ∘ k = k": {4},
        "∀ x, f (f (g (g x))) = x": {2},
        "(∀ x, f x = g x) → ∀ x, f (f x) = x": {1},
    }
    chosen = rng.sample(sorted(claims), max(several(rng, difficulty), 1 + difficulty // 2))
    needed = sorted({place for claim in chosen for place in claims[claim]})
    rng.shuffle(needed)
    return Draft("α : Type", "f g k : α → α").suppose(*(facts[place] for place in needed)).show(conjunction(chosen))
