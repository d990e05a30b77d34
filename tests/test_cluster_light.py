"""What is taken of the nodes of a cluster, and what is said of those that give nothing: without Ray."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from prover.cluster.blueprint import Blueprint, Layout, ModelSet, Share

ERRORS = (
    "NodeDiedError",
    "ObjectLostError",
    "OutOfMemoryError",
    "RayActorError",
    "RaySystemError",
    "RayTaskError",
    "WorkerCrashedError",
)


@pytest.mark.parametrize(
    ("resources", "layout", "models", "share"),
    [
        ({"CPU": 128, "GPU": 8}, Layout(), True, Share((16,) * 8, 8, 1)),  # the node of docs/cluster.md
        ({"CPU": 128, "GPU": 8}, Layout(4), True, Share((16,) * 8, 2, 4)),
        ({"CPU": 128, "GPU": 8}, Layout(lean_per_node=20), True, Share((16, 4), 8, 1)),
        ({"CPU": 8, "GPU": 1}, Layout(), False, Share((8,), 0, 1)),
        ({"CPU": 8}, Layout(0), True, Share((7,), 1, 0)),
        ({"CPU": 1}, Layout(0), True, Share((), 1, 0)),
        ({"GPU": 1}, Layout(), True, Share((), 1, 1)),
        ({}, Layout(0), True, Share((), 0, 0)),
    ],
)
def test_every_cpu_that_no_copy_runs_on_is_leans(
    resources: dict[str, float], layout: Layout, models: bool, share: Share
) -> None:
    assert layout.share(resources, models=models) == share
    taken = [sum(bundle.get(name, 0) for bundle in share.bundles) for name in ("CPU", "GPU")]
    assert taken[0] <= resources.get("CPU", 0) and taken[1] <= resources.get("GPU", 0)


def test_a_share_tells_what_it_takes() -> None:
    assert str(Share((16, 4), 2, 4)) == "20 CPUs and 8 GPUs"
    assert str(Share((3,), 1, 0)) == "4 CPUs"


class Never:
    """An actor, and everything about it: it is never there."""

    def __getattr__(self, name: str) -> Never:
        return self

    def __call__(self, *arguments: object, **named: object) -> Never:
        return self

    def __await__(self) -> Any:
        return asyncio.Event().wait().__await__()


@pytest.fixture
def clustered(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """The module that holds a cluster together, with nodes and states of placement groups as a test has them."""
    seen = SimpleNamespace(nodes=[], state="CREATED")
    never = Never()
    names: dict[str, dict[str, Any]] = {
        "ray": {"nodes": lambda: seen.nodes, "remote": never, "kill": lambda actor: None},
        "ray.exceptions": {name: type(name, (Exception,), {}) for name in ERRORS},
        "ray.util": {},
        "ray.util.placement_group": {
            "placement_group": never,
            "placement_group_table": lambda group: {"state": seen.state},
            "remove_placement_group": lambda group: None,
        },
        "ray.util.scheduling_strategies": {"PlacementGroupSchedulingStrategy": never},
    }
    ours = {name: sys.modules.pop(name) for name in list(sys.modules) if name.startswith("prover.cluster.")}
    for name, having in names.items():
        module = ModuleType(name)
        module.__dict__.update(having)
        monkeypatch.setitem(sys.modules, name, module)
    sys.modules["prover.cluster.blueprint"] = ours["prover.cluster.blueprint"]
    seen.module = importlib.import_module("prover.cluster.cluster")
    monkeypatch.setattr(seen.module, "TICK_S", 0.01)
    monkeypatch.setattr(seen.module, "ROOM_S", 0.0)
    yield seen
    for name in [name for name in sys.modules if name.startswith("prover.cluster.")]:
        del sys.modules[name]
    sys.modules.update(ours)


def node(name: str, **resources: float) -> dict[str, Any]:
    return {"NodeID": name, "Alive": True, "Resources": resources}


async def looked(clustered: SimpleNamespace, said: list[str], *steps: Any) -> None:
    """A cluster that looks at its nodes before and after each of `steps`; models run on CPUs."""
    models: dict[str, ModelSet] = {"one": ModelSet(Never(), Never())}
    made = clustered.module.Cluster(Blueprint(Never(), Never(), models), Layout(0), said.append)
    looking = asyncio.create_task(made._look())
    for step in (*steps, lambda: None):
        await asyncio.sleep(0.1)
        step()
    looking.cancel()
    await made._tasks.close()


async def test_a_cluster_without_a_place_for_lean_says_so_once(clustered: SimpleNamespace) -> None:
    said: list[str] = []
    clustered.nodes = [node("head"), node("small", CPU=1)]
    await looked(clustered, said, lambda: clustered.nodes.append(node("large", CPU=4)))
    assert [line for line in said if "Lean" in line] == [
        "there is no place for Lean, as no node has a CPU that no copy of a model takes: searches wait for one"
    ]


async def test_a_node_that_something_else_takes_up_is_named_once_with_what_is_asked_of_it(
    clustered: SimpleNamespace,
) -> None:
    said: list[str] = []
    clustered.nodes, clustered.state = [node("busy", CPU=4)], "PENDING"
    await looked(clustered, said)
    assert said == ["node busy has no room for 4 CPUs: end what else runs there, or lower --lean-per-node"]
    said.clear()
    clustered.state = "CREATED"
    await looked(clustered, said)
    assert said == []
