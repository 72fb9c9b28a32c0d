"""Labels without the text they belong to, and the text put back from local copies.

The text of newspapers is theirs; the labels are ours. An annotation row holds where an
article came from and, for each paragraph, a digest of its text and its label. Hydrating
finds each text by its digest in whatever copies are at hand, so a text that differs by one
character is not found rather than wrongly labelled.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any

from faqra_data.article import Rejected
from faqra_data.corpus import LabelledArticle
from faqra_data.errors import CorpusError
from faqra_data.forms import ROWS, form_by_ending
from faqra_data.rows import Row, kind_of, read_rows
from faqra_data.segmentation import segment_text

_DIGEST_HEX_DIGITS = 16
_TEXT_COLUMNS = ("paragraphs", "title", "text")


@dataclass(frozen=True, slots=True)
class Annotation:
    """One article's labels; `digests[i]` and `labels[i]` are its paragraph i's.

    `corpus` names where its text is published; `title_digest` is empty where it has no title.
    """

    id: str
    corpus: str
    source: str
    url: str
    date: str
    kind: str
    digests: tuple[str, ...]
    labels: tuple[str, ...]
    title_digest: str = ""


@dataclass(frozen=True, slots=True)
class Hydrated:
    """Articles whose every paragraph was found; for the others which were not, by their id.

    `unread` are the files and rows among the sources that could not be read.
    """

    articles: tuple[LabelledArticle, ...]
    missing: dict[str, tuple[int, ...]]
    unread: tuple[Rejected, ...] = ()


def digest(text: str) -> str:
    """The first 16 hex digits of the SHA-256 of a paragraph's UTF-8."""
    raw = text.encode("utf-8", "surrogatepass")
    return hashlib.sha256(raw).hexdigest()[:_DIGEST_HEX_DIGITS]


def annotate(article: LabelledArticle) -> Annotation:
    """The standoff form of a labelled article."""
    return Annotation(
        id=article.id,
        corpus=article.corpus,
        source=article.source,
        url=article.url,
        date=article.date,
        kind=article.kind,
        digests=tuple(map(digest, article.paragraphs)),
        labels=article.labels,
        title_digest=digest(article.title) if article.title else "",
    )


def write_annotations(annotations: Iterable[Annotation], path: Path) -> None:
    """Write JSON Lines."""
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        for annotation in annotations:
            file.write(json.dumps(asdict(annotation), ensure_ascii=False) + "\n")


def read_annotations(path: Path) -> list[Annotation]:
    """The annotations that `write_annotations` wrote; CorpusError where a row is none."""
    annotations = []
    for row in read_rows(path):
        if not isinstance(row, Row):
            where = f"{path}: row {row.row}" if row.row else f"{path}"
            raise CorpusError(f"{where}: not an annotation: {row.reason}")
        annotations.append(_parse(row.values, f"{path}: row {row.number}"))
    return annotations


def _parse(row: Mapping[str, object], where: str) -> Annotation:
    values: dict[str, Any] = {}
    for field in fields(Annotation):
        value = row.get(field.name, field.default)
        if field.name in ("digests", "labels"):
            wanted, fits = "a list of strings", _is_strings(value)
        else:
            wanted, fits = "a string", isinstance(value, str)
        if not fits:
            came = "none" if value is MISSING else kind_of(value)
            raise CorpusError(f"{where}: {field.name}: expected {wanted}, got {came}")
        values[field.name] = tuple(value) if isinstance(value, list) else value
    annotation = Annotation(**values)
    if len(annotation.digests) != len(annotation.labels):
        raise CorpusError(
            f"{where}: {len(annotation.digests)} digests need as many labels, "
            f"got {len(annotation.labels)}"
        )
    return annotation


def _is_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def hydrate(annotations: Sequence[Annotation], sources: Sequence[Path]) -> Hydrated:
    """The labelled articles of `annotations`, their texts found in the files below `sources`.

    Reads `paragraphs`, `text` and `title` of every JSON Lines, CSV and Parquet file. A title that
    is not found is left empty.
    """
    wanted = {key for a in annotations for key in (*a.digests, a.title_digest) if key}
    found: dict[str, str] = {}
    unread: list[Rejected] = []
    for path in _files(sources):
        for row in read_rows(path, one_of=_TEXT_COLUMNS):
            if isinstance(row, Row):
                texts = ((digest(text), text) for text in _texts(row.values))
                found.update((key, text) for key, text in texts if key in wanted)
            else:
                unread.append(row)
        if len(found) == len(wanted):
            break
    articles: list[LabelledArticle] = []
    missing: dict[str, tuple[int, ...]] = {}
    for a in annotations:
        lost = tuple(index for index, key in enumerate(a.digests) if key not in found)
        if lost:
            missing[a.id] = lost
        else:
            articles.append(_put_together(a, found))
    return Hydrated(tuple(articles), missing, tuple(unread))


def _put_together(annotation: Annotation, found: Mapping[str, str]) -> LabelledArticle:
    return LabelledArticle(
        id=annotation.id,
        paragraphs=tuple(found[key] for key in annotation.digests),
        labels=annotation.labels,
        source=annotation.source,
        url=annotation.url,
        title=found.get(annotation.title_digest, ""),
        date=annotation.date,
        kind=annotation.kind,
        corpus=annotation.corpus,
    )


def _files(sources: Sequence[Path]) -> list[Path]:
    for source in sources:
        if not source.exists():
            raise CorpusError(f"{source}: no such file or folder; expected copies of the texts")
    files = [
        file
        for source in sources
        for file in ([source] if source.is_file() else sorted(source.rglob("*")))
        if form_by_ending(file.name) in ROWS and file.is_file()
    ]
    if not files:
        raise CorpusError(
            f"{', '.join(map(str, sources))}: nothing to read; expected .jsonl, .csv or .parquet "
            "files"
        )
    return files


def _texts(row: Mapping[str, object]) -> Iterator[str]:
    """Every paragraph of a row: as given, as a line of text, and as segmentation finds it."""
    given = row.get("paragraphs")
    if isinstance(given, list):
        yield from (text for text in given if isinstance(text, str))
    for name in ("title", "text"):
        text = row.get(name)
        if isinstance(text, str):
            yield text
            for line in text.split("\n"):
                yield from _spellings(line)
            for paragraph in segment_text(text):
                yield from _spellings(paragraph.text)


def _spellings(text: str) -> set[str]:
    """The text with its white space as it is, and as web pages and their readers leave it."""
    return {text, text.strip(), " ".join(text.split())}
