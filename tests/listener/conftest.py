"""A clock that moves when told to, and what a collector is asked with."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from config.schema import Config
from listener.post import Asking, Page

START = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)


class Clock:
    """A time that moves when told to; called, it gives seconds, as the fakes want them."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at.timestamp()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def asking(config: Config, clock: Clock) -> Callable[..., Asking]:
    """What a collector is told when it is asked at the clock's time."""

    def made(secrets: dict[str, str] | None = None, reads_left: int | None = None) -> Asking:
        return Asking(config.hospital, clock.at, secrets or {}, reads_left)

    return made


class Pass:
    """One pass of a collector: the pages that it gave, what is kept after them, and how it ended."""

    def __init__(self, pages: Any, cursor: dict[str, Any]) -> None:
        self.pages: list[Page] = []
        self.cursor = cursor
        self.error: Exception | None = None
        try:
            for page in pages:
                self.pages.append(page)
                self.cursor = dict(page.cursor)
        except Exception as error:
            self.error = error

    @property
    def posts(self) -> list[Any]:
        return [post for page in self.pages for post in page.posts]

    @property
    def texts(self) -> list[str]:
        return [post.text for post in self.posts]

    @property
    def refs(self) -> list[str]:
        return [post.ref for post in self.posts]

    @property
    def skipped(self) -> list[str]:
        return [str(skip) for page in self.pages for skip in page.skipped]

    @property
    def unheard(self) -> list[Any]:
        return [gap for page in self.pages for gap in page.unheard]


@pytest.fixture
def one_pass(asking: Callable[..., Asking]) -> Callable[..., Pass]:
    """Run a collector once from a cursor; what it raises is kept in `error`."""

    def run(collector: Any, settings: Any, cursor: dict[str, Any], **options: Any) -> Pass:
        return Pass(collector.fetch(settings, cursor, asking(**options)), cursor)

    return run
