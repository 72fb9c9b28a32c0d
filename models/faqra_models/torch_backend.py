"""torch and transformers behind the backend's seam.

Only `export` and `modernbert` of the room know them too; it does not know what the labels mean.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from huggingface_hub.utils import logging as hub_logging
from numpy.typing import NDArray
from safetensors import SafetensorError
from transformers import AutoModelForTokenClassification, PreTrainedModel
from transformers.utils import logging

from faqra_data.errors import ModelError


class TorchBackend:
    """A transformers token-classification model on the device where it lies."""

    def __init__(self, model: torch.nn.Module) -> None:
        """`model` gives `logits` for `input_ids` and `attention_mask`."""
        self._model = model

    @classmethod
    def load(cls, path: Path, *, device: str = "cpu", threads: int = 0) -> "TorchBackend":
        """The model in a folder, in 32 bits on the CPU and in bfloat16 on CUDA.

        `threads` above 0 is set for all of torch in this process.
        """
        if threads:
            torch.set_num_threads(threads)
        if device == "cuda" and not torch.cuda.is_available():
            raise ModelError("device cuda: torch finds no CUDA device here; use cpu or auto")
        dtype = torch.bfloat16 if device == "cuda" else torch.float32
        return cls(load_model(path, dtype).to(device))  # type: ignore[arg-type]

    def token_logits(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """Logits of shape (windows, tokens, labels)."""
        device = next(self._model.parameters()).device
        was_training = self._model.training
        self._model.eval()
        with torch.inference_mode():
            logits = self._model(
                input_ids=torch.from_numpy(ids).to(device),
                attention_mask=torch.from_numpy(mask).to(device),
            ).logits
        self._model.train(was_training)
        return np.asarray(logits.float().cpu().numpy(), dtype=np.float32)


def load_model(path: Path, dtype: torch.dtype) -> PreTrainedModel:
    """The torch model in a folder, ready to answer; ModelError where transformers cannot."""
    try:
        with quiet_transformers():
            model: PreTrainedModel = AutoModelForTokenClassification.from_pretrained(
                path, dtype=dtype, use_safetensors=True, local_files_only=True
            )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ModelError(f"{path}: transformers cannot load it: {reason}") from error
    model.eval()
    return model


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """No bars and no advice from transformers and the hub within the block.

    What they were set to is kept.
    """
    verbosity, hub_verbosity = logging.get_verbosity(), hub_logging.get_verbosity()
    bars = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    hub_logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        hub_logging.set_verbosity(hub_verbosity)
        if bars:
            logging.enable_progress_bar()
