"""The reserved attributes of a queue: keys of its metadata that begin with an underscore and mean something."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from sukkal import limits
from sukkal.errors import InvalidRequest
from sukkal.model import Queue, QueueKey
from sukkal.service.names import is_queue_name, is_reply_queue
from sukkal.settings import Settings

__all__ = [
    "DISABLED",
    "RESERVED",
    "DeadLetters",
    "QueueRules",
    "Rulebook",
    "check_attributes",
    "check_retry_policy",
    "conflates",
    "encrypts",
    "expires_after_s",
    "history_s",
    "is_ephemeral",
    "is_searched",
    "normalises",
    "stores_nothing",
    "with_defaults",
]

_BACKOFFS: Final = ("linear", "arithmetic", "geometric", "exponential")
_RETRY_NUMBERS: Final = (
    "retries_with_no_delay",
    "minimum_delay_retries",
    "minimum_delay",
    "maximum_delay",
    "maximum_delay_retries",
)
_RETRY_SPREAD_S_MIN: Final = 10
_RULES_REMEMBERED_MAX: Final = 10_000

DISABLED: Final = "_disabled"
"""An option of subscriptions, ours to set: why nothing is delivered any more."""

RESERVED: Final = (
    "_max_messages_post_size",
    "_default_message_ttl",
    "_default_message_delay",
    "_dead_letter_queue",
    "_dead_letter_queue_messages_ttl",
    "_max_claim_count",
    "_enable_encrypt_messages",
)
"""The attributes that have a default, in the order in which they are shown."""


class QueueRules:
    """What a queue's attributes say about posts, with the defaults of the service where they say nothing.

    A message that does not say has a life of ``message_ttl_s`` and a delay of ``message_delay_s``. What is posted
    ``conflates`` if it replaces older messages; the others are as the functions below.
    """

    __slots__ = (
        *("conflates", "encrypts", "message_delay_s", "message_ttl_s"),
        *("metadata", "normalises", "post_bytes_max"),
    )

    def __init__(self, metadata: Mapping[str, Any], settings: Settings) -> None:
        self.metadata = metadata
        self.message_ttl_s: int = metadata.get("_default_message_ttl") or settings.default_message_ttl
        self.message_delay_s: int = metadata.get("_default_message_delay") or settings.default_message_delay
        most = settings.max_messages_post_size
        self.post_bytes_max: int = min(metadata.get("_max_messages_post_size") or most, most)
        self.conflates = conflates(metadata) is not None
        self.encrypts = encrypts(metadata)
        self.normalises = normalises(metadata)


class Rulebook:
    """The rules of queues, each read once for as long as its attributes stay the same."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._read: dict[QueueKey, QueueRules] = {}
        self.default = QueueRules({}, settings)

    def of(self, queue: Queue | None) -> QueueRules:
        """Return the rules of a queue, the ``default`` for one that does not exist."""
        if queue is None or not queue.metadata:
            return self.default
        rules = self._read.get(queue.key)
        if rules is None or rules.metadata is not queue.metadata:
            if len(self._read) >= _RULES_REMEMBERED_MAX:
                self._read.clear()
            rules = self._read[queue.key] = QueueRules(queue.metadata, self._settings)
        return rules


class DeadLetters:
    """Where messages of a queue go that were claimed too often, if it has such a rule."""

    __slots__ = ("max_attempts", "queue_name", "ttl_s")

    def __init__(self, metadata: Mapping[str, Any]) -> None:
        queue_name, max_attempts = metadata.get("_dead_letter_queue"), metadata.get("_max_claim_count")
        # Only both together are a rule; a count of zero would bury everything unseen.
        self.max_attempts: int | None = max_attempts if queue_name and max_attempts else None
        self.queue_name: str = queue_name or ""
        self.ttl_s: int | None = metadata.get("_dead_letter_queue_messages_ttl") or None


def encrypts(metadata: Mapping[str, Any]) -> bool:
    """Tell whether a queue asks for the bodies of its messages to be encrypted."""
    return metadata.get("_enable_encrypt_messages") is True


