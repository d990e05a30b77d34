"""How a corpus is made: statements, explorers, collecting, pairs."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.registry import load
from lean_env.embedded.engine import EmbeddedEngine
from lean_env.engine import Theorem
from train.corpus import make
from train.corpus.build import PROOFS_PER_THEOREM, chosen, figures, pairs
from train.corpus.collect import Collected, Effort, Proof, collect, collect_theorem, merged, read_collected
from train.corpus.connectives import take_apart
from train.corpus.explorer import Explorer
from train.corpus.library import Listed
from train.corpus.normal_form import kind
from train.corpus.screen import closed_at_once, screen, write_benchmark
from train.corpus.statements import Source, Stated, decontaminated, generated, read_stated, split_of, write_stated
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
    assert figures(rows, stated)["proofs by length"] == {2: 1}


def test_statements_come_again_from_the_seed_and_stand_on_one_side_each(tmp_path: Path) -> None:
    stated = list(generated(0, 68))
    assert stated == list(generated(0, 68)) != list(generated(1, 68))
    assert len({one.family for one in stated}) == 17
    write_stated(tmp_path / "statements.jsonl", stated)
    assert read_stated(tmp_path / "statements.jsonl") == stated


def test_what_is_of_one_kind_stands_on_one_side() -> None:
    stated = list(generated(0, 1700))
    sides: dict[str, set[str]] = {}
    for one in stated:
        sides.setdefault(kind(one.theorem.statement), set()).add(one.split)
    assert len(sides) < len(stated)
    assert all(len(side) == 1 for side in sides.values())
    shares = Counter(one.split for one in stated)
    assert shares["valid"] / len(stated) == pytest.approx(0.05, abs=0.02)
    assert shares["test"] / len(stated) == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize("name", ["gym", "library"])
def test_the_benchmarks_stand_on_the_side_that_their_kinds_or_families_give_them(name: Source) -> None:
    theorems = load(name, split="all").theorems
    assert len(theorems) >= 400
    for theorem in theorems:
        key = kind(theorem.statement) if name == "gym" else Listed(theorem, "").family
        assert theorem.split == split_of(name, key) != "train"


def test_a_library_theorem_of_the_kind_of_a_generated_one_is_removed() -> None:
    ours = Stated(Theorem("gym_1", "theorem gym_1 (x y : ℕ) : x + y = y + x := by sorry"), "gym", "order", 1)
    library = [
        Stated(Theorem("lib_1", "theorem lib_1 : type_of% @Int.add_comm := by sorry"), "library", "add_comm", 0, text)
        for text in ("∀ (a b : Int), a + b = b + a", "∀ (a b c : Int), a + b + c = a + (b + c)")
    ]
    assert decontaminated([ours, *library], []) == ([ours, library[1]], [library[0]])


def test_a_corpus_that_was_begun_is_not_gone_on_with_under_other_options(tmp_path: Path) -> None:
    settings = {"--generated": 3, "--seed": 0}
    assert make.known(tmp_path, settings) is None
    stated = make.begin(tmp_path, settings, list(generated(0, 17)), [])
    assert make.known(tmp_path, settings) == stated
    with pytest.raises(make.CorpusError, match="was begun with --seed 0, not 1"):
        make.known(tmp_path, {**settings, "--seed": 1})


def test_one_folder_is_for_one_process_at_a_time(tmp_path: Path) -> None:
    refused = pytest.raises(make.CorpusError, match="another prove corpus works in")
    with make.held(tmp_path), refused, make.held(tmp_path):
        pass
    with make.held(tmp_path):
        pass


def test_the_same_models_go_on_with_their_round_and_models_trained_further_make_another(tmp_path: Path) -> None:
    assert make.round_of(tmp_path, {}, 64) == 0
    assert make.round_of(tmp_path, {"m": "1a"}, 64) == 1
    assert make.round_of(tmp_path, {"m": "2b"}, 64) == 2
    assert make.round_of(tmp_path, {"m": "2b"}, 32) == 3
    assert make.round_of(tmp_path, {"m": "1a"}, 64) == 1


def test_all_lengths_of_proofs_are_kept_before_more_of_one() -> None:
    proofs = [Proof(tuple(f"{n} {i}" for i in range(n)), tuple(f"g{i}" for i in range(n))) for n in (1, 1, 1, 2, 2, 3)]
    many = [Proof((f"x{n}",), ("g",)) for n in range(PROOFS_PER_THEOREM)]
    kept = chosen([*many, *proofs[3:]])
    assert sorted(len(proof.tactics) for proof in kept) == [1] * (PROOFS_PER_THEOREM - 3) + [2, 2, 3]


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
