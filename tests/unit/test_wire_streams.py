"""Streams of the service's own server: sent as they come, and ended with their client."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

from sukkal.transports.http.exchange import Request, Response, StreamResponse
from tests.unit.wire_rig import DATE, GET, Bench, answer, run, turns


def streaming(parts: AsyncGenerator[bytes], ended: asyncio.Event) -> Callable[[Request], Any]:
    async def handler(request: Request) -> Response:
        response = StreamResponse(200, headers=((b"a", b"b"),))
        response.parts, response.end = parts, ended.set
        return response

    return handler


def test_a_stream_is_sent_in_chunks_and_the_connection_kept() -> None:
    async def parts() -> AsyncGenerator[bytes]:
        yield b"one"
        yield b""
        await asyncio.sleep(0)
        yield b"x" * 16

    async def scenario(bench: Bench) -> None:
        ended = asyncio.Event()
        bench.shared.handler = streaming(parts(), ended)
        line = bench.line()
        await line.say(GET % b"a" + b"\r\n")
        await ended.wait()
        await turns()
        head = b"HTTP/1.1 200 OK\r\n" + DATE + b"a: b\r\ntransfer-encoding: chunked\r\n\r\n"
        assert line.take() == head + b"3\r\none\r\n10\r\n" + b"x" * 16 + b"\r\n0\r\n\r\n"
        bench.shared.handler = bench.answer
        await line.say(GET % b"a" + b"\r\n")
        assert line.take() == answer("/a")

    run(scenario)


def test_an_old_client_gets_a_stream_without_chunks() -> None:
    async def parts() -> AsyncGenerator[bytes]:
        yield b"one"
        yield b"two"

    async def scenario(bench: Bench) -> None:
        bench.shared.handler = streaming(parts(), asyncio.Event())
        line = bench.line()
        await line.say(b"GET /a HTTP/1.0\r\n\r\n")
        await line.until(lambda: line.closed)
        assert line.take() == b"HTTP/1.1 200 OK\r\n" + DATE + b"a: b\r\nconnection: close\r\n\r\nonetwo"

    run(scenario)


def test_a_stream_waits_for_a_client_to_read_and_ends_when_it_goes() -> None:
    made = 0

    async def parts() -> AsyncGenerator[bytes]:
        nonlocal made
        while True:
            made += 1
            yield b"x" * 50_000

    async def scenario(bench: Bench) -> None:
        ended = asyncio.Event()
        bench.shared.handler = streaming(parts(), ended)
        line = bench.line()
        line.reads = False
        await line.say(GET % b"a" + b"\r\n")
        await turns()
        assert made == 2
        await line.read(on=False)
        await turns()
        assert made == 4
        assert not ended.is_set()
        await line.leave()
        await turns()
        assert ended.is_set()
        assert not bench.shared.working

    run(scenario)


def test_a_stream_ends_when_its_client_says_no_more() -> None:
    async def parts() -> AsyncGenerator[bytes]:
        yield b"one"
        await asyncio.Event().wait()

    async def scenario(bench: Bench) -> None:
        ended = asyncio.Event()
        bench.shared.handler = streaming(parts(), ended)
        line = bench.line()
        await line.say(GET % b"a" + b"\r\n")
        await turns()
        await line.end()
        await turns()
        assert ended.is_set()

    run(scenario)


def test_a_stream_that_fails_is_cut_off_in_the_middle() -> None:
    async def parts() -> AsyncGenerator[bytes]:
        yield b"one"
        raise ZeroDivisionError

    async def scenario(bench: Bench) -> None:
        ended = asyncio.Event()
        bench.shared.handler = streaming(parts(), ended)
        line = bench.line()
        await line.say(GET % b"a" + b"\r\n")
        await line.until(lambda: line.closed)
        assert line.received.endswith(b"3\r\none\r\n"), "its end is missing, which the client can see"
        assert ended.is_set()

    run(scenario)
