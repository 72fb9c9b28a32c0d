"""Unlabelled pages packed to full token windows, for pretraining.

Pages come from Parquet or JSON Lines with `title` and `text`; a window holds whole paragraphs, each
closed by [SEP], as the classifier later reads them. This module knows no model.
"""

import glob
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from faqra_data.article import Rejected
from faqra_data.errors import RecipeError
from faqra_data.normaliser import Normaliser
from faqra_data.rows import read_rows
from faqra_data.segmentation import segment_text

_PAGES_A_BATCH = 256
# Shorter paragraphs are formulas that unrelated pages share.
_EXCLUDING_WORDS = 8


def read_pages(
    corpora: Iterable[str], normaliser: Normaliser, *, exclude: Iterable[str] = ()
) -> Iterator[list[str]]:
    """The pages of files or globs in order, each as its title and paragraphs, normalised.

    Exact repeats are left out, and pages that hold one of the longer paragraphs of `exclude`.
    RecipeError where files or rows are not there or broken.
    """
    excluded = _excluded_digests(exclude, normaliser)
    seen: set[bytes] = set()
    for title, text in _rows(corpora):
        paragraphs = [title, *(paragraph.text for paragraph in segment_text(text))]
        texts = [text for text in map(normaliser.normalise, paragraphs) if text]
        if len(texts) > 1 and texts[0] == texts[1]:
            texts = texts[1:]
        digest = _digest("\n".join(texts))
        if digest in seen or any(_digest(text) in excluded for text in texts):
            continue
        seen.add(digest)
        yield texts


def token_stream(
    pages: Iterable[list[str]], tokenizer: PreTrainedTokenizerBase
) -> NDArray[np.uint16]:
    """All pages as one stream, `[CLS] p1 [SEP] p2 [SEP] ... [CLS] ...`, shape (tokens,)."""
    stream: list[NDArray[np.uint16]] = []
    remaining = iter(pages)
    while batch := list(islice(remaining, _PAGES_A_BATCH)):
        flat = [text for page in batch for text in page]
        encoded = iter(tokenizer(flat, add_special_tokens=False)["input_ids"])
        for page in batch:
            ids = [tokenizer.cls_token_id]
            for _ in page:
                ids += [*next(encoded), tokenizer.sep_token_id]
            stream.append(np.array(ids, dtype=np.uint16))
    return np.concatenate(stream)


def pack(stream: NDArray[np.uint16], window_tokens: int, seed: int) -> NDArray[np.uint16]:
    """The stream cut into windows and shuffled, shape (windows, window_tokens)."""
    count = len(stream) // window_tokens
    windows = stream[: count * window_tokens].reshape(count, window_tokens)
    return windows[np.random.default_rng(seed).permutation(count)]


def _rows(patterns: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Title and text of each row."""
    for pattern in patterns:
        paths = sorted(glob.glob(pattern, recursive=True))
        if not paths:
            raise RecipeError(
                f"corpora: no such file: {pattern} (paths are relative to the working directory)"
            )
        for path in paths:
            for row in read_rows(Path(path), one_of=("text",), others=("title",)):
                if isinstance(row, Rejected):
                    at = "" if row.row is None else f", row {row.row}"
                    raise RecipeError(f"corpora: {row.input}{at}: {row.reason}")
                title, text = row.values.get("title"), row.values.get("text")
                yield str(title or ""), str(text or "")


def _excluded_digests(paragraphs: Iterable[str], normaliser: Normaliser) -> set[bytes]:
    texts = map(normaliser.normalise, paragraphs)
    return {_digest(text) for text in texts if len(text.split()) >= _EXCLUDING_WORDS}


def _digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=12).digest()
