"""Roles, and the actions that the table in domain/roles.py allows them."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """Lists what somebody is here for; the words of staff (domain/catalogue/staff.py) and the hospital."""

    COORDINATOR = "coordinator"
    SUPERVISOR = "supervisor"
    REVIEWER = "reviewer"  # the service's own medical reviewer
    TRANSLATOR = "translator"
    QUALITY = "quality"
    HOSPITAL = "hospital"
    AUDITOR = "auditor"
    OPERATOR = "operator"
    MACHINE = "machine"  # the command line on the machine that holds database and keys


class Action(StrEnum):
    """Lists what can be allowed. Every command belongs to exactly one of them, see `action_of`."""

    SEE = "see"  # a case with everything personal masked
    SEE_PERSON = "see_person"  # names, contacts, free text
    SEE_CLINICAL = "see_clinical"  # diagnosis, findings, lot and unit codes
    OPEN = "open"  # a new case
    COORDINATE = "coordinate"  # everything coordinators do day by day
    NOTE = "note"  # notes, calls, documents
    TRANSLATE = "translate"
    REVIEW = "review"  # what only the medical reviewer says
    CORRECT_CAUSE = "correct_cause"  # what is done about the cause of an alert, and whether it helped
    SUPERVISE = "supervise"  # set aside what the journey asks for
    ANSWER = "answer"  # what only a hospital can say
    ERASE = "erase"  # order, confirm or withdraw that a person is forgotten
    BREAK_GLASS = "break_glass"  # read a case that is not theirs for some hours, with a reason
    REVIEW_ACCESS = "review_access"  # judge afterwards whether that was justified
    SEE_LOOKS = "see_looks"  # who looked at a case, when, and what for
    SETTLE = "settle"  # find out what became of an effect
    IMPORT = "import"
    ENGINE = "engine"  # nobody but the engine
    SEE_STAFF = "see_staff"  # the names of colleagues
    PROVE = "prove"  # checkpoints, proofs, what is not covered yet; hashes only
    SEE_CATALOGUE = "see_catalogue"
    KEEP_CATALOGUE = "keep_catalogue"  # protocols, centres, staff
    GOVERN = "govern"  # clinical holds of protocols and products, dose levels and cohorts
    REGISTER_LOT = "register_lot"
    STOP_LOT = "stop_lot"  # quarantine; everybody may ask for it
    RELEASE_LOT = "release_lot"


class Scope(StrEnum):
    """Lists of which cases an action can be allowed."""

    OWN = "own"
    TEAM = "team"  # and what nobody has taken yet
    CENTRE = "centre"
    ALL = "all"
