"""Google reviews: what people write on the hospital's own Business Profiles, by the API for their owners.

Google shows some reviews days after they were written, at their old time. So each pass reads again all that changed
within the last 30 days, the latest change first: 50 reviews a request, at no cost. A read that was cut off begins again
at the top: nobody promises that a page token still fits when reviews were deleted in between.

The owner's reply is a part of its review and does not move the review's time; only one that Google has approved is public.
There is one, and a second takes its place: so nothing is sent where there is one already.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Self
from urllib.parse import quote

from pydantic import Field, StringConstraints, WithJsonSchema

from config.schema import CollectorSettings, Duration
from listener import web
from listener.collect import sending
from listener.errors import AskedToWait, NeedsPerson, SkipPost, TryLater
from listener.post import Answerable, Asking, Page, Post, Ref, Replied, read_post, same_words

if TYPE_CHECKING:
    from google.oauth2.credentials import Credentials

SECRETS = ("GOOGLE_BUSINESS_TOKEN",)
REPLY_SECRETS = SECRETS

_NAME = "google_reviews"
_API = "https://mybusiness.googleapis.com"
_TOKENS = "https://oauth2.googleapis.com/token"
_TIMEOUT = 15.0  # seconds; google-auth's own is 120, three times over
_PAGE = 50  # Google's largest
_MOST_PAGES = 1000
_REACH = timedelta(days=30)
_REPLY = "/reply/"
_STARS = {"ONE": 1.0, "TWO": 2.0, "THREE": 3.0, "FOUR": 4.0, "FIVE": 5.0}
_PUBLIC = (None, "REVIEW_REPLY_STATE_UNSPECIFIED", "APPROVED")  # not PENDING, not REJECTED; None: before April 2026
_TRANSLATED, _ORIGINAL = "(Translated by Google)", "(Original)"

_LASTING = "the JSON that 'gcloud auth application-default login' writes, on one line (see README)"
_ASK_ACCESS = "ask for access at support.google.com/business/contact/api_default"
_FORBIDDEN = {
    "SERVICE_DISABLED": "the Google My Business API is off in the project of GOOGLE_BUSINESS_TOKEN; enable it there. "
    f"If it cannot be found there, {_ASK_ACCESS}",
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": "GOOGLE_BUSINESS_TOKEN lacks the scope business.manage; sign in again with it",
}

_LOCATION = r"accounts/[0-9]{1,30}/locations/[0-9]{1,30}"
Location = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=rf"^{_LOCATION}$"),
    WithJsonSchema({"type": "string", "pattern": rf"^\s*{_LOCATION}\s*$"}),
]


class Settings(CollectorSettings):
    """Google reviews of your own Business Profiles."""

    every: Duration = timedelta(minutes=15)
    quiet_after: Duration = timedelta(days=30)
    # "no more than 30 calendar days": Business Profile APIs policies of 28 August 2025, Content storage
    # (developers.google.com/my-business/content/policies).
    keep_for: Duration = timedelta(days=30)
    locations: Annotated[tuple[Location, ...], Field(min_length=1)]
    """Every location to read, as Google names it: "accounts/1234567890/locations/9876543210"."""


def fetch(settings: Settings, cursor: Mapping[str, Any], asking: Asking) -> Iterator[Page]:
    """Reviews that were written or changed. Cursor: {location: the latest change when all before it was kept}."""
    start = asking.now - _REACH
    known = {one: datetime.fromisoformat(cursor[one]) for one in settings.locations if one in cursor}
    since = {one: min(start, known.get(one, start)) for one in settings.locations}
    latest = dict(since)
    for location, items, last in _read(settings, since, asking):
        posts, skipped = _each(_review, items)
        fresh = tuple(post for post in posts if post.written_at >= since[location])
        latest[location] = max([latest[location], *(post.written_at for post in fresh)])
        if last:
            known[location] = latest[location]
        place = {one: moment.isoformat() for one, moment in known.items()}
        yield Page(fresh, place, skipped=skipped, matched={location: len(fresh)})


def own_replies(settings: Settings, cursor: Mapping[str, Any], asking: Asking) -> Iterator[Page]:
    """The owner's replies to reviews of the last 30 days. No cursor: one may become public long after it was written."""
    since = dict.fromkeys(settings.locations, asking.now - _REACH)
    for _, items, _ in _read(settings, since, asking):
        replies, skipped = _each(_reply, (item for item in items if _has_public_reply(item)))
        yield Page(replies, {}, skipped=skipped)


