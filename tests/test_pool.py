import asyncio
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lean_env import pool as pool_module
from lean_env import process as process_module
from lean_env import wire
from lean_env.engine import EngineError, FailureKind
from lean_env.pool import Pool, ProcessSpec, RequestFailed
from lean_env.process import EndCause, Process

ROOT = Path(__file__).parent.parent
FAKE = (sys.executable, "-I", "-S", str(ROOT / "tests" / "fake_repl.py"))
Job = Callable[[Process], Awaitable[str]]


async def ask(process: Process, text: str, limit_s: float | None = None) -> str:
    return (await process.request({"cmd": text}, limit_s))["messages"][0]["data"]


def job(text: str, limit_s: float | None = None) -> Job:
    return lambda process: ask(process, text, limit_s)


def fakes(*options: str, warm_up: str = "ready?", start_limit_s: float = 30.0) -> ProcessSpec:
    return ProcessSpec((*FAKE, *options), warm_up=job(warm_up), start_limit_s=start_limit_s)


def running(mark: str) -> list[psutil.Process]:
    """The processes with `mark` on their command line, watchers included."""
    return [process for process in psutil.process_iter(["cmdline"]) if mark in (process.info["cmdline"] or ())]


@asynccontextmanager
async def a_pool(
    spec: ProcessSpec | None = None,
    size: int = 1,
    request_timeout_s: float = 20.0,
    memory_limit_mb: int = 2000,
    recycle_after: int = 10**9,
    spare: int = 1,
) -> AsyncIterator[Pool]:
    async with Pool(spec or fakes(), size, request_timeout_s, memory_limit_mb, recycle_after, spare) as pool:
        yield pool


async def until(claim: Callable[[], bool], within_s: float = 10.0) -> None:
    async with asyncio.timeout(within_s):
        while not claim():
            await asyncio.sleep(0.01)


async def failure(outcome: Awaitable[str]) -> RequestFailed:
    with pytest.raises(RequestFailed) as caught:
        await outcome
    return caught.value


async def test_an_answer_without_end_fails_its_request_as_one_that_takes_too_much_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire, "LONGEST_ANSWER", 8 << 20)
    monkeypatch.setattr(process_module, "LONGEST_ANSWER", 8 << 20)
    async with a_pool() as pool:
        slot = pool.assign()
        flooded = await failure(slot.run(job("flood line")))
        assert (flooded.kind, flooded.message) == (FailureKind.MEMORY, "its answer grew over 8 MiB")
        assert await slot.run(job("after")) == "after"


async def test_a_timeout_fails_the_request_that_ran_and_no_other() -> None:
    async with a_pool() as pool:
        slot = pool.assign()
        before, hung, after = await asyncio.gather(
            slot.run(job("before")), failure(slot.run(job("hang", 0.2))), slot.run(job("after"))
        )
        assert (before, hung.kind, after) == ("before", FailureKind.TIMEOUT, "after")
        assert hung.message == "no answer within 0.2 s"
        assert hung.request == {"cmd": "hang"}


async def test_a_stopped_process_is_a_timeout() -> None:
    async with a_pool(request_timeout_s=0.3) as pool:
        slot = pool.assign()
        assert (await failure(slot.run(job("stop")))).kind is FailureKind.TIMEOUT
        assert await slot.run(job("next", 20)) == "next"


async def test_growing_over_the_limit_fails_the_request_that_grew() -> None:
    async with a_pool(memory_limit_mb=100) as pool:
        slot = pool.assign()
        grown = await failure(slot.run(job("growhang 200")))
        assert (grown.kind, grown.message) == (FailureKind.MEMORY, "the process grew over 100 MiB")
        assert await slot.run(job("next")) == "next"
        assert max(pool.statistics.peak_rss_mb.values()) > 100


async def test_a_process_over_the_limit_between_requests_is_replaced_and_no_request_fails() -> None:
    async with a_pool(memory_limit_mb=100) as pool:
        slot = pool.assign()
        assert await slot.run(job("growlater 200")) == "growlater 200"
        await until(lambda: pool.statistics.ends == {EndCause.RECYCLED: 1})
        assert await slot.run(job("next")) == "next"


async def test_a_crash_is_tried_once_more(tmp_path: Path) -> None:
    async with a_pool() as pool:
        text = f"once {tmp_path / 'crashed'} exit 3"
        assert await pool.assign().run(job(text)) == text
        assert pool.statistics.ends == {EndCause.CRASH: 1}


