"""A case moves only as MOVES says, one person wins, and its record only grows."""

import threading
from datetime import timedelta
from typing import Any, get_args

import pytest
from conftest import NOW
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from alerts.case import (
    COPY,
    MOVES,
    RANK,
    SAME_PERSON,
    Case,
    CaseEvent,
    EventKind,
    State,
    changed,
    forget_author,
    join,
    move,
    raise_urgency,
    snooze,
    waiting_cases,
    wake,
)

STATES = get_args(State)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def kinds(desk: Any, number: int = 1) -> list[str]:
    """What the record says that happened, without the words."""
    rows = select(CaseEvent.kind).where(CaseEvent.case_id == number).order_by(col(CaseEvent.id))
    return list(desk.session.exec(rows))


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("to", STATES)
def test_every_move(desk: Any, before: str, to: Any) -> None:
    number = desk.alert()
    case = desk.case()
    case.state, case.owner = before, "ana"
    desk.session.commit()
    version, events = case.version, len(desk.events())

    allowed = before in MOVES[to]
    assert move(desk.session, number, to, "ben", "did it", NOW) is allowed
    desk.session.commit()

    case = desk.case()
    assert case.state == (to if allowed else before)
    assert case.version == version + allowed
    assert len(desk.events()) == events + allowed
    assert case.owner == ({"claimed": "ben", "open": None}.get(to, "ana") if allowed else "ana")
    assert case.answered_at == (NOW if allowed and to == "answered" else None)


def test_every_state_can_be_left_and_reached() -> None:
    assert set(MOVES) == set(STATES)
    assert {state for origins in MOVES.values() for state in origins} == set(STATES)
    assert all(state not in origins for state, origins in MOVES.items())


def test_there_is_no_such_case(desk: Any) -> None:
    assert move(desk.session, 99, "claimed", "ana", "claimed it", NOW) is False
    assert desk.session.exec(select(CaseEvent)).all() == []


def test_two_press_at_once_and_one_wins(desk: Any, engine: Engine) -> None:
    numbers = [desk.alert(ref=f"r{number}") for number in range(10)]
    desk.session.commit()
    start = threading.Barrier(2)
    won: list[tuple[int, str]] = []

    def press(who: str) -> None:
        for number in numbers:
            start.wait(10)
            with Session(engine) as session:
                if move(session, number, "claimed", who, "claimed it", NOW):
                    won.append((number, who))
                session.commit()

    people = [threading.Thread(target=press, args=(who,)) for who in ("ana", "ben")]
    for person in people:
        person.start()
    for person in people:
        person.join(30)

    assert sorted(number for number, _ in won) == numbers
    for number, who in won:
        assert desk.case(number).owner == who
        assert desk.events(number).count("claimed it") == 1


def test_reopened_is_as_if_nobody_had_it(desk: Any) -> None:
    number = desk.alert()
    clock_from, due_at = desk.case().clock_from, desk.case().due_at
    move(desk.session, number, "claimed", "ana", "claimed it", NOW)
    move(desk.session, number, "answered", "ana", "answered in public", NOW)
    move(desk.session, number, "open", "ben", "reopened it", NOW + HOUR)
    case = desk.case()
    assert (case.state, case.owner, case.answered_at) == ("open", None, None)
    assert (case.clock_from, case.due_at) == (clock_from, due_at), "what was no answer does not stop the clock"


def test_events_are_only_added(desk: Any) -> None:
    number = desk.alert()
    record = [desk.events()]
    for state in ("claimed", "open", "claimed", "answered", "closed", "open", "dismissed"):
        assert move(desk.session, number, state, "ana", f"made it {state}", NOW)
        record.append(desk.events())
        assert record[-1][:-1] == record[-2]


@pytest.mark.parametrize("was", RANK)
@pytest.mark.parametrize("said", RANK)
def test_urgency_only_rises(desk: Any, was: str, said: str) -> None:
    desk.alert()
    case = desk.case()
    case.urgency, case.due_at = was, NOW + HOUR
    version = case.version
    raise_urgency(desk.session, case, said, "elsewhere", NOW, NOW + HOUR / 2, NOW)
    if RANK[said] < RANK[was]:
        assert (case.urgency, case.channel, case.due_at) == (said, "elsewhere", NOW + HOUR / 2)
        assert desk.events()[-1] == f"now {said}, was {was}"
        assert case.version == version + 1
    else:
        assert (case.urgency, case.channel, case.due_at) == (was, "care", NOW + HOUR)
        assert case.version == version


