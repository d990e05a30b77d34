"""Verification: no attack is accepted, no honest proof is refused, and what runs out of limits is neither."""

from __future__ import annotations

import pytest
from attacks import ATTACKS, RUNAWAYS, TRUE, Attack
from honest_proofs import HONEST, Honest

from lean_env.embedded import engine as embedded
from lean_env.embedded import install
from lean_env.embedded.engine import EmbeddedEngine
from lean_env.engine import Theorem, UnsupportedStatement, VerdictKind
from lean_env.verify import Constant, Facts, Message, UnsupportedHeader, elaborated_header, judge, whole_theorem

SOUND = Facts(
    refusal=None,
    messages=(),
    constants=(Constant(name="x", kind="theorem"),),
    sameStatement=True,
    axioms=("propext",),
    late=(),
    kernel=None,
)
X = whole_theorem(Theorem("x", TRUE), "rfl")


async def verdict(engine: EmbeddedEngine, attack: Attack) -> str:
    try:
        return (await engine.verify(attack.theorem, attack.proof)).kind.value
    except UnsupportedStatement:
        return "unsupported"


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.title)
async def test_no_attack_is_accepted(engine: EmbeddedEngine, attack: Attack) -> None:
    assert await verdict(engine, attack) == attack.ends


async def test_no_attack_has_run_code_of_its_own(engine: EmbeddedEngine) -> None:
    for attack in ATTACKS:
        if "IO." in attack.proof + attack.header:
            await verdict(engine, attack)
    assert not (install.locate().library / "attack").exists()


@pytest.mark.parametrize("attack", RUNAWAYS, ids=lambda attack: attack.title)
async def test_what_runs_out_of_limits_is_unverified(
    engine: EmbeddedEngine, attack: Attack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "VERIFICATION_S", 5.0)
    assert await verdict(engine, attack) == attack.ends


@pytest.mark.parametrize("honest", HONEST, ids=lambda honest: honest.title)
async def test_no_honest_proof_is_refused(engine: EmbeddedEngine, honest: Honest) -> None:
    found = await engine.verify(honest.theorem, honest.proof)
    assert found.proved, found.reason


def test_there_are_enough_of_both_and_no_two_are_the_same() -> None:
    assert len({(a.statement, a.header, a.proof) for a in ATTACKS}) == len(ATTACKS) >= 70
    assert len({(h.statement, h.header, h.proof) for h in HONEST}) == len(HONEST) >= 65


async def test_a_proof_names_the_axioms_it_rests_on(engine: EmbeddedEngine) -> None:
    theorem = Theorem("x", "theorem x (p q : Prop) (h : p ↔ q) : p = q := by sorry")
    found = await engine.verify(theorem, "have k : p = q := by\n  exact propext h\nexact k")
    assert found.proved
    assert found.axioms == ("propext",)


async def test_the_kernel_refuses_what_was_added_behind_its_back(engine: EmbeddedEngine) -> None:
    whole = whole_theorem(Theorem("x", "theorem x : (1 : ℕ) = 2 := by sorry"), "exact lcProof")
    parts = {"text": whole.text, "statement": whole.statement, "name": whole.name}
    slot = engine.pool.assign()
    try:
        unchecked = await slot.run(lambda process: process.request({"cmd": "set_option debug.skipKernelTC true"}))
        answer = await slot.run(lambda process: process.request({"verify": parts, "env": unchecked["env"]}))
    finally:
        engine.pool.release(slot)
    facts = Facts.model_validate(answer)
    assert not [message for message in facts.messages if message.severity == "error"]
    assert facts.kernel is not None and "unsafe declaration" in facts.kernel
    assert judge(facts, whole).kind is VerdictKind.REFUSED


