"""Which addresses subscribers may have: by default those of the public internet, and no others.

A tenant chooses where deliveries go. Without this, the service would carry requests into networks that the tenant
cannot reach and the service can. What is judged is the address that is connected to, not the name it was found by: a
name may lead elsewhere the next time it is looked up.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from sukkal import limits
from sukkal.errors import SettingsError

__all__ = ["Denied", "Guard", "is_name"]

_Address = IPv4Address | IPv6Address

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns the addresses of a host name. Raises ``OSError`` when there are none."""

_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*(?=[^.]*[a-z_])(?!0x)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?",
    re.IGNORECASE,
)

# What is not the public internet, after the special-purpose registries of IANA.
_DENIED_V4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network, and the unspecified address
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # carrier-grade NAT
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # a cloud's agent, in the guise of a public address
            "169.254.0.0/16",  # link-local, and the metadata of most clouds
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments, and the metadata of a cloud
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # relays of 6to4
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
_GLOBAL_V6: Final = IPv6Network("2000::/3")
_DENIED_V6: Final = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments, without Teredo
            "2001:db8::/32",  # documentation
            "3fff::/20",  # documentation
        ),
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")


class Denied(Exception):
    """The host has no address that may be connected to; whether it has another is not told."""


# Threads of its own: names that take long to look up must not keep others of the service waiting.
_THREADS: Final = ThreadPoolExecutor(limits.RESOLVER_THREADS, thread_name_prefix="sukkal-resolver")


async def _look_up(host: str, port: int) -> Sequence[str]:
    loop = asyncio.get_running_loop()
    found = await loop.run_in_executor(_THREADS, socket.getaddrinfo, host, port, 0, socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class Guard:
    """Tells which addresses may be connected to.

    ``allow`` names further networks, and hosts whose every address is allowed, separated by commas; ``deny`` those that
    are not allowed though they are public. Where both name networks with an address, the smaller one counts, of equal
    ones the denied; a host that is denied is so at every address. Raises ``SettingsError`` for an item that is neither.
    """

    def __init__(self, allow: str = "", lookup: Lookup = _look_up, *, deny: str = "") -> None:
        self._allowed = _Listed(allow, "webhook_allow")
        self._denied = _Listed(deny, "webhook_deny")
        self._lookup = lookup

    async def addresses(self, host: str, port: int) -> list[str]:
        """Return the addresses of a host that may be connected to, each once. Raises ``Denied`` if there is none."""
        if is_name(host):
            try:
                found = await self._lookup(host, port)
            except (OSError, UnicodeError):
                raise Denied from None
        else:
            found = [host]
        allowed = [address for address in dict.fromkeys(found) if self.permits(host, address)]
        if not allowed:
            raise Denied
        return allowed

    def permits(self, host: str, address: str) -> bool:
        """Tell whether a host may be reached at an address. What is no address is not permitted."""
        try:
            written = ip_address(address)
            meant = _meant(written)
        except ValueError:
            return False
        if _plain(host) in self._denied.hosts:
            return False
        if _plain(host) in self._allowed.hosts:
            return True
        # One that carries another may be denied for either.
        if any(self._is_denied(each) for each in (written, *meant)):
            return False
        return all(self._allowed.prefix(each) >= 0 or _is_public(each) for each in meant)

    def _is_denied(self, address: _Address) -> bool:
        prefix = self._denied.prefix(address)
        return prefix >= 0 and prefix >= self._allowed.prefix(address)


class _Listed:
    """The hosts and networks of a setting."""

    def __init__(self, text: str, setting: str) -> None:
        items = [item for item in map(str.strip, text.split(",")) if item]
        if len(items) > limits.GUARD_ALLOW_ITEMS_MAX:
            raise SettingsError(f"{setting} has more than {limits.GUARD_ALLOW_ITEMS_MAX} items.")
        self.hosts = frozenset(_plain(item) for item in items if is_name(item))
        self._networks = tuple(_network(item, setting) for item in items if not is_name(item))

    def prefix(self, address: _Address) -> int:
        """Return the length of the longest prefix that an address has among the networks, -1 if it is in none."""
        lengths = [each.prefixlen for each in self._networks if address.version == each.version and address in each]
        return max(lengths, default=-1)


def is_name(host: str) -> bool:
    """Tell whether a host is a name to look up: never true of an address, however it is written."""
    return _NAME.fullmatch(host.removesuffix(".")) is not None


def _plain(host: str) -> str:
    return host.lower().removesuffix(".")


def _network(item: str, setting: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(item)
    except ValueError:
        raise SettingsError(
            f"{setting} has {item!r}; it takes networks such as 10.1.0.0/16, addresses and names of hosts."
        ) from None


def _meant(address: _Address) -> list[_Address]:
    """Return whom packets to an address reach: for one that carries others inside, those."""
    if isinstance(address, IPv4Address):
        return [address]
    if address.scope_id:
        raise ValueError(address)  # A zone is the service's own business.
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    if address in _NAT64:
        return [IPv4Address(int(address) & 0xFFFFFFFF)]
    if address.sixtofour:
        return [address.sixtofour]
    return list(address.teredo) if address.teredo else [address]


def _is_public(address: _Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _DENIED_V4)
    return address in _GLOBAL_V6 and not any(address in network for network in _DENIED_V6)
