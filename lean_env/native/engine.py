"""The native engine: the community REPL in a project of its own, behind the interface of lean_env.engine.

The REPL's tactic mode is for searching only: it is known to accept wrong proofs. What counts is the whole theorem,
elaborated as one command in a process in which nothing else has been elaborated.

A session's states are known by number to the process that made them, and made again where that was replaced. The REPL's
own pickles are not used for this: they hold no syntax that was declared (README of leanprover-community/repl), so that
guard.lean and scoped notations would be gone, and reading one imports everything anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Self

from pydantic import ValidationError

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
from lean_env.native.project import Project
from lean_env.native.sandbox import Tool, within
from lean_env.pool import Pool, ProcessSpec, RequestFailed, Slot
from lean_env.process import EndCause, Process
from lean_env.repl import ProcessDied
from lean_env.verify import (
    VERIFICATION_SCOPE,
    Constant,
    Facts,
    Message,
    UnsupportedHeader,
    WholeTheorem,
    elaborated_header,
    imported,
    judge,
    shown,
    whole_theorem,
)
from lean_env.wire import Answer, AnswerModel, CommandAnswer, ErrorAnswer, TacticAnswer, read_answer

IMPORTING_S = 300.0  # wall limit for importing what a header imports; the first time may read gigabytes
OPENING_S = 60.0  # wall limit for elaborating a statement
VERIFICATION_S = 300.0  # wall limit for elaborating a whole proof
RECYCLE_AFTER = 5_000  # requests: the REPL forgets no state
PROOFS_A_PROCESS = 1  # whatever a tactic did to a process, and one proof to another, verification does not see

GUARD = (files(__package__) / "guard.lean").read_text(encoding="utf-8")
_REFUSED = re.compile(r"neff refuses: (?P<reason>[^\n]*)")

# A theorem of its own, in whose proof state texts are given to Lean's parser.
_STAGE = "theorem neff_stage : True := by sorry"

_AXIOMS = re.compile(r"'.+' (does not depend on any axioms|depends on axioms: \[(?P<names>[^\]]*)\])", re.DOTALL)
_VERSION = re.compile(r'"(?P<version>[^",]+).*"', re.DOTALL)

# A name that is put into a command of ours.
_PART = r"(«[^»\n]+»|[^\W\d][\w'!?]*)"
_NAME = re.compile(rf"{_PART}(\.{_PART})*")


@dataclass(frozen=True)
class Limits:
    """What one tactic may take, in wall seconds, and one process with its children, in MiB resident.

    A process that has imported Mathlib shows 3 to 6 GiB, most of it files that all of them share.
    """

    timeout_s: float = 10.0
    memory_mb: int = 12_288


@dataclass(frozen=True)
class _Step:
    """How a proof state came about."""

    parent: int
    tactic: str


@dataclass(frozen=True)
class _Place:
    """Where a theorem is elaborated in a process: an environment, and a proof state in it to parse texts in."""

    env: int
    stage: int


class _Lost(Exception):
    """A state could not be made again in another process; the text says why."""


class NativeSession:
    """A theorem on one slot of the pool. Its states are known by number, and made again when a process was replaced."""

    def __init__(self, slot: Slot, pool: Pool, theorem: Theorem, imports: tuple[str, ...], header: str) -> None:
        self._slot = slot
        self._pool = pool
        self._theorem = theorem
        self._imports = imports
        self._header = header
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
        if not shown(tactic):
            return Failed(FailureKind.REFUSED, "the tactic holds a character that cannot be shown")

        async def job(process: Process) -> TacticResult:
            result = _result(await _tactic(process, guarded(tactic), await self._remote(process, state.key)))
            if not isinstance(result, TacticAnswer):
                return result
            self._steps.append(_Step(state.key, tactic))
            key = len(self._steps) - 1
            self._known(process)[key] = result.proof_state
            return ProofState(key, result.goals)

        try:
            return await self._slot.run(job)
        except RequestFailed as failure:
            return Failed(failure.kind, str(failure))
        except _Lost as why:
            return Failed(FailureKind.CRASH, str(why))
        except UnsupportedStatement as why:  # which Lean has taken before
            return Failed(FailureKind.CRASH, f"the statement was not taken again: {why}")

    async def close(self) -> None:
        """Give the slot back."""
        self._pool.release(self._slot)

    def _known(self, process: Process) -> dict[int, int]:
        """State → the process's number for it."""
        known: dict[int, int] = process.state.setdefault(f"session {id(self)}", {})
        return known

    async def _state(self, process: Process) -> tuple[str, ...]:
        """Elaborate the statement in a process; gives its goals."""
        place = await _place(process, self._imports, self._header)
        if objection := await _objection(process, place, whole_theorem(self._theorem, "skip"), self._theorem.name):
            raise UnsupportedStatement(objection.reason)
        answer = await _command(process, whole_theorem(self._theorem, "sorry").text, place.env, OPENING_S)
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
            result = _result(await _tactic(process, guarded(tactic), known[key]))
            if not isinstance(result, TacticAnswer):
                raise _Lost(f"the state could not be made again: {result}")
            known[again] = result.proof_state
            key = again
        return known[key]


