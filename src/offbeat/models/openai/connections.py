"""Connections for a thousand calls at once.

A pool of `httpx2` looks through all its connections whenever a request comes or goes: 1,000 at once in one pool cost
15 s of CPU. Here calls are spread over pools of a few dozen each, which are opened as they are needed.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cache

import httpx2

from offbeat.errors import ModelUnavailable
from offbeat.models.keys import redacted

CALLS_A_POOL = 32
_CONNECT_S, _WRITE_S = 30.0, 120.0


class Connections:
    """Pools of one event loop, made when first used; of no use to another one until closed.

    Args:
        timeout_s: how long nothing may come.
        trust_env: whether proxies named in the environment are used.
    """

    def __init__(self, *, timeout_s: float, trust_env: bool) -> None:
        self._timeout = httpx2.Timeout(timeout_s, connect=_CONNECT_S, write=_WRITE_S, pool=None)
        self._trust_env = trust_env
        self._pools: list[tuple[httpx2.AsyncClient, list[int]]] = []

    @asynccontextmanager
    async def client(self) -> AsyncGenerator[httpx2.AsyncClient]:
        """A client for one call.

        Raises:
            ModelUnavailable: the environment names a proxy or certificates that cannot be used.
        """
        client, calls = self._pool()
        calls[0] += 1
        try:
            yield client
        finally:
            calls[0] -= 1

    async def close(self) -> None:
        """Let go of all."""
        pools, self._pools = self._pools, []
        for client, _ in pools:
            await client.aclose()

    def _pool(self) -> tuple[httpx2.AsyncClient, list[int]]:
        for pool in self._pools:
            if pool[1][0] < CALLS_A_POOL:
                return pool
        try:
            client = httpx2.AsyncClient(
                timeout=self._timeout,
                trust_env=self._trust_env,
                verify=_trusted(),
                limits=httpx2.Limits(max_connections=None, max_keepalive_connections=CALLS_A_POOL),
            )
        except (ImportError, OSError, ValueError) as error:
            # a proxy of an unknown kind, or certificates that are not there
            raise ModelUnavailable(
                f"no connection can be made: {redacted(str(error))}; check the environment variables of proxies "
                "(HTTPS_PROXY, ALL_PROXY, ...) and SSL_CERT_FILE"
            ) from None
        self._pools.append((client, [0]))
        return self._pools[-1]


@cache
def _trusted() -> ssl.SSLContext:
    return httpx2.create_ssl_context()  # reading the certificates takes longer than all the rest
