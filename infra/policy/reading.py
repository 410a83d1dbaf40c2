"""Reads the one policy file and the calendars into the frozen value that rules are given."""

import re
from collections.abc import Hashable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from domain.core.policy import Calendar, Ladder, Party, Policy, Rung, Span
from domain.journey import OWES
from domain.stages.travel.backward_plan import BEFORE
from infra.policy.calendars import CALENDARS, read_calendars

POLICY = Path(__file__).with_name("policy.yaml")
WITHOUT_STEPS = frozenset({"catch_up"})
ALSO = WITHOUT_STEPS | {"chase", "chase_again", "recall_acknowledgement"}
KINDS = frozenset(row.kind for row in OWES) | ALSO
ANCHORED = frozenset(row.kind for row in OWES if row.due)
"""Kinds whose deadline the facts give; the others need one of their own."""

Unit = Literal["working_days", "days", "hours"]
MINUTES = {"minutes": 1, "hours": 60, "days": 60 * 24}
LENGTH = re.compile(r"([1-9][0-9]{0,3}) ([a-z_]+)")


class PolicyInvalid(ValueError):
    """The policy cannot be used; the message names the field."""


def _length(text: object, units: tuple[str, ...]) -> tuple[int, str]:
    found = LENGTH.fullmatch(text) if isinstance(text, str) else None
    unit = f"{found[2]}s" if found and found[1] == "1" and not found[2].endswith("s") else found and found[2]
    if found is None or unit not in units:
        raise ValueError(f"{text!r} is no length: write a whole number and one of {', '.join(units)}")
    return int(found[1]), str(unit)


def _span(text: object) -> Span:
    amount, unit = _length(text, get_args(Unit))
    return Span(amount, unit)  # type: ignore[arg-type]


def _duration(text: object) -> timedelta:
    amount, unit = _length(text, tuple(MINUTES))
    return timedelta(minutes=amount * MINUTES[unit])


