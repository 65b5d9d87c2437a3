"""Tags, accounts, mentions and a search of one instance, against a server that speaks Mastodon's protocol."""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from fakes.mastodon import HOST, FakeMastodon
from fakes.server import Answer, BrokenShape, DropAfter, NotJson, RateLimited, Reset, Stall, Status
from hypothesis import given
from hypothesis import strategies as st
from mastodon import MastodonIllegalArgumentError
from pydantic import ValidationError

from listener.collectors import mastodon as collector
from listener.errors import AskedToWait, NeedsPerson, TryLater
from listener.post import Asking, Page, Ref

TOKEN = "MASTODON_ACCESS_TOKEN"
SECRETS = {TOKEN: "test-token"}
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OWN = f"care@{HOST}"


@pytest.fixture
def site(clock: Any) -> Iterator[FakeMastodon]:
    with FakeMastodon(now=clock) as fake:
        yield fake


@pytest.fixture
def settings(site: FakeMastodon) -> Callable[..., Any]:
    def made(**more: Any) -> Any:
        return collector.Settings(**{"instance": f"https://{HOST}", "base_url": site.base_url, **more})

    return made


@pytest.fixture
def ask(settings: Callable[..., Any], one_pass: Callable[..., Any]) -> Callable[..., Any]:
    """One pass over the fake instance from a cursor, without a token unless it is given."""

    def run(cursor: dict[str, Any] | None = None, secrets: dict[str, str] | None = None, **more: Any) -> Any:
        return one_pass(collector, settings(**(more or {"tags": ("stbrigid",)})), cursor or {}, secrets=secrets or {})

    return run


@pytest.fixture
def replies(settings: Callable[..., Any], asking: Callable[..., Asking]) -> Callable[..., list[Page]]:
    """The hospital's own answers since a cursor."""

    def run(cursor: dict[str, Any] | None = None, own: str = OWN, **more: Any) -> list[Page]:
        about = asking()
        accounts = about.hospital.accounts.model_copy(update={"mastodon": own})
        about = replace(about, hospital=about.hospital.model_copy(update={"accounts": accounts}))
        return list(collector.own_replies(settings(**more), cursor or {}, about))

    return run


@pytest.fixture
def look(settings: Callable[..., Any], asking: Callable[..., Asking]) -> Callable[..., Page]:
    """What the instance says of these refs."""
    return lambda refs, **more: collector.lookup(settings(**more), refs, asking())


FIELDS = {
    "id": "116999999999999999",
    "created_at": "2026-11-18T08:00:00.000Z",
    "content": "<p>#stbrigid good</p>",
    "visibility": "public",
    "account": {"acct": "ann", "display_name": "Ann", "followers_count": 1},
    "in_reply_to_id": None,
    "edited_at": None,
    "url": "https://town.example/@ann/1",
    "uri": "https://town.example/1",
    "reblog": None,
    "spoiler_text": "",
    "mentions": [],
    "media_attachments": [],
    "poll": None,
    "quote": None,
}


def many(site: FakeMastodon, count: int, until: datetime, **more: Any) -> list[str]:
    """Posts a second apart that end at `until`; their refs, oldest first."""
    first = until - timedelta(seconds=count)
    return [ref(site.post(f"#stbrigid {n}", at=first + timedelta(seconds=n), **more)) for n in range(count)]


def ref(id_: str) -> str:
    return f"{id_}@{HOST}"


def paths(site: FakeMastodon) -> list[str]:
    return [request.path for request in site.requests if "/instance" not in request.path]


# what a post becomes


def test_a_post_with_all_that_is_known_of_it(site: FakeMastodon, ask: Any, clock: Any) -> None:
    written = clock.at - 2 * HOUR
    site.account("ann@town.example", name="Ann :verified:", followers=42)
    above = site.post("anyone?", "bob", written - HOUR)
    shown = site.post("look", "bob", written - HOUR)
    made = site.post(
        "Six hours & nobody comes\n<b>\n\n@care @bob #StBrigid https://www.town.example/news/2026/11/18/six-hours-and-more",
        at=written,
        answers=above,
        quotes=shown,
        spoiler="ER, again",
        poll=("true", "false"),
        media=("A full waiting room", None),
    )
    site.edit(made, site._statuses[int(made)].text, written + MINUTE)
    (post,) = ask().posts
    assert post.model_dump() == {
        "source": "mastodon",
        "ref": ref(made),
        "text": "ER, again\n\nSix hours & nobody comes\n<b>\n\n"
        f"@{OWN} @bob@{HOST} #StBrigid https://www.town.example/news/2026/11/18/six-hours-and-more\n\n"
        "- true\n- false\n\nA full waiting room",
        "written_at": written,
        "edited_at": written + MINUTE,
        "url": f"https://town.example/@ann/{made}",
        "author": "ann@town.example",
        "author_name": "Ann :verified:",
        "thread": ref(above),
        "answers": ref(above),
        "quotes": ref(shown),
        "place": None,
        "rating": None,
        "reach": 42,
        "about_us": False,
        "own": False,
    }


