"""The ways from the fake Slack to an app, driven by slack_sdk's own Socket Mode client and signature verifier."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from .server import Answer, FakeServer, Request, Status
from .slack import FakeSlack
from .slack_lines import HttpLine, SocketLine, send_event

SECRET = "signing-secret"
QUICK = 0.2  # seconds between pings


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
def line(slack: FakeSlack) -> SocketLine:
    return slack.socket()


class Listener:
    """An app's side of Socket Mode: keeps what it gets, and acknowledges unless told otherwise."""

    def __init__(self, fake: FakeSlack, answer: Any = None, silent: bool = False) -> None:
        self.heard: list[SocketModeRequest] = []
        self.hellos: list[dict[str, Any]] = []
        self.answer, self.silent = answer, silent
        web = WebClient(fake.token, base_url=fake.base_url + "/api/", retry_handlers=[])
        self.client = SocketModeClient(fake.app_token, web_client=web, ping_interval=QUICK)
        self.client.socket_mode_request_listeners.append(self.hear)  # type: ignore[arg-type]
        self.client.message_listeners.append(self.greeted)

    def hear(self, client: SocketModeClient, request: SocketModeRequest) -> None:
        self.heard.append(request)
        if not self.silent:
            client.send_socket_mode_response(SocketModeResponse(request.envelope_id, self.answer))

    def greeted(self, client: Any, message: dict[str, Any], raw: str | None) -> None:
        if message.get("type") == "hello":
            self.hellos.append(message)

    def hang_up(self) -> None:
        self.client.closed = True
        self.client.enqueue_message("{}")  # or it waits a second for one
        self.client.close()


@pytest.fixture
def listen(slack: FakeSlack) -> Iterator[Callable[..., Listener]]:
    made: list[Listener] = []

    def start(**more: Any) -> Listener:
        made.append(Listener(slack, **more))
        made[-1].client.connect()
        return made[-1]

    yield start
    slack.socket().drop()  # or each waits three seconds for something to arrive
    for one in made:
        one.hang_up()


# Socket Mode


def test_a_payload_is_acknowledged_and_answered(line: SocketLine, listen: Callable[..., Listener]) -> None:
    app = listen(answer={"response_action": "clear"})
    delivery = line.send("interactive", {"type": "view_submission"})
    assert (delivery.acked, delivery.answer) == (True, {"response_action": "clear"})
    assert 0 < delivery.after < line.patience
    (request,) = app.heard
    assert (request.type, request.payload) == ("interactive", {"type": "view_submission"})
    assert request.accepts_response_payload
    assert app.hellos[0]["num_connections"] == 1


def test_nobody_there(line: SocketLine) -> None:
    assert not line.send("interactive", {}).acked


def test_no_acknowledgement_is_waited_for_only_so_long(line: SocketLine, listen: Callable[..., Listener]) -> None:
    line.patience = 0.1
    app = listen(silent=True)
    assert not line.send("interactive", {}).acked
    line.send("interactive", {})
    assert [request.retry_attempt for request in app.heard] == [None, None]


def test_a_large_payload_arrives_whole(line: SocketLine, listen: Callable[..., Listener]) -> None:
    app = listen()
    assert line.send("interactive", {"text": "ü" * 100_000}).acked
    assert app.heard[0].payload == {"text": "ü" * 100_000}


def test_an_event_is_sent_again_until_acknowledged(line: SocketLine, listen: Callable[..., Listener]) -> None:
    line.patience = 0.1
    app = listen(silent=True)
    assert [one.acked for one in send_event(line, {"type": "event_callback"})] == [False] * 4
    tries = [(request.retry_attempt, request.retry_reason) for request in app.heard]
    assert tries == [(0, ""), (1, "timeout"), (2, "timeout"), (3, "timeout")]
    line.patience, app.silent = 3.0, False
    app.answer = {"text": "taken by nobody"}
    assert [(one.acked, one.answer) for one in send_event(line, {"type": "event_callback"})] == [(True, None)]


def test_each_payload_goes_to_one_connection(line: SocketLine, listen: Callable[..., Listener]) -> None:
    apps = [listen(), listen()]
    assert all(line.send("interactive", {"n": n}).acked for n in range(6))
    assert sorted(len(app.heard) for app in apps) == [3, 3]
    assert [app.hellos[0]["num_connections"] for app in apps] == [1, 2]


