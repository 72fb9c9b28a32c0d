"""The pages of a web archive: HTML that a server gave with status 200.

Requests, metadata, pictures and redirects are no pages and are passed over; what is broken is
said, and reading goes on with the next record. Only this module knows WARC and `warcio`.
"""

import io
import re
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from faqra_data.article import Article, Rejected
from faqra_data.charset import decode_page
from faqra_data.errors import InputError
from faqra_data.pages import article_of_html
from faqra_data.streams import MOST_PAGE_BYTES, TOO_LONG, read_whole, unpacked

if TYPE_CHECKING:
    from warcio.limitreader import LimitReader
    from warcio.statusandheaders import StatusAndHeaders

_START = b"WARC/"
_HTML_TYPES = ("text/html", "application/xhtml+xml")
_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_PIECE_BYTES = 65_536


def read_warc(stream: io.BufferedReader, name: str) -> Iterator[Article | Rejected]:
    """The pages of an unpacked archive in its order; the id of an article is its URL.

    Rejections call the archive `name` and count its records from 1. Raises InputError where the
    stream breaks off.
    """
    number = 0
    some = False
    line = _skip_blank_lines(stream)
    while line:
        number += 1
        page, problem, failure = None, "", None
        try:
            page = _read_record(stream, line)
        except InputError as error:
            problem = str(error)
        try:
            line = stream.readline()
            if not line.strip():
                line = _skip_blank_lines(stream)
            elif not line.startswith(_START):
                problem = problem or "its Content-Length is wrong: more follows where it should end"
                line = _skip_to_record(stream)
        except InputError as error:
            line, failure = b"", error
        if problem or page is not None:
            some = True
            yield page if page is not None and not problem else Rejected(name, number, problem)
        if failure is not None:
            raise failure
    if number and not some:
        yield Rejected(name, None, f"expected pages of HTML, got {number:,} records without any")


def _skip_blank_lines(stream: io.BufferedReader) -> bytes:
    """The next line that holds anything; empty at the end."""
    return next((line for line in stream if line.strip()), b"")


def _skip_to_record(stream: io.BufferedReader) -> bytes:
    return next((line for line in stream if line.startswith(_START)), b"")


def _read_record(stream: io.BufferedReader, line: bytes) -> Article | None:
    """The page of the record that begins with `line`, None where it is no page.

    The stream then stands behind the record. Raises InputError where the record is broken.
    """
    from warcio.limitreader import LimitReader  # noqa: PLC0415 - few inputs are archives
    from warcio.statusandheaders import StatusAndHeadersParser  # noqa: PLC0415

    if not line.startswith(_START):
        raise InputError(f"expected a WARC record, got {line[:40]!r}")
    head = StatusAndHeadersParser([], verify=False).parse(stream, line)
    length = head.get_header("Content-Length", "")
    if not re.fullmatch(r"\d{1,15}", length.strip(), re.ASCII):
        raise InputError(f"expected a Content-Length in bytes, got {length!r}")
    block = LimitReader(stream, int(length))
    try:
        page = _page_of(head, block)
    finally:
        while block.read(_PIECE_BYTES):
            pass
    if block.limit:
        raise InputError(f"ends too early: {block.limit:,} of {int(length):,} bytes are missing")
    return page


def _page_of(head: "StatusAndHeaders", block: "LimitReader") -> Article | None:
    from warcio.statusandheaders import StatusAndHeadersParser  # noqa: PLC0415 - as above

    if head.get_header("WARC-Type") != "response":
        return None
    url = head.get_header("WARC-Target-URI", "").strip("<> ")
    if not url.lower().startswith(("http:", "https:")):
        if url:
            return None
        raise InputError("expected a WARC-Target-URI, got none")
    try:
        http = StatusAndHeadersParser([], verify=False).parse(block)
    except EOFError as error:
        raise InputError(f"{url}: expected an HTTP response, got nothing") from error
    kind = http.get_header("Content-Type", "")
    media_type = kind.partition(";")[0].strip().lower()
    if http.get_statuscode() != "200" or (media_type and media_type not in _HTML_TYPES):
        return None
    try:
        raw = _payload(http, block)
        if not media_type and not raw.lstrip().startswith(b"<"):
            return None
        charset = _CHARSET.search(kind)
        html = decode_page(raw, declared=charset[1] if charset else None)
        return article_of_html(html, url, url=url, date=head.get_header("WARC-Date", ""))
    except InputError as error:
        raise InputError(f"{url}: {error}") from error


def _payload(http: "StatusAndHeaders", block: "LimitReader") -> bytes:
    """The bytes of the page, no longer chunked or packed, as some archives keep them."""
    # By pieces: a wrong length would have all of it allocated at once.
    raw = bytearray()
    while piece := block.read(_PIECE_BYTES):
        raw += piece
        if len(raw) > MOST_PAGE_BYTES:
            raise InputError(TOO_LONG)
    return _plain(http, bytes(raw))


def _plain(http: "StatusAndHeaders", raw: bytes) -> bytes:
    from warcio.bufferedreaders import ChunkedDataReader  # noqa: PLC0415 - as above

    if http.get_header("Transfer-Encoding", "").lower() == "chunked":
        raw = ChunkedDataReader(io.BytesIO(raw)).read()
    encoding = http.get_header("Content-Encoding", "").strip().lower()
    if encoding == "deflate":
        return _inflated(raw)
    plain = read_whole(unpacked(io.BytesIO(raw)))
    known = ("", "identity", "gzip", "x-gzip", "zstd")
    # Archives that unpack a page often leave its header as it was.
    if encoding not in known and not plain.lstrip().startswith(b"<"):
        raise InputError(f"expected gzip, deflate or zstd, got Content-Encoding {encoding!r}")
    return plain


def _inflated(raw: bytes) -> bytes:
    """Deflate with or without its zlib header; servers send both, and archives plain text."""
    for window in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
        packed = zlib.decompressobj(window)
        try:
            plain = packed.decompress(raw, MOST_PAGE_BYTES + 1)
        except zlib.error:
            continue
        if len(plain) > MOST_PAGE_BYTES:
            raise InputError(TOO_LONG)
        if packed.eof:
            return plain
    return raw
