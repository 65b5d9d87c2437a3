"""When many posts are a spike, what is usual, and that one spike lives once: begun, grown, known, over."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from conftest import NOW
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from alerts.delivery import pending
from alerts.spikes import KNOWN, Spike, SpikePost, Told, TopicHour, know, needed, on_topic, spiking, usual_rate, watch
from config.schema import Spikes
from listener.errors import NeedsPerson
from listener.keep import forget
from listener.mention import Mention
from listener.watch import Watch
from nlp.reading import Reading

MINUTE, HOUR, DAY, WEEK = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
CHICAGO = ZoneInfo("America/Chicago")
WINDOW = timedelta(minutes=20)
SETTINGS = Spikes()


def told(count: int, authors: int | None = None, stories: int | None = None, nameless: bool = False) -> list[Told]:
    """So many posts a minute apart, by so many people, telling so many stories."""
    return [
        Told(n, NOW - n * MINUTE, None if nameless else f"x:a{n % (authors or count)}", n % (stories or count))
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("posts", "usual", "is_spike"),
    [
        (told(4), 0.0, False),
        (told(5), 0.0, True),
        (told(5, authors=3), 0.0, False),  # three people who go on about it
        (told(5, authors=4), 0.0, True),
        (told(14, stories=1), 0.0, False),  # a story that is passed on is no outage
        (told(14, stories=4), 0.0, False),
        (told(14, stories=5), 0.0, True),
        (told(5, nameless=True), 0.0, True),  # the form in the waiting room asks for no name
        (told(5), 0.3, False),
        (told(6), 0.3, True),
        (told(14), 0.3, True),
        (told(14), 8.0, False),
        (told(60), 8.0, True),
        ([], 0.0, False),
    ],
)
def test_what_a_spike_is(posts: Sequence[Told], usual: float, is_spike: bool) -> None:
    burst = spiking(posts, usual, SETTINGS)
    assert (burst is not None) is is_spike
    if burst:
        assert burst.posts == len({post.story for post in posts})
        assert burst.since == min(post.at for post in posts)


def test_a_story_belongs_to_who_told_it_first() -> None:
    first = [Told(n, NOW + n * MINUTE, "x:one", n) for n in range(5)]
    copies = [Told(10 + n, NOW + HOUR, f"x:a{n}", n) for n in range(5)]
    assert spiking([*copies, *first], 0.0, SETTINGS) is None, "one person said all of it"


@given(st.floats(0, 200), st.floats(0, 200), st.integers(5, 30))
def test_the_more_is_usual_the_more_is_needed(one: float, other: float, posts: int) -> None:
    settings = Spikes(posts=posts)
    less, more = sorted((one, other))
    assert posts <= needed(less, settings) <= needed(more, settings)
    assert needed(more, settings) > more


def history(weeks: float, posts: int = 0, **at_hour: int) -> dict[datetime, int]:
    """Every hour of the last weeks with so many posts, and more at certain hours (h9=30: nine o'clock in Chicago)."""
    hours = [NOW.replace(minute=0) - number * HOUR for number in range(int(weeks * 7 * 24))]
    return {at: at_hour.get(f"h{at.astimezone(CHICAGO).hour}", posts) for at in hours}


@pytest.mark.parametrize(
    ("hours", "low", "high"),
    [
        ({}, 4, 4),  # nothing is known: as it was guessed
        (history(1 / 7), 0.3, 1.5),  # a day of silence
        (history(1), 0.0, 0.15),
        (history(8), 0.0, 0.01),  # eight weeks of it
        (history(8, posts=3), 0.99, 1.02),  # three an hour are one in twenty minutes
        (history(8, h8=30, h9=30, h10=30), 9, 10),  # it is nine: so it is every day
        (history(8, h20=30), 0.0, 0.1),  # it is nine: that is the evening
        ({NOW - 9 * WEEK - number * HOUR: 50 for number in range(99)}, 4, 4),  # older than counts
        ({NOW.replace(minute=0): 60}, 4, 4),  # the hour that is not over: this may be the spike itself
        ({NOW - HOUR: 60}, 8, 20),  # the one before
    ],
)
def test_what_is_usual(hours: dict[datetime, int], low: float, high: float) -> None:
    assert low <= usual_rate(hours, NOW + 30 * MINUTE, CHICAGO, WINDOW, guess=4.0) <= high


def test_an_hour_of_the_week_is_the_hospitals() -> None:
    """Summer time ends in between: nine o'clock stays nine o'clock."""
    october = datetime(2026, 10, 26, 14, tzinfo=UTC)  # 09:00 in Chicago, as 15:00 is in November
    hours = history(8) | {october - n * WEEK: 40 for n in range(3)}
    nine, six = (usual_rate(hours, at, CHICAGO, WINDOW, 4.0) for at in (NOW, NOW - 3 * HOUR))
    assert nine > 10 * six


@given(st.dictionaries(st.datetimes(timezones=st.just(UTC)), st.integers(0, 10**6), max_size=20))
def test_no_history_breaks_it(hours: dict[datetime, int]) -> None:
    assert usual_rate(hours, NOW, CHICAGO, WINDOW, 0.1) >= 0


# ---------------------------------------------------------------- the stage

PORTAL = [{"id": "digital", "score": 0.9, "words": []}]
QUIET = timedelta(weeks=2)


@pytest.fixture
def calm(desk: Any) -> Any:
    """Two weeks in which somebody spoke of parking in every hour, and nobody of the portal."""
    for number in range(int(QUIET / HOUR)):
        desk.session.add(TopicHour(topic="parking", hour=NOW - (number + 1) * HOUR, posts=1))
    desk.session.commit()
    return desk


def hear(desk: Any, count: int, now: datetime = NOW, **said: Any) -> list[int]:
    """So many posts about the portal in the minutes before `now`."""
    said = {"categories": PORTAL, "written_at": None, **said}
    at = said.pop("written_at")
    return [desk.hear("the portal is down", written_at=at or now - n * MINUTE, **said) for n in range(count)]


def spikes(session: Session) -> list[Spike]:
    session.expire_all()
    return list(session.exec(select(Spike).order_by(col(Spike.id))))


def of_it(session: Session, spike: Spike) -> set[int]:
    return set(session.exec(select(SpikePost.mention_id).where(SpikePost.spike_id == spike.id)))


def hours(session: Session, topic: str = "digital") -> dict[datetime, int]:
    rows = select(TopicHour.hour, TopicHour.posts).where(TopicHour.topic == topic)
    return dict(session.exec(rows).all())


def test_a_spike_begins_grows_and_ends(calm: Any) -> None:
    posts = hear(calm, 4)
    assert watch(calm.session, calm.config, NOW) == 0
    posts += hear(calm, 2)
    assert watch(calm.session, calm.config, NOW) == 1
    (spike,) = spikes(calm.session)
    assert (spike.topic, spike.began_at, spike.over_at, spike.version) == ("digital", NOW - 3 * MINUTE, None, 1)
    assert spike.usual < 0.3
    assert of_it(calm.session, spike) == set(posts)

    later = NOW + 10 * MINUTE
    posts += hear(calm, 3, later)
    assert watch(calm.session, calm.config, later) == 1
    (spike,) = spikes(calm.session)
    assert (spike.version, of_it(calm.session, spike)) == (2, set(posts))
    assert on_topic(calm.session, ["parking", "digital"], later) == spike
    assert on_topic(calm.session, ["parking"], later) is None

    over = later + 21 * MINUTE
    assert watch(calm.session, calm.config, over) == 1, "nothing new is said, and that is the news"
    (spike,) = spikes(calm.session)
    assert (spike.over_at, spike.version) == (over, 3)
    assert on_topic(calm.session, ["digital"], over) is None
    assert on_topic(calm.session, ["digital"], later) == spike, "at that time it was on"
    assert watch(calm.session, calm.config, over + HOUR) == 0


def test_while_it_is_on_there_is_no_second_one_and_afterwards_there_may_be(calm: Any) -> None:
    hear(calm, 12)
    watch(calm.session, calm.config, NOW)
    hear(calm, 12)
    watch(calm.session, calm.config, NOW)
    assert len(spikes(calm.session)) == 1
    watch(calm.session, calm.config, NOW + HOUR)
    hear(calm, 12, NOW + 3 * HOUR)
    watch(calm.session, calm.config, NOW + 3 * HOUR)
    assert [spike.over_at is None for spike in spikes(calm.session)] == [False, True]


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "praise"},
        {"kind": "comment"},
        {"voice": "news"},
        {"own": True},
        {"written_at": NOW - 2 * HOUR},  # heard late
        {"written_at": NOW + HOUR},  # a clock that is wrong
        {"author": "one"},
        {"categories": [{"id": "of an older keywords.toml", "score": 1, "words": []}]},
        {"story": 1},
    ],
    ids=str,
)
def test_what_is_no_spike(calm: Any, said: dict[str, Any]) -> None:
    hear(calm, 1)
    hear(calm, 12, **said)
    assert watch(calm.session, calm.config, NOW) == 0


