"""One place where figures come from, so that everything that is counted agrees."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from conftest import NOW
from sqlmodel import insert, select

from alerts.figures import figures, heard_between
from alerts.ledger import ledger
from alerts.report import known_sections, report
from alerts.span import days, named
from alerts.spikes import Spike, SpikePost
from listener.database import reading
from listener.mention import Mention
from listener.watch import Alarm, Gap, Spend
from nlp.reading import Reading

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


def test_a_quiet_beginning_is_no_beginning_of_listening(desk: Any) -> None:
    """Nobody posts at night: the day before was heard whole all the same, once something was heard before it."""
    yesterday = days(SINCE.date(), (SINCE + timedelta(days=1)).date(), ZONE)
    desk.hear(heard_at=SINCE + timedelta(hours=12))
    assert not figures(desk.session, desk.config, yesterday, NOW).is_whole
    desk.hear(heard_at=SINCE - timedelta(days=3))
    assert figures(desk.session, desk.config, yesterday, NOW).is_whole


def test_the_eighth_week_before_may_be_the_one_in_which_listening_began(desk: Any) -> None:
    week = named("2026-W46", ZONE)
    for ago in range(1, 9):
        desk.hear(heard_at=week.since - ago * WEEK + timedelta(days=3))
    found = figures(desk.session, desk.config, week, NOW)
    assert (len(found.weeks), len(found.whole_weeks)) == (8, 7)


@pytest.mark.parametrize(("reason", "patients"), [("joke", 0), ("nothing_to_do", 2)])
def test_every_post_of_a_dismissed_case(desk: Any, reason: str, patients: int) -> None:
    """A copy of a joke is no patient's post either; what is about us and needs nothing is."""
    for _ in range(2):
        desk.hear(
            "why did the chicken cross our waiting room, and who was it that let it in again", author="kim", thread="t"
        )
    desk.decide()
    assert len(desk.cases()) == 1
    desk.act("not_for_us", reason=reason)
    assert len(of(desk).patients) == patients


def test_when_a_case_became_danger(desk: Any) -> None:
    desk.alert(written_at=NOW - timedelta(hours=5), now=NOW - timedelta(hours=5), author="kim", thread="t")
    desk.alert(written_at=NOW - timedelta(minutes=9), author="kim", thread="t", urgency="danger")
    desk.act("claim", now=NOW + 31 * MINUTE)
    found = report(of(desk), ["danger"])[0]
    assert found.sentences[1] == "A person took 1 of 1, after 31 min; 0 within the target of 5 min."


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


def test_danger_is_not_quoted(desk: Any) -> None:
    """Nor a post that is gone; of what rises an example is shown."""
    desk.hear("the parking lift")
    desk.hear("what I took in room four", urgency="danger")
    desk.hear("gone", deleted_at=NOW)
    assert [text for _, text in of(desk).words.now] == ["the parking lift"]


def test_our_own_names(desk: Any) -> None:
    names = of(desk).own_names
    assert {"Saint Brigid Medical Center", "SBMC", "Port Alder", "Harbor Campus", "Brigid Lakeside"} <= set(names)
    assert "StBrigidCares" in names
    assert "Emergency" not in names


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
            stage=(None, "waiting", "stay")[number % 3],
            mood=(-0.9, 0.0, 0.9)[number % 3],
            site=("Harbor Campus", "Lakeside Pavilion", None)[number % 3],
            departments=[["Emergency"], ["Emergency", "Imaging"], []][number % 3],
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
        sum(one.source == source for one in found.heard) for source in ("x", "reddit", "rss")
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
    assert sections["mood"][-1][4] == sum(row[4] for row in sections["mood"][:-1]) == len(found.patients)
    assert [sum(row[column] for row in sections["mood"][:-1]) for column in (1, 2, 3)] == list(
        sections["mood"][-1][1:4]
    )
    by_topic = {row[0]: row[1] for row in sections["categories"] if row[1]}
    assert {row[0]: row[-1] for row in sections["journey"]} == by_topic
    assert all(sum(row[1:-1]) == row[-1] for row in sections["journey"])
    assert sum(row[1] for row in sections["places"][:-1]) == sections["places"][-1][1] == len(complaints)
    assert sum(row[2] for row in sections["reply_times"]) == len(found.cases) == sum_.alerted


