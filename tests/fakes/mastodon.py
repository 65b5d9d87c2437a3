"""One Mastodon instance on loopback: timelines of tags and accounts, notifications, search, lookups, new posts.

Checked against: Mastodon.py 2.3.3, executed; Mastodon's own source of versions 3 to 4.5 (snowflake, paginable, rack_attack,
rate_limit_headers, status_filter, the controllers of timelines, statuses, notifications and search) and
docs.joinmastodon.org. No live instance was asked.
"""

from __future__ import annotations

import bisect
import itertools
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit

from .place import Place
from .server import HTML_PAGE, Answer, FakeServer, RateLimited, Request, _Handler, epoch

HOST = "social.stbrigid.example"
STATUSES_MOST, NOTIFICATIONS_MOST, BATCH_MOST = 40, 80, 20
LONGEST = 500  # characters; a link counts 23, a handle without its instance
# requests in so many seconds; the second counts only those that page
LIMITS = {"all": (300, 300), "paging": (300, 900)}
SAID = {
    401: "The access token is invalid",
    403: "This action is not allowed",
    404: "Record not found",
    422: "Validation failed",
    429: "Too many requests",
    503: "There was a temporary problem serving your request, please try again",
}
TEXT = re.compile(r"(?P<link>https?://\S+)|@(?P<acct>\w+(?:@[\w.-]+\w)?)|#(?P<tag>\w+)|(?P<other>.)", re.DOTALL)


@dataclass
class Account:
    """Someone of this instance, or of another one that it knows. `limited`: moderators hide it from strangers."""

    id: str
    acct: str
    name: str
    followers: int = 0
    limited: bool = False
    searchable: bool = True


@dataclass
class Status:
    """A post as this instance keeps it."""

    id: int
    author: Account
    text: str
    at: float
    visibility: str = "public"
    edited: float | None = None
    spoiler: str = ""
    answers: int | None = None
    boosts: int | None = None
    quotes: int | None = None
    poll: Sequence[str] = ()
    media: Sequence[str | None] = ()
    also_to: Sequence[str] = ()
    html: str | None = None


@dataclass
class Notification:
    """What the account of the token is told."""

    id: int
    kind: str
    at: float
    status: int


