"""The models of a run: bases shared, adapters found, N_eff read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from peft import LoraConfig, get_peft_model

from prover import parts
from prover.policy.errors import ModelError
from prover.policy.shelf import base_of, n_eff, open_models, shipped, spelled_out
from prover.policy.transformers import BeamPolicy, TransformersPolicy
from train.tiny import TinyShape, tiny_model, tiny_tokenizer

SHAPE = TinyShape(hidden=16, layers=1, heads=2, kv_heads=1, intermediate=32, vocabulary=300, positions=160)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A base and two adapters side by side."""
    folder = tmp_path / "models"
    tokenizer = tiny_tokenizer(["⊢ a"], SHAPE)
    for place, name in enumerate(("one", "two")):
        base = tiny_model(tokenizer, SHAPE, seed=0)
        base.save_pretrained(folder / "base")
        base.name_or_path = str(folder / "base")
        base.config._name_or_path = str(folder / "base")
        get_peft_model(base, LoraConfig(task_type="CAUSAL_LM", r=2, target_modules="all-linear")).save_pretrained(
            folder / name
        )
        settings = {"form": 1, "finished": True, "settings": {"N_eff": 4.0 * (place + 1)}}
        (folder / name / "training.json").write_text(json.dumps(settings))
    tokenizer.save_pretrained(folder / "base")
    return folder


async def test_adapters_of_one_base_share_it_and_answer_in_one_batcher(models: Path) -> None:
    base, one, two = open_models([str(models / name) for name in ("base", "one", "two")])
    assert base.batcher is one.batcher is two.batcher
    assert (base.adapter, base.n_eff) == (None, None)
    assert (one.name, one.n_eff, two.n_eff) == ("one", 4.0, 8.0)
    policy = TransformersPolicy(one.batcher, one.adapter, seed=1)
    await policy.sample("⊢ a", 2)
    assert policy.model_tokens > 0
    await one.batcher.close()


async def test_models_give_draws_or_the_likeliest_tactics_of_beams_and_their_names_say_which(models: Path) -> None:
    name = str(models / "one")
    ((drawing, draw),) = parts.policies([name])
    ((tempered, _),) = parts.policies([name], temperature=0.5)
    ((beaming, beam),) = parts.policies([name], beams=3)
    assert [m.policy for m in (drawing, tempered, beaming)] == ["one", "one, temperature 0.5", "one, beams 3"]
    assert beaming.n_eff == 4.0
    assert isinstance(draw(0), TransformersPolicy)
    likeliest = beam(0)
    assert isinstance(likeliest, BeamPolicy)
    assert 1 <= len(found := await likeliest.suggest("⊢ a", 100)) <= 3
    assert await beam(1).suggest("⊢ a", 100) == found


def test_models_that_lie_together_can_be_moved_together(models: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    shutil.move(models, moved)
    assert base_of(str(moved / "one")) == str(moved / "base")
    assert [model.name for model in open_models([str(moved / "one"), str(moved / "two")])] == ["one", "two"]


def test_an_adapter_whose_configuration_cannot_be_read_is_one_line(models: Path) -> None:
    (models / "one" / "adapter_config.json").write_text("{")
    with pytest.raises(ModelError, match=r"adapter_config\.json"):
        open_models([str(models / "one")])


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"settings": []}', '{"settings": {"N_eff": "many"}}'])
def test_a_training_json_of_something_else_is_one_line(models: Path, content: str) -> None:
    for name in ("one", "base"):
        (models / name / "training.json").write_text(content)
        with pytest.raises(ModelError, match=r"training\.json"):
            open_models([str(models / name)])


def test_the_programs_own_models_are_named_together_or_one_by_one() -> None:
    names = spelled_out(["portfolio", "shipped", "n-eff-8", "base", "./n-eff-8"])
    assert names == ["portfolio", *shipped(), shipped()[2], base_of(shipped()[2]), "./n-eff-8"]


@pytest.mark.parametrize(("name", "meant"), [("n-eff-7", "n-eff-8"), ("porfolio", "portfolio"), ("shiped", "shipped")])
def test_a_name_that_is_nearly_one_of_ours_is_not_looked_for_elsewhere(name: str, meant: str) -> None:
    with pytest.raises(ModelError, match=f"did you mean {meant}"):
        spelled_out(["base", name])


def test_the_shipped_models_are_one_base_with_an_adapter_for_each_n_eff() -> None:
    folders = [Path(folder) for folder in shipped()]
    assert [n_eff(folder) for folder in folders] == [1, 4, 8, 16, 32]
    assert len({base_of(str(folder)) for folder in folders}) == 1
    files = [file for file in folders[0].parent.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) <= 25_000_000
