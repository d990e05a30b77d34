"""Theorems of Lean's own library, to be proved again from what is declared before them.

The running engine lists them; nothing is read from Lean's sources. A theorem is stated by its type, `type_of% @Name`,
so that its statement is the library's to the letter, and its `before` holds proofs to what comes before it (the rule
stands in lean_env/embedded/declared.js). Its header takes it out of what `simp` and `grind` use by themselves, as they
would only be refused for it. Theorems that say the same of different types, as `List.map_append` and
`Array.map_append`, are of one family, which stands on one side of a split.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lean_env.embedded.engine import OPENING_S, PLACEHOLDER, EmbeddedEngine
from lean_env.engine import EngineError, Theorem
from lean_env.pool import Slot
from lean_env.wire import Answer, CommandAnswer, ErrorAnswer, read_answer

LONGEST = 300  # characters of a statement as Lean prints it; what is longer is mostly bookkeeping
BATCH = 250  # commands of one request

# What tactics are learnt from: logic, order, numbers, and the basic types of programs.
_MODULE = re.compile(
    r"Init\.(Core|SimpLemmas|PropLemmas|Classical|ByCases"
    r"|Data\.(Nat|Int|Rat|Fin|BitVec|Bool|Option|Prod|Sum|Function|Subtype|BEq|Order|List|Array|Vector)(\..+)?)"
)
# Encodings by which decision procedures check their certificates, and what the library only starts itself up with.
_TECHNICAL = re.compile(r"Init\.Data\.(Nat|Int)\.(Linear|SOM|Cooper|Simproc|OfNat)|.*\.(Bootstrap|Impl|Factories\w*)")
_NAME = re.compile(r"[^\W\d_][\w'!?]*(\.[^\W\d_][\w'!?]*)*")
# Parts of names that Lean gives to what it adds by itself, instances among them.
_GENERATED = re.compile(
    r"sizeOf_spec|inj|injEq|ext_iff|rec\w*|casesOn|brecOn\w*|below\w*|noConfusion\w*|eq_def|(congr_)?eq_\d+|congr_simp"
    r"|(fun_)?(induct|cases)(_unfolding)?|inst[A-Z]\w*|Lean"
)


@dataclass(frozen=True)
class Listed:
    """A theorem of the library, restated, with what it says as Lean prints it."""

    theorem: Theorem
    proposition: str

    @property
    def family(self) -> str:
        """What the library's theorems that differ from this one only by the type they are about have in common with it.

        It is the last part of its name in the library, without what tells variants apart (primes, numbers), and with
        the words that arrays and lists have for the same thing made one.
        """
        name = self.theorem.before.rpartition(".")[2]
        words = name.rstrip("'₀₁₂₃₄₅₆₇₈₉0123456789").removesuffix("_").split("_")
        return "_".join("length" if word == "size" else word for word in words)


async def library_theorems(engine: EmbeddedEngine) -> tuple[Listed, ...]:
    """The theorems of the library that are fit to be proved, in the order in which Lean imports their modules.

    Fit are those that a person stated in the modules above and that Lean prints in at most LONGEST characters; of
    several with the same statement, the first.
    """
    slot = engine.pool.assign()
    try:
        listed = (await _ask(slot, {"library": True}))["theorems"]
        names = [entry["name"] for entry in listed if is_chosen(entry["name"], entry["module"])]
        found: dict[str, Listed] = {}
        for start in range(0, len(names), BATCH):
            batch = names[start : start + BATCH]
            printed = await _printed(slot, batch)
            headers = await _headers(slot, batch)
            for name in batch:
                if len(printed[name]) <= LONGEST:
                    proposition = printed[name].removeprefix("⊢ ")
                    found.setdefault(proposition, Listed(_stated(name, headers[name]), proposition))
        return tuple(found.values())
    finally:
        engine.pool.release(slot)


def is_chosen(name: str, module: str) -> bool:
    """Whether a theorem's name and module speak for it."""
    return (
        _MODULE.fullmatch(module) is not None
        and _TECHNICAL.fullmatch(module) is None
        and _NAME.fullmatch(name) is not None
        and not any(_GENERATED.fullmatch(part) for part in name.split("."))
    )


def _stated(name: str, header: str) -> Theorem:
    restated = f"lib_{name.replace('.', '_')}"
    return Theorem(restated, f"theorem {restated} : type_of% @{name} := by sorry", header, before=name)


async def _ask(slot: Slot, request: Mapping[str, Any]) -> Answer:
    return await slot.run(lambda process: process.request(request, OPENING_S))


async def _command(slot: Slot, lines: Sequence[str]) -> CommandAnswer:
    """Run commands of one line each. Raises EngineError when the engine does not run them at all."""
    answer = read_answer(CommandAnswer, await _ask(slot, {"cmd": "\n".join(lines)}))
    if isinstance(answer, ErrorAnswer):
        raise EngineError(
            f"the library's theorems cannot be listed: {answer.message}; run `prove engine install` again"
        )
    return answer


async def _printed(slot: Slot, names: Sequence[str]) -> dict[str, str]:
    """The statements of theorems as Lean prints them."""
    answer = await _command(slot, [f"example : type_of% @{name} := by {PLACEHOLDER}" for name in names])
    return {names[sorry.pos.line - 1]: sorry.goal for sorry in answer.sorries}


async def _headers(slot: Slot, names: Sequence[str]) -> dict[str, str]:
    """The lines that take each theorem out of the sets that it is in; Lean has something to say where it is not."""
    lines: dict[str, list[str]] = {name: [] for name in names}
    for attribute in ("simp", "grind"):
        erasing = [f"attribute [-{attribute}] {name}" for name in names]
        answer = await _command(slot, erasing)
        absent = {message.pos.line - 1 for message in answer.messages}
        for index, name in enumerate(names):
            if index not in absent:
                lines[name].append(erasing[index])
    return {name: "\n".join(header) for name, header in lines.items()}
