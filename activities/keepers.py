"""Finds who keeps the catalogue: whom a change that takes two people can be asked of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from activities.ports import Ledger
from domain.catalogue import staff
from domain.core.fact import Fact
from domain.core.roles import Action, Role
from domain.roles import Actor, allow

TWO = 2


@dataclass(frozen=True, slots=True)
class Keepers:
    """Names who holds the right now; `closed`: two people have held it at the same time, now or before."""

    now: frozenset[str]
    closed: bool


async def keepers(ledger: Ledger) -> Keepers:
    """Read from everybody's own stream who keeps the catalogue, and whether two ever did."""
    turns: list[tuple[datetime, bool, str]] = []
    for stream in await ledger.streams("person-"):
        turns += [(at, keeps, stream) for at, keeps in _turns((await ledger.load(stream)).facts)]
    now, closed = set[str](), False
    for _, keeps, stream in sorted(turns):
        (now.add if keeps else now.discard)(stream)
        closed = closed or len(now) >= TWO
    return Keepers(frozenset(now), closed)


def _turns(facts: Iterable[Fact[Any]]) -> Iterator[tuple[datetime, bool]]:
    """When somebody got the right and when they lost it."""
    state, kept = staff.initial, False
    for fact in facts:
        state = staff.evolve(state, fact)
        if (keeps := _keeps(state)) is not kept:
            kept = keeps
            yield fact.at, keeps


def _keeps(person: staff.Staff) -> bool:
    return person.role is not None and allow(Actor("", Role(person.role)), Action.KEEP_CATALOGUE)


async def of_role(ledger: Ledger, role: Role) -> list[str]:
    """Name the staff who have that role now."""
    found = []
    for stream in await ledger.streams("person-"):
        person = staff.initial
        for fact in (await ledger.load(stream)).facts:
            person = staff.evolve(person, fact)
        if person.role is not None and Role(person.role) is role:
            found.append(stream)
    return found
