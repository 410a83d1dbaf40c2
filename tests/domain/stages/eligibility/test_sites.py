"""Where the sites of a protocol are known, a case goes by its own centre's, at every step that relies on it."""

from datetime import date, datetime, timedelta

import pytest

from domain.catalogue.site import SiteLease, SiteState
from domain.core.errors import Reason
from domain.stages.eligibility.eligibility import NEEDS
from domain.stages.eligibility.submissions import DossierSubmitted, SubmitDossier
from domain.stages.travel.travel import DoorClosed, DoorReopened
from tests.domain.course import CENTRE, PROTOCOL, start, submission
from tests.domain.journey import DAY, HOUR, Journey, when

SINCE = date(2026, 1, 1)
SHUT = "the protocol is not known to be open"


def sites(j: Journey, *known: tuple[str, SiteState, datetime]) -> Journey:
    """The protocol stands like that at these centres, whatever is said of it as a whole."""
    leases = tuple(SiteLease(centre, state, SINCE, until) for centre, state, until in known)
    return j.source(PROTOCOL, open=True, open_until=j.now + 365 * DAY, sites=leases)


@pytest.mark.parametrize("state", ["paused", "full", "closed"])
def test_a_dossier_goes_only_to_a_centre_whose_own_site_is_open(state: SiteState) -> None:
    j = start("chosen")
    sites(j, (CENTRE, state, j.now + 30 * DAY), ("centre-b", "open", j.now + 30 * DAY)).look()
    closed = when(j, SubmitDossier(submission(j)))
    closed.then_refused(Reason.LAPSED, "the protocol is not known to be open now; ask the centre to confirm it")
    sites(j, (CENTRE, "open", j.now + 30 * DAY), ("centre-b", state, j.now + 30 * DAY)).look()
    when(j, SubmitDossier(submission(j))).then_told(DossierSubmitted(submission(j), 1, 1))


def test_a_centre_that_is_no_site_of_it_has_no_open_door() -> None:
    j = start("chosen")
    sites(j, ("centre-b", "open", j.now + 30 * DAY)).look()
    refused = when(j, SubmitDossier(submission(j)))
    refused.then_refused(Reason.LAPSED, "the protocol is not known to be open now; ask the centre to confirm it")


def test_who_was_accepted_goes_no_further_while_that_centres_site_is_full() -> None:
    j = start("accepted")
    [need] = [need for need in NEEDS if need.name == "protocol known to be open"]
    sites(j, (CENTRE, "full", j.now + 30 * DAY), ("centre-b", "open", j.now + 30 * DAY)).look()
    assert not need.holds(j.case, j.now)
    sites(j, (CENTRE, "open", j.now + 30 * DAY)).look()
    assert need.holds(j.case, j.now)


def test_a_site_that_fills_up_closes_the_door_of_whoever_has_a_ticket_and_opens_it_again() -> None:
    j = start("admission")
    sites(j, (CENTRE, "open", j.now + 30 * DAY), ("centre-b", "full", j.now + 30 * DAY)).look()
    assert j.case.shut == ()
    sites(j, (CENTRE, "full", j.now + 30 * DAY), ("centre-b", "open", j.now + 30 * DAY)).look()
    assert DoorClosed((SHUT,)) in j.last
    sites(j, (CENTRE, "open", j.now + 30 * DAY)).look()
    assert DoorReopened() in j.last


def test_the_word_of_a_site_ends_by_itself_at_its_own_instant() -> None:
    j = start("admission")
    sites(j, (CENTRE, "open", j.now + 2 * HOUR), ("centre-b", "open", j.now + 30 * DAY)).look()
    assert j.agenda.wake_at == j.now + timedelta(hours=2)
    j.wait(by=2 * HOUR)
    assert j.case.shut == (SHUT,)


def test_a_protocol_without_sites_stands_everywhere_as_it_is_said_to() -> None:
    j = start("chosen")
    j.source(PROTOCOL, open=True, open_until=j.now + DAY, sites=()).look()
    when(j, SubmitDossier(submission(j))).then_told(DossierSubmitted(submission(j), 1, 1))
