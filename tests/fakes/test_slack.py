"""The fake Slack, driven by slack_sdk's WebClient: what it takes, and what it refuses."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request as Post
from urllib.request import urlopen

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler, ServerErrorRetryHandler
from slack_sdk.webhook import WebhookClient

from .server import DropAfter, Fault, NotJson, RateLimited, Reset, Stall, Status
from .slack import FakeSlack, live_mentions
from .slack_limits import problems, view_problems

# some messages here go without a text on purpose
pytestmark = pytest.mark.filterwarnings("ignore:The top-level `text` argument is missing:UserWarning")

NOW = datetime(2024, 11, 21, 22, 40, tzinfo=UTC)


class Clock:
    """A time that moves when told to."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at.timestamp()


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slack(clock: Clock) -> Iterator[FakeSlack]:
    with FakeSlack(now=clock) as fake:
        fake.add_channel("care", "C0CARE")
        yield fake


def client_of(fake: FakeSlack, token: str = "xoxb-test-token", timeout: float = 2, **more: Any) -> WebClient:
    more.setdefault("retry_handlers", [])
    more["timeout"] = timeout  # any number will do, whatever the annotation says
    return WebClient(token, base_url=fake.base_url + "/api/", **more)


def error_of(caught: pytest.ExceptionInfo[SlackApiError]) -> str:
    return str(caught.value.response["error"])


def texts(fake: FakeSlack, channel: str = "care") -> list[str]:
    return [message["text"] for message in fake.messages(channel)]


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def plain(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, **more}


def section(text: str = "hello", **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": mrkdwn(text), **more}


def button(**more: Any) -> dict[str, Any]:
    return {"type": "button", "text": plain("Claim"), "action_id": "claim", **more}


def confirm(**change: Any) -> dict[str, Any]:
    return {"title": plain("Sure?"), "text": mrkdwn("Really"), "confirm": plain("Yes"), "deny": plain("No")} | change


def option(value: str = "a", **more: Any) -> dict[str, Any]:
    return {"text": plain("An option"), "value": value, **more}


def select(count: int = 2, **more: Any) -> dict[str, Any]:
    options = [option(str(n)) for n in range(count)]
    return {"type": "static_select", "action_id": "s", "options": options, **more}


def overflow(count: int) -> dict[str, Any]:
    return {"type": "overflow", "action_id": "o", "options": [option(str(n)) for n in range(count)]}


def actions(*elements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements), **more}


def rich(*elements: dict[str, Any], kind: str = "rich_text_section", **more: Any) -> dict[str, Any]:
    return {"type": "rich_text", "elements": [{"type": kind, "elements": list(elements), **more}]}


def header(text: str = "Hello") -> dict[str, Any]:
    return {"type": "header", "text": plain(text, emoji=True)}


IMAGE = {"type": "image", "image_url": "https://example.org/a.png", "alt_text": "a"}
SAID = {"type": "text", "text": "said", "style": {"italic": True}}

# who may


def test_auth_test_names_the_bot_and_the_scopes(slack: FakeSlack) -> None:
    answer = client_of(slack).auth_test()
    assert answer["bot_id"]
    assert answer["user_id"]
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


@pytest.mark.parametrize(("token", "error"), [("xoxb-wrong", "invalid_auth"), ("", "not_authed")])
def test_a_bad_token_is_refused(slack: FakeSlack, token: str, error: str) -> None:
    with pytest.raises(SlackApiError) as caught:
        client_of(slack, token).chat_postMessage(channel="care", text="hi")
    assert error_of(caught) == error
    assert texts(slack) == []


def test_a_missing_scope_is_named() -> None:
    with FakeSlack(scopes=["chat:write"]) as slack:
        slack.add_channel("care", "C0CARE")
        client = client_of(slack)
        with pytest.raises(SlackApiError) as caught:
            client.conversations_history(channel="C0CARE")
        assert error_of(caught) == "missing_scope"
        assert (caught.value.response["needed"], caught.value.response["provided"]) == (
            "channels:history",
            "chat:write",
        )
        assert client.chat_postMessage(channel="C0CARE", text="hi")["ok"]


# posting


@pytest.mark.parametrize("channel", ["#care", "care", "C0CARE"])
def test_posting_by_name_or_id_answers_with_the_id(slack: FakeSlack, channel: str) -> None:
    answer = client_of(slack).chat_postMessage(channel=channel, text="hi", client_msg_id="a-b")
    assert (answer["channel"], answer["ts"]) == ("C0CARE", "1732228800.000100")
    assert answer["message"]["text"] == "hi"
    (message,) = slack.messages(channel)
    assert (message["ts"], message["client_msg_id"]) == (answer["ts"], "a-b")


def test_every_ts_is_larger_than_the_last(slack: FakeSlack, clock: Clock) -> None:
    client = client_of(slack)
    given = []
    for step in (0, 0, 5, -60):
        clock.at += timedelta(seconds=step)
        given.append(client.chat_postMessage(channel="care", text="hi")["ts"])
    assert given == sorted(set(given))
    assert given[:3] == ["1732228800.000100", "1732228800.000200", "1732228805.000100"]


def test_a_form_body_is_taken_as_well(slack: FakeSlack) -> None:
    form = {"token": "xoxb-test-token", "channel": "care", "text": "hi", "blocks": json.dumps([section("form")])}
    with urlopen(Post(slack.base_url + "/api/chat.postMessage", urlencode(form).encode()), timeout=2) as answer:
        assert json.load(answer)["ok"]
    assert slack.messages("care")[0]["blocks"][0]["text"]["text"] == "form"


def test_duplicates_are_not_detected(slack: FakeSlack) -> None:
    for _ in range(2):
        client_of(slack).chat_postMessage(channel="care", text="hi", client_msg_id="the-same")
    assert texts(slack) == ["hi", "hi"]


def test_many_may_post_at_once(slack: FakeSlack) -> None:
    client = client_of(slack)
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda n: client.chat_postMessage(channel="care", text=str(n))["ts"], range(24)))
    assert len(set(given)) == len(slack.messages("care")) == len(slack.requests) == 24


