"""The fake X, driven by tweepy: what it gives, and what it refuses."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import pytest
import requests
import tweepy
from requests.adapters import HTTPAdapter

from .server import (
    Answer,
    BrokenShape,
    DropAfter,
    FakeServer,
    Fault,
    NotJson,
    RateLimited,
    Request,
    Reset,
    Stall,
    Status,
)
from .x import FakeX, UserKeys, query_matches, signature, snowflake

# tweepy itself uses logging's old name for a warning when it meets a parameter it does not know
pytestmark = pytest.mark.filterwarnings("ignore:The 'warn' method is deprecated:DeprecationWarning")

NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)


class LoopbackAdapter(HTTPAdapter):
    """Sends what is meant for X to the fake, with the timeout tweepy never sets."""

    def __init__(self, base: str, timeout: float = 2.0) -> None:
        self._base, self._timeout = urlsplit(base), timeout
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **kw: Any) -> requests.Response:
        url = urlsplit(request.url or "")
        request.url = urlunsplit((self._base.scheme, self._base.netloc, url.path, url.query, ""))
        kw["timeout"], kw["proxies"] = self._timeout, {}
        return super().send(request, *args, **kw)


class Clock:
    """A time that moves when told to."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at.timestamp()


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def x(clock: Clock) -> Iterator[FakeX]:
    with FakeX(now=clock) as fake:
        yield fake


def client_of(fake: FakeX, token: str = "test-bearer", timeout: float = 2.0) -> Any:
    client = tweepy.Client(bearer_token=token, return_type=dict)
    client.session.mount("https://api.twitter.com/", LoopbackAdapter(fake.base_url, timeout))
    return client


def ids_of(answer: dict[str, Any]) -> list[str]:
    return [post["id"] for post in answer.get("data", [])]


def refusal(error: tweepy.HTTPException) -> str:
    """The first message of a 400's body."""
    body = error.response.json()
    assert body["type"] == "https://api.twitter.com/2/problems/invalid-request"
    return str(body["errors"][0]["message"])


# ids and clocks


def test_a_snowflake_carries_the_time_x_puts_in_it() -> None:
    published = 1541815603606036480  # a post X dates 2022-06-28T16:07:40.105Z
    made = int(snowflake(datetime(2022, 6, 28, 16, 7, 40, 105000, tzinfo=UTC)))
    assert made >> 22 == published >> 22
    assert int(snowflake(NOW, 3)) - int(snowflake(NOW)) == 3


def test_a_moment_without_a_time_zone_is_refused(x: FakeX) -> None:
    with pytest.raises(ValueError, match="time zone"):
        x.post("hospital", at=datetime(2026, 11, 18, 9, 0))  # noqa: DTZ001


# what a search gives


def test_only_id_and_text_unless_fields_are_asked(x: FakeX) -> None:
    first = x.post("The hospital lobby", "ann", followers=12)
    bare = client_of(x).search_recent_tweets("lobby")
    assert bare["data"] == [{"id": first, "text": "The hospital lobby", "edit_history_tweet_ids": [first]}]
    assert "includes" not in bare
    asked = client_of(x).search_recent_tweets(
        "lobby",
        tweet_fields=["created_at", "author_id", "lang", "public_metrics", "conversation_id"],
        expansions="author_id",
        user_fields=["public_metrics", "verified"],
    )
    post, user = asked["data"][0], asked["includes"]["users"][0]
    assert post["created_at"] == "2026-11-18T08:59:00.000Z"
    assert post["author_id"] == user["id"] == x.user("ann")
    assert post["conversation_id"] == first
    assert (user["username"], user["public_metrics"]["followers_count"]) == ("ann", 12)
    assert "protected" not in user


def test_tweepys_own_models_take_the_answers(x: FakeX, recwarn: pytest.WarningsRecorder) -> None:
    first = x.post("The hospital lobby")
    client = tweepy.Client(bearer_token="test-bearer")
    client.session.mount("https://api.twitter.com/", LoopbackAdapter(x.base_url))
    found = client.search_recent_tweets("lobby", tweet_fields=["created_at"])
    assert [(str(post.id), post.created_at) for post in found.data] == [(first, NOW - timedelta(minutes=1))]
    assert not recwarn.list


