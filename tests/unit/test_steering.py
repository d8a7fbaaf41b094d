"""Nodes go by the clock of the store."""

import asyncio

import pytest

from sukkal.app.steering import SteeredClock
from sukkal.engines.memory import MemoryEngine
from sukkal.errors import StartupError
from sukkal.testing import FakeClock


class Server:
    """A store whose clock is ahead, and which takes so long to answer, each time another time."""

    def __init__(self, own: FakeClock, ahead_ms: int, *takes_ms: int) -> None:
        self.own, self.ahead_ms, self.takes_ms = own, ahead_ms, list(takes_ms)

    async def clock_ms(self) -> int:
        took_ms = self.takes_ms.pop(0) if self.takes_ms else 0
        there_ms = self.own() + self.ahead_ms
        self.own.advance(took_ms)
        return there_ms

    def hints(self, tell: object, hear: object = None) -> None:
        raise NotImplementedError

    async def say(self, what: bytes) -> None:
        raise NotImplementedError


def test_a_node_goes_by_the_time_of_the_store() -> None:
    own = FakeClock()
    clock = SteeredClock(own)
    asyncio.run(clock.begin(Server(own, 30_000)))
    assert clock() == own() + 30_000


def test_the_quickest_answer_tells_the_time_best() -> None:
    own = FakeClock()
    clock = SteeredClock(own)
    asyncio.run(clock.begin(Server(own, 5_000, 900, 10, 400)))
    assert abs(clock() - own() - 5_000) <= 10


def test_time_does_not_go_backwards_when_the_store_is_behind() -> None:
    own = FakeClock()
    clock = SteeredClock(own)
    before_ms = clock()
    asyncio.run(clock.begin(Server(own, -20_000)))
    assert clock() == before_ms
    own.advance(25_000)
    assert clock() == before_ms + 5_000


def test_a_node_whose_clock_is_far_off_does_not_start() -> None:
    own = FakeClock()
    with pytest.raises(StartupError, match="NTP"):
        asyncio.run(SteeredClock(own).begin(Server(own, 61_000)))


@pytest.mark.parametrize("ahead_ms", [86_400_000, -86_400_000])
def test_a_clock_that_becomes_far_off_is_not_followed(caplog: pytest.LogCaptureFixture, ahead_ms: int) -> None:
    own = FakeClock()
    clock, server = SteeredClock(own), Server(own, 5_000)
    asyncio.run(clock.begin(server))
    server.ahead_ms = ahead_ms
    asyncio.run(clock.steer(server))
    assert clock() == own() + 5_000
    assert "NTP" in caplog.text
    server.ahead_ms = 6_000
    asyncio.run(clock.steer(server))
    own.advance(1_000)
    assert clock() == own() + 6_000


def test_a_store_of_one_process_has_no_clock() -> None:
    assert not hasattr(MemoryEngine(), "clock_ms")
