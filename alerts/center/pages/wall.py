"""Wall: the numbers of this moment, to be read from three metres away. What posts say only where care.toml allows it."""

from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, Response

from alerts.center.app import OfRoom
from alerts.center.health import ROUND
from alerts.center.live import Event, Told
from alerts.center.page import fragment, words_for, write
from alerts.center.room import Room
from alerts.fallen import newest
from alerts.sections.reply_times import SOUTHWEST
from alerts.today import Latest, Today
from listener.database import reading

ROLE = "viewer"
NAV = (30, "Wall", "/wall")
_WORDS = 3  # posts that are shown where they may be

_latest: WeakKeyDictionary[FastAPI, Latest] = WeakKeyDictionary()

router = APIRouter()


@router.get("/wall", response_model=None)
def page(request: Request, room: OfRoom) -> Response:
    """The whole screen."""
    with reading(room.engine) as session:
        position = request.app.state.live.position(session)
    return write(request, "wall", position=position, **_shown(request, room))


@router.get("/wall/numbers", response_model=None)
def figures(request: Request, room: OfRoom) -> Response:
    """What on it changes."""
    zone, say = room.config().hospital.zone, words_for(request)
    return HTMLResponse(
        fragment("numbers", say, zone, room.now(), hospital=room.config().hospital.name, **_shown(request, room))
    )


def news(told: Told) -> Iterator[Event]:
    """That something changed: a screen asks for its numbers then."""
    yield "stale", None


def numbers(request: Request, room: Room) -> Today:
    """Today, counted once a second however many pages ask."""
    return _latest.setdefault(request.app, Latest()).of(room.engine, room.config(), room.now())


def _shown(request: Request, room: Room) -> dict[str, Any]:
    config, now, flowed_at = room.config(), room.now(), room.flowed_at()
    posts = []
    if config.care.center.wall_words:
        with reading(room.engine) as session:
            posts = newest(session, config, _WORDS)
    still_since = flowed_at if flowed_at is not None and now - flowed_at > ROUND else None
    return {
        "today": numbers(request, room),
        "aim": SOUTHWEST,
        "posts": posts,
        "still_since": still_since,
    }
