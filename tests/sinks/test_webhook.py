"""Webhooks: what is sent, and what answers mean."""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import pytest
import trustme
from msgspec import structs
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from sukkal import limits
from sukkal.sink import Delivery, Outcome
from sukkal.sinks.guard import Guard
from sukkal.sinks.webhook import WebhookSink
from sukkal.sinks.webhook.request import request, target
from sukkal.testing.peers import Peer, closes_after, repeats, says
from tests.sinks.webhook_receiver import WebhookReceiver

NOW_MS: Final = 1_700_000_000_999
OLD, NEW = "whsec_" + "b2xk" * 8, "whsec_" + "bmV3" * 16
PATIENCE_S: Final = 30


def delivery(subscriber: str, *, body: bytes = b'{"a":1}', now_ms: int = NOW_MS, **options: Any) -> Delivery:
    return Delivery(
        id="m-1",
        attempt=1,
        body=body,
        ttl_s=300,
        posted_ms=now_ms,
        project="p",
        queue_name="fizbit",
        subscription_id="s",
        subscriber=subscriber,
        options=options,
        now_ms=now_ms,
        timeout_s=10,
    )


def test_an_event_alone_is_sent_as_such_unless_a_template_is_around_it() -> None:
    event = structs.replace(delivery("http://x/"), body=b'{"id":"1"}', media_type="application/cloudevents+json")
    sent = request(target("http://x/", {}), event)
    assert (sent.body, sent.headers["content-type"]) == (event.body, "application/cloudevents+json")
    sent = request(target("http://x/", {"post_data": '{"event": "$zaqar_message$"}'}), event)
    assert (sent.body, sent.headers["content-type"]) == (b'{"event": {"id":"1"}}', "application/json")
    sent = request(target("http://x/", {"post_headers": {"Content-Type": "text/plain"}}), event)
    assert sent.headers["content-type"] == "text/plain"


def with_receiver(
    steps: Callable[[WebhookSink, WebhookReceiver, str], Awaitable[None]], *, allow: str = "127.0.0.1", **tls: Any
) -> None:
    """Take steps with a sink, a receiver and its URL."""

    async def all_steps() -> None:
        sink = WebhookSink(Guard(allow), tls=tls.get("client"))
        async with asyncio.timeout(PATIENCE_S), WebhookReceiver(tls=tls.get("server")) as receiver:
            await steps(sink, receiver, f"http{'s' if tls else ''}://127.0.0.1:{receiver.port}/hook")
            await sink.close()

    asyncio.run(all_steps())


def attempt(talk: Any, **options: Any) -> Outcome:
    """Try one who talks like this."""

    async def steps() -> Outcome:
        sink = WebhookSink(Guard("127.0.0.1"))
        async with asyncio.timeout(PATIENCE_S), Peer(talk) as peer:
            outcome = await sink.attempt(delivery(f"http://127.0.0.1:{peer.port}/", **options))
            await sink.close()
            await peer.deserted.wait()
        return outcome

    return asyncio.run(steps())


def answered(status: int, *headers: str) -> Outcome:
    """Return what an answer with this status means."""
    lines = "".join(f"{header}\r\n" for header in headers)
    return attempt(says(f"HTTP/1.1 {status} Some words\r\nContent-Length: 0\r\n{lines}\r\n".encode()))


# -- what is sent -----------------------------------------------------------------------------------------------------


def test_a_delivery_looks_like_zaqars() -> None:
    async def steps(sink: WebhookSink, receiver: WebhookReceiver, url: str) -> None:
        outcome = await sink.attempt(delivery(url + "?a=%2F+b%7E#part", body=b'{"x": [1.0,  1e3, "\\u00e9"]}'))
        assert outcome == Outcome(delivered=True, status=200, answer="thanks")
        [taken] = receiver.taken
        assert (taken.method, taken.path) == ("POST", "/hook?a=%2F+b%7E")
        assert taken.body == (
            b'{"ttl":300,"body":{"x": [1.0,  1e3, "\\u00e9"]},"Message_Type":"Notification","queue_name":"fizbit"}'
        )
        assert {name.lower(): value for name, value in taken.headers.items()} == {
            "host": f"127.0.0.1:{receiver.port}",
            "accept": "*/*",
            "content-length": str(len(taken.body)),
            "content-type": "application/json",
            "user-agent": "Sukkal",
            "webhook-id": "m-1",
            "webhook-timestamp": "1700000000",
        }

    with_receiver(steps)


