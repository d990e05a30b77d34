"""The options that several commands share, with their ranges, units and help."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

DEFAULT_ALPHA = 0.5
DEFAULT_TEMPERATURE = 1.0
HOTTEST_SERVED = 2  # the highest temperature of vLLM and of OpenAI's API
DEFAULT_TIMEOUT_S = 10.0
SHIPPED, PORTFOLIO = "shipped", "portfolio"
SERVED = ("http://", "https://")  # the beginnings of policies that servers run


class InputError(Exception):
    """What the user gave cannot be used. One line, with the mend."""


def one_line(text: str) -> str:
    """A text of several lines, such as Lean's, as one."""
    return " ".join(text.split())


class StrategyName(StrEnum):
    """How a policy is searched with; prover.strategies has what each of them takes."""

    BEST_FIRST = "best-first"
    ROLLOUTS = "rollouts"
    DEPTH_FIRST = "depth-first"
    RANDOMISED_DEPTH_FIRST = "randomised-depth-first"
    VALUE_DEPTH_FIRST = "value-depth-first"
    MCTS = "mcts"
    PUCT = "puct"
    BEAM = "beam"
    SHAPED = "shaped"


# These draw one tactic at a time, where the others take a list of different ones.
DRAWING = frozenset(
    {
        StrategyName.ROLLOUTS,
        StrategyName.DEPTH_FIRST,
        StrategyName.RANDOMISED_DEPTH_FIRST,
        StrategyName.VALUE_DEPTH_FIRST,
    }
)


class EnsembleName(StrEnum):
    """How several policies share a theorem's budget; prover.ensembles has what each of them is."""

    EQUAL = "equal"
    ROUND_ROBIN = "round-robin"
    SHARED = "shared"
    ADAPTIVE = "adaptive"


class PriorityName(StrEnum):
    """Which state is expanded next: the highest of these over the tactics that lead to it."""

    SUM = "sum"
    MEAN = "mean"
    LENGTH = "length"


class BackendName(StrEnum):
    """What runs the models."""

    TRANSFORMERS = "transformers"
    VLLM = "vllm"


class EngineName(StrEnum):
    """Which Lean."""

    EMBEDDED = "embedded"
    REPL = "repl"


class SandboxMode(StrEnum):
    """Whether a native Lean runs without network, and sees its project read-only and little else."""

    AUTO = "auto"
    REQUIRED = "required"
    OFF = "off"


def option(*names: str, panel: str = "Search", **rest: Any) -> Any:
    """An option of the help's panel `panel`; the rest is Typer's."""
    return typer.Option(*names, rich_help_panel=panel, **rest)


