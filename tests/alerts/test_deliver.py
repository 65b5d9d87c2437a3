"""The outbox: every card, digest, note and report reaches people once, the most urgent first, whatever happens on the way."""

import sqlite3
import threading
from collections import Counter
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW
from fakes.server import DropAfter, NotJson, RateLimited, Reset, Status
from fakes.slack import FakeSlack, live_mentions
from sqlalchemy import Engine
from sqlmodel import Session, select

from alerts import decide
from alerts import deliver as module
from alerts.case import move
from alerts.deliver import deliver
from alerts.delivery import Fold
from alerts.notices import card as card_notice
from listener.errors import NeedsPerson, OutcomeUnknown, TryLater
from listener.keep import DELETED, forget
from listener.mention import Mention

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
LATER = NOW + 2 * MINUTE


def cases_in(workspace: FakeSlack, channel: str) -> list[int]:
    payloads = [message["metadata"]["event_payload"] for message in workspace.messages(channel)]
    return [payload["case_id"] for payload in payloads if "case_id" in payload]


def words_in(message: dict[str, Any]) -> str:
    return str(message["blocks"])


# ---------------------------------------------------------------- once, and in order


def test_a_card_for_each_case_once(desk: Any, paper: Any) -> None:
    for urgency in ("routine", "serious", "danger", "here_now"):
        desk.alert(urgency=urgency)
    assert desk.deliver(paper).sent == 4
    assert [desk.deliver(paper).sent for _ in range(3)] == [0, 0, 0]
    assert [post.message.urgency for post in paper.posts] == ["danger", "here_now", "serious", "routine"]
    assert paper.channels() == ["danger", "care", "care", "care"]
    assert {row.state for row in desk.rows()} == {"sent"}
    assert {row.door for row in desk.rows()} == {"paper"}


def test_danger_that_came_meanwhile_goes_first(desk: Any, paper: Any, engine: Engine) -> None:
    """Each message is chosen anew: what another process wrote down in the meantime is seen."""
    for _ in range(3):
        desk.alert()
    added: list[int] = []

    def while_sending() -> None:
        if not added:
            added.append(1)
            with Session(engine) as other:
                here = type(desk)(other, desk.config)
                here.heard = 10
                here.alert(urgency="danger")
                deliver(other, desk.config, type(paper)(closed={"danger": TryLater("no network")}), NOW)
                row = here.rows()[-1]
                row.next_try_at = NOW
                other.add(row)
                other.commit()

    paper.watch = while_sending
    desk.deliver(paper)
    assert paper.channels()[:2] == ["care", "danger"]


def test_a_case_that_got_worse_overtakes_in_the_queue(desk: Any, paper: Any) -> None:
    paper.before["care"] = [TryLater("no network")]
    first, second = desk.alert(), desk.hear()
    desk.decide()
    desk.deliver(paper)
    desk.edit(second, "I am at your desk", NOW, urgency="here_now")
    desk.decide()
    desk.deliver(paper, LATER)
    assert [post.message.metadata["event_payload"]["case_id"] for post in paper.posts] == [2, first]


def test_a_stop_is_heeded_between_two_messages(desk: Any, paper: Any) -> None:
    for _ in range(3):
        desk.alert()
    assert desk.deliver(paper, stop=lambda: len(paper.posts) >= 1).sent == 1
    assert desk.deliver(paper).sent == 2


