"""What is brought."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["Message", "Subscription", "Unreadable", "Window"]


class Unreadable(Exception):
    """The source does not tell what a queue has, and will not for now. Other queues may be better."""


class Message(NamedTuple):
    """A message of the source. ``lives_s`` is what is left of its life, 0 or less if that is over."""

    id: str
    body: Any
    lives_s: int


class Subscription(NamedTuple):
    """A subscription of the source. ``lives_s`` is what is left of its life."""

    subscriber: str
    options: Mapping[str, Any]
    lives_s: int
    confirmed: bool


class Window(NamedTuple):
    """Some messages of a queue in their order, and how many stand among them that are claimed or delayed."""

    free: Sequence[Message]
    held: int
