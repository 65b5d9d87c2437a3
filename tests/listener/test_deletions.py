"""What is gone at its place is gone here, and nothing is kept longer than its place allows."""

from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from config.schema import CollectorSettings, Config
from listener import collect, tombstones
from listener.deletions import came_round, expire, gone_since, look_again
from listener.errors import TryLater
from listener.keep import DELETED, EXPIRED, keep
from listener.mention import Mention, Sketch
from listener.post import Asking, Page, Post, Ref

DAY = timedelta(days=1)
WORDS = "seven hours in the waiting room at St. Brigid's and not one word to us from anybody"


class Site:
    """A place that knows which posts are there; what it was asked is remembered."""

    def __init__(self) -> None:
        self.gone: set[str] = set()
        self.edited: dict[str, Post] = {}
        self.asked: list[list[str]] = []
        self.trouble: Exception | None = None

    def lookup(self, settings: Any, refs: Any, asking: Asking) -> Page:
        self.asked.append(list(refs))
        if self.trouble:
            raise self.trouble
        deleted = tuple(Ref("x", ref) for ref in refs if ref in self.gone)
        return Page(tuple(self.edited[ref] for ref in refs if ref in self.edited), {}, deleted=deleted, cost=0.5)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    site = Site()
    collector = SimpleNamespace(Settings=CollectorSettings, SECRETS=(), fetch=None, lookup=site.lookup)
    monkeypatch.setattr(collect, "known_collectors", lambda: {"x": collector})
    return site


@pytest.fixture
def kept(engine: Engine, config: Config, now: datetime) -> Callable[..., None]:
    def kept(count: int, at: datetime = now, **fields: Any) -> None:
        posts = [
            Post(**{"source": "x", "ref": f"{n}", "text": WORDS, "written_at": now, "author": f"ann{n}", **fields})
            for n in range(count)
        ]
        with Session(engine) as session:
            keep(session, "x", Page(tuple(posts), {}), config.hospital, at)

    return kept


@pytest.fixture
def look(engine: Engine, config: Config) -> Callable[[datetime], int]:
    return lambda at: look_again(engine, "x", CollectorSettings(), Asking(config.hospital, at))


def rows(engine: Engine) -> list[Mention]:
    with Session(engine) as session:
        return list(session.exec(select(Mention).order_by(col(Mention.id))).all())


def test_nothing_but_a_tombstone_stays(engine: Engine, site: Site, kept: Any, look: Any, now: datetime) -> None:
    kept(2, url="https://x.com/ann/status/1", author_name="Ann", rating=1.0, reach=9)
    site.gone = {"1"}
    assert look(now + DAY) == 1
    stays, gone = rows(engine)
    assert stays.text == WORDS
    assert stays.looked_at == now + DAY
    assert (gone.text, gone.author, gone.author_name, gone.url, gone.rating, gone.reach) == ("", *[None] * 5)
    assert (gone.deleted_at, gone.deleted_why) == (now + DAY, DELETED)
    with Session(engine) as session:
        assert gone.ref == tombstones.begun(session).of_post("x", "1"), "its name there may say who wrote it"
        assert session.exec(select(Sketch).where(Sketch.mention_id == gone.id)).all() == []


def test_each_at_its_time_and_a_hundred_at_once(site: Site, kept: Any, look: Any, now: datetime) -> None:
    kept(250)
    look(now + DAY / 2)
    assert site.asked == []
    look(now + DAY)
    assert [len(asked) for asked in site.asked] == [100, 100, 50]
    assert len({ref for asked in site.asked for ref in asked}) == 250
    look(now + DAY * 1.5)
    assert len(site.asked) == 3


def test_what_is_gone_is_not_asked_about_again(site: Site, kept: Any, look: Any, now: datetime) -> None:
    kept(2)
    site.gone = {"0"}
    look(now + DAY)
    look(now + 2 * DAY)
    assert site.asked == [["0", "1"], ["1"]]


def test_trouble_forgets_nothing(engine: Engine, site: Site, kept: Any, look: Any, now: datetime) -> None:
    kept(1)
    site.trouble = TryLater("x: X answers 503")
    with pytest.raises(TryLater):
        look(now + DAY)
    assert (rows(engine)[0].text, rows(engine)[0].looked_at) == (WORDS, now)


