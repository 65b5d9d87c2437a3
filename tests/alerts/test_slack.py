"""The door to Slack: every answer becomes the right remedy, and a message is found by its key."""

import contextlib
import socket
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW
from fakes.server import BrokenShape, DropAfter, NotJson, RateLimited, Reset, Stall, Status
from fakes.slack import ALL_SCOPES, FakeSlack

from alerts import slack as module
from alerts.door import NotReady, Sent
from alerts.message import Attachment, Message, Uploaded, attached, note
from alerts.slack import Slack
from listener.errors import CallLightError, NeedsPerson, OutcomeUnknown, TryLater

MINUTE = timedelta(minutes=1)
CHANNELS = {"care": "#social-care", "danger": "#social-care-danger"}


def message(key: str = "key", case_id: int = 7) -> Message:
    payload = {"case_id": case_id, "delivery": key}
    metadata = {"event_type": "call_light_card", "event_payload": payload}
    blocks = [{"type": "section", "text": {"type": "plain_text", "text": "hello"}}]
    return Message("hello", blocks, metadata, "hello")


def is_chat(request: Any) -> bool:
    """Posting or changing."""
    return "/chat." in request.path


def refused(code: str, **more: Any) -> Status:
    return Status(200, {"ok": False, "error": code, **more})


# ---------------------------------------------------------------- what is sent


def test_post(workspace: FakeSlack, door: Slack) -> None:
    sent = door.post("care", message(), "key")
    (there,) = workspace.messages("social-care")
    assert sent.ref == there["ts"]
    assert sent.place.startswith("C")
    assert there["metadata"]["event_payload"] == {"case_id": 7, "delivery": "key"}
    body = workspace.seen("chat.postMessage")[0].body
    assert (body["unfurl_links"], body["unfurl_media"]) == (False, False)
    assert body["text"] == "hello"


def test_update(workspace: FakeSlack, door: Slack) -> None:
    sent = door.post("care", message(), "key")
    door.update(sent, note("changed", "Changed", "key"))
    (there,) = workspace.messages("social-care")
    assert there["text"] == "Changed"
    assert there["metadata"]["event_payload"]["delivery"] == "key"


# ---------------------------------------------------------------- files

PNG = b"\x89PNG\r\n\x1a\n&=+%"


def with_file(door: Slack, title: str = "hello") -> tuple[Message, Uploaded]:
    """A message with a chart and a page that were uploaded."""
    chart = door.upload("chart.png", "Chart", PNG, "What it shows")
    page = door.upload("page.html", "Page", b"<p>")
    images = (Attachment("chart.png", "Chart", lambda: PNG, "What it shows"),)
    files = (Attachment("page.html", "Page", lambda: b"<p>"),)
    said = replace(message(), text=title, images=images, files=files)
    return attached(said, {"chart.png": chart, "page.html": page}), page


def test_upload(workspace: FakeSlack, door: Slack) -> None:
    there = door.upload("chart.png", "Posts by day", PNG, "x" * 2000)
    (file,) = workspace.files()
    assert (there.id, there.link) == (file.id, file.permalink)
    assert (file.name, file.title, file.content, file.alt) == ("chart.png", "Posts by day", PNG, "x" * 999 + "…")
    assert file.shared == set(), "nobody sees it yet"
    put = workspace.seen(lambda request: request.path.startswith("/upload/"))[0]
    assert "authorization" not in put.headers


def test_a_message_shares_its_page(workspace: FakeSlack, door: Slack) -> None:
    said, page = with_file(door)
    door.post("care", said, "key")
    (there,) = workspace.messages("social-care")
    assert [block["type"] for block in there["blocks"]] == ["image", "rich_text"]
    assert [file.id for file in workspace.files() if file.shared] == [page.id]


def test_an_edited_message_shares_its_new_page(workspace: FakeSlack, door: Slack) -> None:
    sent = door.post("care", message(), "key")
    said, page = with_file(door)
    door.update(sent, said)
    assert [file.id for file in workspace.files() if file.shared] == [page.id]


