"""The page for people, in a real browser, before the service as it is started for users.

What the model says is compared with what the page shows; which label it gives is not asked here.
"""

import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
MISSING = [
    name for name in ("playwright", "bentoml", "fastapi") if not importlib.util.find_spec(name)
]
if MISSING or CHROMIUM is None:
    pytest.skip(f"needs {MISSING or 'chromium'}", allow_module_level=True)

from playwright.sync_api import expect, sync_playwright  # noqa: E402 - where it is there

if TYPE_CHECKING:
    from playwright.sync_api import (
        Browser,
        BrowserContext,
        ConsoleMessage,
        Dialog,
        Page,
        Request,
        Route,
    )

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
ROOT = Path(__file__).parents[1]
PAGE = ROOT / "serving" / "faqra_serving" / "page"
START_S = 60
PATIENCE_MS = 15_000  # machines are shared
WINDOW: Any = {"width": 1280, "height": 720}
LABELS = ("factual_report", "official_quote", "editorial_commentary", "boilerplate")
NAMES = dict(zip(LABELS, ("تقرير خبري", "تصريح رسمي", "رأي وتعليق", "نص نمطي"), strict=True))
TEXT = """انقطعت المياه عن أحياء المدينة منذ فجر أمس.
وقال وزير الموارد المائية إن الإصلاحات ستنتهي خلال أسبوع.
اقرأ أيضًا: أسعار صرف العملات اليوم"""
ARTICLES = "**/v1/articles"
# Every visible text with the contrast to what is behind it, as WCAG 2 counts it.
CONTRASTS = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const behind = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) layers.unshift(getComputedStyle(one));
    return layers.map((style) => style.backgroundColor);
  };
  const painted = (colours) => {
    for (const colour of ["white", ...colours]) {
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
    }
    const [red, green, blue] = [...canvas.getImageData(0, 0, 1, 1).data].map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility()) continue;
    if (element.closest(":disabled, .unseen, .skip")) continue;
    const ground = behind(element);
    const pair = [painted(ground), painted([...ground, getComputedStyle(element).color])];
    const [low, high] = pair.sort((a, b) => a - b);
    found.push([element.textContent.trim().slice(0, 40), (high + 0.05) / (low + 0.05)]);
  }
  return found;
}"""
DROP = """([name, type, bytes]) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([new Uint8Array(bytes)], name, { type }));
  for (const kind of ["dragover", "drop"]) {
    const event = new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true });
    document.querySelector("footer").dispatchEvent(event);
  }
}"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the service answers."""
    home = tmp_path_factory.mktemp("service")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    others = {key: value for key, value in os.environ.items() if not key.startswith("FAQRA_")}
    quiet = {"BENTOML_DO_NOT_TRACK": "True", "BENTOML_HOME": str(home), "HF_HUB_OFFLINE": "1"}
    small = {"OMP_NUM_THREADS": "1", "FAQRA_WORKERS": "1"}
    service = "faqra_serving.service:FaqraService"
    serve = ["bentoml", "serve", service, "--host", "127.0.0.1", "--port", str(port)]
    with (
        (home / "log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", *serve],
            env={**others, **quiet, **small},
            cwd=home,
            stdout=log,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/readyz", process, home / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=START_S)


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail(f"the service is not ready:\n{log.read_text(errors='replace')[-3000:]}")


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


class Watch:
    """What goes wrong in a page: errors, dialogs, and requests to anybody but the service."""

    def __init__(self, page: "Page", address: str) -> None:
        self.wrong: list[str] = []
        self._own = (address, "data:", "blob:")
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("dialog", self._note_dialog)
        page.on("request", self._note_request)

    def check(self) -> None:
        wrong, self.wrong = self.wrong, []
        assert not wrong

    def _note(self, said: "ConsoleMessage") -> None:
        url = said.location["url"]
        # The browser's own remark on an answer that is an error, which tests here make.
        remark = said.text.startswith("Failed to load resource") and "/v1/" in url
        if said.type in ("error", "warning") and not remark:
            self.wrong.append(f"{said.text} ({url})")

    def _note_dialog(self, dialog: "Dialog") -> None:
        self.wrong.append(f"opens {dialog.message}")
        dialog.dismiss()

    def _note_request(self, request: "Request") -> None:
        if not request.url.startswith(self._own):
            self.wrong.append(f"asks {request.url}")


@pytest.fixture
def open_page(browser: "Browser", address: str) -> Iterator[Callable[..., "Page"]]:
    """Opens the page in a browser with settings of its own."""
    opened: list[tuple[BrowserContext, Watch]] = []

    def open_it(prepare: Callable[["Page"], object] | None = None, **settings: Any) -> "Page":
        context = browser.new_context(base_url=address, **settings)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        opened.append((context, Watch(page, address)))
        if prepare is not None:
            prepare(page)
        page.goto("/")
        return page

    yield open_it
    for context, watch in opened:
        context.close()
        watch.check()


@pytest.fixture(scope="module")
def kept(browser: "Browser", address: str) -> tuple["Page", Watch]:
    page = browser.new_context(base_url=address, viewport=WINDOW).new_page()
    page.set_default_timeout(PATIENCE_MS)
    return page, Watch(page, address)


@pytest.fixture
def page(kept: tuple["Page", Watch]) -> Iterator["Page"]:
    """The page as at a first visit, in one window for all tests: a new one takes a second."""
    page, watch = kept
    page.goto("/")
    yield page
    page.unroute_all()
    page.emulate_media(media="null", color_scheme="null")
    page.set_viewport_size(WINDOW)
    page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
    watch.check()


def classify(page: "Page", text: str = TEXT) -> list[dict[str, Any]]:
    """Type a text and press the button; what the service said, when it is shown."""
    page.locator("#page").fill(text)
    with page.expect_response(ARTICLES) as waiting:
        page.get_by_role("button", name="صنّف الفقرات").click()
    paragraphs: list[dict[str, Any]] = waiting.value.json()["articles"][0]["paragraphs"]
    expect(page.locator("#paragraphs > li")).to_have_count(len(paragraphs))
    expect(page.locator("#progress")).to_be_hidden()
    return paragraphs


def sample(page: "Page") -> str:
    page.get_by_role("button", name="جرّب صفحة مثال").click()
    return page.locator("#page").input_value()


def answer_with(page: "Page", paragraphs: Sequence[dict[str, Any]], labels: Sequence[str]) -> None:
    """Let the page hear this of any text, in place of the service."""
    complete = [
        {
            "index": index,
            "start": None,
            "end": None,
            "confidence": 0.9,
            "probabilities": {label: 1 / len(labels) for label in labels},
            "truncated": False,
            **one,
        }
        for index, one in enumerate(paragraphs)
    ]
    model = {"name": "toy", "digest": "0123", "labels": list(labels)}
    answer = {"model": model, "articles": [{"id": "0", "paragraphs": complete}]}
    page.route(ARTICLES, lambda route: route.fulfill(json=answer))


def fail_with(
    page: "Page", status: int, *, headers: dict[str, str] | None = None, **error: str
) -> None:
    body = {"error": {"message": "the service's words", **error}}
    page.route(
        ARTICLES, lambda route: route.fulfill(status=status, headers=headers or {}, json=body)
    )


def try_to_classify(page: "Page", text: str = TEXT) -> None:
    page.locator("#page").fill(text)
    page.get_by_role("button", name="صنّف الفقرات").click()


def percent(share: float) -> str:
    return f"{min(share, 0.99) if share < 1 else share:.0%}"


def test_a_text_is_shown_back_paragraph_by_paragraph_with_label_and_confidence(
    page: "Page",
) -> None:
    said = classify(page)
    assert [one["text"] for one in said] == TEXT.split("\n")
    items = page.locator("#paragraphs > li")
    for index, one in enumerate(said):
        expect(items.nth(index).locator(".text")).to_have_text(one["text"])
        expect(items.nth(index).locator("summary .name")).to_have_text(NAMES[one["label"]])
        expect(items.nth(index).locator("summary .confidence")).to_have_text(
            re.compile(r"^\d{1,3}%$")
        )
        shown = items.nth(index).locator("summary .confidence").inner_text()
        assert abs(int(shown[:-1]) - 100 * one["confidence"]) <= 1


def test_the_probabilities_of_a_paragraph_open_below_its_label(page: "Page") -> None:
    said = classify(page)
    first = page.locator("#paragraphs > li").first
    expect(first.locator(".probabilities")).to_have_count(0)
    first.locator("summary").click()
    rows = first.get_by_role("list").get_by_role("listitem")
    expect(rows).to_have_count(len(LABELS))
    ranked = sorted(said[0]["probabilities"].items(), key=lambda item: -item[1])
    for row, (label, _) in zip(rows.all(), ranked, strict=True):
        expect(row).to_contain_text(NAMES[label])


def test_counts_and_shares_stand_on_the_filters(page: "Page") -> None:
    said = classify(page, sample(page))
    assert 8 <= len(said) <= 10
    expect(page.locator("#result-title")).to_have_text(f"الفقرات: {len(said)}")
    for label, name in NAMES.items():
        count = sum(one["label"] == label for one in said)
        share = f"{name} {count} · {percent(count / len(said))}"
        expect(page.locator(f"#filters [data-label={label}]")).to_have_text(share)


def test_a_filter_shows_only_its_label_and_a_second_one_adds_to_it(page: "Page") -> None:
    said = classify(page, sample(page))
    labels = list(dict.fromkeys(one["label"] for one in said))
    chips = [page.get_by_role("button", name=NAMES[label]) for label in labels[:2]]
    shown = page.locator("#paragraphs > li:not([hidden])")
    for number, chip in enumerate(chips, 1):
        expect(chip).to_have_attribute("aria-pressed", "false")
        chip.click()
        expect(chip).to_have_attribute("aria-pressed", "true")
        kept = [one["text"] for one in said if one["label"] in labels[:number]]
        expect(shown.locator(".text")).to_have_text(kept)
        expect(page.get_by_text("المعروض")).to_have_text(f"المعروض {len(kept)} من {len(said)}")
    for chip in chips:
        chip.click()
    expect(shown).to_have_count(len(said))


def test_low_confidence_is_said_in_words_and_can_be_filtered(page: "Page") -> None:
    text = {"label": "boilerplate", "text": "نص"}
    answer_with(page, [{**text, "confidence": 0.6}, {**text, "confidence": 0.599}], LABELS)
    classify(page)
    sure, unsure = page.locator("#paragraphs > li").all()
    expect(sure.locator("summary")).not_to_contain_text("ثقة ضعيفة")
    expect(unsure.locator("summary")).to_contain_text("ثقة ضعيفة")
    page.get_by_role("button", name="ضعيفة الثقة").click()
    expect(sure).to_be_hidden()
    expect(unsure).to_be_visible()


def test_a_paragraph_that_was_not_read_to_its_end_says_so(page: "Page") -> None:
    answer_with(page, [{"label": "boilerplate", "text": "نص", "truncated": True}], LABELS)
    classify(page)
    expect(page.locator("#paragraphs summary")).to_contain_text("لم يُقرأ كله")


def test_a_model_with_other_labels_is_shown_by_their_names(page: "Page") -> None:
    labels = ("sport", "<i>x</i>")
    answer_with(page, [{"label": label, "text": "نص"} for label in labels], labels)
    classify(page)
    expect(page.locator("#paragraphs .name")).to_have_text(list(labels))
    expect(page.locator("#filters .name")).to_have_text([*labels, "ضعيفة الثقة"])
    expect(page.locator("#copy")).to_be_hidden()
    expect(page.locator("#legend")).to_be_hidden()


def test_only_the_reporting_is_copied(page: "Page") -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    said = classify(page, sample(page))
    page.get_by_role("button", name="انسخ المادة الخبرية فقط").click()
    kept = [one["text"] for one in said if one["label"] in ("factual_report", "official_quote")]
    assert kept
    expect(page.locator("#copied")).to_have_text(f"نُسخت التقارير والتصريحات وحدها: {len(kept)}")
    assert page.evaluate("navigator.clipboard.readText()") == "\n\n".join(kept)


def test_copying_works_where_the_browser_has_no_clipboard_for_pages(
    open_page: Callable[..., "Page"],
) -> None:
    # As over plain http from another machine.
    without = "Object.defineProperty(Navigator.prototype, 'clipboard', { value: undefined })"
    page = open_page(lambda page: page.add_init_script(without))
    answer_with(page, [{"label": "factual_report", "text": "خبر"}], LABELS)
    classify(page)
    page.get_by_role("button", name="انسخ المادة الخبرية فقط").click()
    expect(page.locator("#copied")).to_contain_text("نُسخت")
    page.locator("#page").fill("")
    page.keyboard.press("Control+V")
    expect(page.locator("#page")).to_have_value("خبر")


def test_the_download_is_what_the_service_said(page: "Page", tmp_path: Path) -> None:
    page.locator("#page").fill(TEXT)
    with page.expect_response(ARTICLES) as waiting:
        page.get_by_role("button", name="صنّف الفقرات").click()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="نزّل النتيجة JSON").click()
    assert downloading.value.suggested_filename == "faqra-paragraphs.json"
    downloading.value.save_as(tmp_path / "answer.json")
    saved = (tmp_path / "answer.json").read_bytes()
    assert saved == waiting.value.body()
    assert json.loads(saved)["articles"][0]["paragraphs"]


