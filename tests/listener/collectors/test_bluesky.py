"""Bluesky's search, own replies and lookups through atproto, against a server that speaks as Bluesky does."""

import itertools
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fakes.bluesky import HOSPITAL, FakeBluesky, stamp
from fakes.server import BrokenShape, DropAfter, NotJson, RateLimited, Request, Reset, Stall, Status
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from listener.collectors import bluesky as collector
from listener.errors import AskedToWait, NeedsPerson, SkipPost, TryLater
from listener.post import Post

SEARCH, FEED, LOGIN = "searchPosts", "getAuthorFeed", "createSession"
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SECRETS = {"BLUESKY_HANDLE": "@listener.bsky.social", "BLUESKY_APP_PASSWORD": ""}
NUMBERS = itertools.count(1)
DID = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
URI = f"at://{DID}/app.bsky.feed.post/3mabc"


@pytest.fixture
def bluesky(clock: Any) -> Iterator[FakeBluesky]:
    # Another login for each test: they are kept for as long as the process lives.
    SECRETS["BLUESKY_APP_PASSWORD"] = f"abcd-efgh-ijkl-{next(NUMBERS):04d}"
    with FakeBluesky(now=clock) as fake:
        fake.user("listener.bsky.social", password=SECRETS["BLUESKY_APP_PASSWORD"])
        fake.user(HOSPITAL)
        yield fake


def settings(bluesky: FakeBluesky, **more: Any) -> collector.Settings:
    return collector.Settings(**{"on": True, "search": ["brigid"], "base_url": bluesky.base_url, **more})


@pytest.fixture
def ask(bluesky: FakeBluesky, one_pass: Callable[..., Any]) -> Callable[..., Any]:
    """One pass over the fake from a cursor."""

    def run(cursor: dict[str, Any] | None = None, secrets: dict[str, str] = SECRETS, **more: Any) -> Any:
        return one_pass(collector, settings(bluesky, **more), cursor or {}, secrets=secrets)

    return run


@pytest.fixture
def own(bluesky: FakeBluesky, asking: Any) -> Callable[..., Any]:
    """The pages of the hospital's own posts from a cursor."""
    return lambda cursor=None: list(collector.own_replies(settings(bluesky), cursor or {}, asking(SECRETS)))


@pytest.fixture
def look(bluesky: FakeBluesky, asking: Any) -> Callable[..., Any]:
    return lambda refs: collector.lookup(settings(bluesky), refs, asking(SECRETS))


def many(bluesky: FakeBluesky, count: int, start: datetime, step: timedelta = SECOND) -> list[str]:
    return [bluesky.post(f"brigid {n}", at=start + n * step) for n in range(count)]


def view(uri: Any = URI, **more: Any) -> dict[str, Any]:
    """A post as Bluesky shows it."""
    record = {"text": "brigid", "createdAt": "2026-11-18T08:00:00Z"} | more.pop("record", {})
    author = {"did": DID, "handle": "ann.bsky.social"}
    return {"uri": uri, "author": author, "record": record, "indexedAt": "2026-11-18T08:00:01Z"} | more


# what a post becomes


def test_a_post_with_all_that_is_known_of_it(bluesky: FakeBluesky, ask: Any, clock: Any) -> None:
    first = bluesky.post("anyone?", "bob.bsky.social", clock.at - 3 * HOUR)
    parent = bluesky.post("me too", "bob.bsky.social", clock.at - 2 * HOUR, answers=first)
    shown = bluesky.post("a sign", "eve.bsky.social", clock.at - 2 * HOUR)
    image = {"alt": "Twenty people on the floor", "image": {}}
    embed = {
        "$type": "app.bsky.embed.recordWithMedia",
        "record": {"record": bluesky.posts[shown].named()},
        "media": {"images": [image, {"alt": ""}]},
    }
    bluesky.user("ann.bsky.social", name="Ann & Co <3")
    made = bluesky.post("brigid ER", "ann.bsky.social", clock.at - HOUR, answers=parent, embed=embed)
    (post,) = ask().posts
    assert post.model_dump() == {
        "source": "bluesky",
        "ref": made,
        "text": "brigid ER\n\nTwenty people on the floor",
        "written_at": clock.at - HOUR,
        "edited_at": None,
        "url": f"https://bsky.app/profile/ann.bsky.social/post/{made.rpartition('/')[2]}",
        "author": "ann.bsky.social",
        "author_name": "Ann & Co <3",
        "thread": first,
        "answers": parent,
        "quotes": shown,
        "place": None,
        "rating": None,
        "reach": None,
        "about_us": False,
        "own": False,
    }