@pytest.mark.parametrize("do", ["post", "update"])
def test_a_chart_that_slack_still_looks_at(workspace: FakeSlack, door: Slack, clock: Any, do: str) -> None:
    workspace.looks_at_files = 5
    sent = door.post("care", message(), "key")
    said, _ = with_file(door)
    with pytest.raises(NotReady):
        door.post("care", said, "key") if do == "post" else door.update(sent, said)
    assert len(workspace.messages("social-care")) == 1
    clock.passes(timedelta(seconds=5))
    door.post("care", said, "key") if do == "post" else door.update(sent, said)


def test_refused_blocks_go_without_images_then_as_text(workspace: FakeSlack, door: Slack) -> None:
    said, _ = with_file(door)
    workspace.fail_next(refused("invalid_blocks", errors=["something else"]), on="chat.postMessage")
    door.post("care", said, "key")
    workspace.fail_next(refused("invalid_blocks"), on="chat.postMessage", times=2)
    door.post("care", said, "key")
    first, second = workspace.messages("social-care")
    assert [block["type"] for block in first["blocks"]] == ["rich_text"]
    assert "blocks" not in second


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (refused("file_uploads_disabled"), NeedsPerson),
        (refused("file_type_not_allowed"), NeedsPerson),
        (refused("missing_scope", needed="files:write"), NeedsPerson),
        (RateLimited(retry_after=3), TryLater),
        (Status(500), OutcomeUnknown),
        (Reset(), OutcomeUnknown),
        (BrokenShape({"ok": True}), OutcomeUnknown),
        (BrokenShape({"ok": True, "file_id": "F0000000001", "upload_url": "nonsense"}), OutcomeUnknown),
        (NotJson(), OutcomeUnknown),
    ],
)
def test_an_upload_that_fails(workspace: FakeSlack, door: Slack, fault: Any, error: type[Exception]) -> None:
    workspace.fail_next(fault, on="files.getUploadURLExternal")
    with pytest.raises(error):
        door.upload("page.html", "Page", b"<p>")
    assert workspace.files() == []


@pytest.mark.parametrize(
    "address", ["http://[::1]:9/up", "https://10.0.0.1/up", "http://169.254.169.254/", "file:///etc/passwd"]
)
def test_an_upload_goes_nowhere_within_the_house(workspace: FakeSlack, door: Slack, address: str) -> None:
    workspace.fail_next(
        BrokenShape({"ok": True, "file_id": "F0000000001", "upload_url": address}), on="files.getUploadURLExternal"
    )
    with pytest.raises(OutcomeUnknown, match="leads to no place on the internet"):
        door.upload("page.html", "Page", b"<p>")


def test_the_token_goes_to_slack_alone(workspace: FakeSlack, door: Slack) -> None:
    """urllib would take it along to whoever an answer leads to."""
    with FakeSlack() as other:
        workspace.fail_next(Status(302, "", {"location": f"{other.base_url}/api/auth.test"}))
        with contextlib.suppress(CallLightError):
            door.about_bot()
        assert "authorization" in workspace.requests[0].headers
        assert other.requests == []


@pytest.mark.parametrize("fault", [Status(500), Status(403), Reset(), DropAfter(), RateLimited(retry_after=3)])
@pytest.mark.parametrize("on", ["files.completeUploadExternal", lambda request: "/upload/" in request.path])
def test_half_an_upload_can_be_deleted(workspace: FakeSlack, door: Slack, on: Any, fault: Any) -> None:
    workspace.fail_next(fault, on=on)
    begun: list[str] = []
    with pytest.raises(CallLightError):
        door.upload("page.html", "Page", b"<p>", began=begun.append)
    (half,) = begun
    door.take_back(half)
    assert workspace.files() == []


def test_take_back(workspace: FakeSlack, door: Slack) -> None:
    there = door.upload("page.html", "Page", b"<p>")
    for _ in range(2):
        door.take_back(there.id)
        door.take_back("F0000000099")
    assert workspace.files() == []
    workspace.fail_next(refused("cant_delete_file"), on="files.delete")
    with pytest.raises(NeedsPerson):
        door.take_back(there.id)


@pytest.mark.parametrize("tail", ["", "/", "/api", "/api/", "//"])
def test_any_way_to_write_the_address(workspace: FakeSlack, tail: str) -> None:
    Slack(workspace.token, workspace.base_url + tail, CHANNELS).post("care", message(), "key")
    assert [request.path for request in workspace.requests] == ["/api/chat.postMessage"]


