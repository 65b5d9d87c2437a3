"""Reddit: new posts and comments of watched subreddits, and a search, through praw.

Off until Reddit has approved the use (Responsible Builder Policy). Listings come newest first and hold about 1,000
items; each is read until it meets what the last pass saw. No meeting point means a gap, which is reported: a single
anchor would not do, as Reddit answers with nothing when it was deleted.
"""

import itertools
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import prawcore
import requests
from pydantic import StringConstraints, model_validator

from config.schema import CollectorSettings, Text
from listener.errors import AskedToWait, NeedsPerson, SkipPost, TryLater
from listener.post import Asking, Page, Post, Unheard, read_post

if TYPE_CHECKING:
    import praw

SECRETS = ("REDDIT_CLIENT_ID", "REDDIT_CLIENT_SECRET")

_TIMEOUT = 10.0  # seconds; prawcore's own is fixed at 16, three times over
_USER_AGENT = "linux:org.call-light.listener:v0.1 (hospital patient service)"
_PAGE = 100
_LISTING = 1000
_NEARLY_ALL = 900  # Reddit leaves deleted items out of the 1,000
_FIRST_REACH = timedelta(days=7)  # how far back the first pass reads
_REMEMBERED = 200  # fullnames a listing remembers, so that deleted ones do not hide where it stopped
_SECONDS = r"[0-9]{1,6}(\.[0-9]+)?"
_HOME = "https://www.reddit.com"

Subreddit = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{2,32}$")]


class Settings(CollectorSettings):
    """[collectors.reddit]"""

    subreddits: tuple[Subreddit, ...] = ()
    search: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _listens_to_something(self) -> "Settings":
        if self.on and not self.subreddits and not self.search:
            raise ValueError('something to listen to, in "subreddits" or "search"')
        return self


def fetch(settings: Settings, cursor: Mapping[str, Any], asking: Asking) -> Iterator[Page]:
    """New posts and comments of each listing. Cursor: {listing: {"seen": fullnames, "until": newest, "from": oldest}}.

    A listing that Reddit refuses is told at the end: the others are read first.
    """
    reddit = _reddit(asking.secrets["REDDIT_CLIENT_ID"], asking.secrets["REDDIT_CLIENT_SECRET"], settings.base_url)
    listings = _listings(reddit, settings)
    places = {name: dict(place) for name, place in cursor.items() if name in listings}
    wrong = []
    for name, items in listings.items():
        try:
            for page, place in _pages(name, items, places.get(name, {}), asking.now):
                places = {**places, name: place} if place else places
                yield Page(page.posts, places, unheard=page.unheard, skipped=page.skipped)
        except _WrongListing as error:
            wrong.append(str(error))
    if wrong:
        raise NeedsPerson("; ".join(wrong))


class _WrongListing(NeedsPerson):
    """Reddit does not give this listing; another one may be right."""


def _listings(reddit: "praw.Reddit", settings: Settings) -> dict[str, Iterator[Any]]:
    """Every listing to read, by a name that its cursor is kept under. Nothing is asked for yet."""
    listings: dict[str, Iterator[Any]] = {}
    if settings.subreddits:
        together = "+".join(settings.subreddits)
        listings[f"new:{together}"] = reddit.subreddit(together).new(limit=_LISTING)
        listings[f"comments:{together}"] = reddit.subreddit(together).comments(limit=_LISTING)
    for query in settings.search:
        found = reddit.subreddit("all").search(query, sort="new", time_filter="week", limit=_LISTING)
        listings[f"search:{query}"] = found
    return listings


def _pages(
    name: str, items: Iterator[Any], before: Mapping[str, Any], now: datetime
) -> Iterator[tuple[Page, dict[str, Any] | None]]:
    """A listing in pages of 100 until it meets what was seen before; the last page comes with the new place."""
    remembered = list(before.get("seen", ()))
    until = datetime.fromisoformat(before["until"]) if before.get("until") else None
    since = datetime.fromisoformat(before["from"]) if before.get("from") else now - _FIRST_REACH
    newest, oldest, seen, last = until or since, now, list[str](), False
    while not last:
        batch = _next_page(name, items)
        seen += [str(getattr(item, "fullname", "?")) for item in batch]
        posts, skipped = _posts(batch)
        for post in posts:
            newest, oldest = max(newest, post.written_at), min(oldest, post.written_at)
        met = not set(remembered).isdisjoint(seen) or oldest < (until or since)
        last = met or len(batch) < _PAGE or len(seen) >= _LISTING
        unheard: tuple[Unheard, ...] = ()
        if last and not met and until and len(seen) >= _NEARLY_ALL:
            unheard = (Unheard(until, oldest, f"Reddit's listing {name} holds {_LISTING} items, and more were new"),)
        place = {"seen": [*seen, *remembered][:_REMEMBERED], "until": newest.isoformat(), "from": since.isoformat()}
        # What was there long before the first pass is nobody's case any more.
        fresh = tuple(post for post in posts if post.written_at >= since)
        yield Page(fresh, {}, unheard=unheard, skipped=tuple(skipped)), place if last else None


def _posts(items: list[Any]) -> tuple[list[Post], list[SkipPost]]:
    posts, skipped = [], []
    for item in items:
        try:
            if post := _post(item):
                posts.append(post)
        except SkipPost as skip:
            skipped.append(skip)
    return posts, skipped


