"""A study: what its file may say, that cells do together what each does alone, and that figures follow from searches.

Lean is stood in for by `countdown.py`.
"""

from __future__ import annotations

import asyncio
import csv
import io
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from countdown import Chance, Countdown, CountdownSession, theorem, unsupported
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.statements import Benchmark
from lean_env.engine import EngineError, ProofState, TacticResult, Theorem, Verdict
from prover import cli
from prover.options import InputError, StrategyName
from prover.policy.errors import ModelError
from prover.run import theorem_seed
from prover.store import StoreError
from prover.strategies import STRATEGIES, StrategyOptions, label, strategy
from prover.study import analysis, plots, tables
from prover.study.config import Cell, MemberOptions, StudyOptions, cells, read_options
from prover.study.policies import models_of
from prover.study.results import Alone, Results, collect
from prover.study.search import Contestant, PolicyAt, missing, search_all
from prover.study.store import Search, Stated, StudyStore
from prover.study.study import search, write
from prover.study.theorems import theorems_of
from search.budget import Budget, SearchResult, SearchStatus, Spent
from search.ensemble import equal_split
from search.tree import SUM, Tree

STUDIES = Path(__file__).parents[1] / "benchmarks" / "studies"
BENCHMARK = Benchmark("numbers", (*(theorem(n) for n in (3, 9, 14, 23)), unsupported("strange")), "0")
FEW, MANY = ("sub 1", "wish"), ("sub 1", "sub 2", "sub 5", "sub 7", "wish")
ODD = "many & <b>more</b>"
TACTICS: Mapping[str, Sequence[str]] = {"few": FEW, "many": MANY, ODD: MANY}
GRID: dict[str, Any] = {
    "benchmarks": ["numbers"],
    "budgets": [4, 16],
    "seeds": [0, 1],
    "baseline": "few",
    "members": [
        {"name": "few", "policy": "a"},
        {"name": "many", "policy": "b"},
        {"name": "both", "ensemble": ["few", "many"]},
    ],
    "strategies": [{"name": "best-first"}, {"name": "depth-first", "depth": 9}],
}


def options(**changes: Any) -> StudyOptions:
    return StudyOptions.model_validate({**GRID, **changes})


def policies() -> dict[str, PolicyAt]:
    def drawing(tactics: Sequence[str]) -> PolicyAt:
        return lambda seed, own: Chance(own, tactics)

    return {name: drawing(tactics) for name, tactics in TACTICS.items()}


