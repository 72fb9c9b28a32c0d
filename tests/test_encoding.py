"""Windows: every paragraph votes, nothing is cut, and batches change nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faqra_models.encoding import Layout, Votes, Window, cut_batches, pool, repeated, tally

CLS, SEP, PAD = 1, 2, 0
PAGES = st.lists(st.lists(st.integers(3, 99), max_size=30), max_size=12)


def layout(max_tokens: int) -> Layout:
    return Layout(max_tokens, CLS, SEP, PAD)


def votes(windows: list[Window]) -> list[tuple[int, int]]:
    """(paragraph, token) of every vote, in order."""
    return [
        (int(owner), int(token))
        for window in windows
        for owner, token in zip(window.owners, window.ids, strict=True)
        if owner >= 0
    ]


@given(
    paragraphs=PAGES,
    title=st.lists(st.integers(3, 99), max_size=20),
    max_tokens=st.integers(8, 64),
    context=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_every_token_votes_once_for_its_paragraph(
    paragraphs: list[list[int]], title: list[int], max_tokens: int, context: bool
) -> None:
    showing = Layout(max_tokens, CLS, SEP, PAD, shows_title=True)
    windows = showing.windows(paragraphs, title=title, context=context)
    expected = [
        (number, token) for number, tokens in enumerate(paragraphs) for token in [*tokens, SEP]
    ]
    assert votes(windows) == expected
    assert all(len(window) <= max_tokens for window in windows)
    assert all(window.ids[0] == CLS for window in windows)


def test_a_page_that_fits_is_one_sequence() -> None:
    (window,) = layout(16).windows([[10, 11], [], [12]])
    assert window.ids.tolist() == [CLS, 10, 11, SEP, SEP, 12, SEP]
    assert window.owners.tolist() == [-1, 0, 0, 0, 1, 2, 2]


def test_without_context_a_paragraph_sees_no_other() -> None:
    windows = layout(16).windows([[10, 11], [12]], context=False)
    assert [window.ids.tolist() for window in windows] == [[CLS, 10, 11, SEP], [CLS, 12, SEP]]


def test_every_window_of_a_page_begins_with_its_title() -> None:
    showing = Layout(32, CLS, SEP, PAD, shows_title=True)
    windows = showing.windows([[10] * 20, [11] * 20], title=[7, 8, 9, 7, 8])
    assert all(window.ids[:6].tolist() == [CLS, 7, 8, 9, 7, SEP] for window in windows)
    assert all((window.owners[:6] == -1).all() for window in windows)
    (alone,) = showing.windows([[10]], title=[7], context=False)
    assert alone.ids.tolist() == [CLS, 10, SEP]
    (without,) = layout(32).windows([[10]], title=[7])
    assert without.ids.tolist() == [CLS, 10, SEP]


def test_a_title_that_is_the_first_paragraph_is_not_shown_twice() -> None:
    showing = Layout(32, CLS, SEP, PAD, shows_title=True)
    windows = showing.windows([[7, 8], [10] * 20, [11] * 20], title=[7, 8])
    assert windows[0].ids[:4].tolist() == [CLS, 7, 8, SEP]
    assert windows[0].owners[:4].tolist() == [-1, 0, 0, 0]
    assert windows[1].ids[:4].tolist() == [CLS, 7, 8, SEP]
    assert windows[1].owners[:4].tolist() == [-1] * 4


def test_a_paragraph_that_stood_before_is_marked() -> None:
    marking = Layout(64, CLS, SEP, PAD, repeat_id=9)
    (window,) = marking.windows([[10, 11], [12], [10, 11], [10]])
    assert window.ids.tolist() == [CLS, 10, 11, SEP, 12, SEP, 9, 10, 11, SEP, 10, SEP]
    assert window.owners.tolist() == [-1, 0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 3]
    alone = marking.windows([[10, 11], [10, 11]], context=False)
    assert all(9 not in window.ids for window in alone)


def test_a_longer_part_of_an_earlier_paragraph_is_a_repeat_too() -> None:
    words = list(range(20, 40))
    assert repeated([words, words[3:11], words[3:10], words, [*words, 50], []]) == [
        *(False, True, False, True, False, False)
    ]
    # Not where two paragraphs meet, nor where bytes of two tokens look like another.
    assert repeated([words[:4], words[4:8], words[:8]]) == [False] * 3
    assert repeated([[256] * 9, [1] * 9]) == [False] * 2


def test_a_cut_page_is_cut_between_paragraphs_where_one_fits() -> None:
    windows = layout(34).windows([[10] * 15, [11] * 15, [12] * 10, [13] * 10])
    owners = [set(window.owners[window.owners >= 0].tolist()) for window in windows]
    assert owners == [{0}, {1}, {2, 3}]


def test_at_a_cut_neighbours_are_still_seen() -> None:
    windows = layout(34).windows([[10] * 15, [11] * 15, [12] * 15])
    assert 11 in windows[0].ids
    assert 10 in windows[1].ids


def test_a_page_without_paragraphs_has_no_window() -> None:
    assert layout(16).windows([]) == []
    assert pool([], [], 0).shape == (0, 0)


@given(lengths=st.lists(st.integers(1, 40), max_size=30), budget=st.integers(1, 100))
@settings(max_examples=60, deadline=None)
def test_batches_hold_every_window_once_within_the_budget(lengths: list[int], budget: int) -> None:
    windows = [Window(np.zeros(n, np.int64), np.zeros(n, np.int64)) for n in lengths]
    batches = cut_batches(windows, budget)
    assert sorted(position for batch in batches for position in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[position] for position in batch)
        assert len(batch) == 1 or len(batch) * longest <= budget


def test_a_batch_is_padded_to_its_longest_window() -> None:
    windows = layout(16).windows([[10, 11], [12]], context=False)
    ids, mask = layout(16).batch(windows)
    assert ids.tolist() == [[CLS, 10, 11, SEP], [CLS, 12, SEP, PAD]]
    assert mask.tolist() == [[1, 1, 1, 1], [1, 1, 1, 0]]


def test_a_paragraphs_logits_are_the_mean_over_its_tokens() -> None:
    windows = layout(16).windows([[10, 11], [12]])
    logits = np.arange(12, dtype=np.float32).reshape(6, 2)
    pooled = pool(windows, [tally(windows[0], logits)], 2)
    assert pooled.tolist() == [[4.0, 5.0], [9.0, 10.0]]


def test_a_paragraph_over_several_windows_is_merged_by_the_same_mean() -> None:
    long = layout(10).windows([list(range(10, 40))])
    whole = layout(64).windows([list(range(10, 40))])

    def votes(windows: list[Window]) -> list[Votes]:
        return [tally(w, np.stack([w.ids, w.ids**2], axis=1).astype(np.float32)) for w in windows]

    assert len(long) > 1
    assert np.allclose(pool(long, votes(long), 1), pool(whole, votes(whole), 1))


def test_windows_of_the_same_tokens_and_votes_have_the_same_key() -> None:
    ids = [CLS, 5, SEP, 6, SEP]

    def key(*owners: int) -> bytes:
        return Window(np.array(ids), np.array(owners)).key()

    assert key(-1, 0, 0, 1, 1) == key(-1, 7, 7, 8, 8)
    others = {
        key(-1, 0, 0, 1, 1),
        key(-1, 0, 0, 0, 0),
        key(-1, 0, 0, -1, -1),
        key(-1, -1, -1, 0, 0),
    }
    assert len(others) == 4
    ids[1] = 6
    assert key(-1, 0, 0, 1, 1) not in others


def test_a_paragraph_nobody_votes_for_is_an_error() -> None:
    window = Window(np.array([CLS, 5]), np.array([-1, 0]))
    with pytest.raises(ValueError, match=r"without a token: \[1\]"):
        pool([window], [tally(window, np.zeros((2, 2), np.float32))], 2)
