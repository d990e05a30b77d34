"""What Lean says to LeanDojo, from the embedded Lean: the REPL of Lean4Repl.lean, and `lean` on whole files.

Real Lean elaborates, prints and checks: the embedded server, made to answer as a native one (native_repl.js). What it
cannot do is done here: the loop of Lean4Repl.lean, which needs more meta code than it can load.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
from pathlib import Path
from typing import Any

from leandojo_lake import REPL_PROOF

from lean_env.embedded import engine as embedded
from lean_env.embedded import install as install_engine
from lean_env.engine import FailureKind, ProofState, Proved, Theorem
from lean_env.leandojo.guard import MODULE, SOURCE
from lean_env.pool import Pool, ProcessSpec
from lean_env.process import Process
from lean_env.wire import CommandAnswer, read_answer

PLACEHOLDER = "by\n  exact no_implicit_lambda% sorry\n"


def pool() -> Pool:
    """Two processes of the embedded Lean that elaborate what they are given, as a native one does."""
    node, *server = embedded.command(install_engine.locate())
    script = Path(__file__).with_name("native_repl.js")
    command = (node, f"--allow-fs-read={script}", "--require", str(script), *server)
    env = {**os.environ, "LEAN_EMBEDDED": str(Path(embedded.__file__).parent)}
    return Pool(ProcessSpec(command, embedded.warm_up, env), 2, 60.0, 900, embedded.RECYCLE_AFTER)


class FileSession(embedded.EmbeddedSession):
    """The state at the last `sorry` of a whole file, errors elsewhere or not."""

    def __init__(self, pool: Pool, text: str) -> None:
        header, self._text = _imported(text)
        super().__init__(pool.assign(), pool, Theorem("", ""), header)
        self.said: list[str] = []

    async def _state(self, process: Process) -> tuple[str, ...]:
        answer = read_answer(CommandAnswer, await process.request(await command(process, self._header, self._text)))
        assert isinstance(answer, CommandAnswer), answer
        self.said = [f"{m.pos.line}:{m.pos.column}: {m.severity}: {m.data}" for m in answer.messages]
        sorry = answer.sorries[-1]
        assert sorry.proof_state is not None
        assert sorry.goals is not None
        self._known(process)[0] = sorry.proof_state
        return sorry.goals


class LakeServer:
    """Serves every `lake` of a test. A client that goes takes what runs for it with it, as a killed Lean does."""

    def __init__(self, pool: Pool, path: Path) -> None:
        self._pool = pool
        self._path = path
        self.texts: list[str] = []  # of the files that were elaborated
        self.clients = 0  # now

    async def __aenter__(self) -> LakeServer:
        self._server = await asyncio.start_unix_server(self._client, self._path, limit=1 << 24)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines: asyncio.Queue[str | None] = asyncio.Queue()

        async def read() -> None:
            while line := await reader.readline():
                lines.put_nowait(line.decode())
            lines.put_nowait(None)

        async def serve() -> None:
            file = json.loads(await lines.get() or "{}")
            self.texts.append(text := file["text"])
            repl = REPL_PROOF in text
            code = await (self._repl(text, lines, say) if repl else self._file(text, file["json"], say))
            writer.write(json.dumps({"exit": code}).encode() + b"\n")
            await writer.drain()

        def say(line: str) -> None:
            writer.write(json.dumps({"line": line}).encode() + b"\n")

        self.clients += 1
        reading, serving = asyncio.create_task(read()), asyncio.create_task(serve())
        await asyncio.wait({reading, serving}, return_when=asyncio.FIRST_COMPLETED)
        for task in (reading, serving):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            await serving
        self.clients -= 1
        writer.close()

    async def _repl(self, text: str, lines: asyncio.Queue[str | None], say: Any) -> int:
        def respond(sid: int | None, state: str | None, error: str | None) -> None:
            say("REPL> " + json.dumps({"sid": sid, "tacticState": state, "error": error}, ensure_ascii=False))

        session = FileSession(self._pool, text.split(REPL_PROOF)[0] + PLACEHOLDER)
        try:
            await session.start()
            for message in session.said:
                say(message.splitlines()[0])
            states = [session.root]
            respond(0, session.root.text, None)
            while line := await lines.get():
                request = json.loads(line)
                match request["cmd"].removeprefix("neff_tactic "):
                    case "lean_exits":
                        return 3
                    case "lean_is_out_of_memory":
                        return 137
                    case "lean_is_killed":
                        return -signal.SIGKILL
                    case "lean_prints_half":
                        say('REPL> {"sid": 1, "tacticSt')
                        continue
                    case "lean_answers_late":
                        await asyncio.sleep(4)
                        respond(1, "⊢ the late answer", None)
                        continue
                result = await session.run(states[request["sid"]], request["cmd"])
                if isinstance(result, ProofState):
                    states.append(result)
                    respond(len(states) - 1, result.text, None)
                elif isinstance(result, Proved):
                    states.append(session.root)
                    respond(len(states) - 1, "no goals", None)
                elif result.kind is FailureKind.TIMEOUT:
                    await asyncio.sleep(3600)  # Lean itself has no limit
                elif result.kind is FailureKind.CRASH:
                    return 134
                else:
                    hole = "contains sorry" in result.message
                    respond(None, None, "proof contains `sorry`" if hole else result.message)
            return 0
        finally:
            await session.close()

    async def _file(self, text: str, as_json: bool, say: Any) -> int:
        """What `lean` says about a file, in JSON or in words."""
        before, asked, behind = text.partition("\n#print axioms ")
        name, _, rest = behind.partition("\n")
        line = before.count("\n")
        header, before = _imported(before)

        async def job(process: Process) -> list[dict[str, Any]]:
            answer = await process.request(await command(process, header, before))
            found = _placed(answer, 0)
            if asked:
                env = answer["env"]
                found += _placed(await process.request({"cmd": f"#print axioms {name}", "env": env}), line + 1)
                found += _placed(await process.request({"cmd": rest, "env": env}), line + 2)
            return found

        slot = self._pool.assign()
        try:
            messages = await slot.run(job)
        finally:
            self._pool.release(slot)
        for message in messages:
            pos = message["pos"]
            in_words = f"Check.lean:{pos['line']}:{pos['column']}: {message['severity']}: {message['data']}"
            in_json = json.dumps({**message, "fileName": "Check.lean", "caption": "", "kind": "[anonymous]"})
            say(in_json if as_json else in_words)
        return int(any(message["severity"] == "error" for message in messages))


def _placed(answer: dict[str, Any], lines: int) -> list[dict[str, Any]]:
    """The messages of an answer, of a text that begins so many lines down; `lean --json` spells out information."""
    return [
        {**m, "severity": "information" if m["severity"] == "info" else m["severity"]}
        | {"pos": {**m["pos"], "line": m["pos"]["line"] + lines}}
        for m in answer.get("messages", ())
    ]


async def command(process: Process, header: str, text: str) -> dict[str, Any]:
    """The request that elaborates `text` after `header`."""
    env = await embedded.environment(process, header)
    # Of nothing but space the embedded Lean says that it ends too early.
    return {"cmd": text if text.strip() else ""} | ({} if env is None else {"env": env})


def _imported(text: str) -> tuple[str, str]:
    """What a file imports that the embedded Lean has not, the guard, and the file without imports, line by line."""
    guard = SOURCE.read_text(encoding="utf-8") if re.search(f"^import {MODULE}$", text, re.MULTILINE) else ""
    return guard, re.sub(r"^import .*$", "", text, flags=re.MULTILINE)