def on_command_line(context: typer.Context, name: str) -> bool:
    """Whether the user has given this option."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


PolicyOption = Annotated[
    list[str],
    option(
        "--policy",
        metavar="NAME",
        show_default=f"{PORTFOLIO} and {SHIPPED}",
        help="Where tactics come from: shipped (the models that come with prove, one for each N_eff), one of them (such"
        " as n-eff-8), portfolio (no model), the folder of a model or adapter, a name of the hub, or a model of a"
        " server (http://HOST:8000/v1#NAME). Several are an ensemble.",
    ),
]
BackendOption = Annotated[
    BackendName, option(panel="Models", help="What runs the models: transformers, or vLLM (the extra vllm).")
]
TensorParallelOption = Annotated[
    int | None,
    option(panel="Models", min=1, metavar="N", show_default="1", help="vllm: so many GPUs hold one model together."),
]
GpuMemoryOption = Annotated[
    float | None,
    option(
        panel="Models",
        min=0.01,
        max=1,
        metavar="SHARE",
        show_default="0.9",
        help="vllm: of a GPU's memory, for weights and cache; without a GPU, of the machine's.",
    ),
]
MaxModelLenOption = Annotated[
    int | None,
    option(
        panel="Models",
        min=256,
        metavar="N",
        show_default="the model's",
        help="vllm: tokens of a state and a tactic together; longer states are cut.",
    ),
]
EnsembleOption = Annotated[
    EnsembleName | None,
    option(
        show_default="shared with best-first, else equal",
        help="How several policies share the budget of a theorem. equal: one after the other, equal parts. round-robin:"
        " in turn, expansion by expansion. shared: one tree, whichever tactic is the likeliest. adaptive: by what their"
        " first expansions look like, and across theorems.",
    ),
]
CalibrationOption = Annotated[
    str | None,
    option(
        metavar="T,T,...",
        show_default="1 each",
        help="shared: the temperature of each policy; above 1 its probabilities come closer to each other.",
    ),
]
ScheduleOption = Annotated[
    Path | None,
    option(metavar="FILE", show_default=False, help="adaptive: what prove schedule has learned."),
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
StrategyOption = Annotated[
    list[StrategyName],
    option(
        "--strategy",
        show_default=StrategyName.BEST_FIRST.value,
        help="Which states are expanded, in which order. One for all policies, or one for each --policy.",
    ),
]
WidthOption = Annotated[
    int | None,
    option(
        min=1,
        metavar="N",
        show_default="4",
        help="best-first: tactics tried each time a state is expanded. beam: states kept of each depth."
        " shaped: tactics tried on every state.",
    ),
]
DepthOption = Annotated[
    int | None,
    option(min=1, metavar="N", show_default="12; best-first: any", help="The most tactics that a proof may have."),
]
ShapeOption = Annotated[
    str | None,
    option(
        metavar="N,N,...",
        show_default=False,
        help="shaped: so many tactics on every state of depth 0, 1, ...; or give --width and --depth.",
    ),
]
TacticsOption = Annotated[
    int | None, option(min=1, metavar="N", show_default="8", help="beam: tactics tried on each state.")
]
PopsOption = Annotated[
    int | None, option(min=1, metavar="N", show_default="1", help="best-first: states taken up together.")
]
PriorityOption = Annotated[
    PriorityName | None,
    option(
        show_default="sum",
        help="best-first, beam: the best state has the highest sum or mean of log-probabilities,"
        " or sum / length^alpha.",
    ),
]
AlphaOption = Annotated[
    float | None,
    option(min=0, max=1, metavar="A", show_default=str(DEFAULT_ALPHA), help="Exponent for --priority length."),
]
ExplorationOption = Annotated[
    float | None,
    option(
        "--c", min=0, metavar="C", show_default="0.5", help="mcts, puct: how much seldom visited states are favoured."
    ),
]
ApartOption = Annotated[
    bool,
    option("--apart", help="Prove goals that share no metavariable apart (AND-OR), where Lean says that they do not."),
]
BudgetOption = Annotated[
    int,
    option(
        panel="Budget", min=1, metavar="N", help="Expansions for each theorem: tactics sampled and checked by Lean."
    ),
]


def _limit(help: str, **rest: Any) -> Any:
    return option(panel="Budget", show_default="none", help=f"{help} for each theorem.", **rest)


LeanSecondsOption = Annotated[
    float | None, _limit("Seconds in Lean, waiting for a process included,", min=0.1, metavar="S")
]
ModelCallsOption = Annotated[int | None, _limit("Requests to models", min=1, metavar="N")]
ModelTokensOption = Annotated[int | None, _limit("Tokens that models read and write", min=1, metavar="N")]
FlopsOption = Annotated[float | None, _limit("Operations of models, 2 x parameters x tokens,", min=1, metavar="F")]
WallSecondsOption = Annotated[float | None, _limit("Seconds in all", min=0.1, metavar="S")]
SeedOption = Annotated[int, option(min=0, metavar="N", help="Same seed and same budget give the same proofs.")]
TimeoutOption = Annotated[
    float,
    option(min=0.1, metavar="S", help="Seconds that one tactic may take; a tactic that takes longer has failed."),
]
WorkersOption = Annotated[
    int, option(panel="Run", min=1, metavar="N", help="Lean processes; each takes 0.5 to 0.8 GB of memory.")
]
RayOption = Annotated[
    str | None,
    option(
        panel="Cluster",
        metavar="ADDRESS",
        show_default="this machine",
        help="Run on a Ray cluster (the extra ray): auto for the one that this machine is a node of, or HOST:PORT.",
    ),
]
GpusPerPolicyOption = Annotated[
    int | None,
    option(
        panel="Cluster",
        min=0,
        metavar="N",
        show_default="1, or --tensor-parallel",
        help="GPUs of one copy of a model; as many copies as there are GPUs for. 0: one copy a node, without a GPU.",
    ),
]
LeanPerNodeOption = Annotated[
    int | None,
    option(
        panel="Cluster",
        min=1,
        metavar="N",
        show_default="its CPUs",
        help="Lean processes on each node, at most one for each CPU that no copy of a model needs.",
    ),
]
EngineOption = Annotated[
    EngineName, option(panel="Lean", help="embedded, the Lean that comes with prove, or repl, that of --project.")
]
ReplOption = Annotated[
    str | None,
    option(
        panel="Lean",
        metavar="COMMAND",
        show_default="lean-interact's; else lake env repl",
        help="repl: what starts the community REPL in the project.",
    ),
]
ProjectOption = Annotated[
    Path | None, option(panel="Lean", metavar="DIR", show_default=False, help="repl: a Lean project, built.")
]
LeanMemoryOption = Annotated[
    int | None,
    option(panel="Lean", min=512, metavar="MIB", show_default="12288", help="repl: memory of one Lean process."),
]
SandboxOption = Annotated[
    SandboxMode | None,
    option(
        panel="Lean",
        show_default="auto",
        help="repl: Lean gets no network and sees the project read-only: where it can be had, always, or never.",
    ),
]
