"""Reddit: new posts and comments of watched subreddits, a search, and the hospital's own comments, through praw.

Off until Reddit has approved the use (Responsible Builder Policy). Listings come newest first and hold about 1,000
items; each is read until it meets what the last pass saw. No meeting point means a gap, which is reported: a single
anchor would not do, as Reddit answers with nothing when it was deleted. No listing shows an edit or a deletion of what
is further down: `lookup` does.

praw sends the requests, and its answers are taken as JSON: praw's own objects break on one odd item of a hundred, and
take an answer of another kind for "none of these posts is there", after which all of them would be forgotten here.

Listening needs no account. Answering does: by a refresh token, which its owner made for the scopes identity and submit
and can take back, not by the account's password, which may do everything and works only without a second factor.
"""

import logging
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated, Any

import prawcore
import requests
from pydantic import ConfigDict, Field, StrictBool, StringConstraints, ValidationInfo, field_validator, model_validator

from config.schema import CollectorSettings, Duration, Text
from listener import web
from listener.collect import sending
from listener.errors import AskedToWait, NeedsPerson, SkipPost, TryLater
from listener.post import Answerable, Asking, Page, Post, Ref, Replied, Unheard, read_post, same_words

SECRETS = ("REDDIT_CLIENT_ID", "REDDIT_CLIENT_SECRET")
REPLY_SECRETS = (*SECRETS, "REDDIT_REFRESH_TOKEN")

_TIMEOUT = 10.0  # seconds; prawcore's own is fixed at 16, three times over
_USER_AGENT = "linux:org.call-light.listener:v0.1 (hospital patient service)"
_PAGE = 100
_LISTING = 1000
_NEARLY_ALL = 900  # Reddit leaves deleted items out of the 1,000
_NEARLY_ALL_FOUND = 200  # a search ends after some 245 items
_MOST_REQUESTS = 25  # for one listing: pages may be short, or empty and not the last
_FIRST_REACH = timedelta(days=7)  # how far back the first pass reads
_REMEMBERED = 200  # fullnames a listing remembers, so that deleted ones do not hide where it stopped
_LONGEST_WAIT = 600  # seconds: the rate limit counts ten minutes
_SECONDS = r"[0-9]{1,6}(\.[0-9]+)?"
_HOME = "https://www.reddit.com"
_BREAK = re.compile(r"([0-9]{1,3}) (millisecond|second|minute|hour)")  # in the sentence of a RATELIMIT
_SECONDS_OF = {"millisecond": 0.001, "second": 1, "minute": 60, "hour": 3600}
_GONE = "the post was deleted; there is nobody to answer"
_REFUSED_REPLIES = {  # Reddit's name for the error -> what happened and what to do
    "DELETED_COMMENT": _GONE,
    "DELETED_LINK": _GONE,
    "THREAD_LOCKED": "the moderators have locked this conversation; write to them, or leave it",
    "TOO_OLD": "the post is too old to be answered",
    "TOO_LONG": "the reply is longer than the 10,000 characters that Reddit takes; shorten it",
    "NO_TEXT": "the reply has no words",
    "USER_REQUIRED": "REDDIT_REFRESH_TOKEN stands for no account; make it anew (docs/collectors.md)",
    "SUBREDDIT_NOTALLOWED": "the account may not write in this subreddit; ask its moderators",
    "SUBREDDIT_OUTBOUND_LINKING_DISALLOWED": "this subreddit takes no links; leave the link out",
    "USER_BLOCKED": "its author has blocked the account",
}

# At DEBUG it writes what it sends, the words of a reply too.
logging.getLogger("prawcore").setLevel(logging.INFO)

Subreddit = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{2,32}$")]


