"""The last word on a proof.

A theorem is proved when its statement, byte for byte as given, with the proof in place of its `sorry`, is elaborated as
one command in a fresh environment, without error, resting on Lean's three axioms only and adding nothing but itself and
what elaborating a proof adds; and when Lean's kernel accepts all of that once more, from the environment before it.

What Lean reports decides wherever it can: the syntax tree, the messages, the constants added, the axioms, the kernel.
Text is looked at only where there is nothing else to look at: the header, which is elaborated before all that.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lean_env.engine import Theorem, Verdict, VerdictKind

AXIOMS = frozenset({"propext", "Classical.choice", "Quot.sound"})

# Options that a proof may set: limits of elaboration, and what only changes how things are shown.
HARMLESS_OPTIONS = re.compile(r"maxHeartbeats|maxRecDepth|synthInstance\.max\w+|exponentiation\.threshold|(pp|linter)\.[\w.]+")

# Syntax that puts something else than a checked proof in its place, or runs code of its own while elaborating.
FORBIDDEN_SYNTAX = {
    "Lean.Parser.Term.sorry": "sorry",
    "Lean.Parser.Tactic.tacticSorry": "sorry",
    "Lean.Parser.Tactic.tacticAdmit": "admit",
    "Lean.Parser.Tactic.nativeDecide": "native_decide",
    "Lean.Parser.Tactic.runTac": "run_tac",
    "Lean.Parser.Term.runElab": "run_elab",
    "Lean.Parser.Term.byElab": "by_elab",
    "Lean.Parser.Term.unsafe": "unsafe",
    "Lean.Parser.Term.elabToSyntax": "elab_to_syntax",
}

# What elaborating a theorem's proof may add besides it: auxiliary lemmas, and the definitions of its `match`es.
ADDITIONS = frozenset({"theorem", "definition"})

_HEADER_LINE = re.compile(r"\s*(--.*)?|import\s[\w.\s]+|open\s[\w.\s]+|set_option\s+(?P<option>[\w.]+)\s+\S+")


class UnsupportedHeader(ValueError):
    """The header holds a line that could change what a statement means."""


@dataclass(frozen=True)
class WholeTheorem:
    """A theorem with its proof, as Lean gets it."""

    text: str
    statement: str
    name: str


def whole_theorem(theorem: Theorem, proof: str) -> WholeTheorem:
    """The statement with the tactic block `proof` in place of its closing `sorry`."""
    given = theorem.statement.removesuffix("sorry").rstrip()
    by = "" if given.endswith("by") else " by"
    text = f"{given}{by}\n{textwrap.indent(proof, '  ')}"
    return WholeTheorem(text, theorem.statement, theorem.name.replace("«", "").replace("»", ""))


def elaborated_header(header: str) -> str:
    """The header without its imports, which the engine replaces by its own.

    Raises UnsupportedHeader for anything but `import`, `open`, comments and harmless options: another command could
    change what the statement means, and is elaborated before there is anything that Lean could report.
    """
    kept = []
    for line in header.splitlines():
        match = _HEADER_LINE.fullmatch(line)
        if match is None or (match["option"] and not HARMLESS_OPTIONS.fullmatch(match["option"])):
            raise UnsupportedHeader(f"header line not supported: {line.strip()}")
        if not line.startswith("import"):
            kept.append(line)
    return "\n".join(kept).strip()


def judge(facts: Mapping[str, Any], theorem: WholeTheorem) -> Verdict:
    """The verdict on what the engine reports of a whole theorem (embedded/verification.js)."""
    syntax, axioms = facts["syntax"], tuple(facts["axioms"])

    def refused(reason: str) -> Verdict:
        return Verdict(VerdictKind.REFUSED, reason, axioms)

    if facts["commands"] != 1:
        return refused("the proof ends the theorem and opens another command")
    for kind in syntax["kinds"]:
        if kind in FORBIDDEN_SYNTAX:
            return refused(f"{FORBIDDEN_SYNTAX[kind]} is not a proof")
    for option in syntax["options"]:
        if not HARMLESS_OPTIONS.fullmatch(option):
            return refused(f"a proof may not set the option {option}")
    errors = [message["data"] for message in facts["messages"] if message["severity"] == "error"]
    if errors:
        return Verdict(VerdictKind.FAILED, errors[0], axioms)
    if unsound := [axiom for axiom in axioms if axiom not in AXIOMS]:
        return refused(f"the proof rests on {', '.join(unsound)}")
    for constant in facts["constants"]:
        name, kind = constant["name"], constant["kind"]
        if kind not in ADDITIONS or not _belongs(name, theorem.name):
            return refused(f"the proof adds the {kind} {name}")
    if not facts["sameStatement"]:
        return refused("the theorem proved is not the statement given")
    if facts["kernel"] is not None:
        return refused(f"the kernel does not accept it again: {facts['kernel']}")
    return Verdict(VerdictKind.PROVED, axioms=axioms)


def _belongs(constant: str, theorem: str) -> bool:
    """Whether a constant is the theorem, or an auxiliary one that Lean names after it."""
    name = re.sub(r"^_private\.\w+\.\d+\.", "", constant)
    return name == theorem or name.startswith(f"{theorem}.")
