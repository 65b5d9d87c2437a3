"""X's v2 API on loopback: recent search, lookups, an account's posts and mentions, replies, and what each refuses.

Checked against: docs.x.com of August 2026, X's own emulator (OpenAPI 2.167), tweepy 4.17; OAuth 1.0a signatures
against RFC 5849 and the example in X's "Creating a signature"; refusals of replies by the bodies that users published.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, unquote

from .place import Place
from .server import Answer, FakeServer, RateLimited, Request, epoch


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


EPOCH_MS = 1288834974657
WINDOW = 7 * 24 * 3600
LIMIT_WINDOW = 15 * 60
SHOWN_LENGTH = 280
CREATE_LIMIT = 100  # replies of an account in a quarter of an hour

TWEET_FIELDS = _set(
    "article attachments author_id card_uri community_id context_annotations conversation_id created_at "
    "display_text_range edit_controls edit_history_tweet_ids entities geo id in_reply_to_user_id lang media_metadata "
    "non_public_metrics note_tweet organic_metrics possibly_sensitive promoted_metrics public_metrics "
    "referenced_tweets reply_settings scopes source suggested_source_links text withheld"
)
# the renamed list has no author_id: only the expansion gives it
POST_FIELDS = frozenset(name.replace("tweet", "post") for name in TWEET_FIELDS) - {"author_id"}
USER_FIELDS = _set(
    "affiliation confirmed_email connection_status created_at description entities id is_identity_verified location "
    "most_recent_post_id most_recent_tweet_id name parody pinned_post_id pinned_tweet_id profile_banner_url "
    "profile_image_url protected public_metrics receives_your_dm subscription subscription_type url username "
    "verified verified_followers_count verified_type withheld"
)
EXPANSIONS = _set(
    "article.cover_media article.media_entities attachments.media_keys attachments.poll_ids author_id "
    "edit_history_tweet_ids edit_history_post_ids entities.mentions.username geo.place_id in_reply_to_user_id "
    "referenced_tweets.id referenced_tweets.id.author_id referenced_posts.id referenced_posts.id.author_id"
)
IGNORED_PARAMS = frozenset({"media.fields", "place.fields", "poll.fields"})
OPERATORS_ALONE = frozenset({"from", "to", "url", "conversation_id", "retweets_of", "in_reply_to_tweet_id"})
OPERATORS_JOINED = frozenset({"lang", "is", "has", "min_likes", "min_replies", "min_reposts"})
INVALID_REQUEST = "https://api.twitter.com/2/problems/invalid-request"
MENTION = re.compile(r"(?<![\w@])@(\w{1,15})\b")
HASHTAG = re.compile(r"(?<!\w)#(\w+)")
URL = re.compile(r"https?://\S+")


def snowflake(at: datetime, n: int = 0) -> str:
    """The id X would give the `n`-th post of that millisecond."""
    return _snowflake_at(epoch(at), n)


def _snowflake_at(epoch: float, n: int = 0) -> str:
    return str(((round(epoch * 1000) - EPOCH_MS) << 22) | n)


def _made_at(post_id: str) -> float:
    return ((int(post_id) >> 22) + EPOCH_MS) / 1000


def _iso(epoch: float) -> str:
    moment = datetime.fromtimestamp(epoch, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


class Refused(Exception):
    """A request X would refuse."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body)
        self.answer = answer


def _problem(status: int, title: str, detail: str, kind: str = "about:blank", **more: Any) -> Answer:
    body = {"title": title, "detail": detail, "type": kind, "status": status, **more}
    return Answer(status, body, {"content-type": "application/problem+json"})


def _invalid(name: str, value: str, message: str) -> Refused:
    return Refused(
        Answer(
            400,
            {
                "errors": [{"parameters": {name: [value]}, "message": message}],
                "title": "Invalid Request",
                "detail": "One or more parameters to your request was invalid.",
                "type": INVALID_REQUEST,
            },
        )
    )


# --- what is said on X --------------------------------------------------------------------------------------------


def _words(text: str) -> str:
    """The words of a text, a space around each."""
    return " ".join(["", *re.findall(r"\w+", text.lower()), ""])


@dataclass
class User:
    """An account, as lookups and expansions show it."""

    id: str
    username: str
    name: str
    followers: int = 0
    verified: bool = False
    protected: bool = False

    def shown(self, fields: Iterable[str]) -> dict[str, Any]:
        every = {
            "id": self.id,
            "name": self.name,
            "username": self.username,
            "verified": self.verified,
            "protected": self.protected,
            "created_at": "2020-01-01T00:00:00.000Z",
            "description": "",
            "public_metrics": {
                "followers_count": self.followers,
                "following_count": 10,
                "tweet_count": 100,
                "listed_count": 0,
                "like_count": 0,
                "media_count": 0,
            },
        }
        return {key: value for key, value in every.items() if key in {"id", "name", "username", *fields}}


@dataclass
class Post:
    """One version of a post; an edit makes another version with an id of its own."""

    id: str
    author: User
    text: str
    full: str
    at: float
    lang: str
    conversation_id: str
    in_reply_to: str | None = None
    retweet_of: str | None = None
    quotes: str | None = None
    versions: list[str] = field(default_factory=list)
    deleted: bool = False
    said: str | None = None  # as the account sent it
    words: str = field(init=False)

    def __post_init__(self) -> None:
        self.words = _words(self.full)

    @property
    def latest(self) -> bool:
        return self.versions[-1] == self.id


