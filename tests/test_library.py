"""Theorems of Lean's library: proofs are held to what is declared before them, at each step and as a whole."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from benchmarks.statements import Row
from lean_env.embedded import engine as embedded
from lean_env.embedded import install
from lean_env.embedded.engine import EmbeddedEngine, EmbeddedSession
from lean_env.engine import Failed, FailureKind, ProofState, Proved, Theorem, UnsupportedStatement, VerdictKind
from lean_env.pool import Pool, ProcessSpec
from lean_env.process import EndCause, Process
from train.corpus import library
from train.corpus.library import Listed, is_chosen, library_theorems

APPEND = "List.append_assoc"
HONEST = "intro α as bs cs\ninduction as with\n| nil => rfl\n| cons a as ih => exact congrArg (List.cons a) ih"

UNFOLD = "simp only [(· ++ ·), Append.append, List.append]"  # by equations that Lean makes of the definition

Open = Callable[[Theorem], Awaitable[EmbeddedSession]]


def stated(name: str, header: str = "") -> Theorem:
    return Theorem("lib_x", f"theorem lib_x : type_of% @{name} := by sorry", header, before=name)


@pytest.fixture
async def opened(engine: EmbeddedEngine) -> AsyncIterator[Open]:
    sessions: list[EmbeddedSession] = []

    async def open_(theorem: Theorem) -> EmbeddedSession:
        sessions.append(await engine.open(theorem))
        return sessions[-1]

    yield open_
    for session in sessions:
        await session.close()


# The statement.


async def test_a_library_theorem_opens_as_the_whole_statement_of_the_library(opened: Open) -> None:
    session = await opened(stated(APPEND))
    assert session.root.text == "⊢ ∀ {α : Type u_1} (as bs cs : List α), as ++ bs ++ cs = as ++ (bs ++ cs)"


async def test_what_a_proof_sees_at_first_is_what_a_session_shows_at_first(opened: Open) -> None:
    """Without a header or a library: implicit arguments of the goal are not introduced behind the proof's back."""
    session = await opened(Theorem("x", "theorem x : ∀ {n : ℕ}, n = n := by sorry"))
    assert session.root.text == "⊢ ∀ {n : ℕ}, n = n"


async def test_a_theorem_that_the_library_has_not_cannot_come_after_anything(engine: EmbeddedEngine) -> None:
    theorem = Theorem("x", "theorem x : 1 = 1 := by sorry", before="List.no_such_lemma")
    with pytest.raises(UnsupportedStatement, match="no theorem List"):
        await engine.open(theorem)
    assert (await engine.verify(theorem, "rfl")).kind is VerdictKind.UNVERIFIED


# What a proof may not use.

REFUSED = {
    "the theorem itself": (APPEND, "exact @List.append_assoc", APPEND),
    "the theorem as a hypothesis that nothing uses": (
        APPEND,
        HONEST.replace("| nil => rfl", "| nil => have h := List.append_assoc bs cs cs; rfl"),
        APPEND,
    ),
    "the theorem inside a local statement": (
        APPEND,
        "intro α as bs cs\nhave h : as ++ bs ++ cs = as ++ (bs ++ cs) := by\n  exact List.append_assoc ..\nexact h",
        APPEND,
    ),
    "the theorem behind an auxiliary lemma": (APPEND, "as_aux_lemma => exact @List.append_assoc", APPEND),
    "the theorem by a search of the library": (APPEND, "exact?", APPEND),
    "the theorem as a lemma of simp": (APPEND, "intros\nsimp [List.append_assoc]", APPEND),
    "the theorem in the set of simp": (APPEND, "intros\nsimp", APPEND),
    "the theorem in the set of grind": ("List.reverse_reverse", "grind", "List.reverse_reverse"),
    "the theorem turned round for simp": ("Option.map_eq_some_iff", "intros\nsimp", "Option.map_eq_some_iff"),
    "the theorem in an instance": (
        APPEND,
        "intro α as bs cs\nexact Std.Associative.assoc (op := fun (x y : List α) => x ++ y) as bs cs",
        "List.instAssociativeHAppend",
    ),
    "a corollary": ("Nat.add_comm", "intro n m\nexact Nat.add_left_comm n m 0", "Nat.add_left_comm"),
    "a procedure that rests on it": ("Nat.add_comm", "intros\nomega", "Nat.lt_or_gt_of_ne"),
    "a lemma of this project's prelude": ("Nat.cast_ofNat", "exact @Nat.cast_ofNat", "Nat.cast_ofNat"),
}


