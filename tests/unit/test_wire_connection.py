"""One connection of the service's own server: its answers, their order, and its end."""

from collections.abc import Callable
from typing import Any

from sukkal.transports.http.exchange import Header, Request, Response
from tests.unit.wire_rig import DATE, GET, Bench, answer, refusal, run, turns


def test_a_request_is_answered_and_the_connection_kept() -> None:
    async def scenario(bench: Bench) -> None:
        line = bench.line()
        await line.say(GET % b"a" + b"\r\n")
        assert line.take() == answer("/a")
        await line.say(GET % b"b", b"Connection: close\r\n", b"\r\n")
        assert line.take() == answer("/b", close=True)
        assert line.closed

    run(scenario)


def test_a_head_is_answered_without_a_body() -> None:
    async def scenario(bench: Bench) -> None:
        line = bench.line()
        await line.say(b"HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n")
        assert line.take() == answer("/a").removesuffix(b"{}")

    run(scenario)


def test_an_answer_without_a_body_says_no_length() -> None:
    async def nothing(request: Request) -> Response:
        return Response(204)

    async def scenario(bench: Bench) -> None:
        bench.shared.handler = nothing
        line = bench.line()
        await line.say(GET % b"a" + b"\r\n")
        assert line.take() == b"HTTP/1.1 204 No Content\r\n" + DATE + b"\r\n"

    run(scenario)


def test_a_header_with_a_line_break_never_leaves() -> None:
    def broken(*headers: Header) -> Callable[[Request], Any]:
        async def handler(request: Request) -> Response:
            return Response(200, b"", headers)

        return handler

    async def scenario(bench: Bench) -> None:
        for header in ((b"a", b"b\r\nc: d"), (b"a", b"b\rc"), (b"a\n", b"b"), (b"a", b"b\x00")):
            bench.shared.handler = broken(header)
            line = bench.line()
            await line.say(GET % b"a" + b"\r\n")
            refusal(line, 500)
            await turns()

    run(scenario)


def test_a_defect_ends_one_connection() -> None:
    async def scenario(bench: Bench) -> None:
        line = bench.line()
        await line.say(GET % b"defect" + b"\r\n")
        refusal(line, 500)

    run(scenario)


def test_requests_sent_in_advance_that_wait_are_begun_one_after_the_other() -> None:
    async def scenario(bench: Bench) -> None:
        line = bench.line()
        paths = ["/held1", "/held2", "/held3", "/held4"]
        await line.say(b"".join(GET % path[1:].encode() + b"\r\n" for path in paths))
        for number, path in enumerate(paths, 1):
            assert [request.path for request in bench.asked] == paths[:number]
            bench.gate.set()
            bench.gate.clear()
            await turns()
            assert line.take() == answer(path)

    run(scenario)


def test_requests_sent_in_advance_are_answered_in_order() -> None:
    async def scenario(bench: Bench) -> None:
        line = bench.line()
        paths = [b"held1", b"a", b"held2", b"b"]
        await line.say(b"".join(GET % path + b"\r\n" for path in paths))
        await turns()
        assert [request.path for request in bench.asked] == ["/held1"]
        assert line.received == b""
        assert not line.reading, "nobody is read far ahead"
        bench.gate.set()
        await turns()
        assert line.take() == b"".join(answer("/" + path.decode()) for path in paths)
        assert line.reading

    run(scenario)


def test_what_comes_while_a_request_is_answered_waits_for_it() -> None:
    async def scenario(bench: Bench) -> None:
        line = bench.line()
        await line.say(GET % b"held" + b"\r\n", (GET % b"a" + b"\r\n") * 200)
        assert not line.reading
        bench.gate.set()
        await turns()
        await line.until(lambda: line.received.count(b"HTTP/1.1 200 OK") == 201)
        assert line.reading

    run(scenario)


def test_what_is_wrong_behind_a_request_does_not_spoil_its_answer() -> None:
    async def scenario(bench: Bench) -> None:
        for path in (b"a", b"held"):
            line = bench.line()
            await line.say(GET % path + b"\r\n" + b"GARBAGE\r\n\r\n")
            bench.gate.set()
            await turns()
            assert line.take() == answer("/" + path.decode(), close=True)
            assert line.closed

    run(scenario)


def test_very_many_requests_at_once_leave_others_their_turn() -> None:
    async def scenario(bench: Bench) -> None:
        line, other = bench.line(), bench.line()
        await line.say((GET % b"a" + b"\r\n") * 10_000)
        assert not line.reading
        assert len(bench.asked) < 5_000
        await other.say(GET % b"b" + b"\r\n")
        assert other.take() == answer("/b")
        await line.until(lambda: line.received.count(b"HTTP/1.1 200 OK") == 10_000)
        await turns()
        assert line.reading

    run(scenario)


def test_connections_beyond_the_limit_are_refused() -> None:
    async def scenario(bench: Bench) -> None:
        lines = [bench.line() for _ in range(3)]
        await turns()
        refusal(lines[2], 503)
        await lines[0].leave()
        another = bench.line()
        await another.say(GET % b"a" + b"\r\n")
        assert another.take() == answer("/a")

    run(scenario)


def test_a_stop_closes_what_is_idle_and_lets_the_rest_end() -> None:
    async def scenario(bench: Bench) -> None:
        bench.shared.connections_max = 9
        fresh, idle, head, body, held = [bench.line() for _ in range(5)]
        await idle.say(GET % b"a" + b"\r\n")
        idle.take()
        await head.say(b"GET /a HT")
        await body.say(b"POST /b HTTP/1.1\r\nContent-Length: 2\r\n\r\n")
        await held.say(GET % b"held" + b"\r\n")
        for connection in tuple(bench.shared.connections):
            connection.stop()
        await turns()
        assert [line.closed for line in (fresh, idle, head, body, held)] == [True, True, True, False, False]
        await body.say(b"{}" + GET % b"more" + b"\r\n")
        assert body.take() == answer("/b", close=True)
        bench.gate.set()
        await turns()
        assert held.take() == answer("/held", close=True)
        assert not bench.shared.connections

    run(scenario)
