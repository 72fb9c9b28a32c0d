"""The service's batches: joined over callers, bounded by tokens, each answer to its asker."""

import asyncio
import threading
from collections.abc import Sequence

import numpy as np
import pytest

from faqra_models.encoding import Votes, Window
from faqra_serving import batching
from faqra_serving.batching import Ran, TokenBatcher
from faqra_serving.errors import RequestError


def window(first: int, tokens: int = 4) -> Window:
    """A window that can be told by its first token."""
    ids = np.full(tokens, first, dtype=np.int64)
    return Window(ids, np.zeros(tokens, dtype=np.int64))


def echo(windows: Sequence[Window]) -> list[Votes]:
    """Votes that say which window they are of."""
    return [np.full((1, 1), one.ids[0], dtype=np.float64) for one in windows]


class Model:
    """Counts what it runs; waits for `go` where it was told to."""

    def __init__(self, *, held: bool = False) -> None:
        self.batches: list[list[int]] = []
        self.go = threading.Event()
        if not held:
            self.go.set()

    def __call__(self, windows: Sequence[Window]) -> list[Votes]:
        self.go.wait(10)
        self.batches.append([int(one.ids[0]) for one in windows])
        if any(one.ids[0] == 666 for one in windows):
            raise ValueError("a bad window")
        return echo(windows)


def batcher(model: Model, **options: object) -> TokenBatcher:
    values = {"batch_tokens": 64, "wait_ms": 5, "queued_tokens": 10_000, **options}
    return TokenBatcher(model, **values)  # type: ignore[arg-type]


def firsts(votes: Sequence[Votes]) -> list[int]:
    return [int(one[0, 0]) for one in votes]


def test_each_caller_gets_its_own_answers_in_order() -> None:
    async def main() -> None:
        model = Model()
        server = batcher(model)
        wanted = [list(range(100 * n, 100 * n + n % 7)) for n in range(1, 60)]
        answers = await asyncio.gather(*(server.votes([window(i) for i in w]) for w in wanted))
        assert [firsts(answer) for answer in answers] == wanted
        assert len(model.batches) < len(wanted)
        await server.close()

    asyncio.run(main())


def test_a_batch_holds_no_more_tokens_than_it_may_by_one_window() -> None:
    async def main() -> None:
        ran: list[Ran] = []
        server = batcher(Model(), batch_tokens=32, observe=ran.append)
        await asyncio.gather(*(server.votes([window(n, 10)]) for n in range(20)))
        assert max(one.tokens for one in ran) <= 32 + 9
        assert sum(one.windows for one in ran) == 20
        await server.close()

    asyncio.run(main())


def test_a_long_page_does_not_make_a_short_one_wait() -> None:
    async def main() -> None:
        model = Model(held=True)
        server = batcher(model, batch_tokens=8)
        long = asyncio.create_task(server.votes([window(n) for n in range(40)]))
        await asyncio.sleep(0.02)
        short = asyncio.create_task(server.votes([window(900)]))
        await asyncio.sleep(0)
        model.go.set()
        await short
        assert not long.done()
        assert firsts(await long) == list(range(40))
        await server.close()

    asyncio.run(main())


def test_a_long_page_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        model = Model(held=True)
        server = batcher(model, batch_tokens=8)
        first = asyncio.create_task(server.votes([window(1)]))
        await asyncio.sleep(0.02)
        long = asyncio.create_task(server.votes([window(n) for n in range(100, 140)]))
        await asyncio.sleep(0.02)
        # It has waited for as long as any may: whoever comes now comes after it.
        short = asyncio.create_task(server.votes([window(900)]))
        await asyncio.sleep(0)
        model.go.set()
        await asyncio.gather(first, long, short)
        assert model.batches[-1][-1] == 900
        await server.close()

    monkeypatch.setattr(batching, "_LAST_DUE_S", 0.0)
    asyncio.run(main())


