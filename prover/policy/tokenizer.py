"""Reading a model's tokenizer as it was saved."""

from __future__ import annotations

from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast
from transformers.models.auto.tokenization_auto import get_tokenizer_config

AS_SAVED = ("TokenizersBackend", "PreTrainedTokenizerFast")  # what tokenizer.json says, and nothing else


def load_tokenizer(name: str) -> PreTrainedTokenizerBase:
    """The tokenizer of a folder or of a name of the hub. Raises OSError and ValueError.

    For models of some types, qwen2 among them, AutoTokenizer takes the class of the type even where the folder names
    another. That class normalises text and cuts it into words in its own way, so that a tokenizer trained for a corpus
    would give other tokens after loading than before saving.
    """
    declared = get_tokenizer_config(name).get("tokenizer_class")
    reader = PreTrainedTokenizerFast if declared in AS_SAVED else AutoTokenizer
    tokenizer = reader.from_pretrained(name)
    assert isinstance(tokenizer, PreTrainedTokenizerBase)
    return tokenizer
