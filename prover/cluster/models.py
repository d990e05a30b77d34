"""The models of a run on a cluster: the same names as on one machine, and a copy of each base on GPUs of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import torch
from transformers import AutoConfig, AutoTokenizer

from prover.cluster.blueprint import ModelSet
from prover.options import PORTFOLIO, SERVED
from prover.policy.batching import Source
from prover.policy.model import MAX_NEW_TOKENS, Codec, Outline, parameters_of
from prover.policy.shelf import Shelved, base_of, n_eff, open_models, spelled_out
from prover.policy.vllm import VllmSettings


def everywhere(names: Sequence[str]) -> list[str]:
    """The names as any process may use them, wherever it runs: folders by their whole path, `shipped` spelled out."""
    named = spelled_out(names)
    return [str(Path(name).resolve()) if Path(name).is_dir() else name for name in named]


def model_sets(names: Sequence[str], vllm: VllmSettings | None) -> dict[str, ModelSet]:
    """What replicas hold, by the base: each with all of `names` that stand on it. Servers' models need no replica."""
    bases: dict[str, list[str]] = {}
    for name in names:
        if name != PORTFOLIO and not name.startswith(SERVED):
            bases.setdefault(base_of(name), []).append(name)
    return {base: ModelSet(partial(_load, on, vllm), partial(_outline, base, on, vllm)) for base, on in bases.items()}


def opened(sources: Mapping[str, Source], names: Sequence[str], vllm: VllmSettings | None = None) -> list[Shelved]:
    """As prover.policy.shelf.open_models, with models that `sources` answer for, by their bases. Raises ModelError."""
    served = [name for name in names if name.startswith(SERVED)]
    found = dict(zip(served, open_models(served), strict=True))
    for name in names:
        if name not in found:
            base = base_of(name)
            label = (Path(name).name if Path(name).is_dir() else name) + (", vLLM" if vllm else "")
            found[name] = Shelved(label, sources[base], None if name == base else name, n_eff(Path(name)))
    return [found[name] for name in names]


def _load(names: Sequence[str], vllm: VllmSettings | None) -> Source:
    device = "cuda" if torch.cuda.is_available() else "cpu"  # Ray hides the GPUs that are not the actor's
    return open_models(names, device=device, vllm=vllm)[0].batcher


def _outline(base: str, names: Sequence[str], vllm: VllmSettings | None) -> Outline:
    config = AutoConfig.from_pretrained(base)
    positions = (vllm.max_model_len if vllm else None) or int(config.max_position_embeddings)
    codec = Codec(AutoTokenizer.from_pretrained(base), positions, MAX_NEW_TOKENS)
    return Outline(codec, [name for name in names if name != base], parameters_of(config))
