"""What people do is written down; what the hospital itself says in public stops the clock, once and honestly."""

from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW
from sqlalchemy import Engine, event

from alerts.act import OWN_ACCOUNT, contact, own_replies
from listener.errors import NeedsPerson

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
POSTED = NOW - 30 * MINUTE


@pytest.fixture
def opened(desk: Any) -> Any:
    """One case, of kim's post "1"."""
    desk.alert(ref="1", author="kim", written_at=POSTED)
    return desk


def reply(desk: Any, to: str, at: Any, **more: Any) -> None:
    """The hospital answers in public."""
    desk.hear("Please write to us", own=True, answers=to, thread="1", author="StBrigidCares", written_at=at, **more)
    desk.decide()


@pytest.mark.parametrize("state", ["open", "claimed"])
def test_a_reply_stops_the_clock_with_its_own_time(opened: Any, state: str) -> None:
    if state == "claimed":
        opened.act("claim", "ana", POSTED)
    reply(opened, "1", POSTED + 7 * MINUTE)
    assert own_replies(opened.session, NOW) == 1
    case = opened.case()
    assert (case.state, case.answered_at) == ("answered", POSTED + 7 * MINUTE)
    assert opened.events()[-1] == "replied in public"


def test_once(opened: Any) -> None:
    reply(opened, "1", POSTED + MINUTE)
    reply(opened, "1", POSTED + 2 * MINUTE)
    assert [own_replies(opened.session, NOW) for _ in range(3)] == [1, 0, 0]
    assert opened.case().answered_at == POSTED + MINUTE, "the first counts"
    assert opened.events().count("replied in public") == 1


def test_answered_by_button_first_stays(opened: Any) -> None:
    opened.act("answered", "ana", POSTED + MINUTE)
    reply(opened, "1", POSTED + 2 * MINUTE)
    assert own_replies(opened.session, NOW) == 0
    assert opened.case().answered_at == POSTED + MINUTE


@pytest.mark.parametrize(
    "fields",
    [
        {"to": "2"},  # somebody else's post in the same thread
        {"to": "1", "source": "reddit"},  # the same name at another place
        {"to": "nowhere"},
        {"to": "1", "at": POSTED - MINUTE},  # before the post it would answer
    ],
)
def test_what_does_not_count(opened: Any, fields: dict[str, Any]) -> None:
    opened.hear(ref="2", thread="1", author="lee", kind="comment", written_at=POSTED + MINUTE)
    reply(opened, **{"at": POSTED + 2 * MINUTE, **fields})
    assert own_replies(opened.session, NOW) == 0
    assert opened.case().state == "open"


def test_a_strangers_reply_does_not_count(opened: Any) -> None:
    opened.hear("same here", ref="2", answers="1", thread="1", author="lee", written_at=POSTED + MINUTE)
    opened.decide()
    assert own_replies(opened.session, NOW) == 0


def test_a_reply_to_what_the_same_person_added_counts(opened: Any) -> None:
    opened.alert(ref="2", thread="1", answers="1", author="kim", written_at=POSTED + MINUTE)
    reply(opened, "2", POSTED + 3 * MINUTE)
    assert own_replies(opened.session, NOW) == 1
    assert opened.case().answered_at == POSTED + 3 * MINUTE


def test_a_reply_from_before_the_last_post_does_not_answer_it(opened: Any) -> None:
    """After an hour without network everything is heard at once: post, reply, and a worse post."""
    opened.hear(ref="2", thread="1", author="kim", urgency="danger", written_at=POSTED + 9 * MINUTE)
    reply(opened, "1", POSTED + 5 * MINUTE)
    assert own_replies(opened.session, NOW) == 0
    assert (opened.case().state, opened.case().urgency) == ("open", "danger")


def test_thanks_after_the_reply_changes_nothing(opened: Any) -> None:
    opened.hear("thank you", ref="2", thread="1", author="kim", kind="praise", written_at=POSTED + 9 * MINUTE)
    reply(opened, "1", POSTED + 5 * MINUTE)
    assert own_replies(opened.session, NOW) == 1


def test_reopened_by_a_person_the_old_reply_is_no_answer(opened: Any) -> None:
    reply(opened, "1", POSTED + MINUTE)
    own_replies(opened.session, NOW)
    opened.act("reopen", "ana", NOW)
    assert own_replies(opened.session, NOW + MINUTE) == 0
    assert opened.case().state == "open"
    reply(opened, "1", NOW + 2 * MINUTE)
    assert own_replies(opened.session, NOW + 3 * MINUTE) == 1
    assert opened.case().answered_at == NOW + 2 * MINUTE


