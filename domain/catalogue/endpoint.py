"""Says where a centre's interface may stand: the form of its address, and which addresses are public."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from domain.core.errors import Reason, require

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LONGEST = 500
FORM = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>(/[A-Za-z0-9._~!$&'()*+,;=:%-]*)*)"
)
NAME = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
"""A full host name. One that ends in a number is none: 127.1, 0x7f.1 and 2130706433 are ways to write 127.0.0.1."""
PORTS = 65_535

NOT_PUBLIC_4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
            "203.0.113.0/24", "224.0.0.0/3",
        ),
    )
)  # fmt: skip
"""Written out, since what ipaddress calls global differs between releases of Python (IANA, RFC 6890)."""
PUBLIC_6 = IPv6Network("2000::/3")
NOT_PUBLIC_6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
"""Of these only: Teredo, 6to4 and others carry an IPv4 address inside, of whoever runs the relay."""
NAT64 = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Allowed:
    """Holds what may be reached beside public addresses: hosts by name, and networks, as for a hospital's VPN."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, words: Iterable[str]) -> Allowed:
        """Read hosts, addresses and networks, such as `fhir.clinic.local` and `10.8.0.0/16`. Raises ValueError."""
        hosts, networks = set(), []
        for word in words:
            if re.fullmatch(r"[0-9.]+(/[0-9]+)?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(/[0-9]+)?", word):
                networks.append(ip_network(word))
            elif re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", word):
                hosts.add(word.lower())
            else:
                raise ValueError(f"{word!r} is neither a host nor a network")
        return cls(frozenset(hosts), tuple(networks))

    def named(self, host: str) -> bool:
        """Return whether this host is in the list by its name: then its addresses are whatever they are."""
        return host.lower() in self.hosts

    def reaches(self, address: Address) -> bool:
        """Return whether this address may be connected to."""
        inner = _inner(address)
        return public(address) or any(a in network for a in {address, inner} for network in self.networks)


NOTHING_MORE = Allowed()


def public(address: Address) -> bool:
    """Return whether an address is one of the open internet. What IPv6 carries inside counts, zones never do."""
    address = _inner(address)
    if isinstance(address, IPv4Address):
        return not any(address in network for network in NOT_PUBLIC_4)
    return not address.scope_id and address in PUBLIC_6 and not any(address in network for network in NOT_PUBLIC_6)


def _inner(address: Address) -> Address:
    """The IPv4 address inside a mapped or NAT64 one, else the address itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def literal(host: str) -> Address | None:
    """Return the address a host is written as; None = it is a name."""
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def plain(scheme: str, address: Address, allowed: Allowed) -> bool:
    """Return whether the scheme fits: https, or http within this machine where the list names its address."""
    return scheme == "https" or (address.is_loopback and allowed.reaches(address))


def require_endpoint(text: str, allowed: Allowed, field: str = "endpoint") -> None:
    """Refuse what is no address of a centre's interface. Raises Refused that names the field, never the address."""
    require(len(text) <= LONGEST, Reason.INVALID, f"an endpoint has at most {LONGEST} characters", field)
    require(text.isascii() and text.isprintable() and " " not in text, Reason.INVALID, "only plain characters", field)
    require(text.startswith(("https://", "http://")), Reason.INVALID, "an endpoint is an https address", field)
    for sign, what in (("@", "user or password"), ("#", "fragment"), ("?", "query"), ("\\", "backslash")):
        require(sign not in text, Reason.INVALID, f"an endpoint has no {what} in it", field)
    found = FORM.fullmatch(text)
    if found is None or int(found["port"] or 1) > PORTS:
        require(None, Reason.INVALID, "an endpoint is https://host[:port][/path]", field)
        return
    _require_host(found["scheme"], found["host"], allowed, field)


def _require_host(scheme: str, host: str, allowed: Allowed, field: str) -> None:
    """The list's own setting is named, since that is the way on for a hospital behind a VPN."""
    address, elsewhere = literal(host), "unless CARAVEL_ENDPOINTS_ALLOWED names it"
    if address is None:
        require(scheme == "https", Reason.INVALID, "an endpoint is an https address", field)
        full = NAME.fullmatch(host.lower()) and not host.lower().endswith(".localhost")
        require(full or allowed.named(host), Reason.INVALID, f"a full public host name, {elsewhere}", field)
        return
    require(allowed.reaches(address), Reason.INVALID, f"a public address, {elsewhere}", field)
    require(plain(scheme, address, allowed), Reason.INVALID, "an endpoint is an https address", field)
