"""The command `prove`. What a command needs is imported when it runs, so that `prove --help` answers at once."""

from __future__ import annotations

import asyncio
import io
import sys
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.exceptions import TyperException

from prover import parts
from prover.calibrate_command import calibrate
from prover.check_command import check
from prover.corpus_command import corpus
from prover.minimize_command import minimize
from prover.options import (
    DEFAULT_TIMEOUT_S,
    PORTFOLIO,
    SHIPPED,
    AlphaOption,
    ApartOption,
    BackendName,
    BackendOption,
    BeamsOption,
    BudgetOption,
    CalibrationOption,
    DepthOption,
    EngineName,
    EngineOption,
    EnsembleOption,
    ExplorationOption,
    FlopsOption,
    GpuMemoryOption,
    GpusPerPolicyOption,
    InputError,
    LeanMemoryOption,
    LeanPerNodeOption,
    LeanSecondsOption,
    MaxModelLenOption,
    ModelCallsOption,
    ModelTokensOption,
    PolicyOption,
    PopsOption,
    PriorityOption,
    ProjectOption,
    RayOption,
    ReplOption,
    SandboxOption,
    ScheduleOption,
    SeedOption,
    ShapeOption,
    StrategyName,
    StrategyOption,
    TacticsOption,
    TemperatureOption,
    TensorParallelOption,
    TimeoutOption,
    WallSecondsOption,
    WidthOption,
    WorkersOption,
    on_command_line,
    one_line,
    option,
)
from prover.schedule_command import learn_schedule
from prover.study_command import study
from prover.trace_command import trace
from prover.train_command import train

if TYPE_CHECKING:
    from benchmarks.registry import Benchmark
    from lean_env.engine import Theorem
    from prover.parts import NativeStart
    from prover.records import Attempt
    from prover.run import Plan
    from prover.store import Store


app = typer.Typer(
    help="Prove theorems by search over real Lean, and verify every proof.",
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=False,
    pretty_exceptions_enable=False,
)
engine_app = typer.Typer(help="The Lean that comes with prove: install it, or see what is there.")
app.add_typer(engine_app, name="engine")


