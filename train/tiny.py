"""A decoder small enough to train on a laptop's CPU, and its tokenizer, trained on the data it will read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase, Qwen2Config, Qwen2ForCausalLM, Qwen2Tokenizer

from train.prompt import GOAL, TACTIC


@dataclass(frozen=True)
class TinyShape:
    """The shape of a Qwen2 decoder with tied embeddings; the default has 0.9 M parameters."""

    hidden: int = 128
    layers: int = 4
    heads: int = 4
    kv_heads: int = 2
    intermediate: int = 384
    vocabulary: int = 1024
    positions: int = 1024


def tiny_tokenizer(texts: Iterable[str], shape: TinyShape) -> PreTrainedTokenizerBase:
    """A byte-level BPE tokenizer trained on `texts`, which gives every text in Unicode's composed form back.

    It cuts text into words as Qwen2's does (digits stand alone), because that is how any program that loads the saved
    model will cut it. The marks of a prompt are tokens of their own.
    """
    marks = [GOAL, TACTIC]
    untrained: Any = Qwen2Tokenizer()  # transformers leaves its methods untyped
    tokenizer: PreTrainedTokenizerBase = untrained.train_new_from_iterator(
        texts, shape.vocabulary - len(marks), show_progress=False
    )
    tokenizer.add_tokens(marks)
    tokenizer.model_max_length = shape.positions
    return tokenizer


def tiny_model(tokenizer: PreTrainedTokenizerBase, shape: TinyShape, seed: int) -> Qwen2ForCausalLM:
    """A Qwen2 decoder with random weights, the same for the same seed."""
    config = Qwen2Config(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        max_position_embeddings=shape.positions,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Qwen2ForCausalLM(config)
