"""The copies of a run's models: which place holds which model, and which of them a Lean pool asks."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import ray

from prover.cluster.blueprint import ModelSet
from prover.cluster.calls import LOST, call
from prover.cluster.replicas import Replica
from prover.cluster.sites import Site
from prover.cluster.tasks import Tasks
from prover.policy.errors import ModelError

FANOUT = 16  # copies of a model that one pool knows: enough to find one that is free, few enough connections


@dataclass
class Copy:
    """A place for a copy, with so many GPUs; its model, and the actor, `ready` once that has loaded the model."""

    site: Site
    bundle: int
    gpus: int
    model: str
    actor: Any = None
    ready: bool = False
    task: asyncio.Task[None] | None = None


class Copies:
    """All places for copies, each with the model that had fewest when it came. `changed` is called at each new copy."""

    def __init__(
        self, models: Mapping[str, ModelSet], tasks: Tasks, changed: Callable[[], None], say: Callable[[str], None]
    ) -> None:
        self._models, self._tasks, self._changed, self._say = models, tasks, changed, say
        self._copies: list[Copy] = []
        self._without: set[str] = set()  # models without a place, of which the user knows

    @property
    def ready(self) -> list[Any]:
        """The actors that answer."""
        return [copy.actor for copy in self._copies if copy.ready]

    def add(self, site: Site, bundle: int, gpus: int) -> None:
        """Put a copy of the model that has fewest there."""
        copy = Copy(site, bundle, gpus, self._by_number()[0])
        self._copies.append(copy)
        self._begin(copy)

    def leave(self, site: Site) -> None:
        """Forget the places on a node that is gone."""
        self._copies = [copy for copy in self._copies if copy.site is not site]

    def level(self) -> None:
        """Give every model without a copy a place of one that has several; say which models have to wait."""
        while self._copies:
            models, numbers = self._by_number(), Counter(copy.model for copy in self._copies)
            poorest, richest = models[0], models[-1]
            if numbers[poorest] or numbers[richest] == 1:
                break
            copy = next(copy for copy in reversed(self._copies) if copy.model == richest)
            if copy.task is not None:
                copy.task.cancel()
            if copy.actor is not None:
                ray.kill(copy.actor)
            copy.model = poorest
            self._begin(copy)
        without = set(self._models) - {copy.model for copy in self._copies}
        for model in sorted(without - self._without):
            self._say(f"there is no place for a copy of {model}: searches wait for a node that has one")
        self._without = without

    def known(self, place: int) -> dict[str, list[Any]]:
        """Whom the pool of this number is to ask, by model: at most FANOUT copies of each, others for others."""
        ready = {
            model: [copy.actor for copy in self._copies if copy.ready and copy.model == model] for model in self._models
        }
        return {
            model: [actors[(place * FANOUT + n) % len(actors)] for n in range(min(FANOUT, len(actors)))]
            for model, actors in ready.items()
        }

    def _by_number(self) -> list[str]:
        """The models, that with the fewest copies first."""
        numbers = Counter(copy.model for copy in self._copies)
        return sorted(self._models, key=lambda model: numbers[model])

    def _begin(self, copy: Copy) -> None:
        copy.task = self._tasks.keep(f"the copy of {copy.model} on {copy.site}", partial(self._live, copy), ModelError)
        copy.site.tasks.append(copy.task)

    async def _live(self, copy: Copy) -> None:
        """A copy at work, until it is lost."""
        resources = {"num_gpus": copy.gpus, "num_cpus": 0} if copy.gpus else {"num_cpus": 1}
        copy.actor = actor = copy.site.actor(Replica, copy.bundle, **resources).remote()
        try:
            await call(actor.load.remote(self._models[copy.model].load))
            copy.ready = True
            self._say(f"{copy.site}: a copy of {copy.model}")
            self._changed()
            await actor.watch.remote()
        except LOST:
            ray.kill(actor)
            raise
        finally:
            if copy.actor is actor:
                copy.ready = False
