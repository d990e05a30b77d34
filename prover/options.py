"""The options that several commands share, with their ranges, units and help."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

DEFAULT_ALPHA = 0.5
DEFAULT_TEMPERATURE = 1.0
DEFAULT_TIMEOUT_S = 10.0
SHIPPED, PORTFOLIO = "shipped", "portfolio"


class InputError(Exception):
    """What the user gave cannot be used. One line, with the mend."""


class PriorityName(StrEnum):
    """Which state is expanded next: the highest of these over the tactics that lead to it."""

    SUM = "sum"
    MEAN = "mean"
    LENGTH = "length"


def option(*names: str, panel: str = "Search", **rest: Any) -> Any:
    """An option of the help's panel `panel`; the rest is Typer's."""
    return typer.Option(*names, rich_help_panel=panel, **rest)


PolicyOption = Annotated[
    list[str],
    option(
        "--policy",
        metavar="NAME",
        show_default=SHIPPED,
        help="Where tactics come from: shipped (the models that come with prove, one for each N_eff), portfolio (no"
        " model), the folder of a model or adapter, or a name of the hub. Several share the budget equally.",
    ),
]
TemperatureOption = Annotated[
    float | None,
    option(
        min=0.01,
        max=10,
        metavar="T",
        show_default=f"{DEFAULT_TEMPERATURE:g}",
        help="At which models are sampled; 1 is as they were trained.",
    ),
]
BeamsOption = Annotated[
    int | None,
    option(
        min=1,
        metavar="N",
        show_default="draws",
        help="Try the likeliest tactics that a beam search of N beams finds, at most N a state, instead of draws.",
    ),
]
BudgetOption = Annotated[
    int, option(min=1, metavar="N", help="Expansions for each theorem: tactics sampled and checked by Lean.")
]
WidthOption = Annotated[int, option(min=1, metavar="N", help="Tactics tried each time a state is expanded.")]
PriorityOption = Annotated[
    PriorityName,
    option(help="Expand the state with the highest sum or mean of log-probabilities, or sum / length^alpha."),
]
AlphaOption = Annotated[
    float | None,
    option(min=0, max=1, metavar="A", show_default=str(DEFAULT_ALPHA), help="Exponent for --priority length."),
]
SeedOption = Annotated[int, option(min=0, metavar="N", help="Same seed and same budget give the same proofs.")]
TimeoutOption = Annotated[
    float,
    option(min=0.1, metavar="S", help="Seconds that one tactic may take; a tactic that takes longer has failed."),
]
WorkersOption = Annotated[
    int, option(panel="Run", min=1, metavar="N", help="Lean processes; each takes 0.5 to 0.8 GB of memory.")
]