@app.callback(invoke_without_command=True)
def prove(
    context: typer.Context,
    benchmark: Annotated[
        str | None,
        option(
            panel="Theorems",
            metavar="NAME",
            show_default=False,
            help="The benchmark to prove: minif2f, minif2f-core, gym, library or leandojo.",
        ),
    ] = None,
    split: Annotated[
        str | None,
        option(
            panel="Theorems",
            metavar="NAME",
            show_default="both",
            help="Which split: valid or test. leandojo: novel_premises or random, or such as random/valid.",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        option(
            panel="Theorems",
            metavar="PATH",
            show_default="download",
            help="The statements: JSON lines with name, split, header and statement. leandojo: the folder of LeanDojo"
            " Benchmark 4.",
        ),
    ] = None,
    repo: Annotated[
        str | None,
        option(
            panel="Theorems",
            metavar="URL@COMMIT",
            show_default="the data's",
            help="leandojo: the traced repository (prove trace); without --data, all that it proves by tactics.",
        ),
    ] = None,
    limit: Annotated[
        int | None, option(panel="Theorems", min=1, metavar="N", show_default="all", help="Only the first N theorems.")
    ] = None,
    policy: PolicyOption = [PORTFOLIO, SHIPPED],  # noqa: B006 (Typer copies it)
    temperature: TemperatureOption = None,
    beams: BeamsOption = None,
    backend: BackendOption = BackendName.TRANSFORMERS,
    tensor_parallel: TensorParallelOption = None,
    gpu_memory: GpuMemoryOption = None,
    max_model_len: MaxModelLenOption = None,
    strategy: StrategyOption = [StrategyName.BEST_FIRST],  # noqa: B006 (Typer copies it)
    width: WidthOption = None,
    depth: DepthOption = None,
    shape: ShapeOption = None,
    tactics: TacticsOption = None,
    pops: PopsOption = None,
    priority: PriorityOption = None,
    alpha: AlphaOption = None,
    c: ExplorationOption = None,
    apart: ApartOption = False,
    ensemble: EnsembleOption = None,
    calibration: CalibrationOption = None,
    schedule: ScheduleOption = None,
    budget: BudgetOption = 256,
    lean_s: LeanSecondsOption = None,
    model_calls: ModelCallsOption = None,
    model_tokens: ModelTokensOption = None,
    flops: FlopsOption = None,
    wall_s: WallSecondsOption = None,
    seed: SeedOption = 0,
    timeout: TimeoutOption = DEFAULT_TIMEOUT_S,
    workers: WorkersOption = 2,
    engine: EngineOption = EngineName.EMBEDDED,
    project: ProjectOption = None,
    repl: ReplOption = None,
    lean_memory: LeanMemoryOption = None,
    sandbox: SandboxOption = None,
    ray: RayOption = None,
    gpus_per_policy: GpusPerPolicyOption = None,
    lean_per_node: LeanPerNodeOption = None,
    out: Annotated[
        Path | None,
        option(
            panel="Run",
            metavar="DIR",
            show_default="runs/BENCHMARK",
            help="Where the run is kept; one that is there goes on.",
        ),
    ] = None,
    fresh: Annotated[bool, option("--fresh", panel="Run", help="Forget the run in --out and start over.")] = False,
) -> None:
    """Prove theorems by search over real Lean, and verify every proof.

    With --benchmark, a whole benchmark: results go to --out as they arrive, and a run that was stopped goes on where it
    was. Ends with: proved P of S supported (T theorems) in E expansions.
    """
    given = [name for name in context.params if on_command_line(context, name)]
    if command := context.invoked_subcommand:
        if given:
            raise InputError(f"--{given[0]} stands before {command}: put the options of {command} behind it")
        return
    if benchmark is None:
        if given:
            raise InputError(f"--{given[0]} without a benchmark: give --benchmark NAME")
        typer.echo(context.get_help())
        return
    from benchmarks.registry import load
    from prover.store import Store

    theorems = load(benchmark, split=split, data=data, repo=repo)
    if limit is not None:
        theorems = replace(theorems, theorems=theorems.theorems[:limit])
    if ray is not None and "workers" in given:
        raise InputError("--workers are those of this machine: with --ray give --lean-per-node")
    if (proving := parts.cluster_run(context.params, theorems)) is None:
        native, plan = parts.native_engine(context.params), parts.plan(context.params)
        plan.ensemble.check_held_out(theorems.theorems)
        proving = partial(_prove_benchmark, theorems, plan, workers, native)
    with closing(Store(out or Path("runs") / benchmark)) as store:
        try:
            summary = asyncio.run(proving(store, fresh))
        except KeyboardInterrupt:
            same = "the same command without --fresh" if fresh else "the same command"
            _say(f"prove: stopped; what is finished is kept in {store.out}, and {same} goes on from there")
            raise typer.Exit(130) from None
    from prover.report.report import cuts
    from prover.run import last_line

    if said := cuts(summary):
        _say(f"models: {said}")
    _say(f"report: {store.out / 'report.html'}")
    typer.echo(last_line(summary))


app.command()(check)
app.command()(corpus)
app.command()(minimize)
app.command()(train)
app.command()(study)
app.command("schedule")(learn_schedule)
app.command()(calibrate)
app.command()(trace)


async def _prove_benchmark(
    benchmark: Benchmark, plan: Plan, workers: int, native: NativeStart | None, store: Store, fresh: bool
) -> dict[str, Any]:
    from prover.progress import RunBar
    from prover.run import finish, prove_all, settings

    if benchmark.notice:
        _say(benchmark.notice)
    engine = await parts.engine_of(benchmark, workers, plan.timeout_s, native)
    try:
        store.begin(
            settings(benchmark, engine, plan), [p.member for p in plan.members], benchmark.theorems, fresh=fresh
        )
        with closing(RunBar(store.findings())) as bar:
            await prove_all(engine, plan, store, workers, bar.show)
        return finish(benchmark, engine, plan, store)
    finally:
        await engine.close()


@app.command()
def theorem(
    context: typer.Context,
    statement: Annotated[
        str, typer.Argument(metavar="STATEMENT", help='In quotes: "theorem t (a b : ℕ) (h : a < b) : a + 1 ≤ b".')
    ],
    policy: PolicyOption = [PORTFOLIO, SHIPPED],  # noqa: B006 (Typer copies it)
    temperature: TemperatureOption = None,
    beams: BeamsOption = None,
    backend: BackendOption = BackendName.TRANSFORMERS,
    tensor_parallel: TensorParallelOption = None,
    gpu_memory: GpuMemoryOption = None,
    max_model_len: MaxModelLenOption = None,
    strategy: StrategyOption = [StrategyName.BEST_FIRST],  # noqa: B006 (Typer copies it)
    width: WidthOption = None,
    depth: DepthOption = None,
    shape: ShapeOption = None,
    tactics: TacticsOption = None,
    pops: PopsOption = None,
    priority: PriorityOption = None,
    alpha: AlphaOption = None,
    c: ExplorationOption = None,
    apart: ApartOption = False,
    ensemble: EnsembleOption = None,
    calibration: CalibrationOption = None,
    schedule: ScheduleOption = None,
    budget: BudgetOption = 256,
    lean_s: LeanSecondsOption = None,
    model_calls: ModelCallsOption = None,
    model_tokens: ModelTokensOption = None,
    flops: FlopsOption = None,
    wall_s: WallSecondsOption = None,
    seed: SeedOption = 0,
    timeout: TimeoutOption = DEFAULT_TIMEOUT_S,
    engine: EngineOption = EngineName.EMBEDDED,
    project: ProjectOption = None,
    repl: ReplOption = None,
    lean_memory: LeanMemoryOption = None,
    sandbox: SandboxOption = None,
) -> None:
    """Prove one theorem and print it with its proof. Exit status 1 when no proof is found."""
    from prover.lean_text import theorem_of, with_proof

    wanted = theorem_of(statement)
    native = parts.native_engine(context.params)
    found = asyncio.run(_prove_theorem(wanted, parts.plan(context.params), native))
    if not found.proof:
        claimed = "".join(
            f"; a proof was {c.verdict.kind.value}: {one_line(c.verdict.reason)}" for c in found.claims[:1]
        )
        _say(
            f"prove: no proof of {wanted.name} found in {found.expansions} expansions ({found.outcome.value}){claimed}"
        )
        raise typer.Exit(1)
    typer.echo(with_proof(wanted, found.proof))


async def _prove_theorem(wanted: Theorem, plan: Plan, native: NativeStart | None) -> Attempt:
    from lean_env.engine import UnsupportedStatement
    from prover.run import attempt
    from search.ensemble import Pot

    plan.ensemble.check_held_out([wanted])
    engine = await parts.own_engine(native, 1, plan.timeout_s)
    try:
        return await attempt(engine, wanted, plan, Pot())
    except UnsupportedStatement as why:
        raise InputError(f"Lean does not take the statement of {wanted.name}: {one_line(str(why))}") from why
    finally:
        await engine.close()


@engine_app.command()
def install() -> None:
    """Fetch and prepare the embedded Lean; at once where it is there already."""
    from lean_env.embedded import install as embedded
    from prover.progress import InstallBar

    with closing(InstallBar()) as bar:
        embedded.install(bar.show)
    typer.echo(embedded.status())


@engine_app.command()
def status() -> None:
    """Tell which Lean is installed, and where."""
    from lean_env.embedded import install as embedded

    typer.echo(embedded.status())


def _say(text: str) -> None:
    typer.echo(text, err=True)


def main() -> None:
    """Run `prove` with the arguments of the process; ends the process."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # Lean text is UTF-8, whatever the locale
    try:
        code = app(prog_name="prove", standalone_mode=False)
    except TyperException as error:
        message = error.format_message()
    except _input_errors() as error:
        message = str(error)
    else:
        sys.exit(code)
    _say(f"prove: error: {one_line(message)}")
    sys.exit(2)


def _input_errors() -> tuple[type[Exception], ...]:
    """What ends a command with one line. Imported when something was raised, so that it costs no start-up time."""
    from benchmarks.registry import BenchmarkError
    from lean_env.engine import EngineError
    from prover.lean_text import LeanTextError
    from prover.policy.errors import ModelError
    from prover.store import StoreError
    from train.corpus.make import CorpusError
    from train.data import TrainingError

    return (InputError, BenchmarkError, CorpusError, EngineError, LeanTextError, ModelError, StoreError, TrainingError)
