"""Charts and pages go before their message: killed, refused or slow, there is one message, and no old file stays."""

from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW
from fakes.server import DropAfter, RateLimited, Reset, Stall, Status
from fakes.slack import ALL_SCOPES, FakeSlack

from alerts import uploads
from alerts.delivery import Delivery
from alerts.slack import Slack
from listener.keep import DELETED, forget
from nlp import read

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
LAST_WEEK = NOW - timedelta(days=4)
OF_UPLOAD = "/upload/"


@pytest.fixture
def week(desk: Any) -> int:
    """A week with one kind word in it, of which no chart but one is told; the id of the mention."""
    report = desk.config.report.model_copy(update={"charts": ("volume_by_day",), "slack": ("headline",)})
    desk.config = desk.config.model_copy(update={"report": report})
    mention: int = desk.hear("kind words of kim", kind="praise", written_at=LAST_WEEK)
    desk.decide()
    return mention


def is_upload(request: Any) -> bool:
    return request.path.startswith(OF_UPLOAD)


def message(workspace: FakeSlack) -> dict[str, Any]:
    (found,) = workspace.messages("social-weekly")
    return found


def kinds(workspace: FakeSlack) -> list[str]:
    return [block["type"] for block in message(workspace)["blocks"]]


def row(desk: Any) -> Delivery:
    desk.session.expire_all()
    (found,) = [one for one in desk.rows() if one.kind == "report"]
    assert isinstance(found, Delivery)
    return found


def names(workspace: FakeSlack) -> list[str]:
    return [file.name for file in workspace.files()]


BOTH = ["volume_by_day.png", "2026-W46.html"]
WITH_CHART = ["header", "rich_text", "image", "rich_text"]
ALONE = ["header", "rich_text", "rich_text"]
WHERE = "call-light report --week 2026-W46 --open, on the machine of Call Light"


# ---------------------------------------------------------------- cut off


class Killed(BaseException):
    """The end of the process."""


class Dying(Slack):
    """Slack, for a process that is killed when it would send a message: before it leaves, or after."""

    def __init__(self, *given: Any, after: bool = False) -> None:
        super().__init__(*given)
        self.after = after

    def post(self, *given: Any) -> Any:
        if self.after:
            super().post(*given)
        raise Killed


@pytest.mark.parametrize("after", [False, True])
def test_killed_between_upload_and_answer(
    desk: Any, week: int, workspace: FakeSlack, door: Slack, clock: Any, after: bool
) -> None:
    channels = desk.config.care.slack.channels
    with pytest.raises(Killed):
        desk.deliver(Dying(workspace.token, workspace.base_url, channels, clock.now, after=after), clock.now())
    desk.session.rollback()
    desk.deliver(door, clock.passes(MINUTE))
    assert len(workspace.messages("social-weekly")) == after, "it may still be on its way, by another process"
    desk.deliver(door, clock.passes(MINUTE))
    assert kinds(workspace) == WITH_CHART
    assert len(workspace.seen(is_upload)) == 2, "they were there"
    assert names(workspace) == BOTH
    assert row(desk).state == "sent"


@pytest.mark.parametrize("fault", [DropAfter(), Reset(), Status(500)])
@pytest.mark.parametrize("on", ["files.getUploadURLExternal", is_upload, "files.completeUploadExternal"])
def test_an_upload_that_fails_is_tried_again(
    desk: Any, week: int, workspace: FakeSlack, door: Slack, clock: Any, on: Any, fault: Any
) -> None:
    workspace.fail_next(fault, on=on)
    desk.deliver(door, clock.now())
    assert workspace.messages("social-weekly") == []
    assert row(desk).state == "pending", "no message has left, so none is looked for"
    desk.deliver(door, clock.passes(MINUTE))
    assert kinds(workspace) == WITH_CHART
    assert names(workspace) == BOTH, "what was half done is not there"
    assert row(desk).trouble is None


def test_a_message_whose_answer_is_lost_is_found_with_its_files(
    desk: Any, week: int, workspace: FakeSlack, door: Slack, clock: Any
) -> None:
    workspace.fail_next(DropAfter(), on="chat.postMessage")
    desk.deliver(door, clock.now())
    desk.deliver(door, clock.passes(MINUTE))
    assert kinds(workspace) == WITH_CHART
    assert names(workspace) == BOTH


