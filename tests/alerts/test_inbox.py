"""The lines of the inbox: their order, what each says, and how often the database is asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event
from sqlmodel import Session

from alerts import inbox
from alerts.case import Case, changed, move, snooze
from alerts.inbox import Counts, Line
from alerts.people import met
from alerts.verdict import Verdict
from alerts.view import foremost, posts_of
from config.schema import Config
from listener import keep
from nlp.reading import URGENCIES

MINUTE = timedelta(minutes=1)


def lines(desk: Any, *cases: int, config: Config | None = None) -> list[Line]:
    return inbox.lines(desk.session, config or desk.config, [desk.case(one) for one in cases], NOW)


def joins(desk: Any, case_id: int, **said: Any) -> int:
    """A further post of a case."""
    mention_id: int = desk.hear(**said)
    desk.session.add(
        Verdict(
            reading_id=mention_id, mention_id=mention_id, outcome="alert", channel="care", reason="joins",
            case_id=case_id, decided_at=NOW,
        )
    )  # fmt: skip
    desk.case(case_id).posts += 1
    desk.session.commit()
    return mention_id


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The questions that the database is asked meanwhile."""
    asked: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)


# ---------------------------------------------------------------- which, and in which order


def test_danger_comes_first_then_the_least_time_left_and_what_sleeps_last(desk: Any, config: Config) -> None:
    for urgency, ago in (("routine", 1), ("routine", 9), ("danger", 0), ("routine", 20), ("danger", 2)):
        desk.alert(urgency=urgency, written_at=NOW - ago * MINUTE)
    snooze(desk.session, desk.case(4), NOW + MINUTE, "they are on it", "ana", NOW)
    desk.session.commit()
    found = inbox.waiting(desk.session, config, NOW, 50)
    assert [line.case_id for line in found] == [5, 3, 2, 1, 4]
    assert [line.case_id for line in inbox.waiting(desk.session, config, NOW, 3)] == [5, 3, 2]
    assert found[4].snoozed_until == NOW + MINUTE


def test_everybody_has_their_own_list(desk: Any, config: Config) -> None:
    for _ in range(4):
        desk.alert()
    desk.act("claim", who="ana", case_id=1)
    desk.act("claim", who="ben", case_id=2)
    move(desk.session, 3, "dismissed", "ana", "not for us", NOW)
    of = {
        "free": inbox.waiting(desk.session, config, NOW, 50),
        "ana": inbox.waiting(desk.session, config, NOW, 50, "ana"),
        "ben": inbox.waiting(desk.session, config, NOW, 50, "ben"),
        "not ana": inbox.of_others(desk.session, config, NOW, 50, "ana"),
    }
    assert {who: [line.case_id for line in found] for who, found in of.items()} == {
        "free": [4], "ana": [1], "ben": [2], "not ana": [2],
    }  # fmt: skip


def test_the_clock_of_what_sleeps_stands_still(desk: Any) -> None:
    desk.alert()
    due = desk.case().due_at
    snooze(desk.session, desk.case(), NOW + 30 * MINUTE, "they are on it", "ana", NOW - 10 * MINUTE)
    desk.session.commit()
    assert lines(desk, 1)[0].due_at == due + 10 * MINUTE


def test_how_many_wait(desk: Any) -> None:
    assert inbox.counts(desk.session) == Counts({}, {})
    for urgency in ("routine", "danger", "routine", "serious", "routine"):
        desk.alert(urgency=urgency)
    desk.act("claim", case_id=1)
    desk.act("claim", case_id=4)
    move(desk.session, 3, "dismissed", "ana", "not for us", NOW)
    counts = inbox.counts(desk.session)
    assert list(counts.free.items()) == [("danger", 1), ("routine", 1)]
    assert list(counts.all.items()) == [("danger", 1), ("serious", 1), ("routine", 2)]


# ---------------------------------------------------------------- what a line says


def test_a_line_says_what_was_read_and_nothing_of_its_author(desk: Any) -> None:
    desk.alert(
        "Dr. Adams left my mom Cathy waiting",
        redacted_text="Dr. Adams left my mom [name] waiting",
        departments=["Emergency"],
        site="Harbor Campus",
        categories=[
            {"id": name, "score": 0.9, "words": []} for name in ("waiting", "lost_property", "billing", "food")
        ],
        author="cathys_son",
        author_name="Cathy's son",
    )
    (line,) = lines(desk, 1)
    assert (line.excerpt, line.site, line.departments) == (
        "Dr. Adams left my mom [name] waiting", "Harbor Campus", ["Emergency"],
    )  # fmt: skip
    titles = desk.config.keywords.categories
    assert line.topics == [titles["waiting"].title, "Lost property", titles["billing"].title]
    assert (line.state, line.owner, line.owner_name, line.gone, line.posts) == ("open", None, None, None, 1)
    assert "athy" not in repr(line)


