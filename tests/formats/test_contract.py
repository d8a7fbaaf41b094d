"""All formats pass the contract of formats."""

import json
from typing import Any

from tests.formats.natives import (
    alarms,
    heat_events,
    mistral_events,
    older_tripleo_messages,
    oslo_notifications,
    oslo_wire,
    tripleo_messages,
)

from sukkal.format import Format
from sukkal.formats import RAW, Registry
from sukkal.testing.format_contract import FormatContract


class TestCloudEvents(FormatContract):
    keeps_types_in_binary_mode = False

    def make_format(self) -> Format:
        return Registry().named("cloudevents")

    def samples(self) -> list[Any]:
        least = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
        return [
            least,
            least | {"subject": None, "data": None},
            least | {"sukkalformat": "oslo", "sukkalremainder": "{}", "data": 1},
            least | {"sukkalformat": "cloudevents", "sukkalremainder": '{"is":1}'},
            least | {"datacontenttype": "text/plain", "data": "é\u0000", "time": "2026-01-31T09:30:00.5+01:00"},
            least | {"data_base64": "AAEC", "count": -1, "flag": False, "expirytime": "2026-01-31T09:30:00Z"},
            least | {"data": {"n": [1, 1.5, None]}, "dataschema": "https://example.org/schema#it", "subject": "é %"},
        ]


class TestOslo(FormatContract):
    def make_format(self) -> Format:
        return Registry().named("oslo")

    def samples(self) -> list[Any]:
        return [*oslo_notifications(), *oslo_wire(in_envelopes=False)]


class TestOsloEnvelope(FormatContract):
    def make_format(self) -> Format:
        return Registry().named("oslo-envelope")

    def samples(self) -> list[Any]:
        least = {"event_type": "e", "publisher_id": "p", "payload": None}
        compact = {"oslo.version": "2.1", "oslo.message": json.dumps(least, separators=(",", ":"))}
        return [*oslo_wire(in_envelopes=True), compact]

    def is_as_good(self, found: Any, wanted: Any) -> bool:
        found, wanted = ({**each, "oslo.message": json.loads(each["oslo.message"])} for each in (found, wanted))
        return super().is_as_good(found, wanted)


class TestHeat(FormatContract):
    def make_format(self) -> Format:
        return Registry().named("heat")

    def samples(self) -> list[Any]:
        return heat_events()


class TestTripleO(FormatContract):
    def make_format(self) -> Format:
        return Registry().named("tripleo")

    def samples(self) -> list[Any]:
        return tripleo_messages()


class TestTripleONamed(FormatContract):
    def make_format(self) -> Format:
        return Registry().named("tripleo-named")

    def samples(self) -> list[Any]:
        return older_tripleo_messages()


class TestMistral(FormatContract):
    def make_format(self) -> Format:
        return Registry().named("mistral")

    def samples(self) -> list[Any]:
        return mistral_events()


class TestAodh(FormatContract):
    def make_format(self) -> Format:
        return Registry().named("aodh")

    def samples(self) -> list[Any]:
        return alarms()


class TestRaw(FormatContract):
    def make_format(self) -> Format:
        return RAW

    def samples(self) -> list[Any]:
        return [{"deploy_stdout": "hi\n", "deploy_status_code": 0}, "text", None, [], 1.0, 1, True]

    def test_no_other_format_recognises_what_it_recognises(self) -> None:
        assert all(RAW.recognise(document) for document in [*oslo_notifications(), None, 1])