@pytest.mark.parametrize(
    ("reason", "close"), [("refresh_requested", True), ("warning", False), ("link_disabled", True)]
)
def test_told_to_go_a_client_comes_back(
    line: SocketLine, listen: Callable[..., Listener], reason: str, close: bool
) -> None:
    app = listen()
    line.disconnect(reason, close)
    assert line.wait_for(links=1, opened=2)
    assert line.send("interactive", {"after": reason}).acked
    assert app.heard[-1].payload == {"after": reason}


def test_the_acknowledgement_may_come_by_another_connection(
    slack: FakeSlack, line: SocketLine, listen: Callable[..., Listener]
) -> None:
    app = listen(silent=True)
    told: list[Any] = []
    sending = threading.Thread(target=lambda: told.append(line.send("interactive", {})))
    heard = threading.Event()
    app.client.message_listeners.append(
        lambda client, message, raw: heard.set() if message.get("type") == "interactive" else None
    )
    sending.start()
    assert heard.wait(5)
    line.disconnect()
    assert line.wait_for(links=1, opened=2)
    app.client.send_socket_mode_response(SocketModeResponse(app.heard[0].envelope_id))
    sending.join()
    assert told[0].acked


def test_a_drop_without_a_word(line: SocketLine, listen: Callable[..., Listener]) -> None:
    app = listen()
    line.drop()
    assert not line.send("interactive", {}).acked
    assert line.wait_for(links=1, opened=2)
    assert line.send("interactive", {}).acked
    assert len(app.heard) == 1


@pytest.mark.slow
def test_a_frozen_connection_is_given_up_by_the_client(line: SocketLine, listen: Callable[..., Listener]) -> None:
    app = listen()
    while app.client.current_session.last_ping_pong_time is None:  # type: ignore[union-attr]
        assert line.send("interactive", {}).acked  # before its first pong the client would not miss any
    line.patience = 0.1
    line.freeze()
    assert not line.send("interactive", {}).acked
    assert line.wait_for(links=1, opened=2)
    line.patience = 3.0
    assert line.send("interactive", {}).acked


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the client forgets a refused socket
def test_a_refused_handshake_is_tried_again_with_a_new_ticket(
    slack: FakeSlack, line: SocketLine, listen: Callable[..., Listener]
) -> None:
    line.refuse = 1
    listen()
    assert line.wait_for(links=1, opened=1)
    assert len(slack.seen("apps.connections.open")) == 2
    assert line.send("interactive", {}).acked


def test_garbage_reaches_the_app_and_garbage_from_it_is_kept(line: SocketLine, listen: Callable[..., Listener]) -> None:
    app = listen()
    line.send_text("no JSON")
    assert line.send("interactive", {}).acked
    app.client.send_message("no JSON either")
    app.client.send_message(json.dumps({"envelope_id": "of-nothing"}))
    assert line.send("interactive", {}).acked
    assert line.strays == ["no JSON either", {"envelope_id": "of-nothing"}]


def url_of(slack: FakeSlack) -> str:
    web = WebClient(slack.token, base_url=slack.base_url + "/api/")
    return str(web.apps_connections_open(app_token=slack.app_token)["url"])


def test_a_ticket_opens_one_connection(slack: FakeSlack) -> None:
    url = url_of(slack)
    with connect(url, proxy=None) as socket:
        assert json.loads(socket.recv(5))["type"] == "hello"
        for wrong in (url, url.replace("ticket-1", "ticket-9")):
            with pytest.raises(InvalidStatus) as refused, connect(wrong, proxy=None):
                pass
            assert refused.value.response.status_code == 404


def test_the_eleventh_connection_is_too_many(slack: FakeSlack, line: SocketLine) -> None:
    with contextlib.ExitStack() as ten:
        for _ in range(10):
            ten.enter_context(connect(url_of(slack), proxy=None))
        with connect(url_of(slack), proxy=None) as eleventh:
            assert json.loads(eleventh.recv(5))["reason"] == "too_many_websockets"
            with pytest.raises(ConnectionClosed):
                eleventh.recv(5)
        assert len(line.links) == 10
    assert line.wait_for(links=0)


def test_a_message_in_pieces_is_one_message(slack: FakeSlack, line: SocketLine) -> None:
    with connect(url_of(slack), proxy=None) as socket:
        socket.send(['{"envelope_id": ', '"of-nothing"}'])
        socket.ping().wait(5)
    assert line.strays == [{"envelope_id": "of-nothing"}]