def test_html_is_sent_as_html_and_its_visible_text_is_shown(page: "Page") -> None:
    markup = (ROOT / "tests" / "pages" / "sample.html").read_text(encoding="utf-8")
    page.locator("#page").fill(markup)
    expect(page.locator("#kind")).to_contain_text("صفحة HTML")
    with page.expect_request(ARTICLES) as asking:
        said = classify(page, markup)
    assert [*json.loads(asking.value.post_data or "")["articles"][0]] == ["html"]
    assert said[0]["text"] == "الرئيسية"
    expect(page.locator("#paragraphs .text").first).to_have_text("الرئيسية")


def test_a_script_in_a_text_is_shown_as_text(page: "Page") -> None:
    hostile = "قال: <script>alert(1)</script><img src=x onerror=alert(2)>"
    classify(page, hostile)
    expect(page.locator("#paragraphs .text")).to_have_text(hostile)
    expect(page.locator("#paragraphs script, #paragraphs img")).to_have_count(0)


def test_only_text_without_arabic_runs_left_to_right(page: "Page") -> None:
    classify(page, "BBC: قال الوزير\nRead more\n2024")
    assert page.locator("#paragraphs .text").evaluate_all("all => all.map((one) => one.dir)") == [
        "rtl",
        "ltr",
        "rtl",
    ]


