"""X's API as both of its collectors use it, through tweepy.

Listings read page by page, lookups, replies, X's errors, X's JSON as posts.
"""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import requests

from listener import web
from listener.errors import AskedToWait, NeedsPerson, SkipPost, TryLater
from listener.post import Asking, Page, Post, Ref, Unheard, read_post

if TYPE_CHECKING:
    import tweepy

WINDOW = timedelta(days=7)  # that X searches back
MARGIN = timedelta(minutes=2)  # that our clock may be off
_UNSHOWN = timedelta(seconds=30)  # X ends a search so long before it is asked
USER_KEYS = {  # arguments of tweepy's client -> the secrets that sign for the hospital's account
    "consumer_key": "X_API_KEY",
    "consumer_secret": "X_API_SECRET",
    "access_token": "X_ACCESS_TOKEN",
    "access_token_secret": "X_ACCESS_SECRET",
}
ANSWERED = "author_id,referenced_tweets.id"  # expansions; X bills the post that is answered too
_NEARLY_ALL = 0.95  # of what a listing holds at most: X leaves deleted posts out of it
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_TWEET_FIELDS = "created_at,author_id,conversation_id,referenced_tweets,edit_history_tweet_ids,note_tweet"
# X renames its fields from tweet.* to post.* (OpenAPI 2.167, August 2026); its list has no author_id.
_POST_FIELDS = "created_at,conversation_id,referenced_posts,edit_history_post_ids,note_post"
_USER_FIELDS = "username,name,public_metrics"
_EPOCH = datetime(2010, 11, 4, 1, 42, 54, 657000, UTC)  # ids count milliseconds from here, shifted by 22 bits
_ID = re.compile("[0-9]{1,19}")
# The endings of the types of X's errors for a post that is deleted or of a suspended author, or of one now protected.
_GONE = ("/resource-not-found", "/not-authorized-for-resource")
_ABOUT = {  # what a refusal can be about that is mended here, by the parameters that it names
    **{name: (name,) for name in ("since_id", "start_time")},
    "next_token": ("next_token", "pagination_token"),
    "fields": ("tweet.fields", "post.fields", "expansions"),
}
# A piece of what X says when it refuses a reply -> what happened and what to do.
_REFUSED_REPLIES = {
    "duplicate": "the account has posted the same words before; look whether the answer is there, or change the words",
    "too long": "the reply is longer than X takes (280 characters, emoji and some scripts count twice); shorten it",
    "shorter": "the reply is longer than X takes (280 characters, emoji and some scripts count twice); shorten it",
    "not visible": "the post was deleted, or its author does not let the account see it; there is nobody to answer",
    "mentioned": "X lets a program answer only who mentioned or quoted the account; open the post, answer it by hand",
    "restricted who can reply": "its author lets only some people answer; try it by hand, or leave it",
    "app permissions": "the app may only read; give it Read and write in the developer console, then make "
    "X_ACCESS_TOKEN and X_ACCESS_SECRET anew",
    "suspended": "the account is suspended; sign in on X and see what it asks for",
    "locked": "the account is locked; sign in on X and see what it asks for",
}
# Access token and address -> whose it is: X bills each time that it is asked.
_owners: dict[tuple[str, str], dict[str, str]] = {}

# At DEBUG tweepy writes every request header, the bearer token too, and oauthlib what it signs.
for _talkative in ("tweepy", "oauthlib", "requests_oauthlib"):
    logging.getLogger(_talkative).setLevel(logging.INFO)


# ---------------------------------------------------------------- a listing, page by page


@dataclass(frozen=True)
class Listing:
    """Posts that X gives newest first."""

    of: str  # the query, or the account's id
    call: str = "search_recent_tweets"  # the method of tweepy's client
    label: str | None = None  # what its posts are counted under
    token: str = "next_token"  # noqa: S105  # the parameter that takes a page's token
    fewest: int = 10  # posts that may be asked for in one request
    most: int | None = None  # X gives so many of the newest, and none before them
    expansions: str = "author_id"
    options: Mapping[str, str] = field(default_factory=dict)


