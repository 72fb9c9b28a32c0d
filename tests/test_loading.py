"""From what a user names to a classifier; what is not there or not whole is said in one line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import faqra
from faqra_data.errors import MissingExtraError, ModelError
from faqra_models import loading
from faqra_models.folder import WEIGHTS, seal
from faqra_models.loading import load_classifier

TEXTS = ["أعلنت الوزارة اليوم", "قال الوزير", "الرئيسية"]


def test_a_model_folder_answers(tiny_model_folder: Path) -> None:
    classifier = load_classifier(tiny_model_folder)
    found = classifier.classify(TEXTS)
    assert len(found) == 3
    assert all(set(one.probabilities) == set(classifier.labels) for one in found)
    assert len(classifier.digest) == 16


def test_a_folder_may_be_named_by_a_string(tiny_model_folder: Path) -> None:
    by_name = load_classifier(str(tiny_model_folder)).classify(TEXTS)
    assert by_name == load_classifier(tiny_model_folder).classify(TEXTS)


@pytest.mark.parametrize("name", ["nothing", "./nothing", "/no/such/model", "a/b/c"])
def test_what_is_no_model_is_said(name: str) -> None:
    with pytest.raises(ModelError, match=r"no such model; expected a model folder, a hub id"):
        load_classifier(name)


def test_the_hub_is_asked_for_an_owner_and_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def refuse(*_: object, **__: object) -> str:
        raise OSError("the hub is not to be had")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    with pytest.raises(ModelError, match="owner/name: neither a folder here nor to be had"):
        load_classifier("owner/name")


def test_a_hub_model_is_a_folder(tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    asked: list[str] = []

    def download(name: str, **_: object) -> str:
        asked.append(name)
        return str(tiny_model_folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert load_classifier("owner/name").classify(TEXTS)
    assert asked == ["owner/name"]


def test_a_bento_tag_needs_bentoml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bentoml", None)
    with pytest.raises(MissingExtraError, match="needs the package 'bentoml'"):
        load_classifier("faqra:latest")


def test_a_model_is_put_into_the_store_and_loaded_by_its_tag(
    tiny_model_folder: Path, tmp_path: Path
) -> None:
    environment = {**os.environ, "BENTOML_HOME": str(tmp_path), "BENTOML_DO_NOT_TRACK": "True"}

    def run(*command: str) -> "subprocess.CompletedProcess[str]":
        words = [sys.executable, "-W", "ignore", *command]
        return subprocess.run(words, capture_output=True, text=True, check=False, env=environment)

    export = ["-m", "faqra", "export", str(tiny_model_folder), "--bento"]
    done = run(*export, "toy:first")
    assert done.returncode == 0, done.stderr
    assert "faqra serve --model toy:first" in done.stderr
    again = run(*export, "toy:first")
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    assert "the Bento store does not take it" in again.stderr
    code = (
        "import bentoml, faqra\n"
        "print(bentoml.models.get('toy:first').info.metadata['labels'])\n"
        "print(len(faqra.load('toy:first').classify(['نص'])))\n"
        "try:\n"
        "    faqra.load('toy:second')\n"
        "except faqra.FaqraError as error:\n"
        "    print(error)\n"
    )
    labels, *rest = run("-c", code).stdout.splitlines()
    assert labels == str(list(faqra.load(tiny_model_folder).labels))
    assert rest == ["1", "toy:second: no such model in the Bento store"]


def test_an_unknown_device_is_said(tiny_model_folder: Path) -> None:
    with pytest.raises(ModelError, match="expected one of auto, cpu, cuda, got 'tpu'"):
        load_classifier(tiny_model_folder, device="tpu")


def test_a_device_that_is_not_there_is_said(tiny_model_folder: Path) -> None:
    torch = pytest.importorskip("torch", reason="CUDA is torch's")
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    with pytest.raises(ModelError, match="device cuda"):
        load_classifier(tiny_model_folder, device="cuda")


@pytest.mark.parametrize("name", ["tokenizer.json", "model.safetensors", "config.json"])
def test_a_sealed_file_of_nonsense_is_said(
    tiny_model_folder: Path, tmp_path: Path, name: str
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(tiny_model_folder, broken)
    (broken / name).write_bytes(b"nonsense")
    seal(broken)
    with pytest.raises(ModelError, match=r"no readable tokenizer|transformers cannot load it"):
        load_classifier(broken)


def test_the_bundled_model_needs_neither_torch_nor_transformers() -> None:
    code = (
        "import sys, faqra; print(len(faqra.load().classify(['نص']))); "
        "sys.exit(str({'torch', 'transformers'} & sys.modules.keys()) "
        "if {'torch', 'transformers'} & sys.modules.keys() else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


def test_the_bundled_model_is_small_enough_to_ship() -> None:
    # The wheel leaves torch's weights out.
    shipped = (file for file in loading.BUNDLED.iterdir() if file.name != WEIGHTS)
    assert sum(file.stat().st_size for file in shipped) <= 30_000_000
