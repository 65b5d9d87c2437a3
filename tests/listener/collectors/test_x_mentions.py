"""An account's mentions and replies, read as that account, against a server that checks every signature."""

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from fakes.server import BrokenShape, NotJson, RateLimited, Reset, Stall, Status
from fakes.x import HOSPITAL, FakeX, UserKeys, snowflake
from fakes.x_mentions import secrets_of
from pydantic import ValidationError

from config.schema import Accounts
from listener.collectors import x_mentions as collector
from listener.errors import AskedToWait, NeedsPerson, TryLater
from listener.post import Asking, Page, Ref

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SECRETS = UserKeys("api key+/=", "s3cret/one", "123-access&token", "s3cret two~é")


@pytest.fixture
def x(clock: Any) -> Iterator[FakeX]:
    """X, where the hospital's account has keys with every sign that a signature must escape."""
    with FakeX(now=clock, own_handle=HOSPITAL, user_keys=SECRETS) as fake:
        yield fake


@pytest.fixture
def told(x: FakeX, asking: Callable[..., Asking]) -> Asking:
    return asking(secrets_of(x))


@pytest.fixture
def settings(x: FakeX) -> collector.Settings:
    return collector.Settings(on=True, base_url=x.base_url)


@pytest.fixture
def ask(x: FakeX, settings: collector.Settings, one_pass: Callable[..., Any]) -> Callable[..., Any]:
    """One pass from a cursor."""

    def run(cursor: dict[str, Any] | None = None, **options: Any) -> Any:
        return one_pass(collector, settings, cursor or {}, **{"secrets": secrets_of(x), **options})

    return run


def many(x: FakeX, count: int, start: datetime) -> list[str]:
    """Mentions a second apart from `start` on; their ids, oldest first."""
    return [x.post(f"@{HOSPITAL} {n}", at=start + timedelta(seconds=n)) for n in range(count)]


def replies(settings: collector.Settings, told: Asking, cursor: Any = None) -> list[Page]:
    return list(collector.own_replies(settings, cursor or {}, told))


# what is heard


def test_a_mention_with_all_that_is_known_of_it(x: FakeX, ask: Any, clock: Any) -> None:
    parent = x.post("anyone?", author="Bob", at=clock.at - 2 * HOUR)
    x.user("Ann", name="Ann &amp; Co")
    made = x.post(f"@{HOSPITAL} ER", "Ann", clock.at - HOUR, in_reply_to=parent, quotes=parent, followers=42)
    x.post("not to us")
    (post,) = ask().posts
    assert post.model_dump() == {
        "source": "x",
        "ref": made,
        "text": f"@{HOSPITAL} ER",
        "written_at": clock.at - HOUR,
        "edited_at": None,
        "url": f"https://x.com/Ann/status/{made}",
        "author": "Ann",
        "author_name": "Ann & Co",
        "thread": parent,
        "answers": parent,
        "quotes": parent,
        "place": None,
        "rating": None,
        "reach": 42,
        "about_us": False,
        "own": False,
    }


