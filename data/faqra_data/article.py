"""An article and its paragraphs, as everything else in faqra sees them, and what became none.

Readers turn every outside form into these values; nothing behind them knows where a page
came from. Labels live elsewhere (`labels`, `corpus`).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One text block of a page.

    `start` and `end` are character offsets into the page's text; both are None where the
    paragraphs were given one by one and there is no such text.
    """

    text: str
    index: int
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Article:
    """One page in reading order; `text` is what the paragraphs' offsets point into."""

    id: str
    paragraphs: tuple[Paragraph, ...]
    text: str | None = None
    source: str = ""
    url: str = ""
    title: str = ""
    date: str = ""

    @classmethod
    def from_paragraphs(
        cls,
        id: str,  # noqa: A002 - the field's name in every corpus and in the contract
        texts: list[str] | tuple[str, ...],
        *,
        source: str = "",
        url: str = "",
        title: str = "",
        date: str = "",
    ) -> "Article":
        """An article whose paragraphs are kept exactly as given."""
        paragraphs = tuple(Paragraph(text, index) for index, text in enumerate(texts))
        return cls(id, paragraphs, source=source, url=url, title=title, date=date)


@dataclass(frozen=True, slots=True)
class Rejected:
    """An input that could not be read, or one row of it (numbered from 1), and why in one line."""

    input: str
    row: int | None
    reason: str
