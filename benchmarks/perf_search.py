"""What a search itself costs: Python time per expansion and memory per state, with Lean and policy simulated.

    python -m benchmarks.perf_search [--states 1000000] [--strategy best-first]

The simulated Lean answers at once: of its answers, half are failures, a tenth lead to states that are known, and the
rest are new states of about 150 characters. Time is what passes between an answer and the next request, the simulated
policy's own part included; its growth is the median of the last tenth of the expansions over that of the first
hundredth, and is to be compared with the growth of the logarithm of their number. Memory is the growth of the process,
frontier and fragmentation included; the part of it that is Lean's and the policy's text (goals, messages, tactics),
which the tree keeps and does not copy, is printed too. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import json
import math
import random
import statistics
import sys
import time
from array import array
from collections.abc import Sequence
from zlib import crc32

import psutil

from lean_env.engine import Failed, FailureKind, ProofState, TacticResult
from prover.options import DRAWING, StrategyName
from prover.strategies import StrategyOptions, label, strategy
from search.budget import Budget, SearchResult
from search.policy import Suggestion
from search.shape import measure
from search.tree import Tree

FAILED, MERGED = 0.5, 0.1  # shares of the simulated answers
TACTICS_PER_STATE = 16
DECAY = 0.3  # of the log-probability from one tactic to the next


class Simulation:
    """Session and policy without Lean and model; measures the time between its answers and the next requests."""

    def __init__(self, seed: int) -> None:
        self.gaps_s = array("d")
        self._random = random.Random(seed)
        self._states = 1
        self._answered: float | None = None
        self.root = _state(0)

    async def run(self, state: ProofState, tactic: str) -> TacticResult:
        """A failure, a state that is known, or a new one."""
        asked = time.perf_counter()
        if self._answered is not None:
            self.gaps_s.append(asked - self._answered)
        result = self._answer(tactic)
        self._answered = time.perf_counter()
        return result

    async def suggest(self, state: str, n: int) -> Sequence[Suggestion]:
        """Tactics of falling probability, other ones for each state."""
        return [_suggestion(state, place) for place in range(min(n, TACTICS_PER_STATE))]

    async def close(self) -> None:
        """Nothing to release."""

    def _answer(self, tactic: str) -> TacticResult:
        draw = self._random.random()
        if draw < FAILED:
            return Failed(FailureKind.ERROR, f"unknown identifier in {tactic}; the goal is not changed by it")
        if draw < FAILED + MERGED:
            return _state(self._random.randrange(self._states))
        self._states += 1
        return _state(self._states - 1)


class Drawing(Simulation):
    """The same with a policy that is drawn from, and never repeats itself."""

    _drawn = 0

    async def sample(self, state: str, n: int) -> Sequence[Suggestion]:
        """Draws, each another tactic."""
        self._drawn += n
        return [_suggestion(state, place) for place in range(self._drawn - n, self._drawn)]


def _suggestion(state: str, place: int) -> Suggestion:
    shift = crc32(state.encode()) / 2**32
    return Suggestion(f"exact h{shift:.6f} {place}", -shift - DECAY * (place % TACTICS_PER_STATE))


def _state(index: int) -> ProofState:
    goal = (
        "a b c : Nat\nh₀ : 0 < a ∧ a < b\nh₁ : ∀ n, b ∣ n * n + a → c ∣ n + 1\n"
        f"h₂ : a + b = {index}\n⊢ a * b + c * (a + {index}) ≤ b * b + c * c + {index}"
    )
    return ProofState(index, (goal,))


async def _accept(_proof: tuple[str, ...]) -> bool:
    return True


def _text_bytes(tree: Tree) -> int:
    tactics = sum(sys.getsizeof(edge.tactic) for edge in tree.edges)
    messages = sum(sys.getsizeof(edge.outcome.message) for edge in tree.edges if isinstance(edge.outcome, Failed))
    return tactics + messages + sum(sys.getsizeof(node.text) for node in tree.nodes)


def main() -> None:
    """Run the benchmark once and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--states", type=int, default=1_000_000, help="states the tree is to have, about")
    names = [name for name in StrategyName if name is not StrategyName.SHAPED]  # which ends when its shape is filled
    parser.add_argument("--strategy", type=StrategyName, default="best-first", choices=names)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    how = StrategyOptions.model_validate({"name": options.strategy})
    expansions = round(options.states / (1 - FAILED - MERGED))
    simulation = (Drawing if options.strategy in DRAWING else Simulation)(options.seed)
    simulation.gaps_s.extend(itertools.repeat(0.0, expansions))  # its memory is taken before memory is measured
    del simulation.gaps_s[:]
    gc.collect()
    process = psutil.Process()
    before = process.memory_info().rss

    async def run() -> SearchResult:
        return await strategy(how, options.seed)(simulation, simulation, Budget(expansions), _accept)

    result = asyncio.run(run())
    grown = process.memory_info().rss - before - simulation.gaps_s.itemsize * len(simulation.gaps_s)
    shape = measure(result.tree)
    text = _text_bytes(result.tree)
    gaps_us = [1e6 * gap for gap in simulation.gaps_s]
    early, late = gaps_us[: len(gaps_us) // 100], gaps_us[-len(gaps_us) // 10 :]
    print(
        json.dumps(
            {
                "benchmark": "search",
                "states": shape.states,
                "expansions": shape.expansions,
                "merged": shape.merged,
                "depth": shape.depth,
                "strategy": label(how),
                "python_us_per_expansion_median": round(statistics.median(gaps_us), 2),
                "python_us_per_expansion_mean": round(statistics.fmean(gaps_us), 2),
                "python_us_per_expansion_p99": round(statistics.quantiles(gaps_us, n=100)[-1], 2),
                "python_us_growth": round(statistics.median(late) / statistics.median(early), 2),
                "log_n_growth": round(math.log(len(gaps_us)) / math.log(len(early)), 2),
                "bytes_per_state": round(grown / shape.states),
                "text_bytes_per_state": round(text / shape.states),
                "bytes_per_expansion": round(grown / shape.expansions),
                "wall_s": round(result.spent.wall_s, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
