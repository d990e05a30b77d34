"""Policies whose tactics a language model writes: drawn at a temperature, or the likeliest that a beam search finds.

The model runs in this process, in vLLM or behind a server (prover.policy.batching.Source); the policies are the same.

A policy object is made for one theorem: it has a seed of its own, it remembers what it drew for every prompt, and it
counts what the model did for it.

The log-probability of a suggestion is that of the text which Lean gets, under the model at temperature 1 (it is what
the objectives of training are about, and what searches rank by), whatever the temperature that was drawn at. A text
can be written in several ways of cutting it into tokens: the probabilities of those that were seen are added exactly,
each counted once however often it was drawn. Ways that were not seen are not in it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from prover.policy.batching import Source
from prover.policy.beams import Beams
from prover.policy.errors import ModelError
from prover.policy.model import Prompt, Request
from prover.policy.sampling import Answer, Draws, Written
from prover.records import ModelUse
from search.policy import Suggestion

DRAWS = 16
PATIENCE = 64


class ModelPolicy:
    """What policies with a model have in common: the prompt of a state, and the account of what the model did."""

    def __init__(self, batcher: Source, adapter: str | None) -> None:
        """Write with `adapter`, or the base alone. Raises ModelError when the model has no such adapter."""
        if adapter is not None and adapter not in batcher.model.adapters:
            raise ModelError(
                f"there is no adapter {adapter}: take one of {', '.join(batcher.model.adapters) or 'none'}"
            )
        self.adapter = adapter
        self.use = ModelUse(parameters=batcher.model.parameters)
        self._batcher = batcher
        self._prompts: dict[str, Prompt] = {}
        self._cut_there: set[tuple[int, ...]] = set()  # prompts that were cut by the one who answers

    @property
    def model_tokens(self) -> int:
        """Tokens read and written for this policy."""
        return self.use.tokens

    def _prompt(self, state: str) -> tuple[int, ...]:
        if state not in self._prompts:
            prompt = self._prompts[state] = self._batcher.model.encode(state)
            self.use = replace(self.use, cut_prompts=self.use.cut_prompts + prompt.cut)
        return self._prompts[state].tokens

    async def _ask(self, request: Request) -> list[tuple[str, Written]]:
        """What was written for `request`, each with the text that Lean gets: empty when it was cut off."""
        answer: Answer = await self._batcher.ask(request)
        cut_there = answer.prompt_cut and request.prompt not in self._cut_there
        if cut_there:
            self._cut_there.add(request.prompt)
        texts = [self._text(each) if each.ended else "" for each in answer.written]
        cut_off = sum(not each.ended for each in answer.written)
        self.use = replace(
            self.use,
            calls=self.use.calls + 1,
            prompt_tokens=self.use.prompt_tokens + (answer.prompt_tokens or len(request.prompt)),
            generated_tokens=self.use.generated_tokens + answer.tokens,
            draws=self.use.draws + len(texts),
            cut_off=self.use.cut_off + cut_off,
            blank=self.use.blank + texts.count("") - cut_off,
            cut_prompts=self.use.cut_prompts + cut_there,
        )
        return list(zip(texts, answer.written, strict=True))

    def _text(self, written: Written) -> str:
        return self._batcher.model.decode(written.tokens) if written.text is None else written.text


class _Tactics:
    """The tactics known for a prompt: by their texts, the ways in which each was written, with log-probabilities."""

    def __init__(self) -> None:
        self._ways: dict[str, dict[tuple[int, ...], float]] = {}

    def __len__(self) -> int:
        return len(self._ways)

    def add(self, text: str, written: Written) -> bool:
        """Whether `text` is a tactic that was not known."""
        if not text:
            return False
        new = text not in self._ways
        self._ways.setdefault(text, {})[written.tokens] = written.log_prob
        return new

    def suggestion(self, text: str) -> Suggestion:
        """A tactic with the log of the summed probability of its ways."""
        ways = self._ways[text].values()
        top = max(ways)
        return Suggestion(text, min(0.0, top + math.log(sum(math.exp(way - top) for way in ways))))

    def best(self, n: int) -> list[Suggestion]:
        """At most `n`, likeliest first; equally likely ones by their texts."""
        return sorted(map(self.suggestion, self._ways), key=lambda each: (-each.log_prob, each.tactic))[:n]


@dataclass
class _Stream:
    """The draws for one prompt: how many were asked for, and how many since the last new tactic."""

    prompt: tuple[int, ...]
    key: int
    tactics: _Tactics = field(default_factory=_Tactics)
    asked: int = 0
    fruitless: int = 0


class TransformersPolicy(ModelPolicy):
    """Tactics drawn from a model at a temperature; a search.policy.SamplingPolicy.

    What it gives depends on its seed, its adapter, the states and the order of the calls for each state, and on nothing
    else (see prover.policy.sampling for the one limit of this).
    """

    def __init__(
        self,
        batcher: Source,
        adapter: str | None = None,
        *,
        seed: int,
        temperature: float = 1.0,
        draws: int = DRAWS,
        patience: int = PATIENCE,
    ) -> None:
        """Draw at least `draws` at a time. A state is given up when `patience` draws on end brought no new tactic."""
        super().__init__(batcher, adapter)
        if not (temperature > 0 and math.isfinite(temperature)):
            raise ValueError(
                f"the temperature must be above 0; it is {temperature}: for the likeliest tactics take beams"
            )
        if draws < 1 or patience < 1:
            raise ValueError(f"draws and patience must be at least 1; they are {draws} and {patience}")
        self._seed, self._temperature, self._draws, self._patience = seed, temperature, draws, patience
        self._streams: dict[tuple[int, ...], _Stream] = {}

    async def suggest(self, state: str, n: int) -> Sequence[Suggestion]:
        """At most `n` different tactics, likeliest first: the best of all that was drawn for this state so far.

        Goes on drawing until there are `n`, or the state is given up; fewer than `n` means that it is.
        """
        stream = self._stream(state)
        while len(stream.tactics) < n and stream.fruitless < self._patience:
            await self._draw(stream, max(self._draws, n - len(stream.tactics)))
        return stream.tactics.best(n)

    async def sample(self, state: str, n: int) -> Sequence[Suggestion]:
        """`n` draws in the order drawn, independent of all before; those that were no tactic have the empty text.

        The log-probability of one that was cut off is that of what was written.
        """
        stream = self._stream(state)
        drawn = await self._draw(stream, n)
        return [stream.tactics.suggestion(text) if text else Suggestion("", w.log_prob) for text, w in drawn]

    def _stream(self, state: str) -> _Stream:
        prompt = self._prompt(state)
        if prompt not in self._streams:
            adapter = self.adapter and Path(self.adapter).name  # wherever the models lie, the draws are the same
            name = json.dumps([self._seed, adapter, prompt]).encode()
            key = int.from_bytes(hashlib.blake2b(name, digest_size=16).digest())
            self._streams[prompt] = _Stream(prompt, key)
        return self._streams[prompt]

    async def _draw(self, stream: _Stream, count: int) -> list[tuple[str, Written]]:
        request = Draws(stream.prompt, self.adapter, self._temperature, stream.key, stream.asked, count)
        stream.asked += count  # before anything is awaited: two who ask at once get different draws
        drawn = await self._ask(request)
        for text, written in drawn:
            stream.fruitless = 0 if stream.tactics.add(text, written) else stream.fruitless + 1
        return drawn


class BeamPolicy(ModelPolicy):
    """The likeliest tactics that a beam search of fixed width finds. Nothing is random."""

    def __init__(self, batcher: Source, adapter: str | None = None, *, width: int) -> None:
        super().__init__(batcher, adapter)
        if width < 1:
            raise ValueError(f"a beam search needs a width of at least 1; it is {width}")
        self._width = width
        self._found: dict[tuple[int, ...], _Tactics] = {}

    async def suggest(self, state: str, n: int) -> Sequence[Suggestion]:
        """At most `n` different tactics, likeliest first; at most as many as there are beams, however often asked."""
        prompt = self._prompt(state)
        if prompt not in self._found:
            tactics = _Tactics()
            for text, written in await self._ask(Beams(prompt, self.adapter, self._width)):
                tactics.add(text, written)
            self._found[prompt] = tactics
        return self._found[prompt].best(n)
