"""Signed URLs: access to a queue's messages, claims or subscriptions for somebody without an account.

A signature alone opens; a record of it is kept only so that it can be listed and revoked.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from sukkal import limits
from sukkal.errors import Forbidden, InvalidRequest, RouteNotFound, SignedUrlNotFound, SignedUrlRevoked
from sukkal.model import QueueKey, RecordKey
from sukkal.records import Records
from sukkal.service.access import Identity
from sukkal.service.operations import OPERATIONS, path_of
from sukkal.service.pages import check_limit
from sukkal.service.policy import Policy
from sukkal.service.signatures import Signature, Signer, expiry_ms, expiry_text, signature_id

__all__ = ["SignedUrl", "SignedUrls"]

# A revocation is a record of its own, so that signing the same again at that moment cannot undo it.
_KIND: Final = "signed_url"
_REVOKED: Final = "revoked_url"
_KINDS: Final = ("messages", "subscriptions", "claims", "stream", "events", "ingest")
_METHODS: Final = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
_MEMBERS: Final = ("paths", "methods", "expires")
_LIFE_MS: Final = 86_400 * limits.SECOND_MS


class SignedUrl(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a signature, but for the signature itself."""

    id: str
    paths: tuple[str, ...]
    methods: tuple[str, ...]
    expires: str


class _Value(msgspec.Struct, frozen=True):
    paths: tuple[str, ...]
    methods: tuple[str, ...]
    expires: str


