"""The weekly summary, on its day and hour, and again without the posts that are gone by then.

Each ISO week is told once, by its name: a clock that is set, a restart or another time zone makes no second message.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any

from sqlmodel import Session, col, func, select

from alerts import drawing, report
from alerts.case import RANK
from alerts.delivery import Delivery, pending
from alerts.figures import Figures, figures
from alerts.message import Attachment, Message, summary
from alerts.section import Section
from alerts.span import Span, last, named
from config.schema import Config
from listener.database import reading
from listener.deletions import gone_since
from listener.errors import NeedsPerson
from listener.mention import Mention
from listener.watch import Alarm, Gap, Watch

EDIT_EVERY = timedelta(hours=1)  # what is kept so long and no longer goes all the time, for days
_RANK = len(RANK) + 2  # last
_WEEK = "week:"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MISSED = 4  # weeks that are made up for after a stop
_ASKED = timedelta(days=1)  # before the end of a quiet week, at most, a collector that works was asked


def enqueue(session: Session, config: Config, now: datetime) -> None:
    """The summaries of the weeks that are due, the oldest first."""
    begun = _begun(session)
    weeks = [week for week in due(config, now) if begun < week.until]
    queued = select(Delivery.about).where(
        Delivery.kind == "report", col(Delivery.about).in_([_about(week) for week in weeks])
    )
    known = set(session.exec(queued)) if weeks else set()
    session.add_all(_pending(config, week, now) for week in weeks if _about(week) not in known)


def due(config: Config, now: datetime) -> list[Span]:
    """The last weeks whose day and hour have come, the oldest first, as many as are made up for."""
    week = last("week", config.hospital.zone, now)
    while now < _comes_at(week, config):
        week = week.before
    weeks = [week]
    while len(weeks) < _MISSED:
        weeks.append(weeks[-1].before)
    return weeks[::-1]


def of_week(session: Session, config: Config, week: Span, now: datetime) -> bool:
    """Put the summary of a week into the queue, once, if listening had begun by its end.

    Raises NeedsPerson while that week is not over. The caller commits.
    """
    if now < week.until:
        raise NeedsPerson(f"the week {week.name} is not over; its summary can be sent from {week.until:%a %d %b} on")
    if row_of(session, week) is not None or not had_begun(session, week):
        return False
    session.add(_pending(config, week, now))
    return True


def row_of(session: Session, week: Span) -> Delivery | None:
    """The summary of a week, once it is in the queue."""
    known = select(Delivery).where(Delivery.kind == "report", Delivery.about == _about(week))
    return session.exec(known).first()


def had_begun(session: Session, week: Span) -> bool:
    """Whether anything listened before the week was over."""
    return _begun(session) < week.until


def _begun(session: Session) -> datetime:
    """When the first collector was asked, or the first post was kept; later than any week where neither was."""
    moments = (func.min(Watch.started_at), select(func.min(Mention.heard_at)).scalar_subquery())
    return min(filter(None, session.exec(select(*moments)).one()), default=datetime.max.replace(tzinfo=UTC))


def _about(week: Span) -> str:
    return f"{_WEEK}{week.name}"


def _pending(config: Config, week: Span, now: datetime) -> Delivery:
    return pending("report", _about(week), config.report.channel, _RANK, now)


def write(session: Session, config: Config, row: Delivery, now: datetime) -> tuple[Message, int]:
    """Its sections as they are counted now."""
    week, key = _week_of(row, config), row.key
    session.commit()  # to count a busy week takes seconds, in which somebody may want to write
    with reading(session.get_bind().engine) as looking:
        numbers = figures(looking, config, week, now)
        gone = _gone_from(looking, week)
        if not numbers.heard:
            return summary([_nothing(looking, config, week)], _title(config, week), key), gone
    title = _title(config, week)
    page = report.report(numbers, config.report.sections)
    where = f"call-light report --week {week.name} --open, on the machine of Call Light"
    told = report.report(numbers, config.report.slack)
    images, missing = _images(page, config.report.charts)
    url: str | None = None
    files = [Attachment(f"{report.file_name(week)}.html", title, partial(_page, page, numbers))]
    if config.report.address is not None:
        url, files = f"{config.report.address.rstrip('/')}/{report.file_name(week)}.html", []
    message = summary(told, title, key, images, files, where, url)
    return (replace(message, trouble=missing) if missing else message), gone


def stale(session: Session, config: Config, may: Any, now: datetime) -> Sequence[Delivery]:
    """Summaries that were sent before a post of their week was gone, or have a file that could not be taken back."""
    lately = col(Mention.deleted_at) > gone_since(session, now)
    first, latest = session.exec(select(func.min(Mention.heard_at), func.max(Mention.heard_at)).where(lately)).one()
    found = []
    for row in session.exec(select(Delivery).where(Delivery.kind == "report", may, col(Delivery.next_try_at) <= now)):
        week = _week_of(row, config)
        lost = first is not None and first < week.until and latest >= week.since
        if row.files.get("old") or (lost and _gone_from(session, week) > row.shown_version):
            found.append(row)
    return found


def _title(config: Config, week: Span) -> str:
    return f"{config.hospital.name}: what was said, {week.in_words}"


def _images(page: Sequence[Section], names: Sequence[str]) -> tuple[list[Attachment], str | None]:
    """The charts of these tables as far as there is something to draw, and what is wrong with the names."""
    tables = {table.name: table for section in page for table in section.tables}
    titles = {table.name: table.title or section.title for section in page for table in section.tables}
    wrong = next((name for name in names if name not in tables), None)
    images = [
        Attachment(f"{name}.png", titles[name], partial(drawing.png, chart), chart.alt)
        for name in names
        if name in tables and (chart := tables[name].chart) is not None
    ]
    known = ", ".join(name for name, table in tables.items() if table.chart is not None)
    return images, f"no table {wrong!r} for charts in report.toml; those with a chart are {known}" if wrong else None


def _page(sections: Sequence[Section], numbers: Figures) -> bytes:
    return report.html(sections, numbers).encode()


def _nothing(session: Session, config: Config, week: Span) -> Section:
    """A week in which nothing was heard, and what is known of why. Nobody writes down that a machine was off."""
    overlap = (col(Gap.since) < week.until, col(Gap.until) > week.since)
    wrong = [f"{gap.collector}: {gap.why}" for gap in session.exec(select(Gap).where(*overlap))]
    still_on = col(Alarm.over_at).is_(None) | (col(Alarm.over_at) >= week.since)
    wrong += [alarm.why for alarm in session.exec(select(Alarm).where(col(Alarm.raised_at) < week.until, still_on))]
    names = sorted(name for name, settings in config.collectors.items() if settings.on)
    asked = {watch.name: watch.asked_at for watch in session.exec(select(Watch))}
    for name in names:
        at = asked.get(name)
        if at is None or at < week.until - _ASKED:
            since = f"since {at.astimezone(config.hospital.zone):%a %d %b %H:%M}" if at else "ever"
            wrong.append(f"{name} was not asked {since}")
    how = f"Nothing is known to have gone wrong with {', '.join(names)}." if names else "No collector is on."
    if wrong:
        how = f"Listening did not work all the time: {'; '.join(dict.fromkeys(wrong))}."
    return Section("Nothing was heard", ("Nothing was heard in this week.", how))


def _comes_at(week: Span, config: Config) -> datetime:
    """When its summary goes out: the first such day and hour after it."""
    day = week.until.date() + timedelta(days=_DAYS.index(config.report.day))
    return datetime.combine(day, time(config.report.hour), config.hospital.zone).astimezone(UTC)


def _gone_from(session: Session, week: Span) -> int:
    gone = select(func.count()).select_from(Mention).where(col(Mention.deleted_at).is_not(None))
    return session.exec(gone.where(Mention.heard_at >= week.since, Mention.heard_at < week.until)).one()


def _week_of(row: Delivery, config: Config) -> Span:
    return named(row.about.removeprefix(_WEEK), config.hospital.zone)
