"""The objectives against high-precision arithmetic, against the processes they stand for, and at their limits."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf
from torch import Tensor

from train import operators
from train.losses import (
    OBJECTIVES,
    Objective,
    ObjectiveOptions,
    live,
    normalised,
    rl_weights,
    weighted_cross_entropy,
)
from train.recurrences import mcts_least_expansions

mp.dps = 360  # 1 - J must keep its digits down to the smallest float64

TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-5}
TYPES = pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
SEARCHES = ("best-first", "randomised-depth-first", "value-depth-first", "mcts")

budgets = st.floats(0, 6).map(lambda x: min(10.0**x, 1e6))
log_probs = st.floats(-12, 4).map(lambda x: -(10.0**x))
traces = st.lists(st.floats(-4, 1.5).map(lambda x: -(10.0**x)), min_size=1, max_size=4)
few_examples = settings(max_examples=25, deadline=None)


def objective(name: str, **options: Any) -> Objective:
    return OBJECTIVES[name](ObjectiveOptions(**options))


def batch(*rows: Sequence[float], dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """Log-probabilities, padded with nonsense, and their mask."""
    width = max(map(len, rows))
    padded = torch.tensor([[*row, *[-7.0] * (width - len(row))] for row in rows], dtype=dtype)
    return padded, torch.tensor([[column < len(row) for column in range(width)] for row in rows])


def assert_close(actual: float, expected: mpf, tolerance: float, dtype: torch.dtype = torch.float64) -> None:
    """Relative, but for numbers below the smallest that the type holds in full."""
    assert abs(mpf(actual) - expected) <= tolerance * abs(expected) + torch.finfo(dtype).tiny, (actual, expected)


def every_objective() -> list[Objective]:
    return [
        objective("ce"),
        objective("coverage", n=7.5),
        objective("uniform", n=60.5),
        objective("pass-at-n", n=64),
        objective("best-of-n", n=8),
        objective("majority", n=16, threshold=4),
        *(objective(name, n=64) for name in SEARCHES),
        *(objective(name, n=64, kappa=3, absorption=0.02) for name in SEARCHES),
    ]


# -- In high precision


def log_miss(ell: float) -> mpf:
    """log(1 - p)."""
    return mp.log(-mp.expm1(mpf(ell))) if ell > -1 else mp.log1p(-mp.exp(mpf(ell)))


def exact_coverage(ell: float, n: float) -> tuple[mpf, mpf]:
    """Loss and weight."""
    missed = n * log_miss(ell)
    success = -mp.expm1(missed)
    weight = n * mp.exp(ell + (n - 1) * log_miss(ell)) / success
    return -mp.log1p(-mp.exp(missed)) if missed < -1 else -mp.log(success), weight


def exact_majority(ell: float, n: int, k: int) -> tuple[mpf, mpf]:
    """Loss and weight, by summing the binomial distribution outwards from k."""
    odds = mp.exp(mpf(ell) - log_miss(ell))

    def log_mass(i: int) -> mpf:
        choices = mp.loggamma(n + 1) - mp.loggamma(i + 1) - mp.loggamma(n - i + 1)
        return choices + i * mpf(ell) + (n - i) * log_miss(ell)

    def summed(i: int, step: int) -> mpf:
        term = total = mp.exp(log_mass(i))
        while 0 <= i + step <= n and term > total * mpf("1e-30"):
            term *= odds * (n - i) / (i + 1) if step > 0 else i / (odds * (n - i + 1))
            total += term
            i += step
        return total

    if k <= n * mp.exp(ell):
        failure = summed(k - 1, -1)
        loss = -mp.log1p(-failure)
    else:
        loss = -mp.log(summed(k, 1))
    return loss, k * mp.exp(log_mass(k) + loss)


def backtracking_chance(shares: Callable[[list[mpf]], list[list[mpf]]]) -> Callable[[list[mpf], int, float], mpf]:
    """The recurrences as the papers write them, from where a miss at t goes."""

    def chance(p: list[mpf], expansions: int, absorption: float) -> mpf:
        length, backtrack = len(p), shares(p)
        values = [mpf(0)] * length + [mpf(1)]
        for _ in range(expansions):
            missed = [sum(backtrack[t][k] * values[k] for k in range(t + 1)) for t in range(length)]
            values = [p[t] * values[t + 1] + (1 - p[t]) * (1 - mpf(absorption)) * missed[t] for t in range(length)] + [
                mpf(1)
            ]
        return values[0]

    return chance


def levin_shares(p: list[mpf]) -> list[list[mpf]]:
    scores = [mpf(1)] + [mp.fprod(p[:k]) ** (mpf(1) / k) for k in range(1, len(p))]
    return [[scores[k] / sum(scores[: t + 1]) for k in range(t + 1)] for t in range(len(p))]


def tree_search_chance(p: list[mpf], expansions: int, absorption: float) -> mpf:
    """Tree search on a trace, expansion by expansion, with each state's visits and tactics counted."""

    @cache
    def chance(reached: int, left: int, visits: tuple[int, ...], tactics: tuple[int, ...]) -> mpf:
        if reached == len(p):
            return mpf(1)
        if left == 0:
            return mpf(0)
        wide = (k for k in range(reached) if tactics[k] < math.isqrt(visits[k]) + 1)  # isqrt(n) + 1 = ceil(sqrt(n+1))
        k = next(wide, reached)
        visits = tuple(n + (j <= k) for j, n in enumerate(visits))
        tactics = tuple(m + (j == k) for j, m in enumerate(tactics))
        hit = chance(max(reached, k + 1), left - 1, visits, tactics)
        miss = chance(reached, left - 1, visits, tactics)
        return p[k] * hit + (1 - p[k]) * (1 - mpf(absorption)) * miss

    return chance(0, expansions, (0,) * len(p), (0,) * len(p))


