"""Calibration: how likely the tactics count that a policy lists in a state, at a temperature T.

Each probability p becomes p ** (1 / T), that of all that it does not list being one more, divided by their sum: the
temperature scaling of Guo et al. 2017 (arXiv 1706.04599), for classes that are not all known. Above 1 it lowers what
the policy is sure of and raises the rest, and it keeps their order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def left(log_probs: Sequence[float]) -> float:
    """The probability of what is not listed beside tactics of `log_probs` (natural logarithms).

    Rounding can make it a little less than 0 where a policy lists all that it has.
    """
    return 1 - math.fsum(map(math.exp, log_probs))


def log_sum(log_probs: Sequence[float], temperature: float, least_left: float = 0.0) -> float:
    """The logarithm of Σ p ** (1 / temperature) over the tactics listed and the mass that is left, where any is.

    What is left counts as `least_left` at least.
    """
    logs = [log_prob / temperature for log_prob in log_probs]
    if (rest := max(left(log_probs), least_left)) > 0:
        logs.append(math.log(rest) / temperature)
    top = max(logs)
    return top + math.log(math.fsum(math.exp(log - top) for log in logs))


def calibrated(log_prob: float, temperature: float, log_sum: float) -> float:
    """The logarithm of p ** (1 / temperature) / exp(`log_sum`): at most 0, which rounding could go beyond."""
    return min(0.0, log_prob / temperature - log_sum)