def lookup(settings: Settings, refs: Sequence[str], asking: Asking) -> Page:
    """Reviews and replies as they are now. Nothing is said of those of a location that cannot be read."""
    now: dict[str, Any] = {}
    with _Google(settings, asking) as google:
        for location in settings.locations:
            of_it = f"{location[location.index('locations/') :]}/reviews/"
            wanted = {ref.partition(_REPLY)[0] for ref in refs if ref.startswith(of_it)}
            try:
                now |= _as_they_are(google, location, wanted) if wanted else {}
            except _WrongLocation:  # fetch() tells; it must not keep the others from being looked at
                continue
    posts, skipped = _each(_review, [now[ref] for ref in refs if now.get(ref)])
    replies, odd = _each(_reply, [item for item in now.values() if _has_public_reply(item)])
    standing = {reply.answers: reply.ref for reply in replies}
    gone = tuple(Ref(_NAME, ref) for ref in refs if _is_gone(ref, now, standing))
    answers = tuple(reply for reply in replies if reply.ref in refs)
    return Page(posts + answers, {}, skipped=skipped + odd, deleted=gone)


def reply(settings: Settings, post: Answerable, text: str, asking: Asking) -> Replied:
    """Answer a review as its owner. Google looks at the reply before it shows it, which may take days."""
    with _Google(settings, asking) as google, _told():
        location = _location_of(settings, post.ref)
        item = google.review(location, post.ref)
        if item is None:
            raise NeedsPerson(f"{_NAME}: the review was taken back or taken down; there is nothing to answer")
        known = item.get("reviewReply") or {}
        if known.get("comment") and known.get("reviewReplyState") != "REJECTED":
            raise NeedsPerson(
                f"{_NAME}: the review has a reply already, which a new one would replace; look at it and change it on "
                "Google"
            )
        with sending(_NAME):
            made = google.answer(location, post.ref, text)
            return _replied(_reply(_NAME, {**item, "reviewReply": made}), post)


def find_reply(settings: Settings, post: Answerable, text: str, asking: Asking) -> Replied | None:
    """The review's reply, whether Google shows it yet or not."""
    with _Google(settings, asking) as google, _told():
        item = google.review(_location_of(settings, post.ref), post.ref)
        if not item or not (item.get("reviewReply") or {}).get("comment"):
            return None
        found = _reply(_NAME, item)
        return _replied(found, post) if same_words(text, found.text) else None


def _replied(reply: Post, post: Answerable) -> Replied:
    return Replied(reply.ref, reply.url or post.url)


def _location_of(settings: Settings, ref: str) -> str:
    """The location of a review, with the account by which it is managed. Raises NeedsPerson."""
    for location in settings.locations:
        if ref.startswith(f"{location[location.index('locations/') :]}/reviews/"):
            return location
    raise NeedsPerson(
        f"{_NAME}: the review is of a location that is not in listening.toml; open it and answer it by hand"
    )


@contextmanager
def _told() -> Iterator[None]:
    """People are told at once when Google refuses the location: there are no others to go on with."""
    try:
        yield
    except _WrongLocation as error:
        raise NeedsPerson(f"{_NAME}: {error}") from None


def _is_gone(ref: str, now: Mapping[str, Any], standing: Mapping[str | None, str]) -> bool:
    """Whether the review, or this version of the reply to it, is certainly not there any more."""
    review, is_reply, _ = ref.partition(_REPLY)
    if review not in now or now[review] is None:
        return review in now
    return bool(is_reply) and (not now[review].get("reviewReply") or standing.get(review, ref) != ref)


def _read(settings: Settings, since: Mapping[str, datetime], asking: Asking) -> Iterator[tuple[str, list[Any], bool]]:
    """Each location's reviews down to its `since`: the location, a page of them, whether it is the location's last.

    A location that Google refuses is told at the end: the others are read first.
    """
    wrong = []
    with _Google(settings, asking) as google:
        for location, start in since.items():
            try:
                for items, ends in google.reviews(location):
                    last = ends or any(changed < start for changed in map(_changed, items) if changed)
                    yield location, items, last
                    if last:
                        break
            except _WrongLocation as error:
                wrong.append(str(error))
    if wrong:
        raise NeedsPerson(f"{_NAME}: {'; '.join(wrong)}")


def _as_they_are(google: "_Google", location: str, wanted: set[str]) -> dict[str, Any]:
    """Each of these reviews, None for one that is gone.

    A page of the list shows 50 for the price of one, and what was kept is mostly at its top. The others are asked for
    one by one: only that says for certain that a review is gone.
    """
    found: dict[str, Any] = {}
    for items, last in google.reviews(location):
        here = {ref: item for item in items if (ref := _ref(item)) in wanted}
        found |= here
        if last or not here or len(found) == len(wanted):
            break
    return found | {ref: google.review(location, ref) for ref in sorted(wanted - found.keys())}


