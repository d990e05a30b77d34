"""Adaptive scheduling: what a theorem's members may spend is settled after their first few expansions.

Compute-optimal allocation (arXiv 2408.03314). Every theorem begins with a pilot, the same few expansions for each
member. What the first tactics of each come to gives the chance that the theorem is proved at all; by that chance
theorems fall into bins, and each bin has its quotas, the expansions that each member may spend, pilot included. All is
learned from theorems that every member was recorded on alone. The number of bins is chosen by cross-validation. Where
the pilot tells less than it costs there is one bin and no pilot: the best fixed split, which may leave members out.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from search.ensemble import Choose, Lane, in_turn
from search.tree import Node

BINS, FOLDS = (1, 2, 3, 5), 5
PENALTY = 1.0  # of the squared coefficients, each feature being scaled by its spread: keeps a fit on few theorems tame

# A tactic that a member tried: its log-probability, and the state that it led to (None: none, it failed).
Tried = tuple[float, Hashable | None]
Features = tuple[float, ...]
Quotas = tuple[int, ...]  # expansions by member
FEATURES = 3


def features(members: Iterable[Iterable[Tried]], pilot: int) -> Features:
    """What a theorem looks like by the first `pilot` different tactics that each member tried on it.

    The share that Lean took, different states per tactic, mean log-probability. What a tactic cost does not count: it
    costs a member nothing that another has tried it before, and the schedule is learned from members alone.
    """
    tried = [each for member in members for each in islice(member, pilot)]
    states = [state for _, state in tried if state is not None]
    count = max(1, len(tried))
    return len(states) / count, len(set(states)) / count, sum(log_prob for log_prob, _ in tried) / count


@dataclass(frozen=True)
class Recorded:
    """One theorem with every member alone: the features of the pilot, and the expansions until each one's proof.

    `proved_at` has inf for a member that found none.
    """

    features: Features
    proved_at: tuple[float, ...]


@dataclass(frozen=True)
class Schedule:
    """What was learned. `thresholds` part the bins by the chance of a proof, rising; `quotas` are the bins'.

    The chance is 1 / (1 + exp(-z)), z the last coefficient plus the sum of the others times their features. A `pilot`
    of 0 goes with one bin.
    """

    pilot: int
    coefficients: tuple[float, ...]
    thresholds: tuple[float, ...]
    quotas: tuple[Quotas, ...]

    def __post_init__(self) -> None:
        """Raises ValueError where the parts do not fit together."""
        widths = {len(quotas) for quotas in self.quotas}
        if (
            len(self.coefficients) != FEATURES + 1
            or len(self.quotas) != len(self.thresholds) + 1
            or len(widths) != 1
            or not min(map(min, self.quotas)) >= self.pilot >= (len(self.quotas) > 1)
            or not min(map(sum, self.quotas)) >= 1
            or not all(map(math.isfinite, (*self.coefficients, *self.thresholds)))
            or list(self.thresholds) != sorted(self.thresholds)
        ):
            raise ValueError("coefficients, thresholds, quotas and pilot of a schedule do not fit together")

    def quota(self, seen: Features) -> Quotas:
        """The quotas of a theorem whose pilot has the features `seen`."""
        *slopes, constant = self.coefficients
        chance = float(expit(constant + sum(s * f for s, f in zip(slopes, seen, strict=True))))
        return self.quotas[sum(chance > threshold for threshold in self.thresholds)]

    @property
    def idle(self) -> frozenset[int]:
        """The places of members that no theorem gives anything."""
        return frozenset(place for place, quotas in enumerate(zip(*self.quotas, strict=True)) if not any(quotas))

    def without_idle(self) -> Schedule:
        """The same for the members that are left when the idle ones are taken out."""
        return replace(self, quotas=tuple(tuple(quota for quota in quotas if quota) for quotas in self.quotas))

    @property
    def most(self) -> int:
        """The most that one theorem may spend."""
        return max(map(sum, self.quotas))

    def choose(self) -> Choose:
        """Whose turn it is on one theorem: after the pilot, members spend in proportion to their quotas."""
        quotas: Quotas = ()

        def next_lane(lanes: Sequence[Lane]) -> Lane | None:
            nonlocal quotas
            if early := [lane for lane in lanes if lane.going and lane.expansions < self.pilot]:
                return in_turn(early)
            quotas = quotas or self.quota(features(map(_tried, lanes), self.pilot))
            open_lanes = [lane for lane in lanes if lane.going and lane.expansions < quotas[lane.place]]
            return min(
                open_lanes,
                key=lambda lane: (lane.expansions + 1 - self.pilot) / (quotas[lane.place] - self.pilot),
                default=None,
            )

        return next_lane


def _tried(lane: Lane) -> Iterable[Tried]:
    return ((e.log_prob, e.outcome.text if isinstance(e.outcome, Node) else None) for e in lane.tried)


# ---- learning


def learn(theorems: Sequence[Recorded], budget: int, pilot: int, limit: int) -> Schedule:
    """The schedule that proves most of `theorems` with `budget` expansions a theorem on average, all members together.

    `pilot` is that of schedules with several bins, which are tried where the budget pays for it; `limit` is what each
    member was recorded up to. Raises ValueError without theorems, where none was proved, and for a pilot or a budget
    that is no number from 1 on, the pilot at most the limit.
    """
    members = len(theorems[0].proved_at) if theorems else 0
    if not members or budget < 1 or not 1 <= pilot <= limit:
        raise ValueError(
            f"{len(theorems)} recorded theorems with {members} members, a budget of {budget} and a pilot of {pilot}"
            f" of {limit} expansions give no schedule"
        )
    if not any(map(math.isfinite, (at for one in theorems for at in one.proved_at))):
        raise ValueError(f"none of the {len(theorems)} theorems was proved by any member: that tells nothing")

    def held_out(bins: int) -> int:
        """Proved in all folds, each with what was learned from the others."""
        proved = 0
        for fold in range(FOLDS):
            test = theorems[fold::FOLDS]
            train = [one for place, one in enumerate(theorems) if place % FOLDS != fold]
            if train and test:
                proved += _proved(_fit(train, bins, budget, pilot, limit), test, budget)
        return proved

    affordable = [bins for bins in BINS if bins == 1 or pilot * members <= budget]
    return _fit(theorems, max(affordable, key=held_out), budget, pilot, limit)  # of equally good ones the fewest bins


def _proved(schedule: Schedule, theorems: Sequence[Recorded], budget: int) -> int:
    """How many a schedule proves, one after the other: each has `budget`, and what those before it have left over."""
    proved, pot = 0, 0.0
    for one in theorems:
        success, cost = _run(np.array([one.proved_at], float), schedule.quota(one.features), schedule.pilot)
        proved += bool(success and cost <= budget + pot)
        pot = max(0.0, pot + budget - cost)
    return proved


def _fit(theorems: Sequence[Recorded], bins: int, budget: int, pilot: int, limit: int) -> Schedule:
    seen = np.array([one.features for one in theorems], float)
    proved_at = np.array([one.proved_at for one in theorems], float)
    coefficients = _logistic(seen, np.isfinite(proved_at).any(axis=1))
    chances = expit(seen @ coefficients[:-1] + coefficients[-1])
    thresholds = _thresholds(chances, bins)
    places = (chances[:, None] > thresholds).sum(axis=1)
    groups = [proved_at[places == place] for place in range(len(thresholds) + 1)]
    pilot = pilot if len(thresholds) else 0
    quotas = _allocate(groups, budget * len(theorems), pilot, limit)
    return Schedule(pilot, tuple(map(float, coefficients)), tuple(map(float, thresholds)), quotas)


def _thresholds(chances: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    """What parts the chances into at most `bins` of about as many; none is empty, where chances are equal.

    Each is between two chances and away from both, as the rounding of a search is not that of learning.
    """
    distinct = np.unique(chances.round(9))
    above = np.searchsorted(distinct, np.quantile(chances.round(9), np.arange(1, bins) / bins), side="right")
    inside = np.unique(above[above < len(distinct)])
    return (distinct[inside - 1] + distinct[inside]) / 2


def _logistic(seen: NDArray[np.float64], proved: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Coefficients of the features, and the constant, of a ridge logistic regression."""
    middle, spread = seen.mean(axis=0), seen.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    scaled, signs = (seen - middle) / spread, np.where(proved, 1.0, -1.0)

    def loss(w: NDArray[np.float64]) -> float:
        margins = signs * (scaled @ w[:-1] + w[-1])
        return float(np.logaddexp(0, -margins).sum() + PENALTY * (w @ w) / 2)

    slopes_and_constant = minimize(loss, np.zeros(seen.shape[1] + 1)).x
    slopes = slopes_and_constant[:-1] / spread
    return np.append(slopes, slopes_and_constant[-1] - slopes @ middle)


