"""A policy without a model: a fixed set of core tactics, chosen by what the goal looks like."""

from __future__ import annotations

import math
from collections.abc import Sequence

from search.policy import Suggestion

ALWAYS = ("omega", "grind", "simp", "simp_all", "decide", "intros", "constructor", "rfl")


class Portfolio:
    """Implements search.policy.Policy."""

    async def suggest(self, state: str, n: int) -> Sequence[Suggestion]:
        """At most `n` different tactics, likeliest first."""
        return [Suggestion(tactic, math.log(0.5) * (i + 1)) for i, tactic in enumerate(ALWAYS[:n])]
