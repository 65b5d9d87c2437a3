"""The fake Reddit, driven by praw: what it gives, and what it refuses."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import praw
import praw.exceptions
import prawcore
import pytest
import requests
from prawcore.sessions import FiniteRetryStrategy

from .reddit import TOKEN_PATH, FakeReddit
from .server import DropAfter, NotJson, RateLimited, Reset, Stall, Status

NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
AGENT = "linux:org.example.listener:v1.0 (by /u/owner)"


class Clock:
    """A time that moves when told to."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at.timestamp()


class Hasty(prawcore.Requestor):
    """Waits a twentieth of a second at most, which praw's own settings cannot say."""

    def request(self, *args: Any, timeout: float | None = None, **kw: Any) -> requests.Response:
        return super().request(*args, timeout=0.05, **kw)


@pytest.fixture(autouse=True)
def quick_and_direct(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setattr(FiniteRetryStrategy, "_sleep_seconds", lambda self: None)  # up to two seconds otherwise


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> Iterator[FakeReddit]:
    with FakeReddit(now=clock) as fake:
        yield fake


def client_of(fake: FakeReddit, secret: str = "test-secret", **more: Any) -> praw.Reddit:
    return praw.Reddit(
        client_id="test-client",
        client_secret=secret,
        user_agent=AGENT,
        reddit_url=fake.base_url,
        oauth_url=fake.base_url,
        check_for_updates=False,
        **more,
    )


def names(things: Any) -> list[str]:
    return [thing.fullname for thing in things]


def paths(fake: FakeReddit) -> list[str]:
    return [request.path for request in fake.requests]


# tokens


def test_what_praw_sends_for_a_token(server: FakeReddit) -> None:
    server.submit("health", "One")
    reddit = client_of(server)
    for _ in range(2):
        list(reddit.subreddit("health").new(limit=1))
    assert paths(server) == [TOKEN_PATH, "/r/health/new", "/r/health/new"]
    token = server.requests[0]
    assert token.headers["authorization"].startswith("Basic ")
    assert token.body == {"grant_type": "client_credentials"}
    assert server.requests[1].headers["authorization"].startswith("bearer ")
    assert server.requests[1].headers["user-agent"].startswith(AGENT)
    assert reddit.read_only


def test_a_wrong_secret_is_refused(server: FakeReddit) -> None:
    with pytest.raises(prawcore.ResponseException, match="401"):
        list(client_of(server, "wrong").subreddit("health").new())
    assert paths(server) == [TOKEN_PATH]


def test_a_wrong_password_is_refused(server: FakeReddit) -> None:
    server.submit("health", "One")
    with pytest.raises(prawcore.OAuthException, match="invalid_grant"):
        list(client_of(server, username="test-user", password="wrong").subreddit("health").new())
    assert names(client_of(server, username="test-user", password="test-password").subreddit("health").new())


def test_a_token_ends_and_praw_gets_another(server: FakeReddit, clock: Clock) -> None:
    server.submit("health", "One")
    reddit = client_of(server)
    list(reddit.subreddit("health").new(limit=1))
    clock.at += timedelta(days=1, minutes=1)
    list(reddit.subreddit("health").new(limit=1))
    server.expire_tokens()
    list(reddit.subreddit("health").new(limit=1))
    assert [request.status for request in server.requests] == [200, 200, 401, 200, 200, 401, 200, 200]


def test_a_request_nobody_signed_is_refused(server: FakeReddit) -> None:
    server.submit("health", "One")
    url = f"{server.base_url}/r/health/new"
    assert requests.get(url, headers={"user-agent": AGENT}, timeout=2).status_code == 403
    wrong = requests.get(url, headers={"user-agent": AGENT, "authorization": "bearer wrong"}, timeout=2)
    assert wrong.status_code == 401
    assert "invalid_token" in wrong.headers["www-authenticate"]


def test_a_library_without_a_name_is_turned_away(server: FakeReddit) -> None:
    assert (
        requests.post(server.base_url + TOKEN_PATH, auth=("test-client", "test-secret"), timeout=2).status_code == 429
    )


# listings


def test_praws_objects_need_no_further_request(server: FakeReddit) -> None:
    post = server.submit("Health", "Six hours in the ER", "and nobody came", "ann", at=NOW - timedelta(hours=2))
    reply = server.comment(post, None, "same here", "bob", at=NOW - timedelta(hours=1))
    server.comment(post, reply, "and me", "ann")
    reddit = client_of(server)
    submission = next(iter(reddit.subreddit("health").new()))
    answer, comment = list(reddit.subreddit("health").comments())
    asked = len(server.requests)

    assert (submission.id, submission.name, submission.fullname) == (post[3:], post, post)
    assert (submission.title, submission.selftext) == ("Six hours in the ER", "and nobody came")
    assert (submission.author.name, submission.subreddit.display_name) == ("ann", "Health")
    assert submission.permalink == f"/r/Health/comments/{post[3:]}/six_hours_in_the_er/"
    assert submission.url == "https://www.reddit.com" + submission.permalink
    assert submission.created_utc == (NOW - timedelta(hours=2)).timestamp()
    assert submission.edited is False
    assert submission.removed_by_category is None
    assert (submission.score, submission.num_comments, submission.over_18) == (1, 2, False)
    assert submission.link_flair_text is None
    assert submission.is_self

    assert (comment.id, comment.name, comment.body) == (reply[3:], reply, "same here")
    assert (comment.link_id, comment.parent_id, answer.parent_id) == (post, post, reply)
    assert (comment.author.name, comment.link_title, comment.link_author) == ("bob", submission.title, "ann")
    assert comment.permalink == f"{submission.permalink}{reply[3:]}/"
    assert comment.submission.id == post[3:]
    assert (comment.is_submitter, answer.is_submitter) == (False, True)
    assert len(server.requests) == asked


def test_newest_first_over_several_subreddits(server: FakeReddit) -> None:
    first = server.submit("health", "One", at=NOW - timedelta(hours=3))
    second = server.submit("Boston", "Two", at=NOW - timedelta(hours=1))
    server.submit("cooking", "Three", at=NOW - timedelta(hours=2))
    comment = server.comment(first, None, "yes")
    reddit = client_of(server)
    assert names(reddit.subreddit("boston+health+nowhere").new()) == [second, first]
    assert names(reddit.subreddit("boston+health").comments()) == [comment]
    assert len(names(reddit.subreddit("all").new())) == 3
    assert paths(server)[1:] == ["/r/boston+health+nowhere/new", "/r/boston+health/comments/", "/r/all/new"]


def test_a_page_has_a_hundred_and_a_listing_a_thousand(server: FakeReddit) -> None:
    made = [server.submit("health", str(n), at=NOW - timedelta(minutes=2000 - n)) for n in range(1010)]
    got = names(client_of(server).subreddit("health").new(limit=None))
    assert got == made[:9:-1]
    listed = server.seen("/r/health/new")
    assert [request.query["limit"] for request in listed] == ["1024"] * 10
    assert [request.query.get("after") for request in listed[:2]] == [None, got[99]]


def test_before_gives_what_came_since_and_nothing_once_its_anchor_is_gone(server: FakeReddit) -> None:
    made = [server.submit("health", str(n), at=NOW - timedelta(minutes=9 - n)) for n in range(6)]
    health = client_of(server).subreddit("health")

    def since(anchor: str, limit: int = 100) -> list[str]:
        return names(health.new(limit=limit, params={"before": anchor}))

    assert since(made[2]) == [made[5], made[4], made[3]]
    assert since(made[2], 2)[0] == made[4]  # the nearest ones, not the newest
    server.delete(made[2])
    assert since(made[2]) == []
    assert names(health.new(params={"after": made[2]})) == []
    assert names(health.new()) == [made[5], made[4], made[3], made[1], made[0]]


@pytest.mark.parametrize(
    ("access", "raised"),
    [("private", prawcore.Forbidden), ("banned", prawcore.NotFound), (None, prawcore.Redirect)],
)
def test_subreddits_that_may_not_be_seen(server: FakeReddit, access: Any, raised: type[Exception]) -> None:
    if access:
        server.submit("closed", "secret")
        server.add_subreddit("closed", access)
    reddit = client_of(server)
    with pytest.raises(raised):
        list(reddit.subreddit("closed").new())
    assert names(reddit.subreddit("closed+health").new()) == []


# deletions and edits


def test_what_becomes_of_deleted_things(server: FakeReddit) -> None:
    posts = [server.submit("health", f"Title {n}", "text", "ann") for n in range(4)]
    comment = server.comment(posts[0], None, "body", "bob")
    removed = server.comment(posts[0], None, "body", "bob")
    server.delete(posts[1])
    server.delete(posts[2], by="moderator")
    server.delete(posts[3], by="nowhere")
    server.delete(comment)
    server.delete(removed, by="moderator")
    reddit = client_of(server)
    assert names(reddit.subreddit("health").new()) == [posts[0]]
    assert names(reddit.subreddit("health").comments()) == []
    assert names(reddit.subreddit("all").search("Title", sort="new")) == [posts[0]]
    found: dict[str, Any] = {thing.fullname: thing for thing in reddit.info(fullnames=[*posts, comment, removed])}
    asked = len(server.requests)
    assert list(found) == [*posts[:3], comment, removed]
    assert found[posts[1]].author is None
    assert found[posts[2]].author is None
    assert (found[posts[1]].selftext, found[posts[1]].removed_by_category) == ("[deleted]", "deleted")
    assert (found[posts[2]].selftext, found[posts[2]].removed_by_category) == ("[removed]", "moderator")
    assert (found[comment].author, found[comment].body) == (None, "[deleted]")
    assert found[removed].body == "[removed]"
    assert len(server.requests) == asked


def test_an_edit_shows_when(server: FakeReddit, clock: Clock) -> None:
    post = server.submit("health", "One", "before")
    clock.at += timedelta(hours=1)
    server.edit(post, "after")
    found: Any = next(iter(client_of(server).info(fullnames=[post])))
    assert (found.selftext, found.edited) == ("after", clock())


def test_info_takes_a_hundred_at_a_time(server: FakeReddit) -> None:
    made = [server.submit("health", str(n)) for n in range(101)]
    assert names(client_of(server).info(fullnames=made)) == made
    assert len(server.seen("/api/info/")) == 2
    headers = {"authorization": server.requests[-1].headers["authorization"], "user-agent": AGENT}
    url = server.base_url + "/api/info"
    more = requests.get(url, params={"id": ",".join(made)}, headers=headers, timeout=2)
    assert len(more.json()["data"]["children"]) == 100


def test_info_hides_what_is_in_a_private_subreddit(server: FakeReddit) -> None:
    made = [server.submit("health", "One"), server.submit("closed", "Two")]
    server.add_subreddit("closed", "private")
    assert names(client_of(server).info(fullnames=made)) == made[:1]


def test_a_crosspost_carries_the_post_that_it_shows(server: FakeReddit) -> None:
    shown = server.submit("boston", "Original", "text")
    server.submit("health", "Look", crosspost_of=shown)
    post: Any = next(iter(client_of(server).subreddit("health").new()))
    assert (post.title, post.selftext, post.crosspost_parent) == ("Look", "", shown)
    assert post.crosspost_parent_list[0]["selftext"] == "text"
    assert "crosspost_parent" not in vars(next(iter(client_of(server).subreddit("boston").new())))


# accounts


def test_the_comments_of_an_account(server: FakeReddit) -> None:
    post = server.submit("health", "One", author="ann")
    first = server.comment(post, None, "one", "StBrigidCares", at=NOW - timedelta(hours=2))
    server.comment(post, first, "two", "ann")
    second = server.comment(server.submit("boston", "Two"), None, "three", "StBrigidCares", at=NOW - timedelta(hours=1))
    server.delete(server.comment(post, None, "gone", "StBrigidCares"))
    assert names(client_of(server).redditor("stbrigidcares").comments.new(limit=10)) == [second, first]
    (request,) = server.seen("/user/")
    assert (request.path, request.query["sort"]) == ("/user/stbrigidcares/comments", "new")


@pytest.mark.parametrize(("state", "raised"), [("suspended", prawcore.Forbidden), (None, prawcore.NotFound)])
def test_accounts_that_cannot_be_seen(server: FakeReddit, state: Any, raised: type[Exception]) -> None:
    if state:
        server.comment(server.submit("health", "One"), None, "one", "StBrigidCares")
        server.add_account("StBrigidCares", state)
    with pytest.raises(raised):
        list(client_of(server).redditor("StBrigidCares").comments.new())


def test_an_account_that_said_nothing(server: FakeReddit) -> None:
    server.add_account("StBrigidCares")
    assert names(client_of(server).redditor("StBrigidCares").comments.new()) == []


# search


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("hospital", True),
        ("HOSPITAL waiting", True),
        ("hospit", False),
        ('"st mary\'s hospital"', True),
        ('"hospital mary"', False),
        ("clinic OR hospital", True),
        ('"urgent care" OR "st mary\'s"', True),
        ("clinic hospital", False),
        ("(clinic OR hospital) AND waiting", True),
        ("hospital NOT waiting", False),
        ("hospital -parking", True),
        ("title:waiting", True),
        ("title:hospital", False),
        ("", False),
    ],
)
def test_searching(server: FakeReddit, query: str, matches: bool) -> None:
    post = server.submit("health", "Waiting again", "At St. Mary's Hospital.")
    server.comment(post, None, query)  # comments are never found
    assert names(client_of(server).subreddit("all").search(query, sort="new")) == ([post] if matches else [])


