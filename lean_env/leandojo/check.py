"""The facts about a whole proof, from the repository's own Lean: what lean_env.verify decides from.

Two fresh Leans look at it, and the repository's kernel checks it in both:

1. A Dojo is given the whole proof as one tactic. That its text is one tactic is for Lean's own parser to say: a text
   that ends the theorem and goes on with a command of its own is none. The guard (guard.py) looks at its syntax, and
   Lean4Repl has the kernel check the term.
2. The repository's file up to the theorem, the theorem with the proof, and three questions are elaborated as Lean
   elaborates any file: which axioms does it rest on, and does it prove what the repository's own theorem states, which
   follows under another name with its own proof. Modifiers and attributes are left out, as in a Dojo.
"""

from __future__ import annotations

import json
import re
import tempfile
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lean_dojo import TracedFile
from lean_dojo.data_extraction.traced_data import get_code_without_comments
from lean_dojo.utils import to_json_path

from lean_env.engine import FailureKind
from lean_env.leandojo.dojos import CannotState, dojo_of, theorem
from lean_env.leandojo.guard import MODULE
from lean_env.leandojo.lean import LAKE_LEAN, LeanTimeout, run_lean
from lean_env.leandojo.protocol import Lost, Rejected
from lean_env.leandojo.repository import Place
from lean_env.leandojo.traced import FLAGS, Traced

END = "#check True"  # what it answers says that Lean came so far
ORIGINAL = "«the original»"  # name of the repository's own proof, in place of the last part of the theorem's

_AXIOMS = re.compile(r"'.+' (does not depend on any axioms|depends on axioms: \[(?P<names>[^\]]*)\])", re.DOTALL)


@dataclass(frozen=True)
class Source:
    """A theorem in its file, cut where things are put in.

    `before` is the file up to the theorem's modifiers, `stated` the theorem up to and with `:=`, and `original` all of
    it, with its own proof, under the name `renamed`.
    """

    before: str
    stated: str
    original: str
    renamed: str

    def with_proof(self, proof: str) -> str:
        """The theorem with a tactic block as its proof, which is one tactic of its own."""
        return f"{self.stated}\n  by\n  (\n{textwrap.indent(proof, '    ')}\n  )\n"


def source(traced: Traced, place: Place) -> Source:
    """A theorem's source. Raises CannotState when LeanDojo has not traced it, or it has no proof to put another for."""
    try:
        json_path = to_json_path(traced.folder, Path(place.file), traced.repo)
        file = TracedFile.from_traced_file(traced.folder, json_path, traced.repo)
    except FileNotFoundError as error:
        raise CannotState(f"{place.file} is not traced") from error
    found = file.get_traced_theorem(theorem(traced, place))
    if found is None:
        raise CannotState(f"{place.file} has no theorem {place.full_name}")
    text, (proof_start, _) = file.lean_file, found.locate_proof()
    keyword, identifier = _keyword_and_identifier(found.ast)
    head = get_code_without_comments(text, keyword, proof_start, file.comments)
    if head.endswith(" where"):
        raise CannotState("it is a structure given by `where`, in whose place no tactic proof can stand")
    command, declaration = _command_and_declaration(file, found.ast)
    stated = text[keyword:proof_start].rstrip() + ("" if head.endswith(":=") else " :=")
    renamed = ".".join([*identifier.val.split(".")[:-1], ORIGINAL])
    scope = text[command.start : declaration.start]  # `open … in` and its like, which hold for the original too
    original = scope + text[keyword : identifier.start] + renamed + text[identifier.end : found.end]
    return Source(text[text.start_pos : declaration.start], stated, original, renamed)


def facts(traced: Traced, place: Place, proof: str, opening_s: float, limit_s: float) -> dict[str, Any] | Lost:
    """The facts about `proof` as lean_env.verify.Facts reads them, within `limit_s` seconds for each of the two Leans.

    Raises CannotState.
    """
    with dojo_of(traced, place, opening_s, limit_s) as dojo:
        result = dojo.run(0, f"{proof}\n")  # with a line break it is always given as a block
    if isinstance(result, Lost):
        return result
    if isinstance(result, Rejected):
        if result.refused:
            return _facts(place, refusal=result.error)
        return _facts(place, messages=[{"severity": "error", "data": result.error}])
    if hasattr(result, "goals"):
        return _facts(place, messages=[{"severity": "error", "data": f"unsolved goals\n{result.goals[0]}"}])
    return _elaborated(traced, place, source(traced, place), proof, limit_s)


