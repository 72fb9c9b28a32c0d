"""`faqra evaluate`: tables for people, one object for programs, and clear refusals."""

import json
import shutil
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="these models have no ONNX file")

from toy_corpus import LABELS, write_toys

from faqra import cli


@pytest.fixture
def dev(tmp_path: Path) -> Path:
    return write_toys(tmp_path / "dev.jsonl", range(100, 106))


def evaluated(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert cli.main(["evaluate", *map(str, arguments)]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_programs_get_one_object(
    tiny_model_folder: Path, dev: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = json.loads(evaluated(capsys, tiny_model_folder, dev, "--json"))
    assert values["n"] == 36
    assert list(values["per_label"]) == list(LABELS)
    assert set(values["per_label"]["boilerplate"]) == {"precision", "recall", "f1", "support"}
    assert sum(map(sum, values["confusion"])) == 36
    assert 0 <= values["ece"] <= 1


def test_without_context_is_another_object(
    tiny_model_folder: Path, dev: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    together = evaluated(capsys, tiny_model_folder, dev, "--json")
    alone = evaluated(capsys, tiny_model_folder, dev, "--json", "--no-context")
    assert json.loads(together).keys() == json.loads(alone).keys()
    assert together != alone


def test_people_get_tables_of_both_ways(
    tiny_model_folder: Path, dev: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = evaluated(capsys, tiny_model_folder, dev)
    for title in ("Scores", "By label, in context", "Confusion, paragraph by paragraph"):
        assert title in out
    for label in LABELS:
        assert label in out
    assert "in context" not in evaluated(capsys, tiny_model_folder, dev, "--no-context")


def test_baselines_and_a_picture_where_asked(
    tiny_model_folder: Path, dev: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sklearn", reason="baselines need the extra 'train'")
    train = write_toys(tmp_path / "train.jsonl", range(20))
    picture = tmp_path / "confusion.png"
    out = evaluated(capsys, tiny_model_folder, dev, "--baselines", train, "--picture", picture)
    assert "TF-IDF + logistic regression" in out
    assert picture.read_bytes().startswith(b"\x89PNG")
    values = json.loads(evaluated(capsys, tiny_model_folder, dev, "--json", "--baselines", train))
    assert values["baselines"]["majority class"]["n"] == 36


def test_paragraphs_in_a_table_are_evaluated_too(
    tiny_model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("body,class\nقال الوزير,official_quote\nاقرأ,boilerplate\n", encoding="utf-8")
    columns = ("--text-column", "body", "--label-column", "class")
    assert json.loads(evaluated(capsys, tiny_model_folder, path, "--json", *columns))["n"] == 2


def test_labels_that_the_model_lacks_are_told(
    tiny_model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.jsonl"
    path.write_text('{"id": "1", "paragraphs": ["x"], "labels": ["news"]}\n', encoding="utf-8")
    assert cli.main(["evaluate", str(tiny_model_folder), str(path)]) == 1
    told = capsys.readouterr().err
    assert f"{path}: row 1: unknown label news; expected factual_report" in told


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("altered", [True, False])
def test_a_folder_that_is_not_whole_is_one_line(
    tiny_model_folder: Path,
    dev: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    altered: bool,
) -> None:
    folder = Path(shutil.copytree(tiny_model_folder, tmp_path / "model"))
    if altered:
        (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    else:
        (folder / name).unlink()
    assert cli.main(["evaluate", str(folder), str(dev)]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"faqra: {folder}: ")
    assert name in told
    assert told.count("\n") == 1