def test_what_praw_sends_for_a_search(server: FakeReddit) -> None:
    here, there = server.submit("health", "hospital"), server.submit("boston", "hospital")
    reddit = client_of(server)
    assert names(reddit.subreddit("health").search("hospital", sort="new", time_filter="day", limit=100)) == [here]
    assert sorted(names(reddit.subreddit("all").search("hospital"))) == sorted([here, there])
    first, second = server.requests[1:]
    assert (first.path, second.path) == ("/r/health/search/", "/r/all/search/")
    assert first.query == {
        "q": "hospital",
        "restrict_sr": "True",
        "sort": "new",
        "syntax": "lucene",
        "t": "day",
        "limit": "100",
        "raw_json": "1",
    }
    assert (second.query["restrict_sr"], second.query["sort"]) == ("False", "relevance")


def test_a_search_not_restricted_to_its_subreddit_is_of_all(server: FakeReddit) -> None:
    there = server.submit("boston", "hospital")
    server.add_subreddit("health")
    reddit = client_of(server)
    health = reddit.subreddit("health")
    assert names(health.search("hospital", sort="new")) == []
    found: Any = reddit.get("r/health/search/", params={"q": "hospital", "sort": "new"})
    assert names(found) == [there]


def test_only_sort_new_is_newest_first_and_t_bounds_it(server: FakeReddit) -> None:
    made = [server.submit("health", "hospital", at=NOW - timedelta(hours=10 * n)) for n in range(6)]
    health = client_of(server).subreddit("health")
    assert names(health.search("hospital", sort="new")) == made
    assert names(health.search("hospital", sort="new", time_filter="day")) == made[:3]
    by_relevance = names(health.search("hospital"))
    assert sorted(by_relevance) == sorted(made)
    assert by_relevance != made


