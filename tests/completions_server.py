"""A small server of OpenAI's completions protocol over HTTP, for tests: our own model answers behind it.

With `vllm`, it says that it is vLLM's, and takes what only that takes. It can be told to fail.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from transformers import AutoTokenizer

from prover.policy.model import TacticModel
from prover.policy.sampling import Draws, Written

LENGTH = 1024  # tokens of a prompt and a tactic together
Mangle = Callable[[dict[str, Any]], object]


@dataclass
class Served:
    """What the server serves, what it was asked, and what it is to do wrong.

    `fails` are statuses for the next requests in their order, 0 to hang up, with headers. `mangle` may change what is
    completed before it goes out.
    """

    model: TacticModel
    names: dict[str, str | None]
    base: str
    vllm: bool = True
    key: str | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    given: list[list[Written]] = field(default_factory=list)
    fails: deque[tuple[int, dict[str, str]]] = field(default_factory=deque)
    mangle: Mangle = lambda answer: None
    url: str = ""

    def __post_init__(self) -> None:
        self.tokenizer = AutoTokenizer.from_pretrained(self.base)
        self.lock = threading.Lock()

    def models(self) -> dict[str, Any]:
        """The answer of /models."""
        cards = [{"id": name, "object": "model", "owned_by": "vllm" if self.vllm else "us"} for name in self.names]
        if self.vllm:
            cards[0] |= {"max_model_len": LENGTH}  # type: ignore[dict-item]
        return {"object": "list", "data": cards}

    def complete(self, body: dict[str, Any]) -> dict[str, Any]:
        """The answer of /completions."""
        self.asked.append(body)
        ids = self.tokenizer(body["prompt"], verbose=False)["input_ids"]
        if "truncate_prompt_tokens" in body:
            assert body["truncation_side"] == "left"
            ids = ids[-body["truncate_prompt_tokens"] :]
        assert len(ids) + body["max_tokens"] <= LENGTH
        # As in vLLM: the n-th draw of a request has its seed plus n.
        request = Draws(
            tuple(ids),
            self.names[body["model"]],
            body["temperature"],
            key=5,
            first=body.get("seed", 0),
            count=body["n"],
        )
        (answer,) = self.model.run([request])
        self.given.append(list(answer.written))
        choices = [self.choice(n, each, body) for n, each in enumerate(answer.written)]
        usage = {"prompt_tokens": len(ids), "completion_tokens": answer.tokens}
        given = {"id": "x", "object": "text_completion", "choices": choices[::-1], "usage": usage}  # in any order
        self.mangle(given)
        return given

    def choice(self, index: int, written: Written, body: dict[str, Any]) -> dict[str, Any]:
        """A draw. Our model tells the sum alone, so all of it stands at the last token."""
        numbered = body.get("return_tokens_as_token_ids", False)
        tokens = [f"token_id:{token}" if numbered else self.tokenizer.decode([token]) for token in written.tokens]
        log_probs = [0.0] * (len(tokens) - 1) + [written.log_prob]
        return {
            "index": index,
            "text": self.tokenizer.decode(list(written.tokens), skip_special_tokens=True),
            "finish_reason": "stop" if written.ended else "length",
            "logprobs": {"tokens": tokens, "token_logprobs": log_probs, "top_logprobs": [], "text_offset": []},
        }


@contextmanager
def serving(served: Served) -> Iterator[Served]:
    """Run the server on a port of its own; its address is in `url`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.answer(served.models if self.path == "/v1/models" else None)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known = self.path == "/v1/completions" and body["model"] in served.names
            self.answer((lambda: served.complete(body)) if known else None)

        def answer(self, give: Callable[[], dict[str, Any]] | None) -> None:
            with served.lock:
                status, headers = served.fails.popleft() if served.fails else (200, {})
                if status == 0:
                    self.close_connection = True
                    return
                if served.key and self.headers.get("Authorization") != f"Bearer {served.key}":
                    status = 401
                elif give is None:
                    status = 404
                answer = give() if status == 200 and give else {"error": {"message": f"status\n{status}"}}
            text = json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(text)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        served.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()
