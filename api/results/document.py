"""A FHIR document: its Composition, which entry stands in which section, and which sections say they are empty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from api.results.reading import Left, Unusable, WrongResult
from api.results.statements import empty
from api.results.tree import Tree, changing_within, codes, kind_of, objects, text, tree
from domain.case.phases.findings import SectionName, Statement
from domain.criteria.loinc import LOINC
from domain.criteria.summaries import SECTION_OF, SUMMARY
from domain.stages.records.summary import MANDATORY

DEEPEST = 8
PLACE = 1
"""The Composition is the first entry of a document."""
NO_REFERENCE = "points at no entry of this bundle, or at several"


@dataclass(slots=True)
class Document:
    """Holds what the Composition says: the section of each entry by its place, what is empty, what is wrong."""

    section: dict[int, SectionName] = field(default_factory=dict)
    statements: list[Statement] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    wrong: list[WrongResult] = field(default_factory=list)


class References:
    """Finds entries of a bundle by what points at them: a full address, `Type/id`, or `#id` of what is contained."""

    def __init__(self, entries: Sequence[Tree]) -> None:
        self._entries = entries
        self._places: dict[str, set[int]] = {}
        for place, entry in enumerate(entries, 1):
            resource = entry.get("resource")
            if not isinstance(resource, dict):
                continue
            whole, name = text(entry, "fullUrl"), text(resource, "id")
            relative = "/".join(whole.split("/")[-2:]) if "://" in whole else ""
            for pointer in {whole, relative, f"{kind_of(resource)}/{name}" if name else ""} - {""}:
                self._places.setdefault(pointer, set()).add(place)

    def place(self, reference: str) -> int | None:
        """Return the place of the one entry a reference points at; None = none, or more than one."""
        found = self._places.get(reference.partition("/_history/")[0], set())
        return next(iter(found)) if len(found) == 1 else None

    def find(self, one: Tree, pointer: Tree) -> Tree:
        """Return the resource that a reference in another points at; empty where there is none."""
        reference = text(pointer, "reference")
        if reference.startswith("#"):
            return next((c for c in objects(one, "contained") if text(c, "id") == reference[1:]), {})
        place = self.place(reference) if reference else None
        return tree(self._entries[place - 1], "resource") if place else {}


def read_document(entries: Sequence[Tree], references: References, patient: int) -> Document:
    """Read the Composition, which stands first. Raises Unusable, which says where."""
    first = tree(entries[0], "resource") if entries else {}
    if kind_of(first) != "Composition":
        raise Unusable("a document begins with its Composition", "#/entry/0/resource")
    if name := changing_within(first):
        raise Unusable(f"Composition.{name} changes what the rest means, in a way that is not read here",
                       f"#/entry/0/resource/{name}")  # fmt: skip
    if text(first, "status") == "entered-in-error":
        raise Unusable("the document says that it was entered in error", "#/entry/0/resource/status")
    if references.place(text(tree(first, "subject"), "reference")) != patient:
        raise Unusable("the Composition is not about the patient of this bundle", "#/entry/0/resource/subject")
    read = Document()
    for at, section in _sections(first, "section", 0):
        _section(read, section, at, references)
    if SUMMARY in codes(tree(first, "type"), LOINC):
        said: set[str] = {*read.section.values(), *(one.section for one in read.statements)}
        said |= {one.kind for one in read.left}
        read.left += [Left(PLACE, name, "section_missing") for name in MANDATORY if name not in said]
    return read


def _sections(one: Tree, at: str, depth: int) -> Iterator[tuple[str, Tree]]:
    if depth > DEEPEST:
        raise Unusable(f"sections lie within sections more than {DEEPEST} deep", f"#/entry/0/resource/{at}")
    for number, section in enumerate(objects(one, "section")):
        here = f"{at}/{number}"
        yield here, section
        yield from _sections(section, f"{here}/section", depth + 1)


def _section(read: Document, section: Tree, at: str, references: References) -> None:
    """One section: what it lists, or that it is empty and why, or that only words tell of it."""
    found = (SECTION_OF[code] for code in codes(tree(section, "code"), LOINC) if code in SECTION_OF)
    name: SectionName = next(found, "other")
    listed = objects(section, "entry")
    for number, pointer in enumerate(listed):
        place = references.place(text(pointer, "reference"))
        if place is None:
            where = f"{at}/entry/{number}/reference"
            read.wrong.append(WrongResult(PLACE, where, where, NO_REFERENCE))
        elif place != PLACE:
            read.section.setdefault(place, name)
    if listed or objects(section, "section"):
        return
    if reason := tree(section, "emptyReason"):
        read.statements.append(empty(name, reason, PLACE))
    elif tree(section, "text"):
        read.left.append(Left(PLACE, name, "narrative_only"))
    else:
        read.statements.append(empty(name, {}, PLACE))


def document_id(bundle: Tree) -> str:
    """Return what a bundle is called by whoever made it: its identifier, else its id; empty = neither."""
    identifier: Mapping[str, object] = tree(bundle, "identifier")
    parts = (text(identifier, "system"), text(identifier, "value"))
    return "|".join(filter(None, parts))[:200] or text(bundle, "id")
