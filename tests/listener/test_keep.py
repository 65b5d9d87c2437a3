"""Mentions and cursor are stored in one transaction; hearing a post again changes nothing."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlmodel import Session, col, select

from config.schema import CollectorSettings, Config
from listener.errors import NeedsPerson, ReadsUsedUp, SkipPost, TryLater
from listener.keep import Kept, keep, reads_left, spent, watch_of, went
from listener.mention import Mention
from listener.post import Page, Post, Ref, Unheard
from listener.watch import Gap, Spend, Watch

WRITTEN = datetime(2026, 11, 16, 14, tzinfo=UTC)


def post(ref: str = "1", text: str = "brigid", edited: int | None = None, **fields: Any) -> Post:
    """A post of X; `edited`: minutes after it was written."""
    edited_at = None if edited is None else WRITTEN + timedelta(minutes=edited)
    return Post(**{"source": "x", "ref": ref, "text": text, "written_at": WRITTEN, "edited_at": edited_at, **fields})


@pytest.fixture
def hear(engine: Engine, config: Config, now: datetime) -> Callable[..., Kept]:
    """Keep a page of these posts, in a session of its own."""

    def kept(*posts: Post, at: datetime = now, **page: Any) -> Kept:
        with Session(engine) as session:
            return keep(
                session, "x", Page(posts, page.pop("cursor", {"at": at.isoformat()}), **page), config.hospital, at
            )

    return kept


def stored(engine: Engine) -> list[tuple[str, str, int]]:
    with Session(engine) as session:
        rows = session.exec(select(Mention).order_by(col(Mention.id))).all()
        return [(row.ref, row.text, row.revision) for row in rows]


def watch(engine: Engine) -> Watch:
    with Session(engine) as session:
        return session.exec(select(Watch)).one()


# one transaction


@pytest.mark.parametrize(
    "statement", ["INSERT INTO mention", "UPDATE mention", "INSERT INTO gap", "UPDATE watch", "COMMIT"]
)
def test_an_error_before_the_commit_leaves_both_as_they_were(
    engine: Engine, hear: Any, statement: str, now: datetime
) -> None:
    hear(post("1"), cursor={"since": "1"})
    before = watch(engine).model_dump()

    def fail(_connection: Any, _cursor: Any, sql: str, *_: Any) -> None:
        if sql.startswith(statement):
            raise RuntimeError(statement)

    def fail_commit(_connection: Any) -> None:
        raise RuntimeError("COMMIT")

    name, listener = ("commit", fail_commit) if statement == "COMMIT" else ("before_cursor_execute", fail)
    event.listen(engine, name, listener)
    gap = Unheard(now - timedelta(days=1), now, "why")
    with pytest.raises(RuntimeError):
        hear(post("1", "brigid edited", 5), post("2"), cursor={"since": "2"}, unheard=(gap,))
    event.remove(engine, name, listener)
    assert stored(engine) == [("1", "brigid", 1)]
    assert watch(engine).model_dump() == before
    with Session(engine) as session:
        assert session.exec(select(Gap)).all() == []
    assert hear(post("1", "brigid edited", 5), post("2")) == Kept(new=1, edited=1)


@pytest.mark.parametrize("statement", ["INSERT INTO mention", "INSERT INTO watch"])
def test_an_error_in_the_very_first_page_leaves_nothing(engine: Engine, hear: Any, statement: str) -> None:
    def fail(_connection: Any, _cursor: Any, sql: str, *_: Any) -> None:
        if sql.startswith(statement):
            raise RuntimeError(statement)

    event.listen(engine, "before_cursor_execute", fail)
    with pytest.raises(RuntimeError):
        hear(post("1"), cursor={"since": "1"})
    event.remove(engine, "before_cursor_execute", fail)
    assert stored(engine) == []
    assert hear(post("1")) == Kept(new=1)


def test_the_cursor_is_stored_with_the_posts(engine: Engine, hear: Any) -> None:
    cursor = {"brigid": {"since_id": "5", "next_token": "abc"}, "é": [1, None]}
    hear(post(), cursor=cursor)
    assert watch(engine).cursor == cursor
    hear(cursor={})
    assert watch(engine).cursor == {}


# hearing again


def test_a_mention_has_what_the_post_has(engine: Engine, hear: Any, now: datetime) -> None:
    given = post(
        "7",
        edited=3,
        url="https://x.com/1",
        author="ann",
        author_name="Ann",
        thread="5",
        answers="6",
        reach=9,
        rating=4.5,
        about_us=True,
    )
    hear(given)
    with Session(engine) as session:
        row = session.exec(select(Mention)).one()
    assert row.model_dump(include=set(Post.model_fields)) == given.model_dump()
    assert (row.collector, row.heard_at, row.own, row.revision, row.deleted_at) == ("x", now, False, 1, None)


def test_the_same_page_twice_changes_nothing(engine: Engine, hear: Any) -> None:
    page = [post(str(n), f"brigid {n}") for n in range(250)]
    assert hear(*page) == Kept(new=250)
    before = stored(engine)
    assert hear(*page) == Kept(again=250)
    assert stored(engine) == before


def test_the_same_name_at_another_place_is_another_post(engine: Engine, hear: Any) -> None:
    assert hear(post("1"), post("1", source="reddit")) == Kept(new=2)
    assert len(stored(engine)) == 2


@pytest.mark.parametrize("many", [1, 499, 500, 501, 2000])
def test_pages_of_any_size(engine: Engine, hear: Any, many: int) -> None:
    page = [post(str(n)) for n in range(many)]
    assert hear(*page) == Kept(new=many)
    assert hear(*page, post("more")) == Kept(new=1, again=many)


@pytest.mark.parametrize(
    ("heard", "text", "revision"),
    [
        ([("a", None), ("b", 5)], "b", 2),
        ([("a", None), ("b", 5), ("b", 5)], "b", 2),
        ([("a", None), ("b", 5), ("a", None)], "b", 2),  # an older version never replaces a newer
        ([("a", None), ("b", 5), ("c", 3)], "b", 2),
        ([("a", None), ("b", 5), ("c", 9)], "c", 3),
        ([("b", 5), ("a", None)], "b", 1),
        ([("a", None), ("a", 5)], "a", 1),  # nothing that is read has changed
        ([("a", None), ("b", None)], "b", 2),  # the place tells no time of editing
        ([("a", None), ("b", None), ("a", None)], "a", 3),
        ([("a", 5), ("b", 5)], "a", 1),
    ],
)
@pytest.mark.parametrize("how", ["each by itself", "one page"])
def test_edits(
    engine: Engine, hear: Any, heard: list[tuple[str, int | None]], text: str, revision: int, how: str
) -> None:
    posts = [post("1", words, edited) for words, edited in heard]
    if how == "one page":
        hear(*posts)
        assert stored(engine) == [("1", text, 1)]
    else:
        for one in posts:
            hear(one)
        assert stored(engine) == [("1", text, revision)]


def test_an_edit_keeps_when_it_was_written_and_heard(engine: Engine, hear: Any, now: datetime) -> None:
    hear(post("1", "a"))
    assert hear(post("1", "b", 5), at=now + timedelta(hours=1)) == Kept(edited=1)
    with Session(engine) as session:
        row = session.exec(select(Mention)).one()
    assert (row.written_at, row.heard_at) == (WRITTEN, now)
    assert row.edited_at == WRITTEN + timedelta(minutes=5)


def test_what_was_deleted_stays_deleted(engine: Engine, hear: Any, now: datetime) -> None:
    hear(post("1", "a"))
    with Session(engine) as session:
        row = session.exec(select(Mention)).one()
        row.text, row.deleted_at = "", now
        session.add(row)
        session.commit()
    assert hear(post("1", "a", 5)) == Kept(again=1)
    assert stored(engine) == [("1", "", 1)]


@pytest.mark.parametrize(
    ("author", "own"), [("StBrigidCares", True), ("stbrigidcares", True), ("ann", False), (None, False)]
)
def test_the_hospitals_own_word(engine: Engine, hear: Any, author: str | None, own: bool) -> None:
    hear(post(author=author), post("2", source="json", author="StBrigidCares"))
    with Session(engine) as session:
        assert [row.own for row in session.exec(select(Mention).order_by(col(Mention.id)))] == [own, False]


@pytest.mark.parametrize(
    "text", ["a\0b", "\ud800", "🏥" * 99, "b" * 100_000, "\u202e", ""], ids=lambda text: repr(text[:3])
)
def test_every_text_can_be_stored(engine: Engine, hear: Any, text: str) -> None:
    given = post(text=text, url=f"https://x.com/{text[:9]}", author_name=text)
    hear(given)
    assert stored(engine) == [("1", given.text, 1)]


# counts


def test_what_a_collector_did_is_counted(engine: Engine, hear: Any, now: datetime) -> None:
    skip = SkipPost("x:5", "unknown shape")
    assert hear(post("1"), post("2"), post("2"), reads=3, skipped=(skip,)) == Kept(new=2, again=1, skipped=1)
    later = now + timedelta(minutes=1)
    hear(post("2"), reads=1, at=later)
    found = watch(engine)
    assert (found.kept, found.skipped) == (2, 1)
    assert (found.asked_at, found.heard_at) == (later, now)  # nothing new in the second pass


@pytest.mark.parametrize(
    ("daily", "monthly", "left"),
    [(None, None, None), (10, None, 8), (None, 10, 4), (10, 10, 4), (2, 100, 0), (1, None, 0), (100, 7, 1)],
)
def test_what_is_left_of_a_budget(
    engine: Engine, hear: Any, now: datetime, daily: int | None, monthly: int | None, left: int | None
) -> None:
    """16 November: four reads yesterday, two today, fifty in October."""
    for at, reads in ((now - timedelta(days=20), 50), (now - timedelta(days=1), 4), (now, 1), (now, 1)):
        hear(at=at, reads=reads, cost=reads * 0.005)
    settings = CollectorSettings(daily_reads=daily, monthly_reads=monthly)
    with Session(engine) as session:
        assert spent(session, "x", now) == (2, 6)
        assert reads_left(session, "x", settings, now) == left
        assert sum(spend.cost for spend in session.exec(select(Spend))) == pytest.approx(0.28)


def test_a_place_whose_clock_is_ahead_is_heard_once(engine: Engine, hear: Any, now: datetime) -> None:
    """Found by the simulation: what was heard before counted as news, and silence was told a day late."""
    ahead = post("1", written_at=now + timedelta(seconds=38))
    hear(ahead)
    hear(ahead, at=now + timedelta(hours=8))
    assert watch(engine).heard_at == now


def test_what_another_collector_heard_first_is_no_silence(engine: Engine, config: Config, now: datetime) -> None:
    """Bluesky live and by search: the one is always first."""
    later = now + timedelta(hours=1)
    with Session(engine) as session:
        keep(session, "search", Page((post("1"),), {}), config.hospital, now)
        fresh = post("2", written_at=later)
        keep(session, "live", Page((fresh,), {}), config.hospital, later)
        keep(session, "search", Page((post("1"), fresh), {}), config.hospital, later)
        assert session.get_one(Watch, "search").heard_at == later
        keep(session, "search", Page((post("1"), fresh), {}), config.hospital, later + timedelta(hours=1))
        assert session.get_one(Watch, "search").heard_at == later, "the same again is nothing new"


def test_counts_add_up() -> None:
    assert Kept(1, 2, 3, 4, 5) + Kept(10, 20, 30, 40, 50) == Kept(11, 22, 33, 44, 55)


def test_what_could_not_be_heard_becomes_a_gap(engine: Engine, hear: Any, now: datetime) -> None:
    hear(unheard=(Unheard(now - timedelta(days=9), now - timedelta(days=7), "X searches seven days back"),))
    with Session(engine) as session:
        gap = session.exec(select(Gap)).one()
    assert (gap.collector, gap.since, gap.until) == ("x", now - timedelta(days=9), now - timedelta(days=7))
    assert (gap.why, gap.found_at) == ("X searches seven days back", now)


# trouble


@pytest.mark.parametrize("until", [None, timedelta(minutes=15)])
def test_trouble_is_written_down_and_a_good_pass_ends_it(
    engine: Engine, hear: Any, now: datetime, until: timedelta | None
) -> None:
    hear(post(), cursor={"since": "1"})
    at = None if until is None else now + until
    for _ in range(2):
        with Session(engine) as session:
            went(session, "x", [TryLater("x: X answers 429", at)], now)
    found = watch(engine)
    assert (found.failures, found.trouble, found.paused_until) == (2, "x: X answers 429", at)
    assert (found.cursor, found.kept) == ({"since": "1"}, 1)
    hear(post("2"))
    assert watch(engine).failures == 2, "one good page is no good pass"
    with Session(engine) as session:
        went(session, "x", [], now)
    found = watch(engine)
    assert (found.failures, found.trouble, found.paused_until) == (0, None, None)


def test_a_pass_with_two_errors_is_one_failure(engine: Engine, now: datetime) -> None:
    at = now + timedelta(minutes=9)
    with Session(engine) as session:
        went(session, "x", [NeedsPerson("x: a query"), TryLater("x: wait", at), NeedsPerson("x: a query")], now)
    found = watch(engine)
    assert (found.failures, found.trouble, found.paused_until) == (1, "x: a query; x: wait", at)


@pytest.mark.parametrize(
    "error", [NeedsPerson("x: the token"), ReadsUsedUp("x: the reads of the day", datetime(2026, 11, 17, tzinfo=UTC))]
)
def test_only_a_place_that_asks_to_wait_is_waited_for(engine: Engine, now: datetime, error: Any) -> None:
    with Session(engine) as session:
        went(session, "x", [error], now)
    assert watch(engine).paused_until is None


def test_a_collector_that_was_never_asked(engine: Engine) -> None:
    with Session(engine) as session:
        fresh = watch_of(session, "x")
        assert (fresh.name, fresh.cursor, fresh.asked_at, fresh.failures) == ("x", {}, None, 0)
        assert session.exec(select(Watch)).all() == []


def test_logs_carry_counts_and_no_words(
    hear: Any, caplog: pytest.LogCaptureFixture, engine: Engine, now: datetime
) -> None:
    with caplog.at_level(logging.DEBUG, logger="listener"):
        hear(post("1", "my mother fell", author="ann"), skipped=(SkipPost("x:1", "text"),))
        with Session(engine) as session:
            went(session, "x", [NeedsPerson("the sentence")], now)
    assert "keep collector=x new=1 edited=0 again=0 skipped=1" in caplog.text
    assert "remedy=NeedsPerson" in caplog.text
    assert not {"mother", "ann", "sentence"} & set(caplog.text.split())


# threads and copies

LONG = "nine hours in the hallway of the hospital with a broken hip and nobody brought her any water or a blanket"


def links(engine: Engine) -> dict[str, tuple[int, str | None]]:
    """ref -> revision, ref of the first telling."""
    with Session(engine) as session:
        rows = session.exec(select(Mention)).all()
        refs = {row.id: row.ref for row in rows}
        return {row.ref: (row.revision, refs.get(row.story)) for row in rows}


def minutes(count: int) -> datetime:
    return WRITTEN + timedelta(minutes=count)


def test_what_a_thread_holds_is_read_again_when_its_beginning_comes(engine: Engine, hear: Any) -> None:
    hear(post("3", thread="1", written_at=minutes(3)), post("9", thread="9", written_at=minutes(3)))
    hear(post("2", thread="1", written_at=minutes(2)))
    hear(post("1", written_at=minutes(1)))
    assert {ref: revision for ref, (revision, _) in links(engine).items()} == {"3": 3, "9": 1, "2": 2, "1": 1}


def test_what_comes_in_order_is_read_once(engine: Engine, hear: Any) -> None:
    for n in (1, 2, 3):
        hear(post(str(n), thread="1", written_at=minutes(n)))
    hear(post("5", thread="1", written_at=minutes(5)), post("4", thread="1", written_at=minutes(4)))
    assert {revision for revision, _ in links(engine).values()} == {1}


def test_the_same_thread_at_another_place_is_another(engine: Engine, hear: Any) -> None:
    hear(post("3", thread="1", written_at=minutes(3)))
    hear(post("1", thread="1", source="bluesky", written_at=minutes(1)))
    assert {revision for revision, _ in links(engine).values()} == {1}


def test_copies_point_to_the_first_telling(engine: Engine, hear: Any) -> None:
    hear(post("c1", f"RT {LONG}", written_at=minutes(5), author="bob"), post("1", LONG, author="ann"))
    hear(post("c2", LONG.upper(), source="bluesky", author="cy"), post("2", "something else altogether", author="dee"))
    assert {ref: first for ref, (_, first) in links(engine).items()} == {"c1": "1", "1": None, "c2": "1", "2": None}


def test_a_copy_after_the_first_was_deleted_is_a_first_telling(engine: Engine, hear: Any, now: datetime) -> None:
    hear(post("1", LONG, author="ann"))
    hear(deleted=(Ref("x", "1"), Ref("x", "unknown"), Ref("bluesky", "1")))
    hear(post("2", LONG, author="bob"))
    assert links(engine)["2"] == (1, None)
    with Session(engine) as session:
        assert session.get_one(Mention, 1).text == ""


def test_a_week_later_it_is_another_story(engine: Engine, hear: Any, now: datetime) -> None:
    hear(post("1", LONG, author="ann"))
    hear(post("2", LONG, author="bob"), at=now + timedelta(days=8))
    assert links(engine)["2"] == (1, None)


def test_the_hospitals_own_words_are_nobodys_copy(engine: Engine, hear: Any) -> None:
    hear(post("1", LONG, author="StBrigidCares"), post("2", LONG, author="StBrigidCares", written_at=minutes(9)))
    assert links(engine)["2"] == (1, None)


# the two ears, the filters


def test_own_replies_have_a_cursor_of_their_own(engine: Engine, config: Config, now: datetime) -> None:
    for ear, cursor in (("fetch", {"a": 1}), ("own_replies", {"b": 2})):
        with Session(engine) as session:
            keep(session, "x", Page((), cursor), config.hospital, now, ear)  # type: ignore[arg-type]
    assert (watch(engine).cursor, watch(engine).own_cursor) == ({"a": 1}, {"b": 2})


def test_what_its_place_says_is_ours_is_ours(engine: Engine, hear: Any) -> None:
    hear(post("1", source="google_reviews", own=True), post("2", source="google_reviews"))
    with Session(engine) as session:
        assert [row.own for row in session.exec(select(Mention).order_by(col(Mention.id)))] == [True, False]


def test_when_a_filter_last_matched(engine: Engine, hear: Any, now: datetime) -> None:
    hear(matched={"a": 0, "b": 2})
    later = now + timedelta(hours=1)
    hear(at=later, matched={"a": 1, "b": 0})
    assert watch(engine).filters == {
        "a": {"since": now.isoformat(), "last": later.isoformat(), "asked": later.isoformat()},
        "b": {"since": now.isoformat(), "last": now.isoformat(), "asked": later.isoformat()},
    }
