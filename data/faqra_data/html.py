"""What a reader of a web page sees, in reading order, one paragraph a block of text.

Menus, forms, comments and footers are part of the page; scripts and hidden elements are not.
This module knows the elements of HTML, not style sheets, not bytes (see `charset`) and not
where a page came from.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from faqra_data.article import Paragraph
from faqra_data.markup import check_markup
from faqra_data.segmentation import segment_text

# What browsers never show of a page that they can show: where a script, a picture or a frame
# works, its stand-in is not seen.
_UNSEEN = frozenset(
    "annotation annotation-xml area audio base basefont bgsound canvas datalist embed head iframe "
    "link meta meter noembed noframes noscript object param progress rp script source style "
    "template title track video".split()
)
_UNSEEN_IN_SVG = frozenset(("desc", "metadata"))
# Elements that part the text before them from the text after them. Anything else, unknown
# elements included, runs on in its line.
_BLOCKS = frozenset(
    "address article aside audio blockquote body br button caption center dd details dialog dir "
    "div dl dt embed fieldset figcaption figure footer foreignObject form frameset h1 h2 h3 h4 h5 "
    "h6 header hgroup hr html iframe input legend li listing main marquee menu nav object ol "
    "optgroup option output p plaintext pre search section select summary table tbody td text "
    "textarea tfoot th thead tr ul video xmp".split()
)
_PREFORMATTED = frozenset(("listing", "plaintext", "pre", "textarea", "xmp"))
_INPUTS_WITHOUT_TEXT = frozenset(
    ("checkbox", "color", "file", "hidden", "image", "password", "radio", "range")
)
_HIDING_STYLE = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse))\b", re.IGNORECASE
)
_PROBE = 10_000
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_NEWLINES = re.compile(r"[\r\n]+")
_MARKUP_AT_START = re.compile(r"\s*<(?:!doctype|!--|\?xml|[a-z][a-z0-9-]*[\s/>])", re.IGNORECASE)
_END_TAG = re.compile(r"</[a-z][a-z0-9-]*\s*>|<br\s*/?>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HtmlPage:
    """The visible text of a page; `text[p.start:p.end] == p.text` for each paragraph.

    `text` is the paragraphs, one a line. `title` is that of the page's head, often with the
    name of the site; it is not part of `text`.
    """

    text: str
    paragraphs: tuple[Paragraph, ...]
    title: str


def looks_like_html(text: str) -> bool:
    """Whether a text is a page's markup and no plain text that merely shows a tag or two."""
    bare = text.removeprefix("\ufeff")
    return bool(_MARKUP_AT_START.match(bare)) or len(_END_TAG.findall(bare[:_PROBE])) > 2


def read_html(html: str) -> HtmlPage:
    """Everything visible of a page or of a piece of one, whatever its markup.

    White space, NBSP included, is one space; bullets are cut off as in plain text. InputError where
    the page is so built that parsing it would take far too long, see `markup`.
    """
    check_markup(html)
    # Lexbor works in UTF-8, where a lone surrogate cannot be written. With `scripting`, what
    # stands in <noscript> is text and cannot end the head too early.
    tree = LexborHTMLParser(_LONE_SURROGATE.sub("\ufffd", html), scripting=True)
    paragraphs: list[Paragraph] = []
    start = 0
    for line in _Reading().lines_of(tree.root):
        for piece in segment_text(line):
            end = start + len(piece.text)
            paragraphs.append(Paragraph(piece.text, len(paragraphs), start, end))
            start = end + 1
    title = tree.css_first("head > title")
    return HtmlPage(
        text="\n".join(paragraph.text for paragraph in paragraphs),
        paragraphs=tuple(paragraphs),
        title="" if title is None else _one_spaced(title.text()),
    )


class _Reading:
    """One walk over a page: what stands between two block boundaries is a line."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._after_link = False
        self._open_svg = 0
        self._open_preformatted = 0

    def lines_of(self, root: LexborNode | None) -> list[str]:
        """The visible lines in reading order, white space collapsed, none of them empty."""
        # An own stack, as real pages nest deeper than Python recurses. A string on it is the
        # end of an element of that name.
        stack: list[LexborNode | str | None] = [root]
        while stack:
            node = stack.pop()
            if node is None:
                continue
            if isinstance(node, str):
                self._close(node)
                continue
            stack.append(node.next)
            tag = node.tag or ""
            if tag == "-text":
                self._write(node.text_content or "")
            elif not tag.startswith("-") and self._open(node, tag):
                stack += (tag, node.first_child)
        self._end_line()
        return self._lines

    def _open(self, node: LexborNode, tag: str) -> bool:
        """Begin an element; whether what it contains is seen."""
        attributes = node.attributes
        if _is_hidden(tag, attributes):
            return False
        if _is_block(tag):
            self._end_line()
        if tag in _UNSEEN or (self._open_svg and tag in _UNSEEN_IN_SVG):
            return False
        self._open_svg += tag == "svg"
        self._open_preformatted += tag in _PREFORMATTED
        if tag == "a" and self._after_link:
            self._write(" ")  # links that touch are a menu, set apart by a style sheet
        self._write(_text_of_attributes(node, tag, attributes))
        return True

    def _close(self, tag: str) -> None:
        if _is_block(tag):
            self._end_line()
        self._open_svg -= tag == "svg"
        self._open_preformatted -= tag in _PREFORMATTED
        self._after_link = self._after_link or tag == "a"

    def _write(self, text: str) -> None:
        if not text:
            return
        self._after_link = False
        first, *others = _NEWLINES.split(text) if self._open_preformatted else (text,)
        self._line.append(first)
        for other in others:
            self._end_line()
            self._line.append(other)

    def _end_line(self) -> None:
        if line := _one_spaced("".join(self._line)):
            self._lines.append(line)
        self._line.clear()


def _is_block(tag: str) -> bool:
    return tag in _BLOCKS or "-" in tag  # sites make blocks of their custom elements


def _is_hidden(tag: str, attributes: Mapping[str, str | None]) -> bool:
    if tag in ("html", "body"):
        return False  # hidden until a script shows the page: its readers do see it
    if "hidden" in attributes or "popover" in attributes:
        return True
    if tag == "dialog" and "open" not in attributes:
        return True
    return _HIDING_STYLE.search(attributes.get("style") or "") is not None


def _text_of_attributes(node: LexborNode, tag: str, attributes: Mapping[str, str | None]) -> str:
    """What a form's element shows without containing it."""
    if tag == "input" and (attributes.get("type") or "").lower() not in _INPUTS_WITHOUT_TEXT:
        return attributes.get("value") or attributes.get("placeholder") or ""
    if tag == "textarea" and node.first_child is None:
        return attributes.get("placeholder") or ""
    if tag == "optgroup":
        return attributes.get("label") or ""
    return ""


def _one_spaced(text: str) -> str:
    return " ".join(text.split())
