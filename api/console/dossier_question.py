"""The dossier behind a link or a sign-in: whether its centre is still asked, and what is in it, as pages show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from api.console.text.texts import Texts
from api.http.files.file_types import TYPES
from api.ports import Service
from api.routes.previews import PREVIEWED
from domain.case.messages.threads import DOCTOR, FAMILY
from domain.case.phases.records import RecordItem
from domain.case.phases.submissions import Submission
from domain.case.state import Case
from domain.journey import MODULES
from domain.stages.eligibility.handing_over import SUMMARY, undecided
from domain.stages.follow_up.follow_up import may_read_at_home, may_take_over
from domain.stages.messages.writing import why_not_written
from domain.stages.records.translating import ORDER, Commission, commissioned

DOSSIER, TRANSLATION, HANDOVER = "submit_dossier", ORDER, "send_handover"
CODE, VISIT = "visit code", "visit"
"""The questions whose links open files, and what stands behind one."""
RECALL, CALENDAR = "recall", "calendar"
"""The questions of a recall and of a calendar feed, which are of no case and have pages of their own."""
ANSWERS: tuple[str, ...] = tuple(
    row.command.__name__ for module in reversed([*MODULES.values()]) for row in module.TAKES if DOSSIER in row.answers
)
"""What may be answered to a dossier, decisions first."""
SHOWN = ("application/pdf", "image/jpeg", "image/png")
"""What browsers show by themselves and nothing in it can run here."""
KIB, MIB = 1 << 10, 1 << 20


@dataclass(frozen=True, slots=True)
class AskedCentre:
    """A centre that is asked to decide: the case, and its submission as it stands."""

    case: Case
    known: Submission


@dataclass(frozen=True, slots=True)
class Ordered:
    """A translation that is awaited: the case, and what the order asks for."""

    case: Case
    known: Commission


@dataclass(frozen=True, slots=True)
class Paper:
    """One document as a list shows it; what turned out not to be fit stands there, and does not open."""

    name: str
    words: str
    language: str
    size: str
    ending: str
    shows: bool
    previewed: bool
    seen: bool
    fit: bool


async def asked(service: Service, row: Mapping[str, Any]) -> AskedCentre | None:
    """Return what the link of a dossier asks, while it is to be decided; None = that is over."""
    case, _, _ = await service.commands.case(row["stream"])
    submission = row["fixed"].get("submission", "")
    known = case.submissions.get(submission)
    number = int(row["fixed"].get("round") or (known.round if known else 0))
    found = undecided(case, submission, number)
    return AskedCentre(case, found) if found is not None and found.centre == row["actor"] else None


async def ordered(service: Service, row: Mapping[str, Any]) -> Ordered | None:
    """Return what the link of a translation asks, while it is to be made; None = that is over."""
    case, _, _ = await service.commands.case(row["stream"])
    found = commissioned(case, row["fixed"].get("item", ""), int(row["fixed"].get("order") or 0))
    return Ordered(case, found) if found is not None else None


async def handed_over(service: Service, row: Mapping[str, Any]) -> Case | None:
    """Return the case that the link of a hand-over is about, while its doctor at home is asked or may look."""
    case, _, _ = await service.commands.case(row["stream"])
    doctor = row["fixed"].get("person", "")
    left = case.handover != "accepted" or may_read_at_home(case, doctor)
    return case if left and may_take_over(case, doctor) else None


async def written_to(service: Service, row: Mapping[str, Any]) -> Case | None:
    """Return the case that the link of a message is about, while its reader may be written to; None = that is over."""
    case, _, _ = await service.commands.case(row["stream"])
    thread, person = row["fixed"].get("thread", ""), row["fixed"].get("person", "")
    known = {FAMILY: case.family_reader, DOCTOR: case.home_doctor}.get(thread)
    same = thread not in (FAMILY, DOCTOR) or (known is not None and known.id == person)
    return case if same and why_not_written(case, thread) is None else None


def papers(t: Texts, case: Case, known: Submission) -> Iterator[Paper]:
    """List the documents of the dossier that was submitted, in its order, then the summary that goes with it."""
    items = {name: item for item in case.records.values() for name in (item.original, item.document) if name}
    for name in known.documents:
        item, file = items.get(name) or case.records.get(case.unfit.get(name, "")), case.stored.get(name)
        media = file.media_type if file else ""
        yield Paper(
            name,
            t.named("kind", item.kind) if item else t("dossier.summary"),
            language_of(item, name) if item else "",
            size_of(file.bytes) if file else "",
            ending_of(media),
            media in SHOWN,
            media in PREVIEWED,
            name in known.handed,
            name not in case.unfit,
        )
    yield _summary(t, known)


def _summary(t: Texts, known: Submission) -> Paper:
    """The patient summary that is made of the case, for whose software reads FHIR."""
    seen = SUMMARY in known.handed
    return Paper(
        SUMMARY, t("dossier.patient_summary"), "", "", "FHIR", shows=False, previewed=False, seen=seen, fit=True
    )


def language_of(item: RecordItem, name: str) -> str:
    """Return the language of a file: of a translation the one it was made into; empty where nobody said."""
    translated = name == item.translation or (item.original and name == item.document)
    told = item.into if translated else item.language
    return "" if told == "und" else told


def ending_of(media: str) -> str:
    """Return how files of a type end, as pages show it."""
    return TYPES[media].ending.upper() if media in TYPES else ""


def size_of(count: int) -> str:
    """Return how large a file is, in MiB or KiB."""
    return f"{count / MIB:.1f} MiB" if count >= MIB else f"{max(1, count // KIB)} KiB"
