"""The embedded engine on real Lean: the REPL protocol, proof states, and what a session makes of them."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lean_env.embedded import engine as embedded
from lean_env.embedded.engine import EmbeddedEngine, EmbeddedSession
from lean_env.engine import Failed, FailureKind, ProofState, Proved, Theorem, UnsupportedStatement
from lean_env.pool import Pool, ProcessSpec
from lean_env.process import Process

LESS = Theorem("less", "theorem less (a b : ℕ) (h : a < b) : a + 1 ≤ b := by sorry")


class Repl:
    """Requests to one process of an engine, as a client of the protocol sends them."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.slot = pool.assign()

    async def __call__(self, **message: Any) -> dict[str, Any]:
        return await self.slot.run(lambda process: process.request(message, 60))


@pytest.fixture
async def repl(engine: EmbeddedEngine) -> AsyncIterator[Repl]:
    client = Repl(engine.pool)
    yield client
    engine.pool.release(client.slot)


# The protocol.


async def test_a_command_answers_with_its_environment_and_its_messages(repl: Repl) -> None:
    defined = await repl(cmd="def two : ℕ := 2")
    assert "messages" not in defined and "sorries" not in defined
    answer = await repl(cmd="#eval two + 1", env=defined["env"])
    assert [(m["severity"], m["data"]) for m in answer["messages"]] == [("info", "3")]
    assert answer["messages"][0]["pos"] == {"line": 1, "column": 0}
    assert answer["messages"][0]["endPos"] == {"line": 1, "column": 5}


async def test_an_environment_does_not_know_what_was_defined_in_another(repl: Repl) -> None:
    await repl(cmd="def three : ℕ := 3")
    assert (await repl(cmd="#eval three"))["messages"][0]["severity"] == "error"


async def test_every_sorry_is_a_proof_state_with_its_place_in_code_points(repl: Repl) -> None:
    statement = "theorem αβ (p q : Prop) (hp : p) (hq : q) : p ∧ q := by"
    answer = await repl(cmd=f"{statement}\n  constructor\n  · sorry\n  · sorry")
    first, second = answer["sorries"]
    assert (first["pos"], first["endPos"]) == ({"line": 3, "column": 4}, {"line": 3, "column": 9})
    assert first["goals"] == ["p q : Prop\nhp : p\nhq : q\n⊢ p"] and first["goal"] == first["goals"][0]
    assert second["goals"] == ["p q : Prop\nhp : p\nhq : q\n⊢ q"]
    assert (await repl(tactic="exact hq", proofState=second["proofState"]))["proofStatus"] == "Completed"
    assert "message" in await repl(tactic="exact hq", proofState=first["proofState"])


async def test_a_sorry_in_place_of_a_term_is_a_proof_state_too(repl: Repl) -> None:
    answer = await repl(cmd="theorem t : 1 + 1 = 2 := sorry")
    assert answer["sorries"][0]["goals"] == ["⊢ 1 + 1 = 2"]


async def test_a_tactic_that_may_not_stand_in_a_proof_is_refused_and_not_run(engine: EmbeddedEngine) -> None:
    session = await engine.open(Theorem("t", "theorem t : 1 = 2 := by sorry"))
    for tactic in ("exact sorry", "have : 1 = 2 := by\n  sorry\nexact this", "native_decide", "run_tac pure ()"):
        result = await session.run(session.root, tactic)
        assert isinstance(result, Failed) and result.kind is FailureKind.REFUSED, tactic
    await session.close()


@pytest.mark.parametrize(
    "message",
    [{"tactic": "rfl", "proofState": 10**6}, {"cmd": "#eval 1", "env": 10**6}, {"pickle": 1}, {"tactic": "rfl"}],
)
async def test_what_cannot_be_done_is_answered_with_a_message(repl: Repl, message: dict[str, Any]) -> None:
    assert list(await repl(**message)) == ["message"]


async def test_a_parse_error_is_a_message_of_the_command(repl: Repl) -> None:
    messages = (await repl(cmd="theorem t : 1 = 1 := by\n  exact (rfl"))["messages"]
    assert any(m["severity"] == "error" and "unexpected" in m["data"] for m in messages)


# Proof states.


async def test_a_proof_state_can_be_the_start_of_any_number_of_tactics(engine: EmbeddedEngine) -> None:
    session = await engine.open(LESS)
    for _ in range(3):
        assert isinstance(await session.run(session.root, "omega"), Proved)
        assert isinstance(await session.run(session.root, "rfl"), Failed)
        split = await session.run(session.root, "cases b")
        assert isinstance(split, ProofState) and len(split.goals) == 2
        assert split.goals[0] == "case zero\na : ℕ\nh : a < 0\n⊢ a + 1 ≤ 0"
    await session.close()


