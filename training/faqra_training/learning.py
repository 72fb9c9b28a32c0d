"""A classifier fine-tuned from an encoder.

From a recipe and its corpora to the best weights and their temperature; a run killed at any
moment and started again goes on from its last checkpoint to the same weights. How steps are
done is `trainer`'s; what is written about a run is `run`'s.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import (
    AutoConfig,
    AutoModelForTokenClassification,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from faqra_data.article import Article
from faqra_data.corpus import LabelledArticle
from faqra_data.errors import ModelError, RecipeError
from faqra_data.normaliser import Normaliser
from faqra_models.classifier import Classifier
from faqra_models.settings import Settings
from faqra_models.torch_backend import TorchBackend, quiet_transformers
from faqra_training.allocator import keep_freed_memory
from faqra_training.batches import EncodedArticle, TrainingBatches, class_weights
from faqra_training.corpora import Corpora
from faqra_training.evaluation import evaluate, fit_calibration, fit_temperature, gold_labels
from faqra_training.recipe import TrainingRecipe
from faqra_training.teachers import mean_answers, teacher_folders
from faqra_training.trainer import ParagraphTrainer


@dataclass(frozen=True, eq=False)
class Learned:
    """A fine-tuned, calibrated classifier with its parts, and the Trainer's log of the run."""

    classifier: Classifier
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    log: list[dict[str, Any]]
    best_step: int


def learn(
    recipe: TrainingRecipe, corpora: Corpora, folder: Path, *, tell: Callable[[str], None]
) -> Learned:
    """Fine-tune, or go on where an earlier run in `folder` stopped."""
    keep_freed_memory()
    transformers.set_seed(recipe.seed)
    with quiet_transformers():
        config = _load_config(recipe)
        tokenizer = _load_tokenizer(recipe.encoder)
        model = _load_encoder(recipe, config)
        settings = _settings(recipe, tokenizer, model)
        classifier = _classifier(settings, tokenizer, model)
        gold, _ = gold_labels(corpora.train, recipe.labels)
        weights = class_weights(gold, len(recipe.labels), recipe.class_weights)
        trainer = ParagraphTrainer(
            recipe,
            folder,
            model,
            _batches(recipe, classifier, corpora, tell),
            judge=lambda: _judged(classifier, corpora.dev),
            weights=None if weights is None else weights.tolist(),
            tell=tell,
        )
        best_step = trainer.reach_best()
    return Learned(
        classifier=_classifier(calibrated(classifier, corpora.dev), tokenizer, model),
        model=model,
        tokenizer=tokenizer,
        log=trainer.state.log_history,
        best_step=best_step,
    )


def calibrated(classifier: Classifier, dev: Sequence[LabelledArticle]) -> Settings:
    """The classifier's settings with what fits its logits to `dev`.

    A temperature for pages in context. A paragraph by itself gets biases too: it is another
    mixture of labels that looks like what was read in training.
    """
    pages = [page.article() for page in dev if page.paragraphs]
    together, alone = (
        np.concatenate([classifier.paragraph_logits(page, context=context) for page in pages])
        for context in (True, False)
    )
    gold, _ = gold_labels(dev, classifier.labels)
    return replace(
        classifier.settings,
        temperature=fit_temperature(together, gold),
        alone=fit_calibration(alone, gold),
    )


def _judged(classifier: Classifier, dev: Sequence[LabelledArticle]) -> dict[str, float]:
    together = evaluate(classifier, dev, context=True)
    alone = evaluate(classifier, dev, context=False)
    return {"macro_f1": together.macro_f1, "macro_f1_alone": alone.macro_f1}


def _load_tokenizer(encoder: str) -> PreTrainedTokenizerBase:
    tokenizer = _load(AutoTokenizer.from_pretrained, encoder)
    if not getattr(tokenizer, "is_fast", False):
        raise ModelError(f"encoder {encoder}: its tokenizer has no fast form (tokenizer.json)")
    return tokenizer  # type: ignore[no-any-return]


def _load_config(recipe: TrainingRecipe) -> PreTrainedConfig:
    config: PreTrainedConfig = _load(
        AutoConfig.from_pretrained,
        recipe.encoder,
        num_labels=len(recipe.labels),
        id2label=dict(enumerate(recipe.labels)),
        label2id={label: i for i, label in enumerate(recipe.labels)},
    )
    if recipe.dropout is not None:
        # The names of dropouts differ from one architecture to the next: all of them are set.
        for name in vars(config):
            if name.endswith(("dropout", "dropout_prob")):
                setattr(config, name, recipe.dropout)
    return config