class Settings(CollectorSettings):
    """Reddit: every post of some subreddits, and a search for posts anywhere."""

    # What _is_allowed() and _listens_to_something() ask for.
    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"on": {"const": True}}, "required": ["on"]},
            "then": {
                "properties": {"approved": {"const": True}},
                "required": ["approved"],
                "anyOf": [
                    {"properties": {key: {"minItems": 1}}, "required": [key]} for key in ("subreddits", "search")
                ],
            },
        }
    )

    every: Duration = timedelta(minutes=2)
    quiet_after: Duration = timedelta(hours=48)
    # Reddit: "strongly recommend routinely deleting any stored user data and content within 48 hours".
    keep_for: Duration = timedelta(hours=48)
    approved: Annotated[StrictBool, Field(validate_default=True)] = False
    """true, once Reddit has approved this use in writing; until then on = false."""
    subreddits: tuple[Subreddit, ...] = ()
    """Every post and comment of these is read, such as "PortAlder", without "r/"."""
    search: tuple[Text, ...] = ()
    """Posts anywhere on Reddit are searched for these; Reddit cannot search comments."""

    @field_validator("approved")
    @classmethod
    def _is_allowed(cls, approved: bool, info: ValidationInfo) -> bool:
        if info.data.get("on") and not approved:
            raise ValueError(
                "true, once Reddit has approved this use in writing (its Responsible Builder Policy asks for approval "
                "before any access, and use by or for a business needs a contract with Reddit); until then on = false"
            )
        return approved

    @model_validator(mode="after")
    def _listens_to_something(self) -> "Settings":
        if self.on and not self.subreddits and not self.search:
            raise ValueError('something to listen to, in "subreddits" or "search"')
        return self


def fetch(settings: Settings, cursor: Mapping[str, Any], asking: Asking) -> Iterator[Page]:
    """New posts and comments of each listing. Cursor: {listing: {"seen": fullnames, "until": newest, "from": oldest}}.

    A listing that Reddit refuses is told at the end: the others are read first.
    """
    yield from _read(_connection(settings, asking), _listings(settings), cursor, asking.now)


def own_replies(settings: Settings, cursor: Mapping[str, Any], asking: Asking) -> Iterator[Page]:
    """What the hospital's account commented, wherever that was. Cursor as of fetch."""
    if account := asking.hospital.accounts.reddit:
        wrong = f"Reddit refused the comments of {account!r}: suspended, or no such account; "
        wrong += "correct accounts.reddit in hospital.toml"
        listing = _Listing(f"user:{account}", f"user/{account}/comments", wrong, {"sort": "new"})
        yield from _read(_connection(settings, asking), [listing], cursor, asking.now)


def lookup(settings: Settings, refs: Sequence[str], asking: Asking) -> Page:
    """Which of these posts are gone, and the others as they are now."""
    wrong = "Reddit refused to show posts again; check the app on reddit.com/prefs/apps"
    items, _ = _connection(settings, asking).ask("api/info/", {"id": ",".join(refs)}, wrong, asking.now)
    there = {item["name"]: item for item in items if isinstance(item, dict) and isinstance(item.get("name"), str)}
    if len(there) < len(items):  # what cannot be read may be any of them
        raise TryLater("reddit: the answer has an unknown shape (name)")
    read = {ref: _read_item(there[ref]) for ref in refs if ref in there}
    posts, skipped = _sorted_out(read.values())
    return Page(posts, {}, skipped=skipped, deleted=tuple(Ref("reddit", ref) for ref in refs if read.get(ref) is None))


def reply(settings: Settings, post: Answerable, text: str, asking: Asking) -> Replied:
    """Comment below a post or a comment as the hospital's account. `text` is read as Markdown by Reddit."""
    connection = _connected(
        *(asking.secrets[name] for name in SECRETS), settings.base_url, asking.secrets[REPLY_SECRETS[-1]]
    )
    ours = asking.hospital.accounts.reddit
    if (owner := connection.owner(asking.now)).casefold() != ours.casefold():
        raise NeedsPerson(
            f"reddit: REDDIT_REFRESH_TOKEN is of u/{owner[:20]}, but the hospital's account is u/{ours}; make it while "
            "signed in as that, or correct hospital.toml"
        )
    with sending("reddit"):
        made = connection.comment(post.ref, text, asking.now)
        return Replied(str(made["name"]), _HOME + made["permalink"])