@pytest.mark.parametrize("said", [{"kind": "question"}, {"urgency": "danger"}, {"author": None}], ids=str)
def test_what_is_one(calm: Any, said: dict[str, Any]) -> None:
    hear(calm, 12, **said)
    assert watch(calm.session, calm.config, NOW) == 1


def test_what_is_gone_counts_no_more(calm: Any) -> None:
    posts = hear(calm, 8)
    forget(calm.session, posts[:4], "deleted", NOW)
    calm.session.commit()
    assert watch(calm.session, calm.config, NOW) == 0
    assert sum(hours(calm.session).values()) == 8, "it was said all the same"


@pytest.mark.parametrize(("others", "posts"), [(0, 5), (1, 6), (3, 7), (10, 13)])
def test_on_the_first_day_a_spike_stands_out_from_what_else_is_said(desk: Any, others: int, posts: int) -> None:
    for number in range(others):
        name = ("waiting", "billing", "food", "parking", "attitude")[number % 5]
        hear(desk, 1, categories=[{"id": name, "score": 0.9, "words": []}])
    hear(desk, posts - 1)
    assert watch(desk.session, desk.config, NOW) == 0
    hear(desk, 1)
    assert watch(desk.session, desk.config, NOW) == 1
    (spike,) = spikes(desk.session)
    assert spike.topic == "digital"


