"""Recorded traffic, replayed: the same requests in the same order, and every place where our answer is another one.

The recordings do not show how their queues were filled, nor the time that passed; a ``Scenario`` adds that. Ids of the
recording are translated to those of the service. What a marker looks like is the service's own affair (decision 6), so
links are compared without the values of their markers.
"""

import ast
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx

from tests.api.calling import CLIENT, Service

__all__ = ["Exchange", "Replay", "Scenario", "differences", "lines_of", "pages_of"]

VECTORS: Final = Path(__file__).parents[1] / "vectors"
LINE: Final = re.compile(r"(GET|HEAD|POST|PUT|PATCH|DELETE) (?:http://[^/]+/v2)?(/\S*) (.*?) ?-> (\d{3})  ?(.*)")
PAGE: Final = re.compile(r"--- (?:-X (\w+) |(-I) )?http://[^/]+(/\S*)(?: -d (.*))?")
UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
MARKER: Final = re.compile(r"(?<=[?&]marker=)[^&]+")
CREATED: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class Exchange(NamedTuple):
    """A recorded request and its answer. Headers are known where the recording has them."""

    method: str
    path: str
    body: str
    status: int
    answer: str
    headers: Mapping[str, str] | None = None

    @property
    def name(self) -> str:
        """The request without ids."""
        return " ".join(filter(None, (self.method, UUID.sub("*", self.path), self.body)))


class Scenario(NamedTuple):
    """A section of a recording, with what has to be done before its requests, by their numbers from zero."""

    title: str
    before: Mapping[int, Callable[["Replay"], None]] = {}
    """What to do before the request of a number."""
    clients: Mapping[int, str] = {}
    """Who made the request of a number, if not the usual client."""


def lines_of(file: str, title: str, *, occurrence: int = 0) -> Iterator[Exchange]:
    """Return the exchanges of a section, which are lines like ``GET /queues/q -> 200 {...}``."""
    text = (VECTORS / file).read_text("utf-8")
    section = re.split(rf"(?m)^## {re.escape(title)}.*\n", text)[1 + occurrence]
    for line in section.partition("\n## ")[0].splitlines():
        if match := LINE.fullmatch(line):
            method, path, body, status, answer = match.groups()
            yield Exchange(method, f"/v2{path}", body, int(status), answer)


def pages_of(file: str) -> Iterator[Exchange]:
    """Return the exchanges of a file that has them as curl shows them, with all headers."""
    text = (VECTORS / file).read_text("utf-8")
    for page in re.split(r"(?m)^(?=--- )", text)[1:]:
        request, _, answer = page.partition("\n")
        match = PAGE.fullmatch(request)
        assert match is not None, request
        method, head, path, body = match.groups()
        head_lines, _, content = answer.partition("\n\n")
        status, *headers = head_lines.splitlines()
        yield Exchange(
            "HEAD" if head else method or "GET",
            path,
            body or "",
            int(status.split()[1]),
            content.strip(),
            {name.lower(): value for name, value in (header.split(": ", 1) for header in headers)},
        )


class Replay:
    """Asks the recorded questions one after another."""

    def __init__(self, service: Service, project: str) -> None:
        self.service = service
        self.last: httpx.Response | None = None
        self._project = project
        self._ids: dict[str, str] = {}

    def fill(self, queue: str, *ttls: int, ids: tuple[str, ...] = ()) -> None:
        """Post ``{"n": 0}, {"n": 1}...`` as the recording did unseen, and know the ids that it got for them."""
        messages = [{"body": {"n": number}, "ttl": ttl} for number, ttl in enumerate(ttls)]
        answer = self.service.post(f"/v2/queues/{queue}/messages", json={"messages": messages}, project=self._project)
        ours = [path.rpartition("/")[2] for path in answer.json()["resources"]]
        self._ids |= dict(zip(ids, ours, strict=False))

    def release(self) -> None:
        """Release the claim that was made last, as the recording did unseen."""
        assert self.last is not None
        assert self.service.delete(self.last.headers["location"], project=self._project).status_code == 204

    def differs(self, exchange: Exchange, client: str = CLIENT) -> frozenset[str]:
        """Ask, and return the places where the answer is another one."""
        self.last = self.service.call(
            exchange.method,
            self.ours(exchange.path),
            client=client,
            project=self._project,
            content=self.ours(exchange.body) or None,
        )
        if self.last.status_code != exchange.status:
            return frozenset([f"{exchange.status} -> {self.last.status_code}"])
        return frozenset(self._headers(exchange)) | frozenset(self._content(exchange))

    def _headers(self, exchange: Exchange) -> Iterator[str]:
        assert self.last is not None
        if exchange.headers is not None:
            for name in ("location", "allow", "content-type", "cache-control"):
                theirs, ours = exchange.headers.get(name, ""), self.last.headers.get(name, "")
                self._learn(theirs, ours)
                if self.ours(theirs) != ours:
                    yield name

    def _content(self, exchange: Exchange) -> Iterator[str]:
        assert self.last is not None
        theirs, ours = _document(exchange.answer), _document(self.last.text)
        if theirs is not None:
            self._learn(theirs, ours)
            yield from differences(json.loads(self.ours(json.dumps(theirs))), ours)

    def ours(self, text: str) -> str:
        """Return a text of the recording with the service's ids."""
        return UUID.sub(lambda match: self._ids.get(match[0], match[0]), text)

    def _learn(self, theirs: Any, ours: Any) -> None:
        if isinstance(theirs, dict) and isinstance(ours, dict):
            for key in theirs.keys() & ours.keys():
                self._learn(theirs[key], ours[key])
        elif isinstance(theirs, list) and isinstance(ours, list):
            for pair in zip(theirs, ours, strict=False):
                self._learn(*pair)
        elif isinstance(theirs, str) and isinstance(ours, str):
            for their_id, our_id in zip(UUID.findall(theirs), UUID.findall(ours), strict=False):
                self._ids.setdefault(their_id, our_id)


def differences(theirs: Any, ours: Any, where: str = "") -> Iterator[str]:
    """Return the places where two documents differ: ``+a`` is ours alone, ``-a`` theirs, ``#a`` of another length."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        yield from (f"+{where}{key}" for key in ours.keys() - theirs.keys())
        yield from (f"-{where}{key}" for key in theirs.keys() - ours.keys())
        for key in theirs.keys() & ours.keys():
            yield from differences(theirs[key], ours[key], f"{where}{key}.")
    elif isinstance(theirs, list) and isinstance(ours, list):
        if len(theirs) != len(ours):
            yield f"#{where[:-1]}"
        for pair in zip(theirs, ours, strict=False):
            yield from differences(*pair, where)
    elif not _same(theirs, ours, where):
        yield where[:-1]


def _same(theirs: Any, ours: Any, where: str) -> bool:
    if type(theirs) is not type(ours):
        return False
    if where.endswith("created."):
        return all(CREATED.fullmatch(each) for each in (theirs, ours))
    if where.endswith("links.href."):
        return MARKER.sub("*", theirs) == MARKER.sub("*", ours)
    if where == "description.":
        # We may say more than the recorded sentence, not something else.
        return str(ours).startswith(theirs)
    return bool(theirs == ours)


def _document(text: str) -> Any:
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError):
            continue
    return None
