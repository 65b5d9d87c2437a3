"""RSS and Atom, from a server that speaks HTTP: what becomes of items, and of feeds that mean harm."""

import gzip
import json
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fakes.rss import ALERT, BLOG, FEEDS, NEWS, FakeRss
from fakes.server import DropAfter, NotJson, RateLimited, Stall, Status
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from listener import feed as reading
from listener import web
from listener.collectors import rss as collector
from listener.errors import AskedToWait, NeedsPerson, TryLater

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
SAID = "Four hours at St. Brigid's"
ITEM = "<item><title>{0}</title><guid>https://x.example/{0}</guid></item>"


@pytest.fixture
def rss(clock: Any) -> Iterator[FakeRss]:
    with FakeRss(now=clock) as fake:
        yield fake


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Feeds are read in this process, which is sooner there than a new one; how often."""
    read = []

    def run(command: list[str], **options: Any) -> Any:
        read.append(command[-1])
        try:
            told = json.dumps(reading.parsed(options["input"], command[-1]))
        except Exception:
            return subprocess.CompletedProcess(command, 1, b"", b"")
        return subprocess.CompletedProcess(command, 0, told.encode(), b"")

    monkeypatch.setattr(collector.subprocess, "run", run)
    return read


@pytest.fixture
def ask(rss: FakeRss, one_pass: Callable[..., Any]) -> Callable[..., Any]:
    """One pass over some of the fake's feeds, from a cursor."""

    def run(*paths: str, cursor: dict[str, Any] | None = None, **options: Any) -> Any:
        feeds = tuple({"url": rss.base_url + path, "all": True, **options} for path in paths)
        return one_pass(collector, collector.Settings(on=True, feeds=feeds), cursor or {})

    return run


def feed(*items: str) -> bytes:
    return f"<rss version='2.0'><channel><title>t</title>{''.join(items)}</channel></rss>".encode()


def place(passed: Any) -> dict[str, Any]:
    """The only place in a cursor."""
    (only,) = passed.cursor.values()
    return dict(only)


# what an item becomes


def test_a_post_with_all_that_is_known_of_it(rss: FakeRss, ask: Any, here: Any, clock: Any) -> None:
    ref = rss.post(BLOG, "Café & <care>", clock.at - HOUR, "Ann")
    rss.edit(ref, "Café & <care> at St. Brigid's", clock.at - MINUTE)
    (post,) = ask(BLOG).posts
    assert post.model_dump() == {
        "source": "rss",
        "ref": "tag:blog.example,2026:1",
        "text": "Café & at St. Brigid's",
        "written_at": clock.at - HOUR,
        "edited_at": clock.at - MINUTE,
        "url": f"{rss.base_url}/1?from=feed&at=home",
        "author": None,
        "author_name": "Ann",
        "thread": None,
        "answers": None,
        "quotes": None,
        "place": None,
        "rating": None,
        "reach": None,
        "about_us": False,
        "own": False,
    }


def test_a_google_alert_leads_to_the_page_itself(rss: FakeRss, ask: Any, here: Any, clock: Any) -> None:
    rss.post(ALERT, SAID, clock.at - HOUR)
    (post,) = ask(ALERT).posts
    assert (post.url, post.text, post.edited_at) == ("https://forum.example/t?id=1&page=2", SAID, None)


