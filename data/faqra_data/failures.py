"""What goes wrong in the libraries that reach files elsewhere, as one line for a reader.

This module does not know how the files are reached (see `remote`).
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from faqra_data.errors import InputError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


@contextmanager
def in_one_line(url: str) -> Iterator[None]:
    """All failures as InputErrors: each library has exceptions of its own."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise InputError(_reason(error, url)) from error


class Reader(io.RawIOBase):
    """An open file of a library; what fails while it is read is an InputError."""

    def __init__(self, file: BinaryIO, url: str, *, seekable: bool) -> None:
        self._file = file
        self._url = url
        self._seekable = seekable

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Whether it can be read in any order."""
        return self._seekable

    def tell(self) -> int:
        """The place in bytes."""
        return self._file.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to another place."""
        return self._file.seek(offset, whence)

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill some of the buffer; 0 at the end."""
        target = memoryview(buffer)
        with in_one_line(self._url):
            piece = self._file.read(len(target))
        target[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        """Let go of the connection."""
        if not self.closed:
            with in_one_line(self._url):
                self._file.close()
        super().close()


def _reason(error: Exception, url: str) -> str:
    cause = error.__cause__
    missing = cause if isinstance(cause, ModuleNotFoundError) else error
    if isinstance(missing, ModuleNotFoundError) and missing.name:
        package = missing.name.partition(".")[0]
        wanted = "'faqra[remote]'" if package == "fsspec" else package
        return f"needs the package {package}: pip install {wanted}"
    said = " ".join(str(error).split())
    if said.strip("/") in url:  # the name alone, or nothing
        said = ""
    if not isinstance(error, FileNotFoundError):
        return f"cannot be read: {said or type(error).__name__}"
    # On the web fsspec calls every failure "not found", and has the true one as its cause.
    if (
        url.startswith(("http://", "https://"))
        and cause is not None
        and getattr(cause, "status", None) != 404
    ):
        return f"cannot be read: {' '.join(str(cause).split()) or type(cause).__name__}"
    wanted = "no file matches" if "*" in url else "no such file or folder"
    return f"{wanted}: {said}" if said and error.strerror is None else wanted
