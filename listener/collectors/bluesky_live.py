"""Bluesky as it happens: everything that is posted there, from Jetstream, without an account and without cost.

It stays connected, looks at each post for one of our names, and hears what is deleted. The frames are read here, with the
library that atproto reads them with: atproto's own client passes over all that it cannot read in silence, and sleeps up
to a minute before it connects again. The place is the time at which Jetstream saw the last event: its numbers mean
something else on each of its servers, and a number that is too old is refused, a time is only moved to the oldest.
Jetstream names an author only by the account's permanent name; the handles are asked for, and nothing waits for them.
"""

import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from config.schema import CollectorSettings, Duration, Url
from listener.collectors.bluesky import (
    PUBLIC,
    ask_public,
    looked_up,
    moment,
    post_of,
    quoted,
    reset_at,
    text_of,
    within,
)
from listener.errors import AskedToWait, NeedsPerson, SkipPost, TryLater
from listener.names import names_us
from listener.post import Asking, Page, Post, Ref, Unheard

if TYPE_CHECKING:
    from websockets.exceptions import InvalidStatus
    from websockets.sync.client import ClientConnection

SECRETS = ()
LIVE = True

_TIMEOUT = 10.0  # seconds to connect, and for the first event
_SILENCE = 30.0  # seconds: on the whole network something is posted all the time
_LOOK = 1.0  # seconds between two looks at whether to stop
_PAGE_EVERY = 2.0  # seconds
_PAGE_EVENTS, _PAGE_POSTS, _PAGE_DELETED = 1000, 100, 500
_METHOD = "network.bsky.jetstream.subscribeEvents"
_COLLECTION = "app.bsky.feed.post"
_LARGEST = 1_000_000  # bytes of an event
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_OLDEST_TIME = 10**15  # Jetstream takes anything smaller for one of its numbers
_AHEAD = timedelta(minutes=1)  # so much a place may be ahead of our clock
_REWIND = timedelta(minutes=10)  # from where to listen again when it is more
_HOLE = timedelta(minutes=5)  # without any post on the whole network
_PROFILES = 25  # in one request
_PATIENCE = 5.0  # seconds for handles
_REMEMBERED = 3600.0  # seconds that they are known
_REST = 60.0  # seconds, after they could not be asked for

# It writes every frame, the posts too, at DEBUG.
logging.getLogger("websockets").setLevel(logging.INFO)


class Settings(CollectorSettings):
    """Bluesky as it happens: everything that is posted there, free, without an account."""

    every: Duration = timedelta(seconds=30)
    quiet_after: Duration = timedelta(days=7)
    first_reach: Duration = timedelta(hours=6)
    """How far back it listens the first time, such as "6h"."""
    server: Url = "https://jetstream.us-east.bsky.network"
    """The Jetstream (version 2) that it listens to; leave it out."""
    public_url: Url = PUBLIC
    """The server that is asked for handles and kept posts; leave it out."""


def fetch(settings: Settings, cursor: Mapping[str, Any], asking: Asking) -> Iterator[Page]:
    """What names us, answers or quotes us, or is ours, and everything that is deleted.

    Cursor: {"time_us": when Jetstream saw the last event, "own": [the hospital's handle, its permanent name]}.
    """
    people, place = _People(settings, asking, cursor.get("own")), _place(cursor)
    with _connected(settings, _start(settings, place, asking.now), asking.now) as socket:
        stream, batch, told = _Stream(socket, asking, place), _Batch(place), False
        try:
            while not (asking.stopped() or stream.over()):
                commit = stream.next(0 if batch.heard else min(_LOOK, _TIMEOUT / 4))
                if commit is not None:
                    batch.add(commit, people)
                if batch.is_due() or (commit is None and batch.heard):
                    yield _page(batch, people, stream)
                    batch, told = _Batch(batch.place), True
        except TryLater:
            if batch.events:
                yield _page(batch, people, stream)
            raise
        if batch.events or not told:
            yield _page(batch, people, stream)
    if people.wrong is not None and not asking.stopped():
        raise people.wrong