def test_slack_asks_to_wait(desk: Any, week: int, workspace: FakeSlack, door: Slack, clock: Any) -> None:
    workspace.fail_next(RateLimited(retry_after=30), on="files.getUploadURLExternal", times=6)
    for _ in range(6):
        desk.deliver(door, clock.passes(MINUTE))
    assert workspace.messages("social-weekly") == []
    desk.deliver(door, clock.passes(MINUTE))
    assert kinds(workspace) == WITH_CHART, "it does not go without because it had to wait"


def test_no_network(desk: Any, week: int, workspace: FakeSlack, clock: Any) -> None:
    nowhere = Slack(workspace.token, "http://127.0.0.1:9", desk.config.care.slack.channels, clock.now)
    for _ in range(6):
        desk.deliver(nowhere, clock.passes(MINUTE))
    back = Slack(workspace.token, workspace.base_url, desk.config.care.slack.channels, clock.now)
    desk.deliver(back, clock.passes(MINUTE))
    assert kinds(workspace) == WITH_CHART


# ---------------------------------------------------------------- refused


def after_an_hour(desk: Any, workspace: FakeSlack, door: Slack, clock: Any) -> int:
    """How many files were asked for within an hour of passes."""
    for _ in range(15):
        desk.deliver(door, clock.passes(4 * MINUTE))
    return len(workspace.seen("files.getUploadURLExternal"))


def test_an_app_that_may_upload_nothing(desk: Any, week: int, workspace: FakeSlack, door: Slack, clock: Any) -> None:
    workspace.scopes = tuple(scope for scope in ALL_SCOPES if scope != "files:write")
    assert after_an_hour(desk, workspace, door, clock) == 2, "each is asked once"
    assert kinds(workspace) == ALONE
    assert WHERE in str(message(workspace)["blocks"][-1])
    assert row(desk).trouble == (
        "the weekly message goes without charts or page: Slack: the Slack app lacks a permission (files:write); "
        "add it on the app's page and install it again"
    )


def test_a_token_that_is_mended_before_the_message_goes_costs_nothing(
    desk: Any, week: int, workspace: FakeSlack, door: Slack, clock: Any
) -> None:
    workspace.fail_next(Status(200, {"ok": False, "error": "invalid_auth"}), on=lambda _: True, times=None)
    for _ in range(3):
        desk.deliver(door, clock.passes(4 * MINUTE))
    workspace.heal()
    desk.deliver(door, clock.passes(4 * MINUTE))
    assert kinds(workspace) == WITH_CHART
    assert names(workspace) == BOTH
    assert row(desk).trouble is None


def test_a_workspace_that_takes_no_files(desk: Any, week: int, workspace: FakeSlack, door: Slack, clock: Any) -> None:
    workspace.refuses_files = "file_uploads_disabled"
    assert after_an_hour(desk, workspace, door, clock) == 2
    assert kinds(workspace) == ALONE
    assert "takes no files; allow them in its settings" in (row(desk).trouble or "")


def test_a_workspace_that_takes_images_alone(
    desk: Any, week: int, workspace: FakeSlack, door: Slack, clock: Any
) -> None:
    workspace.refuses_files = "file_uploads_except_images_disabled"
    desk.deliver(door, clock.now())
    assert kinds(workspace) == WITH_CHART
    assert WHERE in str(message(workspace)["blocks"][-1])
    assert "name it as address in report.toml" in (row(desk).trouble or "")


def test_uploads_that_never_work(desk: Any, week: int, workspace: FakeSlack, door: Slack, clock: Any) -> None:
    workspace.fail_next(Status(500), on=is_upload, times=None)
    after_an_hour(desk, workspace, door, clock)
    assert kinds(workspace) == ALONE
    assert len(workspace.seen(is_upload)) == uploads._TRIES + 1
    assert "Slack answers 500 to an upload" in (row(desk).trouble or "")


