"""Many searches over one model: how full its batches are, and how its throughput compares with bare `generate`.

    python -m benchmarks.perf_concurrent [--model FOLDER] [--searches 200] [--expansions 64] [--rounds 3]

Real searches (best-first) draw from a real model through the batcher; Lean is simulated and answers at once, so that
the model is what they wait for. Each round runs the searches, then has `generate` of transformers write for some of
the same batches, row by row the same prompts. A throughput is tokens written, up to the end token of each row, a
second of wall time: for the searches everything counts that they do, from the first request to the last. The ratio is
that of the medians of the rounds. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import time
from collections.abc import Sequence

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from benchmarks.perf_policy import STATES
from lean_env.engine import Failed, FailureKind, ProofState, TacticResult
from prover.policy.batching import MAX_ROWS, Batcher
from prover.policy.model import Request, TacticModel
from prover.policy.sampling import Answer
from prover.policy.shelf import base_of, shipped
from prover.policy.transformers import TransformersPolicy
from search.best_first import best_first
from search.budget import Budget
from search.tree import SUM

FAILED = 0.6  # share of the tactics
WIDTH = 4


class Recorded(TacticModel):
    """The model, which keeps what it was asked."""

    batches: list[Sequence[Request]]

    def run(self, requests: Sequence[Request]) -> list[Answer]:
        """As TacticModel."""
        self.batches.append(requests)
        return super().run(requests)


class Simulation:
    """A session without Lean: a tactic fails, or leads to a state that was not seen before."""

    def __init__(self, number: int) -> None:
        self._random, self._number, self._states = random.Random(number), number, 0
        self.root = self._state()

    async def run(self, state: ProofState, tactic: str) -> TacticResult:
        """At once."""
        await asyncio.sleep(0)
        return Failed(FailureKind.ERROR, "no") if self._random.random() < FAILED else self._state()

    async def close(self) -> None:
        """Nothing to release."""

    def _state(self) -> ProofState:
        self._states += 1
        text = f"x{self._number} y{self._states} : Nat\n{STATES[(self._number + self._states) % len(STATES)]}"
        return ProofState(self._states, (text,))


async def searches(model: Recorded, count: int, expansions: int, key: int) -> tuple[float, float]:
    """Run them; returns tokens a second and how full the batches were, from 0 to 1."""

    async def accept(_proof: tuple[str, ...]) -> bool:
        return True

    batcher = Batcher(model)
    started = time.perf_counter()
    await asyncio.gather(
        *(
            best_first(
                Simulation(number),
                TransformersPolicy(batcher, seed=count * key + number),
                Budget(expansions),
                priority=SUM,
                width=WIDTH,
                accept=accept,
            )
            for number in range(count)
        )
    )
    seconds = time.perf_counter() - started
    await batcher.close()
    return batcher.statistics.generated_tokens / seconds, batcher.statistics.rows_per_batch / MAX_ROWS


@torch.inference_mode()
def bare(weights: torch.nn.Module, end: int, batches: Sequence[Sequence[Request]], limit: int) -> float:
    """Tokens a second of `generate` for the prompts of `batches`."""
    written, seconds = 0, 0.0
    for batch in batches:
        rows = [request.prompt for request in batch for _ in range(request.rows)]
        longest = max(map(len, rows))
        ids = torch.tensor([[end] * (longest - len(row)) + list(row) for row in rows])
        mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows])
        started = time.perf_counter()
        output = weights.generate(  # type: ignore[operator]
            input_ids=ids,
            attention_mask=mask,
            do_sample=True,
            top_k=0,
            max_new_tokens=limit,
            eos_token_id=end,
            pad_token_id=end,
        )
        seconds += time.perf_counter() - started
        ends = output[:, longest:] == end
        written += int((ends.cumsum(1) - ends.long() == 0).sum())
    return written / seconds


def main() -> None:
    """Run the benchmark once and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=base_of(shipped()[0]), help="folder or hub name; the one that comes along")
    parser.add_argument("--searches", type=int, default=200, help="at once")
    parser.add_argument("--expansions", type=int, default=64, help="of each")
    parser.add_argument("--batches", type=int, default=20, help="that generate repeats in a round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = Recorded.load(options.model, {})
    model.batches = []
    weights = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32)
    end = AutoTokenizer.from_pretrained(options.model).eos_token_id
    ours, fill, theirs = [], [], []
    for number in range(options.rounds):
        model.batches.clear()
        rate, full = asyncio.run(searches(model, options.searches, options.expansions, number))
        ours.append(rate)
        fill.append(full)
        step = max(1, len(model.batches) // options.batches)
        theirs.append(bare(weights, end, model.batches[::step], model.max_new_tokens))
    print(
        json.dumps(
            {
                "benchmark": "concurrent",
                **{name: getattr(options, name) for name in ("searches", "expansions", "rounds")},
                "rows_in_a_batch": MAX_ROWS,
                "filled": round(statistics.median(fill), 3),
                "bare_tokens_per_s": round(statistics.median(theirs), 1),
                "searches_tokens_per_s": round(statistics.median(ours), 1),
                "ratio": round(statistics.median(ours) / statistics.median(theirs), 3),
            }
        )
    )


if __name__ == "__main__":
    main()
