"""Tactics from a server that speaks OpenAI's completions protocol, such as vLLM's own, over HTTP.

The prompt is sent as text, and the server has the tokenizer. A draw's log-probability is the sum of those that the
server gives for its tokens; the end of a tactic has to be among them, or the sums would not be those of whole tactics.
With vLLM, whose /models names it, the rest is settled too: the whole vocabulary whatever the model's generation
defaults, a seed for each draw, tokens told apart by their numbers, and prompts cut from the front where they are too
long. Other servers draw with defaults and seeds of their own, and refuse prompts that are too long.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from prover.policy.errors import ModelError
from prover.policy.model import MAX_NEW_TOKENS, Prompt, Request
from prover.policy.sampling import Answer, Draws, Written, seed
from train.prompt import prompt

KEY = "OPENAI_API_KEY"
VLLM = "vllm"
ATTEMPTS = 6
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 30.0
LONGEST_ASKED_S = 180.0  # of a pause that the server asks for: a search would sleep for a day if it were told to
BUSY = frozenset({408, 409, 429, 500, 502, 503, 504})  # of the statuses, those that may pass
TIMEOUT = httpx2.Timeout(600.0, connect=10.0)  # s; a server with a long queue answers late
CONNECTIONS = 256


Wire = TypeVar("Wire", bound=BaseModel)


class Card(BaseModel):
    """A model in the list of a server; `max_model_len` and `owned_by` as vLLM gives them."""

    id: str
    max_model_len: int | None = None
    owned_by: str = ""


class Cards(BaseModel):
    """The answer of /models."""

    data: list[Card]


class LogProbs(BaseModel):
    """The tokens of a choice, by their text or number, with their log-probabilities."""

    tokens: list[str]
    token_logprobs: list[float]


class Choice(BaseModel):
    """One draw."""

    index: int
    text: str
    finish_reason: str | None
    logprobs: LogProbs | None = None


class Usage(BaseModel):
    """Tokens read, once for all choices."""

    prompt_tokens: int


class Completion(BaseModel):
    """The answer of /completions."""

    choices: list[Choice]
    usage: Usage


@dataclass(frozen=True)
class ServedModels:
    """The models of a server in place of adapters: each is asked for by its name. Tokens are bytes of UTF-8 here."""

    adapters: tuple[str, ...]
    parameters: int = 0  # not known

    def encode(self, state: str) -> Prompt:
        """The prompt for a pretty-printed state, uncut."""
        return Prompt(tuple(prompt(state).encode()), False)

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of these bytes."""
        return bytes(tokens).decode()


