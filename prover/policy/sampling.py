"""Drawing tactics from a model, with their exact log-probabilities.

A draw is numbered, and the random numbers of its tokens come from the key of its request and its number alone (a
counter-based generator, Philox; a token is the inverse of the cumulated probabilities at its random number). So a draw
does not depend on what is drawn beside it, nor on whether it is asked for at once or later. One limit: matrix products
round differently in batches of different shape, and where a number falls within such a difference (about 1e-6 in
float32) of the border between two tokens, the other one is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from prover.policy.decoding import Rows

COMPACT_BELOW = 0.75  # share of rows still being written below which the others are taken out of the batch


@dataclass(frozen=True)
class Draws:
    """A request for the draws `first` to `first + count - 1` of the stream with this 128-bit `key`, at a temperature.

    `adapter` None is the base alone.
    """

    prompt: tuple[int, ...]
    adapter: str | None
    temperature: float
    key: int
    first: int
    count: int

    @property
    def rows(self) -> int:
        """Rows of a batch that it takes."""
        return self.count


@dataclass(frozen=True)
class Written:
    """What a model wrote: tokens up to the end token, which is the last of them unless it was cut off before.

    `log_prob` is the sum of the tokens' log-probabilities under the model itself, at temperature 1, whatever the
    temperature that they were drawn at. `text` is what the tokens read, where who wrote them says so.
    """

    tokens: tuple[int, ...]
    ended: bool
    log_prob: float
    text: str | None = None


@dataclass(frozen=True)
class Answer:
    """What was written for a request, draws in their order; `tokens` counts all that the model wrote for it.

    `prompt_tokens` are what it read and `prompt_cut` whether that was not all, where the one who answers counts them.
    """

    written: tuple[Written, ...]
    tokens: int
    prompt_tokens: int | None = None
    prompt_cut: bool = False


def seed(request: Draws) -> int:
    """A seed of 63 bits for the first draw of `request`, where the n-th draw after it has that seed plus n, as in vLLM.

    So a draw has the same seed in whichever portions the draws of its stream are asked for.
    """
    return request.key % 2**62 + request.first


def uniforms(key: int, draw: int, count: int) -> NDArray[np.float64]:
    """The `count` numbers in [0, 1) of a draw: multiples of 2^-32, so that none times a sum rounds up to that sum."""
    words = np.random.Philox(key=key, counter=draw << 128).random_raw(count)
    return np.asarray(words >> np.uint64(32), dtype=np.float64) / 2**32


def draw(rows: Rows, requests: Sequence[Draws], end: int, max_tokens: int) -> list[Answer]:
    """The draws of each request; `rows` has just read the prompts, one row for each draw.

    A draw without the token `end` among its first `max_tokens` is cut off.
    """
    device, total = rows.logits.device, len(rows)
    numbers = np.stack([uniforms(r.key, r.first + i, max_tokens) for r in requests for i in range(r.count)])
    random = torch.from_numpy(numbers).to(device)
    temperature = torch.tensor([[r.temperature] for r in requests for _ in range(r.count)], device=device)
    tempered = any(r.temperature != 1 for r in requests)
    tokens = torch.full((total, max_tokens), end, device=device)
    sums = torch.zeros(total, dtype=torch.float64, device=device)  # of log-probabilities at temperature 1
    live = torch.arange(total, device=device)  # the draw that each row writes
    writing = torch.ones(total, dtype=torch.bool, device=device)  # rows that have not come to their end
    for step in range(max_tokens):
        log_probs = rows.logits.log_softmax(-1)
        drawn_from = (rows.logits / temperature).log_softmax(-1) if tempered else log_probs
        chosen = _inverse(drawn_from, random[live, step])
        tokens[live, step] = torch.where(writing, chosen, end)
        parts = log_probs.gather(1, chosen[:, None])[:, 0]
        sums[live] += torch.where(writing, parts.double(), 0.0)
        writing &= chosen != end
        still = int(writing.sum())
        if still == 0 or step == max_tokens - 1:
            break
        if still < COMPACT_BELOW * len(live):
            kept = writing.nonzero()[:, 0]
            rows.select(kept)
            live, writing, temperature, chosen = live[kept], writing[kept], temperature[kept], chosen[kept]
        rows.append(chosen)
    cut = set(live[writing].tolist())
    done = (
        Written(tuple(row if index in cut else row[: row.index(end) + 1]), index not in cut, log_prob)
        for index, (row, log_prob) in enumerate(zip(tokens.tolist(), sums.tolist(), strict=True))
    )
    answers = [tuple(islice(done, request.count)) for request in requests]
    return [Answer(written, sum(len(each.tokens) for each in written)) for written in answers]


def _inverse(log_probs: Tensor, numbers: Tensor) -> Tensor:
    """The token [rows] at which the cumulated probabilities pass `numbers` [rows]; one of probability 0 is never it."""
    cumulated = log_probs.exp().cumsum(-1, dtype=torch.float64)
    return torch.searchsorted(cumulated, numbers[:, None] * cumulated[:, -1:], right=True)[:, 0]
