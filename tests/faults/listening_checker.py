"""Judges a log of listening: tells where it contradicts what listeners are promised.

A fault is only what cannot be explained by any order of effects in which each post took effect between its first start
and its first answer, each pop after its start, and each coming of a listener between its start and its answer.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from math import inf
from typing import Final

from tests.faults.listening import Listened, Posted, Session, Watched

__all__ = ["check_listening"]


def check_listening(log: Watched) -> list[str]:
    """Return the faults of a log, one sentence each."""
    return [f"{log.queue}: {fault}" for rule in RULES for fault in rule(log)]


def _sessions(log: Watched) -> Iterator[tuple[str, Session]]:
    for listener in log.listeners:
        for session in listener.sessions:
            yield listener.name, session


def _in_order(log: Watched) -> Iterator[str]:
    """Find what a listener heard again or in another order, and answers that move its place."""
    for name, session in _sessions(log):
        if session.since is not None and session.place != session.since:
            yield f"{name} came back to {session.since} and was put at {session.place}"
        if (session.since is None) != (session.recovered is None):
            yield f"{name} came with {session.since} and was answered recovered: {session.recovered}"
        for before, (token, place) in pairwise([("", session.place), *session.heard]):
            if place <= before[1]:
                yield f"{name} heard {token} at {place} after {before[1]}"
    for listener in log.listeners:
        seen: set[str] = set()
        for token in (token for session in listener.sessions for token, _ in session.heard):
            if token in seen:
                yield f"{listener.name} heard {token} twice"
            seen.add(token)


def _one_place_each(log: Watched) -> Iterator[str]:
    """Find messages with two positions, positions with two messages, and contents that changed by themselves."""
    places: dict[str, set[object]] = {}
    tokens: dict[object, set[str]] = {}
    for _, session in _sessions(log):
        for token, place in session.heard:
            places.setdefault(token, set()).add(place)
            tokens.setdefault(place, set()).add(token)
    yield from (f"{token} was heard at {found}" for token, found in places.items() if len(found) > 1)
    yield from (f"at {place} were heard {found}" for place, found in tokens.items() if len(found) > 1)
    if len(epochs := {session.place.epoch for _, session in _sessions(log)}) > 1:
        yield f"the contents of the queue were {epochs}"


def _posted(log: Watched) -> Iterator[str]:
    """Find what nobody has posted."""
    posted = {token for post in log.posts for token in post.tokens}
    for name, session in _sessions(log):
        if strange := [token for token, _ in session.heard if token not in posted]:
            yield f"{name} heard {strange}, which nobody posted"


def _in_the_order_of_posting(log: Watched) -> Iterator[str]:
    """Find posts that stand in front of what had been acknowledged before they began, and disorder within a post."""
    at = _sequences(log)
    for post in log.posts:
        known = [at[token] for token in post.tokens if token in at]
        if known != sorted(known):
            yield f"{post.tokens} were heard in another order: {known}"
    for post, (low, high) in _bounds(log.posts, at):
        if wrong := [token for token in post.tokens if token in at and not low < at[token] < high]:
            yield f"{wrong} stand out of the order of posting"


def _nothing_missed(log: Watched) -> Iterator[str]:
    """Find what a listener was not told although it had not been warned."""
    at = _sequences(log)
    taken = {token for pop in log.pops for token in pop.tokens}
    for post, bounds in _bounds(log.posts, at):
        # A part of a post that shows is there only with all the rest of it.
        if not (post.done or any(token in at or token in taken for token in post.tokens)):
            continue
        for listener in log.listeners:
            heard = {token for session in listener.sessions for token, _ in session.heard}
            for token in post.tokens:
                low, high = (at[token], at[token]) if token in at else bounds
                if token not in heard and not _excused(log, listener, post, low, high):
                    yield f"{listener.name} has missed {token} and was not told so"


def _excused(log: Watched, listener: Listened, post: Posted, low: float, high: float) -> bool:
    """Tell whether a message, which stands from ``low`` to ``high``, may have been missed by a listener."""
    if not listener.sessions:
        return True
    first = listener.sessions[0]
    if low <= first.place.sequence and post.start_s < first.end_s:
        return True  # It was there before the listener.
    ends = [float(session.place.sequence) for session in listener.sessions[1:]] + [inf]
    return not log.history and any(
        session.recovered is False and session.place.sequence < high and low <= end and post.start_s < session.end_s
        for session, end in zip(listener.sessions, ends, strict=True)
    )


def _warned_with_reason(log: Watched) -> Iterator[str]:
    """Find warnings where nothing can have been missing."""
    at = _sequences(log)
    for name, session in _sessions(log):
        if session.recovered is False and not any(
            pop.start_s < session.end_s
            and (not pop.answered or any(at.get(token, inf) > session.place.sequence for token in pop.tokens))
            for pop in ([] if log.history else log.pops)
        ):
            yield f"{name} was told at {session.end_s} that something is missing after {session.since}, and nothing was"


def _sequences(log: Watched) -> Mapping[str, int]:
    return {token: place.sequence for _, session in _sessions(log) for token, place in session.heard}


def _bounds(posts: Iterable[Posted], at: Mapping[str, int]) -> Iterator[tuple[Posted, tuple[float, float]]]:
    """Yield each post with the greatest sequence acknowledged before it began, and the smallest begun after it."""
    posts = list(posts)
    by_end = sorted((post for post in posts if post.done), key=lambda post: post.end_s)
    lows: dict[int, float] = {}
    low, ended = -inf, 0
    for post in sorted(posts, key=lambda post: post.start_s):
        while ended < len(by_end) and by_end[ended].end_s < post.start_s:
            low = max([low, *(at[token] for token in by_end[ended].tokens if token in at)])
            ended += 1
        lows[id(post)] = low
    high, by_start = inf, sorted(posts, key=lambda post: post.start_s)
    for post in sorted(posts, key=lambda post: post.end_s, reverse=True):
        while by_start and by_start[-1].start_s > post.end_s:
            high = min([high, *(at[token] for token in by_start.pop().tokens if token in at)])
        yield post, (lows[id(post)], high)


RULES: Final[Sequence[Callable[[Watched], Iterator[str]]]] = (
    _in_order,
    _one_place_each,
    _posted,
    _in_the_order_of_posting,
    _nothing_missed,
    _warned_with_reason,
)