def read(
    door: "Door",
    listing: Listing,
    place: dict[str, Any],
    first: datetime,
    now: datetime,
    left: int | None,
    price: float,
) -> Iterator[tuple[Page, dict[str, Any]]]:
    """Each page of a listing with the place that is right once it is kept. `first`: how far back, if it was never read.

    A place: {"since_id": the newest post that was heard, "until": when X was asked for it, "fields": "post" if X has
    renamed them}; half-way also {"asked", "start_time" unless since_id, "next_token", "newest", "oldest", "count"}.
    """
    place = _begun(place, first, now)
    unheard: tuple[Unheard, ...] = ()
    tokens, mended = {place.get("next_token")}, set[str]()
    while True:
        try:
            answer = door.posts(listing, place, left)
        except Refused as refused:
            if refused.about in mended:
                raise WrongListing(door.name, listing, refused) from None
            mended.add(refused.about)
            place, gap = _mended(door.name, listing, place, refused, now)
            unheard += gap
            continue
        items, token = answer["data"], answer["meta"].get("next_token")
        if token and token in tokens:
            raise TryLater(f"{door.name}: the answer has an unknown shape (a next_token that leads back)")
        tokens.add(token)
        posts, skipped = posts_of(answer)
        place, gap = _after(listing, place, items, token)
        reads = len(items) + len(_included(answer, "tweets"))
        left = None if left is None else left - reads
        matched = {listing.label: len(items)} if listing.label else {}
        yield Page(posts, {}, reads, reads * price, unheard + gap, skipped, matched=matched), place
        unheard = ()
        if not token:
            return


def _begun(place: dict[str, Any], first: datetime, now: datetime) -> dict[str, Any]:
    """The place that this pass asks from: half-way as it is, else from what was heard last."""
    if "asked" in place:
        return place
    since_id, heard = place.get("since_id"), _moment(place, "until")
    begun = {**_only(place, "fields", "until"), "asked": now.isoformat()}
    if since_id and not _from_the_future(since_id, heard, now):
        return {**begun, "since_id": since_id}
    if heard is None and since_id is None:
        start = first
    elif since_id or heard is None or heard > now:
        start = now - _DAY
    else:  # nothing has matched yet: what X was late with costs nothing to ask for again
        start = heard - _HOUR
    return {**begun, "start_time": _iso(start)}


def _from_the_future(since_id: str, heard: datetime | None, now: datetime) -> bool:
    """Whether X would give nothing after this id for long, as when it was kept while the clock was wrong.

    X makes its ids by its own clock: one somewhat ahead of ours only says that ours is late, unless ours went back.
    """
    ahead = _made_at(since_id) - now
    return ahead > _DAY or (ahead > _HOUR and (heard is None or heard > now))


def _after(
    listing: Listing, place: Mapping[str, Any], items: list[Any], token: str | None
) -> tuple[dict[str, Any], tuple[Unheard, ...]]:
    """The place after a page, and what is out of reach. Ids are not sorted within a page, so all of them count."""
    ids = [str(item.get("id")) for item in items if isinstance(item, dict)]
    ids = [id_ for id_ in ids if _ID.fullmatch(id_)]
    newest = max([*ids, place.get("newest", "0")], key=int)
    oldest = min([*ids, *_only(place, "oldest").values()], key=int, default=None)
    count = place.get("count", 0) + len(items)
    if token:
        return {**place, "next_token": token, "newest": newest, "oldest": oldest, "count": count}, ()
    since_id = max(newest, place.get("since_id", "0"), key=int)
    done = {"until": place["asked"], **_only(place, "fields"), **({"since_id": since_id} if since_id != "0" else {})}
    if listing.most is None or oldest is None or count < _NEARLY_ALL * listing.most:
        return done, ()
    heard = [_moment(place, "until"), _moment(place, "start_time"), _made_at(place.get("since_id", "0"))]
    since = max(moment for moment in heard if moment and moment < _made_at(oldest))
    why = f"X gives no more than the newest {listing.most}, and more may have been new"
    return done, (Unheard(since, _made_at(oldest), why),)


