"""Draws that the searches of a study share; the model is a stand-in whose draws tell their streams and numbers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prover.policy.batching import Batcher
from prover.policy.beams import Beams
from prover.policy.model import Prompt, Request
from prover.policy.sampling import Answer, Draws, Written
from prover.study.draws import SharedDraws

Asked = tuple[int, int, int]  # stream, first draw, how many


class Writer:
    """Counts how often it makes each draw; one in three has two tokens."""

    adapters = ()
    parameters = 1

    def __init__(self) -> None:
        self.made: Counter[tuple[int, int]] = Counter()

    def encode(self, state: str) -> Prompt:
        return Prompt(tuple(state.encode()), False)

    def decode(self, tokens: Sequence[int]) -> str:
        return " ".join(map(str, tokens))

    def run(self, requests: Sequence[Request]) -> list[Answer]:
        return [self._answer(request) for request in requests]

    def _answer(self, request: Request) -> Answer:
        if isinstance(request, Beams):
            return Answer((Written((7,), True, -1.0),), 1)
        written = []
        for n in range(request.first, request.first + request.count):
            self.made[request.key, n] += 1
            written.append(Written((request.key, n)[n % 3 == 0 :], True, -1.0))
        return Answer(tuple(written), sum(len(each.tokens) for each in written))


def draws(asked: Asked, temperature: float = 1.0) -> Draws:
    stream, first, count = asked
    return Draws((stream,), None, temperature, key=stream, first=first, count=count)


REQUESTS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 8), st.integers(1, 6)), min_size=1, max_size=12)


@given(REQUESTS, st.integers(1, 3))
async def test_every_request_is_answered_as_if_it_were_alone(requests: list[Asked], streams: int) -> None:
    alone, together = Batcher(Writer(), max_rows=4), SharedDraws(Batcher(Writer(), max_rows=4), streams=streams)
    answers = await asyncio.gather(*(together.ask(draws(each)) for each in requests))
    assert answers == [await alone.ask(draws(each)) for each in requests]
    await alone.close()
    await together.close()


@given(st.permutations([count for count in (1, 2, 4, 8) for _ in range(3)]))
async def test_a_draw_is_made_once_however_many_ask_for_it(counts: list[int]) -> None:
    writer = Writer()
    shared = SharedDraws(Batcher(writer, max_rows=4))
    await asyncio.gather(*(shared.ask(draws((0, 0, count))) for count in counts))
    assert writer.made == {(0, n): 1 for n in range(8)}
    await shared.close()


async def test_draws_at_another_temperature_are_others() -> None:
    writer = Writer()
    shared = SharedDraws(Batcher(writer))
    for temperature in (1.0, 1.3):
        await shared.ask(draws((0, 0, 2), temperature))
    assert writer.made == {(0, 0): 2, (0, 1): 2}
    await shared.close()


async def test_who_is_cancelled_leaves_the_draws_to_others() -> None:
    shared = SharedDraws(Batcher(Writer()))
    gone, stays = (asyncio.create_task(shared.ask(draws((0, 0, 2)))) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    assert len((await stays).written) == 2
    with pytest.raises(asyncio.CancelledError):
        await gone
    await shared.close()


async def test_beams_go_through() -> None:
    shared = SharedDraws(Batcher(Writer()))
    assert (await shared.ask(Beams((0,), None, 1))).written[0].tokens == (7,)
    await shared.close()