@pytest.mark.parametrize(("name", "proof", "late"), REFUSED.values(), ids=REFUSED)
async def test_what_is_declared_with_the_theorem_or_after_it_is_refused_by_step_and_by_verification(
    engine: EmbeddedEngine, opened: Open, name: str, proof: str, late: str
) -> None:
    session = await opened(stated(name))
    step = await session.run(session.root, proof)
    assert isinstance(step, Failed) and step.kind is FailureKind.REFUSED, step
    assert late in step.message and f"declared with or after {name}" in step.message
    verdict = await engine.verify(stated(name), proof)
    assert verdict.kind is VerdictKind.REFUSED and late in verdict.reason


@pytest.mark.parametrize(("name", "proof", "late"), REFUSED.values(), ids=REFUSED)
async def test_the_same_proofs_hold_where_nothing_restricts_them(
    engine: EmbeddedEngine, name: str, proof: str, late: str
) -> None:
    free = Theorem("lib_x", stated(name).statement)
    assert (await engine.verify(free, proof)).proved


async def test_a_step_is_refused_even_where_its_goal_stays_open_and_stands_inside_a_binder(opened: Open) -> None:
    session = await opened(stated(APPEND))
    inside = await session.run(session.root, "intro α as bs cs")
    assert isinstance(inside, ProofState)
    step = await session.run(inside, "have h := List.append_assoc as bs cs")
    assert isinstance(step, Failed) and step.kind is FailureKind.REFUSED
    assert isinstance(await session.run(inside, "have h := List.append_nil as"), Failed)
    assert isinstance(await session.run(inside, "have h := Nat.le_refl 2"), ProofState)


# What it may use.


@pytest.mark.parametrize(
    ("name", "proof"),
    [
        (APPEND, HONEST),
        ("Nat.add_comm", "intro n m\ninduction m with\n| zero => exact (Nat.zero_add n).symm\n| succ m ih => skip"),
        ("List.take_append_drop", "intro α i l\ninduction l generalizing i with\n| nil => simp\n| cons a l ih => skip"),
    ],
)
async def test_a_step_that_rests_on_earlier_modules_only_is_not_refused(opened: Open, name: str, proof: str) -> None:
    session = await opened(stated(name))
    step = await session.run(session.root, proof)
    assert not (isinstance(step, Failed) and step.kind is FailureKind.REFUSED), step


@pytest.mark.parametrize(
    ("name", "proof"),
    [
        (APPEND, HONEST),
        (APPEND, HONEST.replace("exact congrArg (List.cons a) ih", f"{UNFOLD} at *; rw [ih]")),
        ("Nat.sub_eq_sub_min", "intros\nomega"),
        ("Vector.foldl_congr", "grind"),
        ("Option.get_ite", "grind"),
        ("Option.map_map", "intro β γ α h g x\ncases x <;> rfl"),
    ],
)
async def test_an_honest_proof_is_accepted_by_step_and_by_verification(
    engine: EmbeddedEngine, opened: Open, name: str, proof: str
) -> None:
    session = await opened(stated(name))
    assert isinstance(await session.run(session.root, proof), Proved)
    verdict = await engine.verify(stated(name), proof)
    assert verdict.proved, verdict.reason


# The restriction lasts.


async def test_the_restriction_is_there_after_its_process_was_killed(engine: EmbeddedEngine, opened: Open) -> None:
    session = await opened(stated(APPEND))
    state = await session.run(session.root, "intro α as bs cs")
    assert isinstance(state, ProofState)

    async def die(process: Process) -> None:
        process.end(EndCause.KILLED)

    await session._slot.run(die)
    step = await session.run(state, "exact List.append_assoc as bs cs")
    assert isinstance(step, Failed) and step.kind is FailureKind.REFUSED
    assert isinstance(await session.run(state, HONEST.partition("\n")[2]), Proved)


async def test_the_restriction_is_there_after_states_were_evicted() -> None:
    small = dict(embedded.SNAPSHOTS, environments=1, proofStates=1)
    spec = ProcessSpec(embedded.command(install.locate(), snapshots=small), embedded.warm_up)
    async with Pool(spec, 1, 20, 1100, 10**6, 0) as pool:
        session = await EmbeddedEngine(pool).open(stated(APPEND))
        states = [await session.run(session.root, f"intro α{n} as bs cs") for n in range(3)]
        for state in states:
            assert isinstance(state, ProofState)
            step = await session.run(state, "exact List.append_assoc as bs cs")
            assert isinstance(step, Failed) and step.kind is FailureKind.REFUSED
        await session.close()


