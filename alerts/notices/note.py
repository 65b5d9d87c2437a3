"""Notes in the health channel: what could not be heard, and what is wrong or well again."""

from datetime import datetime

from sqlalchemy import String, cast
from sqlmodel import Session, and_, col, exists, select

from alerts.case import RANK
from alerts.delivery import Delivery, pending
from alerts.message import Message, note
from config.schema import Config
from listener.watch import Alarm, Gap

_RANK = len(RANK)  # after every card, before digests


def enqueue(session: Session, config: Config, now: datetime) -> None:
    """One note a gap, one when an alarm begins and one when it is over."""
    told = exists().where(col(Delivery.gap_id) == Gap.id)
    for gap in session.exec(select(Gap).where(~told)).all():
        row = pending("note", f"gap:{gap.id}", "health", _RANK, now)
        row.gap_id = gap.id
        session.add(row)
    known = exists().where(col(Delivery.about) == "alarm:" + cast(col(Alarm.id), String))
    for alarm in session.exec(select(Alarm).where(~known)).all():
        _add(session, alarm, f"alarm:{alarm.id}", now)
    known = exists().where(col(Delivery.about) == "alarm:" + cast(col(Alarm.id), String) + ":over")
    over = and_(col(Alarm.over_at).is_not(None), col(Alarm.over).is_not(None))
    for alarm in session.exec(select(Alarm).where(over, ~known)).all():
        _add(session, alarm, f"alarm:{alarm.id}:over", now)


def write(session: Session, config: Config, row: Delivery, now: datetime) -> tuple[Message, int]:
    """The sentence of a gap or an alarm."""
    if row.alarm_id is not None:
        return _of_alarm(session.get_one(Alarm, row.alarm_id), row), 0
    return _of_gap(session.get_one(Gap, row.gap_id), config, row.key), 0


def _add(session: Session, alarm: Alarm, about: str, now: datetime) -> None:
    row = pending("note", about, "health", _RANK, now)
    row.alarm_id = alarm.id
    session.add(row)


def _of_gap(gap: Gap, config: Config, key: str) -> Message:
    zone = config.hospital.zone
    since, until = (moment.astimezone(zone).strftime("%a %d %b %H:%M") for moment in (gap.since, gap.until))
    sentence = f"{gap.collector} could not be heard from {since} to {until}: {gap.why}. Posts of that time are not in the ledger; please look there by hand."
    return note(sentence, f"Not heard: {gap.collector}", key)


def _of_alarm(alarm: Alarm, row: Delivery) -> Message:
    if row.about.endswith(":over"):
        return note(f"{alarm.over}.", f"Well again: {alarm.collector}", row.key)
    return note(f"{alarm.why}.", f"Please look: {alarm.collector}", row.key)