@pytest.mark.parametrize("fault", ["exit 3", "signal SIGSEGV", "signal SIGABRT", "closeout", "half 0"])
async def test_a_second_crash_of_the_same_request_is_its_own_fault(fault: str) -> None:
    async with a_pool() as pool:
        slot = pool.assign()
        assert (await failure(slot.run(job(fault)))).kind is FailureKind.CRASH
        await until(lambda: pool.statistics.ends == {EndCause.CRASH: 2})
        assert await slot.run(job("next")) == "next"


async def test_a_crash_is_told_with_the_end_of_stderr() -> None:
    async with a_pool() as pool:
        crash = await failure(pool.assign().run(job("stderr 10")))
        assert crash.message == "ended with exit code 4: ..........last words"


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM"])
async def test_a_request_survives_three_signals_from_outside(name: str) -> None:
    seen: list[int] = []

    async def victim(process: Process) -> str:
        seen.append(process.id)
        return await ask(process, f"signal {name}" if len(seen) <= 3 else "answered")

    async with a_pool() as pool:
        assert await pool.assign().run(victim) == "answered"
        assert len(set(seen)) == 4
        assert pool.statistics.retries == 3
        seen.clear()
        assert (await failure(pool.assign().run(job(f"signal {name}")))).kind is FailureKind.CRASH


async def test_a_process_killed_while_idle_costs_nobody_anything() -> None:
    async with a_pool(size=2) as pool:
        for round_ in range(5):
            for process in psutil.Process().children():
                if "fake_repl.py" in " ".join(process.cmdline()):
                    process.kill()
            assert await pool.assign().run(job(f"round {round_}")) == f"round {round_}"
        assert pool.statistics.ends[EndCause.CRASH] == 0


@pytest.mark.parametrize("seed", [1, 2])
async def test_kills_at_random_moments_lose_and_repeat_no_answer(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # Fifty kills may hit one request more often than it is tried again.
    monkeypatch.setitem(pool_module.RETRIES, EndCause.KILLED, 50)
    chance = random.Random(seed)
    answers: list[tuple[str, str]] = []
    mark = uuid4().hex
    kills = 0

    async def session(pool: Pool, name: int) -> None:
        slot = pool.assign()
        for number in range(25):
            text = f"sleep {chance.choice([0, 0.001, 0.01])} {name}/{number}"
            answers.append((text, await slot.run(job(text))))
        pool.release(slot)

    async def killer() -> None:
        nonlocal kills
        while kills < 50:
            await asyncio.sleep(chance.uniform(0.005, 0.06))
            engines = [process for process in running(mark) if process.info["cmdline"][0] != "/bin/sh"]
            if engines:
                chance.choice(engines).kill()
                kills += 1

    async with a_pool(fakes("--mark", mark), size=2) as pool:
        killing = asyncio.create_task(killer())
        while not killing.done():
            answers.clear()
            await asyncio.gather(*(session(pool, name) for name in range(8)))
            assert len(answers) == 8 * 25
            assert all(asked == given for asked, given in answers)
        await killing
        assert pool.statistics.ends[EndCause.KILLED] + pool.statistics.failed_starts >= 30
        assert pool.statistics.ends[EndCause.CRASH] == 0


WHAT_HAPPENS = {
    "fine": ("hello", None),
    "hang": ("hang", FailureKind.TIMEOUT),
    "exit": ("exit 2", FailureKind.CRASH),
    "trap": ("signal SIGABRT", FailureKind.CRASH),
    "garbage": ("garbage", None),
    "killed": ("once {} signal SIGKILL", None),
    "crashed": ("once {} exit 1", None),
}


@pytest.fixture(scope="module")
async def shared_pool() -> AsyncIterator[Pool]:
    async with a_pool(size=2) as pool:
        yield pool


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(sorted(WHAT_HAPPENS)), st.integers(0, 1)), min_size=1, max_size=10))
async def test_each_request_ends_as_it_would_alone_whatever_its_neighbours_do(
    shared_pool: Pool, tmp_path: Path, requests: list[tuple[str, int]]
) -> None:
    texts = [WHAT_HAPPENS[fault][0].format(tmp_path / uuid4().hex) for fault, _ in requests]
    outcomes = await asyncio.gather(
        *(
            shared_pool.slots[slot].run(job(text, 0.3 if fault == "hang" else None))
            for text, (fault, slot) in zip(texts, requests, strict=True)
        ),
        return_exceptions=True,
    )
    for text, (fault, _), outcome in zip(texts, requests, outcomes, strict=True):
        expected = WHAT_HAPPENS[fault][1]
        assert (outcome.kind if isinstance(outcome, RequestFailed) else outcome) == (expected or text)


