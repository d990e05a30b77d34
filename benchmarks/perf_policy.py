"""Throughput of the policy's own decoding against bare `model.generate` of transformers, on the same batches.

    python -m benchmarks.perf_policy [--model FOLDER] [--prompts 8] [--samples 8] [--repetitions 9]

Both draw `samples` tactics for each of `prompts` states, at temperature 1, from the whole vocabulary, with the same
limit of tokens. A throughput is tokens written, up to the end token of each row, a second. The two take turns, and
a ratio is that of the medians: above 1 the policy is faster. It is measured for the base alone, for one adapter (bare:
peft's active adapter), and for all adapters in one batch (bare: one `generate` after the other, peft's active adapter
changed between them, and one with peft's `adapter_names`). Without --model, a decoder with random weights is taken; it
hardly ever ends a tactic, so that all rows have full length. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from prover.policy.model import TacticModel
from prover.policy.sampling import Draws
from train.prompt import prompt
from train.tiny import TinyShape, tiny_model, tiny_tokenizer

STATES = (
    "n : Nat\n⊢ n + 0 = n",
    "a b c : Nat\nh₀ : 0 < a ∧ a < b\nh₁ : ∀ n, b ∣ n * n + a → c ∣ n + 1\n⊢ a * b + c ≤ b * b + c",
    "α : Type\nxs ys : List α\nih : (xs ++ ys).length = xs.length + ys.length\n⊢ (ys ++ xs).length = (xs ++ ys).length",
    "p q r : Prop\nhp : p\nhq : p → q\nhr : q → r\n⊢ r ∧ p",
)
Run = Callable[[], int]  # gives the number of tokens that were written


def main() -> None:
    """Run the benchmark once and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="folder or hub name of the base; a tiny one with random weights without it")
    parser.add_argument("--prompts", type=int, default=8, help="different states in a batch")
    parser.add_argument("--samples", type=int, default=8, help="tactics for each state")
    parser.add_argument("--tokens", type=int, default=32, help="limit of a tactic")
    parser.add_argument("--adapters", type=int, default=5, help="LoRA adapters (random, rank 16, all linear layers)")
    parser.add_argument("--repetitions", type=int, default=9)
    parser.add_argument("--threads", type=int, default=1, help="torch's threads")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    dtype = getattr(torch, options.dtype)

    with tempfile.TemporaryDirectory() as scratch:
        base = options.model or _tiny(Path(scratch) / "base")
        adapters = {f"a{n}": _adapter(base, Path(scratch) / f"a{n}", n) for n in range(options.adapters)}
        ours = TacticModel.load(base, adapters, device=options.device, dtype=dtype, max_new_tokens=options.tokens)
        plain, tokenizer = _load(base, options.device, dtype), AutoTokenizer.from_pretrained(base)
        peft = PeftModel.from_pretrained(_load(base, options.device, dtype), adapters["a0"], adapter_name="a0")
        for name, folder in list(adapters.items())[1:]:
            peft.load_adapter(folder, adapter_name=name)

    names = list(adapters)
    states = [f"x{n} : Nat\n{STATES[n % len(STATES)]}" for n in range(options.prompts)]
    mixed = [names[n % len(names)] for n in range(options.prompts)]
    bare = Bare(tokenizer, options.samples, options.tokens)
    parts = {name: [state for state, owner in zip(states, mixed, strict=True) if owner == name] for name in names}
    cases: dict[str, tuple[Run, Run]] = {
        "base": (lambda: bare(plain, states), _policy(ours, states, [None] * len(states), options.samples)),
        "one_adapter": (lambda: bare(peft, states, "a0"), _policy(ours, states, ["a0"] * len(states), options.samples)),
        "adapters_in_turn": (
            lambda: sum(bare(peft, part, name) for name, part in parts.items() if part),
            _policy(ours, states, mixed, options.samples),
        ),
        "adapters_mixed": (
            lambda: bare(peft, states, adapter_names=mixed),
            _policy(ours, states, mixed, options.samples),
        ),
    }
    report = {case: _compare(theirs, mine, options.repetitions) for case, (theirs, mine) in cases.items()}
    print(
        json.dumps(
            {
                "benchmark": "policy",
                "model": options.model or "tiny, random",
                "parameters": sum(weight.numel() for weight in plain.parameters()),
                **{name: getattr(options, name) for name in ("prompts", "samples", "tokens", "adapters", "device")},
                **{name: getattr(options, name) for name in ("dtype", "threads", "repetitions")},
                **report,
            }
        )
    )


