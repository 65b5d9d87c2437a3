"""Reply targets: when a case is due, and what it does by itself while it waits. Pure: takes times, gives times."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from config.schema import Care, Coverage, Escalation, Hospital, Targets, Weekday

WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LOOK_AHEAD = 1000  # days after which a clock stops counting hours that are too few


class Waiting(Protocol):
    """What its clock knows of a case: these fields of a Case."""

    urgency: str
    state: str
    owner: str | None
    opened_at: datetime
    clock_from: datetime
    due_at: datetime
    claimed_at: datetime | None
    snoozed_at: datetime | None
    snoozed_until: datetime | None


@dataclass(frozen=True)
class Step:
    """Something that a waiting case does by itself at a time: who is told, or that it goes back to the team."""

    name: str  # its own within the case and its round
    at: datetime
    to: Literal["channel", "oncall", "manager", "owner", "team"]


_LOUDER = ("owner", "channel", "oncall", "manager", "team")  # of several that fall together the last is told


def target(urgency: str, targets: Targets, topics: Sequence[str] = ()) -> timedelta:
    """How soon a public reply is due; every alert that is nothing more is routine."""
    allowed = {"danger": targets.danger, "here_now": targets.here_now, "serious": targets.serious}.get(
        urgency, targets.routine
    )
    return min([allowed, *(targets.categories[topic] for topic in topics if topic in targets.categories)])


def due(
    urgency: str, written_at: datetime, hospital: Hospital, targets: Targets, topics: Sequence[str] = ()
) -> datetime:
    """When a reply is due. Danger runs day and night; the rest counts the hours in which the team is there."""
    allowed = target(urgency, targets, topics)
    if urgency == "danger":
        return (written_at.astimezone(UTC) + allowed).astimezone(written_at.tzinfo)
    return add_covered(written_at, allowed, hospital.coverage, hospital.zone)


def due_now(case: Waiting, now: datetime) -> datetime:
    """When a case is due as things stand: while it is snoozed its target moves with the time."""
    if case.snoozed_at is None or case.snoozed_until is None:
        return case.due_at
    return case.due_at + max(min(now, case.snoozed_until) - case.snoozed_at, timedelta())


def steps(case: Waiting, hospital: Hospital, care: Care, now: datetime) -> list[Step]:
    """What a case has done by itself by now, in the order of time; each step once, whoever asks how often."""
    if case.snoozed_at is not None or case.state not in ("open", "claimed"):
        return []
    hours = _Hours(case.urgency, hospital, care.escalation)
    found = _claimed(case, care.escalation, hours) if case.state == "claimed" else _unclaimed(case, care, hours, now)
    return sorted((step for step in found if step.at <= now), key=lambda step: step.at)


def loudest(taken: Sequence[Step]) -> Step:
    """The one that people are told of when several fall together, as after an outage."""
    return max(taken, key=lambda step: (_LOUDER.index(step.to), step.at))


@dataclass(frozen=True)
class _Hours:
    """The time that counts for a case: danger runs day and night, the rest when the team is there."""

    urgency: str
    hospital: Hospital
    escalation: Escalation

    def after(self, start: datetime, span: timedelta) -> datetime:
        """`start` plus `span`, and what can wait out of the quiet hours."""
        if self.urgency == "danger":
            return start + span
        at, quiet = add_covered(start, span, self.hospital.coverage, self.hospital.zone), self.escalation.quiet
        return _awake(at, self.hospital.zone, quiet.hours) if self.urgency in quiet.urgency else at

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How much of it lies between two moments."""
        return covered(start, end, self.hospital.coverage, self.hospital.zone)


def _unclaimed(case: Waiting, care: Care, hours: _Hours, now: datetime) -> Iterator[Step]:
    """Nobody has it: the channel is told, then people beyond it."""
    yield from _danger(case, care, now) if case.urgency == "danger" else _open(case, care, hours, now)
    late = max(case.due_at, case.opened_at)  # nobody is late for what nobody had heard of
    for step in care.escalation.steps:
        yield Step(f"{step.to} after {step.after}", hours.after(late, step.after), step.to)


