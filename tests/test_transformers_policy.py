"""The policy with a model: probabilities against plain forward passes, on small models with random weights.

Two models serve. `tiny` is a decoder over byte-level BPE with two LoRA adapters. `spelled` has four tokens, "a", "b",
"ab" and the end, and at most three of them make a tactic, so that all it can write is enumerable; "ab" can be written
in two ways.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import math
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from peft import LoraConfig, PeftModel, get_peft_model
from scipy.stats import chisquare
from tokenizers import Tokenizer, decoders, models
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from prover.policy import decoding, model, sampling
from prover.policy.batching import Batcher
from prover.policy.beams import Beams
from prover.policy.errors import ModelError
from prover.policy.model import Request, TacticModel, fit
from prover.policy.sampling import Answer, Draws, uniforms
from prover.policy.transformers import BeamPolicy, TransformersPolicy
from search.policy import Suggestion
from train.prompt import prompt
from train.tiny import TinyShape, tiny_model, tiny_tokenizer

LINES = ["intro h", "exact h", "simp [Nat.add_comm]", "omega", "n m : Nat\nh : n = m\n⊢ n + 0 = m", "⊢ ∀ x, x = x"]
SHAPE = TinyShape(hidden=32, layers=2, heads=4, kv_heads=2, intermediate=64, vocabulary=300, positions=64)
STATES = ["⊢ 1 = 1", "n m : Nat\nh : n = m\n⊢ n + 0 = m", "x : Nat\n⊢ x = x"]
MAX_TOKENS = 12
SPELLED_TOKENS = 3
END = 0


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@dataclass(frozen=True)
class Folders:
    """Where a base and its adapters lie."""

    base: str
    adapters: dict[str, str]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """A tiny base with adapters of different rank and reach, their weights large enough to matter."""
    scratch = tmp_path_factory.mktemp("tiny")
    tokenizer = tiny_tokenizer(LINES, SHAPE)
    base, random = tiny_model(tokenizer, SHAPE, seed=1), torch.Generator().manual_seed(1)
    with torch.no_grad():  # probabilities that are neither alike nor near 1, and an end that comes now and then
        base.config.tie_word_embeddings = False
        base.lm_head.weight = torch.nn.Parameter(torch.randn(SHAPE.vocabulary, SHAPE.hidden, generator=random) * 0.3)
        base.model.embed_tokens.weight.normal_(std=0.3, generator=random)
        base.model.embed_tokens.weight[:, 0] += 1
        base.lm_head.weight[tokenizer.eos_token_id, 0] += 1.5
    base.save_pretrained(scratch / "base")
    tokenizer.save_pretrained(scratch / "base")
    reaches = {"one": (4, ["q_proj", "v_proj", "down_proj"]), "two": (2, "all-linear")}
    for name, (rank, targets) in reaches.items():
        adapted = get_peft_model(
            AutoModelForCausalLM.from_pretrained(scratch / "base"),
            LoraConfig(task_type="CAUSAL_LM", r=rank, lora_alpha=8, target_modules=targets, init_lora_weights=False),
        )
        with torch.no_grad():
            for key, weight in adapted.named_parameters():
                if "lora_" in key:
                    weight.normal_(std=0.3, generator=random)
        adapted.save_pretrained(scratch / name)
    return Folders(str(scratch / "base"), {name: str(scratch / name) for name in reaches})


def load(base: str, **adapters: str) -> TacticModel:
    return TacticModel.load(base, adapters, max_new_tokens=MAX_TOKENS)


@pytest.fixture(scope="module")
def tiny(folders: Folders) -> TacticModel:
    return load(folders.base, **folders.adapters)


def test_the_parameters_of_a_model_are_its_bases_whatever_adapters_it_has(folders: Folders) -> None:
    assert load(folders.base, **folders.adapters).parameters == load(folders.base).parameters


@pytest.fixture(scope="module")
def spelled_weights() -> Qwen2ForCausalLM:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        config = Qwen2Config(
            vocab_size=4,
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            max_position_embeddings=16,
            tie_word_embeddings=False,
            initializer_range=0.4,
        )
        return Qwen2ForCausalLM(config).eval()


@pytest.fixture(scope="module")
def spelled(spelled_weights: Qwen2ForCausalLM) -> TacticModel:
    letters = Tokenizer(models.BPE(vocab={"<end>": END, "a": 1, "b": 2, "ab": 3}, merges=[("a", "b")]))
    letters.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=letters, eos_token="<end>")
    return TacticModel(spelled_weights, tokenizer, model.Routing(), max_new_tokens=SPELLED_TOKENS)


@pytest.fixture
async def batcher(tiny: TacticModel) -> AsyncIterator[Batcher]:
    batcher = Batcher(tiny)
    yield batcher
    await batcher.close()


@pytest.fixture
async def spelling(spelled: TacticModel) -> AsyncIterator[Batcher]:
    batcher = Batcher(spelled)
    yield batcher
    await batcher.close()


class Recorder(Batcher):
    """A batcher that remembers what it was asked."""

    def __init__(self, model: TacticModel) -> None:
        super().__init__(model)
        self.asked: list[Draws] = []

    async def ask(self, request: Request) -> Answer:
        assert isinstance(request, Draws)
        self.asked.append(request)
        return await super().ask(request)


def draws(of: TacticModel, state: str, count: int, adapter: str | None = None, temperature: float = 1.0) -> Draws:
    return Draws(of.encode(state).tokens, adapter, temperature, key=7, first=0, count=count)


@torch.inference_mode()
def taught(weights: torch.nn.Module, before: Sequence[int], tokens: Sequence[int], temperature: float = 1.0) -> float:
    """Log-probability of `tokens` after `before`, by one plain pass over both."""
    ids = torch.tensor([[*before, *tokens]])
    logits = weights(input_ids=ids, use_cache=False).logits[0, len(before) - 1 : -1].double() / temperature
    return float(logits.log_softmax(-1).gather(1, torch.tensor(tokens)[:, None]).sum())


def everything(
    weights: torch.nn.Module, before: Sequence[int], temperature: float = 1.0
) -> dict[tuple[int, ...], float]:
    """All that `spelled` can write after a prompt, cut off or ended, with its log-probability."""
    ended = [(*body, END) for n in range(SPELLED_TOKENS) for body in itertools.product((1, 2, 3), repeat=n)]
    cut = list(itertools.product((1, 2, 3), repeat=SPELLED_TOKENS))
    return {tokens: taught(weights, before, tokens, temperature) for tokens in (*ended, *cut)}


def by_text(written: dict[tuple[int, ...], float]) -> dict[str, float]:
    """Log-probabilities of the texts that Lean would get, over all ways to write them."""
    sums: dict[str, float] = defaultdict(float)
    for tokens, log_prob in written.items():
        text = "".join(("", "a", "b", "ab")[token] for token in tokens)
        if tokens[-1] == END and text:
            sums[text] += math.exp(log_prob)
    return {text: math.log(total) for text, total in sums.items()}


# -- Log-probabilities


@pytest.fixture(scope="module")
def plain(folders: Folders) -> dict[str | None, torch.nn.Module]:
    """The base and each adapter as peft loads them, one by one."""

    def base() -> torch.nn.Module:
        return AutoModelForCausalLM.from_pretrained(folders.base).eval()

    adapted = {name: PeftModel.from_pretrained(base(), folder).eval() for name, folder in folders.adapters.items()}
    return {None: base(), **adapted}


def test_log_probs_in_a_mixed_and_padded_batch_are_those_of_a_plain_pass(
    tiny: TacticModel, plain: dict[str | None, torch.nn.Module]
) -> None:
    cases = list(itertools.product(STATES, (None, "one", "two"), (1.0, 0.6)))
    requests = [draws(tiny, state, 5, adapter, temperature) for state, adapter, temperature in cases]
    for request, answer in zip(requests, tiny.run(requests), strict=True):
        for written in answer.written:
            weights = plain[request.adapter]
            assert written.log_prob == pytest.approx(
                taught(weights, request.prompt, written.tokens), abs=1e-4, rel=1e-5
            )


def test_the_end_token_counts_and_is_the_last_of_an_ended_tactic(
    spelled: TacticModel, spelled_weights: Qwen2ForCausalLM
) -> None:
    request = draws(spelled, "ab", 200)
    known = everything(spelled_weights, request.prompt)
    (answer,) = spelled.run([request])
    assert {written.ended for written in answer.written} == {True, False}
    for written in answer.written:
        assert written.log_prob == pytest.approx(known[written.tokens], abs=1e-4, rel=1e-5)
        assert written.ended == (written.tokens[-1] == END) and END not in written.tokens[:-1]
    assert answer.tokens == sum(len(written.tokens) for written in answer.written)


async def test_a_text_has_the_probability_of_all_the_ways_it_was_written_each_counted_once(
    spelling: Batcher, spelled: TacticModel, spelled_weights: Qwen2ForCausalLM
) -> None:
    policy = TransformersPolicy(spelling, seed=1, patience=3000)
    found = await policy.suggest("ab", 1000)
    texts = by_text(everything(spelled_weights, spelled.encode("ab").tokens))
    assert len({each.tactic for each in found}) == len(found) == len(texts)
    for each in found:
        assert each.log_prob == pytest.approx(texts[each.tactic], abs=1e-4, rel=1e-5)
    assert [each.log_prob for each in found] == sorted((each.log_prob for each in found), reverse=True)


# -- Drawing


@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_what_is_drawn_is_as_frequent_as_it_is_probable(
    spelled: TacticModel, spelled_weights: Qwen2ForCausalLM, temperature: float
) -> None:
    count = 4000
    request = draws(spelled, "ab", count, temperature=temperature)
    (answer,) = spelled.run([request])
    seen = Counter(written.tokens for written in answer.written)
    expected = {t: count * math.exp(p) for t, p in everything(spelled_weights, request.prompt, temperature).items()}
    rare = {tokens for tokens, number in expected.items() if number < 5}
    bins = [([tokens], number) for tokens, number in expected.items() if tokens not in rare]
    bins.append((sorted(rare), sum(expected[tokens] for tokens in rare)))
    observed = [sum(seen[tokens] for tokens in members) for members, _ in bins]
    assert chisquare(observed, [number for _, number in bins]).pvalue > 1e-3


@given(st.integers(0, 2**128 - 1), st.integers(0, 2**64), st.integers(1, 50))
def test_the_random_numbers_of_a_draw_do_not_depend_on_how_many_are_taken(key: int, number: int, count: int) -> None:
    taken = uniforms(key, number, count)
    assert (taken == uniforms(key, number, count + 5)[:count]).all()
    assert (taken >= 0).all() and (taken < 1).all()
    assert not (uniforms(key, number, 50) == uniforms(key, number + 1, 50)).all()


@given(st.lists(st.booleans(), min_size=2, max_size=300).filter(any), st.sampled_from([0.0, 0.3, 1 - 2**-32]))
def test_a_token_of_probability_zero_is_never_drawn(possible: list[bool], number: float) -> None:
    logits = torch.where(torch.tensor([possible]), torch.linspace(-3, 3, len(possible)), -math.inf)
    chosen = sampling._inverse(logits.log_softmax(-1), torch.tensor([number], dtype=torch.float64))
    assert possible[int(chosen)]


def test_draws_are_the_same_in_any_company_and_in_any_portions(tiny: TacticModel) -> None:
    requests = [draws(tiny, state, 8, adapter) for state in STATES for adapter in (None, "one", "two")]
    together = [answer.written for answer in tiny.run(requests)]
    assert {written.ended for answer in together for written in answer} == {True, False}  # rows end at different times
    for request, answer in zip(requests, together, strict=True):
        for number, written in enumerate(answer):
            alone = Draws(request.prompt, request.adapter, 1.0, request.key, first=number, count=1)
            (single,) = tiny.run([alone])[0].written
            assert single.tokens == written.tokens
            assert single.log_prob == pytest.approx(written.log_prob, abs=1e-4, rel=1e-5)


def test_adapters_change_what_is_drawn_and_the_base_stays_what_it_was(folders: Folders, tiny: TacticModel) -> None:
    drawn = [tiny.run([draws(tiny, STATES[1], 8, adapter)])[0].written for adapter in (None, "one", "two")]
    assert len({tuple(written.tokens for written in each) for each in drawn}) == 3
    alone = load(folders.base)
    assert alone.run([draws(alone, STATES[1], 8)])[0].written == drawn[0]


def test_a_prompt_is_read_once_for_all_its_draws(tiny: TacticModel, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    original = decoding.Rows.__init__

    def counting(
        self: decoding.Rows, model: object, routing: object, prompts: Sequence[object], places: object
    ) -> None:
        read.append(len(prompts))
        original(self, model, routing, prompts, places)  # type: ignore[arg-type]

    monkeypatch.setattr(decoding.Rows, "__init__", counting)
    tiny.run([draws(tiny, STATES[0], 8), draws(tiny, STATES[0], 4), draws(tiny, STATES[1], 4)])
    assert read == [2]


# -- Beams


def test_beams_wide_enough_find_exactly_the_likeliest(spelled: TacticModel, spelled_weights: Qwen2ForCausalLM) -> None:
    requests = [Beams(spelled.encode(state).tokens, None, width=13) for state in ("ab", "b", "aabb")]
    for request, answer in zip(requests, spelled.run(requests), strict=True):
        known = {t: p for t, p in everything(spelled_weights, request.prompt).items() if t[-1] == END}
        best = sorted(known.items(), key=lambda item: -item[1])
        assert len(best) == 13
        assert [written.tokens for written in answer.written] == [tokens for tokens, _ in best]
        for written in answer.written:
            assert written.log_prob == pytest.approx(known[written.tokens], abs=1e-4, rel=1e-5)


def test_narrow_beams_give_true_log_probs_likeliest_first(
    tiny: TacticModel, plain: dict[str | None, torch.nn.Module]
) -> None:
    requests: list[Request] = [Beams(tiny.encode(state).tokens, "two", width=6) for state in STATES]
    requests.insert(1, draws(tiny, STATES[0], 3, "one"))  # of another kind, in the same batch
    answers = tiny.run(requests)
    assert len(answers[1].written) == 3
    found = [
        (r.prompt, w) for r, answer in zip(requests, answers, strict=True) for w in answer.written if r != requests[1]
    ]
    assert found
    for before, written in found:
        assert written.ended
        assert written.log_prob == pytest.approx(taught(plain["two"], before, written.tokens), abs=1e-4, rel=1e-5)
    for answer in answers:
        if answer is not answers[1]:
            scores = [written.log_prob for written in answer.written]
            assert scores == sorted(scores, reverse=True)


async def test_a_beam_policy_merges_spellings_and_asks_the_model_once_a_state(
    spelling: Batcher, spelled: TacticModel, spelled_weights: Qwen2ForCausalLM
) -> None:
    policy = BeamPolicy(spelling, width=13)
    texts = by_text(everything(spelled_weights, spelled.encode("ab").tokens))
    best = sorted(texts, key=lambda text: -texts[text])
    assert [each.tactic for each in await policy.suggest("ab", 3)] == best[:3]
    assert [each.tactic for each in await policy.suggest("ab", 100)] == best
    assert spelling.statistics.batches == 1


# -- The policy


async def test_suggestions_are_at_most_n_different_tactics_likeliest_first(batcher: Batcher) -> None:
    found = await TransformersPolicy(batcher, "one", seed=2).suggest(STATES[1], 6)
    assert len(found) == len({each.tactic for each in found}) == 6
    assert [each.log_prob for each in found] == sorted((each.log_prob for each in found), reverse=True)
    assert all(each.tactic == each.tactic.strip() != "" and each.log_prob <= 0 for each in found)


async def test_asking_for_more_goes_on_where_the_draws_ended(tiny: TacticModel) -> None:
    recorder = Recorder(tiny)
    policy = TransformersPolicy(recorder, seed=2, draws=4)
    few = await policy.suggest(STATES[1], 3)
    before = len(recorder.asked)
    assert await policy.suggest(STATES[1], 3) == few
    assert len(recorder.asked) == before
    many = await policy.suggest(STATES[1], 10)
    assert {each.tactic for each in few} <= {each.tactic for each in await policy.suggest(STATES[1], 1000)}
    assert len(many) == 10
    ends = [request.first + request.count for request in recorder.asked]
    assert [request.first for request in recorder.asked] == [0, *ends[:-1]]
    await recorder.close()


async def test_draws_are_the_same_wherever_the_models_lie(folders: Folders) -> None:
    found = []
    for name in ("runs/one", "/elsewhere/one", "runs/another"):
        model = TacticModel.load(folders.base, {name: folders.adapters["one"]}, max_new_tokens=MAX_TOKENS)
        batcher = Batcher(model)
        found.append(await TransformersPolicy(batcher, name, seed=2).sample(STATES[1], 12))
        await batcher.close()
    assert found[0] == found[1] != found[2]


async def test_states_with_the_same_first_goal_share_their_draws(tiny: TacticModel) -> None:
    recorder = Recorder(tiny)
    policy = TransformersPolicy(recorder, seed=2)
    found = await policy.suggest(f"{STATES[0]}\n\ncase b\n⊢ 2 = 2", 4)
    asked = len(recorder.asked)
    assert await policy.suggest(STATES[0], 4) == found
    assert len(recorder.asked) == asked
    await recorder.close()


async def test_a_state_is_given_up_after_so_many_draws_without_a_new_tactic_and_is_not_drawn_for_again(
    tiny: TacticModel,
) -> None:
    recorder = Recorder(tiny)
    policy = TransformersPolicy(recorder, seed=2, temperature=1e-3, draws=4, patience=12)  # all draws are alike
    found = await policy.suggest(STATES[1], 50)
    assert len(found) <= 1
    assert sum(request.count for request in recorder.asked) == 50  # the first request alone passes the patience
    assert await policy.suggest(STATES[1], 60) == found
    assert len(recorder.asked) == 1
    await recorder.close()


async def test_samples_come_with_repetitions_and_go_on_from_call_to_call(spelling: Batcher) -> None:
    policy = TransformersPolicy(spelling, seed=3)
    first, second = await policy.sample("ab", 30), await policy.sample("ab", 30)
    together = await TransformersPolicy(spelling, seed=3).sample("ab", 60)
    assert [each.tactic for each in (*first, *second)] == [each.tactic for each in together]
    assert len({each.tactic for each in together}) < 60


async def test_what_came_to_no_end_is_no_tactic_and_is_counted(spelling: Batcher, spelled: TacticModel) -> None:
    policy = TransformersPolicy(spelling, seed=3)
    sampled = await policy.sample("ab", 256)
    key = next(iter(policy._streams.values())).key
    (answer,) = spelled.run([Draws(spelled.encode("ab").tokens, None, 1.0, key, 0, 256)])
    none = [w for w in answer.written if not w.ended or w.tokens == (END,)]
    assert [each.tactic == "" for each in sampled] == [written in none for written in answer.written]
    assert policy.use.cut_off == spelling.statistics.cut_off == sum(not written.ended for written in none) > 0
    assert policy.use.blank == sum(written.ended for written in none) > 0
    assert all(each.tactic for each in await policy.suggest("ab", 100))


async def test_searches_that_run_together_get_what_each_gets_alone_and_the_same_account(batcher: Batcher) -> None:
    async def searched(adapter: str | None, seed: int) -> tuple[list[Sequence[Suggestion]], object]:
        policy = TransformersPolicy(batcher, adapter, seed=seed)
        return [await policy.suggest(state, 4) for state in STATES], policy.use

    members = [(adapter, seed) for adapter in (None, "one", "two") for seed in (1, 2)]
    together = await asyncio.gather(*(searched(*member) for member in members))
    batches = batcher.statistics.batches
    for member, (answers, use) in zip(members, together, strict=True):
        alone, alone_use = await searched(*member)
        assert [[each.tactic for each in found] for found in alone] == [[e.tactic for e in found] for found in answers]
        assert alone_use == use
    assert batches < (batcher.statistics.batches - batches)  # together they did share batches


async def test_tokens_are_counted_for_each_policy(tiny: TacticModel) -> None:
    recorder = Recorder(tiny)
    policy = TransformersPolicy(recorder, seed=1)
    await policy.suggest(STATES[0], 4)
    await policy.sample(STATES[1], 5)
    answers = [tiny.run([request])[0] for request in recorder.asked]
    assert policy.use.prompt_tokens == sum(len(request.prompt) for request in recorder.asked)
    assert policy.use.generated_tokens == sum(len(w.tokens) for answer in answers for w in answer.written)
    assert policy.use.draws == sum(request.count for request in recorder.asked)
    assert policy.use.tokens == policy.use.prompt_tokens + policy.use.generated_tokens
    await recorder.close()


async def test_a_seed_gives_the_same_again_and_another_seed_something_else(batcher: Batcher) -> None:
    async def drawn(seed: int) -> list[str]:
        return [each.tactic for each in await TransformersPolicy(batcher, seed=seed).sample(STATES[0], 16)]

    assert await drawn(1) == await drawn(1) != await drawn(2)


@given(st.lists(st.integers(0, 99), min_size=1, max_size=40), st.integers(1, 40))
def test_a_prompt_that_is_too_long_keeps_its_end(tokens: list[int], limit: int) -> None:
    fitted = fit(tokens, limit)
    assert fitted.tokens == tuple(tokens)[-len(fitted.tokens) :]
    assert len(fitted.tokens) == min(len(tokens), limit)
    assert fitted.cut == (len(tokens) > limit)


async def test_states_longer_than_the_context_are_cut_and_counted(batcher: Batcher, tiny: TacticModel) -> None:
    policy = TransformersPolicy(batcher, seed=1)
    long = "\n".join(f"h{n} : n = {n}" for n in range(60)) + "\n⊢ n = 60"
    assert len(tiny.encode(long).tokens) == SHAPE.positions - MAX_TOKENS
    assert prompt(long).endswith(tiny.decode(tiny.encode(long).tokens))
    assert len(await policy.sample(long, 3)) == 3
    await policy.sample(long, 3)
    await policy.sample(STATES[0], 3)
    assert policy.use.cut_prompts == 1


def test_a_tokenizer_gives_the_same_tokens_after_loading_as_before_saving(folders: Folders) -> None:
    saved, loaded = tiny_tokenizer(LINES, SHAPE), AutoTokenizer.from_pretrained(folders.base)
    for text in (*map(prompt, STATES), "x + 0 = 10", "ℝ ≤ é e\u0301", " a  b\n\n", "don't"):
        assert loaded(text)["input_ids"] == saved(text)["input_ids"]
    assert (len(loaded), loaded.eos_token_id, loaded.pad_token_id) == (
        len(saved),
        saved.eos_token_id,
        saved.pad_token_id,
    )


def test_the_text_of_a_tactic_is_what_was_written_but_for_space_around_it(tiny: TacticModel) -> None:
    tokenizer = tiny_tokenizer(LINES, SHAPE)
    for text in ("rw [h] at h ⊢ ; simp", "· exact don 't . x !", "have h : a  =  b := by\n  omega"):
        assert tiny.decode([*tokenizer(f"  {text} \n")["input_ids"], tokenizer.eos_token_id]) == text


# -- Bad input


def refusal(action: Callable[[], object]) -> str:
    with pytest.raises(ModelError) as caught:
        action()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def renamed(folders: Folders, to: Path, base: str) -> str:
    """Adapter "one" as if it had been trained on `base`."""
    source = Path(folders.adapters["one"])
    to.mkdir()
    for file in source.iterdir():
        if file.is_file():
            (to / file.name).write_bytes(file.read_bytes())
    config = json.loads((to / "adapter_config.json").read_text())
    (to / "adapter_config.json").write_text(json.dumps(config | {"base_model_name_or_path": base}))
    return str(to)


def test_an_adapter_of_another_base_is_refused_by_name(folders: Folders, tmp_path: Path) -> None:
    adapter = renamed(folders, tmp_path / "adapter", "somebody/other-model")
    message = refusal(lambda: load(folders.base, one=adapter))
    assert "somebody/other-model" in message and folders.base in message


def test_an_adapter_whose_layers_the_base_does_not_have_is_refused(folders: Folders, tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer(LINES, SHAPE)
    other = TinyShape(hidden=48, layers=2, heads=4, kv_heads=2, intermediate=64, vocabulary=300, positions=64)
    tiny_model(tokenizer, other, seed=0).save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    message = refusal(lambda: load(str(tmp_path / "base"), one=folders.adapters["one"]))
    assert folders.base in message and str(tmp_path / "base") in message and "layers.0" in message


def test_the_recorded_digest_of_a_base_decides_over_its_name(folders: Folders, tmp_path: Path) -> None:
    from train.card import weights_digest

    adapter = renamed(folders, tmp_path / "adapter", "a/folder/that/was/moved")
    training = {"form": 1, "finished": True, "settings": {"base weights": weights_digest(Path(folders.base))}}
    (tmp_path / "adapter" / "training.json").write_text(json.dumps(training))
    assert load(folders.base, one=adapter).adapters == ("one",)
    training["settings"] = {"base weights": "0123456789abcdef"}
    (tmp_path / "adapter" / "training.json").write_text(json.dumps(training))
    assert "0123456789abcdef" in refusal(lambda: load(folders.base, one=adapter))


def test_an_adapter_that_is_not_plain_lora_is_refused(folders: Folders, tmp_path: Path) -> None:
    config = LoraConfig(task_type="CAUSAL_LM", r=2, target_modules=["q_proj"], use_dora=True)
    get_peft_model(AutoModelForCausalLM.from_pretrained(folders.base), config).save_pretrained(tmp_path / "dora")
    assert "plain LoRA" in refusal(lambda: load(folders.base, dora=str(tmp_path / "dora")))


def test_a_folder_without_a_model_or_an_adapter_is_refused(folders: Folders, tmp_path: Path) -> None:
    assert str(tmp_path) in refusal(lambda: load(str(tmp_path)))
    assert str(tmp_path) in refusal(lambda: load(folders.base, x=str(tmp_path)))


def test_a_tactic_limit_that_leaves_no_room_for_a_prompt_is_refused(folders: Folders) -> None:
    assert "give from 1 to 63" in refusal(lambda: TacticModel.load(folders.base, max_new_tokens=64))


@pytest.fixture(
    params=[torch.OutOfMemoryError("CUDA out of memory."), RuntimeError("DefaultCPUAllocator: can't allocate")]
)
def exhausted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def forward(*_: object) -> object:
        raise request.param

    monkeypatch.setattr(decoding.Rows, "_forward", forward)
    yield


async def test_out_of_memory_is_one_line_that_says_what_to_lower(exhausted: None, batcher: Batcher) -> None:
    with pytest.raises(ModelError) as caught:
        await TransformersPolicy(batcher, seed=1).suggest(STATES[0], 4)
    assert "16 rows" in str(caught.value) and "lower" in str(caught.value) and "\n" not in str(caught.value)


async def test_another_error_of_torch_is_not_taken_for_a_lack_of_memory(
    tiny: TacticModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forward(*_: object) -> object:
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(decoding.Rows, "_forward", forward)
    with pytest.raises(RuntimeError, match="shapes differ"):
        tiny.run([draws(tiny, STATES[0], 1)])


async def test_an_adapter_that_is_not_there_is_refused_with_those_that_are(batcher: Batcher) -> None:
    assert "one, two" in refusal(lambda: TransformersPolicy(batcher, "three", seed=1))


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.inf, math.nan])
async def test_a_temperature_that_is_none_is_refused(batcher: Batcher, temperature: float) -> None:
    with pytest.raises(ValueError, match="temperature"):
        TransformersPolicy(batcher, seed=1, temperature=temperature)
