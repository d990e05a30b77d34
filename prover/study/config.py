"""The file that says what a study compares, and the grid of cells that follows from it.

benchmarks = ["gym"]
split = "test"
budgets = [16, 64, 256]
seeds = [0, 1, 2]
baseline = "ce"

[[members]]
name = "ce"
policy = "runs/{seed}/ce"

[[members]]
name = "over N_eff"
ensemble = ["ce", "n-eff-8"]

[[strategies]]
name = "best-first"
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, StringConstraints, ValidationError, model_validator

from prover.options import DEFAULT_TEMPERATURE, DEFAULT_TIMEOUT_S, InputError, StrategyName
from prover.strategies import StrategyOptions, label

SEED = "{seed}"  # in the folder of a model: there is one for each seed
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MemberOptions(_Table):
    """Who proves: a policy, or an ensemble of members that share the budget equally.

    `policy` is portfolio, a model that comes with the program (such as n-eff-8), or the folder or hub name of another;
    "{seed}" in it stands for the seed of the search. An ensemble that names a member twice searches with it twice, with
    different seeds. Its members search by one strategy after the other of the study, as others do, or only by their own
    `strategies`, one for each in their order.
    """

    name: Name
    policy: Name | None = None
    temperature: float = Field(DEFAULT_TEMPERATURE, ge=0.01, le=10)
    ensemble: tuple[Name, ...] = ()
    strategies: tuple[StrategyOptions, ...] = ()

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.policy is None) == (not self.ensemble):
            raise ValueError(f"member {self.name} needs either a policy or an ensemble")
        if len(self.ensemble) == 1:
            raise ValueError(f"the ensemble {self.name} has one member: give it more, or leave it out")
        if self.ensemble and "temperature" in self.model_fields_set:
            raise ValueError(f"member {self.name} is an ensemble: its members have the temperature")
        if self.strategies and not self.ensemble:
            raise ValueError(f"member {self.name} is a policy: it searches by the study's strategies, not its own")
        if self.strategies and len(self.strategies) != len(self.ensemble):
            raise ValueError(
                f"member {self.name} has {len(self.strategies)} strategies for an ensemble of {len(self.ensemble)}:"
                " give one for each, or none"
            )
        return self

    @property
    def own_strategies(self) -> tuple[str, ...]:
        """The labels of its `strategies`."""
        return tuple(map(label, self.strategies))

    def parts(self, strategy: str) -> list[Cell]:
        """The cells that the ensemble consists of where the study's strategy is `strategy`."""
        return list(map(Cell, self.ensemble, self.own_strategies or (strategy,) * len(self.ensemble)))


