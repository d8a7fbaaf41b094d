"""Webhooks: what is refused before anything is stored."""

from typing import Any, Final

import pytest

from sukkal.errors import InvalidRequest
from sukkal.sinks.guard import Guard
from sukkal.sinks.webhook import WebhookSink

SECRET: Final = "whsec_" + "b2xk" * 8
HERE: Final = "https://example.org/hook"


def refusal(subscriber: str = HERE, **options: Any) -> str:
    with pytest.raises(InvalidRequest) as refused:
        WebhookSink(Guard()).check(subscriber, options)
    return str(refused.value)


@pytest.mark.parametrize(
    "subscriber",
    [
        "",
        "example.org",
        "ftp://example.org/",
        "http:///x",
        "http://:80/",
        "http://example.org:0/",
        "http://example.org:65536/",
        "http://example.org:x/",
        "http://example.org:-1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://[::1/",
        "http://[fe80::1%25eth0]/",
        "http://[v1.x]/",
        "http://ex ample.org/",
        "http://example.org/\r\nX: y",
        "http://example.org\\@127.0.0.1/",
        "http://b\u00fccher.example/",
        "http://127\u30020.0.1/",
        "http://a..b/",
        "http://" + "a" * 2_048,
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://169.254.169.254/latest/meta-data",
    ],
)
def test_subscribers_that_cannot_be_are_refused(subscriber: str) -> None:
    assert "subscriber" in refusal(subscriber)


@pytest.mark.parametrize("subscriber", ["http://a", "HTTPS://Example.ORG:8443/x?y=%20#z", "http://[2606:4700::1]:80/"])
def test_subscribers_that_can_be_pass(subscriber: str) -> None:
    WebhookSink(Guard()).check(subscriber, {})


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "CONNECTION",
        "Upgrade",
        "TE",
        "Trailer",
        "Expect",
        "Keep-Alive",
        "Proxy-Authorization",
        "Proxy-Connection",
        "Webhook-Id",
        "webhook-signature",
    ],
)
def test_headers_that_are_not_the_subscriptions_to_set_are_refused_by_name(name: str) -> None:
    assert name in refusal(post_headers={"X-Fine": "1", name: "x"})


@pytest.mark.parametrize("value", ["a\r\nb", "a\nb", "a\rb", "\0", "\x7f", "\u00e9", "x" * 8_193, 1, None, ["x"]])
def test_header_values_that_could_be_something_else_are_refused_and_not_shown(value: Any) -> None:
    text = refusal(post_headers={"X-Token": value})
    assert "X-Token" in text
    assert "xxx" not in text


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "\u00e9", "x" * 8_193])
def test_header_names_that_are_none_are_refused(name: str) -> None:
    assert "post_headers" in refusal(post_headers={name: "x"})


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"post_headers": ["a"]}, "post_headers"),
        ({"post_headers": {f"x{n}": "" for n in range(33)}}, "post_headers"),
        ({"post_headers": {"X-A": "1", "x-a": "2"}}, "x-a"),
        ({"post_data": {"a": 1}}, "post_data"),
        ({"post_data": "x" * 65_537}, "post_data"),
        ({"post_data": '"$zaqar_message$"' * 9}, "post_data"),
        ({"post_data": "\ud800"}, "post_data"),
        ({"method": "TRACE"}, "method"),
        ({"method": 1}, "method"),
        ({"_signing_secrets": SECRET}, "_signing_secrets"),
        ({"_signing_secrets": [SECRET] * 3}, "_signing_secrets"),
        ({"_signing_secrets": [SECRET[6:]]}, "_signing_secrets"),
        ({"_signing_secrets": ["whsec_!!!!" + SECRET]}, "_signing_secrets"),
        ({"_signing_secrets": ["whsec_\u00e9"]}, "_signing_secrets"),
        ({"_signing_secrets": ["whsec_" + "b2xk" * 7]}, "_signing_secrets"),
        ({"_signing_secrets": ["whsec_" + "b2xk" * 22]}, "_signing_secrets"),
        ({"_signing_secrets": [None]}, "_signing_secrets"),
    ],
)
def test_options_that_cannot_be_are_refused_by_name(options: dict[str, Any], named: str) -> None:
    assert named in refusal(**options)


def test_two_ways_to_authenticate_are_refused() -> None:
    assert "Authorization" in refusal("https://a:b@example.org/", post_headers={"authorization": "Bearer x"})
