"""Reddit: new posts and comments of watched subreddits, and a search, through praw.

Off until Reddit has approved the use (Responsible Builder Policy). Listings come newest first and hold about 1,000
items; each is read until it meets what the last pass saw. No meeting point means a gap, which is reported: a single
anchor would not do, as Reddit answers with nothing when it was deleted.
"""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import prawcore
import requests
from pydantic import StringConstraints

from config.schema import CollectorSettings, Text
from listener.errors import NeedsPerson, SkipPost, TryLater
from listener.post import Asking, Page, Post, Unheard, read_post

if TYPE_CHECKING:
    import praw

SECRETS = ("REDDIT_CLIENT_ID", "REDDIT_CLIENT_SECRET")

_TIMEOUT = 10.0  # seconds; prawcore's own is fixed at 16, three times over
_USER_AGENT = "linux:org.call-light.listener:v0.1 (hospital patient service)"
_PAGE = 100
_LISTING = 1000
_FIRST_REACH = timedelta(days=7)  # how far back the first pass reads
_REMEMBERED = 200  # fullnames a listing remembers, so that deleted ones do not hide where it stopped
_HOME = "https://www.reddit.com"

Subreddit = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{2,32}$")]


class Settings(CollectorSettings):
    """[collectors.reddit]"""

    approved: bool = True
    subreddits: tuple[Subreddit, ...] = ()
    search: tuple[Text, ...] = ()


def fetch(settings: Settings, cursor: Mapping[str, Any], asking: Asking) -> Iterator[Page]:
    """New posts and comments of each listing. Cursor: {listing: {"seen": fullnames, "until": time of the newest}}."""
    if not settings.approved:
        raise NeedsPerson("reddit: Reddit must approve this use first; then set approved = true in listening.toml")
    reddit = _reddit(asking.secrets["REDDIT_CLIENT_ID"], asking.secrets["REDDIT_CLIENT_SECRET"], settings.base_url)
    places = {name: dict(place) for name, place in cursor.items()}
    for name, items in _listings(reddit, settings).items():
        before = places.get(name, {})
        seen: list[str] = []
        for batch, page in _batches(name, items, before, asking.now):
            seen += batch
            if page.cursor:  # the last page of this listing
                places[name] = {"seen": (seen + before.get("seen", []))[:_REMEMBERED], **page.cursor}
            yield Page(page.posts, dict(places), 0, page.unheard, page.skipped)


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


def _batches(
    name: str, items: Iterator[Any], before: Mapping[str, Any], now: datetime
) -> Iterator[tuple[list[str], Page]]:
    """A listing in pages of 100 until it meets what was seen before; the last page carries the new place."""
    seen = set(before.get("seen", ()))
    newest = before.get("until")
    count, met, oldest = 0, False, now
    while True:
        posts, skipped, names = [], [], []
        for item in _next_page(items):
            names.append(str(getattr(item, "fullname", "?")))
            try:
                post = _post(item)
            except SkipPost as skip:
                skipped.append(skip)
                continue
            if post:
                posts.append(post)
                oldest = min(oldest, post.written_at)
                newest = max(newest or "", post.written_at.isoformat())
        count += len(names)
        met = met or bool(seen.intersection(names))
        first_time_deep_enough = not seen and oldest < now - _FIRST_REACH
        last = met or len(names) < _PAGE or count >= _LISTING or first_time_deep_enough
        unheard: tuple[Unheard, ...] = ()
        if last and seen and not met and names and count >= _LISTING:
            since = min(datetime.fromisoformat(before["until"]), oldest)
            unheard = (Unheard(since, oldest, f"Reddit's listing {name} holds {_LISTING} items, and more were new"),)
        yield names, Page(tuple(posts), {"until": newest} if last else {}, 0, unheard, tuple(skipped))
        if last:
            return


def _next_page(items: Iterator[Any]) -> list[Any]:
    """The next 100 items. Raises TryLater, NeedsPerson."""
    page = []
    try:
        for item in items:
            page.append(item)
            if len(page) == _PAGE:
                break
    except prawcore.TooManyRequests as error:
        seconds = str(error.retry_after or "")
        at = datetime.now(UTC) + timedelta(seconds=float(seconds)) if seconds.replace(".", "", 1).isdigit() else None
        raise TryLater("reddit: Reddit asks to wait (429)", at) from None
    except (prawcore.OAuthException, prawcore.InvalidToken):
        raise NeedsPerson("reddit: Reddit does not accept REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET") from None
    except (prawcore.Forbidden, prawcore.NotFound, prawcore.Redirect):
        raise NeedsPerson(
            "reddit: one of the subreddits in listening.toml is private, banned or does not exist"
        ) from None
    except prawcore.ResponseException as error:
        if error.response.status_code == 401:
            raise NeedsPerson("reddit: Reddit does not accept REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET") from None
        raise TryLater(f"reddit: Reddit answers {error.response.status_code}") from None
    except prawcore.RequestException as error:
        raise TryLater(f"reddit: no answer from Reddit ({type(error.original_exception).__name__})") from None
    return page


# ---------------------------------------------------------------- the connection


class SafeRequestor(prawcore.Requestor):
    """Sends once what must not be sent twice, never waits long, and never sleeps.

    prawcore repeats every method, POST too, on 5xx and dropped connections (platform facts 2.3), passes its own
    timeout, and sleeps up to ten minutes in the calling thread when the rate limit is used up. Here an unknown
    outcome is an error that it does not repeat, and a used-up limit is a TryLater that says until when.
    """

    _not_before = 0.0  # epoch seconds

    def request(
        self, method: str, url: str, *args: Any, timeout: float | None = None, **options: Any
    ) -> requests.Response:  # type: ignore[override]
        """As prawcore.Requestor.request. Raises TryLater while the rate limit is used up."""
        if time.time() < self._not_before:
            raise TryLater("reddit: the rate limit is used up", datetime.fromtimestamp(self._not_before, UTC))
        writes = method.upper() != "GET"
        try:
            response = super().request(method, url, *args, timeout=min(timeout or _TIMEOUT, _TIMEOUT), **options)
        except prawcore.RequestException as error:
            if writes:
                raise self._unknown(repr(type(error.original_exception).__name__), args, options) from None
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
    where = f"reddit:{known.get('name')}"
    try:
        return _parsed(where, known)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
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
