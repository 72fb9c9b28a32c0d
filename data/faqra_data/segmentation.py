"""Plain text cut into paragraphs, each with its place in the text.

A line is a paragraph, and so is each bulleted item inside a line. This module knows
nothing of HTML (see `html`), of files or of normalising.
"""

import re
from collections.abc import Iterator

from faqra_data.article import Paragraph

# Every character that ends a line somewhere: \n \r \v \f, the file, group and record
# separators, NEL, LINE SEPARATOR and PARAGRAPH SEPARATOR (what str.splitlines knows).
_LINE = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
# A bullet starts a new paragraph wherever it stands; a dash, an asterisk or an "o" only at the
# start of a line, as they are ordinary characters elsewhere. U+FE0F makes an emoji of a bullet.
_BULLET = re.compile(r"[•●▪■◦‣⁃∙◾◼♦❖➢➤►▶✓✔][•●▪■◦‣⁃∙◾◼♦❖➢➤►▶✓✔\ufe0f]*|^(?:[-*–—]+|o)(?=\s)")
# Characters that show nothing at a paragraph's edge: control characters, spaces (NBSP
# included), soft hyphen, zero-width and bidi controls, byte-order mark. The private use area is
# where web fonts keep the icons that stand before links.
_EDGE_RANGES = (
    ("\x00", " "),
    ("\x7f", "\xa0"),
    ("\xad", "\xad"),
    ("\u061c", "\u061c"),
    ("\u1680", "\u1680"),
    ("\u180e", "\u180e"),
    ("\u2000", "\u200f"),
    ("\u2028", "\u202f"),
    ("\u205f", "\u206f"),
    ("\u3000", "\u3000"),
    ("\ue000", "\uf8ff"),
    ("\ufeff", "\ufeff"),
)
_EDGE = frozenset(chr(c) for low, high in _EDGE_RANGES for c in range(ord(low), ord(high) + 1))


def segment_text(text: str) -> tuple[Paragraph, ...]:
    """The paragraphs of `text` in order; `text[p.start:p.end] == p.text` for each of them.

    Blank lines, bullets and the white space around a paragraph belong to none.
    """
    spans = (span for line in _LINE.finditer(text) for span in _items(text, *line.span()))
    return tuple(
        Paragraph(text=text[start:end], index=index, start=start, end=end)
        for index, (start, end) in enumerate(spans)
    )


def _items(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The spans of one line's bulleted items, or of the line itself."""
    start, end = trimmed_span(text, start, end)
    line = text[start:end]
    cuts = [match.span() for match in _BULLET.finditer(line)]
    begins = [0, *(after for _, after in cuts)]
    ends = [*(before for before, _ in cuts), len(line)]
    spans = [trimmed_span(text, start + a, start + b) for a, b in zip(begins, ends, strict=True)]
    kept = [span for span in spans if span[0] < span[1]]
    if not kept and line:
        kept = [(start, end)]  # a line of bullets alone is visible text too
    yield from kept


def trimmed_span(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without the white space and invisible characters at its edges."""
    # Not a pattern: `[...]+$` tries every run of spaces inside a long line anew. Not str.strip: it
    # goes through all its 6,500 characters at each call.
    while start < end and text[start] in _EDGE:
        start += 1
    while start < end and text[end - 1] in _EDGE:
        end -= 1
    return start, end
