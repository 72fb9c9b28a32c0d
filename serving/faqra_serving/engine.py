"""The classifier for many callers at once: windows are joined, and what is known is kept.

This module does not know HTTP.
"""

import asyncio
from collections.abc import Sequence

from faqra_data.article import Article
from faqra_models.classifier import Classifier, Prepared
from faqra_models.prediction import ArticlePredictions
from faqra_serving.batching import Ran, TokenBatcher
from faqra_serving.cache import Answer, AnswerCache, key_of
from faqra_serving.limits import Limits
from faqra_serving.metrics import Metrics

# Fewer characters are prepared faster than a thread is asked.
_CHARACTERS_AT_ONCE = 20_000
# Of Arabic news, about. Preparing what is then refused would cost a flood's victims their answers.
_CHARACTERS_PER_TOKEN = 4


class Engine:
    """Answers for articles; used within one event loop."""

    def __init__(self, classifier: Classifier, limits: Limits, metrics: Metrics) -> None:
        self.classifier = classifier
        self._metrics = metrics
        self._cache = AnswerCache(limits.cached_paragraphs, metrics.count_cache)
        self._batcher = TokenBatcher(
            classifier.run,
            batch_tokens=limits.batch_tokens,
            wait_ms=limits.wait_ms,
            queued_tokens=limits.queued_tokens,
            observe=self._observe,
        )

    async def answer(
        self, articles: Sequence[Article], *, context: bool
    ) -> list[ArticlePredictions]:
        """The predictions of each article, in order.

        Raises RequestError where the queue is full or the service stops.
        """
        characters = sum(len(one.text) for article in articles for one in article.paragraphs)
        self.check_room(characters // _CHARACTERS_PER_TOKEN)
        prepared = await self._prepare(articles, characters, context=context)
        tokens = sum(len(one) for ready in prepared for one in ready.windows)
        try:
            # A failure of one cancels the others: nobody waits for their answers any more.
            async with asyncio.TaskGroup() as group:
                with self._batcher.expecting(tokens):
                    tasks = [group.create_task(self._answer(ready)) for ready in prepared]
                    await asyncio.sleep(0)  # by now their windows are queued
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors
        answers = [task.result() for task in tasks]
        self._metrics.count_predictions(answers)
        return answers

    def check_room(self, tokens: int) -> None:
        """RequestError where a caller may not bring so many tokens now."""
        self._batcher.check_room(tokens)

    async def close(self) -> None:
        """Take no more work, and finish what was taken."""
        await self._batcher.close()

    async def _prepare(
        self, articles: Sequence[Article], characters: int, *, context: bool
    ) -> list[Prepared]:
        if characters < _CHARACTERS_AT_ONCE:
            return self.classifier.prepare(articles, context=context)
        return await asyncio.to_thread(self.classifier.prepare, articles, context=context)

    async def _answer(self, ready: Prepared) -> ArticlePredictions:
        async def compute() -> Answer:
            votes = await self._batcher.votes(ready.windows)
            return self.classifier.probabilities(ready, votes)

        answer = await self._cache.get(key_of(ready.windows), compute)
        return self.classifier.named(ready, answer)

    def _observe(self, ran: Ran) -> None:
        self._metrics.observe_batch(ran, queued_tokens=self._batcher.queued_tokens)
