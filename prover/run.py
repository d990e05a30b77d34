"""A run: every theorem of a benchmark is searched, what the search claims is verified, and the result is kept.

The order of the theorems is fixed, and what happens on one theorem does not depend on what runs beside it: the seed of
a theorem comes from the run's seed and its name, and its budget is its own.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from lean_env.engine import Engine, Theorem, UnsupportedStatement, VerdictKind
from lean_env.process import Statistics
from prover.ensembles import Ensemble
from prover.ensembles import Strategy as Strategy
from prover.policy.guard import guarded
from prover.records import Attempt, Claim, EngineUse, Finding, Member, MemberSearch, ModelUse, Outcome
from prover.report.report import render
from prover.store import REPORT, SUMMARY, Store
from search import shape
from search.budget import Budget, SearchResult, SearchStatus
from search.ensemble import Pot
from search.expansion import Accept as Accept
from search.known import KnownResults, known_verdicts
from search.policy import Policy
from search.tree import Tree

if TYPE_CHECKING:
    from benchmarks.registry import Benchmark

# Searches beyond the number of Lean processes: while some wait for the policy or for a file, Lean has others to serve.
SPARE_SEARCHES = 2

PolicyFactory = Callable[[int], Policy]  # from the seed of a theorem
Progress = Callable[[Finding], None]  # told of every theorem as it is finished


class Supervised(Protocol):
    """The processes of an engine, as far as a run looks at them: lean_env.pool.Pool is one."""

    @property
    def statistics(self) -> Statistics:
        """What they did so far."""
        ...


class StandaloneEngine(Engine, Protocol):
    """An engine whose work is counted, and which can write a proof as a file that needs nothing of this program."""

    @property
    def pool(self) -> Supervised:
        """Its processes."""
        ...

    def standalone(self, theorem: Theorem, proof: str) -> str:
        """Prelude, statement and proof as Lean text."""
        ...


@dataclass(frozen=True)
class Planned:
    """A member of a run: its names for the report, and how it searches."""

    member: Member
    policy: PolicyFactory
    strategy: Strategy


@dataclass(frozen=True)
class Plan:
    """How every theorem of a run is searched: `members` share its `budget` as `ensemble` has it.

    `timeout_s` is the limit of one tactic.
    """

    budget: Budget
    seed: int
    timeout_s: float
    members: tuple[Planned, ...]
    ensemble: Ensemble = field(default_factory=Ensemble)


@runtime_checkable
class Model(Protocol):
    """A policy that runs a model."""

    @property
    def use(self) -> ModelUse:
        """What the model has done for this policy."""
        ...


def theorem_seed(seed: int, name: str) -> int:
    """The seed of one theorem, the same whatever else is in the run and in whichever order it comes: 63 bits."""
    return int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:8]) >> 1


def settings(benchmark: Benchmark, engine: Engine, plan: Plan) -> dict[str, Any]:
    """What may not change between two sittings of a run, as plain JSON values."""
    statements = hashlib.sha256()
    for theorem in benchmark.theorems:
        statements.update(
            json.dumps([theorem.name, theorem.split, theorem.header, theorem.statement, theorem.before]).encode()
        )
    return {
        "benchmark": benchmark.name,
        "split": split_of(benchmark),
        "theorems": len(benchmark.theorems),
        "statements": statements.hexdigest()[:16],
        "commit": benchmark.commit,
        "engine": engine.info.name,
        "engine version": engine.info.version,
        "members": [f"{planned.member.policy}, {planned.member.strategy}" for planned in plan.members],
        **plan.ensemble.settings,
        "budget": plan.budget.expansions,
        **_limits(plan.budget),
        "timeout, s": plan.timeout_s,
        "seed": plan.seed,
    }


def split_of(benchmark: Benchmark) -> str:
    """The splits that the theorems come from."""
    return ", ".join(sorted({theorem.split for theorem in benchmark.theorems} - {""}))


async def attempt(engine: Engine, theorem: Theorem, plan: Plan, pot: Pot) -> Attempt:
    """Search for a proof of `theorem`; it counts when the engine has verified it. `pot` is the run's.

    Raises UnsupportedStatement when the engine cannot state the theorem, EngineError, and ModelError for whatever a
    policy raises.
    """
    started, clock = time.time(), time.monotonic()
    seed = theorem_seed(plan.seed, theorem.name)
    refused: list[Claim] = []

    async def accept(tactics: tuple[str, ...]) -> bool:
        proof = "\n".join(tactics)
        verdict = await engine.verify(theorem, proof)
        if not verdict.proved:
            refused.append(Claim(proof, verdict))
        return verdict.proved

    session = await engine.open(theorem)
    shared, policies = KnownResults(session), [planned.policy(seed) for planned in plan.members]
    strategies = [planned.strategy for planned in plan.members]
    named = [guarded(policy, planned.member.policy) for policy, planned in zip(policies, plan.members, strict=True)]
    try:
        ensemble = await plan.ensemble.search(strategies, named, shared, plan.budget, known_verdicts(accept), pot)
    finally:
        await session.close()
    return Attempt(
        theorem=theorem.name,
        seed=seed,
        outcome=_outcome(ensemble.status, refused),
        proof="\n".join(ensemble.last.proof or ()),
        claims=tuple(refused),
        searches=_records(ensemble.results, policies),
        wall_s=time.monotonic() - clock,
        started=started,
    )


def _records(results: Sequence[SearchResult], policies: Sequence[Policy]) -> tuple[MemberSearch, ...]:
    """What the store keeps of the members' searches; a tree that they share once."""
    records, trees = [], set[Tree]()
    for place, (result, policy) in enumerate(zip(results, policies, strict=False)):
        spent, use = result.spent, policy.use if isinstance(policy, Model) else ModelUse()
        records.append(
            MemberSearch(
                member=place,
                status=result.status.value,
                expansions=spent.expansions,
                redraws=spent.redraws,
                repeats=spent.repeats,
                policy_calls=spent.policy_calls,
                model_calls=spent.model_calls,
                model_tokens=spent.model_tokens,
                flops=spent.flops,
                cut_prompts=use.cut_prompts,
                cut_off=use.cut_off,
                blank=use.blank,
                lean_s=spent.lean_s,
                policy_s=spent.policy_s,
                wall_s=spent.wall_s,
                tree=None if result.tree in trees else result.tree.to_dict(),
            )
        )
        trees.add(result.tree)
    return tuple(records)


