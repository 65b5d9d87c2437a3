"""Reddit's Data API on loopback: tokens, listings, search, a user's comments, /api/info, new comments, refusals.

Checked against: praw 8.0.3 and prawcore 4.0.0, executed, and the Data API wiki of May 2026. That a suspended account is
403 and a missing or shadowbanned one 404: issues of praw and of others who met it. Names and sentences of the errors of
/api/comment: Reddit's own source (errors.py, as it was last published) and issues.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from .place import Place
from .server import HTML_PAGE, Answer, FakeServer, On, RateLimited, Request, epoch

PAGE_MAX = 100
PAGE_USUAL = 25
LISTING_MAX = 1000
RATE_WINDOW = 600
TOKEN_LIFE = 86400
TIME_FILTERS = {"hour": 3600, "day": 86400, "week": 7 * 86400, "month": 31 * 86400, "year": 366 * 86400}
TOKEN_PATH = "/api/v1/access_token"
LONGEST_COMMENT = 10_000


@dataclass
class Thing:
    """A submission (t3_) or a comment (t1_)."""

    fullname: str
    subreddit: str
    author: str
    at: float
    text: str
    title: str = ""
    submission: str = ""
    parent: str = ""
    crosspost_of: str | None = None
    score: int = 1
    edited: float | None = None
    gone: Literal["author", "moderator", "nowhere"] | None = None

    @property
    def is_comment(self) -> bool:
        return self.fullname.startswith("t1_")

    @property
    def id(self) -> str:
        return self.fullname[3:]


@dataclass
class _Subreddit:
    name: str
    fullname: str
    access: Literal["public", "private", "banned"] = "public"


class FakeReddit(FakeServer):
    """Reddit for the length of a `with` block.

    `quota` requests in ten minutes are allowed; `remaining`, `used` and `reset` override what the rate-limit headers
    say, `rate_headers=False` leaves them out. Faults without `on` spare the token endpoint."""

    def __init__(
        self,
        client_id: str = "test-client",
        client_secret: str = "test-secret",
        now: Callable[[], float] = time.time,
        *,
        quota: int = 1000,
        username: str = "test-user",
        password: str = "test-password",
        port: int = 0,
    ) -> None:
        super().__init__(now, port)
        self.client_id = client_id
        self.client_secret = client_secret
        self.username = username
        self.password = password
        self.quota = quota
        self.remaining: float | None = None
        self.used: int | None = None
        self.reset = 300
        self.rate_headers = True
        self.refresh_token = "test-refresh"
        self.scopes = {"identity", "submit"}  # of the refresh token
        self.locked: set[str] = set()
        self.banned_from: set[str] = set()  # subreddits where the account may not write
        self.breather: str | None = None  # how long the account has to wait, in Reddit's words
        self._counted: deque[float] = deque()
        self._tokens: dict[str, float] = {}
        self._accounts_of: dict[str, str] = {}  # tokens that act for an account
        self._subreddits: dict[str, _Subreddit] = {}
        self._things: dict[str, Thing] = {}
        self._accounts: dict[str, Literal["open", "suspended"]] = {}
        self._numbers = itertools.count(36**5)

    # what tests do

    def add_subreddit(self, name: str, access: Literal["public", "private", "banned"] = "public") -> None:
        """Make a subreddit, or change who may see it."""
        with self._lock:
            known = self._subreddits.setdefault(
                name.lower(), _Subreddit(name, "t5_" + _base36(36**4 + len(self._subreddits)))
            )
            known.access = access

    def add_account(self, name: str, state: Literal["open", "suspended"] = "open") -> None:
        """Make an account (whoever posts has one), or suspend it."""
        with self._lock:
            self._accounts[name.lower()] = state

    def submit(
        self,
        sub: str,
        title: str,
        text: str = "",
        author: str = "somebody",
        at: datetime | None = None,
        score: int = 1,
        crosspost_of: str | None = None,
    ) -> str:
        """Add a self post, or a crosspost (and its subreddit, if new); its fullname."""
        with self._lock:
            if sub.lower() not in self._subreddits:
                self.add_subreddit(sub)
            fullname = "t3_" + _base36(next(self._numbers))
            when = self.now() if at is None else epoch(at)
            name = self._subreddits[sub.lower()].name
            self._accounts.setdefault(author.lower(), "open")
            self._things[fullname] = Thing(
                fullname, name, author, when, text, title=title, score=score, crosspost_of=crosspost_of
            )
            return fullname

    def comment(
        self,
        submission_fullname: str,
        parent_fullname: str | None = None,
        text: str = "",
        author: str = "somebody",
        at: datetime | None = None,
        score: int = 1,
    ) -> str:
        """Add a comment (under the submission itself when no parent is named); its fullname."""
        with self._lock:
            submission = self._things[submission_fullname]
            self._accounts.setdefault(author.lower(), "open")
            fullname = "t1_" + _base36(next(self._numbers))
            self._things[fullname] = Thing(
                fullname,
                submission.subreddit,
                author,
                self.now() if at is None else epoch(at),
                text,
                submission=submission_fullname,
                parent=parent_fullname or submission_fullname,
                score=score,
            )
            return fullname

    def submission_of(self, fullname: str) -> str:
        """The post that a thing is below, or is itself."""
        return self._things[fullname].submission or fullname

    def delete(self, fullname: str, by: Literal["author", "moderator", "nowhere"] = "author") -> None:
        """Take a thing out of listings. /api/info shows [deleted] (author) or [removed] (moderator), or nothing at
        all (nowhere)."""
        with self._lock:
            self._things[fullname].gone = by

    def edit(self, fullname: str, text: str, at: datetime | None = None) -> None:
        """Change the text; `edited` becomes the time of it."""
        with self._lock:
            self._things[fullname].text = text
            self._things[fullname].edited = self.now() if at is None else epoch(at)

    def expire_tokens(self) -> None:
        """Make every token given out so far invalid."""
        with self._lock:
            self._tokens.clear()

    # faults

    def _matches(self, on: On, request: Request) -> bool:
        if on is None:
            return request.path != TOKEN_PATH
        return super()._matches(on, request)

    def status_answer(self, code: int) -> Answer:
        if code >= 500:
            return Answer(code, HTML_PAGE, {"content-type": "text/html; charset=UTF-8"})
        message = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}.get(code, "Error")
        headers = {"www-authenticate": 'Bearer realm="reddit", error="invalid_token"'} if code == 401 else {}
        reason = {"reason": "BAD_REQUEST", "explanation": message} if code == 400 else {}
        return Answer(code, {"message": message, "error": code, **reason}, headers)

    def limited_answer(self, fault: RateLimited) -> Answer:
        headers = {"x-ratelimit-remaining": "0.0", "x-ratelimit-used": str(self.quota), "x-ratelimit-reset": "0"}
        if fault.reset is not None:
            headers["x-ratelimit-reset"] = str(max(0, int(fault.reset - self.now())))
        if fault.retry_after is not None:
            headers["retry-after"] = str(fault.retry_after)
        return Answer(429, {"message": "Too Many Requests", "error": 429}, headers if self.rate_headers else {})

    # requests

    def answer(self, request: Request) -> Answer:
        agent = request.headers.get("user-agent", "")
        if not agent or agent.startswith(("python-requests", "Python-urllib")):
            return Answer(429, {"message": "Too Many Requests", "error": 429})
        if request.path == TOKEN_PATH:
            return self._token(request)
        if (refusal := self._refused(request)) is not None:
            return refusal
        over = self._count()
        done = Answer(429, {"message": "Too Many Requests", "error": 429}) if over else self._dispatch(request)
        return Answer(done.status, done.body, {**self._rate_headers(), **done.headers})

    def _token(self, request: Request) -> Answer:
        pair = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        if request.method != "POST" or request.headers.get("authorization") != f"Basic {pair}":
            return Answer(401, {"message": "Unauthorized", "error": 401}, {"www-authenticate": 'Basic realm="reddit"'})
        form = request.body if isinstance(request.body, dict) else {}
        grant = form.get("grant_type")
        if grant == "password":
            if (form.get("username"), form.get("password")) != (self.username, self.password):
                return Answer(200, {"error": "invalid_grant"})
        elif grant == "refresh_token":
            if form.get("refresh_token") != self.refresh_token:
                return self.status_answer(400)
        elif grant != "client_credentials":
            return Answer(200, {"error": "unsupported_grant_type"})
        token = f"eyJ-test-{len(self._tokens)}-{next(self._numbers)}"
        self._tokens[token] = self.now() + TOKEN_LIFE
        scope = "*"
        if grant == "refresh_token":
            self._accounts_of[token], scope = self.username, " ".join(sorted(self.scopes))
        life = {"access_token": token, "token_type": "bearer", "expires_in": TOKEN_LIFE, "scope": scope}
        return Answer(200, life)

    def _refused(self, request: Request) -> Answer | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return Answer(403, HTML_PAGE, {"content-type": "text/html; charset=UTF-8"})
        if self._tokens.get(token, 0.0) <= self.now():
            return self.status_answer(401)
        return None

    def _count(self) -> bool:
        """Count a request; whether it is one too many."""
        now = self.now()
        while self._counted and self._counted[0] <= now - RATE_WINDOW:
            self._counted.popleft()
        self._counted.append(now)
        return len(self._counted) > self.quota

    def _rate_headers(self) -> dict[str, str]:
        if not self.rate_headers:
            return {}
        used = len(self._counted) if self.used is None else self.used
        remaining = max(0.0, float(self.quota - used)) if self.remaining is None else self.remaining
        return {
            "x-ratelimit-remaining": f"{remaining:.1f}",
            "x-ratelimit-used": str(used),
            "x-ratelimit-reset": str(self.reset),
        }

    def _dispatch(self, request: Request) -> Answer:
        path = request.path.removesuffix("/").removesuffix(".json")
        account = self._accounts_of.get(request.headers["authorization"].partition(" ")[2])
        needed = {"/api/comment": "submit", "/api/v1/me": "identity"}.get(path)
        if account is not None and needed not in self.scopes:
            stated = {"www-authenticate": 'Bearer realm="reddit", error="insufficient_scope"'}
            return Answer(403, {"message": "Forbidden", "error": 403}, stated)
        if request.method == "POST" and path == "/api/comment":
            return self._answered(account, request.body)
        if request.method == "GET" and path == "/api/v1/me":
            return Answer(200, {"name": account, "id": "me1"}) if account else self.status_answer(403)
        if request.method != "GET":
            return self.status_answer(404)
        if path == "/api/info":
            return self._info(request.query)
        if path == "/search":
            return self._search("all", request.query)
        if (user := re.fullmatch(r"/user/([^/]+)/comments", path)) is not None:
            return self._comments_of(user[1].lower(), request.query)
        found = re.fullmatch(r"/r/([^/]+)/(new|comments|search)", path)
        if found is None:
            return self.status_answer(404)
        names, kind = found.groups()
        if (refusal := self._closed(names)) is not None:
            return refusal
        if kind == "search":
            return self._search(names, request.query)
        things = [thing for thing in self._listed(names) if thing.is_comment == (kind == "comments")]
        return self._listing(things, request.query)

    def _answered(self, account: str | None, form: Any) -> Answer:
        """A comment by the account, or what is wrong with it: that comes with a 200 too."""
        to, text = self._things.get(form.get("thing_id", "")), form.get("text", "")
        if account is None:
            return _wrong("USER_REQUIRED", "Please log in to do that.", None)
        if to is None or to.subreddit in self.banned_from or self._accounts.get(account.lower()) == "suspended":
            return self.status_answer(403)
        if self.breather:
            sentence = f"Looks like you've been doing that a lot. Take a break for {self.breather} before trying again."
            return _wrong("RATELIMIT", sentence, "ratelimit")
        if not text.strip():
            return _wrong("NO_TEXT", "we need something here", "text")
        if len(text) > LONGEST_COMMENT:
            return _wrong("TOO_LONG", f"this is too long (max: {LONGEST_COMMENT})", "text")
        if to.gone is not None:
            name = "DELETED_COMMENT" if to.is_comment else "DELETED_LINK"
            return _wrong(name, "that comment has been deleted", "parent")
        if self.submission_of(to.fullname) in self.locked:
            return _wrong("THREAD_LOCKED", "Comments are locked.", "parent")
        made = self.comment(self.submission_of(to.fullname), to.fullname, text, account)
        return Answer(200, {"json": {"errors": [], "data": {"things": [self._shown(self._things[made])]}}})

    def _closed(self, names: str) -> Answer | None:
        """The refusal for a subreddit that does not exist or may not be seen."""
        if names.lower() == "all" or "+" in names:
            return None
        known = self._subreddits.get(names.lower())
        if known is None:
            return Answer(302, "", {"location": f"{self.base_url}/subreddits/search.json?q={quote(names)}"})
        if known.access == "private":
            return Answer(403, {"reason": "private", "message": "Forbidden", "error": 403})
        if known.access == "banned":
            return Answer(404, {"reason": "banned", "message": "Not Found", "error": 404})
        return None

    def _comments_of(self, name: str, query: dict[str, str]) -> Answer:
        if self._accounts.get(name) != "open":
            return self.status_answer(403 if name in self._accounts else 404)
        if query.get("sort", "new") != "new":
            raise NotImplementedError("only sort=new")
        theirs = [thing for thing in self._listed("all") if thing.is_comment and thing.author.lower() == name]
        return self._listing(theirs, query)

    def _listed(self, names: str) -> list[Thing]:
        """Everything listed in these subreddits, newest first."""
        wanted = set(names.lower().split("+"))
        there = [
            thing
            for thing in self._things.values()
            if thing.gone is None
            and thing.at <= self.now()
            and (wanted & {"all", thing.subreddit.lower()})
            and self._subreddits[thing.subreddit.lower()].access == "public"
        ]
        return sorted(there, key=lambda thing: (thing.at, int(thing.id, 36)), reverse=True)

    def _listing(self, things: list[Thing], query: dict[str, str]) -> Answer:
        things = things[:LISTING_MAX]
        asked = query.get("limit", "")
        limit = min(max(int(asked), 1), PAGE_MAX) if asked.isdigit() else PAGE_USUAL
        names = [thing.fullname for thing in things]
        after, before = query.get("after"), query.get("before")
        anchor = before or after  # before wins
        if anchor and anchor not in names:
            return Answer(200, _listing_body([], None, None))
        place = names.index(anchor) if anchor else 0
        if before:
            page = things[max(0, place - limit) : place]
        else:
            start = place + 1 if anchor else 0
            page = things[start : start + limit]
        more = bool(page) and not before and page[-1].fullname != names[-1]
        following = page[-1].fullname if more else None
        preceding = page[0].fullname if page and anchor and page[0].fullname != names[0] else None
        return Answer(200, _listing_body([self._shown(thing) for thing in page], following, preceding))

    def _search(self, names: str, query: dict[str, str]) -> Answer:
        if query.get("sort", "relevance") not in {"relevance", "hot", "top", "new", "comments"}:
            return self.status_answer(400)
        restricted = query.get("restrict_sr", "").lower() in {"true", "1", "on"}
        try:
            wanted = _Search(query.get("q", ""))
        except ValueError:
            return self.status_answer(400)
        since = self.now() - TIME_FILTERS.get(query.get("t", "all"), self.now())
        found = [
            thing
            for thing in self._listed(names if restricted else "all")
            if not thing.is_comment and thing.at >= since and wanted.matches(thing)
        ]
        if query.get("sort") != "new":
            found.sort(key=lambda thing: hashlib.sha256(thing.fullname.encode()).hexdigest())
        return self._listing(found, query)

    def _info(self, query: dict[str, str]) -> Answer:
        names = query.get("id", "").split(",")[:PAGE_MAX]
        there = [self._things[name] for name in names if name in self._things]
        seen = [thing for thing in there if self._subreddits[thing.subreddit.lower()].access == "public"]
        shown = [self._shown(thing) for thing in seen if thing.gone != "nowhere"]
        return Answer(200, _listing_body(shown, None, None))

    # what things look like

    def _shown(self, thing: Thing) -> dict[str, Any]:
        return self._comment(thing) if thing.is_comment else self._submission(thing)

    def _common(self, thing: Thing) -> dict[str, Any]:
        sub = self._subreddits[thing.subreddit.lower()]
        hidden = thing.gone is not None
        return {
            "id": thing.id,
            "name": thing.fullname,
            "author": "[deleted]" if hidden else thing.author,
            "author_fullname": None if hidden else "t2_" + hashlib.sha256(thing.author.encode()).hexdigest()[:8],
            "author_flair_text": None,
            "subreddit": sub.name,
            "subreddit_id": sub.fullname,
            "subreddit_name_prefixed": f"r/{sub.name}",
            "subreddit_type": "public",
            "created": thing.at,
            "created_utc": thing.at,
            "edited": thing.edited or False,
            "score": thing.score,
            "ups": thing.score,
            "downs": 0,
            "gilded": 0,
            "locked": False,
            "archived": False,
            "stickied": False,
            "distinguished": None,
            "likes": None,
            "saved": False,
            "score_hidden": False,
            "removal_reason": None,
            "banned_by": None,
            "approved_by": None,
            "num_reports": None,
            "mod_reports": [],
            "user_reports": [],
            "all_awardings": [],
        }

    def _link(self, thing: Thing) -> str:
        slug = re.sub(r"\W+", "_", thing.title.lower(), flags=re.ASCII).strip("_")[:50] or "post"
        return f"/r/{thing.subreddit}/comments/{thing.id}/{slug}/"

    def _submission(self, thing: Thing) -> dict[str, Any]:
        link = self._link(thing)
        text = {"author": "[deleted]", "moderator": "[removed]"}.get(thing.gone or "", thing.text)
        category = {"author": "deleted", "moderator": "moderator"}.get(thing.gone or "")
        replies = sum(other.submission == thing.fullname for other in self._things.values())
        data = self._common(thing) | {
            "title": thing.title,
            "selftext": text,
            "selftext_html": None,
            "permalink": link,
            "url": f"https://www.reddit.com{link}",
            "domain": f"self.{thing.subreddit}",
            "num_comments": replies,
            "upvote_ratio": 1.0,
            "is_self": True,
            "is_video": False,
            "is_original_content": False,
            "over_18": False,
            "spoiler": False,
            "hidden": False,
            "link_flair_text": None,
            "media": None,
            "media_metadata": None,
            "thumbnail": "self",
            "num_crossposts": 0,
            "view_count": None,
            "removed_by": None,
            "removed_by_category": category,
            "suggested_sort": None,
        }
        if thing.crosspost_of:
            original = self._submission(self._things[thing.crosspost_of])["data"]
            data |= {"crosspost_parent": thing.crosspost_of, "crosspost_parent_list": [original], "is_self": False}
        return {"kind": "t3", "data": data}

    def _comment(self, thing: Thing) -> dict[str, Any]:
        submission = self._things[thing.submission]
        link = self._link(submission)
        text = {"author": "[deleted]", "moderator": "[removed]"}.get(thing.gone or "", thing.text)
        data = self._common(thing) | {
            "body": text,
            "body_html": f'<div class="md"><p>{text.replace("&", "&amp;").replace("<", "&lt;")}</p></div>',
            "permalink": f"{link}{thing.id}/",
            "link_id": thing.submission,
            "link_title": submission.title,
            "link_author": "[deleted]" if submission.gone else submission.author,
            "link_permalink": f"https://www.reddit.com{link}",
            "link_url": f"https://www.reddit.com{link}",
            "parent_id": thing.parent,
            "num_comments": sum(o.submission == thing.submission for o in self._things.values()),
            "over_18": False,
            "is_submitter": thing.author == submission.author,
            "controversiality": 0,
            "collapsed": False,
            "replies": "",
            "depth": 0 if thing.parent == thing.submission else 1,
        }
        return {"kind": "t1", "data": data}


class _Search:
    """Words that must all be there, "phrases", OR between alternatives, parentheses, and NOT or - before a term."""

    def __init__(self, query: str) -> None:
        self._tokens: list[str] = re.findall(r'-?"[^"]*"|[()]|-?[^\s()"]+|"', query)
        if '"' in self._tokens:
            raise ValueError("an open quotation mark")
        self._next = 0
        self._any = self._either()
        if self._next < len(self._tokens):
            raise ValueError("an unmatched parenthesis")

    def matches(self, thing: Thing) -> bool:
        return bool(self._tokens) and self._any(thing)

    def _either(self) -> Callable[[Thing], bool]:
        parts = [self._every()]
        while self._next < len(self._tokens) and self._tokens[self._next] == "OR":
            self._next += 1
            parts.append(self._every())
        return lambda thing: any(part(thing) for part in parts)

    def _every(self) -> Callable[[Thing], bool]:
        parts: list[Callable[[Thing], bool]] = []
        while self._next < len(self._tokens) and self._tokens[self._next] not in {")", "OR"}:
            parts.append(self._one())
        return lambda thing: all(part(thing) for part in parts)

    def _one(self) -> Callable[[Thing], bool]:
        token = self._tokens[self._next]
        self._next += 1
        if token == "AND":
            return lambda thing: True
        if token == "NOT":
            if self._next >= len(self._tokens):
                raise ValueError("NOT without a term")
            wrong = self._one()
            return lambda thing: not wrong(thing)
        if token == "(":
            group = self._either()
            if self._next >= len(self._tokens):
                raise ValueError("an unmatched parenthesis")
            self._next += 1
            return group
        return _term(token)


def _term(token: str) -> Callable[[Thing], bool]:
    negated, token = token.startswith("-"), token.removeprefix("-")
    name, colon, value = token.partition(":")
    if colon and name in {"title", "selftext", "author", "subreddit"}:
        texts: dict[str, Callable[[Thing], str]] = {
            "title": lambda thing: thing.title,
            "selftext": lambda thing: thing.text,
            "author": lambda thing: thing.author,
            "subreddit": lambda thing: thing.subreddit,
        }
        where, words = texts[name], _words(value)
    else:
        where, words = (lambda thing: f"{thing.title}\n{thing.text}"), _words(token)

    def holds(thing: Thing) -> bool:
        there = _words(where(thing))
        return any(there[at : at + len(words)] == words for at in range(len(there) - len(words) + 1)) != negated

    return holds


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _wrong(name: str, sentence: str, field: str | None) -> Answer:
    return Answer(200, {"json": {"errors": [[name, sentence, field]]}})


def _listing_body(children: list[dict[str, Any]], after: str | None, before: str | None) -> dict[str, Any]:
    data = {
        "after": after,
        "before": before,
        "dist": len(children),
        "modhash": None,
        "geo_filter": "",
        "children": children,
    }
    return {"kind": "Listing", "data": data}


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits or "0"


# --- the contract suite -------------------------------------------------------------------------------------------

SUBREDDIT = "PortAlder"
HOSPITAL = "StBrigidCares"


class RedditPlace(Place):
    """A subreddit of the town. Everyone posts with the same title: only the text of a post can be changed."""

    server: FakeReddit

    def post(self, text: str, at: datetime, author: str = "ann", answers: str | None = None) -> str:
        if answers is None:
            return self.server.submit(SUBREDDIT, "Anyone else?", text, author, at)
        return self.server.comment(self.server.submission_of(answers), answers, text, author, at)

    def edit(self, ref: str, text: str, at: datetime) -> None:
        self.server.edit(ref, text, at)

    def delete(self, ref: str) -> None:
        self.server.delete(ref)

    def answer(self, ref: str, text: str, at: datetime) -> str:
        return self.post(text, at, HOSPITAL, ref)

    def may_answer(self) -> dict[str, str]:
        """The secrets that answering needs."""
        return {**self.secrets, "REDDIT_REFRESH_TOKEN": self.server.refresh_token}

    def lose(self) -> None:
        now = datetime.fromtimestamp(self.server.now(), UTC)
        for second in range(LISTING_MAX + 100):
            self.post("Traffic on Harbor Street", now - timedelta(seconds=second))


@contextmanager
def place(clock: Callable[[], float], folder: Path) -> Iterator[RedditPlace]:
    """Reddit with one subreddit and the hospital's account."""
    with FakeReddit(now=clock, username=HOSPITAL) as server:
        server.add_subreddit(SUBREDDIT)
        server.add_account(HOSPITAL)
        settings = {"approved": True, "subreddits": (SUBREDDIT,), "base_url": server.base_url}
        secrets = {"REDDIT_CLIENT_ID": server.client_id, "REDDIT_CLIENT_SECRET": server.client_secret}
        cannot = {
            "ten_thousand_posts": "a listing of Reddit's ends after 1,000 items: more at once are told as a gap; "
            "tests/listener/collectors/test_reddit.py hears ten thousand in passes"
        }
        yield RedditPlace(server, settings, secrets, cannot=cannot)
