"""Sites with feeds on loopback: RSS 2.0 of a newspaper, Atom 1.0 of a blog, the Atom of a Google Alert.

Checked against: RFC 9110 (conditional requests: If-None-Match goes before If-Modified-Since), RFC 4287, the RSS 2.0
specification, and feeds of Google Alerts as people published them (its links lead through www.google.com/url, the words
that were searched for stand in <b>, titles and contents are HTML within XML, and nothing says whether it changed).
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from .place import Place
from .server import HTML_PAGE, Answer, FakeServer, RateLimited, Request

FEEDS = Path(__file__).parent / "feeds"
NEWS, BLOG, ALERT = "/news/rss.xml", "/blog/atom.xml", "/alerts/feeds/0123/4567"
_HTML = {"content-type": "text/html; charset=utf-8"}


class Bytes(str):
    """A body that is sent as it is: the server sends strings only."""

    raw: bytes

    def __new__(cls, raw: bytes) -> Bytes:
        made = super().__new__(cls)
        made.raw = raw
        return made

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return self.raw


@dataclass
class Item:
    """What is in a feed."""

    ref: str
    link: str
    text: str
    author: str
    at: datetime
    edited: datetime | None = None


@dataclass
class Feed:
    """The newest items are all that a feed holds; `changed` is when it last changed."""

    items: list[Item] = field(default_factory=list)
    holds: int | None = None
    changed: datetime = datetime(2026, 11, 1, tzinfo=UTC)


class FakeRss(FakeServer):
    """Three feeds that people write for, and any file that is served as it is."""

    def __init__(self, now: Any) -> None:
        super().__init__(now)
        self.feeds = {NEWS: Feed(), BLOG: Feed(), ALERT: Feed()}
        self.files: dict[str, tuple[bytes, Mapping[str, str]]] = {}
        self._made = 0

    # what people do

    def post(self, path: str, text: str, at: datetime, author: str = "ann") -> str:
        """A new item; its guid."""
        with self._lock:
            self._made += 1
            n, feed = self._made, self.feeds[path]
            if path == NEWS:
                ref = link = f"https://news.example/story/{n}"
            elif path == BLOG:
                ref, link = f"tag:blog.example,2026:{n}", f"/{n}?from=feed&at=home"
            else:
                ref, link = f"tag:google.com,2013:googlealerts/feed:{n}", f"https://forum.example/t?id={n}&page=2"
            feed.items.insert(0, Item(ref, link, text, author, at))
            self._changes(feed)
            return ref

    def edit(self, ref: str, text: str, at: datetime) -> None:
        """Other words for an item."""
        for feed in self.feeds.values():
            for item in feed.items:
                if item.ref == ref:
                    item.text, item.edited = text, at
                    self._changes(feed)

    def drop(self) -> None:
        """Every feed lets go of what it holds."""
        for feed in self.feeds.values():
            feed.items.clear()
            self._changes(feed)

    def serve(self, path: str, body: bytes, **headers: str) -> str:
        """Answer with these bytes there; the whole address."""
        self.files[path] = (body, {name.replace("_", "-"): value for name, value in headers.items()})
        return self.base_url + path

    def _changes(self, feed: Feed) -> None:
        feed.changed = max(feed.changed + timedelta(seconds=1), datetime.fromtimestamp(int(self.now()), UTC))

    # what is answered

    def answer(self, request: Request) -> Answer:
        if request.path in self.files:
            body, headers = self.files[request.path]
            return Answer(200, Bytes(body), {"content-type": "application/xml", **headers})
        feed = self.feeds.get(request.path)
        if feed is None:
            return self.status_answer(404)
        items = feed.items[: feed.holds]
        if request.path == ALERT:
            return Answer(200, _alert(items), {"content-type": "application/atom+xml; charset=UTF-8"})
        text, kind = (_rss(items), "rss") if request.path == NEWS else (_atom(items), "atom")
        validators = {
            "etag": f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"',
            "last-modified": format_datetime(feed.changed, usegmt=True),
        }
        if _unchanged(request.headers, validators["etag"], feed.changed):
            return Answer(304, "", validators)
        return Answer(200, text, {"content-type": f"application/{kind}+xml; charset=utf-8", **validators})

    def status_answer(self, code: int) -> Answer:
        return Answer(code, HTML_PAGE, _HTML)

    def limited_answer(self, fault: RateLimited) -> Answer:
        stated = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
        return Answer(429, HTML_PAGE, {**_HTML, **stated})


def _unchanged(asked: Mapping[str, str], etag: str, changed: datetime) -> bool:
    if "if-none-match" in asked:
        return etag in asked["if-none-match"]
    return "if-modified-since" in asked and changed <= parsedate_to_datetime(asked["if-modified-since"])


def _in_html(text: str) -> str:
    """Text as HTML within XML."""
    return escape(html.escape(text, quote=False))


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _rss(items: list[Item]) -> str:
    entries = "".join(
        f"<item><title>From our readers</title><link>{escape(item.link)}</link>"
        f"<description><![CDATA[<p>{html.escape(item.text)}</p>]]></description>"
        f"<dc:creator>{escape(item.author)}</dc:creator><guid isPermaLink='true'>{item.ref}</guid>"
        f"<pubDate>{format_datetime(item.at)}</pubDate></item>\n"
        for item in items
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<channel><title>Port Alder News</title><link>https://news.example/</link>{entries}</channel></rss>\n"
    )


def _atom(items: list[Item]) -> str:
    entries = "".join(
        f"<entry><id>{item.ref}</id><title>{escape(item.text)}</title><link href='{escape(item.link)}'/>"
        f"<published>{item.at.isoformat()}</published><updated>{(item.edited or item.at).isoformat()}</updated>"
        f"<author><name>{escape(item.author)}</name></author></entry>\n"
        for item in items
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<title>Alder blog</title><id>tag:blog.example,2026:feed</id>{entries}</feed>\n"
    )


def _alert(items: list[Item]) -> str:
    def marked(text: str) -> str:
        return _in_html(text).replace("St. Brigid", escape("<b>St. Brigid</b>"))

    entries = "".join(
        f"<entry><id>{item.ref}</id><title type='html'>{marked(item.text)}</title>"
        f"<link href='https://www.google.com/url?rct=j&amp;sa=t&amp;url={quote(item.link, safe=':/')}"
        "&amp;ct=ga&amp;cd=CAIyGjUwMjhiYWRm&amp;usg=AOvVaw3w'></link>"
        f"<published>{_iso(item.at)}</published><updated>{_iso(item.edited or item.at)}</updated>"
        f"<content type='html'>{marked(item.text)}&amp;nbsp;...</content><author><name></name></author></entry>"
        for item in items
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom" '
        'xmlns:idx="urn:atom-extension:indexing"><id>tag:google.com,2005:reader/user/0123/state/com.google/alerts/4567'
        "</id><title>Google Alert - Saint Brigid</title>"
        f"<link href='https://www.google.com/alerts/feeds/0123/4567' rel='self'></link>{entries}</feed>"
    )


# ---------------------------------------------------------------- for the contract suite

_NO_DELETIONS = "a feed drops its old items all the time and says nothing of those that were deleted"


class FeedsPlace(Place):
    """People write for one feed after the other."""

    server: FakeRss
    turn = 0

    def post(self, text: str, at: datetime, author: str = "ann", answers: str | None = None) -> str:
        path = (NEWS, BLOG, ALERT)[self.turn % 3]
        self.turn += 1
        return self.server.post(path, text, at, author)

    def edit(self, ref: str, text: str, at: datetime) -> None:
        self.server.edit(ref, text, at)

    def lose(self) -> None:
        """A newspaper's feed of twelve items, and twelve stories since it was last read."""
        self.server.drop()
        for n in range(12):
            at = datetime.fromtimestamp(self.server.now() - 60 * (12 - n), UTC)
            self.server.post(NEWS, f"St. Brigid's, story {n}", at)


@contextmanager
def place(clock: Any, folder: Path) -> Iterator[FeedsPlace]:
    """Three feeds."""
    with FakeRss(now=clock) as server:
        yield FeedsPlace(
            server=server,
            settings={
                "feeds": (
                    {"url": f"https://news.example{NEWS}"},
                    {"url": f"https://blog.example{BLOG}"},
                    {"url": f"https://www.google.com{ALERT}", "all": True},
                ),
                "base_url": server.base_url,
            },
            cannot={
                "deleted_post": _NO_DELETIONS,
                "looking_again_is_not_done_too_often": _NO_DELETIONS,
                "own_reply": "a feed has items, and nobody answers in it",
            },
        )