def _elaborated(traced: Traced, place: Place, cut: Source, proof: str, limit_s: float) -> dict[str, Any] | Lost:
    parts = [f"import Lean4Repl\nimport {MODULE}\n{cut.before}\n", f"{cut.with_proof(proof)}\n"]
    parts += [f"#print axioms _root_.{place.full_name}\n", f"\n{cut.original}\n\n"]
    parts += [f"example : type_of% @{cut.renamed} := @_root_.{place.full_name}\n", f"{END}\n"]
    starts = [sum(part.count("\n") for part in parts[:n]) + 1 for n in range(len(parts) + 1)]
    try:
        messages = list(_messages(traced.folder, "".join(parts), limit_s))
    except LeanTimeout as error:
        return Lost(lost=FailureKind.TIMEOUT, message=str(error))
    of = [[m for m in messages if starts[n] <= m["pos"]["line"] < starts[n + 1]] for n in range(len(parts))]
    _, proved, axioms, *_, end = of
    if not end:  # what was not asked has no error either
        return Lost(lost=FailureKind.CRASH, message="Lean ended before it came to the end of the file")
    errors = [[m for m in part if m["severity"] == "error"] for part in of]
    named = next((match for m in axioms if (match := _AXIOMS.fullmatch(m["data"].strip()))), None)
    if not errors[1] and named is None:
        said = axioms[0]["data"] if axioms else "Lean ended without an answer"
        return Lost(lost=FailureKind.CRASH, message=f"the axioms of the proof are not to be had: {said}")
    if not errors[1] and errors[3]:
        reason = f"the repository's own proof does not elaborate beside it: {errors[3][0]['data']}"
        return Lost(lost=FailureKind.ERROR, message=reason)
    return _facts(
        place,
        messages=[{"severity": m["severity"], "data": m["data"]} for m in proved],
        axioms=[name.strip() for name in (named["names"] or "").split(",") if name.strip()] if named else [],
        same=not errors[4],
    )


def _messages(folder: Path, text: str, limit_s: float) -> Iterator[dict[str, Any]]:
    """What the repository's Lean says about `text` as a file. Raises LeanTimeout."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "Check.lean"
        file.write_text(text, encoding="utf-8")
        said = run_lean(folder, [*LAKE_LEAN, *FLAGS, "--json", "-DmaxHeartbeats=0", str(file)], limit_s)
    for line in said.stdout.splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def _facts(
    place: Place,
    *,
    refusal: str | None = None,
    messages: list[dict[str, str]] | None = None,
    axioms: list[str] | None = None,
    same: bool = False,
) -> dict[str, Any]:
    """Facts as the wire has them.

    That the theorem was added follows from its axioms having been printed, and two kernels have accepted it by then.
    """
    return {
        "refusal": refusal,
        "messages": messages or [],
        "constants": [{"name": place.full_name, "kind": "theorem"}],
        "sameStatement": same,
        "axioms": axioms or [],
        "late": [],
        "kernel": None,
    }


def _keyword_and_identifier(ast: Any) -> tuple[Any, Any]:
    """Where `theorem` or `lemma` stands, and the syntax of the name behind it."""
    # A theorem is the second child of its declaration; a lemma is a declaration of its own, that holds modifiers too.
    group = ast if type(ast).__name__ == "CommandTheoremNode" else ast.children[1]
    return group.start, group.children[1].children[0]


def _command_and_declaration(file: Any, ast: Any) -> tuple[Any, Any]:
    """The syntax of the whole command that a theorem is in, and of its declaration with modifiers and documentation.

    Raises CannotState for a theorem in a `mutual` block.
    """
    found: list[list[Any]] = []

    def visit(node: Any, parents: list[Any]) -> bool:
        if node is ast:
            found.append([*parents[1:], node])  # the first parent is the file
        return bool(found)

    file.traverse_preorder(visit, None)
    commands = found[0]
    declaration = next(node for node in commands if node is ast or type(node).__name__ == "CommandDeclarationNode")
    for outer in commands[: commands.index(declaration)]:
        if type(outer).__name__ == "OtherNode" and not outer.kind.endswith(".in"):
            raise CannotState("it stands in another command, such as a mutual block")
    return commands[0], declaration
