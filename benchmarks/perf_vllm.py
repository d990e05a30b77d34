"""Expansions a second with vLLM against transformers: the same searches side by side, in turns.

    python -m benchmarks.perf_vllm [--model FOLDER...] [--searches 16] [--draws 16] [--rounds 8] [--repetitions 3]

`searches` searches run at once. Each asks for `draws` tactics for one state after the other, `rounds` times, its own
adapter being one of those given (by default the models that come with the program, on their base). An expansion is one
tactic drawn; Lean is left out, as it is the same for both. The two backends are loaded at once and take turns, so that
what else the machine does meets both; a ratio is that of the medians, above 1 vLLM is faster. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Sequence

import torch
from transformers import AutoConfig

from benchmarks.perf_policy import STATES
from prover.policy.batching import Batcher, Source
from prover.policy.model import TacticModel
from prover.policy.shelf import base_of, shipped
from prover.policy.transformers import TransformersPolicy
from prover.policy.vllm import VllmEngine, VllmSettings


def main() -> None:
    """Run the benchmark once and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", help="a base or an adapter, all of one base; several")
    parser.add_argument("--searches", type=int, default=16, help="at the same time")
    parser.add_argument("--draws", type=int, default=16, help="tactics for a state")
    parser.add_argument("--rounds", type=int, default=8, help="states of each search")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="of torch; vLLM's are set by OMP_NUM_THREADS")
    parser.add_argument("--device", default="cpu", help="of transformers")
    parser.add_argument("--dtype", default="", help="of both; the model's own without it")
    parser.add_argument("--gpu-memory", type=float, default=0.5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    names = options.model or shipped()
    base = base_of(names[0])
    adapters = {name: name for name in names if name != base}
    dtype = options.dtype or str(AutoConfig.from_pretrained(base).dtype or torch.float32).removeprefix("torch.")
    ours = Batcher(
        TacticModel.load(base, adapters, device=options.device, dtype=getattr(torch, dtype)),
        max_rows=options.searches * options.draws,
    )
    settings = VllmSettings(gpu_memory_utilization=options.gpu_memory, dtype=dtype)
    theirs = VllmEngine.load(base, adapters, settings=settings)
    figures = asyncio.run(_compare({"transformers": ours, "vllm": theirs}, names, adapters, options))
    print(
        json.dumps(
            {
                "benchmark": "vllm",
                "model": base,
                "members": len(names),
                "parameters": theirs.model.parameters,
                "dtype": dtype,
                **{name: getattr(options, name) for name in ("searches", "draws", "rounds", "repetitions", "device")},
                **figures,
                "ratio": round(figures["vllm_expansions_per_s"] / figures["transformers_expansions_per_s"], 3),
            }
        )
    )


async def _compare(
    sources: dict[str, Source], names: Sequence[str], adapters: dict[str, str], options: argparse.Namespace
) -> dict[str, float]:
    """Median rates of both, in expansions and in tokens a second."""
    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in sources}
    for repetition in range(options.repetitions + 1):
        for name, source in sources.items():
            started = time.perf_counter()
            searches = [
                _search(source, adapters.get(names[n % len(names)]), repetition, n, options)
                for n in range(options.searches)
            ]
            written = await asyncio.gather(*searches)
            seconds = time.perf_counter() - started
            if repetition:  # the first turn of each warms up
                expansions = options.searches * options.rounds * options.draws
                rates[name].append((expansions / seconds, sum(written) / seconds))
    for source in sources.values():
        await source.close()
    return {
        f"{name}_{what}_per_s": round(statistics.median(rate[place] for rate in found), 1)
        for name, found in rates.items()
        for place, what in enumerate(("expansions", "tokens"))
    }


async def _search(source: Source, adapter: str | None, seed: int, number: int, options: argparse.Namespace) -> int:
    """What a search asks of its model; the number of tokens written."""
    policy = TransformersPolicy(source, adapter, seed=seed)
    for step in range(options.rounds):
        await policy.sample(f"x{number} y{step} : Nat\n{STATES[(number + step) % len(STATES)]}", options.draws)
    return policy.use.generated_tokens


if __name__ == "__main__":
    main()
