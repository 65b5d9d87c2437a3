"""Each section of the weekly summary: from figures to sentences and rows."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from conftest import NOW

from alerts.case import Case
from alerts.figures import Ended, Figures, Heard, Reopened
from alerts.report import known_sections
from alerts.section import Section, Share
from alerts.sections.areas import places
from alerts.sections.fixing import nearest_rank
from alerts.sections.reply_times import median
from alerts.span import named
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
        "areas",
        "categories",
        "fixing",
        "headline",
        "keywords",
        "ledger",
        "listening",
        "praise",
        "reply_times",
        "returned",
        "volume",
    ]


@pytest.mark.parametrize("name", known_sections())
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
        (WEDNESDAY, 3, False, False, "3 posts still said so"),
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
        ("🏥 West", "Food", 12, 5, "more (3 → 9)", Share(12, 12)),
        ("Emergency", "Waiting", 5, 3, "fewer (5 → 0)", Share(5, 6)),
    ]
    assert found.sentences == (
        "Food came up most steadily at 🏥 West: 12 complaints in 5 different weeks.",
        "Listed is what was complained about at one place in at least 3 weeks and 5 posts.",
    )


@pytest.mark.parametrize(
    ("first", "second", "trend"),
    [
        (5, 10, "more (5 → 10)"),
        (10, 14, "about the same (10 → 14)"),
        (2, 6, "about the same (2 → 6)"),
        (30, 35, "about the same (30 → 35)"),
        (0, 5, "more (0 → 5)"),
        (12, 4, "fewer (12 → 4)"),
    ],
)
def test_whether_it_grows(first: int, second: int, trend: str) -> None:
    posts = [*at_places([0] * first), *at_places([20] * second), *at_places([0, 10], categories=["food"])]
    posts = [*posts, *at_places([8, 22, 29], categories=[])]
    spread_ = [replace(one, heard_at=one.heard_at + timedelta(days=7 * (n % 2))) for n, one in enumerate(posts)]
    shown = {row[4] for row in rows(month("areas", heard=spread_)) if row[1] == "Waiting"}
    assert shown <= {trend}


def test_places_of_a_post() -> None:
    both = heard(departments=["Emergency", "Surgery"], site="Harbor")
    assert list(places(both)) == ["Emergency", "Surgery"]
    assert list(places(heard(site="Harbor"))) == ["Harbor"]
    assert list(places(heard())) == []


def ended(hours: float, outcome: str = "fixed", topics: tuple[str, ...] = ("waiting",), **changes: Any) -> Ended:
    closed = FIRST + timedelta(hours=hours)
    one = Case(
        mention_id=1, source="x", thread="1", channel="care", urgency="routine", state="closed", opened_at=FIRST,
        clock_from=FIRST, due_at=FIRST, closed_at=closed, outcome=outcome,
    )  # fmt: skip
    return Ended(one, topics, changes.get("site"), changes.get("departments", ("Emergency",)))


def test_how_long_until_it_was_fixed() -> None:
    hour = timedelta(hours=1)
    done = [ended(hours) for hours in range(1, 11)]
    done += [ended(3, "explained", ("food", "waiting")), ended(90, "no_answer"), ended(5, "gone_from_config", ())]
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
    assert month("fixing", ended=[ended(hours) for hours in cases], reopened=taken_back).sentences == sentences


@pytest.mark.parametrize(
    ("hours", "percent", "rank"), [([1], 90, 1), ([1, 2], 90, 2), (range(1, 11), 90, 9), (range(1, 11), 50, 5)]
)
def test_nearest_rank(hours: Any, percent: int, rank: int) -> None:
    spans = [timedelta(hours=number) for number in hours]
    assert nearest_rank(spans[::-1], percent) == timedelta(hours=rank)


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
    fixes = [ended(48), ended(96, "billing_corrected"), ended(60, "explained"), ended(48, topics=("food",))]
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
    unknown = month("returned", **{**changes, "weeks": weeks[:3]})
    earlier_weeks = sum(at >= weeks[2].since for at in moments[:before])
    assert [row[3:] for row in rows(unknown)] in (
        [],
        [(earlier_weeks, after, "heard too little before")],
        [(earlier_weeks, after, "too early")],
    )


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
    assert month("returned", ended=[ended(1, **one) for one in fixes]).sentences == sentences


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
