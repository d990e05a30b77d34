"""What a run on a Ray cluster promises, on real raylets: several nodes of one machine. Engine and models are simulated
but for the last test.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from clusters import (
    NUMBERS,
    Dice,
    Torn,
    adaptive_plan,
    blueprint,
    deadly_engine,
    engine,
    held_engine,
    no_engine,
    other_engine,
    talking_engine,
)

from lean_env.engine import Engine, EngineError
from prover.cluster.blueprint import Blueprint, Layout, ModelSet
from prover.options import InputError
from prover.policy.batching import Source
from prover.policy.errors import ModelError
from prover.records import Finding, Outcome
from prover.run import finish, prove_all, settings
from prover.store import Store

pytestmark = pytest.mark.heavy
pytest.importorskip("ray", reason="Ray is not installed: pip install -e '.[ray]'")

import ray  # noqa: E402 (only where Ray is)
from ray.cluster_utils import Cluster as Machines  # noqa: E402 (only where Ray is)

from prover.cluster import cluster, tasks  # noqa: E402 (only where Ray is)
from prover.cluster.cluster import join  # noqa: E402 (only where Ray is)

MEMORY = {"object_store_memory": 100 * 2**20}
CPUS = Layout()
QUICK, SLOW = 0.0, 0.02  # seconds of a tactic: slow enough that something can happen meanwhile


class Nodes:
    """Nodes of one cluster; those that a test adds are taken away after it."""

    def __init__(self, machines: Machines) -> None:
        self.address: str = machines.address
        self._machines = machines
        self._added: list[Any] = []

    def add(self, cpus: int, gpus: int = 0) -> Any:
        self._added.append(self._machines.add_node(num_cpus=cpus, num_gpus=gpus, **MEMORY))
        return self._added[-1]

    def kill(self, node: Any) -> None:
        """As a machine that loses its power: no process of it has time to say so."""
        self._machines.remove_node(node, allow_graceful=False)
        self._added.remove(node)

    def clear(self) -> None:
        for node in list(self._added):
            self.kill(node)
        self._machines.wait_for_nodes()  # the next test would find dead ones for some seconds, and use them


@pytest.fixture(scope="module")
def machines() -> Iterator[Machines]:
    """A cluster whose head has nothing to run on. Its nodes have this program and these tests."""
    here = Path(__file__).parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{here.parent}{os.pathsep}{here}")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_health_check_period_ms", "1000")  # a lost node is given up after 5 of these
        patch.setenv("RAY_health_check_initial_delay_ms", "0")
        machines = Machines(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **MEMORY})
        yield machines
        machines.shutdown()


@pytest.fixture
def nodes(machines: Machines) -> Iterator[Nodes]:
    nodes = Nodes(machines)
    yield nodes
    nodes.clear()


def quiet(finding: Finding) -> None:
    pass


async def on_cluster(
    nodes: Nodes,
    out: Path,
    made: Blueprint,
    layout: Layout = CPUS,
    *,
    progress: Callable[[Finding], None] = quiet,
    say: Callable[[str], None] = print,
) -> list[Finding]:
    plan = made.plan({name: cast(Source, Dice()) for name in made.models})
    with closing(Store(out)) as store:
        async with join(nodes.address, made, layout, say) as joined:
            known, members = cast(Engine, joined), [planned.member for planned in plan.members]
            store.begin(settings(NUMBERS, known, plan), members, NUMBERS.theorems, fresh=False)
            await joined.prove_all(plan, store, progress)
            finish(NUMBERS, known, plan, store)
        return store.findings()


async def alone(out: Path, *models: str) -> list[Finding]:
    """The same run in this process."""
    plan, here = blueprint().plan({name: cast(Source, Dice()) for name in models}), await engine(QUICK, 1, print)
    with closing(Store(out)) as store:
        members = [planned.member for planned in plan.members]
        store.begin(settings(NUMBERS, here, plan), members, NUMBERS.theorems, fresh=False)
        await prove_all(here, plan, store, 1, quiet)
        return store.findings()


def outcomes(findings: list[Finding]) -> dict[str, tuple[Any, ...]]:
    """What must not depend on where a theorem was searched."""
    return {
        f.theorem.name: (
            f.outcome,
            f.reason,
            f.attempt and (f.attempt.proof, f.attempt.seed, [s.expansions for s in f.attempt.searches]),
        )
        for f in findings
    }


async def test_a_cluster_proves_what_one_machine_proves_with_the_same_proofs_and_costs(
    nodes: Nodes, tmp_path: Path
) -> None:
    for _ in range(2):
        nodes.add(cpus=3, gpus=1)
    findings = await on_cluster(nodes, tmp_path / "many", blueprint("one", "two"))
    assert outcomes(findings) == outcomes(await alone(tmp_path / "alone", "one", "two"))
    proved = {f.theorem.name for f in findings if f.outcome is Outcome.PROVED}
    assert len(proved) >= 15
    assert {path.stem for path in (tmp_path / "many" / "proofs").glob("[!.]*.lean")} == proved
    summary = json.loads((tmp_path / "many" / "summary.json").read_text())
    assert (summary["engine"], summary["proved"], summary["supported"]) == ("countdown", len(proved), 40)
    assert all(member["expansions"] for member in summary["members"])


async def test_a_node_killed_in_the_middle_changes_no_result_and_none_is_written_twice(
    nodes: Nodes, tmp_path: Path
) -> None:
    nodes.add(cpus=4, gpus=2)
    doomed = nodes.add(cpus=4, gpus=2)
    said: list[str] = []
    seen: Counter[str] = Counter()

    def see(finding: Finding) -> None:
        seen[finding.theorem.name] += 1
        if seen.total() == 6:
            nodes.kill(doomed)

    made, layout = blueprint("one", "two", pause_s=SLOW), Layout(lean_per_node=1)
    findings = await on_cluster(nodes, tmp_path / "many", made, layout, progress=see, say=said.append)
    assert outcomes(findings) == outcomes(await alone(tmp_path / "alone", "one", "two"))
    assert set(seen.values()) == {1}
    assert len(seen) == len(NUMBERS.theorems)
    assert any("the Lean pool on" in line and "is lost" in line for line in said)


async def test_a_node_that_joins_late_gets_a_pool_and_copies_of_what_is_missing(nodes: Nodes, tmp_path: Path) -> None:
    nodes.add(cpus=2, gpus=1)
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if line.startswith("there is no place for a copy of two"):
            nodes.add(cpus=2, gpus=1)
        if sum("1 Lean processes" in line for line in said) == 2:
            (tmp_path / "seen").touch()

    held = replace(blueprint("one", "two"), engine=partial(held_engine, tmp_path / "seen", QUICK))
    findings = await on_cluster(nodes, tmp_path / "many", held, say=say)
    assert outcomes(findings) == outcomes(await alone(tmp_path / "alone", "one", "two"))
    for model in ("one", "two"):
        assert sum(line.endswith(f"a copy of {model}") for line in said) == 1
    assert sum("1 Lean processes" in line for line in said) == 2


async def test_a_model_whose_last_copy_is_lost_gets_a_place_of_another(nodes: Nodes, tmp_path: Path) -> None:
    """Two places of the node that stays hold the same model when the other node has gone."""
    nodes.add(cpus=2, gpus=1)
    said: list[str] = []
    added: list[Any] = []

    def say(line: str) -> None:
        said.append(line)
        copies = [line.split("a copy of ")[1] for line in said if ": a copy of " in line]
        if copies == ["one"] and not added:
            added.append(nodes.add(cpus=1, gpus=1))  # its one CPU is the copy's: no Lean there
        if copies == ["one", "two"] and len(added) == 1:
            added.append(nodes.add(cpus=1, gpus=1))
        if copies == ["one", "two", "one"] and len(added) == 2:
            nodes.kill(added[0])
            added.append(None)
        if len(copies) == 4:
            (tmp_path / "seen").touch()

    held = replace(blueprint("one", "two"), engine=partial(held_engine, tmp_path / "seen", SLOW))
    findings = await on_cluster(nodes, tmp_path / "many", held, say=say)
    assert outcomes(findings) == outcomes(await alone(tmp_path / "alone", "one", "two"))
    copies = [line.split("a copy of ")[1] for line in said if ": a copy of " in line]
    assert copies == ["one", "two", "one", "two"]


async def test_a_run_that_was_broken_off_goes_on_on_a_cluster_and_repeats_nothing(nodes: Nodes, tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    seen: list[str] = []

    def stop(finding: Finding) -> None:
        seen.append(finding.theorem.name)
        if len(seen) == 8:
            raise Stop

    nodes.add(cpus=2)
    with pytest.raises(Stop):
        await on_cluster(nodes, tmp_path / "many", blueprint(), progress=stop)
    (tmp_path / "many" / "proofs" / "down1.lean").unlink()  # as if killed between the record and the file
    again = await on_cluster(
        nodes, tmp_path / "many", blueprint(), progress=lambda finding: seen.append(finding.theorem.name)
    )
    assert sorted(seen) == sorted(theorem.name for theorem in NUMBERS.theorems)
    assert outcomes(again) == outcomes(await alone(tmp_path / "alone"))
    assert (tmp_path / "many" / "proofs" / "down1.lean").exists()


async def test_what_ends_a_run_on_one_machine_ends_it_on_a_cluster_with_the_same_error(
    nodes: Nodes, tmp_path: Path
) -> None:
    nodes.add(cpus=2, gpus=1)
    made = blueprint("one")
    with pytest.raises(EngineError, match=r"^no such engine: install it$"):
        await on_cluster(nodes, tmp_path / "engine", replace(made, engine=no_engine))
    torn = replace(made, models={"one": ModelSet(Torn, Dice)})
    with pytest.raises(ModelError, match=r"^out of memory: take a smaller model$"):
        await on_cluster(nodes, tmp_path / "model", torn)


async def test_an_adaptive_ensemble_spends_on_a_cluster_what_finished_theorems_left_over_and_no_more(
    nodes: Nodes, tmp_path: Path
) -> None:
    nodes.add(cpus=2)
    made = replace(blueprint(), plan=adaptive_plan)
    findings = await on_cluster(nodes, tmp_path, made, Layout(lean_per_node=1))
    spent = [finding.attempt.expansions for finding in findings if finding.attempt]
    budget = made.plan({}).budget.expansions
    assert max(spent) > budget
    assert sum(spent) <= budget * len(spent)


async def test_a_run_that_finds_no_place_for_lean_says_so_and_begins_when_there_is_one(
    nodes: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "PATIENCE_S", 5.0)
    nodes.add(cpus=1, gpus=1)  # its one CPU is the copy's
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if line.startswith("no Lean pool has begun yet"):
            nodes.add(cpus=1)

    findings = await on_cluster(nodes, tmp_path, blueprint("one"), say=say)
    assert all(finding.outcome for finding in findings)
    assert sum(line.startswith("no Lean pool has begun yet") for line in said) == 1


async def test_a_node_with_another_lean_is_left_out(nodes: Nodes, tmp_path: Path) -> None:
    nodes.add(cpus=1)
    nodes.add(cpus=1)
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)

    findings = await on_cluster(nodes, tmp_path, replace(blueprint(), engine=other_engine), say=say)
    assert all(finding.outcome for finding in findings)
    assert sum(line.endswith("1 Lean processes") for line in said) == 1


async def test_what_an_engine_has_to_say_on_a_node_is_said_to_the_user(nodes: Nodes, tmp_path: Path) -> None:
    nodes.add(cpus=1)
    said: list[str] = []
    await on_cluster(nodes, tmp_path, replace(blueprint(), engine=talking_engine), say=said.append)
    assert [line.split(": ")[1] for line in said if line.endswith("no sandbox")] == ["no sandbox"]


async def test_a_theorem_that_takes_its_pool_down_again_and_again_ends_the_run_with_its_name(
    nodes: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "STARTS", 2)
    nodes.add(cpus=1)
    with pytest.raises(EngineError, match=r"^down\d+ was lost 2 times"):
        await on_cluster(nodes, tmp_path, replace(blueprint(), engine=deadly_engine))


async def test_an_actor_counts_as_failed_only_while_none_of_its_lives_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "PAUSE_S", 0.0)
    lives: list[float] = []

    async def life() -> None:
        lives.append(0.0)
        monkeypatch.setattr(tasks, "LASTING_S", 0.0 if len(lives) == tasks.STARTS else 60.0)
        raise ray.exceptions.ActorDiedError

    kept = tasks.Tasks(lambda line: None)
    kept.keep("the pool", life, EngineError)
    with pytest.raises(EngineError, match="the pool was lost 10 times"):
        await kept.wait(asyncio.sleep(60))
    assert len(lives) == 2 * tasks.STARTS
    await kept.close()


async def test_an_address_without_a_cluster_is_one_line(machines: Machines, tmp_path: Path) -> None:
    for address, reason in (
        ("ray://127.0.0.1:10001", "a client's address"),
        ("127.0.0.1:1", "no Ray cluster at"),
        ("head", "give auto, or HOST:PORT"),
        ("head:none", "give auto, or HOST:PORT"),
    ):
        with pytest.raises(InputError, match=reason) as refused:
            async with join(address, blueprint(), Layout(), print):
                pass
        assert "\n" not in str(refused.value)


async def test_the_command_proves_with_lean_and_the_shipped_models_what_it_proves_on_one_machine(
    nodes: Nodes, tmp_path: Path
) -> None:
    nodes.add(cpus=3)

    async def proved(name: str, *options: str) -> set[str]:
        command = ["--benchmark", "minif2f-core", "--split", "valid", "--limit", "6", "--budget", "24"]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "prover", *command, *options, "--out", str(tmp_path / name), stderr=PIPE
        )
        _, said = await process.communicate()
        assert process.returncode == 0, said.decode()
        return {path.stem for path in (tmp_path / name / "proofs").glob("[!.]*.lean")}

    on_cluster = await proved("cluster", "--ray", nodes.address, "--gpus-per-policy", "0")
    assert on_cluster
    assert on_cluster == await proved("alone", "--workers", "2")
