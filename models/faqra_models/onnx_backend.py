"""ONNX Runtime behind the backend's seam; the only module that knows it.

Torch is not needed, so a first answer takes about as long as reading the file.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from faqra_data.errors import ModelError
from faqra_models.backend import cores

# Names that `faqra export` gives the graph's inputs and output.
INPUT_IDS = "input_ids"
ATTENTION_MASK = "attention_mask"
LOGITS = "logits"
# On a CPU the kernel of a sum and a layer normalisation in one takes 5 times as long as both do:
# without it a ModernBERT answers 3 % sooner, a BERT 18 %.
_SLOW = {"cpu": ["SkipLayerNormFusion"], "cuda": []}


class OnnxBackend:
    """A session on the CPU, or on a CUDA device where onnxruntime has its provider.

    On a CPU every window is run by itself, in one of `threads`. In 8 bits a run's activations
    share their scales: so nothing that is read at the same time changes an answer. A window also
    stays in a core's cache, as a batch does not: 1.2 ms a paragraph where batches of 4,096
    tokens took 1.6 ms, and 2.2 where they took 2.5 in whole pages (one thread of an EPYC).
    """

    def __init__(self, path: Path, *, device: str = "cpu", threads: int = 0) -> None:
        """`threads` of 0 are one a core."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        options.enable_mem_pattern = False  # one would be kept for every length of a window
        provider = "CUDAExecutionProvider" if device == "cuda" else "CPUExecutionProvider"
        if provider not in onnxruntime.get_available_providers():
            raise ModelError(f"device {device}: this onnxruntime has no {provider}; use cpu")
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=[provider], disabled_optimizers=_SLOW[device]
            )
        except Exception as error:  # onnxruntime's errors share no public base class
            reason = str(error).splitlines()[0]
            raise ModelError(f"{path}: ONNX Runtime cannot load it: {reason}") from error
        self._by_window = device == "cpu"
        self._threads = threads or cores()
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="faqra-onnx")

    def token_logits(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """Logits of shape (windows, tokens, labels)."""
        if not self._by_window:
            return self._run(ids, mask)
        rows = [(row[:length], length) for row, length in zip(ids, mask.sum(axis=1), strict=True)]
        if self._threads == 1 or len(rows) == 1:
            answers = [self._run_one(*row) for row in rows]
        else:
            answers = list(self._pool.map(lambda row: self._run_one(*row), rows))
        logits = np.zeros((*ids.shape, answers[0].shape[-1]), dtype=np.float32)
        for row, answer in zip(logits, answers, strict=True):
            row[: len(answer)] = answer
        return logits

    def _run_one(self, ids: NDArray[np.int64], length: int) -> NDArray[np.float32]:
        logits: NDArray[np.float32] = self._run(ids[None], np.ones((1, length), dtype=np.int64))[0]
        return logits

    def _run(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        outputs = self._session.run([LOGITS], {INPUT_IDS: ids, ATTENTION_MASK: mask})
        return np.asarray(outputs[0], dtype=np.float32)
