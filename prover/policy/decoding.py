"""The rows of a batch while a causal language model writes them: keys and values, padding, positions, adapters.

Knows nothing of how the next tokens are chosen. Prompts stand to the right of their padding, so that all rows write
their next token in the same column.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from prover.policy.adapters import BASE, Route, Routing


class Rows:
    """The rows that are being written. A row is a prompt and the tokens that were appended to it."""

    def __init__(
        self, model: PreTrainedModel, routing: Routing, prompts: Sequence[Sequence[int]], adapters: Sequence[int]
    ) -> None:
        """Read `prompts`, none of them empty, each by its adapter: a place in the routing, or BASE."""
        self._model, self._routing = model, routing
        width = max(map(len, prompts))
        ids = torch.tensor([[0] * (width - len(prompt)) + list(prompt) for prompt in prompts], device=model.device)
        lengths = torch.tensor([len(prompt) for prompt in prompts], device=model.device)
        column = torch.arange(width, device=model.device)
        self._mask = (column >= width - lengths[:, None]).long()  # [rows, columns]: 1 where a token is, 0 on padding
        self._next = lengths  # [rows]: the position of the next token
        adapted = any(place != BASE for place in adapters)
        self._route = Route(torch.tensor(adapters, device=model.device)) if adapted else None
        self._cache = DynamicCache(config=model.config)
        self.logits = self._forward(ids, (self._mask.cumsum(1) - 1).clamp(min=0))
        """[rows, vocabulary], float32: of the next token of each row."""

    def __len__(self) -> int:
        return len(self._mask)

    def select(self, rows: Tensor) -> None:
        """Go on with these rows, in this order; a row may come more than once (shared prefix) or not at all."""
        self._cache.batch_select_indices(rows)
        self._mask, self._next, self.logits = self._mask[rows], self._next[rows], self.logits[rows]
        if self._route is not None:
            self._route = Route(self._route.adapters[rows])

    def append(self, tokens: Tensor) -> None:
        """Write `tokens` [rows], one to each row."""
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(self), 1)], dim=1)
        self.logits = self._forward(tokens[:, None], self._next[:, None])
        self._next = self._next + 1

    def _forward(self, ids: Tensor, positions: Tensor) -> Tensor:
        with self._routing.along(self._route):
            output = self._model(
                input_ids=ids,
                attention_mask=self._mask,
                position_ids=positions,
                past_key_values=self._cache,
                use_cache=True,
                logits_to_keep=1,
            )
        logits: Tensor = output.logits[:, -1].float()
        return logits