def _open(case: Waiting, care: Care, hours: _Hours, now: datetime) -> Iterator[Step]:
    """The channel is warned, told when it is late, and told again, ever more rarely."""
    if case.opened_at < case.due_at:  # heard late, its card says so itself
        start = max(case.clock_from, case.opened_at)
        left = hours.between(start, case.due_at)
        spare = min(left, target(case.urgency, care.targets)) * (1 - care.escalation.warn_at)
        yield Step("warning", hours.after(start, left - spare), "channel")
        yield Step("late", hours.after(case.due_at, timedelta()), "channel")
    late, again = max(case.due_at, case.opened_at), care.escalation.again
    for number in _ever_more_rarely(hours.between(late, now), again):
        yield Step(f"late {number}", hours.after(late, number * again), "channel")


def _danger(case: Waiting, care: Care, now: datetime) -> Iterator[Step]:
    """The on-call people are paged again and again, from when it is known to be danger."""
    start, again = max(case.opened_at, case.due_at - care.targets.danger), care.escalation.danger_again
    for number in _times(now - start, again):
        yield Step(f"page {number}", start + number * again, "oncall")


def _claimed(case: Waiting, escalation: Escalation, hours: _Hours) -> Iterator[Step]:
    """Somebody has it and is silent: they are reminded, then it goes back to the team."""
    claimed_at = case.claimed_at or case.opened_at
    name = f"{claimed_at:%Y%m%dT%H%M%S}"
    reminded = hours.after(max(case.due_at, claimed_at), escalation.remind_owner)
    yield Step(f"reminder {name}", reminded, "owner")
    yield Step(f"back {name}", hours.after(reminded, escalation.give_back), "team")


def _ever_more_rarely(gone: timedelta, every: timedelta) -> Iterator[int]:
    """1, 2, 4, 8 ... as far as it has come round: what nobody takes for days is no news every quarter of an hour."""
    number = 1
    while number * every <= gone:
        yield number
        number *= 2


def _times(gone: timedelta, every: timedelta) -> range:
    """1, 2, 3 ... as often as it has come round; of a long time only the last ones."""
    count = max(0, gone // every)
    return range(max(1, count - 2), count + 1)


def _awake(at: datetime, zone: ZoneInfo, hours: Sequence[tuple[int, int]]) -> datetime:
    """The same moment, or the end of the quiet hours that it falls into."""
    for _ in range(len(hours) + 1):
        day = at.astimezone(zone).date()
        ends = [
            moment(start, closes, zone)
            for start in (day - timedelta(days=1), day)
            for opens, closes in hours
            if moment(start, opens, zone) <= at < moment(start, closes, zone)
        ]
        if not ends:
            break
        at = max(ends)
    return at


def add_covered(start: datetime, span: timedelta, coverage: Coverage, zone: ZoneInfo) -> datetime:
    """`start` plus `span` of covered time (aware, in the zone of `start`). Without any coverage: plain time."""
    left = span
    for begin, end in _covered_spans(start, coverage, zone):
        if end - begin >= left:
            return (begin + left).astimezone(start.tzinfo)
        left -= end - begin
    # In UTC: adding to a local time would not see a clock change.
    return (start.astimezone(UTC) + span).astimezone(start.tzinfo)


def covered(start: datetime, until: datetime, coverage: Coverage, zone: ZoneInfo) -> timedelta:
    """How much covered time lies between two moments. Without any coverage: plain time."""
    if not any(getattr(coverage, name) for name in WEEKDAYS):
        return max(until - start, timedelta())
    spans = takewhile(lambda span: span[0] < until, _covered_spans(start, coverage, zone))
    return sum((min(end, until) - begin for begin, end in spans), timedelta())


def _covered_spans(start: datetime, coverage: Coverage, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """The spans of covered time from `start` on, in UTC, none twice."""
    at = start.astimezone(UTC)
    day = start.astimezone(zone).date() - timedelta(days=1)  # yesterday's night shift may still run
    hours = [sorted(getattr(coverage, name)) for name in WEEKDAYS]
    for _ in range(_LOOK_AHEAD if any(hours) else 0):
        for opens, closes in hours[day.weekday()]:
            begin, end = max(at, moment(day, opens, zone)), moment(day, closes, zone)
            if end > begin:
                yield begin, end
                at = end
        day += timedelta(days=1)


def moment(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """So many minutes after the midnight with which a day begins in a zone, in UTC."""
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