def test_a_busy_service_is_told_with_when_to_try_again(page: "Page") -> None:
    fail_with(page, 429, headers={"Retry-After": "12"}, code="too_busy")
    try_to_classify(page)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("الخدمة مشغولة الآن.")
    expect(alert).to_contain_text("أعد المحاولة بعد 12 ثانية.")
    page.unroute(ARTICLES)
    classify(page)
    expect(alert).to_be_empty()


def test_a_service_that_does_not_say_when_is_asked_again_soon(page: "Page") -> None:
    fail_with(page, 503, code="stopping")
    try_to_classify(page)
    expect(page.get_by_role("alert")).to_contain_text("الخدمة تتوقف الآن.")
    expect(page.get_by_role("alert")).to_contain_text("أعد المحاولة بعد قليل.")


def test_an_unknown_error_is_told_in_the_services_words(page: "Page") -> None:
    fail_with(page, 422, code="new_code", field="articles.0.text")
    try_to_classify(page)
    expect(page.get_by_role("alert")).to_contain_text("لم تجب الخدمة عن هذا الطلب.")
    expect(page.get_by_role("alert")).to_contain_text("articles.0.text: the service's words")


def test_an_error_in_the_place_of_the_page_is_told(page: "Page") -> None:
    classify(page)
    error = {"id": "0", "error": {"code": "paragraph_too_long", "message": "cut it"}}
    page.route(ARTICLES, lambda route: route.fulfill(json={"model": {}, "articles": [error]}))
    try_to_classify(page)
    expect(page.get_by_role("alert")).to_contain_text("فقرة أطول مما تقبله الخدمة")