async def made(given: StudyOptions, out: Path, engine: Countdown, benchmark: Benchmark = BENCHMARK) -> list[Search]:
    """The searches of a study that goes on to its end."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Countdown]:
        yield engine

    with closing(StudyStore(out)) as store:
        await search(given, benchmark, {}, policies, opened, store, workers=2)
        return store.searches()


def untimed(searches: Sequence[Search]) -> list[Search]:
    """The same without seconds, which are other ones each time."""
    return [replace(one, spent=replace(one.spent, lean_s=0, policy_s=0, wall_s=0)) for one in searches]


# ---- Its file


def refused(tmp_path: Path, text: str) -> str:
    path = tmp_path / "s.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_options(path)
    assert "\n" not in str(error.value)
    return str(error.value).removeprefix(f"{path}")


HEAD = 'benchmarks = ["gym"]\nbudgets = [4]\nbaseline = "a"\n'
MEMBER = '[[members]]\nname = "a"\npolicy = "portfolio"\n'
PAIR = '[[members]]\nname = "e"\nensemble = ["a", "a"]\n'
STRATEGY = '[[strategies]]\nname = "best-first"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sedes = [1]\n" + HEAD + MEMBER + STRATEGY, "the key sedes is not known: did you mean seeds?"),
        (
            HEAD + MEMBER + 'temprature = 1\n[[strategies]]\nname = "mcts"',
            "the key members.0.temprature is not known: did you mean temperature?",
        ),
        (HEAD + MEMBER + STRATEGY + "widht = 3", "the key strategies.0.widht is not known: did you mean width?"),
        (HEAD + MEMBER + STRATEGY + "c = 0.5", "c does not go with best-first"),
        (HEAD.replace("[4]", "[4, 0]") + MEMBER + STRATEGY, "budgets.1 = 0: input should be greater than 0"),
        (HEAD.replace("[4]", "[10000000000000000000]") + MEMBER + STRATEGY, "input should be less than"),
        ("seeds = [10000000000000000000]\n" + HEAD + MEMBER + STRATEGY, "input should be less than"),
        ("trees_mb = inf\n" + HEAD + MEMBER + STRATEGY, "trees_mb = inf: input should be a finite number"),
        ("shapes = [[4, 0]]\n" + HEAD + MEMBER, "shapes.0.1 = 0: input should be greater than 0"),
        (HEAD + MEMBER, "there is nothing to search with"),
        (HEAD.replace('"a"', '"aa"') + MEMBER + STRATEGY, "baseline: the member aa is not known: did you mean a?"),
        (
            HEAD + MEMBER + '[[members]]\nname = "e"\nensemble = ["a", "b2"]\n' + STRATEGY,
            "the ensemble e: the member b2 is not known: take one of a",
        ),
        (
            HEAD + MEMBER + '[[members]]\nname = "e"\nensemble = ["a", "a"]\n' + STRATEGY,
            "the ensemble e has a more often than there are seeds",
        ),
        (
            HEAD
            + MEMBER
            + '[[members]]\nname = "e"\nensemble = ["a", "a"]\nstrategies = [{name = "mcts"}]\n'
            + STRATEGY,
            "member e has 1 strategies for an ensemble of 2",
        ),
        (
            HEAD + MEMBER + PAIR + 'strategies = [{name = "best-first"}, {name = "mcts"}]\n' + STRATEGY,
            "the ensemble e: the study lacks its strategy mcts(c=0.5, depth=12)",
        ),
        (HEAD + MEMBER + STRATEGY.replace("best-first", "best-frist"), "did you mean best-first?"),
        (HEAD + MEMBER + MEMBER + STRATEGY, "members has a twice"),
        (HEAD.replace('["gym"]', '["gym", "gym"]') + MEMBER + STRATEGY, "benchmarks has gym twice"),
        (HEAD + MEMBER + STRATEGY + STRATEGY, "strategies has best-first(priority=sum, width=4) twice"),
        (HEAD + '[[members]]\nname = "a"\n' + STRATEGY, "member a needs either a policy or an ensemble"),
        (HEAD.replace("budgets = [4]\n", "") + MEMBER + STRATEGY, "budgets is missing: give it"),
        ("budgets = [", "is not TOML"),
    ],
)
def test_what_is_wrong_in_the_file_is_told_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    assert said in refused(tmp_path, text)


def test_a_wrong_file_ends_the_command_with_status_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "s.toml").write_text("sedes = 1\n", encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["prove", "study", str(tmp_path / "s.toml")])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_each_shape_is_a_strategy_of_its_own() -> None:
    given = options(shapes=[[8, 4], [2, 2, 2]])
    assert list(given.searches)[2:] == ["shaped(8,4)", "shaped(width=2, depth=3)"]
    assert len(cells(given, ensembles=False)) == 8
    assert len(cells(given, ensembles=True)) == 4


# ---- Its searches


async def test_cells_do_together_what_each_does_alone(tmp_path: Path) -> None:
    together = await made(options(), tmp_path / "all", Countdown())
    for searched in together:
        chance = Chance(theorem_seed(searched.seed, searched.theorem), TACTICS[searched.cell.member])
        searching = strategy(options().searches[searched.cell.strategy], chance.seed)
        engine, statement = Countdown(), theorem(int(searched.theorem.removeprefix("down")))

        async def accept(tactics: tuple[str, ...], engine: Countdown = engine, of: Theorem = statement) -> bool:
            return (await engine.verify(of, "\n".join(tactics))).proved

        alone = await searching(await engine.open(statement), chance, Budget(16), accept)
        assert (searched.status, searched.spent.expansions) == (alone.status.value, alone.spent.expansions)
        assert searched.proof == (alone.proof or ())
    assert len(together) == 4 * 4 * 2
    assert {one.status for one in together} >= {"proved", "budget"}


class Counting(Countdown):
    """Counts what it is asked; breaks after so many tactics."""

    def __init__(self, breaks_after: float = float("inf")) -> None:
        super().__init__()
        self.ran: Counter[tuple[int, int, str]] = Counter()
        self.verified: Counter[tuple[str, str]] = Counter()
        self.left = breaks_after

    async def open(self, theorem: Theorem) -> CountdownSession:
        session = await super().open(theorem)
        run = session.run

        async def counted(state: ProofState, tactic: str) -> TacticResult:
            self.left -= 1
            if self.left < 0:
                raise EngineError("Lean has gone: start it again")
            self.ran[session.root.key, state.key, tactic] += 1
            return await run(state, tactic)

        session.run = counted  # type: ignore[method-assign]
        return session

    async def verify(self, theorem: Theorem, proof: str) -> Verdict:
        self.verified[theorem.name, proof] += 1
        return await super().verify(theorem, proof)


async def test_lean_is_asked_once_for_what_several_cells_try(tmp_path: Path) -> None:
    engine = Counting()
    searches = await made(options(), tmp_path, engine)
    assert set(engine.ran.values()) == {1}
    assert set(engine.verified.values()) == {1}
    assert sum(one.spent.expansions for one in searches) > 2 * sum(engine.ran.values())


@pytest.mark.parametrize("breaks_after", [1, 30, 60])
async def test_a_study_that_broke_off_goes_on_with_what_is_missing(tmp_path: Path, breaks_after: int) -> None:
    with pytest.raises(EngineError):
        await made(options(), tmp_path / "broken", Counting(breaks_after))
    with closing(StudyStore(tmp_path / "broken")) as store:
        before = {one.key: one for one in store.searches()}
        todo = missing(store, cells(options(), ensembles=False), (0, 1), 16)
    after = await made(options(), tmp_path / "broken", Counting())
    assert untimed(after) == untimed(await made(options(), tmp_path / "whole", Counting()))
    assert {one.key: one for one in after if one.key in before} == before
    assert sum(map(len, todo.values())) + len(before) == len(after) == 4 * 4 * 2


async def test_a_finished_study_needs_no_engine_and_no_policies(tmp_path: Path) -> None:
    searches = await made(options(), tmp_path, Countdown())

    def never() -> Any:
        raise AssertionError("nothing is to be searched")

    with closing(StudyStore(tmp_path)) as store:
        await search(options(), BENCHMARK, {}, never, never, store, workers=2)
        assert store.searches() == searches


async def test_a_raised_budget_is_searched_only_where_the_smaller_one_ran_out(tmp_path: Path) -> None:
    small = await made(options(), tmp_path, Countdown())
    with closing(StudyStore(tmp_path)) as store:
        todo = missing(store, cells(options(), ensembles=False), (0, 1), 40)
    ran_out = {one.key for one in small if one.status == "budget"}
    assert {(name, task.cell, task.seed) for name, tasks in todo.items() for task in tasks} == ran_out
    raised = await made(options(budgets=[4, 40]), tmp_path, Countdown())
    fresh = await made(options(budgets=[4, 40]), tmp_path / "fresh", Countdown())
    assert untimed([replace(one, budget=40) for one in raised]) == untimed(fresh)


async def test_members_strategies_and_seeds_may_be_added(tmp_path: Path) -> None:
    few = options(members=GRID["members"][:1], strategies=GRID["strategies"][:1], seeds=[1])
    before = await made(few, tmp_path, Countdown())
    after = await made(options(), tmp_path, Countdown())
    assert {one.key for one in before} < {one.key for one in after}


async def test_another_benchmark_or_another_policy_is_not_gone_on_with(tmp_path: Path) -> None:
    await made(options(), tmp_path, Countdown())
    with pytest.raises(StoreError, match=r"of other theorems .*another --out"):
        await made(options(), tmp_path, Countdown(), replace(BENCHMARK, theorems=BENCHMARK.theorems[1:]))
    alone = cells(options(), ensembles=False)
    with closing(StudyStore(tmp_path / "digests")) as store:
        store.begin(BENCHMARK.theorems, alone, {("few", 0): "nothing was searched with this"})
        store.begin(BENCHMARK.theorems, alone, {("few", 0): "1a"})
        store.record(Search("down3", alone[0], 0, 16, "budget", Spent(16), (), {}))
        store.begin(BENCHMARK.theorems, alone, {("few", 0): "1a", ("few", 1): "2b"})
        with pytest.raises(StoreError, match="searches of few as it was"):
            store.begin(BENCHMARK.theorems, alone, {("few", 0): "1c"})


def test_a_portfolio_is_not_gone_on_with_as_a_model() -> None:
    portfolio = MemberOptions(name="p", policy="portfolio")
    shipped = MemberOptions(name="p", policy="n-eff-8")
    assert models_of([portfolio], [0]).digests != models_of([shipped], [0]).digests


def test_a_policy_that_does_not_exist_is_told_before_anything_is_loaded() -> None:
    with pytest.raises(ModelError, match="member p: the policy n-eff-99 is not known: did you mean n-eff-"):
        models_of([MemberOptions(name="p", policy="n-eff-99")], [0])


def test_a_name_of_several_models_is_told_before_anything_is_looked_for() -> None:
    with pytest.raises(ModelError, match="member p: shipped is several models: give each a member, such as n-eff-8"):
        models_of([MemberOptions(name="p", policy="shipped")], [0])


def test_a_database_of_something_else_is_left_as_it_is(tmp_path: Path) -> None:
    import sqlite3

    with closing(sqlite3.connect(tmp_path / "study.sqlite")) as db:
        db.executescript("CREATE TABLE songs (name TEXT); PRAGMA user_version=1")
    with pytest.raises(StoreError, match="not a study"):
        StudyStore(tmp_path)


def test_a_model_of_each_seed_has_a_folder_of_its_own(tmp_path: Path) -> None:
    models = models_of([MemberOptions(name="p", policy=str(tmp_path / "{seed}" / "hub-name"))], [3, 5])
    assert models.folders == {("p", seed): str(tmp_path / str(seed) / "hub-name") for seed in (3, 5)}


def test_theorems_of_several_benchmarks_are_spread_over_each() -> None:
    chosen = theorems_of(options(benchmarks=["gym", "library"], split="test", limit=5))
    families = [one.name.split("_")[0] for one in chosen.theorems]
    assert families == ["gym"] * 5 + ["lib"] * 5
    assert len({one.name.rsplit("_", 1)[0] for one in chosen.theorems[:5]}) >= 3
    assert chosen.name == "gym and library"


async def test_trees_are_kept_of_the_first_seed(tmp_path: Path) -> None:
    searches = await made(options(), tmp_path, Countdown())
    with closing(StudyStore(tmp_path)) as store:
        assert all((store.tree(one) is not None) == (one.seed == 0) for one in searches)


async def test_what_a_policy_raises_ends_the_study_and_loses_nothing(tmp_path: Path) -> None:
    others = asyncio.Event()
    finished = 0

    class Broken(Chance):
        async def suggest(self, state: str, n: int) -> Any:
            await others.wait()
            raise RuntimeError("no tactic today")

    def progress(done: int, _proved: int) -> None:
        nonlocal finished
        finished += done
        if finished == len(BENCHMARK.theorems):
            others.set()

    few = Cell("few", label(StrategyOptions(name=StrategyName.BEST_FIRST)))  # type: ignore[call-arg]
    many = replace(few, member="many")
    searching = lambda seed: strategy(options().searches[few.strategy], seed)  # noqa: E731
    contestants = {
        few: Contestant(policies()["few"], searching),
        many: Contestant(lambda seed, own: Broken(own), searching),
    }
    with closing(StudyStore(tmp_path)) as store:
        store.begin(BENCHMARK.theorems, list(contestants), {})
        todo = missing(store, list(contestants), (0,), 16)
        with pytest.raises(ModelError, match=r"^the policy many raised RuntimeError: no tactic today"):
            await search_all(Countdown(), BENCHMARK.theorems, todo, contestants, 16, store, 2, progress)
        supported = [one for one in store.theorems() if one.unsupported is None]
        assert [one.cell for one in store.searches()] == [few] * len(supported) != []


def test_a_killed_study_keeps_every_finished_search(tmp_path: Path) -> None:
    script = f"""
    import asyncio, sys
    sys.path.insert(0, {str(Path(__file__).parent)!r})
    from pathlib import Path
    from countdown import Countdown
    from test_study import made, options
    asyncio.run(made(options(), Path({str(tmp_path)!r}), Countdown(pause_s=0.02)))
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stderr=subprocess.DEVNULL)
    finished = 0
    while finished < 3 and process.poll() is None:
        time.sleep(0.02)
        finished = finished_in(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with closing(StudyStore(tmp_path)) as store:
        killed = store.searches()
    assert len(killed) >= finished >= 3
    whole = asyncio.run(made(options(), tmp_path, Countdown()))
    assert untimed(whole) == untimed(asyncio.run(made(options(), tmp_path / "whole", Countdown())))


def finished_in(folder: Path) -> int:
    """How many searches a study has finished."""
    import sqlite3

    if not (folder / "study.sqlite").exists():
        return 0
    with closing(sqlite3.connect(f"file:{folder / 'study.sqlite'}?mode=ro", uri=True)) as db:
        try:
            return int(db.execute("SELECT count(*) FROM searches").fetchone()[0])
        except sqlite3.OperationalError:  # not made yet
            return 0


# ---- Its results

OPTIONS_OF = {StrategyName.SHAPED: {"shape": (4, 3, 3, 2, 2, 2)}}
EVERY = [StrategyOptions.model_validate({"name": name, **OPTIONS_OF.get(name, {})}) for name in STRATEGIES]


@pytest.mark.parametrize("how", EVERY, ids=[one.name for one in EVERY])
@settings(max_examples=15)
@given(n=st.integers(1, 25), seed=st.integers(0, 99), budget=st.integers(1, 30))
async def test_the_largest_budget_tells_what_a_smaller_one_proves(
    how: StrategyOptions, n: int, seed: int, budget: int
) -> None:
    async def run(limit: int) -> SearchResult:
        engine = Countdown()
        searching = strategy(how, seed)

        async def accept(tactics: tuple[str, ...]) -> bool:
            return (await engine.verify(theorem(n), "\n".join(tactics))).proved

        return await searching(await engine.open(theorem(n)), Chance(seed, MANY), Budget(limit), accept)

    large, small = await run(30), await run(budget)
    within = large.proof is not None and large.spent.expansions <= budget
    assert (small.proof is not None) == within
    assert small.spent.expansions == min(large.spent.expansions, budget)


spends = st.lists(
    st.tuples(st.integers(1, 40), st.sampled_from(["proved", "exhausted", "budget"])), min_size=2, max_size=5
)


@given(spends, st.integers(1, 40))
async def test_an_ensemble_proves_what_equal_shares_of_its_members_prove(
    members: list[tuple[int, str]], budget: int
) -> None:
    largest = 40
    spent = [largest if status == "budget" else count for count, status in members]
    tree = Tree(ProofState(0, ("⊢",)), SUM)

    def member(count: int, status: str) -> Any:
        async def searching(limit: Budget) -> SearchResult:
            done = count <= limit.expansions and status != "budget"
            ended = SearchStatus(status) if done else SearchStatus.BUDGET
            return SearchResult(ended, None, tree, Spent(expansions=min(count, limit.expansions)))

        return searching

    real = await equal_split(
        [member(count, status) for count, (_, status) in zip(spent, members, strict=True)], Budget(budget)
    )
    cell = Cell("e", "s")
    parts = tuple(
        Alone(np.array([[count]]), np.array([[status == "proved"]]), *[np.array([[0.0]])] * 3)
        for count, (_, status) in zip(spent, members, strict=True)
    )
    derived = Results(("t",), 0, (), (largest,), (0,), {cell: parts})
    assert bool(derived.proved(cell, budget)[0, 0]) == (real.status is SearchStatus.PROVED)


def known(
    proofs: Mapping[str, Sequence[Sequence[int | None]]], budgets: Sequence[int] = (16,), names: Sequence[str] = ()
) -> tuple[StudyOptions, Results, list[Search]]:
    """A study with one strategy in which member m proves theorem t at proofs[m][t][seed], None if it does not."""
    first = next(iter(proofs.values()))
    names = names or [f"t{place}" for place in range(len(first))]
    given = options(
        budgets=list(budgets),
        seeds=list(range(len(first[0]))),
        baseline=next(iter(proofs)),
        members=[{"name": name, "policy": name} for name in proofs],
        strategies=GRID["strategies"][:1],
    )
    shape = {"states": 1, "failures": {}, "levels": []}
    how = next(iter(given.searches))
    largest = max(budgets)
    searches = [
        Search(
            *(names[place], Cell(member, how), seed, largest),
            *(
                "budget" if at is None else "proved",
                Spent(largest if at is None else at, lean_s=0.5, flops=2 * (at or 9)),
            ),
            *(() if at is None else ("rfl",), shape),
        )
        for member, theorems in proofs.items()
        for place, seeds in enumerate(theorems)
        for seed, at in enumerate(seeds)
    ]
    stated = [Stated(name, "", f"theorem {name} : True", None) for name in names]
    return given, collect(given, stated, searches), searches


def test_rates_average_seeds_and_pass_at_k_is_over_them() -> None:
    given, results, searches = known(
        {"a": [[1, 9, None], [None, None, None]], "b": [[1, 1, 1], [None, None, None]]}, (4, 16)
    )
    told = analysis.figures(given, results, searches)
    a = results.cells[0]
    assert told.rate(a, 4).value == pytest.approx(1 / 6)
    assert told.rate(a, 16).value == pytest.approx(1 / 3)
    passes = next(one.passes for one in told.rates if (one.cell, one.budget) == (a, 16))
    assert [one.value for one in passes] == pytest.approx([1 / 3, 1 / 2, 1 / 2])


def test_every_cell_but_one_is_compared_once_with_the_baseline() -> None:
    given = options()
    first, other = given.searches
    assert analysis.reference(given, Cell("few", first)) is None
    assert analysis.reference(given, Cell("few", other)) == Cell("few", first)
    assert analysis.reference(given, Cell("both", other)) == Cell("few", other)


def test_an_ensemble_with_strategies_of_its_own_is_one_cell_of_the_searches_by_these() -> None:
    how = [StrategyOptions.model_validate(each) for each in GRID["strategies"]]
    mixed = {"name": "mixed", "ensemble": ["few", "few"], "strategies": [how[0], how[1]]}
    given = options(members=[*GRID["members"], mixed], seeds=[0], budgets=[16])
    first, other = given.searches
    cell = Cell("mixed", f"{first} + {other}")
    assert cells(given, ensembles=True) == (Cell("both", first), Cell("both", other), cell)
    assert analysis.reference(given, cell) == Cell("few", first)
    ends = {Cell("few", first): 9, Cell("few", other): 8}  # within 16 expansions, the second is within its share
    searches = [
        Search(
            "t", one, 0, 16, "proved", Spent(ends.get(one, 16)), ("rfl",), {"states": 1, "failures": {}, "levels": []}
        )
        for one in cells(given, ensembles=False)
    ]
    results = collect(given, [Stated("t", "", "theorem t : True", None)], searches)
    assert results.proved(cell, 16)[0, 0]
    assert not results.proved(cell, 15)[0, 0]
    assert cell not in results.repeating
    told = analysis.figures(given, results, searches)
    assert plots.pictures(results, told)["grid.png"][1].startswith(b"\x89PNG")
    assert f"few, {first}" in tables.markdown(given, results, told, [])


def test_p_values_are_adjusted_for_the_comparisons_of_one_budget() -> None:
    none = [[None]] * 10
    given, results, searches = known({"a": none, "b": [[1]] * 6 + none[:4], "c": [[1]] * 8 + none[:2]})
    told = analysis.figures(given, results, searches)
    assert [one.paired.p_value for one in told.comparisons] == pytest.approx([2 / 2**6, 2 / 2**8])
    assert [one.p_holm for one in told.comparisons] == pytest.approx([2 / 2**6, 2 * 2 / 2**8])


def test_a_member_that_needs_half_the_budget_for_every_proof_has_efficiency_two() -> None:
    at = [2 * n for n in range(1, 33)]
    given, results, searches = known({"slow": [[n] for n in at], "fast": [[n // 2] for n in at]}, (64,))
    (efficiency,) = analysis.figures(given, results, searches).efficiencies
    assert efficiency.ratio
    assert efficiency.ratio.value == pytest.approx(2, rel=0.05)
    assert efficiency.ratio.low <= efficiency.ratio.value <= efficiency.ratio.high


def test_a_member_that_proves_nothing_has_no_efficiency() -> None:
    given, results, searches = known({"a": [[3], [4]], "b": [[None], [None]]})
    assert analysis.figures(given, results, searches).efficiencies[0].ratio is None


def test_what_only_one_member_proves_is_named() -> None:
    given, results, searches = known(
        {"a": [[1, None], [None, 3], [None, None]], "b": [[2, 2], [None, None], [None, 5]]}
    )
    told = analysis.figures(given, results, searches)
    assert [(one.name, one.proved, one.alone) for one in told.by_member] == [("a", 2, ("t1",)), ("b", 2, ("t2",))]


async def test_the_measured_shape_adds_up_the_trees(tmp_path: Path) -> None:
    given = options(members=GRID["members"][:2], seeds=[0], shapes=[[2, 1]], strategies=[])
    searches = await made(given, tmp_path, Countdown())
    with closing(StudyStore(tmp_path)) as store:
        results = collect(given, store.theorems(), searches)
    for shape in analysis.figures(given, results, searches).shapes:
        mine = [one for one in searches if one.cell == shape.cell]
        levels = [one.shape["levels"][0] for one in mine]
        assert shape.shape.trees == 4
        for figures, counted in ((shape.shape.branching, "new"), (shape.shape.tried, "tried")):
            assert figures[0] == pytest.approx(
                sum(one[counted] for one in levels) / sum(one["expanded"] for one in levels)
            )
        assert sum(shape.shape.failures.values()) == sum(
            level["failed"] for one in mine for level in one.shape["levels"]
        )


async def test_the_tables_show_the_shape_that_was_asked_for(tmp_path: Path) -> None:
    """A theorem that no search proves, so that none ends with a state half done."""
    given = options(
        members=[{"name": "many", "policy": "b"}], baseline="many", seeds=[0], shapes=[[3, 2]], strategies=[]
    )
    searches = await made(given, tmp_path, Countdown(), replace(BENCHMARK, theorems=(theorem(500),)))
    with closing(StudyStore(tmp_path)) as store:
        results = collect(given, store.theorems(), searches)
    told = analysis.figures(given, results, searches)
    assert told.shapes[0].shape.tried == (3.0, 2.0)
    shapes = tables.tables(results, told)[-1]
    assert dict(zip(shapes.columns, shapes.rows[0], strict=True))["tried by depth"] == "3.0 2.0"


async def test_with_a_lowered_budget_only_what_was_proved_within_it_counts_and_longer_searches_are_told(
    tmp_path: Path,
) -> None:
    searches = await made(options(budgets=[40]), tmp_path / "large", Countdown())
    fresh = await made(options(budgets=[4]), tmp_path / "small", Countdown())
    with closing(StudyStore(tmp_path / "large")) as store:
        stated = store.theorems()
    lowered, small = (collect(options(budgets=[4]), stated, each) for each in (searches, fresh))
    told, expected = (analysis.figures(options(budgets=[4]), *each) for each in ((lowered, searches), (small, fresh)))
    assert told.rates == expected.rates
    assert [one.proof_depths for one in told.shapes] == [one.proof_depths for one in expected.shapes]
    longer = sum(one.spent.expansions > 4 for one in searches)
    assert any(one.proved and one.spent.expansions > 4 for one in searches)
    assert f" {longer} searches were made with a larger budget: " in tables.denominators(lowered)
    assert "larger budget" not in tables.denominators(small)


async def test_theorems_that_are_not_finished_or_not_supported_are_told(tmp_path: Path) -> None:
    searches = await made(options(), tmp_path, Countdown())
    with closing(StudyStore(tmp_path)) as store:
        stated = store.theorems()
    results = collect(options(), stated, searches[1:])
    assert (len(results.theorems), results.missing, len(results.unsupported)) == (3, 1, 1)
    said = tables.denominators(results)
    assert said.startswith("3 theorems, seeds 0, 1.")
    assert "Not in the rates: 1 that the engine cannot state." in said
    assert "Not in the rates yet: 1 that are not finished." in said


# ---- Its report


async def test_a_study_leaves_its_report(tmp_path: Path) -> None:
    await made(options(), tmp_path, Countdown())
    with closing(StudyStore(tmp_path)) as store:
        said = write(options(), store)
    assert said
    assert said.startswith("Within 16 expansions a theorem, ")
    for name in ("curves.png", "grid.png", "shapes.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader((tmp_path / "study.csv").open(encoding="utf-8")))
    assert len(rows) == 3 * 2 * 2
    assert all(0 <= float(row["low"]) <= float(row["rate"]) <= float(row["high"]) <= 1 for row in rows)
    assert {row["p_holm"] == "" for row in rows if row["member"] == "few" and "best" in row["strategy"]} == {True}
    assert "strange" in (tmp_path / "study.md").read_text(encoding="utf-8")


def test_the_tables_of_study_md_hold_whatever_a_name_is() -> None:
    odd = ["a|b", "<script>alert(1)</script>", "x\ny", "`c`"]
    given, results, searches = known({"a|b": [[1]] * 4, "c": [[None]] * 4}, names=odd)
    text = tables.markdown(given, results, analysis.figures(given, results, searches), [])
    assert "<script>" not in text
    for block in text.split("\n\n"):
        if block.startswith("| "):
            bars = {line.replace("\\|", "").count("|") for line in block.splitlines()}
            assert len(bars) == 1


def test_of_an_ensemble_with_a_member_twice_no_chance_over_seeds_is_told() -> None:
    """Its seeds share searches: with seeds 0 and 1 it is the same two searches in another order."""
    _, _, searches = known({"a": [[1, None, None]] * 4}, (16,))
    twice = options(
        budgets=[16],
        seeds=[0, 1, 2],
        baseline="a",
        members=[{"name": "a", "policy": "a"}, {"name": "twice", "ensemble": ["a", "a"]}],
        strategies=GRID["strategies"][:1],
    )
    results = collect(twice, [Stated(f"t{n}", "", "theorem t : True", None) for n in range(4)], searches)
    told = analysis.figures(twice, results, searches)
    assert {rate.cell.member: len(rate.passes) for rate in told.rates} == {"a": 3, "twice": 1}
    assert next(rate.rate.value for rate in told.rates if rate.cell.member == "twice") == pytest.approx(2 / 3)
    rows = list(csv.DictReader(io.StringIO(tables.csv_text(results, told))))
    assert [row["pass@2"] == "" for row in rows] == [False, True]
    assert tables.markdown(twice, results, told, [])


def test_study_csv_reads_back_to_the_figures() -> None:
    rng = random.Random(0)
    draw = lambda: [[rng.choice([None, 2, 9]) for _ in range(2)] for _ in range(30)]  # noqa: E731
    given, results, searches = known({"a": draw(), "b": draw()}, (4, 16))
    told = analysis.figures(given, results, searches)
    rows = list(csv.DictReader(io.StringIO(tables.csv_text(results, told))))
    for row, rate in zip(rows, told.rates, strict=True):
        assert (row["member"], int(row["budget"])) == (rate.cell.member, rate.budget)
        assert float(row["rate"]) == rate.rate.value
        assert float(row["pass@2"]) == rate.passes[1].value
    largest = {row["member"]: row for row in rows if row["budget"] == "16"}
    assert {row["flops"] for row in rows if row["budget"] == "4"} == {""}
    for one in told.by_member:
        assert int(largest[one.name]["alone"]) == len(one.alone)
        spent = [each.spent for each in searches if each.cell.member == one.name]
        for name in ("lean_s", "model_tokens", "flops"):
            assert float(largest[one.name][name]) == pytest.approx(sum(getattr(each, name) for each in spent) / 60)
    tested = [row for row in rows if row["p"]]
    assert [float(row["difference"]) for row in tested] == [one.paired.difference.value for one in told.comparisons]


async def test_a_study_without_a_finished_theorem_writes_no_report(tmp_path: Path) -> None:
    with pytest.raises(EngineError):
        await made(options(), tmp_path, Counting(breaks_after=1))
    with closing(StudyStore(tmp_path)) as store:
        assert write(options(), store) is None
    assert not (tmp_path / "study.html").exists()


async def test_nothing_that_the_engine_can_state_is_an_error_of_input(tmp_path: Path) -> None:
    only = replace(BENCHMARK, theorems=BENCHMARK.theorems[-1:])
    await made(options(), tmp_path, Countdown(), only)
    with closing(StudyStore(tmp_path)) as store, pytest.raises(InputError, match="give another benchmark"):
        write(options(), store)


def test_the_small_study_of_the_repository_can_be_made() -> None:
    given = read_options(STUDIES / "small.toml")
    assert theorems_of(given).theorems
    assert models_of(given.members, given.seeds).digests


def test_the_large_study_is_as_large_as_it_is_said_to_be() -> None:
    given = read_options(STUDIES / "n_eff.toml")
    assert (len(given.members), len(given.searches), len(given.budgets), len(given.seeds)) == (7, 6, 3, 3)
    assert given.limit == 200