def _mended(
    name: str, listing: Listing, place: dict[str, Any], refused: "Refused", now: datetime
) -> tuple[dict[str, Any], tuple[Unheard, ...]]:
    """The place to ask again from when X does not take a part of it, and what cannot be heard any more."""
    about = refused.about
    if about in ("since_id", "start_time") and about in place:
        start = now - WINDOW + MARGIN
        asked = _moment(place, "until")
        heard = [asked - _UNSHOWN - MARGIN if asked else None, _moment(place, "start_time")]
        since = max(filter(None, heard), default=_made_at(place.get("since_id", "0")))
        unheard = Unheard(since, start, "X searches seven days back, and nothing was asked for longer")
        mended = {**_only(place, "fields", "until", "asked"), "start_time": _iso(start)}
        return mended, (unheard,) if since < start else ()
    if about == "next_token" and "next_token" in place:
        return _only(place, "fields", "until", "asked", "since_id", "start_time"), ()
    if about == "fields" and "fields" not in place:
        return {**place, "fields": "post"}, ()
    raise WrongListing(name, listing, refused)


def _only(place: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: place[key] for key in keys if place.get(key) is not None}


def _moment(place: Mapping[str, Any], key: str) -> datetime | None:
    return datetime.fromisoformat(place[key]) if key in place else None


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _made_at(id_: str) -> datetime:
    return _EPOCH + timedelta(milliseconds=int(id_) >> 22)


# ---------------------------------------------------------------- posts that were kept


def look_up(door: "Door", refs: Sequence[str], price: float) -> Page:
    """What these posts are now, and those of which X itself says that they are gone or protected."""
    ids = [ref for ref in refs if _ID.fullmatch(ref)]
    answers = [door.by_ids(ids)] if ids else []
    items = [item for answer in answers for item in answer["data"] if isinstance(item, dict)]
    # Asked for by its first id, X gives an edited post as it was, or as it is: its documentation says both.
    later = {_versions(item)[-1] for item in items} - {str(item.get("id")) for item in items}
    if wanted := sorted(id_ for id_ in later if _ID.fullmatch(id_)):
        answers.append(door.by_ids(wanted[:100]))
    found = [posts_of(answer) for answer in answers]
    there = {id_ for item in items for id_ in _versions(item)}
    gone = {ref for answer in answers for ref in map(_gone, answer["errors"]) if ref in ids and ref not in there}
    return Page(
        tuple(post for posts, _ in found for post in posts),
        {},
        cost=price * sum(len(answer["data"]) for answer in answers),
        skipped=tuple(skip for _, skipped in found for skip in skipped),
        deleted=tuple(Ref("x", ref) for ref in sorted(gone, key=int)),
    )


def _gone(error: Any) -> str | None:
    """The id of the post that this error says is gone. Errors of other kinds, and about other things, say nothing."""
    told = isinstance(error, dict) and error.get("parameter") == "ids" and str(error.get("type")).endswith(_GONE)
    return str(error.get("resource_id") or error.get("value")) if told else None


# ---------------------------------------------------------------- one request


class Refused(Exception):
    """400: X names the parameter that it does not take."""

    def __init__(self, about: str, sentence: str) -> None:
        self.about = about
        super().__init__(sentence)


class WrongListing(NeedsPerson):
    """X does not take this query; another one may be right."""

    def __init__(self, name: str, listing: Listing, refused: Refused) -> None:
        what = (listing.label or listing.of)[:40]
        super().__init__(f"{name}: X refused {what!r}: {refused}; correct it in listening.toml")