def test_an_answer_of_something_between_is_no_riddle(page: "Page") -> None:
    page.route(ARTICLES, lambda route: route.fulfill(status=502, body="<h1>Bad Gateway</h1>"))
    try_to_classify(page)
    expect(page.get_by_role("alert")).to_contain_text("HTTP 502")
    page.unroute(ARTICLES)
    page.route(ARTICLES, lambda route: route.fulfill(body="<h1>Welcome to the hotel</h1>"))
    try_to_classify(page)
    expect(page.get_by_role("alert")).to_have_text("جاء من الخدمة جواب غير مفهوم.")


def test_a_lost_network_is_told_and_the_text_is_kept(page: "Page") -> None:
    page.route(ARTICLES, lambda route: route.abort())
    try_to_classify(page)
    expect(page.get_by_role("alert")).to_have_text(
        "تعذّر الوصول إلى الخدمة. تحقق من الاتصال ثم أعد المحاولة."
    )
    expect(page.locator("#page")).to_have_value(TEXT)
    expect(page.locator("#progress")).to_be_hidden()


def test_an_empty_text_is_not_sent(page: "Page") -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    try_to_classify(page, " \n ")
    expect(page.get_by_role("alert")).to_contain_text("لا نص هنا بعد.")
    expect(page.locator("#page")).to_be_focused()
    assert not asked


