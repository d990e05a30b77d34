"""A small Lean project as LeanDojo keeps it once it is traced: its git repository, and its folder in LeanDojo's cache.

What LeanDojo gets out of Lean, the syntax trees of the files (`*.ast.json`), is written here in the shapes that Lean's
parser gives, byte for byte over the text; what LeanDojo makes of it (`*.trace.xml`), the real package makes, in a
process of its own: `python leandojo_repo.py URL COMMIT TRACE FILE`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

Tree = dict[str, Any]

NAME = "small"
FILE, LEMMA_FILE = "Small/Basic.lean", "Small/Lemma.lean"
TOOLCHAIN = "leanprover/lean4:v4.20.0"


class FileWriter:
    """Writes a Lean file and, with it, the syntax that Lean's parser would give for it."""

    def __init__(self) -> None:
        self.text = ""
        self.commands: list[Tree] = []
        self.tactics: list[Tree] = []

    def leaf(self, val: str, trailing: str = " ", *, ident: bool = False) -> Tree:
        """An atom or identifier, with the space behind it."""
        start = len(self.text.encode())
        self.text += val
        end = len(self.text.encode())
        self.text += trailing
        info = {"original": {"leading": "", "pos": start, "trailing": trailing, "endPos": end}}
        if ident:
            return {"ident": {"info": info, "rawVal": val, "val": val, "preresolved": []}}
        return {"atom": {"info": info, "val": val}}

    def ident(self, val: str, trailing: str = " ") -> Tree:
        return self.leaf(val, trailing, ident=True)

    def tokens(self, text: str, trailing: str) -> list[Tree]:
        """The leaves of a term or a tactic, one after the other."""
        found = re.findall(r"(\w[\w.'!?]*|[^\w\s])(\s*)", text)
        return [
            self.leaf(token, space if place < len(found) - 1 else trailing, ident=bool(re.match(r"[^\W\d]", token)))
            for place, (token, space) in enumerate(found)
        ]

    def header(self, *modules: str) -> None:
        imports = [
            node("Module.import", self.leaf("import"), null(), self.ident(module, "\n"), null()) for module in modules
        ]
        self.text += "\n"
        self.commands.append(node("Module.header", null(), null(*imports)))

    def namespace(self, name: str) -> None:
        self.commands.append(node("Command.namespace", self.leaf("namespace"), self.ident(name, "\n\n")))

    def end(self, name: str) -> None:
        self.commands.append(node("Command.end", self.leaf("end"), null(self.ident(name, "\n"))))

    def variable(self, binders: str) -> None:
        self.commands.append(node("Command.variable", self.leaf("variable"), null(*self.tokens(binders, "\n\n"))))

    def theorem(
        self,
        name: str,
        signature: str,
        tactics: list[str],
        *,
        doc: str = "",
        simp: bool = False,
        private: bool = False,
        opened: str = "",
        lemma: bool = False,
    ) -> None:
        """`signature` is what stands between the name and `:=`; the type is behind its last ` : `."""
        scope = null()
        if opened:
            opening = node("Command.open", self.leaf("open"), node("Command.openSimple", null(self.ident(opened))))
            scope = null(opening, self.leaf("in", "\n"))
        modifiers = node(
            "Command.declModifiers",
            null(node("Command.docComment", self.leaf("/--"), self.leaf(f"{doc} -/", "\n"))) if doc else null(),
            null(self._simp()) if simp else null(),
            null(node("Command.private", self.leaf("private"))) if private else null(),
            *(null() for _ in range(3)),
        )
        parts = [
            self.leaf("lemma" if lemma else "theorem"),
            node("Command.declId", self.ident(name), null()),
            self._signature(signature),
            node(
                "Command.declValSimple",
                self.leaf(":="),
                node("Term.byTactic", self.leaf("by", "\n  "), self._block(tactics)),
                node("Termination.suffix", null(), null()),
                null(),
            ),
        ]
        if lemma:
            declaration = {
                "node": {"info": "none", "kind": "lemma", "args": [modifiers, node("group", *parts, full=True)]}
            }
        else:
            declaration = node("Command.declaration", modifiers, node("Command.theorem", *parts))
        self.commands.append(node("Command.in", *scope["node"]["args"], declaration) if opened else declaration)

    def _simp(self) -> Tree:
        return node(
            "Term.attributes",
            self.leaf("@[", ""),
            null(
                node(
                    "Term.attrInstance",
                    node("Term.attrKind", null()),
                    node("Attr.simp", self.leaf("simp", ""), null(), null(), null()),
                )
            ),
            self.leaf("]"),
        )

    def _signature(self, signature: str) -> Tree:
        binders, _, kind = signature.rpartition(" : ")
        return node(
            "Command.declSig",
            null(*(self._binder(binder) for binder in re.findall(r"[({\[].*?[)}\]]", binders))),
            node("Term.typeSpec", self.leaf(":"), node("Term.app", *self.tokens(kind, " "))),
        )

    def _binder(self, binder: str) -> Tree:
        names, _, kind = binder[1:-1].partition(" : ")
        return node(
            "Term.explicitBinder",
            self.leaf(binder[0], ""),
            null(*(self.ident(name) for name in names.split())),
            null(self.leaf(":"), *self.tokens(kind, "")),
            null(),
            self.leaf(binder[-1]),
        )

    def _block(self, tactics: list[str]) -> Tree:
        args: list[Tree] = []
        for place, tactic in enumerate(tactics):
            if place:
                args.append(null())
            start = len(self.text.encode())
            last = place == len(tactics) - 1
            args.append(node(f"Tactic.{tactic.split()[0]}", *self.tokens(tactic, "\n\n" if last else "\n  ")))
            trace = {"stateBefore": "⊢ before", "stateAfter": "no goals", "pos": start}
            self.tactics.append({**trace, "endPos": start + len(tactic.encode())})
        return node("Tactic.tacticSeq", node("Tactic.tacticSeq1Indented", null(*args)))

    @property
    def trace(self) -> dict[str, Any]:
        """What LeanDojo's ExtractData.lean writes about the file."""
        return {"commandASTs": self.commands, "tactics": self.tactics, "premises": []}


