"""What Zaqar was seen to answer, replayed."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from tests.api.calling import PATCH_TYPE, Service

VECTORS: Final = Path(__file__).parents[1] / "vectors"
LINE: Final = re.compile(r"(GET|HEAD|POST|PUT|PATCH|DELETE) (/\S*) (.*?)-> (\d{3})(?: Location (\S+))? ?(.*)")
UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

ON_PURPOSE: Final = {
    ("probe_v1.1.txt", "GET", "/queues/a/stats"): "the number of delayed messages is shown",
    ("probe_v1.1.txt", "GET", "/queues/none/stats"): "the number of delayed messages is shown",
    ("probe_v1.1.txt", "GET", "/health"): "the policy holds for the old version too",
    ("probe4.txt", "PATCH", "/queues/pq", "{}"): "an object is a bad request, not a broken store",
    ("probe4.txt", "POST", "/queues/bigq/messages", '{"messages": [5]}'): "a number is a bad request, not an accident",
    ("probe4.txt", "POST", "/queues/bigq/messages", '{"messages": [{"body": 1, "ttl": 1180591620717411303424}]}'): (
        "the limit of the ttl is named"
    ),
    ("probe4.txt", "POST", "/queues/zzzz/purge", ""): "purging a queue that nobody made is no error",
    ("probe4.txt", "PUT", "/queues/x"): "the recording lost the character that made the name a wrong one",
}
"""Where our answer differs from the recorded one, and why. An entry that no longer differs fails the test."""


class Exchange(NamedTuple):
    """A recorded request and its answer."""

    file: str
    method: str
    path: str
    body: str
    status: int
    location: str
    answer: str

    @property
    def name(self) -> tuple[str, ...]:
        """What ``ON_PURPOSE`` calls it, with the body and without."""
        return (self.file, self.method, self.path, self.body)


def recorded(file: str, *, begins: str) -> Iterator[Exchange]:
    """Return the exchanges of a file after a heading, without those whose texts were cut when they were recorded."""
    text = (VECTORS / file).read_text("utf-8")
    for line in text[text.index(begins) :].splitlines():
        if match := LINE.fullmatch(line):
            method, path, body, status, location, answer = match.groups()
            if _whole(body.strip()):
                yield Exchange(file, method, path, body.strip(), int(status), location or "", answer.strip())


def _whole(text: str) -> bool:
    return not text or _document(text) is not None


def _document(text: str) -> Any:
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError):
            continue
    return None


class Replay:
    """Asks the recorded questions; ids of the recording are translated to those of the service."""

    def __init__(self, service: Service, version: str) -> None:
        self._service = service
        self._version = version
        self._ids: dict[str, str] = {}

    def differs(self, exchange: Exchange) -> str:
        """Return how the service's answer differs, or nothing."""
        path = f"/{self._version}{self._ours(exchange.path)}"
        headers = {"content-type": PATCH_TYPE} if exchange.method == "PATCH" and "/claims/" not in path else {}
        content = json.dumps(_document(self._ours(exchange.body))) if exchange.body else None
        response = self._service.call(exchange.method, path, content=content, headers=headers, project="probe")
        if response.status_code != exchange.status:
            return f"{response.status_code} instead of {exchange.status}: {response.text}"
        self._learn(exchange.location, response.headers.get("location", ""))
        expected = _document(exchange.answer)
        if expected is None:
            return ""
        self._learn(json.dumps(expected), json.dumps(response.json()))
        return _difference(json.loads(self._ours(json.dumps(expected))), response.json())

    def _ours(self, text: str) -> str:
        return UUID.sub(lambda match: self._ids.get(match[0], match[0]), text)

    def _learn(self, theirs: str, ours: str) -> None:
        for their_id, our_id in zip(UUID.findall(theirs), UUID.findall(ours), strict=False):
            self._ids.setdefault(their_id, our_id)


def _difference(expected: Any, actual: Any, where: str = "") -> str:
    if isinstance(expected, dict) and isinstance(actual, dict):
        if set(expected) != set(actual):
            return f"{where} has {sorted(set(expected) ^ set(actual))}"
        return next(filter(None, (_difference(expected[key], actual[key], f"{where}/{key}") for key in expected)), "")
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        return next(filter(None, (_difference(*pair, f"{where}[]") for pair in zip(expected, actual, strict=True))), "")
    if isinstance(expected, str) and isinstance(actual, str) and where.endswith("/description"):
        # We may say more than the recorded sentence, not something else.
        first = expected.replace("'v11'", "'probe'").replace("project v11", "project probe").split(": {")[0]
        return "" if actual.startswith(first) else f"{where}: {actual!r} instead of {expected!r}"
    return "" if expected == actual else f"{where}: {actual!r} instead of {expected!r}"


@pytest.mark.parametrize(
    ("file", "begins", "version"), [("probe_v1.1.txt", "GET http", "v1.1"), ("probe4.txt", "## queue misc", "v2")]
)
def test_recorded_answers_are_ours_but_for_the_differences_on_purpose(
    service: Service, file: str, begins: str, version: str
) -> None:
    replay = Replay(service, version)
    differing: dict[tuple[str, ...], str] = {}
    count = 0
    for exchange in recorded(file, begins=begins):
        count += 1
        if difference := replay.differs(exchange):
            name = exchange.name if exchange.name in ON_PURPOSE else exchange.name[:3]
            differing[name] = difference
    assert count > 30
    assert {name: difference for name, difference in differing.items() if name not in ON_PURPOSE} == {}
    assert set(differing) == {name for name in ON_PURPOSE if name[0] == file}
