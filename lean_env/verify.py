"""The last word on a proof.

A theorem is proved when its statement, byte for byte as given, with the proof in place of its `sorry`, is elaborated as
one command in a fresh environment, without error, resting on Lean's three axioms only and adding nothing but itself and
what elaborating a proof adds; and when Lean's kernel accepts all of that once more, from the environment before it.

What Lean reports decides wherever it can: the syntax tree before anything of it is elaborated, the messages, the
constants added, the axioms, the kernel. Text is looked at only where there is nothing else to look at: for characters
that cannot be shown, so that a reader and Lean see the same text, and in the header, which comes before all that.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from lean_env.engine import Theorem, Verdict, VerdictKind

AXIOMS = frozenset({"propext", "Classical.choice", "Quot.sound"})

# Options that a header may set: limits of elaboration, names, and what only changes how things are shown. A proof may
# set the same (embedded/permitted.js).
HARMLESS_OPTIONS = re.compile(
    r"maxHeartbeats|maxRecDepth|synthInstance\.max\w+|exponentiation\.threshold|tactic\.hygienic|(pp|linter)(\.\w+)+"
)

# The heartbeats of a header are no measure of a whole proof: what ends a verification is the engine's wall limit.
VERIFICATION_SCOPE = "set_option maxHeartbeats 0"

# What elaborating a theorem's proof may add besides it: auxiliary lemmas, and the definitions of its `match`es.
ADDITIONS = frozenset({"theorem", "definition"})

# What Lean makes of a constant of the library when a tactic first needs it (`split`, `fun_induction`, `grind`), under
# names that it reserves. The kernel checks it like all that a proof adds.
_RESERVED = re.compile(
    r".+\.(hcongr_\d+|congr_simp|(congr_)?eq_\d+|eq_def|eq_unfold|match_\d+\.splitter"
    r"|((mutual_)?induct|fun_cases)(_unfolding)?)"
)

# A line of the header. Namespaces begin with a capital and commands do not, so that `open` takes no command with it.
_NAMESPACE = r"[A-Z]\w*(\.[A-Z]\w*)*"
_HEADER_LINE = re.compile(
    rf"\s*(--.*)?|import(\s+{_NAMESPACE})+\s*|open(\s+scoped)?(\s+{_NAMESPACE})+\s*"
    r"|set_option\s+(?P<option>[\w.]+)\s+(true|false|[0-9]+)\s*"
    # A lemma taken out of what `simp` or `grind` may use by itself: no statement means anything else without it.
    r"|attribute\s+\[-(simp|grind)\]\s+[^\W\d][\w'!?]*(\.[^\W\d][\w'!?]*)*\s*"
)

# Errors that only say that a limit of Lean's ran out.
_LIMIT_REACHED = re.compile(
    r"maximum number of heartbeats|maximum recursion depth"
    r"|\(kernel\) (deterministic timeout|deep recursion|out of memory)"
)

_PART_IN_GUILLEMETS = re.compile(r"«([^».]*[^».0-9][^».]*)»")


class UnsupportedHeader(ValueError):
    """The header holds a line that could change what a statement means."""


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True)


class Message(_Wire):
    """What Lean says about the proof."""

    severity: str
    data: str


class Constant(_Wire):
    """What the proof adds to the environment: its name, and whether it is a definition, a theorem, an axiom, …"""

    name: str
    kind: str


class Facts(_Wire):
    """What the engine reports of a whole theorem (embedded/verification.js)."""

    refusal: str | None  # why the text may not even be elaborated (embedded/permitted.js)
    messages: tuple[Message, ...]
    constants: tuple[Constant, ...]
    same_statement: bool = Field(alias="sameStatement")  # its type is the one that the statement has with `sorry`
    axioms: tuple[str, ...]
    late: tuple[str, ...]  # what it rests on that is not declared before the theorem's `before` (embedded/declared.js)
    kernel: str | None  # why the kernel refuses the constants when it is given them again


@dataclass(frozen=True)
class WholeTheorem:
    """A theorem with its proof, as Lean gets it. `name` is the theorem's as the engine writes names."""

    text: str
    statement: str
    name: str


def whole_theorem(theorem: Theorem, proof: str) -> WholeTheorem:
    """The statement with the tactic block `proof` in place of its closing `sorry`."""
    given = theorem.statement.rstrip().removesuffix("sorry").rstrip()
    by = "" if re.search(r"\bby$", given) else " by"
    text = f"{given}{by}\n{textwrap.indent(proof, '  ')}"
    return WholeTheorem(text, theorem.statement, _PART_IN_GUILLEMETS.sub(r"\1", theorem.name))


def shown(text: str) -> bool:
    """Whether a reader sees all of the text: no control characters, no reversed writing, no half characters."""
    return all(character.isprintable() or character == "\n" for character in text.replace("\r\n", "\n"))


def elaborated_header(header: str) -> str:
    """The header without its imports, which the engine replaces by its own.

    Raises UnsupportedHeader for anything but `import`, `open`, comments, harmless options, and lemmas taken from `simp`
    and `grind`: another command could change what the statement means, and is elaborated before there is anything that
    Lean could report.
    """
    kept = []
    for line in header.splitlines():
        match = _HEADER_LINE.fullmatch(line)
        if match is None or not shown(line) or (match["option"] and not HARMLESS_OPTIONS.fullmatch(match["option"])):
            raise UnsupportedHeader(f"header line not supported: {line.strip()!a}")
        if not line.startswith("import"):
            kept.append(line)
    return "\n".join(kept).strip()


def imported(header: str) -> tuple[str, ...]:
    """The modules that a header imports, in its order."""
    return tuple(module for line in header.splitlines() if line.startswith("import") for module in line.split()[1:])


def judge(facts: Facts, theorem: WholeTheorem) -> Verdict:
    """The verdict on what the engine reports of a whole theorem."""

    def refused(reason: str) -> Verdict:
        return Verdict(VerdictKind.REFUSED, reason, facts.axioms)

    if facts.refusal is not None:
        return refused(facts.refusal)
    for message in facts.messages:
        if message.severity == "error":
            ended = VerdictKind.UNVERIFIED if _LIMIT_REACHED.search(message.data) else VerdictKind.FAILED
            return Verdict(ended, message.data, facts.axioms)
    if unsound := [axiom for axiom in facts.axioms if axiom not in AXIOMS]:
        return refused(f"the proof rests on {', '.join(unsound)}")
    if Constant(name=theorem.name, kind="theorem") not in facts.constants:
        return refused(f"the statement is not that of a theorem called {theorem.name}")
    for constant in facts.constants:
        if constant.kind not in ADDITIONS or not _belongs(constant.name, theorem.name):
            return refused(f"the proof adds the {constant.kind} {constant.name}")
    if not facts.same_statement:
        return refused("the theorem proved is not the statement given")
    if facts.late:
        return refused(f"the proof uses {', '.join(facts.late)}, which the theorem comes before")
    if facts.kernel is not None:
        return refused(f"the kernel does not accept it again: {facts.kernel}")
    return Verdict(VerdictKind.PROVED, axioms=facts.axioms)


def _belongs(constant: str, theorem: str) -> bool:
    """Whether a constant is the theorem, an auxiliary one that Lean names after it, or has a reserved name."""
    name = re.sub(r"^_private\.\w+\.\d+\.", "", constant)
    return name == theorem or name.startswith(f"{theorem}.") or _RESERVED.fullmatch(name) is not None
