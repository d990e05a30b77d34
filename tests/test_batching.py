"""Requests of searches that run together, answered in batches; the model is a stand-in that tests can hold up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence

import pytest

from prover.policy.batching import Batcher
from prover.policy.beams import Beams
from prover.policy.model import Prompt, Request
from prover.policy.sampling import Answer, Draws, Written

HOLD_S = 30  # a test that waits this long has failed


class FakeModel:
    """Writes the number of each draw as its one token; remembers its batches, and waits in each while it is held."""

    def __init__(self) -> None:
        self.batches: list[list[Request]] = []
        self.fails: list[Exception] = []
        self.running, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()

    adapters = ("a",)
    parameters = 1000

    def encode(self, state: str) -> Prompt:
        return Prompt(tuple(state.encode()), False)

    def decode(self, tokens: Sequence[int]) -> str:
        return " ".join(map(str, tokens))

    def run(self, requests: Sequence[Request]) -> list[Answer]:
        self.batches.append(list(requests))
        self.running.set()
        assert self.go_on.wait(HOLD_S)
        if self.fails:
            raise self.fails.pop()
        return [_answer(request) for request in requests]

    async def until_running(self) -> None:
        assert await asyncio.to_thread(self.running.wait, HOLD_S)
        self.running.clear()


def _answer(request: Request) -> Answer:
    first = request.first if isinstance(request, Draws) else 0
    written = tuple(Written((first + n,), n % 4 != 3, -1.0) for n in range(request.rows))
    return Answer(written, request.rows)


def draws(prompt: str, count: int, adapter: str | None = None) -> Draws:
    return Draws(tuple(prompt.encode()), adapter, 1.0, key=0, first=0, count=count)


def beams(prompt: str, width: int) -> Beams:
    return Beams(tuple(prompt.encode()), None, width)


def numbers(answer: Answer) -> list[int]:
    return [written.tokens[0] for written in answer.written]


def sizes(model: FakeModel) -> list[list[int]]:
    return [[request.rows for request in batch] for batch in model.batches]


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
async def batcher(model: FakeModel) -> AsyncIterator[Batcher]:
    batcher = Batcher(model, max_rows=8)
    yield batcher
    model.go_on.set()
    await batcher.close()


async def test_a_request_goes_at_once_when_the_model_is_free(model: FakeModel, batcher: Batcher) -> None:
    model.go_on.clear()
    first = asyncio.create_task(batcher.ask(draws("x", 2)))
    await model.until_running()
    assert sizes(model) == [[2]]
    model.go_on.set()
    assert numbers(await first) == [0, 1]


async def test_searches_that_ask_in_the_same_turn_share_a_batch(model: FakeModel, batcher: Batcher) -> None:
    await asyncio.gather(*(batcher.ask(draws(f"x{n}", 2)) for n in range(3)))
    assert sizes(model) == [[2, 2, 2]]


async def test_what_is_asked_while_the_model_runs_goes_together_into_the_next_batch(
    model: FakeModel, batcher: Batcher
) -> None:
    model.go_on.clear()
    tasks = [asyncio.create_task(batcher.ask(draws("x", 2)))]
    await model.until_running()
    for n in range(3):
        tasks.append(asyncio.create_task(batcher.ask(draws(f"y{n}", 2))))
        await asyncio.sleep(0)
    model.go_on.set()
    await asyncio.gather(*tasks)
    assert sizes(model) == [[2], [2, 2, 2]]


async def test_no_batch_has_more_rows_than_allowed_and_split_draws_come_back_whole(
    model: FakeModel, batcher: Batcher
) -> None:
    small, large, last = await asyncio.gather(*(batcher.ask(draws(f"x{n}", n)) for n in (3, 19, 2)))
    assert sizes(model) == [[3, 5], [8], [6, 2]]
    assert numbers(large) == list(range(19)) and large.tokens == 19
    assert numbers(small) == [0, 1, 2] and numbers(last) == [0, 1]


async def test_beams_are_not_split_and_wider_ones_than_a_batch_run_alone(model: FakeModel, batcher: Batcher) -> None:
    await asyncio.gather(*(batcher.ask(beams("x", width)) for width in (4, 6, 20, 1)))
    assert sizes(model) == [[4], [6], [20], [1]]


async def test_a_cancelled_request_does_not_disturb_the_others_of_its_batch(model: FakeModel, batcher: Batcher) -> None:
    model.go_on.clear()
    tasks = [asyncio.create_task(batcher.ask(draws(f"x{n}", 2))) for n in range(3)]
    await model.until_running()
    tasks[1].cancel()
    model.go_on.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(answers[1], asyncio.CancelledError)
    assert [numbers(answer) for answer in (answers[0], answers[2]) if isinstance(answer, Answer)] == [[0, 1], [0, 1]]
    assert numbers(await batcher.ask(draws("z", 1))) == [0]


async def test_a_request_cancelled_while_it_waits_is_never_run(model: FakeModel, batcher: Batcher) -> None:
    model.go_on.clear()
    first = asyncio.create_task(batcher.ask(draws("x", 2)))
    await model.until_running()
    waiting = asyncio.create_task(batcher.ask(draws("y", 3)))
    await asyncio.sleep(0)
    waiting.cancel()
    other = asyncio.create_task(batcher.ask(draws("z", 4)))
    model.go_on.set()
    await asyncio.gather(first, other)
    assert sizes(model) == [[2], [4]]


async def test_the_rest_of_a_split_request_is_not_run_once_it_is_cancelled(model: FakeModel, batcher: Batcher) -> None:
    model.go_on.clear()
    large = asyncio.create_task(batcher.ask(draws("x", 24)))
    await model.until_running()
    large.cancel()
    other = asyncio.create_task(batcher.ask(draws("y", 1)))
    model.go_on.set()
    await other
    assert sizes(model) == [[8], [1]]


async def test_what_the_model_raises_reaches_everybody_in_the_batch_and_nobody_after_it(
    model: FakeModel, batcher: Batcher
) -> None:
    model.fails.append(RuntimeError("broken"))
    answers = await asyncio.gather(*(batcher.ask(draws(f"x{n}", 4)) for n in range(4)), return_exceptions=True)
    assert [str(answer) for answer in answers[:2]] == ["broken", "broken"]
    assert [numbers(answer) for answer in answers[2:] if isinstance(answer, Answer)] == [[0, 1, 2, 3]] * 2
    assert batcher.statistics.failed == 1


async def test_a_split_request_of_which_a_part_failed_is_run_no_further(model: FakeModel, batcher: Batcher) -> None:
    model.fails.append(RuntimeError("broken"))
    with pytest.raises(RuntimeError, match="broken"):
        await batcher.ask(draws("x", 24))
    await batcher.ask(draws("y", 1))
    assert sizes(model) == [[8], [1]]


async def test_the_event_loop_goes_on_while_the_model_runs(model: FakeModel, batcher: Batcher) -> None:
    model.go_on.clear()
    task = asyncio.create_task(batcher.ask(draws("x", 1)))
    await model.until_running()
    for _ in range(100):  # turns of the loop, as Lean's answers would need them
        await asyncio.sleep(0)
    assert not task.done()
    model.go_on.set()
    await task


async def test_statistics_count_rows_tokens_cut_off_draws_and_each_prompt_once_a_batch(
    model: FakeModel, batcher: Batcher
) -> None:
    asked = [draws("four", 4), draws("four", 1), draws("four", 1, adapter="a"), draws("fives", 2)]
    await asyncio.gather(*map(batcher.ask, asked))
    await batcher.ask(draws("fives", 2))
    found = batcher.statistics
    assert (found.batches, found.rows, found.rows_per_batch, found.failed) == (2, 10, 5.0, 0)
    assert found.prompt_tokens == (4 + 4 + 5) + 5  # one prompt under two adapters is read twice
    assert found.generated_tokens == 10
    assert found.cut_off == 1


async def test_closing_lets_the_batch_that_runs_end_and_cancels_who_waits(model: FakeModel, batcher: Batcher) -> None:
    model.go_on.clear()
    first = asyncio.create_task(batcher.ask(draws("x", 1)))
    await model.until_running()
    waiting = asyncio.create_task(batcher.ask(draws("y", 1)))
    await asyncio.sleep(0)
    closing = asyncio.create_task(batcher.close())
    await asyncio.sleep(0)
    model.go_on.set()
    await closing
    assert numbers(await first) == [0]
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert sizes(model) == [[1]]
    with pytest.raises(RuntimeError, match="closed"):
        await batcher.ask(draws("z", 1))


def test_a_batch_of_no_rows_is_refused(model: FakeModel) -> None:
    with pytest.raises(ValueError, match="max_rows is 0"):
        Batcher(model, max_rows=0)
