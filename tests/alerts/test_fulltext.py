"""The index keeps step with the readings, and no byte stays in it of what was forgotten."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import NOW
from desk import Desk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text, update
from sqlmodel import Session, select

from alerts import fulltext
from alerts.query import Query, understood
from config.schema import Config
from listener.database import open_database
from listener.errors import NeedsPerson
from listener.keep import DELETED
from listener.keep import forget as forget_post
from listener.mention import Mention
from nlp.read import forget as forget_readings
from nlp.reading import Reading


def ids(session: Session, words: str) -> list[int]:
    return fulltext.newest(session, understood(words), {}, 100)


def in_index(session: Session) -> dict[str, int]:
    """Every word of the index and in how many posts it is."""
    found = session.execute(text("SELECT term, doc FROM search_words WHERE col = 'words'"))
    return dict(iter(found))


def gone(session: Session, *mentions: int) -> None:
    """Deleted at its place, and taken out of the readings."""
    forget_post(session, mentions, DELETED, NOW)
    session.commit()
    forget_readings(session, NOW)


# ---------------------------------------------------------------- in step


def test_a_post_is_in_it_when_it_is_read(desk: Desk) -> None:
    first = desk.hear("the lift", read=False)
    assert in_index(desk.session) == {}
    desk.read(first)
    assert in_index(desk.session) == {"the": 1, "lift": 1}


def test_what_is_not_committed_is_not_in_it(desk: Desk) -> None:
    first = desk.hear("the lift", read=False)
    reading = Reading(mention_id=first, redacted_text="stairs", revision=1, read_at=NOW, **_READ)
    desk.session.add(reading)
    desk.session.flush()
    assert ids(desk.session, "stairs") == [first]
    desk.session.rollback()
    assert in_index(desk.session) == {}


_READ: dict[str, Any] = {
    **{
        "pipeline_version": "1",
        "mentions_us": [],
        "departments": [],
        "voice": "patient",
        "categories": [],
        "mood": 0.0,
    },
    **{"urgency": "routine", "reasons": [], "language": "en", "readable": True},
}


def test_a_new_reading_takes_the_place_of_the_old_one(desk: Desk) -> None:
    first = desk.hear("the lift")
    desk.edit(first, "the stairs", NOW)
    desk.read(first, redacted_text="the ramp", pipeline_version="2")
    assert in_index(desk.session) == {"the": 1, "ramp": 1}


def test_a_reading_that_is_taken_away_gives_its_place_back(desk: Desk) -> None:
    first = desk.hear("the lift")
    desk.edit(first, "the stairs", NOW)
    old, new = desk.session.exec(select(Reading)).all()
    desk.session.delete(new)
    desk.session.commit()
    assert in_index(desk.session) == {"the": 1, "lift": 1}
    desk.session.delete(old)
    desk.session.commit()
    assert in_index(desk.session) == {}


def test_a_reading_that_is_changed_is_found_by_what_it_says_then(desk: Desk) -> None:
    desk.hear("the lift", site="North")
    desk.session.execute(update(Reading).values(redacted_text="the stairs"))
    assert in_index(desk.session) == {"the": 1, "stairs": 1}
    desk.session.execute(update(Reading).values(site="South"))
    assert fulltext.values(desk.session, "site") == ["South"]


def test_what_is_gone_leaves_it_at_once(desk: Desk) -> None:
    first, second = desk.hear("the lift"), desk.hear("the stairs")
    desk.edit(first, "the ramp", NOW)
    forget_post(desk.session, [first], DELETED, NOW)
    assert in_index(desk.session) == {"the": 1, "stairs": 1}, "before anything else has looked at it"
    desk.session.commit()
    forget_readings(desk.session, NOW)
    assert in_index(desk.session) == {"the": 1, "stairs": 1}
    assert ids(desk.session, "the") == [second]


_STEPS = st.lists(st.tuples(st.sampled_from(["hear", "edit", "read", "gone", "tidy"]), st.integers(0, 4)), max_size=15)


@pytest.mark.slow
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=_STEPS)
def test_whatever_happens_it_holds_what_is_in_force(session: Session, config: Config, steps: list[Any]) -> None:
    """Compared with an index that is made anew from the readings."""
    desk = Desk(session, config)
    for table in ("reading", "sketch", "mention"):
        session.execute(text(f"DELETE FROM {table}"))
    session.expunge_all()
    mentions: list[int] = []
    for number, (what, which) in enumerate(steps):
        if what == "hear" or not mentions:
            mentions.append(desk.hear(f"word{number} lift"))
        elif what == "edit":
            desk.edit(mentions[which % len(mentions)], f"word{number} stairs", NOW)
        elif what == "read":
            desk.read(mentions[which % len(mentions)], pipeline_version=f"v{number}", redacted_text=f"again{number}")
        elif what == "gone":
            gone(session, mentions.pop(which % len(mentions)))
        else:
            fulltext.tidy(session)
    after = in_index(session)
    session.execute(text("INSERT INTO search (search) VALUES ('delete-all')"))
    session.execute(text("INSERT INTO search (rowid, words, facets) SELECT * FROM searchable"))
    assert after == in_index(session)
    session.commit()


# ---------------------------------------------------------------- forgetting


@pytest.fixture
def alone(tmp_path: Path, config: Config) -> Iterator[tuple[Desk, Path]]:
    """A desk with a database of its own, as bytes are looked at."""
    engine = open_database(tmp_path)
    with Session(engine) as session:
        yield Desk(session, config), tmp_path / "call-light.db"
    engine.dispose()


def raw(path: Path, words: tuple[str, ...]) -> list[str]:
    """The words that stand anywhere in the bytes of a database."""
    with closing(sqlite3.connect(path)) as plain:
        plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    everything = b"".join(part.read_bytes() for part in path.parent.glob(f"{path.name}*"))
    return [word for word in words if word.encode() in everything]


@pytest.mark.parametrize("others", [0, 3, 50])
def test_no_byte_stays_of_what_was_forgotten(alone: tuple[Desk, Path], others: int) -> None:
    desk, path = alone
    for number in range(others):
        desk.hear(f"the lift number{number}")
    edited, plain = desk.hear("turquoise jacket"), desk.hear("a purple blanket")
    desk.edit(edited, "magenta jacket", NOW)
    words = ("turquoise", "magenta", "purple")
    assert raw(path, words) == list(words)
    gone(desk.session, edited, plain)
    assert raw(path, words) != [], "FTS5 only marks as gone: without tidying its words would stay"
    assert fulltext.tidy(desk.session)
    assert raw(path, words) == []
    assert len(ids(desk.session, "lift")) == others, "the rest can be found"


def test_no_byte_stays_of_the_only_post(alone: tuple[Desk, Path]) -> None:
    """So little that FTS5 would merge nothing by itself."""
    desk, path = alone
    gone(desk.session, desk.hear("turquoise jacket"))
    assert raw(path, ("turquoise",)) == ["turquoise"]
    assert fulltext.tidy(desk.session)
    assert raw(path, ("turquoise",)) == []


def test_tidying_goes_on_where_it_was_ended_and_takes_in_what_came_meanwhile(alone: tuple[Desk, Path]) -> None:
    desk, path = alone
    for number in range(30):
        desk.hear(f"the lift number{number}")
    first, second = desk.hear("turquoise jacket"), desk.hear("a purple blanket")
    gone(desk.session, first)
    assert not fulltext.tidy(desk.session, most=1)
    gone(desk.session, second)
    todo = desk.session.scalars(text("SELECT todo FROM search_todo ORDER BY todo")).all()
    assert todo == ["forget", "merge"], "the second waits for a round of its own"
    desk.hear("a green door")
    rounds = 1
    while not fulltext.tidy(desk.session, most=1):
        rounds += 1
        assert rounds < 20
    assert raw(path, ("turquoise", "purple")) == []
    assert (ids(desk.session, "green"), len(ids(desk.session, "lift"))) == ([33], 30)


def test_where_nothing_was_forgotten_there_is_nothing_to_tidy(alone: tuple[Desk, Path]) -> None:
    desk, _ = alone
    first = desk.hear("the lift")
    desk.edit(first, "the stairs", NOW)
    assert desk.session.execute(text("SELECT * FROM search_todo")).all() == []
    assert fulltext.tidy(desk.session, most=1)


# ---------------------------------------------------------------- asking


def test_the_newest_come_first_and_no_more_than_asked_for(desk: Desk) -> None:
    for _ in range(5):
        desk.hear("the lift")
    assert [id_ for id_, _ in fulltext.matches(desk.session, understood("lift"), {}, 3)] == [5, 4, 3]
    assert fulltext.newest(desk.session, Query(), {}, 2) == [5, 4]


@pytest.mark.parametrize("sign", ["🙄", "🤮", "🅿️", "👍🏽", "🫠", "⏸️", "₿", "₽", "\u2069", "❤️", "🇺🇸", "\U0001faef"])
def test_a_sign_is_no_letter_however_new(desk: Desk, sign: str) -> None:
    desk.hear(f"{sign}parking{sign}")
    assert in_index(desk.session) == {"parking": 1}
    assert ids(desk.session, "parking") == ids(desk.session, f"parking{sign}") == [1]


def test_values_and_words_of_the_posts(desk: Desk) -> None:
    desk.hear("garage garages guard", site="Süd 🏥")
    desk.hear("garage")
    assert fulltext.values(desk.session, "site") == ["Süd 🏥"]
    assert fulltext.values(desk.session, "source") == ["x"]
    assert dict(fulltext.like(desk.session, "garrage")) == {"garage": 2, "garages": 1}
    assert dict(fulltext.like(desk.session, "hguard")) == {"guard": 1}


def test_another_database_than_sqlite_has_no_index_yet() -> None:
    elsewhere: Any = SimpleNamespace(
        get_bind=lambda: SimpleNamespace(dialect=SimpleNamespace(name="postgresql")), scalars=None
    )
    assert fulltext.tidy(elsewhere)
    with pytest.raises(NeedsPerson, match="SQLite"):
        fulltext.newest(elsewhere, understood("lift"), {}, 1)


def test_it_numbers_posts_as_they_were_numbered(desk: Desk) -> None:
    """The index adds rows of its own tables; the numbers that SQLite gives back must stay those of the posts."""
    mention = desk.hear("the lift")
    reading = desk.session.exec(select(Reading)).one()
    assert (mention, reading.id) == (1, 1)
    assert desk.session.get_one(Mention, 1).text == "the lift"
