"""Teachers: a student learns what they answer, on labelled pages and on pages without labels."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs the extra 'train'")

from toy_corpus import LABELS, WORDS, toy_article, write_toys

from faqra_data.errors import RecipeError
from faqra_models.folder import ModelFolder, seal
from faqra_models.loading import load_classifier
from faqra_training.corpora import read_corpora
from faqra_training.evaluation import probabilities
from faqra_training.recipe import TrainingRecipe
from faqra_training.run import train
from faqra_training.teachers import mean_answers, read_unlabelled, teacher_folders


@pytest.fixture
def teacher(toy_values: dict[str, Any], tmp_path: Path) -> Path:
    """A model that knows the toys."""
    return train(TrainingRecipe.from_dict({**toy_values, "epochs": 8}), tmp_path / "teacher")


@pytest.fixture
def student(toy_values: dict[str, Any], teacher: Path, tmp_path: Path) -> TrainingRecipe:
    """A recipe that hears its teacher alone: its labels are each the next one's, all wrong."""
    wrong = dict(zip(LABELS, (*LABELS[1:], LABELS[0]), strict=True))
    rows = [toy_article(number) for number in range(24)]
    path = tmp_path / "wrong.jsonl"
    path.write_text(
        "\n".join(
            json.dumps({**row, "labels": [wrong[label] for label in row["labels"]]}) for row in rows
        ),
        encoding="utf-8",
    )
    values = {**toy_values, "train": [str(path)], "epochs": 8, "teachers_share": 1.0}
    return TrainingRecipe.from_dict({**values, "teachers": [str(teacher)]})


def pages_of(path: Path, numbers: range, title: str = "") -> Path:
    rows = (
        {"title": title, "text": "\n".join(toy_article(number)["paragraphs"])} for number in numbers
    )
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")
    return path


def right(model: Path) -> float:
    """The share of unseen toys that a model is right about."""
    pages = [toy_article(number) for number in range(200, 210)]
    classifier = load_classifier(model)
    answers = [
        prediction.label == label
        for page in pages
        for prediction, label in zip(
            classifier.classify(page["paragraphs"]), page["labels"], strict=True
        )
    ]
    return float(np.mean(answers))


def test_a_student_learns_what_its_teacher_says(
    student: TrainingRecipe, teacher: Path, tmp_path: Path
) -> None:
    assert right(teacher) > 0.9
    assert right(train(student, tmp_path / "student")) > 0.9
    deaf = replace(student, teachers_share=0.0)
    assert right(train(deaf, tmp_path / "deaf")) < 0.3


def test_pages_without_labels_teach_what_labelled_ones_lack(
    student: TrainingRecipe, tmp_path: Path
) -> None:
    few = write_toys(tmp_path / "few.jsonl", range(1))
    pages = pages_of(tmp_path / "pages.jsonl", range(300, 330))
    alone = replace(student, train=(str(few),), epochs=4)
    helped = replace(alone, unlabelled=(str(pages),), unlabelled_pages=24)
    assert right(train(helped, tmp_path / "helped")) > right(train(alone, tmp_path / "alone"))


def test_the_answer_of_several_is_their_mean(
    teacher: Path, tiny_model_folder: Path, student: TrainingRecipe
) -> None:
    dev = read_corpora(student).dev
    articles = [article.article() for article in dev]
    both = mean_answers([str(teacher), str(tiny_model_folder)], articles)
    each = [
        probabilities(load_classifier(path), dev, context=True)
        for path in (teacher, tiny_model_folder)
    ]
    assert np.concatenate(both) == pytest.approx(np.mean(each, axis=0))


def test_pages_are_drawn_by_the_seed_and_none_of_dev(
    student: TrainingRecipe, tmp_path: Path
) -> None:
    dev = read_corpora(student).dev
    told = " ".join(WORDS["factual_report"] + WORDS["boilerplate"])
    held_out = replace(dev[0], paragraphs=(told,), labels=("boilerplate",))
    path = pages_of(tmp_path / "pages.jsonl", range(300, 340), title="عنوان")
    with path.open("a", encoding="utf-8") as file:
        for number in range(40):
            file.write(json.dumps({"title": f"عنوان {number}", "text": told}) + "\n")
    recipe = replace(student, unlabelled=(str(path),), unlabelled_pages=10)
    drawn = read_unlabelled(recipe, [held_out])
    assert len(drawn) == 10
    assert {page.title for page in drawn} == {"عنوان"}
    assert read_unlabelled(recipe, [held_out]) == drawn
    assert read_unlabelled(replace(recipe, seed=2), [held_out]) != drawn
    assert len(read_unlabelled(replace(recipe, unlabelled_pages=100), [held_out])) == 40


def test_teachers_have_to_be_there_and_know_the_labels(
    student: TrainingRecipe, teacher: Path
) -> None:
    assert teacher_folders(student) == {str(teacher): ModelFolder.open(teacher).digest}
    with pytest.raises(RecipeError, match=r"teachers: no such folder: nowhere/\*"):
        teacher_folders(replace(student, teachers=("nowhere/*",)))
    with pytest.raises(RecipeError, match=r"its labels are factual_report, .*, expected the"):
        teacher_folders(replace(student, labels=("a", "b")))


def test_pages_without_labels_want_a_teacher(student: TrainingRecipe) -> None:
    with pytest.raises(RecipeError, match="unlabelled: expected teachers"):
        TrainingRecipe.from_dict({**student.to_dict(), "teachers": [], "unlabelled": ["x.jsonl"]})


def test_a_run_with_another_teacher_is_another_run(
    student: TrainingRecipe, teacher: Path, tmp_path: Path
) -> None:
    short = replace(student, epochs=1)
    train(short, tmp_path / "run")
    settings = ModelFolder.open(teacher).path / "faqra.json"
    values = json.loads(settings.read_text(encoding="utf-8"))
    settings.write_text(json.dumps({**values, "temperature": 3.0}), encoding="utf-8")
    seal(teacher)
    with pytest.raises(RecipeError, match="different in "):
        train(short, tmp_path / "run")
