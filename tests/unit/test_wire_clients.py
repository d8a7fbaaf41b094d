"""Clients of the service's own server that are slow, deaf, gone, or have said all, at a clock that the tests turn."""

import asyncio

import pytest

from sukkal import limits
from sukkal.transports.http.wire.shared import LOOK_S
from tests.unit.wire_rig import CALL, GET, SETTINGS, Bench, answer, refusal, run, turns


def test_a_client_that_does_not_read_is_not_answered_further_and_cut_off_in_time() -> None:
    async def scenario(bench: Bench) -> None:
        bench.body = b"x" * 50_000
        line = bench.line()
        line.reads = False
        await line.say((GET % b"a" + b"\r\n") * 10)
        assert len(bench.asked) == 2, "the buffer is full"
        assert not line.reading
        await bench.pass_s(SETTINGS.client_read_timeout_s)
        assert not line.closed
        await line.read()
        await line.until(lambda: len(bench.asked) == 10)
        line.reads = False
        await line.say((GET % b"a" + b"\r\n") * 10)
        await bench.pass_s(SETTINGS.client_read_timeout_s + 2 * LOOK_S)
        assert line.aborted

    run(scenario)


def test_a_client_that_does_not_read_its_last_answer_is_cut_off_in_time() -> None:
    async def scenario(bench: Bench) -> None:
        bench.body = b"x" * 50_000
        line = bench.line()
        line.reads = False
        await line.say(GET % b"a" + b"Connection: close\r\n\r\n")
        assert not line.closed
        await bench.pass_s(SETTINGS.client_read_timeout_s + 2 * LOOK_S)
        assert line.aborted

    run(scenario)


def test_a_slow_head_or_body_is_refused() -> None:
    async def scenario(bench: Bench) -> None:
        headers_s, body_s = SETTINGS.request_headers_timeout_s, SETTINGS.request_body_timeout_s
        post = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
        for beginning, seconds in ((b"\r\n", headers_s), (b"GET", headers_s), (post, body_s)):
            line = bench.line()
            await line.say(beginning)
            await bench.pass_s(seconds)
            assert not line.closed
            await bench.pass_s(2 * LOOK_S)
            refusal(line, 408)
            await turns()

    run(scenario)


def test_blank_lines_and_bytes_now_and_then_do_not_stop_the_clock() -> None:
    async def scenario(bench: Bench) -> None:
        for whole in (b"", GET % b"a" + b"\r\n"):
            for beginning, more in ((b"\r\n", b"\r\n"), (GET % b"a" + b"X: ", b"1")):
                line = bench.line()
                await line.say(whole)
                line.take()
                await line.say(beginning)
                for _ in range(SETTINGS.request_headers_timeout_s):
                    await bench.pass_s(1)
                    await line.say(more)
                await bench.pass_s(2 * LOOK_S)
                refusal(line, 408)
                await turns()

    run(scenario)


def test_the_clock_runs_for_a_request_that_is_begun_while_another_is_answered() -> None:
    async def scenario(bench: Bench) -> None:
        for beginning in (b"GET /b HT", b"POST /b HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"):
            line = bench.line()
            bench.gate.clear()
            await line.say(GET % b"held" + b"\r\n", beginning)
            bench.gate.set()
            await turns()
            assert line.take() == answer("/held")
            await bench.pass_s(SETTINGS.request_body_timeout_s + 2 * LOOK_S)
            refusal(line, 408)
            line = bench.line()
            bench.gate.clear()
            await line.say(GET % b"held" + b"\r\n", beginning)
            await bench.pass_s(SETTINGS.request_body_timeout_s + 2 * LOOK_S)
            assert line.take() == b"", "the running request gets its answer"
            bench.gate.set()
            await turns()
            assert line.take() == answer("/held", close=True)

    run(scenario)


