"""Temperatures fitted to held-out proofs: the mathematics, and the command that prints them."""

from __future__ import annotations

import asyncio
import gzip
import json
import math
import os
import random
import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from commands import Ended, Prove, runner
from hypothesis import given, settings
from hypothesis import strategies as st

from prover import parts
from prover.records import Member
from search.calibration import left
from search.mixture import Mixture
from search.policy import Suggestion
from train.temperature import COLDEST, HOTTEST, LEAST_LEFT, Answer, Fit, fitted, loss

TEMPERATURES = st.floats(COLDEST, HOTTEST)


@dataclass(frozen=True)
class Listing:
    """A policy that lists the tactics "0", "1", ... with these log-probabilities for every state."""

    log_probs: Sequence[float]

    async def suggest(self, state: str, n: int) -> Sequence[Suggestion]:
        return [Suggestion(str(place), log_prob) for place, log_prob in enumerate(self.log_probs[:n])]


def shares(weights: Sequence[float]) -> tuple[float, ...]:
    """Log-probabilities in these proportions, the last of which is left unlisted."""
    return tuple(math.log(weight / math.fsum(weights)) for weight in weights[:-1])


# ---- the mathematics

listings = st.lists(st.floats(0.001, 1), min_size=1, max_size=7).map(shares)
# A policy that lists all that it has leaves nothing, or less than nothing by rounding.
whole = st.lists(st.floats(0.001, 1), min_size=1, max_size=6).map(lambda weights: shares([*weights, 1e-300]))


@st.composite
def answers(draw: st.DrawFn) -> list[Answer]:
    found = []
    for log_probs in draw(st.lists(listings | whole, min_size=1, max_size=6)):
        places = st.none() | st.integers(0, len(log_probs) - 1) if log_probs else st.none()
        found.append(Answer(log_probs, tuple(draw(st.lists(places, min_size=1, max_size=3)))))
    return found


async def in_a_mixture(log_probs: Sequence[float], temperature: float) -> list[float]:
    """What the tactics "0", "1", ... come to in a search with this policy alone."""
    mixed = await Mixture([Listing(log_probs)], [temperature]).suggest("s", 99)
    return [each.log_prob for each in sorted(mixed, key=lambda each: int(each.tactic))]


@given(listings, TEMPERATURES)
async def test_the_loss_is_what_a_mixture_makes_of_the_same_list(
    log_probs: tuple[float, ...], temperature: float
) -> None:
    mixed = await in_a_mixture(log_probs, temperature)
    each = [loss([Answer(log_probs, (place,))], temperature) for place in range(len(log_probs))]
    assert each == pytest.approx([-log_prob for log_prob in mixed], abs=1e-9)
    if left(log_probs) > LEAST_LEFT:
        unlisted = math.exp(-loss([Answer(log_probs, (None,))], temperature))
        assert unlisted == pytest.approx(1 - math.fsum(map(math.exp, mixed)), abs=1e-9)


@given(answers(), TEMPERATURES)
def test_no_temperature_has_a_lower_loss_than_the_fitted_one(found: list[Answer], temperature: float) -> None:
    fit = fitted(found)
    assert fit.after <= fit.before == loss(found, 1)
    assert fit.after <= loss(found, temperature) + 1e-6
    assert COLDEST <= fit.temperature <= HOTTEST


@settings(max_examples=15)
@given(st.floats(0.3, 5), st.integers(0, 2**32))
def test_a_policy_whose_probabilities_were_sharpened_gets_the_temperature_that_undoes_it(
    temperature: float, seed: int
) -> None:
    """Within 5 standard errors: 1 / T is fitted by maximum likelihood, whose information is the variance of log p."""
    chance, information, found = random.Random(seed), 0.0, []
    for _ in range(300):
        right = [chance.expovariate(1) + 0.01 for _ in range(5)]
        sharpened = [weight**temperature for weight in right]
        logs = [math.log(weight / math.fsum(sharpened)) for weight in sharpened]
        place = chance.choices(range(5), right)[0]
        found.append(Answer(tuple(logs[:-1]), (place if place < 4 else None,)))
        mean = math.fsum(w * log for w, log in zip(right, logs, strict=True)) / math.fsum(right)
        squares = (w * (log - mean) ** 2 for w, log in zip(right, logs, strict=True))
        information += math.fsum(squares) / math.fsum(right)
    assert abs(1 / fitted(found).temperature - 1 / temperature) < 5 / math.sqrt(information) + 1e-3


def test_a_tactic_at_90_percent_that_is_right_7_times_in_10_comes_to_70_percent() -> None:
    sure = (math.log(0.9),)
    fit = fitted([Answer(sure, (0,))] * 7 + [Answer(sure, (None,))] * 3)
    assert fit.temperature == pytest.approx(math.log(9) / math.log(7 / 3), rel=1e-3)
    assert not fit.at_bound