def test_the_handle_of_the_instances_own_people_is_whole(site: FakeMastodon, ask: Any) -> None:
    site.post("#stbrigid hello @care", "eve")
    (post,) = ask().posts
    assert (post.author, post.text) == (f"eve@{HOST}", f"#stbrigid hello @{OWN}")
    (post,) = ask(tags=("stbrigid",), domain="stbrigid.example").posts
    assert (post.author, post.text) == ("eve@stbrigid.example", "#stbrigid hello @care@stbrigid.example")


def test_who_a_post_is_to_though_its_words_do_not_say(site: FakeMastodon, ask: Any) -> None:
    site.post("#stbrigid my dad collapsed", also_to=("care", "ann@town.example"))
    assert ask().texts == [f"@{OWN} #stbrigid my dad collapsed"]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p><p>two<br>three<br />four<BR/>five</p>", "one\n\ntwo\nthree\nfour\nfive"),
        ("<p>a &lt;3 &amp;amp; &#39;b&#39; &nbsp;c</p>", "a <3 &amp; 'b' \xa0c"),
        ("<ul><li>one</li><li>two</li></ul><blockquote>said</blockquote>", "- one\n- two\n\nsaid"),
        ("<pre><code>x = 1\ny = 2</code></pre>", "x = 1\ny = 2"),
        ('<p>bare :blobcat: <em class="x">so</em> sad</p>', "bare :blobcat: so sad"),
        ('<a href="https://h/@who" class="mention">@<span>who</span></a>?', "@who@far.example?"),
        ('<a href="https://h/@else" class="mention">@<span>else</span></a>?', "@else?"),
        ("<a>no href</a> <unknown>kept</unknown>", "no href kept"),
        ("no tags, 1 < 2 > 0", "no tags, 1  0"),
        ("<![odd[ <p", "<![odd[ <p"),
        ("", ""),
    ],
)
def test_words_out_of_html(html: str, text: str) -> None:
    assert collector._plain(html, {"https://h/@who": "who@far.example"}) == text


@given(st.text(st.sampled_from(list("<>/ab&;#x1p =\"'!-[]\n\x00é"))) | st.text())
def test_no_html_is_too_odd(html: str) -> None:
    collector._plain(html, {"a": "b"})


@pytest.mark.parametrize("html", ["<a " * 200_000, '<a href="' * 70_000, "<" * 500_000, "<p>" * 170_000, "&" * 500_000])
def test_no_html_takes_long(html: str) -> None:
    before = datetime.now(UTC)
    collector._plain(html, {})
    assert datetime.now(UTC) - before < timedelta(seconds=2)


def test_boosts_and_what_is_not_public_are_no_posts(site: FakeMastodon, ask: Any, clock: Any) -> None:
    for visibility in ("private", "direct"):
        site.post("@care #stbrigid for you alone", visibility=visibility)
    heard = site.post("@care #stbrigid for whoever looks", visibility="unlisted", at=clock.at - MINUTE)
    site.post("", "news@town.example", boosts=heard)
    site._statuses[int(heard)].author.acct = "news@town.example"
    passed = ask(secrets=SECRETS, mentions=True, accounts=("news@town.example",))
    assert (set(passed.refs), passed.skipped) == ({ref(heard)}, [])


def test_a_boost_that_an_instance_gives_all_the_same(site: FakeMastodon, ask: Any) -> None:
    heard = site.post("#stbrigid one")
    site._statuses[int(site.post("#stbrigid", "bob"))].boosts = int(heard)
    site._tag = lambda tag, query, known: site._page(query, lambda one: True)  # type: ignore[method-assign]
    assert ask().refs == [ref(heard)]


def test_the_beginning_of_a_thread_as_far_as_the_page_shows(site: FakeMastodon, ask: Any, clock: Any) -> None:
    ids = [site.post("#stbrigid root", at=clock.at - 5 * MINUTE)]
    for n in range(3):
        ids.append(site.post(f"#stbrigid {n}", at=clock.at - (4 - n) * MINUTE, answers=ids[-1]))
    elsewhere = site.post("another thread", at=clock.at - DAY)
    alone = site.post("#stbrigid alone", at=clock.at, answers=elsewhere)
    threads = {post.ref: post.thread for post in ask().posts}
    assert threads == {**{ref(id_): ref(ids[0]) for id_ in ids}, ref(alone): ref(elsewhere)}


def test_posts_that_answer_each_other(site: FakeMastodon, ask: Any) -> None:
    one = site.post("#stbrigid one")
    two = site.post("#stbrigid two", answers=one)
    site._statuses[int(one)].answers = int(two)
    assert {post.thread for post in ask().posts} == {ref(one), ref(two)}