def expires_after_s(metadata: Mapping[str, Any]) -> int:
    """Return for how long a queue stays that nobody uses, 0 if for good."""
    idle_s = metadata.get("_expires_after")
    return idle_s if isinstance(idle_s, int) else 0


def conflates(metadata: Mapping[str, Any]) -> str | None:
    """Return by which member of their bodies messages replace older ones, ``"*"`` if all do, ``None`` if none does."""
    path = metadata.get("_conflate")
    if path is True:
        return "*"
    return path if isinstance(path, str) and path else None


def history_s(metadata: Mapping[str, Any]) -> int:
    """Return for how long what was posted can be told to those who come back, 0 if nothing is kept for them."""
    kept_s = metadata.get("_history")
    return kept_s if isinstance(kept_s, int) else 0


def is_ephemeral(metadata: Mapping[str, Any]) -> bool:
    """Tell whether a queue stores nothing."""
    return metadata.get("_persistence") == "none"


def stores_nothing(key: QueueKey, queue: Queue | None) -> bool:
    """Tell whether what is posted to a queue is only told, because its metadata say so or it is one for replies."""
    return is_reply_queue(key) or (queue is not None and is_ephemeral(queue.metadata))


def is_searched(metadata: Mapping[str, Any]) -> bool:
    """Tell whether what is posted to a queue is to be found by searches."""
    return metadata.get("_search") is True and not encrypts(metadata) and not is_ephemeral(metadata)


def normalises(metadata: Mapping[str, Any]) -> bool:
    """Tell whether a queue stores every message as the event that it is."""
    return metadata.get("_normalize") == "cloudevents"