@pytest.mark.parametrize(
    ("channel", "error"),
    [
        ("nowhere", "channel_not_found"),
        ("hidden", "channel_not_found"),
        ("elsewhere", "not_in_channel"),
        ("old", "is_archived"),
    ],
)
def test_channels_that_take_no_message(slack: FakeSlack, channel: str, error: str) -> None:
    slack.add_channel("hidden", private=True, member=False)
    slack.add_channel("elsewhere", member=False)
    slack.add_channel("old", archived=True)
    with pytest.raises(SlackApiError) as caught:
        client_of(slack).chat_postMessage(channel=channel, text="hi")
    assert error_of(caught) == error


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ({"text": "", "unfurl_links": False}, "no_text"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"text": "hi", "blocks": "[{"}, "invalid_blocks_format"),
        ({"text": "hi", "blocks": [section("")]}, "invalid_blocks"),
        ({"text": "hi", "blocks": [section("x" * 2700)] * 5}, "msg_blocks_too_long"),
        ({"text": "hi", "metadata": {"event_type": "mention"}}, "invalid_metadata_schema"),
        ({"text": "hi", "metadata": {"event_type": "m", "event_payload": {"x": "y" * 9000}}}, "metadata_too_large"),
    ],
)
def test_messages_that_are_refused(slack: FakeSlack, content: dict[str, Any], error: str) -> None:
    with pytest.raises(SlackApiError) as caught:
        client_of(slack).chat_postMessage(channel="care", **content)
    assert error_of(caught) == error
    assert texts(slack) == []


def test_invalid_blocks_say_where(slack: FakeSlack) -> None:
    with pytest.raises(SlackApiError) as caught:
        client_of(slack).chat_postMessage(channel="care", text="hi", blocks=[section(), section("x" * 3001)])
    assert caught.value.response["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/1/text/text]"
    ]


def test_a_method_that_does_not_exist(slack: FakeSlack) -> None:
    with pytest.raises(SlackApiError) as caught:
        client_of(slack).api_call("chat.shout")
    assert error_of(caught) == "unknown_method"


# updating, deleting, reading


def test_an_update_keeps_the_ts(slack: FakeSlack) -> None:
    client = client_of(slack)
    ts = client.chat_postMessage(
        channel="care", text="new", blocks=[section()], metadata={"event_type": "m", "event_payload": {"case": "7"}}
    )["ts"]
    client.chat_update(channel="C0CARE", ts=ts, text="claimed", blocks=[section("claimed")])
    (message,) = slack.messages("care")
    assert (message["ts"], message["text"], message["blocks"][0]["text"]["text"]) == (ts, "claimed", "claimed")
    assert message["edited"]["user"] == message["user"]
    assert message["metadata"]["event_payload"] == {"case": "7"}
    client.chat_update(channel="C0CARE", ts=ts, text="gone")
    assert "blocks" not in slack.messages("care")[0]  # a text alone takes the blocks away
    client.chat_update(channel="C0CARE", ts=ts, blocks=[section("back")], text="back")
    client.chat_update(channel="C0CARE", ts=ts, metadata={})
    (message,) = slack.messages("care")
    assert "metadata" not in message
    assert message["blocks"][0]["text"]["text"] == "back"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"ts": "1732228800.999999"}, "message_not_found"),
        ({"channel": "care"}, "channel_not_found"),  # an update wants the id
        ({"text": "x" * 4001}, "msg_too_long"),
        ({"text": None}, "no_text"),
        ({"blocks": [section(""), {"type": "divider"}]}, "invalid_blocks"),
    ],
)
def test_updates_that_are_refused(slack: FakeSlack, change: dict[str, Any], error: str) -> None:
    client = client_of(slack)
    ts = client.chat_postMessage(channel="care", text="new")["ts"]
    with pytest.raises(SlackApiError) as caught:
        client.chat_update(**{"channel": "C0CARE", "ts": ts, "text": "changed"} | change)
    assert error_of(caught) == error
    assert texts(slack) == ["new"]


def test_somebody_elses_message_stays_as_it_is(slack: FakeSlack) -> None:
    client, ts = client_of(slack), slack.add_message("care", "mine")
    with pytest.raises(SlackApiError, match="cant_update_message"):
        client.chat_update(channel="C0CARE", ts=ts, text="yours")
    with pytest.raises(SlackApiError, match="cant_delete_message"):
        client.chat_delete(channel="C0CARE", ts=ts)
    assert texts(slack) == ["mine"]


def test_a_deleted_message_is_gone(slack: FakeSlack) -> None:
    client = client_of(slack)
    ts = [client.chat_postMessage(channel="care", text=text)["ts"] for text in ("one", "two")]
    client.chat_delete(channel="C0CARE", ts=ts[0])
    slack.remove_message("care", ts[1])
    assert texts(slack) == []
    for one in ts:
        with pytest.raises(SlackApiError, match="message_not_found"):
            client.chat_update(channel="C0CARE", ts=one, text="again")


def test_history_is_newest_first_and_paged(slack: FakeSlack) -> None:
    client = client_of(slack)
    ts = [client.chat_postMessage(channel="care", text=str(n))["ts"] for n in range(5)]
    client.chat_postMessage(channel="care", text="in a thread", thread_ts=ts[0])
    first = client.conversations_history(channel="C0CARE", limit=3)
    assert [message["text"] for message in first["messages"]] == ["4", "3", "2"]
    assert first["has_more"]
    rest = client.conversations_history(channel="C0CARE", limit=3, cursor=first["response_metadata"]["next_cursor"])
    assert [message["text"] for message in rest["messages"]] == ["1", "0"]
    assert not rest["has_more"]
    thread = client.conversations_replies(channel="C0CARE", ts=ts[0])
    assert [message["text"] for message in thread["messages"]] == ["0", "in a thread"]


def test_oldest_and_latest_are_exclusive_unless_told(slack: FakeSlack) -> None:
    client = client_of(slack)
    ts = [client.chat_postMessage(channel="care", text=str(n))["ts"] for n in range(4)]

    def between(inclusive: bool) -> list[str]:
        answer = client.conversations_history(channel="C0CARE", oldest=ts[0], latest=ts[2], inclusive=inclusive)
        return [message["text"] for message in answer["messages"]]

    assert between(False) == ["1"]
    assert between(True) == ["2", "1", "0"]


