"""The command `prove train`. Torch is imported when it runs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from prover.options import InputError, on_command_line, option

MODEL, OBJECTIVE, STEPS, RUN = "Model", "Objective", "Steps", "Run"
ALL = "all"
LORA = ("lora_r", "lora_alpha", "lora_dropout", "lora_targets")
# Learning rates that suit what is trained: random weights, adapters, all weights of a trained model.
LEARNING_RATES = {"tiny": 1.5e-3, "adapter": 1e-4, "full": 1e-5}


class ObjectiveName(StrEnum):
    """The objectives of train.losses, by name."""

    CE = "ce"
    COVERAGE = "coverage"
    UNIFORM = "uniform"
    PASS_AT_N = "pass-at-n"
    BEST_OF_N = "best-of-n"
    MAJORITY = "majority"
    BEST_FIRST = "best-first"
    DEPTH_FIRST = "depth-first"
    RANDOMISED_DEPTH_FIRST = "randomised-depth-first"
    VALUE_DEPTH_FIRST = "value-depth-first"
    MCTS = "mcts"


class ScheduleName(StrEnum):
    """How the learning rate goes on after warm-up."""

    LINEAR = "linear"
    COSINE = "cosine"
    CONSTANT = "constant_with_warmup"


class ReportName(StrEnum):
    """Where figures are sent while training, beside OUT/log.jsonl."""

    NONE = "none"
    TENSORBOARD = "tensorboard"
    WANDB = "wandb"


def train(
    context: typer.Context,
    model: Annotated[
        str,
        option(
            panel=MODEL, metavar="MODEL", help="A name of the hub, a folder, or tiny: a decoder of 0.9 M parameters."
        ),
    ],
    data: Annotated[
        Path,
        option(
            panel=RUN,
            metavar="PATH",
            help="Pairs of state and tactic: .jsonl, .jsonl.gz, or LeanDojo's folder random or novel_premises.",
        ),
    ],
    out: Annotated[
        Path, option(panel=RUN, metavar="DIR", help="The folder of the trained model; a stopped training goes on.")
    ],
    objective: Annotated[
        ObjectiveName,
        option(
            panel=OBJECTIVE, help="What is optimised: ce, coverage, best-of-n, majority by tactic, others by proof."
        ),
    ] = ObjectiveName.COVERAGE,
    n_eff: Annotated[
        float | None,
        option(
            panel=OBJECTIVE,
            metavar="N",
            help="For coverage, best-of-n, majority: samples of a state, and so tactics to spread over there, from 1.",
        ),
    ] = None,
    budget: Annotated[
        float | None,
        option(panel=OBJECTIVE, metavar="N", help="For objectives by proof: the budget of the search, in expansions."),
    ] = None,
    kappa: Annotated[
        float, option(panel=OBJECTIVE, min=1, metavar="K", help="For searches: expansions that a miss costs.")
    ] = 1.0,
    absorption: Annotated[
        float,
        option(panel=OBJECTIVE, min=0, metavar="Q", help="For searches: the chance that a miss loses the search."),
    ] = 0.0,
    threshold: Annotated[
        int, option(panel=OBJECTIVE, min=1, metavar="K", help="For majority: how many of the samples must agree.")
    ] = 1,
    normalise: Annotated[
        bool,
        option(
            "--normalise",
            panel=OBJECTIVE,
            help="Divide the weights by the mean of all that was scored for a step, at least 0.1.",
        ),
    ] = False,
    epochs: Annotated[
        int, option(panel=STEPS, min=1, metavar="N", help="An epoch is as many live tactics as the data has tactics.")
    ] = 1,
    max_steps: Annotated[
        int | None,
        option(
            panel=STEPS,
            min=1,
            metavar="N",
            help="Optimizer steps, each on a batch of live tactics; overrides --epochs.",
        ),
    ] = None,
    batch: Annotated[int, option(panel=STEPS, min=1, metavar="N", help="Live tactics of one optimizer step.")] = 32,
    micro_batch: Annotated[
        int,
        option(
            panel=STEPS, min=1, metavar="N", help="Tactics that go through the model at once; memory grows with it."
        ),
    ] = 16,
    learning_rate: Annotated[
        float | None,
        option(
            "--learning-rate",
            "--lr",
            panel=STEPS,
            min=0,
            metavar="R",
            show_default="1.5e-3 for tiny, 1e-4 for an adapter, 1e-5 with --full",
            help="Peak of the learning rate.",
        ),
    ] = None,
    schedule: Annotated[
        ScheduleName, option(panel=STEPS, help="The learning rate after warm-up.")
    ] = ScheduleName.LINEAR,
    warmup: Annotated[
        float, option(panel=STEPS, min=0, max=0.99, metavar="SHARE", help="Share of the steps before the peak.")
    ] = 0.03,
    weight_decay: Annotated[float, option(panel=STEPS, min=0, metavar="D", help="AdamW's weight decay.")] = 0.01,
    max_length: Annotated[
        int, option(panel=RUN, min=8, metavar="N", help="Tokens; longer pairs are left out and counted, never cut.")
    ] = 512,
    full: Annotated[bool, option("--full", panel=MODEL, help="Train all weights instead of an adapter.")] = False,
    adapter: Annotated[
        Path | None, option(panel=MODEL, metavar="DIR", show_default=False, help="Go on from this adapter of --model.")
    ] = None,
    lora_r: Annotated[int, option(panel=MODEL, min=1, metavar="N", help="Rank of the adapter.")] = 16,
    lora_alpha: Annotated[
        int, option(panel=MODEL, min=1, metavar="N", help="Scale of the adapter, over its rank.")
    ] = 32,
    lora_dropout: Annotated[
        float, option(panel=MODEL, min=0, max=0.99, metavar="P", help="Dropout of the adapter.")
    ] = 0.05,
    lora_targets: Annotated[
        str, option(panel=MODEL, metavar="NAMES", help="Layers with an adapter: names with commas, or all-linear.")
    ] = "all-linear",
    bf16: Annotated[
        bool | None,
        option("--bf16/--no-bf16", panel=RUN, show_default="where the machine has it", help="Multiply in bfloat16."),
    ] = None,
    gradient_checkpointing: Annotated[
        bool, option("--gradient-checkpointing", panel=RUN, help="Less memory, a third more time.")
    ] = False,
    keep_checkpoints: Annotated[
        str | None,
        option(
            panel=RUN,
            metavar="EPOCHS",
            show_default="none",
            help="Keep the models of these epochs as DIR/epoch-N: all or 5,10.",
        ),
    ] = None,
    checkpoint_steps: Annotated[
        int,
        option(
            panel=RUN, min=1, metavar="N", help="Steps from one checkpoint to go on from to the next; each epoch too."
        ),
    ] = 500,
    report_to: Annotated[
        ReportName, option(panel=RUN, help="Where figures go, beside DIR/log.jsonl.")
    ] = ReportName.NONE,
    seed: Annotated[
        int,
        option(
            panel=RUN,
            min=0,
            metavar="N",
            help="Same seed, data, options and kind of machine give the same model; see --bf16.",
        ),
    ] = 0,
) -> None:
    """Fine-tune a tactic model for the search that it will run in.

    Leaves a folder for from_pretrained, or an adapter, with its card. The same command goes on with a training that was
    stopped; a finished one is never overwritten. On several GPUs: accelerate launch -m prover train ...
    """
    if full and adapter is not None:
        raise InputError("--full trains no adapter: leave out --full or --adapter")
    if adapter is not None and (shape := [name for name in LORA if on_command_line(context, name)]):
        raise InputError(f"--adapter has its own rank and layers: leave out --{shape[0].replace('_', '-')}")
    kind = "tiny" if model == "tiny" else "full" if full else "adapter"
    keep = _epochs(keep_checkpoints)
    from train.data import TrainingError
    from train.settings import Lora, Settings
    from train.training import train as run

    settings = Settings(
        model=model,
        data=data,
        out=out,
        objective=objective.value,
        n_eff=n_eff,
        budget=budget,
        kappa=kappa,
        absorption=absorption,
        threshold=threshold,
        normalise=normalise,
        epochs=epochs,
        max_steps=max_steps,
        batch=batch,
        micro_batch=micro_batch,
        learning_rate=LEARNING_RATES[kind] if learning_rate is None else learning_rate,
        schedule=schedule.value,
        warmup=warmup,
        weight_decay=weight_decay,
        max_length=max_length,
        lora=None if full else Lora(lora_r, lora_alpha, lora_dropout, tuple(lora_targets.split(","))),
        adapter=adapter,
        bf16=bf16,
        gradient_checkpointing=gradient_checkpointing,
        seed=seed,
        report_to=report_to.value,
        keep=keep,
        checkpoint_steps=checkpoint_steps,
    )
    try:
        content = run(settings)
    except TrainingError as error:
        raise InputError(str(error)) from error
    except KeyboardInterrupt:
        typer.echo("prove: stopped; the same command goes on from the last checkpoint", err=True)
        raise typer.Exit(130) from None
    if content:
        typer.echo(_last_line(content, out))


def _epochs(text: str | None) -> frozenset[int] | None:
    if text is None or text == ALL:
        return None if text == ALL else frozenset()
    try:
        return frozenset(int(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(
            f"--keep-checkpoints {text} is not a list of epochs: give all, or numbers like 5,10"
        ) from error


def _last_line(content: dict[str, dict[str, float]], out: Path) -> str:
    result, held_out = content["result"], content["held_out"]
    held = f"; held-out cross-entropy {held_out['ce']:.3f}, confidence {held_out['confidence']:.3f}" if held_out else ""
    left_out = result["pairs left out, over the max length"]
    long = f"; {left_out} pairs were over --max-length" if left_out else ""
    return f"trained {result['gradient steps']} steps, {100 * result['live share']:.0f} % live{held}{long}: {out}"
