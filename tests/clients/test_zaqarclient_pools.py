"""The real python-zaqarclient makes pools and flavors, and puts queues into them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.foreign import Script, script_runner
from tests.clients.test_zaqarclient import PRELUDE
from tests.serving import ServerProcess

RULES = ("create", "delete", "get", "get_all", "update")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def zaqar(folder: Path) -> Iterator[Script]:
    policy = folder / "policy.yaml"
    # This client has no role where nobody is asked who they are.
    policy.write_text("".join(f'"{kind}:{rule}": ""\n' for kind in ("pools", "flavors") for rule in RULES))
    with ServerProcess(f"sqlite:///{folder}/data", "--policy-file", str(policy)) as server:
        yield script_runner("zaqarclient", PRELUDE, server.url)


def test_it_makes_shows_changes_and_deletes_pools(zaqar: Script, folder: Path) -> None:
    found = zaqar(f"""
        pool = client.pool("one", uri="sqlite:///{folder}/one", weight=10)
        client.pool("two", uri="sqlite:///{folder}/two", weight=20, flavor="f")
        first = pool.get()
        pool.update({{"weight": 5}})
        listed = [(each.name, each.weight, each.uri, each.flavor) for each in client.pools(limit=10, detailed=True)]
        pool.delete()
        answer(first=first, listed=listed, left=[each.name for each in client.pools()])
    """)
    assert (found["first"]["name"], found["first"]["weight"]) == ("one", 10)
    assert found["listed"] == [
        ["one", 5, f"sqlite:///{folder}/one", None],
        ["two", 20, f"sqlite:///{folder}/two", "f"],
    ]
    assert found["left"] == ["two"]


def test_it_makes_shows_changes_and_deletes_flavors(zaqar: Script, folder: Path) -> None:
    found = zaqar(f"""
        for name in ("one", "two"):
            client.pool(name, uri=f"sqlite:///{folder}/{{name}}", weight=10)
        flavor = client.flavor("fast", pool_list=["one"])
        first = flavor.get()
        flavor.update({{"pool_list": ["two"]}})
        queue = client.queue("q", force_create=False)
        queue.metadata(new_meta={{"_flavor": "fast"}})
        queue.post({{"body": "here", "ttl": 60}})
        listed = [(each.name, each.pool_list) for each in client.flavors(limit=10)]
        flavor.delete()
        answer(first=first, listed=listed, left=[each.name for each in client.flavors()],
               bodies=bodies(queue.messages(echo=True)))
    """)
    assert (found["first"]["name"], found["first"]["pool_list"]) == ("fast", ["one"])
    assert found["listed"] == [["fast", ["two"]]]
    assert (found["left"], found["bodies"]) == ([], ["here"])
    assert (folder / "two" / "messages.sqlite3").exists()