async def test_jobs_of_a_slot_run_one_at_a_time_in_the_order_they_came() -> None:
    events: list[str] = []

    async def two_steps(process: Process, name: str) -> str:
        events.append(f"begin {name}")
        await ask(process, "sleep 0.01")
        await ask(process, "hello")
        events.append(f"end {name}")
        return name

    async with a_pool() as pool:
        slot = pool.assign()
        await asyncio.gather(*(slot.run(lambda process, n=n: two_steps(process, str(n))) for n in range(5)))
    assert events == [event for n in range(5) for event in (f"begin {n}", f"end {n}")]


async def test_a_job_begins_anew_on_a_process_without_the_old_ones_state() -> None:
    steps: list[tuple[int, str]] = []

    async def replay_then_tactic(process: Process) -> str:
        if "path" not in process.state:
            steps.append((process.id, "replay"))
            process.state["path"] = (await process.request({"cmd": "replay"}))["env"]
        steps.append((process.id, "tactic"))
        return await ask(process, "signal SIGKILL" if len(steps) <= 2 else "done")

    async with a_pool() as pool:
        slot = pool.assign()
        assert await slot.run(replay_then_tactic) == "done"
        first, second = steps[0][0], steps[-1][0]
        assert first != second
        assert steps == [(first, "replay"), (first, "tactic"), (second, "replay"), (second, "tactic")]
        assert await slot.run(replay_then_tactic) == "done"
        assert steps[4:] == [(second, "tactic")]


async def test_a_failure_tells_whether_the_replay_or_the_tactic_ran() -> None:
    replay, tactic = {"cmd": "hello"}, {"cmd": "hang"}

    async def two_steps(process: Process) -> str:
        await process.request(replay)
        await process.request(tactic, 0.1)
        return "unreachable"

    async with a_pool() as pool:
        assert (await failure(pool.assign().run(two_steps))).request is tactic
        replay, tactic = {"cmd": "exit 1"}, {"cmd": "hello"}
        assert (await failure(pool.assign().run(two_steps))).request is replay


async def test_what_a_job_raises_reaches_its_caller_and_leaves_the_process() -> None:
    async def refuses(process: Process) -> str:
        raise LookupError(await ask(process, "no such theorem"))

    async with a_pool() as pool:
        slot = pool.assign()
        with pytest.raises(LookupError, match="no such theorem"):
            await slot.run(refuses)
        assert await slot.run(job("next")) == "next"
        assert pool.statistics.ends == {}


async def test_a_cancelled_job_takes_its_process_with_it_and_the_next_gets_its_own_answer() -> None:
    async with a_pool() as pool:
        slot = pool.assign()
        cancelled = asyncio.create_task(slot.run(job("sleep 0.2 late")))
        await asyncio.sleep(0.05)
        cancelled.cancel()
        assert await slot.run(job("next")) == "next"
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        await until(lambda: pool.statistics.ends == {EndCause.CANCELLED: 1})


async def test_a_process_is_recycled_after_its_number_of_requests() -> None:
    used: list[int] = []

    async def note(process: Process) -> str:
        used.append(process.id)
        return await ask(process, f"request {len(used)}")

    async with a_pool(recycle_after=11) as pool:
        slot = pool.assign()
        for number in range(1, 31):
            assert await slot.run(note) == f"request {number}"
            await until(lambda: not pool._stock.empty())
        # the request that warmed a process up counts too
        assert [used.count(id_) for id_ in dict.fromkeys(used)] == [10, 10, 10]


async def test_a_kill_costs_no_start_up_while_there_is_a_spare() -> None:
    async with a_pool(fakes("--start-delay", "1.5")) as pool:
        slot = pool.assign()
        await slot.run(job("hello"))
        await until(lambda: pool.statistics.starts == 2)
        await failure(slot.run(job("hang", 0.1)))
        killed = time.perf_counter()
        assert await slot.run(job("next")) == "next"
        assert time.perf_counter() - killed < 1.0


@pytest.mark.parametrize("spare", [0, 1])
async def test_kills_in_a_row_wait_for_a_new_process(spare: int) -> None:
    async with a_pool(fakes("--start-delay", "0.2"), spare=spare) as pool:
        slot = pool.assign()
        for _ in range(3):
            assert (await failure(slot.run(job("hang", 0.05)))).kind is FailureKind.TIMEOUT
        assert await slot.run(job("next")) == "next"


