"""Supervision of engine processes: restarts, retries, warm spares.

A session is assigned a slot and gives it jobs; a job talks to the slot's process and is run again from its beginning on
another process when the one it had dies without its fault. What a session remembers of a process (environments, proof
states) is void with the process: `Process.id` tells them apart and `Process.state` is lost with it.
"""

from __future__ import annotations

import asyncio
import itertools
import shlex
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from lean_env.engine import EngineError, FailureKind
from lean_env.process import EndCause, Process, Statistics
from lean_env.repl import ProcessDied, Repl

T = TypeVar("T")

SAMPLE_S = 0.05  # between two looks at the memory of all processes
MAX_FAILED_STARTS = {EndCause.CRASH: 5, EndCause.KILLED: 25}  # in a row; then the pool gives up
BACK_OFF_S = 0.1  # after a failed start, doubled at each that is the engine's own fault

# How often a job is run again after its process ended so. Running out of time is the job's own fault; a crash may have
# been left over from an earlier request, and memory taken by earlier ones; a signal from outside says nothing about it.
RETRIES = {EndCause.CRASH: 1, EndCause.MEMORY: 1, EndCause.KILLED: 3, EndCause.RECYCLED: 3}

BLAME = {EndCause.TIMEOUT: FailureKind.TIMEOUT, EndCause.MEMORY: FailureKind.MEMORY}  # the others: CRASH


class RequestFailed(Exception):
    """A request took its process with it. `request` is the one that was running when the process last ended."""

    def __init__(self, kind: FailureKind, message: str, request: Mapping[str, Any]) -> None:
        self.kind = kind
        self.message = message
        self.request = request
        super().__init__(f"{kind}: {message}")


@dataclass(frozen=True)
class ProcessSpec:
    """How to start an engine process and make it ready.

    `warm_up` sends the first requests, each within `start_limit_s` seconds; it may fill `Process.state`. What it raises
    besides ProcessDied ends the pool.
    """

    command: tuple[str, ...]
    warm_up: Callable[[Process], Awaitable[object]]
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    start_limit_s: float = 120.0


class Slot:
    """Runs jobs one at a time, in the order they came, each on a live process."""

    def __init__(self, pool: Pool) -> None:
        self.sessions = 0
        self._pool = pool
        self._process: Process | None = None
        self._turn = asyncio.Lock()

    async def run(self, job: Callable[[Process], Awaitable[T]]) -> T:
        """The result of `job`, which nobody else disturbs on its process.

        `job` is run again from its beginning when the process ends through no fault of its own. Raises RequestFailed
        when a request ran out of a limit or the process keeps dying under the job, EngineError when no process can be
        started, and what `job` raises.
        """
        async with self._turn:
            ends: Counter[EndCause] = Counter()
            while True:
                if self._process is None or self._process.dead:
                    self._process = None
                    self._process = await self._pool.take()
                process = self._process
                try:
                    result = await job(process)
                except ProcessDied as death:
                    cause = process.cause
                    ends[cause] += 1
                    if ends[cause] > RETRIES.get(cause, 0):
                        kind = BLAME.get(cause, FailureKind.CRASH)
                        raise RequestFailed(kind, process.explain(death), process.last_request) from death
                    self._pool.statistics.retries += 1
                except asyncio.CancelledError:
                    process.end(EndCause.CANCELLED)
                    raise
                else:
                    self._pool.recycle(process)
                    return result


