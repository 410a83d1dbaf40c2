"""Gives the lots of the demonstration what they are made of: a donor and a vector run for every product, made up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from activities.command_handler import CommandHandler
from domain.doses.codes import check_character
from domain.doses.linking import LinkMaterial
from domain.doses.material import RecordDonorConsent, RegisterMaterial
from infra.reads.genealogy import GenealogyQueries
from infra.reads.registers import RegisterQueries
from rehearsal.demo import once, tell

PAGE = 500


async def give_genealogy(commands: CommandHandler, queries: GenealogyQueries, registers: RegisterQueries) -> None:
    """Link every lot that is linked to nothing; a later start finds the materials there and links newer lots."""
    for product, lots in sorted((await _unlinked(commands, registers)).items()):
        parents = await _materials(commands, queries, product)
        for lot in lots:
            for parent in parents:
                await tell(commands, lot, LinkMaterial(parent), parent)


async def _unlinked(commands: CommandHandler, registers: RegisterQueries) -> Mapping[str, Sequence[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    after = ""
    while rows := await registers.catalogue("lot", after, PAGE):
        for row in rows:
            state: Any = (await commands.entry(row["stream"])).state
            if not state.parents:
                found[row["state"]["product"]].append(row["stream"])
        after = rows[-1]["stream"]
    return found


async def _materials(commands: CommandHandler, queries: GenealogyQueries, product: str) -> tuple[str, str]:
    """A cell bank of one donor, and a vector lot of one run; the donation's number is the same at every start."""
    din = f"A999925{int.from_bytes(sha256(product.encode()).digest()[:8]) % 1_000_000:06d}"

    async def made(command: RegisterMaterial) -> str:
        stream = await queries.stream_of(command.kind, str(command.code))
        await once(commands, stream, command)
        return stream

    donor = await made(RegisterMaterial("donor", f"DONOR-{product}"))
    await tell(commands, donor, RecordDonorConsent("donation"), "first")
    donation = await made(RegisterMaterial("donation", din + check_character(din), (donor,)))
    cells = await made(RegisterMaterial("starting_material", f"CELLS-{product}", (donation,), source="adult_donor"))
    bank = await made(RegisterMaterial("cell_bank", f"BANK-{product}", (cells,), edits=("TRAC", "B2M")))
    line = await made(RegisterMaterial("producer_line", f"LINE-{product}", what="HEK293T"))
    run = RegisterMaterial(
        "vector_run", f"RUN-{product}", (line,), platform="suspension", volume_l=50.0, titre=2e8, titre_unit="TU/mL"
    )
    lot = RegisterMaterial("vector_lot", f"LV-{product}", (await made(run),), vector="lentiviral", integrating=True)
    return bank, await made(lot)
