"""Answers kept on disk while a run goes on, so that a run which was killed need not ask again.

One file that only grows: a line that says which run it belongs to, then a record a block of
articles, each checked by its own sum, so that a record that was being written at the kill is
noticed and written anew. A resumed run reads its inputs again and takes the answers of the
first blocks from here. This module knows neither models nor outputs.
"""

import json
import os
import struct
import zlib
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from faqra_data.article import Article
from faqra_data.errors import InputError, OutputError

Answers = list[NDArray[np.float64]]

# A run shorter than this is sooner done again than kept.
_WORTH_KEEPING = 2_000  # paragraphs
_HEAD = struct.Struct("<16sIQI")  # key, articles, bytes that follow, their sum
_COUNT, _PROBABILITY = np.dtype("<u4"), np.dtype("<f8")


class Journal:
    """The blocks' answers in order: first those of an earlier run, then those of this one.

    `done` counts the paragraphs that an earlier run has answered. The file appears when there is
    something worth keeping, stays when the block ends with an error, and goes when it ends well.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._labels = 0
        self._first = b""
        self._earlier: list[tuple[bytes, int, int]] = []  # key, place of the record, articles
        self._next = 0
        self._unwritten: list[bytes] = []
        self._paragraphs = 0
        self._file: BinaryIO | None = None
        self.done = 0

    def begin(self, run: Mapping[str, object], labels: int) -> None:
        """Look what there is; `run` says what answers depend on beside the inputs.

        Raises InputError where the file belongs to another run.
        """
        self._labels = labels
        self._first = json.dumps(run, sort_keys=True).encode() + b"\n"
        if self._path.exists():
            self._open()

    @property
    def waiting(self) -> int:
        """How many articles the next block of the earlier run has; 0 where there is none."""
        return 0 if self._next == len(self._earlier) else self._earlier[self._next][2]

    def recall(self, key: bytes) -> Answers | None:
        """The answers for the next block, None where no earlier run has come so far.

        Raises InputError where the earlier run's block was another one.
        """
        if self._next == len(self._earlier):
            return None
        own, place, articles = self._earlier[self._next]
        if own != key:
            raise self._changed()
        self._next += 1
        assert self._file is not None
        self._file.seek(place)
        counts = np.frombuffer(self._file.read(articles * _COUNT.itemsize), _COUNT)
        size = int(counts.sum()) * self._labels * _PROBABILITY.itemsize
        rows = np.frombuffer(self._file.read(size), _PROBABILITY).reshape(-1, self._labels)
        return np.split(rows, np.cumsum(counts)[:-1])

    def note(self, key: bytes, answers: Answers) -> None:
        """Keep the answers of a block; on disk when this returns, once there are enough."""
        counts = np.array([len(each) for each in answers], _COUNT)
        body = counts.tobytes() + b"".join(each.astype(_PROBABILITY).tobytes() for each in answers)
        self._unwritten.append(_HEAD.pack(key, len(answers), len(body), zlib.crc32(body)) + body)
        self._paragraphs += int(counts.sum())
        if self._file is not None or self._paragraphs >= _WORTH_KEEPING:
            self._write()

    def end(self) -> None:
        """There are no more blocks; InputError where an earlier run had more."""
        if self._next < len(self._earlier):
            raise self._changed()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()
            if kind is None:
                self._path.unlink()

    def _changed(self) -> InputError:
        return InputError(
            f"the inputs are not what they were when the run began that {self._path} is of: "
            "put them back, or delete it to start anew"
        )

    def _open(self) -> None:
        self._file = self._path.open("r+b")
        if self._file.readline() != self._first:
            self._file.close()
            raise InputError(
                f"{self._path}: is of a run with another model or in another way; give what that "
                "run was given, or delete it to start anew"
            )
        end = self._file.tell()
        while len(head := self._file.read(_HEAD.size)) == _HEAD.size:
            key, articles, size, checksum = _HEAD.unpack(head)
            body = self._file.read(size)
            if len(body) < size or zlib.crc32(body) != checksum:
                break
            self._earlier.append((key, end + _HEAD.size, articles))
            counts = np.frombuffer(body[: articles * _COUNT.itemsize], _COUNT)
            self.done += int(counts.sum())
            end += _HEAD.size + size
        self._file.truncate(end)

    def _write(self) -> None:
        try:
            if self._file is None:
                self._file = self._path.open("x+b")
                self._file.write(self._first)
            self._file.seek(0, os.SEEK_END)
            self._file.writelines(self._unwritten)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise OutputError(f"{self._path}: cannot be written: {error.strerror}") from error
        self._unwritten = []


def key_of(articles: Iterable[Article]) -> bytes:
    """A digest of what is read of some articles, and of what they are called."""
    digest = blake2b(digest_size=16)
    for article in articles:
        texts = [article.id, article.title, *(paragraph.text for paragraph in article.paragraphs)]
        for text in (str(len(texts)), *texts):
            raw = text.encode("utf-8", "surrogatepass")
            digest.update(len(raw).to_bytes(8, "little"))
            digest.update(raw)
    return digest.digest()
