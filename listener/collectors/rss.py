"""News and blogs: RSS and Atom feeds, a Google Alert's among them, through feedparser.

One GET for each feed, and only if it changed. A feed holds its last few items and says nothing of those that it drops:
when a full feed holds none that is known, what lay between is reported as unheard.
What comes is read in a process of its own (listener/feed.py): anybody can write what would stop this one for hours.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from pydantic import Field, StrictBool, field_validator

from config.schema import CollectorSettings, Duration, Table, Url
from listener import web
from listener.errors import AskedToWait, NeedsPerson, SkipPost, TryLater
from listener.feed import READING
from listener.names import names_us
from listener.post import Asking, Page, Post, Unheard, read_post

SECRETS = ()

_TIMEOUT = 15.0  # seconds for an answer
_HEADERS = {
    "User-Agent": "call-light/0.1 (hospital patient service)",
    "Accept": "application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.5",
}
_FIRST_REACH = timedelta(days=7)  # how far back the first pass reads
_IN_FULL = timedelta(hours=1)  # so often a feed is read in full: some caches say for ever that nothing has changed
_LONGEST_WAIT = timedelta(days=1)  # that one feed may ask for
_PAGE = 500
_REMEMBERED = 10_000  # items of a feed, at most
_ALSO_GONE = 200  # items that are no longer in it, remembered as they may come back
_FULL = 10  # a feed with fewer items may just be young
_TOLD = 5  # feeds in one sentence
_LONGEST_REF = 200
_DIGEST = 12  # letters

Place = dict[str, Any]


class Feed(Table):
    """One feed."""

    url: Url
    """Its address, such as "https://news.portalder.example/feed"."""
    all: StrictBool = False
    """true keeps every item, as of a Google Alert, which is a search for us; else only those that may name us."""

    @field_validator("url")
    @classmethod
    def _can_be_asked(cls, url: str) -> str:
        try:
            requests.Request("GET", url).prepare()
        except ValueError:
            raise ValueError('an address such as "https://news.example/feed"') from None
        return url


class Settings(CollectorSettings):
    """Feeds: local news, blogs, Google Alerts."""

    every: Duration = timedelta(minutes=10)
    quiet_after: Duration = timedelta(days=14)
    feeds: Annotated[tuple[Feed, ...], Field(min_length=1)]
    """The feeds, each as { url = "https://news.portalder.example/feed" }."""

    @field_validator("feeds")
    @classmethod
    def _each_once(cls, feeds: tuple[Feed, ...]) -> tuple[Feed, ...]:
        if len({feed.url for feed in feeds}) < len(feeds):
            raise ValueError("each address once")
        return feeds


def fetch(settings: Settings, cursor: Mapping[str, Any], asking: Asking) -> Iterator[Page]:
    """New and changed items of each feed. Cursor: {digest of its address: its place, as _after() makes it}.

    A feed that fails is told at the end: the others are read first, and one that asks to wait holds up no other.
    """
    names, keys = _names(settings.feeds), [_digest(feed.url) for feed in settings.feeds]
    places = {key: dict(cursor.get(key, {})) for key in keys}
    may_name_us, errors = names_us(asking.hospital), list[TryLater | NeedsPerson]()
    with web.guarded(settings.base_url, *(feed.url for feed in settings.feeds)) as session:
        get = partial(_get, session, settings.base_url)
        for feed, name, key in zip(settings.feeds, names, keys, strict=True):
            if asking.stopped():
                return
            try:
                for page, place in _pages(get, feed, name, places[key], asking.now, may_name_us):
                    places[key] = place
                    yield replace(page, cursor=dict(places))
            except (TryLater, NeedsPerson) as error:
                errors.append(error)
                if isinstance(error, AskedToWait) and error.at:
                    places[key] = {**places[key], "wait": error.at.isoformat()}
                    yield Page((), dict(places))
    if errors:
        raise _together(errors, nothing_heard=len(errors) == len(settings.feeds))


def _names(feeds: Sequence[Feed]) -> list[str]:
    """What people are told of each feed: its address without login and query, which may hold a token."""
    bare = [_bare(feed.url)[:200] for feed in feeds]
    return [f"{name} (feed {n})" if bare.count(name) > 1 else name for n, name in enumerate(bare, 1)]


def _bare(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _together(errors: Sequence[TryLater | NeedsPerson], nothing_heard: bool) -> TryLater | NeedsPerson:
    """One error for all feeds that failed. While others are heard, it does not say until when to wait."""
    ordered = sorted(errors, key=lambda error: not isinstance(error, NeedsPerson))
    told = "rss: " + "; ".join(str(error).removeprefix("rss: ") for error in ordered[:_TOLD])
    told += f"; and {len(errors) - _TOLD} more" if len(errors) > _TOLD else ""
    moments = [error.at for error in errors if isinstance(error, TryLater)]
    if len(moments) < len(errors):
        return NeedsPerson(told)
    stated = [moment for moment in moments if moment]
    at = min(stated) if nothing_heard and len(stated) == len(errors) else None
    return (AskedToWait if all(isinstance(error, AskedToWait) for error in errors) else TryLater)(told, at)


# ---------------------------------------------------------------- one feed


def _pages(
    get: Callable[..., web.Answer | None],
    feed: Feed,
    name: str,
    place: Place,
    now: datetime,
    may_name_us: Callable[[str], bool],
) -> Iterator[tuple[Page, Place]]:
    """What is new in a feed, page by page: the last comes with the new place, the others with the old one."""
    answer = get(feed, name, place, now)
    if answer is None:
        yield Page((), {}, matched={name: 0}), _without_wait(place)
        return
    read = _read_apart(name, answer)
    items = read["items"]
    marks = _marks(feed, items)
    written = [min(_moment(item["at"]) or now, now) for item in items]
    seen, since = set(place.get("seen", ())), _since(place, now)
    posts, skipped = [], [SkipPost(f"rss:{name}", "an item that cannot be read")] * read["broken"]
    for item, (ref, mark), at in zip(items, marks, written, strict=True):
        if mark in seen or at < since or not (feed.all or may_name_us(item["text"])):
            continue
        try:
            posts.append(_post(ref, item, at, answer.url, now))
        except SkipPost as skip:
            skipped.append(skip)
    after = _after(place, [mark for _, mark in marks], written, since, now)
    if read["whole"]:  # else something may be missing: next time it is read in full again
        said = {"etag": answer.headers.get("etag"), "modified": answer.headers.get("last-modified")}
        after |= {key: value for key, value in said.items() if value} | {"body": _digest(answer.body)}
    *pages, last = [posts[start : start + _PAGE] for start in range(0, len(posts), _PAGE)] or [[]]
    for some in pages:
        yield Page(tuple(some), {}, matched={name: len(some)}), place
    gap = _gap(name, place, [mark for _, mark in marks], written)
    yield Page(tuple(last), {}, unheard=gap, skipped=tuple(skipped), matched={name: len(last)}), after


def _since(place: Place, now: datetime) -> datetime:
    """What was written before the first pass looked back is nobody's case any more, whenever a feed brings it."""
    first = _moment(place.get("from"))
    return min(first, now - _FIRST_REACH) if first else now - _FIRST_REACH


