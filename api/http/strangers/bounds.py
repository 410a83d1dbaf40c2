"""Says how much is taken of a line nobody has signed in on: what uvicorn has no setting for."""

from __future__ import annotations

import resource
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address

SPARE = 200
"""Descriptors left for the database, files and everything that is not a caller."""
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bytes, seconds, and connections; `trusted` are the proxies in front, which bring many callers on each line."""

    head: int = 16 * 1024
    """Of the request line and all headers."""
    headers: int = 100
    waiting: int = 16
    """Requests sent ahead on one line before the first is answered."""
    head_seconds: float = 10.0
    body_seconds: float = 20.0
    body_rate: float = 4096.0
    """Bytes for which a body is given another second."""
    stalled_seconds: float = 60.0
    """For an answer of which nothing is taken."""
    unread: int = 256 * 1024
    farewell_seconds: float = 2.0
    """What may still come when an answer is out before it was asked for: bytes that are dropped, and how long."""
    connections: int = 4_000
    of_address: int = 256
    trusted: Collection[Network] = ()

    def is_trusted(self, address: str) -> bool:
        """Return whether this is one of the proxies in front of us."""
        return any(ip_address(address) in network for network in self.trusted) if self.trusted else False


def room(most: int) -> int:
    """Return how many connections there is room for, at most `most`: below what descriptors are left to this process.

    The process may raise its own limit up to the one the machine gave it, and does.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most + SPARE
    if soft < wanted:
        soft = min(wanted, hard) if hard != resource.RLIM_INFINITY else wanted
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, min(most, soft - SPARE))
