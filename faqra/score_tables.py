"""Scores as tables on the terminal.

This module does not know how scores are computed (`faqra_training.scores`).
"""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from faqra_training.scores import Scores


def print_scores(results: "Mapping[str, Scores]", others: "Mapping[str, Scores]") -> None:
    """All scores in one table, then by label and as confusions those of `results`."""
    from rich.console import Console  # noqa: PLC0415 - 0.1 s, and --json needs none of it

    # In a file no line is to be broken for a terminal that is not there.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    rows = [
        [
            name,
            f"{one.macro_f1:.4f}",
            f"{one.interval[0]:.3f} to {one.interval[1]:.3f}",
            f"{one.accuracy:.4f}",
            f"{one.ece:.4f}",
            f"{one.n:,}",
        ]
        for name, one in {**results, **others}.items()
    ]
    head = ["", "macro-F1", "95 % interval", "accuracy", "ECE", "paragraphs"]
    _print_table(console, "Scores", head, rows)
    for name, scores in results.items():
        rows = [
            [
                label,
                f"{one.precision:.4f}",
                f"{one.recall:.4f}",
                f"{one.f1:.4f}",
                f"{one.support:,}",
            ]
            for label, one in scores.per_label.items()
        ]
        head = ["label", "precision", "recall", "F1", "paragraphs"]
        _print_table(console, f"By label, {name}", head, rows)
        rows = [
            [label, *(f"{count:,}" for count in counts)]
            for label, counts in zip(scores.labels, scores.confusion.tolist(), strict=True)
        ]
        _print_table(console, f"Confusion, {name}", ["gold \\ given", *scores.labels], rows)


def _print_table(console: "Console", title: str, head: list[str], rows: list[list[str]]) -> None:
    from rich.markup import escape  # noqa: PLC0415 - as above
    from rich.table import Table  # noqa: PLC0415

    table = Table(title=title, title_justify="left", title_style="bold")
    for number, name in enumerate(head):
        table.add_column(escape(name), justify="right" if number else "left")
    for row in rows:
        table.add_row(*map(escape, row))
    console.print(table)
