"""Bluesky: its search, through atproto, after a login with an app password (without one it refuses to search).

Logins are limited to 300 a day: one serves for as long as the process lives, and after a refusal there is a rest.
A search lists the newest first, by the earlier of the time that a post states and the time that it was first seen. Its
page cursors count posts, so one that is deleted meanwhile shifts the rest, and they end after some 10,000. Therefore the
place kept between two passes is a moment: it moves only when the oldest page is kept, a pass that was cut off goes on
from the moment that it came to, and as posts come late to the index, the next pass looks a little behind it.

Any account may search, and best one of its own; only the hospital's may answer. So answering has a password of its own.
"""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from config.schema import CollectorSettings, Duration, Hospital, SafeUrl, Text, Url
from listener import web
from listener.collect import sending
from listener.errors import AskedToWait, NeedsPerson, SkipPost, TryLater
from listener.post import Answerable, Asking, Page, Post, Ref, Replied, Unheard, read_post, same_words

if TYPE_CHECKING:
    import httpx
    from atproto import Client

SECRETS = ("BLUESKY_HANDLE", "BLUESKY_APP_PASSWORD")
REPLY_SECRETS = ("BLUESKY_REPLY_PASSWORD",)  # an app password of the account in hospital.toml
PUBLIC = "https://public.api.bsky.app"  # answers everything but searches without a login

_TIMEOUT = 15.0  # seconds for a whole answer
_PAGE = 100
_LOOKUP = 25  # posts in one lookup
_FIRST_REACH = timedelta(days=7)  # how far back the first pass reads
_OVERLAP = timedelta(minutes=30)  # how late a post may come to the index
_TICK = timedelta(seconds=1)
_MOST_PAGES = 500  # of one search in one pass
_DEEP = 9000  # posts: a list as long as that was cut off
_REST = timedelta(minutes=10)  # after a refusal, before the next login
_LONGEST_WAIT = timedelta(days=1)  # Bluesky counts logins by the day
_LARGEST = 5_000_000  # bytes of an answer
_NAMES = "the names in hospital.toml"
_COLLECTION = "app.bsky.feed.post"
_POST = re.compile(r"at://(did:[a-z0-9]+:[^/\s]+)/app\.bsky\.feed\.post/([^/\s]+)")
_LONGEST = 200  # letters of a handle or of a post's name
_NOBODY = "handle.invalid"  # in place of a handle that does not lead back to its account
_IMPOSSIBLE = datetime(2000, 1, 1, tzinfo=UTC)  # a post that states an earlier time has a broken clock

# They write each address at INFO, and what is searched for is part of it.
for _talkative in ("httpx", "httpcore"):
    logging.getLogger(_talkative).setLevel(logging.WARNING)


class Settings(CollectorSettings):
    """Bluesky by search: what the collector that listens live missed."""

    every: Duration = timedelta(minutes=2)
    quiet_after: Duration = timedelta(days=7)
    search: tuple[Text, ...] = ()
    """What to search for, one search for each; left out, every name in hospital.toml."""
    service: SafeUrl = "https://bsky.social"
    """The server that the account is on; leave it out unless it is one of your own."""
    public_url: Url = PUBLIC
    """The server where kept posts are looked up without a login; leave it out."""


def fetch(settings: Settings, cursor: Mapping[str, Any], asking: Asking) -> Iterator[Page]:
    """Posts that match each search, from its cursor on. Cursor: {search: {"since", "newest", "until"}}.

    A search that Bluesky refuses is told at the end: the others are read first.
    """
    account = _account_of(settings, asking)
    searches = settings.search or tuple(phrases(asking.hospital))
    places = {search: dict(cursor.get(search, {})) for search in searches}
    wrong = []
    for search in searches:
        try:
            for page, place in _search(account, search, places[search], asking.now):
                places[search] = place
                kept = {name: dict(at) for name, at in places.items()}
                matched = {search if settings.search else _NAMES: len(page.posts)}
                yield Page(page.posts, kept, unheard=page.unheard, skipped=page.skipped, matched=matched)
        except _Refused as refused:
            wrong.append(f"Bluesky refuses the search {search[:40]!r} ({refused})")
    if wrong:
        raise NeedsPerson(f"bluesky: {'; '.join(wrong)}; correct it in listening.toml")


