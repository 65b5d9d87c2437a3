"""Reply targets: when a case is due, and how it stands. Pure: takes times, gives times."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from config.schema import Coverage, Hospital, Targets

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LOOK_AHEAD = 1000  # days after which a clock stops counting hours that are too few


def target(urgency: str, targets: Targets) -> timedelta:
    """How soon a public reply is due; every alert that is nothing more is routine."""
    return {"danger": targets.danger, "here_now": targets.here_now, "serious": targets.serious}.get(
        urgency, targets.routine
    )


def due(urgency: str, written_at: datetime, hospital: Hospital, targets: Targets) -> datetime:
    """When a reply is due. Danger runs day and night; the rest counts the hours in which the team is there."""
    allowed = target(urgency, targets)
    if urgency == "danger":
        return (written_at.astimezone(UTC) + allowed).astimezone(written_at.tzinfo)
    return add_covered(written_at, allowed, hospital.coverage, hospital.zone)


def add_covered(start: datetime, span: timedelta, coverage: Coverage, zone: ZoneInfo) -> datetime:
    """`start` plus `span` of covered time (aware, in the zone of `start`). Without any coverage: plain time."""
    # In UTC: adding to a local time would not see a clock change.
    at, left = start.astimezone(UTC), span
    day = start.astimezone(zone).date() - timedelta(days=1)  # yesterday's night shift may still run
    hours = [sorted(getattr(coverage, name)) for name in _WEEKDAYS]
    for _ in range(_LOOK_AHEAD if any(hours) else 0):
        for opens, closes in hours[day.weekday()]:
            begin = max(at, _moment(day, opens, zone))
            end = _moment(day, closes, zone)
            if end > begin:
                if end - begin >= left:
                    return (begin + left).astimezone(start.tzinfo)
                left -= end - begin
                at = end
        day += timedelta(days=1)
    return (start.astimezone(UTC) + span).astimezone(start.tzinfo)


def _moment(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    # Through UTC, so that a span over a clock change has its true length.
    extra, minutes = divmod(minutes, 1440)
    local = datetime.combine(day + timedelta(days=extra), time(minutes // 60, minutes % 60), zone)
    return local.astimezone(UTC)


def in_words(span: timedelta) -> str:
    """A length of time as people say it: "45 s", "6 min", "2 h 5 min", "3 d 4 h"."""
    seconds = int(abs(span).total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 60:
        return f"{minutes} min"
    if hours < 24:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{days} d {hours % 24} h" if hours % 24 else f"{days} d"
