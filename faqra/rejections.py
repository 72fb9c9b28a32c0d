"""Inputs that could not be read: each named on stderr, and kept in a file beside the output.

This module does not know why an input is rejected; the readers say so.
"""

import json
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self

from faqra.output import drop_orphans, part_of, rejections_beside
from faqra.usage import UsageError
from faqra.voice import say

if TYPE_CHECKING:
    from faqra_data.readers import Rejected


class Rejections:
    """Counts and tells; its file exists after the work only where there was a rejection."""

    def __init__(self, output: Path | None) -> None:
        """`output` is the results' file, None where they go to stdout.

        Raises UsageError where nothing can be kept beside it: not when all work is done.
        """
        self.count = 0
        # A device (/dev/null) has no "beside".
        beside = output is not None and (output.is_file() or not output.exists())
        self._path = rejections_beside(output) if output is not None and beside else None
        self._check(output)
        if self._path is not None:
            drop_orphans(self._path)
        self._stream: BinaryIO | None = None

    def add(self, rejected: "Rejected") -> None:
        """Tell of one input, or of one row of it, and why it was left out."""
        self.count += 1
        row = "" if rejected.row is None else f", row {rejected.row}"
        say(f"left out {rejected.input}{row}: {rejected.reason}")
        if self._path is None:
            return
        if self._stream is None:
            self._stream = part_of(self._path).open("wb")
        record = {"input": rejected.input, "row": rejected.row, "reason": rejected.reason}
        line = json.dumps(record, ensure_ascii=False)
        self._stream.write(line.encode("utf-8", "backslashreplace") + b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._path is None:
            return
        if self._stream is not None:
            self._stream.close()
        if kind is None and self._stream is not None:
            part_of(self._path).replace(self._path)
        elif kind is None:
            self._path.unlink(missing_ok=True)  # of an earlier run into the same output
        else:
            part_of(self._path).unlink(missing_ok=True)

    def _check(self, output: Path | None) -> None:
        try:
            is_folder = self._path is not None and self._path.is_dir()
        except OSError as error:
            raise UsageError(
                f"-o {output}: {self._path} must be possible beside it: {error.strerror}"
            ) from error
        if is_folder:
            raise UsageError(f"-o {output}: {self._path} is a folder; expected none of this name")
