"""Sets: identities and inclusions decided by truth table, images and preimages, and sets to be found."""

from __future__ import annotations

import random

from train.corpus.families.propositions import Formula, table
from train.corpus.families.writing import Draft, conjunction, several

SETS = dict(zip("pqr", "ABC", strict=True))
FULL = 255
OPERATIONS = {"∧": "∩", "∨": "∪", "\\": "\\"}


def generate(rng: random.Random, difficulty: int) -> str:
    """Claims about three sets, and from difficulty 2 on about their images."""
    kinds = [_algebra, _algebra, _found] + ([_images, _images] if difficulty > 1 else [])
    return rng.choice(kinds)(rng, difficulty)


def _expression(rng: random.Random, size: int) -> tuple[str, Formula]:
    """A set, and the formula that says when an element belongs to it."""
    if size == 0:
        atom = rng.choice(sorted(SETS))
        return SETS[atom], Formula(atom)
    left = rng.randrange(size)
    (a, p), (b, q) = _expression(rng, left), _expression(rng, size - 1 - left)
    if a == b:
        return _expression(rng, size)
    operation = rng.choices(("∩", "∪", "\\"), (3, 3, 1))[0]
    formula = (
        Formula("∧", (p, Formula("¬", (q,))))
        if operation == "\\"
        else Formula("∧" if operation == "∩" else "∨", (p, q))
    )
    a, b = (f"({text})" if len(text) > 1 else text for text in (a, b))
    return f"{a} {operation} {b}", formula


def _hypotheses(rng: random.Random, number: int) -> tuple[list[str], int]:
    """Inclusions, and for which elements they hold, as a truth table."""
    facts: list[str] = []
    given = FULL
    for _ in range(50):
        if len(facts) == number:
            break
        (a, p), (b, q) = _expression(rng, rng.randrange(2)), _expression(rng, rng.randrange(2))
        after = given & (~table(p, 3) & FULL | table(q, 3))
        if after not in (given, given & ~table(Formula("p"), 3), 0) and bin(after).count("1") > 3:
            facts.append(f"{a} ⊆ {b}")
            given = after
    return facts, given


def _claim(rng: random.Random, given: int, size: int) -> str | None:
    """An equation or inclusion that holds given what is given, and not without it where anything is given."""
    seen: dict[int, str] = {}
    for _ in range(300):
        text, formula = _expression(rng, rng.randrange(1, size + 1))
        truth = table(formula, 3) & given
        if truth in seen and seen[truth] != text and len(text) + len(seen[truth]) > 8:
            return f"{seen[truth]} = {text}"
        for other, known in seen.items():
            if other & ~truth == 0 and other not in (0, truth) and len(text) + len(known) > 8 and rng.random() < 0.2:
                return f"{known} ⊆ {text}"
        seen[truth] = text
    return None


def _algebra(rng: random.Random, difficulty: int) -> str:
    while True:
        facts, given = _hypotheses(rng, rng.randrange((difficulty + 3) // 2))
        claims = [_claim(rng, given, 1 + (difficulty + 1) // 2) for _ in range(several(rng, difficulty))]
        if all(claims):
            draft = Draft("α : Type", "A B C : Set α").suppose(*facts)
            return draft.show(conjunction(dict.fromkeys(claim for claim in claims if claim)))


def _found(rng: random.Random, difficulty: int) -> str:
    """∃ S, A ⊆ S ∧ …: a set with given relations, one of the sets at hand or made of two."""
    while True:
        facts, given = _hypotheses(rng, 1 + difficulty // 2)
        text, witness = _expression(rng, 0 if difficulty < 4 else rng.randrange(2))
        truth = table(witness, 3) & given
        parts: dict[str, None] = {}
        for _ in range(60):
            other, formula = _expression(rng, rng.randrange(3))
            value = table(formula, 3) & given
            shown = f"({other})" if len(other) > 1 else other
            (third, formula) = _expression(rng, 0)
            both = table(formula, 3) & given
            if value & ~truth == 0 and other != text:
                parts[f"{other} ⊆ S"] = None
            elif truth & ~value == 0 and other != text:
                parts[f"S ⊆ {other}"] = None
            elif truth & both == value and third != text:
                parts[f"S ∩ {third} = {shown}"] = None
            elif truth | both == value and third != text:
                parts[f"S ∪ {third} = {shown}"] = None
        if len(parts) > 1 + difficulty // 2:
            chosen = rng.sample(sorted(parts), 2 + difficulty // 2)
            return Draft("α : Type", "A B C : Set α").suppose(*facts).show(f"∃ S : Set α, {' ∧ '.join(chosen)}")


def _images(rng: random.Random, difficulty: int) -> str:
    """Images and preimages under f, for sets with known inclusions."""
    facts, given = _hypotheses(rng, rng.randrange(1, 3))
    claims: dict[str, None] = {}
    number = several(rng, difficulty)
    while len(claims) < number:
        (a, p), (b, q) = _expression(rng, rng.randrange(2)), _expression(rng, rng.randrange(2))
        below = table(p, 3) & given & ~table(q, 3) == 0 and a != b
        (c, d) = (f"({text})" if len(text) > 1 else text for text in (a, b))
        forms = [
            f"f '' ({a} ∪ {d}) = f '' {c} ∪ f '' {d}",
            f"f '' ({c} ∩ {d}) ⊆ f '' {c} ∩ f '' {d}",
            f"f ⁻¹' (f '' {c} ∪ U) = f ⁻¹' (f '' {c}) ∪ f ⁻¹' U",
            f"{c} ∩ {d} ⊆ f ⁻¹' (f '' {c})",
            f"f '' ({c} ∩ f ⁻¹' U) = f '' {c} ∩ U",
            "f '' (f ⁻¹' (U ∩ V)) ⊆ U ∩ V",
            f"f ⁻¹' (U ∩ V) \\ {c} = (f ⁻¹' U \\ {c}) ∩ f ⁻¹' V",
            f"({c} ∩ {d}).Nonempty → (f '' {c}).Nonempty ∧ {d}.Nonempty",
            f"f '' {c} ⊆ U → {c} ⊆ f ⁻¹' U ∪ {d}",
            f"{c} ⊆ f ⁻¹' U → f '' ({c} ∩ {d}) ⊆ U",
            f"f '' {c} ⊆ f '' ({c} ∪ {d}) ∩ f '' ({d} ∪ {c})",
        ]
        if below:
            forms += 3 * [
                f"f '' {c} ⊆ f '' {d}",
                f"f ⁻¹' (f '' {c}) ⊆ f ⁻¹' (f '' {d})",
                f"∃ T, T ⊆ f '' {d} ∧ f '' {c} ⊆ T",
            ]
            forms += 2 * [f"f '' {c} ∪ f '' {d} = f '' {d}", f"{c}.Nonempty → (f '' {d}).Nonempty"]
        if "α" and rng.random() < 0.3:
            forms = [
                "∃ T, f ⁻¹' T = f ⁻¹' U ∩ f ⁻¹' V",
                "∃ T, f ⁻¹' T = f ⁻¹' (U \\ V) ∪ f ⁻¹' V",
                f"∃ S, f '' S = f '' {c} ∪ f '' {d}",
            ]
        claims[rng.choice(forms)] = None
    return Draft("α β : Type", "f : α → β", "A B C : Set α", "U V : Set β").suppose(*facts).show(conjunction(claims))
