"""What an operator makes of one probability: its success, its supervised weight and its reinforcement weight.

An operator draws N samples and keeps something of them. With p the probability of the target, f(p) is its success. A
supervised loss -log f(p) has the gradient w * grad(CE) with w = p f'/f; a reward R that comes with probability p is
weighted f' (Coverage-Aware Training, arXiv 2604.24957; coverage also is DCO, arXiv 2502.07154, eq. 4).

Log-probabilities are those of whole targets: sums over tokens, the end token included, at most 0. Every function
computes in float64, in which the stable forms below hold 1e-9 for N up to 1e6, and gives back the type it was given.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

LOG_2 = math.log(2.0)
# Below this value of log(N p), coverage and N p differ by less than float64 can tell.
NEGLIGIBLE = -37.0
# Above this value of log p, its inverse overflows float64: p counts as 1.
CERTAIN = -1e-300


def log1mexp(x: Tensor) -> Tensor:
    """log(1 - exp(x)) for x < 0, exact to rounding at both ends; the gradient is finite wherever the value is."""
    near = x > -LOG_2
    inner = torch.where(near, x, -LOG_2)
    outer = torch.where(near, -LOG_2, x)
    return torch.where(near, torch.log(-torch.expm1(inner)), torch.log1p(-torch.exp(outer)))


def coverage_log_success(log_p: Tensor, n: float | Tensor) -> Tensor:
    """log(1 - (1 - p)^N), differentiable, for a real N >= 1 that broadcasts against `log_p`.

    Raises ValueError for N below 1.
    """
    ell, count = log_p.double(), _samples(n, log_p)
    easy, simple = _easy(ell, count)
    a = log1mexp(torch.where(easy, -1.0, ell))
    return torch.where(easy, simple, log1mexp(count * a)).to(log_p.dtype)


def coverage_weight(log_p: Tensor, n: float | Tensor) -> Tensor:
    """h(p, N) = N p (1 - p)^(N - 1) / (1 - (1 - p)^N): 1 at N = 1 and for p -> 0, 0 at p = 1. Without gradient.

    Raises ValueError for N below 1.
    """
    ell, count = log_p.detach().double(), _samples(n, log_p)
    easy, _ = _easy(ell, count)
    safe = torch.where(easy, -1.0, ell)
    a = log1mexp(safe)
    weight = torch.exp(torch.log(count) + safe + (count - 1) * a - log1mexp(count * a))
    certain = (ell > CERTAIN) & (count > 1)
    return torch.where(easy, torch.where(certain, 0.0, 1.0), weight).to(log_p.dtype)


def coverage_rl_weight(log_p: Tensor, n: float | Tensor) -> Tensor:
    """N (1 - p)^(N - 1), the derivative of pass@N by p: what a success is worth among N samples.

    Raises ValueError for N below 1.
    """
    ell, count = log_p.detach().double(), _samples(n, log_p)
    certain = ell > CERTAIN
    a = log1mexp(torch.where(certain, -1.0, ell))
    weight = count * torch.exp((count - 1) * a)
    return torch.where(certain, torch.where(count > 1, 0.0, 1.0), weight).to(log_p.dtype)


def majority_log_success(log_p: Tensor, n: int, k: int) -> Tensor:
    """log P(at least k of N samples hit the target), differentiable; memory is N numbers for each of `log_p`.

    Above one half it is taken from the complement, so that its logarithm keeps its digits near 0.
    Raises ValueError unless 1 <= k <= N.
    """
    _check_threshold(n, k)
    ell = log_p.double()
    if k == n:
        return (n * ell).to(log_p.dtype)
    certain = ell > CERTAIN
    safe = torch.where(certain, -1.0, ell)
    a = log1mexp(safe)
    hit = _log_binomial(n, k) + k * safe + (n - k) * a + _log_series(safe - a, n, k)
    miss = _log_binomial(n, k - 1) + (k - 1) * safe + (n - k + 1) * a + _log_series(a - safe, n, n - k + 1)
    likely = miss < -LOG_2
    value = torch.where(likely, torch.log1p(-torch.exp(torch.where(likely, miss, -LOG_2))), hit)
    return torch.where(certain, 0.0, value).to(log_p.dtype)


def majority_weight(log_p: Tensor, n: int, k: int) -> Tensor:
    """k C(N,k) p^k (1 - p)^(N - k) / f(p), with f the success of a majority with threshold k. Without gradient.

    k = 1 is `coverage_weight`; for p -> 0 it is k. Raises ValueError unless 1 <= k <= N.
    """
    _check_threshold(n, k)
    ell = log_p.detach().double()
    if k == n:
        return torch.full_like(log_p, float(n))
    certain = ell > CERTAIN
    safe = torch.where(certain, -1.0, ell)
    weight = k * torch.exp(-_log_series(safe - log1mexp(safe), n, k))
    return torch.where(certain, 0.0, weight).to(log_p.dtype)


def majority_rl_weight(log_p: Tensor, n: int, k: int) -> Tensor:
    """N C(N-1, k-1) p^(k-1) (1 - p)^(N-k), the derivative of a majority's success by p.

    Raises ValueError unless 1 <= k <= N.
    """
    _check_threshold(n, k)
    ell = log_p.detach().double()
    if k == n:
        return (n * torch.exp((n - 1) * ell)).to(log_p.dtype)
    certain = ell > CERTAIN
    safe = torch.where(certain, -1.0, ell)
    log_weight = math.log(n) + _log_binomial(n - 1, k - 1) + (k - 1) * safe + (n - k) * log1mexp(safe)
    return torch.where(certain, 0.0, torch.exp(log_weight)).to(log_p.dtype)


def dynamic_threshold(n: int, samples: int, commonest_wrong: int) -> int:
    """The count that wins a majority of N, from the commonest wrong answer's count among `samples` drawn answers.

    max(2, min(floor(N/2) + 1, floor(N c_max / M) + 1)). Raises ValueError for a count outside 0..samples.
    """
    if not 0 <= commonest_wrong <= samples or samples < 1:
        raise ValueError(f"commonest_wrong must lie in 0..samples; it is {commonest_wrong} of {samples}")
    return max(2, min(n // 2 + 1, n * commonest_wrong // samples + 1))


def best_of_n_rl_weights(rewards: Tensor, log_probs: Tensor, n: float) -> Tensor:
    """N E[(R - max of N-1 others)_+] for every outcome [..., outcomes] of a known distribution; R itself at N = 1.

    This is the exact gradient of E[max of N rewards] up to a baseline. Raises ValueError for N below 1.
    """
    _samples(n, log_probs)
    if n == 1:
        return rewards.clone()
    ordered, order = torch.sort(rewards.double(), dim=-1)
    below = torch.cumsum(log_probs.detach().double().gather(-1, order).exp(), dim=-1)[..., :-1]
    return _spread(ordered, order, n * below ** (n - 1)).to(rewards.dtype)


def published_best_of_n_rl_weights(rewards: Tensor, log_probs: Tensor, n: float) -> Tensor:
    """N P(R' < R)^(N-1) for every outcome [..., outcomes] of a known distribution: the published approximation.

    Raises ValueError for N below 1.
    """
    _samples(n, log_probs)
    worse = (rewards.unsqueeze(-2) < rewards.unsqueeze(-1)).double()
    below = (worse * log_probs.detach().double().exp().unsqueeze(-2)).sum(-1)
    return (n * below ** (n - 1)).to(rewards.dtype)


def estimated_rl_weight(successes: int, samples: int, n: int, k: int = 1) -> float:
    """The unbiased estimate of a success's weight f'(p) from c successes among M >= N samples.

    N C(c-1, k-1) C(M-c, N-k) / C(M-1, N-1): among the other samples, N-1 drawn at random hold k-1 successes. For
    pass@N, k = 1, it is N C(M-c, N-1) / C(M-1, N-1). It is the weight of one that succeeded, so c >= 1.
    Raises ValueError unless 1 <= k <= N <= M and 1 <= c <= M.
    """
    _check_threshold(n, k)
    if samples < n or not 1 <= successes <= samples:
        raise ValueError(f"needs 1 <= successes <= samples and n <= samples; got {successes}, {samples} and n = {n}")
    ways = math.comb(successes - 1, k - 1) * math.comb(samples - successes, n - k)
    return n * ways / math.comb(samples - 1, n - 1)


def estimated_best_of_n_rl_weights(rewards: Tensor, n: int) -> Tensor:
    """The unbiased estimate of `best_of_n_rl_weights` from rewards [..., M] of M >= N samples; R itself at N = 1.

    The mean of N (R - max)_+ over all sets of N-1 other samples. Raises ValueError unless 1 <= N <= M.
    """
    count = _check_sample_count(rewards, n)
    if n == 1:
        return rewards.clone()
    ordered, order = torch.sort(rewards.double(), dim=-1)
    sets = math.comb(count - 1, n - 1)
    chances = [n * math.comb(rank, n - 1) / sets for rank in range(1, count)]
    return _spread(ordered, order, torch.tensor(chances, dtype=torch.float64, device=rewards.device)).to(rewards.dtype)


def published_estimated_best_of_n_rl_weights(rewards: Tensor, n: int) -> Tensor:
    """The unbiased estimate of `published_best_of_n_rl_weights` from rewards [..., M] of M >= N samples.

    N C(samples below R, N-1) / C(M-1, N-1). Raises ValueError unless 1 <= N <= M.
    """
    count = _check_sample_count(rewards, n)
    sets = math.comb(count - 1, n - 1)
    chances = torch.tensor([n * math.comb(rank, n - 1) / sets for rank in range(count)], dtype=torch.float64)
    below = (rewards.unsqueeze(-2) < rewards.unsqueeze(-1)).sum(-1)
    return chances.to(rewards.device)[below].to(rewards.dtype)


def _samples(n: float | Tensor, like: Tensor) -> Tensor:
    """N as float64 beside `like`; raises ValueError if any is below 1."""
    count = torch.as_tensor(n, dtype=torch.float64, device=like.device)
    if not bool((count >= 1).all()):
        raise ValueError(f"N must be at least 1; it is {float(count.min()):g}")
    return count


def _easy(ell: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
    """Where coverage needs no stable form (N = 1, N p ~ 0, p = 1), and its logarithm there."""
    single, certain = count == 1, ell > CERTAIN
    linear = torch.log(count) + ell
    easy = single | certain | (linear < NEGLIGIBLE)
    return easy, torch.where(single, ell, torch.where(certain, 0.0, linear))


def _check_threshold(n: int, k: int) -> None:
    if not 1 <= k <= n:
        raise ValueError(f"the threshold must lie in 1..N; it is {k} and N is {n}")


def _check_sample_count(rewards: Tensor, n: int) -> int:
    count = rewards.shape[-1]
    if not 1 <= n <= count:
        raise ValueError(f"N must lie in 1..samples; it is {n} and there are {count} samples")
    return count


def _log_binomial(n: int, k: int) -> float:
    """log C(n, k) by summing, because differences of log-gamma lose seven digits at n = 1e6."""
    k = min(k, n - k)
    i = torch.arange(1, k + 1, dtype=torch.float64)
    return float(torch.log((n - k + i) / i).sum())


def _log_series(log_odds: Tensor, n: int, k: int) -> Tensor:
    """log of sum_j C(n, k+j)/C(n, k) odds^j over j = 0..n-k, for odds of any size."""
    j = torch.arange(n - k + 1, dtype=torch.float64, device=log_odds.device)
    steps = torch.log((n - k - j[:-1]) / (k + 1 + j[:-1]))
    coefficients = torch.nn.functional.pad(torch.cumsum(steps, 0), (1, 0))
    return torch.logsumexp(coefficients + j * log_odds.unsqueeze(-1), dim=-1)


def _spread(ordered: Tensor, order: Tensor, chances: Tensor) -> Tensor:
    """sum of (v_{j+1} - v_j) chances_j below every reward, in the order before sorting: E (R - max)_+ by parts."""
    sums = torch.cumsum(torch.diff(ordered, dim=-1) * chances, dim=-1)
    return torch.empty_like(ordered).scatter_(-1, order, torch.nn.functional.pad(sums, (1, 0)))
