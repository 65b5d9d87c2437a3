"""Quiet is suspicious: what is wrong with a collector, so that people are told once when it begins and once when it is over."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlmodel import Session, col, select

from config.schema import CollectorSettings
from listener.keep import spent
from listener.logs import logger
from listener.watch import Alarm, Watch

log = logger(__name__)

# Kinds that are raised and ended elsewhere, at the desk or by silent.py.
DESK = ("channel", "buttons", "hook", "pager", "stopped", "swallows", "center", "disk")
_SILENT, _NO_MATCH = "silent", "no match: "  # kinds; the second goes on with the name of the search
_FAILURES = 3  # in a row; fewer mend themselves
_SHARE = 0.8  # of a budget, at which people are told
_ASKED_LATELY = timedelta(minutes=15)  # beyond three times its rhythm: longer ago, it was not listening at all


@dataclass(frozen=True)
class Trouble:
    """One thing that is wrong: its kind, and the sentences that people read when it begins and when it is over."""

    kind: str
    why: str
    over: str | None = None  # None: nobody needs to know


def troubles(watch: Watch, settings: CollectorSettings, reads: tuple[int, int], now: datetime) -> list[Trouble]:
    """What is wrong with a collector. `reads`: posts billed today and in this month. Pure."""
    found = list(_budgets(watch.name, settings, reads, now))
    if watch.failures >= _FAILURES:
        why = f"{watch.name} failed {watch.failures} times in a row, so posts may be missed: {watch.trouble}"
        return [Trouble("failing", why, f"{watch.name} works again"), *found]
    lately = is_listening(watch, settings, now)
    since = watch.heard_at or watch.started_at
    if lately and since is not None and now - since > settings.quiet_after:
        why = (
            f"{watch.name} has heard nothing new since {since:%Y-%m-%d %H:%M} UTC, longer than is normal "
            f"({_words(settings.quiet_after)}). It may be deaf: try its searches on the site itself"
        )
        return [Trouble(_SILENT, why, f"{watch.name} hears again"), *found]
    return found + [
        Trouble(
            f"{_NO_MATCH}{name}",
            f"{watch.name}: {name!r} has matched nothing since it was put in, for {_words(settings.quiet_after)} or longer. "
            "Is it written as on the site?",
            f"{watch.name}: {name!r} has matched for the first time",
        )
        for name, seen in watch.filters.items()
        if lately
        and seen["last"] is None
        and now - datetime.fromisoformat(seen["since"]) > settings.quiet_after
        and _asked(seen, settings, now)
    ]


def is_listening(watch: Watch, settings: CollectorSettings, now: datetime) -> bool:
    """Whether a collector was asked lately, whatever it heard. Pure."""
    return watch.asked_at is not None and now - watch.asked_at <= 3 * settings.every + _ASKED_LATELY


def watch_over(session: Session, collectors: Mapping[str, CollectorSettings], now: datetime) -> int:
    """Write down what has gone wrong and what is over; how many there were of both. Commits."""
    changes = 0
    found = {(a.collector, a.kind): a for a in session.exec(select(Alarm).where(col(Alarm.over_at).is_(None)))}
    watches = {watch.name: watch for watch in session.exec(select(Watch))}
    for name, settings in collectors.items():
        watch = watches.get(name) if settings.on else None
        has_budget = settings.daily_reads is not None or settings.monthly_reads is not None
        reads = spent(session, name, now) if watch and has_budget else (0, 0)
        for trouble in troubles(watch, settings, reads, now) if watch else ():
            if found.pop((name, trouble.kind), None) is None:
                session.add(Alarm(collector=name, kind=trouble.kind, why=trouble.why, over=trouble.over, raised_at=now))
                log.warning("alarm", collector=name, kind=_in_log(trouble.kind))
                changes += 1
    for alarm in found.values():
        theirs = collectors.get(alarm.collector)
        watch = watches.get(alarm.collector) if theirs is not None and theirs.on else None
        if alarm.kind in DESK or (watch and theirs and _still_quiet(alarm.kind, watch, theirs, now)):
            continue
        alarm.over_at = now
        if watch is None or _was_taken_out(alarm.kind, watch):  # or the collector was switched off
            alarm.over = None
        session.add(alarm)
        log.info("alarm", collector=alarm.collector, kind=_in_log(alarm.kind), over=True)
        changes += 1
    session.commit()
    return changes


def _still_quiet(kind: str, watch: Watch, settings: CollectorSettings, now: datetime) -> bool:
    """Whether what was told to be quiet is so still, though it is no news: while it fails, or was not asked as the service
    was down. That it is heard again is told when it is."""
    since = watch.heard_at or watch.started_at
    if kind == _SILENT:
        return since is not None and now - since > settings.quiet_after
    seen = watch.filters.get(kind.removeprefix(_NO_MATCH)) if kind.startswith(_NO_MATCH) else None
    return (
        seen is not None
        and seen["last"] is None
        and (_asked(seen, settings, now) or not is_listening(watch, settings, now))
    )


def _was_taken_out(kind: str, watch: Watch) -> bool:
    """Whether it is a search that nobody asks any more, and that never matched."""
    seen = watch.filters.get(kind.removeprefix(_NO_MATCH))
    return kind.startswith(_NO_MATCH) and (seen is None or seen["last"] is None)


def _asked(seen: Mapping[str, str], settings: CollectorSettings, now: datetime) -> bool:
    return now - datetime.fromisoformat(seen["asked"]) <= 3 * settings.every + _ASKED_LATELY


def _in_log(kind: str) -> str:
    """Without the query that "no match" names."""
    return kind.partition(":")[0].replace(" ", "_")


def raised(session: Session, what: str, kind: str, why: str, over: str, now: datetime) -> None:
    """Something at the desk is wrong: a channel, the buttons. Written down once while it lasts; the caller commits."""
    if what not in standing(session, kind):
        alarm = Alarm(collector=what, kind=kind, why=why, over=over, raised_at=now)
        session.add(alarm)
        session.flush()
        log.warning("alarm", alarm=alarm.id, kind=kind)  # `what` may be words of the care team: a phrase, a list


def over(session: Session, what: str, kind: str, now: datetime) -> None:
    """It is well again. The caller commits."""
    theirs = (Alarm.collector == what, Alarm.kind == kind, col(Alarm.over_at).is_(None))
    for alarm in session.exec(select(Alarm).where(*theirs)):
        alarm.over_at = now
        session.add(alarm)


def standing(session: Session, kind: str) -> set[str]:
    """What has an alarm of this kind now."""
    return set(session.exec(select(Alarm.collector).where(Alarm.kind == kind, col(Alarm.over_at).is_(None))))


def _budgets(name: str, settings: CollectorSettings, reads: tuple[int, int], now: datetime) -> list[Trouble]:
    today = now.astimezone(UTC).date()
    month = (today.replace(day=1) + timedelta(days=31)).replace(day=1)
    spans = (
        ("day", settings.daily_reads, reads[0], today + timedelta(days=1)),
        ("month", settings.monthly_reads, reads[1], month),
    )
    return [
        trouble
        for span, limit, used, ends in spans
        if limit is not None
        for trouble in _budget(name, span, limit, used, ends)
    ]


def _budget(name: str, span: str, limit: int, used: int, ends: date) -> list[Trouble]:
    if used >= limit:
        why = (
            f"{name}: the {limit:,} reads of the {span} are used up, so it hears nothing until {ends:%a %d %b} 00:00 UTC; "
            "other places go on. Then it reads what it missed, as far back as the place allows. A larger number in "
            "listening.toml lets it go on at once"
        )
        return [Trouble(f"budget of the {span} used up", why, f"{name} hears again: it has reads left")]
    if used >= _SHARE * limit:
        why = f"{name}: {used:,} of the {limit:,} reads of the {span} are used. At {limit:,} it stops until {ends:%a %d %b} 00:00 UTC"
        return [Trouble(f"budget of the {span} nearly used up", why)]
    return []


def _words(span: timedelta) -> str:
    hours = int(span.total_seconds() // 3600)
    if hours < 1:
        return f"{int(span.total_seconds() // 60)} minutes"
    return f"{hours // 24} days" if hours >= 48 else f"{hours} hours"
