"""How fast the embedded engine is, and how much memory it takes: `python -m benchmarks.perf_engine`.

Prints one JSON line a figure. Times are wall times on whatever else the machine does, so the lines that compare two
ways of doing the same were measured in turn, in one run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import time
from collections.abc import Iterator

from lean_env.embedded.engine import EmbeddedEngine
from lean_env.embedded.install import install
from lean_env.engine import ProofState, Session, Theorem

# Small theorems of the kinds a search meets, by number so that no two goals are equal.
GOALS = (
    "(p q : Prop) (h₀ : p ∧ (q ∨ {n} = {n})) : p",
    "(a b : ℕ) (h₀ : a + {n} < b) : a < b",
    "(x y : ℤ) (h₀ : 2 * x + y = {n}) (h₁ : x - y = {n}) : 3 * x = 2 * {n}",
    "(f : ℕ → ℕ) (h₀ : ∀ x, f x = x + {n}) : f (f 0) = 2 * {n}",
    "(xs : List ℕ) : (xs ++ [{n}]).length = xs.length + 1",
    "(x y : ℚ) (h₀ : x + y = {n}) (h₁ : x - y = 0) : 2 * x = {n}",
    "(a b c : ℕ) : a * (b + c) + {n} = a * b + a * c + {n}",
)
DOZEN = (
    "intro x",
    "rfl",
    "skip",
    "exact h₀",
    "constructor",
    "simp",
    "omega",
    "cases h₀",
    "rw [h₀]",
    "have h : 1 = 1 := rfl",
    "norm_cast",
    "exact?",
)
STEPS = (*DOZEN[:-1], "simp [h₀]", "decide", "induction a", "obtain ⟨h, k⟩ := h₀", "exact h₀.1", "left", "intros")
AUTOMATION = (*STEPS, "simp_all", "grind")
PREFIX = ("have k₀ : 1 + 1 = 2 := by omega", "have k₁ : 2 + 2 = 4 := by omega", "have k₂ : 3 ≤ 4 := by omega")


def goals(seed: int) -> Iterator[Theorem]:
    """Theorems without end, the same for a seed."""
    numbers = random.Random(seed)
    while True:
        number = numbers.randrange(2, 1000)
        shape = numbers.choice(GOALS).format(n=number)
        yield Theorem("goal", f"theorem goal {shape} := by sorry")


def show(what: str, **figures: float | str) -> None:
    """Print one line of the table."""
    print(json.dumps({"what": what, **figures}, ensure_ascii=False), flush=True)


async def start_up(runs: int) -> None:
    """Time until a process with its prelude answers, and its resident memory then."""
    seconds, megabytes = [], []
    for _ in range(runs):
        began = time.perf_counter()
        engine = await EmbeddedEngine.start(1, spare=0)
        seconds.append(time.perf_counter() - began)
        megabytes.append(next(iter(engine.pool.statistics.peak_rss_mb.values())))
        await engine.close()
    show("ready, import Init and the prelude", median_s=round(statistics.median(seconds), 2), runs=runs)
    show("resident memory, ready", median_mb=round(statistics.median(megabytes)), runs=runs)


async def advance(session: Session, tactics: tuple[str, ...]) -> ProofState:
    """The state after some tactics that are known to apply."""
    state = session.root
    for tactic in tactics:
        result = await session.run(state, tactic)
        assert isinstance(result, ProofState), result
        state = result
    return state


async def steps(engine: EmbeddedEngine, rounds: int) -> None:
    """Tactic steps after a shared prefix of three, against the same text elaborated as one command."""
    theorem = Theorem("t", "theorem t (a b : ℕ) (h₀ : a < b) : a + 1 ≤ b := by sorry")
    session = await engine.open(theorem)
    state = await advance(session, PREFIX)
    slot = engine.pool.assign()
    step, whole = [], []
    for turn in range(rounds + 1):
        for tactic in DOZEN:
            began = time.perf_counter()
            await session.run(state, tactic)
            middle = time.perf_counter()
            text = theorem.statement.removesuffix("sorry") + "".join(f"\n  {line}" for line in (*PREFIX, tactic))
            await slot.run(lambda process, text=text: process.request({"cmd": text}))  # type: ignore[misc]
            if turn > 0:  # the first turn loads what a tactic needs
                step.append(middle - began)
                whole.append(time.perf_counter() - middle)
    engine.pool.release(slot)
    show(
        "tactic steps of a mixed dozen after a shared prefix",
        median_ms=round(1000 * statistics.median(step), 2),
        mean_ms=round(1000 * statistics.mean(step), 2),
        whole_median_ms=round(1000 * statistics.median(whole), 2),
        ratio=round(statistics.median(whole) / statistics.median(step), 1),
        steps=len(step),
    )
    own = []
    for _ in range(2000):
        began = time.perf_counter()
        await slot.run(lambda process: process.request({"tactic": "skip", "proofState": -1}))
        own.append(time.perf_counter() - began)
    show("Python's own share of a step, pipe included", median_ms=round(1000 * statistics.median(own), 3))
    await session.close()


async def throughput(engine: EmbeddedEngine, tactics: tuple[str, ...], what: str, seconds: float, seed: int) -> None:
    """Mixed tactics on generated goals, as many searches at a time as there are processes."""
    stop = time.perf_counter() + seconds
    checks = 0

    async def search(number: int) -> None:
        nonlocal checks
        for theorem in goals(seed + number):
            session = await engine.open(theorem)
            for tactic in tactics:
                await session.run(session.root, tactic)
                checks += 1
            await session.close()
            if time.perf_counter() > stop:
                return

    began = time.perf_counter()
    await asyncio.gather(*(search(number) for number in range(len(engine.pool.slots))))
    took = time.perf_counter() - began
    show(
        f"tactic checks a second, two processes, generated goals, {what}",
        per_second=round(checks / took, 1),
        checks=checks,
    )


async def endurance(requests: int, seed: int) -> None:
    """Resident memory of one process over many requests, opening a theorem every few of them."""
    engine = await EmbeddedEngine.start(1, spare=0, recycle_after=10 * requests)
    began, done, early = time.perf_counter(), 0, 0.0
    statistics_ = engine.pool.statistics
    mark = requests // 10
    for theorem in goals(seed):
        session = await engine.open(theorem)
        for tactic in STEPS:
            await session.run(session.root, tactic)
            done += 1
        await session.close()
        if done >= mark and not early:
            early = max(statistics_.peak_rss_mb.values())
        if done >= requests:
            break
    late = max(statistics_.peak_rss_mb.values())
    show(
        "resident memory of one process over many requests",
        requests=done,
        peak_mb_after_a_tenth=round(early),
        peak_mb_at_the_end=round(late),
        growth_percent=round(100 * (late / early - 1), 1),
        processes=statistics_.starts,
        minutes=round((time.perf_counter() - began) / 60, 1),
    )
    await engine.close()


async def main() -> None:
    """Measure what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30, help="how long the throughput is measured (s)")
    parser.add_argument("--requests", type=int, default=0, help="requests of the endurance run; 0 leaves it out")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    install(lambda step, done, total: None)
    await start_up(3)
    engine = await EmbeddedEngine.start(2)
    await steps(engine, 10)
    for tactics, what in ((STEPS, "step by step"), (AUTOMATION, "with simp_all and grind")):
        await throughput(engine, tactics, what, arguments.seconds, arguments.seed)
    await engine.close()
    if arguments.requests:
        await endurance(arguments.requests, arguments.seed)


if __name__ == "__main__":
    asyncio.run(main())
