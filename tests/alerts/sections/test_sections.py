"""Each section of the weekly summary: from figures to sentences and rows."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from conftest import NOW, PROJECT
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.case import Case
from alerts.figures import Ended, Figures, Heard, Reopened, Spiked, Words
from alerts.report import known_sections
from alerts.section import Section, Share, shown
from alerts.sections.areas import places
from alerts.sections.reply_times import in_time, median, nine_in_ten
from alerts.span import named
from alerts.spikes import Spike
from alerts.tuning import Change
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
    1, "x", "x", SINCE, voice="patient", kind="complaint", categories=("waiting",), mood=-0.5, urgency="routine",
    redacted_text="w", outcome="alert", reason="r", case_id=1, card_sent=True,
)  # fmt: skip


def heard(**changes: Any) -> Heard:
    return replace(HEARD, **changes)


def case(urgency: str = "routine", answered: int | None = None, due: int = 60, **fields: Any) -> Case:
    """A case of a post at midnight on Monday; minutes after it."""
    given = {
        "mention_id": 1, "source": "x", "opened_at": SINCE, "clock_from": SINCE, "due_at": SINCE + due * MINUTE,
        "answered_at": None if answered is None else SINCE + answered * MINUTE,
    }  # fmt: skip
    return Case(thread="1", channel="care", urgency=urgency, **(given | fields))


def rows(found: Section) -> list[tuple[Any, ...]]:
    """Of its first table."""
    return list(found.tables[0].rows)


def table(name: str, of: str, **changes: Any) -> Any:
    """One table of a section, by its name."""
    return next(found for found in section(name, **changes).tables if found.name == of)


def section(name: str, **changes: Any) -> Any:
    return known_sections()[name](replace(FIGURES, **changes))


def test_each_file_is_a_section() -> None:
    files = {path.stem for path in (PROJECT / "alerts" / "sections").glob("*.py")} - {"__init__"}
    assert set(known_sections()) == files
    assert {"headline", "volume", "reply_times", "ledger"} <= files


@pytest.mark.parametrize("name", known_sections())
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


@settings(max_examples=30)
@given(st.lists(SAID, max_size=8), st.integers(1, 4), st.integers(0, 8), st.sampled_from(["2026-W46", "2026-11"]))
def test_whatever_was_said(said: list[Heard], times: int, before: int, name: str) -> None:
    """Every section tells it, every row fits its header, and places with few posts are not told."""
    posts, weeks = said * times, [replace(FIGURES, heard=said[number:]) for number in range(before)]
    words = Words(texts(*(post.redacted_text for post in posts)), BEFORE)
    everything = replace(
        FIGURES, span=named(name, CHICAGO), heard=posts, words=words, weeks=weeks, before=weeks[0] if weeks else None
    )
    for told in known_sections().values():
        found = told(everything)
        assert all(found.sentences)
        assert all(len(row) == len(table.header) for table in found.tables for row in table.rows)
    places = known_sections()["places"](everything).tables[0].rows
    assert sum(row[1] for row in places[:-1]) == len(everything.complaints)  # type: ignore[misc]
    assert all(row[1] >= 5 for row in places[:-1] if row[0] != "Elsewhere, or not said")  # type: ignore[operator]


NO_CASE = "No case needed an answer."


def weeks(*counts: int, **changes: Any) -> list[Figures]:
    """Weeks before with so many posts each."""
    return [replace(FIGURES, heard=[heard(**changes)] * count) for count in counts]


@pytest.mark.parametrize(
    ("posts", "sentence"),
    [
        ([], "0 posts were heard."),
        ([heard(voice="news")], "1 post was heard, none of them by patients or visitors."),
        ([heard()], "1 post was heard, 1 of them by a patient or visitor: 1 complaint, 0 with praise."),
        (
            [heard(), heard(), heard(kind="praise"), heard(kind="question"), heard(voice="news", kind=None)],
            "5 posts were heard, 4 of them by patients and visitors: 2 complaints, 1 with praise.",
        ),
    ],
)
def test_headline_how_much(posts: list[Heard], sentence: str) -> None:
    assert section("headline", heard=posts).sentences[0] == sentence


@pytest.mark.parametrize(
    ("changes", "compared"),
    [
        ({}, ""),
        ({"before": replace(FIGURES, heard=[HEARD] * 7)}, " (7 in the week before)"),
        ({"before": FIGURES}, ""),
        ({"weeks": weeks(1, 2)}, ""),
        ({"weeks": weeks(4, 2, 3)}, " (usually 2 to 4)"),
        ({"weeks": weeks(3, 2, 1)}, " (usually 1 to 3)"),
        ({"weeks": weeks(3, 4, 5)}, " (usually 3 to 5)"),
        ({"weeks": weeks(2, 0, 1)}, " (more than in any of the 3 weeks before: at most 2)"),
        ({"weeks": weeks(9, 4, 5, 6)}, " (fewer than in any of the 4 weeks before: at least 4)"),
        ({"weeks": weeks(9, 4, 5, 6), "span": named("2026-10", CHICAGO)}, ""),
        ({"weeks": weeks(9, 4, 5, 6), "now": NOW - timedelta(days=1)}, " so far"),  # the week is not over
    ],
)
def test_headline_against_what_is_usual(changes: Any, compared: str) -> None:
    first = section("headline", heard=[heard(voice="news")] * 3, **changes).sentences[0]
    assert first == f"3 posts were heard{compared}, none of them by patients or visitors."


WAITING, FOOD = heard(), heard(categories=("food",))


@pytest.mark.parametrize(
    ("posts", "before", "sentence"),
    [
        ([], (), "There were no complaints."),
        ([heard(categories=())], (), "The one complaint named no topic that we look for."),
        ([heard(categories=())] * 2, (), "None of the complaints named a topic that we look for."),
        ([WAITING], (), "The one complaint was about waiting."),
        ([WAITING, WAITING, FOOD], (), "People complained most about waiting (2 of 3 complaints)."),
        ([heard(categories=("gone_topic",))] * 2, (), "People complained most about gone topic (2 of 2 complaints)."),
        (
            [*[WAITING] * 6, *[FOOD] * 5],
            weeks(4, 4, 9),
            "People complained most about waiting (6 of 11 complaints); what rose more than chance explains is food (5, usually 0).",
        ),
        (
            [WAITING] * 26,
            weeks(4, 4, 9),
            "People complained most about waiting (26 of 26 complaints), more than chance explains (usually 4).",
        ),
        (
            [*[WAITING] * 6, *[FOOD] * 4],
            weeks(5, 4, 5),
            "People complained most about waiting (6 of 10 complaints); no topic rose more than chance explains.",
        ),
        ([WAITING] * 6, (), "People complained most about waiting (6 of 6 complaints)."),
    ],
)
def test_headline_what_about(posts: list[Heard], before: Any, sentence: str) -> None:
    assert section("headline", heard=posts, weeks=before).sentences[1] == sentence


@pytest.mark.parametrize(
    ("cases", "before", "sentence"),
    [
        ([], [], NO_CASE),
        ([case(state="dismissed"), case(state="closed", outcome="no_answer")], [case(answered=4)], NO_CASE),
        ([case()], [], "The one case that needed an answer was not answered in public yet."),
        ([case(), case()], [], "None of 2 cases that needed an answer was answered in public yet."),
        ([case(answered=4)], [], "The one case that needed an answer was answered in public, after 4 min."),
        (
            [case(answered=4), case(answered=10), case(), case(state="dismissed")],
            [case(answered=30), case()],
            "2 of 3 cases that needed an answer were answered in public, half of them within 7 min "
            "(30 min in the week before).",
        ),
        (
            [case("danger", answered=4)],
            [],
            "The one case that needed an answer was answered in public, after 4 min; 1 case was read as danger.",
        ),
        ([case("danger", state="dismissed")] * 2, [], "No case needed an answer; 2 cases were read as danger."),
    ],
)
def test_headline_how_fast(cases: list[Case], before: list[Case], sentence: str) -> None:
    found = section("headline", cases=cases, before=replace(FIGURES, cases=before))
    assert found.title == "The week in three sentences"
    assert len(found.sentences) == 3
    assert found.sentences[2] == sentence


def test_volume() -> None:
    late_sunday = SINCE + timedelta(days=6, hours=23, minutes=59)
    posts = [heard(), heard(source="reddit"), heard(heard_at=late_sunday), heard(heard_at=SINCE + timedelta(days=2))]
    found = section("volume", heard=posts, before=replace(FIGURES, heard=[HEARD] * 2))
    assert found.tables[0].header == ("Day", "X", "Reddit", "All")
    assert rows(found) == [
        ("Mon 9 Nov", 1, 1, 2), ("Tue 10 Nov", 0, 0, 0), ("Wed 11 Nov", 1, 0, 1), ("Thu 12 Nov", 0, 0, 0),
        ("Fri 13 Nov", 0, 0, 0), ("Sat 14 Nov", 0, 0, 0), ("Sun 15 Nov", 1, 0, 1), ("All", 3, 1, 4),
    ]  # fmt: skip
    assert found.sentences == ("4 posts; 2 in the week before.",)


def test_of_a_quarter_the_weeks_are_told() -> None:
    """It begins on a Wednesday: 1 to 5 July are what it has of that week."""
    quarter = named("2026-Q3", CHICAGO)
    at = [quarter.since + timedelta(days=day, hours=23) for day in (0, 4, 5, 11, 91)]
    found = section("volume", span=quarter, heard=[heard(heard_at=moment) for moment in at])
    assert found.tables[0].header == ("Week from", "X", "All")
    assert [row for row in rows(found) if row[1]] == [
        ("Wed 1 Jul", 2, 2), ("Mon 6 Jul", 2, 2), ("Mon 28 Sep", 1, 1), ("All", 5, 5),
    ]  # fmt: skip
    assert len(rows(found)) == 15
    assert found.tables[0].chart.usual == ()
    assert found.tables[0].chart.alt == "Posts by week and place: 5 in all, the most in the week from Wed 1 Jul (2)."


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
        ("Waiting", 2, 1, "1–1", 1, "too few to tell", 0, "Operations"),
        ("Food", 1, 0, "0–0", 1, "too few to tell", 1, ""),
        ("Own topic", 1, 0, "0–0", 1, "too few to tell", 0, ""),
        ("Parking", 0, 0.5, "0–1", -0.5, "too few to tell", 0, ""),
        ("No topic named", 1, 0, "0–0", 1, "too few to tell", 0, ""),
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


def test_the_headline_names_what_rose_most() -> None:
    posts = [heard(categories=[name]) for name in ["food"] * 60 + ["parking"] * 55]
    assert section("headline", heard=posts, weeks=EIGHT).sentences[1] == (
        "People complained most about food (60 of 115 complaints); "
        "what rose more than chance explains is parking (55, usually 0)."
    )


def test_a_week_that_was_heard_in_part_is_not_usual() -> None:
    """Listening began on its Thursday, be it the latest week before or the eighth; a week that was quiet until then is one."""
    late = [replace(one, heard=[heard(heard_at=one.since + timedelta(days=3))]) for one in EIGHT]
    late = [replace(one, began=one.since + timedelta(days=3)) for one in late]
    assert rows(section("categories", heard=[HEARD], weeks=late[:1]))[0][2:6] == (0, "Operations")
    assert rows(section("categories", heard=[HEARD], weeks=[EIGHT[0], late[1]]))[0] == (
        "Waiting", 1, 3, "3–3", -2, "too few to tell", 0, "Operations",
    )  # fmt: skip
    late[-1] = replace(late[-1], heard=[*late[-1].heard, *late[-1].heard])
    assert rows(section("categories", heard=[HEARD], weeks=late))[0][3] == "1–1"
    late[-1] = replace(late[-1], began=None)
    assert rows(section("categories", heard=[HEARD], weeks=late))[0][3] == "1–2"


def test_a_month_is_compared_with_the_month_before() -> None:
    october = named("2026-10", CHICAGO)
    before = replace(FIGURES, span=october.before, heard=[heard(heard_at=october.before.since)] * 4)
    posts = [heard(heard_at=october.since)] * 30
    found = section("categories", span=october, heard=posts, before=before, weeks=EIGHT)
    assert found.tables[0].header[:5] == ("Topic", "Complaints", "Before", "Change", "Chance")
    assert rows(found)[0][:5] == ("Waiting", 30, 4, 26, "more than chance")
    assert found.sentences[0] == "More than chance: Waiting (30, before 4)."
    late = replace(before, began=before.span.since + timedelta(days=5))
    found = section("categories", span=october, heard=posts, before=late)
    assert rows(found)[0] == ("Waiting", 30, 0, "Operations")


def test_a_week_beside_one_that_was_chosen() -> None:
    chosen = week("waiting", "waiting", ago=5)
    found = section("categories", heard=[HEARD], before=chosen, weeks=EIGHT)
    assert rows(found) == [("Waiting", 1, 2, -1, "too few to tell", 0, "Operations")]


def test_topics_as_a_chart() -> None:
    chart = section("categories", heard=[heard(), heard(kind="praise", categories=["food"])], weeks=[week("parking")]).tables[0].chart  # fmt: skip
    assert (chart.labels, chart.values) == (["Waiting", "Parking"], [1, 0])
    assert [usual.middle for usual in chart.usual] == [0, 1]
    assert section("categories", heard=[]).tables[0].chart is None


def test_a_chart_of_many_topics_shows_the_most_and_what_changed() -> None:
    posts = [heard(categories=[f"topic{number:02}"]) for number in range(14) for _ in range(30 - number)]
    steady = [
        week(*(f"topic{number:02}" for number in range(13) for _ in range(30 - number)), ago=ago) for ago in range(1, 9)
    ]
    chart = section("categories", heard=posts, weeks=steady).tables[0].chart
    assert [name[-2:] for name in chart.labels] == [*(f"{number:02}" for number in range(10)), "13"]


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
        ("Unhappy", "bad", 2), ("Neither", "plain", 1), ("Happy", "good", 1),
    ]  # fmt: skip
    assert chart.whole


def red(of_ten: int, ago: int = 1) -> Figures:
    return replace(week(ago=ago), heard=[heard(mood=-1.0)] * of_ten + [heard(mood=1.0)] * (10 - of_ten))


@pytest.mark.parametrize(
    ("posts", "before", "weeks", "sentences"),
    [
        ([], None, [], ["There were no posts of patients."]),
        (FACES[:1], None, [], ["1 post of patients: 1 (100%) unhappy, 0 (0%) neither, 0 (0%) happy."]),
        (
            FACES,
            red(4),
            [red(4), red(6), replace(red(1), heard=[])],
            [
                "4 posts of patients: 2 (50%) unhappy, 1 (25%) neither, 1 (25%) happy.",
                "In the week before 40% were unhappy.",
            ],
        ),
        (
            FACES,
            red(9, ago=5),
            [red(4), red(6), red(5)],
            [
                "4 posts of patients: 2 (50%) unhappy, 1 (25%) neither, 1 (25%) happy.",
                "From Mon 5 Oct to Sun 11 Oct 2026 90% were unhappy; in the 3 weeks before 40% to 60%, 50% in the middle.",
            ],
        ),
    ],
)
def test_mood_in_words(posts: list[Heard], before: Figures | None, weeks: list[Figures], sentences: list[str]) -> None:
    found = section("mood", heard=posts, before=before, weeks=weeks).sentences
    assert list(found[:-1]) == sentences
    assert "orders nothing" in found[-1]


def test_what_is_not_over_is_compared_with_nothing() -> None:
    """On its first morning every week is quiet, and no topic is complained about."""
    early = {
        "heard": [heard()] * 2,
        "weeks": weeks(42, 42, 42, 42),
        "before": week(*["waiting"] * 42),
        "now": SINCE + timedelta(hours=9),
    }
    assert section("volume", **early).sentences == ("2 posts so far: the week is not over.",)
    assert section("categories", **early).tables[0].header == ("Topic", "Complaints", "Praise", "Owner")
    assert "chance" not in " ".join(section("headline", **early).sentences)
    month = {**early, "span": named("2026-11", CHICAGO)}
    assert section("categories", **month).tables[0].header == ("Topic", "Complaints", "Praise", "Owner")


@pytest.mark.parametrize(
    ("span", "title", "before"),
    [
        ("2026-11-09-to-2026-11-12", "The 4 days in three sentences", "In the 4 days before 100% were unhappy."),
        ("2026-11-09-to-2026-11-09", "The day in three sentences", "In the day before 100% were unhappy."),
    ],
)
def test_some_days_are_called_so(span: str, title: str, before: str) -> None:
    these = named(span, CHICAGO)
    changes = {"span": these, "heard": [HEARD], "before": replace(FIGURES, span=these.before, heard=[HEARD])}
    assert section("headline", **changes).title == title
    assert before in section("mood", **changes).sentences


@pytest.mark.parametrize(("span", "said"), [("2026-W46", "usually 0.5"), ("2026-10", "before 10")])
def test_the_headline_says_what_was_before_as_the_table_does(span: str, said: str) -> None:
    these = named(span, CHICAGO)
    before = replace(FIGURES, span=these.before, heard=[heard(heard_at=these.before.since)] * 10)
    changes = {"span": these, "heard": [heard()] * 90, "before": before, "weeks": weeks(0, 1, 0, 1)}
    assert f"({said})" in section("headline", **changes).sentences[1]
    assert f"90, {said})" in section("categories", **changes).sentences[0]


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
    once = Words(up.now, [*BEFORE[:39], *texts("the elevator, slow", first=2000)])
    found = section("rose", heard=posts, weeks=[replace(week(), heard=[HEARD])], words=once)
    assert found.sentences[0] == "New or up: “elevator” (24 posts, hardly any before)."


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


def test_what_was_deleted_before_is_not_usual() -> None:
    """80 posts a week, each of which a text stands for, and as many that their authors deleted."""
    weeks = [week(*["food"] * 80, ago=ago) for ago in (1, 2)]
    weeks = [replace(one, heard=[*one.heard, *(replace(post, deleted=True) for post in one.heard)]) for one in weeks]
    words = Words(texts(*["elevator."] * 12), [*BEFORE[:36], *texts(*["the elevator, slow"] * 4, first=2000)])
    assert rows(section("rose", heard=[HEARD] * 12, weeks=weeks, words=words))[0][:3] == ("elevator", 12, 8.0)


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
    assert [row[:2] for row in rows(section("places", heard=posts))] == sites


def test_what_was_said_at_a_place() -> None:
    posts = [
        *at("Harbor", 5), *at("Harbor", 4, kind="praise"), *at("Harbor", 2, kind="question"), *at("Harbor", 1, kind=None),
        *at("Lake", 4), *at("Lake", 3, categories=["food"]), *at("Lake", 2, voice="news"),
    ]  # fmt: skip
    found = section("places", heard=posts)
    assert found.tables[0].header == ("Site", "Complaints", "Most complained about")
    assert rows(found) == [("Lake", 7, ""), ("Harbor", 5, "Waiting (5)"), ("All", 12, "Waiting (9)")]


def test_few_complaints_are_not_told_by_place_however_much_else_is_said_there() -> None:
    posts = [
        *at("Harbor", 1, "ICU"), *at("Harbor", 6, "ICU", kind="praise"), *at("Harbor", 4, "Imaging"),
        *at("Harbor", 9, "Imaging", kind="question"), *at("Lake", 6, "Emergency"), *at("Lake", 1, "Emergency", kind=None),
    ]  # fmt: skip
    found = section("places", heard=posts)
    assert rows(found) == [("Lake", 6, "Waiting (6)"), ("Harbor", 5, "Waiting (5)"), ("All", 11, "Waiting (11)")]
    assert [row[:2] for row in found.tables[1].rows] == [("Emergency", 6), ("Elsewhere, or not said", 5)]
    assert found.tables[1].chart is None, "it would tell of one department"
    assert found.sentences[1] == "The department with the most complaints is Emergency: 6 of 11."


def test_a_post_may_name_several_departments() -> None:
    posts = [
        *at("Harbor", 6, "Emergency", "Imaging"), *at("Harbor", 1, "Imaging", "Imaging"), *at("Harbor", 3, "Pharmacy"),
        *at("Harbor", 3),
    ]  # fmt: skip
    found = section("places", heard=posts)
    assert [row[:2] for row in found.tables[1].rows] == [
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
        (
            at("Harbor", 1) + at("Harbor", 4, kind="praise"),
            "No place was named in enough posts with a complaint to tell of it.",
        ),
    ],
)
def test_places_in_words(posts: list[Heard], sentence: str) -> None:
    assert section("places", heard=posts).sentences[0] == sentence


def test_reply_times() -> None:
    cases = [
        case("danger", 3, due=5), case("danger", 9, due=5), case("danger", due=5),
        case("routine", 60), case("low", 61), case("none"), case("routine", state="dismissed"),
    ]  # fmt: skip
    found = section("reply_times", cases=cases)
    assert rows(found) == [
        ("Danger", 5 * MINUTE, 3, 2, 6 * MINUTE, 9 * MINUTE, Share(1, 3)),
        ("Here now", 15 * MINUTE, 0, 0, None, None, Share(0, 0)),
        ("Serious", 15 * MINUTE, 0, 0, None, None, Share(0, 0)),
        ("To answer", 60 * MINUTE, 4, 2, 60.5 * MINUTE, 61 * MINUTE, Share(1, 3)),
    ]
    assert found.sentences[0] == (
        "Of 6 cases that needed an answer, 2 (33%) had one within 15 minutes, the time that Southwest Airlines aims at."
    )


def test_reply_times_without_a_case() -> None:
    found = section("reply_times", cases=[])
    assert found.sentences[0] == "No case needed an answer. Southwest Airlines aims at 15 minutes."
    assert [table.name for table in found.tables] == ["reply_times"]


@pytest.mark.parametrize(
    ("one", "share"),
    [
        (case(answered=60, due=60), Share(1, 1)),
        (case(answered=61, due=60), Share(0, 1)),
        (case(due=60), Share(0, 1)),  # long over
        (case(clock_from=NOW, due_at=NOW + MINUTE), Share(0, 0)),  # there is time left
        (case(state="closed", outcome="fixed"), Share(0, 1)),
        (case(state="closed", outcome="no_answer"), Share(0, 0)),
        (case(state="dismissed"), Share(0, 0)),
        (case(state="closed", outcome="no_answer", answered=3), Share(1, 1)),
        # Its target moves on while it is snoozed.
        (case(due=60, snoozed_at=SINCE + 50 * MINUTE, snoozed_until=NOW), Share(0, 0)),
        (case(due=60, snoozed_at=SINCE + 50 * MINUTE, snoozed_until=NOW - 20 * MINUTE), Share(0, 1)),
    ],
)
def test_what_counts_as_in_time(one: Case, share: Share) -> None:
    assert in_time([one], NOW) == share


def test_what_became_of_the_cases() -> None:
    cases = [
        case(answered=1), case(answered=2, state="closed", outcome="fixed"), case(), case(state="claimed"),
        case(state="closed", outcome="fixed"), case(state="closed", outcome="no_answer"), case(state="dismissed"),
    ]  # fmt: skip
    assert table("reply_times", "case_ends", cases=cases).rows == [
        ("Answered", 2), ("Still waiting", 2), ("Closed without an answer", 1), ("Needed no answer", 2), ("All", 7),
    ]  # fmt: skip


def test_reply_times_by_the_hour_of_the_post() -> None:
    def posted(hour: int, answered: int | None = None, due: int = 60) -> Case:
        at = SINCE + timedelta(hours=hour)
        return case(clock_from=at, due_at=at + due * MINUTE, answered_at=at + answered * MINUTE if answered else None)

    cases = [posted(0, 10), posted(2, 70), posted(3), posted(23, 5), posted(24 + 23, 9), case(state="dismissed")]
    found = table("reply_times", "reply_times_by_hour", cases=cases)
    assert found.rows[0] == ("0–3", 3, 2, 40 * MINUTE, 1, 1, Share(1, 2))
    assert found.rows[1] == ("3–6", 1, 0, None, 0, 1, Share(0, 1))
    assert found.rows[7] == ("21–24", 2, 2, 7 * MINUTE, 2, 0, Share(2, 2))
    assert len(found.rows) == 8
    assert [series.values for series in found.chart.series] == [[1, 0, 0, 0, 0, 0, 0, 2], [1, 1, 0, 0, 0, 0, 0, 0]]
    assert found.chart.alt == (
        "Cases by the hour of the post: 3 answered in time, 2 not, the most of these at 0–3 h (1)."
    )


def test_the_list_of_what_was_never_answered() -> None:
    cases = [
        case(id=4, clock_from=NOW - 3 * MINUTE),
        case(id=5, clock_from=NOW - 9 * MINUTE, topics=["food", "waiting"]),
        case("serious", id=6, clock_from=NOW - 2 * MINUTE, source="reddit", mention_id=99),
        case(id=7, state="closed", outcome="fixed", clock_from=SINCE, closed_at=SINCE + 2 * MINUTE),
        case("danger", id=8, clock_from=NOW - MINUTE),
        case(id=9, answered=1), case(id=10, state="dismissed"), case(id=11, state="closed", outcome="no_answer"),
    ]  # fmt: skip
    found = table("reply_times", "never_answered", cases=cases, heard=[HEARD])
    assert found.title == "Not answered (5)"
    assert found.rows == [
        ("8", "Danger", None, None, "waiting", MINUTE),
        ("6", "Serious", "No topic named", "Reddit", "waiting", 2 * MINUTE),
        ("7", "To answer", "Waiting", "X", "closed", 2 * MINUTE),
        ("5", "To answer", "Food, Waiting", "X", "waiting", 9 * MINUTE),
        ("4", "To answer", "Waiting", "X", "waiting", 3 * MINUTE),
    ]


def test_a_long_list_is_cut_and_says_so() -> None:
    found = table("reply_times", "never_answered", cases=[case("danger", id=n) for n in range(23)], heard=[HEARD])
    assert found.rows[0] == ("0", "Danger", "Waiting", "X", "waiting", timedelta(days=7, hours=9)), (
        "23 are too many to tell who it was"
    )
    assert (len(found.rows), found.title) == (10, "Not answered: 10 of 23, the most urgent first")
    assert len(table("reply_times", "never_answered", cases=[case()] * 10).rows) == 10


@pytest.mark.parametrize(
    ("minutes", "most"),
    [([7], 7), ([1, 9], 9), (range(1, 11), 9), (range(1, 12), 10), (range(20, 0, -1), 18), ([5, 5, 5], 5)],
)
def test_nine_in_ten(minutes: list[int], most: int) -> None:
    assert nine_in_ten([number * MINUTE for number in minutes]) == most * MINUTE


@pytest.mark.parametrize(("minutes", "middle"), [([5], 5), ([9, 1, 5], 5), ([1, 3], 2), ([1, 2, 4, 100], 3)])
def test_median(minutes: list[int], middle: float) -> None:
    assert median([number * MINUTE for number in minutes]) == middle * MINUTE


def test_praise_is_short_and_recent() -> None:
    posts = [heard(kind="praise", redacted_text=f"thanks {n}\n" + "so kind " * 99) for n in range(12)]
    gone = heard(kind="praise", deleted=True, redacted_text="gone")
    found = section("praise", heard=[*posts, gone, heard(kind="praise", redacted_text=""), HEARD])
    assert found.sentences == ("14 posts with praise.",)
    assert [row[2].split(" so")[0] for row in rows(found)] == [f"thanks {n}" for n in (11, 10, 9, 8, 7, 6)]
    assert all(len(row[2]) <= 160 and "\n" not in row[2] for row in rows(found))
    assert [table.name for table in found.tables] == ["praise"], "it names nobody and no place"


def praise(number: int = 1, **changes: Any) -> Heard:
    return heard(mention_id=number, kind="praise", **changes)


@pytest.mark.parametrize(
    ("posts", "sentences"),
    [
        ([], ("0 posts with praise.",)),
        ([praise()], ("1 post with praise.",)),
        ([praise(staff=("Amy",))], ("1 post with praise.", "None was passed on to the recognition channel.")),
        (
            [praise(7, staff=("Amy",)), praise(2)],
            ("2 posts with praise.", "1 named a person or a department and was passed on to the recognition channel."),
        ),
        (  # 9 was passed on too, and is no praise as it reads now
            [praise(7, departments=("ICU",)), praise(8, staff=("Amy",)), heard(mention_id=9)],
            ("2 posts with praise.", "2 named a person or a department and were passed on to the recognition channel."),
        ),
    ],
)
def test_praise_that_was_passed_on(posts: list[Heard], sentences: tuple[str, ...]) -> None:
    assert section("praise", heard=posts, passed_on=frozenset({7, 8, 9})).sentences == sentences


def test_who_was_praised() -> None:
    posts = [
        praise(staff=("Nurse Amy", "Dr. Chen")), praise(staff=("nurse Amy", "Nurse Amy")), praise(staff=("nurse Amy",)),
        praise(staff=("علي",)), heard(staff=("nobody",)),
    ]  # fmt: skip
    found = table("praise", "recognised", heard=posts)
    assert found.rows == [("Nurse Amy", 3), ("Dr. Chen", 1), ("علي", 1)]


@pytest.mark.parametrize(
    ("posts", "places"),
    [
        ([praise(departments=("ICU",))] * 4, None),
        ([praise(departments=("ICU",))] * 5, [("ICU", 5)]),
        ([praise(departments=("ICU",))] * 4 + [praise(site="Harbor 🏥")], None),
        (
            [praise(departments=("ICU", "ER"), site="Harbor 🏥")] * 5 + [praise(site="Harbor 🏥")] * 6 + [praise()] * 2,
            [("Harbor 🏥", 6), ("ER", 5), ("ICU", 5), ("Elsewhere, or not said", 2)],
        ),
        ([praise(departments=("ICU",))] * 5 + [praise(site="West")] * 4, None),  # West could be reckoned
        (
            [praise(departments=("ICU",))] * 6 + [praise(departments=("ER",))] * 5 + [praise(site="West")],
            [("ICU", 6), ("Elsewhere, or not said", 6)],
        ),
    ],
)
def test_where_praise_was_earned(posts: list[Heard], places: Any) -> None:
    found = [table.rows for table in section("praise", heard=posts).tables if table.name == "praise_by_place"]
    assert found == ([] if places is None else [places])


def test_ledger() -> None:
    posts = [
        heard(), heard(outcome="digest"), heard(outcome="dismiss", reason="rule 'spam': voice promo: 'apply now'"),
        heard(outcome=None, voice=None),
    ]  # fmt: skip
    gap = Gap(collector="x", since=SINCE, until=SINCE, why="too long away", found_at=SINCE)
    found = section("ledger", heard=posts, gaps=[gap])
    assert found.sentences == (
        "It does NOT add up: run call-light doctor.",
        "3 of 4 posts were reviewed (75%): 1 went to people as a card, 1 in a digest, 1 was left out for a reason.",
        "Not heard: x, too long away.",
    )
    assert rows(found) == [
        ("Collected", 4), ("Alerted", 1), ("In a digest", 1), ("Dismissed with a reason", 1),
        ("STUCK: not read", 1), ("  dismissed: rule spam", 1),
    ]  # fmt: skip
    young = section("ledger", heard=[heard(outcome=None, heard_at=NOW)])
    assert young.sentences[0] == "It adds up."
    assert young.sentences[1].startswith("0 of 1 post was reviewed (0%)")
    assert section("ledger").sentences == ("It adds up.",)
    nearly = section("ledger", heard=[heard()] * 999 + [heard(card_sent=False)])
    assert nearly.sentences[1].startswith("999 of 1,000 posts were reviewed (99%): 999 went to people as a card, 0 in")
    assert ("On the way", 1) in rows(young)


def test_where_we_listened_and_what_it_cost() -> None:
    day = SINCE.date()
    spends = [Spend(collector="x", day=day, reads=100, cost=0.5), Spend(collector="x", day=day, reads=20, cost=0.1)]
    before = replace(FIGURES, spends=[Spend(collector="x", day=day, reads=10, cost=0.05)])
    posts = [heard(collector="x"), heard(collector="x"), heard(collector="rss", voice="news"), heard(collector="rss")]
    found = section(
        "listening", heard=posts, spends=[*spends, Spend(collector="y", day=day)], before=before,
        weeks=weeks(3, 5, 9, collector="x"), collectors=["x", "rss", "off_week"],
    )  # fmt: skip
    assert found.sentences == (
        "off_week heard nothing.",
        "Listening and answering cost $0.60; $0.05 in the week before.",
        "There was no gap and no alarm.",
    )
    assert [tuple(map(shown, row)) for row in rows(found)] == [
        ("x", "2", "5", "120", "$0.60", "$0.30"),
        ("rss", "2", "0", "0", "$0.00", "$0.00"),
        ("off_week", "0", "0", "0", "$0.00", "–"),
        ("y", "0", "–", "0", "$0.00", "–"),
        ("All", "4", "–", "120", "$0.60", "$0.20"),
    ]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "No collector is switched on."),
        ({"heard": [HEARD]}, "Every collector heard something."),
        ({"heard": [HEARD], "collectors": ["x"]}, "Every collector heard something."),
        ({"collectors": ["x"]}, "x heard nothing."),
        ({"collectors": ["x"], "weeks": weeks(1, 2)}, "x heard nothing."),
        ({"collectors": ["x"], "weeks": weeks(0, 1200, 1300)}, "x heard nothing, usually 1,200 a week."),
        ({"collectors": ["x"], "weeks": weeks(0, 12, 30), "span": named("2026-Q4", CHICAGO)}, "x heard nothing."),
    ],
)
def test_who_heard_nothing(changes: Any, sentence: str) -> None:
    assert section("listening", **changes).sentences[0] == sentence


def test_when_we_were_deaf() -> None:
    over = Alarm(collector="x", kind="silent", why="x may be deaf", raised_at=SINCE, over_at=SINCE + 90 * MINUTE)
    still = Alarm(collector="rss", kind="failing", why="rss failed", raised_at=NOW - 5 * MINUTE)
    gap = Gap(collector="x", since=SINCE + MINUTE, until=SINCE + 31 * MINUTE, why="down", found_at=NOW)
    found = section("listening", alarms=[over, still], gaps=[gap])
    assert found.sentences[2] == "There were 1 gap and 2 alarms; 1 is not over."
    assert found.tables[1].rows == [
        ("x: down", "Mon 9 Nov 00:01", 30 * MINUTE, "yes"),
        ("x may be deaf", "Mon 9 Nov 00:00", 90 * MINUTE, "yes"),
        ("rss failed", "Mon 16 Nov 08:55", 5 * MINUTE, "no"),
    ]
    assert section("listening", alarms=[over]).sentences[2] == "There was 1 alarm."


# ---------------------------------------------------------------- danger


def danger(**fields: Any) -> Case:
    return case("danger", due=5, **fields)


@pytest.mark.parametrize(
    ("cases", "posts", "sentences"),
    [
        ([], [], ("No post was read as danger.",)),
        ([case()], [heard()], ("No post was read as danger.",)),
        (
            [],
            [heard(urgency="danger", case_id=None)],
            ("No case of danger was opened; 1 post was read as danger without one of its own.",),
        ),
        (
            [danger(id=1)],
            [heard(urgency="danger")],
            ("1 case was read as danger. It paged the people on call.", "No person has taken it yet."),
        ),
        (
            [danger(id=1, claimed_at=SINCE + 4 * MINUTE, answered=9), danger(id=2, answered=8), danger(id=3)],
            [heard(), heard(case_id=2), heard(case_id=3, card_sent=False)],
            (
                "3 cases were read as danger. 2 of 3 paged the people on call; the cards of the others have not arrived yet.",
                "A person took 2 of 3, half of them within 6 min; 1 within the target of 5 min.",
            ),
        ),
        (
            [danger(id=1, claimed_at=SINCE + 5 * MINUTE)],
            [heard()],
            (
                "1 case was read as danger. It paged the people on call.",
                "A person took 1 of 1, after 5 min; 1 within the target of 5 min.",
            ),
        ),
        (
            [danger(id=1)] * 2,
            [heard()],
            ("2 cases were read as danger. Each paged the people on call.", "No person has taken any of the 2 yet."),
        ),
        (
            [danger(id=1, state="closed", outcome="fixed", closed_at=SINCE + 2 * MINUTE)],
            [heard()],
            (
                "1 case was read as danger. It paged the people on call.",
                "A person took 1 of 1, after 2 min; 1 within the target of 5 min.",
            ),
        ),
        (
            [danger(id=1, state="dismissed")],
            [heard()],
            ("1 case was read as danger; 1 turned out to be none. It paged the people on call.",),
        ),
        (
            [danger(id=1, state="dismissed", claimed_at=SINCE), danger(id=1, answered=6)],
            [heard()],
            (
                "2 cases were read as danger; 1 turned out to be none. Each paged the people on call.",
                "A person took 1 of 1, after 6 min; 0 within the target of 5 min.",
            ),
        ),
    ],
)
def test_danger(cases: list[Case], posts: list[Heard], sentences: tuple[str, ...]) -> None:
    assert section("danger", cases=cases, heard=posts).sentences == sentences


def test_danger_that_a_later_post_told_of() -> None:
    """Nobody was late before, though the case was."""
    late = case("danger", id=1, due=60, claimed_at=SINCE + 1443 * MINUTE)
    found = section("danger", cases=[late], heard=[heard()], endangered={1: SINCE + 1440 * MINUTE})
    assert found.sentences[1] == "A person took 1 of 1, after 3 min; 1 within the target of 5 min."


def test_how_danger_ended() -> None:
    cases = [
        danger(id=1, answered=1), danger(id=2, answered=9, state="closed", outcome="fixed"), danger(id=3),
        danger(id=4, state="claimed"), danger(id=5, state="closed", outcome="no_answer"), danger(id=6, state="dismissed"),
        case(id=7, claimed_at=SINCE), case(id=8),
    ]  # fmt: skip
    posts = [heard(case_id=number) for number in range(1, 9)] + [heard(case_id=7, urgency="danger")]
    found = section("danger", cases=cases, heard=posts)
    assert rows(found) == [
        ("Answered in public", 2),
        ("Closed without a public answer", 1),
        ("Still open", 2),
        ("Turned out to be none", 2),
        ("All", 7),
    ]
    assert not any("Waiting" in str(cell) for row in rows(found) for cell in row), "few: no topic, no place"


# ---------------------------------------------------------------- spikes


def spiked(topic: str = "food", posts: int = 9, cases: Any = (), **fields: Any) -> Spiked:
    given = {"began_at": SINCE + 781 * MINUTE, "seen_at": NOW, "usual": 0.4, "over_at": SINCE + 840 * MINUTE} | fields
    return Spiked(Spike(topic=topic, **given), posts, cases)


def test_spikes() -> None:
    cases = [case(answered=3), case(), case(state="dismissed"), case(answered=4, state="closed", outcome="fixed")]
    found = section(
        "spikes",
        spikes=[spiked("waiting", 14, cases, known="The line is open again."), spiked("gone_topic", over_at=None)],
        spike_window=30 * MINUTE,
    )
    assert found.sentences == (
        "2 times there were many more posts about one topic than is usual; the largest was Waiting (14). "
        "1 of them is not over.",
    )
    assert found.tables[0].header[4] == "Usual in 30 min"
    assert rows(found) == [
        (
            "Waiting", "Mon 9 Nov 13:01", "59 min", 14, 0.4, "2 of 3", "Operations", "The line is open again.",
        ),
        ("Gone topic", "Mon 9 Nov 13:01", "6 d 19 h so far", 9, 0.4, "0 of 0", "", "nothing"),
    ]  # fmt: skip


def test_one_spike_and_none() -> None:
    assert section("spikes").sentences == ("No topic had many more posts at once than is usual.",)
    assert section("spikes").tables == ()
    assert section("spikes", spikes=[spiked()]).sentences == (
        "Once there were many more posts about one topic than is usual: Food (9).",
    )


# ---------------------------------------------------------------- you said, we did


def ended(outcome: str = "fixed", minutes: int = 60, topics: Any = ("food",), **where: Any) -> Ended:
    closed = case(state="closed", outcome=outcome, closed_at=SINCE + minutes * MINUTE)
    return Ended(closed, topics, where.get("site"), where.get("departments", ()))


def test_done() -> None:
    closed = [
        *[ended(departments=("Kitchen 🍲",), minutes=number) for number in (10, 20, 30, 40, 90)],
        ended("explained", 30, ("food", "waiting"), site="Harbor"),
        ended("gone_outcome", 15, ()),
        ended("no_answer", 1),
    ]
    found = section("done", ended=closed, outcomes={"fixed": "Fixed", "explained": "Explained", "no_answer": "None"})
    assert found.sentences == (
        "8 cases were closed: for 7 something was done, 1 needed no answer. A case about several topics counts in each.",
        "You said: Food (6). We did: Fixed 5, Explained 1.",
        "You said: Waiting (1). We did: Explained 1.",
        "You said: No topic named (1). We did: Gone outcome 1.",
    )
    assert rows(found) == [
        ("Food", "Fixed", 5, 30 * MINUTE, "Kitchen 🍲 5"),
        ("Food", "Explained", 1, 30 * MINUTE, ""),
        ("Waiting", "Explained", 1, 30 * MINUTE, ""),
        ("No topic named", "Gone outcome", 1, 15 * MINUTE, ""),
    ]


@pytest.mark.parametrize(
    ("closed", "sentence"),
    [
        ([], "No case was closed."),
        ([ended("no_answer")], "1 case was closed: for 0 something was done, 1 needed no answer."),
        ([ended()], "1 case was closed: for 1 something was done."),
    ],
)
def test_how_many_were_closed(closed: list[Ended], sentence: str) -> None:
    assert section("done", ended=closed).sentences[0] == sentence


def test_five_topics_are_told_in_sentences() -> None:
    found = section("done", ended=[ended(topics=(f"topic_{number}",)) for number in range(7)])
    assert len(found.sentences) == 6
    assert len(rows(found)) == 7


# ---------------------------------------------------------------- how to read this


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        ({}, "A program reads the posts, and it makes mistakes."),
        ({"danger, missed": "none"}, "A program reads the posts, and it makes mistakes."),
        (
            {"danger, missed": "103 of 1146"},
            "A program reads the posts, and it makes mistakes. In test posts it missed 103 of 1,146 dangers. "
            "Its model card (nlp/model/CARD.md) has all figures.",
        ),
        (
            {"danger, missed": "1 of 20", "complaint, recall": "0.896", "complaint, precision": "0.862"},
            "A program reads the posts, and it makes mistakes. In test posts it missed 1 of 20 dangers and 10 of 100 "
            "complaints; 14 of 100 that it called complaints were none. Its model card (nlp/model/CARD.md) has all figures.",
        ),
    ],
)
def test_how_often_the_reader_is_wrong(measured: dict[str, str], said: str) -> None:
    assert said in section("how_to_read", measured=measured).sentences


def test_how_to_read_this() -> None:
    words = " ".join(section("how_to_read").sentences)
    for said in (
        "Fewer than 5 posts",
        "up to 8 weeks",
        "target for most cases is 1 h",
        "docs/figures.md",
        "orders nothing",
    ):
        assert said in words


# ---------------------------------------------------------------- whatever a week holds

STRANGE = st.text(max_size=20) | st.sampled_from(["عيادة", "🅿️ Parking", "no_such_topic", "<b>", "\u202egnikraP"])
POSTS = st.builds(
    heard,
    mention_id=st.integers(1, 40),
    source=STRANGE,
    collector=STRANGE,
    voice=st.sampled_from([None, "patient", "news"]),
    kind=st.sampled_from([None, "complaint", "praise"]),
    urgency=st.sampled_from([None, "danger", "routine"]),
    categories=st.lists(STRANGE, max_size=3),
    staff=st.lists(STRANGE, max_size=2),
    departments=st.lists(STRANGE, max_size=2),
    site=st.none() | STRANGE,
    redacted_text=STRANGE,
    deleted=st.booleans(),
    case_id=st.none() | st.integers(1, 40),
)
CASES = st.builds(
    case,
    st.sampled_from(["danger", "here_now", "serious", "routine", "low", "none"]),
    st.none() | st.integers(0, 9999),
    id=st.integers(1, 40),
    mention_id=st.integers(1, 40),
    source=STRANGE,
    state=st.sampled_from(["open", "claimed", "answered", "closed", "dismissed"]),
    outcome=st.none() | STRANGE | st.just("no_answer"),
    claimed_at=st.none() | st.just(SINCE + MINUTE),
    closed_at=st.none() | st.just(SINCE + MINUTE),
    topics=st.none() | st.lists(STRANGE, max_size=2),
)
MINE = ["danger", "done", "headline", "how_to_read", "ledger", "listening", "praise", "reply_times", "spikes"]


@given(posts=st.lists(POSTS, max_size=12), cases=st.lists(CASES, max_size=12), topic=STRANGE, known=st.none() | STRANGE)
@settings(max_examples=60)
def test_nothing_that_strangers_write_breaks_a_section(posts: Any, cases: Any, topic: str, known: str | None) -> None:
    closed = [Ended(case, case.topics or (), topic, (topic,)) for case in cases]
    whole = {"heard": posts, "cases": cases, "ended": closed, "spikes": [spiked(topic, 5, cases, known=known)]}
    for name in MINE:
        found = section(name, **whole, weeks=weeks(1, 2, 3), before=FIGURES)
        assert all(len(row) == len(table.header) for table in found.tables for row in table.rows)
        assert len(found.sentences) == 3 or name != "headline"
    ends = table_rows("reply_times", "case_ends", whole)
    assert sum(row[1] for row in ends[:-1]) == (ends[-1][1] if ends else 0) == len(cases)
    assert sum(row[1] for row in table_rows("reply_times", "reply_times_by_hour", whole)) == len(cases)


def table_rows(name: str, of: str, whole: Any) -> Any:
    return next((found.rows for found in section(name, **whole).tables if found.name == of), [])


# ---------------------------------------------------------------- what we listen for

BILLING = ("categories", "billing", "phrases")
WEDNESDAY = SINCE + timedelta(days=2, hours=9)


def test_nothing_was_changed() -> None:
    found = section("keywords")
    assert (found.sentences, rows(found)) == (("Nothing was changed in what we listen for.",), [])


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (Change(NOW, BILLING, ("surprise bill*",), True), "Billing: phrase 'surprise bill*' added"),
        (Change(NOW, BILLING, ("a", "b"), False), "Billing: phrases 'a', 'b' taken out"),
        (Change(NOW, BILLING, ("a",), True, version=8, by="ana"), "Billing: phrase 'a' added (version 8, ana)"),
        (Change(NOW, BILLING, ("a", "b", "c", "d", "e"), True), "Billing: phrases 'a', 'b', 'c' and 2 more added"),
        (Change(NOW, ("categories", "waiting", "match"), ("my story",), True), "Waiting: 1 example added"),
        (Change(NOW, ("categories", "waiting", "no_match"), ("a", "b"), True), "Waiting: 2 counter-examples added"),
        (Change(NOW, ("urgency", "here_now", "phrases"), ("a",), True), "Here now: phrase 'a' added"),
        (Change(NOW, ("urgency", "danger", "phrases"), ("a",), True), "Danger: phrase 'a' added"),
        (Change(NOW, ("voices", "promo", "phrases"), ("a",), True), "Adverts: phrase 'a' added"),
        (Change(NOW, ("signs", "legal", "phrases"), ("a",), True), "Sign legal: phrase 'a' added"),
        (Change(NOW, ("signs", "legal", "voices"), ("news",), True), "Sign legal, voices: 'news' added"),
        (Change(NOW, ("exclude", "phrases"), ("bingo",), True), "Left out: phrase 'bingo' added"),
        (Change(NOW, ("hospital", "aliases"), ("SBMC",), True), "Our names: name 'SBMC' added"),
        (Change(NOW, ("hospital", "not_us"), ("a", "b"), True), "Names of others: names 'a', 'b' added"),
        (Change(NOW, ("hospital", "town"), ("Port Alder",), False), "Our town: 'Port Alder' taken out"),
        (Change(NOW, ("hospital", "accounts", "x"), ("Cares",), True), "Our accounts, x: 'Cares' added"),
        (Change(NOW, ("hospital", "sites", "🏥 West", "aliases"), ("W",), True), "🏥 West: name 'W' added"),
        (Change(NOW, ("hospital", "sites"), ("West",), True), "Our sites: 'West' added"),
        (Change(NOW, ("hospital", "sites", "West", "departments"), ("ER",), True), "West: department 'ER' added"),
        (Change(NOW, ("hospital", "department_words", "ER"), ("A&E",), True), "ER: word 'A&E' added"),
        (Change(NOW, ("reader",), (), True), "The reader itself was renewed"),
        (Change(NOW, ("reader", "model"), (), False), "The trained model was switched off"),
        (Change(NOW, ("something", "new"), ("x",), True), "something, new: 'x' added"),
    ],
)
def test_what_was_changed(change: Change, what: str) -> None:
    found = section("keywords", changes=[change])
    assert [row[1] for row in rows(found)] == [what]
    assert found.sentences[0] == "One change in what we listen for."


@pytest.mark.parametrize(
    ("at", "posts", "is_added", "is_estimate", "effect"),
    [
        (WEDNESDAY, 0, True, False, "found in no posts"),
        (WEDNESDAY, 1, True, False, "found in 1 post"),
        (WEDNESDAY, 4300, True, True, "found in about 4,300 posts"),
        (WEDNESDAY, 3, False, False, "still said in 3 posts"),
        (SINCE + timedelta(days=5, hours=1), 3, True, False, "found in 3 posts so far"),
        (WEDNESDAY, None, True, False, "–"),
    ],
)
def test_its_effect(at: datetime, posts: int | None, is_added: bool, is_estimate: bool, effect: str) -> None:
    change = Change(at, ("exclude", "phrases"), ("w",), is_added, posts, is_estimate)
    shown = section("keywords", changes=[change])
    ((when, _, found),) = rows(shown)
    assert found == effect
    assert when == f"{at:%a} {at.day} Nov {at:%H:%M}"
    assert shown.sentences[1] == f"{when}: Left out: phrase 'w' {'added' if is_added else 'taken out'}" + (
        f"; {effect}." if posts is not None else "."
    )


def test_complaints_a_day_before_and_since() -> None:
    """Wednesday 09:00: seven days before reach into the week before, four days and 15 hours of the week are left."""
    day = timedelta(days=1)
    times = [WEDNESDAY - 8 * day, WEDNESDAY - 7 * day, WEDNESDAY - 3 * day]
    earlier = replace(
        FIGURES, span=FIGURES.span.before, heard=[heard(heard_at=at, categories=["billing"]) for at in times]
    )
    since = [WEDNESDAY - day, WEDNESDAY, *[WEDNESDAY + 4 * day] * 8]
    posts = [*(heard(heard_at=at, categories=["billing"]) for at in since), heard(heard_at=WEDNESDAY)]
    change = Change(WEDNESDAY, BILLING, ("w",), True, 9)
    ((*_, effect),) = rows(section("keywords", changes=[change], heard=posts, weeks=[earlier]))
    assert effect == "found in 9 posts; complaints a day: 0.4 before, 1.9 since"  # 3 in 7 days, 9 in 4.625
    ((*_, alone),) = rows(section("keywords", changes=[change], heard=posts))
    assert alone == "found in 9 posts; complaints a day: 0.4 before, 1.9 since"  # 1 in 2.375 days
    early = replace(change, at=SINCE + timedelta(hours=23))
    ((*_, short),) = rows(section("keywords", changes=[early], heard=posts))
    assert short == "found in 9 posts", "less than a day tells nothing"


def test_of_a_month_a_week_on_either_side_counts() -> None:
    day, at = timedelta(days=1), FIRST + timedelta(days=10)
    times = [FIRST + 2 * day, FIRST + 3 * day, at, at + 6 * day, at + 7 * day, at + 15 * day]
    posts = [heard(heard_at=moment, categories=["billing"]) for moment in times]
    ((*_, effect),) = rows(month("keywords", changes=[Change(at, BILLING, ("w",), True, 6)], heard=posts))
    assert effect == "found in 6 posts; complaints a day: 0.1 before, 0.3 since"  # 1 in seven days, 2 in seven


def test_no_more_changes_than_people_read() -> None:
    many = [Change(WEDNESDAY, ("exclude", "phrases"), (str(number),), True, 0) for number in range(31)]
    found = section("keywords", changes=many)
    assert found.sentences[0] == "31 changes in what we listen for, of which the table shows the latest 30."
    assert len(found.sentences) == 5, "three of them and how to read them"
    assert [row[1].split("'")[1] for row in rows(found)] == [str(number) for number in range(1, 31)]


# ---------------------------------------------------------------- what a longer time shows

OCTOBER = named("2026-10", CHICAGO)
FIRST = OCTOBER.since  # Thursday 1 October


def month(name: str, **changes: Any) -> Any:
    return section(name, **{"span": OCTOBER, **changes})


def at_places(days: list[int], **changes: Any) -> list[Heard]:
    fields = {"departments": ["Emergency"], **changes}
    return [heard(heard_at=FIRST + timedelta(days=day), **fields) for day in days]


def test_where_it_comes_back() -> None:
    posts = [
        *at_places([0, 3, 4, 11, 12]),  # Thursday and Sunday are one week: three weeks in all
        *at_places([0, 7, 14, 20, 21, 22, 23, 24, 25, 26, 27, 28], departments=[], site="🏥 West", categories=["food"]),
        *at_places([0, 1, 2, 3, 11], departments=["Two weeks"]),
        *at_places([0, 7, 14, 21], departments=["Four posts"]),
        *at_places([0, 7, 14, 21, 28], departments=[], site=None),
        *at_places([0, 7, 14, 21, 28], kind="praise"),
        *at_places([5], categories=[]),
    ]
    found = month("areas", heard=posts)
    assert rows(found) == [
        ("🏥 West", "Food", 12, 5, "3 → 9, more", Share(12, 12)),
        ("Emergency", "Waiting", 5, 3, "5 → 0, fewer", Share(5, 6)),
    ]
    assert found.sentences == (
        "Food came up most steadily at 🏥 West: 12 complaints in 5 different weeks.",
        "Listed is what was complained about at one place in at least 3 weeks and 5 posts.",
    )


@pytest.mark.parametrize(
    ("first", "second", "trend"),
    [
        (5, 10, "5 → 10, more"),
        (10, 14, "10 → 14, steady"),
        (2, 6, "2 → 6, steady"),
        (30, 35, "30 → 35, steady"),
        (0, 5, "0 → 5, more"),
        (12, 4, "12 → 4, fewer"),
    ],
)
def test_whether_it_grows(first: int, second: int, trend: str) -> None:
    early, late = [(0, 7, 14)[n % 3] for n in range(first)], [(16, 22, 29)[n % 3] for n in range(second)]
    posts = [*at_places(early), *at_places(late), *at_places([0, 10], categories=["food"])]
    posts = [*posts, *at_places([8, 22, 29], categories=[])]
    shown = {row[4] for row in rows(month("areas", heard=posts)) if row[1] == "Waiting"}
    assert shown == {trend}


@pytest.mark.parametrize(("passed", "trend"), [(20, "5 → 10, more"), (26, "10 → 5, fewer"), (90, "15 → 0, fewer")])
def test_of_a_month_that_is_not_over_the_halves_of_what_has_passed(passed: int, trend: str) -> None:
    posts = at_places([0, 1, 5, 6, 9, *[12] * 5, *[14] * 5])
    assert [row[4] for row in rows(month("areas", heard=posts, now=FIRST + timedelta(days=passed)))] == [trend]


def test_places_of_a_post() -> None:
    both = heard(departments=["Emergency", "Surgery"], site="Harbor")
    assert list(places(both)) == ["Emergency", "Surgery"]
    assert list(places(heard(site="Harbor"))) == ["Harbor"]
    assert list(places(heard())) == []
    assert list(places(heard(departments=["Emergency", "Emergency"]))) == ["Emergency"]


def closed(hours: float, outcome: str = "fixed", topics: tuple[str, ...] = ("waiting",), **changes: Any) -> Ended:
    over = FIRST + timedelta(hours=hours)
    one = Case(
        mention_id=1, source="x", thread="1", channel="care", urgency="routine", state="closed", opened_at=FIRST,
        clock_from=FIRST, due_at=FIRST, closed_at=over, outcome=outcome,
    )  # fmt: skip
    return Ended(one, topics, changes.get("site"), changes.get("departments", ("Emergency",)))


def test_how_long_until_it_was_fixed() -> None:
    hour = timedelta(hours=1)
    done = [closed(hours) for hours in range(1, 11)]
    done += [closed(3, "explained", ("food", "waiting")), closed(90, "no_answer"), closed(5, "gone_from_config", ())]
    again = [Reopened(done[0].case, ["waiting"], "fixed"), Reopened(done[0].case, ["dignity"], None)]
    again.append(Reopened(done[0].case, ["food"], "no_answer"))
    found = month("fixing", ended=done, reopened=again)
    assert rows(found) == [
        ("Waiting", 11, 5 * hour, 9 * hour, 1),  # 1, 2, 3, 3, 4, 5 ... 10: the tenth of eleven is 9
        ("Food", 1, 3 * hour, 3 * hour, 0),
        ("Dignity", 0, None, None, 1),
        ("No topic named", 1, 5 * hour, 5 * hour, 0),
    ]
    assert found.sentences == (
        "12 cases were closed with something done, half of them within 5 h of the post.",
        "2 were opened again after they were closed.",
    )


@pytest.mark.parametrize(
    ("cases", "again", "sentences"),
    [
        ([], [], ("No case was closed with something done.",)),
        ([2], [], ("One case was closed with something done, 2 h after the post.", "None was opened again.")),
        ([], ["fixed"], ("No case was closed with something done.", "1 was opened again after it was closed.")),
    ],
)
def test_fixing_in_words(cases: list[int], again: list[str], sentences: tuple[str, ...]) -> None:
    taken_back = [Reopened(case(), [], outcome) for outcome in again]
    assert month("fixing", ended=[closed(hours) for hours in cases], reopened=taken_back).sentences == sentences


DAYS_28 = timedelta(days=28)


@pytest.mark.parametrize(
    ("before", "after", "passed", "verdict"),
    [
        (5, 5, 0, "came back"),
        (0, 5, 0, "came back"),
        (4, 9, 0, "came back"),
        (6, 5, 0, "unclear"),
        (6, 3, 0, "unclear"),
        (6, 2, 0, "held"),
        (5, 0, 0, "held"),
        (1, 4, 0, "unclear"),
        (9, 9, -1, "too early"),
    ],
)
def test_did_it_stay_fixed(before: int, after: int, passed: int, verdict: str) -> None:
    """Fixed twice: before counts from the first, after from the last; what was said between counts for neither."""
    fixes = [closed(48), closed(96, "billing_corrected"), closed(60, "explained"), closed(48, topics=("food",))]
    first, last = FIRST + timedelta(hours=48), FIRST + timedelta(hours=96)
    moments = [first - DAYS_28] * before + [first] * 3 + [first - DAYS_28 - MINUTE, last + DAYS_28] + [last] * after
    earlier = [at for at in moments if at < FIRST]
    weeks, when = [], OCTOBER.week_before
    for _ in range(8):
        posts = [heard(heard_at=at, departments=["Emergency"]) for at in earlier if when.since <= at < when.until]
        weeks.append(replace(FIGURES, span=when, heard=posts))
        when = when.before
    inside = [heard(heard_at=at, departments=["Emergency"]) for at in moments if FIRST <= at < OCTOBER.until]
    later = [heard(heard_at=at, departments=["Emergency"]) for at in moments if at >= OCTOBER.until]
    later.append(heard(heard_at=last, departments=["Emergency"], kind="praise"))
    changes = {"ended": fixes, "weeks": weeks, "heard": inside, "after": later, "now": last + DAYS_28 + passed * MINUTE}
    found = month("returned", **changes)
    assert rows(found) == [("Emergency", "Waiting", 2, before, after, verdict)]
    assert found.sentences[:2] == (
        "2 matters were closed as fixed.",
        "1 of them had fewer than 5 complaints and is not listed.",
    )
    assert (
        found.sentences[2]
        == {
            "came back": "Of the 1 that can be judged, 0 held, 1 came back, 0 are unclear.",
            "held": "Of the 1 that can be judged, 1 held, 0 came back, 0 are unclear.",
            "unclear": "Of the 1 that can be judged, 0 held, 0 came back, 1 is unclear.",
            "too early": "It cannot be said yet whether it held: that takes 28 days of listening before and after.",
        }[verdict]
    )
    # Nine days fewer were listened to, and what was said 28 days before is not known.
    expected = [(0, after, "too early" if passed else "heard too little before")] if after >= 5 else []
    assert [row[3:] for row in rows(month("returned", **{**changes, "weeks": weeks[:3]}))] == expected


@pytest.mark.parametrize(
    ("fixes", "sentences"),
    [
        ([], ("Nothing was closed as fixed that named a topic and a place.",)),
        ([{"topics": ()}], ("Nothing was closed as fixed that named a topic and a place.",)),
        ([{"departments": ()}], ("Nothing was closed as fixed that named a topic and a place.",)),
        ([{}], ("One matter was closed as fixed.", "1 of them had fewer than 5 complaints and is not listed.")),
    ],
)
def test_nothing_to_say_of_what_was_fixed(fixes: list[dict[str, Any]], sentences: tuple[str, ...]) -> None:
    assert month("returned", ended=[closed(1, **one) for one in fixes]).sentences == sentences


@pytest.mark.parametrize(
    ("name", "before", "called"),
    [
        ("2026-W46", "2026-W45", "the week before"),
        ("2026-W46", "2026-W40", "week 40 of 2026"),
        ("2026-10", "2026-09", "the month before"),
        ("2026-10", "2025-10", "October 2025"),
        ("2026-11-09-to-2026-11-12", "2026-11-05-to-2026-11-08", "the 4 days before"),
    ],
)
def test_what_it_is_compared_with(name: str, before: str, called: str) -> None:
    other = replace(FIGURES, span=named(before, CHICAGO), heard=[HEARD] * 2)
    against = other.span if before != named(name, CHICAGO).before.name else None
    found = section("volume", span=named(name, CHICAGO), heard=[HEARD], before=other, against=against)
    assert found.sentences == (f"1 post; 2 in {called}.",)
