"""Training objectives: what the log-probabilities of demonstrated tactics are worth to the search that will run.

An objective is -log J of a trace, with J the chance that a search of budget N finds it. Its gradient is that of a
weighted cross-entropy, sum_t w_t grad(-log p_t) with w_t = d log J / d log p_t, so it can be trained in two ways that
give the same gradient: differentiate `Objective.loss`, or call the objective and give its weights to
`weighted_cross_entropy`. Never differentiate the weights.

This module knows nothing of models and tokens. It takes log-probabilities [traces, L], each of one whole tactic (the
sum over its tokens, the end token included), with a mask of the same shape that is True on the tactics of each trace
and False on the padding behind them. Long targets have p ~ 0, where every objective is cross-entropy in disguise:
coverage is alive per tactic, not per long proof.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

from train.operators import coverage_log_success, coverage_weight, majority_log_success, majority_weight
from train.recurrences import (
    Backtrack,
    backtracking_log_success,
    levin_backtrack,
    mcts_least_expansions,
    mcts_log_success,
    retry,
    uniform_backtrack,
)

TABLE = 2  # dimensions of [traces, L]
EPSILON = 0.1
"""The weight under which an example is dead (arXiv 2502.07154), and the floor of a batch's mean weight."""


@dataclass(frozen=True)
class Weighted:
    """What an objective says of a batch; neither carries a gradient.

    `weights` [traces, L], 0 on padding, belong to each tactic's cross-entropy; `loss` [traces] is -log J, in nats.
    """

    weights: Tensor
    loss: Tensor