def own_replies(settings: Settings, cursor: Mapping[str, Any], asking: Asking) -> Iterator[Page]:
    """What the hospital's account wrote. Cursor: {"since"}, which moves with the last page."""
    from atproto import models

    actor = asking.hospital.accounts.bluesky
    if not actor:
        return
    account = _account_of(settings, asking)
    known = newest = _known_until(cursor, asking.now)
    token, tokens = None, set[str]()
    for _ in range(_MOST_PAGES):
        params = models.AppBskyFeedGetAuthorFeed.Params(actor=actor, limit=_PAGE, cursor=token)
        try:
            answer = account.ask("app.bsky.feed.getAuthorFeed", params, asking.now)
        except _Refused as refused:
            raise NeedsPerson(
                f"bluesky: Bluesky does not show the posts of {actor!r} ({refused}); "
                "correct accounts.bluesky in hospital.toml"
            ) from None
        # What the account reposted is somebody else's.
        views = [within(item, "post") for item in _listed(answer, "feed") if within(item, "reason") is None]
        read = _read(views, known - _OVERLAP, own=True)
        newest = max(newest, min(read.newest or newest, asking.now))
        past = read.oldest is not None and read.oldest < known - _OVERLAP
        token = None if past else _following(answer, tokens)
        yield Page(read.posts, {"since": (known if token else newest).isoformat()}, skipped=read.skipped)
        if token is None:
            return
    raise _endless("the hospital's own posts")


def lookup(settings: Settings, refs: Sequence[str], asking: Asking) -> Page:
    """These posts as they are now; those that Bluesky shows to nobody are gone."""
    return looked_up("bluesky", settings.base_url, settings.public_url, refs, asking.now, _TIMEOUT)


def reply(settings: Settings, post: Answerable, text: str, asking: Asking) -> Replied:
    """Answer a post as the hospital's account; links in the text can be clicked."""
    from atproto import models

    account, ours = _own_account(settings, asking), asking.hospital.accounts.bluesky
    parent, root = _above(account, post.ref, asking.now)
    record: dict[str, Any] = {"$type": _COLLECTION, "text": text, "createdAt": _stamp(asking.now)}
    record |= {"reply": {"root": root, "parent": parent}} | ({"facets": links} if (links := _links(text)) else {})
    data = models.ComAtprotoRepoCreateRecord.Data(repo=ours, collection=_COLLECTION, record=record)
    with sending("bluesky"):
        try:
            made = account.tell("com.atproto.repo.createRecord", data, asking.now)
        except _Refused as refused:
            too_long = "it is longer than the 300 characters that Bluesky takes; shorten it"
            why = (
                too_long
                if re.search("too big|longer than", str(refused))
                else f"{refused}; open the post and answer it by hand"
            )
            raise NeedsPerson(f"bluesky: Bluesky refuses the reply: {why}") from None
        return _replied(made["uri"], ours)


def find_reply(settings: Settings, post: Answerable, text: str, asking: Asking) -> Replied | None:
    """The reply among the account's newest 100 posts, as the server has them that it is written to."""
    from atproto import models

    ours = asking.hospital.accounts.bluesky
    params = models.ComAtprotoRepoListRecords.Params(repo=ours, collection=_COLLECTION, limit=_PAGE)
    try:
        answer = _own_account(settings, asking).ask("com.atproto.repo.listRecords", params, asking.now)
    except _Refused as refused:
        raise TryLater(f"bluesky: Bluesky does not list the posts of {ours!r} ({refused})") from None
    for item in _listed(answer, "records"):
        record = within(item, "value")
        if within(record, "reply", "parent", "uri") == post.ref and same_words(text, str(within(record, "text"))):
            return _replied(item["uri"], ours)
    return None


def phrases(hospital: Hospital) -> Iterator[str]:
    """A search for each of the hospital's names, but none for a name that another one's search finds as well."""
    names = [hospital.name, *hospital.aliases, *(alias for site in hospital.sites for alias in site.aliases)]
    names += [re.sub("['’]", "", name) for name in names] + [hospital.accounts.bluesky]
    plain: dict[str, str] = {}
    for name in names:
        if name := " ".join(name.replace('"', " ").split()):
            plain.setdefault(name.casefold(), name)
    for folded, name in plain.items():
        if not any(other != folded and f" {other} " in f" {folded} " for other in plain):
            yield f'"{name}"'