E20 = "https://herald.example/2026/11/18/families-wait/"
CAFE = [("https://x.example/1", "Café of Saint Brigid’s", None)]
LOL = [("https://x.example/1", "Saint Brigid &j;", None)]
FILES: dict[str, list[tuple[str, str, str | None]]] = {
    "rss090.xml": [
        ("http://old.example/1", "Saint Brigid opens its clinic", None),
        ("http://old.example/2", "Rain on Sunday", None),
    ],
    "rss091.xml": [
        ("http://old.example/3", "Café of Saint Brigid closes\n\nIt is said to open again in May.", None),
    ],
    "rss092.xml": [("*", "No title, no address: sat at Saint Brigid since four. Here.", None)],
    "rss10.xml": [
        (
            "http://town.example/about/7",
            "Council on parking at Saint Brigid\n\nParking was the matter.\nIt took four hours.",
            "2026-11-17T18:30:00",
        )
    ],
    "rss20.xml": [
        (
            "https://herald.example/?p=4711",
            "Families wait at Saint Brigid’s ER\n\nFamilies waited up to nine hours on Tuesday … Continue reading\n\n"
            "Families waited up to nine hours on Tuesday.\n“Nobody came,” said one.",
            "2026-11-18T08:00:00",
        ),
        ("https://herald.example/letters/", "Letters\n\nWrite to us.", "2026-11-18T07:59:59"),
    ],
    "atom03.xml": [("tag:older.example,2026:9", "My visit\n\nSaint Brigid was kind.", "2026-11-17T09:00:00")],
    "atom10.xml": [
        (
            "urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a",
            "Saint Brigid & me\n\nFirst.\nThen nobody < two hours.",
            "2026-11-18T06:00:00",
        ),
        ("urn:uuid:2225c695-cfb8-4ebb-aaaa-80da344efa6a", "A picture", "2026-11-18T06:30:00"),
    ],
    "alert.xml": [
        (
            "tag:google.com,2013:googlealerts/feed:6225395255318560712",
            "Nurses of Saint Brigid's to vote - Port Alder Herald\n\n... the nurses of Saint Brigid will vote on "
            "Friday. It is their second ...",
            "2026-11-18T07:55:01",
        )
    ],
    **dict.fromkeys(("latin1.xml", "utf8_said_to_be_latin1.xml", "utf16.xml", "utf16_without_mark.xml"), CAFE),
    **dict.fromkeys(("utf8_with_mark.xml", "unknown_encoding.xml", "pasted.xml"), CAFE),
    "truncated.xml": [("https://x.example/1", "Whole", None), ("https://x.example/2", "Saint Brigid again", None)],
    "ampersand.xml": [("https://x.example/1", "Mum & dad at Saint Brigid", None)],
    "unclosed.xml": [("https://x.example/1", "Saint Brigid\n\nOne\ntwo\nthree", None)],
    "junk_around.xml": [("https://x.example/1", "Saint Brigid", None)],
    "undeclared_namespace.xml": [("https://x.example/1", "Saint Brigid", None)],
    "control_characters.xml": [("https://x.example/1", "Saint Brigid\ufffd and\x1b more", None)],
    "poisoned_item.xml": [("https://x.example/1", "Before", None), ("https://x.example/3", "Saint Brigid after", None)],
    "no_dates.xml": [("https://x.example/1", "Saint Brigid", None)],
    "odd_dates.xml": [
        ("https://x.example/0", "n0", None),
        ("https://x.example/1", "n1", "2026-11-18T00:00:00"),
        ("https://x.example/2", "n2", "2026-11-18T07:15:00"),
        ("https://x.example/3", "n3", None),  # both lie ahead: it was there when it was heard
        ("https://x.example/4", "n4", None),
        ("https://x.example/5", "n5", None),
    ],
    "no_guid.xml": [("https://x.example/1", "With an address", None), ("*", "Saint Brigid\n\nWithout.", None)],
    "same_guids.xml": [
        ("https://x.example/#*", "One", None),
        ("https://x.example/#*", "Two", None),
        ("https://x.example/#*", "Three at one page", None),
        ("https://x.example/#*", "Four at one page", None),
        ("https://x.example/#*", "Five", None),
        ("https://x.example/#*", "Five", None),
    ],
    "short_guids.xml": [("*:1", "First", None), ("*:/two", "Second", None)],
    "long_guid.xml": [(f"https://x.example/{'a' * 132}#*", "Saint Brigid", None)],
    "html_titles.xml": [
        (f"https://x.example/{n}", text, None)
        for n, text in enumerate(
            [
                "Saint Brigid",
                "Saint Brigid & co",
                "AT&T ’ <3",
                "fever < 40 and 3 > 2",
                "a b c",
                "dad fell nobody comes",
                "x y z w</a",
                "x yz",
                "One\ntwo\nthree",
            ]
        )
    ],
    "relative_links.xml": [("urn:x:1", "One", None), ("urn:x:2", "Two", None), ("urn:x:3", "Three", None)],
    "nothing_said.xml": [("https://x.example/2", "Saint Brigid", None)],
    "empty.xml": [],
    **dict.fromkeys(("bomb.xml", "bomb_behind_a_comment.xml"), LOL),
    "external_entity.xml": [("https://x.example/1", "Saint Brigid &x;", None)],
}


@pytest.mark.parametrize("file", sorted(FILES))
def test_feeds_of_every_kind(rss: FakeRss, ask: Any, here: Any, clock: Any, file: str) -> None:
    rss.serve("/feed", (FEEDS / file).read_bytes())
    passed = ask("/feed")
    assert passed.error is None
    assert passed.pages[-1].matched == {f"{rss.base_url}/feed": len(FILES[file])}
    for post, (ref, text, at) in zip(passed.posts, FILES[file], strict=True):
        assert re.fullmatch(re.escape(ref).replace(r"\*", "[0-9a-f:]{12,25}"), post.ref)
        assert post.text == text
        assert post.written_at == (datetime.fromisoformat(at).replace(tzinfo=UTC) if at else clock.at)


def test_every_file_is_tried() -> None:
    assert {path.name for path in FEEDS.iterdir()} == {*FILES, "page.html", "broken.xml"}


