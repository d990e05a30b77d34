"""What a search needs to know of a policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Suggestion:
    """A tactic with its log-probability (natural log, <= 0) under the policy that gave it."""

    tactic: str
    log_prob: float


class Policy(Protocol):
    """Gives tactics with log-probabilities for a state."""

    async def suggest(self, state: str, n: int) -> Sequence[Suggestion]:
        """At most `n` different tactics for the pretty-printed `state`, likeliest first."""
        ...


class SamplingPolicy(Policy, Protocol):
    """A policy that can also be drawn from."""

    async def sample(self, state: str, n: int) -> Sequence[Suggestion]:
        """`n` independent draws for the pretty-printed `state`, in the order drawn: a tactic may come repeatedly.

        Draws that were no tactic at all (cut off before their end) have the empty tactic.
        """
        ...
