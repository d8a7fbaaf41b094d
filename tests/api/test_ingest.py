"""Ingest: any JSON is one message, stored once for what it says, and nothing is asked of the sender but a right."""

import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from sukkal import limits
from tests.api.calling import Service, refused
from tests.api.test_real_client_requests import RECORDED

INGEST: Final = "/v2/queues/q/ingest"
KEY: Final = "a key to sign URLs with"


def ingest(service: Service, text: str, query: str = "", **more: Any) -> Any:
    return service.post(f"{INGEST}{query}", content=text, client=None, **more)


def webhooks_of_mistral() -> list[dict[str, Any]]:
    """Return what a real Mistral sent to webhooks; one document went to two of them."""
    requests = [json.loads(line) for line in RECORDED.read_text("utf-8").splitlines()]
    return [each["body"] for each in requests if each["path"].startswith("/sink/")]


@pytest.mark.parametrize("text", ['{"a": [1.50, "é"]}', '"text"', "17", "null", " [] \n"])
def test_any_json_is_one_message_as_it_was_written(service: Service, text: str) -> None:
    response = ingest(service, text)
    assert response.status_code == 201
    [path] = response.json()["resources"]
    assert service.get(path).text.partition('"body":')[2].startswith(text.strip())


def test_neither_a_client_id_nor_a_content_type_is_asked_for(service: Service) -> None:
    for headers in ({}, {"content-type": "text/plain"}, {"content-type": "application/x-www-form-urlencoded"}):
        assert ingest(service, "{}", headers=headers).status_code == 201


def test_what_says_the_same_is_stored_once(service: Service) -> None:
    first, again = ingest(service, '{"a": 1, "b": 2.0}'), ingest(service, '{ "b":2.0, "a":1 }')
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    for other in ('{"a": 1, "b": 2}', '{"a": 1}', '[{"a": 1, "b": 2.0}]'):
        assert "idempotency-replayed" not in ingest(service, other).headers
    assert len(service.bodies()) == 4


def test_what_says_the_same_is_stored_again_when_the_window_is_over(start: Callable[..., Service]) -> None:
    service = start(idempotency_window_s=60)
    for pause_s in (59, 1):
        ingest(service, '{"tick": 1}')
        service.pass_s(pause_s)
    assert "idempotency-replayed" not in ingest(service, '{"tick": 1}').headers


def test_queues_and_projects_know_nothing_of_each_other(service: Service) -> None:
    ingest(service, "{}")
    assert "idempotency-replayed" not in ingest(service, "{}", project="other").headers
    assert "idempotency-replayed" not in service.post("/v2/topics/q/ingest", content="{}").headers


def test_all_that_a_mistral_sends_is_there_once_however_often_it_is_sent(service: Service) -> None:
    sent = webhooks_of_mistral()
    for document in [*sent, *sent]:
        assert ingest(service, json.dumps(document)).status_code == 201
    distinct = {json.dumps(document, sort_keys=True) for document in sent}
    assert {json.dumps(body, sort_keys=True) for body in service.bodies()} == distinct
    assert len(service.bodies()) == len(distinct) > 3


def test_a_signed_url_in_headers_opens_it(start: Callable[..., Service]) -> None:
    service = start(signed_url_keys=KEY)
    asked = {"paths": ["ingest"], "methods": ["POST"]}
    signed = service.post("/v2/queues/q/share", json=asked).json()
    headers = {
        "url-signature": signed["signature"],
        "url-expires": signed["expires"],
        "url-methods": "POST",
        "url-paths": ",".join(signed["paths"]),
        "x-project-id": signed["project"],
    }
    assert ingest(service, '{"a": 1}', project=None, headers=headers).status_code == 201
    refused(service.post("/v2/queues/q/messages/raw", content="{}", project=None, headers=headers), 404)
    refused(service.post("/v2/queues/other/ingest", content="{}", project=None, headers=headers), 404)


def test_a_life_and_a_delay_may_be_given(service: Service) -> None:
    [path] = ingest(service, "{}", "?ttl=90&delay=30").json()["resources"]
    assert service.get(path).json()["ttl"] == 90
    assert service.claim() == ("", [])
    service.pass_s(30)
    assert len(service.claim()[1]) == 1


@pytest.mark.parametrize(
    ("text", "query", "words"),
    [
        ("", "", ["empty"]),
        ("{", "", ["JSON"]),
        ('{"a": NaN}', "", ["JSON"]),
        ("[" * 501 + "]" * 501, "", ["nested"]),
        ("{}", "?ttl=1", ["TTL"]),
        ("{}", "?ttl=long", ["ttl"]),
        (json.dumps("x" * limits.POST_BYTES_MAX), "", ["too large"]),
    ],
)
def test_what_cannot_be_a_message_is_refused(service: Service, text: str, query: str, words: list[str]) -> None:
    refused(ingest(service, text, query), 400, *words)
    assert service.bodies() == []