def test_what_was_done_agrees(desk: Any, paper: Any) -> None:
    """By urgency, by hour, by what became of them: the same cases; closed cases, danger, praise and money too."""
    for number in range(36):
        desk.hear(
            written_at=NOW - timedelta(hours=4 * number + 1),
            kind=("complaint", "complaint", "praise")[number % 3],
            urgency=("routine", "serious", "danger", "low")[number % 4],
            categories=[{"id": name, "score": 1.0, "words": []} for name in ("food", "waiting")[: number % 3]],
            departments=["ICU"] if number % 2 else [],
        )
    desk.decide()
    desk.deliver(paper)
    for number, case in enumerate(desk.cases()):
        if number % 5 == 0:
            desk.act("answered", case_id=case.id)
        if number % 5 in (0, 1):
            desk.act("close", case_id=case.id, outcome=("fixed", "no_answer", "explained")[number % 3])
        if number % 5 == 2:
            desk.act(
                "not_for_us", case_id=case.id, reason="joke", **({"sure": "yes"} if case.urgency == "danger" else {})
            )
    for collector, cost in (("x", 0.25), ("x_mentions", 0.5)):
        desk.session.add(Spend(collector=collector, day=SINCE.date() + timedelta(days=1), reads=50, cost=cost))
    desk.session.commit()
    found = of(desk)
    tables = {table.name: table.rows for section in report(found, list(known_sections())) for table in section.tables}

    cases = len(found.cases)
    assert cases == 27, "24 complaints, and three kind words that are danger"
    assert sum(row[2] for row in tables["reply_times"]) == cases
    assert sum(row[1] for row in tables["reply_times_by_hour"]) == cases
    ends = dict(tables["case_ends"])
    assert ends.pop("All") == sum(ends.values()) == cases
    answered = ends["Answered"]
    assert (
        sum(row[3] for row in tables["reply_times"]) == sum(row[2] for row in tables["reply_times_by_hour"]) == answered
    )
    in_time = sum(row[6].part for row in tables["reply_times"])
    assert in_time == sum(row[4] for row in tables["reply_times_by_hour"])
    assert sum(row[6].of for row in tables["reply_times"]) == in_time + sum(
        row[5] for row in tables["reply_times_by_hour"]
    )
    missed = ends["Still waiting"] + ends["Closed without an answer"]
    assert (missed, len(tables["never_answered"])) == (14, 10)

    danger = dict(tables["danger"])
    assert danger.pop("All") == sum(danger.values()) == sum(case.urgency == "danger" for case in found.cases)

    deeds = [ended for ended in found.ended if ended.case.outcome != "no_answer"]
    assert len(found.ended) == sum(number % 5 in (0, 1) for number in range(cases))
    assert sum(row[2] for row in tables["done"]) == sum(len(ended.topics) or 1 for ended in deeds)

    (x, mentions, all_) = sorted(tables["collectors"], key=lambda row: row[3] + (row[0] == "x_mentions"))
    assert (x[0], mentions[0], all_[0]) == ("x", "x_mentions", "All")
    assert (all_[1], all_[3], all_[4]) == (36, 100, 0.75)
    by_place = tables["praise_by_place"]
    assert sum(row[1] for row in by_place) == len(found.praise) == 12


def test_the_cases_of_a_spike(desk: Any) -> None:
    """Each once, though a case has several posts and a post several readings."""
    first = desk.hear(thread="t", author="a", ref="t")
    desk.decide()
    again = desk.hear(thread="t", author="a")
    other, alone = desk.hear(), desk.hear(kind="praise")
    desk.decide()
    desk.edit(other, "still waiting", NOW)
    desk.decide()
    desk.act("answered", case_id=2)
    spike = Spike(topic="waiting", began_at=NOW - 9 * MINUTE, seen_at=NOW, usual=0.5)
    desk.session.add(spike)
    desk.session.flush()
    desk.session.add_all([SpikePost(spike_id=spike.id, mention_id=id_) for id_ in (first, again, other, alone)])
    desk.session.commit()
    span = days(NOW.date(), NOW.date() + timedelta(days=1), ZONE)
    (found,) = figures(desk.session, desk.config, span, NOW).spikes
    assert (found.posts, sorted(case.id for case in found.cases)) == (4, [1, 2])


def test_praise_that_was_passed_on(desk: Any, paper: Any) -> None:
    named = desk.hear(kind="praise", staff=["Nurse Amy"])
    desk.hear(kind="praise")
    desk.decide()
    span = days(NOW.date(), NOW.date() + timedelta(days=1), ZONE)
    assert figures(desk.session, desk.config, span, NOW).passed_on == frozenset()
    desk.deliver(paper)
    assert figures(desk.session, desk.config, span, NOW).passed_on == {named}
    assert of(desk).passed_on == {named}
    (row,) = [row for row in desk.rows() if row.kind == "praise"]
    row.state = "pending"
    assert of(desk).passed_on == frozenset(), "it is not there yet"
    assert figures(desk.session, desk.config, span.before, NOW).passed_on == frozenset()


