"""Readers: every form gives the same articles in order, and what cannot be read is said."""

import csv
import gzip
import io
import json
import os
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from faqra_data.article import Article
from faqra_data.inputs import total_bytes
from faqra_data.readers import Rejected, read_inputs
from faqra_data.streams import MOST_PAGE_BYTES, TOO_LONG

NEWS = "أعلنت الوزارة اليوم\nوقال المتحدث إن العمل مستمر\n"
PAGES = Path(__file__).parents[2] / "shared" / "pages"
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda raw: raw,
    ".gz": gzip.compress,
    ".zst": zstandard.compress,
}


def read(*inputs: Path | str, stdin: bytes = b"", **options: str) -> list[Article | Rejected]:
    """All that comes of inputs."""
    return list(read_inputs(map(str, inputs), stdin=io.BytesIO(stdin), **options))


def articles(*inputs: Path | str, **options: str) -> list[Article]:
    """All that comes, where nothing is rejected."""
    found = read(*inputs, **options)
    assert [item for item in found if isinstance(item, Rejected)] == []
    return [item for item in found if isinstance(item, Article)]


def rejected(*inputs: Path | str, stdin: bytes = b"", **options: str) -> list[Rejected]:
    found = read(*inputs, stdin=stdin, **options)
    return [item for item in found if isinstance(item, Rejected)]


def texts(article: Article | Rejected) -> list[str]:
    assert isinstance(article, Article)
    return [paragraph.text for paragraph in article.paragraphs]


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Rows in the form of the file's ending."""
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif ".csv" in path.suffixes:
        with io.StringIO(newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
            path.write_bytes(PACKERS[path.suffix.replace(".csv", "")](file.getvalue().encode()))
    else:
        raw = "".join(json.dumps(row) + "\n" for row in rows).encode()
        path.write_bytes(PACKERS.get(path.suffix, PACKERS[""])(raw))
    return path


def assert_offsets(article: Article) -> None:
    assert article.text is not None
    for index, paragraph in enumerate(article.paragraphs):
        assert paragraph.index == index
        assert article.text[paragraph.start : paragraph.end] == paragraph.text


# Pages


@pytest.mark.parametrize("packed", PACKERS)
@pytest.mark.parametrize("ending", [".txt", ".HTML", ".htm", ".xhtml", "", ".aspx"])
def test_a_file_of_one_page_is_one_article(ending: str, packed: str, tmp_path: Path) -> None:
    path = tmp_path / f"page{ending}{packed}"
    lines = NEWS.splitlines()
    text = NEWS if ending == ".txt" else "<p>" + "<p>".join(lines)
    path.write_bytes(PACKERS[packed](text.encode()))
    (article,) = articles(path)
    assert article.id == str(path)
    assert texts(article) == lines
    assert_offsets(article)


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "cp1256", "iso8859-6", "utf-16"])
@pytest.mark.parametrize("name", ["page.txt", "page.html", "-"])
def test_pages_are_read_in_any_charset(name: str, codec: str, tmp_path: Path) -> None:
    markup = "<title>خبر</title><p>" if name != "page.txt" else ""
    raw = (markup + NEWS.replace("\n", " ") * 3).encode(codec)
    (tmp_path / "page.txt").write_bytes(raw)
    (tmp_path / "page.html").write_bytes(raw)
    (article,) = read(name if name == "-" else tmp_path / name, stdin=raw)
    assert texts(article) == [" ".join((NEWS * 3).split())]
    assert isinstance(article, Article)
    assert article.title == ("خبر" if markup else "")