def test_a_page_without_visible_text_is_told(page: "Page") -> None:
    try_to_classify(page, "<script>x()</script>")
    expect(page.get_by_role("alert")).to_contain_text("لا فقرة في هذه الصفحة")


def test_a_key_is_asked_for_kept_in_the_tab_and_sent(open_page: Callable[..., "Page"]) -> None:
    def guard(route: "Route") -> None:
        if route.request.headers.get("authorization") == "Bearer right-key":
            route.continue_()
        else:
            error = {"code": "unauthorized", "message": "expected the service's key"}
            route.fulfill(status=401, json={"error": error})

    page = open_page(lambda page: page.route("**/v1/**", guard))
    key = page.get_by_label("مفتاح الخدمة")
    expect(key).to_be_visible()  # the model behind the footer is asked for first
    expect(key).not_to_be_focused()
    try_to_classify(page)
    expect(page.get_by_role("alert")).to_have_text("لا تجيب هذه الخدمة إلا بمفتاح.")
    expect(key).to_be_focused()
    for wrong in ("wrong-key", "مفتاح"):
        key.fill(wrong)
        key.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("لم تقبل الخدمة هذا المفتاح.")
        expect(key).to_be_focused()
    key.fill(" right-key ")
    key.press("Enter")
    expect(page.locator("#paragraphs > li")).to_have_count(3)
    expect(key).to_be_hidden()
    expect(page.get_by_role("alert")).to_be_empty()
    page.reload()
    expect(page.locator("#model")).to_contain_text("البصمة")
    expect(key).to_be_hidden()
    assert page.evaluate("localStorage.length") == 0


def test_a_new_request_takes_the_place_of_one_under_way(page: "Page") -> None:
    held: list[Route] = []

    def hold_the_first(route: "Route") -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route(ARTICLES, hold_the_first)
    with page.expect_request(ARTICLES):
        try_to_classify(page, "نص أول")
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="جارٍ التصنيف…")).to_be_visible()
    with page.expect_event("requestfailed") as failing:
        classify(page, "نص ثان")
    assert failing.value == held[0].request
    expect(page.locator("#paragraphs .text")).to_have_text("نص ثان")


def test_a_request_can_be_cancelled(page: "Page") -> None:
    page.route(ARTICLES, lambda route: None)
    with page.expect_request(ARTICLES):
        try_to_classify(page)
    with page.expect_event("requestfailed"):
        page.get_by_role("button", name="ألغِ الطلب").click()
    expect(page.locator("#status")).to_have_text("أُلغي الطلب.")
    expect(page.get_by_role("progressbar")).to_be_hidden()
    expect(page.get_by_role("alert")).to_be_empty()