def test_without_an_address_it_is_slack_itself() -> None:
    assert Slack("xoxb-1", None, {}).client.base_url == "https://slack.com/api/"


def test_a_request_is_never_repeated_by_the_sdk(workspace: FakeSlack, door: Slack) -> None:
    workspace.fail_next(DropAfter(), on="chat.postMessage", times=None)
    with pytest.raises(OutcomeUnknown):
        door.post("care", message(), "key")
    assert len(workspace.messages("social-care")) == 1


# ---------------------------------------------------------------- errors by remedy

SENTENCES = {
    "invalid_auth": "does not accept SLACK_BOT_TOKEN",
    "not_authed": "SLACK_BOT_TOKEN is empty",
    "account_inactive": "removed from the workspace",
    "token_revoked": "was revoked",
    "token_expired": "has expired",
    "not_allowed_token_type": "begins with xoxb-",
    "missing_scope": "lacks a permission",
    "channel_not_found": "knows no channel #social-care",
    "not_in_channel": "the bot is not in #social-care",
    "restricted_action": "may not post in #social-care",
    "is_archived": "#social-care is archived",
    "file_uploads_disabled": "takes no files",
    "file_uploads_except_images_disabled": "takes no files but images",
    "msg_too_long": "msg_too_long",
    "no_text": "no_text",
    "metadata_too_large": "metadata_too_large",
    "something_new": "something_new",
}


@pytest.mark.parametrize(("code", "sentence"), SENTENCES.items(), ids=SENTENCES)
@pytest.mark.parametrize("do", ["post", "update", "find"])
def test_what_needs_a_person(workspace: FakeSlack, door: Slack, do: str, code: str, sentence: str) -> None:
    workspace.fail_next(refused(code, needed="chat:write"), times=None, on=is_chat)
    workspace.fail_next(refused(code), times=None, on="conversations.history")
    with pytest.raises(NeedsPerson) as caught:
        _do(door, do, "#social-care")
    assert sentence.replace("#social-care", "") in str(caught.value).replace("#social-care", "")


def _do(door: Slack, do: str, place: str = "C0000000001") -> Any:
    if do == "post":
        return door.post("care", message(), "key")
    if do == "update":
        return door.update(Sent(place, "1.0"), message())
    return door.find("care", "key", NOW, place)


def test_every_remedy_has_a_sentence() -> None:
    assert set(module._REMEDY) <= set(SENTENCES)


UNKNOWN = [
    *(refused(code) for code in sorted(module._PASSING)),
    *(Status(code) for code in (500, 502, 503, 504, 408)),
    Status(500, {"ok": False, "error": "invalid_auth"}),
    NotJson(),
    NotJson(body="{"),
    NotJson(body=""),
    BrokenShape([]),
    BrokenShape([1]),
    BrokenShape("text"),
    BrokenShape(7),
    BrokenShape(None),
    BrokenShape({}),
    BrokenShape({"ok": True}),
    BrokenShape({"ok": True, "channel": None, "ts": None}),
    Reset(),
    DropAfter(),
]


@pytest.mark.parametrize("fault", UNKNOWN, ids=str)
def test_what_may_have_had_its_effect(workspace: FakeSlack, door: Slack, fault: Any) -> None:
    workspace.fail_next(fault, on="chat.postMessage")
    with pytest.raises(OutcomeUnknown):
        door.post("care", message(), "key")


def test_no_answer_in_time(workspace: FakeSlack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TIMEOUT", 0.05)
    door = Slack(workspace.token, workspace.base_url, CHANNELS)
    workspace.fail_next(Stall(), on="chat.postMessage")
    with pytest.raises(OutcomeUnknown):
        door.post("care", message(), "key")


@pytest.mark.parametrize("code", [400, 401, 403, 404, 405])
def test_something_else_at_that_address(workspace: FakeSlack, door: Slack, code: int) -> None:
    workspace.fail_next(Status(code), on="chat.postMessage")
    with pytest.raises(NeedsPerson, match="check base_url"):
        door.post("care", message(), "key")


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [(1, 1), ("1.5", 1.5), ("30", 30), (None, 1), ("soon", 30), ("-5", 30), ("", 30), ("999999", 3600)],
)
def test_asked_to_wait(workspace: FakeSlack, door: Slack, stated: Any, seconds: float) -> None:
    workspace.fail_next(RateLimited(retry_after=stated), on="chat.postMessage")
    with pytest.raises(TryLater) as caught:
        door.post("care", message(), "key")
    assert not isinstance(caught.value, OutcomeUnknown)
    assert caught.value.at == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("fault", [refused("ratelimited"), refused("rate_limited"), NotJson(status=429)])