def node(kind: str, *args: Tree, full: bool = False) -> Tree:
    return {"node": {"info": "none", "kind": kind if full else f"Lean.Parser.{kind}", "args": list(args)}}


def null(*args: Tree) -> Tree:
    return node("null", *args, full=True)


def small_file() -> FileWriter:
    """The file that the tests work on."""
    file = FileWriter()
    file.header("Init.Data.Nat.Basic")
    file.namespace("Small")
    file.theorem("swap", "(a b : Nat) : a + b = b + a", ["exact Nat.add_comm a b"])
    file.theorem("le_twice", "(n : Nat) : n ≤ n + n", ["have h := swap n n", "omega"], doc="Uses the one before.")
    file.theorem("add_nothing", "(n : Nat) : n + 0 = n", ["rfl"], simp=True)
    file.theorem("both", "(p q : Prop) (hp : p) (hq : q) : p ∧ q", ["constructor", "exact hp", "exact hq"])
    file.theorem("choice", "(p : Prop) : p ∨ ¬ p", ["exact em p"], opened="Classical")
    file.theorem("hidden", "(a : Nat) : a = a", ["rfl"], private=True)
    file.variable("(k : Nat) (hk : k = k + 1)")
    file.theorem("false_helped", "(a : Nat) : a * 0 = 0", ["exact Nat.mul_zero a"])
    file.theorem("broken", "(a : Nat) : a = a", ["exact nonsense"])
    file.end("Small")
    return file


def lemma_file() -> FileWriter:
    """A file with a lemma, which is Mathlib's own command: for LeanDojo to read, not for Lean."""
    file = FileWriter()
    file.header("Init.Data.Nat.Basic")
    file.theorem("Nat.nothing_added", "(n : Nat) : n + 0 = n", ["rfl"], doc="A lemma.", simp=True, lemma=True)
    return file


@dataclass
class SmallRepository:
    """The git repository, its commit, and LeanDojo's cache with the traced copy in it."""

    folder: Path
    cache: Path
    commit: str = ""
    traced: Path = field(default=Path())

    @property
    def reference(self) -> str:
        """URL@COMMIT."""
        return f"{self.folder}@{self.commit}"


def make(folder: Path) -> SmallRepository:
    """The repository and its trace in new folders below `folder`."""
    made = SmallRepository(folder / NAME, folder / "cache")
    files = {FILE: small_file(), LEMMA_FILE: lemma_file()}
    (made.folder / "Small").mkdir(parents=True)
    for path, file in files.items():
        (made.folder / path).write_text(file.text, encoding="utf-8")
    (made.folder / "lean-toolchain").write_text(f"{TOOLCHAIN}\n")
    (made.folder / "lakefile.lean").write_text("import Lake\nopen Lake DSL\npackage small\nlean_lib Small\n")
    made.commit = _commit(made.folder)
    made.traced = made.cache / f"gitpython-{NAME}-{made.commit}" / NAME
    shutil.copytree(made.folder, made.traced)
    package = find_spec("lean_dojo")
    assert package and package.origin
    shutil.copy(Path(package.origin).parent / "interaction" / "Lean4Repl.lean", made.traced)
    with (made.traced / "lakefile.lean").open("a") as lakefile:
        lakefile.write("\nlean_lib Lean4Repl {\n\n}\n")
    (made.traced / ".lake/build/ir/Small").mkdir(parents=True)
    environment = {**os.environ, "CACHE_DIR": str(made.cache), "DISABLE_REMOTE_CACHE": "1"}
    for path, file in files.items():
        built = made.traced / ".lake/build/ir" / path
        built.with_suffix(".ast.json").write_text(json.dumps(file.trace, ensure_ascii=False, indent=1))
        built.with_suffix(".dep_paths").write_text(".lake/packages/lean4/src/lean/Init/Data/Nat/Basic.lean\n")
        command = [sys.executable, __file__, str(made.folder), made.commit, str(made.traced), path]
        subprocess.run(command, env=environment, check=True)
    return made


def _commit(folder: Path) -> str:
    def git(*arguments: str) -> str:
        who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        return subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout

    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message", "A small project")
    return git("rev-parse", "HEAD").strip()


def write_xml(url: str, commit: str, traced: Path, file: str) -> None:
    """Have LeanDojo write what it makes of a file's trace."""
    from lean_dojo import LeanGitRepo, TracedFile
    from lean_dojo.utils import to_json_path, to_xml_path

    repo = LeanGitRepo(url, commit)
    traced_file = TracedFile.from_traced_file(traced, to_json_path(traced, Path(file), repo), repo)
    (traced / to_xml_path(traced, Path(file), repo)).write_text(traced_file.to_xml())


if __name__ == "__main__":
    write_xml(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4])
