"""Watched subreddits, searches and the hospital's own comments, against a server that speaks Reddit's protocol."""

import logging
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import praw
import prawcore
import pytest
from conftest import PROJECT
from fakes.reddit import HOSPITAL, TOKEN_PATH, FakeReddit
from fakes.server import Answer, BrokenShape, DropAfter, NotJson, RateLimited, Reset, Stall, Status
from prawcore.sessions import FiniteRetryStrategy
from pydantic import ValidationError

from config.load import ConfigError, load
from config.schema import Config
from listener.collect import settings_of_all
from listener.collectors import reddit as collector
from listener.errors import AskedToWait, NeedsPerson, TryLater
from listener.post import Asking, Page, Ref

SUB = "PortAlder"
SECRETS = {"REDDIT_CLIENT_ID": "test-client", "REDDIT_CLIENT_SECRET": "test-secret"}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch, asleep: Callable[[str], list[float]]) -> list[float]:
    """prawcore waits up to two seconds between tries; nothing else may sleep at all."""
    collector._connected.cache_clear()  # a port may come again, and with it what an earlier test left
    monkeypatch.setattr(FiniteRetryStrategy, "_sleep_seconds", lambda self: None)
    return asleep("prawcore.rate_limit")


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
        "quotes": None,
        "place": None,
        "rating": None,
        "reach": None,
        "about_us": False,
        "own": False,
    }
    assert (two.ref, two.text, two.author, two.thread, two.answers) == (comment, "same here", "bob", post, post)
    assert two.url == f"{address}{comment[3:]}/"


def test_a_crosspost_quotes_the_post_that_it_shows(reddit: FakeReddit, ask: Any) -> None:
    shown = reddit.submit("elsewhere", "MyBrigid is down", "since monday")
    made = reddit.submit(SUB, "Has anyone else seen this?", crosspost_of=shown)
    (post,) = ask().posts
    assert (post.ref, post.text, post.quotes, post.answers) == (made, "Has anyone else seen this?", shown, None)


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
    [
        *(("created_utc", None), ("created_utc", "soon"), ("created_utc", 1e30), ("permalink", None)),
        *(("selftext", 5), ("author", 5), ("author", {}), ("edited", "soon"), ("link_id", 7)),
        *(("crosspost_parent", []), ("title", ["brigid"])),
    ],
)
def test_a_malformed_post_is_named_and_the_others_go_on(reddit: FakeReddit, ask: Any, field: str, value: Any) -> None:
    bad, good = reddit.submit(SUB, "brigid", "one"), reddit.submit(SUB, "brigid", "two")
    shown = [reddit._shown(reddit._things[name]) for name in (bad, good)]
    shown[0]["data"][field] = value
    reddit.fail_next(BrokenShape({"kind": "Listing", "data": {"children": shown, "after": None}}))
    passed = ask()
    assert (passed.refs, len(passed.skipped), passed.error) == ([good], 1, None)
    assert passed.skipped[0].startswith(f"reddit:{bad}: ")
    assert "brigid" not in passed.skipped[0]


@pytest.mark.parametrize("item", [None, 5, "t3_x", {}, {"kind": "t3"}, {"kind": "t3", "data": {}}], ids=str)
def test_what_is_no_post_at_all_is_named_and_the_others_go_on(reddit: FakeReddit, ask: Any, item: Any) -> None:
    good = reddit._shown(reddit._things[reddit.submit(SUB, "brigid")])
    reddit.fail_next(BrokenShape({"kind": "Listing", "data": {"children": [item, good], "after": None}}))
    passed = ask()
    assert (passed.texts, len(passed.skipped), passed.error) == (["brigid"], 1, None)
    assert passed.skipped[0].startswith("reddit:")
    assert passed.cursor["new:PortAlder"]["seen"] == [good["data"]["name"]]


