"""Who asks to be forgotten is found however they write their name or the address of their post."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, SQLModel, select

from config.schema import Config
from listener import keep, tombstones
from listener.forget import Asked, by_handle, by_url, others_of, scrub
from listener.mention import Mention
from listener.post import Page, Post
from listener.tombstones import INSTEAD
from listener.watch import Alarm, Watch

X = "https://x.com/Alice_9/status/1001"
REDDIT = "https://www.reddit.com/r/springfield/comments/abc/they_left_us/"


@pytest.fixture
def hear(session: Session, config: Config, now: datetime) -> Callable[..., None]:
    def hear(source: str, ref: str, author: str | None = None, url: str | None = None, text: str = "waited") -> None:
        post = Post(source=source, ref=ref, text=text, written_at=now, author=author, url=url)
        keep.keep(session, source, Page((post,), {}), config.hospital, now)

    return hear


@pytest.fixture
def heard(hear: Callable[..., None]) -> None:
    """1 and 2 are Alice's on X, 3 somebody's of that name on Mastodon, 4 another's."""
    hear("x", "1001", "Alice_9", X)
    hear("x", "1002", "alice_9", "https://x.com/alice_9/status/1002")
    hear("mastodon", "m.social/5", "alice_9@m.social", "https://m.social/@alice_9/5")
    hear("reddit", "t3_abc", "bob", REDDIT)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize(
    ("handle", "source", "ids"),
    [
        ("alice_9", None, (1, 2)),
        ("@ALICE_9", None, (1, 2)),
        ("alice_9", "x", (1, 2)),
        ("alice_9", "reddit", ()),
        ("alice_9@m.social", None, (3,)),
        ("u/Bob", None, (4,)),
        ("/u/bob ", None, (4,)),
        ("alice", None, ()),
        ("%", None, ()),
    ],
)
def test_by_handle(session: Session, handle: str, source: str | None, ids: tuple[int, ...]) -> None:
    assert by_handle(session, handle, source).ids == ids


@pytest.mark.parametrize("spelt", ["JOSÉ GARCÍA, 555", "josé garcía, 555", "Jose\u0301 Garci\u0301a, 555"])
def test_by_a_name_in_letters_that_a_database_does_not_know(session: Session, hear: Any, spelt: str) -> None:
    """What somebody left in the listening post to be reached, say."""
    hear("listening_post", "1", "JOSÉ García, 555")
    hear("listening_post", "2", "José GARCÍA, 555")
    hear("listening_post", "3", "Jose Garcia, 555")
    assert by_handle(session, spelt).ids == (1, 2)
    assert others_of(session, Asked((1,))) == 1


@pytest.mark.parametrize(
    ("handles", "near"),
    [({"Alice_9"}, "alice"), ({"kim_9@m.social"}, "kim"), ({"José"}, "jos"), ({"ÉÉ"}, None), ({"ann", "bob"}, None)],
)
def test_letters_that_every_column_shows(engine: Engine, now: datetime, handles: set[str], near: str | None) -> None:
    """In JSON other letters are written as numbers, and "_" may have a sign before it."""
    asked = Asked((), frozenset(("x", handle) for handle in handles))
    assert asked.near == near
    with Session(engine) as session:
        said = " ".join(f"@{handle.partition('@')[0].upper()}" for handle in sorted(handles))
        session.add(Alarm(collector="x", kind="k", why=said, raised_at=now))
        session.add(Watch(name="x", cursor={"of": [said]}))
        session.commit()
    assert scrub(engine, asked.names, asked.near) == 2


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize(
    ("url", "ids"),
    [
        (X, (1,)),
        ("twitter.com/alice_9/status/1001?s=20&t=abc", (1,)),
        ("https://mobile.twitter.com/someone/status/1001/photo/1", (1,)),
        ("https://x.com/i/web/status/1001", (1,)),
        ("https://old.reddit.com/r/springfield/comments/abc/they_left_us", (4,)),
        ("https://m.social/@alice_9/5/", (3,)),
        ("t3_abc", (4,)),
        ("https://x.com/alice_9", ()),
        ("https://x.com/alice_9/status/100", ()),
        ("https://evil.example/status/1001", ()),
        ("", ()),
        ("http://[", ()),
    ],
)
def test_by_url(session: Session, url: str, ids: tuple[int, ...]) -> None:
    assert by_url(session, url).ids == ids


@pytest.mark.usefixtures("heard")
def test_by_url_with_what_else_they_wrote(session: Session) -> None:
    assert others_of(session, by_url(session, X)) == 1
    asked = by_url(session, X, and_author=True)
    assert asked.ids == (1, 2)
    assert asked.names("ALICE_9")
    assert others_of(session, asked) == 0


def test_what_was_kept_long_enough_can_still_be_forgotten(session: Session, hear: Any, now: datetime) -> None:
    """Then even the link goes."""
    hear("reddit", "t3_abc", "bob", REDDIT)
    keep.forget(session, [1], keep.EXPIRED, now)
    session.commit()
    assert session.get_one(Mention, 1).url == REDDIT
    assert keep.forget(session, by_url(session, REDDIT).ids, keep.FORGOTTEN, now) == 0, "its words were gone before"
    session.commit()
    row = session.get_one(Mention, 1)
    assert (row.url, row.deleted_why, tombstones.is_mark(row.ref)) == (None, keep.FORGOTTEN, True)


def test_every_column_of_text_is_looked_through(engine: Engine, now: datetime) -> None:
    """Also what is written by staff, and inside JSON."""
    with Session(engine) as session:
        session.add(Alarm(collector="x", kind="k", why="@alice_9 was not heard", raised_at=now, over="call alice_9"))
        session.add(Watch(name="x", cursor={"of": ["https://x.com/alice_9/status/1"], "alice_9": 1}, trouble="bob"))
        session.commit()
    asked = Asked((), frozenset({("x", "Alice_9")}))
    assert scrub(engine, asked.names, "alice_9") == 3
    assert scrub(engine, asked.names) == 0, "nothing is left, also where no letters are named"
    with Session(engine) as session:
        alarm, watch = session.exec(select(Alarm)).one(), session.get_one(Watch, "x")
    assert (alarm.why, alarm.over) == (f"@{INSTEAD} was not heard", f"call {INSTEAD}")
    assert watch.cursor == {"of": [f"https://x.com/{INSTEAD}/status/1"], INSTEAD: 1}


def test_no_column_escapes() -> None:
    """A column of a kind that nobody looks through would be a place to hide."""
    from listener.forget import OF_THE_POST, _holds_text

    kinds = {
        f"{table.name}.{column.name}": type(column.type).__name__
        for table in SQLModel.metadata.sorted_tables
        for column in table.columns
        if not _holds_text(column) and not column.primary_key and f"{table.name}.{column.name}" not in OF_THE_POST
    }
    assert set(kinds.values()) <= {"Integer", "BigInteger", "Boolean", "Float", "UTCDateTime", "Date", "LargeBinary"}, (
        kinds
    )
    assert [name for name, kind in kinds.items() if kind == "LargeBinary"] in ([], ["configversion.texts"])
