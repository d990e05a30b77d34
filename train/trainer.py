"""The trainer: transformers' own, with batches that hold only what an objective still learns from.

For every optimizer step candidates are taken from the stream and scored without gradients; from their
log-probabilities the objective gives each tactic its weight. Tactics that are dead (train.losses.live) are dropped and
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
    TrainerState,
    TrainingArguments,
)
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from train.checkpoints import last_checkpoint, writing
from train.data import TrainingError
from train.likelihood import log_probs, padded
from train.losses import CrossEntropy, Objective, live, normalised
from train.stream import Stream, traces

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

    loss_is_scaled_for_ga = True  # the weights of a batch are over the tactics of the whole step already

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

        `batch` is in tactics, over all processes and accumulated micro-batches. With `normalise` the weights are
        divided by their mean over all that was scored for a step, floored, and the loss is the mean over the same. The
        model is kept as it was at the ends of the epochs `keep`, None for all, in folders epoch-1, epoch-2, ...
        Raises TrainingError when the objective reaches no proof of `rows`.
        """
        super().__init__(model=model, args=args, processing_class=tokenizer, train_dataset=rows, eval_dataset=valid)
        self.rows, self.valid, self.tokenizer, self.out = rows, valid, tokenizer, Path(str(args.output_dir))
        self.objective: Objective = objective
        self.uniform = isinstance(objective, CrossEntropy)  # all weights 1: no need to score
        self.keep = keep
        self.share = -(-batch // args.world_size)
        self.normalise = normalise
        self.units = traces(rows) if objective.needs_traces else [[row] for row in range(len(rows))]
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
        self._saved: int | None = None  # the step of the last checkpoint

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
        rows, weights, alive = self._candidates(self.share if tickets else 0, device)
        mine = torch.tensor([len(rows), alive.sum(), alive.sum() < self.share], dtype=torch.float64, device=device)
        scored, found, short = self._total(mine).tolist()
        if not tickets or short:
            self.exhausted = self.control.should_training_stop = bool(tickets) or self.control.should_training_stop
            return [], None
        self.count.live += int(alive.sum())
        # The loss is a mean over live tactics; with normalised weights over all candidates, as the mean weight is.
        over = self.share * (scored / found if self.normalise else 1.0)
        if self.normalise:
            weights = normalised(weights, torch.ones_like(alive), total=self._total)
        # A proof may have more live tactics than the batch has room for: chance decides which, not their steps.
        chance = np.random.default_rng([self.args.seed, self.state.global_step, self.args.process_index])
        places = np.sort(chance.permutation(alive.nonzero()[:, 0].cpu().numpy())[: self.share])
        chosen = [(rows[place], float(weights[place])) for place in places]
        chosen.sort(key=lambda pick: self._lengths[pick[0]])
        parts = np.array_split(np.arange(len(chosen)), len(tickets))
        return [self._batch([chosen[n] for n in part], over) for part in parts], None

    def _candidates(self, wanted: int, device: torch.device) -> tuple[list[int], Tensor, Tensor]:
        """Rows, their weights [rows], and which are live: `wanted`, unless a whole pass does not hold so many.

        Of whole proofs, the last one may bring more live tactics than are missing.
        """
        rows: list[int] = []
        weights = torch.zeros(0, dtype=torch.float64, device=device)
        alive = torch.zeros(0, dtype=torch.bool, device=device)
        seen: set[int] = set()
        while (missing := wanted - int(alive.sum())) > 0 and len(seen) < len(self.stream):
            count = min(-(-missing // self._tactics_per_unit), len(self.stream) - len(seen))
            # A step that begins within a pass and goes on in the next one meets some units of it again.
            new = [n for n in self.stream.take(int(count)) if n not in seen]
            seen.update(new)
            units = [self.units[n] for n in new]
            fresh = [row for unit in units for row in unit]
            if not fresh:
                continue
            worth = torch.ones(len(fresh), device=device).double() if self.uniform else self._weights(units, device)
            rows, weights = rows + fresh, torch.cat([weights, worth])
            alive = live(weights, torch.ones_like(weights, dtype=torch.bool))
        self.count.scored += len(rows)
        return rows, weights, alive

    def _total(self, mine: Tensor) -> Tensor:
        """`mine`, added up over all processes."""
        total: Tensor = self.accelerator.reduce(mine, "sum")
        return total

    @torch.no_grad()
    def _weights(self, units: Sequence[Sequence[int]], device: torch.device) -> Tensor:
        """The weights [tactics] that the objective gives to `units`, under the model as it is now, without dropout."""
        rows = [row for unit in units for row in unit]
        scores = self.score(rows, device)
        mask = torch.zeros(len(units), max(map(len, units)), dtype=torch.bool, device=device)
        for index, unit in enumerate(units):
            mask[index, : len(unit)] = True
        table = torch.zeros(mask.shape, dtype=torch.float64, device=device)
        table[mask] = scores.double()
        weighted = self.objective(table, mask)
        self.count.scored_loss += float(weighted.loss.sum())
        return weighted.weights[mask]

    @torch.no_grad()
    def score(self, rows: Sequence[int], device: torch.device, of: Dataset | None = None) -> Tensor:
        """Log-probabilities [rows] of tactics, of the training data unless `of` another, without dropout.

        Raises TrainingError when one is not finite.
        """
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
        self._check_finite(scores, "loss")
        return scores

    def _padded(self, ids: Sequence[Sequence[int]], prompt_lengths: Sequence[int]) -> dict[str, Tensor]:
        return padded(ids, prompt_lengths, self.tokenizer.pad_token_id)

    def _batch(self, picks: Sequence[tuple[int, float]], over: float) -> dict[str, Tensor]:
        content = self.rows[[row for row, _ in picks]]
        batch = self._padded(content["input_ids"], content["prompt_length"])
        self.count.tokens += int(batch["lengths"].sum())
        return {**batch, "weights": torch.tensor([weight for _, weight in picks]) / over}

    def compute_loss(self, model: torch.nn.Module, inputs: dict[str, Tensor], *_: Any, **__: Any) -> Tensor:
        """Weighted cross-entropy; summed over the micro-batches, the mean over the tactics of a step."""
        loss = -(inputs["weights"] * log_probs(model, inputs)).sum()
        self._check_finite(loss, "loss")
        return loss

    def _clip_grad_norm(self, model: torch.nn.Module) -> Any:
        """Runs before the weights change, so that no checkpoint is of weights that a gradient has destroyed."""
        norm = super()._clip_grad_norm(model)  # type: ignore[no-untyped-call]
        self._check_finite(torch.as_tensor(norm), "gradient")
        return norm

    def _check_finite(self, numbers: Tensor, name: str) -> None:
        if not bool(torch.isfinite(numbers).all()):
            raise TrainingError(
                f"the {name} is not finite at step {self.state.global_step + 1}: "
                f"lower --lr (now {self.args.learning_rate:g}), with another --out; checkpoints so far are kept"
            )

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
        if self.state.global_step == self._saved:  # an epoch may end where a checkpoint was due anyway
            return
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
        self._saved = self.state.global_step
        self._clock = time.monotonic()

    def totals(self) -> Count:
        """The count over all processes."""
        mine = torch.tensor(astuple(self.count), dtype=torch.float64, device=self.args.device)
        scored, alive, loss, tokens = self._total(mine).tolist()
        return Count(int(scored), int(alive), loss, int(tokens))

    def _kept_name(self) -> str | None:
        epoch, rest = divmod(self.state.global_step, self.steps_per_epoch)
        return f"epoch-{epoch}" if not rest and (self.keep is None or epoch in self.keep) else None

    def resume(self) -> None:
        """Train, from the last checkpoint in the output folder where there is one, which may be of the last step."""
        last = last_checkpoint(self.out)
        if last is not None:
            where = json.loads((last / f"{self.args.process_index}-{STREAM}").read_text())
            self.stream.seek(where.pop("done"), where.pop("position"))
            self.count, self._logged = Count(**where), Count(**where)
            state = TrainerState.load_from_json(str(last / TRAINER_STATE_NAME))
            if 0 < self.args.max_steps <= state.global_step:  # transformers would take one step more
                self.state = state
                self._load_from_checkpoint(str(last))
                return
        self._clock = time.monotonic()
        self.train(resume_from_checkpoint=None if last is None else str(last))
