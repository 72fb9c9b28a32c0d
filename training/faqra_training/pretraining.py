"""A small encoder pretrained from nothing on unlabelled text, as `faqra pretrain` runs it.

Three steps, each kept in the work folder and not done again: a tokenizer, packed windows of
whole pages with paragraph boundaries kept, masked-language-model training. The encoder is a
ModernBERT (pre-LayerNorm: in small budgets the classic BERT stays on the unigram plateau),
its token embeddings started from co-occurrence vectors.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.tensorboard import SummaryWriter
from transformers import (
    AutoTokenizer,
    ModernBertConfig,
    ModernBertForMaskedLM,
    PreTrainedTokenizerBase,
    PrinterCallback,
    Trainer,
    TrainingArguments,
)
from transformers.integrations.integration_utils import TensorBoardCallback

from faqra_models.torch_backend import quiet_transformers
from faqra_training.allocator import TidyMemory, keep_freed_memory
from faqra_training.claims import claim
from faqra_training.curves import draw_pretraining
from faqra_training.embeddings import token_vectors
from faqra_training.masking import Masker
from faqra_training.packing import pack, read_pages, token_stream
from faqra_training.progress import ProgressLines, say_nothing
from faqra_training.recipe import PretrainingRecipe
from faqra_training.throughput import SPEED, Speed, matrix_rate, training_flops_per_token
from faqra_training.tokenizer import train_tokenizer
from faqra_training.trainer import CHECKPOINTS, TENSORBOARD, feeding, last_whole_checkpoint

_HELD_OUT_WINDOWS = 128
_LOGGING_STEPS = 50
# A run may be made longer, and be saved more or less often, while it goes on.
_MAY_CHANGE = ("steps", "save_steps")
# Small vectors are swept away by Adam's first steps, large ones make the tied output too sure.
# After 100 steps of the compact recipe the loss was 7.59 with these two numbers, 7.82 with the
# full rate, and 8.37 with random embeddings.
_VECTOR_SCALE = 0.1
_VECTOR_RATE = 0.25


def pretrain(
    recipe: PretrainingRecipe, folder: Path, *, tell: Callable[[str], None] = say_nothing
) -> Path:
    """Run the recipe, or go on where an earlier run in `folder` stopped; the encoder's folder.

    A run may go on with more `steps` than it was begun with, as long as its rate has not begun to
    fall. `tell` is given a line now and then. Raises RecipeError where the folder is another
    run's, and where a corpus holds no pages.
    """
    checkpoints = folder / CHECKPOINTS
    last = last_whole_checkpoint(checkpoints)
    kept = (folder / "tokenizer", folder / "stream.npy", checkpoints)
    claim(
        folder,
        {"recipe": recipe.to_dict()},
        command="faqra pretrain",
        begun=any(path.exists() for path in kept),
        may_change=_MAY_CHANGE,
    )
    keep_freed_memory()
    tokenizer = _tokenizer(recipe, folder / "tokenizer")
    stream = _kept(folder / "stream.npy", lambda: token_stream(_pages(recipe), tokenizer))
    windows = _kept(folder / "windows.npy", lambda: pack(stream, recipe.window_tokens, recipe.seed))
    model = _new_encoder(recipe, tokenizer, stream, folder)
    held_out = min(_HELD_OUT_WINDOWS, len(windows) // 2)
    tell(
        f"{len(stream):,} tokens in {len(windows):,} windows of {recipe.window_tokens}; an encoder "
        f"of {model.num_parameters():,} parameters, {recipe.tokens:,} tokens to read"
    )
    writer = SummaryWriter(str(folder / TENSORBOARD))
    optimizer = _optimizer(model, recipe)
    # Not the method itself: LambdaLR would keep what belongs to it in the checkpoint.
    schedule = LambdaLR(optimizer, lambda step: recipe.rate_share(step))  # noqa: PLW0108
    trainer = Trainer(
        model=model,
        optimizers=(optimizer, schedule),
        args=_arguments(recipe, checkpoints),
        data_collator=Masker(tokenizer, recipe.masking_rate, recipe.seed),
        train_dataset=_Rows(windows[held_out:]),
        eval_dataset=_Rows(windows[:held_out]),
        callbacks=[
            Speed(recipe.batch_size * recipe.window_tokens),
            TensorBoardCallback(writer),
            ProgressLines(tell, _held_out_words),
            TidyMemory(),
        ],
    )
    trainer.remove_callback(PrinterCallback)
    with quiet_transformers():
        trainer.train(resume_from_checkpoint=None if last is None else str(last))
    log = trainer.state.log_history
    draw_pretraining(log, folder / "curves.png")
    history = {"recipe": recipe.to_dict(), "speed": _speed(model, recipe, log), "log": log}
    encoder = folder / "encoder"
    with quiet_transformers():
        model.model.save_pretrained(encoder)
        tokenizer.save_pretrained(encoder)
    (encoder / "pretraining.json").write_text(
        json.dumps(history, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    return encoder


def _arguments(recipe: PretrainingRecipe, checkpoints: Path) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(checkpoints),
        max_steps=recipe.steps,
        per_device_train_batch_size=recipe.batch_size,
        per_device_eval_batch_size=recipe.batch_size,
        max_grad_norm=1.0,
        bf16=recipe.precision == "bf16"
        or (recipe.precision == "auto" and torch.cuda.is_available()),
        torch_compile=recipe.compile,
        logging_steps=min(_LOGGING_STEPS, recipe.save_steps),
        save_steps=recipe.save_steps,
        save_total_limit=2,
        eval_strategy="steps",
        eval_steps=recipe.save_steps,
        seed=recipe.seed,
        report_to="none",
        disable_tqdm=True,  # we have a bar of our own
        remove_unused_columns=False,
        **feeding(),
    )


def _held_out_words(metrics: Mapping[str, float]) -> str:
    loss = metrics["eval_loss"]
    return f"held-out loss {loss:.3f} (perplexity {math.exp(loss):,.1f})"


def _speed(
    model: ModernBertForMaskedLM, recipe: PretrainingRecipe, log: list[dict[str, Any]]
) -> dict[str, float]:
    """Median tokens a second, and their share of what the device can do."""
    speeds = sorted(entry[SPEED] for entry in log if SPEED in entry)
    if not speeds:  # a run that had ended before it was started again
        return {}
    config = model.config
    body = sum(p.numel() for p in model.model.layers.parameters())
    output = model.get_output_embeddings().weight.numel() + config.hidden_size**2
    near = min(recipe.window_tokens, config.local_attention + 1)
    reaches = [
        near if kind == "sliding_attention" else recipe.window_tokens
        for kind in config.layer_types or ()
    ]
    flops = training_flops_per_token(
        weights=body,
        output_weights=output,
        masking_rate=recipe.masking_rate,
        width=config.hidden_size,
        reach=sum(reaches),
    )
    half = recipe.precision == "bf16" or torch.cuda.is_available()
    rate = matrix_rate(model.device, torch.bfloat16 if half else torch.float32)
    median = speeds[len(speeds) // 2]
    return {
        SPEED: median,
        "matrix_tflops": round(rate / 1e12, 3),
        "share_of_matrix_rate": round(median * flops / rate, 3),
    }


def _pages(recipe: PretrainingRecipe) -> Iterator[list[str]]:
    """The corpora's pages, without those that hold a paragraph of the `exclude` files."""
    rows = (
        json.loads(line)
        for path in recipe.exclude
        for line in Path(path).read_text("utf-8").splitlines()
    )
    excluded = (text for row in rows for text in row["paragraphs"])
    return read_pages(recipe.corpora, recipe.make_normaliser(), exclude=excluded)