def test_items_that_share_a_guid_are_told_apart(rss: FakeRss, ask: Any, here: Any) -> None:
    rss.serve("/feed", (FEEDS / "same_guids.xml").read_bytes())
    assert len(set(ask("/feed").refs)) == 5  # the last two are one


def test_guids_that_are_short_are_of_their_feed_alone(rss: FakeRss, ask: Any, here: Any) -> None:
    for path in ("/one", "/two"):
        rss.serve(path, feed("<item><title>a</title><guid isPermaLink='false'>1</guid></item>"))
    assert len(set(ask("/one", "/two").refs)) == 2


@pytest.mark.parametrize(
    ("file", "urls"),
    [
        ("rss20.xml", [E20, "https://herald.example/letters/"]),
        ("atom10.xml", ["https://blog.example/en/visit", "https://blog.example/p"]),
        ("alert.xml", ["https://herald.example/vote?id=7&page=2"]),
        ("rss092.xml", [None]),
        ("relative_links.xml", ["{base}/a?b=1&c=2", None, None]),
    ],
)
def test_links(rss: FakeRss, ask: Any, here: Any, file: str, urls: list[str | None]) -> None:
    rss.serve("/feed", (FEEDS / file).read_bytes())
    assert [post.url for post in ask("/feed").posts] == [url and url.format(base=rss.base_url) for url in urls]


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("https://www.google.com/url?q=x&url=https://a.example/b", "https://a.example/b"),
        ("https://www.google.co.uk/url?url=https://a.example/b", "https://a.example/b"),
        ("https://www.google.com/url?url=javascript:alert(1)", None),
        ("https://www.google.com/url?q=x", "https://www.google.com/url?q=x"),
        ("https://evil.example/url?url=https://a.example", "https://evil.example/url?url=https://a.example"),
        ("//a.example/b", "https://a.example/b"),
    ],
)
def test_where_a_link_leads(link: str, url: str | None) -> None:
    item = {"text": "a", "edited": None, "link": link, "author": ""}
    now = datetime(2026, 11, 18, tzinfo=UTC)
    assert collector._post("1", item, now, "https://base.example/feed", now).url == url


@pytest.mark.parametrize(
    ("author", "name"),
    [
        ("<author>Ann</author>", "Ann"),
        ("<author>ann@herald.example (Ann &amp;amp; co)</author>", "Ann & co"),
        ("<author>ann@herald.example</author>", None),
        ("<dc:creator><![CDATA[Ann]]></dc:creator>", "Ann"),
        (f"<author>{'a' * 300}</author>", "a" * 200),
        ("", None),
    ],
)
def test_who_wrote_it(rss: FakeRss, ask: Any, here: Any, author: str, name: str | None) -> None:
    rss.serve("/feed", feed(f"<item><title>a</title>{author}</item>"))
    (post,) = ask("/feed").posts
    assert (post.author, post.author_name) == (None, name)


def test_what_cannot_be_read_is_named_and_the_others_go_on(rss: FakeRss, ask: Any, here: Any) -> None:
    rss.serve("/feed", (FEEDS / "nothing_said.xml").read_bytes())
    assert ask("/feed").skipped == ["rss:https://x.example/1: no words"]
    rss.serve("/feed", (FEEDS / "poisoned_item.xml").read_bytes())
    assert ask("/feed").skipped == [f"rss:{rss.base_url}/feed: an item that cannot be read"]


def test_encodings_that_the_server_states(rss: FakeRss, ask: Any, here: Any) -> None:
    rss.serve("/feed", feed(ITEM.format("Ж")).decode().encode("koi8-r"), content_type="text/xml; charset=koi8-r")
    assert ask("/feed").texts == ["Ж"]
    rss.serve("/feed", feed(ITEM.format("Ж")), content_type="text/xml; charset=windows-1251")
    assert ask("/feed").texts == ["Ж"]


# which items


def test_only_what_may_name_us(rss: FakeRss, ask: Any, here: Any, clock: Any) -> None:
    for text in ("Rain on Sunday", SAID, "Nothing at all"):
        rss.post(NEWS, text, clock.at - HOUR)
    passed = ask(NEWS, all=False)
    assert passed.texts == [f"From our readers\n\n{SAID}"]
    assert passed.pages[0].matched == {rss.base_url + NEWS: 1}
    assert len(ask(NEWS).posts) == 3
    rss.drop()
    assert ask(NEWS, all=False).pages[0].matched == {rss.base_url + NEWS: 0}