def test_an_edit_is_seen_on_the_way(engine: Engine, site: Site, kept: Any, look: Any, now: datetime) -> None:
    kept(1)
    later = now + timedelta(hours=1)
    site.edited["0"] = Post(source="x", ref="0", text="now it is danger", written_at=now, edited_at=later, author="a")
    look(now + DAY)
    (row,) = rows(engine)
    assert (row.text, row.revision, row.revised_at) == ("now it is danger", 2, later)


def test_a_tombstone_stays_one_when_it_is_heard_again(
    engine: Engine, site: Site, kept: Any, look: Any, now: datetime
) -> None:
    kept(1)
    site.gone = {"0"}
    look(now + DAY)
    kept(1, at=now + 2 * DAY)
    assert [row.text for row in rows(engine)] == [""]


@pytest.mark.parametrize(
    ("url", "stays"),
    [
        ("https://x.com/ann0/status/1", None),
        ("https://x.com/Ann0/status/1", None),
        ("https://reddit.com/r/a/1", "https://reddit.com/r/a/1"),
        (None, None),
    ],
)
def test_what_was_kept_long_enough_can_still_be_opened_at_its_place(
    engine: Engine, kept: Any, now: datetime, url: str | None, stays: str | None
) -> None:
    kept(1, url=url)
    collectors = {"x": CollectorSettings(keep_for=timedelta(days=2))}
    with Session(engine) as session:
        assert expire(session, collectors, now + 2 * DAY) == 0
        assert expire(session, collectors, now + 2 * DAY + timedelta(seconds=1)) == 1
        assert expire(session, collectors, now + 3 * DAY) == 0
    (row,) = rows(engine)
    assert (row.text, row.author, row.url, row.deleted_why) == ("", None, stays, EXPIRED)


def test_what_was_imported_is_kept_as_long_as_files(engine: Engine, config: Config, now: datetime) -> None:
    with Session(engine) as session:
        keep(
            session,
            "import",
            Page((Post(source="x", ref="1", text=WORDS, written_at=now),), {}),
            config.hospital,
            now,
        )
        assert expire(session, {"file": CollectorSettings(keep_for=DAY)}, now + 2 * DAY) == 1


# ---------------------------------------------------------------- how far back the other stages look


HOUR = timedelta(hours=1)


def every_hour(days: int) -> list[timedelta]:
    return [n * HOUR for n in range(24 * days + 1)]


@pytest.mark.parametrize(
    ("passes", "looks_back"),
    [
        ([], None),  # to the first post of all
        ([timedelta()], 7 * DAY),
        (every_hour(3), 7 * DAY),
        ([timedelta(), 30 * DAY], 35 * DAY),  # what went just before a month's stop is looked for
        ([*every_hour(2), *(32 * DAY + step for step in every_hour(2))], 33 * DAY),  # and for days after it
        ([*every_hour(2), *(32 * DAY + step for step in every_hour(60))], 7 * DAY),  # but not for ever
        ([n * DAY for n in range(60)], 7 * DAY),  # a pass a day, by cron
        ([timedelta(), -5 * DAY, timedelta()], 10 * DAY),  # a clock that was wrong, and set
        ([timedelta(minutes=n) for n in range(0, 6000, 7)], 7 * DAY),
    ],
)
def test_it_is_looked_back_over_every_stop(
    engine: Engine, now: datetime, passes: list[timedelta], looks_back: timedelta | None
) -> None:
    with Session(engine) as session:
        for step in passes:
            came_round(session, now + step)
        last = now + (passes[-1] if passes else timedelta())
        since = gone_since(session, last)
    if looks_back is None:
        assert since < now - 10_000 * DAY
    else:
        assert abs(last - since - looks_back) <= HOUR


def test_what_went_before_a_long_stop_is_looked_for(engine: Engine, now: datetime) -> None:
    with Session(engine) as session:
        for step in every_hour(10):
            came_round(session, now + step)
        went, again = now + 10 * DAY + HOUR, now + 100 * DAY
        for step in every_hour(2):
            assert gone_since(session, again + step) < went
            came_round(session, again + step)
