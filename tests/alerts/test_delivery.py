"""What the table itself refuses: a second card, a second line, a key used twice."""

from typing import Any

import pytest
from conftest import NOW
from sqlalchemy.exc import IntegrityError

from alerts.delivery import Delivery, DigestLine


def row(**fields: Any) -> Delivery:
    usual = {"key": "k1", "kind": "card", "about": "case:1", "channel": "care", "rank": 3}
    return Delivery(**{**usual, "created_at": NOW, "next_try_at": NOW, **fields})


@pytest.mark.parametrize(
    ("second", "is_taken"),
    [
        ({"key": "k2"}, False),
        ({"about": "case:2"}, False),
        ({"key": "k2", "about": "case:2"}, True),
        ({"key": "k2", "channel": "danger"}, True),
        ({"key": "k2", "kind": "note"}, True),
    ],
)
def test_nothing_twice(desk: Any, second: dict[str, Any], is_taken: bool) -> None:
    desk.session.add_all([row(), row(**second)])
    if is_taken:
        desk.session.commit()
    else:
        with pytest.raises(IntegrityError):
            desk.session.commit()


def test_one_digest_for_a_mention(desk: Any) -> None:
    mention = desk.hear()
    desk.session.add_all([row(), row(key="k2", about="digest:1")])
    desk.session.flush()
    desk.session.add(DigestLine(mention_id=mention, delivery_id=1))
    desk.session.commit()
    desk.session.add(DigestLine(mention_id=mention, delivery_id=2))
    with pytest.raises(IntegrityError):
        desk.session.commit()


def test_as_it_begins() -> None:
    new = row()
    assert (new.state, new.attempts, new.trouble, new.door, new.shown_version) == ("pending", 0, None, None, 0)
