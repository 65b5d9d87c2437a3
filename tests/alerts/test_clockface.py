"""When a reply is due: shifts, closed days, clock changes; what a case does by itself while it waits; and spans as
people say them."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.case import Case
from alerts.clockface import Step, add_covered, covered, due, due_now, in_words, loudest, steps, target
from config.schema import Care, Config, Coverage, Escalation, EscalationStep, Hospital, Targets

CHICAGO = ZoneInfo("America/Chicago")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OFFICE = dict.fromkeys(WEEKDAYS[:5], "08:00-20:00") | {"sat": "", "sun": ""}
NIGHTS = dict.fromkeys(WEEKDAYS, "22:00-06:00")
AROUND = dict.fromkeys(WEEKDAYS, "00:00-24:00")
NEVER = dict.fromkeys(WEEKDAYS, "")


def hours(days: dict[str, str]) -> Coverage:
    return Coverage.model_validate(days)


def chicago(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHICAGO)


COVERED = [
    # (hours, posted, minutes, due), in Chicago
    (OFFICE, "2026-11-16 09:00", 60, "2026-11-16 10:00"),
    (OFFICE, "2026-11-16 19:30", 60, "2026-11-17 08:30"),
    (OFFICE, "2026-11-16 19:00", 60, "2026-11-16 20:00"),
    (OFFICE, "2026-11-16 20:00", 60, "2026-11-17 09:00"),
    (OFFICE, "2026-11-16 03:00", 15, "2026-11-16 08:15"),
    (OFFICE, "2026-11-20 19:55", 15, "2026-11-23 08:10"),
    (OFFICE, "2026-11-21 12:00", 15, "2026-11-23 08:15"),
    (OFFICE, "2026-11-22 23:59", 60, "2026-11-23 09:00"),
    (OFFICE, "2026-11-16 08:00", 12 * 60 + 1, "2026-11-17 08:01"),
    (OFFICE, "2026-11-16 08:00", 60 * 60 + 1, "2026-11-23 08:01"),
    (NIGHTS, "2026-11-16 02:00", 60, "2026-11-16 03:00"),
    (NIGHTS, "2026-11-16 05:30", 60, "2026-11-16 22:30"),
    (NIGHTS, "2026-11-16 23:30", 60, "2026-11-17 00:30"),
    (NIGHTS, "2026-11-16 12:00", 8 * 60, "2026-11-17 06:00"),
    (NIGHTS | {"sun": ""}, "2026-11-16 02:00", 60, "2026-11-16 23:00"),
    (AROUND, "2026-11-16 23:30", 60, "2026-11-17 00:30"),
    (NEVER, "2026-11-16 23:30", 60, "2026-11-17 00:30"),
    # a lunch break, and the same hours the other way round
    (OFFICE | {"mon": "08:00-12:00, 13:00-17:00"}, "2026-11-16 11:50", 20, "2026-11-16 13:10"),
    (OFFICE | {"mon": "13:00-17:00, 08:00-12:00"}, "2026-11-16 11:50", 20, "2026-11-16 13:10"),
    # spans that overlap are not counted twice
    (OFFICE | {"mon": "08:00-12:00, 10:00-13:00"}, "2026-11-16 09:00", 241, "2026-11-17 08:01"),
    # one hour a week: a long target waits for many weeks
    (NEVER | {"mon": "08:00-09:00"}, "2026-11-16 08:00", 5 * 60, "2026-12-14 09:00"),
]


@pytest.mark.parametrize(("days", "posted", "minutes", "expected"), COVERED)
def test_covered_time(days: dict[str, str], posted: str, minutes: int, expected: str) -> None:
    found = add_covered(chicago(posted), timedelta(minutes=minutes), hours(days), CHICAGO)
    assert found == chicago(expected)
    assert found.tzinfo == CHICAGO
    assert add_covered(chicago(posted).astimezone(UTC), timedelta(minutes=minutes), hours(days), CHICAGO) == found
    assert covered(chicago(posted), found, hours(days), CHICAGO) == timedelta(minutes=minutes)


CHANGES = [
    # spring: 02:00 is 03:00 on 8 March 2026; a night shift has seven hours
    (AROUND, datetime(2026, 3, 8, 7, 30, tzinfo=UTC), 60, datetime(2026, 3, 8, 8, 30, tzinfo=UTC)),
    (NIGHTS, datetime(2026, 3, 8, 4, 0, tzinfo=UTC), 7 * 60, datetime(2026, 3, 8, 11, 0, tzinfo=UTC)),
    (NIGHTS, datetime(2026, 3, 8, 4, 0, tzinfo=UTC), 7 * 60 + 1, datetime(2026, 3, 9, 3, 1, tzinfo=UTC)),
    # autumn: 01:00-02:00 comes twice on 1 November 2026; a night shift has nine hours
    (AROUND, datetime(2026, 11, 1, 6, 30, tzinfo=UTC), 60, datetime(2026, 11, 1, 7, 30, tzinfo=UTC)),
    (NIGHTS, datetime(2026, 11, 1, 3, 0, tzinfo=UTC), 9 * 60, datetime(2026, 11, 1, 12, 0, tzinfo=UTC)),
    (NEVER, datetime(2026, 11, 1, 6, 30, tzinfo=UTC), 60, datetime(2026, 11, 1, 7, 30, tzinfo=UTC)),
]


@pytest.mark.parametrize("zone", [UTC, CHICAGO])
@pytest.mark.parametrize(("days", "posted", "minutes", "expected"), CHANGES)
def test_clock_changes(
    days: dict[str, str], posted: datetime, minutes: int, expected: datetime, zone: ZoneInfo
) -> None:
    found = add_covered(posted.astimezone(zone), timedelta(minutes=minutes), hours(days), CHICAGO)
    assert found.astimezone(UTC) == expected


@given(
    posted=st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001
    minutes=st.integers(1, 60 * 24 * 20),
    days=st.sampled_from([OFFICE, NIGHTS, AROUND, NEVER]),
)
def test_never_early_and_never_unaware(posted: datetime, minutes: int, days: dict[str, str]) -> None:
    start, span = posted.replace(tzinfo=UTC), timedelta(minutes=minutes)
    found = add_covered(start, span, hours(days), CHICAGO)
    assert found >= start + span
    assert found.tzinfo is UTC
    assert covered(start, found, hours(days), CHICAGO) == span
    if days in (AROUND, NEVER):
        assert found == start + span


@pytest.fixture
def night_closed(config: Config) -> Hospital:
    return config.hospital.model_copy(update={"coverage": hours(OFFICE)})


@pytest.mark.parametrize(
    ("urgency", "expected"),
    [
        ("danger", "2026-11-21 03:05"),
        ("here_now", "2026-11-23 08:15"),
        ("serious", "2026-11-23 08:15"),
        ("routine", "2026-11-23 09:00"),
        ("low", "2026-11-23 09:00"),
        ("none", "2026-11-23 09:00"),
    ],
)
def test_danger_does_not_wait_for_opening_hours(night_closed: Hospital, urgency: str, expected: str) -> None:
    assert due(urgency, chicago("2026-11-21 03:00"), night_closed, Targets()) == chicago(expected)


def test_danger_over_a_clock_change(config: Config) -> None:
    posted = datetime(2026, 11, 1, 6, 58, tzinfo=UTC).astimezone(CHICAGO)  # 01:58, for the first time
    assert due("danger", posted, config.hospital, Targets()).astimezone(UTC) == datetime(2026, 11, 1, 7, 3, tzinfo=UTC)


def test_targets_are_those_of_the_file() -> None:
    targets = Targets(danger="1m", here_now="2m", serious="3m", routine="4m")  # type: ignore[arg-type]
    found = [target(u, targets) for u in ("danger", "here_now", "serious", "routine", "low", "none")]
    assert [span.seconds // 60 for span in found] == [1, 2, 3, 4, 4, 4]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (7500, "2 h 5 min"),
        (86399, "23 h 59 min"), (86400, "1 d"), (273600, "3 d 4 h"), (-90, "1 min"),
    ],
)  # fmt: skip
def test_in_words(seconds: float, words: str) -> None:
    assert in_words(timedelta(seconds=seconds)) == words


# ---------------------------------------------------------------- topics with a target of their own


@pytest.mark.parametrize(
    ("urgency", "topics", "minutes"),
    [
        ("routine", [], 60),
        ("routine", ["billing"], 30),
        ("routine", ["food", "billing"], 30),
        ("routine", ["food"], 60),
        ("serious", ["billing"], 15),  # the shorter one counts
        ("danger", ["billing"], 5),
    ],
)
def test_a_topic_has_a_target_of_its_own(urgency: str, topics: list[str], minutes: int) -> None:
    assert target(urgency, Targets(), topics) == minutes * MINUTE


def test_the_shorter_target_counts_covered_hours(night_closed: Hospital) -> None:
    found = due("routine", chicago("2026-11-20 19:50"), night_closed, Targets(), ["billing"])
    assert found == chicago("2026-11-23 08:20")


# ---------------------------------------------------------------- snooze

POSTED = chicago("2026-11-16 09:00")  # a Monday


def waiting(urgency: str = "routine", **fields: Any) -> Case:
    """A case that was heard as soon as it was written, due after its target."""
    posted = fields.pop("clock_from", POSTED)
    opened = fields.pop("opened_at", posted)
    usual = {"mention_id": 1, "source": "x", "thread": "1", "channel": "care", "urgency": urgency, "state": "open"}
    usual |= {"due_at": posted + target(urgency, Targets()), "clock_from": posted, "opened_at": opened}
    return Case(**{**usual, **fields})


@pytest.mark.parametrize(
    ("slept", "until", "now", "moved"),
    [
        (None, None, 90, 0),
        (10, 40, 10, 0),
        (10, 40, 25, 15),
        (10, 40, 40, 30),
        (10, 40, 90, 30),  # not yet woken: it stood still until its time, no longer
        (10, 5, 30, 0),  # ended before it began: gives nothing and takes nothing
    ],
)
def test_while_it_sleeps_its_target_moves(slept: int | None, until: int | None, now: int, moved: int) -> None:
    def at(minutes: int | None) -> datetime | None:
        return None if minutes is None else POSTED + minutes * MINUTE

    case = waiting(snoozed_at=at(slept), snoozed_until=at(until))
    assert due_now(case, POSTED + now * MINUTE) == case.due_at + moved * MINUTE


# ---------------------------------------------------------------- steps


@pytest.fixture
def care(config: Config) -> Care:
    """The escalation of the file, with a manager behind the on-call people."""
    told = (EscalationStep(after="15m", to="oncall"), EscalationStep(after="45m", to="manager"))  # type: ignore[arg-type]
    escalation = Escalation(steps=told)
    return config.care.model_copy(update={"escalation": escalation, "targets": Targets()})


@pytest.fixture
def hospital(config: Config) -> Hospital:
    return config.hospital.model_copy(update={"coverage": hours(AROUND)})


def told(
    case: Case, hospital: Hospital, care: Care, until: datetime, every: timedelta = MINUTE
) -> list[tuple[str, str, str]]:
    """What happens if it is asked `every` so often: when each step is seen first, its name, who is told."""
    seen: dict[str, tuple[str, str, str]] = {}
    at = case.opened_at
    while at <= until:
        for step in steps(case, hospital, care, at):
            when = at.astimezone(CHICAGO).strftime("%a %H:%M")
            seen.setdefault(step.name, (when, step.name, step.to))
        at = (at.astimezone(UTC) + every).astimezone(at.tzinfo)
    return list(seen.values())


def test_a_case_that_nobody_takes(hospital: Hospital, care: Care) -> None:
    assert told(waiting(), hospital, care, POSTED + 110 * MINUTE) == [
        ("Mon 09:30", "warning", "channel"),
        ("Mon 10:00", "late", "channel"),
        ("Mon 10:15", "late 1", "channel"),
        ("Mon 10:15", "oncall after 0:15:00", "oncall"),
        ("Mon 10:30", "late 2", "channel"),
        ("Mon 10:45", "manager after 0:45:00", "manager"),
    ]
    later = told(waiting(), hospital, care, POSTED + 24 * HOUR)
    assert [when for when, name, _ in later if name.startswith("late ")] == [
        *("Mon 10:15", "Mon 10:30", "Mon 11:00", "Mon 12:00", "Mon 14:00", "Mon 18:00"),
        "Tue 07:00",  # 02:00, which is quiet
    ], "again until it is claimed, ever more rarely"


@pytest.mark.parametrize(
    ("urgency", "warned", "late"), [("serious", "Mon 09:08", "Mon 09:15"), ("here_now", "Mon 09:08", "Mon 09:15")]
)
def test_warned_at_half(hospital: Hospital, care: Care, urgency: str, warned: str, late: str) -> None:
    found = told(waiting(urgency), hospital, care, POSTED + 20 * MINUTE)
    assert [when for when, *_ in found] == [warned, late]


def test_the_share_is_that_of_the_file(hospital: Hospital, care: Care) -> None:
    late = care.model_copy(update={"escalation": Escalation(warn_at=0.9)})
    assert told(waiting(), hospital, late, POSTED + 59 * MINUTE) == [("Mon 09:54", "warning", "channel")]


def test_danger_pages_again_and_again_day_and_night(care: Care, night_closed: Hospital) -> None:
    night = chicago("2026-11-21 03:00")  # a Saturday: nobody is there
    case = waiting("danger", clock_from=night)
    found = told(case, night_closed, care, night + 21 * MINUTE)
    pages = [(f"Sat 03:{2 * number:02}", f"page {number}", "oncall") for number in range(1, 11)]
    assert [step for step in found if step[1].startswith("page")] == pages
    assert [step for step in found if step not in pages] == [("Sat 03:20", "oncall after 0:15:00", "oncall")]


def test_what_becomes_danger_late_is_paged_from_then_on(hospital: Hospital, care: Care) -> None:
    """Its card pages at once, and is the first; three hours of pages are not made up for."""
    worse = POSTED + 40 * MINUTE
    case = waiting("danger", due_at=worse + 5 * MINUTE)
    found = steps(case, hospital, care, worse + 4 * MINUTE)
    assert [(step.name, step.at) for step in found] == [("page 1", worse + 2 * MINUTE), ("page 2", worse + 4 * MINUTE)]


def test_quiet_hours_hold_what_is_routine(hospital: Hospital, care: Care) -> None:
    evening = chicago("2026-11-16 20:50")
    found = told(waiting(clock_from=evening), hospital, care, evening + 11 * HOUR)
    assert found[:2] == [("Mon 21:20", "warning", "channel"), ("Mon 21:50", "late", "channel")]
    assert not [when for when, *_ in found if "Mon 22:00" <= when < "Tue 07:00"]
    at_seven = [step for step in found if step[0] == "Tue 07:00"]
    assert {to for _, _, to in at_seven} == {"channel", "oncall", "manager"}


@pytest.mark.parametrize("urgency", ["here_now", "serious", "danger"])
def test_quiet_hours_hold_nothing_else(hospital: Hospital, care: Care, urgency: str) -> None:
    night = chicago("2026-11-17 01:00")
    found = told(waiting(urgency, clock_from=night), hospital, care, night + 31 * MINUTE)
    assert {to for _, _, to in found} >= {"oncall"}
    assert {when < "Tue 01:32" for when, *_ in found} == {True}


def test_closed_hours_do_not_count(night_closed: Hospital, care: Care) -> None:
    """Late on Friday evening: nothing all weekend, and on Monday it is told again until somebody claims it."""
    friday = chicago("2026-11-20 18:55")
    case = waiting(clock_from=friday, due_at=friday + HOUR)
    found = told(case, night_closed, care, friday + 62 * HOUR)
    assert found == [
        ("Fri 19:25", "warning", "channel"),
        ("Fri 19:55", "late", "channel"),
        ("Mon 08:10", "late 1", "channel"),
        ("Mon 08:10", "oncall after 0:15:00", "oncall"),
        ("Mon 08:25", "late 2", "channel"),
        ("Mon 08:40", "manager after 0:45:00", "manager"),
        ("Mon 08:55", "late 4", "channel"),
    ]


def test_half_of_the_covered_time(night_closed: Hospital, care: Care) -> None:
    """Five of its sixty minutes were on Friday: warned when thirty are gone, not when the doors open."""
    case = waiting(clock_from=chicago("2026-11-20 19:55"), due_at=chicago("2026-11-23 08:55"))
    assert told(case, night_closed, care, chicago("2026-11-23 08:30")) == [("Mon 08:25", "warning", "channel")]


def test_heard_late_it_is_not_told_twice_at_once(hospital: Hospital, care: Care) -> None:
    """A review from yesterday: its card says that it is late, and nobody could have claimed it before."""
    case = waiting("serious", opened_at=POSTED + 20 * HOUR)
    found = steps(case, hospital, care, case.opened_at + 16 * MINUTE)
    assert [(step.name, step.at - case.opened_at) for step in found] == [
        ("late 1", 15 * MINUTE),
        ("oncall after 0:15:00", 15 * MINUTE),
    ]


def test_heard_after_half_of_its_time(hospital: Hospital, care: Care) -> None:
    case = waiting("serious", opened_at=POSTED + 9 * MINUTE)
    assert told(case, hospital, care, POSTED + 15 * MINUTE) == [
        ("Mon 09:12", "warning", "channel"),
        ("Mon 09:15", "late", "channel"),
    ]


def test_woken_it_is_not_warned_at_once(hospital: Hospital, care: Care) -> None:
    """Ten of its sixty minutes were gone when it fell asleep for two hours."""
    case = waiting(due_at=POSTED + 3 * HOUR)
    assert told(case, hospital, care, POSTED + 150 * MINUTE) == [("Mon 11:30", "warning", "channel")]


@pytest.mark.parametrize(
    ("claimed", "reminded", "back"),
    [
        (10, "Mon 10:15", "Mon 10:45"),  # before its target: from then on
        (90, "Mon 10:45", "Mon 11:15"),  # after it: from the claim on
    ],
)
def test_claimed_and_silent(hospital: Hospital, care: Care, claimed: int, reminded: str, back: str) -> None:
    case = waiting(state="claimed", owner="ana", claimed_at=POSTED + claimed * MINUTE)
    found = told(case, hospital, care, POSTED + 4 * HOUR)
    assert [(when, to) for when, _, to in found] == [(reminded, "owner"), (back, "team")]


def test_claimed_again_begins_anew(hospital: Hospital, care: Care) -> None:
    first = steps(waiting(state="claimed", claimed_at=POSTED), hospital, care, POSTED + 9 * HOUR)
    second = steps(waiting(state="claimed", claimed_at=POSTED + HOUR), hospital, care, POSTED + 9 * HOUR)
    assert not {step.name for step in first} & {step.name for step in second}


def test_over_a_change_of_clocks(hospital: Hospital, care: Care) -> None:
    posted = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)  # 01:30, for the first time
    case = waiting("serious", clock_from=posted)
    found = steps(case, hospital, care, posted + HOUR)
    at = {step.name: step.at - posted for step in found}
    assert at["late"] == 15 * MINUTE
    assert at["late 2"] == 45 * MINUTE
    assert at["manager after 0:45:00"] == HOUR


@pytest.mark.parametrize(
    ("to", "is_told"),
    [
        (["channel", "channel"], 1),
        (["oncall", "channel"], 0),
        (["oncall", "manager", "oncall"], 1),
        (["owner", "team"], 1),
    ],
)
def test_of_several_the_loudest_is_told(to: list[Any], is_told: int) -> None:
    taken = [Step(f"step {number}", POSTED + number * MINUTE, who) for number, who in enumerate(to)]
    assert loudest(taken) is taken[is_told]


@given(
    urgency=st.sampled_from(["danger", "here_now", "serious", "routine", "low"]),
    state=st.sampled_from(["open", "claimed"]),
    minutes=st.tuples(st.integers(0, 60 * 48), st.integers(0, 60 * 12), st.integers(1, 60 * 24)),
    days=st.sampled_from([OFFICE, NIGHTS, AROUND, NEVER]),
    looks=st.lists(st.integers(0, 60 * 72), min_size=2, max_size=6).map(sorted),
)
def test_steps_whenever_somebody_looks(
    urgency: str, state: str, minutes: tuple[int, int, int], days: dict[str, str], looks: list[int]
) -> None:
    """None before the case was opened, none in the future, each at one time whoever asks when, none while it sleeps."""
    heard, claimed, allowed = (number * MINUTE for number in minutes)
    opened = POSTED + heard
    case = waiting(urgency, state=state, opened_at=opened, due_at=POSTED + allowed, claimed_at=opened + claimed)
    hospital = Hospital.model_construct(timezone="America/Chicago", coverage=hours(days))
    care = Care.model_construct(targets=Targets(), escalation=Escalation())
    at: dict[str, datetime] = {}
    for look in looks:
        now = opened + look * MINUTE
        found = steps(case, hospital, care, now)
        assert all(opened <= step.at <= now for step in found)
        assert all(earlier.at <= later.at for earlier, later in pairwise(found))
        assert len({step.name for step in found}) == len(found)
        for step in found:
            assert at.setdefault(step.name, step.at) == step.at
        case.snoozed_at, case.snoozed_until = now, now + HOUR
        assert steps(case, hospital, care, now + HOUR) == []
        case.snoozed_at = case.snoozed_until = None
    for over in ("answered", "closed", "dismissed"):
        case.state = over
        assert steps(case, hospital, care, opened + 99 * HOUR) == []
