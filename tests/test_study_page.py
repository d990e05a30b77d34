"""The page of a study in a browser: what a reader does with it, by mouse and by keyboard, from a file."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from countdown import Countdown, theorem
from test_study import BENCHMARK, ODD, made, options

from lean_env.engine import Failed, FailureKind, ProofState, Proved
from prover.study.config import Cell
from prover.study.page import chosen
from prover.study.store import Search, StudyStore
from prover.study.study import write
from search.budget import Spent
from search.policy import Suggestion
from search.tree import SUM, Tree

playwright = pytest.importorskip("playwright.async_api", reason="pip install playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH")

EVIL = "<script>document.title='evil'</script>"
MEMBERS = [{"name": "few", "policy": "a"}, {"name": ODD, "policy": "b"}]
STATES = 10_000
DRAWN = 1_500  # steps that a picture of a tree may have: more are neither read nor quickly drawn


def large() -> Tree:
    """A tree of 10,000 states, one in three right below the theorem, with failures, merges and a deep proof."""
    rng, tree = random.Random(0), Tree(ProofState(0, ("⊢ 0",)), SUM)
    nodes, deepest = [tree.root], tree.root
    for key in range(1, STATES):
        source = tree.root if key % 3 == 0 else deepest if key % 500 == 0 else rng.choice(nodes)
        for missed in range(rng.randrange(2)):
            failure = Failed(FailureKind.ERROR, f"no {missed}")
            tree.add(source, Suggestion(f"miss {key} {missed}", -rng.random()), failure, 0.001)
        step = Suggestion(f"step {key}", -rng.random())
        nodes += tree.add(source, step, ProofState(key, (f"⊢ {key}",)), 0.001)
        deepest = nodes[-1] if key % 500 == 0 else deepest
    tree.add(nodes[-1], Suggestion("again", -1.0), deepest.state, 0.001)
    tree.add(deepest, Suggestion("done", -1.0), Proved(), 0.001)
    return tree


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a study with a theorem of an evil name, and one with a tree of 10,000 states."""
    out, given = tmp_path_factory.mktemp("study"), options(seeds=[0], members=MEMBERS)
    theorems = (*BENCHMARK.theorems, theorem(5, EVIL), theorem(8, "large"))
    asyncio.run(made(given, out, Countdown(), replace(BENCHMARK, theorems=theorems)))
    with closing(StudyStore(out)) as store:
        big = next(one for one in store.searches() if one.theorem == "large")
        proof = ("step 500", "done")
        blob = zlib.compress(json.dumps(large().to_dict()).encode(), 9)
        store.record(replace(big, status="proved", spent=Spent(1), proof=proof, tree=blob))
        write(given, store)
    return out / "study.html"


@dataclass
class Reader:
    """A page in the browser, and what it complained of."""

    page: playwright.Page
    complaints: list[str] = field(default_factory=list)

    async def rows(self, table: str) -> list[list[str]]:
        """The shown rows of a table, as text."""
        script = (
            "table => [...table.tBodies[0].rows].filter(r => !r.hidden).map(r => [...r.cells].map(c => c.innerText))"
        )
        rows: list[list[str]] = await self.page.locator(table).evaluate(script)
        return rows

    async def choose(self, name: str) -> None:
        """Open a theorem, and wait for its tree."""
        await self.page.get_by_role("button", name=name, exact=True).click()
        await self.page.locator("#tree [role=treeitem]").first.wait_for()

    async def items(self) -> int:
        """How many steps of the tree are drawn."""
        return int(await self.page.locator("#tree [role=treeitem]").count())

    async def at(self) -> str:
        """What a screen reader says of the element with the focus."""
        said: str = await self.page.evaluate("document.activeElement.getAttribute('aria-label') ?? ''")
        return said


