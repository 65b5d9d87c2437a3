"""The line on which presses come in: it connects, it is watched, and people are told when presses get lost."""

import contextlib
import hmac
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from conftest import NOW
from fakes.slack import FakeSlack
from sqlalchemy import Engine
from sqlmodel import Session, select
from starlette.testclient import TestClient

from alerts import slack_link
from alerts.console import Console
from alerts.slack import Slack
from alerts.slack_app import SlackApp
from alerts.slack_link import HttpLine, SocketLine, http_app, missing, watch_over
from config.schema import Config
from listener.watch import Alarm

SECOND = timedelta(seconds=1)
# The SDK forgets the socket of a line that was cut.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def app(config: Config, engine: Engine, door: Slack, clock: Any) -> SlackApp:
    return SlackApp(lambda: config, engine, door, {}, clock.now)


@pytest.fixture
def line(app: SlackApp, workspace: FakeSlack, door: Slack, clock: Any) -> Iterator[SocketLine]:
    line = SocketLine(app.bolt, workspace.app_token, door.client, ping=0.2, now=clock.now)
    yield line
    client = line._handler.client
    with contextlib.suppress(Exception):
        workspace.socket().drop()
    client.closed = True
    client.enqueue_message("{}")
    line.close()


def alarms(engine: Engine) -> list[tuple[str, str, bool]]:
    with Session(engine) as session:
        return [(alarm.collector, alarm.why, alarm.over_at is None) for alarm in session.exec(select(Alarm))]


def test_it_connects_once_and_stays(
    line: SocketLine, workspace: FakeSlack, door: Slack, engine: Engine, clock: Any
) -> None:
    assert not line.is_up()
    watch_over(engine, door, line, clock.now())
    workspace.socket().wait_for(links=1)
    assert line.is_up()
    assert door.team == "T0TEAM0001", "whose presses count"
    for _ in range(5):
        watch_over(engine, door, line, clock.passes(SECOND))
    assert len(workspace.seen("apps.connections.open")) == 1, "Slack counts how often it is asked for a line"
    assert alarms(engine) == []


def test_slack_asks_for_another_line(line: SocketLine, workspace: FakeSlack, clock: Any) -> None:
    line.look()
    sockets = workspace.socket()
    sockets.wait_for(links=1)
    sockets.disconnect("refresh_requested")
    sockets.wait_for(opened=2)
    assert workspace.wait_until(line.is_up, 5)


def test_a_line_that_is_cut_without_a_word(line: SocketLine, workspace: FakeSlack) -> None:
    line.look()
    sockets = workspace.socket()
    sockets.wait_for(links=1)
    sockets.drop()
    sockets.wait_for(opened=2, within=15)


def test_a_line_that_answers_no_ping_is_given_up(
    app: SlackApp, line: SocketLine, workspace: FakeSlack, clock: Any
) -> None:
    sockets = workspace.socket()
    line.look()
    sockets.wait_for(links=1)
    sockets.freeze()
    line._handler.client.current_session.last_ping_pong_time = None
    line.look()
    clock.passes(50 * SECOND)
    line._handler.client.current_session.last_ping_pong_time = None
    line.look()
    sockets.wait_for(opened=2)


def test_people_are_told_when_it_stays_down_and_when_it_is_back(
    app: SlackApp, door: Slack, workspace: FakeSlack, engine: Engine, clock: Any
) -> None:
    line = SocketLine(app.bolt, "xapp-wrong", door.client, ping=0.2, now=clock.now)
    watch_over(engine, door, line, clock.now())
    assert alarms(engine) == [], "not at once: Slack changes lines every few hours"
    watch_over(engine, door, line, clock.passes(50 * SECOND))
    ((what, why, is_on),) = alarms(engine)
    assert (what, is_on) == ("Slack", True)
    assert "presses of buttons are lost" in why
    assert "invalid_auth: check SLACK_APP_TOKEN" in why
    watch_over(engine, door, line, clock.passes(SECOND))
    assert len(alarms(engine)) == 1, "once"
    assert len(workspace.seen("apps.connections.open")) == 1, "at most once a minute"
    line._handler.client.app_token = workspace.app_token
    watch_over(engine, door, line, clock.passes(60 * SECOND))
    workspace.socket().wait_for(links=1)
    watch_over(engine, door, line, clock.passes(SECOND))
    assert [is_on for *_, is_on in alarms(engine)] == [False]
    workspace.socket().drop()
    line._handler.client.closed = True
    line._handler.client.enqueue_message("{}")
    line.close()


