"""A worker process: LeanDojo's blocking calls, one request after the other (protocol.py).

python -m lean_env.leandojo.worker '{"url", "commit", "opening_s", "timeout_s", "verification_s"}'
"""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import dataclass
from typing import Any, TextIO

from pydantic import BaseModel

from lean_env.engine import EngineError
from lean_env.leandojo.check import facts
from lean_env.leandojo.dojos import CannotState, Interrupted, OpenDojo, goals, open_dojo
from lean_env.leandojo.guard import provide
from lean_env.leandojo.lean import LeanTimeout, forget_secrets
from lean_env.leandojo.protocol import Lost, Opened, Ready, Unsupported
from lean_env.leandojo.repository import Place, Repository
from lean_env.leandojo.traced import Traced, find

Answer = BaseModel | dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """What a worker is started with: the repository, and the wall limits of its three kinds of work in seconds."""

    url: str
    commit: str
    opening_s: float
    timeout_s: float
    verification_s: float


class Worker:
    """The traced repository and the Dojos that are open."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._traced: Traced | None = None
        self._dojos: dict[str, OpenDojo] = {}

    def answer(self, request: dict[str, Any]) -> Answer:
        """The answer to one request."""
        try:
            if "start" in request:
                return self._start()
            if "open" in request:
                return self._open(request["session"], Place(request["open"]["file"], request["open"]["name"]))
            if "tactic" in request:
                return self._run(request["session"], request["state"], request["tactic"])
            if "close" in request:
                return self._close(request["session"])
            place = Place(request["verify"]["file"], request["verify"]["name"])
            return facts(self._found, place, request["proof"], self._settings.opening_s, self._settings.verification_s)
        except Interrupted as lost:
            return Lost(lost=lost.kind, message=str(lost))
        except CannotState as why:
            return Unsupported(unsupported=str(why))
        except (EngineError, LeanTimeout) as error:
            return {"message": str(error)}

    @property
    def _found(self) -> Traced:
        if self._traced is None:
            self._traced = find(Repository(self._settings.url, self._settings.commit))
            provide(self._traced.folder)
            forget_secrets()  # LeanDojo has used its token by now, and what runs tactics has no use for any
        return self._traced

    def _start(self) -> Answer:
        traced = self._found
        return Ready(lean=traced.lean, leandojo=traced.leandojo, mathlib=traced.mathlib)

    def _open(self, session: str, place: Place) -> Answer:
        self._dojos[session] = open_dojo(self._found, place, self._settings.opening_s, self._settings.timeout_s)
        return Opened(state=0, goals=goals(self._dojos[session].root))

    def _run(self, session: str, state: int, tactic: str) -> Answer:
        answer = self._dojos[session].run(state, tactic)
        if self._dojos[session].gone:
            del self._dojos[session]
        return answer

    def _close(self, session: str) -> Answer:
        self._dojos.pop(session).close()
        return {}


def main(settings: Settings, requests: TextIO, answers: TextIO) -> None:
    """Answer every request until there are no more."""
    worker = Worker(settings)
    for line in requests:
        if line.strip():
            answer = worker.answer(json.loads(line))
            said = answer.model_dump(mode="json") if isinstance(answer, BaseModel) else answer
            print(json.dumps(said, ensure_ascii=False), file=answers, flush=True)


if __name__ == "__main__":
    # Lean ends with its terminal, and that with this process; not so where `nohup` had it ignore that.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    # What LeanDojo and Lake print goes to stderr, as stdout is where the answers go.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers, os.fdopen(os.dup(0), encoding="utf-8") as requests:
        os.dup2(2, 1)
        main(Settings(**json.loads(sys.argv[1])), requests, answers)
