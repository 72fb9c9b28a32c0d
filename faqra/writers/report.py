"""The HTML report: one right-to-left page that stands alone, for reading and for the printer.

Articles are written as they come; the page counts and filters itself. Nothing is fetched from
anywhere, and a policy in the page forbids all but its own style and script.
"""

import base64
import hashlib
import re
import unicodedata
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import BinaryIO

from faqra.writers.appearance import ARABIC_NAMES, percent, tones
from faqra.writers.rows import showable
from faqra_data.article import Article
from faqra_models.prediction import LOW_CONFIDENCE, ArticlePredictions, ParagraphPrediction

_WEB_ADDRESS = re.compile(r"https?://[^\s]+", re.IGNORECASE)
_REPORTING = "factual_report"


class ReportWriter:
    """One section an article; filters and counts come to life in the browser."""

    def __init__(self, stream: BinaryIO, labels: Sequence[str]) -> None:
        self._stream = stream
        self._tones = tones(labels)
        self._script = _package_file("report.js")
        self._put(_head(_package_file("report.css"), self._script) + _controls(self._tones))

    def write(self, result: ArticlePredictions) -> None:
        """Add one article as a section of the page."""
        paragraphs = "".join(
            _paragraph(prediction, self._tones[prediction.label])
            for prediction in result.predictions
        )
        self._put(
            f'<article>\n<header>{_heading(result.article)}</header>\n<ol class="paragraphs">\n'
            f"{paragraphs}</ol>\n</article>\n"
        )

    def close(self) -> None:
        """End the page with the script that counts and filters."""
        self._put(
            '<p id="nothing" hidden>لا توجد فقرات توافق التصفية المختارة.</p>\n</main>\n'
            "<footer>أُنشئ هذا التقرير آليًا بواسطة <bdi>faqra</bdi>. "
            "التصنيف تقدير إحصائي قد يخطئ، ولا سيما حيث وُسمت الثقة بأنها ضعيفة.</footer>\n"
            f"<script>{self._script}</script>\n</body>\n</html>\n"
        )

    def _put(self, markup: str) -> None:
        self._stream.write(markup.encode("utf-8"))


def _head(style: str, script: str) -> str:
    policy = f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}"
    return f"""<!DOCTYPE html>
<html lang="ar" dir="rtl">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>فقرات الأخبار مصنّفة</title>
<style>{style}</style>
</head>
<body>
"""


def _controls(tones_: dict[str, str]) -> str:
    boxes = "".join(
        f'<label class="choice {tone}"><input type="checkbox" name="label" '
        f'value="{_escaped(label)}" checked><span>{_name(label)}</span>'
        '<output class="count"></output></label>\n'
        for label, tone in tones_.items()
    )
    only = f'<button type="button" data-only="{_REPORTING}">التقرير الخبري فقط</button>\n'
    return (
        '<header class="top">\n<h1>فقرات الأخبار مصنّفة</h1>\n'
        '<form id="filter" hidden>\n'
        '<div id="shares" aria-hidden="true"></div>\n'
        f'<fieldset><legend>اعرض الفقرات من نوع</legend>\n<div class="choices">{boxes}</div>'
        "</fieldset>\n"
        f'<div class="actions">{only if _REPORTING in tones_ else ""}'
        '<button type="button" data-only="">الكل</button>\n'
        '<label class="choice unsure"><input type="checkbox" id="unsure">'
        '<span>ضعيفة الثقة فقط</span><output class="count"></output></label>\n'
        '<output id="shown" aria-live="polite"></output></div>\n'
        "</form>\n</header>\n<main>\n"
    )


def _heading(article: Article) -> str:
    details = [f"<bdi>{_escaped(article.id)}</bdi>"] if article.title else []
    details += [f"<bdi>{_escaped(part)}</bdi>" for part in (article.source, article.date) if part]
    if _WEB_ADDRESS.fullmatch(article.url):
        address = _escaped(article.url)
        details.append(f'<a href="{address}" rel="noreferrer nofollow">الصفحة الأصلية</a>')
    title = article.title or article.id
    meta = f'<p class="meta">{" · ".join(details)}</p>' if details else ""
    return f"<h2{_direction(title)}>{_escaped(title)}</h2>{meta}"


def _paragraph(prediction: ParagraphPrediction, tone: str) -> str:
    unsure = prediction.confidence < LOW_CONFIDENCE
    marks = (' <span class="mark">ثقة ضعيفة</span>' if unsure else "") + (
        ' <span class="mark">لم يُقرأ كله</span>' if prediction.truncated else ""
    )
    ranked = sorted(prediction.probabilities.items(), key=lambda item: -item[1])
    title = "\n".join(f"{ARABIC_NAMES.get(label, label)}: {percent(p)}" for label, p in ranked)
    return (
        f'<li class="{tone}{" unsure" if unsure else ""}" title="{_escaped(title)}" '
        f'data-label="{_escaped(prediction.label)}" data-confidence="{prediction.confidence:.4f}">'
        f'<p class="said"><span class="number">{prediction.index}</span> '
        f'<b class="name">{_name(prediction.label)}</b> '
        f'<span class="confidence">{percent(prediction.confidence)}</span>{marks}</p>'
        f'<p class="text"{_direction(prediction.text)}>{_escaped(prediction.text)}</p></li>\n'
    )


def _name(label: str) -> str:
    return ARABIC_NAMES.get(label) or f"<bdi>{_escaped(label)}</bdi>"


def _direction(text: str) -> str:
    """Left to right for a text without any right-to-left letter; the page's own for others.

    `dir=auto` would turn round every Arabic paragraph that begins with a foreign name.
    """
    kinds = {unicodedata.bidirectional(character) for character in text}
    return ' dir="ltr"' if "L" in kinds and not kinds & {"R", "AL"} else ""


def _escaped(text: str) -> str:
    return escape(showable(text), quote=True)


def _digest(content: str) -> str:
    digest = base64.b64encode(hashlib.sha256(content.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{digest}'"


def _package_file(name: str) -> str:
    return (files("faqra.writers") / name).read_text(encoding="utf-8")
