"""The shared frontier: one search tree for all members of an ensemble, whose tactics stand in one queue.

Every state is offered to every member's policy, whose temperature calibrates it (search.calibration): above 1 where it
is too sure of itself. What several suggest counts as likely as the surest of them has it. So any strategy searches with
all policies as with one, and its frontier is the members' common one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from search.budget import SearchResult, SearchStatus
from search.calibration import calibrated, log_sum
from search.ensemble import EnsembleResult
from search.policy import MeteredPolicy, Policy, Suggestion, Use


@dataclass(frozen=True)
class SummedUse:
    """What the models of several policies did, as search.policy.Use."""

    calls: int
    tokens: int
    flops: int


class Mixture:
    """A search.policy.Policy of several policies, each with its temperature.

    Raises ValueError without policies, for a temperature that is no number above 0, and where there is not one
    temperature for each policy.
    """

    def __init__(self, policies: Sequence[Policy], temperatures: Sequence[float]) -> None:
        if not policies or len(policies) != len(temperatures):
            raise ValueError(f"there are {len(policies)} policies and {len(temperatures)} temperatures")
        if not all(0 < temperature < float("inf") for temperature in temperatures):
            raise ValueError(f"temperatures are numbers above 0; they are {', '.join(map(str, temperatures))}")
        self._policies, self._temperatures = policies, temperatures
        self._origins: dict[tuple[str, str], int] = {}  # (state, tactic) -> the place of the policy that was surest
        self._log_sums: dict[tuple[str, int], float] = {}  # (state, the policy's place) -> what calibration divides by

    @property
    def use(self) -> SummedUse:
        """Of all models."""
        uses = [policy.use for policy in self._policies if isinstance(policy, MeteredPolicy)]
        return SummedUse(sum(u.calls for u in uses), sum(u.tokens for u in uses), sum(u.flops for u in uses))

    async def suggest(self, state: str, n: int) -> Sequence[Suggestion]:
        """At most `n` different tactics of all policies, likeliest first after calibration."""
        answers = await asyncio.gather(*(policy.suggest(state, n) for policy in self._policies))
        best: dict[str, tuple[float, int]] = {}
        for place, suggestions in enumerate(answers):
            for each in self._calibrated(state, place, suggestions):
                if each.tactic not in best or each.log_prob > best[each.tactic][0]:
                    best[each.tactic] = each.log_prob, place
        likeliest = sorted(best.items(), key=lambda item: (-item[1][0], item[1][1]))[:n]
        self._origins |= {(state, tactic): place for tactic, (_, place) in likeliest}
        return [Suggestion(tactic, log_prob) for tactic, (log_prob, _) in likeliest]

    def _calibrated(self, state: str, place: int, suggestions: Sequence[Suggestion]) -> Sequence[Suggestion]:
        """What the policy at `place` suggests for `state`, as likely as its temperature has it.

        The sum is that of the first request: a tactic stays as likely however many are listed later.
        """
        temperature = self._temperatures[place]
        if temperature == 1:
            return suggestions
        if (state, place) not in self._log_sums:
            self._log_sums[state, place] = log_sum([each.log_prob for each in suggestions], temperature)
        total = self._log_sums[state, place]
        return [Suggestion(each.tactic, calibrated(each.log_prob, temperature, total)) for each in suggestions]

    def shares(self, result: SearchResult) -> EnsembleResult:
        """The search as one for each policy: the expansions of its tactics, and what its model did.

        All have the one tree, and its wall time. The proof is whose policy was surest of its last tactic.
        """
        tree, spent = result.tree, result.spent
        origins = [self._origins[edge.source.text, edge.tactic] for edge in tree.edges]
        shares = []
        for place, policy in enumerate(self._policies):
            own = [lean_s for lean_s, origin in zip(tree.lean_s, origins, strict=True) if origin == place]
            use: Use = policy.use if isinstance(policy, MeteredPolicy) else SummedUse(0, 0, 0)
            share = replace(
                spent,
                expansions=len(own),
                model_calls=use.calls,
                model_tokens=use.tokens,
                flops=use.flops,
                lean_s=sum(own),
                policy_s=spent.policy_s / len(self._policies),
            )
            if result.proof is None or origins[-1] == place:
                shares.append(replace(result, spent=share))
            else:
                shares.append(SearchResult(SearchStatus.STOPPED, None, tree, share))
        return EnsembleResult(tuple(shares))