def test_the_first_pass_looks_a_week_back_and_so_do_the_others(rss: FakeRss, ask: Any, here: Any, clock: Any) -> None:
    rss.post(BLOG, "long ago", clock.at - 8 * DAY)
    rss.post(BLOG, "lately", clock.at - 6 * DAY)
    first = ask(BLOG)
    assert first.texts == ["lately"]
    clock.at += 30 * DAY
    rss.post(BLOG, "found in the attic", clock.at - 300 * DAY)
    rss.post(BLOG, "told late", clock.at - 30 * DAY)
    assert ask(BLOG, cursor=first.cursor).texts == ["told late"]


def test_a_first_pass_in_the_future_makes_nobody_deaf(rss: FakeRss, ask: Any, here: Any, clock: Any) -> None:
    right = clock.at
    clock.at += 90 * DAY
    cursor = ask(BLOG).cursor
    clock.at = right
    rss.post(BLOG, "now", right - MINUTE)
    assert ask(BLOG, cursor=cursor).texts == ["now"]


def test_an_item_of_tomorrow_was_there_when_it_was_heard(rss: FakeRss, ask: Any, here: Any, clock: Any) -> None:
    rss.edit(rss.post(BLOG, "Concert", clock.at + DAY), "Concert!", clock.at + 2 * DAY)
    (post,) = ask(BLOG).posts
    assert (post.written_at, post.edited_at) == (clock.at, clock.at)


# what was seen before


def test_the_next_pass_gives_what_is_new_or_changed(rss: FakeRss, ask: Any, here: Any, clock: Any) -> None:
    kept = rss.post(BLOG, "one", clock.at - HOUR)
    first = ask(BLOG)
    assert set(place(first)) == {"seen", "held", "newest", "from", "read", "etag", "modified", "body"}
    clock.at += 5 * MINUTE
    assert ask(BLOG, cursor=first.cursor).posts == []
    rss.post(BLOG, "two", clock.at - MINUTE)
    second = ask(BLOG, cursor=first.cursor)
    assert second.texts == ["two"]
    rss.edit(kept, "one, and worse", clock.at)
    (post,) = ask(BLOG, cursor=second.cursor).posts
    assert (post.ref, post.text, post.edited_at) == (kept, "one, and worse", clock.at)


def test_a_feed_that_gives_no_time_of_editing(rss: FakeRss, ask: Any, here: Any, clock: Any) -> None:
    kept = rss.post(NEWS, "one", clock.at - HOUR)
    first = ask(NEWS)
    rss.edit(kept, "two", clock.at)
    (post,) = ask(NEWS, cursor=first.cursor).posts
    assert (post.ref, post.edited_at) == (kept, None)


def test_what_did_not_change_is_not_sent_again(rss: FakeRss, ask: Any, here: Any, clock: Any) -> None:
    rss.post(NEWS, SAID, clock.at - HOUR)
    cursor = ask(NEWS).cursor
    clock.at += 59 * MINUTE
    passed = ask(NEWS, cursor=cursor)
    assert [request.status for request in rss.requests] == [200, 304]
    assert rss.requests[1].headers["if-none-match"] == place(passed)["etag"]
    assert "if-modified-since" in rss.requests[1].headers
    assert (passed.posts, passed.cursor, len(passed.pages)) == ([], cursor, 1)
    assert passed.pages[0].matched == {rss.base_url + NEWS: 0}


@pytest.mark.parametrize("later", [HOUR, -DAY])
def test_once_an_hour_it_is_sent_whatever_the_server_thinks(
    rss: FakeRss, ask: Any, here: Any, clock: Any, later: timedelta
) -> None:
    cursor = ask(NEWS).cursor
    rss.post(NEWS, SAID, clock.at - 2 * DAY)
    rss.fail_next(Status(304, ""), times=None, on=lambda request: "if-none-match" in request.headers)
    assert ask(NEWS, cursor=cursor).posts == []
    clock.at += later
    assert len(ask(NEWS, cursor=cursor).posts) == 1


def test_a_304_that_nobody_asked_for_is_trouble(rss: FakeRss, ask: Any, here: Any) -> None:
    rss.fail_next(Status(304, ""))
    assert str(ask(NEWS).error) == f"rss: {rss.base_url}{NEWS}: answers 304"


def test_the_same_bytes_are_not_read_again(rss: FakeRss, ask: Any, here: list[str], clock: Any) -> None:
    rss.post(ALERT, SAID, clock.at - HOUR)
    cursor = ask(ALERT).cursor
    assert ask(ALERT, cursor=cursor).posts == []
    assert ([request.status for request in rss.requests], len(here)) == ([200, 200], 1)


def test_a_broken_feed_is_asked_for_in_full_again(rss: FakeRss, ask: Any, here: list[str]) -> None:
    rss.serve("/feed", (FEEDS / "truncated.xml").read_bytes(), etag='"1"')
    cursor = ask("/feed").cursor
    ask("/feed", cursor=cursor)
    assert "if-none-match" not in rss.requests[1].headers
    assert len(here) == 2