def test_the_first_busy_hour_of_a_big_hospital_is_no_spike_of_every_topic(desk: Any) -> None:
    """Three thousand posts a day: at noon 25 in 20 minutes ask for an answer, and each speaks of two topics."""
    for names in (
        ("communication", "waiting"),
        ("safety", "clinical_care"),
        ("access", "attitude"),
        ("billing", "food"),
    ):
        hear(desk, 6, categories=[{"id": name, "score": 0.9, "words": []} for name in names])
    assert watch(desk.session, desk.config, NOW) == 0
    hear(desk, 16)
    assert watch(desk.session, desk.config, NOW) == 0
    hear(desk, 10)
    assert watch(desk.session, desk.config, NOW) == 1, "and yet the portal is one"


def test_two_topics_of_the_same_posts_are_one_matter(calm: Any) -> None:
    both = [{"id": "access", "score": 0.9, "words": []}, *PORTAL]
    hear(calm, 8, categories=both)
    hear(calm, 3)
    assert watch(calm.session, calm.config, NOW) == 1
    assert [spike.topic for spike in spikes(calm.session)] == ["digital"]
    hear(calm, 8, categories=both)
    watch(calm.session, calm.config, NOW)
    assert len(spikes(calm.session)) == 1
    hear(calm, 8, categories=both[:1])
    watch(calm.session, calm.config, NOW)
    assert [spike.topic for spike in spikes(calm.session)] == ["digital", "access"], "these speak of nothing else"


def test_hours_count_each_story_once(desk: Any) -> None:
    first = hear(desk, 3, written_at=NOW - HOUR)
    hear(desk, 5, written_at=NOW - HOUR, story=first[0])
    watch(desk.session, desk.config, NOW)
    watched = hours(desk.session)
    assert sum(watched.values()) == 3
    desk.read(first[0], categories=PORTAL, pipeline_version="2")
    watch(desk.session, desk.config, NOW)
    assert hours(desk.session) == watched, "read again, counted once"
    desk.read(first[1], kind="praise", pipeline_version="2")
    watch(desk.session, desk.config, NOW)
    assert sum(hours(desk.session).values()) == 2, "the reading in force counts"


