"""A classifier fine-tuned from an encoder, as `faqra train` runs it.

transformers' Trainer does the steps, the devices and the checkpoints; this module gives it
batches of windows, the paragraph loss and our own evaluation. A run killed at any moment
and started again goes on from its last checkpoint to the same weights. What is written
about a run (`card`, `curves`) and baselines live elsewhere.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from faqra_data.corpus import LabelledArticle, corpus_digest, read_corpus
from faqra_data.errors import ModelError, RecipeError
from faqra_data.normaliser import Normaliser
from faqra_data.splits import check_leaks
from faqra_models.classifier import Classifier
from faqra_models.encoding import Layout
from faqra_models.settings import Settings
from faqra_models.torch_backend import TorchBackend
from tokenizers import Tokenizer
from torch.utils.tensorboard import SummaryWriter
from transformers import (
    AutoModelForTokenClassification,
    AutoTokenizer,
    EarlyStoppingCallback,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)
from transformers.integrations import TensorBoardCallback
from transformers.trainer_utils import get_last_checkpoint

from faqra_training.batches import TrainingBatches, class_weights, pooled_logits
from faqra_training.evaluation import evaluate, fit_temperature, gold_labels
from faqra_training.recipe import TrainingRecipe

CHECKPOINTS = "checkpoints"


@dataclass(frozen=True, eq=False)
class Corpora:
    """What a run learns from and is chosen on."""

    train: list[LabelledArticle]
    dev: list[LabelledArticle]

    def digests(self) -> dict[str, str]:
        """The fingerprints of both parts."""
        return {"train": corpus_digest(self.train), "dev": corpus_digest(self.dev)}


@dataclass(frozen=True, eq=False)
class Learned:
    """A fine-tuned classifier with its parts, and the Trainer's log of the run."""

    classifier: Classifier
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    log: list[dict[str, Any]]
    best_step: int


def read_corpora(recipe: TrainingRecipe, *, allow_leaks: bool = False) -> Corpora:
    """The recipe's corpora; CorpusError where they are faulty or share text."""
    columns = {"text_column": recipe.text_column, "label_column": recipe.label_column}
    train = read_corpus(recipe.train, labels=recipe.labels, **columns)
    dev = read_corpus(recipe.dev, labels=recipe.labels, **columns)
    if not allow_leaks:
        check_leaks({"train": train, "dev": dev})
    return Corpora(train, dev)


def learn(recipe: TrainingRecipe, corpora: Corpora, folder: Path) -> Learned:
    """Fine-tune, or go on where an earlier run in `folder` stopped."""
    transformers.utils.logging.set_verbosity_error()
    transformers.set_seed(recipe.seed)
    tokenizer = _load(AutoTokenizer.from_pretrained, recipe.encoder, use_fast=True)
    model = _load(
        AutoModelForTokenClassification.from_pretrained,
        recipe.encoder,
        num_labels=len(recipe.labels),
        id2label=dict(enumerate(recipe.labels)),
        label2id={label: i for i, label in enumerate(recipe.labels)},
        dtype=torch.float32,
        use_safetensors=True,
    )
    settings = _settings(recipe, tokenizer, model)
    classifier = Classifier(
        settings,
        Tokenizer.from_str(tokenizer.backend_tokenizer.to_str()),
        TorchBackend(model),
    )
    batches = TrainingBatches(
        _encode(classifier, corpora.train),
        Layout(settings.max_tokens, settings.cls_id, settings.sep_id, settings.pad_id),
        epochs=recipe.epochs,
        batch_tokens=recipe.batch_tokens,
        context=recipe.context,
        context_dropout=recipe.context_dropout,
        seed=recipe.seed,
    )
    gold, _ = gold_labels(corpora.train, recipe.labels)
    trainer = _ParagraphTrainer(
        model=model,
        args=_arguments(recipe, folder, batches),
        train_dataset=batches,
        eval_dataset=[{}],  # our evaluation reads the articles themselves
        data_collator=_only_item,
        callbacks=[
            EarlyStoppingCallback(recipe.patience),
            TensorBoardCallback(SummaryWriter(str(folder / "tensorboard"))),
            _Progress(),
        ],
    )
    trainer.prepare_judging(
        classifier=classifier,
        dev=corpora.dev,
        weights=class_weights(gold, len(recipe.labels), recipe.class_weights),
        label_smoothing=recipe.label_smoothing,
    )
    trainer.train(resume_from_checkpoint=get_last_checkpoint(str(folder / CHECKPOINTS)))
    return Learned(
        classifier=classifier,
        model=model,
        tokenizer=tokenizer,
        log=trainer.state.log_history,
        best_step=int(trainer.state.best_global_step or trainer.state.global_step),
    )


def calibrated_temperature(classifier: Classifier, dev: Sequence[LabelledArticle]) -> float:
    """The temperature that fits the classifier's logits to `dev`, pages in context."""
    logits = np.concatenate([classifier.paragraph_logits(a.article()) for a in dev if a.paragraphs])
    gold, _ = gold_labels(dev, classifier.labels)
    return fit_temperature(logits, gold)


