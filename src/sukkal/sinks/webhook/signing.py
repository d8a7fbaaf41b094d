"""Signatures by which a subscriber knows that a delivery is ours (Standard Webhooks 1.0, scheme ``v1``)."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final

from sukkal import limits
from sukkal.errors import InvalidRequest

__all__ = ["SECRETS", "secrets_of", "signatures"]

SECRETS: Final = "_signing_secrets"
_PREFIX: Final = "whsec_"


def secrets_of(options: Mapping[str, Any]) -> list[bytes]:
    """Return the secrets that a subscription's deliveries are signed with. Raises ``InvalidRequest``, naming none."""
    given = options.get(SECRETS, [])
    if not isinstance(given, list) or len(given) > limits.WEBHOOK_SECRETS_MAX:
        raise InvalidRequest(f"options.{SECRETS} must be a list of at most {limits.WEBHOOK_SECRETS_MAX} secrets.")
    return [_secret(text) for text in given]


def signatures(secrets: list[bytes], *, id_: str, timestamp_s: int, body: bytes) -> str:
    """Return a signature by each secret, so that the subscriber may know the old one while it learns the new."""
    content = b"%b.%d.%b" % (id_.encode(), timestamp_s, body)
    made = (base64.b64encode(hmac.digest(secret, content, hashlib.sha256)).decode() for secret in secrets)
    return " ".join(f"v1,{signature}" for signature in made)


def _secret(text: object) -> bytes:
    low, high = limits.WEBHOOK_SECRET_BYTES_MIN, limits.WEBHOOK_SECRET_BYTES_MAX
    wrong = InvalidRequest(f"options.{SECRETS}: a secret is {_PREFIX} and {low} to {high} bytes in Base64.")
    if not isinstance(text, str) or not text.startswith(_PREFIX):
        raise wrong
    try:
        secret = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise wrong from None
    if not low <= len(secret) <= high:
        raise wrong
    return secret
