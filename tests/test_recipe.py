"""Recipes: read from TOML, overridden on the command line, all mistakes told at once."""

from pathlib import Path

import pytest

from faqra_data.errors import RecipeError
from faqra_training.recipe import PretrainingRecipe, TrainingRecipe

ROOT = Path(__file__).parents[1]
LEAST = 'name = "toy"\nencoder = "encoder"\ntrain = ["train.jsonl"]\n'


def recipe_file(folder: Path, more: str = "", text: str = LEAST) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text + more, encoding="utf-8")
    return path


def test_what_a_recipe_leaves_out_has_a_default(tmp_path: Path) -> None:
    recipe = TrainingRecipe.read(recipe_file(tmp_path))
    assert recipe.train == ("train.jsonl",)
    assert recipe.dev == ()
    assert recipe.labels[0] == "factual_report"


def test_settings_on_the_command_line_replace_the_file_s(tmp_path: Path) -> None:
    path = recipe_file(tmp_path, "epochs = 3\n")
    overrides = ["epochs=5", 'dev=["a.jsonl"]', "name=trial", "learning_rate = 1e-4"]
    recipe = TrainingRecipe.read(path, overrides)
    assert (recipe.epochs, recipe.dev, recipe.name) == (5, ("a.jsonl",), "trial")
    assert recipe.learning_rate == 1e-4


def test_five_mistakes_are_told_at_once(tmp_path: Path) -> None:
    path = recipe_file(
        tmp_path,
        'epochs = 0\nlearning_rat = 1e-5\nlabels = ["one"]\ncontext = "yes"\nprecision = "fp64"\n',
    )
    with pytest.raises(RecipeError) as caught:
        TrainingRecipe.read(path)
    first, *mistakes = str(caught.value).splitlines()
    assert first == f"{path}: 5 mistakes"
    assert sorted(mistake.split(":")[0].strip() for mistake in mistakes) == [
        *("context", "epochs", "labels", "learning_rat", "precision")
    ]
    told = "\n".join(mistakes)
    assert "did you mean 'learning_rate'?" in told
    assert "expected 1 to 1000, got 0" in told
    assert "expected true or false, got 'yes' (str)" in told


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("seed = true\n", "seed: expected a whole number, got True"),
        ("weight_decay = nan\n", "weight_decay: expected 0.0 to 1.0, got nan"),
        ("dev = 'one.jsonl'\n", "dev: expected a list of str"),
        ('labels = ["a", "a"]\n', "labels: expected two or more different names"),
        ("[normaliser]\nfold_everything = true\n", "fold_everything"),
    ],
)
def test_a_wrong_value_is_told_with_what_was_expected(tmp_path: Path, more: str, told: str) -> None:
    with pytest.raises(RecipeError, match="1 mistake\n") as caught:
        TrainingRecipe.read(recipe_file(tmp_path, more))
    assert told in str(caught.value)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"encoder: missing; expected a string"):
        TrainingRecipe.read(recipe_file(tmp_path, text='name = "toy"\ntrain = ["a"]\n'))
    with pytest.raises(RecipeError, match=r"train: expected at least one, got none"):
        TrainingRecipe.read(recipe_file(tmp_path), ["train=[]"])


def test_an_override_without_a_value_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="--set epochs: expected key=value"):
        TrainingRecipe.read(recipe_file(tmp_path), ["epochs"])


def test_no_file_and_no_toml_are_told(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no such recipe"):
        TrainingRecipe.read(tmp_path / "none.toml")
    with pytest.raises(RecipeError, match="not readable as TOML"):
        TrainingRecipe.read(recipe_file(tmp_path, "= 3"))
    with pytest.raises(RecipeError, match="not readable as TOML"):
        TrainingRecipe.read(tmp_path)


def test_a_recipe_survives_its_own_dict(tmp_path: Path) -> None:
    recipe = TrainingRecipe.read(recipe_file(tmp_path, "epochs = 3\n"))
    assert TrainingRecipe.from_dict(recipe.to_dict()) == recipe


@pytest.mark.parametrize("path", sorted((ROOT / "training" / "recipes").glob("*.toml")))
def test_the_recipes_that_ship_are_right(path: Path) -> None:
    kind = PretrainingRecipe if path.stem.startswith("pretrain") else TrainingRecipe
    assert kind.read(path).name
