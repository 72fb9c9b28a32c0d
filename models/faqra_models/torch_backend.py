"""torch and transformers behind the backend's seam; the room's only module that knows them."""

from pathlib import Path

import numpy as np
import torch
from faqra_data.errors import ModelError
from numpy.typing import NDArray
from transformers import AutoModelForTokenClassification


class TorchBackend:
    """A transformers token-classification model on the device where it lies."""

    def __init__(self, model: torch.nn.Module) -> None:
        """`model` gives `logits` for `input_ids` and `attention_mask`."""
        self._model = model

    @classmethod
    def load(cls, path: Path, *, device: str = "cpu") -> "TorchBackend":
        """The model in a folder, in 32 bits on the CPU and in bfloat16 on CUDA."""
        if device == "cuda" and not torch.cuda.is_available():
            raise ModelError("device cuda: torch finds no CUDA device here; use cpu or auto")
        dtype = torch.bfloat16 if device == "cuda" else torch.float32
        try:
            model = AutoModelForTokenClassification.from_pretrained(
                path, dtype=dtype, use_safetensors=True, local_files_only=True
            )
        except (OSError, ValueError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise ModelError(f"{path}: transformers cannot load it: {reason}") from error
        return cls(model.to(device))

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
