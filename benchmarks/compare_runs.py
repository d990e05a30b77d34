"""Finished runs side by side: what each proved at what price, and each against the last one, theorem by theorem.

    python -m benchmarks.compare_runs RUN... [--named lib_]

p is of the exact two-sided McNemar test.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from lean_env.engine import Theorem
from prover.records import Outcome
from prover.store import DATABASE, Store, StoreError
from search.statistics import paired, wilson


@dataclass(frozen=True)
class Finished:
    """A run by its theorems that Lean could state: whether each is proved, and the expansions of all of them."""

    name: str
    proved: Mapping[Theorem, bool]
    expansions: int


def main(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of runs on the same theorems.")],
    named: Annotated[str, typer.Option(metavar="PREFIX", help="Count theorems whose names begin so.")] = "",
) -> None:
    """Print a row for each run; the last one is what the others are compared with."""
    try:
        typer.echo("\n".join(table([finished(run, named) for run in runs])))
    except (ValueError, StoreError) as error:
        raise typer.BadParameter(str(error)) from error


def finished(run: Path, named: str = "") -> Finished:
    """A run that has come to its end. Raises ValueError where there is none, or it has not, and StoreError."""
    if not (run / DATABASE).exists():
        raise ValueError(f"{run} holds no run")
    with closing(Store(run)) as store:
        findings = [each for each in store.findings() if each.theorem.name.startswith(named)]
    if any(each.outcome is None for each in findings) or not any(each.attempt for each in findings):
        raise ValueError(f"{run} has no finished theorems that begin with {named!r}, or not all of them")
    attempts = {each.theorem: each.attempt for each in findings if each.attempt}
    proved = {theorem: attempt.outcome is Outcome.PROVED for theorem, attempt in attempts.items()}
    return Finished(run.name, proved, sum(attempt.expansions for attempt in attempts.values()))


def table(runs: list[Finished]) -> list[str]:
    """The lines of a Markdown table. Raises ValueError where the runs have other theorems than the last."""
    last = runs[-1]
    lines = [
        "| run | proved, % | expansions a theorem | against the last, points | better | worse | p |",
        "|---" * 7 + "|",
    ]
    for run in runs:
        if run.proved.keys() != last.proved.keys():
            raise ValueError(f"{run.name} and {last.name} are on different theorems")
        rate, price = wilson(sum(run.proved.values()), len(run.proved)), run.expansions / len(run.proved)
        test = paired(list(run.proved.values()), [last.proved[theorem] for theorem in run.proved])
        low, high = 100 * test.difference.low, 100 * test.difference.high
        compared = (
            f"{100 * test.difference.value:+.1f} [{low:.1f}, {high:.1f}] | {test.gained} | {test.lost}"
            f" | {test.p_value:.2g}"
        )
        lines.append(f"| {run.name} | {rate} | {price:.1f} | {compared if run is not last else '| | |'} |")
    return lines


if __name__ == "__main__":
    typer.run(main)
