"""The rules of queues are read once for each version of their attributes."""

from typing import Any

from sukkal.model import Queue, QueueKey
from sukkal.service.attributes import Rulebook
from sukkal.settings import Settings

SETTINGS = Settings(store="memory://")


def queue(name: str, **metadata: Any) -> Queue:
    return Queue(key=QueueKey("p", name), metadata=metadata, revision=1, created_ms=0)


def test_a_queue_without_attributes_has_the_rules_of_the_service() -> None:
    rules = Rulebook(SETTINGS).of(queue("q"))
    assert rules.message_ttl_s == SETTINGS.default_message_ttl
    assert rules.post_bytes_max == SETTINGS.max_messages_post_size
    assert not any((rules.conflates, rules.encrypts, rules.normalises))
    assert Rulebook(SETTINGS).of(None).message_delay_s == SETTINGS.default_message_delay


def test_rules_follow_a_change_of_attributes() -> None:
    book = Rulebook(SETTINGS)
    first = queue("q", _default_message_ttl=100)
    assert book.of(first) is book.of(first)
    assert book.of(first).message_ttl_s == 100
    assert book.of(queue("q", _default_message_ttl=200, _normalize="cloudevents")).message_ttl_s == 200
    assert book.of(queue("q", _normalize="cloudevents")).normalises
    assert book.of(queue("other", _default_message_ttl=100)).message_ttl_s == 100
