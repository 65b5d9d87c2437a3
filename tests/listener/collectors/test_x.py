"""Recent search through tweepy, against a server that speaks X's protocol."""

import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from fakes.server import BrokenShape, DropAfter, NotJson, RateLimited, Reset, Stall, Status
from fakes.x import FakeX, snowflake
from pydantic import ValidationError

from config.schema import Accounts
from listener import web
from listener.collectors import x as collector
from listener.errors import AskedToWait, NeedsPerson, TryLater
from listener.post import Asking, Page, Ref

SEARCH = "/2/tweets/search/recent"
QUERY = "brigid"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
UNSHOWN = timedelta(minutes=2, seconds=30)  # before it was asked last: X shows it later, or our clock is ahead


@pytest.fixture
def ask(x: FakeX, one_pass: Callable[..., Any]) -> Callable[..., Any]:
    """One pass over the fake X from a cursor."""

    def run(
        cursor: dict[str, Any] | None = None,
        queries: tuple[str, ...] = (QUERY,),
        keys: dict[str, Any] | None = None,
        **options: Any,
    ) -> Any:
        settings = collector.Settings(on=True, queries=queries, base_url=x.base_url, **(keys or {}))
        options.setdefault("secrets", {"X_BEARER_TOKEN": "test-bearer"})
        return one_pass(collector, settings, cursor or {}, **options)

    return run


@pytest.fixture
def told(x: FakeX, asking: Callable[..., Asking]) -> Asking:
    """What the collector is told about a hospital whose account is StBrigidCares."""
    return asking({"X_BEARER_TOKEN": "test-bearer"})


@pytest.fixture
def settings(x: FakeX) -> collector.Settings:
    return collector.Settings(on=True, queries=(QUERY,), base_url=x.base_url)


@pytest.fixture
def look(settings: collector.Settings, asking: Callable[..., Asking]) -> Callable[..., Page]:
    """A lookup of posts."""
    return lambda *refs: collector.lookup(settings, refs, asking({"X_BEARER_TOKEN": "test-bearer"}))


def many(x: FakeX, count: int, start: datetime, text: str = "brigid {}") -> list[str]:
    """Posts a second apart from `start` on; their ids, oldest first."""
    return [x.post(text.format(n), at=start + timedelta(seconds=n)) for n in range(count)]


def asked(x: FakeX, name: str) -> list[str | None]:
    return [request.query.get(name) for request in x.seen(SEARCH)]


def heard(since_id: str, at: datetime) -> dict[str, str]:
    """The place of a search that has been read to its end."""
    return {"since_id": since_id, "until": at.isoformat()}


# what a post becomes


def test_a_post_with_all_that_is_known_of_it(x: FakeX, ask: Any, clock: Any) -> None:
    parent = x.post("anyone?", author="Bob", at=clock.at - timedelta(hours=2))
    x.user("Ann", name="Ann &amp; Co")
    made = x.post("brigid ER", "Ann", clock.at - timedelta(hours=1), in_reply_to=parent, followers=42)
    (post,) = ask().posts
    assert post.model_dump(exclude={"text"}) == {
        "source": "x",
        "ref": made,
        "written_at": clock.at - timedelta(hours=1),
        "edited_at": None,
        "url": f"https://x.com/Ann/status/{made}",
        "author": "Ann",
        "author_name": "Ann & Co",
        "thread": parent,
        "answers": parent,
        "quotes": None,
        "place": None,
        "rating": None,
        "reach": 42,
        "about_us": False,
        "own": False,
    }


def test_a_quote_says_what_it_shows(x: FakeX, ask: Any) -> None:
    shown = x.post("somebody else's words")
    quote = x.post("brigid again", quotes=shown)
    (post,) = ask().posts
    assert (post.ref, post.quotes, post.answers, post.thread) == (quote, shown, None, quote)


def test_the_three_signs_that_x_writes_as_in_a_web_page(x: FakeX, ask: Any) -> None:
    x.post("brigid L&amp;D &lt;3 &gt; &amp;lt;")
    assert ask().texts == ["brigid L&D <3 > &lt;"]


def test_a_long_post_is_read_to_its_end(x: FakeX, ask: Any) -> None:
    text = "brigid " + "word " * 200 + "the end."
    x.post(text)
    assert ask().texts == [text]


def test_a_post_without_its_author_still_counts(x: FakeX, ask: Any) -> None:
    data = {"id": "1", "text": "brigid", "author_id": "7", "edit_history_tweet_ids": ["1"]}
    nobody = {"username": "wrong"}
    x.fail_next(BrokenShape({"data": [data], "includes": {"users": [nobody, "odd"]}, "meta": {"result_count": 1}}))
    (post,) = ask().posts
    assert (post.author, post.url, post.reach) == (None, "https://x.com/i/status/1", None)