async def test_a_tactic_works_on_the_first_goal(engine: EmbeddedEngine) -> None:
    session = await engine.open(LESS)
    split = await session.run(session.root, "cases b")
    assert isinstance(split, ProofState)
    rest = await session.run(split, "omega")
    assert isinstance(rest, ProofState) and rest.goals == split.goals[1:]
    assert isinstance(await session.run(rest, "omega"), Proved)
    await session.close()


@pytest.mark.parametrize(
    ("statement", "tactic", "independent"),
    [
        ("(p q : Prop) (hp : p) (hq : q) : p ∧ q", "constructor", True),
        ("(p q : Prop) (h : p ∨ q) : q ∨ p", "cases h", True),
        ("(a b : ℕ) : a + b = b + a", "induction a", True),
        (": ∃ n : ℕ, n > 3", "constructor", False),  # the witness is in the other goal
        (": ∃ n : ℕ, n > 3", "refine ⟨?_, ?_⟩", False),
        ("(a b c : ℕ) (h : a < b) (k : b < c) : a < c", "apply Nat.lt_trans", False),
        ("(p q : Prop) (hp : p) (hq : q) : p ∧ q", "skip", False),  # one goal alone
    ],
)
async def test_the_engine_tells_which_goals_can_be_proved_apart(
    engine: EmbeddedEngine, statement: str, tactic: str, independent: bool
) -> None:
    session = await engine.open(Theorem("t", f"theorem t {statement} := by sorry"))
    state = await session.run(session.root, tactic)
    assert isinstance(state, ProofState)
    assert state.independent is independent
    await session.close()


async def test_several_lines_are_a_block_as_in_a_proof(engine: EmbeddedEngine) -> None:
    session = await engine.open(LESS)
    assert isinstance(await session.run(session.root, "cases b\nall_goals omega"), Proved)
    assert isinstance(await session.run(session.root, "have k : b > 0 := by\n  omega\nomega"), Proved)
    await session.close()


async def test_an_error_inside_a_nested_block_fails_the_tactic(engine: EmbeddedEngine) -> None:
    session = await engine.open(LESS)
    for tactic in ("have k : b = 0 := by\n  rfl", "induction b with\n| zero => omega\n| succ n ih => skip"):
        result = await session.run(session.root, tactic)
        assert isinstance(result, Failed) and result.kind is FailureKind.ERROR, tactic
    await session.close()


async def test_a_statement_that_lean_does_not_accept_is_unsupported_with_leans_reason(engine: EmbeddedEngine) -> None:
    with pytest.raises(UnsupportedStatement, match="NoSuchThing"):
        await engine.open(Theorem("t", "theorem t : NoSuchThing 3 := by sorry"))


async def test_a_header_opens_namespaces_for_its_theorem_only(engine: EmbeddedEngine) -> None:
    statement = "theorem t : succ 1 = 2 := by sorry"
    session = await engine.open(Theorem("t", statement, header="import Mathlib\n\nopen BigOperators Real Nat"))
    assert isinstance(await session.run(session.root, "rfl"), Proved)
    await session.close()
    with pytest.raises(UnsupportedStatement):
        await engine.open(Theorem("t", statement))


async def test_a_stack_that_overflows_fails_its_tactic_and_nothing_else(engine: EmbeddedEngine) -> None:
    deep = "theorem t (a b c : ℕ) : a * (b + c) + 424606 = a * b + a * c + 424606 := by sorry"
    session, other = await engine.open(Theorem("t", deep)), await engine.open(LESS)
    result = await session.run(session.root, "grind")
    assert isinstance(result, Failed) and "stack" in result.message
    assert isinstance(await session.run(session.root, "rw [Nat.mul_add]"), Proved)
    assert isinstance(await other.run(other.root, "omega"), Proved)
    await session.close()
    await other.close()


# Sessions across processes and evictions.


async def _walk(session: EmbeddedSession, tactics: list[str]) -> ProofState:
    state = session.root
    for tactic in tactics:
        result = await session.run(state, tactic)
        assert isinstance(result, ProofState)
        state = result
    return state


