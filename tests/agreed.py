"""What two people agree on, as they would: proposed by one who signed in, confirmed by another."""

from __future__ import annotations

from activities.command_handler import CommandHandler, CommandRequest, Recorded
from activities.keepers import keepers
from activities.ports import Meta
from domain.catalogue.four_eyes import ConfirmProposal
from domain.catalogue.streams import Command


async def agreed(commands: CommandHandler, stream: str, command: Command) -> Recorded:
    """Record a change: at once while nobody could be asked, else by two of those who keep the catalogue."""
    known = await keepers(commands.ledger)
    if not known.closed:
        return await commands.record(CommandRequest(stream, Meta("test", "operation"), command))
    one, other = sorted(known.now - {stream})[:2]
    told = await commands.record(CommandRequest(stream, Meta(one, "operation"), command, signed_in=True))
    proposal = told.state.eyes.proposal
    assert proposal is not None
    sure = ConfirmProposal(proposal.id)
    return await commands.record(CommandRequest(stream, Meta(other, "operation"), sure, signed_in=True))
