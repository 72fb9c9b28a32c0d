"""A small encoder pretrained from nothing on unlabelled text, as `faqra pretrain` runs it.

Three steps, each kept in the work folder and not done again: a tokenizer, packed windows of
whole pages with paragraph boundaries kept, masked-language-model training. The encoder is a
ModernBERT (pre-LayerNorm: in small budgets the classic BERT stays on the unigram plateau),
its token embeddings started from co-occurrence vectors.
"""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import (
    AutoTokenizer,
    ModernBertConfig,
    ModernBertForMaskedLM,
    PreTrainedTokenizerBase,
    Trainer,
    TrainingArguments,
)
from transformers.trainer_utils import get_last_checkpoint

from faqra_training.embeddings import token_vectors
from faqra_training.packing import pack, read_pages, token_stream
from faqra_training.recipe import PretrainingRecipe
from faqra_training.tokenizer import train_tokenizer

_HELD_OUT_WINDOWS = 128
# Small vectors are swept away by Adam's first steps, large ones make the tied output too sure.
# After 100 steps of the compact recipe the loss was 7.59 with these two numbers, 7.82 with the
# full rate, and 8.37 with random embeddings.
_VECTOR_SCALE = 0.1
_VECTOR_RATE = 0.25


def pretrain(recipe: PretrainingRecipe, folder: Path) -> Path:
    """Run the recipe, or go on where an earlier run in `folder` stopped; the encoder's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer(recipe, folder / "tokenizer")
    stream = _kept(folder / "stream.npy", lambda: token_stream(read_pages(recipe), tokenizer))
    windows = _kept(folder / "windows.npy", lambda: pack(stream, recipe.window_tokens, recipe.seed))
    model = _new_encoder(recipe, tokenizer, stream, folder)
    held_out = min(_HELD_OUT_WINDOWS, len(windows) // 2)
    trainer = Trainer(
        model=model,
        optimizers=(_optimizer(model, recipe), None),
        args=TrainingArguments(
            output_dir=str(folder / "checkpoints"),
            max_steps=recipe.steps,
            per_device_train_batch_size=recipe.batch_size,
            per_device_eval_batch_size=recipe.batch_size,
            learning_rate=recipe.learning_rate,
            warmup_steps=recipe.warmup_steps,
            lr_scheduler_type="linear",
            max_grad_norm=1.0,
            use_cpu=not torch.cuda.is_available(),
            bf16=recipe.precision == "bf16"
            or (recipe.precision == "auto" and torch.cuda.is_available()),
            logging_steps=50,
            save_steps=recipe.save_steps,
            save_total_limit=1,
            eval_strategy="steps",
            eval_steps=recipe.save_steps,
            seed=recipe.seed,
            report_to="none",
            disable_tqdm=not sys.stderr.isatty(),
            remove_unused_columns=False,
        ),
        data_collator=_Masker(tokenizer, recipe.masking_rate, recipe.seed),
        train_dataset=_Rows(windows[held_out:]),
        eval_dataset=_Rows(windows[:held_out]),
    )
    trainer.train(resume_from_checkpoint=get_last_checkpoint(str(folder / "checkpoints")))
    encoder = folder / "encoder"
    model.model.save_pretrained(encoder)
    tokenizer.save_pretrained(encoder)
    history = {"recipe": recipe.to_dict(), "log": trainer.state.log_history}
    (encoder / "pretraining.json").write_text(
        json.dumps(history, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    return encoder


def _kept(path: Path, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
    """An array that an earlier run left at `path`, or made now and left there."""
    if not path.exists():
        part = path.with_suffix(".part.npy")
        np.save(part, make())
        part.replace(path)
    kept: NDArray[Any] = np.load(path, mmap_mode="c")
    return kept


def _tokenizer(recipe: PretrainingRecipe, folder: Path) -> PreTrainedTokenizerBase:
    if not folder.exists():
        arabic = re.compile(r"[\u0621-\u064a]")
        texts = (text for page in read_pages(recipe) for text in page if arabic.search(text))
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
            {"params": [embeddings], "lr": recipe.learning_rate * share},
            {"params": others, "lr": recipe.learning_rate},
        ],
        betas=(0.9, 0.98),
        weight_decay=recipe.weight_decay,
    )


class _Rows(torch.utils.data.Dataset[dict[str, Any]]):
    """Packed windows as a dataset."""

    def __init__(self, windows: NDArray[np.uint16]) -> None:
        self._windows = windows

    def __len__(self) -> int:
        return len(self._windows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"input_ids": self._windows[index].astype(np.int64), "index": index}


class _Masker:
    """Masks a share of the tokens: 80 % [MASK], 10 % another token, 10 % left (Devlin 2019).

    The choice depends on the rows of the batch and the seed alone, so a resumed run masks as
    the unbroken one would have.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, rate: float, seed: int) -> None:
        self._special = np.array(tokenizer.all_special_ids)
        self._mask_id = tokenizer.mask_token_id
        self._vocabulary = len(tokenizer)
        self._rate = rate
        self._seed = seed

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        ids = np.stack([row["input_ids"] for row in rows])
        chance = np.random.default_rng([self._seed, rows[0]["index"], len(rows)])
        chosen = (chance.random(ids.shape) < self._rate) & ~np.isin(ids, self._special)
        labels = np.where(chosen, ids, -100)
        fate = chance.random(ids.shape)
        ids = np.where(chosen & (fate < 0.8), self._mask_id, ids)
        other = chance.integers(len(self._special), self._vocabulary, ids.shape)
        ids = np.where(chosen & (fate >= 0.9), other, ids)
        return {
            "input_ids": torch.from_numpy(ids),
            "attention_mask": torch.ones(ids.shape, dtype=torch.int64),
            "labels": torch.from_numpy(labels),
        }
