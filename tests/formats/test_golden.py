"""Native documents become the very events that ``tests/vectors/events.jsonl`` has, and come back.

When events change on purpose, ``python -m tests.formats.test_golden`` writes the file anew, and the difference is to be
read.
"""

import json
from typing import Any, Final

import pytest
from tests.formats.natives import (
    VECTORS,
    alarms,
    heat_events,
    mistral_events,
    older_tripleo_messages,
    oslo_notifications,
    oslo_wire,
    tripleo_messages,
)

from sukkal.formats import Registry, cloudevents, documents
from sukkal.testing.format_contract import RECEIVED

FILE: Final = VECTORS / "events.jsonl"


def golden() -> list[dict[str, Any]]:
    text = FILE.read_text(encoding="utf-8") if FILE.exists() else ""
    return [documents.decode(line.encode()) for line in text.splitlines()]


@pytest.mark.parametrize("number", range(len(golden())))
def test_a_native_document_becomes_the_recorded_event_and_comes_back(number: int) -> None:
    recorded, formats = golden()[number], Registry()
    assert formats.recognise(recorded["native"]).name == recorded["format"]
    event = formats.to_event(recorded["native"], RECEIVED)
    assert documents.is_same(cloudevents.document_of(event), recorded["event"])
    assert documents.is_same(formats.to_native(event), recorded["native"])


def test_every_format_has_recorded_events() -> None:
    assert {each["format"] for each in golden()} == {
        "oslo-envelope",
        "oslo",
        "heat",
        "tripleo",
        "tripleo-named",
        "mistral",
        "aodh",
        "raw",
    }


def main() -> None:
    """Write the file anew."""
    natives = [
        *oslo_wire(in_envelopes=True),
        *oslo_wire(in_envelopes=False),
        *oslo_notifications()[::12],
        *heat_events(),
        *tripleo_messages(),
        *older_tripleo_messages(),
        *mistral_events()[:3],
        *alarms(),
        {"deploy_stdout": "hi\n", "deploy_stderr": "", "deploy_status_code": 0},
        ["é", 1.0, 2**70, None],
    ]
    formats, lines = Registry(), []
    for native in natives:
        document = documents.decode(json.dumps(native).encode())
        event = cloudevents.document_of(formats.to_event(document, RECEIVED))
        lines.append({"format": formats.recognise(document).name, "native": document, "event": event})
    FILE.write_text("".join(documents.encode(line).decode() + "\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    main()
