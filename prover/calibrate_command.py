"""The command `prove calibrate`: the temperatures of a shared frontier, fitted to held-out proofs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from prover import parts
from prover.options import PORTFOLIO, SHIPPED, BeamsOption, InputError, PolicyOption, TemperatureOption, option

if TYPE_CHECKING:
    from prover.records import Member
    from prover.run import PolicyFactory
    from search.policy import Policy
    from train.temperature import Answer, Fit

    Applied = Mapping[str, Sequence[str]]  # by states: the tactics that proofs applied there, one for each pair

PAIRS = "Pairs"
Split = Literal["train", "valid", "test"]  # train.data's, which takes seconds to import


def calibrate(
    data: Annotated[
        Path,
        option(
            panel=PAIRS,
            metavar="PATH",
            help="Pairs of state and tactic that no policy was trained on: .jsonl, .jsonl.gz, or LeanDojo's folder"
            " random or novel_premises.",
        ),
    ],
    split: Annotated[Split, option(panel=PAIRS, help="The split of --data to take.")] = "valid",
    states: Annotated[
        int, option(panel=PAIRS, min=1, metavar="N", help="Different states at most, evenly spaced over the split.")
    ] = 500,
    policy: PolicyOption = [PORTFOLIO, SHIPPED],  # noqa: B006 (Typer copies it)
    temperature: TemperatureOption = None,
    beams: BeamsOption = None,
    width: Annotated[
        int, option(min=1, metavar="N", help="Tactics that each policy lists in a state: --width of the search.")
    ] = 4,
    seed: Annotated[int, option(min=0, metavar="N", help="Same seed, same draws, same temperatures.")] = 0,
) -> None:
    """Fit the temperatures of prove --ensemble shared to held-out pairs of state and tactic.

    Each policy gets the one at which the tactics that the proofs applied are likeliest, those that it does not list
    being one more. Give --policy, --temperature, --beams and --width as to the search. Ends with the option for it,
    alone on stdout.
    """
    try:
        applied = _applied(data, split, states)
        policies = parts.policies(parts.spelled_out(policy), temperature, beams)
        fits = asyncio.run(_fit(policies, applied, width, seed))
    except KeyboardInterrupt:
        typer.echo("prove: stopped; nothing is kept, and the same command begins anew", err=True)
        raise typer.Exit(130) from None
    typer.echo(f"--calibration {','.join(f'{fit.temperature:.3g}' for fit in fits)}")


def _applied(data: Path, split: Split, most: int) -> Applied:
    """Of the states of a split at most `most`. Raises InputError and TrainingError."""
    from train.data import corpus

    found: dict[str, list[str]] = {}
    for pair in corpus(data).pairs(split):
        found.setdefault(pair["state"], []).append(pair["tactic"].strip())  # as policies give theirs
    if not found:
        raise InputError(f"--data {data} has no pair of split {split}: give another --split, or other data")
    names = list(found)
    count = min(most, len(names))
    return {names[place]: found[names[place]] for place in (len(names) * n // count for n in range(count))}


async def _fit(policies: Sequence[tuple[Member, PolicyFactory]], applied: Applied, width: int, seed: int) -> list[Fit]:
    """The fits of all policies, each told as soon as it is there. Raises ModelError."""
    from prover.policy.guard import guarded
    from train.temperature import fitted

    fits = []
    for member, policy in policies:
        answers = await _answers(guarded(policy(seed), member.policy), member.policy, applied, width)
        fits.append(fitted(answers))
        parts.tell(_line(member.policy, answers, fits[-1]))
    return fits


async def _answers(policy: Policy, name: str, applied: Applied, width: int) -> list[Answer]:
    """What the policy lists in every state. All are asked at once: models answer them in batches."""
    from tqdm import tqdm

    from train.temperature import Answer

    async def answer(state: str, tactics: Sequence[str]) -> Answer:
        listed = await policy.suggest(state, width)
        bar.update()
        places = {suggestion.tactic: place for place, suggestion in enumerate(listed)}
        return Answer(tuple(each.log_prob for each in listed), tuple(places.get(tactic) for tactic in tactics))

    with tqdm(total=len(applied), desc=name, unit="state", mininterval=5, dynamic_ncols=True) as bar:
        return await asyncio.gather(*(answer(state, tactics) for state, tactics in applied.items()))


def _line(name: str, answers: Sequence[Answer], fit: Fit) -> str:
    shares = [sum(place is not None for place in one.applied) / len(one.applied) for one in answers]
    bound = ", the last that is looked at" if fit.at_bound else ""
    return (
        f"{name}: {len(answers)} states, {100 * sum(shares) / len(shares):.0f} % of the tactics listed,"
        f" -log p {fit.before:.3f} -> {fit.after:.3f}, temperature {fit.temperature:.3g}{bound}"
    )