def test_metadata_is_read_only_when_asked_for(slack: FakeSlack) -> None:
    client = client_of(slack)
    about = {"event_type": "mention_alert", "event_payload": {"case_id": "7"}}
    posted = client.chat_postMessage(channel="care", text="hi", metadata=about)
    assert "metadata" not in posted["message"]
    assert "metadata" not in client.conversations_history(channel="C0CARE")["messages"][0]
    asked = client.conversations_history(channel="C0CARE", include_all_metadata=True)
    assert asked["messages"][0]["metadata"] == about


def test_history_wants_the_id_and_membership(slack: FakeSlack) -> None:
    slack.add_channel("elsewhere", "C0ELSE", member=False)
    for channel, error in (("care", "channel_not_found"), ("C0ELSE", "not_in_channel")):
        with pytest.raises(SlackApiError, match=error):
            client_of(slack).conversations_history(channel=channel)
    with pytest.raises(SlackApiError, match="invalid_cursor"):
        client_of(slack).conversations_history(channel="C0CARE", cursor="nonsense")
    with pytest.raises(SlackApiError, match="invalid_limit"):
        client_of(slack).conversations_history(channel="C0CARE", limit=1000)


def test_channels_are_listed_in_pages(slack: FakeSlack) -> None:
    slack.add_channel("old", archived=True)
    slack.add_channel("hidden", private=True)
    slack.add_channel("theirs", private=True, member=False)
    client = client_of(slack)
    kinds = "public_channel,private_channel"
    first = client.conversations_list(limit=2, types=kinds)
    rest = client.conversations_list(limit=2, types=kinds, cursor=first["response_metadata"]["next_cursor"])
    assert [one["name"] for one in first["channels"] + rest["channels"]] == ["care", "old", "hidden"]
    assert rest["response_metadata"]["next_cursor"] == ""
    assert [one["name"] for one in client.conversations_list(exclude_archived=True)["channels"]] == ["care"]


def test_joining(slack: FakeSlack) -> None:
    slack.add_channel("elsewhere", "C0ELSE", member=False)
    client = client_of(slack)
    assert not client.conversations_info(channel="C0ELSE")["channel"]["is_member"]
    assert client.conversations_join(channel="C0ELSE")["channel"]["is_member"]
    assert client.chat_postMessage(channel="elsewhere", text="hi")["channel"] == "C0ELSE"
    slack.change_channel("elsewhere", archived=True)
    with pytest.raises(SlackApiError, match="is_archived"):
        client.conversations_join(channel="C0ELSE")


# people


def test_direct_messages_are_opened_or_posted_to_the_person(slack: FakeSlack) -> None:
    slack.add_user("U0ANA", "ana")
    client = client_of(slack)
    opened = client.conversations_open(users="U0ANA")["channel"]["id"]
    posted = client.chat_postMessage(channel="U0ANA", text="yours")
    assert opened == posted["channel"] == "D0ANA"
    client.chat_update(channel="D0ANA", ts=posted["ts"], text="yours still")
    assert [message["text"] for message in slack.direct_messages("U0ANA")] == ["yours still"]
    assert client.conversations_info(channel="D0ANA")["channel"]["is_im"]
    assert [one["id"] for one in client.conversations_list()["channels"]] == ["C0CARE"]


@pytest.mark.parametrize(
    ("method", "args", "error"),
    [
        ("conversations.open", {"users": "U0NOBODY"}, "user_not_found"),
        ("conversations.open", {}, "users_list_not_supplied"),
        ("chat.postMessage", {"channel": "U0NOBODY", "text": "hi"}, "channel_not_found"),
        ("users.info", {"user": "U0NOBODY"}, "user_not_found"),
        ("usergroups.users.list", {"usergroup": "S0NONE"}, "no_such_subteam"),
        ("chat.getPermalink", {"channel": "C0CARE", "message_ts": "1.000000"}, "message_not_found"),
        ("chat.postEphemeral", {"channel": "C0CARE", "user": "U0NOBODY", "text": "hi"}, "user_not_in_channel"),
        ("chat.postEphemeral", {"channel": "C0CARE", "user": "U0ANA"}, "no_text"),
        ("conversations.members", {"channel": "C0NONE"}, "channel_not_found"),
    ],
)
def test_people_who_are_not_there(slack: FakeSlack, method: str, args: dict[str, Any], error: str) -> None:
    slack.add_user("U0ANA", "ana")
    with pytest.raises(SlackApiError) as caught:
        client_of(slack).api_call(method, json=args)
    assert error_of(caught) == error


def test_who_is_in_a_group_and_in_a_channel(slack: FakeSlack) -> None:
    for user in ("U0ANA", "U0BEN", "U0EVE"):
        slack.add_user(user, user[2:].lower())
    slack.leave("care", "U0EVE")
    group = slack.add_group("@care-leads", ["U0ANA"])
    client = client_of(slack)
    assert client.usergroups_users_list(usergroup=group)["users"] == ["U0ANA"]
    (shown,) = client.usergroups_list()["usergroups"]
    assert (shown["id"], shown["handle"], shown["user_count"]) == (group, "care-leads", 1)
    slack.add_group("care-leads", ["U0BEN"], group)
    (shown,) = client.usergroups_list(include_users=True)["usergroups"]
    assert shown["users"] == ["U0BEN"]
    assert client.conversations_members(channel="C0CARE")["members"][1:] == ["U0ANA", "U0BEN"]
    assert client.users_info(user="U0BEN")["user"]["profile"]["display_name"] == "ben"


@pytest.mark.parametrize(
    ("method", "args", "scope"),
    [
        ("conversations.open", {"users": "U0ANA"}, "im:write"),
        ("users.info", {"user": "U0ANA"}, "users:read"),
        ("usergroups.list", {}, "usergroups:read"),
        ("usergroups.users.list", {"usergroup": "S1"}, "usergroups:read"),
        ("chat.postEphemeral", {}, "chat:write"),
    ],
)
def test_the_scopes_these_need(method: str, args: dict[str, Any], scope: str) -> None:
    with FakeSlack(scopes=["channels:read"]) as slack, pytest.raises(SlackApiError) as caught:
        client_of(slack).api_call(method, json=args)
    assert (error_of(caught), caught.value.response["needed"]) == ("missing_scope", scope)