def find_reply(settings: Settings, post: Answerable, text: str, asking: Asking) -> Replied | None:
    """The reply among the account's newest 100 comments."""
    account = asking.hospital.accounts.reddit
    wrong = f"Reddit refused the comments of {account!r}; correct accounts.reddit in hospital.toml"
    params = {"sort": "new", "limit": _PAGE}
    items, _ = _connection(settings, asking).ask(f"user/{account}/comments", params, wrong, asking.now)
    for item in items:
        if item["parent_id"] == post.ref and same_words(text, item["body"]):
            return Replied(item["name"], _HOME + item["permalink"])
    return None


# ---------------------------------------------------------------- listings


@dataclass(frozen=True)
class _Listing:
    """One listing of Reddit's."""

    name: str  # its cursor is kept under it
    path: str
    wrong: str  # the sentence when Reddit refuses it
    params: Mapping[str, str] = field(default_factory=dict)
    nearly_all: int = _NEARLY_ALL  # so many items may be all that it holds
    # What was asked for -> the subreddit whose items it brings, None: it brings all of them.
    filters: Mapping[str, str | None] = field(default_factory=dict)

    def matched(self, items: Sequence[Any]) -> dict[str, int]:
        """How many items each filter brought. Of several subreddits Reddit leaves out a closed one without a word."""
        subs = [str(item.get("subreddit")).casefold() for item in items if isinstance(item, dict)]
        return {name: len(items) if sub is None else subs.count(sub) for name, sub in self.filters.items()}


def _listings(settings: Settings) -> list[_Listing]:
    listings = []
    if settings.subreddits:
        together = "+".join(settings.subreddits)
        wrong = f"Reddit refused r/{together}: private, banned, or no such name; correct subreddits in listening.toml"
        filters = {f"r/{sub}": sub.casefold() for sub in settings.subreddits}
        for name, path in (("new", f"r/{together}/new"), ("comments", f"r/{together}/comments/")):
            listings.append(_Listing(f"{name}:{together}", path, wrong, filters=filters))
    for query in settings.search:
        params = {"q": query, "sort": "new", "t": "all", "restrict_sr": "False"}
        wrong = f"Reddit refused the search {query[:60]!r}; correct it in listening.toml"
        found = _Listing(f"search:{query}", "r/all/search/", wrong, params, _NEARLY_ALL_FOUND, {query: None})
        listings.append(found)
    return listings


def _read(
    connection: "_Connection", listings: Sequence[_Listing], cursor: Mapping[str, Any], now: datetime
) -> Iterator[Page]:
    places = {listing.name: cursor[listing.name] for listing in listings if listing.name in cursor}
    wrong = []
    for listing in listings:
        try:
            for page, place in _pages(connection, listing, places.get(listing.name, {}), now):
                places = {**places, listing.name: place} if place else places
                yield replace(page, cursor=places)
        except _Refused as error:
            wrong.append(str(error))
    if wrong:
        raise NeedsPerson("; ".join(dict.fromkeys(wrong)))


def _pages(
    connection: "_Connection", listing: _Listing, before: Mapping[str, Any], now: datetime
) -> Iterator[tuple[Page, dict[str, Any] | None]]:
    """A listing from its newest item to what was seen before; the last page comes with the new place."""
    remembered = list(before.get("seen", ()))
    until, since = _heard_until(before, now)
    newest, oldest, seen, last, after = until or since, now, list[str](), False, None
    for _ in range(_MOST_REQUESTS):
        params = {**listing.params, "limit": _PAGE, **({"after": after} if after else {})}
        items, after = connection.ask(listing.path, params, listing.wrong, now)
        seen += [item["name"] for item in items if isinstance(item, dict) and isinstance(item.get("name"), str)]
        posts, skipped = _sorted_out(map(_read_item, items))
        for post in posts:
            newest, oldest = max(newest, post.written_at), min(oldest, post.written_at)
        met = not set(remembered).isdisjoint(seen) or oldest < (until or since)
        last = met or after is None or len(seen) >= _LISTING
        unheard: tuple[Unheard, ...] = ()
        if last and not met and until and len(seen) >= listing.nearly_all:
            why = f"Reddit's listing {listing.name} ends after {len(seen)} items, and more were new"
            unheard = (Unheard(until, max(until, oldest), why),)
        # What was there long before the first pass is nobody's case any more.
        fresh = tuple(post for post in posts if post.written_at >= since)
        page = Page(fresh, {}, unheard=unheard, skipped=skipped, matched=listing.matched(items))
        names = list(dict.fromkeys([*seen, *remembered]))[:_REMEMBERED]
        yield page, {"seen": names, "until": newest.isoformat(), "from": since.isoformat()} if last else None
        if last:
            return
    raise TryLater(f"reddit: the listing {listing.name} does not end")


