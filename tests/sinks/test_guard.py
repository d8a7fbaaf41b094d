"""The guard: which addresses the service connects to for a tenant."""

import asyncio
from collections.abc import Sequence

import pytest

from sukkal.errors import SettingsError
from sukkal.sinks.guard import Denied, Guard, is_name

PRIVATE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
]
PRIVATE_V6 = [
    "::",
    "::1",
    "::127.0.0.1",
    "100::1",
    "64:ff9b:1::1",
    "2001:1::1",
    "2001:10::1",
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "2606:4700::1%eth0",
]
PUBLIC = ["1.1.1.1", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "192.0.1.1", "223.255.255.255"]
PUBLIC_V6 = ["2606:4700:4700::1111", "2a00:1450::1", "2001:200::1", "2001:4860:4860::8888"]


def mapped(address: str) -> list[str]:
    """Return the IPv6 addresses that lead to an IPv4 address."""
    high, low = (int(part) for part in address.split(".")[:2]), (int(part) for part in address.split(".")[2:])
    words = ["{:02x}{:02x}".format(*high), "{:02x}{:02x}".format(*low)]
    opposite = [f"{int(word, 16) ^ 0xFFFF:04x}" for word in words]
    return [
        f"::ffff:{address}",
        f"64:ff9b::{address}",
        f"2002:{words[0]}:{words[1]}::1",
        f"2001:0:{words[0]}:{words[1]}::fefe:fefe",
        f"2001:0:0101:0101::{opposite[0]}:{opposite[1]}",
    ]


@pytest.mark.parametrize("address", [*PRIVATE, *PRIVATE_V6, *(each for v4 in PRIVATE for each in mapped(v4))])
def test_addresses_that_are_not_of_the_public_internet_are_denied(address: str) -> None:
    assert not Guard().permits(address, address)


@pytest.mark.parametrize("address", [*PUBLIC, *PUBLIC_V6, *(each for v4 in PUBLIC for each in mapped(v4))])
def test_public_addresses_are_permitted(address: str) -> None:
    assert Guard().permits(address, address)


@pytest.mark.parametrize("address", ["", "localhost", "127.1", "0x7f.0.0.1", "2130706433", "1.1.1.1 ", "1.1.1.1/32"])
def test_what_is_no_address_is_not_permitted(address: str) -> None:
    assert not Guard("0.0.0.0/0, ::/0").permits(address, address)


def test_allowed_networks_and_addresses_are_permitted_however_they_are_written() -> None:
    guard = Guard(" 10.1.0.0/16,192.168.7.7 , fd00:1::/32,")
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "192.168.7.7", "fd00:1::5", "1.1.1.1"):
        assert guard.permits(address, address), address
    for address in ("10.2.0.1", "192.168.7.8", "fd00:2::1", "::ffff:10.2.0.1"):
        assert not guard.permits(address, address), address


def test_what_a_tunnel_has_inside_is_judged_altogether() -> None:
    guard = Guard("10.0.0.0/8")
    assert not guard.permits("x", "2001:0:0a00:0001::3f57:fefe")  # from 10.0.0.1 on to 192.168.1.1


def test_an_allowed_host_may_have_any_address_and_others_may_not_have_it() -> None:
    guard = Guard("Hooks.internal")
    assert guard.permits("hooks.INTERNAL.", "10.0.0.5")
    assert not guard.permits("hooks.internal.evil.example", "10.0.0.5")
    assert not guard.permits("10.0.0.5", "10.0.0.5")


@pytest.mark.parametrize("item", ["10.0.0.1/8", "300.1.1.1", "http://x", "a b", "*.example.org", "127.1", "0x7f000001"])
def test_an_allowed_item_that_is_neither_network_nor_host_is_refused(item: str) -> None:
    with pytest.raises(SettingsError, match="webhook_allow"):
        Guard(f"example.org,{item}")


def test_too_many_allowed_items_are_refused() -> None:
    with pytest.raises(SettingsError, match="webhook_allow"):
        Guard("a.example," * 1_001)


