"""Tasks of which any may end the whole run by its error, and the lives of actors that are begun again after a loss."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from prover.cluster.calls import LOST

PAUSE_S = 1.0  # before something is tried again after a loss
STARTS = 10  # of one actor in one place, of which none lasts; and of the search of one theorem
LASTING_S = 600.0  # an actor that lived so long was no failed start


class Tasks:
    """What goes on at once in a run. For one event loop, in which it is made."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin `work`, whose error ends the run."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def keep(self, what: str, life: Callable[[], Awaitable[None]], error: type[Exception]) -> asyncio.Task[None]:
        """Live `life`, and again whenever its actor is lost; `error` when it does not last. `what` is its name."""
        return self.spawn(self._keep(what, life, error))

    async def wait(self, waited: Coroutine[Any, Any, object]) -> None:
        """Wait for something. Raises what a task has raised, instead."""
        waiting = asyncio.ensure_future(waited)
        try:
            either: set[asyncio.Future[Any]] = {waiting, self._failure}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if self._failure.done():
                self._failure.result()
            await waiting
        finally:
            waiting.cancel()

    async def close(self) -> None:
        """Cancel everything that still goes on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._failure.done():
            self._failure.exception()  # has been raised, or came too late to matter

    async def _keep(self, what: str, life: Callable[[], Awaitable[None]], error: type[Exception]) -> None:
        short_lives = 0
        while short_lives < STARTS:
            began = time.monotonic()
            try:
                return await life()
            except LOST as loss:
                why = str(loss).splitlines()[-1].strip()
                self._say(f"{what} is lost ({why})")
            short_lives = short_lives + 1 if time.monotonic() - began < LASTING_S else 0
            await asyncio.sleep(PAUSE_S)
        raise error(f"{what} was lost {STARTS} times, lastly: {why}: see Ray's logs on that node, or take it out")

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) and not self._failure.done():
            self._failure.set_exception(error)
