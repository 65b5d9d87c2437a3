"""Health: what is wrong first, with what to do; and the same as numbers for Prometheus."""

import shutil
from collections.abc import Iterator

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from alerts.center.app import OfRoom, OfVisitor
from alerts.center.health import health, size_of
from alerts.center.live import Event, Live, Told
from alerts.center.metrics import Process, Stuck, Totals, text
from alerts.center.page import fragment, words_for, write
from alerts.center.task import once
from alerts.pager import ADDRESSES
from listener.database import reading

ROLE = "viewer"
NAV = (70, "Health", "/health")

router = APIRouter()


@router.get("/health", response_model=None)
def page(request: Request, visitor: OfVisitor, room: OfRoom) -> Response:
    """How everything fares."""
    live: Live = request.app.state.live
    with reading(room.engine) as session:
        found = health(session, room, words_for(request))
        return write(request, "health", position=live.position(session), health=found, open_pages=live.pages)


@router.get("/health/part", response_model=None)
def part(request: Request, visitor: OfVisitor, room: OfRoom) -> Response:
    """The same for a page that is open."""
    say, live = words_for(request), request.app.state.live
    with reading(room.engine) as session:
        found = health(session, room, say)
        zone = room.config().hospital.zone
        html = fragment("health_part", say, zone, room.now(), health=found, open_pages=live.pages)
    return HTMLResponse(html)


@router.get("/metrics", response_model=None)
def metrics(request: Request, visitor: OfVisitor, room: OfRoom) -> Response:
    """For a scraper, which signs in with "Authorization: Bearer TOKEN"."""
    state, free = request.app.state, shutil.disk_usage(room.data).free
    pagers = len(room.secrets.get(ADDRESSES, "").split())
    process = Process(state.live.pages, room.flowed_at(), size_of(room.engine), free, pagers)
    totals, stuck = once(state, "totals", Totals), once(state, "stuck", Stuck)  # which are counted on
    with reading(room.engine) as session:
        accept = request.headers.get("accept", "")
        content, kind = text(session, room.config(), totals, stuck, process, room.now(), accept)
    return Response(content, media_type=kind)


def news(told: Told) -> Iterator[Event]:
    """None of its own: what is sent to every page from time to time has it look again."""
    yield from ()