class NativeEngine:
    """A pool of REPLs that search, and one REPL at a time for verifying. `start` gives a running one."""

    def __init__(self, pool: Pool, verifying: Pool, info: EngineInfo) -> None:
        self.pool = pool
        self.info = info
        self._verifying = verifying

    @classmethod
    async def start(
        cls, project: Project, workers: int, limits: Limits | None = None, tool: Tool | None = None
    ) -> Self:
        """Start `workers` REPLs in `project`, each held to `limits`, and in a sandbox that `tool` makes, if any.

        Raises EngineError when the REPL does not start, or does not import what the project should have.
        """
        limits = limits or Limits()
        imports = ("Mathlib",) if project.mathlib else ("Init",)
        versions: list[str] = []

        async def warm_up(process: Process) -> None:
            try:
                place = await _place(process, imports, "")
                answer = await _command(process, "#eval Lean.versionString", place.env, OPENING_S)
            except UnsupportedStatement as why:
                raise EngineError(
                    f"the REPL does not take `import {imports[0]}` in {project.folder} ({_line(str(why))}): run lake"
                    " build there, for Mathlib lake exe cache get before it, and build the REPL with the same Lean"
                ) from why
            said = answer.messages[0].data if answer.messages else ""
            versions.append(match["version"] if (match := _VERSION.fullmatch(said)) else "of unknown version")

        command = within(project.repl, tool, project.folder) if tool else project.repl
        spec = ProcessSpec(command, warm_up, cwd=project.folder, start_limit_s=IMPORTING_S)
        pool = Pool(spec, workers, limits.timeout_s, limits.memory_mb, RECYCLE_AFTER)
        await pool.start()
        verifying = Pool(spec, 1, VERIFICATION_S, limits.memory_mb, PROOFS_A_PROCESS, spare=0)
        try:
            await verifying.start()
        except BaseException:
            await pool.close()
            raise
        version = ", ".join([f"Lean {versions[0]}", *([f"Mathlib {project.revision}"] if project.revision else [])])
        return cls(pool, verifying, EngineInfo("repl", version, project.mathlib, imports))

    async def open(self, theorem: Theorem) -> NativeSession:
        """Start a session. Raises UnsupportedStatement when Lean does not accept the statement."""
        imports, header = self._header(theorem)
        slot = self.pool.assign()
        session = NativeSession(slot, self.pool, theorem, imports, header)
        try:
            await session.start()
        except BaseException:
            self.pool.release(slot)
            raise
        return session

    async def verify(self, theorem: Theorem, proof: str) -> Verdict:
        """Elaborate the whole theorem with `proof` in a fresh process, and ask which axioms it rests on.

        Raises UnsupportedStatement when the header is not supported.
        """
        (imports, header), whole = self._header(theorem), whole_theorem(theorem, proof)
        if not shown(whole.text):
            return Verdict(VerdictKind.REFUSED, "the text holds a character that cannot be shown")

        async def job(process: Process) -> Verdict:
            place = await _place(process, imports, f"{header}\n{VERIFICATION_SCOPE}".lstrip())
            if objection := await _objection(process, place, whole, theorem.name):
                return objection
            return judge(await _facts(process, place, whole, theorem.name), whole)

        slot = self._verifying.assign()
        try:
            return await slot.run(job)
        except RequestFailed as failure:
            return Verdict(VerdictKind.UNVERIFIED, f"{failure.kind.value}: {failure}")
        finally:
            self._verifying.release(slot)

    def standalone(self, theorem: Theorem, proof: str) -> str:
        """Imports, header, statement and proof as a file of the project."""
        imports, header = self._header(theorem)
        parts = ["\n".join(f"import {module}" for module in imports), header, whole_theorem(theorem, proof).text]
        return "\n\n".join(part for part in parts if part) + "\n"

    async def close(self) -> None:
        """End every process."""
        await self._verifying.close()
        await self.pool.close()

    def _header(self, theorem: Theorem) -> tuple[tuple[str, ...], str]:
        """What is imported before a theorem, and the rest of its header."""
        if theorem.before:
            raise UnsupportedStatement("only the embedded engine holds a proof to what stands before a library theorem")
        if not _NAME.fullmatch(theorem.name):
            raise UnsupportedStatement(f"{theorem.name!a} is no name")
        try:
            return imported(theorem.header) or self.info.imports, elaborated_header(theorem.header)
        except UnsupportedHeader as why:
            raise UnsupportedStatement(str(why)) from why