def test_an_edit_is_the_same_post_later(x: FakeX, ask: Any, clock: Any) -> None:
    made = x.post("brigid before", at=clock.at - timedelta(minutes=30))
    first = ask()
    edited = x.edit(made, "brigid after", at=clock.at - timedelta(minutes=5))
    (post,) = ask(first.cursor).posts
    assert (post.ref, post.text, post.url) == (made, "brigid after", f"https://x.com/somebody/status/{edited}")
    assert post.written_at == clock.at - timedelta(minutes=30)
    assert post.edited_at == clock.at - timedelta(minutes=5)


@pytest.mark.parametrize(
    ("item", "named"),
    [
        ("a string", "x:?: unknown shape"),
        ({}, "x:None: unknown shape"),
        ({"id": "5"}, "x:5: unknown shape"),
        ({"id": "5", "text": None}, "x:5: unknown shape"),
        ({"id": "5", "text": ["brigid"]}, "x:5: unknown shape"),
        ({"id": "five", "text": "brigid"}, "x:five: unknown shape"),
        ({"id": "9" * 40, "text": "brigid"}, "x:" + "9" * 30 + ": unknown shape"),
        ({"id": "5", "text": "brigid", "created_at": "yesterday"}, "x:5: written_at"),
        ({"id": "5", "text": "brigid", "created_at": "2026-11-18T08:00:00"}, "x:5: written_at"),
        ({"id": "5", "text": "brigid", "referenced_tweets": [None]}, "x:5: unknown shape"),
        ({"id": "5", "text": "brigid", "note_tweet": "text"}, "x:5: unknown shape"),
    ],
)
def test_a_malformed_post_is_named_and_the_others_go_on(x: FakeX, ask: Any, item: Any, named: str) -> None:
    good = {"id": "6", "text": "brigid", "created_at": "2026-11-18T08:00:00Z"}
    x.fail_next(BrokenShape({"data": [item, good], "meta": {"result_count": 2}}))
    passed = ask()
    assert (passed.error, passed.refs, len(passed.skipped)) == (None, ["6"], 1)
    assert passed.skipped[0].startswith(named)
    assert passed.cursor[QUERY]["since_id"] == max("6", str(item["id"]) if named.startswith("x:5") else "0", key=int)


@pytest.mark.parametrize("history", [{"a": 1}, "5", 5, [], [None], [["5"]]], ids=str)
def test_an_odd_history_of_edits_is_no_reason_to_lose_a_post(x: FakeX, ask: Any, history: Any) -> None:
    item = {"id": "5", "text": "brigid", "edit_history_tweet_ids": history}
    x.fail_next(BrokenShape({"data": [item], "meta": {"result_count": 1}}))
    (post,) = ask().posts
    assert (post.ref, post.edited_at) == ("5", None)


# the cursor


def test_the_next_pass_asks_only_for_what_is_newer(x: FakeX, ask: Any, clock: Any) -> None:
    made = many(x, 3, clock.at - timedelta(hours=1))
    first = ask()
    assert sorted(first.refs) == sorted(made)
    assert first.cursor == {QUERY: heard(made[-1], clock.at)}
    assert ask(first.cursor).posts == []
    later = x.post("brigid later", at=clock.at - timedelta(minutes=1))
    assert ask(first.cursor).refs == [later]
    assert asked(x, "since_id") == [None, made[-1], made[-1]]


def test_since_id_moves_only_when_the_oldest_page_is_there(x: FakeX, ask: Any, clock: Any) -> None:
    made = many(x, 250, clock.at - timedelta(hours=1))
    passed = ask()
    assert [len(page.posts) for page in passed.pages] == [100, 100, 50]
    assert [page.reads for page in passed.pages] == [100, 100, 50]
    places = [page.cursor[QUERY] for page in passed.pages]
    assert ["since_id" in place for place in places] == [False, False, True]
    assert places[-1] == heard(made[-1], clock.at)
    assert sorted(passed.refs) == sorted(made)


@pytest.mark.parametrize("reset", [None, 900])
def test_a_429_half_way_is_resumed_there(x: FakeX, ask: Any, clock: Any, reset: int | None) -> None:
    made = many(x, 250, clock.at - timedelta(hours=1))
    x.fail_next(RateLimited(reset=None if reset is None else clock() + reset), after=1)
    first = ask()
    assert isinstance(first.error, TryLater)
    assert first.error.at == (None if reset is None else clock.at + timedelta(seconds=reset))
    assert len(first.posts) == 100
    assert "since_id" not in first.cursor[QUERY]
    newest = x.post("brigid while we waited", at=clock.at - timedelta(minutes=1))
    second = ask(first.cursor)
    assert second.error is None
    assert sorted([*first.refs, *second.refs]) == sorted(made)
    assert x.reads == 250  # nothing was paid for twice
    assert second.cursor[QUERY]["since_id"] == made[-1]  # the largest of all pages, those of the first pass too
    assert ask(second.cursor).refs == [newest]


