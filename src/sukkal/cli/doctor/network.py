"""Checks of what is on the network: the ports, the running service, and its clock."""

import socket
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Final, NamedTuple

from sukkal import limits
from sukkal.cli.doctor.holders import holder_of
from sukkal.cli.doctor.verdict import Verdict, fail, ok, skipped, warn
from sukkal.settings import Address, Settings

__all__ = ["Answered", "ask", "check_clock", "check_ports", "check_service"]

_PORT: Final = "port"
_SERVICE: Final = "service"
_CLOCK: Final = "clock"
_OK: Final = 200
_OFF_S_WARN: Final = 2
_OFF_S_MAX: Final = 30
_TIMEOUT_S: Final = 5.0
_ANSWER_BYTES_MAX: Final = 65_536


class Answered(NamedTuple):
    """What a service answered when it was asked for its health; ``problem`` instead if it did not.

    ``off_ms`` is how far its clock is from ours at least.
    """

    url: str
    status: int = 0
    off_ms: int | None = None
    body: str = ""
    problem: str = ""


async def ask(url: str, now_ms: Callable[[], int]) -> Answered:
    """Ask a service for its health."""
    import aiohttp

    asked_ms = now_ms()
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    # Whose certificate it is does not matter here: only what it says of itself.
    asking = f"{url.rstrip('/')}/healthz"
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(asking, ssl=False) as answer:
            body = (await answer.content.read(_ANSWER_BYTES_MAX)).decode("utf-8", "replace")
            return Answered(url, answer.status, _off_ms(answer.headers.get("Date", ""), asked_ms, now_ms()), body)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return Answered(url, problem=str(error) or "no answer in time")


def check_ports(settings: Settings, answered: Answered) -> list[Verdict]:
    """Check that the addresses can be listened on, or that the service has them already."""
    addresses = [("listen", settings.address), ("websocket_listen", settings.websocket_address)]
    return [_port(name, address, answered) for name, address in addresses if address is not None]


def check_service(answered: Answered, *, asked_for: bool) -> Verdict:
    """Check that the running service is well; one that nobody named need not run."""
    if answered.problem:
        if not asked_for:
            return skipped(_SERVICE, f"nothing answers at {answered.url}")
        return fail(_SERVICE, answered.problem, "Start it (sukkal serve), or name where it is with --url.")
    if answered.status == _OK:
        return ok(_SERVICE, f"{answered.url} is well")
    if '"stalled"' in answered.body:
        todo = "Its disk does not finish writes. Look at the disk and at the log of the service."
        return fail(_SERVICE, f"{answered.url} waits for its store: {answered.body}", todo)
    seen = f"{answered.url} answers with status {answered.status}"
    return fail(_SERVICE, seen, "That is not Sukkal, or something in front of it. Name another one with --url.")


def check_clock(answered: Answered) -> Verdict:
    """Check that this machine and the service agree on the time: tokens and signed URLs depend on it."""
    if answered.off_ms is None:
        return skipped(_CLOCK, "there is no service to compare it with")
    off_s = answered.off_ms / limits.SECOND_MS
    seen = f"{off_s:,.0f} seconds from that of {answered.url}"
    todo = "Set the time on both machines, for example with chrony."
    if off_s > _OFF_S_MAX:
        return fail(_CLOCK, seen, todo)
    return warn(_CLOCK, seen, todo) if off_s > _OFF_S_WARN else ok(_CLOCK, seen)


def _port(name: str, address: Address, answered: Answered) -> Verdict:
    check = f"{_PORT} {address.port}"
    if address.port == 0:
        return ok(check, "the system chooses one")
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            probe.listen(1)
    except OSError as error:
        return _taken(check, name, address, error, answered)
    return ok(check, f"{address.host} is free")


def _taken(check: str, name: str, address: Address, error: OSError, answered: Answered) -> Verdict:
    holder = holder_of(address.port)
    if answered.status == _OK and answered.url.endswith(f":{address.port}"):
        return ok(check, f"Sukkal listens there already{f': {holder}' if holder else ''}")
    seen = f"cannot listen on {address.host}: {error.strerror or error}{f', it has {holder}' if holder else ''}"
    return fail(check, seen, f"Stop what has it, or name another address with the setting `{name}`.")


def _off_ms(text: str, asked_ms: int, answered_ms: int) -> int | None:
    """Return how far a clock that says ``text`` at some time between the two is from ours at least."""
    try:
        said_ms = round(parsedate_to_datetime(text).timestamp() * limits.SECOND_MS)
    except (TypeError, ValueError):
        return None
    # It says whole seconds, and may have written them down a second ago.
    return max(asked_ms - said_ms - 2 * limits.SECOND_MS, said_ms - answered_ms, 0)
