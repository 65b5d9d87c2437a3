"""Mastodon: mentions of us, watched tags and accounts, and a search, as one instance knows them, through Mastodon.py.

Each is read from the newest down to what was heard before; the cursor says how far down a broken pass came. Ids tell when
the instance took a post in, but one that it fetched afterwards, because someone boosted or answered it, gets an id of the
time it was written: to ask only for what is newer than the newest known would never hear it. So each pass reads the last
hour again, and one pass an hour the last three days; both also bring what was edited.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html import unescape
from io import BytesIO
from typing import Annotated, Any
from urllib.parse import urlsplit

import requests
from pydantic import ConfigDict, StrictBool, StringConstraints, model_validator

from config.schema import CollectorSettings, Duration, Text
from listener import web
from listener.collect import sending
from listener.errors import AskedToWait, NeedsPerson, SkipPost, TryLater
from listener.post import Answerable, Asking, Page, Post, Ref, Replied, names_account, read_post, same_words

SECRETS: tuple[str, ...] = ()
OPTIONAL_SECRETS = ("MASTODON_ACCESS_TOKEN",)  # for mentions and search, and where an instance shows nothing without
REPLY_SECRETS = OPTIONAL_SECRETS  # of the hospital's account, with the scopes read and write:statuses

_TIMEOUT = 15.0  # seconds for a whole answer; the library's own is 300
_LARGEST = 20_000_000  # bytes of an answer: some instances allow very long posts
_PAGE = 40  # the most that timelines and searches give
_BATCH = 20  # a lookup of more is refused
_RESERVED = 100  # requests that looking for deletions leaves to listening, of the 300 in five minutes
_LONGEST_WAIT = timedelta(minutes=30)  # no limit of Mastodon's lasts longer; a clock may be wrong
_FIRST_REACH = timedelta(days=7)
_OVERLAP, _SWEEP, _SWEEP_EVERY = timedelta(hours=1), timedelta(days=3), timedelta(hours=1)
_TO_US = ["mention", "quote"]  # types of notifications: someone speaks to us, or shows a post of ours
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)  # ids of posts count milliseconds from here, shifted by 16 bits
_FIRST_SNOWFLAKE = 10**12 << 16  # smaller ids just count up: those of notifications, and of other programs
_ODD = (AttributeError, LookupError, TypeError, ValueError, OverflowError)  # what reading odd JSON raises
_NEW_LINES = dict.fromkeys(("p", "blockquote", "pre", "ul", "ol"), "\n\n") | {"br": "\n", "li": "\n- "}

Instance = Annotated[str, StringConstraints(pattern=r"^https://[\w.-]+(:[0-9]+)?/?$")]
Domain = Annotated[str, StringConstraints(pattern=r"^[\w.-]+$")]
Tag = Annotated[str, StringConstraints(pattern=r"^[\w·]{1,100}$")]
Handle = Annotated[str, StringConstraints(pattern=r"^[\w.-]+(@[\w.-]+)?$")]


class Settings(CollectorSettings):
    """Mastodon, through one instance (server): it knows what its people follow, not all of Mastodon."""

    # What _listens_to_something() asks for.
    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"on": {"const": True}}, "required": ["on"]},
            "then": {
                "anyOf": [
                    {"properties": {"tags": {"minItems": 1}}, "required": ["tags"]},
                    {"properties": {"accounts": {"minItems": 1}}, "required": ["accounts"]},
                    {"properties": {"search": {"minItems": 1}}, "required": ["search"]},
                    {"properties": {"mentions": {"const": True}}, "required": ["mentions"]},
                ],
            },
        }
    )

    instance: Instance
    """The server that is asked, such as "https://mastodon.social"."""
    domain: Domain | None = None
    """What follows the "@" in the handles of its own people, if it is not that address."""
    tags: tuple[Tag, ...] = ()
    """Every public post with one of these tags, without "#", such as "PortAlder"."""
    accounts: tuple[Handle, ...] = ()
    """Every public post of these accounts: "news@host", or "news" for one of the instance."""
    search: tuple[Text, ...] = ()
    """What to search for; needs MASTODON_ACCESS_TOKEN, and an instance with full-text search."""
    mentions: StrictBool = False
    """true: posts to the account of the token, which has to be the hospital's own."""
    every: Duration = timedelta(minutes=2)
    quiet_after: Duration = timedelta(days=7)

    @model_validator(mode="after")
    def _listens_to_something(self) -> "Settings":
        if self.on and not (self.tags or self.accounts or self.search or self.mentions):
            raise ValueError('something to listen to, in "tags", "accounts", "search" or "mentions"')
        return self