def test_a_policy_that_is_no_better_than_chance_comes_to_the_hottest() -> None:
    fit = fitted([Answer((math.log(0.9),), (0, None))])
    assert (fit.temperature, fit.at_bound) == (HOTTEST, True)


def test_a_policy_that_is_right_whenever_it_is_surest_comes_to_the_coldest() -> None:
    fit = fitted([Answer(shares([5, 3, 2]), (0,))])
    assert (fit.temperature, fit.at_bound) == (COLDEST, True)


def test_where_no_temperature_is_better_it_is_1() -> None:
    assert fitted([Answer((), (None, None))]) == Fit(1.0, 0.0, 0.0)


def test_what_is_not_listed_is_no_infinite_loss_to_a_policy_that_leaves_nothing() -> None:
    for temperature in (1, 4):
        rest = LEAST_LEFT ** (1 / temperature)
        assert loss([Answer((0.0,), (None,))], temperature) == pytest.approx(-math.log(rest / (1 + rest)))
        assert loss([Answer((0.0,), (0,))], temperature) == pytest.approx(math.log(1 + rest), abs=1e-12)


def test_a_policy_that_is_certain_and_right_99_times_in_100_is_99_percent_sure_after_calibration() -> None:
    fit = fitted([Answer((0.0,), (0,))] * 99 + [Answer((0.0,), (None,))])
    assert LEAST_LEFT ** (1 / fit.temperature) == pytest.approx(1 / 99, rel=1e-3)


def test_proofs_of_one_state_weigh_alike_and_so_do_states() -> None:
    sure, calm = shares([8, 1, 1]), shares([1, 1])
    both = loss([Answer(sure, (0, 1)), Answer(calm, (None,))], 1)
    assert both == pytest.approx(-((math.log(0.8) + math.log(0.1)) / 2 + math.log(0.5)) / 2)


def test_there_is_no_temperature_without_answers() -> None:
    with pytest.raises(ValueError, match="no answer"):
        fitted([])


# ---- the command