class Server:
    """A server at a URL; a prover.policy.batching.Source. Requests go out at once, and the server batches them."""

    def __init__(self, url: str, cards: Sequence[Card], *, max_new_tokens: int = MAX_NEW_TOKENS) -> None:
        self.url, self.model = url, ServedModels(tuple(card.id for card in cards))
        self._max_new_tokens = max_new_tokens
        self._extras: dict[str, Any] = {}
        self._prompt_limit: int | None = None
        if any(card.owned_by == VLLM for card in cards):
            self._extras = {"top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0, "return_tokens_as_token_ids": True}
        if self._extras and (lengths := [card.max_model_len for card in cards if card.max_model_len]):
            self._prompt_limit = min(lengths) - max_new_tokens  # adapters have no length of their own in the list
            if self._prompt_limit < 1:
                raise ModelError(
                    f"{url} has {min(lengths)} tokens for prompt and tactic, and a tactic may take {max_new_tokens}: "
                    "start it with a larger --max-model-len"
                )
            self._extras |= {"truncate_prompt_tokens": self._prompt_limit, "truncation_side": "left"}
        self._numbers: dict[str, int] = {}  # of the tokens seen, by the texts that the server has for them
        limits = httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
        self._client = httpx2.AsyncClient(headers=_headers(), timeout=TIMEOUT, limits=limits)

    @classmethod
    def connect(cls, url: str, *, max_new_tokens: int = MAX_NEW_TOKENS) -> Server:
        """The server at `url`, which ends in /v1 as a rule. Raises ModelError when it does not list its models."""
        url = url.rstrip("/")
        try:
            response = httpx2.get(f"{url}/models", headers=_headers(), timeout=TIMEOUT)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ModelError(f"no server answers at {url} ({_line(error)}): start it, or mend the address") from error
        if response.status_code != httpx2.codes.OK:
            raise ModelError(_refusal(url, response))
        return cls(url, _read(Cards, url, response).data, max_new_tokens=max_new_tokens)

    async def ask(self, request: Request) -> Answer:
        """The answer to `request`. Raises ModelError, for a server that is busy or away only after some attempts."""
        if not isinstance(request, Draws):
            raise ModelError("a server only draws: leave out --beams, or give the folder of the model")
        body = {
            "model": request.adapter,
            "prompt": bytes(request.prompt).decode(),
            "n": request.count,
            "max_tokens": self._max_new_tokens,
            "temperature": request.temperature,
            "top_p": 1.0,
            "logprobs": 1,
            **self._extras,
        }
        if self._extras:
            body["seed"] = seed(request)  # elsewhere all the draws of a request may be given the same one
        completion = _read(Completion, self.url, await self._post(body))
        written = tuple(self._written(choice) for choice in sorted(completion.choices, key=lambda each: each.index))
        if len(written) != request.count:
            raise ModelError(f"{self.url} gave {len(written)} draws, not {request.count}: take a server that has n")
        read = completion.usage.prompt_tokens
        # vLLM does not say that it has cut a prompt; one that fills its limit to the last token counts as cut.
        cut = self._prompt_limit is not None and read >= self._prompt_limit
        return Answer(written, sum(len(each.tokens) for each in written), read, cut)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def _post(self, body: dict[str, Any]) -> httpx2.Response:
        """The answer to a request for completions, asked for again with growing pauses while the server is busy."""
        wait = FIRST_WAIT_S
        for attempt in range(ATTEMPTS):
            asked = None
            try:
                response = await self._client.post(f"{self.url}/completions", json=body)
            except httpx2.TransportError as error:
                reason = _line(error)
            else:
                if response.status_code == httpx2.codes.OK:
                    return response
                reason = _refusal(self.url, response)
                if response.status_code not in BUSY:
                    raise ModelError(reason)
                asked = response.headers.get("retry-after", "")
            if attempt < ATTEMPTS - 1:
                # Half of the pause by chance, so that searches that were refused together do not come back together.
                own = wait * random.uniform(0.5, 1)
                await asyncio.sleep(min(float(asked), LONGEST_ASKED_S) if asked and asked.isdecimal() else own)
                wait = min(2 * wait, LONGEST_WAIT_S)
        raise ModelError(f"{self.url} did not answer in {ATTEMPTS} attempts, lastly: {reason}")

    def _written(self, choice: Choice) -> Written:
        if choice.finish_reason not in ("stop", "length"):
            raise ModelError(f"{self.url} ended a draw for reason {choice.finish_reason}: see its log")
        if choice.logprobs is None:
            raise ModelError(f"{self.url} gives no log-probabilities: take a server that has them, such as vLLM's")
        ended, tokens = choice.finish_reason == "stop", choice.logprobs.tokens
        if ended and (not tokens or (tokens[-1] and choice.text.endswith(tokens[-1]))):
            raise ModelError(
                f"{self.url} leaves the end of a tactic out of its log-probabilities, so that they are not those of "
                "whole tactics: take a server that has it, such as vLLM's"
            )
        numbers = tuple(self._numbers.setdefault(token, len(self._numbers)) for token in tokens)
        return Written(numbers, ended, sum(choice.logprobs.token_logprobs), choice.text.strip())


def _headers() -> dict[str, str]:
    key = os.environ.get(KEY)
    return {"Authorization": f"Bearer {key}"} if key else {}


def _read(kind: type[Wire], url: str, response: httpx2.Response) -> Wire:
    try:
        return kind.model_validate_json(response.content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ModelError(
            f"{url} does not answer as OpenAI's API has it ({place}: {first['msg']}): give an address such as "
            "http://HOST:8000/v1"
        ) from error


def _refusal(url: str, response: httpx2.Response) -> str:
    """Why a server refuses, and what to do about it, in one line."""
    said = " ".join(response.text.split())[:300]
    mend = {
        401: f"set {KEY}",
        403: f"set {KEY} to one that may do this",
        404: "give an address such as http://HOST:8000/v1, and the name of a model that it lists at /models",
    }.get(response.status_code, "see its log")
    return f"{url} answered {response.status_code} ({said}): {mend}"


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0].removesuffix(": ")
