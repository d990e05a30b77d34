"""What models are trained on: pairs of a proof state and a tactic that was applied to it, read and tokenised once.

Two forms are read. The program's own corpus is JSON lines (`.jsonl` or `.jsonl.gz`), a pair a line. LeanDojo Benchmark
4 is read as it is distributed: a folder `random` or `novel_premises` with train.json, val.json and test.json, or one
of these files; each is one JSON array of theorems, read theorem by theorem since it may be larger than memory.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal, TypedDict, TypeVar

from datasets import Dataset, Features, Value  # type: ignore[import-untyped]
from datasets.exceptions import DatasetGenerationError  # type: ignore[import-untyped]
from pydantic import AfterValidator, BaseModel, Field, ValidationError

from train.prompt import prompt

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Split = Literal["train", "valid", "test"]

LEANDOJO_SPLITS: dict[str, Split] = {"train": "train", "val": "valid", "test": "test"}
CHUNK_CHARACTERS = 1 << 22
LONGEST_THEOREM_CHARACTERS = 1 << 27  # beyond this, what does not parse is broken rather than long

_NO_SPACE = re.compile(r"\S")

Row = TypeVar("Row", bound=BaseModel)
TEXT, NUMBER = Value("large_string"), Value("int64")
PAIR_FEATURES = Features(
    {"theorem": TEXT, "family": TEXT, "state": TEXT, "tactic": TEXT, "proof": NUMBER, "step": NUMBER, "length": NUMBER}
)


class TrainingError(Exception):
    """A training cannot be done as asked. One line, with the mend."""


class Pair(TypedDict):
    """A proof state and the tactic of its step in a proof of `length` tactics; `step` counts from 0."""

    theorem: str
    family: str
    state: str
    tactic: str
    proof: int
    step: int
    length: int


Number = Annotated[int, Field(ge=-(2**63), lt=2**63)]  # what a column of numbers can hold


class _CorpusLine(BaseModel):
    theorem: str
    family: str
    split: Split
    state: str = Field(min_length=1)
    tactic: str = Field(min_length=1)
    proof: Number
    step: Number = Field(ge=0)
    length: Number = Field(ge=1)


def _encodable(text: str) -> str:
    """`text`, unless half a surrogate pair stands in it, which JSON may hold and no column can. Raises ValueError."""
    text.encode()
    return text


Text = Annotated[str, AfterValidator(_encodable)]


class _TracedTactic(BaseModel):
    tactic: Text
    state_before: Text


class LeanDojoTheorem(BaseModel):
    """An entry of LeanDojo Benchmark 4: where a theorem stands, and the steps of its proof."""

    url: str = ""
    commit: str = ""
    file_path: Text
    full_name: Text
    start: tuple[int, int] | None = None  # line and column, from 1
    traced_tactics: list[_TracedTactic]


@dataclass(frozen=True)
class Corpus:
    """A data file or folder, and the digest of its contents (SHA-256, 16 hexadecimal digits)."""

    path: Path
    files: tuple[Path, ...]
    digest: str

    def pairs(self, split: Split) -> Iterator[Pair]:
        """The pairs of one split, in the order of the files. Raises TrainingError with line and field."""
        for file in self.files:
            if file.suffix != ".json":
                yield from _corpus_pairs(file, split)
            elif LEANDOJO_SPLITS.get(file.stem, "train") == split:
                yield from _leandojo_pairs(file)


def corpus(path: Path) -> Corpus:
    """The data at `path`. Raises TrainingError when it is in neither form."""
    if path.is_dir():
        files = tuple(path / f"{name}.json" for name in LEANDOJO_SPLITS if (path / f"{name}.json").is_file())
    else:
        files = (path,) if path.name.endswith((".json", ".jsonl", ".jsonl.gz")) else ()
    if not files:
        raise TrainingError(
            f"--data {path} is not training data: give a .jsonl or .jsonl.gz file of pairs, or LeanDojo's folder "
            "random or novel_premises"
        )
    digest = hashlib.sha256()
    for file in files:
        try:
            with file.open("rb") as content:
                role = LEANDOJO_SPLITS.get(file.stem, "") if file.suffix == ".json" else ""
                digest.update(role.encode() + hashlib.file_digest(content, "sha256").digest())
        except OSError as error:
            raise TrainingError(f"cannot read --data {file}: {error.strerror}") from error
    return Corpus(path, files, digest.hexdigest()[:16])


def _corpus_pairs(file: Path, split: Split) -> Iterator[Pair]:
    opener = gzip.open if file.suffix == ".gz" else open
    with _text_errors(file), opener(file, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            row = _checked(_CorpusLine, line, f"{file}, line {number}")
            if row.split == split:
                yield Pair(**row.model_dump(exclude={"split"}))  # type: ignore[typeddict-item]


def leandojo_theorems(file: Path) -> Iterator[LeanDojoTheorem]:
    """The entries of a JSON file of LeanDojo Benchmark 4, in its order. Raises TrainingError with line and field."""
    with _text_errors(file), file.open(encoding="utf-8") as text:
        for number, (where, value) in enumerate(_array(text, str(file))):
            yield _checked(LeanDojoTheorem, value, f"{where}, theorem {number + 1}")


def _leandojo_pairs(file: Path) -> Iterator[Pair]:
    for number, theorem in enumerate(leandojo_theorems(file)):
        for step, traced in enumerate(theorem.traced_tactics):
            yield Pair(
                theorem=theorem.full_name,
                family=theorem.file_path,
                state=traced.state_before,
                tactic=traced.tactic,
                proof=number,
                step=step,
                length=len(theorem.traced_tactics),
            )


@contextmanager
def _text_errors(file: Path) -> Iterator[None]:
    try:
        yield
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise TrainingError(f"{file} cannot be read as text ({error}): make or fetch it again") from error


def _checked(kind: type[Row], value: Any, where: str) -> Row:
    """`value`, a JSON text or what one was parsed to, as a `kind`."""
    try:
        return kind.model_validate_json(value, strict=True) if isinstance(value, str) else kind.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise TrainingError(f"{where}{f', field {field}' if field else ''}: {first['msg']}") from None


def _array(text: IO[str], name: str) -> Iterator[tuple[str, Any]]:
    """The elements, objects all, of one JSON array and where each begins; little more than one is held in memory."""
    decoder = json.JSONDecoder()
    buffer, at, line, ended, separator = "", 0, 1, False, "["
    while True:
        start, at = at, _after_space(buffer, at)
        line += buffer.count("\n", start, at)
        if at < len(buffer):
            if buffer[at] == "]" and separator == ",":
                return
            if buffer[at] != separator:
                raise TrainingError(f"{name}, line {line}: {separator!r} expected, of an array of theorems")
            begin = _after_space(buffer, at + 1)
            try:
                value, end = decoder.raw_decode(buffer, begin)
            except RecursionError:
                raise TrainingError(
                    f"{name}, line {line}: nested too deeply; give the file as LeanDojo has it"
                ) from None
            except json.JSONDecodeError as error:
                if separator == "[" and buffer[begin:].rstrip() == "]":
                    return
                if ended or len(buffer) - at > LONGEST_THEOREM_CHARACTERS:
                    wrong = line + buffer.count("\n", at, error.pos)
                    raise TrainingError(
                        f"{name}, line {wrong}: {error.msg}; give the file as LeanDojo has it"
                    ) from None
            else:
                yield f"{name}, line {line}", value
                line += buffer.count("\n", at, end)
                at, separator = end, ","
                continue
        if ended:
            raise TrainingError(f"{name}, line {line}: the array of theorems does not end; fetch the file again")
        chunk = text.read(CHUNK_CHARACTERS)
        ended = not chunk
        buffer, at = buffer[at:] + chunk, 0


def _after_space(text: str, start: int) -> int:
    """Where in `text`, from `start` on, the first character stands that is no space."""
    found = _NO_SPACE.search(text, start)
    return found.start() if found else len(text)


@dataclass(frozen=True)
class Encoded:
    """The tokenised pairs of a split, and how many were left out since they are longer than the limit.

    Columns of `rows`: `input_ids` (prompt, tactic, end token), `prompt_length` in tokens, and of Pair `tactic`,
    `proof`, `step` and `length`.
    """

    rows: Dataset
    too_long: int


def encoded(
    source: Corpus, split: Split, tokenizer: PreTrainedTokenizerBase, max_length: int, cache: Path | None = None
) -> Encoded:
    """The pairs of `split`, tokenised; kept below `cache` (default: that of `datasets`) and read from there next time.

    A pair of more than `max_length` tokens is left out whole: a tactic learned from a state that was cut may rest on
    what was cut away. Raises TrainingError.
    """
    rows = _dataset(source, split, cache)

    def encode(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
        prompts = tokenizer([prompt(state) for state in batch["state"]])["input_ids"]
        tactics = tokenizer(batch["tactic"], add_special_tokens=False)["input_ids"]
        whole = [[*before, *tactic, tokenizer.eos_token_id] for before, tactic in zip(prompts, tactics, strict=True)]
        fits = [index for index, ids in enumerate(whole) if len(ids) <= max_length]
        return {
            "input_ids": [whole[index] for index in fits],
            "prompt_length": [len(prompts[index]) for index in fits],
            **{name: [batch[name][index] for index in fits] for name in ("tactic", "proof", "step", "length")},
        }

    vocabulary = tokenizer.backend_tokenizer.to_str()
    key = json.dumps([source.digest, split, vocabulary, max_length, tokenizer.eos_token_id, prompt("⊢")])
    with _disk_errors():
        kept = rows.map(
            encode,
            batched=True,
            remove_columns=rows.column_names,
            new_fingerprint=hashlib.sha256(key.encode()).hexdigest()[:16],
        )
    return Encoded(kept, len(rows) - len(kept))


def _dataset(source: Corpus, split: Split, cache: Path | None) -> Dataset:
    if next(source.pairs(split), None) is None:  # which `datasets` takes for an error
        return Dataset.from_dict({name: [] for name in PAIR_FEATURES}, features=PAIR_FEATURES)
    with _disk_errors():
        try:
            return Dataset.from_generator(
                source.pairs,
                features=PAIR_FEATURES,
                cache_dir=None if cache is None else str(cache),
                gen_kwargs={"split": split},
                fingerprint=f"{source.digest}-{split}",
            )
        except DatasetGenerationError as error:
            cause = error.__cause__
            if isinstance(cause, (TrainingError, OSError)):
                raise cause from None
            raise


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        mend = "free space, or set HF_DATASETS_CACHE to a folder of a larger disk that you may write to"
        raise TrainingError(f"cannot keep the data tokenised ({error.strerror or error}): {mend}") from error