def test_asked_to_wait_in_other_words(workspace: FakeSlack, door: Slack, fault: Any) -> None:
    workspace.fail_next(fault, on="chat.postMessage")
    with pytest.raises(TryLater) as caught:
        door.post("care", message(), "key")
    assert caught.value.at == NOW + timedelta(seconds=30)


def test_no_connection_is_no_unknown_outcome() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(TryLater, match="no connection to Slack") as caught:
        Slack("xoxb-1", f"http://127.0.0.1:{port}", CHANNELS).post("care", message(), "key")
    assert not isinstance(caught.value, OutcomeUnknown)


@pytest.mark.parametrize(
    ("reason", "left"),
    [
        (ConnectionRefusedError(111, "refused"), False),
        (socket.gaierror(-2, "Name or service not known"), False),
        (socket.gaierror(-3, "Temporary failure in name resolution"), False),
        (OSError(101, "Network is unreachable"), False),
        (OSError(113, "No route to host"), False),
        (ConnectionResetError(104, "reset"), True),
        (TimeoutError("timed out"), True),
        ("unknown url type", True),
    ],
)
def test_whether_anything_left(reason: object, left: bool) -> None:
    assert module._never_left(reason) is not left


def test_wrong_token(workspace: FakeSlack) -> None:
    with pytest.raises(NeedsPerson, match="does not accept SLACK_BOT_TOKEN") as caught:
        Slack("xoxb-wrong", workspace.base_url, CHANNELS).post("care", message(), "key")
    assert "xoxb-wrong" not in str(caught.value)


@pytest.mark.parametrize("do", ["post", "find"])
def test_a_channel_that_is_not_configured(door: Slack, do: str) -> None:
    with pytest.raises(NeedsPerson, match="no channel 'elsewhere'"):
        door.post("elsewhere", message(), "key") if do == "post" else door.find("elsewhere", "key", NOW, None)


# ---------------------------------------------------------------- blocks that Slack refuses


@pytest.mark.parametrize("code", sorted(module._BAD_BLOCKS))
@pytest.mark.parametrize("do", ["post", "update"])
def test_refused_blocks_go_as_text(workspace: FakeSlack, door: Slack, code: str, do: str) -> None:
    sent = door.post("care", message(), "key")
    workspace.fail_next(refused(code), on=is_chat)
    door.post("care", message(), "key2") if do == "post" else door.update(sent, message())
    there = workspace.messages("social-care")[-1]
    assert not there.get("blocks")
    assert there["text"] == "hello"
    assert there["metadata"]


@pytest.mark.parametrize("do", ["post", "update"])
def test_refused_twice_is_an_error_that_people_can_read(workspace: FakeSlack, door: Slack, do: str) -> None:
    workspace.fail_next(refused("invalid_blocks"), on=is_chat, times=2)
    with pytest.raises(NeedsPerson, match="invalid_blocks"):
        _do(door, do)
    assert len(workspace.seen(is_chat)) == 2


@pytest.mark.parametrize("code", sorted(module._GONE))
def test_a_message_that_is_gone_is_no_error(workspace: FakeSlack, door: Slack, code: str) -> None:
    workspace.fail_next(refused(code), on="chat.update")
    door.update(Sent("C0000000001", "1.0"), message())


# ---------------------------------------------------------------- find


@pytest.mark.parametrize("known", [True, False])
def test_find(workspace: FakeSlack, door: Slack, known: bool) -> None:
    sent = door.post("care", message("mine"), "mine")
    door.post("care", message("other"), "other")
    workspace.add_message("social-care", "lunch?")
    place = sent.place if known else None
    assert door.find("care", "mine", NOW, place) == sent
    assert door.find("care", "nobody's", NOW, place) is None
    assert door.find("danger", "mine", NOW, None) is None


