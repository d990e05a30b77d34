"""Progress on stderr: of a run, and of the installation of Lean."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from tqdm import tqdm

from prover.records import Finding, Outcome

if TYPE_CHECKING:
    from train.corpus.collect import Collected


class RunBar:
    """Theorems finished, proved so far, supported, expansions a second; `earlier` is what the run begins with."""

    def __init__(self, earlier: Sequence[Finding]) -> None:
        attempts = [finding.attempt for finding in earlier if finding.attempt]
        self._supported = len(attempts)
        self._proved = sum(attempt.outcome is Outcome.PROVED for attempt in attempts)
        self._expansions = 0  # of this sitting
        self._bar = tqdm(
            total=len(earlier),
            initial=sum(finding.outcome is not None for finding in earlier),
            unit="theorem",
            mininterval=_interval_s(),
            dynamic_ncols=True,
            smoothing=0.05,
        )

    def show(self, finding: Finding) -> None:
        """Count one more theorem that is finished."""
        if finding.attempt:
            self._supported += 1
            self._proved += finding.outcome is Outcome.PROVED
            self._expansions += finding.attempt.expansions
        rate = self._expansions / max(self._bar.format_dict["elapsed"], 0.001)
        self._bar.set_postfix_str(
            f"proved {self._proved} of {self._supported} supported, {rate:.0f} expansions/s", refresh=False
        )
        self._bar.update()

    def close(self) -> None:
        """Leave the last state of the bar standing."""
        self._bar.close()


class CorpusBar:
    """Theorems searched, of these proved, proofs found; `earlier` is what the round begins with."""

    def __init__(self, total: int, earlier: Sequence[Collected]) -> None:
        self._proved = sum(bool(one.proofs) for one in earlier)
        self._proofs = sum(len(one.proofs) for one in earlier)
        self._bar = tqdm(
            total=total, initial=len(earlier), unit="theorem", mininterval=_interval_s(), dynamic_ncols=True
        )

    def show(self, collected: Collected) -> None:
        """Count one more theorem that is finished."""
        self._proved += bool(collected.proofs)
        self._proofs += len(collected.proofs)
        self._bar.set_postfix_str(f"{self._proved} proved, {self._proofs} proofs", refresh=False)
        self._bar.update()

    def close(self) -> None:
        """Leave the last state of the bar standing."""
        self._bar.close()


class InstallBar:
    """Progress of an installation on stderr, a line a step; nothing is shown where nothing is to be done."""

    def __init__(self) -> None:
        self._step = ""
        self._bar: tqdm[NoReturn] | None = None
        self._closed = threading.Event()

    def show(self, step: str, done: int, total: int) -> None:
        """Show that `done` of `total` parts of a step are done. Of a step in one part only the time is shown."""
        if self._bar is None and sys.stderr.isatty():
            threading.Thread(target=self._tick, daemon=True).start()
        if self._bar is None or step != self._step:
            self._end_step()
            share = "{percentage:3.0f}%|{bar:30}| " if total > 1 else ""
            shown = f"{{desc}}: {share}{{elapsed}}"
            self._bar = tqdm(total=total, bar_format=shown, desc=step, mininterval=_interval_s())
            self._step = step
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Leave the last state of the bar standing."""
        self._closed.set()
        self._end_step()

    def _end_step(self) -> None:
        if self._bar is not None:
            self._bar.close()

    def _tick(self) -> None:
        """Let the time go on during a step that tells nothing of itself."""
        while not self._closed.wait(1.0):
            if self._bar is not None:
                self._bar.refresh()


def _interval_s() -> float:
    """Between two states of a bar: a log gets one now and then, a terminal a bar that moves."""
    return 0.2 if sys.stderr.isatty() else 15.0