class FakeMastodon(FakeServer):
    """An instance for the length of a `with` block.

    `anonymous` says what strangers may see: all, no timelines (422), or nothing (401). `batches=False` is a version
    before 4.3, `tag_feeds="disabled"` and `search=False` are an instance that has them switched off."""

    def __init__(self, now: Callable[[], float] = time.time, *, token: str = "test-token", port: int = 0) -> None:
        super().__init__(now, port)
        self.token = token
        self.scopes = {"read"}
        self.anonymous: Literal["all", "no timelines", "nothing"] = "all"
        self.batches = True
        self.search = True
        self.tag_feeds = "public"
        self.limits = dict(LIMITS)
        self.ignores_paging = False
        self._accounts: dict[str, Account] = {}
        self._statuses: dict[int, Status] = {}
        self._ids: list[int] = []
        self._notifications: list[Notification] = []
        self._numbers = itertools.count(1)
        self._counted: dict[tuple[str, str, float], int] = {}
        self._made: dict[str, int] = {}  # posts by the keys that they were sent with
        self._lists = threading.local()
        self.owner = "care"  # whose token it is
        self.account("care", name="St. Brigid's Care")

    def __enter__(self) -> Self:
        super().__enter__()
        assert self._http is not None
        self._http.RequestHandlerClass = _KeepsLists
        return self

    # what tests do

    def account(self, acct: str, name: str | None = None, **more: Any) -> Account:
        """Make or change an account: "ann" of this instance, "ann@town.example" of another."""
        with self._lock:
            number = str(109_000_000_000_000_000 + len(self._accounts))
            known = self._accounts.setdefault(acct.lower(), Account(number, acct, name or acct.title()))
            for key, value in (({"name": name} if name else {}) | more).items():
                setattr(known, key, value)
            return known

    def post(
        self,
        text: str,
        author: str = "ann@town.example",
        at: datetime | None = None,
        arrived: datetime | None = None,
        answers: str | None = None,
        boosts: str | None = None,
        quotes: str | None = None,
        **more: Any,
    ) -> str:
        """Someone posts; the id. A delivered post gets an id of when it `arrived`, one that was written here or
        fetched afterwards an id of when it was written."""
        with self._lock:
            written = self.now() if at is None else epoch(at)
            taken_in = written if arrived is None else epoch(arrived)
            id_ = (round(taken_in * 1000) << 16) | (next(self._numbers) & 0xFFFF)
            above = {"answers": answers, "boosts": boosts, "quotes": quotes}
            refs = {key: int(value) for key, value in above.items() if value is not None}
            status = Status(id_, self.account(author), text, written, **refs, **more)
            self._statuses[id_] = status
            bisect.insort(self._ids, id_)
            self._notify(status, taken_in)
            return str(id_)

    def edit(self, id_: str, text: str, at: datetime | None = None) -> None:
        """Its author changes the words."""
        with self._lock:
            self._statuses[int(id_)].text = text
            self._statuses[int(id_)].edited = self.now() if at is None else epoch(at)

    def delete(self, id_: str) -> None:
        """Its author deletes it."""
        with self._lock:
            del self._statuses[int(id_)]
            self._ids.remove(int(id_))

    def _notify(self, status: Status, at: float) -> None:
        quoted = self._statuses.get(status.quotes or 0)
        kinds = ["mention"] if any(one.acct == "care" for one in self._mentioned(status)) else []
        kinds += ["quote"] if quoted is not None and quoted.author.acct == "care" else []
        for kind in kinds:
            self._notifications.append(Notification(len(self._notifications) + 1, kind, at, status.id))

    # answers that are no success

    def status_answer(self, code: int) -> Answer:
        if code in (500, 502):
            return Answer(code, HTML_PAGE, {"content-type": "text/html; charset=utf-8"})
        return Answer(code, {"error": SAID.get(code, "Error")})

    def limited_answer(self, fault: RateLimited) -> Answer:
        headers = {"x-ratelimit-limit": "300", "x-ratelimit-remaining": "0"}
        if fault.reset is not None:
            headers["x-ratelimit-reset"] = _iso(fault.reset, "microseconds")
        if fault.retry_after is not None:
            headers["retry-after"] = str(fault.retry_after)
        return Answer(429, {"error": SAID[429]}, headers)

    # requests

    def answer(self, request: Request) -> Answer:
        authorization = request.headers.get("authorization")
        headers, over = self._count(authorization or "anonymous", request)
        if over:
            return Answer(429, {"error": SAID[429]}, headers)
        if authorization not in (None, f"Bearer {self.token}"):
            done = self.status_answer(401)
        elif authorization is None and self.anonymous == "nothing":
            done = Answer(401, {"error": "This method requires an authenticated user"})
        elif authorization and not self.scopes:
            done = Answer(403, {"error": "This action is outside the authorized scopes"})
        else:
            done = self._dispatch(request, authorization is not None)
        return Answer(done.status, done.body, {**headers, **done.headers})

    def _count(self, who: str, request: Request) -> tuple[dict[str, str], bool]:
        """The headers of the limit that is nearest, and whether one is passed. Windows begin at whole multiples."""
        pages = any(request.query.get(name) for name in ("page", "min_id", "max_id", "since_id"))
        states = []
        for name in ("all", "paging") if pages else ("all",):
            most, period = self.limits[name]
            begun = self.now() // period * period
            key = (who, name, begun)
            self._counted[key] = self._counted.get(key, 0) + 1
            states.append((most - self._counted[key], most, begun + period))
        left, most, ends = min(states)
        stated = {
            "x-ratelimit-limit": str(most),
            "x-ratelimit-remaining": str(max(0, left)),
            "x-ratelimit-reset": _iso(ends, "microseconds"),
        }
        return stated, left < 0

    def _dispatch(self, request: Request, known: bool) -> Answer:
        path, query = request.path.rstrip("/"), request.query
        if path == "/api/v1/accounts/verify_credentials":
            return Answer(200, self._shown_account(self.account(self.owner))) if known else self.status_answer(401)
        if request.method == "POST" and path == "/api/v1/statuses":
            return self._post(request) if known else self.status_answer(401)
        kind, _, rest = path.removeprefix("/api/").partition("/")
        if request.method != "GET" or kind not in ("v1", "v2"):
            return Answer(404, HTML_PAGE, {"content-type": "text/html; charset=utf-8"})
        if path == "/api/v2/instance":
            return Answer(200, self._instance())
        if found := re.fullmatch("timelines/tag/(.+)", rest):
            return self._tag(unquote(found[1]), query, known)
        if rest == "accounts/lookup":
            return self._lookup(query.get("acct", ""))
        if found := re.fullmatch("accounts/([0-9]+)/statuses", rest):
            return self._account_statuses(found[1], query)
        if rest == "notifications":
            return self._told(query, known)
        if path == "/api/v2/search":
            return self._search(query, known)
        if rest == "statuses" and self.batches:
            return self._batch()
        if found := re.fullmatch("statuses/([0-9]+)", rest):
            status = self._statuses.get(int(found[1]))
            seen = status is not None and status.visibility in ("public", "unlisted")
            return Answer(200, self._shown(status)) if status and seen else self.status_answer(404)
        return Answer(404, {"error": "The page you are looking for isn't here."})

    def _post(self, request: Request) -> Answer:
        """A new post of the token's account; the same one again for the same key."""
        form, key = request.body or {}, request.headers.get("idempotency-key", "")
        if not self.scopes & {"write", "write:statuses"}:
            return Answer(403, {"error": "This action is outside the authorized scopes"})
        if key and self._made.get(key) in self._statuses:
            return Answer(200, self._shown(self._statuses[self._made[key]]))
        above, text = form.get("in_reply_to_id"), form.get("status", "")
        if above and int(above) not in self._statuses:
            return Answer(404, {"error": "The post you are trying to reply to does not appear to exist."})
        if not text:
            return Answer(422, {"error": "Validation failed: Text can't be blank"})
        if len(re.sub(r"(@\w+)@[\w.-]+\w", r"\1", re.sub(r"https?://\S+", "x" * 23, text))) > LONGEST:
            return Answer(422, {"error": f"Validation failed: Text character limit of {LONGEST} exceeded"})
        visibility = form.get("visibility", "public")
        self._made[key] = int(self.post(text, self.owner, answers=above, visibility=visibility))
        return Answer(200, self._shown(self._statuses[self._made[key]]))

    def _page(self, query: dict[str, str], wanted: Callable[[Status], bool]) -> Answer:
        """Newest first below max_id and above since_id; with min_id the oldest above it."""
        low = int(query.get("min_id") or query.get("since_id") or 0)
        high = 0 if self.ignores_paging else int(query.get("max_id") or 0)
        start = bisect.bisect_right(self._ids, low)
        end = bisect.bisect_left(self._ids, high) if high else len(self._ids)
        forward = bool(query.get("min_id"))
        ids = range(start, end) if forward else range(end - 1, start - 1, -1)
        found = (self._statuses[self._ids[place]] for place in ids)
        page = list(itertools.islice(filter(wanted, found), _limit(query, 20, STATUSES_MOST)))
        shown = [self._shown(status) for status in (reversed(page) if forward else page)]
        return Answer(200, shown)

    def _tag(self, tag: str, query: dict[str, str], known: bool) -> Answer:
        if not known and self.anonymous == "no timelines":
            return Answer(422, {"error": "This method requires an authenticated user"})
        if self.tag_feeds == "disabled":
            return Answer(200, [])

        def wanted(status: Status) -> bool:
            public = status.visibility == "public" and not status.boosts and not status.author.limited
            return public and tag.casefold() in _tags(status.text)

        return self._page(query, wanted)

    def _lookup(self, acct: str) -> Answer:
        account = self._accounts.get(acct.lower().removeprefix("@").removesuffix(f"@{HOST}"))
        return Answer(200, self._shown_account(account)) if account else self.status_answer(404)

    def _account_statuses(self, id_: str, query: dict[str, str]) -> Answer:
        if all(account.id != id_ for account in self._accounts.values()):
            return self.status_answer(404)
        boosts = query.get("exclude_reblogs") not in ("1", "true")
        seen = ("public", "unlisted")
        return self._page(
            query, lambda one: one.author.id == id_ and one.visibility in seen and (boosts or not one.boosts)
        )

    def _told(self, query: dict[str, str], known: bool) -> Answer:
        if not known:
            return self.status_answer(401)
        kinds, below = self._lists.values.get("types[]"), int(query.get("max_id") or 2**63)
        told = [one for one in reversed(self._notifications) if one.id < below and (not kinds or one.kind in kinds)]
        page = [self._shown_notification(one) for one in told[: _limit(query, 40, NOTIFICATIONS_MOST)]]
        return Answer(200, page)

    def _search(self, query: dict[str, str], known: bool) -> Answer:
        if not query.get("q"):
            return Answer(400, {"error": "param is missing or the value is empty: q"})
        if not known and (query.get("offset") or query.get("resolve")):
            return Answer(401, {"error": "Search queries pagination is not supported without authentication"})
        if query["q"].count('"') % 2:
            return Answer(422, {"error": SAID[422]})
        words = re.findall(r"\w+", query["q"].casefold())
        found = [
            self._statuses[id_]
            for id_ in reversed(self._ids if known and self.search else [])
            if self._statuses[id_].visibility == "public" and self._statuses[id_].author.searchable
        ]
        found = [one for one in found if all(word in one.text.casefold() for word in words)]
        offset = 0 if self.ignores_paging else int(query.get("offset") or 0)
        page = found[offset : offset + _limit(query, 20, STATUSES_MOST)]
        return Answer(200, {"accounts": [], "statuses": [self._shown(one) for one in page], "hashtags": []})

    def _batch(self) -> Answer:
        """What is there of these, in no order, without what StatusFilter hides from strangers."""
        ids = self._lists.values.get("id[]", [])
        if len(ids) > BATCH_MOST:
            return self.status_answer(422)
        found = [self._statuses[int(id_)] for id_ in sorted(set(ids)) if int(id_) in self._statuses]
        seen = [one for one in found if one.visibility in ("public", "unlisted") and not one.author.limited]
        return Answer(200, [self._shown(one) for one in seen])

    # what things look like

    def _instance(self) -> dict[str, Any]:
        feeds = {"local": self.tag_feeds, "remote": self.tag_feeds}
        return {
            "domain": HOST,
            "title": "St. Brigid",
            "version": "4.5.2",
            "configuration": {"timelines_access": {"live_feeds": feeds, "hashtag_feeds": feeds}},
            "api_versions": {"mastodon": 7},
        }

    def _shown_account(self, account: Account) -> dict[str, Any]:
        username, _, domain = account.acct.partition("@")
        home = f"https://{domain or HOST}"
        return {
            "id": account.id,
            "username": username,
            "acct": account.acct,
            "display_name": account.name,
            "locked": False,
            "bot": False,
            "group": False,
            "created_at": "2022-11-18T00:00:00.000Z",
            "note": "<p>Hello</p>",
            "url": f"{home}/@{username}",
            "uri": f"{home}/users/{username}",
            "avatar": f"{home}/avatar.png",
            "followers_count": account.followers,
            "following_count": 1,
            "statuses_count": 1,
            "emojis": [],
            "fields": [],
        }

    def _shown_notification(self, one: Notification) -> dict[str, Any]:
        status = self._statuses.get(one.status)
        shown = {"id": str(one.id), "type": one.kind, "created_at": _iso(one.at), "group_key": f"ungrouped-{one.id}"}
        return shown | {"status": self._shown(status) if status else None}

    def _shown(self, status: Status, within: bool = False) -> dict[str, Any]:
        author = self._shown_account(status.author)
        home = author["uri"].partition("/users/")[0]
        boosted, quoted = self._statuses.get(status.boosts or 0), self._statuses.get(status.quotes or 0)
        shown = {
            "id": str(status.id),
            "created_at": _iso(status.at),
            "in_reply_to_id": str(status.answers) if status.answers else None,
            "in_reply_to_account_id": None,
            "sensitive": bool(status.spoiler),
            "spoiler_text": status.spoiler,
            "visibility": status.visibility,
            "language": "en",
            "uri": f"{author['uri']}/statuses/{status.id}",
            "url": f"{home}/@{author['username']}/{status.id}",
            "replies_count": 0,
            "reblogs_count": 0,
            "favourites_count": 0,
            "edited_at": _iso(status.edited) if status.edited else None,
            "content": self._html(status) if status.html is None else status.html,
            "reblog": self._shown(boosted) if boosted else None,
            "account": author,
            "media_attachments": [
                {"id": str(n), "type": "image", "url": f"{home}/{n}.png", "description": words}
                for n, words in enumerate(status.media)
            ],
            "mentions": [
                {"id": one.id, "username": one.acct.partition("@")[0], "url": url, "acct": one.acct}
                for one in self._mentioned(status)
                for url in [self._shown_account(one)["url"]]
            ],
            "tags": [{"name": tag, "url": f"https://{HOST}/tags/{tag}"} for tag in _tags(status.text)],
            "emojis": [],
            "card": None,
            "poll": {"id": "1", "options": [{"title": one, "votes_count": 0} for one in status.poll]}
            if status.poll
            else None,
        }
        if quoted and within:
            return shown | {"quote": {"state": "accepted", "quoted_status_id": str(quoted.id)}}
        return shown | {"quote": {"state": "accepted", "quoted_status": self._shown(quoted, True)} if quoted else None}

    def _mentioned(self, status: Status) -> list[Account]:
        written = [found["acct"] for found in TEXT.finditer(status.text) if found["acct"]]
        accounts = [self._known(acct) for acct in (*written, *status.also_to)]
        return list({account.id: account for account in accounts if account}.values())

    def _known(self, acct: str) -> Account | None:
        return self._accounts.get(acct.lower().removesuffix(f"@{HOST}"))

    def _html(self, status: Status) -> str:
        """As Mastodon writes it: paragraphs, links with hidden ends, mentions without their instance."""
        paragraphs = status.text.split("\n\n")
        return "".join(f"<p>{''.join(self._pieces(one))}</p>" for one in paragraphs)

    def _pieces(self, paragraph: str) -> Iterator[str]:
        for found in TEXT.finditer(paragraph):
            account = self._known(found["acct"]) if found["acct"] else None
            if account:
                shown = self._shown_account(account)
                link = f'<a href="{shown["url"]}" class="u-url mention">@<span>{shown["username"]}</span></a>'
                yield f'<span class="h-card" translate="no">{link}</span>'
            elif tag := found["tag"]:
                yield f'<a href="https://{HOST}/tags/{tag}" class="mention hashtag" rel="tag">#<span>{tag}</span></a>'
            elif found["link"]:
                yield _link(found["link"])
            else:
                yield "<br />" if found[0] == "\n" else escape(found[0], quote=False)


