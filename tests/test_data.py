"""Reading what models are trained on."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from train import data
from train.data import TrainingError, corpus, encoded
from train.prompt import prompt
from train.tiny import TinyShape, tiny_tokenizer

PAIR: dict[str, Any] = {
    "theorem": "t",
    "family": "f",
    "split": "train",
    "state": "a : ℕ\n⊢ a ≤ a",
    "tactic": "rfl",
    "proof": 3,
    "step": 0,
    "length": 1,
}
# An entry as LeanDojo Benchmark 4 has it, shortened.
THEOREM: dict[str, Any] = {
    "url": "https://github.com/leanprover-community/mathlib4",
    "commit": "29dcec074de168ac2bf835a77ef68bbe069194c5",
    "file_path": "Mathlib/Order/Basic.lean",
    "full_name": "le_rfl'",
    "start": [1, 1],
    "end": [4, 9],
    "traced_tactics": [
        {
            "tactic": "intro a",
            "annotated_tactic": ["intro a", []],
            "state_before": "⊢ ∀ (a : ℕ), a ≤ a",
            "state_after": "a : ℕ\n⊢ a ≤ a",
        },
        {
            "tactic": "exact le_refl a",
            "annotated_tactic": ["exact <a>le_refl</a> a", [{"full_name": "le_refl"}]],
            "state_before": "a : ℕ\n⊢ a ≤ a\n\ncase other\n⊢ True",
            "state_after": "no goals",
        },
    ],
}


def lines(file: Path, *rows: Any) -> Path:
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return file


def test_corpus_lines_are_read_by_split_packed_or_not(tmp_path: Path) -> None:
    plain = lines(tmp_path / "c.jsonl", PAIR, PAIR | {"split": "valid", "tactic": "simp"})
    packed = tmp_path / "c.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    for file in (plain, packed):
        assert [pair["tactic"] for pair in corpus(file).pairs("train")] == ["rfl"]
        assert [pair["tactic"] for pair in corpus(file).pairs("valid")] == ["simp"]
        assert list(corpus(file).pairs("test")) == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({key: value for key, value in PAIR.items() if key != "tactic"}, "line 2, field tactic: Field required"),
        (PAIR | {"step": "0"}, "line 2, field step: Input should be a valid integer"),
        (PAIR | {"split": "dev"}, "line 2, field split: Input should be 'train', 'valid' or 'test'"),
        (PAIR | {"state": ""}, "line 2, field state: "),
        (PAIR | {"proof": 2**63}, "line 2, field proof: Input should be less than"),
        ([1, 2], "line 2: Input should be an object"),
    ],
)
def test_wrong_line_is_named_with_its_field(row: Any, said: str, tmp_path: Path) -> None:
    file = lines(tmp_path / "c.jsonl", PAIR, row)
    with pytest.raises(TrainingError, match=said) as raised:
        list(corpus(file).pairs("train"))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("text", "said"), [('{"tactic": "\\ud800"}', "hex escape"), ("[" * 10**5, "recursion limit")])
def test_line_that_is_no_text_is_named(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "c.jsonl"
    file.write_text(f"{json.dumps(PAIR)}\n{text}\n")
    with pytest.raises(TrainingError, match=f"line 2: Invalid JSON: .*{said}"):
        list(corpus(file).pairs("train"))


def test_wrong_line_is_named_through_the_datasets_library_too(tmp_path: Path) -> None:
    file = lines(tmp_path / "c.jsonl", PAIR, PAIR | {"proof": None})
    tokenizer = tiny_tokenizer(["a"], TinyShape(vocabulary=300))
    with pytest.raises(TrainingError, match="line 2, field proof"):
        encoded(corpus(file), "train", tokenizer, 64, tmp_path / "cache")


def test_leandojo_folder_is_read_as_it_is_distributed(tmp_path: Path) -> None:
    folder = tmp_path / "random"
    folder.mkdir()
    (folder / "train.json").write_text(json.dumps([THEOREM, THEOREM | {"traced_tactics": []}, THEOREM]))
    (folder / "val.json").write_text(json.dumps([THEOREM]))
    pairs = list(corpus(folder).pairs("train"))
    assert [(pair["tactic"], pair["proof"], pair["step"], pair["length"]) for pair in pairs] == [
        ("intro a", 0, 0, 2),
        ("exact le_refl a", 0, 1, 2),
        ("intro a", 2, 0, 2),
        ("exact le_refl a", 2, 1, 2),
    ]
    assert pairs[0]["theorem"] == "le_rfl'"
    assert prompt(pairs[1]["state"]) == "[GOAL]a : ℕ\n⊢ a ≤ a[TACTIC]"
    assert len(list(corpus(folder).pairs("valid"))) == 2
    assert [*corpus(folder / "val.json").pairs("valid")] == [*corpus(folder).pairs("valid")]


def test_wrong_leandojo_entry_is_named_with_line_theorem_and_field(tmp_path: Path) -> None:
    broken = json.loads(json.dumps(THEOREM))
    del broken["traced_tactics"][1]["state_before"]
    file = tmp_path / "train.json"
    file.write_text(json.dumps([THEOREM, broken], indent=1))
    line = 1 + json.dumps([THEOREM], indent=1).count("\n")
    said = rf"train.json, line {line - 1}, theorem 2, field traced_tactics.1.state_before: Field required"
    with pytest.raises(TrainingError, match=said):
        list(corpus(file).pairs("train"))


def test_leandojo_text_that_no_column_can_hold_is_named(tmp_path: Path) -> None:
    file = tmp_path / "train.json"
    lone = THEOREM | {"traced_tactics": [{"tactic": "\ud800", "state_before": "⊢ a"}]}
    said_of = {json.dumps(lone): "line 1, theorem 2, field traced_tactics.0.tactic", "[" * 10**6: "nested too deeply"}
    for broken, said in said_of.items():
        file.write_text(f"[{json.dumps(THEOREM)}, {broken}]")
        with pytest.raises(TrainingError, match=said):
            list(corpus(file).pairs("train"))


@pytest.mark.parametrize("text", ["", "{}", "[", '[{"a": 1}', '[{"a": 1} {"b": 2}]', '[{"a": 1},]', '[{"a": tru}]'])
def test_broken_json_array_is_an_error_with_its_line(text: str, tmp_path: Path) -> None:
    file = tmp_path / "train.json"
    file.write_text("\n\n" + text)
    with pytest.raises(TrainingError, match="line 3"):
        list(corpus(file).pairs("train"))


@given(
    st.lists(st.dictionaries(st.text(), st.one_of(st.integers(), st.text(), st.lists(st.floats(allow_nan=False))))),
    st.integers(1, 40),
    st.sampled_from([None, 1]),
)
def test_array_is_read_in_chunks_of_any_size(values: list[dict[str, Any]], chunk: int, indent: int | None) -> None:
    with patch.object(data, "CHUNK_CHARACTERS", chunk):
        read = [value for _, value in data._array(io.StringIO(json.dumps(values, indent=indent)), "f")]
    assert read == values


def test_pairs_are_prompt_tactic_and_end_token_and_long_ones_are_counted_not_cut(tmp_path: Path) -> None:
    file = lines(tmp_path / "c.jsonl", PAIR, PAIR | {"tactic": "exact " + "x " * 99})
    tokenizer = tiny_tokenizer(["a"], TinyShape(vocabulary=300))
    found = encoded(corpus(file), "train", tokenizer, 64, tmp_path / "cache")
    assert found.too_long == 1
    (row,) = list(found.rows)
    assert tokenizer.decode(row["input_ids"]) == prompt(PAIR["state"]) + "rfl" + str(tokenizer.eos_token)
    assert tokenizer.decode(row["input_ids"][: row["prompt_length"]]) == prompt(PAIR["state"])


def test_pairs_are_tokenised_once_until_the_data_the_tokenizer_or_the_limit_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = lines(tmp_path / "c.jsonl", PAIR)
    tokenizer = tiny_tokenizer(["a"], TinyShape(vocabulary=300))
    calls = []
    monkeypatch.setattr(data, "prompt", lambda state: calls.append(state) or prompt(state))

    def tokenised(**change: Any) -> int:
        before = len(calls)
        given = {"tokenizer": tokenizer, "max_length": 64} | change
        encoded(corpus(file), "train", given["tokenizer"], given["max_length"], tmp_path / "cache")
        return len(calls) - before - 1  # one call is for the key of the cache

    assert tokenised() == 1
    assert tokenised() == 0
    assert tokenised(max_length=65) == 1
    assert tokenised(tokenizer=tiny_tokenizer(["rfl " * 9], TinyShape(vocabulary=300))) == 1
    lines(file, PAIR | {"tactic": "simp"})
    assert tokenised() == 1


@pytest.mark.parametrize("name", ["missing.jsonl", "notes.txt", "folder"])
def test_what_is_no_data_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "notes.txt").write_text("no data")
    with pytest.raises(TrainingError, match="--data"):
        corpus(tmp_path / name)


def test_packed_file_that_was_cut_off_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "c.jsonl.gz"
    file.write_bytes(gzip.compress(json.dumps(PAIR).encode())[:40])
    with pytest.raises(TrainingError, match="cannot be read as text"):
        list(corpus(file).pairs("train"))


def test_packed_file_with_a_flipped_byte_is_read_or_refused_in_one_line(tmp_path: Path) -> None:
    """A byte of the header, as the time, may be any; the sum at the end finds every other one."""
    file, whole = tmp_path / "c.jsonl.gz", gzip.compress(json.dumps(PAIR).encode())
    refused = 0
    for place in range(len(whole)):
        file.write_bytes(bytes([*whole[:place], whole[place] ^ 0xFF, *whole[place + 1 :]]))
        try:
            assert [pair["tactic"] for pair in corpus(file).pairs("train")] == ["rfl"]
        except TrainingError as error:
            assert str(file) in str(error) and "\n" not in str(error)
            refused += 1
    assert refused > len(whole) * 0.8


@pytest.mark.parametrize("name", ["train.json", "c.jsonl"])
def test_text_that_is_not_utf_8_is_refused(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(b'[{"full_name": "\xff"}]')
    with pytest.raises(TrainingError, match="cannot be read as text"):
        list(corpus(file).pairs("train"))