def test_what_is_asked_for(x: FakeX, ask: Any, clock: Any) -> None:
    many(x, 3, clock.at - HOUR)
    passed = ask()
    me, mentions = x.requests
    assert (me.path, me.query) == ("/2/users/me", {"user.fields": "username,name,public_metrics"})
    assert mentions.path == f"/2/users/{x.user(HOSPITAL)}/mentions"
    assert mentions.query["start_time"] == (clock.at - DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert {name: mentions.query[name] for name in ("max_results", "expansions")} == {
        "max_results": "100",
        "expansions": "author_id",
    }
    assert [(page.reads, page.cost, page.matched) for page in passed.pages] == [
        (3, pytest.approx(0.003), {f"@{HOSPITAL}": 3})
    ]
    assert [page.matched for page in ask(passed.cursor).pages] == [{f"@{HOSPITAL}": 0}]


@pytest.mark.parametrize(("left", "asks"), [(None, "100"), (1000, "100"), (37, "37"), (3, "5")])
def test_the_read_budget_lowers_what_is_asked_for(x: FakeX, ask: Any, left: int | None, asks: str) -> None:
    ask(reads_left=left)
    assert x.requests[-1].query["max_results"] == asks


def test_an_edit_is_the_same_post_later(x: FakeX, ask: Any, clock: Any) -> None:
    made = x.post(f"@{HOSPITAL} before", at=clock.at - 30 * MINUTE)
    first = ask()
    x.edit(made, f"@{HOSPITAL} after", at=clock.at - 5 * MINUTE)
    (post,) = ask(first.cursor).posts
    assert (post.ref, post.text, post.edited_at) == (made, f"@{HOSPITAL} after", clock.at - 5 * MINUTE)


# the cursor


def test_the_next_pass_asks_only_for_what_is_newer(x: FakeX, ask: Any, clock: Any) -> None:
    made = many(x, 3, clock.at - HOUR)
    first = ask()
    assert first.cursor == {
        "account": {"id": x.user(HOSPITAL), "handle": HOSPITAL},
        "place": {"since_id": made[-1], "until": clock.at.isoformat()},
    }
    later = x.post(f"@{HOSPITAL} later")
    assert ask(first.cursor).refs == [later]
    assert [request.path.rpartition("/")[2] for request in x.requests] == ["me", "mentions", "mentions"]


def test_a_429_half_way_is_resumed_there(x: FakeX, ask: Any, clock: Any) -> None:
    made = many(x, 250, clock.at - HOUR)
    x.fail_next(RateLimited(reset=clock() + 900), on="mentions", after=1)
    first = ask()
    assert isinstance(first.error, AskedToWait)
    assert first.error.at == clock.at + 15 * MINUTE
    newest = x.post(f"@{HOSPITAL} while we waited")
    second = ask(first.cursor)
    assert sorted([*first.refs, *second.refs]) == sorted(made)
    assert (x.reads, second.cursor["place"]["since_id"]) == (250, made[-1])
    assert ask(second.cursor).refs == [newest]


def test_a_page_token_that_x_forgot_means_the_first_page_again(x: FakeX, ask: Any, clock: Any) -> None:
    made = many(x, 150, clock.at - HOUR)
    x.fail_next(RateLimited(), on="mentions", after=1)
    first = ask()
    x._tokens.clear()
    second = ask(first.cursor)
    assert (second.error, sorted(second.refs)) == (None, sorted(made))


@pytest.mark.parametrize(("new", "gap"), [(100, False), (700, False), (799, True), (800, True), (900, True)], ids=str)
def test_more_than_800_are_a_gap(x: FakeX, ask: Any, clock: Any, new: int, gap: bool) -> None:
    cursor = ask().cursor
    stopped = clock.at
    clock.at += HOUR
    made = many(x, new, clock.at - 30 * MINUTE)
    passed = ask(cursor)
    assert sorted(passed.refs) == made[-800:]
    assert passed.error is None
    oldest = clock.at - 30 * MINUTE + timedelta(seconds=max(0, new - 800))
    assert [(one.since, one.until) for one in passed.unheard] == ([(stopped, oldest)] if gap else [])
    assert all("800" in one.why for one in passed.unheard)
    assert ask(passed.cursor).unheard == []


def test_a_gap_of_the_first_pass_begins_where_it_begins(x: FakeX, ask: Any, clock: Any) -> None:
    many(x, 900, clock.at - 3 * HOUR)
    (gap,) = ask().unheard
    assert (gap.since, gap.until) == (clock.at - DAY, clock.at - 3 * HOUR + timedelta(seconds=100))


def test_a_gap_is_counted_over_a_rate_limit(x: FakeX, ask: Any, clock: Any) -> None:
    cursor = ask().cursor
    clock.at += HOUR
    many(x, 900, clock.at - 30 * MINUTE)
    x.fail_next(RateLimited(), on="mentions", after=5)
    first = ask(cursor)
    assert (len(first.posts), first.unheard) == (500, [])
    assert len(ask(first.cursor).unheard) == 1


def test_a_gap_is_told_in_the_right_order_whatever_our_clock_says(x: FakeX, ask: Any, clock: Any) -> None:
    """Ours is an hour ahead: what comes now was written before we asked last."""
    (last,) = many(x, 1, clock.at - HOUR)
    cursor = ask().cursor
    made = many(x, 900, clock.at - 50 * MINUTE)
    (gap,) = ask(cursor).unheard
    assert (gap.since, gap.until) == (clock.at - HOUR, clock.at - 50 * MINUTE + timedelta(seconds=100))
    assert last < made[0]


def test_a_gap_is_told_also_if_the_last_page_is_empty(x: FakeX, ask: Any, clock: Any) -> None:
    cursor = ask().cursor
    oldest = clock.at + HOUR
    for page in range(8):
        ids = [snowflake(oldest + timedelta(seconds=100 * (8 - page) - n)) for n in range(100)]
        data = [{"id": id_, "text": "many"} for id_ in ids]
        x.fail_next(BrokenShape({"data": data, "meta": {"result_count": 100, "next_token": f"page {page}"}}))
    x.fail_next(BrokenShape({"meta": {"result_count": 0}}))
    clock.at += 2 * HOUR
    (gap,) = ask(cursor).unheard
    assert gap.until == oldest + timedelta(seconds=1)


def test_a_long_silence_is_no_gap(x: FakeX, ask: Any, clock: Any) -> None:
    """The timeline does not end after seven days."""
    many(x, 1, clock.at - HOUR)
    cursor = ask().cursor
    clock.at += 30 * DAY
    made = many(x, 2, clock.at - 20 * DAY)
    passed = ask(cursor)
    assert (sorted(passed.refs), passed.unheard, passed.error) == (made, [], None)


def test_a_since_id_from_the_future(x: FakeX, ask: Any, clock: Any) -> None:
    cursor = ask().cursor
    made = many(x, 1, clock.at - HOUR)
    future = {"since_id": snowflake(clock.at + 2 * DAY), "until": (clock.at + 2 * DAY).isoformat()}
    assert ask({**cursor, "place": future}).refs == made


# whose account it is


def test_tokens_of_another_account_are_told(x: FakeX, settings: Any, told: Asking) -> None:
    other = told.hospital.model_copy(update={"accounts": Accounts(x="AnotherCares")})
    for hear in (collector.fetch, collector.own_replies):
        with pytest.raises(NeedsPerson) as caught:
            list(hear(settings, {}, replace(told, hospital=other)))
        assert f"of @{HOSPITAL}, but the hospital's account is @AnotherCares" in str(caught.value)
        assert "X_ACCESS_TOKEN" in str(caught.value)


def test_an_account_that_is_named_otherwise_now_is_asked_for_again(x: FakeX, settings: Any, told: Asking) -> None:
    x.post("@OldName hello")
    kept = {"account": {"id": "7", "handle": "OldName"}, "place": {"since_id": snowflake(told.now)}}
    made = x.post(f"@{HOSPITAL} hello")
    (page,) = collector.fetch(settings, kept, told)
    assert [post.ref for post in page.posts] == [made]  # the other account's place is not this one's
    assert page.cursor["account"] == {"id": x.user(HOSPITAL), "handle": HOSPITAL}


@pytest.mark.parametrize("ours", ["", HOSPITAL.lower()])
def test_the_accounts_own_posts_are_own_whatever_hospital_toml_calls_it(
    x: FakeX, settings: Any, told: Asking, ours: str
) -> None:
    named = replace(told, hospital=told.hospital.model_copy(update={"accounts": Accounts(x=ours)}))
    x.post(f"@{HOSPITAL} is us", HOSPITAL)
    x.post(f"@{HOSPITAL} is them", "ann")
    (page,) = collector.fetch(settings, {}, named)
    assert {post.author: post.own for post in page.posts} == {HOSPITAL: True, "ann": False}
    asked = len(x.requests)
    list(collector.fetch(settings, page.cursor, named))
    assert len(x.requests) == asked + 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"data": []},
        {"data": {"id": "5"}},
        {"data": {"username": "a"}},
        {"data": {"id": "../5", "username": "a"}},
        {"data": {"id": "5", "username": 5}},
    ],
    ids=str,
)
def test_an_answer_that_names_no_account(x: FakeX, ask: Any, body: Any) -> None:
    x.fail_next(BrokenShape(body))
    error = ask().error
    assert isinstance(error, TryLater)
    assert "shape" in str(error)


