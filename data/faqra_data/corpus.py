"""The corpus form: labelled articles as JSON Lines, and as a `datasets.Dataset`.

One object a page: `id, source, url, title, date, kind, paragraphs, labels`. This module
checks what it reads; it does not know how articles are split (`splits`) or where labels
came from (`standoff`).
"""

import csv
import glob
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faqra_data.article import Article
from faqra_data.errors import CorpusError
from faqra_data.labels import LABELS

if TYPE_CHECKING:
    import datasets

_TEXT_FIELDS = ("id", "source", "url", "title", "date", "kind")


@dataclass(frozen=True, slots=True)
class LabelledArticle:
    """One page whose paragraphs all have a label; `kind` is free (`news`, `single`, ...)."""

    id: str
    paragraphs: tuple[str, ...]
    labels: tuple[str, ...]
    source: str = ""
    url: str = ""
    title: str = ""
    date: str = ""
    kind: str = ""

    def article(self) -> Article:
        """The page without its labels."""
        return Article.from_paragraphs(
            self.id,
            self.paragraphs,
            source=self.source,
            url=self.url,
            title=self.title,
            date=self.date,
        )

    def to_dict(self) -> dict[str, Any]:
        """As one JSON object; `kind` only where there is one."""
        values: dict[str, Any] = {name: getattr(self, name) for name in _TEXT_FIELDS}
        if not self.kind:
            del values["kind"]
        return {**values, "paragraphs": list(self.paragraphs), "labels": list(self.labels)}


def read_corpus(
    patterns: Sequence[str | Path],
    *,
    labels: Sequence[str] = LABELS,
    text_column: str = "text",
    label_column: str = "label",
) -> list[LabelledArticle]:
    """All labelled articles of files or globs, in order.

    JSON Lines hold a page a row; CSV and Parquet may hold one paragraph a row in `text_column`
    with its label in `label_column`. Raises CorpusError with every mistake found (the first
    twenty named), so that a corpus is mended once.
    """
    paths = [path for pattern in patterns for path in _matching(str(pattern))]
    articles: list[LabelledArticle] = []
    mistakes: list[str] = []
    seen: dict[str, str] = {}
    for path in paths:
        for number, row in _rows(path, mistakes):
            where = f"{path}: row {number}"
            try:
                article = _parse(row, where, labels, text_column, label_column)
            except CorpusError as error:
                mistakes.append(str(error))
                continue
            if article.id in seen:
                mistakes.append(f"{where}: id {article.id!r} stands already at {seen[article.id]}")
            seen[article.id] = where
            articles.append(article)
    if mistakes:
        more = [f"  and {len(mistakes) - 20} more"] if len(mistakes) > 20 else []
        lines = [f"{len(mistakes)} mistakes in the corpus:", *(f"  {m}" for m in mistakes[:20])]
        raise CorpusError("\n".join(lines + more))
    if not articles:
        raise CorpusError(f"{', '.join(map(str, patterns))}: no labelled article; expected rows")
    return articles


def write_corpus(articles: Iterable[LabelledArticle], path: Path) -> int:
    """Write JSON Lines; the number of articles written."""
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for article in articles:
            file.write(json.dumps(article.to_dict(), ensure_ascii=False) + "\n")
            count += 1
    return count


def corpus_digest(articles: Iterable[LabelledArticle]) -> str:
    """SHA-256 (16 hex digits) over ids, paragraphs and labels, whatever the order of articles."""
    rows = sorted(
        json.dumps([a.id, a.paragraphs, a.labels], ensure_ascii=False) for a in articles
    )
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16]


def to_dataset(
    articles: Sequence[LabelledArticle], labels: Sequence[str] = LABELS
) -> "datasets.Dataset":
    """A `datasets.Dataset` with one row an article and `labels` as a list of ClassLabel."""
    import datasets  # noqa: PLC0415 - half a second, and only training installs it

    features = datasets.Features(
        {
            **{name: datasets.Value("string") for name in _TEXT_FIELDS},
            "paragraphs": datasets.List(datasets.Value("string")),
            "labels": datasets.List(datasets.ClassLabel(names=list(labels))),
        }
    )
    rows = {
        **{name: [getattr(a, name) for a in articles] for name in _TEXT_FIELDS},
        "paragraphs": [list(a.paragraphs) for a in articles],
        "labels": [list(a.labels) for a in articles],
    }
    return datasets.Dataset.from_dict(rows, features=features)


def from_dataset(dataset: "datasets.Dataset") -> list[LabelledArticle]:
    """The articles that `to_dataset` was given."""
    names = dataset.features["labels"].feature
    return [
        LabelledArticle(
            **{name: row[name] for name in _TEXT_FIELDS},
            paragraphs=tuple(row["paragraphs"]),
            labels=tuple(names.int2str(row["labels"])),
        )
        for row in dataset
    ]


def _matching(pattern: str) -> list[Path]:
    paths = [Path(path) for path in sorted(glob.glob(pattern, recursive=True))]
    if not paths:
        raise CorpusError(f"{pattern}: no such file; expected labelled articles (.jsonl)")
    return paths


def _rows(path: Path, mistakes: list[str]) -> Iterator[tuple[int, Any]]:
    """The rows of one file, numbered from 1; what cannot be read goes to `mistakes`."""
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq  # noqa: PLC0415 - only this form needs it

        batches = pq.ParquetFile(path).iter_batches()
        yield from enumerate((row for batch in batches for row in batch.to_pylist()), 1)
    elif path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from enumerate(csv.DictReader(file), 1)
    else:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    yield number, json.loads(line.decode("utf-8"))
                except ValueError as error:
                    mistakes.append(f"{path}: row {number}: not valid JSON in UTF-8: {error}")


def _parse(
    row: Any,  # noqa: ANN401 - whatever JSON holds
    where: str,
    labels: Sequence[str],
    text_column: str,
    label_column: str,
) -> LabelledArticle:
    if not isinstance(row, dict):
        raise CorpusError(f"{where}: expected an object, got {type(row).__name__}")
    if "paragraphs" in row:
        texts, names = row["paragraphs"], row.get("labels")
    elif text_column in row and label_column in row:
        texts, names = [row[text_column]], [row[label_column]]
    else:
        raise CorpusError(
            f"{where}: expected 'paragraphs' and 'labels', or '{text_column}' and "
            f"'{label_column}', got {', '.join(map(str, row)) or 'nothing'}"
        )
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise CorpusError(f"{where}: paragraphs: expected a list of strings")
    if not isinstance(names, list) or len(names) != len(texts):
        count = len(names) if isinstance(names, list) else "none"
        raise CorpusError(f"{where}: {len(texts)} paragraphs need as many labels, got {count}")
    wrong = sorted({str(name) for name in names if name not in labels})
    if wrong:
        raise CorpusError(
            f"{where}: unknown label {', '.join(wrong)}; expected {', '.join(labels)}"
        )
    given = {name: str(row[name]) for name in _TEXT_FIELDS if row.get(name) is not None}
    return LabelledArticle(
        **{"id": where, **given}, paragraphs=tuple(texts), labels=tuple(map(str, names))
    )
