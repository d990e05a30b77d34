"""What report.html promises: everything is in it, nothing in it runs or loads, and it works in a browser."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lean_env.engine import Theorem, Verdict, VerdictKind
from prover.records import Attempt, Claim, Finding, MemberSearch, Outcome
from prover.report.report import render

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SUMMARY = {
    "benchmark": "toy",
    "split": "valid",
    "notice": "",
    "theorems": 5,
    "supported": 4,
    "proved": 2,
    "budget": 64,
    "expansions": 1234,
    "wall_s": 12.0,
    "lean_s": 9.5,
    "cut_prompts": 0,
    "cut_off": 0,
    "members": [
        {
            "policy": "<b>",
            "strategy": "best-first",
            "n_eff": None,
            "proved": 1,
            "expansions": 1200,
            "repeats": 0,
            "model_tokens": 0,
        },
        {
            "policy": "n-eff-8",
            "strategy": "best-first",
            "n_eff": 8.0,
            "proved": 1,
            "expansions": 34,
            "repeats": 17,
            "model_tokens": 4321,
        },
    ],
    "shape": {
        "trees": 4,
        "states": 12.25,
        "tried": [7.5, 4.0, 2.0],
        "branching": [2.0, 0.5, 0.0],
        "valid": 0.3125,
        "merged": 0.05,
        "failures": {"error": 1700, "timeout": 2},
        "proved": {1: 1, 3: 1},
    },
    "engine_use": {"requests": 1300, "peak_rss_mib": 654.3, "ends": {"timeout": 3, "killed": 1}},
}
SETTINGS = {"engine": "stand-in 1", "seed": 0, "budget": 64}


def finding(
    name: str, outcome: Outcome, *, proof: str = "", expansions: int = 1, claims: tuple[Claim, ...] = ()
) -> Finding:
    search = MemberSearch(0, outcome.value, expansions, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0.1, 0.1, 0.2)
    attempt = Attempt(name, 0, outcome, proof, claims, (search,), 0.2, 0.0)
    return Finding(Theorem(name, f"theorem {name} : 1 < 2 := by sorry", split="valid"), attempt)


FINDINGS = [
    finding("easy", Outcome.PROVED, proof="decide", expansions=3),
    finding("<script>alert(1)</script>", Outcome.PROVED, proof='rw [show 1 < 2 from "</pre>"]', expansions=40),
    finding("hard", Outcome.BUDGET, expansions=64),
    finding(
        "doubtful",
        Outcome.UNVERIFIED,
        expansions=7,
        claims=(Claim("decide!", Verdict(VerdictKind.UNVERIFIED, "180 s ran out")),),
    ),
    Finding(
        Theorem("strange", "theorem strange : Real.pi > 3 := by sorry"), None, "unknown identifier 'Real.pi'\nat 1:2"
    ),
]


@pytest.fixture
def page() -> str:
    return render(SUMMARY, SETTINGS, FINDINGS)


class Reader(HTMLParser):
    """Collects what a browser would: tags with their attributes, and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_every_theorem_is_in_the_table_with_its_proof_or_why_not(page: str) -> None:
    text = "".join(Reader(page).text)
    for found in FINDINGS:
        assert found.theorem.name in text
        assert found.theorem.statement in text
    for said in ("decide", "no proof in 64 expansions", "180 s ran out", "unknown identifier 'Real.pi'\nat 1:2"):
        assert said in text


def test_names_and_proofs_are_text_and_never_markup(page: str) -> None:
    scripts = [attributes for tag, attributes in Reader(page).tags if tag == "script"]
    assert len(scripts) == 1
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_nothing_is_loaded_from_anywhere(page: str) -> None:
    for tag, attributes in Reader(page).tags:
        assert tag not in {"link", "img", "iframe", "object", "embed"}
        assert not {"src", "href", "style"} & attributes.keys()
    assert "url(" not in page
    assert not re.search(r"https?://", page)


def test_a_run_without_proofs_has_a_report_too() -> None:
    empty = {**SUMMARY, "proved": 0, "supported": 0, "theorems": 0, "expansions": 0}
    assert "Nothing is proved yet" in render(empty, SETTINGS, [])


