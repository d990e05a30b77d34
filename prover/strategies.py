"""The strategies by name, with the options that each takes: the one registry of `prove` and of studies."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, model_validator

from prover.options import DEFAULT_ALPHA, InputError, PriorityName, StrategyName
from search.and_or import apart
from search.beam import beam
from search.best_first import best_first
from search.budget import Budget, SearchResult
from search.depth_first import Rule, by_levin_score, depth_first, to_any, to_the_deepest
from search.expansion import Accept
from search.mcts import Bound, mcts, puct, uct
from search.rollouts import rollouts
from search.shaped import shaped
from search.tree import MEAN, SUM, Priority

if TYPE_CHECKING:
    from lean_env.engine import Session
    from prover.ensembles import Strategy
    from search.policy import Policy

Search = Callable[..., Awaitable[SearchResult]]


class StrategyOptions(BaseModel):
    """A strategy and its options; those that are not given have the strategy's default.

    `width` is tactics a pop (best-first), states a level (beam), or tactics a state (shaped); `tactics` those that beam
    tries on a state; `pops` the states that best-first takes up together; `depth` the most tactics of a proof; `shape`
    the widths by depth; `alpha` the exponent of priority length; `c` how much mcts and puct explore. `apart` goes with
    all of them: goals that share no metavariable are proved apart (search.and_or).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: StrategyName
    priority: PriorityName | None = None
    alpha: float | None = Field(None, ge=0, le=1)
    width: PositiveInt | None = None
    pops: PositiveInt | None = None
    tactics: PositiveInt | None = None
    depth: PositiveInt | None = None
    shape: tuple[PositiveInt, ...] | None = Field(None, min_length=1)
    c: float | None = Field(None, ge=0, allow_inf_nan=False)
    apart: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for option in self.given:
            if option not in STRATEGIES[self.name].defaults:
                takers = ", ".join(name for name, kind in STRATEGIES.items() if option in kind.defaults)
                raise ValueError(f"{option} does not go with {self.name}: leave it out (it goes with {takers})")
        if self.alpha is not None and self.priority is not PriorityName.LENGTH:
            raise ValueError("alpha goes with priority length: give that too, or leave alpha out")
        if self.name is StrategyName.SHAPED:
            if self.shape is not None and (self.width or self.depth):
                raise ValueError("shape says every width: leave out width and depth, or give these two alone")
            if self.shape is None and not (self.width and self.depth):
                raise ValueError(
                    "shape is needed for shaped: give widths by depth such as 16,8,4,2, or width and depth"
                )
        return self

    @property
    def given(self) -> dict[str, Any]:
        """The options of this strategy that were given."""
        return {name: value for name, value in self if name not in ("name", "apart") and value is not None}

    @property
    def resolved(self) -> dict[str, Any]:
        """All options of the strategy with the values that they have."""
        values = {**STRATEGIES[self.name].defaults, **self.given}
        if values.get("priority") is PriorityName.LENGTH:
            values["alpha"] = values["alpha"] if values["alpha"] is not None else DEFAULT_ALPHA
        if self.name is StrategyName.SHAPED:
            values["shape"] = values["shape"] or (values["width"],) * values["depth"]
        return values


@dataclass(frozen=True)
class Kind:
    """A strategy of the registry: its options with their defaults, and the search that it is with their values.

    `search` takes the values and a seed. None is a default for what need not be limited or does not apply.
    """

    defaults: Mapping[str, Any]
    search: Callable[[Mapping[str, Any], int], Search]


def strategy(options: StrategyOptions, seed: int = 0) -> Strategy:
    """The strategy; `seed` is for those that leave something to chance beside the policy's draws."""
    search = STRATEGIES[options.name].search(options.resolved, seed)

    async def searching(session: Session, policy: Policy, budget: Budget, accept: Accept) -> SearchResult:
        return await search(session, policy, budget, accept=accept)

    async def searching_apart(session: Session, policy: Policy, budget: Budget, accept: Accept) -> SearchResult:
        def part(session: Session, budget: Budget, accept: Accept) -> Awaitable[SearchResult]:
            return searching(session, policy, budget, accept)

        return await apart(part, session, budget, accept)

    return searching_apart if options.apart else searching