@pytest.mark.parametrize(
    ("token", "error"), [("xapp-wrong", "invalid_auth"), ("xoxb-test-token", "not_allowed_token_type")]
)
def test_connections_are_for_the_app_token(slack: FakeSlack, token: str, error: str) -> None:
    web = WebClient(slack.token, base_url=slack.base_url + "/api/")
    with pytest.raises(SlackApiError) as caught:
        web.apps_connections_open(app_token=token)
    assert caught.value.response["error"] == error
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        web.auth_test(token=slack.app_token)


def test_connections_are_limited_by_the_minute() -> None:
    at = [1000.0]
    with FakeSlack(now=lambda: at[0], connections_a_minute=1) as slack:
        url_of(slack)
        with pytest.raises(SlackApiError) as caught:
            url_of(slack)
        assert caught.value.response.headers["Retry-After"] == "60"
        at[0] += 60
        url_of(slack)


# signed requests


class Door(FakeServer):
    """An app's address: what comes, and whether Slack's own verifier takes the signature."""

    def __init__(self) -> None:
        super().__init__()
        self.verifier = SignatureVerifier(SECRET)
        self.replies: list[Answer] = []

    def answer(self, request: Request) -> Answer:
        if not self.verifier.is_valid_request(request.raw, request.headers):
            return Answer(401, "")
        return self.replies.pop(0) if self.replies else Answer(200, "")


@pytest.fixture
def door() -> Iterator[Door]:
    with Door() as there:
        yield there


@pytest.fixture
def post(slack: FakeSlack, door: Door) -> HttpLine:
    return slack.http(f"{door.base_url}/slack/events", SECRET)


def test_an_interaction_is_a_form_with_json_in_it(door: Door, post: HttpLine) -> None:
    delivery = post.send("interactive", {"type": "block_actions", "text": "grüß &amp; <b>"})
    assert (delivery.acked, delivery.status, delivery.answer) == (True, 200, None)
    (request,) = door.requests
    assert json.loads(request.body["payload"]) == {"type": "block_actions", "text": "grüß &amp; <b>"}
    assert request.path == "/slack/events"


def test_a_command_is_a_form_and_its_answer_text_or_json(door: Door, post: HttpLine) -> None:
    door.replies = [Answer(200, "three are late"), Answer(200, {"response_type": "in_channel"})]
    form = {"command": "/calllight", "text": "late"}
    assert post.send("slash_commands", form).answer == {"text": "three are late"}
    assert post.send("slash_commands", form).answer == {"response_type": "in_channel"}
    assert door.requests[0].body == form


def test_an_event_is_json_and_retried(door: Door, post: HttpLine) -> None:
    door.replies = [Answer(500, ""), Answer(200, "")]
    assert [one.status for one in send_event(post, {"type": "event_callback"})] == [500, 200]
    first, second = door.requests
    assert first.body == second.body == {"type": "event_callback"}
    assert "x-slack-retry-num" not in first.headers
    assert (second.headers["x-slack-retry-num"], second.headers["x-slack-retry-reason"]) == ("1", "http_timeout")


@pytest.mark.parametrize(
    ("secret", "age", "status"),
    [(SECRET, 0, 200), (SECRET, 299, 200), (SECRET, 302, 401), (SECRET, -302, 401), ("another", 0, 401)],
)
def test_a_bad_or_a_late_signature(slack: FakeSlack, door: Door, secret: str, age: float, status: int) -> None:
    delivery = slack.http(door.base_url, secret, age).send("interactive", {})
    assert (delivery.acked, delivery.status) == (status == 200, status)


def test_a_replay_is_the_same_to_the_byte(door: Door, post: HttpLine) -> None:
    post.send("interactive", {"n": 1})
    post.again()
    post.again(x_slack_signature="v0=0000")
    post.again(x_slack_signature="")
    first, second, forged, unsigned = door.requests
    assert (first.raw, first.headers) == (second.raw, second.headers)
    assert "x-slack-signature" not in unsigned.headers
    assert [request.status for request in (first, second, forged, unsigned)] == [200, 200, 401, 401]


def test_garbage_may_be_signed_well(door: Door, post: HttpLine) -> None:
    assert post.post(b"payload=%7Bno+JSON").acked
    assert door.requests[0].body == {"payload": "{no JSON"}


def test_an_app_that_is_down_or_broken(slack: FakeSlack, door: Door, post: HttpLine) -> None:
    door.fail_next(Status(503, "busy"))
    assert (post.send("interactive", {}).acked, post.send("interactive", {}).acked) == (False, True)
    door.close()
    delivery = post.send("interactive", {})
    assert (delivery.acked, delivery.status) == (False, None)