@pytest.mark.parametrize(
    ("odd", "named"),
    [
        ("a string", "mastodon:?: unknown shape"),
        (None, "mastodon:?: unknown shape"),
        ({}, "mastodon:?: unknown shape"),
        ({"id": "9" * 20}, "mastodon:?: unknown shape"),
        ({"id": "01HFX"}, "mastodon:?: unknown shape"),
        ({"id": "5", "created_at": "yesterday"}, "mastodon:?: unknown shape"),
        ({"account": None}, "unknown shape"),
        ({"account": {}}, "unknown shape"),
        ({"content": None}, "unknown shape"),
        ({"content": ["words"]}, "unknown shape"),
        ({"mentions": [None]}, "unknown shape"),
        ({"mentions": "all"}, "unknown shape"),
        ({"poll": {"options": [1]}}, "unknown shape"),
        ({"media_attachments": [1]}, "unknown shape"),
        ({"created_at": "yesterday"}, "written_at"),
        ({"created_at": "2026-11-18T08:00:00"}, "written_at"),
        ({"spoiler_text": 5}, "unknown shape"),
    ],
)
def test_a_malformed_post_is_named_and_the_others_go_on(site: FakeMastodon, ask: Any, odd: Any, named: str) -> None:
    good = site._shown(site._statuses[int(site.post("#stbrigid good"))])
    bad = {**good, "id": str(int(good["id"]) - 1), **odd} if odd and isinstance(odd, dict) else odd
    site.fail_next(BrokenShape([good, bad]), on="/tag/")
    passed = ask()
    assert (passed.error, passed.refs, len(passed.skipped)) == (None, [ref(good["id"])], 1)
    assert named in passed.skipped[0]
    assert "good" not in passed.skipped[0]


@pytest.mark.parametrize(
    ("odd", "becomes"),
    [
        ({"account": {"acct": "ann", "followers_count": -1, "display_name": ""}}, {"reach": None, "author_name": None}),
        ({"account": {"acct": "ann", "followers_count": 2**40}}, {"reach": None}),
        ({"account": {"acct": "ann", "followers_count": "many"}}, {"reach": None}),
        ({"url": None}, {"url": "https://town.example/users/ann/statuses/1"}),
        ({"url": "javascript:alert(1)"}, {"url": None}),
        ({"quote": {"state": "pending", "quoted_status": None}}, {"quotes": None}),
        ({"quote": {"state": "accepted", "quoted_status_id": "5"}}, {"quotes": f"5@{HOST}"}),
        ({"media_attachments": None, "poll": None, "mentions": None, "spoiler_text": None}, {"text": "#stbrigid good"}),
    ],
    ids=str,
)
def test_what_a_post_can_do_without(site: FakeMastodon, ask: Any, odd: Any, becomes: dict[str, Any]) -> None:
    good = site._shown(site._statuses[int(site.post("#stbrigid good"))])
    site.fail_next(BrokenShape([{**good, "uri": "https://town.example/users/ann/statuses/1", **odd}]), on="/tag/")
    (post,) = ask().posts
    assert post.model_dump(include=set(becomes)) == becomes


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9) | st.just("id"), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), JSON, max_size=4), JSON)
def test_no_post_is_too_odd(changed: dict[str, Any], other: Any) -> None:
    site: Any = SimpleNamespace(host=HOST, domain=HOST, own=OWN, odd=lambda: TryLater("shape"))
    items, skipped = collector._items(site, [{**FIELDS, **changed}, FIELDS, other])
    posts, wrong = collector._posts(site, items)
    assert len(posts) + len(skipped) + len(wrong) <= 3
    assert any(post.text == "#stbrigid good" for post in posts)


# down to what was heard


def test_pages_come_newest_first_and_the_cursor_says_how_far_down(site: FakeMastodon, ask: Any, clock: Any) -> None:
    made = many(site, 100, clock.at - MINUTE)
    passed = ask()
    assert [len(page.posts) for page in passed.pages] == [40, 40, 20, 0]
    assert passed.refs == made[::-1]
    assert [page.matched for page in passed.pages] == [{"#stbrigid": n} for n in (40, 40, 20, 0)]
    places = [page.cursor["places"]["#stbrigid"] for page in passed.pages]
    assert [ref(place["next"]) if "next" in place else None for place in places] == [made[60], made[20], made[0], None]
    assert set(places[-1]) == {"until", "swept"}
    again = ask(passed.cursor)
    assert [len(page.posts) for page in again.pages] == [40, 40, 20, 0]  # the last hour, again


def test_a_quiet_tag_costs_one_request(site: FakeMastodon, ask: Any, clock: Any) -> None:
    many(site, 100, clock.at - 2 * DAY)
    first = ask()
    clock.at += MINUTE
    asked = len(paths(site))
    second = ask(first.cursor)
    assert [len(page.posts) for page in second.pages] == [40, 40, 20, 0]  # all within an hour before the newest
    clock.at += DAY
    new = site.post("#stbrigid", at=clock.at)
    third = ask(ask(second.cursor).cursor)
    asked = len(paths(site))
    fourth = ask(third.cursor)
    assert (fourth.refs, len(paths(site)) - asked) == ([ref(new)], 1)


def test_the_first_pass_reaches_a_week_back(site: FakeMastodon, ask: Any, clock: Any) -> None:
    site.post("#stbrigid", at=clock.at - 7 * DAY - MINUTE)
    made = site.post("#stbrigid", at=clock.at - 7 * DAY + MINUTE)
    passed = ask()
    assert passed.refs == [ref(made)]
    for _ in range(5):
        clock.at += 2 * HOUR
        passed = ask(passed.cursor)
        assert set(passed.refs) <= {ref(made)}, "what was too old at first stays so"