class _Adapter(web.Limited):
    """Gives every request limits and, for a gateway, another host: tweepy has arguments for neither."""

    def __init__(self, name: str, base_url: str | None, timeout: float) -> None:
        self._base = urlsplit(base_url) if base_url else None
        super().__init__(name, timeout, [base_url] if base_url else [])

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        """As web.Limited.send."""
        if self._base:
            asked = urlsplit(request.url or "")
            path = self._base.path.rstrip("/") + str(asked.path)
            request.url = urlunsplit((self._base.scheme, self._base.netloc, path, str(asked.query), ""))
            options["proxies"] = {}
        return super().send(request, **options)


class Door:
    """One collector's way into X: tweepy with limits, and X's errors in the collector's words."""

    def __init__(
        self,
        name: str,
        client: "tweepy.Client",
        as_user: bool,
        secrets: Mapping[str, str],
        now: datetime,
        base_url: str | None,
    ) -> None:
        self.name, self._client, self._as_user, self._secrets, self._now = name, client, as_user, secrets, now
        self._base_url = base_url

    def posts(self, listing: Listing, place: Mapping[str, Any], left: int | None) -> dict[str, Any]:
        """One page as X sends it, "data" a list and "meta" a dict. Raises Refused, TryLater, NeedsPerson."""
        options = {**listing.options, **_only(place, "since_id", "start_time")}
        if "next_token" in place:
            options[listing.token] = place["next_token"]
        size = 100 if left is None else max(listing.fewest, min(100, left))
        fields = place.get("fields", "tweet")
        options["expansions"] = listing.expansions if fields == "tweet" else "author_id"
        answer = self.ask(listing.call, listing.of, fields=fields, max_results=size, **options)
        meta, data = answer.get("meta"), answer.get("data") or []
        token = meta.get("next_token") if isinstance(meta, dict) else None
        # Taking anything else for the last page would lose the pages after it.
        if not isinstance(meta, dict) or not isinstance(data, list) or not isinstance(token, str | None):
            raise TryLater(f"{self.name}: the answer has an unknown shape")
        return {**answer, "data": data}

    def by_ids(self, ids: Sequence[str], fields: str = "tweet") -> dict[str, Any]:
        """Up to 100 posts by id, "data" and "errors" lists. Raises TryLater, NeedsPerson."""
        try:
            answer = self.ask("get_tweets", list(ids), fields=fields, expansions="author_id")
        except Refused as refused:
            if refused.about == "fields" and fields == "tweet":
                return self.by_ids(ids, "post")
            raise TryLater(f"{self.name}: X refused to look posts up: {refused}") from None
        data, errors = answer.get("data") or [], answer.get("errors") or []
        if not (data or errors) or not isinstance(data, list) or not isinstance(errors, list):
            raise TryLater(f"{self.name}: the answer has an unknown shape")
        return {**answer, "data": data, "errors": errors}

    def owner(self, ours: str) -> dict[str, str]:
        """Whose tokens these are, {"id", "handle"}. Raises TryLater; NeedsPerson if they are not the hospital's."""
        key = (self._client.access_token or "", self._base_url or "")
        if key not in _owners:
            try:
                found: Any = self.ask("get_me").get("data")
            except Refused as refused:
                raise TryLater(f"{self.name}: X refused to say whose tokens these are: {refused}") from None
            named = isinstance(found, dict) and isinstance(found.get("username"), str)
            if not named or not str(found.get("id")).isdigit():
                raise TryLater(f"{self.name}: the answer has an unknown shape (users/me)")
            _owners[key] = {"id": str(found["id"]), "handle": found["username"]}
        owner = _owners[key]
        if ours and owner["handle"].casefold() != ours.casefold():
            raise NeedsPerson(
                f"{self.name}: the access token is of @{owner['handle'][:15]}, but the hospital's account is @{ours}; "
                "make X_ACCESS_TOKEN and X_ACCESS_SECRET while signed in as that, or correct hospital.toml"
            )
        return dict(owner)

    def answer(self, ref: str, text: str) -> str:
        """Post a reply; its id. For use within sending(). Raises AskedToWait, NeedsPerson, and what leaves it open."""
        import tweepy

        self._client.session.params = {}
        try:
            answer: Any = self._client.create_tweet(text=text, in_reply_to_tweet_id=ref, user_auth=True)
        except tweepy.HTTPException as error:
            raise self._not_posted(error, text) from None
        return str(int(answer["data"]["id"]))

    def ask(self, call: str, *about: Any, fields: str | None = None, **options: Any) -> dict[str, Any]:
        """X's answer to a call of tweepy's client. Raises Refused, TryLater, NeedsPerson."""
        import tweepy

        # Sent by requests: tweepy knows no such parameter, and complains by a function that is deprecated.
        self._client.session.params = {"post.fields": _POST_FIELDS} if fields == "post" else {}
        if fields == "tweet":
            options["tweet_fields"] = _TWEET_FIELDS
        try:
            answer = getattr(self._client, call)(*about, user_auth=self._as_user, user_fields=_USER_FIELDS, **options)
        except tweepy.BadRequest as error:
            raise self._refusal(error) from None
        except tweepy.HTTPException as error:
            raise self._remedy(error) from None
        except requests.JSONDecodeError:
            raise TryLater(f"{self.name}: the answer is not JSON; is something else answering in X's place?") from None
        except (tweepy.TweepyException, requests.RequestException) as error:
            raise TryLater(
                f"{self.name}: no answer from X ({type(error).__name__}); check the network, the next pass asks again"
            ) from None
        except (AttributeError, TypeError, ValueError, KeyError):  # tweepy on an error that is not told as X tells it
            raise TryLater(f"{self.name}: X reports an error of an unknown shape") from None
        if not isinstance(answer, dict):
            raise TryLater(f"{self.name}: the answer has an unknown shape")
        return answer

    def _refusal(self, error: "tweepy.BadRequest") -> Refused:
        """What a 400 is about, by the parameters that it names."""
        sentence = self._sentence(error) or "bad request"
        named: set[str] = set()
        for one in error.api_errors:
            parameters = one.get("parameters") if isinstance(one, dict) else None
            named |= set(parameters) if isinstance(parameters, dict) else set()
        for about, names in _ABOUT.items():
            if named & set(names) or (not named and any(name in sentence for name in names)):
                return Refused(about, sentence[:200])
        return Refused("query", sentence[:200])

    def _not_posted(self, error: "tweepy.HTTPException", text: str) -> TryLater | NeedsPerson:
        """Why there is no reply. A 5xx does not say whether there is one."""
        code = error.response.status_code
        if code == 402:
            return NeedsPerson(f"{self.name}: the credits for X are used up (402); add some in the developer console")
        if code in (401, 408, 429) or code >= 500:
            return self._remedy(error)
        sentence = self._sentence(error).replace(text, "…")
        for piece, remedy in _REFUSED_REPLIES.items():
            if piece in sentence.casefold():
                return NeedsPerson(f"{self.name}: X refuses the reply ({code}): {remedy}")
        return NeedsPerson(f"{self.name}: X refuses the reply ({code}: {sentence[:200] or 'no reason given'})")

    def _sentence(self, error: "tweepy.HTTPException") -> str:
        """What X says of an error, on one line."""
        sentence = " ".join("; ".join(map(str, error.api_messages)).split())
        for secret in self._secrets.values():  # a gateway may tell what it was sent
            sentence = sentence.replace(secret, "…")
        return sentence

    def _remedy(self, error: "tweepy.HTTPException") -> TryLater | NeedsPerson:
        or_clock = ", and set this machine's clock" if self._as_user else ""  # a signature carries the time
        console = {
            401: f"X does not accept {' and '.join(self._secrets)}; copy {'them' if len(self._secrets) > 1 else 'it'} again from the developer console{or_clock}",
            402: "the credits for reading X are used up (402); add some in the developer console",
            403: "X forbids this to the app; check its plan in the developer console",
        }
        code = error.response.status_code
        if code in console:
            return NeedsPerson(f"{self.name}: {console[code]}")
        if code != 429:
            return TryLater(f"{self.name}: X answers {code}")
        stated = str(error.response.headers.get("x-rate-limit-reset", ""))
        reset = datetime.fromtimestamp(int(stated), UTC) if re.fullmatch("[0-9]{1,11}", stated) else None
        # X counts by quarters of an hour: a time beyond a day would make deaf, and is none.
        at = reset if reset and reset <= self._now + _DAY else None
        return AskedToWait(f"{self.name}: X asks to wait (429)", at)