def _after(place: Place, marks: list[str], written: list[datetime], since: datetime, now: datetime) -> Place:
    """The place once a feed is kept: the items in it and some that were, how many it held, its newest."""
    there = dict.fromkeys(marks)
    gone = [mark for mark in place.get("seen", ()) if mark not in there][:_ALSO_GONE]
    newest = _moment(place.get("newest")) or since
    return {
        "seen": [*there, *gone][:_REMEMBERED],
        "held": len(marks) or place.get("held", 0),
        "newest": max([*written, min(newest, now)]).isoformat(),
        "from": since.isoformat(),
        "read": now.isoformat(),
    }


def _gap(name: str, place: Place, marks: list[str], written: list[datetime]) -> tuple[Unheard, ...]:
    """What lay between the newest item known and the oldest of a full feed that holds no known one any more."""
    known = {mark[:_DIGEST] for mark in place.get("seen", ())}
    met = any(mark[:_DIGEST] in known for mark in marks)
    if not known or met or len(marks) < max(place["held"], _FULL):
        return ()
    since, until = datetime.fromisoformat(place["newest"]), min(written)
    why = f"{name} holds only its last {len(marks)} items, and all of them were new"
    return (Unheard(since, until, why),) if since < until else ()


def _without_wait(place: Place) -> Place:
    return {key: value for key, value in place.items() if key != "wait"}