def test_a_long_post_is_cut_and_whole_in_its_note(x: FakeX) -> None:
    whole = "Waiting " + "and waiting " * 40 + "in triage"
    x.post(whole)
    post = client_of(x).search_recent_tweets("triage", tweet_fields="note_tweet")["data"][0]
    assert len(post["text"]) == 280
    assert post["text"].endswith("…")
    assert post["note_tweet"]["text"] == whole
    assert "note_tweet" not in client_of(x).search_recent_tweets("triage")["data"][0]


def test_a_reply_names_what_it_answers(x: FakeX) -> None:
    asked = x.post("Is the clinic open?", "ann")
    answer = x.post("It opens at 8", "bob", in_reply_to=asked)
    post = client_of(x).search_recent_tweets(
        "opens", tweet_fields="conversation_id,referenced_tweets,in_reply_to_user_id", expansions="referenced_tweets.id"
    )
    assert ids_of(post) == [answer]
    assert post["data"][0]["conversation_id"] == asked
    assert post["data"][0]["referenced_tweets"] == [{"type": "replied_to", "id": asked}]
    assert post["data"][0]["in_reply_to_user_id"] == x.user("ann")
    assert [one["id"] for one in post["includes"]["tweets"]] == [asked]


def test_a_quote_names_what_it_quotes(x: FakeX) -> None:
    quoted = x.post("Is the clinic open?", "ann")
    quote = x.post("Good question", "bob", quotes=quoted)
    assert ids_of(client_of(x).search_recent_tweets("clinic", tweet_fields="referenced_tweets")) == [quoted]
    found = client_of(x).search_recent_tweets("question is:quote", tweet_fields="referenced_tweets")["data"][0]
    assert (found["id"], found["referenced_tweets"]) == (quote, [{"type": "quoted", "id": quoted}])


def test_search_shows_the_last_version_of_an_edited_post(x: FakeX) -> None:
    first = x.post("Parking is grate")
    second = x.edit(first, "Parking is great")
    found = client_of(x).search_recent_tweets("parking")
    assert ids_of(found) == [second]
    assert found["data"][0]["edit_history_tweet_ids"] == [first, second]
    old = client_of(x).get_tweets([first])["data"][0]
    assert (old["text"], old["edit_history_tweet_ids"]) == ("Parking is grate", [first, second])
    x.lookup_gives = "latest"
    assert client_of(x).get_tweets([first])["data"][0]["id"] == second


def test_the_last_half_minute_is_not_searched(x: FakeX, clock: Clock) -> None:
    fresh = x.post("just now", at=NOW - timedelta(seconds=5))
    assert ids_of(client_of(x).search_recent_tweets("just")) == []
    clock.at += timedelta(seconds=26)
    assert ids_of(client_of(x).search_recent_tweets("just")) == [fresh]


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("hospital", True),
        ("HOSPITAL waiting", True),
        ("hospit", False),
        ('"waiting room"', True),
        ('"room waiting"', False),
        ("clinic OR hospital", True),
        ("clinic hospital", False),
        ("nowhere hospital OR waiting", True),  # AND binds first
        ("nowhere (hospital OR waiting)", False),
        ("(clinic OR hospital) waiting", True),
        ("hospital -clinic", True),
        ("hospital -waiting", False),
        ('hospital -"waiting room"', False),
        ("@StMarys", True),
        ("@stmary", False),
        ("#ER", True),
        ("from:ann", True),
        ("from:carol", False),
        ("to:bob", True),
        ("hospital lang:en", True),
        ("hospital lang:es", False),
        ("hospital is:reply", True),
        ("hospital -is:reply", False),
        ("hospital -is:retweet", True),
        ("hospital has:links", False),
        ("hospital is:quote", False),
    ],
)
def test_the_query_language(x: FakeX, query: str, matches: bool) -> None:
    asked = x.post("how was it?", "bob")
    x.post("@StMarys the waiting room at that hospital... #er", "ann", in_reply_to=asked)
    found = client_of(x).search_recent_tweets(query, tweet_fields="author_id").get("data", [])
    assert [post["author_id"] for post in found] == ([x.user("ann")] if matches else [])