@pytest.mark.parametrize(
    "said", ["soon", "", "-5", "99999999999999999999"], ids=["a word", "empty", "negative", "beyond the calendar"]
)
def test_a_429_with_a_time_that_is_none(x: FakeX, ask: Any, said: str) -> None:
    x.fail_next(Status(429, headers={"x-rate-limit-reset": said}))
    passed = ask()
    assert isinstance(passed.error, TryLater)
    assert passed.error.at is None


def test_an_empty_page_with_a_token_is_not_the_end(x: FakeX, ask: Any, clock: Any) -> None:
    made = many(x, 150, clock.at - timedelta(hours=1))
    x.empty_page_next(after=1)
    passed = ask()
    assert [len(page.posts) for page in passed.pages] == [100, 0, 50]
    assert sorted(passed.refs) == sorted(made)


def test_a_page_token_that_x_forgot_means_the_first_page_again(x: FakeX, ask: Any, clock: Any) -> None:
    made = many(x, 150, clock.at - timedelta(hours=1))
    x.fail_next(RateLimited(), after=1)
    first = ask()
    x._tokens.clear()
    second = ask(first.cursor)
    assert second.error is None
    assert sorted(second.refs) == sorted(made)
    assert second.cursor == {QUERY: heard(made[-1], clock.at)}


@pytest.mark.parametrize(
    "body",
    [{}, [], {"data": []}, {"meta": None}, {"meta": {}, "data": {"id": "1"}}, {"meta": {"next_token": 7}}],
)
def test_an_answer_of_another_shape_is_not_taken_for_the_last_page(x: FakeX, ask: Any, clock: Any, body: Any) -> None:
    made = many(x, 150, clock.at - timedelta(hours=1))
    x.fail_next(BrokenShape(body), after=1)
    first = ask()
    assert isinstance(first.error, TryLater)
    assert "shape" in str(first.error)
    second = ask(first.cursor)
    assert sorted([*first.refs, *second.refs]) == sorted(made)


@pytest.mark.parametrize("tokens", [["round"], ["one", "two"], ["one", "two", "three"]], ids=len)
def test_tokens_that_lead_back_do_not_turn_for_ever(x: FakeX, ask: Any, tokens: list[str]) -> None:
    for token in [*tokens, *tokens]:
        x.fail_next(BrokenShape({"meta": {"result_count": 0, "next_token": token}}))
    passed = ask()
    assert isinstance(passed.error, TryLater)
    assert len(x.requests) == len(tokens) + 1


# what no pass has heard yet


@pytest.mark.parametrize(
    ("keys", "reach"),
    [
        ({}, DAY),
        ({"first_reach": "2h"}, 2 * HOUR),
        ({"first_reach": "7d"}, 7 * DAY - 2 * MINUTE),  # the edge of what X searches moves while it is asked
    ],
)
def test_the_first_pass_reads_no_further_back_than_it_is_told(
    x: FakeX, ask: Any, clock: Any, keys: Any, reach: timedelta
) -> None:
    many(x, 1, clock.at - reach - MINUTE)
    (inside,) = many(x, 1, clock.at - reach + MINUTE)
    passed = ask(keys=keys)
    assert (passed.refs, passed.error, passed.unheard) == ([inside], None, [])
    assert asked(x, "since_id") == [None]


@pytest.mark.parametrize("silence", [5 * MINUTE, 5 * DAY, 9 * DAY], ids=str)
def test_a_search_that_never_matched_goes_on_where_it_stopped(
    x: FakeX, ask: Any, clock: Any, silence: timedelta
) -> None:
    cursor, stopped = ask().cursor, clock.at
    late = x.post("brigid, and X was slow to show it", at=stopped - 30 * MINUTE)
    clock.at += silence
    made = x.post("brigid", at=clock.at - min(silence, 6 * DAY) + MINUTE)
    passed = ask(cursor)
    beyond = silence > 7 * DAY
    assert set(passed.refs) == ({made} if beyond else {late, made})
    gap = [(gap.since, gap.until) for gap in passed.unheard]
    assert gap == ([(stopped - UNSHOWN, clock.at - 7 * DAY + 2 * MINUTE)] if beyond else [])


def test_a_search_that_matches_once_in_a_while_has_no_gap(x: FakeX, ask: Any, clock: Any) -> None:
    """Its since_id is too old for X, but it was asked all along."""
    x.post("brigid", at=clock.at - HOUR)
    cursor = ask().cursor
    for _ in range(10):
        clock.at += DAY
        passed = ask(cursor)
        assert (passed.error, passed.unheard, passed.posts) == (None, [], [])
        cursor = passed.cursor
    made = x.post("brigid", at=clock.at - MINUTE)
    assert ask(cursor).refs == [made]


