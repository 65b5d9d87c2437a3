"""Bluesky on loopback: logins, search, feeds, posts, new ones too, profiles and handles, as PDS and AppView answer.

Checked against: Bluesky's own PDS and AppView (npm @atproto/dev-env 0.3.215, see test_bluesky_pds.py), the search's
paging against issues 3583 and 2838 of bluesky-social/atproto; driven by atproto 0.0.73 in test_bluesky.py.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from . import server
from .place import Place
from .server import Answer, FakeServer, RateLimited, Request, epoch

COLLECTION = "app.bsky.feed.post"
HOSPITAL = "care.stbrigid.example"
DEPTH = 10_000
LONGEST = 300  # characters as people count them; here code points
LOGINS = ((300, 30), (86_400, 300))  # within so many seconds, so many
MARGIN = 2 * 3600  # seconds that an access token lasts
_NUMBERS = itertools.count(1)
_SORTABLE = "234567abcdefghijklmnopqrstuvwxyz"
_SCOPES = {"access": "com.atproto.appPass", "refresh": "com.atproto.refresh"}
_ERRORS = {
    401: ("AuthMissing", "Authentication Required"),
    403: ("Forbidden", "Forbidden"),
    404: ("XRPCNotSupported", "XRPCNotSupported"),
    501: ("MethodNotImplemented", "Method Not Implemented"),
    429: ("RateLimitExceeded", "Rate Limit Exceeded"),
    500: ("InternalServerError", "Internal Server Error"),
    502: ("UpstreamFailure", "Upstream Failure"),
    503: ("NotEnoughResources", "Service Unavailable"),
}


def stamp(at: float) -> str:
    """A moment as Bluesky writes it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def refused(status: int, name: str, message: str) -> Answer:
    """The body of every XRPC error."""
    return Answer(status, {"error": name, "message": message})


