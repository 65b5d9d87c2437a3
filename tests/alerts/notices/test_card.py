"""Which cases get a card, where and when: in a burst the least urgent fold, danger never does, a new round is a new card."""

from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import Session, SQLModel, select

from alerts.case import RANK
from alerts.delivery import Fold

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
MOST = 12  # cards a minute, of care.toml


def cards(desk: Any) -> list[int]:
    return [row.case_id for row in desk.rows() if row.kind == "card"]


def folded(desk: Any) -> list[int]:
    return sorted(fold.case_id for fold in desk.session.exec(select(Fold)))


def burst(desk: Any, count: int, at: Any = NOW, **said: Any) -> None:
    for number in range(count):
        desk.hear(f"post {number} of {at:%H%M%S}", written_at=at, **said)
    desk.decide(at)


@pytest.mark.parametrize("count", [1, MOST, MOST + 1, 40])
def test_what_is_too_much_for_a_minute_folds(desk: Any, paper: Any, count: int) -> None:
    burst(desk, count)
    desk.deliver(paper)
    assert len(cards(desk)) == min(count, MOST)
    assert len(folded(desk)) == max(0, count - MOST)
    assert sorted([*cards(desk), *folded(desk)]) == list(range(1, count + 1)), "each is somewhere, none twice"
    assert len([row for row in desk.rows() if row.kind == "fold"]) == (count > MOST)


def test_the_number_is_that_of_the_file(desk: Any, paper: Any) -> None:
    care = desk.config.care
    bursts = care.bursts.model_copy(update={"cards": 3})
    desk.config = desk.config.model_copy(update={"care": care.model_copy(update={"bursts": bursts})})
    burst(desk, 10)
    desk.deliver(paper)
    assert len(cards(desk)) == 3


def test_danger_never_folds_and_takes_no_room(desk: Any, paper: Any) -> None:
    burst(desk, 30, urgency="danger")
    burst(desk, MOST)
    desk.deliver(paper)
    assert len(cards(desk)) == 30 + MOST
    assert folded(desk) == []
    assert paper.channels()[:30] == ["danger"] * 30


def test_the_least_urgent_fold(desk: Any, paper: Any) -> None:
    burst(desk, 10)
    burst(desk, 10, urgency="here_now")
    burst(desk, 5, urgency="serious")
    desk.deliver(paper)
    assert {desk.case(number).urgency for number in folded(desk)} == {"routine", "serious"}
    assert sum(desk.case(number).urgency == "here_now" for number in cards(desk)) == 10
    assert sum(desk.case(number).urgency == "routine" for number in cards(desk)) == 0


def test_each_channel_for_itself(desk: Any, paper: Any) -> None:
    burst(desk, 15)
    burst(desk, 5, categories=[{"id": "privacy", "score": 1.0, "words": []}])
    desk.deliver(paper)
    assert {desk.case(number).channel for number in folded(desk)} == {"care"}


def test_after_a_minute_there_is_room_again(desk: Any, paper: Any) -> None:
    burst(desk, 13)
    desk.deliver(paper)
    burst(desk, 2, NOW + 30 * SECOND)
    desk.deliver(paper, NOW + 30 * SECOND)
    assert len(folded(desk)) == 3
    burst(desk, 2, NOW + 61 * SECOND)
    desk.deliver(paper, NOW + 61 * SECOND)
    assert len(folded(desk)) == 3
    assert len(cards(desk)) == 14


@pytest.mark.parametrize(("minutes", "folds"), [(9, 1), (11, 2)])
def test_one_fold_a_burst(desk: Any, paper: Any, minutes: int, folds: int) -> None:
    burst(desk, 20)
    desk.deliver(paper)
    burst(desk, 20, NOW + minutes * MINUTE)
    desk.deliver(paper, NOW + minutes * MINUTE)
    assert len([row for row in desk.rows() if row.kind == "fold"]) == folds


def test_a_folded_case_gets_its_card_when_somebody_takes_it(desk: Any, paper: Any) -> None:
    burst(desk, 14)
    desk.deliver(paper)
    number = folded(desk)[0]
    desk.act("claim", "U0ANA1", case_id=number)
    desk.deliver(paper, NOW + 2 * SECOND)
    assert cards(desk)[-1] == number


@pytest.mark.parametrize(
    "action", [("answered", {}), ("not_for_us", {"reason": "joke"}), ("close", {"outcome": "fixed"})]
)
def test_a_folded_case_that_is_over_needs_no_card(desk: Any, paper: Any, action: tuple[str, dict[str, str]]) -> None:
    burst(desk, 13)
    desk.deliver(paper)
    (number,) = folded(desk)
    desk.act(action[0], case_id=number, **action[1])
    desk.deliver(paper, NOW + HOUR)
    assert number not in cards(desk)


def test_a_folded_case_that_becomes_danger_is_a_card_at_once(desk: Any, paper: Any) -> None:
    burst(desk, MOST)
    number = desk.alert(ref="1", author="kim")
    desk.deliver(paper)
    assert folded(desk) == [number]
    desk.alert("he fell", ref="2", thread="1", author="kim", urgency="danger", now=NOW + SECOND)
    desk.deliver(paper, NOW + SECOND)
    (row,) = [row for row in desk.rows() if row.channel == "danger"]
    assert (row.case_id, row.rank, row.state) == (number, 0, "sent")


def test_reopened_it_gets_a_new_card_though_it_was_folded(desk: Any, paper: Any) -> None:
    burst(desk, MOST)
    number = desk.alert(ref="1", author="kim")
    desk.deliver(paper)
    desk.act("answered", case_id=number)
    again = NOW + 2 * HOUR
    desk.alert("still", ref="2", thread="1", author="kim", written_at=again, now=again)
    desk.deliver(paper, again)
    (row,) = [row for row in desk.rows() if row.about == f"case:{number}:2"]
    assert (row.case_id, row.round) == (number, 2)


urgencies = st.lists(st.sampled_from(list(RANK)), max_size=30)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(minutes=st.lists(urgencies, min_size=1, max_size=3))
def test_each_case_is_told_once_and_every_danger_by_itself(
    desk: Any, paper: Any, engine: Engine, minutes: list[list[str]]
) -> None:
    desk.session.rollback()
    with Session(engine) as session:
        for table in reversed(SQLModel.metadata.sorted_tables):
            session.execute(table.delete())
        session.commit()
    paper.posts.clear()
    for number, urgencies_ in enumerate(minutes):
        at = NOW + number * MINUTE
        for urgency in urgencies_:
            desk.hear(f"{number} {urgency}", urgency=urgency, written_at=at)
        desk.decide(at)
        desk.deliver(paper, at)
    numbers = [case.id for case in desk.cases()]
    assert sorted([*cards(desk), *folded(desk)]) == numbers
    danger = {case.id for case in desk.cases() if case.urgency == "danger"}
    assert danger <= set(cards(desk))
    assert {row.state for row in desk.rows()} <= {"sent"}