def test_a_search_put_in_after_a_stop_begins_where_the_others_stopped(x: FakeX, ask: Any, clock: Any) -> None:
    cursor = ask().cursor
    clock.at += 4 * DAY
    made = x.post("mybrigid", at=clock.at - 3 * DAY)
    assert ask(cursor, queries=(QUERY, "mybrigid")).refs == [made]


# a cursor from the future


@pytest.mark.parametrize(
    ("ahead", "until", "falls_back"),
    [
        (30 * MINUTE, DAY, False),  # within what clocks differ by
        (2 * HOUR, -HOUR, False),  # our clock is late: X makes ids by its own
        (2 * HOUR, 3 * HOUR, True),  # our clock was ahead, and went back
        (2 * HOUR, None, True),
        (2 * DAY, 2 * DAY, True),
        (2 * DAY, -HOUR, True),  # no clock is as late as that
        (None, 2 * DAY, True),  # nothing was heard then
    ],
)
def test_a_since_id_from_the_future(x: FakeX, ask: Any, clock: Any, ahead: Any, until: Any, falls_back: bool) -> None:
    place = {
        **({"since_id": snowflake(clock.at + ahead)} if ahead is not None else {}),
        **({"until": (clock.at + until).isoformat()} if until is not None else {}),
    }
    made = x.post("brigid", at=clock.at - 23 * HOUR)
    passed = ask({QUERY: place})
    assert passed.refs == ([made] if falls_back else [])
    assert asked(x, "since_id") == [None if falls_back else place["since_id"]]
    assert passed.cursor[QUERY]["until"] == clock.at.isoformat()
    later = x.post("brigid", at=clock.at + MINUTE)
    clock.at += 2 * MINUTE
    assert ask(passed.cursor).refs == ([later] if falls_back else [])


def test_one_absurd_id_does_not_make_deaf(x: FakeX, ask: Any, clock: Any) -> None:
    odd = {"id": "9" * 19, "text": "brigid", "created_at": "2026-11-18T08:00:00Z"}
    x.fail_next(BrokenShape({"data": [odd], "meta": {"result_count": 1}}))
    first = ask()
    made = x.post("brigid")
    assert ask(first.cursor).refs == [made]


# silence of more than seven days


def test_after_more_than_seven_days_the_gap_is_told(x: FakeX, ask: Any, clock: Any) -> None:
    x.post("brigid old", at=clock.at - timedelta(hours=1))
    first = ask()
    clock.at += timedelta(days=9)
    made = many(x, 150, clock.at - timedelta(days=1))
    second = ask(first.cursor)
    assert sorted(second.refs) == sorted(made)
    assert second.error is None
    (gap,) = second.unheard
    assert gap.since == clock.at - timedelta(days=9) - UNSHOWN  # until then it was heard
    assert gap.until == clock.at - timedelta(days=7) + timedelta(minutes=2)
    assert "seven days" in gap.why
    assert second.cursor == {QUERY: heard(made[-1], clock.at)}
    assert ask(second.cursor).unheard == []


def test_what_x_did_not_show_yet_is_in_the_gap(x: FakeX, ask: Any, clock: Any) -> None:
    """X ends a search 30 seconds before it is asked; then the service stands still for nine days."""
    late = clock.at - timedelta(seconds=10)
    x.post("brigid, just now", at=late)
    first = ask()
    assert first.refs == []
    clock.at += timedelta(days=9)
    (gap,) = ask(first.cursor).unheard
    assert gap.since <= late


def test_a_gap_is_told_once_for_all_searches(x: FakeX, ask: Any, clock: Any) -> None:
    queries = (QUERY, "mybrigid", "portal")
    first = ask(queries=queries)
    clock.at += timedelta(days=9)
    assert len(ask(first.cursor, queries=queries).unheard) == 1


def test_a_page_token_kept_for_a_week_still_moves_on(x: FakeX, ask: Any, clock: Any) -> None:
    """The start of the search itself fell out of the seven days meanwhile."""
    first = ask({QUERY: {"since_id": snowflake(clock.at - timedelta(days=8))}})
    many(x, 150, clock.at - timedelta(hours=1))
    x.fail_next(RateLimited(), after=2)
    first = ask({QUERY: {"since_id": snowflake(clock.at - timedelta(days=8))}})
    assert isinstance(first.error, TryLater)
    assert "start_time" in first.cursor[QUERY]
    clock.at += timedelta(hours=2)
    second = ask(first.cursor)
    assert second.error is None
    assert len(second.posts) == 150
    (gap,) = second.unheard
    assert gap.until - gap.since == timedelta(hours=2)


