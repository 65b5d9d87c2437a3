"""The line on which presses come in: Socket Mode, where we call Slack, or HTTP, where Slack calls us. Kept up, and watched.

A socket that is down loses presses, as Slack does not send those again: so people are told when it stays down.
"""

import contextlib
import re
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from slack_bolt import App, BoltRequest
from slack_bolt.adapter.socket_mode.builtin import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from alerts.door import Door
from alerts.slack import Client, Slack
from alerts.slack_app import SlackApp
from config.schema import Config
from listener import health
from listener.errors import AskedToWait, CallLightError, NeedsPerson
from listener.logs import logger
from listener.serving import Limits, Where, serving
from listener.watch import Alarm

if TYPE_CHECKING:
    from fastapi import FastAPI

log = logger(__name__)

BUTTONS = "buttons"  # the kind of an alarm: presses may be lost
_LINE, _TOKEN = "Slack", "SLACK_APP_TOKEN"  # what it may be about
_PING = 3.0  # seconds; a line that was cut without a word is noticed after about six of them
_DOWN_FOR = timedelta(seconds=45)  # a change of line takes a few seconds, and Slack asks for one every few hours
_TRY_AGAIN = timedelta(seconds=60)  # Slack counts how often a line is asked for
_CLOSES = 2.0  # seconds for hanging up
_LARGEST = 1_000_000  # bytes of a request
_LIMITS = Limits(connections=100, silence=10, life=20, end=2)


def line(
    config: Callable[[], Config],
    engine: Engine,
    door: Door,
    secrets: Mapping[str, str],
    now: Callable[[], datetime],
    wake: Callable[[], None],
) -> "SocketLine | HttpLine | None":
    """The line that care.toml asks for; None without Slack, or without the secret that it needs. `config` gives what the files say now."""
    asked = config().care.slack
    if not isinstance(door, Slack) or missing(config(), secrets):
        return None
    app = SlackApp(config, engine, door, secrets, now, wake).bolt
    if asked.mode == "http":
        return HttpLine(app, asked.listen, secrets["SLACK_SIGNING_SECRET"])
    return SocketLine(app, secrets["SLACK_APP_TOKEN"], door.client, now=now)


def missing(config: Config, secrets: Mapping[str, str]) -> str | None:
    """The secret without which no press comes in; None if it is there."""
    name = "SLACK_SIGNING_SECRET" if config.care.slack.mode == "http" else "SLACK_APP_TOKEN"
    return None if secrets.get(name) else name


class _LineClient(Client):
    """Asks for a line. Where Slack asks to wait, the SDK would sleep in the thread that asks, for as long as that lasts: no
    alarm would be raised meanwhile."""

    _not_before = 0.0

    def apps_connections_open(self, **options: Any) -> Any:
        """As WebClient's. Raises AskedToWait, and does not ask before the time that was stated."""
        if time.monotonic() >= self._not_before:
            try:
                return super().apps_connections_open(**options)
            except SlackApiError as error:
                if error.response.status_code != 429:
                    raise
                stated = str(error.response.headers.get("Retry-After", ""))
                wait = int(stated) if re.fullmatch("[0-9]{1,4}", stated) else _TRY_AGAIN.total_seconds()
                self._not_before = time.monotonic() + wait
        raise AskedToWait("Slack asks to wait (429)")


