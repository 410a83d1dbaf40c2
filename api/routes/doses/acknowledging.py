"""Takes a hospital's own acknowledgement of a recall, as a signed callback brings it."""

from __future__ import annotations

from activities.command_handler import CommandRequest, Recorded
from activities.gateways import Answer, is_reference
from activities.ports import CommandKey, Meta
from api.http.problems import Problem
from api.ports import Malformed, Service
from api.routes.doses.accounting import Question, question
from api.routes.doses.recalls import COMMANDS
from domain.core.errors import Reason, Refused, require
from domain.recalls.recall import PREFIX, AcknowledgeRecall, Recall

PURPOSE = "treatment"


def of_recall(answer: Answer) -> bool:
    """Return whether an answer is one to a recall."""
    return answer.case.startswith(PREFIX)


def said(answer: Answer, centre: str) -> AcknowledgeRecall:
    """Return the command it is, in the centre's name. Raises Malformed that names the fields at fault."""
    try:
        told = {**answer.command, "centre": centre}
        command: AcknowledgeRecall = COMMANDS.parse(told, centre, only=("AcknowledgeRecall",))
    except Problem as no:
        raise Malformed(f"AcknowledgeRecall: {', '.join(str(fault.pointer) for fault in no.faults)}") from None
    return command


async def acknowledged(service: Service, centre: str, answer: Answer, command: AcknowledgeRecall) -> Recorded:
    """Record it, or answer a repeat with its first result. Raises Refused: nothing is told of what is not theirs."""
    require(is_reference(answer.case), Reason.NOT_FOUND, NO_RECALL)
    state, now = await service.commands.driven(answer.case)
    if not isinstance(state, Recall) or centre not in state.hospitals:
        raise Refused(Reason.NOT_FOUND, NO_RECALL)
    meta = Meta(centre, PURPOSE, key=answer.callback, causation=answer.in_reply_to, provenance="callback")
    key = CommandKey(centre, answer.callback, COMMANDS.digest(answer.case, command))
    loaded = await service.commands.ledger.load(answer.case, command=(centre, answer.callback))
    if loaded.remembered is None:
        own = answer.in_reply_to is None or answer.in_reply_to in state.effects
        require(own, Reason.NOT_FOUND, "no such request in this recall", "basedOn")
        _require_each(await question(service, state, centre, now, meta), command)
    return await service.commands.record(CommandRequest(answer.case, meta, command, key))


def _require_each(asked: Question, command: AcknowledgeRecall) -> None:
    """Refuse a unit that was not asked about, and one that was and of which nothing is said, as the page does."""
    units, told = {(one.lot, one.unit) for one in asked.units}, {(one.lot, one.unit) for one in command.units}
    require(told <= units, Reason.INVALID, "a unit that your hospital was not asked about", "units")
    silent = ", ".join(f"{unit} of {lot}" for lot, unit in sorted(units - told))
    require(not silent, Reason.INVALID, f"say of each unit what was done with it: {silent}", "units")


NO_RECALL = "no such recall reaches your hospital"