# ---------------------------------------------------------------- one request


class _WrongLocation(Exception):
    """Google does not show this location; another one may be right."""


class _Google:
    """The connection of one pass."""

    def __init__(self, settings: Settings, asking: Asking) -> None:
        self._home = (settings.base_url or _API).rstrip("/")
        self._credentials = _credentials(asking.secrets["GOOGLE_BUSINESS_TOKEN"], settings.base_url)
        self._now = asking.now
        self._gateway = settings.base_url
        self._session = web.guarded(self._gateway, self._home)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def reviews(self, location: str) -> Iterator[tuple[list[Any], bool]]:
        """All reviews, the latest change first: each page, and whether it is the last."""
        token, seen = None, set[str]()
        while True:
            params = {"pageSize": _PAGE, "orderBy": "updateTime desc", **({"pageToken": token} if token else {})}
            answer = self._ask(f"{location}/reviews", location, params)
            if answer.status == 404:
                raise _WrongLocation(f"Google does not know {location}; correct it in listening.toml")
            items, token = _shaped(answer.json(_NAME))
            if token in seen or len(seen) >= _MOST_PAGES:
                raise TryLater(f"{_NAME}: the list of reviews of {location} does not end")
            yield items, token is None
            if token is None:
                return
            seen.add(token)

    def review(self, location: str, ref: str) -> Any:
        """One review as Google's JSON; None if it is gone."""
        answer = self._ask(f"{location.partition('/locations/')[0]}/{quote(ref)}", location, {})
        if answer.status == 404:
            return None
        item = answer.json(_NAME)
        if _ref(item) != ref:
            raise _unknown_shape()
        return item

    def answer(self, location: str, ref: str, text: str) -> Any:
        """Reply to a review; the reply as Google has it. For use within sending(). Raises AskedToWait, NeedsPerson, and
        whatever leaves it open."""
        url = f"{self._home}/v4/{location.partition('/locations/')[0]}/{quote(ref)}/reply"
        answer = web.write(
            _NAME, self._session, "PUT", url, self._signed(renew=False), _TIMEOUT, json={"comment": text}
        )
        if answer.status == 404:
            raise NeedsPerson(f"{_NAME}: the review was taken back or taken down; there is nothing to answer")
        if answer.status == 400:
            raise NeedsPerson(
                f"{_NAME}: Google refuses the reply (400); it takes 4,096 bytes, and none for a location that is not "
                "verified"
            )
        if answer.status != 200:
            with _told():
                raise self._refusal(answer, location, {})
        return answer.json(_NAME)

    def _ask(self, path: str, location: str, params: Mapping[str, Any]) -> web.Answer:
        """An answer with status 200 or 404. Raises _WrongLocation, TryLater, NeedsPerson."""
        answer = self._get(path, params)
        if answer.status == 401 and self._credentials.refresh_token:  # revoked early, or one of the clocks is wrong
            answer = self._get(path, params, renew=True)
        if answer.status not in (200, 404):
            raise self._refusal(answer, location, params)
        return answer

    def _get(self, path: str, params: Mapping[str, Any], renew: bool = False) -> web.Answer:
        url = f"{self._home}/v4/{path}"
        return web.get(_NAME, url, params, self._signed(renew), timeout=_TIMEOUT, session=self._session)

    def _signed(self, renew: bool) -> dict[str, str]:
        """The headers that say who we are, with a new access token when the old one is used up."""
        from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError

        headers: dict[str, str] = {}
        try:
            if renew or not self._credentials.valid:
                self._credentials.refresh(self._once)  # type: ignore[no-untyped-call]
                if not re.fullmatch("[!-~]+", str(self._credentials.token)):
                    raise ValueError  # it would be kept, and no request could be sent
            self._credentials.apply(headers)  # type: ignore[no-untyped-call]
        except TransportError as error:
            kind = type(error.args[0] if error.args else error).__name__
            raise TryLater(
                f"{_NAME}: no answer to the request for an access token ({kind}); check the network"
            ) from None
        except RefreshError as error:
            raise _not_renewed(error) from None
        except (GoogleAuthError, AttributeError, LookupError, TypeError, ValueError, OverflowError):
            self._credentials.token = None  # whatever came, it is no token
            raise TryLater(f"{_NAME}: the access token came in an unknown shape") from None
        return headers

    def _once(self, url: str, method: str = "GET", body: Any = None, headers: Any = None, **_: Any) -> Any:
        """google-auth's transport, asked once: it would wait two minutes, sleep and repeat, in this thread."""
        from google.auth.transport.requests import Request

        with web.guarded(self._gateway, url) as session:
            for prefix in ("https://", "http://"):
                session.mount(prefix, web.Limited(_NAME, _TIMEOUT, [self._gateway] if self._gateway else []))
            transport: Any = Request(session)
            response = transport(url, method, body, headers, timeout=_TIMEOUT)
        if response.status == 429:
            headers = {name.lower(): value for name, value in response.headers.items()}
            why = f"{_NAME}: Google asks to wait with the request for an access token (429)"
            raise AskedToWait(why, web.retry_at(headers, self._now))
        if response.status >= 500:
            raise TryLater(f"{_NAME}: Google answers {response.status} to the request for an access token")
        return response

    def _refusal(self, answer: web.Answer, location: str, params: Mapping[str, Any]) -> Exception:
        said = _details(answer)
        if answer.status == 429 and said.get("quota_limit_value") == "0":
            return NeedsPerson(f"{_NAME}: Google has not given this project access to the API yet; {_ASK_ACCESS}")
        if answer.status == 429:
            at = _delay(said.get("retryDelay"), self._now) or web.retry_at(answer.headers, self._now)
            return AskedToWait(f"{_NAME}: Google asks to wait (429); if it never worked, {_ASK_ACCESS}", at)
        if answer.status == 403 and said.get("reason") in _FORBIDDEN:
            return NeedsPerson(f"{_NAME}: {_FORBIDDEN[said['reason']]}")
        if answer.status == 403:
            return _WrongLocation(
                f"Google forbids reading {location}: make the account of GOOGLE_BUSINESS_TOKEN its manager, and {_ASK_ACCESS}"
            )
        if answer.status == 400 and "pageToken" not in params:
            return _WrongLocation(f"Google refused {location} (400); is it verified?")
        return web.remedy(_NAME, answer, self._now, {401: self._not_accepted()})

    def _not_accepted(self) -> str:
        if self._credentials.refresh_token:
            return "Google does not accept GOOGLE_BUSINESS_TOKEN; sign in again and replace it"
        return f"GOOGLE_BUSINESS_TOKEN is an access token that has expired (they live for one hour), or none; use {_LASTING}"


