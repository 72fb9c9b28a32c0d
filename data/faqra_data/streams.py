"""The bytes of a file or pipe, unpacked where they are packed, a piece at a time.

What is packed shows in the first bytes; names lie, as browsers unpack what they save. This
module does not know what the bytes are.
"""

import io
import zlib
from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, Protocol

from faqra_data.errors import InputError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_GZIP = b"\x1f\x8b"
_ZSTD = (b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18")  # the latter is how pzstd begins
_PIECE_BYTES = 65_536
# Ten times the longest book. What is longer is many pages in one, a quotation mark that is never
# closed, or zeros that were packed well: it would fill the memory.
MOST_PAGE_BYTES = 2**25
TOO_LONG = f"expected a page of at most {MOST_PAGE_BYTES >> 20} MB, got more; give many one by one"
# What is unpacked at once: gzip makes at most a thousand times as much of it, and no more than
# this is lost before a broken place.
_PACKED_BYTES = 4096


class _Unpacker(Protocol):
    """One member of a gzip file or frame of a zstd file."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


def unpacked(file: BinaryIO) -> io.BufferedReader:
    """The bytes of `file`, unpacked; closing the result leaves `file` open.

    Reading raises InputError where `file` fails, is broken or ends too early; all that comes
    before that place is given first.
    """
    pieces = _pieces(file)
    first = next(pieces, b"")
    pieces = chain((first,), pieces)
    if first.startswith(_GZIP):
        pieces = _unpack(pieces, "gzip", _gzip_member, zlib.error)
    elif first.startswith(_ZSTD):
        from zstandard import ZstdDecompressor, ZstdError  # noqa: PLC0415 - few inputs need it

        # The largest window there is: the big public dumps are packed with --long=31.
        zstd = ZstdDecompressor(max_window_size=2**31)
        pieces = _unpack(pieces, "zstd", zstd.decompressobj, ZstdError)
    return io.BufferedReader(_Pieces(pieces), _PIECE_BYTES)


def read_whole(stream: io.BufferedReader) -> bytes:
    """What is left of `stream`; InputError where that is more than any page."""
    raw = stream.read(MOST_PAGE_BYTES + 1)
    if len(raw) > MOST_PAGE_BYTES:
        raise InputError(TOO_LONG)
    return raw


def _gzip_member() -> _Unpacker:
    return zlib.decompressobj(16 + zlib.MAX_WBITS)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    try:
        while piece := file.read(_PIECE_BYTES):
            yield piece
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}") from error


def _unpack(
    pieces: Iterator[bytes],
    name: str,
    make: Callable[[], _Unpacker],
    failure: type[Exception],
) -> Iterator[bytes]:
    """What is in all members, one after the other."""
    member: _Unpacker | None = None
    for piece in _cut(pieces):
        data = piece
        # Behind the end of a member stands the next one, or padding of zeros.
        while data := data if member else data.lstrip(b"\0"):
            member = member or make()
            try:
                plain = member.decompress(data)
            except failure as error:
                raise InputError(f"broken {name} data: {error}") from error
            yield plain
            data = b""
            if member.eof:
                data, member = member.unused_data, None
    if member is not None:
        raise InputError(f"the {name} data ends too early, like a download that was cut off")


def _cut(pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        for start in range(0, len(piece), _PACKED_BYTES):
            yield piece[start : start + _PACKED_BYTES]


class _Pieces(io.RawIOBase):
    """Pieces of bytes as a raw stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        target = memoryview(buffer)
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