def test_a_pass_ends_so_that_danger_is_read(desk: Any, paper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PASS", -1.0)
    for _ in range(3):
        desk.alert()
    assert [desk.deliver(paper).sent for _ in range(4)] == [1, 1, 1, 0]


def test_nothing_is_asked_of_the_door_inside_a_transaction(desk: Any, paper: Any, engine: Engine) -> None:
    """While Slack is slow, collectors must be able to keep what they hear."""
    writes: list[str] = []

    def write() -> None:
        with closing(sqlite3.connect(str(engine.url.database), timeout=0.05)) as other:
            other.execute("UPDATE watch SET kept = kept + 1")
            other.commit()
        writes.append("kept")

    paper.watch = write
    number = desk.alert()
    paper.after["care"], paper.blind = [OutcomeUnknown("no answer")], 1
    desk.deliver(paper)
    desk.deliver(paper, LATER)  # it is looked for
    move(desk.session, number, "claimed", "ana", "claimed it", LATER)
    desk.session.commit()
    desk.deliver(paper, LATER)  # and changed
    assert (len(paper.posts), len(paper.looked), len(paper.updates)) == (1, 2, 2)
    assert len(writes) == 5


def test_two_processes_send_a_card_once(desk: Any, paper: Any, engine: Engine) -> None:
    for _ in range(20):
        desk.alert(urgency="danger")
    start = threading.Barrier(2)

    def run() -> None:
        start.wait(10)
        with Session(engine) as session:
            deliver(session, desk.config, paper, NOW)

    both = [threading.Thread(target=run) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(30)
    assert Counter(post.key for post in paper.posts) == Counter({row.key: 1 for row in desk.rows()})
    assert len(paper.posts) == 20


# ---------------------------------------------------------------- the outcome is unknown


def test_the_row_is_committed_before_the_request(desk: Any, paper: Any, engine: Engine) -> None:
    seen: list[tuple[str, int]] = []

    def look() -> None:
        with Session(engine) as other:
            seen.extend((row.state, row.attempts) for row in type(desk)(other, desk.config).rows())

    paper.watch = look
    desk.alert()
    desk.deliver(paper)
    assert seen == [("sending", 1)]


@pytest.mark.parametrize("arrived", [True, False])
def test_unknown_is_looked_for_before_it_is_sent_again(desk: Any, paper: Any, arrived: bool) -> None:
    desk.alert()
    (paper.after if arrived else paper.before)["care"], paper.blind = [OutcomeUnknown("no answer")], 1
    assert desk.deliver(paper).sent == 0
    assert desk.rows()[0].state == "sending"
    assert desk.deliver(paper, NOW + 2 * SECOND).sent == 0, "not at once"
    assert desk.deliver(paper, LATER).sent == 1
    assert set(paper.looked) == {desk.rows()[0].key}
    assert len(paper.posts) == 1


def test_killed_while_sending_is_looked_for(desk: Any, paper: Any) -> None:
    desk.alert()

    def die() -> None:
        paper.watch = lambda: None
        raise KeyboardInterrupt

    paper.watch = die
    with pytest.raises(KeyboardInterrupt):
        desk.deliver(paper)
    desk.session.rollback()
    assert desk.rows()[0].state == "sending"
    desk.session.commit()
    assert desk.deliver(paper, LATER).sent == 1
    assert len(paper.looked) == 1


@pytest.mark.parametrize("then", [TryLater("wait", LATER), TryLater("no network"), NeedsPerson("archived")])
def test_what_may_have_arrived_is_looked_for_after_any_trouble(desk: Any, paper: Any, then: Exception) -> None:
    desk.alert()
    paper.after["care"], paper.blind = [OutcomeUnknown("no answer")], 1
    desk.deliver(paper)
    paper.closed["care"] = then
    desk.deliver(paper, LATER)
    paper.closed.clear()
    assert desk.deliver(paper, LATER + 5 * MINUTE).sent == 1
    assert len(paper.posts) == 1


def test_a_found_card_is_brought_up_to_date(desk: Any, paper: Any) -> None:
    number = desk.alert()
    paper.after["care"], paper.blind = [OutcomeUnknown("no answer")], 1
    desk.deliver(paper)
    move(desk.session, number, "claimed", "ana", "claimed it", NOW)
    desk.session.commit()
    assert desk.deliver(paper, LATER).updated == 1
    assert dict(paper.updates[-1][1].lines)["State"] == "claimed by ana"


@pytest.mark.parametrize("fault", [DropAfter(), Reset(), Status(500), Status(503), NotJson()])
@pytest.mark.parametrize("urgency", ["danger", "routine"])
def test_exactly_one_message_in_the_end(
    desk: Any, workspace: FakeSlack, door: Any, clock: Any, fault: Any, urgency: str
) -> None:
    desk.alert(urgency=urgency)
    workspace.fail_next(fault, on="chat.postMessage")
    arrived = isinstance(fault, DropAfter)
    assert desk.deliver(door, clock.now()).sent == arrived, "what arrived is seen at once"
    assert desk.deliver(door, clock.passes(MINUTE)).sent == (not arrived)
    desk.deliver(door, clock.passes(MINUTE))
    channel = desk.config.care.slack.channels[desk.case().channel]
    assert cases_in(workspace, channel) == [1]
    assert len(workspace.seen("chat.postMessage")) == (1 if arrived else 2)


def test_dropped_again_and_again(desk: Any, workspace: FakeSlack, door: Any, clock: Any) -> None:
    desk.alert()
    workspace.fail_next(DropAfter(), on="chat.postMessage")
    workspace.fail_next(DropAfter(), on="conversations.history", times=3)
    for _ in range(6):
        desk.deliver(door, clock.passes(5 * MINUTE))
    assert cases_in(workspace, "social-care") == [1]
    assert desk.rows()[0].state == "sent"


def test_found_among_many_others(desk: Any, workspace: FakeSlack, door: Any, clock: Any) -> None:
    desk.alert()
    workspace.fail_next(DropAfter(), on="chat.postMessage")
    workspace.fail_next(Status(503), on="conversations.history")
    desk.deliver(door, clock.now())
    for number in range(450):
        workspace.add_message("social-care", f"lunch {number}")
    assert desk.deliver(door, clock.passes(MINUTE)).sent == 1
    assert len(workspace.seen("conversations.history")) == 1 + 3, "page by page"
    assert len(workspace.seen("chat.postMessage")) == 1


# ---------------------------------------------------------------- asked to wait


def test_a_429_holds_only_its_channel(desk: Any, workspace: FakeSlack, door: Any, clock: Any) -> None:
    for _ in range(3):
        desk.alert()
    desk.alert(urgency="danger")
    limited = RateLimited(retry_after=30)
    workspace.fail_next(limited, on=lambda request: (request.body or {}).get("channel") == "#social-care")
    desk.deliver(door, clock.now())
    assert cases_in(workspace, "social-care-danger") == [4]
    assert cases_in(workspace, "social-care") == []
    assert {row.next_try_at for row in desk.rows() if row.channel == "care"} == {NOW + 30 * SECOND}
    desk.deliver(door, clock.passes(29 * SECOND))
    assert cases_in(workspace, "social-care") == []
    desk.deliver(door, clock.passes(SECOND))
    assert cases_in(workspace, "social-care") == [1, 2, 3]
    assert workspace.seen("conversations.history") == [], "a 429 is a sure answer"


def test_a_channel_is_tried_once_in_a_pass(desk: Any, paper: Any) -> None:
    for _ in range(3):
        desk.alert()
    paper.closed["care"] = TryLater("no network")
    desk.deliver(paper)
    assert sorted(row.attempts for row in desk.rows()) == [0, 0, 1]


def test_a_429_in_danger_is_waited_out_exactly(desk: Any, paper: Any) -> None:
    desk.alert(urgency="danger")
    paper.before["danger"] = [TryLater("429", NOW + SECOND)]
    assert desk.deliver(paper).sent == 0
    assert desk.deliver(paper, NOW + SECOND).sent == 1


def test_danger_never_waits_long_for_the_next_try(desk: Any, paper: Any) -> None:
    desk.alert(urgency="danger")
    desk.alert()
    paper.closed = {"danger": TryLater("no network"), "care": TryLater("no network")}
    at = NOW
    for _ in range(30):
        at += 5 * MINUTE
        desk.deliver(paper, at)
    danger, routine = desk.rows()
    assert danger.next_try_at - at <= 15 * SECOND
    assert routine.next_try_at - at == MINUTE
    paper.closed.clear()
    assert desk.deliver(paper, at + 15 * SECOND).sent == 1


def test_three_hundred_cards_drain(desk: Any, config: Any, clock: Any) -> None:
    """A portal outage: Slack takes one message a second in a channel. Nothing twice, danger first, nothing lost; what is too
    much for a minute folds under one card, the least urgent first."""
    with FakeSlack(now=clock, enforce_rate=True, burst=10) as workspace:
        for channel in config.care.slack.channels.values():
            workspace.add_channel(channel)
        door = module_slack(workspace, config, clock)
        for number in range(290):
            desk.hear(urgency="here_now" if number % 29 == 0 else "routine")
        for _ in range(10):
            desk.hear(urgency="danger")
        desk.decide()
        passes = 0
        while (done := desk.deliver(door, clock.passes(10 * SECOND))).waiting:
            passes += 1
            assert passes < 40
            if passes == 1:
                assert len(workspace.messages("social-care-danger")) == 10
        assert done.waiting == 0
        care, danger = cases_in(workspace, "social-care"), cases_in(workspace, "social-care-danger")
        folded = [fold.case_id for fold in desk.session.exec(select(Fold))]
        assert Counter(care + danger + folded) == Counter(range(1, 301))
        assert [desk.case(number).urgency for number in care] == ["here_now"] * 10 + ["routine"] * 2
        (fold,) = [
            one for one in workspace.messages("social-care") if one["metadata"]["event_type"] == "call_light_fold"
        ]
        assert fold["blocks"][0]["text"]["text"] == "📥 278 more cases wait here"
        refused = [request for request in workspace.seen("chat.postMessage") if request.status == 429]
        assert len(refused) < passes * 2 + 2, "one refusal a channel and pass"


def module_slack(workspace: FakeSlack, config: Any, clock: Any) -> Any:
    from alerts.slack import Slack

    return Slack(workspace.token, workspace.base_url, config.care.slack.channels, clock.now)


# ---------------------------------------------------------------- a person is needed


@pytest.mark.parametrize("broken", ["archived", "not in it"])
def test_one_channel_out_of_order_stops_no_other(
    desk: Any, workspace: FakeSlack, door: Any, clock: Any, broken: str
) -> None:
    desk.alert(categories=[{"id": "privacy", "score": 1.0, "words": ["chart"]}])
    desk.alert()
    channel = "privacy-office-social"
    workspace.change_channel(channel, archived=broken == "archived", member=broken == "archived")
    delivered = desk.deliver(door, clock.now())
    assert (delivered.sent, delivered.updated, delivered.waiting) == (1, 0, 1)
    assert channel in delivered.trouble[0]
    assert cases_in(workspace, "social-care") == [2]
    row = next(row for row in desk.rows() if row.channel == "privacy")
    assert row.state == "pending"
    assert channel in (row.trouble or "")
    workspace.change_channel(channel, archived=False, member=True)
    assert desk.deliver(door, clock.passes(2 * MINUTE)).sent == 2
    assert cases_in(workspace, channel) == [1]
    (told,) = workspace.messages("call-light-health")
    assert told["text"] == "Please look: privacy"
    desk.deliver(door, clock.passes(MINUTE))
    assert workspace.messages("call-light-health")[1]["text"] == "Well again: privacy"
    assert row.trouble is None


def test_a_channel_that_is_no_longer_configured(desk: Any, workspace: FakeSlack, clock: Any) -> None:
    from alerts.slack import Slack

    channels = dict(desk.config.care.slack.channels)
    del channels["privacy"]
    door = Slack(workspace.token, workspace.base_url, channels, clock.now)
    desk.alert(categories=[{"id": "privacy", "score": 1.0, "words": ["chart"]}])
    desk.alert()
    assert desk.deliver(door, clock.now()).sent == 1
    assert "no channel 'privacy'" in (desk.rows()[0].trouble or "")


def test_a_message_that_cannot_be_written_holds_up_nobody(desk: Any, paper: Any) -> None:
    desk.alert(urgency="here_now", categories=[{"id": "food"}])
    desk.alert()
    assert [desk.deliver(paper, NOW + number * SECOND).sent for number in range(3)] == [0, 1, 0]
    assert "cannot be written (KeyError)" in (desk.rows()[0].trouble or "")


def test_a_kind_of_message_with_a_mistake_holds_up_no_card_and_is_no_secret(
    desk: Any, paper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(*_: Any) -> None:
        raise TypeError("a mistake of ours")

    desk.alert(urgency="danger")
    for kind in ("praise", "spike"):
        monkeypatch.setattr(f"alerts.notices.{kind}.enqueue", mistaken)
    with pytest.raises(TypeError):
        desk.deliver(paper)
    assert paper.channels() == ["danger"]


BROKEN = [{"archived": True}, {"member": False}]


@pytest.mark.parametrize("broken", BROKEN)
def test_danger_without_its_channel_goes_to_the_care_team(
    desk: Any, workspace: FakeSlack, door: Any, clock: Any, broken: dict[str, bool]
) -> None:
    workspace.change_channel("social-care-danger", **broken)
    desk.alert(urgency="danger")
    desk.alert(urgency="danger")
    desk.alert()
    desk.deliver(door, clock.now())
    assert cases_in(workspace, "social-care") == [1, 2, 3], "at once, before anything else"
    assert live_mentions(workspace.messages("social-care")[0]) == ["<!here>", "<!here>"]
    for _ in range(5):
        desk.deliver(door, clock.passes(MINUTE))
    assert cases_in(workspace, "social-care") == [1, 2, 3], "once"

    desk.alert(urgency="danger")
    desk.deliver(door, clock.passes(MINUTE))
    assert cases_in(workspace, "social-care") == [1, 2, 3, 4], "what comes later too"

    workspace.change_channel("social-care-danger", archived=False, member=True)
    desk.deliver(door, clock.passes(MINUTE))
    assert cases_in(workspace, "social-care-danger") == [1, 2, 4]
    desk.alert(urgency="danger")
    desk.deliver(door, clock.passes(MINUTE))
    assert cases_in(workspace, "social-care-danger") == [1, 2, 4, 5]
    assert cases_in(workspace, "social-care") == [1, 2, 3, 4], "back to normal"


def test_a_danger_channel_that_does_not_exist(desk: Any, config: Any, clock: Any) -> None:
    with FakeSlack(now=clock) as workspace:
        workspace.add_channel("social-care")
        desk.alert(urgency="danger")
        desk.deliver(module_slack(workspace, config, clock), clock.now())
        assert cases_in(workspace, "social-care") == [1]


def test_both_cards_of_a_stranded_danger_show_its_state(desk: Any, paper: Any) -> None:
    number = desk.alert(urgency="danger")
    paper.closed["danger"] = NeedsPerson("archived")
    desk.deliver(paper)
    paper.closed.clear()
    desk.deliver(paper, LATER)
    move(desk.session, number, "claimed", "ana", "claimed it", LATER)
    desk.session.commit()
    assert desk.deliver(paper, LATER).updated == 2
    assert sorted(sent.place for sent, _ in paper.updates) == ["care", "danger"]


def test_a_wrong_token_mended_sends_one_page_only(desk: Any, paper: Any) -> None:
    """Nothing could be reached: then the care team needs no second card once all works."""
    desk.alert(urgency="danger")
    paper.closed = {"danger": NeedsPerson("wrong token"), "care": NeedsPerson("wrong token")}
    for minutes in range(5):
        desk.deliver(paper, NOW + minutes * MINUTE)
    paper.closed.clear()
    desk.deliver(paper, NOW + HOUR)
    assert paper.channels() == ["danger"]
    assert desk.deliver(paper, NOW + 2 * HOUR).waiting == 0


def test_a_page_is_only_for_danger_and_only_while_someone_must_act(desk: Any, paper: Any) -> None:
    number = desk.alert(urgency="danger")
    desk.alert(categories=[{"id": "privacy", "score": 1.0, "words": ["chart"]}])
    move(desk.session, number, "claimed", "ana", "claimed it", NOW)
    move(desk.session, number, "closed", "ana", "closed it", NOW)
    paper.closed = {"danger": NeedsPerson("archived"), "privacy": NeedsPerson("archived")}
    desk.deliver(paper)
    assert paper.posts == []


def test_the_care_team_needs_no_page_beside_its_own_card(desk: Any, paper: Any) -> None:
    """The old card of a case that became danger waits for the care channel; the danger card has arrived."""
    paper.closed["care"] = NeedsPerson("archived")
    desk.alert(ref="1", author="kim")
    desk.deliver(paper)
    desk.alert(ref="2", thread="1", author="kim", urgency="danger")
    desk.deliver(paper, LATER)
    desk.deliver(paper, LATER + MINUTE)
    assert paper.channels() == ["danger"]
    assert [row.about for row in desk.rows()] == ["case:1", "case:1"]


def test_a_slow_network_is_no_reason_for_a_page(desk: Any, paper: Any) -> None:
    desk.alert(urgency="danger")
    paper.closed["danger"] = TryLater("no network")
    desk.deliver(paper)
    assert len(desk.rows()) == 1


# ---------------------------------------------------------------- blocks that Slack refuses


def test_refused_blocks_go_as_plain_text_once(
    desk: Any, workspace: FakeSlack, door: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = card_notice.card

    def too_long(*args: Any) -> Any:
        message = whole(*args)
        message.blocks[0]["text"]["text"] = "x" * 151
        return message

    monkeypatch.setattr(card_notice, "card", too_long)
    number = desk.alert()
    assert desk.deliver(door, clock.now()).sent == 1
    (message,) = workspace.messages("social-care")
    assert "blocks" not in message
    assert message["text"].endswith("case 1, open, nobody has it yet")
    assert message["metadata"]["event_payload"]["case_id"] == 1
    assert len(workspace.seen("chat.postMessage")) == 2

    move(desk.session, number, "claimed", "ana", "claimed it", NOW)
    desk.session.commit()
    assert desk.deliver(door, clock.passes(SECOND)).updated == 1
    assert workspace.messages("social-care")[0]["text"].endswith("claimed by ana")


def test_refused_as_plain_text_too(desk: Any, workspace: FakeSlack, door: Any, clock: Any) -> None:
    desk.alert()
    desk.alert(categories=[{"id": "privacy", "score": 1.0, "words": ["chart"]}])
    refusal = Status(200, {"ok": False, "error": "invalid_blocks"})
    workspace.fail_next(refusal, times=2, on=lambda request: (request.body or {}).get("channel") == "#social-care")
    assert desk.deliver(door, clock.now()).sent == 1
    assert "invalid_blocks" in (desk.rows()[0].trouble or "")
    assert desk.deliver(door, clock.passes(2 * MINUTE)).sent == 1


# ---------------------------------------------------------------- updates


def test_a_changed_case_changes_its_card(desk: Any, workspace: FakeSlack, door: Any, clock: Any) -> None:
    number = desk.alert()
    desk.deliver(door, clock.now())
    for state, shown in (("claimed", "claimed by ana"), ("answered", "answered in 1 min"), ("closed", "closed by ana")):
        move(desk.session, number, state, "ana", "did it", NOW)
        desk.session.commit()
        assert desk.deliver(door, clock.passes(SECOND)).updated == 1
        assert desk.deliver(door, clock.passes(SECOND)).updated == 0
        (message,) = workspace.messages("social-care")
        assert shown in words_in(message)


def test_a_case_that_becomes_danger_gets_its_own_card(desk: Any, workspace: FakeSlack, door: Any, clock: Any) -> None:
    desk.alert(ref="1", author="kim")
    desk.deliver(door, clock.now())
    desk.alert("she stopped breathing", ref="2", thread="1", author="kim", urgency="danger")
    assert desk.deliver(door, clock.passes(SECOND)) == module.Delivered(sent=1, updated=1, waiting=0)
    (care,), (danger,) = workspace.messages("social-care"), workspace.messages("social-care-danger")
    for message in (care, danger):
        assert "she stopped breathing" in words_in(message), "the worst words are the ones to see"
        assert "DANGER" in words_in(message)
    assert live_mentions(danger) == ["<!here>", "<!here>"]
    assert desk.deliver(door, clock.passes(SECOND)) == module.Delivered()


def test_a_card_that_people_removed_is_left_alone(desk: Any, workspace: FakeSlack, door: Any, clock: Any) -> None:
    number = desk.alert()
    desk.deliver(door, clock.now())
    workspace.remove_message("social-care", workspace.messages("social-care")[0]["ts"])
    move(desk.session, number, "claimed", "ana", "claimed it", NOW)
    desk.session.commit()
    desk.deliver(door, clock.passes(SECOND))
    assert desk.deliver(door, clock.passes(HOUR)).updated == 0
    assert workspace.messages("social-care") == []
    assert len(workspace.seen("chat.update")) == 1


def test_an_archived_channel_stops_no_other_update(desk: Any, paper: Any) -> None:
    numbers = [desk.alert(categories=[{"id": "privacy", "score": 1.0, "words": []}]), desk.alert(), desk.alert()]
    desk.deliver(paper)
    for number in numbers:
        move(desk.session, number, "claimed", "ana", "claimed it", NOW)
    desk.session.commit()
    paper.closed["privacy"] = NeedsPerson("archived")
    assert desk.deliver(paper, NOW + SECOND).updated == 2
    paper.closed.clear()
    assert desk.deliver(paper, NOW + SECOND).updated == 0
    assert desk.deliver(paper, NOW + HOUR).updated == 1


@pytest.mark.parametrize("error", [TryLater("429", NOW + MINUTE), OutcomeUnknown("no answer"), TryLater("no network")])
def test_an_update_is_tried_again(desk: Any, paper: Any, error: Exception) -> None:
    numbers = [desk.alert(), desk.alert(categories=[{"id": "privacy", "score": 1.0, "words": []}])]
    desk.deliver(paper)
    for number in numbers:
        move(desk.session, number, "claimed", "ana", "claimed it", NOW)
    desk.session.commit()
    paper.on_update["care"] = [error]
    assert desk.deliver(paper, NOW + SECOND).updated == 0, "one refusal ends the updates of a pass"
    assert desk.deliver(paper, NOW + 2 * MINUTE).updated == 2
    assert {row.shown_version for row in desk.rows()} == {2}


def test_deleted_there_is_deleted_on_the_card(desk: Any, workspace: FakeSlack, door: Any, clock: Any) -> None:
    mention = desk.hear("my mother waited")
    desk.decide()
    desk.deliver(door, clock.now())
    forget(desk.session, [mention], DELETED, NOW)
    decide.forget(desk.session, NOW)
    desk.deliver(door, clock.passes(SECOND))
    (message,) = workspace.messages("social-care")
    assert "my mother waited" not in str(message)
    assert "x.example" not in str(message)
    assert "(deleted by its author)" in words_in(message)


def test_a_reopened_case_gets_a_new_card(desk: Any, workspace: FakeSlack, door: Any, clock: Any) -> None:
    """The old one is far up in the channel, and an edit of it tells nobody."""
    number = desk.alert("seven hours", ref="1", author="kim", urgency="danger")
    desk.deliver(door, clock.now())
    move(desk.session, number, "closed", "ana", "closed it", NOW)
    desk.session.commit()
    desk.deliver(door, clock.passes(HOUR))
    desk.alert("he is worse now", ref="2", thread="1", author="kim", urgency="danger", now=clock.now())
    desk.deliver(door, clock.passes(SECOND))
    _, second = workspace.messages("social-care-danger")
    assert live_mentions(second), "people are paged again"
    assert "Also: he is worse now" in words_in(second)
    desk.deliver(door, clock.passes(SECOND))
    assert len(workspace.messages("social-care-danger")) == 2


def test_a_card_shows_what_else_was_said(desk: Any, paper: Any) -> None:
    desk.alert("seven hours", ref="1", author="kim", urgency="serious")
    first = desk.case().mention_id
    for n in range(5):
        desk.hear(f"answer {n}", ref=f"a{n}", thread="1", answers="1", author=f"author{n}")
    desk.hear("seven hours", ref="copy", story=first, author="dee", source="bluesky")
    desk.decide()
    desk.deliver(paper)
    (post,) = paper.posts
    assert post.message.excerpt.split("\n\n") == ["seven hours", "Also: answer 2", "Also: answer 3", "Also: answer 4"]
    assert dict(post.message.lines)["Posts"] == "7 by 7 people"


def test_of_two_posts_the_deleted_one_is_not_shown(desk: Any, paper: Any) -> None:
    desk.alert("first words", ref="1", author="kim")
    worse = desk.hear("second words", ref="2", thread="1", author="kim", urgency="serious")
    desk.decide()
    desk.session.get(Mention, worse).deleted_at = NOW
    desk.session.commit()
    desk.deliver(paper)
    assert paper.posts[0].message.excerpt == "first words"


def test_danger_reaches_any_channel_that_is_left(desk: Any, workspace: FakeSlack, door: Any, clock: Any) -> None:
    """The danger channel and that of the care team are both gone."""
    desk.alert(urgency="danger")
    for channel in ("social-care-danger", "social-care"):
        workspace.change_channel(channel, archived=True)
    for _ in range(4):
        desk.deliver(door, clock.passes(20 * SECOND))
    assert cases_in(workspace, "call-light-health") == [1]
