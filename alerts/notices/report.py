"""The weekly summary, on its day and hour, and again without the posts that are gone by then."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlmodel import Session, col, func, select

from alerts import report
from alerts.case import RANK
from alerts.delivery import Delivery, pending
from alerts.figures import figures
from alerts.message import Message, summary
from alerts.notices.digest import FORGETS
from config.schema import Config
from listener.errors import NeedsPerson
from listener.mention import Mention

_RANK = len(RANK) + 2  # last
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def enqueue(session: Session, config: Config, now: datetime) -> None:
    """The summary of the last week that is over, from its day and hour on. What was missed before stays missed."""
    zone = config.hospital.zone
    since, until = report.week(None, zone, now)
    day = until.date() + timedelta(days=_DAYS.index(config.report.day))
    if now >= datetime.combine(day, time(config.report.hour), zone).astimezone(UTC):
        of_week(session, since, config, now)


def of_week(session: Session, since: datetime, config: Config, now: datetime) -> bool:
    """Put the summary of the week that begins at `since` into the queue, once, if anything was heard in it.

    Raises NeedsPerson while that week is not over. The caller commits.
    """
    zone = config.hospital.zone
    name = report.week_name(since, zone)
    since, until = report.week(name, zone, now)
    if now < until:
        raise NeedsPerson(f"the week {name} is not over; its summary can be sent from {until:%a %d %b} on")
    about = f"week:{name}"
    known = select(Delivery.id).where(Delivery.kind == "report", Delivery.about == about)
    heard = select(Mention.id).where(Mention.heard_at >= since, Mention.heard_at < until)
    if session.exec(known).first() is not None or session.exec(heard.limit(1)).first() is None:
        return False
    session.add(pending("report", about, config.report.channel, _RANK, now))
    return True


def write(session: Session, config: Config, row: Delivery, now: datetime) -> tuple[Message, int]:
    """Its sections as they are counted now."""
    since, until = _week_of(row, config, now)
    numbers = figures(session, config, since, until, now)
    title = f"{config.hospital.name}: what was said, {report.span_in_words(numbers)}"
    message = summary(report.report(numbers, config.report.sections), title, row.key)
    return message, _gone_from(session, config, row, now)


def stale(session: Session, config: Config, may: Any, now: datetime) -> Sequence[Delivery]:
    """Summaries that were sent before a post of their week was gone."""
    lately = col(Mention.deleted_at) > now - FORGETS
    first, last = session.exec(select(func.min(Mention.heard_at), func.max(Mention.heard_at)).where(lately)).one()
    if first is None:
        return []
    found = []
    for row in session.exec(select(Delivery).where(Delivery.kind == "report", may)):
        since, until = _week_of(row, config, now)
        found += [row] if first < until and last >= since else []
    return [row for row in found if _gone_from(session, config, row, now) > row.shown_version]


def _gone_from(session: Session, config: Config, row: Delivery, now: datetime) -> int:
    since, until = _week_of(row, config, now)
    gone = select(func.count()).select_from(Mention).where(col(Mention.deleted_at).is_not(None))
    return session.exec(gone.where(Mention.heard_at >= since, Mention.heard_at < until)).one()


def _week_of(row: Delivery, config: Config, now: datetime) -> tuple[datetime, datetime]:
    """Start and end of a report's week."""
    return report.week(row.about.removeprefix("week:"), config.hospital.zone, now)
