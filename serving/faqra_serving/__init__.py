"""The prediction service: the classifier over HTTP, for many callers at once."""

from importlib.metadata import version as _version_of


def version() -> str:
    """The version of faqra that serves."""
    return _version_of("faqra")