def test_raising_never_gives_more_time(desk: Any) -> None:
    desk.alert()
    case = desk.case()
    case.due_at = NOW
    raise_urgency(desk.session, case, "danger", "danger", NOW, NOW + HOUR, NOW)
    assert case.due_at == NOW


@pytest.mark.parametrize("state", ["answered", "closed", "dismissed"])
def test_another_post_reopens_what_was_over(desk: Any, state: str) -> None:
    desk.alert()
    case = desk.case()
    case.state, case.owner, case.answered_at = state, "ana", NOW
    spoken = NOW + HOUR
    join(desk.session, case, SAME_PERSON, "routine", "care", spoken, spoken + HOUR, NOW + 3 * HOUR)
    assert (case.state, case.owner, case.answered_at, case.posts) == ("open", None, None, 2)
    assert case.clock_from == spoken, "the clock starts when the author spoke, not when we heard of it"
    assert case.due_at == spoken + HOUR
    assert case.round == 2, "people get a new card"


@pytest.mark.parametrize("state", ["answered", "closed", "dismissed"])
def test_a_copy_counts_and_reopens_nothing(desk: Any, state: str) -> None:
    desk.alert()
    case = desk.case()
    case.state, case.owner = state, "ana"
    join(desk.session, case, COPY, "danger", "danger", NOW, NOW, NOW)
    assert (case.state, case.owner, case.posts, case.round, case.urgency) == (state, "ana", 2, 1, "routine")


@pytest.mark.parametrize("state", ["open", "claimed"])
def test_another_post_leaves_a_waiting_case_with_whom_it_is(desk: Any, state: str) -> None:
    desk.alert()
    case = desk.case()
    case.state, case.owner = state, "ana"
    before = case.clock_from, case.due_at
    join(desk.session, case, SAME_PERSON, "routine", "care", NOW + HOUR, NOW + 2 * HOUR, NOW + HOUR)
    assert (case.state, case.owner, case.posts) == (state, "ana", 2)
    assert (case.clock_from, case.due_at) == before


def test_what_waits_the_worst_first(desk: Any) -> None:
    for urgency in ("routine", "danger", "serious", "here_now", "routine"):
        desk.alert(urgency=urgency)
    for number, minutes in ((1, 50), (5, 10)):
        desk.case(number).due_at = NOW + timedelta(minutes=minutes)
    move(desk.session, 3, "closed", "ana", "closed it", NOW)
    assert [case.id for case in waiting_cases(desk.session)] == [2, 4, 5, 1]


def test_the_record_names_who_and_when(desk: Any) -> None:
    number = desk.alert()
    move(desk.session, number, "claimed", "ana", "claimed it", NOW + HOUR)
    rows = desk.session.exec(select(CaseEvent).order_by(col(CaseEvent.id))).all()
    assert [(row.who, row.what, row.at) for row in rows][-1] == ("ana", "claimed it", NOW + HOUR)
    assert rows[0].who == "call-light"
    assert rows[0].what.startswith("opened: rule ")


def test_one_case_a_post(desk: Any) -> None:
    desk.alert()
    assert Case.__table__.c.mention_id.unique  # type: ignore[attr-defined]


# ---------------------------------------------------------------- snooze


@pytest.mark.parametrize(
    ("woken", "moved"),
    [
        (0, 0),
        (25, 25),
        (60, 60),
        (600, 60),  # nobody was there to wake it: it slept until its time and no longer
        (-5, 0),  # a clock that was set back takes nothing
    ],
)
def test_the_target_moves_by_exactly_the_time_slept(desk: Any, woken: int, moved: int) -> None:
    desk.alert()
    case = desk.case()
    due_at, clock_from = case.due_at, case.clock_from
    snooze(desk.session, case, NOW + HOUR, "they call back", "ana", NOW)
    assert (case.due_at, case.snoozed_until, case.snooze_why) == (due_at, NOW + HOUR, "they call back")
    wake(desk.session, case, "ben", NOW + woken * MINUTE)
    assert (case.due_at, case.clock_from) == (due_at + moved * MINUTE, clock_from)
    assert (case.snoozed_at, case.snoozed_until, case.snooze_why) == (None, None, None)
    desk.session.commit()
    assert kinds(desk) == ["opened", "snoozed", "woken"]
    assert desk.events()[-2:] == ["snoozed: they call back", "snooze over"]


def test_what_is_awake_is_not_woken(desk: Any) -> None:
    desk.alert()
    case = desk.case()
    before = case.due_at, case.version
    wake(desk.session, case, "ana", NOW)
    assert (case.due_at, case.version) == before
    assert kinds(desk) == ["opened"]


