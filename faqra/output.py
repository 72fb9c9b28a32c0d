"""Where results go: the format that is meant, and a file that appears only when it is whole.

This module does not know what is written (see `writers`).
"""

import gzip
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from faqra.usage import UsageError

_FORMAT_OF_ENDING = {".jsonl": "jsonl", ".csv": "csv", ".parquet": "parquet", ".html": "html"}


def choose_format(wanted: str | None, output: Path | None, *, terminal: bool) -> str:
    """The format asked for, else that of the file's ending, else what suits stdout.

    Raises UsageError where the ending says nothing or the format cannot go there.
    """
    if output is None:
        chosen = wanted or ("table" if terminal else "jsonl")
        if chosen == "parquet":
            raise UsageError("--to parquet needs a file, not a stream: add -o FILE.parquet")
        return chosen
    ending = Path(output.name.removesuffix(".gz")).suffix.lower()
    chosen = wanted or _FORMAT_OF_ENDING.get(ending, "")
    if not chosen:
        raise UsageError(
            f"-o {output}: no format is known by this ending; expected one of "
            f"{', '.join(_FORMAT_OF_ENDING)} (or one with .gz), or say it with --to"
        )
    if chosen == "parquet" and output.suffix == ".gz":
        raise UsageError(f"-o {output}: Parquet is compressed inside; leave out .gz")
    return chosen


def refuse_overlap(output: Path, inputs: Sequence[str]) -> None:
    """Raise UsageError where `output` is, or would be next time, among `inputs`."""
    target = Path(os.path.realpath(output))
    for name in inputs:
        path = Path(os.path.realpath(name))
        if target == path:
            raise UsageError(f"-o {output}: is an input too; name another file")
        # os.path, as Path raises for a name that is too long to be one.
        if os.path.isdir(path) and target.is_relative_to(path):  # noqa: PTH112
            raise UsageError(
                f"-o {output}: lies in the input folder {name} and would be read as an input "
                "the next time; name a file outside of it"
            )
        # A glob that the shell left to us; "**" counts as one folder here.
        is_pattern = name != "-" and not os.path.exists(path)  # noqa: PTH110
        if is_pattern and target.match(str(path)):
            raise UsageError(f"-o {output}: matches the input {name}; name another file")


@contextmanager
def open_output(path: Path | None) -> Iterator[BinaryIO]:
    """A stream for results: stdout for None, else a file that is whole or is not there.

    The file is written beside its final name and takes the name when the block ends well; until
    then what stood there stays. A device or pipe is written directly. A name that ends in .gz
    is compressed.
    """
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise UsageError(f"-o {path}: is a folder; expected a file name")
    special = target.exists() and not target.is_file()
    written = target if special else target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        stream = written.open("wb")
    except OSError as error:
        raise UsageError(f"-o {path}: cannot be written: {error.strerror}") from error
    try:
        with stream:
            if path.suffix == ".gz":
                # No name and time inside: the same results give the same bytes.
                with gzip.GzipFile("", "wb", fileobj=stream, mtime=0) as packed:
                    yield cast("BinaryIO", packed)
            else:
                yield stream
        if not special:
            written.replace(target)
    finally:
        if not special:
            written.unlink(missing_ok=True)
