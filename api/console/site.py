"""Every page of the console, in one place."""

from __future__ import annotations

from fastapi import FastAPI

from api.console import changes, web
from api.console.names import Directory
from api.console.pages import (
    case,
    catalogue,
    clerk,
    document,
    form_pages,
    linked,
    matches,
    operations,
    results,
    sign_in,
    slip,
)
from api.console.pages.desk import bulk, calendar, leave, names_search, saved, task_verbs, tasks, worklist
from api.console.pages.doses import genealogy, governing, hospital_recalls, lots, recalls, stores, turns
from api.console.pages.history import audit, figures, looks, timeline
from api.console.pages.messages import page as messages
from api.console.pages.travelling import clerk_arrangements, custody, stay
from api.name_index import NameIndex, PersonIndex


def install(app: FastAPI) -> None:
    """Put the console into the app, with what this process remembers for it."""
    app.state.directory = Directory()
    app.state.name_index = NameIndex()
    app.state.person_index = PersonIndex()
    parts = (
        sign_in,
        worklist,
        tasks,
        task_verbs,
        leave,
        calendar,
        bulk,
        saved,
        names_search,
        case,
        messages,
        document,
        results,
        matches,
        slip,
        stay,
        custody,
        linked,
        form_pages,
        timeline,
        looks,
        audit,
        operations,
        figures,
        changes,
        catalogue,
        genealogy,
        lots,
        stores,
        turns,
        governing,
        recalls,
        hospital_recalls,
        clerk_arrangements,
        clerk,
    )
    for part in parts:
        app.router.routes.extend(part.router.routes)
    app.router.routes.extend(web.files.routes)
