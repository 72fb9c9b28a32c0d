"""A whole run: what it leaves in its folder, whose that is, and a kill in the middle."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="training needs the extra 'train'")
pytest.importorskip("sklearn", reason="training needs the extra 'train'")

from toy_corpus import write_toys

from faqra_data.corpus import read_corpus
from faqra_data.errors import CorpusError, ModelError, RecipeError
from faqra_models.folder import CARD, CONFIG, ONNX, SETTINGS, TOKENIZER, WEIGHTS, ModelFolder
from faqra_models.loading import load_classifier
from faqra_training.evaluation import evaluate
from faqra_training.recipe import TrainingRecipe
from faqra_training.run import train

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
PATIENCE_S = 60


@pytest.fixture
def recipe(toy_values: dict[str, Any]) -> TrainingRecipe:
    return TrainingRecipe.from_dict(toy_values)


def test_a_run_ends_in_a_sealed_model_with_its_history(
    recipe: TrainingRecipe, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    model = train(recipe, folder)
    opened = ModelFolder.open(model)
    assert {path.name for path in model.iterdir()} >= {CONFIG, WEIGHTS, TOKENIZER, SETTINGS, CARD}
    history = opened.settings.history
    assert history["recipe"]["learning_rate"] == recipe.learning_rate
    assert history["data"]["train"]["articles"] == 24
    assert history["device"]
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "confusion.png").read_bytes().startswith(b"\x89PNG")
    dev = read_corpus(recipe.dev)
    scores = evaluate(load_classifier(folder), dev)
    told = history["scores"]["in_context"]
    assert scores.to_dict()["confusion"] == told["confusion"]
    # A model is trained with one kernel of attention and used with another: bits may differ.
    assert scores.ece == pytest.approx(told["ece"], abs=1e-6)
    card = (model / CARD).read_text(encoding="utf-8")
    assert f"| in context | {scores.macro_f1:.3f} (" in card
    assert "TF-IDF + logistic regression" in card
    assert str(Path.cwd()) not in (model / CONFIG).read_text(encoding="utf-8")


def test_a_finished_run_is_not_run_again(recipe: TrainingRecipe, tmp_path: Path) -> None:
    told: list[str] = []
    model = train(recipe, tmp_path / "run")
    before = ModelFolder.open(model).digest
    assert train(recipe, tmp_path / "run", tell=told.append) == model
    assert ModelFolder.open(model).digest == before
    assert len(told) == 1
    assert "is trained already" in told[0]


def test_the_folder_of_another_run_is_refused(
    toy_values: dict[str, Any], recipe: TrainingRecipe, tmp_path: Path
) -> None:
    train(recipe, tmp_path / "run")
    other = TrainingRecipe.from_dict({**toy_values, "seed": 2, "epochs": 3})
    with pytest.raises(RecipeError, match=r"different in epochs, seed; name another folder"):
        train(other, tmp_path / "run")
    write_toys(Path(recipe.dev[0]), range(100, 107))
    with pytest.raises(RecipeError, match="different in dev"):
        train(recipe, tmp_path / "run")


def test_a_run_that_failed_before_its_first_checkpoint_holds_no_folder(
    toy_values: dict[str, Any], tiny_encoder: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    wrong = TrainingRecipe.from_dict({**toy_values, "encoder": str(tmp_path / "empty")})
    with pytest.raises(ModelError, match="transformers cannot load it"):
        train(wrong, tmp_path / "run")
    mended = TrainingRecipe.from_dict({**toy_values, "epochs": 1})
    assert train(mended, tmp_path / "run").is_dir()


def test_a_folder_with_something_else_in_it_is_left_alone(
    recipe: TrainingRecipe, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(RecipeError, match="holds something that is no run"):
        train(recipe, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_all_that_a_recipe_names_in_vain_is_told_at_once(
    toy_values: dict[str, Any], tmp_path: Path
) -> None:
    nowhere = {"train": ["none/*.jsonl"], "dev": ["no.jsonl"], "encoder": "runs/no/encoder"}
    recipe = TrainingRecipe.from_dict({**toy_values, **nowhere, "notes": "no-notes.md"})
    with pytest.raises(RecipeError) as caught:
        train(recipe, tmp_path / "run")
    told = str(caught.value)
    for name in ("none/*.jsonl", "no.jsonl", "runs/no/encoder", "no-notes.md"):
        assert name in told
    assert not (tmp_path / "run").exists()


def test_text_that_train_and_dev_share_is_refused_unless_allowed(
    toy_values: dict[str, Any], tmp_path: Path
) -> None:
    rows = [json.loads(line) for line in Path(toy_values["train"][0]).read_text().splitlines()]
    shared = "وقع انفجار كبير في مدينة قديمة أمس وقتل فيه كثيرون"
    for path, row in ((toy_values["train"][0], rows[0]), (toy_values["dev"][0], rows[0])):
        own = {**row, "id": path, "paragraphs": [shared], "labels": ["factual_report"]}
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(own, ensure_ascii=False) + "\n")
    recipe = TrainingRecipe.from_dict({**toy_values, "epochs": 1})
    with pytest.raises(CorpusError, match="the same paragraph"):
        train(recipe, tmp_path / "run")
    assert train(recipe, tmp_path / "run", allow_leaks=True).is_dir()


def test_without_dev_a_share_of_train_is_set_apart(
    toy_values: dict[str, Any], tmp_path: Path
) -> None:
    values = {**toy_values, "dev": [], "dev_share": 0.2, "epochs": 1}
    data = ModelFolder.open(train(TrainingRecipe.from_dict(values), tmp_path / "run")).settings
    parts = data.history["data"]
    assert parts["train"]["articles"] + parts["dev"]["articles"] == 24
    assert 3 <= parts["dev"]["articles"] <= 7


def test_notes_end_the_card(toy_values: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("## Licences\n", encoding="utf-8")
    values = {**toy_values, "notes": str(tmp_path / "notes.md"), "epochs": 1}
    model = train(TrainingRecipe.from_dict(values), tmp_path / "run")
    assert (model / CARD).read_text(encoding="utf-8").endswith("## Licences\n")


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_bytes(
    write_recipe: Callable[..., Path], tmp_path: Path
) -> None:
    path = write_recipe(epochs=15, patience=15)
    recipe = TrainingRecipe.read(path)
    unbroken = train(recipe, tmp_path / "unbroken")
    folder = tmp_path / "killed"
    command = [sys.executable, "-m", "faqra", "train", str(path), "-o", str(folder)]
    process = subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.DEVNULL)
    started = time.monotonic()
    while not list(folder.glob("checkpoints/*/trainer_state.json")):
        assert time.monotonic() - started < PATIENCE_S
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (folder / "model").exists()
    resumed = train(recipe, folder)
    assert (resumed / WEIGHTS).read_bytes() == (unbroken / WEIGHTS).read_bytes()
    assert (resumed / SETTINGS).read_bytes() == (unbroken / SETTINGS).read_bytes()


@pytest.mark.slow
def test_two_processes_train_one_model(write_recipe: Callable[..., Path], tmp_path: Path) -> None:
    path = write_recipe(epochs=2)
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"),
        *("--standalone", "-m", "faqra", "train", str(path), "-o", str(tmp_path / "run")),
    ]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("scoring the model and the baselines") == 1
    opened = ModelFolder.open(tmp_path / "run")
    assert not (opened.path / ONNX).exists()
    assert len(list((tmp_path / "run" / "tensorboard").iterdir())) == 1