class _KeepsLists(_Handler):
    """Keeps what a parameter that comes several times holds, as id[]=1&id[]=2."""

    def do_GET(self) -> None:
        fake = self.server.fake
        assert isinstance(fake, FakeMastodon)
        fake._lists.values = parse_qs(urlsplit(self.path).query)
        super().do_GET()


def _link(url: str) -> str:
    hidden = re.match(r"https?://(www\.)?", url)
    assert hidden
    shown, rest = url[hidden.end() :][:30], url[hidden.end() + 30 :]
    kind = ' class="ellipsis"' if rest else ""
    spans = f'<span class="invisible">{hidden[0]}</span><span{kind}>{escape(shown)}</span>'
    return (
        f'<a href="{escape(url)}" target="_blank" rel="nofollow noopener" translate="no">{spans}'
        f'<span class="invisible">{escape(rest)}</span></a>'
    )


def _tags(text: str) -> list[str]:
    return [found["tag"].casefold() for found in TEXT.finditer(text) if found["tag"]]


def _limit(query: dict[str, str], usual: int, most: int) -> int:
    return min(abs(int(query.get("limit") or usual)), most)


def _iso(at: float, precision: str = "milliseconds") -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec=precision).replace("+00:00", "Z")


# --- for the contract suite ---------------------------------------------------------------------------------------


