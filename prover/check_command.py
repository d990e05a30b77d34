"""The command `prove check`: proofs that a run has written, verified again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prover import parts
from prover.options import (
    DEFAULT_TIMEOUT_S,
    EngineName,
    EngineOption,
    InputError,
    LeanMemoryOption,
    ProjectOption,
    ReplOption,
    SandboxOption,
    WorkersOption,
    one_line,
)

if TYPE_CHECKING:
    from lean_env.engine import Verdict
    from prover.parts import NativeStart


def check(
    context: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE.lean...", help="Files from the proofs/ folder of a run.")
    ],
    workers: WorkersOption = 1,
    engine: EngineOption = EngineName.EMBEDDED,
    project: ProjectOption = None,
    repl: ReplOption = None,
    lean_memory: LeanMemoryOption = None,
    sandbox: SandboxOption = None,
) -> None:
    """Verify proofs that a run has written, and print a verdict a file. Exit status 1 unless all are proved."""
    texts = [_read(file) for file in files]
    verdicts = asyncio.run(_check(files, texts, workers, parts.native_engine(context.params)))
    for file, verdict in zip(files, verdicts, strict=True):
        typer.echo(f"{file}: {verdict.kind.value}" + (f": {one_line(verdict.reason)}" if verdict.reason else ""))
    if not all(verdict.proved for verdict in verdicts):
        raise typer.Exit(1)


async def _check(files: list[Path], texts: list[str], workers: int, native: NativeStart | None) -> list[Verdict]:
    from prover.lean_text import LeanTextError, read_proof_file

    engine = await parts.own_engine(native, workers, DEFAULT_TIMEOUT_S)
    try:
        proofs = []
        for file, text in zip(files, texts, strict=True):
            try:
                proofs.append(read_proof_file(engine, text))
            except LeanTextError as error:
                raise InputError(f"{file} {error}") from error
        return await asyncio.gather(*(engine.verify(theorem, proof) for theorem, proof in proofs))
    finally:
        await engine.close()


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"cannot read {file} ({reason}): give a .lean file from a run's proofs/ folder") from error
