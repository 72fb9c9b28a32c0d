"""Windows that a model has read lately, with their answers: each different one is run once.

Archives repeat their furniture and their agencies' stories. This module does not know where
windows come from, nor what their answers mean.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence

from faqra_models.encoding import Votes, Window


class KnownWindows:
    """Runs windows through `run`, each different one once as long as it is remembered."""

    def __init__(self, run: Callable[[Sequence[Window]], list[Votes]], *, paragraphs: int) -> None:
        """The votes for so many paragraphs are remembered."""
        self._run = run
        self._most = paragraphs
        self._held = 0
        self._votes: OrderedDict[bytes, Votes] = OrderedDict()

    def run(self, windows: Sequence[Window]) -> list[Votes]:
        """The votes of each window, in the order given."""
        keys = [window.key() for window in windows]
        new = {
            key: window for key, window in zip(keys, windows, strict=True) if key not in self._votes
        }
        found = dict(zip(new, self._run(list(new.values())), strict=True))
        answers = [found[key] if key in found else self._recalled(key) for key in keys]
        self._votes.update(found)
        self._held += sum(map(len, found.values()))
        while self._held > self._most:
            _, oldest = self._votes.popitem(last=False)
            self._held -= len(oldest)
        return answers

    def _recalled(self, key: bytes) -> Votes:
        self._votes.move_to_end(key)
        return self._votes[key]