# what X refuses


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Status(401), NeedsPerson, "X_BEARER_TOKEN"),
        (Status(402), NeedsPerson, "credits"),
        (Status(403), NeedsPerson, "forbids"),
        (Status(404), TryLater, "404"),
        (Status(409), TryLater, "409"),
        (Status(500), TryLater, "500"),
        (Status(503), TryLater, "503"),
        (Status(503, ["odd"]), TryLater, "shape"),
        (Status(400, {"errors": None}), TryLater, "shape"),
        (Status(400, {"errors": [{"parameters": ["query"]}]}), NeedsPerson, "refused"),
        (Status(400, "<html>"), NeedsPerson, "refused"),
        (NotJson(), TryLater, "not JSON"),
        (BrokenShape(None), TryLater, "shape"),
        (Reset(), TryLater, "ConnectionError"),
        (DropAfter(), TryLater, "ConnectionError"),
    ],
    ids=str,
)
def test_trouble_becomes_its_remedy(x: FakeX, ask: Any, fault: Any, kind: type[Exception], words: str) -> None:
    x.post("brigid")
    x.fail_next(fault)
    passed = ask()
    assert type(passed.error) in (kind, *kind.__subclasses__())
    assert words in str(passed.error)
    assert passed.pages == []
    assert "test-bearer" not in str(passed.error)
    x.heal()
    assert len(ask(passed.cursor).posts) == 1


def test_a_server_that_does_not_answer_is_given_up(x: FakeX, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "_TIMEOUT", 0.1)
    x.fail_next(Stall(30))
    before = time.monotonic()
    passed = ask()
    assert isinstance(passed.error, TryLater)
    assert "Timeout" in str(passed.error)
    assert time.monotonic() - before < 10


def test_nobody_listens(x: FakeX, ask: Any) -> None:
    x.close()
    assert isinstance(ask().error, TryLater)


def test_a_wrong_query_is_named_and_the_next_one_is_still_asked(x: FakeX, ask: Any) -> None:
    made = x.post("brigid")
    passed = ask(queries=("(brigid", QUERY))
    assert passed.refs == [made]
    assert isinstance(passed.error, NeedsPerson)
    assert str(passed.error).startswith("x: X refused '(brigid': There were errors")


def test_the_renamed_fields(ask: Any, x: FakeX, capsys: pytest.CaptureFixture[str]) -> None:
    x.accepts = "post"
    made = x.post("brigid " + "word " * 100, "ann")
    edited = x.edit(made, "brigid other " + "word " * 100)
    passed = ask()
    (post,) = passed.posts
    assert (post.ref, post.author, len(post.text)) == (made, "ann", 513)
    assert post.edited_at is not None
    assert edited in post.url
    assert passed.cursor[QUERY]["fields"] == "post"
    assert asked(x, "tweet.fields")[0]
    assert asked(x, "post.fields")[1]
    ask(passed.cursor)  # remembered: not refused again
    assert len(x.requests) == 3
    assert x.requests[-1].status == 200
    ask({QUERY: {"since_id": "1", "fields": "post"}})  # nor with another refusal
    assert [request.status for request in x.requests[3:]] == [400, 200]
    assert capsys.readouterr() == ("", "")


def test_neither_name_of_the_fields(x: FakeX, ask: Any) -> None:
    x.fail_next(Status(400, {"errors": [{"parameters": {"tweet.fields": ["a"]}, "message": "no"}]}), times=None)
    passed = ask()
    assert isinstance(passed.error, NeedsPerson)
    assert len(x.requests) == 2


# queries, reads, secrets


def test_each_query_has_its_own_place(x: FakeX, ask: Any, clock: Any) -> None:
    one = x.post("brigid", at=clock.at - timedelta(hours=2))
    two = x.post("mybrigid", at=clock.at - timedelta(hours=1))
    passed = ask(queries=("brigid", "mybrigid"))
    assert passed.cursor == {"brigid": heard(one, clock.at), "mybrigid": heard(two, clock.at)}
    changed = ask(passed.cursor, queries=("mybrigid", "portal"))
    assert set(changed.cursor) == {"mybrigid", "portal"}
    assert asked(x, "since_id")[2:] == [two, None]


def test_a_failing_second_query_leaves_the_first_ones_place(x: FakeX, ask: Any, clock: Any) -> None:
    one = x.post("brigid")
    x.fail_next(Status(503), after=1)
    passed = ask(queries=("brigid", "mybrigid"))
    assert isinstance(passed.error, TryLater)
    assert passed.cursor["brigid"] == heard(one, clock.at)
    assert passed.cursor["mybrigid"] == {}


@pytest.mark.parametrize(("left", "asks"), [(None, "100"), (1000, "100"), (37, "37"), (10, "10"), (3, "10"), (1, "10")])
def test_the_read_budget_lowers_what_is_asked_for(x: FakeX, ask: Any, left: int | None, asks: str) -> None:
    assert ask(reads_left=left).error is None  # X refuses less than 10
    assert asked(x, "max_results") == [asks]


