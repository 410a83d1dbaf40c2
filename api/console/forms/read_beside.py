"""Shows the documents a decision rests on beside its form: what is verified, signed for, or in a dossier."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from api.console.dossier_question import ending_of, language_of, size_of
from api.console.text.fact_text import FactWriter
from api.http.files.file_types import DICOM, SERIES
from api.http.files.previews.renderer import PICTURES
from api.http.form_parse import Pairs
from api.routes.documents import translates
from api.routes.previews import PREVIEWED
from domain.case.phases.records import RecordItem
from domain.case.phases.submissions import Submission
from domain.case.state import Case
from domain.roles import Actor
from domain.stages.eligibility.handing_over import READABLE
from domain.stages.records.documents import key_class_of
from domain.stages.records.dossier import contents

SHOW = "show"
"""The button that unfolds a file: the form comes back as it was typed, with the first page of that file beside it."""
UNFOLDED = "unfolded"
"""What was unfolded before."""


@dataclass(frozen=True, slots=True)
class FileBeside:
    """One file: what it is, and how it is read here. It has no name where it cannot be opened; `about` says why.

    `picture`: its first page is shown. `told`: a page says what its header tells. `not_shown`: why there is neither.
    """

    name: str
    words: str
    about: str
    picture: bool = False
    told: bool = False
    not_shown: str = ""
    troubles: Sequence[str] = ()
    fit: bool = True


@dataclass(frozen=True, slots=True)
class ReadBeside:
    """Files that are read together, an original beside its translation. `unfolded`: those of them that are shown."""

    words: str
    files: Sequence[FileBeside]
    unfolded: Collection[str]


@dataclass(frozen=True, slots=True)
class _Names:
    """The names of the files of one record, or of the summary where there is no record."""

    item: RecordItem | None
    names: Sequence[str]
    at_once: bool


def read_beside(who: Actor, command: str, pairs: Pairs | None, speaker: FactWriter) -> Sequence[ReadBeside]:
    """Return what is read before this command is given, in the order of the dossier; nothing for most commands."""
    if command not in _FILES:
        return ()
    found = _FILES[command](speaker.case, dict(pairs or ()))
    asked = {value for name, value in pairs or () if name in (SHOW, UNFOLDED)}
    return [_shown(who, one, asked, speaker) for one in found if any(one.names)]


def _records(case: Case, named: Mapping[str, str]) -> Sequence[_Names]:
    """The record a form names; of a form that names none, each that somebody may verify now."""
    return _each(case, named, ("received", "translated"), lambda item: (item.original, item.document))


def _translations(case: Case, named: Mapping[str, str]) -> Sequence[_Names]:
    """The original and the translation that is to be compared with it."""
    delivered = [i.id for i in case.records.values() if i.translation]
    pairs = _each(case, named, ("translating",), lambda item: (item.original or item.document, item.translation))
    return [one for one in pairs if one.item and one.item.id in delivered]


def _each(
    case: Case, named: Mapping[str, str], states: Sequence[str], names: Callable[[RecordItem], Sequence[str]]
) -> Sequence[_Names]:
    known = case.records.get(named.get("item", ""))
    items = [known] if known else [i for i in case.records.values() if i.state in states]
    return [_Names(item, names(item), len(items) == 1) for item in items]


def _summary(case: Case, _: Mapping[str, str]) -> Sequence[_Names]:
    """The summary, then what it rests on: the documents that are verified."""
    summary = case.dossier.summary
    return [_Names(None, (summary,), at_once=True), *_of_names(case, [n for n in contents(case) if n != summary])]


def _dossiers(case: Case, named: Mapping[str, str]) -> Sequence[_Names]:
    """The dossier a centre was given; of a form that names no submission, that of each centre that is asked."""
    known = case.submissions.get(named.get("submission", ""))
    asked: Sequence[Submission] = [known] if known else [s for s in case.submissions.values() if s.state in READABLE]
    return _of_names(case, list(dict.fromkeys(name for one in asked for name in one.documents)))


def _of_names(case: Case, names: Sequence[str]) -> Sequence[_Names]:
    """Files by the record they belong to, an original with its translation."""
    items = {name: item for item in case.records.values() for name in (item.original, item.document) if name}
    found = dict[str, _Names]()
    for name in names:
        item = items.get(name) or case.records.get(case.unfit.get(name, ""))
        key = item.id if item else ""
        before = found[key].names if key in found else ()
        original_first = (name, *before) if item and name == item.original else (*before, name)
        found[key] = _Names(item, original_first, at_once=False)
    return list(found.values())


_FILES: Mapping[str, Callable[[Case, Mapping[str, str]], Sequence[_Names]]] = {
    "VerifyRecord": _records,
    "RejectRecord": _records,
    "CertifyTranslation": _translations,
    "SignSummary": _summary,
    "AcceptPatient": _dossiers,
    "DeclinePatient": _dossiers,
    "RecordCriterion": _dossiers,
}
"""Command → the files that are read before it is given."""


def _shown(who: Actor, one: _Names, asked: Collection[str], speaker: FactWriter) -> ReadBeside:
    t, names = speaker.clock.t, [name for name in one.names if name]
    words = t.named("record", one.item.kind) if one.item else t("dossier.summary")
    each = (t("case.original"), t("beside.translation")) if len(names) > 1 else (words,)
    files = [_file(who, one.item, name, said, speaker) for name, said in zip(names, each, strict=True)]
    return ReadBeside(words, files, {name for name in names if one.at_once or name in asked})


def _file(who: Actor, item: RecordItem | None, name: str, words: str, speaker: FactWriter) -> FileBeside:
    t, case = speaker.clock.t, speaker.case
    stored = case.stored.get(name)
    kept_by = key_class_of(item.kind) if item else "clinical"
    if stored is None:
        return FileBeside("", words, t("beside.not_stored"))
    if kept_by not in speaker.visible and not translates(who, case, name):
        return FileBeside("", words, t("beside.not_yours"))
    media, locked = stored.media_type, "encrypted" in stored.troubles
    language = language_of(item, name) if item else ""
    return FileBeside(
        name,
        words,
        " · ".join(filter(None, (ending_of(media), size_of(stored.bytes), language))),
        picture=media in PICTURES and not locked,
        told=media in (DICOM, SERIES),
        not_shown="encrypted" if locked else "" if media in PREVIEWED else "no_preview",
        troubles=[t.named("trouble", trouble) for trouble in stored.troubles],
        fit=name not in case.unfit,
    )