EXACT: dict[str, Callable[[list[mpf], int, float], mpf]] = {
    "best-first": backtracking_chance(lambda p: [[mpf(k == t) for k in range(t + 1)] for t in range(len(p))]),
    "randomised-depth-first": backtracking_chance(
        lambda p: [[mpf(1) / (t + 1) for _ in range(t + 1)] for t in range(len(p))]
    ),
    "value-depth-first": backtracking_chance(levin_shares),
    "mcts": tree_search_chance,
}


def assert_is_the_process(
    name: str, trace: Sequence[float], n: int, kappa: float, absorption: float, tactics: Sequence[int] | None = None
) -> None:
    """Loss and weights (of `tactics`, or all) are those of the process, the weights by its central differences."""
    chance, length = EXACT[name], len(trace)
    expansions = length + math.floor((n - length) / kappa)
    step = mpf("1e-20")

    def loss(moved: int | None = None, by: mpf = 0) -> mpf:
        return -mp.log(
            chance([mp.exp(mpf(x) + by * (t == moved)) for t, x in enumerate(trace)], expansions, absorption)
        )

    weighted = objective(name, n=n, kappa=kappa, absorption=absorption)(*batch(trace))
    assert_close(weighted.loss[0].item(), loss(), 1e-9)
    for t in range(length) if tactics is None else tactics:
        expected = (loss(t, -step) - loss(t, step)) / (2 * step)
        # A weight is 1 less what failures share; where it is nearly nothing, the rounding of that 1 remains.
        assert abs(mpf(weighted.weights[0, t].item()) - expected) <= 1e-9 * abs(expected) + 1e-12


# -- Accuracy


@TYPES
@settings(max_examples=300, deadline=None)
@given(ell=log_probs, n=budgets | st.integers(1, 10**6).map(float))
def test_coverage_is_exact_over_the_whole_range(dtype: torch.dtype, ell: float, n: float) -> None:
    log_p, mask = batch([ell], dtype=dtype)
    loss, weight = exact_coverage(log_p.item(), n)
    weighted = objective("coverage", n=n)(log_p, mask)
    assert weighted.loss.dtype == weighted.weights.dtype == dtype
    assert_close(weighted.loss.item(), loss, TOLERANCE[dtype], dtype)
    assert_close(weighted.weights.item(), weight, TOLERANCE[dtype], dtype)


@TYPES
@settings(max_examples=150, deadline=None)
@given(ell=log_probs, n=st.integers(1, 500), share=st.floats(0, 1))
def test_majority_is_exact(dtype: torch.dtype, ell: float, n: int, share: float) -> None:
    check_majority(dtype, ell, n, 1 + round(share * (n - 1)))


