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
    exact: dict[str, int] = {}
    index = _Index()
    owners: list[int] = []
    for position, paragraph, words in _sentences(articles):
        text = " ".join(words)
        if text in exact:
            if exact[text] != position:
                yield SharedParagraph(exact[text], position, paragraph, exact=True)
            continue
        exact[text] = position
        signature = index.signature(words)
        for other in sorted({owners[key] for key in index.near(signature)} - {position}):
            yield SharedParagraph(other, position, paragraph, exact=False)
        index.add(signature)
        owners.append(position)


def copying(articles: Sequence[LabelledArticle], originals: Sequence[LabelledArticle]) -> set[int]:
    """Positions of the articles that share such a paragraph with one of `originals`."""
    index = _Index()
    exact: set[str] = set()
    for _, _, words in _sentences(originals):
        if (text := " ".join(words)) not in exact:
            exact.add(text)
            index.add(index.signature(words))
    copies: set[int] = set()
    for position, _, words in _sentences(articles):
        if position not in copies and (
            " ".join(words) in exact or index.near(index.signature(words))
        ):
            copies.add(position)
    return copies


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


def _sentences(articles: Sequence[LabelledArticle]) -> Iterator[tuple[int, str, list[str]]]:
    """Article's position, text and normalised words of each paragraph that is long enough."""
    normaliser = Normaliser()
    for position, article in enumerate(articles):
        for paragraph in article.paragraphs:
            words = normaliser.normalise(paragraph).split()
            if len(words) >= MIN_WORDS:
                yield position, paragraph, words


class _Index:
    """Texts by their shingles; each is known by its number, in the order they were added."""

    def __init__(self) -> None:
        try:
            import datasketch  # noqa: PLC0415 - only splitting and checking need it
        except ImportError as error:
            what = "The search for near-duplicates"
            raise MissingExtraError("datasketch", "train", what) from error
        self._lsh = datasketch.MinHashLSH(threshold=_SIMILARITY, num_perm=_PERMUTATIONS)
        # Copied for each text: drawing its permutations anew takes half of the time.
        self._empty = datasketch.MinHash(num_perm=_PERMUTATIONS, seed=1)
        self._count = 0

    def signature(self, words: list[str]) -> "MinHash":
        signature = self._empty.copy()
        shingles = {
            " ".join(words[start : start + _SHINGLE_WORDS])
            for start in range(len(words) - _SHINGLE_WORDS + 1)
        }
        signature.update_batch([shingle.encode() for shingle in sorted(shingles)])
        return signature

    def near(self, signature: "MinHash") -> list[int]:
        return [int(number) for number in self._lsh.query(signature)]

    def add(self, signature: "MinHash") -> None:
        self._lsh.insert(str(self._count), signature)
        self._count += 1