def test_the_token_is_in_no_log(
    x: FakeX, ask: Any, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    x.post("brigid")
    with caplog.at_level(logging.DEBUG):
        ask()
        x.fail_next(Status(401))
        ask()
    assert x.requests[0].headers["authorization"] == "Bearer test-bearer"
    assert caplog.records
    assert not re.search("test-bearer", caplog.text + "".join(capsys.readouterr()))


def test_what_is_asked_fits_what_x_documents(x: FakeX, ask: Any) -> None:
    x.post("brigid")
    ask()
    (request,) = x.requests
    assert request.query["expansions"] == "author_id"
    assert {"created_at", "author_id", "note_tweet", "edit_history_tweet_ids"} < set(
        request.query["tweet.fields"].split(",")
    )


@pytest.mark.parametrize(
    ("keys", "where", "allowed"),
    [
        ({"queries": ("",)}, ("queries", 0), "at least 1 character"),
        ({"queries": ("  ",)}, ("queries", 0), "at least 1 character"),
        ({"queries": (QUERY, "x" * 513)}, ("queries", 1), "at most 512 characters, or an OR"),
        ({"queries": ("x" * 101,), "longest_query": 100}, ("queries", 0), "at most 100 characters, or an OR"),
        ({"queries": ("aa OR " * 100,)}, ("queries", 0), "a word on both sides of each OR"),
        ({"longest_query": 4097}, ("longest_query",), "less than or equal to 4096"),
        ({"first_reach": "8d"}, ("first_reach",), 'a time of at most "7d"'),
    ],
)
def test_settings_that_cannot_be(keys: Any, where: Any, allowed: str) -> None:
    with pytest.raises(ValidationError) as caught:
        collector.Settings(**keys)
    (error,) = caught.value.errors()
    assert error["loc"] == where
    assert allowed in error["msg"]


def test_a_query_that_enterprise_takes_whole(x: FakeX, ask: Any) -> None:
    x.max_query = 4096
    made = x.post("brigid")
    query = " OR ".join([QUERY, *(f"word{n:04}" for n in range(300))])
    assert ask(queries=(query,), keys={"longest_query": 4096}).refs == [made]
    assert len(x.requests) == 1


def test_a_long_query_is_divided_and_counted_as_one(x: FakeX, ask: Any, clock: Any) -> None:
    one, two = x.post("word0000 here"), x.post("word0079 here", "bob")
    x.post("word0001 there")
    query = f"({' OR '.join(f'word{n:04}' for n in range(80))}) here"
    passed = ask(queries=(query, QUERY))
    assert sorted(passed.refs) == sorted([one, two])
    parts = [text for text in asked(x, "query") if text != QUERY]
    assert len(parts) == 2
    assert all(len(part) <= 512 for part in parts)
    assert passed.cursor.keys() == {*parts, QUERY}
    (label,) = {name for page in passed.pages for name in page.matched} - {QUERY}
    assert label == query[:60] + "… (query 1)"
    assert [page.matched for page in passed.pages] == [{label: 1}, {label: 1}, {QUERY: 0}]
    assert ask(passed.cursor, queries=(query, QUERY)).posts == []


def test_without_queries_the_hospitals_names_are_searched(x: FakeX, ask: Any) -> None:
    named = x.post("Waiting at Saint Brigid Medical Center")
    tagged = x.post("Waiting #stbrigids", "bob")
    mentioned = x.post("@StBrigidCares anyone?", "cy")
    x.post("We at St. Brigid's care", "StBrigidCares")
    x.post("Waiting at the dentist's", "dan")
    everything = ask(queries=())
    assert sorted(everything.refs) == sorted([named, tagged, mentioned])
    assert {name for page in everything.pages for name in page.matched} == {"the names in hospital.toml"}
    assert sorted(ask(queries=(), keys={"mentions": False}).refs) == sorted([named, tagged])


def test_names_that_no_search_holds_are_told(x: FakeX, asking: Any, settings: collector.Settings, told: Asking) -> None:
    long = told.hospital.model_copy(update={"name": "Saint " * 90})
    named_nowhere = settings.model_copy(update={"queries": ()})
    with pytest.raises(NeedsPerson, match=r"x: a search for the names in hospital\.toml needs at most 512"):
        list(collector.fetch(named_nowhere, {}, replace(told, hospital=long)))


def test_what_is_billed(x: FakeX, ask: Any, clock: Any) -> None:
    many(x, 150, clock.at - HOUR)
    passed = ask()
    assert [(page.reads, page.cost) for page in passed.pages] == [(100, 0.5), (50, 0.25)]
    assert [page.cost for page in ask(keys={"price_per_read": 0.0}).pages] == [0, 0]
    assert (ask(passed.cursor).pages[0].reads, ask(passed.cursor).pages[0].cost) == (0, 0)


# the hospital's own replies


def replies(settings: collector.Settings, told: Asking, cursor: Any = None) -> list[Page]:
    return list(collector.own_replies(settings, cursor or {}, told))


def test_own_replies_are_heard_once(x: FakeX, settings: Any, told: Asking, clock: Any) -> None:
    asked_us = x.post("brigid?", "ann", at=clock.at - HOUR)
    reply = x.post("Please call us", "StBrigidCares", at=clock.at - 30 * MINUTE, in_reply_to=asked_us)
    x.post("Our new wing", "StBrigidCares")
    x.post("Me too", "bob", in_reply_to=asked_us)
    (page,) = replies(settings, told)
    (post,) = page.posts
    assert (post.ref, post.answers, post.author) == (reply, asked_us, "StBrigidCares")
    assert (page.reads, page.cost, page.matched) == (2, 0.01, {})  # the answered post is billed too
    assert x.reads == 2
    (again,) = replies(settings, told, page.cursor)
    assert again.posts == ()


def test_a_reply_to_an_edited_post_answers_that_post(x: FakeX, settings: Any, told: Asking, clock: Any) -> None:
    first = x.post("brigid?", "ann", at=clock.at - HOUR)
    second = x.edit(first, "brigid ER?", at=clock.at - 50 * MINUTE)
    x.post("Please call us", "StBrigidCares", in_reply_to=second)
    (page,) = replies(settings, told)
    assert [post.answers for post in page.posts] == [first]


def test_own_replies_that_nobody_wants(x: FakeX, settings: Any, told: Asking) -> None:
    without = told.hospital.model_copy(update={"accounts": Accounts()})
    assert replies(settings, replace(told, hospital=without)) == []
    assert replies(settings.model_copy(update={"own_replies": False}), told) == []
    assert x.requests == []


def test_a_gap_in_own_replies_is_not_told_again(x: FakeX, settings: Any, told: Asking, clock: Any) -> None:
    (page,) = replies(settings, told)
    clock.at += 9 * DAY
    (page,) = replies(settings, replace(told, now=clock.at), page.cursor)
    assert page.unheard == ()


def test_own_replies_under_the_renamed_fields(x: FakeX, settings: Any, told: Asking) -> None:
    x.accepts = "post"
    asked_us = x.post("brigid?")
    x.post("Please call us", "StBrigidCares", in_reply_to=asked_us)
    (page,) = replies(settings, told)
    assert [post.answers for post in page.posts] == [asked_us]


# looking again


def test_a_lookup_says_what_is_there_and_what_is_gone(x: FakeX, look: Any) -> None:
    stays, gone, hidden = x.post("one", "ann"), x.post("two"), x.post("three", "shy")
    x.delete(gone)
    x.user("shy", protected=True)
    page = look(stays, gone, hidden)
    assert [(post.ref, post.text, post.author) for post in page.posts] == [(stays, "one", "ann")]
    assert page.deleted == tuple(sorted([Ref("x", gone), Ref("x", hidden)], key=lambda ref: int(ref.ref)))
    assert (page.reads, page.cost) == (0, 0.005)
    assert x.requests[-1].query["ids"] == f"{stays},{gone},{hidden}"


@pytest.mark.parametrize("gives", ["asked", "latest"])
@pytest.mark.parametrize("accepts", ["tweet", "post"])
def test_a_lookup_gives_the_last_version(x: FakeX, look: Any, clock: Any, gives: Any, accepts: Any) -> None:
    x.lookup_gives, x.accepts = gives, accepts
    first = x.post("before", at=clock.at - HOUR)
    x.edit(first, "between", at=clock.at - 50 * MINUTE)
    x.edit(first, "after", at=clock.at - 40 * MINUTE)
    other = x.post("another")
    page = look(first, other)
    latest = max((post for post in page.posts if post.ref == first), key=lambda post: post.edited_at or post.written_at)
    assert (latest.text, latest.edited_at) == ("after", clock.at - 40 * MINUTE)
    assert other in [post.ref for post in page.posts]
    assert page.cost == pytest.approx(0.005 * (3 if gives == "asked" else 2))
    x.delete(first)
    assert look(first, other).deleted == (Ref("x", first),)


NOT_FOUND = "https://api.twitter.com/2/problems/resource-not-found"


@pytest.mark.parametrize(
    "errors",
    [
        [],
        [None, "odd", 7],
        [{"value": "5", "parameter": "ids"}],
        [{"value": "5", "resource_id": "5", "parameter": "ids", "type": "about:blank"}],
        [
            {
                "value": "5",
                "resource_id": "5",
                "parameter": "ids",
                "type": NOT_FOUND.replace("-not-found", "-unavailable"),
            }
        ],
        [{"value": "5", "resource_id": "5", "parameter": "author_id", "type": NOT_FOUND}],
        [{"value": "6", "resource_id": "6", "parameter": "ids", "type": NOT_FOUND}],
        [{"value": ["5"], "parameter": "ids", "type": NOT_FOUND}],
        [{"value": "7", "resource_id": "7", "parameter": "ids", "type": NOT_FOUND}],
    ],
)
def test_what_x_does_not_say_is_gone_stays(x: FakeX, look: Any, errors: Any) -> None:
    there = {"id": "7", "text": "there"}
    x.fail_next(BrokenShape({"data": [there, "odd"], "errors": errors}))
    page = look("5", "7")
    assert page.deleted == ()
    assert [post.ref for post in page.posts] == ["7"]
    assert [skip.where for skip in page.skipped] == ["x:?"]


def test_a_post_that_cannot_be_read_is_not_gone(x: FakeX, look: Any) -> None:
    error = {"value": "5", "resource_id": "5", "parameter": "ids", "type": NOT_FOUND}
    x.fail_next(BrokenShape({"data": [{"id": "6", "edit_history_tweet_ids": ["5", "6"]}], "errors": [error]}))
    page = look("5")
    assert (page.posts, page.deleted, len(page.skipped)) == ((), (), 1)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Status(401), NeedsPerson),
        (Status(400), TryLater),
        (Status(400, {"errors": [{"parameters": {"tweet.fields": ["a"]}}]}), TryLater),
        (Status(503), TryLater),
        (RateLimited(), AskedToWait),
        (NotJson(), TryLater),
        (Reset(), TryLater),
        (BrokenShape({}), TryLater),
        (BrokenShape([]), TryLater),
        (BrokenShape({"data": {"id": "5"}}), TryLater),
        (BrokenShape({"errors": {"5": NOT_FOUND}}), TryLater),
    ],
    ids=str,
)
def test_trouble_says_nothing_about_a_post(x: FakeX, look: Any, fault: Any, kind: Any) -> None:
    x.fail_next(fault, times=None)
    with pytest.raises(kind, match=r"^x: "):
        look("5")