@TYPES
@pytest.mark.parametrize(
    ("ell", "n", "k"),
    [
        (-1e4, 10**6, 3),
        (-1e-12, 10**6, 10**6 - 1),
        (-1e-12, 10**6, 999_000),
        (math.log(1e-6), 10**6, 2),
        (math.log(1e-4), 10**6, 90),
        (math.log(1e-4), 10**6, 150),
        (math.log(0.1), 10**6, 100_300),
        (math.log(0.5), 10**6, 499_000),
        (math.log(0.5), 10**6, 500_001),
        (math.log(0.5), 10**6, 505_000),
        (math.log(0.9), 10**5, 89_000),
    ],
)
def test_majority_is_exact_for_a_million_samples(dtype: torch.dtype, ell: float, n: int, k: int) -> None:
    check_majority(dtype, ell, n, k)


def check_majority(dtype: torch.dtype, ell: float, n: int, k: int) -> None:
    log_p, mask = batch([ell], dtype=dtype)
    loss, weight = exact_majority(log_p.item(), n, k)
    weighted = objective("majority", n=n, threshold=k)(log_p, mask)
    assert_close(weighted.loss.item(), loss, TOLERANCE[dtype], dtype)
    assert_close(weighted.weights.item(), weight, TOLERANCE[dtype], dtype)


@pytest.mark.parametrize("name", SEARCHES)
@few_examples
@given(
    trace=traces,
    spare=st.integers(0, 12),
    kappa=st.sampled_from([1, 2, 2.5]),
    absorption=st.sampled_from([0, 0.02, 0.5]),
)
def test_a_recurrence_is_its_process(
    name: str, trace: list[float], spare: int, kappa: float, absorption: float
) -> None:
    least = mcts_least_expansions(len(trace))[-1] if name == "mcts" else len(trace)
    n = math.ceil(len(trace) + kappa * (least - len(trace))) + spare
    assert_is_the_process(name, trace, n, kappa, absorption)


@pytest.mark.parametrize("name", [name for name in SEARCHES if name != "mcts"])
@pytest.mark.parametrize("log_p", [-1e4, -2.0, -0.3, -1e-12])
def test_a_recurrence_is_exact_at_full_size(name: str, log_p: float) -> None:
    trace = [log_p * (1 + 0.1 * t) for t in range(12)]
    assert_is_the_process(name, trace, 256, 1, 0, tactics=[0, 11])
    assert_is_the_process(name, trace, 256, 5, 0.02, tactics=[6])


@pytest.mark.parametrize("log_p", [-1e4, -2.0, -0.3])
def test_tree_search_is_exact_at_a_larger_budget(log_p: float) -> None:
    assert_is_the_process("mcts", [log_p, 2 * log_p, 0.5 * log_p], 30, 1, 0)
    assert_is_the_process("mcts", [log_p, 2 * log_p, 0.5 * log_p], 30, 1, 0.1)


@pytest.mark.parametrize("name", SEARCHES)
def test_a_recurrence_in_float32_is_the_one_in_float64(name: str) -> None:
    rows = (-torch.rand(32, 12, generator=torch.Generator().manual_seed(1)) * 5).float()
    mask = torch.ones_like(rows, dtype=torch.bool)
    single, double = (objective(name, n=256)(part, mask) for part in (rows, rows.double()))
    assert single.loss.dtype == torch.float32
    torch.testing.assert_close(single.loss.double(), double.loss, rtol=1e-5, atol=0)
    torch.testing.assert_close(single.weights.double(), double.weights, rtol=1e-5, atol=1e-12)


# -- The values of the reference


@pytest.mark.parametrize(
    ("n", "k", "p", "weight", "rl_weight"),
    [(16, 1, 0.1, 0.404353, 3.294258), (8, 3, 0.25, 1.937817, 2.491699), (16, 4, 0.25, 1.513910, 3.603185)],
)
def test_the_weights_are_those_of_the_reference(n: int, k: int, p: float, weight: float, rl_weight: float) -> None:
    log_p = torch.tensor(math.log(p), dtype=torch.float64)
    assert operators.majority_weight(log_p, n, k).item() == pytest.approx(weight, abs=5e-7)
    assert operators.majority_rl_weight(log_p, n, k).item() == pytest.approx(rl_weight, abs=5e-7)
    if k == 1:
        assert operators.coverage_weight(log_p, n).item() == pytest.approx(weight, abs=5e-7)
        assert operators.coverage_rl_weight(log_p, n).item() == pytest.approx(rl_weight, abs=5e-7)


