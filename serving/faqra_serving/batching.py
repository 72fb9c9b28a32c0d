"""Windows of many callers, run together in batches that are bounded by tokens.

Whose answer is due first is served first, and who brings little is due soon (earliest due
date; Jackson 1955): a long page does not make a short one wait, and callers alike are served as
they came. A caller who has gone takes no more of the model's time. This module knows windows
and a function that runs them, neither texts nor HTTP.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count

from faqra_models.encoding import Votes, Window
from faqra_serving.errors import stopping, too_busy

# Of a caller told to come back: how long at least, and at most.
_RETRY_S = (1, 30)
# When a caller's answer is due: some times as long after it came as its tokens take, but a page
# of any length when it has waited for so long.
_DUE_S_PER_TOKEN = 2e-4
_LAST_DUE_S = 5.0
# Weight of the newest batch in the running estimate of speed.
_NEWEST = 0.2


@dataclass(frozen=True)
class Ran:
    """What a batch was, for those who count."""

    tokens: int
    windows: int
    callers: int
    seconds: float
    waited_s: Sequence[float]


@dataclass(eq=False)
class _Job:
    """One caller's windows, the answers so far, and the promise of all."""

    windows: Sequence[Window]
    done: "asyncio.Future[list[Votes]]"
    came: float = field(default_factory=time.perf_counter)
    next: int = 0
    answers: dict[int, Votes] = field(default_factory=dict)

    @property
    def due(self) -> float:
        """When the answers should be there, by the clock of `came`."""
        return self.came + min(_DUE_S_PER_TOKEN * self.unread, _LAST_DUE_S)

    @property
    def unread(self) -> int:
        """Tokens that no batch has taken yet."""
        return sum(map(len, self.windows[self.next :]))

    def take(self, votes: Sequence[Votes], places: Sequence[int]) -> None:
        """Keep the answers of some windows; the promise is kept when all are there."""
        self.answers.update(zip(places, votes, strict=True))
        if len(self.answers) == len(self.windows) and not self.done.done():
            self.done.set_result([self.answers[place] for place in range(len(self.windows))])


class TokenBatcher:
    """Runs windows for whoever asks; used within one event loop."""

    def __init__(
        self,
        run: Callable[[Sequence[Window]], list[Votes]],
        *,
        batch_tokens: int,
        wait_ms: float,
        queued_tokens: int,
        observe: Callable[[Ran], None] = lambda _: None,
    ) -> None:
        """`run` is called in one thread, a batch of about `batch_tokens` at a time.

        A batch that is not full waits for `wait_ms` for more. `queued_tokens` bounds those that
        wait, so that who is accepted is answered soon; see `check_room`.
        """
        self._run = run
        self._batch_tokens = batch_tokens
        self._wait_s = wait_ms / 1000
        self._most_queued = queued_tokens
        self._observe = observe
        self._jobs: list[tuple[float, int, _Job]] = []  # a heap, the earliest due first
        self._numbers = count()
        self._more = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="faqra-model")
        self._tokens_per_s = 10_000.0
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self._expected = 0
        self.queued_tokens = 0

    def check_room(self, tokens: int) -> None:
        """RequestError where a caller may not bring so many tokens now.

        Who brings more than a batch finds a third of the room, as all that waits before it comes
        on top of a time that is long by itself. A caller who finds nobody waiting may bring any
        number, and so may one who finds no more waiting than half of what it brings: its answer
        takes little longer for that.
        """
        waiting = self.queued_tokens + self._expected
        room = self._most_queued if tokens <= self._batch_tokens else self._most_queued // 3
        if waiting and waiting + tokens > max(room, 1.5 * tokens):
            shortest, longest = _RETRY_S
            raise too_busy(min(longest, max(shortest, round(waiting / self._tokens_per_s))))

    @contextmanager
    def expecting(self, tokens: int) -> Iterator[None]:
        """As `check_room`; within, others find these tokens waiting already.

        For the time between a request's admission and its windows': many come meanwhile.
        """
        self.check_room(tokens)
        self._expected += tokens
        try:
            yield
        finally:
            self._expected -= tokens

    async def votes(self, windows: Sequence[Window]) -> list[Votes]:
        """Each window's votes, in the order given; RequestError where the service stops."""
        if self._closing:
            raise stopping()
        if not windows:
            return []
        if self._task is None:
            self._task = asyncio.create_task(self._serve())
        job = _Job(windows, asyncio.get_running_loop().create_future())
        heappush(self._jobs, (job.due, next(self._numbers), job))
        self.queued_tokens += job.unread
        self._more.set()
        return await job.done

    async def close(self) -> None:
        """Take no more, and finish what was taken."""
        self._closing = True
        self._more.set()
        if self._task is not None:
            await self._task
        self._thread.shutdown()

    async def _serve(self) -> None:
        while self._jobs or not self._closing:
            if not self._jobs:
                self._more.clear()
                await self._more.wait()
                continue
            if self.queued_tokens < self._batch_tokens and not self._closing:
                await self._wait_for_more()
            taken = self._take()
            if taken:
                await self._answer(taken)

    async def _wait_for_more(self) -> None:
        until = min(job.came for _, _, job in self._jobs) + self._wait_s
        while self.queued_tokens < self._batch_tokens:
            self._more.clear()
            try:
                async with asyncio.timeout(until - time.perf_counter()):
                    await self._more.wait()
            except TimeoutError:
                return

    def _take(self) -> list[tuple[_Job, int]]:
        """The windows of the next batch, each with its place in its job."""
        taken: list[tuple[_Job, int]] = []
        tokens = 0
        while self._jobs and (not taken or tokens < self._batch_tokens):
            _, _, job = self._jobs[0]
            if job.done.done():  # its caller has gone
                self.queued_tokens -= job.unread
                heappop(self._jobs)
                continue
            taken.append((job, job.next))
            tokens += len(job.windows[job.next])
            self.queued_tokens -= len(job.windows[job.next])
            job.next += 1
            if job.next == len(job.windows):
                heappop(self._jobs)
        return taken

    async def _answer(self, taken: Sequence[tuple[_Job, int]]) -> None:
        """Run a batch; where that fails, each of its callers alone, so that one harms nobody."""
        began = time.perf_counter()
        jobs = list(dict.fromkeys(job for job, _ in taken))
        windows = [job.windows[place] for job, place in taken]
        try:
            votes = await self._in_thread(windows)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is its caller's to hear
            if len(jobs) == 1:
                self._fail(jobs[0], error)
                return
            for job in jobs:
                await self._answer([(own, place) for own, place in taken if own is job])
            return
        for job in jobs:
            mine = [number for number, (own, _) in enumerate(taken) if own is job]
            job.take([votes[number] for number in mine], [taken[number][1] for number in mine])
        seconds = time.perf_counter() - began
        tokens = sum(map(len, windows))
        self._tokens_per_s += _NEWEST * (tokens / max(seconds, 1e-6) - self._tokens_per_s)
        waited = [began - job.came for job, place in taken if place == 0]
        self._observe(Ran(tokens, len(windows), len(jobs), seconds, waited))

    async def _in_thread(self, windows: Sequence[Window]) -> list[Votes]:
        loop = asyncio.get_running_loop()
        votes = await loop.run_in_executor(self._thread, self._run, windows)
        if len(votes) != len(windows):
            raise RuntimeError(f"{len(windows)} windows need as many answers, got {len(votes)}")
        return votes

    def _fail(self, job: _Job, error: BaseException) -> None:
        # Its other windows are dropped when their turn comes.
        if not job.done.done():
            job.done.set_exception(error)
