"""Inbox: what needs me, danger first, then by the time that is left. And what we know of a spike, for every draft."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from sqlmodel import Session, col, select

from alerts import inbox
from alerts.case import WAITING, Case
from alerts.center.app import OfCare, OfRoom, OfVisitor, Sent
from alerts.center.live import Event, Told
from alerts.center.page import fragment, go, is_script, words_for, write
from alerts.center.room import Room
from alerts.form import Refused, checked
from alerts.replies import objections as objections_to
from alerts.spikes import KNOW, Spike, know
from listener.database import reading
from listener.errors import CallLightError

ROLE = "viewer"
NAV = (20, "Inbox", "/inbox")
_FIRST = 50  # lines of each list; more on request
_MOST = 1000

router = APIRouter()


@router.get("/inbox", response_model=None)
def page(request: Request, visitor: OfVisitor, room: OfRoom, more: str = "") -> Response:
    """Three lists: what I have, what nobody has, what others have."""
    limit, config, now = _limit(more), room.config(), room.now()
    with reading(room.engine) as session:
        position = request.app.state.live.position(session)  # first: what comes between is told twice, not never
        lists = {
            "mine": inbox.waiting(session, config, now, limit, visitor.who),
            "free": inbox.waiting(session, config, now, limit),
            "others": inbox.of_others(session, config, now, limit, visitor.who),
        }
        return write(
            request, "inbox", key=uuid.uuid4().hex, lists=lists, counts=inbox.counts(session), position=position, more=limit + _FIRST,
            spikes=_spikes(session), topics=config.keywords.categories,
        )  # fmt: skip


@router.get("/inbox/spikes", response_model=None)
def spikes(request: Request, visitor: OfVisitor, room: OfRoom) -> Response:
    """Of what many speak now, for a page that is open."""
    config = room.config()
    with reading(room.engine) as session:
        html = fragment(
            "spikes", words_for(request), config.hospital.zone, room.now(), spikes=_spikes(session), visitor=visitor,
            topics=config.keywords.categories,
        )  # fmt: skip
    return HTMLResponse(html)


@router.get("/spikes/{spike_id:int}", response_model=None)
def ask(request: Request, visitor: OfCare, room: OfRoom, spike_id: int) -> Response:
    """What we know of a spike is asked for."""
    return _asked(request, room, _spike(room, spike_id))


@router.post("/spikes/{spike_id:int}", response_model=None)
def keep(request: Request, visitor: OfCare, room: OfRoom, spike_id: int, sent: Sent) -> Response:
    """It is kept, once the privacy check has nothing against it."""
    spike, config = _spike(room, spike_id), room.config()
    text = sent.get("known", [""])[0]
    try:
        text = checked(KNOW, {"known": text})["known"]
        if found := objections_to(text, config.hospital, None, config.care.replies):
            raise Refused({"known": " ".join(found)})
        with Session(room.engine) as session:
            know(session, spike_id, text, visitor.who, room.now())
    except Refused as refused:
        return _asked(request, room, spike, text, refused.problems)
    except CallLightError as error:
        if is_script(request):
            return PlainTextResponse(words_for(request)(str(error)), 409)
        return write(request, "sorry", 409, sentence=str(error), back=f"/spikes/{spike_id}")
    room.wake()
    return go(request, "/inbox", "Drafts about this say it from now on.")


def news(told: Told) -> Iterator[Event]:
    """The line of each case that changed; of one that waits no more, how it ended."""
    if not told.cases:
        return
    cases = told.session.exec(select(Case).where(col(Case.id).in_(told.cases))).all()
    waiting = [case for case in cases if case.state in WAITING]
    for line in inbox.lines(told.session, told.config, waiting, told.now):
        yield "line", _shown(told, line)
    for case in cases:
        if case.state not in WAITING:
            yield "over", {"case": case.id, "state": case.state}
    counts = inbox.counts(told.session)
    html = fragment("counts", told.say, told.config.hospital.zone, told.now, counts=counts)
    yield "counts", {"html": html, "danger": counts.free.get("danger", 0), "free": sum(counts.free.values())}


def _shown(told: Told, line: inbox.Line) -> dict[str, Any]:
    html = fragment("line", told.say, told.config.hospital.zone, told.now, line=line)
    return {"case": line.case_id, "html": html}


def _limit(more: str) -> int:
    """How many lines somebody asks for."""
    return max(_FIRST, min(int(more), _MOST)) if more.isascii() and more.isdigit() and len(more) < 10 else _FIRST


def _spikes(session: Session) -> Sequence[Spike]:
    """Those that are on."""
    return session.exec(select(Spike).where(col(Spike.over_at).is_(None)).order_by(col(Spike.id).desc())).all()


def _spike(room: Room, spike_id: int) -> Spike:
    """One of them. Raises HTTPException 404."""
    with reading(room.engine) as session:
        spike = session.get(Spike, spike_id) if spike_id < 2**63 else None
    if spike is None or spike.over_at is not None:
        raise HTTPException(404, "This is over, so no reply speaks of it any more.")
    return spike


def _asked(
    request: Request, room: Room, spike: Spike, text: str | None = None, problems: Mapping[str, str] | None = None
) -> Response:
    return write(
        request, "known", 422 if problems else 200, spike=spike, form=KNOW, problem=(problems or {}).get("known", ""),
        text=(spike.known or "") if text is None else text,
        topic=_title(room, spike.topic),
    )  # fmt: skip


def _title(room: Room, topic: str) -> str:
    categories = room.config().keywords.categories
    return categories[topic].title if topic in categories else topic