def test_an_edit_comes_again_with_its_time(reddit: FakeReddit, ask: Any, clock: Any) -> None:
    post = reddit.submit(SUB, "brigid", "before", at=clock.at - timedelta(hours=1))
    first = ask()
    reddit.edit(post, "after")
    clock.at += timedelta(minutes=2)
    (again,) = ask(first.cursor).posts
    assert (again.ref, again.text) == (post, "brigid\n\nafter")
    assert again.edited_at == clock.at - timedelta(minutes=2)


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
    assert (query["sort"], query["t"], query["q"]) == ("new", "all", "mybrigid")
    assert query["restrict_sr"] == "False"


def test_a_listing_that_is_no_longer_watched_is_forgotten(reddit: FakeReddit, ask: Any) -> None:
    reddit.submit(SUB, "brigid")
    first = ask(search=("mybrigid",))
    assert set(ask(first.cursor, subreddits=(), search=("mybrigid",)).cursor) == {"search:mybrigid"}


@pytest.mark.deep
def test_ten_thousand_posts_in_passes(reddit: FakeReddit, ask: Any, clock: Any) -> None:
    """More than a listing holds, but never more between two passes."""
    cursor: dict[str, Any] = {}
    made: list[str] = []
    heard: set[str] = set()
    for count in (850, 1, 999, *[900] * 9, 50):
        clock.at += timedelta(hours=1)
        made += many(reddit, count, clock.at)
        passed = ask(cursor)
        assert (passed.error, passed.unheard) == (None, [])
        heard |= set(passed.refs)
        cursor = passed.cursor
    assert len(made) == 10_000
    assert heard == set(made)


def test_a_search_hears_what_was_posted_while_nobody_asked(reddit: FakeReddit, ask: Any, clock: Any) -> None:
    reddit.submit("elsewhere", "mybrigid down")
    first = ask(subreddits=(), search=("mybrigid",))
    clock.at += timedelta(days=20)
    made = reddit.submit("elsewhere", "mybrigid down again", at=clock.at - timedelta(days=15))
    assert made in ask(first.cursor, subreddits=(), search=("mybrigid",)).refs


