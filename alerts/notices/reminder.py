"""Reminders: cases that wait too long, told to whom care.toml names, several in one message, with a button to take each."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, and_, col, exists, func, or_, select

from alerts.case import RANK, WAITING, Case, CaseEvent
from alerts.delivery import ASKED, ASSIGNED, POST, Delivery, Fold, Reminder, pending
from alerts.desk import about, clock, in_short
from alerts.message import Message, header, mrkdwn, ping, plain, shorten
from alerts.people import is_slack_id
from config.schema import Config

_MOST = 10  # cases that a message shows; the rest is counted
_SOON = timedelta(minutes=1)  # the longest that a card waits by itself until it is tried again
_OF_OWNERS = ("owner", ASSIGNED, POST)
_HEADINGS = {  # by what it is about, the beginning of `about`
    "channel": "⏰ Nobody has these yet",
    "team": "↩️ Back with the team",
    "owner": "⏰ Yours, and no reply yet",
    "oncall": "🔔 Nobody has these yet",
    "manager": "🔔 Nobody has these yet",
    ASSIGNED: "👤 Given to you",
    POST: "💬 Yours, and its author said more",
    f"{ASKED} oncall": "🔔 Please look at these",
    f"{ASKED} manager": "🔔 Please look at these",
}


def enqueue(session: Session, config: Config, now: datetime) -> None:
    """What has come up since the last pass, together for each who is told. While nobody can be reached it is one
    message that grows, and what was dealt with meanwhile is not told at all. It follows the cards of which it speaks."""
    _drop_needless(session)
    rows = select(Reminder, Case, _card_sent(), _card_comes(now)).where(Reminder.case_id == Case.id)
    rows = rows.where(col(Reminder.delivery_id).is_(None), col(Reminder.tells).is_not(None))
    groups: dict[tuple[str, str], list[tuple[Reminder, Case]]] = {}
    waits: set[tuple[str, str]] = set()
    for reminder, case, is_sent, comes in session.exec(rows.order_by(col(Case.id))):
        what = _what(reminder)
        channel = _channel(config, str(reminder.tells), case)
        is_danger = case.urgency == "danger"
        comes_with_card = what == "oncall" and is_danger and not is_sent  # which pings them
        if comes_with_card or not _still(case, what, channel):
            reminder.tells = None
        elif is_sent or (is_slack_id(channel) and (is_danger or not comes)):  # who is woken up need not see a card
            groups.setdefault((what, channel), []).append((reminder, case))
        elif comes:
            waits.add((what, channel))
    for (what, channel), group in groups.items():
        # Cards come one after the other: their reminders are one message when the last of them is there.
        if (what, channel) not in waits or any(case.urgency == "danger" for _, case in group):
            _add(session, what, channel, group, now)


def write(session: Session, config: Config, row: Delivery, now: datetime) -> tuple[Message, int]:
    """A line a case, with how late it is and a button, or who has it by now."""
    what = row.about.partition(":")[0]
    cases = _cases(session, row)
    waits = [case for case in cases if _still(case, what, row.channel)]
    slack = config.care.slack
    whom = {"oncall": slack.oncall, "manager": slack.manager}.get(what.removeprefix(f"{ASKED} "))
    pinged = f"{ping(whom)} " if waits and whom and not is_slack_id(row.channel) else ""
    title = _HEADINGS[what] if waits else "✅ Not waiting for you any more" if what in _OF_OWNERS else "✅ Dealt with"
    blocks: list[dict[str, Any]] = [header(title), *([mrkdwn(f"{pinged}please look.")] if pinged else [])]
    shown = [*waits, *(case for case in cases if case not in waits)][:_MOST]
    topics = {case.id: about(session, config, case) for case in shown}
    for case in shown:
        button = _button(case, what) if case in waits else {}
        blocks.append({**mrkdwn(in_short(case, now, about=topics[case.id])), **button})
    if more := len(cases) - len(shown):
        words = f"… and {more} more; /calllight {'mine' if what in _OF_OWNERS else 'open'} lists them"
        blocks.append({"type": "context", "elements": [plain(words)]})
    blocks += _why(session, shown, what)
    metadata = {"event_type": "call_light_reminder", "event_payload": {"delivery": row.key}}
    text = f"{pinged}{title}: case {', '.join(str(case.id) for case in shown)}{f' and {more} more' if more else ''}"
    urgency = min((case.urgency for case in waits), key=RANK.__getitem__, default="none")
    lines = tuple((f"Case {case.id}", " · ".join(filter(None, (topics[case.id], clock(case, now))))) for case in shown)
    lines += (("And more", str(more)),) if more else ()
    return Message(text, blocks, metadata, title, "", lines, urgency), _version(session, row)


def stale(session: Session, config: Config, may: Any, now: datetime) -> Sequence[Delivery]:
    """Reminders of cases that were dealt with since."""
    version = select(func.sum(Case.version)).where(Reminder.case_id == Case.id, Reminder.delivery_id == Delivery.id)
    rows = select(Delivery).where(Delivery.kind == "reminder", may)
    return session.exec(rows.where(col(Delivery.shown_version) < version.scalar_subquery())).all()


def _what(reminder: Reminder) -> str:
    """What it is about: who is told, or why they are told though no clock has run out."""
    word, tells = reminder.step.partition(" ")[0], str(reminder.tells)
    return f"{ASKED} {tells}" if word == ASKED else word if word in (ASSIGNED, POST) else tells


def _card_sent() -> Any:
    """Whether people can see the case of which a reminder speaks, in its channel: by its card, or under a fold."""
    fold = exists().where(
        *(col(Fold.case_id) == Case.id, col(Fold.round) == Case.round),
        *(col(Delivery.id) == Fold.delivery_id, col(Delivery.state) == "sent"),
    )
    return or_(exists().where(*_card(), col(Delivery.state) == "sent"), fold)


def _card_comes(now: datetime) -> Any:
    """Whether its card is tried again soon; what a person has to mend first holds up no other case."""
    return ~exists().where(*_card(), col(Delivery.next_try_at) > now + _SOON)


def _card() -> tuple[Any, ...]:
    """The card of a case in the channel where it belongs."""
    of_it = (col(Delivery.case_id) == Case.id, col(Delivery.kind) == "card")
    return (*of_it, col(Delivery.channel) == Case.channel, col(Delivery.round) == Case.round)


def _drop_needless(session: Session) -> None:
    """Somebody took up every case of a message before it left."""
    waiting = select(Delivery).where(Delivery.kind == "reminder", Delivery.state == "pending")
    for row in session.exec(waiting).all():
        what = row.about.partition(":")[0]
        if not any(_still(case, what, row.channel) for case in _cases(session, row)):
            of_it = col(Reminder.delivery_id) == row.id
            session.execute(update(Reminder).where(of_it).values(delivery_id=None, tells=None))
            session.delete(row)
    session.flush()


def _add(session: Session, what: str, channel: str, group: Sequence[tuple[Reminder, Case]], now: datetime) -> None:
    """Put reminders into the message that has not left yet, or into a new one. One of which nobody knows whether it
    arrived takes them too: it is looked for before it is sent, and shown anew where it is found."""
    waits = and_(col(Delivery.state) == "sending", col(Delivery.trouble).is_not(None))
    unsent = (Delivery.kind == "reminder", or_(col(Delivery.state) == "pending", waits), Delivery.channel == channel)
    row = session.exec(select(Delivery).where(*unsent, col(Delivery.about).startswith(f"{what}:"))).first()
    if row is None:
        first, case = group[0]
        row = pending("reminder", f"{what}:{case.id}:{case.round}:{first.step}", channel, RANK[case.urgency], now)
        session.add(row)
        session.flush()
    for reminder, case in group:
        row.rank = min(row.rank, RANK[case.urgency])
        reminder.delivery_id = row.id


def _channel(config: Config, tells: str, case: Case) -> str:
    """Where it is said: to a person alone where one is named, else in the channel of the case."""
    if tells == "owner" and case.owner is not None and is_slack_id(case.owner):
        return case.owner
    manager = (config.care.slack.manager or "").strip("<@>")
    return manager if tells == "manager" and is_slack_id(manager) else case.channel


def _cases(session: Session, row: Delivery) -> Sequence[Case]:
    of_it = select(Reminder.case_id).where(Reminder.delivery_id == row.id)
    cases = session.exec(select(Case).where(col(Case.id).in_(of_it)))
    return sorted(cases, key=lambda case: (RANK[case.urgency], case.due_at))


def _version(session: Session, row: Delivery) -> int:
    total = select(func.sum(Case.version)).where(Reminder.case_id == Case.id, Reminder.delivery_id == row.id)
    return session.exec(total).one() or 0


def _still(case: Case, what: str, channel: str) -> bool:
    """Whether it waits for those who are told."""
    if what in _OF_OWNERS:
        return case.state == "claimed" and (not is_slack_id(channel) or case.owner == channel)
    return case.state in WAITING if what.startswith(ASKED) else case.state == "open"


def _button(case: Case, what: str) -> dict[str, Any]:
    if case.state == "claimed" and what not in _OF_OWNERS:
        return {}
    name, label = ("answered", "Answered") if case.state == "claimed" else ("claim", "Claim")
    button = {"type": "button", "action_id": f"do:{name}", "text": plain(label), "value": str(case.id)}
    return {"accessory": button}


def _why(session: Session, cases: Sequence[Case], what: str) -> Iterator[dict[str, Any]]:
    """What a person wrote who escalated one of them, or that it is danger now."""
    if not what.startswith(ASKED):
        return
    of_them = [case.id for case in cases]
    because = col(CaseEvent.kind).in_(("escalated", "raised", "urgency"))
    events = session.exec(
        select(CaseEvent).where(col(CaseEvent.case_id).in_(of_them), because).order_by(col(CaseEvent.id))
    )
    for event in {event.case_id: event for event in events}.values():
        said = f"case {event.case_id}: {event.what}"
        yield {"type": "context", "elements": [plain(shorten(said, 300))]}
