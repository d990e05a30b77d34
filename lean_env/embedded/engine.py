"""The embedded engine: real Lean in Node processes, behind the interface of lean_env.engine."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from lean_env.embedded import install
from lean_env.engine import (
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
from lean_env.pool import Pool, ProcessSpec, RequestFailed, Slot
from lean_env.process import Process
from lean_env.verify import (
    VERIFICATION_SCOPE,
    Facts,
    UnsupportedHeader,
    elaborated_header,
    judge,
    shown,
    whole_theorem,
)
from lean_env.wire import CommandAnswer, ErrorAnswer, TacticAnswer, read_answer

INFO = EngineInfo("embedded", f"Lean {install.LEAN_VERSION}", mathlib=False, imports=("Init", install.PRELUDE_MODULE))

OPENING_S = 60.0  # wall limit for elaborating a statement
VERIFICATION_S = 120.0  # wall limit for verifying a whole proof
RECYCLE_AFTER = 20_000  # requests
SNAPSHOTS = {"environments": 16, "proofStates": 1024}  # held by a process; older ones are made again on demand
STACK_KB = 7000  # of native stack, under the usual limit of 8 MiB; deeper terms end the process

REFUSED = "Refused: "  # how the server's message begins when a tactic holds what may not stand in a proof

# Where the proof goes. A bare `sorry` would be elaborated with the implicit arguments of the goal introduced already.
PLACEHOLDER = "exact no_implicit_lambda% sorry"

# Theorems become public constants, so that they keep the names that their statements give them.
SCOPE = "public section\n"

_NUMBERS = itertools.count()  # of sessions, which processes tell apart by them


@dataclass(frozen=True)
class Limits:
    """What one tactic and one process may use.

    `timeout_s`: wall seconds of a tactic, after which the process is replaced. `heartbeats`: of a tactic, in thousands
    of allocations, as Lean's option maxHeartbeats counts; a tactic that ends by these leaves the process alone.
    `memory_mb`: MiB resident of a process, of which a fresh one has 440.
    """

    timeout_s: float = 10.0
    heartbeats: int = 40_000
    memory_mb: int = 740


LIMITS = Limits()


@dataclass(frozen=True)
class _Step:
    """How a proof state came about."""

    parent: int
    tactic: str


class _Lost(Exception):
    """A state could not be made again in another process; the text says why."""


class EmbeddedSession:
    """A theorem on one slot of the pool. Its states are known by number, and made again when a process was replaced."""

    def __init__(self, slot: Slot, pool: Pool, theorem: Theorem, header: str) -> None:
        self._slot = slot
        self._pool = pool
        self._theorem = theorem
        self._header = header
        self._name = f"session {next(_NUMBERS)}"
        self._steps: list[_Step | None] = [None]
        self.root = ProofState(0, ())

    async def start(self) -> None:
        """Elaborate the statement. Raises UnsupportedStatement."""
        try:
            self.root = ProofState(0, await self._slot.run(self._state))
        except RequestFailed as failure:
            raise UnsupportedStatement(f"{failure.kind.value} while elaborating it: {failure}") from failure

    async def run(self, state: ProofState, tactic: str) -> TacticResult:
        """Apply `tactic` to the first goal of `state`."""
        if not tactic.isprintable() and any(not (c.isprintable() or c == "\n") for c in tactic):
            return Failed(FailureKind.REFUSED, "the tactic holds a character that cannot be shown")

        async def job(process: Process) -> TacticResult:
            remote = await self._remote(process, state.key)
            answer = read_answer(TacticAnswer, await process.request({"tactic": tactic, "proofState": remote}))
            if isinstance(answer, ErrorAnswer):
                refused = answer.message.startswith(REFUSED)
                return Failed(FailureKind.REFUSED if refused else FailureKind.ERROR, answer.message)
            if answer.proof_status == "Completed":
                return Proved()
            if not answer.goals:
                return Failed(FailureKind.ERROR, answer.proof_status)
            self._steps.append(_Step(state.key, tactic))
            key = len(self._steps) - 1
            self._known(process)[key] = answer.proof_state
            return ProofState(key, answer.goals, answer.independent)

        try:
            return await self._slot.run(job)
        except RequestFailed as failure:
            return Failed(failure.kind, str(failure))
        except _Lost as why:
            return Failed(FailureKind.CRASH, str(why))

    async def close(self) -> None:
        """Give the slot back."""
        self._pool.release(self._slot)

    def _known(self, process: Process) -> dict[int, int]:
        """State → the process's number for it."""
        known: dict[int, int] = process.state.setdefault(f"session {id(self)}", {})
        return known

    async def _state(self, process: Process) -> tuple[str, ...]:
        """Elaborate the statement in a process; gives its goals."""
        env = await environment(process, self._header)
        statement = whole_theorem(self._theorem, PLACEHOLDER).text
        command = {"cmd": statement, "env": env, **_restriction(self._theorem)}
        answer = read_answer(CommandAnswer, await process.request(command, OPENING_S))
        if isinstance(answer, ErrorAnswer):
            raise UnsupportedStatement(answer.message)
        for message in answer.messages:
            if message.severity == "error":
                raise UnsupportedStatement(message.data)
        if len(answer.sorries) != 1 or answer.sorries[0].proof_state is None:
            raise UnsupportedStatement(f"the statement has {len(answer.sorries)} places to prove instead of one")
        self._known(process)[0] = answer.sorries[0].proof_state
        return answer.sorries[0].goals or (answer.sorries[0].goal,)

    async def _remote(self, process: Process, key: int) -> int:
        """The process's number for a state, which is made again from the theorem where the process is new."""
        known = self._known(process)
        path = []
        while key not in known and (step := self._steps[key]) is not None:
            path.append((key, step.tactic))
            key = step.parent
        if key not in known:
            await self._state(process)
        for again, tactic in reversed(path):
            request = {"tactic": tactic, "proofState": known[key]}
            answer = read_answer(TacticAnswer, await process.request(request))
            if isinstance(answer, ErrorAnswer):
                raise _Lost(f"the state could not be made again: {answer.message}")
            known[again] = answer.proof_state
            key = again
        return known[key]