def test_more_than_a_search_gives_is_told(
    reddit: FakeReddit, ask: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fakes.reddit.LISTING_MAX", 245)
    many(reddit, 10, clock.at)
    first = ask(subreddits=(), search=("brigid",))
    clock.at += timedelta(hours=1)
    many(reddit, 300, clock.at)
    (gap,) = ask(first.cursor, subreddits=(), search=("brigid",)).unheard
    assert gap.until == clock.at - timedelta(seconds=245)


def test_what_each_search_and_subreddit_brought(reddit: FakeReddit, ask: Any, clock: Any) -> None:
    """Of several subreddits Reddit leaves out the private one without a word."""
    reddit.comment(reddit.submit("portalder", "mybrigid"), None, "same here")
    reddit.submit("closed", "brigid")
    reddit.add_subreddit("closed", "private")
    passed = ask(subreddits=(SUB, "closed"), search=("mybrigid", "brigidcares"))
    assert passed.error is None
    assert [page.matched for page in passed.pages] == [
        {"r/PortAlder": 1, "r/closed": 0},
        {"r/PortAlder": 1, "r/closed": 0},
        {"mybrigid": 1},
        {"brigidcares": 0},
    ]


# clocks


def test_a_cursor_from_the_future_does_not_make_it_deaf(reddit: FakeReddit, ask: Any, clock: Any) -> None:
    clock.at += timedelta(days=30)
    reddit.submit(SUB, "brigid")
    ahead = ask()
    clock.at -= timedelta(days=30)
    made = many(reddit, 250, clock.at)
    passed = ask(ahead.cursor)
    assert (sorted(passed.refs), passed.unheard, passed.error) == (sorted(made), [], None)
    later = reddit.submit(SUB, "brigid later")
    assert later in ask(passed.cursor).refs


# answers of another shape


@pytest.mark.parametrize(
    "body",
    [
        *({}, [], None, 5, [1, {"odd": None}], {"error": 404, "message": "Not Found"}, {"kind": "Listing"}),
        *({"kind": "t3", "data": {"children": []}}, {"kind": "Listing", "data": None}),
        *({"kind": "Listing", "data": {"after": None}}, {"kind": "Listing", "data": {"children": None}}),
        {"kind": "Listing", "data": {"children": [], "after": 5}},
    ],
    ids=str,
)
def test_an_answer_of_another_shape_is_not_taken_for_the_last_page(
    reddit: FakeReddit, ask: Any, look: Any, clock: Any, body: Any
) -> None:
    made = many(reddit, 150, clock.at)
    reddit.fail_next(BrokenShape(body), after=1)
    passed = ask()
    assert isinstance(passed.error, TryLater)
    assert "shape" in str(passed.error)
    assert (len(passed.refs), passed.cursor) == (100, {})
    assert set(made) <= set(ask(passed.cursor).refs)
    reddit.fail_next(BrokenShape(body))
    with pytest.raises(TryLater, match="shape"):  # and not for "none of these is there"
        look(made[:3])


def test_an_empty_page_that_goes_on_is_not_the_end(
    reddit: FakeReddit, ask: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = many(reddit, 150, clock.at)
    whole = reddit._listing

    def hollow(things: list[Any], query: dict[str, str]) -> Answer:
        """All of the second hundred was taken out by Reddit's filters."""
        answer = whole(things, query)
        if query.get("after") == made[50] and things:
            answer.body["data"] |= {"children": [], "after": made[40]}
        return answer

    monkeypatch.setattr(reddit, "_listing", hollow)
    passed = ask()
    assert [len(page.posts) for page in passed.pages] == [100, 0, 40, 0]
    assert passed.error is None


@pytest.mark.parametrize("children", [True, False])
def test_a_listing_that_leads_to_itself_does_not_turn_for_ever(reddit: FakeReddit, ask: Any, children: bool) -> None:
    made = reddit._shown(reddit._things[reddit.submit(SUB, "brigid")])
    reddit.fail_next(
        BrokenShape({"kind": "Listing", "data": {"children": [made] * children, "after": "t3_round"}}), times=None
    )
    passed = ask()
    assert isinstance(passed.error, TryLater)
    assert "does not end" in str(passed.error)
    assert len(paths(reddit)) == 25
    assert passed.cursor == {}


# the hospital's own comments


@pytest.fixture
def own(reddit: FakeReddit, config: Config, one_pass: Callable[..., Any]) -> Callable[..., Any]:
    """One pass over the comments of the hospital's account."""

    def run(cursor: dict[str, Any] | None = None, account: str = HOSPITAL) -> Any:
        accounts = config.hospital.accounts.model_copy(update={"reddit": account})
        hospital = config.hospital.model_copy(update={"accounts": accounts})

        def fetch(settings: Any, cursor: Any, asking: Asking) -> Any:
            return collector.own_replies(settings, cursor, replace(asking, hospital=hospital))

        settings = collector.Settings(subreddits=(SUB,), base_url=reddit.base_url)
        return one_pass(SimpleNamespace(fetch=fetch), settings, cursor or {}, secrets=SECRETS)

    return run


def test_own_replies_are_heard_wherever_they_are(reddit: FakeReddit, own: Any, clock: Any) -> None:
    asked = reddit.submit("elsewhere", "mybrigid down")
    comment = reddit.comment(asked, None, "for hours", "bob")
    first = reddit.comment(asked, None, "Thank you, please call us.", HOSPITAL, at=clock.at - timedelta(minutes=9))
    second = reddit.comment(asked, comment, "You too.", HOSPITAL)
    passed = own()
    assert [(post.ref, post.answers, post.thread) for post in passed.posts] == [
        (second, comment, asked),
        (first, asked, asked),
    ]
    assert {post.author for post in passed.posts} == {HOSPITAL}
    assert paths(reddit) == [f"/user/{HOSPITAL}/comments"]
    assert passed.pages[0].matched == {}
    clock.at += timedelta(minutes=2)
    third = reddit.comment(asked, comment, "And you.", HOSPITAL)
    assert own(passed.cursor).refs[0] == third


def test_an_account_without_comments_and_no_account(reddit: FakeReddit, own: Any) -> None:
    reddit.add_account(HOSPITAL)
    assert (own().refs, own().error, len(own().pages)) == ([], None, 1)
    asked = len(reddit.requests)
    assert (own(account="").pages, own(account="").error) == ([], None)
    assert len(reddit.requests) == asked


@pytest.mark.parametrize("state", ["suspended", None])
def test_an_account_that_cannot_be_seen(reddit: FakeReddit, own: Any, state: Any) -> None:
    if state:
        reddit.add_account(HOSPITAL, state)
    error = own().error
    assert isinstance(error, NeedsPerson)
    assert "accounts.reddit in hospital.toml" in str(error)
    assert HOSPITAL in str(error)


def test_another_account_starts_anew(reddit: FakeReddit, own: Any, clock: Any) -> None:
    asked = reddit.submit(SUB, "brigid", at=clock.at - timedelta(hours=2))
    reddit.comment(asked, None, "Thank you.", HOSPITAL)
    first = own()
    answered = reddit.comment(asked, None, "Thank you.", "Brigid_Care", at=clock.at - timedelta(hours=1))
    second = own(first.cursor, "Brigid_Care")
    assert second.refs == [answered]
    assert set(second.cursor) == {"user:Brigid_Care"}


# looking again


@pytest.fixture
def look(reddit: FakeReddit, asking: Callable[..., Asking]) -> Callable[[list[str]], Page]:
    """What Reddit says of these posts."""

    def run(refs: list[str]) -> Page:
        settings = collector.Settings(subreddits=(SUB,), base_url=reddit.base_url)
        return collector.lookup(settings, refs, asking(SECRETS))

    return run


def test_what_became_of_kept_posts(reddit: FakeReddit, look: Any, clock: Any) -> None:
    posts = [reddit.submit(SUB, "brigid", f"text {n}", at=clock.at - timedelta(days=1)) for n in range(5)]
    comments = [reddit.comment(posts[0], None, f"text {n}") for n in range(3)]
    reddit.edit(posts[1], "My dad collapsed")
    reddit.delete(posts[2])
    reddit.delete(posts[3], by="moderator")
    reddit.delete(posts[4], by="nowhere")
    reddit.delete(comments[1])
    reddit.delete(comments[2], by="moderator")
    page = look([*posts, *comments])
    assert {post.ref: post.text for post in page.posts} == {
        posts[0]: "brigid\n\ntext 0",
        posts[1]: "brigid\n\nMy dad collapsed",
        comments[0]: "text 0",
    }
    assert page.posts[1].edited_at == clock.at
    assert page.deleted == tuple(Ref("reddit", ref) for ref in (*posts[2:], *comments[1:]))
    assert (page.skipped, paths(reddit)) == ((), ["/api/info/"])


def test_a_hundred_are_looked_for_at_once(reddit: FakeReddit, look: Any, clock: Any) -> None:
    made = many(reddit, 100, clock.at)
    reddit.delete(made[7])
    page = look(made)
    assert (len(page.posts), page.deleted) == (99, (Ref("reddit", made[7]),))
    assert len(paths(reddit)) == 1


@pytest.mark.parametrize(("field", "value"), [("created_utc", None), ("author", ...), ("selftext", ...)])
def test_what_cannot_be_read_is_not_gone(reddit: FakeReddit, look: Any, field: str, value: Any) -> None:
    made = reddit.submit(SUB, "brigid")
    shown = reddit._shown(reddit._things[made])
    shown["data"][field] = value
    shown["data"] = {name: value for name, value in shown["data"].items() if value is not ...}
    reddit.fail_next(BrokenShape({"kind": "Listing", "data": {"children": [shown], "after": None}}))
    page = look([made])
    assert (page.posts, page.deleted, len(page.skipped)) == ((), (), 1)


@pytest.mark.parametrize("item", [None, {"kind": "t3", "data": {"name": None}}, {"kind": "t3", "data": {}}], ids=str)
def test_what_has_no_name_may_be_any_of_them(reddit: FakeReddit, look: Any, item: Any) -> None:
    reddit.fail_next(BrokenShape({"kind": "Listing", "data": {"children": [item], "after": None}}))
    with pytest.raises(TryLater, match="shape"):
        look([reddit.submit(SUB, "brigid")])


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        *((Status(403), NeedsPerson), (Status(404), NeedsPerson), (Status(503), TryLater), (Reset(), TryLater)),
        *((NotJson(), TryLater), (RateLimited(retry_after=60), AskedToWait)),
    ],
    ids=str,
)
def test_uncertain_is_never_gone(reddit: FakeReddit, look: Any, fault: Any, kind: type[Exception]) -> None:
    made = reddit.submit(SUB, "brigid")
    reddit.fail_next(fault, times=None)
    with pytest.raises(kind) as caught:
        look([made])
    assert str(caught.value).startswith("reddit: ")


