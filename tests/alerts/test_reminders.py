"""The clocks of waiting cases: each step is taken once, and what is claimed and left lying goes back to the team."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from conftest import NOW
from sqlmodel import col, select

from alerts.answer import Answer, write
from alerts.case import CaseEvent
from alerts.delivery import Reminder
from alerts.reminders import remind

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
BEAT = timedelta(seconds=5)  # as often as the service looks at the clocks


def passes(desk: Any, until: datetime, every: timedelta = MINUTE, since: datetime = NOW) -> None:
    """The service runs for a while."""
    at = since
    while at <= until:
        remind(desk.session, desk.config, at)
        at += every


def taken(desk: Any) -> list[tuple[int, str, str | None]]:
    """Case, step and who is told, in the order of time."""
    rows = desk.session.exec(select(Reminder).order_by(col(Reminder.at), col(Reminder.case_id), col(Reminder.step)))
    return [(row.case_id, row.step.partition(" 2026")[0], row.tells) for row in rows]


def told(desk: Any) -> list[tuple[int, str, str]]:
    return [row for row in taken(desk) if row[2] is not None]


def kinds(desk: Any) -> list[str]:
    return list(desk.session.exec(select(CaseEvent.kind).order_by(col(CaseEvent.id))))


@pytest.mark.parametrize("every", [BEAT, MINUTE, 10 * MINUTE])
def test_each_step_once_however_often_it_is_looked(desk: Any, every: timedelta) -> None:
    desk.alert(written_at=NOW)
    passes(desk, NOW + 70 * MINUTE, every)
    assert told(desk) == [(1, "warning", "channel"), (1, "late", "channel")]
    assert desk.events()[1:] == ["told the channel: warning", "told the channel: late"]


def test_told_again_until_claimed(desk: Any) -> None:
    desk.alert(written_at=NOW)
    passes(desk, NOW + 95 * MINUTE)
    assert [step for _, step, _ in told(desk)] == ["warning", "late", "oncall after 0:15:00", "late 2"]
    desk.act("claim", now=NOW + 95 * MINUTE)
    passes(desk, NOW + 105 * MINUTE, since=NOW + 95 * MINUTE)
    assert len(told(desk)) == 4


def test_after_an_outage_the_loudest_alone_is_told(desk: Any) -> None:
    desk.alert(written_at=NOW)
    assert remind(desk.session, desk.config, NOW + 3 * HOUR) == 7
    assert told(desk) == [(1, "oncall after 0:15:00", "oncall")]
    assert kinds(desk).count("reminded") == 1
    assert remind(desk.session, desk.config, NOW + 3 * HOUR) == 0


def test_danger_is_told_again_and_again_until_claimed(desk: Any) -> None:
    desk.alert(urgency="danger", written_at=NOW)
    passes(desk, NOW + 11 * MINUTE, BEAT)
    assert told(desk) == [(1, f"page {number}", "oncall") for number in range(1, 6)]
    desk.act("claim", now=NOW + 11 * MINUTE)
    passes(desk, NOW + 19 * MINUTE, since=NOW + 11 * MINUTE)
    assert len(told(desk)) == 5


def test_claimed_and_silent_its_owner_is_reminded_and_then_it_goes_back(desk: Any) -> None:
    desk.alert(written_at=NOW)
    desk.act("claim", "U0ANA1", now=NOW + MINUTE)
    passes(desk, NOW + 104 * MINUTE)
    assert [tells for _, _, tells in told(desk)] == ["owner"]
    assert (desk.case().state, desk.case().owner) == ("claimed", "U0ANA1")
    passes(desk, NOW + 105 * MINUTE, since=NOW + 105 * MINUTE)
    assert [tells for _, _, tells in told(desk)] == ["owner", "team"]
    assert (desk.case().state, desk.case().owner, desk.case().claimed_at) == ("open", None, None)
    assert kinds(desk)[-1] == "given_back"
    assert desk.events()[-1] == "went back to the team: claimed, and no reply"


def test_claimed_again_its_new_owner_has_as_long(desk: Any) -> None:
    desk.alert(written_at=NOW)
    desk.act("claim", "U0ANA1", now=NOW + MINUTE)
    passes(desk, NOW + 106 * MINUTE)
    desk.act("claim", "U0BEN1", now=NOW + 107 * MINUTE)
    passes(desk, NOW + 121 * MINUTE, since=NOW + 107 * MINUTE)
    before = len(told(desk))
    passes(desk, NOW + 122 * MINUTE, since=NOW + 122 * MINUTE)
    assert [tells for _, _, tells in told(desk)[before:]] == ["owner"]


@pytest.mark.parametrize("action", ["answered", "close"])
def test_who_answers_is_not_reminded(desk: Any, action: str) -> None:
    desk.alert(written_at=NOW)
    desk.act("claim", now=NOW + MINUTE)
    desk.act(action, now=NOW + 2 * MINUTE, **({"outcome": "fixed"} if action == "close" else {}))
    passes(desk, NOW + 5 * HOUR)
    assert taken(desk) == []


def test_while_it_sleeps_nothing_and_then_as_if_the_time_had_not_been(desk: Any) -> None:
    desk.alert(written_at=NOW)
    desk.act("snooze", now=NOW + 10 * MINUTE, span="2h", why="they call back")
    passes(desk, NOW + 129 * MINUTE)
    assert taken(desk) == []
    assert desk.case().snoozed_until == NOW + 130 * MINUTE
    passes(desk, NOW + 180 * MINUTE, since=NOW + 130 * MINUTE)
    assert desk.case().snoozed_until is None
    assert desk.case().due_at == NOW + 60 * MINUTE + 120 * MINUTE
    steps = {step: row.at - NOW for row in desk.session.exec(select(Reminder)) if (step := row.step)}
    assert steps == {"warning": 150 * MINUTE, "late": 180 * MINUTE}


def test_a_reopened_case_is_told_of_anew(desk: Any) -> None:
    desk.alert(ref="1", author="kim", written_at=NOW)
    passes(desk, NOW + 70 * MINUTE)
    desk.act("answered", now=NOW + 70 * MINUTE)
    again = NOW + 100 * MINUTE
    desk.alert(ref="2", thread="1", author="kim", written_at=again, now=again)
    passes(desk, again + 65 * MINUTE, since=again)
    assert told(desk) == [(1, "warning", "channel"), (1, "late", "channel")] * 2


# ---------------------------------------------------------------- what happens while somebody has it


def test_its_owner_hears_that_the_author_says_more(desk: Any) -> None:
    desk.alert(ref="1", author="kim", written_at=NOW)
    desk.alert(ref="2", thread="1", author="kim", written_at=NOW)  # before the claim: the claimer has seen it
    desk.act("claim", now=NOW + MINUTE)
    first = desk.case().mention_id
    desk.alert(ref="3", thread="1", author="kim", written_at=NOW + 2 * MINUTE, now=NOW + 3 * MINUTE)
    desk.alert("the same", ref="4", story=first, author="dee", source="bluesky", now=NOW + 3 * MINUTE)
    passes(desk, NOW + 10 * MINUTE, since=NOW + 3 * MINUTE)
    assert [(step.partition(" ")[0], tells) for _, step, tells in told(desk)] == [("post", "owner")], (
        "copies say the same"
    )


def test_nobody_has_it_so_nobody_is_told_of_a_further_post(desk: Any) -> None:
    desk.alert(ref="1", author="kim", written_at=NOW)
    desk.alert(ref="2", thread="1", author="kim", written_at=NOW + MINUTE, now=NOW + MINUTE)
    passes(desk, NOW + 10 * MINUTE)
    assert taken(desk) == []


def test_claimed_as_a_complaint_and_now_danger_it_is_to_be_claimed_anew(desk: Any) -> None:
    """Its owner took up something else, and may be at lunch; and nobody is paged for what somebody has."""
    desk.alert(ref="1", author="kim", written_at=NOW)
    desk.act("claim", "U0ANA1", now=NOW + MINUTE)
    worse = NOW + 5 * MINUTE
    desk.alert("he fell", ref="2", thread="1", author="kim", urgency="danger", written_at=worse, now=worse)
    passes(desk, worse + 2 * MINUTE, BEAT, since=worse)
    assert (desk.case().state, desk.case().owner) == ("open", None)
    assert "given_back" in kinds(desk)
    assert [(step, tells) for _, step, tells in told(desk)] == [("page 1", "oncall")]


def test_the_same_when_a_person_says_that_it_is_danger(desk: Any) -> None:
    desk.alert(written_at=NOW)
    desk.act("claim", "U0ANA1", now=NOW + MINUTE)
    desk.act("change", "U0ANA1", now=NOW + 2 * MINUTE, urgency="danger", topics=(), why="she is alone")
    passes(desk, NOW + 4 * MINUTE, since=NOW + 2 * MINUTE)
    assert (desk.case().state, desk.case().owner) == ("open", None)
    assert [(step, tells) for _, step, tells in told(desk)] == [("page 1", "oncall")]


# ---------------------------------------------------------------- a reply whose sending was cut off


@pytest.mark.parametrize(("minutes", "state"), [(1, "sending"), (2, "sending"), (3, "unknown")])
def test_a_reply_that_nobody_is_sending_any_more(desk: Any, minutes: int, state: str) -> None:
    desk.alert()
    answer = write(desk.session, 1, desk.case().mention_id, "Please call us.", "ana", NOW, needs_second=False)
    answer.state, answer.sent_at = "sending", NOW
    desk.session.commit()
    version = desk.case().version
    remind(desk.session, desk.config, NOW + minutes * MINUTE)
    assert desk.session.exec(select(Answer.state)).one() == state
    assert (desk.case().version > version) is (state == "unknown"), "its card says so"
    if state == "unknown":
        assert desk.events()[-1] == "it is not known whether the reply was posted"
