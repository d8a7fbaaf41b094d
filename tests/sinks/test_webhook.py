"""The webhook sink against real sockets: what is sent, and what becomes of every kind of answer."""

import asyncio
import json
import socket
import ssl
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final

import pytest
import standardwebhooks.webhooks as verifier
import trustme
from standardwebhooks import Webhook

from sukkal import limits
from sukkal.errors import InvalidRequest
from sukkal.sink import Delivery, Outcome
from sukkal.sinks.guard import Guard
from sukkal.sinks.webhook import WebhookSink
from tests.sinks.receivers import Receiver, ok, receiver

NOW_MS: Final = 1_700_000_000_000
SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def delivery(subscriber: str, **changes: Any) -> Delivery:
    given: dict[str, Any] = {
        "id": "01a1fd0d-2866-7000-871e-13779d1a50dc",
        "attempt": 1,
        "body": b'{"a": "\xc3\xa9"}',
        "ttl_s": 300,
        "posted_ms": NOW_MS,
        "project": "p",
        "queue_name": "q",
        "subscription_id": "s",
        "subscriber": subscriber,
        "options": {},
        "now_ms": NOW_MS,
        "timeout_s": 20.0,
    }
    return Delivery(**(given | changes))


def run(scenario: Callable[[WebhookSink], Awaitable[None]], allowed: str = "127.0.0.0/8") -> None:
    async def whole() -> None:
        sink = WebhookSink(Guard(allowed))
        try:
            await scenario(sink)
        finally:
            await sink.close()

    asyncio.run(whole())


def outcome_of(answer: Any, **changes: Any) -> tuple[Outcome, Receiver]:
    """Return how an attempt ends with a receiver that answers so."""
    found: list[Any] = []

    async def scenario(sink: WebhookSink) -> None:
        async with receiver(answer) as hook:
            outcome = await sink.attempt(delivery(f"http://127.0.0.1:{hook.port}/hook?x=1", **changes))
            found.extend((outcome, hook))

    run(scenario)
    return found[0], found[1]


def test_the_body_is_zaqars_with_the_message_as_it_was_posted() -> None:
    outcome, hook = outcome_of(ok(body=b"thanks"))
    assert (outcome.delivered, outcome.status, outcome.answer) == (True, 200, "thanks")
    (request,) = hook.received
    assert request.line == "POST /hook?x=1 HTTP/1.1"
    assert request.body == b'{"ttl":300,"body":{"a": "\xc3\xa9"},"Message_Type":"Notification","queue_name":"q"}'
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == "01a1fd0d-2866-7000-871e-13779d1a50dc"
    assert request.headers["webhook-timestamp"] == "1700000000"
    assert "webhook-signature" not in request.headers


def test_a_template_is_filled_and_headers_are_added() -> None:
    template = json.dumps({"workflow_id": "w", "params": {"env": {"notification": "$zaqar_message$"}}})
    options = {"post_data": template, "post_headers": {"X-Auth-Token": "t", "Content-Type": "text/x"}, "method": "PUT"}
    _, hook = outcome_of(ok("201 Created"), options=options)
    (request,) = hook.received
    notification = json.loads(request.body)["params"]["env"]["notification"]
    assert (notification["body"], notification["queue_name"]) == ({"a": "é"}, "q")
    assert request.line.startswith("PUT ")
    assert (request.headers["x-auth-token"], request.headers["content-type"]) == ("t", "text/x")


