"""The checker finds each kind of fault in a log that has it, and none in logs that can be explained."""

from collections.abc import Sequence
from itertools import count
from typing import Any

import pytest

from tests.faults.checker import check
from tests.faults.history import Event, Kind, Outcome, Seen


class Log:
    """A log written by hand: each request begins after the one before has ended, unless its times are given."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._clock = count(0, 10)

    def add(self, kind: Kind, *tokens: str | Seen, at: tuple[float, float] | None = None, **more: Any) -> "Log":
        start_s = next(self._clock)
        messages = tuple(token if isinstance(token, Seen) else Seen(token) for token in tokens)
        start, end = at or (start_s, start_s + 5)
        self.events.append(Event(kind=kind, queue="q", start_s=start, end_s=end, messages=messages, **more))
        return self

    def post(self, *tokens: str | Seen, **more: Any) -> "Log":
        return self.add(Kind.POST, *tokens, **more)

    def claim(self, claim: str, *tokens: str, lease_s: float = 1_000, **more: Any) -> "Log":
        return self.add(Kind.CLAIM, *tokens, claim=claim, lease_s=lease_s, **more)

    def release(self, claim: str, *tokens: str, **more: Any) -> "Log":
        return self.add(Kind.RELEASE, *tokens, claim=claim, **more)

    def delete(self, claim: str, *tokens: str, **more: Any) -> "Log":
        return self.add(Kind.DELETE, *tokens, claim=claim, **more)

    def pop(self, *tokens: str, **more: Any) -> "Log":
        return self.add(Kind.POP, *tokens, count=more.pop("count", len(tokens)), **more)

    def view(self, *tokens: str | Seen) -> "Log":
        return self.add(Kind.VIEW, *tokens)


UNKNOWN = Outcome.UNKNOWN
REFUSED = Outcome.REFUSED


@pytest.mark.parametrize(
    "log",
    [
        Log().view(),
        Log().post("a", "b").view("a", "b").view("a", "b"),
        Log().post("a", "b").claim("c", "a").delete("c", "a").view("b"),
        Log().post("a", "b", outcome=UNKNOWN).view(),
        Log().post("a", "b", outcome=UNKNOWN).view("a", "b"),
        Log().post("a", outcome=REFUSED).view(),
        Log().post("a").delete("c", "a", outcome=UNKNOWN).view("a").view("a"),
        Log().post("a").delete("c", "a", outcome=UNKNOWN).view(),
        Log().post("a", "b").pop("a").view("b"),
        Log().post("a", "b", "c").pop(count=2, outcome=UNKNOWN).view("c").view("c"),
        Log().post("a").claim("c", "a").release("c").claim("d", "a").view(Seen("a", claim="d")),
        Log().post("a", "b").claim("c", "a", "b").release("c", "b").pop("b").view(Seen("a", claim="c")),
        Log().post("a").claim("c", "a", lease_s=5).claim("d", "a").view(Seen("a", claim="d")),
        Log().post("a").claim("c", "a").release("c").delete("c", "a", outcome=REFUSED).view("a"),
        Log().post("a").claim("c", "a").release("c").pop("a").delete("c", "a").view(),
        Log().post("a").claim("c", "a").release("c", outcome=UNKNOWN).delete("c", "a").view(),
        Log().post(Seen("a", "1"), outcome=UNKNOWN).view(Seen("a", "1")).post(Seen("a", "1"), repeated=True).view("a"),
        Log().post("a").claim("c", "a").delete("c", "a", outcome=UNKNOWN).release("c", "a", outcome=REFUSED).view(),
        Log().post("a", outcome=UNKNOWN).view().post("a").view("a"),
        Log().post("a", outcome=UNKNOWN).pop("a").view().post("a", repeated=True).view(),
        Log().post("a", outcome=UNKNOWN).post("a", repeated=True).claim("c", "a").delete("c", "a").view(),
        Log().post("a", outcome=UNKNOWN).post("a", repeated=True).view("a"),
        Log().post("a", outcome=UNKNOWN).post("a", repeated=True).pop(count=1, outcome=UNKNOWN).view(),
        Log()
        .post("a")
        .claim("c", "a", at=(20, 30))
        .release("c", at=(31, 38))
        .claim("d", "a", at=(25, 39))
        .view(Seen("a", claim="d")),
    ],
)
def test_a_log_that_can_be_explained_has_no_fault(log: Log) -> None:
    assert check(log.events) == []


@pytest.mark.parametrize(
    ("fault", "log"),
    [
        ("lost", Log().post("a").view()),
        ("lost", Log().post("a").view("a").view()),
        ("lost", Log().post("a").claim("c", "a").delete("c", "a", outcome=REFUSED).view()),
        ("lost", Log().post("a", "b").pop(count=1, outcome=UNKNOWN).view()),
        ("lost", Log().post("a").delete("c", "a", outcome=UNKNOWN).view("a").view()),
        ("lost", Log().post("a", "b", outcome=UNKNOWN).view("b")),
        ("lost", Log().post("a", "b", outcome=UNKNOWN).claim("c", "a").delete("c", "a").view()),
        ("lost", Log().post("a", "b").pop("a").view()),
        ("what had been removed", Log().post("a").delete("c", "a").view("a")),
        ("what had been removed", Log().post("a").delete("c", "a").claim("d", "a").view()),
        ("what had been removed", Log().post("a").pop("a").view("a")),
        ("what was not there", Log().view("a")),
        ("what was not there", Log().post("a", outcome=REFUSED).view("a")),
        ("what was not there", Log().post("a", outcome=UNKNOWN).view().view("a")),
        ("what was not there", Log().post("a").delete("c", "a", outcome=UNKNOWN).view().view("a")),
        ("what was not there", Log().post("a").pop(count=1, outcome=UNKNOWN).view().claim("c", "a").view("a")),
        ("stored more than once", Log().post(Seen("a", "1")).view(Seen("a", "2"))),
        ("stored more than once", Log().post("a", outcome=UNKNOWN).view(Seen("a", "1"), Seen("a", "2"))),
        (
            "stored more than once",
            Log().post("a", outcome=UNKNOWN).view(Seen("a", "1")).post(Seen("a", "2")).view(Seen("a", "1")),
        ),
        ("never stored", Log().post("a", outcome=UNKNOWN).view().post("a", repeated=True).view()),
        ("never stored", Log().post("a", outcome=UNKNOWN).post("a", repeated=True).view()),
        (
            "never stored",
            Log().post("a", outcome=UNKNOWN).post("a", repeated=True).view().pop(count=1, outcome=UNKNOWN).view(),
        ),
        (
            "never stored",
            Log().pop(count=1, outcome=UNKNOWN).view().post("a", outcome=UNKNOWN).post("a", repeated=True).view(),
        ),
        ("what was not there", Log().post("a", outcome=UNKNOWN).view().post("a", repeated=True).view("a")),
        ("is held by", Log().post("a").claim("c", "a").claim("d", "a").view(Seen("a", claim="d"))),
        ("is held by", Log().post("a").claim("c", "a").delete("c", "a").claim("d", "a", at=(25, 26)).view()),
        (
            "is held by",
            Log().post("a").claim("c", "a", at=(5, 9)).claim("d", "a", at=(4, 9)).view(Seen("a", claim="c")),
        ),
        ("is held by", Log().post("a", "b").claim("c", "a", "b").release("c", "b").claim("d", "a").view("a", "b")),
        ("was popped", Log().post("a").claim("c", "a").pop("a").view()),
        ("was popped", Log().post("a").pop("a").claim("c", "a").view()),
        ("was popped", Log().post("a").pop("a", at=(10, 20)).pop("a", at=(11, 19)).view()),
        ("which had ended", Log().post("a").claim("c", "a").release("c").delete("c", "a").view()),
        ("denies", Log().post("a").claim("c", "a").delete("c", "a", outcome=REFUSED).view(Seen("a", claim="c"))),
        ("denies", Log().post("a").claim("c", "a").release("c", "a", outcome=REFUSED).view(Seen("a", claim="c"))),
        ("denies", Log().post("a").claim("c", "a").view(Seen("a"))),
        ("denies", Log().post("a").claim("c", "a").view(Seen("a", claim="d"))),
    ],
)
def test_the_fault_is_found(fault: str, log: Log) -> None:
    assert any(fault in found for found in check(log.events)), check(log.events)


@pytest.mark.parametrize(
    "log",
    [
        Log().post("a"),
        Log().view().post("a"),
        Log().post("a", at=(0, 15)).view("a"),
        Log().view("a").post("a", at=(4, 8)).view("a"),
    ],
)
def test_a_log_without_a_quiet_view_at_its_end_cannot_be_judged(log: Log) -> None:
    with pytest.raises(ValueError, match="view"):
        check(log.events)


def test_queues_are_judged_apart() -> None:
    here: Sequence[Event] = Log().post("a").view().events
    there = [Event(kind=Kind.VIEW, queue="other", start_s=0, end_s=5, messages=(Seen("a"),))]
    faults = check([*here, *there])
    assert [fault.split(":")[0] for fault in faults] == ["q", "other"]
