"""Frames that are wrong, strange or many, and what is pushed."""

import json
from typing import Any

import msgspec
import pytest

from sukkal import limits
from sukkal.transports.websocket import frames
from sukkal.transports.websocket.connection import Connection
from tests.api.calling import CLIENT, Service
from tests.api.sockets import Ended, Reply, Socket


def answer(service: Service, data: str | bytes) -> Reply:
    with Socket(service) as socket:
        socket.send(data)
        reply = Reply(socket.receive())
        assert socket.ask("queue_list").status == 200, "the connection goes on"
        return reply


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("", "Can't decode text (JSON) request."),
        ("x", "Can't decode text (JSON) request."),
        ('{"action": "queue_list"', "Can't decode text (JSON) request."),
        ('{"action": "queue_list"} {}', "Can't decode text (JSON) request."),
        ('{"action": "\\q"}', "Can't decode text (JSON) request."),
        ("\x00", "Can't decode text (JSON) request."),
        ("[" * 100_000, "Unexpected body type."),
        ('{"body": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
        ("[]", "Unexpected body type. Expected dict or dict like."),
        ("1", "Unexpected body type. Expected dict or dict like."),
        ("null", "Unexpected body type. Expected dict or dict like."),
        ("{}", "None is not a valid action"),
        ('{"action": 1}', "Schema validation failed."),
        ('{"action": "queue_list", "headers": []}', "Schema validation failed."),
        ('{"action": "queue_list", "headers": {"a": {}}}', "Schema validation failed."),
        (b"", "Can't decode binary (MessagePack) request."),
        (b"\xc1", "Can't decode binary (MessagePack) request."),
        (b"\x80\x80", "Can't decode binary (MessagePack) request."),
        (b"\xa2\xff\xfe", "Can't decode binary (MessagePack) request."),
        (b"\x91" * 5_000 + b"\xc0", "nested too deeply"),
        (b"\x91" * 150 + b"\xc0", "nested too deeply"),
        (msgspec.msgpack.encode({"a": b"bytes"}), "have a form in JSON"),
        (msgspec.msgpack.encode({1: 2}), "must be strings"),
        (msgspec.msgpack.encode({"a": float("nan")}), "must be finite"),
        (b"\x81\xa1a\xd4\x05a", "have a form in JSON"),
        (msgspec.msgpack.encode([]), "Unexpected body type. Expected dict or dict like."),
    ],
    ids=lambda given: repr(given)[:24],
)
def test_a_frame_that_cannot_be_read_is_refused_and_the_connection_goes_on(
    service: Service, data: str | bytes, words: str
) -> None:
    reply = answer(service, data)
    reply.refused(400, words)
    assert (reply.request["body"], reply.request["headers"]) == ({}, {})


def test_a_frame_that_is_too_large_is_refused_and_the_connection_goes_on(service: Service) -> None:
    answer(service, " " * 400_000).refused(400, "A frame may have 327680 bytes.")
    body = {"queue_name": "q", "messages": [{"body": "x" * 262_144}]}
    frame = {"action": "message_post", "headers": {"Client-ID": CLIENT, "X-Project-ID": "p"}, "body": body}
    answer(service, json.dumps(frame)).refused(400, "Message collection size is too large. Max size 262144")


def test_what_messagepack_has_no_form_for_goes_out_as_text(service: Service) -> None:
    service.post_bodies(2**70)
    with Socket(service, binary=True) as socket:
        popped = socket.ask("message_delete_many", {"queue_name": "q", "pop": 1})
        assert popped.body["messages"][0]["body"] == 2**70


def test_the_answer_is_in_the_encoding_of_the_frame(service: Service) -> None:
    frame: dict[str, Any] = {"action": "queue_list", "headers": {"Client-ID": CLIENT, "X-Project-ID": "p"}}
    with Socket(service) as socket:
        for data in (json.dumps(frame), msgspec.msgpack.encode(frame)):
            socket.send(data)
            message = socket.raw()
            assert ("bytes" in message) == isinstance(data, bytes)


def connection_of(service: Service) -> Connection:
    (connection,) = service.app.sockets.connections
    return connection


def test_what_is_pushed_comes_between_the_answers_in_the_encoding_of_the_last_frame(service: Service) -> None:
    for binary in (False, True):
        with Socket(service, binary=binary) as socket:
            socket.ask("queue_list")
            connection = connection_of(service)
            assert connection.client == CLIENT
            assert service.run(pushed(connection, '{"body": 1}'))
            assert socket.receive() == {"body": 1}
            assert socket.ask("queue_list").status == 200
        assert connection.closed.is_set()
        assert not service.run(pushed(connection, "{}"))


async def pushed(connection: Connection, data: str) -> bool:
    return connection.push(data)


class Wire:
    """Takes the bytes of frames, or none while it is full."""

    def __init__(self) -> None:
        self.full = False
        self.written: list[bytes] = []

    def __call__(self, wire: bytes) -> bool:
        if not self.full:
            self.written.append(wire)
        return not self.full


async def pushed_to_many(connection: Connection, *data: str) -> None:
    for each in data:
        connection.push(*frames.pushed(each))


def test_a_push_is_written_at_once_where_nothing_waits_and_never_before_what_does(service: Service) -> None:
    with Socket(service) as socket:
        socket.ask("queue_list")
        connection, wire = connection_of(service), Wire()
        connection.write = wire
        service.run(pushed_to_many(connection, "1", "2"))
        assert wire.written == [b"\x81\x011", b"\x81\x012"]
        wire.full = True
        service.run(pushed_to_many(connection, "3"))
        assert socket.receive() == 3

        async def full_for_a_moment() -> None:
            wire.full = True
            await pushed_to_many(connection, "4")
            wire.full = False
            await pushed_to_many(connection, "5")

        service.run(full_for_a_moment())
        assert [socket.receive() for _ in range(2)] == [4, 5]
        assert len(wire.written) == 2


def test_a_push_is_not_written_before_the_answer_in_the_making(service: Service) -> None:
    with Socket(service) as socket:
        socket.ask("queue_list")
        connection, wire = connection_of(service), Wire()
        connection.write = wire
        connection.busy = True
        service.run(pushed_to_many(connection, "1"))
        assert (wire.written, socket.silent()) == ([], True)
        assert socket.ask("queue_list").status == 200
        assert socket.receive() == 1
        assert wire.written == []


def test_a_client_that_does_not_read_what_is_pushed_is_cut_off(service: Service) -> None:
    with Socket(service) as socket:
        socket.ask("queue_list")
        connection = connection_of(service)
        socket.deafen()
        frame = "x" * 1_000_000
        taken = [service.run(pushed(connection, frame)) for _ in range(10)]
        assert taken == [True] * 4 + [False] * 6
        socket.listen()
        with pytest.raises(Ended) as ended:
            list(iter(socket.raw, None))
        assert ended.value.code == 1008
        assert str(limits.WEBSOCKET_UNREAD_BYTES_MAX) in ended.value.reason


def test_frames_that_wait_are_not_received_without_end(service: Service) -> None:
    with Socket(service) as socket:
        socket.begin("claim_create", {"queue_name": "q", "wait": 30})
        for _ in range(100):
            socket.begin("queue_list")
        assert socket.silent()
        assert socket.unreceived > 80
        service.post_bodies(1)
        assert [Reply(socket.receive()).status for _ in range(101)] == [201] + [200] * 100
