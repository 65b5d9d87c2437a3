"""A case: what was said, how it stands, what happened, and the same actions as on its card in Slack."""

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response
from sqlmodel import Session, col, select

from alerts.act import Doing, case_of, form_of, known_actions
from alerts.answer import newest_answer
from alerts.case import Case, CaseEvent, note
from alerts.center.access import Visitor
from alerts.center.app import OfCare, OfRoom, OfVisitor, Sent
from alerts.center.live import Event, Told
from alerts.center.page import fragment, go, words_for, write
from alerts.center.room import Room
from alerts.form import Form, Refused
from alerts.people import Person, named
from alerts.press import Press, allow, press
from alerts.privacy.check import check as check_words
from alerts.replies import too_long
from alerts.slack import Slack
from alerts.view import conversation, foremost, posts_of, view
from listener.database import reading

ROLE = "viewer"

router = APIRouter()


@router.get("/cases/{case_id}", response_model=None)
def page(request: Request, visitor: OfVisitor, room: OfRoom, case_id: int) -> Response:
    """The whole page. Whoever looks at a danger case is written down."""
    _written_down(room, visitor, case_id)
    with reading(room.engine) as session:
        position = request.app.state.live.position(session)
        return write(request, "case", position=position, **_shown(session, room, visitor, case_id))


@router.get("/cases/{case_id}/part", response_model=None)
def part(request: Request, visitor: OfVisitor, room: OfRoom, case_id: int) -> Response:
    """What of the page may have changed, for one that is open."""
    with reading(room.engine) as session:
        shown = _shown(session, room, visitor, case_id)
    zone, say = room.config().hospital.zone, words_for(request)
    csrf = request.app.state.access.csrf(visitor)
    return HTMLResponse(fragment("standing", say, zone, room.now(), visitor=visitor, csrf=csrf, **shown))


@router.get("/cases/{case_id}/do/{action}", response_model=None)
def ask(request: Request, visitor: OfCare, room: OfRoom, case_id: int, action: str) -> Response:
    """What an action asks first."""
    with reading(room.engine) as session:
        _allow(room, visitor, action)
        form = form_of(_doing(session, room, visitor, case_id), action)
        if form is None:
            raise HTTPException(404)
        return _asked(request, session, room, visitor, case_id, action, form)


@router.post("/cases/{case_id}/do/{action}", response_model=None)
def do(request: Request, visitor: OfCare, room: OfRoom, case_id: int, action: str, sent: Sent) -> Response:
    """Do it; or say what is wrong with the answers, which are all still there."""
    _allow(room, visitor, action)
    fields = dict(sent)
    key, to = fields.pop("key", [""])[0][:64] or uuid.uuid4().hex, fields.pop("to", [""])[0]
    given = {name: values if len(values) > 1 else values[0] for name, values in fields.items()}
    wanted = Press(action, case_id, visitor.who, visitor.name, f"web:{key}:{case_id}:{action}", given)
    try:
        done = press(room.engine, room.config(), room.door(), wanted, room.now(), room.secrets, room.wake)
    except Refused as refused:
        with reading(room.engine) as session:
            form = form_of(_doing(session, room, visitor, case_id), action)
            assert form is not None
            return _asked(request, session, room, visitor, case_id, action, form, given, refused.problems)
    if done is not None and done.then is not None:
        return go(request, f"/cases/{case_id}/do/{done.then}", done.sentence)
    sentence = done.sentence if done is not None else ""
    return go(request, f"/inbox#case-{case_id}" if to == "inbox" else f"/cases/{case_id}", sentence)


@router.post("/cases/{case_id}/check", response_model=None)
def check(request: Request, visitor: OfCare, room: OfRoom, case_id: int, sent: Sent) -> Response:
    """The privacy check on a draft while it is typed: the same text with the words that may not go out marked."""
    text, config = sent.get("reply", [""])[0].replace("\r\n", "\n"), room.config()
    with reading(room.engine) as session:
        mention, _ = foremost(posts_of(session, case_of(session, case_id, lock=False)))
        said, source = mention.text, mention.source
    objections = check_words(text, config.hospital, said, (config.care.replies.contact,)) if text.strip() else []
    marks = _marked(text, [(one.start, one.end) for one in objections])
    say = words_for(request)
    html = fragment(
        "objections", say, config.hospital.zone, room.now(), objections=objections, marks=marks,
        too_long=too_long(source, text), is_empty=not text.strip(),
    )  # fmt: skip
    return HTMLResponse(html)


