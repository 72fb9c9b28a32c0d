"""The BentoML service: loads the model in each worker and puts the application into it.

The only module that knows BentoML. What to serve and how much of it is read from the
environment, as `bentoml serve`, a Bento and `faqra serve` all start it:

    FAQRA_MODEL      model folder, hub id or Bento model tag (default: the bundled model)
    FAQRA_WORKERS    processes (default: one a core)
    FAQRA_API_KEY    asked of every caller where it is set
    FAQRA_...        the limits of `faqra_serving.limits`
"""

import logging
import os

import bentoml
from starlette.types import ASGIApp, Receive, Scope, Send

from faqra_models.backend import cores
from faqra_models.loading import load_classifier
from faqra_serving.app import Application
from faqra_serving.engine import Engine
from faqra_serving.limits import Limits, api_key_from
from faqra_serving.metrics import Metrics

# Two workers of one thread answered 300 requests a second where one of two threads answered 130:
# half of a small request is HTTP, which a process does on one core.
WORKERS = int(os.environ.get("FAQRA_WORKERS", "0")) or cores()

application = Application(Limits.from_environment(), api_key=api_key_from(os.environ))


@bentoml.service(
    name="faqra",
    workers=WORKERS,
    # The application has a deadline of its own, which tells callers in its own words.
    traffic={"timeout": 24 * 3600},
    logging={"access": {"enabled": False}},
    # Spans cost 0.6 ms a request, a third of all but the model; logs and metrics tell the times.
    tracing={"excluded_urls": ".*"},
)
@bentoml.asgi_app(application, path="/")
class FaqraService:
    """Labels the paragraphs of Arabic news pages."""

    def __init__(self) -> None:
        _log_to_stderr()
        threads = max(1, cores() // WORKERS)
        classifier = load_classifier(os.environ.get("FAQRA_MODEL") or None, threads=threads)
        classifier.classify(["فقرة"])  # what is made at the first answer is made before it
        application.metrics = Metrics()
        application.engine = Engine(classifier, application.limits, application.metrics)

    def __is_ready__(self) -> bool:
        return application.engine is not None

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    async def finish(self) -> None:
        """Answer what was accepted, then stop."""
        if application.engine is not None:
            await application.engine.close()


class _ToTheApplication:
    """Brings the application's own paths to it past all of BentoML's layers.

    And those with a line break, which BentoML's pattern does not know. BentoML keeps health and
    metrics; the application counts and times its own routes.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        own = path in application.paths or "\n" in path
        await (application if own else self._app)(scope, receive, send)


class _Service(type(FaqraService)):  # type: ignore[misc] # BentoML has no types
    """A service whose layers its application's requests do not pass.

    They are a tenth of a small request, and one of them keeps a timer of each request until its
    time is over: a middleware that is added to a service comes behind it.
    """

    __slots__ = ()

    def to_asgi(self, is_main: bool = True) -> ASGIApp:
        """What a worker serves."""
        return _ToTheApplication(super().to_asgi(is_main))


FaqraService.__class__ = _Service  # type: ignore[method-assign] # the decorator makes no other


def _log_to_stderr() -> None:
    """One JSON object a request, and nothing before it."""
    logger = logging.getLogger("faqra.serving")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
