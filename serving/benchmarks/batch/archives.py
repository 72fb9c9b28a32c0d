"""Archives to classify: pages of real newspapers, drawn by chance, as JSON Lines.

They are read below a folder of Parquet files that is not part of the project; where there are
none, or too few, pages are put together from others.
"""

import json
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pyarrow.parquet as pq

from faqra_data.corpus import read_corpus
from faqra_data.segmentation import segment_text

_ROOT = Path(__file__).parents[3]
_NEWSPAPERS = _ROOT.parent / "shared" / "corpora"
_AUTHORED = _ROOT / "data" / "authored" / "*.jsonl"
_SEED = 7


def write_archive(path: Path, paragraphs: int) -> int:
    """Write pages until they have so many paragraphs, or a few more; returns how many.

    A shorter archive is the beginning of a longer one.
    """
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for number, (title, text) in enumerate(_pages()):
            if count >= paragraphs:
                break
            row = {"id": f"page-{number}", "title": title, "text": text}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += len(segment_text(text))
    return count


def texts(count: int) -> list[str]:
    """So many paragraphs of the archive's first pages."""
    found: list[str] = []
    for _, text in _pages():
        found += [paragraph.text for paragraph in segment_text(text)]
        if len(found) >= count:
            break
    return found[:count]


def origin() -> str:
    """Where the pages come from, in a few words."""
    return f"{len(_newspapers()):,} pages of newspapers" if _newspapers() else "authored pages"


def _pages() -> Iterator[tuple[str, str]]:
    """Titles and texts without an end, in an order that is always the same.

    Newspapers' pages once each; where there are no more, the first half of one before what another
    ends with.
    """
    chance = random.Random(_SEED)
    pages = list(_newspapers())
    chance.shuffle(pages)
    yield from pages
    pages = pages or _authored()
    while True:
        (title, one), (_, other) = chance.choice(pages), chance.choice(pages)
        first, last = segment_text(one), segment_text(other)
        some = [paragraph.text for paragraph in (*first[: len(first) // 2], *last[-8:])]
        yield title, "\n\n".join(some)


def _authored() -> list[tuple[str, str]]:
    return [(page.title, "\n\n".join(page.paragraphs)) for page in read_corpus([str(_AUTHORED)])]


@cache
def _newspapers() -> list[tuple[str, str]]:
    pages = []
    for file in sorted(_NEWSPAPERS.glob("news-*.parquet")):
        table = pq.read_table(file, columns=["title", "text"])
        pages += list(zip(table["title"].to_pylist(), table["text"].to_pylist(), strict=True))
    return pages
