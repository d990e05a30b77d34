"""The actor on every node: a Lean pool with the searches that use it.

Searches go to the pool, and tactics stay with them: a call from actor to actor takes about a millisecond of processors,
and a theorem is handed out once in some thousand tactics. Only what is asked of models crosses the network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lean_env.engine import EngineInfo, Theorem, UnsupportedStatement
from prover.cluster.blueprint import Blueprint
from prover.cluster.replicas import Replicas
from prover.records import EngineUse, Finding, Outcome
from prover.run import Plan, StandaloneEngine, attempt, engine_use
from search.ensemble import Pot


@dataclass(frozen=True)
class Searched:
    """A theorem that is finished, with the text of its proof's file where it has one.

    `use` is what the pool has done until then.
    """

    finding: Finding
    proof_file: str
    use: EngineUse


class LeanPool:
    """The actor: Lean processes of one node, and the searches on them."""

    def __init__(self, blueprint: Blueprint) -> None:
        self._blueprint = blueprint
        self._sources = {name: Replicas(each.coder) for name, each in blueprint.models.items()}
        self._engine: StandaloneEngine | None = None
        self._plan: Plan | None = None

    async def start(self, processes: int) -> tuple[EngineInfo, Sequence[str]]:
        """Start so many Lean processes; gives what the user should know of them, too.

        Raises EngineError and ModelError.
        """
        said: list[str] = []
        self._engine = await self._blueprint.engine(processes, said.append)
        self._plan = self._blueprint.plan(self._sources)
        return self._engine.info, said

    async def know(self, replicas: Mapping[str, Sequence[Any]]) -> None:
        """Ask these replicas from now on, by the names of their models."""
        for name, source in self._sources.items():
            source.know(replicas[name])

    async def attempt(self, theorem: Theorem, granted: int) -> Searched:
        """Search for a proof of `theorem`, which may spend so many expansions beyond its budget.

        Raises EngineError and ModelError.
        """
        assert self._engine is not None
        assert self._plan is not None
        proof_file = ""
        try:
            finding = Finding(theorem, await attempt(self._engine, theorem, self._plan, Pot(granted)))
        except UnsupportedStatement as why:
            finding = Finding(theorem, None, str(why) or "no reason given")
        if finding.attempt and finding.outcome is Outcome.PROVED:
            proof_file = self._engine.standalone(theorem, finding.attempt.proof)
        return Searched(finding, proof_file, engine_use(self._engine.pool.statistics))

    async def standalone(self, theorem: Theorem, proof: str) -> str:
        """The proof as a file of its own."""
        assert self._engine is not None
        return self._engine.standalone(theorem, proof)

    async def watch(self) -> None:
        """Never answers: the call fails when the actor is lost."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """End the Lean processes."""
        if self._engine is not None:
            await self._engine.close()