class SignedUrls:
    """The operations on signed URLs, and the check of a request that brings one."""

    def __init__(
        self, records: Records, signer: Signer, policy: Callable[[], Policy], now_ms: Callable[[], int]
    ) -> None:
        self._records = records
        self._signer = signer
        self._policy = policy
        self._now_ms = now_ms

    async def create(self, key: QueueKey, identity: Identity, document: Mapping[str, Any]) -> Signature:
        """Sign what the document asks for: ``paths`` (kinds of things in the queue), ``methods``, ``expires``.

        Nobody can give away what the policy does not allow himself. Raises ``InvalidRequest``, ``Forbidden``,
        ``SignedUrlRevoked`` if the same was signed before and revoked.
        """
        if not self._signer.ready:
            raise InvalidRequest("The service has no key to sign URLs with. An operator can set `signed_url_keys`.")
        if "\\" in key.project:
            raise InvalidRequest("URLs of a project whose id has a backslash cannot be signed.")
        if unknown := set(document) - set(_MEMBERS):
            raise InvalidRequest(f"Unknown keys: {_set(unknown)}. A signed URL takes {', '.join(_MEMBERS)}.")
        kinds = _words(document, "paths", ("messages",))
        if invalid := set(kinds) - set(_KINDS):
            raise InvalidRequest(f"Invalid paths: {_set(invalid)}. They may be {', '.join(_KINDS)}.")
        methods = _words(document, "methods", ("GET",))
        if invalid := set(methods) - set(_METHODS):
            raise InvalidRequest(f"Invalid methods: {_set(invalid)}. They may be {', '.join(_METHODS)}.")
        now_ms = self._now_ms()
        given = document.get("expires")
        ends_ms = now_ms + _LIFE_MS if given is None else _end(given, now_ms)
        self._check_delegation(identity, kinds, methods)
        return await self._sign(key, kinds, methods, ends_ms, fixed=given is not None)

    async def list(self, key: QueueKey, *, marker: str, limit: int | None) -> tuple[SignedUrl, ...]:
        """Return the queue's signed URLs that are good, by id."""
        limit = check_limit(limit, limits.PAGE_MAX, "Limit must be at least 1 and may not be greater than {}.")
        found: list[SignedUrl] = []
        after: tuple[str, str] | None = (key.project, _name(key, marker))
        while after is not None:
            page = await self._records.list_records(
                _KIND, key.project, after=after, limit=limits.PAGE_MAX, now_ms=self._now_ms()
            )
            for record in page.records:
                queue, _, id_ = record.key.name.rpartition("/")
                if queue != key.name or len(found) == limit:
                    return tuple(found)
                if not await self._is_revoked(key.project, record.key.name):
                    value = msgspec.json.decode(record.value, type=_Value)
                    found.append(SignedUrl(id=id_, paths=value.paths, methods=value.methods, expires=value.expires))
            after = page.next
        return tuple(found)

    async def revoke(self, key: QueueKey, id_: str) -> None:
        """Make a signed URL useless from now on. Raises ``SignedUrlNotFound``."""
        now_ms = self._now_ms()
        name = _name(key, id_)
        record = await self._records.get_record(RecordKey(_KIND, key.project, name), now_ms=now_ms)
        if record is None and not await self._is_revoked(key.project, name):
            raise SignedUrlNotFound(f"Queue {key.name} has no signed URL {id_}, or it has expired.")
        if record is not None:
            revoked = RecordKey(_REVOKED, key.project, name)
            await self._records.put_record(revoked, record.value, now_ms=now_ms, expires_ms=record.expires_ms)
            await self._records.delete_record(record.key, now_ms=now_ms)

    async def check(self, signature: Signature, method: str, path: str) -> Identity:
        """Return who a signed request comes from. Raises ``RouteNotFound`` for any fault, whatever it is."""
        now_ms = self._now_ms()
        ends_ms = expiry_ms(signature.expires)
        if ends_ms is None or now_ms >= ends_ms or not signature.covers(method, path):
            raise RouteNotFound
        if not self._signer.made(signature):
            raise RouteNotFound
        id_ = signature_id(signature.text)
        # As in every path that we ever signed. Who shares the key may have signed others.
        queue = path.split("/")[3:4]
        if not queue or await self._is_revoked(signature.project, f"{queue[0]}/{id_}"):
            raise RouteNotFound
        return Identity(method="signed_url", project=signature.project, user=id_, expires_ms=ends_ms)

    async def _is_revoked(self, project: str, name: str) -> bool:
        record = await self._records.get_record(RecordKey(_REVOKED, project, name), now_ms=self._now_ms())
        return record is not None

    def _check_delegation(self, identity: Identity, kinds: Sequence[str], methods: Sequence[str]) -> None:
        policy = self._policy()
        for operation in OPERATIONS:
            kind = operation.path.split("/")[3:4]
            rule = operation.policy
            if rule is None or operation.method not in methods or not kind or kind[0] not in kinds:
                continue
            if not policy.allows(rule, project=identity.project, user=identity.user, roles=identity.roles):
                raise Forbidden(f"You are not authorized to sign what you may not do yourself: {rule}.")

    async def _sign(
        self, key: QueueKey, kinds: Sequence[str], methods: Sequence[str], ends_ms: int, *, fixed: bool
    ) -> Signature:
        paths = [path_of(key, kind) for kind in kinds]
        for _ in range(limits.SIGNED_URL_TRIES_MAX):
            signature = self._signer.sign(paths, methods, key.project, expiry_text(ends_ms))
            name = _name(key, signature_id(signature.text))
            if not await self._is_revoked(key.project, name):
                value = msgspec.json.encode(_Value(signature.paths, signature.methods, signature.expires))
                record_key = RecordKey(_KIND, key.project, name)
                await self._records.put_record(record_key, value, now_ms=self._now_ms(), expires_ms=ends_ms)
                return signature
            if fixed:
                break
            # The same again would be the one that was revoked; a second later it is another.
            ends_ms += limits.SECOND_MS
        raise SignedUrlRevoked("The same URL was signed before and revoked. Ask for another `expires`.")


def _name(key: QueueKey, id_: str) -> str:
    return f"{key.name}/{id_}"


def _words(document: Mapping[str, Any], name: str, default: tuple[str, ...]) -> list[str]:
    words = document.get(name)
    if words is None:
        words = default
    if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
        raise InvalidRequest(f"`{name}` should be a list of words.")
    return sorted(set(words)) or list(default)


def _end(given: Any, now_ms: int) -> int:
    if not isinstance(given, str):
        raise InvalidRequest(
            f"`expires` should be date format, for example 2016-01-01T00:00:00, not {_kind(given)} value: {given}"
        )
    try:
        moment = datetime.fromisoformat(given)
        ends_ms = round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) * limits.SECOND_MS
        expiry_text(ends_ms)
    except (ValueError, OverflowError):
        raise InvalidRequest(
            f"Unable to parse date string '{given}'. `expires` is ISO 8601 in UTC, for example 2016-01-01T00:00:00."
        ) from None
    if ends_ms <= now_ms:
        raise InvalidRequest("`expires` is lower than the current time")
    return ends_ms


def _kind(value: Any) -> str:
    return "integer" if isinstance(value, int) and not isinstance(value, bool) else type(value).__name__


def _set(words: set[str]) -> str:
    return "{" + ", ".join(repr(word) for word in sorted(words)) + "}"
