"""Where results go: the format that is meant, and a file that appears only when it is whole.

This module does not know what is written (see `writers`).
"""

import errno
import glob
import gzip
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from faqra.usage import UsageError
from faqra_data.errors import OutputError
from faqra_data.remote import is_url

_FORMAT_OF_ENDING = {".jsonl": "jsonl", ".csv": "csv", ".parquet": "parquet", ".html": "html"}
# What writing can meet and reading cannot; reading tells of its own failures.
_WRITE_FAILURES = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO))
# The last characters of the final name: the part's name may have no more than 255 bytes either.
_NAME_IN_PART = 50


def local_output(name: str) -> Path:
    """The file that is meant by `name`; UsageError where it is a URL."""
    if is_url(name):  # as a path it would lose a slash, and be the file of another folder
        raise UsageError(
            f"-o {name}: outputs are local files; write one and copy it there afterwards"
        )
    return Path(name)


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
    rejections = Path(os.path.realpath(rejections_beside(output)))
    for name in inputs:
        path = Path(os.path.realpath(name))
        if target == path:
            raise UsageError(f"-o {output}: is an input too; name another file")
        if rejections == path:
            raise UsageError(f"-o {output}: would overwrite the input {name}; name another file")
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


def rejections_beside(output: Path) -> Path:
    """Where what is left out of `output` is kept."""
    return Path(f"{output}.rejected.jsonl")


def journal_beside(output: Path) -> Path:
    """Where the answers of a run into `output` are kept until it is whole."""
    return output.with_name(f".{output.name[-_NAME_IN_PART:]}.journal")


def is_file_to_be(output: Path) -> bool:
    """Whether `output` is a file or will be one, and no device, pipe or folder."""
    return output.is_file() or not output.exists()


def part_of(path: Path) -> Path:
    """Where a file is written until it is whole: hidden beside it, so that it can be renamed."""
    return path.with_name(f".{path.name[-_NAME_IN_PART:]}.{os.getpid()}.part")


@contextmanager
def open_output(path: Path | None) -> Iterator[BinaryIO]:
    """A stream for results: stdout for None, else a file that is whole or is not there.

    The file is written beside its final name and takes the name when the block ends well; until
    then what stood there stays. A device or pipe is written directly. A name that ends in .gz
    is compressed.
    """
    if path is None:
        if sys.stdout is None:
            raise UsageError("standard output is closed; name a file with -o")
        with _telling_where("standard output"):
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        return
    target = Path(os.path.realpath(path))
    try:
        mode = _mode(target)
        if stat.S_ISDIR(mode):
            raise UsageError(f"-o {path}: is a folder; expected a file name")
        special = not stat.S_ISREG(mode)
        written = target if special else part_of(target)
        drop_orphans(target)
        stream = written.open("wb")
    except OSError as error:
        raise UsageError(f"-o {path}: cannot be written: {error.strerror}") from error
    try:
        with _telling_where(f"-o {path}"), stream:
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


def drop_orphans(target: Path) -> None:
    """Delete the parts that killed processes left; those of others at work stay."""
    before, after = f".{target.name[-_NAME_IN_PART:]}.", ".part"
    for part in target.parent.glob(f"{glob.escape(before)}*{after}"):
        process = part.name.removeprefix(before).removesuffix(after)
        if process.isdigit() and not Path(f"/proc/{process}").exists() and Path("/proc").exists():
            part.unlink(missing_ok=True)


def _mode(path: Path) -> int:
    """What stands at `path`; a file where nothing does yet."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return stat.S_IFREG


@contextmanager
def _telling_where(name: str) -> Iterator[None]:
    """A failure to write gets the name of what was written, which the system does not tell."""
    try:
        yield
    except OSError as error:
        if error.errno not in _WRITE_FAILURES:
            raise
        raise OutputError(f"{name}: cannot be written: {error.strerror}") from error
