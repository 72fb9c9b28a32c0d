"""JSON Lines: one object a row, text as it is, exact on reading back."""

import json
from typing import BinaryIO

from faqra.writers.rows import RowMaker
from faqra_models.prediction import ArticlePredictions


class JsonLinesWriter:
    """Each article is on the stream when `write` returns."""

    def __init__(self, stream: BinaryIO, rows: RowMaker) -> None:
        self._stream = stream
        self._rows = rows

    def write(self, result: ArticlePredictions) -> None:
        """Add one line a row."""
        for row in self._rows(result):
            line = json.dumps(row, ensure_ascii=False)
            # What UTF-8 cannot hold becomes \udXXX, which is how JSON spells it.
            self._stream.write(line.encode("utf-8", "backslashreplace") + b"\n")

    def close(self) -> None:
        """Nothing stands at the end."""
