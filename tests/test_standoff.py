"""Standoff: labels go out without text, and come back with exactly the text they belong to."""

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faqra_data.corpus import LabelledArticle, write_corpus
from faqra_data.errors import CorpusError
from faqra_data.labels import LABELS
from faqra_data.standoff import annotate, digest, hydrate, read_annotations, write_annotations

ARTICLE = LabelledArticle(
    id="a1",
    paragraphs=("أعلنت الوزارة اليوم", "وقال المتحدث نعم"),
    labels=LABELS[:2],
    source="a.example",
    url="http://a.example/1",
    title="خبر",
    date="2024-01-01",
    kind="news",
    corpus="toys",
)


@given(st.lists(st.tuples(st.text(st.characters()), st.sampled_from(LABELS)), max_size=4))
@settings(max_examples=40, deadline=None)
def test_text_and_labels_come_together_again(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("standoff")
    texts, labels = zip(*parts, strict=True) if parts else ((), ())
    article = replace(ARTICLE, paragraphs=texts, labels=labels)
    write_annotations([annotate(article)], folder / "labels.jsonl")
    write_corpus([article], folder / "copy.jsonl")
    annotations = read_annotations(folder / "labels.jsonl")
    assert annotations == [annotate(article)]
    hydrated = hydrate(annotations, [folder / "copy.jsonl"])
    assert hydrated.articles == (article,)
    assert hydrated.missing == {}
    assert hydrated.unread == ()


def test_annotations_hold_no_text(tmp_path: Path) -> None:
    write_annotations([annotate(ARTICLE)], tmp_path / "labels.jsonl")
    written = (tmp_path / "labels.jsonl").read_text(encoding="utf-8")
    assert not any(text in written for text in (*ARTICLE.paragraphs, ARTICLE.title))
    assert json.loads(written)["digests"] == [digest(text) for text in ARTICLE.paragraphs]


def test_annotations_without_a_title_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    write_annotations([annotate(ARTICLE)], path)
    row = json.loads(path.read_text(encoding="utf-8"))
    del row["title_digest"]
    path.write_text(json.dumps(row), encoding="utf-8")
    assert read_annotations(path) == [replace(annotate(ARTICLE), title_digest="")]


def test_texts_are_found_in_running_text_of_any_file(tmp_path: Path) -> None:
    first, second = ARTICLE.paragraphs
    table = pa.table({"title": ["خبر"], "text": [f"• {first} \nسطر آخر"], "other": [1]})
    pq.write_table(table, tmp_path / "a.parquet")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "b.csv").write_text(f"text\n{second}\n", encoding="utf-8")
    assert hydrate([annotate(ARTICLE)], [tmp_path]).articles == (ARTICLE,)


def test_lines_are_found_with_bullets_and_whatever_their_white_space(tmp_path: Path) -> None:
    article = replace(ARTICLE, paragraphs=("** أعرف", "قال نعم", " خبر  اليوم "))
    text = " ** أعرف\n• قال\xa0\t نعم\n خبر  اليوم "
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": text}), encoding="utf-8")
    assert hydrate([annotate(article)], [tmp_path]).missing == {}


def test_a_text_that_differs_is_missing_and_not_mistaken(tmp_path: Path) -> None:
    changed = replace(ARTICLE, paragraphs=(ARTICLE.paragraphs[0], "وقال المتحدث نعم."))
    write_corpus([changed], tmp_path / "copy.jsonl")
    other = LabelledArticle("a2", ("غير هذا", *ARTICLE.paragraphs[:1], "ولا هذا"), LABELS[:3])
    hydrated = hydrate([annotate(ARTICLE), annotate(other)], [tmp_path])
    assert hydrated.articles == ()
    assert hydrated.missing == {"a1": (1,), "a2": (0, 2)}


def test_a_missing_title_is_left_empty(tmp_path: Path) -> None:
    write_corpus([replace(ARTICLE, title="")], tmp_path / "copy.jsonl")
    assert hydrate([annotate(ARTICLE)], [tmp_path]).articles == (replace(ARTICLE, title=""),)


def test_what_is_broken_among_the_sources_is_said(tmp_path: Path) -> None:
    write_corpus([ARTICLE], tmp_path / "a.jsonl")
    with (tmp_path / "a.jsonl").open("ab") as file:
        file.write(b'{"text": \n[1]\n{"text": 5, "paragraphs": [null, 1], "title": {}}\n')
    pq.write_table(pa.table({"other": [1]}), tmp_path / "b.parquet")
    (tmp_path / "c.parquet").write_bytes(b"PAR1")
    (tmp_path / "d.jsonl").mkdir()
    absent = LabelledArticle("a2", ("غير هذا",), LABELS[:1])
    hydrated = hydrate([annotate(ARTICLE), annotate(absent)], [tmp_path])
    assert hydrated.articles == (ARTICLE,)
    assert hydrated.missing == {"a2": (0,)}
    assert [(Path(one.input).name, one.row) for one in hydrated.unread] == [
        ("a.jsonl", 2),
        ("a.jsonl", 3),
        ("b.parquet", None),
        ("c.parquet", None),
    ]


@pytest.mark.parametrize("name", [".", "gone"])
def test_sources_with_nothing_to_read_are_an_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"expected (\.jsonl|copies of the texts)"):
        hydrate([annotate(ARTICLE)], [tmp_path / name])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"digests": "abc"}, "digests: expected a list of strings, got a string"),
        ({"labels": [1, 2]}, "labels: expected a list of strings, got a list"),
        ({"labels": ["x"]}, "2 digests need as many labels, got 1"),
        ({"id": 5}, "id: expected a string, got a number"),
        ({"id": None}, "id: expected a string, got null"),
    ],
)
def test_what_is_no_annotation_is_named(
    change: dict[str, object], told: str, tmp_path: Path
) -> None:
    path = tmp_path / "labels.jsonl"
    write_annotations([annotate(ARTICLE)], path)
    row = {**json.loads(path.read_text(encoding="utf-8")), **change}
    path.write_text(f"\n{json.dumps(row)}\n", encoding="utf-8")
    with pytest.raises(CorpusError, match=rf"labels\.jsonl: row 2: {told}"):
        read_annotations(path)


@pytest.mark.parametrize("raw", [b"{}", b"{", b"[]", b"", b"\xff"])
def test_a_broken_annotation_file_is_no_traceback(raw: bytes, tmp_path: Path) -> None:
    (tmp_path / "labels.jsonl").write_bytes(raw)
    with pytest.raises(CorpusError, match=r"labels\.jsonl"):
        read_annotations(tmp_path / "labels.jsonl")
