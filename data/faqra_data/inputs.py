"""Which files an input names: a file itself, all of a folder, or what a pattern matches.

This module knows how a file is opened, and not what is in it.
"""

import glob
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from faqra_data.article import Rejected
from faqra_data.forms import ENDINGS, Form, form_by_ending
from faqra_data.remote import find_urls, is_url, open_url


@dataclass(frozen=True, slots=True)
class Found:
    """A file by the name it was given or found under.

    `form` is None where its ending says none, `size` where it is not known.
    """

    name: str
    form: Form | None
    size: int | None

    def open(self) -> BinaryIO:
        """Its bytes; OSError or InputError where they cannot be read."""
        return open_url(self.name) if is_url(self.name) else Path(self.name).open("rb")


def find_files(name: str) -> Iterator[Found | Rejected]:
    """The files of one input in sorted order; folders are walked, links in them followed.

    In a folder only files with a known ending count; a file that is named itself, or that a
    pattern matches, may have any.
    """
    if is_url(name):
        yield from _elsewhere(name)
        return
    try:
        status = Path(name).stat()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        yield from _matches(name, error)
        return
    if stat.S_ISDIR(status.st_mode):
        yield from _folder(name)
    else:
        yield Found(name, form_by_ending(name), status.st_size)


def total_bytes(inputs: Iterable[str]) -> int | None:
    """The size of all files that the inputs name, None where that of one is not known.

    What is not there counts nothing.
    """
    total = 0
    for found in (item for name in inputs for item in find_files(name)):
        if isinstance(found, Found):
            if found.size is None:
                return None
            total += found.size
    return total


def _size(name: str) -> int:
    """Bytes; 0 where the file is not there."""
    try:
        return Path(name).stat().st_size
    except OSError:
        return 0


def _elsewhere(url: str) -> Iterator[Found | Rejected]:
    some = False
    for file in find_urls(url):
        if isinstance(file, Rejected):
            found: Found | Rejected = file
        else:
            form = form_by_ending(file.name)
            if form is None and file.listed:
                continue
            found = Found(file.url, form, file.size)
        some = True
        yield found
    if not some:
        yield _nothing_in(url)


def _matches(pattern: str, error: Exception) -> Iterator[Found | Rejected]:
    """The files that a pattern matches; `error` is why no file has this name."""
    matches = sorted(glob.glob(pattern, recursive=True)) if glob.has_magic(pattern) else []
    for name in matches:
        if not Path(name).is_dir():
            yield Found(name, form_by_ending(name), _size(name))
        elif "**" not in pattern:  # which matches the files of its folders too
            yield from _folder(name)
    if matches:
        return
    if isinstance(error, FileNotFoundError):
        wanted = "no file matches" if glob.has_magic(pattern) else "no such file or folder"
        yield Rejected(pattern, None, wanted)
    else:
        yield _unreadable(pattern, error)


def _folder(name: str) -> Iterator[Found | Rejected]:
    some = False
    # An own stack, as folders nest deeper than Python recurses.
    waiting = [Path(name)]
    seen: set[tuple[int, int]] = set()
    while waiting:
        path = waiting.pop()
        form = form_by_ending(path.name)
        try:
            status = path.stat()
            if stat.S_ISDIR(status.st_mode):
                # A folder that is reached twice, as by a link to its parent, is read once.
                if (status.st_dev, status.st_ino) not in seen:
                    seen.add((status.st_dev, status.st_ino))
                    waiting += sorted(path.iterdir(), reverse=True)
                continue
        except OSError as error:
            if form is None and isinstance(error, FileNotFoundError):
                continue  # a link to nothing
            found: Found | Rejected = _unreadable(str(path), error)
        else:
            if form is None:
                continue
            if stat.S_ISREG(status.st_mode):
                found = Found(str(path), form, status.st_size)
            else:
                found = Rejected(str(path), None, "expected a file, got a pipe or device")
        some = True
        yield found
    if not some:
        yield _nothing_in(name)


def _nothing_in(folder: str) -> Rejected:
    return Rejected(folder, None, f"nothing to read in this folder; expected {ENDINGS}")


def _unreadable(name: str, error: Exception) -> Rejected:
    return Rejected(name, None, f"cannot be read: {getattr(error, 'strerror', None) or error}")
