"""Requests sent and answers kept, by a client that costs as little as it can.

It runs on the cores that the server runs on, so bodies are made before and answers are read
after. What is left, about 0.2 ms of a core a request with aiohttp (httpx takes five times
that), is measured and printed with each rate.
"""

import asyncio
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

_HEADERS = {"Content-Type": "application/json"}
# Longer than the service gives itself.
_TIMEOUT = aiohttp.ClientTimeout(total=120)
_MEMORY_EVERY_S = 0.25


@dataclass(frozen=True)
class Request:
    """What is sent, and what it was made of."""

    path: str
    body: bytes
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Reply:
    """What came for a request; `status` is 0 where nothing came."""

    request: Request
    status: int
    seconds: float
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 - whatever the route gives
        """The answer."""
        return json.loads(self.body)


@dataclass
class Load:
    """All replies, the time they took together, and the client's own part of it."""

    replies: list[Reply] = field(default_factory=list)
    seconds: float = 0.0
    client_cpu_s: float = 0.0
    watched: list[int] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Replies a second."""
        return len(self.replies) / self.seconds

    @property
    def client_ms(self) -> float:
        """Of a core, for each request."""
        return 1000 * self.client_cpu_s / max(1, len(self.replies))

    def count(self, status: int) -> int:
        """Replies of a status."""
        return sum(reply.status == status for reply in self.replies)

    def milliseconds(self, percent: int, status: int = 200) -> float:
        """A percentile of the replies of a status."""
        times = sorted(reply.seconds for reply in self.replies if reply.status == status)
        if len(times) < 2:
            return 1000 * sum(times)
        return 1000 * statistics.quantiles(times, n=100, method="inclusive")[percent - 1]


def requested(path: str, asked: Mapping[str, Any], texts: Sequence[str]) -> Request:
    """A request with a JSON body."""
    return Request(path, json.dumps(asked, ensure_ascii=False).encode(), tuple(texts))


def ask_in_turns(
    url: str, requests: Sequence[Request], *, callers: int, watch: Callable[[], int] | None = None
) -> Load:
    """Each caller asks, waits for its answer, and asks the next of the requests.

    `watch` is called while they do, and what it gives is kept.
    """

    async def run(load: Load, session: aiohttp.ClientSession) -> None:
        waiting = iter(requests)

        async def caller() -> None:
            for request in waiting:
                load.replies.append(await _reply(session, url, request))

        await asyncio.gather(*(caller() for _ in range(callers)))

    return asyncio.run(_measured(run, watch))


def ask_at_a_rate(
    url: str, requests: Sequence[Request], *, a_second: float, watch: Callable[[], int]
) -> Load:
    """Requests set out at their time, whether those before were answered or not."""

    async def run(load: Load, session: aiohttp.ClientSession) -> None:
        async def send(request: Request) -> None:
            load.replies.append(await _reply(session, url, request))

        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number, request in enumerate(requests):
                await asyncio.sleep(began + number / a_second - time.perf_counter())
                group.create_task(send(request))

    return asyncio.run(_measured(run, watch))


async def _measured(run: Any, watch: Callable[[], int] | None) -> Load:  # noqa: ANN401 - an async function of the two
    load = Load()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        connector=connector, headers=_HEADERS, timeout=_TIMEOUT
    ) as session:
        watching = asyncio.create_task(_watch(load, watch)) if watch else None
        began, cpu = time.perf_counter(), time.process_time()
        await run(load, session)
        load.seconds = time.perf_counter() - began
        load.client_cpu_s = time.process_time() - cpu
        if watching:
            watching.cancel()
    return load


async def _reply(session: aiohttp.ClientSession, url: str, request: Request) -> Reply:
    began = time.perf_counter()
    try:
        async with session.post(url + request.path, data=request.body) as response:
            body = await response.read()
            return Reply(request, response.status, time.perf_counter() - began, body)
    except (aiohttp.ClientError, TimeoutError) as error:
        return Reply(request, 0, time.perf_counter() - began, str(error).encode())


async def _watch(load: Load, watch: Callable[[], int]) -> None:
    while True:
        load.watched.append(watch())
        await asyncio.sleep(_MEMORY_EVERY_S)
