"""A model as a folder of files: their names, their digests, reading and writing them.

The folder is a plain transformers folder with `faqra.json`, `SHA256SUMS` and sometimes
`model.onnx` beside it. Where that is, torch's weights may be left out, as in faqra's wheel: it
stays the same model. This module knows files only; it loads no weights.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from faqra_data.errors import ModelError
from faqra_models.settings import Settings

SETTINGS = "faqra.json"
DIGESTS = "SHA256SUMS"
CARD = "README.md"
TOKENIZER = "tokenizer.json"
CONFIG = "config.json"
WEIGHTS = "model.safetensors"
ONNX = "model.onnx"
# Where a run folder of `faqra train` holds its model; naming the run folder means that one.
RUN_MODEL = "model"
_REQUIRED = (CONFIG, TOKENIZER, SETTINGS)
# Forms of weights whose loading runs code that the file brings.
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")


@dataclass(frozen=True)
class ModelFolder:
    """A folder whose files are all there and unchanged since they were sealed."""

    path: Path
    settings: Settings
    digest: str

    @classmethod
    def open(cls, path: Path) -> "ModelFolder":
        """Check the folder and read its settings; ModelError says what is wrong with it."""
        if not (path / SETTINGS).exists() and (path / RUN_MODEL / SETTINGS).is_file():
            path = path / RUN_MODEL
        if not path.is_dir():
            what = "is a file" if path.exists() else "no such model folder"
            raise ModelError(f"{path}: {what}; expected a folder with {SETTINGS}")
        missing = [name for name in (*_REQUIRED, DIGESTS) if not (path / name).is_file()]
        if missing:
            raise ModelError(
                f"{path}: not a faqra model folder, it lacks {', '.join(missing)}; "
                "make one with 'faqra train' or 'faqra export'"
            )
        _check_digests(path)
        try:
            values = json.loads((path / SETTINGS).read_text(encoding="utf-8"))
        except ValueError as error:
            raise ModelError(f"{path / SETTINGS}: not valid JSON: {error}") from error
        if not isinstance(values, dict):
            raise ModelError(f"{path / SETTINGS}: expected a JSON object")
        try:
            settings = Settings.from_dict(values)
        except ModelError as error:
            raise ModelError(f"{path}: {error}") from error
        return cls(path, settings, _sha256(path / DIGESTS)[:16])

    @property
    def has_onnx(self) -> bool:
        """Whether ONNX Runtime can answer for the model."""
        return (self.path / ONNX).is_file()

    @property
    def has_weights(self) -> bool:
        """Whether torch can answer for the model, train it further or run it on a GPU."""
        return (self.path / WEIGHTS).is_file()


def write_settings(path: Path, settings: Settings) -> None:
    """Write `faqra.json` into a folder that is not sealed yet."""
    text = json.dumps(settings.to_dict(), ensure_ascii=False, indent=2)
    (path / SETTINGS).write_text(text + "\n", encoding="utf-8")


def seal(path: Path) -> None:
    """Write the digests of all files; from then on an altered file is refused."""
    files = sorted(file for file in path.rglob("*") if file.is_file() and file.name != DIGESTS)
    lines = [f"{_sha256(file)}  {file.relative_to(path).as_posix()}\n" for file in files]
    (path / DIGESTS).write_text("".join(lines), encoding="utf-8")


def _check_digests(path: Path) -> None:
    listed: dict[str, str] = {}
    for number, line in enumerate((path / DIGESTS).read_text("utf-8").splitlines(), 1):
        digest, separator, name = line.partition("  ")
        if not separator or len(digest) != 64 or Path(name).is_absolute() or ".." in name:
            raise ModelError(f"{path / DIGESTS}: line {number} is not 'DIGEST  NAME': {line!r}")
        listed[name] = digest
    unsealed = [name for name in (*_REQUIRED, WEIGHTS, ONNX) if (path / name).exists()]
    unlisted = [name for name in unsealed if name not in listed]
    if unlisted:
        raise ModelError(f"{path}: {', '.join(unlisted)} not named in {DIGESTS}; get it anew")
    for name, digest in listed.items():
        file = path / name
        if not file.is_file():
            if name == WEIGHTS and ONNX in listed:
                continue
            raise ModelError(f"{path}: {name} is missing; get the model anew")
        if _sha256(file) != digest:
            raise ModelError(
                f"{path}: {name} is not the file that was sealed (its SHA-256 differs from "
                f"{DIGESTS}); get the model anew, or export it again after a wanted change"
            )
    pickles = sorted(found.name for pattern in _PICKLES for found in path.glob(pattern))
    if pickles:
        raise ModelError(
            f"{path}: holds {', '.join(pickles)}, a form whose loading can run code; "
            "only safetensors and ONNX are loaded: remove it"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
