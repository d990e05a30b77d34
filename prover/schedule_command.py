"""The command `prove schedule`, and the file that it writes: what an adaptive ensemble has learned from runs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prover.options import BudgetOption, InputError, option

if TYPE_CHECKING:
    from lean_env.engine import Theorem
    from prover.ensembles import Learned
    from prover.records import Attempt, Member
    from search.adaptive import Recorded, Tried
    from search.tree import TreeRecord


def learn_schedule(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Folders of runs of one policy each, on the same theorems.")
    ],
    out: Annotated[Path, option(panel="Run", metavar="FILE", help="Where the schedule goes.")],
    budget: BudgetOption = 256,
    pilot: Annotated[
        int,
        option(
            min=1, metavar="N", help="Expansions of each policy after which a theorem is judged, where judging pays."
        ),
    ] = 4,
) -> None:
    """Learn what prove --ensemble adaptive is to spend on which theorem, from runs of its policies, each alone.

    Take runs on theorems that may be learned from, with as large a budget as can be had. --budget is what all policies
    together may spend on a theorem on average.
    """
    from prover.ensembles import Learned, digest
    from search.adaptive import learn

    stores = {run: _attempts(run) for run in runs}
    members = [member for member, _, _ in stores.values()]
    if len(runs) != len(stores) or len(set(members)) != len(members):
        raise InputError("two of the runs have the same policy and strategy: give each once")
    limit = min(limit for _, limit, _ in stores.values())
    statements = {frozenset(attempts) for _, _, attempts in stores.values()}
    if len(statements) != 1:
        raise InputError("the runs are not finished on the same theorems: give runs of the same benchmark and split")
    (same,) = statements
    theorems = [
        _recorded([attempts[one] for _, _, attempts in stores.values()], pilot, limit)
        for one in sorted(same, key=attrgetter("name"))
    ]
    try:
        schedule = learn(theorems, budget, pilot, limit)
    except ValueError as error:
        raise InputError(str(error)) from error
    learned = Learned(_names(members), budget, tuple(sorted(map(digest, same))), schedule)
    _write(out, learned)
    typer.echo(f"{len(theorems)} theorems, {_told(learned)}")


_Run = tuple["Member", int, dict["Theorem", tuple["Attempt", Any]]]  # member, budget, attempts with their trees


def _attempts(run: Path) -> _Run:
    from prover.store import DATABASE, Store

    if not (run / DATABASE).exists():
        raise InputError(f"{run} holds no run: give the --out of a run")
    with closing(Store(run)) as store:
        members, settings = store.members(), store.settings()
        if len(members) != 1:
            raise InputError(f"{run} is a run of {len(members)} policies: give runs of one policy each")
        attempts = {each.theorem: each.attempt for each in store.findings() if each.attempt}
        return members[0], settings["budget"], {one: (a, store.tree(one.name)) for one, a in attempts.items()}


def _recorded(attempts: Sequence[tuple[Attempt, Any]], pilot: int, limit: int) -> Recorded:
    from prover.records import Outcome
    from search.adaptive import Recorded, features

    members = (tried_in(tree) for _, tree in attempts)
    spent = [a.expansions if a.outcome is Outcome.PROVED else math.inf for a, _ in attempts]
    return Recorded(features(members, pilot), tuple(one if one <= limit else math.inf for one in spent))


def tried_in(tree: TreeRecord) -> Iterable[Tried]:
    """The tactics of a search tree in the order of trial, as search.adaptive looks at them."""
    return (
        (edge["log_prob"], None if edge["target"] is None else tree["nodes"][edge["target"]]["text"])
        for edge in tree["edges"]
    )


def _told(learned: Learned) -> str:
    """What members may spend on a theorem, in expansions."""
    if not learned.schedule.pilot:
        quotas = zip(learned.members, learned.schedule.quotas[0], strict=True)
        return (
            f"no pilot, for each theorem at most {'; '.join(f'{quota} of {name}' for name, quota in quotas if quota)}"
        )
    quotas_by_bin = "; ".join(" ".join(map(str, quotas)) for quotas in learned.schedule.quotas)
    return f"{len(learned.schedule.quotas)} bins, quotas from hard to easy: {quotas_by_bin}"


def _names(members: Sequence[Member]) -> tuple[str, ...]:
    return tuple(f"{member.policy}, {member.strategy}" for member in members)


def _write(out: Path, learned: Learned) -> None:
    try:
        out.write_text(json.dumps(asdict(learned), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {out} ({error.strerror}): give another --out") from error


def read_schedule(path: Path, members: Sequence[Member], budget: int) -> Learned:
    """What is in a file that `prove schedule` wrote, for these `members` and this budget. Raises InputError."""
    from pydantic import TypeAdapter, ValidationError

    from prover.ensembles import Learned

    try:
        learned = TypeAdapter(Learned).validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot read {path} ({error.strerror}): give a file that prove schedule wrote") from error
    except ValidationError as error:
        raise InputError(f"{path} is no schedule of this version: learn it (again) with prove schedule") from error
    if len(learned.schedule.quotas[0]) != len(learned.members):
        raise InputError(f"{path} is no schedule: it has quotas for other members than it names")
    if learned.members != _names(members):
        raise InputError(f"{path} is for {'; '.join(learned.members)}: give these in this order, or learn another")
    if learned.budget != budget:
        raise InputError(f"{path} is for --budget {learned.budget}: give that, or learn another")
    return learned
