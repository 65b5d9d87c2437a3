"""The listening post: a small web form that Call Light serves itself, behind a QR code in the building or a link on the site.

It hears what people would not post in public: anonymous, no account, any phone, in English and Spanish. Its trap is on
our own side: a "thank you" is a promise. So the answer waits until the page with the words was committed, and where that
does not happen within seconds it shows the words again and says what to do instead.

The form is open only while `call-light run` runs, on its own port and under /listen/ of the Listening Center. A reverse
proxy with TLS stands in front of it.
"""

import asyncio
import contextlib
import hashlib
import math
import re
import threading
import time
import uuid
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qsl, urlencode

from pydantic import Field, StrictBool, StrictInt

from config.schema import CollectorSettings, Duration, Hospital, Text, Url
from listener.errors import TryLater
from listener.logs import logger
from listener.post import Asking, Page, Post, Unheard, read_post
from listener.serving import Limits, Where, serving
from listener.strangers import Limit, address_of, host_of, is_form, language_of, read_limited

if TYPE_CHECKING:
    import jinja2
    from fastapi import FastAPI
    from starlette.datastructures import Headers

log = logger(__name__)

SECRETS = ()
LIVE = True
NAME = "listening_post"  # by which its app is found while it is open: see listener/serving.py

_TIMEOUT = 15.0  # seconds for everything that a person sends
_KEPT_WITHIN = 5.0  # seconds until the words are kept, or else the person is told what to do instead
_LOOK = 0.1  # seconds between two looks at whether to end
_END = 0.2  # seconds for answers under way at the end
_CLOSED = timedelta(minutes=10)  # the form was closed for longer than a restart: people are told

_MOST = 5_000  # characters of a message
_MOST_REACH = 200  # characters that say how to reach its author
_LARGEST = 256 * 1024  # bytes that are looked at; 5,000 characters are at most 60,000
_READ_AWAY = 4 * 1024 * 1024  # bytes that are taken off the line: a browser shows no answer before it has sent them
_MOST_WAITING = 200  # messages
_CONNECTIONS = 200  # at once; each costs the process a file

