"""A request on its way to its handler: what was asked for, by whom, and the service that does it."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Literal
from urllib.parse import urlencode

import msgspec

from sukkal.errors import InvalidParameter
from sukkal.model import QueueKey, QueueKind
from sukkal.service.access import Caller
from sukkal.service.names import queue_key
from sukkal.service.operations import Operation, Version
from sukkal.transports.http.exchange import Request, Response
from sukkal.transports.http.query import Query
from sukkal.transports.services import Services

__all__ = ["Call", "Collection", "Handler", "next_link"]

Collection = Literal["queues", "topics"]

_PLAIN: Final = re.compile(r"[a-zA-Z0-9_.~\-]*").fullmatch
"""Values that stand in a query as they are."""


class Call(msgspec.Struct, gc=False):
    """One request, matched to its operation and to the one who makes it; ``made`` is the id of what it made, if any."""

    request: Request
    operation: Operation
    version: Version
    collection: Collection
    parameters: Mapping[str, str]
    caller: Caller
    services: Services
    made: str | None = None
    named: QueueKey | None = None

    @property
    def kind(self) -> QueueKind:
        """The name space that the path speaks of."""
        return "topic" if self.collection == "topics" else "queue"

    @property
    def key(self) -> QueueKey:
        """The queue that the path names. Raises ``InvalidName``."""
        if self.named is None:
            self.named = queue_key(self.caller.project, self.parameters["queue_name"], self.kind)
        return self.named

    def check_name(self) -> None:
        """Refuse a queue that nobody may have, before anything else of the request is looked at."""
        _ = self.key

    @property
    def collection_path(self) -> str:
        """The path of all queues or topics."""
        return f"/{self.version}/{self.collection}"

    @property
    def queue_path(self) -> str:
        """The path of the queue that the path names."""
        return f"/{self.version}/{self.collection}/{self.parameters['queue_name']}"

    @property
    def modern(self) -> bool:
        """Whether the queue's own attributes count, as they do since v2."""
        return self.version == "v2"

    def wait_s(self, query: Query) -> int:
        """Return for how long the caller is ready to wait for messages. Raises ``InvalidParameter``."""
        wait_s = query.number("wait") or 0
        most = self.services.settings.wait_max_s
        if not 0 <= wait_s <= most:
            raise InvalidParameter(f'The "wait" parameter is invalid. The value must be 0 to {most} seconds.')
        return wait_s


def next_link(path: str, given: Mapping[str, str | None], marker: str) -> dict[str, str]:
    """Return the link to the next page: the parameters that were given, and where it begins."""
    parameters = {name: value for name, value in given.items() if value is not None} | {"marker": marker}
    if all(map(_PLAIN, parameters.values())):
        query = "&".join([f"{name}={value}" for name, value in parameters.items()])
    else:
        query = urlencode(parameters)
    return {"rel": "next", "href": f"{path}?{query}"}


Handler = Callable[[Call], Awaitable[Response]]
