"""A model folder's torch weights as `model.onnx` beside them, in 32 bits or in 8.

Classifying then needs neither torch nor transformers. Only `torch_backend` and `modernbert` of the
room know them too; it does not know what the labels mean, nor who trained the model.
"""

import logging
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
import onnxscript  # noqa: F401 - torch.onnx needs it, and its absence is to be known before the work
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from onnxruntime.quantization import quantize_dynamic
from transformers import PreTrainedModel

from faqra_data.errors import ModelError
from faqra_models import local_attention
from faqra_models.calibration import softmax
from faqra_models.encoding import Window
from faqra_models.folder import ONNX, WEIGHTS, ModelFolder, seal
from faqra_models.modernbert import FastModernBert
from faqra_models.onnx_backend import ATTENTION_MASK, INPUT_IDS, LOGITS, OnnxBackend
from faqra_models.settings import Settings
from faqra_models.torch_backend import TorchBackend, load_model

Quantisation = Literal["int8", "none"]
QUANTISATIONS: tuple[Quantisation, ...] = ("int8", "none")

# Two ways to compute the same in 32 bits differ by about 1e-5; more is a wrong graph.
_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Exported:
    """The file written, and the largest difference of a probability from torch's answer.

    The difference is taken over random tokens, which 8 bits serve worse than real text.
    """

    path: Path
    size_bytes: int
    largest_difference: float


def export_onnx(folder: Path, quantise: Quantisation = "int8") -> Exported:
    """Write `model.onnx` into a model folder and seal the folder anew.

    Raises ModelError where the folder has no weights to export, or where the graph does not
    answer as torch does; then the folder is as it was.
    """
    opened = ModelFolder.open(folder)
    if not opened.has_weights:
        raise ModelError(f"{folder}: has no {WEIGHTS} to export; export where it was trained")
    model = load_model(folder, torch.float32)
    # Where the model's own graph is written, its mask is one sum. The default one's graph looks
    # for rows without any number, which costs a seventh of the time.
    model.set_attn_implementation("eager")
    with tempfile.TemporaryDirectory() as scratch:
        written = Path(scratch) / ONNX
        _write_graph(model, opened.settings, written)
        difference = _largest_difference(model, opened.settings, written)
        if difference > _TOLERANCE:
            raise ModelError(
                f"{folder}: the exported graph differs from torch by {difference:.3f} in a "
                f"probability, expected {_TOLERANCE} at most; this encoder cannot be exported"
            )
        if quantise == "int8":
            written = _quantise(written)
            difference = _largest_difference(model, opened.settings, written)
        shutil.move(written, folder / ONNX)
    seal(folder)
    return Exported(folder / ONNX, (folder / ONNX).stat().st_size, difference)


def halve_weights(folder: Path) -> None:
    """Store a folder's torch weights in bfloat16, half the size, and seal the folder anew.

    Loading brings them back to 32 bits on a CPU; eight bits of each weight's fraction are kept.
    """
    ModelFolder.open(folder)
    load_model(folder, torch.bfloat16).save_pretrained(folder)
    seal(folder)


