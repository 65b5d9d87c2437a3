"""Google's My Business API v4 (reviews of a location, the owner's replies) and its token endpoint, on loopback.

Checked against: the reference of accounts.locations.reviews as of September 2026 (fields, states of a reply, paging), the
quota page, Google's error model (google.rpc) with bodies that users published, google-auth 2.62, executed. Not against
the live API. What its page tokens hold is not known; here it is an offset.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .place import Place
from .server import Answer, FakeServer, RateLimited, Request, epoch

LOCATION = "accounts/101/locations/202"
LARGEST_PAGE = 50
LONGEST_REPLY = 4096  # bytes
TOKEN_LIFE = 3599
STARS = ("STAR_RATING_UNSPECIFIED", "ONE", "TWO", "THREE", "FOUR", "FIVE")
ORDERS = ("rating", "rating desc", "updateTime desc")
STATUS = {
    400: ("INVALID_ARGUMENT", "Request contains an invalid argument."),
    401: (
        "UNAUTHENTICATED",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential.",
    ),
    403: ("PERMISSION_DENIED", "The caller does not have permission"),
    404: ("NOT_FOUND", "Requested entity was not found."),
    429: (
        "RESOURCE_EXHAUSTED",
        "Quota exceeded for quota metric 'Requests' and limit 'Requests per minute' of service "
        "'mybusiness.googleapis.com' for consumer 'project_number:101'.",
    ),
    500: ("INTERNAL", "Internal error encountered."),
    503: ("UNAVAILABLE", "The service is currently unavailable."),
}


@dataclass
class Reply:
    """The owner's reply; one from before April 2026 has no state."""

    comment: str
    at: float
    state: str | None


@dataclass
class Review:
    """A review, changed at `changed`."""

    name: str
    author: str | None
    stars: int
    comment: str
    at: float
    changed: float
    reply: Reply | None = None