def label(options: StrategyOptions) -> str:
    """The strategy in a short text, the same for all ways of giving the same options."""
    values = options.resolved
    if options.name is StrategyName.SHAPED:
        widths = values["shape"]
        same = len(widths) > 1 and len(set(widths)) == 1
        shown = f"width={widths[0]}, depth={len(widths)}" if same else ",".join(map(str, widths))
    else:
        usual = {"depth": None, "pops": 1, "alpha": None}  # of best-first: what is left out where it changes nothing
        shown = ", ".join(
            f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
            for name, value in sorted(values.items())
            if name not in usual or value != usual[name]
        )
    return f"{options.name}({shown})" + (", goals apart" if options.apart else "")


def chosen(options: Mapping[str, Any]) -> list[StrategyOptions]:
    """The strategies that the options of a command ask for, in order; each has of the rest what it takes.

    Raises InputError for what does not go together, or with none of them.
    """
    given = {name: options.get(name) for name in StrategyOptions.model_fields if name not in ("name", "apart")}
    given["shape"] = _widths(options["shape"])
    names = options["strategy"]
    taken = {option for name in names for option in STRATEGIES[name].defaults}
    return [
        _checked(
            name=name,
            apart=options["apart"],
            **{
                option: value
                for option, value in given.items()
                if option in STRATEGIES[name].defaults or option not in taken
            },
        )
        for name in names
    ]


def _checked(**given: Any) -> StrategyOptions:
    try:
        return StrategyOptions(**given)
    except ValidationError as error:
        first = error.errors()[0]
        reason = first["msg"].removeprefix("Value error, ")  # begins with the option, unless a place is given
        raise InputError(f"--{': '.join([*map(str, first['loc'][:1]), reason])}") from error


def _widths(shape: str | None) -> tuple[int, ...] | None:
    if shape is None:
        return None
    widths = shape.split(",")
    if not all(re.fullmatch(r"0*[1-9]\d{0,8}", width, re.ASCII) for width in widths):
        raise InputError(f"--shape {shape!r} has a width that is no whole number above 0: give such as 16,8,4,2")
    return tuple(map(int, widths))


def _priority(values: Mapping[str, Any]) -> Priority:
    if values["priority"] is PriorityName.LENGTH:
        return Priority(values["alpha"])
    return MEAN if values["priority"] is PriorityName.MEAN else SUM


def _best_first(values: Mapping[str, Any], _seed: int) -> Search:
    rest = {name: values[name] for name in ("width", "depth", "pops")}
    return partial(best_first, priority=_priority(values), **rest)


def _beam(values: Mapping[str, Any], _seed: int) -> Search:
    rest = {name: values[name] for name in ("width", "depth", "tactics")}
    return partial(beam, priority=_priority(values), **rest)


def _rollouts(values: Mapping[str, Any], _seed: int) -> Search:
    return partial(rollouts, depth=values["depth"])


def _depth_first(back: Rule) -> Callable[[Mapping[str, Any], int], Search]:
    return lambda values, seed: partial(depth_first, back=back, depth=values["depth"], seed=seed)


def _mcts(bound: Callable[[float], Bound]) -> Callable[[Mapping[str, Any], int], Search]:
    return lambda values, _seed: partial(mcts, bound=bound(values["c"]), depth=values["depth"])


def _shaped(values: Mapping[str, Any], _seed: int) -> Search:
    return partial(shaped, widths=values["shape"])


_RANKED = {"priority": PriorityName.SUM, "alpha": None, "width": 4}
_DEEP = {"depth": 12}
_EXPLORING = {"c": 0.5, **_DEEP}

STRATEGIES: Mapping[StrategyName, Kind] = {
    StrategyName.BEST_FIRST: Kind({**_RANKED, "depth": None, "pops": 1}, _best_first),
    StrategyName.ROLLOUTS: Kind(_DEEP, _rollouts),
    StrategyName.DEPTH_FIRST: Kind(_DEEP, _depth_first(to_the_deepest)),
    StrategyName.RANDOMISED_DEPTH_FIRST: Kind(_DEEP, _depth_first(to_any)),
    StrategyName.VALUE_DEPTH_FIRST: Kind(_DEEP, _depth_first(by_levin_score)),
    StrategyName.MCTS: Kind(_EXPLORING, _mcts(uct)),
    StrategyName.PUCT: Kind(_EXPLORING, _mcts(puct)),
    StrategyName.BEAM: Kind({**_RANKED, **_DEEP, "tactics": 8}, _beam),
    StrategyName.SHAPED: Kind({"shape": None, "width": None, "depth": None}, _shaped),
}
