"""The page for programs: every route and every command in words. No script, nothing fetched from elsewhere."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, JSONResponse
from jinja2 import Environment, FileSystemLoader

from api.http.auth import open_page
from domain.journey import ANYTIME, JOURNEY, meaning

router = APIRouter()
PAGES = Environment(loader=FileSystemLoader(Path(__file__).parent / "pages"), autoescape=True)
CLOSED = {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"}


@router.get("/openapi.json", include_in_schema=False, dependencies=[Depends(open_page)])
async def description(request: Request) -> JSONResponse:
    """Return what Caravel answers to, for programs."""
    return JSONResponse(request.app.openapi())


@router.get("/docs", include_in_schema=False, dependencies=[Depends(open_page)])
async def start(request: Request) -> HTMLResponse:
    """Return what Caravel answers to."""
    described = request.app.openapi()
    routes = [
        (method.upper(), path, operation.get("description") or operation.get("summary", ""))
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
    ]
    page = PAGES.get_template("start.html").render(
        about=described["info"]["description"],
        routes=routes,
        journey=JOURNEY,
        anytime=ANYTIME,
        meaning=meaning,
        fields=_fields,
    )
    return HTMLResponse(page, headers=CLOSED)


def _fields(command: type[Any]) -> str:
    return ", ".join(f.name for f in fields(command) if f.name not in ("type", "by"))
