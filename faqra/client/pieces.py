"""What is asked, in pieces that are never parted, and how much of it one request may hold.

This module knows the service's limits, neither its routes nor its answers.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import le, sub
from typing import NamedTuple

from faqra.client.answers import RequestLimits, ServiceError
from faqra_data.article import Article

# What stands around the paragraphs or articles of a request, and more.
_ENVELOPE_BYTES = 64
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Load(NamedTuple):
    """How much of what the service limits a piece or a request holds."""

    articles: int
    paragraphs: int
    characters: int
    body_bytes: int


@dataclass(frozen=True)
class Piece:
    """What is never parted: its JSON, how much it is, and what it is called in an error.

    `longest` is the field of its longest paragraph, where the client knows its paragraphs.
    """

    body: bytes
    load: Load
    name: str
    longest: str | None = None


def most_of(limits: RequestLimits) -> Load:
    """The most that one request may hold."""
    room = limits.body_bytes - _ENVELOPE_BYTES
    return Load(limits.articles, limits.paragraphs, limits.characters, room)


def json_bytes(value: object) -> bytes:
    """JSON in UTF-8, where a lone surrogate cannot be written.

    U+FFFD has the same length, and normalisers treat the two alike.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _LONE_SURROGATE.sub("\ufffd", text).encode()


def paragraph_piece(text: str, index: int, article: str = "") -> Piece:
    """A paragraph by itself; TypeError where it is none."""
    field = f"paragraphs.{index}"
    name = f"{article}, {field}" if article else field
    if not isinstance(text, str):
        raise TypeError(f"{name}: expected a string, got {type(text).__name__}")
    body = json_bytes(text)
    return Piece(body, Load(0, 1, len(text), len(body) + 1), name, field)


def each_by_itself(article: Article, most: Load) -> list[Piece]:  # noqa: ARG001 - a paragraph is not cut
    """A piece for each paragraph of an article."""
    name = f"article {article.id!r}"
    return [paragraph_piece(one.text, one.index, name) for one in article.paragraphs]


def as_a_whole(article: Article, most: Load) -> list[Piece]:
    """The article in one piece where a request can hold it, else cut; none where it is empty."""
    head = json_bytes({"title": article.title})[:-1] + b',"paragraphs":['
    around = Load(1, 0, len(article.title), len(head) + len("]},"))
    room = Load(*map(sub, most, around))
    pieces = []
    for group in grouped(each_by_itself(article, most), room):
        body = head + b",".join(one.body for one in group) + b"]}"
        load = _sum(around, *(one.load for one in group))
        longest = max(group, key=lambda one: one.load.characters).longest
        pieces.append(Piece(body, load, f"article {article.id!r}", longest))
    return pieces


def _sum(*loads: Load) -> Load:
    return Load(*map(sum, zip(*loads, strict=True)))


def _within(load: Load, most: Load) -> bool:
    return all(map(le, load, most))


def grouped(pieces: Iterable[Piece], most: Load) -> Iterator[list[Piece]]:
    """The pieces in groups that are no more than `most`; one that is more stands alone."""
    group: list[Piece] = []
    load = Load(0, 0, 0, 0)
    for piece in pieces:
        load = _sum(load, piece.load)
        if group and not _within(load, most):
            yield group
            group, load = [], piece.load
        group.append(piece)
    if group:
        yield group


def check_sendable(piece: Piece, most: Load) -> None:
    """Raise what the service would say: it may hang up before it was sent all that is too much."""
    if _within(piece.load, most):
        return
    too_many = piece.load.characters > most.characters
    raise ServiceError(
        f"{piece.name}: expected at most {most.characters:,} characters and {most.body_bytes:,} "
        f"bytes of JSON in a request, got {piece.load.characters:,} and "
        f"{piece.load.body_bytes:,}; cut it where its sense allows",
        code="too_many_characters" if too_many else "body_too_large",
        field=piece.longest,
    )
