"""A source read in a thread of its own, some way ahead of whoever takes from it.

This module does not know what is read.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Condition, Thread
from typing import Generic, TypeVar

_Item = TypeVar("_Item")


@contextmanager
def read_ahead(
    source: Iterable[_Item], size: Callable[[_Item], int], most: int
) -> Iterator[Iterator[_Item]]:
    """The items of `source`, in order, which is read until `most` of their sizes wait.

    What `source` raises is raised after the items before it. When the block ends, no more is
    read than the item that is being read just then; nobody waits for that one.
    """
    ahead = _Ahead(source, size, most)
    try:
        yield ahead
    finally:
        ahead.leave()


class _Ahead(Generic[_Item], Iterator[_Item]):
    def __init__(self, source: Iterable[_Item], size: Callable[[_Item], int], most: int) -> None:
        self._source = source
        self._size = size
        self._most = most
        self._changed = Condition()
        self._items: deque[_Item] = deque()
        self._held = 0
        self._ended = False
        self._left = False
        self._error: BaseException | None = None
        # A daemon: a process may end although its standard input does not.
        Thread(target=self._read, name="faqra-reader", daemon=True).start()

    def __next__(self) -> _Item:
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._ended)
            if self._items:
                item = self._items.popleft()
                self._held -= self._size(item)
                self._changed.notify()
                return item
        if self._error is not None:
            raise self._error
        raise StopIteration

    def leave(self) -> None:
        """Take no more; the reader stops."""
        with self._changed:
            self._left = True
            self._changed.notify()

    def _read(self) -> None:
        try:
            for item in self._source:
                with self._changed:
                    self._changed.wait_for(lambda: self._held < self._most or self._left)
                    if self._left:
                        return
                    self._items.append(item)
                    self._held += self._size(item)
                    self._changed.notify()
        except BaseException as error:  # noqa: BLE001 - it is for whoever takes the items
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify()