def test_a_template_gets_the_message_in_each_of_its_places() -> None:
    async def steps(sink: WebhookSink, receiver: WebhookReceiver, url: str) -> None:
        template = '{"input": {"m": "$zaqar_message$"}, "again": "$zaqar_message$", "not": "x $zaqar_message$", "é": 1}'
        assert (await sink.attempt(delivery(url, post_data=template))).delivered
        sent = json.loads(receiver.taken[0].body)
        message = {"ttl": 300, "body": {"a": 1}, "Message_Type": "Notification", "queue_name": "fizbit"}
        assert sent == {"input": {"m": message}, "again": message, "not": "x $zaqar_message$", "é": 1}

    with_receiver(steps)


def test_a_message_that_has_the_place_in_it_is_not_filled_again() -> None:
    async def steps(sink: WebhookSink, receiver: WebhookReceiver, url: str) -> None:
        assert (await sink.attempt(delivery(url, body=b'"$zaqar_message$"', post_data='["$zaqar_message$"]'))).delivered
        assert json.loads(receiver.taken[0].body)[0]["body"] == "$zaqar_message$"

    with_receiver(steps)


def test_headers_are_added_and_may_replace_the_content_type() -> None:
    async def steps(sink: WebhookSink, receiver: WebhookReceiver, url: str) -> None:
        given = {
            "X-Auth-Token": "t" * 300,
            "content-TYPE": "text/plain",
            "USER-agent": "mine",
            "Accept-Encoding": "gzip",
        }
        assert (await sink.attempt(delivery(url, post_headers=given))).delivered
        headers = receiver.taken[0].headers
        assert {name: headers[name] for name in given} == given
        assert len(headers) == len({name.lower() for name in headers})

    with_receiver(steps)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "get"])
def test_another_method_may_be_asked_for(method: str) -> None:
    async def steps(sink: WebhookSink, receiver: WebhookReceiver, url: str) -> None:
        assert (await sink.attempt(delivery(url, method=method))).delivered
        assert receiver.taken[0].method == method.upper()
        assert receiver.taken[0].body

    with_receiver(steps)


def test_a_name_and_password_in_the_url_become_basic_authentication() -> None:
    async def steps(sink: WebhookSink, receiver: WebhookReceiver, url: str) -> None:
        await sink.attempt(delivery(url.replace("//", "//Aladdin:open%20sesame@")))
        assert receiver.taken[0].headers["Authorization"] == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="

    with_receiver(steps)


def test_secrets_that_a_receiver_echoes_are_not_shown() -> None:
    async def steps(sink: WebhookSink, receiver: WebhookReceiver, url: str) -> None:
        receiver.echo = True
        given = {"X-Auth-Token": "gAAAA-token", "Cookie": "session=0123456789", "X-Kind": "short"}
        outcome = await sink.attempt(delivery(url.replace("//", "//me:password1@"), post_headers=given))
        for secret in ("gAAAA-token", "0123456789", "password1", "bWU6cGFzc3dvcmQx"):
            assert secret not in outcome.answer
        assert "short" in outcome.answer

    with_receiver(steps)


# -- signatures -------------------------------------------------------------------------------------------------------