def h(p: float, n: float) -> float:
    return operators.coverage_weight(torch.tensor(math.log(p), dtype=torch.float64), n).item()


@pytest.mark.parametrize(("p", "n"), [(0.667, 4), (0.39, 8), (0.21, 16), (0.109, 32), (0.0141, 256)])
def test_a_tactic_is_dead_from_the_probability_of_the_reference_on(p: float, n: float) -> None:
    assert h(p, n) == pytest.approx(0.1, abs=0.003)


@pytest.mark.parametrize(("share", "weight"), [(1.256, 0.5), (3.615, 0.1), (6.475, 0.01)])
def test_the_weight_of_a_rare_tactic_depends_on_n_p_alone(share: float, weight: float) -> None:
    assert h(share / 1e6, 1e6) == pytest.approx(weight, rel=1e-3)


@given(n=st.floats(8, 1e6))
def test_the_weight_at_p_one_over_n_hardly_depends_on_n(n: float) -> None:
    assert 0.575 < h(1 / n, n) < 0.625


def test_a_whole_long_proof_is_cross_entropy_in_disguise() -> None:
    assert 1 - h(0.9**200, 64) == pytest.approx(2e-8, rel=0.15)


@pytest.mark.parametrize(("n", "best"), [(2, 0.714), (4, 0.508), (16, 0.235), (256, 0.149)])
def test_optimising_pass_at_n_gives_the_best_policy_of_the_reference(n: int, best: float) -> None:
    answers = torch.tensor([0.5, 0.2, 0.1, *[0.05] * 4], dtype=torch.float64)
    logits = answers.log().requires_grad_()
    optimiser = torch.optim.Adam([logits], lr=0.02)
    for _ in range(1500):
        log_p = torch.log_softmax(logits, 0)
        p, weights = log_p.exp(), operators.coverage_rl_weight(log_p, n)
        optimiser.zero_grad()
        failure = (answers * (1 - p) ** n).sum().detach()  # tiny at N = 256, and so are the gradients without it
        (-(answers * weights * p).sum() / failure).backward()
        optimiser.step()
    assert torch.softmax(logits, 0)[0].item() == pytest.approx(best, abs=1e-3)


# -- Limits


@few_examples
@given(trace=st.lists(log_probs, min_size=1, max_size=5))
def test_one_sample_is_cross_entropy(trace: list[float]) -> None:
    expected = objective("ce")(*batch(trace))
    for name in ("coverage", "pass-at-n", "best-of-n", "majority"):
        weighted = objective(name)(*batch(trace))
        assert weighted.weights.tolist() == [[1.0] * len(trace)]
        torch.testing.assert_close(weighted.loss, expected.loss, rtol=1e-14, atol=0)


@few_examples
@given(trace=st.lists(log_probs, min_size=1, max_size=5))
def test_as_many_expansions_as_tactics_are_cross_entropy(trace: list[float]) -> None:
    expected = objective("ce")(*batch(trace))
    for name in ("uniform", *SEARCHES[:3]):
        weighted = objective(name, n=len(trace))(*batch(trace))
        torch.testing.assert_close(weighted.weights, expected.weights, rtol=1e-12, atol=0)
        torch.testing.assert_close(weighted.loss, expected.loss, rtol=1e-12, atol=0)


@few_examples
@given(ell=log_probs, n=st.integers(1, 1000))
def test_a_search_for_one_tactic_is_its_coverage(ell: float, n: int) -> None:
    expected = objective("coverage", n=n)(*batch([ell]))
    for name in (*SEARCHES, "uniform", "pass-at-n"):
        weighted = objective(name, n=n)(*batch([ell]))
        torch.testing.assert_close(weighted.weights, expected.weights, rtol=1e-9, atol=1e-12)
        torch.testing.assert_close(weighted.loss, expected.loss, rtol=1e-9, atol=1e-300)


@few_examples
@given(ell=log_probs, n=st.integers(1, 1000))
def test_a_majority_of_threshold_one_is_coverage(ell: float, n: int) -> None:
    expected, weighted = objective("coverage", n=n)(*batch([ell])), objective("majority", n=n)(*batch([ell]))
    torch.testing.assert_close(weighted.weights, expected.weights, rtol=1e-10, atol=1e-300)
    torch.testing.assert_close(weighted.loss, expected.loss, rtol=1e-10, atol=1e-300)


