"""LoRA adapters of one base in memory together, one for each row of a batch.

The adapters of a linear layer lie side by side: A of all of them is one matrix, and so is B. What a row's own adapter
has no part in is set to zero between the two,

    y = W x + B (mask ∘ (A x)),

so that rows of different adapters, and rows of the base alone, go through one pass of the model (two small products
per layer, whatever the number of adapters), and nothing is loaded or merged to change from one to another.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from peft import LoraConfig, PeftConfig
from peft.utils.save_and_load import load_peft_weights
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn import functional

from prover.policy.errors import ModelError
from train import card
from train.data import TrainingError

BASE = 0  # the place of the base alone in a routing; adapters follow in the order in which they were given
_KEY = re.compile(r"base_model\.model\.(?P<layer>.+)\.lora_(?P<factor>[AB])\.weight")


@dataclass(frozen=True)
class Adapter:
    """The factors of a LoRA adapter by the base's layers: A [rank, in], and B [out, rank] times its scale."""

    folder: str
    base: str
    factors: Mapping[str, tuple[Tensor, Tensor]]


def read_adapter(folder: str) -> Adapter:
    """A PEFT LoRA adapter from a folder or the hub. Raises ModelError."""
    try:
        config = PeftConfig.from_pretrained(folder)
        weights = load_peft_weights(folder, device="cpu")
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ModelError(
            f"cannot read adapter {folder} ({_first_line(error)}): give a PEFT adapter's folder"
        ) from error
    if not isinstance(config, LoraConfig) or config.rank_pattern or config.alpha_pattern:
        raise ModelError(f"adapter {folder} is not plain LoRA of one rank: train it as LoRA, or merge it into its base")
    scale = config.lora_alpha / (math.sqrt(config.r) if config.use_rslora else config.r)
    found: dict[str, dict[str, Tensor]] = {}
    for key, tensor in weights.items():
        match = _KEY.fullmatch(key)
        if match is None:
            raise ModelError(f"adapter {folder} holds {key}, which is not plain LoRA: merge it into its base")
        found.setdefault(match["layer"], {})[match["factor"]] = tensor
    factors = {layer: (pair["A"], pair["B"] * scale) for layer, pair in found.items()}
    return Adapter(folder, str(config.base_model_name_or_path), factors)


class Route:
    """The adapter of each row of a batch: `adapters` [rows] are places, BASE is none."""

    def __init__(self, adapters: Tensor) -> None:
        self.adapters = adapters
        self._masks: dict[int, Tensor] = {}

    def mask(self, owners: Tensor, dtype: torch.dtype) -> Tensor:
        """[rows, 1, columns]: 1 where `owners` [columns] has the row's adapter, else 0; made once for a route."""
        if id(owners) not in self._masks:
            self._masks[id(owners)] = (self.adapters[:, None] == owners).to(dtype)[:, None, :]
        return self._masks[id(owners)]


class Routing:
    """The route of the pass that a model is running, for its layers to read; None while all rows go by the base."""

    def __init__(self) -> None:
        self.route: Route | None = None

    @contextmanager
    def along(self, route: Route | None) -> Iterator[None]:
        """Run a pass by `route`; one pass at a time."""
        self.route = route
        try:
            yield
        finally:
            self.route = None


class AdaptedLinear(nn.Module):
    """A linear layer of the base with all its adapters; `owners` [columns] says whose each column of A and B is."""

    def __init__(self, base: nn.Linear, a: Tensor, b: Tensor, owners: Tensor, routing: Routing) -> None:
        super().__init__()
        self.base, self.routing, self.owners = base, routing, owners
        self.a, self.b = nn.Buffer(a), nn.Buffer(b)  # no parameters: those of a model are its base's

    def forward(self, x: Tensor) -> Tensor:
        """`x` [rows, tokens, in] to [rows, tokens, out]."""
        y: Tensor = self.base(x)
        if (route := self.routing.route) is None:
            return y
        return y + functional.linear(functional.linear(x, self.a) * route.mask(self.owners, x.dtype), self.b)


def attach(model: nn.Module, adapters: Sequence[Adapter], base: str) -> Routing:
    """Put `adapters` onto the layers of `model`, which was loaded from `base`; place 1 is the first of them.

    They take the model's precision. Raises ModelError when one has factors for what the model does not have.
    """
    routing = Routing()
    modules = dict(model.named_modules())
    layers = dict.fromkeys(layer for adapter in adapters for layer in adapter.factors)
    shared: dict[tuple[int, ...], Tensor] = {}  # one tensor of owners for all layers alike, so that they share masks
    for layer in layers:
        linear = modules.get(layer)
        parts: list[tuple[Tensor, Tensor]] = []
        owners: list[int] = []
        for place, adapter in enumerate(adapters, BASE + 1):
            if layer not in adapter.factors:
                continue
            a, b = adapter.factors[layer]
            if not isinstance(linear, nn.Linear) or (linear.in_features, linear.out_features) != (
                a.shape[1],
                b.shape[0],
            ):
                raise ModelError(
                    f"adapter {adapter.folder} was made for base {adapter.base}: {base} has no layer {layer} of "
                    f"its shape {a.shape[1]} to {b.shape[0]}, so give the base that the adapter was trained on"
                )
            parts.append((a, b))
            owners += [place] * len(a)
        assert isinstance(linear, nn.Linear)
        weight = linear.weight
        owner = shared.setdefault(tuple(owners), torch.tensor(owners, device=weight.device))
        a, b = torch.cat([a for a, _ in parts]), torch.cat([b for _, b in parts], dim=1)
        adapted = AdaptedLinear(linear, a.to(weight), b.to(weight), owner, routing)
        model.set_submodule(layer, adapted)
    return routing


def check_base(adapter: Adapter, base: str) -> None:
    """Raise ModelError when `adapter` was made for another model than the one that `base` names.

    Where its training recorded the digest of its base's weights and `base` is a folder, the digests decide. Else the
    last parts of the two names do: a model keeps its name when its folder moves.
    """
    digests = ""
    try:
        recorded = card.base_weights(Path(adapter.folder))
        here = card.weights_digest(Path(base)) if recorded is not None and Path(base).is_dir() else None
    except TrainingError as error:
        raise ModelError(str(error)) from error
    if recorded is None or here is None:
        same = Path(adapter.base).name == Path(base).name
    else:
        same = recorded == here
        digests = f" (weights {recorded}, here {here})"
    if not same:
        raise ModelError(
            f"adapter {adapter.folder} was made for base {adapter.base}, not for {base}{digests}: "
            "give the base that the adapter was trained on"
        )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
