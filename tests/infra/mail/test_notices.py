"""What people read: every notice in every language, neutral words only, and never at night."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.gateways import GatewayRefused, Request
from domain.case.costs import KINDS, CostLine, CostLines, Costs
from domain.core.personal import ERASED
from domain.core.policy import Party
from domain.journey import OWES, WANTS
from infra.mail.notices import LANGUAGES, CannotSay, _texts, compose, kinds
from infra.mail.quiet import quiet_until
from infra.mail.smtp import message_id, message_of

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
FACTS: dict[str, Any] = {
    "number": "2603-0017-4", "contact": "help@caravel.example", "what": "labs", "into": "zh", "due": NOW, "until": NOW,
    "language_from": "hi",
    "slots": (NOW, NOW),
    "called_off": {"kind": "admission", "starts": NOW},
    "arrangement": {"kind": "interpreter", "starts": NOW, "ends": NOW, "language_to": "zh", "mode": "phone",
                    "payer": ""},
    "link": "https://caravel.example/q/abc", "day": NOW.date(), "valid_until": NOW,
    "costs": Costs("f", NOW, "USD", 31_000, 73_000, CostLines(
        **{kind: CostLine(1_000, 9_000) for kind in KINDS}, trial_pays=("cell_product", "lymphodepletion"))),
}  # fmt: skip
AT_HOME = {
    "reserve_dose",
    "release_dose",
    "mark_unit_used",
    "trace_vector_lot",
    "mark_unit_destroyed",
    "tell_lot_of_shipment",
    "erase_case",
    "tell_linked_case",
    "erase_linked_case",
    "tell_waiting_list",
    "tell_cohort",
    "look_back",
}  # lots, keys, cases, protocols
SENDER = "coordination@caravel.example"
PROMISES = re.compile(
    r"guarante|cure|eligib|success|hope|best treatment|will be accepted|保证|治愈|符合条件|疗效|成功|希望|"
    r"نضمن|مضمون|شفاء|مؤهل|نجاح|نأمل",
    re.IGNORECASE,
)
DIAGNOSES = re.compile(
    r"cancer|lymphom|leuk|myelom|tumou?r|CAR-?T|\bcells?\b|chemo|癌|肿瘤|淋巴|白血|骨髓瘤|细胞|化疗|"
    r"سرطان|ورم|لمفوم|لوكيميا|ابيضاض|خلايا|خلية|كيميائي",
    re.IGNORECASE,
)


def request(kind: str = "request_record", effect: str = "e-1", **facts: object) -> Request:
    body = {**FACTS, "address": "family@example.org", "language": "en", **facts}
    return Request(effect, kind, "case-1", "about", "family", "", body)


def test_there_is_a_notice_for_every_effect_that_goes_by_mail() -> None:
    assert {row.kind for row in WANTS} | {"remind", "escalate"} == kinds() | AT_HOME


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_words_for_everything_that_can_be_owed(language: str) -> None:
    owed = {row.kind for row in OWES} | {"chase", "chase_again"}
    assert owed <= set(_texts(language)["words"])


def test_all_languages_say_the_same_things() -> None:
    def names(language: str) -> list[object]:
        texts = _texts(language)
        every = {**texts["notices"], **texts["changes"], **texts["chases"]}
        used = {k: sorted(re.findall(r"\$([a-z_]+)", n["subject"] + n["body"])) for k, n in every.items()}
        unique = {k: sorted(set(names)) for k, names in used.items()}
        return [unique, *(sorted(texts[group]) for group in ("words", "questions", "forms", "costs"))]

    assert names("en") == names("zh") == names("ar")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", sorted(kinds()))
def test_every_notice_is_short_neutral_and_complete(kind: str, language: str) -> None:
    notice = compose(kind, language, FACTS)
    whole = f"{notice.subject}\n{notice.body}"
    assert "$" not in whole
    assert len(whole) < 900
    assert len(notice.subject) < 78
    assert "\n" not in notice.subject
    assert FACTS["number"] in notice.subject
    assert not PROMISES.search(whole)
    assert not DIAGNOSES.search(whole)
    assert bool(re.search("[一-鿿]", whole)) == (language == "zh")
    assert bool(re.search("[\u0621-\u064a]", whole)) == (language == "ar")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_trial_bears_has_no_amount_and_what_the_family_pays_stands_last(language: str) -> None:
    words = _texts(language)["costs"]
    body = compose("send_estimate", language, FACTS).body
    assert f"- {words['cell_product']}: {words['trial']}\n" in body
    assert f"- {words['monitoring']}: 1,000 - 9,000 USD\n" in body
    assert f"{words['total']}: 31,000 - 73,000 USD\n" in body


def test_words_neither_promise_nor_diagnose() -> None:
    for language in LANGUAGES:
        texts = _texts(language)
        for said in [*texts["words"].values(), *texts["questions"].values()]:
            assert not PROMISES.search(said)
            assert not DIAGNOSES.search(said)


def test_an_unknown_language_reads_english_and_a_region_its_language() -> None:
    assert compose("remind", "ml-IN", FACTS) == compose("remind", "en", FACTS)
    assert compose("remind", "zh-Hans-CN", FACTS) == compose("remind", "zh", FACTS)


def test_what_cannot_be_said_is_named_without_values() -> None:
    with pytest.raises(CannotSay, match="remind needs due"):
        compose("remind", "en", {k: v for k, v in FACTS.items() if k != "due"})
    with pytest.raises(CannotSay, match="no text for dance"):
        compose("dance", "en", FACTS)


def test_a_mail_says_what_it_is_and_repeats_its_id() -> None:
    first, again = (message_of(request(language="zh"), SENDER, at) for at in (NOW, NOW + timedelta(hours=1)))
    assert first["Message-ID"] == again["Message-ID"] == message_id("e-1", SENDER) == "<e-1@caravel.example>"
    assert (first["Auto-Submitted"], first["X-Caravel-Effect"]) == ("auto-generated", "e-1")
    assert first.get_content_type() == "text/plain"
    assert "血液检查" in first.get_content()
    assert first["Date"] != again["Date"]


@pytest.mark.parametrize(
    "address",
    ["", ERASED, None, "nobody", "a@b.example\nBcc: x@y.example", "a@b.example, c@d.example", "@", "a@", "<a@b>"],
)
def test_what_is_no_address_is_a_definite_no(address: object) -> None:
    with pytest.raises(GatewayRefused, match="no_address"):
        message_of(request(address=address), SENDER, NOW)


def test_nothing_given_becomes_a_header() -> None:
    with pytest.raises(GatewayRefused, match="unspeakable"):
        message_of(request(number="1\r\nBcc: other@example.org"), SENDER, NOW)
    assert message_id("e 1>\r\n", SENDER).count("\n") == 0


def test_a_hospital_without_an_interface_gets_one_question() -> None:
    notice = compose("hold_bed", "en", FACTS)
    assert notice.body.count("?") == 1
    assert FACTS["link"] in notice.body
    asked = set(_texts("en")["questions"]) | {"submit_dossier", "write_to_centre"}  # which have a mail of their own
    assert {row.kind for row in WANTS if row.to is Party.HOSPITAL} - AT_HOME <= asked


@pytest.mark.parametrize(
    ("utc", "zone", "wakes"),
    [
        ("2026-03-05T12:00", "Asia/Shanghai", None),  # 20:00
        ("2026-03-05T13:00", "Asia/Shanghai", "2026-03-06T00:00"),  # 21:00, until 08:00
        ("2026-03-05T23:59", "Asia/Shanghai", "2026-03-06T00:00"),
        ("2026-03-06T00:00", "Asia/Shanghai", None),
        ("2026-03-05T18:00", "Asia/Kolkata", "2026-03-06T02:30"),
        ("2026-03-29T00:30", "Europe/Berlin", "2026-03-29T06:00"),  # clocks go forward that night
        ("2026-10-25T00:30", "Europe/Berlin", "2026-10-25T07:00"),  # and back
    ],
)
def test_quiet_hours_are_those_of_the_reader(utc: str, zone: str, wakes: str | None) -> None:
    found = quiet_until(datetime.fromisoformat(utc).replace(tzinfo=UTC), zone)
    assert found == (datetime.fromisoformat(wakes).replace(tzinfo=UTC) if wakes else None)


ZONES = st.sampled_from(["Asia/Shanghai", "Asia/Kolkata", "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "UTC"])


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)), ZONES)  # noqa: DTZ001  made aware below
def test_a_night_ends_within_half_a_day_at_eight(naive: datetime, zone: str) -> None:
    now = naive.replace(tzinfo=UTC)
    wakes = quiet_until(now, zone)
    if wakes:
        assert timedelta(0) < wakes - now <= timedelta(hours=12)
        assert wakes.astimezone(ZoneInfo(zone)).time() == time(8)
        assert quiet_until(wakes, zone) is None
    else:
        assert time(8) <= now.astimezone(ZoneInfo(zone)).time() < time(21)


def test_other_hours_and_what_is_no_instant() -> None:
    noon = datetime(2026, 3, 5, 12, tzinfo=UTC)
    assert quiet_until(noon, "UTC", time(11), time(13)) == noon + timedelta(hours=1)
    assert quiet_until(noon, "UTC", time(8), time(8)) is None
    with pytest.raises(ValueError, match="zone"):
        quiet_until(noon.replace(tzinfo=None), "UTC")


@pytest.mark.parametrize(
    ("reader", "pair", "says"),
    [
        ("en", ("hi", "zh"), "from Hindi into Chinese"),
        ("en", ("pt-BR", "ar"), "from Portuguese into Arabic"),
        ("zh", ("ru", "zh-Hans"), "从 俄文 译成 中文"),
        ("en", ("und", "xx"), "from the language it is in into xx"),
    ],
)
def test_the_pair_of_languages_is_said_to_the_translator(reader: str, pair: tuple[str, str], says: str) -> None:
    facts = {**FACTS, "language_from": pair[0], "into": pair[1]}
    assert says in compose("order_translation", reader, facts).body


def test_a_mail_about_an_arrangement_says_what_is_known_of_it_in_words() -> None:
    body = compose("arrange_service", "en", FACTS).body
    assert "- what: an interpreter\n" in body
    assert "- into: Chinese\n- how: by phone\n" in body
    assert "paid by" not in body, "nobody has said who pays"
    assert "interpreter" not in compose("arrange_service", "zh", FACTS).body


def test_details_of_arrangements_have_the_same_words_in_all_languages() -> None:
    every = [_texts(language)["details"] for language in LANGUAGES]
    said = [{part: sorted(one[part]) for part in one} for one in every]
    assert all(one == said[0] for one in said)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_case_has_one_word_in_every_subject(language: str) -> None:
    text = (files("infra.mail") / "texts" / f"{language}.yaml").read_text("utf-8")
    words = re.findall(r'subject: "(\S+) \$number', text)
    assert len(words) > len(LANGUAGES), "the control: subjects are read"
    assert len(set(words)) == 1, set(words)
