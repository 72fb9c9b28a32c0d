"""What a page's markup would cost the parser, told before it is parsed.

Tags that are never closed nest, and each further tag is compared with all that are open: 8 MiB of
`<div>` would take the parser hours, and 60 KB of `<p><b id=1><p><b id=2>...` three gigabytes, as
every paragraph opens all earlier <b> anew. This module reads tags as the HTML standard's tokenizer
does and never counts fewer open ones than there are; it knows nothing of what is seen.
"""

import re
from collections import Counter

from faqra_data.errors import InputError

# About half a second of parsing, or 200 MB; a news page takes some ten thousand steps.
_MOST_STEPS = 100_000_000
# An element opened anew, beside a look at one that is open.
_STEPS_ANEW = 200
# Equal ones beyond these are not opened anew (the standard's "Noah's Ark clause").
_MOST_ALIKE = 3
# A longer tag is taken to be like no other.
_LONGEST_ALIKE = 300
# What an end tag's own element may hold unclosed and yet be closed with it.
_MOST_CLOSED = 8

_ATTRIBUTE = (
    r"""[^\t\n\f\r />][^\t\n\f\r />=]*+(?:[\t\n\f\r ]*+=[\t\n\f\r ]*+"""
    r"""(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^\t\n\f\r >"'][^\t\n\f\r >]*+)?+)?+"""
)
_ATTRIBUTES = re.compile(_ATTRIBUTE)
# Whatever is no tag begins with "<!--", "<!", "<?" or "</" and ends as a comment does. Nothing is
# tried twice, so that the time is that of the text's length.
_TAG = re.compile(
    r"<!--(?:-?>|(?s:.*?)(?:--!?>|\Z))"
    rf"|<(?P<end>/?)(?P<name>[a-zA-Z][^\t\n\f\r />]*+)(?P<rest>(?:[\t\n\f\r /]++|{_ATTRIBUTE})*+)>?"
    r"|(?P<section><!\[CDATA\[)"
    r"|<[!?/][^>]*+"
)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_VOID = _names(
    "area base basefont bgsound br col embed frame hr img input keygen link meta param source "
    "track wbr"
)
_RAW = _names("iframe noembed noframes noscript plaintext script style textarea title xmp")
# Opened anew in each block that follows, until they are closed. Of <a> and <nobr> there is one.
_FORMATTING = _names("b big code em font i s small strike strong tt u")
# What an element closes that stands before it.
_CLOSED_BY = {
    "a": {"a"},
    "dd": {"dd", "dt"},
    "dt": {"dd", "dt"},
    "li": {"li"},
    "option": {"option"},
    "p": {"p"},
    "td": {"td", "th"},
    "th": {"td", "th"},
    "tr": {"td", "th", "tr"},
}
_CLOSING_OTHERS = _names(
    "address article aside blockquote center details dialog dir div dl fieldset figcaption figure "
    "footer header hgroup main menu nav ol pre search section summary ul"
)
# An end tag outside these closes nothing within.
_BOUNDS = _names(
    "applet button caption form html marquee object select table tbody td template tfoot th thead "
    "tr svg math"
)
# HTML again within SVG or MathML.
_POINTS = frozenset(
    f"{space} {name}"
    for space, names in (("svg", "title desc foreignobject"), ("math", "mi mo mn ms mtext"))
    for name in names.split()
)
# What ends SVG and MathML.
_BREAKING_OUT = _names(
    "b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li "
    "listing menu meta nobr ol p pre ruby s small span strong strike sub sup table tt u ul var"
)
# Of these it depends on more than the name.
_DOUBTFUL = _names("a annotation-xml font frameset malignmark mglyph select")
# A tag that is not known to be one, with what may be its attributes.
_START = re.compile(r"<(?P<name>[a-zA-Z][^\t\n\f\r />]*+)(?P<rest>(?:[^<]|<(?![a-zA-Z]))*+)")


def check_markup(html: str) -> None:
    """InputError where the parser would need far more time or memory than others of that length."""
    cost = _Cost()
    at = 0
    while cost.is_sure and (tag := _TAG.search(html, at)):
        at = tag.end()
        if tag["section"]:
            end = html.find("]]>" if cost.may_be_foreign else ">", at)
            at = len(html) if end < 0 else end
        elif tag["end"]:
            cost.close(tag["name"].lower())
        elif tag["name"]:
            name = tag["name"].lower()
            cost.count_attributes(name, tag["rest"])
            if cost.open(name, tag[0]):
                end = _end_of_raw(html, at, name)
                cost.is_sure = not (name == "script" and _may_go_on(html[at:end].lower()))
                at = end if cost.is_sure else at
        cost.check(at)
    if not cost.is_sure:
        for start in _START.finditer(html, at):
            # Only so much, as here one may hold the next.
            whole = _TAG.match(html, start.start(), start.start() + _LONGEST_ALIKE)
            cost.count_attributes(start["name"].lower(), start["rest"])
            cost.open_in_any_case(start["name"].lower(), whole[0] if whole else "")
            cost.check(start.end())


