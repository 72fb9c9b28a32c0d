"""Charsets: what bytes prove outweighs what is declared, and what is no text is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faqra_data.charset import codec_of, decode_page
from faqra_data.errors import InputError

SENTENCE = "قال رئيس الوزراء اليوم إن الحكومة ستواصل العمل على تحسين الخدمات في المدارس"
ARABIC = ["cp1256", "iso8859-6", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]


@pytest.mark.parametrize(
    "declared", [None, "", "utf-8", "windows-1252", "iso-8859-1", "no such", "\0"]
)
@pytest.mark.parametrize("codec", ARABIC)
def test_arabic_is_read_whatever_is_declared(codec: str, declared: str | None) -> None:
    assert decode_page(SENTENCE.encode(codec), declared=declared) == SENTENCE


@pytest.mark.parametrize("declared", ["windows-1256", "iso-8859-6", "utf-8"])
@pytest.mark.parametrize("codec", ["cp1256", "iso8859-6", "utf-8"])
@pytest.mark.parametrize(
    "head",
    ['<meta charset="{}">', "<META content='text/html; charset={}'>", '<?xml encoding="{}"?>'],
)
def test_a_wrong_declaration_in_the_page_does_no_harm(head: str, codec: str, declared: str) -> None:
    page = f"{head.format(declared)}<p>{SENTENCE}"
    assert decode_page(page.encode(codec)) == page


@given(st.text("ابتثجحخدذرزسشصضطظعغفقكلمنهويىةءأإآؤئ ،.", min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_valid_utf8_is_always_read_as_such(text: str) -> None:
    assert decode_page(text.encode(), declared="windows-1256") == text


@given(st.binary(max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_text_or_refused(raw: bytes) -> None:
    try:
        text = decode_page(raw)
    except InputError:
        return
    assert isinstance(text, str)


def test_a_broken_byte_becomes_a_replacement_character() -> None:
    raw = SENTENCE[:20].encode() + b"\xff" + SENTENCE[20:].encode()
    assert decode_page(raw) == f"{SENTENCE[:20]}\ufffd{SENTENCE[20:]}"


@pytest.mark.parametrize(
    ("text", "codec", "declared"),
    [
        ("Le café est fermé, déjà vu à l'hôtel.", "cp1252", None),
        (
            "Сегодня утром в столице открылась новая школа, сообщает газета.",
            "cp1251",
            "windows-1251",
        ),
        ("Hello, world.", "ascii", "utf-8"),
    ],
)
def test_other_scripts_are_read_too(text: str, codec: str, declared: str | None) -> None:
    assert decode_page(text.encode(codec), declared=declared) == text


def test_plain_text_declares_nothing() -> None:
    text = '<meta charset="windows-1251"> Le café est fermé, déjà vu à l\'hôtel.'
    assert decode_page(text.encode("cp1252"), html=False) == text


@pytest.mark.parametrize(
    "raw", [b"\x89PNG\r\n", b"PK\x03\x04", b"\x1f\x8b\x08", b"PAR1", b"a\x00\x01\x02\x03\x04" * 9]
)
def test_what_is_no_text_is_refused(raw: bytes) -> None:
    with pytest.raises(InputError, match="expected text or HTML, got "):
        decode_page(raw)


def test_the_beginning_of_a_text_tells_its_charset() -> None:
    assert codec_of(SENTENCE.encode()[:41]) == "utf-8"
    assert codec_of(b"\xff\xfea\0") == "utf-16"