def fetch(settings: Settings, cursor: Mapping[str, Any], asking: Asking) -> Iterator[Page]:
    """New posts of each filter. Cursor: {"instance": host, "places": {filter: {"until", "swept", "floor", "next"}}}.

    A filter that is refused is told at the end: the others are read first.
    """
    with closing(_Site(settings, asking)) as site:
        filters = [_mentions(site)] if settings.mentions else []
        filters += [_tag(site, tag) for tag in settings.tags]
        filters += [_account(site, handle) for handle in settings.accounts]
        filters += [_search(site, text) for text in settings.search]
        yield from _listen(site, filters, cursor)


def own_replies(settings: Settings, cursor: Mapping[str, Any], asking: Asking) -> Iterator[Page]:
    """What the hospital's own account answered. Cursor as in fetch."""
    if own := asking.hospital.accounts.mastodon:
        with closing(_Site(settings, asking)) as site:
            yield from _listen(site, [_account(site, own)], cursor, own=True)


def lookup(settings: Settings, refs: Sequence[str], asking: Asking) -> Page:
    """The posts as they are now, and those that are gone. Refs of another instance are left alone: this one knows none.

    A batch also leaves out some that are there, as those of an account that moderators limited, and there are none
    before Mastodon 4.3: only a post that is not found by itself is gone.
    """
    with closing(_Site(settings, asking)) as site:
        ids = [ref.partition("@")[0] for ref in refs if ref.endswith(f"@{site.host}")]
        there: dict[str, _Item] = {}
        try:
            for start in range(0, len(ids), _BATCH):
                site.spare(1)
                batch = site.ask("posts", site.client.statuses, ids[start : start + _BATCH])
                there |= {str(item.id): item for item in _items(site, batch)[0]}
        except _NotThere:
            pass
        missing = [id_ for id_ in ids if id_ not in there]
        site.spare(len(missing))
        gone = []
        for id_ in missing:
            try:
                there[id_] = _items(site, [site.ask("posts", site.client.status, id_)])[0][0]
            except _NotThere:
                if not site.says_gone():
                    raise TryLater(f"mastodon: {site.host} answers 404, but not as Mastodon does") from None
                gone.append(Ref("mastodon", _ref(site, id_)))
        posts, skipped = _posts(site, list(there.values()))
        return Page(posts, {}, skipped=skipped, deleted=tuple(gone))


def preview(post: Answerable, text: str) -> str:
    """The text with the author's handle: who is not named in a post is not told of it."""
    return text if not post.author or names_account(text, post.author) else f"@{post.author} {text}"


def reply(settings: Settings, post: Answerable, text: str, asking: Asking) -> Replied:
    """Answer a post in public as the account of the token, which has to be the hospital's."""
    with closing(_Site(settings, asking)) as site:
        answered, said = _own_id(site, post.ref), preview(post, text)
        _own_account(site)
        # The instance posts nothing a second time for the same key within an hour, whoever sends it.
        key = sha256(f"{post.ref}\n{said}".encode(errors="replace")).hexdigest()
        options = {"in_reply_to_id": answered, "visibility": "public", "idempotency_key": key}
        with sending("mastodon"):
            try:
                made = site.ask("the reply", site.client.status_post, said, **options)
            except AskedToWait:
                raise
            except (TryLater, NeedsPerson) as error:
                raise (_refused_reply(site) or error) from None
            return Replied(_ref(site, _item(made).id), made["url"])