def test_a_signature_is_one_of_standard_webhooks_also_while_secrets_change(monkeypatch: pytest.MonkeyPatch) -> None:
    other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
    _, hook = outcome_of(ok(), options={"_signing_secrets": [SECRET, other]})
    (request,) = hook.received

    class Then(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> "Then":
            return cls.fromtimestamp(NOW_MS / 1_000, tz)

    # The verifier reads the clock; the delivery was made at a time of its own.
    monkeypatch.setattr(verifier, "datetime", Then)
    for secret in (SECRET, other):
        assert Webhook(secret).verify(request.body, dict(request.headers))["queue_name"] == "q"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (ok("204 No Content"), {"delivered": True, "status": 204}),
        (ok("302 Found", b"", "Location: http://127.0.0.1:1/"), {"delivered": False, "status": 302}),
        (ok("400 Bad Request"), {"delivered": False, "status": 400, "gone": False}),
        (ok("410 Gone"), {"delivered": False, "status": 410, "gone": True}),
        (ok("500 Oops"), {"delivered": False, "status": 500, "retry_after_s": None}),
        (ok("429 Slow", b"", "Retry-After: 120"), {"status": 429, "retry_after_s": 120}),
        (ok("503 Later", b"", "Retry-After: Tue, 14 Nov 2023 22:15:20 GMT"), {"status": 503, "retry_after_s": 120}),
        (ok("503 Later", b"", "Retry-After: Tue, 14 Nov 1923 22:15:20 GMT"), {"status": 503, "retry_after_s": 0}),
        (ok("503 Later", b"", "Retry-After: soon"), {"status": 503, "retry_after_s": None}),
        (ok("500 Oops", b"", "Retry-After: 120"), {"status": 500, "retry_after_s": None}),
        (b"no HTTP at all\r\n\r\n", {"delivered": False, "status": None}),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", {"delivered": True}),  # It has said that.
        (b"HTTP/1.1 200", {"delivered": False}),
    ],
)
def test_an_answer_becomes_an_outcome(answer: bytes, expected: dict[str, Any]) -> None:
    def then_close(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    outcome, hook = outcome_of(then_close)
    assert {name: getattr(outcome, name) for name in expected} == expected
    assert outcome.delivered or outcome.error
    assert hook.connections == 1


def test_a_redirect_is_not_followed() -> None:
    async def scenario(sink: WebhookSink) -> None:
        async with receiver(ok()) as inside:
            redirect = ok("307 Go", b"", f"Location: http://127.0.0.1:{inside.port}/")
            async with receiver(redirect) as hook:
                outcome = await sink.attempt(delivery(f"http://127.0.0.1:{hook.port}/"))
            assert (outcome.status, inside.received) == (307, [])
            assert "redirects are not followed" in outcome.error

    run(scenario)


def test_a_receiver_that_hangs_costs_the_time_that_was_given() -> None:
    outcome, _ = outcome_of(None, timeout_s=0.2)
    assert (outcome.delivered, outcome.status) == (False, None)
    assert "in time" in outcome.error


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    async def flood(writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                writer.write(b"x" * 65_536)
                await writer.drain()
        except ConnectionError:
            writer.close()

    tasks: list[asyncio.Task[None]] = []

    def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        tasks.append(asyncio.get_running_loop().create_task(flood(writer)))

    outcome, _ = outcome_of(endless)
    assert outcome.delivered
    assert len(outcome.answer) <= limits.WEBHOOK_SHOWN_BYTES_MAX


def test_headers_without_end_are_no_answer() -> None:
    outcome, _ = outcome_of(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n")
    assert not outcome.delivered


def test_nobody_listens() -> None:
    async def scenario(sink: WebhookSink) -> None:
        async with receiver(ok()) as hook:
            port = hook.port
        outcome = await sink.attempt(delivery(f"http://127.0.0.1:{port}/"))
        assert outcome.error == "The receiver cannot be reached."

    run(scenario)


def test_a_connection_is_used_again() -> None:
    async def scenario(sink: WebhookSink) -> None:
        async with receiver(ok()) as hook:
            for _ in range(5):
                assert (await sink.attempt(delivery(f"http://127.0.0.1:{hook.port}/"))).delivered
            assert (hook.connections, len(hook.received)) == (1, 5)

    run(scenario)


def test_an_attempt_that_is_given_up_leaves_nothing_open() -> None:
    async def scenario(sink: WebhookSink) -> None:
        async with receiver(None) as hook:
            attempt = asyncio.create_task(sink.attempt(delivery(f"http://127.0.0.1:{hook.port}/")))
            await asyncio.wait_for(hook.asked.wait(), 10)
            attempt.cancel()
            await asyncio.wait_for(hook.closed.wait(), 10)

    run(scenario)


def test_a_certificate_that_nobody_vouches_for_is_not_trusted() -> None:
    async def scenario(sink: WebhookSink) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
        async with receiver(ok(), context) as hook:
            outcome = await sink.attempt(delivery(f"https://127.0.0.1:{hook.port}/"))
            assert "certificate" in outcome.error
            assert hook.received == []

    run(scenario)


INSIDE: Final = (
    *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "127.0.0.1.", "0.0.0.0"),
    *("[::1]", "[::ffff:127.0.0.1]", "[0:0:0:0:0:ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::]"),
)


@pytest.mark.parametrize("host", INSIDE)
def test_nothing_inside_is_reached_unless_it_is_listed(host: str) -> None:
    async def scenario(sink: WebhookSink) -> None:
        async with receiver(ok()) as hook:
            outcome = await sink.attempt(delivery(f"http://{host}:{hook.port}/", timeout_s=3.0))
            assert not outcome.delivered
            assert outcome.status is None
            assert hook.connections == 0

    run(scenario, allowed="")


def test_a_host_may_be_listed_by_its_name() -> None:
    async def scenario(sink: WebhookSink) -> None:
        async with receiver(ok()) as hook:
            assert (await sink.attempt(delivery(f"http://localhost:{hook.port}/"))).delivered
            assert not (await sink.attempt(delivery(f"http://127.0.0.1:{hook.port}/"))).delivered

    run(scenario, allowed="localhost")


def test_a_name_that_leads_inside_at_the_second_look_is_of_no_use() -> None:
    looks: list[str] = []

    def rebinding(host: str, port: int, *more: Any) -> list[Any]:
        looks.append(host)
        address = "203.0.114.1" if len(looks) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    async def scenario() -> None:
        sink = WebhookSink(Guard(""), rebinding)
        async with receiver(ok()) as hook:
            url = f"http://rebinding.example.org:{hook.port}/"
            await sink.attempt(delivery(url, timeout_s=0.3))
            outcome = await sink.attempt(delivery(url, timeout_s=0.3))
            assert "not one that deliveries may go to" in outcome.error
            assert hook.connections == 0
        await sink.close()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("subscriber", "options", "words"),
    [
        ("http://", {}, "URL with a host"),
        ("http://a b/", {}, "without spaces"),
        ("http://a:99999/", {}, "no URL"),
        ("http://user:password@a/", {}, "user or a password"),
        ("http://a/", {"method": "TRACE"}, "options.method"),
        ("http://a/", {"post_data": {}}, "options.post_data"),
        ("http://a/", {"post_headers": []}, "options.post_headers"),
        ("http://a/", {"post_headers": {"X-A": 1}}, "X-A"),
        ("http://a/", {"post_headers": {"X-A": "b\r\nX-B: c"}}, "X-A"),
        ("http://a/", {"post_headers": {"X A": "b"}}, "X A"),
        ("http://a/", {"post_headers": {"Host": "b"}}, "Host"),
        ("http://a/", {"post_headers": {"content-length": "1"}}, "content-length"),
        ("http://a/", {"post_headers": {"Proxy-Authorization": "1"}}, "Proxy-Authorization"),
        ("http://a/", {"_signing_secrets": "x"}, "_signing_secrets"),
        ("http://a/", {"_signing_secrets": ["whsec_short"]}, "Secret 1"),
    ],
)
def test_what_could_never_be_sent_is_refused(subscriber: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words) as refused:
        WebhookSink(Guard("")).check(subscriber, options)
    assert "password@" not in str(refused.value)
    assert "short" not in str(refused.value)