def test_only_what_can_be_an_id_is_looked_up(x: FakeX, look: Any) -> None:
    there = x.post("there")
    assert look("t3_abc", "5,6", "", "９", "1" * 20) == Page((), {})
    assert x.requests == []
    assert len(look("t3_abc", there).posts) == 1
    assert x.requests[0].query["ids"] == there


# limits


def test_a_time_to_wait_beyond_a_day_is_none(x: FakeX, ask: Any, clock: Any) -> None:
    for hours, at in ((1, clock.at + HOUR), (25, None)):
        x.fail_next(RateLimited(reset=clock() + hours * 3600))
        assert ask().error.at == at


@pytest.fixture
def raw() -> Iterator[Callable[..., str]]:
    """A server that sends these bytes, each after a pause, whatever it is asked; its address."""
    server = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve(chunks: Any, pause: float) -> None:
        with server.accept()[0] as connection:
            connection.recv(65_536)
            for chunk in chunks:
                if stop.wait(pause):
                    return
                try:
                    connection.sendall(chunk)
                except OSError:
                    return

    threads = []

    def start(*chunks: bytes, pause: float = 0.0) -> str:
        threads.append(threading.Thread(target=serve, args=(chunks, pause)))
        threads[-1].start()
        return f"http://127.0.0.1:{server.getsockname()[1]}"

    yield start
    stop.set()
    for thread in threads:
        thread.join(2)
    server.close()


