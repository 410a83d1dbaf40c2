"""Says how a person takes back what followed by itself from a wrong instant: event → command, and in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.case.effect import EffectDelivered, EffectRequested
from domain.case.obligation import ObligationMissed, ObligationStepSkipped, ObligationStepTaken
from domain.stages.anytime.correcting import CorrectFact
from domain.stages.anytime.holding import Redate
from domain.stages.anytime.notes import AddNote, SettleEffect
from domain.stages.eligibility.quote import GiveQuote, QuoteLapsed
from domain.stages.eligibility.waiting import PlacePassed
from domain.stages.follow_up.closing import JourneyLeft, ReopenCase
from domain.stages.follow_up.follow_up import FollowUpEnded
from domain.stages.follow_up.questions import YearlyQuestionsAsked
from domain.stages.intake.majority import MajorityReached
from domain.stages.supply.shipping import MoveShipment, ShipmentLate
from domain.stages.travel.arranging import ArrangementLapsed, AskArrangementAgain
from domain.stages.travel.letter import AskLetterAgain, LetterLapsed
from domain.stages.travel.travel import (
    BookTravel,
    DoorClosed,
    FitToTravelLapsed,
    RecordFitToTravel,
    TravelStopped,
)
from domain.stages.travel.visa import GrantVisa, VisaLapsed
from domain.stages.treatment.bed import AskBedAgain, BedLapsed
from domain.stages.treatment.dose import AskDoseAgain, DoseLapsed

WAYS: Mapping[type[Any], tuple[type[Any] | None, str]] = {
    JourneyLeft: (ReopenCase, "the case goes on; ask the centre what it has given back already"),
    FollowUpEnded: (ReopenCase, "follow-up goes on"),
    YearlyQuestionsAsked: (AddNote, "the family was asked too early: tell them; what they answer counts for that year"),
    DoseLapsed: (AskDoseAgain, "the unit may have gone to somebody else meanwhile"),
    ArrangementLapsed: (AskArrangementAgain, "whoever was asked is asked again, for times that lie ahead"),
    ShipmentLate: (MoveShipment, "the carriers name other times; a handover that is told late finds its place"),
    BedLapsed: (AskBedAgain, "the centre is asked for the bed again"),
    LetterLapsed: (AskLetterAgain, "the centre is asked for the letter again"),
    PlacePassed: (AddNote, "the place may have gone to the next; the case waits on where it stood"),
    QuoteLapsed: (GiveQuote, "the centre's price, told again with its end"),
    VisaLapsed: (GrantVisa, "the visa, told again with its end"),
    FitToTravelLapsed: (RecordFitToTravel, "the clinician's statement, told again"),
    TravelStopped: (BookTravel, "tickets were given back: look before booking again"),
    MajorityReached: (AddNote, "consent was asked anew too early: what was given on their behalf counts; tell them"),
    DoorClosed: (None, "it opens by itself once what had ended is told again"),
    ObligationMissed: (AddNote, "what was owed can still be done; tell whoever was called in that it was not late"),
    ObligationStepTaken: (AddNote, "a reminder or a call for help went out too early: tell who got it"),
    ObligationStepSkipped: (Redate, "no reminder went out for it: give it another deadline if it still matters"),
    EffectRequested: (SettleEffect, "stop it if nobody has it yet"),
    EffectDelivered: (AddNote, "the other side has it: tell them"),
}
"""What time alone brings, and what is done about it; None: nothing has to be."""
OTHERWISE = (CorrectFact, "look at the case: correct what a person told wrongly; the rest follows by itself")


def way_back(event: type[Any] | None) -> tuple[str, str]:
    """Return the command's name and what there is to say, for an event recorded by a clock that was wrong."""
    command, says = WAYS.get(event, OTHERWISE) if event else OTHERWISE
    return (command.__name__ if command else "", says)