class StudyOptions(_Table):
    """What is compared on which theorems. Budgets in expansions a theorem, `timeout_s` in seconds a tactic.

    `limit` is how many theorems of each benchmark, evenly spaced; `data` the file of statements of a benchmark that has
    none of its own.
    Members search with every strategy and every seed; `shapes` stand for as many strategies named shaped. The
    comparisons are with the member `baseline`, and between strategies with the first of them. `trees_mb` is how much of
    the page may be search trees, in 10^6 bytes.
    """

    benchmarks: tuple[Name, ...] = Field(min_length=1)
    split: Name | None = None
    data: Path | None = None
    limit: PositiveInt | None = None
    members: tuple[MemberOptions, ...] = Field(min_length=1)
    strategies: tuple[StrategyOptions, ...] = ()
    shapes: tuple[Annotated[tuple[PositiveInt, ...], Field(min_length=1)], ...] = ()
    budgets: tuple[Annotated[int, Field(gt=0, lt=2**63)], ...] = Field(min_length=1)
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**63)], ...] = Field((0,), min_length=1)
    baseline: Name
    timeout_s: float = Field(DEFAULT_TIMEOUT_S, ge=0.1)
    trees_mb: float = Field(8.0, ge=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not self._listed:
            raise ValueError("there is nothing to search with: give [[strategies]] or shapes")
        names, labels = [member.name for member in self.members], [label(options) for options in self._listed]
        unique = {"benchmarks": self.benchmarks, "members": names, "strategies": labels, "seeds": self.seeds}
        for what, given in unique.items():
            if twice := [one for place, one in enumerate(given) if one in given[:place]]:
                raise ValueError(f"{what} has {twice[0]} twice: give each once")
        if self.data is not None and len(self.benchmarks) > 1:
            raise ValueError("data is the file of one benchmark: give one, or leave data out")
        _known("baseline", self.baseline, names)
        if next(member for member in self.members if member.name == self.baseline).strategies:
            raise ValueError(f"baseline: {self.baseline} has strategies of its own: take another member")
        policies = [member.name for member in self.members if member.policy is not None]
        for member in self.members:
            parts = member.parts(labels[0])
            for part in parts:
                _known(f"the ensemble {member.name}", part.member, policies)
                if part.strategy not in labels:
                    raise ValueError(
                        f"the ensemble {member.name}: the study lacks its strategy {part.strategy}: add it"
                    )
                if parts.count(part) > len(self.seeds):
                    raise ValueError(f"the ensemble {member.name} has {part.member} more often than there are seeds")
        return self

    @property
    def searches(self) -> dict[str, StrategyOptions]:
        """The strategies by their labels, those of `shapes` among them."""
        return {label(options): options for options in self._listed}

    @property
    def _listed(self) -> list[StrategyOptions]:
        shaped = [
            StrategyOptions.model_validate({"name": StrategyName.SHAPED, "shape": shape}) for shape in self.shapes
        ]
        return [*self.strategies, *shaped]

    @property
    def title(self) -> str:
        """The benchmarks and the split."""
        return f"{' and '.join(self.benchmarks)}{f', {self.split}' if self.split else ''}"

    @property
    def budget(self) -> int:
        """The largest budget: what is spent within it tells what every smaller one proves."""
        return max(self.budgets)


@dataclass(frozen=True)
class Cell:
    """A member with a strategy, by their names."""

    member: str
    strategy: str

    def __str__(self) -> str:
        return f"{self.member}, {self.strategy}"


def cells(options: StudyOptions, *, ensembles: bool) -> tuple[Cell, ...]:
    """The grid: of the members that search, or of the `ensembles` that follow from their searches.

    An ensemble with strategies of its own is one cell.
    """
    members = [member for member in options.members if bool(member.ensemble) is ensembles]
    return (
        *(Cell(one.name, strategy) for strategy in options.searches for one in members if not one.strategies),
        *(Cell(one.name, " + ".join(one.own_strategies)) for one in members if one.strategies),
    )


def read_options(path: Path) -> StudyOptions:
    """The study that the file describes. Raises InputError with what is wrong in one line."""
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path} ({error.strerror}): give the TOML file of a study") from error
    except ValueError as error:  # not UTF-8, or not TOML
        raise InputError(f"{path} is not TOML ({error}): mend that line") from error
    try:
        return StudyOptions.model_validate(given)
    except ValidationError as error:
        raise InputError(f"{path}: {_first(error)}") from error


def _first(error: ValidationError) -> str:
    """The first thing that is wrong, in a line that says where."""
    wrong = error.errors()[0]
    *table, key = wrong["loc"] or ("",)
    where = ".".join(map(str, wrong["loc"]))
    if wrong["type"] == "extra_forbidden":
        return _unknown(f"the key {where}", str(key), _keys(table))
    if wrong["type"] == "enum" and key == "name":
        return _unknown(f"{where}: the strategy {wrong['input']}", str(wrong["input"]), list(StrategyName))
    if wrong["type"] == "missing":
        return f"{where} is missing: give it"
    if wrong["type"] == "value_error":
        return f"{where}: {wrong['ctx']['error']}" if where else str(wrong["ctx"]["error"])
    return f"{where} = {wrong['input']!r}: {wrong['msg'][:1].lower()}{wrong['msg'][1:]}"


def _keys(table: Sequence[int | str]) -> list[str]:
    """The keys that the table at `table` may have."""
    model: Any = StudyOptions
    for name in (part for part in table if isinstance(part, str)):
        if name in model.model_fields:
            model = get_args(model.model_fields[name].annotation)[0]
    return list(model.model_fields)


def _known(where: str, given: str, known: Iterable[str]) -> None:
    if given not in (names := list(known)):
        raise ValueError(_unknown(f"{where}: the member {given}", given, names))


def _unknown(what: str, given: str, known: Sequence[str]) -> str:
    near = get_close_matches(given, known, n=1)
    return f"{what} is not known: " + (f"did you mean {near[0]}?" if near else f"take one of {', '.join(known)}")
