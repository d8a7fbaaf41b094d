"""Who a client is, and what happens when its token has ended."""

import asyncio
from collections.abc import Mapping

import pytest

from sukkal.client import Client, ClientError, SyncClient
from sukkal.client.refusals import Forbidden, Unauthenticated
from tests.answering import Answering, Asked, Said
from tests.client.service_here import ServiceHere


class Renewing:
    """Credentials whose first token is no good."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)

    async def headers(self) -> Mapping[str, str]:
        return {"X-Auth-Token": self.tokens[0]}

    async def renew(self) -> bool:
        self.tokens = self.tokens[1:]
        return bool(self.tokens)


def guarded(asked: Asked) -> Said:
    return Said(403 if asked.headers["x-auth-token"] == "good" else 401)


def test_the_environment_says_where_the_service_is_and_who_we_are(
    service: ServiceHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUKKAL_URL", service.url)
    monkeypatch.setenv("SUKKAL_PROJECT", "p")
    with SyncClient() as client:
        client.queue("q").post("x")
    with SyncClient(service.url, project="p") as same, SyncClient(service.url, project="other") as other:
        assert same.queue("q").stats().total == 1
        assert other.queue("q").stats().total == 0


def test_an_environment_that_says_nothing_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SUKKAL_PROJECT", "SUKKAL_TOKEN", "OS_TOKEN", "OS_AUTH_URL", "OS_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ClientError, match="SUKKAL_TOKEN"):
        SyncClient()


def test_a_token_and_another_project_are_sent() -> None:
    with Answering(guarded) as other:
        with SyncClient(other.url, token="good", project="p") as client, pytest.raises(Forbidden):
            client.ping()
        assert other.asked[0].headers["x-project-id"] == "p"


@pytest.mark.parametrize(
    ("tokens", "error"), [(["bad", "good"], Forbidden), (["bad"], Unauthenticated), (["bad", "worse"], Unauthenticated)]
)
def test_a_token_that_has_ended_is_renewed_once_also_for_listening(tokens: list[str], error: type[Exception]) -> None:
    async def test(url: str) -> None:
        async with Client(url, credentials=Renewing(*tokens)) as client:
            with pytest.raises(error):
                async for _ in client.queue("q").listen():
                    pass

    with Answering(guarded) as other:
        asyncio.run(test(other.url))
        assert [asked.headers["x-auth-token"] for asked in other.asked] == tokens
