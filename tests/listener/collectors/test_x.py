"""Recent search through tweepy, against a server that speaks X's protocol."""

import logging
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fakes.server import BrokenShape, DropAfter, NotJson, RateLimited, Reset, Stall, Status
from fakes.x import FakeX, snowflake
from pydantic import ValidationError

from listener.collectors import x as collector
from listener.errors import NeedsPerson, TryLater

SEARCH = "/2/tweets/search/recent"
QUERY = "brigid"


@pytest.fixture
def ask(x: FakeX, one_pass: Callable[..., Any]) -> Callable[..., Any]:
    """One pass over the fake X from a cursor."""

    def run(cursor: dict[str, Any] | None = None, queries: tuple[str, ...] = (QUERY,), **options: Any) -> Any:
        settings = collector.Settings(on=True, queries=queries, base_url=x.base_url)
        options.setdefault("secrets", {"X_BEARER_TOKEN": "test-bearer"})
        return one_pass(collector, settings, cursor or {}, **options)

    return run


def many(x: FakeX, count: int, start: datetime, text: str = "brigid {}") -> list[str]:
    """Posts a second apart from `start` on; their ids, oldest first."""
    return [x.post(text.format(n), at=start + timedelta(seconds=n)) for n in range(count)]


def asked(x: FakeX, name: str) -> list[str | None]:
    return [request.query.get(name) for request in x.seen(SEARCH)]


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
        "rating": None,
        "reach": 42,
        "about_us": False,
    }


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
        ({"id": "5", "text": "brigid", "edit_history_tweet_ids": {"a": 1}}, "x:5: unknown shape"),
    ],
)
def test_a_malformed_post_is_named_and_the_others_go_on(x: FakeX, ask: Any, item: Any, named: str) -> None:
    good = {"id": "6", "text": "brigid", "created_at": "2026-11-18T08:00:00Z"}
    x.fail_next(BrokenShape({"data": [item, good], "meta": {"result_count": 2}}))
    passed = ask()
    assert (passed.error, passed.refs, len(passed.skipped)) == (None, ["6"], 1)
    assert passed.skipped[0].startswith(named)
    assert passed.cursor[QUERY]["since_id"] == max("6", str(item["id"]) if named.startswith("x:5") else "0", key=int)


# the cursor


def test_the_next_pass_asks_only_for_what_is_newer(x: FakeX, ask: Any, clock: Any) -> None:
    made = many(x, 3, clock.at - timedelta(hours=1))
    first = ask()
    assert sorted(first.refs) == sorted(made)
    assert first.cursor == {QUERY: {"since_id": made[-1]}}
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
    assert places[-1] == {"since_id": made[-1]}
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
    assert second.cursor == {QUERY: {"since_id": made[-1]}}


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


def test_a_token_that_leads_to_itself_does_not_turn_for_ever(x: FakeX, ask: Any) -> None:
    x.fail_next(BrokenShape({"meta": {"result_count": 0, "next_token": "round"}}), times=None)
    passed = ask()
    assert isinstance(passed.error, TryLater)
    assert len(x.requests) == 2


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
    assert gap.since == clock.at - timedelta(days=9, hours=1)
    assert gap.until == clock.at - timedelta(days=7) + timedelta(minutes=2)
    assert "seven days" in gap.why
    assert second.cursor == {QUERY: {"since_id": made[-1]}}
    assert ask(second.cursor).unheard == []


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
    monkeypatch.setattr(collector, "_TIMEOUT", (0.1, 0.1))
    x.fail_next(Stall(30))
    before = time.monotonic()
    passed = ask()
    assert isinstance(passed.error, TryLater)
    assert "Timeout" in str(passed.error)
    assert time.monotonic() - before < 2


def test_nobody_listens(x: FakeX, ask: Any) -> None:
    x.close()
    assert isinstance(ask().error, TryLater)


def test_a_wrong_query_is_named_and_the_next_one_is_still_asked(x: FakeX, ask: Any) -> None:
    made = x.post("brigid")
    passed = ask(queries=("(brigid", QUERY))
    assert passed.refs == [made]
    assert isinstance(passed.error, NeedsPerson)
    assert "'(brigid'" in str(passed.error)


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
    assert passed.cursor == {"brigid": {"since_id": one}, "mybrigid": {"since_id": two}}
    changed = ask(passed.cursor, queries=("mybrigid", "portal"))
    assert set(changed.cursor) == {"mybrigid", "portal"}
    assert asked(x, "since_id")[2:] == [two, None]


def test_a_failing_second_query_leaves_the_first_ones_place(x: FakeX, ask: Any) -> None:
    one = x.post("brigid")
    x.fail_next(Status(503), after=1)
    passed = ask(queries=("brigid", "mybrigid"))
    assert isinstance(passed.error, TryLater)
    assert passed.cursor["brigid"] == {"since_id": one}
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


@pytest.mark.parametrize("queries", [(), ("",), ("x" * 513,), ("  ",)])
def test_queries_that_cannot_be(queries: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        collector.Settings(queries=queries)


def test_the_epoch_is_xs_own() -> None:
    moment = datetime(2022, 6, 28, 16, 7, 40, 105000, tzinfo=UTC)
    assert collector._made_at("1541815603606036480") == moment
