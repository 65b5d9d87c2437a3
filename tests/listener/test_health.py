"""What is wrong with a collector, and that people are told once of its beginning and once of its end."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from config.schema import CollectorSettings
from listener.health import DESK, over, raised, standing, troubles, watch_over
from listener.watch import Alarm, Spend, Watch

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
AT = datetime.fromisoformat("2026-11-18T09:00:00+00:00")
SETTINGS = CollectorSettings(on=True, quiet_after=timedelta(hours=24))


def watch(**fields: Any) -> Watch:
    usual = {"name": "x", "started_at": AT - 9 * DAY, "asked_at": AT - MINUTE, "heard_at": AT - HOUR}
    return Watch(**{**usual, **fields})


def filters(since: timedelta, last: timedelta | None, asked: timedelta = MINUTE) -> dict[str, Any]:
    seen = None if last is None else (AT - last).isoformat()
    return {"brigid": {"since": (AT - since).isoformat(), "last": seen, "asked": (AT - asked).isoformat()}}


@pytest.mark.parametrize(
    ("fields", "kinds"),
    [
        ({}, []),
        ({"heard_at": AT - 24 * HOUR}, []),
        ({"heard_at": AT - 24 * HOUR - MINUTE}, ["silent"]),
        ({"heard_at": None}, ["silent"]),  # nothing, ever, for nine days
        ({"heard_at": None, "started_at": AT - HOUR}, []),
        ({"heard_at": AT - 30 * HOUR, "asked_at": AT - 25 * HOUR}, []),  # the machine was off: it has to ask first
        ({"failures": 2, "trouble": "x: X answers 503"}, []),
        ({"failures": 3, "trouble": "x: X answers 503"}, ["failing"]),
        ({"failures": 3, "trouble": "x: X answers 503", "heard_at": AT - 9 * DAY}, ["failing"]),  # one note, not two
        ({"filters": filters(30 * HOUR, None)}, ["no match: brigid"]),
        ({"filters": filters(23 * HOUR, None)}, []),
        ({"filters": filters(30 * HOUR, 29 * HOUR)}, []),  # it did match once: it is written rightly
        ({"filters": filters(90 * HOUR, None, asked=50 * HOUR)}, []),  # an admin took it out
        ({"filters": filters(30 * HOUR, None), "heard_at": AT - 9 * DAY}, ["silent"]),
    ],
)
def test_what_is_wrong(fields: dict[str, Any], kinds: list[str]) -> None:
    found = troubles(watch(**fields), SETTINGS, (0, 0), AT)
    assert [trouble.kind for trouble in found] == kinds
    assert all(trouble.over for trouble in found)


@pytest.mark.parametrize(
    ("reads", "kinds"),
    [
        ((79, 79), []),
        ((80, 80), ["budget of the day nearly used up"]),
        ((100, 100), ["budget of the day used up"]),
        ((130, 130), ["budget of the day used up"]),
        ((0, 800), ["budget of the month nearly used up"]),
        ((100, 1000), ["budget of the day used up", "budget of the month used up"]),
    ],
)
def test_budgets(reads: tuple[int, int], kinds: list[str]) -> None:
    settings = CollectorSettings(on=True, daily_reads=100, monthly_reads=1000)
    found = troubles(watch(), settings, reads, AT)
    assert [trouble.kind for trouble in found] == kinds
    assert [trouble.over is not None for trouble in found] == ["nearly" not in kind for kind in kinds]


def test_a_budget_says_until_when() -> None:
    settings = CollectorSettings(on=True, daily_reads=1, monthly_reads=1)
    day, month = troubles(watch(), settings, (1, 1), AT)
    assert "until Thu 19 Nov 00:00 UTC" in day.why
    assert "until Tue 01 Dec 00:00 UTC" in month.why


def alarms(session: Session) -> list[tuple[str, bool]]:
    rows = session.exec(select(Alarm).order_by(col(Alarm.id))).all()
    return [(alarm.kind, alarm.over_at is not None) for alarm in rows]


def test_people_are_told_once_and_once_when_it_is_over(session: Session) -> None:
    collectors = {"x": SETTINGS}
    session.add(watch(heard_at=AT - 30 * HOUR))
    session.commit()
    assert [watch_over(session, collectors, AT + n * MINUTE) for n in range(3)] == [1, 0, 0]
    assert alarms(session) == [("silent", False)]
    row = session.get_one(Watch, "x")
    row.heard_at = row.asked_at = AT + 5 * MINUTE
    session.commit()
    assert [watch_over(session, collectors, AT + 6 * MINUTE) for _ in range(2)] == [1, 0]
    assert alarms(session) == [("silent", True)]
    row.asked_at = AT + 40 * HOUR
    session.commit()
    watch_over(session, collectors, AT + 40 * HOUR)
    assert alarms(session) == [("silent", True), ("silent", False)]


@pytest.mark.parametrize(
    "meanwhile",
    [
        {"failures": 3, "trouble": "x: X answers 503"},
        {"asked_at": AT - 25 * HOUR},  # the service was down; it looks before it has asked
    ],
)
@pytest.mark.parametrize(
    ("fields", "kind"),
    [({"heard_at": AT - 30 * HOUR}, "silent"), ({"filters": filters(30 * HOUR, None)}, "no match: brigid")],
)
def test_quiet_is_over_when_something_is_heard_and_not_before(
    session: Session, fields: dict[str, Any], kind: str, meanwhile: dict[str, Any]
) -> None:
    """People read "x hears again" with each restart, and were told anew a minute later."""
    row = watch(**fields)
    session.add(row)
    session.commit()
    watch_over(session, {"x": SETTINGS}, AT)
    before = {name: getattr(row, name) for name in meanwhile}
    for values in (meanwhile, before):
        for name, value in values.items():
            setattr(row, name, value)
        session.commit()
        watch_over(session, {"x": SETTINGS}, AT)
    assert [one for one in alarms(session) if one[0] == kind] == [(kind, False)]


def test_a_search_that_was_taken_out_has_not_matched(session: Session) -> None:
    row = watch(filters=filters(30 * HOUR, None))
    session.add(row)
    session.commit()
    watch_over(session, {"x": SETTINGS}, AT)
    row.filters, row.asked_at = filters(90 * HOUR, None, asked=50 * HOUR), AT
    session.commit()
    watch_over(session, {"x": SETTINGS}, AT)
    (alarm,) = session.exec(select(Alarm)).all()
    assert (alarm.over_at, alarm.over) == (AT, None)


def test_what_is_switched_off_is_over_and_nobody_is_told(session: Session) -> None:
    session.add(watch(failures=5, trouble="x: X answers 503"))
    session.commit()
    watch_over(session, {"x": SETTINGS}, AT)
    watch_over(session, {"x": CollectorSettings(on=False)}, AT + MINUTE)
    (alarm,) = session.exec(select(Alarm)).all()
    assert (alarm.over_at, alarm.over) == (AT + MINUTE, None)


def test_what_was_billed_is_looked_up(session: Session) -> None:
    session.add(watch())
    session.add(Spend(collector="x", day=AT.date(), reads=85))
    session.commit()
    watch_over(session, {"x": CollectorSettings(on=True, daily_reads=100)}, AT)
    assert alarms(session) == [("budget of the day nearly used up", False)]


# ---------------------------------------------------------------- the desk's own alarms


def test_raised_once_while_it_lasts_and_again_when_it_comes_back(session: Session) -> None:
    for minutes in range(3):
        raised(session, "danger", "channel", "it is archived", "it is back", AT + minutes * MINUTE)
    assert standing(session, "channel") == {"danger"}
    assert standing(session, "buttons") == set()
    for minutes in (5, 6):
        over(session, "danger", "channel", AT + minutes * MINUTE)
    assert standing(session, "channel") == set()
    raised(session, "danger", "channel", "archived again", "it is back", AT + HOUR)
    session.commit()
    rows = session.exec(select(Alarm).order_by(col(Alarm.id))).all()
    assert [(row.why, row.raised_at, row.over_at) for row in rows] == [
        ("it is archived", AT, AT + 5 * MINUTE),
        ("archived again", AT + HOUR, None),
    ]


def test_of_one_kind_each_stands_for_itself(session: Session) -> None:
    for what, kind in (("care", "channel"), ("danger", "channel"), ("danger", "hook")):
        raised(session, what, kind, "why", "over", AT)
    over(session, "danger", "channel", AT)
    assert [standing(session, kind) for kind in ("channel", "hook")] == [{"care"}, {"danger"}]


@pytest.mark.parametrize("kind", DESK)
def test_looking_after_collectors_leaves_them_alone(session: Session, kind: str) -> None:
    """They are over when the desk says so, though no collector is called like that, or one is, and is well."""
    for what in ("danger", "x"):
        raised(session, what, kind, "why", "over", AT)
    session.add(watch())
    session.commit()
    for minutes in range(3):
        assert watch_over(session, {"x": SETTINGS}, AT + minutes * MINUTE) == 0
    assert standing(session, kind) == {"danger", "x"}
    assert {alarm.over for alarm in session.exec(select(Alarm))} == {"over"}
