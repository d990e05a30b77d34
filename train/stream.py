"""The order in which training data comes: endless, the same for the same seed, and resumable from two numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from datasets import Dataset  # type: ignore[import-untyped]

from train.data import TrainingError

RUN = 8  # units of like length, side by side
RUNS = 64  # that are cut from one stretch sorted by length


@dataclass
class Stream:
    """Passes over `len(lengths)` units, each in an order of its own; of several processes each sees its share.

    Units come in runs of like length, to save padding, and the runs in random order: tactics of long states are long
    themselves, so batches of one length only would pull the model to and fro.
    `done` and `position` say where the stream stands: passes finished, and units taken of the one under way.
    """

    lengths: Sequence[int]
    seed: int
    rank: int = 0
    processes: int = 1
    done: int = 0
    position: int = 0

    def __post_init__(self) -> None:
        self._order = self._pass()

    def __len__(self) -> int:
        """Units of a pass, for this process."""
        return len(self._order)

    def take(self, n: int) -> list[int]:
        """The next `n` units."""
        taken: list[int] = []
        while len(taken) < n:
            if self.position >= len(self._order):
                self.done, self.position = self.done + 1, 0
                self._order = self._pass()
            part = self._order[self.position : self.position + n - len(taken)]
            self.position += len(part)
            taken.extend(part.tolist())
        return taken

    def seek(self, done: int, position: int) -> None:
        """Go where a stream with the same seed stood."""
        self.done, self.position = done, position
        self._order = self._pass()

    def _pass(self) -> npt.NDArray[np.int64]:
        """The units of pass `done`: shuffled, sorted by length in stretches, and cut into runs that are shuffled."""
        random = np.random.default_rng([self.seed, self.done])
        order, lengths = random.permutation(len(self.lengths)), np.asarray(self.lengths)
        runs = []
        for start in range(0, len(order), RUNS * RUN):
            stretch = order[start : start + RUNS * RUN]
            stretch = stretch[np.argsort(lengths[stretch], kind="stable")]
            cut = [stretch[n : n + RUN] for n in range(0, len(stretch), RUN)]
            runs += [cut[n] for n in random.permutation(len(cut))]
        return np.concatenate(runs)[self.rank :: self.processes]


def traces(rows: Dataset) -> list[list[int]]:
    """The rows of each proof in the order of its steps; proofs that lack a step are left out.

    Raises TrainingError where two rows are the same step: proofs of several files may have the same numbers.
    """
    found: dict[int, dict[int, int]] = {}
    length = {}
    for row, (proof, step, tactics) in enumerate(zip(rows["proof"], rows["step"], rows["length"], strict=True)):
        steps = found.setdefault(proof, {})
        if step in steps:
            raise TrainingError(
                f"--data has step {step} of proof {proof} twice: give every proof a number of its own, field proof"
            )
        steps[step] = row
        length[proof] = tactics
    return [
        [steps[step] for step in range(length[proof])]
        for proof, steps in found.items()
        if len(steps) == length[proof] == max(steps) + 1
    ]