def test_an_upload_that_hangs(
    desk: Any, week: int, workspace: FakeSlack, door: Slack, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alerts.slack._TIMEOUT", 0.05)
    workspace.fail_next(Stall(), on=is_upload)
    desk.deliver(door, clock.now())
    assert row(desk).trouble == "Slack gave no answer (ReadTimeout)"
    monkeypatch.undo()
    desk.deliver(door, clock.passes(MINUTE))
    assert kinds(workspace) == WITH_CHART


def test_blocks_that_slack_refuses_go_without_charts(
    desk: Any, week: int, workspace: FakeSlack, door: Slack, clock: Any
) -> None:
    workspace.fail_next(Status(200, {"ok": False, "error": "invalid_blocks"}), on="chat.postMessage")
    desk.deliver(door, clock.now())
    assert kinds(workspace) == ALONE


# ---------------------------------------------------------------- not ready yet


def test_slack_looks_at_the_charts_first(desk: Any, week: int, workspace: FakeSlack, door: Slack, clock: Any) -> None:
    workspace.looks_at_files = 12
    assert desk.deliver(door, clock.now()).trouble == (), "that is as it should be"
    assert workspace.messages("social-weekly") == []
    for _ in range(20):
        desk.deliver(door, clock.passes(SECOND))
    assert kinds(workspace) == WITH_CHART
    assert len(workspace.seen(is_upload)) == 2
    assert row(desk).trouble is None


def test_charts_that_are_never_ready(desk: Any, week: int, workspace: FakeSlack, door: Slack, clock: Any) -> None:
    workspace.looks_at_files = 1e9
    after_an_hour(desk, workspace, door, clock)
    assert kinds(workspace) == ALONE
    assert names(workspace) == BOTH
    assert "|the page>" in message(workspace)["text"]
    assert "Slack cannot show the charts" in (row(desk).trouble or "")


# ---------------------------------------------------------------- a post is gone


def gone(desk: Any, mention: int, at: Any) -> None:
    forget(desk.session, [mention], DELETED, at)
    read.forget(desk.session, at)


def test_the_old_files_are_deleted(desk: Any, week: int, workspace: FakeSlack, door: Slack, clock: Any) -> None:
    desk.deliver(door, clock.now())
    before = [file.id for file in workspace.files()]
    gone(desk, week, clock.now())
    desk.deliver(door, clock.passes(SECOND))
    after = workspace.files()
    assert [file.name for file in after] == BOTH
    assert not {file.id for file in after} & set(before)
    assert message(workspace)["files"] == [{"id": after[1].id, "permalink": after[1].permalink}]
    assert not any(b"kim" in (file.content or b"") for file in after)


def test_the_old_files_are_deleted_when_there_are_no_new_ones(
    desk: Any, week: int, workspace: FakeSlack, door: Slack, clock: Any
) -> None:
    desk.deliver(door, clock.now())
    report = desk.config.report.model_copy(update={"address": "https://reports.example.org/", "charts": ()})
    desk.config = desk.config.model_copy(update={"report": report})
    gone(desk, week, clock.now())
    desk.deliver(door, clock.passes(SECOND))
    assert names(workspace) == []


@pytest.mark.parametrize("code", ["is_archived", "not_in_channel", "restricted_action"])
def test_the_old_files_are_deleted_where_the_message_cannot_be_edited(
    desk: Any, week: int, workspace: FakeSlack, door: Slack, clock: Any, code: str
) -> None:
    desk.deliver(door, clock.now())
    before = {file.id for file in workspace.files()}
    gone(desk, week, clock.now())
    workspace.fail_next(Status(200, {"ok": False, "error": code}), on="chat.update", times=None)
    for _ in range(3):
        desk.deliver(door, clock.passes(10 * MINUTE))
    assert not {file.id for file in workspace.files()} & before
    assert len(workspace.seen("files.delete")) == 2
    workspace.heal()
    desk.deliver(door, clock.passes(10 * MINUTE))
    assert {"id": workspace.files()[-1].id, "permalink": workspace.files()[-1].permalink} in message(workspace)["files"]


def test_gone_before_its_message_was_sent(desk: Any, week: int, workspace: FakeSlack, door: Slack, clock: Any) -> None:
    workspace.looks_at_files = 4
    desk.deliver(door, clock.now())
    gone(desk, week, clock.now())
    for _ in range(20):
        desk.deliver(door, clock.passes(SECOND))
    assert kinds(workspace) == WITH_CHART
    assert names(workspace) == BOTH
    assert not any(b"kim" in (file.content or b"") for file in workspace.files())


@pytest.mark.parametrize("fault", [Status(500), Status(200, {"ok": False, "error": "internal_error"}), DropAfter()])
def test_an_old_file_that_is_hard_to_delete(
    desk: Any, week: int, workspace: FakeSlack, door: Slack, clock: Any, fault: Any
) -> None:
    desk.deliver(door, clock.now())
    gone(desk, week, clock.now())
    workspace.fail_next(fault, on="files.delete", times=3)
    for _ in range(10):
        desk.deliver(door, clock.passes(MINUTE))
    assert names(workspace) == BOTH
    assert len(workspace.messages("social-weekly")) == 1
    assert row(desk).trouble is None


def test_an_old_file_that_cannot_be_deleted(
    desk: Any, week: int, workspace: FakeSlack, door: Slack, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    desk.deliver(door, clock.now())
    chart, page = workspace.files()
    gone(desk, week, clock.now())
    workspace.fail_next(Status(200, {"ok": False, "error": "cant_delete_file"}), on="files.delete", times=None)
    told = [sentence for _ in range(15) for sentence in desk.deliver(door, clock.passes(10 * MINUTE)).trouble]
    assert told == [row(desk).trouble] * 3
    assert caplog.messages.count(f"take_back file={chart.id} remedy=_Refused") == 3
    assert f"stays in Slack ({chart.id})" in (row(desk).trouble or "")
    assert "delete it there by hand" in (row(desk).trouble or "")
    assert page.permalink not in str(message(workspace))
    assert len(workspace.seen("files.delete")) == 3, "once an hour"
    workspace.heal()
    desk.deliver(door, clock.passes(60 * MINUTE))
    assert names(workspace) == BOTH
    assert row(desk).trouble is None


def test_an_old_file_that_cannot_be_deleted_for_weeks(
    desk: Any, week: int, workspace: FakeSlack, door: Slack, clock: Any
) -> None:
    desk.deliver(door, clock.now())
    old = {file.id for file in workspace.files()}
    gone(desk, week, clock.now())
    workspace.fail_next(Status(200, {"ok": False, "error": "cant_delete_file"}), on="files.delete", times=None)
    for _ in range(3):
        desk.deliver(door, clock.passes(timedelta(days=5)))
    workspace.heal()
    desk.deliver(door, clock.passes(60 * MINUTE))
    assert not {file.id for file in workspace.files()} & old


def test_an_edited_message_without_its_files_is_told(
    desk: Any, week: int, workspace: FakeSlack, door: Slack, clock: Any
) -> None:
    desk.deliver(door, clock.now())
    gone(desk, week, clock.now())
    workspace.refuses_files = "file_uploads_disabled"
    (told,) = desk.deliver(door, clock.passes(SECOND)).trouble
    assert "takes no files; allow them in its settings" in told
    assert names(workspace) == []


def test_a_file_that_people_deleted(desk: Any, week: int, workspace: FakeSlack, door: Slack, clock: Any) -> None:
    desk.deliver(door, clock.now())
    for file in workspace.files():
        door.take_back(file.id)
        door.take_back(file.id)
    gone(desk, week, clock.now())
    desk.deliver(door, clock.passes(SECOND))
    assert names(workspace) == BOTH
    assert row(desk).trouble is None


# ---------------------------------------------------------------- others


def test_a_door_without_files_gets_the_words(desk: Any, week: int, paper: Any) -> None:
    desk.deliver(paper)
    (post,) = [post for post in paper.posts if post.channel == "summary"]
    assert [block["type"] for block in post.message.blocks] == ALONE
    assert row(desk).files == {}


def test_a_chart_that_cannot_be_drawn(
    desk: Any, week: int, workspace: FakeSlack, door: Slack, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: Any) -> bytes:
        raise ValueError("no")

    monkeypatch.setattr("alerts.drawing.png", broken)
    desk.deliver(door, clock.now())
    assert kinds(workspace) == ALONE
    assert names(workspace) == ["2026-W46.html"]
    assert "volume_by_day.png cannot be drawn (ValueError)" in (row(desk).trouble or "")
