"""Which addresses deliveries may go to: nothing inside of the operator's own network unless it is listed.

It is asked about the very address that a connection is made to, so that a name which leads elsewhere a moment later
makes no difference.
"""

import ipaddress
from collections.abc import Iterator
from typing import Final

from sukkal.errors import SettingsError

__all__ = ["Guard"]

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_LOCAL_NAT64: Final = ipaddress.IPv6Network("64:ff9b:1::/48")


class Guard:
    """The rule, with the networks and hosts of the setting ``webhook_allow``. Raises ``SettingsError``."""

    def __init__(self, allowed: str) -> None:
        self._networks: list[_Network] = []
        self._hosts: set[str] = set()
        for given in filter(None, map(str.strip, allowed.split(","))):
            try:
                self._networks.append(ipaddress.ip_network(given))
            except ValueError as error:
                if "/" in given or ":" in given or given[0].isdigit():
                    raise SettingsError(
                        f"webhook_allow has {given!r}; it takes networks, such as 10.0.0.0/8, and hosts: {error}"
                    ) from None
                self._hosts.add(given.lower().rstrip("."))

    def lets_through(self, host: str, address: str) -> bool:
        """Tell whether a connection to an address may be made, for a host of that name."""
        if host.lower().rstrip(".") in self._hosts:
            return True
        try:
            found = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        return self._is_listed(found) or all(_is_public(each) for each in _meant(found))

    def _is_listed(self, address: _Address) -> bool:
        return any(each in network for network in self._networks for each in _meant(address))


def _meant(address: _Address) -> Iterator[_Address]:
    """Yield the address, and those that it may lead to on the way."""
    yield address
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            yield address.ipv4_mapped
        if address.sixtofour:
            yield address.sixtofour
        if address.teredo:
            yield from address.teredo
        if address in _NAT64:
            yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def _is_public(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return True  # Only the address in it counts.
    if address in _LOCAL_NAT64:
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)