def guarded(tactic: str) -> str:
    """Tactic text for the REPL, which runs it unless it holds what a proof may not (guard.lean).

    Several lines become a block in parentheses, where columns mean what they mean in a proof.
    """
    return f"neff_tactic\n(\n{tactic}\n)" if "\n" in tactic else f"neff_tactic {tactic}"


async def _place(process: Process, imports: tuple[str, ...], header: str) -> _Place:
    """Where a theorem with these imports and this header is elaborated; each is elaborated once in a process.

    Raises UnsupportedStatement.
    """
    places: dict[tuple[tuple[str, ...], str], _Place] = process.state.setdefault("places", {})
    if (imports, header) not in places:
        if header:
            env = (await _command(process, header, (await _place(process, imports, "")).env, OPENING_S)).env
        else:
            text = "\n".join(f"import {module}" for module in imports)
            env = (await _command(process, text, None, IMPORTING_S)).env
            env = (await _command(process, GUARD, env, OPENING_S)).env
        answer = await _command(process, _STAGE, env, OPENING_S)
        if not answer.sorries or answer.sorries[0].proof_state is None:
            raise _no_answer(process, answer.model_dump())
        places[imports, header] = _Place(env, answer.sorries[0].proof_state)
    return places[imports, header]


async def _objection(process: Process, place: _Place, whole: WholeTheorem, name: str) -> Verdict | None:
    """Why a whole theorem may not be elaborated: it does not parse, is not that of `name`, or holds what it may not."""
    text = f"neff_theorem {name}\n{whole.statement}\nneff_against\n{whole.text}"
    result = _result(await _tactic(process, text, place.stage, OPENING_S))
    if isinstance(result, Failed):
        return Verdict(
            VerdictKind.REFUSED if result.kind is FailureKind.REFUSED else VerdictKind.FAILED, result.message
        )
    return None


