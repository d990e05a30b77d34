"""The temperature at which a policy is as sure as it is right, fitted to held-out proofs (search.calibration has it).

Temperature scaling (Guo et al. 2017, arXiv 1706.04599): the one that makes the tactics which the proofs applied
likeliest, where those that the policy does not list are one class together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.optimize import minimize_scalar

from search.calibration import calibrated, left, log_sum

COLDEST, HOTTEST = 1 / 16, 16.0  # the temperatures between which one is looked for
PRECISION = 1e-4  # of the logarithm of the temperature
LEAST_LEFT = 1e-6  # what rounding in single precision can take from a probability that is left, or add to it


@dataclass(frozen=True)
class Answer:
    """What a policy lists in a state, as log-probabilities (natural, at most 0), and what proofs applied there.

    `applied` has one place in `log_probs` for each proof that went through the state, None for what is not listed.
    """

    log_probs: tuple[float, ...]
    applied: tuple[int | None, ...]


@dataclass(frozen=True)
class Fit:
    """A temperature, and the loss (nats a state) with it and without, which is at temperature 1."""

    temperature: float
    before: float
    after: float

    @property
    def at_bound(self) -> bool:
        """Whether a temperature beyond those that were looked at might do better."""
        return self.temperature in (COLDEST, HOTTEST)


def fitted(answers: Sequence[Answer]) -> Fit:
    """The temperature of the least loss: 1 where none is better. Raises ValueError without answers."""
    if not answers:
        raise ValueError("there is no answer to fit a temperature to")
    # The loss is convex in 1 / T, so it has one valley in log T. The search does not try the bounds themselves.
    bounds = math.log(COLDEST), math.log(HOTTEST)
    found = minimize_scalar(
        lambda log_t: loss(answers, math.exp(log_t)), bounds=bounds, method="bounded", options={"xatol": PRECISION}
    )
    losses = {t: loss(answers, t) for t in (1.0, COLDEST, HOTTEST, math.exp(found.x))}
    best = min(losses, key=losses.__getitem__)  # the first of equal ones
    return Fit(best, losses[1.0], losses[best])


def loss(answers: Sequence[Answer], temperature: float) -> float:
    """The mean over states of -log p of what was applied there, calibrated; in nats. Proofs of a state weigh alike.

    What is not listed has the probability that is left, at least LEAST_LEFT: to a policy that leaves nothing, or less
    by rounding, one such tactic would be an infinite loss at every temperature.
    """
    return math.fsum(_loss(answer, temperature) for answer in answers) / len(answers)


def _loss(answer: Answer, temperature: float) -> float:
    total = log_sum(answer.log_probs, temperature, LEAST_LEFT)
    rest = math.log(max(left(answer.log_probs), LEAST_LEFT))
    logs = (rest if place is None else answer.log_probs[place] for place in answer.applied)
    return -math.fsum(calibrated(log_prob, temperature, total) for log_prob in logs) / len(answer.applied)