def _end_of_raw(html: str, start: int, name: str) -> int:
    """Where the element ends in which no tag is one."""
    end = re.compile(rf"</{name}(?=[\t\n\f\r />])", re.IGNORECASE).search(html, start)
    return len(html) if end is None or name == "plaintext" else end.start()


def _may_go_on(script: str) -> bool:
    """Whether a script has one within, whose end is not the script's."""
    return "<!--" in script and "<script" in script


class _Cost:
    """The open elements, at least all that the parser has open, and its steps so far.

    Where a tag stands at which parsers differ or much ends at once, `is_sure` becomes false: from
    there on every tag may be an element that is never closed.
    """

    def __init__(self) -> None:
        self.is_sure = True
        self._steps = 0
        self._attributes = 0
        self._merged_attributes = 0
        self._open = [""]  # names, those of SVG and MathML as "svg path"
        self._selects = 0
        self._options = 0
        self._formatting: dict[str, list[str]] = {name: [] for name in _FORMATTING}
        self._alike: Counter[str] = Counter()
        self._anew = 0

    def check(self, at: int) -> None:
        """InputError where it is too much."""
        if self._steps > _MOST_STEPS:
            raise InputError(
                "expected HTML whose tags are closed and have few attributes, got "
                f"{len(self._open) - 1:,} open tags and {self._attributes:,} attributes up to "
                f"character {at:,}; close what is open, or give the page's text"
            )

    @property
    def may_be_foreign(self) -> bool:
        """Whether the innermost element is of SVG or MathML."""
        return " " in self._open[-1]

    @property
    def _is_foreign(self) -> bool:
        return self.may_be_foreign and self._open[-1] not in _POINTS

    def count_attributes(self, name: str, rest: str) -> None:
        """Each attribute is compared with those before it."""
        if not rest:
            return
        count = len(_ATTRIBUTES.findall(rest))
        self._attributes += count
        self._steps += count * count // 2
        if name in ("html", "body"):  # what later ones have goes to the first
            self._merged_attributes += count
            self._steps += count * self._merged_attributes

    def open(self, name: str, tag: str) -> bool:
        """Begin an element; whether no tag is one until it ends."""
        self._step()
        if self._is_foreign and name in _BREAKING_OUT:
            self._break_out()
        if self.may_be_foreign and name in _DOUBTFUL:
            self.is_sure = False
        if self._is_foreign:
            if not tag.endswith("/>"):
                self._open.append(f"{self._open[-1].split()[0]} {name}")
            return False
        if name in _VOID:
            return False
        while self._open[-1] in _CLOSED_BY.get(name, ()):
            self._open.pop()
        if name in _FORMATTING:
            self._formatting[name].append(tag)
            self._alike[tag] += 1
            self._anew += self._alike[tag] <= _MOST_ALIKE
        if name in ("option", "optgroup"):  # compared with those before it
            self._options += 1
            self._steps += self._options
        self._selects += name == "select"
        is_raw, is_foreign = name in _RAW, name in ("svg", "math")
        self._open.append(f"{name} {name}" if is_foreign else name)
        # A <select> and a frameset may pass over it.
        if name == "frameset" or (self._selects and (is_raw or is_foreign)):
            self.is_sure = False
        return is_raw and self.is_sure

    def open_in_any_case(self, name: str, tag: str) -> None:
        """Begin an element that nothing ends."""
        self._step()
        self._open.append(name)
        if name in _FORMATTING:
            self._alike[tag] += 1
            self._anew += self._alike[tag] <= _MOST_ALIKE or not tag.endswith(">")

    def close(self, name: str) -> None:
        """End an element, where that is certain."""
        innermost = self._open[-1]
        if innermost == name:
            self._open.pop()
            self._selects -= name == "select"
            if name in _FORMATTING:
                tag = self._formatting[name].pop()
                self._alike[tag] -= 1
                self._anew -= self._alike[tag] < _MOST_ALIKE
        elif " " in innermost:
            self._close_in_foreign(name)
        elif name in _CLOSING_OTHERS:
            self._close_with_others(name)
        self._step()

    def _close_in_foreign(self, name: str) -> None:
        space = self._open[-1].split()[0]
        if self._open[-1] == f"{space} {name}":
            self._open.pop()
        elif self._is_foreign:
            self.is_sure = False

    def _close_with_others(self, name: str) -> None:
        for count, other in enumerate(reversed(self._open[-_MOST_CLOSED:]), 1):
            if other == name:
                del self._open[-count:]
                return
            # A formatting element that is closed so is opened anew by what follows.
            if other in _BOUNDS or other in _FORMATTING or " " in other:
                return

    def _break_out(self) -> None:
        while self._is_foreign:
            self._open.pop()

    def _step(self) -> None:
        self._steps += len(self._open) + _STEPS_ANEW * self._anew
