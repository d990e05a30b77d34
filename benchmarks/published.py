"""The two published tables, reproduced in kind from a study: objectives by strategies, and an ensemble at equal budget.

    python -m benchmarks.published benchmarks/studies/n_eff.toml --out runs/study [--named lib_]

What differs from the publications: models of 0.9 million parameters, theorems in small steps, smaller budgets.
Published are percentages of 458 theorems of Mathlib within 256 expansions (Ousherovitch and Tewari 2026), and of
LeanDojo's Mathlib theorems within 4,096 and 20,480 (arXiv 2502.07154). p is of the exact sign test over theorems, seeds
averaged, which with one seed is McNemar's.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from prover.options import InputError, StrategyName
from prover.store import StoreError
from prover.strategies import label
from prover.study.config import Cell, StudyOptions, read_options
from prover.study.results import Results, collect
from prover.study.store import StudyStore
from search.statistics import paired, wilson

STRATEGIES = (
    StrategyName.ROLLOUTS,
    StrategyName.BEST_FIRST,
    StrategyName.DEPTH_FIRST,
    StrategyName.RANDOMISED_DEPTH_FIRST,
    StrategyName.VALUE_DEPTH_FIRST,
    StrategyName.MCTS,
)
PUBLISHED_STRATEGIES = {
    "published: CE": (21.2, 23.8, 19.2, 20.7, 21.2, 20.3),
    "published: the objective of each strategy": (26.6, 25.1, 20.7, 23.6, 23.8, 22.5),
    "published: uniform allocation for all": (25.1, 26.9, 23.6, 25.3, 24.5, 25.1),
}
PUBLISHED_ENSEMBLE = (55.6, 56.5, 57.0, 62.2)

Chosen = NDArray[np.bool_]  # of the study's theorems, those that are counted


def main(
    config: Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="The study.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the study is kept.")],
    named: Annotated[str, typer.Option(metavar="PREFIX", help="Count theorems whose names begin so.")] = "",
) -> None:
    """Print both tables, with the published figures first."""
    try:
        options = read_options(config)
        with closing(StudyStore(out)) as store:
            results = collect(options, store.theorems(), store.searches())
    except (InputError, StoreError) as error:
        raise typer.BadParameter(str(error)) from error
    chosen = np.array([name.startswith(named) for name in results.theorems], dtype=bool)
    if not chosen.any():
        raise typer.BadParameter(f"no finished theorem of {out} has a name that begins with {named!r}")
    typer.echo(f"{chosen.sum()} theorems, {len(results.seeds)} seeds, {results.budget} expansions\n")
    typer.echo("\n".join(by_strategy(options, results, chosen)) + "\n")
    typer.echo("\n".join(at_equal_budget(options, results, chosen)))


def by_strategy(options: StudyOptions, results: Results, chosen: Chosen) -> list[str]:
    """Objectives × strategies: per cent proved within the largest budget; under the baseline, differences to it."""
    labels = [label(how) for name in STRATEGIES for how in options.strategies if how.name == name]
    alone = [member.name for member in options.members if not member.ensemble]
    lines = [f"| proved, % | {' | '.join(STRATEGIES)} |", "|---" * (len(STRATEGIES) + 1) + "|"]
    lines += [f"| {title} | {' | '.join(map(str, row))} |" for title, row in PUBLISHED_STRATEGIES.items()]
    for member in alone:
        rates = [results.rates(Cell(member, how), results.budget)[chosen] for how in labels]
        lines.append(f"| {member} | {' | '.join(f'{100 * rate.mean():.1f}' for rate in rates)} |")
    for member in (name for name in alone if name != options.baseline):
        compared = [_compared(results, Cell(member, how), Cell(options.baseline, how), chosen) for how in labels]
        lines.append(f"| {member} − {options.baseline} | {' | '.join(compared)} |")
    return lines


def at_equal_budget(options: StudyOptions, results: Results, chosen: Chosen) -> list[str]:
    """The baseline and the best single model with a member's budget, the baseline and each ensemble with all of it."""
    how = label(options.strategies[0])
    lines = [f"| {how} | proved, % | against {options.baseline}, equal budget |", "|---|---|---|"]
    rows = ("CE, pass@4k", "the best single N_eff, pass@4k", "CE, pass@20k", "ensemble over N_eff, 5 × 4k")
    lines += [f"| published: {row} | {rate} | |" for row, rate in zip(rows, PUBLISHED_ENSEMBLE, strict=True)]
    lines[-1] = lines[-1].removesuffix(" |") + " +5.2 |"
    ensembles = [member for member in options.members if member.ensemble and not member.strategies]
    share = results.budget // max((len(each.ensemble) for each in ensembles), default=1)
    others = [m.name for m in options.members if not m.ensemble and m.name != options.baseline]
    best = max(others, key=lambda name: results.rates(Cell(name, how), share)[chosen].mean(), default=options.baseline)
    for name, budget in ((options.baseline, share), (best, share), (options.baseline, results.budget)):
        lines.append(f"| {name}, {budget} expansions | {_rate(results, Cell(name, how), budget, chosen)} | |")
    for each in ensembles:
        cell = Cell(each.name, how)
        compared = _compared(results, cell, Cell(options.baseline, how), chosen)
        spent = f"{len(each.ensemble)} × {results.budget // len(each.ensemble)} expansions"
        lines.append(f"| {each.name}, {spent} | {_rate(results, cell, results.budget, chosen)} | {compared} |")
    return lines


def _rate(results: Results, cell: Cell, budget: int, chosen: Chosen) -> str:
    rates = results.rates(cell, budget)[chosen]
    return str(wilson(float(rates.sum()), len(rates)))


def _compared(results: Results, cell: Cell, against: Cell, chosen: Chosen) -> str:
    """The difference in points with its interval, and the exact p over theorems (seeds averaged)."""
    first, second = (_listed(results, each, chosen) for each in (cell, against))
    test = paired(first, second)
    low, high = 100 * test.difference.low, 100 * test.difference.high
    return f"{100 * test.difference.value:+.1f} [{low:.1f}, {high:.1f}] p {test.p_value:.2g}"


def _listed(results: Results, cell: Cell, chosen: Chosen) -> Sequence[float]:
    return [float(each) for each in results.rates(cell, results.budget)[chosen]]


if __name__ == "__main__":
    typer.run(main)
