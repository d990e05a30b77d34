"""When checkpoints are written, what is said when they cannot be, and how a training shows where it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from transformers import ProgressCallback, TrainerCallback, TrainerControl
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from train.data import TrainingError

SHOWN = {"loss": "loss", "live_share": "live", "tokens_per_second": "tokens/s", "eval_ce": "held-out CE"}

TORCH_WRITER = ("PytorchStreamWriter", "inline_container")  # of these torch speaks when a file cannot be written


class Checkpoints(TrainerCallback):
    """A checkpoint every so many steps, beside those at the ends of epochs.

    A log line ends where a checkpoint is, so that a training that goes on from there writes the same lines.
    """

    def __init__(self, every: int) -> None:
        """Every `every` optimizer steps."""
        self.every = every

    def on_step_end(self, args: Any, state: Any, control: TrainerControl, **_: Any) -> TrainerControl:
        """Runs after the callback of transformers that sets `control` anew."""
        if state.global_step % self.every == 0:
            control.should_save = control.should_log = True
        return control

    def on_epoch_end(self, args: Any, state: Any, control: TrainerControl, **_: Any) -> TrainerControl:
        """Where transformers saves, it logs before."""
        control.should_log = True
        return control


class Bar(ProgressCallback):
    """The bar of transformers, with the latest figures behind it instead of a line of them each time."""

    def __init__(self) -> None:
        """A bar that shows nothing yet."""
        super().__init__()
        self.shown: dict[str, str] = {}

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        """Keeps what SHOWN names."""
        self.shown |= {short: f"{logs[name]:.3g}" for name, short in SHOWN.items() if logs and name in logs}
        if self.training_bar is not None:
            self.training_bar.set_postfix(self.shown)


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Whatever is written into `out` here may find the disk full; raises TrainingError then."""
    try:
        yield
    # A full disk is an OSError in Python, and in torch and safetensors whatever their writers make of it.
    except (OSError, RuntimeError, SafetensorError) as error:
        if isinstance(error, RuntimeError) and not any(name in str(error) for name in TORCH_WRITER):
            raise
        last = last_checkpoint(out)
        after = "from the start" if last is None else f"from {last.name}, which is whole"
        reason = (getattr(error, "strerror", None) or str(error)).splitlines()[0]
        raise TrainingError(
            f"cannot write to {out} ({reason}): free space on that disk, then the same command goes on {after}"
        ) from error


def last_checkpoint(out: Path) -> Path | None:
    """The checkpoint of the latest step in `out`."""
    found = sorted(out.glob(f"{PREFIX_CHECKPOINT_DIR}-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    return found[-1] if found else None
