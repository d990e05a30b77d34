"""Files of JSON lines that grow as work is finished, and survive being killed in the middle of a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_rows(path: Path) -> list[Any]:
    """The rows of `path`, none where it is not there; a last line without its end is cut off the file."""
    if not path.exists():
        return []
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        path.write_bytes(whole)
    return [json.loads(line) for line in whole.decode().splitlines()]
