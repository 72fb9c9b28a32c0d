"""Learning: a tiny model end to end, the same weights after a stop, and encoders of any form."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="training needs the extra 'train'")
from safetensors.numpy import load_file  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402
from transformers import AutoConfig, AutoModel, AutoTokenizer  # noqa: E402

from faqra_data.errors import ModelError, RecipeError  # noqa: E402
from faqra_models.torch_backend import quiet_transformers  # noqa: E402
from faqra_training.corpora import Corpora, read_corpora  # noqa: E402
from faqra_training.learning import Learned, learn  # noqa: E402
from faqra_training.recipe import TrainingRecipe  # noqa: E402
from faqra_training.trainer import CHECKPOINTS, TENSORBOARD, last_whole_checkpoint  # noqa: E402


class StoppedError(Exception):
    """What a kill is for a test that goes on in the same process."""


@pytest.fixture
def recipe(toy_values: dict[str, Any]) -> TrainingRecipe:
    return TrainingRecipe.from_dict(toy_values)


@pytest.fixture
def corpora(recipe: TrainingRecipe) -> Corpora:
    return read_corpora(recipe)


def quietly(recipe: TrainingRecipe, corpora: Corpora, folder: Path) -> Learned:
    return learn(recipe, corpora, folder, tell=lambda _: None)


def stop_at(line: int) -> Callable[[str], None]:
    """Raises when it is told for the `line`-th time."""
    told: list[str] = []

    def tell(message: str) -> None:
        told.append(message)
        if len(told) == line:
            raise StoppedError

    return tell


def weights(learned: Learned) -> dict[str, Any]:
    return {name: value.numpy() for name, value in learned.model.state_dict().items()}


def same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    assert first.keys() == second.keys()
    return all((first[name] == second[name]).all() for name in first)


def test_a_tiny_model_learns_the_toys(
    recipe: TrainingRecipe, corpora: Corpora, tmp_path: Path
) -> None:
    told: list[str] = []
    # Tokens are numbered anew in each process: some numberings take longer to learn.
    learned = learn(replace(recipe, epochs=8), corpora, tmp_path / "run", tell=told.append)
    article = corpora.dev[0]
    (result,) = learned.classifier.classify_articles([article.article()])
    assert tuple(p.label for p in result.predictions) == article.labels
    alone = learned.classifier.classify(article.paragraphs)
    assert tuple(p.label for p in alone) == article.labels
    assert learned.classifier.settings.temperature != 1.0
    assert "dev macro f1" in told[-1]
    assert list((tmp_path / "run" / TENSORBOARD).glob("events.*"))


def test_a_stopped_run_goes_on_to_the_same_weights(
    recipe: TrainingRecipe, corpora: Corpora, tmp_path: Path
) -> None:
    unbroken = quietly(recipe, corpora, tmp_path / "unbroken")
    with pytest.raises(StoppedError):
        learn(recipe, corpora, tmp_path / "broken", tell=stop_at(3))
    torch.manual_seed(99)  # whatever happened in between
    resumed = quietly(recipe, corpora, tmp_path / "broken")
    assert same(weights(unbroken), weights(resumed))
    assert resumed.best_step == unbroken.best_step
    judged = [[e for e in one.log if "eval_macro_f1" in e] for one in (unbroken, resumed)]
    assert judged[0] == judged[1]


def test_a_checkpoint_that_was_not_finished_is_passed_over(
    recipe: TrainingRecipe, corpora: Corpora, tmp_path: Path
) -> None:
    unbroken = quietly(recipe, corpora, tmp_path / "unbroken")
    with pytest.raises(StoppedError):
        learn(recipe, corpora, tmp_path / "broken", tell=stop_at(4))
    checkpoints = tmp_path / "broken" / CHECKPOINTS
    last = last_whole_checkpoint(checkpoints)
    assert last is not None
    state = last / "trainer_state.json"
    state.write_text(state.read_text(encoding="utf-8")[:40], encoding="utf-8")
    assert last_whole_checkpoint(checkpoints) != last
    assert same(weights(unbroken), weights(quietly(recipe, corpora, tmp_path / "broken")))


def test_a_run_stops_early_and_is_not_taken_further(
    recipe: TrainingRecipe, corpora: Corpora, tmp_path: Path
) -> None:
    patient = replace(recipe, epochs=40, patience=2)
    first = quietly(patient, corpora, tmp_path / "run")
    evaluations = [entry for entry in first.log if "eval_macro_f1" in entry]
    scores = [entry["eval_macro_f1"] for entry in evaluations]
    best = scores.index(max(scores))
    assert len(scores) == best + 1 + patient.patience < patient.epochs
    assert first.best_step == evaluations[best]["step"]
    again = quietly(patient, corpora, tmp_path / "run")
    assert [entry for entry in again.log if "eval_macro_f1" in entry] == evaluations
    assert same(weights(first), weights(again))


def test_the_best_weights_are_kept_not_the_last(
    recipe: TrainingRecipe, corpora: Corpora, tmp_path: Path
) -> None:
    learned = quietly(replace(recipe, epochs=40, patience=2), corpora, tmp_path / "run")
    best = tmp_path / "run" / CHECKPOINTS / f"checkpoint-{learned.best_step}"
    assert same(weights(learned), load_file(best / "model.safetensors"))


def test_accumulated_batches_are_one_step(
    recipe: TrainingRecipe, corpora: Corpora, tmp_path: Path
) -> None:
    halved = replace(recipe, batch_tokens=128, gradient_accumulation=2, epochs=1)
    steps = [
        quietly(one, corpora, tmp_path / str(number)).log[-1]["step"]
        for number, one in enumerate((replace(recipe, epochs=1), halved))
    ]
    assert abs(steps[0] - steps[1]) <= 2


def test_an_encoder_in_the_form_of_camelbert_s_is_read(
    recipe: TrainingRecipe, corpora: Corpora, tiny_encoder: Path, tmp_path: Path
) -> None:
    """CAMeLBERT on the hub: vocab.txt instead of tokenizer.json, weights as pytorch_model.bin."""
    folder = tmp_path / "camelbert"
    folder.mkdir()
    vocabulary = Tokenizer.from_file(str(tiny_encoder / "tokenizer.json")).get_vocab()
    words = sorted(vocabulary, key=lambda word: vocabulary[word])
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"do_lower_case": False, "strip_accents": None, "tokenize_chinese_chars": True})
    )
    config = AutoConfig.from_pretrained(tiny_encoder)
    config.architectures = ["BertForMaskedLM"]
    config.to_json_file(folder / "config.json")
    with quiet_transformers():
        state = AutoModel.from_pretrained(tiny_encoder).state_dict()
    torch.save(
        {f"bert.{name}": value for name, value in state.items()}, folder / "pytorch_model.bin"
    )
    camelbert = quietly(replace(recipe, encoder=str(folder)), corpora, tmp_path / "camelbert-run")
    own = quietly(recipe, corpora, tmp_path / "own-run")
    assert same(weights(camelbert), weights(own))
    assert camelbert.classifier.token_ids(["قال الوزير أمس"]) == own.classifier.token_ids(
        ["قال الوزير أمس"]
    )


def test_another_label_set_gets_a_head_of_its_own(
    recipe: TrainingRecipe, corpora: Corpora, tiny_model_folder: Path, tmp_path: Path
) -> None:
    labels = ("page", "site")
    names = {label: "site" if label == "boilerplate" else "page" for label in recipe.labels}
    renamed = Corpora(
        *(
            [replace(a, labels=tuple(names[label] for label in a.labels)) for a in part]
            for part in (corpora.train, corpora.dev)
        )
    )
    other = replace(recipe, encoder=str(tiny_model_folder), labels=labels, epochs=1)
    learned = quietly(other, renamed, tmp_path / "run")
    assert learned.model.config.id2label == {0: "page", 1: "site"}
    assert learned.classifier.labels == labels


def test_dropout_is_the_recipe_s(recipe: TrainingRecipe, corpora: Corpora, tmp_path: Path) -> None:
    learned = quietly(replace(recipe, dropout=0.25, epochs=1), corpora, tmp_path / "run")
    assert learned.model.config.hidden_dropout_prob == 0.25
    assert learned.model.config.attention_probs_dropout_prob == 0.25


def test_an_encoder_that_lacks_weights_is_refused(
    recipe: TrainingRecipe, corpora: Corpora, tiny_encoder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "half"
    with quiet_transformers():
        model = AutoModel.from_pretrained(tiny_encoder)
        state = {name: value for name, value in model.state_dict().items() if "layer.1" not in name}
        model.save_pretrained(folder, state_dict=state)
        AutoTokenizer.from_pretrained(tiny_encoder).save_pretrained(folder)
    with pytest.raises(ModelError, match=r"16 of its weights are missing .*encoder\.layer\.1"):
        quietly(replace(recipe, encoder=str(folder)), corpora, tmp_path / "run")


def test_a_folder_without_an_encoder_is_refused(
    recipe: TrainingRecipe, corpora: Corpora, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="transformers cannot load it") as caught:
        quietly(replace(recipe, encoder=str(tmp_path)), corpora, tmp_path / "run")
    assert len(str(caught.value).splitlines()) == 1


def test_more_tokens_than_the_encoder_has_positions_for_are_refused(
    recipe: TrainingRecipe, corpora: Corpora, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match=r"max_tokens: .* reads 128 tokens at most, got 129"):
        quietly(replace(recipe, max_tokens=129), corpora, tmp_path / "run")