def _load(loader: Callable[..., Any], name: str, **options: Any) -> Any:  # noqa: ANN401
    try:
        return loader(name, **options)
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ModelError(f"encoder {name}: transformers cannot load it: {reason}") from error


def _settings(
    recipe: TrainingRecipe, tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel
) -> Settings:
    longest = getattr(model.config, "max_position_embeddings", recipe.max_tokens)
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
        normaliser=Normaliser.from_dict({**Normaliser().to_dict(), **recipe.normaliser}),
        context=recipe.context,
    )


def _encode(
    classifier: Classifier, articles: Sequence[LabelledArticle]
) -> list[tuple[list[list[int]], list[int]]]:
    number = {label: i for i, label in enumerate(classifier.labels)}
    return [
        (classifier.token_ids(article.paragraphs), [number[label] for label in article.labels])
        for article in articles
        if article.paragraphs
    ]


def _arguments(recipe: TrainingRecipe, folder: Path, batches: TrainingBatches) -> TrainingArguments:
    accumulated = max(1, recipe.gradient_accumulation * max(1, torch.cuda.device_count()))
    epoch_steps = max(1, len(batches) // recipe.epochs // accumulated)
    evaluation_steps = max(1, epoch_steps // recipe.evaluations_per_epoch)
    capable = torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    return TrainingArguments(
        output_dir=str(folder / CHECKPOINTS),
        # The batches of all epochs stand in one long list, a batch an item.
        num_train_epochs=1,
        per_device_train_batch_size=1,
        train_sampling_strategy="sequential",
        gradient_accumulation_steps=recipe.gradient_accumulation,
        learning_rate=recipe.learning_rate,
        warmup_steps=recipe.warmup_share,
        weight_decay=recipe.weight_decay,
        bf16=recipe.precision == "bf16" or (recipe.precision == "auto" and capable),
        eval_strategy="steps",
        eval_steps=evaluation_steps,
        save_strategy="steps",
        save_steps=evaluation_steps,
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model="macro_f1",
        greater_is_better=True,
        restore_callback_states_from_checkpoint=True,
        logging_steps=max(1, evaluation_steps // 5),
        seed=recipe.seed,
        report_to="none",
        disable_tqdm=not sys.stderr.isatty(),
        remove_unused_columns=False,
    )


class _ParagraphTrainer(Trainer):
    """A Trainer whose loss is over paragraphs and whose evaluation is ours."""

    def prepare_judging(
        self,
        *,
        classifier: Classifier,
        dev: Sequence[LabelledArticle],
        weights: Any,  # noqa: ANN401 - an array or None
        label_smoothing: float,
    ) -> None:
        """What the loss and the evaluation need beside the model."""
        self._classifier = classifier
        self._dev = dev
        self.model_accepts_loss_kwargs = False  # else the loss is not divided over accumulation
        self._loss = torch.nn.CrossEntropyLoss(
            weight=None if weights is None else torch.tensor(weights, dtype=torch.float32),
            label_smoothing=label_smoothing,
        ).to(self.args.device)

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | None = None,
    ) -> Any:  # noqa: ANN401 - the Trainer's own signature
        """Cross-entropy over the batch's paragraphs."""
        output = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
        labels = inputs["labels"]
        loss = self._loss(pooled_logits(output.logits, inputs["owners"], len(labels)), labels)
        return (loss, output) if return_outputs else loss

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:  # noqa: ANN401 - as above
        """Macro-F1 on dev with and without context."""
        together = evaluate(self._classifier, self._dev, context=True)
        alone = evaluate(self._classifier, self._dev, context=False)
        metrics = {
            "eval_macro_f1": together.macro_f1,
            "eval_macro_f1_alone": alone.macro_f1,
            "eval_accuracy": together.accuracy,
        }
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics


class _Progress(TrainerCallback):
    """One line on stderr for each evaluation."""

    def on_evaluate(self, args: Any, state: Any, control: Any, **keywords: Any) -> None:  # noqa: ANN401
        """Print step, loss and macro-F1."""
        metrics = keywords["metrics"]
        losses = [entry["loss"] for entry in state.log_history if "loss" in entry]
        print(
            f"step {state.global_step}/{state.max_steps}  "
            f"loss {losses[-1] if losses else float('nan'):.3f}  "
            f"dev macro-F1 {metrics['eval_macro_f1']:.4f} in context, "
            f"{metrics['eval_macro_f1_alone']:.4f} alone",
            file=sys.stderr,
            flush=True,
        )


def _only_item(items: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    (batch,) = items
    return batch


def run_state(recipe: TrainingRecipe, corpora: Corpora) -> str:
    """What a run folder belongs to: a run goes on only with the same recipe and data."""
    return json.dumps(
        {"recipe": recipe.to_dict(), "data": corpora.digests()}, ensure_ascii=False, indent=2
    )
