"""Lean text as people type it and as a run writes it: one theorem, with a proof or without."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from lean_env.engine import Theorem, UnsupportedStatement

if TYPE_CHECKING:
    from prover.run import StandaloneEngine

# A name in guillemets may hold anything; any other ends where a binder, the colon or a space begins.
_NAME = re.compile(r"theorem\s+((?:«[^»]*»|[^\s(){}\[\]⦃⦄:«»])+)")
_PLACEHOLDER = re.compile(r"(:=\s*by\s+sorry|:=\s*by|:=\s*sorry|:=)?\s*\Z")

_SMALLEST = Theorem("t", "theorem t : True := by sorry")


class LeanTextError(ValueError):
    """The text is not what it should be. One line, with the mend."""


def theorem_of(text: str) -> Theorem:
    """The theorem that `text` states, its closing `:= by sorry` there or not. Raises LeanTextError."""
    text = text.strip()
    name = _NAME.match(text)
    if not name:
        said = textwrap.shorten(text, 60)
        raise LeanTextError(f'{said!r} is not a theorem: write "theorem NAME (x : ℕ) : x ≤ x + 1", in quotes')
    return Theorem(name[1], _PLACEHOLDER.sub("", text).rstrip() + " := by sorry")


def with_proof(theorem: Theorem, proof: str) -> str:
    """The theorem with its tactic block in place of `sorry`."""
    return f"{theorem.statement.removesuffix('sorry').rstrip()}\n{textwrap.indent(proof, '  ')}"


def read_proof_file(engine: StandaloneEngine, text: str) -> tuple[Theorem, str]:
    """What a file of proofs/ states and its proof. Raises LeanTextError when a run with this engine did not write it.

    Where the statement ends cannot be read off the text with certainty, as terms may hold `:= by` too. So every place
    is tried, and the right one is where writing the file again gives it byte for byte.
    """
    prelude, _, _ = engine.standalone(_SMALLEST, "trivial").rpartition("theorem")
    if not text.startswith(prelude):
        raise LeanTextError("does not begin with this engine's prelude: give a file that this version of prove wrote")
    rest = text[len(prelude) :]
    if start := re.search(r"^theorem\b", rest, re.MULTILINE):
        header, body = rest[: start.start()].strip(), rest[start.start() :]
        for end in re.finditer(r":=\s*by\b", body):
            theorem = _stated(body[: end.end()] + " sorry", header)
            proof = _unindent(body[end.end() :].strip("\n"))
            try:
                written = engine.standalone(theorem, proof)
            except UnsupportedStatement as why:
                raise LeanTextError(f"holds what no run writes: {why}; give a file from DIR/proofs") from why
            if written.rstrip() == text.rstrip():
                return theorem, proof
    raise LeanTextError("was not written by a run, or was changed since: give a file from DIR/proofs")


def _stated(statement: str, header: str) -> Theorem:
    name = _NAME.match(statement)
    if not name:
        raise LeanTextError(f"names no theorem in {textwrap.shorten(statement, 60)!r}: give a file from DIR/proofs")
    return Theorem(name[1], statement, header)


def _unindent(proof: str) -> str:
    """The inverse of `textwrap.indent(proof, "  ")`, which leaves blank lines as they are."""
    lines = proof.splitlines(keepends=True)
    return "".join(line.removeprefix("  ") if line.strip() else line for line in lines)
