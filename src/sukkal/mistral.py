"""A publisher of notifications for Mistral: what its workflows and tasks do goes into a queue.

Mistral loads it by the entry point ``sukkal`` of ``mistral.notification.publishers``, and calls it in its own process:
so this module knows nothing of the service but its HTTP API, and needs no more than Mistral has.
"""

import json
import os
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

__all__ = ["PublishError", "SukkalPublisher"]

_HERE: Final = "http://127.0.0.1:8888"
_QUEUE: Final = "mistral"
_TIMEOUT_S: Final = (3, 10)
_REPEATS: Final = 4
_PAUSE_S: Final = 0.5
_PASSING: Final = (429, 500, 502, 503, 504)
_STORED: Final = 201
_SHOWN_CHARACTERS: Final = 500


class PublishError(Exception):
    """The service did not take a notification. Mistral writes this to its log."""


class SukkalPublisher:
    """Posts each notification to a queue; a post that was not answered is repeated, and stored once all the same."""

    def publish(self, ctx: Any, ex_id: str, data: Any, event: str, timestamp: Any, **settings: Any) -> None:
        """Post what happened to an execution. Raises ``PublishError``.

        ``settings`` are the members of the item of ``notify``: ``url``, the root of the service (else the environment
        variable ``SUKKAL_URL``), ``queue`` (else ``mistral``) and ``headers``. Without ``headers`` the request is made
        as the user on whose behalf the workflow runs.
        """
        root = (settings.get("url") or os.environ.get("SUKKAL_URL") or _HERE).rstrip("/")
        url = f"{root}/v2/queues/{quote(settings.get('queue') or _QUEUE, safe='')}/ingest"
        headers = {"Content-Type": "application/json", **(settings.get("headers") or _of_user(ctx))}
        repeating = Retry(
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
                raise PublishError(f"No answer from {root} to {event} of {ex_id}: {error}") from error
        if answer.status_code != _STORED:
            said = answer.text[:_SHOWN_CHARACTERS]
            raise PublishError(f"{root} refused {event} of {ex_id} with {answer.status_code}: {said}")


def _of_user(ctx: Any) -> Mapping[str, str]:
    found = {"X-Auth-Token": getattr(ctx, "auth_token", None), "X-Project-Id": getattr(ctx, "project_id", None)}
    return {name: value for name, value in found.items() if value}
