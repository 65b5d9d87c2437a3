"""A case: what was said, how it stands, what happened, and the same actions as on its card in Slack."""

import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from sqlmodel import Session, col, select

from alerts.act import Doing, form_of, known_actions
from alerts.answer import newest_answer
from alerts.case import Case, CaseEvent, note
from alerts.center.access import Visitor
from alerts.center.app import OfCare, OfRoom, OfVisitor, Sent
from alerts.center.live import Event, Told
from alerts.center.page import fragment, go, is_script, words_for, write
from alerts.center.room import Room
from alerts.form import Form, Refused
from alerts.message import visible, web_address
from alerts.people import Person, named, spoken
from alerts.press import Press, allow, press
from alerts.replies import beyond, checked, too_long
from alerts.slack import Slack
from alerts.view import conversation, foremost, posts_of, view
from listener.database import reading
from listener.errors import CallLightError, NeedsPerson
from listener.mention import Mention

ROLE = "viewer"
# So long a page that is open shows what is new of a case, until it is written down anew that this person looks at it.
_LOOKS_ON = timedelta(hours=1)
_PATIENCE = 1.0  # seconds that a page waits for the cards in Slack to be shown anew
_GONE = 5_000  # cases that are told that posts beside them are gone
_LARGEST = 2**63 - 1  # number that a database holds

router = APIRouter()


@dataclass(frozen=True)
class Happened:
    """An event of a case, as it is shown."""

    at: datetime
    kind: str
    by: str
    what: str


@router.get("/cases/{case_id:int}", response_model=None)
def page(request: Request, visitor: OfVisitor, room: OfRoom, case_id: int) -> Response:
    """The whole page. Whoever looks at a danger case is written down."""
    _written_down(room, visitor, case_id)
    return _page(request, room, visitor, case_id)


@router.get("/cases/{case_id:int}/part", response_model=None)
def part(request: Request, visitor: OfVisitor, room: OfRoom, case_id: int) -> Response:
    """What of the page may have changed, for one that is open."""
    _written_down(room, visitor, case_id, _LOOKS_ON)
    with reading(room.engine) as session:
        shown = _shown(session, room, visitor, case_id)
    zone, say = room.config().hospital.zone, words_for(request)
    csrf = request.app.state.access.csrf(visitor)
    return HTMLResponse(fragment("standing", say, zone, room.now(), visitor=visitor, csrf=csrf, **shown))


@router.get("/cases/{case_id:int}/do/{action}", response_model=None)
def ask(request: Request, visitor: OfCare, room: OfRoom, case_id: int, action: str) -> Response:
    """What an action asks first; back to the case where it cannot be done, with the reason."""
    _written_down(room, visitor, case_id, _LOOKS_ON)
    with reading(room.engine) as session:
        case = _case(session, case_id)
        try:
            _allow(room, visitor, action)
            form = form_of(_doing(session, room, visitor, case), action)
        except CallLightError as error:
            return go(request, f"/cases/{case_id}", spoken(str(error), _naming(session, room)))
        if form is None:
            raise HTTPException(404)
        return _asked(request, session, room, visitor, case_id, action, form)


@router.post("/cases/{case_id:int}/do/{action}", response_model=None)
def do(request: Request, visitor: OfCare, room: OfRoom, case_id: int, action: str, sent: Sent) -> Response:
    """Do it; or say what is wrong with the answers, which are all still there."""
    with reading(room.engine) as session:
        _case(session, case_id)
    fields = dict(sent)
    key, version, back, seal = (fields.pop(name, [""])[0][:64] for name in ("key", "version", "back", "seal"))
    given = {name: values if len(values) > 1 else values[0] for name, values in fields.items()}
    # What the person saw tells a second press from the same one sent twice.
    key = f"web:{visitor.who}:{key or uuid.uuid4().hex}:{version}:{case_id}:{action}"
    back = f"/inbox#case-{case_id}" if back == "inbox" else f"/cases/{case_id}"
    try:
        _allow(room, visitor, action)
        wanted = Press(action, case_id, visitor.who, visitor.name, key, given, seal)
        done = press(room.engine, room.config(), room.door(), wanted, room.now(), room.secrets, room.wake, _PATIENCE)
    except Refused as refused:
        with reading(room.engine) as session:
            form = form_of(_doing(session, room, visitor, _case(session, case_id)), action)
            if form is None:
                raise HTTPException(400, "This action asks nothing.") from None
            return _asked(request, session, room, visitor, case_id, action, form, given, refused.problems)
    except CallLightError as error:
        return _not_done(request, room, back, str(error), bool(given))
    if done is not None and done.then is not None:
        back = f"/cases/{case_id}/do/{done.then}"
    return _went(request, room, back, done.sentence if done is not None else "That was done already.")


