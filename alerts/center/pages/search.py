"""Search: what was said about something, among the redacted words; as call-light search finds it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time
from itertools import pairwise
from typing import Annotated
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlmodel import Session

from alerts import export, fulltext
from alerts.center.app import OfRoom, OfVisitor
from alerts.center.live import Event, Told
from alerts.center.page import write
from alerts.center.pages.waterfall import gone
from alerts.message import NAMES, PLACES, place
from alerts.search import KINDS, RANKED, STATES, Filters, Found, Hit, Near, search, table
from alerts.topic import titles_of
from config.schema import Config
from listener.database import reading
from listener.errors import NeedsPerson
from nlp.reading import URGENCIES

ROLE = "viewer"
NAV = (50, "Search", "/search")
_PAGE, _MOST = 25, 1000  # hits of a page, and of all pages
_CHOSEN = ("category", "urgency", "site", "source", "kind", "state")

router = APIRouter()


@dataclass(frozen=True)
class Asked:
    """What somebody typed and chose; "" for what is left open."""

    q: str = ""
    category: str = ""
    urgency: str = ""
    site: str = ""
    source: str = ""
    kind: str = ""
    state: str = ""
    since: str = ""  # a date

    def address(self, path: str = "/search", **others: object) -> str:
        """Where this is found, with `others` in the place of what was asked."""
        values = {field.name: getattr(self, field.name) for field in fields(self)} | others
        given = {name: value for name, value in values.items() if value not in ("", None)}
        return f"{path}?{urlencode(given)}" if given else path

    def filters(self, zone: ZoneInfo) -> Filters:
        """As the search takes them. Raises NeedsPerson for what is no date."""
        since = None
        if self.since:
            try:
                since = datetime.combine(date.fromisoformat(self.since), time(), zone)
            except ValueError:
                raise NeedsPerson(f"{self.since!r} is no date; write it as 2026-11-09") from None
        category, urgency, site, source, kind, state = (getattr(self, name) or None for name in _CHOSEN)
        return Filters(category, urgency, site, source, kind, state, since)


OfAsked = Annotated[Asked, Depends()]


@router.get("/search", response_model=None)
def page(request: Request, visitor: OfVisitor, room: OfRoom, asked: OfAsked, page: str = "1") -> Response:
    """The form, and what was found by it; without a word the newest."""
    config = room.config()
    number = min(max(int(page), 1), _MOST // _PAGE) if page.isascii() and page.isdigit() and len(page) < 4 else 1
    with reading(room.engine) as session:
        position = request.app.state.live.position(session)
        try:
            found = search(session, config, asked.q, asked.filters(config.hospital.zone), number * _PAGE)
            problem = ""
        except NeedsPerson as error:
            found, problem = Found((), 0, ""), str(error)
        choices = _choices(session, config)
    shown, last = found.hits[(number - 1) * _PAGE :], min(found.total, _MOST)
    return write(
        request, "search", 422 if problem else 200, asked=asked, found=found, problem=problem, choices=choices,
        hits=[(hit, pieces(hit.excerpt, hit.marks), _link(hit) if visitor.may("care") else None) for hit in shown],
        near=[(near, _address(asked, near)) for near in found.near], number=number, ranked=RANKED, most=_MOST,
        position=position, before=asked.address(page=number - 1) if number > 1 else None, topics=titles_of(config),
        after=asked.address(page=number + 1) if number * _PAGE < last else None, first=(number - 1) * _PAGE + 1,
    )  # fmt: skip


@router.get("/search.csv", response_model=None)
def csv(visitor: OfVisitor, room: OfRoom, asked: OfAsked) -> Response:
    """The first thousand for a spreadsheet, without links: some name the author."""
    config = room.config()
    with reading(room.engine) as session:
        found = search(session, config, asked.q, asked.filters(config.hospital.zone), _MOST)
    content = export.csv_text(table(found.hits, config)).encode("utf-8-sig")  # the mark by which Excel knows it
    named = f'attachment; filename="search-{room.now().astimezone(config.hospital.zone):%Y-%m-%d}.csv"'
    return Response(content, headers={"Content-Disposition": named}, media_type="text/csv; charset=utf-8")


def news(told: Told) -> Iterator[Event]:
    """What was found and is gone: nothing else of a page that somebody reads moves."""
    yield from gone(told)


def pieces(text: str, marks: Sequence[tuple[int, int]]) -> list[tuple[str, bool]]:
    """A text in pieces, each with whether it is marked."""
    edges = sorted({0, len(text), *(edge for mark in marks for edge in mark)})
    return [(text[start:end], any(a <= start and end <= b for a, b in marks)) for start, end in pairwise(edges)]


def _choices(session: Session, config: Config) -> Mapping[str, Sequence[tuple[str, str]]]:
    """What each filter may be, and how it is called; also what posts have that the config knows no more."""
    topics, there = titles_of(config), {name: fulltext.values(session, name) for name in ("category", "site", "source")}
    categories = {**topics, **{name: name for name in there["category"] if name not in topics}}
    sites = dict.fromkeys([*(site.name for site in config.hospital.sites), *there["site"]])
    return {
        "category": sorted(categories.items(), key=lambda one: one[1].casefold()),
        "urgency": [(name, NAMES[name]) for name in URGENCIES if name != "none"],
        "site": [(name, name) for name in sites],
        "source": [(name, place(name)) for name in dict.fromkeys([*PLACES, *there["source"]])],
        "kind": [(name, name) for name in KINDS],
        "state": [(name, name) for name in STATES],
    }


def _address(asked: Asked, near: Near) -> str:
    """Where a question is asked that finds something."""
    return asked.address(**({"q": near.what} if near.leaves_out is None else {near.leaves_out: ""}))


def _link(hit: Hit) -> str | None:
    """Where it stands, if that is an address of the web: others could do something."""
    try:
        return hit.url if hit.url and urlsplit(hit.url).scheme in ("http", "https") else None
    except ValueError:
        return None
