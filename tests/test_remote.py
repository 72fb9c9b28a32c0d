"""Inputs by URL: read as the same files here would be, and what goes wrong is one line."""

import gzip
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from faqra import cli
from faqra_data.article import Article
from faqra_data.inputs import total_bytes
from faqra_data.readers import Rejected, read_inputs
from faqra_data.remote import is_url, open_url

pytest.importorskip("fsspec", reason="needs the extra 'remote'")
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import _registry, known_implementations

PAGE = "<title>خبر</title><p>أعلنت الوزارة اليوم<p>وقال المتحدث إن العمل مستمر"
ROWS = [{"text": f"خبر رقم {number}", "url": "http://a.example"} for number in range(300)]
LARGE = 3_000_000  # more than is asked for at once


def jsonl(rows: list[dict[str, str]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def parquet(rows: list[dict[str, str]]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), file, row_group_size=50)
    return file.getvalue()


def warc(pages: int) -> bytes:
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + PAGE.encode()
    return b"".join(
        b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.example/%d\r\n"
        b"Content-Length: %d\r\n\r\n%s\r\n\r\n" % (number, len(http), http)
        for number in range(pages)
    )


FILES = {
    "page.txt": "نص".encode(),
    "page.html": PAGE.encode(),
    "page.html.gz": gzip.compress(PAGE.encode()),
    "rows.csv": "text\nنص\n".encode(),
    "rows.jsonl": jsonl(ROWS),
    "rows.jsonl.gz": gzip.compress(jsonl(ROWS)),
    "rows.jsonl.zst": zstandard.compress(jsonl(ROWS)),
    "rows.parquet": parquet(ROWS),
    "crawl.warc": warc(3),
    "crawl.warc.gz": gzip.compress(warc(3)),
    "no-ending": PAGE.encode(),
}


@pytest.fixture(autouse=True)
def memory() -> Iterator[MemoryFileSystem]:
    """An empty memory, before and after."""
    files = MemoryFileSystem()
    files.store.clear()
    yield files
    files.store.clear()
    files.pseudo_dirs[:] = [""]


def read(*urls: str) -> list[Article | Rejected]:
    return list(read_inputs(urls))


def ids(*urls: str) -> list[str]:
    return [
        one.id if isinstance(one, Article) else f"{one.input}: {one.reason}" for one in read(*urls)
    ]


def reason(url: str) -> str:
    """Why a URL, alone, is rejected."""
    (said,) = read(url)
    assert isinstance(said, Rejected)
    assert (said.input, said.row) == (url, None)
    assert "\n" not in said.reason
    return said.reason


# The same as here


@pytest.mark.parametrize("name", FILES)
def test_a_file_gives_the_same_wherever_it_lies(
    name: str, memory: MemoryFileSystem, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    memory.pipe(f"/news/{name}", FILES[name])
    here, there = read(str(tmp_path / name)), read(f"memory://news/{name}")
    assert all(isinstance(one, Article) for one in here)
    assert str(there) == str(here).replace(f"{tmp_path}/", "memory://news/")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "/a",
        "/a/",
        "/*",
        "/**",
        "/*/*.txt",
        "/b-1.tx?",
        "/a/[12].txt",
        "/a/[1].txt",
        "/c.md",
    ],
)
def test_folders_and_patterns_mean_the_same_wherever_they_are(
    name: str, memory: MemoryFileSystem, tmp_path: Path
) -> None:
    for each in (
        "b.txt",
        "b-1.txt",
        "a/2.txt",
        "a/[1].txt",
        "a/1.txt",
        "a/b/c.html",
        "c.md",
        "a.b/1.txt",
    ):
        path = tmp_path / each
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"<p>{each}", encoding="utf-8")
        memory.pipe(f"/news/{each}", path.read_bytes())
    found = ids(f"memory://news{name}")
    assert found
    assert found == [
        each.replace(str(tmp_path), "memory://news") for each in ids(f"{tmp_path}{name}")
    ]
    assert total_bytes([f"memory://news{name}"]) == total_bytes([f"{tmp_path}{name}"])


def test_the_root_of_a_place_is_a_folder(memory: MemoryFileSystem) -> None:
    memory.pipe("/a.txt", b"a")
    assert ids("memory://") == ["memory://a.txt"]