# What takes a theorem out of the sets of simp and grind, and where the restriction is told.


async def test_a_header_takes_the_theorem_from_simp_so_that_simp_is_not_refused_for_it(opened: Open) -> None:
    session = await opened(stated(APPEND, f"attribute [-simp] {APPEND}\nattribute [-grind] {APPEND}"))
    for tactic in ("simp", "intros\nsimp"):
        step = await session.run(session.root, tactic)
        assert isinstance(step, Failed) and step.kind is FailureKind.ERROR and "no progress" in step.message


def test_a_file_with_the_proof_says_what_the_proof_was_held_to(engine: EmbeddedEngine) -> None:
    text = engine.standalone(stated(APPEND), HONEST)
    assert f"-- The proof uses nothing that is declared with or after {APPEND}.\n\ntheorem lib_x" in text


def test_a_row_of_a_benchmark_says_what_its_theorem_comes_before() -> None:
    theorem = stated(APPEND)
    row = {"name": theorem.name, "split": "test", "header": "", "statement": theorem.statement}
    assert Row.model_validate({**row, "before": APPEND}).theorem.before == APPEND
    assert Row.model_validate(row).theorem.before == ""


# The list.


@pytest.fixture
async def options(engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> dict[str, Theorem]:
    """The library's theorems about Option, by their names in the library."""
    monkeypatch.setattr(library, "_MODULE", re.compile(r"Init\.Data\.Option\..+"))
    return {listed.theorem.before: listed.theorem for listed in await library_theorems(engine)}


async def test_every_listed_theorem_can_be_stated_in_a_benchmark_and_opened(
    engine: EmbeddedEngine, opened: Open, options: dict[str, Theorem]
) -> None:
    assert len(options) > 400
    assert len({theorem.name for theorem in options.values()}) == len(options)
    texts = set()
    for theorem in options.values():
        Row(name=theorem.name, split="test", header=theorem.header, statement=theorem.statement, before=theorem.before)
        session = await engine.open(theorem)
        assert "type_of%" not in session.root.text and len(session.root.text) <= library.LONGEST
        texts.add(session.root.text)
        await session.close()
    assert len(texts) == len(options)


async def test_a_listed_theorem_is_out_of_the_sets_that_it_was_in_and_of_no_other(options: dict[str, Theorem]) -> None:
    assert options["Option.map_map"].name == "lib_Option_map_map"
    assert options["Option.map_map"].header == "attribute [-simp] Option.map_map"
    assert options["Option.max_none_left"].header.splitlines() == [
        "attribute [-simp] Option.max_none_left",
        "attribute [-grind] Option.max_none_left",
    ]
    assert options["Option.get_of_mem"].header == ""


@pytest.mark.parametrize(
    ("name", "module", "chosen"),
    [
        ("List.map_append", "Init.Data.List.Lemmas", True),
        ("and_comm", "Init.Core", True),
        ("Option.some.injEq", "Init.Core", False),
        ("List.foldrM.eq_1", "Init.Data.List.Lemmas", False),
        ("List.instLawfulBEq", "Init.Data.List.Basic", False),
        ("Nat.Linear.Poly.denote_cons", "Init.Data.Nat.Linear", False),
        ("Lean.Grind.of_eq_true", "Init.Core", False),
        ("Real.sqrt_nonneg", "NeffPrelude", False),
        ("List._aux", "Init.Data.List.Basic", False),
        ("List.«term_++_»", "Init.Data.List.Basic", False),
    ],
)
def test_theorems_are_chosen_that_a_person_stated_about_what_tactics_are_learnt_from(
    name: str, module: str, chosen: bool
) -> None:
    assert is_chosen(name, module) is chosen


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("List.map_append", "Array.map_append"),
        ("List.length_map", "Vector.size_map"),
        ("Nat.add_comm", "Int.add_comm"),
        ("List.append_assoc", "List.append_assoc'"),
        ("Nat.le_div_iff_mul_le", "Nat.le_div_iff_mul_le_2"),
    ],
)
def test_theorems_that_differ_by_their_type_only_are_of_one_family(one: str, other: str) -> None:
    assert Listed(stated(one), "").family == Listed(stated(other), "").family


def test_theorems_that_say_different_things_are_of_different_families() -> None:
    names = [
        "List.map_append",
        "List.append_map",
        "Nat.add_comm",
        "Nat.add_assoc",
        "Array.size_map",
        "Array.resize_map",
    ]
    assert len({Listed(stated(name), "").family for name in names}) == len(names)