def find_reply(settings: Settings, post: Answerable, text: str, asking: Asking) -> Replied | None:
    """The reply among the account's newest 40 posts."""
    with closing(_Site(settings, asking)) as site:
        answered = _own_id(site, post.ref)
        own = _own_account(site)
        listed = site.ask("own posts", site.client.account_statuses, own, exclude_reblogs=True, limit=_PAGE)
        for item in _items(site, listed)[0]:
            if item.status["in_reply_to_id"] == answered and same_words(text, _text(site, item.status)):
                return Replied(_ref(site, item.id), item.status["url"])
    return None


# ---------------------------------------------------------------- an answer


def _own_id(site: "_Site", ref: str) -> str:
    """What our instance calls the post. Raises NeedsPerson for one of another instance."""
    id_, _, host = ref.partition("@")
    if host != site.host:
        raise NeedsPerson(
            f"mastodon: the post was heard through {host}, not through {site.host}; open it and answer by hand"
        )
    return id_


def _own_account(site: "_Site") -> int:
    """The id of the token's account. Raises TryLater; NeedsPerson if it is not the hospital's."""
    known = site.ask("its own account", site.client.account_verify_credentials)
    handle = _handle(site, known["acct"])
    if handle.casefold() != site.own.casefold():
        raise NeedsPerson(
            f"mastodon: MASTODON_ACCESS_TOKEN is of @{handle[:60]}, but the hospital's account is @{site.own}; make it "
            "while signed in as that, or correct hospital.toml"
        )
    return _item(known).id


def _refused_reply(site: "_Site") -> NeedsPerson | None:
    """Why the instance did not post the reply; None if it did not say that."""
    answer = site.session.answer
    if answer.status in (404, 410):
        return NeedsPerson("mastodon: the post was deleted; there is nobody to answer")
    if answer.status == 403:
        return NeedsPerson(
            "mastodon: MASTODON_ACCESS_TOKEN may not post, or the account is limited; make a new one with the scopes "
            "read and write:statuses"
        )
    if answer.status == 422 and b"haracter limit" in answer.body:
        return NeedsPerson(
            f"mastodon: the reply is longer than {site.host} takes (mostly 500 characters, with the handle); shorten it"
        )
    if 400 <= answer.status < 500 and answer.status not in (401, 408):
        return NeedsPerson(
            f"mastodon: {site.host} refuses the reply as it is ({answer.status}); change its words, or answer by hand"
        )
    return None


# ---------------------------------------------------------------- filters


@dataclass(frozen=True)
class _Filter:
    """One thing to listen to. `ask` gives a page, newest first, from where the one before ended."""

    name: str
    ask: Callable[[str | None], Any]
    by_offset: bool = False  # pages are counted; else each ends with an id
    must_match: bool = True  # that it never matches may mean that it is written wrong


def _mentions(site: "_Site") -> _Filter:
    def ask(end: str | None) -> Any:
        site.log_in("mentions")
        return site.ask("mentions", site.client.notifications, types=list(_TO_US), max_id=end, limit=_PAGE)

    return _Filter("mentions", ask, must_match=False)


def _tag(site: "_Site", tag: str) -> _Filter:
    name = f"#{tag}"

    def ask(end: str | None) -> Any:
        # Where timelines of tags are switched off, they are empty.
        if end is None and not site.client.timeline_is_available("hashtag", with_auth=site.token is not None):
            raise NeedsPerson(f"mastodon: {site.closed(repr(name))}")
        return site.ask(name, site.client.timeline_hashtag, tag, max_id=end, limit=_PAGE)

    return _Filter(name, ask)


