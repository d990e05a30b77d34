"""A policy in a run: whatever it raises, and what is no answer, ends the run with one line that names it."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Sequence

from prover.options import one_line
from prover.policy.errors import ModelError
from prover.records import ModelUse
from search.policy import MeteredPolicy, Policy, SamplingPolicy, Suggestion, Use


def guarded(policy: Policy, name: str) -> Policy:
    """`policy`, whose failures are all ModelError and say `name`; it can be drawn from if `policy` can."""
    return GuardedSampling(policy, name) if isinstance(policy, SamplingPolicy) else Guarded(policy, name)


class Guarded:
    """Implements search.policy.MeteredPolicy around another policy."""

    def __init__(self, policy: Policy, name: str) -> None:
        self._policy, self._name = policy, name

    @property
    def use(self) -> Use:
        """What the model has done; nothing without one."""
        return self._policy.use if isinstance(self._policy, MeteredPolicy) else ModelUse()

    async def suggest(self, state: str, n: int) -> Sequence[Suggestion]:
        """The policy's. Raises ModelError."""
        return await self._checked(self._policy.suggest(state, n))

    async def _checked(self, answer: Awaitable[Sequence[Suggestion]]) -> Sequence[Suggestion]:
        try:
            suggestions = await answer
            wrong = next((each for each in suggestions if not -math.inf < each.log_prob <= 0), None)
        except ModelError:
            raise
        except Exception as error:
            raised = one_line(f"{type(error).__name__}: {error}".removesuffix(": "))
            raise ModelError(f"the policy {self._name} raised {raised}: mend it, or take another") from error
        if wrong is not None:
            raise ModelError(
                f"the policy {self._name} gave {one_line(repr(wrong.tactic))} the log-probability {wrong.log_prob}:"
                " a finite number of at most 0 is needed; mend it, or take another"
            )
        return suggestions


class GuardedSampling(Guarded):
    """Implements search.policy.SamplingPolicy as well."""

    def __init__(self, policy: SamplingPolicy, name: str) -> None:
        super().__init__(policy, name)
        self._sampling = policy

    async def sample(self, state: str, n: int) -> Sequence[Suggestion]:
        """The policy's. Raises ModelError."""
        return await self._checked(self._sampling.sample(state, n))
