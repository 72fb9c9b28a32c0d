"""Export: ONNX Runtime answers as torch does, and the folder is sealed anew."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

torch = pytest.importorskip("torch", reason="exporting needs the extra 'train'")
pytest.importorskip("onnxscript", reason="exporting needs the extra 'train'")
import onnx  # noqa: E402
from transformers import (  # noqa: E402
    AutoTokenizer,
    ModernBertConfig,
    ModernBertForTokenClassification,
)

from faqra_data.errors import ModelError  # noqa: E402
from faqra_models import export  # noqa: E402
from faqra_models.export import export_onnx, halve_weights  # noqa: E402
from faqra_models.folder import ONNX, WEIGHTS, ModelFolder, seal, write_settings  # noqa: E402
from faqra_models.loading import load_classifier  # noqa: E402
from faqra_models.onnx_backend import OnnxBackend  # noqa: E402
from faqra_models.settings import Settings  # noqa: E402
from faqra_models.torch_backend import TorchBackend, quiet_transformers  # noqa: E402

SAME = 1e-4
NEAR = 0.2  # what eight bits make of weights as small and wild as these
WINDOW = 128  # tokens that a local layer of ModernBERT sees


@pytest.fixture
def folder(tiny_model_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model_folder, tmp_path / "model"))


@pytest.fixture
def modernbert(tiny_encoder: Path, tmp_path: Path) -> Path:
    """Three layers, the second and third of which see only their neighbourhood."""
    path = tmp_path / "modernbert"
    tokenizer = AutoTokenizer.from_pretrained(tiny_encoder)
    torch.manual_seed(0)
    config = ModernBertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=2,
        global_attn_every_n_layers=3,
        max_position_embeddings=512,
        local_attention=WINDOW,
        num_labels=3,
        initializer_range=0.2,
        pad_token_id=tokenizer.pad_token_id,
        cls_token_id=tokenizer.cls_token_id,
        sep_token_id=tokenizer.sep_token_id,
        bos_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,
    )
    with quiet_transformers():
        ModernBertForTokenClassification(config).save_pretrained(path)
        tokenizer.save_pretrained(path)
    write_settings(
        path,
        Settings(
            name="modern",
            labels=("a", "b", "c"),
            max_tokens=300,
            cls_id=tokenizer.cls_token_id,
            sep_id=tokenizer.sep_token_id,
            pad_id=tokenizer.pad_token_id,
        ),
    )
    seal(path)
    return path


def largest_difference(folder: Path, lengths: list[int]) -> float:
    """Between the logits of both backends, over the tokens of rows of these lengths."""
    ids = np.random.default_rng(1).integers(5, 40, (len(lengths), max(lengths)))
    mask = (np.arange(max(lengths)) < np.array(lengths)[:, None]).astype(np.int64)
    torch_logits = TorchBackend.load(folder).token_logits(ids * mask, mask)
    onnx_logits = OnnxBackend(folder / ONNX, threads=1).token_logits(ids * mask, mask)
    return float(np.abs(torch_logits - onnx_logits)[mask == 1].max())


def test_a_bert_in_8_bits_answers_nearly_the_same(folder: Path) -> None:
    paragraphs = ["قال الوزير أمس", "اقرأ شارك", "وقع انفجار مدينة قتلى"]
    before = load_classifier(folder).classify(paragraphs)
    exported = export_onnx(folder)
    assert SAME < exported.largest_difference < NEAR
    assert exported.size_bytes == (folder / ONNX).stat().st_size
    for expected, got in zip(before, load_classifier(folder).classify(paragraphs), strict=True):
        assert got.probabilities == pytest.approx(expected.probabilities, abs=NEAR)


def test_in_8_bits_too_an_answer_does_not_depend_on_what_is_read_beside_it(
    modernbert: Path,
) -> None:
    export_onnx(modernbert)
    backend = OnnxBackend(modernbert / ONNX, threads=1)
    ids = np.random.default_rng(1).integers(5, 40, (4, 150))
    mask = (np.arange(150) < np.array([150, 40, 90, 7])[:, None]).astype(np.int64)
    together = backend.token_logits(ids * mask, mask)
    for row, length in enumerate(mask.sum(axis=1)):
        alone = backend.token_logits(ids[row : row + 1, :length], mask[row : row + 1, :length])
        assert together[row, :length] == pytest.approx(alone[0], abs=SAME)


def test_a_modernbert_answers_the_same_at_any_length_and_padding(modernbert: Path) -> None:
    exported = export_onnx(modernbert, "none")
    assert exported.largest_difference < SAME
    for lengths in ([1], [WINDOW], [2 * WINDOW + 7], [290, 130, 3], [40] * 5):
        assert largest_difference(modernbert, lengths) < 1e-3


@pytest.mark.parametrize("lengths", [[20, 7], [2 * WINDOW, 3], [2 * WINDOW + 1, 130], [290, 1]])
def test_a_batch_with_padding_answers_as_its_windows_do(
    modernbert: Path, lengths: list[int]
) -> None:
    """As on a GPU, where windows are read together."""
    export_onnx(modernbert, "none")
    ids = np.random.default_rng(1).integers(5, 40, (len(lengths), max(lengths)))
    mask = (np.arange(max(lengths)) < np.array(lengths)[:, None]).astype(np.int64)
    session = onnxruntime.InferenceSession(modernbert / ONNX, providers=["CPUExecutionProvider"])
    (together,) = session.run(None, {"input_ids": ids * mask, "attention_mask": mask})
    alone = OnnxBackend(modernbert / ONNX, threads=1).token_logits(ids * mask, mask)
    assert np.isfinite(together).all()
    assert together[mask == 1] == pytest.approx(alone[mask == 1], abs=SAME)


def test_a_modernbert_whose_layers_have_biases_answers_the_same(modernbert: Path) -> None:
    config = ModernBertConfig.from_pretrained(modernbert, attention_bias=True, mlp_bias=True)
    model = ModernBertForTokenClassification(config)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    with quiet_transformers():
        model.save_pretrained(modernbert)
    seal(modernbert)
    assert export_onnx(modernbert, "none").largest_difference < SAME


def test_a_modernbert_whose_rotations_change_with_the_length_keeps_its_own_graph(
    modernbert: Path,
) -> None:
    config = ModernBertConfig.from_pretrained(modernbert)
    config.rope_parameters["full_attention"] |= {"rope_type": "linear", "factor": 2.0}
    with quiet_transformers():
        ModernBertForTokenClassification(config).save_pretrained(modernbert)
    seal(modernbert)
    assert export_onnx(modernbert, "none").largest_difference < SAME
    nodes = onnx.load(modernbert / ONNX).graph.node
    assert "RotaryEmbedding" not in {node.op_type for node in nodes}


def test_the_folder_is_sealed_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_write_graph", lambda _m, _s, path: path.write_bytes(b"graph"))
    monkeypatch.setattr(export, "_largest_difference", lambda *_: 0.0)
    before = ModelFolder.open(folder).digest
    export_onnx(folder, "none")
    opened = ModelFolder.open(folder)
    assert opened.has_onnx
    assert opened.digest != before


@pytest.fixture
def wrong_graph(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """A graph that differs from torch by so much."""

    def make(difference: float) -> None:
        monkeypatch.setattr(export, "_write_graph", lambda _m, _s, path: path.write_bytes(b""))
        monkeypatch.setattr(export, "_largest_difference", lambda *_: difference)

    return make


def test_a_graph_that_answers_otherwise_is_not_kept(
    folder: Path, wrong_graph: Callable[[float], None]
) -> None:
    wrong_graph(0.01)
    before = ModelFolder.open(folder).digest
    with pytest.raises(ModelError, match=r"differs from torch by 0\.010"):
        export_onnx(folder)
    assert ModelFolder.open(folder).digest == before
    assert not (folder / ONNX).exists()


def test_a_folder_without_weights_cannot_be_exported(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    seal(folder)
    with pytest.raises(ModelError, match=r"has no model\.safetensors to export"):
        export_onnx(folder)


def test_an_altered_folder_is_refused(folder: Path) -> None:
    (folder / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match="not the file that was sealed"):
        export_onnx(folder)


def test_halved_weights_answer_nearly_the_same(folder: Path) -> None:
    (before,) = load_classifier(folder).classify(["أعلنت الوزارة"])
    size = (folder / WEIGHTS).stat().st_size
    halve_weights(folder)
    (after,) = load_classifier(folder).classify(["أعلنت الوزارة"])
    assert (folder / WEIGHTS).stat().st_size < 0.75 * size
    assert list(after.probabilities.values()) == pytest.approx(
        list(before.probabilities.values()), abs=0.05
    )
