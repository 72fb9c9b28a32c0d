"""Segmentation: paragraphs in order, each at its place, and none of the visible text lost."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faqra_data.segmentation import segment_text

# Letters, every kind of line end and space, bullets and what may look like one.
MIXED = st.text("اب ً oO-–*•▪✓\ufe0f\u200f\ufeff\xa0\t\n\r\v\f\x1c\x85\u2028\u2029\x00", max_size=80)


def paragraphs(text: str) -> list[str]:
    return [paragraph.text for paragraph in segment_text(text)]


@given(st.one_of(MIXED, st.text(st.characters())))
@settings(max_examples=60, deadline=None)
def test_offsets_give_back_the_text_in_order(text: str) -> None:
    end = 0
    for index, paragraph in enumerate(segment_text(text)):
        assert paragraph.index == index
        assert paragraph.start is not None
        assert paragraph.end is not None
        assert end <= paragraph.start < paragraph.end
        assert text[paragraph.start : paragraph.end] == paragraph.text
        end = paragraph.end


@given(MIXED)
@settings(max_examples=60, deadline=None)
def test_no_letter_is_lost(text: str) -> None:
    assert [c for c in text if c in "ابO"] == [c for p in paragraphs(text) for c in p if c in "ابO"]


@pytest.mark.parametrize(
    "end", ["\n", "\r", "\r\n", "\n \n", "\v", "\f", "\x85", "\u2028", "\u2029"]
)
def test_every_line_end_parts_paragraphs(end: str) -> None:
    assert paragraphs(f"أول{end}ثان{end}") == ["أول", "ثان"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("• أول • ثان", ["أول", "ثان"]),
        ("- أول\n– ثان\n* ثالث", ["أول", "ثان", "ثالث"]),
        ("الدار البيضاء - الرباط", ["الدار البيضاء - الرباط"]),
        ("o نقطة\noil", ["نقطة", "oil"]),
        ("-5 درجات", ["-5 درجات"]),
        ("\u200f- أول\n\ufeff\u200f• ثان", ["أول", "ثان"]),
        ("•••", ["•••"]),
        ("✔️ تم", ["تم"]),
        ("\ue001 \u200fخبر\xa0\u200e", ["خبر"]),
    ],
)
def test_bullets_and_edges_belong_to_no_paragraph(text: str, expected: list[str]) -> None:
    assert paragraphs(text) == expected


@pytest.mark.parametrize("text", ["", " \n\t", "\u200b\ufeff\u2028", "\x00"])
def test_nothing_visible_is_no_paragraph(text: str) -> None:
    assert paragraphs(text) == []


@pytest.mark.parametrize("piece", ["ن", " ", "•", "- ", "\u200f", "ن ", "o "])
def test_a_megabyte_of_anything_takes_no_long_time(piece: str) -> None:
    begun = time.perf_counter()
    segment_text(piece * (1_000_000 // len(piece)))
    assert time.perf_counter() - begun < 20
