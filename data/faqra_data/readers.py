"""Inputs of any kind as a stream of articles, and of what could not be read.

Nothing is passed over in silence, and nothing is in memory longer than its page or row. This
module says which reader is for which form; it does not know the forms.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from faqra_data.article import Article, Rejected
from faqra_data.errors import InputError
from faqra_data.forms import ROWS, Form, form_by_content
from faqra_data.inputs import Found, find_files
from faqra_data.pages import DETAIL_COLUMNS, article_of_row, read_page, text_columns
from faqra_data.rows import Row, rows_of, until_broken
from faqra_data.streams import read_whole, unpacked
from faqra_data.warc import read_warc

__all__ = ["Rejected", "read_file", "read_inputs"]

STDIN = "-"


def read_inputs(
    inputs: Iterable[str],
    *,
    text_column: str = "text",
    stdin: BinaryIO | None = None,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> Iterator[Article | Rejected]:
    """The articles of files, folders, patterns and `-` (`stdin`, by default the process's own).

    In the order of the inputs, each a path or a URL. An article's id is the name of its file as
    given, `name:ROW` for a row without an `id`, or the URL of a page in an archive. `on_bytes` is
    told how many bytes more were read of a file, to the size of each file in the end.
    """
    for name in inputs:
        if name == STDIN:
            yield from _read(stdin or sys.stdin.buffer, Found(STDIN, None, None), text_column)
            continue
        for found in find_files(name):
            if isinstance(found, Rejected):
                yield found
            else:
                yield from read_file(found, text_column=text_column, on_bytes=on_bytes)


def read_file(
    found: Found, *, text_column: str = "text", on_bytes: Callable[[int], None] = lambda _: None
) -> Iterator[Article | Rejected]:
    """The articles of one file, as `read_inputs` gives them."""
    try:
        with found.open() as file:
            told = 0
            for item in _read(file, found, text_column):
                # A pipe such as <(command) has no place, nor what a server only gives whole.
                position = file.tell() if file.seekable() else 0
                on_bytes(position - told)
                told = position
                yield item
            if found.size is not None:
                on_bytes(found.size - told)
    except InputError as error:
        yield Rejected(found.name, None, str(error))
    except OSError as error:
        yield Rejected(found.name, None, f"cannot be read: {error.strerror or error}")


def _read(file: BinaryIO, found: Found, text_column: str) -> Iterator[Article | Rejected]:
    name, stream = found.name, unpacked(file)
    try:
        form = found.form or form_by_content(stream.peek())
        page = None if form in (*ROWS, Form.WARC) else read_page(read_whole(stream), name, form)
    except InputError as error:
        yield Rejected(name, None, str(error))
        return
    if page is not None:
        yield page
    elif form is Form.WARC:
        yield from until_broken(read_warc(stream, name), name, "records")
    else:
        columns = text_columns(text_column)
        rows = rows_of(file, stream, form, name, one_of=columns, others=DETAIL_COLUMNS)
        for row in rows:
            yield _article(row, name, text_column) if isinstance(row, Row) else row


def _article(row: Row, name: str, text_column: str) -> Article | Rejected:
    try:
        return article_of_row(row.values, f"{name}:{row.number}", text_column=text_column)
    except InputError as error:
        return Rejected(name, row.number, str(error))
