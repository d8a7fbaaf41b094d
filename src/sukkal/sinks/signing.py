"""Signatures of webhooks as Standard Webhooks 1.0.0 describes them: HMAC-SHA256 over id, time and body."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any, Final

from sukkal.errors import InvalidRequest

__all__ = ["check_secrets", "signature"]

_PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = (24, 64)
_SECRETS_MAX: Final = 5


def check_secrets(secrets: Any) -> None:
    """Refuse what is no list of secrets. Raises ``InvalidRequest``, which shows none."""
    if not isinstance(secrets, list) or not 0 < len(secrets) <= _SECRETS_MAX:
        raise InvalidRequest(f"_signing_secrets must be a list of 1 to {_SECRETS_MAX} secrets.")
    low, high = _SECRET_BYTES
    for number, secret in enumerate(secrets, 1):
        if not isinstance(secret, str) or not low <= len(_key(secret)) <= high:
            raise InvalidRequest(
                f"Secret {number} of _signing_secrets must be {_PREFIX} and {low} to {high} bytes in Base64."
            )


def signature(secrets: Sequence[str], id_: str, timestamp_s: int, body: bytes) -> str:
    """Return the header ``webhook-signature``: a signature for each secret, so that one can replace another."""
    signed = b"%s.%d.%s" % (id_.encode(), timestamp_s, body)
    digests = [hmac.new(_key(secret), signed, hashlib.sha256).digest() for secret in secrets]
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def _key(secret: str) -> bytes:
    if not secret.startswith(_PREFIX):
        return b""
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return b""
