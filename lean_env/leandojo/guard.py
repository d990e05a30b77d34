"""What a proof may not say in a Dojo: the native engine's guard (lean_env/native/guard.lean), as a module to import.

The repository's own Lean compiles it once, into a folder of ours, so that the repository stays as it is traced.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from importlib.resources import files
from pathlib import Path

import platformdirs

from lean_env.engine import EngineError
from lean_env.leandojo.lean import LAKE_LEAN, run_lean

MODULE = "NeffGuard"
SOURCE = files("lean_env.native") / "guard.lean"
COMPILE_S = 300.0

_REFUSED = re.compile(r"neff refuses: (?P<reason>[^\n]*)")


def provide(folder: Path) -> None:
    """Make the module one that the Lean of a traced repository finds, started by this process. Raises EngineError."""
    text = SOURCE.read_text(encoding="utf-8")
    version = run_lean(folder, [*LAKE_LEAN, "--version"], COMPILE_S).stdout
    key = hashlib.sha256(f"{version}\n{text}".encode()).hexdigest()[:16]
    home = platformdirs.user_cache_path("neff-prover") / "leandojo-guard" / key
    compiled = home / f"{MODULE}.olean"
    if not compiled.exists():
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home) as scratch:
            source, fresh = Path(scratch) / f"{MODULE}.lean", Path(scratch) / f"{MODULE}.olean"
            source.write_text(text, encoding="utf-8")
            said = run_lean(folder, [*LAKE_LEAN, "-o", str(fresh), str(source)], COMPILE_S)
            if said.returncode or not fresh.exists():
                reason = " ".join((said.stdout + said.stderr).split())[:300]
                raise EngineError(
                    f"{version.strip()} does not compile what guards proofs ({reason}): take another commit"
                )
            fresh.replace(compiled)  # whole, whoever else does the same
    # Lake puts its own folders to those that are there.
    paths = [str(home), *os.environ.get("LEAN_PATH", "").split(os.pathsep)]
    os.environ["LEAN_PATH"] = os.pathsep.join(dict.fromkeys(path for path in paths if path))


def guarded(tactic: str) -> str:
    """Tactic text that Lean runs unless its syntax tree holds what a proof may not.

    Several lines are a block in parentheses, where columns mean what they mean in a proof.
    """
    return f"neff_tactic\n(\n{tactic}\n)" if "\n" in tactic else f"neff_tactic {tactic}"


def refusal(error: str) -> str | None:
    """Why the guard refused a tactic, from Lean's error; None where it did not."""
    found = _REFUSED.search(error)
    return found and found["reason"]
