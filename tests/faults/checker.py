"""Judges a log of requests: tells where it contradicts what the service promises.

A fault is only what cannot be explained by any order of effects in which each request took effect between its start
and its end, and those without an answer perhaps not at all. Views split the log into periods; as nothing runs beside a
view, it shows exactly what every request before it has left.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

from tests.faults.history import Event, Kind, Outcome, Seen

__all__ = ["check"]


def check(history: Iterable[Event]) -> list[str]:
    """Return the faults of a log, one sentence each. Raises ``ValueError`` for a log that cannot be judged."""
    by_queue: dict[str, list[Event]] = defaultdict(list)
    for event in history:
        by_queue[event.queue].append(event)
    faults: list[str] = []
    for queue, events in by_queue.items():
        events.sort(key=lambda event: event.start_s)
        faults += [f"{queue}: {fault}" for rule in RULES for fault in rule(events)]
    return faults


# -- nothing is lost, nothing returns, nothing appears, posts are whole -------------------------------------------


def _periods(events: Sequence[Event]) -> Iterator[str]:
    known: frozenset[str] = frozenset()
    period: list[Event] = []
    viewed_s = float("-inf")
    for event in events:
        begun_s = max((other.end_s for other in period), default=viewed_s) if event.kind is Kind.VIEW else viewed_s
        if event.start_s < begun_s:
            raise ValueError(f"a request ran beside the view of {event.start_s} or the one before it")
        period.append(event)
        if event.kind is Kind.VIEW:
            yield from _period(known, period)
            known, period, viewed_s = event.tokens, [], event.end_s
    if period:
        raise ValueError("the log does not end with a view")


def _period(known: frozenset[str], period: Sequence[Event]) -> Iterator[str]:
    """Judge what happened between two views; ``known`` is what the first one showed."""
    *events, view = period
    stored = [event for event in events if event.kind is Kind.POST and not event.repeated]
    possible = known.union(*(event.tokens for event in stored if event.done or event.unknown))
    yield from _sightings(possible, [*events, view])
    shown = frozenset(token for event in period if _shows(event) for token in event.tokens)
    # A part of a post that shows is there only with all the rest of it.
    added = (post.tokens for post in stored if post.done or (post.unknown and post.tokens & shown))
    removed = (event.tokens for event in events if _removes(event))
    missing = known.union(*added).difference(view.tokens, *removed)
    if len(missing) > sum(event.count for event in events if event.kind is Kind.POP and event.unknown):
        torn = [token for post in stored if post.unknown for token in post.tokens & missing]
        yield f"lost by {view.start_s}: {_list(missing)}; of them, parts of posts without an answer: {_list(torn)}"


def _sightings(possible: frozenset[str], events: Sequence[Event]) -> Iterator[str]:
    gone: dict[str, float] = {}
    for event in events:
        if event.done and event.kind in (Kind.DELETE, Kind.POP):
            for token in event.tokens:
                gone[token] = min(event.end_s, gone.get(token, event.end_s))
    for event in filter(_shows, events):
        if strange := event.tokens - possible:
            yield f"{event.kind.value} at {event.start_s} shows what was not there: {_list(strange)}"
        if back := {token for token in event.tokens if gone.get(token, event.start_s) < event.start_s}:
            yield f"{event.kind.value} at {event.start_s} shows what had been removed: {_list(back)}"


def _shows(event: Event) -> bool:
    return event.done and event.kind in (Kind.CLAIM, Kind.POP, Kind.VIEW)


def _removes(event: Event) -> bool:
    """Tell whether it has removed the messages it names, or may have."""
    return event.kind in (Kind.DELETE, Kind.POP) and event.outcome is not Outcome.REFUSED


def _repetitions(events: Sequence[Event]) -> Iterator[str]:
    """Find posts that were taken for repetitions of ones that were never stored.

    A first attempt whose answer got lost may be repeated at once, before anybody has looked: it is enough that its
    messages were seen at all. What it cannot have stored, the periods tell.
    """
    seen = frozenset(token for event in events if _shows(event) for token in event.tokens)
    for post in events:
        if post.repeated and not post.tokens & seen and not _popped_unseen(post, events):
            yield f"the post of {_list(post.tokens)} at {post.start_s} was taken for a repetition and never stored"


def _popped_unseen(post: Event, events: Sequence[Event]) -> bool:
    """Tell whether a pop without an answer may have taken the messages of a post before the first view that follows."""
    begun_s = min(event.start_s for event in events if event.tokens & post.tokens)
    views_s = (event.start_s for event in events if event.kind is Kind.VIEW and event.start_s > post.end_s)
    until_s = min(views_s, default=float("inf"))
    pops = (event for event in events if event.unknown and event.kind is Kind.POP)
    return any(pop.end_s > begun_s and pop.start_s < until_s for pop in pops)


def _stored_once(events: Sequence[Event]) -> Iterator[str]:
    """Find messages that have two ids: those stored twice."""
    ids: dict[str, set[str]] = defaultdict(set)
    for event in events:
        for seen in event.messages if event.done else ():
            if seen.id:
                ids[seen.token].add(seen.id)
    for token, known in ids.items():
        if len(known) > 1:
            yield f"{token} was stored more than once: {_list(known)}"


# -- a message has one holder, and an ended claim does nothing ----------------------------------------------------


@dataclass(frozen=True)
class _Hold:
    """A message under a claim: certainly from ``from_s`` until ``until_s``, at the earliest from ``start_s``."""

    claim: str
    start_s: float
    from_s: float
    until_s: float


def _holds(events: Sequence[Event]) -> Mapping[str, list[_Hold]]:
    """Return who held each message.

    That its holder has deleted a message does not end the hold: nobody else may get it after that either.
    """
    ends: dict[tuple[str, str], float] = {}
    for event in events:
        if event.kind is Kind.RELEASE and event.outcome is not Outcome.REFUSED:
            for token in event.tokens or ("",):
                ends.setdefault((event.claim, token), event.start_s)
    holds: dict[str, list[_Hold]] = defaultdict(list)
    for event in events:
        if event.kind is Kind.CLAIM and event.done:
            lease_ends_s = event.start_s + event.lease_s
            released_s = ends.get((event.claim, ""), lease_ends_s)
            for token in event.tokens:
                until_s = min(lease_ends_s, released_s, ends.get((event.claim, token), lease_ends_s))
                holds[token].append(_Hold(event.claim, event.start_s, event.end_s, until_s))
    return holds


def _one_holder(events: Sequence[Event]) -> Iterator[str]:
    holds = _holds(events)
    for token, several in holds.items():
        several.sort(key=lambda hold: hold.from_s)
        last = several[0]
        for hold in several[1:]:
            if hold.from_s < last.until_s:
                yield f"{token} is held by {last.claim} and {hold.claim} from {hold.from_s} to {last.until_s}"
            last = max(last, hold, key=lambda each: each.until_s)
    popped: dict[str, Event] = {}
    for pop in events:
        for token in pop.tokens if pop.kind is Kind.POP and pop.done else ():
            if token in popped:
                yield f"{token} was popped at {popped[token].end_s} and at {pop.end_s}"
            popped[token] = pop
            for hold in holds.get(token, ()):
                if hold.start_s > pop.end_s or hold.until_s > pop.end_s:
                    yield f"{token} was popped at {pop.end_s} and held by {hold.claim} until {hold.until_s}"


def _fenced(events: Sequence[Event]) -> Iterator[str]:
    """Find deletions by claims that had ended, of messages that nobody else can have removed."""
    ends = (event for event in events if event.kind is Kind.RELEASE and event.done and not event.messages)
    ended = {event.claim: event.end_s for event in ends}
    for event in events:
        if event.kind is Kind.DELETE and event.done and event.start_s > ended.get(event.claim, event.start_s):
            for token in event.tokens:
                if not any(_may_remove(other, token) for other in events if _before(other, event)):
                    yield f"{token} was deleted at {event.end_s} by {event.claim}, which had ended"


def _before(other: Event, event: Event) -> bool:
    return other is not event and other.start_s < event.end_s


def _may_remove(event: Event, token: str) -> bool:
    return _removes(event) and (token in event.tokens or (event.kind is Kind.POP and event.unknown))


def _live_claims(events: Sequence[Event]) -> Iterator[str]:
    """Find claims that lost what they held: refused while they lived, or not shown as the holder."""
    holds = _holds(events)
    deleted: set[str] = set()
    for event in events:
        for seen in event.messages:
            for hold in holds.get(seen.token, ()):
                if hold.from_s <= event.start_s and event.end_s < hold.until_s and _denies(event, seen, hold, deleted):
                    yield f"{event.kind.value} at {event.start_s} denies that {hold.claim} holds {seen.token}"
        if event.kind is Kind.DELETE and _removes(event):
            deleted |= event.tokens


def _denies(event: Event, seen: Seen, hold: _Hold, deleted: Set[str]) -> bool:
    if event.kind is Kind.VIEW:
        return seen.claim != hold.claim
    if event.kind is Kind.RELEASE and seen.token in deleted:
        return False  # What is not there any more cannot be released.
    return event.claim == hold.claim and event.outcome is Outcome.REFUSED


def _list(names: Iterable[str]) -> str:
    first, *more = sorted(names) or ["none"]
    return ", ".join([first, *more[:9]]) + (f" and {len(more) - 9} more" if len(more) > 9 else "")


RULES: Final[Sequence[Callable[[Sequence[Event]], Iterator[str]]]] = (
    _periods,
    _stored_once,
    _repetitions,
    _one_holder,
    _fenced,
    _live_claims,
)
