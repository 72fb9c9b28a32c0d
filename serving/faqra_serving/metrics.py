"""What an operator sees: Prometheus metrics of the service, beside those that BentoML has.

prometheus_client is imported when the first metric is made, not before: BentoML tells it in
each worker where several processes meet.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from faqra_models.prediction import LOW_CONFIDENCE, ArticlePredictions
from faqra_serving.batching import Ran

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_TOKENS = (16, 64, 256, 512, 1024, 2048, 4096, 8192, 16384)


class Metrics:
    """Counters and histograms, all named `faqra_...`."""

    def __init__(self, registry: "CollectorRegistry | None" = None) -> None:
        """`registry` is the process's own unless given."""
        import prometheus_client as prometheus  # noqa: PLC0415 - see the head of this module

        place: dict[str, Any] = {} if registry is None else {"registry": registry}
        self._requests = prometheus.Counter(
            "faqra_requests", "Requests by route and status.", ("route", "status"), **place
        )
        self._request_seconds = prometheus.Histogram(
            "faqra_request_seconds",
            "From request to answer.",
            ("route",),
            buckets=_SECONDS,
            **place,
        )
        self._rejected = prometheus.Counter(
            "faqra_rejected",
            "Requests that were not answered, by the error's code.",
            ("code",),
            **place,
        )
        self._queue_seconds = prometheus.Histogram(
            "faqra_queue_seconds",
            "From being prepared to the first batch.",
            buckets=_SECONDS,
            **place,
        )
        self._queued_tokens = prometheus.Gauge(
            "faqra_queued_tokens", "Tokens that wait.", multiprocess_mode="livesum", **place
        )
        self._batch_tokens = prometheus.Histogram(
            "faqra_batch_tokens", "Tokens a batch.", buckets=_TOKENS, **place
        )
        self._batch_seconds = prometheus.Histogram(
            "faqra_batch_seconds", "The model's time for a batch.", buckets=_SECONDS, **place
        )
        self._cache = prometheus.Counter(
            "faqra_cache", "Articles or single paragraphs, by whether known.", ("result",), **place
        )
        self._predictions = prometheus.Counter(
            "faqra_predictions", "Paragraphs by predicted label.", ("label",), **place
        )
        self._unsure = prometheus.Counter(
            "faqra_low_confidence", f"Predictions below {LOW_CONFIDENCE}.", **place
        )
        self._truncated = prometheus.Counter(
            "faqra_truncated", "Paragraphs of which a part was not read.", **place
        )

    def count_request(self, route: str, status: int, seconds: float) -> None:
        """A request was answered, well or not."""
        self._requests.labels(route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def count_rejected(self, code: str) -> None:
        """A request ended in an error."""
        self._rejected.labels(code).inc()

    def count_cache(self, hit: bool) -> None:
        """An answer was known, or on its way, or not."""
        self._cache.labels("hit" if hit else "miss").inc()

    def observe_batch(self, ran: Ran, *, queued_tokens: int) -> None:
        """A batch was run."""
        self._batch_tokens.observe(ran.tokens)
        self._batch_seconds.observe(ran.seconds)
        for waited in ran.waited_s:
            self._queue_seconds.observe(waited)
        self._queued_tokens.set(queued_tokens)

    def count_predictions(self, answers: Sequence[ArticlePredictions]) -> None:
        """Answers were given: their labels, and how sure they are."""
        for answer in answers:
            for one in answer.predictions:
                self._predictions.labels(one.label).inc()
                if one.confidence < LOW_CONFIDENCE:
                    self._unsure.inc()
                if one.truncated:
                    self._truncated.inc()
