"""Markup that would take a parser hours or gigabytes is refused before; real pages never are."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from faqra_data import markup
from faqra_data.errors import InputError
from faqra_data.html import read_html
from faqra_data.markup import check_markup

NAMES = (
    "a b body br button caption desc div font form foreignObject frameset g h1 head html i iframe "
    "image img input li link math mi mo nobr noscript object option p path plaintext script select "
    "span style svg table td template textarea title tr ul x-y"
).split()
PIECES = [f"<{name}>" for name in NAMES] + [f"</{name}>" for name in NAMES]
PIECES += ["<!--", "-->", "<!-->", "<![CDATA[", "]]>", "<!x ", "<?y", ">", '"', "'", "x", "=", "/>"]
PIECES += ["<div a='", '<p ="', '</div a="', " a=", "<b id=1>", "<b id=2>", "<path/>", "<div/>"]
MARKUP = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
PAGES = sorted((Path(__file__).parent / "pages").glob("*.html"))
SHARED_PAGES = sorted((Path(__file__).parents[2] / "shared" / "pages").glob("*.html"))


def depth_of(html: str) -> int:
    """How deep the parser's own tree is."""
    deepest = 0
    stack = [(LexborHTMLParser(html, scripting=True).root, 1)]
    while stack:
        node, depth = stack.pop()
        if node is not None:
            deepest = max(deepest, depth)
            stack += ((node.next, depth), (node.first_child, depth + 1))
    return deepest


@given(MARKUP, MARKUP)
@settings(max_examples=300)
def test_no_markup_nests_deeper_than_it_is_taken_to(before: str, repeated: str) -> None:
    html = before + repeated * 40
    with pytest.MonkeyPatch.context() as patch:
        deepest = 0

        class Watched(markup._Cost):
            def _step(self) -> None:
                nonlocal deepest
                super()._step()
                deepest = max(deepest, len(self._open) + self._anew)

        patch.setattr(markup, "_Cost", Watched)
        check_markup(f"{html}<x>")
    # Rows and bodies of tables are open without a tag.
    assert depth_of(html) <= 3 * deepest + 8


@pytest.mark.parametrize(
    "piece",
    [
        "<div>",
        "<b>",
        "<a><b>",
        "<table>",
        "<table><td>",
        "<ul><li>",
        "<b><div></b>",
        "<svg><g>",
        "<div><!--</div>-->",
        '<div><p title="</div>">',
        "<div></p></span>",
        "<select><option>x</option></select>",
        "<div/>",
    ],
)
def test_eight_mebibytes_of_nesting_are_refused_at_once(piece: str) -> None:
    begun = time.perf_counter()
    with pytest.raises(
        InputError, match=r"^expected HTML whose tags are closed .* got [\d,]+ open"
    ):
        read_html(piece * (2**23 // len(piece)))
    assert time.perf_counter() - begun < 5


@pytest.mark.parametrize(
    "html",
    [
        "".join(f"<p><b id={number}>x</p>" for number in range(20_000)),  # 20 GB of <b>
        "<p " + " ".join(f"a{number}" for number in range(100_000)) + ">",
        "".join(f"<body a{number}=1>" for number in range(40_000)),
    ],
    ids=["formatting", "attributes", "attributes of the body"],
)
def test_what_grows_with_the_square_is_refused(html: str) -> None:
    with pytest.raises(InputError, match="few attributes"):
        read_html(html)


@pytest.mark.parametrize(
    "piece",
    [
        "<p>",
        "<li>ن",
        "<p>ن</p>",
        "<div><p>ن<b>ن</b></div>",
        "<tr><td>ن<td>ن",
        "<svg viewBox='0 0 1 1'><g><path d='M0'/></g></svg>",
        "<a href='/' title='a > b'><img src=x alt='<b>'></a>",
        "<script>if (a < b) document.write('<div>')</script>",
        "<!-- <div> --><!--[if !IE]><!--><p>ن</p><!--<![endif]-->",
        "<input type=text disabled><br/>",
    ],
)
def test_a_long_page_whose_tags_are_closed_is_read(piece: str) -> None:
    check_markup(piece * 50_000)


@pytest.mark.parametrize("page", [*PAGES, *SHARED_PAGES], ids=lambda path: path.name)
def test_real_pages_are_far_from_refused(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markup, "_MOST_STEPS", markup._MOST_STEPS // 1000)
    check_markup(page.read_bytes().decode("utf-8", "replace"))
