"""Events to other systems: signed so that the library of the standard takes them, and every answer by its remedy."""

import itertools
import re
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from conftest import PROJECT
from fakes.hook_receiver import OTHER, SECRET, HookReceiver
from fakes.server import RateLimited, Reset, Stall, Status
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from alerts import hooks as module
from alerts.hooks import Hooks, signed, signing_keys
from alerts.message import Message
from config.schema import Hook
from listener.errors import AskedToWait, CallLightError, NeedsPerson, TryLater

EVENT = {"type": "case.opened", "timestamp": "2026-11-16T15:00:00Z", "data": {"case_id": 7, "text": "ünïcode „quotes“"}}
MESSAGE = Message("", [], EVENT, "case.opened")
NOW = datetime(2026, 11, 16, 15, tzinfo=UTC)
_keys = itertools.count()


@pytest.fixture(scope="module")
def crm() -> Iterator[HookReceiver]:
    with HookReceiver() as fake:
        yield fake


@pytest.fixture(autouse=True)
def _as_new(crm: HookReceiver) -> None:
    crm.heal()
    crm.secret = SECRET
    crm.requests.clear()
    crm.events.clear()


def told(crm: HookReceiver, secret: str = SECRET, url: str | None = None, **more: str) -> str:
    """What is said when an event is told."""
    hook = Hook(name="crm", url=url or f"{crm.base_url}/hook")
    try:
        sent = Hooks([hook], {"CALL_LIGHT_HOOK_SECRET": secret, **more}).post("hook crm", MESSAGE, f"key{next(_keys)}")
        said = f"sent to {sent.place}"
    except CallLightError as error:
        said = f"{type(error).__name__}: {error}"
    assert not [secret for secret in (SECRET, OTHER) if secret[6:] in said]
    return said


def test_an_event_arrives_signed(crm: HookReceiver) -> None:
    assert told(crm) == "sent to 127.0.0.1"
    (request,) = crm.requests
    assert (request.method, request.path, request.headers["content-type"]) == ("POST", "/hook", "application/json")
    assert list(crm.events.values()) == [EVENT]
    assert "ünïcode".encode() in request.raw


def test_an_event_that_is_told_twice_is_one(crm: HookReceiver) -> None:
    door = Hooks([Hook(name="crm", url=crm.base_url)], {"CALL_LIGHT_HOOK_SECRET": SECRET})
    for _ in range(2):
        door.post("hook crm", MESSAGE, "the key")
    assert (len(crm.requests), list(crm.events)) == (2, ["the key"])
    assert door.find("hook crm", "the key", datetime.now(UTC), None) is None


@pytest.mark.parametrize(
    ("late", "body", "key"),
    [(timedelta(minutes=6), "{}", "key"), (timedelta(0), "{ }", "key"), (timedelta(0), "{}", "another")],
)
def test_what_was_changed_on_the_way_or_sent_again_later_is_refused(late: timedelta, body: str, key: str) -> None:
    """By whoever keeps to the standard: our part is that body, time and key are signed."""
    headers = signed([Webhook(SECRET)], "key", datetime.now(UTC) - late, "{}")
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, {**headers, "webhook-id": key})
    assert Webhook(SECRET).verify("{}", signed([Webhook(SECRET)], "key", datetime.now(UTC), "{}")) == {}


@pytest.mark.parametrize(
    ("receiver", "ours", "own", "taken"),
    [
        (SECRET, SECRET, "", True),
        (OTHER, SECRET, "", False),
        (OTHER, f"{OTHER} {SECRET}", "", True),  # while a secret is replaced, either is taken
        (SECRET, f"{OTHER}\n{SECRET}", "", True),
        (OTHER, SECRET, OTHER, True),  # a hook's own secret wins
        (SECRET, SECRET, OTHER, False),
        (SECRET, SECRET.removeprefix("whsec_"), "", True),
    ],
)
def test_which_secret(crm: HookReceiver, receiver: str, ours: str, own: str, taken: bool) -> None:
    crm.secret = receiver
    said = told(crm, ours, CALL_LIGHT_HOOK_SECRET_CRM=own)
    assert said.startswith("sent") if taken else said.startswith("TryLater: hook crm: answers 401; does its receiver")
    assert bool(crm.events) is taken


@pytest.mark.parametrize(
    ("secrets", "said"),
    [
        (
            {},
            "hook crm: set CALL_LIGHT_HOOK_SECRET_CRM or CALL_LIGHT_HOOK_SECRET in the environment or in .env and start the service again",
        ),
        ({"CALL_LIGHT_HOOK_SECRET": "our secret"}, "hook crm: CALL_LIGHT_HOOK_SECRET has to be whsec_ and 24 to 64"),
        ({"CALL_LIGHT_HOOK_SECRET": "whsec_" + "A" * 28}, "hook crm: CALL_LIGHT_HOOK_SECRET has to be whsec_ and"),
        ({"CALL_LIGHT_HOOK_SECRET": "whsec_" + "A" * 88}, "hook crm: CALL_LIGHT_HOOK_SECRET has to be whsec_ and"),
        ({"CALL_LIGHT_HOOK_SECRET": f"{SECRET} whsec_"}, "hook crm: CALL_LIGHT_HOOK_SECRET has to be whsec_ and"),
        (
            {"CALL_LIGHT_HOOK_SECRET": SECRET, "CALL_LIGHT_HOOK_SECRET_CRM": "ü" * 40},
            "hook crm: CALL_LIGHT_HOOK_SECRET_CRM has to be whsec_ and",
        ),
    ],
)
def test_a_secret_that_is_none(secrets: dict[str, str], said: str) -> None:
    with pytest.raises(NeedsPerson) as raised:
        signing_keys("crm", secrets)
    assert str(raised.value).startswith(said)


