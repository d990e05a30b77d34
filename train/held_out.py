"""How sure a model is of its greedy tactic on held-out states, and how often that tactic is a demonstrated one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from datasets import Dataset  # type: ignore[import-untyped]
from transformers import PreTrainedModel, PreTrainedTokenizerBase

STATES = 1000  # at most; evenly spaced over the split
LONGEST_TACTIC_TOKENS = 128
BINS = 10


def reliability(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: Dataset, batch: int
) -> dict[str, Any]:
    """Mean confidence, accuracy and reliability bins over the distinct prompts of `rows`, `batch` at a time.

    Confidence is the probability of the whole greedy tactic, end token included; accuracy the share of states where it
    is one of the demonstrated ones. A tactic that does not end in LONGEST_TACTIC_TOKENS is wrong, and counts with the
    probability of what was written.
    """
    demonstrated: dict[tuple[int, ...], set[str]] = {}
    for ids, length, tactic in zip(rows["input_ids"], rows["prompt_length"], rows["tactic"], strict=True):
        demonstrated.setdefault(tuple(ids[:length]), set()).add(tactic)
    prompts = sorted(demonstrated)
    prompts = [prompts[len(prompts) * n // min(STATES, len(prompts))] for n in range(min(STATES, len(prompts)))]
    prompts.sort(key=len)
    was_training = model.training
    model.train(False)
    found: list[tuple[float, bool]] = []
    for start in range(0, len(prompts), batch):
        part = prompts[start : start + batch]
        for given, (tactic, probability) in zip(part, _greedy(model, tokenizer, part), strict=True):
            found.append((probability, tactic in demonstrated[given]))
    model.train(was_training)
    return {
        "states": len(found),
        "confidence": _mean([probability for probability, _ in found]),
        "accuracy": _mean([float(right) for _, right in found]),
        "bins": [_bin(found, number) for number in range(BINS)],
    }


@torch.inference_mode()
def _greedy(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, prompts: Sequence[tuple[int, ...]]
) -> list[tuple[str | None, float]]:
    """The greedy tactic after each prompt, None where it does not end, and its probability."""
    width = max(map(len, prompts))
    pad, end = tokenizer.pad_token_id, tokenizer.eos_token_id
    ids = torch.tensor([[*[pad] * (width - len(given)), *given] for given in prompts], device=model.device)
    mask = torch.tensor([[*[0] * (width - len(given)), *[1] * len(given)] for given in prompts], device=model.device)
    output = model.generate(  # type: ignore[operator]
        input_ids=ids,
        attention_mask=mask,
        do_sample=False,
        num_beams=1,
        max_new_tokens=LONGEST_TACTIC_TOKENS,
        eos_token_id=end,
        pad_token_id=pad,
        return_dict_in_generate=True,
        output_logits=True,
    )
    written = output.sequences[:, width:]
    # Step by step, as the logits of all steps are the largest thing in memory with a large vocabulary.
    chosen = zip(output.logits, written.T[..., None], strict=True)
    steps = torch.cat([logits.float().log_softmax(-1).gather(1, token) for logits, token in chosen], 1)
    ended = (written == end).cumsum(1)
    counts = (ended == 0) | ((ended == 1) & (written == end))
    probabilities = (steps * counts).sum(1).exp().tolist()
    texts = [
        str(tokenizer.decode(row[: row.index(end)], clean_up_tokenization_spaces=False)) if end in row else None
        for row in written.tolist()
    ]
    return list(zip(texts, probabilities, strict=True))


def _bin(found: Sequence[tuple[float, bool]], number: int) -> dict[str, Any]:
    members = [(p, right) for p, right in found if min(int(p * BINS), BINS - 1) == number]
    return {
        "from": number / BINS,
        "to": (number + 1) / BINS,
        "states": len(members),
        "confidence": _mean([p for p, _ in members]) if members else None,
        "accuracy": _mean([float(right) for _, right in members]) if members else None,
    }


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
