"""From a method and a path to an operation."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple, Self

from sukkal.errors import MethodNotAllowed, RouteNotFound
from sukkal.service.names import name_of
from sukkal.service.operations import OPERATIONS, Operation, Version
from sukkal.transports.http.call import Collection

__all__ = ["Match", "Route", "Router", "routes"]

_REMEMBERED_MAX: Final = 8_192
_REMEMBERED_CHARS_MAX: Final = 256


class Route(NamedTuple):
    """An operation at one of the places where it is served, and the policy rule that allows it there."""

    version: Version
    collection: Collection
    path: str
    operation: Operation
    rule: str | None


class Match(NamedTuple):
    """A route, and what its parameters are in a request's path."""

    route: Route
    parameters: Mapping[str, str]


def routes(*, with_v1_1: bool) -> list[Route]:
    """Return all places of all operations."""
    found = []
    for operation in OPERATIONS:
        for version in operation.versions:
            if version == "v1.1" and not with_v1_1:
                continue
            path = f"/{version}{operation.path}"
            found.append(Route(version, "queues", path, operation, operation.rule(topics=False)))
            if operation.topics and version == "v2":
                path = path.replace("/queues", "/topics", 1)
                found.append(Route(version, "topics", path, operation, operation.rule(topics=True)))
    return found


class _Node:
    """A place in the tree of paths: what may follow, and what is served here."""

    __slots__ = ("children", "methods", "parameter", "parameter_name")

    def __init__(self) -> None:
        self.children: dict[str, Self] = {}
        self.parameter: Self | None = None
        self.parameter_name = ""
        self.methods: dict[str, Route] = {}


class Router:
    """Finds the route of a request by walking its path, one segment at a time; the last ones are remembered."""

    def __init__(self, served: Iterable[Route]) -> None:
        self._root: Final = _Node()
        self._remembered = lru_cache(_REMEMBERED_MAX)(self._match)
        for route in served:
            self._add(route)

    def match(self, method: str, path: str) -> Match:
        """Return the route of a request. Raises ``RouteNotFound``, ``MethodNotAllowed``, ``InvalidParameter``."""
        return (self._remembered if len(path) <= _REMEMBERED_CHARS_MAX else self._match)(method, path)

    def _match(self, method: str, path: str) -> Match:
        node, parameters = self._find(path)
        route = node.methods.get(method)
        if route is None:
            raise MethodNotAllowed((*node.methods, "OPTIONS"))
        return Match(route, parameters)

    def allowed(self, path: str) -> tuple[str, ...]:
        """Return the methods that a path has. Raises ``RouteNotFound``."""
        return tuple(self._find(path)[0].methods)

    def _find(self, path: str) -> tuple[_Node, dict[str, str]]:
        node = self._root
        parameters: dict[str, str] = {}
        for segment in path.split("/")[1:]:
            child = node.children.get(segment)
            if child is None:
                child = node.parameter
                if child is None or not segment:
                    raise RouteNotFound
                parameters[node.parameter_name] = name_of(node.parameter_name, segment)
            node = child
        if not node.methods:
            raise RouteNotFound
        return node, parameters

    def _add(self, route: Route) -> None:
        node = self._root
        for segment in route.path.split("/")[1:]:
            if segment.startswith("{"):
                node.parameter_name = segment[1:-1]
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.children.setdefault(segment, _Node())
        node.methods[route.operation.method] = route