def test_the_curve_rises_by_one_theorem_at_each_proof(page: str) -> None:
    curve = re.search(r'<path d="(M[^"]+)"', page)
    assert curve
    heights = [float(height) for height in re.findall(r"V([\d.]+)", curve[1])]
    assert heights == [100.0, 0.0]


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine to open the report in")
def test_searching_filtering_and_sorting_work_in_a_browser_from_a_file(page: str, tmp_path: Path) -> None:
    probe = """
    const rows = () => [...document.querySelectorAll("#table tbody tr")]
      .filter((row) => !row.hidden).map((row) => row.cells[0].firstChild.data.trim());
    const put = (id, value, event) => {
      const field = document.getElementById(id);
      field.value = value;
      field.dispatchEvent(new Event(event));
    };
    const seen = { all: rows() };
    document.querySelectorAll("thead button")[2].click(); seen.ascending = rows();
    document.querySelectorAll("thead button")[2].click(); seen.descending = rows();
    put("search", "real.pi UNKNOWN", "input"); seen.search = rows();
    put("search", "", "input"); put("outcome", "budget", "change"); seen.filter = rows();
    seen.output = document.getElementById("shown").value;
    document.body.replaceChildren(JSON.stringify(seen));
    """
    # The page forbids every script but its own; the probe is a guest of this test alone.
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    seen = dump(page.replace("</body>", f"<script>{{{probe}}}</script></body>"), tmp_path)
    attack = "<script>alert(1)</script>".replace("<", "&lt;").replace(">", "&gt;")
    assert f'"all":["easy","{attack}","hard","doubtful","strange"]' in seen
    assert f'"ascending":["strange","easy","doubtful","{attack}","hard"]' in seen
    assert f'"descending":["hard","{attack}","doubtful","easy","strange"]' in seen
    assert '"search":["strange"]' in seen
    assert '"filter":["hard"]' in seen
    assert '"output":"1 of 5 theorems"' in seen


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine to open the report in")
def test_the_pages_own_script_runs_under_its_content_policy(page: str, tmp_path: Path) -> None:
    seen = dump(page, tmp_path)
    assert "5 of 5 theorems" in seen
    assert seen.count("<button") > 1


def dump(page: str, folder: Path) -> str:
    """The document after chromium has run it from a file."""
    assert CHROMIUM
    file = folder / "report.html"
    file.write_text(page, encoding="utf-8")
    flags = [
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        f"--user-data-dir={folder / 'profile'}",
    ]
    done = subprocess.run(
        [CHROMIUM, *flags, "--dump-dom", file.as_uri()], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def test_what_each_member_did_is_shown(page: str) -> None:
    assert "<td>n-eff-8</td><td>best-first</td><td>8</td>" in page
    assert "<td>17</td>" in page
    assert "<td>4,321</td>" in page
    assert "&lt;b&gt;" in page


def test_the_measured_shape_is_shown(page: str) -> None:
    for what, figure in {
        "states a search": "12.2",
        "tactics tried a state, by depth": "7.5 4.0 2.0",
        "new states a state, by depth": "2.0 0.5 0.0",
        "tactics that Lean took": "31.2 %",
        "failed tactics": "error: 1,700, timeout: 2",
        "proofs, by their number of tactics": "1: 1, 3: 1",
    }.items():
        assert f"<dt>{what}</dt><dd>{figure}</dd>" in page
    nothing = {**SUMMARY["shape"], "tried": [], "branching": [], "failures": {}, "proved": {}}
    assert "<dd>none</dd>" in render({**SUMMARY, "shape": nothing}, SETTINGS, [])


def test_what_models_could_not_read_or_write_whole_is_told_only_where_there_was_some(page: str) -> None:
    assert "longer than the context" not in page and "cut off" not in page
    said = "states longer than the context, of which only the end was read: 1,203; draws cut off before their end: 7."
    assert f"<p>{said}</p>" in render({**SUMMARY, "cut_prompts": 1203, "cut_off": 7}, SETTINGS, FINDINGS)
    assert "<p>draws cut off before their end: 7.</p>" in render({**SUMMARY, "cut_off": 7}, SETTINGS, FINDINGS)
