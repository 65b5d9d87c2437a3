"""X: recent search through tweepy.

One search for each query. Pages come newest first; `since_id` moves only when the oldest page is kept, and until then
the cursor carries the page token, so a rate limit half-way is resumed there (X bills every post it returns).
X searches seven days back: after a longer silence it refuses the old `since_id`, and the rest is reported as unheard.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit, urlunsplit

import requests
from pydantic import Field, StringConstraints
from requests.adapters import HTTPAdapter

from config.schema import CollectorSettings
from listener.errors import AskedToWait, NeedsPerson, SkipPost, TryLater
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
    """Posts that match each query, from its cursor on. Cursor: {query: {"since_id", "newest", "next_token", "fields"}}.

    A query that X refuses is told at the end: the others are read first.
    """
    client = _client(asking.secrets["X_BEARER_TOKEN"], settings.base_url)
    places = {query: dict(cursor.get(query, {})) for query in settings.queries}
    left, wrong = asking.reads_left, []
    try:
        for query in settings.queries:
            try:
                for page, place in _search(client, query, places[query], asking.now, left):
                    places[query] = place
                    left = None if left is None else left - page.reads
                    kept = {q: dict(p) for q, p in places.items()}
                    yield Page(page.posts, kept, page.reads, unheard=page.unheard, skipped=page.skipped)
            except _WrongQuery as error:
                wrong.append(str(error))
        if wrong:
            raise NeedsPerson("; ".join(wrong))
    finally:
        client.session.close()


def _search(
    client: "tweepy.Client", query: str, place: dict[str, Any], now: datetime, left: int | None
) -> Iterator[tuple[Page, dict[str, Any]]]:
    """Each page of one query with the place that is right once it is kept."""
    unheard: tuple[Unheard, ...] = ()
    mended: set[str] = set()
    while True:
        try:
            answer = _ask(client, query, place, left)
        except _Refused as refused:
            if refused.about in mended:
                raise _WrongQuery(query, refused) from None
            mended.add(refused.about)
            place, gap = _mended(query, place, refused, now)
            unheard += gap
            continue
        items, token = answer["data"], answer["meta"].get("next_token")
        posts, skipped = _posts(items, answer.get("includes"))
        place = _after(place, items, token)
        left = None if left is None else left - len(items)
        yield Page(posts, {}, len(items), unheard=unheard, skipped=skipped), place
        unheard = ()
        if not token:
            return


def _after(place: Mapping[str, Any], items: list[Any], token: str | None) -> dict[str, Any]:
    """The place after a page. Ids are not sorted within a page, so the largest of all pages counts."""
    ids = [str(item.get("id")) for item in items if isinstance(item, dict)]
    known = [place.get("newest", "0"), *(id_ for id_ in ids if re.fullmatch("[0-9]{1,19}", id_))]
    newest = max(known, key=int)
    if token:
        return {**place, "next_token": token, "newest": newest}
    since = max(newest, place.get("since_id", "0"), key=int)
    return {**({"since_id": since} if since != "0" else {}), **_only(place, "fields")}


def _mended(
    query: str, place: dict[str, Any], refused: "_Refused", now: datetime
) -> tuple[dict[str, Any], tuple[Unheard, ...]]:
    """The place to ask again from when X does not take a part of it, and what cannot be heard any more."""
    start = now - _WINDOW + _MARGIN
    from_start = {"start_time": start.strftime("%Y-%m-%dT%H:%M:%SZ"), **_only(place, "fields", "newest")}
    if refused.about == "since_id" and "since_id" in place:
        return from_start, (_too_old(_made_at(place["since_id"]), start),)
    if refused.about == "start_time" and "start_time" in place:
        return from_start, (_too_old(datetime.fromisoformat(place["start_time"]), start),)
    if refused.about == "next_token" and "next_token" in place:
        return _only(place, "since_id", "start_time", "newest", "fields"), ()
    if refused.about == "fields" and "fields" not in place:
        return {**place, "fields": "post"}, ()
    raise _WrongQuery(query, refused)


def _only(place: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: place[key] for key in keys if key in place}


def _too_old(heard_until: datetime, start: datetime) -> Unheard:
    return Unheard(min(heard_until, start), start, "X searches seven days back, and nothing was asked for longer")


def _made_at(id_: str) -> datetime:
    return _EPOCH + timedelta(milliseconds=int(id_) >> 22)


# ---------------------------------------------------------------- one request


class _Refused(Exception):
    """400: X names the parameter that it does not take."""

    def __init__(self, about: str, sentence: str) -> None:
        self.about = about
        super().__init__(sentence)


class _WrongQuery(NeedsPerson):
    """X does not take this query; another one may be right."""

    def __init__(self, query: str, refused: _Refused) -> None:
        super().__init__(f"x: X refused the search {query[:40]!r}: {refused}; correct it in listening.toml")


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
    """One page as X sends it, "data" a list and "meta" a dict. Raises _Refused, TryLater, NeedsPerson."""
    import tweepy

    options: dict[str, Any] = {"max_results": 100 if left is None else max(10, min(100, left))}
    renamed = place.get("fields") == "post"
    # Sent by requests: tweepy knows no such parameter, and complains by a function that is deprecated.
    client.session.params = {"post.fields": _POST_FIELDS} if renamed else {}
    if not renamed:
        options["tweet_fields"] = _TWEET_FIELDS
    options |= _only(place, "since_id", "start_time", "next_token")
    try:
        answer = client.search_recent_tweets(query, expansions="author_id", user_fields=_USER_FIELDS, **options)
    except tweepy.BadRequest as error:
        raise _refusal(error) from None
    except tweepy.HTTPException as error:
        raise _remedy(error) from None
    except requests.JSONDecodeError:
        raise TryLater("x: the answer is not JSON; is something else answering in X's place?") from None
    except (tweepy.TweepyException, requests.RequestException) as error:
        raise TryLater(
            f"x: no answer from X ({type(error).__name__}); check the network, the next pass asks again"
        ) from None
    except (AttributeError, TypeError, ValueError, KeyError):  # tweepy on an error that is not told as X tells it
        raise TryLater("x: X reports an error of an unknown shape") from None
    return _shaped(answer, place)


def _shaped(answer: Any, place: Mapping[str, Any]) -> dict[str, Any]:
    """The answer if it is one: taking anything else for the last page would lose the pages after it."""
    meta = answer.get("meta") if isinstance(answer, dict) else None
    data = answer.get("data") or [] if isinstance(answer, dict) else None
    if not isinstance(meta, dict) or not isinstance(data, list):
        raise TryLater("x: the answer has an unknown shape")
    token = meta.get("next_token")
    if token is not None and (not isinstance(token, str) or token == place.get("next_token")):
        raise TryLater("x: the answer has an unknown shape (next_token)")
    return {**answer, "data": data}


def _remedy(error: "tweepy.HTTPException") -> TryLater | NeedsPerson:
    code = error.response.status_code
    if code == 429:
        return AskedToWait("x: X asks to wait (429)", _reset(error))
    if code == 401:
        return NeedsPerson("x: X does not accept X_BEARER_TOKEN; copy it again from the developer console")
    if code == 402:
        return NeedsPerson("x: the credits for reading X are used up (402); add some in the developer console")
    if code == 403:
        return NeedsPerson("x: X forbids this search for this app; check its plan in the developer console")
    return TryLater(f"x: X answers {code}")


def _reset(error: "tweepy.HTTPException") -> datetime | None:
    stated = str(error.response.headers.get("x-rate-limit-reset", ""))
    return datetime.fromtimestamp(int(stated), UTC) if re.fullmatch("[0-9]{1,11}", stated) else None


def _refusal(error: "tweepy.BadRequest") -> _Refused:
    """What a 400 is about, by the parameters that it names."""
    sentence = "; ".join(str(m) for m in error.api_messages) or "bad request"
    named: set[str] = set()
    for one in error.api_errors:
        parameters = one.get("parameters") if isinstance(one, dict) else None
        named |= set(parameters) if isinstance(parameters, dict) else set()
    for about in ("since_id", "start_time", "next_token"):
        if about in named or (not named and about in sentence):
            return _Refused(about, sentence[:200])
    about_fields = any(name in ("tweet.fields", "post.fields") for name in named) or (
        not named and "fields" in sentence
    )
    return _Refused("fields" if about_fields else "query", sentence[:200])


# ---------------------------------------------------------------- X's JSON as posts


def _posts(items: list[Any], includes: Any) -> tuple[tuple[Post, ...], tuple[SkipPost, ...]]:
    users = includes.get("users") if isinstance(includes, dict) else None
    by_id = {str(user["id"]): user for user in users or () if isinstance(user, dict) and user.get("id")}
    posts, skipped = [], []
    for item in items:
        try:
            posts.append(_post(item, by_id))
        except SkipPost as skip:
            skipped.append(skip)
    return tuple(posts), tuple(skipped)


def _post(item: Any, users: Mapping[str, Mapping[str, Any]]) -> Post:
    where = f"x:{str(item.get('id') if isinstance(item, dict) else '?')[:30]}"
    try:
        return _parsed(where, item, users)
    except (AttributeError, LookupError, TypeError, ValueError, OverflowError) as error:
        raise SkipPost(where, f"unknown shape ({type(error).__name__})") from None


def _plain(text: str) -> str:
    """X writes these three as in a web page."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _parsed(where: str, item: Mapping[str, Any], users: Mapping[str, Mapping[str, Any]]) -> Post:
    """One post. Edits share the first id and the time it was made at; long posts carry their whole text in a note."""
    id_ = str(item["id"])
    history = item.get("edit_history_tweet_ids") or item.get("edit_history_post_ids") or [id_]
    first = str(history[0])
    note = item.get("note_tweet") or item.get("note_post") or {}
    user = users.get(str(item.get("author_id")), {})
    handle = user.get("username")
    referenced = item.get("referenced_tweets") or item.get("referenced_posts") or ()
    created = item.get("created_at") or _made_at(id_).isoformat()
    return read_post(
        where,
        source="x",
        ref=first,
        text=_plain(note.get("text") or item["text"]),
        written_at=created if first == id_ else _made_at(first),
        edited_at=created if first != id_ else None,
        url=f"https://x.com/{handle or 'i'}/status/{id_}",
        author=handle,
        author_name=_plain(user.get("name") or "") or None,
        thread=item.get("conversation_id"),
        answers=next((r["id"] for r in referenced if r.get("type") == "replied_to"), None),
        reach=(user.get("public_metrics") or {}).get("followers_count"),
    )