# ---------------------------------------------------------------- one search


def _search(
    account: "_Account", search: str, place: Mapping[str, Any], now: datetime
) -> Iterator[tuple[Page, dict[str, Any]]]:
    """Each page with the place that is right once it is kept. Raises _Refused, TryLater, NeedsPerson."""
    from atproto import models

    known, until = _known_until(place, now), moment(place.get("until"))
    newest, since = max(known, moment(place.get("newest")) or known), known - _OVERLAP
    mark: datetime | None = None  # what the pages came to
    token, tokens, listed = None, set[str](), 0
    for _ in range(_MOST_PAGES):
        params = models.AppBskyFeedSearchPosts.Params(
            q=search, sort="latest", limit=_PAGE, since=_stamp(since), until=until and _stamp(until), cursor=token
        )
        answer = account.ask("app.bsky.feed.searchPosts", params, now)
        views = _listed(answer, "posts")
        read = _read(views, since)
        listed, mark, newest = listed + len(views), read.newest or mark, max(newest, min(read.newest or newest, now))
        past, several = read.newest is not None and read.newest < since, token is not None
        token = None if past else _following(answer, tokens)
        last, unheard = token is None, tuple[Unheard, ...]()
        if last and several and mark and not past:
            # It ended or was cut off: what may be behind it is asked for by time.
            last = until is not None and mark + _TICK >= until
            if last and listed >= _DEEP and mark > known:
                unheard = (Unheard(since, mark, f"Bluesky lists no more than {listed} posts for {search[:40]!r}"),)
            elif not last:
                until, listed = mark + _TICK, 0
                tokens.clear()
        page, goes_on = Page(read.posts, {}, unheard=unheard, skipped=read.skipped), mark + _TICK if mark else until
        half_way = {"since": known, "newest": newest} | ({"until": goes_on} if goes_on else {})
        yield page, {key: at.isoformat() for key, at in ({"since": newest} if last else half_way).items()}
        if last:
            return
    raise _endless(repr(search[:40]))


def _known_until(place: Mapping[str, Any], now: datetime) -> datetime:
    """Up to when everything is kept; never in the future, where a clock that was wrong has been."""
    return min(moment(place.get("since")) or now - _FIRST_REACH, now)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _endless(what: str) -> TryLater:
    return TryLater(f"bluesky: the list of {what} has no end; the next pass goes on")


# ---------------------------------------------------------------- an answer


def _above(account: "_Account", ref: str, now: datetime) -> tuple[dict[str, str], dict[str, str]]:
    """What names the post, and the one that began its conversation, in a reply. Raises TryLater, NeedsPerson."""
    from atproto import models

    try:
        answer = account.ask("app.bsky.feed.getPosts", models.AppBskyFeedGetPosts.Params(uris=[ref]), now)
    except _Refused as refused:
        raise NeedsPerson(f"bluesky: Bluesky does not show the post ({refused}); open it and look") from None
    views = _listed(answer, "posts")
    if not views:
        raise NeedsPerson(
            "bluesky: the post was deleted, or its author has blocked the account; there is nobody to answer"
        )
    if within(views[0], "viewer", "replyDisabled"):
        raise NeedsPerson("bluesky: its author lets only some people answer; leave it")
    parent = {"uri": ref, "cid": str(views[0]["cid"])}
    root = {key: within(views[0], "record", "reply", "root", key) for key in parent}
    return parent, (root if all(isinstance(value, str) for value in root.values()) else parent)


def _links(text: str) -> list[dict[str, Any]]:
    """Where the links are in a text, in bytes: without that Bluesky shows them as words."""
    links = []
    for found in re.finditer(r"https?://[^\s<>\"]*[^\s<>\".,;:!?')\]]", text):
        start, end = (len(text[:place].encode()) for place in found.span())
        feature = {"$type": "app.bsky.richtext.facet#link", "uri": found[0]}
        links.append({"index": {"byteStart": start, "byteEnd": end}, "features": [feature]})
    return links


def _replied(uri: str, handle: str) -> Replied:
    return Replied(uri, f"https://bsky.app/profile/{handle}/post/{uri.rpartition('/')[2]}")


# ---------------------------------------------------------------- the account


