"""Pictures of what was measured: pass rate against budget, and how far a model's confidence can be trusted.

python -m benchmarks.plots curves FILE... --out PNG
python -m benchmarks.plots reliability MODEL... --out PNG
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.compare import rate, read_results
from search.statistics import Interval
from train import card

app = typer.Typer(add_completion=False)
Files = Annotated[list[Path], typer.Argument(help="Files of benchmarks.measure.")]
Out = Annotated[Path, typer.Option(help="The picture.")]


@app.command()
def curves(
    files: Files,
    out: Out,
    strategy: Annotated[str, typer.Option(help="How they searched.")] = "rollouts",
    ensemble: Annotated[list[str] | None, typer.Option(help="TITLE=MEMBERS")] = None,
    contestant: Annotated[list[str] | None, typer.Option(help="Those to draw; all of them unless given.")] = None,
) -> None:
    """Pass rate against budget, with 95 % intervals."""
    results = read_results(files, strategy)
    if unknown := set(contestant or []) - set(results.solved):
        raise typer.BadParameter(f"no results of {', '.join(sorted(unknown))}")
    largest = results.budget
    budgets = sorted({int(2 ** (step / 2)) for step in range(2 * largest.bit_length() - 1)} | {largest})
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot(xscale="log", xlabel="expansions a theorem", ylabel="proved and verified, %")
    for name in contestant or results.solved:
        _curve(axes, name, budgets, [rate(results.within(name, budget)) for budget in budgets])
    for title, _, members in (spec.partition("=") for spec in ensemble or []):
        names = members.split(",")
        shared = [budget for budget in budgets if budget >= len(names)]
        _curve(axes, title, shared, [rate(results.ensemble(names, budget)) for budget in shared], style="--")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    figure.savefig(out, dpi=150)


@app.command()
def reliability(
    models: Annotated[list[Path], typer.Argument(help="Folders of trained models, with training.json.")], out: Out
) -> None:
    """How often the likeliest tactic is a demonstrated one, by its probability; and how many states have which."""
    figure = Figure(figsize=(10, 4.5), layout="constrained")
    share, count = figure.subplots(1, 2)
    share.plot([0, 1], [0, 1], color="grey", linewidth=1)
    for model in models:
        bins = card.read(model)["held_out"]["bins"]
        filled = [row for row in bins if row["states"]]
        share.plot([row["confidence"] for row in filled], [row["accuracy"] for row in filled], "o-", label=model.name)
        states = sum(row["states"] for row in bins)
        count.plot(
            [row["from"] + 0.05 for row in bins], [row["states"] / states for row in bins], "o-", label=model.name
        )
    share.set(xlabel="probability of the likeliest tactic", ylabel="share demonstrated")
    count.set(xlabel="probability of the likeliest tactic", ylabel="share of held-out states")
    for axes in (share, count):
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
    figure.savefig(out, dpi=150)


def _curve(axes: Axes, name: str, budgets: list[int], rates: list[Interval], style: str = "-") -> None:
    (line,) = axes.plot(budgets, [100 * each.value for each in rates], style, label=name)
    low, high = [100 * each.low for each in rates], [100 * each.high for each in rates]
    axes.fill_between(budgets, low, high, alpha=0.12, color=line.get_color())


if __name__ == "__main__":
    app()
