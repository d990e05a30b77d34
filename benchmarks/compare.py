"""Tables from what benchmarks.measure wrote: pass rates against budget, ensembles, paired comparisons.

    python -m benchmarks.compare FILE... --baseline NAME --ensemble 'over N_eff=A,B,C,D,E' --budget 256

The seeds of a theorem are averaged and intervals are over theorems, so that repeating searches cannot make an interval
look narrower than the benchmark allows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from benchmarks.measure import MeasureError, read_lines
from search.statistics import Interval, Paired, paired

RESAMPLES = 2000
Solved = NDArray[np.float64]  # [theorems, seeds]: the expansion of the proof, infinite where there is none


@dataclass(frozen=True)
class Results:
    """What each contestant did on the same theorems with the same seeds."""

    theorems: tuple[str, ...]
    seeds: tuple[int, ...]
    budget: int  # up to which they searched
    solved: Mapping[str, Solved]

    def within(self, name: str, budget: float) -> Solved:
        """1 where the contestant proves the theorem within `budget` expansions.

        Raises MeasureError for a budget up to which was not searched.
        """
        if budget > self.budget:
            raise MeasureError(f"what a budget of {budget:g} proves is not known: they searched up to {self.budget}")
        return (self.solved[name] <= budget).astype(float)

    def ensemble(self, members: Sequence[str], budget: float) -> Solved:
        """1 where one of `members` proves the theorem, each with an equal part of `budget`.

        A member that is named twice searches twice, with different seeds. Raises MeasureError when there are fewer.
        """
        share, proved = budget // len(members), np.zeros((len(self.theorems), len(self.seeds)))
        for place, name in enumerate(members):
            again = list(members[:place]).count(name)
            if again >= len(self.seeds):
                raise MeasureError(f"{name} is more often in an ensemble than it has seeds: measure it with more")
            proved = np.maximum(proved, np.roll(self.within(name, share), again, axis=1))
        return proved


def read_results(files: Sequence[Path], strategy: str, named: str = "") -> Results:
    """The lines of `files` together, of one strategy and of theorems whose names begin with `named`.

    Raises MeasureError when there are none, when a contestant lacks a theorem or a seed of another, and when two lines
    speak of the same search.
    """
    every = [line for file in files for line in read_lines(file)]
    lines = [line for line in every if line.strategy == strategy and line.theorem.startswith(named)]
    if not lines:
        of = f" of theorems whose names begin with {named}" if named else ""
        raise MeasureError(f"no results of {strategy}{of} in {', '.join(map(str, files))}")
    theorems = tuple(dict.fromkeys(line.theorem for line in lines))
    seeds = tuple(sorted({line.seed for line in lines}))
    place = {theorem: index for index, theorem in enumerate(theorems)}
    solved = {name: np.full((len(theorems), len(seeds)), np.nan) for name in dict.fromkeys(x.contestant for x in lines)}
    for line in lines:
        cell = place[line.theorem], seeds.index(line.seed)
        if not np.isnan(solved[line.contestant][cell]):
            raise MeasureError(f"{line.contestant} has two results for {line.theorem}: give each file once")
        solved[line.contestant][cell] = np.inf if line.proved_at is None else line.proved_at
    for name, table in solved.items():
        if missing := int(np.isnan(table).sum()):
            raise MeasureError(
                f"{name} lacks {missing} of {table.size} results: let benchmarks.measure go on to its end"
            )
    return Results(theorems, seeds, min(line.budget for line in lines), solved)


def rate(proved: Solved) -> Interval:
    """The mean pass rate with its 95 % interval over theorems, seeds averaged (bootstrap, percentile)."""
    return _bootstrap(proved.mean(axis=1))


def difference(first: Solved, second: Solved) -> Interval:
    """The mean difference of pass rates, paired by theorem, with its 95 % interval (bootstrap, percentile)."""
    return _bootstrap((first - second).mean(axis=1))


def by_seed(first: Solved, second: Solved) -> list[Paired]:
    """The comparison under each seed by itself, where every theorem counts once."""
    return [paired(list(a > 0), list(b > 0)) for a, b in zip(first.T, second.T, strict=True)]


def main(
    files: Annotated[list[Path], typer.Argument(help="Files of benchmarks.measure.")],
    baseline: Annotated[str, typer.Option(help="The contestant that the others are compared with.")],
    strategy: Annotated[str, typer.Option(help="How they searched.")] = "rollouts",
    ensemble: Annotated[list[str] | None, typer.Option(help="TITLE=MEMBER,MEMBER,…")] = None,
    budget: Annotated[list[int] | None, typer.Option(help="Expansions; 16, 64 and 256 unless given.")] = None,
    named: Annotated[str, typer.Option(metavar="PREFIX", help="Count theorems whose names begin so.")] = "",
) -> None:
    """Pass rates in per cent with 95 % intervals, and differences to the baseline at the largest budget."""
    try:
        _print(read_results(files, strategy, named), baseline, strategy, ensemble or [], budget or [16, 64, 256])
    except MeasureError as error:
        raise typer.BadParameter(str(error)) from error


def _print(results: Results, baseline: str, strategy: str, ensembles: Sequence[str], given: Sequence[int]) -> None:
    budgets = sorted(given)
    rows: dict[str, list[Solved]] = {
        name: [results.within(name, limit) for limit in budgets] for name in results.solved
    }
    for title, _, members in (spec.partition("=") for spec in ensembles):
        rows[title] = [results.ensemble(members.split(","), limit) for limit in budgets]
    if baseline not in rows:
        raise MeasureError(f"there is no {baseline}: compare with one of {', '.join(rows)}")
    reference = rows[baseline][-1]
    typer.echo(f"{strategy}, {len(results.theorems)} theorems, seeds {', '.join(map(str, results.seeds))}\n")
    typer.echo(f"| | {' | '.join(map(str, budgets))} | against {baseline} | by seed (McNemar p) |")
    typer.echo("|---" * (len(budgets) + 3) + "|")
    for title, proved in rows.items():
        cells = [str(rate(each)) for each in proved]
        against = "" if title == baseline else str(difference(proved[-1], reference))
        seeds = "" if title == baseline else ", ".join(map(_short, by_seed(proved[-1], reference)))
        typer.echo(f"| {title} | {' | '.join(cells)} | {against} | {seeds} |")


def _short(compared: Paired) -> str:
    return f"{100 * compared.difference.value:+.1f} ({compared.p_value:.2g})"


def _bootstrap(values: NDArray[np.float64]) -> Interval:
    rng = np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (RESAMPLES, len(values)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(values.mean()), float(low), float(high))


if __name__ == "__main__":
    typer.run(main)
