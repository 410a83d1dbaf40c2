"""Pages of the rules of countries, and of a protocol under Order 818 from its file to the filing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from domain.law.countries import RULES
from tests.activities.catalogue_files.files import OWN
from tests.api.conftest import Person
from tests.api.console.conftest import Browser
from tests.api.routes.register.test_loading import CENTRE, load
from tests.api.routes.test_commands import assert_problem

TODAY = datetime.now(UTC).date().isoformat()
STREAM = "protocol-nct90000001"


async def test_a_file_names_the_route_and_the_page_shows_review_filing_and_what_is_charged_to_nobody(
    people: Mapping[str, Person], browsers: Mapping[str, Browser]
) -> None:
    keeper = people["operator"]
    own: Any = {**OWN, "route": "cn_order_818", "research_items": ["monitoring"]}
    there = {**CENTRE, "hospital_class": "class_iii_a"}
    for kind, said in (("centres", {"centres": [there]}), ("protocols", {"protocols": [own]})):
        answer = await load(keeper, kind, said)
        assert answer.status_code == 200, answer.text
    path = f"/protocols/{STREAM}/commands"
    review: Any = {"type": "RecordStudyReview", "passed": TODAY, "source": "minutes"}
    filing: Any = {"type": "RecordStudyFiling", "number": "F-2026-7", "filed": TODAY, "source": "trial office"}
    assert_problem(await keeper.post(path, filing), 409, "missing")
    page = (await browsers["coordinator"].get(f"/console/protocols/{STREAM}")).text
    for words in ("China: study of a new biomedical technology", "Not told", "Cell product, Monitoring",
                  "A participant is charged nothing for the study."):  # fmt: skip
        assert words in page, words
    assert (await keeper.post(path, review)).is_success
    assert (await keeper.post(path, filing)).is_success
    assert "F-2026-7" in (await browsers["coordinator"].get(f"/console/protocols/{STREAM}")).text
    shown = (await people["coordinator"].get(f"/protocols/{STREAM}")).json()["protocol"]
    assert shown["description"]["route"] == "cn_order_818"
    wrong = await load(keeper, "protocols", {"protocols": [{**own, "registry": "NCT9", "route": "cn_order_819"}]})
    assert wrong.status_code == 422
    assert "route" in wrong.text


async def test_the_page_of_rules_is_there_in_every_language(browsers: Mapping[str, Browser]) -> None:
    page = (await browsers["coordinator"].get("/console/rules")).text
    assert page.count("<tr id=") == len(RULES)
    for words in ("the article was not read", "PIPL art. 39", "class III grade A"):
        assert words in page