@pytest.mark.parametrize(
    ("embed", "text", "quotes"),
    [
        (None, "brigid", None),
        ({"record": {"uri": URI}}, "brigid", URI),
        ({"record": {"uri": f"at://{DID}/app.bsky.feed.generator/3m"}}, "brigid", None),
        ({"record": {"uri": f"at://{DID}/app.bsky.feed.post/{'3' * 200}"}}, "brigid", None),
        ({"video": {}, "alt": "a queue"}, "brigid\n\na queue", None),
        ({"media": {"video": {}, "alt": "a queue"}, "record": "odd"}, "brigid\n\na queue", None),
        ({"images": "odd"}, "brigid", None),
        ({"images": [None, {"alt": 5}, {"alt": "a sign"}]}, "brigid\n\na sign", None),
        ("odd", "brigid", None),
        (["odd"], "brigid", None),
    ],
    ids=str,
)
def test_what_is_within_a_post(bluesky: FakeBluesky, ask: Any, embed: Any, text: str, quotes: str | None) -> None:
    bluesky.fail_next(BrokenShape({"posts": [view(record={"embed": embed, "reply": "odd"})]}), on=SEARCH)
    (post,) = ask().posts
    assert (post.text, post.quotes, post.thread, post.answers) == (text, quotes, URI, None)


@pytest.mark.parametrize(
    ("author", "who", "name"),
    [
        ({"handle": "ann.bsky.social", "displayName": ""}, "ann.bsky.social", None),
        ({"handle": "handle.invalid", "displayName": "Ann"}, DID, "Ann"),
        ({"handle": "a" * 201, "displayName": 5}, DID, None),
        ({"handle": ["ann"]}, DID, None),
        ({}, DID, None),
        (None, DID, None),
    ],
)
def test_who_wrote_it(bluesky: FakeBluesky, ask: Any, author: Any, who: str, name: str | None) -> None:
    bluesky.fail_next(BrokenShape({"posts": [view(author=author)]}), on=SEARCH)
    (post,) = ask().posts
    assert (post.author, post.author_name, post.url) == (who, name, f"https://bsky.app/profile/{who}/post/3mabc")


@pytest.mark.parametrize(
    ("stated", "indexed", "written"),
    [
        ("2026-11-18T08:00:00.123456789Z", "2026-11-18T08:00:05Z", "2026-11-18T08:00:00.123456Z"),
        ("2026-11-18T10:00:00+02:00", "2026-11-18T08:00:05Z", "2026-11-18T08:00:00Z"),
        ("2026-11-18T08:00:00", "2026-11-18T08:00:05Z", "2026-11-18T08:00:00Z"),
        ("2027-01-01T00:00:00Z", "2026-11-18T08:00:05Z", "2026-11-18T08:00:05Z"),
        ("1970-01-01T00:00:00Z", "2026-11-18T08:00:05Z", "2026-11-18T08:00:05Z"),
        ("0001-01-01T00:00:00+14:00", "2026-11-18T08:00:05Z", "2026-11-18T08:00:05Z"),
        ("yesterday", "2026-11-18T08:00:05Z", "2026-11-18T08:00:05Z"),
        (None, "2026-11-18T08:00:05Z", "2026-11-18T08:00:05Z"),
        ("2026-11-18T08:00:00Z", None, "2026-11-18T08:00:00Z"),
    ],
)
def test_when_it_was_written(bluesky: FakeBluesky, ask: Any, stated: Any, indexed: Any, written: str) -> None:
    """A post with a broken date is still a post: then it was written when it was first seen."""
    shown = view(record={"createdAt": stated}, indexedAt=indexed)
    bluesky.fail_next(BrokenShape({"posts": [shown]}), on=SEARCH)
    (post,) = ask().posts
    assert post.written_at == datetime.fromisoformat(written)


