"""What a run promises, on an engine without Lean: `countdown.py`."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from countdown import Chance, Countdown, CountdownSession, theorem, unsupported

from benchmarks.registry import Benchmark
from lean_env.engine import EngineError, Session, Theorem, Verdict, VerdictKind
from lean_env.process import EndCause, Statistics
from prover.ensembles import Ensemble
from prover.options import EnsembleName
from prover.policy.errors import ModelError
from prover.records import EngineUse, Finding, Member, ModelUse, Outcome
from prover.run import Accept, Plan, Planned, PolicyFactory, finish, last_line, prove_all, settings, theorem_seed
from prover.store import Store, StoreError
from search.adaptive import Schedule
from search.best_first import best_first
from search.budget import Budget, SearchResult
from search.policy import Policy, Suggestion
from search.tree import SUM


async def by_sum(session: Session, policy: Policy, budget: Budget, accept: Accept) -> SearchResult:
    return await best_first(session, policy, budget, priority=SUM, width=2, accept=accept)


PLAN = Plan(Budget(16), 0, 1.0, (Planned(Member("chance", "best-first, sum"), Chance, by_sum),))
NUMBERS = Benchmark("numbers", (*map(theorem, range(1, 20)), unsupported("strange"), theorem(500)), "c0ffee", "")


def offering(*policies: PolicyFactory) -> Plan:
    """The plan with members that have these policies."""
    return replace(PLAN, members=tuple(replace(PLAN.members[0], policy=policy) for policy in policies))


def members(plan: Plan) -> list[Member]:
    return [planned.member for planned in plan.members]


async def run(
    out: Path,
    engine: Countdown,
    *,
    benchmark: Benchmark = NUMBERS,
    plan: Plan = PLAN,
    workers: int = 2,
    progress: Callable[[Finding], None] = lambda finding: None,
) -> list[Finding]:
    with closing(Store(out)) as store:
        store.begin(settings(benchmark, engine, plan), members(plan), benchmark.theorems, fresh=False)
        await prove_all(engine, plan, store, workers, progress)
        finish(benchmark, engine, plan, store)
        return store.findings()


def outcomes(findings: list[Finding]) -> dict[str, tuple[Any, ...]]:
    """What must not depend on anything but seed and budget."""
    return {
        f.theorem.name: (f.outcome, f.attempt and (f.attempt.proof, f.attempt.expansions, f.attempt.seed))
        for f in findings
    }


async def test_every_theorem_ends_in_the_store_the_summary_the_report_and_its_proof_file(tmp_path: Path) -> None:
    findings = await run(tmp_path, Countdown())
    summary = json.loads((tmp_path / "summary.json").read_text())
    report = (tmp_path / "report.html").read_text()
    proved = [f for f in findings if f.outcome is Outcome.PROVED]
    assert len(proved) >= 10
    assert (summary["theorems"], summary["supported"], summary["attempted"]) == (21, 20, 20)
    assert summary["proved"] == len(proved)
    assert sum(summary["outcomes"].values()) == 21
    (member,) = summary["members"]
    assert (member["policy"], member["strategy"], member["n_eff"]) == ("chance", "best-first, sum", None)
    assert (member["proved"], member["expansions"]) == (len(proved), summary["expansions"])
    assert summary["expansions"] == sum(f.attempt.expansions for f in findings if f.attempt)
    assert {f"{f.theorem.name}.lean" for f in proved} == {file.name for file in (tmp_path / "proofs").iterdir()}
    for finding in findings:
        assert finding.theorem.name in report
    assert last_line(summary) == (
        f"proved {len(proved)} of 20 supported (21 theorems) in {summary['expansions']} expansions"
    )


@pytest.mark.parametrize("shared", [False, True])
async def test_the_measured_shape_of_a_run_is_that_of_its_trees_each_counted_once(tmp_path: Path, shared: bool) -> None:
    ensemble = Ensemble(EnsembleName.SHARED, temperatures=(1.0, 1.0)) if shared else Ensemble()
    two = offering(Chance, lambda seed: Chance(seed, ("sub 1", "what")))
    findings = await run(tmp_path, Countdown(), plan=replace(two, ensemble=ensemble))
    with closing(Store(tmp_path)) as store:
        found = [store.tree(f.theorem.name, s.member) for f in findings if f.attempt for s in f.attempt.searches]
    trees = [tree for tree in found if tree]
    edges = [edge for tree in trees for edge in tree["edges"]]
    shape = json.loads((tmp_path / "summary.json").read_text())["shape"]
    assert shape["trees"] == len(trees) == (len(found) / 2 if shared else len(found))
    assert shape["states"] == pytest.approx(sum(len(tree["nodes"]) for tree in trees) / len(trees))
    at_root = [edge for edge in edges if edge["source"] == 0]
    assert shape["tried"][0] == pytest.approx(len(at_root) / sum(bool(tree["edges"]) for tree in trees))
    assert shape["merged"] == pytest.approx(sum(edge["outcome"] == "merged" for edge in edges) / len(edges))
    assert shape["failures"] == {"error": sum(edge["outcome"] == "error" for edge in edges)}
    lengths = Counter(len(f.attempt.proof.splitlines()) for f in findings if f.attempt and f.attempt.proof)
    assert shape["proved"] == {str(length): count for length, count in sorted(lengths.items())}


async def test_what_the_engine_did_is_summed_over_the_sittings_of_a_run(tmp_path: Path) -> None:
    engine = Countdown()
    engine.pool.statistics = Statistics(starts=3, retries=1, requests=100, busy_s=2.5, peak_rss_mb={0: 500.0, 1: 612.5})
    engine.pool.statistics.ends[EndCause.TIMEOUT] = 2
    await run(tmp_path, engine)
    with closing(Store(tmp_path)) as store:
        store.begin(settings(NUMBERS, engine, PLAN), members(PLAN), NUMBERS.theorems, fresh=False)
        store.record_use(EngineUse(2, {"killed": 1, "timeout": 1}, 4, 11, 0.25, 580.0))
        finish(NUMBERS, engine, PLAN, store)
    use = json.loads((tmp_path / "summary.json").read_text())["engine_use"]
    assert use == {
        "starts": 5,
        "ends": {"timeout": 3, "killed": 1},
        "retries": 5,
        "requests": 111,
        "busy_s": 2.75,
        "peak_rss_mib": 612.5,
    }


async def test_an_unsupported_statement_is_counted_and_listed_with_leans_reason(tmp_path: Path) -> None:
    findings = await run(tmp_path, Countdown())
    assert [f.reason for f in findings if f.outcome is Outcome.UNSUPPORTED] == [
        "unknown identifier 'Real.pi'\nat line 1"
    ]
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["unsupported"] == [{"name": "strange", "reason": "unknown identifier 'Real.pi'\nat line 1"}]


async def test_a_theorem_that_takes_too_much_ends_at_its_budget(tmp_path: Path) -> None:
    findings = await run(tmp_path, Countdown())
    assert findings[-1].outcome is Outcome.BUDGET
    assert findings[-1].attempt and findings[-1].attempt.expansions == PLAN.budget.expansions


async def test_a_claim_that_verification_refuses_is_recorded_and_the_search_goes_on(tmp_path: Path) -> None:
    plan = offering(lambda seed: Chance(seed, ("wish", "sub 1")))
    (found,) = await run(tmp_path, Countdown(), benchmark=replace(NUMBERS, theorems=(theorem(2),)), plan=plan)
    assert found.outcome is Outcome.PROVED
    assert found.attempt and found.attempt.proof == "sub 1\nsub 1"
    assert {claim.verdict.kind for claim in found.attempt.claims} == {VerdictKind.REFUSED}
    assert "wishes are no proofs" in (tmp_path / "report.html").read_text()


async def test_a_proof_that_several_members_claim_is_verified_once(tmp_path: Path) -> None:
    class Counting(Countdown):
        verified = 0

        async def verify(self, theorem: Theorem, proof: str) -> Verdict:
            self.verified += 1
            return await super().verify(theorem, proof)

    engine, plan = Counting(), offering(*[lambda seed: Chance(seed, ("wish",))] * 3)
    (found,) = await run(tmp_path, engine, benchmark=replace(NUMBERS, theorems=(theorem(2),)), plan=plan)
    assert found.attempt
    assert [search.repeats for search in found.attempt.searches] == [0, 1, 1]
    assert engine.verified == len(found.attempt.claims) == 1


@pytest.mark.parametrize(
    "ensemble",
    [
        Ensemble(),
        Ensemble(EnsembleName.ROUND_ROBIN),
        Ensemble(EnsembleName.SHARED, temperatures=(1.0, 2.0)),
        Ensemble(EnsembleName.ADAPTIVE, schedule=Schedule(1, (0.0, 0.0, 0.0, 0.0), (), ((9, 30),))),
    ],
    ids=lambda ensemble: ensemble.name.value,
)
async def test_a_run_with_any_ensemble_spends_no_more_than_its_budget_and_goes_on_where_it_was(
    tmp_path: Path, ensemble: Ensemble
) -> None:
    two = offering(lambda seed: Chance(seed, ("sub 1",)), lambda seed: Chance(seed + 1, ("sub 1", "sub 2", "sub 3")))
    plan = replace(two, ensemble=ensemble, budget=Budget(10))
    whole = await run(tmp_path / "whole", Countdown(), plan=plan, workers=1)
    attempts = [finding.attempt for finding in whole if finding.attempt]
    assert sum(attempt.expansions for attempt in attempts) <= 10 * len(attempts)
    if ensemble.name is not EnsembleName.ADAPTIVE:
        assert max(attempt.expansions for attempt in attempts) <= 10
    for finding in whole:
        if finding.attempt and finding.outcome is Outcome.PROVED:
            assert [s.status for s in finding.attempt.searches].count("proved") == 1
    summary = json.loads((tmp_path / "whole" / "summary.json").read_text())
    assert summary["ensemble"] == ensemble.name
    assert sum(member["proved"] for member in summary["members"]) == summary["proved"] >= 5
    assert sum(member["expansions"] for member in summary["members"]) == summary["expansions"]
    with pytest.raises(StoreError, match="ensemble"):
        await run(tmp_path / "whole", Countdown(), plan=replace(plan, ensemble=other(ensemble)))


def other(ensemble: Ensemble) -> Ensemble:
    return Ensemble(EnsembleName.ROUND_ROBIN if ensemble.name is EnsembleName.EQUAL else EnsembleName.EQUAL)


async def test_members_split_the_budget_and_know_what_the_others_tried(tmp_path: Path) -> None:
    plan = offering(lambda seed: Chance(seed, ("sub 1",)), lambda seed: Chance(seed, ("sub 1", "sub 2")))
    (found,) = await run(tmp_path, Countdown(), benchmark=replace(NUMBERS, theorems=(theorem(9),)), plan=plan)
    assert found.outcome is Outcome.PROVED  # in 8 expansions the first comes down to 1
    assert found.attempt
    first, second = found.attempt.searches
    assert (first.expansions, first.repeats) == (PLAN.budget.expansions / 2, 0)
    assert second.expansions <= PLAN.budget.expansions / 2
    assert second.repeats > 0
    assert found.attempt.expansions == first.expansions + second.expansions


async def test_what_a_model_could_not_read_or_write_whole_reaches_the_store_the_summary_and_the_report(
    tmp_path: Path,
) -> None:
    class Cut(Chance):
        use = ModelUse()

        async def suggest(self, state: str, n: int) -> Sequence[Suggestion]:
            self.use = ModelUse(prompt_tokens=30, generated_tokens=5, draws=9, cut_off=3, blank=2, cut_prompts=1)
            return await super().suggest(state, n)

    plan = offering(Cut, Chance)
    numbers = replace(NUMBERS, theorems=(theorem(500), theorem(600)))
    findings = await run(tmp_path, Countdown(), benchmark=numbers, plan=plan)
    for finding in findings:
        assert finding.attempt
        used = [(s.model_tokens, s.cut_prompts, s.cut_off, s.blank) for s in finding.attempt.searches]
        assert used == [(35, 1, 3, 2), (0, 0, 0, 0)]
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert [summary[name] for name in ("model_tokens", "cut_prompts", "cut_off", "blank")] == [70, 2, 6, 4]
    assert "draws cut off before their end: 6." in (tmp_path / "report.html").read_text()


async def test_a_claim_that_cannot_be_verified_is_neither_proved_nor_failed(tmp_path: Path) -> None:
    plan = offering(lambda seed: Chance(seed, ("dream",)))
    (found,) = await run(tmp_path, Countdown(), benchmark=replace(NUMBERS, theorems=(theorem(2),)), plan=plan)
    assert found.outcome is Outcome.UNVERIFIED
    assert not (tmp_path / "proofs").exists()
    assert json.loads((tmp_path / "summary.json").read_text())["outcomes"]["unverified"] == 1


async def test_results_do_not_depend_on_scheduling_or_on_the_theorems_beside(tmp_path: Path) -> None:
    one = outcomes(await run(tmp_path / "one", Countdown(), workers=1))
    many = outcomes(await run(tmp_path / "many", Countdown(pause_s=0.001), workers=7))
    few = replace(NUMBERS, theorems=NUMBERS.theorems[5:12])
    some = outcomes(await run(tmp_path / "few", Countdown(), benchmark=few))
    assert one == many
    assert some == {name: one[name] for name in some}
    assert one != outcomes(await run(tmp_path / "seed", Countdown(), plan=replace(PLAN, seed=1)))


def test_the_seed_of_a_theorem_is_fixed_for_all_time() -> None:
    assert theorem_seed(0, "down2") == 3506264367982010913
    assert theorem_seed(1, "down2") != theorem_seed(0, "down2")


async def test_a_run_that_was_broken_off_goes_on_and_repeats_nothing(tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    seen = []

    def stop(finding: Finding) -> None:
        seen.append(finding.theorem.name)
        if len(seen) == 8:
            raise Stop

    with pytest.raises(Stop):
        await run(tmp_path, Countdown(), progress=stop)
    (tmp_path / "proofs" / "down1.lean").unlink()  # as if killed between the record and the file
    engine = Countdown()
    findings = await run(tmp_path, engine, progress=lambda finding: seen.append(finding.theorem.name))
    assert not set(engine.opened) & set(seen[:8])
    assert sorted(seen) == sorted(theorem.name for theorem in NUMBERS.theorems)
    assert outcomes(findings) == outcomes(await run(tmp_path / "whole", Countdown()))
    assert (tmp_path / "proofs" / "down1.lean").exists()


async def test_an_engine_that_breaks_down_ends_the_run_and_keeps_what_is_finished(tmp_path: Path) -> None:
    class Broken(Countdown):
        async def open(self, theorem: Theorem) -> CountdownSession:
            if len(self.opened) == 10:
                raise EngineError("node is gone: run `prove engine install`")
            return await super().open(theorem)

    with pytest.raises(EngineError):
        await run(tmp_path, Broken())
    with closing(Store(tmp_path)) as store:
        assert sum(finding.outcome is not None for finding in store.findings()) >= 5


class Torn(Chance):
    """Fails on the theorem with this seed, and does its work on every other."""

    def __init__(self, seed: int, on: str, fault: Callable[[], Sequence[Suggestion]]) -> None:
        super().__init__(seed)
        self.fails, self.fault = seed == theorem_seed(0, on), fault

    async def suggest(self, state: str, n: int) -> Sequence[Suggestion]:
        return self.fault() if self.fails else await super().suggest(state, n)


class TornDrawing(Torn):
    async def sample(self, state: str, n: int) -> Sequence[Suggestion]:
        return await self.suggest(state, n)


def raising() -> Sequence[Suggestion]:
    raise RuntimeError("CUDA error:\nout of memory")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (raising, "the policy torn raised RuntimeError: CUDA error: out of memory: "),
        (lambda: [Suggestion("sub 1", math.nan)], "the policy torn gave 'sub 1' the log-probability nan: "),
        (lambda: [Suggestion("sub 1", 0.5)], "the policy torn gave 'sub 1' the log-probability 0.5: "),
        (lambda: [Suggestion("sub 1", -math.inf)], "the policy torn gave 'sub 1' the log-probability -inf: "),
        (lambda: None, "the policy torn raised TypeError: "),
    ],
)
@pytest.mark.parametrize("kind", [Torn, TornDrawing])
@pytest.mark.parametrize("together", [False, True])
async def test_whatever_a_policy_raises_ends_the_run_with_a_line_that_names_it_and_loses_nothing(
    tmp_path: Path, kind: type[Torn], fault: Callable[[], Sequence[Suggestion]], said: str, together: bool
) -> None:
    torn = replace(PLAN.members[0], member=Member("torn", ""), policy=lambda seed: kind(seed, "down9", fault))
    ensemble = Ensemble(EnsembleName.SHARED, temperatures=(1.0, 2.0)) if together else Ensemble()
    plan = replace(PLAN, members=(PLAN.members[0], torn), ensemble=ensemble)
    with pytest.raises(ModelError) as error:
        await run(tmp_path, Countdown(), plan=plan, workers=1)
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)
    with closing(Store(tmp_path)) as store:
        finished = {f.theorem.name for f in store.findings() if f.outcome is not None}
    assert len(finished) >= 5
    assert "down9" not in finished
    mended = replace(plan, members=(PLAN.members[0], replace(torn, policy=Chance)))
    engine = Countdown()
    assert all(finding.outcome for finding in await run(tmp_path, engine, plan=mended))
    assert not finished & set(engine.opened)


async def test_half_a_character_is_not_asked_of_lean_and_breaks_no_record(tmp_path: Path) -> None:
    plan = offering(lambda seed: Chance(seed, ("sub 1 \ud800", "sub 1")))
    (found,) = await run(tmp_path, Countdown(), benchmark=replace(NUMBERS, theorems=(theorem(3),)), plan=plan)
    assert found.outcome is Outcome.PROVED
    with closing(Store(tmp_path)) as store:
        messages = {edge["message"] for edge in store.tree("down3")["edges"]}
    assert any("half a character" in message for message in messages)


def test_a_run_killed_five_times_proves_what_an_unbroken_one_does_and_nothing_twice(tmp_path: Path) -> None:
    code = f"""
        import asyncio, sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from pathlib import Path
        from countdown import Countdown
        from test_run import run
        def say(finding): print(finding.theorem.name, flush=True)
        asyncio.run(run(Path(sys.argv[1]), Countdown(pause_s=0.002), progress=say))
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    subprocess.run([*command, str(tmp_path / "whole")], check=True, stdout=subprocess.DEVNULL)
    finished: dict[str, float] = {}
    for _ in range(5):
        process = subprocess.Popen([*command, str(tmp_path / "broken")], stdout=subprocess.PIPE)
        assert process.stdout
        for _ in range(3):
            process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        finished |= started(tmp_path / "broken")
    assert 5 <= len(finished) < 20
    subprocess.run([*command, str(tmp_path / "broken")], check=True, stdout=subprocess.DEVNULL)
    with closing(Store(tmp_path / "whole")) as whole, closing(Store(tmp_path / "broken")) as broken:
        assert outcomes(broken.findings()) == outcomes(whole.findings())
    assert started(tmp_path / "broken").items() >= finished.items()
    assert proofs(tmp_path / "broken") == proofs(tmp_path / "whole")


def started(out: Path) -> dict[str, float]:
    """When each finished attempt of a run began: a second attempt would have begun at another time."""
    with closing(Store(out)) as store:
        return {f.theorem.name: f.attempt.started for f in store.findings() if f.attempt}


def proofs(out: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in (out / "proofs").glob("[!.]*.lean")}