def test_a_query_without_a_server() -> None:
    assert query_matches("(clinic OR hospital) waiting", "The waiting room at that HOSPITAL")
    assert not query_matches("hospital -waiting", "The waiting room at that hospital")
    with pytest.raises(ValueError, match="missing"):
        query_matches("(hospital", "The waiting room at that hospital")


def test_keywords_find_no_retweets(x: FakeX) -> None:
    original = x.post("The hospital is open", "ann")
    x.post("RT @ann: The hospital is open", "bob", retweet_of=original)
    assert ids_of(client_of(x).search_recent_tweets("hospital")) == [original]


# pages


def all_pages(client: Any, query: str, size: int, **more: Any) -> list[dict[str, Any]]:
    pages = [client.search_recent_tweets(query, max_results=size, **more)]
    while token := pages[-1]["meta"].get("next_token"):
        pages.append(client.search_recent_tweets(query, max_results=size, next_token=token, **more))
    return pages


def test_pages_go_from_new_to_old_with_each_its_own_newest_id(x: FakeX) -> None:
    made = [x.post(f"hospital {n}", at=NOW - timedelta(minutes=60 - n)) for n in range(25)]
    pages = all_pages(client_of(x), "hospital", 10)
    assert [sorted(ids_of(page)) for page in pages] == [made[15:], made[5:15], made[:5]]
    for page in pages:
        numbers = [int(one) for one in ids_of(page)]
        assert page["meta"]["newest_id"] == str(max(numbers))
        assert page["meta"]["oldest_id"] == str(min(numbers))
        assert page["meta"]["result_count"] == len(numbers)
    assert any(ids_of(page) != sorted(ids_of(page), reverse=True) for page in pages)


def test_new_posts_do_not_shift_the_pages_of_a_search_under_way(x: FakeX, clock: Clock) -> None:
    made = [x.post(f"hospital {n}", at=NOW - timedelta(minutes=60 - n)) for n in range(15)]
    first = client_of(x).search_recent_tweets("hospital")
    for n in range(12):
        x.post(f"hospital, later, {n}")
    clock.at += timedelta(days=2)  # tokens do not expire either
    rest = client_of(x).search_recent_tweets("hospital", next_token=first["meta"]["next_token"])
    assert sorted(ids_of(first) + ids_of(rest)) == made


def test_since_id_leaves_out_what_was_seen(x: FakeX) -> None:
    old, new = x.post("hospital", at=NOW - timedelta(hours=2)), x.post("hospital", at=NOW - timedelta(hours=1))
    assert ids_of(client_of(x).search_recent_tweets("hospital", since_id=old)) == [new]
    nothing = client_of(x).search_recent_tweets("hospital", since_id=new)
    assert nothing == {"meta": {"result_count": 0}}


def test_an_empty_page_may_go_on(x: FakeX) -> None:
    made = [x.post(f"hospital {n}", at=NOW - timedelta(minutes=60 - n)) for n in range(12)]
    x.empty_page_next(after=1)
    pages = all_pages(client_of(x), "hospital", 10)
    assert [page["meta"]["result_count"] for page in pages] == [10, 0, 2]
    assert "newest_id" not in pages[1]["meta"]
    assert "data" not in pages[1]
    assert sorted(one for page in pages for one in ids_of(page)) == made


def test_an_empty_page_may_go_on_to_nothing(x: FakeX) -> None:
    x.empty_page_next()
    assert [page["meta"]["result_count"] for page in all_pages(client_of(x), "hospital", 10)] == [0, 0]