class Bare:
    """Draws by `generate` with nothing around it: prompts are tokenised and padded once."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, samples: int, tokens: int) -> None:
        self._tokenizer, self._samples, self._tokens = tokenizer, samples, tokens
        self._inputs: dict[tuple[str, ...], dict[str, torch.Tensor]] = {}

    @torch.inference_mode()
    def __call__(
        self,
        model: PreTrainedModel | PeftModel,
        states: Sequence[str],
        adapter: str | None = None,
        adapter_names: Sequence[str] | None = None,
    ) -> int:
        """One batch; the number of tokens written."""
        if isinstance(model, PeftModel) and adapter is not None:
            model.set_adapter(adapter)
        key = tuple(states)
        if key not in self._inputs:
            prompts = [prompt(state) for state in states]
            batch = self._tokenizer(prompts, padding=True, padding_side="left", return_tensors="pt")
            self._inputs[key] = {name: batch[name].to(model.device) for name in ("input_ids", "attention_mask")}
        inputs = self._inputs[key]
        extra = {}
        if adapter_names is not None:
            extra["adapter_names"] = [name for name in adapter_names for _ in range(self._samples)]
        end = self._tokenizer.eos_token_id
        output = model.generate(  # type: ignore[operator]
            **inputs,
            **extra,
            do_sample=True,
            temperature=1.0,
            top_k=0,
            top_p=1.0,
            num_return_sequences=self._samples,
            max_new_tokens=self._tokens,
            eos_token_id=end,
            pad_token_id=self._tokenizer.pad_token_id,
        )
        written = output[:, inputs["input_ids"].shape[1] :]
        before = (written == end).cumsum(1) - (written == end).long()
        return int((before == 0).sum())


def _policy(model: TacticModel, states: Sequence[str], adapters: Sequence[str | None], samples: int) -> Run:
    """The same batch through the policy's model; another seed each time, as `generate` has."""
    prompts = [model.encode(state).tokens for state in states]
    seeds = itertools.count()

    def run() -> int:
        key = next(seeds)
        pairs = zip(prompts, adapters, strict=True)
        requests = [Draws(tokens, name, 1.0, key, n * samples, samples) for n, (tokens, name) in enumerate(pairs)]
        return sum(answer.tokens for answer in model.run(requests))

    return run


def _compare(bare: Run, ours: Run, repetitions: int) -> dict[str, float]:
    """Tokens a second of both, medians of turns taken one after the other, and the ratio of ours to bare."""
    rates: dict[Run, list[float]] = {bare: [], ours: []}
    for repetition in range(repetitions + 1):
        for run, found in rates.items():
            started = time.perf_counter()
            tokens = run()
            seconds = time.perf_counter() - started
            if repetition:  # the first turn of each warms up
                found.append(tokens / seconds)
    theirs, mine = (statistics.median(rates[run]) for run in (bare, ours))
    return {
        "bare_tokens_per_s": round(theirs, 1),
        "ours_tokens_per_s": round(mine, 1),
        "ratio": round(mine / theirs, 3),
    }


def _tiny(folder: Path) -> str:
    tokenizer = tiny_tokenizer(STATES, TinyShape())
    tiny_model(tokenizer, TinyShape(), seed=0).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def _load(base: str, device: str, dtype: torch.dtype) -> PreTrainedModel:
    model = AutoModelForCausalLM.from_pretrained(base, dtype=dtype)
    assert isinstance(model, PreTrainedModel)
    model.to(torch.device(device))  # type: ignore[arg-type]
    return model


def _adapter(base: str, folder: Path, seed: int) -> str:
    torch.manual_seed(seed)
    config = LoraConfig(
        task_type="CAUSAL_LM", r=16, lora_alpha=32, target_modules="all-linear", init_lora_weights=False
    )
    get_peft_model(_load(base, "cpu", torch.float32), config).save_pretrained(str(folder))
    return str(folder)


if __name__ == "__main__":
    main()