def test_cut_off_it_begins_again_where_it_was(calm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hear(calm, 12)
    with monkeypatch.context() as broken:
        broken.setattr(Session, "commit", lambda self: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            watch(calm.session, calm.config, NOW)
    calm.session.rollback()
    assert (spikes(calm.session), hours(calm.session)) == ([], {})
    assert watch(calm.session, calm.config, NOW) == 1
    assert sum(hours(calm.session).values()) == 12


def test_an_old_database_is_counted_before_anything_seems_unusual(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerts.spikes._BATCH", 10)
    hear(desk, 38, written_at=NOW - MINUTE)
    assert [watch(desk.session, desk.config, NOW) for _ in range(5)] == [0, 0, 0, 1, 0]
    assert sum(hours(desk.session).values()) == 38


def test_what_we_know_is_kept_with_who_said_it(calm: Any) -> None:
    hear(calm, 12)
    watch(calm.session, calm.config, NOW)
    card = pending("spike", "spike:1", "ops", 1, NOW)
    card.state, card.next_try_at = "sent", NOW + MINUTE
    calm.session.add(card)
    calm.session.commit()
    spike = know(calm.session, 1, " The portal is down  for everyone. ", "U0ANA", NOW)
    assert (spike.known, spike.known_by, spike.version) == ("The portal is down for everyone.", "U0ANA", 2)
    assert calm.rows()[0].next_try_at == NOW, "its card must not wait for its minute"
    know(calm.session, 1, "It works again.", "ben", NOW)
    found = on_topic(calm.session, ["digital"], NOW)
    assert found is not None
    assert (found.known, found.known_by) == ("It works again.", "ben")


@pytest.mark.parametrize(
    ("number", "text", "sentence"),
    [
        (1, "", "takes 1 to"),
        (1, " \n", "takes 1 to"),
        (1, "x" * (KNOWN + 1), f"at most|{KNOWN + 1}"),
        (7, "It works.", "not known"),
        (2, "It works.", "over"),
    ],
)
def test_what_cannot_be_kept_is_said(desk: Any, number: int, text: str, sentence: str) -> None:
    usual: dict[str, Any] = {"began_at": NOW, "seen_at": NOW, "usual": 0.3}
    desk.session.add(Spike(id=1, topic="digital", **usual))
    desk.session.add(Spike(id=2, topic="parking", over_at=NOW, **usual))
    desk.session.commit()
    with pytest.raises(NeedsPerson, match=sentence):
        know(desk.session, number, text, "U0ANA", NOW)


@pytest.mark.slow
def test_with_nothing_to_do_it_costs_next_to_nothing(desk: Any) -> None:
    at = [NOW - number * MINUTE for number in range(60_000)]
    post = {"collector": "x", "source": "x", "text": "", "revision": 1}
    rows = [{**post, "ref": str(n), "written_at": t, "heard_at": t, "looked_at": t} for n, t in enumerate(at)]
    desk.session.bulk_insert_mappings(Mention.__mapper__, rows)  # type: ignore[attr-defined]
    said: dict[str, Any] = {
        **{"revision": 1, "pipeline_version": "1", "read_at": NOW, "mentions_us": [], "departments": []},
        **{"voice": "patient", "kind": "complaint", "categories": PORTAL, "mood": 0, "urgency": "routine"},
        **{"reasons": [], "language": "en", "readable": True, "redacted_text": ""},
    }
    readings = [{**said, "mention_id": n + 1} for n in range(len(rows))]
    desk.session.bulk_insert_mappings(Reading.__mapper__, readings)  # type: ignore[attr-defined]
    desk.session.add(Watch(name="spikes", cursor={"reading": len(rows)}))
    desk.session.commit()
    took = []
    for _ in range(20):
        began = perf_counter()
        watch(desk.session, desk.config, NOW)
        took.append(perf_counter() - began)
    assert min(took) < 0.003