def _next_page(name: str, items: Iterator[Any]) -> list[Any]:
    """The next 100 items. Raises TryLater, NeedsPerson."""
    from praw.exceptions import RedditAPIException

    try:
        return list(itertools.islice(items, _PAGE))
    except (prawcore.PrawcoreException, RedditAPIException) as error:
        raise _remedy(name, error) from None


def _remedy(name: str, error: Exception) -> TryLater | NeedsPerson:
    code = error.response.status_code if isinstance(error, prawcore.ResponseException) else None
    if isinstance(error, prawcore.TooManyRequests):
        return AskedToWait("reddit: Reddit asks to wait (429)", _retry_at(error))
    if isinstance(error, prawcore.OAuthException | prawcore.InvalidToken) or code == 401:
        return NeedsPerson("reddit: Reddit does not accept REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET")
    if isinstance(error, prawcore.Forbidden | prawcore.NotFound | prawcore.Redirect):
        return _WrongListing(f"reddit: {name!r} is private, banned or does not exist; correct it in listening.toml")
    if (code is None and not isinstance(error, prawcore.RequestException)) or code in (400, 414):
        return _WrongListing(f"reddit: Reddit refused {name[:60]!r}; correct it in listening.toml")
    if isinstance(error, prawcore.exceptions.BadJSON):
        return TryLater("reddit: the answer is not JSON; is something else answering in Reddit's place?")
    if isinstance(error, prawcore.RequestException):
        original = error.original_exception
        why = str(original) if isinstance(original, RuntimeError) else type(original).__name__
        return TryLater(f"reddit: no answer from Reddit ({why}); check the network, the next pass asks again")
    return TryLater(f"reddit: Reddit answers {code}")


def _retry_at(error: prawcore.TooManyRequests) -> datetime | None:
    stated = str(error.retry_after or "")
    seconds = float(stated) if re.fullmatch(_SECONDS, stated) else None
    return None if seconds is None else datetime.now(UTC) + timedelta(seconds=seconds)


# ---------------------------------------------------------------- the connection


class SafeRequestor(prawcore.Requestor):
    """Sends once what must not be sent twice, never waits long, and never sleeps.

    prawcore repeats every method, POST too, on 5xx and dropped connections (platform facts 2.3), passes its own
    timeout, and sleeps up to ten minutes in the calling thread when the rate limit is used up. Here an unknown
    outcome is an error that it does not repeat, and a used-up limit is a TryLater that says until when.
    """

    _not_before = 0.0  # epoch seconds

    def request(self, *args: Any, timeout: float | None = None, **options: Any) -> requests.Response:
        """As prawcore.Requestor.request. Raises TryLater while the rate limit is used up."""
        if time.time() < self._not_before:
            raise AskedToWait("reddit: the rate limit is used up", datetime.fromtimestamp(self._not_before, UTC))
        method = options.get("method") or (args[0] if args else "")
        writes = str(method).upper() != "GET"
        try:
            response = super().request(*args, timeout=min(timeout or _TIMEOUT, _TIMEOUT), **options)
        except prawcore.RequestException as error:
            if writes:
                raise self._unknown(type(error.original_exception).__name__, args, options) from None
            raise
        if writes and response.status_code >= 500:
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
            self._not_before = time.time() + min(max(reset, 1), 600)


@cache
def _reddit(client_id: str, client_secret: str, base_url: str | None) -> "praw.Reddit":
    """One connection for as long as the process lives: it holds the token and the rate limit."""
    import praw

    hosts = {"reddit_url": base_url.rstrip("/"), "oauth_url": base_url.rstrip("/") + "/"} if base_url else {}
    options: dict[str, Any] = {"check_for_updates": False, "requestor_class": SafeRequestor, **hosts}
    return praw.Reddit(client_id=client_id, client_secret=client_secret, user_agent=_USER_AGENT, **options)


# ---------------------------------------------------------------- praw's objects as posts


def _post(item: Any) -> Post | None:
    """A post or comment; None for one that was deleted. Raises SkipPost.

    Only what the listing carried is read: praw would fetch anything else with a request of its own.
    """
    known = vars(item)
    where = f"reddit:{str(known.get('name'))[:30]}"
    try:
        return _parsed(where, known)
    except (AttributeError, LookupError, TypeError, ValueError, OverflowError, OSError) as error:
        raise SkipPost(where, f"unknown shape ({type(error).__name__})") from None


def _parsed(where: str, known: Mapping[str, Any]) -> Post | None:
    body = known["body"] if "body" in known else known["selftext"]
    if known.get("removed_by_category") or body in ("[deleted]", "[removed]") or known.get("author") is None:
        return None
    edited = known.get("edited")
    return read_post(
        where,
        source="reddit",
        ref=known["name"],
        text="\n\n".join(filter(None, (known.get("title"), body))),
        written_at=datetime.fromtimestamp(float(known["created_utc"]), UTC),
        edited_at=datetime.fromtimestamp(float(edited), UTC) if edited else None,
        url=_HOME + known["permalink"],
        author=known["author"].name,
        thread=known.get("link_id") or known["name"],
        answers=known.get("parent_id"),
    )
