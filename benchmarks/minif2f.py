"""miniF2F: from a file, from its public repository, or, where neither can be had, the core that comes with the package.

The repository is fetched with git, at one commit. A commit's id is a hash over every byte of its files, which git
recomputes for what it receives, and which is checked anew each time the cached copy is read. So what runs is what was
pinned, whoever served it.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

import platformdirs
from pydantic import ValidationError

from benchmarks.statements import Benchmark, BenchmarkError, Row, first_fault, read_statements
from lean_env.engine import Theorem

REPOSITORY = "https://github.com/yangky11/miniF2F-lean4"
COMMIT = "5746b7d6c47855ce1294bed87329618ff7f1bc31"
CORE = Path(__file__).with_name("minif2f_core.jsonl")

_FOLDERS = {"Valid": "valid", "Test": "test"}  # of MiniF2F/ in the repository
_FETCH_LIMIT_S = 30.0
_THEOREM = re.compile(r"^theorem\s", re.MULTILINE)


class GitError(Exception):
    """Git could not do what it was asked; the text is its reason."""


def load(data: Path | None) -> Benchmark:
    """miniF2F from `data` if given, else the pinned statements, else minif2f-core with a notice that says so.

    Raises BenchmarkError when `data` or the cached copy is not what it should be.
    """
    if data is not None:
        theorems, digest = read_statements(data)
        return Benchmark("minif2f", theorems, f"sha256:{digest}")
    try:
        return Benchmark("minif2f", pinned_statements(REPOSITORY, COMMIT), COMMIT)
    except GitError as reason:
        theorems, digest = read_statements(CORE)
        notice = (
            f"This is minif2f-core, not miniF2F: {len(theorems)} of its problems, formalised afresh in core Lean. "
            f"Figures are not comparable with published ones. miniF2F could not be downloaded ({reason}); "
            "--data FILE takes its statements from a file."
        )
        return Benchmark("minif2f-core", theorems, f"sha256:{digest}", notice)


def load_core(data: Path | None) -> Benchmark:
    """The problems that come with the package. Raises BenchmarkError when `data` is given."""
    if data is not None:
        raise BenchmarkError("minif2f-core comes with the package: leave --data out, or take --benchmark minif2f")
    theorems, digest = read_statements(CORE)
    return Benchmark("minif2f-core", theorems, f"sha256:{digest}")


def pinned_statements(repository: str, commit: str) -> tuple[Theorem, ...]:
    """The theorems of a repository laid out as MiniF2F/Valid/NAME.lean and MiniF2F/Test/NAME.lean, at one commit.

    Fetched once, into the user's cache directory. Raises GitError when the commit is neither there nor to be had, and
    BenchmarkError when the copy there is damaged, or a file in it is not one theorem closed by sorry.
    """
    if shutil.which("git") is None:
        raise GitError("git is not installed")
    clone = platformdirs.user_cache_path("neff-prover") / "minif2f" / f"{commit}.git"
    try:
        if not clone.exists():
            _fetch(repository, commit, clone)
    except OSError as error:
        raise BenchmarkError(
            f"{clone.parent} cannot be written ({error.strerror}): make room, or give the statements with --data FILE"
        ) from None
    try:
        _git(clone, "fsck", "--full", "--no-dangling")
        archive = _git(clone, "archive", "--format=tar", commit, *(f"MiniF2F/{folder}" for folder in _FOLDERS))
    except GitError as damage:
        raise BenchmarkError(f"{clone} is damaged ({damage}): delete it, and it is downloaded again") from None
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        files = {member.name: tar.extractfile(member) for member in tar.getmembers() if member.name.endswith(".lean")}
        return tuple(parse_lean(PurePosixPath(path), file.read().decode()) for path, file in files.items() if file)


def parse_lean(path: PurePosixPath, text: str) -> Theorem:
    """The theorem of a file MiniF2F/SPLIT/NAME.lean; what stands before it is its header.

    Raises BenchmarkError when the file is not exactly one theorem NAME, closed by `:= by sorry`.
    """
    starts = [found.start() for found in _THEOREM.finditer(text)]
    if len(starts) != 1:
        raise BenchmarkError(f"{path} holds {len(starts)} theorems, not one: give the statements with --data FILE")
    start = starts[0]
    split = _FOLDERS[path.parent.name]
    row = {"name": path.stem, "split": split, "header": text[:start].strip(), "statement": text[start:].strip()}
    try:
        return Row.model_validate(row).theorem
    except ValidationError as error:
        raise BenchmarkError(f"{path}: {first_fault(error)}; give the statements with --data FILE") from None


def _fetch(repository: str, commit: str, clone: Path) -> None:
    """Make `clone`, a bare repository that holds `commit`, all of it or none. Raises GitError and OSError."""
    clone.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=clone.parent) as folder:
        fresh = Path(folder) / "clone.git"
        fresh.mkdir()
        _git(fresh, "init", "--quiet", "--bare", "--object-format=sha1")
        _git(fresh, "fetch", "--quiet", "--depth=1", repository, f"{commit}:refs/heads/pinned")
        try:
            fresh.rename(clone)
        except OSError:
            if not clone.exists():  # else another process was first, and has the same
                raise


def _git(clone: Path, *arguments: str) -> bytes:
    """What git prints. Raises GitError with the first line of its complaint when it fails."""
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", f"--git-dir={clone}", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_FETCH_LIMIT_S,
        )
    except subprocess.TimeoutExpired:
        raise GitError(f"no answer within {_FETCH_LIMIT_S:g} s") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").split("\n")
        raise GitError(next((line.strip() for line in said if line.strip()), f"git ended with {done.returncode}"))
    return done.stdout
