"""A tail tells all that comes to a queue, in order, each once, whichever node it comes through."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

import pytest

from sukkal.engines.memory import MemoryEngine
from sukkal.errors import StoreUnavailable
from sukkal.model import Message, NewMessage, Page, Position, Post, QueueKey, View
from sukkal.service.hearing import Heard, Place
from sukkal.service.tails import Tail

KEY = QueueKey("p", "q")
ALL = View(claimed=True, delayed=True)
NOW_MS = 1_000


class Scene:
    """A queue, and the tail of it on one node. ``own`` posts are told to the tail, others are not."""

    def __init__(self) -> None:
        self.engine = MemoryEngine()
        self.told: list[str] = []
        self.ends: list[str] = []
        self.watched = KEY
        self.failing = False
        self.count = 0

    def begin(self) -> Tail:
        return Tail(
            find=self._find, read=self._read, heard=_heard, tell=self._tell, end=self.ends.append, eased=self._eased
        )

    async def post(self, tail: Tail | None = None, count: int = 1) -> None:
        names = [str(self.count + number) for number in range(count)]
        self.count += count
        new = tuple(NewMessage(id=name, body=b"1", ttl_s=300) for name in names)
        published = await self.engine.publish((Post(KEY, new),), now_ms=NOW_MS)
        if tail is not None:
            at = published.sequences[0]
            heard = [Heard("p", "q", name, b"1", 300, 0, 0, Place(1, n), {}) for name, n in zip(names, at, strict=True)]
            tail.posted([(each.place.sequence, each) for each in heard if each.place])

    async def take(self, *ids: int) -> None:
        await self.engine.delete_messages(KEY, [str(id_) for id_ in ids], now_ms=NOW_MS, claimed=False)

    def all(self) -> list[str]:
        return [str(number) for number in range(self.count)]

    async def _find(self) -> QueueKey:
        return self.watched

    async def _read(self, key: QueueKey, sequence: int) -> Page:
        await asyncio.sleep(0)
        if self.failing:
            raise StoreUnavailable("It does not answer.")
        return await self.engine.browse(key, after=Position(0, sequence), limit=3, view=ALL, now_ms=NOW_MS)

    def _tell(self, heard: "list[Heard] | tuple[Heard, ...] | object") -> None:
        assert isinstance(heard, list)
        self.told += [each.id for each in heard]

    async def _eased(self) -> None:
        await asyncio.sleep(0)


def _heard(watched: QueueKey, message: Message, epoch: int) -> Heard:
    return Heard("p", "q", message.id, message.body, 300, 0, 0, Place(epoch, message.sequence), {})


async def turns() -> None:
    for _ in range(100):
        await asyncio.sleep(0)


def run(scenario: Callable[[Scene], Awaitable[None]]) -> None:
    async def main() -> None:
        await scenario(Scene())

    asyncio.run(main())


def test_what_this_node_posts_is_told_at_once() -> None:
    async def scenario(scene: Scene) -> None:
        await scene.post()
        tail = scene.begin()
        await tail.ready()
        await scene.post(tail, 2)
        assert scene.told == ["1", "2"]

    run(scenario)


def test_what_another_node_has_posted_comes_first() -> None:
    async def scenario(scene: Scene) -> None:
        tail = scene.begin()
        await tail.ready()
        await scene.post()
        await scene.post(tail)
        assert scene.told == []
        await turns()
        assert scene.told == scene.all()

    run(scenario)


def test_a_look_finds_what_nobody_has_told_of() -> None:
    async def scenario(scene: Scene) -> None:
        tail = scene.begin()
        await tail.ready()
        await scene.post(count=10)
        await turns()
        assert scene.told == []
        tail.look()
        await turns()
        assert scene.told == scene.all()

    run(scenario)


def test_what_was_there_before_is_not_told() -> None:
    async def scenario(scene: Scene) -> None:
        await scene.post(count=4)
        tail = scene.begin()
        await tail.ready()
        await scene.post()
        tail.look()
        await turns()
        assert scene.told == ["4"]

    run(scenario)


def test_what_was_taken_before_it_could_be_read_sends_listeners_away() -> None:
    async def scenario(scene: Scene) -> None:
        tail = scene.begin()
        await tail.ready()
        await scene.post(count=3)
        await scene.take(1)
        tail.look()
        await turns()
        assert len(scene.ends) == 1
        assert "_history" in scene.ends[0]

    run(scenario)


def test_what_this_node_has_posted_is_told_though_it_was_taken() -> None:
    async def scenario(scene: Scene) -> None:
        await scene.post()
        tail = scene.begin()
        await tail.ready()
        await scene.post()
        await scene.post(tail)
        await scene.take(2)
        await turns()
        assert scene.told == ["1", "2"]
        assert scene.ends == []

    run(scenario)


def test_listeners_go_when_what_is_watched_changes() -> None:
    async def scenario(scene: Scene) -> None:
        tail = scene.begin()
        await tail.ready()
        scene.watched = QueueKey("p", "queue/q", "history")
        tail.look()
        await turns()
        assert len(scene.ends) == 1

    run(scenario)


def test_a_store_that_fails_is_asked_again_by_the_next_look() -> None:
    async def scenario(scene: Scene) -> None:
        tail = scene.begin()
        await tail.ready()
        scene.failing = True
        await scene.post(count=2)
        tail.look()
        await turns()
        scene.failing = False
        assert scene.told == []
        tail.look()
        await turns()
        assert scene.told == scene.all()

    run(scenario)


def test_a_store_that_fails_at_the_beginning_is_told() -> None:
    async def scenario(scene: Scene) -> None:
        scene.failing = True
        with pytest.raises(StoreUnavailable):
            await scene.begin().ready()

    run(scenario)


@pytest.mark.parametrize("seed", range(30))
def test_whatever_comes_through_whichever_node_is_told_in_order_and_once(seed: int) -> None:
    random = Random(seed)

    async def scenario(scene: Scene) -> None:
        await scene.post(count=random.randrange(3))
        before = scene.count
        tail = scene.begin()
        if random.random() < 0.5:
            await tail.ready()
        else:
            before = 0
        for _ in range(60):
            draw = random.random()
            if draw < 0.35:
                await scene.post(tail, random.randint(1, 5))
            elif draw < 0.7:
                await scene.post(None, random.randint(1, 5))
            elif draw < 0.8:
                tail.look()
            for _ in range(random.randrange(4)):
                await asyncio.sleep(0)
        tail.look()
        await turns()
        assert scene.told == scene.all()[len(scene.all()) - len(scene.told) :]
        assert len(scene.told) == scene.count - before if before else scene.told
        assert scene.ends == []

    run(scenario)