def test_two_environments_on_one_app_token(line: SocketLine, door: Slack, engine: Engine, clock: Any) -> None:
    line._hello(None, {"type": "hello", "num_connections": 2})
    line.look()
    watch_over(engine, door, line, clock.now())
    ((what, why, _),) = alarms(engine)
    assert what == "SLACK_APP_TOKEN"
    assert "2 programs use this app's token at once" in why


def test_http_opens_its_port_and_says_when_it_cannot(app: SlackApp, door: Slack, engine: Engine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = HttpLine(app.bolt, f"127.0.0.1:{port}", "secret")
        watch_over(engine, door, line, NOW)
        assert not line.is_up()
        assert "is used by another program" in alarms(engine)[0][1]
    watch_over(engine, door, line, NOW)
    assert line.is_up()
    assert alarms(engine)[0][2] is False
    address = f"http://127.0.0.1:{port}"
    assert requests.get(f"{address}/healthz", timeout=5).text == "ok"
    assert requests.post(f"{address}/slack/events", data="payload={}", timeout=5).status_code == 401
    assert requests.post(f"{address}/slack/events", data=b"x" * 1_000_001, timeout=5).status_code == 413
    assert requests.get(f"{address}/docs", timeout=5).status_code == 404
    line.close()


SIGNED = '{"type": "block_actions"}'


def sign(secret: str, stamp: str, body: str = SIGNED, version: str = "v0") -> str:
    """As docs.slack.dev says that Slack signs."""
    proof = hmac.new(secret.encode(), f"{version}:{stamp}:{body}".encode(), "sha256")
    return f"{version}={proof.hexdigest()}"


@pytest.mark.parametrize(
    ("late", "secret", "version", "body", "status"),
    [
        (0, "the secret", "v0", SIGNED, 404),  # it came as far as bolt, which knows no such press
        (299, "the secret", "v0", SIGNED, 404),
        (301, "the secret", "v0", SIGNED, 401),  # heard on the way, and sent again later
        (-301, "the secret", "v0", SIGNED, 401),
        (0, "another", "v0", SIGNED, 401),
        (0, "", "v0", SIGNED, 401),
        (0, "the secret", "v1", SIGNED, 401),
        (0, "the secret", "v0", SIGNED + " ", 401),
        (0, "the secret", "v0", "", 401),
    ],
)
def test_what_is_not_signed_as_slack_signs_is_not_read(
    app: SlackApp, late: int, secret: str, version: str, body: str, status: int
) -> None:
    stamp = str(int(time.time()) - late)
    headers = {
        "x-slack-request-timestamp": stamp,
        "x-slack-signature": sign(secret, stamp, version=version),
        "content-type": "application/json",
    }
    browser = TestClient(http_app(app.bolt, "the secret"))
    assert browser.post("/slack/events", content=body, headers=headers).status_code == status
    del headers["x-slack-signature"]
    assert browser.post("/slack/events", content=body, headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("mode", "secrets", "lacks"),
    [
        ("socket", {}, "SLACK_APP_TOKEN"),
        ("socket", {"SLACK_APP_TOKEN": "xapp"}, None),
        ("http", {"SLACK_APP_TOKEN": "xapp"}, "SLACK_SIGNING_SECRET"),
        ("http", {"SLACK_SIGNING_SECRET": ""}, "SLACK_SIGNING_SECRET"),  # with which anybody could sign
        ("http", {"SLACK_SIGNING_SECRET": "s"}, None),
    ],
)
def test_what_it_needs(
    config: Config, engine: Engine, door: Slack, clock: Any, mode: str, secrets: dict[str, str], lacks: str | None
) -> None:
    care = config.care.model_copy(update={"slack": config.care.slack.model_copy(update={"mode": mode})})
    config = config.model_copy(update={"care": care})
    assert missing(config, secrets) == lacks
    made = slack_link.line(lambda: config, engine, door, secrets, clock.now, lambda: None)
    assert (made is None) is (lacks is not None)
    if made is not None:
        made.close()
    terminal = Console({})
    assert slack_link.line(lambda: config, engine, terminal, secrets, clock.now, lambda: None) is None, (
        "no Slack, no buttons"
    )
