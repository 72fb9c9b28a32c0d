"""Paragraphs laid out as the token windows that an encoder reads, and put together again.

A page is one sequence, `[CLS] p1 [SEP] p2 [SEP] ...`, so that every paragraph is read with its
neighbours (sequential sentence classification; Cohan et al. 2019). Every token votes: a
paragraph's logits are the mean of its tokens' logits, its closing [SEP] included. So a
paragraph longer than a window is read in several and merged by the same mean, and nothing is
cut. Every window of a page begins with the page's title, which tells news from opinion where
the paragraphs come from the middle. A paragraph whose words stand earlier on the page begins
with a marker, as a small model cannot be relied on to notice. This module knows token ids
only, neither texts nor tensors of a framework.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

# The share of a window, on each side, that only gives context where a page needs several
# windows: a paragraph at a cut still sees its neighbours, for a third more work.
_CONTEXT_SHARE = 8
# The share of a window that a title may take.
_TITLE_SHARE = 8
# Fewer tokens stand inside another paragraph by chance.
_LEAST_CONTAINED = 8
_NO_PARAGRAPH = -1
_PACKED = np.dtype(np.int32)
_NO_TOKEN = np.array([-1], dtype=_PACKED).tobytes()

# What a window says of each paragraph that it votes for: the sum of its tokens' logits, of shape
# (paragraphs, labels).
Votes = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Window:
    """One sequence: token ids, and for each token the number of the paragraph it votes for.

    Both have shape (tokens,); the owner is -1 for [CLS] and for tokens that are context only.
    """

    ids: NDArray[np.int64]
    owners: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)

    def key(self) -> bytes:
        """A digest, the same for windows whose votes are the same, whatever paragraphs' they are.

        Of the token ids, and of which of them vote together.
        """
        voting = self.owners != _NO_PARAGRAPH
        together = np.where(voting, self.owners - self.owners[voting.argmax()], _NO_PARAGRAPH)
        return blake2b(self.ids.tobytes() + together.tobytes(), digest_size=16).digest()


@dataclass(frozen=True)
class Layout:
    """How sequences are made for one model: its longest window and its special tokens.

    `repeat_id` marks repeated paragraphs; without it they are not marked. `shows_title` has every
    window of a page begin with the page's title.
    """

    max_tokens: int
    cls_id: int
    sep_id: int
    pad_id: int
    repeat_id: int | None = None
    shows_title: bool = False

    def windows(
        self,
        paragraphs: Sequence[Sequence[int]],
        *,
        title: Sequence[int] = (),
        context: bool = True,
    ) -> list[Window]:
        """The windows of one page (or, without context, of each paragraph by itself).

        `paragraphs` and `title` are token ids without special tokens; every paragraph owns at
        least one token of one window, an empty paragraph its [SEP]. The title owns none; of a
        long one the beginning is enough. Without context it is left out.
        """
        if context and self.repeat_id is not None:
            paragraphs = [
                [self.repeat_id, *tokens] if again else tokens
                for tokens, again in zip(paragraphs, repeated(paragraphs), strict=True)
            ]
        numbered = list(enumerate(paragraphs))
        if not context:
            return [window for paragraph in numbered for window in self._cut([paragraph])]
        if not numbered:
            return []
        if title and self.shows_title:
            shown = [*title[: self.max_tokens // _TITLE_SHARE], self.sep_id]
        else:
            shown = []
        return list(self._cut(numbered, shown, begins=list(paragraphs[0]) == list(title)))

    def shows_only_one(self, paragraphs: Sequence[Sequence[int]], title: Sequence[int]) -> bool:
        """Whether the page's windows are those of one paragraph by itself."""
        if len(paragraphs) != 1:
            return False
        return not (self.shows_title and title) or list(paragraphs[0]) == list(title)

    def _cut(
        self,
        paragraphs: Sequence[tuple[int, Sequence[int]]],
        title: Sequence[int] = (),
        *,
        begins: bool = False,
    ) -> Iterator[Window]:
        """Windows that each show the title, but for one that `begins` with it anyway."""
        ids = np.array(
            [token for _, tokens in paragraphs for token in (*tokens, self.sep_id)], dtype=np.int64
        )
        lengths = [len(tokens) + 1 for _, tokens in paragraphs]
        owners = np.repeat(np.array([n for n, _ in paragraphs], dtype=np.int64), lengths)
        ends = np.cumsum(lengths)
        bare, titled = np.array([self.cls_id]), np.array([self.cls_id, *title])
        capacity = self.max_tokens - len(titled)
        fits = len(ids) <= self.max_tokens - len(bare if begins else titled)
        margin = 0 if fits else capacity // _CONTEXT_SHARE
        start = 0
        while start < len(ids):
            first = max(0, start - margin)
            head = bare if begins and first == 0 else titled
            room = self.max_tokens - len(head) - (start - first)
            end = len(ids)
            if end - start > room:
                end = _core_end(start, room - margin, ends)
            last = min(len(ids), end + margin)
            votes = np.full(len(head) + last - first, _NO_PARAGRAPH, dtype=np.int64)
            votes[len(head) :][start - first : end - first] = owners[start:end]
            yield Window(np.concatenate([head, ids[first:last]]), votes)
            start = end

    def batch(self, windows: Sequence[Window]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Padded token ids and attention mask, each of shape (windows, longest window)."""
        longest = max(map(len, windows))
        ids = np.full((len(windows), longest), self.pad_id, dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, window in enumerate(windows):
            ids[row, : len(window)] = window.ids
            mask[row, : len(window)] = 1
        return ids, mask


def repeated(paragraphs: Sequence[Sequence[int]]) -> list[bool]:
    """For each paragraph of a page, whether its tokens stand in an earlier one.

    As all of it, or, where they are eight or more, as a part.
    """
    seen: set[tuple[int, ...]] = set()
    earlier = bytearray()
    answers = []
    for paragraph in paragraphs:
        tokens = tuple(paragraph)
        packed = np.array(tokens, dtype=_PACKED).tobytes()
        again = tokens in seen
        if not again and len(tokens) >= _LEAST_CONTAINED:
            again = _find(earlier, packed)
        answers.append(again and len(tokens) > 0)
        seen.add(tokens)
        earlier += packed + _NO_TOKEN
    return answers


def _find(earlier: bytearray, packed: bytes) -> bool:
    """Whether `packed` stands in `earlier` at the beginning of a token."""
    start = earlier.find(packed)
    while start % _PACKED.itemsize and start >= 0:
        start = earlier.find(packed, start + 1)
    return start >= 0


def _core_end(start: int, room: int, ends: NDArray[np.int64]) -> int:
    """Where the votes of a window from `start` end: after a whole paragraph if one fits."""
    limit = start + room
    fitting = ends[(ends > start) & (ends <= limit)]
    return int(fitting[-1]) if len(fitting) else limit


def cut_batches(windows: Iterable[Window], tokens_per_batch: int) -> list[list[int]]:
    """Positions of `windows`, longest first, in groups whose padded size stays in the budget.

    A window longer than the budget is a batch of its own.
    """
    lengths = [len(window) for window in windows]
    batches: list[list[int]] = []
    longest = 0
    for position in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if not batches or (len(batches[-1]) + 1) * longest > tokens_per_batch:
            batches.append([])
            longest = lengths[position]
        batches[-1].append(position)
    return batches


def tally(window: Window, token_logits: NDArray[np.float32]) -> Votes:
    """The votes of a window, from its logits of shape (tokens or more, labels).

    The paragraphs stand in the order of the page.
    """
    voting = np.flatnonzero(window.owners != _NO_PARAGRAPH)
    starts = np.flatnonzero(np.diff(window.owners[voting], prepend=_NO_PARAGRAPH))
    return np.add.reduceat(token_logits[voting], starts, dtype=np.float64)


def pool(windows: Sequence[Window], votes: Sequence[Votes], paragraphs: int) -> NDArray[np.float64]:
    """Each paragraph's logits, shape (paragraphs, labels): the mean over the tokens it owns.

    `votes` are those of each window.
    """
    labels = votes[0].shape[-1] if votes else 0
    sums = np.zeros((paragraphs, labels))
    counts = np.zeros(paragraphs)
    for window, told in zip(windows, votes, strict=True):
        owners, tokens = np.unique(window.owners, return_counts=True)
        voting = owners != _NO_PARAGRAPH
        sums[owners[voting]] += told
        counts[owners[voting]] += tokens[voting]
    if np.any(counts == 0):
        raise ValueError(f"paragraphs without a token: {np.flatnonzero(counts == 0).tolist()}")
    return sums / counts[:, None]
