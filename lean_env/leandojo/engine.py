"""The LeanDojo engine: worker processes under the pool's supervision, behind the interface of lean_env.engine.

A session's states are known to the worker that made them. Where its Dojo was lost, by a tactic that ran out of time or
ended Lean, or with the whole worker, the session opens another and makes the states again that it comes back to.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from lean_env.engine import (
    EngineError,
    EngineInfo,
    Failed,
    FailureKind,
    ProofState,
    Proved,
    TacticResult,
    Theorem,
    UnsupportedStatement,
    Verdict,
    VerdictKind,
)
from lean_env.leandojo.guard import COMPILE_S
from lean_env.leandojo.lean import PROBE_S
from lean_env.leandojo.protocol import Closed, Lost, Opened, Ready, Rejected, Unsupported
from lean_env.leandojo.repository import Place, Repository, require_leandojo
from lean_env.pool import Pool, ProcessSpec, RequestFailed, Slot
from lean_env.process import EndCause, Process
from lean_env.verify import Facts, WholeTheorem, judge

OPENING_S = 300.0  # wall limit for importing what the file imports, and elaborating it up to the theorem
VERIFICATION_S = 300.0  # wall limit of each of the two Leans that look at a whole proof
STARTING_S = PROBE_S + COMPILE_S  # the repository's Lean loads LeanDojo's REPL, and compiles the guard
GRACE_S = 15.0  # what a worker may take beyond its own limits before it is taken for hung
RECYCLE_AFTER = 20_000  # requests

_ENDS = {FailureKind.TIMEOUT: EndCause.TIMEOUT, FailureKind.MEMORY: EndCause.MEMORY}  # the others: CRASH
_NUMBERS = itertools.count()  # of sessions, which workers tell apart by them


@dataclass(frozen=True)
class Limits:
    """What one tactic may take, in wall seconds, and one worker with its Leans, in MiB resident.

    A worker may have a Lean for each of two or three theorems, and one that has Mathlib in it takes 2 to 4 GiB.
    """

    timeout_s: float = 10.0
    memory_mb: int = 24_576


class _Lost(Exception):
    """The Dojo is gone: a state is not to be had again, or a limit ran out."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        self.kind = kind
        super().__init__(message)


@dataclass(frozen=True)
class _Step:
    """How a proof state came about."""

    parent: int
    tactic: str


class LeanDojoSession:
    """A theorem on one slot of the pool. Its states are known by number, and made again when their Dojo is gone."""

    def __init__(self, slot: Slot, pool: Pool, place: Place) -> None:
        self._slot = slot
        self._pool = pool
        self._place = place
        self._name = f"session {next(_NUMBERS)}"
        self._steps: list[_Step | None] = [None]
        self.root = ProofState(0, ())

    async def start(self) -> None:
        """Open the first Dojo, with a second try where Lean was lost on the way. Raises UnsupportedStatement."""

        async def job(process: Process) -> tuple[str, ...]:
            try:
                return await self._open(process)
            except _Lost:  # the machine may have been busy, or short of memory
                return await self._open(process)

        try:
            self.root = ProofState(0, await self._slot.run(job))
        except (RequestFailed, _Lost) as failure:
            reason = f"Lean did not come to it, which says nothing of the statement ({failure.kind.value}: {failure})"
            raise UnsupportedStatement(reason) from failure

    async def run(self, state: ProofState, tactic: str) -> TacticResult:
        """Apply `tactic` to the first goal of `state`."""

        async def job(process: Process) -> TacticResult:
            remote = await self._remote(process, state.key)
            match await self._ask(process, remote, tactic):
                case Opened() as opened:
                    self._steps.append(_Step(state.key, tactic))
                    key = len(self._steps) - 1
                    self._known(process)[key] = opened.state
                    return ProofState(key, opened.goals)
                case Rejected() as rejected:
                    return Failed(FailureKind.REFUSED if rejected.refused else FailureKind.ERROR, rejected.error)
            return Proved()

        try:
            return await self._slot.run(job)
        except RequestFailed as failure:
            return Failed(failure.kind, str(failure))
        except _Lost as lost:
            return Failed(lost.kind, str(lost))
        except UnsupportedStatement as why:  # which was opened before
            return Failed(FailureKind.CRASH, f"the theorem was not opened again: {why}")

    async def close(self) -> None:
        """End the Dojo and give the slot back."""

        async def job(process: Process) -> None:
            if process.state.pop(self._name, None):
                await process.request({"close": True, "session": self._name})

        try:
            await self._slot.run(job)
        except RequestFailed:
            pass  # its process is gone, and the Dojo with it
        finally:
            self._pool.release(self._slot)

    def _known(self, process: Process) -> dict[int, int]:
        """State → the worker's number for it; empty where the session has no Dojo there."""
        known: dict[int, int] = process.state.setdefault(self._name, {})
        return known

    async def _open(self, process: Process) -> tuple[str, ...]:
        """Open a Dojo in a worker; gives the theorem's goals. Raises UnsupportedStatement and _Lost."""
        answer = await process.request({"open": _sent(self._place), "session": self._name}, OPENING_S + GRACE_S)
        if "lost" in answer:
            raise self._lost(process, answer)
        if "unsupported" in answer:
            raise UnsupportedStatement(Unsupported.model_validate(answer).unsupported)
        opened = Opened.model_validate(answer)
        self._known(process)[0] = opened.state
        return opened.goals

    async def _ask(self, process: Process, remote: int, tactic: str) -> Opened | Closed | Rejected:
        """Run a tactic on the worker's state `remote`. Raises _Lost."""
        answer = await process.request({"tactic": tactic, "state": remote, "session": self._name})
        if "lost" in answer:
            raise self._lost(process, answer)
        if "proved" in answer:
            return Closed.model_validate(answer)
        return Rejected.model_validate(answer) if "error" in answer else Opened.model_validate(answer)

    def _lost(self, process: Process, answer: Mapping[str, Any]) -> _Lost:
        """The error for an answer that says that the session's Dojo is gone."""
        lost = Lost.model_validate(answer)
        self._known(process).clear()
        self._pool.statistics.ends[_ENDS.get(lost.lost, EndCause.CRASH)] += 1
        return _Lost(lost.lost, lost.message)

    async def _remote(self, process: Process, key: int) -> int:
        """The worker's number for a state, which is made again from the theorem where its Dojo is gone."""
        known = self._known(process)
        path = []
        while key not in known and (step := self._steps[key]) is not None:
            path.append((key, step.tactic))
            key = step.parent
        if key not in known:
            await self._open(process)
        for again, tactic in reversed(path):
            match await self._ask(process, known[key], tactic):
                case Opened() as opened:
                    known[again] = opened.state
                case other:
                    raise _Lost(FailureKind.CRASH, f"the state could not be made again: {other}")
            key = again
        return known[key]


