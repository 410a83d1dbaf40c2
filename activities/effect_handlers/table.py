"""Says who carries out every kind of effect of the journey."""

from __future__ import annotations

from collections.abc import Mapping

from activities.effect_handlers.cohorts import TellingCohort
from activities.effect_handlers.doses import DestroyedAtBedside, FollowedUnit, OnUnit, StockedLots, UsedUnit
from activities.effect_handlers.hospital import Handed, Hospitals, ToHospital
from activities.effect_handlers.mail import QuietUntil, ToPeople, staff_of
from activities.effect_handlers.requests import Addressing, Link, Offices
from activities.effect_handlers.reserving import DonorsOf, Reserving, TurnsOf
from activities.effect_handlers.waiting import TellingList
from activities.gateways import Gateway
from activities.perform import EffectHandler
from activities.ports import Ledger
from domain.core.policy import Policy
from domain.doses.unit import CommitUnit, FreeUnit


def effect_handlers(
    channels: Mapping[str, str],
    ledger: Ledger,
    policy: Policy,
    offices: Offices,
    lots: StockedLots,
    donors: DonorsOf,
    turns: TurnsOf,
    hospitals: Hospitals,
    mail: Gateway,
    link: Link,
    handed: Handed,
    at_home: Mapping[str, EffectHandler],
    quiet: QuietUntil,
) -> Mapping[str, EffectHandler]:
    """Make one handler for every kind in `channels`. Raises LookupError for a kind whose channel has none.

    `at_home` are the handlers of what happens in our own ledger and keys.
    """
    addressing = Addressing(offices, staff_of(ledger), link)
    hospital = ToHospital(ledger, addressing, hospitals, mail, handed)
    people = ToPeople(addressing, mail, hospital, quiet)
    special = {**on_lots(lots, policy, donors, turns, hospital), **at_home}
    by_channel: dict[str, EffectHandler] = {"asks": hospital, "blind": people}
    return {kind: special.get(kind) or by_channel[channel] for kind, channel in channels.items()}


def on_lots(
    lots: StockedLots, policy: Policy, donors: DonorsOf, turns: TurnsOf, hospital: EffectHandler
) -> Mapping[str, EffectHandler]:
    """Return the handlers of what is compared and set on a lot's or a protocol's own stream first."""
    return {
        "reserve_dose": Reserving(lots, policy, donors, turns),
        "release_dose": OnUnit(lots, FreeUnit),
        "confirm_depletion_start": OnUnit(lots, CommitUnit, hospital),
        "confirm_thaw": OnUnit(lots, CommitUnit, hospital),
        "mark_unit_used": UsedUnit(lots),
        "mark_unit_destroyed": DestroyedAtBedside(lots),
        "tell_lot_of_shipment": FollowedUnit(lots),
        "tell_waiting_list": TellingList(lots),
        "tell_cohort": TellingCohort(lots),
    }