class _Refused(Exception):
    """400, 404: Bluesky does not take what was asked; its sentence."""


class _Stale(Exception):
    """401: Bluesky does not take the login; its sentence."""


def _account_of(settings: Settings, asking: Asking) -> "_Account":
    handle = asking.secrets["BLUESKY_HANDLE"].removeprefix("@")
    return _account(handle, asking.secrets["BLUESKY_APP_PASSWORD"], settings.base_url, settings.service, SECRETS)


def _own_account(settings: Settings, asking: Asking) -> "_Account":
    ours, password = asking.hospital.accounts.bluesky, asking.secrets[REPLY_SECRETS[0]]
    return _account(ours, password, settings.base_url, settings.service, REPLY_SECRETS)


@cache
def _account(handle: str, password: str, base_url: str | None, service: str, names: tuple[str, ...]) -> "_Account":
    """One for as long as the process lives; another when any of these is changed. `names`: of its secrets."""
    return _Account(handle, password, base_url, service, names)


class _Account:
    """An account and its login, which atproto renews."""

    def __init__(self, handle: str, password: str, base_url: str | None, service: str, names: tuple[str, ...]) -> None:
        self._handle, self._password, self._base_url, self._service = handle, password, base_url, service
        self._names = " and ".join(names)
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._tried_at: datetime | None = None
        self._refusal = ""

    def ask(self, method: str, params: Any, now: datetime) -> dict[str, Any]:
        """The answer, an object. Raises _Refused, TryLater, NeedsPerson."""
        return self._call(now, lambda client: client.invoke_query(method, params, timeout=_TIMEOUT))

    def tell(self, method: str, data: Any, now: datetime) -> dict[str, Any]:
        """As ask(), to change something. For use within sending(): a TryLater leaves open whether it was done."""
        options = {"input_encoding": "application/json", "timeout": _TIMEOUT}
        return self._call(now, lambda client: client.invoke_procedure(method, data=data, **options))

    def _call(self, now: datetime, call: "Callable[[Client], Any]") -> dict[str, Any]:
        client = self._logged_in(now)
        try:
            return self._asked(client, call, now)
        except _Stale as stale:  # not done, so that it may be asked for again
            client = self._logged_in(now, client, str(stale))
        try:
            return self._asked(client, call, now)
        except _Stale as stale:
            raise self._not_accepted(str(stale)) from None

    def _logged_in(self, now: datetime, refused: "Client | None" = None, why: str = "") -> "Client":
        """The client with its login; another one in place of the refused, but not soon after the last login."""
        with self._lock:
            if self._client is not None and self._client is not refused:
                return self._client
            why = why or self._refusal
            if why and self._tried_at is not None and abs(now - self._tried_at) < _REST:
                raise self._not_accepted(why)
            if refused is not None:
                refused.request.close()
            self._client, self._tried_at, self._refusal = None, now, ""
            self._client = self._login(now)
            return self._client

    def _login(self, now: datetime) -> "Client":
        import httpx
        from atproto import Client, Request
        from atproto.exceptions import AtProtocolError

        request = Request(
            timeout=_TIMEOUT,
            trust_env=self._base_url is None,
            headers={"accept-encoding": "identity"},  # so that the size that is looked at is the size
            event_hooks={"request": [self._stay], "response": [_limit]},
        )
        client = Client(self._base_url or self._service, request=request)
        if self._base_url:
            # After each login and renewal atproto turns to the server that the account's document names.
            client.on_session_change(lambda *_: client.update_base_url(self._base_url))
        try:
            client.login(self._handle, self._password, fetch_bsky_profile=False)
        except (AtProtocolError, httpx.HTTPError, ValueError) as error:
            request.close()
            remedy = _remedy(error, now)
            if isinstance(remedy, TryLater):
                raise remedy from None
            self._refusal = str(remedy)
            raise self._not_accepted(self._refusal) from None
        return client

    def _stay(self, request: "httpx.Request") -> None:
        """The account's document says which server has it, and any answer may lead on. Raises LeadsInside."""
        web.refuse_inside(str(request.url), [self._base_url or self._service])

    def _asked(self, client: "Client", call: "Callable[[Client], Any]", now: datetime) -> dict[str, Any]:
        import httpx
        from atproto.exceptions import AtProtocolError

        try:
            content = call(client).content
        except (AtProtocolError, httpx.HTTPError, ValueError) as error:
            raise _remedy(error, now) from None
        if not isinstance(content, dict):
            raise TryLater("bluesky: the answer is not JSON; is something else answering in Bluesky's place?")
        return content

    def _not_accepted(self, why: str) -> NeedsPerson:
        return NeedsPerson(
            f"bluesky: Bluesky refuses the login ({why}); set {self._names}, which is made "
            "under Settings, Privacy and security, App passwords. The next login is tried after ten minutes"
        )


