"""The errors that faqra raises, all in one small tree.

Every message says what was expected, what came, where, and what to do. This module
does not know where they are raised, nor how the command prints them.
"""


class FaqraError(Exception):
    """Anything that faqra itself finds wrong; the message is one readable line."""


class InputError(FaqraError):
    """A page, file or row that cannot be read."""


class CorpusError(FaqraError):
    """A labelled corpus, annotation file or split that does not hold what it should."""


class RecipeError(FaqraError):
    """A recipe with one or more mistakes, all of them in the message."""


class ModelError(FaqraError):
    """A model that is missing, incomplete, altered or of another form."""


class OutputError(FaqraError):
    """Results that cannot be written: the disk is full, say."""


class ClusterError(FaqraError):
    """A cluster that cannot be reached, or that gave up."""


class MissingExtraError(FaqraError):
    """A package that only some uses need is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package '{package}', which is not installed; "
            f"install it with: pip install 'faqra[{extra}]'"
        )
