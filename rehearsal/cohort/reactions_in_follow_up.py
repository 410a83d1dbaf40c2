"""Says what people do about a family that is not heard of, the questions of a year, and forms for registries."""

from __future__ import annotations

from collections.abc import Mapping

from domain.core.fact import Command
from domain.stages.follow_up import follow_up, questions, registries, searching
from domain.stages.messages import writing
from rehearsal.cohort.situation import React, Situation

CONTACT: Mapping[searching.Way, searching.Channel] = {
    "home_doctor": "doctor",
    "hospital": "hospital",
}
"""By what channel the others are asked for a family that does not answer."""


def _reach(s: Situation) -> Command | None:
    """A family that cannot be found is looked for by every way; any other answers the first call."""
    if not s.family.lost:
        return follow_up.TryContact("call", answered=True)
    way = searching.left_to_try(s.case)[0]
    if way == "family":
        return follow_up.TryContact(("call", "message")[len(s.case.tried) % 2], answered=False)
    if way == "second_contact":
        return searching.SkipContact(way, "the family named nobody else")
    return follow_up.TryContact(CONTACT[way], answered=False)


def _yearly(s: Situation) -> Command | None:
    """Nearly always nothing happened; who cannot be found does not answer."""
    if s.family.lost:
        return None
    told: questions.Happened = "no"
    ill: questions.Happened = "yes" if s.often(0.05) else "no"
    return questions.AnswerYearlyQuestions(
        year=s.about, new_cancer=told, neurologic=told, autoimmune=told, haematologic=told, serious_infection=ill,
        pregnancy=told, other_treatment=told,
    )  # fmt: skip


def _form(s: Situation) -> Command | None:
    """Taken mostly; now and then sent back, and then told again."""
    registry, _, form = s.about.partition("/")
    told = next(one for one in registries.FIRST if one == registry)
    if s.often(0.1):
        return registries.RecordRegistryAnswer(told, form, "rejected", faults="a date is missing")
    return registries.RecordRegistryAnswer(told, form, "accepted", f"R-{form}")


def _lost(_: Situation) -> Command | None:
    return follow_up.EndFollowUp("lost")


def _write_back(s: Situation) -> Command | None:
    """Answer whoever wrote; where they may not be written to, see to it otherwise."""
    thread = s.case.messages[s.about].thread
    if writing.why_not_written(s.case, thread) is not None:
        return writing.SettleThread(thread)
    return writing.SendMessage(thread, "Thank you; we have noted it and call you.")


IN_FOLLOW_UP: Mapping[str, React] = {
    "yearly_questions": _yearly,
    "incoming_message": _write_back,
    "registry_choice": lambda _: registries.ReportToRegistry("cibmtr"),
    "registry_form": _form,
    "reach_family": _reach,
    "lost_decision": _lost,
}
"""Kind of obligation → what is said next about it."""
