"""Web archives: pages are found among the other records, and broken records are said."""

import gzip
import io
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from faqra_data.article import Article
from faqra_data.readers import Rejected, read_inputs
from faqra_data.streams import MOST_PAGE_BYTES, TOO_LONG

URL = "https://news.example/خبر"
PAGE = "<html><head><title>خبر</title></head><body><p>أعلنت الوزارة اليوم<p>وقال المتحدث نعم"
PARAGRAPHS = ["أعلنت الوزارة اليوم", "وقال المتحدث نعم"]


def record(
    body: bytes = PAGE.encode(),
    *,
    url: str = URL,
    status: str = "HTTP/1.1 200 OK",
    type_: str = "text/html; charset=utf-8",
    kind: str = "response",
    headers: tuple[str, ...] = (),
) -> bytes:
    """One record of an archive."""
    types = (f"Content-Type: {type_}",) if type_ else ()
    http = "\r\n".join((status, *types, *headers, "", "")).encode()
    block = http + body
    head = (
        "WARC/1.1",
        f"WARC-Type: {kind}",
        f"WARC-Target-URI: {url}",
        "WARC-Date: 2024-01-02T03:04:05Z",
        f"Content-Length: {len(block)}",
    )
    return "\r\n".join((*head, "", "")).encode() + block + b"\r\n\r\n"


def read(raw: bytes, tmp_path: Path) -> list[Article | Rejected]:
    (tmp_path / "crawl.warc").write_bytes(raw)
    return list(read_inputs([str(tmp_path / "crawl.warc")]))


def texts(item: Article | Rejected) -> list[str]:
    assert isinstance(item, Article), item
    return [paragraph.text for paragraph in item.paragraphs]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_pages_are_found_among_other_records(
    pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    records = [
        record(kind="metadata"),
        record(kind="request", status="GET / HTTP/1.1"),
        record(b"\x89PNG", type_="image/png"),
        record(),
        record(status="HTTP/1.1 404 Not Found"),
        record(url="dns:news.example"),
        record(b"{}", type_=""),
        record(url="<http://b.example/>", type_="Application/XHTML+xml"),
        record(url="http://c.example/", type_=""),
    ]
    raw = b"".join(map(pack, records))
    first, second, third = read(raw, tmp_path)
    assert texts(first) == texts(second) == texts(third) == PARAGRAPHS
    assert isinstance(first, Article)
    assert (first.id, first.url, first.title) == (URL, URL, "خبر")
    assert first.date == "2024-01-02T03:04:05Z"
    assert [item.id for item in (second, third) if isinstance(item, Article)] == [
        "http://b.example/",
        "http://c.example/",
    ]


@pytest.mark.parametrize("codec", ["windows-1256", "iso-8859-6", "utf-16-le", "utf-8"])
def test_the_charset_is_that_of_the_http_header(codec: str, tmp_path: Path) -> None:
    (page,) = read(record(PAGE.encode(codec), type_=f"text/html;charset='{codec}'"), tmp_path)
    assert texts(page) == PARAGRAPHS


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(PAGE.encode())),
        ("deflate", zlib.compress(PAGE.encode())),
        ("deflate", zlib.compress(PAGE.encode())[2:-4]),
        ("br", PAGE.encode()),  # unpacked by the archive, its header left as it was
        ("gzip", PAGE.encode()),
    ],
)
@pytest.mark.parametrize("chunked", [True, False])
def test_packed_and_chunked_pages_are_unpacked(
    encoding: str, body: bytes, chunked: bool, tmp_path: Path
) -> None:
    headers = [f"Content-Encoding: {encoding}"]
    if chunked:
        headers.append("Transfer-Encoding: chunked")
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    (page,) = read(record(body, headers=tuple(headers)), tmp_path)
    assert texts(page) == PARAGRAPHS


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (record(b"<p>"), f"{URL}: expected visible text, got none"),
        (record(b"%PDF-1.7"), f"{URL}: expected text or HTML, got a PDF"),
        (
            record(b"\x8b\x02\x80abc", headers=("Content-Encoding: br",)),
            f"{URL}: expected gzip, deflate or zstd, got Content-Encoding 'br'",
        ),
        (
            record(gzip.compress(PAGE.encode())[:-9], headers=("Content-Encoding: gzip",)),
            f"{URL}: the gzip data ends too early",
        ),
        (b"junk\r\nand more\r\n\r\n", "expected a WARC record, got b'junk"),
        (
            record().replace(b"Content-Length: ", b"Content-Length: x", 1),
            "expected a Content-Length in bytes, got 'x",
        ),
        (
            record().replace(b"Content-Length: ", b"Content-Length: 1", 1)[:-4] + b"x" * 80,
            "its Content-Length is wrong",
        ),
        (record(PAGE.encode() * 2)[:-30] + b"\r\n\r\n", "its Content-Length is wrong"),
        (record().replace(b"WARC-Target-URI", b"WARC-Other-Name"), "expected a WARC-Target-URI"),
    ],
)
def test_a_broken_record_is_said_and_the_next_one_read(
    broken: bytes, reason: str, tmp_path: Path
) -> None:
    first, said, *others = read(record() + broken + record() * 5, tmp_path)
    assert texts(first) == PARAGRAPHS
    assert isinstance(said, Rejected)
    assert said.row == 2
    assert said.reason.startswith(reason)
    assert len(others) >= 2
    assert all(texts(page) == PARAGRAPHS for page in others)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_what_comes_before_the_break_is_kept(
    pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    *pages, said = read(pack(record()) * 2 + pack(record())[:-60], tmp_path)
    assert [texts(page) for page in pages] == [PARAGRAPHS, PARAGRAPHS]
    assert isinstance(said, Rejected)
    assert "ends too early" in said.reason


@pytest.mark.parametrize("encoding", ["identity", "gzip", "deflate"])
def test_a_page_longer_than_any_is_said_however_well_packed(encoding: str, tmp_path: Path) -> None:
    packers = {"identity": bytes, "gzip": gzip.compress, "deflate": zlib.compress}
    body = packers[encoding](b" " * MOST_PAGE_BYTES + PAGE.encode())
    long = record(body, headers=(f"Content-Encoding: {encoding}",))
    said, page = read(long + record(), tmp_path)
    assert isinstance(said, Rejected)
    assert said.reason == f"{URL}: {TOO_LONG}"
    assert texts(page) == PARAGRAPHS


def test_an_archive_without_pages_is_said(tmp_path: Path) -> None:
    (said,) = read(record(kind="request") + record(status="HTTP/1.1 301 Moved"), tmp_path)
    assert isinstance(said, Rejected)
    assert said.reason == "expected pages of HTML, got 2 records without any"


def test_an_archive_is_known_by_its_first_bytes() -> None:
    (page,) = read_inputs(["-"], stdin=io.BytesIO(gzip.compress(record())))
    assert texts(page) == PARAGRAPHS
