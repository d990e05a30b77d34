"""The first source of proofs: small steps chosen by the form of the goal, in an order that a seed shuffles.

The portfolio (prover.policy.portfolio) closes goals with Lean's automation wherever it can. A model that is to learn
from proofs of several steps needs others: an explorer offers what a person would do with the goal's connectives, has
only a share of the automation, and weighs its choices by its seed. Explorers that differ in these find different proofs
of one theorem.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator, Sequence

from prover.policy.goal import Goal, Hypothesis, read_goal
from prover.policy.portfolio import Weighted, by_cases, by_definition, by_inequality
from search.policy import Suggestion
from train.corpus.connectives import Parts, take_apart
from train.corpus.witnesses import witnesses

CLOSERS = {
    "grind": 10.0, "omega": 10.0, "simp_all": 6.0, "simp": 6.0, "decide": 3.0, "rfl": 4.0, "contradiction": 2.0,
    "norm_cast": 0.5, "ac_rfl": 0.5,
}  # fmt: skip
KEPT = frozenset({"rfl", "contradiction", "decide", "simp"})  # the weak ones that every explorer has
NOISE = 0.9  # standard deviations of the weights' logarithms, roughly
INDUCTION = {
    "ℕ": ("zero", "succ {name}", "ih"),
    "List": ("nil", "cons x {name}", "ih"),
    "Option": ("none", "some x", ""),
    "Bool": ("false", "true", ""),
}


def target_steps(goal: Goal, parts: Parts, fresh: Fresh) -> Iterator[Weighted]:
    """What the connective of the target asks for."""
    if " ∣ " in goal.target and not parts.connective:
        for witness, weight in witnesses(goal, "k", "", goal.target.replace(" ∣ ", " * k = ")):
            yield f"refine ⟨{witness}, ?_⟩", weight / 3
        for a, b in _chains(goal.facts, " ∣ "):
            yield f"exact Nat.dvd_trans {a} {b}", 5
    match parts.connective:
        case "∀":
            names = [fresh.like(name) for name in parts.names]
            yield f"intro {' '.join(names)}", 20
            if len(names) > 1:
                yield f"intro {names[0]}", 3
        case "→" | "¬":
            yield f"intro {fresh.hypothesis()}", 20
        case "∧" | "↔":
            yield "constructor", 12
        case "∨":
            yield "left", 6
            yield "right", 6
        case "∃":
            if parts.names:
                for witness, weight in witnesses(goal, parts.names[0], parts.left, parts.right):
                    yield f"refine ⟨{witness}, ?_⟩", weight
            yield "refine ⟨_, rfl, ?_⟩", 0.7
            yield "exact ⟨_, rfl⟩", 0.7
    if goal.target != "False":
        yield "exfalso", 0.3
    if parts.connective in ("∨", "∃", "") and goal.target != "False":
        yield f"refine Classical.byContradiction fun {fresh.hypothesis()} => ?_", 0.4
    if "Bijective" in goal.target:
        yield "constructor", 8
    if re.search(r" (∪|∩|\\|⊆|⁻¹'|'') ", goal.target):
        yield f"intro {fresh.like('x')} {fresh.hypothesis()}", 6 if " ⊆ " in goal.target else 0.3
        yield f"ext {fresh.like('x')}", 6 if " = " in goal.target else 0.3
        yield "simp only [Set.mem_union, Set.mem_inter_iff, Set.mem_diff, Set.mem_preimage]", 1
    if goal.target.startswith("Function.") or re.search(r"(Injective|Surjective)", goal.target):
        yield f"intro {fresh.like('x')} {fresh.like('y')} {fresh.hypothesis()}", 3
        yield f"intro {fresh.like('y')}", 3
    if " = " in goal.target:
        yield "symm", 0.2
        yield f"funext {fresh.like('x')}", 1 if re.search(r"fun|∘|^\w+ = \w+$", goal.target) else 0.1
        yield "congr 1", 0.3
    if re.search(r"\bif\b|\bmatch\b", goal.text):
        yield "split", 4


def hypothesis_steps(goal: Goal, fresh: Fresh) -> Iterator[Weighted]:
    """What each fact of the context offers."""
    facts = [h for h in goal.hypotheses if _is_fact(h)]
    known = {h.type: h.name for h in facts}
    for h in facts:
        if h.type == goal.target:
            yield f"exact {h.name}", 60
        parts = take_apart(h.type)
        match parts.connective:
            case "∧":
                yield f"obtain ⟨{fresh.hypothesis()}, {fresh.hypothesis(1)}⟩ := {h.name}", 14
            case "∨":
                yield f"rcases {h.name} with {h.name} | {h.name}", 9
            case "∃":
                name = fresh.like(parts.names[0]) if parts.names else fresh.like("x")
                yield f"obtain ⟨{name}, {fresh.hypothesis()}⟩ := {h.name}", 14
            case "↔":
                yield f"rw [{h.name}]", 2
                yield f"apply {h.name}.mp", 1.5
                yield f"apply {h.name}.mpr", 1.5
                yield f"obtain ⟨{fresh.hypothesis()}, {fresh.hypothesis(1)}⟩ := {h.name}", 3
            case "→":
                if parts.left in known:
                    yield f"have {fresh.hypothesis()} := {h.name} {known[parts.left]}", 8
                yield f"apply {h.name}", 4
            case "¬":
                if parts.left in known:
                    yield f"exact absurd {known[parts.left]} {h.name}", 20
                yield f"apply {h.name}", 2 if goal.target == "False" else 0.3
            case "∀":
                yield from _instances(h, parts, goal, facts, fresh)
                if " = " in parts.right:
                    yield from _rewriting(h, parts.right, goal, 3)
            case _:
                if h.type == "False":
                    yield f"exact {h.name}.elim", 60
                if " = " in h.type:
                    yield from _rewriting(h, h.type, goal, 4)
                    if re.fullmatch(r"\w+ = .*|.* = \w+", h.type):
                        yield f"subst {h.name}", 3
                        yield f"cases {h.name}", 0.3
                if "Surjective" in h.type:
                    for name in [v.name for v in goal.hypotheses if not _is_fact(v)][-4:]:
                        yield f"obtain ⟨{fresh.like('z')}, {fresh.hypothesis()}⟩ := {h.name} {name}", 3
                if "Injective" in h.type:
                    yield f"apply {h.name}", 4
                if "Bijective" in h.type:
                    yield f"obtain ⟨{fresh.hypothesis()}, {fresh.hypothesis(1)}⟩ := {h.name}", 8
                if " ∣ " in h.type:
                    yield f"obtain ⟨{fresh.like('k')}, {fresh.hypothesis()}⟩ := {h.name}", 5
                if re.search(r"[∈%]|::|some|none|\[\]", h.type):
                    yield f"simp at {h.name}", 1.5
    for a, b in _chains(facts, r" [<≤] "):
        yield f"exact Nat.le_trans {a} {b}", 0.6
        yield f"exact Nat.lt_of_lt_of_le {a} {b}", 0.6
        yield f"exact Nat.lt_of_le_of_lt {a} {b}", 0.6
        yield f"have {fresh.hypothesis()} := Nat.le_trans {a} {b}", 0.2


def _instances(
    h: Hypothesis, parts: Parts, goal: Goal, facts: Sequence[Hypothesis], fresh: Fresh
) -> Iterator[Weighted]:
    """Using a universally quantified fact: backwards, or forwards with arguments or with what it presupposes."""
    yield f"apply {h.name}", 4
    body = take_apart(parts.right)
    holes = " _" * len(parts.names)
    if body.connective in ("→", "∀"):
        for fact in facts[:8]:
            if fact.name != h.name and take_apart(fact.type).connective in ("", "¬"):
                yield f"have {fresh.hypothesis()} := {h.name}{holes} {fact.name}", 2
                yield f"exact {h.name}{holes} {fact.name}", 1
        body = take_apart(body.right)
    else:
        yield f"exact {h.name}{holes}", 1.5
    for name in _arguments(goal, parts) if len(parts.names) == 1 else ():
        match take_apart(parts.right).connective:
            case "∃":
                yield f"obtain ⟨{fresh.like('y')}, {fresh.hypothesis()}⟩ := {h.name} {name}", 4
            case "∨":
                yield f"rcases {h.name} {name} with {fresh.hypothesis()} | {fresh.hypothesis()}", 4
            case "∧":
                yield f"obtain ⟨{fresh.hypothesis()}, {fresh.hypothesis(1)}⟩ := {h.name} {name}", 3
            case _:
                yield f"have {fresh.hypothesis()} := {h.name} {name}", 1.2


def _rewriting(h: Hypothesis, equation: str, goal: Goal, weight: float) -> Iterator[Weighted]:
    """Rewriting with `h`, of the form `equation`, in the direction and the places where its sides may occur."""
    left, _, right = equation.partition(" = ")
    if _may_occur(left, goal.target):
        yield f"rw [{h.name}]", weight
        yield f"simp [{h.name}]", weight / 1.5
        yield f"simp only [{h.name}]", weight / 4
    if _may_occur(right, goal.target):
        yield f"rw [← {h.name}]", weight / 2
    for other in goal.facts[:8]:
        if other.name != h.name and " = " in other.type:
            yield f"simp [{h.name}, {other.name}]", weight / 5
            if _may_occur(left, other.type):
                yield f"rw [{h.name}] at {other.name}", weight / 6


def _may_occur(side: str, text: str) -> bool:
    """Whether an instance of one side of an equation may occur in `text`: its first symbol does."""
    head = re.search(r"[\w.']+", side)
    return head is not None and re.search(rf"(?<![\w.]){re.escape(head[0])}(?![\w'])", text) is not None


def case_steps(goal: Goal, fresh: Fresh) -> Iterator[Weighted]:
    """Induction and cases on what occurs in the target, and on propositions."""
    for h in goal.hypotheses:
        occurs = re.search(rf"(?<![\w.]){re.escape(h.name)}(?![\w'])", goal.target)
        head = "List" if h.type.startswith("List ") else "Option" if h.type.startswith("Option ") else h.type
        if occurs and head in INDUCTION:
            first, second, ih = INDUCTION[head]
            second = second.format(name=h.name)
            if ih:
                weight = 1 if goal.target.startswith("∃") else 2.5
                yield f"induction {h.name} with | {first} => ?_ | {second} {fresh.like(ih)} => ?_", weight
            yield f"cases {h.name} with | {first} => ?_ | {second} => ?_", 0.8 if ih else 4
        if h.type in ("ℕ", "ℤ") and occurs and re.search(r"%|∣|\* k|∃ k", goal.target):
            for modulus in sorted({int(n) for n in re.findall(r"(?<![\w.])[2-9](?!\w)", goal.target)}):
                cases = [f"{h.name} % {modulus} = {rest}" for rest in range(modulus)]
                name = fresh.hypothesis()
                yield f"obtain {' | '.join([name] * modulus)} : {' ∨ '.join(cases)} := by omega", 1.5
        if h.type == "Prop" and occurs:
            yield f"by_cases {fresh.hypothesis()} : {h.name}", 1


def lemma_steps(goal: Goal) -> Iterator[Weighted]:
    """What core Lean and the prelude know of the operations that occur."""
    remainders = [h.name for h in goal.facts if " % " in h.type][:4]
    if remainders and re.search(r" % |∣", goal.target):
        whole = "ℤ" in goal.text
        rules = "Int.add_emod, Int.mul_emod, Int.emod_emod" if whole else "Nat.add_mod, Nat.mul_mod, Nat.pow_mod"
        yield f"simp [{rules}, {', '.join(remainders)}]", 3
        yield f"rw [{'Int.mul_emod' if whole else 'Nat.mul_mod'}, {', '.join(remainders[:2])}]", 1
    if goal.target.startswith("0 < "):
        yield "apply mul_pos", 3
        yield "apply add_pos", 3
    for pattern, lemmas in LEMMAS.items():
        if re.search(pattern, goal.target):
            for lemma in lemmas:
                yield f"rw [{lemma}]", 0.6
            yield f"simp [{', '.join(lemmas)}]", 0.8


LEMMAS = {
    r"\+\+": ("List.append_assoc", "List.cons_append", "List.nil_append"),
    r"\.map\b|List\.map": ("List.map_append", "List.map_cons"),
    r"\.length|List\.length": ("List.length_append", "List.length_cons"),
    r"reverse": ("List.reverse_cons", "List.reverse_append"),
    r"\+": ("Nat.add_comm", "Nat.add_assoc"),
    r"\*": ("Nat.mul_comm", "Nat.mul_add", "Nat.add_mul"),
    r"\^": ("Nat.pow_succ", "Nat.pow_zero"),
    r"%": ("Nat.add_mod", "Nat.mul_mod", "Nat.pow_mod"),
    r"∑": ("Finset.sum_range_succ", "Finset.sum_range_zero"),
}


class Fresh:
    """Names that the context does not use yet."""

    def __init__(self, goal: Goal) -> None:
        self._used = {h.name for h in goal.hypotheses}

    def hypothesis(self, skip: int = 0) -> str:
        """h, h1, h2, … the first that is free, or the next ones after `skip` free ones."""
        free = (name for name in ("h", *(f"h{i}" for i in range(1, 99))) if name not in self._used)
        for _ in range(skip):
            next(free)
        return next(free)

    def like(self, name: str) -> str:
        """`name` itself where it is free and can be written, else the name with a number."""
        plain = re.sub(r"[^A-Za-z0-9_'α-ω]", "", name) or "x"
        return next(n for n in (plain, *(f"{plain}{i}" for i in range(1, 99))) if n not in self._used)


class Explorer:
    """Implements search.policy.Policy; the same arguments and state give the same tactics.

    `automation` is the share of Lean's strong tactics that it has, from 0 to 1; which ones, the seed decides.
    """

    def __init__(self, seed: str, automation: float) -> None:
        rng = random.Random(seed)
        self._seed = seed
        self._closers = {t: w for t, w in CLOSERS.items() if t in KEPT or rng.random() < automation}
        if automation < 1:
            self._closers = {t: w * rng.choice((0.1, 0.3, 1.0)) for t, w in self._closers.items()}

    async def suggest(self, state: str, n: int) -> Sequence[Suggestion]:
        """At most `n` different tactics, likeliest first."""
        goal = read_goal(state)
        weights: dict[str, float] = dict(self._closers)
        for tactic, weight in self._steps(goal):
            weights[tactic] = max(weight, weights.get(tactic, 0.0))
        if take_apart(goal.target).connective in ("∀", "→", "¬"):  # little else is of use before `intro`
            weights = {
                tactic: weight if tactic.startswith("intro ") else weight / 8 for tactic, weight in weights.items()
            }
        rng = random.Random(f"{self._seed} {state}")
        noisy = {tactic: math.log(weight) + NOISE * rng.gauss(0, 1) for tactic, weight in weights.items()}
        total = math.log(sum(map(math.exp, noisy.values())))
        ranked = sorted(noisy.items(), key=lambda item: -item[1])
        return [Suggestion(tactic, min(0.0, value - total)) for tactic, value in ranked[:n]]

    def _steps(self, goal: Goal) -> Iterator[Weighted]:
        fresh = Fresh(goal)
        yield from target_steps(goal, take_apart(goal.target), fresh)
        yield from hypothesis_steps(goal, fresh)
        yield from case_steps(goal, fresh)
        yield from lemma_steps(goal)
        for rule in (by_definition, by_cases, by_inequality):
            for tactic, weight in rule(goal):
                if self._allowed(tactic) and not re.fullmatch(r"(induction|cases) \w+", tactic):
                    yield tactic, weight / 2

    def _allowed(self, tactic: str) -> bool:
        """Whether a compound tactic ends in a closer that this explorer has."""
        return all(closer in self._closers for closer in ("grind", "omega", "simp_all") if closer in tactic)


def _is_fact(h: Hypothesis) -> bool:
    """Whether `h` states something, and is no object, function or type."""
    if re.search(r"[=<≤>≥≠∧∨∣¬∃∀↔∈]|^False$", h.type):
        return True
    ends = h.type.split(" → ")
    return all(re.match(r"\(*[a-zA-Z]", end) and not re.match(_TYPES, end) for end in ends) and ends[-1] != "Prop"


_TYPES = re.compile(r"\(*(Type|Prop|Sort|List|Option|Nat|Int|Bool|Array|Fin|Set|Finset|DecidableEq|BEq|[A-Z] → Prop)\b")


def _arguments(goal: Goal, parts: Parts) -> list[str]:
    """What a universally quantified fact may be applied to."""
    names = [h.name for h in goal.hypotheses if h.type == parts.left or (not parts.left and not _is_fact(h))]
    return names[:6] + (["0", "1", "2"] if parts.left in ("ℕ", "ℤ") else [])


def _chains(facts: Sequence[Hypothesis], relation: str) -> Iterator[tuple[str, str]]:
    """Pairs of facts a R b, b R c."""
    ends = [(h.name, re.split(relation, h.type)) for h in facts]
    pairs = [(name, sides) for name, sides in ends if len(sides) == 2]  # noqa: PLR2004 (two sides)
    for a, (_, middle) in pairs:
        for b, (again, _) in pairs:
            if middle == again:
                yield a, b