def _shaped(answer: Any) -> tuple[list[Any], str | None]:
    """The reviews of a page, and the token of the next. Of a location without reviews Google says {}."""
    if not isinstance(answer, dict) or not (
        "reviews" in answer or answer.keys() <= {"averageRating", "totalReviewCount", "nextPageToken"}
    ):
        raise _unknown_shape()
    items, token = answer.get("reviews", []), answer.get("nextPageToken") or None
    if not isinstance(items, list) or not isinstance(token, str | None):
        raise _unknown_shape()
    return items, token


def _unknown_shape() -> TryLater:
    return TryLater(f"{_NAME}: the answer has an unknown shape")


def _details(answer: web.Answer) -> dict[str, Any]:
    """What Google's error says of itself, as one flat dict: reason, metadata, delay."""
    try:
        details = json.loads(answer.body)["error"]["details"]
        flat: dict[str, Any] = {}
        for detail in details:
            flat |= {**detail, **detail.get("metadata", {})}
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return {}
    return flat


def _delay(stated: Any, now: datetime) -> datetime | None:
    found = re.fullmatch(r"([0-9]{1,6})(\.[0-9]+)?s", stated) if isinstance(stated, str) else None
    return now + timedelta(seconds=int(found[1]) + 1) if found else None


# ---------------------------------------------------------------- who we are


@cache
def _credentials(secret: str, base_url: str | None) -> "Credentials":
    """What the secret holds, for as long as the process lives: the access token is renewed in it. Raises NeedsPerson."""
    from google.oauth2.credentials import Credentials

    wrong = NeedsPerson(f"{_NAME}: GOOGLE_BUSINESS_TOKEN has the wrong shape; it has to be {_LASTING}")
    if not secret.startswith("{"):
        if not re.fullmatch("[!-~]+", secret):
            raise wrong
        return Credentials(secret)  # type: ignore[no-untyped-call]
    try:
        known = json.loads(secret)
    except (ValueError, RecursionError):
        raise wrong from None
    needed = {name: known.get(name) for name in ("client_id", "client_secret", "refresh_token")}
    uri, project = known.get("token_uri") or _TOKENS, known.get("quota_project_id")
    words = [*needed.values(), uri, project or "none"]
    if not all(isinstance(word, str) and word for word in words) or not re.match("https://", uri):
        raise wrong
    uri = f"{base_url.rstrip('/')}/token" if base_url else uri
    return Credentials(None, token_uri=uri, quota_project_id=project, **needed)  # type: ignore[no-untyped-call]


