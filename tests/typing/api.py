"""What the types of the public surface say. mypy checks this file; nothing runs it.

A line with ``type: ignore`` is a mistake that the types catch: mypy complains when it is none any more.
"""

from collections.abc import Mapping
from typing import assert_type

from sukkal.cli import main
from sukkal.engines.memory import MemoryEngine
from sukkal.engines.sqlite import SqliteEngine
from sukkal.errors import MethodNotAllowed, SukkalError
from sukkal.model import (
    Ack,
    Deleted,
    HeldClaim,
    Message,
    NewMessage,
    Page,
    Post,
    QueueKey,
    Record,
    RecordKey,
    RecordPage,
    Release,
    Settled,
    Usage,
    View,
)
from sukkal.settings import Address, Settings, load
from sukkal.store import Engine, Store


def engines_fulfil_the_contract(memory: MemoryEngine, sqlite: SqliteEngine) -> tuple[Engine, Store]:
    return memory, sqlite


async def a_store_says_what_it_returns(store: Store, key: QueueKey) -> None:
    message = NewMessage(id="1", body=b"{}", ttl_s=60)
    published = await store.publish([Post(key, (message,))], now_ms=0)
    assert_type(published.ids, tuple[tuple[str, ...], ...])
    assert_type(await store.browse(key, after=None, limit=1, view=View(), now_ms=0), Page)
    assert_type(await store.get_messages(key, ["1"], now_ms=0), tuple[Message, ...])
    assert_type(await store.get_claim(key, "c", now_ms=0), HeldClaim | None)
    assert_type(await store.delete_messages(key, ["1"], now_ms=0, claimed=False), Mapping[str, Deleted])
    assert_type(await store.settle(key, "c", {"1": Ack(), "2": Release(delay_s=1)}, now_ms=0), Mapping[str, Settled])


async def an_engine_keeps_records_and_counts(engine: Engine, key: RecordKey) -> None:
    assert_type(await engine.put_record(key, b"{}", now_ms=0), Record)
    assert_type(await engine.get_record(key, now_ms=0), Record | None)
    assert_type(await engine.list_records("pool", None, after=("", ""), limit=1, now_ms=0), RecordPage)
    assert_type(await engine.delete_record(key, now_ms=0), bool)
    assert_type(await engine.usage("project", now_ms=0), Usage)
    await engine.put_record(key, {}, now_ms=0)  # type: ignore[arg-type]


async def a_store_is_called_with_the_time_and_with_nouns(store: Store, key: QueueKey) -> None:
    await store.get_messages(key, ["1"])  # type: ignore[call-arg]
    await store.get_messages("queue", ["1"], now_ms=0)  # type: ignore[arg-type]
    await store.settle(key, "c", {"1": "ack"}, now_ms=0)  # type: ignore[dict-item]


def nouns_do_not_change(message: Message, settings: Settings) -> None:
    message.ttl_s = 5  # type: ignore[misc]
    settings.backlog = 5  # type: ignore[misc]


def settings_have_the_types_of_their_values() -> None:
    settings = load({}, {}, lambda path: "")
    assert_type(settings, Settings)
    assert_type(settings.address, Address)
    assert_type(settings.directory, str | None)
    assert_type(settings.max_claim_ttl, int)
    assert_type(settings.metrics, bool)
    Settings(backlog="many")  # type: ignore[arg-type]
    Settings(client_id_uuid_safe="sometimes")  # type: ignore[arg-type]
    Settings(lisen="127.0.0.1:1")  # type: ignore[call-arg]


def errors_carry_what_a_caller_reads(error: SukkalError) -> None:
    assert_type(error.code, str)
    assert_type(error.title, str)
    assert_type(error.description, str | None)
    assert_type(MethodNotAllowed(("GET",)).allow, tuple[str, ...])


def the_command_line_returns_its_exit_code() -> None:
    assert_type(main(["--version"]), int)
