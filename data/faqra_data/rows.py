"""The rows of JSON Lines, CSV and Parquet files as dicts, one after the other.

A row that is broken is said and reading goes on; no file is ever whole in memory. This module
does not know what the columns mean.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

from faqra_data.article import Rejected
from faqra_data.charset import codec_of
from faqra_data.errors import InputError
from faqra_data.forms import Form, form_by_ending
from faqra_data.streams import MOST_PAGE_BYTES, TOO_LONG, unpacked

_Item = TypeVar("_Item")

# Not strict: a tab or a NUL inside a string is what many exports hold, and is no loss.
_JSON = json.JSONDecoder(strict=False)
_DELIMITERS = ",;\t"  # Excel writes semicolons where a comma is the decimal sign
_UNDECODED = re.compile("[\udc80-\udcff]")
# Rows and bytes of a Parquet file that are decoded together: a book may be one row.
_ROWS_PER_BATCH = 64
_PARQUET_BUFFER_BYTES = 1 << 20
_KINDS = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row by column; numbers count from 1, lines in JSON Lines and rows elsewhere."""

    number: int
    values: dict[str, object]


def read_rows(
    path: Path, *, one_of: Sequence[str] = (), others: Sequence[str] = ()
) -> Iterator[Row | Rejected]:
    """The rows of a file; JSON Lines where the ending says nothing else. Otherwise as `rows_of`."""
    form = form_by_ending(path.name) or Form.JSON_LINES
    try:
        with path.open("rb") as file:
            yield from rows_of(file, unpacked(file), form, str(path), one_of=one_of, others=others)
    except OSError as error:
        yield Rejected(str(path), None, f"cannot be read: {error.strerror or error}")


def rows_of(
    file: BinaryIO,
    stream: io.BufferedReader,
    form: Form,
    name: str,
    *,
    one_of: Sequence[str] = (),
    others: Sequence[str] = (),
) -> Iterator[Row | Rejected]:
    """The rows of an open file and its unpacked bytes; rejections call it `name`.

    A table with none of the columns `one_of` is rejected whole. Of a Parquet file only these and
    `others` are read; without `one_of`, all.
    """
    if form is Form.PARQUET:
        rows = _parquet_rows(file, name, one_of, others)
    elif form is Form.CSV:
        rows = _csv_rows(stream, name, one_of)
    else:
        rows = _json_rows(stream, name)
    return until_broken(rows, name, "rows")


def until_broken(
    items: Iterator[_Item | Rejected], name: str, what: str
) -> Iterator[_Item | Rejected]:
    """What comes before a file breaks off, and then why it does, or that there is nothing."""
    count = 0
    try:
        for item in items:
            count += 1
            yield item
    except InputError as error:
        yield Rejected(name, None, f"{error} (after {count:,} {what})" if count else str(error))
    else:
        if not count:
            yield Rejected(name, None, f"expected {what}, got none")


def kind_of(value: object) -> str:
    """What a value is, in the words of an error message."""
    return _KINDS.get(type(value), type(value).__name__)


def _json_rows(stream: io.BufferedReader, name: str) -> Iterator[Row | Rejected]:
    # Said once: all of these bytes would be said line by line.
    codec = codec_of(stream.peek(), html=False)
    if codec.startswith("utf-16"):
        raise InputError("expected JSON Lines in UTF-8, got UTF-16")
    for number, line in enumerate(_lines(stream), 1):
        if len(line) > MOST_PAGE_BYTES:
            yield Rejected(name, number, TOO_LONG)
            continue
        if not line.strip(b" \t\r\n\xef\xbb\xbf"):
            continue
        try:
            value = _json_object(line)
        except InputError as error:
            reason = str(error)
            if number == 1 and line.lstrip(b"\xef\xbb\xbf \t").startswith(b"["):
                reason += "; jq -c '.[]' makes JSON Lines of it"
            yield Rejected(name, number, reason)
        else:
            yield Row(number, value)


