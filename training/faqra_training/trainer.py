"""transformers' Trainer behind one door: batches of windows in, the best weights out.

The Trainer does the steps, the devices and the checkpoints; here it is given the paragraph
loss, our own evaluation, and checkpoints that a kill at any moment cannot spoil. This module
does not know recipes' data nor what is written about a run.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch.utils.tensorboard import SummaryWriter
from transformers import (
    EarlyStoppingCallback,
    PreTrainedModel,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerState,
    TrainingArguments,
)
from transformers.integrations.integration_utils import TensorBoardCallback

from faqra_data.errors import RecipeError
from faqra_models.backend import cores
from faqra_training.allocator import TidyMemory
from faqra_training.batches import TrainingBatches, pooled_logits
from faqra_training.progress import ProgressLines
from faqra_training.recipe import TrainingRecipe

CHECKPOINTS = "checkpoints"
TENSORBOARD = "tensorboard"
_LOGS_PER_EVALUATION = 5
# Processes that make batches for a GPU, whose step takes no longer than making one.
_WORKERS = 4
_STATE = "trainer_state.json"  # the Trainer writes it last into a checkpoint
_WEIGHTS = "model.safetensors"


class ParagraphTrainer(Trainer):
    """A Trainer whose loss is over paragraphs and whose evaluation is `judge`'s.

    `judge` gives `macro_f1`, the number that is early stopping's, and any others by name.
    """

    def __init__(
        self,
        recipe: TrainingRecipe,
        folder: Path,
        model: PreTrainedModel,
        batches: TrainingBatches,
        *,
        judge: Callable[[], dict[str, float]],
        weights: Sequence[float] | None,
        tell: Callable[[str], None],
    ) -> None:
        """`weights` are the labels' in the loss; `tell` is given one line an evaluation."""
        arguments = _arguments(recipe, folder, len(batches))
        callbacks: list[TrainerCallback] = [EarlyStoppingCallback(recipe.patience), TidyMemory()]
        if arguments.process_index == 0:
            writer = SummaryWriter(str(folder / TENSORBOARD))
            callbacks += [TensorBoardCallback(writer), ProgressLines(tell, _dev_scores)]
        super().__init__(
            model=model,
            args=arguments,
            train_dataset=batches,
            eval_dataset=[{}],  # the Trainer wants one; `judge` has its own
            data_collator=_only_item,
            callbacks=callbacks,
        )
        self.remove_callback(PrinterCallback)
        self.model_accepts_loss_kwargs = False  # else the loss is not divided over accumulation
        self._checkpoints = folder / CHECKPOINTS
        self._judge = judge
        self._weighed = model
        self._loss = torch.nn.CrossEntropyLoss(
            weight=None if weights is None else torch.tensor(weights, dtype=torch.float32),
            label_smoothing=recipe.label_smoothing,
        ).to(arguments.device)

    def reach_best(self) -> int:
        """Train, or go on from the last whole checkpoint, and load the best weights; their step."""
        last = last_whole_checkpoint(self._checkpoints)
        if last is not None and _is_over(last):
            # The Trainer would take a stopped run a step further.
            self.state = TrainerState.load_from_json(str(last / _STATE))
        else:
            self.train(resume_from_checkpoint=None if last is None else str(last))
        best = self.state.best_global_step or self.state.global_step
        weights = load_file(self._checkpoints / f"checkpoint-{best}" / _WEIGHTS)
        self._weighed.load_state_dict(weights)
        return int(best)

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,  # noqa: ARG002 - the Trainer's signature
    ) -> Any:  # noqa: ANN401 - as above
        """Cross-entropy over the batch's paragraphs."""
        output = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
        labels = inputs["labels"]
        loss = self._loss(pooled_logits(output.logits, inputs["owners"], len(labels)), labels)
        return (loss, output) if return_outputs else loss

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:  # noqa: ANN401 - as above
        """What `judge` says; of several processes the first judges for all."""
        judged = [self._judge() if self.is_world_process_zero() else {}]
        if self.args.world_size > 1:
            torch.distributed.broadcast_object_list(judged)
        metrics = {f"eval_{name}": value for name, value in judged[0].items()}
        self.log(dict(metrics))  # to which the Trainer adds
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics


def last_whole_checkpoint(folder: Path) -> Path | None:
    """The latest checkpoint that was written to its end."""
    whole: dict[int, Path] = {}
    for path in folder.glob("checkpoint-*"):
        try:
            step = TrainerState.load_from_json(str(path / _STATE)).global_step
        except (OSError, ValueError):
            continue  # killed while it was written
        whole[step] = path
    return whole[max(whole)] if whole else None


def feeding() -> dict[str, Any]:
    """TrainingArguments that keep a GPU busy where there is one: a small model's step is short."""
    if not torch.cuda.is_available():
        return {"use_cpu": True}
    return {
        "dataloader_num_workers": min(_WORKERS, cores()),
        "dataloader_pin_memory": True,
        # Looking at every loss would make the processor wait for the card at every step.
        "logging_nan_inf_filter": False,
    }


def _is_over(checkpoint: Path) -> bool:
    state = TrainerState.load_from_json(str(checkpoint / _STATE))
    control = state.stateful_callbacks.get("TrainerControl", {})
    stopped = bool(control.get("args", {}).get("should_training_stop"))
    return stopped or state.global_step >= state.max_steps


def _arguments(recipe: TrainingRecipe, folder: Path, batches: int) -> TrainingArguments:
    capable = torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    if recipe.precision == "bf16" and torch.cuda.is_available() and not capable:
        raise RecipeError("precision: this GPU cannot compute in bf16; use 'auto' or 'fp32'")
    arguments = TrainingArguments(
        output_dir=str(folder.resolve() / CHECKPOINTS),
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
        save_strategy="steps",
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model="macro_f1",
        greater_is_better=True,
        restore_callback_states_from_checkpoint=True,
        seed=recipe.seed,
        report_to="none",
        disable_tqdm=True,  # we have a bar of our own
        ddp_find_unused_parameters=False,  # token-classification models use all they have
        remove_unused_columns=False,
        **feeding(),
    )
    # A batch is an item, so one process cannot share it between GPUs: torchrun starts one for each.
    arguments._n_gpu = min(arguments.n_gpu, 1)
    steps = -(-batches // (recipe.gradient_accumulation * arguments.world_size))
    # Rounded up: the last evaluation is at the end, not a few steps before it.
    interval = -(-steps // (recipe.epochs * recipe.evaluations_per_epoch))
    arguments.eval_steps = arguments.save_steps = interval
    arguments.logging_steps = max(1, interval // _LOGS_PER_EVALUATION)
    return arguments


def _dev_scores(metrics: Mapping[str, float]) -> str:
    scores = (
        f"{name.removeprefix('eval_').replace('_', ' ')} {value:.4f}"
        for name, value in metrics.items()
    )
    return f"dev {', '.join(scores)}"


def _only_item(items: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    (batch,) = items
    return batch