def test_many_items_come_in_pages_and_the_place_moves_with_the_last(
    rss: FakeRss, ask: Any, here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collector, "_PAGE", 100)
    monkeypatch.setattr(collector, "_REMEMBERED", 220)
    rss.serve("/feed", feed(*(ITEM.format(n) for n in range(250))))
    passed = ask("/feed")
    assert [len(page.posts) for page in passed.pages] == [100, 100, 50]
    assert [page.matched[f"{rss.base_url}/feed"] for page in passed.pages] == [100, 100, 50]
    assert [[len(place.get("seen", ())) for place in page.cursor.values()] for page in passed.pages] == [
        [0],
        [0],
        [220],
    ]


def test_items_that_come_back_are_known(rss: FakeRss, ask: Any, here: Any) -> None:
    rss.serve("/feed", feed(ITEM.format("a"), ITEM.format("b")))
    cursor = ask("/feed").cursor
    rss.serve("/feed", feed(ITEM.format("b"), ITEM.format("c")))
    passed = ask("/feed", cursor=cursor)
    rss.serve("/feed", feed(ITEM.format("a"), ITEM.format("c")))
    assert (passed.texts, ask("/feed", cursor=passed.cursor).texts) == (["c"], [])


# gaps


def dated(*days: int) -> bytes:
    item = "<item><title>n{0}</title><guid>urn:{0}</guid><pubDate>{0} Nov 2026 12:00:00 GMT</pubDate></item>"
    return feed(*(item.format(day) for day in days))


@pytest.mark.parametrize(
    ("before", "after", "gap"),
    [
        (range(1, 11), range(12, 22), (10, 12)),
        (range(1, 11), range(10, 20), None),  # the last one known is still there
        (range(1, 14), range(15, 27), None),  # it holds fewer now: who knows why
        (range(1, 3), range(4, 15), (2, 4)),
        (range(1, 3), range(4, 6), None),  # a young feed
        (range(0), range(1, 16), None),
        (range(11, 21), range(1, 11), None),  # what is new is older: found in the attic
    ],
)
def test_gaps(
    rss: FakeRss, ask: Any, here: Any, clock: Any, before: range, after: range, gap: tuple[int, int] | None
) -> None:
    clock.at = datetime(2026, 11, max(before, default=1) + 1, tzinfo=UTC)
    rss.serve("/feed", dated(*before))
    first = ask("/feed")
    clock.at = datetime(2026, 11, 30, tzinfo=UTC)
    rss.serve("/feed", dated(*after))
    second = ask("/feed", cursor=first.cursor)
    assert first.unheard == []
    assert [(g.since.day, g.until.day) for g in second.unheard] == ([gap] if gap else [])
    for found in second.unheard:
        assert found.why == f"{rss.base_url}/feed holds only its last {len(after)} items, and all of them were new"


def test_gaps_of_a_feed_without_dates(rss: FakeRss, ask: Any, here: Any, clock: Any) -> None:
    def dateless(first: int) -> bytes:
        return feed(*(ITEM.format(n) for n in range(first, first + 12)))

    right, cursor, told = clock.at, {}, []
    for at, first in ((right + 30 * DAY, 0), (right, 11), (right + HOUR, 30), (right + 2 * HOUR, 41)):
        clock.at = at
        rss.serve("/feed", dateless(first))
        passed = ask("/feed", cursor=cursor)
        cursor = passed.cursor
        told.append([(gap.since, gap.until) for gap in passed.unheard])
    assert told == [[], [], [(right, right + HOUR)], []]


def test_no_link_of_a_feed_is_followed(rss: FakeRss, ask: Any, here: Any, clock: Any) -> None:
    """Nor is a picture loaded: whoever wrote it would learn who reads, and from where."""
    with FakeRss(now=clock) as theirs:
        there = f"{theirs.base_url}/planted"
        links = (
            f"<link>{there}</link><comments>{there}</comments><enclosure url='{there}' type='image/png' length='1'/>"
        )
        words = (
            f"<description>&lt;img src='{there}'&gt; &lt;script src='{there}'&gt;&lt;/script&gt; waited</description>"
        )
        head = f"<?xml version='1.0'?><?xml-stylesheet href='{there}'?><!DOCTYPE rss SYSTEM '{there}'>"
        item = f"<item><title>x</title><guid>{there}</guid>{links}{words}</item>"
        rss.serve("/feed", head.encode() + feed(item))
        assert [post.url for post in ask("/feed").posts] == [there]
        assert theirs.requests == []


# trouble