async def _facts(process: Process, place: _Place, whole: WholeTheorem, name: str) -> Facts:
    """The facts about a whole theorem against which there is no objection: its statement is the one given."""
    answer = await _ask(process, CommandAnswer, {"cmd": whole.text, "env": place.env}, VERIFICATION_S)
    if isinstance(answer, ErrorAnswer):
        return _read_facts([Message(severity="error", data=answer.message)])
    messages = [Message(severity=message.severity, data=message.data) for message in answer.messages]
    if any(message.severity == "error" for message in messages):
        return _read_facts(messages)
    asked = await _ask(process, CommandAnswer, {"cmd": f"#print axioms _root_.{name}", "env": answer.env}, OPENING_S)
    said = asked.messages[0].data if isinstance(asked, CommandAnswer) and asked.messages else ""
    found = _AXIOMS.fullmatch(said.strip())
    if found is None:
        return _read_facts(messages)
    axioms = tuple(axiom.strip() for axiom in (found["names"] or "").split(",") if axiom.strip())
    return _read_facts(messages, (Constant(name=whole.name, kind="theorem"),), axioms)


def _read_facts(messages: list[Message], constants: tuple[Constant, ...] = (), axioms: tuple[str, ...] = ()) -> Facts:
    """Facts of a theorem that guard.lean let pass, and that the kernel accepted when Lean added it."""
    return Facts(
        refusal=None,
        messages=tuple(messages),
        constants=constants,
        sameStatement=True,
        axioms=axioms,
        late=(),
        kernel=None,
    )


def _result(answer: TacticAnswer | ErrorAnswer) -> TacticAnswer | Proved | Failed:
    """What an answer of the REPL's tactic mode means: a state with goals is the answer itself."""
    errors = (
        [answer.message]
        if isinstance(answer, ErrorAnswer)
        else [m.data for m in answer.messages if m.severity == "error"]
    )
    if errors:
        text = "\n".join(errors)
        if refused := _REFUSED.search(text):
            return Failed(FailureKind.REFUSED, refused["reason"])
        return Failed(FailureKind.ERROR, text)
    assert isinstance(answer, TacticAnswer)
    if answer.sorries:  # a tactic that was not refused made one of its own
        return Failed(FailureKind.REFUSED, "sorry is not a proof")
    if answer.goals:
        return answer
    if answer.proof_status.startswith("Incomplete"):
        return Failed(FailureKind.ERROR, answer.proof_status)
    return Proved()


async def _command(process: Process, text: str, env: int | None, limit_s: float) -> CommandAnswer:
    """Lean's answer to a command that has to be accepted. Raises UnsupportedStatement with Lean's reason."""
    request = {"cmd": text} if env is None else {"cmd": text, "env": env}
    answer = await _ask(process, CommandAnswer, request, limit_s)
    if isinstance(answer, ErrorAnswer):
        raise UnsupportedStatement(answer.message)
    for message in answer.messages:
        if message.severity == "error":
            raise UnsupportedStatement(message.data)
    return answer


async def _tactic(process: Process, text: str, state: int, limit_s: float | None = None) -> TacticAnswer | ErrorAnswer:
    return await _ask(process, TacticAnswer, {"tactic": text, "proofState": state}, limit_s)


async def _ask(
    process: Process, model: type[AnswerModel], request: Mapping[str, Any], limit_s: float | None
) -> AnswerModel | ErrorAnswer:
    answer = await process.request(request, limit_s)
    try:
        return read_answer(model, answer)
    except ValidationError as error:
        raise _no_answer(process, answer) from error


def _no_answer(process: Process, printed: Answer) -> ProcessDied:
    """The end of a process that printed something else than an answer, such as an initialiser of the project prints it.

    Its answer may still come, and would be taken for that of the next request.
    """
    process.end(EndCause.CRASH)
    return ProcessDied(None, f"it printed what is no answer: {json.dumps(printed, default=str)[:100]}")


def _line(text: str) -> str:
    return " ".join(text.split())[:300]
