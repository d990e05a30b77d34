"""What a training is asked to do, and which of it makes the training the one it is."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from train import card
from train.data import Corpus, TrainingError
from train.losses import OBJECTIVES, Objective, ObjectiveOptions
from train.tiny import TinyShape

TINY = "tiny"
# Objectives whose N counts samples of one state; that of the others is the budget of a whole search.
PER_STATE = ("coverage", "best-of-n", "majority")


@dataclass(frozen=True)
class Lora:
    """Low-rank adapters: rank, scale, dropout, and the names of the layers they go on ("all-linear" for all)."""

    r: int = 16
    alpha: int = 32
    dropout: float = 0.05
    targets: tuple[str, ...] = ("all-linear",)


@dataclass(frozen=True)
class Settings:
    """What is trained, on what and how. `lora` None trains all weights.

    `batch` is the effective batch in tactics, `micro_batch` what goes through the model at once. `epochs` counts as
    ObjectiveTrainer does; `max_steps` overrides it. `warmup` is a share of the steps. `bf16` None: where the machine
    has it. `keep` are the epochs whose models stay, None for all. Where `adapter` is given, `lora` is what that is.
    """

    model: str
    data: Path
    out: Path
    objective: str
    n_eff: float | None = None
    budget: float | None = None
    kappa: float = 1.0
    absorption: float = 0.0
    threshold: int = 1
    normalise: bool = False
    epochs: int = 1
    max_steps: int | None = None
    batch: int = 32
    micro_batch: int = 16
    learning_rate: float = 1e-4
    schedule: str = "linear"
    warmup: float = 0.03
    weight_decay: float = 0.01
    max_length: int = 512
    lora: Lora | None = Lora()
    adapter: Path | None = None
    bf16: bool | None = None
    gradient_checkpointing: bool = False
    seed: int = 0
    report_to: str = "none"
    keep: frozenset[int] | None = frozenset()
    checkpoint_steps: int = 500
    tiny: TinyShape = field(default_factory=TinyShape)

    def identity(self, source: Corpus, bf16: bool) -> dict[str, Any]:
        """What makes a training the one it is, as JSON values: what may not change between two sittings."""
        return {
            "model": self.model,
            "base weights": base_weights(self.model),
            "adapter": None if self.adapter is None else str(self.adapter),
            "adapter weights": None if self.adapter is None else card.weights_digest(self.adapter),
            "trained": "all weights" if self.lora is None else json.loads(json.dumps(asdict(self.lora))),
            "data": source.path.name,
            "data hash": source.digest,
            "objective": self.objective,
            "N_eff": self.n_eff,
            "budget": self.budget,
            "kappa": self.kappa,
            "absorption": self.absorption,
            "threshold": self.threshold,
            "weights normalised": self.normalise,
            "epochs": None if self.max_steps else self.epochs,
            "max steps": self.max_steps,
            "batch": self.batch,
            "learning rate": self.learning_rate,
            "schedule": self.schedule,
            "warmup": self.warmup,
            "weight decay": self.weight_decay,
            "max length": self.max_length,
            "bf16": bf16,
            "seed": self.seed,
            "processes": int(os.environ.get("WORLD_SIZE", "1")),
        }


def objective_of(settings: Settings) -> Objective:
    """The objective that `settings` name, with its numbers. Raises TrainingError."""
    name = settings.objective
    if name not in OBJECTIVES:
        raise TrainingError(f"--objective {name} is not known: give one of {', '.join(OBJECTIVES)}")
    numbers = {"--n-eff": settings.n_eff, "--budget": settings.budget}
    taken = None if name == "ce" else "--n-eff" if name in PER_STATE else "--budget"
    for option, value in numbers.items():
        if value is not None and option != taken:
            raise TrainingError(
                f"--objective {name} takes no {option}: leave it out" + (f", give {taken}" if taken else "")
            )
        if option == taken and (value is None or not 1 <= value < math.inf):
            raise TrainingError(f"--objective {name} needs {option} N, a number of at least 1; given: {value}")
    n = 1.0 if taken is None else float(numbers[taken] or 1.0)
    try:
        return OBJECTIVES[name](ObjectiveOptions(n, settings.kappa, settings.absorption, settings.threshold))
    except ValueError as error:
        raise TrainingError(f"--objective {name}: {error}") from error


def bf16_here() -> bool:
    """Whether this machine multiplies matrices in bfloat16: with a GPU that does, or a processor with AVX512-BF16."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported())


def base_weights(model: str) -> str | None:
    """The digest of a folder's weights; None for a name of the hub, which says itself what it is."""
    return card.weights_digest(Path(model)) if model != TINY and Path(model).is_dir() else None
