"""When a delivery that failed is tried again: schedules, and how far each attempt is from the next."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sukkal import limits
from sukkal.errors import InvalidRequest

__all__ = ["DEFAULT_SCHEDULE_S", "check_schedule", "delay_s", "schedule_of"]

_MINUTE_S: Final = 60
_HOUR_S: Final = 3_600

DEFAULT_SCHEDULE_S: Final = (
    *(5, 5 * _MINUTE_S, 30 * _MINUTE_S),
    *(2 * _HOUR_S, 5 * _HOUR_S, 10 * _HOUR_S, 14 * _HOUR_S, 20 * _HOUR_S, 24 * _HOUR_S),
)
"""Pauses between attempts, as Standard Webhooks recommends: ten attempts over three days."""

_POLICY: Final = "_retry_policy"
_SCHEDULE: Final = "_retry_schedule"
_DEFAULTS: Final[Mapping[str, Any]] = {
    "retries_with_no_delay": 3,
    "minimum_delay_retries": 3,
    "minimum_delay": 5,
    "maximum_delay": 30,
    "maximum_delay_retries": 3,
    "retry_backoff_function": "linear",
}
_BACKOFF_STEPS_MAX: Final = 100


def schedule_of(options: Mapping[str, Any], queue_metadata: Mapping[str, Any]) -> Sequence[int]:
    """Return the pauses in seconds that hold for a subscription: its own list, a policy, or the default.

    A queue's policy holds for subscriptions without one of their own; with ``ignore_subscription_override`` for all.
    """
    own, queues = options.get(_POLICY), queue_metadata.get(_POLICY)
    if queues and queues.get("ignore_subscription_override"):
        return _of_policy(queues)
    if _SCHEDULE in options:
        return tuple(options[_SCHEDULE])
    policy = own or queues
    return _of_policy(policy) if policy else DEFAULT_SCHEDULE_S


def check_schedule(options: Mapping[str, Any]) -> None:
    """Refuse an explicit list that could not be kept to. Raises ``InvalidRequest``."""
    schedule = options.get(_SCHEDULE)
    if schedule is None:
        return
    fits = (
        isinstance(schedule, list)
        and len(schedule) <= limits.RETRIES_MAX
        and all(isinstance(each, int) and not isinstance(each, bool) for each in schedule)
        and all(0 <= each <= limits.RETRY_DELAY_S_MAX for each in schedule)
    )
    if not fits:
        raise InvalidRequest(
            f"{_SCHEDULE} must be a list of at most {limits.RETRIES_MAX} pauses, each 0 to {limits.RETRY_DELAY_S_MAX} "
            "seconds."
        )


def delay_s(schedule: Sequence[int], attempt: int, *, retry_after_s: int | None, jitter: float) -> int | None:
    """Return the seconds until the attempt after this one, ``None`` if there is none.

    ``attempt`` counts from 1. A receiver that asks for more time gets it. ``jitter``, from 0 to 1, moves the moment by
    up to a tenth, so that deliveries which failed together do not come back together.
    """
    if attempt > len(schedule):
        return None
    wanted = max(schedule[attempt - 1], min(retry_after_s or 0, limits.RETRY_DELAY_S_MAX))
    return wanted + round(wanted * jitter / 10)


def _of_policy(given: Mapping[str, Any]) -> tuple[int, ...]:
    policy = {**_DEFAULTS, **{name: value for name, value in given.items() if value is not None}}
    low, high = int(policy["minimum_delay"]), int(policy["maximum_delay"])
    rise = _rise(str(policy["retry_backoff_function"]), low, high)
    return (
        *(0,) * int(policy["retries_with_no_delay"]),
        *(low,) * int(policy["minimum_delay_retries"]),
        *rise,
        *(high,) * int(policy["maximum_delay_retries"]),
    )[: limits.RETRIES_MAX]


def _rise(function: str, low: int, high: int) -> tuple[int, ...]:
    """Return the pauses between the lowest and the highest, both left out, by one of Zaqar's four functions."""
    found: list[int] = []
    for step in range(1, _BACKOFF_STEPS_MAX):
        match function:
            case "linear":
                pause = low + 5 * (step - 1)
            case "arithmetic":
                pause = low + step * (step + 1) // 2 * 2
            case "geometric":
                pause = low * 2**step
            case _:
                pause = low + 2**step
        if pause >= high:
            break
        found.append(pause)
    return tuple(found)
