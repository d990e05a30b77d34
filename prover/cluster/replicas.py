"""A model on several GPUs: the actor that holds one copy, and the source that asks whichever copy has room.

What is drawn depends on the request alone (prover.policy.sampling), so that it is no matter which copy answers, and a
request that was lost with its copy is asked again of another.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from prover.cluster.calls import LOST, call

if TYPE_CHECKING:
    from prover.policy.batching import Coder, Source
    from prover.policy.model import Request
    from prover.policy.sampling import Answer

OUTSTANDING = 32  # requests of one asker at one replica; more wait with the asker, for whichever has room first


class Replica:
    """The actor: a model with its adapters on the GPUs that Ray gave it."""

    def __init__(self) -> None:
        self._source: Source | None = None

    async def load(self, load: Callable[[], Source]) -> None:
        """Get the model ready. Raises ModelError."""
        self._source = load()

    async def ask(self, request: Request) -> Answer:
        """The model's answer. Raises ModelError."""
        assert self._source is not None
        return await self._source.ask(request)

    async def watch(self) -> None:
        """Never answers: the call fails when the actor is lost."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Let go of the model."""
        if self._source is not None:
            await self._source.close()


class Replicas:
    """A prover.policy.batching.Source: requests go to the copy that has fewest of this asker.

    At most `outstanding` of them are at one copy at a time.
    """

    def __init__(self, coder: Callable[[], Coder], outstanding: int = OUTSTANDING) -> None:
        self._coder, self._limit = coder, outstanding
        self._asked: dict[Any, int] = {}  # requests under way, by actor
        self._changed = asyncio.Event()

    @cached_property
    def model(self) -> Coder:
        """The model without its weights."""
        return self._coder()

    def know(self, actors: Sequence[Any]) -> None:
        """Ask these copies from now on."""
        self._asked = {actor: self._asked.get(actor, 0) for actor in actors}
        self._changed.set()

    async def ask(self, request: Request) -> Answer:
        """The answer to `request`, which waits while no copy has room. Raises ModelError."""
        while True:
            replica = await self._take()
            try:
                answer: Answer = await call(replica.ask.remote(request))
            except LOST:
                self._asked.pop(replica, None)  # until we are told of it again
            else:
                return answer
            finally:
                if replica in self._asked:
                    self._asked[replica] -= 1
                self._changed.set()

    async def close(self) -> None:
        """Nothing to let go of: the copies are the cluster's."""

    async def _take(self) -> Any:
        """The least asked copy, counted as asked once more; equals by chance, as others choose among them as well."""
        while not (free := [actor for actor, count in self._asked.items() if count < self._limit]):
            self._changed.clear()
            await self._changed.wait()
        replica = min(free, key=lambda actor: (self._asked[actor], random.random()))
        self._asked[replica] += 1
        return replica
