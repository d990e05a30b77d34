"""Client of one engine process that speaks the leanprover-community/repl protocol on its stdin and stdout.

Knows the life of a process; knows nothing of limits (process.py), of restarts and retries (pool.py), nor what a request
is for.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self, cast

import psutil

from lean_env.wire import Answer, AnswerReader, AnswerTooLong

STDERR_TAIL = 4096  # bytes of the process's stderr that are kept
LAST_WORDS = 300  # characters of them in an error message
LINGER_S = 1.0  # how long a process may live after it closed its stdin or stdout
REAP_S = 5.0  # how long to wait for a killed process to be gone
TREE_AGE_S = 2.0  # age at which the list of descendants is read anew; reading it walks every process of the machine

# The engine becomes a group of its own with a watcher inside: a shell that blocks on a pipe whose other end only we
# hold. When we die, by whatever signal, the pipe closes and the watcher kills the whole group. Unlike PR_SET_PDEATHSIG
# this reaches grandchildren (`lake env repl`) and works on macOS; unlike EOF on stdin it ends an engine that hangs.
LAUNCHER = '(read -r _ </dev/fd/"$0"; kill -KILL 0) >/dev/null 2>&1 & exec "$@"'


class ProcessDied(Exception):
    """The process is no more. `returncode` as in subprocess, or None when this side killed it."""

    def __init__(self, returncode: int | None, stderr_tail: str) -> None:
        self.returncode = returncode
        self.stderr_tail = stderr_tail
        super().__init__(self.how + self.last_words)

    @property
    def how(self) -> str:
        """The manner of death in words."""
        if self.returncode is None:
            return "killed by us"
        if self.returncode < 0:
            return f"ended by signal {-self.returncode}"
        return f"ended with exit code {self.returncode}"

    @property
    def last_words(self) -> str:
        """The end of its stderr in one line, after a colon; empty when it said nothing."""
        words = " ".join(self.stderr_tail.split())[-LAST_WORDS:]
        return f": {words}" if words else ""


class Repl(asyncio.SubprocessProtocol):
    """One engine process. `start` returns before the engine is ready: its first answer tells that it is."""

    def __init__(self, lifeline: io.FileIO) -> None:
        self._lifeline = lifeline  # the write end of the watcher's pipe; open until the group is killed
        self._loop = asyncio.get_running_loop()
        self._reader = AnswerReader()
        self._pending: asyncio.Future[Answer] | None = None
        self._stderr = bytearray()
        self.flooded = False  # whether it was ended because what it printed had no end
        self._group_killed = False
        self._killed = False
        self._tree: list[psutil.Process] = []
        self._tree_read_at = -TREE_AGE_S
        self.ended: asyncio.Future[None] = self._loop.create_future()  # done when nothing of the process is left

    @classmethod
    async def start(
        cls, command: Sequence[str], env: Mapping[str, str] | None = None, cwd: str | Path | None = None
    ) -> Self:
        """Start `command`. Raises OSError when there is no such `cwd`; a missing executable ends with exit code 127."""
        watched, lifeline = os.pipe()
        repl = cls(io.FileIO(lifeline, "wb"))
        try:
            await repl._loop.subprocess_exec(
                lambda: repl,
                *("/bin/sh", "-c", LAUNCHER, str(watched), *command),
                env=env,
                cwd=cwd,
                start_new_session=True,
                pass_fds=(watched,),
            )
        except BaseException:
            repl._lifeline.close()
            raise
        finally:
            os.close(watched)
        return repl

    @property
    def busy(self) -> bool:
        """Whether a request waits for its answer."""
        return self._pending is not None and not self._pending.done()

    @property
    def dead(self) -> bool:
        """Whether it takes no more requests."""
        return self._killed or self._transport.get_returncode() is not None

    @property
    def returncode(self) -> int | None:
        """How the process ended, as in subprocess; None while it lives and when this side killed it."""
        return None if self._killed else self._transport.get_returncode()

    async def request(self, message: Mapping[str, Any]) -> Answer:
        """Send `message`, wait for the answer. One at a time; a request that is cancelled takes the process with it.

        Raises ProcessDied, and UnicodeEncodeError for a text with a lone surrogate.
        """
        if self.busy:
            raise RuntimeError("this process has a request running already")
        if self.dead:
            await self.wait_ended()  # until its last words are read
            raise self._death()
        # The community REPL wants a blank line after a request, and older ones take no surrogate pair for an escape.
        line = json.dumps(message, ensure_ascii=False).encode() + b"\n\n"
        self._reader.reset()  # what was printed before the request is no answer to it
        self._pending = self._loop.create_future()
        self._stdin.write(line)
        try:
            return await self._pending
        except asyncio.CancelledError:
            self.kill()  # the answer that is still due would be taken for that of the next request
            raise

    def kill(self) -> None:
        """End the process and all of its group at once; a running request raises ProcessDied."""
        self._killed = self._killed or self._transport.get_returncode() is None
        self._kill_group()
        self._fail_pending()

    async def wait_ended(self) -> None:
        """Wait until the process is gone and its pipes are closed, REAP_S seconds at most."""
        await asyncio.wait({self.ended}, timeout=REAP_S)

    def rss(self) -> int:
        """Resident bytes of the process and its descendants; those that are gone count nothing."""
        if (now := time.monotonic()) - self._tree_read_at >= TREE_AGE_S:
            self._tree_read_at = now
            self._tree = []
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(self.pid)
                self._tree = [process, *process.children(recursive=True)]
        total = 0
        for process in self._tree:
            with contextlib.suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
        return total

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The process was started (called by asyncio)."""
        self._transport = cast(asyncio.SubprocessTransport, transport)
        self._stdin = cast(asyncio.WriteTransport, self._transport.get_pipe_transport(0))
        self.pid = self._transport.get_pid()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """It printed something (called by asyncio)."""
        if fd == 1:
            if self.flooded:
                return  # what was on its way when it was ended
            try:
                answers = self._reader.feed(data)
            except AnswerTooLong:
                self._reader.reset()
                self.flooded = True
                self.kill()
                return
            for answer in answers:
                if self._pending is not None and not self._pending.done():
                    self._pending.set_result(answer)
        else:
            self._stderr += data
            del self._stderr[:-STDERR_TAIL]

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """It closed a pipe (called by asyncio): it is ending, and if it does not, it is of no more use."""
        if fd < 2:  # noqa: PLR2004  (stdin and stdout)
            self._loop.call_later(LINGER_S, self.kill)

    def process_exited(self) -> None:
        """The process itself has ended (called by asyncio); what it left behind would keep its pipes open."""
        self._kill_group()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended and everything it printed was read (called by asyncio)."""
        self._transport.close()
        self.ended.set_result(None)
        self._fail_pending()

    def _kill_group(self) -> None:
        # Once only, while the watcher keeps the group's number from being given to others.
        if not self._group_killed:
            self._group_killed = True
            with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS refuses for a group of zombies
                os.killpg(self.pid, signal.SIGKILL)
            self._lifeline.close()

    def _fail_pending(self) -> None:
        if self._pending is not None and not self._pending.done():
            self._pending.set_exception(self._death())

    def _death(self) -> ProcessDied:
        return ProcessDied(self.returncode, self._stderr.decode("utf-8", "replace"))
