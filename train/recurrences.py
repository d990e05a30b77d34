"""The chance that a search finds a demonstrated trace, as recurrences in its tactics' probabilities.

On a trace a search is a small process: an expansion at x_t hits the demonstrated tactic with probability p_t, or it
misses. J(b, t) is the chance to finish from x_t with b expansions left ("Direct Optimization of Generators for Search
in ATP", 2026). Every function here gives log J(N, 1), float64 [traces], differentiable by the log-probabilities
[traces, L]; the weights are its derivatives.

Two forms of the same recurrence run side by side, because each keeps its digits where the other loses them. Both add
and multiply positive numbers only.
- Success over the product of the p_s still to come. It is at least of the order of 1, however small the p_s are.
- Failure, 1 - J. It is used where J is above one half, so that log J keeps its digits near 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot, pad

ONE_HALF = 0.5

Backtrack = Callable[[Tensor], Tensor]
"""From log-probabilities [traces, L] the chances [traces, L, L] that a miss at x_t goes on at x_k, k <= t."""


def retry(log_probs: Tensor) -> Tensor:
    """A miss retries the same state: the surrogate of best-first and depth-first search."""
    return torch.eye(log_probs.shape[1], dtype=log_probs.dtype, device=log_probs.device).expand(len(log_probs), -1, -1)


def uniform_backtrack(log_probs: Tensor) -> Tensor:
    """A miss at x_t goes to any of x_1..x_t alike: randomised depth-first search."""
    length = log_probs.shape[1]
    allowed = torch.ones(length, length, dtype=log_probs.dtype, device=log_probs.device).tril()
    return (allowed / allowed.sum(-1, keepdim=True)).expand(len(log_probs), -1, -1)


def levin_backtrack(log_probs: Tensor) -> Tensor:
    """A miss at x_t goes to x_{k+1}, k < t, in proportion to its Levin score (p_1 .. p_k)^(1/k), 1 for the root.

    This is value depth-first search; gradients flow through the scores.
    """
    length = log_probs.shape[1]
    depth = torch.arange(1, length, dtype=log_probs.dtype, device=log_probs.device)
    scores = pad(torch.cumsum(log_probs[:, :-1], dim=1) / depth, (1, 0))
    deeper = torch.ones(length, length, dtype=torch.bool, device=log_probs.device).triu(1)
    return torch.softmax(scores.unsqueeze(1).masked_fill(deeper, -torch.inf), dim=-1)


def backtracking_log_success(
    log_probs: Tensor, lengths: Tensor, expansions: Tensor, backtrack: Backtrack, absorption: float
) -> Tensor:
    """J(b, t) = p_t J(b-1, t+1) + (1 - p_t) (1 - q) sum_k backtrack(t, k) J(b-1, k), with J(., L+1) = 1, J(0, .) = 0.

    The states x_1..x_L, "found" and "lost" are a Markov chain, and J is an entry of the power of its matrix: some
    log2(N) small products in place of N steps.

    Args:
        log_probs: float64 [traces, L], 0 beyond a trace's end.
        lengths: [traces], the number of tactics of each trace.
        expansions: [traces], the expansions b allowed for each, at least its length.
        backtrack: where a miss goes on.
        absorption: q, the chance that a miss loses the search for good.
    """
    traces, length = log_probs.shape
    live, found, lost = slice(length), length, length + 1
    after = torch.arange(1, length + 1, device=log_probs.device)
    hit = one_hot(torch.where(after == lengths.unsqueeze(1), found, after), length + 2).to(log_probs.dtype)
    p, miss = torch.exp(log_probs).unsqueeze(-1), -torch.expm1(log_probs).unsqueeze(-1)
    returns = miss * (1 - absorption) * backtrack(log_probs)
    before = torch.cumsum(log_probs, dim=1) - log_probs
    regained = torch.exp((before.unsqueeze(2) - before.unsqueeze(1)).tril())

    success = hit + pad(returns * regained, (0, 2))
    failure = p * hit + torch.cat([returns, torch.zeros_like(miss), absorption * miss], dim=-1)
    ends = torch.eye(length + 2, dtype=log_probs.dtype, device=log_probs.device)[length:].expand(2, traces, -1, -1)
    row, log_scale = _first_row_of_power(torch.cat([torch.stack([success, failure]), ends], dim=-2), expansions)
    unfound = row[1, :, live].sum(-1) + row[1, :, lost]
    return _log_success(log_probs.sum(1) + torch.log(row[0, :, found]) + log_scale[0], unfound)


def mcts_log_success(log_probs: Tensor, lengths: Tensor, expansions: Tensor, absorption: float) -> Tensor:
    """Monte Carlo tree search on a trace, where progressive widening is all that is left of it.

    An expansion goes to the shallowest x_k with m_k < ceil(sqrt(n_k + 1)) tactics in n_k visits, or with x_{k+1} not
    yet reached. It adds a tactic there and a visit to x_1..x_k. Until its hit, the h-th, x_k takes every visit; later
    only those that widen it. So in its first b visits it takes max(h, w) of them, w = ceil(sqrt(b)), and x_{k+1}.. sees
    the same process with the b - max(h, w) others:

        J(b, t) = sum_{h <= b} p_t (1 - p_t)^(h-1) J(b - max(h, w), t+1).

    A widening expansion reaches nothing new, but it also can be a miss that loses the search. For h < w, with the miss
    branches multiplied by 1 - q and s = 1 - q (1 - p_t), J(b - w, t+1) becomes the mean over what widening leaves,

        s^(w-h) J(b - w, t+1) + sum_{h < i <= w} (1 - s) s^(i-h-1) J((i-1)(i-2), t+1),

    as x_t gets its i-th tactic when x_{t+1}.. has had (i-1)^2 - (i-1) visits; what finished before then is not lost.
    The arguments are those of `backtracking_log_success`, but `expansions` at least `mcts_least_expansions`.
    """
    n = int(expansions.max())
    ended = torch.tensor([1.0, 0.0], dtype=log_probs.dtype, device=log_probs.device)
    values = ended.view(2, 1, 1).expand(2, len(log_probs), n + 1)
    log_scale = torch.zeros_like(log_probs[:, :1])
    for t, state in reversed(list(enumerate(_widened_states(log_probs, n, absorption)))):
        values = torch.where((t < lengths).unsqueeze(-1), state.above(values), values)
        size = values[0].detach().amax(-1, keepdim=True)
        values = values / torch.stack([size, torch.ones_like(size)])
        log_scale = log_scale + torch.log(size)
    success, unfound = values.gather(-1, expansions.expand(2, -1).unsqueeze(-1)).squeeze(-1)
    return _log_success(log_probs.sum(1) + torch.log(success) + log_scale.squeeze(-1), unfound)


def mcts_least_expansions(longest: int) -> list[int]:
    """The fewest expansions in which tree search can finish a trace of 0, 1, .. `longest` tactics.

    They are more than the tactics, because every state on the way is widened, too.
    """
    least = [0, 1]
    while len(least) <= longest:
        budget = least[-1]
        while budget - (math.isqrt(budget - 1) + 1) < least[-1]:
            budget += 1
        least.append(budget)
    return least


@dataclass(frozen=True)
class _WidenedState:
    """One x_t of `mcts_log_success`, in all traces.

    Sums over the visit h of the hit run in blocks of w + 1 visits, w = ceil(sqrt(N)): a product within the blocks, and
    another one of what each block hands to the later ones.
    """

    hit: Tensor  # [2, traces, 1]: 1 for success over the product of p, p for failure
    stays: Tensor  # [traces, w + 2]: powers of (1 - q) (1 - p), a miss before the hit
    within: Tensor  # [traces, w + 1, w + 1]: these powers at the distance of two visits of one block
    between: Tensor  # [traces, blocks, blocks]: the same for the distance of two blocks
    early: Tensor  # [2, traces, w + 1]: hit at some h < w, and never lost while widening from h to w
    lost: Tensor  # [2, traces, w + 1]: the same, but lost by the last of these widenings
    unreached: Tensor  # [2, traces, N + 1]: nothing of success; failure without any hit, by visits

    def above(self, below: Tensor) -> Tensor:
        """Success and failure [2, traces, N + 1] of x_t.., by its visits, from those of x_{t+1}.., by its own."""
        visits = torch.arange(1, below.shape[-1], device=below.device)
        width = _ceil_sqrt(visits)
        tactics = torch.arange(self.within.shape[-1], device=below.device)
        visited_before = ((tactics - 1) * (tactics - 2)).clamp(max=len(visits))
        lost = torch.cumsum(self.lost * below.index_select(-1, visited_before), dim=-1)
        reached = (
            self.early.index_select(-1, width) * below.index_select(-1, visits - width)
            + lost.index_select(-1, width)
            + self.stays.index_select(-1, width - 1) * self._hit(below).index_select(-1, visits - width + 1)
        )
        return pad(reached, (1, 0)) + self.unreached

    def _hit(self, below: Tensor) -> Tensor:
        """sum_{h=1..b} hit (1-q)^(h-1) (1-p)^(h-1) below(b-h) for every b [2, traces, N + 1]."""
        count, block, blocks = below.shape[-1], self.within.shape[-1], self.between.shape[-1]
        delayed = pad(below[..., :-1], (1, block * blocks - count)).reshape(*below.shape[:-1], blocks, block)
        inside = delayed @ self.within
        handed = (inside[..., None, :, -1] @ self.between).squeeze(-2)
        later = pad(handed[..., :-1], (1, 0)).unsqueeze(-1) * self.stays[:, None, 1:]
        return self.hit * (inside + later).flatten(-2)[..., :count]


def _widened_states(log_probs: Tensor, n: int, absorption: float) -> Iterator[_WidenedState]:
    """x_1, x_2, .. of traces [traces, L], for up to n visits; worked out for all of them at once."""
    ell = log_probs.T.unsqueeze(-1)
    block = math.isqrt(n - 1) + 2
    hit, miss = torch.stack([torch.ones_like(ell), torch.exp(ell)]), -torch.expm1(ell)
    stays = _powers((1 - absorption) * miss, block + 1)
    leaps = _powers(stays[..., block:], n // block + 1)
    within = _discounts(stays[..., :block])
    survived = _powers(1 - absorption * miss, block - 2)
    early = hit * (pad(survived, (2, 0)).unsqueeze(-2) @ within).squeeze(-2)
    waits = (leaps.unsqueeze(-1) * stays[..., None, :block]).flatten(-2)[..., : n + 1]
    unreached = waits + absorption * miss * pad(torch.cumsum(waits, dim=-1)[..., :-1], (1, 0))
    return map(
        _WidenedState,
        hit.unbind(1),
        stays.unbind(0),
        within.unbind(0),
        _discounts(leaps).unbind(0),
        ((1 - absorption * miss) * early).unbind(1),
        (absorption * miss * early).unbind(1),
        torch.stack([torch.zeros_like(unreached), unreached]).unbind(1),
    )


def _discounts(powers: Tensor) -> Tensor:
    """Matrices [..., n, n] with ratio^(i-j) at (j, i) for j <= i, from the powers [..., n] of the ratios."""
    i = torch.arange(powers.shape[-1], device=powers.device)
    return powers[..., (i - i.unsqueeze(1)).clamp(min=0)].triu()


def _first_row_of_power(matrix: Tensor, exponents: Tensor) -> tuple[Tensor, Tensor]:
    """The first row of matrix^exponent over exp(log_scale), and log_scale; matrices [..., S, S], exponents [...]."""
    row = torch.zeros_like(matrix[..., :1, :])
    row[..., 0] = 1
    log_scale = matrix_scale = torch.zeros_like(row[..., 0, 0])
    bits = int(exponents.max()).bit_length()
    for bit in range(bits):
        odd = ((exponents >> bit) & 1).bool()
        row = torch.where(odd[..., None, None], row @ matrix, row)
        log_scale = log_scale + torch.where(odd, matrix_scale, 0.0)
        if bit + 1 < bits:
            square = matrix @ matrix
            size = square.detach().amax((-2, -1))
            matrix = square / size[..., None, None]
            matrix_scale = 2 * matrix_scale + torch.log(size)
    return row.squeeze(-2), log_scale


def _log_success(log_success: Tensor, failure: Tensor) -> Tensor:
    """log J from whichever form keeps its digits."""
    likely = failure < ONE_HALF
    return torch.where(likely, torch.log1p(-torch.where(likely, failure, ONE_HALF)), log_success)


def _powers(base: Tensor, count: int) -> Tensor:
    """base^0 .. base^(count-1) along the last dimension, which has size 1 in `base`."""
    powers, step = torch.ones_like(base), base
    while powers.shape[-1] < count:
        powers = torch.cat([powers, powers * step], dim=-1)
        step = step * step
    return powers[..., :count]


def _ceil_sqrt(count: Tensor) -> Tensor:
    """ceil(sqrt(count)), exactly: float64 roots are correctly rounded."""
    return torch.ceil(torch.sqrt(count.double())).long()
