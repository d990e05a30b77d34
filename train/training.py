"""A whole training: data, model, trainer, held-out figures, and the folder that it leaves."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset  # type: ignore[import-untyped]
from filelock import FileLock, Timeout
from transformers import ProgressCallback, TrainingArguments, set_seed
from transformers.trainer import TRAINING_ARGS_NAME
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR
from transformers.utils.logging import disable_progress_bar

from train import card
from train.checkpoints import Bar, Checkpoints, last_checkpoint, writing
from train.data import Encoded, TrainingError, corpus, encoded
from train.held_out import reliability
from train.loading import load_model, load_tokenizer, lora_of, one_line
from train.settings import TINY, Settings, bf16_here, objective_of
from train.trainer import WRITING, ObjectiveTrainer

HELD_OUT_PAIRS = 2000  # at most, evenly spaced over the split


def train(settings: Settings) -> dict[str, Any]:
    """Train as `settings` say, going on where the same training was stopped; gives what training.json says.

    Raises TrainingError; an earlier training in `settings.out` stays as it is.
    """
    objective = objective_of(settings)
    source = corpus(settings.data)
    bf16 = bf16_here() if settings.bf16 is None else settings.bf16
    if settings.model == TINY and settings.lora is not None:
        raise TrainingError("--model tiny begins with random weights, which adapters cannot mend: add --full")
    if settings.report_to != "none" and find_spec(settings.report_to) is None:
        raise TrainingError(f"--report-to {settings.report_to} needs the package {settings.report_to}: install it")
    if settings.adapter is not None:
        settings = replace(settings, lora=lora_of(settings.adapter))
    identity = settings.identity(source, bf16)
    if _first():
        card.check(settings.out, identity)
    with _held(settings.out):
        disable_progress_bar()  # type: ignore[no-untyped-call]  # those of loading and saving; that of the training stays
        set_seed(settings.seed)
        last = last_checkpoint(settings.out)
        tokenizer = load_tokenizer(settings, source, last)
        rows = encoded(source, "train", tokenizer, settings.max_length)
        if not len(rows.rows):
            raise TrainingError(
                f"--data {settings.data} has no pair of split train in {settings.max_length} tokens: give other data, "
                "or raise --max-length"
            )
        valid = encoded(source, "valid", tokenizer, settings.max_length)
        held_out = _thinned(valid.rows)
        with _explained(settings):
            trainer = ObjectiveTrainer(
                load_model(settings, tokenizer),
                _arguments(settings, bf16, held_out is not None),
                tokenizer=tokenizer,
                rows=rows.rows,
                valid=held_out,
                objective=objective,
                batch=settings.batch,
                normalise=settings.normalise,
                keep=settings.keep,
            )
            trainer.add_callback(Checkpoints(settings.checkpoint_steps))
            trainer.remove_callback(ProgressCallback)
            trainer.add_callback(Bar())
            if _first():
                card.begin(settings.out, identity)
            trainer.resume()
            return _finish(settings, identity, trainer, rows, valid)


def _first() -> bool:
    """Whether this is the one process of a launch that looks after the folder."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def _held(out: Path) -> Iterator[None]:
    """`out`, for this process alone (of several of one launch, the first holds it for all)."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = FileLock(out / card.LOCK)
        if _first():
            lock.acquire(timeout=0)
    except Timeout:
        raise TrainingError(f"another training writes into {out}: wait for it, or give another --out") from None
    except OSError as error:
        raise TrainingError(f"cannot write to --out {out}: {error.strerror}") from error
    try:
        yield
    finally:
        lock.release()


def _arguments(settings: Settings, bf16: bool, evaluate: bool) -> TrainingArguments:
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    share = -(-settings.batch // processes)
    return TrainingArguments(
        output_dir=str(settings.out),
        per_device_train_batch_size=min(settings.micro_batch, share),
        gradient_accumulation_steps=-(-share // settings.micro_batch),
        num_train_epochs=settings.epochs,
        max_steps=settings.max_steps or -1,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.schedule,
        warmup_steps=settings.warmup,
        weight_decay=settings.weight_decay,
        max_grad_norm=1.0,
        bf16=bf16,
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=False,
        activation_checkpointing=settings.gradient_checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False} if settings.gradient_checkpointing else None,
        ddp_find_unused_parameters=False,
        eval_strategy="epoch" if evaluate else "no",
        save_strategy="epoch",
        logging_steps=10,
        report_to=settings.report_to,
        run_name=settings.out.name,
        seed=settings.seed,
    )


def _finish(
    settings: Settings, identity: dict[str, Any], trainer: ObjectiveTrainer, rows: Encoded, valid: Encoded
) -> dict[str, Any]:
    """Write the model and, at last, its card into the folder, and remove what was there to resume from."""
    count = trainer.totals()
    if not trainer.args.should_save:
        return {}
    final = settings.out / WRITING
    shutil.rmtree(final, ignore_errors=True)
    with writing(settings.out):
        trainer.save_model(str(final))
        (final / TRAINING_ARGS_NAME).unlink()
        for file in final.iterdir():
            file.replace(settings.out / file.name)
        final.rmdir()
    model = trainer.accelerator.unwrap_model(trainer.model)
    held_out = None
    if trainer.valid is not None:
        held_out = {
            "ce": trainer.held_out_ce(),
            "pairs": len(trainer.valid),
            **reliability(model, trainer.tokenizer, valid.rows, settings.micro_batch),
        }
    content = {
        "form": card.FORM,
        "finished": True,
        "settings": identity,
        "result": {
            "gradient steps": trainer.state.global_step,
            "stopped early, since the data had too few live tactics": trainer.exhausted,
            "live tactics": count.live,
            "live share": count.live_share,
            "pairs": len(rows.rows),
            "pairs left out, over the max length": rows.too_long,
            "pairs left out, of incomplete proofs": len(rows.rows) - trainer.tactics,
            "tokens": count.tokens,
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
            "trained parameters": sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad),
        },
        "held_out": held_out,
    }
    card.write(settings.out, content)
    for checkpoint in settings.out.glob(f"{PREFIX_CHECKPOINT_DIR}-*"):
        shutil.rmtree(checkpoint)
    return content


def _thinned(rows: Dataset) -> Dataset | None:
    """At most HELD_OUT_PAIRS of `rows`, evenly spaced; None when there are none."""
    n = min(len(rows), HELD_OUT_PAIRS)
    return rows.select([len(rows) * k // n for k in range(n)]) if n else None


@contextmanager
def _explained(settings: Settings) -> Iterator[None]:
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        text = one_line(error)
        if not isinstance(error, (torch.OutOfMemoryError, MemoryError)) and "allocate memory" not in text:
            raise
        raise TrainingError(
            f"out of memory: lower --micro-batch (now {settings.micro_batch}) or --max-length (now "
            f"{settings.max_length}), or add --gradient-checkpointing; it then goes on from the last checkpoint"
        ) from error
