"""The pictures of a study: rate against budget, rates of the grid, and the measured shape."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from prover.study.analysis import Figures
from prover.study.config import Cell
from prover.study.results import Results
from search.statistics import wilson

# Eight that are told apart with every kind of colour vision (six of Okabe and Ito), also on a dark page; lines beyond
# them are dashed.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#a08a00", "#8c8c8c")
DASHES = ("-", "--", ":", "-.")
PER_ROW = 3
SHOWN_DEPTHS = 12


def pictures(results: Results, figures: Figures) -> dict[str, tuple[str, bytes]]:
    """The pictures as PNG by their file names, each with what it shows."""
    return {
        "curves.png": ("Proved and verified against expansions a theorem", _png(_curves(results))),
        "grid.png": (
            f"Proved and verified within {results.budget} expansions, in per cent",
            _png(_grid(results, figures)),
        ),
        "shapes.png": ("New states for each state expanded, by depth", _png(_branching(results, figures))),
    }


def _curves(results: Results) -> Figure:
    points, theorems = results.points(), len(results.theorems)

    def draw(axes: Axes, cell: Cell, colour: str, dashes: str) -> None:
        rates = [wilson(float(results.rates(cell, point).sum()), theorems) for point in points]
        axes.plot(points, [100 * rate.value for rate in rates], dashes, color=colour, label=cell.member, linewidth=1.8)
        low, high = [100 * rate.low for rate in rates], [100 * rate.high for rate in rates]
        axes.fill_between(points, low, high, alpha=0.1, color=colour, linewidth=0)

    figure = _by_strategy(results, results.cells, draw, "expansions a theorem", "proved and verified, %")
    for axes in figure.axes:
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    return figure


def _branching(results: Results, figures: Figures) -> Figure:
    shapes = {shape.cell: shape for shape in figures.shapes}

    def draw(axes: Axes, cell: Cell, colour: str, dashes: str) -> None:
        branching = shapes[cell].shape.branching[:SHOWN_DEPTHS]
        axes.plot(range(len(branching)), branching, dashes, marker="o", markersize=4, color=colour, label=cell.member)

    return _by_strategy(results, tuple(shapes), draw, "depth", "new states a state")


def _by_strategy(
    results: Results, cells: Sequence[Cell], draw: Callable[[Axes, Cell, str, str], None], across: str, up: str
) -> Figure:
    """A panel a strategy with a line a member, all on one scale, and one legend."""
    strategies = list(dict.fromkeys(cell.strategy for cell in cells))
    members = list(dict.fromkeys(cell.member for cell in results.cells))
    rows = math.ceil(len(strategies) / PER_ROW)
    columns = math.ceil(len(strategies) / rows)
    figure = Figure(figsize=(max(4.2 * columns, 6), 3.3 * rows + 0.8), layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    handles: dict[str, Line2D] = {}
    for axes, strategy in zip(panels.flat, strategies, strict=False):
        for cell in (cell for cell in cells if cell.strategy == strategy):
            place = members.index(cell.member)
            draw(axes, cell, COLOURS[place % len(COLOURS)], DASHES[place // len(COLOURS) % len(DASHES)])
        axes.set_title(_broken(strategy), fontsize="medium")
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        handles |= {str(line.get_label()): line for line in axes.get_lines()}
    for axes in panels.flat[len(strategies) :]:
        axes.set_visible(False)
    for axes in panels.flat[max(0, len(strategies) - columns) : len(strategies)]:
        axes.tick_params(labelbottom=True)
        axes.set_xlabel(across)
    for axes in panels[:, 0]:
        axes.set_ylabel(up)
    columns = min(5, len(handles))
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=columns, frameon=False)
    return figure


def _grid(results: Results, figures: Figures) -> Figure:
    members = list(dict.fromkeys(cell.member for cell in results.cells))
    strategies = list(dict.fromkeys(cell.strategy for cell in results.cells))
    told = {one.cell: 100 * one.rate.value for one in figures.rates if one.budget == results.budget}
    rates = np.array([[told.get(Cell(member, strategy), np.nan) for member in members] for strategy in strategies])
    best = np.nanmax(rates)
    figure = Figure(
        figsize=(4.2 + 0.95 * len(members), 1.2 + 0.42 * sum(1 + name.count(" + ") for name in strategies)),
        layout="constrained",
    )
    axes = figure.add_subplot()
    figure.suptitle(f"proved and verified within {results.budget} expansions, %", fontsize="medium")
    axes.imshow(rates, cmap="Blues", aspect="auto", vmin=0, vmax=max(2 * best, 1))  # light enough for dark ink
    axes.set_xticks(range(len(members)), members, rotation=25, ha="left", rotation_mode="anchor")
    axes.set_yticks(range(len(strategies)), list(map(_broken, strategies)))
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    axes.spines[:].set_visible(False)
    for (row, column), rate in np.ndenumerate(rates):
        weight = "bold" if rate == best else "normal"
        axes.text(column, row, "" if np.isnan(rate) else f"{rate:.1f}", ha="center", va="center", weight=weight)
    return figure


def _broken(strategy: str) -> str:
    """The strategies of an ensemble that has its own, in a line each."""
    return strategy.replace(" + ", "\n+ ")


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=150)
    return file.getvalue()
