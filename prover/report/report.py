"""Renders a run as one HTML file that needs no network and can be read without JavaScript."""

from __future__ import annotations

import base64
import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from prover.records import Finding, Outcome

# Label and meaning of every outcome, in the order of the report. None: the run has not come to it yet.
OUTCOMES: dict[Outcome | None, tuple[str, str]] = {
    Outcome.PROVED: ("proved", "verified: re-elaborated as a whole, no sorry, no new axiom"),
    Outcome.UNVERIFIED: ("unverified", "a proof was found, but verifying it ran out of its limits"),
    Outcome.BUDGET: ("budget spent", "no proof within the budget of expansions"),
    Outcome.EXHAUSTED: ("exhausted", "every tactic on every state reached was tried"),
    Outcome.UNSUPPORTED: ("unsupported", "the engine cannot state the theorem"),
    None: ("waiting", "not attempted yet"),
}

CHART_WIDTH, CHART_HEIGHT = 460, 200
SHOWN_DEPTHS = 8


@dataclass(frozen=True)
class Share:
    """One outcome's part of all theorems."""

    key: str
    label: str
    meaning: str
    count: int
    start: float  # per cent of the bar, from the left
    width: float  # per cent of the bar


@dataclass(frozen=True)
class Chart:
    """Proved theorems by expansions spent on each, as SVG coordinates; expansions on a logarithmic axis."""

    line: str
    across: list[tuple[float, int]]  # position and expansions of a tick
    up: list[tuple[float, int]]  # position and theorems of a tick
    width: int = CHART_WIDTH


def render(summary: Mapping[str, Any], settings: Mapping[str, Any], findings: Sequence[Finding]) -> str:
    """The report of a run. `summary` is what summary.json holds; `settings` are shown as they are."""
    environment = Environment(
        loader=PackageLoader("prover", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = (files("prover.report") / "report.js").read_text(encoding="utf-8")
    return environment.get_template("report.html.jinja").render(
        summary=summary,
        settings=settings,
        findings=findings,
        outcomes={outcome: (_key(outcome), label) for outcome, (label, _) in OUTCOMES.items()},
        why=_why,
        cuts=cuts(summary),
        shape=_shape(summary["shape"]),
        shares=_shares(findings),
        chart=_chart(findings, summary["budget"]),
        style=Markup((files("prover.report") / "report.css").read_text(encoding="utf-8")),
        script=Markup(script),
        # The page may run this script and nothing else, whatever the names and proofs in it are.
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def cuts(summary: Mapping[str, Any]) -> str:
    """What models did not read or write to the end, in a line; empty when that is nothing."""
    counts = {
        "states longer than the context, of which only the end was read": summary["cut_prompts"],
        "draws cut off before their end": summary["cut_off"],
    }
    return "; ".join(f"{what}: {count:,}" for what, count in counts.items() if count)


def by_depth(figures: Sequence[float]) -> str:
    """A figure for each depth from 0 on, as far as there is room."""
    return " ".join(f"{each:.1f}" for each in figures[:SHOWN_DEPTHS]) + (" …" if len(figures) > SHOWN_DEPTHS else "")


def _shape(shape: Mapping[str, Any]) -> dict[str, str]:
    """The measured shape (search.shape.SummedShape as plain data), each of its figures with its name."""
    return {
        "states a search": f"{shape['states']:.1f}",
        "tactics tried a state, by depth": by_depth(shape["tried"]) or "none",
        "new states a state, by depth": by_depth(shape["branching"]) or "none",
        "tactics that Lean took": f"{100 * shape['valid']:.1f} %",
        "tactics that led to a known state": f"{100 * shape['merged']:.1f} %",
        "failed tactics": _counts(shape["failures"]),
        "proofs, by their number of tactics": _counts(shape["proved"]),
    }


def _counts(counts: Mapping[Any, int]) -> str:
    return ", ".join(f"{what}: {count:,}" for what, count in counts.items()) or "none"


def _key(outcome: Outcome | None) -> str:
    return outcome.value if outcome else "waiting"


def _why(finding: Finding) -> str:
    """The proof in a line, or why there is none."""
    attempt = finding.attempt
    if attempt is None:
        return finding.reason.partition("\n")[0] or "not attempted yet"
    if attempt.outcome is Outcome.PROVED:
        return "; ".join(line.strip() for line in attempt.proof.splitlines())
    if attempt.outcome is Outcome.UNVERIFIED:
        return "a proof was found, but verifying it ran out of its limits"
    if attempt.outcome is Outcome.BUDGET:
        return f"no proof in {attempt.expansions} expansions"
    return f"nothing left to try after {attempt.expansions} expansions"


def _shares(findings: Sequence[Finding]) -> list[Share]:
    counts = Counter(finding.outcome for finding in findings)
    shares, start = [], 0.0
    for outcome, (label, meaning) in OUTCOMES.items():
        if count := counts[outcome]:
            width = 100 * count / len(findings)
            shares.append(Share(_key(outcome), label, meaning, count, round(start, 3), round(width, 3)))
            start += width
    return shares


def _chart(findings: Sequence[Finding], budget: int) -> Chart | None:
    """None where nothing is proved. Every step of the curve is one theorem."""
    spent = sorted(max(1, f.attempt.expansions) for f in findings if f.attempt and f.outcome is Outcome.PROVED)
    if not spent:
        return None
    end = max(budget, spent[-1], 2)

    def x(expansions: int) -> float:
        return round(CHART_WIDTH * math.log(expansions) / math.log(end), 1)

    def y(theorems: float) -> float:
        return round(CHART_HEIGHT * (1 - theorems / len(spent)), 1)

    steps = [f"M0 {CHART_HEIGHT}"]
    for theorems, expansions in enumerate(spent, start=1):
        steps.append(f"H{x(expansions)}V{y(theorems)}")
    steps.append(f"H{CHART_WIDTH}")
    powers = [4**n for n in range(math.ceil(math.log(end, 4)) + 1) if 4**n <= end]
    up = sorted({0, len(spent) // 2, len(spent)})
    return Chart(" ".join(steps), [(x(e), e) for e in powers], [(y(t), t) for t in up])
