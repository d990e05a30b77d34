"""Which repository: its address and commit, and where LeanDojo keeps it. Imports nothing of LeanDojo."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from lean_env.engine import EngineError

EXAMPLE = "https://github.com/leanprover-community/mathlib4@29dcec074de168ac2bf835a77ef68bbe069194c5"
FILE_SCHEME = "file://"


@dataclass(frozen=True)
class Repository:
    """A git repository at one commit. `url` is a remote address, or the absolute path of a folder of this machine."""

    url: str
    commit: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """URL@COMMIT; the commit may be a tag or a branch. Raises EngineError when it is not that."""
        match = re.fullmatch(r"(?P<url>.+)@(?P<commit>[^@:]+)", text)
        if match is None:
            raise EngineError(f"{text!r} is not URL@COMMIT: give a repository and its commit, such as {EXAMPLE}")
        repository = cls._at(match["url"], match["commit"])
        if repository.local and not (Path(repository.url) / ".git").exists():
            raise EngineError(f"{repository.url} is not a git repository of this machine: give its folder, or an URL")
        return repository

    @classmethod
    def _at(cls, url: str, commit: str) -> Self:
        remote = re.match(r"https?://|git@", url)
        # LeanDojo takes a folder as it is, but makes a wrong path of a file URL.
        return cls(url if remote else str(Path(url.removeprefix(FILE_SCHEME)).absolute()), commit)

    @property
    def local(self) -> bool:
        """Whether it is a folder of this machine."""
        return Path(self.url).is_absolute()

    @property
    def environment(self) -> dict[str, str]:
        """What LeanDojo's processes need: its server has traces of GitHub's repositories only, so it is not asked."""
        return {"DISABLE_REMOTE_CACHE": "1"} if self.local else {}

    def __str__(self) -> str:
        return f"{self.url}@{self.commit}"


@dataclass(frozen=True)
class Place:
    """Where a theorem stands: the path of its file in the repository, and its name with all namespaces."""

    file: str
    full_name: str


def require_leandojo() -> None:
    """Raises EngineError when the package lean-dojo is not installed."""
    if find_spec("lean_dojo") is None:
        raise EngineError("LeanDojo is not installed: pip install -e '.[leandojo]'")
