import asyncio
import json
import os
import signal
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lean_env import wire
from lean_env.repl import STDERR_TAIL, ProcessDied, Repl
from lean_env.wire import AnswerReader, CommandAnswer, ErrorAnswer, TacticAnswer, read_answer

FAKE = (sys.executable, "-I", "-S", str(Path(__file__).parent / "fake_repl.py"))
Starter = Callable[..., Awaitable[Repl]]


@pytest.fixture
async def start() -> AsyncIterator[Starter]:
    repls: list[Repl] = []

    async def start(*options: str) -> Repl:
        repls.append(await Repl.start((*FAKE, *options)))
        return repls[-1]

    yield start
    for repl in repls:
        repl.kill()
        await repl.wait_ended()


async def died(repl: Repl, text: str) -> ProcessDied:
    with pytest.raises(ProcessDied) as caught:
        await asyncio.wait_for(repl.request({"cmd": text}), 5)
    return caught.value


def said(answer: dict[str, Any]) -> str:
    return answer["messages"][0]["data"]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ANSWERS = st.dictionaries(st.text(), JSON_VALUES, max_size=4)
GARBAGE = st.sampled_from(["", "", "info: building", "{ no json", "}", "[1, 2]", "3", '{"begun": [\n'])


@settings(max_examples=300, deadline=None)
@given(st.data(), st.lists(st.tuples(GARBAGE, ANSWERS, st.sampled_from([None, 1, 4])), max_size=5))
def test_any_layout_cut_anywhere_with_garbage_between_gives_the_same_answers(data: st.DataObject, parts: list) -> None:
    stream = "".join(
        f"{garbage}\n\n{json.dumps(answer, indent=indent, ensure_ascii=False)}\n" for garbage, answer, indent in parts
    ).encode("utf-8", "surrogatepass")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    reader = AnswerReader()
    found = [
        answer
        for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for answer in reader.feed(stream[begin:end])
    ]
    assert found == [answer for _, answer, _ in parts]


def test_each_byte_of_an_answer_of_many_lines_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"messages": [{"data": "x" * 50}] * 8_000}
    stream = json.dumps(answer, indent=1).encode() + b"\n"
    parsed: list[int] = []

    def counted(text: bytes) -> object:
        parsed.append(len(text))
        return parse(text)

    parse = wire._parse
    monkeypatch.setattr(wire, "_parse", counted)
    reader = AnswerReader()
    found = [answer for begin in range(0, len(stream), 4096) for answer in reader.feed(stream[begin : begin + 4096])]
    assert found == [answer]
    assert sum(parsed) <= len(stream) + 1  # the opening bracket is tried as an answer of one line


@pytest.mark.parametrize("layout", [(), ("--lines",)])
async def test_both_layouts_of_answers_are_read(start: Starter, layout: tuple[str, ...]) -> None:
    repl = await start(*layout)
    for text in ("theorem t : 1 = 1 := by\n  rfl", 'ℕ ⟨x⟩ 𝔸 \\ "quoted" {[', ""):
        assert said(await repl.request({"cmd": text})) == text


async def test_answers_have_types(start: Starter) -> None:
    repl = await start()
    command = read_answer(CommandAnswer, await repl.request({"cmd": "hello"}))
    assert isinstance(command, CommandAnswer)
    assert (command.env, command.messages[0].severity, command.messages[0].pos.line) == (0, "info", 1)
    tactic = read_answer(TacticAnswer, await repl.request({"tactic": "simp", "proofState": 0}))
    assert isinstance(tactic, TacticAnswer)
    assert (tactic.proof_state, tactic.goals) == (1, ("simp",))
    error = read_answer(TacticAnswer, await repl.request({"tactic": "simp", "proofState": 99}))
    assert error == ErrorAnswer(message="Unknown proof state.")


async def test_an_answer_of_100_megabytes_arrives(start: Starter) -> None:
    repl = await start()
    assert len(said(await repl.request({"cmd": "huge 100"}))) == 100 << 20
    assert said(await repl.request({"cmd": "next"})) == "next"


@pytest.mark.parametrize("kind", ["line", "lines"])
async def test_an_answer_without_end_ends_its_process_and_is_not_kept(
    start: Starter, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "LONGEST_ANSWER", 8 << 20)
    repl = await start()
    assert (await died(repl, f"flood {kind}")).returncode is None
    assert repl.flooded and repl._reader._held == 0


def test_what_is_printed_between_answers_does_not_add_up_to_one_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LONGEST_ANSWER", 1000)
    reader = AnswerReader()
    for _ in range(100):
        assert reader.feed(b"no answer " * 20 + b"\n") == []
        assert reader.feed(json.dumps({"env": [0] * 50}, indent=1).encode() + b"\n") == [{"env": [0] * 50}]
    with pytest.raises(wire.AnswerTooLong):
        reader.feed(b"x" * 1001)