@contextmanager
def door_to_x(
    name: str, base_url: str | None, timeout: float, keys: Mapping[str, str], asking: Asking, as_user: bool = False
) -> Iterator[Door]:
    """A door for collector `name`. `keys`: each argument of tweepy's client -> the name of the secret that it takes."""
    import tweepy

    secrets = {secret: asking.secrets[secret] for secret in keys.values()}
    tokens = {argument: secrets[secret] for argument, secret in keys.items()}
    client = tweepy.Client(**tokens, return_type=dict, wait_on_rate_limit=False)
    for prefix in ("https://", "http://"):
        client.session.mount(prefix, _Adapter(name, base_url, timeout))
    with client.session:
        yield Door(name, client, as_user, secrets, asking.now, base_url)


# ---------------------------------------------------------------- X's JSON as posts


def posts_of(answer: Mapping[str, Any]) -> tuple[tuple[Post, ...], tuple[SkipPost, ...]]:
    """The posts in an answer's "data", and those that could not be read."""
    users = {str(user["id"]): user for user in _included(answer, "users") if user.get("id")}
    first = {str(tweet.get("id")): _versions(tweet)[0] for tweet in _included(answer, "tweets")}
    posts, skipped = [], []
    for item in answer["data"]:
        where = f"x:{str(item.get('id') if isinstance(item, dict) else '?')[:30]}"
        try:
            posts.append(_post(where, item, users, first))
        except SkipPost as skip:
            skipped.append(skip)
        except (AttributeError, LookupError, TypeError, ValueError, OverflowError) as error:
            skipped.append(SkipPost(where, f"unknown shape ({type(error).__name__})"))
    return tuple(posts), tuple(skipped)