# what Reddit refuses


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Status(400), NeedsPerson, "refused"),
        (Status(400, {"message": "no", "error": 400}), NeedsPerson, "refused"),
        (Status(401), NeedsPerson, "REDDIT_CLIENT_ID"),
        (Status(403), NeedsPerson, "private"),
        (Status(404), NeedsPerson, "no such name"),
        (Status(402), NeedsPerson, "contract"),
        (Status(302, "", {"location": "/elsewhere"}), NeedsPerson, "no such name"),
        (Status(451), NeedsPerson, "refused"),
        (Status(400, {"odd": None}), TryLater, "shape"),
        (Status(400, ["odd"]), TryLater, "shape"),
        (Status(403, headers={"www-authenticate": 'Bearer error="odd"'}), TryLater, "shape"),
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
    ("access", "words"), [("private", "r/closed"), ("banned", "private, banned"), (None, "no such name")]
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
    assert str(passed.error).count("listening.toml") == 1  # two listings, one mistake


def test_a_wrong_search_is_named_and_the_next_one_is_still_asked(reddit: FakeReddit, ask: Any) -> None:
    found = reddit.submit("elsewhere", "mybrigid")
    passed = ask(subreddits=(), search=('"open', "mybrigid"))
    assert passed.refs == [found]
    assert "'\"open'" in str(passed.error)


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


