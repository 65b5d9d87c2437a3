"""Reminders: cases that wait too long, told to whom care.toml names, several in one message, with a button to take each."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, func, select

from alerts.case import RANK, WAITING, Case, CaseEvent
from alerts.clockface import due_now, in_words
from alerts.delivery import Delivery, Reminder, pending
from alerts.message import NAMES, SIGNS, Message, escape, header, mrkdwn, ping, plain, shorten
from alerts.people import in_slack, is_slack_id
from config.schema import Config

_MOST = 10  # cases in one message
_HEADINGS = {
    "channel": "⏰ Nobody has these yet",
    "team": "↩️ Back with the team",
    "owner": "⏰ Yours, and no reply yet",
    "oncall": "🔔 Nobody has these yet",
    "manager": "🔔 Nobody has these yet",
}


def enqueue(session: Session, config: Config, now: datetime) -> None:
    """What has come up since the last pass, together for each who is told."""
    rows = select(Reminder, Case).where(Reminder.case_id == Case.id, col(Reminder.delivery_id).is_(None))
    groups: dict[tuple[str, str], list[tuple[Reminder, Case]]] = {}
    for reminder, case in session.exec(rows.where(col(Reminder.tells).is_not(None)).order_by(col(Case.id))):
        if case.state not in WAITING:
            reminder.tells = None  # it was dealt with meanwhile
            continue
        groups.setdefault((str(reminder.tells), _channel(config, str(reminder.tells), case)), []).append(
            (reminder, case)
        )
    for (tells, channel), group in groups.items():
        for start in range(0, len(group), _MOST):
            some = group[start : start + _MOST]
            about = f"{tells}:{some[0][1].id}:{some[0][0].step}"
            row = pending("reminder", about, channel, min(RANK[case.urgency] for _, case in some), now)
            session.add(row)
            session.flush()
            for reminder, _ in some:
                reminder.delivery_id = row.id


def write(session: Session, config: Config, row: Delivery, now: datetime) -> tuple[Message, int]:
    """A line a case, with how late it is and a button, or who has it by now."""
    tells = row.about.partition(":")[0]
    cases = _cases(session, row)
    waits = [case for case in cases if _still(case, tells)]
    whom = {"oncall": config.care.slack.oncall, "manager": config.care.slack.manager}.get(tells) if waits else None
    title = _HEADINGS[tells] if waits else "✅ Dealt with"
    blocks: list[dict[str, Any]] = [header(title)]
    if whom and not is_slack_id(row.channel):
        blocks.append(mrkdwn(f"{ping(whom)} please look."))
    lines = []
    for case in cases:
        said = f"{SIGNS[case.urgency]} case {case.id} · {NAMES[case.urgency]} · {_how(case, now)}"
        lines.append((f"Case {case.id}", _how(case, now)))
        blocks.append({**mrkdwn(escape(said) + _by(case)), **_button(case, tells)})
    blocks += _why(session, cases, tells)
    metadata = {"event_type": "call_light_reminder", "event_payload": {"delivery": row.key}}
    pinged = f"{ping(whom)} " if whom and not is_slack_id(row.channel) else ""
    text = f"{pinged}{title}: case {', '.join(str(case.id) for case in cases)}"
    urgency = min((case.urgency for case in waits), key=RANK.__getitem__, default="none")
    return Message(text, blocks, metadata, title, "", tuple(lines), urgency), _version(session, row)


def stale(session: Session, config: Config, may: Any, now: datetime) -> Sequence[Delivery]:
    """Reminders of cases that were dealt with since."""
    version = select(func.sum(Case.version)).where(Reminder.case_id == Case.id, Reminder.delivery_id == Delivery.id)
    rows = select(Delivery).where(Delivery.kind == "reminder", may)
    return session.exec(rows.where(col(Delivery.shown_version) < version.scalar_subquery())).all()


def _channel(config: Config, tells: str, case: Case) -> str:
    """Where it is said: to a person alone where one is named, else in the channel of the case."""
    if tells == "owner" and case.owner is not None and is_slack_id(case.owner):
        return case.owner
    manager = (config.care.slack.manager or "").strip("<@>")
    return manager if tells == "manager" and is_slack_id(manager) else case.channel


def _cases(session: Session, row: Delivery) -> Sequence[Case]:
    cases = select(Case).where(Reminder.case_id == Case.id, Reminder.delivery_id == row.id).distinct()
    return sorted(session.exec(cases), key=lambda case: (RANK[case.urgency], case.due_at))


def _version(session: Session, row: Delivery) -> int:
    total = select(func.sum(Case.version)).where(Reminder.case_id == Case.id, Reminder.delivery_id == row.id)
    return session.exec(total).one() or 0


def _still(case: Case, tells: str) -> bool:
    """Whether it waits as it did when the reminder was sent."""
    return case.state == ("claimed" if tells == "owner" else "open")


def _how(case: Case, now: datetime) -> str:
    if case.state not in WAITING:
        return case.state
    if case.snoozed_until is not None:
        return "snoozed"
    due = due_now(case, now)
    return f"{in_words(due - now)} left" if due > now else f"late by {in_words(now - due)}"


def _by(case: Case) -> str:
    return f" · {in_slack(case.owner) if is_slack_id(case.owner) else escape(case.owner)}" if case.owner else ""


def _button(case: Case, tells: str) -> dict[str, Any]:
    if not _still(case, tells):
        return {}
    name, label = ("answered", "Answered") if tells == "owner" else ("claim", "Claim")
    button = {"type": "button", "action_id": f"do:{name}", "text": plain(label), "value": str(case.id)}
    return {"accessory": button}


def _why(session: Session, cases: Sequence[Case], tells: str) -> Iterator[dict[str, Any]]:
    """What a person wrote who escalated one of them."""
    if tells not in ("oncall", "manager"):
        return
    of_them = [case.id for case in cases]
    asked = select(CaseEvent).where(col(CaseEvent.case_id).in_(of_them), CaseEvent.kind == "escalated")
    for event in session.exec(asked.order_by(col(CaseEvent.id).desc()).limit(1)):
        said = f"case {event.case_id}: {event.what}"
        yield {"type": "context", "elements": [plain(shorten(said, 300))]}