async def test_a_session_gets_the_slot_with_the_fewest_sessions() -> None:
    pool = Pool(fakes(), 2, 1, 1, 1)
    first, second, _ = pool.assign(), pool.assign(), pool.assign()
    assert {first, second} == set(pool.slots)
    pool.release(second)
    assert pool.assign() is second


async def test_statistics_count_what_was_done() -> None:
    async with a_pool() as pool:
        slot = pool.assign()
        await slot.run(job("sleep 0.2"))
        await failure(slot.run(job("hang", 0.3)))
        await until(lambda: pool.statistics.starts == 3)
        statistics = pool.statistics
        assert statistics.ends == {EndCause.TIMEOUT: 1}
        assert statistics.requests == statistics.starts + 2
        assert statistics.busy_s > 0.5
        assert set(statistics.peak_rss_mb) == {0, 1, 2}
        assert all(5 < peak < 200 for peak in statistics.peak_rss_mb.values())


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (ProcessSpec(("no-such-engine", "--x"), warm_up=job("")), "no-such-engine: not found"),
        (fakes("--exit", "6"), "ended with exit code 6: cannot find Init.olean"),
        (fakes("--start-delay", "60", start_limit_s=0.2), "no first answer within 0.2 s"),
        (ProcessSpec(FAKE, warm_up=job(""), cwd=Path("no-such-folder")), "no-such-folder"),
    ],
)
async def test_an_engine_that_does_not_start_is_said_at_once_in_one_line(spec: ProcessSpec, reason: str) -> None:
    with pytest.raises(EngineError) as caught:
        await asyncio.wait_for(Pool(spec, 2, 1, 1000, 1000).start(), 10)
    assert reason in str(caught.value)
    assert spec.command[0] in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_memory_limit_that_no_process_can_keep_is_said_at_once() -> None:
    with pytest.raises(EngineError, match="memory limit of 2 MiB is too low"):
        await Pool(fakes(), 1, 1, memory_limit_mb=2, recycle_after=1000).start()


async def test_starts_that_fail_later_are_repeated_and_then_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "BACK_OFF_S", 0.02)
    broken = tmp_path / "broken"
    async with a_pool(fakes(warm_up=f"ifexists {broken} exit 6"), spare=0) as pool:
        slot = pool.assign()
        broken.touch()
        await failure(slot.run(job("hang", 0.05)))
        waiting = asyncio.create_task(slot.run(job("after the mend")))
        await until(lambda: pool.statistics.failed_starts >= 2)
        broken.unlink()
        assert await waiting == "after the mend"

        broken.touch()
        with pytest.raises(EngineError, match="exit code 6"):
            await slot.run(job("signal SIGKILL"))


async def test_closing_ends_waiting_jobs_and_every_process() -> None:
    mark = uuid4().hex
    pool = Pool(fakes("--mark", mark, "--start-delay", "0.3"), 2, 20, 1000, 1000, spare=2)
    await pool.start()
    jobs = [asyncio.create_task(slot.run(job("hang"))) for slot in pool.slots for _ in range(2)]
    await asyncio.sleep(0.1)
    await pool.close()
    outcomes = await asyncio.gather(*jobs, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [EngineError] * 4
    _, alive = psutil.wait_procs(running(mark), timeout=2)
    assert alive == []


OWNER = """
    import asyncio, signal, sys
    from lean_env.pool import Pool
    from test_pool import fakes, job

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start with it ignored

    async def main():
        async with Pool(fakes("--mark", sys.argv[1]), 2, 60, 1000, 1000) as pool:
            first, second = pool.slots
            await first.run(job("grandchild"))
            while pool.statistics.starts < 3:
                await asyncio.sleep(0.01)
            print("up", flush=True)
            await asyncio.gather(first.run(job("hang")), second.run(job("sleep 50")))

    asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_no_process_outlives_the_program(number: signal.Signals) -> None:
    mark = uuid4().hex
    owner = subprocess.Popen(
        (sys.executable, "-c", textwrap.dedent(OWNER), mark),
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == "up\n"
    engines = [process for process in running(mark) if process.pid != owner.pid]
    assert len(engines) == 7  # two in slots, one spare, each with its watcher, and a grandchild
    owner.send_signal(number)
    owner.communicate(timeout=10)
    _, alive = psutil.wait_procs(engines, timeout=5)
    assert alive == []
