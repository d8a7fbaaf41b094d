"""Trusts of subscriptions: how deliveries are made as the user who ordered them, long after that user's token ended."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import msgspec

from sukkal import limits
from sukkal.errors import Forbidden, InvalidRequest, SukkalError, Unavailable
from sukkal.model import Record, RecordKey, Subscription
from sukkal.records import Records
from sukkal.service.access import Caller, Identity
from sukkal.service.orders import GRANTED, Arranged
from sukkal.sink import Delivery

__all__ = ["TRUST_ID", "TrustedOrders", "Trusts"]

_log: Final = logging.getLogger("sukkal.trusts")

TRUST_ID: Final = "_trust_id"
"""The option that names a trust. Zaqar's is called the same without the underscore, and counts as well."""

_KIND: Final = "ended_trust"
_KEYSTONE: Final = "keystone"


class Trusts(Protocol):
    """Makes, uses and ends trusts. All but ``forget`` raise ``IdentityUnavailable``."""

    async def create(self, token: str, identity: Identity, *, expires_ms: int | None = None) -> str:
        """Let the service act as the owner of a token. Raises ``Unauthenticated``, ``Forbidden``."""

    async def giver(self, trust_id: str) -> Identity | None:
        """Return who gave a trust to the service; nobody if it cannot be used."""

    async def token(self, trust_id: str) -> str:
        """Return a token of a trust. Raises ``Forbidden`` if there can be none."""

    def forget(self, trust_id: str) -> None:
        """Let the next token be a new one."""

    async def delete(self, trust_id: str) -> None:
        """End a trust; one that has ended is no error. Raises ``Forbidden`` if only its giver can."""


class _Granted(msgspec.Struct, frozen=True, omit_defaults=True):
    """A trust that serves a subscription: made for it, to end with it, or ``given`` by the orderer, who ends it."""

    trust_id: str
    project: str
    user: str
    expires_ms: int = 0
    given: bool = False


class TrustedOrders:
    """Gives each subscription a trust, and ends those that were made for one when it ends.

    A trust ends by itself when its subscription expires. That one is to be ended before is kept until it is done.
    """

    def __init__(self, trusts: Trusts, records: Records, now_ms: Callable[[], int]) -> None:
        self._trusts = trusts
        self._records = records
        self._now_ms = now_ms
        self.due = asyncio.Event()

    async def begin(self, wanted: Subscription, present: Mapping[str, Any] | None, orderer: Caller | None) -> Arranged:
        """Return the trust of a subscription: one that the orderer names, or one that is made now.

        Whoever changes a subscription is the one in whose name it is delivered from then on: nobody is to decide what
        is done in the name of another.

        Raises ``InvalidRequest``, ``Forbidden``, ``Unauthenticated``, ``IdentityUnavailable``.
        """
        before = None if present is None else msgspec.convert(present, _Granted)
        if orderer is None or orderer.token is None or orderer.identity.method != _KEYSTONE:
            raise Forbidden("A subscriber with trust+ needs an orderer with a token of Keystone.")
        identity, options = orderer.identity, dict(wanted.options)
        named = options.get(TRUST_ID, options.get(TRUST_ID[1:]))
        if before is not None and not before.given and named == before.trust_id:
            # It was shown, and is given back with the other options.
            named = None
            options.pop(TRUST_ID, None)
        if named is not None:
            await self._check(named, identity)
            granted = _Granted(named, identity.project, identity.user, given=True)
        elif before is not None and (before.user, before.expires_ms) == (identity.user, wanted.expires_ms):
            granted = before
        else:
            trust_id = await self._trusts.create(orderer.token, identity, expires_ms=wanted.expires_ms)
            granted = _Granted(trust_id, identity.project, identity.user, wanted.expires_ms)
        return Arranged(msgspec.to_builtins(granted), options)

    async def end(self, granted: Mapping[str, Any]) -> None:
        """Let a trust that was made for a subscription be ended soon."""
        trust = msgspec.convert(granted, _Granted)
        now_ms = self._now_ms()
        if trust.given or trust.expires_ms <= now_ms:
            return
        key = RecordKey(_KIND, trust.project, trust.trust_id)
        try:
            await self._records.put_record(key, b"{}", now_ms=now_ms, expires_ms=trust.expires_ms)
        except SukkalError as error:
            _log.warning("a trust goes on until its subscription would have expired: %s", error)
        self.due.set()

    async def end_due(self) -> None:
        """End the trusts whose subscriptions have ended."""
        self.due.clear()
        after: tuple[str, str] | None = ("", "")
        failed = 0
        while after is not None:
            page = await self._records.list_records(
                _KIND, None, after=after, limit=limits.PAGE_MAX, now_ms=self._now_ms()
            )
            for record in page.records:
                failed = 0 if await self._end(record) else failed + 1
                if failed == limits.TRUST_FAILURES_MAX:
                    return
            after = page.next

    async def token(self, delivery: Delivery) -> str:
        """Return a token to make a delivery with. Raises ``Forbidden``, ``IdentityUnavailable``."""
        return await self._trusts.token(_trust_of(delivery))

    def forget(self, delivery: Delivery) -> None:
        """Note that the receiver refused the token."""
        self._trusts.forget(_trust_of(delivery))

    async def _check(self, named: Any, identity: Identity) -> None:
        if not isinstance(named, str) or not named:
            raise InvalidRequest(f"options.{TRUST_ID} must be the id of a trust.")
        giver = await self._trusts.giver(named)
        # Whoever knows the id of somebody else's trust must not come to act as that one.
        if giver is None or (giver.user, giver.project) != (identity.user, identity.project):
            raise Forbidden(
                f"options.{TRUST_ID} names no trust that you gave to this service for the project of the queue."
            )

    async def _end(self, record: Record) -> bool:
        """End a trust; tell whether to go on with the next."""
        try:
            await self._trusts.delete(record.key.name)
        except Unavailable:
            return False
        except Forbidden as error:
            _log.warning("a trust of project %s could not be ended: %s", record.key.project, error)
        await self._records.delete_record(record.key, now_ms=self._now_ms())
        return True


def _trust_of(delivery: Delivery) -> str:
    granted = delivery.options.get(GRANTED)
    if granted is None:
        raise Forbidden("The subscription has no trust. Subscribe again.")
    return msgspec.convert(granted, _Granted).trust_id