def test_callers_alike_are_answered_as_they_came() -> None:
    async def main() -> None:
        model = Model(held=True)
        server = batcher(model, batch_tokens=4)
        wanted = [[10 * n, 10 * n + 1] for n in range(1, 6)]
        asked = []
        for one in wanted:
            asked.append(asyncio.create_task(server.votes([window(i) for i in one])))
            await asyncio.sleep(0.001)
        model.go.set()
        await asyncio.gather(*asked)
        assert [number for batch in model.batches for number in batch] == [
            n for one in wanted for n in one
        ]
        await server.close()

    asyncio.run(main())


def test_a_bad_window_fails_its_caller_alone() -> None:
    async def main() -> None:
        server = batcher(Model())
        good = [server.votes([window(n)]) for n in range(5)]
        bad = server.votes([window(5), window(666), window(7)])
        *answers, error = await asyncio.gather(*good, bad, return_exceptions=True)
        assert [firsts(answer) for answer in answers] == [[n] for n in range(5)]  # type: ignore[arg-type]
        assert isinstance(error, ValueError)
        assert firsts(await server.votes([window(8)])) == [8]
        await server.close()

    asyncio.run(main())


def test_a_model_that_answers_too_little_gives_nobody_anothers_answer() -> None:
    async def main() -> None:
        server = TokenBatcher(
            lambda windows: echo(windows)[1:], batch_tokens=64, wait_ms=5, queued_tokens=1000
        )
        results = await asyncio.gather(
            *(server.votes([window(n)]) for n in range(3)), return_exceptions=True
        )
        assert all(isinstance(one, RuntimeError) for one in results)
        await server.close()

    asyncio.run(main())


def test_a_full_queue_says_when_to_come_back() -> None:
    async def main() -> None:
        model = Model(held=True)
        server = batcher(model, queued_tokens=40, batch_tokens=4)
        first = [asyncio.create_task(server.votes([window(n)])) for n in range(9)]
        await asyncio.sleep(0.02)
        server.check_room(4)
        with pytest.raises(RequestError) as raised:
            server.check_room(5)  # more than a batch, so a third of the room
        server.check_room(64)  # twice as many as wait
        with pytest.raises(RequestError):
            server.check_room(63)
        assert raised.value.status == 429
        assert raised.value.retry_after_s is not None
        model.go.set()
        await asyncio.gather(*first)
        server.check_room(1_000_000)  # nobody waits: any number is welcome
        assert server.queued_tokens == 0
        await server.close()

    asyncio.run(main())


def test_what_was_admitted_counts_before_it_waits() -> None:
    async def main() -> None:
        server = batcher(Model(), queued_tokens=40, batch_tokens=64)
        with server.expecting(30):
            server.check_room(10)
            with pytest.raises(RequestError), server.expecting(11):
                pass
        with server.expecting(40):  # what was refused is not expected
            pass
        await server.close()

    asyncio.run(main())


def test_the_windows_of_a_caller_who_has_gone_are_not_run() -> None:
    async def main() -> None:
        model = Model(held=True)
        server = batcher(model, batch_tokens=4)
        first = asyncio.create_task(server.votes([window(1)]))
        await asyncio.sleep(0.02)
        gone = asyncio.create_task(server.votes([window(2), window(3)]))
        await asyncio.sleep(0)
        gone.cancel()
        last = asyncio.create_task(server.votes([window(4)]))
        await asyncio.sleep(0)
        model.go.set()
        await asyncio.gather(first, last)
        assert model.batches == [[1], [4]]
        assert server.queued_tokens == 0
        await server.close()

    asyncio.run(main())


def test_closing_finishes_what_was_taken_and_takes_no_more() -> None:
    async def main() -> None:
        server = batcher(Model())
        taken = [asyncio.create_task(server.votes([window(n)])) for n in range(5)]
        await asyncio.sleep(0)
        closing = asyncio.create_task(server.close())
        await asyncio.sleep(0)
        with pytest.raises(RequestError) as raised:
            await server.votes([window(9)])
        assert raised.value.status == 503
        assert [firsts(answer) for answer in await asyncio.gather(*taken)] == [
            [n] for n in range(5)
        ]
        await closing

    asyncio.run(main())
