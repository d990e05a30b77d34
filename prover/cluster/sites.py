"""What a run has on one node: a placement group, pinned to the node, and actors that each take one bundle of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.util.placement_group import placement_group, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from prover.cluster.blueprint import Share

CALLS = 10_000  # under way in one actor: what bounds them are the askers
NODE = "ray.io/node-id"


@dataclass
class Site:
    """A node with the run's placement group (None where the run takes nothing) and the tasks that see to its actors."""

    node: str
    group: Any = None
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def __str__(self) -> str:
        return f"node {self.node[:8]}"

    @classmethod
    def reserve(cls, node: str, share: Share) -> Site:
        """Ask for a share of a node; actors wait until it is free."""
        bundles = share.bundles
        if not bundles:
            return cls(node)
        return cls(node, placement_group(bundles, "STRICT_PACK", bundle_label_selector=[{NODE: node}] * len(bundles)))

    def actor(self, kind: type, bundle: int, **resources: float) -> Any:
        """Ray's class of actors of this kind in this bundle. Ray begins none again by itself: tasks.py sees to that."""
        place = PlacementGroupSchedulingStrategy(self.group, placement_group_bundle_index=bundle)
        return ray.remote(kind).options(scheduling_strategy=place, max_concurrency=CALLS, **resources)

    def leave(self) -> None:
        """Give the node back; its actors end."""
        for task in self.tasks:
            task.cancel()
        if self.group is not None:
            remove_placement_group(self.group)
