"""What nodes say to each other arrives whole, and a URL with several hosts means the one that takes writes."""

import asyncio

import pytest

from sukkal.engines.postgresql.words import Assembly, parts_of
from sukkal.postgresql.hosts import Hosts


def test_words_of_any_size_arrive_whole_and_in_order() -> None:
    words = [b"", b"a", b"a", bytes(range(256)) * 100, b"end"]
    heard: list[bytes] = []
    assembly = Assembly(heard.append)
    parts = parts_of(words)
    assert max(map(len, parts)) < 8_000
    assert len(set(parts)) == len(parts)
    for part in parts:
        assembly.add(7, part)
    assert heard == words


def test_words_of_two_senders_are_kept_apart() -> None:
    heard: list[bytes] = []
    assembly = Assembly(heard.append)
    first, second = parts_of([b"x" * 10_000]), parts_of([b"y" * 10_000])
    for one, other in zip(first, second, strict=True):
        assembly.add(1, one)
        assembly.add(2, other)
    assert heard == [b"x" * 10_000, b"y" * 10_000]


def connect_to(hosts: Hosts, answers: dict[str, float | Exception]) -> tuple[str, list[tuple[str, float]]]:
    asked: list[tuple[str, float]] = []

    async def connect(url: str, within_s: float) -> str:
        host = url.partition("@")[2].partition("/")[0]
        asked.append((host, within_s))
        if isinstance(answer := answers[host], Exception):
            raise answer
        return host

    return asyncio.run(hosts.connect(connect, within_s=6)), asked


def test_the_first_host_that_takes_writes_is_used_and_asked_first_from_then_on() -> None:
    hosts = Hosts("postgresql://u:p@a:1,b:2,[::1]:3/d?sslmode=disable")
    refused = ConnectionRefusedError("no")
    assert connect_to(hosts, {"a:1": refused, "b:2": 0, "[::1]:3": 0}) == ("b:2", [("a:1", 2), ("b:2", 2)])
    assert connect_to(hosts, {"a:1": 0, "b:2": 0, "[::1]:3": 0})[1] == [("b:2", 2)]


def test_what_the_first_host_says_is_told_when_none_can_be_used() -> None:
    with pytest.raises(ConnectionRefusedError, match="first"):
        connect_to(Hosts("postgresql://u@a,b/d"), {"a": ConnectionRefusedError("first"), "b": OSError("second")})


def test_the_place_of_several_hosts_shows_no_password() -> None:
    assert Hosts("postgresql://u:secret@a:1,b:2/d").place == "a:1,b:2/d"