def _heard_until(before: Mapping[str, Any], now: datetime) -> tuple[datetime | None, datetime]:
    """The newest that was heard, and the oldest to take. Neither may lie where a wrong clock of ours put it."""
    until = datetime.fromisoformat(before["until"]) if before.get("until") else None
    since = datetime.fromisoformat(before["from"]) if before.get("from") else now
    return (until if until and until <= now else None), min(since, now - _FIRST_REACH)


# ---------------------------------------------------------------- the connection


class _Refused(NeedsPerson):
    """Reddit does not give this listing; another one may be right."""


class _Connection:
    """praw with its token and the rate limit; for one request at a time, which is all that praw is made for."""

    def __init__(self, client_id: str, client_secret: str, base_url: str | None, refresh_token: str | None) -> None:
        import praw

        session = web.guarded(base_url)
        for prefix in ("https://", "http://"):
            session.mount(prefix, web.Limited("reddit", _TIMEOUT, [base_url] if base_url else []))
        hosts = {"reddit_url": base_url.rstrip("/"), "oauth_url": base_url.rstrip("/") + "/"} if base_url else {}
        options: dict[str, Any] = {"check_for_updates": False, "user_agent": _USER_AGENT, **hosts}
        options |= {
            "requestor_class": SafeRequestor,
            "requestor_kwargs": {"session": session, "used_up": self._used_up},
        }
        options |= {"refresh_token": refresh_token} if refresh_token else {}
        self.reddit = praw.Reddit(client_id=client_id, client_secret=client_secret, **options)
        self._names = REPLY_SECRETS if refresh_token else SECRETS
        self._owner: str | None = None
        self._lock = threading.Lock()
        self._now = self._not_before = datetime.min.replace(tzinfo=UTC)

    def ask(self, path: str, params: Mapping[str, Any], wrong: str, now: datetime) -> tuple[list[Any], str | None]:
        """The items of a listing's page, and where it goes on. `wrong`: what to tell people when Reddit refuses it.

        Raises _Refused, TryLater, NeedsPerson.
        """
        return _shaped(self._request("GET", path, wrong, now, params=dict(params)))

    def owner(self, now: datetime) -> str:
        """The account that it acts for, asked for once. Raises TryLater, NeedsPerson."""
        if self._owner is None:
            wrong = "REDDIT_REFRESH_TOKEN lacks the scope identity; make it anew (docs/collectors.md)"
            name = self._request("GET", "api/v1/me", wrong, now).get("name")
            if not isinstance(name, str):
                raise TryLater("reddit: the answer has an unknown shape (me)")
            self._owner = name
        return self._owner

    def comment(self, ref: str, text: str, now: datetime) -> Mapping[str, Any]:
        """The new comment. For use within sending(). Raises AskedToWait, NeedsPerson, and what leaves it open."""
        wrong = "Reddit forbids the reply: the account is banned in this subreddit or suspended, "
        wrong += "or REDDIT_REFRESH_TOKEN lacks the scope submit"
        answer = self._request("POST", "api/comment/", wrong, now, data={"thing_id": ref, "text": text})["json"]
        if answer["errors"]:
            raise _not_commented(answer["errors"][0], now)
        made: Mapping[str, Any] = answer["data"]["things"][0]["data"]
        return made

    def _request(self, method: str, path: str, wrong: str, now: datetime, **content: Any) -> Any:
        from praw.exceptions import RedditAPIException

        with self._lock:
            if timedelta() < self._not_before - now <= timedelta(seconds=_LONGEST_WAIT):
                raise AskedToWait("reddit: the rate limit is used up", self._not_before)
            self._now = now
            try:
                return self.reddit.request(method=method, path=path, **content)
            except prawcore.TooManyRequests as error:
                raise AskedToWait("reddit: Reddit asks to wait (429)", self._retry_at(error)) from None
            except (prawcore.PrawcoreException, RedditAPIException) as error:
                if isinstance(getattr(error, "original_exception", None), ValueError):
                    _connected.cache_clear()  # its token is kept for an hour, and no request can be sent with it
                raise _remedy(error, wrong, self._names) from None
            except (AssertionError, AttributeError, LookupError, TypeError, ValueError):
                raise TryLater("reddit: Reddit reports an error of an unknown shape") from None

    def _used_up(self, seconds: float) -> None:
        """The requestor read in an answer that there is none left for so long."""
        self._not_before = self._now + timedelta(seconds=seconds)

    def _retry_at(self, error: prawcore.TooManyRequests) -> datetime | None:
        stated = str(error.retry_after or "")
        if re.fullmatch(_SECONDS, stated):
            return self._now + timedelta(seconds=float(stated))
        return self._not_before if self._not_before > self._now else None