@given(ell=log_probs, n=budgets, more=st.floats(1, 100))
def test_coverage_weights_lie_between_zero_and_one_and_fall_with_n(ell: float, n: float, more: float) -> None:
    log_p = torch.tensor(ell, dtype=torch.float64)
    weight, less = operators.coverage_weight(log_p, n), operators.coverage_weight(log_p, n * more)
    assert 0 <= less <= weight * (1 + 1e-12) <= 1 + 2e-12


@pytest.mark.parametrize("name", SEARCHES)
@few_examples
@given(trace=traces, n=st.integers(10, 40))
def test_more_expansions_find_more(name: str, trace: list[float], n: int) -> None:
    few, many = (objective(name, n=count)(*batch(trace)).loss.item() for count in (n, n + 7))
    assert many <= few * (1 + 1e-12)


@few_examples
@given(p=st.floats(0.01, 0.99), length=st.integers(1, 12), spare=st.integers(0, 200))
def test_best_first_with_equal_tactics_is_a_binomial_tail(p: float, length: int, spare: int) -> None:
    found = objective("best-first", n=length + spare)(*batch([math.log(p)] * length)).loss.item()
    assert_close(found, exact_majority(math.log(p), length + spare, length)[0], 1e-9)


@few_examples
@given(trace=traces, kappa=st.sampled_from([2, 3, 5]), misses=st.integers(0, 5))
def test_a_miss_of_kappa_expansions_leaves_room_for_so_many_fewer(trace: list[float], kappa: int, misses: int) -> None:
    plain = objective("best-first", n=len(trace) + misses)(*batch(trace))
    dear = objective("best-first", n=len(trace) + kappa * misses + kappa - 1, kappa=kappa)(*batch(trace))
    assert torch.equal(plain.loss, dear.loss)


@pytest.mark.parametrize("n", [1, 2, 1.0001, 64, 1e6])
def test_certain_and_impossible_tactics_have_the_weights_of_the_limits(n: float) -> None:
    log_p = torch.tensor([0.0, -1e-320, -1e4, -torch.inf], dtype=torch.float64)
    certain = 1.0 if n == 1 else 0.0
    assert operators.coverage_weight(log_p, n).tolist() == [certain, certain, 1, 1]
    assert operators.coverage_log_success(log_p, n)[0] == 0
    assert operators.coverage_rl_weight(log_p, n).tolist() == [certain, certain, n, n]


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("goal", every_objective(), ids=str)
def test_gradients_are_numbers_at_every_probability(goal: Objective, dtype: torch.dtype) -> None:
    edges = [0.0, -1e-44, -1e-12, -1e-3, -0.7, -30.0, -100.0, -1e4]
    log_p, mask = batch(*itertools.product(edges, edges, edges[::3]), dtype=dtype)
    leaf = log_p.clone().requires_grad_()
    goal.loss(leaf, mask).sum().backward()
    weighted = goal(log_p, mask)
    assert leaf.grad is not None
    assert leaf.grad.isfinite().all() and weighted.weights.isfinite().all() and weighted.loss.isfinite().all()
    torch.testing.assert_close(-leaf.grad, weighted.weights, rtol=1e-5, atol=1e-6)


# -- Training


@pytest.mark.parametrize("goal", every_objective(), ids=str)
def test_weighted_cross_entropy_and_direct_differentiation_give_the_same_gradient(goal: Objective) -> None:
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(6, 5, 8, generator=generator, dtype=torch.float64)
    chosen = torch.randint(11, (6, 5, 1), generator=generator)
    mask = torch.arange(5) < torch.tensor([[5], [4], [3], [2], [1], [5]])
    gradients = []
    for direct in (True, False):
        head = torch.nn.Parameter(torch.randn(8, 11, generator=torch.Generator().manual_seed(1), dtype=torch.float64))
        log_p = torch.log_softmax(hidden @ head, -1).gather(-1, chosen).squeeze(-1)
        loss = goal.loss(log_p, mask) if direct else weighted_cross_entropy(log_p, goal(log_p, mask).weights)
        loss.sum().backward()
        gradients.append(head.grad)
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("goal", every_objective(), ids=str)
def test_a_trace_is_worth_the_same_alone_and_among_others(goal: Objective) -> None:
    rows = [[-0.5, -2.0, -0.1], [-1.0], [-3.0, -0.2], [-0.4, -0.7, -1.1, -9.0, -0.01]]
    together = goal(*batch(*rows))
    for index, row in enumerate(rows):
        alone = goal(*batch(row))
        torch.testing.assert_close(together.loss[index : index + 1], alone.loss, rtol=1e-12, atol=0)
        weights = together.weights[index]
        torch.testing.assert_close(weights[: len(row)], alone.weights[0], rtol=1e-11, atol=1e-13)
        assert not weights[len(row) :].any()