class FakeGoogleReviews(FakeServer):
    """A project with access to one account's locations for the length of a `with` block.

    `quota` is the requests per minute that a 429 states: 0 before Google has granted access. Access tokens live for an
    hour by `now`; `revoked` ends the sign-in that the refresh token stands for."""

    def __init__(self, now: Callable[[], float] = time.time, *, port: int = 0) -> None:
        super().__init__(now, port)
        self.locations = {LOCATION}
        self.quota = 300
        self.revoked = False
        self.decides = "APPROVED"  # what Google makes of a reply: it may be PENDING for long
        self.client_id, self.client_secret = "101.apps.googleusercontent.com", "test-client-secret"
        self.refresh_token = "1//test-refresh"
        self._access: dict[str, float] = {}
        self._reviews: dict[str, Review] = {}
        self._numbers = itertools.count(1)

    # what tests do

    def credential(self, **changes: Any) -> str:
        """What `gcloud auth application-default login` writes."""
        known = {
            "account": "",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "refresh_token": self.refresh_token,
            "type": "authorized_user",
            "universe_domain": "googleapis.com",
        }
        return json.dumps({**known, **changes})

    def access_token(self) -> str:
        """A token for an hour."""
        with self._lock:
            token = f"ya29.test-{len(self._access)}"
            self._access[token] = self.now() + TOKEN_LIFE
            return token

    def write(
        self, comment: str, at: datetime, author: str | None = "Ann", stars: int = 2, location: str = LOCATION
    ) -> str:
        """Someone reviews a location; the review's name. Nobody: anonymous."""
        with self._lock:
            # Google's ids are longer, and do not count.
            id_ = base64.urlsafe_b64encode(f"AbFv{next(self._numbers):09}".encode()).decode().rstrip("=")
            name = f"{location}/reviews/{id_}"
            self._reviews[name] = Review(name, author, stars, comment, epoch(at), epoch(at))
            return name

    def change(self, name: str, comment: str, at: datetime, stars: int | None = None) -> None:
        """Its author writes something else."""
        with self._lock:
            review = self._reviews[name]
            review.comment, review.changed = comment, epoch(at)
            review.stars = review.stars if stars is None else stars

    def remove(self, name: str) -> None:
        """Its author takes it back, or Google takes it down."""
        with self._lock:
            del self._reviews[name]

    def reply(self, name: str, comment: str, at: datetime, state: str | None = "APPROVED") -> None:
        """The owner answers; the review's own time stays. An empty comment takes the answer back."""
        with self._lock:
            self._reviews[name].reply = Reply(comment, epoch(at), state) if comment else None

    # the protocol

    def answer(self, request: Request) -> Answer:
        """Tokens for anyone with the right secrets, reviews for anyone with a token."""
        if (request.method, request.path) == ("POST", "/token"):
            return self._token(request.body if isinstance(request.body, dict) else {})
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self._access.get(token, 0) <= self.now():
            return self.status_answer(401)
        replied = re.fullmatch(r"/v4/(accounts/[0-9]+/locations/[0-9]+/reviews/[\w-]+)/reply", request.path)
        if replied is not None and request.method == "PUT":
            return self._reply(replied[1], request.body)
        one = re.fullmatch(r"/v4/(accounts/[0-9]+/locations/[0-9]+)/reviews(?:/([\w-]+))?", request.path)
        if one is None or one[1] not in self.locations:
            return self.status_answer(404)
        return self._one(f"{one[1]}/reviews/{one[2]}") if one[2] else self._list(one[1], request.query)

    def status_answer(self, code: int) -> Answer:
        """As Google tells an error."""
        status, message = STATUS.get(code, ("UNKNOWN", f"Error {code}"))
        headers = (
            {"www-authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'}
            if code == 401
            else {}
        )
        return Answer(code, {"error": {"code": code, "message": message, "status": status}}, headers)

    def limited_answer(self, fault: RateLimited) -> Answer:
        """429 with the quota; how long to wait is in a detail, and in a header, if it is said at all."""
        usual = self.status_answer(429)
        stated = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
        details: list[dict[str, Any]] = [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "RATE_LIMIT_EXCEEDED",
                "domain": "googleapis.com",
                "metadata": {
                    "service": "mybusiness.googleapis.com",
                    "quota_limit": "DefaultRequestsPerMinutePerProject",
                    "quota_limit_value": str(self.quota),
                    "consumer": "projects/101",
                },
            }
        ]
        if fault.retry_after is not None:
            details += [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{fault.retry_after}s"}]
        usual.body["error"]["details"] = details
        return Answer(429, usual.body, {**usual.headers, **stated})

    def _token(self, form: dict[str, Any]) -> Answer:
        if form.get("grant_type") != "refresh_token":
            return Answer(400, {"error": "unsupported_grant_type", "error_description": "Invalid grant_type"})
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.client_secret):
            return Answer(401, {"error": "invalid_client", "error_description": "The OAuth client was not found."})
        if self.revoked or form.get("refresh_token") != self.refresh_token:
            return Answer(400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."})
        scope = "https://www.googleapis.com/auth/business.manage"
        return Answer(
            200,
            {"access_token": self.access_token(), "expires_in": TOKEN_LIFE, "scope": scope, "token_type": "Bearer"},
        )

    def _list(self, location: str, query: dict[str, str]) -> Answer:
        if set(query) - {"pageSize", "pageToken", "orderBy"} or query.get("orderBy", ORDERS[2]) not in ORDERS:
            return self.status_answer(400)
        size = min(int(query.get("pageSize", LARGEST_PAGE)), LARGEST_PAGE)
        start = _offset(query.get("pageToken"))
        if start is None:
            return self.status_answer(400)
        here = [review for review in self._reviews.values() if review.name.startswith(location + "/")]
        if query.get("orderBy", "").startswith("rating"):
            here.sort(key=lambda review: review.stars, reverse="desc" in query["orderBy"])
        else:
            here.sort(key=lambda review: review.changed, reverse=True)
        page = here[start : start + size]
        body: dict[str, Any] = {"reviews": [_shown(review) for review in page]} if page else {}
        if here:
            body["averageRating"] = round(sum(review.stars for review in here) / len(here), 1)
            body["totalReviewCount"] = len(here)
        if start + size < len(here):
            body["nextPageToken"] = base64.urlsafe_b64encode(f"at {start + size}".encode()).decode()
        return Answer(200, body)  # {} for a location without reviews: Google leaves out what is empty or 0

    def _reply(self, name: str, body: Any) -> Answer:
        """A first reply, or another in its place."""
        review = self._reviews.get(name)
        if review is None or name.partition("/reviews/")[0] not in self.locations:
            return self.status_answer(404)
        comment = body.get("comment") if isinstance(body, dict) else None
        if not comment or len(comment.encode()) > LONGEST_REPLY:
            return self.status_answer(400)
        review.reply = Reply(comment, self.now(), self.decides)
        return Answer(200, _shown_reply(review.reply))

    def _one(self, name: str) -> Answer:
        review = self._reviews.get(name)
        return self.status_answer(404) if review is None else Answer(200, _shown(review))


def _offset(token: str | None) -> int | None:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token).decode().removeprefix("at "))
    except ValueError:
        return None


