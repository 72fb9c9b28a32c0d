"""CSV as RFC 4180 has it, with a heading; `probabilities` is a JSON object in one column.

UTF-8 without a byte-order mark, which most programs would take for part of the first
heading.
"""

import csv
import io
import json
from typing import BinaryIO

from faqra.writers.rows import Row, encodable, rows
from faqra_models.prediction import ArticlePredictions

COLUMNS = tuple(Row.__annotations__)


class CsvWriter:
    """Truth values are written `true` and `false`, a missing offset as nothing."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._put([COLUMNS])

    def write(self, result: ArticlePredictions) -> None:
        """Add one record a paragraph."""
        self._put([_record(row) for row in rows(result)])

    def close(self) -> None:
        """Nothing stands at the end."""

    def _put(self, records: list[tuple[object, ...]] | list[tuple[str, ...]]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(records)
        self._stream.write(encodable(text.getvalue()).encode("utf-8"))


def _record(row: Row) -> tuple[object, ...]:
    written = {
        **row,
        "probabilities": json.dumps(row["probabilities"], ensure_ascii=False),
        "truncated": "true" if row["truncated"] else "false",
    }
    return tuple(written[column] for column in COLUMNS)
