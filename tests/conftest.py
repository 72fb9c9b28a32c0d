"""Tiny encoders, models and recipes made on the spot, for whoever learns or loads a model.

What needs torch imports it when it is asked for, so that the other tests do without.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from servers import running
from toy_corpus import LABELS, SHARED, WORDS, write_toys

# The same examples in every run, and no clock: machines are shared.
settings.register_profile("faqra", deadline=None, derandomize=True)
settings.load_profile("faqra")


@pytest.fixture(scope="session")
def service() -> Iterator[str]:
    """The URL of the bundled model's service, really running; it ends without a traceback."""
    with running() as url:
        yield url


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two layers with a WordPiece tokenizer, in the form of a transformers folder."""
    torch = pytest.importorskip("torch", reason="needs the extra 'train'")
    from transformers import BertConfig, BertModel

    from faqra_models.torch_backend import quiet_transformers
    from faqra_training.tokenizer import train_tokenizer

    # More threads than cores at rest make a toy's steps twenty times slower.
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("encoder")
    words = [*SHARED, *(word for each in WORDS.values() for word in each)]
    tokenizer = train_tokenizer([" ".join(words)] * 3, 200)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
        initializer_range=0.1,
    )
    with quiet_transformers():
        BertModel(config).save_pretrained(path)
        tokenizer.save_pretrained(path)
    return path


@pytest.fixture
def toy_values(tiny_encoder: Path, tmp_path: Path) -> dict[str, Any]:
    """The settings of a recipe that learns the toys in a second."""
    return {
        "name": "toy",
        "encoder": str(tiny_encoder),
        "train": [str(write_toys(tmp_path / "train.jsonl", range(24)))],
        "dev": [str(write_toys(tmp_path / "dev.jsonl", range(100, 108)))],
        "max_tokens": 64,
        "epochs": 4,
        "batch_tokens": 256,
        "learning_rate": 0.01,
    }


@pytest.fixture
def write_recipe(toy_values: dict[str, Any], tmp_path: Path) -> Callable[..., Path]:
    """Writes the toy recipe, with other settings where they are given."""

    def write(**others: Any) -> Path:
        path = tmp_path / "toy.toml"
        lines = [f"{key} = {json.dumps(value)}" for key, value in {**toy_values, **others}.items()]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def tiny_model_folder(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed model folder with random weights and the four labels, without ONNX."""
    import torch
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    from faqra_models.folder import CARD, seal, write_settings
    from faqra_models.settings import Settings
    from faqra_models.torch_backend import quiet_transformers

    path = tmp_path_factory.mktemp("model")
    torch.manual_seed(0)
    with quiet_transformers():
        model = AutoModelForTokenClassification.from_pretrained(
            tiny_encoder,
            num_labels=len(LABELS),
            id2label=dict(enumerate(LABELS)),
            label2id={label: number for number, label in enumerate(LABELS)},
        )
        # Random heads of the usual size call everything the same.
        torch.nn.init.normal_(model.classifier.weight, std=1.0)
        model.save_pretrained(path)
        tokenizer = AutoTokenizer.from_pretrained(tiny_encoder)
        tokenizer.save_pretrained(path)
    settings = Settings(
        name="tiny",
        labels=LABELS,
        max_tokens=64,
        cls_id=tokenizer.cls_token_id,
        sep_id=tokenizer.sep_token_id,
        pad_id=tokenizer.pad_token_id,
    )
    write_settings(path, settings)
    (path / CARD).write_text("# tiny\n", encoding="utf-8")
    seal(path)
    return path