def _outcome(status: SearchStatus, refused: Sequence[Claim]) -> Outcome:
    if status is not SearchStatus.PROVED and any(c.verdict.kind is VerdictKind.UNVERIFIED for c in refused):
        return Outcome.UNVERIFIED
    return Outcome.BUDGET if status is SearchStatus.WALL else Outcome(status.value)


async def prove_all(engine: StandaloneEngine, plan: Plan, store: Store, workers: int, progress: Progress) -> None:
    """Attempt every theorem of the store that has no result yet, as many at a time as keep `workers` processes busy.

    Raises StoreError, EngineError and ModelError; what was finished before is kept.
    """
    waiting: list[Theorem] = []
    findings = store.findings()
    pot = left_over(findings, plan)
    for finding in findings:
        if finding.outcome is None:
            waiting.append(finding.theorem)
        else:
            _write_proof(engine, store, finding)  # a run killed before it came to that
    queue = iter(waiting)
    lanes = [
        asyncio.create_task(_lane(queue, engine, plan, pot, store, progress)) for _ in range(workers + SPARE_SEARCHES)
    ]
    try:
        await asyncio.gather(*lanes)
    finally:
        for lane in lanes:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)


def left_over(findings: Sequence[Finding], plan: Plan) -> Pot:
    """What the theorems that are done with have left over of their budgets."""
    pot = Pot()
    for finding in findings:
        if finding.attempt:
            pot.put(plan.budget.expansions - finding.attempt.expansions)
    return pot


async def _lane(
    queue: Iterator[Theorem], engine: StandaloneEngine, plan: Plan, pot: Pot, store: Store, progress: Progress
) -> None:
    """One theorem after the other from the common queue."""
    for theorem in queue:
        try:
            finding = Finding(theorem, await attempt(engine, theorem, plan, pot))
        except UnsupportedStatement as why:
            finding = Finding(theorem, None, str(why) or "no reason given")
            store.record_unsupported(theorem.name, finding.reason)
        else:
            assert finding.attempt
            store.record(finding.attempt)
            _write_proof(engine, store, finding)
        store.record_use(engine_use(engine.pool.statistics))
        progress(finding)


def _write_proof(engine: StandaloneEngine, store: Store, finding: Finding) -> None:
    """Write the proof's file, unless it is there."""
    if finding.attempt and finding.outcome is Outcome.PROVED:
        path = store.proof_path(finding.theorem.name)
        if not path.exists():
            store.write(path, engine.standalone(finding.theorem, finding.attempt.proof))


def engine_use(statistics: Statistics) -> EngineUse:
    """What a pool counted, as a run keeps it."""
    return EngineUse(
        starts=statistics.starts,
        ends={cause.value: count for cause, count in statistics.ends.items()},
        retries=statistics.retries,
        requests=statistics.requests,
        busy_s=round(statistics.busy_s, 3),
        peak_rss_mib=round(max(statistics.peak_rss_mb.values(), default=0.0), 1),
    )


def summed(uses: Sequence[EngineUse]) -> EngineUse:
    """What the engine did in several sittings together; the peak is the highest of them."""
    return EngineUse(
        starts=sum(use.starts for use in uses),
        ends=dict(sum((Counter(use.ends) for use in uses), Counter[str]())),
        retries=sum(use.retries for use in uses),
        requests=sum(use.requests for use in uses),
        busy_s=round(sum(use.busy_s for use in uses), 3),
        peak_rss_mib=max((use.peak_rss_mib for use in uses), default=0.0),
    )