def _limit(response: "httpx.Response") -> None:
    """Read an answer, which may neither drip for ever nor be of any size."""
    import httpx

    ends, body = time.monotonic() + _TIMEOUT, bytearray()
    with closing(response.stream) as stream:  # type: ignore[type-var]
        for chunk in stream:  # type: ignore[union-attr]
            body += chunk
            if len(body) > _LARGEST or time.monotonic() > ends:
                raise TryLater("bluesky: the answer is too large, or takes too long")
    response.stream = httpx.ByteStream(bytes(body))


def _remedy(error: Exception, now: datetime) -> Exception:
    from atproto.exceptions import InvalidTokenError, LoginRequiredError

    response = getattr(error, "response", None)
    if isinstance(error, InvalidTokenError | LoginRequiredError):
        return _Stale(f"{type(error).__name__}: the login was answered with something else")
    if response is None:
        kind = type(error.__cause__ or error).__name__
        return TryLater(f"bluesky: no answer that can be read ({kind}); check the network, the next pass asks again")
    name = str(getattr(response.content, "error", "") or response.status_code)
    sentence = f"{name}: {getattr(response.content, 'message', None) or 'no reason given'}"[:200]
    if response.status_code == 429:
        return AskedToWait("bluesky: Bluesky asks to wait (429)", reset_at(response.headers, now))
    if response.status_code == 401 or name in ("ExpiredToken", "InvalidToken"):
        return _Stale(sentence)
    if response.status_code == 403:
        return NeedsPerson(f"bluesky: Bluesky forbids this to the account ({sentence})")
    if response.status_code in (400, 404):
        return _Refused(sentence)
    return TryLater(f"bluesky: Bluesky answers {response.status_code}")


# ---------------------------------------------------------------- without a login


def ask_public(
    place: str,
    base_url: str | None,
    public_url: str,
    method: str,
    params: Mapping[str, Any],
    now: datetime,
    timeout: float,
    people: Mapping[int, str] | None = None,
) -> dict[str, Any]:
    """What Bluesky answers to anybody, an object. `people` as in web.remedy. Raises TryLater, NeedsPerson."""
    with web.guarded(base_url, public_url) as session:
        address = f"{(base_url or public_url).rstrip('/')}/xrpc/{method}"
        answer = web.get(place, address, params, timeout=timeout, session=session)
    if answer.status == 429:
        raise AskedToWait(f"{place}: Bluesky asks to wait (429)", reset_at(answer.headers, now))
    if answer.status != 200:
        closed = f"Bluesky does not answer without a login ({answer.status}); check public_url in listening.toml"
        raise web.remedy(place, answer, now, {401: closed, 403: closed, **(people or {})})
    body = answer.json(place)
    if not isinstance(body, dict):
        raise TryLater(f"{place}: the answer has an unknown shape")
    return body


def looked_up(
    place: str, base_url: str | None, public_url: str, refs: Sequence[str], now: datetime, timeout: float
) -> Page:
    """These posts as they are now. Asked without a login: who blocks our account has not deleted anything."""
    found: dict[str, Any] = {}
    for start in range(0, len(refs), _LOOKUP):
        params = {"uris": list(refs[start : start + _LOOKUP])}
        answer = ask_public(place, base_url, public_url, "app.bsky.feed.getPosts", params, now, timeout)
        found |= {str(within(view, "uri")): view for view in _listed(answer, "posts", place)}
    read = _read([found[ref] for ref in refs if ref in found], None)
    return Page(
        read.posts, {}, skipped=read.skipped, deleted=tuple(Ref("bluesky", ref) for ref in refs if ref not in found)
    )