def test_a_permalink(slack: FakeSlack) -> None:
    client = client_of(slack)
    ts = client.chat_postMessage(channel="care", text="hi")["ts"]
    link = client.chat_getPermalink(channel="C0CARE", message_ts=ts)["permalink"]
    assert link == f"https://example.slack.com/archives/C0CARE/p{ts.replace('.', '')}"


# response_url


def test_a_response_url_whispers_speaks_replaces_and_deletes(slack: FakeSlack) -> None:
    slack.add_user("U0ANA", "ana")
    ts = client_of(slack).chat_postMessage(channel="care", text="card", blocks=[section()])["ts"]
    hook = slack.new_hook("actions", "U0ANA", "care", ts)
    app = WebhookClient(hook.url)
    app.send(text="only you")
    app.send(text="all of you", response_type="in_channel")
    assert [message["text"] for message in slack.ephemerals("U0ANA")] == ["only you"]
    assert texts(slack) == ["card", "all of you"]
    app.send(text="changed", replace_original=True)
    assert texts(slack) == ["changed", "all of you"]
    assert "blocks" not in slack.messages("care")[0]
    app.send(delete_original=True)
    assert texts(slack) == ["all of you"]
    assert [sorted(said) for said in hook.said[2:]] == [["replace_original", "text"], ["delete_original"]]
    assert app.send(text="x", replace_original=True).status_code == 400


@pytest.mark.parametrize(
    ("uses", "minutes", "error"), [(4, 30, "ok"), (5, 0, "used_url"), (0, 30.1, "expired_url")], ids=str
)
def test_a_response_url_is_good_five_times_in_half_an_hour(
    slack: FakeSlack, clock: Clock, uses: int, minutes: float, error: str
) -> None:
    app = WebhookClient(slack.new_hook("commands", "U0ANA", "care").url)
    for _ in range(uses):
        assert app.send(text="hi").status_code == 200
    clock.at += timedelta(minutes=minutes)
    answer = app.send(text="hi")
    assert (answer.status_code, error in answer.body) == (200 if error == "ok" else 404, True)


def test_blocks_are_checked_there_too(slack: FakeSlack) -> None:
    answer = WebhookClient(slack.new_hook("commands", "U0ANA", "care").url).send(blocks=[section("")])
    assert (answer.status_code, json.loads(answer.body)["error"]) == (400, "invalid_blocks")


# --- files


def upload(slack: FakeSlack, client: WebClient, name: str = "chart.png", content: bytes = b"PNG") -> dict[str, Any]:
    """A file by the three steps; as completeUploadExternal shows it."""
    ticket = client.files_getUploadURLExternal(filename=name, length=len(content), alt_txt="What it shows")
    with urlopen(Post(ticket["upload_url"], content, {"Content-Type": "application/octet-stream"})) as answer:
        assert answer.read() == f"OK - {len(content)}".encode()
    done = client.files_completeUploadExternal(files=[{"id": ticket["file_id"], "title": "Chart"}])
    shown: dict[str, Any] = done["files"][0]
    return shown


def image(id: str) -> list[dict[str, Any]]:
    return [{"type": "image", "alt_text": "What it shows", "slack_file": {"id": id}}]


@pytest.fixture
def client(slack: FakeSlack) -> WebClient:
    return WebClient(slack.token, base_url=slack.base_url + "/api/", retry_handlers=[])


def test_a_file_is_private_until_its_owner_posts_its_link(slack: FakeSlack, client: WebClient) -> None:
    page = upload(slack, client, "page.html")
    assert page["mimetype"] == "", "it is not looked at yet"
    client.chat_postMessage(channel="C0CARE", text=f"<{page['permalink']}|page>", unfurl_media=False)
    assert slack.files()[0].shared == set()
    client.chat_postMessage(
        channel="C0CARE", text="page", blocks=[{"type": "section", "text": {"type": "mrkdwn", "text": page["id"]}}]
    )
    assert slack.files()[0].shared == set()
    client.chat_postMessage(channel="C0CARE", text=f"<{page['permalink']}|page>")
    assert slack.files()[0].shared == {"C0CARE"}
    assert slack.messages("care")[-1]["files"] == [{"id": page["id"], "permalink": page["permalink"]}]


def test_an_edit_shares_by_id(slack: FakeSlack, client: WebClient) -> None:
    page = upload(slack, client, "page.html")
    ts = client.chat_postMessage(channel="C0CARE", text="soon")["ts"]
    client.chat_update(channel="C0CARE", ts=ts, text=f"<{page['permalink']}|page>")
    assert slack.files()[0].shared == set()
    client.chat_update(channel="C0CARE", ts=ts, text="page", file_ids=[page["id"]])
    assert slack.files()[0].shared == {"C0CARE"}
    with pytest.raises(SlackApiError, match="file_not_found"):
        client.chat_update(channel="C0CARE", ts=ts, text="page", file_ids=["F0000000099"])


def test_an_image_block_waits_until_the_file_was_looked_at(slack: FakeSlack, client: WebClient, clock: Clock) -> None:
    slack.looks_at_files = 5
    chart = upload(slack, client)
    with pytest.raises(SlackApiError, match=r"invalid slack file \[json-pointer:/blocks/0/slack_file\]"):
        client.chat_postMessage(channel="C0CARE", text="x", blocks=image(chart["id"]))
    assert slack.messages("care") == []
    clock.at += timedelta(seconds=5)
    client.chat_postMessage(channel="C0CARE", text="x", blocks=image(chart["id"]))
    assert slack.files()[0].shared == set(), "an image block shows a private file, and shares nothing"
    client.files_delete(file=chart["id"])
    with pytest.raises(SlackApiError, match="invalid slack file"):
        client.chat_postMessage(channel="C0CARE", text="x", blocks=image(chart["id"]))


