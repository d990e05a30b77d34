"""The theorems of a traced repository that have a tactic proof, as LeanDojo finds them in its own files.

    python -m lean_env.leandojo.catalog URL@COMMIT     one JSON object a line: {"file", "name", "state"}, or {"message"}

A process of its own, since LeanDojo takes its settings when it is imported, and what it imports stays.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lean_env.engine import EngineError
from lean_env.leandojo.repository import Place, Repository, require_leandojo


@dataclass(frozen=True)
class Entry:
    """A theorem, and the goals that its proof begins with, as Lean prints them."""

    place: Place
    state: str


def entries(repository: Repository) -> list[Entry]:
    """The theorems of the traced repository in the order of its files. Raises EngineError."""
    require_leandojo()
    command = [sys.executable, "-m", "lean_env.leandojo.catalog", str(repository)]
    environment = {**os.environ, **repository.environment}
    said = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
    lines = [json.loads(line) for line in said.stdout.splitlines()]
    if reason := next((line["message"] for line in lines if "message" in line), None):
        raise EngineError(reason)
    if said.returncode:
        raise EngineError(
            f"the trace of {repository} cannot be read: delete it from LeanDojo's cache and trace it again"
        )
    return [Entry(Place(line["file"], line["name"]), line["state"]) for line in lines]


def _read(repository: Repository) -> Iterator[dict[str, str]]:
    from lean_dojo import Theorem, TracedFile
    from lean_dojo.utils import to_json_path

    from lean_env.leandojo.traced import open_repository, traced_folder

    repo = open_repository(repository)
    folder = traced_folder(repo, repository)
    for path in sorted(folder.rglob("*.lean")):
        file = path.relative_to(folder)
        if file.parts[0] == ".lake" or not (folder / to_json_path(folder, file, repo)).exists():
            continue  # of a package, or not traced
        traced = TracedFile.from_traced_file(folder, to_json_path(folder, file, repo), repo)
        for name in _names(traced):
            tactics = traced.get_traced_theorem(Theorem(repo, file, name)).get_traced_tactics()
            if tactics:
                yield {"file": str(file), "name": name, "state": tactics[0].state_before}


def _names(file: Any) -> list[str]:
    """The full names of the theorems and lemmas of a traced file."""
    from lean_dojo.data_extraction.ast import CommandTheoremNode, LemmaNode, MathlibTacticLemmaNode

    names: list[str] = []
    file.traverse_preorder(
        lambda node, _: names.append(node.full_name), (CommandTheoremNode, LemmaNode, MathlibTacticLemmaNode)
    )
    return names


if __name__ == "__main__":
    try:
        for line in _read(Repository.parse(sys.argv[1])):
            print(json.dumps(line, ensure_ascii=False), flush=True)
    except EngineError as error:
        print(json.dumps({"message": str(error)}, ensure_ascii=False))
