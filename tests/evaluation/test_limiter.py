"""How many calls go out at once: more while it goes well, fewer at once when it is too much."""

import asyncio

import pytest

from offbeat.evaluation.calls.limiter import START, Limiter


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def run(test, *, most=64, clock=None):
    async def main():
        halted = asyncio.Event()
        return await test(Limiter(most=most, halted=halted, clock=clock or Clock()), halted)

    return asyncio.run(main())


def test_it_starts_low_doubles_each_round_and_stops_at_the_most():
    async def rounds(limiter, _):
        seen = [limiter.limit]
        for _ in range(4):
            for _ in range(limiter.limit):
                limiter.went_well()
            seen.append(limiter.limit)
        return seen

    assert run(rounds) == [START, 16, 32, 64, 64]


def test_it_never_starts_above_the_most():
    async def limit(limiter, _):
        return limiter.limit

    assert run(limit, most=3) == 3


def test_calls_that_were_in_flight_together_count_once():
    clock = Clock()

    async def burst(limiter, _):
        for _ in range(32):
            limiter.went_well()
        clock.now = 10.0
        for _ in range(20):  # all of them began before the first was told
            limiter.was_too_much(9.0, retry_after_s=None)
        after_burst = limiter.limit
        clock.now = 20.0
        limiter.was_too_much(15.0, retry_after_s=None)
        return after_burst, limiter.limit

    assert run(burst, clock=clock) == (28, 19)  # 40 x 0.7, x 0.7


def test_after_the_first_too_much_it_grows_by_one_a_round():
    async def grown(limiter, _):
        limiter.was_too_much(0.0, retry_after_s=None)
        before = limiter.limit
        for _ in range(before):
            limiter.went_well()
        return before, limiter.limit

    before, after = run(grown)
    assert after == before + 1


def test_it_never_falls_below_one():
    clock = Clock()

    async def fallen(limiter, _):
        for second in range(1, 40):
            clock.now = float(second)
            limiter.was_too_much(clock.now, retry_after_s=None)
            clock.now += 0.5
        return limiter.limit

    assert run(fallen, clock=clock) == 1


def test_no_more_calls_at_once_than_the_limit():
    busy = most_busy = 0

    async def many(limiter, _):
        async def one():
            nonlocal busy, most_busy
            async with limiter.slot():
                busy += 1
                most_busy = max(most_busy, busy)
                await asyncio.sleep(0)
                busy -= 1

        await asyncio.gather(*(one() for _ in range(100)))

    run(many, most=5)
    assert most_busy == 5


def test_nothing_goes_out_before_the_server_wants_it():
    async def waited(limiter, _):
        loop = asyncio.get_running_loop()
        began = loop.time()
        limiter.was_too_much(began, retry_after_s=0.15)
        async with limiter.slot():
            return loop.time() - began

    async def main():
        halted = asyncio.Event()
        return await waited(Limiter(most=4, halted=halted, clock=asyncio.get_running_loop().time), halted)

    assert asyncio.run(main()) >= 0.149


@pytest.mark.parametrize("retry_after_s", [60.0, 3600.0])
def test_a_halt_ends_the_waiting(retry_after_s):
    async def halted_soon(limiter, halted):
        limiter.was_too_much(0.0, retry_after_s=retry_after_s)
        asyncio.get_running_loop().call_later(0.01, halted.set)
        async with asyncio.timeout(5), limiter.slot():
            return True

    assert run(halted_soon)


def test_a_slot_is_given_back_when_the_call_fails():
    async def fails(limiter, _):
        for _ in range(10):
            with pytest.raises(ZeroDivisionError):
                async with limiter.slot():
                    raise ZeroDivisionError
        return True

    assert run(fails, most=1)
