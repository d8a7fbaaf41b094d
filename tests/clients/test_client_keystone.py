"""The project's own client gets its tokens from a real Keystone."""

import asyncio

import pytest

from sukkal.client import ClientError, Connection, credentials_from
from tests.clients.keystone import PASSWORD, Keystone
from tests.serving import ServerProcess


def _environment(keystone: Keystone, password: str) -> dict[str, str]:
    return {
        "OS_AUTH_URL": keystone.url,
        "OS_USERNAME": "alpha-member",
        "OS_PASSWORD": password,
        "OS_PROJECT_NAME": "alpha",
        "OS_USER_DOMAIN_NAME": "Default",
        "OS_PROJECT_DOMAIN_NAME": "Default",
    }


def test_a_user_of_the_keystone_asks_and_goes_on_when_its_token_is_revoked(
    keystone: Keystone, guarded: ServerProcess
) -> None:
    async def asking() -> None:
        credentials = credentials_from(_environment(keystone, PASSWORD))
        async with Connection(guarded.url, credentials, client_id="5f4f9f0e-6f5c-4c6b-9d0e-3f2b6f0b7a10") as sukkal:
            assert (await sukkal.request("PUT", "/v2/queues/of-the-client")).status == 201
            token = (await credentials.headers())["X-Auth-Token"]
            keystone.revoke(token)
            assert await credentials.renew()
            assert (await credentials.headers())["X-Auth-Token"] != token
            assert (await sukkal.request("PUT", "/v2/queues/of-the-client")).status == 204

    asyncio.run(asking())


def test_a_wrong_password_is_said_to_be_refused(keystone: Keystone) -> None:
    async def asking() -> None:
        await credentials_from(_environment(keystone, "wrong")).headers()

    with pytest.raises(ClientError, match="refused"):
        asyncio.run(asking())