@asynccontextmanager
async def browser(file: Path, scheme: str = "light", before: str = "") -> AsyncIterator[Reader]:
    """The page opened from its file, without a network; fails when it complains on the console.

    The script `before` runs before those of the page.
    """
    async with playwright.async_playwright() as drive:
        chromium = await drive.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await chromium.new_page(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
        reader = Reader(page)
        page.on("pageerror", lambda error: reader.complaints.append(str(error)))
        page.on("console", lambda said: reader.complaints.append(said.text) if said.type != "log" else None)
        page.on("request", lambda asked: reader.complaints.append(asked.url) if asked.url != file.as_uri() else None)
        await page.add_init_script(before)
        await page.goto(file.as_uri())
        yield reader
        assert reader.complaints == []
        await chromium.close()


async def test_a_column_sorts_both_ways_and_says_so(study: Path) -> None:
    async with browser(study) as reader:
        header = reader.page.locator("#theorem-table th", has_text="fewest expansions")
        await header.get_by_role("button").click()
        assert await header.get_attribute("aria-sort") == "ascending"
        fewest = [row[3] for row in await reader.rows("#theorem-table")]
        known = [int(each) for each in fewest if each != "–"]
        assert known == sorted(known)
        assert fewest[len(known) :] == ["–"] * (len(fewest) - len(known))
        await header.get_by_role("button").press("Enter")
        assert await header.get_attribute("aria-sort") == "descending"
        assert [row[3] for row in await reader.rows("#theorem-table")][: len(known)] == [str(n) for n in known[::-1]]


async def test_every_table_of_figures_can_be_sorted(study: Path) -> None:
    async with browser(study) as reader:
        tables = await reader.page.locator("table.sortable").all()
        assert len(tables) >= 7
        for table in tables[:-1]:  # the last one has the searches of a chosen theorem
            before = await table.locator("tbody tr").count()
            for header in await table.locator("thead th").all():
                await header.get_by_role("button").click()
                assert await header.get_attribute("aria-sort") == "ascending"
                assert await table.locator("thead [aria-sort]").count() == 1
            assert await table.locator("tbody tr").count() == before


async def test_a_theorem_is_found_by_what_it_states(study: Path) -> None:
    async with browser(study) as reader:
        await reader.page.keyboard.press("/")
        await reader.page.keyboard.type("counts 23")
        assert [row[0] for row in await reader.rows("#theorem-table")] == ["down23"]
        assert await reader.page.locator("#shown").inner_text() == "1 of 7 theorems"
        await reader.page.locator("#search").fill("no such thing")
        assert await reader.page.locator("#none").is_visible()
        await reader.page.locator("#search").fill("")
        await reader.page.get_by_label("Proved by").select_option("unsupported")
        assert [row[0] for row in await reader.rows("#theorem-table")] == ["strange"]


async def test_names_and_tactics_are_never_markup(study: Path) -> None:
    async with browser(study) as reader:
        await reader.choose(EVIL)
        assert await reader.page.locator("#theorem-name").inner_text() == EVIL
        assert "study" in await reader.page.title()
        assert await reader.page.locator("main b, main script").count() == 0


async def test_the_page_runs_no_script_but_its_own(study: Path, tmp_path: Path) -> None:
    tampered = tmp_path / "study.html"
    tampered.write_text(study.read_text(encoding="utf-8").replace("<main>", f"<main>{EVIL}", 1), encoding="utf-8")
    with pytest.raises(AssertionError, match="Content Security Policy"):
        async with browser(tampered) as reader:
            assert "evil" not in await reader.page.title()


async def test_a_tree_is_read_with_the_keyboard_alone(study: Path) -> None:
    async with browser(study) as reader:
        page = reader.page
        await page.get_by_role("button", name="down9", exact=True).focus()
        await page.keyboard.press("Enter")
        await page.locator("#tree [role=treeitem]").first.wait_for()
        for _ in range(200):  # on to the tree, past all that stands before it
            await page.keyboard.press("Tab")
            if await reader.at():
                focused = await page.evaluate("document.activeElement.getAttribute('role')")
                if focused == "treeitem":
                    break
        assert await reader.at() == await page.locator("#tree [aria-level='1']").get_attribute("aria-label")
        proof = await page.locator("#tree .proof[role=treeitem]").count()
        assert proof >= 2
        await page.keyboard.press("ArrowLeft")
        assert await reader.items() == 1
        assert await page.locator("#tree [aria-level='1']").get_attribute("aria-expanded") == "false"
        await page.keyboard.press("ArrowRight")
        assert await page.locator("#tree [aria-level='1']").get_attribute("aria-expanded") == "true"
        below = await page.locator("#tree [aria-level='2']").count()
        assert below >= 1
        await page.keyboard.press("ArrowRight")
        assert await page.evaluate("document.activeElement.getAttribute('aria-posinset')") == "1"
        assert "on the path of the proof" in await reader.at()
        assert await page.locator("#tree [aria-selected=true]").count() == 1
        await page.keyboard.press("ArrowLeft")  # folds, or goes up
        await page.keyboard.press("Home")
        assert (await reader.at()).startswith("the theorem")


async def test_a_step_shows_its_tactic_its_chance_and_what_lean_said(study: Path) -> None:
    async with browser(study) as reader:
        page = reader.page
        await reader.choose("down3")
        await page.locator("#search-table tr", has_text=ODD).get_by_role("button").first.click()
        await page.locator("#unfold-level").click()
        await page.locator("#tree .failures").first.click()
        await page.keyboard.press("End")
        detail = await page.locator("#detail").inner_text()
        assert "Log-probability" in detail
        assert "Failed: error" in detail
        assert "below zero" in detail
        await page.keyboard.press("Home")
        assert "⊢ counts 3" in await page.locator("#detail").inner_text()


async def test_a_tree_of_ten_thousand_states_draws_only_what_is_in_view(study: Path) -> None:
    async with browser(study) as reader:
        page = reader.page
        await reader.choose("large")
        assert f"{STATES:,} states" in await page.locator("#tree-says").inner_text()
        assert await page.locator("#tree .step.proof").count() >= 3  # unfolded along the proof
        assert await reader.items() <= DRAWN
        for _ in range(6):
            await page.locator("#unfold-level").click()
            assert await reader.items() <= DRAWN
        for _ in range(12):
            await page.locator("#zoom-out").click()
        await page.wait_for_function("d3.zoomTransform(document.querySelector('#tree')).k < 0.2")
        await page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert 0 < await reader.items() <= DRAWN
        await page.locator("#fold-all").click()
        await page.locator("#tree [tabindex='0']").focus()
        await page.keyboard.press("End")
        assert "more" in await reader.at()
        await page.keyboard.press("Enter")  # one press for the next forty
        assert await page.evaluate("document.activeElement.getAttribute('aria-posinset')") == "41"


async def test_a_merged_step_leads_to_its_state(study: Path) -> None:
    async with browser(study) as reader:
        page = reader.page
        await reader.choose("down23")
        await page.locator("#search-table tr", has_text=ODD).get_by_role("button").first.click()
        for _ in range(3):
            await page.locator("#unfold-level").click()
        for _ in range(4):  # until it is in view
            await page.locator("#zoom-out").click()
        await page.locator("#tree .merged").first.click()
        go = page.locator("#detail").get_by_role("button")
        state = (await go.inner_text()).removeprefix("Go to ")
        await go.click()
        assert f"Goals of {state}" in await page.locator("#detail").inner_text()
        assert await page.locator("#tree [aria-selected=true].state").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_texts_have_contrast_in_light_and_dark(study: Path, scheme: str) -> None:
    async with browser(study, scheme) as reader:
        await reader.choose("down9")
        await reader.page.locator("#unfold-level").click()
        poor = await reader.page.evaluate(CONTRAST)
        assert poor == []


CONTRAST = """() => {
  const parse = colour => {
    const canvas = new OffscreenCanvas(1, 1).getContext('2d');
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = colour => {
    const [r, g, b] = parse(colour).map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (parse(colour)[3] === 255) return colour;
    }
    return 'white';
  };
  const poor = new Set();
  const texts = 'h1, h2, h3, p, a, th, td, button, label, output, pre, code, text.title, text.subtitle';
  for (const element of document.querySelectorAll(texts)) {
    if (!element.textContent.trim() || !element.getClientRects().length || element.disabled) continue;
    const style = getComputedStyle(element);
    const [ink, paper] = [light(element.tagName === 'text' ? style.fill : style.color), light(behind(element))];
    const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (ratio < 4.5) poor.add(`${element.outerHTML.slice(0, 80)}: ${ratio.toFixed(2)}`);
  }
  return [...poor];
}"""


async def test_the_curves_have_a_line_and_a_legend_for_every_member_and_every_strategy(study: Path) -> None:
    async with browser(study) as reader:
        page = reader.page
        assert await page.locator("#chart .legend li").all_inner_texts() == ["few", ODD]
        assert await page.locator("#chart svg[role=img][aria-label='Theorems proved against expansions']").count() == 1
        await page.locator("#lines").select_option("strategy")
        assert len(await page.locator("#chart .legend li").all_inner_texts()) == 2
        assert await page.locator("#fixed option").all_inner_texts() == ["few", ODD]


async def test_a_browser_that_cannot_open_trees_says_so_and_shows_the_rest(study: Path) -> None:
    async with browser(study, before="delete window.DecompressionStream") as reader:
        await reader.page.get_by_role("button", name="down9", exact=True).click()
        assert "no DecompressionStream" in await reader.page.locator("#theorem-unsupported").inner_text()
        assert {row[6] for row in await reader.rows("#search-table")} == {"–"}
        assert await reader.page.locator("#tree-section").is_hidden()


async def test_a_narrow_screen_scrolls_tables_and_not_the_page(study: Path) -> None:
    async with browser(study) as reader:
        await reader.page.set_viewport_size({"width": 400, "height": 800})
        await reader.choose("down9")
        assert await reader.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_every_theorem_has_a_tree_before_any_has_two() -> None:
    searches, blob = _searches(), b"x" * 300
    found, left_out = chosen(searches, lambda one: blob, room=400 * 3)
    assert {name for name, _, _ in found} == {"a", "b", "c"}
    assert left_out == len(searches) - 3


def test_the_tree_of_a_theorem_is_first_of_the_search_that_proved_it_with_least() -> None:
    searches = _searches()
    found, _ = chosen(searches, lambda one: b"x", room=4)
    assert [searches.index(one) for one in searches if one.key in found] == [1]
    found, left_out = chosen(searches, lambda one: None if one.seed == 1 else b"x", room=4)
    assert [searches.index(one) for one in searches if one.key in found] == [2]
    assert left_out == 5


def _searches() -> list[Search]:
    """Of three theorems with three seeds each, the second seed proving with least."""
    cell, shape = Cell("few", "best-first"), {"states": 1, "failures": {}, "levels": []}
    return [
        Search(name, cell, seed, 16, "proved", Spent([9, 3, 5][seed]), ("rfl",), shape)
        for name in "abc"
        for seed in range(3)
    ]