def _get(
    session: requests.Session, base_url: str | None, feed: Feed, name: str, place: Place, now: datetime
) -> web.Answer | None:
    """The feed as it is now, None if it did not change. Raises TryLater, NeedsPerson."""
    wait = _moment(place.get("wait"))
    if wait and now < wait <= now + _LONGEST_WAIT:
        raise AskedToWait(f"rss: {name}: asks to wait (429)", wait)
    said = {"If-None-Match": place.get("etag"), "If-Modified-Since": place.get("modified")}
    read = _moment(place.get("read"))
    lately = read is not None and read <= now < read + _IN_FULL
    asked = {key: value for key, value in said.items() if value and lately}
    try:
        url = _by(base_url, feed.url) if base_url else feed.url
        answer = web.get(f"rss: {name}", url, headers=_HEADERS | asked, timeout=_TIMEOUT, session=session)
    except ValueError:  # of requests and urllib3 about an address, also one that a site sends us on to
        raise NeedsPerson(f"rss: {name}: is no address, or leads to none; correct it in listening.toml") from None
    if (answer.status == 304 and asked) or (answer.status == 200 and place.get("body") == _digest(answer.body)):
        return None
    if answer.status != 200:
        refused = f"refuses us ({answer.status}); is its address, or the login in it, right?"
        gone = f"is not there ({answer.status}); correct or remove it in listening.toml"
        raise web.remedy(f"rss: {name}", answer, now, {401: refused, 403: refused, 404: gone, 410: gone})
    return replace(answer, url=_bare(feed.url if base_url else answer.url))


def _by(base_url: str, url: str) -> str:
    """The address by way of a gateway."""
    gateway, asked = urlsplit(base_url), urlsplit(url)
    return gateway._replace(path=gateway.path.rstrip("/") + asked.path, query=asked.query).geturl()


# ---------------------------------------------------------------- items as posts


def _marks(feed: Feed, items: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The ref of each item, and a mark that changes with its words.

    A guid is to be unique, and is not always: feeds number their items, each from one, and some give to all of them
    the address of one page. So as much of link and title is added as tells the items of a feed apart.
    """
    names = [item["guid"] or item["link"] or _digest(item["text"]) for item in items]
    alike = Counter(names)
    alike_there = Counter((name, item["link"]) for name, item in zip(names, items, strict=True))
    marks = []
    for name, item in zip(names, items, strict=True):
        ref = name if re.match(r"https?://|urn:|tag:", name) else f"{_digest(feed.url)}:{name}"
        if alike[name] > 1:
            ref += "#" + _digest(item["title"] if alike_there[name, item["link"]] > 1 else item["link"])
        if len(ref) > _LONGEST_REF:
            ref = f"{ref[:150]}#{_digest(ref)}"
        marks.append((ref, _digest(ref) + _digest(item["text"])[:8]))
    return marks


def _post(ref: str, item: Mapping[str, Any], written: datetime, base: str, now: datetime) -> Post:
    where = f"rss:{ref[:60]}"
    if not item["text"]:
        raise SkipPost(where, "no words")
    edited = _moment(item["edited"])
    return read_post(
        where,
        source="rss",
        ref=ref,
        text=item["text"],
        written_at=written,
        edited_at=min(edited, now) if edited and edited > written else None,
        url=_address(base, item["link"]),
        author_name=item["author"][:200] or None,
    )


def _address(base: str, link: str) -> str | None:
    """Where an item can be read: the page itself, not the counter that Google Alerts sends one through."""
    try:
        url = urljoin(base, link) if link else ""
        parts = urlsplit(url)
        if parts.path == "/url" and re.fullmatch(r"www\.google\.[a-z.]+", parts.netloc):
            return parse_qs(parts.query).get("url", [url])[0]
    except ValueError:
        return None
    return url or None


def _moment(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _digest(value: str | bytes) -> str:
    value = value.encode(errors="replace") if isinstance(value, str) else value
    return hashlib.sha256(value).hexdigest()[:_DIGEST]


# ---------------------------------------------------------------- reading, in a process of its own


def _read_apart(name: str, answer: web.Answer) -> dict[str, Any]:
    """What parsed() says of an answer. Raises TryLater, NeedsPerson."""
    charset = re.search(r"charset=[\"']?([\w.:-]{1,40})", answer.headers.get("content-type", ""), re.IGNORECASE)
    command = [sys.executable, "-P", "-m", "listener.feed", charset[1] if charset else ""]
    alone = {"PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        done = subprocess.run(  # noqa: S603  # this Python, and a charset of letters and figures
            command, input=answer.body, capture_output=True, timeout=READING, env=alone, check=False
        )
    except subprocess.TimeoutExpired:
        raise NeedsPerson(
            f"rss: {name}: takes longer than {READING:g} s to read, as no honest feed does; remove it from listening.toml"
        ) from None
    except OSError as error:  # this machine has no room for another process
        raise TryLater(f"rss: {name}: cannot be read now ({type(error).__name__})") from None
    if done.returncode:
        raise TryLater(f"rss: {name}: gives something that cannot be read")
    read: dict[str, Any] = json.loads(done.stdout)
    if not read and answer.body.strip():
        raise NeedsPerson(f"rss: {name}: is a page, no feed; look for the feed's own address on that site")
    if not read or not (read["items"] or read["whole"]):
        raise TryLater(f"rss: {name}: gives an empty or broken feed")
    return read
