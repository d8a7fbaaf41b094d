"""What is done with messages that are none of oslo.messaging's: they are put where somebody may look at them."""

import logging
from typing import Any, Final

from oslo_serialization import jsonutils

from sukkal.client import ClientError, Refused
from sukkal.oslo.custody import Custody, Held
from sukkal.oslo.sending import Patience, Service

__all__ = ["Refusing", "beginning_of"]

_LOG: Final = logging.getLogger(__name__)
_SHOWN_CHARS: Final = 200
_PATIENCE_S: Final = 10
_AGAIN_S: Final = 60
_TTL_S: Final = 1_209_600


class Refusing:
    """Gives such messages to the dead-letter queue that their queue names, and deletes them if it names none."""

    def __init__(self, service: Service, custody: Custody) -> None:
        self._service = service
        self._custody = custody

    def refuse(self, held: Held, body: Any, why: Exception) -> None:
        """Be done with a message. It comes again later if its dead-letter queue cannot be reached."""
        patience = Patience(timeout_s=_PATIENCE_S)
        try:
            place = self._place(held, body, patience)
        except ClientError as error:
            _LOG.warning("Message %s of %s is not understood, and stays: %s", held.message, held.path, error)
            self._custody.give_back(held, _AGAIN_S)
            return
        _LOG.error(
            "Message %s of %s is not understood and %s. %s It begins with %s",
            held.message,
            held.path,
            f"is now in queue {place}" if place else "was deleted",
            why,
            beginning_of(body),
        )
        self._custody.finish(held)

    def _place(self, held: Held, body: Any, patience: Patience) -> str | None:
        """Put a message where its queue wants it, and return where that is."""
        try:
            rules = self._service.request("GET", held.path, patience=patience).document
            place = rules.get("_dead_letter_queue") if isinstance(rules, dict) else None
            if not isinstance(place, str) or not place:
                return None
            ttl_s = rules.get("_dead_letter_queue_messages_ttl") or _TTL_S
            document = {"messages": [{"body": body, "ttl": ttl_s}]}
            path = f"/v2/queues/{place}/messages"
            # The key is the message's own, so it is there once however often this is tried.
            headers = {"Idempotency-Key": f"refused-{held.message}"}
            self._service.request("POST", path, document, headers=headers, patience=patience)
        except Refused as refused:
            if refused.may_succeed_later:
                raise
            # Nobody may look or post there, and nothing will change that.
            _LOG.warning("The dead-letter queue of %s was not used: %s", held.path, refused)
            return None
        return place


def beginning_of(body: Any) -> str:
    """Return how a body begins, for a log."""
    return str(jsonutils.dumps(body))[:_SHOWN_CHARS]
