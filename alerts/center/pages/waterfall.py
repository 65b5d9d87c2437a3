"""Waterfall: every post as it comes, what was read in it, and what became of it. Redacted words alone, whoever looks."""

from collections.abc import Iterator, Mapping

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import aliased
from sqlmodel import case, col, exists, select

from alerts.center.app import OfRoom
from alerts.center.live import Event, Told
from alerts.center.page import fragment, words_for, write
from alerts.center.pages.wall import numbers
from alerts.fallen import AMONG, Wanted, newest, newest_ids, posts
from alerts.message import NAMES
from alerts.topic import titles_of
from alerts.verdict import Verdict
from config.schema import Config
from listener.database import reading
from listener.mention import Mention

ROLE = "viewer"
NAV = (10, "Waterfall", "/")
FIRST = 60  # posts of a page that is loaded
_NEWS = 20  # posts that a look sends; of more it is said how many were left out
_KEPT = 200  # posts that an open page keeps: what became of older ones is no news

router = APIRouter()


@router.get("/", response_model=None)
def page(request: Request, room: OfRoom, site: str = "", category: str = "", urgency: str = "") -> Response:
    """The newest posts; a filter that there is not narrows nothing."""
    config, choices = room.config(), _choices(room.config())
    wanted = Wanted(*(v if v in c else "" for v, c in zip((site, category, urgency), choices.values(), strict=True)))
    with reading(room.engine) as session:
        position = request.app.state.live.position(session)
        found = newest(session, config, FIRST, wanted)
    return write(
        request, "waterfall", posts=found, wanted=wanted, choices=choices, position=position, among=AMONG,
        today=numbers(request, room), is_new=False,
    )  # fmt: skip


@router.get("/waterfall/today", response_model=None)
def counted(request: Request, room: OfRoom) -> Response:
    """The numbers above it, for a page that is open."""
    zone, say = room.config().hospital.zone, words_for(request)
    return HTMLResponse(fragment("today", say, zone, room.now(), today=numbers(request, room)))


def news(told: Told) -> Iterator[Event]:
    """Each post that was decided, and those shown whose case has changed; then those that are gone."""
    fresh = _decided(told)
    sent, left_out = fresh[:_NEWS], max(0, len(fresh) - _NEWS)
    changed = _of_cases(told) - set(fresh)
    shown = posts(told.session, told.config, [*sent, *changed])[::-1]  # each is put on top: the newest comes last
    first = next((post.mention_id for post in shown if post.mention_id in sent), None)
    for post in shown:
        out = left_out if post.mention_id == first else 0
        html = fragment(
            "post", told.say, told.config.hospital.zone, told.now, post=post, left_out=out, is_new=True
        )  # fmt: skip
        yield "post", {"id": post.mention_id, "html": html, "left_out": out, "again": post.mention_id not in sent}
    yield from gone(told)


def gone(told: Told) -> Iterator[Event]:
    """The posts that are gone at their place, for every page that shows posts."""
    ids = list(told.session.exec(select(Mention.id).where(col(Mention.deleted_at) > told.gone_since).limit(AMONG)))
    if ids:
        yield "gone", ids


# ---------------------------------------------------------------- what is new


def _decided(told: Told) -> list[int]:
    """Posts that were decided for the first time: danger, then the newest."""
    older = aliased(Verdict)
    is_first = ~exists().where(col(older.mention_id) == Verdict.mention_id, col(older.id) < col(Verdict.id))
    since, until = told.since.readings, told.until.readings
    new = select(Verdict.mention_id).where(col(Verdict.id) > since, col(Verdict.id) <= until, is_first)
    urgent = case((col(Verdict.channel) == "danger", 0), else_=1)
    return list(told.session.exec(new.order_by(urgent, col(Verdict.id).desc())))


def _of_cases(told: Told) -> set[int]:
    """Of the posts that an open page may show those that were decided anew, or whose case was touched."""
    kept = set(newest_ids(told.session, _KEPT))
    again = select(Verdict.mention_id).where(
        col(Verdict.id) > told.since.readings, col(Verdict.id) <= told.until.readings
    )
    theirs = select(Verdict.mention_id).where(col(Verdict.case_id).in_(told.cases), col(Verdict.mention_id).in_(kept))
    return kept & {*told.session.exec(again), *told.session.exec(theirs)}


def _choices(config: Config) -> Mapping[str, Mapping[str, str]]:
    """What can be chosen in each filter: what is looked for, and what people call it."""
    return {
        "site": {site.name: site.name for site in config.hospital.sites},
        "category": titles_of(config),
        "urgency": {urgency: name for urgency, name in NAMES.items() if urgency != "none"},
    }
