"""What only some commands need: packages that may be missing, and libraries that chatter.

This module does not know which command needs what.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from faqra_data.errors import MissingExtraError


@contextmanager
def needing(extra: str, purpose: str) -> Iterator[None]:
    """Around imports: a package that is not installed becomes a MissingExtraError."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package.startswith("faqra"):
            raise  # a fault of ours
        raise MissingExtraError(package, extra, purpose) from error


@contextmanager
def without_warnings() -> Iterator[None]:
    """Around a whole command: what libraries warn of is meant for their programmers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