@pytest.mark.parametrize(
    ("chunks", "pause", "words"),
    [
        ([b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n", *[b" "] * 40], 0.05, "larger or takes longer"),
        ([b"HTTP/1.1 200 OK\r\n\r\n", *[b" " * 65_536] * 20], 0, "larger or takes longer"),
        ([b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{}"], 0, "no answer from X (ConnectionError)"),
        ([b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}"], 0, "no answer from X"),
        ([b"SSH-2.0-OpenSSH\r\n"], 0, "no answer from X"),
    ],
    ids=["drips", "huge", "breaks off", "not what it says", "another protocol"],
)
def test_an_answer_is_bounded(
    raw: Any, told: Asking, monkeypatch: pytest.MonkeyPatch, chunks: Any, pause: float, words: str
) -> None:
    monkeypatch.setattr(collector, "_TIMEOUT", 0.4)
    monkeypatch.setattr(web, "LARGEST", 1_000_000)
    settings = collector.Settings(queries=(QUERY,), base_url=raw(*chunks, pause=pause))
    with pytest.raises(TryLater, match=re.escape(words)):
        list(collector.fetch(settings, {}, told))


def test_a_gateway_is_reached_in_spite_of_a_proxy(x: FakeX, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    made = x.post("brigid")
    assert ask().refs == [made]


def test_a_token_that_is_told_back_is_in_no_sentence(x: FakeX, ask: Any) -> None:
    told_back = {"errors": [{"message": "Authorization: Bearer test-bearer\nis odd", "parameters": {"query": []}}]}
    x.fail_next(Status(400, told_back))
    assert "Authorization: Bearer … is odd" in str(ask().error)
