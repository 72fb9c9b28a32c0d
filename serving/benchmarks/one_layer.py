"""A model that takes next to no time, so that all else shows: `one_layer.py FOLDER`.

The bundled model's tokenizer and settings, and one layer of 64 with weights drawn by chance.
"""

import shutil
import sys
from pathlib import Path

import torch
from transformers import AutoConfig, ModernBertForTokenClassification

from faqra_models.export import export_onnx
from faqra_models.folder import ONNX, seal
from faqra_models.loading import BUNDLED
from faqra_models.torch_backend import quiet_transformers

_WIDTH = 64


def make_one_layer(folder: Path) -> Path:
    """Write the model folder; returns it."""
    shutil.copytree(BUNDLED, folder)
    (folder / ONNX).unlink()
    config = AutoConfig.from_pretrained(folder)
    config.num_hidden_layers = config.num_attention_heads = 1
    config.hidden_size = config.intermediate_size = _WIDTH
    config.layer_types = ["full_attention"]
    torch.manual_seed(0)
    with quiet_transformers():
        ModernBertForTokenClassification(config).save_pretrained(folder)
    seal(folder)
    export_onnx(folder)
    return folder


if __name__ == "__main__":
    make_one_layer(Path(sys.argv[1]))
