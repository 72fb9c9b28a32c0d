"""The table for a terminal: a heading an article, a line a paragraph, a count at the end.

Text stays in its logical order and is set against the right edge: terminals that know Arabic
turn it round themselves, and the others could not show it either way. Directional marks are
not added; the terminals that know Arabic ignore them or print them.
"""

import codecs
from collections import Counter
from collections.abc import Sequence
from typing import IO, BinaryIO, cast

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from faqra.writers.appearance import percent, tones
from faqra.writers.rows import showable
from faqra_models.prediction import LOW_CONFIDENCE, ArticlePredictions, ParagraphPrediction

# Only colours that every terminal theme has made readable (bright black is not among them).
_STYLES = {
    "report": "blue",
    "quote": "green",
    "opinion": "yellow",
    "noise": "dim",
    "other-1": "magenta",
    "other-2": "cyan",
    "other-3": "red",
    "other-4": "white",
}
# A terminal is no place for a whole book; the other formats hold all of the text.
_SHOWN_CHARACTERS = 4_000
# Narrower than this, a text beside its label would be a column of single words.
_STACKED_BELOW = 76


class _Console(Console):
    """Leaves it to the command what happens when the reader of a pipe is gone."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


class TableWriter:
    """Colours and width are the terminal's; NO_COLOR and COLUMNS are honoured."""

    def __init__(self, stream: BinaryIO, labels: Sequence[str]) -> None:
        text = codecs.getwriter("utf-8")(stream)
        self._console = _Console(file=cast("IO[str]", text), highlight=False, emoji=False)
        self._styles = {label: _STYLES[tone] for label, tone in tones(labels).items()}
        self._label_width = max((len(label) for label in labels), default=0)
        self._counts: Counter[str] = Counter()

    def write(self, result: ArticlePredictions) -> None:
        """Print one article at once."""
        self._counts.update(prediction.label for prediction in result.predictions)
        self._console.print(Rule(_heading(result), align="left", style="dim"))
        stacked = self._console.width < _STACKED_BELOW
        print_paragraph = self._print_stacked if stacked else self._print_beside
        for prediction in result.predictions:
            print_paragraph(prediction)
        self._console.print()

    def close(self) -> None:
        """Print how many paragraphs have which label."""
        total = self._counts.total()
        summary = Text(f"{total:,} paragraph{'' if total == 1 else 's'}", style="bold")
        for label, style in self._styles.items():
            if self._counts[label]:
                summary.append(" · ", style="not bold dim")
                summary.append(f"{label} {self._counts[label]:,}", style=f"not bold {style}")
        self._console.print(summary)

    def _print_beside(self, prediction: ParagraphPrediction) -> None:
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(justify="right", width=4)
        grid.add_column(width=self._label_width)
        grid.add_column(justify="right", width=5)
        grid.add_column(justify="right", ratio=1, overflow="fold")
        grid.add_row(*self._cells(prediction))
        self._console.print(grid)

    def _print_stacked(self, prediction: ParagraphPrediction) -> None:
        number, label, confidence, text = self._cells(prediction)
        self._console.print(Text(" ").join([number, label, confidence]))
        self._console.print(text, justify="right", overflow="fold")

    def _cells(self, prediction: ParagraphPrediction) -> tuple[Text, Text, Text, Text]:
        style = self._styles[prediction.label]
        unsure = prediction.confidence < LOW_CONFIDENCE
        confidence = percent(prediction.confidence) + ("?" if unsure else " ")
        return (
            Text(str(prediction.index), style="dim"),
            Text(prediction.label, style=style),
            Text(confidence, style="bold red" if unsure else "dim"),
            _body(prediction, "dim" if style == _STYLES["noise"] else ""),
        )


def _heading(result: ArticlePredictions) -> Text:
    article = result.article
    heading = Text(showable(article.id), style="bold")
    if article.title:
        heading.append(f"  {showable(article.title)}", style="not bold")
    return heading


def _body(prediction: ParagraphPrediction, style: str) -> Text:
    text = prediction.text
    body = Text(" ".join(showable(text[:_SHOWN_CHARACTERS]).split()), style=style)
    if len(text) > _SHOWN_CHARACTERS:
        body.append(f" [+{len(text) - _SHOWN_CHARACTERS:,} characters]", style="italic")
    if prediction.truncated:
        body.append(" [not all of it was read]", style="italic")
    return body
