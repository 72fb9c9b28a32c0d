"""The HTML report: alone, safe, right to left; and alive in a browser where there is one."""

import base64
import hashlib
import io
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from faqra.writers.report import ReportWriter
from faqra_data.article import Article
from faqra_models.prediction import ArticlePredictions, ParagraphPrediction

LABELS = ("factual_report", "official_quote", "editorial_commentary", "boilerplate", "<i>other")
HOSTILE = "</p><script>alert('x')</script><img src=https://evil.example/x onerror=alert(1)>\"'&"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


class Page(HTMLParser):
    """The elements of a page, with their attributes and direct text."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of this name."""
        return [attributes for name, attributes in self.elements if name == tag]


def report(
    texts: list[tuple[str, str, float]], *, title: str = "عنوان", url: str = "", id_: str = "page"
) -> str:
    """A report of one article; each paragraph is (text, label, confidence)."""
    stream = io.BytesIO()
    writer = ReportWriter(stream, LABELS)
    rest = len(LABELS) - 1
    predictions = tuple(
        ParagraphPrediction(
            {name: best if name == label else (1 - best) / rest for name in LABELS},
            text=text,
            index=index,
        )
        for index, (text, label, best) in enumerate(texts)
    )
    article = Article.from_paragraphs(id_, [text for text, _, _ in texts], title=title, url=url)
    writer.write(ArticlePredictions(article, predictions))
    writer.close()
    return stream.getvalue().decode("utf-8")


def test_the_page_is_arabic_and_right_to_left() -> None:
    page = Page(report([("أعلنت الوزارة", "factual_report", 0.9)]))
    assert page.all("html") == [{"lang": "ar", "dir": "rtl"}]
    assert "تقرير خبري" in page.text


def test_everything_that_comes_from_outside_is_escaped() -> None:
    markup = report([(HOSTILE, "<i>other", 0.9)], title=HOSTILE, id_=HOSTILE, url=HOSTILE)
    page = Page(markup)
    assert HOSTILE in page.text
    assert len(page.all("script")) == 1
    assert not page.all("img")
    assert not page.all("i")
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)


def test_nothing_is_fetched_from_anywhere() -> None:
    markup = report([("نص", "boilerplate", 0.9)])
    page = Page(markup)
    assert not page.all("link")
    assert not any("src" in attributes for _, attributes in page.elements)
    assert not re.search(r"url\(|@import|https?:|fetch\(", markup)


def test_the_policy_allows_the_pages_own_script_and_style_alone() -> None:
    markup = report([("نص", "boilerplate", 0.9)])
    for element in ("script", "style"):
        (content,) = re.findall(f"<{element}>(.*?)</{element}>", markup, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in markup
    assert "default-src 'none'" in markup


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "", "page.html"])
def test_only_web_addresses_become_links(url: str) -> None:
    assert not Page(report([("نص", "boilerplate", 0.9)], url=url)).all("a")
    linked = Page(report([("نص", "boilerplate", 0.9)], url="https://example.org/?a=1&b=2"))
    assert linked.all("a")[0]["href"] == "https://example.org/?a=1&b=2"


def test_a_paragraph_carries_its_label_and_confidence() -> None:
    page = Page(report([("نص", "official_quote", 0.91), ("آخر", "boilerplate", 0.4)]))
    sure, unsure = page.all("li")
    assert (sure["data-label"], sure["data-confidence"]) == ("official_quote", "0.9100")
    assert (sure["title"] or "").startswith("تصريح رسمي: 91%\n")
    assert sure["class"] == "quote"
    assert unsure["class"] == "noise unsure"
    assert page.text.count("ثقة ضعيفة") == 1


def test_only_text_without_arabic_runs_left_to_right() -> None:
    texts = ("BBC: قال الوزير", "Read more", "2024 ...")
    markup = report([(text, "boilerplate", 0.9) for text in texts])
    assert '<p class="text">BBC: قال الوزير' in markup
    assert '<p class="text" dir="ltr">Read more' in markup
    assert '<p class="text">2024 ...' in markup


def test_every_control_can_be_reached_and_has_a_name() -> None:
    page = Page(report([("نص", "boilerplate", 0.9)]))
    assert [box["value"] for box in page.all("input") if box.get("name") == "label"] == [*LABELS]
    assert len(page.all("label")) == len(page.all("input"))
    assert [button["data-only"] for button in page.all("button")] == ["factual_report", ""]


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here to open the report with")
def test_the_page_counts_and_filters_itself_in_a_browser(tmp_path: Path) -> None:
    markup = report(
        [
            ("خبر", "factual_report", 0.9),
            ("قائمة", "boilerplate", 0.4),
            ("تذييل", "boilerplate", 0.9),
        ]
    )
    # The policy forbids another script, which is the point of it; here it stands in the way.
    markup = re.sub(r'<meta http-equiv="Content-Security-Policy".*?>', "", markup)
    click = "<script>document.querySelector('button').click()</script></body>"
    page = tmp_path / "report.html"
    page.write_text(markup.replace("</body>", click), encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    flags += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    done = subprocess.run(
        [
            str(CHROMIUM),
            *flags,
            f"--user-data-dir={tmp_path / 'user'}",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    dom = Page(done.stdout)
    assert "المعروض 1 من 3" in dom.text
    assert ["hidden" in item for item in dom.all("li")] == [False, True, True]
    assert "hidden" not in dom.all("form")[0]