def test_what_came_while_a_long_way_down_was_interrupted(site: FakeMastodon, ask: Any, clock: Any) -> None:
    made = many(site, 100, clock.at - MINUTE)
    site.fail_next(RateLimited(reset=clock() + 300), on="/tag/", after=1)
    first = ask()
    assert isinstance(first.error, AskedToWait)
    assert first.error.at == clock.at + 5 * MINUTE
    assert first.refs == made[:59:-1]
    clock.at += 10 * MINUTE
    new = site.post("#stbrigid", at=clock.at)
    second = ask(first.cursor)
    assert second.refs[:60] == made[59::-1]
    assert second.refs[60] == ref(new)
    assert "next" not in second.cursor["places"]["#stbrigid"]


@pytest.mark.parametrize(("late", "passes"), [(50 * MINUTE, 1), (2 * DAY, 2)])
def test_a_post_that_the_instance_fetched_later_than_it_was_written(
    site: FakeMastodon, ask: Any, clock: Any, late: timedelta, passes: int
) -> None:
    """Its id says when it was written: it is not among what is newer than the newest."""
    many(site, 100, clock.at - MINUTE)
    passed = ask()
    written = site.post("#stbrigid my dad collapsed", at=clock.at - late)
    for _ in range(passes):
        clock.at += 31 * MINUTE
        passed = ask(passed.cursor)
    assert ref(written) in passed.refs


def test_a_post_that_was_delivered_late_has_a_new_id(site: FakeMastodon, ask: Any, clock: Any) -> None:
    """When it was written says nothing about its place: below it there are newer ones."""
    below = site.post("#stbrigid below", at=clock.at - 5 * MINUTE)
    late = site.post("#stbrigid late", at=clock.at - 30 * DAY, arrived=clock.at - MINUTE)
    posts = ask().posts
    assert [post.ref for post in posts] == [ref(late), ref(below)]
    assert posts[0].written_at == clock.at - 30 * DAY


def test_after_a_month_all_of_it_is_read(site: FakeMastodon, ask: Any, clock: Any) -> None:
    site.post("#stbrigid", at=clock.at - MINUTE)
    first = ask()
    clock.at += 30 * DAY
    made = [ref(site.post(f"#stbrigid {n}", at=clock.at - n * HOUR)) for n in range(300)]
    assert set(made) <= set(ask(first.cursor).refs)


def test_a_cursor_of_another_instance_counts_for_nothing(site: FakeMastodon, ask: Any, clock: Any) -> None:
    heard = [ref(site.post("#stbrigid", at=clock.at - DAY)), ref(site.post("#stbrigid", at=clock.at))]
    first = ask()
    assert set(ask({**first.cursor, "instance": "elsewhere.example"}).refs) == set(heard)
    assert ask({**first.cursor, "places": {}}).refs == heard[::-1]


def test_a_post_from_the_future_makes_nobody_deaf(site: FakeMastodon, ask: Any, clock: Any) -> None:
    site.post("#stbrigid", at=clock.at + 900 * DAY)
    cursor = ask().cursor
    for _ in range(3):
        clock.at += 5 * HOUR
        made = site.post("#stbrigid", at=clock.at - MINUTE)
        passed = ask(cursor)
        cursor = passed.cursor
        assert ref(made) in passed.refs


def test_pages_that_do_not_end(site: FakeMastodon, ask: Any, clock: Any) -> None:
    many(site, 50, clock.at)
    site.ignores_paging = True
    for more in ({"tags": ("stbrigid",)}, {"search": ("stbrigid",)}):
        passed = ask(secrets=SECRETS, **more)
        assert isinstance(passed.error, TryLater)
        assert "do not end" in str(passed.error)
        assert len(passed.pages) == 1


@pytest.mark.parametrize("body", [{}, {"error": "no"}, "[]", 5, None, [1, "two"], [{"odd": None}], [[]]], ids=repr)
def test_an_answer_of_another_shape_is_not_taken_for_the_last_page(
    site: FakeMastodon, ask: Any, clock: Any, body: Any
) -> None:
    made = many(site, 60, clock.at)
    site.fail_next(BrokenShape(body) if body != "[]" else Status(200, '"[]"'), on="/tag/", after=1)
    first = ask()
    assert isinstance(first.error, TryLater)
    assert "shape" in str(first.error)
    assert sorted({*first.refs, *ask(first.cursor).refs}) == sorted(made)


@pytest.mark.parametrize("body", [[], {}, {"statuses": None}, {"statuses": {}}, {"statuses": [{}]}], ids=repr)
def test_a_search_of_another_shape(site: FakeMastodon, ask: Any, body: Any) -> None:
    site.fail_next(BrokenShape(body), on="/search")
    assert "shape" in str(ask(secrets=SECRETS, search=("brigid",)).error)


def test_ids_that_just_count_up(site: FakeMastodon, ask: Any, clock: Any) -> None:
    """As in other programs that speak this protocol: when a post was made says where one is."""
    good = site._shown(site._statuses[int(site.post("#stbrigid"))])
    ages = [MINUTE, DAY, 8 * DAY]
    page = [{**good, "id": str(9 - n), "created_at": (clock.at - age).isoformat()} for n, age in enumerate(ages)]
    site.fail_next(BrokenShape(page), on="/tag/")
    assert ask().refs == [ref("9"), ref("8")]


