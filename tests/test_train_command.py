"""`faqra train`, `faqra pretrain` and `faqra export`: what they call, tell and refuse."""

import builtins
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from faqra import cli

LEAST = 'name = "toy"\nencoder = "encoder"\ntrain = ["train.jsonl"]\n'


@pytest.fixture
def least_recipe(tmp_path: Path) -> Path:
    path = tmp_path / "least.toml"
    path.write_text(LEAST, encoding="utf-8")
    return path


def test_a_recipe_is_trained_and_its_progress_told(
    write_recipe: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sklearn", reason="training needs the extra 'train'")
    folder = tmp_path / "run"
    assert cli.main(["train", str(write_recipe()), "-o", str(folder), "--set", "epochs=1"]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert lines[0] == "faqra: train: 24 articles, 144 paragraphs"
    assert lines[-1].startswith(f"faqra: {folder / 'model'}: macro-F1 on dev ")
    assert all(line.startswith("faqra: ") for line in lines)


def test_the_mistakes_of_a_recipe_are_told_each_in_a_line(
    least_recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", str(least_recipe), "--set", "epochs=0", "seed=x", "nam=1", "context=2"]
    assert cli.main([*command, "patience=0.5"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f"faqra: {least_recipe}: 5 mistakes"
    assert len(lines) == 6


def test_what_a_recipe_names_in_vain_is_told(
    write_recipe: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sklearn", reason="training needs the extra 'train'")
    path = write_recipe(encoder=str(tmp_path / "no-encoder"))
    assert cli.main(["train", str(path), "-o", str(tmp_path / "run")]) == 1
    assert f"encoder: no such folder: {tmp_path / 'no-encoder'}" in capsys.readouterr().err


def test_wrong_labels_in_dev_are_told_with_their_row(
    write_recipe: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sklearn", reason="training needs the extra 'train'")
    wrong = tmp_path / "wrong.jsonl"
    wrong.write_text('{"id": "1", "paragraphs": ["x"], "labels": ["news"]}\n', encoding="utf-8")
    path = write_recipe(dev=[str(wrong)])
    assert cli.main(["train", str(path), "-o", str(tmp_path / "run")]) == 1
    told = capsys.readouterr().err
    assert f"{wrong}: row 1: unknown label news" in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("command", "module", "package"),
    [
        (["train", "least.toml"], "faqra_training.run", "torch"),
        (["pretrain", "least.toml"], "faqra_training.pretraining", "transformers"),
        (["export", "model"], "faqra_models.export", "onnxscript"),
    ],
)
def test_a_missing_package_is_one_line_with_its_cure(
    command: list[str],
    module: str,
    package: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = LEAST if command[0] == "train" else 'name = "toy"\ncorpora = ["a.parquet"]\n'
    (tmp_path / "least.toml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, module, raising=False)
    real = builtins.__import__

    def without(name: str, *args: Any, **keywords: Any) -> Any:
        if name == module:
            raise ModuleNotFoundError(f"No module named '{package}'", name=package)
        return real(name, *args, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
    assert cli.main(command) == 1
    told = capsys.readouterr().err
    assert f"'{package}', which is not installed" in told
    assert "pip install 'faqra[train]'" in told
    assert told.count("\n") == 1


def test_an_export_is_told_with_its_size_and_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxscript", reason="exporting needs the extra 'train'")
    from faqra_models import export

    asked: list[tuple[Path, str]] = []

    def fake(folder: Path, quantise: str) -> export.Exported:
        asked.append((folder, quantise))
        return export.Exported(folder / "model.onnx", 8_400_000, 0.0125)

    monkeypatch.setattr(export, "export_onnx", fake)
    assert cli.main(["export", str(tmp_path)]) == 0
    assert asked == [(tmp_path, "int8")]
    assert "8.4 MB; its probabilities differ from torch's by 0.0125" in capsys.readouterr().err
    assert cli.main(["export", str(tmp_path), "--quantise", "int4"]) == 2


def test_no_model_to_export_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("onnxscript", reason="exporting needs the extra 'train'")
    assert cli.main(["export", str(tmp_path / "none")]) == 1
    assert "no such model folder" in capsys.readouterr().err