@router.post("/cases/{case_id:int}/check", response_model=None)
def check(request: Request, visitor: OfCare, room: OfRoom, case_id: int, sent: Sent) -> Response:
    """The privacy check on a draft while it is typed: the same text with the words that may not go out marked."""
    text, config = sent.get("reply", [""])[0].replace("\r\n", "\n"), room.config()
    with reading(room.engine) as session:
        mention, _ = foremost(posts_of(session, _case(session, case_id)))
        said, source = mention.text, mention.source
    objections = checked(text, config.hospital, said, config.care.replies)
    marks = _marked(text, [(one.start, one.end) for one in objections])
    say = words_for(request)
    html = fragment(
        "objections", say, config.hospital.zone, room.now(), objections=objections, marks=marks,
        too_long=too_long(source, text) or beyond(text), is_empty=not text.strip(),
    )  # fmt: skip
    return HTMLResponse(html)


@router.get("/cases/{case_id:int}/original", response_model=None)
def not_again(request: Request, visitor: OfVisitor, case_id: int) -> Response:
    """Who loads that page anew, or comes back to it, asks for the words anew."""
    return go(request, f"/cases/{case_id}")


@router.post("/cases/{case_id:int}/original", response_model=None)
def original(request: Request, visitor: OfCare, room: OfRoom, case_id: int, sent: Sent) -> Response:
    """The words as they were written, for one person who is written down."""
    with Session(room.engine) as session:
        note(session, _case(session, case_id), room.now(), visitor.who, "viewed", "read the words as they were written")
        session.commit()
    with reading(room.engine) as session:
        posts = [post.text for post, _ in posts_of(session, _case(session, case_id)) if post.deleted_at is None]
    return _page(request, room, visitor, case_id, posts)


def news(told: Told) -> Iterator[Event]:
    """Which cases changed, or have a post in their thread that is gone: a page of one of them asks for itself."""
    in_thread = (Mention.source == Case.source, Mention.thread == Case.thread)
    gone = select(Case.id).where(*in_thread, col(Mention.deleted_at) > told.gone_since).limit(_GONE)
    ids = {*told.cases, *(id_ for id_ in told.session.exec(gone) if id_ is not None)}
    if ids:
        yield "changed", sorted(ids)


def _page(
    request: Request, room: Room, visitor: Visitor, case_id: int, original: Sequence[str] | None = None
) -> Response:
    with reading(room.engine) as session:
        position = request.app.state.live.position(session)  # first: what comes between is told twice, not never
        shown = _shown(session, room, visitor, case_id)
        return write(request, "case", position=position, original=original, **shown)


def _shown(session: Session, room: Room, visitor: Visitor, case_id: int) -> dict[str, Any]:
    config, case = room.config(), _case(session, case_id)
    events = select(CaseEvent).where(CaseEvent.case_id == case_id).order_by(col(CaseEvent.id).desc())
    name = _naming(session, room)
    seen = view(session, config, case, "", room.now())
    return {
        "case": case,
        "view": replace(seen, url=web_address(seen.url)),
        "conversation": conversation(session, case),
        "answer": newest_answer(session, case_id),
        "owner": name(case.owner) if case.owner else None,
        "events": [
            Happened(event.at, event.kind, name(event.who), visible(spoken(event.what, name)))
            for event in session.exec(events)
        ],
        "asks": {name for name, action in known_actions().items() if hasattr(action, "form")},
        "key": uuid.uuid4().hex,
    }


