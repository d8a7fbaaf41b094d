"""Circuit breakers: an endpoint that fails again and again is left alone, and tried with one delivery now and then."""

from collections.abc import Callable
from urllib.parse import urlsplit

from sukkal import limits
from sukkal.model import Subscription

__all__ = ["Breakers", "endpoint_of"]


def endpoint_of(subscription: Subscription) -> str:
    """Return what fails as one: a server as one project uses it, or what it means by a URI without a server."""
    parts = urlsplit(subscription.subscriber)
    place = f"{parts.scheme}://{parts.netloc}" if parts.netloc else subscription.subscriber
    # Credentials may be what is wrong, and are each project's own.
    return f"{subscription.queue.project} {place}"


class _State:
    __slots__ = ("failures", "pause_s", "until_ms")

    def __init__(self) -> None:
        self.failures = 0
        self.pause_s = 0
        self.until_ms = 0


class Breakers:
    """The state of endpoints that have failed lately; all others are well."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._states: dict[str, _State] = {}

    def open_until_ms(self, endpoint: str) -> int:
        """Return until when nothing is sent there, 0 if something may be."""
        state = self._states.get(endpoint)
        return state.until_ms if state is not None and self._now_ms() < state.until_ms else 0

    def open_now(self) -> int:
        """Return how many endpoints are left alone now."""
        now_ms = self._now_ms()
        return sum(now_ms < state.until_ms for state in self._states.values())

    def probing(self, endpoint: str) -> bool:
        """Tell whether the pause is over and one delivery shall show whether the endpoint is well again."""
        state = self._states.get(endpoint)
        return state is not None and state.until_ms > 0

    def succeeded(self, endpoint: str) -> None:
        """Note that the endpoint took something."""
        self._states.pop(endpoint, None)

    def failed(self, endpoint: str) -> None:
        """Note that it did not."""
        state = self._states.get(endpoint)
        if state is None:
            if len(self._states) >= limits.ENDPOINTS_REMEMBERED_MAX:
                del self._states[next(iter(self._states))]
            state = self._states[endpoint] = _State()
        state.failures += 1
        if state.failures >= limits.BREAKER_FAILURES:
            state.pause_s = min(max(2 * state.pause_s, limits.BREAKER_PAUSE_S), limits.BREAKER_PAUSE_S_MAX)
            state.until_ms = self._now_ms() + state.pause_s * limits.SECOND_MS
