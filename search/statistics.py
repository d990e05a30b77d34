"""Figures of comparisons: intervals, pass@k, paired tests. Knows nothing of searches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import binomtest

Z95 = 1.959963984540054  # two-sided 95 % of the normal distribution


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval, all in the unit of the estimate."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{100 * self.value:.1f} [{100 * self.low:.1f}, {100 * self.high:.1f}]"


def wilson(successes: float, trials: int) -> Interval:
    """A share with Wilson's score interval (Wilson 1927). Raises ValueError without trials.

    `successes` may be a sum of shares, one a trial: no share in [0, 1] varies more than a trial that succeeds or fails
    with the same mean, so the interval is then on the safe side.
    """
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"no share of {successes} in {trials}")
    share, spread = successes / trials, Z95**2 / trials
    centre = (share + spread / 2) / (1 + spread)
    half = Z95 / (1 + spread) * math.sqrt(share * (1 - share) / trials + spread / (4 * trials))
    return Interval(share, max(0.0, centre - half), min(1.0, centre + half))


def pass_at_k(samples: int, successes: int, k: int) -> float:
    """Unbiased chance that one of `k` draws succeeds, from `successes` among `samples`: 1 - C(n-c, k) / C(n, k).

    Chen et al. 2021, equation 1. Raises ValueError for k outside 1..samples.
    """
    if not 1 <= k <= samples or not 0 <= successes <= samples:
        raise ValueError(f"pass@{k} is not defined for {successes} successes among {samples} samples")
    return 1 - math.prod(1 - k / n for n in range(samples - successes + 1, samples + 1))


@dataclass(frozen=True)
class Paired:
    """Two methods on the same theorems: on how many the first does better, and on how many the second.

    `difference` is that of the means with its 95 % interval, `p_value` that of the exact two-sided McNemar test.
    """

    gained: int
    lost: int
    difference: Interval
    p_value: float


def paired(first: Sequence[float], second: Sequence[float]) -> Paired:
    """Compare two methods theorem by theorem, each given as whether it proves the theorem or in which share of seeds.

    The interval is Σd/n ± 1.96 √Σd² / n over the differences d, which for proofs without shares is the usual
    (b - c)/n ± 1.96 √(b + c)/n of McNemar tables; Σd² counts as 1 at least, since a comparison in which no theorem
    differs does not show that none ever does. With shares the test is the sign test over theorems, its
    generalisation. Raises ValueError when the lengths differ or there are no theorems.
    """
    if len(first) != len(second) or not first:
        raise ValueError(f"cannot pair {len(first)} theorems with {len(second)}")
    differences = [float(a) - float(b) for a, b in zip(first, second, strict=True)]
    gained, lost = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    n = len(differences)
    middle, half = sum(differences) / n, Z95 * math.sqrt(max(1.0, sum(d * d for d in differences))) / n
    p_value = float(binomtest(gained, gained + lost, 0.5).pvalue) if gained + lost else 1.0
    difference = Interval(middle, max(-1.0, middle - half), min(1.0, middle + half))
    return Paired(gained, lost, difference, p_value)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values adjusted for there being several of them, in their order (Holm 1979).

    The i-th smallest of m becomes the largest of (m - j + 1) p_j over j <= i, at most 1: rejecting what is below a
    level then errs with at most that chance in all of them together.
    """
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted
