"""Writers: what is written reads back the same, in order, and is safe to look at."""

import csv
import io
import json
import re
from collections.abc import Sequence
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faqra.commands import classify
from faqra.writers.appearance import percent, tones
from faqra.writers.rows import article_rows, rows, showable
from faqra.writers.writer import ARTICLE_FORMATS, FORMATS, open_writer
from faqra_data.article import Article
from faqra_models.prediction import ArticlePredictions, ParagraphPrediction

LABELS = ("factual_report", "boilerplate", 'a "strange", label')


def result(
    texts: Sequence[str],
    *,
    id_: str = "page.html",
    title: str = "",
    url: str = "",
    best: float = 0.8,
    truncated: bool = False,
) -> ArticlePredictions:
    """An article whose paragraphs have each label in turn."""
    article = Article.from_paragraphs(id_, tuple(texts), title=title, url=url)
    rest = (1.0 - best) / (len(LABELS) - 1)
    predictions = tuple(
        ParagraphPrediction(
            {label: best if i % len(LABELS) == j else rest for j, label in enumerate(LABELS)},
            truncated,
            text,
            i,
            *((None, None) if i % 2 else (i, i + len(text))),
        )
        for i, text in enumerate(texts)
    )
    return ArticlePredictions(article, predictions)


def written(
    format_: str, results: Sequence[ArticlePredictions], *, by_article: bool = False
) -> bytes:
    """All that a writer puts on its stream."""
    stream = io.BytesIO()
    writer = open_writer(format_, stream, LABELS, by_article=by_article)
    for each in results:
        writer.write(each)
    writer.close()
    return stream.getvalue()


def read_back(format_: str, content: bytes) -> list[dict[str, Any]]:
    """The rows of a file, as JSON values."""
    if format_ == "jsonl":
        return [json.loads(line) for line in content.decode("utf-8").split("\n")[:-1]]
    if format_ == "parquet":
        table: list[dict[str, Any]] = pq.read_table(io.BytesIO(content)).to_pylist()
        return table
    records = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""))
    return [
        {
            **record,
            "index": int(record["index"]),
            "start": int(record["start"]) if record["start"] else None,
            "end": int(record["end"]) if record["end"] else None,
            "confidence": float(record["confidence"]),
            "probabilities": json.loads(record["probabilities"]),
            "truncated": record["truncated"] == "true",
        }
        for record in records
    ]


@pytest.mark.parametrize("format_", ["jsonl", "csv", "parquet"])
@given(articles=st.lists(st.lists(st.text(), max_size=4), max_size=4))
@settings(max_examples=40, deadline=None)
def test_what_is_written_reads_back_the_same_and_in_order(
    format_: str, articles: list[list[str]]
) -> None:
    results = [result(texts, id_=f"article {i}") for i, texts in enumerate(articles)]
    expected = [dict(row) for each in results for row in rows(each)]
    assert read_back(format_, written(format_, results)) == expected


@pytest.mark.parametrize("format_", ARTICLE_FORMATS)
@given(articles=st.lists(st.lists(st.text(), max_size=4), max_size=4))
@settings(max_examples=40, deadline=None)
def test_rows_of_articles_read_back_the_same_and_in_order(
    format_: str, articles: list[list[str]]
) -> None:
    results = [
        result(texts, id_=f"article {i}", title="".join(texts)) for i, texts in enumerate(articles)
    ]
    expected = [dict(row) for each in results for row in article_rows(each)]
    assert read_back(format_, written(format_, results, by_article=True)) == expected


def test_a_row_of_an_article_is_a_labelled_article_and_its_text() -> None:
    (row,) = article_rows(
        result(["أعلنت الوزارة", "اشترك"], title="عنوان", url="https://a.example")
    )
    assert row == {
        "id": "page.html",
        "source": "",
        "url": "https://a.example",
        "title": "عنوان",
        "date": "",
        "text": "أعلنت الوزارة\n\nاشترك",
        "paragraphs": ["أعلنت الوزارة", "اشترك"],
        "labels": ["factual_report", "boilerplate"],
        "confidences": [0.8, 0.8],
    }


def test_parquet_of_articles_has_typed_columns() -> None:
    file = pq.ParquetFile(io.BytesIO(written("parquet", [result(["نص"])], by_article=True)))
    found = [(field.name, str(field.type)) for field in file.schema_arrow]
    texts = ("id", "source", "url", "title", "date", "text")
    assert found == [
        *((name, "string") for name in texts),
        ("paragraphs", "list<element: string>"),
        ("labels", "list<element: string>"),
        ("confidences", "list<element: double>"),
    ]
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"


def test_json_lines_keep_what_utf8_cannot_hold() -> None:
    (row,) = read_back("jsonl", written("jsonl", [result(["قبل \ud800 بعد"])]))
    assert row["text"] == "قبل \ud800 بعد"


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_other_formats_mark_what_utf8_cannot_hold(format_: str) -> None:
    (row,) = read_back(format_, written(format_, [result(["قبل \ud800 بعد"])]))
    assert row["text"] == "قبل \ufffd بعد"


def test_parquet_of_articles_marks_what_utf8_cannot_hold() -> None:
    broken = result(["قبل \ud800"], title="\ud800", url="\ud800")
    (row,) = read_back("parquet", written("parquet", [broken], by_article=True))
    assert (row["paragraphs"], row["text"]) == (["قبل \ufffd"], "قبل \ufffd")
    assert (row["title"], row["url"]) == ("\ufffd", "\ufffd")


@pytest.mark.parametrize("format_", FORMATS)
@given(texts=st.lists(st.text(st.characters()), max_size=3))
@settings(max_examples=25, deadline=None)
def test_no_text_stops_a_writer(format_: str, texts: list[str]) -> None:
    assert written(format_, [result(texts, title="".join(texts))]) or not texts


@pytest.mark.parametrize("format_", ["jsonl", "csv", "html", "table"])
def test_an_article_is_on_the_stream_as_soon_as_it_is_written(format_: str) -> None:
    stream = io.BytesIO()
    writer = open_writer(format_, stream, LABELS)
    writer.write(result(["أعلنت الوزارة"]))
    assert "أعلنت الوزارة" in stream.getvalue().decode("utf-8")


def test_parquet_writes_a_group_when_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("faqra.writers.parquet._ROWS_PER_GROUP", 2)
    content = written("parquet", [result(["أ", "ب", "ج"]), result(["د", "ه"])])
    assert pq.ParquetFile(io.BytesIO(content)).num_row_groups == 3
    monkeypatch.setattr("faqra.writers.parquet._CHARACTERS_PER_GROUP", 5)
    content = written("parquet", [result(["أب", "ج"])] * 3, by_article=True)
    assert pq.ParquetFile(io.BytesIO(content)).num_row_groups == 3


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_a_file_without_rows_still_has_its_columns(format_: str) -> None:
    content = written(format_, [])
    assert read_back(format_, content) == []
    assert b"probabilities" in content


def test_the_table_cannot_be_steered_by_a_text() -> None:
    shown = written("table", [result(["\x1b[2J\x1b]0;title\x07 [bold]نص[/bold] \u202e"])])
    assert b"\x1b" not in shown
    assert "[bold]نص[/bold]" in shown.decode("utf-8")
    assert "\u202e" not in shown.decode("utf-8")


@pytest.mark.parametrize("width", [60, 200])
def test_the_table_stays_inside_the_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    text = "قال الرئيس إن الحكومة ستواصل عملها " * 20
    shown = written("table", [result([text, "x" * 300], title=text)]).decode("utf-8")
    assert max(map(len, shown.splitlines())) <= width
    assert re.sub(r"[^x]", "", shown).count("x") == 300


def test_the_table_marks_low_confidence_and_counts() -> None:
    shown = written("table", [result(["أ", "ب"], best=0.5)]).decode("utf-8")
    assert "50%?" in shown
    assert "2 paragraphs · factual_report 1 · boilerplate 1" in shown


def test_the_table_says_what_it_leaves_out() -> None:
    shown = written("table", [result(["ن" * 5000], truncated=True)]).decode("utf-8")
    assert "[+1,000 characters]" in " ".join(shown.split())
    assert "[not all of it was read]" in " ".join(shown.split())


def test_every_format_leaves_a_reader_that_is_gone_to_the_command() -> None:
    class Gone(io.BytesIO):
        def write(self, _: object) -> int:
            raise BrokenPipeError

    for format_ in ("table", "jsonl", "csv", "html"):
        with pytest.raises(BrokenPipeError):
            open_writer(format_, Gone(), LABELS).write(result(["خبر"]))


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert b"\x1b[34m" in written("table", [result(["نص"])])
    monkeypatch.setenv("NO_COLOR", "1")
    assert b"\x1b[34m" not in written("table", [result(["نص"])])


def test_every_label_has_a_tone_whatever_the_model() -> None:
    many = [f"label {i}" for i in range(9)]
    assert tones([*many, "boilerplate"])["boilerplate"] == "noise"
    assert len(set(tones(many).values())) == 4


def test_confidence_is_never_rounded_up_to_certainty() -> None:
    assert (percent(0.999), percent(1.0), percent(0.554)) == ("99%", "100%", "55%")


def test_showable_text_keeps_its_letters_and_lines() -> None:
    assert showable("سطر\nسطر\tنص") == "سطر\nسطر\tنص"


def test_the_command_offers_every_format() -> None:
    assert classify.FORMATS == FORMATS
    assert classify.ARTICLE_FORMATS == ARTICLE_FORMATS


@pytest.mark.parametrize("format_", sorted(set(FORMATS) - set(ARTICLE_FORMATS)))
def test_other_formats_have_no_rows_of_articles(format_: str) -> None:
    with pytest.raises(ValueError, match=f"expected one of jsonl, parquet, got '{format_}'"):
        open_writer(format_, io.BytesIO(), LABELS, by_article=True)


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="got 'docx'"):
        open_writer("docx", io.BytesIO(), LABELS)
