"""The policies of a study's members: the portfolio and models, each base loaded once for all that are used on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from prover.options import PORTFOLIO, SHIPPED
from prover.policy.batching import Batcher, Source
from prover.policy.errors import ModelError
from prover.policy.portfolio import Portfolio
from prover.policy.shelf import folder_of, open_models
from prover.policy.transformers import TransformersPolicy
from prover.study.config import SEED, MemberOptions
from prover.study.draws import SharedDraws
from prover.study.search import PolicyAt
from search.policy import Policy
from train.data import TrainingError
from train.settings import base_weights


@dataclass(frozen=True)
class Models:
    """The folder or hub name of the model of each member and seed, and digests that tell each policy from others."""

    folders: Mapping[tuple[str, int], str]
    digests: Mapping[tuple[str, int], str]


def models_of(members: Sequence[MemberOptions], seeds: Sequence[int]) -> Models:
    """The models that the members' policies name: those that come with the program by their name alone.

    Raises ModelError for a folder without weights, a name that is nearly one of ours, and one of several models.
    """
    folders: dict[tuple[str, int], str] = {}
    digests: dict[tuple[str, int], str] = {}
    for member in members:
        if member.policy is None:
            continue
        if member.policy == PORTFOLIO:
            digests |= {(member.name, seed): PORTFOLIO for seed in seeds}
            continue
        if member.policy == SHIPPED:
            raise ModelError(f"member {member.name}: {SHIPPED} is several models: give each a member, such as n-eff-8")
        try:
            model = folder_of(member.policy)
            for seed in seeds:
                folder = folders[member.name, seed] = model.replace(SEED, str(seed))
                digests[member.name, seed] = f"{base_weights(folder) or folder}, temperature {member.temperature:g}"
        except (ModelError, TrainingError) as error:
            raise ModelError(f"member {member.name}: {error}") from error
    return Models(folders, digests)


def open_policies(members: Sequence[MemberOptions], models: Models) -> dict[str, PolicyAt]:
    """What makes the policies of the members that have one, by their names. Raises ModelError."""
    folders = list(dict.fromkeys(models.folders.values()))
    opened = open_models(folders, max_rows=256)
    # A server may draw anew whatever the seed: what it writes for one search is not what it would write for another.
    sources = {model.batcher for model in opened}
    shared: dict[Source, Source] = {each: SharedDraws(each) for each in sources if isinstance(each, Batcher)}
    shelf = {
        folder: replace(model, batcher=shared.get(model.batcher, model.batcher))
        for folder, model in zip(folders, opened, strict=True)
    }

    def drawing(member: MemberOptions) -> PolicyAt:
        def policy(seed: int, own: int) -> Policy:
            model = shelf[models.folders[member.name, seed]]
            return TransformersPolicy(model.batcher, model.adapter, seed=own, temperature=member.temperature)

        return policy

    def listing(seed: int, own: int) -> Policy:
        return Portfolio()

    return {
        member.name: listing if member.policy == PORTFOLIO else drawing(member)
        for member in members
        if member.policy is not None
    }