def test_only_per_tactic_objectives_do_without_traces() -> None:
    row = [-0.5, -2.0, -0.1]
    for goal in every_objective():
        whole, parts = goal(*batch(row)).weights[0], goal(*batch(*([x] for x in row))).weights[:, 0]
        assert torch.allclose(whole, parts, rtol=1e-12) == (not goal.needs_traces)


def test_weights_carry_no_gradient() -> None:
    log_p, mask = batch([-1.0, -2.0])
    log_p.requires_grad_()
    for goal in every_objective():
        weighted = goal(log_p, mask)
        assert not weighted.weights.requires_grad and not weighted.loss.requires_grad


def test_tactics_of_small_weight_are_dead() -> None:
    log_p, mask = batch([math.log(0.9), math.log(0.2)], [math.log(0.3)])
    weights = objective("coverage", n=8)(log_p, mask).weights
    assert live(weights, mask).tolist() == [[False, True], [True, False]]
    assert live(weights, mask, epsilon=0.3).tolist() == [[False, True], [False, False]]
    assert live(weights, mask, epsilon=0).tolist() == mask.tolist()


def test_normalised_weights_have_mean_one_over_the_prompts() -> None:
    weights, mask = torch.tensor([[0.2, 0.6], [1.0, 5.0]]), torch.tensor([[True, True], [True, False]])
    torch.testing.assert_close(normalised(weights, mask), torch.tensor([[1 / 3, 1.0], [5 / 3, 0.0]]))


def test_normalisation_does_not_bring_cross_entropy_back_where_all_is_learnt() -> None:
    weights = torch.full((8, 1), 1e-4)
    mask = torch.ones_like(weights, dtype=torch.bool)
    torch.testing.assert_close(normalised(weights, mask, floor=0.1), weights / 0.1)


def test_normalised_weights_of_a_batch_in_parts_are_those_of_the_whole_batch() -> None:
    weights = torch.tensor([0.2, 0.6, 1.0, 0.0, 3.0])
    mask = torch.ones_like(weights, dtype=torch.bool)
    whole = normalised(weights, mask)

    def total(mine: Tensor) -> Tensor:
        return mine + torch.tensor([4.0, 3.0])  # what the other part adds

    torch.testing.assert_close(normalised(weights[:2], mask[:2], total=total), whole[:2])


# -- Reinforcement


