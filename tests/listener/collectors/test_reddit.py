"""Watched subreddits and searches through praw, against a server that speaks Reddit's protocol."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import praw
import prawcore
import pytest
from fakes.reddit import TOKEN_PATH, FakeReddit
from fakes.server import BrokenShape, DropAfter, NotJson, RateLimited, Reset, Stall, Status
from prawcore.sessions import FiniteRetryStrategy
from pydantic import ValidationError

from listener.collectors import reddit as collector
from listener.errors import NeedsPerson, TryLater

SUB = "PortAlder"
SECRETS = {"REDDIT_CLIENT_ID": "test-client", "REDDIT_CLIENT_SECRET": "test-secret"}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """prawcore waits up to two seconds between tries; nothing else may sleep at all."""
    slept: list[float] = []
    monkeypatch.setattr(FiniteRetryStrategy, "_sleep_seconds", lambda self: None)
    monkeypatch.setattr("prawcore.rate_limit.time.sleep", slept.append)
    return slept


@pytest.fixture
def ask(reddit: FakeReddit, one_pass: Callable[..., Any]) -> Callable[..., Any]:
    """One pass over the fake Reddit from a cursor."""

    def run(cursor: dict[str, Any] | None = None, **settings: Any) -> Any:
        secrets = settings.pop("secrets", SECRETS)
        given = {"subreddits": (SUB,), "base_url": reddit.base_url, **settings}
        return one_pass(collector, collector.Settings(**given), cursor or {}, secrets=secrets)

    return run


def many(reddit: FakeReddit, count: int, until: datetime) -> list[str]:
    """Posts a second apart that end at `until`; their fullnames, oldest first."""
    first = until - timedelta(seconds=count)
    return [reddit.submit(SUB, f"brigid {n}", at=first + timedelta(seconds=n)) for n in range(count)]


def paths(reddit: FakeReddit) -> list[str]:
    return [request.path for request in reddit.requests if request.path != TOKEN_PATH]


# what a post becomes


def test_a_post_and_its_comment(reddit: FakeReddit, ask: Any, clock: Any) -> None:
    written = clock.at - timedelta(hours=2)
    post = reddit.submit(SUB, "Six hours", "in the ER", "ann", at=written)
    comment = reddit.comment(post, None, "same here", "bob", at=written + timedelta(hours=1))
    one, two = ask().posts
    address = f"https://www.reddit.com/r/PortAlder/comments/{post[3:]}/six_hours/"
    assert one.model_dump() == {
        "source": "reddit",
        "ref": post,
        "text": "Six hours\n\nin the ER",
        "written_at": written,
        "edited_at": None,
        "url": address,
        "author": "ann",
        "author_name": None,
        "thread": post,
        "answers": None,
        "rating": None,
        "reach": None,
        "about_us": False,
    }
    assert (two.ref, two.text, two.author, two.thread, two.answers) == (comment, "same here", "bob", post, post)
    assert two.url == f"{address}{comment[3:]}/"


def test_what_was_deleted_or_removed_is_nobodys_post(reddit: FakeReddit, ask: Any) -> None:
    things = [reddit.submit(SUB, f"brigid {n}", "text") for n in range(3)]
    shown = [reddit._shown(reddit._things[name]) for name in things]
    shown[0]["data"]["author"] = "[deleted]"
    shown[1]["data"]["selftext"] = "[removed]"
    shown[2]["data"]["removed_by_category"] = "moderator"
    reddit.fail_next(BrokenShape({"kind": "Listing", "data": {"children": shown, "after": None}}))
    passed = ask()
    assert (passed.posts, passed.skipped, passed.error) == ([], [], None)
    assert passed.cursor["new:PortAlder"]["seen"] == things


@pytest.mark.parametrize(
    ("field", "value"),
    [("created_utc", None), ("created_utc", "soon"), ("created_utc", 1e30), ("permalink", None), ("selftext", 5)],
)
def test_a_malformed_post_is_named_and_the_others_go_on(reddit: FakeReddit, ask: Any, field: str, value: Any) -> None:
    bad, good = reddit.submit(SUB, "brigid", "one"), reddit.submit(SUB, "brigid", "two")
    shown = [reddit._shown(reddit._things[name]) for name in (bad, good)]
    shown[0]["data"][field] = value
    reddit.fail_next(BrokenShape({"kind": "Listing", "data": {"children": shown, "after": None}}))
    passed = ask()
    assert (passed.refs, len(passed.skipped), passed.error) == ([good], 1, None)
    assert passed.skipped[0].startswith(f"reddit:{bad}: ")


def test_an_edit_comes_again_with_its_time(reddit: FakeReddit, ask: Any, clock: Any) -> None:
    post = reddit.submit(SUB, "brigid", "before", at=clock.at - timedelta(hours=1))
    first = ask()
    reddit.edit(post, "after")
    (again,) = ask(first.cursor).posts
    assert (again.ref, again.text, again.edited_at) == (post, "brigid\n\nafter", clock.at)


# from pass to pass


def test_the_first_pass_leaves_out_what_is_long_over(reddit: FakeReddit, ask: Any, clock: Any) -> None:
    reddit.submit(SUB, "brigid last year", at=clock.at - timedelta(days=300))
    recent = reddit.submit(SUB, "brigid", at=clock.at - timedelta(days=6))
    first = ask()
    assert first.refs == [recent]
    clock.at += timedelta(minutes=5)
    second = ask(first.cursor)
    assert second.refs == [recent]  # still in the listing; the old one does not come in by the back door
    clock.at += timedelta(days=30)
    assert ask(second.cursor).refs == [recent]  # an edit of it would still be heard
    third = ask(ask(second.cursor).cursor)
    assert third.refs == [recent]


def test_the_first_pass_stops_seven_days_back(reddit: FakeReddit, ask: Any, clock: Any) -> None:
    many(reddit, 150, clock.at - timedelta(days=9))
    recent = many(reddit, 50, clock.at)
    passed = ask()
    assert sorted(passed.refs) == sorted(recent)
    assert paths(reddit) == ["/r/PortAlder/new", "/r/PortAlder/comments/"]


def test_nothing_new_and_nothing_at_all(reddit: FakeReddit, ask: Any, clock: Any) -> None:
    reddit.add_subreddit(SUB)
    empty = ask()
    assert (empty.posts, empty.error, len(empty.pages)) == ([], None, 2)
    post = reddit.submit(SUB, "brigid")
    clock.at += timedelta(minutes=2)
    one = ask(empty.cursor)
    assert one.refs == [post]
    two = ask(one.cursor)
    assert (two.unheard, two.cursor) == ([], one.cursor | {"new:PortAlder": two.cursor["new:PortAlder"]})


@pytest.mark.parametrize("new", [1, 99, 100, 101, 299, 300])
def test_what_came_between_two_passes(reddit: FakeReddit, ask: Any, clock: Any, new: int) -> None:
    many(reddit, 120, clock.at - timedelta(hours=1))
    first = ask()
    clock.at += timedelta(hours=1)
    made = many(reddit, new, clock.at)
    second = ask(first.cursor)
    assert set(made) <= set(second.refs)
    assert (second.unheard, second.error) == ([], None)
    assert paths(reddit).count("/r/PortAlder/new") == 2 + new // 100 + 1


def test_a_place_moves_only_with_the_last_page(reddit: FakeReddit, ask: Any, clock: Any) -> None:
    made = many(reddit, 250, clock.at)
    reddit.fail_next(Status(503), times=None, on="/new", after=1)
    first = ask()
    assert isinstance(first.error, TryLater)
    assert (len(first.posts), first.cursor) == (100, {})
    reddit.heal()
    assert set(made) == set(ask(first.cursor).refs)


def test_more_than_a_listing_holds_is_told(reddit: FakeReddit, ask: Any, clock: Any) -> None:
    many(reddit, 10, clock.at)
    first = ask()
    heard_until = clock.at - timedelta(seconds=1)
    clock.at += timedelta(hours=1)
    made = many(reddit, 1100, clock.at)
    second = ask(first.cursor)
    assert len(second.refs) == 1000
    (gap,) = second.unheard
    assert gap.since == heard_until
    assert gap.until == clock.at - timedelta(seconds=1000)
    assert "1000" in gap.why
    assert made[-1] in second.cursor["new:PortAlder"]["seen"]
    assert ask(second.cursor).unheard == []


def test_the_newest_was_deleted(reddit: FakeReddit, ask: Any, clock: Any) -> None:
    made = many(reddit, 5, clock.at)
    first = ask()
    reddit.delete(made[-1])
    clock.at += timedelta(minutes=5)
    later = reddit.submit(SUB, "brigid later")
    second = ask(first.cursor)
    assert (second.refs[0], second.unheard) == (later, [])


def test_all_that_is_remembered_was_deleted(reddit: FakeReddit, ask: Any, clock: Any) -> None:
    old = many(reddit, 300, clock.at - timedelta(hours=1))
    first = ask()
    for name in old[100:]:
        reddit.delete(name)
    clock.at += timedelta(hours=1)
    made = many(reddit, 150, clock.at)
    second = ask(first.cursor)
    assert set(made) <= set(second.refs)
    assert second.unheard == []


def test_a_post_of_a_watched_place_that_a_search_finds_too_has_one_name(reddit: FakeReddit, ask: Any) -> None:
    here, there = reddit.submit(SUB, "mybrigid down"), reddit.submit("elsewhere", "mybrigid down")
    passed = ask(search=("mybrigid",))
    assert passed.refs == [here, there, here]
    assert set(passed.cursor) == {"new:PortAlder", "comments:PortAlder", "search:mybrigid"}
    query = reddit.seen("/search")[0].query
    assert (query["sort"], query["t"], query["q"]) == ("new", "week", "mybrigid")


def test_a_listing_that_is_no_longer_watched_is_forgotten(reddit: FakeReddit, ask: Any) -> None:
    reddit.submit(SUB, "brigid")
    first = ask(search=("mybrigid",))
    assert set(ask(first.cursor, subreddits=(), search=("mybrigid",)).cursor) == {"search:mybrigid"}


# what Reddit refuses


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Status(400), NeedsPerson, "refused"),
        (Status(400, {"message": "no", "error": 400}), NeedsPerson, "refused"),
        (Status(401), NeedsPerson, "REDDIT_CLIENT_ID"),
        (Status(403), NeedsPerson, "private"),
        (Status(404), NeedsPerson, "does not exist"),
        (Status(302, "", {"location": "/elsewhere"}), NeedsPerson, "does not exist"),
        (Status(418), TryLater, "418"),
        (Status(500), TryLater, "500"),
        (Status(503), TryLater, "503"),
        (NotJson(), TryLater, "not JSON"),
        (Reset(), TryLater, "ConnectionError"),
        (DropAfter(), TryLater, "ConnectionError"),
        (RateLimited(), TryLater, "429"),
    ],
    ids=str,
)
def test_trouble_becomes_its_remedy(
    reddit: FakeReddit, ask: Any, fault: Any, kind: type[Exception], words: str
) -> None:
    post = reddit.submit(SUB, "brigid")
    reddit.rate_headers = False
    reddit.fail_next(fault, times=None)
    passed = ask()
    assert isinstance(passed.error, kind)
    assert words in str(passed.error)
    assert passed.posts == []
    reddit.heal()
    assert ask(passed.cursor).refs == [post]


@pytest.mark.parametrize(
    ("access", "words"), [("private", "'new:closed'"), ("banned", "'comments:closed'"), (None, "does not exist")]
)
def test_a_closed_subreddit_does_not_silence_the_searches(
    reddit: FakeReddit, ask: Any, access: Any, words: str
) -> None:
    found = reddit.submit("elsewhere", "mybrigid")
    if access:
        reddit.add_subreddit("closed", access)
    passed = ask(subreddits=("closed",), search=("mybrigid",))
    assert passed.refs == [found]
    assert isinstance(passed.error, NeedsPerson)
    assert words in str(passed.error)


def test_a_wrong_search_is_named_and_the_next_one_is_still_asked(reddit: FakeReddit, ask: Any) -> None:
    found = reddit.submit("elsewhere", "mybrigid")
    passed = ask(subreddits=(), search=('"open', "mybrigid"))
    assert passed.refs == [found]
    assert 'search:"open' in str(passed.error)


def test_wrong_secrets(reddit: FakeReddit, ask: Any) -> None:
    passed = ask(secrets={**SECRETS, "REDDIT_CLIENT_SECRET": "wrong-secret"})
    assert isinstance(passed.error, NeedsPerson)
    assert "REDDIT_CLIENT_SECRET" in str(passed.error)
    assert "wrong-secret" not in str(passed.error)


@pytest.mark.parametrize("fault", [Status(503), Reset(), NotJson()], ids=str)
def test_no_token_today(reddit: FakeReddit, ask: Any, fault: Any) -> None:
    reddit.submit(SUB, "brigid")
    reddit.fail_next(fault, times=None, on=TOKEN_PATH)
    assert "gave" not in str(ask().error)
    reddit.heal()
    assert len(ask().posts) == 1


def test_a_server_that_does_not_answer_is_given_up(
    reddit: FakeReddit, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector, "_TIMEOUT", 0.1)
    reddit.fail_next(Stall(30), times=None)
    before = time.monotonic()
    passed = ask()
    assert isinstance(passed.error, TryLater)
    assert "Timeout" in str(passed.error)
    assert time.monotonic() - before < 3


# the rate limit


@pytest.mark.parametrize(
    "headers",
    [
        {"x-ratelimit-remaining": "99.0", "x-ratelimit-used": "1", "x-ratelimit-reset": "300"},
        {"x-ratelimit-remaining": "99.0"},
        {"x-ratelimit-remaining": "99.0", "x-ratelimit-used": "1.0", "x-ratelimit-reset": "300.5"},
        {"x-ratelimit-remaining": "many", "x-ratelimit-used": "", "x-ratelimit-reset": "soon"},
        {},
    ],
    ids=["all three", "one", "fractions", "words", "none"],
)
def test_rate_headers_of_every_kind(
    reddit: FakeReddit, ask: Any, headers: dict[str, str], at_once: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    post = reddit.submit(SUB, "brigid")
    monkeypatch.setattr(reddit, "_rate_headers", lambda: headers)
    passed = ask()
    assert (passed.refs, passed.error, at_once) == ([post], None, [])


@pytest.mark.parametrize(("reset", "waits"), [(120, 120), (0, 1), (99999, 600)])
def test_a_used_up_limit_is_told_and_not_slept(
    reddit: FakeReddit, ask: Any, at_once: list[float], reset: int, waits: int
) -> None:
    reddit.submit(SUB, "brigid")
    reddit.remaining, reddit.reset = 0.0, reset
    before = datetime.now(UTC)
    passed = ask()
    assert len(passed.posts) == 1  # what was answered is kept
    assert isinstance(passed.error, TryLater)
    assert passed.error.at is not None
    assert abs((passed.error.at - before).total_seconds() - waits) < 2
    assert paths(reddit) == ["/r/PortAlder/new"]
    if waits > 1:
        again = ask(passed.cursor)
        assert isinstance(again.error, TryLater)
        assert len(paths(reddit)) == 1  # nobody was asked
    assert at_once == []


@pytest.mark.parametrize(
    ("said", "waits"), [(7, 7), ("7.5", 7.5), (None, None), ("Wed, 18 Nov", None), ("9" * 30, None)]
)
def test_a_429_says_when(reddit: FakeReddit, ask: Any, said: Any, waits: float | None) -> None:
    reddit.fail_next(RateLimited(retry_after=said))
    before = datetime.now(UTC)
    error = ask().error
    assert isinstance(error, TryLater)
    if waits is None:
        assert error.at is None
    else:
        assert error.at is not None
        assert abs((error.at - before).total_seconds() - waits) < 2


# the connection


def client_of(reddit: FakeReddit) -> praw.Reddit:
    client = collector._reddit("test-client", "test-secret", reddit.base_url)
    client.read_only = True
    return client


@pytest.mark.parametrize("fault", [Status(503), Status(500), Reset(), DropAfter()], ids=str)
def test_what_is_written_is_sent_once(reddit: FakeReddit, fault: Any) -> None:
    post = reddit.submit(SUB, "brigid")
    comment: Any = next(iter(client_of(reddit).info(fullnames=[reddit.comment(post)])))
    reddit.fail_next(fault, on="/api/comment", times=None)
    with pytest.raises(prawcore.RequestException) as caught:
        comment.reply("hello")
    assert "outcome unknown" in str(caught.value.original_exception)
    assert len(reddit.seen("/api/comment")) == 1


def test_reading_is_tried_again(reddit: FakeReddit, ask: Any) -> None:
    post = reddit.submit(SUB, "brigid")
    reddit.fail_next(Status(503), times=2)
    assert ask().refs == [post]


def test_a_token_serves_every_pass_and_its_end_is_no_trouble(reddit: FakeReddit, ask: Any) -> None:
    reddit.submit(SUB, "brigid")
    first = ask()
    ask(first.cursor)
    assert len(reddit.seen(TOKEN_PATH)) == 1
    reddit.expire_tokens()
    assert ask(first.cursor).error is None
    assert len(reddit.seen(TOKEN_PATH)) == 2


def test_nothing_but_reddit_is_asked(reddit: FakeReddit) -> None:
    """praw looks for newer versions of itself unless told not to; the guard of the suite would see it."""
    client = client_of(reddit)
    assert client.config.check_for_updates is False
    assert reddit.requests == []


def test_it_says_who_it_is(reddit: FakeReddit, ask: Any) -> None:
    reddit.submit(SUB, "brigid")
    ask()
    assert all(request.headers["user-agent"].startswith("linux:org.call-light") for request in reddit.requests)


def test_secrets_are_in_no_log(reddit: FakeReddit, ask: Any, caplog: pytest.LogCaptureFixture) -> None:
    reddit.submit(SUB, "brigid")
    with caplog.at_level(logging.DEBUG):
        ask()
    token = reddit.requests[-1].headers["authorization"].split()[1]
    assert "test-secret" not in caplog.text
    assert token not in caplog.text


# settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"on": True},
        {"subreddits": ("r/PortAlder",)},
        {"subreddits": ("Port Alder",)},
        {"search": ("",)},
    ],
    ids=str,
)
def test_settings_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        collector.Settings(**wrong)
