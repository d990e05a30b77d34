"""Fixtures around the real, embedded Lean: installed once, one pool for the whole session."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from lean_env.embedded import install
from lean_env.embedded.engine import EmbeddedEngine, Limits

# What an example takes here depends on what else the machine does.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(scope="session")
async def engine() -> AsyncIterator[EmbeddedEngine]:
    """The embedded engine with two processes; on a busy machine a search of the library takes longer than usual."""
    install.install(lambda step, done, total: None)
    running = await EmbeddedEngine.start(2, Limits(timeout_s=60))
    yield running
    await running.close()


@pytest.fixture(scope="session")
def lean(engine: EmbeddedEngine) -> Callable[[str], Awaitable[list[dict[str, Any]]]]:
    """Runs commands after the prelude; gives Lean's messages."""

    async def run(text: str) -> list[dict[str, Any]]:
        slot = engine.pool.assign()
        try:
            answer = await slot.run(lambda process: process.request({"cmd": text}, 120))
        finally:
            engine.pool.release(slot)
        messages: list[dict[str, Any]] = answer.get("messages", [])
        return messages

    return run


@pytest.fixture(scope="session")
def canonical_valid() -> Path:
    """The canonical miniF2F valid split, which does not come with the project."""
    beside = Path(__file__).parents[2] / "shared" / "data" / "minif2f_valid.jsonl"
    path = Path(os.environ.get("NEFF_MINIF2F", beside))
    if not path.exists():
        pytest.skip(
            f"no canonical statements: set NEFF_MINIF2F to a JSON lines file of miniF2F valid, or put it at {beside}"
        )
    return path
