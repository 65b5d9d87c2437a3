"""Each section of the weekly summary: from figures to sentences and rows."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from conftest import NOW

from alerts.case import Case
from alerts.figures import Figures, Heard
from alerts.report import known_sections
from alerts.section import Section, Share
from alerts.sections.reply_times import median
from alerts.span import named
from listener.watch import Alarm, Gap, Spend

CHICAGO = ZoneInfo("America/Chicago")
MINUTE = timedelta(minutes=1)
SINCE = datetime(2026, 11, 9, tzinfo=CHICAGO)
FIGURES = Figures(
    span=named("2026-W46", CHICAGO),
    zone=CHICAGO,
    now=NOW,
    titles={"waiting": "Waiting", "food": "Food"},
    owners={"waiting": "Operations"},
    targets={"danger": 5 * MINUTE, "here_now": 15 * MINUTE, "serious": 15 * MINUTE, "routine": 60 * MINUTE},
    hospital="Saint Brigid",
)
HEARD = Heard(
    1, "x", "x", SINCE, SINCE, voice="patient", kind="complaint", categories=("waiting",), mood=-0.5, urgency="routine",
    redacted_text="w", outcome="alert", reason="r", case_id=1, card_sent=True,
)  # fmt: skip


def heard(**changes: Any) -> Heard:
    return replace(HEARD, **changes)


def case(urgency: str = "routine", answered: int | None = None, due: int = 60) -> Case:
    answered_at = None if answered is None else SINCE + answered * MINUTE
    return Case(
        mention_id=1, source="x", thread="1", channel="care", urgency=urgency, opened_at=SINCE, clock_from=SINCE,
        due_at=SINCE + due * MINUTE, answered_at=answered_at,
    )  # fmt: skip


def rows(found: Section) -> list[tuple[Any, ...]]:
    """Of its first table."""
    return list(found.tables[0].rows)


def section(name: str, **changes: Any) -> Any:
    return known_sections()[name](replace(FIGURES, **changes))


def test_each_file_is_a_section() -> None:
    assert list(known_sections()) == [
        "categories",
        "headline",
        "ledger",
        "listening",
        "praise",
        "reply_times",
        "volume",
    ]


@pytest.mark.parametrize("name", ["categories", "headline", "ledger", "listening", "praise", "reply_times", "volume"])
@pytest.mark.parametrize("posts", [0, 1])
@pytest.mark.parametrize("before", [True, False])
def test_any_week_has_every_section(name: str, posts: int, before: bool) -> None:
    found = section(name, heard=[HEARD] * posts, before=FIGURES if before else None)
    assert found.title
    assert all(found.sentences)
    for table in found.tables:
        assert all(len(row) == len(table.header) for row in table.rows)


@pytest.mark.parametrize(
    ("posts", "cases", "sentences"),
    [
        (
            [],
            [],
            (
                "0 posts were heard, 0 of them by patients and visitors: 0 complaints, 0 with praise.",
                "There were no complaints.",
                "0 of 0 cases were answered in public.",
            ),
        ),
        (
            [heard(), heard(categories=["waiting", "food"]), heard(kind="praise"), heard(voice="news", kind=None)],
            [case(answered=4), case(answered=10), case()],
            (
                "4 posts were heard, 3 of them by patients and visitors: 2 complaints, 1 with praise.",
                "The topic most complained about was waiting (2 of 2).",
                "2 of 3 cases were answered in public, half of them within 7 min.",
            ),
        ),
        (
            [heard(categories=[])],
            [case()],
            (
                "1 post was heard, 1 of them by patients and visitors: 1 complaint, 0 with praise.",
                "None of the complaints named a topic that we look for.",
                "0 of 1 cases were answered in public.",
            ),
        ),
    ],
)
def test_headline(posts: list[Heard], cases: list[Case], sentences: tuple[str, ...]) -> None:
    assert section("headline", heard=posts, cases=cases).sentences == sentences


def test_volume() -> None:
    late_sunday = SINCE + timedelta(days=6, hours=23, minutes=59)
    posts = [heard(), heard(source="reddit"), heard(heard_at=late_sunday), heard(heard_at=SINCE + timedelta(days=2))]
    found = section("volume", heard=posts, before=replace(FIGURES, heard=[HEARD] * 2))
    assert found.tables[0].header == ("Day", "Reddit", "X", "All")
    assert rows(found) == [
        ("Mon 9 Nov", 1, 1, 2), ("Tue 10 Nov", 0, 0, 0), ("Wed 11 Nov", 0, 1, 1), ("Thu 12 Nov", 0, 0, 0),
        ("Fri 13 Nov", 0, 0, 0), ("Sat 14 Nov", 0, 0, 0), ("Sun 15 Nov", 0, 1, 1), ("All", 1, 3, 4),
    ]  # fmt: skip
    assert found.sentences == ("4 posts; 2 in the week before.",)


def test_volume_with_nothing_before() -> None:
    assert section("volume", heard=[HEARD]).sentences == ("1 post; nothing to compare with.",)


def test_categories() -> None:
    posts = [
        heard(), heard(categories=["waiting", "food"]), heard(kind="praise", categories=["food"]),
        heard(kind="question"), heard(voice="news", kind=None), heard(categories=["own_topic"]), heard(categories=[]),
    ]  # fmt: skip
    found = section("categories", heard=posts, before=replace(FIGURES, heard=[HEARD]))
    assert rows(found) == [
        ("Waiting", 2, 1, 0, "Operations"),
        ("Food", 1, 0, 1, ""),
        ("Own topic", 1, 0, 0, ""),
        ("No topic named", 1, 0, 0, ""),
    ]


def test_reply_times() -> None:
    cases = [
        case("danger", 3, due=5), case("danger", 9, due=5), case("danger", due=5),
        case("routine", 60), case("low", 61), case("none"),
    ]  # fmt: skip
    assert rows(section("reply_times", cases=cases)) == [
        ("Danger", 5 * MINUTE, 3, 2, 6 * MINUTE, 9 * MINUTE, Share(1, 3)),
        ("Here now", 15 * MINUTE, 0, 0, None, None, Share(0, 0)),
        ("Serious", 15 * MINUTE, 0, 0, None, None, Share(0, 0)),
        ("To answer", 60 * MINUTE, 3, 2, 60.5 * MINUTE, 61 * MINUTE, Share(1, 3)),
    ]


@pytest.mark.parametrize(("minutes", "middle"), [([5], 5), ([9, 1, 5], 5), ([1, 3], 2), ([1, 2, 4, 100], 3)])
def test_median(minutes: list[int], middle: float) -> None:
    assert median([number * MINUTE for number in minutes]) == middle * MINUTE


def test_praise_is_short_and_recent() -> None:
    posts = [heard(kind="praise", redacted_text=f"thanks {n}\n" + "so kind " * 99) for n in range(12)]
    found = section("praise", heard=[*posts, heard(kind="praise", deleted=True, redacted_text="gone"), HEARD])
    assert found.sentences == ("13 posts with praise.",)
    assert [row[2].split(" so")[0] for row in rows(found)] == [f"thanks {n}" for n in range(4, 12)]
    assert all(len(row[2]) <= 160 and "\n" not in row[2] for row in rows(found))


def test_ledger() -> None:
    posts = [
        heard(), heard(outcome="digest"), heard(outcome="dismiss", reason="rule 'spam': voice promo: 'apply now'"),
        heard(outcome=None, voice=None),
    ]  # fmt: skip
    gap = Gap(collector="x", since=SINCE, until=SINCE, why="too long away", found_at=SINCE)
    found = section("ledger", heard=posts, gaps=[gap])
    assert found.sentences == (
        "It does NOT add up: run call-light doctor.",
        "Not heard: x, too long away.",
    )
    assert rows(found) == [
        ("Collected", 4), ("Alerted", 1), ("In a digest", 1), ("Dismissed with a reason", 1),
        ("STUCK: not read", 1), ("  dismissed: rule spam", 1),
    ]  # fmt: skip
    young = section("ledger", heard=[heard(outcome=None, heard_at=NOW)])
    assert young.sentences == ("It adds up.",)
    assert ("On the way", 1) in rows(young)


def test_where_we_listened_and_what_it_cost() -> None:
    day = SINCE.date()
    spends = [Spend(collector="x", day=day, reads=100, cost=0.5), Spend(collector="x", day=day, reads=20, cost=0.1)]
    before = replace(FIGURES, spends=[Spend(collector="x", day=day, reads=10, cost=0.05)])
    posts = [heard(collector="x"), heard(collector="rss"), heard(collector="rss")]
    found = section("listening", heard=posts, spends=[*spends, Spend(collector="y", day=day)], before=before)
    assert found.sentences == ("Listening and answering cost $0.60; $0.05 in the week before.",)
    assert rows(found) == [
        ("x", 1, 120, "$0.60"),
        ("rss", 2, 0, "$0.00"),
        ("y", 0, 0, "$0.00"),
        ("All", 3, 120, "$0.60"),
    ]


def test_when_we_were_deaf() -> None:
    over = Alarm(collector="x", kind="silent", why="x may be deaf", raised_at=SINCE, over_at=SINCE + 90 * MINUTE)
    still = Alarm(collector="rss", kind="failing", why="rss failed", raised_at=NOW - 5 * MINUTE)
    assert section("listening", alarms=[over, still]).sentences == (
        "Listening and answering cost nothing.",
        "x may be deaf (over after 1 h 30 min).",
        "rss failed (for 5 min now).",
    )
