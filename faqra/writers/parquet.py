"""Parquet: the rows as typed columns, in row groups as they come.

`probabilities` is a struct with one field a label, so that it reads back as the same object
that JSON Lines holds and each label is a column of its own to a query.
"""

from collections.abc import Sequence
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from faqra.writers.rows import RowMaker, encodable
from faqra_models.prediction import ArticlePredictions

# A row group is held in memory until it is full.
_ROWS_PER_GROUP = 10_000
_CHARACTERS_PER_GROUP = 16_000_000


class ParquetWriter:
    """Rows reach the stream a group at a time; the file is complete only after `close`."""

    def __init__(self, stream: BinaryIO, rows: RowMaker, schema: pa.Schema) -> None:
        self._rows_of = rows
        self._schema = schema
        self._file = pq.ParquetWriter(stream, schema, compression="zstd")
        self._rows: list[dict[str, object]] = []
        self._characters = 0

    def write(self, result: ArticlePredictions) -> None:
        """Add the article's rows to the group, and the group to the file where it is full."""
        for row in self._rows_of(result):
            self._rows.append({name: _encodable(value) for name, value in row.items()})
            self._characters += len(row["text"])
            if len(self._rows) >= _ROWS_PER_GROUP or self._characters >= _CHARACTERS_PER_GROUP:
                self._write_group()

    def close(self) -> None:
        """Write the last group and the file's directory."""
        if self._rows:
            self._write_group()
        self._file.close()

    def _write_group(self) -> None:
        self._file.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
        self._rows = []
        self._characters = 0


def paragraph_schema(labels: Sequence[str]) -> pa.Schema:
    """The columns and their types where a row is a paragraph, for a model with these labels."""
    number, text = pa.float64(), pa.string()
    columns: list[pa.Field[Any]] = [
        pa.field("article", text, nullable=False),
        pa.field("index", pa.int32(), nullable=False),
        pa.field("start", pa.int64()),
        pa.field("end", pa.int64()),
        pa.field("text", text, nullable=False),
        pa.field("label", text, nullable=False),
        pa.field("confidence", number, nullable=False),
        pa.field("probabilities", pa.struct([(label, number) for label in labels])),
        pa.field("truncated", pa.bool_(), nullable=False),
    ]
    return pa.schema(columns)


def article_schema() -> pa.Schema:
    """The columns and their types where a row is an article."""
    text = pa.string()
    columns: list[pa.Field[Any]] = [
        *(
            pa.field(name, text, nullable=False)
            for name in ("id", "source", "url", "title", "date", "text")
        ),
        pa.field("paragraphs", pa.list_(text), nullable=False),
        pa.field("labels", pa.list_(text), nullable=False),
        pa.field("confidences", pa.list_(pa.float64()), nullable=False),
    ]
    return pa.schema(columns)


def _encodable(value: object) -> object:
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, list):
        return [_encodable(one) for one in value]
    return value
