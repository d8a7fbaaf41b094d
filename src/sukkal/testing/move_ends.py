"""The two ends of a move under test, and its steps."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from sukkal.model import QueueKey, View
from sukkal.moving import Moving
from sukkal.store import Engine
from sukkal.testing.outcomes import comparable
from sukkal.testing.subject import Subject

__all__ = ["ALL", "LATER_MS", "Ends", "MovableEngine", "TwoEnds"]

ALL = View(claimed=True, delayed=True)
LATER_MS = 60_000
"""For so long a marker stays."""


class MovableEngine(Engine, Moving, Protocol):
    """What can be the source and the target of a move."""


class Ends:
    """A source, which the subject acts on, and a target."""

    def __init__(self, make_engine: Callable[[str], MovableEngine]) -> None:
        self._make_engine = make_engine
        self.subject = Subject(lambda: make_engine("source"))
        self.target = make_engine("target")
        self.run = self.subject.run
        self.run(self.target.start())

    @property
    def source(self) -> MovableEngine:
        """The engine that has the queue at first."""
        return self.subject.engine  # type: ignore[return-value]

    def reopen(self) -> None:
        """Close both engines and open their data with new ones."""
        self.subject.reopen()
        self.run(self.target.close())
        self.target = self._make_engine("target")
        self.run(self.target.start())

    def close(self) -> None:
        """End both."""
        self.run(self.target.close())
        self.subject.close()

    def swapped(self) -> "Ends":
        """Return the same ends with source and target changed over."""
        other: Ends = object.__new__(Ends)
        subject: Subject = object.__new__(Subject)
        subject.__dict__ |= self.subject.__dict__ | {"engine": self.target}
        other.__dict__ |= self.__dict__ | {"subject": subject, "target": self.source}
        return other

    # -- the steps of a move

    def copy(self, key: QueueKey, sequence: int = -1, *, page: int = 3) -> int:
        """Stage the messages behind a sequence and return the greatest."""
        now_ms, source = self.subject.clock(), self.source
        frame = self.run(source.frame(key))
        assert frame is not None
        self.run(source.follow(key))
        while True:
            stored = self.run(source.stored_after(key, sequence, limit=page, now_ms=now_ms))
            self.run(self.target.stage(frame, stored=stored, now_ms=now_ms))
            sequence = stored[-1].message.sequence if stored else sequence
            if len(stored) < page:
                return sequence

    def copy_changes(self, key: QueueKey, after: int = 0, *, page: int = 2) -> int:
        """Stage what has changed and return the place behind it."""
        now_ms = self.subject.clock()
        frame = self.run(self.source.frame(key))
        assert frame is not None
        while (found := self.run(self.source.changes(key, after, limit=page, now_ms=now_ms))).next is not None:
            self.run(self.target.stage(frame, stored=found.stored, gone=found.gone, now_ms=now_ms))
            after = found.next
        return after

    def copy_details(self, key: QueueKey, *, page: int = 2) -> None:
        """Stage claims, acts and subscriptions."""
        now_ms, after = self.subject.clock(), ("", "")
        frame = self.run(self.source.frame(key))
        assert frame is not None
        while True:
            found = self.run(self.source.details(key, after, limit=page, now_ms=now_ms))
            self.run(self.target.stage(frame, details=found, now_ms=now_ms))
            if found.next is None:
                return
            after = found.next

    def move(self, *keys: QueueKey, between: Callable[[], None] = lambda: None) -> None:
        """Move queues; something may happen after their messages were copied for the first time."""
        copied = {key: self.copy(key) for key in keys}
        between()
        self.hold(*keys)
        for key, sequence in copied.items():
            self.copy(key, sequence)
            self.copy_changes(key)
            self.copy_details(key)
        self.run(self.target.open_staged(keys, now_ms=self.subject.clock()))
        self.run(self.source.give_up(keys, until_ms=self.subject.clock() + LATER_MS))

    def hold(self, *keys: QueueKey, held: bool = True) -> None:
        """Hold queues, or take writes to them again."""
        self.run(self.source.hold(keys, held=held))

    def seen(self, engine: Engine, *keys: QueueKey) -> Any:
        """Return all that callers can see of queues, in a form that can be compared."""
        return [comparable(self.run(self._seen(engine, key))) for key in keys]

    async def _seen(self, engine: Engine, key: QueueKey) -> list[Any]:
        now_ms = self.subject.clock()
        claims = await engine.list_claims(key, after="", limit=100, now_ms=now_ms)
        return [
            await engine.get_queue(key),
            (await engine.browse(key, after=None, limit=1_000, view=ALL, now_ms=now_ms)).messages,
            (await engine.browse(key, after=None, limit=1_000, view=View(), now_ms=now_ms)).messages,
            await engine.stats(key, now_ms=now_ms),
            await engine.next_due(key, now_ms=now_ms),
            [await engine.get_claim(key, claim.id, now_ms=now_ms) for claim in claims],
            await engine.list_subscriptions(key, after="", limit=100, now_ms=now_ms),
            await engine.usage_of(key, now_ms=now_ms),
        ]


class TwoEnds:
    """What contracts with a source and a target begin with. A subclass says how to make an engine in a directory."""

    def make_engine(self, directory: Path) -> MovableEngine:
        """Return a new engine, not started, that may keep its data in the directory."""
        raise NotImplementedError

    @pytest.fixture
    def ends(self, tmp_path: Path) -> Iterator[Ends]:
        """Return a source and a target."""
        ends = Ends(lambda name: self.make_engine(tmp_path / name))
        yield ends
        ends.close()