@pytest.mark.parametrize("query", ['"open', "(open", "shut)"])
def test_a_broken_query_is_refused(server: FakeReddit, query: str) -> None:
    with pytest.raises(praw.exceptions.RedditAPIException):
        list(client_of(server).subreddit("all").search(query))


# limits


def test_the_rate_headers_are_the_kind_prawcore_reads(server: FakeReddit) -> None:
    server.submit("health", "One")
    reddit = client_of(server)
    list(reddit.subreddit("health").new())
    assert reddit.auth.limits["remaining"] == 999
    assert reddit.auth.limits["used"] == 1


def test_nothing_left_makes_the_next_call_sleep(server: FakeReddit, asleep: Any) -> None:
    slept = asleep("prawcore.rate_limit")
    server.submit("health", "One")
    server.remaining, server.reset = 0.0, 120
    reddit = client_of(server)
    list(reddit.subreddit("health").new())
    assert not slept
    list(reddit.subreddit("health").new())
    assert len(slept) == 1
    assert 119 < slept[0] <= 120


def test_the_quota_is_enforced_over_ten_minutes(clock: Clock) -> None:
    with FakeReddit(now=clock, quota=2) as server:
        server.submit("health", "One")
        server.remaining = 100.0  # or prawcore sleeps
        health = client_of(server).subreddit("health")
        for _ in range(2):
            list(health.new())
        with pytest.raises(prawcore.TooManyRequests):
            list(health.new())
        clock.at += timedelta(minutes=10)
        assert len(names(health.new())) == 1


