"""Connects to hospitals at public addresses only: a name is resolved at each call, and what was checked is called."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence

import httpx2

from activities.gateways import GatewayRefused
from domain.catalogue.endpoint import Address, Allowed, literal, plain

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""The addresses of a host name, as text. Raises OSError where it has none."""
NOT_ALLOWED = "address_not_allowed"
LAST_PORT = 65_535


async def resolved(host: str) -> Sequence[str]:
    """Ask the machine's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class PinnedTransport(httpx2.AsyncBaseTransport):
    """Sends each request to the very address that was checked, so that no answer of a resolver changes in between.

    TLS still proves the host's name. Connections are not kept: the next call is checked anew, and none is shared by
    two hosts of one address. Redirects are answers like any other, and no proxy of the environment is used.
    """

    def __init__(self, allowed: Allowed, resolve: Resolve = resolved) -> None:
        self._inner = httpx2.AsyncHTTPTransport(limits=httpx2.Limits(max_keepalive_connections=0))
        self._allowed, self._resolve = allowed, resolve

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Try the checked addresses in their order. Raises GatewayRefused where none may be called."""
        host, scheme = request.url.host, request.url.scheme
        if (request.url.port or 0) > LAST_PORT:
            raise httpx2.ConnectError("there is no such port")
        may = [a for a in await self._addresses(host) if self._reaches(host, a) and plain(scheme, a, self._allowed)]
        if not may:
            raise GatewayRefused(NOT_ALLOWED, "the address is not public, or not reached by https")
        for address in may[:-1]:
            try:
                return await self._inner.handle_async_request(_pinned(request, host, address))
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue
        return await self._inner.handle_async_request(_pinned(request, host, may[-1]))

    async def aclose(self) -> None:
        """Close what is open."""
        await self._inner.aclose()

    def _reaches(self, host: str, address: Address) -> bool:
        return self._allowed.named(host) or self._allowed.reaches(address)

    async def _addresses(self, host: str) -> Sequence[Address]:
        if known := literal(host):
            return [known]
        try:
            texts = await self._resolve(host)
        except (OSError, UnicodeError):  # a name with an empty or too long part is none
            raise httpx2.ConnectError("the name of the host is not known") from None
        return list(dict.fromkeys(address for text in texts if (address := literal(text))))


def _pinned(request: httpx2.Request, host: str, address: Address) -> httpx2.Request:
    """The same request to the address. Its Host header and the name TLS asks for stay those of the host."""
    extensions = dict(request.extensions) | ({} if literal(host) else {"sni_hostname": host})
    return httpx2.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=request.headers,
        stream=request.stream,
        extensions=extensions,
    )