def test_files_are_deleted_once(slack: FakeSlack, client: WebClient) -> None:
    chart = upload(slack, client)
    client.files_delete(file=chart["id"])
    assert slack.files() == []
    for id, error in ((chart["id"], "file_deleted"), ("F0000000099", "file_not_found")):
        with pytest.raises(SlackApiError, match=error):
            client.files_delete(file=id)


def test_what_uploads_slack_refuses(slack: FakeSlack, client: WebClient) -> None:
    for name, length, alt, error in (
        ("a.png", 0, "", "missing_argument"),
        ("a.png", 1, "x" * 1001, "alt_txt_too_large"),
    ):
        with pytest.raises(SlackApiError, match=error):
            client.files_getUploadURLExternal(filename=name, length=length, alt_txt=alt)
    ticket = client.files_getUploadURLExternal(filename="a.png", length=3)
    with pytest.raises(SlackApiError, match="file_not_found"):
        client.files_completeUploadExternal(files=[{"id": ticket["file_id"], "title": "empty"}])
    with pytest.raises(OSError, match="500"):
        urlopen(Post(ticket["upload_url"], b"of another length"))
    slack.refuses_files = "file_uploads_except_images_disabled"
    with pytest.raises(SlackApiError, match="file_uploads_except_images_disabled"):
        client.files_getUploadURLExternal(filename="a.html", length=3)
    assert client.files_getUploadURLExternal(filename="a.png", length=3)["ok"]
    slack.refuses_files = "file_uploads_disabled"
    with pytest.raises(SlackApiError, match="file_uploads_disabled"):
        client.files_getUploadURLExternal(filename="a.png", length=3)
    slack.scopes = ("chat:write",)
    for call in (lambda: client.files_delete(file="F1"), lambda: client.files_completeUploadExternal(files=[])):
        with pytest.raises(SlackApiError, match="missing_scope"):
            call()


# views


def an_input(**more: Any) -> dict[str, Any]:
    element = {"type": "plain_text_input", "action_id": "text"}
    return {"type": "input", "block_id": "why", "label": plain("Why"), "element": element, **more}


def typed(**more: Any) -> dict[str, Any]:
    return an_input(element={"type": "plain_text_input", "action_id": "text", **more})


def modal(*blocks: dict[str, Any], **change: Any) -> dict[str, Any]:
    view = {"type": "modal", "title": plain("Draft"), "submit": plain("Send"), "blocks": list(blocks or [an_input()])}
    return {name: value for name, value in (view | change).items() if value is not None}


VIEWS_AT_THEIR_LIMITS: list[dict[str, Any]] = [
    modal(title=plain("x" * 24), submit=plain("x" * 24), close=plain("x" * 24)),
    modal(private_metadata="x" * 3000, callback_id="x" * 255, external_id="x" * 255),
    modal(*[{"type": "divider"}] * 100, submit=None),
    modal(an_input(label=plain("x" * 2000), hint=plain("x" * 2000), optional=True, dispatch_action=True)),
    modal(typed(initial_value="x" * 3000, min_length=0, max_length=3000, multiline=True, focus_on_load=True)),
    modal(an_input(element=select(100))),
    modal(an_input(element={"type": "radio_buttons", "options": [option(str(n)) for n in range(10)]})),
    modal(an_input(element={"type": "number_input", "is_decimal_allowed": False})),
    modal(section(accessory=button()), actions(button(), overflow(5)), submit=None),
    modal(title=plain("T"), clear_on_close=True, notify_on_close=True, submit_disabled=False),
]


@pytest.mark.parametrize("view", VIEWS_AT_THEIR_LIMITS, ids=range(len(VIEWS_AT_THEIR_LIMITS)))
def test_views_up_to_the_limits_are_opened(slack: FakeSlack, view: dict[str, Any]) -> None:
    assert view_problems(view) == []
    shown = client_of(slack).views_open(trigger_id=slack.new_trigger("U0ANA"), view=view)["view"]
    assert len({block["block_id"] for block in shown["blocks"]}) == len(view["blocks"])


VIEWS_OVER: list[tuple[Any, str]] = [
    (modal(title=plain("x" * 25)), "less than 25 characters [json-pointer:/view/title/text]"),
    (modal(title=mrkdwn("x")), "must be of type plain_text, not mrkdwn [json-pointer:/view/title]"),
    (modal(title=None), "missing required field: title"),
    (modal(submit=plain("x" * 25)), "less than 25 characters [json-pointer:/view/submit/text]"),
    (modal(close=plain("")), "more than 0 characters [json-pointer:/view/close/text]"),
    (modal(private_metadata="x" * 3001), "less than 3001 characters [json-pointer:/view/private_metadata]"),
    (modal(callback_id="x" * 256), "less than 256 characters [json-pointer:/view/callback_id]"),
    (modal(type="dialog"), "must be a valid enum value [json-pointer:/view/type]"),
    (modal(colour="red"), "invalid additional property: colour"),
    (modal(notify_on_close="yes"), "must provide a boolean"),
    (modal(*[{"type": "divider"}] * 101), "no more than 100 items allowed [json-pointer:/view/blocks]"),
    (modal(blocks=[]), "no fewer than 1 items"),
    (modal(submit=None), "must define `submit` to use an `input` block in modals"),
    (modal(an_input(), an_input()), '`block_id` "why" is used more than once [json-pointer:/view/blocks]'),
    (modal(actions(button(), button())), '`action_id` "claim" already exists [json-pointer:/view/blocks/0/elements]'),
    (modal(an_input(label=plain("x" * 2001))), "less than 2001 characters [json-pointer:/view/blocks/0/label/text]"),
    (modal(an_input(hint=plain("x" * 2001))), "less than 2001 characters [json-pointer:/view/blocks/0/hint/text]"),
    (modal(an_input(element=button())), "unsupported type: button [json-pointer:/view/blocks/0/element/type]"),
    (modal({"type": "input", "label": plain("x")}), "missing required field: element"),
    (modal(typed(initial_value="x" * 3001)), "less than 3001 characters"),
    (modal(typed(max_length=3001)), "must be a number from 1 to 3000"),
    (modal(typed(min_length=-1)), "must be a number from 0 to 3000"),
    (modal(an_input(element=select(101))), "no more than 100 items"),
    (modal(an_input(element={"type": "checkboxes", "options": [option(str(n)) for n in range(11)]})), "10 items"),
    (modal(an_input(element={"type": "number_input"})), "missing required field: is_decimal_allowed"),
    (modal(actions(overflow(6))), "no more than 5 items"),
    (modal({"type": "markdown", "text": "x"}), "unsupported type: markdown"),
    (modal(typed(focus_on_load=True), typed(focus_on_load=True) | {"block_id": "b"}), "`focus_on_load`"),
    ("no view", "must provide an object [json-pointer:/view]"),
]


