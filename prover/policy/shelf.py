"""The models of a run, each base loaded once with all the adapters that are used on it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

import torch
from transformers.utils import logging

from prover.options import PORTFOLIO, SERVED, SHIPPED
from prover.policy.batching import Batcher, Source
from prover.policy.errors import ModelError
from prover.policy.model import TacticModel
from prover.policy.openai import Server
from prover.policy.vllm import VllmEngine, VllmSettings

ADAPTER_CONFIG = "adapter_config.json"
TRAINING = "training.json"
# The event loop gives the interpreter up at every system call, and would wait Python's usual 5 ms until the thread of
# the model lets go of it again.
SWITCH_S = 0.0005


@dataclass(frozen=True)
class Shelved:
    """A model to draw tactics from: by `batcher`, with `adapter` or the base alone. `n_eff` as its training has it.

    `batcher` may be an engine of vLLM or a server, which see to batches themselves; a server's models are its adapters.
    """

    name: str
    batcher: Source
    adapter: str | None
    n_eff: float | None


def shipped() -> list[str]:
    """The folders of the adapters that come with the program, by rising N_eff."""
    folder = Path(str(files("prover") / "models"))
    adapters = [path.parent for path in folder.glob(f"*/{ADAPTER_CONFIG}")]
    return [str(path) for path in sorted(adapters, key=lambda path: (n_eff(path) or 0, path.name))]


def by_name() -> dict[str, str]:
    """The folders of the models that come with the program, base and adapters, by their names (n-eff-8)."""
    return {Path(folder).name: folder for adapter in shipped() for folder in (adapter, base_of(adapter))}


def spelled_out(names: Sequence[str]) -> list[str]:
    """`names` with folders in place of the program's own models; `shipped` is all of their adapters.

    Raises ModelError for a name that is nearly one of ours.
    """
    return [each for name in names for each in (shipped() if name == SHIPPED else [folder_of(name)])]


def folder_of(name: str) -> str:
    """The folder of a model that comes with the program, by its name; any other name as it is.

    Raises ModelError for one that is nearly a name of ours.
    """
    ours = by_name()
    near = get_close_matches(name, [PORTFOLIO, SHIPPED, *ours], n=1, cutoff=0.8)
    if near and near[0] != name and "/" not in name and not Path(name).exists():
        raise ModelError(f"the policy {name} is not known: did you mean {near[0]}?")
    return ours.get(name, name)


def open_models(
    names: Sequence[str], *, device: str = "cpu", max_rows: int = 64, vllm: VllmSettings | None = None
) -> list[Shelved]:
    """Load what `names` names: folders of models or of adapters, names of the hub, or models of servers.

    A model of a server is URL#MODEL, and the URL alone where the server has one model. With `vllm`, models are run by
    vLLM, else by transformers. Raises ModelError.
    """
    served = _open_served([name for name in names if name.startswith(SERVED)])
    local = _open_local([name for name in names if not name.startswith(SERVED)], device, max_rows, vllm)
    opened = {**served, **local}
    return [opened[name] for name in names]


def _open_served(names: Sequence[str]) -> dict[str, Shelved]:
    servers: dict[str, Server] = {}
    opened = {}
    for name in names:
        url, _, model = name.partition("#")
        server = servers.get(url) or servers.setdefault(url, Server.connect(url))
        listed = server.model.adapters
        chosen = model or (listed[0] if len(listed) == 1 else "")
        if chosen not in listed:
            raise ModelError(f"{url} serves {', '.join(listed) or 'no model'}: name one of them, as in {url}#MODEL")
        opened[name] = Shelved(f"{Path(chosen).name} at {url}", server, chosen, None)
    return opened


def _open_local(names: Sequence[str], device: str, max_rows: int, vllm: VllmSettings | None) -> dict[str, Shelved]:
    bases = {name: base_of(name) for name in names}
    sources: dict[str, Source] = {}
    if vllm is not None and len(set(bases.values())) > 1:
        raise ModelError(
            f"vLLM runs one base with its adapters, and these are {', '.join(dict.fromkeys(bases.values()))}: give one "
            "a run, or serve each with `vllm serve` and give their addresses"
        )
    if vllm is None and names:
        _make_room(device)
    for base in dict.fromkeys(bases.values()):
        adapters = {name: name for name in bases if bases[name] == base and name != base}
        if vllm is not None:
            sources[base] = VllmEngine.load(base, adapters, settings=vllm)
        else:
            sources[base] = Batcher(TacticModel.load(base, adapters, device=device), max_rows=max_rows)
    return {
        name: Shelved(
            _short(name) + (", vLLM" if vllm else ""), sources[base], None if base == name else name, n_eff(Path(name))
        )
        for name, base in bases.items()
    }


def _make_room(device: str) -> None:
    """Let a model in this process and the event loop go on beside each other."""
    if device == "cpu":  # Lean has the other half: threads of torch that wait for each other lose to busy neighbours
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // 2))
    sys.setswitchinterval(SWITCH_S)
    if not sys.stderr.isatty():  # a log has no use for the bar of every model
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def base_of(name: str) -> str:
    """The base of an adapter, `name` itself for any other model.

    It is the folder that the adapter names; where that is not there, the folder of that name beside the adapter, so
    that models which lie together can be moved together. Else it is taken as a name of the hub.
    """
    config = Path(name) / ADAPTER_CONFIG
    if not config.is_file():
        return name
    try:
        base = str(json.loads(config.read_text(encoding="utf-8"))["base_model_name_or_path"])
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"cannot read {config} ({error}): give a PEFT adapter's folder") from error
    beside = Path(name).resolve().parent / Path(base).name
    return str(beside) if not Path(base).is_dir() and beside.is_dir() else base


def n_eff(folder: Path) -> float | None:
    """The N_eff that a model was trained for, where its training.json says so. Raises ModelError for one not ours."""
    path = folder / TRAINING
    if not path.is_file():
        return None
    try:
        value = json.loads(path.read_text(encoding="utf-8"))["settings"].get("N_eff")
        return None if value is None else float(value)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path} is not one that prove train wrote ({type(error).__name__}: {error}): take it out of the folder"
        ) from error


def _short(name: str) -> str:
    """A model's name for reports: the last part of its path."""
    return Path(name).name if Path(name).is_dir() else name