def _load_encoder(recipe: TrainingRecipe, config: PreTrainedConfig) -> PreTrainedModel:
    """The encoder under a head for the recipe's labels; a head that fits them is kept.

    A pickled `pytorch_model.bin` is read weights-only, as transformers does.
    """
    model, loading = _load(
        AutoModelForTokenClassification.from_pretrained,
        recipe.encoder,
        config=config,
        dtype=torch.float32,
        # On a CPU torch's fused attention takes longer where there are gradients, up to 1.6 times.
        attn_implementation=None if torch.cuda.is_available() else "eager",
        ignore_mismatched_sizes=True,  # another head's; the encoder's are refused below
        output_loading_info=True,
    )
    faulty = [*loading["missing_keys"], *(key for key, *_ in loading["mismatched_keys"])]
    own = sorted(key for key in faulty if key.startswith(f"{model.base_model_prefix}."))
    if own:
        raise ModelError(
            f"encoder {recipe.encoder}: {len(own)} of its weights are missing or of another "
            f"shape than config.json says, the first is {own[0]}; get it anew"
        )
    return model  # type: ignore[no-any-return]


def _load(loader: Callable[..., Any], encoder: str, **options: Any) -> Any:  # noqa: ANN401
    try:
        return loader(encoder, **options)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ModelError(f"encoder {encoder}: transformers cannot load it: {reason}") from error


def _settings(
    recipe: TrainingRecipe, tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel
) -> Settings:
    positions = getattr(model.config, "max_position_embeddings", recipe.max_tokens)
    # Of RoBERTa's 514 positions two are never a token's; its tokenizer knows.
    longest = min(positions, tokenizer.model_max_length)
    if recipe.max_tokens > longest:
        raise RecipeError(
            f"max_tokens: the encoder {recipe.encoder} reads {longest} tokens at most, "
            f"got {recipe.max_tokens}"
        )
    first = tokenizer.cls_token_id if tokenizer.cls_token_id is not None else tokenizer.bos_token_id
    last = tokenizer.sep_token_id if tokenizer.sep_token_id is not None else tokenizer.eos_token_id
    if first is None or last is None or tokenizer.pad_token_id is None:
        raise ModelError(
            f"encoder {recipe.encoder}: its tokenizer lacks a [CLS], [SEP] or [PAD] token"
        )
    return Settings(
        name=recipe.name,
        labels=recipe.labels,
        max_tokens=recipe.max_tokens,
        cls_id=first,
        sep_id=last,
        pad_id=tokenizer.pad_token_id,
        # Fine-tuning never hides a token, so the one that would be is free for another use.
        repeat_id=tokenizer.mask_token_id,
        shows_title=True,
        normaliser=Normaliser.from_dict({**Normaliser().to_dict(), **recipe.normaliser}),
        context=recipe.context,
    )


def _classifier(
    settings: Settings, tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel
) -> Classifier:
    # A copy, as a classifier takes padding and truncation off its tokenizer.
    own = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    return Classifier(settings, own, TorchBackend(model))


def _batches(
    recipe: TrainingRecipe, classifier: Classifier, corpora: Corpora, tell: Callable[[str], None]
) -> TrainingBatches:
    labelled = [article for article in corpora.train if article.paragraphs]
    articles = [*(article.article() for article in labelled), *corpora.unlabelled]
    number = {label: i for i, label in enumerate(recipe.labels)}
    labels = [np.array([number[label] for label in article.labels]) for article in labelled]
    if recipe.teachers:
        labels = _softened(recipe, labels, articles, tell)
    return TrainingBatches(
        [
            EncodedArticle(*_title_and_paragraphs(classifier, article), own)
            for article, own in zip(articles, labels, strict=True)
        ],
        classifier.settings.layout(),
        epochs=recipe.epochs,
        batch_tokens=recipe.batch_tokens,
        context=recipe.context,
        context_dropout=recipe.context_dropout,
        seed=recipe.seed,
    )


def _softened(
    recipe: TrainingRecipe,
    labels: Sequence[NDArray[np.int64]],
    articles: Sequence[Article],
    tell: Callable[[str], None],
) -> list[NDArray[np.float32]]:
    """Probabilities to learn: people's labels and the teachers', where both are, each by its share.

    The articles without labels are the last.
    """
    folders = teacher_folders(recipe)
    tell(f"asking {len(folders)} teachers about {len(articles):,} pages")
    certain = np.eye(len(recipe.labels))
    share = recipe.teachers_share
    answers = mean_answers(folders, articles)
    mixed = [
        share * answer + (1 - share) * certain[own]
        for answer, own in zip(answers, labels, strict=False)
    ]
    return [each.astype(np.float32) for each in [*mixed, *answers[len(labels) :]]]


def _title_and_paragraphs(
    classifier: Classifier, article: Article
) -> tuple[list[int], list[list[int]]]:
    texts = (paragraph.text for paragraph in article.paragraphs)
    title, *paragraphs = classifier.token_ids([article.title, *texts])
    return title, paragraphs