def test_signatures_are_those_of_standard_webhooks_by_both_secrets() -> None:
    async def steps(sink: WebhookSink, receiver: WebhookReceiver, url: str) -> None:
        await sink.attempt(delivery(url, _signing_secrets=[NEW, OLD], post_data='{"m":"$zaqar_message$"}'))
        [taken] = receiver.taken
        for secret in (NEW, OLD):
            verified = _verify(secret, taken.headers, taken.body)
            assert verified["m"]["body"] == {"a": 1}
        with pytest.raises(WebhookVerificationError):
            _verify(NEW, taken.headers, taken.body + b" ")
        with pytest.raises(WebhookVerificationError):
            _verify("whsec_" + "eHh4" * 8, taken.headers, taken.body)

    with_receiver(steps)


def _verify(secret: str, headers: Any, body: bytes) -> Any:
    # Whether a timestamp is fresh is the receiver's question, and its clock is not ours.
    verifier = Webhook(secret)
    verifier._Webhook__verify_timestamp = lambda header: datetime.fromtimestamp(float(header), tz=UTC)  # type: ignore[attr-defined]
    return verifier.verify(body, {name.lower(): value for name, value in headers.items()})


# -- what answers mean ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204, 226, 299])
def test_any_2xx_is_a_delivery(status: int) -> None:
    assert answered(status) == Outcome(delivered=True, status=status)


@pytest.mark.parametrize("status", [300, 304, 400, 401, 403, 404, 408, 413, 422, 425, 429, 500, 502, 503, 504, 599])
def test_any_other_status_is_a_failure_that_may_pass(status: int) -> None:
    outcome = answered(status)
    assert (outcome.delivered, outcome.status, outcome.gone, outcome.permanent) == (False, status, False, False)
    assert str(status) in outcome.error


def test_410_means_that_the_subscriber_is_gone() -> None:
    assert answered(410).gone


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    async def steps(sink: WebhookSink, receiver: WebhookReceiver, url: str) -> None:
        receiver.status, receiver.headers = status, {"Location": url}
        outcome = await sink.attempt(delivery(url))
        assert not outcome.delivered
        assert "redirect" in outcome.error
        assert len(receiver.taken) == 1

    with_receiver(steps)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        ("9" * 5_000, limits.RETRY_AFTER_S_MAX),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60),
        ("Tue, 14 Nov 2023 22:13:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", limits.RETRY_AFTER_S_MAX),
        ("Tue, 14 Nov 2023 22:14:20 -0000", 60),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_busy_subscriber_is_left_alone_for_as_long_as_it_asks(status: int, header: str, seconds: int | None) -> None:
    assert answered(status, f"Retry-After: {header}").retry_after_s == seconds


def test_only_the_beginning_of_an_answer_is_shown_without_control_characters() -> None:
    outcome = attempt(says(b"HTTP/1.1 400 No\r\nContent-Length: 2008\r\n\r\n\x1b[31m\xff\r\n" + b"x" * 2_000))
    assert outcome.answer.startswith("[31m\ufffd \nxxx")
    assert len(outcome.answer) <= limits.ANSWER_SHOWN_CHARS_MAX


def test_the_status_counts_though_the_answer_has_no_end() -> None:
    head = b"HTTP/1.1 202 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    outcome = attempt(repeats(head, b"1000\r\n" + b"x" * 0x1000 + b"\r\n"))
    assert outcome.delivered
    assert outcome.answer.startswith("xxx")


def test_the_status_counts_though_the_answer_breaks_off() -> None:
    for body in (
        b"Content-Length: 100\r\n\r\nabc",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"Content-Length: 3\r\n\r\n",
    ):
        assert attempt(closes_after(b"HTTP/1.1 200 OK\r\n" + body)).delivered
        assert not attempt(closes_after(b"HTTP/1.1 500 No\r\n" + body)).delivered


def test_a_packed_answer_is_not_unpacked() -> None:
    packed = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd"
    assert attempt(says(packed)).answer == "abcd"


# -- connections ------------------------------------------------------------------------------------------------------


def test_connections_are_used_again() -> None:
    async def steps(sink: WebhookSink, receiver: WebhookReceiver, url: str) -> None:
        for _ in range(5):
            assert (await sink.attempt(delivery(url))).delivered
        assert len(receiver.connections) == 1

    with_receiver(steps)