def _not_renewed(error: Exception) -> TryLater | NeedsPerson:
    """What to do when Google gives no new access token; only its word for the reason is repeated."""
    said = error.args[1] if len(error.args) > 1 and isinstance(error.args[1], dict) else {}
    reason = str(said.get("error"))
    if reason == "invalid_grant" or "Reauthentication" in str(error):
        return NeedsPerson(
            f"{_NAME}: the sign-in of GOOGLE_BUSINESS_TOKEN was revoked or has ended (while the app's consent screen is in "
            "testing, Google ends it after 7 days); sign in again and replace it"
        )
    if re.fullmatch("[a-z_]{1,40}", reason):
        return NeedsPerson(f"{_NAME}: Google refuses GOOGLE_BUSINESS_TOKEN ({reason}); sign in again and replace it")
    return TryLater(f"{_NAME}: the access token came in an unknown shape")


# ---------------------------------------------------------------- Google's JSON as posts


def _each(parse: Callable[[str, Any], Post], items: Iterable[Any]) -> tuple[tuple[Post, ...], tuple[SkipPost, ...]]:
    posts, skipped = [], []
    for item in items:
        where = f"{_NAME}:{(_ref(item) or '?')[:100]}"
        try:
            posts.append(parse(where, item))
        except SkipPost as skip:
            skipped.append(skip)
        except (AttributeError, LookupError, TypeError, ValueError, OverflowError) as error:
            skipped.append(SkipPost(where, f"unknown shape ({type(error).__name__})"))
    return tuple(posts), tuple(skipped)


def _review(where: str, item: Mapping[str, Any]) -> Post:
    """A review. When it was changed counts as when it was written: what it says now was said then, and a reply from
    before does not answer it."""
    created, changed = _times(item)
    ref = _ref(item)
    return read_post(
        where,
        source=_NAME,
        ref=ref,
        text=_own_words(item.get("comment") or ""),  # none: only stars
        written_at=changed,
        edited_at=changed if changed > created else None,
        url=item.get("reviewReplyUrl"),
        author_name=item.get("reviewer", {}).get("displayName"),  # a name of a person or "A Google user", no handle
        thread=ref,
        rating=_STARS.get(item.get("starRating", "")),
        about_us=True,
    )


def _reply(where: str, item: Mapping[str, Any]) -> Post:
    """The hospital's reply to a review. There is only one, which it may rewrite: each version is a post of its own, for
    it is the last that answers a review that was rewritten too."""
    ref, reply = _ref(item), item["reviewReply"]
    written_at = _moment(reply["updateTime"])
    return read_post(
        where,
        source=_NAME,
        ref=f"{ref}{_REPLY}{int(written_at.timestamp())}",
        text=_own_words(reply["comment"]),
        written_at=written_at,
        url=item.get("reviewReplyUrl"),
        thread=ref,
        answers=ref,
        about_us=True,
        own=True,
    )


def _has_public_reply(item: Any) -> bool:
    reply = item.get("reviewReply") if isinstance(item, dict) else None
    return isinstance(reply, dict) and bool(reply.get("comment")) and reply.get("reviewReplyState") in _PUBLIC


def _ref(item: Any) -> str:
    """Its name without the account: the same location may be read by another account one day. "" if it has none."""
    name = item.get("name") if isinstance(item, dict) else None
    found = re.fullmatch("accounts/[^/]+/(locations/[^/]+/reviews/[^/]+)", name) if isinstance(name, str) else None
    return found[1] if found else ""


def _times(item: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """When it was written, and when it was last changed."""
    created = _moment(item["createTime"])
    return created, max(created, _moment(item.get("updateTime") or item["createTime"]))


def _moment(stated: str) -> datetime:
    moment = datetime.fromisoformat(stated)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment


def _changed(item: Any) -> datetime | None:
    try:
        return _times(item)[1]
    except (AttributeError, LookupError, TypeError, ValueError):
        return None


def _own_words(text: str) -> str:
    """A text without the translation that Google put before or behind it; too much of it rather than too little."""
    if text.lstrip().startswith(_TRANSLATED):
        own = text.partition(_ORIGINAL)[2]
    else:
        own = text.rpartition(f"\n\n{_TRANSLATED}")[0]
    return own.strip() or text
