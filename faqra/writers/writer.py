"""The formats by name, and the one way to get a writer for any of them.

A format's module is imported when it is asked for: a pipe of JSON Lines waits neither for
pyarrow nor for rich.
"""

from collections.abc import Sequence
from typing import BinaryIO, Protocol

from faqra.writers.rows import article_rows, rows
from faqra_models.prediction import ArticlePredictions

FORMATS = ("table", "jsonl", "csv", "parquet", "html")
# Those that can hold a list in a row.
ARTICLE_FORMATS = ("jsonl", "parquet")


class Writer(Protocol):
    """Puts one article after the other on a stream that somebody else opens and closes."""

    def write(self, result: ArticlePredictions) -> None:
        """Add one article's paragraphs."""
        ...

    def close(self) -> None:
        """Add what stands at the end; the stream stays open."""
        ...


def open_writer(
    format_: str, stream: BinaryIO, labels: Sequence[str], *, by_article: bool = False
) -> Writer:
    """A writer of one of FORMATS for the predictions of a model with these labels.

    With `by_article` a row is an article; only ARTICLE_FORMATS have such rows.
    """
    if by_article and format_ not in ARTICLE_FORMATS:
        raise ValueError(f"expected one of {', '.join(ARTICLE_FORMATS)}, got {format_!r}")
    made = article_rows if by_article else rows
    match format_:
        case "jsonl":
            from faqra.writers.jsonl import JsonLinesWriter  # noqa: PLC0415 - see the module

            return JsonLinesWriter(stream, made)
        case "csv":
            from faqra.writers.csv import CsvWriter  # noqa: PLC0415

            return CsvWriter(stream)
        case "parquet":
            from faqra.writers.parquet import (  # noqa: PLC0415
                ParquetWriter,
                article_schema,
                paragraph_schema,
            )

            schema = article_schema() if by_article else paragraph_schema(labels)
            return ParquetWriter(stream, made, schema)
        case "table":
            from faqra.writers.table import TableWriter  # noqa: PLC0415

            return TableWriter(stream, labels)
        case "html":
            from faqra.writers.report import ReportWriter  # noqa: PLC0415

            return ReportWriter(stream, labels)
        case _:
            raise ValueError(f"expected one of {', '.join(FORMATS)}, got {format_!r}")
