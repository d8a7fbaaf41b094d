"""Limits of projects: how much each may keep and how fast it may ask, by the operator's file or the admin API."""

import tomllib
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

import msgspec

from sukkal import limits
from sukkal.errors import InvalidBody, NotFound, SettingsError
from sukkal.model import RecordKey
from sukkal.records import Records
from sukkal.service.names import project_id

__all__ = ["FileLimits", "LimitsTable", "ProjectLimits", "read_limits"]

_KIND: Final = "limits"
_UNLIMITED: Final = -1
_Amount = Annotated[int, msgspec.Meta(ge=_UNLIMITED, le=limits.INT64_MAX)]


class ProjectLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a project may have. ``None`` leaves it to the next source, -1 is without limit.

    ``bytes`` are those of the bodies of the messages that it keeps.
    """

    queues: _Amount | None = None
    messages: _Amount | None = None
    bytes: _Amount | None = None
    subscriptions: _Amount | None = None
    requests_per_s: _Amount | None = None

    def over(self, other: "ProjectLimits") -> "ProjectLimits":
        """Return these limits, completed by others where they say nothing."""
        names = self.__struct_fields__
        return ProjectLimits(**{name: getattr(other if getattr(self, name) is None else self, name) for name in names})

    def effective(self) -> "ProjectLimits":
        """Return the limits with ``None`` where there is none."""
        names = self.__struct_fields__
        given = {name: getattr(self, name) for name in names}
        return ProjectLimits(**{name: None if value == _UNLIMITED else value for name, value in given.items()})

    @property
    def storage(self) -> bool:
        """Whether there is a limit on what is kept."""
        return not (self.queues is self.messages is self.bytes is self.subscriptions is None)


class FileLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The operator's file: limits of all projects, and those of some."""

    default: ProjectLimits = ProjectLimits()
    projects: Mapping[str, ProjectLimits] = {}


def read_limits(text: str, *, path: str) -> FileLimits:
    """Return what a file says, a table ``default`` and a table ``projects.ID`` for each. Raises ``SettingsError``."""
    try:
        return msgspec.convert(tomllib.loads(text), FileLimits)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, RecursionError) as error:
        raise SettingsError(
            f"The limits in {path} cannot be read: {error}. It has a table [default] and tables [projects.ID], each "
            f"with some of: {', '.join(ProjectLimits.__struct_fields__)}; whole numbers, -1 for no limit."
        ) from None


class LimitsTable:
    """The limits of every project. What the admin API sets beats the file."""

    def __init__(self, records: Records, now_ms: Callable[[], int], given: FileLimits) -> None:
        self._records = records
        self._now_ms = now_ms
        self._file = given
        self._set: dict[str, ProjectLimits] = {}
        self._effective: dict[str, ProjectLimits] = {}
        self._changes = 0

    async def load(self) -> None:
        """Read what was set before the service began, or meanwhile through another node."""
        changes, found = self._changes, dict[str, ProjectLimits]()
        after: tuple[str, str] | None = ("", "")
        while after is not None:
            page = await self._records.list_records(
                _KIND, None, after=after, limit=limits.PAGE_MAX, now_ms=self._now_ms()
            )
            for record in page.records:
                found[record.key.project] = msgspec.json.decode(record.value, type=ProjectLimits)
            after = page.next
        # What was set here while that was read may be missing in it.
        if found != self._set and changes == self._changes:
            self._set = found
            self._effective.clear()

    def replace_file(self, given: FileLimits) -> None:
        """Go by another version of the file from now on."""
        self._file = given
        self._effective.clear()

    def of(self, project: str) -> ProjectLimits:
        """Return a project's limits, ``None`` where it has none."""
        found = self._effective.get(project)
        if found is None:
            if len(self._effective) >= limits.PROJECTS_REMEMBERED_MAX:
                self._effective.clear()
            own = self._set.get(project, ProjectLimits())
            given = self._file.projects.get(project, ProjectLimits())
            found = self._effective[project] = own.over(given).over(self._file.default).effective()
        return found

    def all_set(self) -> Mapping[str, ProjectLimits]:
        """Return what the admin API has set, by project."""
        return self._set

    async def put(self, project: str, document: Mapping[str, Any]) -> None:
        """Set a project's limits in place of those that were set before. Raises ``InvalidBody``."""
        project = project_id(project)
        try:
            wanted = msgspec.convert(document, ProjectLimits)
        except msgspec.ValidationError as error:
            raise InvalidBody(
                f"{error}. Limits are {', '.join(ProjectLimits.__struct_fields__)}: whole numbers, -1 for no limit."
            ) from None
        await self._records.put_record(_key(project), msgspec.json.encode(wanted), now_ms=self._now_ms())
        self._changes += 1
        self._set[project] = wanted
        self._effective.pop(project, None)

    async def delete(self, project: str) -> None:
        """Forget what was set for a project. Raises ``NotFound`` if nothing was."""
        if not await self._records.delete_record(_key(project), now_ms=self._now_ms()):
            raise NotFound(f"No limits were set for project {project}.")
        self._changes += 1
        self._set.pop(project, None)
        self._effective.pop(project, None)


def _key(project: str) -> RecordKey:
    return RecordKey(_KIND, project, "project")
