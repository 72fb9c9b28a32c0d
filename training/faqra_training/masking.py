"""What a masked language model is asked: some tokens hidden, to be told from the others."""

from typing import Any

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase


class Masker:
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
        """One batch of full windows: `input_ids` and `labels` of shape (rows, tokens)."""
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
            "labels": torch.from_numpy(labels),
        }
