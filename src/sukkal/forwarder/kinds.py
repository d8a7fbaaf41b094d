"""The kinds of sources and publishers: the forwarder's own, and those of other packages by their entry points."""

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import Any, Final, TypeVar

from sukkal.errors import SettingsError
from sukkal.extras import needs_extra
from sukkal.publisher import Publisher, PublisherContext
from sukkal.publishers.log import LogPublisher
from sukkal.publishers.queue import QueuePublisher
from sukkal.publishers.sink import amqp_publisher, webhook_publisher
from sukkal.source import Source, SourceContext
from sukkal.sources.queue import QueueSource

__all__ = ["PUBLISHERS", "SOURCES", "make_publisher", "make_source"]

SOURCES: Final = "sukkal.sources"
"""The group of entry points of sources: the name is the kind, the object takes options and a ``SourceContext``."""

PUBLISHERS: Final = "sukkal.publishers"
"""The same for publishers, with a ``PublisherContext``."""

_Product = TypeVar("_Product")
_Factory = Callable[[Mapping[str, Any], Any], _Product]


def make_source(kind: str, options: Mapping[str, Any], context: SourceContext) -> Source:
    """Return a new source for one consumer. Raises ``SettingsError``, naming source and option."""
    ours: Mapping[str, _Factory[Source]] = {"queue": QueueSource, "rabbitmq": _rabbitmq}
    return _made(ours, SOURCES, f"sources.{context.name}", kind, options, context)


def make_publisher(kind: str, options: Mapping[str, Any], context: PublisherContext) -> Publisher:
    """Return a new publisher. Raises ``SettingsError``, naming publisher and option."""
    ours: Mapping[str, _Factory[Publisher]] = {
        "amqp": amqp_publisher,
        "log": LogPublisher,
        "queue": QueuePublisher,
        "webhook": webhook_publisher,
    }
    return _made(ours, PUBLISHERS, f"publishers.{context.name}", kind, options, context)


def _rabbitmq(options: Mapping[str, Any], context: SourceContext) -> Source:
    with needs_extra("amqp", "To take notifications from RabbitMQ"):
        from sukkal.sources.rabbitmq import RabbitMQSource
    return RabbitMQSource(options, context)


def _made(
    ours: Mapping[str, _Factory[_Product]],
    group: str,
    place: str,
    kind: str,
    options: Mapping[str, Any],
    context: SourceContext | PublisherContext,
) -> _Product:
    try:
        return (ours.get(kind) or _of_another(group, kind, ours))(options, context)
    except SettingsError as error:
        raise SettingsError(f"{place}: {error}") from None


def _of_another(group: str, kind: str, ours: Mapping[str, Any]) -> _Factory[Any]:
    points = {point.name: point for point in entry_points(group=group)}
    if kind not in points:
        raise SettingsError(f"kind: there is no {kind!r}; there are {', '.join(sorted({*ours, *points}))}.")
    point = points[kind]
    who = f"{point.dist.name} {point.dist.version}" if point.dist is not None else "?"
    try:
        factory: _Factory[Any] = point.load()
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"kind: {kind!r} of the package {who} cannot be loaded: {error}.") from error
    return factory
