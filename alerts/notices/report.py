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
from alerts.span import Span, last, named
from config.schema import Config
from listener.errors import NeedsPerson
from listener.mention import Mention

_RANK = len(RANK) + 2  # last
_WEEK = "week:"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def enqueue(session: Session, config: Config, now: datetime) -> None:
    """The summary of the last week that is over, from its day and hour on. What was missed before stays missed."""
    zone = config.hospital.zone
    week = last("week", zone, now)
    day = week.until.date() + timedelta(days=_DAYS.index(config.report.day))
    if now >= datetime.combine(day, time(config.report.hour), zone).astimezone(UTC):
        of_week(session, config, week, now)


def of_week(session: Session, config: Config, week: Span, now: datetime) -> bool:
    """Put the summary of a week into the queue, once, if anything was heard in it.

    Raises NeedsPerson while that week is not over. The caller commits.
    """
    if now < week.until:
        raise NeedsPerson(f"the week {week.name} is not over; its summary can be sent from {week.until:%a %d %b} on")
    about = f"{_WEEK}{week.name}"
    known = select(Delivery.id).where(Delivery.kind == "report", Delivery.about == about)
    heard = select(Mention.id).where(Mention.heard_at >= week.since, Mention.heard_at < week.until)
    if session.exec(known).first() is not None or session.exec(heard.limit(1)).first() is None:
        return False
    session.add(pending("report", about, config.report.channel, _RANK, now))
    return True


def write(session: Session, config: Config, row: Delivery, now: datetime) -> tuple[Message, int]:
    """Its sections as they are counted now."""
    numbers = figures(session, config, _week_of(row, config), now)
    title = f"{config.hospital.name}: what was said, {numbers.span.in_words}"
    message = summary(report.report(numbers, config.report.sections), title, row.key)
    return message, _gone_from(session, _week_of(row, config))


def stale(session: Session, config: Config, may: Any, now: datetime) -> Sequence[Delivery]:
    """Summaries that were sent before a post of their week was gone."""
    lately = col(Mention.deleted_at) > now - FORGETS
    first, latest = session.exec(select(func.min(Mention.heard_at), func.max(Mention.heard_at)).where(lately)).one()
    if first is None:
        return []
    found = []
    for row in session.exec(select(Delivery).where(Delivery.kind == "report", may)):
        week = _week_of(row, config)
        found += [row] if first < week.until and latest >= week.since else []
    return [row for row in found if _gone_from(session, _week_of(row, config)) > row.shown_version]


def _gone_from(session: Session, week: Span) -> int:
    gone = select(func.count()).select_from(Mention).where(col(Mention.deleted_at).is_not(None))
    return session.exec(gone.where(Mention.heard_at >= week.since, Mention.heard_at < week.until)).one()


def _week_of(row: Delivery, config: Config) -> Span:
    return named(row.about.removeprefix(_WEEK), config.hospital.zone)
