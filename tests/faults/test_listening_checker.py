"""The checker finds each kind of fault in a log of listening that has it, and none where all can be explained."""

import re
from itertools import count
from math import inf

import pytest

from tests.faults.listening import Listened, Place, Popped, Posted, Session, Watched
from tests.faults.listening_checker import check_listening


class Log:
    """A log written by hand: each step begins after the one before has ended, unless its times are given."""

    def __init__(self, *, history: bool = False) -> None:
        self.watched = Watched("q", history=history)
        self._clock = count(0, 10)
        self._listeners: dict[str, Listened] = {}

    def post(self, *tokens: str, at: tuple[float, float] | None = None) -> "Log":
        start_s = next(self._clock)
        self.watched.posts.append(Posted(tokens, *(at or (start_s, start_s + 5))))
        return self

    def pop(self, *tokens: str, answered: bool = True) -> "Log":
        self.watched.pops.append(Popped(tokens, next(self._clock), answered))
        return self

    def come(
        self,
        place: int,
        *heard: tuple[str, int],
        recovered: bool | None = None,
        name: str = "x",
        epoch: int = 1,
        since: int = 0,
    ) -> "Log":
        """Come for the first time, or back if it is said whether all was recovered."""
        if name not in self._listeners:
            self._listeners[name] = Listened(name)
            self.watched.listeners.append(self._listeners[name])
        back = None if recovered is None else Place(epoch, since or place)
        start_s = next(self._clock)
        told = [(token, Place(epoch, sequence)) for token, sequence in heard]
        session = Session(back, Place(epoch, place), recovered, start_s, start_s + 5, told)
        self._listeners[name].sessions.append(session)
        return self


A, B, C = ("a", 1), ("b", 2), ("c", 3)


@pytest.mark.parametrize(
    "log",
    [
        Log(),
        Log().come(0, A, B).post("a").post("b"),
        Log().come(0, A).post("a").post("b").come(1, B, recovered=True),
        Log().post("a").come(1, B).post("b"),
        Log().come(0, A).post("a").post("b").post("c").pop("b").come(1, C, recovered=False),
        Log().come(0, A).post("a").post("b").pop(answered=False).come(1, recovered=False),
        Log().come(0, A).post("a").post("b").pop("b").come(1, recovered=False).come(1, C, recovered=False).post("c"),
        # What is said to be missing may have been posted by somebody who never got an answer.
        Log().come(0, A).post("a").post("b", at=(20, inf)).pop("b").come(1, recovered=False),
        Log().come(0, A).post("a").post("b", at=(20, inf)),
        # Two posts at the same time may stand in either order.
        Log().come(0, ("b", 1), ("a", 2)).post("a", at=(10, 30)).post("b", at=(20, 40)),
        # A post at the time when somebody comes may be in front of it.
        Log().come(1).post("a", at=(4, 20)),
        Log(history=True).come(0, A).post("a").post("b").pop("a", "b").come(1, B, recovered=True),
        Log().come(0, A, B).come(0, A, B, name="y").post("a", "b"),
    ],
)
def test_what_can_be_explained_is_no_fault(log: Log) -> None:
    assert check_listening(log.watched) == []


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (Log().come(0, B, A).post("a", at=(10, 40)).post("b", at=(20, 40)), "heard a at .* after"),
        (Log().come(0, A).come(1, A, recovered=True).post("a"), "heard a twice"),
        (Log().come(0, A, ("a", 2)).post("a"), "heard a twice"),
        (Log().come(0, A).come(0, ("a", 2), name="y").post("a"), "a was heard at"),
        (Log().come(0, A).come(0, ("b", 1), name="y").post("a").post("b"), "at .* were heard"),
        (Log().come(0, A).post("a").come(2, recovered=True, since=1), "was put at"),
        (Log().come(0, A).post("a").come(1, recovered=True, epoch=2), "contents of the queue"),
        (Log().come(0, A, B).post("a"), "nobody posted"),
        (Log().come(0, B, C).post("b", at=(50, 60)).post("c", at=(20, 30)), "out of the order of posting"),
        (Log().come(0, ("b", 1), ("a", 2)).post("a", "b"), "in another order"),
        (Log().come(0, A).post("a").post("b"), "missed b"),
        (Log().come(0, A, C).post("a").post("b").post("c"), "missed b"),
        (Log().come(0, A).post("a").post("b").come(1, recovered=True), "missed b"),
        (Log().come(0, A).post("a").post("b").pop("b").come(1, recovered=True), "missed b"),
        (Log().come(0, A).come(0, A, B, name="y").post("a").post("b"), "x has missed b"),
        (Log().come(0, A).come(0, A, B, name="y").post("a").post("b", at=(20, inf)), "x has missed b"),
        (Log().come(0, A).post("a").post("b", "c", at=(20, inf)).pop("c"), "missed b"),
        # A warning does not cover what was posted after it, nor what was posted before the place it speaks of.
        (Log().come(0, A).post("a").post("c").pop("c").come(1, recovered=False).post("b"), "missed b"),
        (Log().come(0, B).come(0, A, B, C, name="y").post("a").post("b").post("c").pop("c").come(2, recovered=False),
         "x has missed a"),
        (Log().come(5).post("a"), "missed a"),
        (Log(history=True).come(0, A).post("a").post("b").pop("b").come(1, recovered=False), "missed b"),
        (Log(history=True).come(0, A).post("a").pop("a").come(1, recovered=False), "nothing was"),
        (Log().come(0, A).post("a").come(1, recovered=False), "nothing was"),
        (Log().come(0, A).post("a").pop("a").come(1, recovered=False), "nothing was"),
        (Log().come(0, A).post("a").come(1, recovered=False).pop(answered=False), "nothing was"),
    ],
)  # fmt: skip
def test_what_cannot_be_explained_is_found(log: Log, words: str) -> None:
    faults = check_listening(log.watched)
    assert any(re.search(words, fault) for fault in faults), faults
