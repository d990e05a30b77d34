"""What can be said of vLLM without it: how its draws are numbered, and what is refused before it starts."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from typer.exceptions import TyperException

from prover import parts
from prover.cli import app
from prover.options import BackendName, InputError
from prover.policy import vllm
from prover.policy.errors import ModelError
from prover.policy.sampling import Draws, seed
from prover.policy.shelf import base_of, open_models, shipped
from prover.policy.vllm import VllmEngine, VllmSettings
from train.tiny import TinyShape, tiny_model, tiny_tokenizer

ADAPTERS = shipped()
BASE = base_of(ADAPTERS[0])
SHAPE = TinyShape(hidden=16, layers=1, heads=2, kv_heads=1, intermediate=32, vocabulary=300, positions=160)


@given(st.integers(0, 2**128 - 1), st.integers(0, 2**31), st.integers(0, 2**31))
def test_a_draw_has_the_same_seed_in_whichever_portion_it_is_asked_for(key: int, first: int, more: int) -> None:
    def at(number: int) -> int:
        return seed(Draws((1,), None, 1.0, key, number, 1))

    assert at(first + more) == at(first) + more
    assert 0 <= at(first + more) < 2**63


def refusal(action: Any) -> str:
    with pytest.raises((ModelError, InputError)) as caught:
        action()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_without_vllm_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    assert "pip install -e '.[vllm]'" in refusal(lambda: VllmEngine.load(BASE))


def test_an_adapter_of_another_base_is_refused_before_anything_starts(tmp_path: Path) -> None:
    message = refusal(lambda: VllmEngine.load(str(tmp_path / "other"), {"n": ADAPTERS[0]}))
    assert ADAPTERS[0] in message and str(tmp_path / "other") in message


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    assert str(tmp_path) in refusal(lambda: VllmEngine.load(str(tmp_path)))


def test_an_adapter_of_too_high_a_rank_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer, base = tiny_tokenizer(["⊢ a"], SHAPE), tiny_model(tiny_tokenizer(["⊢ a"], SHAPE), SHAPE, seed=0)
    base.save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    adapter = str(tmp_path / "adapter")
    get_peft_model(base, LoraConfig(task_type="CAUSAL_LM", r=24, target_modules=["q_proj"])).save_pretrained(adapter)
    config = Path(adapter) / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"base_model_name_or_path": str(tmp_path / "base")}))

    def start(ranks: Any) -> int:
        # vLLM itself, as far as ranks go: its module may be missing here, or replaced by another version.
        monkeypatch.setattr(vllm, "_vllm", lambda module: SimpleNamespace(MaxLoRARanks=ranks))
        return vllm._rank([vllm.read_adapter(adapter)])

    assert start(Literal[1, 8, 16, 32, 64]) == 32
    message = refusal(lambda: start(Literal[1, 8, 16]))
    assert adapter in message and "24" in message and "at most 16" in message


def test_models_of_two_bases_are_refused_for_one_engine(tmp_path: Path) -> None:
    message = refusal(lambda: open_models([ADAPTERS[0], str(tmp_path)], vllm=VllmSettings()))
    assert BASE in message and str(tmp_path) in message


def engine_arguments(monkeypatch: pytest.MonkeyPatch, settings: VllmSettings, *, cpu: bool = False) -> dict[str, Any]:
    """What vLLM's engine would be started with: its modules are replaced, and the base is not read."""
    given: dict[str, Any] = {}

    def arguments(**named: Any) -> str:
        given.update(named)
        return "the arguments"

    platform = SimpleNamespace(is_cpu=lambda: cpu)
    modules = {
        "vllm": SimpleNamespace(AsyncEngineArgs=arguments, platforms=SimpleNamespace(current_platform=platform)),
        "vllm.v1.engine.async_llm": SimpleNamespace(AsyncLLM=SimpleNamespace(from_engine_args=lambda made: made)),
        "vllm.config.lora": SimpleNamespace(MaxLoRARanks=Literal[8, 16, 32]),
    }
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)  # type: ignore[arg-type]
    read = [vllm.read_adapter(folder) for folder in ADAPTERS]
    assert vllm._start(BASE, SimpleNamespace(dtype="torch.bfloat16"), settings, read) == "the arguments"
    return given