def test_hosts_stay_in_the_names(memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    class Hosted(MemoryFileSystem):
        @classmethod
        def _strip_protocol(cls, path: str) -> str:
            return str(super()._strip_protocol(re.sub(r"^hosted://[^/]*", "/pages", path)))

    monkeypatch.setitem(_registry, "hosted", Hosted)
    memory.pipe("/pages/news/a.txt", b"a")
    memory.pipe("/pages/b.txt", b"a")
    assert ids("hosted://me@host/news") == ["hosted://me@host/news/a.txt"]
    assert ids("hosted://me@host/*.txt") == ["hosted://me@host/b.txt"]
    assert len(ids("hosted://me@host/")) == 2


def test_places_may_be_chained(memory: MemoryFileSystem) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("news/a.csv", "text\nنص\n")
        archive.writestr("news/b.parquet", FILES["rows.parquet"])
    memory.pipe("/all.zip", packed.getvalue())
    assert ids("zip://news/*.csv::memory://all.zip") == ["zip://news/a.csv::memory://all.zip:1"]
    assert len(ids("zip://news::memory://all.zip")) == 301


def test_how_far_reading_is_ends_at_the_size_of_the_files(memory: MemoryFileSystem) -> None:
    for name, raw in FILES.items():
        memory.pipe(f"/news/{name}", raw)
    steps: list[int] = []
    assert not [
        one
        for one in read_inputs(["memory://news"], on_bytes=steps.append)
        if isinstance(one, Rejected)
    ]
    assert (
        sum(steps)
        == total_bytes(["memory://news"])
        == sum(map(len, FILES.values())) - len(PAGE.encode())
    )


def test_a_local_path_of_this_form_is_named_from_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("memory:").mkdir()
    Path("memory:/a.txt").write_text("a", encoding="utf-8")
    assert ids("./memory://a.txt") == ["./memory://a.txt"]
    assert reason("memory://a.txt") == "no such file or folder"
    assert not any(map(is_url, ["a.txt", "-", "C://a.txt", "/s3://a", "a b://c", "تقرير://1"]))


def test_local_files_do_not_wait_for_fsspec(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a", encoding="utf-8")
    code = (
        "import sys; from faqra_data.readers import read_inputs; "
        f"print(len(list(read_inputs([{str(tmp_path)!r}]))), 'fsspec' in sys.modules)"
    )
    line = [sys.executable, "-c", code]
    assert subprocess.run(line, capture_output=True, text=True, check=True).stdout == "1 False\n"


# What goes wrong


class OwnError(Exception):
    """What no other library knows."""


class BreakingFile(io.BytesIO):
    """Bytes that can be read in so many pieces, and then no more."""

    def __init__(self, raw: bytes, pieces: int) -> None:
        super().__init__(raw)
        self._pieces = pieces

    def read(self, size: int | None = -1) -> bytes:
        self._pieces -= 1
        if self._pieces < 0:
            raise OwnError("the line\n broke")
        return super().read(size)


class Breaking(MemoryFileSystem):
    """The memory at the end of a bad line, with a folder for others only."""

    protocol = "breaking"
    pieces = 0

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path.removeprefix("breaking://")))

    def _open(self, path: str, mode: str = "rb", **kwargs: Any) -> BreakingFile:
        return BreakingFile(self.cat(path), self.pieces)

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> Any:
        if path.endswith("/closed"):
            raise PermissionError("Access Denied")
        return super().ls(path, detail, **kwargs)


@pytest.fixture(autouse=True)
def breaking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_registry, "breaking", Breaking)


