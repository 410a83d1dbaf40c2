"""Four eyes: one proposes, another confirms; until then, what was there goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from domain.catalogue.around import Around
from domain.catalogue.centre import Centre, ChangeEndpoint, EndpointChanged, PauseCentre, RegisterCentre, ResumeCentre
from domain.catalogue.four_eyes import ChangeUndone, ConfirmProposal, ProposalConfirmed, UndoChange, WithdrawProposal
from domain.catalogue.staff import ChangeRole, DismissPerson, PersonRegistered, RegisterPerson, SetAbsence, Staff
from domain.catalogue.streams import Command, State, aggregate, decide, read_model
from domain.core.errors import Reason, Refused
from domain.core.fact import Fact
from domain.core.telling.notices import LEASE, ClaimNotice, NoticeOwed, RecordNotice
from domain.core.when import When
from tests.domain.catalogue.steps import NOW
from tests.domain.catalogue.test_centre import FIELDS, KEY, OTHER_KEY, REGISTERED
from tests.domain.catalogue.test_staff import REGISTER as SOMEBODY
from tests.drawing import draws

CENTRE, PERSON = "centre-1", "person-somebody"
OMAR, SAM, EVA = "person-omar", "person-sam", "person-eva"
KEEPERS = frozenset({OMAR, SAM, EVA})
LAPSE = timedelta(days=14)
EVIL = ChangeEndpoint("https://evil.example", "desk@evil.example", OTHER_KEY)


@dataclass
class Stream:
    """One stream under commands of several people, as the command handler gives them."""

    name: str
    state: Any = None
    now: datetime = NOW
    keepers: frozenset[str] = KEEPERS
    closed: bool = True
    versions: Any = field(default_factory=lambda: count(1))
    made: int = 0
    """How many proposals there were; they are called p1, p2, and so on."""

    def __post_init__(self) -> None:
        self.state = aggregate(self.name).initial

    def has(self, *events: Any, by: str = "import") -> Stream:
        for event in events:
            fact: Fact[Any] = Fact(event, "e", next(self.versions), self.now, When.at(self.now), by)
            self.state = aggregate(self.name).evolve(self.state, fact)
        return self

    def does(self, by: str, command: Command, *, signed_in: bool = True) -> Sequence[Any]:
        """The events of a command, folded."""
        around = Around(self.name, by, signed_in, self.keepers, self.closed, LAPSE)
        drafts = decide(self.name, self.state, command, self.now, lambda: f"p{self.made + 1}", around)
        events = [draft.event for draft in drafts]
        self.has(*events, by=by)
        self.made += any(hasattr(event, "until") for event in events)
        return events

    def refuses(self, by: str, command: Command, *, signed_in: bool = True) -> Reason:
        with pytest.raises(Refused) as no:
            self.does(by, command, signed_in=signed_in)
        return no.value.reason


def reached(state: State) -> tuple[str, str, str]:
    assert isinstance(state, Centre)
    return state.endpoint, state.mail, state.callback_key


OLD = (FIELDS["endpoint"], FIELDS["mail"], KEY)
NEW = (EVIL.endpoint, EVIL.mail, EVIL.callback_key)
TOLD = f"FHIR {OLD[0]} → {EVIL.endpoint}; @ {OLD[1]} → {EVIL.mail}; Ed25519 {OLD[2]} → {OTHER_KEY}"
BACK = f"FHIR {EVIL.endpoint} → {OLD[0]}; @ {EVIL.mail} → {OLD[1]}; Ed25519 {OTHER_KEY} → {OLD[2]}"


@pytest.fixture
def centre() -> Stream:
    """A centre of an older ledger: what stands there is in force."""
    return Stream(CENTRE).has(REGISTERED)


@pytest.fixture
def person() -> Stream:
    return Stream(PERSON).has(PersonRegistered("coordinator", "asia", "Meera", "m@example.org", "Asia/Kolkata", "en"))


def test_one_proposes_and_another_confirms(centre: Stream) -> None:
    proposed, owed = centre.does(OMAR, EVIL)
    assert (proposed.type, proposed.until) == ("EndpointProposed", NOW + LAPSE)
    assert owed == NoticeOwed("p1", "proposed", (EVA, SAM, "contact"), OLD[1], TOLD)
    assert reached(centre.state) == OLD
    waits = {"id": "p1", "by": OMAR, "until": NOW + LAPSE}
    assert read_model(CENTRE, centre.state)["proposal"] == waits
    confirmed, changed, owed = centre.does(SAM, ConfirmProposal("p1"))
    assert isinstance(confirmed, ProposalConfirmed)
    assert isinstance(changed, EndpointChanged)
    assert owed == NoticeOwed("p1", "confirmed", (EVA, OMAR, "contact"), OLD[1], TOLD)
    assert reached(centre.state) == NEW
    assert centre.state.eyes.confirmed.by == (OMAR, SAM)
    assert "proposal" not in read_model(CENTRE, centre.state)


def test_whoever_proposed_does_not_confirm_and_nobody_without_the_right_does(centre: Stream) -> None:
    centre.does(OMAR, EVIL)
    assert centre.refuses(OMAR, ConfirmProposal("p1")) is Reason.FOUR_EYES
    assert centre.refuses("person-coordinator", ConfirmProposal("p1")) is Reason.NOT_ALLOWED
    assert centre.refuses(SAM, ConfirmProposal("p1"), signed_in=False) is Reason.FOUR_EYES
    assert centre.refuses("operator", EVIL, signed_in=False) is Reason.FOUR_EYES
    assert centre.refuses(SAM, ConfirmProposal("p2")) is Reason.NOT_FOUND
    assert reached(centre.state) == OLD


def test_a_proposal_ends_with_the_right_of_whoever_made_it(centre: Stream) -> None:
    centre.does(OMAR, EVIL)
    centre.keepers -= {OMAR}
    assert centre.refuses(SAM, ConfirmProposal("p1")) is Reason.LAPSED


def test_a_proposal_lapses_by_itself_and_another_takes_its_place(centre: Stream) -> None:
    centre.does(OMAR, EVIL)
    assert centre.refuses(SAM, replace(EVIL, mail="x@example.org")) is Reason.ALREADY
    centre.now += LAPSE
    assert centre.refuses(SAM, ConfirmProposal("p1")) is Reason.LAPSED
    assert centre.refuses(OMAR, WithdrawProposal("p1")) is Reason.LAPSED
    centre.does(SAM, EVIL)
    assert centre.refuses(OMAR, ConfirmProposal("p1")) is Reason.NOT_FOUND
    centre.does(OMAR, ConfirmProposal("p2"))
    assert reached(centre.state) == NEW


@pytest.mark.parametrize("by", [OMAR, SAM])
def test_a_proposal_is_withdrawn_or_turned_down(centre: Stream, by: str) -> None:
    centre.does(OMAR, EVIL)
    centre.does(by, WithdrawProposal("p1"))
    assert centre.refuses(SAM, ConfirmProposal("p1")) is Reason.NOT_FOUND
    assert reached(centre.state) == OLD


def test_a_change_is_undone_by_one_in_one_step_to_exactly_what_was_there(centre: Stream) -> None:
    centre.does(OMAR, EVIL)
    centre.does(SAM, ConfirmProposal("p1"))
    undone, back, owed = centre.does(EVA, UndoChange("p1"))
    assert (undone, back) == (ChangeUndone("p1"), EndpointChanged(*OLD))
    assert owed == NoticeOwed("p1", "undone", (OMAR, SAM, "contact"), OLD[1], BACK)
    assert reached(centre.state) == OLD
    assert centre.refuses(OMAR, UndoChange("p1")) is Reason.NOT_FOUND  # nobody goes back and forth alone


def test_only_the_newest_change_is_undone_and_only_for_a_time(centre: Stream) -> None:
    centre.does(OMAR, EVIL)
    centre.does(SAM, ConfirmProposal("p1"))
    centre.does(OMAR, replace(EVIL, mail="other@example.org"))
    centre.does(SAM, ConfirmProposal("p2"))
    assert centre.refuses(EVA, UndoChange("p1")) is Reason.NOT_FOUND
    centre.now += LAPSE
    assert centre.refuses(EVA, UndoChange("p2")) is Reason.LAPSED


def test_a_new_centre_stands_there_and_is_not_reached_until_confirmed() -> None:
    centre = Stream(CENTRE)
    registered, proposed, owed = centre.does(OMAR, RegisterCentre(**FIELDS))
    assert (registered.type, proposed.type) == ("CentreRegistered", "EndpointProposed")
    assert owed.to == (EVA, SAM)  # nobody was reached there before
    assert reached(centre.state) == ("", "", "")
    centre.does(SAM, ConfirmProposal("p1"))
    assert reached(centre.state) == OLD
    centre.does(SAM, UndoChange("p1"))
    assert reached(centre.state) == ("", "", "")


def test_a_centre_that_nobody_reaches_needs_nobody_else() -> None:
    centre = Stream(CENTRE)
    [registered] = centre.does(OMAR, RegisterCentre(**{**FIELDS, "endpoint": "", "mail": "", "callback_key": ""}))
    assert registered.type == "CentreRegistered"


def test_before_anybody_could_be_asked_it_is_in_force_at_once() -> None:
    centre, person = Stream(CENTRE, closed=False), Stream(PERSON, closed=False)
    assert [e.type for e in centre.does("operator", RegisterCentre(**FIELDS), signed_in=False)] == ["CentreRegistered"]
    assert [e.type for e in centre.does("operator", EVIL, signed_in=False)] == ["EndpointChanged"]
    assert [e.type for e in person.does("operator", SOMEBODY, signed_in=False)] == ["PersonRegistered"]


def test_somebody_joins_changes_roles_leaves_and_comes_back() -> None:
    person = Stream(PERSON)

    def stands() -> tuple[Any, ...]:
        return person.state.role, person.state.team, person.state.left

    person.does(OMAR, SOMEBODY)
    assert stands() == (None, "", None)
    person.does(SAM, ConfirmProposal("p1"))
    assert stands() == ("coordinator", "asia", None)
    person.does(OMAR, ChangeRole("supervisor", "europe"))
    assert stands() == ("coordinator", "asia", None)
    person.does(SAM, ConfirmProposal("p2"))
    assert stands() == ("supervisor", "europe", None)
    person.does(SAM, DismissPerson("left"))
    person.does(OMAR, ConfirmProposal("p3"))
    assert stands() == (None, "europe", "left")
    assert person.refuses(OMAR, SOMEBODY) is Reason.ALREADY
    assert person.refuses(OMAR, SetAbsence(NOW, NOW + LAPSE, "person-2")) is Reason.NOT_FOUND
    person.does(EVA, UndoChange("p3"))
    assert stands() == ("supervisor", "europe", None)
    person.does(SAM, DismissPerson("other"))
    person.does(OMAR, ConfirmProposal("p4"))
    person.does(SAM, ChangeRole("translator", "asia"))
    person.does(OMAR, ConfirmProposal("p5"))
    assert stands() == ("translator", "asia", None)
    assert person.state.mail == "meera@example.org"


def test_a_registration_that_is_undone_leaves_nobody_behind() -> None:
    person = Stream(PERSON)
    person.does(OMAR, SOMEBODY)
    person.does(SAM, ConfirmProposal("p1"))
    person.does(EVA, UndoChange("p1"))
    assert (person.state.role, person.state.left) == (None, "registered_by_mistake")


def test_nobody_decides_about_themselves(person: Stream) -> None:
    person.keepers |= {PERSON}
    assert person.refuses(PERSON, ChangeRole("supervisor", "asia")) is Reason.FOUR_EYES
    person.does(OMAR, DismissPerson("left"))
    assert person.refuses(PERSON, ConfirmProposal("p1")) is Reason.FOUR_EYES
    assert person.refuses(PERSON, WithdrawProposal("p1")) is Reason.FOUR_EYES
    person.does(SAM, ConfirmProposal("p1"))
    assert person.refuses(PERSON, UndoChange("p1")) is Reason.FOUR_EYES


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (ChangeRole("coordinator", "asia"), Reason.ALREADY),
        (ChangeRole("supervisor", ""), Reason.INVALID),
        (ConfirmProposal("p1"), Reason.NOT_FOUND),
        (WithdrawProposal("p1"), Reason.NOT_FOUND),
        (UndoChange("p1"), Reason.NOT_FOUND),
    ],
)
def test_what_is_refused(person: Stream, command: Command, reason: Reason) -> None:
    assert person.refuses(OMAR, command) is reason


@pytest.mark.parametrize("command", [ChangeRole("supervisor", "asia"), DismissPerson("left")])
def test_nothing_happens_to_somebody_who_is_not_there(command: Command) -> None:
    assert Stream(PERSON).refuses(OMAR, command) is Reason.NOT_FOUND


def test_each_is_told_by_one_at_a_time_and_nobody_twice_without_saying_so(centre: Stream) -> None:
    centre.does(OMAR, EVIL)
    claim, sent = ClaimNotice("p1", "proposed", SAM), RecordNotice("p1", "proposed", SAM, "sent")
    put_off = replace(sent, outcome="put_off")

    def tries() -> int:
        return int(next(one.tries for one in centre.state.eyes.owed if one.to == SAM))

    centre.does("engine", claim, signed_in=False)
    assert centre.refuses("engine", claim, signed_in=False) is Reason.NOT_NOW
    centre.does("engine", put_off, signed_in=False)
    assert tries() == 0  # nothing was sent
    centre.now += LEASE
    centre.does("engine", claim, signed_in=False)
    assert tries() == 1  # whoever claimed it may have sent it
    centre.does("engine", sent, signed_in=False)
    assert centre.refuses("engine", claim, signed_in=False) is Reason.NOT_FOUND
    assert read_model(CENTRE, centre.state)["untold"] == 2


PROPOSALS = st.integers(1, 3).map(lambda n: f"p{n}")
ABOUT_BOTH = st.one_of(
    PROPOSALS.map(ConfirmProposal), PROPOSALS.map(WithdrawProposal),
)  # fmt: skip
ENDPOINTS = st.builds(
    ChangeEndpoint, st.sampled_from(["", "https://evil.example", FIELDS["endpoint"]]),
    st.sampled_from(["", "a@evil.example"]), st.sampled_from([KEY, OTHER_KEY]),
)  # fmt: skip
OF_CENTRES = st.one_of(ABOUT_BOTH, ENDPOINTS, st.just(RegisterCentre(**FIELDS)), st.just(PauseCentre("x")),
                       st.just(ResumeCentre()))  # fmt: skip
ROLES = st.sampled_from(["coordinator", "supervisor", "operator", "auditor"])
OF_PERSONS = st.one_of(
    ABOUT_BOTH, st.builds(ChangeRole, ROLES, st.sampled_from(["asia", "europe"])), st.just(DismissPerson("left")),
    st.builds(RegisterPerson, ROLES, *map(st.just, ("asia", "N", "n@example.org", "Asia/Kolkata", "en"))),
)  # fmt: skip
STEPS = st.tuples(st.booleans(), st.integers(0, 9))


def attempts(stream: Stream, by: str, commands: Sequence[Command], steps: Sequence[tuple[bool, int]]) -> None:
    for command, (signed_in, days) in zip(commands, steps, strict=False):
        stream.now += timedelta(days=days)
        try:
            stream.does(by, command, signed_in=signed_in)
        except Refused:
            continue


@drawn(st.sampled_from(sorted(KEEPERS)), st.lists(OF_CENTRES, max_size=12), st.lists(STEPS, min_size=12, max_size=12))
@draws(150)
def test_no_sequence_of_commands_by_one_person_changes_where_a_hospital_is_reached(
    by: str, commands: list[Command], steps: list[tuple[bool, int]]
) -> None:
    known, fresh = Stream(CENTRE).has(REGISTERED), Stream(CENTRE)
    for stream, before in ((known, OLD), (fresh, ("", "", ""))):
        attempts(stream, by, commands, steps)
        assert reached(stream.state) == before


@drawn(st.sampled_from(sorted(KEEPERS)), st.lists(OF_PERSONS, max_size=12), st.lists(STEPS, min_size=12, max_size=12))
@draws(150)
def test_no_sequence_of_commands_by_one_person_changes_who_may_do_what(
    by: str, commands: list[Command], steps: list[tuple[bool, int]]
) -> None:
    registered = PersonRegistered("operator", "asia", "N", "n@example.org", "Asia/Kolkata", "en")
    for stream, before in ((Stream(by).has(registered), "operator"), (Stream(PERSON), None)):
        attempts(stream, by, commands, steps)
        assert isinstance(stream.state, Staff)
        assert stream.state.role == before


@drawn(st.lists(st.tuples(st.sampled_from(sorted(KEEPERS)), OF_CENTRES), max_size=15))
@draws(150)
def test_the_same_commands_by_several_people_do_change_it_and_both_names_stand_there(
    said: list[tuple[str, Command]],
) -> None:
    """The control: what one person cannot do, two can; and only two different ones."""
    stream = Stream(CENTRE).has(REGISTERED)
    for by, command in [*said, (OMAR, EVIL)]:
        attempts(stream, by, [command], [(True, 0)])
    if waits := stream.state.eyes.proposal:
        stream.does(next(k for k in sorted(KEEPERS) if k != waits.by), ConfirmProposal(waits.id))
    one, other = stream.state.eyes.confirmed.by
    assert one != other
    assert EndpointChanged(*reached(stream.state)) != stream.state.eyes.confirmed.back
