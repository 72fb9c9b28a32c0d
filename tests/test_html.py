"""HTML: what a reader sees, in reading order, each paragraph at its place in the page's text."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faqra_data.html import looks_like_html, read_html

TAGS = (
    "p",
    "div",
    "b",
    "span",
    "a",
    "ul",
    "li",
    "table",
    "tr",
    "td",
    "pre",
    "br",
    "form",
    "svg",
    "my-box",
)
MARKUP = st.lists(
    st.one_of(
        st.sampled_from([f"<{tag}>" for tag in TAGS] + [f"</{tag}>" for tag in TAGS]),
        st.text("اب <&;•\n\xa0\u200f", max_size=6),
        st.sampled_from(
            ["<!--", "-->", "<p hidden>", "&nbsp;", "&lt;", "<script>", "</script>", "\ud800"]
        ),
    ),
    max_size=20,
).map("".join)


def paragraphs(html: str) -> list[str]:
    return [paragraph.text for paragraph in read_html(html).paragraphs]


@given(MARKUP)
@settings(max_examples=60, deadline=None)
def test_offsets_give_back_the_text_in_order(html: str) -> None:
    page = read_html(html)
    assert "\n".join(paragraph.text for paragraph in page.paragraphs) == page.text
    for index, paragraph in enumerate(page.paragraphs):
        assert paragraph.index == index
        assert page.text[paragraph.start : paragraph.end] == paragraph.text


@given(st.lists(st.text("ابتث ", min_size=1).filter(str.strip), min_size=1, max_size=6))
@settings(max_examples=40, deadline=None)
@pytest.mark.parametrize("wrap", ["<p>{}</p>", "<div>{}", "{}<br>", "<li>{}</li>", "<x-y>{}</x-y>"])
def test_blocks_are_paragraphs_in_reading_order(wrap: str, texts: list[str]) -> None:
    expected = [" ".join(text.split()) for text in texts]
    assert paragraphs("".join(map(wrap.format, texts))) == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<form>أول<p>ثان</p><div>ثالث</div></form>", ["أول", "ثان", "ثالث"]),
        ("أول<br><br/>\n<br>ثان<br>", ["أول", "ثان"]),
        ("<ul><li>سياسة<li>رياضة</ul>", ["سياسة", "رياضة"]),
        ("<nav><a>سياسة</a><a>رياضة</a> <a>فن</a></nav>", ["سياسة رياضة فن"]),
        ("<p>قال <b>الر</b>ئيس\n\n نعم</p>", ["قال الرئيس نعم"]),
        ("<p>أول&nbsp;&nbsp;ثان&lt;b&gt;</p>", ["أول ثان<b>"]),
        ("<pre>أول\nثان</pre>", ["أول", "ثان"]),
        ("<p>• أول • ثان</p>", ["أول", "ثان"]),
        ("<svg><text>نص</text><desc>وصف</desc></svg>", ["نص"]),
        ("<input value=بحث><input type=hidden value=سر>", ["بحث"]),
        ("<textarea placeholder='اكتب هنا'></textarea>", ["اكتب هنا"]),
        ("<ruby>字<rp>(</rp><rt>ا</rt></ruby>", ["字ا"]),
        ("نص بلا وسوم", ["نص بلا وسوم"]),
        ("<p>غير مغلق <b>هنا", ["غير مغلق هنا"]),
    ],
)
def test_what_is_seen_is_read(html: str, expected: list[str]) -> None:
    assert paragraphs(html) == expected


@pytest.mark.parametrize(
    "hidden",
    [
        "<script>سر</script>",
        "<style>سر</style>",
        "<noscript><p>سر</p></noscript>",
        "<template><p>سر</p></template>",
        "<!-- سر -->",
        "<p hidden>سر</p>",
        "<div style='color:red; DISPLAY : none'><p>سر</p></div>",
        "<div style='visibility:hidden'>سر</div>",
        "<dialog>سر</dialog>",
        "<div popover>سر</div>",
        "<iframe>سر</iframe>",
        "<video>سر</video>",
    ],
)
def test_what_is_hidden_is_not_read(hidden: str) -> None:
    assert paragraphs(f"<p>قبل</p>{hidden}<p>بعد</p>") == ["قبل", "بعد"]


def test_a_page_that_a_script_shows_is_read() -> None:
    assert paragraphs("<html hidden><body style='display:none'><p>نص") == ["نص"]


def test_the_title_is_that_of_the_head() -> None:
    page = read_html("<title> خبر \n اليوم </title><svg><title>رسم</title></svg><p>نص")
    assert (page.title, page.text) == ("خبر اليوم", "نص")


@pytest.mark.parametrize("html", ["", " ", "<", "<html>", "<p></p>", "<script>", "\x00"])
def test_an_empty_page_has_no_paragraph(html: str) -> None:
    assert [text for text in paragraphs(html) if text not in ("<", "\ufffd")] == []


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 10_000 + "نص",
        "<b>" * 10_000 + "نص",
        "ن" * 1_000_000,
        "<a>ن</a>" * 100_000,
        "<br>" * 200_000 + "ن",
        "<p>" + " ن" * 300_000,
        "<!--" * 200_000 + "-->ن",
    ],
)
def test_a_page_of_any_build_takes_no_long_time(html: str) -> None:
    begun = time.perf_counter()
    assert "ن" in read_html(html).text
    assert time.perf_counter() - begun < 20


@pytest.mark.parametrize(
    ("text", "is_html"),
    [
        ("<!DOCTYPE html><p>نص", True),
        ("\ufeff\n<?xml version='1.0'?><html/>", True),
        ("<!-- x --><p>نص", True),
        ("<div class=a>نص", True),
        ("أول</p><p>ثان</p>ثالث<br>رابع", True),
        ("نص عادي", False),
        ("قال إن 3 < 5 و 7 > 6", False),
        ("استخدم الوسم <b>عريض</b> في الصفحة", False),
        ("<المصدر: رويترز>", False),
        ("", False),
    ],
)
def test_markup_is_told_from_plain_text(text: str, is_html: bool) -> None:
    assert looks_like_html(text) is is_html
