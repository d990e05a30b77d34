"""The figures of a study as text: study.md to read, study.csv to go on from."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields

from prover.report.report import by_depth
from prover.study.analysis import Comparison, Figures
from prover.study.config import StudyOptions
from prover.study.results import Costs, Results
from search.statistics import Interval

NOTHING = "–"


@dataclass(frozen=True)
class Table:
    """A table with its title and what it says. `numbers` are the columns, from the left from 0, that hold figures."""

    title: str
    says: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[int]


def tables(results: Results, figures: Figures) -> list[Table]:
    """Every table of a study, in the order of the report."""
    return [
        _best(results, figures),
        _rates(results, figures),
        _comparisons(results, figures),
        *([_passes(results, figures)] if len(results.seeds) > 1 else []),
        _alone("member", figures),
        _alone("strategy", figures),
        _shapes(figures),
    ]


def _best(results: Results, figures: Figures) -> Table:
    tested = {(one.cell, one.budget): one for one in figures.comparisons}
    rows = []
    for budget in results.budgets:
        best = figures.best(budget)
        test = tested.get((best.cell, budget))
        rows.append((str(budget), best.cell.member, best.cell.strategy, str(best.rate), *_tested(test)))
    return _table(
        "Best for a budget",
        "The cell that proves most within so many expansions a theorem. It was chosen on these theorems, so expect a"
        " little less on others.",
        ("expansions", "member", "strategy", "proved, %", "against", "difference, points", "p (Holm)"),
        rows,
        (0, 3, 5, 6),
    )


def _rates(results: Results, figures: Figures) -> Table:
    rows = [
        (
            *(cell.member, cell.strategy),
            *(str(figures.rate(cell, budget)) for budget in results.budgets),
            *_costs(results.costs(cell)),
        )
        for cell in results.cells
    ]
    budgets = len(results.budgets)
    return _table(
        "Proved within a budget, %",
        "Verified proofs within so many expansions a theorem, seeds averaged, with Wilson's 95 % interval over"
        " theorems. Lean seconds, model tokens and FLOPs (2 x parameters x tokens) are those of a theorem within the"
        " largest budget; a tactic that another cell tried before takes no Lean.",
        ("member", "strategy", *map(str, results.budgets), "Lean, s", "model tokens", "FLOPs"),
        rows,
        range(2, 5 + budgets),
    )


def _costs(costs: Costs | None) -> tuple[str, str, str]:
    if costs is None:
        return NOTHING, NOTHING, NOTHING
    return f"{costs.lean_s:,.1f}", f"{costs.model_tokens:,.0f}", f"{costs.flops:.2g}"


def _comparisons(results: Results, figures: Figures) -> Table:
    rows = []
    for efficiency in figures.efficiencies:
        test = next(one for one in figures.comparisons if one.cell == efficiency.cell and one.budget == results.budget)
        rows.append(
            (
                *(test.cell.member, test.cell.strategy, other(test)),
                *(str(test.paired.gained), str(test.paired.lost), points(test.paired.difference)),
                *(p_value(test.paired.p_value), p_value(test.p_holm), times(efficiency.ratio)),
            )
        )
    return _table(
        f"Against the baseline, within {results.budget} expansions",
        "Theorem by theorem, against the baseline with the same strategy, and the baseline's strategies against the"
        " first of them, as ensembles with strategies of their own are: on how many the cell does better and worse, the"
        " difference in points with its 95 % interval, the exact two-sided McNemar test (with several seeds the sign"
        " test over theorems), and the same adjusted for all these comparisons (Holm). Efficiency is the other's budget"
        " over the cell's where both prove as much, with a bootstrap interval: 2 is half the budget.",
        ("member", "strategy", "against", "better", "worse", "difference, points", "p", "p (Holm)", "efficiency"),
        rows,
        range(3, 9),
    )


def _passes(results: Results, figures: Figures) -> Table:
    seeds = len(results.seeds)
    rows = [
        (one.cell.member, one.cell.strategy, *map(str, one.passes), *["–"] * (seeds - len(one.passes)))
        for one in figures.rates
        if one.budget == results.budget
    ]
    return _table(
        f"pass@k over seeds, {results.budget} expansions each, %",
        "The unbiased chance that one of k searches with different seeds proves the theorem; not for an ensemble with a"
        " member twice, whose searches are those of other seeds as well.",
        ("member", "strategy", *(f"pass@{k}" for k in range(1, seeds + 1))),
        rows,
        range(2, 2 + seeds),
    )


def _alone(side: str, figures: Figures) -> Table:
    complements = figures.by_member if side == "member" else figures.by_strategy
    rows = [(one.name, str(one.proved), str(len(one.alone)), ", ".join(one.alone) or NOTHING) for one in complements]
    return _table(
        f"What only one {side} proves",
        f"Theorems that a {side} proves within the largest budget with any"
        f" {'strategy' if side == 'member' else 'member'} and seed, and those that no other proves.",
        (side, "proves", "alone", "theorems"),
        rows,
        (1, 2),
    )


def _shapes(figures: Figures) -> Table:
    kinds = sorted({kind for one in figures.shapes for kind in one.shape.failures})
    rows = [
        (
            *(one.cell.member, one.cell.strategy, f"{one.shape.states:.1f}"),
            *(by_depth(one.shape.tried), by_depth(one.shape.branching)),
            *(f"{100 * one.shape.valid:.1f}", f"{100 * one.shape.merged:.1f}"),
            NOTHING if one.proof_depth is None else f"{one.proof_depth:.1f}",
            *(f"{one.shape.failures.get(kind, 0):,}" for kind in kinds),
        )
        for one in figures.shapes
    ]
    return _table(
        "Measured shape",
        "Of the trees within the largest budget: states a search, tactics tried and new states for each state expanded"
        " (at depth 0, 1, …), tactics that Lean took and those that led to a known state, tactics in a proof, and"
        " failures by kind.",
        (
            *("member", "strategy", "states", "tried by depth", "new by depth", "valid, %", "merged, %"),
            *("proof length", *kinds),
        ),
        rows,
        (2, *range(5, 8 + len(kinds))),
    )


def _table(
    title: str, says: str, columns: Sequence[str], rows: Iterable[tuple[str, ...]], numbers: Iterable[int]
) -> Table:
    return Table(title, says, tuple(columns), tuple(rows), frozenset(numbers))


def _tested(test: Comparison | None) -> tuple[str, str, str]:
    if test is None:
        return NOTHING, NOTHING, NOTHING
    return other(test), points(test.paired.difference), p_value(test.p_holm)


def other(test: Comparison) -> str:
    """What a cell is compared with, in what the two differ by."""
    if test.against.strategy == test.cell.strategy:
        return test.against.member
    return test.against.strategy if test.against.member == test.cell.member else str(test.against)


def points(difference: Interval) -> str:
    """A difference of rates in points, with its interval."""
    value, low, high = (100 * each for each in (difference.value, difference.low, difference.high))
    return f"{value:+.1f} [{low:+.1f}, {high:+.1f}]"


def times(ratio: Interval | None) -> str:
    """How many times, with its interval."""
    return NOTHING if ratio is None else f"{ratio.value:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"


def p_value(p: float) -> str:
    """Two digits that count."""
    return f"{p:.2g}"


def headline(results: Results, figures: Figures, baseline: str) -> str:
    """The study in a sentence."""
    best = figures.best(results.budget)
    reference = max(
        (one for one in figures.rates if one.cell.member == baseline and one.budget == results.budget),
        key=lambda one: one.rate.value,
    )
    said = f"Within {results.budget} expansions a theorem, {best.cell.member} with {best.cell.strategy} proves most:"
    if best.cell == reference.cell:
        return f"{said} {best.rate} %."
    return f"{said} {best.rate} %, {baseline} at its best ({reference.cell.strategy}) {reference.rate} %."


def denominators(results: Results) -> str:
    """What the rates are shares of."""
    said = f"{len(results.theorems)} theorems, seeds {', '.join(map(str, results.seeds))}."
    if results.unsupported:
        said += f" Not in the rates: {len(results.unsupported)} that the engine cannot state."
    if results.missing:
        said += f" Not in the rates yet: {results.missing} that are not finished."
    if results.longer:
        said += (
            f" {results.longer} searches were made with a larger budget: what they proved beyond {results.budget}"
            " expansions does not count, while their trees and what they took are of the whole."
        )
    return said


def markdown(options: StudyOptions, results: Results, figures: Figures, pictures: Sequence[tuple[str, str]]) -> str:
    """study.md; `pictures` are files beside it, each with what it shows."""
    parts = [
        f"# {options.title}: a study",
        headline(results, figures, options.baseline),
        denominators(results),
        *(f"![{says}]({name})" for name, says in pictures),
    ]
    for table in tables(results, figures):
        marks = ["---:" if place in table.numbers else "---" for place in range(len(table.columns))]
        lines = [table.columns, marks, *table.rows]
        parts += [f"## {table.title}", table.says, "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)]
    if results.unsupported:
        listed = "\n".join(f"- {_cell(one.name)}: {_cell(one.unsupported or '')}" for one in results.unsupported)
        parts += ["## Not supported by the engine", listed]
    return "\n\n".join(parts) + "\n"


def _cell(text: str) -> str:
    """A text that stays in its cell and is no markup."""
    return re.sub(r"([\\`*_|>\[\]])", r"\\\1", " ".join(text.split())).replace("<", "&lt;")


def csv_text(results: Results, figures: Figures) -> str:
    """study.csv: a row for each cell and budget, rates as shares; empty where there is nothing to tell.

    Efficiency, the theorems that no other cell proves, and what a theorem takes are of the largest budget.
    """
    tested = {(one.cell, one.budget): one for one in figures.comparisons}
    efficient = {one.cell: one.ratio for one in figures.efficiencies}
    alone = {one.name: len(one.alone) for one in figures.by_cell}
    passes = [f"pass@{k}" for k in range(1, len(results.seeds) + 1)]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(
        [
            *("member", "strategy", "budget", "theorems", "seeds", "rate", "low", "high", *passes),
            *("against", "better", "worse", "difference", "difference_low", "difference_high", "p", "p_holm"),
            *("efficiency", "efficiency_low", "efficiency_high", "alone", *(each.name for each in fields(Costs))),
        ]
    )
    for one in figures.rates:
        row: list[object] = [one.cell.member, one.cell.strategy, one.budget, len(results.theorems), len(results.seeds)]
        row += [*_interval(one.rate), *(each.value for each in one.passes), *[None] * (len(passes) - len(one.passes))]
        test = tested.get((one.cell, one.budget))
        if test:
            row += [test.against, test.paired.gained, test.paired.lost, *_interval(test.paired.difference)]
            row += [test.paired.p_value, test.p_holm]
        else:
            row += [None] * 8
        largest = one.budget == results.budget
        ratio = efficient.get(one.cell) if largest else None
        row += _interval(ratio) if ratio else [None] * 3
        costs = results.costs(one.cell) if largest else None
        row += [alone[str(one.cell)], *astuple(costs)] if costs else [None] * (1 + len(fields(Costs)))
        writer.writerow(row)
    return file.getvalue()


def _interval(interval: Interval) -> list[object]:
    return [interval.value, interval.low, interval.high]