def test_a_429_says_how_long(server: FakeReddit) -> None:
    server.fail_next(RateLimited(retry_after=7))
    with pytest.raises(prawcore.TooManyRequests) as caught:
        list(client_of(server).subreddit("health").new())
    assert caught.value.retry_after == "7"
    assert paths(server) == [TOKEN_PATH, "/r/health/new"]  # not tried again


# faults


@pytest.mark.parametrize(
    ("code", "raised", "tries"),
    [
        (403, prawcore.Forbidden, 1),
        (404, prawcore.NotFound, 1),
        (500, prawcore.ServerError, 3),
        (503, prawcore.ServerError, 3),
    ],
)
def test_statuses(server: FakeReddit, code: int, raised: type[Exception], tries: int) -> None:
    server.fail_next(Status(code), times=None)
    with pytest.raises(raised):
        list(client_of(server).subreddit("health").new())
    assert paths(server) == [TOKEN_PATH] + ["/r/health/new"] * tries


def test_one_503_is_tried_again(server: FakeReddit) -> None:
    post = server.submit("health", "One")
    server.fail_next(Status(503))
    assert names(client_of(server).subreddit("health").new()) == [post]
    assert [request.status for request in server.requests] == [200, 503, 200]


@pytest.mark.parametrize("fault", [Reset(), DropAfter()])
def test_a_dropped_connection_is_tried_thrice(server: FakeReddit, fault: Reset | DropAfter) -> None:
    server.fail_next(fault, times=3)
    with pytest.raises(prawcore.RequestException) as caught:
        list(client_of(server).subreddit("health").new())
    assert isinstance(caught.value.original_exception, requests.ConnectionError)
    assert len(server.seen("/r/health/new")) == 3