async def environment(process: Process, header: str) -> int | None:
    """The process's number for the environment after `header`; None where there is no header."""
    if not header:
        return None
    environments: dict[str, int] = process.state.setdefault("environments", {})
    if header not in environments:
        answer = read_answer(CommandAnswer, await process.request({"cmd": header}, OPENING_S))
        if isinstance(answer, ErrorAnswer):
            raise UnsupportedStatement(answer.message)
        for message in answer.messages:
            if message.severity == "error":
                raise UnsupportedStatement(f"header: {message.data}")
        environments[header] = answer.env
    return environments[header]


class EmbeddedEngine:
    """A pool of Lean processes. `start` gives a running one."""

    info = INFO

    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    @classmethod
    async def start(
        cls, workers: int, limits: Limits = LIMITS, *, spare: int = 1, recycle_after: int = RECYCLE_AFTER
    ) -> Self:
        """Start `workers` processes of the installed engine, each held to `limits`.

        `spare` more are kept warm, and a process is replaced after `recycle_after` requests.

        Raises EngineError when it is not installed or does not start.
        """
        spec = ProcessSpec(command(install.locate(), limits.heartbeats), warm_up=warm_up)
        pool = Pool(spec, workers, limits.timeout_s, limits.memory_mb, recycle_after, spare)
        await pool.start()
        return cls(pool)

    async def open(self, theorem: Theorem) -> EmbeddedSession:
        """Start a session. Raises UnsupportedStatement when Lean does not accept the statement."""
        header = _header(theorem)
        slot = self.pool.assign()
        session = EmbeddedSession(slot, self.pool, theorem, header)
        try:
            await session.start()
        except BaseException:
            self.pool.release(slot)
            raise
        return session

    async def verify(self, theorem: Theorem, proof: str) -> Verdict:
        """Re-elaborate the whole theorem with `proof`; see lean_env.verify.

        Raises UnsupportedStatement when the header is not supported.
        """
        header, whole = f"{_header(theorem)}\n{VERIFICATION_SCOPE}", whole_theorem(theorem, proof)
        if not shown(whole.text):
            return Verdict(VerdictKind.REFUSED, "the text holds a character that cannot be shown")

        async def job(process: Process) -> Verdict:
            parts = {"text": whole.text, "statement": whole.statement, "name": whole.name, **_restriction(theorem)}
            request = {"verify": parts, "env": await environment(process, header)}
            answer = await process.request(request, VERIFICATION_S)
            if "message" in answer:  # Lean broke down over it: a stack that overflowed
                return Verdict(VerdictKind.UNVERIFIED, answer["message"])
            return judge(Facts.model_validate(answer), whole)

        slot = self.pool.assign()
        try:
            return await slot.run(job)
        except RequestFailed as failure:
            return Verdict(VerdictKind.UNVERIFIED, f"{failure.kind.value}: {failure}")
        finally:
            self.pool.release(slot)

    def standalone(self, theorem: Theorem, proof: str) -> str:
        """Prelude, header, statement and proof as a file for any Lean of the same version, without this program.

        Lean does not hold the proof to what is declared before `theorem.before`: a comment says what it was held to.
        """
        header = _header(theorem)
        if theorem.before:
            header = f"{header}\n-- The proof uses nothing that is declared with or after {theorem.before}.".lstrip()
        whole = whole_theorem(theorem, proof)
        return "\n".join(["module", "", install.prelude_source(), *([header, ""] if header else []), whole.text, ""])

    async def close(self) -> None:
        """End every process."""
        await self.pool.close()


def _header(theorem: Theorem) -> str:
    try:
        return elaborated_header(theorem.header)
    except UnsupportedHeader as why:
        raise UnsupportedStatement(str(why)) from why


def _restriction(theorem: Theorem) -> dict[str, str]:
    return {"before": theorem.before} if theorem.before else {}


def command(
    installation: install.Installation, heartbeats: int = LIMITS.heartbeats, snapshots: Mapping[str, int] = SNAPSHOTS
) -> tuple[str, ...]:
    """The command line of one engine process, which holds as many `snapshots` of each kind."""
    settings = {
        "folder": str(installation.folder),
        "library": str(installation.library),
        "prelude": str(installation.prelude),
        "imports": list(INFO.imports),
        "scope": install.prelude_scope() + SCOPE,
        "maxHeartbeats": heartbeats,
        **snapshots,
    }
    here = Path(__file__).parent.resolve()
    # Whatever runs in it reads these folders, writes nothing, and starts nothing but Lean's threads.
    readable = [f"--allow-fs-read={folder}/" for folder in (here, installation.folder.resolve())]
    options = ("--permission", "--allow-worker", *readable, "--require", str(here / "preload.js"))
    stack = f"--stack-size={STACK_KB}"
    return (str(install.node()), *options, stack, str(here / "server.js"), json.dumps(settings))


async def warm_up(process: Process) -> None:
    """The first request of a process: it is ready when it answers."""
    await process.request({"cmd": ""}, OPENING_S)