def test_a_long_post_is_told_by_its_beginning(desk: Any) -> None:
    desk.alert("waited " * 20_000)
    assert len(lines(desk, 1)[0].excerpt) <= 240


def test_topics_are_those_that_a_person_corrected(desk: Any) -> None:
    desk.alert(categories=[{"id": "waiting", "score": 0.9, "words": []}])
    for topics, shown in ((["billing"], [desk.config.keywords.categories["billing"].title]), ([], [])):
        desk.case().topics = topics
        changed(desk.session, desk.case(), NOW, "ana", "topics", "corrected")
        desk.session.commit()
        assert lines(desk, 1)[0].topics == shown


def test_the_most_urgent_post_speaks_for_its_case(desk: Any) -> None:
    desk.alert("first", written_at=NOW - 9 * MINUTE)
    joins(desk, 1, text="worse", urgency="serious", written_at=NOW - 5 * MINUTE)
    joins(desk, 1, text="as bad", urgency="serious", written_at=NOW - 3 * MINUTE)
    joins(desk, 1, text="thanks", urgency="low", written_at=NOW - 1 * MINUTE)
    assert [(line.excerpt, line.posts) for line in lines(desk, 1)] == [("worse", 4)]


def test_an_edited_post_says_what_it_now_says(desk: Any) -> None:
    first = desk.alert("waited")
    desk.edit(first, "still waiting", NOW)
    assert lines(desk, first)[0].excerpt == "still waiting"


def test_of_a_post_that_is_gone_no_word_is_left(desk: Any) -> None:
    desk.alert("worst", urgency="serious")
    keep.forget(desk.session, [1], "deleted by its author", NOW)
    desk.session.commit()
    (line,) = lines(desk, 1)
    assert (line.excerpt, line.gone) == ("", "deleted by its author")
    joins(desk, 1, text="and I waited too", urgency="low")
    (line,) = lines(desk, 1)
    assert (line.excerpt, line.gone) == ("and I waited too", None)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(URGENCIES), st.integers(0, 3), st.booleans()), max_size=5))
def test_the_inbox_and_the_card_show_the_same_post(desk: Any, further: list[tuple[str, int, bool]]) -> None:
    case_id = desk.alert("the first")
    for number, (urgency, ago, is_gone) in enumerate(further):
        mention_id = joins(desk, case_id, text=f"post {number}", urgency=urgency, written_at=NOW - ago * MINUTE)
        keep.forget(desk.session, [mention_id] if is_gone else [], "gone", NOW)
    desk.session.commit()
    mention, reading = foremost(posts_of(desk.session, desk.case(case_id)))
    (line,) = lines(desk, case_id)
    assert (line.excerpt, line.gone) == ("" if mention.deleted_at else reading.redacted_text, mention.deleted_why)


def test_of_a_case_that_hundreds_joined_the_first_posts_are_looked_through(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "_POSTS", 2)
    desk.alert("first")
    joins(desk, 1, text="second", urgency="serious")
    joins(desk, 1, text="third", urgency="danger")
    assert lines(desk, 1)[0].excerpt == "second"


@pytest.mark.parametrize(
    ("owner", "name"),
    [("U0ANA0001", "Ana in Slack"), ("ben", "Ben Ortiz"), ("U0CARLA01", "Carla"), ("dora", "dora"), ("emil", "emil")],
)
def test_who_has_a_case_is_named_as_colleagues_know_them(desk: Any, config: Config, owner: str, name: str) -> None:
    seats = {
        "ben": {"role": "care", "name": "Ben Ortiz"},
        "carla": {"role": "care", "name": "Carla", "slack": "U0CARLA01"},
        "dora": {"role": "care"},
    }
    center = config.care.center.model_validate(config.care.center.model_dump() | {"people": seats})
    config = config.model_copy(update={"care": config.care.model_copy(update={"center": center})})
    met(desk.session, "U0ANA0001", "Ana in Slack")
    desk.alert()
    desk.act("claim", who=owner)
    assert [(line.owner, line.owner_name) for line in lines(desk, 1, config=config)] == [(owner, name)]


# ---------------------------------------------------------------- how much is asked


def test_the_database_is_asked_as_often_for_one_case_as_for_many(desk: Any, engine: Engine, config: Config) -> None:
    asked = []
    for more in (1, 10):
        for _ in range(more):
            joins(desk, desk.alert())
            desk.act("claim", case_id=len(desk.cases()))
        desk.session.commit()
        with Session(engine) as session, counted(engine) as statements:
            found = inbox.waiting(session, config, NOW, 100, "ana")
        assert len(found) == len(desk.cases())
        asked.append([one for one in statements if one.startswith(("SELECT", "WITH"))])
        desk.session.commit()
    assert len(asked[0]) == len(asked[1]) == 3


def test_nothing_waits(desk: Any, config: Config) -> None:
    assert inbox.waiting(desk.session, config, NOW, 50) == []
    assert inbox.lines(desk.session, config, [], NOW) == []
    assert not desk.session.get(Case, 1)
