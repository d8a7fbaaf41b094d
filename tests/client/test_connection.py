"""The client against a running service."""

import asyncio
import socket
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from sukkal.client import (
    Answer,
    ApiToken,
    ClientError,
    Connection,
    ProjectName,
    Refused,
    Unexpected,
    Unreachable,
    credentials_from,
    url_from,
)
from tests.answering import Answering, Said
from tests.serving import ServerProcess

CLIENT_ID = "5f4f9f0e-6f5c-4c6b-9d0e-3f2b6f0b7a10"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(f"sqlite:///{tmp_path_factory.mktemp('store')}") as server:
        yield server


def ask(url: str, method: str, path: str, document: Any = None, **more: Any) -> Answer:
    async def asking() -> Answer:
        async with Connection(url, ProjectName("p"), client_id=CLIENT_ID) as sukkal:
            return await sukkal.request(method, path, document, **more)

    return asyncio.run(asking())


def test_what_is_posted_is_read_and_what_has_no_body_is_none(server: ServerProcess) -> None:
    assert ask(server.url, "PUT", "/v2/queues/q").document is None
    posted = ask(server.url, "POST", "/v2/queues/q/messages", {"messages": [{"body": "é"}]})
    assert posted.status == 201
    listed = ask(server.url, "GET", "/v2/queues/q/messages", query={"echo": "true"}).document
    assert [each["body"] for each in listed["messages"]] == ["é"]


def test_a_path_is_sent_as_it_is_encoded(server: ServerProcess) -> None:
    listed = ask(server.url, "GET", "/v2/queues", query={"filter": "a b&c=d"})
    assert listed.status == 200
    with pytest.raises(Refused, match="404"):
        ask(server.url, "GET", "/v2/queues/q/messages%2Fnone")


def test_a_refusal_says_what_the_service_says(server: ServerProcess) -> None:
    with pytest.raises(Refused) as refused:
        ask(server.url, "POST", "/v2/queues/q/messages", {"messages": []})
    assert refused.value.status == 400
    assert "messages" in refused.value.description
    assert not refused.value.may_succeed_later


def test_no_service_is_told_apart_from_a_refusal() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable, match=r"127\.0\.0\.1"):
            ask(f"http://127.0.0.1:{taken.getsockname()[1]}", "GET", "/v2/ping")


class Renewing:
    """Credentials whose first token is no good."""

    def __init__(self) -> None:
        self.tokens = ["bad", "good"]

    async def headers(self) -> Mapping[str, str]:
        return {"X-Auth-Token": self.tokens[0]}

    async def renew(self) -> bool:
        self.tokens = self.tokens[1:] or self.tokens
        return True


def test_a_token_that_has_ended_is_renewed_once() -> None:
    async def asking() -> list[str]:
        seen: list[str] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            seen.append(head.split("X-Auth-Token: ")[1].split("\r\n")[0])
            status = "204 No Content" if seen[-1] == "good" else "401 Unauthorized"
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
            url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
            async with Connection(url, Renewing(), client_id=CLIENT_ID) as sukkal:
                assert (await sukkal.request("GET", "/v2/ping")).status == 204
        return seen

    assert asyncio.run(asking()) == ["bad", "good"]


@pytest.mark.parametrize(
    ("environment", "headers"),
    [
        ({"SUKKAL_PROJECT": "p"}, {"X-Project-Id": "p"}),
        ({"SUKKAL_TOKEN": "t"}, {"X-Auth-Token": "t"}),
        ({"OS_TOKEN": "t", "SUKKAL_PROJECT": "p"}, {"X-Auth-Token": "t", "X-Project-Id": "p"}),
    ],
)
def test_the_environment_says_who_we_are(environment: dict[str, str], headers: dict[str, str]) -> None:
    async def shown() -> Mapping[str, str]:
        return await credentials_from(environment).headers()

    assert asyncio.run(shown()) == headers


def test_an_environment_that_says_nothing_is_told_what_to_set() -> None:
    with pytest.raises(ClientError, match="SUKKAL_TOKEN"):
        credentials_from({"OS_AUTH_URL": "http://127.0.0.1:5000/v3"})
    assert url_from({}) == "http://127.0.0.1:8888"


def test_a_token_of_the_environment_is_not_shown() -> None:
    assert "secret" not in repr(ApiToken("secret"))


@pytest.mark.parametrize(
    ("location", "named"),
    [
        ("https://u:secret@elsewhere.example/v2?t=secret#secret", "https://elsewhere.example/v2."),
        ("/login?next=secret", "/login."),
        ("", "a place that is not named."),
        ("http://[secret", "a place that is not named."),
    ],
)
def test_a_redirect_is_a_refusal_that_says_where_it_leads(location: str, named: str) -> None:
    said = Said(302, b"<html>", {"Location": location})
    with Answering(lambda asked: said) as other, pytest.raises(Refused) as refused:
        ask(other.url, "GET", "/v2/ping")
    assert named in refused.value.description
    assert "secret" not in str(refused.value)
    assert (refused.value.status, refused.value.is_about_the_request) == (302, False)


def test_a_member_that_is_not_there_is_the_answer_of_something_else() -> None:
    answer = Answer(201, {}, {"id": 1, "links": []})
    assert answer.member("links", list) == []
    for document, name in ((answer.document, "id"), (answer.document, "none"), (None, "id"), ([], "id")):
        with pytest.raises(Unexpected, match="201"):
            Answer(201, {}, document).member(name, str)


def test_a_password_in_the_url_is_not_shown() -> None:
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1") as told:
        ask("http://user:secret@127.0.0.1:1", "GET", "/v2/ping")
    assert "secret" not in str(told.value)
    assert told.value.__cause__ is None


def test_a_traced_program_says_where_in_its_trace_it_asks() -> None:
    from opentelemetry.sdk.trace import TracerProvider

    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("program")
    with Answering(lambda asked: Said(200, b"{}")) as service:
        with tracer.start_as_current_span("work") as span:
            ask(service.url, "GET", "/")
        ask(service.url, "GET", "/")
        context = span.get_span_context()
        inside, outside = (asked.headers for asked in service.asked)
        assert inside["traceparent"].startswith(f"00-{context.trace_id:032x}-{context.span_id:016x}-")
        assert "traceparent" not in outside
