#!/usr/bin/env -S python3 -I -S
"""Speaks the protocol of leanprover-community/repl as that REPL does, and misbehaves where it is told to.

    fake_repl.py [--start-delay S] [--exit CODE] [--lines]

Reads a request up to a blank line and answers in indented JSON with a blank line after it; with `--lines`, one line
each. A command's answer repeats its text as a message, a tactic's answer repeats the tactic as the goal. Words at the
start of the text provoke a fault: see FAULTS. `once FILE FAULT …` does so only for whoever creates FILE.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from threading import Timer


def say(text: str) -> None:
    data = text.encode()
    while data:
        data = data[os.write(1, data) :]


def hang(_: str) -> None:
    while True:
        time.sleep(60)


def grow(mebibytes: str) -> None:
    HELD.append(b"x" * (int(mebibytes) << 20))


def grow_and_hang(mebibytes: str) -> None:
    grow(mebibytes)
    hang("")


def if_exists(argument: str) -> None:
    path, _, rest = argument.partition(" ")
    if Path(path).exists():
        fault(rest)


def grandchild(_: str) -> None:
    """Leaves a child that holds stdout and never ends."""
    if os.fork() == 0:
        hang("")


def grow_after_the_answer(mebibytes: str) -> None:
    Timer(0.05, grow, (mebibytes,)).start()


def half_a_line(seconds: str) -> None:
    say('{"env": 77, "mess')
    time.sleep(float(seconds))
    os._exit(3)


def flood(kind: str) -> None:
    """Prints without end: one line, or an object over many lines."""
    line = "x" * (1 << 20)
    say('{"env": 0, "messages": [\n' if kind == "lines" else '{"env": 0, "messages": "')
    while True:
        say(f'"{line}",\n' if kind == "lines" else line)


HELD: list[bytes] = []
FAULTS = {
    "hang": hang,
    "sleep": lambda text: time.sleep(float(text.split()[0])),
    "stop": lambda _: os.kill(os.getpid(), signal.SIGSTOP),
    "grow": grow,
    "growhang": grow_and_hang,
    "growlater": grow_after_the_answer,
    "exit": lambda code: os._exit(int(code)),
    "signal": lambda name: os.kill(os.getpid(), getattr(signal, name)),
    "stderr": lambda size: (os.write(2, b"." * int(size) + b"last words\n"), os._exit(4)),
    "garbage": lambda _: say('warning: no json\n{ not json\n[1]\n3\n\n{"unended": [\n\n'),
    "half": half_a_line,
    "flood": flood,
    "grandchild": grandchild,
    "ifexists": if_exists,
    "closeout": lambda _: (os.close(1), hang("")),
}


def fault(text: str) -> None:
    name, _, argument = text.partition(" ")
    if name == "once":
        path, _, rest = argument.partition(" ")
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return
        fault(rest)
    elif name in FAULTS:
        FAULTS[name](argument)


def answer(request: dict[str, object], number: int) -> dict[str, object]:
    if "tactic" in request:
        text = str(request["tactic"])
        fault(text)
        if not isinstance(request["proofState"], int) or request["proofState"] >= number:
            return {"message": "Unknown proof state."}
        return {"proofState": number, "goals": [text], "proofStatus": "Incomplete: open goals remain"}
    if "cmd" not in request:
        return {"message": "Could not parse as a valid JSON command"}
    text = str(request["cmd"])
    fault(text)
    start = {"line": 1, "column": 0}
    said = "x" * (int(text.split()[1]) << 20) if text.startswith("huge ") else text
    messages = [{"severity": "info", "pos": start, "endPos": start, "data": said}]
    return {"env": number, "messages": messages, "pid": os.getpid()}


def main() -> None:
    options = dict(zip(sys.argv[1:], [*sys.argv[2:], ""], strict=False))
    time.sleep(float(options.get("--start-delay", 0)))
    if "--exit" in options:
        print("cannot find Init.olean", file=sys.stderr)
        sys.exit(int(options["--exit"]))
    by_line = "--lines" in options
    lines: list[str] = []
    number = 0
    for line in sys.stdin:
        if line.strip():
            lines.append(line)
        if lines and (by_line or not line.strip()):
            text = "".join(lines)
            # Lean's JSON parser long took each half of an escaped surrogate pair for a character.
            reply = {"message": "Could not parse JSON"} if "\\ud" in text else answer(json.loads(text), number)
            printed = json.dumps(reply, indent=None if by_line else 1) + ("\n" if by_line else "\n\n")
            say(printed * 2 if '"twice"' in text else printed + "> " if '"prompt"' in text else printed)
            lines = []
            number += 1


main()
