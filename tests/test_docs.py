"""The commands that README.md and docs/ tell people to give are commands that there are, with their options."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from prover.cli import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted({*(ROOT / "docs").glob("*.md")} - {ROOT / "docs" / "lab-notebook.md"})]
FENCE = re.compile(r"^ *```\w*\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^(?:    .*\n)+", re.MULTILINE)
INLINE = re.compile(r"`([^`]+)`")


def commands(page: Path) -> Iterator[str]:
    """Lines of code blocks, and what stands between backticks in the text."""
    text = page.read_text("utf-8")
    blocks = FENCE.findall(text) + INDENTED.findall(text)
    for block in blocks:
        yield from (line.strip().removeprefix("$ ") for line in block.replace("\\\n", " ").splitlines())
    for span in INLINE.findall(FENCE.sub("", text)):
        if len(span.split()) > 2:  # else it only names a command
            yield " ".join(span.split())


def given(program: str) -> list[tuple[str, str]]:
    found = [(page.name, line) for page in PAGES for line in commands(page)]
    return [(page, line) for page, line in found if re.match(rf"(\.venv/bin/)?{program} (?!.*…)", line)]


def parse(arguments: Sequence[str]) -> None:
    """Read the arguments of `prove` as it does, and run nothing."""
    command, name, rest = typer.main.get_command(app), "prove", list(arguments)
    context = command.make_context(name, rest)
    while isinstance(command, TyperGroup) and (rest := [*context._protected_args, *context.args]):
        name, command, rest = command.resolve_command(context, rest)  # type: ignore[assignment]
        context = command.make_context(name, rest, parent=context)


@pytest.mark.parametrize(("page", "line"), given("prove"))
def test_every_prove_command_of_the_docs_is_one(page: str, line: str) -> None:
    _, *arguments = shlex.split(re.sub(r"\$\w", "1", line), comments=True)  # in loops, over numbers
    if "--help" not in arguments:
        parse(arguments)


@pytest.mark.parametrize(("page", "line"), given(r"python -m"))
def test_every_module_that_the_docs_run_is_there(page: str, line: str) -> None:
    module = shlex.split(line, comments=True)[2]
    assert module == "venv" or importlib.util.find_spec(module), module


def test_a_command_with_a_wrong_option_would_be_found() -> None:
    for wrong in ("train --epoch 3", "--benchmark minif2f --buget 3", "prof"):
        with pytest.raises(TyperException):
            parse(wrong.split())


def test_the_docs_have_commands_of_every_kind() -> None:
    said = {line.removeprefix(".venv/bin/").split()[1] for _, line in given("prove")}
    assert said >= {"--benchmark", "theorem", "check", "corpus", "train", "study", "trace", "engine", "--ray"}