def test_an_idle_connection_is_closed_without_a_word() -> None:
    async def scenario(bench: Bench) -> None:
        line = bench.line()
        await line.say(GET % b"a" + b"\r\n")
        line.take()
        await bench.pass_s(limits.KEEP_ALIVE_S)
        assert not line.is_closing()
        await bench.pass_s(2 * LOOK_S)
        assert line.closed
        assert line.received == b""

    run(scenario)


def test_a_handler_may_take_its_time() -> None:
    async def scenario(bench: Bench) -> None:
        line = bench.line()
        await line.say(GET % b"held" + b"\r\n")
        await bench.pass_s(3_600)
        bench.gate.set()
        await turns()
        assert line.take() == answer("/held")

    run(scenario)


def test_a_client_that_has_said_all_still_gets_its_answers() -> None:
    async def scenario(bench: Bench) -> None:
        line = bench.line()
        await line.say(GET % b"held" + b"\r\n" + GET % b"a" + b"\r\n")
        await line.end()
        assert not line.closed
        bench.gate.set()
        await turns()
        assert line.take() == answer("/held") + answer("/a", close=True)
        assert line.closed

    run(scenario)


def test_a_client_that_says_no_more_in_the_middle_gets_nothing() -> None:
    async def scenario(bench: Bench) -> None:
        for half in (b"GET", b"POST /a HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"):
            line = bench.line()
            await line.say(half)
            await line.end()
            assert line.closed
            assert line.received == b""
            await turns()
        assert bench.asked == []

    run(scenario)


@pytest.mark.parametrize("first", [True, False])
def test_a_request_goes_on_when_its_client_is_gone_unless_it_only_waits(*, first: bool) -> None:
    async def scenario(bench: Bench) -> None:
        bench.shared.connections_max = 5
        lines = [bench.line() for _ in range(5)]
        if not first:
            for line in lines:
                await line.say(GET % b"a" + b"\r\n")
                assert line.take() == answer("/a")
        posting, waiting, calling, listing, half = lines
        await posting.say(GET % b"held/post" + b"\r\n")
        await waiting.say(GET % b"held/wait?wait=9" + b"\r\n")
        await calling.say(CALL % b"held/call" + b"\r\n")
        await listing.say(GET % b"held/call" + b"\r\n")
        await half.say(GET % b"held/half?wait=9" + b"\r\n")
        for line in (posting, waiting, calling, listing):
            await line.leave()
        await half.end()
        await turns()
        assert sorted(bench.given_up) == ["/held/call", "/held/half", "/held/wait"]
        assert len(bench.shared.working) == 2
        bench.gate.set()
        await turns()
        assert not bench.shared.working
        assert not bench.shared.connections
        assert posting.take() == b""
        assert len(asyncio.all_tasks()) == 1

    run(scenario)


def test_a_client_that_waits_to_send_its_body_is_told_when_it_is_its_turn() -> None:
    async def scenario(bench: Bench) -> None:
        post = b"POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        line = bench.line()
        await line.say(post)
        assert line.take() == b"HTTP/1.1 100 Continue\r\n\r\n"
        await line.say(b"{}")
        assert line.take() == answer("/a")
        await line.say(post + b"{}")
        assert line.take() == b"HTTP/1.1 100 Continue\r\n\r\n" + answer("/a")
        await line.say(GET % b"held" + b"\r\n" + post)
        assert line.take() == b""
        await bench.pass_s(SETTINGS.request_body_timeout_s - 1)
        bench.gate.set()
        await turns()
        assert line.take() == answer("/held") + b"HTTP/1.1 100 Continue\r\n\r\n"
        await bench.pass_s(SETTINGS.request_body_timeout_s - 1)
        assert not line.closed, "its time begins when it is told"
        too_large = post.replace(b" 2\r", b" 9999999\r")
        other = bench.line()
        await other.say(too_large)
        assert other.take() == answer("/a", close=True), "it is not asked for what is not taken"

    run(scenario)