@dataclass
class MastodonPlace(Place):
    """People of another town's instance post under a tag; the hospital's account is of this one."""

    fake: FakeMastodon = field(kw_only=True)

    def post(self, text: str, at: datetime, author: str = "ann", answers: str | None = None) -> str:
        above = answers.partition("@")[0] if answers else None
        return _ref(self.fake.post(f"{text} #stbrigid", f"{author}@town.example", at, answers=above))

    def edit(self, ref: str, text: str, at: datetime) -> None:
        self.fake.edit(ref.partition("@")[0], f"{text} #stbrigid", at)

    def delete(self, ref: str) -> None:
        self.fake.delete(ref.partition("@")[0])

    def answer(self, ref: str, text: str, at: datetime) -> str:
        return _ref(self.fake.post(text, "care", at, answers=ref.partition("@")[0]))

    def may_answer(self) -> dict[str, str]:
        """The secrets that answering needs."""
        self.fake.scopes |= {"write:statuses"}
        return {"MASTODON_ACCESS_TOKEN": self.fake.token}


def _ref(id_: str) -> str:
    return f"{id_}@{HOST}"


@contextmanager
def place(clock: Callable[[], float], folder: Path) -> Iterator[Place]:
    """The instance, asked without a token."""
    with FakeMastodon(now=clock) as fake:
        settings = {"instance": f"https://{HOST}", "base_url": fake.base_url, "tags": ["stbrigid"]}
        gap = "the timeline of a tag goes back as far as the instance keeps posts, and it does not tell how far that is"
        yield MastodonPlace(
            fake, settings, on=lambda request: "/instance" not in request.path, cannot={"gap": gap}, fake=fake
        )