# accounts, mentions, search


def test_watched_accounts(site: FakeMastodon, ask: Any, clock: Any) -> None:
    made = [site.post(f"story {n}", "news@town.example", clock.at - n * MINUTE) for n in range(50)]
    local = site.post("hello", "eve", clock.at)
    site.post("", "eve", clock.at, boosts=made[0])
    passed = ask(accounts=("news@town.example", "eve"))
    assert passed.refs == [ref(id_) for id_ in (*made, local)]
    assert [page.matched for page in passed.pages] == [{"@news@town.example": n} for n in (40, 10, 0)] + [
        {"@eve": 1},
        {"@eve": 0},
    ]
    assert {request.query["exclude_reblogs"] for request in site.seen("/statuses")} == {"1"}


def test_an_account_that_is_not_known_there_is_named_and_the_rest_is_heard(site: FakeMastodon, ask: Any) -> None:
    made = site.post("hello", "eve")
    passed = ask(accounts=("nobody@far.example", "eve"))
    assert passed.refs == [ref(made)]
    assert isinstance(passed.error, NeedsPerson)
    assert "'@nobody@far.example' (404)" in str(passed.error)


def test_an_account_that_came_back_with_another_id(site: FakeMastodon, ask: Any) -> None:
    site.post("before", "news@town.example")
    first = ask(accounts=("news@town.example",))
    del site._accounts["news@town.example"]
    site.account("other")
    made = site.post("after", "news@town.example")
    assert ref(made) in ask(first.cursor, accounts=("news@town.example",)).refs


def test_mentions_of_the_account_of_the_token(site: FakeMastodon, ask: Any, clock: Any) -> None:
    ours = site.post("We are open", "care", clock.at - DAY)
    made = [site.post(f"@care help {n}", at=clock.at - (60 - n) * MINUTE) for n in range(45)]
    quoting = site.post("nine hours of this", quotes=ours, at=clock.at - MINUTE)
    gone = site.post("@care never mind", at=clock.at)
    site.delete(gone)
    passed = ask(secrets=SECRETS, mentions=True)
    assert passed.refs == [ref(id_) for id_ in (quoting, *made[::-1])]
    assert (passed.skipped, [page.matched for page in passed.pages]) == ([], [{}, {}, {}])
    assert passed.posts[-1].text == f"@{OWN} help 0"
    clock.at += 3 * HOUR
    later = site.post("@care and now?", at=clock.at - DAY, arrived=clock.at)  # notified of when it came
    clock.at += MINUTE
    swept = ask(passed.cursor, secrets=SECRETS, mentions=True)
    asked = len(site.requests)
    third = ask(swept.cursor, secrets=SECRETS, mentions=True)
    assert (ref(later) in swept.refs, third.refs, len(site.requests) - asked) == (True, [ref(later)], 1)


def test_other_notifications_are_none(site: FakeMastodon, ask: Any) -> None:
    """Of an instance that does not know the parameter `types`."""
    made = site.post("@care help")
    shown = site._shown(site._statuses[int(made)])
    told = {"created_at": "2026-11-18T09:00:00.000Z", "status": shown}
    kinds = ["favourite", "reblog", "mention", "poll"]
    page = [{**told, "id": str(9 - n), "type": kind} for n, kind in enumerate(kinds)]
    site.fail_next(BrokenShape([*page, {"id": "1", "type": "follow", "created_at": told["created_at"]}]))
    assert ask(secrets=SECRETS, mentions=True).refs == [ref(made)]


def test_a_search(site: FakeMastodon, ask: Any, clock: Any) -> None:
    made = [site.post(f"Saint Brigid {n}", at=clock.at - timedelta(milliseconds=n)) for n in range(90)]
    passed = ask(secrets=SECRETS, search=("saint brigid",))
    assert passed.refs == [ref(id_) for id_ in made]
    assert [request.query.get("offset") for request in site.seen("/search")] == [None, "40", "80", "120"]
    assert {request.query["type"] for request in site.seen("/search")} == {"statuses"}
    assert [page.matched["search:saint brigid"] for page in passed.pages] == [40, 40, 10, 0]


def test_a_search_goes_on_where_it_was_interrupted(site: FakeMastodon, ask: Any, clock: Any) -> None:
    made = [site.post(f"brigid {n}", at=clock.at - n * MINUTE) for n in range(90)]
    site.fail_next(Status(503), on="/search", after=1)
    first = ask(secrets=SECRETS, search=("brigid",))
    assert isinstance(first.error, TryLater)
    second = ask(first.cursor, secrets=SECRETS, search=("brigid",))
    assert sorted({*first.refs, *second.refs}) == sorted(map(ref, made))
    assert second.refs[0] == ref(made[40])


@pytest.mark.parametrize("more", [{"mentions": True}, {"search": ("brigid",)}])
def test_what_needs_a_token_says_so_and_the_rest_is_heard(site: FakeMastodon, ask: Any, more: Any) -> None:
    made = site.post("#stbrigid")
    passed = ask(tags=("stbrigid",), **more)
    assert passed.refs == [ref(made)]
    assert isinstance(passed.error, NeedsPerson)
    assert f"set {TOKEN}" in str(passed.error)
    assert "listening.toml" in str(passed.error)
    assert site.seen("/notifications") == site.seen("/search") == []
    assert {request.headers.get("authorization") for request in site.requests} == {None}