class SocketLine:
    """Socket Mode. `look` is to be called every few seconds: it connects, and says when the line stays down."""

    def __init__(
        self,
        app: App,
        app_token: str,
        client: WebClient,
        ping: float = _PING,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        web = _LineClient(base_url=client.base_url, timeout=10, retry_handlers=[])
        self._handler = SocketModeHandler(app, app_token, web_client=web, ping_interval=ping, logger=app.logger)
        self._handler.client.message_listeners.append(self._hello)
        self._now = now
        self._asked_at: datetime | None = None
        self._up_at = self._session_since = now()
        self._is_new = True  # it has not been seen up since it was down
        self._good_news: dict[str, datetime] = {}  # an alarm's name -> when this line last learned that it is well
        self._session = ""
        self._trouble = ""
        self.connections = 0  # of the whole app, as Slack said last

    def look(self) -> None:
        """Connect if it was never connected; afterwards the library connects again by itself."""
        now = self._now()
        if self.is_up():
            self._up_at, self._trouble = now, ""
            if self._is_new:
                self._is_new, self._good_news[_LINE] = False, now
            self._hang_up_if_dead(now)
            return
        self._is_new = True
        if self._handler.client.current_session is None and (
            self._asked_at is None or now - self._asked_at >= _TRY_AGAIN
        ):
            self._asked_at = now
            try:
                self._handler.connect()  # type: ignore[no-untyped-call]
            except SlackApiError as error:
                said = error.response.get("error", "") if isinstance(error.response.data, dict) else ""
                is_slacks = re.fullmatch("[a-z_]+", said) is not None  # else the words of whatever answers there
                status = f"Slack answers {error.response.status_code}"
                self._trouble = f" ({said}: check SLACK_APP_TOKEN)" if is_slacks else f" ({status})"
            except AskedToWait as error:
                self._trouble = f" ({error})"
            except Exception as error:
                self._trouble = f" ({type(error).__name__})"

    def _hang_up_if_dead(self, now: datetime) -> None:
        """A line that never answered a ping is taken for one that works: the library asks only how old the last answer is."""
        session = self._handler.client.current_session
        if session is not None and session.session_id != self._session:
            self._session, self._session_since = session.session_id, now
        if session is not None and session.last_ping_pong_time is None and now - self._session_since > _DOWN_FOR:
            log.warning("socket", silent=True)
            self._handler.client.connect_to_new_endpoint(force=True)

    def is_up(self) -> bool:
        """Whether presses come in now."""
        return bool(self._handler.client.is_connected())

    def alarms(self) -> dict[str, tuple[str, str]]:
        """What is wrong with the line: its name -> the sentence, and the one when it is over."""
        found = {}
        if self._now() - self._up_at > _DOWN_FOR:
            found[_LINE] = (
                f"the line from Slack is down since {self._up_at:%H:%M} UTC{self._trouble}: presses of buttons are lost, "
                "cards still come. Use call-light act meanwhile",
                "buttons in Slack work again",
            )
        if self.connections > 1:
            found[_TOKEN] = (
                f"{self.connections} programs use this app's token at once: Slack gives each press to only one of them, so "
                "some never arrive here. Give each environment an app of its own",
                "this program is the only one with this app's token",
            )
        return found

    def is_over(self, what: str, since: datetime) -> bool:
        """Whether an alarm that stands since then is over: that has to be learned later, as the alarm may be that of
        another program on this database, which sees what this one cannot."""
        return what in self._good_news and self._good_news[what] >= since

    def close(self) -> None:
        """Hang up. The library waits without end for a thread of its own that a request may hold up."""
        hangs_up = threading.Thread(target=self._hangs_up, daemon=True)
        hangs_up.start()
        hangs_up.join(_CLOSES)

    def _hangs_up(self) -> None:
        with contextlib.suppress(Exception):
            self._handler.client.auto_reconnect_enabled = False
            self._handler.close()  # type: ignore[no-untyped-call]

    def _hello(self, _client: Any, message: dict[str, Any], _raw: str | None = None) -> None:
        if message.get("type") != "hello":
            return
        count = int(message.get("num_connections") or 1)
        if not (count == 2 and self.connections):  # after a change of line the second may be our own old one
            self.connections = count
        if count == 1:
            self._good_news[_TOKEN] = self._now()
        log.info("socket", connections=count)


class HttpLine:
    """Slack calls us; a web server of the hospital with TLS stands before it."""

    connections = 1

    def __init__(self, app: App, listen: str, secret: str) -> None:
        host, _, port = listen.rpartition(":")
        where = Where("Slack", host.strip("[]"), int(port), "listen under [slack] in care.toml")
        self._stack = contextlib.ExitStack()
        self._serving = (http_app(app, secret), where, _LIMITS)
        self._is_alive: Callable[[], bool] | None = None
        self._trouble = ""

    def look(self) -> None:
        """Open the port, and open it again if the server ended by itself."""
        if self.is_up():
            return
        self._stack.close()
        try:
            self._is_alive, self._trouble = self._stack.enter_context(serving(*self._serving)), ""
        except NeedsPerson as error:
            self._is_alive, self._trouble = None, str(error)

    def is_up(self) -> bool:
        """Whether presses come in now."""
        return self._is_alive is not None and self._is_alive()

    def alarms(self) -> dict[str, tuple[str, str]]:
        """What is wrong with the line."""
        return {_LINE: (self._trouble, "buttons in Slack work again")} if self._trouble else {}

    def is_over(self, what: str, since: datetime) -> bool:
        """Whether what is no alarm is over: no other program can have this port."""
        return True

    def close(self) -> None:
        """Let go of the port."""
        self._stack.close()


def http_app(app: App, secret: str) -> "FastAPI":
    """One address, /slack/events, for everything that Slack sends. What is not signed by Slack, or late, gets 401."""
    from fastapi import FastAPI, Request, Response
    from fastapi.concurrency import run_in_threadpool

    web = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    verifier = SignatureVerifier(secret)

    @web.post("/slack/events")
    async def events(request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _LARGEST:
                return Response(status_code=413)
        status, said, headers = await run_in_threadpool(_answer, app, verifier, bytes(body), dict(request.headers))
        return Response(said, status, headers)

    @web.get("/healthz")
    async def healthz() -> Response:
        return Response("ok", media_type="text/plain")

    return web


def _answer(
    app: App, verifier: SignatureVerifier, body: bytes, headers: Mapping[str, str]
) -> tuple[int, str, dict[str, str]]:
    try:
        is_slacks = verifier.is_valid_request(body, {**headers})
    except Exception:  # the library raises on what is no signature at all
        is_slacks = False
    if not is_slacks:
        log.warning("press", signed=False)
        return 401, "", {}
    answer = app.dispatch(BoltRequest(body=body.decode("utf-8", "replace"), headers={**headers}))
    return answer.status, answer.body or "", dict(answer.first_headers().items())


def watch_over(engine: Engine, door: Door, line: "SocketLine | HttpLine", now: datetime) -> None:
    """Connect if need be, and write down what is wrong with the line and what is over."""
    if isinstance(door, Slack) and door.team is None:
        with contextlib.suppress(CallLightError):
            door.about_bot()  # whose presses count; without Slack's answer none comes anyway
    line.look()
    alarms = line.alarms()
    with Session(engine) as session:
        for what, (why, over) in alarms.items():
            health.raised(session, what, BUTTONS, why, over, now)
        standing = select(Alarm).where(Alarm.kind == BUTTONS, col(Alarm.over_at).is_(None))
        for alarm in session.exec(standing).all():
            if alarm.collector not in alarms and line.is_over(alarm.collector, alarm.raised_at):
                health.over(session, alarm.collector, BUTTONS, now)
        session.commit()
