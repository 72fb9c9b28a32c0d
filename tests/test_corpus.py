"""The corpus: what is written reads back the same, and every mistake is named at once."""

import csv
import gzip
import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faqra_data.corpus import (
    LabelledArticle,
    corpus_digest,
    from_dataset,
    read_corpus,
    to_dataset,
    write_corpus,
)
from faqra_data.errors import CorpusError
from faqra_data.labels import LABELS

PARTS = st.lists(st.tuples(st.text(st.characters()), st.sampled_from(LABELS)), max_size=4)
DETAILS = st.fixed_dictionaries(
    dict.fromkeys(("source", "url", "title", "date", "kind", "corpus"), st.text(max_size=5))
)


def make(id_: int, parts: list[tuple[str, str]], details: dict[str, str]) -> LabelledArticle:
    texts, labels = zip(*parts, strict=True) if parts else ((), ())
    return LabelledArticle(f"a{id_}", texts, labels, **details)


@st.composite
def corpora(draw: st.DrawFn) -> list[LabelledArticle]:
    """A few articles with different ids."""
    pages = draw(st.lists(st.tuples(PARTS, DETAILS), min_size=1, max_size=4))
    return [make(number, parts, details) for number, (parts, details) in enumerate(pages)]


def rows_file(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def mistakes(*patterns: Path | str, **options: Any) -> str:
    with pytest.raises(CorpusError) as caught:
        read_corpus(patterns, **options)
    return str(caught.value)


@given(corpora())
@settings(max_examples=40, deadline=None)
def test_what_is_written_reads_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, articles: list[LabelledArticle]
) -> None:
    path = tmp_path_factory.mktemp("corpus") / "a.jsonl"
    assert write_corpus(articles, path) == len(articles)
    assert read_corpus([path]) == articles


@given(corpora(), st.randoms())
@settings(max_examples=40, deadline=None)
def test_the_digest_knows_no_order_of_articles(
    articles: list[LabelledArticle], chance: random.Random
) -> None:
    shuffled = chance.sample(articles, len(articles))
    assert corpus_digest(shuffled) == corpus_digest(articles)


def test_the_digest_knows_every_text_and_label() -> None:
    articles = [
        LabelledArticle("a", texts, labels)
        for texts in (("أ", "ب"), ("ب", "أ"), ("أ", "ب\ud800"))
        for labels in ((LABELS[0], LABELS[1]), (LABELS[1], LABELS[0]))
    ]
    assert len({corpus_digest([article]) for article in articles}) == len(articles)
    # Pinned: recipes and floors name digests of corpora.
    assert corpus_digest(articles[:1]) == "a2bf81a3ef3b962c"


def test_a_corpus_is_the_same_after_datasets(tmp_path: Path) -> None:
    articles = [
        LabelledArticle("a", ("أ", "ب"), (LABELS[3], LABELS[0]), source="s", corpus="c"),
        LabelledArticle("b", (), ()),
    ]
    dataset = to_dataset(articles)
    assert dataset.features["labels"].feature.names == list(LABELS)
    assert from_dataset(dataset) == articles
    own = [LabelledArticle("a", ("x",), ("spam",))]
    assert from_dataset(to_dataset(own, labels=("ham", "spam"))) == own


def test_an_article_goes_without_its_labels() -> None:
    article = LabelledArticle("a", ("أ", " "), LABELS[:2], source="s", title="t").article()
    assert [paragraph.text for paragraph in article.paragraphs] == ["أ", " "]
    assert (article.id, article.source, article.title, article.text) == ("a", "s", "t", None)


def test_files_are_read_in_order_packed_or_not(tmp_path: Path) -> None:
    for name in ("2.jsonl", "1.jsonl", "x[1].jsonl"):
        row = {"id": name, "paragraphs": ["أ"], "labels": [LABELS[0]]}
        rows_file(tmp_path / name, row)
    packed = tmp_path / "3.jsonl.gz"
    row = {"id": "3", "paragraphs": ["أ"], "labels": [LABELS[0]]}
    packed.write_bytes(gzip.compress(json.dumps(row).encode()))
    patterns = [str(tmp_path / "?.jsonl"), packed, tmp_path / "x[1].jsonl"]
    assert [a.id for a in read_corpus(patterns)] == ["1.jsonl", "2.jsonl", "3", "x[1].jsonl"]


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet", "rows.jsonl"])
def test_a_row_may_be_one_paragraph_with_any_labels(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    rows = [{"body": "أ", "class": "spam"}, {"body": "ب", "class": "ham"}]
    if name == "rows.csv":
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, ("body", "class"), delimiter=";")
            writer.writeheader()
            writer.writerows(rows)
    elif name == "rows.parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        rows_file(path, *rows)
    found = read_corpus([path], labels=("ham", "spam"), text_column="body", label_column="class")
    assert [(a.id, a.paragraphs, a.labels) for a in found] == [
        (f"{path}: row 1", ("أ",), ("spam",)),
        (f"{path}: row 2", ("ب",), ("ham",)),
    ]


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    good = {"id": "a", "paragraphs": ["أ"], "labels": [LABELS[0]]}
    path = rows_file(
        tmp_path / "a.jsonl",
        *(good, good),
        {**good, "labels": ["fact", "fact"]},
        {**good, "labels": ["fact"]},
        {**good, "labels": [[]]},
        {**good, "labels": None},
        {**good, "paragraphs": ["أ", None]},
        {**good, "paragraphs": "أ"},
        {"id": "b", "text": "أ"},
        ["أ"],
    )
    with path.open("ab") as file:
        file.write(b"{\n\xff\n")
    told = mistakes(path, tmp_path)
    assert told.splitlines() == [
        "12 mistakes in the corpus:",
        f"  {path}: row 2: id 'a' stands already at {path}: row 1",
        f"  {path}: row 3: 1 paragraphs need as many labels, got 2",
        f"  {path}: row 4: unknown label fact; expected {', '.join(LABELS)}",
        f"  {path}: row 5: unknown label []; expected {', '.join(LABELS)}",
        f"  {path}: row 6: 1 paragraphs need as many labels, got null",
        f"  {path}: row 7: expected text in each paragraph, got a string, null",
        f"  {path}: row 8: expected text in each paragraph, got a string",
        f"  {path}: row 9: expected 'paragraphs' and 'labels', or 'text' and 'label', got id, text",
        f"  {path}: row 10: expected a JSON object, got a list",
        f"  {path}: row 11: expected a JSON object, got no valid JSON: Expecting property name "
        "enclosed in double quotes: column 2",
        f"  {path}: row 12: expected UTF-8, got byte 0xff at 1",
        f"  {tmp_path}: cannot be read: Is a directory",
    ]


def test_many_mistakes_are_counted(tmp_path: Path) -> None:
    told = mistakes(rows_file(tmp_path / "a.jsonl", *([1] * 50)))
    assert told.startswith("50 mistakes")
    assert told.endswith("and 30 more")


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_an_empty_file_is_a_mistake(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    assert str(tmp_path / name) in mistakes(tmp_path / name)


def test_a_table_without_the_columns_is_one_mistake(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n3,4\n", encoding="utf-8")
    told = mistakes(tmp_path / "a.csv")
    assert "expected one of the columns paragraphs, text; got a, b" in told
    assert told.startswith("1 mistake in the corpus:")


def test_a_pattern_that_matches_nothing_is_a_mistake(tmp_path: Path) -> None:
    assert "no such file" in mistakes(tmp_path / "*.jsonl")