def _kept(path: Path, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
    """An array that an earlier run left at `path`, or made now and left there."""
    if not path.exists():
        part = path.with_suffix(".part.npy")
        np.save(part, make())
        part.replace(path)
    kept: NDArray[Any] = np.load(path, mmap_mode="c")
    return kept


def _tokenizer(recipe: PretrainingRecipe, folder: Path) -> PreTrainedTokenizerBase:
    if recipe.tokenizer:
        folder = Path(recipe.tokenizer)
    elif not folder.exists():
        arabic = re.compile(r"[\u0621-\u064a]")
        texts = (text for page in _pages(recipe) for text in page if arabic.search(text))
        train_tokenizer(texts, recipe.vocabulary_size).save_pretrained(folder)
    loaded: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
    return loaded


def _new_encoder(
    recipe: PretrainingRecipe,
    tokenizer: PreTrainedTokenizerBase,
    stream: NDArray[Any],
    folder: Path,
) -> ModernBertForMaskedLM:
    torch.manual_seed(recipe.seed)
    config = ModernBertConfig(
        vocab_size=len(tokenizer),
        hidden_size=recipe.width,
        intermediate_size=recipe.feed_forward,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        max_position_embeddings=recipe.max_positions,
        layer_types=[
            "sliding_attention" if layer % recipe.global_attention_every else "full_attention"
            for layer in range(recipe.layers)
        ],
        pad_token_id=tokenizer.pad_token_id,
        cls_token_id=tokenizer.cls_token_id,
        sep_token_id=tokenizer.sep_token_id,
        bos_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,
        sparse_prediction=True,
    )
    model = ModernBertForMaskedLM(config)
    if recipe.embeddings == "cooccurrence":
        vectors = torch.from_numpy(
            _kept(
                folder / "vectors.npy",
                lambda: token_vectors(
                    stream,
                    vocabulary_size=len(tokenizer),
                    width=recipe.width,
                    ignored_ids=tuple(tokenizer.all_special_ids),
                    seed=recipe.seed,
                ),
            )
        )
        weight = _embeddings(model)
        seen = vectors.any(dim=1)
        with torch.no_grad():
            weight[seen] = vectors[seen] * _VECTOR_SCALE
    return model


def _embeddings(model: ModernBertForMaskedLM) -> torch.Tensor:
    layer = model.get_input_embeddings()
    assert isinstance(layer, torch.nn.Embedding)
    return layer.weight


def _optimizer(model: ModernBertForMaskedLM, recipe: PretrainingRecipe) -> torch.optim.Optimizer:
    """AdamW; embeddings that start from vectors move slower, as they know much already."""
    embeddings = _embeddings(model)
    others = [parameter for parameter in model.parameters() if parameter is not embeddings]
    share = _VECTOR_RATE if recipe.embeddings == "cooccurrence" else 1.0
    return torch.optim.AdamW(
        [
            {"params": others, "lr": recipe.learning_rate},  # the first group's rate is logged
            {"params": [embeddings], "lr": recipe.learning_rate * share},
        ],
        betas=(0.9, 0.98),
        weight_decay=recipe.weight_decay,
        fused=True,
    )


class _Rows(torch.utils.data.Dataset[dict[str, Any]]):
    """Packed windows as a dataset."""

    def __init__(self, windows: NDArray[np.uint16]) -> None:
        self._windows = windows

    def __len__(self) -> int:
        return len(self._windows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"input_ids": self._windows[index].astype(np.int64), "index": index}