def lookup(settings: Settings, refs: Sequence[str], asking: Asking) -> Page:
    """These posts as they are now; those that Bluesky shows to nobody are gone. An account that is gone announces nothing."""
    return looked_up("bluesky_live", settings.base_url, settings.public_url, refs, asking.now, _TIMEOUT)


# ---------------------------------------------------------------- the connection


def _place(cursor: Mapping[str, Any]) -> datetime | None:
    stated = cursor.get("time_us")
    try:
        return _EPOCH + stated * _MICROSECOND if isinstance(stated, int) and stated >= _OLDEST_TIME else None
    except OverflowError:
        return None


def _start(settings: Settings, place: datetime | None, now: datetime) -> int:
    """From when to listen, in microseconds."""
    start = now - settings.first_reach if place is None else place
    if start > now + _AHEAD:  # a clock was wrong, then or now
        start = now - _REWIND
    return max((start - _EPOCH) // _MICROSECOND, _OLDEST_TIME)


def _connected(settings: Settings, start: int, now: datetime) -> "ClientConnection":
    """A connection that sends every post from `start` on. Raises TryLater, NeedsPerson."""
    from websockets.exceptions import InvalidStatus, WebSocketException
    from websockets.sync.client import connect
    from websockets.typing import Subprotocol

    asked = {"collections": _COLLECTION, "kinds": "commit", "cursor": start, "maxMessageSizeBytes": _LARGEST}
    server = (settings.base_url or settings.server).rstrip("/")
    try:
        return connect(
            f"ws{server.removeprefix('http')}/xrpc/{_METHOD}?{urlencode(asked)}",
            subprotocols=[Subprotocol("xrpc.v1.json")],
            compression=None,
            open_timeout=_TIMEOUT,
            close_timeout=0.5,
            max_size=2 * _LARGEST,
            proxy=None if settings.base_url else True,
        )
    except InvalidStatus as error:
        raise _remedy(error, now) from None
    except (WebSocketException, OSError) as error:
        raise TryLater(
            f"bluesky_live: no connection to Jetstream ({type(error).__name__}); check the network, the next pass tries again"
        ) from None


def _remedy(error: "InvalidStatus", now: datetime) -> TryLater | NeedsPerson:
    status = error.response.status_code
    if status == 429:
        headers = {name.lower(): value for name, value in error.response.headers.raw_items()}
        return AskedToWait("bluesky_live: Jetstream asks to wait (429)", reset_at(headers, now))
    if status in (401, 403, 404):
        return NeedsPerson(
            f"bluesky_live: no Jetstream that is open to all answers at the address ({status}); "
            "it needs one of version 2: check server, or base_url, in listening.toml"
        )
    return TryLater(f"bluesky_live: Jetstream answers {status}")


class _Stream:
    """The commits of one connection."""

    def __init__(self, socket: "ClientConnection", asking: Asking, place: datetime | None) -> None:
        self._socket, self._asking, self._place = socket, asking, place
        self._waited = 0.0  # seconds since the last event; what is done with it meanwhile does not count
        self._lingered: float | None = None  # seconds since it has caught up
        self._closed = self._outdated = False
        self._first: datetime | None = None  # the time of the first event
        self.unheard: tuple[Unheard, ...] = ()

    def over(self) -> bool:
        """Whether nothing more is to come."""
        if self._closed or self._asking.stays:
            return self._closed
        patience = _TIMEOUT if self._first is None else _TIMEOUT / 4
        return self._waited > patience or (self._lingered or 0) > _TIMEOUT / 4

    def next(self, wait: float) -> Mapping[str, Any] | None:
        """The next commit; None when none came within `wait` seconds. Raises TryLater."""
        from websockets.exceptions import ConnectionClosed, ConnectionClosedOK

        began = time.monotonic()
        try:
            frame = self._socket.recv(wait)
        except TimeoutError:
            self._count(began)
            if self._asking.stays and self._waited > _SILENCE:
                raise TryLater(
                    f"bluesky_live: Jetstream is connected but has sent nothing for {_SILENCE:g} s"
                ) from None
            return None
        except ConnectionClosed as error:
            self._closed = isinstance(error, ConnectionClosedOK) and self._first is not None
            if self._closed:
                return None
            raise TryLater("bluesky_live: Jetstream closed the connection; the next pass goes on from there") from None
        self._count(began)
        return self._commit(frame)

    def _count(self, began: float) -> None:
        spent = time.monotonic() - began
        self._waited += spent
        if self._lingered is not None:
            self._lingered += spent

    def _commit(self, frame: str | bytes) -> Mapping[str, Any] | None:
        try:
            message = json.loads(frame)
        except (ValueError, RecursionError):
            message = None
        kind = within(message, "$type")
        if kind == "error":
            raise TryLater(f"bluesky_live: Jetstream ends the stream ({str(within(message, 'error'))[:40]})")
        payload = within(message, "payload")
        if kind != "message" or not isinstance(payload, dict):
            if self._first is None:  # later it is one frame among good ones
                raise TryLater(
                    "bluesky_live: this is not what Jetstream sends; is something else answering in its place?"
                )
            return None
        what = str(payload.get("$type")).removeprefix(_METHOD)
        self._outdated = self._outdated or (what == "#info" and payload.get("name") == "OutdatedCursor")
        return self._timed(payload) if what == "#commit" else None

    def _timed(self, commit: dict[str, Any]) -> Mapping[str, Any]:
        """The commit with the time at which it was seen."""
        at = moment(commit.get("witnessedAt")) or moment(commit.get("time"))
        self._waited = 0.0
        if at is not None:
            if self._first is None:
                self._first = at
                self._tell_hole(at)
            if at >= self._asking.now and self._lingered is None:
                self._lingered = 0.0
        return {**commit, "seen": at}

    def _tell_hole(self, first: datetime) -> None:
        if self._place is not None and (self._outdated or first - self._place > _HOLE) and first > self._place:
            self.unheard = (Unheard(self._place, first, "Jetstream gives nothing older than that any more"),)


# ---------------------------------------------------------------- what is heard


@dataclass
class _Batch:
    """Events until they are worth a page."""

    place: datetime | None
    since: float = field(default_factory=time.monotonic)
    events: int = 0
    heard: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    deleted: dict[str, None] = field(default_factory=dict)
    skipped: list[SkipPost] = field(default_factory=list)

    def add(self, commit: Mapping[str, Any], people: "_People") -> None:
        """One event: kept if it is for us."""
        did, key, seen = commit.get("did"), commit.get("rkey"), commit["seen"]
        self.events += 1
        if not isinstance(did, str) or not isinstance(key, str) or seen is None:
            self.skipped.append(SkipPost(f"bluesky_live:{str(commit.get('seq'))[:30]}", "unknown shape"))
            return
        self.place = seen
        uri = f"at://{did}/{_COLLECTION}/{key}"
        if commit.get("collection") != _COLLECTION:
            return
        if commit.get("operation") == "delete":
            self.deleted[uri] = None
        elif people.are_meant(did, commit.get("record")):
            self.deleted.pop(uri, None)
            self.heard.append((uri, commit))

    def is_due(self) -> bool:
        """Whether a page is to be made, whatever comes next."""
        full = self.events >= _PAGE_EVENTS or len(self.heard) >= _PAGE_POSTS or len(self.deleted) >= _PAGE_DELETED
        return full or (self.events > 0 and time.monotonic() - self.since > _PAGE_EVERY)


def _page(batch: _Batch, people: "_People", stream: _Stream) -> Page:
    people.learn([str(commit["did"]) for _, commit in batch.heard])
    posts, skipped = [], list(batch.skipped)
    for uri, commit in batch.heard:
        try:
            posts.append(_post(uri, commit, people))
        except SkipPost as skip:
            skipped.append(skip)
    cursor: dict[str, Any] = {}
    if batch.place is not None:
        cursor["time_us"] = (batch.place - _EPOCH) // _MICROSECOND
    if people.own is not None:
        cursor["own"] = [people.handle, people.own]
    deleted = tuple(Ref("bluesky", uri) for uri in batch.deleted)
    matched = {"names": sum(not post.own for post in posts)}
    unheard, stream.unheard = stream.unheard, ()
    return Page(tuple(posts), cursor, unheard=unheard, skipped=tuple(skipped), deleted=deleted, matched=matched)


def _post(uri: str, commit: Mapping[str, Any], people: "_People") -> Post:
    author = people.known.get(commit["did"])
    edited_at = commit["seen"] if commit.get("operation") == "update" else None
    reach = within(author, "followersCount")
    return post_of(
        uri,
        commit.get("record"),
        author,
        commit["seen"],
        edited_at=edited_at,
        own=commit["did"] == people.own,
        reach=reach if isinstance(reach, int) and 0 <= reach < 2**31 else None,
    )


class _People:
    """Who is us and who are they: asked of Bluesky's public server, which may fail without harm."""

    def __init__(self, settings: Settings, asking: Asking, kept: Any) -> None:
        self._settings, self._asking = settings, asking
        self._names = names_us(asking.hospital)
        self._rest_until = self._forget_at = 0.0
        self.known: dict[str, Any] = {}
        self.handle = asking.hospital.accounts.bluesky
        self.wrong: NeedsPerson | None = None
        self.own: str | None = self.handle if self.handle.startswith("did:") else None
        if isinstance(kept, list) and len(kept) == 2 and kept[0] == self.handle and isinstance(kept[1], str):
            self.own = kept[1]
        self._find_own()

    def are_meant(self, did: str, record: Any) -> bool:
        """Whether a post is ours, is to us, or may name us."""
        if self.own is not None and (did == self.own or self.own in _addressed(record)):
            return True
        text = text_of(record)
        return isinstance(text, str) and self._names(text)

    def learn(self, dids: Sequence[str]) -> None:
        """Ask for the profiles of these accounts, as far as they are not known."""
        now = time.monotonic()
        if now > self._forget_at:
            self.known, self._forget_at = {}, now + _REMEMBERED
        if now < self._rest_until:
            return
        if self.own is None and self.wrong is None:
            self._find_own()
        unknown = [did for did in dict.fromkeys(dids) if did not in self.known]
        for start in range(0, len(unknown), _PROFILES):
            some = unknown[start : start + _PROFILES]
            answer = self._ask("app.bsky.actor.getProfiles", {"actors": some})
            profiles = within(answer, "profiles")
            if not isinstance(profiles, list):
                return
            self.known |= dict.fromkeys(some) | {str(within(profile, "did")): profile for profile in profiles}

    def _find_own(self) -> None:
        """The permanent name of the hospital's account."""
        if not self.handle or self.handle.startswith("did:"):
            return
        unknown = {400: f"Bluesky knows no account {self.handle!r}; correct accounts.bluesky in hospital.toml"}
        did = within(self._ask("com.atproto.identity.resolveHandle", {"handle": self.handle}, unknown), "did")
        self.own = did if isinstance(did, str) else self.own

    def _ask(self, method: str, params: Mapping[str, Any], people: Mapping[int, str] | None = None) -> Any:
        """The answer; None when there is none, and the next is asked for after a rest."""
        base_url, public_url = self._settings.base_url, self._settings.public_url
        timeout = min(_TIMEOUT, _PATIENCE)
        try:
            return ask_public("bluesky_live", base_url, public_url, method, params, self._asking.now, timeout, people)
        except (TryLater, NeedsPerson) as error:
            self._rest_until = time.monotonic() + _REST
            self.wrong = error if isinstance(error, NeedsPerson) else None
            return None


def _addressed(record: Any) -> set[str]:
    """The accounts that a post answers, quotes or mentions."""
    uris = (within(record, "reply", "root", "uri"), within(record, "reply", "parent", "uri"), quoted(record))
    found = {uri.split("/")[2] for uri in uris if isinstance(uri, str) and uri.startswith("at://")}
    facets = within(record, "facets")
    for facet in facets if isinstance(facets, list) else ():
        features = within(facet, "features")
        found |= {str(within(feature, "did")) for feature in (features if isinstance(features, list) else ())}
    return found
