"""Queues as subscribers: a delivery is a message posted to another queue of this service."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sukkal.errors import BadRequest, Forbidden, SukkalError, TooManyRequests
from sukkal.sink import Delivery, Outcome

__all__ = ["QueueSink"]

_CREATED = 201


class QueueSink:
    """Delivers to ``queue`` subscribers.

    ``forward`` posts a delivery, once however often it is called, and raises errors of the service. ``check`` raises
    ``InvalidRequest`` for a subscriber that names no queue.
    """

    schemes = ("queue",)

    def __init__(self, forward: Callable[[Delivery], Awaitable[None]], check: Callable[[str], object]) -> None:
        self._forward = forward
        self._check = check

    def check(self, subscriber: str, options: Mapping[str, Any]) -> None:
        """Refuse a subscriber that names no queue. Raises ``InvalidRequest``."""
        self._check(subscriber)

    async def attempt(self, delivery: Delivery) -> Outcome:
        """Post one message."""
        try:
            async with asyncio.timeout(delivery.timeout_s):
                await self._forward(delivery)
        except TimeoutError:
            return Outcome(delivered=False, error="The message was not stored in time.")
        except (BadRequest, Forbidden) as error:
            return Outcome(delivered=False, error=str(error), permanent=True)
        except TooManyRequests as error:
            # How much another project keeps is not the subscription's owner's business.
            told = "The queue's project has reached a limit."
            return Outcome(delivered=False, error=told, retry_after_s=error.retry_after_s)
        except SukkalError:
            return Outcome(delivered=False, error="The service could not store the message.")
        return Outcome(delivered=True, status=_CREATED)

    async def close(self) -> None:
        """Nothing is open."""
