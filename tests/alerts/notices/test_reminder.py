"""Reminders: one message for each who is told, no storm after an outage, and none of what was dealt with."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from conftest import NOW
from fakes.slack import FakeSlack, live_mentions
from fakes.slack_limits import problems
from fakes.strangers import HOSTILE, is_taken, whole

from alerts import decide
from alerts.delivery import Delivery
from alerts.message import Message
from alerts.notices import reminder
from alerts.reminders import remind
from listener.errors import TryLater
from listener.keep import DELETED, forget

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def run(desk: Any, door: Any, until: datetime, since: datetime = NOW, every: timedelta = MINUTE) -> None:
    """The service runs for a while."""
    at = since
    while at <= until:
        remind(desk.session, desk.config, at)
        desk.deliver(door, at)
        at += every


def reminders(paper: Any) -> list[tuple[str, Message]]:
    """The reminders that a door was given: where, and what."""
    kind = "call_light_reminder"
    return [(post.channel, post.message) for post in paper.posts if post.message.metadata["event_type"] == kind]


def buttons(message: Message) -> list[tuple[str, str]]:
    found = [block["accessory"] for block in message.blocks if "accessory" in block]
    return [(button["action_id"], button["value"]) for button in found]


def managed(desk: Any, manager: str | None = "<@U0BOSS1>", oncall: str = "<!subteam^S0ONCALL>") -> None:
    """A hospital that has a manager and a group on call."""
    slack = desk.config.care.slack.model_copy(update={"manager": manager, "oncall": oncall})
    desk.config = desk.config.model_copy(update={"care": desk.config.care.model_copy(update={"slack": slack})})


# ---------------------------------------------------------------- who is told, and how


def test_nobody_has_it(desk: Any, paper: Any) -> None:
    desk.alert("waited for hours", written_at=NOW)
    run(desk, paper, NOW + 61 * MINUTE)
    (warning, late) = reminders(paper)
    assert [channel for channel, _ in (warning, late)] == ["care", "care"]
    assert warning[1].title == late[1].title == "⏰ Nobody has these yet"
    assert warning[1].lines == (("Case 1", "30 min left"),)
    assert buttons(late[1]) == [("do:claim", "1")]
    for _, message in (warning, late):
        assert live_mentions(whole(message)) == [], "the channel is not pinged for what is not yet beyond it"
        assert "waited for hours" not in str(message), "no word of a post"
        assert problems(message.blocks) == []


def test_the_on_call_people_are_pinged_where_the_case_is(desk: Any, paper: Any) -> None:
    managed(desk)
    desk.alert(urgency="danger", written_at=NOW)
    run(desk, paper, NOW + 2 * MINUTE)
    ((channel, message),) = reminders(paper)
    assert channel == "danger"
    assert live_mentions(whole(message)) == ["<!subteam^S0ONCALL>"] * 2
    assert message.urgency == "danger"
    assert buttons(message) == [("do:claim", "1")]


@pytest.mark.parametrize(
    ("manager", "channel", "pings"),
    [("<@U0BOSS1>", "U0BOSS1", []), ("<!subteam^S0BOSSES>", "care", ["<!subteam^S0BOSSES>"] * 2)],
)
def test_the_manager_hears_it_in_person_or_as_a_group_in_the_channel(
    desk: Any, paper: Any, manager: str, channel: str, pings: list[str]
) -> None:
    managed(desk, manager)
    desk.alert()
    desk.deliver(paper)
    desk.act("escalate", "U0ANA1", to="manager", why="they ask for you")
    desk.deliver(paper)
    ((where, message),) = reminders(paper)
    assert (where, live_mentions(whole(message))) == (channel, pings)
    assert "they ask for you" in str(message.blocks)


@pytest.mark.parametrize(("owner", "channel"), [("U0ANA1", "U0ANA1"), ("ana", "care")])
def test_its_owner_hears_it_in_person_as_far_as_slack_knows_them(
    desk: Any, paper: Any, owner: str, channel: str
) -> None:
    desk.alert(written_at=NOW)
    desk.act("claim", owner, now=NOW)
    run(desk, paper, NOW + 76 * MINUTE)
    ((where, message),) = reminders(paper)
    assert (where, message.title) == (channel, "⏰ Yours, and no reply yet")
    assert buttons(message) == [("do:answered", "1")]


def test_whom_it_was_given_to_is_told_so(desk: Any, paper: Any) -> None:
    desk.alert()
    desk.deliver(paper)
    desk.act("assign", "U0ANA1", to="U0BEN1")
    desk.deliver(paper)
    ((channel, message),) = reminders(paper)
    assert (channel, message.title) == ("U0BEN1", "👤 Given to you")


def test_its_author_said_more(desk: Any, paper: Any) -> None:
    desk.alert(ref="1", author="kim", written_at=NOW)
    desk.act("claim", "U0ANA1", now=NOW)
    desk.alert("and now this", ref="2", thread="1", author="kim", now=NOW + MINUTE)
    run(desk, paper, NOW + 2 * MINUTE, since=NOW + MINUTE)
    ((channel, message),) = reminders(paper)
    assert (channel, message.title) == ("U0ANA1", "💬 Yours, and its author said more")


def test_back_with_the_team(desk: Any, paper: Any) -> None:
    desk.alert(written_at=NOW)
    desk.act("claim", "U0ANA1", now=NOW)
    run(desk, paper, NOW + 105 * MINUTE, every=5 * MINUTE)
    channel, message = reminders(paper)[-1]
    assert (channel, message.title) == ("care", "↩️ Back with the team")
    assert buttons(message) == [("do:claim", "1")]
    before = next(update for sent, update in reversed(paper.updates) if sent.place == "U0ANA1")
    assert before.title == "✅ Not waiting for you any more"
    assert buttons(before) == []


# ---------------------------------------------------------------- escalated by a person


def test_what_it_is_about_is_told_and_no_word_of_the_post(desk: Any, paper: Any) -> None:
    names = ("parking", "food", "gone")
    topics = [{"id": name, "score": 1.0, "words": ["the flooded garage"]} for name in names]
    first = desk.hear("the flooded garage", categories=topics, site="Harbor Campus", written_at=NOW)
    desk.decide()
    run(desk, paper, NOW + 31 * MINUTE)
    ((_, message),) = reminders(paper)
    about = "Parking and getting here; Food · Harbor Campus"
    assert f"To answer · {about} · 30 min left" in str(message.blocks)
    assert message.lines == (("Case 1", f"{about} · 30 min left"),)
    assert "flooded" not in str(message)
    forget(desk.session, [first], DELETED, NOW + 32 * MINUTE)
    decide.forget(desk.session, NOW + 32 * MINUTE)
    desk.deliver(paper, NOW + 32 * MINUTE)
    assert "Parking" not in str(next(said for _, said in reversed(paper.updates) if said.title == message.title))


@pytest.mark.parametrize("has_owner", [True, False])
def test_who_escalates_is_heard_though_somebody_has_the_case(desk: Any, paper: Any, has_owner: bool) -> None:
    desk.alert()
    desk.deliver(paper)
    if has_owner:
        desk.act("claim", "U0ANA1")
    desk.act("escalate", "U0ANA1", to="oncall", why="call the ward <!channel>")
    desk.deliver(paper)
    ((channel, message),) = reminders(paper)
    assert (channel, message.title) == ("care", "🔔 Please look at these")
    assert [one for one in live_mentions(whole(message)) if one != "<@U0ANA1>"] == ["<!here>"] * 2
    assert buttons(message) == ([] if has_owner else [("do:claim", "1")])
    assert "case 1: oncall: call the ward" in str(message.blocks)


def test_two_escalations_each_with_its_reason(desk: Any, paper: Any) -> None:
    for _ in range(2):
        desk.alert()
    desk.deliver(paper)
    for number, why in enumerate(("first", "second"), 1):
        desk.act("escalate", "U0ANA1", case_id=number, to="oncall", why=why)
    desk.deliver(paper)
    ((_, message),) = reminders(paper)
    assert [words in str(message.blocks) for words in ("case 1: oncall: first", "case 2: oncall: second")] == [
        True,
        True,
    ]


def test_escalated_again_is_told_again(desk: Any, paper: Any) -> None:
    desk.alert()
    desk.deliver(paper)
    for _ in range(3):
        desk.act("escalate", "U0ANA1", to="oncall", why="nobody came")
        desk.deliver(paper)
    assert len(reminders(paper)) == 3


def test_danger_while_somebody_has_it_as_a_complaint(desk: Any, paper: Any) -> None:
    desk.alert(ref="1", author="kim", written_at=NOW)
    desk.act("claim", "U0ANA1", now=NOW)
    desk.alert(ref="2", thread="1", author="kim", urgency="danger", written_at=NOW, now=NOW + MINUTE)
    run(desk, paper, NOW + 3 * MINUTE, since=NOW + MINUTE)
    (message,) = [message for channel, message in reminders(paper) if channel == "danger"]
    assert live_mentions(whole(message)).count("<!here>") == 2
    card = next(post.message for post in paper.posts if post.channel == "danger")
    assert live_mentions(whole(card)).count("<!here>") == 2, "on call are told at once, and somebody claims it anew"


# ---------------------------------------------------------------- not a storm


def test_many_cases_at_once_are_one_message(desk: Any, paper: Any) -> None:
    for _ in range(30):
        desk.alert(written_at=NOW)
    run(desk, paper, NOW + 30 * MINUTE, every=30 * MINUTE)
    ((_, message),) = reminders(paper)
    assert [name for name, _ in message.lines] == [*(f"Case {number}" for number in range(1, 11)), "And more"]
    assert "and 20 more" in message.text
    assert "20 more; /calllight open" in str(message.blocks[-1])


def test_slack_down_for_an_hour_makes_one_page_and_not_thirty(desk: Any, paper: Any) -> None:
    desk.alert(urgency="danger", written_at=NOW)
    desk.alert(written_at=NOW - HOUR)
    desk.deliver(paper)
    paper.closed = {"danger": TryLater("no network"), "care": TryLater("no network")}
    run(desk, paper, NOW + 60 * MINUTE)
    assert reminders(paper) == []
    paper.closed.clear()
    run(desk, paper, NOW + 61 * MINUTE, since=NOW + 61 * MINUTE)
    assert [len(message.lines) for channel, message in reminders(paper) if channel == "danger"] == [1]
    run(desk, paper, NOW + 66 * MINUTE, since=NOW + 62 * MINUTE)
    found = [(channel, message.title) for channel, message in reminders(paper)]
    assert sorted(found) == [
        ("care", "⏰ Nobody has these yet"),
        ("care", "🔔 Nobody has these yet"),
        *[("danger", "🔔 Nobody has these yet")] * 4,
    ], "and danger again every two minutes"


@pytest.mark.parametrize(
    ("urgency", "channel", "due"), [("routine", "care", 30 * MINUTE), ("danger", "danger", 2 * MINUTE)]
)
def test_a_reminder_follows_the_card_of_which_it_speaks(
    desk: Any, paper: Any, urgency: str, channel: str, due: timedelta
) -> None:
    desk.alert(urgency=urgency, written_at=NOW)
    paper.closed = {channel: TryLater("no network")}
    run(desk, paper, NOW + due)
    desk.alert(urgency=urgency, written_at=NOW, now=NOW + due)
    paper.closed.clear()
    run(desk, paper, NOW + due + 5 * MINUTE, since=NOW + due)
    kinds = [post.message.metadata["event_type"] for post in paper.posts]
    assert kinds[:3] == ["call_light_card", "call_light_card", "call_light_reminder"]


def test_a_card_that_never_arrives_holds_up_no_reminder_of_another_case(desk: Any, paper: Any) -> None:
    desk.alert(written_at=NOW)
    desk.deliver(paper)
    desk.alert(written_at=NOW)
    desk.deliver(paper, stop=lambda: True)
    desk.rows()[-1].next_try_at = NOW + 9 * HOUR
    desk.session.commit()
    run(desk, paper, NOW + 31 * MINUTE)
    ((_, message),) = reminders(paper)
    assert [name for name, _ in message.lines] == ["Case 1"]


def test_the_manager_is_woken_up_though_no_channel_takes_the_card_of_danger(desk: Any, paper: Any) -> None:
    managed(desk)
    desk.alert(urgency="danger", written_at=NOW)
    paper.closed = {"danger": TryLater("no network"), "care": TryLater("no network")}
    desk.act("escalate", "ana", to="manager", why="nobody sees it")
    desk.deliver(paper)
    assert [channel for channel, _ in reminders(paper)] == ["U0BOSS1"]


def test_what_was_dealt_with_before_it_could_be_told_is_not_told(desk: Any, paper: Any) -> None:
    desk.alert(written_at=NOW)
    desk.alert(written_at=NOW)
    desk.deliver(paper)
    paper.closed["care"] = TryLater("no network")
    run(desk, paper, NOW + 31 * MINUTE, since=NOW + 30 * MINUTE)
    desk.act("claim", now=NOW + 32 * MINUTE, case_id=1)
    desk.act("answered", now=NOW + 32 * MINUTE, case_id=2)
    paper.closed.clear()
    run(desk, paper, NOW + 50 * MINUTE, since=NOW + 40 * MINUTE)
    assert reminders(paper) == []
    assert [row.kind for row in desk.rows()] == ["card", "card"]


def test_dealt_with_between_the_step_and_the_message(desk: Any, paper: Any) -> None:
    desk.alert(written_at=NOW)
    remind(desk.session, desk.config, NOW + 30 * MINUTE)
    desk.act("answered", now=NOW + 30 * MINUTE)
    desk.deliver(paper, NOW + 31 * MINUTE)
    assert reminders(paper) == []


def test_one_that_may_have_arrived_takes_what_comes_up_until_it_is_found(desk: Any, paper: Any) -> None:
    """Else an hour in which Slack answers nothing whole would be thirty messages. What comes after it is one of its own."""
    from listener.errors import OutcomeUnknown

    desk.alert(urgency="danger", written_at=NOW)
    desk.deliver(paper)
    paper.after["danger"], paper.blind = [OutcomeUnknown("no answer")], 2
    run(desk, paper, NOW + 4 * MINUTE, since=NOW + 2 * MINUTE, every=2 * MINUTE)
    assert [row.about for row in desk.rows() if row.kind == "reminder"] == ["oncall:1:1:page 1"]
    run(desk, paper, NOW + 8 * MINUTE, since=NOW + 6 * MINUTE, every=2 * MINUTE)
    told = [row for row in desk.rows() if row.kind == "reminder"]
    assert told[0].state == "sent"
    assert len({row.about for row in told}) > 1


def test_told_again_in_the_next_round(desk: Any, paper: Any) -> None:
    """The same step of a case that its author reopened: it once stopped every message of the desk."""
    desk.alert(ref="1", author="kim", written_at=NOW)
    run(desk, paper, NOW + 61 * MINUTE)
    desk.act("answered", now=NOW + 62 * MINUTE)
    again = NOW + 2 * HOUR
    desk.alert(ref="2", thread="1", author="kim", written_at=again, now=again)
    run(desk, paper, again + 61 * MINUTE, since=again)
    assert [message.title for _, message in reminders(paper)] == ["⏰ Nobody has these yet"] * 4


# ---------------------------------------------------------------- edited when things moved on


def test_taken_up_its_button_goes_and_nobody_is_pinged_any_more(desk: Any, paper: Any) -> None:
    for _ in range(2):
        desk.alert(urgency="danger", written_at=NOW)
    run(desk, paper, NOW + 2 * MINUTE)
    desk.act("claim", "U0ANA1", now=NOW + 3 * MINUTE, case_id=1)
    desk.deliver(paper, NOW + 3 * MINUTE)
    half = next(update for _, update in reversed(paper.updates) if "reminder" in update.metadata["event_type"])
    assert buttons(half) == [("do:claim", "2")]
    assert "<@U0ANA1>" in str(half.blocks)
    desk.act("claim", "U0BEN1", now=NOW + 4 * MINUTE, case_id=2)
    desk.deliver(paper, NOW + 4 * MINUTE)
    over = next(update for _, update in reversed(paper.updates) if "reminder" in update.metadata["event_type"])
    assert (over.title, buttons(over)) == ("✅ Dealt with", [])
    assert "<!here>" not in str(over)
    assert desk.deliver(paper, NOW + 5 * MINUTE).updated == 0


def test_given_to_another_the_first_has_no_button_any_more(desk: Any, paper: Any) -> None:
    desk.alert()
    desk.deliver(paper)
    desk.act("assign", "U0ANA1", to="U0BEN1")
    desk.deliver(paper)
    desk.act("assign", "U0ANA1", to="U0CLEO1")
    desk.deliver(paper, NOW + MINUTE)
    update = next(update for sent, update in paper.updates if sent.place == "U0BEN1")
    assert (update.title, buttons(update)) == ("✅ Not waiting for you any more", [])
    assert [channel for channel, _ in reminders(paper)] == ["U0BEN1", "U0CLEO1"]


# ---------------------------------------------------------------- whatever people write


@pytest.mark.parametrize("words", [words for words in HOSTILE if words.strip()])
def test_hostile_names_and_reasons(desk: Any, paper: Any, words: str) -> None:
    """Names and reasons that are far too long are refused by forms; the terminal takes any."""
    desk.alert()
    desk.deliver(paper)
    case = desk.case()
    case.state, case.owner, case.claimed_at = "claimed", words, NOW
    case.snoozed_at, case.snoozed_until, case.snooze_why = NOW, NOW + HOUR, words
    desk.session.commit()
    desk.act("escalate", words, to="oncall", why=words[:200].strip() or "?")
    reminder.enqueue(desk.session, desk.config, NOW)
    (row,) = [row for row in desk.rows() if row.kind == "reminder"]
    message, _ = reminder.write(desk.session, desk.config, row, NOW)
    is_taken(message)
    assert live_mentions(whole(message)) == ["<!here>"] * 2


def test_slack_takes_it_and_shows_it_in_place(desk: Any, workspace: FakeSlack, door: Any, clock: Any) -> None:
    for _ in range(12):
        desk.alert(urgency="serious", written_at=NOW)
    for _ in range(5):
        clock.passes(4 * MINUTE)
        remind(desk.session, desk.config, clock.now())
        desk.deliver(door, clock.now())
    sent = [one for one in workspace.messages("social-care") if one["metadata"]["event_type"] == "call_light_reminder"]
    assert [problems(one["blocks"]) for one in sent] == [[]] * len(sent)
    assert sent[0]["text"].endswith("case 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more")
    for number in range(1, 13):
        desk.act("close", now=clock.now(), case_id=number, outcome="explained")
    for _ in range(5):
        desk.deliver(door, clock.passes(MINUTE))
    sent = [one for one in workspace.messages("social-care") if one["metadata"]["event_type"] == "call_light_reminder"]
    assert {one["text"].partition(":")[0] for one in sent} == {"✅ Dealt with"}


def test_a_row_says_what_it_is_about(desk: Any, paper: Any) -> None:
    desk.alert(written_at=NOW)
    run(desk, paper, NOW + 31 * MINUTE)
    (row,) = [row for row in desk.rows() if row.kind == "reminder"]
    assert isinstance(row, Delivery)
    assert (row.about, row.channel, row.rank) == ("channel:1:1:warning", "care", 3)