def test_what_is_listened_to_and_how_well_it_is_read(desk: Any) -> None:
    x = desk.config.collectors["x"].model_copy(update={"on": True})
    desk.config = desk.config.model_copy(update={"collectors": {**desk.config.collectors, "x": x}})
    found = of(desk)
    assert found.collectors == ["x"]
    assert found.spike_window == 20 * MINUTE
    assert "danger, missed" in found.measured
    keywords = desk.config.keywords
    alone = keywords.model_copy(update={"reader": keywords.reader.model_copy(update={"model": False})})
    desk.config = desk.config.model_copy(update={"keywords": alone})
    assert of(desk).measured == {}


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


def test_a_case_that_went_into_another_was_not_closed(desk: Any) -> None:
    desk.alert()
    desk.alert()
    desk.act("merge", case_id=2, into="1")
    desk.act("close", case_id=1, outcome="fixed")
    assert [one.case.id for one in of(desk).ended] == [1]


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


def test_nobody_waits_for_a_report(desk: Any, engine: Any) -> None:
    """While one is counted, in a session that only looks, a post can be kept."""
    desk.hear(heard_at=SINCE)
    with reading(engine) as session:
        assert len(figures(session, desk.config, SPAN, NOW).heard) == 1
        desk.hear(heard_at=SINCE)
        assert len(figures(session, desk.config, SPAN, NOW).heard) == 1, "it sees what it saw at first"


@pytest.mark.parametrize(
    ("began", "over", "told"),
    [
        (SINCE - WEEK, SINCE - MINUTE, 0),
        (SINCE - WEEK, SINCE, 1),
        (SINCE - WEEK, None, 1),
        (UNTIL - MINUTE, UNTIL + MINUTE, 1),
        (UNTIL, None, 0),
    ],
)
def test_what_was_on_in_the_span(desk: Any, began: datetime, over: datetime | None, told: int) -> None:
    spike = Spike(topic="waiting", began_at=began, seen_at=began, over_at=over, usual=0.5)
    desk.session.add_all([spike, Alarm(collector="x", kind="silent", why="quiet", raised_at=began, over_at=over)])
    desk.session.flush()
    desk.session.add(SpikePost(spike_id=spike.id, mention_id=desk.hear()))
    desk.session.commit()
    found = of(desk)
    assert (len(found.spikes), len(found.alarms)) == (told, told)


@pytest.mark.parametrize(("reason", "said"), [("nothing_to_do", ("patient", "complaint")), ("joke", ("other", None))])
def test_a_complaint_with_nothing_to_do_is_still_one(desk: Any, reason: str, said: tuple[str, str | None]) -> None:
    desk.alert()
    desk.act("not_for_us", reason=reason)
    (one,) = heard_between(desk.session, None, NOW)
    assert (one.voice, one.kind) == said


def test_whose_words_may_rise(desk: Any) -> None:
    """A patient's, praise too; no advert, no news, and nothing that was deleted; now and before."""
    for at in (SINCE - MINUTE, SINCE):
        for voice in ("patient", "promo", "news", "other"):
            desk.hear(voice, voice=voice, heard_at=at)
        desk.hear("kind", kind="praise", heard_at=at)
        desk.hear("gone", deleted_at=NOW, heard_at=at)
    words = of(desk).words
    assert [sorted(text for _, text in texts) for texts in (words.now, words.before)] == [["kind", "patient"]] * 2


def test_so_many_words_are_compared(desk: Any) -> None:
    """4,000 texts of 4,400 and 8,000 of 8,800 before: ten of eleven, from first to last."""
    for first, count, at in ((1, 4_400, SINCE), (5_001, 8_800, SINCE - WEEK)):
        id_ = desk.hear(heard_at=at, id=first)
        post = desk.session.get_one(Mention, id_).model_dump()
        read = desk.session.exec(select(Reading).where(Reading.mention_id == id_)).one().model_dump(exclude={"id"})
        others = range(first + 1, first + count)
        desk.session.execute(insert(Mention), [{**post, "id": other, "ref": f"o{other}"} for other in others])
        desk.session.execute(insert(Reading), [{**read, "mention_id": other} for other in others])
    desk.session.commit()
    words = of(desk).words
    assert [id_ for id_, _ in words.now] == [1 + number * 11 // 10 for number in range(4_000)]
    assert sorted(id_ for id_, _ in words.before) == [5_001 + number * 11 // 10 for number in range(8_000)]
