"""Each section of the weekly summary: from figures to sentences and rows."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from conftest import NOW
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.case import Case
from alerts.figures import Figures, Heard, Words
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
        "journey",
        "ledger",
        "listening",
        "mood",
        "places",
        "praise",
        "reply_times",
        "rose",
        "volume",
    ]


@pytest.mark.parametrize("name", list(known_sections()))
@pytest.mark.parametrize("posts", [0, 1])
@pytest.mark.parametrize("before", [True, False])
def test_any_week_has_every_section(name: str, posts: int, before: bool) -> None:
    found = section(name, heard=[HEARD] * posts, before=FIGURES if before else None)
    assert found.title
    assert all(found.sentences)
    for table in found.tables:
        assert all(len(row) == len(table.header) for row in table.rows)


SAID = st.builds(
    heard,
    source=st.sampled_from(["x", "reddit", "🏥"]),
    voice=st.sampled_from(["patient", "patient", "news", None]),
    kind=st.sampled_from(["complaint", "complaint", "praise", "question", "comment", None]),
    categories=st.lists(st.sampled_from(["waiting", "gone_from_config", "حساب", "🍲", ""]), unique=True, max_size=3),
    stage=st.sampled_from([None, "stay", "waiting"]),
    mood=st.floats(-1, 1),
    site=st.sampled_from([None, "Harbor", "מרפאה", "🏥"]),
    departments=st.lists(st.sampled_from(["Emergency", "Emergency", "طوارئ"]), max_size=3),
    heard_at=st.integers(0, 7 * 24 * 60 - 1).map(lambda minute: SINCE + minute * MINUTE),
    redacted_text=st.text(max_size=60),
)


@settings(max_examples=40)
@given(
    st.lists(SAID, max_size=40),
    st.lists(st.lists(SAID, max_size=9), max_size=9),
    st.sampled_from(["2026-W46", "2026-11"]),
)
def test_whatever_was_said(posts: list[Heard], before: list[list[Heard]], name: str) -> None:
    """Every section tells it, every row fits its header, and what stands beside a chart is in it."""
    weeks = [replace(FIGURES, heard=some) for some in before[:8]]
    words = Words(texts(*(post.redacted_text for post in posts)), BEFORE)
    everything = replace(
        FIGURES, span=named(name, CHICAGO), heard=posts, words=words, weeks=weeks, before=(weeks or [None])[0]
    )
    for told in known_sections().values():
        found = told(everything)
        assert all(found.sentences)
        assert all(len(row) == len(table.header) for table in found.tables for row in table.rows)
    places = known_sections()["places"](everything).tables[0].rows
    assert sum(row[5] for row in places[:-1]) == len(everything.patients)  # type: ignore[misc]
    assert all(row[5] >= 5 for row in places[:-1] if row[0] != "Elsewhere, or not said")  # type: ignore[operator]


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


def week(*complaints: str, days: int = 7, ago: int = 1) -> Figures:
    """A week before, with a complaint of each of these topics, that was listened to from its beginning."""
    span = named("2026-W46", CHICAGO)
    for _ in range(ago):
        span = span.before
    posts = [heard(categories=[name] if name else [], heard_at=span.since) for name in complaints]
    return replace(FIGURES, span=span, heard=posts)


def test_categories() -> None:
    posts = [
        heard(), heard(categories=["waiting", "food"]), heard(kind="praise", categories=["food"]),
        heard(kind="question"), heard(voice="news", kind=None), heard(categories=["own_topic"]), heard(categories=[]),
    ]  # fmt: skip
    found = section("categories", heard=posts, weeks=[week("waiting"), week("waiting", "parking", ago=2)])
    assert found.tables[0].header == (
        "Topic", "Complaints", "Usual", "Range", "Change", "Chance", "Praise", "Owner",
    )  # fmt: skip
    assert rows(found) == [
        ("Waiting", 2, 1, "1 to 1", 1, "too few to tell", 0, "Operations"),
        ("Food", 1, 0, "0 to 0", 1, "too few to tell", 1, ""),
        ("Own topic", 1, 0, "0 to 0", 1, "too few to tell", 0, ""),
        ("Parking", 0, 0.5, "0 to 1", -0.5, "too few to tell", 0, ""),
        ("No topic named", 1, 0, "0 to 0", 1, "too few to tell", 0, ""),
    ]


EIGHT = [week("waiting", "waiting", "waiting", *["food"] * 9, ago=ago) for ago in range(1, 9)]


@pytest.mark.parametrize(
    ("topics", "weeks", "sentence"),
    [
        ([], [], "There is nothing before to compare with yet."),
        (["waiting"], [], "There is nothing before to compare with yet."),
        (["waiting"] * 5 + ["food"] * 9, EIGHT, "No topic changed by more than chance explains."),
        (["waiting"] * 14 + ["food"] * 9, EIGHT, "More than chance: Waiting (14, usually 3)."),
        (
            ["waiting"] * 14,
            EIGHT,
            "More than chance: Waiting (14, usually 3). Less than chance: Food (0, usually 9).",
        ),
        (
            ["food"] * 60 + ["parking"] * 55,
            EIGHT,
            "More than chance: Parking (55, usually 0); Food (60, usually 9).",
        ),
        (
            [f"topic {letter}" for letter in "abcde" for _ in range(20)] + ["food"] * 9,
            EIGHT,
            "More than chance: Topic a (20, usually 0); Topic b (20, usually 0); Topic c (20, usually 0); 2 more in the table.",
        ),
    ],
)
def test_what_changed(topics: list[str], weeks: list[Figures], sentence: str) -> None:
    posts = [heard(categories=[name]) for name in topics]
    assert section("categories", heard=posts, weeks=weeks).sentences[0] == sentence


def test_a_week_that_was_heard_in_part_is_not_usual() -> None:
    """Listening began on its Thursday; with eight weeks before it had begun long ago, and the week was quiet."""
    late = [replace(one, heard=[heard(heard_at=one.since + timedelta(days=3))]) for one in EIGHT]
    assert rows(section("categories", heard=[HEARD], weeks=late[:1]))[0][2:6] == (None, "", None, "no weeks to compare")
    assert rows(section("categories", heard=[HEARD], weeks=[EIGHT[0], late[1]]))[0] == (
        "Waiting", 1, 3, "3 to 3", -2, "too few to tell", 0, "Operations",
    )  # fmt: skip
    late[-1] = replace(late[-1], heard=[*late[-1].heard, *late[-1].heard])
    assert rows(section("categories", heard=[HEARD], weeks=late))[0][3] == "1 to 2"


def test_a_month_is_compared_with_the_month_before() -> None:
    october = named("2026-10", CHICAGO)
    before = replace(FIGURES, span=october.before, heard=[heard(heard_at=october.before.since)] * 4)
    posts = [heard(heard_at=october.since)] * 30
    found = section("categories", span=october, heard=posts, before=before, weeks=EIGHT)
    assert found.tables[0].header[:5] == ("Topic", "Complaints", "Before", "Change", "Chance")
    assert rows(found)[0][:5] == ("Waiting", 30, 4, 26, "more than chance")
    assert found.sentences[0] == "More than chance: Waiting (30, before 4)."
    late = replace(before, heard=[heard(heard_at=before.span.since + timedelta(days=5))] * 4)
    found = section("categories", span=october, heard=posts, before=late)
    assert rows(found)[0][:5] == ("Waiting", 30, None, None, "no weeks to compare")


def test_a_week_beside_one_that_was_chosen() -> None:
    chosen = week("waiting", "waiting", ago=5)
    found = section("categories", heard=[HEARD], before=chosen, weeks=EIGHT)
    assert rows(found) == [("Waiting", 1, 2, -1, "too few to tell", 0, "Operations")]


def test_topics_as_a_chart() -> None:
    chart = section("categories", heard=[heard(), heard(kind="praise", categories=["food"])], weeks=[week("parking")]).tables[0].chart  # fmt: skip
    assert (chart.labels, chart.values) == (["Waiting", "Parking"], [1, 0])
    assert [usual.middle for usual in chart.usual] == [0, 1]
    assert section("categories", heard=[]).tables[0].chart is None


FACES = [
    heard(mood=mood, heard_at=SINCE + timedelta(days=day)) for mood, day in ((-0.9, 0), (-0.3, 0), (0.2, 0), (0.9, 6))
]


def test_mood() -> None:
    found = section("mood", heard=[*FACES, heard(voice="news", mood=-1.0)])
    assert len(rows(found)) == 8
    assert rows(found)[0] == ("Mon 9 Nov", 2, 1, 0, 3, Share(2, 3), Share(0, 3))
    assert rows(found)[6:] == [
        ("Sun 15 Nov", 0, 0, 1, 1, Share(0, 1), Share(1, 1)),
        ("All", 2, 1, 1, 4, Share(2, 4), Share(1, 4)),
    ]
    chart = found.tables[0].chart
    assert [(one.name, one.tone, sum(one.values)) for one in chart.series] == [
        ("Red", "bad", 2), ("White", "plain", 1), ("Green", "good", 1),
    ]  # fmt: skip
    assert chart.whole


def red(of_ten: int, ago: int = 1) -> Figures:
    return replace(week(ago=ago), heard=[heard(mood=-1.0)] * of_ten + [heard(mood=1.0)] * (10 - of_ten))


@pytest.mark.parametrize(
    ("posts", "before", "weeks", "sentences"),
    [
        ([], None, [], ["There were no posts of patients."]),
        (FACES[:1], None, [], ["Faces of 1 post of patients: 1 (100%) red, 0 (0%) white, 0 (0%) green."]),
        (
            FACES,
            red(4),
            [red(4), red(6), replace(red(1), heard=[])],
            [
                "Faces of 4 posts of patients: 2 (50%) red, 1 (25%) white, 1 (25%) green.",
                "In the week before 40% were red.",
            ],
        ),
        (
            FACES,
            red(9, ago=5),
            [red(4), red(6), red(5)],
            [
                "Faces of 4 posts of patients: 2 (50%) red, 1 (25%) white, 1 (25%) green.",
                "From Mon 5 Oct to Sun 11 Oct 2026 90% were red; in the 3 weeks before 40% to 60%, 50% in the middle.",
            ],
        ),
    ],
)
def test_mood_in_words(posts: list[Heard], before: Figures | None, weeks: list[Figures], sentences: list[str]) -> None:
    found = section("mood", heard=posts, before=before, weeks=weeks).sentences
    assert list(found[:-1]) == sentences
    assert "orders nothing" in found[-1]


def test_mood_of_a_quarter_is_by_week() -> None:
    quarter = named("2026-Q3", CHICAGO)  # 1 July is a Wednesday
    posts = [heard(heard_at=quarter.since), heard(heard_at=quarter.until - MINUTE)]
    found = section("mood", span=quarter, heard=posts)
    assert found.tables[0].header[0] == "Week from"
    assert [row[0] for row in rows(found)][:2] == ["Wed 1 Jul", "Mon 6 Jul"]
    assert [row[4] for row in rows(found)] == [1, *[0] * 12, 1, 2]


def test_journey() -> None:
    posts = [
        *[heard(stage="waiting")] * 3, heard(stage="arrival", categories=["waiting", "food"]), heard(stage=None),
        heard(stage="stay", categories=[]), heard(stage="waiting", kind="praise"), heard(stage="moon", categories=["food"]),
    ]  # fmt: skip
    found = section("journey", heard=posts)
    assert found.tables[0].header == (
        "Topic", "Booking", "Arrival", "Waiting", "Treatment", "Stay", "Discharge", "After", "Not said", "All",
    )  # fmt: skip
    assert rows(found) == [
        ("Waiting", 0, 1, 3, 0, 0, 0, 0, 1, 5),
        ("Food", 0, 1, 0, 0, 0, 0, 0, 1, 2),
        ("No topic named", 0, 0, 0, 0, 1, 0, 0, 0, 1),
    ]
    assert found.sentences == (
        "Most often it was Waiting at the stage “waiting”: 3 complaints.",
        "2 of 7 complaints do not say at which stage of the visit it was.",
    )
    assert found.tables[0].chart.values == [
        [0, 1, 3, 0, 0, 0, 0, 1],
        [0, 1, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 1, 0, 0, 0],
    ]


@pytest.mark.parametrize(
    ("posts", "sentences"),
    [
        ([], ("There were no complaints.",)),
        (
            [heard(stage="stay")],
            (
                "At no stage was a topic complained about twice.",
                "Every complaint says at which stage of the visit it was.",
            ),
        ),
        (
            [heard()] * 2 + [heard(stage="stay")],
            (
                "At no stage was a topic complained about twice.",
                "2 of 3 complaints do not say at which stage of the visit it was.",
            ),
        ),
        (
            [heard(categories=[])],
            (
                "At no stage was a topic complained about twice.",
                "No complaint says at which stage of the visit it was.",
            ),
        ),
    ],
)
def test_journey_in_words(posts: list[Heard], sentences: tuple[str, ...]) -> None:
    assert section("journey", heard=posts).sentences == sentences


def test_one_complaint_does_not_say() -> None:
    found = section("journey", heard=[heard(), heard(stage="stay")]).sentences
    assert found[1] == "1 of 2 complaints does not say at which stage of the visit it was."


def test_a_journey_with_many_topics() -> None:
    posts = [heard(categories=[f"topic{number:02}"], stage="stay") for number in range(20) for _ in range(30 - number)]
    found = rows(section("journey", heard=[*posts, heard(categories=[])]))
    assert [row[0] for row in found][14:] == ["Topic14", "Other topics", "No topic named"]
    assert [row[-1] for row in found][14:] == [16, 15 + 14 + 13 + 12 + 11, 1]


def texts(*said: str, first: int = 1) -> list[tuple[int, str]]:
    return list(enumerate(said, first))


BEFORE = texts(*(f"the food was cold on day {number}, the nurse kind" for number in range(40)), first=1000)


def test_what_rose() -> None:
    """Every second post of this week is in the sample, and every fourth of the two before."""
    said = [f"elevator stuck. {chr(97 + number)}" for number in range(8)] + [
        "all fine. x",
        "all fine. y",
        "ok. z",
        "ok. w",
    ]
    before = [*BEFORE[:36], *texts(*["the elevator, slow"] * 4, first=2000)]
    posts, weeks = [HEARD] * 24 + [heard(deleted=True)] * 9, [replace(week(), heard=[HEARD] * 80)] * 2
    found = section("rose", heard=posts, weeks=weeks, words=Words(texts(*said), before))
    assert rows(found) == [("elevator stuck", 16, 0, "elevator stuck. a")]
    assert found.sentences[0] == "New or up: “elevator stuck” (16 posts, none before)."
    up = Words(texts(*[f"elevator. {chr(97 + number)}" for number in range(12)]), before)
    found = section("rose", heard=posts, weeks=weeks, words=up)
    assert rows(found)[0][:3] == ("elevator", 24, 8.0)  # 4 of 40 texts, of 80 posts a week
    assert found.sentences[0] == "New or up: “elevator” (24 posts, usually 8.0)."


@pytest.mark.parametrize(
    ("now", "before", "sentence"),
    [
        ([], [], "There are too few posts before to tell what rose."),
        (texts("elevator.") * 9, BEFORE[:29], "There are too few posts before to tell what rose."),
        ([], BEFORE, "No words rose by more than chance explains."),
        (texts("elevator."), BEFORE, "No words rose by more than chance explains."),
    ],
)
def test_when_nothing_rose(now: list[tuple[int, str]], before: list[tuple[int, str]], sentence: str) -> None:
    found = section("rose", heard=[HEARD], weeks=[week("food")], words=Words(now, before))
    assert (found.sentences[0], rows(found)) == (sentence, [])


def test_examples_of_what_rose_are_short_and_not_one_twice() -> None:
    fits = "elevator.\ngarage. " + "all day long, " * 8
    said = [fits, *(f"{word}.\n{letter} {'very ' * 60}" for word in ("elevator", "garage") for letter in "abcdefgh")]
    found = rows(section("rose", heard=[HEARD] * 17, weeks=[week("food")], words=Words(texts(*said), BEFORE)))
    assert [row[0] for row in found] == ["elevator", "garage"]
    assert found[0][3].startswith("elevator. garage. all day long")
    assert found[1][3].startswith("garage. a very")
    assert all(len(row[3]) <= 160 for row in found)


def at(site: str | None, count: int, *departments: str, **said: Any) -> list[Heard]:
    return [heard(site=site, departments=departments, **said)] * count


@pytest.mark.parametrize(
    ("posts", "sites"),
    [
        ([], []),
        (at(None, 2), [("Elsewhere, or not said", 2), ("All", 2)]),
        (at("Harbor", 4), [("Elsewhere, or not said", 4), ("All", 4)]),
        (at("Harbor", 5), [("Harbor", 5), ("All", 5)]),
        (at("Harbor", 9) + at("Lake", 6), [("Harbor", 9), ("Lake", 6), ("All", 15)]),
        # Lake alone, or two of it beside one of nowhere, could be reckoned.
        (at("Harbor", 9) + at("Lake", 4), [("Elsewhere, or not said", 13), ("All", 13)]),
        (at("Harbor", 9) + at("Lake", 2) + at(None, 1), [("Elsewhere, or not said", 12), ("All", 12)]),
        (
            at("Harbor", 9) + at("Bay", 7) + at("Lake", 4),
            [("Harbor", 9), ("Elsewhere, or not said", 11), ("All", 20)],
        ),
        (
            at("Harbor", 9) + at("Lake", 2) + at(None, 3),
            [("Harbor", 9), ("Elsewhere, or not said", 5), ("All", 14)],
        ),
        (
            at("Harbor", 9) + at("Lake", 4) + at("שער 🏥", 1),
            [("Harbor", 9), ("Elsewhere, or not said", 5), ("All", 14)],
        ),
        (
            at("Harbor", 9) + at("Bay", 5) + at("Lake", 3) + at("East", 1),
            [("Harbor", 9), ("Elsewhere, or not said", 9), ("All", 18)],
        ),
    ],
)
def test_sites(posts: list[Heard], sites: list[tuple[str, int]]) -> None:
    assert [(row[0], row[5]) for row in rows(section("places", heard=posts))] == sites


def test_what_was_said_at_a_place() -> None:
    posts = [
        *at("Harbor", 5), *at("Harbor", 4, kind="praise"), *at("Harbor", 2, kind="question"), *at("Harbor", 1, kind=None),
        *at("Lake", 4), *at("Lake", 3, categories=["food"]), *at("Lake", 2, voice="news"),
    ]  # fmt: skip
    found = section("places", heard=posts)
    assert found.tables[0].header == (
        "Site", "Complaints", "Praise", "Questions", "Remarks", "All", "Most complained about",
    )  # fmt: skip
    assert rows(found) == [
        ("Harbor", 5, 4, 2, 1, 12, "Waiting (5)"),
        ("Lake", 7, 0, 0, 0, 7, ""),
        ("All", 12, 4, 2, 1, 19, "Waiting (9)"),
    ]


def test_a_post_may_name_several_departments() -> None:
    posts = [
        *at("Harbor", 6, "Emergency", "Imaging"), *at("Harbor", 1, "Imaging", "Imaging"), *at("Harbor", 3, "Pharmacy"),
        *at("Harbor", 3),
    ]  # fmt: skip
    found = section("places", heard=posts)
    assert [(row[0], row[5]) for row in found.tables[1].rows] == [
        ("Imaging", 7), ("Emergency", 6), ("Elsewhere, or not said", 6),
    ]  # fmt: skip
    assert found.sentences[:2] == (
        "The site with the most complaints is Harbor: 13 of 13.",
        "The department with the most complaints is Imaging: 7 of 13.",
    )
    assert (found.tables[1].chart.labels, found.tables[1].chart.values) == (["Imaging", "Emergency"], [7, 6])


@pytest.mark.parametrize(
    ("posts", "sentence"),
    [
        ([], "There were no posts of patients."),
        (at("Harbor", 4), "No place was named in enough posts with a complaint to tell of it."),
        (at("Harbor", 9, kind="praise"), "No place was named in enough posts with a complaint to tell of it."),
    ],
)
def test_places_in_words(posts: list[Heard], sentence: str) -> None:
    assert section("places", heard=posts).sentences[0] == sentence


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
