"""A supervised engine process: the limits of its requests and its memory, and why it ended."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lean_env.repl import ProcessDied, Repl
from lean_env.wire import LONGEST_ANSWER, Answer

MIB = 2**20
NEARLY_FULL = 0.9  # of the memory limit


class EndCause(StrEnum):
    """Why a process ended."""

    TIMEOUT = "timeout"  # a request ran out of its wall limit
    MEMORY = "memory"  # it grew over the memory limit during a request
    CRASH = "crash"  # by itself
    KILLED = "killed"  # by a signal from outside
    RECYCLED = "recycled"  # it had served its number of requests, or was over the memory limit between two
    CANCELLED = "cancelled"  # a job was cancelled and left it in an unknown state

    @classmethod
    def of_returncode(cls, returncode: int) -> EndCause:
        """KILLED or CRASH: of Lean's own deaths none is by a signal that somebody sends."""
        number = -returncode if returncode < 0 else returncode - 128  # a wrapper (`lake env`) reports signals so
        outside = number in {signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
        return cls.KILLED if outside else cls.CRASH


@dataclass
class Statistics:
    """What a pool did so far."""

    starts: int = 0  # processes that became ready
    failed_starts: int = 0
    ends: Counter[EndCause] = field(default_factory=Counter)  # of ready processes; each is followed by a start
    retries: int = 0  # jobs run again
    requests: int = 0
    busy_s: float = 0.0  # summed over processes; making them ready is not counted
    peak_rss_mb: dict[int, float] = field(default_factory=dict)  # MiB with descendants, as sampled, by process id


class Process:
    """A supervised process, as a job sees it. `memory_limit_mb` in MiB, `limit_s` the default limit of a request."""

    def __init__(self, number: int, repl: Repl, limit_s: float, memory_limit_mb: int, statistics: Statistics) -> None:
        self.id = number  # never used twice by a pool
        self.state: dict[str, Any] = {}  # for whoever talks to the process; lost with it
        self.requests = 0
        self.ready = False  # until it is warm
        self.nearly_full = False  # whether the next heavy request may well run into the memory limit
        self.limit_s = limit_s
        self.last_request: Mapping[str, Any] = {}
        self._last_limit_s = limit_s
        self._repl = repl
        self._memory_limit_mb = memory_limit_mb
        self._statistics = statistics
        self._ended_by: EndCause | None = None

    async def request(self, message: Mapping[str, Any], limit_s: float | None = None) -> Answer:
        """The engine's answer, within `limit_s` seconds. Jobs let ProcessDied pass: the slot decides what it means."""
        self.last_request = message
        self.requests += 1
        self._last_limit_s = self.limit_s if limit_s is None else limit_s
        timer = asyncio.get_running_loop().call_later(self._last_limit_s, self._time_out)
        started = time.perf_counter()
        try:
            return await self._repl.request(message)
        finally:
            timer.cancel()
            self._statistics.requests += 1
            if self.ready:
                self._statistics.busy_s += time.perf_counter() - started

    @property
    def dead(self) -> bool:
        """Whether it takes no more requests."""
        return self._repl.dead

    @property
    def cause(self) -> EndCause:
        """Why it ended. One that closed its pipes and lingered was killed by its Repl: its own doing."""
        returncode = self._repl.returncode
        if returncode is not None:
            return EndCause.of_returncode(returncode)
        return self._ended_by or (EndCause.MEMORY if self._repl.flooded else EndCause.CRASH)

    def explain(self, death: ProcessDied) -> str:
        """Why it ended, in one line."""
        if self.cause is EndCause.TIMEOUT:
            return f"no answer within {self._last_limit_s:g} s{death.last_words}"
        if self._repl.flooded:
            return f"its answer grew over {LONGEST_ANSWER // MIB} MiB{death.last_words}"
        if self.cause is EndCause.MEMORY:
            return f"the process grew over {self._memory_limit_mb} MiB{death.last_words}"
        return str(death)

    def end(self, cause: EndCause) -> None:
        """Kill it."""
        self._ended_by = self._ended_by or cause
        self._repl.kill()

    def sample_memory(self) -> float:
        """Its memory now in MiB; ends it when that is over the limit."""
        now = self._repl.rss() / MIB
        peaks = self._statistics.peak_rss_mb
        peaks[self.id] = max(now, peaks.get(self.id, 0.0))
        self.nearly_full = now > NEARLY_FULL * self._memory_limit_mb
        if now > self._memory_limit_mb:
            self.end(EndCause.MEMORY if self._repl.busy else EndCause.RECYCLED)
        return now

    def _time_out(self) -> None:
        if self._repl.busy:  # else the answer came while the event loop was held up
            self.end(EndCause.TIMEOUT)