def _json_object(line: bytes) -> dict[str, object]:
    try:
        value = _JSON.decode(line.decode("utf-8-sig").rstrip())
    except json.JSONDecodeError as error:
        got = f"no valid JSON: {error.msg}: column {error.colno}"
    except UnicodeDecodeError as error:
        got = f"byte 0x{line[error.start]:02x} at {error.start + 1}"
        raise InputError(f"expected UTF-8, got {got}") from error
    except (ValueError, RecursionError) as error:  # a huge number, a deep nesting
        got = f"what cannot be read: {error}"
    else:
        if isinstance(value, dict):
            return value
        got = kind_of(value)
    raise InputError(f"expected a JSON object, got {got}")


def _lines(stream: io.BufferedReader) -> Iterator[bytes]:
    """Line by line; of one longer than any page, only so much that this can be seen."""
    while line := stream.readline(MOST_PAGE_BYTES + 1):
        yield line
        while len(line) > MOST_PAGE_BYTES and not line.endswith(b"\n"):
            line = stream.readline(MOST_PAGE_BYTES + 1)


def _csv_rows(
    stream: io.BufferedReader, name: str, one_of: Sequence[str]
) -> Iterator[Row | Rejected]:
    head = stream.peek()
    codec = codec_of(head[: head.rfind(b"\n") + 1] or head, html=False)
    first_line = head.decode(codec, "replace").partition("\n")[0]
    errors = "surrogateescape" if codec.startswith("utf-8") else "replace"
    lines = io.TextIOWrapper(stream, codec, errors, newline="")
    # The csv module knows one limit for all readers; it is only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), MOST_PAGE_BYTES))
    # Strict: a wrong quotation mark would otherwise make one row of many, unseen.
    delimiter = max(_DELIMITERS, key=first_line.count)
    records = csv.reader(lines, delimiter=delimiter, strict=True)
    columns: list[str] = []
    number = 0
    while True:
        try:
            fields = next(records, None)
        except csv.Error as error:
            if not columns:
                raise InputError(
                    f"a wrong or unclosed quotation mark in the header: {error}"
                ) from error
            number += 1
            yield Rejected(name, number, f"a wrong or unclosed quotation mark: {error}")
            continue
        if fields is None:
            return
        if not fields:  # an empty line
            continue
        if not columns:
            columns = [column.strip() for column in fields]
            _check_columns(columns, one_of)
            continue
        number += 1
        if len(fields) != len(columns):
            reason = f"expected {len(columns)} fields as in the header, got {len(fields)}"
            yield Rejected(name, number, reason)
        elif any(map(_UNDECODED.search, fields)):
            yield Rejected(name, number, "expected UTF-8, as in the rows above it, got other bytes")
        else:
            yield Row(number, dict(zip(columns, fields, strict=True)))


def _parquet_rows(
    file: BinaryIO, name: str, one_of: Sequence[str], others: Sequence[str]
) -> Iterator[Row | Rejected]:
    import pyarrow as pa  # noqa: PLC0415 - a third of a second that other forms need not wait
    import pyarrow.parquet as pq  # noqa: PLC0415

    if not file.seekable():
        raise InputError(
            "Parquet cannot be read from a pipe, nor from a server that only gives it whole; "
            "expected a file"
        )
    file.seek(0)
    number = 0
    try:
        # Read in advance, the whole file stays in memory: 590 MB instead of 170 for one of 400.
        table = pq.ParquetFile(file, buffer_size=_PARQUET_BUFFER_BYTES, pre_buffer=False)
        names = table.schema_arrow.names
        _check_columns(names, one_of)
        wanted = [column for column in names if column in {*one_of, *others}] if one_of else None
        for batch in table.iter_batches(_ROWS_PER_BATCH, columns=wanted):
            for position in range(batch.num_rows):
                number += 1
                try:
                    values = {c: batch[c][position].as_py() for c in batch.schema.names}
                except (ValueError, OverflowError) as error:  # no UTF-8, a date past all calendars
                    yield Rejected(name, number, f"a value that cannot be read: {error}")
                    continue
                yield Row(number, values)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"broken Parquet: {' '.join(str(error).split())}") from error


def _check_columns(columns: Sequence[str], one_of: Sequence[str]) -> None:
    if one_of and not set(columns) & set(one_of):
        raise InputError(
            f"expected one of the columns {', '.join(one_of)}; got {', '.join(columns) or 'none'}"
        )