@pytest.mark.parametrize("token", ["two\nlines", "half a letter \ud800"])
def test_a_token_that_no_request_can_carry_is_not_kept(reddit: FakeReddit, ask: Any, token: str) -> None:
    """It is asked for once for many passes: each of them failed until the service was started again."""
    reddit.submit(SUB, "brigid")
    life = {"access_token": token, "token_type": "bearer", "expires_in": 86_400, "scope": "*"}
    reddit.fail_next(BrokenShape(life), times=None, on=TOKEN_PATH)
    ask()
    reddit.heal()
    ask()
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
    assert time.monotonic() - before < 10


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
    reddit: FakeReddit, ask: Any, clock: Any, at_once: list[float], reset: int, waits: int
) -> None:
    reddit.submit(SUB, "brigid")
    reddit.remaining, reddit.reset = 0.0, reset
    passed = ask()
    assert len(passed.posts) == 1  # what was answered is kept
    assert isinstance(passed.error, AskedToWait)
    until = clock.at + timedelta(seconds=waits)
    assert passed.error.at == until
    clock.at += timedelta(seconds=waits - 1)
    again = ask(passed.cursor)
    assert isinstance(again.error, AskedToWait)
    assert again.error.at == until
    assert paths(reddit) == ["/r/PortAlder/new"]  # nobody was asked
    reddit.remaining = None
    clock.at += timedelta(seconds=1)
    assert ask(passed.cursor).error is None
    assert at_once == []


