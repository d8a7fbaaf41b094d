"""What filters cost one project slows itself: the projects take turns, and each has one part done in its turn."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

import pytest

from sukkal import limits
from sukkal.formats.registry import Registry
from sukkal.model import Message, Page, Position, QueueKey, View
from sukkal.service.lenses import Lens, Lenses, lens_of
from sukkal.service.looking import browse
from sukkal.service.recognising import Recogniser
from sukkal.service.remembering import Remembered
from sukkal.service.turns import Part, Turns

MESSAGES: Final = 40
HEAVY: Final = [{"not": {"exact": {"type": "none"}}}, {"sql": "type = 'none'"}]


class Shelf:
    """A store with the same messages in each queue."""

    async def browse(self, key: QueueKey, *, after: Position | None, limit: int, view: View, now_ms: int) -> Page:
        """Return a page of them."""
        first = after.sequence if after else 0
        found = [a_message(number) for number in range(first + 1, min(first + limit, MESSAGES) + 1)]
        return Page(tuple(found), Position(0, first + limit) if first + limit < MESSAGES else None)


def a_message(number: int) -> Message:
    return Message(
        id=str(number), body=b'{"a": 1}', ttl_s=60, created_ms=0, expires_ms=1, visible_ms=0, sequence=number
    )


class Counting(Lenses):
    """Counts the looks of each project."""

    def __init__(self) -> None:
        super().__init__(Recogniser(Registry()))
        self.looks: dict[str, int] = {}

    def seen(self, lens: Lens, body: bytes, what: Any) -> bytes | None:
        """Count a look."""
        self.looks[what.project] = self.looks.get(what.project, 0) + 1
        return super().seen(lens, body, what)


def looking(lenses: Lenses, project: str) -> Coroutine[Any, Any, Page]:
    store: Any = Shelf()
    return browse(
        store, lenses, lens_of(HEAVY, None), QueueKey(project, "q"), after=None, limit=10, view=View(), now_ms=0
    )


def test_a_project_that_looks_at_much_at_once_does_not_keep_another_one_waiting() -> None:
    async def scenario() -> None:
        lenses = Counting()
        crowd = [asyncio.ensure_future(looking(lenses, "busy")) for _ in range(50)]
        await asyncio.sleep(0)
        await looking(lenses, "other")
        # In each turn of the loop both had a part of their work done, however much the other one asked for.
        assert lenses.looks["other"] == MESSAGES
        assert lenses.looks["busy"] <= 2 * MESSAGES
        await asyncio.gather(*crowd)
        assert lenses.looks["busy"] == 50 * MESSAGES

    asyncio.run(scenario())


def test_looking_at_much_leaves_turns_to_others() -> None:
    async def scenario() -> None:
        work, turns = asyncio.ensure_future(looking(Counting(), "p")), 0
        while not work.done():
            await asyncio.sleep(0)
            turns += 1
        assert turns >= MESSAGES * lens_of(HEAVY, None).weight // limits.FILTER_WEIGHT_AT_ONCE

    asyncio.run(scenario())


def test_turns_are_forgotten_with_those_who_wait_for_them() -> None:
    async def scenario() -> None:
        turns = Turns()
        async with turns.of("p"):
            assert turns.of("p").locked()
            assert not turns.of("other").locked()
        assert not turns.of("p").locked()

    asyncio.run(scenario())


def test_a_part_ends_when_it_weighs_enough() -> None:
    part = Part()
    for _ in range(2):
        assert not part.ends(limits.FILTER_WEIGHT_AT_ONCE - 1)
        assert part.ends(1)


@pytest.mark.parametrize("share", [4, 10])
def test_what_was_asked_for_longest_ago_is_forgotten_first(share: int) -> None:
    known = Remembered[str, int](10, share=share)
    for number, name in enumerate("abcd"):
        known.put("p", name, number, 1)
    assert known.get("p", "a") == 0
    known.put("p", "e", 4, 8 if share == 10 else 2)
    assert {name for name in "abcde" if known.get("p", name) is not None} == {"a", "d", "e"}


def test_what_is_too_large_for_a_share_is_not_remembered() -> None:
    known = Remembered[str, int](10, share=4)
    known.put("p", "a", 1, 2)
    known.put("p", "a", 2, 5)
    assert known.get("p", "a") is None
    known.put("p", "b", 3, 4)
    known.put("other", "b", 4, 4)
    known.put("third", "b", 5, 4)
    assert [known.get(project, "b") for project in ("p", "other", "third")] == [None, 4, 5]
    assert len(known) == 2