async def test_a_session_goes_on_after_its_process_was_killed(engine: EmbeddedEngine) -> None:
    session = await engine.open(LESS)
    state = await _walk(session, ["cases b", "rotate_left", "have k : 1 ≤ 2 := by decide"])

    async def die(process: Process) -> None:
        process.end(embedded_cause())

    slot = session._slot
    await slot.run(die)
    before = engine.pool.statistics.starts
    result = await session.run(state, "omega")
    assert isinstance(result, ProofState) and result.goals == ("case zero\na : ℕ\nh : a < 0\n⊢ a + 1 ≤ 0",)
    assert engine.pool.statistics.starts >= before
    await session.close()


def embedded_cause() -> Any:
    from lean_env.process import EndCause

    return EndCause.KILLED


async def test_evicted_states_and_environments_are_made_again() -> None:
    """Two states and two environments at a time are enough for any search; they only cost time."""
    small = dict(embedded.SNAPSHOTS, environments=2, proofStates=2)
    command = embedded.command(embedded.install.locate(), snapshots=small)
    pool = Pool(ProcessSpec(command, embedded.warm_up), 1, 20, 1100, 10**6, 0)
    async with pool:
        repl = Repl(pool)
        base = (await repl(cmd="def base : ℕ := 5"))["env"]
        statement = "theorem t (a b : ℕ) (h : a < b) : a + base < b + 6 := by sorry"
        state = (await repl(cmd=statement, env=base))["sorries"][0]
        path = [state["proofState"]]
        for n in range(6):
            answer = await repl(tactic=f"have h{n} : {n} < {n + 1} := by decide", proofState=path[-1])
            path.append(answer["proofState"])
        for n in range(4):
            await repl(cmd=f"def filler{n} : ℕ := {n}")
        again = await repl(tactic="skip", proofState=path[3])
        assert again["goals"] == ["a b : ℕ\nh : a < b\nh0 : 0 < 1\nh1 : 1 < 2\nh2 : 2 < 3\n⊢ a + base < b + 6"]
        done = await repl(tactic="unfold base\nomega", proofState=path[1])
        assert done["proofStatus"] == "Completed"
        assert (await repl(cmd="#eval base", env=base))["messages"][0]["data"] == "5"


# A step and the whole text agree.

ATOMS = st.sampled_from(["a", "b", "c", "2", "7"])
OPERATORS = st.sampled_from(["+", "*", "-"])
SUMS = st.recursive(ATOMS, lambda x: st.tuples(x, OPERATORS, x).map(lambda t: f"({' '.join(t)})"), max_leaves=4)
PROPOSITIONS = st.tuples(SUMS, st.sampled_from(["=", "<", "≤", "≠", "∣"]), SUMS).map(" ".join)
TACTICS = st.sampled_from(
    ["omega", "simp", "rfl", "decide", "exact h", "rw [h]", "cases h", "intro x", "constructor", "simp [h]", "simp_all",
     "induction a", "cases a\nomega", "have k := h", "exact?", "nonsense", "exact (h", "subst h", "norm_cast", "grind",
     "obtain ⟨x, y⟩ := h", "contradiction", "exact h.symm", "· omega", "all_goals omega", "omega\nomega"]
)  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hypothesis_=PROPOSITIONS, goal=PROPOSITIONS, tactic=TACTICS)
async def test_a_step_has_the_verdict_of_the_whole_text(
    engine: EmbeddedEngine, hypothesis_: str, goal: str, tactic: str
) -> None:
    statement = f"theorem t (a b c : ℕ) (h : {hypothesis_}) : {goal} := by sorry"
    session = await engine.open(Theorem("t", statement))
    step = await session.run(session.root, tactic)
    await session.close()
    if isinstance(step, Failed) and step.kind is not FailureKind.ERROR:
        return  # a limit ran out: nothing to compare
    text = statement.removesuffix("sorry") + "\n  " + tactic.replace("\n", "\n  ")
    slot = engine.pool.assign()
    answer = await slot.run(lambda process: process.request({"cmd": text}, 60))
    engine.pool.release(slot)
    errors = [m["data"] for m in answer.get("messages", []) if m["severity"] == "error"]
    if isinstance(step, Proved):
        assert errors == []
    elif isinstance(step, ProofState):
        assert errors == ["unsolved goals\n" + step.text]
    else:
        assert errors and not errors[0].startswith("unsolved goals\n" + session.root.text)


def test_the_engine_says_what_it_is() -> None:
    assert dataclasses.asdict(embedded.INFO) == {
        "name": "embedded",
        "version": "Lean 4.28.0-pre",
        "mathlib": False,
        "imports": ("Init", "NeffPrelude"),
    }