def test_a_post_deleted_between_pages_is_not_shown(x: FakeX) -> None:
    made = [x.post(f"hospital {n}", at=NOW - timedelta(minutes=60 - n)) for n in range(12)]
    first = client_of(x).search_recent_tweets("hospital")
    x.delete(made[0])
    rest = client_of(x).search_recent_tweets("hospital", next_token=first["meta"]["next_token"])
    assert ids_of(rest) == [made[1]]


# refusals


@pytest.mark.parametrize("token", ["", "wrong"])
def test_a_wrong_bearer_is_refused(x: FakeX, token: str) -> None:
    with pytest.raises(tweepy.Unauthorized) as caught:
        client_of(x, token or "x").search_recent_tweets("hospital")
    assert caught.value.response.headers["content-type"] == "application/problem+json"
    assert caught.value.response.json()["status"] == 401


@pytest.mark.parametrize(
    ("query", "params", "message"),
    [
        ("hospital", {"max_results": 9}, "not between 10 and 100"),
        ("hospital", {"max_results": 101}, "not between 10 and 100"),
        ("hospital", {"since_id": "12x"}, "^[0-9]{1,19}$"),
        ("hospital", {"since_id": "1" * 20}, "^[0-9]{1,19}$"),
        ("hospital", {"since_id": snowflake(NOW), "start_time": "2026-11-17T00:00:00Z"}, "At most one of"),
        ("hospital", {"start_time": "2026-11-10T00:00:00Z"}, "must be on or after 2026-11-11T09:00Z"),
        ("hospital", {"start_time": "2026-11-18T09:00:00Z"}, "minimum of 10 seconds prior"),
        ("hospital", {"start_time": "yesterday"}, "Invalid date value"),
        ("hospital", {"next_token": "b26v89c19zqg8o3fnothing"}, "is not valid"),
        ("hospital", {"tweet_fields": "author_id,colour"}, "value [colour] is not one of"),
        ("hospital", {"post.fields": "created_at,author_id"}, "value [author_id] is not one of"),
        ("hospital", {"limit": 10}, "The query parameter [limit] is not one of"),
        ("h" * 513, {}, "less than or equal to 512"),
        ("", {}, "can not be empty"),
        ("-hospital", {}, "at least one positive"),
        ("lang:en", {}, "at least one positive"),
        ("is:retweet -lang:en", {}, "at least one positive"),
        ("hospital OR lang:en", {}, "at least one positive"),
        ("hospital -(good OR great)", {}, "negation operator cannot be applied to a group"),
        ("(hospital", {}, "missing ')'"),
        ("hospital)", {}, "extraneous input ')'"),
        ('"hospital', {}, "no viable alternative"),
        ("hospital or clinic", {}, "Ambiguous use of or"),
        ("hospital AND clinic", {}, "Ambiguous use of AND"),
        ("hospital OR", {}, "missing a term"),
        ("hospital near:boston", {}, "invalid operator 'near'"),
    ],
)
def test_what_a_search_refuses(x: FakeX, query: str, params: dict[str, Any], message: str) -> None:
    x.post("hospital")
    with pytest.raises(tweepy.BadRequest) as caught:
        client_of(x).search_recent_tweets(query, **params)
    assert message in refusal(caught.value)
    assert x.reads == 0


def test_512_characters_and_100_results_are_taken(x: FakeX) -> None:
    assert client_of(x).search_recent_tweets("h" * 512, max_results=100)["meta"]["result_count"] == 0


def test_a_since_id_older_than_a_week_is_refused(x: FakeX, clock: Clock) -> None:
    seen = x.post("hospital")
    clock.at += timedelta(days=6, hours=23)
    assert client_of(x).search_recent_tweets("hospital", since_id=seen)["meta"]["result_count"] == 0
    clock.at += timedelta(hours=1)
    with pytest.raises(tweepy.BadRequest) as caught:
        client_of(x).search_recent_tweets("hospital", since_id=seen)
    body = caught.value.response.json()
    assert body["errors"][0]["parameters"] == {"since_id": [seen]}
    assert "'since_id' must be a tweet id created after [2026-11-18T09:00Z]" in refusal(caught.value)