@cache
def _connected(
    client_id: str, client_secret: str, base_url: str | None, refresh_token: str | None = None
) -> _Connection:
    """One connection for as long as the process lives; with a refresh token one that acts for an account."""
    return _Connection(client_id, client_secret, base_url, refresh_token)


def _connection(settings: Settings, asking: Asking) -> _Connection:
    return _connected(*(asking.secrets[name] for name in SECRETS), settings.base_url)


def _not_commented(error: Sequence[Any], now: datetime) -> AskedToWait | NeedsPerson:
    """Why there is no comment, by the name and the sentence that Reddit gives."""
    name, sentence = str(error[0]), str(error[1])
    if name == "RATELIMIT":
        found = _BREAK.search(sentence)
        at = now + timedelta(seconds=int(found[1]) * _SECONDS_OF[found[2]]) if found else None
        return AskedToWait("reddit: Reddit wants the account to wait before it comments again", at)
    return NeedsPerson(
        f"reddit: Reddit refuses the reply: {_REFUSED_REPLIES.get(name, f'{sentence[:200]} ({name[:60]})')}"
    )


class SafeRequestor(prawcore.Requestor):
    """Sends once what must not be sent twice, never waits long, and never sleeps.

    prawcore repeats every method, POST too, on 408, 5xx and dropped connections (platform facts 2.3), passes its own
    timeout, and sleeps up to ten minutes in the calling thread when the rate limit is used up. Here an unknown
    outcome is an error that it does not repeat, and a used-up limit is told to `used_up`, in seconds.
    """

    def __init__(self, *, used_up: Callable[[float], None], **options: Any) -> None:
        super().__init__(**options)
        self._used_up = used_up

    def request(self, *args: Any, timeout: float | None = None, **options: Any) -> requests.Response:
        """As prawcore.Requestor.request."""
        method = options.get("method") or (args[0] if args else "")
        writes = str(method).upper() != "GET"
        try:
            response = super().request(*args, timeout=min(timeout or _TIMEOUT, _TIMEOUT), **options)
        except prawcore.RequestException as error:
            if writes:
                original = error.original_exception
                why = str(original) if isinstance(original, TryLater) else type(original).__name__
                raise self._unknown(why, args, options) from None
            raise
        if writes and (response.status_code >= 500 or response.status_code == requests.codes.request_timeout):
            raise self._unknown(f"HTTP {response.status_code}", args, options)
        self._heed(response)
        return response

    @staticmethod
    def _unknown(why: str, args: tuple[Any, ...], options: dict[str, Any]) -> prawcore.RequestException:
        return prawcore.RequestException(RuntimeError(f"outcome unknown: {why}"), args, options)

    def _heed(self, response: requests.Response) -> None:
        """Take the rate limit out of prawcore's hands: it would sleep on it, or fail on half of the headers."""
        if not re.fullmatch(_SECONDS, response.headers.get("retry-after", "")):
            response.headers.pop("retry-after", None)  # prawcore takes it for a number unseen
        stated = {name: response.headers.pop(f"x-ratelimit-{name}", None) for name in ("remaining", "used", "reset")}
        try:
            remaining, reset = float(stated["remaining"] or "inf"), float(stated["reset"] or 60)
        except ValueError:
            return
        if remaining < 1:
            self._used_up(min(max(reset, 1), _LONGEST_WAIT))


