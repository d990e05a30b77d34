"""Calls to actors: what they raise here is what was raised there, and losses can be told from it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from ray.exceptions import (
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayActorError,
    RaySystemError,
    RayTaskError,
    WorkerCrashedError,
)

from lean_env.engine import EngineError

T = TypeVar("T")

# The actor, its node, or the answer on its way is gone. Nothing is known of what the actor did.
LOST = (RayActorError, NodeDiedError, ObjectLostError, OutOfMemoryError, WorkerCrashedError)


async def call(answer: Awaitable[T]) -> T:
    """The answer of an actor. Raises LOST, what the actor raises, and EngineError where it has another program."""
    try:
        return await answer
    except LOST:
        raise
    except RayTaskError as error:  # wraps what was raised, with its traceback in the message
        if isinstance(error.cause, RaySystemError):
            why = str(error.cause).strip().splitlines()[-1]
            raise EngineError(f"a node cannot read what it is sent ({why}): install the same version there") from error
        raise error.cause from None
