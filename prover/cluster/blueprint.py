"""What a run makes on the machines of a cluster, as functions that go over the wire, and what it takes of a node."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prover.parts import Say
    from prover.policy.batching import Coder, Source
    from prover.run import Plan, StandaloneEngine

PROCESSES_PER_POOL = 16  # of Lean: one Python process that serves many more of them becomes what they wait for


@dataclass(frozen=True)
class ModelSet:
    """A base with all adapters that are used on it: what a replica holds, and what those who ask it need beside."""

    load: Callable[[], Source]
    coder: Callable[[], Coder]


@dataclass(frozen=True)
class Blueprint:
    """How the parts of a run are made, each on the machine where it will be.

    `engine` starts so many Lean processes, and says what the user should know of them. `models` are named, and `plan`
    is given whom to ask for each of them.
    """

    engine: Callable[[int, Say], Awaitable[StandaloneEngine]]
    plan: Callable[[Mapping[str, Source]], Plan]
    models: Mapping[str, ModelSet]


@dataclass(frozen=True)
class Share:
    """What a run takes of one node: Lean pools of so many processes, and copies of models with so many GPUs each."""

    pools: tuple[int, ...]
    replicas: int
    gpus_each: int

    @property
    def bundles(self) -> list[dict[str, float]]:
        """The resources of a placement group, in Ray's names: the pools first, then the replicas."""
        replica = {"GPU": self.gpus_each} if self.gpus_each else {"CPU": 1}
        return [{"CPU": float(pool)} for pool in self.pools] + [
            {name: float(count) for name, count in replica.items()} for _ in range(self.replicas)
        ]


@dataclass(frozen=True)
class Layout:
    """What a run takes of each node.

    `gpus_per_policy` is the GPUs of one copy of a model; with 0, models run on CPUs, one copy a node. `lean_per_node`
    is the Lean processes of a node; None is as many as it has CPUs besides one for each copy of a model.
    """

    gpus_per_policy: int = 1
    lean_per_node: int | None = None

    def share(self, resources: Mapping[str, float], *, models: bool) -> Share:
        """What is taken of a node with these resources (Ray's names); `models` says whether the run has any.

        More Lean processes than the node has CPUs are not started. A node without CPUs gets none.
        """
        cpus, gpus = int(resources.get("CPU", 0)), int(resources.get("GPU", 0))
        each = self.gpus_per_policy
        replicas = 0 if not models else gpus // each if each else min(1, cpus)
        free = max(0, cpus - replicas)
        lean = free if self.lean_per_node is None else min(free, self.lean_per_node)
        whole, rest = divmod(lean, PROCESSES_PER_POOL)
        return Share((PROCESSES_PER_POOL,) * whole + ((rest,) if rest else ()), replicas, each)
