"""One case as a file that proves itself: what it says to people, at the level somebody may take it away."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.http.auth import Parts, Who
from api.http.masking import EVERYTHING, NOTHING, Sees, mask, masked
from api.ports import Packed
from api.routes.reads import seen_case
from api.untold import state_of
from domain.case.phases.links import LinkType
from domain.case.state import Case
from domain.core.errors import Reason, require
from domain.core.fact import Fact
from domain.core.roles import Action
from domain.engine.advance import ALWAYS
from domain.history.grounds import grounds
from domain.journey import RULES, meaning
from domain.roles import allow

router = APIRouter(prefix="/audit", tags=["audit"])
LONGEST = 90
"""Seconds somebody may wait for the sealer."""
OPENS: Mapping[str, Sees] = {
    "full": EVERYTHING,
    "clinical": frozenset({"clinical", "trace"}),
    "regulator": NOTHING,
}
"""Level → what its report opens, for those who may see it."""
DATE = "%Y-%m-%d %H:%M:%S UTC"
PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent.parent / "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
Facts = Sequence[Fact[Any]]
LINKED: Mapping[LinkType, str] = {
    "see_also": "both go on",
    "replaced_by": "goes on in place of this one",
    "replaces": "was merged into this one",
}
"""How another case of the same person stands to this one; a package of it is taken separately."""


@router.get("/cases/{case}/evidence")
async def package(case: str, service: Parts, who: Who, level: str = "regulator", wait: int = 5) -> Response:
    """Return the evidence package (zip); wait at most `wait` s until all is sealed, and say which events are not."""
    require(allow(who, Action.PROVE), Reason.NOT_ALLOWED, f"a {who.role.value} takes no packages away")
    require(0 <= wait <= LONGEST, Reason.INVALID, f"must be 0 to {LONGEST} seconds", "wait")
    state, facts, now, may = await seen_case(service, who, case, "evidence")
    written = papers(state, facts, may & OPENS.get(level, NOTHING), now)
    content = await service.packages.make(state.id, facts[-1].version, level, wait, now.isoformat(), written)
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{state.id}-{level}.zip"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type="application/zip", headers=headers)


def papers(case: Case, facts: Facts, visible: Sees, now: datetime) -> Callable[[Packed], Mapping[str, bytes]]:
    """Return the readable parts, once it is known what is withheld and how far it is proven."""

    def written(packed: Packed) -> Mapping[str, bytes]:
        rules = rules_of(facts)
        rows = [row(fact, line, visible, facts) for fact, line in zip(facts, packed.lines, strict=True)]
        words = {
            "case": case.id,
            "stage": case.stage.value,
            "links": [(link.other, LINKED[link.kind]) for link in case.links.values()],
            "made": now.strftime(DATE),
            "packed": packed,
            "masked": masked(visible),
            "rows": rows,
            "rules": rules,
            "unproven": [one["version"] for one in packed.lines if one["position"] > packed.size],
        }
        return {
            "README.txt": PAGES.get_template("package.txt").render(words).encode(),
            "report.html": PAGES.get_template("package.html").render(words).encode(),
            "rules.json": _json(rules),
            "documents.json": _json(list(documents_of(facts))),
        }

    return written


def rules_of(facts: Facts) -> list[dict[str, Any]]:
    """List every rule that something was recorded by: name, version, policies, and what it says of itself now."""
    known = {(rule.name, rule.version): rule for rule in (*RULES, *ALWAYS)}
    policies: dict[tuple[str, int], set[str]] = {}
    for fact in facts:
        if fact.why:
            policies.setdefault((fact.why.rule, fact.why.rule_version), set()).add(fact.why.policy)
    return [
        {"rule": name, "version": version, "policies": sorted(policies[name, version]),
         "meaning": _meaning(known.get((name, version)))}
        for name, version in sorted(policies)
    ]  # fmt: skip


def _meaning(rule: Any) -> str:  # noqa: ANN401 - a Rule, or none
    if rule is None:
        return "this version of the rule is not part of this program any more"
    brings = ", ".join(event.__name__ for event in rule.brings)
    return (rule.follows.__doc__ or f"Records {brings}, by the tables of the journey.").split("\n", maxsplit=1)[0]


def documents_of(facts: Facts) -> Iterable[dict[str, Any]]:
    """List the files the case names: SHA-256 of what is stored, and where it is known their sizes and types."""
    for fact in facts:
        if name := getattr(fact.event, "document", None):
            size, media = getattr(fact.event, "bytes", None), getattr(fact.event, "media_type", None)
            yield {"sha256": name, "size": size, "media_type": media, "event": fact.id, "version": fact.version}


def row(fact: Fact[Any], line: Mapping[str, Any], visible: Sees, facts: Facts) -> dict[str, Any]:
    """Return one event of the timeline; what is withheld among the events is withheld here."""
    withheld = "digest" in line["data"]
    data = {} if withheld else mask(fact.event, visible, without=("type",))
    versions = {one.id: one.version for one in facts}
    return {
        "version": fact.version,
        "id": fact.id,
        "type": fact.event.type,
        "meaning": meaning(type(fact.event)),
        "recorded": fact.at.strftime(DATE),
        "occurred": _when(fact),
        "actor": fact.actor,
        "purpose": _meta(line).get("purpose", ""),
        "why": fact.why,
        "rests_on": [one.version for one in grounds(fact, facts)],
        "corrects": versions.get(fact.corrects or ""),
        "corrected_by": [one.version for one in facts if one.corrects == fact.id],
        "withheld": withheld,
        "data": {name: _said(value) for name, value in data.items() if value not in (None, "", [], {})},
    }


def _meta(line: Mapping[str, Any]) -> Mapping[str, Any]:
    meta: Mapping[str, Any] = json.loads(line["meta"]["text"])
    return meta


def _when(fact: Fact[Any]) -> str:
    first, last = fact.occurred.earliest, fact.occurred.latest
    if fact.occurred.precision == "instant" and first:
        return first.strftime(DATE)
    if fact.occurred.precision == "day" and first:
        return first.strftime("%Y-%m-%d")
    told = (first.strftime(DATE) if first else "", last.strftime(DATE) if last else "")
    return f"between {told[0] or '?'} and {told[1] or '?'}" if any(told) else "not known"


SAID: Mapping[str, str] = {"erased": "erased", "no_key": "no key on this machine", "masked": "masked ({})"}


def _said(value: Any) -> str:  # noqa: ANN401 - JSON
    if state := state_of(value):
        return SAID[state].format(value[state])
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