def test_posts_leave_the_search_after_a_week(x: FakeX, clock: Clock) -> None:
    seen = x.post("hospital")
    clock.at += timedelta(days=7)
    assert ids_of(client_of(x).search_recent_tweets("hospital")) == []
    assert ids_of(client_of(x).get_tweets([seen])) == [seen]


def test_either_spelling_of_the_fields(clock: Clock) -> None:
    fields = {"post.fields": "created_at,note_post"}
    with FakeX(now=clock) as x:
        x.post("hospital " * 40)
        both = client_of(x).search_recent_tweets("hospital", **fields)["data"][0]
        assert both.keys() == {"id", "text", "edit_history_tweet_ids", "created_at", "note_post"}
    with FakeX(now=clock, accepts="post") as x:
        x.post("hospital")
        with pytest.raises(tweepy.BadRequest, match=r"\[tweet.fields\] is not one of"):
            client_of(x).search_recent_tweets("hospital", tweet_fields="created_at")
        with pytest.raises(tweepy.BadRequest, match="not one of the renamed ones"):
            client_of(x).search_recent_tweets("hospital", expansions="referenced_tweets.id", **fields)
        renamed = client_of(x).search_recent_tweets("hospital", expansions="author_id", **fields)["data"][0]
        assert renamed.keys() == {"id", "text", "edit_history_post_ids", "created_at", "author_id"}
    with FakeX(now=clock, accepts="tweet") as x, pytest.raises(tweepy.BadRequest):
        client_of(x).search_recent_tweets("hospital", **fields)


def test_the_counted_limit_opens_again_with_its_window(clock: Clock) -> None:
    with FakeX(now=clock, search_limit=2) as x:
        client = tweepy.Client(bearer_token="test-bearer", return_type=requests.Response)
        client.session.mount("https://api.twitter.com/", LoopbackAdapter(x.base_url))
        left = [client.search_recent_tweets("hospital").headers["x-rate-limit-remaining"] for _ in range(2)]
        assert left == ["1", "0"]
        with pytest.raises(tweepy.TooManyRequests) as caught:
            client.search_recent_tweets("hospital")
        assert caught.value.reset_time == int(NOW.timestamp()) + 900
        assert caught.value.response.headers["x-rate-limit-remaining"] == "0"
        clock.at += timedelta(minutes=15)
        assert client.search_recent_tweets("hospital").headers["x-rate-limit-limit"] == "2"


# reads


def test_reads_are_counted_and_run_out(clock: Clock) -> None:
    with FakeX(now=clock, credits=3) as x:
        for n in range(2):
            x.post(f"hospital {n}")
        client = client_of(x)
        client.search_recent_tweets("hospital", expansions="author_id")
        client.search_recent_tweets("hospital")
        assert (x.reads, x.billed_reads, x.user_reads) == (4, 2, 1)
        with pytest.raises(tweepy.HTTPException) as caught:
            client.search_recent_tweets("hospital")
        assert caught.value.response.status_code == 402
        assert caught.value.response.json()["title"] == "CreditsDepleted"
        usage = client.request("GET", "/2/usage/tweets").json()
        assert usage["data"]["project_usage"] == "4"


# the other endpoints


def test_a_lookup_says_what_is_not_there(x: FakeX) -> None:
    there, gone, hidden = x.post("one"), x.post("two"), x.post("three", "shy")
    x.delete(gone)
    x.user("shy", protected=True)
    found = client_of(x).get_tweets([there, gone, hidden], tweet_fields="created_at")
    assert ids_of(found) == [there]
    assert {error["resource_id"]: error["type"].rsplit("/", 1)[-1] for error in found["errors"]} == {
        gone: "resource-not-found",
        hidden: "not-authorized-for-resource",
    }
    assert "data" not in client_of(x).get_tweets([gone])
    assert "errors" not in client_of(x).get_tweets([there])
    with pytest.raises(tweepy.BadRequest, match="not between 1 and 100"):
        client_of(x).get_tweets([there] * 101)