def test_english_turns_the_page_round_and_is_remembered(page: "Page") -> None:
    said = classify(page)
    page.locator("#paragraphs summary").first.click()
    page.get_by_role("button", name="English").click()
    for _ in range(2):
        expect(page.locator("html")).to_have_attribute("dir", "ltr")
        expect(page.locator("html")).to_have_attribute("lang", "en")
        expect(page.get_by_role("button", name="Classify", exact=True)).to_be_visible()
        if page.locator("#result").is_visible():
            expect(page.locator("#result-title")).to_have_text(f"Paragraphs: {len(said)}")
            expect(page.locator("#paragraphs details[open]")).to_have_count(1)
            expect(page.locator("#paragraphs .text").first).to_have_attribute("dir", "rtl")
            page.reload()
    page.get_by_role("button", name="العربية").click()
    expect(page.locator("html")).to_have_attribute("dir", "rtl")


def test_both_languages_say_everything(page: "Page") -> None:
    arabic, english = page.evaluate(
        "import('/static/strings.js').then(({ STRINGS }) => [STRINGS.ar, STRINGS.en])"
    )
    assert arabic.keys() == english.keys()
    for key, sentence in arabic.items():
        values = [sorted(re.findall(r"\{\w+\}", one)) for one in (sentence, english[key])]
        assert values[0] == values[1], key
    sources = "".join(path.read_text(encoding="utf-8") for path in PAGE.glob("*.*"))
    assert set(re.findall(r'data-(?:text|placeholder)="([^"]+)"', sources)) <= arabic.keys()


def test_a_narrow_screen_needs_no_sideways_scrolling(page: "Page") -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    width = "document.documentElement.scrollWidth"
    assert page.evaluate(width) == 360
    long = [{"label": label, "text": "طويل" * 60, "confidence": 0.3} for label in LABELS]
    answer_with(page, long, LABELS)
    classify(page)
    page.locator("#paragraphs summary").first.click()
    expect(page.locator("#paragraphs .probabilities")).to_be_visible()
    assert page.evaluate(width) == 360
    whole = "all => all.every((one) => one.scrollWidth <= one.clientWidth)"
    assert page.locator("#paragraphs .text").evaluate_all(whole)
    page.get_by_role("button", name="English").click()
    assert page.evaluate(width) == 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(
    page: "Page", scheme: Literal["light", "dark"]
) -> None:
    page.emulate_media(color_scheme=scheme)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (int(re.findall(r"\d+", ground)[0]) < 60) == (scheme == "dark")
    labels = (*LABELS, "a", "b", "c", "d")
    paragraphs = [{"label": label, "text": "نص", "confidence": 0.3} for label in labels]
    answer_with(page, paragraphs, labels)
    classify(page)
    page.locator("#legend summary").click()
    page.locator("#paragraphs summary").first.click()
    expect(page.locator(".probabilities")).to_be_visible()
    for label in labels:
        page.locator(f"#filters [data-label={label}]").click()
    page.unroute(ARTICLES)
    fail_with(page, 422, code="new_code")
    try_to_classify(page)
    expect(page.get_by_role("alert")).not_to_be_empty()
    page.mouse.move(0, 0)
    found = page.evaluate(CONTRASTS)
    assert len(found) > 60
    assert [(text, round(ratio, 2)) for text, ratio in found if ratio < 4.5] == []


def test_on_paper_the_paragraphs_stand_alone(page: "Page") -> None:
    classify(page)
    page.emulate_media(media="print")
    expect(page.locator("#ask")).to_be_hidden()
    expect(page.locator("#copy")).to_be_hidden()
    expect(page.locator("#paragraphs .text").first).to_be_visible()
    expect(page.locator("#model")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("utf8.txt", TEXT.encode()),
        ("marked.txt", TEXT.encode("utf-8-sig")),
        ("cut.txt", (TEXT + "\nم").encode()[:-1]),
        ("windows.txt", TEXT.encode("cp1256")),
        ("wide.txt", TEXT.encode("utf-16")),
        ("iso.html", f'<meta charset="iso-8859-6"><p>{TEXT}'.encode("iso8859-6")),
        ("lying.html", f'<meta charset="utf-8"><p>{TEXT}'.encode("cp1256")),
    ],
)
def test_a_chosen_file_is_read_in_its_charset(page: "Page", name: str, raw: bytes) -> None:
    chosen: Any = {"name": name, "mimeType": "", "buffer": raw}
    page.get_by_label("اختر ملفًا").set_input_files(chosen)
    expect(page.locator("#status")).to_contain_text(name)
    assert TEXT in page.locator("#page").input_value()


