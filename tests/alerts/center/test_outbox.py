from datetime import timedelta
from typing import Any

from conftest import NOW

from alerts.center.outbox import Door, outbox
from alerts.delivery import GIVEN_UP, pending

EARLY, LATE = NOW - timedelta(hours=2), NOW - timedelta(hours=1)


def test_nothing_waits(desk: Any) -> None:
    assert outbox(desk.session) == {"people": Door(), "pager": Door(), "hooks": Door()}


def test_each_way_out(desk: Any) -> None:
    rows = [
        ("card", "pending", EARLY, None),
        ("note", "sending", LATE, "Slack is down"),
        ("hook", GIVEN_UP, EARLY, "no such host"),
        ("hook", "pending", LATE, None),
        ("card", "sent", EARLY, None),
    ]
    for number, (kind, state, at, trouble) in enumerate(rows):
        row = pending(kind, f"about {number}", "care", 0, at)
        row.state, row.trouble = state, trouble
        desk.session.add(row)
    desk.session.commit()
    assert outbox(desk.session) == {
        "people": Door(2, EARLY, 0, "Slack is down"),
        "pager": Door(),
        "hooks": Door(1, LATE, 1, "no such host"),
    }