def test_the_mentions_timeline(x: FakeX) -> None:
    own = x.user("hospital")
    made = [x.post(f"@Hospital number {n}", at=NOW - timedelta(minutes=30 - n)) for n in range(7)]
    x.post("hospital, but no mention")
    client = client_of(x)
    first = client.get_users_mentions(own, max_results=5)
    rest = client.get_users_mentions(own, max_results=5, pagination_token=first["meta"]["next_token"])
    assert sorted(ids_of(first)) == made[2:]
    assert sorted(ids_of(rest)) == made[:2]
    assert "next_token" not in rest["meta"]
    assert ids_of(client.get_users_mentions(own, since_id=made[5])) == [made[6]]
    with pytest.raises(tweepy.BadRequest, match="not between 5 and 100"):
        client.get_users_mentions(own, max_results=4)
    with pytest.raises(tweepy.BadRequest, match="is not valid"):  # another endpoint's token
        client.search_recent_tweets("hospital", next_token=first["meta"]["next_token"])


def test_a_timeline_of_mentions_ends_after_800(x: FakeX) -> None:
    own = x.user("hospital")
    made = [x.post(f"@hospital {n}", at=NOW - timedelta(seconds=1000 - n)) for n in range(810)]
    client, token, found = client_of(x), None, list[str]()
    while token or not found:
        page = client.get_users_mentions(own, max_results=100, pagination_token=token)
        found, token = found + ids_of(page), page["meta"].get("next_token")
    assert sorted(found) == made[10:]


@pytest.mark.parametrize(
    ("exclude", "found"), [(None, [0, 1, 2]), ("retweets", [0, 1]), ("replies", [0, 2]), ("replies,retweets", [0])]
)
def test_what_an_account_posted(x: FakeX, exclude: str | None, found: list[int]) -> None:
    asked = x.post("Are you open?", "ann")
    made = [
        x.post("We are open", "hospital", at=NOW - timedelta(minutes=3)),
        x.post("Yes", "hospital", at=NOW - timedelta(minutes=2), in_reply_to=asked),
        x.post("RT @ann: Are you open?", "hospital", at=NOW - timedelta(minutes=1), retweet_of=asked),
    ]
    page = client_of(x).get_users_tweets(x.user("hospital"), exclude=exclude)
    assert sorted(ids_of(page)) == [made[n] for n in found]
    with pytest.raises(tweepy.BadRequest, match="is not one of"):
        client_of(x).get_users_tweets(x.user("hospital"), exclude="quotes")


def test_a_signature_is_made_as_x_makes_it() -> None:
    """The example of X's page "Creating a signature"."""
    params = {
        "include_entities": "true",
        "status": "Hello Ladies + Gentlemen, a signed OAuth request!",
        "oauth_consumer_key": "xvz1evFS4wEEPTGEFPHBog",
        "oauth_nonce": "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg",
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": "1318622958",
        "oauth_token": "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",
        "oauth_version": "1.0",
    }
    secrets = ("kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw", "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE")
    made = signature("POST", "https://api.twitter.com/1.1/statuses/update.json", params, *secrets)
    assert made == "hCtSmYh+iHYCEqBWrE7C7hYmtUk="


def signing(fake: FakeX, keys: UserKeys) -> Any:
    client = tweepy.Client(None, *vars(keys).values(), return_type=dict)
    client.session.mount("https://api.twitter.com/", LoopbackAdapter(fake.base_url))
    return client


def test_tweepys_signatures_are_taken(x: FakeX) -> None:
    client = signing(x, UserKeys())
    assert client.get_me(user_fields="verified,name")["data"]["username"] == "hospital"
    x.post("@hospital [a & b] + c=d, 100% ~ é")
    page = client.get_users_mentions(x.user("hospital"), tweet_fields=["created_at", "author_id"], user_auth=True)
    assert page["meta"]["result_count"] == 1
    assert client.search_recent_tweets('"b c" OR #é (-d OR "100")', user_auth=True)["meta"]["result_count"] == 1