def _went(request: Request, room: Room, to: str, sentence: str) -> Response:
    """To the next page, after something was done; an inbox that is open stays, and hears what has changed."""
    with reading(room.engine) as session:
        sentence = spoken(sentence, _naming(session, room))
    if is_script(request) and to.startswith("/inbox#"):
        return PlainTextResponse(words_for(request)(sentence))
    return go(request, to, sentence)


def _not_done(request: Request, room: Room, back: str, why: str, is_form: bool) -> Response:
    """Why it could not be done. Words that somebody wrote stay on their screen."""
    with reading(room.engine) as session:
        why = spoken(why, _naming(session, room))
    if is_script(request):
        return PlainTextResponse(words_for(request)(why), 409)
    return write(request, "sorry", 409, sentence=why, back=back) if is_form else go(request, back, why)


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
    values |= {
        field.name: (values[field.name],)
        for field in form.fields
        if field.kind == "choices" and isinstance(values[field.name], str)
    }
    link = form.link if form.link is not None and web_address(form.link.url) else None
    return write(
        request, "ask", 422 if problems else 200, form=replace(form, link=link), action=action, values=values,
        problems=problems or {},
        people=_people(session, room) if any(field.kind == "person" for field in form.fields) else (),
        position=request.app.state.live.position(session), **_shown(session, room, visitor, case_id),
    )  # fmt: skip


def _people(session: Session, room: Room) -> Sequence[tuple[str, str]]:
    """Whom a case can be given to: by what is written down, and their names."""
    known = {person.id: person.name for person in session.exec(select(Person))}
    return sorted((known | _seats(room, ("care", "admin"))).items(), key=lambda one: one[1].casefold())


def _seats(room: Room, roles: Collection[str] = ("viewer", "care", "admin")) -> dict[str, str]:
    """The people of care.toml: by what is written down, and their names."""
    seats = room.config().care.center.people.items()
    return {seat.slack or name: seat.name or name for name, seat in seats if seat.role in roles}


def _naming(session: Session, room: Room) -> Callable[[str], str]:
    """What colleagues call somebody."""
    known = _seats(room) | {"call-light": "Call Light"}
    return lambda who: visible(known.get(who) or named(session, who))


def _case(session: Session, case_id: int) -> Case:
    """A case. Raises HTTPException 404."""
    case = session.get(Case, case_id) if case_id <= _LARGEST else None
    if case is None:
        raise HTTPException(404, "There is no such case.")
    return case


def _doing(session: Session, room: Room, visitor: Visitor, case: Case) -> Doing:
    return Doing(session, room.config(), case, visitor.who, room.now())


def _allow(room: Room, visitor: Visitor, action: str) -> None:
    """What care.toml allows is the same here as in Slack. Raises NeedsPerson."""
    if action not in known_actions():
        raise HTTPException(404)

    def groups(members: Collection[str]) -> Collection[str]:
        door = room.door()
        if not members or not isinstance(door, Slack):
            return ()
        try:
            return door.groups_of(visitor.who, members)
        except CallLightError as error:
            why = f"Slack does not say who is in the group that care.toml names ({error})"
            raise NeedsPerson(f"It is not known whether you may do this: {why}. Please press again.") from None

    allow(room.config().care, action, visitor.who, groups)


def _written_down(room: Room, visitor: Visitor, case_id: int, looks_on: timedelta = timedelta()) -> None:
    """Who saw a danger case, before they see it; once in `looks_on` for a page that shows more and more of it."""
    now = room.now()
    with reading(room.engine) as session:
        if _case(session, case_id).urgency != "danger":
            return
        seen = select(CaseEvent.id).where(
            CaseEvent.case_id == case_id,
            CaseEvent.who == visitor.who,
            CaseEvent.kind == "viewed",
            CaseEvent.at > now - looks_on,
        )
        if looks_on and session.exec(seen.limit(1)).first() is not None:
            return
    with Session(room.engine) as session:
        note(session, session.get_one(Case, case_id), now, visitor.who, "viewed", "looked at it")
        session.commit()


def _marked(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether it is marked."""
    edges = sorted({0, len(text), *(edge for span in spans for edge in span)})
    return [
        (text[start:end], any(begin <= start and end <= finish for begin, finish in spans))
        for start, end in pairwise(edges)
    ]
