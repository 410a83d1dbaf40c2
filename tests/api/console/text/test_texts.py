"""Texts in three languages: complete, used, translated, counted and directed rightly; no words stand in a template."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from string import Formatter
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from api.console.actions import meaning_of
from api.console.forms.fields import Maker
from api.console.pages.differing import UNTOLD
from api.console.text.fact_text import INSIDE, STATE_OF, STATES
from api.console.text.plurals import form_of
from api.console.text.texts import FOREIGN, ISOLATE, POP, SAME, Texts, _texts, languages, marked
from api.console.text.times import ViewerClock
from api.console.web import HERE
from domain.case.phases.bookkeeping import Noted
from domain.case.state import Case
from domain.core.roles import Action
from domain.core.shape import shape_of
from domain.core.when import When
from domain.engine.evolve import EVENTS
from domain.history.difference import APART
from domain.journey import COMMANDS, MODULES
from domain.roles import action_of
from infra.audit.verification.found import MEANING
from tests.api.conftest import Person
from tests.api.console.conftest import Browser

OTHERS = ["zh", "ar"]
WHERE = {**STATES, "state": ("state", *STATE_OF.values())}
"""Where the words for what a field of this name holds may be."""
FORMS = re.compile(r"\.(zero|one|two|few|many|other)$")
ALIKE = {"app.name", "case.for", "time.instant", "time.day", "criteria.ground"}
"""Where the same text is right in several languages."""
NAMED = re.compile(
    r"\{\w+\}|caravel (?:up|audit verify)|\b(?:RFC 9162|Temporal|PDF|DICOM|JPEG|PNG|TIFF)\b"
    r"|\b(?:CRi|CRS|ICANS|GVHD|MRD|CD34|SHA-256|ECOG|Lansky|PCR|RNA|DNA|flow|ihc|positive|yes|Asia/Kolkata)\b"
    r"|\b(?:Deauville|Lugano|ELN|IMWG|iwCLL|RECIST|RANO|PET-CT|NGS|HLA)\b"
    r"|\b(?:ICE|ASTCT|MAGIC|ICAHT|HLH|umol|ISBT 128|GS1|GTIN|CHA999926000042)\b"
    r"|\b(?:CSV|UTF-8|FHIR R4|JSON|MiB|LOINC|Synthea|synthea_\w+|Hb = haemoglobin|Cockcroft-Gault|CKD-EPI 2021)\b"
)
"""What is put in, commands as they are typed, and names that are the same in every script."""
TEMPLATES = sorted((HERE / "templates").glob("*.html"))
SOURCE = "\n".join(f.read_text() for f in [*TEMPLATES, *HERE.rglob("*.py"), *(HERE.parent / "papers").glob("*.py")])


def keys(language: str) -> dict[str, set[str]]:
    """Key → what is put into its text; the forms of a counted text are one key."""
    found: dict[str, set[str]] = {}
    for key, text in _texts(language).items():
        names = {name for _, name, _, _ in Formatter().parse(text) if name}
        found.setdefault(FORMS.sub("", key) if text_is_form(language, key) else key, set()).update(names)
    return found


def text_is_form(language: str, key: str) -> bool:
    return bool(FORMS.search(key)) and f"{FORMS.sub('', key)}.other" in _texts(language) and key.count(".") > 1


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_of_english_is_missing(language: str) -> None:
    english, own = keys("en"), keys(language)
    assert not set(english) - set(own)
    differing = {key for key in set(english) & set(own) if english[key] != own[key]}
    assert not differing, "what is put into a text"


@pytest.mark.parametrize("language", ["en", *OTHERS])
def test_a_sentence_is_said_in_two_places_only_where_every_language_says_one_there(language: str) -> None:
    """A sentence that was put at a wrong key stands in two places, and the other languages say two things there."""
    own, longest = _texts(language), 14 if language == "zh" else 30
    places: dict[str, list[str]] = {}
    for key, text in own.items():
        if len(text) >= longest and not text_is_form(language, key):
            places.setdefault(text, []).append(key)
    twice = [found for found in places.values() if len(found) > 1]
    assert twice, "the control"
    for other in {"en", *OTHERS} - {language}:
        said = _texts(other)
        assert not [found for found in twice if len({said[key] for key in found}) > 1], other


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_is_left_in_english(language: str) -> None:
    english, own = _texts("en"), _texts(language)
    assert {key for key in english if own.get(key) == english[key]} <= ALIKE
    latin = {key: text for key, text in own.items() if re.search("[A-Za-z]{3}", NAMED.sub("", text))}
    assert {text for text in latin.values() if "Caravel" not in text} == set()


def named_of_domain() -> Iterator[tuple[str, str]]:
    """Every name of the domain that a page may put into words."""
    for command in COMMANDS:
        if action_of(command.__name__) is not Action.ENGINE:
            yield "command", command.__name__
        yield from fields_of(command)
    for event in EVENTS:
        yield "event", event.__name__
        yield from fields_of(event)
    for group, module in MODULES.items():
        yield "group", group
        yield from (("need", need.name) for need in getattr(module, "NEEDS", ()) if not need.name.isupper())
        yield from (("rule", rule.name) for rule in getattr(module, "RULES", ()))
        yield from (("owed", row.kind) for row in getattr(module, "OWES", ()))


def fields_of(kind: type[Any]) -> Iterator[tuple[str, str]]:
    hints = get_type_hints(kind, include_extras=True)
    for field in fields(kind):
        if field.name != "type":
            yield "field", field.name
            shape = shape_of(hints[field.name])
            yield from ((field.name, word) for word in shape.words if shape.kind in ("choice", "many"))


@pytest.mark.parametrize("language", OTHERS)
def test_the_words_of_the_domain_are_translated(language: str) -> None:
    """A new command may come without words for a while; a language may not fall behind."""
    names = set(named_of_domain())
    without = {name for name in names if not Texts(language).own(*name)}
    assert len(without) < len(names) / 10, sorted(without)


def parts_of(kind: Any) -> Iterator[Any]:
    """A type and every type it is made of."""
    yield kind
    for part in get_args(kind) if get_origin(kind) is not Literal else ():
        yield from parts_of(part)


def values_in_case(kind: type[Any] = Case) -> Iterator[tuple[str, Any]]:
    """Name and type of every field that the differences of a case may show, and of what it holds."""
    for name, hint in get_type_hints(kind).items():
        if name not in (APART | UNTOLD if kind is Case else INSIDE):
            yield name, hint
            for part in parts_of(hint):
                inside = isinstance(part, type) and is_dataclass(part) and part not in (When, Noted)
                yield from values_in_case(part) if inside else ()


@pytest.mark.parametrize("language", ["en", *OTHERS])
def test_every_field_of_a_case_has_words_for_its_differences(language: str) -> None:
    t = Texts(language)
    shown = {f.name for f in fields(Case)} - APART - UNTOLD
    assert {name for name in shown if not t.own("differs", name)} == set()
    assert {key for key in _texts(language) if key.startswith("differs.")} == {f"differs.{name}" for name in shown}


@pytest.mark.parametrize("language", OTHERS)
def test_what_the_fields_of_a_case_hold_is_said_in_the_language(language: str) -> None:
    t, known = Texts(language), set(fields_and_words())
    assert {name for name, _ in known if not (t.own("field", name) or t.own("differs", name))} == set()
    groups = {(name, word): WHERE.get(name, (name,)) for name, word in known if word}
    assert {one for one, among in groups.items() if not any(t.own(group, one[1]) for group in among)} == set()


def fields_and_words() -> Iterator[tuple[str, str]]:
    for name, hint in values_in_case():
        words = [get_args(part) for part in parts_of(hint) if get_origin(part) is Literal]
        yield from ((name, word) for word in [w for one in words for w in one] or [""])


def told_in(language: str) -> tuple[dict[str, str], dict[str, str]]:
    """What the forms say in a language: the meaning of each command, and the hint of each field that has one."""
    t = Texts(language)
    given = [c for c in COMMANDS if action_of(c.__name__) is not Action.ENGINE]
    hints = dict[str, str]()
    for command in given:
        waiting = list(Maker(t, {}, None, {}).inputs(command))
        for one in waiting:
            waiting += one.parts
            hints |= {f"{command.__name__}.{one.name}": one.hint} if one.hint else {}
    return {c.__name__: meaning_of(t, c) for c in given}, hints


@pytest.mark.parametrize("language", OTHERS)
def test_what_commands_mean_and_what_fields_ask_for_is_said_in_the_language(language: str) -> None:
    english, own = told_in("en"), told_in(language)
    assert set(own[0]) == set(english[0])
    assert set(own[1]) == set(english[1])
    texts = {**own[0], **own[1]}
    assert not {name for name, text in texts.items() if FOREIGN in text or not text}
    assert Texts(language).english("the control").startswith(FOREIGN)


def test_english_says_it_in_words_of_people() -> None:
    meanings, hints = told_in("en")
    assert not [name for name in meanings if not Texts("en").own("meaning", name)], "a command without a meaning"
    bad = re.compile("SHA-256 of|ISO |BCP |IANA|P[0-9]|Opaque|None =")
    assert not {name: text for name, text in {**meanings, **hints}.items() if bad.search(text)}
    assert not {name: text for name, text in meanings.items() if not text.endswith(".")}


@pytest.mark.parametrize("language", ["en", *OTHERS])
def test_no_meaning_and_no_hint_outlives_its_command(language: str) -> None:
    asked = {field.name for command in COMMANDS for field in fields(command)}
    names = {command.__name__ for command in COMMANDS}
    keys = [key.split(".")[1:] for key in _texts(language) if key.startswith(("meaning.", "hint."))]
    assert not [key for key in keys if not (key[0] in names | asked and set(key[1:]) <= asked)]


@pytest.mark.parametrize("language", OTHERS)
def test_no_word_outlives_its_name(language: str) -> None:
    names = {f"{SAME.get(kind, kind)}.{name}" for kind, name in named_of_domain()}
    names |= {f"field.{name}" for name, _ in fields_and_words()}
    held = ("command", "event", "field", "need", "rule", "code", "channel", "pathway", "triage", "what")
    assert not {key for key in _texts(language) if key.partition(".")[0] in held} - names - {"field.stream"}


def test_no_key_is_without_use() -> None:
    quoted = set(re.findall(r"(?<=\")[\w.-]+(?=\")|(?<=')[\w.-]+(?=')", SOURCE))
    rest = [key for key in keys("en") if key not in quoted and not key.startswith(("meaning.", "hint."))]
    assert {key for key in rest if not (named(key.partition(".")[0]) or made(key))} <= {"app.none"}


@cache
def named(section: str) -> bool:
    """Whether the program asks for words of that section by a name it is given."""
    by_name = (
        rf"(?:named|own)\(\s*[\"']{section}[\"']|[\"']{section}[\"']\s*(?:if|,)|[\"'](?:{section}\.[\w]*)[\"']\s*~"
    )
    return f'f"{section}.' in SOURCE or re.search(by_name, SOURCE) is not None


def made(key: str) -> bool:
    """Whether the program puts the key together from its beginning and something else."""
    return f'f"{key.rpartition("_")[0]}_' in SOURCE


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda file: file.name)
def test_no_words_stand_in_a_template(template: Any) -> None:
    page = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", template.read_text(), flags=re.DOTALL)
    said = re.findall(r'(?:aria-label|title|placeholder|alt)="([^"]*)"', page)
    said.append(re.sub(r'<[^>]*>|aria-[a-z]+="[^"]*"', " ", page))
    assert not re.search(r"[^\W\d_]", " ".join(said))


@pytest.mark.parametrize(
    ("n", "form"),
    [(0, "zero"), (1, "one"), (2, "two"), (3, "few"), (10, "few"), (11, "many"), (99, "many"), (100, "other"),
     (102, "other"), (103, "few"), (111, "many"), (1000, "other")],
)  # fmt: skip
def test_arabic_counts_in_six_forms(n: int, form: str) -> None:
    assert form_of("ar", n) == form
    assert f"{n}" in (text := Texts("ar")("case.step_done", n=n)) or n < 3, text


def test_what_is_put_into_arabic_keeps_its_own_direction() -> None:
    assert f"{ISOLATE}1234-5678-9{POP}" in Texts("ar")("case.title", number="1234-5678-9")
    assert ISOLATE not in Texts("zh")("case.title", number="1234-5678-9")


def test_a_day_in_arabic_begins_at_the_right() -> None:
    """Its first letter outside isolates says so: an isolated month would turn day and year round."""
    clock = ViewerClock(datetime(2026, 3, 12, 9, 5, tzinfo=UTC), UTC, Texts("ar"))
    assert clock.instant(clock.now) == f"12 مارس 2026 {ISOLATE}09:05{POP}"
    assert ViewerClock(clock.now, UTC, Texts("zh")).instant(clock.now) == "2026年3月12日 09:05"


def test_english_in_another_language_says_so() -> None:
    assert set(languages()) == {"en", *OTHERS}
    text = Texts("zh").named("command", "NobodyKnows")
    page = f'<title>{text}</title><a title="{text}">{text}</a><option>{text}</option>'
    right = '<bdi lang="en">Nobody knows</bdi>'
    assert (
        marked(page) == f'<title>Nobody knows</title><a title="Nobody knows">{right}</a><option>Nobody knows</option>'
    )
    assert marked(Texts("en").named("command", "NobodyKnows")) == "Nobody knows"
    with pytest.raises(KeyError):
        Texts("zh")("app.nobody_wrote_this")


DATA = re.compile(r"<bdi.*?</bdi>|<(title|option|script|style)\b.*?</\1>|<button[^>]*lang=.*?</button>", re.DOTALL)
DATA_HERE = {"Caravel", "UTC", "Asia", "Kolkata", "Wilhelmina", "Canary", "ster", "coordinator"}
"""Names of the product, of zones, and of who is signed in."""


def latin(page: str) -> set[str]:
    """Words in Latin letters outside of what is marked as English or isolated as data."""
    while (less := DATA.sub("", page)) != page:
        page = less
    text = NAMED.sub(" ", re.sub(r"<[^>]*>", " ", page))
    return set(re.findall("[A-Za-z]{3,}", text)) - DATA_HERE


@pytest.mark.slow
@pytest.mark.parametrize("language", OTHERS)
async def test_worklist_and_case_are_in_the_language_throughout(
    language: str, mei: Browser, coordinator: Person
) -> None:
    opened = await coordinator.open(owner=mei.id, urgent=True)
    case = f"/console/cases/{opened['case']}"
    await coordinator.send(opened["case"], "RequestRecord", kind="pathology")
    address = "/console/?tab=all&sort=newest"
    plain = await mei.get(address)
    assert 'lang="en" dir="ltr"' in plain.text
    assert len(latin(plain.text)) > 20, "the control"
    switched = await mei.post("/console/language", language=language, next=address)
    assert str(switched.url).endswith(address), "the switch keeps the address"
    try:
        for path in (address, case, f"{case}/facts", f"{case}/timeline", f"{case}/messages", f"{case}/do/AddNote"):
            page = (await mei.get(path)).text
            assert f'lang="{language}" dir="{Texts(language).direction}"' in page
            assert not latin(page), (path, latin(page))
    finally:
        await mei.post("/console/language", language="en", next=address)


@pytest.mark.slow
async def test_a_refusal_is_said_in_the_language_first(mei: Browser, coordinator: Person) -> None:
    opened = await coordinator.open(owner=mei.id)
    try:
        await mei.post("/console/language", language="zh", next="/console/")
        page = (await mei.get("/console/cases/case-nowhere")).text
        assert re.search(r'role="alert">没有这样的内容。 <bdi lang="en">', page)
        form = await mei.get(f"/console/cases/{opened['case']}/do/SignGate")
        assert "可在以下阶段办理" in form.text
        assert "淋巴细胞清除</" in form.text
    finally:
        await mei.post("/console/language", language="en", next="/console/")


def test_whatever_a_verification_finds_has_words() -> None:
    assert {f"break.{kind}" for kind in MEANING} <= set(_texts("en"))


def test_a_value_in_arabic_keeps_its_unit_behind_it() -> None:
    said = Texts("ar")("criteria.ground", what="الكرياتينين", value="0.9 mg/dL", how="27")
    assert f"{ISOLATE}0.9 mg/dL{POP}" in said
