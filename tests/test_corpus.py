"""How a corpus is made: statements, explorers, collecting, pairs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lean_env.embedded.engine import EmbeddedEngine
from lean_env.engine import Theorem
from train.corpus import make
from train.corpus.build import chosen, figures, pairs
from train.corpus.collect import Collected, Effort, Proof, collect, collect_theorem, merged, read_collected
from train.corpus.connectives import take_apart
from train.corpus.explorer import Explorer
from train.corpus.screen import closed_at_once, screen, write_benchmark
from train.corpus.statements import Stated, decontaminated, generated, read_stated, split_of, write_stated
from train.corpus.witnesses import solutions


@pytest.mark.parametrize(
    ("proposition", "connective", "left", "right"),
    [
        ("p ∧ q → r", "→", "p ∧ q", "r"),
        ("p ↔ q → r", "↔", "p", "q → r"),
        ("(p → q) ∨ ¬r", "∨", "(p → q)", "¬r"),
        ("∃ x, p x → q", "∃", "", "p x → q"),
        ("∀ (x y : ℕ), x ≤ y", "∀", "ℕ", "x ≤ y"),
        ("a = b → ∃ x, p x ∧ q", "→", "a = b", "∃ x, p x ∧ q"),
        ("(p ∧ q)", "∧", "p", "q"),
        ("¬(p ∧ q)", "¬", "(p ∧ q)", ""),
        ("x + 1 = y", "", "x + 1 = y", ""),
    ],
)
def test_the_outermost_connective_is_found_by_leans_precedences(
    proposition: str, connective: str, left: str, right: str
) -> None:
    parts = take_apart(proposition)
    assert (parts.connective, parts.left, parts.right) == (connective, left, right)


@given(st.text(alphabet="pq ∧∨→↔¬()∀∃x,", max_size=30))
def test_taking_apart_never_fails_whatever_stands_there(text: str) -> None:
    parts = take_apart(text)
    assert len(parts.left) + len(parts.right) <= len(text)


@pytest.mark.parametrize(
    ("body", "solution"),
    [
        ("x = 2 * a", "2 * a"),
        ("x + b = 2 * a", "2 * a - b"),
        ("x - b = a", "a + b"),
        ("3 * x = a + b", "(a + b) / 3"),
        ("p → x", "p"),
        ("A ⊆ x ∧ B ⊆ x", "A ∪ B"),
        ("∃ y, x = a ∧ y = x", "a"),
    ],
)
def test_a_witness_is_read_off_a_condition_that_can_be_solved(body: str, solution: str) -> None:
    assert solution in list(solutions("x", body))


async def test_an_explorer_gives_the_same_tactics_for_the_same_seed_and_others_for_another() -> None:
    state = "p q : Prop\nh : p ∧ q\n⊢ q ∧ p"
    one, again, other = [await Explorer(seed, 0.5).suggest(state, 12) for seed in ("1", "1", "2")]
    assert one == again != other
    assert all(suggestion.log_prob <= 0 for suggestion in one)
    assert "constructor" in {s.tactic for s in await Explorer("1", 0.0).suggest(state, 99)}


async def test_an_explorer_without_automation_has_no_strong_tactic() -> None:
    offered = {s.tactic for s in await Explorer("1", 0.0).suggest("n : ℕ\nh : 0 < n\n⊢ n ≠ 0", 999)}
    assert not any(strong in tactic for tactic in offered for strong in ("grind", "simp_all"))
    assert "omega" not in offered


SWAP = Theorem("swap", "theorem swap (p q : Prop) (h : p ∧ q) : q ∧ p := by sorry", split="train")
FALSE = Theorem("wrong", "theorem wrong (p : Prop) : p := by sorry", split="train")
GARBAGE = Theorem("garbage", "theorem garbage : ⟨⟩⟩ := by sorry", split="train")
EFFORT = Effort(attempts=3, budget=32, proofs=2, patience=1)


async def test_collected_proofs_are_different_and_each_step_has_the_goal_it_was_applied_to(
    engine: EmbeddedEngine,
) -> None:
    found = await collect_theorem(engine, SWAP, make.explorers(0), EFFORT)
    assert len(found.proofs) > 1
    assert len({proof.tactics for proof in found.proofs}) == len(found.proofs)
    for proof in found.proofs:
        assert (await engine.verify(SWAP, "\n".join(proof.tactics))).proved
        assert len(proof.goals) == len(proof.tactics)
        assert proof.goals[0] == "p q : Prop\nh : p ∧ q\n⊢ q ∧ p"


async def test_a_collection_goes_on_where_it_was_killed(engine: EmbeddedEngine, tmp_path: Path) -> None:
    out = tmp_path / "round-0.jsonl"
    searched: list[str] = []

    async def go(theorems: list[Theorem]) -> None:
        await collect(engine, theorems, make.explorers(0), EFFORT, out, 1, lambda one: searched.append(one.theorem))

    await go([SWAP])
    with out.open("ab") as file:
        file.write(b'{"theorem": "wro')  # a line that the kill cut off
    await go([SWAP, FALSE, GARBAGE])
    assert sorted(searched) == ["garbage", "swap", "wrong"]
    swap, *others = read_collected(out)
    assert (swap.theorem, bool(swap.proofs)) == ("swap", True)
    assert {one.theorem: (one.opened, one.proofs) for one in others} == {"wrong": (True, ()), "garbage": (False, ())}


def test_rounds_together_hold_each_proof_once() -> None:
    a, b = Proof(("x",), ("g",)), Proof(("y",), ("g",))
    together = merged([Collected("t", True, 5, (a,)), Collected("t", True, 7, (b, a))])
    assert together["t"] == Collected("t", True, 12, (a, b))


def test_pairs_leave_out_proofs_that_come_back_to_a_goal_and_theorems_for_testing() -> None:
    going_round = Proof(("a", "b", "c"), ("g", "h", "g"))
    straight = Proof(("a", "d"), ("g", "h"))
    assert chosen([going_round, straight]) == [straight]
    stated = [Stated(SWAP, "gym", "order", 1), Stated(replace(SWAP, name="held", split="test"), "gym", "order", 1)]
    found = {name: Collected(name, True, 9, (straight,)) for name in ("swap", "held")}
    rows = list(pairs(stated, found))
    assert [(row.theorem, row.state, row.tactic, row.step, row.length) for row in rows] == [
        ("swap", "g", "a", 0, 2),
        ("swap", "h", "d", 1, 2),
    ]
    assert figures(rows)["proofs by length"] == {2: 1}


def test_statements_come_again_from_the_seed_and_stand_on_one_side_each(tmp_path: Path) -> None:
    stated = list(generated(0, 68))
    assert stated == list(generated(0, 68)) != list(generated(1, 68))
    assert len({one.family for one in stated}) == 17
    assert {one.split for one in stated} <= {"train", "valid", "test"}
    write_stated(tmp_path / "statements.jsonl", stated)
    assert read_stated(tmp_path / "statements.jsonl") == stated


@given(st.text())
def test_the_side_of_the_split_depends_on_the_key_alone(key: str) -> None:
    assert split_of(key) == split_of(key) in ("train", "valid", "test")


def test_a_statement_of_minif2f_under_other_names_is_removed() -> None:
    ours = Stated(Theorem("gym_1", "theorem gym_1 (x y : ℕ) (h1 : x < y) : x ≤ y := by sorry"), "gym", "order", 1)
    other = Stated(Theorem("gym_2", "theorem gym_2 (x y : ℕ) (h1 : x < y) : x ≠ y := by sorry"), "gym", "order", 1)
    theirs = Theorem("mathd_1", "theorem mathd_1 (a b : ℕ)\n  (h : a < b) : a ≤ b := by sorry")
    assert decontaminated([ours, other], [theirs]) == ([other], [ours])


async def test_what_automation_closes_at_once_is_no_benchmark(engine: EmbeddedEngine, tmp_path: Path) -> None:
    witness = Theorem("witness", "theorem witness : ∃ x y : ℕ, x * y = 391 ∧ 1 < x ∧ x < y := by sorry", split="test")
    assert await closed_at_once(engine, SWAP) is True
    assert await closed_at_once(engine, witness) is False
    assert await closed_at_once(engine, GARBAGE) is None
    await screen(engine, [SWAP, witness, GARBAGE], tmp_path / "screened.jsonl", lambda: None)
    stated = [Stated(replace(each, split="test"), "gym", "existence", 2) for each in (SWAP, witness, GARBAGE)]
    assert write_benchmark(tmp_path / "gym.jsonl", stated, tmp_path / "screened.jsonl") == 1
    assert json.loads((tmp_path / "gym.jsonl").read_text())["name"] == "witness"