def test_what_fails_is_told_at_the_end(rss: FakeRss, ask: Any, here: Any, clock: Any) -> None:
    rss.post(BLOG, SAID, clock.at - HOUR)
    passed = ask("/nowhere?token=secret", BLOG)
    assert passed.texts == [SAID]
    assert isinstance(passed.error, NeedsPerson)
    assert str(passed.error) == (
        f"rss: {rss.base_url}/nowhere: is not there (404); correct or remove it in listening.toml"
    )


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Status(401), NeedsPerson, "refuses us (401); is its address, or the login in it, right?"),
        (Status(403), NeedsPerson, "refuses us (403)"),
        (Status(410), NeedsPerson, "is not there (410)"),
        (Status(204), TryLater, "answers 204"),
        (Status(503), TryLater, "answers 503"),
        (NotJson(), NeedsPerson, "is a page, no feed; look for the feed's own address on that site"),
        (NotJson(""), TryLater, "gives an empty or broken feed"),
        (NotJson((FEEDS / "broken.xml").read_text()), TryLater, "gives an empty or broken feed"),
        (NotJson((FEEDS / "page.html").read_text()), NeedsPerson, "is a page, no feed"),
        (NotJson("{}"), NeedsPerson, "is a page, no feed"),
        (Status(302, "", {"location": "http://[bad"}), NeedsPerson, "is no address, or leads to none"),
        (Status(302, "", {"location": "file:///etc/passwd"}), TryLater, "no answer (InvalidSchema)"),
        (Status(302, "", {"location": "/news/rss.xml"}), TryLater, "no answer (TooManyRedirects)"),
        (Status(200, "", {"content-encoding": "gzip"}), TryLater, "gives an empty or broken feed"),
        (Status(200, "no gzip", {"content-encoding": "gzip"}), TryLater, "no answer ("),
        (DropAfter(), TryLater, "no answer (ConnectionError)"),
    ],
)
def test_trouble(rss: FakeRss, ask: Any, here: Any, fault: Any, kind: type[Exception], words: str) -> None:
    rss.fail_next(fault, times=None)
    error = ask(NEWS).error
    assert type(error) is kind
    assert str(error).startswith(f"rss: {rss.base_url}{NEWS}: {words}")


def test_a_server_that_is_silent(rss: FakeRss, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "_TIMEOUT", 0.2)
    rss.fail_next(Stall(20))
    assert str(ask(NEWS).error).startswith(f"rss: {rss.base_url}{NEWS}: no answer (ReadTimeout)")


def test_a_machine_that_is_full(rss: FakeRss, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_args: Any, **_options: Any) -> Any:
        raise BlockingIOError

    monkeypatch.setattr(collector.subprocess, "run", run)
    assert str(ask(NEWS).error) == f"rss: {rss.base_url}{NEWS}: cannot be read now (BlockingIOError)"


def test_trouble_with_many(rss: FakeRss, ask: Any) -> None:
    rss.fail_next(Status(503), times=6)
    error = ask(*(f"/{n}" for n in range(8))).error
    assert isinstance(error, NeedsPerson)
    assert str(error).startswith(f"rss: {rss.base_url}/6: is not there")  # what needs somebody comes first
    assert str(error).count("rss: ") == 1
    assert str(error).endswith("; and 3 more")


def test_one_that_asks_to_wait_holds_up_no_other(rss: FakeRss, ask: Any, here: Any, clock: Any) -> None:
    rss.fail_next(RateLimited(retry_after=1800), on=NEWS)
    rss.post(BLOG, SAID, clock.at - HOUR)
    passed = ask(NEWS, BLOG)
    assert passed.texts == [SAID]
    assert (type(passed.error), passed.error.at) == (AskedToWait, None)
    clock.at += 29 * MINUTE
    again = ask(NEWS, BLOG, cursor=passed.cursor)
    assert str(again.error) == f"rss: {rss.base_url}{NEWS}: asks to wait (429)"
    assert len(rss.seen(NEWS)) == 1
    clock.at += MINUTE
    third = ask(NEWS, BLOG, cursor=again.cursor)
    assert (third.error, len(rss.seen(NEWS))) == (None, 2)
    assert not any("wait" in place for place in third.cursor.values())


def test_when_all_ask_to_wait(rss: FakeRss, ask: Any, clock: Any) -> None:
    rss.fail_next(RateLimited(retry_after=1800), on=NEWS)
    rss.fail_next(RateLimited(retry_after=600), on=BLOG)
    error = ask(NEWS, BLOG).error
    assert (type(error), error.at) == (AskedToWait, clock.at + 10 * MINUTE)


