"""The command `prove minimize`: shorter proofs of what is proved already, each verified again."""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prover import parts
from prover.options import DEFAULT_TIMEOUT_S, InputError, TimeoutOption, WorkersOption, option

if TYPE_CHECKING:
    from lean_env.engine import Theorem
    from prover.run import StandaloneEngine

# One of these often ends a proof that took several tactics; the shortest are tried first.
CLOSERS = ("rfl", "simp", "omega", "grind", "decide", "simp_all", "assumption", "contradiction")


@dataclass(frozen=True)
class Minimized:
    """What became of one proof; `why_not` says why it stays as it was."""

    theorem: Theorem
    before: str
    after: str
    why_not: str = ""


def minimize(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="RUN|FILE.lean...", help="Folders of runs, or files from the proofs/ folder of one."),
    ],
    out: Annotated[Path, option(panel="Run", metavar="DIR", help="Where the shorter proofs go, a file each.")] = Path(
        "minimized"
    ),
    timeout: TimeoutOption = DEFAULT_TIMEOUT_S,
    workers: WorkersOption = 1,
) -> None:
    """Leave out of proofs what they do not need, and prefer shorter tactics. What is written is verified.

    A proof that cannot be made shorter is written as it was. Exit status 1 when one is not proved to begin with.
    """
    done = asyncio.run(_minimize(sources, out, timeout, workers))
    for one in done:
        said = f"unchanged, {one.why_not}" if one.why_not else f"{_size(one.before)} -> {_size(one.after)}"
        typer.echo(f"{one.theorem.name}: {said}")
    if any(not one.after for one in done):
        raise typer.Exit(1)


async def _minimize(sources: list[Path], out: Path, timeout_s: float, workers: int) -> list[Minimized]:
    from lean_env.embedded.engine import Limits
    from prover.store import proof_file

    engine = await parts.start_engine(workers, Limits(timeout_s))
    try:
        proofs = [each for source in sources for each in _read(engine, source)]
        names = [theorem.name for theorem, _ in proofs]
        if twice := [name for place, name in enumerate(names) if name in names[:place]]:
            raise InputError(f"there are two proofs of {twice[0]}: give one, or minimize them one after the other")

        async def kept(theorem: Theorem, proof: str) -> Minimized:
            one = await _one(engine, theorem, proof)
            if one.after:
                text = engine.standalone(theorem, one.after)
                (out / proof_file(theorem.name)).write_text(text, encoding="utf-8", newline="\n")
            return one

        try:
            out.mkdir(parents=True, exist_ok=True)
            return await asyncio.gather(*(kept(theorem, proof) for theorem, proof in proofs))
        except OSError as error:
            raise InputError(f"cannot write into {out} ({error.strerror}): give another --out") from error
    finally:
        await engine.close()


async def _one(engine: StandaloneEngine, theorem: Theorem, proof: str) -> Minimized:
    from search.known import KnownResults
    from search.minimize import minimized

    first = await engine.verify(theorem, proof)
    if not first.proved:
        return Minimized(theorem, proof, "", f"it is {first.kind.value} and not proved")
    session = await engine.open(theorem)
    try:
        known = KnownResults(session)
        lines = await minimized(known, _tactics(proof), CLOSERS)
        whole = await minimized(known, (proof,), CLOSERS)
    finally:
        await session.close()
    shorter = min((proof, "\n".join(lines), *whole), key=lambda text: (len(_tactics(text)), len(text)))
    if shorter == proof:
        return Minimized(theorem, proof, proof, "nothing in it can be left out")
    again = await engine.verify(theorem, shorter)
    if not again.proved:
        return Minimized(theorem, proof, proof, f"as what is shorter is {again.kind.value}")
    return Minimized(theorem, proof, shorter)


def _tactics(proof: str) -> list[str]:
    """The tactics of a block: a line that is indented, or begins an alternative, goes on with the one before."""
    tactics: list[str] = []
    for line in proof.splitlines():
        if tactics and (not line.strip() or line[0].isspace() or line[0] == "|"):
            tactics[-1] += f"\n{line}"
        else:
            tactics.append(line)
    return tactics


def _size(proof: str) -> str:
    count = len(_tactics(proof))
    return f"{count} {'tactic' if count == 1 else 'tactics'}, {len(proof)} characters"


def _read(engine: StandaloneEngine, source: Path) -> list[tuple[Theorem, str]]:
    """The theorems of a run or of a file with their proofs. Raises InputError."""
    from prover.lean_text import LeanTextError, read_proof_file
    from prover.store import DATABASE, Store

    if (source / DATABASE).exists():
        with closing(Store(source)) as store:
            lean = store.settings().get("engine", engine.info.name)
            if lean != engine.info.name:
                raise InputError(
                    f"{source} is a run of the engine {lean}, and minimize has {engine.info.name} alone, which may"
                    f" judge otherwise: give a run of {engine.info.name}"
                )
            found = [(f.theorem, f.attempt.proof) for f in store.findings() if f.attempt and f.attempt.proof]
        if not found:
            raise InputError(f"{source} holds no proofs: give a run that proved something")
        return found
    try:
        text = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {source}: give the folder of a run, or a .lean file from its proofs/") from error
    try:
        theorem, proof = read_proof_file(engine, text)
    except LeanTextError as error:
        raise InputError(f"{source} {error}") from error
    if "-- The proof uses nothing that is declared with or after" in theorem.header:
        raise InputError(f"{source} was held to a part of the library: give the folder of its run")
    return [(theorem, proof)]