def test_a_stall(server: FakeReddit) -> None:
    reddit = client_of(server, requestor_class=Hasty)
    server.fail_next(Stall(30), times=3)
    started = time.monotonic()
    with pytest.raises(prawcore.RequestException) as caught:
        list(reddit.subreddit("health").new())
    assert isinstance(caught.value.original_exception, requests.ReadTimeout)
    server.close()
    assert time.monotonic() - started < 10


def test_a_web_page_instead_of_json(server: FakeReddit) -> None:
    server.fail_next(NotJson())
    with pytest.raises(prawcore.exceptions.BadJSON):
        list(client_of(server).subreddit("health").new())


def test_faults_spare_the_token_unless_they_name_it(server: FakeReddit) -> None:
    server.fail_next(Status(503), on=TOKEN_PATH)
    with pytest.raises(prawcore.ResponseException, match="503"):
        list(client_of(server).subreddit("health").new())
    assert paths(server) == [TOKEN_PATH]


def test_a_read_only_client_may_not_reply(server: FakeReddit) -> None:
    comment = server.comment(server.submit("health", "One"), None, "hello")
    found: Any = next(iter(client_of(server).info(fullnames=[comment])))
    with pytest.raises(praw.exceptions.RedditAPIException, match="USER_REQUIRED"):
        found.reply("hello yourself")
    assert server.requests[-1].path == "/api/comment/"


def test_fetching_what_is_not_served_is_an_error(server: FakeReddit) -> None:
    post = server.submit("health", "One")
    with pytest.raises(prawcore.NotFound):
        client_of(server).submission(post[3:]).title  # noqa: B018
