"""A base model and its adapters in memory, answering requests for tactics in batches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import torch
from safetensors import SafetensorError
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from prover.policy import beams, sampling
from prover.policy.adapters import BASE, Routing, attach, check_base, read_adapter
from prover.policy.beams import Beams
from prover.policy.decoding import Rows
from prover.policy.errors import ModelError
from prover.policy.sampling import Answer, Draws
from train.prompt import prompt

MAX_NEW_TOKENS = 128

Request = Draws | Beams


@dataclass(frozen=True)
class Prompt:
    """The tokens that a model reads for a state; `cut` says whether the state was too long for all of them."""

    tokens: tuple[int, ...]
    cut: bool


def fit(tokens: Sequence[int], limit: int) -> Prompt:
    """The last `limit` tokens: the target and the latest hypotheses stand at the end of a prompt."""
    return Prompt(tuple(tokens[-limit:]), len(tokens) > limit)


class Codec:
    """Between text and tokens: the prompts of states, and the tactics in what a model wrote.

    A tactic has at most `max_new_tokens` tokens, its end token included; a prompt has what is left of `positions`.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, positions: int, max_new_tokens: int) -> None:
        """Raises ModelError for a tokenizer without end token, and for limits that leave no room."""
        if tokenizer.eos_token_id is None:
            raise ModelError("the model's tokenizer has no end token (eos_token): set the one it was trained with")
        self.end = int(tokenizer.eos_token_id)
        self._tokenizer, self._prompt_limit = tokenizer, positions - max_new_tokens
        if max_new_tokens < 1 or self._prompt_limit < 1:
            raise ModelError(
                f"max_new_tokens is {max_new_tokens}: give from 1 to {positions - 1}, the model has {positions}"
            )

    def encode(self, state: str) -> Prompt:
        """The prompt for a pretty-printed state."""
        return fit(self._tokenizer(prompt(state), verbose=False)["input_ids"], self._prompt_limit)

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of a tactic as Lean gets it: without end token, and without space around it."""
        text = self._tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        assert isinstance(text, str)
        return text.strip()


class Outline:
    """A prover.policy.batching.Coder for a model that another process runs: all of it but its weights."""

    def __init__(self, codec: Codec, adapters: Sequence[str], parameters: int) -> None:
        self.adapters, self.parameters = tuple(adapters), parameters
        self.encode, self.decode = codec.encode, codec.decode


def parameters_of(config: PreTrainedConfig) -> int:
    """How many numbers a model is made of, from its configuration alone."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)  # type: ignore[no-untyped-call]
    return sum(each.numel() for each in model.parameters())


class TacticModel:
    """A causal language model that writes tactics, its tokenizer and its adapters, all loaded once.

    `run` is for one thread at a time.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        routing: Routing,
        adapters: Sequence[str] = (),
        *,
        max_new_tokens: int = MAX_NEW_TOKENS,
    ) -> None:
        """Take a model whose `adapters` have the places 1, 2, ... in `routing`. Raises ModelError."""
        self._model, self._routing = model, routing
        model.eval()  # type: ignore[no-untyped-call]
        self._places: dict[str | None, int] = {None: BASE} | {name: BASE + n for n, name in enumerate(adapters, 1)}
        self._codec = Codec(tokenizer, int(model.config.max_position_embeddings), max_new_tokens)
        self.max_new_tokens = max_new_tokens

    @classmethod
    def load(
        cls,
        name: str,
        adapters: Mapping[str, str] | None = None,
        *,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
        max_new_tokens: int = MAX_NEW_TOKENS,
    ) -> Self:
        """The base `name` (a folder, or a name of the hub) with LoRA `adapters`: folders, by the names to call them.

        Raises ModelError when a model cannot be read, or an adapter was made for another base.
        """
        read = [read_adapter(folder) for folder in (adapters or {}).values()]
        for adapter in read:
            check_base(adapter, name)
        with _memory(f"loading {name}", "take a smaller model or a smaller dtype"):
            try:
                model = AutoModelForCausalLM.from_pretrained(name, dtype=dtype)
                tokenizer = AutoTokenizer.from_pretrained(name)
            except (OSError, ValueError, SafetensorError) as error:
                reason = (str(error).splitlines() or [type(error).__name__])[0]
                raise ModelError(
                    f"cannot read model {name} ({reason}): give a from_pretrained folder or a hub name"
                ) from error
            model.to(torch.device(device))  # type: ignore[arg-type]
            routing = attach(model, read, name)
        return cls(model, tokenizer, routing, tuple(adapters or {}), max_new_tokens=max_new_tokens)

    @property
    def adapters(self) -> tuple[str, ...]:
        """The names of the adapters."""
        return tuple(name for name in self._places if name is not None)

    @property
    def parameters(self) -> int:
        """How many numbers the base is made of; adapters add little and are not counted."""
        return sum(each.numel() for each in self._model.parameters())

    def encode(self, state: str) -> Prompt:
        """The prompt for a pretty-printed state."""
        return self._codec.encode(state)

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of a tactic as Lean gets it."""
        return self._codec.decode(tokens)

    @torch.inference_mode()
    def run(self, requests: Sequence[Request]) -> list[Answer]:
        """Answer `requests` together. Every distinct prompt is read once, and all its rows go on from there.

        Raises KeyError for an adapter that is not there, and ModelError when memory does not suffice.
        """
        answers: dict[int, Answer] = {}
        for group in _groups(requests):
            wanted = [requests[index] for index in group]
            rows = sum(request.rows for request in wanted)
            longest = max(len(request.prompt) for request in wanted) + self.max_new_tokens
            with _memory(
                f"{rows} rows of up to {longest} tokens", "lower the rows of a batch or the tokens of a tactic"
            ):
                answers.update(zip(group, self._write(wanted), strict=True))
        return [answers[index] for index in range(len(requests))]

    def _write(self, requests: Sequence[Request]) -> list[Answer]:
        """Answer draws, or beams of one width."""
        prefixes = list(dict.fromkeys((request.prompt, self._places[request.adapter]) for request in requests))
        prompts, places = zip(*prefixes, strict=True)
        rows = Rows(self._model, self._routing, prompts, places)
        place_of = {prefix: index for index, prefix in enumerate(prefixes)}
        shared = [place_of[r.prompt, self._places[r.adapter]] for r in requests for _ in range(r.rows)]
        rows.select(torch.tensor(shared, device=self._model.device))
        draws = [request for request in requests if isinstance(request, Draws)]
        if draws:
            return sampling.draw(rows, draws, self._codec.end, self.max_new_tokens)
        wide = [request for request in requests if isinstance(request, Beams)]
        return beams.search(rows, wide, self._codec.end, self.max_new_tokens)


def _groups(requests: Sequence[Request]) -> Iterator[list[int]]:
    """The places of requests that can be written together."""
    groups: dict[int, list[int]] = defaultdict(list)
    for index, request in enumerate(requests):
        groups[request.width if isinstance(request, Beams) else 0].append(index)
    yield from groups.values()


@contextmanager
def _memory(what: str, mend: str) -> Iterator[None]:
    """Raise ModelError where torch runs out of memory; on a CPU it says so by a RuntimeError of its allocator."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error):
            raise ModelError(f"out of memory ({what}): {mend}") from error
        raise