@pytest.mark.parametrize(
    ("item", "named"),
    [
        ("a string", "bluesky:None: its name"),
        ({}, "bluesky:None: its name"),
        (view(uri=5), "bluesky:5: its name"),
        (view(uri=f"at://{DID}/app.bsky.feed.like/3m"), f"bluesky:at://{DID}/app.bsky.feed.like/3m: its name"),
        (view(uri=f"{URI}{'a' * 200}"), f"bluesky:{(URI + 'a' * 200)[:80]}: ref"),
        (view(record={"text": None}), f"bluesky:{URI}: text"),
        (view(record={"text": ["brigid"]}), f"bluesky:{URI}: text"),
        (view(record={"createdAt": None}, indexedAt=None), f"bluesky:{URI}: written_at"),
    ],
    ids=str,
)
def test_a_malformed_post_is_named_and_the_others_go_on(bluesky: FakeBluesky, ask: Any, item: Any, named: str) -> None:
    good = view(uri=f"at://{DID}/app.bsky.feed.post/3mgood")
    bluesky.fail_next(BrokenShape({"posts": [item, good]}), on=SEARCH)
    passed = ask()
    assert (passed.error, passed.refs, len(passed.skipped)) == (None, [good["uri"]], 1)
    assert passed.skipped[0].startswith(named)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["text", "createdAt", "embed", "images", "alt", "record", "reply", "root", "parent", "uri"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(record=JSON, author=JSON, uri=st.just(URI) | JSON)
def test_whatever_strangers_write_is_a_post_or_skipped(record: Any, author: Any, uri: Any) -> None:
    try:
        post = collector.post_of(uri, record, author, datetime(2026, 11, 18, tzinfo=UTC))
    except SkipPost:
        return
    assert isinstance(post, Post)


# searches


def test_by_default_every_name_is_searched_as_a_phrase(bluesky: FakeBluesky, ask: Any, config: Any) -> None:
    made = bluesky.post("waiting at st brigids hospital", "ann.bsky.social")
    passed = ask(search=[])
    asked = [request.query["q"] for request in bluesky.seen(SEARCH)]
    assert passed.refs.count(made) >= 1
    assert {'"St. Brigid\'s"', '"St. Brigids"', '"SBMC"', '"Lakeside Pavilion"', f'"{HOSPITAL}"'} <= set(asked)
    # What contains another name is found by that one's search.
    assert '"St. Brigid\'s Hospital"' not in asked
    assert len(asked) == len({search.casefold() for search in asked}) == len(passed.cursor)
    matched = [page.matched for page in passed.pages]
    assert {name for one in matched for name in one} == {"the names in hospital.toml"}
    assert sum(one["the names in hospital.toml"] for one in matched) == len(passed.posts)


def test_the_searches_of_the_admin_are_counted_one_by_one(bluesky: FakeBluesky, ask: Any) -> None:
    bluesky.post("brigid portal")
    passed = ask(search=["brigid", "portal", "parking"])
    assert [page.matched for page in passed.pages] == [{"brigid": 1}, {"portal": 1}, {"parking": 0}]


def test_the_next_pass_looks_a_little_behind_the_last(bluesky: FakeBluesky, ask: Any, clock: Any) -> None:
    """A post that comes late to the index is older than what is known."""
    bluesky.post("brigid one", at=clock.at - 5 * MINUTE)
    first = ask()
    assert first.cursor == {"brigid": {"since": (clock.at - 5 * MINUTE).isoformat()}}
    late = bluesky.post("brigid late", at=clock.at - 20 * MINUTE)
    clock.at += 10 * MINUTE
    second = ask(first.cursor)
    assert late in second.refs
    assert second.cursor == first.cursor
    since = [request.query["since"] for request in bluesky.seen(SEARCH)]
    assert since[0] == stamp((clock.at - 10 * MINUTE - 7 * DAY - 30 * MINUTE).timestamp())
    assert since[1] == stamp((clock.at - 45 * MINUTE).timestamp())


def test_the_place_moves_only_when_the_oldest_page_is_there(bluesky: FakeBluesky, ask: Any, clock: Any) -> None:
    made = many(bluesky, 250, clock.at - HOUR)
    passed = ask()
    assert set(passed.refs) == set(made)
    places = [page.cursor["brigid"] for page in passed.pages]
    assert ["newest" in place for place in places] == [True, True, True, False]  # the fourth finds nothing older
    newest = (clock.at - HOUR + 249 * SECOND).isoformat()
    assert places[-1] == {"since": newest}
    assert {place["newest"] for place in places[:-1]} == {newest}
    assert len(ask(passed.cursor).pages) == 4


def test_a_pass_that_was_cut_off_goes_on_by_time(bluesky: FakeBluesky, ask: Any, clock: Any) -> None:
    """What is deleted meanwhile shifts Bluesky's page cursors, which count posts."""
    made = many(bluesky, 450, clock.at - HOUR)
    bluesky.fail_next(Status(502), on=SEARCH, after=2)
    first = ask()
    assert isinstance(first.error, TryLater)
    assert set(first.refs) == set(made[250:])
    for uri in made[300:]:
        bluesky.delete(uri)
    newest = bluesky.post("brigid while we waited")
    second = ask(first.cursor)
    assert second.error is None
    assert set(made[:250]) <= set(second.refs)
    assert newest not in second.refs
    assert newest in ask(second.cursor).refs


def test_a_list_that_is_cut_off_goes_on_by_time(bluesky: FakeBluesky, ask: Any, clock: Any) -> None:
    bluesky.depth = 200
    made = many(bluesky, 700, clock.at - HOUR)
    passed = ask()
    assert set(passed.refs) == set(made)
    assert (passed.error, passed.unheard) == (None, [])


def test_more_posts_of_one_second_than_are_listed_are_told(
    bluesky: FakeBluesky, ask: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody floods the list with one moment: what is behind it cannot be reached."""
    monkeypatch.setattr(collector, "_DEEP", 250)
    bluesky.depth = 300
    bluesky.post("brigid, help", at=clock.at - HOUR)
    many(bluesky, 400, clock.at - MINUTE, timedelta())
    passed = ask()
    (gap,) = passed.unheard
    assert (gap.since, gap.until) == (clock.at - 7 * DAY - 30 * MINUTE, clock.at - MINUTE)
    assert "300 posts" in gap.why
    assert ask(passed.cursor).unheard == []


def test_a_page_of_hidden_posts_is_not_the_end(bluesky: FakeBluesky, ask: Any) -> None:
    pages = [{"posts": [view()], "cursor": "1"}, {"posts": [], "cursor": "2"}, {"posts": [view(uri=f"{URI}2")]}]
    for page in pages:
        bluesky.fail_next(BrokenShape(page), on=SEARCH)
    assert ask().refs[:2] == [URI, f"{URI}2"]


def test_posts_from_before_are_not_read(bluesky: FakeBluesky, ask: Any, clock: Any) -> None:
    """A server that does not know `since` lists everything there ever was."""
    old = view(uri=f"{URI}old", record={"createdAt": "2020-01-01T00:00:00Z"})
    bluesky.fail_next(BrokenShape({"posts": [view(), old], "cursor": "1"}), on=SEARCH)
    bluesky.fail_next(BrokenShape({"posts": [old], "cursor": "2"}), on=SEARCH)
    passed = ask()
    assert (passed.refs, len(bluesky.seen(SEARCH))) == ([URI], 2)
    assert passed.cursor["brigid"] == {"since": "2026-11-18T08:00:00+00:00"}


@pytest.mark.parametrize(
    "body",
    [{}, [], {"posts": None}, {"posts": {"uri": URI}}, {"posts": [], "cursor": 5}, {"posts": [], "cursor": ["2"]}],
    ids=str,
)
def test_an_answer_of_another_shape_is_not_taken_for_the_last_page(
    bluesky: FakeBluesky, ask: Any, clock: Any, body: Any
) -> None:
    made = many(bluesky, 150, clock.at - HOUR)
    bluesky.fail_next(BrokenShape(body), on=SEARCH, after=1)
    first = ask()
    assert isinstance(first.error, TryLater)
    second = ask(first.cursor)
    assert {*first.refs, *second.refs} == set(made)


def test_cursors_that_never_end(bluesky: FakeBluesky, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for on in (SEARCH, FEED):
        bluesky.fail_next(BrokenShape({"posts": [], "feed": [], "cursor": "round"}), times=None, on=on)
    assert "cursor" in str(ask().error)
    assert len(bluesky.seen(SEARCH)) == 2
    bluesky.heal()
    monkeypatch.setattr(collector, "_MOST_PAGES", 3)
    for number in range(5):
        bluesky.fail_next(BrokenShape({"posts": [], "cursor": str(number)}), on=SEARCH)
    error = ask().error
    assert isinstance(error, TryLater)
    assert "no end" in str(error)


@pytest.mark.parametrize("since", ["2099-01-01T00:00:00+00:00", "soon", 5, None], ids=str)
def test_a_place_that_cannot_be(bluesky: FakeBluesky, ask: Any, since: Any) -> None:
    made = bluesky.post("brigid")
    assert made in ask({"brigid": {"since": since, "until": "x", "newest": []}}).refs


def test_a_search_that_bluesky_refuses_is_told_at_the_end(bluesky: FakeBluesky, ask: Any) -> None:
    made = bluesky.post("brigid")
    message = {"error": "InvalidRequest", "message": "q is too complicated"}
    bluesky.fail_next(Status(400, message), on=lambda request: request.query.get("q") == "(((")
    passed = ask(search=["(((", "brigid"])
    assert passed.refs == [made]
    assert isinstance(passed.error, NeedsPerson)
    assert str(passed.error).startswith("bluesky: Bluesky refuses the search '((('")
    assert "too complicated" in str(passed.error)
    assert "listening.toml" in str(passed.error)


# own replies


def test_what_the_hospital_wrote(bluesky: FakeBluesky, own: Any, clock: Any) -> None:
    asked = bluesky.post("Help?", "ann.bsky.social", clock.at - 2 * HOUR)
    bluesky.post("ancient", HOSPITAL, clock.at - 30 * DAY)
    answered = bluesky.post("Please call us.", HOSPITAL, clock.at - HOUR, answers=asked)
    bluesky.repost(HOSPITAL, asked)
    (page,) = own()
    (post,) = page.posts
    assert (post.ref, post.answers, post.thread, post.own) == (answered, asked, asked, True)
    assert page.cursor == {"since": (clock.at - HOUR).isoformat()}
    later = bluesky.post("Thank you.", HOSPITAL, clock.at - MINUTE, answers=asked)
    assert later in [post.ref for post in own(page.cursor)[0].posts]


def test_own_replies_over_several_pages(bluesky: FakeBluesky, own: Any, clock: Any) -> None:
    asked = bluesky.post("Help?", "ann.bsky.social", clock.at - 2 * HOUR)
    made = [bluesky.post(f"{n}", HOSPITAL, clock.at - HOUR + n * SECOND, answers=asked) for n in range(250)]
    pages = own()
    assert {post.ref for page in pages for post in page.posts} == set(made)
    start = (clock.at - 7 * DAY).isoformat()
    assert [page.cursor["since"] == start for page in pages] == [True, True, True, False]


def test_no_account_has_no_replies(bluesky: FakeBluesky, asking: Any) -> None:
    made = asking(SECRETS)
    nobody = made.hospital.accounts.model_copy(update={"bluesky": ""})
    hospital = made.hospital.model_copy(update={"accounts": nobody})
    alone = type(made)(hospital, made.now, made.secrets)
    assert list(collector.own_replies(settings(bluesky), {}, alone)) == []
    assert bluesky.requests == []
    assert '""' not in list(collector.phrases(hospital))


def test_an_account_that_bluesky_does_not_know(bluesky: FakeBluesky, own: Any) -> None:
    del bluesky.users[HOSPITAL]
    with pytest.raises(NeedsPerson, match=r"Profile not found.*accounts\.bluesky in hospital\.toml"):
        own()


def test_a_feed_without_end(bluesky: FakeBluesky, own: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "_MOST_PAGES", 2)
    for number in range(3):
        bluesky.fail_next(BrokenShape({"feed": [None], "cursor": str(number)}), on=FEED)
    with pytest.raises(TryLater, match="no end"):
        own()


# looking whether posts are still there


def test_kept_posts_are_looked_up_without_a_login(bluesky: FakeBluesky, look: Any, clock: Any) -> None:
    made = many(bluesky, 60, clock.at - HOUR)
    bluesky.edit(made[3], "brigid changed")
    for uri in made[50:]:
        bluesky.delete(uri)
    page = look(made)
    assert {post.ref: post.text for post in page.posts}[made[3]] == "brigid changed"
    assert [post.ref for post in page.posts] == made[:50]
    assert [ref.ref for ref in page.deleted] == made[50:]
    assert {ref.source for ref in page.deleted} == {"bluesky"}
    assert [request.path for request in bluesky.requests] == ["/xrpc/app.bsky.feed.getPosts"] * 3
    assert not any("authorization" in request.headers for request in bluesky.requests)


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Status(400), TryLater, "400"),
        (Status(401), NeedsPerson, "public_url"),
        (Status(403), NeedsPerson, "public_url"),
        (Status(502), TryLater, "502"),
        (RateLimited(reset=1_800_000_000), AskedToWait, "wait"),
        (NotJson(), TryLater, "JSON"),
        (BrokenShape([]), TryLater, "shape"),
        (BrokenShape({"posts": None}), TryLater, "shape"),
        (Reset(), TryLater, "answer"),
    ],
    ids=str,
)
def test_what_is_uncertain_is_not_gone(
    bluesky: FakeBluesky, look: Any, clock: Any, fault: Any, kind: type[Exception], words: str
) -> None:
    made = many(bluesky, 30, clock.at - HOUR)
    bluesky.fail_next(fault, after=1)
    with pytest.raises(kind, match=words) as raised:
        look(made)
    assert str(raised.value).startswith("bluesky: ")


def test_a_post_that_cannot_be_read_is_not_gone(bluesky: FakeBluesky, look: Any) -> None:
    bluesky.fail_next(BrokenShape({"posts": [view(record={"text": 5}), "odd", view(uri=f"{URI}other")]}))
    page = look([URI])
    assert (page.posts, page.deleted, len(page.skipped)) == ((), (), 1)


# the login


def test_one_login_serves_for_as_long_as_the_process_lives(
    bluesky: FakeBluesky, ask: Any, own: Any, clock: Any
) -> None:
    for _ in range(3):
        clock.at += MINUTE
        assert ask().error is None
        own()
    assert len(bluesky.seen(LOGIN)) == 1
    assert bluesky.seen(LOGIN)[0].body["identifier"] == "listener.bsky.social"


def test_atproto_renews_the_login(bluesky: FakeBluesky, ask: Any) -> None:
    bluesky.lasts = 60
    for _ in range(2):
        assert ask().error is None
    assert (len(bluesky.seen(LOGIN)), len(bluesky.seen("refreshSession"))) == (1, 2)


def test_a_login_that_is_over_is_made_anew_but_not_at_once_again(bluesky: FakeBluesky, ask: Any, clock: Any) -> None:
    made = bluesky.post("brigid")
    ask()
    bluesky.end_sessions()
    clock.at += MINUTE
    error = ask().error
    assert isinstance(error, NeedsPerson)
    assert "Token has been revoked" in str(error)
    assert len(bluesky.seen(LOGIN)) == 1
    clock.at += 10 * MINUTE
    passed = ask()
    assert (passed.error, passed.refs) == (None, [made])
    assert len(bluesky.seen(LOGIN)) == 2


def test_a_fresh_login_that_is_refused(bluesky: FakeBluesky, ask: Any, clock: Any) -> None:
    """Bluesky takes the password but not what it gives for it: 300 logins a day would soon be used up."""
    ask()
    bluesky.fail_next(Status(401), times=None, on=SEARCH)
    for _ in range(30):
        clock.at += MINUTE
        assert isinstance(ask().error, NeedsPerson)
    assert len(bluesky.seen(LOGIN)) == 4
    bluesky.heal()
    clock.at += 10 * MINUTE
    assert ask().error is None


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (
            Status(401, {"error": "AuthFactorTokenRequired", "message": "A sign in code is needed"}),
            NeedsPerson,
            "sign in code",
        ),
        (Status(401, "<html>"), NeedsPerson, "BLUESKY_APP_PASSWORD"),
        (Status(400), NeedsPerson, "BLUESKY_HANDLE"),
        (Status(403), NeedsPerson, "BLUESKY_HANDLE"),
        (Status(502), TryLater, "502"),
        (NotJson(), TryLater, "no answer"),
        (BrokenShape([]), TryLater, "no answer"),
        (BrokenShape({"did": 5}), TryLater, "no answer"),
        (
            BrokenShape({"did": DID, "handle": "a.b", "accessJwt": "a", "refreshJwt": "b"}),
            NeedsPerson,
            "something else",
        ),
        (Reset(), TryLater, "no answer"),
        (DropAfter(), TryLater, "no answer"),
    ],
    ids=str,
)
def test_a_login_that_fails(
    bluesky: FakeBluesky, ask: Any, clock: Any, fault: Any, kind: type[Exception], words: str
) -> None:
    bluesky.fail_next(fault, on=LOGIN)
    error = ask().error
    assert type(error) is kind
    assert str(error).startswith("bluesky: ")
    assert words in str(error)
    assert SECRETS["BLUESKY_APP_PASSWORD"] not in str(error)
    clock.at += 20 * MINUTE
    assert ask().error is None


def test_a_refused_login_rests(bluesky: FakeBluesky, ask: Any, own: Any, clock: Any) -> None:
    wrong = {**SECRETS, "BLUESKY_APP_PASSWORD": "wrong"}
    for minutes in range(30):
        error = ask(secrets=wrong).error
        assert isinstance(error, NeedsPerson), minutes
        assert "Invalid identifier or password" in str(error)
        clock.at += MINUTE
    assert len(bluesky.seen(LOGIN)) == 3
    assert ask().error is None, "another password is another login"


def test_the_limit_of_logins_is_heeded(bluesky: FakeBluesky, ask: Any, clock: Any) -> None:
    bluesky.logins = [clock() - 10] * 30
    error = ask().error
    assert isinstance(error, AskedToWait)
    assert error.at == clock.at + timedelta(seconds=290)


def test_a_gateway_is_not_left(bluesky: FakeBluesky, ask: Any, look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """After each login and renewal atproto goes where the account's document says."""
    bluesky.endpoint = "https://morel.us-east.host.bsky.network"
    bluesky.lasts = 60
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    made = bluesky.post("brigid")
    assert ask().refs == [made]
    assert ask().refs == [made]
    assert look([made]).deleted == ()


def test_without_a_gateway_the_account_says_where_its_server_is(
    bluesky: FakeBluesky, one_pass: Any, clock: Any
) -> None:
    with FakeBluesky(now=clock) as entry:
        entry.users, entry._tokens = bluesky.users, bluesky._tokens
        entry.endpoint = bluesky.base_url
        made = bluesky.post("brigid")
        direct = collector.Settings(on=True, search=("brigid",), service=entry.base_url)
        assert one_pass(collector, direct, {}, secrets=SECRETS).refs == [made]
        assert [request.path for request in entry.requests] == ["/xrpc/com.atproto.server.createSession"]


@pytest.mark.parametrize(
    "told", ["http://[::1]:{port}", "https://10.0.0.1", "http://169.254.169.254", "https://localhost"]
)
def test_no_account_s_document_leads_into_the_house(bluesky: FakeBluesky, one_pass: Any, clock: Any, told: str) -> None:
    """It is written by whoever has the account, and our token would go there. Another host would fail the test."""
    bluesky.endpoint = told.format(port=bluesky.base_url.rpartition(":")[2])
    direct = collector.Settings(on=True, search=("brigid",), service=bluesky.base_url)
    error = one_pass(collector, direct, {}, secrets=SECRETS).error
    assert isinstance(error, NeedsPerson)
    assert "which is no place on the internet" in str(error)
    assert [request.path for request in bluesky.requests] == ["/xrpc/com.atproto.server.createSession"]


# trouble


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Status(400, {"error": "InvalidToken", "message": "Bad token scope"}), NeedsPerson, "Bad token scope"),
        (Status(403, "<html>"), NeedsPerson, "forbids"),
        (Status(413), TryLater, "413"),
        (Status(502, {"error": "UpstreamFailure", "message": "Upstream Failure"}), TryLater, "502"),
        (Status(503, ["odd"]), TryLater, "bluesky"),
        (Status(400, ["odd"]), TryLater, "bluesky"),
        (Status(400, "<html>"), NeedsPerson, "refuses the search"),
        (Status(200, '{"posts": [', {"content-type": "application/json"}), TryLater, "no answer"),
        (Status(200, "[" * 100_000, {"content-type": "application/json"}), TryLater, "no answer"),
        (BrokenShape(None), TryLater, "JSON"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_trouble_becomes_its_remedy(
    bluesky: FakeBluesky, ask: Any, fault: Any, kind: type[Exception], words: str
) -> None:
    bluesky.post("brigid")
    bluesky.fail_next(fault, on=SEARCH)
    passed = ask()
    assert type(passed.error) is kind
    assert words in str(passed.error)
    assert passed.pages == []


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"ratelimit-reset": "1795000000"}, None),
        ({"ratelimit-reset": "soon", "retry-after": "60"}, 60),
        ({"ratelimit-reset": "99999999999"}, 86_400),
        ({"ratelimit-reset": "-5"}, None),
        ({}, None),
    ],
)
def test_until_when_to_wait(
    bluesky: FakeBluesky, ask: Any, clock: Any, headers: dict[str, str], seconds: int | None
) -> None:
    bluesky.fail_next(Status(429, headers=headers), on=SEARCH)
    error = ask().error
    assert isinstance(error, AskedToWait)
    if "1795000000" in headers.values():
        assert error.at == datetime.fromtimestamp(1_795_000_000, UTC)
    else:
        assert error.at == (clock.at + timedelta(seconds=seconds) if seconds else None)