class _TokenLogits(torch.nn.Module):
    """The model as the graph has it: two inputs, one output."""

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self._model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Logits of shape (windows, tokens, labels)."""
        logits: torch.Tensor = self._model(
            input_ids=input_ids, attention_mask=attention_mask
        ).logits
        return logits


def _write_graph(model: PreTrainedModel, settings: Settings, path: Path) -> None:
    ids, mask = _random_batch(model, settings, [24, 16])
    fast = FastModernBert(model, settings.max_tokens) if FastModernBert.fits(model) else None
    with _quiet():
        program = torch.onnx.export(
            (fast or _TokenLogits(model)).eval(),
            (torch.from_numpy(ids), torch.from_numpy(mask)),
            input_names=[INPUT_IDS, ATTENTION_MASK],
            output_names=[LOGITS],
            dynamic_shapes=[{0: "windows", 1: "tokens"}] * 2,
            opset_version=local_attention.OPSET if fast else None,
            verbose=False,
            dynamo=True,
        )
    assert program is not None  # as only the exporter before dynamo's answers
    graph = program.model_proto
    local_attention.define(graph)
    onnx.save(graph, path)


def _quantise(path: Path) -> Path:
    """The graph beside `path` with weights in 8 bits; activations are scaled as they come."""
    quantised = path.with_name("int8.onnx")
    with _quiet():
        quantize_dynamic(
            path,
            quantised,
            op_types_to_quantize=["MatMul"],
            nodes_to_exclude=_early_narrowing(onnx.load(path).graph),
            per_channel=True,
            # 7 of the 8 bits: on processors without VNNI the sums would overflow otherwise, and
            # answers would differ from machine to machine.
            reduce_range=True,
        )
    model = onnx.load(quantised)
    _quantise_embeddings(model.graph)
    onnx.save(model, quantised)
    return quantised


def _early_narrowing(graph: onnx.GraphProto) -> list[str]:
    """The multiplications that end the feed-forward blocks of the first half of the layers.

    What comes to them has a few large values, for whose sake 8 bits would tell the others too
    coarsely: in a ModernBERT these few cost more than half of all that 8 bits cost.
    """
    sizes = {each.name: each.dims for each in graph.initializer if len(each.dims) == 2}
    narrowing = [
        node.name
        for node in graph.node
        if node.op_type == "MatMul" and (size := sizes.get(node.input[1])) and size[0] > size[1]
    ]
    # The last narrows to the labels.
    return narrowing[: len(narrowing) // 2]


def _quantise_embeddings(graph: onnx.GraphProto) -> None:
    """Store what `Gather` reads rows of in 8 bits, with a scale a row."""
    tables = {each.name: each for each in graph.initializer}
    nodes = list(graph.node)
    del graph.node[:]
    for node in nodes:
        table = tables.get(node.input[0]) if node.op_type == "Gather" else None
        if table is None or len(table.dims) != 2 or table.data_type != onnx.TensorProto.FLOAT:
            graph.node.append(node)
            continue
        rows, scales, out = f"{table.name}_int8", f"{table.name}_scale", node.output[0]
        if rows not in tables:
            values = numpy_helper.to_array(table)
            scale = np.maximum(np.abs(values).max(axis=1, keepdims=True), 1e-12) / 127
            tables[rows] = numpy_helper.from_array(np.rint(values / scale).astype(np.int8), rows)
            tables[scales] = numpy_helper.from_array(scale.astype(np.float32), scales)
        make = onnx.helper.make_node
        graph.node.extend(
            [
                make("Gather", [rows, node.input[1]], [f"{out}_int8"]),
                make("Gather", [scales, node.input[1]], [f"{out}_scale"]),
                make("Cast", [f"{out}_int8"], [f"{out}_cast"], to=onnx.TensorProto.FLOAT),
                make("Mul", [f"{out}_cast", f"{out}_scale"], [out]),
            ]
        )
    used = {name for node in graph.node for name in node.input}
    del graph.initializer[:]
    graph.initializer.extend(each for name, each in tables.items() if name in used)


def _largest_difference(model: PreTrainedModel, settings: Settings, path: Path) -> float:
    """Over windows short and long, padded and not, alone and in a batch."""
    torch_backend, onnx_backend = TorchBackend(model), OnnxBackend(path)
    longest = settings.max_tokens
    differences = []
    for lengths in ([1], [7], [40, 3, 21], [longest], [longest, longest // 2]):
        ids, mask = _random_batch(model, settings, lengths)
        expected, got = (
            softmax(backend.token_logits(ids, mask)[mask == 1].astype(np.float64))
            for backend in (torch_backend, onnx_backend)
        )
        differences.append(float(np.abs(expected - got).max()))
    return max(differences)


def _random_batch(
    model: PreTrainedModel, settings: Settings, lengths: list[int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    chance = np.random.default_rng(0)
    layout = settings.layout()
    rows = [chance.integers(0, model.config.vocab_size, length) for length in lengths]
    # A pad within a text is read unlike any other token by some encoders (RoBERTa's positions).
    rows = [np.where(row == settings.pad_id, settings.sep_id, row) for row in rows]
    return layout.batch([Window(row, np.zeros_like(row)) for row in rows])


@contextmanager
def _quiet() -> Iterator[None]:
    """Exporters tell their own developers much that users can do nothing about."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