def test_snoozed_again_nothing_counts_twice(desk: Any) -> None:
    desk.alert()
    case = desk.case()
    due_at = case.due_at
    for minutes in (0, 10, 20):
        snooze(desk.session, case, NOW + minutes * MINUTE + HOUR, "still", "ana", NOW + minutes * MINUTE)
    wake(desk.session, case, "ana", NOW + 30 * MINUTE)
    assert case.due_at == due_at + 30 * MINUTE


@pytest.mark.parametrize("state", ["answered", "closed", "dismissed", "claimed"])
def test_what_is_over_does_not_sleep(desk: Any, state: Any) -> None:
    number = desk.alert()
    due_at = desk.case().due_at
    snooze(desk.session, desk.case(), NOW + HOUR, "they call back", "ana", NOW)
    desk.session.commit()
    move(desk.session, number, state, "ben", "did it", NOW + 20 * MINUTE)
    case = desk.case()
    slept = state == "claimed"  # who takes it up sees that it sleeps, and until when
    assert (case.snoozed_until is not None) is slept
    assert case.due_at == (due_at if slept else due_at + 20 * MINUTE)


@pytest.mark.parametrize(("what", "wakes"), [(SAME_PERSON, True), (COPY, False)])
def test_a_further_post_wakes_it(desk: Any, what: str, wakes: bool) -> None:
    desk.alert()
    case = desk.case()
    due_at = case.due_at
    snooze(desk.session, case, NOW + HOUR, "they call back", "ana", NOW)
    join(desk.session, case, what, "routine", "care", NOW, NOW + HOUR, NOW + 10 * MINUTE)
    assert (case.snoozed_until is None) is wakes
    assert case.due_at == (due_at + 10 * MINUTE if wakes else due_at)


def test_what_gets_worse_wakes(desk: Any) -> None:
    """An edit of the post itself is no further post."""
    desk.alert()
    case = desk.case()
    snooze(desk.session, case, NOW + 9 * HOUR, "they call back", "ana", NOW)
    raise_urgency(desk.session, case, "danger", "danger", NOW + MINUTE, NOW + 6 * MINUTE, NOW + MINUTE)
    assert (case.snoozed_until, case.due_at) == (None, NOW + 6 * MINUTE)


# ---------------------------------------------------------------- the record


@pytest.mark.parametrize(
    ("state", "kind", "written"),
    [
        ("claimed", None, "claimed"),
        ("answered", None, "answered"),
        ("closed", None, "closed"),
        ("dismissed", None, "dismissed"),
        ("closed", "merged", "merged"),
    ],
)
def test_each_move_has_its_kind(desk: Any, state: Any, kind: Any, written: str) -> None:
    move(desk.session, desk.alert(), state, "ana", "did it", NOW, kind)
    assert kinds(desk)[-1] == written


def test_open_again_is_reopened_or_given_back(desk: Any) -> None:
    number = desk.alert()
    for kind in (None, "given_back"):
        move(desk.session, number, "claimed", "ana", "claimed it", NOW)
        move(desk.session, number, "open", "ana", "open again", NOW, kind)
    assert kinds(desk) == ["opened", "claimed", "reopened", "claimed", "given_back"]


def test_a_further_post_is_written_down_in_the_order_it_was_dealt_with(desk: Any) -> None:
    desk.alert()
    case = desk.case()
    case.state = "answered"
    join(desk.session, case, SAME_PERSON, "danger", "danger", NOW, NOW, NOW)
    assert kinds(desk) == ["opened", "joined", "reopened", "raised"]


def test_every_kind_that_is_written_has_a_name(desk: Any) -> None:
    desk.alert()
    changed(desk.session, desk.case(), NOW, "ana", "escalated", "oncall: please")
    forget_author(desk.session, 1, NOW)
    assert desk.case().author is None
    assert set(kinds(desk)) <= set(get_args(EventKind))
    assert kinds(desk) == ["opened", "escalated", "forgotten"]


def test_every_change_makes_its_card_stale(desk: Any) -> None:
    number = desk.alert()
    versions = [desk.case().version]

    def newer() -> bool:
        versions.append(desk.case().version)
        return versions[-1] > versions[-2]

    snooze(desk.session, desk.case(), NOW + HOUR, "later", "ana", NOW)
    assert newer()
    wake(desk.session, desk.case(), "ana", NOW)
    assert newer()
    join(desk.session, desk.case(), COPY, "low", "care", NOW, NOW, NOW)
    assert newer()
    move(desk.session, number, "claimed", "ana", "claimed it", NOW)
    assert newer()
    changed(desk.session, desk.case(), NOW, "ana", "topics", "about food")
    assert newer()
    forget_author(desk.session, number, NOW)
    assert newer()
