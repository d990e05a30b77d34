"""The model and the tokenizer that a training begins with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from peft import LoraConfig, PeftConfig, PeftModel, get_peft_model
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from train import card
from train.data import Corpus, TrainingError
from train.prompt import prompt
from train.settings import TINY, Lora, Settings, base_weights, bf16_here
from train.tiny import tiny_model, tiny_tokenizer

ADAPTER = "adapter_config.json"


def load_tokenizer(settings: Settings, source: Corpus, checkpoint: Path | None) -> PreTrainedTokenizerBase:
    """The tokenizer of the model, from `checkpoint` where there is one; for a tiny model, one trained on `source`.

    Raises TrainingError.
    """
    if settings.model == TINY and checkpoint is None:
        texts = (prompt(pair["state"]) + pair["tactic"] for pair in source.pairs("train"))
        return tiny_tokenizer(texts, settings.tiny)
    with _loading(settings):
        tokenizer = AutoTokenizer.from_pretrained(checkpoint or settings.model)
    if tokenizer.eos_token_id is None:
        raise TrainingError(
            f"--model {settings.model} has no end token, which every tactic ends with: give another model"
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_model(settings: Settings, tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel | PeftModel:
    """The model to train, with its adapter unless all weights are trained. Raises TrainingError."""
    on_gpu = torch.cuda.is_available()
    # On a CPU and at these lengths the plain form in bfloat16 is half as fast again, there and back, as the fused one.
    attention = "sdpa" if on_gpu else "eager"
    if settings.model == TINY:
        _check_context(settings, settings.tiny.positions)
        tiny = tiny_model(tokenizer, settings.tiny, settings.seed)
        tiny.set_attn_implementation(attention)
        return tiny
    if (Path(settings.model) / ADAPTER).exists():
        raise TrainingError(f"--model {settings.model} is an adapter: give its base, and this folder as --adapter")
    # What is trained stays in float32; a frozen base needs no more than what it is multiplied in.
    frozen_half = settings.lora is not None and on_gpu and settings.bf16 is not False and bf16_here()
    with _loading(settings):
        model = AutoModelForCausalLM.from_pretrained(
            settings.model,
            dtype=torch.bfloat16 if frozen_half else torch.float32,
            attn_implementation=attention,
        )
    _check_context(settings, getattr(model.config, "max_position_embeddings", None))
    if settings.lora is None:
        return model
    try:
        return _adapted(model, settings, settings.lora)
    except (ValueError, RuntimeError) as error:  # what peft raises for layers that are not there, or of another size
        raise TrainingError(f"the adapter does not fit --model {settings.model}: {one_line(error)}") from error


def _check_context(settings: Settings, context: int | None) -> None:
    if context is not None and settings.max_length > context:
        raise TrainingError(
            f"--max-length {settings.max_length} is beyond the context of {settings.model}: give at most {context}"
        )


def _adapted(model: PreTrainedModel, settings: Settings, lora: Lora) -> PeftModel:
    if settings.adapter is None:
        targets = lora.targets[0] if lora.targets == ("all-linear",) else list(lora.targets)
        return get_peft_model(
            model,
            LoraConfig(
                task_type="CAUSAL_LM",
                r=lora.r,
                lora_alpha=lora.alpha,
                lora_dropout=lora.dropout,
                target_modules=targets,
            ),
        )
    base = _adapter_config(settings.adapter).base_model_name_or_path
    recorded = card.base_weights(settings.adapter)
    if base != settings.model if recorded is None else recorded != base_weights(settings.model):
        raise TrainingError(
            f"--adapter {settings.adapter} was trained on {base}, whose weights are not those of {settings.model}: "
            "give its base as --model"
        )
    try:
        return PeftModel.from_pretrained(model, settings.adapter, is_trainable=True)
    except (OSError, SafetensorError) as error:
        raise TrainingError(f"cannot read --adapter {settings.adapter} ({one_line(error)}): fetch it again") from error


def lora_of(adapter: Path) -> Lora:
    """What a LoRA adapter that is there already is like. Raises TrainingError."""
    config = _adapter_config(adapter)
    targets = config.target_modules or ()
    names = (targets,) if isinstance(targets, str) else tuple(sorted(targets))
    return Lora(config.r, config.lora_alpha, config.lora_dropout, names)


def _adapter_config(adapter: Path) -> LoraConfig:
    try:
        config = PeftConfig.from_pretrained(str(adapter))
    except (OSError, ValueError) as error:
        raise TrainingError(f"--adapter {adapter} is not an adapter: give a folder with {ADAPTER}") from error
    if not isinstance(config, LoraConfig):
        raise TrainingError(f"--adapter {adapter} is not LoRA: give an adapter that is")
    return config


@contextmanager
def _loading(settings: Settings) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, SafetensorError) as error:  # for what is not there, is not a model, or is torn
        raise TrainingError(f"cannot load --model {settings.model}: {one_line(error)}") from error


def one_line(error: Exception) -> str:
    """What `error` says, without its line breaks."""
    return " ".join(str(error).split())
