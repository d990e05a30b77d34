"""Training, on the smallest models that are models."""

from __future__ import annotations

import json
import math
import os
import pickle
import random
import resource
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from prover.train_command import ObjectiveName
from train import card
from train.checkpoints import writing
from train.data import TrainingError
from train.likelihood import log_probs, padded
from train.losses import OBJECTIVES
from train.settings import Lora, Settings
from train.stream import Stream, traces
from train.tiny import TinyShape, tiny_model, tiny_tokenizer
from train.trainer import ObjectiveTrainer
from train.training import train

SMALL = TinyShape(hidden=32, layers=2, heads=2, kv_heads=1, intermediate=64, vocabulary=320, positions=128)
TACTICS = ("omega", "simp", "intro h", "exact h", "constructor")


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """48 proofs of 1 to 3 tactics, of which every sixth is held out; the tactic follows from the state."""
    chance = random.Random(0)
    lines = []
    for proof in range(48):
        length = 1 + proof % 3
        for step in range(length):
            kind = chance.randrange(len(TACTICS))
            state = f"a b : ℕ\nh : a < b\n⊢ {'pqrst'[kind]} {chance.choice('abcdef')} ≤ {chance.randrange(9)}"
            split = "valid" if proof % 6 == 5 else "train"
            lines.append(
                {"theorem": f"t{proof}", "family": "f", "split": split, "state": state, "tactic": TACTICS[kind]}
                | {"proof": proof, "step": step, "length": length}
            )
    file = tmp_path / "pairs.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


@pytest.fixture
def settings(pairs: Path, tmp_path: Path) -> Settings:
    return Settings(
        model="tiny",
        data=pairs,
        out=tmp_path / "out",
        objective="ce",
        epochs=2,
        batch=8,
        micro_batch=4,
        learning_rate=3e-3,
        lora=None,
        bf16=False,
        max_length=128,
        tiny=SMALL,
    )


def losses(out: Path) -> list[tuple[int, float]]:
    lines = map(json.loads, (out / "log.jsonl").read_text().splitlines())
    return [(line["step"], line["loss"]) for line in lines if "loss" in line]


def test_log_prob_of_a_tactic_is_the_sum_over_its_tokens_and_its_end_token_whatever_the_padding() -> None:
    tokenizer = tiny_tokenizer(["[GOAL]⊢ a ≤ b[TACTIC]omega"], SMALL)
    model = tiny_model(tokenizer, SMALL, 0).eval()
    whole = [[5, 6, 7, 8, 0], [9, 10, 11, 12, 13, 14, 15, 0], [16, 17, 0]]
    prompts = [3, 2, 1]
    together = log_probs(model, padded(whole, prompts, 1))
    for ids, prompt_length, found in zip(whole, prompts, together.tolist(), strict=True):
        steps = model(torch.tensor([ids])).logits[0].log_softmax(-1)
        expected = sum(float(steps[n - 1, ids[n]].detach()) for n in range(prompt_length, len(ids)))
        assert found == pytest.approx(expected, abs=1e-4)


def test_tiny_tokenizer_gives_every_text_back_and_reads_a_mark_as_one_token() -> None:
    tokenizer = tiny_tokenizer(["[GOAL]⊢ a ≤ b[TACTIC]omega"] * 3, SMALL)
    text = "[GOAL]h : ∀ ε > 0, 𝔸  ⊆ f⁻¹\n⊢ x ∣ y[TACTIC]rcases h with ⟨a, -⟩"
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.decode(ids) == text
    assert ids[0] == tokenizer.convert_tokens_to_ids("[GOAL]")
    assert tokenizer.convert_tokens_to_ids("[TACTIC]") in ids


def test_tiny_default_has_about_a_million_parameters() -> None:
    tokenizer = tiny_tokenizer(["a"], TinyShape())
    assert 0.8e6 < tiny_model(tokenizer, TinyShape(), 0).num_parameters() < 1.1e6


def test_stream_passes_over_every_unit_once_and_goes_on_where_another_stood() -> None:
    lengths = [10 + n % 7 for n in range(100)]
    stream = Stream(lengths, seed=1)
    first = stream.take(100)
    assert sorted(first) == list(range(100))
    assert first != stream.take(100)
    stream.take(30)
    other = Stream(lengths, seed=1)
    other.seek(stream.done, stream.position)
    assert other.take(150) == stream.take(150)


