"""The forms that inputs come in, known by the ending of a name or else by the first bytes.

This module does not know how a form is read (see `readers`).
"""

import re
from enum import Enum, auto
from pathlib import PurePath

from faqra_data.charset import decode_page


class Form(Enum):
    """What a file is; a PAGE is text or HTML, whichever it turns out to be."""

    TEXT = auto()
    HTML = auto()
    PAGE = auto()
    JSON_LINES = auto()
    CSV = auto()
    PARQUET = auto()
    WARC = auto()


_FORM_OF_ENDING = {
    ".txt": Form.TEXT,
    ".html": Form.HTML,
    ".htm": Form.HTML,
    ".xhtml": Form.HTML,
    ".jsonl": Form.JSON_LINES,
    ".ndjson": Form.JSON_LINES,
    ".csv": Form.CSV,
    ".tsv": Form.CSV,
    ".parquet": Form.PARQUET,
    ".warc": Form.WARC,
}
ENDINGS = ", ".join(_FORM_OF_ENDING)
ROWS = frozenset((Form.JSON_LINES, Form.CSV, Form.PARQUET))
_PACKED = (".gz", ".zst")
# An array is no JSON Lines; it is taken for it, so that it is not read as somebody's prose.
_JSON_START = re.compile(r"\s*(?:\{\s*[\"}]|\[\s*\{)")


def form_by_ending(name: str) -> Form | None:
    """The form that the ending of a file's name tells; `.gz` or `.zst` may follow it."""
    path = PurePath(name.lower())
    ending = PurePath(path.stem).suffix if path.suffix in _PACKED else path.suffix
    return _FORM_OF_ENDING.get(ending)


def form_by_content(head: bytes) -> Form:
    """The form that the first bytes of an unpacked file tell.

    Raises InputError for bytes that are no text and of no form that is read.
    """
    if head.startswith(b"PAR1"):
        return Form.PARQUET
    if head.startswith(b"WARC/"):
        return Form.WARC
    return Form.JSON_LINES if _JSON_START.match(decode_page(head)) else Form.PAGE
