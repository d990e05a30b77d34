"""The trainer: transformers' own, with batches that hold only what an objective still learns from.

For every optimizer step candidates are taken from the stream and scored without gradients; from their
log-probabilities the objective gives each tactic its weight. Tactics whose weight is below EPSILON are dropped and
others are taken, until the batch is full; then one pass with gradients over the weighted cross-entropy. Since the
weights are constants by then (stop-gradient(w) * CE), the tactics of a proof are together only while they are scored.
"""

from __future__ import annotations

import itertools
import json
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset  # type: ignore[import-untyped]
from peft import PeftModel
from torch import Tensor
from torch.utils.data import DataLoader
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Trainer,
    TrainingArguments,
)
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from train.checkpoints import last_checkpoint, writing
from train.data import TrainingError
from train.likelihood import log_probs, padded
from train.losses import EPSILON, Coverage, CrossEntropy, Majority, Objective
from train.stream import Stream, traces

# What these say of a tactic does not depend on the rest of its proof.
PER_TACTIC = (CrossEntropy, Coverage, Majority)
LOG = "log.jsonl"
STREAM = "stream.json"
WRITING = ".writing"


@dataclass
class Count:
    """Optimizer steps aside, what training went through so far: tactics scored, and of these live ones."""

    scored: int = 0
    live: int = 0
    scored_loss: float = 0.0
    tokens: int = 0

    @property
    def live_share(self) -> float:
        """Of the tactics scored, the share that had a gradient."""
        return self.live / self.scored if self.scored else 0.0


