"""Leave-outlet-out: who judges whom, and that folds which are done stay done."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="training needs the extra 'train'")
pytest.importorskip("sklearn", reason="training needs the extra 'train'")

from toy_corpus import toy_article

from faqra import cli
from faqra_data.corpus import LabelledArticle, read_corpus, write_corpus
from faqra_data.errors import RecipeError
from faqra_data.splits import outlet_folds
from faqra_training import crossvalidation
from faqra_training.corpora import Corpora
from faqra_training.crossvalidation import leave_outlets_out
from faqra_training.recipe import TrainingRecipe

OUTLETS = ("a", "b", "c", "d", "e", "f")


def toys(path: Path, numbers: range) -> Path:
    """Toy articles of six outlets."""
    articles = [
        LabelledArticle(
            id=toy["id"],
            paragraphs=tuple(toy["paragraphs"]),
            labels=tuple(toy["labels"]),
            source=OUTLETS[number % len(OUTLETS)],
        )
        for number in numbers
        for toy in [toy_article(number)]
    ]
    write_corpus(articles, path)
    return path


@pytest.fixture
def recipe(toy_values: dict[str, Any], tmp_path: Path) -> TrainingRecipe:
    judged = toys(tmp_path / "judged.jsonl", range(24))
    more = toys(tmp_path / "more.jsonl", range(24, 60))
    values = {**toy_values, "train": [str(judged), str(more)], "epochs": 1}
    return TrainingRecipe.from_dict(values)


def test_no_outlet_stands_in_two_folds(tmp_path: Path) -> None:
    articles = read_corpus([toys(tmp_path / "toys.jsonl", range(30))])
    fold_of = outlet_folds(articles, 3)
    assert set(fold_of) == {0, 1, 2}
    places = {(article.source, fold) for article, fold in zip(articles, fold_of, strict=True)}
    assert len(places) == len(OUTLETS)


def test_articles_without_a_source_are_outlets_of_their_own(tmp_path: Path) -> None:
    articles = [
        replace(article, source="")
        for article in read_corpus([toys(tmp_path / "toys.jsonl", range(30))])
    ]
    assert set(outlet_folds(articles, 5)) == set(range(5))


def test_a_fold_is_judged_by_a_model_that_knows_none_of_its_outlets(
    recipe: TrainingRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned_from: list[Corpora] = []
    judged: list[list[LabelledArticle]] = []
    learn, baselines = crossvalidation.learn, crossvalidation.baseline_probabilities

    def noting_learn(recipe: Any, corpora: Corpora, *args: Any, **options: Any) -> Any:
        learned_from.append(corpora)
        return learn(recipe, corpora, *args, **options)

    def noting_baselines(train: Any, held_out: Any, *args: Any) -> Any:
        judged.append(list(held_out))
        return baselines(train, held_out, *args)

    monkeypatch.setattr(crossvalidation, "learn", noting_learn)
    monkeypatch.setattr(crossvalidation, "baseline_probabilities", noting_baselines)
    told: list[str] = []
    files = recipe.train[:1]
    found = leave_outlets_out(recipe, tmp_path / "x", folds=3, judged=files, tell=told.append)
    for corpora, held_out in zip(learned_from, judged, strict=True):
        outlets = {article.source for article in held_out}
        assert not outlets & {article.source for article in [*corpora.train, *corpora.dev]}
    # Every page of the judged file once, and no other's.
    ids = [article.id for held_out in judged for article in held_out]
    assert sorted(ids) == sorted(article.id for article in read_corpus(files))
    assert found.together.n == found.alone.n == found.others["TF-IDF + logistic regression"].n
    assert told[0].startswith("fold 1 of 3: 8 pages, 48 paragraphs of ")

    again = leave_outlets_out(recipe, tmp_path / "x", folds=3, judged=files, tell=told.append)
    assert len(learned_from) == 3
    assert again.together.to_dict() == found.together.to_dict()

    # A fold that was killed before it was judged leaves its model, and is done again.
    (tmp_path / "x" / "fold-2.json").unlink()
    mended = leave_outlets_out(recipe, tmp_path / "x", folds=3, judged=files, tell=told.append)
    assert mended.together.to_dict() == found.together.to_dict()


def test_teachers_that_may_know_the_outlets_are_refused(
    recipe: TrainingRecipe, tmp_path: Path
) -> None:
    taught = replace(recipe, teachers=(str(tmp_path),))
    with pytest.raises(RecipeError, match="may have read the outlets"):
        leave_outlets_out(taught, tmp_path / "x", folds=3, tell=print)


def test_the_command_prints_its_tables(
    write_recipe: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = str(toys(tmp_path / "pages.jsonl", range(60)))
    command = ["train", str(write_recipe(train=[pages], epochs=1)), "-o", str(tmp_path / "run")]
    assert cli.main([*command, "--leave-outlets-out", "2", "--judged", pages]) == 0
    out = capsys.readouterr().out
    assert "paragraph by paragraph" in out
    assert "TF-IDF + logistic regression" in out
    assert cli.main([*command, "--leave-outlets-out", "1"]) == 2
    assert "expected two folds or more" in capsys.readouterr().err