def test_a_used_up_limit_is_forgotten_when_our_clock_was_wrong(reddit: FakeReddit, ask: Any, clock: Any) -> None:
    reddit.submit(SUB, "brigid")
    clock.at += timedelta(days=2)
    reddit.remaining = 0.0
    assert isinstance(ask().error, AskedToWait)
    reddit.remaining = None
    clock.at -= timedelta(days=2)
    assert ask().error is None


@pytest.mark.parametrize(
    ("said", "reset", "waits"),
    [
        *((7, None, 7), ("7.5", 300, 7.5), (None, None, None), ("Wed, 18 Nov", None, None), ("9" * 30, None, None)),
        *((None, 300, 300), ("Wed, 18 Nov", 300, 300)),
    ],
)
def test_a_429_says_when(
    reddit: FakeReddit, ask: Any, clock: Any, said: Any, reset: int | None, waits: float | None
) -> None:
    reddit.rate_headers = reset is not None
    headers = {} if said is None else {"retry-after": str(said)}
    if reset is not None:
        headers |= {"x-ratelimit-remaining": "0.0", "x-ratelimit-used": "1000", "x-ratelimit-reset": str(reset)}
    reddit.fail_next(Status(429, headers=headers))
    error = ask().error
    assert isinstance(error, AskedToWait)
    assert error.at == (None if waits is None else clock.at + timedelta(seconds=waits))


# the connection


def client_of(reddit: FakeReddit) -> praw.Reddit:
    client: praw.Reddit = collector._connected("test-client", "test-secret", reddit.base_url).reddit
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


@pytest.mark.parametrize("proxy", ["HTTP_PROXY", "ALL_PROXY"])
def test_a_gateway_is_asked_directly(reddit: FakeReddit, ask: Any, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv(proxy, "http://127.0.0.1:9")
    post = reddit.submit(SUB, "brigid")
    assert ask().refs == [post]


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
        {"on": True, "approved": True},
        {"on": True, "subreddits": (SUB,)},
        {"on": True, "approved": False, "subreddits": (SUB,)},
        {"approved": "yes"},
        {"approved": 1},
        {"subreddits": ("r/PortAlder",)},
        {"subreddits": ("Port Alder",)},
        {"search": ("",)},
    ],
    ids=str,
)
def test_settings_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        collector.Settings(**wrong)


@pytest.mark.parametrize("approved", ["", "approved = false\n", "approved = true\n"])
def test_what_reddit_requires_is_said(tmp_path: Path, approved: str) -> None:
    shutil.copytree(PROJECT / "config", tmp_path / "config")
    path = tmp_path / "config" / "listening.toml"
    others, _, _ = path.read_text(encoding="utf-8").partition("[collectors.reddit]")
    path.write_text(f'{others}[collectors.reddit]\non = true\nsubreddits = ["{SUB}"]\n{approved}', encoding="utf-8")
    if "true" in approved:
        assert load(tmp_path / "config", settings_of_all()).collectors["reddit"].on
        return
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "config", settings_of_all())
    (problem,) = caught.value.problems
    assert (problem.key, problem.found) == ("collectors.reddit.approved", "false")
    assert "Responsible Builder Policy" in problem.allowed
    assert "contract" in problem.allowed


def test_what_is_kept_and_for_how_long() -> None:
    settings = collector.Settings()
    assert (settings.keep_for, settings.recheck) == (timedelta(hours=48), timedelta(hours=24))
    assert (settings.every, settings.quiet_after) == (timedelta(minutes=2), timedelta(hours=48))
