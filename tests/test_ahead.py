"""Reading ahead: in order, so far and no further, errors in their place, and no hanging."""

import time
from collections.abc import Iterator
from itertools import count

import pytest

from faqra_serving.ahead import read_ahead


def noting(numbers: "Iterator[int]", read: list[int]) -> Iterator[int]:
    for number in numbers:
        read.append(number)
        yield number


def settled(read: list[int]) -> int:
    """How many were read when no more are."""
    before = -1
    while before != len(read):
        before = len(read)
        time.sleep(0.05)
    return before


def test_items_come_in_order() -> None:
    with read_ahead(range(1000), lambda _: 1, 10) as stream:
        assert list(stream) == list(range(1000))


def test_no_more_is_read_than_may_wait() -> None:
    read: list[int] = []
    with read_ahead(noting(count(), read), lambda number: 5, 20) as stream:
        assert settled(read) == 5  # four wait, the fifth has no room
        next(stream)
        assert settled(read) == 6
    assert settled(read) <= 7


def test_an_item_larger_than_all_room_is_read_too() -> None:
    with read_ahead([1, 2, 3], lambda _: 1000, 10) as stream:
        assert list(stream) == [1, 2, 3]


def test_an_error_comes_after_the_items_before_it() -> None:
    def source() -> Iterator[int]:
        yield 1
        yield 2
        raise OSError("gone")

    taken: list[int] = []
    with read_ahead(source(), lambda _: 1, 10) as stream, pytest.raises(OSError, match="gone"):
        taken.extend(stream)
    assert taken == [1, 2]


def test_whoever_leaves_waits_for_nobody() -> None:
    def source() -> Iterator[int]:
        yield 1
        time.sleep(30)

    began = time.monotonic()
    with read_ahead(source(), lambda _: 1, 10) as stream:
        next(stream)
    assert time.monotonic() - began < 10