@pytest.mark.parametrize(("view", "problem"), VIEWS_OVER, ids=[problem for _, problem in VIEWS_OVER])
def test_views_over_the_limits_are_refused(slack: FakeSlack, view: Any, problem: str) -> None:
    assert [one for one in view_problems(view) if problem in one]
    trigger = slack.new_trigger("U0ANA")
    client = client_of(slack)
    with pytest.raises(SlackApiError) as caught:
        client.api_call("views.open", json={"trigger_id": trigger, "view": view})
    assert error_of(caught) == "invalid_arguments"
    assert client.views_open(trigger_id=trigger, view=modal())["ok"]  # what was refused has not used the trigger up


def test_input_blocks_are_for_views(slack: FakeSlack) -> None:
    assert problems([an_input()]) == ["unsupported type: input [json-pointer:/blocks/0/type]"]


def test_a_view_that_is_too_large(slack: FakeSlack) -> None:
    blocks = [section("x" * 3000) for _ in range(90)]
    with pytest.raises(SlackApiError, match="view_too_large"):
        client_of(slack).views_open(trigger_id=slack.new_trigger("U0ANA"), view=modal(*blocks))


def test_a_trigger_is_good_once_for_three_seconds(slack: FakeSlack, clock: Clock) -> None:
    client = client_of(slack)
    used, late = slack.new_trigger("U0ANA"), slack.new_trigger("U0ANA")
    client.views_open(trigger_id=used, view=modal())
    clock.at += timedelta(seconds=3.1)
    for trigger, error in ((used, "exchanged_"), (late, "expired_"), ("1.2.abc", "invalid_")):
        with pytest.raises(SlackApiError, match=f"{error}trigger_id"):
            client.views_open(trigger_id=trigger, view=modal())


def test_a_view_is_updated_by_its_id_and_hash(slack: FakeSlack) -> None:
    client = client_of(slack)
    first = client.views_open(trigger_id=slack.new_trigger("U0ANA"), view=modal(external_id="case-7"))["view"]
    second = client.views_update(view_id=first["id"], hash=first["hash"], view=modal(private_metadata="7"))["view"]
    assert (second["id"], second["private_metadata"]) == (first["id"], "7")
    with pytest.raises(SlackApiError, match="hash_conflict"):
        client.views_update(view_id=first["id"], hash=first["hash"], view=modal())
    for gone in ({"view_id": "V0NONE"}, {"external_id": "case-7"}):  # which the update has taken away
        with pytest.raises(SlackApiError, match="not_found"):
            client.views_update(view=modal(), **gone)


def test_an_external_id_is_there_once(slack: FakeSlack) -> None:
    client = client_of(slack)
    for user in ("U0ANA", "U0BEN"):
        client.views_open(trigger_id=slack.new_trigger(user), view=modal(external_id=f"case of {user}"))
    assert client.views_update(external_id="case of U0BEN", view=modal())["ok"]
    with pytest.raises(SlackApiError, match="duplicate_external_id"):
        client.views_open(trigger_id=slack.new_trigger("U0BEN"), view=modal(external_id="case of U0ANA"))


def test_at_most_three_views_are_stacked(slack: FakeSlack) -> None:
    client = client_of(slack)
    with pytest.raises(SlackApiError, match="no modal to push upon"):
        client.views_push(trigger_id=slack.new_trigger("U0ANA", in_view=True), view=modal())
    client.views_open(trigger_id=slack.new_trigger("U0ANA"), view=modal())
    for _ in range(2):
        client.views_push(trigger_id=slack.new_trigger("U0ANA", in_view=True), view=modal())
    with pytest.raises(SlackApiError, match="push_limit_reached"):
        client.views_push(trigger_id=slack.new_trigger("U0ANA", in_view=True), view=modal())
    assert len(slack.views.stacks["U0ANA"]) == 3


# rate


def test_a_channel_takes_one_a_second_after_a_small_burst(clock: Clock) -> None:
    with FakeSlack(now=clock, enforce_rate=True, burst=3) as slack:
        for name in ("care", "other"):
            slack.add_channel(name)
        client = client_of(slack)
        for n in range(3):
            client.chat_postMessage(channel="care", text=str(n))
        with pytest.raises(SlackApiError) as caught:
            client.chat_postMessage(channel="care", text="too soon")
        assert (caught.value.response.status_code, error_of(caught)) == (429, "ratelimited")
        assert caught.value.response.headers["retry-after"] == "1"
        client.chat_postMessage(channel="other", text="another channel")
        clock.at += timedelta(seconds=1)
        client.chat_postMessage(channel="care", text="3")
        with pytest.raises(SlackApiError):
            client.chat_postMessage(channel="care", text="too soon again")
        assert texts(slack) == ["0", "1", "2", "3"]


def test_a_scripted_429(slack: FakeSlack, asleep: Any) -> None:
    slack.fail_next(RateLimited(retry_after=30), on="chat.postMessage")
    client_of(slack).auth_test()
    with pytest.raises(SlackApiError) as caught:
        client_of(slack).chat_postMessage(channel="care", text="hi")
    assert caught.value.response.headers["Retry-After"] == "30"
    slept = asleep("slack_sdk.http_retry.builtin_handlers")
    slack.fail_next(RateLimited(retry_after=30))
    patient = client_of(slack, retry_handlers=[RateLimitErrorRetryHandler(max_retry_count=1)])
    assert patient.chat_postMessage(channel="care", text="hi")["ok"]
    assert len(slept) == 1
    assert slept[0] >= 30
    assert texts(slack) == ["hi"]