def test_streams_of_several_processes_share_a_pass_out_between_them() -> None:
    parts = [Stream([5] * 90, seed=3, rank=rank, processes=2) for rank in range(2)]
    assert sorted(parts[0].take(len(parts[0])) + parts[1].take(len(parts[1]))) == list(range(90))


def test_stream_runs_are_of_like_length() -> None:
    lengths = [random.Random(n).randrange(10, 300) for n in range(512)]
    order = Stream(lengths, seed=0).take(512)
    spread = [
        max(lengths[n] for n in run) - min(lengths[n] for n in run) for run in zip(*[iter(order)] * 8, strict=True)
    ]
    assert sum(spread) / len(spread) < 20


def test_trained_model_loads_as_any_other_and_its_card_tells_what_it_is(settings: Settings) -> None:
    content = train(replace(settings, epochs=9, keep=frozenset({2})))
    model = AutoModelForCausalLM.from_pretrained(settings.out)
    tokenizer = AutoTokenizer.from_pretrained(settings.out)
    assert model.config.eos_token_id == tokenizer.eos_token_id
    assert content == card.read(settings.out)
    assert content["settings"]["data hash"]
    assert content["result"]["live share"] == 1
    assert content["result"]["gradient steps"] == 9 * math.ceil(content["result"]["pairs"] / 8)
    held_out = content["held_out"]
    assert sum(row["states"] for row in held_out["bins"]) == held_out["states"] > 0
    assert 0 <= held_out["confidence"] <= 1
    assert "## Held-out figures" in (settings.out / "README.md").read_text()
    assert (settings.out / "epoch-2" / "model.safetensors").exists()
    assert not list(settings.out.glob("checkpoint-*"))
    curve = losses(settings.out)
    assert curve[-1][1] < curve[0][1] / 2


