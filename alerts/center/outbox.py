"""What waits to be sent, by the door that it leaves by: for the page of how everything fares, and for Prometheus."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from sqlmodel import Session, col, func, select

from alerts.deliver import known_notices
from alerts.delivery import GIVEN_UP, Delivery

DOORS = ("people", "pager", "hooks")


@dataclass(frozen=True)
class Door:
    """One way out."""

    waiting: int = 0
    oldest: datetime | None = None  # when the first of what waits was written
    given_up: int = 0
    trouble: str | None = None  # why the first that was tried did not go


def outbox(session: Session) -> dict[str, Door]:
    """Every door by name. Looks only at what was not sent."""
    unsent = (col(Delivery.state).in_(("pending", "sending", GIVEN_UP)),)
    counts = select(Delivery.kind, Delivery.state, func.count(), func.min(Delivery.created_at)).where(*unsent)
    doors = dict.fromkeys(DOORS, Door())
    for kind, state, count, oldest in session.exec(counts.group_by(Delivery.kind, Delivery.state)):
        name = _door_of().get(kind, DOORS[0])
        door = doors.get(name, Door())
        if state == GIVEN_UP:
            doors[name] = replace(door, given_up=door.given_up + count)
        else:
            first = min(oldest, door.oldest or oldest)
            doors[name] = replace(door, waiting=door.waiting + count, oldest=first)
    why = select(Delivery.kind, Delivery.trouble).where(*unsent, col(Delivery.trouble).is_not(None))
    for kind, trouble in session.exec(why.order_by(col(Delivery.id).desc()).limit(100)):
        name = _door_of().get(kind, DOORS[0])
        doors[name] = replace(doors[name], trouble=trouble)
    return doors


@cache
def _door_of() -> dict[str, str]:
    """The door that each kind of message leaves by."""
    return {kind: getattr(notice, "THROUGH", DOORS[0]) for kind, notice in known_notices().items()}