class LeanDojoEngine:
    """A pool of workers on one traced repository. `start` gives a running one."""

    def __init__(self, pool: Pool, info: EngineInfo, repository: Repository, places: Mapping[str, Place]) -> None:
        self.pool = pool
        self.info = info
        self._repository = repository
        self._places = places

    @classmethod
    async def start(
        cls, repository: Repository, places: Mapping[str, Place], workers: int, limits: Limits | None = None
    ) -> Self:
        """Start `workers` processes, each held to `limits`; `places` says where the theorems stand, by their names.

        Raises EngineError when LeanDojo is not installed, the repository not traced, or its Lean not to be started.
        """
        require_leandojo()
        limits = limits or Limits()
        ready: list[Ready] = []

        async def warm_up(process: Process) -> None:
            answer = await process.request({"start": True})
            if "message" in answer:
                raise EngineError(answer["message"])
            ready.append(Ready.model_validate(answer))

        env = {**os.environ, **repository.environment}
        spec = ProcessSpec(_command(repository, limits), warm_up, env, start_limit_s=STARTING_S + GRACE_S)
        pool = Pool(spec, workers, limits.timeout_s + GRACE_S, limits.memory_mb, RECYCLE_AFTER, spare=0)
        await pool.start()
        versions = f"Lean {ready[0].lean}, LeanDojo {ready[0].leandojo}, {repository}"
        return cls(pool, EngineInfo("leandojo", versions, ready[0].mathlib, imports=()), repository, places)

    async def open(self, theorem: Theorem) -> LeanDojoSession:
        """Start a session. Raises UnsupportedStatement when LeanDojo does not come to the theorem's first goal."""
        slot = self.pool.assign()
        try:
            session = LeanDojoSession(slot, self.pool, self._place(theorem))
            await session.start()
        except BaseException:
            self.pool.release(slot)
            raise
        return session

    async def verify(self, theorem: Theorem, proof: str) -> Verdict:
        """Have the repository's own Lean elaborate the theorem with `proof`; see lean_env.leandojo.check."""
        place = self._place(theorem)

        async def job(process: Process) -> Verdict:
            request = {"verify": _sent(place), "proof": proof}
            answer = await process.request(request, OPENING_S + 2 * VERIFICATION_S + GRACE_S)
            if "lost" in answer:
                lost = Lost.model_validate(answer)
                return Verdict(VerdictKind.UNVERIFIED, f"{lost.lost.value}: {lost.message}")
            if "unsupported" in answer:
                return Verdict(VerdictKind.UNVERIFIED, Unsupported.model_validate(answer).unsupported)
            if "message" in answer:
                return Verdict(VerdictKind.UNVERIFIED, answer["message"])
            whole = WholeTheorem(proof, theorem.statement, place.full_name)
            return judge(Facts.model_validate(answer), whole)

        slot = self.pool.assign()
        try:
            return await slot.run(job)
        except RequestFailed as failure:
            return Verdict(VerdictKind.UNVERIFIED, f"{failure.kind.value}: {failure}")
        finally:
            self.pool.release(slot)

    def standalone(self, theorem: Theorem, proof: str) -> str:
        """The proof, with where it belongs: it is a proof in its place in the repository, and nowhere else."""
        place = self._place(theorem)
        return (
            f"/- {place.full_name}\n   in {place.file} of {self._repository}: its proof there is to be\n-/\nby\n"
            + "".join(f"  {line}\n" for line in proof.split("\n"))
        )

    async def close(self) -> None:
        """End every process."""
        await self.pool.close()

    def _place(self, theorem: Theorem) -> Place:
        try:
            return self._places[theorem.name]
        except KeyError:
            raise UnsupportedStatement(f"no file of {self._repository} is known to hold {theorem.name}") from None


def _sent(place: Place) -> dict[str, str]:
    return {"file": place.file, "name": place.full_name}


def _command(repository: Repository, limits: Limits) -> tuple[str, ...]:
    settings: dict[str, Any] = {
        **asdict(repository),
        "opening_s": OPENING_S,
        "timeout_s": limits.timeout_s,
        "verification_s": VERIFICATION_S,
    }
    return (sys.executable, "-m", "lean_env.leandojo.worker", json.dumps(settings))
