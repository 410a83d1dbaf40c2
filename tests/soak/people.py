"""Staff at work over HTTP: they open cases, do what is owed, repeat what got no answer, keep what was acknowledged."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx2

from activities.command_codec import CASE, TOLD
from api.http.access import belonging
from api.run.wiring import Parts
from domain.case.state import Case
from domain.core.fact import Command
from domain.roles import Actor, action_of, allow
from domain.stages.anytime.holding import HoldCase
from domain.stages.anytime.notes import AddNote
from domain.stages.eligibility.eligibility import AcceptPatient, DeclinePatient
from domain.stages.follow_up.closing import LeaveJourney, VoidCase
from domain.stages.treatment.bed import AskBedAgain
from domain.stages.treatment.dose import AskDoseAgain
from domain.stages.treatment.observations import ReportDeath
from infra.ledger.encoding.errors import FAILURES, DatabaseFailed
from rehearsal.cohort.families import families
from rehearsal.demo import deeds, open_trials
from tests.services import Issuer
from tests.soak.books import Told
from tests.soak.installation import ROLES, TEAM

BESIDE: tuple[tuple[float, Command], ...] = (
    (0.06, AddNote("note", "a call")),
    (0.005, HoldCase("infection")),
    (0.002, LeaveJourney("declined")),
    (0.001, VoidCase("opened twice")),
    (0.001, ReportDeath("sepsis")),
)
"""What happens besides what is owed, and how often."""
RENEWS = (AcceptPatient, DeclinePatient, AskBedAgain, AskDoseAgain)
EARLY = 0.1
"""How often something is asked or confirmed again that has not ended yet."""
PAPER = b"%PDF-1.7\n1 0 obj<</Type/Page>>endobj\ntrailer<</Root 1 0 R>>\nstartxref\n9\n%%EOF\n% "
AGAIN = (408, 425, 429)


@dataclass
class People:
    """Everybody who works; `said` is what was acknowledged, `away` how often nobody answered."""

    http: httpx2.AsyncClient
    issuer: Issuer
    here: Parts
    chance: random.Random
    cases: list[str] = field(default_factory=list)
    said: list[Told] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    away: int = 0
    stop: bool = False

    async def open_cases(self, count: int, pause: float) -> None:
        """So many, one after the other."""
        for family in families(count, 1, open_trials(), timedelta(days=1)):
            question = replace(family.question(), owner="", team=TEAM, despite_duplicates="a soak")
            who = f"person-coordinator-{self.chance.choice('12')}"
            opened = await self.send(who, "/cases", question)
            if opened:
                self.cases.append(opened["case"])
            await asyncio.sleep(self.chance.uniform(0, 2 * pause))
            if self.stop:
                return

    async def work(self, pause: float) -> None:
        """One deed after the other, in whichever case there is something to do."""
        while not self.stop:
            await asyncio.sleep(self.chance.uniform(0, 2 * pause))
            beside = self._beside()
            for stream in self.chance.sample(self.cases, len(self.cases)):
                if await self._deed(stream, beside):
                    break

    async def _deed(self, stream: str, beside: Command | None) -> bool:
        """Whether there was something to do."""
        try:
            case, _, now = await self.here.commands.case(stream)
        except (DatabaseFailed, *FAILURES):
            return True
        command = beside or self._owed([*deeds(case, 1, now)])
        actor = command and self._actor(case, command)
        if not (command and actor):
            return False
        await self.send(actor.id, f"/cases/{stream}/commands", command)
        return True

    def _beside(self) -> Command | None:
        drawn = self.chance.random()
        for share, command in BESIDE:
            drawn -= share
            if drawn < 0:
                return command
        return None

    def _owed(self, commands: list[Command]) -> Command | None:
        """What brings the case on before what only renews; that is owed anew at once, and seldom done early."""
        new = [command for command in commands if not isinstance(command, RENEWS)]
        if not new and self.chance.random() > EARLY:
            return None
        return self.chance.choice(new or commands) if commands else None

    def _actor(self, case: Case, command: Command) -> Actor | None:
        """Whoever may say it; the first and the second reader are two people."""
        by = str(getattr(command, "by", ""))
        number = by[-1] if by[-2:] in ("-1", "-2") else self.chance.choice("12")
        everybody = (Actor(f"person-{role.value}-{number}", role, TEAM) for role in ROLES)
        return next((a for a in everybody if allow(a, action_of(command.type), belonging(case))), None)

    async def send(self, who: str, path: str, command: Command) -> Mapping[str, Any] | None:
        """Under one key until it is answered; what is refused was not recorded. What it names is handed in before."""
        if getattr(command, "document", ""):
            kept = await self._handed_in(who, path.replace("/commands", "/documents"))
            if kept is None:
                return None
            command = replace(command, document=kept)  # type: ignore[type-var]
        body = json.loads(CASE.adapter.dump_json(command))
        if command.type not in TOLD:
            body.pop("by", None)
        key = uuid.uuid4().hex
        return self._heard(who, key, command.type, await self._answered(who, path, key, json=body))

    async def _handed_in(self, who: str, path: str) -> str | None:
        """Hand in a paper that nobody has handed in before; its name."""
        key = uuid.uuid4().hex
        told = self._heard(
            who, key, "AttachDocument", await self._answered(who, path, key, content=PAPER + key.encode())
        )
        return told["document"] if told else None

    def _heard(self, who: str, key: str, name: str, answer: httpx2.Response) -> Mapping[str, Any] | None:
        told: Mapping[str, Any] = answer.json()
        if not answer.is_success:
            self.refused[f"{answer.status_code} {told.get('reason') or told.get('type')}"] += 1
            return None
        events = tuple(event["id"] for event in told["recorded"])
        self.said.append(Told(who, key, told["case"], name, events, repeated=told["repeated"]))
        return told

    async def _answered(self, who: str, path: str, key: str, **sent: Any) -> httpx2.Response:
        while True:
            headers = {"Authorization": f"Bearer {self.issuer.token(who)}", "Idempotency-Key": key}
            try:
                answer = await self.http.post(path, headers=headers, **sent)
            except httpx2.HTTPError:
                answer = None
            if answer is not None and answer.status_code < 500 and answer.status_code not in AGAIN:
                return answer
            self.away += 1
            await asyncio.sleep(0.5)