def _account(site: "_Site", handle: str) -> _Filter:
    name, ids = f"@{handle}", list[int]()

    def ask(end: str | None) -> Any:
        if not ids:  # in every pass: an account that the instance forgot and met again has another id
            ids.extend(item.id for item in _items(site, [site.ask(name, site.client.account_lookup, handle)])[0])
        return site.ask(name, site.client.account_statuses, ids[0], exclude_reblogs=True, max_id=end, limit=_PAGE)

    return _Filter(name, ask)


def _search(site: "_Site", text: str) -> _Filter:
    name = f"search:{text}"

    def ask(end: str | None) -> Any:
        site.log_in(name)
        # By offset: its max_id becomes a time in whole seconds, and would lose what was written within the same one.
        options = {"resolve": False, "result_type": "statuses", "exclude_unreviewed": False, "limit": _PAGE}
        found = site.ask(name, site.client.search_v2, text, offset=end, **options)
        return found.get("statuses") if isinstance(found, dict) else None

    return _Filter(name, ask, by_offset=True)


# ---------------------------------------------------------------- reading them down to what was heard


@dataclass(frozen=True)
class _Item:
    """A post, or a notification of one; `at` is when the instance took it in."""

    id: int
    at: datetime
    status: Any


def _listen(site: "_Site", filters: Sequence[_Filter], cursor: Mapping[str, Any], own: bool = False) -> Iterator[Page]:
    known = cursor["places"] if cursor.get("instance") == site.host else {}
    places = {one.name: known.get(one.name, {}) for one in filters}
    troubles: list[TryLater | NeedsPerson] = []
    for one in filters:
        try:
            for items, skipped, place in _walk(site, one, places[one.name]):
                places[one.name] = place
                posts, wrong = _posts(site, items, own)
                matched = {one.name: len(posts)} if one.must_match and not own else {}
                now_known = {"instance": site.host, "places": dict(places)}
                yield Page(posts, now_known, skipped=skipped + wrong, matched=matched)
        except (AskedToWait, _Down):
            raise
        except (TryLater, NeedsPerson) as error:
            troubles.append(error)
    if troubles:
        kind = NeedsPerson if any(isinstance(error, NeedsPerson) for error in troubles) else TryLater
        raise kind("; ".join(dict.fromkeys(map(str, troubles))))


def _walk(
    site: "_Site", one: _Filter, place: Mapping[str, Any]
) -> Iterator[tuple[list[_Item], tuple[SkipPost, ...], dict[str, Any]]]:
    """What is new, page by page from the newest down, each with the place that is right once it is kept."""
    resumed = "next" in place
    place = dict(place) if resumed else _begun(place, site.now)
    floor, until = datetime.fromisoformat(place["floor"]), datetime.fromisoformat(place["until"])
    lowest, more = 2**64, True
    while more:
        end = place.get("next")
        items, skipped = _items(site, one.ask(end))
        new = [item for item in items if item.at >= floor]
        until = max([until, *(item.at for item in items)])
        more = bool(items) and len(new) == len(items)
        place = {"until": until.isoformat(), "swept": place["swept"], **({"floor": place["floor"]} if more else {})}
        if more:
            lowest, before = min(item.id for item in items), lowest
            if lowest >= before:
                raise TryLater(f"mastodon: the pages of {one.name!r} at {site.host} do not end")
            place["next"] = str(int(end or 0) + _PAGE if one.by_offset else lowest)
        yield new, skipped, place
    if resumed:  # what came in the meantime
        yield from _walk(site, one, place)