def test_half_a_second_is_more_than_the_sdk_understands(slack: FakeSlack) -> None:
    slack.fail_next(RateLimited(retry_after="1.5"))
    with pytest.raises(ValueError, match=r"1\.5"):
        client_of(slack, retry_handlers=[RateLimitErrorRetryHandler()]).chat_postMessage(channel="care", text="hi")


# faults


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        (Status(500), SlackApiError),
        (Status(503), SlackApiError),
        (NotJson(), SlackApiError),
        (Reset(), http.client.RemoteDisconnected),
        (DropAfter(), http.client.RemoteDisconnected),
        (Stall(30), TimeoutError),
    ],
    ids=repr,
)
def test_faults(slack: FakeSlack, fault: Fault, raised: type[Exception]) -> None:
    slack.fail_next(fault)
    client = client_of(slack, timeout=0.1)
    with pytest.raises(raised):
        client.chat_postMessage(channel="care", text="hi")
    assert texts(slack) == (["hi"] if isinstance(fault, DropAfter) else [])
    started = time.monotonic()
    slack.close()
    assert time.monotonic() - started < 10


def test_the_default_client_posts_again_after_a_dropped_answer(slack: FakeSlack, asleep: Any) -> None:
    asleep("slack_sdk.http_retry.handler")
    by_default = WebClient("xoxb-test-token", base_url=slack.base_url + "/api/")
    slack.fail_next(DropAfter(), on="chat.postMessage")
    assert by_default.chat_postMessage(channel="care", text="twice")["ok"]
    assert texts(slack) == ["twice", "twice"]


def test_without_retry_handlers_there_is_one_message(slack: FakeSlack) -> None:
    slack.fail_next(DropAfter(), on="chat.postMessage")
    with pytest.raises(http.client.RemoteDisconnected):
        client_of(slack).chat_postMessage(channel="care", text="once")
    assert texts(slack) == ["once"]


def test_a_503_is_posted_again_when_the_client_is_told_to(slack: FakeSlack, asleep: Any) -> None:
    asleep("slack_sdk.http_retry.handler")
    slack.fail_next(Status(503))
    client = client_of(slack, retry_handlers=[ServerErrorRetryHandler()])
    assert client.chat_postMessage(channel="care", text="hi")["ok"]
    assert [request.status for request in slack.requests] == [503, 200]


# blocks


ALL_AT_THEIR_LIMITS: list[list[dict[str, Any]]] = [
    [{"type": "divider"}] * 50,
    [section("x" * 3000, block_id="b" * 255)],
    [{"type": "section", "fields": [mrkdwn("x" * 1200)] * 10}],
    [{"type": "section", "fields": [plain("x" * 2000)]}],
    [section(accessory=overflow(5)), section(accessory=IMAGE), section(accessory=select())],
    [header("x" * 150)],
    [actions(*(button(action_id=str(n)) for n in range(25)))],
    [actions(button(text=plain("x" * 75), value="v" * 2000, action_id="a" * 255, style="danger", confirm=confirm()))],
    [actions(button(url="https://x.com/" + "u" * 2986))],
    [actions(select(100, placeholder=plain("x" * 150), initial_option=option("7")), overflow(1))],
    [{"type": "context", "elements": [mrkdwn("x"), plain("y"), IMAGE] * 3 + [mrkdwn("z")]}],
    [IMAGE | {"title": plain("A picture")}],
    [{"type": "markdown", "text": "x" * 12000}],
    [rich(SAID, {"type": "link", "url": "https://x.com/1", "text": "a post"}, {"type": "emoji", "name": "bell"})],
    [rich(SAID, kind="rich_text_quote", border=1), rich(SAID, kind="rich_text_preformatted")],
    [rich({"type": "rich_text_section", "elements": [SAID]}, kind="rich_text_list", style="bullet", indent=1)],
    [actions(button()), actions(button())],  # action ids are per block
]


@pytest.mark.parametrize("blocks", ALL_AT_THEIR_LIMITS, ids=range(len(ALL_AT_THEIR_LIMITS)))
def test_blocks_up_to_the_limits_are_taken(slack: FakeSlack, blocks: list[dict[str, Any]]) -> None:
    assert problems(blocks) == []
    client_of(slack).chat_postMessage(channel="care", text="hi", blocks=blocks)
    assert len(slack.messages("care")[0]["blocks"]) == len(blocks)


