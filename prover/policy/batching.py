"""Requests of all running searches answered together by one model, in a thread of its own.

A batch starts as soon as the model is free and somebody waits: what is asked while it runs goes into the next one, so
batches grow with the number of searches by themselves, and nobody waits for company. Torch lets go of the interpreter
while it computes, so that Lean and the searches go on meanwhile.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Protocol

from prover.policy.model import Prompt, Request
from prover.policy.sampling import Answer, Draws, Written

MAX_ROWS = 64


class Coder(Protocol):
    """What policies need of a model beside its answers."""

    @property
    def adapters(self) -> Sequence[str]:
        """The names of its adapters."""
        ...

    @property
    def parameters(self) -> int:
        """How many numbers it is made of."""
        ...

    def encode(self, state: str) -> Prompt:
        """The prompt for a pretty-printed state."""
        ...

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of a tactic."""
        ...


class Source(Protocol):
    """Whom policies ask for tactics, several at a time: a batcher, an engine of vLLM, or a server."""

    @property
    def model(self) -> Coder:
        """The model that answers."""
        ...

    async def ask(self, request: Request) -> Answer:
        """The answer to `request`. Raises ModelError."""
        ...

    async def close(self) -> None:
        """Nothing can be asked afterwards."""
        ...


class Model(Coder, Protocol):
    """What a batcher runs: prover.policy.model.TacticModel is one."""

    def run(self, requests: Sequence[Request]) -> list[Answer]:
        """Answer `requests` together, in their order."""
        ...


@dataclass(frozen=True)
class BatchStatistics:
    """What the model did so far.

    `prompt_tokens` counts a prompt once for every batch that it was read in, `generated_tokens` all that was written.
    `cut_off` are draws that came to no end. `busy_s` are the seconds in which a batch ran, `failed` the batches that
    raised something.
    """

    batches: int = 0
    failed: int = 0
    rows: int = 0
    prompt_tokens: int = 0
    generated_tokens: int = 0
    cut_off: int = 0
    busy_s: float = 0.0

    @property
    def rows_per_batch(self) -> float:
        """How full batches were, on average."""
        return self.rows / self.batches if self.batches else 0.0


@dataclass
class _Waiting:
    """A request on its way: what of it is in no batch yet (`whole` when all is), and what has been written for it."""

    left: Request
    future: asyncio.Future[Answer]
    whole: bool = False
    written: list[Written] = field(default_factory=list)
    tokens: int = 0


class Batcher:
    """Collects requests, runs them in batches of at most `max_rows` rows, and hands out the answers.

    Requests are served in the order of their arrival. Draws that do not fit a batch go in part into the next ones;
    beams wider than `max_rows` run alone. A request whose asker was cancelled is left out of the batches to come,
    and what is written for it by then is thrown away. What the model raises reaches all who are in the batch.
    """

    def __init__(self, model: Model, *, max_rows: int = MAX_ROWS) -> None:
        if max_rows < 1:
            raise ValueError(f"a batch must have at least 1 row; max_rows is {max_rows}")
        self.model, self._max_rows = model, max_rows
        self._queue: deque[_Waiting] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tactic model")
        self._dispatcher: asyncio.Task[None] | None = None
        self._closed = False
        self.statistics = BatchStatistics()

    async def ask(self, request: Request) -> Answer:
        """The model's answer to `request`; lets through what the model raises. RuntimeError after `close`."""
        if self._closed:
            raise RuntimeError("the batcher is closed: ask before, or start another")
        waiting = _Waiting(request, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        if self._dispatcher is None or self._dispatcher.done():
            self._dispatcher = asyncio.create_task(self._dispatch())
        return await waiting.future

    async def close(self) -> None:
        """Let the batch that runs come to its end, and cancel those who still wait; nothing can be asked afterwards."""
        self._closed = True
        for waiting in self._queue:
            waiting.future.cancel()
        if self._dispatcher is not None:
            await asyncio.wait([self._dispatcher])
        self._thread.shutdown()

    async def _dispatch(self) -> None:
        loop = asyncio.get_running_loop()
        while self._queue:
            await asyncio.sleep(0)  # whoever is about to ask in this turn of the loop is in the batch
            batch = self._take()
            if not batch:
                continue
            started = loop.time()
            run = loop.run_in_executor(self._thread, self.model.run, [request for _, request in batch])
            await asyncio.wait([run])
            error = run.exception()
            self._count([request for _, request in batch], None if error else run.result(), loop.time() - started)
            for index, (waiting, _) in enumerate(batch):
                if error is None:
                    _receive(waiting, run.result()[index])
                elif not waiting.future.done():
                    waiting.future.set_exception(error)

    def _take(self) -> list[tuple[_Waiting, Request]]:
        """The next batch off the queue: those who wait, with the part of their request that is in it."""
        batch: list[tuple[_Waiting, Request]] = []
        free = self._max_rows
        while self._queue and free > 0:
            waiting = self._queue[0]
            request = part = waiting.left
            if waiting.future.done():  # cancelled, or a batch with an earlier part of it failed
                self._queue.popleft()
                continue
            if isinstance(request, Draws) and request.count > free:
                part = replace(request, count=free)
                waiting.left = replace(request, first=request.first + free, count=request.count - free)
            elif request.rows <= free or not batch:
                waiting.whole = True
                self._queue.popleft()
            else:
                break
            batch.append((waiting, part))
            free -= part.rows
        return batch

    def _count(self, requests: Sequence[Request], answers: Sequence[Answer] | None, seconds: float) -> None:
        before = self.statistics
        prompts = {(request.prompt, request.adapter) for request in requests}
        self.statistics = BatchStatistics(
            batches=before.batches + 1,
            failed=before.failed + (answers is None),
            rows=before.rows + sum(request.rows for request in requests),
            prompt_tokens=before.prompt_tokens + sum(len(prompt) for prompt, _ in prompts),
            generated_tokens=before.generated_tokens + sum(answer.tokens for answer in answers or ()),
            cut_off=before.cut_off + sum(not each.ended for answer in answers or () for each in answer.written),
            busy_s=before.busy_s + seconds,
        )


def _receive(waiting: _Waiting, answer: Answer) -> None:
    """Add what was written in one batch; the request is answered with the last of its parts."""
    waiting.written += answer.written
    waiting.tokens += answer.tokens
    if waiting.whole and not waiting.future.done():
        waiting.future.set_result(Answer(tuple(waiting.written), waiting.tokens))