def test_a_wait_from_the_future_is_not_believed_and_forgotten(rss: FakeRss, ask: Any, here: Any, clock: Any) -> None:
    first = ask(NEWS)
    rss.fail_next(RateLimited(retry_after=600))
    clock.at += 2 * DAY
    waiting = ask(NEWS, cursor=first.cursor)
    assert "wait" in place(waiting)
    clock.at -= 2 * DAY
    passed = ask(NEWS, cursor=waiting.cursor)
    assert (passed.error, rss.requests[-1].status, place(passed)) == (None, 304, place(first))


def test_it_ends_when_told_to(rss: FakeRss, asking: Any) -> None:
    settings = collector.Settings(on=True, feeds=({"url": rss.base_url + NEWS},))
    assert list(collector.fetch(settings, {}, replace(asking(), stopped=lambda: True))) == []
    assert rss.requests == []


# addresses


def test_by_way_of_a_gateway(
    rss: FakeRss, one_pass: Any, here: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    rss.serve("/gate/feed", feed("<item><title>a</title><link>/b</link></item>"))
    feeds = ({"url": "https://user:pass@news.example:8443/feed?token=secret", "all": True},)
    settings = collector.Settings(on=True, feeds=feeds, base_url=rss.base_url + "/gate/")
    passed = one_pass(collector, settings, {})
    assert (passed.error, [post.url for post in passed.posts]) == (None, ["https://news.example:8443/b"])
    assert (rss.requests[0].path, rss.requests[0].query) == ("/gate/feed", {"token": "secret"})
    assert passed.pages[0].matched == {"https://news.example:8443/feed": 1}
    assert not re.search("secret|pass", str(passed.cursor))


def test_two_feeds_of_one_address(rss: FakeRss, ask: Any, here: Any) -> None:
    rss.serve("/feed", feed())
    passed = ask("/feed?cat=1", "/feed?cat=2")
    assert [list(page.matched) for page in passed.pages] == [
        [f"{rss.base_url}/feed (feed 1)"],
        [f"{rss.base_url}/feed (feed 2)"],
    ]


def test_a_feed_that_moved(rss: FakeRss, ask: Any, here: Any) -> None:
    rss.serve("/new/feed", (FEEDS / "relative_links.xml").read_bytes())
    rss.fail_next(Status(301, "", {"location": "/new/feed"}), on=NEWS)
    passed = ask(NEWS)
    assert passed.posts[0].url == f"{rss.base_url}/a?b=1&c=2"


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"feeds": ()},
        {"feeds": ({"url": "ftp://a.example"},)},
        {"feeds": ({"url": "https://.example/a"},)},
        {"feeds": ({"url": "https://[bad/a"},)},
        {"feeds": ({"url": "https://a.example:99999/a"},)},
        {"feeds": ({"url": "https://a.example/feed", "al": True},)},
        {"feeds": ({"url": "https://a.example/feed", "all": "yes"},)},
        {"feeds": ({"url": "https://a.example/feed"}, {"url": "https://a.example/feed", "all": True})},
        {"feeds": "https://a.example/feed"},
    ],
)
def test_settings_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        collector.Settings(on=True, **wrong)


# feeds that mean harm; these are read as in real life


@pytest.mark.parametrize("file", ["bomb.xml", "bomb_behind_a_comment.xml", "external_entity.xml"])
def test_entities_stay_what_they_are(rss: FakeRss, ask: Any, file: str) -> None:
    rss.serve("/feed", (FEEDS / file).read_bytes())
    assert ask("/feed").texts == [f"Saint Brigid &{'x' if 'external' in file else 'j'};"]


