"""Files of protocols and centres: taken whole as their sources say, or refused with the line of every fault."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from activities.catalogue_files.differing import plan
from activities.catalogue_files.lines import FileRefused
from activities.catalogue_files.reading import FileEntry, entries
from activities.catalogue_files.rows import UNSOURCED
from domain.catalogue.protocol import Protocol, RegisterProtocol
from domain.catalogue.review import ReviewEntry
from domain.catalogue.streams import fold
from domain.criteria.criterion import Comparison
from domain.criteria.redosing import RedosingCriteria, ToxicityLimit
from domain.criteria.screening import screen
from rehearsal.world.catalogue_data import CENTRES, PROTOCOLS, centres, protocols
from tests.activities.catalogue_files.files import AGE, CRITERION, OWN, STUDY
from tests.domain.catalogue.steps import given, when

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)


def loaded(said: Any, prefix: str = "protocol") -> list[FileEntry]:
    body = said if isinstance(said, bytes) else json.dumps(said, indent=1).encode()
    return entries(prefix, body, NOW, "person-1")[1]


def faults(said: Any, prefix: str = "protocol") -> list[tuple[str, str]]:
    """Each fault as (the line it names, what it says)."""
    body = said if isinstance(said, bytes) else json.dumps(said, indent=1).encode()
    with pytest.raises(FileRefused) as caught:
        entries(prefix, body, NOW, "person-1")
    lines = body.decode().split("\n")
    return [(lines[fault.line - 1].strip().rstrip(","), fault.detail) for fault in caught.value.faults]


def test_a_protocol_nobody_has_seen_is_taken_as_its_source_says() -> None:
    [entry] = loaded({"protocols": [{**OWN, "vector": "lentiviral", "access": "compassionate_use"}]})
    said = entry.command
    assert isinstance(said, RegisterProtocol)
    assert (entry.stream, said.vector, said.access, said.draft) == (
        "protocol-nct90000001", "lentiviral", "compassionate_use", False,
    )  # fmt: skip
    assert said.criteria[0].ways == ((Comparison(analyte="age", op=">=", value="18", unit="a"),),)
    assert loaded(OWN)[0].command == loaded({"protocols": [OWN]})[0].command, "alone or in a list"


def test_what_is_asked_before_another_dose_is_taken_or_refused_where_it_stands() -> None:
    asked = {"interval_days": 28, "toxicity": [{"kind": "crs", "highest": 2}], "antigen": "CD70", "antigen_days": 14}
    [entry] = loaded({"protocols": [{**OWN, "redosing": asked}]})
    assert isinstance(entry.command, RegisterProtocol)
    assert entry.command.redosing == RedosingCriteria(
        interval_days=28, toxicity=(ToxicityLimit(kind="crs", highest=2),), antigen="CD70", antigen_days=14
    )
    [(line, words)] = faults({"protocols": [{**OWN, "redosing": {**asked, "antigen": "CD19"}}]})
    assert line.startswith('"redosing"')
    assert "one of the targets: CD70" in words


def test_every_trial_of_the_projects_list_is_taken_with_the_criteria_it_has() -> None:
    found = {entry.stream: entry.command for entry in loaded(PROTOCOLS.read_bytes())}
    known = protocols()
    assert set(found) == set(known)
    for stream, command in found.items():
        assert isinstance(command, RegisterProtocol)
        assert (command.criteria, command.source, command.centre) == (
            known[stream].criteria, known[stream].source, known[stream].centre,
        )  # fmt: skip
        assert not command.draft
    assert {e.stream for e in loaded(CENTRES.read_bytes(), "centre")} == set(centres())


def test_what_is_known_by_name_only_is_a_draft_that_says_so() -> None:
    unsourced = json.loads(PROTOCOLS.read_text())["unsourced"]
    found = loaded({"brought_in": "2026-11-22", "protocols": unsourced})
    for entry in found:
        assert isinstance(entry.command, RegisterProtocol)
        assert entry.command.draft
        assert UNSOURCED in entry.command.source
    assert found


def test_a_study_record_is_a_draft_with_its_text_word_for_word() -> None:
    [entry] = loaded({"studies": [STUDY]})
    said = entry.command
    assert isinstance(said, RegisterProtocol)
    assert (said.registry, said.registry_status, said.phase, said.product) == (
        "NCT90000002", "RECRUITING", "PHASE1, PHASE2", "UCAR-19",
    )  # fmt: skip
    assert (said.product_class, said.targets, said.draft, said.as_of.isoformat()) == (
        "allogeneic", ("CD19",), True, "2026-09-14",
    )  # fmt: skip
    assert [(place.facility, place.status) for place in said.locations] == [
        ("Renji Hospital", "RECRUITING"),
        ("Peking University Cancer Hospital", "NOT_YET_RECRUITING"),
    ]
    least, most, sex, text = said.criteria
    assert (least.tests[0].value, least.tests[0].op, most.tests[0].value) == ("18", ">=", "75")
    assert sex.words == "sex: FEMALE"
    assert text.words == STUDY["protocolSection"]["eligibilityModule"]["eligibilityCriteria"]
    findings = {one.criterion: one.gaps[0].lacks for one in screen(said.criteria, [], NOW)}
    assert findings["eligibility_text"] == findings["sex"] == "not_in_source", "a person reads it"


def changed(**fields: Any) -> Any:
    return {"protocols": [OWN, {**OWN, "registry": "NCT90000003", **fields}]}


def with_test(**test: Any) -> Any:
    return changed(criteria=[CRITERION, {**CRITERION, "id": "b", "ways": [[{**AGE, **test}]]}])


@pytest.mark.parametrize(
    ("said", "line", "words"),
    [
        (with_test(op="=>"), '"op": "=>"', "must be '<', '<=', '>', '>=' or 'in'"),
        (with_test(analyte="sodium"), "{", "criterion b: sodium is not observed"),
        (with_test(unit="stone"), "{", "criterion b: age is compared in"),
        (with_test(value="many"), "{", "criterion b: age needs a number"),
        (changed(as_of="2026-13-01"), '"as_of": "2026-13-01"', "must be a day"),
        (changed(as_of="2027-01-01"), '"as_of": "2027-01-01"', "that lies in the future"),
        (changed(criteria=[{**CRITERION, "only_if": "age"}]), '"only_if": "age"', "has no value this field can take"),
        (changed(criteria=[{**CRITERION, "refers_to": "b"}]), '"refers_to": "b"', "is not a field of this command"),
        (changed(product_class="gene"), '"product_class": "gene"', "must be"),
        (changed(stream="protocol-Ü"), '"stream": "protocol-\\u00dc"', "is no id"),
        (changed(registry="NCT90000001"), "{", "stands in the file twice"),
        (changed(sites=[{"centre": "centre-a", "state": "full"}]), "{", "is required"),
        ({"protocols": []}, "{", "there is nothing in the file"),
        ({"trials": []}, "{", "is no list of `protocols`"),
        ({"protocols": [3]}, "3", "is no object"),
    ],
    ids=str,
)
def test_a_fault_is_named_by_its_line_and_reason(said: Any, line: str, words: str) -> None:
    found = faults(said)
    assert any(at.startswith(line) and words in detail for at, detail in found), found


def test_every_fault_is_named_not_only_the_first() -> None:
    wrong = [{**CRITERION, "id": name, "ways": [[{**AGE, "unit": "stone"}]]} for name in ("a", "b")]
    found = faults({"protocols": [{**OWN, "criteria": wrong}, {**OWN, "registry": "N2", "as_of": "soon"}]})
    assert [detail.split(":")[0] for _, detail in found] == [
        "criterion a",
        "criterion b",
        "must be a day, as 2026-11-21",
    ]


def test_a_study_record_without_what_a_protocol_needs_is_refused_where_it_is_missing() -> None:
    broken = json.loads(json.dumps(STUDY))
    del broken["protocolSection"]["statusModule"]["lastUpdatePostDateStruct"]
    broken["protocolSection"]["statusModule"]["statusVerifiedDate"] = "soon"
    [(line, detail)] = faults(broken)
    assert line.startswith('"statusModule"')
    assert "must be a day" in detail


STREAM = "protocol-nct90000001"


def held(*said: Any) -> Protocol:
    """The protocol after these files were loaded one after the other."""
    state: Any = fold(STREAM, [])
    events: list[Any] = []
    for one in said:
        for command in plan(loaded(one)[0], state if events else None).commands:
            events += when(STREAM, given(STREAM, *events), command, NOW)
        state = given(STREAM, *events)
    assert isinstance(state, Protocol)
    return state


def test_a_file_amends_what_differs_reviews_what_is_the_same_and_repeats_nothing() -> None:
    known = held(OWN)
    same = plan(loaded(OWN)[0], known)
    assert (same.what, same.commands) == ("unchanged", [])
    later = {**OWN, "as_of": "2026-11-01"}
    seen = plan(loaded(later)[0], known)
    assert (seen.what, [type(command) for command in seen.commands]) == ("reviewed", [ReviewEntry])
    other = plan(loaded({**later, "phase": "2"})[0], known)
    assert (other.what, [(c.field, c.was, c.becomes) for c in other.changes]) == ("amended", [("phase", "", "2")])
    amended = held(OWN, {**later, "phase": "2"})
    assert (amended.number, amended.review and amended.review.as_of.isoformat()) == (2, "2026-11-01")


def test_words_from_a_registry_do_not_undo_what_a_person_structured() -> None:
    study = json.loads(json.dumps(STUDY))
    study["protocolSection"]["identificationModule"]["nctId"] = OWN["registry"]
    kept = plan(loaded(study)[0], held(OWN))
    assert (kept.what, kept.commands) == ("kept", ())
    assert "criteria" in {change.field for change in kept.changes}
    assert plan(loaded(OWN)[0], held(study)).what == "amended", "the other way round it is what a person did"


def test_sites_in_a_file_are_told_once() -> None:
    site = {
        "centre": "centre-a",
        "state": "full",
        "since": "2026-11-01",
        "until": "2026-12-30T00:00:00Z",
        "by": "office",
    }
    known = held({**OWN, "sites": [site]})
    assert [s.lease.state for s in known.sites if s.lease] == ["full"]
    assert plan(loaded({**OWN, "sites": [site]})[0], known).what == "unchanged"
    assert plan(loaded({**OWN, "sites": [{**site, "state": "paused"}]})[0], known).what == "amended"


def test_a_row_without_criteria_as_data_is_a_draft_in_its_own_words() -> None:
    rows = json.loads(PROTOCOLS.read_text())["protocols"]
    bare = [{name: value for name, value in row.items() if name != "criteria"} for row in rows]
    found = loaded({"brought_in": "2026-11-22", "protocols": bare})
    assert len(found) == len(rows)
    for entry, row in zip(found, rows, strict=True):
        assert isinstance(entry.command, RegisterProtocol)
        assert entry.command.draft
        asked = {one.id: one.words for one in entry.command.criteria}
        for name in ("cns", "infection", "eligibility_other"):
            assert bool(row.get(name)) == (name in asked)


def test_a_name_in_other_letters_needs_an_id_of_its_own() -> None:
    """Of such a name nothing is left for an id: a second one would have taken the place of the first."""
    centre = {**json.loads(CENTRES.read_text())["centres"][0], "name": "北京医院"}
    del centre["stream"]
    [(_, words)] = faults({"centres": [centre]}, "centre")
    assert "is no id; give one" in words
    assert loaded({"centres": [{**centre, "stream": "centre-beijing"}]}, "centre"), "the control"


def test_study_records_beside_protocols_are_read_too() -> None:
    assert [one.stream for one in loaded({"protocols": [OWN], "studies": [STUDY]})] == [
        "protocol-nct90000001", "protocol-nct90000002",
    ]  # fmt: skip


def test_nothing_stands_in_a_file_twice_under_two_ids() -> None:
    twice = [{**OWN, "stream": "protocol-a"}, {**OWN, "stream": "protocol-b", "registry": OWN["registry"].lower()}]
    [(_, words)] = faults({"protocols": twice})
    assert words == "nct90000001 stands in the file twice"
    site = {"centre": "centre-a", "until": "2027-01-01T00:00:00Z", "by": "Dr Li"}
    [(_, words)] = faults({**OWN, "sites": [{**site, "state": "open"}, {**site, "state": "closed"}]})
    assert "which of the two counts" in words
    assert len(loaded({**OWN, "sites": [site | {"state": "open"}]})[0].sites) == 1, "the control"