# the account's own replies


def test_own_replies_are_heard_once(x: FakeX, settings: Any, told: Asking, clock: Any) -> None:
    asked_us = x.post(f"@{HOSPITAL}?", "ann", at=clock.at - HOUR)
    later = x.edit(asked_us, f"@{HOSPITAL} ER?", at=clock.at - 50 * MINUTE)
    x.post("Our new wing", HOSPITAL)
    x.post("RT @ann", HOSPITAL, retweet_of=asked_us)
    reply = x.post("Please call us", HOSPITAL, at=clock.at - 30 * MINUTE, in_reply_to=later)
    (page,) = replies(settings, told)
    (post,) = page.posts
    assert (post.ref, post.answers, post.own) == (reply, asked_us, True)
    assert (page.reads, page.cost, page.matched) == (3, pytest.approx(0.003), {})
    assert x.requests[-1].query["exclude"] == "retweets"
    (again,) = replies(settings, told, page.cursor)
    assert again.posts == ()


def test_own_replies_that_nobody_wants(x: FakeX, settings: Any, told: Asking) -> None:
    assert replies(settings.model_copy(update={"own_replies": False}), told) == []
    assert x.requests == []


# looking again


def test_a_lookup_says_what_is_there_and_what_is_gone(x: FakeX, settings: Any, told: Asking) -> None:
    stays, gone, hidden = x.post("one", "ann"), x.post("two"), x.post("three", "shy")
    x.delete(gone)
    x.user("shy", protected=True)
    page = collector.lookup(settings, [stays, gone, hidden], told)
    assert [post.ref for post in page.posts] == [stays]
    assert set(page.deleted) == {Ref("x", gone), Ref("x", hidden)}
    assert (page.reads, page.cost) == (0, 0.005)  # no account's own read


