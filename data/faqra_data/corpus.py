"""The corpus form: labelled articles as JSON Lines, and as a `datasets.Dataset`.

One object a page: `id, corpus, source, url, title, date, kind, paragraphs, labels`. This
module checks what it reads; it does not know how rows are read (`rows`), how articles are
split (`splits`) or where labels came from (`standoff`).
"""

import glob
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faqra_data.article import Article
from faqra_data.errors import CorpusError
from faqra_data.labels import LABELS
from faqra_data.rows import Row, kind_of, read_rows

if TYPE_CHECKING:
    import datasets

_TEXT_FIELDS = ("id", "corpus", "source", "url", "title", "date", "kind")


@dataclass(frozen=True, slots=True)
class LabelledArticle:
    """One page whose paragraphs all have a label.

    `corpus` names the collection that the page came with, and `kind` is free (`news`, `single`).
    """

    id: str
    paragraphs: tuple[str, ...]
    labels: tuple[str, ...]
    source: str = ""
    url: str = ""
    title: str = ""
    date: str = ""
    kind: str = ""
    corpus: str = ""

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
        """As one JSON object; `corpus` and `kind` only where there is one."""
        details = {name: getattr(self, name) for name in _TEXT_FIELDS}
        kept = {k: value for k, value in details.items() if value or k not in ("corpus", "kind")}
        return {**kept, "paragraphs": list(self.paragraphs), "labels": list(self.labels)}


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
        others = (*_TEXT_FIELDS, "labels", label_column)
        for row in read_rows(path, one_of=("paragraphs", text_column), others=others):
            if not isinstance(row, Row):
                mistakes.append(f"{path}: {f'row {row.row}: ' if row.row else ''}{row.reason}")
                continue
            where = f"{path}: row {row.number}"
            try:
                article = _parse(row.values, where, labels, text_column, label_column)
            except CorpusError as error:
                mistakes.append(str(error))
                continue
            if article.id in seen:
                mistakes.append(f"{where}: id {article.id!r} stands already at {seen[article.id]}")
            seen[article.id] = where
            articles.append(article)
    if mistakes:
        more = [f"  and {len(mistakes) - 20} more"] if len(mistakes) > 20 else []
        count = f"{len(mistakes)} mistake{'' if len(mistakes) == 1 else 's'}"
        # A label or a name that goes on below would pass for a mistake of its own.
        named = [f"  {mistake}".replace("\n", "\\n") for mistake in mistakes[:20]]
        raise CorpusError("\n".join([f"{count} in the corpus:", *named, *more]))
    return articles


def write_corpus(articles: Iterable[LabelledArticle], path: Path) -> int:
    """Write JSON Lines; the number of articles written."""
    count = 0
    # What UTF-8 cannot hold becomes \udXXX, which is how JSON spells it.
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        for article in articles:
            file.write(json.dumps(article.to_dict(), ensure_ascii=False) + "\n")
            count += 1
    return count


def corpus_digest(articles: Iterable[LabelledArticle]) -> str:
    """SHA-256 (16 hex digits) over ids, paragraphs and labels, whatever the order of articles."""
    rows = sorted(json.dumps([a.id, a.paragraphs, a.labels], ensure_ascii=False) for a in articles)
    return hashlib.sha256("\n".join(rows).encode("utf-8", "backslashreplace")).hexdigest()[:16]


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
    if Path(pattern).exists():
        return [Path(pattern)]
    paths = [Path(path) for path in sorted(glob.glob(pattern, recursive=True))]
    if not paths:
        raise CorpusError(f"{pattern}: no such file; expected labelled articles (.jsonl)")
    return paths


def _parse(
    row: Mapping[str, object],
    where: str,
    labels: Sequence[str],
    text_column: str,
    label_column: str,
) -> LabelledArticle:
    texts: object
    names: object
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
        raise CorpusError(f"{where}: expected text in each paragraph, got {_kinds_of(texts)}")
    if not isinstance(names, list) or len(names) != len(texts):
        count = len(names) if isinstance(names, list) else kind_of(names)
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


def _kinds_of(texts: object) -> str:
    items = texts if isinstance(texts, list) else [texts]
    return ", ".join(sorted({kind_of(item) for item in items}))
