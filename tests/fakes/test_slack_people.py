"""People in the fake Slack, with a real Bolt app behind it: by Socket Mode and by signed requests alike."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from slack_bolt import App, BoltRequest
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from .server import Answer, FakeServer, Request
from .slack import FakeSlack
from .slack_lines import Delivery
from .slack_people import Person
from .slack_views import APP, TEAM

SECRET = "signing-secret"
NUMBERS = itertools.count(1)


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def options(*values: str) -> list[dict[str, Any]]:
    return [{"text": plain(value.title()), "value": value} for value in values]


def button(action_id: str, value: str, text: str = "Press") -> dict[str, Any]:
    return {"type": "button", "action_id": action_id, "value": value, "text": plain(text)}


CARD: list[dict[str, Any]] = [
    {"type": "section", "block_id": "case", "text": mrkdwn("Waited for hours")},
    {
        "type": "actions",
        "block_id": "do",
        "elements": [
            button("claim", "7", "Claim"),
            {"type": "overflow", "action_id": "more", "options": options("draft", "snooze")},
            {
                "type": "static_select",
                "action_id": "urgency",
                "options": options("routine", "urgent"),
                "initial_option": options("routine")[0],
            },
            button("draft", "7"),
            button("whisper", "7"),
        ],
    },
]


def an_input(block_id: str, element: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "input",
        "block_id": block_id,
        "label": plain(block_id),
        "element": {"action_id": f"{block_id}_id", **element},
        **more,
    }


def modal(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": "draft",
        "title": plain("Draft"),
        "submit": plain("Send"),
        "blocks": list(blocks),
        **more,
    }


def draft(text: str = "We are sorry", version: int = 1, **more: Any) -> dict[str, Any]:
    typed = {"type": "plain_text_input", "multiline": True, "initial_value": text, "max_length": 280}
    return modal(
        an_input(f"text{version}", typed),
        {"type": "actions", "block_id": "help", "elements": [button("mend", "7"), button("mend_anew", "7")]},
        **more,
    )


class Desk:
    """A Bolt app that answers a modal as its text says."""

    def __init__(self, fake: FakeSlack) -> None:
        self.seen: list[dict[str, Any]] = []
        self.client = WebClient(fake.token, base_url=fake.base_url + "/api/", timeout=5, retry_handlers=[])
        self.app = App(client=self.client, signing_secret=SECRET, token_verification_enabled=False)
        for action in ("claim", "more", "urgency"):
            self.app.action(action)(self.acknowledge)
        self.app.action("draft")(self.open)
        self.app.action("whisper")(self.whisper)
        self.app.action("hide")(self.hide)
        self.app.action("mend")(self.mend)
        self.app.action("mend_anew")(self.mend_anew)
        self.app.view("draft")(self.submitted)
        self.app.view_closed("draft")(self.acknowledge)
        self.app.command("/calllight")(self.commanded)

    def acknowledge(self, ack: Any, body: dict[str, Any]) -> None:
        self.seen.append(body)
        ack()

    def open(self, ack: Any, body: dict[str, Any]) -> None:
        ack()
        self.client.views_open(trigger_id=body["trigger_id"], view=draft(notify_on_close=True))

    def whisper(self, ack: Any, body: dict[str, Any]) -> None:
        ack()
        where, who = body["channel"]["id"], body["user"]["id"]
        blocks = [{"type": "actions", "block_id": "b", "elements": [button("hide", "1")]}]
        self.client.chat_postEphemeral(channel=where, user=who, text="only you", blocks=blocks)

    def hide(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        self.acknowledge(ack, body)
        respond(delete_original=True)

    def mend(self, ack: Any, body: dict[str, Any]) -> None:
        ack()
        self.client.views_update(view_id=body["view"]["id"], hash=body["view"]["hash"], view=draft("Mended"))

    def mend_anew(self, ack: Any, body: dict[str, Any]) -> None:
        ack()
        self.client.views_update(view_id=body["view"]["id"], view=draft("Mended", version=2))

    def submitted(self, ack: Any, body: dict[str, Any], view: dict[str, Any]) -> None:
        self.seen.append(body)
        (held,) = (held for block in view["state"]["values"].values() for held in block.values())
        block_id = view["blocks"][0]["block_id"]
        match held["value"].split():
            case ["errors"]:
                ack(response_action="errors", errors={block_id: "That confirms she is a patient."})
            case ["lost"]:
                ack(response_action="errors", errors={"elsewhere": "No such input."})
            case ["update"]:
                ack(response_action="update", view=draft("And now?", version=3))
            case ["push"]:
                ack(response_action="push", view=draft("Deeper"))
            case ["clear"]:
                ack(response_action="clear")
            case ["broken"]:
                ack(response_action="update", view=draft(title=plain("A title that is much too long")))
            case ["silence"]:
                raise RuntimeError("a bug of the app")
            case _:
                ack()

    def commanded(self, ack: Any, command: dict[str, Any], respond: Any) -> None:
        match command["text"]:
            case "late":
                ack("3 are late")
            case "loud":
                ack({"response_type": "in_channel", "text": "3 are late"})
            case "broken":
                ack({"blocks": [{"type": "poem"}]})
            case "search":
                ack()
                respond("found 2")
            case "draft":
                ack()
                self.client.views_open(trigger_id=command["trigger_id"], view=draft())


class Address(FakeServer):
    """Where a Bolt app takes requests."""

    def __init__(self, app: App) -> None:
        super().__init__()
        self.app = app

    def answer(self, request: Request) -> Answer:
        said = self.app.dispatch(BoltRequest(body=request.raw.decode(), headers=dict(request.headers)))
        return Answer(said.status, said.body or "", {name: values[0] for name, values in said.headers.items()})


@pytest.fixture(scope="module")
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture(scope="module", params=["socket", "http"])
def desk(slack: FakeSlack, request: pytest.FixtureRequest) -> Iterator[Desk]:
    made = Desk(slack)
    if request.param == "http":
        with Address(made.app) as address:
            slack.line = slack.http(f"{address.base_url}/slack/events", SECRET)
            yield made
        return
    handler = SocketModeHandler(made.app, slack.app_token, ping_interval=1)
    handler.connect()
    slack.line = slack.socket()
    yield made
    slack.socket().drop()
    handler.client.closed = True
    handler.client.enqueue_message("{}")
    handler.close()


@pytest.fixture
def care(slack: FakeSlack) -> str:
    return slack.add_channel(f"care-{next(NUMBERS)}")


@pytest.fixture
def ana(slack: FakeSlack) -> Person:
    return Person(slack, f"U0ANA{next(NUMBERS)}", "ana")


@pytest.fixture
def card(desk: Desk, care: str) -> str:
    desk.seen.clear()
    about = {"event_type": "card", "event_payload": {"case_id": 7}}
    return str(desk.client.chat_postMessage(channel=care, text="card", blocks=CARD, metadata=about)["ts"])


@pytest.fixture
def drafting(ana: Person, care: str, card: str) -> Person:
    ana.press(care, card, "draft")
    ana.view()
    return ana


# in a message


def test_a_press(desk: Desk, ana: Person, care: str, card: str) -> None:
    delivery = ana.press(care, card, "claim")
    assert (delivery.acked, delivery.answer, delivery.trouble) == (True, None, "")
    assert delivery.after < 3
    (body,) = desk.seen
    assert (body["type"], body["api_app_id"], body["team"]["id"]) == ("block_actions", APP, TEAM)
    assert body["user"] == {"id": ana.id, "username": "ana", "name": "ana", "team_id": TEAM}
    where = {"type": "message", "message_ts": card, "channel_id": care, "is_ephemeral": False}
    assert body["container"] == where
    assert body["channel"] == {"id": care, "name": care_name(ana, care)}
    assert (body["message"]["ts"], body["message"]["blocks"], body["message"]["app_id"]) == (card, CARD, APP)
    assert "metadata" not in body["message"]
    assert (body["enterprise"], body["is_enterprise_install"]) == (None, False)
    (action,) = body["actions"]
    assert action.pop("action_ts")
    assert action == {**button("claim", "7", "Claim"), "block_id": "do"}
    assert body["state"]["values"]["do"]["urgency"]["selected_option"] == options("routine")[0]
    assert body["response_url"].startswith(ana.fake.base_url)


def care_name(person: Person, channel: str) -> str:
    return person.fake.channel_named(channel)["name"]


def test_a_menu_and_a_select(desk: Desk, ana: Person, care: str, card: str) -> None:
    assert ana.choose(care, card, "more", "snooze").acked
    assert ana.choose(care, card, "urgency", "urgent").acked
    menu, select = (body["actions"][0] for body in desk.seen)
    assert (menu["type"], menu["selected_option"]) == ("overflow", options("snooze")[0])
    assert (select["type"], select["selected_option"]["value"]) == ("static_select", "urgent")
    assert desk.seen[1]["state"]["values"]["do"]["urgency"]["selected_option"]["value"] == "urgent"
    with pytest.raises(LookupError, match=r"'forward' is not offered: \['draft', 'snooze'\]"):
        ana.choose(care, card, "more", "forward")


def test_what_is_not_there_cannot_be_pressed(ana: Person, care: str, card: str) -> None:
    with pytest.raises(LookupError, match="claim"):
        ana.press(care, card, "close")
    with pytest.raises(LookupError, match="sees no message"):
        ana.press(care, "1.000000", "claim")


def test_buttons_of_one_action_are_told_apart_by_value(desk: Desk, ana: Person, care: str) -> None:
    desk.seen.clear()
    rows = [
        {"type": "section", "block_id": f"row{n}", "text": mrkdwn("x"), "accessory": button("claim", str(n))}
        for n in range(3)
    ]
    ts = str(desk.client.chat_postMessage(channel=care, text="late", blocks=rows)["ts"])
    with pytest.raises(LookupError, match="3 times"):
        ana.press(care, ts, "claim")
    ana.press(care, ts, "claim", "2")
    assert (desk.seen[0]["actions"][0]["value"], desk.seen[0]["actions"][0]["block_id"]) == ("2", "row2")


def test_a_deleted_message_can_still_be_pressed(desk: Desk, ana: Person, care: str, card: str) -> None:
    desk.client.chat_delete(channel=care, ts=card)
    assert ana.press(care, card, "claim").acked
    assert desk.seen[0]["message"]["ts"] == card


def test_the_same_press_twice(desk: Desk, ana: Person, care: str, card: str) -> None:
    ana.press(care, card, "claim")
    assert ana.again().acked
    assert desk.seen[0] == desk.seen[1]


def test_many_press_at_once(slack: FakeSlack, desk: Desk, care: str, card: str) -> None:
    people = [Person(slack, f"U0MANY{n}") for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        deliveries = list(pool.map(lambda person: person.press(care, card, "claim"), people))
    assert all(delivery.acked for delivery in deliveries)
    assert {body["user"]["id"] for body in desk.seen} == {person.id for person in people}


@pytest.mark.parametrize(
    "change",
    [
        {"team": {"id": "T0OTHER", "domain": "other"}},
        {"api_app_id": "A0OTHER"},
        {"actions": [{"type": "button", "action_id": "launch", "block_id": "b", "value": "1", "action_ts": "1.0"}]},
        {"type": "poem"},
    ],
    ids=lambda change: str(next(iter(change))),
)
def test_foreign_payloads_are_sent_as_they_are(ana: Person, care: str, card: str, change: dict[str, Any]) -> None:
    ana.fake.line.patience = 0.3
    known = "team" in change or "api_app_id" in change  # which Bolt does not look at
    assert ana.press(care, card, "claim", **change).acked is known
    ana.fake.line.patience = 3.0


def test_somebody_outside_the_channel(slack: FakeSlack, desk: Desk, ana: Person, care: str, card: str) -> None:
    slack.leave(care, ana.id)
    assert ana.id not in desk.client.conversations_members(channel=care)["members"]
    assert ana.press(care, card, "claim").acked
    with pytest.raises(SlackApiError, match="user_not_in_channel"):
        desk.client.chat_postEphemeral(channel=care, user=ana.id, text="hello?")


def test_what_only_one_person_sees(desk: Desk, ana: Person, slack: FakeSlack, care: str, card: str) -> None:
    ben = Person(slack, "U0BEN")
    assert ana.press(care, card, "whisper").acked
    assert slack.wait_until(ana.ephemerals)
    (message,) = ana.ephemerals()
    assert (message["text"], message["channel"]) == ("only you", care)
    assert ben.ephemerals() == []
    with pytest.raises(LookupError):
        ben.press(care, message["ts"], "hide")
    assert ana.press(care, message["ts"], "hide").acked
    assert desk.seen[-1]["container"]["is_ephemeral"]
    assert "message" not in desk.seen[-1]
    assert slack.wait_until(lambda: not ana.ephemerals())


# in a modal


def test_a_modal_is_filled_in_and_submitted(desk: Desk, drafting: Person) -> None:
    shown = drafting.view()
    assert shown["state"]["values"]["text1"]["text1_id"]["value"] == "We are sorry"
    assert shown["root_view_id"] == shown["id"]
    assert drafting.submit(text1="Please write to us").trouble == ""
    assert not drafting.sees_view()
    body = desk.seen[-1]
    assert (body["type"], body["view"]["callback_id"]) == ("view_submission", "draft")
    assert body["view"]["state"]["values"] == {
        "text1": {"text1_id": {"type": "plain_text_input", "value": "Please write to us"}}
    }
    assert (body["view"]["id"], body["view"]["hash"]) == (shown["id"], shown["hash"])


def test_errors_stay_beside_the_input(drafting: Person) -> None:
    delivery = drafting.submit(text1="errors")
    assert delivery.errors == {"text1": "That confirms she is a patient."}
    assert drafting.view()["state"]["values"]["text1"]["text1_id"]["value"] == "errors"
    assert drafting.submit(text1="fine").errors == {}
    assert not drafting.sees_view()


def test_a_modal_changes_is_pushed_and_cleared(drafting: Person) -> None:
    first = drafting.view()
    drafting.submit(text1="update")
    changed = drafting.view()
    assert (changed["id"], changed["blocks"][0]["block_id"]) == (first["id"], "text3")
    assert changed["hash"] != first["hash"]
    drafting.submit(text3="push")
    deeper = drafting.view()
    assert (deeper["previous_view_id"], deeper["root_view_id"]) == (first["id"], first["id"])
    drafting.submit(text1="fine")
    assert drafting.view()["id"] == first["id"]
    drafting.submit(text3="push")
    drafting.submit(text1="push")
    assert "push_limit_reached" in drafting.submit(text1="push").trouble
    drafting.submit(text1="clear")
    assert not drafting.sees_view()


@pytest.mark.parametrize(
    ("text", "trouble"),
    [("lost", "elsewhere"), ("broken", "less than 25 characters"), ("silence", "no answer in time")],
)
def test_an_answer_slack_cannot_use_leaves_the_modal(drafting: Person, text: str, trouble: str) -> None:
    drafting.fake.line.patience = 0.3
    delivery = drafting.submit(text1=text)
    drafting.fake.line.patience = 3.0
    assert trouble in delivery.trouble
    assert drafting.sees_view()
    drafting.submit(text1="clear")


def test_what_was_typed_stays_when_a_modal_is_updated_under_the_same_ids(slack: FakeSlack, drafting: Person) -> None:
    drafting.fill(text1="She was here")
    first = drafting.view()
    assert drafting.press_in_view("mend").acked
    assert slack.wait_until(lambda: drafting.view()["hash"] != first["hash"])
    assert drafting.view()["blocks"][0]["element"]["initial_value"] == "Mended"
    assert drafting.view()["state"]["values"]["text1"]["text1_id"]["value"] == "She was here"
    drafting.press_in_view("mend_anew")
    assert slack.wait_until(lambda: "text2" in drafting.view()["state"]["values"])
    assert drafting.view()["state"]["values"] == {
        "text2": {"text2_id": {"type": "plain_text_input", "value": "Mended"}}
    }
    drafting.submit(text2="clear")


@pytest.mark.parametrize(("text", "why"), [("", "required"), ("x" * 281, "281 characters")])
def test_slacks_client_keeps_what_does_not_fit(drafting: Person, text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        drafting.submit(text1=text)
    drafting.submit(text1="clear")


def test_closing_is_told_when_asked_for(desk: Desk, drafting: Person) -> None:
    delivery = drafting.close_view()
    assert isinstance(delivery, Delivery)
    assert delivery.acked
    assert (desk.seen[-1]["type"], desk.seen[-1]["is_cleared"]) == ("view_closed", False)
    with pytest.raises(LookupError, match="no modal is open"):
        drafting.view(within=0)


def test_the_same_submission_twice(desk: Desk, drafting: Person) -> None:
    drafting.submit(text1="fine")
    assert drafting.again().acked
    assert desk.seen[-1] == desk.seen[-2]


# every element


EVERYTHING: list[tuple[dict[str, Any], Any, dict[str, Any], dict[str, Any]]] = [
    ({"type": "plain_text_input"}, "a", {"value": None}, {"value": "a"}),
    ({"type": "email_text_input"}, "a@b.example", {"value": None}, {"value": "a@b.example"}),
    ({"type": "number_input", "is_decimal_allowed": False}, "5", {"value": None}, {"value": "5"}),
    (
        {"type": "static_select", "options": options("a", "b")},
        "b",
        {"selected_option": None},
        {"selected_option": options("b")[0]},
    ),
    (
        {"type": "static_select", "option_groups": [{"label": plain("g"), "options": options("a")}]},
        "a",
        {"selected_option": None},
        {"selected_option": options("a")[0]},
    ),
    (
        {"type": "radio_buttons", "options": options("a", "b"), "initial_option": options("a")[0]},
        "b",
        {"selected_option": options("a")[0]},
        {"selected_option": options("b")[0]},
    ),
    (
        {"type": "multi_static_select", "options": options("a", "b", "c")},
        ["a", "c"],
        {"selected_options": []},
        {"selected_options": options("a", "c")},
    ),
    (
        {"type": "checkboxes", "options": options("a", "b")},
        ["b"],
        {"selected_options": []},
        {"selected_options": options("b")},
    ),
    ({"type": "users_select"}, "U0BEN", {"selected_user": None}, {"selected_user": "U0BEN"}),
    ({"type": "multi_users_select"}, ["U0BEN"], {"selected_users": []}, {"selected_users": ["U0BEN"]}),
    (
        {"type": "conversations_select", "initial_conversation": "C1"},
        "C2",
        {"selected_conversation": "C1"},
        {"selected_conversation": "C2"},
    ),
    ({"type": "datepicker"}, "2026-11-16", {"selected_date": None}, {"selected_date": "2026-11-16"}),
    ({"type": "timepicker"}, "09:30", {"selected_time": None}, {"selected_time": "09:30"}),
    (
        {"type": "datetimepicker"},
        1795359600,
        {"selected_date_time": None},
        {"selected_date_time": 1795359600},
    ),
]


@pytest.mark.parametrize(("element", "choice", "first", "then"), EVERYTHING, ids=[one[0]["type"] for one in EVERYTHING])
def test_every_element_holds_what_slack_says_it_does(
    element: dict[str, Any], choice: Any, first: dict[str, Any], then: dict[str, Any]
) -> None:
    with FakeSlack() as slack:
        ana = Person(slack, "U0ANA")
        client = WebClient(slack.token, base_url=slack.base_url + "/api/")
        client.views_open(trigger_id=slack.new_trigger(ana.id), view=modal(an_input("it", element, optional=True)))
        kind = {"type": element["type"]}
        assert ana.view()["state"]["values"] == {"it": {"it_id": kind | first}}
        ana.fill(it_id=choice)
        assert ana.view()["state"]["values"] == {"it": {"it_id": kind | then}}
        ana.fill(it=None)
        empty = {name: [] if isinstance(value, list) else None for name, value in then.items()}
        assert ana.view()["state"]["values"] == {"it": {"it_id": kind | empty}}


# commands


def test_a_command_is_answered_at_once_or_later(desk: Desk, ana: Person, care: str) -> None:
    assert ana.command("/calllight", "late", care).answer["text"] == "3 are late"
    assert ana.command("/calllight", "search").answer["text"] == "found 2"
    assert [message["text"] for message in ana.ephemerals()] == ["3 are late", "found 2"]


def test_a_command_may_be_answered_to_all(ana: Person, care: str, desk: Desk) -> None:
    ana.command("/calllight", "loud", care)
    assert [message["text"] for message in ana.fake.messages(care)] == ["3 are late"]
    assert ana.ephemerals() == []


def test_a_command_may_open_a_modal(ana: Person, desk: Desk) -> None:
    assert ana.command("/calllight", "draft").answer is None
    assert ana.view()["callback_id"] == "draft"


def test_an_answer_to_a_command_that_slack_cannot_show(ana: Person, desk: Desk) -> None:
    assert "invalid_blocks" in ana.command("/calllight", "broken").trouble


def test_a_command_nobody_knows(ana: Person, desk: Desk) -> None:
    ana.fake.line.patience = 0.3
    delivery = ana.command("/elsewhere")
    ana.fake.line.patience = 3.0
    assert (delivery.acked, delivery.trouble) == (False, "/elsewhere failed with the error: operation_timeout")
