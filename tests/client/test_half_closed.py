"""A client that ends its half of the connection while it waits for a claim."""

import socket
from urllib.parse import urlsplit

import pytest

from sukkal.client import SyncClient
from tests.client.service_here import ServiceHere

REQUEST = (
    b"POST /v2/queues/%s/claims?wait=20 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nX-Project-Id: p\r\n"
    b"Client-ID: 5f4f9f0e-6f5c-4c6b-9d0e-3f2b6f0b7a10\r\n\r\n"
)


def answer_to_one_who_ends(url: str, queue: bytes, *, at_once: bool) -> bytes:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as line:
        line.sendall(REQUEST % queue)
        if not at_once:
            line.recv(1, socket.MSG_PEEK)
        line.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := line.recv(65_536):
            answer += piece
        return answer


def test_what_is_claimed_for_it_is_what_it_is_told(service: ServiceHere) -> None:
    with SyncClient(service.url, project="p") as client:
        for number in range(60):
            queue = client.queue(f"q{number}")
            queue.post("x")
            answer = answer_to_one_who_ends(service.url, queue.name.encode(), at_once=True)
            assert answer == b"" or answer.startswith(b"HTTP/1.1 201"), answer
            assert queue.stats().claimed == (1 if answer else 0)


def test_an_answer_that_has_come_is_followed_by_the_end(service: ServiceHere) -> None:
    with SyncClient(service.url, project="p") as client:
        client.queue("q").post("x")
        answer = answer_to_one_who_ends(service.url, b"q", at_once=False)
        assert b'"body":"x"' in answer


@pytest.mark.parametrize("posted", ["after", "never"])
def test_who_finds_nothing_is_not_answered_and_gets_nothing_later(service: ServiceHere, posted: str) -> None:
    with SyncClient(service.url, project="p") as client:
        queue = client.queue("q")
        queue.create()
        assert answer_to_one_who_ends(service.url, b"q", at_once=True) == b""
        if posted == "after":
            queue.post("x")
            assert queue.stats().claimed == 0
            with queue.one(wait=0) as message:
                assert message is not None
                assert message.claim_count == 1
