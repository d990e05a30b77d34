"""Beam search for the likeliest tactics: deterministic, by the sum of the token log-probabilities, length unweighed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from prover.policy.decoding import Rows
from prover.policy.sampling import Answer, Written


@dataclass(frozen=True)
class Beams:
    """A request for the likeliest tactics that `width` beams find. `adapter` None is the base alone."""

    prompt: tuple[int, ...]
    adapter: str | None
    width: int

    @property
    def rows(self) -> int:
        """Rows of a batch that it takes."""
        return self.width


@dataclass(frozen=True)
class _Text:
    """Tokens written, and the sum of their log-probabilities."""

    score: float
    tokens: tuple[int, ...]


class _Search:
    """The search for one request: beginnings to go on from, each in its row, and the best texts that have ended."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.beginnings = [_Text(0.0, ())]  # the rows are alike at first: one of them stands for all
        self.ended: list[_Text] = []  # likeliest first
        self.tokens = 0

    @property
    def scores(self) -> list[float]:
        """Of every row; those without a beginning have minus infinity."""
        return [text.score for text in self.beginnings] + [-math.inf] * (self.width - len(self.beginnings))

    def extend(self, ends: Sequence[float], going: Sequence[tuple[float, int, int]], end: int) -> list[int]:
        """Take up the score of each beginning's end, and the likeliest ways to go on: score, row and token.

        Gives the row from which each row goes on.
        """
        before = self.beginnings
        self.tokens += len(before)
        ended = [_Text(score, (*text.tokens, end)) for text, score in zip(before, ends, strict=False)]
        best = sorted([*self.ended, *ended], key=lambda text: (-text.score, text.tokens))
        self.ended = [text for text in best if text.score > -math.inf][: self.width]
        # A longer text is never likelier than its beginning.
        least = self.ended[-1].score if len(self.ended) == self.width else -math.inf
        kept = [candidate for candidate in going if candidate[0] > least]
        self.beginnings = [_Text(score, (*before[row].tokens, token)) for score, row, token in kept]
        return [row for _, row, _ in kept] + [0] * (self.width - len(kept))


def search(rows: Rows, requests: Sequence[Beams], end: int, max_tokens: int) -> list[Answer]:
    """At most `width` ended tactics for each request, likeliest first; all requests have the same width.

    `rows` has just read the prompts, `width` rows for each. The `width` likeliest beginnings are kept from token to
    token. With a width no smaller than the number of possible beginnings nothing is lost, and the result is exact. A
    request is finished when no beginning is likelier than all the tactics that it has.
    """
    width, vocabulary, device = requests[0].width, rows.logits.shape[1], rows.logits.device
    searches = [_Search(width) for _ in requests]
    for step in range(max_tokens):
        log_probs = rows.logits.log_softmax(-1).view(len(requests), width, vocabulary)
        scores = torch.tensor([each.scores for each in searches], dtype=torch.float64, device=device)
        total = scores[:, :, None] + log_probs
        ends = total[:, :, end].tolist()
        total[:, :, end] = -math.inf
        values, places = total.flatten(1).topk(width, dim=1)
        sources: list[int] = []
        for index, each in enumerate(searches):
            candidates = zip(values[index].tolist(), places[index].tolist(), strict=True)
            going = [(score, *divmod(place, vocabulary)) for score, place in candidates]
            sources += [index * width + row for row in each.extend(ends[index], going, end)]
        if step == max_tokens - 1 or not any(each.beginnings for each in searches):
            break
        rows.select(torch.tensor(sources, device=device))
        last = [[text.tokens[-1] for text in each.beginnings] for each in searches]
        rows.append(torch.tensor([row + [end] * (width - len(row)) for row in last], device=device).flatten())
    return [
        Answer(tuple(Written(text.tokens, True, text.score) for text in each.ended), each.tokens) for each in searches
    ]