# --- the query language -------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r'\s+|(?P<open>-?\()|(?P<close>\))|(?P<phrase>-?"[^"]*")|(?P<word>[^\s()"]+(?:"[^"]*")?)|(?P<bad>.)'
)


@dataclass(frozen=True)
class _Term:
    kind: str
    value: str
    negated: bool
    words: str = ""

    def alone(self) -> bool:
        return not self.negated and self.kind not in OPERATORS_JOINED

    def matches(self, post: Post, posts: dict[str, Post]) -> bool:
        if self.kind == "words":  # keyword search returns no retweets since May 2026
            return (self.words in post.words and post.retweet_of is None) != self.negated
        return self._holds(post, posts) != self.negated

    def _holds(self, post: Post, posts: dict[str, Post]) -> bool:
        value = self.value.lower()
        parent = posts.get(post.in_reply_to or "")
        match self.kind:
            case "mention":
                return value in {handle.lower() for handle in MENTION.findall(post.full)}
            case "hashtag":
                return value in {tag.lower() for tag in HASHTAG.findall(post.full)}
            case "from":
                return value in {post.author.username.lower(), post.author.id}
            case "to":
                return parent is not None and value in {parent.author.username.lower(), parent.author.id}
            case "lang":
                return post.lang == value
            case "url":
                return any(value in url.lower() for url in URL.findall(post.full))
            case "conversation_id":
                return post.conversation_id == value
            case "in_reply_to_tweet_id":
                return post.in_reply_to == value
            case "retweets_of":
                original = posts.get(post.retweet_of or "")
                return original is not None and original.author.username.lower() == value
            case "is":
                kinds = {"reply": post.in_reply_to, "retweet": post.retweet_of, "quote": post.quotes}
                return bool(kinds.get(value))
            case "has":
                found = {"links": URL, "hashtags": HASHTAG, "mentions": MENTION}.get(value)
                return found is not None and found.search(post.full) is not None
        return False


@dataclass(frozen=True)
class _Group:
    all: bool
    parts: tuple[_Term | _Group, ...]

    def alone(self) -> bool:
        stand = [part.alone() for part in self.parts]
        return any(stand) if self.all else all(stand)

    def matches(self, post: Post, posts: dict[str, Post]) -> bool:
        for part in self.parts:
            if part.matches(post, posts) != self.all:
                return not self.all
        return self.all


class _QueryError(ValueError):
    pass


def query_matches(query: str, text: str) -> bool:
    """Whether a search finds a post of somebody that says this. Raises ValueError for a query that X refuses."""
    somebody = User("1", "somebody", "Somebody")
    return _Parser(query).parse().matches(Post("1", somebody, text, text, 0, "en", "1", versions=["1"]), {})


class _Parser:
    """AND (a space) binds before OR."""

    def __init__(self, query: str) -> None:
        self._tokens: list[tuple[str, str, int]] = []
        for token in _TOKEN.finditer(query):
            if token.lastgroup == "bad":
                raise _QueryError(f"no viable alternative at character '{token.group()}' (at position {token.end()})")
            if token.lastgroup:
                self._tokens.append((token.lastgroup, token.group(), token.start() + 1))
        self._next = 0

    def parse(self) -> _Group:
        found = self._either()
        if self._next < len(self._tokens):
            raise _QueryError(f"extraneous input ')' (at position {self._tokens[self._next][2]})")
        if not found.alone():
            raise _QueryError(
                "Rules must contain at least one positive, non-stopword clause that stands alone "
                "(conjunction-required operators and negations cannot)"
            )
        return found

    def _peek(self) -> tuple[str, str, int] | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _either(self) -> _Group:
        parts = [self._every()]
        while (token := self._peek()) is not None and token[1] == "OR":
            self._next += 1
            parts.append(self._every())
        return parts[0] if len(parts) == 1 else _Group(False, tuple(parts))

    def _every(self) -> _Group:
        parts: list[_Term | _Group] = []
        while (token := self._peek()) is not None and token[0] != "close" and token[1] != "OR":
            self._next += 1
            parts.append(self._one(*token))
        if not parts:
            raise _QueryError(f"missing a term (at position {token[2] if token else 1})")
        return _Group(True, tuple(parts))

    def _one(self, kind: str, token: str, position: int) -> _Term | _Group:
        if kind == "open":
            if token.startswith("-"):
                raise _QueryError(f"The negation operator cannot be applied to a group (at position {position})")
            group = self._either()
            closing = self._peek()
            if closing is None or closing[0] != "close":
                raise _QueryError("missing ')' at '<EOF>'")
            self._next += 1
            return group
        negated, token = token.startswith("-"), token.removeprefix("-")
        if kind == "phrase":
            if not _words(token).strip():
                raise _QueryError(f"An empty phrase (at position {position})")
            return _Term("words", token, negated, _words(token))
        if token.lower() in {"and", "or"}:
            joined = "a space to logically join two clauses" if token.lower() == "and" else "OR to logically join"
            raise _QueryError(f"Ambiguous use of {token} as a keyword (at position {position}). Use {joined}")
        if token.startswith("@"):
            return _Term("mention", token[1:], negated)
        if token.startswith("#"):
            return _Term("hashtag", token[1:], negated)
        name, colon, value = token.partition(":")
        if colon:
            value = value.strip('"')
            if name not in OPERATORS_ALONE | OPERATORS_JOINED or not value:
                raise _QueryError(
                    f"Reference to invalid operator '{name}'. Operator is not available in current product or "
                    f"product packaging. (at position {position})"
                )
            return _Term(name, value.removeprefix("@"), negated)
        if not _words(token).strip():
            raise _QueryError(f"no viable alternative at character '{token}' (at position {position})")
        return _Term("words", token, negated, _words(token))