_LANGUAGES = ("en", "es")
_STATUS = {"again": 403, "unreadable": 415, "too_long": 413, "cut": 413, "busy": 429, "not_kept": 503}  # else 400
_AGAIN_IN = 60  # seconds
HEADERS = {  # of every answer
    "Content-Security-Policy": "default-src 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Settings(CollectorSettings):
    """The listening post: a form that Call Light serves itself, for a QR code in the building or a link on your site."""

    every: Duration = timedelta(seconds=30)
    """How soon it opens again after it ended, and how often it says that it is open, such as "30s"."""
    quiet_after: Duration = timedelta(days=30)
    contact: Text
    """Who answers by phone, as the page shows it: "Patient Relations 555-0100"."""
    emergency: Text = "911"
    """The number for an emergency, as the first line of every page says it."""
    host: Text = "127.0.0.1"
    """Where your proxy finds the form. Leave it as it is: without the proxy the form has no TLS."""
    port: Annotated[StrictInt, Field(ge=1, le=65535)] = 8642
    """The port where your proxy finds the form."""
    public_url: Url | None = None
    """The address that people see, such as "https://listen.stbrigid.example/"; without it there are no posters."""
    behind_proxy: StrictBool = False
    """true: people are told apart by the last address in X-Forwarded-For, which your proxy must set."""
    per_minute: Annotated[StrictInt, Field(ge=1, le=10_000)] = 30
    """Messages a minute from one address; everyone on the hospital's Wi-Fi may share one."""
    per_minute_all: Annotated[StrictInt, Field(ge=1, le=10_000)] = 120
    """Messages a minute from all together."""


def fetch(settings: Settings, cursor: Mapping[str, Any], asking: Asking) -> Iterator[Page]:
    """What people send, within a moment of their sending it; an empty page at least `every` so often.

    Cursor: {"open_until": when the form was last known to be open}.
    """
    if not asking.stays:
        yield Page((), cursor)
        return
    began = time.time()

    def now() -> datetime:  # the product's time, also where the machine slept or its clock was put right
        return asking.now + timedelta(seconds=time.time() - began)

    box = _Box()
    desk = _Desk(settings, asking.hospital, now)
    unheard, told_at = _was_closed(cursor, asking.now), -math.inf
    with _open(settings, desk, box) as is_open:
        while not asking.stopped():
            if not is_open():
                raise TryLater("listening_post: the form ended by itself; it opens again soon")
            sent = box.take()
            if not sent and time.monotonic() - told_at < settings.every.total_seconds():
                continue
            told_at = time.monotonic()
            if refused := desk.refused():
                log.warning("listening_post", **refused)
            posts = tuple(one.post for one in sent)
            yield Page(posts, {"open_until": now().isoformat()}, unheard=unheard)
            box.kept(sent)
            unheard = ()


def _was_closed(cursor: Mapping[str, Any], now: datetime) -> tuple[Unheard, ...]:
    try:
        since = datetime.fromisoformat(cursor.get("open_until", ""))
        long = now - since > _CLOSED
    except (TypeError, ValueError):
        return ()
    return (Unheard(since, now, "the form was closed: whoever opened it was turned away"),) if long else ()


# ---------------------------------------------------------------- from the server's thread to the collector's


@dataclass(frozen=True)
class _Sent:
    """A message whose author waits for an answer."""

    post: Post
    answer: "asyncio.Future[bool]"  # whether it was kept


class _Box:
    """What was sent and not yet kept. The server's thread puts in, the collector's takes out."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[_Sent] = []
        self._taken: Sequence[_Sent] = ()
        self.is_closed = False

    async def put(self, post: Post) -> bool:
        """Wait until the post is kept, for a few seconds; whether it was.

        One that takes longer stays here and is kept later: its author was told, and a second try is the same post.
        """
        answer = asyncio.get_running_loop().create_future()
        with self._changed:
            if self.is_closed or len(self._waiting) >= _MOST_WAITING:
                return False
            self._waiting.append(_Sent(post, answer))
            self._changed.notify()
        try:
            return bool(await asyncio.wait_for(answer, _KEPT_WITHIN))
        except TimeoutError:
            return False

    def take(self) -> Sequence[_Sent]:
        """All that waits, as soon as anything does; nothing after a short while."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting, _LOOK)
            self._taken, self._waiting = self._waiting, []
            return self._taken

    def kept(self, sent: Sequence[_Sent]) -> None:
        """What take() gave was committed."""
        self._taken = ()
        self._tell(sent, True)

    def close(self) -> None:
        """Nothing is kept any more."""
        with self._changed:
            self.is_closed = True
            left, self._waiting, self._taken = [*self._taken, *self._waiting], [], ()
        self._tell(left, False)

    def _tell(self, sent: Sequence[_Sent], kept: bool) -> None:
        def tell(answer: "asyncio.Future[bool]") -> None:
            if not answer.done():
                answer.set_result(kept)

        for one in sent:
            with contextlib.suppress(RuntimeError):  # the server ended by itself: nobody waits
                one.answer.get_loop().call_soon_threadsafe(tell, one.answer)


# ---------------------------------------------------------------- the server


@contextlib.contextmanager
def _open(settings: Settings, desk: "_Desk", box: _Box) -> Iterator[Callable[[], bool]]:
    """The form is open; yields whether it still is. Raises NeedsPerson."""
    where = Where(NAME, settings.host, settings.port, "port or host under [collectors.listening_post]")
    with serving(_app(settings, desk, box), where, limits(), box.close) as there:
        yield there.is_alive


def limits() -> Limits:
    """What holds for everybody who opens the form, wherever it is served."""
    life = _TIMEOUT + _KEPT_WITHIN + _TIMEOUT  # to be heard, kept and answered
    return Limits(connections=_CONNECTIONS, silence=_TIMEOUT, life=life, end=_END)


def closed_app(settings: Settings, hospital: Hospital) -> "FastAPI":
    """What answers while the form is closed: whom to tell instead. Words that are sent meanwhile are shown again."""
    box = _Box()
    box.close()
    return _app(settings, _Desk(settings, hospital, lambda: datetime.now(UTC)), box)


def _app(settings: Settings, desk: "_Desk", box: _Box) -> "FastAPI":
    """What is done for which path; what is said is up to the desk."""
    from fastapi import FastAPI, Request, Response
    from starlette.exceptions import HTTPException
    from starlette.requests import ClientDisconnect

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    def said(name: str, draft: "_Draft", trouble: str = "", wait: int = 0) -> Response:
        page = desk.page(name, draft, trouble, wait)
        status = {"nothing": 404, "closed": 503}.get(name, _STATUS.get(trouble, 400) if trouble else 200)
        more = {"Retry-After": str(wait)} if wait else {}
        return Response(page, status, {**_headers(page), **more}, "text/html")

    @app.api_route("/", methods=["GET", "HEAD"])
    async def form(request: Request) -> Response:
        draft = desk.draft(request.query_params, request.headers)
        return said("closed", draft, wait=_AGAIN_IN) if box.is_closed else said("form", draft)

    @app.post("/")
    async def send(request: Request) -> Response:
        draft = desk.draft(request.query_params, request.headers)
        try:
            body, trouble = await read_limited(request.stream(), _LARGEST, _READ_AWAY, _TIMEOUT)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        if is_form(request.headers):
            draft = request.state.draft = desk.filled(draft, body)
        else:
            trouble = "unreadable"
        address = address_of(request.client.host if request.client else "", request.headers, settings.behind_proxy)
        trouble, wait = desk.trouble(draft, trouble, request.headers, address)
        if not trouble and not await box.put(desk.post(draft)):
            trouble, wait = desk.refuse("not_kept"), _AGAIN_IN
        return said("form" if trouble else "thanks", draft, trouble, wait)

    @app.api_route("/poster", methods=["GET", "HEAD"])
    async def poster(request: Request) -> Response:
        return said("poster" if settings.public_url else "nothing", desk.draft(request.query_params, request.headers))

    @app.api_route("/healthz", methods=["GET", "HEAD"])
    async def healthz() -> Response:
        status, word = (503, "closed") if box.is_closed else (200, "ok")
        return Response(word, status, HEADERS, "text/plain")

    @app.exception_handler(HTTPException)
    async def nothing(request: Request, _: Exception) -> Response:
        return said("nothing", desk.draft(request.query_params, request.headers))

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> Response:
        log.error("listening_post", error=error)
        empty = desk.draft(request.query_params, request.headers)
        return said("form", getattr(request.state, "draft", empty), "not_kept", _AGAIN_IN)

    return app


def _headers(page: str) -> dict[str, str]:
    """With leave for the page's own style, and nothing else."""
    style = page[page.index("<style>") + len("<style>") : page.index("</style>")]
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    own = f"; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    return {**HEADERS, "Content-Security-Policy": HEADERS["Content-Security-Policy"] + own}


def _from_elsewhere(settings: Settings, headers: "Headers") -> bool:
    """Whether another site's page made the browser send this."""
    if site := headers.get("sec-fetch-site"):
        return site == "cross-site"
    origin = headers.get("origin", "null")
    if origin == "null":  # our own Referrer-Policy makes browsers say so
        return False
    ours = {host_of(settings.public_url or ""), host_of(f"//{headers.get('host', '')}")}
    if settings.behind_proxy:
        ours.add(host_of(f"//{headers.get('x-forwarded-host', '')}"))
    return host_of(origin) is None or host_of(origin) not in ours


# ---------------------------------------------------------------- what they write, and what they read


@dataclass(frozen=True)
class _Draft:
    """What someone wrote so far; shown again when it cannot be taken as it is."""

    lang: str
    at: str = ""
    text: str = ""
    reach: str = ""
    trap: str = ""  # a field that no person sees
    form: str = field(default_factory=lambda: uuid.uuid4().hex)


class _Desk:
    """Reads what is sent and says what the pages say."""

    def __init__(self, settings: Settings, hospital: Hospital, now: Callable[[], datetime]) -> None:
        self._settings, self._hospital, self._now = settings, hospital, now
        self._limit = Limit(settings.per_minute, settings.per_minute_all)
        self._refused: Counter[str] = Counter()
        self._counting = threading.Lock()  # the form is served on its own port and under a path of the center
        self._sites = _sites(hospital)
        names = [name for site, departments in self._sites.items() for name in (site, *departments)]
        self._places = {name.casefold(): name for name in names}

    def draft(self, query: Mapping[str, str], headers: Mapping[str, str]) -> _Draft:
        """An empty one, in the right language, at the place that the QR code says if we know it."""
        lang = language_of(query.get("lang", ""), headers.get("accept-language", ""), _LANGUAGES)
        return _Draft(lang, self._place(query.get("at", "")))

    def filled(self, draft: _Draft, body: bytes) -> _Draft:
        """With what was sent."""
        with contextlib.suppress(ValueError):  # far more fields than our form has
            pairs = parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=20)
            sent = {name: re.sub("\r\n?", "\n", value) for name, value in pairs}
            return replace(
                draft,
                at=self._place(sent["at"]) if "at" in sent else draft.at,
                text=sent.get("text", ""),
                reach=" ".join(sent.get("reach", "").split()),
                trap=sent.get("website", ""),
                form=sent["form"] if re.fullmatch("[0-9a-f]{32}", sent.get("form", "")) else draft.form,
            )
        return draft

    def trouble(self, draft: _Draft, trouble: str, headers: "Headers", address: str) -> tuple[str, int]:
        """Why it cannot be taken, "" if it can, and after how many seconds it perhaps can."""
        if wait := self._limit.wait(address, time.monotonic()):
            return self.refuse("busy"), math.ceil(wait) + 1
        if trouble:
            return trouble, 0
        if draft.trap or _from_elsewhere(self._settings, headers):  # it may be a person all the same
            return self.refuse("again"), 0
        if not draft.text.strip():
            return "empty", 0
        if len(draft.text.strip()) > _MOST:
            return "too_long", 0
        return ("reach_too_long" if len(draft.reach) > _MOST_REACH else ""), 0

    def post(self, draft: _Draft) -> Post:
        """The same words sent twice from one form are one post; other words never take their place."""
        text = draft.text.strip()
        return read_post(
            "listening_post",
            source="listening_post",
            ref=uuid.uuid5(uuid.UUID(draft.form), "\0".join((text, draft.at, draft.reach))).hex,
            text=text,
            place=draft.at or None,
            written_at=self._now(),
            author=draft.reach or None,
            about_us=True,
        )

    def page(self, name: str, draft: _Draft, trouble: str = "", wait: int = 0) -> str:
        """The form, "thanks", "closed", the poster or "nothing", as HTML."""
        settings = self._settings
        more = self._poster(draft) if name == "poster" else {}
        return _template("listening_post.poster" if name == "poster" else "listening_post").render(
            page=name,
            draft=draft,
            trouble=trouble,
            wait=wait,
            lang=draft.lang,
            languages=_LANGUAGES,
            ordered=sorted(_LANGUAGES, key=lambda lang: lang != draft.lang),
            hospital=self._hospital.name,
            sites=self._sites,
            emergency=settings.emergency,
            dial=re.sub("[^0-9+]", "", settings.emergency) if re.fullmatch("[0-9+() -]+", settings.emergency) else "",
            contact=settings.contact,
            most=_MOST,
            most_reach=_MOST_REACH,
            **more,
        )

    def refuse(self, why: str) -> str:
        """Count it."""
        with self._counting:
            self._refused[why] += 1
        return why

    def refused(self) -> Mapping[str, int]:
        """What was refused since the last look: how often for each reason."""
        with self._counting:
            counts, self._refused = self._refused, Counter()
        return counts

    def _place(self, name: str) -> str:
        return self._places.get(name.strip().casefold(), "")

    def _poster(self, draft: _Draft) -> dict[str, Any]:
        import segno
        from markupsafe import Markup

        address = self._settings.public_url or ""
        if draft.at:
            address += ("&" if "?" in address else "?") + urlencode({"at": draft.at})
        code = segno.make(address, error="m", micro=False).svg_inline(omitsize=True)
        return {"address": address, "code": Markup(code)}  # noqa: S704  # drawn by segno: figures alone


def _sites(hospital: Hospital) -> dict[str, list[str]]:
    """The departments of each site; one of a name that several sites have is called by both."""
    times = Counter(department for site in hospital.sites for department in site.departments)
    return {
        site.name: [name if times[name] == 1 else f"{name} ({site.name})" for name in site.departments]
        for site in hospital.sites
    }


@cache
def _template(name: str) -> "jinja2.Template":
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(f"{name}.html.jinja")