class Objective(ABC):
    """Maps the log-probabilities of traces to weights and losses."""

    needs_traces: ClassVar[bool] = True
    """Whether a tactic's weight depends on the rest of its trace; if not, tactics can be traces of their own."""

    def __call__(self, log_probs: Tensor, mask: Tensor) -> Weighted:
        """The weights and losses of traces [traces, L], in the type of `log_probs`, computed in float64.

        Raises ValueError for log-probabilities that are not float32 or float64 numbers of at most 0, for a mask that
        is not a run of True in front, and for traces that the objective does not reach.
        """
        weights, loss = self._weigh(self._checked(log_probs.detach(), mask), mask)
        return Weighted(weights.to(log_probs.dtype), loss.to(log_probs.dtype))

    def loss(self, log_probs: Tensor, mask: Tensor) -> Tensor:
        """The losses [traces], to be differentiated. Raises as a call does."""
        return -self._log_success(self._checked(log_probs, mask), mask).to(log_probs.dtype)

    def reaches(self, lengths: Tensor) -> Tensor:
        """Which traces, by their number of tactics, have J > 0; others must be left out of the batch."""
        return torch.ones_like(lengths, dtype=torch.bool)

    @abstractmethod
    def _log_success(self, log_probs: Tensor, mask: Tensor) -> Tensor:
        """log J [traces], differentiable; `log_probs` is checked, float64 and 0 on padding."""

    def _weigh(self, log_probs: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Weights and losses by differentiation."""
        with torch.enable_grad():
            leaf = log_probs.clone().requires_grad_()
            log_success = self._log_success(leaf, mask)
            (weights,) = torch.autograd.grad(log_success.sum(), leaf)
        return torch.where(mask, weights, 0.0), -log_success.detach()

    def _checked(self, log_probs: Tensor, mask: Tensor) -> Tensor:
        if log_probs.dtype not in (torch.float32, torch.float64):
            raise ValueError(f"log_probs must be float32 or float64; they are {log_probs.dtype}: sum tokens in float32")
        if (
            log_probs.dim() != TABLE
            or not log_probs.numel()
            or mask.shape != log_probs.shape
            or mask.dtype != torch.bool
        ):
            raise ValueError(
                f"needs log_probs [traces, L] and a bool mask of their shape; "
                f"they are {tuple(log_probs.shape)}, and {tuple(mask.shape)} of {mask.dtype}"
            )
        if not bool(mask[:, 0].all()) or bool((mask[:, 1:] & ~mask[:, :-1]).any()):
            raise ValueError("every row of the mask must begin with the trace's tactics, at least one, and no gaps")
        masked = torch.where(mask, log_probs, 0.0).double()
        if not bool(((masked <= 0) & (masked > -torch.inf)).all()):
            raise ValueError(
                "log_probs must be finite and at most 0; a sum of log-probabilities is neither NaN nor > 0"
            )
        lengths = mask.sum(1)
        if not bool((reached := self.reaches(lengths)).all()):
            length = int(lengths[~reached].min())
            raise ValueError(f"{self} never finds a trace of {length} tactics; raise n, or leave such traces out")
        return masked


@dataclass(frozen=True)
class CrossEntropy(Objective):
    """-log of the trace's probability: every weight is 1."""

    needs_traces: ClassVar[bool] = False

    def _log_success(self, log_probs: Tensor, mask: Tensor) -> Tensor:
        return log_probs.sum(1)

    def _weigh(self, log_probs: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        return mask.double(), -log_probs.sum(1)


@dataclass(frozen=True)
class Coverage(Objective):
    """Coverage of each tactic by N_eff samples of its state (DCO per step, arXiv 2502.07154).

    Every tactic is its own example; a trace's loss is the sum of its tactics' losses. N_eff, real, is about the number
    of tactics over which the model spreads its mass at a state: k tactics then need about N_eff^k expansions. It is
    best-of-N too, when the demonstrated tactic is the best one (CAT, arXiv 2604.24957).
    """

    needs_traces: ClassVar[bool] = False
    n: float

    def _log_success(self, log_probs: Tensor, mask: Tensor) -> Tensor:
        return coverage_log_success(log_probs, self.n).sum(1)

    def _weigh(self, log_probs: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        weights = torch.where(mask, coverage_weight(log_probs, self.n), 0.0)
        return weights, -self._log_success(log_probs, mask)


@dataclass(frozen=True)
class UniformAllocation(Objective):
    """N samples shared alike by a trace's L tactics: coverage with N_eff = N/L, per trace. At N = L it is CE."""

    n: float

    def reaches(self, lengths: Tensor) -> Tensor:
        """Whether each tactic gets at least one sample."""
        return lengths <= self.n

    def _log_success(self, log_probs: Tensor, mask: Tensor) -> Tensor:
        return coverage_log_success(log_probs, self._share(mask)).sum(1)

    def _weigh(self, log_probs: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        weights = torch.where(mask, coverage_weight(log_probs, self._share(mask)), 0.0)
        return weights, -self._log_success(log_probs, mask)

    def _share(self, mask: Tensor) -> Tensor:
        return self.n / mask.sum(1, keepdim=True).double()


@dataclass(frozen=True)
class PassAtN(Objective):
    """N rollouts of the whole trace: coverage of the product of its probabilities, one weight for all its tactics.

    With traces of one target each this is DCO of whole answers.
    """

    n: float

    def _log_success(self, log_probs: Tensor, mask: Tensor) -> Tensor:
        return coverage_log_success(log_probs.sum(1), self.n)

    def _weigh(self, log_probs: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        weights = mask * coverage_weight(log_probs.sum(1, keepdim=True), self.n)
        return weights, -self._log_success(log_probs, mask)


@dataclass(frozen=True)
class Majority(Objective):
    """At least `threshold` of N samples of each tactic's state are that tactic (CAT, arXiv 2604.24957).

    Every tactic is its own example. The weights reach up to the threshold, at p -> 0.
    """

    needs_traces: ClassVar[bool] = False
    n: float
    threshold: int

    def __post_init__(self) -> None:
        if not _whole(self.n) >= self.threshold:
            raise ValueError(f"threshold must be at most n; it is {self.threshold} and n is {self.n:g}")

    def _log_success(self, log_probs: Tensor, mask: Tensor) -> Tensor:
        return majority_log_success(log_probs, _whole(self.n), self.threshold).sum(1)

    def _weigh(self, log_probs: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        weights = torch.where(mask, majority_weight(log_probs, _whole(self.n), self.threshold), 0.0)
        return weights, -self._log_success(log_probs, mask)


@dataclass(frozen=True)
class SearchRecurrence(Objective):
    """A search of N expansions, one expansion being one tactic sampled and checked; see `train.recurrences`.

    The prior on what a miss costs: kappa expansions each, so that N of them leave room for floor((N - L) / kappa)
    misses, and `absorption` q, the chance that a miss loses the search.
    """

    n: float
    kappa: float
    absorption: float

    def __post_init__(self) -> None:
        _whole(self.n)

    def reaches(self, lengths: Tensor) -> Tensor:
        """Whether there are expansions enough when no tactic misses."""
        return lengths <= self.n

    def expansions(self, lengths: Tensor) -> Tensor:
        """N_eff = L + (N - L) / kappa, rounded down, for traces of these lengths."""
        return lengths + torch.floor((self.n - lengths).double() / self.kappa).long()


@dataclass(frozen=True)
class BestFirst(SearchRecurrence):
    """The retry surrogate of best-first search, which is that of depth-first search too. At N = L it is CE."""

    def _log_success(self, log_probs: Tensor, mask: Tensor) -> Tensor:
        return self._backtracking(log_probs, mask, retry)

    def _backtracking(self, log_probs: Tensor, mask: Tensor, backtrack: Backtrack) -> Tensor:
        lengths = mask.sum(1)
        return backtracking_log_success(log_probs, lengths, self.expansions(lengths), backtrack, self.absorption)


@dataclass(frozen=True)
class RandomisedDepthFirst(BestFirst):
    """A miss goes back to a state of the path, all alike."""

    def _log_success(self, log_probs: Tensor, mask: Tensor) -> Tensor:
        return self._backtracking(log_probs, mask, uniform_backtrack)


@dataclass(frozen=True)
class ValueDepthFirst(BestFirst):
    """A miss goes back to a state of the path in proportion to its Levin score."""

    def _log_success(self, log_probs: Tensor, mask: Tensor) -> Tensor:
        return self._backtracking(log_probs, mask, levin_backtrack)


@dataclass(frozen=True)
class MonteCarloTreeSearch(SearchRecurrence):
    """Progressive widening on the trace. Widening costs expansions: N must exceed L, by about L^2 / 4 for long ones."""

    def reaches(self, lengths: Tensor) -> Tensor:
        """Whether there are expansions enough for the path and for what widening takes."""
        least = torch.tensor(mcts_least_expansions(int(lengths.max())), device=lengths.device)
        return (lengths <= self.n) & (self.expansions(lengths) >= least[lengths])

    def _log_success(self, log_probs: Tensor, mask: Tensor) -> Tensor:
        lengths = mask.sum(1)
        return mcts_log_success(log_probs, lengths, self.expansions(lengths), self.absorption)


@dataclass(frozen=True)
class ObjectiveOptions:
    """What an objective can be given: N (a budget or N_eff), the prior on misses, the threshold of a majority.

    Raises ValueError for n below 1, kappa below 1, absorption outside [0, 1) and threshold below 1.
    """

    n: float = 1.0
    kappa: float = 1.0
    absorption: float = 0.0
    threshold: int = 1

    def __post_init__(self) -> None:
        for name in ("n", "kappa", "threshold"):
            if not 1 <= (value := getattr(self, name)) < math.inf:
                raise ValueError(f"{name} must be a number of at least 1; it is {value:g}")
        if not 0 <= self.absorption < 1:
            raise ValueError(f"absorption must lie in [0, 1); it is {self.absorption:g}")


Factory = Callable[[ObjectiveOptions], Objective]


def _factory(name: str, kind: Callable[..., Objective], *taken: str) -> tuple[str, Factory]:
    """Under `name`, what makes an objective from the options it takes, and refuses others that were set."""

    def make(options: ObjectiveOptions) -> Objective:
        for option in fields(options):
            if option.name not in taken and getattr(options, option.name) != option.default:
                raise ValueError(f"the objective {name} takes no {option.name}; leave it out")
        return kind(**{option: getattr(options, option) for option in taken})

    return name, make


_SEARCH = ("n", "kappa", "absorption")

OBJECTIVES: Mapping[str, Factory] = MappingProxyType(
    dict(
        [
            _factory("ce", CrossEntropy),
            _factory("coverage", Coverage, "n"),
            _factory("uniform", UniformAllocation, "n"),
            _factory("pass-at-n", PassAtN, "n"),
            _factory("best-of-n", Coverage, "n"),
            _factory("majority", Majority, "n", "threshold"),
            _factory("best-first", BestFirst, *_SEARCH),
            _factory("depth-first", BestFirst, *_SEARCH),
            _factory("randomised-depth-first", RandomisedDepthFirst, *_SEARCH),
            _factory("value-depth-first", ValueDepthFirst, *_SEARCH),
            _factory("mcts", MonteCarloTreeSearch, *_SEARCH),
        ]
    )
)
"""Objectives by name. A factory raises ValueError for an option that is set and that its objective does not take."""


def weighted_cross_entropy(log_probs: Tensor, weights: Tensor) -> Tensor:
    """sum_t w_t (-log p_t) of each trace [traces], with the gradient stopped at the weights [traces, L]."""
    return -(weights.detach() * log_probs).sum(-1)


def rl_weights(objective: Objective, log_probs: Tensor, mask: Tensor) -> Tensor:
    """dJ/dp_t = w_t J / p_t [traces, L], 0 on padding: what reaching a proof is worth to each tactic of the trace.

    In the type of `log_probs`, computed in float64: J rounded to float32 would be off by as much as its logarithm is
    large. Raises as the objective does. For one operator on one probability see `train.operators`, which also has the
    estimators from samples.
    """
    exact = torch.where(mask, log_probs.detach(), 0.0).double()
    weighted = objective(exact, mask)
    scaled = weighted.weights * torch.exp(-weighted.loss.unsqueeze(-1) - exact)
    return torch.where(mask, scaled, 0.0).to(log_probs.dtype)


def live(weights: Tensor, mask: Tensor, epsilon: float = EPSILON) -> Tensor:
    """Which tactics [traces, L] carry a gradient worth a place in the batch: those of weight at least `epsilon`.

    The others are to be dropped, and replaced by further examples until the batch is full.
    """
    return mask & (weights >= epsilon)


def normalised(
    weights: Tensor, mask: Tensor, floor: float = EPSILON, total: Callable[[Tensor], Tensor] = lambda sums: sums
) -> Tensor:
    """Weights [prompts, ...] over their mean across the prompts of the batch, that mean taken to be at least `floor`.

    Dead examples count in the mean. Where all weights are near zero, dividing by their mean would bring full
    cross-entropy back, and with it the overconfidence that they guard against. Where several processes hold parts of a
    batch, `total` adds up a tensor over them. Raises ValueError unless floor > 0.
    """
    if not floor > 0:
        raise ValueError(f"floor must be positive; it is {floor:g}")
    weight, count = total(torch.stack([torch.where(mask, weights, 0.0).sum(), mask.sum().to(weights.dtype)]))
    return torch.where(mask, weights / (weight / count.clamp(min=1)).clamp(min=floor), 0.0)


def _whole(n: float) -> int:
    """N as the whole number of samples or expansions that a majority or a search counts."""
    if not float(n).is_integer():
        raise ValueError(f"n must be a whole number for an objective that counts; it is {n:g}")
    return int(n)
