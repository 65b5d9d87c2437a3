"""Every post reviewed: the sum, and the name of whatever is missing from it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW
from hypothesis import given
from hypothesis import strategies as st

from alerts.figures import STUCK_AFTER, Heard, heard_between
from alerts.ledger import ledger
from listener.errors import NeedsPerson
from listener.mention import Mention

MINUTE = timedelta(minutes=1)
HEARD = Heard(
    1, "x", "x", NOW, voice="patient", kind="complaint", urgency="routine", redacted_text="words",
    outcome="alert", reason="rule 'a': b", case_id=1, card_sent=True,
)  # fmt: skip
YOUNG, OLD = NOW + STUCK_AFTER, NOW + STUCK_AFTER + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({}, "alerted"),
        ({"outcome": "digest", "case_id": None, "card_sent": False}, "in_digest"),
        ({"outcome": "dismiss", "case_id": None, "card_sent": False}, "dismissed"),
        ({"voice": None, "outcome": None, "reason": None}, "not read"),
        ({"outcome": None, "reason": None}, "not decided"),
        ({"card_sent": False}, "card not delivered"),
        ({"case_id": None}, "card not delivered"),
        ({"outcome": "dismiss", "reason": None}, "dismissed without a reason"),
        ({"outcome": "dismiss", "reason": ""}, "dismissed without a reason"),
        ({"outcome": "digest", "digest_held": NOW}, "digest not delivered"),
        ({"outcome": None, "voice": None, "deleted": True}, "dismissed"),
        ({"outcome": None, "deleted": True}, "dismissed"),
    ],
)
def test_where_a_mention_is(changes: dict[str, Any], where: str) -> None:
    one = replace(HEARD, **changes)
    young, old = ledger([one], YOUNG), ledger([one], OLD)
    if where in ("alerted", "in_digest", "dismissed"):
        assert getattr(young, where) == getattr(old, where) == 1
        assert old.adds_up
    else:
        assert old.stuck == {where: 1}
        assert not old.adds_up
    assert young.adds_up, "what is younger than two passes is on the way"


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("the hospital's own post", "the hospital's own post"),
        ("rule 'adverts, job offers and spam': voice promo: 'apply now'", "rule adverts, job offers and spam"),
        ("rule \"patients' jokes\": voice other: 'lol'", "rule patients' jokes"),
        ("rule 'a: b': complaint, routine", "rule a: b"),
        ("rule 'bare'", "rule bare"),
    ],
)
def test_reasons_carry_no_word_of_a_post(reason: str, shown: str) -> None:
    assert ledger([replace(HEARD, outcome="dismiss", reason=reason)], NOW).reasons == {shown: 1}


def test_deleted_before_it_was_read_has_a_reason() -> None:
    sum_ = ledger([replace(HEARD, outcome=None, voice=None, reason=None, deleted=True)], OLD)
    assert sum_.reasons == {"deleted at its place before it was read": 1}


def test_nothing_heard_adds_up() -> None:
    assert ledger([], NOW).adds_up


heard = st.builds(
    replace,
    st.just(HEARD),
    heard_at=st.sampled_from([NOW, NOW - MINUTE, NOW - 60 * MINUTE]),
    voice=st.sampled_from([None, "patient"]),
    outcome=st.sampled_from([None, "alert", "digest", "dismiss"]),
    reason=st.sampled_from([None, "rule 'a': b"]),
    case_id=st.sampled_from([None, 1]),
    card_sent=st.booleans(),
    deleted=st.booleans(),
    digest_held=st.sampled_from([None, NOW - 60 * MINUTE]),
)


@given(st.lists(heard, max_size=30))
def test_nothing_is_counted_twice_or_not_at_all(many: list[Heard]) -> None:
    sum_ = ledger(many, NOW)
    counted = sum_.alerted + sum_.in_digest + sum_.dismissed + sum_.on_the_way + sum(sum_.stuck.values())
    assert counted == sum_.collected == len(many)
    assert sum_.adds_up is not bool(sum_.stuck)
    assert sum(sum_.reasons.values()) == sum_.dismissed


# ---------------------------------------------------------------- over the real tables


def test_the_sum_over_the_flow(desk: Any, paper: Any) -> None:
    for said in ({}, {"kind": "praise"}, {"voice": "promo", "kind": None}, {"urgency": "danger"}, {"own": True}):
        desk.hear(**said)
    desk.hear("not yet read", read=False)
    desk.decide()
    before = ledger(heard_between(desk.session, None, NOW), NOW)
    assert (before.collected, before.on_the_way, before.alerted) == (6, 1, 2), "a card that waits its turn counts"
    desk.deliver(paper)
    after = ledger(heard_between(desk.session, None, NOW), NOW)
    assert (after.alerted, after.in_digest, after.dismissed, after.on_the_way) == (2, 1, 2, 1)
    late = ledger(heard_between(desk.session, None, NOW), NOW + 10 * MINUTE)
    assert late.stuck == {"not read": 1}


def test_danger_with_only_its_old_card_is_not_alerted(desk: Any, paper: Any) -> None:
    desk.alert(ref="1", author="kim")
    desk.deliver(paper)
    desk.alert(ref="2", thread="1", author="kim", urgency="danger")
    paper.closed = {"danger": NeedsPerson("archived"), "care": NeedsPerson("archived")}
    desk.deliver(paper)
    later = NOW + 11 * MINUTE
    assert ledger(heard_between(desk.session, None, NOW), later).stuck == {"card not delivered": 2}
    del paper.closed["care"]
    desk.deliver(paper, later)
    assert ledger(heard_between(desk.session, None, NOW), later).alerted == 2, "the page reached people"


def test_a_digest_that_cannot_be_sent_is_named(desk: Any, paper: Any) -> None:
    desk.hear(kind="praise")
    desk.decide()
    paper.closed["praise"] = NeedsPerson("archived")
    desk.deliver(paper, NOW + 60 * MINUTE)
    assert ledger(heard_between(desk.session, None, NOW), NOW + 61 * MINUTE).adds_up
    assert ledger(heard_between(desk.session, None, NOW), NOW + 71 * MINUTE).stuck == {"digest not delivered": 1}


def test_deleted_before_it_was_read(desk: Any) -> None:
    number = desk.hear(read=False)
    desk.session.get(Mention, number).deleted_at = NOW
    desk.session.commit()
    assert ledger(heard_between(desk.session, None, NOW), NOW + 60 * MINUTE).adds_up
