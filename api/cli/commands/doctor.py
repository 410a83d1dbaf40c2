"""Looks at everything a machine needs to run Caravel, one finding a part; changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from activities.keepers import TWO, keepers
from api.routes.register.reviews import Shelf, reviews_due
from api.run.loss import Found, explained, find
from api.run.mailing import mail_server
from api.run.wiring import Parts, connect_temporal, parts
from infra.leader import COURIER, SEALER, leads
from infra.ledger.encoding.errors import FAILURES, DatabaseFailed
from infra.ledger.erasures import explained as explained_erasures
from infra.ledger.erasures import unlisted
from infra.ledger.key_folder import ELSEWHERE, keys_here, keys_named
from infra.ledger.schema.migrate import at_head
from infra.mail.smtp import NotHandedIn, examined
from infra.policy.reading import load_policy
from infra.reads import gauges
from infra.reads.nightly import STALE
from infra.reads.registers import RegisterQueries
from infra.settings import Settings

Finding = tuple[str, bool, str]
"""Part, whether it is well, what it says."""
PATIENCE = timedelta(seconds=3)
LATE = 60.0
"""Seconds after which an unattended case means that nobody works."""


async def examine(settings: Settings) -> list[Finding]:
    """Return every finding, in the order things are needed."""
    return [*_policy(settings), *[f async for f in _database(settings)], await _temporal(), await _mail(settings)]


def _policy(settings: Settings) -> Iterator[Finding]:
    try:
        policy = load_policy(settings.policy)
    except (ValueError, OSError) as error:
        yield "policy", False, str(error)
        return
    yield "policy", True, f"{policy.name} {policy.hash[:12]}"
    now = datetime.now(UTC)
    ending = policy.ending(now)
    yield "calendars", all(until > now.date() for until in ending.values()), _calendars(ending)


def _calendars(ending: Mapping[str, date]) -> str:
    """Say of which countries no holidays are known soon; a newer release brings later years."""
    if not ending:
        return "holidays are known for years"
    named = ", ".join(f"{country} until {until}" for country, until in ending.items())
    return f"holidays are known of {named}; later working days are reckoned by weekends alone: take a newer release"


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    dsn = settings.database_url.get_secret_value()
    try:
        fine = bool(dsn) and await at_head(dsn)
    except FAILURES as error:
        yield "database", False, f"does not answer: {type(error).__name__}"
        return
    yield "database", fine, "answers, with this program's schema" if fine else "run `caravel migrate`"
    if not fine:
        return
    try:
        async with parts(settings, connections=2) as here:
            async for finding in _ledger(here):
                yield finding
    except (DatabaseFailed, OSError) as error:
        yield "ledger", False, f"cannot be opened: {type(error).__name__}"


async def _ledger(here: Parts) -> AsyncIterator[Finding]:
    ledger = here.ledger
    named = ledger.installation
    text = f"{named.name}, {named.kind}, {await ledger.head()} events" if named else "has no name"
    stands_back = f" ({ledger.stands_back})" if ledger.read_only and not ledger.keys_elsewhere else ""
    yield "ledger", not stands_back, text + stands_back
    lost = await here.ledger.loss() or await _missing(here)
    yield "history", lost is None, "\n".join(explained(lost)) if lost else "as far as others know, nothing is missing"
    yield _keys(here)
    missing = explained_erasures(await unlisted(ledger.pool, here.keys.destroyed()))
    yield "erasures", not missing, missing or "the list of destroyed keys names every erasure of the ledger"
    yield await _keepers(here)
    yield await _reviews(here)
    figures = await gauges.gauges(ledger)
    late = figures["oldest_unattended"]
    doubt = await gauges.clock_doubt(ledger)
    yield "clocks", not doubt, doubt or "the database's and this machine's agree"
    led = await leads(ledger.pool)
    for role in (COURIER, SEALER):
        yield role, _led(led.get(role)), _who(led.get(role))
    yield "attention", late < LATE, f"oldest unattended case {late:.0f} s"
    unknown = sum(figures["effects"].values())
    yield "effects", True, f"{unknown} refused or unknown, {figures['claims_past_lease']} claims past their lease"
    for name, age in figures["nightly_age"].items():
        fine = bool(figures["nightly"][name])
        says = "all well" if fine else "found something: `caravel audit status`"
        yield name, fine and age < STALE, f"{says}, {age / 3600:.0f} hours ago"


async def _keepers(here: Parts) -> Finding:
    """Few are no fault, but nobody could confirm anything once one of two has gone."""
    found = await keepers(here.ledger)
    number = len(found.now)
    if number > TWO:
        return "keepers", True, f"{number} people keep the catalogue"
    way = "have a third confirmed while both can sign in" if found.closed else ALONE
    return "keepers", True, f"{number} keep the catalogue, and a change takes two: {way}"


async def _reviews(here: Parts) -> Finding:
    """What is stale is no fault of the machine; whoever keeps the catalogue has to know."""
    shelf = Shelf(RegisterQueries(here.ledger.pool), here.commands.policy, datetime.now(UTC))
    found = await reviews_due(shelf)
    stale, sites = len(found["reviews"]), len(found["sites"])
    return "catalogue", True, f"{stale} reviews due, {sites} sites to be asked again (`caravel reviews`)"


ALONE = "until two do, what the command line says is in force at once; register everybody else first, the second last"


def _led(row: Mapping[str, Any] | None) -> bool:
    return row is not None and bool(row["leads"])


def _who(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "nobody has begun"
    lost = f"; last lost at {row['lost_at']:%Y-%m-%d %H:%M} UTC by {row['lost_by']}" if row["lost_at"] else ""
    return (f"{row['holder']}, since {row['since']:%Y-%m-%d %H:%M} UTC" if _led(row) else "nobody leads") + lost


def _keys(here: Parts) -> Finding:
    folder = here.settings.keys
    if not keys_here(here.ledger, here.keys):
        return "keys", False, f"{folder}: {here.ledger.stands_back or ELSEWHERE}"
    if folder.exists() and folder.stat().st_mode & 0o077:
        return "keys", False, "can be read by others"
    return "keys", True, f"{folder}, the folder this ledger names" if keys_named(here.ledger) else str(folder)


async def _mail(settings: Settings) -> Finding:
    try:
        return "mail", True, await examined(mail_server(settings))
    except (NotHandedIn, TimeoutError, OSError, ValueError) as error:
        named = str(error) if isinstance(error, NotHandedIn | ValueError) else type(error).__name__
        return "mail", False, f"{settings.smtp}: {named}"


async def _missing(here: Parts) -> Found | None:
    """Looked for anew, in Temporal too where it answers."""
    try:
        client = await connect_temporal()
        await client.service_client.check_health(timeout=PATIENCE)
    except Exception:  # noqa: BLE001 - whatever it was, Temporal cannot be asked
        return await find(here, note=False)
    return await find(here, client, note=False)


async def _temporal() -> Finding:
    try:
        client = await connect_temporal()
        fine = await client.service_client.check_health(timeout=PATIENCE)
    except Exception as error:  # noqa: BLE001 - whatever it was, Temporal does not answer
        return "temporal", False, f"does not answer: {type(error).__name__}"
    return "temporal", fine, client.service_client.config.target_host
