"""Beam search for the likeliest tactics: deterministic, by the sum of the token log-probabilities, length unweighed."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from prover.policy.decoding import Rows
from prover.policy.sampling import Written


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


def search(rows: Rows, requests: Sequence[Beams], end: int, max_tokens: int) -> list[list[Written]]:
    """At most `width` ended tactics for each request, likeliest first; all requests have the same width.

    `rows` has just read the prompts, `width` rows for each. The `width` likeliest beginnings are kept from token to
    token. With a width no smaller than the number of possible beginnings nothing is lost, and the result is exact. A
    request is finished when no beginning is likelier than all the tactics that it has, since a longer text cannot be
    likelier than its beginning.
    """
    width, vocabulary = requests[0].width, rows.logits.shape[1]
    device = rows.logits.device
    scores = torch.full((len(requests), width), -math.inf, dtype=torch.float64, device=device)
    scores[:, 0] = 0.0  # all rows of a request are alike at first: one of them stands for all
    texts: list[list[tuple[int, ...]]] = [[()] * width for _ in requests]
    best: list[list[tuple[float, tuple[int, ...]]]] = [[] for _ in requests]  # heaps, the least likely on top
    first_row = width * torch.arange(len(requests), device=device)[:, None]
    for _ in range(max_tokens):
        total = scores[:, :, None] + rows.logits.log_softmax(-1).view(len(requests), width, vocabulary)
        # Of twice as many candidates at least `width` go on, for each beam can end in one way only.
        values, places = total.flatten(1).topk(min(2 * width, width * vocabulary), dim=1)
        beams, tokens = places // vocabulary, places % vocabulary
        kept = torch.zeros(len(requests), width, dtype=torch.long, device=device)
        chosen = torch.full_like(kept, end)
        scores = torch.full_like(scores, -math.inf)
        for index, candidates in enumerate(zip(values.tolist(), beams.tolist(), tokens.tolist(), strict=True)):
            going = []
            for score, beam, token in zip(*candidates, strict=True):
                if score == -math.inf or (len(best[index]) == width and score <= best[index][0][0]):
                    break  # candidates come likeliest first: neither this one nor any after it can matter
                text = (*texts[index][beam], token)
                if token == end:
                    heapq.heappush(best[index], (score, text))
                    if len(best[index]) > width:
                        heapq.heappop(best[index])
                elif len(going) < width:
                    going.append((score, beam, token, text))
            texts[index] = [text for _, _, _, text in going] + [()] * (width - len(going))
            for place, (score, beam, token, _) in enumerate(going):
                scores[index, place], kept[index, place], chosen[index, place] = score, beam, token
        if not bool((scores > -math.inf).any()):
            break
        rows.select((kept + first_row).flatten())
        rows.append(chosen.flatten())
    return [[Written(text, True, score, score) for score, text in sorted(heap, key=_likeliest)] for heap in best]


def _likeliest(found: tuple[float, tuple[int, ...]]) -> tuple[float, tuple[int, ...]]:
    return -found[0], found[1]