@given(secret=st.text(max_size=80))
def test_no_text_is_an_odd_secret(secret: str) -> None:
    try:
        keys = signing_keys("crm", {"CALL_LIGHT_HOOK_SECRET": secret})
    except NeedsPerson:
        return
    assert keys


@pytest.mark.parametrize(
    "zone", [UTC, timezone(timedelta(hours=-6)), timezone(timedelta(hours=5, minutes=45))], ids=str
)
def test_the_time_of_a_signature(zone: timezone) -> None:
    at = datetime.now(UTC).astimezone(zone)
    headers = signed([Webhook(SECRET)], "key", at, "{}")
    assert headers["webhook-timestamp"] == str(int(at.timestamp()))
    assert Webhook(SECRET).verify("{}", headers) == {}


@pytest.mark.parametrize("late", [timedelta(minutes=-6), timedelta(minutes=6)], ids=str)
def test_a_clock_that_is_wrong_is_refused(crm: HookReceiver, late: timedelta) -> None:
    hook = Hook(name="crm", url=crm.base_url)
    door = Hooks([hook], {"CALL_LIGHT_HOOK_SECRET": SECRET}, lambda: datetime.now(UTC) + late)
    with pytest.raises(TryLater, match="answers 401"):
        door.post("hook crm", MESSAGE, "key")


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    data=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=("Cs",))),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=("Cs",))), inner),
        max_leaves=8,
    )
)
def test_whatever_an_event_says_is_signed(crm: HookReceiver, data: Any) -> None:
    crm.events.clear()
    door = Hooks([Hook(name="crm", url=crm.base_url)], {"CALL_LIGHT_HOOK_SECRET": SECRET})
    door.post("hook crm", Message("", [], {"data": data}, ""), "key")
    assert crm.events == {"key": {"data": data}}


@pytest.mark.parametrize(
    ("fault", "error", "said"),
    [
        (Status(410), NeedsPerson, "hook crm: its receiver wants no more events (410); remove it from care.toml"),
        (
            Status(308, "", {"location": "/elsewhere"}),
            NeedsPerson,
            "hook crm: it has moved (308); write its new url in care.toml",
        ),
        (Status(500), TryLater, "hook crm: answers 500"),
        (Status(404), TryLater, "hook crm: answers 404"),
        (
            Status(403),
            TryLater,
            "hook crm: answers 403; does its receiver have the same secret as CALL_LIGHT_HOOK_SECRET?",
        ),
        (Status(503), TryLater, "hook crm: answers 503"),
        (RateLimited(), AskedToWait, "hook crm: asks to wait (429)"),
        (Reset(), TryLater, "hook crm: no answer (ConnectionError); check its url and the network, it is told again"),
        (Stall(20), TryLater, "hook crm: no answer (ReadTimeout); check its url and the network, it is told again"),
    ],
    ids=str,
)
def test_answers(
    crm: HookReceiver, monkeypatch: pytest.MonkeyPatch, fault: Any, error: type[CallLightError], said: str
) -> None:
    monkeypatch.setattr(module, "_TIMEOUT", (0.3, 0.3))
    crm.fail_next(fault)
    assert told(crm) == f"{error.__name__}: {said}"
    assert not crm.seen("elsewhere")


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("stated", "wait"),
    [
        ("120", timedelta(minutes=2)),
        ("Mon, 16 Nov 2026 15:01:00 GMT", timedelta(minutes=1)),
        ("999999", timedelta(days=1)),
        ("Mon, 16 Nov 9999 15:01:00 GMT", timedelta(days=1)),
    ],
)
def test_asked_to_wait(crm: HookReceiver, status: int, stated: str, wait: timedelta) -> None:
    crm.fail_next(Status(status, "", {"retry-after": stated}))
    door = Hooks([Hook(name="crm", url=crm.base_url)], {"CALL_LIGHT_HOOK_SECRET": SECRET}, lambda: NOW)
    with pytest.raises(AskedToWait) as raised:
        door.post("hook crm", MESSAGE, "key")
    assert raised.value.at == NOW + wait


def test_a_hook_that_is_not_there_any_more() -> None:
    with pytest.raises(NeedsPerson, match=r"^care\.toml has no hook crm any more, and events wait for it$"):
        Hooks([], {}).post("hook crm", MESSAGE, "key")


def test_an_endless_answer_is_not_read(crm: HookReceiver) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    sent = [0]

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
            try:
                while sent[0] < 50_000_000:
                    sent[0] += connection.send(b"x" * 65_536)
            except OSError:
                pass  # nobody reads on

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listening:
        assert told(crm, url=f"http://127.0.0.1:{listening.getsockname()[1]}/") == "sent to 127.0.0.1"
        thread.join(10)
    assert sent[0] < 50_000_000


def test_the_receiver_of_the_docs(crm: HookReceiver) -> None:
    docs = (PROJECT / "docs" / "handoff.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```python\n(.*?)```", docs, flags=re.DOTALL)
    program: dict[str, Any] = {}
    exec(snippet, program)
    received = program["received"]
    told(crm)
    (request,) = crm.requests
    assert received(request.raw, request.headers, SECRET) == EVENT
    assert received(request.raw, request.headers, OTHER) is None
    assert received(request.raw.replace(b"7", b"8"), request.headers, SECRET) is None
    assert received(request.raw, {**request.headers, "webhook-timestamp": "1700000000"}, SECRET) is None
    assert received(request.raw, {**request.headers, "webhook-signature": "nonsense"}, SECRET) is None
    assert received(request.raw, {}, SECRET) is None