async def test_a_request_of_10_megabytes_is_sent(start: Starter) -> None:
    repl = await start()
    text = "x" * (10 << 20)
    assert said(await repl.request({"cmd": text})) == text


async def test_garbage_on_stdout_is_skipped(start: Starter) -> None:
    repl = await start()
    assert said(await repl.request({"cmd": "garbage"})) == "garbage"


async def test_an_answer_printed_twice_does_not_answer_the_next_request(start: Starter) -> None:
    repl = await start("--lines")
    assert said(await repl.request({"cmd": "twice"})) == "twice"
    await asyncio.sleep(0.05)
    assert said(await repl.request({"cmd": "next"})) == "next"


async def test_an_unfinished_line_before_a_request_does_not_spoil_its_answer(start: Starter) -> None:
    repl = await start()
    await repl.request({"cmd": "prompt"})
    await asyncio.sleep(0.05)
    assert said(await asyncio.wait_for(repl.request({"cmd": "next"}), 5)) == "next"


async def test_a_line_cut_by_death_is_no_answer(start: Starter) -> None:
    death = await died(await start(), "half 0.05")
    assert death.returncode == 3


async def test_death_before_the_first_answer_tells_what_stderr_said(start: Starter) -> None:
    death = await died(await start("--exit", "5"), "hello")
    assert death.returncode == 5
    assert str(death) == "ended with exit code 5: cannot find Init.olean"


async def test_only_the_tail_of_stderr_is_kept(start: Starter) -> None:
    death = await died(await start(), "stderr 1000000")
    assert death.stderr_tail.endswith("...last words\n")
    assert len(death.stderr_tail) == STDERR_TAIL


async def test_a_missing_executable_is_named() -> None:
    repl = await Repl.start(("no-such-engine",))
    death = await died(repl, "hello")
    assert death.returncode == 127
    assert "no-such-engine" in str(death)


async def test_a_signal_from_outside_is_told_from_our_own(start: Starter) -> None:
    repl = await start()
    waiting = asyncio.create_task(died(repl, "hang"))
    await asyncio.sleep(0.05)
    os.kill(repl.pid, signal.SIGKILL)
    assert (await waiting).returncode == -signal.SIGKILL

    repl = await start()
    waiting = asyncio.create_task(died(repl, "hang"))
    await asyncio.sleep(0.05)
    repl.kill()
    assert (await waiting).returncode is None
    assert (await died(repl, "again")).returncode is None


async def test_a_process_that_closed_its_stdout_is_ended(start: Starter) -> None:
    repl = await start()
    assert (await died(repl, "closeout")).returncode is None
    await repl.wait_ended()
    assert not psutil.pid_exists(repl.pid)


async def test_a_request_on_a_busy_process_is_an_error_that_leaves_the_first_alone(start: Starter) -> None:
    repl = await start()
    first = asyncio.create_task(repl.request({"cmd": "sleep 0.1"}))
    await asyncio.sleep(0.02)
    with pytest.raises(RuntimeError, match="running already"):
        await repl.request({"cmd": "second"})
    assert said(await first) == "sleep 0.1"


async def test_a_cancelled_request_takes_its_process_with_it(start: Starter) -> None:
    repl = await start()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(repl.request({"cmd": "sleep 0.3"}), 0.05)
    assert repl.dead
    await died(repl, "next")


@pytest.mark.parametrize("by_itself", [False, True])
async def test_grandchildren_end_with_the_process(start: Starter, by_itself: bool) -> None:
    repl = await start()
    await repl.request({"cmd": "grandchild"})
    family = psutil.Process(repl.pid).children(recursive=True)
    assert len(family) == 2  # the watcher and the grandchild
    if by_itself:
        assert (await died(repl, "exit 9")).returncode == 9
    else:
        repl.kill()
    await repl.wait_ended()
    _, alive = psutil.wait_procs(family, timeout=2)
    assert alive == []


async def test_memory_counts_descendants_and_is_zero_after_the_end(start: Starter) -> None:
    repl = await start()
    await repl.request({"cmd": "grow 50"})
    assert repl.rss() > 50 << 20
    repl.kill()
    await repl.wait_ended()
    await asyncio.sleep(0.2)  # the watcher may end a little later
    assert repl.rss() == 0


@pytest.mark.parametrize("layout", [(), ("--lines",)])
async def test_a_request_costs_well_under_a_millisecond_of_our_own_time(
    start: Starter, layout: tuple[str, ...]
) -> None:
    repl = await start(*layout)
    own = []
    for _ in range(500):
        started = time.thread_time()
        await repl.request({"tactic": "simp", "proofState": 0})
        own.append(time.thread_time() - started)
    assert statistics.median(own) < 0.5e-3
