"""Which articles share a paragraph, word for word or nearly.

MinHash over word shingles with locality-sensitive hashing (Broder 1997; the `datasketch`
package). Only paragraphs long enough to be somebody's sentence count: that two sites say
"read also" makes no leak. This module does not know what parts a corpus is split into.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from faqra_data.corpus import LabelledArticle
from faqra_data.errors import MissingExtraError
from faqra_data.normaliser import Normaliser

if TYPE_CHECKING:
    from datasketch import MinHash

# Shorter paragraphs are formulas ("وأضاف:"), menus and bylines, which unrelated pages share.
MIN_WORDS = 8
_SHINGLE_WORDS = 3
_PERMUTATIONS = 64
_SIMILARITY = 0.7


@dataclass(frozen=True, slots=True)
class SharedParagraph:
    """Two articles that share a paragraph; positions count in the sequence that was searched."""

    first: int
    second: int
    text: str
    exact: bool


def shared_paragraphs(articles: Sequence[LabelledArticle]) -> Iterator[SharedParagraph]:
    """Pairs of different articles with a same or near-same paragraph of eight words or more.

    Each copy is reported once, against the first article that had it. Near means a Jaccard
    similarity of about 0.7 over shingles of three words.
    """
    try:
        from datasketch import MinHashLSH  # noqa: PLC0415 - only splitting and checking need it
    except ImportError as error:
        raise MissingExtraError("datasketch", "train", "The search for near-duplicates") from error
    normaliser = Normaliser()
    exact: dict[str, int] = {}
    index = MinHashLSH(threshold=_SIMILARITY, num_perm=_PERMUTATIONS)
    owners: list[int] = []
    for position, article in enumerate(articles):
        for paragraph in article.paragraphs:
            words = normaliser.normalise(paragraph).split()
            if len(words) < MIN_WORDS:
                continue
            text = " ".join(words)
            if text in exact:
                if exact[text] != position:
                    yield SharedParagraph(exact[text], position, paragraph, exact=True)
                continue
            exact[text] = position
            signature = _signature(words)
            near = {owners[int(key)] for key in index.query(signature)} - {position}
            for other in sorted(near):
                yield SharedParagraph(other, position, paragraph, exact=False)
            index.insert(str(len(owners)), signature)
            owners.append(position)


def clusters(articles: Sequence[LabelledArticle]) -> list[int]:
    """For each article the number of its cluster: articles linked by shared paragraphs."""
    parent = list(range(len(articles)))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for pair in shared_paragraphs(articles):
        parent[root(pair.second)] = root(pair.first)
    numbers: dict[int, int] = defaultdict(lambda: len(numbers))
    return [numbers[root(position)] for position in range(len(articles))]


def _signature(words: list[str]) -> "MinHash":
    from datasketch import MinHash  # noqa: PLC0415 - as above

    signature = MinHash(num_perm=_PERMUTATIONS, seed=1)
    shingles = {
        " ".join(words[start : start + _SHINGLE_WORDS])
        for start in range(len(words) - _SHINGLE_WORDS + 1)
    }
    signature.update_batch([shingle.encode() for shingle in sorted(shingles)])
    return signature