@pytest.mark.parametrize(
    ("allow", "deny", "address", "permitted"),
    [
        ("", "2606:64::/96", "2606:64::a00:1", False),
        ("", "2606:64::/96", "2606:65::1", True),
        ("", "1.1.0.0/16", "1.1.1.1", False),
        ("", "1.1.0.0/16", "::ffff:1.1.1.1", False),
        ("", "1.1.0.0/16", "64:ff9b::1.1.1.1", False),
        ("", "2002::/16", "2002:101:101::1", False),
        ("1.1.1.1/32", "1.1.0.0/16", "1.1.1.1", True),
        ("1.1.1.1/32", "1.1.0.0/16", "1.1.1.2", False),
        ("10.0.0.0/8", "10.0.0.5", "10.0.0.5", False),
        ("10.0.0.0/8", "10.0.0.5", "10.0.0.6", True),
        ("10.0.0.0/8", "10.0.0.0/8", "10.0.0.6", False),
        ("10.0.0.0/8", "0.0.0.0/0,::/0", "10.0.0.6", True),
        ("10.0.0.0/8", "0.0.0.0/0,::/0", "8.8.8.8", False),
        ("", "", "1.1.1.1", True),
    ],
)
def test_of_two_networks_the_smaller_one_decides(allow: str, deny: str, address: str, permitted: bool) -> None:
    assert Guard(allow, deny=deny).permits("host.example", address) == permitted


def test_a_denied_host_is_denied_at_every_address() -> None:
    guard = Guard("10.0.0.0/8,other.example", deny="Status.example,1.1.1.1")
    assert not guard.permits("status.EXAMPLE.", "8.8.8.8")
    assert not guard.permits("status.example", "10.0.0.1")
    assert guard.permits("other.example", "1.1.1.1")


def test_a_denied_item_that_is_neither_network_nor_host_is_refused() -> None:
    with pytest.raises(SettingsError, match="webhook_deny"):
        Guard(deny="10.0.0.1/8")


def addresses(guard: Guard, host: str) -> list[str] | None:
    """Return the permitted addresses of a host; None if it is denied."""
    try:
        return asyncio.run(guard.addresses(host, 80))
    except Denied:
        return None


def test_only_permitted_addresses_of_a_name_are_given() -> None:
    async def lookup(host: str, port: int) -> Sequence[str]:
        return {"both.example": ["10.0.0.1", "1.1.1.1", "::1", "1.1.1.1"], "inside.example": ["10.0.0.1"]}[host]

    guard = Guard(lookup=lookup)
    assert addresses(guard, "both.example") == ["1.1.1.1"]
    assert addresses(guard, "inside.example") is None


def test_a_name_without_addresses_is_denied_like_one_inside() -> None:
    async def lookup(host: str, port: int) -> Sequence[str]:
        raise OSError("unknown")

    assert addresses(Guard(lookup=lookup), "unknown.example") is None


def test_an_address_is_not_looked_up() -> None:
    async def lookup(host: str, port: int) -> Sequence[str]:
        raise AssertionError(host)

    assert addresses(Guard(lookup=lookup), "1.1.1.1") == ["1.1.1.1"]
    assert addresses(Guard(lookup=lookup), "127.0.0.1") is None
    assert addresses(Guard(lookup=lookup), "127.1") is None


def test_names_are_looked_up_by_the_system() -> None:
    assert addresses(Guard(), "localhost") is None
    assert set(addresses(Guard("localhost"), "localhost") or []) & {"127.0.0.1", "::1"}


@pytest.mark.parametrize(
    "host", ["a", "localhost", "a.b-c.example.", "xn--bcher-kva.example", "1.example", "_x.y", "1.0b"]
)
def test_names_are_names(host: str) -> None:
    assert is_name(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        "a..b",
        "-a",
        "1",
        "127.1",
        "1.2.3.4",
        "0x7f.1",
        "0x7f000001",
        "a.0x1",
        "a.1",
        "::1",
        "b\u00fc",
        "a b",
        "a" * 64,
        "a." * 130,
    ],
)
def test_addresses_in_any_writing_are_no_names(host: str) -> None:
    assert not is_name(host)
