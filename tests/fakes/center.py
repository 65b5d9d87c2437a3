"""The Listening Center as its visitors meet it: an app, and browsers that ask it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console as Terminal
from sqlalchemy import Engine
from starlette.testclient import TestClient

from alerts.center.app import app
from alerts.center.room import Room
from alerts.console import Console
from config.schema import Center, Config

SECRET = "a secret of more than twenty characters"
HERE = ("127.0.0.1", 50000)  # whence this machine asks
THERE = ("10.1.2.3", 50000)  # and somebody else
LOCAL = "http://127.0.0.1:8765"
FAR = "https://care.stbrigid.example"
AS_BROWSER = {"accept": "text/html", "connection": "keep-alive"}
AS_FORM = {"content-type": "application/x-www-form-urlencoded"}


@dataclass
class House:
    """A center whose care.toml, clock and secrets a test sets."""

    config: Config
    engine: Engine
    data: Path
    now: datetime
    secrets: Mapping[str, str] = field(default_factory=lambda: {"CALL_LIGHT_WEB_TOKEN": SECRET})

    def __post_init__(self) -> None:
        terminal = Terminal(quiet=True)
        self.room = Room(
            config=lambda: self.config,
            engine=self.engine,
            door=lambda: Console(self.config.care.slack.channels, terminal),
            secrets=self.secrets,
            now=lambda: self.now,
            data=self.data,
            wake=lambda: None,
            flowed_at=lambda: self.now,
        )
        self.app: Any = app(self.room)

    def set(self, **center: Any) -> None:
        """What [center] of care.toml says from now on."""
        care = self.config.care.model_copy(update={"center": Center.model_validate(center)})
        self.config = self.config.model_copy(update={"care": care})

    def browser(self, base_url: str = LOCAL, client: tuple[str, int] = HERE, **headers: str) -> TestClient:
        """Somebody's browser: it keeps cookies, and goes where it is told only when a test does."""
        sent = AS_BROWSER | {name.replace("_", "-"): value for name, value in headers.items()}
        return TestClient(self.app, base_url, headers=sent, client=client, follow_redirects=False)

    def token(self, name: str) -> str:
        """The token of somebody in [center.people]."""
        access = self.app._access
        return str(access.token(name, self.config.care.center.people[name]))


def send(browser: TestClient, path: str, origin: str | None = None, **fields: str) -> Any:
    """Send a form as a page of `origin` does; of the center itself where none is given."""
    own = str(browser.base_url).rstrip("/")
    return browser.post(path, data=fields, headers=AS_FORM | {"origin": origin or own})


def signed_in(house: House, name: str, base_url: str = FAR) -> TestClient:
    """The browser of somebody who has signed in with their token."""
    browser = house.browser(base_url, THERE)
    answer = send(browser, "/sign-in", token=house.token(name))
    assert answer.status_code == 303, answer.text
    return browser
