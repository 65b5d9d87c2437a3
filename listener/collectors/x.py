"""X: recent search through tweepy.

One search for each query. Pages come newest first; `since_id` moves only when the oldest page is kept, and until then
the cursor carries the page token, so a rate limit half-way is resumed there (X bills every post it returns).
X searches seven days back: after a longer silence it refuses the old `since_id`, and the rest is reported as unheard.
"""

import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit, urlunsplit

import requests
from pydantic import Field, StringConstraints
from requests.adapters import HTTPAdapter

from config.schema import CollectorSettings
from listener.errors import NeedsPerson, SkipPost, TryLater
from listener.post import Asking, Page, Post, Unheard, read_post

if TYPE_CHECKING:
    import tweepy

SECRETS = ("X_BEARER_TOKEN",)

_HOST = "https://api.twitter.com/"  # a literal in tweepy
_TIMEOUT = (5, 15)  # seconds to connect, to answer; tweepy sets none and would wait for ever
_WINDOW = timedelta(days=7)
_MARGIN = timedelta(minutes=2)
_TWEET_FIELDS = "created_at,author_id,conversation_id,lang,public_metrics,referenced_tweets,in_reply_to_user_id,entities,edit_history_tweet_ids,note_tweet"
# X renames its fields from tweet.* to post.* (OpenAPI 2.167, August 2026); its list has no author_id.
_POST_FIELDS = "created_at,conversation_id,lang,public_metrics,referenced_posts,in_reply_to_user_id,entities,edit_history_post_ids,note_post"
_USER_FIELDS = "username,name,public_metrics"
_EPOCH = datetime(2010, 11, 4, 1, 42, 54, 657000, UTC)  # ids count milliseconds from here, shifted by 22 bits

# tweepy writes every request header, the bearer token too, at DEBUG.
logging.getLogger("tweepy").setLevel(logging.INFO)

Query = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=512)]


class Settings(CollectorSettings):
    """[collectors.x]"""

    queries: Annotated[tuple[Query, ...], Field(min_length=1)]


def fetch(settings: Settings, cursor: Mapping[str, Any], asking: Asking) -> Iterator[Page]:
    """Posts that match each query, from its cursor on. Cursor: {query: {"since_id", "newest", "next_token", "fields"}}."""
    client = _client(asking.secrets["X_BEARER_TOKEN"], settings.base_url)
    places = {query: dict(cursor.get(query, {})) for query in settings.queries}
    left = asking.reads_left
    for query in settings.queries:
        for page, place in _search(client, query, places[query], asking.now, left):
            places[query] = place
            left = None if left is None else left - page.reads
            yield Page(page.posts, {q: dict(p) for q, p in places.items()}, page.reads, page.unheard, page.skipped)


def _search(
    client: "tweepy.Client", query: str, place: dict[str, Any], now: datetime, left: int | None
) -> Iterator[tuple[Page, dict[str, Any]]]:
    """Each page of one query with the place that is right once it is kept."""
    unheard: tuple[Unheard, ...] = ()
    while True:
        try:
            answer = _ask(client, query, place, left)
        except _Refused as refused:
            if refused.about == "since_id" and "since_id" in place:
                start = now - _WINDOW + _MARGIN
                unheard = (_too_old(place["since_id"], start),)
                place = {"start_time": start.strftime("%Y-%m-%dT%H:%M:%SZ"), **_only(place, "fields")}
            elif refused.about == "next_token" and "next_token" in place:
                place = _only(place, "since_id", "start_time", "fields")
            elif refused.about == "fields" and "fields" not in place:
                place = {**place, "fields": "post"}
            else:
                raise NeedsPerson(
                    f"x: X refused the search {query[:40]!r}: {refused}; correct it in listening.toml"
                ) from None
            continue
        posts, skipped = _posts(answer)
        meta = answer.get("meta") or {}
        newest = max(
            [place.get("newest", "0"), *(str(item.get("id", "0")) for item in answer.get("data") or ())], key=int
        )
        token = meta.get("next_token")
        if token:
            place = {**place, "next_token": token, "newest": newest}
        else:
            since = max(newest, place.get("since_id", "0"), key=int)
            place = {**({"since_id": since} if since != "0" else {}), **_only(place, "fields")}
        reads = len(answer.get("data") or ())
        left = None if left is None else left - reads
        yield Page(posts, {}, reads, unheard, skipped), place
        unheard = ()
        if not token:
            return


def _only(place: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: place[key] for key in keys if key in place}


def _too_old(since_id: str, start: datetime) -> Unheard:
    heard_until = min(_EPOCH + timedelta(milliseconds=int(since_id) >> 22), start)
    return Unheard(heard_until, start, "X searches seven days back, and nothing was asked for longer")


# ---------------------------------------------------------------- one request


class _Refused(Exception):
    """400: X names the parameter that it does not take."""

    def __init__(self, about: str, sentence: str) -> None:
        self.about = about
        super().__init__(sentence)


class _Adapter(HTTPAdapter):
    """Gives every request a timeout and, for a gateway, another host: tweepy has arguments for neither."""

    def __init__(self, base_url: str | None) -> None:
        self._base = urlsplit(base_url) if base_url else None
        super().__init__()

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        """As HTTPAdapter.send."""
        options["timeout"] = options.get("timeout") or _TIMEOUT
        if self._base:
            asked = urlsplit(request.url or "")
            path = self._base.path.rstrip("/") + str(asked.path)
            request.url = urlunsplit((self._base.scheme, self._base.netloc, path, str(asked.query), ""))
            options["proxies"] = {}
        return super().send(request, **options)


