"""Posts each notification as an event to a queue of the project that it belongs to.

The service stores an event once for its source and id, so what is published again after a crash is there once.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final
from urllib.parse import quote

import msgspec

from sukkal import limits
from sukkal.client import (
    Answer,
    ClientError,
    Connection,
    Credentials,
    CredentialsRefused,
    Refused,
    Unexpected,
    Unreachable,
)
from sukkal.errors import SettingsError
from sukkal.formats import cloudevents
from sukkal.options import options_of
from sukkal.project_credentials import Access, Nobody, ProjectCredentials
from sukkal.publisher import ACCEPTED, Notification, PublisherContext, Verdict

__all__ = ["QueueOptions", "QueuePublisher"]

_PATCH: Final = "application/openstack-messaging-v2.0-json-patch"
_CREATED: Final = 201
_UNAUTHORIZED: Final = 401
_NOT_LET_IN: Final = frozenset([_UNAUTHORIZED, 403])
_TOO_MANY: Final = 429
_NO_KEY: Final = "There is no key for this project in `access.keys`."
_NO_PROJECT: Final = "It belongs to no project."
_SEVERAL: Final = "Several projects in a row do not let the forwarder in: "

_Text = Annotated[str, msgspec.Meta(min_length=1)]


class QueueOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What there is to say about the queues.

    ``project`` is that of all notifications, instead of each one's own. ``attributes`` are set on a queue when the
    first notification since the forwarder's start goes there.
    """

    url: _Text
    queue: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    project: str | None = None
    access: Access = Access()
    attributes: dict[str, Any] = {}


class QueuePublisher:
    """Posts to the queues of projects. Raises ``SettingsError`` for options that are wrong."""

    batch_max = limits.FORWARDER_BATCH

    def __init__(self, options: Mapping[str, Any], context: PublisherContext) -> None:
        self._options = options_of(QueueOptions, options)
        if not self._options.url.startswith(("http://", "https://")):
            raise SettingsError("url must begin with http:// or https://.")
        self._credentials = ProjectCredentials(self._options.access, timeout_s=context.timeout_s)
        self._path = f"/v2/queues/{quote(self._options.queue, safe='')}"
        self._connection = Connection(
            self._options.url, Nobody(), client_id=context.client_id, timeout_s=context.timeout_s
        )
        self._open = False
        self._prepared: set[str] = set()
        self._not_let_in: set[str] = set()

    def lane(self, notification: Notification) -> str:
        """Return the project: no tenant waits for another."""
        return self._options.project or notification.project or ""

    async def publish(self, notifications: Sequence[Notification]) -> Sequence[Verdict]:
        """Post the events of one project together; if the service refuses that, one by one."""
        project = self.lane(notifications[0])
        if not project:
            return [Verdict(accepted=False, reason=_NO_PROJECT, permanent=True)] * len(notifications)
        if (credentials := self._credentials.of(project)) is None:
            return [Verdict(accepted=False, reason=_NO_KEY, permanent=True)] * len(notifications)
        verdict = await self._post(project, credentials, notifications)
        if not verdict.permanent or len(notifications) == 1:
            return [verdict] * len(notifications)
        return [await self._post(project, credentials, [each]) for each in notifications]

    async def close(self) -> None:
        """Let go of all connections."""
        if self._open:
            self._open = False
            await self._connection.__aexit__(None, None, None)

    async def _post(self, project: str, credentials: Credentials, batch: Sequence[Notification]) -> Verdict:
        try:
            await self._prepare(project, credentials)
            body = cloudevents.encode_batch([each.event for each in batch])
            answer = await self._ask(credentials, "POST", f"{self._path}/events", body, cloudevents.BATCH_TYPE)
            answer.member("resources", list)
            if answer.status != _CREATED:
                raise answer.unexpected()
        except Refused as error:
            return self._locked_out(project, error) if error.status in _NOT_LET_IN else _refused(error)
        except (CredentialsRefused, Unexpected, Unreachable) as error:
            return Verdict(accepted=False, reason=str(error), everybody=True)
        except ClientError as error:
            # Keystone knows no such project, or the user has no role there.
            return self._locked_out(project, error)
        self._not_let_in.clear()
        return ACCEPTED

    def _locked_out(self, project: str, error: ClientError) -> Verdict:
        """Return the verdict for a project that does not let us in: if it is not the only one, the fault is ours."""
        if len(self._not_let_in) < limits.FORWARDER_LOCKED_OUT_PROJECTS:
            self._not_let_in.add(project)
        if self._options.project is not None:
            return Verdict(accepted=False, reason=str(error), everybody=True)
        if len(self._not_let_in) == limits.FORWARDER_LOCKED_OUT_PROJECTS:
            return Verdict(accepted=False, reason=f"{_SEVERAL}{error}", everybody=True)
        return Verdict(accepted=False, reason=str(error))

    async def _prepare(self, project: str, credentials: Credentials) -> None:
        if not self._options.attributes or project in self._prepared:
            return
        # A patch leaves what the tenant has set besides.
        steps = [
            {"op": "add", "path": f"/metadata/{name}", "value": value}
            for name, value in self._options.attributes.items()
        ]
        answer = await self._ask(credentials, "PATCH", self._path, msgspec.json.encode(steps), _PATCH)
        if not isinstance(answer.document, dict):
            raise answer.unexpected()
        self._prepared.add(project)

    async def _ask(self, credentials: Credentials, method: str, path: str, body: bytes, media_type: str) -> Answer:
        if not self._open:
            self._open = True
            await self._connection.__aenter__()
        try:
            return await self._once(credentials, method, path, body, media_type)
        except Refused as error:
            if error.status != _UNAUTHORIZED or not await credentials.renew():
                raise
            return await self._once(credentials, method, path, body, media_type)

    async def _once(self, credentials: Credentials, method: str, path: str, body: bytes, media_type: str) -> Answer:
        headers = {**await credentials.headers(), "Content-Type": media_type}
        return await self._connection.request(method, path, body, headers=headers)


def _refused(error: Refused) -> Verdict:
    if error.status == _TOO_MANY:
        return Verdict(accepted=False, reason=str(error), retry_after_s=error.retry_after_s)
    # All that is not about the notifications is trouble of the service, or of the way to it.
    return Verdict(
        accepted=False,
        reason=str(error),
        everybody=not error.is_about_the_request,
        permanent=error.is_about_the_request,
        retry_after_s=error.retry_after_s,
    )