@pytest.mark.slow
def test_reading_ends_when_it_takes_too_long(
    rss: FakeRss, ask: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name of 400 KB would take feedparser a quarter of an hour."""
    monkeypatch.setattr(collector, "READING", 6.0)
    rss.serve("/feed", feed(f"<item><author>{'a' * 400_000}</author></item>"))
    rss.post(BLOG, SAID, clock.at - HOUR)
    passed = ask("/feed", BLOG)
    assert passed.texts == [SAID]
    assert isinstance(passed.error, NeedsPerson)
    assert str(passed.error).startswith(f"rss: {rss.base_url}/feed: takes longer than 6 s to read")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps to a limit of memory")
@pytest.mark.slow
def test_reading_ends_when_it_takes_too_much_memory(rss: FakeRss, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each address within another is longer: 4 MB of them would take 2 GB."""
    monkeypatch.setattr(collector, "READING", 120.0)
    rss.serve("/feed", b"<rss xml:base='http://a.example/'>" + f"<a xml:base='{'b' * 4000}/'>".encode() * 1_000)
    assert str(ask("/feed").error) == f"rss: {rss.base_url}/feed: gives something that cannot be read"


def test_reading_that_nobody_waits_for_ends_too() -> None:
    """The service was killed meanwhile: the system counts."""
    code = (
        "import resource, sys; from listener import feed; sys.argv = ['', '']; feed._alone();"
        "sys.stderr.write(str(resource.getrlimit(resource.RLIMIT_CPU)))"
    )
    done = subprocess.run([sys.executable, "-c", code], input=b"", capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"{}", b"(60, 60)")


def test_reading_knows_no_secret(rss: FakeRss, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    known = []
    run = subprocess.run

    def listen(*args: Any, env: dict[str, str], **options: Any) -> Any:
        known.extend(env)
        return run(*args, env=env, **options)

    monkeypatch.setattr(collector.subprocess, "run", listen)
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    assert ask(NEWS).error is None
    assert known == ["PYTHONPATH"]


@pytest.mark.parametrize("times", [1, 2])
def test_a_feed_that_never_ends_is_left(rss: FakeRss, ask: Any, times: int) -> None:
    """100 MB in 100 KB, and that in 500 bytes."""
    body = feed("a" * 100_000_000)
    for _ in range(times):
        body = gzip.compress(body, 1 if times > 1 else 9)
    rss.serve("/bomb", body, content_encoding=", ".join(["gzip"] * times))
    rss.serve("/feed", feed("a" * 10_000_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    error = ask("/bomb", "/feed").error
    assert isinstance(error, NeedsPerson)
    assert str(error).count("larger than 5 MB") == 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KB


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        (feed(ITEM.format("a "), "<description>", "<a>" * 100_000), ["a"]),
        (feed(f"<item><title>a</title><description><![CDATA[{'<div>' * 100_000}deep{'</div>' * 100_000}]]></description></item>"), ["a\n\ndeep"]),
        (feed(f"<item><title>{'word ' * 50_000}</title></item>"), [("word " * 50_000).strip()]),
        (b"\n" * 1_000_000 + feed(ITEM.format("a")), ["a"]),
    ],
    ids=["deep", "deep HTML", "50,000 words", "blank lines"],
)  # fmt: skip
def test_large_feeds(rss: FakeRss, ask: Any, body: bytes, texts: list[str]) -> None:
    rss.serve("/feed", body)
    passed = ask("/feed")
    assert (passed.error, passed.texts) == (None, texts)


@pytest.mark.deep
def test_ninety_thousand_items(rss: FakeRss, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as 5 MB hold; a busy machine takes its time."""
    monkeypatch.setattr(collector, "READING", 240.0)
    rss.serve("/feed", feed(*(f"<item><title>x{n}</title><guid>{n}</guid></item>" for n in range(90_000))))
    passed = ask("/feed")
    assert (passed.error, len(set(passed.refs))) == (None, 90_000)
    assert len(place(passed)["seen"]) == 10_000


# any bytes

SEEDS = [path.read_bytes() for path in sorted(FEEDS.iterdir())]
SPLINTERS = [
    *(b"<item>", b"</item>", b"<entry>", b"<id a='b'/>", b"<links a='b'/>", b"<author_detail a='b'>x", b"<content>"),
    *(b"<updated_parsed a='b'>1</updated_parsed>", b"<tags a='b'/>", b"<image>", b"<georss:where>", b"<psc:chapter/>"),
    *(b"&#99999999999;", b"&#x110000;", b"&nbsp;", b"&", b"<![CDATA[", b"]]>", b"<!", b"<!--", b"<?", b"\0", b"\xff"),
]


@st.composite
def broken(draw: Any) -> bytes:
    """One of the files with something put in, cut out or changed."""
    body = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(body)))
        end = min(len(body), start + draw(st.integers(0, 40)))
        body = body[:start] + draw(st.sampled_from(SPLINTERS) | st.binary(max_size=9)) + body[end:]
    return bytes(body)


def test_any_bytes(here: Any, asking: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = collector.Settings(on=True, feeds=({"url": "https://a.example/feed", "all": True},))

    def one_pass(cursor: dict[str, Any]) -> Any:
        try:
            return list(collector.fetch(settings, cursor, asking()))
        except (TryLater, NeedsPerson) as error:
            return error

    @hypothesis_settings(max_examples=400)
    @given(body=st.binary(max_size=400) | broken(), charset=st.sampled_from(["", "utf-16", "punycode", "zip", "hex"]))
    def check(body: bytes, charset: str) -> None:
        answer = web.Answer(200, {"content-type": f"text/xml; charset={charset}"}, body, "https://a.example/feed")
        monkeypatch.setattr(web, "get", lambda *args, **options: answer)
        told = one_pass({})
        if isinstance(told, Exception):
            assert str(told).startswith("rss: https://a.example/feed: ")
        else:
            assert len(told) == 1
            assert [page.posts for page in one_pass(told[0].cursor)] == [()]

    check()