@pytest.mark.parametrize("wrong", ["api_key", "api_secret", "access_token", "access_secret"])
def test_each_of_the_four_keys_counts(x: FakeX, wrong: str) -> None:
    with pytest.raises(tweepy.Unauthorized):
        signing(x, UserKeys(**{wrong: "another"})).get_me()


def test_a_signature_holds_for_one_request_and_its_own_parameters(x: FakeX) -> None:
    signing(x, UserKeys()).get_me(user_fields="name")
    (first,) = x.requests
    for query in ("user.fields=name", "user.fields=verified"):
        headers = {"authorization": first.headers["authorization"]}
        assert requests.get(f"{x.base_url}/2/users/me?{query}", headers=headers, timeout=2).status_code == 401
    x._nonces.clear()
    again = requests.get(f"{x.base_url}/2/users/me?user.fields=name", headers=headers, timeout=2)
    other = requests.get(f"{x.base_url}/2/users/me?user.fields=verified", headers=headers, timeout=2)
    assert (again.status_code, other.status_code) == (200, 401)


@pytest.mark.parametrize(("late", "status"), [(0, 200), (3600, 401), (-3600, 401)])
def test_a_signature_is_of_now(x: FakeX, late: int, status: int) -> None:
    keys = UserKeys()
    oauth = {
        "oauth_consumer_key": keys.api_key,
        "oauth_token": keys.access_token,
        "oauth_nonce": "once",
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(int(time.time()) - late),
        "oauth_version": "1.0",
    }
    made = signature("GET", "https://api.twitter.com/2/users/me", oauth, keys.api_secret, keys.access_secret)
    given = ", ".join(f'{name}="{quote(value)}"' for name, value in {**oauth, "oauth_signature": made}.items())
    answer = requests.get(x.base_url + "/2/users/me", headers={"authorization": f"OAuth {given}"}, timeout=2)
    assert answer.status_code == status


def test_accounts(x: FakeX) -> None:
    known = client_of(x).get_user(username="Hospital", user_fields="verified")
    assert known["data"] == {
        "id": x.user("hospital"),
        "name": "The Hospital",
        "username": "hospital",
        "verified": True,
    }
    assert client_of(x).get_user(username="nobody")["errors"][0]["parameter"] == "username"
    with pytest.raises(tweepy.Forbidden, match="Application-Only is forbidden"):
        client_of(x).get_me(user_auth=False)
    assert client_of(x, "test-user-token").get_me(user_auth=False)["data"]["username"] == "hospital"


def test_an_app_may_not_post(x: FakeX) -> None:
    with pytest.raises(tweepy.Forbidden, match="Application-Only is forbidden"):
        client_of(x).create_tweet(text="hello", user_auth=False)


# faults


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        (Status(400), tweepy.BadRequest),
        (Status(401), tweepy.Unauthorized),
        (Status(402), tweepy.HTTPException),
        (Status(403), tweepy.Forbidden),
        (Status(404), tweepy.NotFound),
        (Status(503), tweepy.TwitterServerError),
        (RateLimited(reset=1795000000), tweepy.TooManyRequests),
        (NotJson(), requests.exceptions.JSONDecodeError),
        (Reset(), requests.ConnectionError),
        (DropAfter(), requests.ConnectionError),
    ],
    ids=lambda value: repr(value) if not isinstance(value, type) else "",
)
def test_a_fault_happens_once(x: FakeX, fault: Fault, raised: type[Exception]) -> None:
    x.post("hospital")
    x.fail_next(fault)
    client = client_of(x)
    with pytest.raises(raised) as caught:
        client.search_recent_tweets("hospital")
    if isinstance(caught.value, tweepy.HTTPException) and isinstance(fault, Status):
        assert caught.value.response.status_code == fault.code
    assert x.reads == (1 if isinstance(fault, DropAfter) else 0)
    assert client.search_recent_tweets("hospital")["meta"]["result_count"] == 1
    assert len(x.requests) == 2  # tweepy tries nothing twice


