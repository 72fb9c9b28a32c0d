"""A model folder for those who know sequence classification only: `infinity_model.py MODEL FOLDER`.

infinity knows sequence classification only, and an older transformers. The weights have the
same names there; the mean is taken before the head, so answers differ, work does not.
"""

import json
import shutil
import sys
from pathlib import Path

_CONFIG, _TOKENIZER = "config.json", "tokenizer_config.json"


def convert(model: Path, folder: Path) -> None:
    """Write a folder that transformers 4 loads for `pipeline("text-classification")`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("model.safetensors", "tokenizer.json"):
        shutil.copy(model / name, folder / name)
    config = json.loads((model / _CONFIG).read_text(encoding="utf-8"))
    (kind,) = config["architectures"]
    config["architectures"] = [kind.replace("TokenClassification", "SequenceClassification")]
    config["classifier_pooling"] = "mean"
    (folder / _CONFIG).write_text(json.dumps(config), encoding="utf-8")
    tokenizer = json.loads((model / _TOKENIZER).read_text(encoding="utf-8"))
    tokenizer |= {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512}
    (folder / _TOKENIZER).write_text(json.dumps(tokenizer), encoding="utf-8")


if __name__ == "__main__":
    convert(*map(Path, sys.argv[1:3]))