def reset_at(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When Bluesky says that it answers again: in seconds since 1970, or as the web says it."""
    stated = headers.get("ratelimit-reset", "")
    at = datetime.fromtimestamp(int(stated), UTC) if re.fullmatch("[0-9]{1,11}", stated) else web.retry_at(headers, now)
    return at and min(at, now + _LONGEST_WAIT)


# ---------------------------------------------------------------- Bluesky's JSON as posts


def within(value: Any, *path: str) -> Any:
    """What is at this path in JSON; None where there is no such path: strangers write these objects."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def moment(stated: Any) -> datetime | None:
    """A time as Bluesky writes it, aware; None for anything else."""
    try:
        at = datetime.fromisoformat(stated)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def written_at(record: Any, seen: datetime | None) -> datetime | None:
    """When a post was written: as it states itself, if it was not seen before that."""
    stated = moment(within(record, "createdAt"))
    if stated is None or stated < _IMPOSSIBLE or (seen is not None and seen < stated):
        return seen
    return stated


def post_of(uri: Any, record: Any, author: Any, seen: datetime | None, **more: Any) -> Post:
    """A post by its record and what is known of its author. Raises SkipPost."""
    where = f"bluesky:{str(uri)[:80]}"
    named = _POST.fullmatch(uri) if isinstance(uri, str) else None
    if named is None:
        raise SkipPost(where, "its name is not that of a post")
    handle, name = within(author, "handle"), within(author, "displayName")
    known = isinstance(handle, str) and 0 < len(handle) <= _LONGEST and handle != _NOBODY
    who = handle if known else named[1]
    return read_post(
        where,
        source="bluesky",
        ref=uri,
        text=text_of(record),
        written_at=written_at(record, seen),
        url=f"https://bsky.app/profile/{who}/post/{named[2]}",
        author=who,
        author_name=name if isinstance(name, str) and name else None,
        thread=_ref(within(record, "reply", "root", "uri")) or uri,
        answers=_ref(within(record, "reply", "parent", "uri")),
        quotes=quoted(record),
        **more,
    )


def text_of(record: Any) -> Any:
    """What a post says, and what is said of its pictures."""
    text, embed = within(record, "text"), within(record, "embed")
    media = within(embed, "media") or embed
    images = within(media, "images")
    alts = [within(image, "alt") for image in (images if isinstance(images, list) else ())] + [within(media, "alt")]
    return (
        "\n\n".join([text, *(alt for alt in alts if isinstance(alt, str) and alt)]) if isinstance(text, str) else None
    )


def quoted(record: Any) -> str | None:
    """The post that a post shows within itself."""
    return _ref(within(record, "embed", "record", "uri")) or _ref(within(record, "embed", "record", "record", "uri"))


def _ref(uri: Any) -> str | None:
    fits = isinstance(uri, str) and len(uri) <= _LONGEST and _POST.fullmatch(uri)
    return uri if fits else None


def _listed(answer: Mapping[str, Any], key: str, place: str = "bluesky") -> list[Any]:
    """The list in an answer: taking anything else for an empty one would lose what is in it."""
    items = answer.get(key)
    if not isinstance(items, list):
        raise TryLater(f"{place}: the answer has an unknown shape ({key})")
    return items


def _following(answer: Mapping[str, Any], tokens: set[str]) -> str | None:
    """Where the next page is; None at the end."""
    token = answer.get("cursor")
    if not token:
        return None
    if not isinstance(token, str) or token in tokens:
        raise TryLater("bluesky: the answer has an unknown shape (cursor)")
    tokens.add(token)
    return token


class _Read(NamedTuple):
    """A page: its posts since a moment, what could not be read, and the span of all that it holds."""

    posts: tuple[Post, ...]
    skipped: tuple[SkipPost, ...]
    newest: datetime | None
    oldest: datetime | None


def _read(views: Iterable[Any], since: datetime | None, own: bool = False) -> _Read:
    posts, skipped, times = [], [], []
    for view in views:
        record, seen = within(view, "record"), moment(within(view, "indexedAt"))
        at = written_at(record, seen)
        times += [at] if at else []
        if at and since and at < since:
            continue
        try:
            posts.append(post_of(within(view, "uri"), record, within(view, "author"), seen, own=own))
        except SkipPost as skip:
            skipped.append(skip)
    return _Read(tuple(posts), tuple(skipped), max(times, default=None), min(times, default=None))