class ObjectiveTrainer(Trainer):
    """A Trainer whose every step learns from `batch` live tactics, whatever share of the data is live.

    An epoch is as many live tactics as there are in the data, so that trainings of the same epochs make the same number
    of gradient steps with every objective. Training ends early when a whole pass over the data does not fill a batch.
    """

    loss_is_scaled_for_ga = True  # compute_loss divides by the live tactics of the whole step

    def __init__(
        self,
        model: PreTrainedModel | PeftModel,
        args: TrainingArguments,
        *,
        tokenizer: PreTrainedTokenizerBase,
        rows: Dataset,
        valid: Dataset | None,
        objective: Objective,
        batch: int,
        normalise: bool = False,
        keep: frozenset[int] | None = frozenset(),
    ) -> None:
        """Train `model` on `rows` (columns of train.data.Encoded).

        `batch` is in tactics, over all processes and accumulated micro-batches; with `normalise` the weights are
        divided by their mean over it, floored. The model is kept as it was at the ends of the epochs `keep`, None for
        all, in folders epoch-1, epoch-2, ... Raises TrainingError when the objective reaches no proof of `rows`.
        """
        super().__init__(model=model, args=args, processing_class=tokenizer, train_dataset=rows, eval_dataset=valid)
        self.rows, self.valid, self.tokenizer, self.out = rows, valid, tokenizer, Path(str(args.output_dir))
        self.objective: Objective = objective
        self.uniform = isinstance(objective, CrossEntropy)  # all weights 1: no need to score
        self.keep = keep
        self.share = -(-batch // args.world_size)
        self.normalise = normalise
        self.units = [[row] for row in range(len(rows))] if isinstance(objective, PER_TACTIC) else traces(rows)
        reached = objective.reaches(torch.tensor([len(unit) for unit in self.units], dtype=torch.long))
        self.units = [unit for unit, wanted in zip(self.units, reached.tolist(), strict=True) if wanted]
        if not self.units:
            raise TrainingError(
                "no proof of --data is whole within --max-length and in reach of a search of --budget: raise them"
            )
        if (tactics := sum(map(len, self.units))) < batch:
            raise TrainingError(f"--batch {batch} is more than the {tactics} tactics of the data: lower it")
        self._lengths = np.array([len(ids) for ids in rows["input_ids"]])
        longest = [int(self._lengths[unit].max()) for unit in self.units]
        self.stream = Stream(longest, args.seed, args.process_index, args.world_size)
        self.tactics = tactics
        self.steps_per_epoch = -(-self.tactics // batch)
        self._tactics_per_unit = self.tactics / len(self.units)
        self.count, self._logged, self._clock = Count(), Count(), time.monotonic()
        self.exhausted = False
        self._staging: Path | None = None

    # -- What a step learns from

    def get_train_dataloader(self) -> DataLoader[int]:
        """As many tickets as an epoch has micro-batches; `get_batch_samples` gives the batches they stand for."""
        tickets = range(self.steps_per_epoch * self.args.gradient_accumulation_steps)
        return DataLoader(tickets, batch_size=1)  # type: ignore[arg-type]

    def get_batch_samples(
        self, epoch_iterator: Iterator[Any], num_batches: int, device: torch.device
    ) -> tuple[list[dict[str, Tensor]], None]:
        """The micro-batches of one optimizer step, full of live tactics; none at all when there are not enough left."""
        tickets = list(itertools.islice(epoch_iterator, num_batches))
        chosen = self._live(device) if tickets else []
        weight = sum(weight for _, weight in chosen)
        mine = torch.tensor([len(chosen), weight, len(chosen) < self.share], dtype=torch.float64, device=device)
        live, weight, short = self.accelerator.reduce(mine, "mean").tolist()
        if not tickets or short:
            self.exhausted = self.control.should_training_stop = bool(tickets) or self.control.should_training_stop
            return [], None
        self.count.live += len(chosen)
        chosen.sort(key=lambda pick: self._lengths[pick[0]])
        parts = np.array_split(np.arange(len(chosen)), len(tickets))
        over = max(weight, EPSILON * live) if self.normalise else live
        return [self._batch([chosen[n] for n in part], over) for part in parts], None

    def _live(self, device: torch.device) -> list[tuple[int, float]]:
        """Rows and their weights, at least a full batch of them unless a whole pass does not hold so many."""
        chosen: list[tuple[int, float]] = []
        looked_at = 0
        while len(chosen) < self.share and looked_at < len(self.stream):
            missing = -(-(self.share - len(chosen)) // self._tactics_per_unit)
            units = [self.units[n] for n in self.stream.take(int(min(missing, len(self.stream) - looked_at)))]
            looked_at += len(units)
            rows = [row for unit in units for row in unit]
            weights = [1.0] * len(rows) if self.uniform else self._weights(units, device)
            chosen += [(row, weight) for row, weight in zip(rows, weights, strict=True) if weight >= EPSILON]
            self.count.scored += len(rows)
        return chosen

    @torch.no_grad()
    def _weights(self, units: Sequence[Sequence[int]], device: torch.device) -> list[float]:
        """The objective's weight of every tactic of `units`, under the model as it is now, without dropout."""
        rows = [row for unit in units for row in unit]
        scores = self.score(rows, device)
        mask = torch.zeros(len(units), max(map(len, units)), dtype=torch.bool, device=device)
        for index, unit in enumerate(units):
            mask[index, : len(unit)] = True
        table = torch.zeros(mask.shape, dtype=torch.float64, device=device)
        table[mask] = scores.double()
        weighted = self.objective(table, mask)
        self.count.scored_loss += float(weighted.loss.sum())
        return [float(weight) for weight in weighted.weights[mask]]

    @torch.no_grad()
    def score(self, rows: Sequence[int], device: torch.device, of: Dataset | None = None) -> Tensor:
        """Log-probabilities [rows] of tactics, of the training data unless `of` another, without dropout."""
        data = self.rows if of is None else of
        content = data[list(rows)]
        order = np.argsort([len(ids) for ids in content["input_ids"]])
        model = self.accelerator.unwrap_model(self.model)
        size = self.args.per_device_train_batch_size
        scores = torch.empty(len(rows), device=device)
        was_training = model.training
        model.eval()
        for start in range(0, len(rows), size):
            part = order[start : start + size]
            batch = self._padded([content["input_ids"][n] for n in part], [content["prompt_length"][n] for n in part])
            scores[part] = log_probs(model, {name: tensor.to(device) for name, tensor in batch.items()})
        model.train(was_training)
        return scores

    def _padded(self, ids: Sequence[Sequence[int]], prompt_lengths: Sequence[int]) -> dict[str, Tensor]:
        return padded(ids, prompt_lengths, self.tokenizer.pad_token_id)

    def _batch(self, picks: Sequence[tuple[int, float]], over: float) -> dict[str, Tensor]:
        content = self.rows[[row for row, _ in picks]]
        batch = self._padded(content["input_ids"], content["prompt_length"])
        self.count.tokens += int(batch["lengths"].sum())
        return {**batch, "weights": torch.tensor([weight for _, weight in picks]) / over}

    def compute_loss(self, model: torch.nn.Module, inputs: dict[str, Tensor], *_: Any, **__: Any) -> Tensor:
        """Weighted cross-entropy; summed over the micro-batches, the mean over the live tactics of a step."""
        return -(inputs["weights"] * log_probs(model, inputs)).sum()

    # -- What is told and kept

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """As Trainer.log, with what this trainer counts since the last line; all lines so far are in OUT/log.jsonl."""
        scored = self.count.scored - self._logged.scored
        if "loss" in logs and scored:
            now = time.monotonic()
            logs["live_share"] = (self.count.live - self._logged.live) / scored
            if not self.uniform:
                logs["objective"] = (
                    (self.count.scored_loss - self._logged.scored_loss) * self._tactics_per_unit / scored
                )
            logs["tokens_per_second"] = (self.count.tokens - self._logged.tokens) / (now - self._clock)
            self._logged, self._clock = replace(self.count), now
        super().log(logs, start_time)
        if self.args.should_save:
            with writing(self.out):
                (self.out / LOG).write_text("".join(json.dumps(line) + "\n" for line in self.state.log_history))

    def held_out_ce(self) -> float:
        """Mean cross-entropy of the held-out tactics, in nats a tactic."""
        return -float(self.score(range(len(self.valid or ())), self.args.device, self.valid).mean())

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Log held-out cross-entropy."""
        metrics = {"eval_ce": self.held_out_ce()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        self._clock = time.monotonic()
        return metrics

    def _get_output_dir(self, trial: Any) -> str:
        return str(self._staging or self.args.output_dir)

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        """A checkpoint that is there whole or not at all: written aside, then renamed, then the one before removed."""
        with writing(self.out):
            self._staging = staging = self.out / WRITING
            if self.args.should_save:
                shutil.rmtree(staging, ignore_errors=True)
            self.accelerator.wait_for_everyone()
            super()._save_checkpoint(model, trial)
            self._staging = None
            checkpoint = f"{PREFIX_CHECKPOINT_DIR}-{self.state.global_step}"
            where = {"done": self.stream.done, "position": self.stream.position, **asdict(self.count)}
            (staging / checkpoint / f"{self.args.process_index}-{STREAM}").write_text(json.dumps(where))
            kept = self._kept_name()
            if kept is not None:
                self.save_model(str(staging / kept), _internal_call=True)
            self.accelerator.wait_for_everyone()
            if self.args.should_save:
                earlier = [path for path in self.out.glob(f"{PREFIX_CHECKPOINT_DIR}-*") if path.name != checkpoint]
                # The kept model first: once the checkpoint is there, nothing makes it again.
                for name in (kept, checkpoint):
                    if name is not None:
                        shutil.rmtree(self.out / name, ignore_errors=True)
                        (staging / name).rename(self.out / name)
                for path in (*earlier, staging):
                    shutil.rmtree(path)
        self._clock = time.monotonic()

    def totals(self) -> Count:
        """The count over all processes."""
        mine = torch.tensor(astuple(self.count), dtype=torch.float64, device=self.args.device)
        scored, live, loss, tokens = self.accelerator.reduce(mine, "sum").tolist()
        return Count(int(scored), int(live), loss, int(tokens))

    def _kept_name(self) -> str | None:
        epoch, rest = divmod(self.state.global_step, self.steps_per_epoch)
        return f"epoch-{epoch}" if not rest and (self.keep is None or epoch in self.keep) else None

    def resume(self) -> None:
        """Train, from the last checkpoint in the output folder where there is one."""
        last = last_checkpoint(self.out)
        if last is not None:
            where = json.loads((last / f"{self.args.process_index}-{STREAM}").read_text())
            self.stream.seek(where.pop("done"), where.pop("position"))
            self.count, self._logged = Count(**where), Count(**where)
        self._clock = time.monotonic()
        self.train(resume_from_checkpoint=None if last is None else str(last))