# the hospital's own answers


@pytest.mark.parametrize("own", [OWN, "care@elsewhere.example"])
def test_own_replies(site: FakeMastodon, replies: Any, clock: Any, own: str) -> None:
    acct = "care" if own == OWN else own
    asked = site.post("#stbrigid help", at=clock.at - HOUR)
    site.post("We are open", acct, clock.at - 50 * MINUTE)
    site.post("", acct, clock.at - 45 * MINUTE, boosts=asked)
    answered = site.post("@ann@town.example we are here", acct, clock.at - 40 * MINUTE, answers=asked)
    pages = replies(own=own)
    (post,) = [post for page in pages for post in page.posts]
    assert (post.ref, post.answers, post.own, post.author) == (ref(answered), ref(asked), True, own)
    assert pages[0].matched == {}
    clock.at += 2 * HOUR
    second = site.post("@ann@town.example still here", acct, clock.at, answers=asked)
    assert ref(second) in [post.ref for page in replies(dict(pages[-1].cursor), own=own) for post in page.posts]


def test_own_replies_are_ours_also_where_handles_end_otherwise(site: FakeMastodon, replies: Any) -> None:
    site.account("care@stbrigid.example")
    site.post("here", "care@stbrigid.example", answers=site.post("help"))
    assert [post.own for page in replies(own="care@stbrigid.example") for post in page.posts] == [True]


def test_without_an_account_nobody_is_asked(site: FakeMastodon, replies: Any) -> None:
    assert replies(own="") == []
    assert site.requests == []


def test_an_own_account_that_the_instance_does_not_know(replies: Any) -> None:
    with pytest.raises(NeedsPerson, match=r"knows no '@care@far.example'"):
        replies(own="care@far.example")


# what is gone


def test_what_is_gone_and_what_was_edited(site: FakeMastodon, look: Any, clock: Any) -> None:
    made = [site.post(f"#stbrigid {n}", at=clock.at - n * MINUTE) for n in range(45)]
    site.delete(made[3])
    site._statuses[int(made[4])].visibility = "private"
    site.edit(made[5], "#stbrigid worse", clock.at)
    page = look([ref(id_) for id_ in made])
    assert set(page.deleted) == {Ref("mastodon", ref(made[3])), Ref("mastodon", ref(made[4]))}
    texts = {post.ref: post.text for post in page.posts}
    assert (len(texts), texts[ref(made[5])]) == (43, "#stbrigid worse")
    assert [len(set(path.split("/"))) for path in paths(site)] == [4, 4, 4, 5, 5]  # three batches, two by themselves


def test_a_limited_author_is_not_gone(site: FakeMastodon, look: Any) -> None:
    """A batch leaves the post out; by itself it is there."""
    made = site.post("#stbrigid")
    site.account("ann@town.example", limited=True)
    page = look([ref(made)])
    assert ([post.ref for post in page.posts], page.deleted) == ([ref(made)], ())


def test_an_instance_before_batches(site: FakeMastodon, look: Any) -> None:
    site.batches = False
    made = [site.post(f"#stbrigid {n}") for n in range(30)]
    site.delete(made[0])
    page = look([ref(id_) for id_ in made])
    assert (page.deleted, len(page.posts)) == ((Ref("mastodon", ref(made[0])),), 29)


def test_refs_of_another_instance_are_left_alone(site: FakeMastodon, look: Any) -> None:
    page = look(["5@elsewhere.example", "6"])
    assert (page.deleted, page.posts, site.requests) == ((), (), [])


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Status(404, "<html>no such page</html>"), TryLater),
        (Status(404, {"error": "Not Found"}), TryLater),
        (Status(401), NeedsPerson),
        (Status(403), NeedsPerson),
        (Status(500), TryLater),
        (RateLimited(), AskedToWait),
        (NotJson(), TryLater),
        (Reset(), TryLater),
        (BrokenShape({}), TryLater),
        (BrokenShape([{}]), TryLater),
    ],
    ids=str,
)
def test_uncertain_is_not_gone(site: FakeMastodon, look: Any, fault: Any, kind: type[Exception]) -> None:
    made = site.post("#stbrigid")
    site.fail_next(fault, times=None)
    with pytest.raises(kind):
        look([ref(made)])


def test_a_malformed_single_answer_is_not_gone(site: FakeMastodon, look: Any) -> None:
    made = site.post("#stbrigid")
    site.fail_next(BrokenShape([]), on=lambda request: request.path.endswith("statuses"))
    site.fail_next(BrokenShape({"odd": 1}), on=made)
    with pytest.raises(TryLater, match="shape"):
        look([ref(made)])


def test_looking_leaves_requests_to_listening(site: FakeMastodon, look: Any) -> None:
    site.limits["all"] = (110, 300)
    made = [site.post(f"#stbrigid {n}") for n in range(30)]
    for id_ in made[:10]:
        site.delete(id_)
    with pytest.raises(AskedToWait, match="left to listening"):
        look([ref(id_) for id_ in made])
    assert len(site.requests) == 2
    site.limits["all"] = (300, 300)
    assert len(look([ref(id_) for id_ in made]).deleted) == 10