def test_a_file_dropped_anywhere_is_read_and_can_be_classified(page: "Page") -> None:
    markup = f"<!doctype html><title>x</title><p>{TEXT.splitlines()[0]}</p>"
    page.evaluate(DROP, ["news.html", "text/html", list(markup.encode("cp1256"))])
    expect(page.locator("#page")).to_have_value(markup)
    page.get_by_role("button", name="صنّف الفقرات").click()
    expect(page.locator("#paragraphs .text")).to_have_text(TEXT.splitlines()[0])


@pytest.mark.parametrize(
    ("raw", "said"), [(b"PK\3\4\0\0", "ليس نصًا"), (b" " * (2**20 + 1), "أقصى ما تقبله الخدمة 1")]
)
def test_a_file_that_cannot_be_sent_is_refused(page: "Page", raw: bytes, said: str) -> None:
    model = {"name": "toy", "digest": "0123", "labels": LABELS, "limits": {"body_bytes": 2**20}}
    page.route("**/v1/model", lambda route: route.fulfill(json=model))
    page.reload()
    expect(page.locator("#model")).to_contain_text("toy")
    chosen: Any = {"name": "news.docx", "mimeType": "", "buffer": raw}
    page.get_by_label("اختر ملفًا").set_input_files(chosen)
    expect(page.get_by_role("alert")).to_contain_text("news.docx")
    expect(page.get_by_role("alert")).to_contain_text(said)
    expect(page.locator("#page")).to_have_value("")


def test_everything_can_be_done_with_the_keyboard(page: "Page") -> None:
    focused = page.locator(":focus")
    page.keyboard.press("Tab")
    expect(focused).to_have_text("انتقل إلى مربع النص")
    page.keyboard.press("Enter")
    expect(page.locator("#page")).to_be_focused()
    page.keyboard.insert_text(TEXT)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#result-title")).to_be_focused()
    page.keyboard.press("Tab")
    expect(focused).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Space")
    expect(focused).to_have_attribute("aria-pressed", "true")
    assert focused.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    for _ in range(10):
        page.keyboard.press("Tab")
        if focused.evaluate("one => one.tagName") == "SUMMARY":
            break
    page.keyboard.press("Enter")
    expect(page.locator("#paragraphs details[open]")).to_have_count(1)


def test_what_happens_is_announced(page: "Page") -> None:
    said = classify(page)
    words = page.locator("#counts")
    expect(words).to_have_role("status")
    for label in {one["label"] for one in said}:
        count = sum(one["label"] == label for one in said)
        expect(words).to_contain_text(f"{NAMES[label]}: {count}")
    expect(page.locator("#shown")).to_have_role("status")
    expect(page.locator("#copied")).to_have_role("status")
    for landmark in ("banner", "main", "contentinfo"):
        expect(page.get_by_role(landmark)).to_have_count(1)


def test_the_footer_names_the_model(page: "Page", address: str) -> None:
    with urllib.request.urlopen(f"{address}/v1/model", timeout=10) as response:
        model = json.load(response)
    expect(page.locator("#model")).to_contain_text(model["name"])
    expect(page.locator("#model")).to_contain_text(model["digest"])


def test_the_page_runs_under_a_policy_that_allows_its_own_files_alone(page: "Page") -> None:
    policy = page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content")
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy


def test_the_files_of_the_page_stay_small() -> None:
    for path in PAGE.iterdir():
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 200, path.name
        assert "innerHTML" not in path.read_text(encoding="utf-8"), path.name
