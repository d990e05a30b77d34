"""The log-probability of a tactic: the sum of those of its tokens, the end token included, the prompt given."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


def padded(sequences: Sequence[Sequence[int]], prompt_lengths: Sequence[int], pad: int) -> dict[str, Tensor]:
    """A batch: `input_ids` [tactics, tokens], padded on the right, and `prompt_lengths`, `lengths` [tactics].

    Padding stands after what counts, so that causal attention needs no mask for it.
    """
    lengths = [len(ids) for ids in sequences]
    width = max(lengths)
    return {
        "input_ids": torch.tensor([[*ids, *[pad] * (width - len(ids))] for ids in sequences]),
        "prompt_lengths": torch.tensor(prompt_lengths),
        "lengths": torch.tensor(lengths),
    }


def log_probs(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """Summed log-probabilities [tactics] in float32 of the tactics of a `padded` batch under a causal language model.

    The head of the model is applied only where the next token belongs to a tactic: with a large vocabulary the logits
    of the prompts would be most of the memory.
    """
    ids = batch["input_ids"]
    position = torch.arange(ids.shape[1] - 1, device=ids.device)
    counts = (position >= batch["prompt_lengths"][:, None] - 1) & (position < batch["lengths"][:, None] - 1)
    logits = model(input_ids=ids[:, :-1], logits_to_keep=counts, use_cache=False).logits  # [counted tokens, vocabulary]
    tokens = -functional.cross_entropy(logits.float(), ids[:, 1:][counts], reduction="none")
    rows = counts.nonzero()[:, 0]
    return torch.zeros(len(ids), device=ids.device).index_add(0, rows, tokens)