def test_a_server_that_does_not_answer_is_given_up(
    bluesky: FakeBluesky, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask()
    monkeypatch.setattr(collector, "_TIMEOUT", 0.1)
    bluesky.fail_next(Stall(30), on=SEARCH)
    assert "ReadTimeout" in str(ask().error)


def test_an_answer_without_measure_is_not_read(bluesky: FakeBluesky, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ask()
    monkeypatch.setattr(collector, "_LARGEST", 100_000)
    bluesky.fail_next(BrokenShape({"posts": [], "more": "x" * 200_000}), on=SEARCH)
    error = ask().error
    assert isinstance(error, TryLater)
    assert "too large" in str(error)


def test_an_answer_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = itertools.count(0, 4)
    monkeypatch.setattr(collector, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    response = httpx.Response(200, content=iter([b"{"] * 100))
    with pytest.raises(TryLater, match="too long"):
        collector._limit(response)
    assert next(seconds) == 20
    seconds = itertools.count(0, 0)
    response = httpx.Response(200, content=iter([b"[", b"]"]))
    collector._limit(response)
    assert response.read() == b"[]"


def test_no_secret_and_no_search_in_the_log(
    bluesky: FakeBluesky, ask: Any, look: Any, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    made = bluesky.post("brigid")
    with caplog.at_level(logging.DEBUG):
        ask()
        bluesky.fail_next(Status(401), on=SEARCH)
        ask()
    tokens = [request.headers.get("authorization", "none")[7:] for request in bluesky.seen(SEARCH)]
    for word in (SECRETS["BLUESKY_APP_PASSWORD"], "brigid", made, *tokens):
        assert word not in caplog.text
    assert capsys.readouterr() == ("", "")


def test_settings() -> None:
    assert collector.Settings().search == ()
    for wrong in (
        {"search": [""]},
        {"search": "brigid"},
        {"service": "bsky.social"},
        {"service": "http://pds.example"},
        {"seach": []},
    ):
        with pytest.raises(ValidationError):
            collector.Settings(**wrong)  # type: ignore[arg-type]


def test_the_requests_are_as_bluesky_wants_them(bluesky: FakeBluesky, ask: Any, own: Any) -> None:
    ask()
    own()

    def query(request: Request) -> dict[str, str]:
        return {name: value for name, value in request.query.items() if name != "since"}

    (search,), (feed,) = bluesky.seen(SEARCH), bluesky.seen(FEED)
    assert query(search) == {"q": "brigid", "sort": "latest", "limit": "100"}
    assert query(feed) == {
        "actor": HOSPITAL,
        "filter": "posts_with_replies",
        "includePins": "false",
        "limit": "100",
    }
    assert json.loads(bluesky.seen(LOGIN)[0].raw) == {
        "identifier": "listener.bsky.social",
        "password": SECRETS["BLUESKY_APP_PASSWORD"],
    }
