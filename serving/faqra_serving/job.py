"""A job's inputs, cut into parts that can be read anywhere, and what comes of them.

An item's place is the number of its file among all and its own number in the file: the same on
every machine and in every run. This module does not know who reads the parts.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from faqra_data.article import Article, Rejected
from faqra_data.inputs import Found, find_files
from faqra_data.readers import read_file

# What one part holds: many small files or one large one.
_BYTES, _FILES = 32_000_000, 1_000


@dataclass(frozen=True)
class Job:
    """What is to be classified, and how.

    Every machine that works on it must see `inputs` (files, folders, patterns) under the same
    names, and `model`: the bundled one (None), a hub id, or a folder.
    """

    inputs: tuple[str, ...]
    text_column: str = "text"
    model: str | None = None
    device: str = "auto"
    context: bool = True


@dataclass(frozen=True, order=True)
class Place:
    """Where an item stands in the inputs; places are ordered as the items are."""

    file: int
    number: int


BEFORE_ALL = Place(-1, -1)


@dataclass(frozen=True)
class Item:
    """An article, or what could not be read; `read` bytes of the inputs went by for it.

    The text that the article's offsets point into is left behind.
    """

    place: Place
    content: Article | Rejected
    read: int = 0


@dataclass(frozen=True, eq=False)
class Answered:
    """An item with its answer: calibrated probabilities of shape (paragraphs, labels).

    `emptied` as in ArticlePredictions.
    """

    item: Item
    probabilities: NDArray[np.float64]
    emptied: tuple[int, ...] = ()

    @classmethod
    def without_paragraphs(cls, item: Item, labels: int) -> "Answered":
        """For what could not be read."""
        return cls(item, np.zeros((0, labels)))


Part = list[tuple[int, Found | Rejected]]


def cut_parts(inputs: Iterable[str], *, after: Place = BEFORE_ALL) -> Iterator[Part]:
    """The numbered files of all inputs, without those before the file of `after`."""
    part: Part = []
    size = 0
    for number, found in enumerate(item for name in inputs for item in find_files(name)):
        if number < after.file:
            continue
        part.append((number, found))
        size += (found.size or 0) if isinstance(found, Found) else 0
        if size >= _BYTES or len(part) == _FILES:
            yield part
            part, size = [], 0
    if part:
        yield part


def read_part(part: Part, *, text_column: str, after: Place = BEFORE_ALL) -> Iterator[Item]:
    """What the files hold, in order; only what comes `after` a place."""
    read = 0

    def count(more: int) -> None:
        nonlocal read
        read += more

    for file, found in part:
        if isinstance(found, Rejected):
            contents: Iterable[Article | Rejected] = [found]
        else:
            contents = read_file(found, text_column=text_column, on_bytes=count)
        for number, content in enumerate(contents):
            place = Place(file, number)
            if place > after:
                slim = replace(content, text=None) if isinstance(content, Article) else content
                yield Item(place, slim, read)
                read = 0