SpanText = Annotated[Span, BeforeValidator(_span)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Step(_Row):
    after: SpanText | None = None
    before: SpanText | None = None
    remind: Party | None = None
    escalate: Party | None = None

    @model_validator(mode="after")
    def _one_of_each(self) -> "_Step":
        if (self.after is None) == (self.before is None) or (self.remind is None) == (self.escalate is None):
            raise ValueError("a step has either `after` or `before`, and either `remind` or `escalate`")
        return self

    def rung(self) -> Rung:
        span = self.after or self.before
        to = self.remind or self.escalate
        assert span is not None
        assert to is not None
        signed = Span(-span.amount, span.unit) if self.before else span
        return Rung(signed, "remind" if self.remind else "escalate", to)


class _Ladder(_Row):
    due: SpanText | None = None
    from_facts: bool = False
    steps: tuple[_Step, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "_Ladder":
        if len({step.before is None for step in self.steps}) > 1:
            raise ValueError("steps count either all `after` the opening or all `before` the deadline")
        spans = [step.after or step.before for step in self.steps]
        if len(set(spans)) < len(spans):
            raise ValueError("two steps fall on the same instant, of which one would be skipped")
        late = [s for s in spans if s and self.due and s.unit == self.due.unit and _too_late(s, self.due)]
        if late and not self.steps[0].before:
            raise ValueError(f"a step after {late[0].amount} {late[0].unit} comes when the deadline has passed")
        return self

    def ladder(self) -> Ladder:
        before = bool(self.steps and self.steps[0].before)
        return Ladder(self.due, tuple(step.rung() for step in self.steps), before, self.from_facts)


def _too_late(step: Span, due: Span) -> bool:
    """Working days count to opening time for steps and to closing time for deadlines, so the same day still fits."""
    return step.amount > due.amount if step.unit == "working_days" else step.amount >= due.amount


class _Leases(_Row):
    decision_valid: Duration
    dose_hold: Duration
    dose_margin: Duration
    stay_margin: Duration
    infusion_window: Duration
    passport_after_entry: Duration = timedelta(days=183)  # as it was while no policy said it
    passport_after_stay: Duration | None = None
    proposal_lapse: Duration = timedelta(days=14)
    protocol_review: Duration = timedelta(days=90)
    centre_review: Duration = timedelta(days=180)
    stay: Duration | None = None  # earlier policies say these two; nothing reads them
    bed_hold: Duration | None = None


class _File(_Row):
    name: Annotated[str, Field(min_length=1)]
    home_country: Annotated[str, Field(pattern="^[A-Z]{2}$")]
    late_after: Duration
    retry_unknown: Annotated[tuple[Duration, ...], Field(min_length=1)]
    leases: _Leases
    ladders: dict[str, _Ladder]
    lead_times: dict[str, SpanText] = {}  # steps of the backward plan; none in earlier policies
    urgent: dict[str, _Ladder] = {}  # kinds an urgent case is chased by otherwise; none in earlier policies


class _Loader(yaml.CSafeLoader):
    """YAML in which a key stands once, parsed by libyaml: ten times as fast as in Python."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if doubled := [key for n, key in enumerate(keys) if key in keys[:n]]:
            raise PolicyInvalid(f"policy: {doubled[0]} is written twice, line {node.start_mark.line + 1} on")
        return super().construct_mapping(node, deep=deep)


def load_policy(path: Path | None = None, calendars: Path = CALENDARS) -> Policy:
    """Read the policy of a file (default: policy.yaml) and the calendars. Raises PolicyInvalid, CalendarsInvalid."""
    return _checked(*policy_files(path, calendars))


@lru_cache(2)
def _checked(text: bytes, tables: bytes) -> Policy:
    """Read what the two files hold; the same bytes once, as nothing of a policy ever changes."""
    file = _parsed(text)
    _every_kind(file.ladders)
    _shorter(file)
    _every_step(file)
    return _policy(file, read_calendars(tables), fingerprint(text, tables))


def policy_files(path: Path | None = None, calendars: Path = CALENDARS) -> tuple[bytes, bytes]:
    """Read the two files a policy is made of. Raises OSError."""
    return (path or POLICY).read_bytes(), calendars.read_bytes()


def earlier_policy(text: bytes, tables: bytes, now: Policy) -> Policy:
    """Return a policy of earlier days; kinds it has not are those of `now`. Raises PolicyInvalid, CalendarsInvalid."""
    found = _policy(_parsed(text), read_calendars(tables), fingerprint(text, tables))
    return replace(found, ladders={**now.ladders, **found.ladders}, lead_times={**now.lead_times, **found.lead_times})


def fingerprint(text: bytes, tables: bytes) -> str:
    """SHA-256 (hex) over the two files, each preceded by its length in 8 bytes, so that no byte can change sides."""
    return sha256(b"".join(len(part).to_bytes(8) + part for part in (text, tables))).hexdigest()


def _parsed(text: bytes) -> _File:
    try:
        return _File.model_validate(yaml.load(text, _Loader))  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise PolicyInvalid(f"policy: not YAML: {error}") from error
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors(include_url=False)]
        raise PolicyInvalid("policy: " + "; ".join(lines)) from error


def _policy(file: _File, calendars: Mapping[str, Calendar], digest: str) -> Policy:
    if file.home_country not in calendars:
        raise PolicyInvalid(f"policy: home_country: no calendar for {file.home_country}")
    return Policy(
        name=file.name,
        hash=digest,
        ladders={kind: row.ladder() for kind, row in file.ladders.items()},
        calendars=calendars,
        home_country=file.home_country,
        late_after=file.late_after,
        retry_unknown=file.retry_unknown,
        lead_times=dict(file.lead_times),
        urgent={kind: row.ladder() for kind, row in file.urgent.items()},
        **file.leases.model_dump(exclude={"stay", "bed_hold"}),
    )


def _every_kind(ladders: Mapping[str, _Ladder]) -> None:
    """A ladder for every kind that can be owed, none for others, and a deadline wherever the facts give none."""
    problems = [f"ladders.{kind}: missing" for kind in sorted(KINDS - set(ladders))]
    problems += _usable("ladders", ladders)
    if problems:
        raise PolicyInvalid("policy: " + "; ".join(problems))


def _usable(part: str, ladders: Mapping[str, _Ladder]) -> list[str]:
    problems = [f"{part}.{kind}: nothing of that kind is ever owed" for kind in sorted(set(ladders) - KINDS)]
    for kind, row in ladders.items():
        if row.due is None and kind not in ANCHORED:
            problems.append(f"{part}.{kind}.due: missing, and the facts give no deadline")
        if row.steps and kind in WITHOUT_STEPS:
            problems.append(f"{part}.{kind}.steps: never used, the steps of the kind itself count")
        if row.from_facts and (row.due is None or kind not in ANCHORED or (row.steps and row.steps[0].before)):
            problems.append(f"{part}.{kind}.from_facts: counts `due` and steps `after` from a day that the facts give")
        if row.steps and row.steps[0].before and kind not in ANCHORED:
            problems.append(f"{part}.{kind}.steps: `before` counts from a deadline the facts give")
    return problems


def _every_step(file: _File) -> None:
    """A lead time for every step of the plan and for nothing else; the arrival's in days, as a day follows from it."""
    problems = [f"lead_times.{kind}: missing" for kind in sorted(BEFORE - set(file.lead_times))]
    problems += [f"lead_times.{kind}: no step of a plan" for kind in sorted(set(file.lead_times) - BEFORE)]
    arrival = file.lead_times.get("arrival")
    if arrival and arrival.unit != "days":
        problems.append("lead_times.arrival: in days")
    if problems:
        raise PolicyInvalid("policy: " + "; ".join(problems))


def _shorter(file: _File) -> None:
    """Every urgent ladder can be used and, where the unit is the same, ends no later than the ordinary one."""
    problems = _usable("urgent", file.urgent)
    for kind, row in file.urgent.items():
        ordinary = file.ladders[kind].due if kind in file.ladders else None
        if row.due and ordinary and row.due.unit == ordinary.unit and row.due.amount > ordinary.amount:
            problems.append(f"urgent.{kind}.due: {row.due.amount} {row.due.unit} is longer than the ordinary one")
    if problems:
        raise PolicyInvalid("policy: " + "; ".join(problems))
