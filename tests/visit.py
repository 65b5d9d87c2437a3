"""A visit to the Listening Center without a browser: the app on a test's database, with its clock."""

import threading
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from conftest import NOW
from rich.console import Console as Terminal
from sqlalchemy import Engine
from starlette.testclient import TestClient

from alerts.center.app import app
from alerts.center.room import Room
from alerts.console import Console
from config.schema import Config

MASTER = "the secret of the one who runs it"


def room(engine: Engine, configured: Config, data: Path, **others: object) -> Room:
    """What the pages need; `others` in the place of what a quiet service says."""
    door = Console(configured.care.slack.channels, Terminal(file=StringIO()))
    given: dict[str, object] = {
        "config": lambda: configured,
        "engine": engine,
        "door": lambda: door,
        "secrets": {"CALL_LIGHT_WEB_TOKEN": MASTER},
        "now": lambda: NOW,
        "data": data,
        "wake": lambda: None,
        "flowed_at": lambda: NOW,
    }
    return Room(**{**given, **others})  # type: ignore[arg-type]  # each is what its field says


def visit(room: Room, headers: Mapping[str, str] | None = None, address: str = "127.0.0.1") -> TestClient:
    """A browser at this machine, or at another address; it follows where it is sent."""
    asks = {"accept": "text/html", "sec-fetch-site": "same-origin", **(headers or {})}
    # What goes wrong in a page is to be seen by the test that asked for it.
    return TestClient(app(room), base_url="http://127.0.0.1:8765", headers=asks, client=(address, 50000))


def seated(config: Config, **people: Mapping[str, object]) -> Config:
    """The same configuration where these people sign in."""
    center = type(config.care.center).model_validate({"people": people})
    return config.model_copy(update={"care": config.care.model_copy(update={"center": center})})


def token(room: Room, name: str) -> dict[str, str]:
    """The header by which somebody of [center.people] shows their token."""
    from alerts.center.access import Access

    access = Access(b"\0" * 32, room.secrets)
    return {"authorization": f"Bearer {access.token(name, room.config().care.center.people[name])}"}


def cookie(room: Room, name: str) -> dict[str, str]:
    """The header by which the browser of somebody of [center.people] goes on after they have signed in."""
    from alerts.center.access import Access, cookie_name, key_in

    access, center = Access(key_in(room.data), room.secrets), room.config().care.center
    visitor = access.of_token(center, access.token(name, center.people[name]))
    assert visitor is not None
    return {"cookie": f"{cookie_name(center)}={access.cookie(visitor, room.now())}"}


def csrf(html: str) -> str:
    """What every form of a page carries."""
    return html.partition('name="csrf" value="')[2].partition('"')[0]


def ended(name: str) -> None:
    """Wait until no thread of this name works any more."""
    for thread in threading.enumerate():
        if thread.name == name:
            thread.join(60)
