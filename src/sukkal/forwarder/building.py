"""Makes routes of what the file says: one for each publisher and each of its sources."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from sukkal.errors import SettingsError
from sukkal.formats import Registry
from sukkal.forwarder.configuration import Configuration, DeadLetterQueue, PublisherSection
from sukkal.forwarder.dead_letters import DeadLetters, LoggedDeadLetters, QueuedDeadLetters
from sukkal.forwarder.kinds import make_publisher, make_source
from sukkal.forwarder.masks import ADMIN_FIELDS, TENANTS_OWN, Masks, Rule
from sukkal.forwarder.pauses import Pauses
from sukkal.forwarder.pipeline import Audience, Pipeline, Selection
from sukkal.forwarder.route import Route
from sukkal.forwarder.tenants import Tenants
from sukkal.project_credentials import ProjectCredentials
from sukkal.publisher import Publisher, PublisherContext
from sukkal.source import SourceContext

__all__ = ["Built", "Surroundings", "build"]


class Surroundings(NamedTuple):
    """What routes are handed besides their configuration."""

    registry: Registry
    now_ms: Callable[[], int]
    random: Callable[[], float]
    sleep: Callable[[float], Awaitable[object]]
    client_id: str


class Built(NamedTuple):
    """The routes, and what they share."""

    routes: list[Route]
    publishers: list[Publisher]
    dead_letters: DeadLetters


def build(configuration: Configuration, around: Surroundings) -> Built:
    """Return the routes, which have not begun. Raises ``SettingsError``, naming the field."""
    pauses = Pauses(around.random, around.sleep, longest_s=configuration.longest_pause_s)
    tenants = _tenants(configuration)
    masks = _masks(configuration)
    dead_letters = _dead_letters(configuration.dead_letters, around, pauses)
    publishers: dict[str, Publisher] = {}
    routes: list[Route] = []
    for name, section in configuration.publishers.items():
        context = PublisherContext(
            name=name, client_id=around.client_id, now_ms=around.now_ms, timeout_s=configuration.timeout_s
        )
        publishers[name] = make_publisher(section.kind, section.options, context)
        pipeline = Pipeline(around.registry, _selection(section), tenants, masks, Audience(section.audience))
        for source_name in dict.fromkeys(section.sources):
            source = configuration.sources[source_name]
            made = make_source(
                source.kind,
                source.options,
                SourceContext(name=source_name, consumer=name, client_id=around.client_id),
            )
            routes.append(
                Route(
                    f"{source_name}.{name}",
                    made,
                    publishers[name],
                    pipeline,
                    dead_letters,
                    pauses,
                    now_ms=around.now_ms,
                    attempts_max=configuration.attempts,
                )
            )
    return Built(routes, list(publishers.values()), dead_letters)


def _selection(section: PublisherSection) -> Selection:
    return Selection(section.types, section.but)


def _tenants(configuration: Configuration) -> Tenants:
    rules = configuration.tenant
    try:
        return Tenants(rules.paths, rules.by_type, rules.default)
    except ValueError as error:
        raise SettingsError(f"tenant: {error}") from None


def _masks(configuration: Configuration) -> Masks:
    rules = [Rule(drop=ADMIN_FIELDS, spare=TENANTS_OWN)] if configuration.admin_fields == "drop" else []
    for number, given in enumerate(configuration.masks):
        replace: Mapping[str, tuple[str, str]] = {each.path: (each.pattern, each.by) for each in given.replace}
        rule = Rule(given.types, given.drop, given.mask, replace)
        try:
            Masks([rule])
        except ValueError as error:
            raise SettingsError(f"masks[{number}]: {error}") from None
        rules.append(rule)
    return Masks(rules)


def _dead_letters(given: DeadLetterQueue | None, around: Surroundings, pauses: Pauses) -> DeadLetters:
    if given is None:
        return LoggedDeadLetters()
    try:
        credentials = ProjectCredentials(given.access).of(given.project)
    except SettingsError as error:
        raise SettingsError(f"dead_letters: {error}") from None
    if credentials is None:
        raise SettingsError("dead_letters: access.keys has no key for the project.")
    return QueuedDeadLetters(given.url, given.queue, credentials, pauses, client_id=around.client_id)