def _client(token: str, base_url: str | None) -> "tweepy.Client":
    import tweepy

    client = tweepy.Client(bearer_token=token, return_type=dict, wait_on_rate_limit=False)
    client.session.mount(_HOST, _Adapter(base_url))
    return client


def _ask(client: "tweepy.Client", query: str, place: Mapping[str, Any], left: int | None) -> dict[str, Any]:
    """One page as X sends it. Raises _Refused, TryLater, NeedsPerson."""
    import tweepy

    options: dict[str, Any] = {"max_results": 100 if left is None else max(10, min(100, left))}
    if place.get("fields") == "post":
        options["post.fields"] = _POST_FIELDS
    else:
        options["tweet_fields"] = _TWEET_FIELDS
    for key in ("since_id", "start_time", "next_token"):
        if key in place:
            options[key] = place[key]
    try:
        answer = client.search_recent_tweets(query, expansions="author_id", user_fields=_USER_FIELDS, **options)
    except tweepy.TooManyRequests as error:
        raise TryLater("x: X asks to wait (429)", _reset(error)) from None
    except tweepy.BadRequest as error:
        raise _refusal(error) from None
    except tweepy.Unauthorized:
        raise NeedsPerson("x: X does not accept X_BEARER_TOKEN; copy it again from the developer console") from None
    except tweepy.Forbidden:
        raise NeedsPerson("x: X forbids this search for this app; check its plan in the developer console") from None
    except tweepy.TwitterServerError as error:
        raise TryLater(f"x: X answers {error.response.status_code}") from None
    except tweepy.HTTPException as error:
        if error.response.status_code == 402:
            raise NeedsPerson(
                "x: the credits for reading X are used up (402); add some in the developer console"
            ) from None
        raise TryLater(f"x: X answers {error.response.status_code}") from None
    except ValueError:  # requests.JSONDecodeError is one
        raise TryLater("x: the answer is not JSON; is something else answering in X's place?") from None
    except (tweepy.TweepyException, requests.RequestException) as error:
        raise TryLater(f"x: no answer from X ({type(error).__name__})") from None
    if not isinstance(answer, dict):
        raise TryLater("x: the answer has an unknown shape")
    return answer


def _reset(error: "tweepy.TooManyRequests") -> datetime | None:
    stated = error.response.headers.get("x-rate-limit-reset", "")
    return datetime.fromtimestamp(int(stated), UTC) if stated.isdigit() and len(stated) < 12 else None


def _refusal(error: "tweepy.BadRequest") -> _Refused:
    sentence = "; ".join(str(m) for m in error.api_messages) or "bad request"
    if "since_id" in sentence:
        return _Refused("since_id", sentence)
    if "next_token" in sentence:
        return _Refused("next_token", sentence)
    return _Refused("fields" if "fields" in sentence else "query", sentence[:200])


# ---------------------------------------------------------------- X's JSON as posts


def _posts(answer: Mapping[str, Any]) -> tuple[tuple[Post, ...], tuple[SkipPost, ...]]:
    includes = answer.get("includes")
    users = includes.get("users", ()) if isinstance(includes, dict) else ()
    by_id = {user.get("id"): user for user in users if isinstance(user, dict)}
    data = answer.get("data") or ()
    if not isinstance(data, list | tuple):
        raise TryLater("x: the answer has an unknown shape")
    posts, skipped = [], []
    for item in data:
        try:
            posts.append(_post(item, by_id))
        except SkipPost as skip:
            skipped.append(skip)
    return tuple(posts), tuple(skipped)


def _post(item: Any, users: Mapping[Any, Mapping[str, Any]]) -> Post:
    where = f"x:{item.get('id') if isinstance(item, dict) else '?'}"
    try:
        return _parsed(where, item, users)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SkipPost(where, f"unknown shape ({type(error).__name__})") from None


def _parsed(where: str, item: Mapping[str, Any], users: Mapping[Any, Mapping[str, Any]]) -> Post:
    """One post. Edits share the first id; long posts carry their whole text in a note."""
    id_ = str(item["id"])
    history = item.get("edit_history_tweet_ids") or item.get("edit_history_post_ids") or [id_]
    note = item.get("note_tweet") or item.get("note_post") or {}
    user = users.get(item.get("author_id"), {})
    handle = user.get("username")
    referenced = item.get("referenced_tweets") or item.get("referenced_posts") or ()
    created = item.get("created_at") or (_EPOCH + timedelta(milliseconds=int(id_) >> 22)).isoformat()
    return read_post(
        where,
        source="x",
        ref=str(history[0]),
        text=note.get("text") or item["text"],
        written_at=created,
        edited_at=created if len(history) > 1 else None,
        url=f"https://x.com/{handle or 'i'}/status/{id_}",
        author=handle,
        author_name=user.get("name"),
        thread=item.get("conversation_id"),
        answers=next((r["id"] for r in referenced if r.get("type") == "replied_to"), None),
        reach=(user.get("public_metrics") or {}).get("followers_count"),
    )
