"""Gives back what a track holds: noted as spare, asked for by an effect, released when that was delivered."""

from __future__ import annotations

from domain.case.effect import Effect
from domain.case.state import Case
from domain.case.track import Track
from domain.core.copying import replace

TRACK_OF = {"release_dose": "dose", "release_bed": "bed", "void_letter": "letter", "cancel_travel": "travel"}
"""Which track the delivery of an effect gives back."""


def spare(case: Case, kind: str, track: Track) -> Case:
    """Note that what this track holds is wanted no longer and is to be given back, by an effect of that kind."""
    held = track.state == "held" and (kind, track.fact) not in case.spare
    return replace(case, spare=(*case.spare, (kind, track.fact))) if held else case


UNDONE_BY = {"hold_bed": "release_bed", "request_invitation_letter": "void_letter"}
"""What gives back what a request may have acquired though nobody knows whether it arrived."""


def perhaps_acquired(case: Case, effect: Effect | None) -> Case:
    """A request whose fate is unknown was let go: the hospital is told all the same, under the request's id."""
    if effect is None or effect.state != "unknown" or effect.kind not in UNDONE_BY:
        return case
    return replace(case, spare=(*case.spare, (UNDONE_BY[effect.kind], effect.id)))


def let_go(case: Case, fact: str) -> Case:
    """Give back all that was acquired at a centre, and be ready to ask for it again."""
    for kind, name in TRACK_OF.items():
        case = spare(case, kind, getattr(case, name))
    return replace(
        case,
        quote=_fresh(case.quote, fact),
        quoted=None,
        dose=_fresh(case.dose, fact),
        bed=_fresh(case.bed, fact),
        letter=_fresh(case.letter, fact),
        travel=_fresh(case.travel, fact),
        shut=(),
        arrangements={a.id: replace(a, state="cancelled") if a.live else a for a in case.arrangements.values()},
        shipments={s.id: replace(s, state="cancelled") if s.state == "planned" else s for s in case.shipments.values()},
    )


def _fresh(track: Track, fact: str) -> Track:
    return track if track.state == "none" else track.again(fact, "none")


def given_back(case: Case, kind: str, about: str, fact: str) -> Case:
    """An effect of that kind was delivered: its track is released, unless it holds something newer by now."""
    match TRACK_OF.get(kind):
        case "dose" if case.dose.fact == about:
            return replace(case, dose=case.dose.ended("released", fact))
        case "bed" if case.bed.fact == about:
            return replace(case, bed=case.bed.ended("released", fact))
        case "letter" if case.letter.fact == about:
            return replace(case, letter=case.letter.ended("released", fact))
        case "travel" if case.travel.fact == about:
            return replace(case, travel=case.travel.ended("released", fact))
        case _:
            return _cancelled(case, about) if kind in CANCELS else case


CANCELS = ("cancel_arrangement", "cancel_family_arrangement", "cancel_outside_arrangement")
"""The effects that give back what was arranged, by whom it was asked of."""


def _cancelled(case: Case, about: str) -> Case:
    """Whoever was asked knows that it is not wanted; what was asked for anew meanwhile stays."""
    given = {a.id: replace(a, state="cancelled") for a in case.arrangements.values() if a.about == about and a.live}
    return replace(case, arrangements={**case.arrangements, **given}) if given else case