# what the instance refuses


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Status(401), NeedsPerson, "only to those who are logged in"),
        (Status(403), NeedsPerson, "only to those who are logged in"),
        (Status(404), NeedsPerson, "knows no '#stbrigid' (404)"),
        (Status(410), NeedsPerson, "(410)"),
        (Status(422), NeedsPerson, "only to those who are logged in"),
        (Status(402), TryLater, "402"),
        (Status(500), TryLater, "500"),
        (Status(503), TryLater, "503"),
        (Status(304, []), TryLater, "304"),
        (Status(204, ""), TryLater, "not JSON"),
        (NotJson(), TryLater, "not JSON"),
        (Status(200, ""), TryLater, "not JSON"),
        (Status(200, "[" * 100_000), TryLater, "not JSON"),
        (Reset(), TryLater, "ConnectionError"),
        (DropAfter(), TryLater, "ConnectionError"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_trouble_becomes_its_remedy(
    site: FakeMastodon, ask: Any, fault: Any, kind: type[Exception], words: str
) -> None:
    site.post("#stbrigid private words")
    site.fail_next(fault, on="/tag/")
    passed = ask()
    assert isinstance(passed.error, kind)
    assert str(passed.error).startswith("mastodon: ")
    assert words in str(passed.error)
    assert "private words" not in str(passed.error)
    assert passed.pages == []
    assert len(ask(passed.cursor).posts) == 1


def test_an_instance_that_is_closed_to_strangers(site: FakeMastodon, ask: Any) -> None:
    made = site.post("#stbrigid")
    for closed in ("no timelines", "nothing"):
        site.anonymous = closed  # type: ignore[assignment]
        passed = ask()
        assert isinstance(passed.error, NeedsPerson)
        assert TOKEN in str(passed.error)
        assert ask(secrets=SECRETS, tags=("stbrigid",)).refs == [ref(made)]


@pytest.mark.parametrize("secrets", [{}, SECRETS])
def test_timelines_of_tags_that_are_switched_off_are_not_taken_for_empty(
    site: FakeMastodon, ask: Any, secrets: dict[str, str]
) -> None:
    site.tag_feeds = "disabled"
    passed = ask(secrets=secrets, tags=("stbrigid",))
    assert isinstance(passed.error, NeedsPerson)
    assert ("set " + TOKEN in str(passed.error), passed.pages) == (not secrets, [])


def test_a_token_that_is_refused_and_one_that_may_too_little(site: FakeMastodon, ask: Any) -> None:
    passed = ask(secrets={TOKEN: "wrong\n"}, tags=("stbrigid",), mentions=True)
    assert isinstance(passed.error, NeedsPerson)
    assert str(passed.error) == f"mastodon: {HOST} does not accept {TOKEN}; make a new one there"
    site.scopes = set()
    passed = ask(secrets=SECRETS, mentions=True)
    assert "needs the scope read" in str(passed.error)


def test_a_search_that_is_refused(site: FakeMastodon, ask: Any) -> None:
    made = site.post("brigid")
    passed = ask(secrets=SECRETS, search=('"brigid', "brigid"))
    assert passed.refs == [ref(made)]
    assert isinstance(passed.error, NeedsPerson)
    assert "refused 'search:\"brigid'" in str(passed.error)


def test_a_filter_that_is_broken_does_not_silence_the_next(site: FakeMastodon, ask: Any) -> None:
    made = site.post("#stbrigid #er")
    site.fail_next(Status(500), on="/tag/er", times=None)
    passed = ask(tags=("er", "stbrigid"))
    assert (passed.refs, type(passed.error)) == ([ref(made)], TryLater)
    assert passed.cursor["places"]["#er"] == {}


def test_an_instance_that_is_down_is_asked_once(site: FakeMastodon, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "_TIMEOUT", 0.1)
    site.fail_next(Stall(20), times=None, on="/api/v1")
    passed = ask(tags=("one", "two", "three"))
    assert isinstance(passed.error, TryLater)
    assert "ReadTimeout" in str(passed.error)
    assert len(site.seen("/tag/")) == 1


def test_an_answer_that_is_too_large(site: FakeMastodon, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "_LARGEST", 5000)
    many(site, 40, datetime(2026, 11, 18, tzinfo=UTC))
    passed = ask()
    assert isinstance(passed.error, NeedsPerson)
    assert "larger" in str(passed.error)


@pytest.mark.parametrize(
    ("headers", "minutes"),
    [
        ({"x-ratelimit-reset": "2026-11-18T09:05:00.000000Z"}, 5),
        ({"x-ratelimit-reset": "2026-11-18T10:05:00+01:00"}, 5),
        ({"retry-after": "300"}, 5),
        ({"x-ratelimit-reset": "2031-01-01T00:00:00Z"}, 30),
        ({"x-ratelimit-reset": "2020-01-01T00:00:00Z"}, 0),
        ({"x-ratelimit-reset": "soon"}, None),
        ({"x-ratelimit-reset": "2026-11-18T09:05:00"}, None),
        ({}, None),
    ],
)
def test_until_when_it_asks_to_wait(
    site: FakeMastodon, ask: Any, clock: Any, headers: dict[str, str], minutes: int | None
) -> None:
    site.fail_next(Status(429, {"error": "Too many requests"}, headers), on="/tag/")
    passed = ask()
    assert isinstance(passed.error, AskedToWait)
    assert passed.error.at == (None if minutes is None else clock.at + minutes * MINUTE)


def test_its_limit_is_kept_to(site: FakeMastodon, ask: Any, clock: Any) -> None:
    made = many(site, 400, clock.at)
    site.limits["all"] = (8, 300)
    first = ask()
    assert isinstance(first.error, AskedToWait)
    assert first.error.at == datetime(2026, 11, 18, 9, 5, tzinfo=UTC)
    assert len(first.refs) == 280
    clock.at = first.error.at
    second = ask(first.cursor)
    assert sorted({*first.refs, *second.refs}) == sorted(made)


@pytest.mark.parametrize("header", ["x-ratelimit-reset", "x-ratelimit-remaining", "deprecation", "link", "date"])
def test_headers_that_say_nothing(site: FakeMastodon, ask: Any, header: str) -> None:
    made = site.post("#stbrigid")
    whole = site.answer
    site.answer = lambda request: Answer(200, whole(request).body, {header: "odd"})  # type: ignore[method-assign]
    passed = ask()
    assert (passed.refs, passed.error) == ([ref(made)], None)


def test_an_instance_that_does_not_describe_itself(site: FakeMastodon, ask: Any) -> None:
    made = site.post("#stbrigid")
    for fault in (Status(404), NotJson(), BrokenShape([])):
        site.fail_next(fault, on="/instance", times=None)
        assert ask().refs == [ref(made)]
        site.heal()


# settings and secrets


def test_the_token_is_in_no_log(
    site: FakeMastodon, ask: Any, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    site.post("@care my private words")
    with caplog.at_level(logging.DEBUG):
        ask(secrets=SECRETS, mentions=True)
        site.fail_next(Reset(), times=None)
        errors = str(ask(secrets=SECRETS, mentions=True).error)
    assert site.requests[0].headers["authorization"] == "Bearer test-token"
    assert not re.search("test-token|private words", caplog.text + errors + "".join(capsys.readouterr()))


def test_a_gateway_is_asked_without_the_proxies_of_the_machine(
    site: FakeMastodon, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    made = site.post("#stbrigid")
    assert ask().refs == [ref(made)]


def test_no_netrc_replaces_the_token(site: FakeMastodon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("default login ann password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with closing(collector._Session(None, site.base_url)) as session:
        session.request("GET", site.base_url, params={}, headers={"Authorization": "Bearer test-token"})
    assert site.requests[0].headers["authorization"] == "Bearer test-token"


def test_connections_are_closed_also_when_a_pass_is_broken_off(
    site: FakeMastodon, settings: Any, asking: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed, close = list[Any](), requests.Session.close

    def closing_it(session: requests.Session) -> None:
        closed.append(session)
        close(session)

    monkeypatch.setattr("requests.Session.close", closing_it)
    site.post("#stbrigid")
    pages = collector.fetch(settings(tags=("stbrigid",)), {}, asking())
    assert len(next(pages).posts) == 1
    assert closed == []
    pages.close()  # type: ignore[attr-defined]
    assert len(closed) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"tags": ()},
        {"tags": ("#stbrigid",)},
        {"tags": ("st brigid",)},
        {"tags": ("a/b",)},
        {"accounts": ("@news@town.example",)},
        {"accounts": ("news@",)},
        {"search": ("",)},
        {"tags": "stbrigid"},
        {"mentions": "yes"},
        {"instance": "mastodon.social"},
        {"instance": "http://mastodon.social"},
        {"instance": "https://mastodon.social/about"},
        {"instance": "https://ann:secret@mastodon.social"},
        {"domain": "@stbrigid.example"},
        {"subreddits": ("PortAlder",)},
    ],
    ids=str,
)
def test_settings_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        collector.Settings(**{"on": True, "instance": "https://mastodon.social", "tags": ("stbrigid",), **wrong})


def test_settings_that_are_off_may_be_empty() -> None:
    settings = collector.Settings(instance="https://mastodon.social")
    assert (settings.every, settings.quiet_after) == (2 * MINUTE, 7 * DAY)
    assert (settings.keep_for, settings.recheck) == (365 * DAY, DAY)


def test_the_token_is_optional() -> None:
    assert (collector.SECRETS, collector.OPTIONAL_SECRETS) == ((), (TOKEN,))


def test_what_the_library_refuses_to_ask_has_no_answer(settings: Callable[..., Any], asking: Any) -> None:
    """Least of all the one that the request before it had."""

    def refuses() -> None:
        raise MastodonIllegalArgumentError("not like this")

    with closing(collector._Site(settings(), asking(SECRETS))) as site:
        site.ask("its own account", site.client.account_verify_credentials)
        with pytest.raises(TryLater):
            site.ask("the reply", refuses)
