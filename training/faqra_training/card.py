"""A model's card in Markdown: what it is, how good, from what data, and how to use it.

Everything in it comes from the model's settings and its scores; this module does not know
how they were reached.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from faqra_data.labels import LABELS
from faqra_models.settings import Settings
from faqra_training.baselines import TFIDF
from faqra_training.evaluation import Comparison
from faqra_training.scores import Scores

_MEANINGS = {
    "factual_report": "what happened, said by the page itself",
    "official_quote": "what an official or institution said, word for word or in indirect speech",
    "editorial_commentary": "opinion, analysis and interpretation",
    "boilerplate": "what belongs to the site and not to the article: menus, teasers, notices",
}


def model_card(settings: Settings, scores: Comparison, notes: str = "") -> str:
    """The card of a model trained here; `notes` are added at the end as they are."""
    parts = [
        _front_matter(settings, scores),
        _introduction(settings),
        _score_table(scores),
        _label_table(scores),
        _confusion_table(scores.together),
        _training(settings.history),
        _limits(settings),
        _usage(settings),
    ]
    if notes.strip():
        parts.append(notes.strip("\n"))
    return "\n\n".join(parts) + "\n"


def _front_matter(settings: Settings, scores: Comparison) -> str:
    measured = [("f1", "macro-F1", scores.together.macro_f1)]
    measured.append(("accuracy", "accuracy", scores.together.accuracy))
    metrics = [
        line
        for kind, name, value in measured
        for line in (
            f"          - type: {kind}",
            f"            name: {name}",
            f"            value: {value:.4f}",
        )
    ]
    lines = [
        "---",
        "language: ar",
        "library_name: transformers",
        "pipeline_tag: token-classification",
        "tags: [faqra, arabic, news, paragraph-classification]",
        "model-index:",
        f"  - name: {_quoted(settings.name)}",
        "    results:",
        "      - task:",
        "          type: text-classification",
        "        dataset:",
        "          name: dev",
        f"          type: {_quoted(str(settings.history['data']['dev']['digest']))}",
        "        metrics:",
        *metrics,
        "---",
    ]
    return "\n".join(lines)


def _introduction(settings: Settings) -> str:
    described = [
        f"- `{label}`: {_MEANINGS[label]}" if settings.labels == LABELS else f"- `{label}`"
        for label in settings.labels
    ]
    way = (
        "It reads a page as one sequence, so that a paragraph is judged among its neighbours; "
        "single paragraphs can be given too."
        if settings.context
        else "It judges each paragraph by itself."
    )
    return "\n".join(
        [
            f"# {settings.name}",
            "",
            f"Labels every paragraph of an Arabic news page. {way} It reads up to "
            f"{settings.max_tokens} tokens at a time; what is longer is read in several windows.",
            "",
            *described,
        ]
    )


def _score_table(scores: Comparison) -> str:
    rows = [
        [name, _with_interval(one), f"{one.accuracy:.3f}", f"{one.ece:.3f}", str(one.n)]
        for name, one in scores.rows.items()
    ]
    lines = [
        "## Scores",
        "",
        *_table(["on dev", "macro-F1 (95 % interval)", "accuracy", "ECE", "paragraphs"], rows),
        "",
        "Intervals are bootstrapped over whole articles. The weights and the calibration were "
        "chosen on dev, so these scores are somewhat better than on pages never seen.",
    ]
    if TFIDF in scores.others:
        lines += ["", _advantage(scores.together, scores.others[TFIDF])]
    return "\n".join(lines)


def _advantage(own: Scores, other: Scores) -> str:
    points = 100 * (own.macro_f1 - other.macro_f1)
    verdict = "better than" if points > 0 else "worse than"
    apart = own.interval[0] > other.interval[1] or own.interval[1] < other.interval[0]
    certainty = "do not overlap" if apart else "overlap"
    return (
        f"In context its macro-F1 is {abs(points):.1f} points {verdict} {TFIDF}'s, trained and "
        f"scored on the same paragraphs; the two intervals {certainty}."
    )


def _label_table(scores: Comparison) -> str:
    head = ["label", "way", "precision", "recall", "F1", "paragraphs"]
    rows = [
        [
            f"`{label}`",
            way,
            *(f"{value:.3f}" for value in (one.precision, one.recall, one.f1)),
            str(one.support),
        ]
        for label in scores.together.labels
        for way, one in (
            ("in context", scores.together.per_label[label]),
            ("alone", scores.alone.per_label[label]),
        )
    ]
    return "\n".join(["### By label", "", *_table(head, rows)])


def _confusion_table(scores: Scores) -> str:
    rows = [
        [f"`{label}`", *map(str, counts)]
        for label, counts in zip(scores.labels, scores.confusion.tolist(), strict=True)
    ]
    head = ["gold, in context", *(f"given `{label}`" for label in scores.labels)]
    return "\n".join(["### Confusion", "", *_table(head, rows)])


def _training(history: Mapping[str, Any]) -> str:
    parts = [
        [
            part,
            "<br>".join(f"`{path}`" for path in data["paths"]),
            f"`{data['digest']}`",
            str(data["articles"]),
            str(data["paragraphs"]),
        ]
        for part, data in history["data"].items()
    ]
    versions = ", ".join(f"{name} {version}" for name, version in history["versions"].items())
    settings = [f"{name} = {value!r}" for name, value in history["recipe"].items()]
    return "\n".join(
        [
            "## Training",
            "",
            *_table(["part", "files", "digest", "articles", "paragraphs"], parts),
            "",
            f"Fine-tuned from `{history['recipe']['encoder']}` on {history['device']} with "
            f"{versions}; the weights of step {history['best_step']} were kept. The recipe:",
            "",
            "```",
            *settings,
            "```",
        ]
    )


def _limits(settings: Settings) -> str:
    return "\n".join(
        [
            "## Limits",
            "",
            "- Trained on news pages in Modern Standard Arabic; dialect, social media and other "
            "languages were not measured.",
            "- A label says what a paragraph is in its page, not whether what it says is true.",
            "- Probabilities were calibrated on dev with temperature "
            f"{settings.temperature:.2f}; on other kinds of pages they may be off.",
            "- Scores differ from outlet to outlet and are lowest where gold labels are disputed: "
            "the borders between report, indirect speech and analysis.",
        ]
    )


def _usage(settings: Settings) -> str:
    return "\n".join(
        [
            "## How to use",
            "",
            "```python",
            "import faqra",
            "",
            'classifier = faqra.load("path/to/this/folder")',
            "for paragraph in classifier.classify_article(page):  # text or HTML",
            "    print(paragraph.label, paragraph.confidence, paragraph.text)",
            "```",
            "",
            "On the command line: `faqra classify page.html --model path/to/this/folder`. It is a "
            "token-classification model: a paragraph's logits are the mean over its tokens and its "
            f"closing separator (id {settings.sep_id}), divided by the temperature in "
            "`faqra.json` (of a paragraph by itself: by that of `alone`, its biases added); faqra "
            "does this.",
        ]
    )


def _with_interval(scores: Scores) -> str:
    low, high = scores.interval
    return f"{scores.macro_f1:.3f} ({low:.3f} to {high:.3f})"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def _quoted(text: str) -> str:
    """A YAML scalar in double quotes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'