@router.post("/cases/{case_id}/original", response_model=None)
def original(request: Request, visitor: OfCare, room: OfRoom, case_id: int, sent: Sent) -> Response:
    """The words as they were written, for one person who is written down."""
    now = room.now()
    with Session(room.engine) as session:
        case = case_of(session, case_id, lock=False)
        note(session, case, now, visitor.who, "viewed", "read the words as they were written")
        session.commit()
    with reading(room.engine) as session:
        shown = _shown(session, room, visitor, case_id)
        posts = [
            mention
            for mention, _ in posts_of(session, case_of(session, case_id, lock=False))
            if mention.deleted_at is None
        ]
        return write(
            request,
            "case",
            position=request.app.state.live.position(session),
            **shown | {"original": [post.text for post in posts]},
        )


def news(told: Told) -> Iterator[Event]:
    """Which cases changed: a page of one of them asks for itself."""
    events = select(CaseEvent.case_id).where(
        col(CaseEvent.id) > told.since.events, col(CaseEvent.id) <= told.until.events, CaseEvent.kind != "viewed"
    )
    if ids := sorted(set(told.session.exec(events))):
        yield "changed", ids


def _shown(session: Session, room: Room, visitor: Visitor, case_id: int) -> dict[str, Any]:
    config, now = room.config(), room.now()
    case = case_of(session, case_id, lock=False)
    events = session.exec(
        select(CaseEvent).where(CaseEvent.case_id == case_id).order_by(col(CaseEvent.id).desc())
    ).all()
    names = {event.who: named(session, event.who) for event in events}
    return {
        "case": case,
        "view": view(session, config, case, "", now),
        "conversation": conversation(session, case),
        "answer": newest_answer(session, case_id),
        "owner": named(session, case.owner) if case.owner else None,
        "events": events,
        "names": names,
        "asks": {name for name, action in known_actions().items() if hasattr(action, "form")},
        "key": uuid.uuid4().hex,
        "original": None,
    }


def _asked(
    request: Request,
    session: Session,
    room: Room,
    visitor: Visitor,
    case_id: int,
    action: str,
    form: Form,
    given: Mapping[str, Any] | None = None,
    problems: Mapping[str, str] | None = None,
) -> Response:
    """The page with the form of an action; with what was answered, where that would not do."""
    values = {field.name: (given or {}).get(field.name, field.initial) for field in form.fields}
    return write(
        request, "ask", 422 if problems else 200, form=form, action=action, values=values, problems=problems or {},
        people=_people(session, room) if any(field.kind == "person" for field in form.fields) else (),
        position=request.app.state.live.position(session), **_shown(session, room, visitor, case_id),
    )  # fmt: skip


def _people(session: Session, room: Room) -> Sequence[tuple[str, str]]:
    """Whom a case can be given to: by what is written down, and their names."""
    known = {person.id: person.name for person in session.exec(select(Person))}
    seats = room.config().care.center.people.items()
    known |= {seat.slack or name: seat.name or name for name, seat in seats if seat.role != "viewer"}
    return sorted(known.items(), key=lambda one: one[1].casefold())


def _doing(session: Session, room: Room, visitor: Visitor, case_id: int) -> Doing:
    return Doing(session, room.config(), case_of(session, case_id, lock=False), visitor.who, room.now())


def _allow(room: Room, visitor: Visitor, action: str) -> None:
    """What care.toml allows is the same here as in Slack."""
    if action not in known_actions():
        raise HTTPException(404)

    def groups(members: Collection[str]) -> Collection[str]:
        door = room.door()
        return door.groups_of(visitor.who, members) if members and isinstance(door, Slack) else ()

    allow(room.config().care, action, visitor.who, groups)


def _written_down(room: Room, visitor: Visitor, case_id: int) -> None:
    """Who saw a danger case, before they see it."""
    with reading(room.engine) as session:
        case = session.get(Case, case_id)
        if case is None:
            raise HTTPException(404, f"There is no case {case_id}.")
        if case.urgency != "danger":
            return
    with Session(room.engine) as session:
        note(session, session.get_one(Case, case_id), room.now(), visitor.who, "viewed", "looked at it")
        session.commit()


def _marked(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether it is marked."""
    edges = sorted({0, len(text), *(edge for span in spans for edge in span)})
    return [
        (text[start:end], any(begin <= start and end <= finish for begin, finish in spans))
        for start, end in pairwise(edges)
    ]
