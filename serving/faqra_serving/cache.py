"""Answers given lately, and those on their way: the same text is computed once.

News pages repeat their furniture, and agencies' stories come from many callers. Keys are
digests of what the model reads, so that texts which differ only in what is normalised away
share an answer. This module does not know models.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from faqra_models.encoding import Window

Answer = NDArray[np.float64]


def key_of(windows: Sequence[Window]) -> bytes:
    """A digest of the token ids and of the paragraphs that they vote for."""
    digest = blake2b(digest_size=16)
    for window in windows:
        digest.update(len(window).to_bytes(4, "big"))
        digest.update(window.ids.tobytes())
        digest.update(window.owners.tobytes())
    return digest.digest()


class AnswerCache:
    """The latest answers, at most so many paragraphs; used within one event loop."""

    def __init__(self, paragraphs: int, observe: Callable[[bool], None] = lambda _: None) -> None:
        """`paragraphs` of 0 keeps nothing; askers of the same at the same time still share.

        `observe` is told of each asker whether the answer was there or on its way.
        """
        self._most = paragraphs
        self._observe = observe
        self._held = 0
        self._answers: OrderedDict[bytes, Answer] = OrderedDict()
        self._coming: dict[bytes, asyncio.Future[Answer]] = {}

    async def get(self, key: bytes, compute: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer for `key`: kept, being computed for another caller, or computed now."""
        while True:
            if key in self._answers:
                self._answers.move_to_end(key)
                self._observe(True)
                return self._answers[key]
            if key not in self._coming:
                return await self._compute(key, compute)
            coming = self._coming[key]
            try:
                answer = await asyncio.shield(coming)
            except asyncio.CancelledError:
                if coming.cancelled():  # whoever computed it has gone: another one has to
                    continue
                raise
            self._observe(True)
            return answer

    async def _compute(self, key: bytes, compute: Callable[[], Awaitable[Answer]]) -> Answer:
        self._observe(False)
        coming: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._coming[key] = coming
        try:
            answer = await compute()
        except asyncio.CancelledError:
            coming.cancel()
            raise
        except Exception as error:
            coming.set_exception(error)
            coming.exception()  # heard, also where nobody else waits
            raise
        else:
            coming.set_result(answer)
            self._keep(key, answer)
            return answer
        finally:
            del self._coming[key]

    def _keep(self, key: bytes, answer: Answer) -> None:
        if len(answer) > self._most:
            return
        self._answers[key] = answer
        self._held += len(answer)
        while self._held > self._most:
            _, oldest = self._answers.popitem(last=False)
            self._held -= len(oldest)
