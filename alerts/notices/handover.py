"""The hand-over note at the end of a shift: what still waits, what happened, what is known."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session, col, func, select

from alerts.case import RANK, WAITING, Case, CaseEvent
from alerts.clockface import due_now
from alerts.delivery import Delivery, pending
from alerts.desk import about, in_short
from alerts.message import HEADER, LINE, Message, escape, header, mrkdwn, ping, plain, shorten
from alerts.shifts import changes, shifts_of
from alerts.spikes import Spike
from alerts.topic import title_of, titles_of
from config.schema import Config

_RANK = RANK["serious"]  # before what can wait: the next shift begins with it
_LINES, _A_PARAGRAPH = 20, 3
_CAUSE = "many posts, cause not known yet"


def enqueue(session: Session, config: Config, now: datetime) -> None:
    """One note a change of shifts."""
    for change in changes(shifts_of(config), config.hospital.zone, now):
        name = f"handover:{change.at:%Y%m%dT%H%M}"
        known = select(Delivery.id).where(Delivery.kind == "handover", Delivery.about == name)
        if session.exec(known).first() is None:
            session.add(pending("handover", name, "care", _RANK, now))


def write(session: Session, config: Config, row: Delivery, now: datetime) -> tuple[Message, int]:
    """What still waits, the worst first, and what the shift did."""
    at = datetime.strptime(row.about.removeprefix("handover:"), "%Y%m%dT%H%M").replace(tzinfo=UTC)
    ended = changes(shifts_of(config), config.hospital.zone, at)
    change = next((one for one in ended if one.at == at), None)
    since = change.since if change else at - timedelta(hours=8)
    names = f"{change.ending.name} → {change.next.name if change.next else 'nobody'}" if change else "Shift change"
    title = shorten(f"🤝 Hand-over · {names}", HEADER)
    waiting = session.exec(select(Case).where(col(Case.state).in_(WAITING))).all()
    waiting = sorted(waiting, key=lambda case: (RANK[case.urgency], due_now(case, now)))
    done = f"In the shift: {_done(session, since, at)}"
    called = titles_of(config)
    known = [
        f"🌊 {title_of(spike.topic, called)}: {shorten(spike.known or _CAUSE, LINE)}" for spike in _spikes(session)
    ]
    people = " ".join(ping(person) for person in change.next.people) if change and change.next else ""
    still = [in_short(case, now, about=about(session, config, case)) for case in waiting[:_LINES]] or [
        "Nothing waits for anyone."
    ]
    still += [f"… and {len(waiting) - _LINES} more: /calllight open"] if len(waiting) > _LINES else []
    blocks: list[dict[str, Any]] = [header(title), *([mrkdwn(people)] if people else [])]
    blocks += [mrkdwn(f"*Still to do: {len(waiting)}*"), *map(mrkdwn, _chunks(still))]
    blocks.append({"type": "context", "elements": [plain(done)]})
    blocks += [{"type": "context", "elements": [plain(spike)]} for spike in known[:5]]
    metadata = {"event_type": "call_light_handover", "event_payload": {"delivery": row.key}}
    excerpt = "\n".join([f"Still to do: {len(waiting)}", *still, done, *known])
    return Message(f"{escape(title)}: {len(waiting)} still to do", blocks, metadata, title, excerpt), 0


def _chunks(lines: Sequence[str]) -> list[str]:
    """Paragraphs that Slack takes, whatever signs in the lines had to be escaped."""
    return ["\n".join(lines[start : start + _A_PARAGRAPH]) for start in range(0, len(lines), _A_PARAGRAPH)]


def _done(session: Session, since: datetime, until: datetime) -> str:
    """What the record says of the shift, in counts."""
    kinds = select(CaseEvent.kind, func.count(func.distinct(CaseEvent.case_id))).group_by(CaseEvent.kind)
    counts = dict(session.exec(kinds.where(CaseEvent.at >= since, CaseEvent.at < until)).all())
    words = (("opened", "cases came"), ("answered", "answered"), ("closed", "closed"), ("dismissed", "not for us"))
    danger = select(func.count()).select_from(Case).where(Case.urgency == "danger", Case.opened_at >= since)
    said = [f"{counts.get(kind, 0)} {word}" for kind, word in words]
    return ", ".join([*said, f"{session.exec(danger.where(Case.opened_at < until)).one()} danger"])


def _spikes(session: Session) -> Sequence[Spike]:
    return session.exec(select(Spike).where(col(Spike.over_at).is_(None))).all()
