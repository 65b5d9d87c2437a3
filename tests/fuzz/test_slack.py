"""What Slack sends may be wrong in any way: it is acknowledged, nothing is half done, and nobody reads a traceback."""

import json
import logging
import random
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import NOW
from desk import Desk
from fakes.slack import FakeSlack
from fuzz.odd import NASTY, chances, changed, examples, watched
from hypothesis import given
from hypothesis import strategies as st
from slack_bolt.request import BoltRequest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from alerts.act import form_of, known_actions
from alerts.case import Case, CaseEvent
from alerts.slack import Slack
from alerts.slack_app import SlackApp
from config.schema import Config

BUTTONS = (
    "do:claim",
    "do:close",
    "do:draft",
    "do:more",
    "menu",
    "fold:next",
    "fold:show",
    "fold:page",
    "known",
    "open",
    "do:²",
)
UNHEARD = "press error=URLError"  # the address for the answer to a command is one where nobody listens
NOT_OURS = ("AttributeError", "KeyError", "TypeError", "ValueError")  # a payload of a shape that Slack never sends
VALUES = ("1", "claim:1", "2:10", "spike:1", "²", "9" * 30, "-1", "1 ", "٣", *NASTY)


def common(kind: str) -> dict[str, Any]:
    return {
        "type": kind, "team": {"id": "T0BRIGID", "domain": "x"}, "user": {"id": "U0ANA1", "username": "ana", "name": "ana", "team_id": "T0BRIGID"},
        "trigger_id": "1.2.3", "api_app_id": "A1", "response_url": "http://127.0.0.1:9/x",
    }  # fmt: skip


def pressing(action: str, value: str) -> dict[str, Any]:
    """A button of a card."""
    menu = (
        {"type": "overflow", "selected_option": {"value": value}}
        if action == "menu"
        else {"type": "button", "value": value}
    )
    return common("block_actions") | {
        "container": {"type": "message", "message_ts": "1.1", "channel_id": "C1"},
        "channel": {"id": "C1", "name": "social-care"},
        "message": {"ts": "1.1", "text": "a card", "blocks": []},
        "actions": [{"action_id": action, "block_id": "b", "action_ts": "1.1", **menu}],
    }


def submitting(action: str, about: str, fields: dict[str, str]) -> dict[str, Any]:
    """A form that was filled in."""
    values = {name: {name: {"type": "plain_text_input", "value": text}} for name, text in fields.items()}
    kept = json.dumps({"about": about, "channel": "C1", "seal": None})
    view = {"id": "V1", "hash": "h1", "type": "modal", "callback_id": f"do:{action}", "private_metadata": kept}
    return common("view_submission") | {"view": view | {"state": {"values": values}, "blocks": []}}


def command(text: str) -> dict[str, Any]:
    """What is typed after /calllight."""
    return {
        "command": "/calllight",
        "text": text,
        "user_id": "U0ANA1",
        "team_id": "T0BRIGID",
        "response_url": "http://127.0.0.1:9/x",
    }


presses = st.builds(pressing, st.sampled_from(BUTTONS), st.sampled_from(VALUES))
fields = st.dictionaries(
    st.sampled_from(["why", "outcome", "reply", "to", "span", "note", "action", "known"]), st.sampled_from(NASTY)
)
forms = st.builds(
    submitting, st.sampled_from([*sorted(known_actions()), "more", "known", "²"]), st.sampled_from(VALUES), fields
)
words = st.sampled_from(["open", "mine", "late", "on", "search waited", "search (", 'search "', "search NEAR(", *NASTY])
commands = st.builds(command, words)


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack(now=NOW.timestamp) as fake:
        yield fake


def taken(body: dict[str, Any]) -> BoltRequest | None:
    """A payload as slack-bolt takes it; None for a shape that it does not, before any of it is ours."""
    try:
        return BoltRequest(body=body, mode="socket_mode")
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


@pytest.mark.slow
def test_whatever_slack_sends(
    config: Config,
    engine: Engine,
    slack: FakeSlack,
    session: Session,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("slack_sdk.http_retry.handler.time", SimpleNamespace(sleep=lambda seconds: None))
    for channel in config.care.slack.channels.values():
        slack.add_channel(channel)
    door = Slack(slack.token, slack.base_url, config.care.slack.channels, lambda: NOW)
    app = SlackApp(lambda: config, engine, door, {}, lambda: NOW, lambda: None)
    Desk(session, config).alert("waited for hours")
    session.close()
    app.bolt.listener_runner.process_before_response = True  # nothing goes on behind

    @examples(150)
    @given(presses | forms | commands, chances, st.booleans())
    def sent(payload: dict[str, Any], chance: random.Random, is_changed: bool) -> None:
        caplog.clear()
        body = changed(payload, chance) if is_changed else payload
        with caplog.at_level(logging.ERROR), watched():
            if isinstance(body, dict) and (request := taken(body)):
                app.bolt.dispatch(request)
        said = {
            record.getMessage().partition(" at=")[0] for record in caplog.records if record.name == "alerts.slack_app"
        }
        odd = {f"press error={kind}" for kind in NOT_OURS} if body is not payload else {UNHEARD}
        assert said <= odd | {UNHEARD}, "who pressed is told that something nobody thought of went wrong"

    sent()
    with Session(engine) as after:
        case = after.exec(select(Case)).one()
        told = after.exec(select(CaseEvent).where(col(CaseEvent.case_id) == case.id)).all()
    assert case.state == "open" or any(event.who == "U0ANA1" for event in told), "what was done is written down"
    assert form_of is not None