def _allocate(groups: Sequence[NDArray[np.float64]], expansions: float, pilot: int, limit: int) -> tuple[Quotas, ...]:
    """Quotas by bin for the theorems of each, from `proved_at` by theorem and member, that cost `expansions` in all.

    Two climbs, of which the one that proves more counts: from the pilot alone, and from the best single member. The
    first misses a member that proves little with few expansions and most with many.
    """
    first, members = max(1, pilot), groups[0].shape[1]
    rungs = sorted(
        {min(limit, round(first * 2 ** (step / 2))) for step in range(2 * (limit // first).bit_length() + 1)}
    )

    def cost_and_proved(quotas: Quotas) -> tuple[float, int]:
        runs = [_run(group, quotas, pilot) for group in groups]
        return sum(cost for _, cost in runs), sum(proved for proved, _ in runs)

    least = (pilot,) * members
    alone = [(*least[:member], rung, *least[member + 1 :]) for member in range(members) for rung in rungs]
    priced = {quotas: cost_and_proved(quotas) for quotas in alone}
    best = max(
        (quotas for quotas in alone if priced[quotas][0] <= expansions),
        key=lambda quotas: (priced[quotas][1], -priced[quotas][0]),
    )
    climbs = [_climb([start] * len(groups), groups, expansions, pilot, rungs) for start in (least, best)]
    return max((climb for climb in climbs if any(map(any, climb[1]))), key=lambda climb: climb[0])[1]


def _climb(
    quotas: list[Quotas],
    groups: Sequence[NDArray[np.float64]],
    expansions: float,
    pilot: int,
    rungs: Sequence[int],
) -> tuple[tuple[int, float], tuple[Quotas, ...]]:
    """Greedy by proofs per expansion: of all raises of a quota, the one that gains most for its cost, until none fits.

    Returns what is proved and minus what that costs, and the quotas.
    """
    now = [_run(group, quota, pilot) for group, quota in zip(groups, quotas, strict=True)]
    left = expansions - sum(cost for _, cost in now)
    while True:
        best, best_rate = None, 0.0
        for place, group in enumerate(groups):
            for member in range(group.shape[1]):
                for rung in rungs:
                    if rung > quotas[place][member]:
                        raised = (*quotas[place][:member], rung, *quotas[place][member + 1 :])
                        proved, cost = _run(group, raised, pilot)
                        gain, price = proved - now[place][0], cost - now[place][1]
                        rate = gain / max(price, 1e-9)
                        if price <= left and rate > best_rate:
                            best, best_rate = (place, raised, (proved, cost)), rate
        if best is None:
            return (sum(proved for proved, _ in now), left - expansions), tuple(quotas)
        place, quotas[place], outcome = best
        left -= outcome[1] - now[place][1]
        now[place] = outcome


def _run(proved_at: NDArray[np.float64], quotas: Quotas, pilot: int) -> tuple[int, float]:
    """Theorems proved, and what all of them cost, when members spend in turn and then in proportion to their quotas."""
    members, extra = len(quotas), np.array(quotas) - pilot
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(proved_at <= np.array(quotas), np.maximum(proved_at - pilot, 0) / np.maximum(extra, 1), np.inf)
    first = share.min(axis=1, initial=np.inf)
    in_pilot = np.minimum(proved_at.min(axis=1, initial=np.inf), pilot) * members
    cost = in_pilot + np.where(first > 0, np.minimum(first, 1.0), 0.0) * extra.sum()
    return int(np.isfinite(first).sum()), float(cost.sum())
