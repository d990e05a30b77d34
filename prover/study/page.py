"""study.html: a study as one file that needs no network. Without JavaScript its tables can be read all the same.

Search trees are in it as the store keeps them, compressed, and are opened when they are looked at. There are as many as
have room: of every theorem first, of the searches whose tree was kept, the one that proved it with least, then those of
the cells in their order.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from itertools import zip_longest
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from prover.study.analysis import Figures
from prover.study.config import StudyOptions
from prover.study.plots import COLOURS
from prover.study.results import Results
from prover.study.store import Search, SearchKey, Stated
from prover.study.tables import denominators, headline, tables
from search.statistics import wilson

SCRIPTS = ("vendor/d3.min.js", "vendor/plot.min.js", "tables.js", "curves.js", "tree.js", "theorems.js")
TreeOf = Callable[[Search], bytes | None]


def render(
    options: StudyOptions,
    results: Results,
    figures: Figures,
    theorems: Sequence[Stated],
    searches: Sequence[Search],
    tree: TreeOf,
) -> str:
    """The page; `searches` are those of the store, and `tree` gives the trees of those that have one."""
    environment = Environment(
        loader=PackageLoader("prover", "study"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shown = [one for one in searches if one.cell in results.parts and one.seed in results.seeds]
    trees, left_out = chosen(shown, tree, int(options.trees_mb * 1e6))
    scripts = [(files("prover.study") / name).read_text(encoding="utf-8") for name in SCRIPTS]
    style = [files("prover.report") / "report.css", files("prover.study") / "study.css"]
    return environment.get_template("study.html.jinja").render(
        title=options.title,
        headline=headline(results, figures, options.baseline),
        denominators=denominators(results),
        tables=tables(results, figures),
        data=_embedded(_data(options, results, theorems, shown, trees)),
        trees=[base64.b64encode(blob).decode() for blob in trees.values()],
        left_out=left_out,
        style=Markup("\n".join(file.read_text(encoding="utf-8") for file in style)),
        scripts=[Markup(script) for script in scripts],
        # The page may run these scripts and nothing else, whatever the names and tactics in it are.
        hashes=[base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts],
    )


def chosen(searches: Sequence[Search], tree: TreeOf, room: int) -> tuple[dict[SearchKey, bytes], int]:
    """The trees that the page has, of at most `room` bytes together, and how many it leaves out.

    Every theorem has its turn before any has its second.
    """
    queues: dict[str, list[Search]] = defaultdict(list)
    for search in searches:
        if tree(search) is not None:
            queues[search.theorem].append(search)
    for queue in queues.values():
        best = min((one for one in queue if one.proved), key=lambda one: one.spent.expansions, default=queue[0])
        queue.sort(key=lambda one: one is not best)
    found: dict[SearchKey, bytes] = {}
    left_out = 0
    for search in _in_turns(list(queues.values())):
        blob = tree(search)
        assert blob is not None
        size = -(-len(blob) // 3) * 4  # as base64
        if size <= room:
            found[search.key] = blob
            room -= size
        else:
            left_out += 1
    return found, left_out


def _in_turns(queues: Sequence[Sequence[Search]]) -> Iterator[Search]:
    return (search for turn in zip_longest(*queues) for search in turn if search is not None)


def _data(
    options: StudyOptions,
    results: Results,
    theorems: Sequence[Stated],
    searches: Sequence[Search],
    trees: dict[SearchKey, bytes],
) -> dict[str, Any]:
    """What the scripts show, as plain JSON data."""
    place = {cell: number for number, cell in enumerate(results.cells)}
    blob = {key: number for number, key in enumerate(trees)}
    by_theorem: dict[str, list[Search]] = defaultdict(list)
    for search in searches:
        by_theorem[search.theorem].append(search)
    count = len(results.theorems)
    points = results.points()
    return {
        "colours": COLOURS,
        "cells": [{"member": cell.member, "strategy": cell.strategy} for cell in results.cells],
        "curves": [
            [
                [point, *(round(100 * each, 3) for each in (rate.value, rate.low, rate.high))]
                for point in points
                for rate in [wilson(float(results.rates(cell, point).sum()), count)]
            ]
            for cell in results.cells
        ],
        "theorems": [
            {
                "name": theorem.name,
                "split": theorem.split,
                "statement": theorem.statement,
                "unsupported": theorem.unsupported,
                "searches": [
                    {
                        "cell": place[search.cell],
                        "seed": search.seed,
                        "status": search.status,
                        "expansions": search.spent.expansions,
                        "proof": search.proof,
                        "tree": blob.get(search.key),
                    }
                    for search in by_theorem[theorem.name]
                ],
            }
            for theorem in theorems
        ],
    }


def _embedded(data: Any) -> Markup:
    """JSON that stays inside its script element."""
    return Markup(json.dumps(data, ensure_ascii=False).replace("<", "\\u003c"))
