"""From what a user names to a classifier: the bundled model, a folder, a Bento tag, a hub id.

Heavy packages are imported only by the reference that needs them: the bundled model needs
neither torch nor transformers nor a network.
"""

import shutil
from importlib.util import find_spec
from pathlib import Path

from tokenizers import Tokenizer

from faqra_data.errors import MissingExtraError, ModelError
from faqra_models import store
from faqra_models.backend import Backend
from faqra_models.classifier import Classifier
from faqra_models.folder import ONNX, TOKENIZER, ModelFolder

BUNDLED = Path(__file__).parent / "bundled"
DEVICES = ("auto", "cpu", "cuda")


def load_classifier(
    reference: str | Path | None = None, *, device: str = "auto", threads: int = 0
) -> Classifier:
    """The classifier of a model folder, a hub id (`owner/name`) or a Bento tag (`name:version`).

    None is the bundled model. On a CPU it runs in `threads`, 0 being one a core. Raises
    ModelError where there is no such model, where it is incomplete or altered, or where the
    device cannot run it.
    """
    if device not in DEVICES:
        raise ModelError(f"device: expected one of {', '.join(DEVICES)}, got {device!r}")
    folder = open_folder(reference)
    try:
        tokenizer = Tokenizer.from_file(str(folder.path / TOKENIZER))
    except Exception as error:  # tokenizers raises a bare Exception
        raise ModelError(f"{folder.path / TOKENIZER}: no readable tokenizer: {error}") from error
    backend = _backend(folder, device, threads)
    return Classifier(folder.settings, tokenizer, backend, digest=folder.digest)


def open_folder(reference: str | Path | None = None) -> ModelFolder:
    """The checked folder of a model, named as for `load_classifier`; nothing is loaded."""
    return ModelFolder.open(_locate(reference))


def _locate(reference: str | Path | None) -> Path:
    if reference is None:
        return BUNDLED
    path = Path(reference)
    name = str(reference)
    if path.exists() or isinstance(reference, Path):
        return path
    if ":" in name and "/" not in name:
        return store.find(name)
    if name.count("/") == 1 and not name.startswith((".", "~", "/")):
        return _hub_model(name)
    raise ModelError(
        f"{name}: no such model; expected a model folder, a hub id (owner/name) "
        "or a Bento model tag (name:version)"
    )


def _hub_model(name: str) -> Path:
    try:
        from huggingface_hub import snapshot_download  # noqa: PLC0415 - only this reference needs it
    except ImportError as error:
        raise MissingExtraError("huggingface_hub", "torch", f"The hub model {name}") from error
    try:
        return Path(snapshot_download(name, ignore_patterns=["*.bin", "*.pt", "*.msgpack", "*.h5"]))
    except Exception as error:  # hub and network errors share no public base class
        reason = str(error).strip().partition("\n")[0]
        raise ModelError(
            f"{name}: neither a folder here nor to be had from the hub: {reason}"
        ) from error


def _backend(folder: ModelFolder, device: str, threads: int) -> Backend:
    if device == "auto":
        device = "cuda" if folder.has_weights and _has_cuda() else "cpu"
    if folder.has_onnx and not (device == "cuda" and folder.has_weights and find_spec("torch")):
        from faqra_models.onnx_backend import OnnxBackend  # noqa: PLC0415 - 0.1 s to import

        return OnnxBackend(folder.path / ONNX, device=device, threads=threads)
    try:
        from faqra_models.torch_backend import TorchBackend  # noqa: PLC0415 - seconds to import
    except ImportError as error:
        raise MissingExtraError(
            "torch", "torch", f"{folder.path} has no {ONNX}, and so the model"
        ) from error
    return TorchBackend.load(folder.path, device=device, threads=threads)


def _has_cuda() -> bool:
    """Whether torch can run on a GPU here; torch is imported only where a driver is installed."""
    if shutil.which("nvidia-smi") is None or not find_spec("torch"):
        return False
    import torch  # noqa: PLC0415 - seconds to import

    return torch.cuda.is_available()