def test_what_the_settings_ask_for_reaches_vllms_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    given = engine_arguments(monkeypatch, VllmSettings(4, 0.5, 2048))
    assert (given["model"], given["dtype"]) == (BASE, "bfloat16")
    assert (given["tensor_parallel_size"], given["distributed_executor_backend"]) == (4, "mp")
    assert (given["gpu_memory_utilization"], given["max_model_len"]) == (0.5, 2048)
    assert (given["enable_lora"], given["max_loras"]) == (True, len(ADAPTERS))
    assert engine_arguments(monkeypatch, VllmSettings())["distributed_executor_backend"] is None
    assert engine_arguments(monkeypatch, VllmSettings(dtype="float32"))["dtype"] == "float32"


def test_states_are_read_once_and_log_probs_are_those_of_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    given = engine_arguments(monkeypatch, VllmSettings())
    assert given["enable_prefix_caching"] is True
    assert given["logprobs_mode"] == "raw_logprobs"


def test_the_faults_of_the_cpu_build_are_kept_clear_of(monkeypatch: pytest.MonkeyPatch) -> None:
    on_gpu, on_cpu = (engine_arguments(monkeypatch, VllmSettings(), cpu=cpu) for cpu in (False, True))
    assert on_cpu["max_loras"] == on_gpu["max_loras"] + 1
    assert (on_gpu["enable_chunked_prefill"], on_cpu["enable_chunked_prefill"]) == (None, False)


# -- Options


def test_options_of_vllm_reach_it_by_its_own_names() -> None:
    given = {"backend": BackendName.VLLM, "tensor_parallel": 2, "gpu_memory": 0.5, "max_model_len": 2048}
    assert parts.vllm_settings(given) == VllmSettings(2, 0.5, 2048)
    assert parts.vllm_settings({"backend": BackendName.VLLM}) == VllmSettings()
    assert parts.vllm_settings({"backend": BackendName.TRANSFORMERS}) is None


def test_options_of_vllm_without_it_are_refused() -> None:
    assert "--backend vllm" in refusal(lambda: parts.vllm_settings({"max_model_len": 2048}))


def test_what_neither_vllm_nor_servers_have_is_refused() -> None:
    assert "--beams" in refusal(lambda: parts.policies(["portfolio"], beams=4, vllm=VllmSettings()))
    assert "--beams" in refusal(lambda: parts.policies(["http://127.0.0.1:9/v1"], beams=4))
    assert "at most 2" in refusal(lambda: parts.policies(["http://127.0.0.1:9/v1"], temperature=2.5))


def test_the_command_line_says_in_one_line_that_vllm_is_missing() -> None:
    code = "import sys; sys.modules['vllm'] = None; from prover import cli; cli.main()"
    arguments = ["theorem", "theorem t : 1 = 1", "--backend", "vllm", "--tensor-parallel", "2"]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("prove: error: vLLM is not installed: pip install")
    assert "Traceback" not in done.stderr


# -- The page


def test_every_command_of_the_page_is_one_that_prove_takes() -> None:
    page = (Path(__file__).parents[1] / "docs" / "vllm.md").read_text(encoding="utf-8")
    lines = [line.strip() for block in page.split("```")[1::2] for line in block.splitlines()]
    commands = [shlex.split(line)[1:] for line in lines if line.startswith("prove ")]
    assert len(commands) >= 5
    for arguments in commands:
        parsed(typer.main.get_command(app), arguments)


def parsed(command: Any, arguments: list[str], parent: Any = None) -> None:
    """Parse `arguments` as the command line would, subcommands too, without running anything."""
    context = command.make_context(command.name or "prove", list(arguments), parent=parent)
    if rest := [*context._protected_args, *context.args]:
        name, inner, left = command.resolve_command(context, rest)
        assert inner is not None, name
        parsed(inner, left, context)


def test_a_command_that_prove_does_not_take_is_found() -> None:
    for arguments in (["--no-such-option"], ["--backend", "vlm"], ["train", "--modl", "x"]):
        with pytest.raises(TyperException):
            parsed(typer.main.get_command(app), arguments)
