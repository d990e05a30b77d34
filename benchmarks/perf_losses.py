"""What the weights of every objective cost: 64 traces of 12 tactics, N = 256, side by side in one run.

    python -m benchmarks.perf_losses [--rounds 20]

Rounds go through all objectives in turn, so that a busy moment of the machine hits them alike. Prints one JSON line:
the median milliseconds of a batch on one thread, and the ratio to coverage of single tactics.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

import torch

from train.losses import OBJECTIVES, Objective, ObjectiveOptions

TRACES, TACTICS, N = 64, 12, 256


def main() -> None:
    """Run the benchmark once and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20, help="times that every objective is measured")
    options = parser.parse_args()

    torch.set_num_threads(1)
    random = torch.Generator().manual_seed(0)
    log_probs = -3 * torch.rand(TRACES, TACTICS, generator=random)
    mask = torch.ones(TRACES, TACTICS, dtype=torch.bool)
    objectives: dict[str, Objective] = {
        name: factory(ObjectiveOptions(n=1 if name == "ce" else N)) for name, factory in OBJECTIVES.items()
    }
    taken_ms: dict[str, list[float]] = {name: [] for name in objectives}
    for _ in range(options.rounds + 1):
        for name, objective in objectives.items():
            start = time.perf_counter()
            objective(log_probs, mask)
            taken_ms[name].append(1000 * (time.perf_counter() - start))
    medians = {name: statistics.median(times[1:]) for name, times in taken_ms.items()}  # the first warms up
    figures = {name: {"ms": round(ms, 2), "ratio": round(ms / medians["coverage"], 1)} for name, ms in medians.items()}
    print(json.dumps({"benchmark": "losses", "traces": TRACES, "tactics": TACTICS, "n": N, "objectives": figures}))


if __name__ == "__main__":
    main()
