"""Events of cases for other systems: one message for each hook and event. It says how the case is now, not how it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy import CursorResult, update
from sqlmodel import Session, and_, col, func, or_, select

from alerts.case import RANK, Case, CaseEvent, EventKind
from alerts.clockface import due_now
from alerts.delivery import GIVEN_UP, Delivery, pending
from alerts.hooks import channel_of
from alerts.message import Message
from alerts.section import Table
from alerts.view import foremost, posts_of, topics_of
from config.schema import Config, Hook, HookEvent
from listener import health

THROUGH = "hooks"
_EVENTS: dict[EventKind, HookEvent] = {
    "opened": "case.opened",
    "claimed": "case.claimed",
    "answered": "case.answered",
    "closed": "case.closed",
    "dismissed": "case.dismissed",
    "reopened": "case.reopened",
}
# Not reminders, pages, drafts and further posts: they change nothing of what is told.
_CHANGES: tuple[EventKind, ...] = (
    *("raised", "urgency", "topics", "assigned", "given_back", "snoozed", "woken"),
    *("split", "merged", "forgotten", "changed"),
)
_EVENTS |= dict.fromkeys(_CHANGES, "case.changed")
_RANK = RANK["routine"]  # of one hook's events none is more urgent: they go in the order in which they happened
_NEW_HOOK = timedelta(hours=24)  # so far back a hook that was just put in is told
_NEWEST = 1000  # events among which those are looked for
# Of two that are written at once the later number may be seen first: so many numbers, and so long, it is looked back.
_OVERLAP, _OVERLAP_FOR = 200, timedelta(minutes=5)
_TRIES = 4  # of one event, which take half an hour: fewer mend themselves


def enqueue(session: Session, config: Config, now: datetime) -> None:
    """A row for each event that a hook wants and was not told of; and an alarm for each hook that takes nothing."""
    for hook in config.care.hooks:
        for event_id, case_id in _untold(session, hook, now):
            session.add(pending("hook", _about(hook.name, event_id), channel_of(hook.name), _RANK, now, case_id))
    _watch_over(session, config, now)


def write(session: Session, config: Config, row: Delivery, now: datetime) -> tuple[Message, int]:
    """What happened, when, and how the case stands."""
    hook = next((one for one in config.care.hooks if channel_of(one.name) == row.channel), None)
    event = session.get_one(CaseEvent, _event_id(row.about))
    case = session.get_one(Case, event.case_id)
    kind = _EVENTS.get(event.kind, "case.changed")  # type: ignore[call-overload]
    payload = {"type": kind, "timestamp": _iso(event.at), "data": {"event_id": event.id, **_data(session, case, now)}}
    if hook is not None and hook.text:
        payload["data"] |= _words(session, case)
    return Message("", [], payload, kind), 0


def _data(session: Session, case: Case, now: datetime) -> dict[str, Any]:
    took = case.answered_at - case.clock_from if case.answered_at else None
    return {
        "case_id": case.id,
        "state": case.state,
        "urgency": case.urgency,
        "topics": topics_of(session, case),
        "source": case.source,
        "opened_at": _iso(case.opened_at),
        "clock_from": _iso(case.clock_from),
        "due_at": _iso(due_now(case, now)),
        "answered_at": _iso(case.answered_at),
        "reply_seconds": int(took.total_seconds()) if took is not None else None,
        "owner": case.owner,
        "outcome": case.outcome,
    }


def _words(session: Session, case: Case) -> dict[str, Any]:
    """The redacted words and the address of its foremost post; of one that is gone neither."""
    mention, reading = foremost(posts_of(session, case))
    is_gone = mention.deleted_at is not None
    return {"text": None if is_gone else reading.redacted_text, "url": None if is_gone else mention.url}


def _watch_over(session: Session, config: Config, now: datetime) -> None:
    """People hear of a hook that fails, once when it begins and once when it is over."""
    unsent = (col(Delivery.state).in_(("pending", "sending")), Delivery.kind == "hook")
    tried = select(Delivery.channel, func.max(Delivery.trouble)).where(*unsent, Delivery.attempts >= _TRIES)
    failing = dict(session.exec(tried.group_by(Delivery.channel)).all())
    for hook in config.care.hooks:
        if why := failing.get(channel_of(hook.name)):
            over = f"hook {hook.name} is stuck no more; call-light hooks list tells whether events were given up"
            why += ". Its events wait; after three days they are given up, and call-light hooks replay tells them again"
            health.raised(session, hook.name, "hook", why, over, now)
    for name in health.standing(session, "hook"):
        if channel_of(name) not in failing:
            health.over(session, name, "hook", now)


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None


# ---------------------------------------------------------------- what was told


def _untold(session: Session, hook: Hook, now: datetime) -> list[tuple[int, int]]:
    """Events for this hook without a row: their numbers and those of their cases. Looks only at what is new."""
    kinds = [kind for kind, event in _EVENTS.items() if not hook.events or event in hook.events]
    events = select(CaseEvent.id, CaseEvent.case_id).where(col(CaseEvent.kind).in_(kinds)).order_by(col(CaseEvent.id))
    last = session.exec(select(func.max(Delivery.about)).where(*_rows_of(hook.name))).one()
    if last is None:
        newest = session.exec(select(func.max(CaseEvent.id))).one() or 0
        lately = and_(col(CaseEvent.id) > newest - _NEWEST, col(CaseEvent.at) > now - _NEW_HOOK)
        return [(event, case) for event, case in session.exec(events.where(lately)) if event is not None]
    told = _event_id(last)
    since = max(0, told - _OVERLAP)
    new = or_(col(CaseEvent.id) > told, col(CaseEvent.at) > now - _OVERLAP_FOR)
    found = session.exec(events.where(col(CaseEvent.id) > since, new)).all()
    known = set(session.exec(select(Delivery.about).where(*_rows_of(hook.name, since)))) if found else set()
    return [(event, case) for event, case in found if event is not None and _about(hook.name, event) not in known]


def _rows_of(hook: str, since: int = 0) -> tuple[Any, ...]:
    """The rows of a hook, by the index that (kind, about, channel) have."""
    until = _about(hook, 10**12 - 1)
    return Delivery.kind == "hook", col(Delivery.about) >= _about(hook, since), col(Delivery.about) <= until


def _about(hook: str, event_id: int) -> str:
    """With zeros in front, so that the order of the texts is that of the numbers."""
    return f"hook:{hook}:{event_id:012d}"


def _event_id(about: str) -> int:
    return int(about.rpartition(":")[2])


# ---------------------------------------------------------------- for people


@dataclass(frozen=True)
class HookStanding:
    """How one hook fares."""

    name: str
    host: str
    sent_at: datetime | None  # when it last took an event
    waiting: int  # events that are still to be told
    given_up: int
    trouble: str | None  # why the last attempt failed, if events wait or were given up


def standings(session: Session, hooks: Sequence[Hook]) -> list[HookStanding]:
    """How each hook of care.toml fares, in its order."""
    return [_standing(session, hook) for hook in hooks]


def _standing(session: Session, hook: Hook) -> HookStanding:
    rows = _rows_of(hook.name)
    counts = select(Delivery.state, func.count(), func.max(Delivery.sent_at)).where(*rows).group_by(Delivery.state)
    by_state = {state: (count, sent_at) for state, count, sent_at in session.exec(counts)}
    unsent = select(Delivery.trouble).where(*rows, Delivery.state != "sent", col(Delivery.trouble).is_not(None))
    return HookStanding(
        hook.name,
        urlsplit(hook.url).hostname or hook.url,
        max((sent_at for _, sent_at in by_state.values() if sent_at), default=None),
        sum(count for state, (count, _) in by_state.items() if state in ("pending", "sending")),
        by_state.get(GIVEN_UP, (0, None))[0],
        session.exec(unsent.order_by(col(Delivery.next_try_at).desc()).limit(1)).first(),
    )


def table(standings: Sequence[HookStanding], zone: ZoneInfo) -> Table:
    """The same for the terminal and a spreadsheet."""
    rows = [
        (
            one.name,
            one.host,
            f"{one.sent_at.astimezone(zone):%Y-%m-%d %H:%M}" if one.sent_at else "never",
            one.waiting,
            one.given_up,
            one.trouble or "",
        )
        for one in standings
    ]
    return Table("hooks", ("Hook", "Host", "Last event", "Waiting", "Given up", "Trouble"), rows)


def replay(
    session: Session, since: datetime | None, now: datetime, hook: str | None = None, case_id: int | None = None
) -> int:
    """Put what was sent or given up back into the queue, under the same webhook-ids, and try what waits now; how many.

    Commits.
    """
    rows: list[Any] = [Delivery.kind == "hook", col(Delivery.state).in_(("sent", GIVEN_UP, "pending"))]
    rows += [col(Delivery.created_at) >= since] if since else []
    rows += [Delivery.channel == channel_of(hook)] if hook else []
    rows += [Delivery.case_id == case_id] if case_id is not None else []
    again = update(Delivery).where(*rows).values(state="pending", attempts=0, next_try_at=now, trouble=None)
    changed = session.execute(again, execution_options={"synchronize_session": False})
    assert isinstance(changed, CursorResult)
    session.commit()
    session.expire_all()
    return changed.rowcount
