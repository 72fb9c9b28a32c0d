"""A page's bytes, text, markup or row as an Article.

This module does not know in which file or archive a page stands.
"""

from collections.abc import Mapping, Sequence

from faqra_data.article import Article
from faqra_data.charset import decode_page
from faqra_data.errors import InputError
from faqra_data.forms import Form
from faqra_data.html import looks_like_html, read_html
from faqra_data.rows import kind_of
from faqra_data.segmentation import segment_text

# Where a row's text stands unless a column is asked for; the first that holds any is read.
_TEXT_COLUMNS = ("paragraphs", "text", "html")
DETAIL_COLUMNS = ("id", "source", "url", "title", "date")


def read_page(raw: bytes, id: str, form: Form = Form.PAGE) -> Article:  # noqa: A002 - as in Article
    """The article of a file of text or HTML; Form.PAGE is whichever its text looks like.

    Raises InputError for bytes that are no text, and for a page without visible text.
    """
    text = decode_page(raw, html=form is not Form.TEXT)
    is_html = form is Form.HTML or (form is Form.PAGE and looks_like_html(text))
    return article_of_html(text, id) if is_html else article_of_text(text, id)


def article_of_text(
    text: str,
    id: str,  # noqa: A002 - as in Article
    *,
    source: str = "",
    url: str = "",
    title: str = "",
    date: str = "",
) -> Article:
    """The article of a plain text; InputError where it shows nothing."""
    paragraphs = segment_text(text)
    if not paragraphs:
        raise InputError("expected visible text, got none")
    return Article(id, paragraphs, text, source=source, url=url, title=title, date=date)


def article_of_html(
    html: str,
    id: str,  # noqa: A002 - as in Article
    *,
    source: str = "",
    url: str = "",
    title: str = "",
    date: str = "",
) -> Article:
    """The article of a page's markup, by default with its own title; InputError as above."""
    page = read_html(html)
    if not page.paragraphs:
        raise InputError("expected visible text, got none")
    title = title or page.title
    return Article(id, page.paragraphs, page.text, source=source, url=url, title=title, date=date)


def text_columns(text_column: str) -> tuple[str, ...]:
    """The columns of which a row needs one: the one asked for, or those of any row."""
    return _TEXT_COLUMNS if text_column == "text" else (text_column,)


def article_of_row(
    row: Mapping[str, object],
    default_id: str,
    *,
    text_column: str = "text",
) -> Article:
    """The article of one row; InputError says what was expected of it and what came.

    A column of the name `html` holds markup, a list is kept paragraph by paragraph, and anything
    else is plain text.
    """
    names = text_columns(text_column)
    name = next((name for name in names if row.get(name) not in (None, "", b"", [])), None)
    if name is None:
        if any(row.get(name) is not None for name in names):
            raise InputError("expected visible text, got none")
        raise InputError(f"expected one of {', '.join(names)}; got {_described(row)}")
    details = {
        column: str(row[column]) for column in DETAIL_COLUMNS if row.get(column) not in (None, "")
    }
    id_ = details.pop("id", default_id)
    value = row[name]
    if isinstance(value, list):
        return Article.from_paragraphs(id_, _strings(value, name), **details)
    if isinstance(value, bytes):
        value = decode_page(value, html=name == "html")
    if not isinstance(value, str) or name == "paragraphs":
        wanted = "a list of strings" if name == "paragraphs" else "a string"
        raise InputError(f"{name}: expected {wanted}, got {kind_of(value)}")
    make = article_of_html if name == "html" else article_of_text
    return make(value, id_, **details)


def _strings(values: Sequence[object], name: str) -> list[str]:
    strings = [value for value in values if isinstance(value, str)]
    if len(strings) < len(values):
        index = next(i for i, value in enumerate(values) if not isinstance(value, str))
        raise InputError(
            f"{name}: expected a list of strings, got {kind_of(values[index])} at {index}"
        )
    return strings


def _described(row: Mapping[str, object]) -> str:
    if not row:
        return "an empty row"
    shown = ", ".join(f"{name} (null)" if row[name] is None else name for name in row)
    return shown if len(shown) < 300 else f"{shown[:300]} ..."