def _included(answer: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    includes = answer.get("includes")
    found = includes.get(kind) if isinstance(includes, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _versions(item: Mapping[str, Any]) -> list[str]:
    """The ids of a post: it has a new one with each edit, and the first names it for ever."""
    history = item.get("edit_history_tweet_ids") or item.get("edit_history_post_ids")
    ids = [str(id_) for id_ in history if _ID.fullmatch(str(id_))] if isinstance(history, list) else []
    return ids or [str(item.get("id"))]


def _plain(text: str) -> str:
    """X writes these three as in a web page."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _post(
    where: str, item: Mapping[str, Any], users: Mapping[str, Mapping[str, Any]], first_of: Mapping[str, str]
) -> Post:
    """One post. Edits share the first id and the time it was made at; long posts carry their whole text in a note."""
    id_ = str(item["id"])
    first = _versions(item)[0]
    note = item.get("note_tweet") or item.get("note_post") or {}
    user = users.get(str(item.get("author_id")), {})
    handle = user.get("username")
    others = item.get("referenced_tweets") or item.get("referenced_posts") or ()
    refers = {other.get("type"): first_of.get(other["id"], other["id"]) for other in others}
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
        answers=refers.get("replied_to"),
        quotes=refers.get("quoted"),
        reach=(user.get("public_metrics") or {}).get("followers_count"),
    )
