"""What a training leaves beside its weights: training.json for programs, README.md for people.

training.json is written when a training begins, and again when it ends. It says which training a folder holds, so that
one that was stopped goes on, and none is overwritten by another.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from train.data import TrainingError

TRAINING = "training.json"
CARD = "README.md"
LOCK = ".lock"
FORM = 1


def weights_digest(folder: Path) -> str:
    """SHA-256 (16 hexadecimal digits) of a model's weight files. Raises TrainingError when there are none."""
    patterns = ("*.safetensors", "pytorch_model*.bin", "adapter_model*.bin")
    files = sorted(file for pattern in patterns for file in folder.glob(pattern))
    if not files:
        raise TrainingError(
            f"{folder} holds no weights: give a folder that save_pretrained wrote, or a name of the hub"
        )
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()[:16]


def base_weights(adapter: Path) -> str | None:
    """The digest of the weights that an adapter was trained on, where its training.json knows it."""
    digest = read(adapter)["settings"].get("base weights") if (adapter / TRAINING).exists() else None
    return None if digest is None else str(digest)


def check(out: Path, settings: Mapping[str, Any]) -> None:
    """See that a training with these `settings` may write into `out`: a new or empty folder, or its own.

    A training that was stopped before its first checkpoint left nothing to lose, and gives way to any.
    Raises TrainingError.
    """
    if not (out / TRAINING).exists():
        if out.exists() and (not out.is_dir() or any(entry.name != LOCK for entry in out.iterdir())):
            raise TrainingError(f"--out {out} is there and holds no training: give a folder that is new or empty")
        return
    earlier = read(out)
    if earlier["finished"]:
        raise TrainingError(f"--out {out} holds a finished training: give another folder, or remove this one")
    differing = [name for name in settings if settings[name] != earlier["settings"].get(name)]
    if differing and any(out.glob("checkpoint-*")):
        name = differing[0]
        before, now = earlier["settings"].get(name), settings[name]
        raise TrainingError(
            f"--out {out} holds a training with another {name} ({before}, now {now}): "
            "give another folder, or the same options to go on with it"
        )


def begin(out: Path, settings: Mapping[str, Any]) -> None:
    """Write into `out` which training it now holds. Raises TrainingError."""
    write(out, {"form": FORM, "finished": False, "settings": dict(settings)})


def read(folder: Path) -> dict[str, Any]:
    """The training.json of `folder`. Raises TrainingError when it is not one that this program wrote."""
    path = folder / TRAINING
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["form"] == FORM and isinstance(content["settings"], dict) and "finished" in content:
            return dict(content)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise TrainingError(f"{path} cannot be read ({error}): give another --out") from error
    raise TrainingError(f"{path} is of another version of this program: give another --out")


def write(out: Path, content: Mapping[str, Any]) -> None:
    """Write training.json, whole or not at all, and README.md once the training is finished."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        partial = out / f".{TRAINING}"
        partial.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        partial.replace(out / TRAINING)
        if content["finished"]:
            (out / CARD).write_text(_card(content), encoding="utf-8")
    except OSError as error:
        raise TrainingError(f"cannot write to --out {out}: {error.strerror}") from error


def _card(content: Mapping[str, Any]) -> str:
    settings, result, held_out = content["settings"], content["result"], content["held_out"]
    adapter = settings["trained"] != "all weights"
    front = ["---", f"library_name: {'peft' if adapter else 'transformers'}", "pipeline_tag: text-generation"]
    if adapter:
        front.append(f"base_model: {settings['model']}")
    rows = [(name, value) for name, value in settings.items() if value is not None]
    rows += [(name, value) for name, value in result.items()]
    text = [
        *front,
        "tags: [lean4, theorem-proving]",
        "---",
        "",
        f"# Tactic model, {settings['objective']}",
        "",
        "Writes the next tactic of a Lean 4 proof, given its first goal. A prompt is made by `train.prompt.prompt`.",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {_cell(value)} |" for name, value in rows),
    ]
    if held_out:
        text += [
            "",
            "## Held-out figures, split valid",
            "",
            f"Cross-entropy {held_out['ce']:.4f} nats a tactic on {held_out['pairs']} pairs. On {held_out['states']} "
            f"states the greedy tactic has a mean probability of {held_out['confidence']:.3f}, and is a demonstrated "
            f"one on {100 * held_out['accuracy']:.1f} %.",
            "",
            "| probability of the greedy tactic | states | mean probability | demonstrated |",
            "|---|---|---|---|",
            *(
                f"| {row['from']:.1f} to {row['to']:.1f} | {row['states']} | {_share(row['confidence'])} | "
                f"{_share(row['accuracy'])} |"
                for row in held_out["bins"]
            ),
        ]
    return "\n".join([*text, ""])


def _cell(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value).replace("|", "\\|")


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