@given(ell=st.floats(-8, -0.01), n=st.floats(1, 50), count=st.integers(1, 50), share=st.floats(0, 1))
def test_rl_weights_are_the_derivatives_of_success(ell: float, n: float, count: int, share: float) -> None:
    p = torch.tensor(math.exp(ell), dtype=torch.float64, requires_grad=True)
    k = 1 + round(share * (count - 1))
    (coverage,) = torch.autograd.grad(operators.coverage_log_success(p.log(), n).exp(), p)
    (majority,) = torch.autograd.grad(operators.majority_log_success(p.log(), count, k).exp(), p)
    torch.testing.assert_close(operators.coverage_rl_weight(p.log(), n), coverage, rtol=1e-9, atol=1e-13)
    torch.testing.assert_close(operators.majority_rl_weight(p.log(), count, k), majority, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_weighs_a_reward_by_the_derivative_of_its_success(name: str) -> None:
    p = torch.tensor([[0.3, 0.6, 0.2]], dtype=torch.float64, requires_grad=True)
    goal, mask = objective(name, n=20), torch.ones(1, 3, dtype=torch.bool)
    (expected,) = torch.autograd.grad(torch.exp(-goal.loss(p.log(), mask)).sum(), p)
    torch.testing.assert_close(rl_weights(goal, p.log(), mask), expected, rtol=1e-9, atol=1e-12)


@given(ell=st.floats(-1e4, -1e-6), n=st.floats(1, 1e6))
def test_rl_weights_of_float32_are_those_of_80_digits(ell: float, n: float) -> None:
    given_ell = torch.tensor([[ell]], dtype=torch.float32)
    p = mp.exp(mpf(given_ell.item()))
    exact = mpf(n) * (1 - p) ** (mpf(n) - 1)
    found = rl_weights(objective("coverage", n=n), given_ell, torch.ones(1, 1, dtype=torch.bool))
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(float(exact), rel=1e-5, abs=1e-37)


def test_what_stands_on_padding_has_no_rl_weight() -> None:
    ells, mask = torch.tensor([[-0.5, -2000.0], [-0.5, -math.inf]]), torch.tensor([[True, False]] * 2)
    alone = rl_weights(objective("coverage", n=8), ells[:1, :1], mask[:1, :1])
    assert rl_weights(objective("coverage", n=8), ells, mask).tolist() == [[alone.item(), 0.0]] * 2


@given(p=st.floats(0.01, 0.99), samples=st.integers(1, 20), data=st.data())
def test_the_estimate_of_an_rl_weight_is_unbiased(p: float, samples: int, data: st.DataObject) -> None:
    n = data.draw(st.integers(1, samples))
    k = data.draw(st.integers(1, n))
    others = samples - 1
    mean = sum(
        math.comb(others, c) * p**c * (1 - p) ** (others - c) * operators.estimated_rl_weight(c + 1, samples, n, k)
        for c in range(samples)
    )
    log_p = torch.tensor(math.log(p), dtype=torch.float64)
    assert mean == pytest.approx(operators.majority_rl_weight(log_p, n, k).item(), rel=1e-9)


DISTRIBUTION = ([0.0, 1.0, 1.0, 3.5], [0.4, 0.3, 0.1, 0.2])


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_best_of_n_weights_give_the_gradient_of_the_expected_maximum(n: int) -> None:
    rewards, start = torch.tensor(DISTRIBUTION[0], dtype=torch.float64), torch.tensor(DISTRIBUTION[1]).double().log()
    logits = start.clone().requires_grad_()
    p = torch.softmax(logits, 0)
    expected = sum(
        rewards[list(drawn)].max() * p[list(drawn)].prod() for drawn in itertools.product(range(len(p)), repeat=n)
    )
    (gradient,) = torch.autograd.grad(torch.as_tensor(expected), logits, retain_graph=True)
    weights = operators.best_of_n_rl_weights(rewards, p.log(), n)
    (weighted,) = torch.autograd.grad((weights * p).sum(), logits)
    torch.testing.assert_close(weighted, gradient, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("n", "samples"), [(1, 3), (2, 2), (2, 4), (3, 5)])
@pytest.mark.parametrize("published", [False, True])
def test_the_estimate_of_a_best_of_n_weight_is_unbiased(n: int, samples: int, published: bool) -> None:
    rewards, p = (torch.tensor(part, dtype=torch.float64) for part in DISTRIBUTION)
    exact, estimate = (
        (operators.published_best_of_n_rl_weights, operators.published_estimated_best_of_n_rl_weights)
        if published
        else (operators.best_of_n_rl_weights, operators.estimated_best_of_n_rl_weights)
    )
    draws = torch.tensor(list(itertools.product(range(len(p)), repeat=samples)))
    first = estimate(rewards[draws], n)[:, 0]
    for outcome in range(len(p)):
        chosen = draws[:, 0] == outcome
        mean = (first * p[draws].prod(-1))[chosen].sum() / p[outcome]
        assert mean.item() == pytest.approx(exact(rewards, p.log(), n)[outcome].item(), rel=1e-12)


def test_best_of_n_with_rewards_of_zero_and_one_is_pass_at_n() -> None:
    rewards = torch.tensor([1.0, 0.0, 0.0, 1.0, 0.0, 1.0])
    weights = operators.estimated_best_of_n_rl_weights(rewards, 3)
    assert weights.tolist() == pytest.approx((operators.estimated_rl_weight(3, 6, 3) * rewards).tolist())


def test_ties_earn_nothing_under_the_exact_and_the_published_weights() -> None:
    same = torch.tensor([2.0, 2.0, 2.0])
    assert not operators.estimated_best_of_n_rl_weights(same, 2).any()
    assert not operators.published_estimated_best_of_n_rl_weights(same, 2).any()


@pytest.mark.parametrize(("n", "wrong", "expected"), [(16, 0, 2), (16, 8, 5), (16, 32, 9), (3, 32, 2), (2, 32, 2)])
def test_the_dynamic_threshold_outvotes_the_commonest_wrong_answer(n: int, wrong: int, expected: int) -> None:
    assert operators.dynamic_threshold(n, 32, wrong) == expected


# -- Bad input


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("coverage", {"n": 0.5}, "n must be a number of at least 1; it is 0.5"),
        ("coverage", {"n": math.nan}, "n must be a number of at least 1; it is nan"),
        ("best-first", {"n": 8, "kappa": 0.5}, "kappa must be a number of at least 1"),
        ("best-first", {"n": 8, "absorption": 1}, "absorption must lie in"),
        ("best-first", {"n": 8.5}, "n must be a whole number for an objective that counts; it is 8.5"),
        ("majority", {"n": 8, "threshold": 9}, "threshold must be at most n"),
        ("ce", {"n": 8}, "the objective ce takes no n; leave it out"),
        ("coverage", {"n": 8, "kappa": 5}, "the objective coverage takes no kappa"),
    ],
)
def test_bad_options_are_named(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        objective(name, **options)


def test_fewer_than_one_sample_is_refused() -> None:
    with pytest.raises(ValueError, match=r"N must be at least 1; it is 0.5"):
        operators.coverage_weight(torch.tensor(-1.0), 0.5)
    with pytest.raises(ValueError, match=r"the threshold must lie in 1..N"):
        operators.majority_weight(torch.tensor(-1.0), 4, 5)
    with pytest.raises(ValueError, match="needs 1 <= successes"):
        operators.estimated_rl_weight(0, 8, 4)
    with pytest.raises(ValueError, match=r"N must lie in 1..samples"):
        operators.estimated_best_of_n_rl_weights(torch.tensor([1.0, 0.0]), 3)
    with pytest.raises(ValueError, match=r"commonest_wrong must lie in 0..samples"):
        operators.dynamic_threshold(8, 4, 5)


@pytest.mark.parametrize(("name", "n"), [("uniform", 3.5), ("best-first", 3), ("mcts", 8)])
def test_traces_out_of_reach_are_told_and_refused(name: str, n: float) -> None:
    goal = objective(name, n=n)
    assert goal.reaches(torch.tensor([1, 2, 3, 4])).tolist() == [True, True, True, False]
    with pytest.raises(ValueError, match="never finds a trace of 4 tactics; raise n, or leave such traces out"):
        goal(*batch([-1.0] * 4, [-1.0]))


def test_bad_tensors_are_named() -> None:
    goal = objective("ce")
    log_p, mask = batch([-1.0, -2.0])
    with pytest.raises(ValueError, match="must be float32 or float64"):
        goal(log_p.bfloat16(), mask)
    with pytest.raises(ValueError, match="bool mask of their shape"):
        goal(log_p, mask.long())
    with pytest.raises(ValueError, match="bool mask of their shape"):
        goal(log_p[0], mask[0])
    with pytest.raises(ValueError, match="bool mask of their shape"):
        goal(log_p[:, :0], mask[:, :0])
    with pytest.raises(ValueError, match="no gaps"):
        goal(log_p, torch.tensor([[False, True]]))
    for bad in (0.1, math.nan, -math.inf):
        with pytest.raises(ValueError, match="finite and at most 0"):
            goal(*batch([-1.0, bad]))
    with pytest.raises(ValueError, match="floor must be positive"):
        normalised(log_p, mask, floor=0)


def test_the_registry_has_every_objective_of_the_command_line() -> None:
    names = "ce coverage uniform pass-at-n best-of-n majority best-first depth-first randomised-depth-first"
    assert set(OBJECTIVES) == {*names.split(), "value-depth-first", "mcts"}
    assert objective("depth-first", n=9) == objective("best-first", n=9)


def test_tree_search_pays_for_widening_every_state_on_the_way() -> None:
    for length, least in enumerate(mcts_least_expansions(4)[1:], start=1):
        certain = [mpf(1)] * length
        assert tree_search_chance(certain, least, 0) == 1
        assert tree_search_chance(certain, least - 1, 0) == 0