def _begun(place: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The place at the top, with the time down to which to read."""
    until = datetime.fromisoformat(place["until"]) if place else now - _FIRST_REACH + _SWEEP
    swept = datetime.fromisoformat(place["swept"]) if place else until
    sweep = not now - _SWEEP_EVERY < swept <= now
    until = min(until, now)  # what was heard in the future says nothing: some clock is or was wrong
    floor = until - (_SWEEP if sweep else _OVERLAP)
    return {"until": until.isoformat(), "floor": floor.isoformat(), "swept": (now if sweep else swept).isoformat()}


def _items(site: "_Site", answers: Any) -> tuple[list[_Item], tuple[SkipPost, ...]]:
    """What has an id. Anything else is skipped; a page of nothing else is no page."""
    items, skipped = [], []
    for answer in answers if isinstance(answers, list) else [None]:
        try:
            items.append(_item(answer))
        except _ODD as error:
            skipped.append(SkipPost("mastodon:?", f"unknown shape ({type(error).__name__})"))
    if skipped and not items:
        raise site.odd()
    return items, tuple(skipped)


def _item(answer: Any) -> _Item:
    id_ = str(answer["id"])
    if not re.fullmatch("[0-9]+", id_):
        raise ValueError("no id of Mastodon's")
    taken_in = _EPOCH + timedelta(milliseconds=int(id_) >> 16)
    at = datetime.fromisoformat(answer["created_at"]) if int(id_) < _FIRST_SNOWFLAKE else taken_in
    kind = answer.get("type")
    return _Item(int(id_), at.astimezone(UTC), answer if kind is None else answer["status"] if kind in _TO_US else None)


# ---------------------------------------------------------------- one request


class _Down(TryLater):
    """No answer: the next filter would get none either."""


class _NotThere(NeedsPerson):
    """404 or 410."""


class _Session(requests.Session):
    """Takes the library's requests through web.get, and keeps the answers.

    The library itself learns of an answer only that it came. To make its objects of one takes it 2 ms a post, and does
    harm: a map in place of a list becomes the list of its keys, so that {} is an empty page; a date that is none becomes
    nothing; a rate limit becomes an error without its end.
    """

    answer = web.Answer(0, {}, b"", "")
    remaining = 10 * _RESERVED  # requests, until an answer says how many

    def __init__(self, gateway: str | None, instance: str) -> None:
        super().__init__()
        self._out = web.guarded(gateway, instance)
        self._out.auth = lambda request: request  # else a .netrc would replace the token

    def request(self, *args: Any, **options: Any) -> requests.Response:
        """As requests.Session.request. Raises TryLater, NeedsPerson."""
        (method, url), headers = args, options["headers"]
        if method == "GET":
            self.answer = web.get("mastodon", url, options["params"], headers, _TIMEOUT, _LARGEST, self._out)
        else:
            self.answer = web.write("mastodon", self._out, method, url, headers, _TIMEOUT, data=options["data"])
        if re.fullmatch("[0-9]{1,9}", stated := self.answer.headers.get("x-ratelimit-remaining", "")):
            self.remaining = int(stated)
        response = requests.Response()
        response.status_code = self.answer.status
        # Which timelines an instance shows is for the library to know.
        response.raw = BytesIO(self.answer.body if url.endswith("/instance/") else b"{}")
        return response

    def close(self) -> None:
        """As requests.Session.close."""
        self._out.close()
        super().close()


class _Site:
    """The instance, asked by Mastodon.py."""

    def __init__(self, settings: Settings, asking: Asking) -> None:
        from mastodon import Mastodon

        self.host = urlsplit(settings.instance).netloc.lower()
        self.domain = settings.domain or self.host
        self.own, self.now = asking.hospital.accounts.mastodon, asking.now
        self.token = asking.secrets.get("MASTODON_ACCESS_TOKEN", "").strip() or None
        self.session = _Session(settings.base_url, settings.instance)
        self.client = Mastodon(
            api_base_url=settings.base_url or settings.instance,
            access_token=self.token,
            mastodon_version="4.5.0",
            version_check_mode="created",  # with "none" it believes in version 1.0, and refuses to page a search
            ratelimit_method="throw",
            session=self.session,
            user_agent="call-light (hospital patient service)",
        )

    def close(self) -> None:
        """Close the connections."""
        self.session.close()

    def ask(self, what: str, request: Callable[..., Any], *values: Any, **options: Any) -> Any:
        """What one request of the library brings, as plain JSON. Raises TryLater, NeedsPerson."""
        from mastodon import MastodonError, MastodonNetworkError

        # The library may refuse to ask, and the last answer is another's.
        self.session.answer = web.Answer(0, {}, b"", "")
        try:
            request(*values, **options)
        except MastodonNetworkError as error:  # its own sentence may hold the token
            why = error.__context__
            if isinstance(why, NeedsPerson):  # a huge answer
                raise why from None
            sentence = str(why) if isinstance(why, TryLater) else f"mastodon: no answer ({type(why).__name__})"
            raise _Down(sentence) from None
        except MastodonError:
            pass  # the status says what
        if not 200 <= self.session.answer.status < 300:
            raise self._remedy(what)
        return self.session.answer.json("mastodon")

    def spare(self, count: int) -> None:
        """Raises AskedToWait if so many requests would leave too few to listening, which a used-up limit stops."""
        if count and self.session.remaining < count + _RESERVED:
            raise AskedToWait(f"mastodon: the requests that {self.host} still allows are left to listening")

    def log_in(self, what: str) -> None:
        """Raises NeedsPerson without a token."""
        if self.token is None:
            raise NeedsPerson(
                f"mastodon: set MASTODON_ACCESS_TOKEN in the environment or in .env, or take {what!r} out of listening.toml"
            )

    def says_gone(self) -> bool:
        """Whether Mastodon itself said that it has no such post, and not a gateway that it has no such page."""
        return self.session.answer.status == 410 or b'"Record not found"' in self.session.answer.body

    def closed(self, what: str) -> str:
        """The sentence for what the instance does not show to us."""
        if self.token:
            return f"{self.host} does not show {what}; MASTODON_ACCESS_TOKEN needs the scope read, or nobody may see it"
        return (
            f"{self.host} shows {what} only to those who are logged in, if at all; "
            "set MASTODON_ACCESS_TOKEN, or choose another instance in listening.toml"
        )

    def odd(self) -> TryLater:
        """An answer that is none of Mastodon's."""
        return TryLater(f"mastodon: the answer of {self.host} has an unknown shape; is it a Mastodon server?")

    def _remedy(self, what: str) -> TryLater | NeedsPerson:
        """The error of the last answer."""
        answer, what = self.session.answer, f"{what!r} ({self.session.answer.status})"
        if answer.status == 429:
            return AskedToWait(f"mastodon: {self.host} asks to wait (429)", self._until(answer))
        if answer.status in (404, 410):
            return _NotThere(f"mastodon: {self.host} knows no {what}; is it written as on the site?")
        people = dict.fromkeys((401, 403, 422), self.closed(what))
        if self.token:
            people[401] = f"{self.host} does not accept MASTODON_ACCESS_TOKEN; make a new one there"
            people[422] = f"{self.host} refused {what}; correct it in listening.toml"
        return web.remedy("mastodon", answer, self.now, people)

    def _until(self, answer: web.Answer) -> datetime | None:
        try:
            at: datetime | None = datetime.fromisoformat(answer.headers.get("x-ratelimit-reset", ""))
        except ValueError:
            at = web.retry_at(answer.headers, self.now)
        return min(max(at, self.now), self.now + _LONGEST_WAIT) if at and at.tzinfo else None


# ---------------------------------------------------------------- Mastodon's statuses as posts


def _posts(site: _Site, items: Sequence[_Item], own: bool = False) -> tuple[tuple[Post, ...], tuple[SkipPost, ...]]:
    """What is public, and the malformed ones."""
    statuses = [item.status for item in items if item.status is not None]
    above = {str(one.get("id")): one.get("in_reply_to_id") for one in statuses if isinstance(one, dict)}
    posts, skipped = [], []
    for status in statuses:
        where = f"mastodon:{str(status.get('id') if isinstance(status, dict) else '?')[:30]}"
        try:
            if post := _post(site, where, status, above, own):
                posts.append(post)
        except SkipPost as skip:
            skipped.append(skip)
        except _ODD as error:
            skipped.append(SkipPost(where, f"unknown shape ({type(error).__name__})"))
    return tuple(posts), tuple(skipped)


def _post(site: _Site, where: str, status: Mapping[str, Any], above: Mapping[str, Any], own: bool) -> Post | None:
    """A post; None for a boost, for what is not public, and for our own that answers nobody."""
    account, answers, quote = status["account"], status.get("in_reply_to_id"), status.get("quote") or {}
    if status.get("reblog") or status["visibility"] not in ("public", "unlisted") or (own and not answers):
        return None
    quoted = quote.get("quoted_status_id") or (quote.get("quoted_status") or {}).get("id")
    followers = account.get("followers_count")
    return read_post(
        where,
        source="mastodon",
        ref=_ref(site, status["id"]),
        text=_text(site, status),
        written_at=status["created_at"],
        edited_at=status.get("edited_at"),
        url=status.get("url") or status.get("uri"),
        author=_handle(site, account["acct"]),
        author_name=account.get("display_name") or None,
        thread=_ref(site, _root(str(status["id"]), above)),
        answers=_ref(site, answers) if answers else None,
        quotes=_ref(site, quoted) if quoted else None,
        reach=followers if isinstance(followers, int) and 0 <= followers < 2**31 else None,  # -1: not told
        own=own,
    )


def _ref(site: _Site, id_: Any) -> str:
    """An id means something else on another instance."""
    return f"{id_}@{site.host}"


def _handle(site: _Site, acct: str) -> str:
    """The whole handle: an instance leaves its own name out."""
    return acct if "@" in acct else f"{acct}@{site.domain}"


def _root(id_: str, above: Mapping[str, Any]) -> str:
    """The beginning of the conversation, as far as this page shows: a post names only the one that it answers."""
    seen = {id_}
    while (up := above.get(id_)) and str(up) not in seen:
        id_ = str(up)
        seen.add(id_)
    return id_


def _text(site: _Site, status: Mapping[str, Any]) -> str:
    """All that there is to read: the warning above it, the words, what a poll offers, what pictures show."""
    accounts = {mention["url"]: _handle(site, mention["acct"]) for mention in status.get("mentions") or ()}
    words, own = _plain(status["content"], accounts), site.own.casefold()
    if own in map(str.casefold, accounts.values()) and own not in words.casefold():
        words = f"@{site.own} {words}"  # some programs say whom a post is to without showing it
    options = [f"- {option['title']}" for option in (status.get("poll") or {}).get("options") or ()]
    pictures = [media.get("description") for media in status.get("media_attachments") or ()]
    return "\n\n".join(filter(None, [status.get("spoiler_text"), words, "\n".join(options), *pictures]))


def _plain(html: str, accounts: Mapping[str, str]) -> str:
    """The words of a post. Links are whole, and who is mentioned has the whole handle: a page hides half of both."""
    out, hidden = [], False
    for number, piece in enumerate(re.split("(<[^<>]*>)", html)):
        name = piece[1:-1].strip("/").split(" ")[0].lower() if number % 2 else None
        if name is None:
            out.append("" if hidden else unescape(piece))
        elif name == "a":
            href = re.search('href="([^"]*)"', piece)
            handle = accounts.get(unescape(href[1])) if href else None
            hidden = handle is not None
            out.append(f"@{handle}" if handle else "")
        elif piece != "</li>":
            out.append(_NEW_LINES.get(name, ""))
    return re.sub(r"\n{3,}", "\n\n", "".join(out)).strip()