def test_a_429_with_and_without_a_reset(x: FakeX) -> None:
    x.fail_next(RateLimited(reset=1795000000))
    x.fail_next(RateLimited())
    resets = []
    for _ in range(2):
        with pytest.raises(tweepy.TooManyRequests) as caught:
            client_of(x).search_recent_tweets("hospital")
        resets.append((caught.value.reset_time, "x-rate-limit-remaining" in caught.value.response.headers))
    assert resets == [(1795000000, True), (None, False)]


def test_a_fault_on_the_second_page_only(x: FakeX) -> None:
    for n in range(15):
        x.post(f"hospital {n}")
    x.fail_next(RateLimited(reset=1795000000), on="/search/recent", after=1)
    client = client_of(x)
    client.get_user(username="hospital")
    token = client.search_recent_tweets("hospital")["meta"]["next_token"]
    with pytest.raises(tweepy.TooManyRequests):
        client.search_recent_tweets("hospital", next_token=token)
    assert client.search_recent_tweets("hospital", next_token=token)["meta"]["result_count"] == 5


def test_a_fault_for_chosen_requests_until_healed(x: FakeX) -> None:
    def on(request: Request) -> bool:
        return "clinic" in request.query.get("query", "")

    x.fail_next(Status(503), times=None, on=on)
    client = client_of(x)
    for _ in range(3):
        with pytest.raises(tweepy.TwitterServerError):
            client.search_recent_tweets("clinic")
    assert client.search_recent_tweets("hospital")["meta"] == {"result_count": 0}
    x.heal()
    assert client.search_recent_tweets("clinic")["meta"] == {"result_count": 0}


def test_a_broken_shape_is_given_as_scripted(x: FakeX) -> None:
    x.fail_next(BrokenShape({"data": None}))
    assert client_of(x).search_recent_tweets("hospital") == {"data": None}


def test_a_stalled_request_times_out_and_does_not_hold_up_the_close(clock: Clock) -> None:
    with FakeX(now=clock) as x:
        x.fail_next(Stall(30))
        with pytest.raises(requests.ReadTimeout):
            client_of(x, timeout=0.05).search_recent_tweets("hospital")
        started = time.monotonic()
    assert time.monotonic() - started < 10
    with pytest.raises(requests.ConnectionError):
        client_of(x).search_recent_tweets("hospital")


def test_closing_leaves_no_thread_behind(clock: Clock) -> None:
    before = set(threading.enumerate())
    with FakeX(now=clock) as x, requests.Session() as kept_open:
        kept_open.get(x.base_url, timeout=2)
        x.fail_next(Stall(30))
        with pytest.raises(requests.ReadTimeout):
            client_of(x, timeout=0.05).search_recent_tweets("hospital")
        x.close()
        for thread in set(threading.enumerate()) - before:
            thread.join(0.1)
            assert not thread.is_alive()


def test_a_stall_ends_without_an_answer(x: FakeX) -> None:
    x.fail_next(Stall(0.05))
    with pytest.raises(requests.ConnectionError):
        client_of(x).search_recent_tweets("hospital")


# the server itself


def test_requests_are_recorded(x: FakeX) -> None:
    client_of(x).search_recent_tweets("hospital clinic", max_results=20)
    requests.post(x.base_url + "/2/tweets", json={"text": "hi"}, timeout=2)
    first, second = x.requests
    assert (first.method, first.path) == ("GET", "/2/tweets/search/recent")
    assert first.query == {"query": "hospital clinic", "max_results": "20"}
    assert (first.headers["authorization"], first.status) == ("Bearer test-bearer", 200)
    assert (second.body, second.status) == ({"text": "hi"}, 401)
    assert x.seen("search") == [first]


def test_a_fake_that_breaks_says_so() -> None:
    class Broken(FakeServer):
        def answer(self, request: Request) -> Answer:
            raise KeyError("a mistake in the fake")

    fake = Broken()
    with pytest.raises(AssertionError, match="Broken itself failed"), fake, pytest.raises(requests.ConnectionError):
        requests.get(fake.base_url, timeout=2)