@pytest.mark.parametrize(
    ("name", "pieces", "row"),
    [
        ("rows.jsonl", 3, None),
        ("rows.jsonl.gz", 2, None),
        ("rows.parquet", 4, None),
        ("crawl.warc", 3, 1),  # the record that is broken off
    ],
)
def test_what_comes_before_a_break_is_kept(
    name: str,
    pieces: int,
    row: int | None,
    memory: MemoryFileSystem,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noise = Random(0)
    rows = [{"text": noise.randbytes(600).hex()} for _ in range(300)]
    makers: dict[str, Callable[[], bytes]] = {
        "rows.jsonl": lambda: jsonl(rows),
        "rows.jsonl.gz": lambda: gzip.compress(jsonl(rows)),
        "rows.parquet": lambda: parquet(rows),
        "crawl.warc": lambda: warc(3000),
    }
    memory.pipe(f"/{name}", makers[name]())
    memory.pipe("/page.txt", b"a")
    monkeypatch.setattr(Breaking, "pieces", pieces)
    *found, said, other = read(f"breaking://{name}", "memory://page.txt")
    assert len(found) > 40
    whole = read(f"memory://{name}")
    assert len(found) < len(whole) - 40
    assert str(found) == str(whole[: len(found)]).replace("memory://", "breaking://")
    assert isinstance(said, Rejected)
    assert (said.input, said.row) == (f"breaking://{name}", row and len(found) + row)
    assert re.search(r"\bcannot be read: the line broke\b", said.reason)
    assert row or said.reason.endswith(f"(after {len(found):,} rows)")
    assert isinstance(other, Article)


def test_a_page_that_breaks_off_is_no_page(
    memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe("/page.html", PAGE.encode() * 1000)
    monkeypatch.setattr(Breaking, "pieces", 1)
    assert reason("breaking://page.html") == "cannot be read: the line broke"


def test_a_folder_that_may_not_be_read_is_said_and_the_others_are_read(
    memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Breaking, "pieces", 9)
    for name in ("a.txt", "b/closed/c.txt", "d/e.txt"):
        memory.pipe(f"/news/{name}", b"a")
    assert ids("breaking://news") == [
        "breaking://news/a.txt",
        "breaking://news/b/closed: cannot be read: Access Denied",
        "breaking://news/d/e.txt",
    ]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("absent://b/x.jsonl", "needs the package no_such_package: pip install no_such_package"),
        ("nosuch://b/x", "unknown protocol 'nosuch'; expected one of fsspec's, as s3, gs, hf or "),
        ("zip://x::nosuch://b", "cannot be read: Protocol not known: nosuch"),
        ("memory://gone.jsonl", "no such file or folder"),
        ("memory://gone/", "no such file or folder"),
        ("memory://news/*.gone", "no file matches"),
        ("memory://news", "nothing to read in this folder; expected .txt, .html"),
        ("memory://news/notes.pdf", "expected text or HTML, got a PDF"),
        ("moody://a", "cannot be read: Unable to locate credentials"),
        ("mute://a", "cannot be read: TimeoutError"),
        ("hidden://a", "no such file or folder: a (repository not found)"),
    ],
)
def test_what_cannot_be_had_is_said_in_one_line(
    url: str, said: str, memory: MemoryFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(error: Exception) -> type[MemoryFileSystem]:
        def info(self: MemoryFileSystem, path: str, **kwargs: Any) -> Any:
            raise error

        return type("Failing", (MemoryFileSystem,), {"info": info, "cachable": False})

    monkeypatch.setitem(known_implementations, "absent", {"class": "no_such_package.Files"})
    moody = failing(OwnError("Unable to locate\ncredentials"))
    monkeypatch.setitem(_registry, "moody", moody)
    monkeypatch.setitem(_registry, "mute", failing(TimeoutError()))
    hidden = failing(FileNotFoundError("a (repository not found)"))
    monkeypatch.setitem(_registry, "hidden", hidden)
    memory.pipe("/news/notes.pdf", b"%PDF-1.7\n")
    assert reason(url).startswith(said)


def test_fsspec_itself_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    assert reason("s3://a") == "needs the package fsspec: pip install 'faqra[remote]'"
    assert total_bytes(["s3://a"]) == 0


@pytest.mark.parametrize("name", ["s3://bucket/out.jsonl", "https://a.example/out"])
def test_outputs_are_local(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["classify", "page.html", "-o", name]) == 2
    assert capsys.readouterr().err.startswith(f"faqra: -o {name}: outputs are local files")


# The web


class Site(SimpleHTTPRequestHandler):
    """The files of a folder, in parts where `in_parts`, and some pages that are made."""

    in_parts = False
    made: ClassVar = {"/news/1/": PAGE.encode(), "/made?page=3": PAGE.encode()}

    def do_GET(self) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if self.path in self.made:
            self.send_response(200)  # with no length, as it is not known yet
            self.end_headers()
            self.wfile.write(self.made[self.path])
        elif self.path == "/closed.html":
            self.send_error(403)
        elif asked and self.in_parts:
            raw = Path(self.translate_path(self.path)).read_bytes()
            start, end = int(asked[1]), min(int(asked[2]) + 1, len(raw))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(raw)}")
            self.send_header("Content-Length", str(end - start))
            self.end_headers()
            self.wfile.write(raw[start:end])
        else:
            super().do_GET()

    def do_HEAD(self) -> None:
        if self.path == "/closed.html":
            self.send_error(403)
        else:
            super().do_HEAD()

    def copyfile(self, source: Any, outputfile: Any) -> None:
        raw = source.read()
        outputfile.write(raw[: len(raw) // 2] if self.path.startswith("/cut.") else raw)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """The URL of a web server that gives what is in the test's folder."""
    pytest.importorskip("aiohttp", reason="fsspec needs it for the web")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Site, directory=str(tmp_path)))
    server.handle_error = lambda *_: None  # type: ignore[method-assign] - who has heard enough goes
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("name", FILES)
def test_a_file_gives_the_same_on_the_web(name: str, site: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    here, there = read(str(tmp_path / name)), read(f"{site}/{name}")
    assert str(there) == str(here).replace(str(tmp_path), site)
    assert total_bytes([f"{site}/{name}"]) == len(FILES[name])


@pytest.mark.parametrize(
    "name", ["/news/1/", "/made?page=3", "/page.html?from=here", "/a.csv?x=/b"]
)
def test_what_a_url_leads_to_is_a_page_and_not_a_folder(
    name: str, site: str, tmp_path: Path
) -> None:
    (tmp_path / "page.html").write_text(PAGE, encoding="utf-8")
    (tmp_path / "a.csv").write_bytes(FILES["rows.csv"])
    row = ":1" if ".csv" in name else ""
    assert ids(f"{site}{name}") == [f"{site}{name}{row}"]


@pytest.mark.parametrize("in_parts", [True, False])
def test_a_large_file_on_the_web_is_read_piece_by_piece(
    in_parts: bool, site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Site, "in_parts", in_parts)
    rows = [{"text": f"{number} " * 2000} for number in range(600)]
    (tmp_path / "rows.jsonl").write_bytes(jsonl(rows))
    assert (tmp_path / "rows.jsonl").stat().st_size > LARGE
    found = read(f"{site}/rows.jsonl")
    assert [one.text for one in found if isinstance(one, Article)] == [row["text"] for row in rows]
    with open_url(f"{site}/rows.jsonl") as file:
        assert not isinstance(file, io.BytesIO)
        assert file.seekable() is in_parts


@pytest.mark.parametrize("in_parts", [True, False])
def test_large_parquet_needs_a_server_that_gives_parts(
    in_parts: bool, site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Site, "in_parts", in_parts)
    noise = Random(0)
    rows = [{"text": noise.randbytes(6000).hex()} for _ in range(500)]
    (tmp_path / "rows.parquet").write_bytes(parquet(rows))
    assert (tmp_path / "rows.parquet").stat().st_size > LARGE
    if in_parts:
        assert len(ids(f"{site}/rows.parquet")) == 500
    else:
        assert "from a server that only gives it whole" in reason(f"{site}/rows.parquet")


def test_what_comes_before_the_line_is_cut_is_kept(site: str, tmp_path: Path) -> None:
    rows = [{"text": f"{number} " * 2000} for number in range(600)]
    (tmp_path / "cut.jsonl").write_bytes(jsonl(rows))
    *found, said = read(f"{site}/cut.jsonl")
    assert len(found) > 200
    assert all(isinstance(one, Article) for one in found)
    assert isinstance(said, Rejected)
    assert said.reason.startswith("cannot be read: ")
    assert said.reason.endswith(f"(after {len(found)} rows)")


def test_what_the_web_refuses_is_said(site: str) -> None:
    assert reason(f"{site}/gone.html") == "no such file or folder"
    assert reason(f"{site}/gone/*.jsonl") == "no file matches"
    assert reason(f"{site}/closed.html").startswith("cannot be read: 403, message='Forbidden'")
    nobody = re.sub(r":\d+$", ":1", site)
    assert reason(f"{nobody}/a.html").startswith("cannot be read: Cannot connect to host")
    assert reason(f"{nobody}/*.html").startswith("cannot be read: Cannot connect to host")


def test_the_web_needs_aiohttp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(_registry, "https", raising=False)
    monkeypatch.delitem(sys.modules, "fsspec.implementations.http", raising=False)
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    assert reason("https://a.example/") == "needs the package aiohttp: pip install aiohttp"


def test_the_command_reads_pages_and_tells_what_it_could_not(site: str, tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "page.html").write_text(PAGE, encoding="utf-8")
    (tmp_path / "pages" / "rows.jsonl").write_bytes(jsonl(ROWS[:2]))
    output = tmp_path / "out.jsonl"
    urls = [f"{site}/pages/{name}" for name in ("page.html", "gone.html", "*.jsonl")]
    done = subprocess.run(
        [Path(sys.executable).with_name("faqra"), "classify", *urls, "-o", output],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == f"faqra: left out {urls[1]}: no such file or folder\n"
    lines = output.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["article"] for line in lines] == [
        *([urls[0]] * 2),
        *(f"{site}/pages/rows.jsonl:{number}" for number in (1, 2)),
    ]
    (rejected,) = Path(f"{output}.rejected.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(rejected)["input"] == urls[1]
