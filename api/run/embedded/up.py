"""`caravel up`: everything on this machine, from one folder; supervised, restarted, stopped cleanly."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from api.ports import DevSignIn
from api.run.embedded.child_processes import keep
from api.run.embedded.machine import Machine, machine, programs, settings_of
from api.run.engine.courier import Courier
from api.run.engine.restore import Restored, own_engine, restore
from api.run.loss import explained, find
from api.run.processes import stop_on_signals
from api.run.sealing import where_checkpoints_are
from api.run.serving import serve_api
from api.run.wiring import Parts, connect_temporal, parts
from infra.ledger.schema.migrate import migrate
from infra.reads.gauges import courier_active
from infra.reads.genealogy import GenealogyQueries
from infra.reads.registers import RegisterQueries
from infra.telemetry import configure_logs
from rehearsal.demo import HOSPITALS_CLERK, STAFF, Demo, act, open_for_visitors, rehearse_past
from rehearsal.genealogy import give_genealogy
from rehearsal.happenings import bring_about
from rehearsal.hospitals.keys import HospitalKeys
from rehearsal.stores import keep_stores
from rehearsal.world.papers import papers_in


async def up(home: Path, *, cohort: int = 24, seed: int = 1, still: bool = False) -> None:
    """Run everything until Ctrl-C. An empty folder is filled with a rehearsed cohort first."""
    console, stop = Console(soft_wrap=True, highlight=False), stop_on_signals()
    configure_logs("warning", plain=True)
    here, serving = machine(home), asyncio.Event()
    work = asyncio.create_task(_up(here, home, cohort, seed, console, stop, serving, still=still))
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    console.print("stopping ...")
    if not serving.is_set():
        work.cancel()  # still starting; once it serves it sees `stop` by itself
    with suppress(asyncio.CancelledError):
        await work


async def _up(
    here: Machine,
    home: Path,
    cohort: int,
    seed: int,
    console: Console,
    stop: asyncio.Event,
    serving: asyncio.Event,
    *,
    still: bool,
) -> None:
    async with AsyncExitStack() as stack:
        for name in ("PostgreSQL", "Temporal"):
            await _start(stack, here, name, console)
        await migrate(here.postgres.dsn)
        settings = settings_of(home, here)
        programs(here, settings, seed)
        demo = Demo(
            cohort, seed, f"http://127.0.0.1:{here.hospitals.port('http')}", HospitalKeys(home / "hospital-keys")
        )
        await rehearse_past(here.postgres.dsn, home, demo, console)
        opened = await stack.enter_async_context(parts(settings))
        await open_for_visitors(opened.commands, opened.ledger, demo)
        pool = opened.ledger.pool
        registers = RegisterQueries(pool)
        await give_genealogy(opened.commands, GenealogyQueries(pool, opened.keys), registers)
        await keep_stores(opened.commands, registers, datetime.now(UTC))
        await bring_about(opened.commands, opened.ledger, datetime.now(UTC))
        for name in ("mail catcher", "hospitals"):
            await _start(stack, here, name, console)
        restored = await _bring_live(opened, here, console)
        await _start(stack, here, "worker", console)
        await _courier(opened)
        console.print(f"{restored.now + restored.later} open cases are live")
        tasks = [asyncio.create_task(keep(name, server)) for name, server in here.named().items()]
        tasks += (
            []
            if still
            else [asyncio.create_task(act(opened.ledger, opened.commands, demo, papers_in(home, opened.keys)))]
        )
        stack.push_async_callback(_cancel, tasks)
        serving.set()
        await _serve(opened, here, console, stop)


async def _courier(opened: Parts) -> None:
    """Wait until the worker's courier is at work, so that what is said to be ready is."""
    with suppress(TimeoutError):
        async with asyncio.timeout(15):
            while not await courier_active(opened.ledger):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.2)


async def _start(stack: AsyncExitStack, here: Machine, name: str, console: Console) -> None:
    """Start one server; it is stopped in the opposite order."""
    console.print(f"starting {name} ...")
    server = here.named()[name]
    stack.push_async_callback(server.stop)
    await server.start()


async def _bring_live(opened: Parts, here: Machine, console: Console) -> Restored:
    client = await connect_temporal(target_host=here.temporal.address)
    courier = Courier(opened.ledger, client, opened.settings.database_url.get_secret_value())
    console.print("bringing the cases live ...")
    foreign = not await own_engine(opened.ledger, client)  # a Temporal of this folder is always ours to use
    if found := await find(opened, client):
        console.print("\n".join(explained(found)), style="bold red")
        return Restored((await opened.ledger.engine()).epoch, 0, 0)
    return await restore(opened.ledger, client, courier, take_over=foreign)


async def _serve(opened: Parts, here: Machine, console: Console, stop: asyncio.Event) -> None:
    port = here.api.port("http")
    dev = DevSignIn(secrets.token_urlsafe(12), frozenset({f"127.0.0.1:{port}", f"localhost:{port}"}))
    for name, url in _addresses(opened, here).items():
        console.print(f"  {name:<12} {url}")
    console.print(
        f"  {'Sign-in':<12} secret {dev.secret} for POST /dev/sign-in as one of: {', '.join((*STAFF, HOSPITALS_CLERK))}"
    )
    console.print(f"  {'Console':<12} http://127.0.0.1:{port}/?secret={dev.secret}")
    await serve_api(opened, here.temporal.address, dev, stop, lambda url: console.print(f"Caravel is ready: {url}"))


def _addresses(opened: Parts, here: Machine) -> dict[str, str]:
    return {
        "API": f"{opened.settings.public_url}/docs",
        "Temporal UI": here.temporal.ui_url,
        "Mail": f"http://127.0.0.1:{here.mail.port('http')}",
        "Hospitals": f"http://127.0.0.1:{here.hospitals.port('http')}",
        "Data": str(opened.settings.home),
        "Checkpoints": where_checkpoints_are(opened.settings),
    }


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
