"""The page on which a file of results is taken into a case: what came of every part of it, or what is wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from api.console.actions import why_not
from api.console.forms.fields import Input
from api.console.forms.form_restore import sent_file, shown_to, typed_pairs
from api.console.forms.uploads import FILE
from api.console.pages.case import OpenedCase, opened
from api.console.session import CSRF, Viewer, Visitor, fresh_key, require_csrf
from api.console.web import page, pages, wrong
from api.http.answers import refused_now
from api.http.auth import Parts
from api.http.limits import too_large
from api.http.problems import Fault, Problem, invalid, of_refusal
from api.ports import Service
from api.results.column_mapping import FIELDS, ColumnMapping
from api.results.taking import COMMAND, MOST_BYTES, File, take
from api.routes.findings.links import LinkRequest, open_and_take
from api.routes.findings.summaries import summary_for
from domain.core.errors import Refused

router = pages()
PATH = f"/console/cases/{{case}}/do/{COMMAND}"
MEDIA: Mapping[str, str] = {"csv": "text/csv", "json": "application/fhir+json"}
"""How the name of a file ends → what is in it: browsers call a CSV many things."""
OPTIONS = ("like", "of", "dates", "zone", "decimal", "delimiter")
CHECKS = ("skip_faults", "dry_run")
LINK = "link"
SECRETS: Mapping[str, str] = {LINK: "password", "passcode": "password", "number": "text"}
"""Fields of a health link; what was typed into them is never shown again."""
Form = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Tried:
    """Holds what came of a try: the answer, or the problem."""

    answer: Mapping[str, Any] | None = None
    problem: Problem | None = None


@router.get(PATH)
async def form(case: str, request: Request, service: Parts, viewer: Viewer) -> Response:
    """Show the form of a file of results."""
    return await _show(request, service, viewer, await opened(request, service, viewer, case), {}, Tried())


@router.post(PATH)
async def send(case: str, request: Request, service: Parts, viewer: Viewer) -> Response:
    """Take the file in, or say what is wrong with each line."""
    try:
        typed = dict(await typed_pairs(request))
        require_csrf(request, typed.get(CSRF, ""))
        one = await opened(request, service, viewer, case)
        try:
            answer = await _taken(request, service, viewer, one, typed)
        except Problem as problem:
            return await _show(request, service, viewer, one, typed, Tried(problem=problem))
        except Refused as no:
            return await _show(request, service, viewer, one, typed, Tried(problem=of_refusal(no)))
        return await _show(request, service, viewer, one, typed, Tried(answer))
    finally:
        if sent := sent_file(request):
            await sent.rest()


@router.get("/console/cases/{case}/ips")
async def patient_summary(case: str, service: Parts, viewer: Viewer) -> Response:
    """Give the patient summary of the case as a file."""
    return await summary_for(service, viewer.who, case)


async def _taken(
    request: Request, service: Service, viewer: Visitor, one: OpenedCase, typed: Form
) -> Mapping[str, Any]:
    """Take in what was sent: a file, or what stands behind a link. Raises Problem, Refused."""
    if not typed.get(LINK, "").strip():
        return await take(service, viewer.who, one.case.id, await _file(request, typed), typed.get("key", ""))
    number = typed.get("number", "").strip()
    if number and not (number.isascii() and number.isdecimal() and len(number) < len("100")):
        raise invalid("the file is a number", Fault("must be a whole number", "#/number"))
    checks = (bool(typed.get(name)) for name in CHECKS)
    asked = LinkRequest(typed[LINK], typed.get("passcode", "").strip(), "", int(number or 0), *checks)
    return await open_and_take(service, viewer.who, one.case.id, asked, typed.get("key", ""))


async def _file(request: Request, typed: Form) -> File:
    """The file that was sent, with the mapping that was typed. Raises Problem."""
    sent = sent_file(request)
    if sent is None or not sent.name:
        raise invalid("choose a file first", Fault("choose a file first", f"#/{FILE}"))
    body = b""
    async for part in sent.content:
        body += part
        if len(body) > MOST_BYTES:
            raise too_large(MOST_BYTES)
    media = MEDIA.get(sent.name.rpartition(".")[2].lower(), sent.media)
    return File(media, body, _mapping(typed), *(bool(typed.get(name)) for name in CHECKS))


def _mapping(typed: Form) -> str:
    """The mapping as JSON; a line `Hb = haemoglobin` names what the laboratory calls something."""
    columns = {name: typed[f"column.{name}"].strip() for name in FIELDS if typed.get(f"column.{name}", "").strip()}
    lines = [line.partition("=") for line in typed.get("analytes", "").splitlines() if line.strip()]
    told: dict[str, Any] = {name: typed[name] for name in OPTIONS if typed.get(name)}
    return json.dumps({"columns": columns, "analytes": {a.strip(): b.strip() for a, _, b in lines}, **told})


async def _show(
    request: Request, service: Service, viewer: Visitor, one: OpenedCase, typed: Form, shown: Tried
) -> Response:
    t, problem = viewer.t, shown.problem
    not_now = COMMAND in refused_now(viewer.who, one.case)
    return page(
        request,
        "results.html",
        viewer,
        problem.status if problem else 200,
        one=one,
        case=one.case,
        path=PATH.format(case=one.case.id),
        columns=[_input(f"column.{name}", t.named("field", name), typed) for name in FIELDS],
        analytes=_input("analytes", t("results.names"), typed, "area", t("results.names_hint")),
        options=[_input(name, t(f"results.{name}"), typed, hint=t(f"results.{name}_hint")) for name in OPTIONS],
        checks=[_input(name, t(f"results.{name}"), typed, "check") for name in CHECKS],
        file=Input(FILE, t("upload.file"), "file", needed=True, optional=False, hint=t("results.file_hint")),
        media=[".csv", ".json", *MEDIA.values()],
        link=[
            Input(name, t(f"results.{name}"), kind, needed=False, optional=True, hint=t(f"results.{name}_hint"))
            for name, kind in SECRETS.items()
        ],
        aside=None,
        key=fresh_key(),
        shown=await shown_to(service, viewer.who.id),
        faults=_faults(viewer, problem),
        answer=shown.answer,
        reason=why_not(viewer, one.case, COMMAND) if not_now else "",
    )


def _input(name: str, words: str, typed: Form, kind: str = "text", hint: str = "") -> Input:
    default = getattr(ColumnMapping(), name, "") if name in OPTIONS else ""
    value = typed.get(name, default if not typed else "")
    return Input(name, words, kind, needed=False, optional=kind != "check", hint=hint, values=[value] if value else ())


def _faults(viewer: Visitor, problem: Problem | None) -> Sequence[str]:
    if problem is None:
        return ()
    return [wrong(viewer.t, problem, problem.detail), *(fault.detail for fault in problem.faults)]