def test_sound_facts_are_a_proof() -> None:
    assert judge(SOUND, X).proved


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"refusal": "sorry is not a proof"}, VerdictKind.REFUSED),
        ({"messages": (Message(severity="error", data="unsolved goals"),)}, VerdictKind.FAILED),
        ({"messages": (Message(severity="error", data="(kernel) deep recursion detected"),)}, VerdictKind.UNVERIFIED),
        ({"axioms": ("propext", "sorryAx")}, VerdictKind.REFUSED),
        ({"axioms": ("x.cheat",)}, VerdictKind.REFUSED),
        ({"constants": ()}, VerdictKind.REFUSED),
        ({"constants": (Constant(name="x", kind="definition"),)}, VerdictKind.REFUSED),
        ({"constants": (*SOUND.constants, Constant(name="y", kind="theorem"))}, VerdictKind.REFUSED),
        ({"constants": (*SOUND.constants, Constant(name="xy", kind="theorem"))}, VerdictKind.REFUSED),
        ({"constants": (*SOUND.constants, Constant(name="x.a", kind="axiom"))}, VerdictKind.REFUSED),
        ({"constants": (*SOUND.constants, Constant(name="y.splitter", kind="definition"))}, VerdictKind.REFUSED),
        ({"constants": (*SOUND.constants, Constant(name="x.a", kind="opaque"))}, VerdictKind.REFUSED),
        ({"constants": (*SOUND.constants, Constant(name="x.a", kind="inductive"))}, VerdictKind.REFUSED),
        ({"same_statement": False}, VerdictKind.REFUSED),
        ({"late": ("List.append_assoc",)}, VerdictKind.REFUSED),
        ({"kernel": "x: declaration type mismatch"}, VerdictKind.REFUSED),
    ],
)
def test_each_fact_alone_undoes_a_proof(change: dict[str, object], kind: VerdictKind) -> None:
    assert judge(SOUND.model_copy(update=change), X).kind is kind


@pytest.mark.parametrize(
    "name", ["x._proof_1", "_private._stdin.0.x.match_1", "x.go._unary", "Option.get.hcongr_3", "f.match_1.splitter"]
)
def test_what_lean_adds_for_a_proof_is_allowed(name: str) -> None:
    facts = SOUND.model_copy(update={"constants": (*SOUND.constants, Constant(name=name, kind="definition"))})
    assert judge(facts, X).proved


@pytest.mark.parametrize(
    ("statement", "proof"),
    [
        ("(o : Option ℕ) (f : ℕ → ℕ) : (o.map f).isSome = o.isSome", "unfold Option.map\nsplit <;> rfl"),
        ("(l : List ℕ) (n : ℕ) : (l.take n).length ≤ n", "fun_induction List.take n l <;> simp_all"),
    ],
)
async def test_what_a_tactic_makes_of_a_definition_of_the_library_is_allowed(
    engine: EmbeddedEngine, statement: str, proof: str
) -> None:
    found = await engine.verify(Theorem("x", f"theorem x {statement} := by sorry"), proof)
    assert found.proved, found.reason


def test_warnings_do_not_matter() -> None:
    assert judge(
        SOUND.model_copy(update={"messages": (Message(severity="warning", data="unused variable"),)}), X
    ).proved


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("theorem x : p := by sorry", "theorem x : p := by\n  a\n  b"),
        ("theorem x : p := by\n  sorry\n", "theorem x : p := by\n  a\n  b"),
        ("theorem x : p := sorry", "theorem x : p := by\n  a\n  b"),
        ("theorem x : p\n:=sorry", "theorem x : p\n:= by\n  a\n  b"),
    ],
)
def test_the_proof_takes_the_place_of_the_sorry(statement: str, text: str) -> None:
    assert whole_theorem(Theorem("x", statement), "a\nb").text == text


def test_a_header_keeps_its_lines_but_for_the_imports() -> None:
    header = (
        "import Mathlib\nimport Aesop\n\nset_option maxHeartbeats 400000\n\nopen BigOperators Real Nat Topology Rat\n"
    )
    assert elaborated_header(header) == "set_option maxHeartbeats 400000\n\nopen BigOperators Real Nat Topology Rat"


def test_a_header_may_take_lemmas_from_simp_and_grind() -> None:
    header = "attribute [-simp] List.append_assoc\nattribute [-grind] List.getElem?_map'"
    assert elaborated_header(header) == header


def test_a_header_that_is_not_supported_says_which_line() -> None:
    with pytest.raises(UnsupportedHeader, match="not supported: 'variable'"):
        elaborated_header("open Nat\nvariable")
