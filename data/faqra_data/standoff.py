"""Labels without the text they belong to, and the text put back from local copies.

The text of newspapers is theirs; the labels are ours. An annotation row holds where an
article came from and, for each paragraph, a digest of its text and its label. Hydrating
finds each text by its digest in whatever copies are at hand, so a text that differs by one
character is not found rather than wrongly labelled.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from faqra_data.corpus import LabelledArticle
from faqra_data.errors import CorpusError
from faqra_data.segmentation import segment_text

_DIGEST_HEX_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Annotation:
    """One article's labels; `digests[i]` and `labels[i]` are its paragraph i's."""

    id: str
    corpus: str
    source: str
    url: str
    date: str
    kind: str
    digests: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hydrated:
    """Articles whose every paragraph was found, and for the others how many were not."""

    articles: tuple[LabelledArticle, ...]
    missing: dict[str, int]


def digest(text: str) -> str:
    """The first 16 hex digits of the SHA-256 of a paragraph's UTF-8."""
    raw = text.encode("utf-8", "surrogatepass")
    return hashlib.sha256(raw).hexdigest()[:_DIGEST_HEX_DIGITS]


def annotate(article: LabelledArticle, corpus: str) -> Annotation:
    """The standoff form of a labelled article; `corpus` names where its text is published."""
    return Annotation(
        id=article.id,
        corpus=corpus,
        source=article.source,
        url=article.url,
        date=article.date,
        kind=article.kind,
        digests=tuple(map(digest, article.paragraphs)),
        labels=article.labels,
    )


def write_annotations(annotations: Iterable[Annotation], path: Path) -> None:
    """Write JSON Lines."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for a in annotations:
            row = {name: getattr(a, name) for name in a.__slots__}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def read_annotations(path: Path) -> list[Annotation]:
    """The annotations that `write_annotations` wrote."""
    annotations = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            row["digests"], row["labels"] = tuple(row["digests"]), tuple(row["labels"])
            annotation = Annotation(**row)
        except (ValueError, TypeError, KeyError) as error:
            raise CorpusError(f"{path}: row {number}: not an annotation: {error}") from error
        if len(annotation.digests) != len(annotation.labels):
            raise CorpusError(
                f"{path}: row {number}: {len(annotation.digests)} digests need as many labels, "
                f"got {len(annotation.labels)}"
            )
        annotations.append(annotation)
    return annotations


def hydrate(annotations: Sequence[Annotation], sources: Sequence[Path]) -> Hydrated:
    """The labelled articles of `annotations`, their texts found in the files below `sources`.

    Reads every `.jsonl` (`paragraphs`, `text`, `title`) and `.parquet` (`text`, `title`) file.
    """
    wanted = {one for annotation in annotations for one in annotation.digests}
    found: dict[str, str] = {}
    for path in _files(sources):
        for text in _texts(path):
            key = digest(text)
            if key in wanted:
                found[key] = text
        if len(found) == len(wanted):
            break
    articles, missing = [], {}
    for a in annotations:
        texts = tuple(found[one] for one in a.digests if one in found)
        if len(texts) < len(a.digests):
            missing[a.id] = len(a.digests) - len(texts)
        else:
            articles.append(
                LabelledArticle(
                    a.id, texts, a.labels, source=a.source, url=a.url, date=a.date, kind=a.kind
                )
            )
    return Hydrated(tuple(articles), missing)


def _files(sources: Sequence[Path]) -> list[Path]:
    for source in sources:
        if not source.exists():
            raise CorpusError(f"{source}: no such file or folder; expected copies of the texts")
    files = [
        file
        for source in sources
        for file in ([source] if source.is_file() else sorted(source.rglob("*")))
        if file.suffix in (".jsonl", ".parquet")
    ]
    if not files:
        raise CorpusError(
            f"{', '.join(map(str, sources))}: nothing to read; expected .jsonl or .parquet files"
        )
    return files


def _texts(path: Path) -> Iterator[str]:
    """Every paragraph of a file: as given, and as segmentation finds it in running text."""
    for row in _rows(path):
        yield from row.get("paragraphs") or ()
        for name in ("title", "text"):
            if row.get(name):
                text = row[name]
                yield text
                yield from text.split("\n")
                yield from (paragraph.text for paragraph in segment_text(text))


def _rows(path: Path) -> Iterator[dict]:  # type: ignore[type-arg]
    if path.suffix == ".jsonl":
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)
        return
    import pyarrow.parquet as pq  # noqa: PLC0415 - only this form needs it

    file = pq.ParquetFile(path)
    columns = [name for name in ("paragraphs", "title", "text") if name in file.schema_arrow.names]
    for batch in file.iter_batches(1024, columns=columns):
        yield from batch.to_pylist()
