"""Files elsewhere, by URL: which there are, how large they are, and their bytes.

Only this module knows `fsspec`, and imports it when the first URL comes; it does not know what
the files hold.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from glob import has_magic
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import urlsplit

from faqra_data.article import Rejected
from faqra_data.errors import InputError
from faqra_data.failures import Reader, in_one_line

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

# What a name means must not hang on what lies in the folder where the command runs, so a URL is
# one even where a local path of this form exists; `./s3://...` is that path. What stands before
# `::` is how fsspec chains filesystems; of two letters at least, as `C:` is a drive.
_URL = re.compile(r"(?:[a-z][\w+.-]+::)*[a-z][\w+.-]+://", re.IGNORECASE)
_WEB = ("http://", "https://")
# The columns of Parquet are read in turn, and each turn asks for a new piece: fsspec's own, of up
# to 50 MB, would be fetched again and again. A multiple of what `streams` reads at once.
_PIECE_BYTES = 1 << 21
_SILENCE_S = 60


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file by its URL.

    `name` is its own, without folders; `size` is None where nobody tells. A file is `listed` where
    its folder was named and not the file itself, nor a pattern that it matches.
    """

    url: str
    name: str
    size: int | None
    listed: bool


def is_url(name: str) -> bool:
    """Whether a name is a URL and no local path."""
    return _URL.match(name) is not None


def find_urls(url: str) -> Iterator[RemoteFile | Rejected]:
    """The files of one URL in the order of local ones; a pattern is one where no file is so named.

    On the web everything is a page, whose links are followed only where a pattern with `*` asks
    for them.
    """
    try:
        with in_one_line(url):
            files, path = _place(url)
            matches = _matches(files, path, url)
    except InputError as error:
        yield Rejected(url, None, str(error))
        return
    before, behind, root = _frame(url, path)
    waiting = [(match, False) for match in reversed(matches)]
    while waiting:
        found, listed = waiting.pop()
        place = found["name"]
        inner = place.removeprefix(root).lstrip("/")
        name = url if place == path else f"{before}{inner}{behind}"
        if found["type"] != "directory":
            # Behind a page's name there may be a query.
            own = urlsplit(place).path if url.startswith(_WEB) else place
            yield RemoteFile(name, own.rpartition("/")[2], found.get("size"), listed)
        # "**" matches the files of its folders too.
        elif listed or not ("**" in url or url.startswith(_WEB)):
            try:
                with in_one_line(name):
                    inside = _inside(files, place)
            except InputError as error:
                yield Rejected(name, None, str(error))
            else:
                waiting += [(one, True) for one in reversed(inside)]


def open_url(url: str) -> BinaryIO:
    """The bytes of one file; InputError where they cannot be had, now or while they are read."""
    with in_one_line(url):
        files, path = _place(url)
        if url.startswith(_WEB):
            return _open_page(files, url)
        file = files.open(path, "rb", block_size=_PIECE_BYTES)
        return cast("BinaryIO", Reader(file, url, seekable=file.seekable()))


def _open_page(files: "AbstractFileSystem", url: str) -> BinaryIO:
    size = files.info(url)["size"]
    if size is not None and size <= _PIECE_BYTES:
        # Whole, as a page that is made anew each time may have another length by now.
        return io.BytesIO(files.cat_file(url))
    if size is not None:
        parts = files.open(url, "rb", block_size=_PIECE_BYTES, size=size)
        try:
            parts.seek(size - 1)
            parts.read(1)
            parts.seek(0)
        except ValueError:  # so fsspec says that this server gives files only from their beginning
            parts.close()
        else:
            return cast("BinaryIO", Reader(parts, url, seekable=True))
    whole = files.open(url, "rb", block_size=0)
    return cast("BinaryIO", Reader(whole, url, seekable=False))


def _place(url: str) -> "tuple[AbstractFileSystem, str]":
    """The filesystem and the path there."""
    from fsspec.core import url_to_fs  # noqa: PLC0415 - a tenth of a second, and may be missing
    from fsspec.registry import known_implementations, registry  # noqa: PLC0415

    protocol = re.split("::|://", url, maxsplit=1)[0]
    if protocol not in known_implementations and protocol not in registry:
        raise InputError(
            f"unknown protocol {protocol!r}; expected one of fsspec's, as s3, gs, hf or https"
        )
    files, path = url_to_fs(url)
    if url.startswith(_WEB):
        import aiohttp  # noqa: PLC0415 - is there, as `files` needs it

        # Five minutes for a whole file are the default, and a slow model may need hours.
        patience = aiohttp.ClientTimeout(sock_connect=_SILENCE_S, sock_read=_SILENCE_S)
        files.client_kwargs.setdefault("timeout", patience)
    return files, path


def _matches(files: "AbstractFileSystem", path: str, url: str) -> list[dict[str, Any]]:
    """What a path names or matches, as fsspec describes it; FileNotFoundError where nothing."""
    try:
        info = files.info(path)
    except FileNotFoundError:
        is_pattern = "*" in url if url.startswith(_WEB) else has_magic(url)
        matches = files.glob(path, detail=True) if is_pattern else {}
        if not matches:
            raise
        return sorted(matches.values(), key=lambda match: match["name"])
    # The web keeps the slash at the end of a name, all others take it away.
    is_folder = url.endswith("/") and not path.endswith("/")
    return [{**info, "name": path, "type": "directory" if is_folder else info["type"]}]


def _inside(files: "AbstractFileSystem", folder: str) -> list[dict[str, Any]]:
    # Not `files.find`, which passes over folders that may not be read.
    found = files.ls(folder, detail=True)
    # Object stores mark a folder with an empty object of its name.
    inside = [one for one in found if one["name"].strip("/") != folder.strip("/")]
    return sorted(inside, key=lambda one: one["name"].rstrip("/"))


def _frame(url: str, path: str) -> tuple[str, str, str]:
    """What stands before and behind paths in URLs, and before them in the filesystem.

    `path` is the filesystem's for `url`: it has no host there, nor what it is chained to.
    """
    scheme, _, rest = url.partition("://")
    link, chain, others = rest.partition("::")
    first, path = f"{scheme}://{link.rstrip('/')}", path.rstrip("/")
    shared = path.lstrip("/")
    while shared and not first.endswith(f"/{shared}"):
        shared = shared.partition("/")[2].lstrip("/")
    before = first.removesuffix(shared)
    before = before if before.endswith("/") else f"{before}/"
    return before, chain + others, path.removesuffix(shared)
