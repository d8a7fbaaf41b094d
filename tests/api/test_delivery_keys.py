"""Deliveries of encrypted queues when a key is missing."""

import base64
from pathlib import Path
from typing import Final

import pytest

from sukkal import limits
from tests.api.calling import Service
from tests.api.test_deliveries import Obedient, ledger, sink, subscribe

__all__ = ["sink"]  # a fixture

OLD, NEW = (f"k{number}:{base64.b64encode(bytes([number]) * 32).decode()}" for number in range(2))
DELAY_S: Final = 60


@pytest.mark.parametrize("at_once", [1, 5])
def test_a_message_whose_key_is_missing_lets_the_others_pass(sink: Obedient, tmp_path: Path, at_once: int) -> None:
    def started(number: int, *keys: str) -> Service:
        store = f"sqlite:///{tmp_path}/data"
        return Service(store, sink=sink, first_id=1 + 1_000 * number, encryption_keys=",".join(keys))

    service = started(0, OLD)
    service.put("/v2/queues/q", json={"_enable_encrypt_messages": True})
    id_ = subscribe(service, options={"_max_deliveries_at_once": at_once})
    service.post_bodies("old", delay=DELAY_S)
    service.close()
    service = started(1, NEW)
    service.post_bodies("new", "newer", delay=DELAY_S)
    service.pass_s(DELAY_S)
    service.deliver()
    assert sink.bodies() == ['"new"', '"newer"']
    (entry,) = [each for each in ledger(service, id_) if each["state"] != "delivered"]
    assert (entry["state"], entry["attempts"]) == ("retrying", 0)
    assert "'k0'" in entry["error"]
    service.close()
    service = started(2, NEW, OLD)
    service.pass_s(DELAY_S + limits.DELIVERY_UNREADABLE_PAUSE_S)
    service.deliver()
    assert sink.bodies() == ['"new"', '"newer"', '"old"']
    assert sink.given[-1].attempt == 1
    assert [each["state"] for each in ledger(service, id_)] == ["delivered"]
    service.close()