def summarise(benchmark: Benchmark, engine: Engine, plan: Plan, store: Store) -> dict[str, Any]:
    """What summary.json holds, from what the store knows. Times in seconds, memory in MiB."""
    findings = store.findings()
    attempts = [finding.attempt for finding in findings if finding.attempt]
    searches = [search for attempt in attempts for search in attempt.searches]
    outcomes = Counter(finding.outcome for finding in findings)
    unsupported = [finding for finding in findings if finding.outcome is Outcome.UNSUPPORTED]
    return {
        "benchmark": benchmark.name,
        "split": split_of(benchmark),
        "commit": benchmark.commit,
        "notice": benchmark.notice,
        "engine": engine.info.name,
        "engine_version": engine.info.version,
        "seed": plan.seed,
        "members": [
            {**asdict(planned.member), **_shares(place, attempts)} for place, planned in enumerate(plan.members)
        ],
        "ensemble": plan.ensemble.name.value,
        "budget": plan.budget.expansions,
        "limits": _limits(plan.budget),
        "timeout_s": plan.timeout_s,
        "theorems": len(findings),
        "supported": len(findings) - len(unsupported),
        "attempted": len(attempts),
        "proved": outcomes[Outcome.PROVED],
        "outcomes": {outcome.value: outcomes[outcome] for outcome in Outcome},
        "anytime": anytime(findings),
        "claims_refused": sum(len(attempt.claims) for attempt in attempts),
        "expansions": sum(search.expansions for search in searches),
        "redraws": sum(search.redraws for search in searches),
        "repeats": sum(search.repeats for search in searches),
        "policy_calls": sum(search.policy_calls for search in searches),
        "model_calls": sum(search.model_calls for search in searches),
        "model_tokens": sum(search.model_tokens for search in searches),
        "flops": sum(search.flops for search in searches),
        "cut_prompts": sum(search.cut_prompts for search in searches),
        "cut_off": sum(search.cut_off for search in searches),
        "blank": sum(search.blank for search in searches),
        "lean_s": round(sum(search.lean_s for search in searches), 3),
        "policy_s": round(sum(search.policy_s for search in searches), 3),
        "wall_s": round(store.wall_s(), 3),
        "engine_use": asdict(summed(store.uses())),
        "shape": asdict(shape.summed(_shapes(attempts, store))),
        "unsupported": [{"name": finding.theorem.name, "reason": finding.reason} for finding in unsupported],
    }


def _shapes(attempts: Sequence[Attempt], store: Store) -> Iterator[dict[str, Any]]:
    """The shapes of all search trees, which are read one after the other."""
    for attempt in attempts:
        for search in attempt.searches:
            if tree := store.tree(attempt.theorem, search.member):
                yield asdict(shape.measure_record(tree))


def anytime(findings: Sequence[Finding]) -> list[tuple[int, int]]:
    """The curve of a run: after so many expansions on each theorem, so many are proved. Points only where it rises."""
    spent = Counter(f.attempt.expansions for f in findings if f.attempt and f.outcome is Outcome.PROVED)
    return list(zip(sorted(spent), accumulate(spent[expansions] for expansions in sorted(spent)), strict=True))


def _limits(budget: Budget) -> dict[str, float]:
    """What is limited beside expansions, by the names in search.budget."""
    return {name: limit for name, limit in budget.limits.items() if name != "expansions"}


def _shares(place: int, attempts: Sequence[Attempt]) -> dict[str, int]:
    """What one member did in a run: theorems it proved, expansions, repeats (another knew them), its model's."""
    proved = [next(s.member for s in a.searches if s.status == SearchStatus.PROVED) for a in attempts if a.proof]
    searches = [search for attempt in attempts for search in attempt.searches if search.member == place]
    return {
        "proved": proved.count(place),
        "expansions": sum(search.expansions for search in searches),
        "redraws": sum(search.redraws for search in searches),
        "repeats": sum(search.repeats for search in searches),
        "model_calls": sum(search.model_calls for search in searches),
        "model_tokens": sum(search.model_tokens for search in searches),
        "flops": sum(search.flops for search in searches),
    }


def finish(benchmark: Benchmark, engine: Engine, plan: Plan, store: Store) -> dict[str, Any]:
    """Write summary.json and report.html; returns the summary. Raises StoreError."""
    summary = summarise(benchmark, engine, plan, store)
    store.write(store.out / SUMMARY, json.dumps(summary, indent=2, ensure_ascii=False) + "\n")
    report = render(summary, settings(benchmark, engine, plan), store.findings())
    store.write(store.out / REPORT, report)
    return summary


def last_line(summary: dict[str, Any]) -> str:
    """The line that a run ends with."""
    return (
        f"proved {summary['proved']} of {summary['supported']} supported ({summary['theorems']} theorems)"
        f" in {summary['expansions']} expansions"
    )