def _shown(review: Review) -> dict[str, Any]:
    """As Google shows it: what is empty is left out."""
    id_ = review.name.rpartition("/")[2]
    photo = "https://lh3.googleusercontent.com/a/photo"
    named = {"profilePhotoUrl": photo, "displayName": review.author}
    return {
        "name": review.name,
        "reviewId": id_,
        "reviewer": named if review.author else {"displayName": "A Google user", "isAnonymous": True},
        "starRating": STARS[review.stars],
        **({"comment": review.comment} if review.comment else {}),
        "createTime": _iso(review.at),
        "updateTime": _iso(review.changed),
        **({"reviewReply": _shown_reply(review.reply)} if review.reply else {}),
        "reviewReplyUrl": f"https://business.google.com/reviews/reply/{id_}",
    }


def _shown_reply(reply: Reply) -> dict[str, str]:
    state = {"reviewReplyState": reply.state} if reply.state else {}
    return {"comment": reply.comment, "updateTime": _iso(reply.at), **state}


def _iso(at: float) -> str:
    """With 0, 3, 6 or 9 digits behind the second, and Z."""
    moment = datetime.fromtimestamp(at, UTC)
    digits = f".{moment.microsecond:06}" if moment.microsecond else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{digits}Z"


class GoogleReviewsPlace(Place):
    """One location; refs are names without the account, and a reply's ends with its time."""

    server: FakeGoogleReviews

    def post(self, text: str, at: datetime, author: str = "ann", answers: str | None = None) -> str:
        """A review; nothing but the owner's reply answers one."""
        assert answers is None
        return _without_account(self.server.write(text, at, author))

    def edit(self, ref: str, text: str, at: datetime) -> None:
        """Its author changes it."""
        self.server.change(_name(ref), text, at)

    def delete(self, ref: str) -> None:
        """Its author takes it back."""
        self.server.remove(_name(ref))

    def answer(self, ref: str, text: str, at: datetime) -> str:
        """The owner replies."""
        self.server.reply(_name(ref), text, at)
        return f"{ref}/reply/{int(epoch(at))}"

    def may_answer(self) -> dict[str, str]:
        """The secrets that answering needs."""
        return dict(self.secrets)


def _name(ref: str) -> str:
    return f"{LOCATION.partition('/locations/')[0]}/{ref}"


def _without_account(name: str) -> str:
    return name[name.index("locations/") :]


@contextmanager
def place(clock: Any, folder: Path) -> Iterator[GoogleReviewsPlace]:
    """For the contract suite."""
    with FakeGoogleReviews(now=clock) as server:
        yield GoogleReviewsPlace(
            server=server,
            settings={"locations": (LOCATION,), "base_url": server.base_url},
            secrets={"GOOGLE_BUSINESS_TOKEN": server.credential()},
            on="/v4/",
            cannot={"gap": "Google lists every review for as long as it is public, so nothing gets out of reach"},
        )