def _remedy(error: Exception, wrong: str, names: Sequence[str]) -> TryLater | NeedsPerson:
    response = error.response if isinstance(error, prawcore.ResponseException) else None
    code = None if response is None else response.status_code
    not_renewed = code == 400 and str(response.url).endswith("/access_token")  # type: ignore[union-attr]
    if isinstance(error, prawcore.OAuthException | prawcore.InvalidToken) or code == 401 or not_renewed:
        return NeedsPerson(f"reddit: Reddit does not accept {' and '.join(names)}")
    if code == 402:
        return NeedsPerson("reddit: Reddit wants this use to be paid for (402); ask Reddit for a contract")
    if isinstance(error, prawcore.exceptions.BadJSON):
        return TryLater("reddit: the answer is not JSON; is something else answering in Reddit's place?")
    if isinstance(error, prawcore.RequestException):
        original = error.original_exception
        if isinstance(original, TryLater):
            return original
        why = str(original) if isinstance(original, RuntimeError) else type(original).__name__
        return TryLater(f"reddit: no answer from Reddit ({why}); check the network, the next pass asks again")
    if code is None or isinstance(error, _REFUSALS):
        return _Refused(f"reddit: {wrong}")
    return TryLater(f"reddit: Reddit answers {code}")


_REFUSALS = (
    *(prawcore.Forbidden, prawcore.NotFound, prawcore.Redirect, prawcore.BadRequest, prawcore.URITooLong),
    *(prawcore.InsufficientScope, prawcore.TooLarge),
    prawcore.UnavailableForLegalReasons,
)


def _shaped(answer: Any) -> tuple[list[Any], str | None]:
    """The items of a listing, and where it goes on. Raises TryLater for anything that is none."""
    data = answer.get("data") if isinstance(answer, dict) and answer.get("kind") == "Listing" else None
    children, after = (data.get("children"), data.get("after")) if isinstance(data, dict) else (None, None)
    if not isinstance(children, list) or not (after is None or isinstance(after, str)):
        raise TryLater("reddit: the answer has an unknown shape")
    return [child.get("data") if isinstance(child, dict) else None for child in children], after or None


# ---------------------------------------------------------------- Reddit's JSON as posts


def _sorted_out(items: Iterable[Post | SkipPost | None]) -> tuple[tuple[Post, ...], tuple[SkipPost, ...]]:
    there = list(items)
    posts = tuple(item for item in there if isinstance(item, Post))
    return posts, tuple(item for item in there if isinstance(item, SkipPost))


def _read_item(item: Any) -> Post | SkipPost | None:
    """A post; None for one that was deleted or removed, which is nobody's any more."""
    where = f"reddit:{str(item.get('name') if isinstance(item, dict) else '?')[:30]}"
    try:
        return None if _is_gone(item) else _post(where, item)
    except SkipPost as skip:
        return skip
    except (AttributeError, LookupError, TypeError, ValueError, OverflowError, OSError) as error:
        return SkipPost(where, f"unknown shape ({type(error).__name__})")


def _is_gone(item: Mapping[str, Any]) -> bool:
    gone = (None, "[deleted]", "[removed]")
    return bool(item.get("removed_by_category")) or item["author"] in gone or _body(item) in gone[1:]


def _body(item: Mapping[str, Any]) -> str:
    body: str = item["body"] if "body" in item else item["selftext"]
    return body


def _post(where: str, item: Mapping[str, Any]) -> Post:
    edited = item.get("edited")
    return read_post(
        where,
        source="reddit",
        ref=item["name"],
        text="\n\n".join(filter(None, (item.get("title"), _body(item)))),
        written_at=datetime.fromtimestamp(float(item["created_utc"]), UTC),
        edited_at=datetime.fromtimestamp(float(edited), UTC) if edited else None,
        url=_HOME + item["permalink"],
        author=item["author"],
        thread=item.get("link_id") or item["name"],
        answers=item.get("parent_id"),
        quotes=item.get("crosspost_parent"),
    )