OVER: list[tuple[list[Any], str]] = [
    ([{"type": "divider"}] * 51, "no more than 50 items allowed [json-pointer:/blocks]"),
    ([section("x" * 3001)], "less than 3001 characters [json-pointer:/blocks/0/text/text]"),
    ([section("")], "more than 0 characters [json-pointer:/blocks/0/text/text]"),
    ([{"type": "section"}], "missing required field: text or fields"),
    (
        [{"type": "section", "fields": [mrkdwn("x")] * 11}],
        "no more than 10 items allowed [json-pointer:/blocks/0/fields]",
    ),
    ([{"type": "section", "fields": [mrkdwn("x" * 2001)]}], "less than 2001 characters"),
    ([{"type": "section", "fields": []}], "no fewer than 1 items"),
    ([section("x", block_id="b" * 256)], "less than 256 characters [json-pointer:/blocks/0/block_id]"),
    ([section(block_id="b"), header() | {"block_id": "b"}], '`block_id` "b" is used more than once'),
    ([section(colour="red")], "invalid additional property: colour"),
    ([{"type": "section", "text": "just a string"}], "must provide an object [json-pointer:/blocks/0/text]"),
    ([{"type": "section", "text": mrkdwn("x") | {"emoji": True}}], "invalid additional property: emoji"),
    ([{"type": "section", "text": plain("x", emoji="yes")}], "must provide a boolean"),
    ([{"type": "section", "text": {"type": "html", "text": "x"}}], "must be of type plain_text or mrkdwn, not html"),
    ([header("x" * 151)], "less than 151 characters"),
    ([{"type": "header", "text": mrkdwn("x")}], "must be of type plain_text, not mrkdwn"),
    ([actions()], "no fewer than 1 items"),
    ([actions(*(button(action_id=str(n)) for n in range(26)))], "no more than 25 items"),
    ([actions(button(), button())], '`action_id` "claim" already exists'),
    ([actions(button(text=plain("x" * 76)))], "less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]"),
    ([actions(button(text=mrkdwn("x")))], "must be of type plain_text, not mrkdwn"),
    ([actions(button(value="v" * 2001))], "less than 2001 characters"),
    ([actions(button(value=7))], "must provide a string [json-pointer:/blocks/0/elements/0/value]"),
    ([actions(button(url="https://x.com/" + "u" * 2987))], "less than 3001 characters"),
    ([actions(button(action_id="a" * 256))], "less than 256 characters"),
    ([actions(button(style="warning"))], "must be a valid enum value"),
    ([actions(button(confirm=confirm(title=plain("x" * 101))))], "less than 101 characters"),
    ([actions(button(confirm=confirm(text=mrkdwn("x" * 301))))], "less than 301 characters"),
    ([actions(button(confirm=confirm(deny=plain("x" * 31))))], "less than 31 characters"),
    ([actions(button(confirm={"title": plain("Sure?")}))], "missing required field: deny"),
    ([actions({"type": "button", "action_id": "a"})], "missing required field: text"),
    ([actions(IMAGE)], "unsupported type: image"),
    ([actions({"type": "dial"})], "unsupported type: dial"),
    ([actions(overflow(0))], "no fewer than 1 items"),
    ([actions(overflow(6))], "no more than 5 items"),
    ([actions(select(101))], "no more than 100 items"),
    ([actions(select(0))], "no fewer than 1 items"),
    ([actions(select(initial_option=option("elsewhere")))], "must match one of the options"),
    ([actions(select(option_groups=[]))], "either options or option_groups"),
    ([actions(select(options=[option("v" * 151)]))], "less than 151 characters"),
    ([actions(select(options=[option(text=plain("x" * 76))]))], "less than 76 characters"),
    ([actions(select(options=[option(url="https://x.com")]))], "invalid additional property: url"),
    ([{"type": "context", "elements": []}], "no fewer than 1 items"),
    ([{"type": "context", "elements": [mrkdwn("x")] * 11}], "no more than 10 items"),
    ([{"type": "context", "elements": [button()]}], "must be of type plain_text or mrkdwn, not button"),
    ([{"type": "image", "image_url": "https://example.org/a.png"}], "missing required field: alt_text"),
    ([IMAGE | {"alt_text": "x" * 2001}], "less than 2001 characters"),
    ([IMAGE | {"slack_file": {"id": "F1"}}], "either image_url or slack_file"),
    ([{"type": "markdown", "text": "x" * 12001}], "less than 12001 characters"),
    ([{"type": "markdown", "text": "x" * 6001}] * 2, "markdown blocks must be less than 12001 characters together"),
    ([{"type": "carousel", "elements": []}], "unsupported type: carousel"),
    ([{"text": mrkdwn("x")}], "unsupported type: None"),
    (["text"], "must provide an object"),
    ([rich({"type": "text", "text": ""})], "more than 0 characters"),
    ([rich({"type": "text", "text": "x", "style": {"loud": True}})], "invalid style"),
    ([rich({"type": "text", "text": "x", "colour": "red"})], "invalid additional property: colour"),
    ([rich({"type": "mrkdwn", "text": "x"})], "unsupported type: mrkdwn"),
    ([rich(SAID, kind="rich_text_poem")], "unsupported type: rich_text_poem"),
    ([rich({"type": "emoji", "name": "bell"}, kind="rich_text_preformatted")], "unsupported type: emoji"),
    ([rich(SAID, kind="rich_text_list", style="bullet")], "must be of type rich_text_section"),
    ([{"type": "rich_text", "elements": []}], "no fewer than 1 items"),
    ([section("x" * 2700)] * 5, "msg_blocks_too_long: 13500 characters"),
]


@pytest.mark.parametrize(("blocks", "problem"), OVER, ids=[problem for _, problem in OVER])
def test_blocks_over_the_limits_are_refused(slack: FakeSlack, blocks: list[Any], problem: str) -> None:
    assert [one for one in problems(blocks) if problem in one]
    with pytest.raises(SlackApiError) as caught:
        client_of(slack).chat_postMessage(channel="care", text="hi", blocks=blocks)
    assert error_of(caught) in {"invalid_blocks", "msg_blocks_too_long"}
    assert texts(slack) == []


# markup


@pytest.mark.parametrize(
    "markup",
    [
        "<!channel>",
        "<!here>",
        "<!here|here>",
        "<!everyone>",
        "<!subteam^S0TEAM|@nurses>",
        "<@U012ABC>",
        "<@W012ABC|ann>",
        "<https://evil.example|St Mary's portal>",
        "<mailto:a@b.example|write to us>",
    ],
)
def test_live_markup_is_found_wherever_slack_would_act_on_it(slack: FakeSlack, markup: str) -> None:
    quoted = markup.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    harmless = [
        section(f"they said {quoted}"),
        {"type": "section", "text": plain(markup)},
        rich({"type": "text", "text": markup}),
    ]
    client = client_of(slack)
    client.chat_postMessage(channel="care", text=f"they said {quoted}", blocks=harmless)
    client.chat_postMessage(channel="care", text=f"they said {markup}")
    client.chat_postMessage(channel="care", text="x", blocks=[{"type": "context", "elements": [mrkdwn(markup)]}])
    client.chat_postMessage(channel="care", text="x", blocks=[{"type": "markdown", "text": markup}])
    assert [live_mentions(message) for message in slack.messages("care")] == [[], [markup], [markup], [markup]]


def test_rich_texts_own_mentions_are_live() -> None:
    block = rich({"type": "broadcast", "range": "here"}, {"type": "user", "user_id": "U1"}, SAID)
    assert live_mentions({"text": "", "blocks": [block]}) == ["broadcast:here", "user:U1"]


def test_a_link_without_another_name_is_no_disguise() -> None:
    assert live_mentions({"text": "see <https://x.com/1> and a < b"}) == []
