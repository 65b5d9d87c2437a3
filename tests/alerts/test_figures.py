"""One place where figures come from, so that everything that is counted agrees."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from conftest import NOW

from alerts.figures import figures, heard_between
from alerts.ledger import ledger
from alerts.report import known_sections, report
from alerts.span import days, named
from listener.watch import Gap

MINUTE, WEEK = timedelta(minutes=1), timedelta(days=7)
ZONE = ZoneInfo("America/Chicago")
SPAN = named("2026-11-09-to-2026-11-16", ZONE)
SINCE, UNTIL = SPAN.since, SPAN.until


def of(desk: Any) -> Any:
    return figures(desk.session, desk.config, SPAN, NOW)


@pytest.mark.parametrize(("at", "counted"), [(SINCE - MINUTE, 0), (SINCE, 1), (UNTIL - MINUTE, 1), (UNTIL, 0)])
def test_from_since_until_before_until(desk: Any, at: datetime, counted: int) -> None:
    desk.hear(heard_at=at)
    assert len(of(desk).heard) == counted


def test_since_ever(desk: Any) -> None:
    desk.hear(written_at=datetime(2001, 1, 1, tzinfo=UTC))
    assert len(heard_between(desk.session, None, NOW)) == 1


def test_a_mention_with_its_newest_reading_and_verdict(desk: Any, paper: Any) -> None:
    mention = desk.hear(kind="praise")
    desk.decide()
    desk.edit(mention, "angry now", NOW, urgency="serious", categories=[{"id": "food", "score": 1.0, "words": ["x"]}])
    desk.decide()
    desk.deliver(paper)
    (one,) = heard_between(desk.session, None, NOW)
    assert (one.kind, one.urgency, one.categories, one.outcome) == ("complaint", "serious", ("food",), "alert")
    assert (one.case_id, one.card_sent, one.redacted_text) == (1, True, "angry now")


def test_without_reading_or_verdict(desk: Any) -> None:
    desk.hear(read=False)
    desk.hear()
    unread, undecided = heard_between(desk.session, None, NOW)
    assert (unread.voice, unread.outcome, unread.redacted_text) == (None, None, "")
    assert (undecided.voice, undecided.outcome) == ("patient", None)


def test_a_case_belongs_to_the_week_in_which_its_post_was_heard(desk: Any) -> None:
    """Heard in the last minute of Sunday, opened in the first of Monday: one of the two weeks must count it."""
    desk.hear(heard_at=UNTIL - timedelta(seconds=1))
    desk.decide(UNTIL + MINUTE)
    assert len(of(desk).cases) == 1
    after = figures(desk.session, desk.config, days(UNTIL.date(), UNTIL.date() + WEEK, ZONE), UNTIL + WEEK)
    assert (len(after.cases), len(after.before.cases), len(after.weeks[0].cases)) == (0, 1, 1)


def test_the_week_before_is_there_to_compare(desk: Any) -> None:
    for ago in (1, 8, 9, 16):
        desk.hear(written_at=NOW - timedelta(days=ago))
    found = of(desk)
    assert (len(found.heard), len(found.before.heard)) == (1, 2)
    assert found.before.before is None


def test_gaps_of_the_span(desk: Any) -> None:
    for found_at in (SINCE - MINUTE, SINCE, UNTIL):
        desk.session.add(Gap(collector="x", since=found_at, until=found_at, why="down", found_at=found_at))
    desk.session.commit()
    assert [gap.found_at for gap in of(desk).gaps] == [SINCE]


def test_what_patients_said(desk: Any) -> None:
    for voice in ("patient", "news", "promo", "other"):
        desk.hear(voice=voice)
    desk.hear(read=False)
    assert [one.voice for one in of(desk).patients] == ["patient"]


def test_totals_agree(desk: Any, paper: Any) -> None:
    """Volume, categories, reply times, headline and ledger count the same posts."""
    topics = [[], ["food"], ["food", "waiting"], ["privacy"]]
    for number in range(40):
        said = [{"id": name, "score": 1.0, "words": ["w"]} for name in topics[number % 4]]
        desk.hear(
            source=("x", "reddit", "rss")[number % 3],
            written_at=NOW - timedelta(hours=4 * number + 1),
            kind=("complaint", "praise", "question", "comment")[number % 4 if number % 5 else 0],
            voice=("patient", "patient", "news")[number % 3] if number % 7 else "promo",
            urgency=("routine", "serious", "danger")[number % 3] if number % 6 == 0 else "routine",
            categories=said,
        )
    desk.decide()
    desk.deliver(paper)
    found = of(desk)
    sections = {
        name: found.tables[0].rows if found.tables else found.sentences
        for name, found in zip(known_sections(), report(found, list(known_sections())), strict=True)
    }
    sum_ = ledger(found.heard, found.now)

    assert sum_.adds_up
    assert sections["volume"][-1][-1] == sum_.collected == 40
    assert sum(row[-1] for row in sections["volume"][:-1]) == 40
    assert list(sections["volume"][-1][1:-1]) == [
        sum(one.source == source for one in found.heard) for source in ("reddit", "rss", "x")
    ]
    assert dict(sections["ledger"][:4]) == {
        "Collected": 40,
        "Alerted": sum_.alerted,
        "In a digest": sum_.in_digest,
        "Dismissed with a reason": sum_.dismissed,
    }
    complaints = [one for one in found.patients if one.kind == "complaint"]
    assert sum(row[1] for row in sections["categories"]) == sum(len(one.categories) or 1 for one in complaints)
    assert f"{len(complaints)} complaints" in sections["headline"][0]
    assert sum(row[2] for row in sections["reply_times"]) == len(found.cases) == sum_.alerted


def test_a_week_with_a_clock_change_is_whole(desk: Any) -> None:
    zone = desk.config.hospital.zone
    span = named("2026-W44", zone)  # 25 October to 1 November has 169 hours
    since, until = span.since, span.until
    desk.hear(heard_at=since.astimezone(UTC))
    desk.hear(heard_at=until.astimezone(UTC) - timedelta(seconds=1))
    desk.hear(heard_at=since.astimezone(UTC) - timedelta(seconds=1))
    desk.hear(heard_at=until.astimezone(UTC))
    found = figures(desk.session, desk.config, span, NOW)
    assert until.astimezone(UTC) - since.astimezone(UTC) == timedelta(hours=169)
    assert (len(found.heard), len(found.before.heard)) == (2, 1)
    rows = known_sections()["volume"](found).tables[0].rows
    assert [row[-1] for row in rows] == [1, 0, 0, 0, 0, 0, 1, 2]


def test_a_case_that_went_into_another_counts_once(desk: Any) -> None:
    desk.alert()
    desk.alert()
    desk.act("merge", case_id=2, into="1")
    found = figures(
        desk.session, desk.config, days(NOW.date() - timedelta(days=1), NOW.date() + timedelta(days=1), ZONE), NOW
    )
    assert [case.id for case in found.cases] == [1]


def test_a_span_that_is_asked_for_is_compared_with(desk: Any) -> None:
    for ago in (1, 20, 21, 22):
        desk.hear(written_at=NOW - timedelta(days=ago))
    found = figures(desk.session, desk.config, named("2026-W46", ZONE), NOW, named("2026-W43", ZONE))
    assert (len(found.heard), found.before.span.name, len(found.before.heard)) == (1, "2026-W43", 1)
    assert found.compared_with == "week 43 of 2026"
    assert [len(week.heard) for week in found.weeks] == [0, 2, 1], "what is usual does not follow"


def test_the_weeks_of_a_month_are_cut_from_the_month_before(desk: Any) -> None:
    """September ends on a Wednesday: four weeks before 1 October lie in it, the fifth begins in August."""
    month = named("2026-10", ZONE)
    for days_before in (0.5, 8, 27.5, 29.5, 35.5):
        at = (month.since - timedelta(days=days_before)).astimezone(UTC)
        desk.hear(heard_at=at, written_at=at)
    desk.decide(month.since)
    found = figures(desk.session, desk.config, month, NOW)
    assert [len(week.heard) for week in found.weeks] == [1, 1, 0, 1, 1, 1]
    assert [len(week.cases) for week in found.weeks] == [1, 1, 0, 1, 1, 1]
    assert (len(found.before.heard), len(found.before.cases)) == (4, 4)
    assert [week.span.until - week.span.since for week in found.weeks] == [WEEK] * 6


def test_what_was_opened_again(desk: Any) -> None:
    for topics in ([{"id": "food", "score": 1.0, "words": []}], [], []):
        desk.alert(categories=topics)
    for number, outcome in ((1, "fixed"), (1, "explained"), (2, "no_answer"), (3, "fixed")):
        desk.act("close", case_id=number, outcome=outcome)
        if number != 3:
            desk.act("reopen", case_id=number)
    desk.act("close", case_id=1, outcome="fixed")
    found = figures(desk.session, desk.config, named("2026-W47", ZONE), NOW)
    assert [(one.case.id, one.topics, one.outcome) for one in found.reopened] == [
        (1, ("food",), "explained"),
        (2, (), "no_answer"),
    ]
    assert [one.case.id for one in found.ended] == [1, 3]
    assert figures(desk.session, desk.config, named("2026-W46", ZONE), NOW).reopened == []


def test_what_was_heard_after_a_fix(desk: Any) -> None:
    span = named("2026-10", ZONE)
    for days_after in (-1, 0, 27.9, 28.1):
        desk.hear(heard_at=span.until.astimezone(UTC) + timedelta(days=days_after))
    later = span.until + timedelta(days=60)
    assert figures(desk.session, desk.config, span, later).after == [], "nothing was fixed"
    desk.decide()
    desk.act("close", now=span.until - MINUTE, outcome="fixed")
    assert [one.mention_id for one in figures(desk.session, desk.config, span, later).after] == [2, 3]
    soon = span.until + timedelta(hours=1)
    assert [one.mention_id for one in figures(desk.session, desk.config, span, soon).after] == [2]