def test_same_seed_gives_the_same_curve_and_another_seed_another(settings: Settings, tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train(replace(settings, out=tmp_path / name, seed=seed))
    assert losses(tmp_path / "a") == losses(tmp_path / "b") != losses(tmp_path / "c")


def test_coverage_with_n_eff_1_is_cross_entropy(settings: Settings, tmp_path: Path) -> None:
    train(replace(settings, out=tmp_path / "ce"))
    train(replace(settings, out=tmp_path / "coverage", objective="coverage", n_eff=1.0))
    for (_, ce), (_, coverage) in zip(losses(tmp_path / "ce"), losses(tmp_path / "coverage"), strict=True):
        assert coverage == pytest.approx(ce, rel=1e-4)


def test_every_step_has_a_full_batch_of_live_tactics_though_many_are_dead(settings: Settings, batches: Batches) -> None:
    content = train(replace(settings, objective="coverage", n_eff=64.0, epochs=12, learning_rate=1e-2))
    assert 0.1 < content["result"]["live share"] < 0.95
    assert len(batches) == content["result"]["gradient steps"]
    assert all(len(weights) == 8 and min(weights) * 8 >= 0.1 - 1e-6 for weights in batches)
    assert content["result"]["live tactics"] == 8 * len(batches)


def test_training_ends_when_a_pass_over_the_data_holds_no_full_batch(settings: Settings) -> None:
    content = train(replace(settings, objective="coverage", n_eff=64.0, epochs=400, learning_rate=1e-2))
    assert content["result"]["stopped early, since the data had too few live tactics"]
    assert content["result"]["gradient steps"] < 400 * math.ceil(content["result"]["pairs"] / 8)


def test_a_step_learns_from_no_tactic_twice_and_training_ends_when_all_were_looked_at(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[list[int]] = []  # rows, by the steps
    candidates = ObjectiveTrainer._candidates

    def recording(
        self: ObjectiveTrainer, wanted: int, device: torch.device
    ) -> tuple[list[int], torch.Tensor, torch.Tensor]:
        found = candidates(self, wanted, device)
        looked_at.append(found[0])
        return found

    monkeypatch.setattr(ObjectiveTrainer, "_candidates", recording)
    content = train(replace(settings, objective="coverage", n_eff=64.0, epochs=400, learning_rate=1e-2))
    assert content["result"]["stopped early, since the data had too few live tactics"]
    assert all(len(set(rows)) == len(rows) for rows in looked_at)
    assert sorted(looked_at[-1]) == list(range(content["result"]["pairs"]))


def test_max_steps_counts_optimizer_steps_whatever_the_objective(settings: Settings, tmp_path: Path) -> None:
    for name, n_eff in (("ce", None), ("coverage", 4.0)):
        content = train(replace(settings, out=tmp_path / name, objective=name, n_eff=n_eff, max_steps=7))
        assert content["result"]["gradient steps"] == 7


Batches = list[list[float]]  # the weights of every step


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> Batches:
    """What the steps of the trainings of a test learnt from."""
    seen: Batches = []
    get = ObjectiveTrainer.get_batch_samples

    def spy(self: ObjectiveTrainer, *given: Any) -> Any:
        found, _ = get(self, *given)
        if found:
            seen.append([float(weight) for batch in found for weight in batch["weights"]])
        return found, None

    monkeypatch.setattr(ObjectiveTrainer, "get_batch_samples", spy)
    return seen


@pytest.mark.parametrize(("alive", "dead"), [(1.0, 0.0), (0.5, 0.09), (0.1, 0.0), (0.1, 0.05)])
def test_normalised_weights_are_over_the_mean_of_all_that_was_scored_and_it_has_a_floor(
    alive: float, dead: float, settings: Settings, batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where most weights are near zero and the few others small, the step is small: it is not cross-entropy again."""

    def weigh(self: ObjectiveTrainer, units: list[list[int]], device: torch.device) -> torch.Tensor:
        return torch.tensor([alive if row % 5 == 0 else dead for (row,) in units], dtype=torch.float64)

    monkeypatch.setattr(ObjectiveTrainer, "_weights", weigh)
    content = train(replace(settings, objective="coverage", n_eff=8.0, normalise=True, max_steps=1))
    share = content["result"]["live share"]
    assert 0.1 < share < 0.4
    (weights,) = batches
    mean = share * alive + (1 - share) * dead
    assert len(weights) == 8
    assert sum(weights) == pytest.approx(share * alive / max(mean, 0.1), rel=1e-5)


def test_normalised_cross_entropy_is_cross_entropy(settings: Settings, tmp_path: Path) -> None:
    for name, normalise in (("plain", False), ("normalised", True)):
        train(replace(settings, out=tmp_path / name, normalise=normalise))
    assert losses(tmp_path / "plain") == losses(tmp_path / "normalised")


def test_batches_of_whole_proofs_have_no_more_tactics_than_asked_for(settings: Settings, batches: Batches) -> None:
    """Proofs have up to three tactics, so five of them seldom fill a batch of 5 without a rest."""
    content = train(replace(settings, objective="uniform", budget=64.0, batch=5, micro_batch=5))
    assert content["result"]["live tactics"] > 5 * len(batches) > 0
    assert {len(weights) for weights in batches} == {5}


def test_majority_counts_samples_of_one_state(settings: Settings) -> None:
    content = train(replace(settings, objective="majority", n_eff=8.0, threshold=3))
    assert content["settings"]["N_eff"] == 8
    assert content["result"]["pairs left out, of incomplete proofs"] == 0


@pytest.mark.parametrize("objective", ["uniform", "pass-at-n", "best-first", "value-depth-first", "mcts"])
def test_objectives_of_whole_proofs_train(objective: str, settings: Settings) -> None:
    content = train(replace(settings, objective=objective, budget=16.0))
    assert all(math.isfinite(loss) for _, loss in losses(settings.out))
    assert content["result"]["gradient steps"] > 0


def test_best_first_with_a_budget_of_one_try_each_is_cross_entropy(settings: Settings, tmp_path: Path) -> None:
    """Of the proofs only those of one tactic are in reach of a budget of 1, and there N = L."""
    content = train(replace(settings, objective="best-first", budget=1.0))
    assert content["result"]["live share"] == 1
    assert content["result"]["pairs left out, of incomplete proofs"] > 0


def test_traces_hold_the_steps_in_order_and_leave_out_proofs_that_lack_one() -> None:
    rows = {"proof": [1, 2, 1, 3, 3], "step": [1, 0, 0, 0, 2], "length": [2, 1, 2, 3, 3]}
    assert traces(rows) == [[2, 0], [1]]  # type: ignore[arg-type]


def test_accumulated_micro_batches_give_the_step_of_one_batch(settings: Settings, tmp_path: Path) -> None:
    steps = []
    for name, size in (("one", 40), ("many", 5)):
        chosen = replace(settings, out=tmp_path / name, batch=40, micro_batch=size, max_steps=1)
        train(replace(chosen, objective="coverage", n_eff=4.0))
        steps.append(json.loads((tmp_path / name / "log.jsonl").read_text().splitlines()[0]))
    assert steps[1]["loss"] == pytest.approx(steps[0]["loss"], rel=1e-4)
    assert steps[1]["grad_norm"] == pytest.approx(steps[0]["grad_norm"], rel=1e-3)


def test_gradient_checkpointing_changes_no_figure(settings: Settings, tmp_path: Path) -> None:
    for name, on in (("plain", False), ("checkpointed", True)):
        train(replace(settings, out=tmp_path / name, gradient_checkpointing=on, max_steps=5))
    assert dict(losses(tmp_path / "plain")) == pytest.approx(dict(losses(tmp_path / "checkpointed")), rel=1e-5)


def test_adapter_is_trained_saved_and_gone_on_from(settings: Settings, tmp_path: Path) -> None:
    base = tmp_path / "base"
    train(replace(settings, out=base))
    adapted = replace(settings, model=str(base), lora=Lora(r=4, alpha=8), objective="coverage", n_eff=4.0)
    content = train(replace(adapted, out=tmp_path / "first"))
    assert content["result"]["trained parameters"] < content["result"]["parameters"] / 3
    assert (tmp_path / "first" / "adapter_model.safetensors").exists()
    assert not (tmp_path / "first" / "model.safetensors").exists()
    PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), tmp_path / "first")
    second = train(replace(adapted, lora=Lora(), out=tmp_path / "second", adapter=tmp_path / "first"))
    assert (second["settings"]["trained"]["r"], second["settings"]["trained"]["alpha"]) == (4, 8)  # the adapter's own
    assert second["settings"]["adapter weights"] == card.weights_digest(tmp_path / "first")
    assert losses(tmp_path / "second")[0][1] < losses(tmp_path / "first")[0][1]


KILLED = """
import os, signal, sys, pickle
from pathlib import Path
import torch
from train.trainer import ObjectiveTrainer
from train.training import train
torch.set_num_threads(1)
settings = pickle.loads(Path(sys.argv[1]).read_bytes())
get = ObjectiveTrainer.get_batch_samples
def killed(self, *given):
    if self.state.global_step == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return get(self, *given)
ObjectiveTrainer.get_batch_samples = killed
train(settings)
"""


@pytest.mark.parametrize("kind", ["tiny", "adapter"])
def test_training_killed_after_a_checkpoint_goes_on_with_the_same_curve(
    kind: str, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = replace(settings, objective="coverage", n_eff=4.0, epochs=3, checkpoint_steps=4)
    weights = "model.safetensors"
    if kind == "adapter":
        base, weights = tmp_path / "base", "adapter_model.safetensors"
        train(replace(settings, out=base))
        whole = replace(whole, model=str(base), lora=Lora(r=4, dropout=0.2))
    uninterrupted, killed = replace(whole, out=tmp_path / "whole"), replace(whole, out=tmp_path / "killed")
    (tmp_path / "settings").write_bytes(pickle.dumps(killed))
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "settings"), "15"],
        cwd=Path(__file__).parents[1],
        capture_output=True,
    )
    assert ended.returncode == -signal.SIGKILL
    assert [path.name for path in killed.out.glob("checkpoint-*")] == ["checkpoint-12"]
    train(uninterrupted)
    monkeypatch.delattr("train.loading.tiny_tokenizer")  # what goes on has the tokenizer of its checkpoint
    train(killed)
    assert dict(losses(killed.out)) == pytest.approx(dict(losses(uninterrupted.out)), rel=1e-6)
    first, second = (load_file(folder / weights) for folder in (killed.out, uninterrupted.out))
    assert all(torch.equal(first[name], second[name]) for name in second)


def test_training_killed_behind_its_last_step_takes_no_further_one(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, stopped = (replace(settings, out=tmp_path / name, max_steps=6, checkpoint_steps=3) for name in ("a", "b"))
    train(whole)
    with monkeypatch.context() as patch:
        patch.setattr("train.training._finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            train(stopped)
    assert train(stopped)["result"]["gradient steps"] == 6
    first, second = (load_file(each.out / "model.safetensors") for each in (whole, stopped))
    assert all(torch.equal(first[name], second[name]) for name in second)


@pytest.mark.heavy
@pytest.mark.parametrize("objective", [["ce"], ["coverage", "--n-eff", "4"]])
def test_two_processes_learn_what_one_does(objective: list[str], pairs: Path, tmp_path: Path) -> None:
    """As on two GPUs, through the command that the docs give."""
    options = ["--model", "tiny", "--full", "--data", str(pairs), "--objective", *objective, "--batch", "8"]
    options += ["--max-length", "128", "--max-steps", "12", "--no-bf16"]
    launch = ["-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2", "--num_machines", "1"]
    launch += ["--mixed_precision", "no", "--dynamo_backend", "no", "-m", "prover"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_DATASETS_CACHE": str(tmp_path / "cache")}
    for name, program in (("one", ["-m", "prover"]), ("two", launch)):
        command = [sys.executable, *program, "train", *options, "--out", str(tmp_path / name)]
        done = subprocess.run(command, cwd=Path(__file__).parents[1], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert dict(losses(tmp_path / "two")) == pytest.approx(dict(losses(tmp_path / "one")), rel=1e-3)
    assert json.loads((tmp_path / "two" / card.TRAINING).read_text())["finished"]


def test_checkpoint_that_the_disk_cannot_hold_leaves_the_earlier_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit on the size of files stands for the full disk: the writers of torch and safetensors meet it alike."""
    write = ObjectiveTrainer._save_checkpoint
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limited(self: ObjectiveTrainer, *given: Any) -> None:
        if self.state.global_step > 9:
            resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
        write(self, *given)

    monkeypatch.setattr(ObjectiveTrainer, "_save_checkpoint", limited)
    try:
        with pytest.raises(TrainingError, match=r"free space .* goes on from checkpoint-9, which is whole"):
            train(settings)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    monkeypatch.undo()
    assert [path.name for path in settings.out.glob("checkpoint-*")] == ["checkpoint-9"]
    assert train(settings)["result"]["gradient steps"] == 18


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("device-side assert")])
def test_what_is_no_failure_to_write_is_not_told_as_one(error: RuntimeError, tmp_path: Path) -> None:
    with pytest.raises(type(error), match=str(error)), writing(tmp_path):
        raise error


def test_running_out_of_memory_while_saving_says_what_to_lower(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(ObjectiveTrainer, "save_model", full)
    with pytest.raises(TrainingError, match=r"lower --micro-batch \(now 4\)"):
        train(settings)


@pytest.mark.parametrize(
    ("objective", "numbers"), [("ce", {}), ("coverage", {"n_eff": 4.0}), ("best-first", {"budget": 16.0})]
)
def test_training_that_diverges_ends_with_the_mend_and_keeps_its_checkpoint(
    objective: str, numbers: dict[str, float], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    get = ObjectiveTrainer.get_batch_samples

    def burst(self: ObjectiveTrainer, *given: Any) -> Any:
        if self.state.global_step == 6:
            next(iter(self.model.parameters())).data.fill_(math.inf)
        return get(self, *given)

    monkeypatch.setattr(ObjectiveTrainer, "get_batch_samples", burst)
    with pytest.raises(TrainingError, match=r"loss is not finite at step 7: lower --lr \(now 0.003\)"):
        train(replace(settings, objective=objective, checkpoint_steps=4, **numbers))  # type: ignore[arg-type]
    assert [path.name for path in settings.out.glob("checkpoint-*")] == ["checkpoint-4"]


def test_gradient_that_is_not_finite_reaches_no_weights(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    loss = ObjectiveTrainer.compute_loss

    def steep(self: ObjectiveTrainer, model: torch.nn.Module, *given: Any, **named: Any) -> Any:
        found = loss(self, model, *given, **named)
        if self.state.global_step < 5:
            return found
        return found + torch.sqrt(0.0 * next(iter(model.parameters())).sum())  # 0, with a slope of 0 times infinity

    monkeypatch.setattr(ObjectiveTrainer, "compute_loss", steep)
    with pytest.raises(TrainingError, match="gradient is not finite at step 6: lower --lr"):
        train(replace(settings, checkpoint_steps=1))
    saved = load_file(settings.out / "checkpoint-5" / "model.safetensors")
    assert all(bool(weights.isfinite().all()) for weights in saved.values())


def test_a_learning_rate_without_bounds_is_one_line_and_status_2(pairs: Path, tmp_path: Path) -> None:
    arguments = ["--model", "tiny", "--full", "--data", str(pairs), "--out", str(tmp_path / "out"), "--objective", "ce"]
    rate = ["--lr", "1e35", "--batch", "8", "--epochs", "9", "--max-length", "128", "--bf16"]
    command = [sys.executable, "-m", "prover", "train", *arguments, *rate]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_DATASETS_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, env=environment)
    assert done.returncode == 2
    assert "is not finite at step" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_running_out_of_memory_says_what_to_lower(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory: 9 bytes")

    monkeypatch.setattr("train.trainer.ObjectiveTrainer.compute_loss", full)
    with pytest.raises(TrainingError, match=r"lower --micro-batch \(now 4\)"):
        train(settings)


def test_a_model_that_memory_does_not_hold_is_one_line(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("train.training.load_model", full)
    with pytest.raises(TrainingError, match=r"lower --micro-batch \(now 4\)"):
        train(settings)


def test_what_memory_or_disk_ends_while_the_held_out_states_are_scored_leaves_the_model(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with monkeypatch.context() as patch:
        patch.setattr("train.training.reliability", full)
        with pytest.raises(TrainingError, match="out of memory"):
            train(settings)
    AutoModelForCausalLM.from_pretrained(settings.out)
    assert not (settings.out / card.CARD).exists()
    assert train(settings)["finished"]


def test_a_torn_weights_file_is_one_line(settings: Settings, tmp_path: Path) -> None:
    base, adapter = tmp_path / "base", tmp_path / "adapter"
    train(replace(settings, out=base, max_steps=1))
    adapted = replace(settings, model=str(base), lora=Lora(r=2), max_steps=1)
    train(replace(adapted, out=adapter))
    for file in (adapter / "adapter_model.safetensors", base / "model.safetensors"):
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(TrainingError, match=r"cannot (read|load) --(adapter|model)") as raised:
            train(replace(adapted, adapter=adapter if file.parent == adapter else None, out=tmp_path / "out"))
        assert "\n" not in str(raised.value)
        file.write_bytes(whole)


def test_a_training_goes_on_only_with_as_many_processes(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    train(replace(settings, max_steps=2, checkpoint_steps=1))
    begun = json.loads((settings.out / card.TRAINING).read_text())
    (settings.out / card.TRAINING).write_text(json.dumps(begun | {"finished": False}))
    (settings.out / "checkpoint-2").mkdir()
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(TrainingError, match=r"another processes \(1, now 2\)"):
        train(replace(settings, max_steps=2, checkpoint_steps=1))


def test_a_shape_given_beside_an_adapter_that_has_one_is_refused(pairs: Path, tmp_path: Path) -> None:
    options = ["--data", str(pairs), "--out", str(tmp_path / "out"), "--adapter", "x", "--lora-r", "4"]
    done = subprocess.run(
        [sys.executable, "-m", "prover", "train", "--model", "base", *options], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "--adapter has its own rank and layers: leave out --lora-r" in done.stderr


def test_finished_training_is_never_overwritten(settings: Settings) -> None:
    train(settings)
    before = {path: path.stat().st_mtime_ns for path in settings.out.iterdir() if path.name != ".lock"}
    with pytest.raises(TrainingError, match="finished training"):
        train(settings)
    assert before == {path: path.stat().st_mtime_ns for path in settings.out.iterdir() if path.name != ".lock"}


def test_stopped_training_goes_on_only_with_the_same_options(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("train.trainer.ObjectiveTrainer.evaluate", stopped)
    with pytest.raises(KeyboardInterrupt):
        train(replace(settings, learning_rate=0.7))
    with pytest.raises(KeyboardInterrupt):  # nothing was kept of the first one
        train(replace(settings, checkpoint_steps=5))
    with pytest.raises(TrainingError, match=r"another learning rate \(0.003, now 0.5\)"):
        train(replace(settings, learning_rate=0.5))


def test_folder_with_other_things_in_it_is_refused(settings: Settings) -> None:
    settings.out.mkdir()
    (settings.out / "thesis.tex").write_text("years of work")
    with pytest.raises(TrainingError, match="holds no training"):
        train(settings)
    assert [path.name for path in settings.out.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"objective": "coverage"}, "needs --n-eff N, a number of at least 1"),
        ({"objective": "coverage", "n_eff": 0.5}, "at least 1; given: 0.5"),
        ({"objective": "coverage", "n_eff": math.nan}, "at least 1; given: nan"),
        ({"objective": "ce", "n_eff": 4.0}, "ce takes no --n-eff"),
        ({"objective": "majority", "budget": 4.0}, "majority needs --n-eff N, a number of at least 1"),
        ({"objective": "best-first", "n_eff": 4.0}, "takes no --n-eff: leave it out, give --budget"),
        ({"objective": "best-first", "budget": 2.5}, "whole number"),
        ({"objective": "best"}, "give one of ce, coverage"),
        ({"lora": Lora()}, "add --full"),
        ({"model": "no/such/model", "lora": None}, "cannot load --model no/such/model"),
        ({"report_to": "nowhere"}, "--report-to nowhere needs the package nowhere"),
        ({"max_length": 3}, "no pair of split train in 3 tokens"),
    ],
)
def test_bad_options_are_named(
    change: dict[str, Any], said: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(TrainingError, match=said) as raised:
        train(replace(settings, **change))
    assert "\n" not in str(raised.value)


def test_adapter_of_another_base_is_refused(settings: Settings, tmp_path: Path) -> None:
    for name, seed in (("base", 0), ("other", 1)):
        train(replace(settings, out=tmp_path / name, seed=seed, max_steps=1))
    adapted = replace(settings, lora=Lora(r=2), max_steps=1)
    train(replace(adapted, model=str(tmp_path / "base"), out=tmp_path / "adapter"))
    with pytest.raises(TrainingError, match="give its base as --model"):
        train(replace(adapted, model=str(tmp_path / "other"), adapter=tmp_path / "adapter", out=tmp_path / "out"))
    with pytest.raises(TrainingError, match="is an adapter: give its base"):
        train(replace(adapted, model=str(tmp_path / "adapter"), out=tmp_path / "out2"))
    with pytest.raises(TrainingError, match="does not fit --model"):
        train(replace(adapted, model=str(tmp_path / "base"), lora=Lora(targets=("nowhere",)), out=tmp_path / "out3"))


def test_help_of_train_does_not_wait_for_torch() -> None:
    code = "import sys, prover.train_command; sys.exit('torch' in sys.modules or 'datasets' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1]).returncode == 0


def test_command_knows_every_objective() -> None:
    assert {name.value for name in ObjectiveName} == set(OBJECTIVES)


def test_data_without_a_valid_split_gives_a_card_without_held_out_figures(settings: Settings, pairs: Path) -> None:
    pairs.write_text("".join(line for line in pairs.open() if '"valid"' not in line))
    assert train(replace(settings, max_steps=2))["held_out"] is None
    assert "Held-out" not in (settings.out / "README.md").read_text()


def test_batch_larger_than_the_data_is_refused(settings: Settings) -> None:
    with pytest.raises(TrainingError, match="--batch 5000 is more than the 72 tactics of the data"):
        train(replace(settings, batch=5000))
