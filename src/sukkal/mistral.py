"""A publisher of notifications for Mistral: what its workflows and tasks do goes into a queue.

Mistral loads it by the entry point ``sukkal`` of ``mistral.notification.publishers``, and calls it in its own process:
so this module knows nothing of the service but its HTTP API, and needs no more than Mistral has.
"""

import json
import os
from collections.abc import Mapping
from typing import Any, Final, Self
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

__all__ = ["PublishError", "SukkalPublisher"]

_HERE: Final = "http://127.0.0.1:8888"
_QUEUE: Final = "mistral"
_TIMEOUT_S: Final = (3, 10)
_REPEATS: Final = 4
_PAUSE_S: Final = 0.5
_PAUSE_S_MAX: Final = 2.0
_PAUSES_S_MAX: Final = 5.0
_PASSING: Final = (429, 500, 502, 503, 504)
_STORED: Final = 201
_SHOWN_CHARACTERS: Final = 500


class PublishError(Exception):
    """The service did not take a notification. Mistral writes this to its log."""


class SukkalPublisher:
    """Posts each notification to a queue; a post that was not answered is repeated, and stored once all the same."""

    def publish(self, ctx: Any, ex_id: str, data: Any, event: str, timestamp: Any, **settings: Any) -> None:
        """Post what happened to an execution. Raises ``PublishError``. All pauses together take at most five seconds.

        ``settings`` are the members of the item of ``notify``: ``url``, the root of the service (else the environment
        variable ``SUKKAL_URL``), ``queue`` (else ``mistral``) and ``headers``. Without ``headers`` the request is made
        as the user on whose behalf the workflow runs.
        """
        root = (settings.get("url") or os.environ.get("SUKKAL_URL") or _HERE).rstrip("/")
        url = f"{root}/v2/queues/{quote(settings.get('queue') or _QUEUE, safe='')}/ingest"
        headers = {"Content-Type": "application/json", **(settings.get("headers") or _of_user(ctx))}
        repeating = _Repeating(
            total=_REPEATS,
            backoff_factor=_PAUSE_S,
            status_forcelist=_PASSING,
            allowed_methods=None,
            raise_on_status=False,
        )
        with requests.Session() as session:
            for scheme in ("http://", "https://"):
                session.mount(scheme, HTTPAdapter(max_retries=repeating))
            try:
                answer = session.post(
                    url,
                    data=json.dumps(data).encode(),
                    headers=headers,
                    timeout=_TIMEOUT_S,
                    allow_redirects=False,
                )
            except requests.RequestException as error:
                told = str(error).replace(root, _shown(root))
                raise PublishError(f"No answer from {_shown(root)} to {event} of {ex_id}: {told}") from None
        if answer.status_code != _STORED:
            said = answer.text[:_SHOWN_CHARACTERS]
            raise PublishError(f"{_shown(root)} refused {event} of {ex_id} with {answer.status_code}: {said}")


class _Repeating(Retry):
    """Pauses as the service asks, but not for long: Mistral's engine waits meanwhile."""

    _left_s = _PAUSES_S_MAX

    def new(self, **changes: Any) -> Self:
        """Return the state after an attempt, with what is left of the time for pauses."""
        following = super().new(**changes)
        following._left_s = self._left_s
        return following

    def get_retry_after(self, response: Any) -> float | None:
        """Return how long to pause if the service asks for it."""
        asked_s = super().get_retry_after(response)
        return None if asked_s is None else self._taken(asked_s)

    def get_backoff_time(self) -> float:
        """Return how long to pause otherwise."""
        return self._taken(super().get_backoff_time())

    def _taken(self, wanted_s: float) -> float:
        pause_s = min(wanted_s, _PAUSE_S_MAX, self._left_s)
        self._left_s -= pause_s
        return pause_s


def _shown(root: str) -> str:
    """Return a URL without the password that it may have."""
    try:
        parts = urlsplit(root)
    except ValueError:
        return "a URL that is none"
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _of_user(ctx: Any) -> Mapping[str, str]:
    found = {"X-Auth-Token": getattr(ctx, "auth_token", None), "X-Project-Id": getattr(ctx, "project_id", None)}
    return {name: value for name, value in found.items() if value}
