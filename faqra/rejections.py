"""Inputs that could not be read: each named on stderr, and kept in a file beside the output.

This module does not know why an input is rejected; the readers say so.
"""

import json
import os
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self

from faqra.voice import say

if TYPE_CHECKING:
    from faqra_data.readers import Rejected


class Rejections:
    """Counts and tells; its file exists after the work only where there was a rejection."""

    def __init__(self, output: Path | None) -> None:
        """`output` is the results' file, None where they go to stdout."""
        self.count = 0
        # A device (/dev/null) has no "beside".
        beside = output is not None and (output.is_file() or not output.exists())
        self._path = Path(f"{output}.rejected.jsonl") if beside else None
        self._stream: BinaryIO | None = None

    def add(self, rejected: "Rejected") -> None:
        """Tell of one input, or of one row of it, and why it was left out."""
        self.count += 1
        row = "" if rejected.row is None else f", row {rejected.row}"
        say(f"left out {rejected.input}{row}: {rejected.reason}")
        if self._path is None:
            return
        if self._stream is None:
            self._stream = self._part.open("wb")
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
            self._part.replace(self._path)
        elif kind is None:
            self._path.unlink(missing_ok=True)  # of an earlier run into the same output
        else:
            self._part.unlink(missing_ok=True)

    @property
    def _part(self) -> Path:
        assert self._path is not None
        return self._path.with_name(f".{self._path.name}.{os.getpid()}.part")
