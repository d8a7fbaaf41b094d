"""What waits to be sent on a connection: its order, its bound, and what it waits for."""

import asyncio
from typing import Final

from sukkal import limits
from sukkal.transports.websocket.connection import POLICY, Connection
from sukkal.transports.websocket.frames import Data

MIB: Final = 1_048_576


def sent(connection: Connection) -> list[Data]:
    """Return everything that is sent until nothing waits; the connection then ends."""
    frames: list[Data] = []

    async def send(data: Data) -> None:
        frames.append(data)

    connection.close(POLICY, "enough", at_once=True)
    assert asyncio.run(connection.send_to(send)) == (POLICY, "enough")
    return frames


def test_nothing_is_sent_between_a_frame_and_its_answer() -> None:
    connection = Connection("peer")
    connection.busy = True
    connection.push("pushed")
    connection.answer("answer")
    assert sent(connection) == ["answer", "pushed"]


def test_what_was_pushed_before_a_frame_began_to_wait_does_not_wait_for_it() -> None:
    connection = Connection("peer")
    connection.busy = True
    connection.push("first")
    connection.wait()
    connection.push("second")
    connection.answer("answer")
    assert sent(connection) == ["first", "second", "answer"]


def test_what_waits_to_be_read_has_a_bound() -> None:
    connection = Connection("peer")
    for _ in range(limits.WEBSOCKET_UNREAD_BYTES_MAX // MIB):
        assert connection.push("x" * MIB)
    assert not connection.push("x")
    assert connection.closing
    assert not connection.push("x"), "nor does it take anything after that"


def test_what_is_held_back_counts_as_unread() -> None:
    connection = Connection("peer")
    connection.busy = True
    for _ in range(limits.WEBSOCKET_UNREAD_BYTES_MAX // MIB):
        assert connection.push("x" * MIB)
    assert not connection.push("x")
    assert connection.closing