# --- signatures ---------------------------------------------------------------------------------------------------

SIGNED_FOR = "https://api.twitter.com"  # whatever host a gateway sends it to
CLOCK_OFF = 300  # seconds that a signature's own time may be off


@dataclass(frozen=True)
class UserKeys:
    """What signs requests for an account (OAuth 1.0a)."""

    api_key: str = "test-api-key"
    api_secret: str = "test-api-secret"
    access_token: str = "test-access-token"
    access_secret: str = "test-access-secret"


def signature(method: str, url: str, params: Mapping[str, str], api_secret: str, access_secret: str) -> str:
    """The oauth_signature of a request: HMAC-SHA1 over its method, address and every parameter (RFC 5849, 3.4)."""
    pairs = sorted((_escaped(name), _escaped(value)) for name, value in params.items())
    base = "&".join(map(_escaped, (method, url, "&".join(f"{name}={value}" for name, value in pairs))))
    key = f"{_escaped(api_secret)}&{_escaped(access_secret)}"
    return base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha1).digest()).decode()


def _escaped(text: str) -> str:
    return quote(text, safe="-._~")


# --- the service --------------------------------------------------------------------------------------------------


@dataclass
class _Token:
    scope: str
    ids: list[str]


class FakeX(FakeServer):
    """X for the length of a `with` block.

    `lag` is how old a post must be before recent search shows it (X ends a search 30 s ago unless told otherwise);
    `accepts` says which spelling of the fields parameter is taken; `credits` is how many post reads are paid for;
    `lookup_gives`: asked for an old version of a post, X gives that or the latest (its documentation says both);
    `user_token` (OAuth 2.0) and `user_keys` (OAuth 1.0a) are those of the account `own_handle`; its app may write
    unless `read_only`, and answer who did not speak to the account only with `enterprise`."""

    def __init__(
        self,
        bearer: str = "test-bearer",
        now: Callable[[], float] = time.time,
        *,
        user_token: str = "test-user-token",
        user_keys: UserKeys = UserKeys(),
        own_handle: str = "hospital",
        search_limit: int = 450,
        other_limit: int = 300,
        max_query: int = 512,
        lag: float = 30.0,
        accepts: Literal["both", "tweet", "post"] = "both",
        credits: int | None = None,
        lookup_gives: Literal["asked", "latest"] = "asked",
        port: int = 0,
    ) -> None:
        super().__init__(now, port)
        self.bearer = bearer
        self.user_token = user_token
        self.user_keys = user_keys
        self.lookup_gives = lookup_gives
        self._nonces: set[str] = set()
        self.own_handle = own_handle
        self.search_limit = search_limit
        self.other_limit = other_limit
        self.max_query = max_query
        self.lag = lag
        self.accepts = accepts
        self.credits = credits
        self.read_only = False
        self.enterprise = False
        self.replies_restricted: set[str] = set()  # posts whose authors let only some people answer
        self.reads = 0
        self.user_reads = 0
        self._billed: set[tuple[int, str]] = set()
        self._users: dict[str, User] = {}
        self._posts: dict[str, Post] = {}
        self._tokens: dict[str, _Token] = {}
        self._token_numbers = itertools.count(1)
        self._empty_pages: list[int] = []
        self._used: dict[str, tuple[float, int]] = {}
        self.user(own_handle, name="The Hospital", verified=True)

    # what tests do

    def user(
        self,
        handle: str,
        *,
        name: str | None = None,
        followers: int | None = None,
        verified: bool | None = None,
        protected: bool | None = None,
    ) -> str:
        """Make or change an account; its id."""
        with self._lock:
            known = self._users.setdefault(
                handle.lower(), User(str(1_000_000 + len(self._users)), handle, name or handle.title())
            )
            known.name = known.name if name is None else name
            known.followers = known.followers if followers is None else followers
            known.verified = known.verified if verified is None else verified
            known.protected = known.protected if protected is None else protected
            return known.id

    def post(
        self,
        text: str,
        author: str = "somebody",
        at: datetime | None = None,
        id: str | None = None,
        conversation_id: str | None = None,
        in_reply_to: str | None = None,
        note: str | None = None,
        followers: int | None = None,
        lang: str = "en",
        retweet_of: str | None = None,
        quotes: str | None = None,
    ) -> str:
        """Add a post (by default a minute old, so that search already shows it); its id.

        A text over 280 characters, or a `note`, makes a long post: cut text, the whole in note_tweet."""
        with self._lock:
            self.user(author, followers=followers)
            when = self.now() - 60 if at is None else epoch(at)
            new_id = id or self._free_id(when)
            full = note if note is not None else text
            parent = self._posts.get(in_reply_to or "")
            self._posts[new_id] = Post(
                id=new_id,
                author=self._users[author.lower()],
                text=_cut(full),
                full=full,
                at=when,
                lang=lang,
                conversation_id=conversation_id or (parent.conversation_id if parent else new_id),
                in_reply_to=in_reply_to,
                retweet_of=retweet_of,
                quotes=quotes,
                versions=[new_id],
            )
            return new_id

    def edit(self, id: str, text: str, at: datetime | None = None) -> str:
        """Publish a new version of a post; the new version's id. Search shows the newest version only."""
        with self._lock:
            old = self._posts[id]
            when = max(self.now() - 60, old.at + 1) if at is None else epoch(at)
            new_id = self._free_id(when)
            old.versions.append(new_id)  # the list is shared by all versions
            self._posts[new_id] = Post(
                id=new_id,
                author=old.author,
                text=_cut(text),
                full=text,
                at=when,
                lang=old.lang,
                conversation_id=old.conversation_id,
                in_reply_to=old.in_reply_to,
                quotes=old.quotes,
                versions=old.versions,
            )
            return new_id

    def delete(self, id: str) -> None:
        """Delete a post, all versions of it."""
        with self._lock:
            for version in self._posts[id].versions:
                self._posts[version].deleted = True

    def empty_page_next(self, after: int = 0) -> None:
        """Make the next search page (or the one after `after` more) empty, with a next_token that goes on."""
        with self._lock:
            self._empty_pages.append(after)

    @property
    def billed_reads(self) -> int:
        """Post reads after X's same-UTC-day deduplication; `reads` counts every post returned."""
        return len(self._billed)

    def _free_id(self, when: float) -> str:
        return next(new for n in itertools.count() if (new := _snowflake_at(when, n)) not in self._posts)

    # faults

    def status_answer(self, code: int) -> Answer:
        if code == 402:
            return Answer(
                402,
                {
                    "account_id": 1732219200000000001,
                    "title": "CreditsDepleted",
                    "detail": "Your enrolled account [1732219200000000001] does not have any credits to fulfill "
                    "this request.",
                    "type": "https://api.twitter.com/2/problems/credits",
                },
            )
        if code == 400:
            return _invalid("query", "", "There were errors processing your request").answer
        title = {
            401: "Unauthorized",
            403: "Forbidden",
            404: "Not Found",
            429: "Too Many Requests",
            500: "Internal Server Error",
            503: "Service Unavailable",
        }.get(code, "Error")
        return _problem(code, title, title)

    def limited_answer(self, fault: RateLimited) -> Answer:
        headers: dict[str, str] = {}
        if fault.reset is not None:
            headers = {
                "x-rate-limit-limit": str(self.search_limit),
                "x-rate-limit-remaining": "0",
                "x-rate-limit-reset": str(int(fault.reset)),
            }
        if fault.retry_after is not None:
            headers["retry-after"] = str(fault.retry_after)
        return Answer(429, self.status_answer(429).body, headers)

    # requests

    def answer(self, request: Request) -> Answer:
        headers = {"api-version": "2.167"}
        try:
            route, argument = self._route(request)
            user_context = self._signed_in(request)
            headers |= self._count(route)
            if self.credits is not None and self.reads >= self.credits and route != "usage":
                raise Refused(self.status_answer(402))
            done = self._dispatch(route, argument, request, user_context)
        except Refused as refused:
            done = refused.answer
        return Answer(done.status, done.body, {**headers, **done.headers})

    def _route(self, request: Request) -> tuple[str, str]:
        if request.method == "POST" and request.path == "/2/tweets":
            return "create", ""
        for pattern, route in _ROUTES:
            if request.method == "GET" and (found := pattern.fullmatch(request.path)):
                return route, found.group(1) if found.groups() else ""
        raise Refused(self.status_answer(404))

    def _signed_in(self, request: Request) -> bool:
        """Whether a user signed the request; refuses one that nobody did."""
        given = request.headers.get("authorization", "")
        if given == f"Bearer {self.user_token}" or (given.startswith("OAuth ") and self._signed(request, given)):
            return True
        if given != f"Bearer {self.bearer}":
            raise Refused(self.status_answer(401))
        return False

    def _signed(self, request: Request, given: str) -> bool:
        """Whether the keys' owner signed exactly this request, now, and once."""
        oauth = {name: unquote(value) for name, value in re.findall(r'(oauth_\w+)="([^"]*)"', given)}
        signed, keys = oauth.pop("oauth_signature", ""), self.user_keys
        named = (oauth.get("oauth_consumer_key"), oauth.get("oauth_token"), oauth.get("oauth_signature_method"))
        if named != (keys.api_key, keys.access_token, "HMAC-SHA1"):
            return False
        stamp, nonce = oauth.get("oauth_timestamp", ""), oauth.get("oauth_nonce", "")
        # the signer takes the machine's own time, whatever time it is here
        if not stamp.isdigit() or abs(int(stamp) - time.time()) > CLOCK_OFF or nonce in self._nonces:
            return False
        self._nonces.add(nonce)
        everything = {**request.query, **oauth}
        right = signature(request.method, SIGNED_FOR + request.path, everything, keys.api_secret, keys.access_secret)
        return hmac.compare_digest(signed, right)

    def _count(self, route: str) -> dict[str, str]:
        limit = {"search": self.search_limit, "create": CREATE_LIMIT}.get(route, self.other_limit)
        start, used = self._used.get(route, (self.now(), 0))
        if self.now() >= start + LIMIT_WINDOW:
            start, used = self.now(), 0
        headers = {
            "x-rate-limit-limit": str(limit),
            "x-rate-limit-remaining": str(max(limit - used - 1, 0)),
            "x-rate-limit-reset": str(int(start + LIMIT_WINDOW)),
        }
        if used >= limit:
            raise Refused(Answer(429, self.status_answer(429).body, headers))
        self._used[route] = (start, used + 1)
        return headers

    def _dispatch(self, route: str, argument: str, request: Request, user_context: bool) -> Answer:
        query = request.query
        match route:
            case "search":
                return self._search(query)
            case "lookup":
                return self._lookup(query)
            case "mentions":
                return self._timeline("mentions", argument, query)
            case "tweets":
                return self._timeline("tweets", argument, query)
            case "by_username":
                return self._by_username(argument, query)
            case "usage":
                return self._usage()
        if not user_context:
            kinds = "OAuth 1.0a User Context, OAuth 2.0 User Context"
            return _problem(
                403,
                "Unsupported Authentication",
                "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint.  "
                f"Supported authentication types are [{kinds}].",
                "https://api.twitter.com/2/problems/unsupported-authentication",
            )
        if route == "me":
            self._check_names(query, {"user.fields", "expansions"})
            return self._user_answer(self._users[self.own_handle.lower()], query)
        return self._create(request.body)

    # parameters

    def _check_names(self, query: dict[str, str], known: Iterable[str]) -> None:
        names = set(known)
        if "tweet.fields" in names:
            names -= {"tweet.fields", "post.fields"}
            names |= {"tweet.fields"} if self.accepts != "post" else set()
            names |= {"post.fields"} if self.accepts != "tweet" else set()
        old = [name for name in _split(query.get("expansions")) if "tweet" in name]
        if self.accepts == "post" and old:
            raise _invalid(
                "expansions",
                query["expansions"],
                f"The `expansions` query parameter value [{old[0]}] is not one of the renamed ones",
            )
        for name, given in query.items():
            if name not in names | IGNORED_PARAMS:
                listed = ",".join(sorted(names))
                raise _invalid(name, given, f"The query parameter [{name}] is not one of [{listed}]")
        for name, values in _LISTED.items():
            for value in _split(query.get(name)):
                if value not in values:
                    listed = ",".join(sorted(values))
                    raise _invalid(
                        name,
                        query[name],
                        f"The `{name}` query parameter value [{value}] is not one of [{listed}]",
                    )

    def _number(self, query: dict[str, str], name: str, low: int, high: int, usual: int) -> int:
        given = query.get(name)
        if given is None:
            return usual
        if not given.isascii() or not given.isdigit() or not low <= int(given) <= high:
            raise _invalid(name, given, f"The `{name}` query parameter value [{given}] is not between {low} and {high}")
        return int(given)

    def _id(self, query: dict[str, str], name: str) -> int | None:
        given = query.get(name)
        if given is None:
            return None
        if re.fullmatch(r"[0-9]{1,19}", given, re.ASCII) is None:
            raise _invalid(name, given, f"The `{name}` query parameter value [{given}] does not match ^[0-9]{{1,19}}$")
        return int(given)

    def _moment(self, query: dict[str, str], name: str) -> float | None:
        given = query.get(name)
        if given is None:
            return None
        shape = r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?Z"
        try:
            if re.fullmatch(shape, given, re.ASCII) is None:
                raise ValueError(given)
            return datetime.fromisoformat(given).timestamp()
        except ValueError:
            raise _invalid(
                name, given, f"Invalid date value '{given}': '{name}' must be of the form YYYY-MM-DDTHH:mm:ssZ"
            ) from None

    # endpoints

    def _search(self, query: dict[str, str]) -> Answer:
        self._check_names(
            query,
            _set(
                "query max_results since_id until_id start_time end_time next_token pagination_token sort_order "
                "expansions tweet.fields user.fields"
            ),
        )
        text = query.get("query")
        if not text:
            raise _invalid("query", "", "The `query` query parameter can not be empty")
        if len(text) > self.max_query:
            raise _invalid(
                "query",
                text,
                f"Invalid query length. Must be less than or equal to {self.max_query} characters, got {len(text)}",
            )
        size = self._number(query, "max_results", 10, 100, 10)
        since_id, until_id = self._id(query, "since_id"), self._id(query, "until_id")
        start, end = self._moment(query, "start_time"), self._moment(query, "end_time")
        if since_id is not None and start is not None:
            raise _invalid("since_id", str(since_id), "At most one of start_time, since_id may be provided")
        oldest = self.now() - WINDOW
        floor = datetime.fromtimestamp(oldest, UTC).strftime("%Y-%m-%dT%H:%MZ")
        if since_id is not None and _made_at(str(since_id)) < oldest:
            edge = _snowflake_at(oldest)
            raise _invalid(
                "since_id",
                str(since_id),
                f"'since_id' must be a tweet id created after [{floor}]. Please use a 'since_id' that is larger "
                f"than {edge}",
            )
        for name, moment in (("start_time", start), ("end_time", end)):
            if moment is not None and moment < oldest:
                raise _invalid(
                    name, query[name], f"Invalid '{name}':'{query[name]}'. '{name}' must be on or after {floor}"
                )
            if moment is not None and moment > self.now() - 10:
                raise _invalid(
                    name,
                    query[name],
                    f"Invalid '{name}':'{query[name]}'. '{name}' must be a minimum of 10 seconds prior to the "
                    "request time.",
                )
        if start is not None and end is not None and end <= start:
            raise _invalid("end_time", query["end_time"], "'end_time' must be a date after 'start_time'")
        try:
            wanted = _Parser(text).parse()
        except _QueryError as error:
            message = f"There were errors processing your request: {error}"
            raise _invalid("query", text, message) from None

        def found() -> list[str]:
            upto = self.now() - self.lag if end is None else end
            return [
                post.id
                for post in self._posts.values()
                if oldest <= post.at <= upto
                and (since_id is None or int(post.id) > since_id)
                and (until_id is None or int(post.id) < until_id)
                and (start is None or post.at >= start)
                and post.latest
                and self._visible(post)
                and wanted.matches(post, self._posts)
            ]

        name = "next_token" if "next_token" in query else "pagination_token"
        return self._page(f"search {text}", name, query, size, found, may_be_empty=True)

    def _timeline(self, kind: Literal["mentions", "tweets"], user_id: str, query: dict[str, str]) -> Answer:
        """Posts that mention an account, the newest 800, or its own, the newest 3,200."""
        names = "max_results since_id until_id start_time end_time pagination_token expansions tweet.fields user.fields"
        self._check_names(query, _set(names + (" exclude" if kind == "tweets" else "")))
        size = self._number(query, "max_results", 5, 100, 10)
        since_id, until_id = self._id(query, "since_id"), self._id(query, "until_id")
        start, end = self._moment(query, "start_time"), self._moment(query, "end_time")
        owner = next((user for user in self._users.values() if user.id == user_id), None)
        if owner is None:
            return Answer(200, {"errors": [_not_found("user", "id", user_id)]})
        handle, left_out = owner.username.lower(), _split(query.get("exclude"))

        def belongs(post: Post) -> bool:
            if kind == "mentions":
                return handle in {name.lower() for name in MENTION.findall(post.full)}
            excluded = ("retweets" in left_out and post.retweet_of) or ("replies" in left_out and post.in_reply_to)
            return post.author is owner and not excluded

        def found() -> list[str]:
            return [
                post.id
                for post in self._posts.values()
                if post.at <= self.now()
                and (since_id is None or int(post.id) > since_id)
                and (until_id is None or int(post.id) < until_id)
                and (start is None or post.at >= start)
                and (end is None or post.at < end)
                and post.latest
                and self._visible(post)
                and belongs(post)
            ]

        newest = 800 if kind == "mentions" or "replies" in left_out else 3200
        return self._page(f"{kind} {user_id}", "pagination_token", query, size, found, newest=newest)

    def _page(
        self,
        scope: str,
        token_name: str,
        query: dict[str, str],
        size: int,
        found: Callable[[], list[str]],
        *,
        newest: int | None = None,
        may_be_empty: bool = False,
    ) -> Answer:
        token = query.get(token_name)
        if token is None:
            ids = sorted(found(), key=lambda one: (self._posts[one].at, int(one)), reverse=True)[:newest]
        else:
            kept = self._tokens.get(token)
            if kept is None or kept.scope != scope:
                raise _invalid(token_name, token, f"Invalid '{token_name}':'{token}'. '{token_name}' is not valid.")
            ids = kept.ids
        if may_be_empty and self._skip_page():
            size = 0
        page, rest = ids[:size], ids[size:]
        shown = [self._posts[one] for one in page if self._visible(self._posts[one])]
        random.Random(" ".join(page)).shuffle(shown)
        meta: dict[str, Any] = {}
        if shown:
            by_number = sorted((post.id for post in shown), key=int)
            meta = {"newest_id": by_number[-1], "oldest_id": by_number[0]}
        meta["result_count"] = len(shown)
        if rest or not size:
            meta["next_token"] = self._new_token(scope, rest)
        return Answer(200, {**self._posts_body(shown, query), "meta": meta})

    def _skip_page(self) -> bool:
        due = any(left == 0 for left in self._empty_pages)
        if due:
            self._empty_pages.remove(0)
        self._empty_pages = [max(left - 1, 0) for left in self._empty_pages]
        return due

    def _new_token(self, scope: str, ids: Sequence[str]) -> str:
        number = next(self._token_numbers)
        token = "b26v89c19zqg8o3f" + "".join(
            random.Random(number).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=30)
        )
        self._tokens[token] = _Token(scope, list(ids))
        return token

    def _lookup(self, query: dict[str, str]) -> Answer:
        self._check_names(query, {"ids", "expansions", "tweet.fields", "user.fields"})
        ids = _split(query.get("ids"))
        if not 1 <= len(ids) <= 100:
            raise _invalid(
                "ids",
                query.get("ids", ""),
                f"The number of values in the `ids` query parameter list [{len(ids)}] is not between 1 and 100",
            )
        for one in ids:
            self._id({"ids": one}, "ids")
        there = [self._posts[one] for one in ids if one in self._posts and not self._posts[one].deleted]
        known = {post.id for post in there}
        open_to_all = [post for post in there if not post.author.protected]
        if self.lookup_gives == "latest":
            open_to_all = [self._posts[post.versions[-1]] for post in open_to_all]
        body = self._posts_body(open_to_all, query)
        body.setdefault("errors", [])
        body["errors"] += [_not_found("tweet", "ids", one) for one in ids if one not in known]
        body["errors"] += [
            {
                "resource_id": post.id,
                "parameter": "ids",
                "resource_type": "tweet",
                "section": "data",
                "title": "Authorization Error",
                "value": post.id,
                "detail": f"Sorry, you are not authorized to see the Tweet with ids: [{post.id}].",
                "type": "https://api.twitter.com/2/problems/not-authorized-for-resource",
            }
            for post in there
            if post.author.protected
        ]
        if not body["errors"]:
            del body["errors"]
        return Answer(200, body)

    def _by_username(self, handle: str, query: dict[str, str]) -> Answer:
        self._check_names(query, {"user.fields", "expansions", "tweet.fields"})
        if re.fullmatch(r"\w{1,15}", handle, re.ASCII) is None:
            raise _invalid(
                "username",
                handle,
                f"The `username` query parameter value [{handle}] does not match ^[A-Za-z0-9_]{{1,15}}$",
            )
        known = self._users.get(handle.lower())
        if known is None:
            return Answer(200, {"errors": [_not_found("user", "username", handle)]})
        return self._user_answer(known, query)

    def _create(self, body: Any) -> Answer:
        """A reply by the account; only what Call Light sends is known here."""
        if (
            not isinstance(body, dict)
            or set(body) != {"text", "reply"}
            or set(body["reply"]) != {"in_reply_to_tweet_id"}
        ):
            raise _invalid("$", "{}", "$: is not a reply as this fake knows them")
        text, to = body["text"], self._posts.get(body["reply"]["in_reply_to_tweet_id"])
        own = self._users[self.own_handle.lower()]
        if self.read_only:
            detail = "Your client app is not configured with the appropriate oauth1 app permissions for this endpoint."
            kind = "https://api.twitter.com/2/problems/oauth1-permissions"
            return _problem(403, "Forbidden", detail, kind)
        if to is None or to.deleted or to.author.protected:
            return _forbidden("You attempted to reply to a Tweet that is deleted or not visible to you.")
        if to.id in self.replies_restricted:
            return _forbidden(
                "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged by "
                "the author of the post you are replying to."
            )
        quoted = self._posts.get(to.quotes or "")
        named = own.username.lower() in {name.lower() for name in MENTION.findall(to.full)}
        if not (named or self.enterprise or (quoted is not None and quoted.author is own)):
            return _forbidden("You can only reply to or quote posts where you are mentioned or are the author.")
        if _weight(text) > SHOWN_LENGTH:
            return _forbidden("Your Tweet text is too long.")
        if any(post.author is own and post.said == text and not post.deleted for post in self._posts.values()):
            return _forbidden("You are not allowed to create a Tweet with duplicate content.")
        # X puts before the words whom they are to, and shortens their links.
        shown = f"@{to.author.username} " + URL.sub("https://t.co/x1Y2z3A4b5", text)
        now = datetime.fromtimestamp(self.now(), UTC)
        id_ = self.post(shown, self.own_handle, now, in_reply_to=to.id)
        self._posts[id_].said = text
        return Answer(201, {"data": {"id": id_, "text": shown, "edit_history_tweet_ids": [id_]}})

    def _user_answer(self, user: User, query: dict[str, str]) -> Answer:
        self.user_reads += 1
        return Answer(200, {"data": user.shown(_split(query.get("user.fields")))})

    def _usage(self) -> Answer:
        return Answer(
            200,
            {
                "data": {
                    "project_id": "1732219200000000002",
                    "project_cap": "3000000",
                    "project_usage": str(self.reads),
                    "cap_reset_day": 1,
                }
            },
        )

    # what a post looks like

    def _visible(self, post: Post) -> bool:
        return not post.deleted and not post.author.protected

    def _posts_body(self, shown: list[Post], query: dict[str, str]) -> dict[str, Any]:
        expansions = set(_split(query.get("expansions")))
        users: dict[str, User] = {}
        referenced: dict[str, Post] = {}
        for post in shown:
            if "author_id" in expansions:
                users[post.author.id] = post.author
            target = self._posts.get(post.in_reply_to or post.retweet_of or post.quotes or "")
            if target is not None and "in_reply_to_user_id" in expansions and post.in_reply_to:
                users[target.author.id] = target.author
            wants_target = expansions & {"referenced_tweets.id", "referenced_posts.id"}
            if target is not None and wants_target and self._visible(target):
                referenced[target.id] = target
        self._bill([*shown, *referenced.values()])
        self.user_reads += len(users)
        body: dict[str, Any] = {"data": [self._shown(post, query) for post in shown]} if shown else {}
        includes: dict[str, Any] = {}
        if users:
            fields = _split(query.get("user.fields"))
            includes["users"] = [user.shown(fields) for user in users.values()]
        if referenced:
            includes["tweets"] = [self._shown(post, query) for post in referenced.values()]
        if includes:
            body["includes"] = includes
        return body

    def _bill(self, posts: Iterable[Post]) -> None:
        day = int(self.now() // 86400)
        for post in posts:
            self.reads += 1
            self._billed.add((day, post.id))

    def _shown(self, post: Post, query: dict[str, str]) -> dict[str, Any]:
        parent = self._posts.get(post.in_reply_to or "")
        every: dict[str, Any] = {
            "author_id": post.author.id,
            "conversation_id": post.conversation_id,
            "created_at": _iso(post.at),
            "lang": post.lang,
            "possibly_sensitive": False,
            "reply_settings": "everyone",
        }
        asked = set(_split(query.get("tweet.fields")))
        renamed = set(_split(query.get("post.fields")))
        if "public_metrics" in asked | renamed:
            every["public_metrics"] = {
                "retweet_count": 0,
                "reply_count": sum(other.in_reply_to == post.id for other in self._posts.values()),
                "like_count": 0,
                "quote_count": sum(other.quotes == post.id for other in self._posts.values()),
                "bookmark_count": 0,
                "impression_count": 0,
            }
        if parent is not None:
            every["in_reply_to_user_id"] = parent.author.id
        if post.text != post.full:
            every["note_tweet"] = {"text": post.full}
        references = [
            {"type": kind, "id": target}
            for kind, target in (
                ("replied_to", post.in_reply_to),
                ("retweeted", post.retweet_of),
                ("quoted", post.quotes),
            )
            if target
        ]
        if references:
            every["referenced_tweets"] = references
        if entities := self._entities(post.text):
            every["entities"] = entities
        if query.get("expansions") and "author_id" in _split(query["expansions"]):
            asked.add("author_id")
        shown: dict[str, Any] = {"id": post.id, "text": post.text}
        history = "edit_history_post_ids" if self.accepts == "post" else "edit_history_tweet_ids"
        shown[history] = list(post.versions)
        shown |= {name: value for name, value in every.items() if name in asked}
        shown |= {new: value for name, value in every.items() if (new := name.replace("tweet", "post")) in renamed}
        return shown

    def _entities(self, text: str) -> dict[str, Any]:
        mentions = [
            {
                "start": found.start(),
                "end": found.end(),
                "username": found.group(1),
                **({"id": self._users[found.group(1).lower()].id} if found.group(1).lower() in self._users else {}),
            }
            for found in MENTION.finditer(text)
        ]
        hashtags = [
            {"start": found.start(), "end": found.end(), "tag": found.group(1)} for found in HASHTAG.finditer(text)
        ]
        urls = [
            {"start": found.start(), "end": found.end(), "url": found.group(), "expanded_url": found.group()}
            for found in URL.finditer(text)
        ]
        return {name: them for name, them in (("mentions", mentions), ("hashtags", hashtags), ("urls", urls)) if them}


_ROUTES = [
    (re.compile(r"/2/tweets/search/recent"), "search"),
    (re.compile(r"/2/tweets"), "lookup"),
    (re.compile(r"/2/users/me"), "me"),
    (re.compile(r"/2/users/by/username/([^/]+)"), "by_username"),
    (re.compile(r"/2/users/(\d+)/mentions"), "mentions"),
    (re.compile(r"/2/users/(\d+)/tweets"), "tweets"),
    (re.compile(r"/2/usage/tweets"), "usage"),
]
_LISTED = {
    "tweet.fields": TWEET_FIELDS,
    "post.fields": POST_FIELDS,
    "user.fields": USER_FIELDS,
    "expansions": EXPANSIONS,
    "sort_order": frozenset({"recency", "relevancy"}),
    "exclude": frozenset({"replies", "retweets"}),
}


def _forbidden(detail: str) -> Answer:
    return _problem(403, "Forbidden", detail)


def _weight(text: str) -> int:
    """The length that X counts: a link 23, letters of some scripts and emoji two."""
    rest = URL.sub("", text)
    return 23 * len(URL.findall(text)) + sum(
        1 if ord(letter) < 0x1100 or 0x2000 <= ord(letter) < 0x2038 else 2 for letter in rest
    )


def _split(given: str | None) -> list[str]:
    return given.split(",") if given else []


def _cut(full: str) -> str:
    return full if len(full) <= SHOWN_LENGTH else full[: SHOWN_LENGTH - 1] + "…"


def _not_found(kind: str, parameter: str, value: str) -> dict[str, Any]:
    return {
        "value": value,
        "detail": f"Could not find {kind} with {parameter}: [{value}].",
        "title": "Not Found Error",
        "resource_type": kind,
        "parameter": parameter,
        "resource_id": value,
        "type": "https://api.twitter.com/2/problems/resource-not-found",
    }


# --- people on it, for the contract suite -------------------------------------------------------------------------

HOSPITAL = "StBrigidCares"


class XPlace(Place):
    """X as a place where people post about the hospital."""

    server: FakeX

    def post(self, text: str, at: datetime, author: str = "ann", answers: str | None = None) -> str:
        return self.server.post(text, author, at, in_reply_to=answers)

    def edit(self, ref: str, text: str, at: datetime) -> None:
        self.server.edit(ref, text, at)

    def delete(self, ref: str) -> None:
        self.server.delete(ref)

    def answer(self, ref: str, text: str, at: datetime) -> str:
        return self.server.post(text, HOSPITAL, at, in_reply_to=ref)

    def may_answer(self) -> dict[str, str]:
        """The secrets that answering needs."""
        return secrets_of(self.server)

    def lose(self) -> None:
        """Nobody asks for nine days; X searches seven days back."""
        self.clock.at += timedelta(days=9)


def secrets_of(server: FakeX) -> dict[str, str]:
    """What signs for the hospital's account."""
    keys = server.user_keys
    return {
        "X_API_KEY": keys.api_key,
        "X_API_SECRET": keys.api_secret,
        "X_ACCESS_TOKEN": keys.access_token,
        "X_ACCESS_SECRET": keys.access_secret,
    }


@contextmanager
def place(clock: Any, folder: Path) -> Iterator[XPlace]:
    """X, searched for the names in hospital.toml."""
    with FakeX(now=clock, own_handle=HOSPITAL) as server:
        there = XPlace(server, {"base_url": server.base_url}, {"X_BEARER_TOKEN": server.bearer})
        there.clock = clock
        yield there