# trouble


@pytest.mark.parametrize("on", ["/2/users/me", "mentions"])
@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Status(400), (NeedsPerson, TryLater), "refused"),
        (Status(401), NeedsPerson, "X_API_KEY and X_API_SECRET and X_ACCESS_TOKEN and X_ACCESS_SECRET"),
        (Status(401), NeedsPerson, "clock"),
        (Status(402), NeedsPerson, "credits"),
        (Status(403), NeedsPerson, "forbids"),
        (Status(404), TryLater, "404"),
        (RateLimited(), AskedToWait, "wait"),
        (Status(503), TryLater, "503"),
        (NotJson(), TryLater, "not JSON"),
        (BrokenShape({"data": 5, "meta": {}}), TryLater, "shape"),
        (Reset(), TryLater, "ConnectionError"),
    ],
    ids=str,
)
def test_trouble_becomes_its_remedy(x: FakeX, ask: Any, on: str, fault: Any, kind: Any, words: str) -> None:
    made = x.post(f"@{HOSPITAL}")
    x.fail_next(fault, on=on)
    passed = ask()
    assert isinstance(passed.error, kind)
    assert str(passed.error).startswith("x_mentions: ")
    assert words in str(passed.error)
    assert ask(passed.cursor).refs == [made]


@pytest.mark.parametrize("wrong", ["X_API_KEY", "X_API_SECRET", "X_ACCESS_TOKEN", "X_ACCESS_SECRET"])
def test_a_wrong_secret_is_told(x: FakeX, ask: Any, wrong: str) -> None:
    error = ask(secrets={**secrets_of(x), wrong: "another-secret"}).error
    assert isinstance(error, NeedsPerson)
    assert wrong in str(error)
    assert "another-secret" not in str(error)


def test_a_server_that_does_not_answer_is_given_up(x: FakeX, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "_TIMEOUT", 0.1)
    x.fail_next(Stall(30))
    assert "Timeout" in str(ask().error)


def test_no_secret_is_in_a_log_or_a_sentence(
    x: FakeX,
    ask: Any,
    settings: Any,
    told: Asking,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = x.post(f"@{HOSPITAL}")
    said = []
    told_back = {"errors": [{"message": " ".join(secrets_of(x).values())}]}
    with caplog.at_level(logging.DEBUG):
        cursor = ask().cursor
        replies(settings, told)
        collector.lookup(settings, [made], told)
        for fault in (Status(400, told_back), Status(401), Status(503, told_back), Reset(), NotJson()):
            x.fail_next(fault)
            said.append(str(ask(cursor).error))
    signatures = re.findall('oauth_signature="([^"]+)"', " ".join(r.headers["authorization"] for r in x.requests))
    assert len(signatures) == len(x.requests)
    assert caplog.records
    everything = " ".join([caplog.text, *said, *capsys.readouterr(), str(cursor)])
    for secret in [*secrets_of(x).values(), *signatures]:
        assert secret not in everything


@pytest.mark.parametrize("keys", [{"first_reach": "8d"}, {"price_per_lookup": -1}, {"queries": ["a"]}])
def test_settings_that_cannot_be(keys: Any) -> None:
    with pytest.raises(ValidationError):
        collector.Settings(**keys)
