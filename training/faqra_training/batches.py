"""All batches of a training run, laid out before it starts.

Batch i is a function of corpus, recipe and seed alone: a resumed run reads what the unbroken
one would have read, on one GPU or several. This module knows token windows, not models.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from faqra_models.encoding import Layout, Window, cut_batches, repeated

_NO_PARAGRAPH = -1


@dataclass(frozen=True, eq=False)
class EncodedArticle:
    """Token ids of an article's title and paragraphs, and what its paragraphs are to be called.

    `labels` are label numbers of shape (paragraphs,), or probabilities of shape (paragraphs,
    labels).
    """

    title: Sequence[int]
    paragraphs: Sequence[Sequence[int]]
    labels: NDArray[np.int64] | NDArray[np.float32]


class TrainingBatches(Dataset[dict[str, Any]]):
    """The batches of all epochs in order, padded and ready for the model.

    Each epoch reads every article once, as a page or, by the recipe's chance, paragraph by
    paragraph: then without those that stand earlier on the page, as nothing tells a copy by
    itself from what it copies. A batch has `input_ids`, `attention_mask`, `owners` of shape
    (windows, tokens) and `labels`, a row for each of its paragraphs; owners count these, -1 is
    nobody's.
    """

    def __init__(
        self,
        articles: Sequence[EncodedArticle],
        layout: Layout,
        *,
        epochs: int,
        batch_tokens: int,
        context: bool,
        context_dropout: float,
        seed: int,
    ) -> None:
        """Lay out the batches of all epochs."""
        self._articles = articles
        self._layout = layout
        together = [layout.windows(one.paragraphs, title=one.title) for one in articles]
        alone = [_alone(layout, one.paragraphs) for one in articles]
        self._batches: list[list[tuple[int, Window]]] = []
        for epoch in range(epochs):
            chance = np.random.default_rng([seed, epoch])
            as_page = chance.random(len(articles)) >= context_dropout
            windows = [
                (number, window)
                for number in chance.permutation(len(articles))
                for window in (together if context and as_page[number] else alone)[number]
            ]
            cuts = cut_batches([window for _, window in windows], batch_tokens)
            for cut in chance.permutation(len(cuts)):
                self._batches.append([windows[position] for position in cuts[cut]])

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        batch = self._batches[index]
        ids, mask = self._layout.batch([window for _, window in batch])
        owners = np.full_like(ids, _NO_PARAGRAPH)
        labels: list[NDArray[Any]] = []
        for row, (number, window) in enumerate(batch):
            owned, places = np.unique(
                window.owners[window.owners != _NO_PARAGRAPH], return_inverse=True
            )
            owners[row, : len(window)][window.owners != _NO_PARAGRAPH] = places + len(labels)
            labels += list(self._articles[number].labels[owned])
        return {
            "input_ids": torch.from_numpy(ids),
            "attention_mask": torch.from_numpy(mask),
            "owners": torch.from_numpy(owners),
            "labels": torch.from_numpy(np.stack(labels)),
        }


def _alone(layout: Layout, paragraphs: Sequence[Sequence[int]]) -> list[Window]:
    """The windows of each paragraph by itself, but for copies."""
    copies = repeated(paragraphs)
    windows = layout.windows(paragraphs, context=False)
    return [window for window in windows if not copies[window.owners.max()]]


def pooled_logits(token_logits: torch.Tensor, owners: torch.Tensor, count: int) -> torch.Tensor:
    """Each paragraph's mean over its tokens, shape (count, labels); `encoding.pool` for tensors."""
    flat, owner = token_logits.flatten(0, 1).float(), owners.flatten()
    flat, owner = flat[owner != _NO_PARAGRAPH], owner[owner != _NO_PARAGRAPH]
    sums = torch.zeros(count, flat.shape[-1], device=flat.device).index_add(0, owner, flat)
    counts = torch.zeros(count, device=flat.device).index_add(
        0, owner, torch.ones_like(owner, dtype=torch.float32)
    )
    return sums / counts[:, None]


def class_weights(labels: NDArray[np.int64], count: int, how: str) -> NDArray[np.float64] | None:
    """Weights of mean 1 over the paragraphs: by inverse frequency, its square root, or None."""
    if how == "none":
        return None
    frequency = np.bincount(labels, minlength=count) / len(labels)
    power = {"balanced": 1.0, "square_root": 0.5}[how]
    weights = np.divide(1.0, frequency**power, out=np.zeros_like(frequency), where=frequency > 0)
    return np.asarray(weights / (weights * frequency).sum())
