"""ONNX Runtime behind the backend's seam; the only module that knows it.

Torch is not needed, so a first answer takes about as long as reading the file.
"""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from faqra_data.errors import ModelError

# Names that `faqra export` gives the graph's inputs and output.
INPUT_IDS = "input_ids"
ATTENTION_MASK = "attention_mask"
LOGITS = "logits"


class OnnxBackend:
    """A session on the CPU, or on a CUDA device where onnxruntime has its provider."""

    def __init__(self, path: Path, *, device: str = "cpu", threads: int = 0) -> None:
        """`threads` of 0 lets ONNX Runtime take one a core."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        provider = "CUDAExecutionProvider" if device == "cuda" else "CPUExecutionProvider"
        if provider not in onnxruntime.get_available_providers():
            raise ModelError(f"device {device}: this onnxruntime has no {provider}; use cpu")
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=[provider])
        except Exception as error:  # onnxruntime's errors share no public base class
            reason = str(error).splitlines()[0]
            raise ModelError(f"{path}: ONNX Runtime cannot load it: {reason}") from error

    def token_logits(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """Logits of shape (windows, tokens, labels)."""
        outputs = self._session.run([LOGITS], {INPUT_IDS: ids, ATTENTION_MASK: mask})
        return np.asarray(outputs[0], dtype=np.float32)