def test_cookies_are_not_kept() -> None:
    async def steps(sink: WebhookSink, receiver: WebhookReceiver, url: str) -> None:
        receiver.headers = {"Set-Cookie": "a=b; Path=/"}
        for _ in range(2):
            await sink.attempt(delivery(url.replace("127.0.0.1", "localhost")))
        assert "Cookie" not in receiver.taken[1].headers

    with_receiver(steps, allow="localhost")


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

    async def steps(sink: WebhookSink, receiver: WebhookReceiver, url: str) -> None:
        assert (await sink.attempt(delivery(url))).delivered

    with_receiver(steps)


def contexts(host: str) -> dict[str, ssl.SSLContext]:
    """Return what a server that is ``host`` and a client that trusts it need."""
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert(host).configure_cert(server)
    authority.configure_trust(client)
    return {"server": server, "client": client}


def test_certificates_are_checked_against_the_host_in_the_url_not_its_address() -> None:
    async def steps(sink: WebhookSink, receiver: WebhookReceiver, url: str) -> None:
        by_name = url.replace("127.0.0.1", "localhost")
        assert (await sink.attempt(delivery(by_name))).delivered
        outcome = await sink.attempt(delivery(url))
        assert not outcome.delivered
        assert "TLS" in outcome.error

    with_receiver(steps, allow="localhost,127.0.0.1", **contexts("localhost"))


def test_a_certificate_that_nobody_vouches_for_is_not_trusted() -> None:
    async def steps(sink: WebhookSink, receiver: WebhookReceiver, url: str) -> None:
        assert "TLS" in (await sink.attempt(delivery(url))).error
        assert not receiver.taken

    with_receiver(steps, client=None, server=contexts("127.0.0.1")["server"])


# -- the guard --------------------------------------------------------------------------------------------------------


def test_nothing_is_sent_to_a_denied_address_and_nobody_is_told_whether_it_answers() -> None:
    async def steps(sink: WebhookSink, receiver: WebhookReceiver, url: str) -> None:
        there = await sink.attempt(delivery(url.replace("127.0.0.1", "localhost")))
        assert there == await sink.attempt(delivery("http://localhost:1/"))
        assert there == await sink.attempt(delivery("http://unknown.invalid/"))
        assert not there.delivered
        by_address = await sink.attempt(delivery(url))
        assert by_address == await sink.attempt(delivery("http://127.0.0.1:1/"))
        assert not receiver.connections

    with_receiver(steps, allow="")


def test_a_name_that_leads_inside_the_second_time_is_not_followed_there() -> None:
    async def steps() -> None:
        asked: list[str] = []

        async def lookup(host: str, port: int) -> Sequence[str]:
            asked.append(host)
            return ["127.0.0.2"] if len(asked) == 1 else ["127.0.0.1"]

        sink = WebhookSink(Guard("127.0.0.2/32", lookup=lookup))
        async with WebhookReceiver() as receiver:
            outcome = await sink.attempt(delivery(f"http://rebound.example:{receiver.port}/"))
            # One look-up decides: the address that was judged is the one that is connected to.
            assert (asked, outcome.delivered, receiver.taken) == (["rebound.example"], False, [])
            await sink.close()
            assert "no address" in (await sink.attempt(delivery(f"http://rebound.example:{receiver.port}/"))).error
            assert (asked, receiver.taken) == (["rebound.example"] * 2, [])
        await sink.close()

    asyncio.run(steps())


def test_many_attempts_at_a_denied_name_are_all_told_the_same() -> None:
    async def steps(sink: WebhookSink, receiver: WebhookReceiver, url: str) -> None:
        denied = delivery(url.replace("127.0.0.1", "localhost"))
        outcomes = await asyncio.gather(*(sink.attempt(denied) for _ in range(20)))
        assert {outcome.error for outcome in outcomes} == {outcomes[0].error}
        assert "no address" in outcomes[0].error

    with_receiver(steps, allow="")
