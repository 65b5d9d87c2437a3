"""In how many posts of a day each phrase was."""

from datetime import UTC, date, datetime, timedelta

import pytest
from desk import Desk
from sqlmodel import Session, col, select

from alerts.phrase_counts import ABOUT_US, PhraseCount, count, history
from config.schema import Config
from listener.watch import Watch

DAY = timedelta(days=1)
SATURDAY = date(2026, 11, 14)


def counted(desk: Desk, now: datetime) -> int:
    """How often it counts until everything is."""
    times = 0
    while count(desk.session, desk.config, now):
        times += 1
        assert times < 100
    return times


def rows(session: Session, day: date | None = None) -> dict[tuple[str, str], int]:
    found = session.exec(select(PhraseCount)).all()
    return {(one.list, one.phrase): one.posts for one in found if day in (None, one.day)}


def test_each_post_counts_once_for_each_phrase(desk: Desk, now: datetime) -> None:
    at = now - 2 * DAY
    for text in ("the portal is down, the portal is dead", "the portal again", "cold soup at St. Brigid's"):
        desk.hear(text, written_at=at)
    assert counted(desk, now) == 2, "the day, and the empty one after it"
    found = rows(desk.session)
    assert found[ABOUT_US, ""] == 3
    assert found["categories.digital", "portal"] == 2
    assert found["categories.food", "soup"] == 1
    assert 0 not in found.values()


@pytest.mark.parametrize(
    "said",
    [
        {"own": True},
        {"mentions_us": []},
        {"deleted_at": datetime(2026, 11, 15, tzinfo=UTC)},
    ],
)
def test_what_does_not_count(desk: Desk, now: datetime, said: dict[str, object]) -> None:
    desk.hear("the portal is down", written_at=now - 2 * DAY, **said)
    counted(desk, now)
    assert rows(desk.session) == {}


def test_what_comes_from_where_every_post_is_about_us_counts(desk: Desk, now: datetime) -> None:
    desk.hear("the portal is down", written_at=now - 2 * DAY, mentions_us=[], about_us=True)
    counted(desk, now)
    assert rows(desk.session)[ABOUT_US, ""] == 1


def test_a_post_that_was_read_again_counts_by_its_last_reading(desk: Desk, now: datetime) -> None:
    post = desk.hear("the portal is down", written_at=now - 2 * DAY)
    desk.read(post, pipeline_version="2", mentions_us=[])
    counted(desk, now)
    assert rows(desk.session) == {}


def test_an_exclusion_takes_no_danger_away(desk: Desk, now: datetime) -> None:
    desk.hear("see you at the fish fry of St. Brigid's", written_at=now - 2 * DAY)
    desk.hear("a man collapsed at the fish fry of St. Brigid's", written_at=now - 2 * DAY, urgency="danger")
    counted(desk, now)
    assert rows(desk.session)["exclude", "fish fry"] == 1


def test_a_name_that_is_not_ours(desk: Desk, now: datetime) -> None:
    desk.hear("bake sale at St. Brigid's School", written_at=now - 2 * DAY, mentions_us=[])
    counted(desk, now)
    assert rows(desk.session) == {("not_us", "St. Brigid's School"): 1}


def test_days_are_the_hospitals_and_only_those_that_are_over(desk: Desk, now: datetime) -> None:
    desk.hear("the portal is down", written_at=datetime(2026, 11, 15, 5, 59, tzinfo=UTC))  # 23:59 on Saturday
    desk.hear("the portal is down", written_at=datetime(2026, 11, 15, 6, 1, tzinfo=UTC))
    desk.hear("the portal is down", written_at=datetime(2026, 11, 16, 6, 1, tzinfo=UTC))  # today
    counted(desk, datetime(2026, 11, 16, 7, 59, tzinfo=UTC))  # 01:59: yesterday's posts may still be heard
    assert rows(desk.session, SATURDAY)["categories.digital", "portal"] == 1
    assert rows(desk.session, SATURDAY + DAY) == {}
    counted(desk, now)
    assert rows(desk.session, SATURDAY + DAY)["categories.digital", "portal"] == 1
    assert rows(desk.session, SATURDAY + 2 * DAY) == {}


def test_it_goes_no_farther_back_than_thirty_five_days(desk: Desk, now: datetime) -> None:
    for back in (35, 36):
        desk.hear("the portal is down", written_at=now - back * DAY)
    counted(desk, now)
    assert {row.day for row in desk.session.exec(select(PhraseCount))} == {date(2026, 10, 12)}


def test_a_day_of_many_posts_is_counted_in_parts(desk: Desk, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerts.phrase_counts._BATCH", 3)
    for _ in range(7):
        desk.hear("the portal is down", written_at=now - DAY)
    assert count(desk.session, desk.config, now)
    assert rows(desk.session)["categories.digital", "portal"] == 3
    assert count(desk.session, desk.config, now)
    assert count(desk.session, desk.config, now)
    assert rows(desk.session)["categories.digital", "portal"] == 7
    assert not count(desk.session, desk.config, now)


def test_what_is_old_goes(desk: Desk, now: datetime) -> None:
    desk.session.add(PhraseCount(list="exclude", phrase="fish fry", day=SATURDAY - 401 * DAY, posts=1))
    desk.session.add(PhraseCount(list="exclude", phrase="fish fry", day=SATURDAY - 390 * DAY, posts=1))
    desk.session.commit()
    counted(desk, now)
    assert [row.day for row in desk.session.exec(select(PhraseCount))] == [SATURDAY - 390 * DAY]


def test_no_transaction_is_open_while_it_counts(desk: Desk, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    from alerts import phrase_counts

    open_then: list[bool] = []
    real = phrase_counts.counted

    def looked(posts: object, config: Config) -> object:
        open_then.append(desk.session.in_transaction())
        return real(posts, config)  # type: ignore[arg-type]

    monkeypatch.setattr("alerts.phrase_counts.counted", looked)
    desk.hear("the portal is down", written_at=now - DAY)
    counted(desk, now)
    assert open_then == [False]


def test_what_another_copy_of_the_service_has_counted_meanwhile_is_not_counted_twice(
    desk: Desk, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alerts import phrase_counts

    real, did = phrase_counts.counted, []

    def other_is_faster(posts: object, config: Config) -> object:
        if not did:
            did.append(True)
            with Session(desk.session.get_bind()) as other:
                while count(other, config, now):
                    pass
        return real(posts, config)  # type: ignore[arg-type]

    monkeypatch.setattr("alerts.phrase_counts.counted", other_is_faster)
    desk.hear("the portal is down", written_at=now - DAY)
    counted(desk, now)
    assert rows(desk.session)["categories.digital", "portal"] == 1


def test_the_history_has_a_number_for_each_day_that_was_heard(session: Session) -> None:
    for back, posts in ((3, 10), (1, 12)):
        session.add(PhraseCount(list=ABOUT_US, phrase="", day=SATURDAY - back * DAY, posts=posts))
    session.add(PhraseCount(list="exclude", phrase="fish fry", day=SATURDAY - DAY, posts=4))
    session.commit()
    known = history(session, SATURDAY - 10 * DAY)
    assert known.posts == [10, 12]
    assert known.of("exclude", "fish fry") == [0, 4]
    assert known.of("exclude", "raffle") == [0, 0]
    assert session.exec(select(Watch).where(col(Watch.name) == "phrase counts")).first() is None