@pytest.mark.parametrize("raw", [b"", b" \n\t\r\n", "\ufeff\u200f\n".encode(), b"<p> <br>&nbsp;"])
@pytest.mark.parametrize("name", ["page.txt", "page.html", "page", "-"])
def test_a_page_that_shows_nothing_is_rejected(name: str, raw: bytes, tmp_path: Path) -> None:
    if raw.startswith(b"<") and name == "page.txt":
        return
    (tmp_path / name).write_bytes(raw)
    where = name if name == "-" else str(tmp_path / name)
    assert read(where, stdin=raw) == [Rejected(where, None, "expected visible text, got none")]


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
        (b"%PDF-1.7\n", "a PDF"),
        (bytes(range(256)) * 20, "binary data"),
        (gzip.compress(b"PK\x03\x04"), "a ZIP archive"),
    ],
)
@pytest.mark.parametrize("name", ["page.txt", "page.html", "page.docx"])
def test_what_is_no_text_is_said(name: str, raw: bytes, kind: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(raw)
    (said,) = rejected(tmp_path / name)
    assert said.reason.startswith(f"expected text or HTML, got {kind}")


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_half_a_page_is_no_page(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    (tmp_path / "page.txt.gz").write_bytes(pack(NEWS.encode())[:-6])
    (said,) = read(tmp_path / "page.txt.gz")
    assert isinstance(said, Rejected)
    assert "ends too early" in said.reason


def test_real_pages_have_the_right_offsets() -> None:
    if not PAGES.is_dir():
        pytest.skip("the real pages are not part of the project; they lie in ../shared/pages")
    found = articles(PAGES)
    assert [article.id for article in found] == sorted(map(str, PAGES.glob("*.html")))
    for article in found:
        assert_offsets(article)
        assert len(article.paragraphs) > 5


# Rows


@pytest.mark.parametrize("packed", PACKERS)
@given(pages=st.lists(st.lists(st.text(st.characters()), min_size=1), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_given_paragraphs_are_kept_exactly(
    packed: str, pages: list[list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("rows") / f"rows.jsonl{packed}"
    write_rows(path, [{"paragraphs": page} for page in pages])
    found = articles(path)
    assert [texts(article) for article in found] == pages
    assert [article.id for article in found] == [f"{path}:{n}" for n in range(1, len(pages) + 1)]
    assert all(
        p.start is p.end is article.text is None for article in found for p in article.paragraphs
    )


@pytest.mark.parametrize(
    "name",
    ["rows.jsonl", "rows.ndjson.gz", "rows.csv", "rows.csv.gz", "rows.csv.zst", "rows.parquet"],
)
def test_every_form_of_rows_gives_the_same_articles(name: str, tmp_path: Path) -> None:
    details = {"id": "7", "source": "a.example", "url": "http://a.example/7", "date": "2024-01-01"}
    rows = [
        {**details, "title": "خبر", "text": NEWS, "html": None, "kind": "news"},
        {**dict.fromkeys(details), "title": None, "text": None, "html": "<title>ب</title><p>نص"},
    ]
    rows[1]["kind"] = None
    first, second = articles(write_rows(tmp_path / name, rows))
    assert (first.id, first.source, first.url, first.date) == tuple(details.values())
    assert (first.title, first.text, texts(first)) == ("خبر", NEWS, NEWS.splitlines())
    assert (second.id, second.title, texts(second)) == (f"{tmp_path / name}:2", "ب", ["نص"])
    assert_offsets(first)
    assert_offsets(second)


def test_parquet_lists_and_bytes_are_read(tmp_path: Path) -> None:
    rows = [{"paragraphs": ["أ", " ب "], "html": None}, {"paragraphs": None, "html": "نص".encode()}]
    first, second = articles(write_rows(tmp_path / "rows.parquet", rows))
    assert texts(first) == ["أ", " ب "]
    assert texts(second) == ["نص"]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv", "rows.parquet"])
def test_the_text_may_stand_in_a_column_of_any_name(name: str, tmp_path: Path) -> None:
    path = write_rows(tmp_path / name, [{"text": "غير هذا", "المتن": NEWS}])
    assert texts(articles(path, text_column="المتن")[0]) == NEWS.splitlines()
    (said,) = rejected(path, text_column="body")
    assert said.reason.startswith("expected one of ")
    assert said.reason.endswith("body; got text, المتن")
    assert said.row == (1 if name == "rows.jsonl" else None)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"text": ', "expected a JSON object, got no valid JSON: Expecting value: column 9"),
        (b'[{"text": "a"}]', "expected a JSON object, got a list"),
        (b'"text"', "expected a JSON object, got a string"),
        (b"[" * 100_000, "expected a JSON object, got what cannot be read: "),
        (b'{"text": ' + b"9" * 5000 + b"}", "expected a JSON object, got what cannot be read: "),
        ('{"text": "نص"}'.encode("cp1256"), "expected UTF-8, got byte 0xe4 at 11"),
        (b'{"text": 5}', "text: expected a string, got a number"),
        (b'{"paragraphs": "a"}', "paragraphs: expected a list of strings, got a string"),
        (b'{"paragraphs": ["a", 1]}', "paragraphs: expected a list of strings, got a number at 1"),
        (b'{"paragraphs": []}', "expected visible text, got none"),
        (b'{"text": " \\n"}', "expected visible text, got none"),
        (b'{"html": "<script>1</script>"}', "expected visible text, got none"),
        (b'{"body": "a", "text": null}', "expected one of paragraphs, text, html; got body, text"),
        (b"{}", "expected one of paragraphs, text, html; got an empty row"),
    ],
)
def test_a_bad_row_is_said_and_the_next_one_read(line: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"text": "a"}\n\n' + line + b'\n{"text": "b"}')
    first, said, last = read(path)
    assert (texts(first), texts(last)) == (["a"], ["b"])
    assert isinstance(last, Article)
    assert last.id == f"{path}:4"
    assert isinstance(said, Rejected)
    assert (said.input, said.row) == (str(path), 3)
    assert said.reason.startswith(reason)
    assert "\n" not in said.reason


def test_what_json_may_hold_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"paragraphs": ["\\ud800", "a\\u0000b", "c\td"], "id": 5}\r\n')
    (article,) = articles(path)
    assert texts(article) == ["\ud800", "a\0b", "c\td"]
    assert article.id == "5"


@pytest.mark.parametrize("name", ["page.txt", "page.html", "page.html.gz"])
def test_a_file_longer_than_any_page_is_said(name: str, tmp_path: Path) -> None:
    raw = NEWS.encode() * (MOST_PAGE_BYTES // len(NEWS.encode()) + 1)
    path = tmp_path / name
    path.write_bytes(gzip.compress(raw, 1) if name.endswith(".gz") else raw)
    assert [said.reason for said in rejected(path)] == [TOO_LONG]


@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_row_longer_than_any_page_is_said_and_the_next_one_read(
    end: bytes, tmp_path: Path
) -> None:
    row = json.dumps({"text": NEWS}).encode() + b"\n"
    path = tmp_path / "rows.jsonl"
    path.write_bytes(row + b" " * (3 * MOST_PAGE_BYTES) + end + row * bool(end))
    found = read(path)
    assert [said.row for said in found if isinstance(said, Rejected)] == [2]
    assert [said.reason for said in found if isinstance(said, Rejected)] == [TOO_LONG]
    assert len(found) == (3 if end else 2)


def test_an_overlong_line_is_not_cut(tmp_path: Path) -> None:
    text = "ن" * 2_000_000
    (tmp_path / "rows.csv").write_text(f"text\n{text}\n", encoding="utf-8")
    write_rows(tmp_path / "rows.jsonl", [{"text": text}])
    assert [texts(article) for article in articles(tmp_path)] == [[text], [text]]


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "cp1256", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_is_read_as_spreadsheets_write_it(codec: str, delimiter: str, tmp_path: Path) -> None:
    text = f'قال "نعم"{delimiter} ثم\nسطر آخر، والسلام على الجميع'
    with (tmp_path / "rows.csv").open("w", encoding=codec, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([("id", "text"), ("7", text)])
    (article,) = articles(tmp_path / "rows.csv")
    assert (article.id, article.text) == ("7", text)


def test_bad_rows_of_csv_are_said(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    lines = ["id,text", "1,أ", "2,b,c", "", '3,"d"e', "4,f\0g", '5,"h', "i"]
    path.write_bytes("\n".join(lines).encode() + b"\n")
    assert [
        item.id if isinstance(item, Article) else (item.row, item.reason) for item in read(path)
    ] == [
        "1",
        (2, "expected 2 fields as in the header, got 3"),
        (3, "a wrong or unclosed quotation mark: ',' expected after '\"'"),
        "4",
        (5, "a wrong or unclosed quotation mark: unexpected end of data"),
    ]
    path.write_bytes("text\nأهلا\n".encode() + "نص".encode("cp1256") + b"\nb\n")
    assert [said.row for said in rejected(path)] == [2]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv", "rows.parquet", "rows.warc"])
@pytest.mark.parametrize("raw", [b"", b"\n \n"])
def test_a_file_without_rows_is_said(name: str, raw: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(raw)
    (said,) = read(tmp_path / name)
    assert isinstance(said, Rejected)
    assert said.row is None
    assert said.reason


def test_parquet_that_is_broken_is_said(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.parquet", [{"text": NEWS}] * 10)
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])
    (said,) = rejected(path)
    assert said.reason.startswith("broken Parquet: ")
    (said,) = rejected("-", stdin=raw[:-4])
    assert "broken Parquet" in said.reason


def test_a_value_that_parquet_cannot_give_is_one_bad_row(tmp_path: Path) -> None:
    wrong = pa.array([b"a", b"\xff", b"b"]).view(pa.string())
    pq.write_table(pa.table({"text": wrong}), tmp_path / "rows.parquet")
    first, said, last = read(tmp_path / "rows.parquet")
    assert (texts(first), texts(last)) == (["a"], ["b"])
    assert isinstance(said, Rejected)
    assert said.row == 2


# Packed and broken files


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_what_comes_before_a_break_is_kept(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    rows = [{"text": f"{n} {os.urandom(400).hex()}"} for n in range(1000)]
    raw = pack("".join(json.dumps(row) + "\n" for row in rows).encode())
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(raw[: len(raw) // 2])
    *found, said = read(path)
    assert len(found) > 300
    assert [texts(item)[0] for item in found] == [row["text"] for row in rows[: len(found)]]
    assert isinstance(said, Rejected)
    assert said.row is None
    assert said.reason.endswith(f"(after {len(found)} rows)")
    assert "ends too early" in said.reason
    path.write_bytes(raw[: len(raw) // 2] + b"\0" * 9000 + raw[len(raw) // 2 :])
    found = read(path)
    assert len(found) > 300
    assert "broken " in str(found[-1])


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_file_of_many_members_is_read_whole(
    pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    raw = b"".join(pack(json.dumps({"text": str(n)}).encode() + b"\n") for n in range(300))
    (tmp_path / "rows.jsonl.zst").write_bytes(raw + b"\0" * 512 * (pack is gzip.compress))
    assert [article.text for article in articles(tmp_path)] == [str(n) for n in range(300)]


def test_a_name_may_lie_about_packing(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl.gz").write_bytes(b'{"text": "a"}\n')
    (tmp_path / "page.txt").write_bytes(zstandard.compress(b"b"))
    assert [texts(article) for article in articles(tmp_path)] == [["b"], ["a"]]


@pytest.mark.parametrize(("name", "rows"), [("rows.jsonl.gz", 1000), ("rows.csv", 250)])
def test_rows_are_read_one_by_one(name: str, rows: int, tmp_path: Path) -> None:
    line = json.dumps({"paragraphs": ["x" * 1000] * 30}) if ".jsonl" in name else "x" * 30_000
    with (tmp_path / name).open("wb") as file:
        pack = gzip.compress if ".gz" in name else PACKERS[""]
        file.write(pack(b"text\n" * (".csv" in name)))
        for _ in range(rows):
            file.write(pack(line.encode() + b"\n"))
    tracemalloc.start()
    count = sum(isinstance(item, Article) for item in read_inputs([str(tmp_path / name)]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == rows
    assert peak < 3_000_000


def test_parquet_is_read_a_little_at_a_time(tmp_path: Path) -> None:
    texts = [os.urandom(5_000).hex() for _ in range(2_000)]
    pq.write_table(pa.table({"text": texts}), tmp_path / "rows.parquet", row_group_size=100)
    del texts
    tracemalloc.start()
    count = sum(isinstance(item, Article) for item in read_inputs([str(tmp_path / "rows.parquet")]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 2_000
    assert peak < 6_000_000


# Inputs


def test_folders_are_walked_in_order_and_strange_files_passed_over(tmp_path: Path) -> None:
    for name in ("b.txt", "a/2.txt", "a/1.txt", "a/b/c.html", "c.txt", "picture.png", "a/notes.md"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"<p>{name}", encoding="utf-8")
    expected = ["a/1.txt", "a/2.txt", "a/b/c.html", "b.txt", "c.txt"]
    assert [article.id for article in articles(tmp_path)] == [str(tmp_path / n) for n in expected]


def test_a_link_back_to_a_folder_is_no_endless_way(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "page.txt").write_text("نص", encoding="utf-8")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "z").symlink_to(tmp_path / "a")
    (tmp_path / "nothing.png").symlink_to(tmp_path / "gone")
    assert len(articles(tmp_path)) == 1
    (tmp_path / "gone.txt").symlink_to(tmp_path / "gone")
    assert [said.input for said in rejected(tmp_path)] == [str(tmp_path / "gone.txt")]


def test_a_folder_with_nothing_to_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("نص", encoding="utf-8")
    (said,) = read(tmp_path)
    assert isinstance(said, Rejected)
    assert said.reason.startswith("nothing to read in this folder; expected .txt, .html")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX's")
def test_a_pipe_in_a_folder_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    assert [said.reason for said in rejected(tmp_path)] == ["expected a file, got a pipe or device"]


def test_patterns_are_matched_where_no_file_has_the_name(tmp_path: Path) -> None:
    for name in ("a1.txt", "a[1].txt", "b/c.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")

    def found(pattern: str) -> list[str | None]:
        return [article.text for article in articles(tmp_path / pattern)]

    assert found("a[1].txt") == ["a[1].txt"]
    assert found("a[12].txt") == ["a1.txt"]
    assert found("*") == ["a1.txt", "a[1].txt", "b/c.txt"]
    assert found("**") == ["a1.txt", "a[1].txt", "b/c.txt"]
    assert found("*/*.txt") == ["b/c.txt"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("gone.txt", "no such file or folder"),
        ("*.gone", "no file matches"),
        ("a\0b", "cannot be read: embedded null byte"),
        ("a" * 5000, "cannot be read: File name too long"),
    ],
)
def test_an_input_that_is_not_there_is_said(name: str, reason: str) -> None:
    assert read(name) == [Rejected(name, None, reason)]


def test_what_may_not_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    for name in ("a.jsonl", "b.txt", "c.txt"):
        (tmp_path / name).write_text('{"text": "a"}', encoding="utf-8")
    opened, listed = Path.open, Path.iterdir

    def open_some(self: Path, mode: str) -> Any:
        if self.name in ("a.jsonl", "b.txt"):
            raise PermissionError(13, "Permission denied")
        return opened(self, mode)

    def list_some(self: Path) -> Iterator[Path]:
        if self.name == "closed":
            raise PermissionError(13, "Permission denied")
        return listed(self)

    monkeypatch.setattr(Path, "open", open_some)
    monkeypatch.setattr(Path, "iterdir", list_some)
    said = rejected(tmp_path)
    assert [Path(one.input).name for one in said] == ["a.jsonl", "b.txt", "closed"]
    assert {one.reason for one in said} == {"cannot be read: Permission denied"}
    assert len(read(tmp_path)) == 4


@pytest.mark.parametrize("packed", PACKERS)
@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (NEWS, {"-": NEWS.splitlines()}),
        ("<div>نص</div>آخر", {"-": ["نص", "آخر"]}),
        ('\n {"text": "نص"}\n{"paragraphs": ["أ"]}\n', {"-:2": ["نص"], "-:3": ["أ"]}),
    ],
)
def test_standard_input_is_known_by_its_content(
    raw: str, expected: dict[str, list[str]], packed: str
) -> None:
    found = read("-", stdin=PACKERS[packed](raw.encode()))
    assert {item.id: texts(item) for item in found if isinstance(item, Article)} == expected


def test_a_json_document_is_not_read_as_prose(tmp_path: Path) -> None:
    (tmp_path / "page.json").write_text('[{"text": "a"}]', encoding="utf-8")
    (said,) = rejected(tmp_path / "page.json")
    assert said.reason == ("expected a JSON object, got a list; jq -c '.[]' makes JSON Lines of it")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (bytes(range(256)) * 20, "expected text or HTML, got binary data"),
        (b"\x89PNG\r\n\x1a\n\n\n", "expected text or HTML, got a PNG picture"),
        ('{"text": "a"}\n{"text": "b"}\n'.encode("utf-16-le"), "expected JSON Lines in UTF-8"),
    ],
)
def test_what_is_no_json_lines_at_all_is_said_once(raw: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_bytes(raw)
    (said,) = rejected(tmp_path / "rows.jsonl")
    assert said.reason.startswith(reason)
    assert said.row is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no /dev/fd")
def test_a_pipe_with_a_name_is_read() -> None:
    reading, writing = os.pipe()
    os.write(writing, NEWS.encode())
    os.close(writing)
    (article,) = read(f"/dev/fd/{reading}")
    os.close(reading)
    assert texts(article) == NEWS.splitlines()


def test_json_lines_in_utf16_are_said_once() -> None:
    (said,) = rejected("-", stdin='{"text": "نص"}\n{"text": "نص"}'.encode("utf-16"))
    assert said.reason == "expected JSON Lines in UTF-8, got UTF-16"


def test_inputs_are_read_when_their_turn_comes(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("أ", encoding="utf-8")
    items = read_inputs([str(tmp_path / "a.txt"), str(tmp_path / "b.txt")])
    next(items)
    (tmp_path / "b.txt").write_text("ب", encoding="utf-8")
    assert isinstance(next(items), Article)


@given(text=st.text("ابتثجح \n\r\u2028•-\xa0\u200f\u064b", max_size=60))
@settings(max_examples=60, deadline=None)
def test_offsets_give_back_the_text(text: str) -> None:
    for item in read("-", stdin=text.encode()):
        if isinstance(item, Article):
            assert item.text == text
            assert_offsets(item)
        else:
            assert item.reason == "expected visible text, got none"


def test_how_far_reading_is_ends_at_the_size_of_the_files(tmp_path: Path) -> None:
    rows = "".join(json.dumps({"text": f"خبر {number}"}) + "\n" for number in range(9000))
    (tmp_path / "a.jsonl").write_text(rows, encoding="utf-8")
    with gzip.open(tmp_path / "b.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(rows)
    pq.write_table(pa.table({"text": ["خبر"] * 500}), tmp_path / "c.parquet")
    steps: list[int] = []
    assert len(list(read_inputs([str(tmp_path)], on_bytes=steps.append))) == 18_500
    assert sum(steps) == total_bytes([str(tmp_path)]) > 0
    assert sum(1 for step in steps if step) > 4
