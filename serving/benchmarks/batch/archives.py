"""Archives to classify: pages of real newspapers, drawn by chance, as JSON Lines.

They are read below a folder of Parquet files that is not part of the project; where there is
none, pages are put together from the authored ones.
"""

import json
import random
import sys
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
    """Write pages until they have so many paragraphs; returns how many there are.

    A shorter archive is the beginning of a longer one.
    """
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for number, (title, text) in enumerate(_pages()):
            if count >= paragraphs:
                return count
            row = {"id": f"page-{number}", "title": title, "text": text}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += len(segment_text(text))
    sys.exit(f"only {count:,} paragraphs of {paragraphs:,} are there")


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
    """Titles and texts, in an order that is always the same."""
    chance = random.Random(_SEED)
    pages = _newspapers()
    if pages:
        order = list(range(len(pages)))
        chance.shuffle(order)
        yield from (pages[number] for number in order)
        return
    authored = [page.article() for page in read_corpus([str(_AUTHORED)])]
    while True:
        one, other = chance.choice(authored), chance.choice(authored)
        some = one.paragraphs[: len(one.paragraphs) // 2] + other.paragraphs[-8:]
        yield one.title, "\n\n".join(paragraph.text for paragraph in some)


@cache
def _newspapers() -> list[tuple[str, str]]:
    pages = []
    for file in sorted(_NEWSPAPERS.glob("news-*.parquet")):
        table = pq.read_table(file, columns=["title", "text"])
        pages += list(zip(table["title"].to_pylist(), table["text"].to_pylist(), strict=True))
    return pages