class Pool:
    """`size` slots and the processes for them, with `spare` more kept warm, so that a kill costs no start-up.

    Args:
        request_timeout_s: wall limit of one request, unless the request says another.
        memory_limit_mb: resident MiB that a process with its descendants may have.
        recycle_after: requests after which a process is replaced.
    """

    def __init__(
        self,
        spec: ProcessSpec,
        size: int,
        request_timeout_s: float,
        memory_limit_mb: int,
        recycle_after: int,
        spare: int = 1,
    ) -> None:
        self.statistics = Statistics()
        self.slots = tuple(Slot(self) for _ in range(size))
        self._spec = spec
        self._request_timeout_s = request_timeout_s
        self._memory_limit_mb = memory_limit_mb
        self._recycle_after = recycle_after
        self._spare = spare
        self._ids = itertools.count()
        self._live: dict[Process, Repl] = {}  # ready, whether in a slot or in stock
        self._stock: asyncio.Queue[Process | BaseException] = asyncio.Queue()
        self._starts: set[asyncio.Task[Process]] = set()
        self._start_turns = asyncio.Semaphore(size)
        self._sampler: asyncio.TimerHandle | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Start all processes and wait for the first to be ready. Raises EngineError when it will not start."""
        for _ in range(len(self.slots) + self._spare):
            self._launch()
        self._sample_memory()
        try:
            self._stock.put_nowait(await self.take())
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End every process. Jobs that run or wait raise EngineError."""
        self._closed = True
        if self._sampler is not None:
            self._sampler.cancel()
        for start in self._starts:
            start.cancel()
        self._stock.put_nowait(EngineError("the engine was closed while it was in use"))
        ending = tuple(self._live.values())
        for process in tuple(self._live):
            process.end(EndCause.RECYCLED)
        await asyncio.gather(*self._starts, return_exceptions=True)
        await asyncio.gather(*(repl.wait_ended() for repl in ending))

    def assign(self) -> Slot:
        """The slot with the fewest sessions, with one more."""
        slot = min(self.slots, key=lambda slot: slot.sessions)
        slot.sessions += 1
        return slot

    def release(self, slot: Slot) -> None:
        """A session no longer needs its slot."""
        slot.sessions -= 1

    async def take(self) -> Process:
        """A ready process out of the stock, when there is one. Raises EngineError when none will come."""
        while True:
            found = await self._stock.get()
            if isinstance(found, BaseException):
                self._stock.put_nowait(found)  # for the next who asks
                raise found
            if not found.dead:
                return found

    def recycle(self, process: Process) -> None:
        """End `process` between two jobs if it has served long enough, or is nearly full, and another is ready."""
        served = process.requests >= self._recycle_after or process.nearly_full
        if served and (not self._stock.empty() or not self._spare):
            process.end(EndCause.RECYCLED)

    def _launch(self) -> None:
        start = asyncio.get_running_loop().create_task(self._start())
        self._starts.add(start)
        start.add_done_callback(self._stock_up)

    def _stock_up(self, start: asyncio.Task[Process]) -> None:
        self._starts.discard(start)
        if not start.cancelled():
            self._stock.put_nowait(start.exception() or start.result())

    async def _start(self) -> Process:
        async with self._start_turns:
            failures: Counter[EndCause] = Counter()
            while True:
                try:
                    return await self._start_once()
                except (ProcessDied, OSError) as failure:
                    self.statistics.failed_starts += 1
                    cause = _cause_of_failed_start(failure)
                    failures[cause] += 1
                    never_worked = cause is EndCause.CRASH and self.statistics.starts == 0
                    if never_worked or failures[cause] == MAX_FAILED_STARTS[cause]:
                        raise EngineError(self._explain_failed_start(failure)) from failure
                    await asyncio.sleep(BACK_OFF_S * 2 ** failures[EndCause.CRASH])

    async def _start_once(self) -> Process:
        spec = self._spec
        repl = await Repl.start(spec.command, spec.env, spec.cwd)
        process = Process(next(self._ids), repl, spec.start_limit_s, self._memory_limit_mb, self.statistics)
        try:
            await spec.warm_up(process)
            if (needs := process.sample_memory()) > self._memory_limit_mb:
                limit = f"the memory limit of {self._memory_limit_mb} MiB"
                raise EngineError(f"{limit} is too low: a fresh process has {needs:.0f} MiB; raise the limit")
        except BaseException:
            repl.kill()
            await repl.wait_ended()
            raise
        process.limit_s, process.ready = self._request_timeout_s, True
        self.statistics.starts += 1
        self._live[process] = repl
        repl.ended.add_done_callback(lambda _: self._replace(process))
        return process

    def _explain_failed_start(self, failure: ProcessDied | OSError) -> str:
        reason = str(failure)
        if isinstance(failure, ProcessDied) and failure.returncode is None:
            reason = f"no first answer within {self._spec.start_limit_s:g} s{failure.last_words}"
        return f"the engine does not start: {reason}; try its command in a terminal: {shlex.join(self._spec.command)}"

    def _replace(self, process: Process) -> None:
        del self._live[process]
        if not self._closed:
            self.statistics.ends[process.cause] += 1
            self._launch()

    def _sample_memory(self) -> None:
        for process in tuple(self._live):
            process.sample_memory()
        self._sampler = asyncio.get_running_loop().call_later(SAMPLE_S, self._sample_memory)


def _cause_of_failed_start(failure: ProcessDied | OSError) -> EndCause:
    returncode = failure.returncode if isinstance(failure, ProcessDied) else None
    return EndCause.CRASH if returncode is None else EndCause.of_returncode(returncode)
