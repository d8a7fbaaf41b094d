"""What is posted to many listeners is handed over in slices, in order, and within bounds."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from itertools import pairwise
from typing import Final, ParamSpec

import msgspec
import pytest

from sukkal import limits
from sukkal.model import QueueKey
from sukkal.service.handing_over import HandingOver

TURN: Final = limits.TELLINGS_PER_TURN
KEY: Final = QueueKey("p", "q")
OTHER_QUEUE: Final = QueueKey("p", "other")
OTHER_PROJECT: Final = QueueKey("other", "q")

P = ParamSpec("P")


def on_a_loop(test: Callable[P, Coroutine[None, None, None]]) -> Callable[P, None]:
    """Run a test on an event loop."""

    @wraps(test)
    def run(*arguments: P.args, **named: P.kwargs) -> None:
        asyncio.run(test(*arguments, **named))

    return run


class Word(msgspec.Struct):
    """A message with a number."""

    number: int
    body: bytes = b"{}"


class Ear:
    """Notes what it hears."""

    def __init__(self, *, fails: bool = False, cost: int = 0) -> None:
        self._cost = cost
        self.heard: list[int] = []
        self.ended = False
        self.reason = ""
        self._fails = fails

    def tell(self, heard: Word) -> None:
        """Hear a message."""
        self.heard.append(heard.number)
        if self._fails:
            raise ZeroDivisionError

    def cost(self, _: Word) -> int:
        """Return what it takes besides."""
        return self._cost

    def end(self, reason: str) -> None:
        """Hear no more."""
        self.ended, self.reason = True, reason


def words(*numbers: int, size: int = 2) -> list[Word]:
    """Return messages with these numbers."""
    return [Word(number, b"x" * size) for number in numbers]


async def turns(count: int) -> None:
    """Let the event loop turn so many times."""
    for _ in range(count):
        await asyncio.sleep(0)


@on_a_loop
async def test_one_message_to_some_hundreds_is_heard_before_giving_returns() -> None:
    over, ears = HandingOver[Word](), [Ear() for _ in range(TURN - 1)]
    over.give(KEY, ears, words(1))
    assert [ear.heard for ear in ears] == [[1]] * (TURN - 1)
    assert over.waiting_bytes == 0


@on_a_loop
async def test_listeners_whose_filters_cost_much_are_fewer_in_a_turn() -> None:
    cost = 49
    over, ears = HandingOver[Word](), [Ear(cost=cost) for _ in range(TURN)]
    over.give(KEY, ears, words(1))
    heard = [sum(len(ear.heard) for ear in ears)]
    while over.waiting_bytes:
        await asyncio.sleep(0)
        heard.append(sum(len(ear.heard) for ear in ears))
    assert heard[-1] == TURN
    assert max(after - before for before, after in pairwise([0, *heard])) <= TURN // (1 + cost)


@on_a_loop
async def test_no_turn_of_the_loop_tells_more_than_its_share() -> None:
    over, ears = HandingOver[Word](), [Ear() for _ in range(100)]
    over.give(KEY, ears, words(*range(50)))
    told = [sum(len(ear.heard) for ear in ears)]
    while over.waiting_bytes:
        await turns(1)
        told.append(sum(len(ear.heard) for ear in ears))
    assert told == [*range(TURN, 5_000 + 1, TURN), 5_000]
    assert all(ear.heard == list(range(50)) for ear in ears)


@on_a_loop
async def test_many_small_posts_in_one_turn_are_no_more_than_one_large_one() -> None:
    over, ears = HandingOver[Word](), [Ear() for _ in range(20)]
    for number in range(100):
        over.give(QueueKey("p", f"q{number}"), ears, words(number))
    assert sum(len(ear.heard) for ear in ears) == TURN
    await turns(100 * 20 // TURN)
    assert all(sorted(ear.heard) == list(range(100)) for ear in ears)


@on_a_loop
async def test_what_is_posted_behind_what_waits_is_heard_behind_it() -> None:
    over, ears = HandingOver[Word](), [Ear() for _ in range(3)]
    over.give(KEY, ears, words(*range(TURN)))
    for number in range(TURN, TURN + 5):
        over.give(KEY, ears, words(number))
        await turns(1)
    assert over.waiting_bytes == 0
    assert [ear.heard for ear in ears] == [list(range(TURN + 5))] * 3


@on_a_loop
async def test_other_queues_and_projects_do_not_wait_for_a_large_post() -> None:
    over, crowd = HandingOver[Word](), [Ear() for _ in range(100)]
    over.give(KEY, crowd, words(*range(1_000)))
    same, other = Ear(), Ear()
    over.give(OTHER_QUEUE, [same], words(1))
    over.give(OTHER_PROJECT, [other], words(2))
    assert (same.heard, other.heard) == ([], []), "this turn has told enough"
    await turns(2)
    over.give(OTHER_PROJECT, [other], words(3))
    assert other.heard == [2, 3]
    await turns(2)
    assert same.heard == [1]
    assert over.waiting_bytes > 0


@on_a_loop
async def test_a_project_with_many_queues_has_one_turn_like_the_others() -> None:
    over = HandingOver[Word]()
    for number in range(50):
        over.give(QueueKey("p", f"q{number}"), [Ear() for _ in range(TURN)], words(*range(10)))
    ear = Ear()
    over.give(OTHER_PROJECT, [ear], words(*range(TURN + 1)))
    await turns(4)
    assert len(ear.heard) == TURN + 1


@on_a_loop
async def test_who_leaves_meanwhile_hears_nothing_more() -> None:
    over, stays, leaves = HandingOver[Word](), Ear(), Ear()
    over.give(KEY, [stays, leaves], words(*range(TURN)))
    leaves.ended = True
    await turns(2)
    assert (len(stays.heard), leaves.heard) == (TURN, [])
    assert over.waiting_bytes == 0


@on_a_loop
async def test_who_comes_meanwhile_hears_only_what_is_posted_from_then_on() -> None:
    over, first, second = HandingOver[Word](), Ear(), Ear()
    over.give(KEY, [first], words(*range(TURN + 1)))
    over.give(KEY, [first, second], words(-1))
    await turns(2)
    assert first.heard == [*range(TURN + 1), -1]
    assert second.heard == [-1]


@pytest.mark.parametrize("position", ["at once", "later"])
@on_a_loop
async def test_a_defect_at_one_listener_is_nothing_to_the_others(position: str) -> None:
    over, bad = HandingOver[Word](), Ear(fails=True)
    good = [Ear() for _ in range(3)]
    ears = [bad, *good] if position == "at once" else [*good, bad]
    over.give(KEY, ears, words(*range(TURN)))
    await turns(4)
    assert (bad.heard, bad.reason) == ([0], "The service failed. Its log says why.")
    assert [ear.heard for ear in good] == [list(range(TURN))] * 3


@on_a_loop
async def test_large_bodies_count_for_what_they_cost() -> None:
    over, ears = HandingOver[Word](), [Ear() for _ in range(TURN)]
    over.give(KEY, ears, words(1, size=9 * limits.TELLING_BYTES))
    assert sum(len(ear.heard) for ear in ears) == TURN // 10
    await turns(10)
    assert all(ear.heard == [1] for ear in ears)


@on_a_loop
async def test_what_waits_has_a_bound_for_each_project() -> None:
    over, ears, others = HandingOver[Word](), [Ear() for _ in range(TURN)], [Ear() for _ in range(TURN)]
    post = words(*range(10), size=100_000)
    over.give(OTHER_PROJECT, others, post)
    for _ in range(1_000):
        over.give(KEY, ears, post)
        assert over.waiting_bytes <= limits.TELLINGS_WAITING_BYTES_MAX + 3 * 1_100_000
    assert {ear.reason for ear in ears} == {"More was posted than could be told in time. Come back to hear the rest."}
    assert not any(ear.ended for ear in others)
    again = Ear()
    over.give(KEY, [again], words(1))
    await turns(2_000)
    assert again.heard == [1]
    assert [ear.heard for ear in others] == [list(range(10))] * TURN
    assert over.waiting_bytes == 0


@on_a_loop
async def test_who_posts_waits_while_too_much_waits_and_no_longer() -> None:
    over, ears = HandingOver[Word](), [Ear() for _ in range(100)]
    await over.eased(KEY)
    post = words(*range(10), size=100_000)
    while over.waiting_bytes <= limits.TELLINGS_EASED_BYTES:
        over.give(KEY, ears, post)
    waiting = asyncio.ensure_future(over.eased(OTHER_QUEUE))
    await over.eased(OTHER_PROJECT)
    await turns(1)
    assert not waiting.done()
    while over.waiting_bytes > limits.TELLINGS_EASED_BYTES:
        assert not waiting.done()
        await turns(1)
    await turns(2)
    assert waiting.done()
    assert not any(ear.ended for ear in ears)


@on_a_loop
async def test_what_nobody_listens_to_any_more_is_forgotten() -> None:
    over, ears = HandingOver[Word](), [Ear() for _ in range(TURN)]
    over.give(KEY, ears, words(*range(1_000)))
    for ear in ears:
        ear.end("The service is stopping.")
    await turns(3)
    assert over.waiting_bytes == 0
    assert sum(len(ear.heard) for ear in ears) == TURN
