"""What a run knows of its theorems: values that go from the search to the store, and from the store to the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lean_env.engine import Theorem, Verdict


class Outcome(StrEnum):
    """What an attempt on a theorem ended with."""

    PROVED = "proved"
    UNVERIFIED = "unverified"  # a proof was claimed, and the limits of verification ran out on it
    BUDGET = "budget"  # the budget was spent, in expansions or what else it limits
    EXHAUSTED = "exhausted"  # nothing was left to try
    UNSUPPORTED = "unsupported"  # the engine cannot state the theorem


@dataclass(frozen=True)
class Member:
    """A policy with a strategy, by their names in the report. `n_eff` is None for a policy that was not trained."""

    policy: str
    strategy: str
    n_eff: float | None = None


@dataclass(frozen=True)
class Claim:
    """A proof that a search claimed and verification did not accept."""

    proof: str
    verdict: Verdict


@dataclass(frozen=True)
class ModelUse:
    """What a model of so many `parameters` did for one policy in so many `calls`; a search.policy.Use.

    `prompt_tokens` counts a prompt once for every request; `cut_off` are draws that came to no end, `blank` those whose
    text is empty, `cut_prompts` states that were longer than the model's context.
    """

    parameters: int = 0
    calls: int = 0
    prompt_tokens: int = 0
    generated_tokens: int = 0
    draws: int = 0
    cut_off: int = 0
    blank: int = 0
    cut_prompts: int = 0

    @property
    def tokens(self) -> int:
        """Read and written."""
        return self.prompt_tokens + self.generated_tokens

    @property
    def flops(self) -> int:
        """2 x parameters x tokens."""
        return 2 * self.parameters * self.tokens


@dataclass(frozen=True)
class MemberSearch:
    """What one member spent on one theorem, and its search tree. Times in seconds.

    `member` is its place among the members of the run, from 0. `repeats` are tactics whose result another member had
    already got from Lean: they cost no expansion. `redraws` are expansions that drew what this member had drawn before.
    `flops` are 2 x parameters x tokens of the model; `cut_prompts`, `cut_off` and `blank` are as in ModelUse, and all
    of the model's are 0 without one. `tree` is plain JSON data, None where it was not asked for or is also that of a
    member before.
    """

    member: int
    status: str
    expansions: int
    redraws: int
    repeats: int
    policy_calls: int
    model_calls: int
    model_tokens: int
    flops: int
    cut_prompts: int
    cut_off: int
    blank: int
    lean_s: float
    policy_s: float
    wall_s: float
    tree: Any = None


@dataclass(frozen=True)
class Attempt:
    """The searches of all members on one theorem, finished. Times in seconds; `started` in seconds since 1970.

    `proof` is the tactic block that was verified, empty when there is none; the first of `searches` that ended proved
    found it.
    """

    theorem: str
    seed: int
    outcome: Outcome
    proof: str
    claims: tuple[Claim, ...]
    searches: tuple[MemberSearch, ...]
    wall_s: float
    started: float

    @property
    def expansions(self) -> int:
        """Of all members."""
        return sum(search.expansions for search in self.searches)


@dataclass(frozen=True)
class EngineUse:
    """What the engine's processes did in one sitting of a run.

    `ends` counts processes that ended before the run did, by cause; each was replaced. `retries` are requests that were
    sent again because of that. `peak_rss_mib` is the largest resident memory of any one process, in MiB.
    """

    starts: int
    ends: Mapping[str, int]
    retries: int
    requests: int
    busy_s: float
    peak_rss_mib: float


@dataclass(frozen=True)
class Finding:
    """A theorem of the run with what is known of it: an attempt, or why the engine cannot state it, or neither yet."""

    theorem: Theorem
    attempt: Attempt | None
    reason: str = ""

    @property
    def outcome(self) -> Outcome | None:
        """None while the theorem waits for its attempt."""
        if self.attempt:
            return self.attempt.outcome
        return Outcome.UNSUPPORTED if self.reason else None
