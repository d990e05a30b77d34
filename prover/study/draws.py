"""Draws that the searches of a study share.

A draw is fixed by its stream and its number (prover.policy.sampling), and the stream by the seed, the model and the
state. So the strategies of a member draw the same tactics in the same states with the same seed, and the model writes
them once. What a policy counts for itself stays as if it were alone.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import replace

from prover.policy.batching import Batcher, Coder
from prover.policy.model import Request
from prover.policy.sampling import Answer, Draws

STREAMS = 50_000  # kept, of those used last: more than the searches of a block go through

# By the numbers of the draws: the answer that has it, which may be on its way, and its place there.
_Stream = dict[int, tuple["asyncio.Task[Answer]", int]]


class SharedDraws:
    """A prover.policy.batching.Source that asks a batcher for every draw once, however many ask for it."""

    def __init__(self, batcher: Batcher, *, streams: int = STREAMS) -> None:
        self._batcher, self._most = batcher, streams
        self._streams: OrderedDict[Draws, _Stream] = OrderedDict()

    @property
    def model(self) -> Coder:
        """The model that answers."""
        return self._batcher.model

    async def ask(self, request: Request) -> Answer:
        """The batcher's answer to `request`; lets through what the batcher raises."""
        if not isinstance(request, Draws):
            return await self._batcher.ask(request)
        stream = self._stream(request)
        wanted = range(request.first, request.first + request.count)
        if missing := [n for n in wanted if n not in stream]:
            part = replace(request, first=missing[0], count=missing[-1] + 1 - missing[0])
            asked = asyncio.create_task(self._batcher.ask(part))
            stream |= {part.first + place: (asked, place) for place in range(part.count)}
        places = [stream[n] for n in wanted]
        # Who is cancelled must not take the draws from others that wait for them.
        written = tuple([(await asyncio.shield(answer)).written[place] for answer, place in places])
        return Answer(written, sum(len(each.tokens) for each in written))

    async def close(self) -> None:
        """Close the batcher."""
        await self._batcher.close()

    def _stream(self, request: Draws) -> _Stream:
        name = replace(request, first=0, count=0)
        stream = self._streams.setdefault(name, {})
        self._streams.move_to_end(name)
        if len(self._streams) > self._most:
            self._streams.popitem(last=False)
        return stream