@pytest.fixture
def calibrate(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Prove:
    return runner(monkeypatch, capsys, "calibrate")


def write(path: Path, *pairs: tuple[str, str], split: str = "valid") -> Path:
    """A file of training data with these pairs of state and tactic."""
    rows = [
        {"theorem": f"t{n}", "family": "f", "split": split, "state": state, "tactic": tactic, "proof": n}
        for n, (state, tactic) in enumerate(pairs)
    ]
    text = "".join(json.dumps({**row, "step": 0, "length": 1}) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """10 states, in 7 of which the proof applied the tactic "0"."""
    return write(tmp_path / "pairs.jsonl", *((f"⊢ {n}", "0" if n < 7 else "other") for n in range(10)))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Policies by name: sure has 0.9 at "0", calm 0.7 (and leaves the rest). Gives what was asked of them."""
    asked = []

    @dataclass(frozen=True)
    class Noted(Listing):
        async def suggest(self, state: str, n: int) -> Sequence[Suggestion]:
            asked.append((state, n))
            return await super().suggest(state, n)

    known = {"sure": Noted([math.log(0.9)]), "calm": Noted([math.log(0.7)])}
    monkeypatch.setattr(
        parts, "policies", lambda names, *_: [(Member(name, ""), lambda seed, name=name: known[name]) for name in names]
    )
    return asked


def is_one_line_of_help(ended: Ended, *words: str) -> bool:
    """Bad input: nothing on stdout, one line on stderr that says what and how to mend it."""
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("prove: error: ")
    assert ended.err.count("\n") == 1
    return all(word in ended.err for word in words)


@pytest.mark.usefixtures("asked")
def test_the_option_stands_alone_on_stdout_and_each_policy_on_a_line_before_it_in_their_order(
    calibrate: Prove, data: Path
) -> None:
    ended = calibrate("--policy", "sure", "--policy", "calm", "--data", data)
    assert (ended.status, ended.out) == (0, "--calibration 2.59,1\n")
    said = [line for line in ended.err.splitlines() if "->" in line]
    assert said == [
        "sure: 10 states, 70 % of the tactics listed, -log p 0.765 -> 0.611, temperature 2.59",
        "calm: 10 states, 70 % of the tactics listed, -log p 0.611 -> 0.611, temperature 1",
    ]
    turned = calibrate("--policy", "calm", "--policy", "sure", "--data", data)
    assert turned.out == "--calibration 1,2.59\n"


@pytest.mark.usefixtures("asked")
def test_a_temperature_at_the_end_of_the_range_is_said_to_be_there(calibrate: Prove, tmp_path: Path) -> None:
    ended = calibrate("--policy", "sure", "--data", write(tmp_path / "pairs.jsonl", ("⊢ 1", "other")))
    assert ended.out == "--calibration 16\n"
    assert ended.err.splitlines()[-1].endswith("temperature 16, the last that is looked at")


def test_every_state_is_asked_for_once_as_many_as_are_wanted_evenly_spaced(
    calibrate: Prove, asked: list[tuple[str, int]], tmp_path: Path
) -> None:
    twice = [(f"⊢ {n}", tactic) for n in range(10) for tactic in ("0", "other")]
    data = write(tmp_path / "pairs.jsonl.gz", *twice)
    assert "10 states, 50 %" in calibrate("--policy", "sure", "--data", data).err
    assert asked == [(f"⊢ {n}", 4) for n in range(10)]
    asked.clear()
    calibrate("--policy", "sure", "--data", data, "--states", 3, "--width", 7)
    assert asked == [("⊢ 0", 7), ("⊢ 3", 7), ("⊢ 6", 7)]


@pytest.mark.usefixtures("asked")
def test_the_split_is_the_one_asked_for_and_one_without_pairs_is_one_line(calibrate: Prove, tmp_path: Path) -> None:
    data = write(tmp_path / "pairs.jsonl", ("⊢ 1", "0"), split="test")
    assert calibrate("--policy", "sure", "--data", data, "--split", "test").status == 0
    assert is_one_line_of_help(calibrate("--policy", "sure", "--data", data), str(data), "split valid", "--split")


@pytest.mark.usefixtures("asked")
def test_data_that_cannot_be_read_is_one_line(calibrate: Prove, data: Path, tmp_path: Path) -> None:
    at = ("--policy", "sure", "--data")
    assert is_one_line_of_help(calibrate(*at, tmp_path / "none.jsonl"), "none.jsonl")
    assert is_one_line_of_help(calibrate(*at, tmp_path), "is not training data")
    broken = tmp_path / "broken.jsonl"
    broken.write_text(data.read_text() + '{"theorem": \n')
    assert is_one_line_of_help(calibrate(*at, broken), "line 11")
    torn = tmp_path / "torn.jsonl.gz"
    torn.write_bytes(gzip.compress(data.read_bytes())[:-9])
    assert is_one_line_of_help(calibrate(*at, torn), "torn.jsonl.gz", "cannot be read")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--policy", "n-eff-5"), ("n-eff-5", "did you mean")),
        (("--policy", "there/is/none"), ("there/is/none",)),
        (("--beams", "4", "--temperature", "1"), ("--beams", "--temperature")),
        (("--states", "0"), ("--states",)),
        (("--width", "0"), ("--width",)),
        (("--seed", "-1"), ("--seed",)),
        (("--split", "val"), ("--split", "valid")),
    ],
)
def test_options_that_cannot_be_are_one_line(
    calibrate: Prove, data: Path, options: tuple[str, ...], words: tuple[str, ...]
) -> None:
    assert is_one_line_of_help(calibrate("--data", data, *options), *words)


def test_data_is_needed(calibrate: Prove) -> None:
    assert is_one_line_of_help(calibrate("--policy", "portfolio"), "--data")


def test_a_policy_that_raises_or_gives_no_probability_is_named(
    calibrate: Prove, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Listing):
        async def suggest(self, state: str, n: int) -> Sequence[Suggestion]:
            raise RuntimeError("nothing works")

    for policy, said in ((Broken([]), "nothing works"), (Listing([0.5]), "log-probability 0.5")):
        monkeypatch.setattr(parts, "policies", lambda *_, policy=policy: [(Member("mine", ""), lambda seed: policy)])
        ended = calibrate("--data", data, "--policy", "portfolio")
        assert (ended.status, ended.out) == (2, "")
        assert re.match(rf"prove: error: the policy mine .*{said}", ended.err.splitlines()[-1])


def test_ctrl_c_ends_it_with_status_130_and_one_line(
    calibrate: Prove, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(Listing):
        async def suggest(self, state: str, n: int) -> Sequence[Suggestion]:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(60)
            return []

    monkeypatch.setattr(parts, "policies", lambda *_: [(Member("slow", ""), lambda seed: Slow([]))])
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start without
    try:
        ended = calibrate("--data", data, "--policy", "portfolio")
    finally:
        signal.signal(signal.SIGINT, before)
    assert (ended.status, ended.out) == (130, "")
    assert ended.err.splitlines()[-1].startswith("prove: stopped; nothing is kept")


def test_the_models_that_come_with_the_program_are_calibrated_with_the_portfolio_and_alike_every_time(
    calibrate: Prove, tmp_path: Path
) -> None:
    state = "p q : Prop\nhp : p\nhq : q\n⊢ p ∧ q"
    pairs = [(state, "exact ⟨hp, hq⟩"), (state, "constructor"), ("n : Nat\n⊢ n + 0 = n", "rfl"), ("⊢ 1 = 1", "rfl")]
    data = write(tmp_path / "pairs.jsonl", *pairs)
    arguments = ("--policy", "portfolio", "--policy", "n-eff-8", "--data", data)
    first = calibrate(*arguments)
    assert first.status == 0
    assert re.fullmatch(r"--calibration [\d.]+,[\d.]+\n", first.out)
    assert [line.split(":")[0] for line in first.err.splitlines() if "->" in line] == ["portfolio", "n-eff-8"]
    assert calibrate(*arguments).out == first.out
