"""What each paragraph of an Arabic news page is: report, official quote, commentary, boilerplate.

The front door for programs. A name is fetched from its room when it is first used, so that
importing faqra costs nothing.
"""

TYPE_CHECKING = False  # type checkers know this name; importing typing would cost 5 ms
if TYPE_CHECKING:
    from faqra.client import Client, ServiceError
    from faqra_data.article import Article
    from faqra_data.errors import FaqraError
    from faqra_models.loading import load_classifier as load
    from faqra_models.prediction import ParagraphPrediction, Prediction
    from faqra_serving.columns import batch_classifier as batch

    __version__: str

__all__ = [
    "Article",
    "Client",
    "FaqraError",
    "ParagraphPrediction",
    "Prediction",
    "ServiceError",
    "__version__",
    "batch",
    "load",
]

_HOMES = {
    "Article": ("faqra_data.article", "Article"),
    "Client": ("faqra.client", "Client"),
    "FaqraError": ("faqra_data.errors", "FaqraError"),
    "ParagraphPrediction": ("faqra_models.prediction", "ParagraphPrediction"),
    "Prediction": ("faqra_models.prediction", "Prediction"),
    "ServiceError": ("faqra.client", "ServiceError"),
    "batch": ("faqra_serving.columns", "batch_classifier"),
    "load": ("faqra_models.loading", "load_classifier"),
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - 20 ms to import

        value: object = version("faqra")
    elif name in _HOMES:
        from importlib import import_module  # noqa: PLC0415 - see above

        module, attribute = _HOMES[name]
        value = getattr(import_module(module), attribute)
    else:
        raise AttributeError(f"module 'faqra' has no attribute {name!r}")
    globals()[name] = value  # the next use finds it without coming here
    return value


def __dir__() -> list[str]:
    return __all__