def with_defaults(metadata: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """Return the metadata as a tenant sees it: reserved attributes that say nothing show what applies."""
    defaults: Mapping[str, Any] = MappingProxyType(
        {
            "_max_messages_post_size": settings.max_messages_post_size,
            "_default_message_ttl": settings.default_message_ttl,
            "_default_message_delay": settings.default_message_delay,
            "_dead_letter_queue": None,
            "_dead_letter_queue_messages_ttl": None,
            "_max_claim_count": None,
            "_enable_encrypt_messages": False,
        }
    )
    return dict(metadata) | {name: defaults[name] for name in RESERVED if not metadata.get(name)}


def check_attributes(metadata: Mapping[str, Any], settings: Settings, *, queue_name: str, can_encrypt: bool) -> None:
    """Refuse reserved attributes with values that could not be honoured. Raises ``InvalidRequest``."""
    _check_number(
        metadata,
        "_default_message_ttl",
        limits.MESSAGE_TTL_S_MIN,
        settings.max_message_ttl,
        f"_default_message_ttl can not exceed {settings.max_message_ttl} seconds, and must be at least "
        f"{limits.MESSAGE_TTL_S_MIN} seconds long.",
    )
    _check_number(
        metadata,
        "_max_messages_post_size",
        1,
        settings.max_messages_post_size,
        f"_max_messages_post_size can not exceed {settings.max_messages_post_size},  and must be at least greater "
        "than 0.",
    )
    _check_number(
        metadata,
        "_default_message_delay",
        0,
        settings.max_message_delay,
        f"The TTL can not exceed {settings.max_message_delay} seconds, and must be at least 0 seconds long. "
        "The attribute is _default_message_delay.",
    )
    _check_number(
        metadata,
        "_dead_letter_queue_messages_ttl",
        limits.MESSAGE_TTL_S_MIN,
        settings.max_message_ttl,
        f"The TTL for a message may not exceed {settings.max_message_ttl} seconds, and must be at least "
        f"{limits.MESSAGE_TTL_S_MIN} seconds long. The attribute is _dead_letter_queue_messages_ttl.",
    )
    _check_number(metadata, "_max_claim_count", 0, limits.INT64_MAX, "_max_claim_count must not be negative.")
    _check_dead_letter_queue(metadata.get("_dead_letter_queue"), queue_name)
    if not isinstance(metadata.get("_enable_encrypt_messages"), bool | None):
        raise InvalidRequest("_enable_encrypt_messages must be boolean.")
    if metadata.get("_enable_encrypt_messages") and not can_encrypt:
        raise InvalidRequest(
            "_enable_encrypt_messages can not be true: this service has no encryption key. An operator can set one "
            "with `encryption_keys`."
        )
    _check_own(metadata)


def _check_own(metadata: Mapping[str, Any]) -> None:
    """Check the attributes that Zaqar does not have, and the retry policy."""
    _check_number(
        metadata,
        "_history",
        0,
        limits.HISTORY_S_MAX,
        f"_history must be 0 to {limits.HISTORY_S_MAX} seconds.",
    )
    _check_number(
        metadata,
        "_expires_after",
        0,
        limits.EXPIRES_AFTER_S_MAX,
        f"_expires_after must be 0 to {limits.EXPIRES_AFTER_S_MAX} seconds; 0 keeps the queue.",
    )
    _check_conflation(metadata.get("_conflate"))
    if metadata.get("_persistence") not in (None, "durable", "none"):
        raise InvalidRequest('_persistence must be "durable" or "none".')
    if metadata.get("_normalize") not in (None, "cloudevents"):
        raise InvalidRequest('_normalize must be "cloudevents".')
    _check_search(metadata)
    if (policy := metadata.get("_retry_policy")) is not None:
        check_retry_policy(policy)


def _check_search(metadata: Mapping[str, Any]) -> None:
    if not isinstance(metadata.get("_search"), bool | None):
        raise InvalidRequest("_search must be boolean.")
    if metadata.get("_search") and encrypts(metadata):
        raise InvalidRequest(
            "_search and _enable_encrypt_messages exclude each other: the index would have in the clear what is to be "
            "encrypted."
        )
    if metadata.get("_search") and is_ephemeral(metadata):
        raise InvalidRequest("_search can not be true of a queue that stores nothing (_persistence).")


def _check_number(metadata: Mapping[str, Any], name: str, low: int, high: int, refusal: str) -> None:
    value = metadata.get(name)
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidRequest(f"{name} must be integer.")
    if not low <= value <= high:
        raise InvalidRequest(refusal)


def _check_conflation(value: Any) -> None:
    if not isinstance(value, str | bool | None):
        raise InvalidRequest("_conflate must be true, or the name of a member of the messages' bodies, such as a.b.")
    if isinstance(value, str) and len(value) > limits.CONFLATE_CHARS_MAX:
        raise InvalidRequest(f"_conflate must have at most {limits.CONFLATE_CHARS_MAX} characters.")


def _check_dead_letter_queue(value: Any, queue_name: str) -> None:
    if value is None or value == "":
        return
    if not isinstance(value, str) or not is_queue_name(value):
        raise InvalidRequest("_dead_letter_queue must be the name of a queue.")
    if value == queue_name:
        raise InvalidRequest("_dead_letter_queue must be another queue than the one it belongs to.")


def check_retry_policy(policy: Any) -> None:
    """Refuse a retry policy that could not be kept to. Raises ``InvalidRequest``."""
    if not isinstance(policy, dict):
        raise InvalidRequest("retry_policy must be a dict.")
    for name in _RETRY_NUMBERS:
        value = policy.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise InvalidRequest(f"Retry policy: {name} must be a integer.")
    if policy.get("retry_backoff_function", _BACKOFFS[0]) not in _BACKOFFS:
        raise InvalidRequest(f"invalid retry_backoff_function. It must be one of {', '.join(_BACKOFFS)}.")
    if not isinstance(policy.get("ignore_subscription_override"), bool | None):
        raise InvalidRequest("Retry policy: ignore_subscription_override must be boolean.")
    low, high = policy.get("minimum_delay"), policy.get("maximum_delay")
    if low is not None and high is not None:
        if low >= high:
            raise InvalidRequest("minimum_delay must less than maximum_delay.")
        if high - low < _RETRY_SPREAD_S_MIN:
            raise InvalidRequest(
                f"invalid minimum_delay and maximum_delay. They must differ by at least {_RETRY_SPREAD_S_MIN} seconds."
            )
