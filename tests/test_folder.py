"""A model folder: opened only where it is whole and unchanged, and no pickle in it."""

import re
from pathlib import Path

import pytest

from faqra_data.errors import ModelError
from faqra_models.folder import DIGESTS, SETTINGS, ModelFolder, seal, write_settings
from faqra_models.settings import Settings

TOY = Settings(name="toy", labels=("a", "b"), max_tokens=64, cls_id=2, sep_id=3, pad_id=0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "model"
    path.mkdir()
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (path / name).write_text(f"{{}} {name}", encoding="utf-8")
    write_settings(path, TOY)
    seal(path)
    return path


def test_a_sealed_folder_opens_with_its_settings(folder: Path) -> None:
    opened = ModelFolder.open(folder)
    assert opened.settings == TOY
    assert not opened.has_onnx
    assert len(opened.digest) == 16


def test_the_digest_is_that_of_the_content(folder: Path) -> None:
    before = ModelFolder.open(folder).digest
    seal(folder)
    assert ModelFolder.open(folder).digest == before
    (folder / "model.safetensors").write_text("other", encoding="utf-8")
    seal(folder)
    assert ModelFolder.open(folder).digest != before


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", SETTINGS, DIGESTS])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"lacks {name}"):
        ModelFolder.open(folder)


def test_missing_weights_are_named(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"model\.safetensors is missing"):
        ModelFolder.open(folder)


def test_with_onnx_the_weights_may_be_left_out(folder: Path) -> None:
    (folder / "model.onnx").write_text("graph", encoding="utf-8")
    seal(folder)
    whole = ModelFolder.open(folder)
    assert whole.has_weights
    (folder / "model.safetensors").unlink()
    light = ModelFolder.open(folder)
    assert not light.has_weights
    assert light.digest == whole.digest


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", SETTINGS])
def test_an_altered_file_is_refused(folder: Path, name: str) -> None:
    with (folder / name).open("a", encoding="utf-8") as file:
        file.write(" ")
    with pytest.raises(ModelError, match=f"{name} is not the file that was sealed"):
        ModelFolder.open(folder)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "training_args.pt", "x.pkl"])
def test_a_pickle_is_never_accepted(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"x")
    with pytest.raises(ModelError, match="can run code"):
        ModelFolder.open(folder)
    seal(folder)
    with pytest.raises(ModelError, match="can run code"):
        ModelFolder.open(folder)


def test_an_added_onnx_file_without_a_digest_is_refused(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"x")
    with pytest.raises(ModelError, match=r"model\.onnx not named in SHA256SUMS"):
        ModelFolder.open(folder)


@pytest.mark.parametrize("line", ["abc", "0" * 64 + "  ../escape", "0" * 64 + "  /etc/passwd"])
def test_a_list_of_digests_that_is_none_is_refused(folder: Path, line: str) -> None:
    (folder / DIGESTS).write_text(line + "\n", encoding="utf-8")
    with pytest.raises(ModelError, match="line 1 is not 'DIGEST  NAME'"):
        ModelFolder.open(folder)


@pytest.mark.parametrize("content", ["{", "[]", "\ufeff"])
def test_settings_that_are_no_object_are_refused(folder: Path, content: str) -> None:
    (folder / SETTINGS).write_text(content, encoding="utf-8")
    seal(folder)
    with pytest.raises(ModelError, match=r"faqra\.json: (not valid JSON|expected a JSON object)"):
        ModelFolder.open(folder)


def test_no_folder_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such model folder"):
        ModelFolder.open(tmp_path / "nothing")
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match=r"is a file; expected a folder with faqra\.json"):
        ModelFolder.open(tmp_path / "file")


def test_settings_of_another_version_are_told_with_their_folder(folder: Path) -> None:
    (folder / SETTINGS).write_text('{"format": 99}', encoding="utf-8")
    seal(folder)
    with pytest.raises(ModelError, match=f"^{re.escape(str(folder))}: .*expected format 1, got 99"):
        ModelFolder.open(folder)
