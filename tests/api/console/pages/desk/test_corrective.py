"""Quality staff plans what is done about an alert in its form; the page says how it stands until something helped."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from tests.api.conftest import Person
from tests.api.console.conftest import Browser, hidden

pytestmark = pytest.mark.slow


async def test_from_an_alert_to_what_did_not_help(
    people: Mapping[str, Person], browsers: Mapping[str, Browser], supervisor: Person
) -> None:
    case = str((await supervisor.open(imported=True))["case"])
    until = datetime.now(UTC) + timedelta(days=60)
    facts = {"stage": "admission", "centre": "centre-x", "protocol": "protocol-x", "consents": ["data_processing"]}
    taken = await supervisor.send(case, "ImportFacts", **facts, accepted_until=until.isoformat())
    assert taken.is_success, taken.text
    assert (await supervisor.send(case, "ReportMalignancy", detail="T cell")).is_success
    [alert] = (await supervisor.get(f"/cases/{case}")).json()["case"]["alerts"]
    quality, page, today = browsers["quality"], f"/console/cases/{case}", datetime.now(UTC).date()
    form = (await quality.get(f"{page}/do/PlanCorrectiveAction")).text
    assert alert in form
    plan = {"alert": alert, "measure": "train again", "responsible": "ward"}
    days = {"done_by": f"{today + timedelta(days=14)}", "check_on": f"{today + timedelta(days=60)}"}
    wrong = await quality.post(
        f"{page}/do/PlanCorrectiveAction", **hidden(form), **plan, **{**days, "check_on": f"{today}"}
    )
    assert "whether it helped is looked at after it is done" in wrong.text
    sent = await quality.post(f"{page}/do/PlanCorrectiveAction", **hidden(form), **plan, **days)
    assert sent.status_code == 200, sent.text
    assert "Corrective actions" in sent.text
    [one] = (await supervisor.get(f"/cases/{case}")).json()["case"]["corrective"]
    done = {"corrective": one, "account": "trained"}
    assert (await people["auditor"].send(case, "CompleteCorrectiveAction", **done)).status_code == 403
    assert (await people["quality"].send(case, "CompleteCorrectiveAction", **done)).is_success
    assert "done, not checked yet" in (await quality.get(page)).text
    seen = await people["quality"].send(case, "CheckCorrectiveAction", corrective=one, effective=False, account="again")
    assert seen.is_success, seen.text
    assert "it did not help" in (await quality.get(page)).text