def test_find_turns_pages(workspace: FakeSlack, door: Slack) -> None:
    sent = door.post("care", message("mine"), "mine")
    for number in range(1000):
        workspace.add_message("social-care", str(number))
    assert door.find("care", "mine", NOW, sent.place) == sent
    assert len(workspace.seen("conversations.history")) == 6


def test_find_looks_only_from_then_on(workspace: FakeSlack, door: Slack, clock: Any) -> None:
    sent = door.post("care", message("mine"), "mine")
    assert door.find("care", "mine", NOW + MINUTE, sent.place) == sent, "clocks may differ a little"
    assert door.find("care", "mine", NOW + 10 * MINUTE, sent.place) is None


def test_find_in_a_channel_that_was_changed_since(workspace: FakeSlack, door: Slack) -> None:
    old = door.post("care", message("before"), "before")
    workspace.add_channel("new-care")
    moved = Slack(workspace.token, workspace.base_url, {"care": "#new-care"})
    new = moved.post("care", message("after"), "after")
    assert moved.find("care", "before", NOW, old.place) == old
    assert moved.find("care", "after", NOW, old.place) == new


def test_find_by_id_asks_for_no_list(workspace: FakeSlack) -> None:
    workspace.add_channel("by-id", "C0BYID000")
    door = Slack(workspace.token, workspace.base_url, {"care": "C0BYID000"})
    sent = door.post("care", message("mine"), "mine")
    assert door.find("care", "mine", NOW, None) == sent
    assert workspace.seen("conversations.list") == []


def test_find_in_a_private_channel(workspace: FakeSlack, door: Slack) -> None:
    workspace.add_channel("hidden", private=True)
    hidden = Slack(workspace.token, workspace.base_url, {"care": "#hidden"})
    sent = hidden.post("care", message("mine"), "mine")
    assert hidden.find("care", "mine", NOW, None) == sent


def test_without_the_permission_to_list(config: Any, clock: Any) -> None:
    scopes = [scope for scope in ALL_SCOPES if not scope.endswith(":read")]
    with FakeSlack(now=clock, scopes=scopes) as workspace:
        workspace.add_channel("social-care")
        door = Slack(workspace.token, workspace.base_url, CHANNELS)
        sent = door.post("care", message("mine"), "mine")
        assert door.find("care", "mine", NOW, sent.place) == sent
        with pytest.raises(NeedsPerson, match="write the channel's ID"):
            door.find("care", "mine", NOW, None)


@pytest.mark.parametrize("fault", [Reset(), RateLimited(retry_after=3), Status(500)])
@pytest.mark.parametrize("on", ["conversations.history", "conversations.list"])
def test_slack_cannot_be_asked(workspace: FakeSlack, door: Slack, fault: Any, on: str) -> None:
    """Then nobody knows, which is not the same as "it is not there"."""
    workspace.fail_next(fault, on=on)
    with pytest.raises(TryLater):
        door.find("care", "key", NOW, None)


# ---------------------------------------------------------------- what doctor asks


def test_about_bot(workspace: FakeSlack, door: Slack) -> None:
    about, scopes, date = door.about_bot()
    assert about["user"] == "call_light"
    assert scopes == set(ALL_SCOPES)
    assert date.endswith("GMT")


def test_about_channel(workspace: FakeSlack, door: Slack) -> None:
    assert door.about_channel("#social-care")["is_member"] is True
    assert door.about_channel("social-care")["name"] == "social-care"
    with pytest.raises(NeedsPerson, match="no channel #nowhere"):
        door.about_channel("#nowhere")


@pytest.mark.parametrize("fault", UNKNOWN, ids=str)
def test_doctor_meets_only_errors_with_a_sentence(workspace: FakeSlack, door: Slack, fault: Any) -> None:
    workspace.fail_next(fault, times=None)
    for ask in (door.about_bot, lambda: door.about_channel("C0000000001")):
        with contextlib.suppress(CallLightError):
            ask()
