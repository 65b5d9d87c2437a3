"""Inbox: what needs me, danger first, then by the time that is left."""

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlmodel import col, select

from alerts import inbox
from alerts.case import WAITING, Case, CaseEvent
from alerts.center.app import OfRoom, OfVisitor
from alerts.center.live import Event, Told
from alerts.center.page import fragment, write
from alerts.spikes import Spike
from listener.database import reading

ROLE = "viewer"
NAV = (20, "Inbox", "/inbox")
_FIRST = 50  # lines of each list; more on request
_MOST = 1000

router = APIRouter()


@router.get("/inbox", response_model=None)
def page(request: Request, visitor: OfVisitor, room: OfRoom, more: int = _FIRST) -> Response:
    """Three lists: what I have, what nobody has, what others have."""
    limit, config, now = max(_FIRST, min(more, _MOST)), room.config(), room.now()
    with reading(room.engine) as session:
        position = request.app.state.live.position(session)
        lists = {
            "mine": inbox.waiting(session, config, now, limit, visitor.who),
            "free": inbox.waiting(session, config, now, limit),
            "others": inbox.of_others(session, config, now, limit, visitor.who),
        }
        counts = inbox.counts(session)
        spikes = session.exec(select(Spike).where(col(Spike.over_at).is_(None))).all()
        return write(
            request, "inbox", lists=lists, counts=counts, spikes=spikes, position=position, more=limit + _FIRST,
            topics=config.keywords.categories,
        )  # fmt: skip


def news(told: Told) -> Iterator[Event]:
    """The line of each case that changed; of one that waits no more, how it ended."""
    events = select(CaseEvent.case_id).where(
        col(CaseEvent.id) > told.since.events, col(CaseEvent.id) <= told.until.events, CaseEvent.kind != "viewed"
    )
    ids = set(told.session.exec(events))
    if not ids:
        return
    cases = told.session.exec(select(Case).where(col(Case.id).in_(ids))).all()
    waiting = [case for case in cases if case.state in WAITING]
    for line in inbox.lines(told.session, told.config, waiting, told.now):
        yield "line", _shown(told, line)
    for case in cases:
        if case.state not in WAITING:
            yield "over", {"case": case.id, "state": case.state}
    counts = inbox.counts(told.session)
    yield (
        "counts",
        {
            "html": fragment("counts", told.say, told.config.hospital.zone, told.now, counts=counts),
            "danger": counts.free.get("danger", 0),
        },
    )


def _shown(told: Told, line: inbox.Line) -> dict[str, Any]:
    html = fragment("line", told.say, told.config.hospital.zone, told.now, line=line)
    return {"case": line.case_id, "html": html}