def test_reopened_by_a_further_post_a_later_reply_counts_though_heard_late(opened: Any) -> None:
    reply(opened, "1", POSTED + MINUTE)
    own_replies(opened.session, POSTED + 2 * MINUTE)
    opened.alert(ref="2", thread="1", author="kim", written_at=POSTED + 5 * MINUTE, now=NOW)
    assert opened.case().state == "open"
    assert own_replies(opened.session, NOW) == 0, "the old reply does not answer the new post"
    reply(opened, "2", POSTED + 8 * MINUTE)
    assert own_replies(opened.session, NOW) == 1
    assert opened.case().answered_at - opened.case().clock_from == 3 * MINUTE


def test_a_reply_from_before_an_edit_does_not_answer_the_edit(opened: Any) -> None:
    reply(opened, "1", POSTED + MINUTE)
    own_replies(opened.session, POSTED + 2 * MINUTE)
    opened.edit(1, "he is on the floor", POSTED + 5 * MINUTE, urgency="danger")
    opened.decide()
    assert own_replies(opened.session, NOW) == 0
    assert (opened.case().state, opened.case().urgency) == ("open", "danger")


def test_a_clock_ahead_of_ours(opened: Any) -> None:
    reply(opened, "1", NOW + HOUR)
    own_replies(opened.session, NOW)
    assert opened.case().answered_at == NOW


def test_each_case_by_its_own_reply(desk: Any) -> None:
    for number in range(1, 4):
        desk.alert(ref=str(number), author=f"a{number}", written_at=POSTED)
    reply(desk, "1", POSTED + MINUTE)
    reply(desk, "3", POSTED + 3 * MINUTE)
    assert own_replies(desk.session, NOW) == 2
    assert [case.state for case in desk.cases()] == ["answered", "open", "answered"]


def test_it_is_written_down_who(opened: Any) -> None:
    from alerts.case import CaseEvent

    reply(opened, "1", POSTED + MINUTE)
    own_replies(opened.session, NOW)
    event = opened.session.get(CaseEvent, len(opened.events()))
    assert (event.who, event.at) == (OWN_ACCOUNT, POSTED + MINUTE)


# ---------------------------------------------------------------- refusals


def test_the_second_to_press_is_told_who_was_first(opened: Any) -> None:
    opened.act("claim", "ana", NOW)
    with pytest.raises(NeedsPerson, match="case 1 is claimed by ana already: 'Claim' cannot follow"):
        opened.act("claim", "ben", NOW)
    assert opened.case().owner == "ana"


def test_no_such_case(desk: Any) -> None:
    with pytest.raises(NeedsPerson, match="there is no case 7; see call-light cases"):
        desk.act("claim", "ana", NOW, case_id=7)


def test_no_such_action(opened: Any) -> None:
    with pytest.raises(
        NeedsPerson, match=r"no action 'dance'; there are approve, .*claim, not_for_us, answered, close"
    ):
        opened.act("dance", "ana", NOW)


def test_looking_for_replies_never_reads_every_mention(desk: Any, engine: Engine) -> None:
    """It is asked every two seconds: with 60,000 mentions a scan took 42 seconds."""
    asked: list[tuple[str, Any]] = []

    @event.listens_for(engine, "before_cursor_execute")
    def _note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "min(" in statement:
            asked.append((statement, parameters))

    own_replies(desk.session, NOW)
    ((statement, parameters),) = asked
    plan = desk.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    steps = [str(step[-1]) for step in plan]
    assert not [step for step in steps if step.startswith("SCAN")], steps


def test_how_to_reach_someone_is_told_to_a_person_who_is_written_down(desk: Any) -> None:
    desk.alert(source="listening_post", author="555-0123, evenings", url=None)
    assert contact(desk.session, 1, "ana", NOW) == "555-0123, evenings"
    assert desk.events()[-1] == "looked up how to reach its author"


def test_who_left_nothing_cannot_be_reached(desk: Any) -> None:
    desk.alert(source="listening_post", author=None, url=None)
    for case in (1, 99):
        with pytest.raises(NeedsPerson, match=f"nobody left a way to be reached in case {case}"):
            contact(desk.session, case, "ana", NOW)