class Refused(Exception):
    """A request that Bluesky refuses."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(name)
        self.answer = refused(status, name, message)


@dataclass
class User:
    """An account."""

    did: str
    handle: str
    name: str
    password: str = ""
    followers: int = 0

    def shown(self, detailed: bool = False) -> dict[str, Any]:
        basic = {"did": self.did, "handle": self.handle, "displayName": self.name, "labels": []}
        counts = {"followersCount": self.followers, "followsCount": 1, "postsCount": 1}
        return basic | (counts if detailed else {})


@dataclass
class Post:
    """A record, and what the AppView knows of it."""

    uri: str
    author: User
    record: dict[str, Any]
    indexed: float
    deleted: bool = False
    closed: bool = False  # its author lets only some people answer
    cid: str = field(default_factory=lambda: f"bafyrei{next(_NUMBERS):052d}")

    @property
    def sort_at(self) -> float:
        return min(datetime.fromisoformat(self.record["createdAt"]).timestamp(), self.indexed)

    def named(self) -> dict[str, str]:
        return {"uri": self.uri, "cid": self.cid}

    def shown(self) -> dict[str, Any]:
        counts = {"replyCount": 0, "repostCount": 0, "likeCount": 0, "quoteCount": 0, "bookmarkCount": 0}
        said = {"author": self.author.shown(), "record": self.record, "indexedAt": stamp(self.indexed), "labels": []}
        return self.named() | said | counts


class _Handler(server._Handler):
    """XRPC repeats a parameter for each value; FakeServer keeps one of each: here they are one, line by line."""

    def do_GET(self) -> None:
        self.server.fake.here.handler = self  # type: ignore[attr-defined]
        url = urlsplit(self.path)
        joined = {name: "\n".join(values) for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        self.path = f"{url.path}?{urlencode(joined)}"
        super().do_GET()


class FakeBluesky(FakeServer):
    """Bluesky with people on it."""

    def __init__(self, now: Callable[[], float] = time.time, port: int = 0) -> None:
        super().__init__(now, port)
        self.here = threading.local()
        self.users: dict[str, User] = {}
        self.posts: dict[str, Post] = {}
        self.reposts: list[tuple[User, Post, float]] = []
        self.logins: list[float] = []
        self.depth = DEPTH
        self.lasts = MARGIN
        self.endpoint: str | None = None  # what the account's document says its server is
        self._tokens: dict[str, User] = {}
        self._found: tuple[Any, list[Post]] | None = None

    def __enter__(self) -> Self:
        super().__enter__()
        assert self._http is not None
        self._http.RequestHandlerClass = _Handler
        return self

    # people

    def user(self, handle: str, **known: Any) -> User:
        """The account with this handle; a new one at its first time."""
        found = self.users.get(handle)
        if found is None:
            did = "did:plc:" + base64.b32encode(f"{next(_NUMBERS):015d}".encode()).decode().lower()
            found = self.users[handle] = User(did, handle, handle.partition(".")[0].title())
        for name, value in known.items():
            setattr(found, name, value)
        return found

    def post(
        self,
        text: str,
        handle: str = "somebody.bsky.social",
        at: datetime | None = None,
        answers: str | None = None,
        **more: Any,
    ) -> str:
        """Someone posts; its at-uri. `more` goes into the record."""
        author, created = self.user(handle), self.now() if at is None else epoch(at)
        record: dict[str, Any] = {
            "$type": COLLECTION,
            "text": text,
            "createdAt": stamp(created),
            "langs": ["en"],
        } | more
        if answers is not None:
            parent = self.posts[answers]
            root = parent.record.get("reply", {}).get("root") or parent.named()
            record["reply"] = {"root": root, "parent": parent.named()}
        number = next(_NUMBERS)
        key = "3m" + "".join(_SORTABLE[number >> shift & 31] for shift in range(50, -5, -5))
        uri = f"at://{author.did}/{COLLECTION}/{key}"
        self.posts[uri] = Post(uri, author, record, max(self.now(), created) if at is None else self.now())
        self.changed(uri, "create")
        return uri

    def edit(self, uri: str, text: str) -> None:
        """The record is put anew (apps do not offer it, the protocol does)."""
        self.posts[uri].record = self.posts[uri].record | {"text": text}
        self.changed(uri, "update")

    def delete(self, uri: str) -> None:
        self.posts[uri].deleted = True
        self.changed(uri, "delete")

    def repost(self, handle: str, uri: str) -> None:
        self.reposts.append((self.user(handle), self.posts[uri], self.now()))

    def changed(self, uri: str, operation: str) -> None:
        """Something happened to a record."""
        self._found = None

    def end_sessions(self) -> None:
        """No login holds any more, as when an app password is taken back."""
        self._tokens.clear()

    # answers

    def answer(self, request: Request) -> Answer:
        method = request.path.removeprefix("/xrpc/")
        answered = {
            "com.atproto.server.createSession": self._create_session,
            "com.atproto.server.refreshSession": self._refresh_session,
            "com.atproto.identity.resolveHandle": self._resolve,
            "app.bsky.feed.searchPosts": self._search,
            "app.bsky.feed.getAuthorFeed": self._author_feed,
            "app.bsky.feed.getPosts": self._get_posts,
            "app.bsky.actor.getProfiles": self._profiles,
            "com.atproto.repo.createRecord": self._create,
            "com.atproto.repo.listRecords": self._records,
        }.get(method)
        try:
            return answered(request) if answered else self.status_answer(501)
        except Refused as why:
            return why.answer

    def status_answer(self, code: int) -> Answer:
        return refused(code, *_ERRORS.get(code, ("Unknown", "Unknown")))

    def limited_answer(self, fault: RateLimited) -> Answer:
        headers = {"ratelimit-limit": "3000", "ratelimit-remaining": "0", "ratelimit-policy": "3000;w=300"}
        if fault.reset is not None:
            headers["ratelimit-reset"] = str(int(fault.reset))
        if fault.retry_after is not None:
            headers["retry-after"] = str(fault.retry_after)
        return Answer(429, self.status_answer(429).body, headers)

    def _create_session(self, request: Request) -> Answer:
        for seconds, most in LOGINS:
            recent = [at for at in self.logins if at > self.now() - seconds]
            if len(recent) >= most:
                return self.limited_answer(RateLimited(reset=recent[0] + seconds))
        self.logins.append(self.now())
        user = self.users.get(str(request.body["identifier"]).lower())
        if user is None or not user.password or user.password != request.body["password"]:
            raise Refused(401, "AuthenticationRequired", "Invalid identifier or password")
        return self._session(user)

    def _refresh_session(self, request: Request) -> Answer:
        return self._session(self._who(request, "refresh"))

    def _session(self, user: User) -> Answer:
        service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer"}
        document = {
            "@context": ["https://www.w3.org/ns/did/v1"],
            "id": user.did,
            "alsoKnownAs": [f"at://{user.handle}"],
            "service": [service | {"serviceEndpoint": self.endpoint or self.base_url}],
        }
        tokens = {f"{kind}Jwt": self._token(user, kind) for kind in ("access", "refresh")}
        return Answer(200, {"did": user.did, "handle": user.handle, "didDoc": document, "active": True} | tokens)

    def _token(self, user: User, kind: str) -> str:
        # By the machine's clock: atproto compares it with that.
        ends = int(time.time()) + (self.lasts if kind == "access" else 90 * 86_400)
        claims = {"scope": _SCOPES[kind], "sub": user.did, "exp": ends, "jti": str(next(_NUMBERS))}
        parts = ({"typ": "at+jwt", "alg": "ES256K"}, claims)
        token = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
        self._tokens[token := f"{token}.c2ln"] = user
        return token

    def _who(self, request: Request, kind: str = "access") -> User:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not token:
            raise Refused(401, "AuthMissing", "Authentication Required")
        user = self._tokens.get(token)
        if user is None:
            raise Refused(400, "ExpiredToken", "Token has been revoked")
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==="))
        if (claims["scope"] == _SCOPES["refresh"]) != (kind == "refresh"):
            raise Refused(400, "InvalidToken", "Invalid token type")
        return user

    def _search(self, request: Request) -> Answer:
        if "authorization" not in request.headers:
            return Answer(
                403, "<html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>\n"
            )
        self._who(request)
        query, limit = request.query, _limit(request.query, 100)
        if not query.get("q"):
            raise Refused(400, "InvalidRequest", 'Error: Params must have the property "q"')
        offset = query.get("cursor", "0")
        if not offset.isdigit():
            raise Refused(400, "InvalidRequest", "Malformed cursor")
        found = self._matching(query["q"], query.get("since"), query.get("until"))[: self.depth]
        page = found[int(offset) : int(offset) + limit]
        body: dict[str, Any] = {"posts": [post.shown() for post in page if not post.deleted], "hitsTotal": len(found)}
        if int(offset) + limit < len(found):
            body["cursor"] = str(int(offset) + limit)
        return Answer(200, body)

    def _matching(self, q: str, since: str | None, until: str | None) -> list[Post]:
        asked = (q, since, until)
        if self._found is None or self._found[0] != asked:
            wanted = [_words(phrase or word) for phrase, word in re.findall(r'"([^"]+)"|(\S+)', q)]
            low, high = (datetime.fromisoformat(at).timestamp() if at else None for at in (since, until))
            found = [
                post
                for post in self.posts.values()
                if not post.deleted
                and (low is None or post.sort_at >= low)
                and (high is None or post.sort_at < high)
                and all(f" {words} " in f" {_words(post.record['text'])} " for words in wanted)
            ]
            self._found = (asked, sorted(found, key=lambda post: (post.sort_at, post.uri), reverse=True))
        return self._found[1]

    def _author_feed(self, request: Request) -> Answer:
        self._who(request)
        query, limit = request.query, _limit(request.query, 100)
        actor = next((user for user in self.users.values() if query["actor"] in (user.did, user.handle)), None)
        if actor is None:
            raise Refused(400, "InvalidRequest", "Profile not found")
        why = {"$type": "app.bsky.feed.defs#reasonRepost", "by": actor.shown()}
        own = [
            (post.sort_at, {"post": post.shown()})
            for post in self.posts.values()
            if post.author is actor and not post.deleted
        ]
        own += [
            (at, {"post": post.shown(), "reason": why | {"indexedAt": stamp(at)}})
            for user, post, at in self.reposts
            if user is actor
        ]
        own = sorted(own, key=lambda item: item[0], reverse=True)
        if "cursor" in query:
            own = [item for item in own if item[0] < datetime.fromisoformat(query["cursor"]).timestamp()]
        body: dict[str, Any] = {"feed": [item for _, item in own[:limit]]}
        if own[:limit]:
            body["cursor"] = stamp(own[:limit][-1][0])
        return Answer(200, body)

    def _get_posts(self, request: Request) -> Answer:
        uris = _several(request.query, "uris")
        there = [self.posts[uri] for uri in uris if uri in self.posts and not self.posts[uri].deleted]
        if "authorization" not in request.headers:
            return Answer(200, {"posts": [post.shown() for post in there]})
        self._who(request)
        seen = [
            {"threadMuted": False, "embeddingDisabled": False} | ({"replyDisabled": True} if post.closed else {})
            for post in there
        ]
        return Answer(200, {"posts": [post.shown() | {"viewer": one} for post, one in zip(there, seen, strict=True)]})

    def _create(self, request: Request) -> Answer:
        """A new post. The PDS looks at its shape alone, not at whether what it answers is there."""
        who, body = self._who(request), request.body
        if body["repo"] not in (who.did, who.handle):
            raise Refused(400, "InvalidRequest", f"Invalid repo: {body['repo']}")
        record = dict(body["record"])
        if len(record["text"]) > LONGEST:
            long = f"grapheme too big (maximum {LONGEST}, got {len(record['text'])}) at $.record.text"
            why = f"Invalid {COLLECTION} record: {long}"
            raise Refused(400, "InvalidRequest", why)
        more = {name: value for name, value in record.items() if name not in ("text", "createdAt")}
        uri = self.post(record["text"], who.handle, datetime.fromisoformat(record["createdAt"]), **more)
        return Answer(200, self.posts[uri].named() | {"commit": {}, "validationStatus": "valid"})

    def _records(self, request: Request) -> Answer:
        """What an account posted, the newest first."""
        asked, limit = request.query["repo"], _limit(request.query, 100)
        owner = next((user for user in self.users.values() if asked in (user.did, user.handle)), None)
        if owner is None:
            raise Refused(400, "InvalidRequest", f"Could not find repo: {asked}")
        own = [post for post in reversed(self.posts.values()) if post.author is owner and not post.deleted][:limit]
        return Answer(200, {"records": [post.named() | {"value": post.record} for post in own]})

    def _profiles(self, request: Request) -> Answer:
        actors = _several(request.query, "actors")
        known = [user for user in self.users.values() if user.did in actors or user.handle in actors]
        return Answer(200, {"profiles": [user.shown(detailed=True) for user in known]})

    def _resolve(self, request: Request) -> Answer:
        user = self.users.get(request.query.get("handle", "").lower())
        if user is None:
            raise Refused(400, "InvalidRequest", "Unable to resolve handle")
        return Answer(200, {"did": user.did})


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold().replace("'", "").replace("’", "")))


def _limit(query: Mapping[str, str], most: int) -> int:
    stated = query.get("limit", "50")
    if not stated.isdigit() or not 1 <= int(stated) <= most:
        raise Refused(400, "InvalidRequest", f"Error: limit can not be greater than {most}")
    return int(stated)


def _several(query: Mapping[str, str], name: str) -> list[str]:
    values = query.get(name, "").split("\n")
    if len(values) > 25:
        raise Refused(400, "InvalidRequest", f"Error: {name} must not have more than 25 elements")
    return values


class BlueskyPlace(Place):
    """Bluesky, as the contract suite wants a site."""

    server: FakeBluesky

    def post(self, text: str, at: datetime, author: str = "ann", answers: str | None = None) -> str:
        return self.server.post(text, f"{author}.bsky.social", at, answers)

    def edit(self, ref: str, text: str, at: datetime) -> None:
        self.server.edit(ref, text)

    def delete(self, ref: str) -> None:
        self.server.delete(ref)

    def answer(self, ref: str, text: str, at: datetime) -> str:
        return self.server.post(text, HOSPITAL, at, answers=ref)

    def may_answer(self) -> dict[str, str]:
        """The secrets that answering needs; another password each time, as logins are kept while the process lives."""
        password = f"abcd-efgh-{next(_NUMBERS)}"
        self.server.user(HOSPITAL, password=password)
        return {"BLUESKY_REPLY_PASSWORD": password}


@contextlib.contextmanager
def place(clock: Any, folder: Path) -> Iterator[Place]:
    """Bluesky with an account that may search, and the hospital's."""
    with FakeBluesky(now=clock) as fake:
        fake.user(HOSPITAL)
        # An account of its own each time: logins are kept for as long as the process lives.
        handle = f"listener{next(_NUMBERS)}.bsky.social"
        fake.user(handle, password="abcd-efgh-ijkl-mnop")
        yield BlueskyPlace(
            fake,
            settings={"base_url": fake.base_url, "search": ["St. Brigid's"]},
            secrets={"BLUESKY_HANDLE": handle, "BLUESKY_APP_PASSWORD": "abcd-efgh-ijkl-mnop"},
            on="app.bsky.feed.searchPosts",
            cannot={
                "gap": "its search reaches back for years; that it lists no more than 10,000 posts of one second "
                "is in test_bluesky.py"
            },
        )
