"""Whatever a receiver says, an attempt has an outcome; whatever a subscriber is, it is refused or can be tried."""

import asyncio
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sukkal.errors import InvalidRequest
from sukkal.sink import Delivery, Outcome, Sink
from sukkal.sinks.amqp import AmqpSink
from sukkal.sinks.guard import Guard
from sukkal.sinks.mail import MailServer, MailSink
from sukkal.sinks.webhook import WebhookSink
from sukkal.testing.peers import Peer, closes_after

PIECES: Final = {
    "http": [
        b"HTTP/1.1 ",
        b"200",
        b"OK",
        b"\r\n",
        b"\r\n\r\n",
        b"Content-Length: ",
        b"5",
        b"-1",
        b"Transfer-Encoding: ",
        b"chunked",
        b"Retry-After: ",
        b": ",
        b"100 Continue",
        b"Connection: close",
        b"Content-Encoding: br",
    ],
    "mailto": [
        b"220",
        b"250",
        b"-",
        b" ",
        b"\r\n",
        b"\n",
        b"354",
        b"550",
        b"421",
        b"AUTH PLAIN",
        b"SIZE 1",
        b"x" * 9_000,
    ],
    "amqp": [
        b"AMQP\0\0\x09\x01",
        b"\x01\0\0\0\0\0\x0c",
        b"\0\x0a\0\x0a",
        b"\0\x09",
        b"\0\0\0\0",
        b"PLAIN",
        b"\0\0\0\x05",
        b"\xce",
        b"\x08\0\0\0\0\0\0\xce",
        b"\xff" * 8,
        b"\0\x0a\0\x32",
        b"\x01\0\0\0\0\0\x04\0\x0a\0\x1e\xce",
    ],
}


def delivery(subscriber: str, options: dict[str, Any] | None = None) -> Delivery:
    return Delivery(
        id="m",
        attempt=1,
        body=b"{}",
        ttl_s=60,
        posted_ms=0,
        project="p",
        queue_name="q",
        subscription_id="s",
        subscriber=subscriber,
        options=options or {},
        now_ms=0,
        timeout_s=5,
    )


def sink_for(scheme: str, port: int) -> tuple[Sink, str]:
    match scheme:
        case "http":
            return WebhookSink(Guard("127.0.0.1")), f"http://127.0.0.1:{port}/"
        case "amqp":
            return AmqpSink(Guard("127.0.0.1")), f"amqp://127.0.0.1:{port}/?exchange=e"
        case _:
            server = MailServer(host="127.0.0.1", port=port, sender="a@b.example", security="none")
            return MailSink(server), "mailto:c@d.example"


@pytest.mark.parametrize("scheme", PIECES)
@given(data=st.data())
@settings(max_examples=150)
def test_whatever_a_receiver_says_an_attempt_has_an_outcome(scheme: str, data: st.DataObject) -> None:
    piece = st.one_of(st.sampled_from(PIECES[scheme]), st.binary(max_size=20))
    words = b"".join(data.draw(st.lists(piece, max_size=25)))

    async def steps() -> None:
        async with Peer(closes_after(words), speaks_first=scheme == "mailto") as peer:
            sink, subscriber = sink_for(scheme, peer.port)
            outcome = await sink.attempt(delivery(subscriber))
            assert isinstance(outcome, Outcome)
            assert outcome.delivered or outcome.error
            await sink.close()

    asyncio.run(steps())


TEXTS: Final = st.one_of(
    st.text(max_size=40),
    st.lists(
        st.sampled_from(
            [
                "http://",
                "mailto:",
                "amqp://",
                "127.0.0.1",
                "example.org",
                "@",
                ":",
                "/",
                "?",
                "#",
                "%",
                "%0d%0a",
                "[",
                "]",
                "::1",
                "80",
                "exchange=",
                "subject=",
                "&",
                "=",
                "a",
                "\\",
                "\ud800",
                "\u00e9",
            ]
        ),
        max_size=12,
    ).map("".join),
)
OPTIONS: Final = st.dictionaries(
    st.sampled_from(["method", "post_headers", "post_data", "_signing_secrets", "subject"]),
    st.one_of(st.none(), st.integers(), TEXTS, st.lists(TEXTS, max_size=3), st.dictionaries(TEXTS, TEXTS, max_size=3)),
)


@pytest.mark.parametrize("scheme", PIECES)
@given(subscriber=TEXTS, options=OPTIONS)
def test_whatever_a_subscriber_is_the_check_passes_or_says_no(
    scheme: str, subscriber: str, options: dict[str, Any]
) -> None:
    sink, _ = sink_for(scheme, 1)
    try:
        sink.check(subscriber, options)
    except InvalidRequest:
        return
