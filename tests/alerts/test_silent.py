"""Filters that fell silent."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from desk import Desk
from sqlmodel import Session, col, select
from tuned import tuned

from alerts.phrase_counts import ABOUT_US, PhraseCount
from alerts.silent import SWALLOWS, Silence, place_of, silence, swallowed, watch
from config.schema import Config
from listener.watch import Alarm, Watch
from nlp.reading import ReadWith
from nlp.tuning import lines

DAY = timedelta(days=1)
POSTS = [100] * 60


@pytest.mark.parametrize(
    ("before", "quiet", "is_told"),
    [
        ([6] * 28, 4, False),
        ([6] * 28, 6, True),
        ([30] * 28, 3, True),
        ([6] * 7, 6, True),
        ([6] * 6, 6, False),  # a week tells what is usual, less does not
        ([1] * 28, 14, False),  # once a day is too rarely
        ([3] * 28, 12, True),
        ([0, 0, 0, 0, 12, 12, 12] * 4, 7, False),  # in bursts: four silent days are usual
        ([0, 0, 0, 0, 12, 12, 12] * 4, 8, False),
        (([12] * 4 + [0] * 3) * 3 + [12] * 4, 6, False),  # twice as long as the gaps before, and no longer
        (([12] * 4 + [0] * 3) * 3 + [12] * 4, 7, True),
        ([0] * 20 + [60] * 8, 14, False),  # an outage that is over
        ([2] * 20 + [60] * 8, 5, False),
        ([6] * 28, 0, False),
        ([], 30, False),
    ],
)
def test_when_silence_is_told(before: list[int], quiet: int, is_told: bool) -> None:
    found = [*before, *[0] * quiet]
    silent = silence(found, POSTS[: len(found)])
    assert silent == (Silence(quiet, sum(before) / len(before)) if is_told else None)


def test_quiet_days_of_the_hospital_are_no_silence_of_a_phrase() -> None:
    found = [6] * 28 + [0] * 6
    assert silence(found, [100] * 28 + [100] * 6)
    assert not silence(found, [100] * 28 + [10] * 6)


def test_a_phrase_that_was_just_changed_is_told_sooner() -> None:
    found = [6] * 28 + [0] * 3
    assert silence(found, POSTS[:31], 1e-3)
    assert not silence(found, POSTS[:31])


@pytest.mark.parametrize(
    ("taken", "of", "is_on", "is_told"),
    [
        ([0] * 28 + [3] * 7, 100, False, False),  # 21 of 700
        ([0] * 28 + [6] * 7, 100, False, True),  # 42 of 700
        ([0] * 28 + [2] * 7, 20, False, False),  # 14 posts are few, whatever their share
        ([0] * 28 + [3] * 7, 100, True, True),  # told before: it goes on until it is half of that
        ([0] * 28 + [2] * 7, 100, True, False),
        ([1] * 28 + [30] * 7, 1000, False, True),  # 210 of 7,000, where 7 are usual
        ([1] * 28 + [6] * 7, 1000, False, False),  # not more than five times as many beyond chance
        ([30] * 6, 100, False, True),
    ],
)
def test_when_an_exclusion_takes_too_many(taken: list[int], of: int, is_on: bool, is_told: bool) -> None:
    assert bool(swallowed(taken, [of] * len(taken), is_on=is_on)) == is_told


@pytest.mark.parametrize(
    ("phrase", "gone", "before"),
    [
        ("portel", ["parking", "portal"], "portal"),
        ("portal NOT the", ["the app", "portal"], "portal"),
        ("Portal login*", ["kiosk", "the portal"], "the portal"),
        ("wifi", ["portal"], None),
        ("wifi", [], None),
    ],
)
def test_whose_place_a_phrase_took(phrase: str, gone: list[str], before: str | None) -> None:
    assert place_of(phrase, gone) == before


# ---------------------------------------------------------------- the stage


def kept(session: Session, config: Config, now: datetime, found: dict[tuple[str, str], list[int]], posts: int) -> None:
    """What was counted of the days before `now`, the last one yesterday."""
    today = now.astimezone(config.hospital.zone).date()
    longest = max(map(len, found.values()))
    for back in range(longest):
        day = today - (longest - back) * DAY
        session.add(PhraseCount(list=ABOUT_US, phrase="", day=day, posts=posts))
        for (table, phrase), counts in found.items():
            if counts[back]:
                session.add(PhraseCount(list=table, phrase=phrase, day=day, posts=counts[back]))
    session.add(Watch(name="phrase counts", cursor={"counted": (today - DAY).isoformat()}))
    session.commit()


def alarms(session: Session) -> list[tuple[str, str, bool]]:
    rows = session.exec(select(Alarm).order_by(col(Alarm.id)))
    return [(one.collector, one.kind, one.over_at is None) for one in rows]


PORTAL = ("categories.digital", "portal")


def test_a_phrase_that_stopped_is_told_once_and_ends(session: Session, config: Config, now: datetime) -> None:
    kept(session, config, now, {PORTAL: [6] * 28 + [0] * 6}, 100)
    assert watch(session, config, now) == 1
    assert alarms(session) == [("categories.digital: portal", "stopped", True)]
    (alarm,) = session.exec(select(Alarm))
    assert alarm.why == (
        "'portal' of [categories.digital] has found nothing for 6 days, since Tue 10 Nov; before that it was in 6.0 posts a "
        "day. Nothing was changed in that list. Look at it with: call-light config show portal"
    )
    assert watch(session, config, now + timedelta(minutes=59)) == 0, "once an hour"
    assert watch(session, config, now + timedelta(minutes=61)) == 0, "told once"
    today = now.astimezone(config.hospital.zone).date()
    session.add(PhraseCount(list=ABOUT_US, phrase="", day=today, posts=100))
    session.add(PhraseCount(list=PORTAL[0], phrase=PORTAL[1], day=today, posts=4))
    place = session.get_one(Watch, "phrase counts")
    place.cursor = {"counted": today.isoformat()}
    session.commit()
    assert watch(session, config, now + timedelta(hours=23)) == 1
    assert alarms(session) == [("categories.digital: portal", "stopped", False)]


def test_it_lasts_however_long_the_silence_is(session: Session, config: Config, now: datetime) -> None:
    kept(session, config, now, {PORTAL: [6] * 10 + [0] * 6}, 100)
    watch(session, config, now)
    for days in range(1, 50):
        day = (now + days * DAY).astimezone(config.hospital.zone).date()
        session.add(PhraseCount(list=ABOUT_US, phrase="", day=day - DAY, posts=100))
        session.get_one(Watch, "phrase counts").cursor = {"counted": (day - DAY).isoformat()}
        session.commit()
        assert watch(session, config, now + days * DAY) == 0
    assert alarms(session) == [("categories.digital: portal", "stopped", True)]


def test_it_is_over_when_the_phrase_is_taken_out(session: Session, config: Config, now: datetime) -> None:
    kept(session, config, now, {PORTAL: [6] * 28 + [0] * 6}, 100)
    watch(session, config, now)
    without = tuned(config, "categories.digital", phrases=("website",))
    assert watch(session, without, now + timedelta(minutes=59)) == 0, "it is looked once an hour"
    assert watch(session, without, now + timedelta(minutes=60)) == 1
    assert alarms(session) == [("categories.digital: portal", "stopped", False)]


@pytest.mark.parametrize("phrase", ["portel", "portal NOT the"])
def test_a_phrase_in_the_place_of_another(session: Session, config: Config, now: datetime, phrase: str) -> None:
    digital = config.keywords.categories["digital"].phrases
    changed = tuned(config, "categories.digital", phrases=(*digital[1:], phrase))
    kept(session, config, now, {PORTAL: [6] * 28 + [0] * 4}, 100)
    at = now - timedelta(days=4, hours=3)
    for number, (one, since) in enumerate(((config, at - 20 * DAY), (changed, at))):
        written: Any = [list(line) for line in lines(one, "1", None)]
        session.add(ReadWith(pipeline_version=str(number), since=since, lines=written))
    session.commit()
    assert watch(session, changed, now) == 1
    (alarm,) = session.exec(select(Alarm))
    assert alarm.collector == f"categories.digital: {phrase}"
    assert f"{phrase!r} of [categories.digital] has found nothing for 4 days, since Thu 12 Nov" in alarm.why
    assert "before that 'portal', which it replaced, was in 6.0 posts a day" in alarm.why
    assert f"Changed there: 'portal' taken out on Thu 12 Nov 06:00; {phrase!r} added on Thu 12 Nov 06:00" in alarm.why
    assert f"call-light config show {phrase if ' ' not in phrase else repr(phrase)}" in alarm.why
    assert watch(session, config, now + timedelta(hours=2)) == 1, "mended: over"
    assert alarms(session) == [(f"categories.digital: {phrase}", "stopped", False)]


def test_an_exclusion_that_takes_more_than_its_share(session: Session, config: Config, now: datetime) -> None:
    taken = {("exclude", "fish fry"): [0] * 28 + [8] * 7, ("not_us", "St. Brigid's School"): [0] * 28 + [4] * 7}
    kept(session, config, now, taken, 100)
    assert watch(session, config, now) == 1
    (alarm,) = session.exec(select(Alarm))
    assert (alarm.collector, alarm.kind) == ("exclude: fish fry", SWALLOWS)
    assert (
        "'fish fry' of exclude in keywords.toml took 56 of 700 posts away in seven days; 0 a week are usual"
        in alarm.why
    )
    assert "call-light search '\"fish fry\"' --since 7d" in alarm.why


def test_a_name_that_is_not_ours_takes_from_what_would_be_about_us(
    session: Session, config: Config, now: datetime
) -> None:
    kept(session, config, now, {("not_us", "St. Brigid's School"): [0] * 28 + [30] * 7}, 100)
    watch(session, config, now)
    (alarm,) = session.exec(select(Alarm))
    assert '"St. Brigid\'s School" of not_us in hospital.toml took 210 of 910 posts away' in alarm.why


def test_nothing_is_said_where_nothing_was_counted(session: Session, config: Config, now: datetime) -> None:
    assert watch(session, config, now) == 0
    assert alarms(session) == []


def test_it_is_counted_first(desk: Desk, now: datetime) -> None:
    desk.hear("the portal is down", written_at=now - 2 * DAY)
    assert watch(desk.session, desk.config, now) == 0
    (row,) = desk.session.exec(select(PhraseCount).where(PhraseCount.phrase == "portal"))
    assert (row.day, row.posts) == (date(2026, 11, 14), 1)
